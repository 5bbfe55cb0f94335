"""Events on electrons, S from either line: closure, momenta, parts of |M|^2, other models and charges."""

from __future__ import annotations

import math

import numpy as np
import pyhepmc
import pylhe
import pytest

from mcgen import generate, load, n_signal, reweight, with_weights
from mcgen.base.constants import M_E, M_MU
from mcgen.base.errors import InputError
from mcgen.base.rng import INTEGRATION
from mcgen.card.card import parse_card
from mcgen.events.export import export
from mcgen.generation.both_lines import channels
from mcgen.generation.lattice import build_lattice, integrate
from mcgen.physics.boson.couplings import Couplings
from mcgen.physics.emission.cross_section import sigma
from mcgen.source.source import Source
from mcgen.source.track import linear

CARD = """name = "muone"
[beam]
particle = "{particle}"
energy = "{E} GeV"
particles_on_target = 1e15
[target]
process = "{process}"
material = "Be"
length = "1.5 cm"
energy_loss = "none"
[detector]
signature = "missing-energy"
L_det = "1 m"
x_min = 0.05
[scalar]
mass = "{m_S} GeV"
mediator = "{mediator}"
model = "{model}"
g_mu = 1e-4
"""


def _card(E, m_S, mediator, model, particle="mu-", process="electron"):
    return parse_card(CARD.format(E=E, m_S=m_S, mediator=mediator, model=model, particle=particle, process=process))


SETTINGS = [
    (1.0, 0.003, "scalar", "B", "mu+"),
    (8.0, 0.01, "axial", "Lmu-Ltau", "mu+"),
    (160.0, 0.01, "pseudoscalar", "B", "mu+"),
    (5000.0, 0.01, "vector", "Lmu-Ltau", "mu+"),
    (8.0, 0.01, "vector", "dark-photon", "mu-"),
    (20.0, 0.06, "vector", "dark-photon", "mu-"),
    (160.0, 0.1, "vector", "dark-photon", "mu+"),
    (160.0, 0.001, "scalar", "A", "mu+"),
    (1500.0, 0.3, "axial", "dark-photon", "mu+"),
]


@pytest.mark.parametrize(("E", "m_S", "mediator", "model", "particle"), SETTINGS)
def test_closure(E, m_S, mediator, model, particle):
    """24 seeds scatter about the quadrature as their errors say; at least 0.6 of the points are kept, 1e-3 overweight.

    Fails if a channel misses a region, counts one twice, or leaves out the interference, 14 % at 160 GeV.
    """
    process = Source(_card(E, m_S, mediator, model, particle)).process(m_S)
    exact, error = sigma(E, process)
    parts = [(channel, build_lattice(linear(E, E), channel)) for channel in channels(process)]
    n, pulls = 1 << 16, []
    whole = kept = 0.0
    for seed in range(24):
        value, variance = 0.0, error * error
        for channel, lattice in parts:
            f, f2, cut, _ = (x / n for x in integrate(lattice, channel, np.uint64(seed), np.uint64(INTEGRATION), 0, n))
            value += lattice.total * f
            variance += lattice.total**2 * (f2 - f * f) / n
            whole += lattice.total * f
            kept += lattice.total * cut
        pulls.append((value - exact) / math.sqrt(variance))
    assert abs(np.mean(pulls)) < 0.6
    assert 0.65 < np.std(pulls, ddof=1) < 1.35
    assert kept > 0.6 * 24 * sum(lattice.total for _, lattice in parts)
    assert 1.0 - kept / whole < 1e-3


@pytest.fixture(scope="module")
def dark_photons():
    """100000 events of mu- on beryllium, nuclei and electrons, with S from either line."""
    card = _card(160.0, 0.1, "vector", "dark-photon", process="all")
    return card, generate(card, events=100_000, seed=5)


def test_momenta(dark_photons):
    """Four-momenta balance and lie on their mass shells, t is 2 m_e T; fails if a channel keeps its own frame."""
    _, events = dark_photons
    struck = events.columns["target_A"] == 0.0
    c = {name: column[struck] for name, column in events.columns.items()}
    assert 10_000 < struck.sum() < 90_000
    for part in ("px", "py", "pz", "E"):
        before = c[f"mu_in_{part}"] + (M_E if part == "E" else 0.0)
        after = c[f"mu_out_{part}"] + c[f"S_{part}"] + c[f"N_out_{part}"]
        np.testing.assert_allclose(after, before, rtol=0.0, atol=1e-12)
    for name, mass in (("mu_out", M_MU), ("S", 0.1), ("N_out", M_E)):
        p2 = sum(c[f"{name}_p{axis}"] ** 2 for axis in "xyz")
        np.testing.assert_allclose(p2 + mass**2, c[f"{name}_E"] ** 2, rtol=1e-10)
    np.testing.assert_allclose(c["t"], 2.0 * M_E * (c["N_out_E"] - M_E), rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(c["x"], c["S_E"] / c["E_mu"], rtol=1e-14)


def test_unweighted(dark_photons):
    """Weights are equal but for a few in 1e4, and the yield in bins of t is that of the quadrature.

    Fails if the interference is a weight of its own, or the t of one channel is that of the other line.
    """
    _, events = dark_photons
    weight = events.columns["weight"]
    assert np.mean(weight > weight.min() * (1.0 + 1e-12)) < 1e-3
    meta = events.metadata
    assert abs(meta["pull"]) < 4.0
    assert meta["pull_t_worst"] < 4.0
    assert meta["unweighting_efficiency"] > 0.6
    assert meta["overweight_fraction"] < 1e-3


def test_parts(dark_photons):
    """The three parts make 1 at the file's own couplings; of nuclei the first alone; fails if a sign is lost."""
    _, events = dark_photons
    c = events.columns
    np.testing.assert_allclose(c["part_mu"] + c["part_e"] + c["part_mix"], 1.0, rtol=0.0, atol=1e-12)
    nuclei = c["target_A"] > 0.0
    assert set(c["part_mu"][nuclei]) == {1.0}
    assert set(c["part_e"][nuclei]) == {0.0}
    assert np.mean(c["part_mix"][~nuclei]) < -0.1  # destructive for mu-


@pytest.mark.parametrize(
    ("model", "particle"),
    [
        ("dark-photon", "mu-"),
        ("dark-photon", "mu+"),
        ("Lmu-Ltau", "mu-"),
        (Couplings(-1e-7, 1e-7, 0.0), "mu-"),
        (Couplings(2e-7, 1e-7, 1e-7), "mu+"),
    ],
)
def test_other_models(dark_photons, model, particle):
    """One file answers for other couplings to electrons and the other charge as the quadrature of their own card does.

    Fails if a part is scaled by the wrong power of a coupling, or the charge turns the sign of a square.
    """
    card, events = dark_photons
    g_mu = 1e-7
    (found,) = reweight(events, model, g_mu, particle=particle).n_signal
    other = _card(160.0, 0.1, "vector", "dark-photon", particle, "all")
    exact = n_signal(other, model, 0.1, g_mu)
    assert abs(found.pull(exact.value)) < 4.0
    assert found.error < 0.02 * found.value
    assert found.n_eff > 5_000
    own = n_signal(card, "dark-photon", 0.1, g_mu).value
    assert exact.value != own or (model, particle) == ("dark-photon", "mu-")


def test_other_mediator(dark_photons):
    """An axial boson from vectors, nuclei and both lines together; fails if its parts stay those of the vector."""
    card, events = dark_photons
    found = reweight(events, "dark-photon", 1e-7, mediator="axial").n_signal[0]
    axial = _card(160.0, 0.1, "axial", "dark-photon", "mu-", "all")
    assert abs(found.pull(n_signal(axial, "dark-photon", 0.1, 1e-7).value)) < 4.0
    back = reweight(events, "Lmu-Ltau", 1e-7, mediator="axial").n_signal[0]
    assert abs(back.pull(n_signal(axial, "Lmu-Ltau", 0.1, 1e-7).value)) < 4.0
    assert card.scalar.mediator == "vector"


def test_through_files(dark_photons, tmp_path):
    """A struck electron is final, 11, in HepMC3 and LHE as their own readers have it, and the parts come back.

    An alternative weight has the parts of its own mediator. Fails if a format takes the electron for a nucleus, or
    drops a part.
    """
    card, _ = dark_photons
    few = generate(card, events=1_000, seed=1, output=tmp_path / "events.root")
    expected = reweight(few, "Lmu-Ltau", 1e-7, particle="mu+").n_signal[0]
    for ending in ("hepmc3", "lhe", "h5", "parquet"):
        file = export(few, tmp_path / f"events.{ending}")
        found = reweight(load(str(file)), "Lmu-Ltau", 1e-7, particle="mu+").n_signal[0]
        assert found.value == pytest.approx(expected.value, rel=1e-12)
    with pyhepmc.open(str(tmp_path / "events.hepmc3")) as stream:
        ends = [[(p.pid, p.momentum.e) for p in event.particles if p.status == 1] for event in stream]
    struck = few.read().columns["target_A"] == 0.0
    electrons = [dict(end).get(11, 0.0) for end in ends]
    np.testing.assert_allclose(np.array(electrons)[struck], few.read().columns["N_out_E"][struck], rtol=1e-12)
    assert [any(number == 11 for number, _ in end) for end in ends] == struck.tolist()
    *_, last = pylhe.LHEFile.fromfile(str(tmp_path / "events.lhe")).events
    assert (int(last.particles[3].id) == 11) == bool(struck[-1])
    weighted = export(with_weights(few, ["mediator=axial"]), tmp_path / "weighted.lhe")
    one = reweight(load(str(weighted)), "Lmu-Ltau", 1e-7, weight="mediator=axial").n_signal[0]
    assert one.value == pytest.approx(reweight(few, "Lmu-Ltau", 1e-7, mediator="axial").n_signal[0].value, rel=1e-9)
    with pytest.raises(InputError, match=r"target.process: libraries for G4DarkBreM are .* on nuclei"):
        export(few, tmp_path / "events.csv")


def test_not_sampled(dark_photons):
    """What was not sampled is refused in one line, and so are files without the parts."""
    muons = generate(_card(160.0, 0.1, "vector", "Lmu-Ltau"), events=1_000, seed=1)
    assert "part_e" not in muons.columns
    with pytest.raises(InputError, match=r"dark-photon.*Lmu-Ltau have no S from their line"):
        reweight(muons, "dark-photon", 1e-7)
    with pytest.raises(InputError, match=r"model explicit.*have no S"):
        reweight(muons, Couplings(1e-8, 1e-7, 0.0))
    card, _ = dark_photons
    few = generate(card, events=1_000, seed=1, branches=["E_mu", "depth_cm", "S_E"])
    assert reweight(few, "dark-photon", 1e-7).n_signal[0].value > 0.0
    with pytest.raises(InputError, match=r"Lmu-Ltau.*needs part_mu, part_e, part_mix"):
        reweight(few, "Lmu-Ltau", 1e-7)
