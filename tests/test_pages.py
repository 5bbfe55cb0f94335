"""Every command and every snippet that a reader finds runs, and prints what stands below it."""

from __future__ import annotations

import doctest
import importlib
import re
import sys

import pytest
from page import blocks, differs, faults
from places import ROOT

from mcgen.cli import COMMANDS

#: jsonschema, which pyhf calls in its former way, warns of itself
pytestmark = [pytest.mark.first, pytest.mark.filterwarnings("ignore:jsonschema:DeprecationWarning")]

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
#: what another test runs, or a program that is not ours
READ_ONLY = {"", "text", "bash", "cpp", "cmake", "xml", "bibtex", "yaml"}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_page(path, tmp_path, monkeypatch):
    """The page from its first to its last block; fails if a command stops or a number is another one."""
    monkeypatch.setenv("COLUMNS", "110")
    found = faults(path.read_text(encoding="utf-8"), tmp_path)
    assert not found, "\n\n".join(found)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_nothing_escapes(path):
    """Commands stand in blocks that are run; fails for one in an indented block or in a language that is not known."""
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"^(?: {4}|\t)\$ .*", text, re.MULTILINE) == []
    languages = {block.language for block in blocks(text)}
    known = READ_ONLY | {"console", "python", "toml", "csv", "json", "file"}
    assert {name for name in languages if not name.startswith("{")} <= known


@pytest.mark.parametrize("path", [*PAGES, ROOT / "validation" / "README.md"], ids=lambda path: path.stem)
def test_rows_of_tables(path):
    """Each row has as many cells as its head; fails for a | in a cell, which moves what follows to other columns."""
    tables = re.findall(r"^(?:\|.*\n)+", path.read_text(encoding="utf-8"), re.MULTILINE)
    for rows in (table.splitlines() for table in tables):
        cells = [len(re.findall(r"(?<!\\)\|", row)) for row in rows]
        assert cells == cells[:1] * len(rows), rows[0]


#: files that the examples of --help read and no example before them makes
MADGRAPH = "validation/reference/madgraph_W_1GeV_mS0.1.lhe.gz"
OWN = f"""
<!-- file: {MADGRAPH} as madgraph.lhe.gz -->
<!-- file: {MADGRAPH} as madgraph_1GeV.lhe.gz -->
<!-- file: cards/na64.toml as larger.toml -->
```console
$ mcgen new mine
```
```toml
# in mine.toml
[search]
background = 0.5
observed = 1
```
```console
$ mcgen generate na64 -o 10MeV.root --mass 10MeV --events 1e4
$ mcgen generate na64 -o 100MeV.root --mass 100MeV --events 1e4
$ mcgen generate mine.toml -o m50.root --mass 50MeV --events 1e4
$ mcgen generate mine.toml -o m100.root --mass 100MeV --events 1e4
$ mcgen generate na64 -o seed1.root --mass 10MeV --events 1e4
$ mcgen generate na64 -o seed2.root --mass 10MeV --events 1e4 --seed 2
```
"""
#: examples that would take long, as a test types them; what has no other form is tested elsewhere
SHORTER = {
    "--events 1e6": "--events 1e4",
    "--events 1e9 --workers 16": "--events 2e4 --workers 2",
    " && sbatch job.sh": "",
    "mcgen new mine && mcgen run mine.toml": "mcgen show mine.toml",
    "merge seed1.root seed2.root -o events.root": "merge seed1.root seed2.root -o both.root",
    "merge folder -o events.root": "merge folder -o merged.root",
    "--name NAME": "--name mass_0p05_g_0p0001",
    "madgraph.lhe.gz -o events.root": "madgraph.lhe.gz -o foreign.root",
    " madgraph_2GeV.lhe.gz": "",  # of one energy
    "-o published --detector": "-o again --detector",
    "reach.png -o references.bib": "reach.png -o of_reach.bib",
    "cache --clear-old": "cache",  # others may be at work
    "mcgen validate -o report": "mcgen validate --help",  # tests/report/test_validate.py
    "mcgen run na64mu-2022": "mcgen show na64mu-2022",  # `run` of another card is above
    " --mediator vector --model Lmu-Ltau": " --json",
    "mcgen explore fermilab": "mcgen explore --help",  # tests/explorer/test_serve.py
}


def test_help(tmp_path):
    """The examples of --help, from the first command to the last; fails for one that does not run."""
    examples = [
        line for command in COMMANDS for line in re.findall(r"^ +(\$ .*)", command.callback.__doc__, re.MULTILINE)
    ]
    for long, short in SHORTER.items():
        examples = [line.replace(long, short) for line in examples]
    found = faults(OWN + "\n".join(["```console", *examples, "```"]), tmp_path)
    assert not found, "\n\n".join(found)


MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "mcgen").rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name):
    """Examples in docstrings; fails if one prints something else."""
    assert doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS).failed == 0


def test_a_page_that_lies(tmp_path):
    """A wrong number, a command that stops and an exception are found, each by its line."""
    page = (
        "```console\n$ mcgen constraints --mass -1\n```\n\n"
        "```console\n$ echo 3.1\n3.2\n```\n\n```python\nprint(1)\n# 2\n```\n\n```python\n1 / 0\n```\n"
    )
    found = faults(page, tmp_path)
    assert [text.split(":")[0] for text in found] == ["line 1", "line 5", "line 10", "line 15"]
    assert differs(["a ... c d", "e"], "a  b\n c\n d e\n") == ""
    assert differs(["a"], "a\nb") != ""


def test_files_of_a_page(tmp_path, monkeypatch):
    """A file by its first line, in JSON behind `//`; lines that tell progress are not compared."""
    page = '```json\n// a.json\n{"b": 1}\n```\n```toml\n# c.toml\nd = 1\n```\n```toml\n# in c.toml\ne = 2\n```\n'
    assert faults(page, tmp_path) == []
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{"b": 1}\n'
    assert (tmp_path / "c.toml").read_text(encoding="utf-8") == "d = 1\n\ne = 2\n"
    monkeypatch.setattr("page.main", lambda _: 0 * sys.stdout.write("events: 3e+06 of 1e+07 (30 %), 21 s left\ndone"))
    assert faults("```console\n$ mcgen generate\ndone\n```\n", tmp_path) == []
