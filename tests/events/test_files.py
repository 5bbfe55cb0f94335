"""Event files: what other programs see in them, and what is refused."""

from __future__ import annotations

import json
import time
import tracemalloc

import awkward as ak
import numpy as np
import pytest
import uproot

from mcgen import load_card
from mcgen.analysis.reweight import reweight
from mcgen.base.errors import InputError
from mcgen.events.branches import BRANCHES, Branch
from mcgen.events.events import ContentHash, Events
from mcgen.events.export import export
from mcgen.events.formats import load
from mcgen.events.formats.root import EventFile, event_writer, save
from mcgen.generation.generate import generate

pytestmark = pytest.mark.usefixtures("samplers_kept")

PARTICLES = ("mu_in", "mu_out", "S", "N_out")

#: the branches that users rely on
EXPECTED = [
    "event",
    "weight",
    "E_mu",
    "depth_cm",
    "x",
    "t",
    "target_Z",
    "target_A",
    *(f"{particle}_{part}" for particle in PARTICLES for part in ("px", "py", "pz", "E")),
    *(f"vertex_{axis}_cm" for axis in "xyz"),
    "tau",
    *(f"decay_{axis}_cm" for axis in "xyz"),
]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A file of 2000 events, small enough to damage many times."""
    path = tmp_path_factory.mktemp("files") / "small.root"
    return generate(load_card("fermilab"), 0.1, 2_000, output=path, chunk=700)


def test_tree(fermilab_events):
    """uproot alone finds exactly the documented branches, flat, float64 and uint64; fails if one is renamed."""
    with uproot.open(fermilab_events.path) as file:
        tree = file["events"]
        assert tree.classname == "TTree"
        assert sorted(tree.keys()) == sorted(EXPECTED)
        assert tree.num_entries == 200_000
        for name, branch in tree.items():
            assert branch.interpretation.numpy_dtype == np.dtype("u8" if name == "event" else "f8")
    assert list(BRANCHES) == EXPECTED


@pytest.mark.parametrize("rntuple", [False, True])
@pytest.mark.parametrize("layout", ["flat", "particles"])
def test_branches_say_their_units(small, tmp_path, layout, rntuple):
    """Titles of branches, descriptions of fields; fails if uproot hides them, or if one has no unit.

    Many chunks make uproot move the tree, as it does in a file that is written on.
    """
    path = export(small, tmp_path / "events.root", layout=layout, rntuple=rntuple)
    with uproot.open(path) as file:
        tree = file["events" if layout == "flat" else "Events"]

        def said(name):
            return tree[name].description if rntuple else tree[name].title

        assert said("E_mu") == "E_mu [GeV], energy of the muon at the interaction"
        assert said("depth_cm").startswith("depth_cm [cm], ")
        assert said("tau") == "tau, proper time to the decay in mean lives"
        if layout == "particles":
            assert said("Particle_px").startswith("Particle_px [GeV]")
            return
        unsaid = [name for name in tree.keys() if "," not in said(name)]  # noqa: SIM118
        assert unsaid == []
        with event_writer(tmp_path / "many.root", rntuple) as writer:
            for _ in range(40):
                writer.write({name: column[:10] for name, column in small.read().columns.items()})
            writer.finish(small.metadata)
        with uproot.open(tmp_path / "many.root") as again:
            moved = again["events"]
            assert (moved["E_mu"].description if rntuple else moved["E_mu"].title) == said("E_mu")
            expected = np.tile(tree["E_mu"].array(library="np")[:10], 40)
            np.testing.assert_array_equal(moved["E_mu"].array(library="np"), expected)


def test_metadata(fermilab_events):
    """The metadata are readable JSON and hold what users rely on; fails if a key is dropped."""
    with uproot.open(fermilab_events.path) as file:
        meta = json.loads(str(file["metadata"]))
    promised = {
        "card", "seed", "n_events", "mass_gev", "model", "reference_g_mu", "mcgen_version", "content_sha256",
        "yield_per_muon", "yield_error", "sigma", "weight_convention", "versions",
    }  # fmt: skip
    assert promised <= set(meta)
    assert meta["n_events"] == 200_000
    assert all(row.keys() == {"target", "energy_gev", "sigma_pb"} for row in meta["sigma"])
    assert fermilab_events.content_sha256() == meta["content_sha256"]


def test_every_branch_is_hashed(small):
    """One changed bit in any branch changes the content hash; fails if a branch is left out of it."""
    columns = small.read().columns
    for name in EXPECTED:
        digest = ContentHash()
        changed = columns[name].copy()
        changed.view("u8")[1234] ^= np.uint64(1)
        digest.update(columns | {name: changed})
        assert digest.hexdigest() != small.metadata["content_sha256"], name


def test_pandas(small):
    """uproot gives a pandas table with one row per event; fails if a branch is jagged."""
    with uproot.open(small.path) as file:
        table = file["events"].arrays(library="pd")
    assert table.shape == (2_000, len(EXPECTED))
    assert table["weight"].sum() == pytest.approx(small.metadata["yield_per_muon"], rel=1e-12, abs=0.0)


def test_awkward_vectors(small):
    """Particles are Momentum4D: masses to 1e-6 GeV, and p + N = p' + S + N'; fails if E and pz change places."""
    events = small.awkward()
    assert len(events) == 2_000
    for name, mass in (("mu_in", 0.1056583755), ("mu_out", 0.1056583755), ("S", 0.1)):
        assert ak.max(abs(events[name].mass - mass)) < 1e-6
    beam, out = events.mu_in, events.mu_out + events.S + events.N_out
    assert ak.max(abs(out.pz - beam.pz)) < 1e-11
    assert ak.max(abs(events.S.E / events.E_mu - events.x)) < 1e-12
    assert ak.all(events.weight > 0.0)


@pytest.mark.filterwarnings("ignore")
def test_real_root(small):
    """ROOT itself reads the tree; fails if a header is malformed in a way that uproot forgives."""
    ROOT = pytest.importorskip("ROOT", reason="ROOT is not installed: the file was read with uproot only")
    frame = ROOT.RDataFrame("events", str(small.path))
    assert frame.Count().GetValue() == 2_000
    assert frame.Sum("weight").GetValue() == pytest.approx(small.metadata["yield_per_muon"], rel=1e-12, abs=0.0)


def test_round_trip(small, tmp_path):
    """Reading and saving keeps every bit and the metadata; fails if a column is rounded or left out."""
    events = small.read()
    for source in (events, small):
        copy = save(source, tmp_path / "copy.root")
        assert copy.metadata == small.metadata
        assert copy.content_sha256() == small.metadata["content_sha256"]
    again = load(tmp_path / "copy.root").read()
    for name in EXPECTED:
        np.testing.assert_array_equal(again.columns[name], events.columns[name])
        assert again.columns[name].dtype == events.columns[name].dtype


def test_chunks_of_a_file(small):
    """Chunks of any length join to the whole file; fails if the last one is short or repeated."""
    whole = small.read().columns["x"]
    for step in (1, 333, 2_000, 10_000):
        np.testing.assert_array_equal(np.concatenate([c["x"] for c in small.iterate(["x"], step)]), whole)


def _refused(path):
    with pytest.raises(InputError) as error:
        EventFile(path).read()
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def test_refuse_what_is_no_root_file(tmp_path):
    """Text, nothing, a folder, a missing file: refused in one line; fails if uproot's error comes through."""
    path = tmp_path / "events.root"
    _refused(path)
    for content in (b"", b"just a text\n", b"root", b"root" + bytes(500)):
        path.write_bytes(content)
        _refused(path)
    _refused(tmp_path)


def test_refuse_truncated_files(small, tmp_path):
    """A file cut anywhere is refused, at once or when read; fails if events are lost without a word."""
    whole = small.path.read_bytes()
    path = tmp_path / "cut.root"
    for length in [10, 100, 1_000, *(int(len(whole) * f) for f in np.linspace(0.05, 0.95, 19)), len(whole) - 1]:
        path.write_bytes(whole[:length])
        _refused(path)


def test_damage_is_noticed(small, tmp_path):
    """A block of zeros in the data is refused or changes the content hash; fails if damage looks like events."""
    whole = small.path.read_bytes()
    path = tmp_path / "damaged.root"
    for at in np.linspace(0.1, 0.9, 9):
        start = int(len(whole) * at)
        path.write_bytes(whole[:start] + bytes(64) + whole[start + 64 :])
        try:
            same = EventFile(path).content_sha256() == small.metadata["content_sha256"]
        except InputError:
            continue
        assert not same, start


def test_readers_refuse_damage(small, tmp_path):
    """Whoever reads a changed byte gets the events as written, or an error; fails if damage goes into a result.

    Branches that do not compress are stored as they are, without a checksum of ROOT's.
    """
    whole, columns = small.path.read_bytes(), small.read().columns
    path = tmp_path / "damaged.root"
    refused = 0
    for at in np.linspace(0.02, 0.98, 60):
        data = bytearray(whole)
        data[int(len(whole) * at)] ^= 1
        path.write_bytes(data)
        try:
            found = EventFile(path).read().columns
        except InputError:
            refused += 1
            continue
        for name, column in columns.items():
            np.testing.assert_array_equal(found[name], column)
    assert refused > 50


NESTED = 100_000


@pytest.mark.parametrize(
    "text",
    [
        "[" * NESTED + "]" * NESTED,
        '{"a":' * NESTED + "1" + "}" * NESTED,
        '{"n_events": ' + "9" * 1_000_000 + "}",
        '{"n_events": 1e999999999}',
        '{"card": "' + "x" * 9_000_000 + '"}',
        '{"card": "' + " " * 120_000_000 + '"}',  # half a MB in the file
    ],
    ids=["lists", "objects", "digits", "exponent", "card", "bomb"],
)
def test_refuse_bombs(tmp_path, text):
    """Metadata made to hurt are refused in one line within seconds; fails if they are unpacked, then measured."""
    path = tmp_path / "bomb.root"
    with uproot.recreate(path, compression=uproot.LZ4(1)) as file:
        file.mktree("events", {"weight": np.dtype("f8")})
        file["metadata"] = text
    del text
    start = time.perf_counter()
    tracemalloc.start()
    _refused(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.perf_counter() - start < 10.0
    assert peak < 100e6  # bytes


def test_refuse_other_root_files(small, tmp_path):
    """ROOT files of others, or with other metadata, are refused; fails if a tree of the right name is enough."""
    path = tmp_path / "other.root"
    columns, meta = small.read().columns, json.loads(str(uproot.open(small.path)["metadata"]))

    def write(tree, metadata):
        with uproot.recreate(path) as file:
            if tree:
                file.mktree("events", {name: column.dtype for name, column in tree.items()})
                file["events"].extend(tree)
            if metadata is not None:
                file["metadata"] = metadata

    without_tau = {name: column for name, column in columns.items() if name != "tau"}
    for tree, metadata in (
        ({"x": np.arange(3.0)}, None),
        (columns, None),
        (None, json.dumps(meta)),
        (columns, "not JSON"),
        (columns, "[]"),
        (columns, json.dumps(meta | {"format": "another"})),
        (columns, json.dumps(meta | {"n_events": 1_999})),
        (columns, json.dumps(meta | {"mass_gev": 0.2})),
        (without_tau, json.dumps(meta)),
    ):
        write(tree, metadata)
        _refused(path)
    write(columns, json.dumps(meta))
    assert len(EventFile(path)) == 2_000


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("card", 'name = "another"'),
        ("card", None),
        ("mass_gev", None),
        ("mass_gev", "heavy"),
        ("mass_gev", -0.1),
        ("mass_gev", float("nan")),
        ("norm_relative_error", None),
        ("norm_relative_error", "small"),
        ("n_events", "2000"),
        ("format", None),
        *((key, ...) for key in ("card", "mass_gev", "norm_relative_error", "n_events", "format")),
    ],
)
def test_refuse_changed_metadata(small, tmp_path, key, value):
    """Metadata that lost a key (...) or hold something else are refused; fails if a KeyError or a NaN comes out."""
    meta = dict(small.metadata) | {key: value}
    if value is ...:
        del meta[key]
    with pytest.raises(InputError):
        reweight(save(Events(meta, small.read().columns), tmp_path / "changed.root"), "A", [1e-4])


@pytest.mark.parametrize("ending", ["root", "nano.root", "parquet", "lhe"])
def test_a_new_branch_leaves_old_files_readable(small, tmp_path, monkeypatch, ending):
    """Files opened by a program that knows one branch more give the same numbers, in every format.

    Fails if a reader asks a file for what was not known when it was written.
    """
    path = export(small, tmp_path / f"old.{ending}", layout="particles" if ending == "nano.root" else "flat")
    (before,) = reweight(path, "A", [1e-4]).n_signal
    monkeypatch.setitem(BRANCHES, "beam_time", Branch("ns", "a branch of tomorrow"))
    old = load(path)
    assert old.branches == list(small.metadata["branch_sha256"])
    assert old.content_sha256() == small.metadata["content_sha256"]
    assert reweight(old, "A", [1e-4]).n_signal == [before]
    assert export(old, tmp_path / "again.hepmc3").stat().st_size > 0
