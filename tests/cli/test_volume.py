"""--quiet, --verbose and --json of every command."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys

import pytest

from mcgen.cli import cli, main, progress
from mcgen.report import validate as reports


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a file of 600 events."""
    path = tmp_path_factory.mktemp("volume")
    asked = ["generate", "fermilab", "-o", str(path / "a.root"), "--mass", "100MeV", "--events", "600"]
    assert main(["-q", *asked]) == 0
    return path


#: command line -> keys of its document
WRITING = {
    "generate fermilab -o {0}/b.root --mass 100MeV --events 500": {"file", "n_events", "seed", "pull", "yield_error"},
    "generate fermilab -o {0}/parts --events 600 --partition-events 300 --workers 1": {"file", "made", "missing"},
    "merge {0}/a.root -o {0}/c.root": {"file", "n_events", "yield_per_muon", "content_sha256"},
    "export {0}/a.root -o {0}/d.lhe": {"file", "format", "n_events"},
    "library fermilab -o {0}/e.csv --energies 3 --events 50": {"file", "n_events", "targets", "energies_gev"},
    "show fermilab -o {0}/f.svg --tracks 3": {"file", "card"},
    "new {0}/g": {"file"},
}  # fmt: skip


@pytest.mark.parametrize("line", WRITING, ids=lambda line: line.split()[0])
def test_what_writing_commands_say(line, folder, tmp_path, capsys):
    """A line, or one document, or with -q before or after nothing; fails if a word gets into another's output."""
    start = line.replace("-o {0}", f"-o {tmp_path}").replace("new {0}", f"new {tmp_path}").format(folder).split()
    assert main([*start, "-q"]) == 0
    assert capsys.readouterr() == ("", "")
    assert main(["-q", *start, "--overwrite" if "parts" not in line else "--verify"]) == 0
    assert capsys.readouterr() == ("", "")
    assert main([*start, "--json"]) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert WRITING[line] <= set(document)
    assert document["file"].startswith(str(tmp_path))
    if start[0] in ("generate", "merge"):
        assert document["n_events"] in (500, 600)
    assert err == "" or err.endswith(": already there with the same content, left alone\n")


def test_rerun_says_whether_it_is_the_same(folder, capsys):
    """A document with the answer; fails if the status or the answer is another one than without --json."""
    assert main(["rerun", str(folder / "a.root"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": str(folder / "a.root"), "same": True, "difference": None}


def test_missing_partitions_have_no_numbers(tmp_path, capsys):
    """A part of a folder has counts, and null for what all events would tell; fails if it passes for the whole."""
    line = f"generate fermilab -o {tmp_path}/parts --events 600 --partition-events 300 --job 1/2 --json"
    assert main(line.split()) == 0
    document = json.loads(capsys.readouterr().out)
    assert [document[key] for key in ("partitions", "made", "missing", "n_events")] == [2, 1, 1, None]


def test_validate_tells_its_stages(tmp_path, capsys, monkeypatch):
    """In a log each stage after ten seconds is a line on stderr; fails if it goes to stdout, where a document is."""

    def validate(folder, workers, progress):  # noqa: ARG001
        progress("Fig. 1")
        return folder / "report.html"

    monkeypatch.setattr(reports, "validate", validate)
    assert main(["validate", "-o", str(tmp_path / "r")]) == 0
    assert capsys.readouterr() == (f"written: {tmp_path / 'r' / 'report.html'}\n", "")
    monkeypatch.setattr(progress, "_SHORTEST", 0.0)
    assert main(["validate", "-o", str(tmp_path / "r"), "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["file"] == str(tmp_path / "r" / "report.html")
    assert err == "Fig. 1 ...\n"
    assert main(["validate", "-o", str(tmp_path / "r"), "-v"]) == 0
    assert re.search(r"^mcgen: Fig. 1: [\d.]+ s$", capsys.readouterr().err, re.MULTILINE)


@pytest.mark.parametrize("command", cli.commands)
def test_every_command_has_them(command):
    """Fails if a new command lacks --json, --quiet or --verbose."""
    names = {option for p in cli.commands[command].params for option in p.opts}
    assert {"--json", "-q", "--quiet", "-v", "--verbose"} <= names


@pytest.mark.parametrize("before", [True, False])
def test_verbose(before, folder, capsys):
    """Each step and its time on stderr, results on stdout as ever, and nothing the next time; fails if it lingers."""
    line = ["reweight", str(folder / "a.root"), "--g-mu", "1e-4", "--json"]
    assert main(line) == 0
    plain = capsys.readouterr()
    assert main(["-v", *line] if before else [*line, "-v"]) == 0
    out, err = capsys.readouterr()
    assert out == plain.out
    assert re.fullmatch(r"mcgen: events: [\d.]+ s\nmcgen: done in all: [\d.]+ s\n", err)
    assert main(line) == 0
    assert capsys.readouterr() == plain
    assert logging.getLogger("mcgen").handlers == []


def test_not_both(capsys):
    """--quiet and --verbose exclude each other, wherever they stand; fails if one of them wins in silence."""
    assert main(["-q", "xsec", "-v", "--target", "W", "--energy", "3", "--mass", "0.1"]) == 2
    assert "one or the other" in capsys.readouterr().err


def test_python_m():
    """`python -m mcgen` is the command line; fails if it has another name or status, or files name its module."""
    code = "import runpy, sys; sys.argv = ['/some/__main__.py', *sys.argv[1:]]\n"
    code += "try: runpy.run_module('mcgen', run_name='__main__')\nfinally: print(sys.argv)"
    done = subprocess.run([sys.executable, "-c", code, "nonsense"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "['mcgen', 'nonsense']\n")
    assert done.stderr.startswith("mcgen: error: No such command 'nonsense'")
