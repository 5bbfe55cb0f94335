"""Every format written, read back by an independent reader, and equal to what was written."""

import contextlib
import csv
import errno
import gzip
import math
import os
import resource

import awkward as ak
import numpy as np
import pyarrow.parquet as pq
import pyhepmc
import pylhe
import pytest
import uproot
from scipy.stats import kstest

from mcgen import generate, load, load_card, n_signal
from mcgen.base.constants import M_E
from mcgen.base.errors import InputError
from mcgen.base.files import atomic_path
from mcgen.cli import main
from mcgen.events.decays import DecayModel, decay
from mcgen.events.export import export
from mcgen.search.search import Search
from mcgen.source.boson import Boson

pytestmark = pytest.mark.usefixtures("samplers_kept")

EVENTS = 500
PARTS = ("px", "py", "pz", "E")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A file with decays and a wide beam."""
    card = load_card("fermilab")
    wide = card.model_copy(update={"beam": card.beam.model_copy(update={"spot": 0.5})})
    path = tmp_path_factory.mktemp("export") / "events.root"
    return generate(wide, 0.1, EVENTS, output=path, decays=True)


@pytest.fixture(scope="module")
def columns(file):
    return file.read().columns


def _four(columns, name):
    return np.column_stack([columns[f"{name}_{part}"] for part in PARTS])


@pytest.mark.parametrize("ending", ["hepmc3", "hepmc3.gz", "hepmc3.zst"])
def test_hepmc(file, columns, tmp_path, ending):
    """Momenta, masses, vertices in mm, weights and numbers through pyhepmc; fails for a swapped daughter or cm."""
    path = export(file, tmp_path / f"events.{ending}")
    with pyhepmc.open(str(path)) as stream:
        events = list(stream)
    assert [e.event_number for e in events] == columns["event"].tolist()
    for i, event in enumerate(events):
        assert event.weights[0] == pytest.approx(columns["weight"][i], rel=1e-15)
        names = ("mu_in", None, "mu_out", "N_out", "S", "d1", "d2")
        for particle, name in zip(event.particles, names, strict=True):
            if name:
                p = particle.momentum
                assert (p.px, p.py, p.pz, p.e) == pytest.approx(_four(columns, name)[i].tolist(), rel=1e-15)
        first = int(columns["decay_pdg"][i])
        codes = [-13, 1000741840, -13, 1000741840, 54, first, first if first == 22 else -first]
        assert [p.pid for p in event.particles] == codes
        for vertex, name in zip(event.vertices, ("vertex", "decay"), strict=True):
            place = [10.0 * columns[f"{name}_{axis}_cm"][i] for axis in "xyz"]
            assert (vertex.position.x, vertex.position.y, vertex.position.z) == pytest.approx(place, rel=1e-15)
        assert event.vertices[1].position.t >= event.vertices[0].position.t
        total = [
            sum(getattr(p.momentum, part) for p in v.particles_out) for v in event.vertices for part in ("px", "e")
        ]
        assert total == pytest.approx(
            [sum(getattr(p.momentum, part) for p in v.particles_in) for v in event.vertices for part in ("px", "e")],
            abs=1e-10,
        )
    assert "mcgen" in str(events[0].run_info.attributes)


@pytest.mark.parametrize("options", [{}, {"force_decay": True}])
def test_hepmc_is_as_pyhepmc_writes_it(tmp_path, options):
    """pyhepmc reads the file and writes the same bytes; fails for another digit, order or mark of a line."""
    events = generate(load_card("fermilab"), 0.1, 300, output=tmp_path / "events.root")
    path = export(events, tmp_path / "events.hepmc3", **options)
    again = tmp_path / "again.hepmc3"
    with pyhepmc.open(str(path)) as read, pyhepmc.open(str(again), "w", precision=17, format="HepMC3") as write:
        for event in read:
            write.write(event)
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("ending", ["lhe", "lhe.gz"])
def test_lhe(file, columns, tmp_path, ending):
    """Every particle through pylhe with 17 digits, mothers and life time; fails for rounding or a wrong mother."""
    path = export(file, tmp_path / f"events.{ending}")
    events = list(pylhe.LHEFile.fromfile(str(path)).events)
    assert len(events) == EVENTS
    nuclei = file.metadata["exposure"]["sum_nuclei_per_cm2"]
    for i, event in enumerate(events):
        in_pb = EVENTS * columns["weight"][i] / (1e-36 * nuclei)
        assert event.eventinfo.weight == pytest.approx(in_pb, rel=1e-14)
        for particle, name in zip(event.particles, ("mu_in", None, "mu_out", "N_out", "S", "d1", "d2"), strict=True):
            if name:
                four = (particle.px, particle.py, particle.pz, particle.e)
                assert four == pytest.approx(_four(columns, name)[i].tolist(), rel=1e-15)
        assert [p.mother1 for p in event.particles] == [0, 0, 1, 1, 1, 5, 5]
    flight = [
        math.dist(*([columns[f"{n}_{a}_cm"][i] for a in "xyz"] for n in ("vertex", "decay"))) for i in range(EVENTS)
    ]
    k = np.linalg.norm(_four(columns, "S")[:, :3], axis=1)
    life = np.array([event.particles[4].lifetime for event in events])  # c tau in mm
    assert life == pytest.approx(10.0 * np.array(flight) * 0.1 / k, rel=1e-9)


def test_parquet(file, columns, tmp_path):
    """All columns bit for bit through pyarrow, the metadata beside them; fails for a lost type."""
    path = export(file, tmp_path / "events.parquet")
    table = pq.read_table(path)
    assert table.column_names == file.branches
    for name in file.branches:
        assert np.array_equal(table[name].to_numpy(), columns[name])


@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
def test_g4darkbrem_library(file, columns, tmp_path, ending):
    """Ten columns in GeV: Z, incident energy, recoil, recoil + S, each on its mass shell; fails for MeV or order."""
    path = export(file, tmp_path / f"library.{ending}")
    with gzip.open(path, "rt") if ending.endswith("gz") else path.open() as stream:
        reader = csv.reader(stream)
        assert len(next(reader)) == 10
        rows = np.array([[float(cell) for cell in row] for row in reader])
    assert rows.shape == (EVENTS, 10)
    assert np.all(rows[:, 0] == 74)
    assert rows[:, 1] == pytest.approx(columns["mu_in_E"], rel=1e-15)
    recoil, both = rows[:, 2:6], rows[:, 6:10]
    for four, mass in ((recoil, 0.1056583755), (both - recoil, 0.1)):
        assert np.sqrt(four[:, 0] ** 2 - (four[:, 1:] ** 2).sum(axis=1)) == pytest.approx(mass, rel=1e-6)
    assert both == pytest.approx((_four(columns, "mu_out") + _four(columns, "S"))[:, [3, 0, 1, 2]], rel=1e-14)


def test_daughters(columns):
    """Momentum to 1e-12, mass shells, branching and isotropy of the decays; fails for a wrong boost."""
    assert _four(columns, "d1") + _four(columns, "d2") == pytest.approx(_four(columns, "S"), abs=1e-12)
    electrons = columns["decay_pdg"] == 11
    four = _four(columns, "d1")[electrons]
    shell = four[:, 3] ** 2 - (four[:, :3] ** 2).sum(axis=1)
    assert shell == pytest.approx(M_E**2, abs=1e-13 * 9.0)
    share = 1.0 - electrons.mean()
    assert abs(share - 0.0465) < 4.0 * math.sqrt(0.0465 / EVENTS)
    gamma, k = columns["S_E"] / 0.1, np.linalg.norm(_four(columns, "S")[:, :3], axis=1)
    q = np.where(electrons, math.sqrt(0.05**2 - M_E**2), 0.05)
    cosine = (columns["d1_E"] - gamma * 0.05) / (k / 0.1 * q)
    assert kstest(0.5 * (cosine + 1.0), "uniform").pvalue > 1e-4


@pytest.mark.parametrize("g_mu", [2e-5, 2e-4, 6e-4])
def test_forced_decays(g_mu):
    """Weights add up to N_S from long-lived to prompt, decays lie inside, tau is a truncated exponential (KS)."""
    card = load_card("fermilab")
    events = generate(card, 0.1, 50_000)
    columns = decay(events.columns, DecayModel(Boson(card, "A", 0.1), Search.of(card), g_mu, 1, forced=True))
    weights = card.beam.particles_on_target * g_mu**2 * columns["weight"] * columns["decay_weight"]
    (expected,) = n_signal(card, "A", 0.1, [g_mu])
    error = math.hypot(math.sqrt(weights.size * weights.var()), 1e-3 * expected.value)
    assert abs(weights.sum() - expected.value) < 4.0 * error
    flight = np.sqrt(sum((columns[f"decay_{a}_cm"] - columns[f"vertex_{a}_cm"]) ** 2 for a in "xyz"))
    z_min = card.target.length - columns["depth_cm"]
    assert np.all((flight >= z_min * (1 - 1e-9)) & (flight <= (z_min + card.detector.L_det) * (1 + 1e-9)))
    length = flight / columns["tau"]
    first, span = z_min / length, card.detector.L_det / length
    uniform = -np.expm1(-(columns["tau"] - first)) / -np.expm1(-span)
    assert kstest(uniform, "uniform").pvalue > 1e-4


def test_export_adds_the_decays_that_generate_makes(file, tmp_path):
    """Daughters do not depend on when they are made; fails if export draws other random numbers."""
    plain = generate(file.card, 0.1, EVENTS, output=tmp_path / "plain.root")
    path = export(plain, tmp_path / "late.parquet", decays=True)
    late = pq.read_table(path)
    early = file.read().columns
    assert all(np.array_equal(late[name].to_numpy(), early[name]) for name in early)


def test_bad_exports(file, tmp_path, capsys):
    """Unknown ending, missing folder, forcing natural decays: one line, status 2, nothing left."""
    source = str(file.path)
    for arguments in (
        ["-o", "a.xyz"],
        ["-o", "no/such/a.lhe"],
        ["-o", "a.lhe", "--force-decay"],
        ["-o", "a.parquet.gz"],
    ):
        arguments[1] = str(tmp_path / arguments[1])
        assert main(["export", source, *arguments]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
    assert load(source).metadata["decays"] == "natural"


@contextlib.contextmanager
def _full_at(size):
    """Every write beyond `size` bytes of a file fails, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 20_000])
@pytest.mark.parametrize(
    "name",
    ["a.root", "nano.root", "a.parquet", "a.lhe", "a.lheh5", "a.csv", "a.csv.gz", "a.hepmc3.zst", "lib.csv", "new.root"]
)  # fmt: skip
def test_no_space_left(file, tmp_path, capsys, name, size):
    """A write that the system refuses is one line and status 2, and nothing is left; fails for half a file."""
    path = str(tmp_path / name)
    command = {
        "nano.root": ["export", str(file.path), "-o", path, "--layout", "particles"],
        "lib.csv": ["library", "fermilab", "-o", path, "--energies", "2", "--events", "2000"],
        "new.root": ["generate", "fermilab", "-o", path, "--events", "2000"],
    }.get(name, ["export", str(file.path), "-o", path])
    with _full_at(size):
        status = main(command)
    error = capsys.readouterr().err
    assert (status, len(error.splitlines())) == (2, 1), error
    assert f"output {path}: File too large" in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk(tmp_path, number):
    """The errors of a full disk and of a quota are the user's to repair, others are not; fails if one is left out."""
    with pytest.raises(InputError, match=os.strerror(number)), atomic_path(tmp_path / "a"):
        raise OSError(number, "something else")
    with pytest.raises(OSError, match="broken"), atomic_path(tmp_path / "a"):
        raise OSError(errno.EIO, "broken")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rntuple", [False, True])
def test_nanoaod_layout(file, columns, tmp_path, rntuple):
    """Jagged particles with numbers, masses and vertices, TTree and RNTuple; fails for a swapped daughter."""
    path = export(file, tmp_path / "nano.root", layout="particles", rntuple=rntuple)
    tree = uproot.open(path)["Events"]
    assert {"run", "luminosityBlock", "event", "nParticle", "Particle_px", "Particle_pdgId"} <= set(tree.keys())
    events = tree.arrays()
    particle = ak.zip({n.removeprefix("Particle_"): events[n] for n in events.fields if n.startswith("Particle_")})
    assert ak.all(ak.num(particle.px) == 7)
    for i, name in enumerate(("mu_in", None, "mu_out", "N_out", "S", "d1", "d2")):
        if name:
            assert np.array_equal(ak.to_numpy(particle.energy[:, i]), columns[f"{name}_E"])
            assert np.array_equal(ak.to_numpy(particle.px[:, i]), columns[f"{name}_px"])
    assert np.array_equal(ak.to_numpy(particle.vz[:, 5]), columns["decay_z_cm"])
    assert set(ak.to_numpy(particle.pdgId[:, 6])) <= {-11, 22}


def test_rntuple_is_an_event_file(tmp_path):
    """An RNTuple holds the same events, reads back and reweights; fails if a type or the hash changes."""
    card = load_card("fermilab")
    one = generate(card, 0.1, EVENTS, output=tmp_path / "tree.root")
    two = generate(card, 0.1, EVENTS, output=tmp_path / "ntuple.root", rntuple=True)
    assert two.content_sha256() == one.metadata["content_sha256"]
    three = export(one, tmp_path / "with.root", decays=True, rntuple=True)
    assert load(three).content_sha256() == load(three).metadata["content_sha256"] != one.metadata["content_sha256"]


@pytest.fixture(params=[False, True], ids=["TTree", "RNTuple"])
def trees(request, file, tmp_path):
    """(flat file, file of particles) as TTree and as RNTuple."""
    flat = export(file, tmp_path / "flat.root", rntuple=request.param)
    return flat, export(file, tmp_path / "nano.root", layout="particles", rntuple=request.param)


@pytest.mark.filterwarnings("ignore")
def test_real_root(trees, columns):
    """ROOT's own RDataFrame reads both layouts; fails if a header is malformed in a way that uproot forgives."""
    ROOT = pytest.importorskip("ROOT", reason="ROOT is not installed: these files were read with uproot only")
    flat, particles = (ROOT.RDataFrame(name, str(path)) for name, path in zip(("events", "Events"), trees, strict=True))
    assert flat.Count().GetValue() == EVENTS
    for name in ("weight", "S_E", "target_Z", "d2_px", "decay_z_cm"):
        assert flat.Sum(name).GetValue() == pytest.approx(columns[name].sum(), rel=1e-12)
    assert flat.Max("event").GetValue() == EVENTS - 1
    assert particles.Count().GetValue() == EVENTS
    frame = particles.Define("E", "Particle_energy[4]").Define("code", "Particle_pdgId[4]")
    frame = frame.Define("z", "Particle_vz[5]")
    assert frame.Sum("E").GetValue() == pytest.approx(columns["S_E"].sum(), rel=1e-12)
    assert frame.Min("code").GetValue() == frame.Max("code").GetValue() == 54
    assert frame.Sum("z").GetValue() == pytest.approx(columns["decay_z_cm"].sum(), rel=1e-12)


@pytest.mark.filterwarnings("ignore")
def test_coffea(trees, columns):
    """coffea's NanoAODSchema gives particles with momenta; fails if a counter or a name is not as in NanoAOD."""
    pytest.importorskip("coffea", reason="coffea is not installed: these files were read with uproot only")
    from coffea.nanoevents import NanoAODSchema, NanoEventsFactory

    events = NanoEventsFactory.from_root({str(trees[1]): "Events"}, schemaclass=NanoAODSchema, mode="eager").events()
    assert len(events) == EVENTS
    assert ak.all(ak.num(events.Particle) == 7)
    scalars = events.Particle[events.Particle.pdgId == 54]
    assert ak.to_numpy(scalars.energy[:, 0]) == pytest.approx(columns["S_E"], rel=1e-15)
    assert ak.to_numpy(events.weight) == pytest.approx(columns["weight"], rel=1e-15)
    assert ak.to_numpy(events.Particle.px[:, 5]) == pytest.approx(columns["d1_px"], rel=1e-15)


def test_hepmc_numbers_end(tmp_path):
    """Event numbers beyond those of HepMC3 are refused, and no file is left; fails if they wrap around."""
    file = generate(load_card("na64"), 0.01, 10, output=tmp_path / "e.root", first=2**31 - 5)
    with pytest.raises(InputError, match="2147483652"):
        export(file, tmp_path / "e.hepmc3")
    assert [path.name for path in tmp_path.iterdir()] == ["e.root"]


def test_sums_of_weights_where_they_are_stated(tmp_path, monkeypatch):
    """Added decays change the hash, which a Parquet file needs, and not its cross section, which it does not state.

    Fails if every export adds up weights by element; LHE, which states the sums, must still ask for them.
    """
    events = generate(load_card("fermilab"), 0.1, 50, output=tmp_path / "events.root")
    monkeypatch.setattr("mcgen.events.export.exposure.Sums", lambda *_: pytest.fail("weights were added up"))
    found = load(export(events, tmp_path / "events.parquet", decays=True)).metadata
    assert found["content_sha256"] != events.metadata["content_sha256"]
    with pytest.raises(pytest.fail.Exception, match="added up"):
        export(events, tmp_path / "events.lhe", decays=True)
