"""The sampler against quadrature: integral, x, t, theta and azimuth, and how well it is adapted."""

from __future__ import annotations

import math
import re
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pytest
from kinematic_points import cases
from pvalue import binned_probability, chi2_probability, ks_probability

from mcgen import load_card
from mcgen.analysis.crosscheck import monte_carlo
from mcgen.base.rng import EVENTS, INTEGRATION
from mcgen.card.card import card_text, parse_card
from mcgen.generation import lattice as cells
from mcgen.generation.generate import generate, prepare
from mcgen.generation.lattice import Proposals, _alias_table, build_lattice, integrals, integrate
from mcgen.generation.normalisation import INTEGRATION_POINTS
from mcgen.generation.stages import azimuth_bound, sample_azimuth
from mcgen.physics.emission import cross_section as quadrature
from mcgen.physics.emission.amplitude import amplitude_at, azimuthal_form, transverse_momentum
from mcgen.physics.emission.kinematics import emission
from mcgen.quadrature.xsec import cross_section, process_of
from mcgen.source.source import Source
from mcgen.source.track import linear

pytestmark = pytest.mark.first

SETTINGS = [("fermilab", "0.5 GeV"), ("fermilab", "1 GeV"), ("fermilab", "3 GeV"), ("na64", "160 GeV")]


def _thin_card(name, energy, lepton="mu"):
    """The card with a target of 1 um, in which muons lose 2e-6 GeV at most; electrons lose nothing, in 1 cm."""
    text = card_text(name)
    for old, new in (
        ('energy = "3 GeV"', f'energy = "{energy}"'),
        ('length = "1.5 m"', 'length = "1 um"'),
        ('length = "20 cm"', 'length = "1 um"'),
        ('E_min = "0.5 GeV"', ""),
        *((('"mu+"', '"e-"'), ("dE_dy =", "# dE_dy ="), ("1 um", "1 cm")) if lepton == "e" else ()),
    ):
        text = text.replace(old, new)
    return parse_card(text)


def _bins(events, variable, edges):
    c = events.columns
    theta = np.arctan2(np.hypot(c["S_px"], c["S_py"]), c["S_pz"])
    values = theta if variable == "theta" else c[variable]
    return np.searchsorted(edges, values, "right") - 1


def _check_spectra(name, energy, events, seed, lepton="mu", m_S=0.1):
    card = _thin_card(name, energy, lepton)
    E, target = card.beam.energy, card.target.material
    made = generate(card, m_S, events, seed, workers=2)
    for variable in ("x", "t", "theta"):
        expected = cross_section(target, E, m_S, lepton=lepton, spectrum=variable)
        share = expected.bins / expected.value
        chance = binned_probability(made.columns["weight"], _bins(made, variable, expected.edges), share)
        assert 1e-4 < chance < 1.0 - 1e-4, (variable, chance)


@pytest.mark.parametrize(("name", "energy"), SETTINGS)
def test_spectra(name, energy):
    """x, t and theta of 200000 events at one energy against quadrature, 1e-4 < p < 1 - 1e-4.

    Fails if a corner of phase space is not reached: MadGraph lost a third of the events below t = 1e-7 GeV^2.
    """
    _check_spectra(name, energy, 200_000, 1)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "energy"), SETTINGS)
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_spectra_of_a_million(name, energy, seed):
    """The same with a million events and other seeds; fails at a loss too small for 200000 events to show."""
    _check_spectra(name, energy, 1_000_000, seed)


@pytest.mark.parametrize(("name", "energy", "m_S"), [("fermilab", "4 GeV", 0.01), ("na64", "160 GeV", 1e-3)])
def test_spectra_of_electrons(name, energy, m_S):
    """The same for electrons; fails if S along the outgoing electron is missed, where t, |u| and x are bound."""
    _check_spectra(name, energy, 200_000, 1, "e", m_S)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize("m_S", [1e-4, 1e-3, 0.01, 0.1])
@pytest.mark.parametrize(("name", "energy"), [("fermilab", "1 GeV"), ("fermilab", "20 GeV"), ("na64", "160 GeV")])
def test_spectra_of_a_million_electrons(name, energy, m_S, seed):
    """The same with a million events."""
    _check_spectra(name, energy, 1_000_000, seed, "e", m_S)


@pytest.mark.parametrize(
    ("lepton", "target", "E", "m_S"),
    [
        ("mu", "W", 3.0, 0.1),
        ("mu", "Pb", 160.0, 0.01),
        ("mu", "H", 0.5, 0.2),
        ("e", "W", 4.0, 1e-3),
        ("e", "Pb", 160.0, 1e-4),
        ("e", "Pb", 160.0, 1e-3),
        ("e", "Pb", 160.0, 0.1),
    ],
)
def test_pulls_of_the_integral(lepton, target, E, m_S):
    """20 seeds scatter about the quadrature as their errors say; fails if the error or the value is biased.

    Mean pull within 3 sigma, sum of squares within 0.1 to 99.9 %.
    """
    process = process_of(target, m_S, lepton)
    exact = quadrature.sigma(E, process)[0]
    lattice = build_lattice(linear(E, E), process)
    pulls = []
    for seed in range(20):
        n = 50_000
        total, squares, _, _ = integrate(lattice, process, np.uint64(seed), np.uint64(INTEGRATION), 0, n)
        error = math.sqrt((squares / n - (total / n) ** 2) / n)
        pulls.append((total / n - exact / lattice.total) / error)
    assert abs(np.mean(pulls)) < 3.0 / math.sqrt(20.0)
    assert 1e-3 < chi2_probability(float(np.sum(np.square(pulls))), 20) < 1.0 - 1e-3


@pytest.mark.parametrize("name", ["fermilab", "na64"])
def test_pulls_of_the_yield(name):
    """The yield of 5 seeds in the whole target pulls by less than 4; fails if the muon's energy is not uniform."""
    for seed in range(5):
        sampler = prepare(Source(load_card(name)), 0.05, seed, workers=2)
        found = sampler.total(weighted=True)
        assert abs(found.pull(sampler.expected.value)) < 4.0
        assert found.error < 1e-3 * found.value


def test_monte_carlo_estimate():
    """60 seeds of `monte_carlo` scatter about the quadrature as their errors say; fails for an error or a value off.

    Sum of squared pulls within 0.1 to 99.9 %, which an error wrong by a quarter leaves. Four times the points halve the
    error, 3 %, and n_eff is N/(1 + N error^2/value^2) (Kish).
    """
    process, n = process_of("W", 0.1), 5_000
    exact = quadrature.sigma(1.0, process)[0]
    found = [monte_carlo(1.0, process, n, seed) for seed in range(60)]
    assert 1e-3 < chi2_probability(sum(one.pull(exact) ** 2 for one in found), len(found)) < 1.0 - 1e-3
    for one in found:
        assert one.n_eff == pytest.approx(n / (1.0 + n * (one.error / one.value) ** 2), rel=1e-9, abs=0.0)
    more = [monte_carlo(1.0, process, 4 * n, seed) for seed in range(20)]
    ratio = np.mean([one.error for one in more]) / np.mean([one.error for one in found])
    assert ratio == pytest.approx(0.5, rel=0.03)


def test_blocks_add_up():
    """Two halves of an integration make the whole, 1e-12; fails if points depend on where a block begins."""
    process = process_of("W", 0.1)
    lattice = build_lattice(linear(3.0, 2.0), process)
    args = (lattice, process, np.uint64(1), np.uint64(INTEGRATION))
    whole, parts = integrate(*args, 0, 2000), np.add(integrate(*args, 0, 700), integrate(*args, 700, 1300))
    np.testing.assert_allclose(parts, whole, rtol=1e-12)
    for i, block in enumerate(integrals(Proposals(*args, np.arange(100, 800)), 3)):
        assert block == integrate(*args, 100 + 700 * i, 700)


class Adaptation(NamedTuple):
    """Mean of min(1, f), and the share of the integral above the ceilings."""

    efficiency: float
    overweight: float


def _adaptation(E_low, E_high, process):
    n = 50_000
    sums = integrate(build_lattice(linear(E_high, E_low), process), process, np.uint64(1), np.uint64(INTEGRATION), 0, n)
    return Adaptation(sums[2] / n, 1.0 - sums[2] / sums[0])


@pytest.mark.parametrize("m_S", [1e-3, 0.01, 0.1, 0.2])
@pytest.mark.parametrize(
    ("target", "E"), [("W", 0.5), ("W", 1.0), ("W", 3.0), ("Be", 20.0), ("Pb", 160.0), ("H", 160.0)]
)
def test_adaptation(target, E, m_S):
    """Efficiency above 0.7 and less than 1e-3 of the integral overweight; fails if the cells miss a peak."""
    found = _adaptation(E, E, process_of(target, m_S))
    assert found.efficiency > 0.7
    assert found.overweight < 1e-3


@pytest.mark.parametrize("mediator", ["scalar", "pseudoscalar", "vector", "axial"])
@pytest.mark.parametrize("m_S", [1e-4, 1e-3, 0.01, 0.1])
@pytest.mark.parametrize("target", ["H", "W", "Pb"])
def test_adaptation_to_electrons(target, m_S, mediator):
    """Efficiency above 0.8 (0.7 over 2 to 10 GeV) and less than 2e-4 of the integral overweight.

    Fails if the cells miss S along the outgoing electron: 1e-2 was overweight, and 0.3 of n_eff lost.
    """
    for E_low, E_high in ((1.0, 1.0), (4.0, 4.0), (20.0, 20.0), (160.0, 160.0), (2.0, 10.0)):
        found = _adaptation(E_low, E_high, process_of(target, m_S, "e", mediator=mediator))
        assert found.efficiency > (0.8 if E_low == E_high else 0.7), E_high
        assert found.overweight < 2e-4, E_high


@pytest.mark.parametrize("m_S", [1e-3, 0.01, 0.1, 0.2])
@pytest.mark.parametrize("name", ["fermilab", "na64"])
def test_adaptation_in_a_target(name, m_S):
    """The same for a beam that slows down in the target; fails if the map of E_S does not follow the beam's energy."""
    card = load_card(name)
    found = _adaptation(*Source(card).energy_range(m_S), Source(card).process(m_S))
    assert found.efficiency > 0.7
    assert found.overweight < 1e-3


@pytest.mark.parametrize("n", [1, 2, 7, 1000])
def test_alias_table(n):
    """Cells are proposed in proportion to their weights, 1e-12; fails if what rounding leaves over is lost."""
    weights = 10.0 ** np.random.default_rng(n).uniform(-6.0, 1.0, n)
    for weight in (weights, np.ones(n), weights**8):
        threshold, alias = _alias_table(weight)
        found = np.bincount(np.arange(n), threshold, n) + np.bincount(alias, 1.0 - threshold, n)
        assert np.all((threshold >= 0.0) & (threshold <= 1.0))
        np.testing.assert_allclose(found / n, weight / weight.sum(), rtol=0.0, atol=1e-12)


def test_overweight():
    """The share above the ceilings, from the integral's own points; fails if it is always 0."""
    prepared = prepare(Source(load_card("ship-muons")), 0.2, 1)
    (ready,) = prepared.components
    points = INTEGRATION_POINTS
    f, _, cut, _ = integrate(ready.lattice, ready.process, np.uint64(1), np.uint64(INTEGRATION), 0, points)
    assert prepared.overweight == pytest.approx(1.0 - cut / f, rel=1e-9)
    assert prepared.overweight > 0.0


def _azimuth_cdf(form, values):
    """Distribution function of phi_q in (-pi, pi) by Simpson's rule, at `values`."""
    grid = np.linspace(-math.pi, math.pi, 8193)
    density = np.array([amplitude_at(form, phi) for phi in grid])
    middle = np.array([amplitude_at(form, phi) for phi in 0.5 * (grid[1:] + grid[:-1])])
    cumulative = np.concatenate([[0.0], np.cumsum(density[:-1] + 4.0 * middle + density[1:])])
    return np.interp(values, grid, cumulative / cumulative[-1])


def test_azimuth():
    """phi_q of 20000 draws at twelve points against A(phi_q), KS p > 1e-4; fails if the peak's side or sign is lost.

    No draw exceeds the bound of the rejection by more than the 2 % that it allows for.
    """
    for i, case in enumerate(cases(12, seed=21, edges=1.0)):
        p = case.process
        e = emission(case.E, p.m, p.m_out, p.m_S, p.M, case.E_S, case.one_minus_cos_theta)
        form = azimuthal_form(e, case.E, case.t, transverse_momentum(e, case.t, case.t_minus_tmin), p)
        bound = azimuth_bound(form)
        draws = np.array(
            [sample_azimuth(form, bound, np.uint64(i), np.uint64(EVENTS), np.uint64(n), 0) for n in range(20_000)]
        )
        np.testing.assert_allclose(np.hypot(draws[:, 0], draws[:, 1]), 1.0, rtol=1e-12)
        assert draws[:, 2].max() < 1.02
        assert ks_probability(_azimuth_cdf(form, np.arctan2(draws[:, 1], draws[:, 0]))) > 1e-4, case


def test_weighted_and_unweighted_agree():
    """Shares in x, t and E_mu of 100000 weighted and as many unweighted events, p > 1e-4; fails if a weight is lost."""
    weighted, plain = (generate(load_card("fermilab"), 0.1, 100_000, 5, weighted=w, workers=2) for w in (True, False))
    assert np.ptp(weighted.columns["weight"]) > 0.1 * weighted.columns["weight"].mean()
    binnings = {"x": np.linspace(0.0, 1.0, 31), "t": np.geomspace(1e-6, 0.1, 31), "E_mu": np.linspace(0.5, 3.0, 26)}
    for variable, edges in binnings.items():
        sums, variances = [], []
        for events in (weighted, plain):
            w, v = events.columns["weight"], events.columns[variable]
            sums.append(np.histogram(v, edges, weights=w)[0] / w.sum())
            variances.append(np.histogram(v, edges, weights=w * w)[0] / w.sum() ** 2)
        variance = sum(variances)
        chi2 = float(np.sum((sums[0] - sums[1])[variance > 0] ** 2 / variance[variance > 0]))
        assert chi2_probability(chi2, int(np.sum(variance > 0)) - 1) > 1e-4, variable


def test_cells_are_chosen_by_the_whole_track():
    """A beam that loses much has fine cells in energy, one that loses little has not; fails by the first step alone."""
    process = process_of("W", 0.1)
    E = np.linspace(3.0, 0.5, 301)
    much = linear(3.0, 0.5)._replace(E=E, slope=np.full(E.size, E[1] - E[0]))
    fields = slice(2, 2 + len(cells.THICK))
    assert tuple(build_lattice(much, process)[fields]) == tuple(cells.THICK)
    assert tuple(build_lattice(linear(3.0, 2.9999), process)[fields]) == tuple(cells.THIN)


def test_layers_that_share_cells():
    """Cells of thin layers of one element reach from the first to the last; fails if those of one serve all."""
    card = load_card("fermilab")
    target = "[target]\n" + '[[target.layer]]\nmaterial = "W"\nlength = "0.2 mm"\n' * 4
    source = Source(parse_card(re.sub(r"(?s)\[target\].*?(?=\[detector\])", target + "\n", card.text)))
    components = source.components(0.1)
    processes = [source.process(0.1, component.target) for component in components]
    with ThreadPoolExecutor(1) as pool:
        made = cells.build_lattices(components, processes, pool)
    whole = cells.build_lattice(linear(components[0].E_high, components[-1].E_low), processes[0])
    first = cells.build_lattice(components[0].track, processes[0])
    assert {lattice.total for lattice in made} == {whole.total}
    assert first.total != whole.total
    assert [lattice.track.front for lattice in made] == [component.track.front for component in components]
