"""What docs/hand-over.md says of files that a simulation reads: places, times, which particles to follow."""

from __future__ import annotations

import numpy as np
import pylhe
import pytest

from mcgen import InputError, generate, load, reweight, with_weights
from mcgen.base import pdg
from mcgen.base.constants import MM_PER_NS
from mcgen.cli import main
from mcgen.events.export import export

pyhepmc = pytest.importorskip("pyhepmc")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return generate("fermilab", 0.1, 200, output=tmp_path_factory.mktemp("hand_over") / "e.root", force_decay=True)


def followed(path):
    """(place in mm, time, PDG number, energy) of what Geant4's readers make primaries: status 1 at its own vertex."""
    with pyhepmc.open(path) as stream:
        return [
            [
                (np.array([*map(float, (v.position.x, v.position.y, v.position.z))]), v.position.t, p.pid, p.momentum.e)
                for v in event.vertices
                for p in v.particles_out
                if p.status == 1 and not p.end_vertex
            ]
            for event in stream
        ]


def test_primaries(file, tmp_path):
    """Muon and nucleus start where S is made, e+ e- where it decays, later by its flight; fails for a wrong unit."""
    columns = file.read().columns
    events = followed(export(file, tmp_path / "e.hepmc3"))
    assert len(events) == 200
    for i, event in enumerate(events):
        first = int(columns["decay_pdg"][i])
        assert [number for _, _, number, _ in event] == [-13, 1000741840, first, int(pdg.second_daughter(first))]
        (made, t_made, *_), (decay, t_decay, *_) = event[0], event[2]
        assert made[2] == pytest.approx(10.0 * columns["vertex_z_cm"][i])
        assert decay[2] == pytest.approx(10.0 * columns["decay_z_cm"][i])
        way, speed = np.linalg.norm(decay - made), np.sqrt(1.0 - (0.1 / columns["S_E"][i]) ** 2)
        assert t_decay - t_made == pytest.approx(way / speed)
        assert sum(E for *_, E in event[2:]) == pytest.approx(columns["S_E"][i])


def test_times_in_ns(file, tmp_path, capsys):
    """Times over c, and the file says so; fails if places change too, or if the next export keeps the unit."""
    path, own = tmp_path / "e.hepmc3", str(file.path)
    assert main(["export", own, "-o", str(path), "--time-unit", "ns"]) == 0
    plain = followed(export(file, tmp_path / "plain.hepmc3"))
    for one, two in zip(followed(path), plain, strict=True):
        for a, b in zip(one, two, strict=True):
            assert np.array_equal(a[0], b[0])
            assert a[1] == pytest.approx(b[1] / MM_PER_NS, rel=1e-15)
    with pyhepmc.open(path) as stream:
        assert next(iter(stream)).run_info.attributes["time_unit"].astype(str) == "ns"
    lifetimes = []
    for unit in ("mm", "ns"):
        text = export(load(path), tmp_path / f"{unit}.lhe", time_unit=unit)
        lifetimes.append([event.particles[4].lifetime for event in pylhe.LHEFile.fromfile(text).events])
    assert np.array(lifetimes[0]) == pytest.approx(MM_PER_NS * np.array(lifetimes[1]), rel=1e-15)
    assert "time_unit" not in load(tmp_path / "mm.lhe").metadata
    with pytest.raises(InputError, match="time_unit is for HepMC3 and Les Houches files"):
        export(file, tmp_path / "e.parquet", time_unit="ns")
    capsys.readouterr()


@pytest.mark.filterwarnings("ignore::mcgen.analysis.reweight.LowStatisticsWarning")
def test_what_the_sum_of_weights_is_good_for(file, tmp_path):
    """The words in a file give N_S at the reference coupling, or all S made; fails if they name another coupling."""
    plain = generate("fermilab", 0.1, 200, output=tmp_path / "plain.root")
    for events, words in ((file, "at g_mu = reference_g_mu alone"), (plain, "all S made")):
        path = export(events, tmp_path / f"{words}.hepmc3")
        with pyhepmc.open(path) as stream:
            found = list(stream)
        about = {key: str(value) for key, value in found[0].run_info.attributes.items()}
        text, _, counted = about["signal_events"].partition(":")
        assert text == "beam_particles * g_mu^2 * sum of the first weights"
        assert words in counted
        assert words in export(events, tmp_path / f"{words}.lhe").read_text()
        total = sum(event.weights[0] for event in found)
        if events is file:
            g = float(about["reference_g_mu"])
            n = float(about["beam_particles"]) * g**2 * total
            assert n == pytest.approx(reweight(events, "A", g).n_signal[0].value, rel=1e-12)
        else:
            assert total == pytest.approx(events.metadata["yield_per_muon"], rel=1e-12)


def test_forced_decays_of_another_mediator(file, tmp_path):
    """Others decay elsewhere than the scalar whose decays were forced; fails if their weights go into the file."""
    with pytest.raises(InputError, match="mediator=pseudoscalar': is of another mediator, which decays otherwise"):
        export(with_weights(file, ["mediator=pseudoscalar"]), tmp_path / "e.lhe")
    with pytest.raises(InputError, match=r"mediator=vector': .* vector decays at other angles"):
        with_weights(file, ["mediator=vector"])
    path = export(with_weights(file, ["form_factor=helm"]), tmp_path / "e.parquet")
    schema = pytest.importorskip("pyarrow.parquet").read_schema(path)
    assert schema.field("E_mu").metadata[b"description"] == b"E_mu [GeV], energy of the muon at the interaction"
    assert b"form_factor=helm" in schema.field("weight_1").metadata[b"description"]
