"""The events of a file: kinematics, weights, positions and distributions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from pvalue import binned_probability, ks_probability

from mcgen import load_card
from mcgen.base.constants import M_MU
from mcgen.base.estimate import Estimate
from mcgen.card.card import Card
from mcgen.events.events import Events
from mcgen.physics.boson.scalar_decay import decay_length
from mcgen.physics.emission import cross_section as quadrature
from mcgen.quadrature.yields import yield_per_muon
from mcgen.source.boson import Boson
from mcgen.source.media import Medium
from mcgen.source.source import Source

EPS = np.finfo(float).eps


class Experiment(NamedTuple):
    """A shared event file, read, with the card it must belong to."""

    events: Events
    card: Card


@pytest.fixture(scope="module", params=["fermilab", "na64"])
def experiment(request):
    """Both experiments of the paper."""
    return Experiment(request.getfixturevalue(f"{request.param}_events").read(), load_card(request.param))


def _momenta(columns, particle):
    return np.array([columns[f"{particle}_{part}"] for part in ("px", "py", "pz", "E")])


def test_conservation(experiment):
    """Each component of the momentum is conserved to 1e-12 E; fails if one particle is rotated on its own."""
    c = experiment.events.columns
    M = Source(experiment.card).targets[0].M
    rest = np.array([0.0, 0.0, 0.0, M])[:, None]
    excess = _momenta(c, "mu_in") + rest - _momenta(c, "mu_out") - _momenta(c, "S") - _momenta(c, "N_out")
    assert np.all(np.abs(excess) < 1e-12 * c["E_mu"])


def test_mass_shells(experiment):
    """E^2 - p^2 is the mass squared to rounding, 40 eps E^2; fails if momenta were stored with fewer digits."""
    c = experiment.events.columns
    M = Source(experiment.card).targets[0].M
    masses = {"mu_in": M_MU, "mu_out": M_MU, "S": experiment.events.metadata["mass_gev"], "N_out": M}
    for particle, mass in masses.items():
        px, py, pz, E = _momenta(c, particle)
        scale = np.maximum(E, c["E_mu"]) ** 2
        assert np.all(np.abs(E**2 - px**2 - py**2 - pz**2 - mass**2) < 40.0 * EPS * scale), particle


def test_derived_columns(experiment):
    """E_mu, x, t and the beam direction are those of the momenta; fails if a column belongs to another event."""
    c = experiment.events.columns
    M = Source(experiment.card).targets[0].M
    np.testing.assert_array_equal(c["mu_in_E"], c["E_mu"])
    np.testing.assert_array_equal(c["mu_in_px"], 0.0)
    np.testing.assert_array_equal(c["event"], np.arange(len(experiment.events)))
    np.testing.assert_allclose(c["S_E"] / c["E_mu"], c["x"], rtol=1e-13)
    np.testing.assert_allclose(2.0 * M * (c["N_out_E"] - M), c["t"], rtol=1e-9, atol=20.0 * EPS * M**2)
    q2 = c["N_out_px"] ** 2 + c["N_out_py"] ** 2 + c["N_out_pz"] ** 2
    np.testing.assert_allclose(q2, c["t"] * (1.0 + c["t"] / (4.0 * M * M)), rtol=1e-6)


def test_energy_and_depth(experiment):
    """Energies stay within the target and follow the depth (Eq. 16), 1e-14; fails if another loss is used."""
    card = experiment.card
    E, depth = experiment.events.columns["E_mu"], experiment.events.columns["depth_cm"]
    assert E.min() >= Source(card).E_exit
    assert E.max() <= card.beam.energy
    np.testing.assert_allclose(E, card.beam.energy - depth * Medium(card.target).loss, rtol=1e-14)
    np.testing.assert_array_equal(experiment.events.columns["vertex_z_cm"], depth)
    assert depth.min() >= 0.0
    assert depth.max() <= card.target.length


def test_energy_spectrum(fermilab_events):
    """E_mu is distributed as sigma(E), chi2 p within 1e-4 of the ends; fails if E is not uniform before weighting."""
    columns = fermilab_events.read().columns
    process = Source(load_card("fermilab")).process(0.1)
    edges = np.linspace(0.5, 3.0, 41)
    y, w = np.polynomial.legendre.leggauss(4)
    nodes = edges[:-1, None] + 0.5 * np.diff(edges)[:, None] * (y + 1.0)
    sigma = np.array([[quadrature.sigma(float(E), process)[0] for E in row] for row in nodes]) @ w
    bins = np.searchsorted(edges, columns["E_mu"], "right") - 1
    assert 1e-4 < binned_probability(columns["weight"], bins, sigma / sigma.sum()) < 1.0 - 1e-4


def test_spectra_of_the_thick_target(fermilab_events):
    """x and t over the whole target against quadrature, same limits; fails if cells of a slowing beam are wrong."""
    columns = fermilab_events.read().columns
    process = Source(load_card("fermilab")).process(0.1)
    y, w = np.polynomial.legendre.leggauss(12)
    for variable, edges in (("x", np.linspace(0.0, 1.0, 41)), ("t", np.geomspace(1e-7, 1.0, 41))):
        spectra = [quadrature.spectrum(1.75 + 1.25 * float(v), process, variable, edges) for v in y]
        total = float(w @ [quadrature.sigma(1.75 + 1.25 * float(v), process)[0] for v in y])
        bins = np.searchsorted(edges, columns[variable], "right") - 1
        chance = binned_probability(columns["weight"], bins, w @ spectra / total)
        assert 1e-4 < chance < 1.0 - 1e-4, variable


def test_azimuth_of_the_event(experiment):
    """S is uniform about the beam, KS p > 1e-4, and independent of its side; fails if events share one plane."""
    c = experiment.events.columns
    phi = np.arctan2(c["S_py"], c["S_px"])
    assert ks_probability(phi / (2.0 * np.pi) + 0.5) > 1e-4
    phi_out = np.arctan2(c["mu_out_py"], c["mu_out_px"])
    relative = np.sin(phi_out - phi)
    assert abs(relative.mean()) < 4.0 * relative.std() / np.sqrt(len(relative))


def test_lifetimes(experiment):
    """tau is exponential, KS p > 1e-4, and knows nothing of the kinematics; fails if a random number is used twice."""
    tau = experiment.events.columns["tau"]
    assert ks_probability(-np.expm1(-tau)) > 1e-4
    c = experiment.events.columns
    k_T = np.hypot(c["S_px"], c["S_py"])
    for other in (c["x"], c["E_mu"], c["t"], c["S_px"] / k_T, c["S_py"] / k_T):
        assert abs(np.corrcoef(tau, other)[0, 1]) < 4.5 / np.sqrt(len(tau))


def test_decay_positions(experiment):
    """The decay lies tau L_S along S at the reference coupling, 1e-9; fails if L_S is that of another energy."""
    c, card = experiment.events.columns, experiment.card
    m_S = experiment.events.metadata["mass_gev"]
    width = Boson(card, experiment.events.metadata["model"], m_S).width(experiment.events.metadata["reference_g_mu"])
    p = _momenta(c, "S")[:3]
    momentum = np.sqrt(np.sum(p**2, axis=0))
    L_S = momentum * decay_length(float(c["S_E"][0]), m_S, width) / np.sqrt(c["S_E"][0] ** 2 - m_S**2)
    for axis, component in zip("xyz", p, strict=True):
        expected = c[f"vertex_{axis}_cm"] + component / momentum * c["tau"] * L_S
        np.testing.assert_allclose(c[f"decay_{axis}_cm"], expected, rtol=1e-9, atol=1e-9)


def test_weights(experiment):
    """The weights sum to the yield of the metadata, 1e-12, and all but 1e-3 are equal; fails at a second convention."""
    w, meta = experiment.events.columns["weight"], experiment.events.metadata
    assert w.sum() == pytest.approx(meta["yield_per_muon"], rel=1e-12, abs=0.0)
    assert np.mean(w > w.min() * (1.0 + 1e-12)) < 1e-3
    produced = Estimate(meta["yield_per_muon"], meta["yield_error"], len(w))
    expected = yield_per_muon(Source(experiment.card), meta["mass_gev"])
    assert abs(produced.pull(expected.value)) < 4.0
    assert meta["yield_error"] < 2e-3 * meta["yield_per_muon"]
    assert meta["unweighting_efficiency"] > 0.6
