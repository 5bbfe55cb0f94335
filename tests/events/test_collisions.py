"""Events of colliders in files of other programs, read by these programs' own readers."""

from __future__ import annotations

import json

import numpy as np
import pyhepmc
import pylhe
import pytest
import uproot

from mcgen import export, generate, generate_folder, load, merge, reach_from_events, reweight
from mcgen.base.constants import M_TAU
from mcgen.base.errors import InputError
from mcgen.cli import main

N = 1500


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Taus at Belle II with the daughters of S."""
    path = tmp_path_factory.mktemp("collider") / "events.root"
    return generate("belle2-tautau", 0.1, N, 3, decays=True, output=path)


def test_hepmc(file, tmp_path):
    """pyhepmc finds e- of 7 and e+ of 4 GeV, undecayed taus of both charges, S and its daughters; momentum balances.

    Fails for a beam at rest, for two taus of one charge, or for a decay at another place.
    """
    n = 0
    with pyhepmc.open(str(export(file, tmp_path / "e.hepmc3"))) as stream:
        for event in stream:
            n += 1
            by_status = {s: [p for p in event.particles if p.status == s] for s in (4, 2, 1)}
            assert [p.pid for p in by_status[4]] == [11, -11]
            assert [p.pid for p in by_status[2]] == [54]
            assert [p.pid for p in by_status[1]] == [15, -15, 11, -11]
            for part in ("px", "py", "pz", "e"):
                before, after = (sum(getattr(p.momentum, part) for p in by_status[s]) for s in (4, 1))
                assert before == pytest.approx(after, abs=1e-10)
            assert (by_status[4][0].momentum.e / by_status[4][1].momentum.e) == pytest.approx(1.75, rel=1e-6)
            for tau in by_status[1][:2]:
                assert tau.generated_mass == M_TAU
                assert tau.momentum.m() == pytest.approx(M_TAU, rel=1e-9)
            S = by_status[2][0]
            place, p = S.end_vertex.position, S.momentum
            np.testing.assert_allclose(np.cross([place.x, place.y, place.z], [p.px, p.py, p.pz]), 0.0, atol=1e-6)
            assert place.t == pytest.approx(np.hypot(np.hypot(place.x, place.y), place.z) * p.e / p.p3mod(), rel=1e-9)
    assert n == N


def test_cross_section_of_hepmc(file, tmp_path):
    """GenCrossSection is what the first weights add up to, in pb; fails if it is divided by nuclei."""
    weights = []
    with pyhepmc.open(str(export(file, tmp_path / "e.hepmc3"))) as stream:
        for event in stream:
            weights.append(event.weights[0])
            stated = event.cross_section.xsec()
    assert sum(weights) == pytest.approx(stated, rel=1e-8)  # nine digits are written
    assert stated == pytest.approx(file.metadata["yield_pb"] * file.read().columns["decay_weight"][0], rel=1e-8)


def test_lhe(file, tmp_path):
    """pylhe finds both beams in <init>, the same particles in each event, and a scale of 10.58 GeV."""
    read = pylhe.LHEFile.fromfile(str(export(file, tmp_path / "e.lhe")))
    beams = read.init.initInfo
    assert (beams.beamA, beams.beamB) == (11, -11)
    assert (beams.energyA, beams.energyB) == pytest.approx((6.998, 3.9989), rel=1e-4)
    n = 0
    for event in read.events:
        n += 1
        assert [int(p.id) for p in event.particles] == [11, -11, 15, -15, 54, 11, -11]
        assert [int(p.status) for p in event.particles] == [-1, -1, 1, 1, 2, 1, 1]
        assert event.eventinfo.scale == pytest.approx(10.58)
        for part in ("px", "py", "pz", "e"):
            values = [getattr(p, part) for p in event.particles]
            assert sum(values[:2]) == pytest.approx(sum(values[2:5]), abs=1e-10)
    assert n == N


def test_nanoaod(file, tmp_path):
    """uproot finds the same list of particles; fails if the second beam has the momentum of a nucleus at rest."""
    path = export(file, tmp_path / "n.root", layout="particles")
    with uproot.open(path) as content:
        tree = content["Events"]
        assert tree["Particle_pdgId"].array()[0].tolist() == [11, -11, 15, -15, 54, 11, -11]
        assert tree["Particle_pz"].array()[0, 1] < -3.9


@pytest.mark.parametrize("ending", ["hepmc3", "lhe", "lheh5", "parquet"])
def test_back(file, tmp_path, ending):
    """Each file reads back bit for bit and gives the same N_S; fails if a momentum is taken from another particle."""
    path = export(file, tmp_path / f"e.{ending}")
    one, two = file.read().columns, load(path).read().columns
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
    assert reweight(path, "A", [1e-4]).n_signal == reweight(file, "A", [1e-4]).n_signal


@pytest.mark.parametrize(("output", "layout"), [("e.csv", "flat"), ("e.hepmc3", "nuhepmc")])
def test_formats_of_targets(file, tmp_path, output, layout):
    """A library of G4DarkBreM and NuHepMC are for a beam on a target; fails if a file of another meaning is written."""
    with pytest.raises(InputError, match=r"collider: libraries for G4DarkBreM are|NuHepMC: is for a beam on a target"):
        export(file, tmp_path / output, layout=layout)
    assert list(tmp_path.iterdir()) == []


def test_folder_and_merge(tmp_path):
    """Partitions are those of one run, and their sum keeps its names; fails if a pool forgets yield_pb."""
    folder = generate_folder("belle2-tautau", tmp_path / "f", 0.1, 1000, partition_events=400)
    whole = generate("belle2-tautau", 0.1, 1000)
    pool = load(tmp_path / "f")
    np.testing.assert_array_equal(pool.read().columns["S_E"], whole.columns["S_E"])
    assert folder.metadata["yield_pb"] == pool.metadata["yield_pb"] == pytest.approx(whole.metadata["yield_pb"])
    merged = merge(tmp_path / "f", tmp_path / "m.root")
    assert merged.metadata["yield_pb"] == pytest.approx(whole.metadata["yield_pb"])
    assert "pb at g_tau = 1" in repr(merged)


def test_commands(file, tmp_path, capsys):
    """info, reweight and reach of the file on the command line; fails if one asks for a target."""
    assert main(["info", str(file.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["yield_pb"] == file.metadata["yield_pb"]
    assert main(["info", str(file.path)]) == 0
    assert "yield_pb" in capsys.readouterr().out
    assert main(["reweight", str(file.path), "--model", "A", "--g-mu", "1e-4,2e-4", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert rows[0]["n_signal"] == pytest.approx(6072.0, rel=0.1)
    (point,) = reach_from_events(file.path, "A")
    assert point.g_low == pytest.approx(1.230e-5, rel=0.05)
    other = tmp_path / "other.toml"
    other.write_text(file.card.text.replace("50 /ab", "1 /ab"))
    assert main(["reweight", str(file.path), "--g-mu", "1e-4", "--detector", str(other), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["n_signal"] == pytest.approx(rows[0]["n_signal"] / 50.0)
    for command in (["--detector", "fermilab"], ["--detector", "belle-tautau"], ["--form-factor", "helm"]):
        assert main(["reweight", str(file.path), "--g-mu", "1e-4", *command]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_crosscheck_and_run(tmp_path, capsys):
    """crosscheck has Monte Carlo and quadrature and no WW; run makes its files; fails if one needs a target."""
    assert main(["crosscheck", "belle2-tautau", "--mass", "100MeV,8", "--json"]) == 0
    one, two = json.loads(capsys.readouterr().out)
    assert set(one) == {"collider_gev", "mass_gev", "sigma_exact_pb", "sigma_mc_pb", "error_mc_pb"}
    assert abs(one["sigma_mc_pb"] - one["sigma_exact_pb"]) < 4.0 * one["error_mc_pb"]
    assert (two["sigma_exact_pb"], two["sigma_mc_pb"]) == (0.0, 0.0)
    assert main(["crosscheck", "belle2-tautau", "--mass", "100MeV", "--energy", "7"]) == 2
    assert main(["show", "belle2-tautau", "-o", str(tmp_path / "s.png")]) == 2
    capsys.readouterr()
    text = load_text()
    (tmp_path / "small.toml").write_text(text)
    assert main(["run", str(tmp_path / "small.toml"), "-o", str(tmp_path / "run"), "--events", "2000"]) == 0
    assert (tmp_path / "run" / "summary.json").is_file()


def load_text():
    from mcgen.card.card import card_text

    text = card_text("belle2-tautau").replace('name = "belle2-tautau"', 'name = "small"')
    return text.replace('"10 MeV, 30 MeV, 100 MeV, 200 MeV, 500 MeV, 1 GeV"', '"100 MeV"')
