"""Events of a lepton that changes its flavour: momenta, decays, every format, N_S, and Monte Carlo by quadrature."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from thin_card import CARD

from mcgen import load, load_card
from mcgen.analysis.alternatives import with_weights
from mcgen.analysis.constraints import NotDrawnWarning, ShownBoson, constraints
from mcgen.analysis.crosscheck import crosscheck
from mcgen.analysis.reach import reach
from mcgen.analysis.reweight import reweight
from mcgen.base import pdg
from mcgen.base.constants import M_E, M_MU, M_TAU
from mcgen.base.errors import InputError
from mcgen.card.card import parse_card
from mcgen.cli import main
from mcgen.events.export import export
from mcgen.events.exposure import coupling_name, reference_couplings
from mcgen.events.formats.particles import particles
from mcgen.generation.generate import generate
from mcgen.generation.library import library
from mcgen.physics.boson.couplings import FLAVOUR
from mcgen.physics.boson.two_body import daughters
from mcgen.quadrature.yields import n_signal
from mcgen.source.source import checked


def card_of(name, m_S, *, couples=True, **boson):
    """A card of the package for another lepton; without `couples` S has no decay and is not seen."""
    card = load_card(name)
    change = {"mass": m_S} | ({} if couples else {"invisible": 0.5})
    return checked(card.model_copy(update={"scalar": card.scalar.model_copy(update=change)}).with_boson(**boson))


@pytest.fixture(scope="module")
def emu():
    """Decays into e mu, of mu+ -> e+."""
    return generate(card_of("fermilab", 0.2, out_lepton="e", model=FLAVOUR), 0.2, 3_000, decays=True)


def _four(columns, name):
    return np.array([columns[f"{name}_{part}"] for part in ("px", "py", "pz", "E")])


def _mass2(v):
    return v[3] ** 2 - (v[:3] ** 2).sum(axis=0)


@pytest.mark.parametrize(
    ("name", "m_S", "out", "m_out"),
    [("na64", 0.01, "tau", M_TAU), ("fermilab", 0.2, "e", M_E), ("orsay", 0.2, "mu", M_MU)],
)
def test_momenta(name, m_S, out, m_out):
    """The outgoing lepton has its mass and all momenta balance; fails if the kernel puts the beam's on the shell."""
    card = card_of(name, m_S, couples=False, out_lepton=out, model=FLAVOUR)
    c = generate(card, m_S, 2_000).columns
    lepton, S, hit = (_four(c, part) for part in ("mu_out", "S", "N_out"))
    np.testing.assert_allclose(_mass2(lepton), m_out**2, atol=1e-12 * (lepton[3] ** 2).max())
    np.testing.assert_allclose(_mass2(S), m_S**2, atol=1e-12 * (S[3] ** 2).max())
    M = particles(c, card, m_S)[1].mass
    balance = lepton + S + hit - _four(c, "mu_in")
    balance[3] -= M
    assert np.abs(balance).max() < 1e-9 * c["E_mu"].max()


def test_numbers_and_masses(emu):
    """The list of particles says e+ for mu+, and each daughter its number and mass; fails if both have one mass."""
    c, card = emu.columns, parse_card(emu.metadata["card"])
    beam, _, out, _, _, first, second = particles(c, card, 0.2)
    assert (beam.pdg, out.pdg, out.mass) == (-13, -11, M_E)
    assert set(zip(first.pdg.tolist(), second.pdg.tolist(), strict=True)) == {(11, -13), (-11, 13)}
    for particle, m in ((first, M_E), (second, M_MU)):
        assert set(particle.mass.tolist()) == {m}
        momentum = np.array(particle.momentum)
        np.testing.assert_allclose(_mass2(momentum), m * m, atol=1e-13 * (momentum[3] ** 2).max())
    np.testing.assert_allclose(_four(c, "d1") + _four(c, "d2"), _four(c, "S"), rtol=1e-12, atol=1e-12)
    particle = {"e-": 11, "mu+": -13}
    for beam_name, number in (("mu-", 15), ("mu+", -15), ("e-", 15)):
        assert pdg.changed(pdg.BEAMS[beam_name], "tau") == number, particle


def test_both_charges(emu):
    """Half of the decays are e- mu+, 5 sigma; fails if S decays to one charge state alone."""
    codes = emu.columns["decay_pdg"]
    assert set(codes.tolist()) == {1113, -1113}
    assert abs((codes > 0).mean() - 0.5) < 2.5 / np.sqrt(codes.size)


def test_decay_is_isotropic(emu):
    """Energies of the electron are even between the two ends of its range, 4 sigma; fails for the wrong E* or q*."""
    c = emu.columns
    S = _four(c, "S")
    ends = [np.array([daughters(tuple(p), 0.2, M_E, M_MU, z, 0.0)[0][3] for p in S.T.tolist()]) for z in (-1.0, 1.0)]
    at = (c["d1_E"] - ends[0]) / (ends[1] - ends[0])
    assert at.min() >= -1e-9
    assert at.max() <= 1.0 + 1e-9
    assert abs(at.mean() - 0.5) < 4.0 / np.sqrt(12.0 * at.size)
    assert abs((at**2).mean() - 1.0 / 3.0) < 4.0 * np.sqrt(4.0 / 45.0 / at.size)


@pytest.mark.parametrize(
    ("ending", "how"),
    [
        (".lhe", {}), (".hepmc3", {}), (".hepmc3", {"layout": "nuhepmc"}), (".parquet", {}), (".lheh5", {}),
        (".root", {"layout": "particles"}), (".root", {"rntuple": True}),
    ],
)  # fmt: skip
def test_formats(tmp_path, ending, how):
    """Every format gives the columns back bit for bit, `decay_pdg` of both charges too; fails if one is lost."""
    path = tmp_path / "events.root"
    card = card_of("fermilab", 0.2, out_lepton="e", mediator="vector", parity_angle=30.0, model=FLAVOUR)
    generate(card, 0.2, 400, decays=True, output=path)
    export(path, tmp_path / f"other{ending}", **how)
    one, two = load(path), load(tmp_path / f"other{ending}")
    assert two.metadata["content_sha256"] == one.metadata["content_sha256"]
    assert two.content_sha256() == one.content_sha256()


def test_text_formats_name_the_lepton(tmp_path):
    """LHE and HepMC hold tau+ of its mass after mu+; fails if the beam's number or mass is written."""
    path = tmp_path / "e.root"
    generate(card_of("na64", 0.01, couples=False, out_lepton="tau", model=FLAVOUR), 0.01, 20, output=path)
    export(path, tmp_path / "e.lhe")
    export(path, tmp_path / "e.hepmc3", layout="nuhepmc")
    lines = [line.split() for line in (tmp_path / "e.lhe").read_text().splitlines() if line.startswith(" -15 ")]
    assert len(lines) == 20
    assert all(float(line[10]) == M_TAU for line in lines)
    text = (tmp_path / "e.hepmc3").read_text()
    assert "mu+ Pb -> tau+ Pb S" in text
    assert text.count(" -15 ") == 20


def test_events_of_another_generator(tmp_path):
    """LHE without our header is mu N -> tau N S of a card that says so, and refused by one that does not.

    Fails if the outgoing lepton must be the beam's, or its mass is not looked at.
    """
    thin = parse_card(CARD.replace("[scalar]", "[scalar]\ninvisible = 0.5"))
    card = thin.with_boson(out_lepton="tau", model=FLAVOUR)
    path, plain = tmp_path / "e.root", tmp_path / "plain.lhe"
    events = generate(card, 0.1, 300, output=path)
    export(path, tmp_path / "e.lhe")
    lines = (tmp_path / "e.lhe").read_text().split("<init>")[1].splitlines(keepends=True)
    text = "<LesHouchesEvents version='3.0'>\n<init>" + "".join(line for line in lines if not line.startswith("#"))
    plain.write_text(text)
    other = load(plain, card=card)
    assert other.metadata.samples[0].sigma == pytest.approx(events.metadata["exposure"]["cross_section_pb"], rel=0.02)
    found, expected = (next(iter(one.iterate(["mu_out_E"])))["mu_out_E"] for one in (other, events))
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    with pytest.raises(InputError, match=r"outgoing lepton is -15 of 1.77686 GeV, and -13"):
        load(plain, card=thin)
    plain.write_text(text.replace("\n -15 ", "\n -11 "))
    with pytest.raises(InputError, match=r"outgoing lepton is -11 of 1.77686 GeV, and -15"):
        load(plain, card=card)
    plain.write_text(text.replace(" 1.7768600000000001 ", " 1.5 "))
    with pytest.raises(InputError, match=r"outgoing lepton|do not agree"):
        load(plain, card=card)


def test_no_library(tmp_path):
    """A library for G4DarkBreM has one lepton before and after: refused; fails if a tau is written as a muon."""
    card = card_of("na64", 0.01, couples=False, out_lepton="tau", model=FLAVOUR)
    with pytest.raises(InputError, match="stays what it is"):
        library(card, tmp_path / "l.csv", events=10)
    path = tmp_path / "e.root"
    generate(card, 0.01, 20, output=path)
    with pytest.raises(InputError, match="stays what it is"):
        export(path, tmp_path / "e.csv")


def test_closure():
    """N_S of events at other couplings meets the quadrature, 4 sigma; fails if weights are per another coupling."""
    card = card_of("fermilab", 0.2, out_lepton="e", flavour_coupling=1e-3)
    g = [1e-6, 1e-5]
    found = reweight(generate(card, 0.2, 20_000), "B", g).n_signal
    for n, exact in zip(found, n_signal(card, "B", 0.2, g), strict=True):
        assert exact.value > 0.0
        assert abs(n.value - exact.value) < 4.0 * n.error + 1e-3 * exact.value


def test_another_boson_of_the_same_events():
    """Events of a scalar, weighted anew as of a vector, have the vector's yield, 4 sigma; fails for equal masses."""
    card = card_of("na64", 0.5, couples=False, out_lepton="tau", model=FLAVOUR)
    other = with_weights(generate(card, 0.5, 20_000), ["mediator=vector"])
    w = np.concatenate([chunk["weight_1"] for chunk in other.iterate(["weight_1"])])
    expected = generate(card.with_boson("vector"), 0.5, 100).metadata["yield_quadrature"]
    assert abs(w.sum() - expected) < 4.0 * np.sqrt((w * w).sum()) + 1e-3 * expected


def test_reach():
    """Missing energy is bounded by what is made; half the coupling needs twice g_mu. Fails if the ratio is left out."""
    card = card_of("na64", 0.1, couples=False, out_lepton="tau", model=FLAVOUR)
    lines = [reach(one, [FLAVOUR], [0.1])[0] for one in (card, card.with_boson(flavour_coupling=0.5))]
    assert lines[1].g_low == pytest.approx(2.0 * lines[0].g_low, rel=1e-3)


def test_no_limits_of_others():
    """Eq. 3 and the other limits are of couplings that keep the lepton: none is drawn; fails if one is."""
    card = card_of("na64", 0.1, couples=False, out_lepton="tau", model=FLAVOUR)
    names = ["g2-bnl", "e137", "babar"]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert constraints(names, [0.1], ShownBoson.of(card.scalar), ["A", FLAVOUR]) == []
    assert sum(issubclass(w.category, NotDrawnWarning) for w in said) == len(names)


def test_methods():
    """N_S takes WW for a heavier lepton, no IWW, and neither for a lighter one; crosscheck has what holds."""
    heavy = card_of("na64", 0.1, couples=False, out_lepton="tau", model=FLAVOUR)
    exact, ww = (n_signal(heavy, FLAVOUR, 0.1, 1e-3, method).value for method in ("exact", "ww"))
    assert ww == pytest.approx(exact, rel=1e-3)
    with pytest.raises(InputError, match="allowed: exact, ww"):
        n_signal(heavy, FLAVOUR, 0.1, 1e-3, "iww")
    light = card_of("na64", 0.2, couples=False, out_lepton="e", model=FLAVOUR)
    with pytest.raises(InputError, match="allowed: exact"):
        n_signal(light, FLAVOUR, 0.2, 1e-3, "ww")
    (row,) = crosscheck(heavy, 0.1, 160.0, points=20_000)
    assert (row.sigma_iww_pb, abs(row.pull) < 4.0) == (0.0, True)
    assert row.sigma_ww_pb == pytest.approx(row.sigma_exact_pb, rel=1e-3)


def test_couplings_have_names():
    """Weights are per unit of the coupling that changes the lepton, and files say so; fails if they say g_mu."""
    card = card_of("na64", 0.1, couples=False, out_lepton="tau", model=FLAVOUR, flavour_coupling=0.5)
    assert coupling_name(card) == "g_mu_tau"
    assert reference_couplings(card) == {"reference_g_mu": 5e-4, "reference_g_mu_tau": 2.5e-4}
    assert coupling_name(load_card("na64")) == "g_mu"


@pytest.mark.parametrize("command", ["generate", "run", "reach", "crosscheck"])
def test_options(command, tmp_path, capsys):
    """--out-lepton and its companions are on each command that chooses a boson; fails if one ignores them."""
    boson = ["--out-lepton", "tau", "--parity-angle", "90", "--flavour-coupling", "0.5"]
    more = {
        "generate": ["-o", tmp_path / "e.root", "--events", 50, "--mass", "2 GeV", "--model", "flavour"],
        "run": ["-o", tmp_path / "run", "--events", 500, "--model", "A"],
        "reach": ["--mass", "0.1", "--model", "flavour"],
        "crosscheck": ["--mass", "2 GeV", "--energy", "160"],
    }[command]
    (tmp_path / "unseen.toml").write_text(card_of("na64", 0.1, couples=False).text)
    card = str(tmp_path / "unseen.toml") if command == "reach" else "na64"
    assert main([command, card, *boson, *map(str, more), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    if command in ("generate", "run"):
        path = tmp_path / ("e.root" if command == "generate" else "run/events.root")
        scalar = load(path).card.scalar
        assert (scalar.out_lepton, scalar.parity_angle, scalar.flavour_coupling) == ("tau", 90.0, 0.5)
    elif command == "reach":
        assert said[0]["g_low"] > 0.0
    else:
        assert said[0]["sigma_exact_pb"] < 1e6


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["generate", "na64", "-o", "e.root", "--out-lepton", "e"], "0.1051474"),
        (["generate", "na64", "-o", "e.root", "--model", "flavour"], "no model of mediator"),
        (["generate", "fermilab", "-o", "e.root", "--out-lepton", "tau", "--mass", "2 GeV"], "above threshold"),
        (["reach", "--events", "e.root", "--out-lepton", "tau"], "--out-lepton: a file has its own boson"),
    ],
)
def test_refused_options(arguments, said, capsys, tmp_path, monkeypatch):
    """What cannot be is one line and exit status 2; fails if a file of it is made."""
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "m_S", "boson"),
    [
        ("na64", 0.01, {"out_lepton": "tau"}),
        ("na64", 0.11, {"out_lepton": "e", "mediator": "axial"}),
        ("fermilab", 0.2, {"out_lepton": "e", "parity_angle": 45.0}),
        ("e137", 0.3, {"out_lepton": "mu", "mediator": "vector"}),
        ("e137", 1.0, {"out_lepton": "tau", "mediator": "pseudoscalar"}),
    ],
)
def test_monte_carlo(name, m_S, boson):
    """24 seeds against the quadrature: mean pull within 0.6, width 0.65 to 1.35, efficiency 0.6 at overweight 1e-3.

    Fails if a map leaves a peak without points.
    """
    card = card_of(name, m_S, couples=False, model=FLAVOUR, **boson)
    made = [generate(card, m_S, 4_000, seed).metadata for seed in range(1, 25)]
    pulls = np.array([one["pull"] for one in made])
    assert abs(pulls.mean()) < 0.6
    assert 0.65 < pulls.std(ddof=1) < 1.35
    assert min(one["unweighting_efficiency"] for one in made) > 0.6
    assert max(one["overweight_fraction"] for one in made) < 1e-3
