"""Cross sections and spectra against two independent quadratures, finer rules, and themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mcgen.base.errors import InputError
from mcgen.physics.emission import cross_section as quadrature
from mcgen.physics.emission.kinematics import t_range
from mcgen.physics.emission.mediator import MEDIATORS
from mcgen.physics.emission.rules import rules
from mcgen.quadrature.xsec import cross_section, process_of

#: (target, energy, mass) of the reference
SETTINGS = [
    ("W", 0.5, 0.01),
    ("W", 0.5, 0.1),
    ("W", 1.0, 0.1),
    ("W", 3.0, 0.01),
    ("W", 3.0, 0.1),
    ("W", 3.0, 0.2),
    ("Pb", 160.0, 0.01),
    ("Pb", 160.0, 0.1),
]
ALL = pytest.mark.parametrize(("target", "E", "m_S"), SETTINGS)


@pytest.fixture
def entry(reference):
    """The reference entry of a setting."""

    def find(*setting):
        found = [e for e in reference("sigma")["entries"] if (e["target"], e["E_beam"], e["m_S"]) == setting]
        assert len(found) == 1
        return found[0]

    return find


def _bins_agree(bins, expected, sigma, tolerance):
    """Bins above 1e-6 of sigma agree relatively, the others to 1e-10 of sigma."""
    bins, expected = np.asarray(bins), np.asarray(expected)
    large = expected > 1e-6 * sigma
    assert large.sum() > 10
    np.testing.assert_allclose(bins[large], expected[large], rtol=tolerance)
    np.testing.assert_allclose(bins[~large], expected[~large], rtol=0.0, atol=1e-6 * tolerance * sigma)


def test_every_setting_is_tested(reference):
    """The settings listed here are those of the reference; fails if one is left out."""
    assert [(e["target"], e["E_beam"], e["m_S"]) for e in reference("sigma")["entries"]] == SETTINGS


@ALL
def test_sigma(entry, target, E, m_S):
    """sigma to 1e-6, its own error estimate not below the deviation; fails if measure, flux or form factor is off."""
    expected = entry(target, E, m_S)["sigma_g1_pb"]
    found = cross_section(target, E, m_S)
    assert found.value == pytest.approx(expected, rel=1e-6, abs=0.0)
    assert abs(found.value - expected) <= found.error + 1e-9 * expected


@ALL
@pytest.mark.parametrize("variable", ["x", "t"])
def test_spectra(entry, target, E, m_S, variable):
    """Bins of x and t to 1e-4 on the same edges (1e-9), summing to sigma; fails if a bin's limits are wrong."""
    expected = entry(target, E, m_S)
    table = expected["x_bins" if variable == "x" else "log10t_bins"]
    edges = np.array(table["edges"]) if variable == "x" else 10.0 ** np.array(table["edges"])
    found = cross_section(target, E, m_S, spectrum=variable)
    np.testing.assert_allclose(found.edges, edges, rtol=1e-9)
    _bins_agree(found.bins, table["sigma_in_bin_pb"], expected["sigma_g1_pb"], 1e-4)
    overflow = table.get("overflow_pb", 0.0)
    assert found.bins.sum() + overflow == pytest.approx(expected["sigma_g1_pb"], rel=1e-5, abs=0.0)


@pytest.mark.parametrize(("target", "E", "m_S"), [("W", 0.5, 0.1), ("W", 1.0, 0.1), ("W", 3.0, 0.1), *SETTINGS[6:]])
def test_angle(entry, target, E, m_S):
    """Bins of the angle of S to 1e-4 on the same edges (1e-9), summing to sigma; fails if backward S is lost."""
    expected = entry(target, E, m_S)
    table = expected["theta_bins"]
    found = cross_section(target, E, m_S, spectrum="theta")
    np.testing.assert_allclose(found.edges, table["edges"], rtol=1e-9)
    _bins_agree(found.bins, table["sigma_in_bin_pb"], expected["sigma_g1_pb"], 1e-4)
    assert found.bins.sum() == pytest.approx(expected["sigma_g1_pb"], rel=1e-5, abs=0.0)


@ALL
def test_iww(entry, target, E, m_S):
    """Eqs. 12-13 as printed, in total and in x, to 1e-9; fails if the paper's limits of t are "improved"."""
    expected = entry(target, E, m_S)["IWW"]
    found = cross_section(target, E, m_S, method="iww", spectrum="x")
    assert found.value == pytest.approx(expected["sigma_pb"], rel=1e-9, abs=0.0)
    np.testing.assert_allclose(found.bins, expected["sigma_in_x_bin_pb"], rtol=1e-9)


@ALL
def test_ww(entry, target, E, m_S):
    """WW with exact limits of t to 1e-6, its x bins to 1e-4; fails if its limit of A or its limits of t change."""
    expected = entry(target, E, m_S)["WW_A"]
    found = cross_section(target, E, m_S, method="ww", spectrum="x")
    assert found.value == pytest.approx(expected["sigma_pb"], rel=1e-6, abs=0.0)
    _bins_agree(found.bins, expected["sigma_in_x_bin_pb"], expected["sigma_pb"], 1e-4)


@pytest.mark.parametrize("variable", ["x", "t", "theta"])
@pytest.mark.parametrize(
    ("target", "E", "m_S", "lepton"), [("H", 0.6, 0.2, "mu"), ("Be", 20.0, 0.03, "e"), ("W", 0.3, 0.01, "mu")]
)
def test_spectra_sum_to_sigma(variable, target, E, m_S, lepton):
    """A spectrum over the whole range sums to sigma to 1e-4; fails if a bin edge cuts the range short."""
    edges = {
        "x": np.linspace(0.0, 1.0, 21),
        "t": np.geomspace(1e-14, 100.0, 60),
        "theta": [0.0, *np.geomspace(1e-5, math.pi, 40)],
    }
    found = cross_section(target, E, m_S, lepton=lepton, spectrum=variable, edges=edges[variable])
    assert found.bins.sum() == pytest.approx(found.value, rel=1e-4, abs=0.0)


def test_standard_edges():
    """Bins begin and end where the range does, t at 10 GeV^2 if it reaches that far; fails for another range."""
    for target, E, t_max in (("H", 0.6, None), ("W", 3.0, 10.0)):
        process = process_of(target, 0.1)
        x, theta, t = (quadrature.standard_edges(E, process, name) for name in ("x", "theta", "t"))
        low, high = t_range(E, process.m, process.m_out, 0.1, process.M)
        assert (t[0], t[-1]) == pytest.approx((low, t_max or high), rel=1e-12)
        assert (x[0], theta[0], theta[1], theta[-1]) == pytest.approx((0.0, 0.0, 0.01 * process.m / E, math.pi))
        m, M = process.m, process.M  # S along the beam, lepton and nucleus at rest to each other
        s_left = (E + M - x[-1] * E) ** 2 - (math.sqrt(E * E - m * m) - math.sqrt((x[-1] * E) ** 2 - 0.01)) ** 2
        assert math.sqrt(s_left) == pytest.approx(m + M, rel=1e-9)
        assert len(x) == len(theta) == len(t) == 41


@pytest.mark.parametrize(("target", "E", "m_S"), [("H", 0.6, 0.2), ("W", 0.5, 0.1)])
def test_orders_of_integration(target, E, m_S):
    """E_S, t and theta outermost give the same sigma by small rules, 5e-4; fails if one's limits or measure is wrong.

    Each order has limits of its own. In hydrogen S flies backwards and the recoil takes a good part of the energy.
    """
    process = process_of(target, m_S)
    sigma = quadrature.sigma_between(E, process, 0.0, E, rules(10, 8, 4, 1))
    edges = np.geomspace(*t_range(E, process.m, process.m_out, m_S, process.M), 4)
    assert quadrature.bins_of_t(E, process, edges, rules(10, 1, 4, 6)).sum() == pytest.approx(sigma, rel=5e-4)
    angles = np.array([0.0, 0.1, 0.4, 1.2, math.pi])
    assert quadrature._theta_bins(E, process, angles, rules(10, 1, 5, 6)).sum() == pytest.approx(sigma, rel=5e-4)
    x = np.array([0.0, 0.5, 0.7, 1.0])
    assert quadrature._x_bins(E, process, x, rules(5, 6, 4, 1)).sum() == pytest.approx(sigma, rel=5e-4)


@pytest.mark.parametrize(("target", "E", "m_S"), [("W", 1.0, 0.1), ("W", 3.0, 0.1), ("Pb", 160.0, 0.1)])
@pytest.mark.parametrize("variable", ["x", "t", "theta"])
def test_wide_bins(variable, target, E, m_S):
    """A wide bin holds what narrow bins inside it hold, to 1e-4; fails if the nodes per bin are fewer than it needs."""
    wide, narrow = {
        "x": ([0.0, 1.0], np.linspace(0.0, 1.0, 41)),
        "t": ([1e-10, 1.0], np.geomspace(1e-10, 1.0, 61)),
        "theta": ([0.0, math.pi], [0.0, *np.geomspace(1e-5, math.pi, 60)]),
    }[variable]
    one, many = (cross_section(target, E, m_S, spectrum=variable, edges=edges).bins.sum() for edges in (wide, narrow))
    assert one == pytest.approx(many, rel=1e-4, abs=0.0)


@pytest.mark.parametrize("method", ["exact", "ww"])
@pytest.mark.parametrize("variable", ["x", "t", "theta"])
def test_below_threshold(method, variable):
    """Below threshold sigma and each bin are zero, just above it sigma is not; fails if recoil is dropped there."""
    threshold = process_of("H", 0.1).threshold
    found = cross_section("H", 0.999 * threshold, 0.1, method=method, spectrum=variable, edges=[1e-6, 0.5, 1.0])
    assert found.value == 0.0
    assert not found.bins.any()
    assert cross_section("H", 1.01 * threshold, 0.1, method=method).value > 0.0


def _deviations(energies, masses, targets, lepton="mu", mediator="scalar"):
    finer = rules(60, 56, 16, 1)
    rows = []
    for E in energies:
        for m_S in masses:
            for target in targets:
                process = process_of(target, m_S, lepton, mediator=mediator)
                if process.threshold < E:
                    value, error = quadrature.sigma(E, process)
                    better = quadrature.sigma_between(E, process, 0.0, E, finer)
                    rows.append((E, m_S, target, abs(value / better - 1.0), error / better))
    return rows


def test_convergence():
    """sigma to 1e-7 of a much finer rule from 0.25 to 160 GeV, 1 MeV to 1 GeV, H to Pb; fails where nodes are too few.

    The error estimate covers the deviation, to 1e-9.
    """
    rows = _deviations([0.25, 1.0, 10.0, 160.0], [1e-3, 0.01, 0.1, 1.0], ["H", "Be", "W", "Pb"])
    assert len(rows) > 50
    assert [row for row in rows if not row[3] < 1e-7] == []
    assert [row for row in rows if not row[3] <= row[4] + 1e-9] == []


@pytest.mark.parametrize("mediator", MEDIATORS)
def test_convergence_of_electrons(mediator):
    """For electrons sigma is good to 2e-6 from 1 to 160 GeV, 0.01 MeV to 1 GeV, and its error estimate covers that.

    Fails if the peak of S along the outgoing electron, narrower by m_e/m_mu, gets too few nodes.
    """
    rows = _deviations([1.0, 12.0, 160.0], [1e-5, 1e-4, 1e-3, 0.01, 0.1, 1.0], ["H", "W", "Pb"], "e", mediator)
    assert [row for row in rows if not row[3] < 2e-6] == []
    assert [row for row in rows if not row[3] <= row[4] + 1e-9] == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"target": "Unobtainium"},
        {"E_mu": 0.1},
        {"E_mu": math.nan},
        {"E_mu": math.inf},
        {"m_S": 0.0},
        {"m_S": -0.1},
        {"m_S": math.nan},
        {"lepton": "tau"},
        {"method": "guess"},
        {"mediator": "graviton"},
        {"form_factor": "none"},
        {"spectrum": "y"},
        {"spectrum": "x", "edges": [0.5, 0.1]},
        {"spectrum": "x", "edges": [0.0, 2.0]},
        {"spectrum": "t", "edges": [0.0, 1.0]},
        {"spectrum": "x", "edges": [0.0, math.nan]},
        {"spectrum": "theta", "method": "iww"},
        {"spectrum": "x", "E_mu": 0.2},
    ],
)
def test_refused(arguments):
    """What cannot be computed is refused with one line; fails if a wrong name or a NaN passes."""
    with pytest.raises(InputError) as error:
        cross_section(**({"target": "W", "E_mu": 3.0, "m_S": 0.1} | arguments))
    assert "\n" not in str(error.value)
