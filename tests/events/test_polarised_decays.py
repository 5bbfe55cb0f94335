"""Decays of vectors and axial vectors in events: their angles follow the spin density of the production."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from kinematic_points import cases
from thin_card import CARD

from mcgen import export, generate, load, load_card, reweight, with_weights
from mcgen.base.constants import M_E, M_MU, M_PI, M_TAU
from mcgen.base.errors import InputError
from mcgen.card.card import card_text, parse_card
from mcgen.cli import main
from mcgen.events import polarisation as decay_frames
from mcgen.events.branches import POINT
from mcgen.events.decays import CHANNELS, Channel, DecayModel, daughters_of, decay_law
from mcgen.events.polarisation import polarisation
from mcgen.physics.boson.polarised_decay import ISOTROPIC
from mcgen.physics.boson.two_body import frame
from mcgen.physics.emission.amplitude import transverse_momentum
from mcgen.physics.emission.four_momenta import four_momenta, tilt
from mcgen.physics.emission.kinematics import emission
from mcgen.physics.matter.materials import ELEMENTS
from mcgen.physics.polarisation import spin_density
from mcgen.search.search import Search
from mcgen.source.boson import Boson
from mcgen.source.source import Source, source_of
from mcgen.source.targets import nucleus

pytestmark = pytest.mark.usefixtures("samplers_kept")
MADGRAPH = Path(__file__).parents[2] / "validation/reference/madgraph_W_1GeV_mS0.1.lhe.gz"
SPIN_1 = pytest.mark.parametrize("mediator", ["vector", "axial"])
N = 60_000


def _made(mediator, name="fermilab", m_S=0.1, events=N, model=None, **how):
    return generate(load_card(name, mediator, model), m_S, events, seed=5, **({"decays": True} | how))


def _vectors(c, name):
    return np.array([c[f"{name}_p{axis}"] for axis in "xyz"]).T


def directions(c, m_S):
    """n of the first daughter on x', y', z', by a boost along the flight, from the columns alone."""
    p, k, d = (_vectors(c, name) for name in ("mu_in", "S", "d1"))
    momentum = np.linalg.norm(k, axis=1)
    z = k / momentum[:, None]
    y = np.cross(p, k)
    y /= np.linalg.norm(y, axis=1)[:, None]
    x = np.cross(y, z)
    along = np.sum(d * z, axis=1)
    at_rest = (c["S_E"] * along - momentum * c["d1_E"]) / m_S
    n = np.array([np.sum(d * x, axis=1), np.sum(d * y, axis=1), at_rest])
    return n / np.linalg.norm(n, axis=0)


def matrix(c, mediator, m_S=0.1, name="fermilab"):
    """rho of each event, from the spin density at the point that the columns say."""
    card = load_card(name, mediator)
    found = polarisation(c, Boson(card, card.scalar.model, m_S))[:6]
    return np.array([[found[0], found[3], found[4]], [found[3], found[1], found[5]], [found[4], found[5], found[2]]])


def pulls(n, rho, a, c):
    """Pulls of the six moments n_i n_j against their means in a law, delta/3 - (c/(3a - c)) (2/5) (rho - delta/3)."""
    found = []
    for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)):
        delta = float(i == j) / 3.0
        apart = n[i] * n[j] - (delta - 0.4 * c / (3.0 * a - c) * (rho[i, j] - delta))
        found.append(apart.mean() / apart.std() * math.sqrt(apart.size))
    return np.array(found)


@SPIN_1
@pytest.mark.parametrize(("name", "m_S"), [("fermilab", 0.1), ("fermilab", 0.3), ("na64", 0.02)])
def test_moments_follow_the_spin_density(mediator, name, m_S):
    """All moments of the daughters within 4 sigma, muons slow in the boson's frame too, electron beams as well.

    Fails for isotropic daughters, for a frame that is not the helicity frame of the laboratory, for the sign of rho_xz.
    """
    events = _made(mediator, name, m_S)
    c = events.columns
    rho = matrix(c, mediator, m_S, name)
    n = directions(c, m_S)
    for number in np.unique(c["decay_pdg"]):
        mine = c["decay_pdg"] == number
        channel = next(channel for channel in CHANNELS if channel.pdg == number)
        law = decay_law(mediator == "axial", channel, m_S)
        assert np.abs(pulls(n[:, mine], rho[:, :, mine], *law)).max() < 4.0
        if mine.sum() > 20_000 and law.c > 0.5:  # the test can tell
            assert np.abs(pulls(n[:, mine], rho[:, :, mine], *ISOTROPIC)).max() > 5.0
    np.testing.assert_allclose(_vectors(c, "d1") + _vectors(c, "d2"), _vectors(c, "S"), rtol=0.0, atol=1e-12 * 160.0)
    np.testing.assert_allclose(c["d1_E"] + c["d2_E"], c["S_E"], rtol=1e-12)


def test_wrong_frames_are_seen():
    """A mirrored x', and x' and y' exchanged, are off by more than 10 sigma; fails if any frame will do."""
    c = _made("vector").columns
    rho, n = matrix(c, "vector"), directions(c, 0.1)
    law = decay_law(False, CHANNELS[0], 0.1)
    assert np.abs(pulls(n * np.array([[-1.0], [1.0], [1.0]]), rho, *law)).max() > 10.0
    assert np.abs(pulls(n[[1, 0, 2]], rho, *law)).max() > 10.0


def _columns(case, azimuth, n_x, n_y):
    """The branches of an event at a point, the beam tilted and turned."""
    process = case.process
    e = emission(case.E, process.m, process.m, process.m_S, process.M, case.E_S, case.one_minus_cos_theta)
    q_perp = transverse_momentum(e, case.t, case.t_minus_tmin)
    phi = math.cos(case.phi_q), math.sin(case.phi_q)
    _, S, hit = four_momenta(e, case.E, process.M, case.one_minus_cos_theta, case.t, q_perp, *phi)
    row = {"E_mu": case.E, "S_E": case.E_S, "t": case.t}
    for name, four in (("mu_in", (0.0, 0.0, e.p, case.E)), ("S", S), ("N_out", hit)):
        x, y, z, energy = four
        turned = np.array(
            [math.cos(azimuth) * x - math.sin(azimuth) * y, math.sin(azimuth) * x + math.cos(azimuth) * y, z, energy]
        )
        tilt(turned, n_x, n_y)
        row |= {f"{name}_p{axis}": value for axis, value in zip("xyz", turned, strict=False)}
    return row


@SPIN_1
def test_the_point_of_an_event_is_not_lost(mediator, monkeypatch):
    """rho from rounded momenta of a tilted beam is that of the point: median 1e-13, 1e-6 at the 99th percentile.

    Fails if t - t_min comes from the rounded t, or phi_q from the outgoing lepton.
    """
    apart = []
    card = load_card("fermilab", mediator)
    boson = Boson(card, card.scalar.model, 0.1)
    for i, case in enumerate(cases(1500, seed=41, mediator=mediator)):
        target = next(t for t in map(nucleus, ELEMENTS.values()) if t.M == case.process.M)
        known = {target: case.process}
        monkeypatch.setattr(decay_frames, "known_processes", lambda *_, known=known: known)
        row = _columns(case, 0.1 * i, 1e-3 * math.cos(i), 1e-3 * math.sin(i))
        row |= {"target_Z": target.Z, "target_A": target.A}
        found = polarisation({name: np.array([row[name]]) for name in POINT}, boson)[:6, 0]
        expected = np.array(spin_density(*case.arguments, mediator == "axial"))
        apart.append(np.abs(found - expected / expected[:3].sum()).max())
    assert np.median(apart) < 1e-12
    assert np.quantile(apart, 0.99) < 1e-6
    assert max(apart) < 1e-2


@pytest.mark.parametrize("k", [(0.3, -0.2, 1.0), (0.1, 0.4, -2.0)])
def test_the_frame_of_daughters(k):
    """The axes that daughters are drawn on are a right-handed frame; fails if phi is counted the other way."""
    n, u, v = (np.array(axis) for axis in frame(*k, float(np.linalg.norm(k))))
    np.testing.assert_allclose(np.cross(u, v), n, atol=1e-15)
    np.testing.assert_allclose(n * np.linalg.norm(k), k, rtol=1e-15)


@pytest.mark.parametrize("how", [{"chunk": 777}, {"workers": 2, "chunk": 5000}])
def test_daughters_do_not_depend_on_chunks(how):
    """Same seed and event, same daughters, in any chunk and thread; fails if the rejection shares random numbers."""
    plain, other = _made("vector", events=4000), _made("vector", events=4000, **how)
    assert plain.metadata["content_sha256"] == other.metadata["content_sha256"]


def test_spin_0_is_isotropic_as_before():
    """Files of a scalar do not know the law; fails if its daughters or metadata change."""
    scalar = generate(load_card("fermilab"), 0.1, 2000, decays=True)
    other = generate(load_card("fermilab", isotropic=True), 0.1, 2000, decays=True)
    assert scalar.metadata["content_sha256"] == other.metadata["content_sha256"]
    assert "decay_law" not in scalar.metadata


def test_isotropic_switch(tmp_path):
    """With `--isotropic` daughters are isotropic, all else is the same, and files say so; fails if it is forgotten."""
    path = tmp_path / "e.root"
    options = [
        "--mass",
        "100MeV",
        "--events",
        "20000",
        "--seed",
        "5",
        "--mediator",
        "vector",
        "--decays",
        "--isotropic",
    ]
    assert main(["generate", "fermilab", "-o", str(path), *options]) == 0
    file, polarised = load(path), _made("vector", events=20_000)
    assert file.metadata["decay_law"] == "isotropic"
    assert polarised.metadata["decay_law"] == "polarised"
    assert parse_card(file.metadata["card"]).scalar.decay_law == "isotropic"
    c = file.read().columns
    np.testing.assert_array_equal(c["S_px"], polarised.columns["S_px"])
    n = directions(c, 0.1)
    assert np.abs(pulls(n, matrix(c, "vector"), *ISOTROPIC)).max() < 4.0
    accepted = np.mean(c["d1_px"] == polarised.columns["d1_px"])
    assert accepted == pytest.approx(2.0 / 3.0, abs=0.02)  # the first direction, if the law takes it
    plain = generate(load_card("fermilab", "vector"), 0.1, 2000, output=tmp_path / "plain.root")
    for isotropic, law in ((True, "isotropic"), (False, "polarised")):
        made = load(export(plain, tmp_path / f"{law}.root", decays=True, isotropic=isotropic))
        assert made.metadata["decay_law"] == law
        assert parse_card(made.metadata["card"]).scalar.decay_law == law
    with pytest.raises(InputError, match="isotropic: is for daughters that are added"):
        export(plain, tmp_path / "none.root", isotropic=True)


@pytest.mark.parametrize(("mediator", "m_S"), [("vector", 0.1), ("axial", 0.01)])
def test_share_of_hard_daughters(mediator, m_S):
    """Both daughters above 0.2 E_X, over isotropic: 0.925 for V of 0.1 GeV, 1.28 for A of 10 MeV, 3 GeV on tungsten.

    Fails for isotropic decays, or where V and A are exchanged.
    """
    share = {}
    for isotropic in (False, True):
        card = parse_card(CARD.replace('"tsai"', '"paper"')).with_boson(mediator, isotropic=isotropic)
        c = generate(card, m_S, N, seed=6, decays=True).columns
        share[isotropic] = np.mean(np.minimum(c["d1_E"], c["d2_E"]) > 0.2 * c["S_E"])
    assert share[True] == pytest.approx(0.6, abs=0.01)
    assert share[False] / share[True] == pytest.approx({"vector": 0.9248, "axial": 1.2848}[mediator], abs=0.012)


def test_channels():
    """Pions have that of spin 0, neutrinos that of one helicity; photons, and hadrons of an axial vector, have none."""
    by_number = {channel.pdg: channel for channel in CHANNELS}
    for mediator in ("vector", "axial"):
        assert decay_law(mediator == "axial", by_number[14], 0.3) == (1.0, 1.0)
        assert decay_law(mediator == "axial", by_number[22], 0.3) == ISOTROPIC
    assert decay_law(False, by_number[13], 0.3).c == pytest.approx(1.0 - 4.0 * M_MU**2 / 0.09, rel=1e-14)
    assert decay_law(True, by_number[13], 0.3) == (1.0, 1.0)
    assert decay_law(False, by_number[11], 0.1).c == pytest.approx(1.0 - 4.0 * M_E**2 / 0.01, rel=1e-14)
    both = decay_law(False, Channel(1315, M_MU, M_TAU), 2.5), decay_law(True, Channel(1315, M_MU, M_TAU), 2.5)
    assert both[0].c == pytest.approx(1.0 - ((M_MU + M_TAU) / 2.5) ** 2, rel=1e-14)
    assert both[1].c == pytest.approx(1.0 - ((M_MU - M_TAU) / 2.5) ** 2, rel=1e-14)
    assert decay_law(False, by_number[211], 0.5) == (0.0, -1.0)
    assert decay_law(True, by_number[211], 0.5) == ISOTROPIC


def test_pions_and_neutrinos_of_events():
    """Moments of V -> pi pi and V -> nu nubar, 4 sigma; fails if the amplitude of spinless daughters is not n.eps."""
    for model, m_S, numbers, law in (
        ("dark-photon", 0.75, (211,), (0.0, -1.0)),
        ("Lmu-Ltau", 0.1, (14, 16), (1.0, 1.0)),
    ):
        c = _made("vector", m_S=m_S, model=model, events=30_000).columns
        mine = np.isin(c["decay_pdg"], numbers)
        assert mine.mean() > 0.3
        rho, n = matrix(c, "vector", m_S), directions(c, m_S)
        assert np.abs(pulls(n[:, mine], rho[:, :, mine], *law)).max() < 4.0
        assert np.abs(pulls(n[:, mine], rho[:, :, mine], *ISOTROPIC)).max() > 10.0
        if model == "dark-photon":
            d = _vectors(c, "d1")[mine]
            np.testing.assert_allclose(c["d1_E"][mine] ** 2 - np.sum(d * d, axis=1), M_PI**2, rtol=1e-9)


def _on_electrons(model, process="electron"):
    text = CARD.replace('"3 GeV"', '"160 GeV"').replace("[target]", f'[target]\nprocess = "{process}"')
    text = text.replace('"100 MeV"', '"10 MeV"').replace('form_factor = "tsai"', "")
    return parse_card(text).with_boson("vector", model)


@pytest.mark.parametrize("mediator", ["vector", "axial"])
def test_struck_electrons(mediator):
    """Decays of a boson from the beam's line alone follow the spin density on a target of spin 1/2, 4 sigma.

    Fails if the electron is taken for a nucleus of its mass: its current has a magnetic part.
    """
    card = parse_card(_on_electrons("Lmu-Ltau").text).with_boson(mediator)
    model = card.scalar.model if mediator == "axial" else "Lmu-Ltau"
    events = generate(card.with_boson(mediator, model), 0.01, N, seed=5, decays=True)
    boson = Boson(events_card := parse_card(events.metadata["card"]), events_card.scalar.model, 0.01)
    assert events.metadata["decay_law"] == "polarised"
    c = events.columns
    rho, n = polarisation(c, boson)[[[0, 3, 4], [3, 1, 5], [4, 5, 2]]], directions(c, 0.01)
    for number in np.unique(c["decay_pdg"]):
        mine = c["decay_pdg"] == number
        law = decay_law(mediator == "axial", next(channel for channel in CHANNELS if channel.pdg == number), 0.01)
        assert np.abs(pulls(n[:, mine], rho[:, :, mine], *law)).max() < 4.0


def test_unknown_spin_densities_are_isotropic():
    """Where the boson may come from the electron's line too decays are isotropic, and metadata say so.

    Fails for the spin density of the beam's line alone.
    """
    events = generate(_on_electrons("dark-photon"), 0.01, 3000, seed=5, decays=True)
    assert events.metadata["decay_law"] == "isotropic"
    c, card = events.columns, parse_card(events.metadata["card"])
    boson = Boson(card, card.scalar.model, 0.01)
    np.testing.assert_array_equal(polarisation(c, boson)[:6], np.array([[1 / 3] * 3 + [0.0] * 3] * 3000).T)
    rho = np.broadcast_to(np.eye(3)[:, :, None] / 3, (3, 3, 3000))
    assert np.abs(pulls(directions(c, 0.01), rho, *ISOTROPIC)).max() < 4.0
    both = _on_electrons("dark-photon", "all")
    how = DecayModel(Boson(both, "dark-photon", 0.01), Search.of(both), 1e-4, 5)
    assert how.law_on(Source(both).targets) == "polarised, but isotropic on e-"
    collider = load_card("babar-tautau", "vector")
    how = DecayModel(Boson(collider, collider.scalar.model, 0.5), Search.of(collider), 1e-4, 5)
    assert how.law_on(source_of(collider).targets) == "isotropic"


def test_weights_of_another_mediator_are_refused(tmp_path):
    """Daughters of a vector are no daughters of a scalar, stored or to be added; fails if they keep their angles."""
    plain, made = _made("vector", events=500, decays=False), _made("vector", events=500)
    with pytest.raises(InputError, match="scalar decays at other angles"):
        with_weights(made, ["mediator=scalar"])
    with pytest.raises(InputError, match="axial decays at other angles"):
        export(with_weights(plain, ["mediator=axial"]), tmp_path / "e.lhe", decays=True)
    assert "weight_1" in with_weights(plain, ["mediator=axial"]).branches
    assert "weight_1" in with_weights(made, ["form_factor=helm"]).branches
    isotropic = generate(load_card("fermilab", "vector", isotropic=True), 0.1, 500, decays=True)
    assert "weight_1" in with_weights(isotropic, ["mediator=axial"]).branches


#: far away and with a cut on the energy
FAR = """[detector]
signature = "displaced"
L_det = "3 m"
geometry = "3d"
radius = "20 cm"
E_daughter_min = "0.3 GeV"
daughters = "{daughters}"

[scalar]
"""


def _far(mediator, daughters, isotropic=False):
    head, rest = card_text("fermilab").split("[detector]")
    tail = rest.split("[scalar]")[1].replace("g_mu = 5e-4", "g_mu = 6e-7")
    return parse_card(head + FAR.format(daughters=daughters) + tail).with_boson(mediator, isotropic=isotropic)


def _thrown(card, c, mediator, throws=40):
    """N_S by throwing decays of each event, isotropic ones with the density of their law as a weight, and its error."""
    rng = np.random.default_rng(11)
    detector, g = card.detector, card.scalar.g_mu
    back = card.target.length + detector.gap + detector.L_det
    low = back - detector.L_det
    p, k = _vectors(c, "mu_in"), _vectors(c, "S")
    momentum = np.linalg.norm(k, axis=1)
    z = k / momentum[:, None]
    y = np.cross(p, k)
    y /= np.linalg.norm(y, axis=1)[:, None]
    frame = np.array([np.cross(y, z), y, z])
    rho = matrix(c, mediator) if card.scalar.decay_law == "polarised" else None
    boson = Boson(card, card.scalar.model, 0.1)
    mean = momentum * boson.length_per_momentum(g)
    span = 800.0  # in cm, of which the detector sees the last 300
    found = np.zeros(momentum.size)
    for _ in range(throws):
        path = rng.uniform(0.0, span, momentum.size)
        chance = span / mean * np.exp(-path / mean)
        place = np.array([c[f"vertex_{a}_cm"] for a in "xyz"]) + path * z.T
        inside = (place[2] > low) & (place[2] < back) & (np.hypot(place[0], place[1]) <= 20.0)
        cosine, phi = rng.uniform(-1.0, 1.0, momentum.size), rng.uniform(0.0, 2.0 * math.pi, momentum.size)
        sine = np.sqrt(1.0 - cosine**2)
        n = np.array([sine * np.cos(phi), sine * np.sin(phi), cosine])
        law = 1.0 if rho is None else 1.5 * (1.0 - np.einsum("in,ijn,jn->n", n, rho, n))
        hits = []
        for sign in (1.0, -1.0):  # massless electrons
            along = 0.5 * (c["S_E"] * sign * cosine + momentum)
            d = along[:, None] * z + 0.05 * sign * (n[0][:, None] * frame[0] + n[1][:, None] * frame[1])
            way = (back - place[2]) / d[:, 2]
            energy = 0.5 * (c["S_E"] + momentum * sign * cosine)
            at = np.hypot(place[0] + way * d[:, 0], place[1] + way * d[:, 1])
            hits.append((d[:, 2] > 0.0) & (at <= 20.0) & (energy >= 0.3))
        seen = np.any(hits, axis=0) if detector.daughters == "any" else np.all(hits, axis=0)
        found += chance * law * (inside & seen) / throws
    signal = card.beam.particles_on_target * g**2 * c["weight"] * found
    return signal.sum(), math.sqrt(signal.size * np.var(signal))


@pytest.mark.parametrize(("mediator", "daughters"), [("vector", "both"), ("axial", "both"), ("vector", "any")])
def test_detectors_of_a_shape(mediator, daughters):
    """N_S of forced decays and of files meets decays that are thrown with the law as a weight, 4 sigma.

    Polarised and isotropic decays differ; fails if N_S in 3-D draws daughters otherwise than files.
    """
    n_signal = {}
    for isotropic in (False, True):
        card = _far(mediator, daughters, isotropic)
        events = generate(card, 0.1, N, seed=5, force_decay=True, workers=2)
        c, g = events.columns, card.scalar.g_mu
        forced = card.beam.particles_on_target * g**2 * np.sum(c["weight"] * c["decay_weight"])
        (found,) = reweight(events, card.scalar.model, [g]).n_signal
        assert forced == pytest.approx(found.value, rel=1e-9)
        value, error = _thrown(card, c, mediator)
        assert abs(found.value - value) < 4.0 * math.hypot(error, found.error)
        n_signal[isotropic] = found.value, math.hypot(error, found.error)
        if not isotropic:
            (switched,) = reweight(events, card.scalar.model, [g], isotropic=True).n_signal
    assert switched.value == pytest.approx(n_signal[True][0], rel=1e-12)
    ratio = n_signal[False][0] / n_signal[True][0]
    assert (ratio < 0.97) if (mediator, daughters) == ("vector", "both") else (abs(ratio - 1.0) > 0.02)


def test_missing_branches():
    """Events without the momenta that fix the point are refused by name; fails for isotropic daughters."""
    c = _made("vector", events=100).columns
    card = load_card("fermilab", "vector")
    how = DecayModel(Boson(card, card.scalar.model, 0.1), Search.of(card), 1e-4, 5)
    few = {name: column for name, column in c.items() if not name.startswith("N_out")}
    with pytest.raises(InputError, match="decays of spin 1: the events lack N_out_px, N_out_py, N_out_pz"):
        daughters_of(few, how)


@pytest.mark.filterwarnings("ignore::mcgen.analysis.reweight.LowStatisticsWarning")
def test_events_of_others_are_isotropic():
    """Vectors of another generator decay isotropically in a 3-D detector: they may be no points of this phase space.

    Fails if the spin density of a nucleus of spin 0 is taken for whatever they scattered on.
    """
    card = _far("vector", "both")
    own = generate(card, 0.1, 3000, seed=5)
    found = [reweight(own, "dark-photon", [6e-7], isotropic=isotropic).n_signal[0].value for isotropic in (False, True)]
    assert found[0] != found[1]
    foreign = load(MADGRAPH, card=card)
    rows = [
        [one.value for one in reweight(foreign, "dark-photon", [6e-7], isotropic=isotropic).sigma_tilde[0]]
        for isotropic in (False, True)
    ]
    assert rows[0] == rows[1]
    assert sum(rows[0]) > 0.0


@pytest.mark.parametrize(("mediator", "angle"), [("vector", 0.0), ("axial", 0.0), ("vector", 90.0), ("vector", 45.0)])
def test_flavour_change(mediator, angle):
    """X of mu -> tau decays by the spin density of unequal masses, 4 sigma; a vector at 90 degrees is axial.

    A mixture of both is isotropic, and metadata say so. Fails if the outgoing lepton is a muon for the spin density.
    """
    text = CARD.replace('"3 GeV"', '"160 GeV"').replace('"100 MeV"', '"3 GeV"').replace('"B"', '"flavour"')
    text = text.replace("[scalar]", '[scalar]\nout_lepton = "tau"')
    card = parse_card(text).with_boson(mediator, "flavour", parity_angle=angle)
    events = generate(card, 3.0, 40_000, seed=4, decays=True)
    c, known = events.columns, angle != 45.0
    assert events.metadata["decay_law"] == ("polarised" if known else "isotropic")
    assert set(np.unique(c["decay_pdg"])) == {-1315, 1315}
    law = decay_law(mediator == "axial" or angle == 90.0, Channel(1315, M_MU, M_TAU), 3.0)
    rho = polarisation(c, Boson(card, "flavour", 3.0))[[[0, 3, 4], [3, 1, 5], [4, 5, 2]]]
    n = directions(c, 3.0)
    assert np.abs(pulls(n, rho, *law)).max() < 4.0
    assert (np.abs(pulls(n, rho, *ISOTROPIC)).max() > 6.0) == known
