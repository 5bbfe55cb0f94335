"""Les Houches events in HDF5: read by pylhe, written by pylhe, and back bit for bit; damage is refused."""

import gzip
import re
import shutil
import warnings

import numpy as np
import pylhe
import pytest
from conftest import REFERENCE

from mcgen import export, generate, load, load_card, reweight
from mcgen.base.errors import InputError
from mcgen.cli import main

h5py = pytest.importorskip("h5py")

pytestmark = [
    pytest.mark.usefixtures("samplers_kept"),
    pytest.mark.filterwarnings("ignore::mcgen.analysis.reweight.LowStatisticsWarning"),
]

EVENTS = 40
MADGRAPH = REFERENCE / "madgraph_W_1GeV_mS0.1.lhe.gz"


@pytest.fixture(scope="module")
def card():
    return load_card("fermilab")


@pytest.fixture(scope="module")
def file(card, tmp_path_factory):
    return generate(card, 0.1, 300, output=tmp_path_factory.mktemp("h5") / "events.root", decays=True)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """The same events of MadGraph as text and as pylhe writes them in HDF5, with two weights."""
    text = gzip.decompress(MADGRAPH.read_bytes()).decode()
    head, events = text[: text.index("<event>")], re.findall(r"<event>.*?</event>\n", text, re.DOTALL)[:EVENTS]
    names = "<initrwgt><weight id='a'>one</weight><weight id='b'>two</weight></initrwgt></header>"
    head = re.sub(r"<header>.*</header>", f"<header>{names}", head, flags=re.DOTALL)
    wgts = "<rwgt><wgt id='a'> {}.5 </wgt><wgt id='b'> -2.25 </wgt></rwgt></event>"
    events = [event.replace("</event>", wgts.format(i)) for i, event in enumerate(events)]
    plain = tmp_path_factory.mktemp("foreign") / "events.lhe"
    plain.write_text("".join([head, *events, "</LesHouchesEvents>\n"]))
    packed = plain.with_suffix(".h5")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lhe = pylhe.LHEFile.fromfile(plain)
        lhe.tofile(packed, lheformat=pylhe.HDF5_GZ_FORMAT)
    return plain, packed


@pytest.mark.parametrize("options", [{}, {"force_decay": True}])
@pytest.mark.parametrize("ending", ["h5", "hdf5", "LHEH5"])
def test_pylhe_reads_it(file, card, tmp_path, ending, options):
    """All lines of an event and of <init> are those of the text file, through pylhe; fails for a shifted column."""
    events = file if not options else generate(card, 0.1, 50, output=tmp_path / "events.root")
    text, packed = (export(events, tmp_path / f"events.{name}", **options) for name in ("lhe", ending))
    shutil.copy(packed, tmp_path / "copy.h5")
    one, two = (pylhe.LHEFile.fromfile(path) for path in (text, tmp_path / "copy.h5"))
    assert two.init.initInfo == one.init.initInfo
    assert two.init.procInfo == one.init.procInfo
    found, expected = list(two.events), list(one.events)
    for a, b in zip(found, expected, strict=True):
        assert a.particles == b.particles
        numbers, others = ((e.eventinfo.pid, e.eventinfo.weight, e.eventinfo.scale) for e in (a, b))
        assert numbers == others
        assert a.weights == {}
    assert np.mean([event.eventinfo.weight for event in found]) == pytest.approx(two.init.procInfo[0].xSection)
    with h5py.File(packed) as opened:
        assert opened["version"][0] == 2
        assert [*opened["particles"].attrs["properties"]][6:10] == ["px", "py", "pz", "e"]


def test_read_back(file, tmp_path):
    """Columns, types, order and metadata are those of the ROOT file; fails for one bit."""
    path = export(file, tmp_path / "events.h5")
    other = load(path)
    assert other.metadata == file.metadata
    assert other.branches == file.branches
    assert other.content_sha256() == file.metadata["content_sha256"]
    assert reweight(other, "A", [1e-4]) == reweight(file, "A", [1e-4])
    assert {name: c.dtype for name, c in other.read().columns.items()} == {
        name: c.dtype for name, c in file.read().columns.items()
    }
    for step in (1, 150, 1000):
        chunks = [len(chunk["event"]) for chunk in other.iterate(["event", "S_E"], step)]
        assert sum(chunks) == 300
        assert max(chunks) == min(step, 300)


def test_written_once(file, tmp_path, capsys):
    """The same events again leave a file alone, others do not replace it; fails if the time of a run counts."""
    path = export(file, tmp_path / "events.h5")
    before = path.stat().st_mtime_ns
    export(file, path)
    assert path.stat().st_mtime_ns == before
    with pytest.raises(InputError, match="other content"):
        export(file, path, boson_pdg=622)
    assert main(["export", str(file.path), "-o", str(path), "--boson-pdg", "622", "--overwrite"]) == 0
    assert "LHEH5" in capsys.readouterr().out


def test_foreign(foreign, card, tmp_path):
    """HDF5 of pylhe gives the columns and weights of its text, alone and many at a time; fails for one that differs."""
    one, two = (load(path, card=card) for path in foreign)
    assert two.metadata == one.metadata
    assert [row["text"] for row in two.metadata["weights"]] == ["one", "two"]
    columns, expected = two.read().columns, one.read().columns
    for name, column in expected.items():
        np.testing.assert_array_equal(columns[name], column)
    again = load(export(two, tmp_path / "again.h5"))
    np.testing.assert_array_equal(again.read().columns["weight_1"], expected["weight_1"])
    with pytest.raises(InputError, match="--card"):
        load(foreign[1])


def _damaged(foreign, tmp_path, change):
    path = tmp_path / "damaged.h5"
    shutil.copy(foreign[1], path)
    with h5py.File(path, "r+") as opened:
        change(opened)
    return path


def _set(name, row, column, value):
    def change(opened):
        opened[name][row, column] = value

    return change


#: faults, and what is said of them
FAULTS = {
    "no events": (lambda f: f.__delitem__("events"), "no LHEH5: it has no events"),
    "not a number": (_set("particles", 7, 8, np.nan), "event 2"),
    "a particle beyond the end": (_set("events", 5, 2, 1e6), "particles are not in the file"),
    "negative start": (_set("events", 5, 2, -1.0), "particles are not in the file"),
    "another process": (_set("particles", 7, 0, 22), "is expected"),
    "off its shell": (_set("particles", 22, 9, 1.5), "event 5"),
    "not whole": (_set("particles", 7, 0, 13.5), "should be a whole number"),
    "strategy": (lambda f: f["init"].__setitem__(8, 7), "IDWTUP is 7"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_refuse(foreign, card, tmp_path, fault):
    """One line says what is wrong and where; fails if a number that is none goes on."""
    change, words = FAULTS[fault]
    with pytest.raises(InputError) as error:
        load(_damaged(foreign, tmp_path, change), card=card).read()
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_refuse_changed_events(file, tmp_path):
    """A number changed by hand is noticed, and a file cut short; fails if the hash is not looked at."""
    path = export(file, tmp_path / "events.h5")
    (tmp_path / "short.h5").write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(InputError, match="damaged or cut short"):
        load(tmp_path / "short.h5")
    with h5py.File(path, "r+") as opened:
        opened["particles"][11, 6] *= 1.0000001
    with pytest.raises(InputError, match="hash differs"):
        load(path).read()
