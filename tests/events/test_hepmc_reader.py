"""HepMC files read back: those of mcgen bit for bit, others as pyhepmc writes them."""

import gzip
import io
import json
import random
import warnings

import numpy as np
import pytest
from thin_card import CARD

from mcgen import export, generate, load, load_card, reweight
from mcgen.base.errors import InputError
from mcgen.card.card import parse_card
from mcgen.cli import main
from mcgen.generation.library import scatterings
from mcgen.source.source import Source

pyhepmc = pytest.importorskip("pyhepmc")
pytestmark = [
    pytest.mark.usefixtures("samplers_kept"),
    pytest.mark.filterwarnings("ignore::mcgen.analysis.reweight.LowStatisticsWarning"),
]

E_BEAM, M_S, M_MU, M_W = 3.0, 0.1, 0.1056583755, 171.24585696
SIGMA, ERROR, EVENTS = 3.26e8, 1e5, 40


@pytest.fixture(scope="module")
def card():
    return parse_card(CARD)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    return generate(load_card("fermilab"), M_S, 300, output=tmp_path_factory.mktemp("own") / "own.root", decays=True)


@pytest.fixture(scope="module")
def columns(card):
    (chunk,) = scatterings(Source(card).process(M_S), Source(card).targets[0], E_BEAM, EVENTS, 1)
    return chunk


def _event(columns, i, unit="GEV", length="MM", weights=(SIGMA,), sigma=(SIGMA, ERROR), decayed=False):
    """An event as another generator makes it, in any unit: the numbers are in GeV and converted by pyhepmc."""
    event = pyhepmc.GenEvent(pyhepmc.Units.GEV, pyhepmc.Units.MM)
    event.event_number = i

    def particle(name, pdg, status, mass):
        p = [float(columns[f"{name}_{x}"][i]) for x in ("px", "py", "pz", "E")] if name else [0.0, 0.0, 0.0, mass]
        made = pyhepmc.GenParticle(pyhepmc.FourVector(*p), pdg, status)
        made.generated_mass = mass
        return made

    vertex = pyhepmc.GenVertex(pyhepmc.FourVector(1.0, 2.0, 30.0, 31.0))
    vertex.add_particle_in(particle("mu_in", -13, 4, M_MU))
    vertex.add_particle_in(particle("", 1000741840, 4, M_W))
    vertex.add_particle_out(particle("mu_out", -13, 1, M_MU))
    vertex.add_particle_out(particle("N_out", 1000741840, 1, M_W))
    S = particle("S", 54, 2 if decayed else 1, M_S)
    vertex.add_particle_out(S)
    event.add_vertex(vertex)
    if decayed:  # into two of half its momentum: kinematics of the decay do not count
        # a vertex without a place has no line in HepMC3
        decay = pyhepmc.GenVertex(pyhepmc.FourVector(*(1.0, 2.0, 60.0, 61.0) if i % 3 else (0.0,) * 4))
        decay.add_particle_in(S)
        half = pyhepmc.FourVector(*(0.5 * float(columns[f"S_{x}"][i]) for x in ("px", "py", "pz", "E")))
        for pdg in (11, -11):
            decay.add_particle_out(pyhepmc.GenParticle(half, pdg, 1))
        event.add_vertex(decay)
    event.weights = list(weights)
    if sigma:
        event.cross_section = pyhepmc.GenCrossSection()
        event.cross_section.set_cross_section(*sigma)
    event.set_units(getattr(pyhepmc.Units, unit), getattr(pyhepmc.Units, length))
    return event


def _written(path, events, form="HepMC3", names=None, precision=None):
    """The events in a file."""
    run = pyhepmc.GenRunInfo()
    run.weight_names = names or ["w"]
    text = io.BytesIO()
    with pyhepmc.open(text, "w", format=form, precision=precision) as file:
        for event in events:
            event.run_info = run
            file.write(event)
    content = text.getvalue()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("ending", [".hepmc3", ".hepmc3.gz", ".hepmc.zst"])
def test_own_files_come_back(own, tmp_path, ending):
    """Every column of a file of mcgen comes back with its hash; fails if a lifetime or a last digit is lost."""
    file = load(export(own, tmp_path / f"a{ending}"))
    there = own.read().columns
    for name, column in file.read().columns.items():
        assert np.array_equal(column, there[name]), name
    assert set(file.branches) == set(there)
    assert file.content_sha256() == own.metadata["content_sha256"]
    assert reweight(file, "A", [1e-4]).n_signal == reweight(own, "A", [1e-4]).n_signal


def test_own_files_keep_the_standard(own, tmp_path):
    """The columns are an attribute that other programs pass over; fails if pyhepmc does not find its particles."""
    path = export(own, tmp_path / "a.hepmc3")
    with pyhepmc.open(path) as file:
        events = list(file)
    there = own.read().columns
    assert len(events) == len(own)
    assert [event.particles[4].momentum.px for event in events] == there["S_px"].tolist()
    assert str(events[7].attributes["mcgen"]).startswith("event 7 weight ")


def test_changed_own_file(own, tmp_path):
    """A number of a file of mcgen that was changed is seen; fails without the hash of each branch."""
    path = export(own, tmp_path / "a.hepmc3")
    lines = path.read_text(encoding="utf-8").splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("P 5 "))
    cells = lines[at].split(" ")
    cells[4] = f"{1.001 * float(cells[4]):.17e}"
    lines[at] = " ".join(cells)
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    with pytest.raises(InputError, match="branch S_px is not what was written"):
        load(path).read()


@pytest.mark.parametrize("form", ["HepMC3", "HepMC2"])
@pytest.mark.parametrize(("unit", "length"), [("GEV", "MM"), ("MEV", "CM"), ("MEV", "MM")])
def test_units_and_versions(columns, card, tmp_path, form, unit, length):
    """MeV, cm and both versions give the same columns in GeV; fails if a unit is not asked for."""
    events = [_event(columns, i, unit, length, decayed=i % 2) for i in range(EVENTS)]
    file = load(_written(tmp_path / "a.hepmc.gz", events, form), card=card)
    found = file.read().columns
    for name in ("mu_out_px", "S_pz", "S_E", "N_out_py", "t", "x", "mu_in_E"):
        assert found[name] == pytest.approx(columns[name], rel=1e-9, abs=1e-12), name
    assert found["weight"].sum() == pytest.approx(SIGMA, rel=1e-12)
    assert file.metadata["norm_relative_error"] == pytest.approx(ERROR / SIGMA)
    assert file.metadata["boson_pdg"] == 54
    expected = 1e-8 * SIGMA * 1e-36 * np.mean(columns["S_E"] > E_BEAM / 3)
    assert reweight(file, "B", [1e-4]).sigma_tilde[0][0].value == pytest.approx(expected, rel=1e-6)


def test_weights(columns, card, tmp_path):
    """The weight called nominal counts, and the last cross section; fails if the first ones are taken."""
    events = [
        _event(columns, i, weights=(7.0, 1.0 + i % 2), sigma=(SIGMA * (1 + 1 / (i + 1)), ERROR)) for i in range(EVENTS)
    ]
    file = load(_written(tmp_path / "a.hepmc3", events, names=["up", "nominal"]), card=card)
    weight = file.read().columns["weight"]
    assert weight[1] == pytest.approx(2.0 * weight[0], rel=1e-12)
    assert weight.sum() == pytest.approx(SIGMA * (1 + 1 / EVENTS), rel=1e-12)
    assert not file.metadata["unweighted"]


def test_few_digits(columns, card, tmp_path):
    """Files of seven digits are read; fails if the rounding of a generator counts as a broken law."""
    events = [_event(columns, i) for i in range(EVENTS)]
    file = load(_written(tmp_path / "a.hepmc3", events, precision=6), card=card)
    assert file.read().columns["S_E"] == pytest.approx(columns["S_E"], rel=1e-6)


def test_refused(columns, card, tmp_path):
    """What is missing or wrong is one line; fails if another mass or no cross section goes through."""
    for name, how, words in (
        ("card", {}, "--card"),
        ("sigma", {"sigma": None}, "says no cross section (GenCrossSection)"),
        ("weights", {"weights": (-1.0,)}, "not positive"),
    ):
        path = _written(tmp_path / f"{name}.hepmc3", [_event(columns, i, **how) for i in range(3)])
        with pytest.raises(InputError) as error:
            load(path, card=None if name == "card" else card)
        assert words in str(error.value)
        assert "\n" not in str(error.value)
    with pytest.raises(InputError, match=r"mass of S is 0\.1, and 0\.2 GeV"):
        load(path, card=parse_card(CARD.replace("100 MeV", "200 MeV")))


@pytest.mark.parametrize("form", ["HepMC3", "HepMC2", "own"])
def test_damage(own, columns, card, tmp_path, form):
    """Any damage is refused or changes nothing that counts; fails for another error, or if memory is read at random."""
    path = tmp_path / "a.hepmc3"
    if form == "own":
        export(own, path)
        path.write_bytes(b"".join(path.read_bytes().partition(b"E 12 ")[:1]) + b"HepMC::Asciiv3-END_EVENT_LISTING\n")
    else:
        _written(path, [_event(columns, i, decayed=i % 2) for i in range(6)], form)
    whole, rng, refused = path.read_bytes(), random.Random(5), 0
    for _ in range(150):
        content = bytearray(whole)
        at = rng.randrange(len(content))
        content[at : at + rng.choice((0, 1, 1, 40))] = rng.choice(
            (b"", b"9", b"\n", b"x", b" ", b"-", bytes(content[:at][-60:]))
        )
        path.write_bytes(content)
        try:
            load(path, card=None if form == "own" else card).read()
        except InputError:
            refused += 1
    assert refused > 75


@pytest.mark.parametrize("form", ["HepMC3", "HepMC2"])
def test_cut_anywhere(columns, card, tmp_path, capfd, form):
    """A file that was cut is refused wherever, in silence; fails if pyhepmc's early end counts as the end."""
    path = _written(tmp_path / "a.hepmc", [_event(columns, i) for i in range(5)], form)
    content = path.read_bytes()
    capfd.readouterr()
    for part in (0.3, 0.5, 0.77, 0.9, 1.0 - 30 / len(content)):
        path.write_bytes(content[: int(part * len(content))])
        with pytest.raises(InputError, match="damaged or cut short"):
            load(path, card=card)
    path.write_bytes(gzip.compress(content)[:-40])
    with pytest.raises(InputError, match="damaged or cut short"):
        load(path, card=card)
    assert capfd.readouterr() == ("", "")


def test_commands(columns, tmp_path, capsys):
    """The commands take a HepMC file with its experiment; fails if one of them knows LHE alone."""
    path = _written(tmp_path / "a.hepmc3", [_event(columns, i) for i in range(EVENTS)])
    card = tmp_path / "thin.toml"
    card.write_text(CARD, encoding="utf-8")
    out = tmp_path / "a.root"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert main(["export", str(path), "-o", str(out), "--card", str(card)]) == 0
        capsys.readouterr()
        found = []
        for command in (["reweight", str(path), "--card", str(card), "--json"], ["reweight", str(out), "--json"]):
            assert main(command) == 0
            found.append(json.loads(capsys.readouterr().out)["sigma_tilde"])
    assert found[0] == found[1]
    assert found[0][0]["target"] == "W"
