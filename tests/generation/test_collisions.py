"""Events of colliding beams: against |M|^2, the closed spectra, the quadrature of N_S, and themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mcgen import load_card, n_signal, reweight
from mcgen.base.constants import M_MU, M_TAU
from mcgen.base.errors import ClosureError, InputError
from mcgen.card.card import card_text, parse_card
from mcgen.generation import collisions
from mcgen.generation.collisions import INTEGRATION_POINTS, cells, fill, monte_carlo
from mcgen.generation.generate import generate
from mcgen.generation.normalisation import prepare
from mcgen.physics.collider.amplitude import collision, energy_range, h_longitudinal, h_total, radiation
from mcgen.physics.collider.cross_section import cos_theta_bins, energy_bins, sigma
from mcgen.physics.emission.mediator import MEDIATORS
from mcgen.source.collisions import Collisions
from mcgen.source.source import source_of

G_TAU = M_TAU / M_MU


@pytest.fixture(scope="module")
def sample():
    """200000 events of taus at Belle II."""
    return generate("belle2-tautau", 0.1, 200_000, 3, workers=2)


def _chi2(counts, expected):
    """Chi squared per bin of counts against expected shares, of bins that hold some."""
    n = counts.sum() * expected
    return float(np.mean((counts - n)[n > 20] ** 2 / n[n > 20]))


def _in_frame(columns):
    """X and f- in the frame of the collision: (E, pz) of each."""
    frame = Collisions(load_card("belle2-tautau")).frame
    return [
        (
            frame.gamma * columns[f"{name}_E"] - frame.gamma_beta * columns[f"{name}_pz"],
            frame.gamma * columns[f"{name}_pz"] - frame.gamma_beta * columns[f"{name}_E"],
        )
        for name in ("S", "mu_out", "N_out")
    ]


def test_momenta(sample):
    """Momentum and energy are those of 7 on 4 GeV beams to 1e-14, and all are on their mass shells.

    Fails if the boost is that of the other direction, or if f- and f+ change places in one component.
    """
    c = sample.columns
    frame = Collisions(load_card("belle2-tautau")).frame
    total = {"px": 0.0, "py": 0.0, "pz": frame.p_first + frame.p_second, "E": frame.E_first + frame.E_second}
    for part, value in total.items():
        np.testing.assert_allclose(c[f"mu_out_{part}"] + c[f"S_{part}"] + c[f"N_out_{part}"], value, atol=1e-13)
    assert (frame.E_first / frame.E_second) == pytest.approx(7.0 / 4.0, rel=1e-7)
    assert math.sqrt(total["E"] ** 2 - total["pz"] ** 2) == pytest.approx(10.58, rel=1e-14)
    for name, m in (("mu_out", M_TAU), ("N_out", M_TAU), ("S", 0.1)):
        m2 = c[f"{name}_E"] ** 2 - sum(c[f"{name}_p{axis}"] ** 2 for axis in "xyz")
        np.testing.assert_allclose(m2, m * m, atol=1e-12)


def test_spectra(sample):
    """Energy, angle and Delta of the events are the closed ones, chi^2 per bin; fails for a wrong inverse."""
    c = collision(10.58, M_TAU, 0.1)
    (E, pz), (E_minus, _), (E_plus, _) = _in_frame(sample.columns)
    k = np.sqrt(E * E - 0.01)
    edges = np.geomspace(0.1, 5.0, 30)
    whole = sigma(c)[0]
    assert _chi2(np.histogram(E, edges)[0], energy_bins(c, edges) / energy_bins(c, edges).sum()) < 1.7
    edges = np.linspace(-1.0, 1.0, 31)
    assert _chi2(np.histogram(pz / k, edges)[0], cos_theta_bins(c, edges) / whole) < 1.7
    assert abs(np.mean((E_minus - E_plus) / E)) < 5.0 / math.sqrt(len(E))


@pytest.mark.parametrize("mediator", MEDIATORS)
@pytest.mark.parametrize(
    ("sqrt_s", "m", "M"), [(10.58, M_TAU, 0.1), (10.58, M_MU, 0.01), (4.0, M_TAU, 0.2), (91.0, M_MU, 30.0)]
)
def test_events_follow_the_amplitude(mediator, sqrt_s, m, M):
    """Means over events of five functions of all angles, against points weighted by |M|^2, within 5 sigma.

    The weighted points are flat in y, cos(theta) and psi and know H(x) + H(y) alone. Fails if Delta, the angle to the
    beam or psi are drawn from another distribution, or independently of each other.
    """
    c = collision(sqrt_s, m, M, mediator)
    n = 6_000
    made = _functions(*_drawn(c, n))
    flat, weight = _flat(c, 8 * n)
    flat = _functions(*flat)
    for name, a in made.items():
        b = flat[name]
        mean, error = a.mean(), a.std() / math.sqrt(n)
        expected = (weight * b).sum() / weight.sum()
        spread = math.sqrt(np.sum((weight * (b - expected)) ** 2)) / weight.sum()
        assert abs(mean - expected) < 5.0 * math.hypot(error, spread), name


def _functions(E, Delta, cosine, psi):
    """What distributions are compared by."""
    return {
        "E": E,
        "Delta cos(theta) cos(psi)": Delta / E * cosine * np.cos(psi),
        "Delta^2": (Delta / E) ** 2,
        "Delta^2 cos^2(theta)": (Delta * cosine / E) ** 2,
        "sin^2(theta) cos(2 psi)": (1.0 - cosine**2) * np.cos(2.0 * psi),
    }


def _drawn(c, n):
    """Variables of events: E, Delta, cos(theta), psi."""
    from mcgen.physics.collider.event_map import draw_cos_theta, draw_delta, draw_psi

    rng = np.random.default_rng(5)
    k = cells(c)
    rows = []
    while len(rows) < n:
        u = rng.random(7)
        above, below, f = collisions.draw_energy(c, k, collisions.unit(c), u[0], u[1])
        if u[2] < f:
            r = radiation(c, above, below)
            Delta = draw_delta(c, r, u[3])
            cosine = draw_cos_theta(c, r, Delta, u[4], u[5])
            rows.append((r.E, Delta, cosine, draw_psi(c, r, Delta, cosine, u[6])))
    return np.array(rows).T


def _flat(c, n):
    """The same, flat in all but E, and their weights from |M|^2."""
    from mcgen.physics.collider.amplitude import h_beams

    rng = np.random.default_rng(6)
    k = cells(c)
    rows = []
    for _ in range(n):
        u = rng.random(5)
        above, below, f = collisions.draw_energy(c, k, collisions.unit(c), u[0], u[1])
        r = radiation(c, above, below)
        last = math.atanh(min(r.D / r.E, 1.0 - 1e-16))
        y, cosine, psi = last * (2.0 * u[2] - 1.0), 2.0 * u[3] - 1.0, math.pi * (2.0 * u[4] - 1.0)
        Delta = r.E * math.tanh(y)
        per_E = collisions.h_spectrum(c, above, below)[0]
        weight = f / per_E * h_beams(c, r, Delta, cosine, math.cos(psi)) * last * r.E / math.cosh(y) ** 2
        rows.append((r.E, Delta, cosine, psi, weight))
    *found, weight = np.array(rows).T
    return found, weight


@pytest.mark.parametrize(
    ("mediator", "m", "M"), [("scalar", M_TAU, 0.1), ("axial", M_MU, 0.01), ("vector", M_TAU, 3.0)]
)
def test_pulls(mediator, m, M):
    """|M|^2 at random points against the quadrature over 24 seeds: pulls are those of a unit Gaussian.

    Fails for a bias of a fifth of the error, or for errors that are too small.
    """
    c = collision(10.58, m, M, mediator)
    exact = sigma(c)[0]
    pulls = np.array([monte_carlo(c, 20_000, seed).pull(exact) for seed in range(24)])
    assert abs(pulls.mean()) < 0.6
    assert 0.65 < pulls.std(ddof=1) < 1.35


@pytest.mark.parametrize(("name", "M", "changes"), [
    ("belle2-tautau", 0.003, {}), ("belle2-tautau", 1.0, {}), ("babar-tautau", 6.9, {}),
    ("belle2-tautau", 0.1, {'lepton = "tau"': 'lepton = "mu"'}),
])  # fmt: skip
def test_efficiency(name, M, changes):
    """Over 95 % of all trials are events, less than 1e-6 lies above a ceiling; fails for cells that are wide."""
    text = card_text(name)
    for old, new in changes.items():
        text = text.replace(old, new)
    made = generate(parse_card(text), M, 20_000, 1).metadata
    assert made["unweighting_efficiency"] > 0.95
    assert made["overweight_fraction"] < 1e-6
    assert abs(made["pull"]) < 4.5
    assert made["pull_t_worst"] < 4.5


def test_any_number_of_threads():
    """Threads, chunks and the number of the first event change no bit; fails for random numbers of the chunk."""
    one = generate("belle2-tautau", 0.1, 3000, 7).columns
    two = generate("belle2-tautau", 0.1, 3000, 7, workers=3, chunk=700).columns
    late = generate("belle2-tautau", 0.1, 1000, 7, first=2000).columns
    for name, column in one.items():
        np.testing.assert_array_equal(column, two[name])
        if name != "weight":
            np.testing.assert_array_equal(column[2000:], late[name])


def test_signal_of_events(sample):
    """N_S from the events is that of the quadrature within 4 sigma, and both know the angles of a detector.

    Fails if a path is that of the other frame, or if an angle is cut where the beams meet at rest.
    """
    cut = parse_card(
        card_text("belle2-tautau").replace("[scalar]", 'angle_min = "17 deg"\nangle_max = "150 deg"\n[scalar]')
    )
    couplings = [3e-5, 1e-4, 2e-4]
    for card in (load_card("belle2-tautau"), cut):
        exact = n_signal(card, "A", 0.1, couplings)
        found = reweight(sample, "A", couplings, detector=card).n_signal
        assert all(abs(a.pull(b.value)) < 4.0 for a, b in zip(found, exact, strict=True))
    vertices = reweight(sample, "A", [1e-4], method="vertex").n_signal[0]
    assert abs(vertices.pull(n_signal("belle2-tautau", "A", 0.1, 1e-4).value)) < 4.0


def test_forced_decays():
    """Forced decays lie between the radii, and add up to N_S; fails if a length is not that of the laboratory."""
    columns = generate("belle2-tautau", 0.1, 20_000, 2, force_decay=True).columns
    radius = np.hypot(columns["decay_x_cm"], columns["decay_y_cm"])
    assert radius.min() >= 1.0 - 1e-9
    assert radius.max() <= 60.0 + 1e-9
    assert set(columns["decay_pdg"]) == {11}
    found = 5e7 * (1e-4 * G_TAU) ** 2 * np.sum(columns["weight"] * columns["decay_weight"])
    assert found == pytest.approx(n_signal("belle2-tautau", "A", 0.1, 1e-4).value, rel=0.02)


def test_closure(monkeypatch):
    """A cross section 5 % too large, or a spectrum of other energies, stops the run; fails without the guard."""
    with monkeypatch.context() as patch:
        patch.setattr(collisions, "sigma", lambda c: (1.05 * sigma(c)[0], 0.0))
        with pytest.raises(ClosureError, match=r"\|M\|\^2"):
            prepare(source_of(load_card("belle2-tautau")), 0.1, 1)
    with monkeypatch.context() as patch:
        patch.setattr(collisions, "energy_bins", lambda c, edges: energy_bins(c, 1.3 * edges))
        with pytest.raises(ClosureError, match="worst pull in x"):
            generate("belle2-tautau", 0.1, 20_000)


def test_metadata(sample):
    """Files say what their weights are: pb at unit coupling of the tau; fails if they are said to be per muon."""
    meta = sample.metadata
    assert meta["yield_pb"] == meta["yield_per_muon"] == pytest.approx(sample.columns["weight"].sum(), rel=1e-12)
    assert meta["exposure"]["weight_unit"] == "pb at g_tau = 1"
    assert meta["exposure"]["luminosity_per_pb"] == pytest.approx(5e7)
    assert meta["exposure"]["reference_g_tau"] == pytest.approx(1e-4 * G_TAU)
    assert meta["norm_relative_error"] < 1e-4
    assert INTEGRATION_POINTS >= 1 << 17


def test_above_threshold():
    """A mass that cannot be made is an error of one line; fails for NaN, or for an endless loop."""
    with pytest.raises(InputError, match=r"10\.58 GeV make a pair of tau"):
        generate("belle2-tautau", 7.1, 10)


def test_compiled_and_python():
    """The kernel and its Python make the same events; fails if the compiler's options change them."""
    prepared = prepare(source_of(load_card("belle2-tautau")), 0.1, 1)
    c, k = prepared.process, prepared.cells
    setting = collisions.Setting(prepared.source.frame, collisions.unit(c), True, 1.0, 1.0)
    one, two = (np.zeros((len(collisions.ROW), 5)) for _ in range(2))
    fill(c, k, setting, np.uint64(1), 0, one)
    getattr(fill, "py_func", fill)(c, k, setting, np.uint64(1), 0, two)
    np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-12)


def test_sums_of_the_events():
    """H_L/H_tot averaged over the events' Delta is that of the closed integrals; fails for a wrong share of sin^2."""
    c = collision(10.58, M_TAU, 0.5, "vector")
    width = energy_range(c)
    r = radiation(c, 0.4 * width, 0.6 * width)
    from mcgen.physics.collider.cross_section import h_spectrum
    from mcgen.physics.collider.event_map import draw_delta

    Delta = [draw_delta(c, r, (i + 0.5) / 4000) for i in range(4000)]
    mean = np.mean([h_longitudinal(c, r, d) / h_total(c, r, d) for d in Delta])
    total, along = h_spectrum(c, 0.4 * width, 0.6 * width)
    assert mean == pytest.approx(along / total, rel=1e-5)


def test_weighted():
    """Trials with their weights have the same sum and the same N_S; fails if a weight is that of another trial."""
    made = generate("belle2-tautau", 0.1, 50_000, 4, weighted=True)
    weight = made.columns["weight"]
    assert weight.sum() == pytest.approx(sigma(collision(10.58, M_TAU, 0.1))[0], rel=1e-3)
    assert np.unique(weight).size > 1000
    assert abs(reweight(made, "A", 1e-4).n_signal[0].pull(n_signal("belle2-tautau", "A", 0.1, 1e-4).value)) < 4.0
