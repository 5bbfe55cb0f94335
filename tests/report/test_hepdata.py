"""Submissions to HEPData as a foreign reader takes them: PyYAML, pandas and hepdata-validator, nothing of mcgen."""

from __future__ import annotations

import json
import math
import shutil
import sys
import warnings
from dataclasses import fields, replace

import pytest

import mcgen
from mcgen.analysis.reach_rows import ReachPoint
from mcgen.analysis.variations import LeftOutWarning
from mcgen.base.errors import InputError, McgenWarning
from mcgen.cli import main
from mcgen.report import hepdata

yaml = pytest.importorskip("yaml")
#: hepdata-validator unpacks without a filter, of which Python 3.12 and 3.13 warn
pytestmark = pytest.mark.filterwarnings("ignore:Python 3.14 will, by default, filter:DeprecationWarning")
with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of what it imports
    validator = pytest.importorskip("hepdata_validator.full_submission_validator")
#: how numbers come back
EXACT = {"rel": 1e-12, "abs": 0.0}
BANDS = {"minus_2": (2, "minus"), "minus_1": (1, "minus"), "plus_1": (1, "plus"), "plus_2": (2, "plus")}


def faults(**where):
    """What the validator says of a folder or an archive."""
    check = validator.FullSubmissionValidator(schema_version="1.1.1")
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):  # it leaves files to be closed later
        valid = check.validate(**{kind: str(path) for kind, path in where.items()})
    found = [message.message for messages in check.get_messages().values() for message in messages]
    assert valid == (not found)
    return found


def tables(folder):
    """Entry and data of each table, by its name."""
    entries = list(yaml.safe_load_all((folder / "submission.yaml").read_text()))[1:]
    return {entry["name"]: (entry, yaml.safe_load((folder / entry["data_file"]).read_text())) for entry in entries}


def variables(data):
    """Values with their errors, of each variable by its name."""
    both = data["independent_variables"] + data["dependent_variables"]
    return {one["header"]["name"]: one["values"] for one in both}


def number(cell):
    return None if cell["value"] == "-" else cell["value"]


def errors(cell):
    return {one["label"]: one.get("symerror", one.get("asymerror")) for one in cell.get("errors", ())}


def qualifiers(data):
    return {one["name"]: one["value"] for one in data["dependent_variables"][0]["qualifiers"]}


def end_of_band(columns, name, i, band, falls):
    """An end of a band: a column of its own, or the expected value and its error; `falls` with more events."""
    sigmas, side = BANDS[band]
    words = f"{name}, {sigmas} sigma {'fewer' if side == 'minus' else 'more'} events"
    if words in columns:
        return number(columns[words][i])
    expected, shift = number(columns[name][i]), errors(columns[name][i]).get(f"{sigmas} sigma")
    if shift is None or expected is None:
        return expected
    side = {"minus": "plus", "plus": "minus"}[side] if falls else side
    return None if shift[side] == "" else expected + shift[side]


def contour(data):
    """Fields of each row, from the YAML alone."""
    columns, found = variables(data), []
    for i, mass in enumerate(columns["M(S)"]):
        row = {"mass_gev": number(mass), "limit_events": number(columns["Signal events at the limit"][i])}
        for field, words in (("g_low", "lower end"), ("g_high", "upper end")):
            cell = columns[f"$g_\\mu$, {words}"][i]
            row |= {field: number(cell), f"{field}_error": errors(cell).get("stat")}
            for end, kind in (("min", "lowest"), ("max", "highest")):
                if f"$g_\\mu$, {kind} {words}" in columns:
                    row[f"{field}_{end}"] = number(columns[f"$g_\\mu$, {kind} {words}"][i])
            name, ending = f"$g_\\mu$, expected {words}", "_high" if field == "g_high" else ""
            if name in columns:
                row[f"expected{ending}"] = number(columns[name][i])
                for band in BANDS:
                    row[f"{band}{ending}"] = end_of_band(columns, name, i, band, bool(ending))
        name = "Signal events at the expected limit"
        if name in columns:
            row["limits"] = {band: end_of_band(columns, name, i, band, False) for band in BANDS}
            row["limits"]["expected"] = number(columns[name][i])
        found.append(row)
    return found


def compare(rows, points):
    """Every number of the points comes back, and nothing else."""
    assert len(rows) == len(points)
    for row, point in zip(rows, points, strict=True):
        for field in (f.name for f in fields(ReachPoint) if f.name not in _WORDS):
            value, there = getattr(point, field), row.get(field)
            if field == "limits":
                assert there == (None if value is None else pytest.approx(dict(value), **EXACT))
            elif value is None or value == math.inf:
                assert there is None, field
            else:
                assert there == pytest.approx(value, **EXACT), field


_WORDS = ("experiment", "model", "production", "method", "observed", "confidence", "varied")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder of two experiments by the command: one that counts, with bands, and one that does not."""
    folder = tmp_path_factory.mktemp("hepdata") / "two.hepdata"
    arguments = ["reach", "fermilab,na64mu-2022", "--mass", "10MeV,30MeV,100MeV,140MeV,400MeV", "-o", str(folder)]
    with warnings.catch_warnings(action="ignore", category=McgenWarning):
        assert main([*arguments, "--json"]) == 0
    return folder


@pytest.mark.parametrize("experiment", ["fermilab", "na64mu-2022"])
def test_contours(made, experiment):
    """All columns of `mcgen.reach` from the YAML alone, one table for each model; fails if a digit or a row is lost."""
    with warnings.catch_warnings(action="ignore", category=McgenWarning):
        points = mcgen.reach(experiment, None, "10MeV,30MeV,100MeV,140MeV,400MeV")
    for model in ("A", "B"):
        _, data = tables(made)[f"Contour of {experiment}, model {model}, exact"]
        compare(contour(data), [point for point in points if point.model == model])
        assert data["independent_variables"][0]["header"] == {"name": "M(S)", "units": "GeV"}


@pytest.mark.parametrize("kind", ["zip", "gztar"])
def test_archives(made, tmp_path, kind):
    """The folder, and what one uploads, are valid; fails if a file is not named in it or a key is no key of HEPData."""
    assert faults(directory=made) == []
    assert faults(archive=shutil.make_archive(str(tmp_path / "upload"), kind, made)) == []


def test_the_validator_sees_faults(made, tmp_path):
    """A stray file and a number that is none are found; fails if the validator looks at nothing."""
    shutil.copytree(made, tmp_path / "x")
    (tmp_path / "x" / "notes.txt").write_text("")
    assert faults(directory=tmp_path / "x") == ["notes.txt is not referenced in the submission."]
    path = tmp_path / "x" / "reach_fermilab-a-exact.yaml"
    path.write_text(path.read_text().replace("value: 0.01", "value: [0.01]"))
    assert len(faults(directory=tmp_path / "x")) > 1


def test_what_is_said(made):
    """Reaction, exposure, limit, words and command of each table; fails if a reader must ask the authors."""
    entry, data = tables(made)["Contour of na64mu-2022, model A, exact"]
    found = qualifiers(data)
    assert found["RE"] == "MU- NUCLEUS --> MU- NUCLEUS SCALAR"
    assert (found["Muons on target"], found["Form factor"], found["Energy loss"]) == (1.98e10, "tsai", "table")
    assert (found["Limit"], found["Confidence level"], found["Observed events"]) == ("CLs", 90.0, 0)
    assert "SQRT(S)" not in found
    assert qualifiers(tables(made)["Contour of fermilab, model A, exact"][1])["Energy loss"] == "constant"
    assert {one["name"] for one in entry["keywords"]} == {"reactions", "observables", "phrases"}
    head = next(yaml.safe_load_all((made / "submission.yaml").read_text()))
    for text in (entry["description"], head["comment"]):
        assert f"mcgen {mcgen.__version__}" in text
    assert "arXiv:1701.07437" in entry["description"]
    document = json.loads((made / "provenance.json").read_text())
    assert [one["card"] for one in document["cards"]] == [mcgen.load_card(n).text for n in ("fermilab", "na64mu-2022")]


def test_numbers_are_read_as_numbers(made):
    """YAML 1.1 takes 1e-05 for a text, 1.0e-05 for a number; fails if a column holds texts other than '-'."""
    for _, data in tables(made).values():
        for values in variables(data).values():
            assert all(isinstance(cell["value"], float) or cell["value"] == "-" for cell in values)
            assert all(not isinstance(cell["value"], float) or math.isfinite(cell["value"]) for cell in values)


def test_csv(made):
    """The same numbers by pandas, with units in the names and `#:` lines above; fails if a comma breaks a line."""
    pandas = pytest.importorskip("pandas")
    for entry, data in tables(made).values():
        path = made / entry["data_file"].replace("yaml", "csv")
        above = [line for line in path.read_text().splitlines() if line.startswith("#")]
        assert above[0] == f"#: name: {entry['name']}"
        assert all(line.startswith("#: ") for line in above)
        said = dict(line[3:].split(": ", 1) for line in above)
        assert said["RE"] == qualifiers(data)["RE"]
        assert said["Muons on target"] == str(qualifiers(data)["Muons on target"])
        assert said["command"] == json.loads((made / "provenance.json").read_text())["command"]
        frame = pandas.read_csv(path, comment="#", na_values="-")
        assert frame.columns.is_unique
        assert [*frame.columns][:3] == ["M(S) [GeV]", "$g_\\mu$, lower end", "$g_\\mu$, upper end"]
        for name, values in variables(data).items():
            column = frame["M(S) [GeV]" if name == "M(S)" else name]
            assert [None if math.isnan(x) else x for x in column] == [number(cell) for cell in values]
            for label in ("1 sigma", "2 sigma"):
                if f"{name}, {label} +" in frame:
                    ends = [errors(cell).get(label, {"plus": math.nan})["plus"] for cell in values]
                    assert frame[f"{name}, {label} +"].tolist() == pytest.approx(ends, nan_ok=True, rel=0.0, abs=0.0)


FULL = ReachPoint(
    "fermilab", "A", "exact", 0.1, 1.0 / 3e4, math.inf, 3.1, "cls", 2, 0.9,
    2e-5, 1e-5, 1.5e-5, 2.5e-5, 3e-5, 2e-3, 4e-3, 3e-3, 1.5e-3, 1e-3,
    {"minus_2": 1.0, "minus_1": 2.0, "expected": 3.0, "plus_1": 4.0, "plus_2": 5.0},
)  # fmt: skip
NOTHING = dict.fromkeys(["g_low", "g_high", *(f"{n}{e}" for n in (*BANDS, "expected") for e in ("", "_high"))])
EDGES = {
    "full": [FULL],
    "one mass twice": [FULL, replace(FULL, g_low=2e-3, g_high=3e-3)],
    "nothing": [FULL, replace(FULL, **NOTHING)],
    "nothing at all": [replace(FULL, **NOTHING)],
    "no band above": [replace(FULL, plus_2=None, plus_2_high=None, plus_1=None, plus_1_high=None)],
    "without the median": [FULL, replace(FULL, **(NOTHING | {"minus_2": 1e-5, "minus_2_high": 2e-5}))],
    "expected": [replace(FULL, observed=None)],
    "errors": [replace(FULL, g_high=2e-3, g_low_error=1e-7, g_high_error=None), FULL],
    "no error": [replace(FULL, g_low_error=0.0, g_high_error=0.0, g_high=1.0)],
    "band": [
        replace(FULL, g_low_min=1e-5, g_low_max=4e-5, g_high_min=None, g_high_max=2e-3, varied="form factor tsai, helm")
    ],
    "points": [replace(FULL, minus_1=FULL.expected, plus_1=FULL.expected, minus_1_high=FULL.expected_high)],
}


@pytest.mark.parametrize("name", EDGES)
def test_every_kind_of_row(name, tmp_path):
    """Open and missing ends, one-sided bands and zeros come back, and HEPData takes them; fails if one is dropped."""
    folder = mcgen.save_reach(EDGES[name], tmp_path / "x.hepdata", "fermilab")
    assert faults(directory=folder) == []
    ((_, data),) = tables(folder).values()
    points = EDGES[name]
    if name == "no error":  # HEPData refuses a value all of whose errors are 0
        points = [replace(FULL, g_high=1.0)]
    compare(contour(data), points)


def test_towers(tmp_path, capsys):
    """How many scalars add up stands beside the limit; fails if a tower is told as one S."""
    tower = ["--states", "3", "--spacing", "10MeV"]
    assert main(["reach", "fermilab", "--mass", "50MeV", *tower, "-o", str(tmp_path / "x.hepdata")]) == 0
    capsys.readouterr()
    assert faults(directory=tmp_path / "x.hepdata") == []
    for _, data in tables(tmp_path / "x.hepdata").values():
        assert (qualifiers(data)["Scalars in a tower"], qualifiers(data)["Spacing of their masses"]) == (3, 0.01)


def test_contours_from_events(tmp_path, capsys):
    """Statistical errors of the ends, and which files; fails if they are mixed up, or the provenance is empty."""
    events = mcgen.generate("fermilab", 0.1, 2000, output=tmp_path / "e.root")
    points = mcgen.reach_from_events(events.path, "A,B")
    assert main(["reach", "--events", str(events.path), "--model", "A,B", "-o", str(tmp_path / "x.hepdata")]) == 0
    assert main(["reach", "--events", str(events.path), "--model", "A,B", "-o", str(tmp_path / "x.csv")]) == 0
    capsys.readouterr()
    assert faults(directory=tmp_path / "x.hepdata") == []
    for model in "AB":
        _, data = tables(tmp_path / "x.hepdata")[f"Contour of fermilab, model {model}, events"]
        compare(contour(data), [point for point in points if point.model == model])
        assert qualifiers(data)["Production"] == "full phase space, Monte Carlo events"
    assert points[0].g_low_error > 0.0
    for path in ("x.hepdata/provenance.json", "x.csv.json"):
        document = json.loads((tmp_path / path).read_text())
        assert document["made_of"] == [events.content_sha256()]
        assert document["card"] == events.metadata["card"]


@pytest.fixture(scope="module")
def whole():
    """A grid with a band."""
    with warnings.catch_warnings(action="ignore", category=LeftOutWarning):
        return mcgen.grid("fermilab", "A,B", "10MeV,30MeV,100MeV", "1e-5:1e-1:5", band="form-factor")


def test_grids(whole, tmp_path):
    """N_S with its error and its band at each point, as `mcgen.n_signal` has it; fails if mass and coupling swap."""
    folder = mcgen.save_grid(whole, tmp_path / "g.hepdata")
    assert faults(directory=folder) == []
    assert faults(archive=shutil.make_archive(str(tmp_path / "upload"), "zip", folder)) == []
    for model in "AB":
        _, data = tables(folder)[f"Signal events of fermilab, model {model}, exact"]
        columns = variables(data)
        points = [point for point in whole.rows if point.model == model]
        rows = list(zip(columns["M(S)"], columns["$g_\\mu$"], columns["N_S"], strict=True))
        for point, (mass, g_mu, cell) in zip(points, rows, strict=True):
            assert number(cell) == pytest.approx(point.n_signal, **EXACT)
            again = mcgen.n_signal("fermilab", model, number(mass), number(g_mu)).value
            assert number(cell) == pytest.approx(again, rel=1e-9, abs=1e-300)
            assert errors(cell).get("numerical", 0.0) == pytest.approx(point.error, **EXACT)
        for name, field in (("Lowest N_S", "n_signal_min"), ("Highest N_S", "n_signal_max")):
            there = [number(cell) for cell in columns[name]]
            assert there == pytest.approx([getattr(point, field) for point in points], **EXACT)
        assert "Effective Monte Carlo events" not in columns


def test_grids_from_events(tmp_path):
    """Statistical errors and effective events, and which files; fails if one is lost."""
    events = mcgen.generate("fermilab", 0.1, 2000, output=tmp_path / "e.root")
    found = mcgen.grid_from_events(events.path, "A", [1e-5, 1e-4])
    folder = mcgen.save_grid(found, tmp_path / "g.hepdata")
    assert faults(directory=folder) == []
    columns = variables(tables(folder)["Signal events of fermilab, model A, events"][1])
    assert [errors(cell)["stat"] for cell in columns["N_S"]] == pytest.approx([r.error for r in found.rows], **EXACT)
    there = [number(cell) for cell in columns["Effective Monte Carlo events"]]
    assert there == pytest.approx([row.n_eff for row in found.rows], **EXACT)
    assert json.loads((folder / "provenance.json").read_text())["made_of"] == [events.content_sha256()]


def test_colliders(tmp_path):
    """SQRT(S), luminosity and cmenergies, and no target; fails if a collider is told as a beam."""
    found = mcgen.grid("belle2-tautau", None, "100MeV", "1e-3")
    folder = mcgen.save_grid(found, tmp_path / "g.hepdata")
    assert faults(directory=folder) == []
    for entry, data in tables(folder).values():
        said, card = qualifiers(data), found.card
        assert said["RE"] == "E+ E- --> TAU+ TAU- SCALAR"
        assert (said["SQRT(S)"], said["Luminosity"]) == (card.collider.E_cm, card.collider.luminosity)
        assert "Target" not in said
        assert {"name": "cmenergies", "values": [card.collider.E_cm]} in entry["keywords"]


def test_a_flavour_that_changes(tmp_path):
    """The outgoing lepton stands in the reaction; fails if it is that of the beam."""
    folder = mcgen.save_grid(mcgen.grid("muon-to-tau", None, "100MeV", "1e-3"), tmp_path / "g.hepdata")
    assert all(qualifiers(data)["RE"].startswith("MU") for _, data in tables(folder).values())
    assert all(" --> TAU" in qualifiers(data)["RE"] for _, data in tables(folder).values())
    assert faults(directory=folder) == []


HOSTILE = "a: 'b' \"c\"\n- d: {e}, [f] # g \u00b5 \u2028 %TAG & *x ../../y <b> \t --> " + 60 * "z"


def test_hostile_names(whole, monkeypatch, tmp_path):
    """Quotes, colons, ends of lines and bytes that are no text: all stays valid; fails where one breaks a file.

    Cards allow no such names today, but materials do, and what is typed in a command.
    """
    monkeypatch.setattr(sys, "argv", ["mcgen", "grid", f"{HOSTILE}\udcff"])
    target = whole.card.target.model_copy(update={"material": HOSTILE, "process": HOSTILE})
    card = whole.card.model_copy(update={"name": HOSTILE, "target": target})
    folder = mcgen.save_grid(replace(whole, card=card), tmp_path / "g.hepdata")
    assert faults(directory=folder) == []
    assert faults(archive=shutil.make_archive(str(tmp_path / "upload"), "gztar", folder)) == []
    assert len(tables(folder)) == 2  # two long names that begin alike
    for path in folder.glob("*.csv"):
        lines = path.read_text(encoding="utf-8").split("\n")
        start = next(i for i, line in enumerate(lines) if not line.startswith("#: "))
        assert lines[start].startswith("M(S) [GeV],")
        assert len(lines) == start + 1 + 15 + 1
    point = replace(FULL, experiment=HOSTILE)
    other = mcgen.save_reach([point, replace(point, model=f"{HOSTILE}\udcff")], tmp_path / "r.hepdata", card)
    assert faults(directory=other) == []


def test_commands_and_functions_write_the_same(tmp_path, capsys):
    """`save_reach` finds the folder of the command the same and leaves it alone; fails if one says more."""
    folder = tmp_path / "x.hepdata"
    assert main(["reach", "fermilab", "--mass", "10MeV,100MeV", "-o", str(folder)]) == 0
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    mcgen.save_reach(mcgen.reach("fermilab", None, "10MeV,100MeV"), folder, "fermilab")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    with pytest.raises(InputError, match="is there with other content"):
        mcgen.save_reach(mcgen.reach("fermilab", None, "10MeV,90MeV"), folder, "fermilab")
    mcgen.save_reach(mcgen.reach("fermilab", "A", "90MeV"), folder, "fermilab", overwrite=True)
    assert faults(directory=folder) == []
    assert not (folder / "reach_fermilab-b-exact.yaml").exists()  # of a model that is not there any more
    capsys.readouterr()


def test_a_table_for_an_author(tmp_path, capsys):
    """What an author has written into submission.yaml stays when the command runs again; fails if it is undone."""
    folder = tmp_path / "x.hepdata"
    assert main(["reach", "fermilab", "--mass", "100MeV", "-o", str(folder)]) == 0
    path = folder / "submission.yaml"
    path.write_text(path.read_text().replace("Exclusion contours", "Our contours"))
    assert main(["reach", "fermilab", "--mass", "100MeV", "-o", str(folder)]) == 0
    assert "Our contours" in path.read_text()
    assert "left alone" in capsys.readouterr().err


def test_figures(tmp_path, capsys):
    """A .png goes in with a small one that HEPData shows, another picture does not; fails if one is not named."""
    image = pytest.importorskip("PIL.Image")
    arguments = ["reach", "fermilab", "--mass", "10MeV,100MeV", "--plot"]
    assert main([*arguments, str(tmp_path / "a.png"), "-o", str(tmp_path / "a.hepdata")]) == 0
    assert main([*arguments, str(tmp_path / "b.svg"), "-o", str(tmp_path / "b.hepdata")]) == 0
    capsys.readouterr()
    assert faults(directory=tmp_path / "a.hepdata") == []
    assert faults(directory=tmp_path / "b.hepdata") == []
    assert (tmp_path / "a.hepdata" / "figure.png").read_bytes() == (tmp_path / "a.png").read_bytes()
    with image.open(tmp_path / "a.hepdata" / "thumb_figure.png") as small:
        assert max(small.size) == 240 or small.size[1] == 180
    assert not [*(tmp_path / "b.hepdata").glob("*.png")]


def test_refusals(whole, monkeypatch, tmp_path, capsys):
    """What cannot be submitted is said in one line, and no folder is left; fails if a part of one stays."""
    with pytest.raises(InputError, match="the card of fermilab is needed"):
        mcgen.save_reach([FULL], tmp_path / "x.hepdata")
    with pytest.raises(InputError, match="no contours"):
        mcgen.save_reach([], tmp_path / "x.hepdata", "fermilab")
    card = mcgen.load_card("fermilab")
    other = card.model_copy(update={"beam": card.beam.model_copy(update={"energy": 4.0})})
    other._text = card.text.replace("3 GeV", "4 GeV")
    with pytest.raises(InputError, match="two cards are called fermilab"):
        mcgen.save_reach([FULL], tmp_path / "x.hepdata", [card, other])
    monkeypatch.setattr(validator, "INDIVIDUAL_FILE_SIZE_LIMIT", 1000)
    with pytest.raises(InputError, match="bigger than the limit") as error:
        mcgen.save_grid(whole, tmp_path / "x.hepdata")
    assert len(str(error.value).splitlines()) == 1
    assert [*tmp_path.iterdir()] == []
    monkeypatch.setitem(sys.modules, "hepdata_validator", None)
    for command in (["reach", "fermilab"], ["grid", "fermilab"]):
        assert main([*command, "-o", str(tmp_path / "x.hepdata")]) == 2
        err = capsys.readouterr().err
        assert len(err.splitlines()) == 1
        assert "pip install 'mcgen[hepdata]'" in err


def test_digits():
    """0.1 + 0.2 reads 0.3, and no number moves by more than 1e-12; fails if digits are cut."""
    assert hepdata._number(0.1 + 0.2) == 0.3
    for value in (1.0 / 3.0, 1e-300 / 7.0, 123456789.123456789, -math.pi):
        assert hepdata._number(value) == pytest.approx(value, rel=1e-12, abs=0.0)
    assert [hepdata._number(value) for value in (None, math.inf, 0, 5, 0.0)] == ["-", "-", 0, 5, 0.0]
