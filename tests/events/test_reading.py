"""Event files read back: Parquet and LHE of mcgen bit for bit, LHE of MadGraph as cross sections; damage is refused."""

import contextlib
import gzip
import json
import math
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import REFERENCE

from mcgen import export, generate, load, load_card, reweight, sigma_tilde
from mcgen.base.errors import InputError
from mcgen.cli import main
from mcgen.events.formats.stored import MAX_METADATA

pytestmark = pytest.mark.usefixtures("samplers_kept")

EVENTS = 400
MADGRAPH = REFERENCE / "madgraph_W_1GeV_mS0.1.lhe.gz"
COUPLINGS = [1e-5, 1e-4, 5e-4]


@pytest.fixture(scope="module")
def card():
    """Steel, so that the struck nucleus differs from event to event, and a wide beam."""
    text = load_card("fermilab").text.replace('"W" ', '"steel"').replace('n_atom = "6.3e22 /cm3"', "")
    text = text.replace('spot = "0 cm"', 'spot = "1 cm"')
    from mcgen.card.card import parse_card

    return parse_card(text)


@pytest.fixture(scope="module")
def file(card, tmp_path_factory):
    """A file with decays."""
    path = tmp_path_factory.mktemp("reading") / "events.root"
    return generate(card, 0.1, EVENTS, output=path, decays=True)


@pytest.fixture(scope="module")
def lhe(file):
    """The same as lines of LHE."""
    path = export(file, file.path.parent / "events.lhe")
    return path.read_text(encoding="utf-8").splitlines(keepends=True)


@pytest.mark.filterwarnings("ignore::mcgen.analysis.reweight.LowStatisticsWarning")
@pytest.mark.parametrize("ending", ["parquet", "lhe", "lhe.gz", "lhe.zst"])
def test_read_back(file, tmp_path, ending):
    """Columns, types, order and metadata are those of the ROOT file; fails for one digit less or a lost nucleus."""
    other = load(export(file, tmp_path / f"events.{ending}"))
    assert other.metadata == file.metadata
    assert other.branches == file.branches
    assert other.content_sha256() == file.metadata["content_sha256"]
    assert set(other.read().columns["target_Z"]) >= {24, 26, 28}
    for step in (1, 150, 1000):
        assert [len(chunk["x"]) for chunk in other.iterate(["x"], step)] == [
            len(chunk["x"]) for chunk in file.iterate(["x"], step)
        ]
    for method in ("probability", "vertex"):
        one, two = (reweight(source, "A", COUPLINGS, method=method) for source in (file, other))
        assert two == one


@pytest.mark.parametrize("rntuple", [False, True])
def test_layout_of_particles_is_an_event_file(file, card, tmp_path, rntuple):
    """Exported or generated as particles, it holds every column; fails if a slot or an energy is mixed up."""
    kind = {"layout": "particles", "rntuple": rntuple}
    exported = load(export(file, tmp_path / "exported.root", **kind))
    made = generate(card, 0.1, EVENTS, output=tmp_path / "made.root", decays=True, **kind)
    for other in (exported, made):
        assert other.branches == file.branches
        assert other.content_sha256() == file.metadata["content_sha256"] == other.metadata["content_sha256"]
    assert set(next(iter(made.iterate(["N_out_E", "x"])))) == {"N_out_E", "x"}


@pytest.mark.parametrize("ending", ["parquet", "lhe.zst"])
def test_export_of_what_was_exported(file, tmp_path, ending):
    """ROOT to another format and back to ROOT keeps every bit; fails if a reader cannot feed a writer."""
    other = load(export(file, tmp_path / f"events.{ending}"))
    assert load(export(other, tmp_path / "again.root")).content_sha256() == file.metadata["content_sha256"]


@pytest.mark.parametrize("ending", ["parquet", "lhe"])
def test_decays_added_on_export_are_hashed(card, tmp_path, ending):
    """The hash of a file with decays is that of what it holds; fails if the hash of the source is copied."""
    plain = generate(card, 0.1, EVENTS, output=tmp_path / "plain.root")
    other = load(export(plain, tmp_path / f"late.{ending}", force_decay=True))
    assert other.metadata["decays"] == "forced"
    assert other.content_sha256() == other.metadata["content_sha256"] != plain.metadata["content_sha256"]


def _refused(path, *words, card=None):
    with pytest.raises(InputError) as error:
        load(path, card=card).read()
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)
    for word in words:
        assert word in str(error.value)


def test_refuse_damaged_parquet(file, tmp_path):
    """Cut, of others, other types or missing columns, changed metadata: one line; fails if pyarrow's error escapes."""
    path = export(file, tmp_path / "events.parquet")
    whole, table = path.read_bytes(), pq.read_table(path)
    meta = json.loads(table.schema.metadata[b"mcgen"])
    for content in (b"", b"PAR1", whole[: len(whole) // 2], whole[:-1], b"PAR1" + bytes(len(whole) - 8) + b"PAR1"):
        path.write_bytes(content)
        _refused(path)
    middle = len(whole) // 3
    path.write_bytes(whole[:middle] + bytes(400) + whole[middle + 400 :])
    with contextlib.suppress(InputError):
        assert load(path).content_sha256() != file.metadata["content_sha256"]
    seal = {b"mcgen": json.dumps(meta).encode()}
    broken = {
        "own": table.replace_schema_metadata({}),
        "metadata n_events": table.replace_schema_metadata({b"mcgen": json.dumps(meta | {"n_events": "x"}).encode()}),
        "changed": table.replace_schema_metadata({b"mcgen": json.dumps(meta | {"mass_gev": 0.2}).encode()}),
        "match": table.drop_columns(["tau"]).replace_schema_metadata(seal),
        "do not match": table.slice(1).replace_schema_metadata(seal),
        "of type float": table.set_column(2, "E_mu", table["E_mu"].cast(pa.float32())).replace_schema_metadata(seal),
    }
    for word, damaged in broken.items():
        pq.write_table(damaged, path)
        _refused(path, *([] if word == "own" else [word]))
    _refused(tmp_path / "none.parquet", "does not exist")


def test_refuse_damaged_lhe(lhe, tmp_path):
    """A cut anywhere, a lost event, a changed line: one line with the event; fails if events vanish without a word."""
    path = tmp_path / "events.lhe"
    for n in (0, 1, 3, 5, 20, len(lhe) // 2, len(lhe) - 1):
        path.write_text("".join(lhe[:n]))
        _refused(path)
    path.write_text("".join(lhe)[: -len(lhe[-1]) - 40])
    _refused(path, f"event {EVENTS}")
    first = lhe.index("<event>\n")
    second = lhe.index("<event>\n", first + 1)
    path.write_text("".join(lhe[:first] + lhe[second:]))
    _refused(path, f"{EVENTS - 1} events")
    for place, text in (
        (2, " -13 -1 0 0 0 0 a b c d e f 9\n"),
        (1, " 7000000 1 1 1 1 1\n"),
        (3, "\n"),
        (10, "# event 0\n"),
    ):
        path.write_text("".join([*lhe[: first + place], text, *lhe[first + place + 1 :]]))
        _refused(path, "event 1")
    path.write_text("".join(lhe).replace('"mass_gev": 0.1', '"mass_gev": 0.2'))
    _refused(path, "changed")
    path.with_suffix(".lhe.gz").write_bytes(gzip.compress("".join(lhe).encode())[:-3000])
    _refused(path.with_suffix(".lhe.gz"))


def test_lhe_without_end_of_line(lhe, tmp_path):
    """A line beyond the limit is refused before it fills the memory; fails if the reader asks for whole lines."""
    path = tmp_path / "long.lhe.gz"
    with gzip.open(path, "wt", compresslevel=1) as stream:
        stream.write(lhe[0] + "<header>\n")
        for _ in range(3):
            stream.write("x" * MAX_METADATA)
    _refused(path, "too long")


def test_lhe_entities_are_text(lhe, tmp_path):
    """A bomb of XML entities is neither resolved nor fatal; fails if an XML parser comes in that resolves them."""
    path = tmp_path / "bomb.lhe"
    bomb = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">]>\n'
    path.write_text("".join([lhe[0], bomb, "<x>&c;&c;</x>\n", *lhe[1:]]))
    assert len(load(path)) == EVENTS


def test_madgraph(tmp_path):
    """sigma~ of the excerpt and of our quadrature agree within its error; fails for a wrong unit, g or depth."""
    fermilab = load_card("fermilab")
    events = load(MADGRAPH, card=fermilab)
    assert len(events) == 600
    result = reweight(events, "A", COUPLINGS)
    assert result.n_signal == []
    assert result.E_mu == [1.0]
    for g, (found,) in zip(COUPLINGS, result.sigma_tilde, strict=True):
        (expected,) = sigma_tilde(fermilab, "A", 0.1, g, [1.0])
        assert abs(found.pull(expected.value)) < 4.0
        assert found.error < 0.1 * found.value
    total = sum(chunk["weight"].sum() for chunk in events.iterate(["weight"], 7))
    assert total == pytest.approx(7.5057e7, rel=1e-12)
    columns = events.read().columns
    assert columns["depth_cm"] == pytest.approx((3.0 - 1.0) / 22.1e-3, rel=1e-12)
    q = np.array([columns[f"N_out_{part}"] for part in ("px", "py", "pz", "E")])
    assert columns["t"] == pytest.approx(2.0 * 171.24585696 * (q[3] - 171.24585696), abs=3e-6)
    sealed = load(export(events, tmp_path / "events.parquet"))
    assert reweight(sealed, "A", COUPLINGS) == reweight(events, "A", COUPLINGS)


def _changed(tmp_path, pattern, text, count=0):
    path = tmp_path / "changed.lhe"
    path.write_text(re.sub(pattern, text, gzip.decompress(MADGRAPH.read_bytes()).decode(), count=count))
    return path


@pytest.mark.parametrize("scale", ["7.5057000e+07", "1.0000000e+00", "3.7528500e+03"])
def test_madgraph_weights(tmp_path, scale):
    """Weights that average or add up to sigma, or are 1: sigma of <init> counts; fails if XWGTUP is taken as is."""
    path = _changed(tmp_path, r"(?m)^( 5 +1 )\+7\.5057000e\+07", rf"\g<1>{scale}")
    weights = load(path, card=load_card("fermilab")).read().columns["weight"]
    assert weights == pytest.approx(7.5057e7 / 600, rel=1e-12)


@pytest.mark.parametrize(
    ("pattern", "text", "words"),
    [
        (r"(?m)^( +)9000005 ", r"\g<1>13 ", ("holds -13 9000002 -> -13 9000002 13 (first event)",)),
        (r"(?m)^( +)-13 +-1 ", r"\g<1>22 -1 ", ("first event, from 22 9000002", "lepton N")),
        (r"1\.0565837550e-01", "1.0565837550e+02", ("LHE files are in GeV",)),
        (r"1\.0000000000e-01", "2.0000000000e-01", ("mass of S", "0.1 GeV in the card")),
        (r"1\.7124585696e\+02 0", "1.9300000000e+02 0", ("193", "W of 171.25 GeV")),
        (r"\+5\.9970501602e-01", "+5.9970501602e-02", ("event 1", "conserved")),
        (r"<init>\n.*\n.*\n", "<init>\n 13 1 1 1 0 0 0 0 -3 1\n 0 0 0 1\n", ("not positive",)),
    ],
)
def test_refuse_other_processes(tmp_path, pattern, text, words):
    """Other particles, units, masses, targets: one line says which; fails if such events are reweighted."""
    _refused(_changed(tmp_path, pattern, text), *words, card=load_card("fermilab"))


def test_madgraph_needs_its_experiment(file, capsys):
    """No card, a card of other energies or a file with its own card: status 2; fails if a number comes out."""
    for arguments in (
        [str(MADGRAPH)],
        [str(MADGRAPH), "--card", "na64"],
        [str(file.path), "--card", "fermilab"],
        [str(MADGRAPH), "--card", "fermilab", "--method", "vertex"],
    ):
        assert main(["reweight", *arguments]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert main(["reweight", str(MADGRAPH), "--card", "fermilab", "--g-mu", "1e-4", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["rows"] == []
    assert len(document["sigma_tilde"]) == 1
    assert math.isfinite(document["sigma_tilde"][0]["sigma_tilde_cm2"])
    assert main(["reweight", str(MADGRAPH), "--card", "fermilab", "--g-mu", "1e-4"]) == 0
    assert "sigma~ [cm2]" in capsys.readouterr().out
