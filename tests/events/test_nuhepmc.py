"""Rules of NuHepMC 1.0.0, by their labels, in what pyhepmc reads of a file; the table is in validation/README.md."""

import json

import pyhepmc
import pytest
from conftest import REFERENCE

from mcgen import export, generate, load, load_card, with_weights
from mcgen.base.errors import InputError
from mcgen.card.card import parse_card
from mcgen.cli import main

pytestmark = pytest.mark.usefixtures("samplers_kept")

#: what G.R.4 may signal and what these files follow
FOLLOWED = {"G.C.1", "G.C.2", "G.C.3", "G.C.5", "E.C.2", "E.C.3", "E.C.4", "E.C.5", "G.S.2"}
C = 2.99792458e11  # mm/s


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Steel, so that there are several processes, with decays and a wide beam."""
    text = load_card("fermilab").text.replace('"W" ', '"steel"').replace('n_atom = "6.3e22 /cm3"', "")
    card = parse_card(text.replace('spot = "0 cm"', 'spot = "1 cm"'))
    return generate(card, 0.1, 300, output=tmp_path_factory.mktemp("nu") / "events.root", decays=True)


def _read(path):
    with pyhepmc.open(path) as stream:
        return list(stream)


@pytest.fixture(scope="module")
def events(file):
    path = file.path.with_suffix(".hepmc3")
    assert main(["export", str(file.path), "-o", str(path), "--layout", "nuhepmc", "--weight", "form_factor=helm"]) == 0
    return _read(path)


@pytest.fixture(scope="module")
def run(events):
    """Reader of an attribute of the run as a type; KeyError if it is not there."""
    parsed = {}

    def read(name, kind):
        if name not in parsed:  # pyhepmc gives an attribute as a type once
            parsed[name] = events[0].run_info.attributes[f"NuHepMC.{name}"].astype(kind)
        return parsed[name]

    return read


def test_version_and_tools(events, run):
    """G.R.1 to G.R.4; fails if a number is a text, or a label promises what is not there."""
    assert [run(f"Version.{part}", int) for part in ("Major", "Minor", "Patch")] == [1, 0, 0]
    assert all(tool.name and tool.version for tool in events[0].run_info.tools)
    assert set(run("Conventions", list[str])) == FOLLOWED


def test_cross_sections(file, events, run):
    """G.R.5, G.R.6, G.C.1, G.C.2, E.C.2 to E.C.4: one cross section in pb, everywhere; fails for another unit."""
    assert (run("Units.CrossSection.Unit", str), run("Units.CrossSection.TargetScale", str)) == ("pb", "PerAtom")
    average = run("FluxAveragedTotalCrossSection", float)
    assert average == pytest.approx(file.metadata["exposure"]["cross_section_pb"], rel=1e-6)
    assert 0.0 < run("FluxAveragedTotalCrossSectionUncertainty", float) < 1e-2 * average
    assert run("Exposure.POT", float) == load_card("fermilab").beam.particles_on_target
    names = events[0].run_info.weight_names
    for event in events:
        found = event.cross_section
        assert found.xsec() == pytest.approx(average, rel=1e-8)
        assert found.xsec(len(names) - 1) > 0.0  # as many as there are weights
        sigma = float(str(event.attributes["tot_xs"]))
        assert (
            sigma == float(str(event.attributes["proc_xs"])) == float(str(event.attributes["struck_nucleus_sigma_pb"]))
        )


def test_weights(file, events):
    """G.R.7: the weight CV is there and is the event's; fails if it is still called nominal."""
    assert events[0].run_info.weight_names == ["CV", "form_factor=helm"]
    assert [event.weight("CV") for event in events] == file.read().columns["weight"].tolist()


@pytest.mark.parametrize("what", ["Process", "VertexStatus", "ParticleStatus"])
def test_numbers_are_explained(events, run, what):
    """G.R.8 to G.R.10, E.R.3: each number in the file has a name and a description; fails for one that has none."""
    used = {
        "Process": {int(str(event.attributes["signal_process_id"])) for event in events},
        "VertexStatus": {vertex.status for event in events for vertex in event.vertices},
        "ParticleStatus": {particle.status for event in events for particle in event.particles},
    }
    listed = run(f"{what}IDs", list[int])
    assert used[what] == set(listed)
    for number in listed:
        assert run(f"{what}Info[{number}].Name", str)
        assert run(f"{what}Info[{number}].Description", str)
    assert what != "Process" or "Fe" in " ".join(run(f"ProcessInfo[{number}].Name", str) for number in listed)


def test_boson(run):
    """G.R.11, G.C.3, G.C.5: the boson has a name and its mass; fails if the number is another one."""
    assert run("AdditionalParticleNumbers", list[int]) == [54]
    assert run("AdditionalParticleNumber[54].Name", str) == "S"
    assert "0.1 GeV" in run("AdditionalParticleInfo[54].Description", str)
    assert run("Citations.Generator.arXiv", list[str]) == ["1701.07437"]


def test_events(file, events):
    """E.R.2, E.R.4 to E.R.7, V.R.1, P.R.1: place and time in the laboratory, one beam, one target, one primary vertex.

    Fails if the place is in cm, or if the nucleus at rest counts as a second beam.
    """
    columns = file.read().columns
    assert len({event.event_number for event in events}) == len(events)
    for i, event in enumerate(events):
        assert (event.momentum_unit, event.length_unit) == (pyhepmc.Units.GEV, pyhepmc.Units.MM)
        *place, time = event.attributes["lab_pos"].astype(list[float])
        assert place == pytest.approx([10.0 * columns[f"vertex_{axis}_cm"][i] for axis in "xyz"], rel=1e-15)
        (primary,) = (vertex for vertex in event.vertices if vertex.status == 1)
        assert all(vertex.status in (1, 21) for vertex in event.vertices)
        assert time * C == pytest.approx(primary.position.t, rel=1e-12)
        (beam,) = (particle for particle in event.particles if particle.status == 4)
        (target,) = (particle for particle in event.particles if particle.status == 20)
        assert (beam.pid, target.momentum.length()) == (-13, 0.0)
        assert {particle.id for particle in primary.particles_in} == {beam.id, target.id}


def test_forced_and_foreign(tmp_path):
    """Forced decays keep their factors, and events of one energy promise no exposure; fails if one is refused."""
    plain = generate(load_card("fermilab"), 0.1, 50, output=tmp_path / "events.root")
    path = export(with_weights(plain, ["form_factor=helm"]), tmp_path / "f.hepmc3", force_decay=True, layout="nuhepmc")
    event = _read(path)[0]
    assert event.run_info.weight_names == ["CV", "weight", "decay_weight", "form_factor=helm"]
    assert event.weight("CV") == pytest.approx(event.weights[1] * event.weights[2], rel=1e-15)
    foreign = load(REFERENCE / "madgraph_W_1GeV_mS0.1.lhe.gz", card=load_card("fermilab"))
    run = _read(export(foreign, tmp_path / "m.hepmc3", layout="nuhepmc"))[0].run_info
    assert set(run.attributes["NuHepMC.Conventions"].astype(list[str])) == FOLLOWED - {"G.C.1"}
    assert "NuHepMC.Exposure.POT" not in run.attributes
    assert json.loads(run.attributes["mcgen"].astype(str))["n_events"] == len(foreign)


def test_plain_files_stay(file, tmp_path):
    """Without the layout nothing of it is in a file; fails if two programs disagree on what the second beam is."""
    event = _read(export(file, tmp_path / "plain.hepmc3"))[0]
    assert [particle.status for particle in event.particles][:2] == [4, 4]
    assert event.run_info.weight_names == ["nominal"]
    assert not any(name.startswith("NuHepMC") for name in event.run_info.attributes)
    with pytest.raises(InputError, match=r"layout nuhepmc is for \.hepmc3 files"):
        export(file, tmp_path / "a.lhe", layout="nuhepmc")
    assert [path.name for path in tmp_path.iterdir()] == ["plain.hepmc3"]
