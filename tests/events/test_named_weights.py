"""Alternative weights through every format and back, and as other programs read them by their standard fields."""

import gzip
import json
import re
import warnings

import numpy as np
import pyarrow.parquet as pq
import pyhepmc
import pylhe
import pytest
import uproot
from conftest import REFERENCE

from mcgen import export, load, load_card, reweight, save
from mcgen.base.errors import InputError
from mcgen.cli import main
from mcgen.events.formats.lhe_foreign import LostWeightsWarning, PlaceWarning
from mcgen.events.formats.lhe_named import declared

EVENTS, WEIGHTS = 30, 145
#: names and texts that ask for an escape in one format or another
NAMES = ["1001", "mu_R=2 & mu_F<1", "50%", 'a "quoted" one', "pdf|90900", *(f"{i:04d}" for i in range(5, WEIGHTS))]
TEXTS = [f"dyn=-1 muR=0.{i}E+01 <&> muF='{i}'" for i in range(WEIGHTS)]
GROUPS = ["Central scale variation"] * 9 + [""] + ["NNPDF31 & more"] * (WEIGHTS - 10)
FORMATS = ["root", "parquet", "lhe", "lhe.gz", "h5", "hepmc3"]

pytestmark = pytest.mark.filterwarnings("ignore::mcgen.analysis.reweight.LowStatisticsWarning")


def _escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


@pytest.fixture(scope="module")
def factors():
    """Weights over the nominal one, of any sign and size."""
    rng = np.random.default_rng(4)
    return np.round(rng.normal(1.0, 2.0, (EVENTS, WEIGHTS)), 6) * 10.0 ** rng.integers(-8, 3, WEIGHTS)


@pytest.fixture(scope="module")
def madgraph(factors):
    """Events of MadGraph as text, with weights as its systematics module writes them."""
    text = gzip.decompress((REFERENCE / "madgraph_W_1GeV_mS0.1.lhe.gz").read_bytes()).decode()
    head, events = text[: text.index("<event>")], re.findall(r"<event>.*?</event>\n", text, re.DOTALL)[:EVENTS]
    lines, open_group = ["<initrwgt>"], ""
    for name, says, group in zip(NAMES, TEXTS, GROUPS, strict=True):
        if group != open_group:
            lines += ["</weightgroup>"] if open_group else []
            lines += [f'<weightgroup name="{_escaped(group)}" combine="envelope">'] if group else []
            open_group = group
        lines.append(f'<weight id="{_escaped(name)}" MUR="2.0" > {_escaped(says)}  </weight>')
    head = re.sub(r"<header>.*</header>", "<header>\n</header>", head, flags=re.DOTALL)
    head = head.replace("</header>", "\n".join([*lines, "</weightgroup>", "</initrwgt>", "</header>"]))
    for i, event in enumerate(events):
        nominal = float(event.splitlines()[1].split()[2])
        rows = zip(NAMES, factors[i], strict=True)
        wgts = "\n".join(f'<wgt id="{_escaped(name)}"> {nominal * factor:+.17e} </wgt>' for name, factor in rows)
        events[i] = event.replace("</event>", f"<rwgt>\n{wgts}\n</rwgt>\n</event>")
    return "".join([head, *events, "</LesHouchesEvents>\n"])


@pytest.fixture(scope="module")
def card():
    return load_card("fermilab")


@pytest.fixture(scope="module")
def foreign(madgraph, card, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "madgraph.lhe"
    path.write_text(madgraph)
    return load(path, card=card)


def _matrix(file):
    columns = file.read().columns
    return np.stack([columns[f"weight_{i}"] for i in range(1, WEIGHTS + 1)], axis=1), columns["weight"]


def test_foreign_weights(foreign, factors):
    """Every weight over the nominal one is what the file says, with name, text and group; fails if one is shifted."""
    found, nominal = _matrix(foreign)
    np.testing.assert_allclose(found, nominal[:, None] * factors, rtol=1e-14)
    rows = foreign.metadata["weights"]
    assert [row["name"] for row in rows] == NAMES
    assert [row["text"] for row in rows] == TEXTS
    assert [row.get("group", "") for row in rows] == GROUPS
    assert all(row["attributes"] == {"MUR": "2.0"} for row in rows)


@pytest.mark.parametrize("first", FORMATS)
def test_every_pair_of_formats(foreign, tmp_path, first):
    """All 145 weights with their names go through each pair of formats bit for bit; fails for one digit less."""
    expected, _ = _matrix(foreign)
    one = load(export(foreign, tmp_path / f"one.{first}"))
    for second in FORMATS:
        two = load(export(one, tmp_path / f"two.{second}"))
        np.testing.assert_array_equal(_matrix(two)[0], expected)
        assert two.metadata["weights"] == foreign.metadata["weights"]
        assert two.content_sha256() == two.metadata["content_sha256"] == one.metadata["content_sha256"]
    assert load(save(two, tmp_path / "three.root").path).metadata["weights"] == foreign.metadata["weights"]


def test_layout_of_particles(foreign, tmp_path):
    """The layout of NanoAOD keeps them too; fails if only the flat tree does."""
    found = load(export(foreign, tmp_path / "nano.root", layout="particles"))
    np.testing.assert_array_equal(_matrix(found)[0], _matrix(foreign)[0])


def test_other_programs(foreign, tmp_path, factors):
    """pylhe, pyhepmc, uproot and pyarrow find the weights by name; fails for another unit than the nominal weight's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lhe = pylhe.LHEFile.fromfile(export(foreign, tmp_path / "e.lhe"))
        events = list(lhe.events)
    names = lhe.header.initrwgt.weights_by_id()
    assert list(names) == NAMES
    assert [row.name for row in names.values()] == TEXTS
    for event, row in zip(events, factors, strict=True):
        values = np.array([event.weights[name] for name in NAMES])
        np.testing.assert_allclose(values, event.eventinfo.weight * row, rtol=1e-14)
    packed = pylhe.LHEFile.fromfile(export(foreign, tmp_path / "e.h5"))
    assert [row.name for row in packed.header.initrwgt.weights_by_id().values()] == TEXTS
    for event, other in zip(packed.events, events, strict=True):
        assert event.weights == other.weights
    with pyhepmc.open(export(foreign, tmp_path / "e.hepmc3")) as stream:
        events = list(stream)
    for event, row in zip(events, factors, strict=True):
        values = [event.weight("_".join(name.split())) for name in NAMES]
        np.testing.assert_allclose(values, event.weights[0] * row, rtol=1e-14)
    sums = np.sum([event.weights for event in events], axis=0)
    first = events[0].cross_section
    np.testing.assert_allclose([first.xsec(i) for i in range(WEIGHTS + 1)], sums, rtol=1e-8)  # it writes 9 digits
    with uproot.open(export(foreign, tmp_path / "e.root")) as file:
        about = {row["name"]: f"weight_{i}" for i, row in enumerate(json.loads(str(file["metadata"]))["weights"], 1)}
        np.testing.assert_array_equal(file["events"][about["50%"]].array(library="np"), _matrix(foreign)[0][:, 2])
    table = pq.read_table(export(foreign, tmp_path / "e.parquet"))
    np.testing.assert_array_equal(table["weight_145"].to_numpy(), _matrix(foreign)[0][:, 144])


def test_reweight_by_name(foreign, capsys, tmp_path):
    """sigma~ goes with the sum of the weight of a name, others are refused; fails if the nominal one is used."""
    found, nominal = _matrix(foreign)
    plain, other = (reweight(foreign, "A", [1e-4], weight=name).sigma_tilde[0][0] for name in (None, "1001"))
    assert other.value / plain.value == pytest.approx(found[:, 0].sum() / nominal.sum(), rel=0.2)
    path = export(foreign, tmp_path / "events.root")
    assert main(["reweight", str(path), "--weight", "1002", "--g-mu", "1e-4"]) == 2
    assert "weight: '1002' is not known (did you mean '1001'?)" in capsys.readouterr().err
    assert main(["reweight", str(path), "--weight", "1001", "--g-mu", "1e-4", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["weight"] == "1001"
    assert main(["info", str(path)]) == 0
    shown = capsys.readouterr().out
    assert all(f"weight {name}" in shown and says in shown for name, says in zip(NAMES, TEXTS, strict=True))


def _changed(madgraph, card, tmp_path, change):
    path = tmp_path / "changed.lhe"
    path.write_text(change(madgraph))
    return load(path, card=card)


#: other ways to write the same weights
FORMS = {
    "close tags": lambda t: re.sub(r"> (\S+) </wgt>", r">\1</wgt>", t),
    "single quotes": lambda t: re.sub(r'id="(\w+)"', r"id = '\1'", t),
    "one line": lambda t: re.sub(r"</wgt>\n<wgt", "</wgt><wgt", t),
    "UTF-8": lambda t: '<?xml version="1.0" encoding="UTF-8"?>\n' + t,
    "a list": lambda t: re.sub(
        r"<rwgt>(.*?)</rwgt>",
        lambda m: "<weights>" + " ".join(re.findall(r"> (\S+) </wgt>", m[1])) + "</weights>",
        t,
        flags=re.DOTALL,
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(foreign, madgraph, card, tmp_path, form):
    """The same weights however they are written; fails if names are told by their place in the text."""
    found = _changed(madgraph, card, tmp_path, FORMS[form])
    assert found.metadata["weights"] == foreign.metadata["weights"]
    np.testing.assert_array_equal(_matrix(found)[0], _matrix(foreign)[0])


def test_names_that_no_block_declares(foreign, madgraph, card, tmp_path):
    """Without <initrwgt> the weights are there by name alone; fails if they are lost."""
    found = _changed(madgraph, card, tmp_path, lambda t: re.sub(r"<initrwgt>.*</initrwgt>", "", t, flags=re.DOTALL))
    assert found.metadata["weights"] == [{"name": name} for name in NAMES]
    np.testing.assert_array_equal(_matrix(found)[0], _matrix(foreign)[0])


@pytest.mark.parametrize("at", [0, 7])
@pytest.mark.parametrize("becomes", ["", r'<wgt id="1001"> nan </wgt>'])
def test_lost_weights(madgraph, card, tmp_path, at, becomes):
    """A weight that one event lacks, or that is NaN there, is left out with a warning; fails for a NaN in a column."""

    def change(text):
        pieces = text.split("<event>")
        pieces[at + 1] = re.sub(r'<wgt id="1001">.*?</wgt>', becomes, pieces[at + 1])
        return "<event>".join(pieces)

    with pytest.warns(LostWeightsWarning, match="left out: 1001"):
        file = _changed(madgraph, card, tmp_path, change)
    assert [row["name"] for row in file.metadata["weights"]] == NAMES[1:]
    assert np.isfinite(file.read().columns["weight_144"]).all()


def test_numbers_inside_names(madgraph, card, tmp_path):
    """Names with a number between blanks are names; fails if events of other names count as alike."""
    found = _changed(madgraph, card, tmp_path, lambda t: t.replace('id="1001"', 'id="mu 2 x"'))
    assert found.metadata["weights"][0]["name"] == "mu 2 x"


def test_reserved_names(madgraph, card, tmp_path):
    """HepMC3 takes no name twice; fails if a weight of another generator may not be called nominal."""
    found = _changed(madgraph, card, tmp_path, lambda t: t.replace('id="1001"', 'id="nominal"'))
    with pyhepmc.open(export(found, tmp_path / "e.hepmc3")) as stream:
        assert next(iter(stream)).run_info.weight_names[:3] == ["nominal", "nominal_", "mu_R=2_&_mu_F<1"]


def test_declared():
    """Entries with and without text and groups; fails if an empty one takes the text of the next."""
    text = "<weight id='a'/><weightgroup type='g'><weight id=\"b\"> x\n y </weight></weightgroup><weight>z</weight>"
    assert declared(text) == {"a": {"name": "a"}, "b": {"name": "b", "text": "x y", "group": "g"}}
    assert declared("<weight id='&#233;'>J\xc3\xa9</weight>") == {"é": {"name": "é", "text": "Jé"}}


def test_refuse_missing_branches(foreign, tmp_path):
    """A file whose metadata promise more weights than it has is refused; fails if it fails later."""
    columns = foreign.read().columns
    del columns["weight_7"]
    with pytest.raises(InputError, match="do not match its metadata"):
        save(type(foreign.read())(foreign.metadata, columns), tmp_path / "few.root")


def _placed(text, places):
    pieces = text.split("</event>")
    lines = [f"#vertex {' '.join(map(repr, place))}\n" if place else "" for place in places]
    return "".join(piece + line + "</event>" for piece, line in zip(pieces, lines, strict=False)) + pieces[-1]


@pytest.fixture(scope="module")
def places():
    rng = np.random.default_rng(2)
    return np.column_stack([rng.normal(0.0, 3.0, (EVENTS, 2)), rng.uniform(0.0, 100.0, EVENTS)]).round(6)


def test_places_of_other_generators(madgraph, card, tmp_path, places):
    """#vertex in mm is the place in cm, also after an export; fails for mm, or for places of neighbours."""
    found = _changed(madgraph, card, tmp_path, lambda t: _placed(t, places.tolist()))
    for file in (found, load(export(found, tmp_path / "again.lhe"))):
        columns = file.read().columns
        read = np.stack([columns[f"vertex_{axis}_cm"] for axis in "xyz"], axis=1)
        np.testing.assert_allclose(10.0 * read, places, rtol=1e-15)
        np.testing.assert_array_equal(columns["depth_cm"], columns["vertex_z_cm"])
        assert _matrix(file)[0].shape == (EVENTS, WEIGHTS)
    lines = [line for line in (tmp_path / "again.lhe").read_text().splitlines() if line.startswith("#vertex")]
    np.testing.assert_allclose([[float(x) for x in line.split()[1:]] for line in lines], places, rtol=1e-15)


@pytest.mark.parametrize("at", [0, 5])
def test_places_that_are_not_used(foreign, madgraph, card, tmp_path, places, at):
    """An event without a place, or one outside the target: the place is that of the energy; fails for a NaN."""
    some = places.tolist()
    some[at] = None
    expected = foreign.read().columns["vertex_z_cm"]
    found = _changed(madgraph, card, tmp_path, lambda t: _placed(t, some))
    np.testing.assert_array_equal(found.read().columns["vertex_z_cm"], expected)
    some[at] = [0.0, 0.0, -1.0]
    with pytest.warns(PlaceWarning, match="z = -0.1 to"):
        found = _changed(madgraph, card, tmp_path, lambda t: _placed(t, some))
    np.testing.assert_array_equal(found.read().columns["vertex_z_cm"], expected)


def test_weights_of_a_foreign_hepmc_file(foreign, factors, card, tmp_path):
    """Named weights of another generator's HepMC3 file are read; fails if one is lost, or the nominal is one."""
    own = export(foreign, tmp_path / "own.hepmc3")
    lines = [line for line in own.read_text().splitlines(keepends=True) if not re.match(r"A (0 )?mcgen ", line)]
    (tmp_path / "theirs.hepmc3").write_text("".join(lines))
    found = load(tmp_path / "theirs.hepmc3", card=card)
    assert [row["name"] for row in found.metadata["weights"]] == ["_".join(name.split()) for name in NAMES]
    weights, nominal = _matrix(found)
    np.testing.assert_allclose(weights, nominal[:, None] * factors, rtol=1e-12)
