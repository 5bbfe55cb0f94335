"""Files that are there already: the same content is left alone, other content stays unless --overwrite is given."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import threading
import time
from pathlib import Path

import pytest
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import LogLocator

import mcgen
from mcgen import load_card
from mcgen.analysis import reach as contours
from mcgen.base import files
from mcgen.base.errors import InputError
from mcgen.cli import cli, main
from mcgen.cli.options import Writing
from mcgen.generation import generate as generation
from mcgen.report import contours as plot
from mcgen.report import validate as report

pytestmark = [pytest.mark.first, pytest.mark.usefixtures("samplers_kept")]

CARD = "fermilab"
N = "--events=300"

#: files of every submission with a figure
HEPDATA = ("provenance.json", "submission.yaml", "figure.png", "thumb_figure.png")

#: outputs, and arguments that make one content and another; {} is the folder of the inputs
CASES = {
    "events": (["x.root"], ["generate", CARD, "-o", "x.root", N], ["--seed", "2"]),
    "mass": (["x.root"], ["generate", CARD, "-o", "x.root", N], ["--mass", "50MeV"]),
    "weighted": (["x.root"], ["generate", CARD, "-o", "x.root", N], ["--weighted"]),
    "mediator": (["x.root"], ["generate", CARD, "-o", "x.root", N], ["--mediator", "vector"]),
    "decays": (["x.root"], ["generate", CARD, "-o", "x.root", N, "--decays"], ["--force-decay"]),
    "branches": (["x.root"], ["generate", CARD, "-o", "x.root", N, "--branches", "x"], ["--branches", "t"]),
    "particles": (["x.root"], ["generate", CARD, "-o", "x.root", N, "--layout", "particles"], ["--seed", "2"]),
    "rntuple": (["x.root"], ["generate", CARD, "-o", "x.root", N, "--rntuple"], ["--seed", "2"]),
    "rntuple particles": (
        ["x.root"],
        ["generate", CARD, "-o", "x.root", N, "--rntuple", "--layout", "particles"],
        ["--layout", "flat"],
    ),
    "merge": (["m.root"], ["merge", "{}/1.root", "{}/2.root", "-o", "m.root"], ["{}/3.root"]),
    "rerun": (["r.root"], ["rerun", "{}/1.root", "-o", "r.root"], None),
    **{
        f"export {ending}": ([f"x.{ending}"], ["export", "{}/1.root", "-o", f"x.{ending}"], more)
        for ending, more in (
            ("hepmc3", ["--decays"]),
            ("hepmc3.gz", ["--decays"]),
            ("hepmc3.zst", ["--decays"]),
            ("lhe", ["--decays"]),
            ("lhe.gz", ["--force-decay"]),
            ("lhe.zst", ["--decays"]),
            ("csv", ["--unit"]),
            ("csv.gz", ["--unit"]),
            ("parquet", ["--decays"]),
            ("root", ["--decays"]),
        )
    },
    "export layout": (["x.root"], ["export", "{}/1.root", "-o", "x.root"], ["--layout", "particles"]),
    "export tree": (["x.root"], ["export", "{}/1.root", "-o", "x.root"], ["--rntuple"]),
    "library": (["l.csv"], ["library", CARD, "-o", "l.csv", "--energies", "2,3", N], ["--energies", "2,2.5"]),
    "library gz": (["l.csv.gz"], ["library", CARD, "-o", "l.csv.gz", "--energies", "3", N], ["--seed", "2"]),
    "library lhe": (["l.lhe"], ["library", CARD, "-o", "l.lhe", "--energies", "3", N], ["--mass", "50MeV"]),
    "reweight": (["n.json"], ["reweight", "{}/1.root", "-o", "n.json", "--g-mu", "1e-4"], ["--g-mu", "2e-4"]),
    "reach": (
        ["r.csv", "r.csv.json", "r.png"],
        ["reach", CARD, "--mass", "10MeV,100MeV", "-o", "r.csv", "--plot", "r.png"],
        ["--mass", "10MeV,90MeV"],
    ),
    "reach hepdata": (
        [
            "h.hepdata/reach_fermilab-a-exact.yaml",
            "h.hepdata/reach_fermilab-a-exact.csv",
            "h.hepdata/provenance.json",
            "h.hepdata/submission.yaml",
            "h.hepdata/figure.png",
            "h.hepdata/thumb_figure.png",
        ],
        ["reach", CARD, "--mass", "10MeV,100MeV", "-o", "h.hepdata", "--plot", "h.png"],
        ["--mass", "10MeV,90MeV"],
    ),
    "grid hepdata": (
        ["h.hepdata/grid_fermilab-b-exact.yaml", "h.hepdata/provenance.json", "h.hepdata/submission.yaml"],
        ["grid", CARD, "--mass", "10MeV,100MeV", "--g-mu", "1e-5,1e-4", "-o", "h.hepdata"],
        ["--g-mu", "1e-5,2e-4"],
    ),
    "reach of another card": (["r.csv"], ["reach", CARD, "--mass", "100MeV", "-o", "r.csv"], ["na64"]),
    "reach pdf": (["r.pdf"], ["reach", CARD, "--mass", "10MeV,100MeV", "--plot", "r.pdf"], ["--model", "A"]),
    "reach title": (["r.pdf"], ["reach", CARD, "--mass", "10MeV,100MeV", "--plot", "r.pdf"], ["--title", "a = b"]),
    "reach style": (["r.png"], ["reach", CARD, "--mass", "10MeV,100MeV", "--plot", "r.png"], ["--style", "paper"]),
    "reach xlim": (["r.svg"], ["reach", CARD, "--mass", "10MeV,100MeV", "--plot", "r.svg"], ["--xlim", "1:200 MeV"]),
    "reach svg": (["r.svg"], ["reach", CARD, "--mass", "10MeV,100MeV", "--plot", "r.svg"], ["--n-signal", "9"]),
    **{
        f"grid {ending}": (
            [f"g.{ending}"],
            ["grid", CARD, "--mass", "10MeV,100MeV", "--g-mu", "1e-5,1e-4", "-o", f"g.{ending}"],
            more,
        )
        for ending, more in (
            ("csv", ["--g-mu", "1e-5,2e-4"]),
            ("parquet", ["--band", "energy-loss"]),
            ("root", ["--model", "A"]),
            ("png", ["--mass", "10MeV,90MeV"]),
        )
    },
    "workspace": (
        ["w/patchset.json"],
        ["workspace", "{}/bins.toml", "-o", "w", "--mass", "100MeV", "--g-mu", "1e-5,2e-5"],
        ["--g-mu", "1e-5,3e-5"],
    ),
    "crosscheck": (
        ["c/crosscheck.csv", "c/provenance.json", "c/crosscheck_W.png", "c/x_W_3GeV_100MeV.png"],
        ["crosscheck", CARD, "--mass", "100MeV", "--energy", "3", "-o", "c"],
        ["--seed", "2"],
    ),
    "run": (
        ["f/events.root", "f/signal.csv", "f/sigma_tilde.csv", "f/summary.json", "f/signal.png", "f/reach.png"],
        ["run", CARD, "-o", "f", "--events", "2000"],
        ["--seed", "2"],
    ),
    "cite": (["c.bib"], ["cite", "na64", "-o", "c.bib"], ["e137"]),
    "show": (["s.png"], ["show", CARD, "-o", "s.png", "--tracks", "5"], ["--tracks", "6"]),
    "show svg": (["s.svg"], ["show", CARD, "-o", "s.svg", "--tracks", "5"], ["--seed", "6"]),
    "validate": (["v/report.html", "v/provenance.json", "v/checks.csv"], ["validate", "-o", "v"], None),
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Three files of events of one card, and one that counts in bins."""
    folder = tmp_path_factory.mktemp("sources")
    bins = '\n[search]\nbackground = [1.0, 0.5]\n[search.bins]\nvariable = "x"\nedges = [0.0, 0.5, 1.0]\n'
    (folder / "bins.toml").write_text(load_card(CARD).text + bins)
    for seed in (1, 2, 3):
        generation.generate(load_card(CARD), 0.1, 300, seed, output=folder / f"{seed}.root")
    return folder


@pytest.fixture(scope="module", autouse=True)
def _rough_figures():
    """Lines through a few masses, few ticks and no layout: here it only counts whether two figures are the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contours, "BY_QUADRATURE", (1.0, 400))
        patch.setattr(ConstrainedLayoutEngine, "execute", lambda *_: None)
        patch.setattr(LogLocator, "tick_values", lambda _, low, high: [low, high])
        yield


@pytest.fixture
def brief(monkeypatch, tmp_path):
    """Work in an empty folder, where the report has Table I and one check only."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(report, "_figures", lambda *_: [])
    monkeypatch.setattr(report, "_beyond", lambda *_: report.Section("Beyond", ""))
    monkeypatch.setattr(report, "_published", lambda *_: [])
    monkeypatch.setattr(report.published, "m3", list)
    monkeypatch.setattr(report.published, "muon_collider_dumps", list)
    monkeypatch.setattr(report.paper, "quoted", list)
    monkeypatch.setattr(report.paper, "dumps", list)
    monkeypatch.setattr(report.paper, "references", lambda: [report.paper.Check("one", 1.0, 1.0, "here", "mcgen")])


def _run(arguments, capsys):
    capsys.readouterr()
    status = main(arguments)
    return status, capsys.readouterr().err


def _state(names):
    """Bytes and time of each file."""
    return {name: (Path(name).read_bytes(), Path(name).stat().st_mtime_ns) for name in names}


def _listed():
    return sorted(str(path) for path in Path().rglob("*"))


def _thesis(name, content):
    """A file of the user's."""
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_bytes(content)


def _other(first, more):
    """The arguments of other content: an option given a second time replaces the first one."""
    if more == ["--unit"]:
        more = ["--unit", "GeV" if "--unit" not in first and _default_unit() == "MeV" else "MeV"]
    return [*first, *more]


def _default_unit():
    return next(p.default for p in cli.commands["export"].params if p.name == "unit")


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("name", CASES)
def test_outputs(name, sources, capsys):
    """The same again is left alone and said. Other content is refused in one line, and replaced with --overwrite.

    Fails if an output has a way around the check, or if its bytes hold a time.
    """
    outputs, arguments, more = CASES[name]
    arguments = [a.format(sources) for a in arguments]
    status, err = _run(arguments, capsys)
    assert (status, "left alone" in err) == (0, False), err
    first = _state(outputs)
    everything = _listed()
    time.sleep(0.01)
    status, err = _run(arguments, capsys)
    assert status == 0, err
    assert _state(outputs) == first
    assert "already there with the same content, left alone" in err
    assert all(path in err for path in outputs)
    if more is None:
        return

    other = [a.format(sources) for a in _other(arguments, more)]
    status, err = _run(other, capsys)
    assert status == 2, err
    assert len(err.splitlines()) == 1
    assert "--overwrite" in err
    assert any(path in err for path in outputs)
    assert _state(outputs) == first
    assert _listed() == everything
    status, err = _run([*other, "--overwrite"], capsys)
    assert status == 0, err
    assert _state(outputs)[outputs[0]][0] != first[outputs[0]][0]
    assert _listed() == everything
    status, err = _run(other, capsys)
    assert (status, "left alone" in err) == (0, True), err


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("name", CASES)
def test_foreign_files(name, sources, capsys):
    """A file of the user's under the name of an output is refused at once and stays; --overwrite replaces it.

    Fails if anything is computed before: the sampler, the quadrature and the report are out of order.
    """
    outputs, arguments, _ = CASES[name]
    arguments = [a.format(sources) for a in arguments]
    content = b"root\x00\x01 my thesis \xff\n"
    for output in outputs:
        _thesis(output, content)
        status, err = _run(arguments, capsys)
        assert (status, len(err.splitlines())) == (2, 1), err
        assert output in err
        assert "--overwrite" in err
        assert Path(output).read_bytes() == content
        Path(output).unlink()
        if Path(output).parent != Path():
            shutil.rmtree(Path(output).parent)
    for output in outputs:
        _thesis(output, content)
    status, err = _run([*arguments, "--overwrite"], capsys)
    assert status == 0, err
    assert all(found != content for found, _ in _state(outputs).values())


def test_every_writing_command_is_here():
    """Each command with an output has the option and a case above; fails for a new one that has neither."""
    writing = {
        name for name, command in cli.commands.items() if any(p.name in ("output", "figure") for p in command.params)
    }
    assert writing == {arguments[0] for _, arguments, _ in CASES.values()}
    assert all(isinstance(cli.commands[name], Writing) for name in writing)


EARLY = [
    ["generate", CARD, "-o", "x.root", "--seed", "2"],
    ["generate", CARD, "-o", "x.root", "--events", "2e9"],
    ["run", CARD, "-o", "f", "--seed", "2"],
    ["reach", CARD, "--mass", "90MeV", "-o", "r.csv"],
    ["reach", "na64", "--mass", "100MeV", "-o", "r.csv"],
    ["reach", CARD, "--mass", "90MeV", "--plot", "r.png"],
    ["reach", CARD, "--mass", "100MeV", "-o", "r.csv", "--model", "A"],
    ["reach", CARD, "-o", "r.csv"],
    ["reach", CARD, "--mass", "100MeV", "--plot", "r.svg", "--constraints", "babar"],
    ["reach", CARD, "--mass", "100MeV", "-o", "new.csv", "--plot", "r.pdf", "--n-signal", "10"],
    ["reach", CARD, "--mass", "90MeV", "-o", "r.hepdata"],
    *[
        ["grid", CARD, "--mass", "100MeV", "--g-mu", "2e-4", "-o", f"g.{ending}"]
        for ending in ("csv", "root", "parquet", "hepdata")
    ],
    ["grid", "na64", "--mass", "100MeV", "--g-mu", "1e-4", "-o", "g.root"],
    ["crosscheck", CARD, "--mass", "90MeV", "-o", "c"],
    ["crosscheck", CARD, "--mass", "100MeV", "--energy", "3", "-o", "c", "--seed", "2"],
    ["crosscheck", "na64", "--mass", "100MeV", "-o", "c"],
    ["validate", "-o", "v"],
    ["reweight", "{}/1.root", "-o", "n.json", "--g-mu", "2e-4"],
    ["reweight", "{}/2.root", "-o", "n.json", "--g-mu", "1e-4"],
    ["rerun", "{}/2.root", "-o", "x.root"],
]


@pytest.fixture(scope="module")
def made(sources, tmp_path_factory):
    """A folder with an output of each kind."""
    folder = tmp_path_factory.mktemp("made")
    with contextlib.chdir(folder):
        for arguments in (
            ["generate", CARD, "-o", "x.root", N],
            ["run", CARD, "-o", "f", "--events", "2000"],
            ["reach", CARD, "--mass", "100MeV", "-o", "r.csv", "--plot", "r.png", "--constraints", "paper"],
            ["reach", CARD, "--mass", "100MeV", "-o", "r.hepdata"],
            ["reach", CARD, "--mass", "100MeV", "--plot", "r.svg", "--constraints", "paper"],
            ["reach", CARD, "--mass", "100MeV", "--plot", "r.pdf"],
            *[
                ["grid", CARD, "--mass", "100MeV", "--g-mu", "1e-4", "-o", f"g.{ending}"]
                for ending in ("csv", "root", "parquet", "hepdata")
            ],
            ["crosscheck", CARD, "--mass", "100MeV", "--energy", "3", "-o", "c"],
            ["reweight", str(sources / "1.root"), "-o", "n.json", "--g-mu", "1e-4"],
        ):
            assert main(arguments) == 0
        (folder / "v").mkdir()
        provenance = json.loads((folder / "c" / "provenance.json").read_text())
        provenance |= {"mcgen_version": "0.0.1", "request": "version=00000000"}
        (folder / "v" / "provenance.json").write_text(json.dumps(provenance))
    return folder


@pytest.mark.parametrize("arguments", EARLY, ids=" ".join)
def test_refused_before_anything_is_computed(arguments, made, sources, monkeypatch, capsys):
    """What cannot be written is said first; fails if the work is done and thrown away."""
    monkeypatch.chdir(made)

    def work(*_, **__):
        pytest.fail("something was computed")

    for module, name in (
        (generation, "prepare"),
        (contours, "rows_at"),
        (mcgen.analysis.grid, "grid"),
        (mcgen.analysis.crosscheck, "crosscheck"),
        (mcgen.analysis.reweight, "reweight"),
        (report, "_tables"),
    ):
        monkeypatch.setattr(module, name, work)
    before = sorted(p.name for p in made.rglob("*"))
    status, err = _run([a.format(sources) for a in arguments], capsys)
    assert (status, len(err.splitlines())) == (2, 1), err
    assert "--overwrite" in err
    assert sorted(p.name for p in made.rglob("*")) == before


def test_events_are_not_made_twice(made, monkeypatch, capsys):
    """The same request finds its file without a computation, whatever workers and chunks; fails if it samples again."""
    monkeypatch.chdir(made)
    monkeypatch.setattr(generation, "prepare", lambda *_: pytest.fail("events were made again"))
    status, err = _run(["generate", CARD, "-o", "./x.root", N, "--workers", "1", "--chunk", "50"], capsys)
    assert (status, "left alone" in err) == (0, True), err


def test_damaged_events_are_not_the_same(sources, tmp_path):
    """A file with the right metadata and a changed event is refused; fails if metadata are believed."""
    path = tmp_path / "x.root"
    events = mcgen.load(sources / "1.root").read()
    events.columns["weight"][7] *= 2.0
    mcgen.save(events, path)
    with pytest.raises(InputError, match="damaged"):
        generation.generate(load_card(CARD), 0.1, 300, 1, output=path)
    assert generation.generate(load_card(CARD), 0.1, 300, 1, output=path, overwrite=True).content_sha256()


def test_what_does_not_change_the_content(made, monkeypatch, capsys):
    """Spellings of the same request, and options of something else, are the same content; fails if names decide."""
    monkeypatch.chdir(made)
    table = ["reach", "fermilab", "--mass", "0.1", "-o", "r.csv"]
    for more in ([], ["--workers", "1"], ["--model", "A, B"], ["--plot", "r2.png", "--constraints", "babar"]):
        status, err = _run([*table, *more], capsys)
        assert (status, "r.csv, r.csv.json: already there" in err) == (0, True), err
    (made / "r.csv.json").unlink()
    status, err = _run(table, capsys)
    assert (status, (made / "r.csv.json").exists()) == (0, True), err
    status, err = _run(["crosscheck", "fermilab", "--mass", "100MeV", "--energy", "3", "-o", "./c/"], capsys)
    assert (status, "left alone" in err) == (0, True), err


@pytest.mark.parametrize(
    "arguments",
    [
        ["export", "a.root", "-o", "a.root"],
        ["export", "a.root", "-o", "link.root"],
        ["export", "a.root", "-o", "a.root", "--decays"],
        ["export", "x.lhe", "-o", "x.lhe"],
        ["export", "folder", "-o", "folder/all.root"],
        ["merge", "a.root", "b.root", "-o", "b.root"],
        ["merge", "folder", "b.root", "-o", "folder/2.root"],
        ["merge", "folder", "b.root", "-o", "folder/new.root"],
        ["rerun", "a.root", "-o", "a.root"],
        ["reweight", "a.root", "-o", "a.root"],
        ["reweight", "a.root", "-o", "t.txt", "--form-factor", "t.txt"],
        ["reach", "card.toml", "--mass", "0.1", "-o", "card.toml"],
        ["reach", "card.toml", "--mass", "0.1", "-o", "profile.csv"],
        ["reach", "na64,card.toml", "--mass", "0.1", "-o", "card.toml"],
        ["reach", "--events", "a.root", "-o", "a.root"],
        ["library", "card.toml", "-o", "profile.csv", N],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]], ids=["", "overwrite"])
def test_inputs_are_never_overwritten(arguments, overwrite, sources, tmp_path, monkeypatch, capsys):
    """An output that is an input is refused with and without --overwrite; fails if a name can hide it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for source, names in (("1", ["a.root"]), ("2", ["folder/2.root"]), ("3", ["b.root"])):
        for name in names:
            shutil.copy(sources / f"{source}.root", name)
    (tmp_path / "link.root").symlink_to("a.root")
    (tmp_path / "t.txt").write_text("0 1\n1 1\n")
    (tmp_path / "profile.csv").write_text("3.0,0,0,0,0\n2.9,0,0,0,0\n")
    card = re.sub(r"(?m)^energy = .*$", 'profile = "profile.csv"', load_card("fermilab").text, count=1)
    (tmp_path / "card.toml").write_text(card)
    assert main(["export", "b.root", "-o", "x.lhe"]) == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    status, err = _run([*arguments, *overwrite], capsys)
    assert (status, len(err.splitlines())) == (2, 1), err
    assert arguments[arguments.index("-o") + 1] in err
    assert "input" in err or "folder that is read" in err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_what_is_no_regular_file(tmp_path, monkeypatch, capsys):
    """Links are followed, folders and circles of links are never replaced; fails if a link becomes a file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "real.csv").write_text("mine\n")
    (tmp_path / "link.csv").symlink_to("real.csv")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "one.csv").symlink_to("two.csv")
    (tmp_path / "two.csv").symlink_to("one.csv")
    for name in ("link.csv", "folder.csv", "one.csv"):
        assert _run(["reach", "na64", "--mass", "0.1", "-o", name], capsys)[0] == 2
        status, err = _run(["reach", "na64", "--mass", "0.1", "-o", name, "--overwrite"], capsys)
        assert (status == 0) == (name == "link.csv"), err
        assert len(err.splitlines()) == (0 if status == 0 else 1)
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text().startswith("experiment")
    assert (tmp_path / "folder.csv").is_dir()
    assert (tmp_path / "one.csv").is_symlink()


def test_two_outputs_of_one_name(tmp_path, monkeypatch, capsys):
    """A table and a figure cannot be one file; fails if the second one meets the first one at the end."""
    monkeypatch.chdir(tmp_path)
    assert _run(["reach", "na64", "--mass", "0.1", "-o", "r.png", "--plot", "./r.png"], capsys)[0] == 2
    assert list(tmp_path.iterdir()) == []


def test_productions_have_rules_of_their_own(tmp_path, capsys):
    """--overwrite is refused for a folder, which is resumed; fails if it looks as if it did something."""
    arguments = ["generate", CARD, "-o", str(tmp_path / "p"), N, "--workers", "1"]
    assert main(arguments) == 0
    assert _run(arguments, capsys)[0] == 0
    status, err = _run([*arguments, "--overwrite"], capsys)
    assert (status, len(err.splitlines()), "--overwrite" in err) == (2, 1, True)


def test_damaged_partitions_are_made_anew(tmp_path, capsys):
    """A production replaces its own damaged files without being asked; fails if it needs --overwrite."""
    arguments = ["generate", CARD, "-o", str(tmp_path / "p"), N, "--workers", "1"]
    assert main(arguments) == 0
    for name in ("events-000000.root", "plan.json", "manifest.json"):
        (tmp_path / "p" / name).write_bytes(b"rubbish")
        assert main(arguments) == 0, capsys.readouterr().err
        assert (tmp_path / "p" / name).read_bytes() != b"rubbish"


def test_runs_are_completed(tmp_path, capsys):
    """What is missing in the folder of a run is added, the rest is left; fails if an interrupted run is in the way."""
    folder = tmp_path / "f"
    arguments = ["run", CARD, "-o", str(folder), "--events", "2000"]
    assert main(arguments) == 0
    (folder / "reach.csv").unlink()
    (folder / "signal.png").unlink()
    status, err = _run(arguments, capsys)
    assert (status, (folder / "reach.csv").exists(), (folder / "signal.png").exists()) == (0, True, True)
    assert "signal.csv" in err
    assert "reach.csv" not in err


def test_two_writers_at_once(tmp_path):
    """Who is later finds the first one's file: the same is left, another is refused; fails if the last one wins."""
    path = tmp_path / "x.csv"

    def write(text, barrier, found):
        try:
            with files.open_atomic(path) as stream:
                stream.write(text)
                barrier.wait()
        except InputError as error:
            found.append(error)

    for texts, errors in ((("same\n", "same\n"), 0), (("one\n", "two\n"), 1)):
        path.unlink(missing_ok=True)
        found, barrier = [], threading.Barrier(2)
        writers = [threading.Thread(target=write, args=(text, barrier, found)) for text in texts]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert len(found) == errors
        assert path.read_text() in texts
        assert list(tmp_path.iterdir()) == [path]


def test_without_hard_links(tmp_path, monkeypatch):
    """A file system that knows no second name for a file gets it by a rename; fails if nothing is written there."""

    def none(*_):
        raise PermissionError

    monkeypatch.setattr(files.os, "link", none)
    with files.open_atomic(tmp_path / "x.csv") as stream:
        stream.write("a")
    assert [p.name for p in tmp_path.iterdir()] == ["x.csv"]


def test_python(tmp_path):
    """`overwrite=True` of what writes, and `overwriting()` around anything; fails if a keyword does nothing."""
    card, path, table, picture = load_card(CARD), tmp_path / "x.root", tmp_path / "x.csv", tmp_path / "x.png"
    one, two = (generation.generate(card, 0.1, 200, seed) for seed in (1, 2))
    mcgen.save(one, path)
    mcgen.save(one, path)
    with pytest.raises(InputError, match="--overwrite"):
        mcgen.save(two, path)
    file = mcgen.save(two, path, overwrite=True)
    for unit, overwrite in (("MeV", False), ("GeV", True), ("GeV", False)):
        mcgen.export(file, table, unit=unit, overwrite=overwrite)
    with pytest.raises(InputError, match="--overwrite"):
        mcgen.export(file, table, unit="MeV")
    with pytest.raises(InputError, match="input"):
        mcgen.export(file, path, decays=True, overwrite=True)
    points = [contours.ReachPoint("e", "A", "exact", m, 1e-4, 1e-3) for m in (0.1, 0.2)]
    contours.write_csv(points, table, overwrite=True)
    with pytest.raises(InputError, match="--overwrite"):
        contours.write_csv(points[:1], table)
    plot.plot_reach(points, picture, "title")
    plot.plot_reach(points, picture, "title")
    with pytest.raises(InputError, match="--overwrite"):
        plot.plot_reach(points, picture, "another title")
    with mcgen.overwriting():
        plot.plot_reach(points, picture, "another title")


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_pictures_of_the_same(ending, tmp_path, monkeypatch):
    """The command in its metadata makes no other picture, and no date is in it; fails if two runs differ."""
    points = [contours.ReachPoint("e", "A", "exact", m, 1e-4, 1e-3) for m in (0.1, 0.2)]
    monkeypatch.setattr("sys.argv", ["mcgen", "reach", "a (b) \\ <c>"])
    for name in ("one", "two"):
        plot.plot_reach(points, tmp_path / f"{name}.{ending}", "title")
    assert (tmp_path / f"one.{ending}").read_bytes() == (tmp_path / f"two.{ending}").read_bytes()
    before = (tmp_path / f"one.{ending}").read_bytes()
    monkeypatch.setattr("sys.argv", ["mcgen", "reach", "something longer"])
    plot.plot_reach(points, tmp_path / f"one.{ending}", "title")
    assert (tmp_path / f"one.{ending}").read_bytes() == before


def test_where_nothing_can_be_written(sources, tmp_path, monkeypatch, capsys):
    """A folder that is a file or cannot be written is said first, in one line; fails if the work is done in vain."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "closed").mkdir()
    monkeypatch.setattr(files.os, "access", lambda path, _: "closed" not in str(path))  # root may write everywhere
    monkeypatch.setattr(contours, "rows_at", lambda *_: pytest.fail("something was computed"))
    monkeypatch.setattr(mcgen.analysis.crosscheck, "crosscheck", lambda *_: pytest.fail("something was computed"))
    for place in ("file", "closed", "closed/sub", "file/sub"):
        for command in (["run", CARD], ["crosscheck", CARD, "--mass", "0.1"], ["validate"]):
            status, err = _run([*command, "-o", place], capsys)
            assert (status, len(err.splitlines()), place in err) == (2, 1, True), err
    for ending, command in (
        (".root", ["generate", CARD]),
        (".csv", ["reach", CARD]),
        (".json", ["reweight", "{}/1.root"]),
    ):
        status, err = _run([*(a.format(sources) for a in command), "-o", f"closed/x{ending}"], capsys)
        assert (status, len(err.splitlines()), "cannot be written" in err) == (2, 1, True), err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["closed", "file"]


def test_outputs_that_are_no_files(tmp_path, capsys):
    """A device or a pipe is refused and left alone; fails if it is replaced by a file."""
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    assert main(["reach", "na64", "--mass", "0.1", "-o", str(pipe)]) == 2
    assert pipe.is_fifo()
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    link.symlink_to(real)
    assert main(["reach", "na64", "--mass", "0.1", "-o", str(link)]) == 0
    assert link.is_symlink()
    assert real.is_file()
    capsys.readouterr()
