"""What the files around the package say of it: one title, one version, one set of references, and their sources."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from places import ROOT

import mcgen

PAPER = ROOT / "paper"
DOCS = sorted((ROOT / "docs").glob("*.md"))
TOOLS = (ROOT / "docs" / "other-tools.md").read_text(encoding="utf-8")
PROGRAMS = ["MadGraph", "G4DarkBreM", "DMG4", "PETITE", "DarkNews", "FORESEE", "SIREN"]


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _paper() -> tuple[dict, str]:
    """Header and text of the paper."""
    _, header, text = _read("paper/paper.md").split("---\n", 2)
    return yaml.safe_load(header), text


def _entries(*paths: Path) -> dict[str, dict[str, str]]:
    """Fields of the references in .bib files, by key."""
    found = {}
    for path in paths:
        text = path.read_text(encoding="utf-8")
        for key, fields in re.findall(r"^@\w+\{([^,]+),\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
            assert key not in found, key
            found[key] = dict(re.findall(r'^ *(\w+) *= *["{](.*)["}],?$', fields, re.MULTILINE))
    return found


def _cited(text: str) -> set[str]:
    """Keys that a text of pandoc cites."""
    return set(re.findall(r"(?<![\w`])@([A-Za-z][\w:.]*\w)", text))


OWN = _entries(*sorted((ROOT / "mcgen").rglob("*.bib")))
OF_PAPER = _entries(PAPER / "paper.bib")
OF_DOCS = _entries(ROOT / "docs" / "references.bib")


def test_title():
    """One title in four files; the shorter descriptions are part of it. Fails if one of them is changed alone."""
    title = yaml.safe_load(_read("CITATION.cff"))["title"]
    assert json.loads(_read(".zenodo.json"))["title"] == title
    assert _paper()[0]["title"] == title
    summary = title.removeprefix("mcgen: ")
    assert yaml.safe_load(_read("conda/recipe.yaml"))["about"]["summary"] == summary
    assert tomllib.loads(_read("pyproject.toml"))["project"]["description"].startswith(f"{summary}: ")


def test_authors():
    """The same authors everywhere; fails if a name is added to one file."""
    names = [author["name"] for author in yaml.safe_load(_read("CITATION.cff"))["authors"]]
    assert [author["name"] for author in tomllib.loads(_read("pyproject.toml"))["project"]["authors"]] == names
    assert [author["name"] for author in json.loads(_read(".zenodo.json"))["creators"]] == names
    assert [author["name"] for author in _paper()[0]["authors"]] == names


def test_version_and_licence():
    """Version and licence are those of the package; fails if a release forgets a file."""
    citation, recipe = yaml.safe_load(_read("CITATION.cff")), yaml.safe_load(_read("conda/recipe.yaml"))
    zenodo, project = json.loads(_read(".zenodo.json")), tomllib.loads(_read("pyproject.toml"))
    assert citation["version"] == recipe["context"]["version"] == mcgen.__version__
    assert project["tool"]["hatch"]["version"]["path"] == "mcgen/_version.py"
    assert zenodo.get("version", mcgen.__version__) == mcgen.__version__
    headings = re.findall(r"^## (.*)$", _read("CHANGELOG.md"), re.MULTILINE)
    newest = headings[headings[0] == "Unreleased"]
    assert newest == f"{mcgen.__version__} ({citation['date-released']})"
    licences = {citation["license"], zenodo["license"], recipe["about"]["license"], project["project"]["license"]}
    assert licences == {"BSD-3-Clause"}


def test_conda_recipe():
    """Dependencies are those of pip with figures, under their names of conda-forge; fails for one more or other bounds.

    The command that its test runs draws figures.
    """
    recipe, project = yaml.safe_load(_read("conda/recipe.yaml")), tomllib.loads(_read("pyproject.toml"))
    conda_name = {"matplotlib": "matplotlib-base"}
    split = re.compile(r"([\w.-]+) ?(.*)")

    def named(requirements: list[str]) -> dict[str, str]:
        found = [split.fullmatch(one).groups() for one in requirements]
        return {conda_name.get(name, name): bound for name, bound in found}

    python = project["project"]["requires-python"]
    pip = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["plot"]]
    assert named(recipe["requirements"]["run"]) == named(pip) | {"python": python}
    host = named(recipe["requirements"]["host"])
    assert host == named(project["build-system"]["requires"]) | {"pip": "", "python": f"{python.removeprefix('>=')}.*"}
    entry = dict(one.split(" = ") for one in recipe["build"]["python"]["entry_points"])
    assert entry == project["project"]["scripts"]
    assert [test["script"] for test in recipe["tests"] if "script" in test] == [["mcgen run fermilab"]]


def test_paper_cites():
    """Each key of the paper is in its .bib, and each entry is cited; fails for a slip of either."""
    assert _cited(_paper()[1]) == set(OF_PAPER)
    for key, entry in OF_PAPER.items():
        assert {"author", "title", "year"} <= set(entry), key
        assert {"doi", "url"} & set(entry), key


def test_pages_cite():
    """Each key of a page is in a .bib, and each entry of the pages' own is cited; fails for a slip of either."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in DOCS)
    cited = {key.strip() for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", text) for key in keys.split(",")}
    assert cited <= set(OF_DOCS) | set(OWN)
    assert set(OF_DOCS) - set(OWN) <= cited


def test_same_reference():
    """A key means the same work in every .bib; fails for two numbers of one."""
    for others in (OWN, OF_DOCS):
        for key in set(OF_PAPER) & set(others):
            for field in ("doi", "eprint"):
                assert OF_PAPER[key].get(field, "") in ("", others[key].get(field, OF_PAPER[key].get(field))), key


def test_numbers_of_references():
    """Numbers of arXiv and DOIs have their form everywhere; in .bib files one is one work with one title.

    Fails for a slip in a number, and for one work under two keys.
    """
    arxiv = re.compile(
        r"(?:(0[7-9]|1[0-4])(0[1-9]|1[0-2])\.\d{4}|(1[5-9]|2\d)(0[1-9]|1[0-2])\.\d{5}|[a-z-]+/\d{7})(v\d+)?"
    )
    named = re.compile(r"arxiv(?:\.org/(?:abs|pdf)/|:\s?| |\.)([a-z-]+/\d+|\d[\d.]*\d)", re.IGNORECASE)
    doi = re.compile(r"(?:doi\.org/|doi:|doi = \")([^\s\"'}>\])]+)")
    patterns = ("*.md", "*.cff", "docs/*", "docs/notebooks/*", "paper/*.*", "cards/*.toml", "validation/*.md")
    files = [path for pattern in (*patterns, "mcgen/**/*.bib", "mcgen/**/*.toml") for path in ROOT.glob(pattern)]
    text = "\n".join(path.read_text("utf-8") for path in files if path.is_file() and path.suffix != ".png")
    fields = re.compile(r'eprint = "(.*?)"')
    numbers, dois = named.findall(text) + fields.findall(text), doi.findall(text)
    assert len(numbers) > 200
    assert len(dois) > 50
    assert not [number for number in numbers if not arxiv.fullmatch(number)]
    assert not [number for number in dois if not re.fullmatch(r"10\.\d{4,9}/\S+", number)]
    keys: dict[str, set[str]] = {}
    titles: dict[str, set[str]] = {}
    for entries in (OWN, OF_DOCS, OF_PAPER):
        for key, fields in entries.items():
            for number in {fields.get("eprint", key), fields.get("doi", key)}:
                keys.setdefault(number, set()).add(key)
                titles.setdefault(number, set()).add(re.sub(r"[{}]", "", fields.get("title", "")))
    assert not [found for found in (*keys.values(), *titles.values()) if len(found) > 1]


def test_paper_form():
    """Sections and length that the journal asks for, and figures that the Makefile makes; fails if one is missing.

    What its authors alone can say, on tools and money, is left to them; docs/releasing.md lists it.
    """
    header, text = _paper()
    assert {"title", "tags", "authors", "date", "bibliography"} <= set(header)
    assert 750 <= len(text.split()) <= 1750
    sections = re.findall(r"^# (.*)$", text, re.MULTILINE)
    asked = ["Summary", "Statement of need", "State of the field", "Software design", "Research impact statement"]
    assert [*sections[:5], sections[-1]] == [*asked, "References"]
    figures = re.findall(r"\]\((figures/[\w.]+)\)", text)
    assert figures
    made = re.search(r"^FIGURES = (.*)$", _read("paper/Makefile"), re.MULTILINE)
    assert made
    assert sorted(made[1].split()) == sorted(figures)
    assert all((PAPER / name).is_file() for name in figures)
    assert set(re.findall(r"\\autoref\{(.*?)\}", text)) == set(re.findall(r"\\label\{(.*?)\}", text))


def _rows(section: str) -> list[str]:
    """Rows of the tables of a section, without their heads."""
    return [row for row in re.findall(r"^\|.*\|$", section, re.MULTILINE)[2:] if not row.startswith("| ---")]


@pytest.mark.parametrize("program", PROGRAMS)
def test_sources_of_tools(program):
    """Each answer about another program names its source or says that it was not checked; fails for one from memory."""
    (section,) = re.findall(rf"^## {program}\b.*?(?=^## )", TOOLS, re.MULTILINE | re.DOTALL)
    questions = [
        "made for", "process, matrix element", "beams", "targets", "transport, detector", "decays", "weights", "output",
        "language, licence", "speed", "upkeep",
    ]  # fmt: skip
    rows = _rows(section)
    assert [row.split("|")[1].strip() for row in rows] == questions
    for row in rows:
        assert re.search(r"\[\^\w+\]|not checked|your Geant4 program", row), row
    for word in ("**Better than mcgen:**", "**With mcgen:**", "**Choose it**"):
        assert word in section


def test_footnotes_of_tools():
    """Each source is there once, used, and says which commit or which paper; fails for a loose one."""
    defined = dict(re.findall(r"^\[\^(\w+)\]: (.*(?:\n    .*)*)", TOOLS, re.MULTILINE))
    assert set(re.findall(r"\[\^(\w+)\](?!:)", TOOLS)) == set(defined)
    for name, text in defined.items():
        assert re.search(r"\b[0-9a-f]{7}\b|arXiv:\d|\{doc\}|validation/", text), name
    glance = TOOLS[TOOLS.index("## At a glance") : TOOLS.index("## MadGraph")]
    assert [row.split("|")[1].strip() for row in _rows(glance)] == ["mcgen", *PROGRAMS]
    assert all("[^" in row for row in _rows(glance)[1:])
