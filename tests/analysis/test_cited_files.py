"""What files and folders say of what they were made of."""

import base64
import json
import re
import subprocess
import sys
import zlib

import pytest
from pybtex.database import parse_file

import mcgen
from mcgen.base.errors import InputError
from mcgen.cli import main

BASE = {"mcgen", "Chen:2017awl", "Bjorken:2009mm", "Tsai:1973py", "IUPAC:2021"}
RANDOM, HADRONS = {"Salmon:2011"}, {"arXiv:2201.01788"}
#: ending of an export -> what its format rests on
FORMATS = {
    "e.root": set(),
    "e.parquet": set(),
    "e.hepmc3": {"arXiv:1912.08005"},
    "e.hepmc3.gz": {"arXiv:1912.08005"},
    "e.lhe": {"Alwall:2006yp"},
    "e.lhe.gz": {"Alwall:2006yp"},
    "e.lheh5": {"Hoche:2019flt", "Bothmann:2023ozs"},
}


def keys(*source, **given):
    return {one.key for one in mcgen.cite(*source, **given)}


def run(*arguments):
    assert main(["-q", *map(str, arguments)]) == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Events of a vector above two pions."""
    path = tmp_path_factory.mktemp("cite")
    run("generate", "na64", "-o", path / "v.root", "--events", "200", "--mediator", "vector", "--mass", "500MeV")
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_events_of_every_format(folder, name):
    """An export names its own format and no other; fails for a format whose metadata are not found."""
    if not (folder / name).exists():
        run("export", folder / "v.root", "-o", folder / name)
    assert keys(folder / name) == BASE | RANDOM | HADRONS | FORMATS[name]


def test_nuhepmc(folder):
    run("export", folder / "v.root", "-o", folder / "n.hepmc3", "--layout", "nuhepmc")
    assert keys(folder / "n.hepmc3") == BASE | RANDOM | HADRONS | {"arXiv:1912.08005", "arXiv:2310.13211"}


def test_alternative_weights(folder):
    """Weights of another form factor are part of the file."""
    run("export", folder / "v.root", "-o", folder / "h.root", "--weight", "form_factor=helm")
    assert keys(folder / "h.root") == BASE | RANDOM | HADRONS | {"arXiv:2401.06843", "Lewin:1996"}


def test_partitions(tmp_path):
    run("generate", "fermilab", "-o", tmp_path / "p", "--events", "200")
    assert keys(tmp_path / "p") == BASE | RANDOM


def test_contours(folder, monkeypatch):
    """Table and figure of contours: limits only if they are drawn, and no format of events."""
    monkeypatch.chdir(folder)
    limits = "g2-wp2025,babar"  # the second begins above the masses
    given = ["reach", "fermilab", "--mass", "10MeV,100MeV", "--model", "A", "--constraints", limits]
    drawn = {"Jegerlehner:2009", "arXiv:2505.21476", "arXiv:2506.03069"}
    run(*given, "-o", "r.csv", "--plot", "r.png")
    assert keys("r.csv") == keys("r.csv.json") == BASE
    assert keys("r.png") == BASE | drawn
    for name in ("r.pdf", "r.svg"):
        run(*given, "--plot", name)
        assert keys(name) == BASE | drawn
    run(*given, "-o", "r.csv", "--plot", "r.png")  # the same again is left alone
    assert keys("r.csv", "r.png") == BASE | drawn


def test_contours_of_events(folder, monkeypatch):
    """Events of a file: its mass decides on the hadrons, not that of the card."""
    monkeypatch.chdir(folder)
    run("reach", "--events", "v.root", "-o", "ve.csv", "--model", "dark-photon", "--plot", "ve.png")
    assert keys("ve.csv") == keys("ve.png") == BASE | RANDOM | HADRONS
    run("reach", "--events", "v.root", "-o", "vl.csv", "--model", "Lmu-Ltau")
    assert keys("vl.csv") == BASE | RANDOM


def test_limits_that_were_asked_for(folder, monkeypatch):
    """A method that replaces that of the card is the one that is cited."""
    monkeypatch.chdir(folder)
    run("reach", "fermilab", "--mass", "100MeV", "-o", "fc.csv", "--method", "feldman-cousins")
    assert keys("fc.csv") == BASE | {"Feldman:1997qc"}
    run("reach", "na64mu-2022", "--mass", "100MeV", "-o", "as.csv", "--calctype", "asymptotics")
    by_pyhf = {"Cowan:2010js", "pyhf", "pyhf_joss"}
    assert keys("as.csv") == keys("na64mu-2022") - {"CousinsHighland:1992"} | by_pyhf


@pytest.mark.parametrize("ending", ["csv", "parquet", "root", "png", "svg"])
def test_grids(folder, monkeypatch, ending):
    """A grid has no limit, and names what its band varied."""
    monkeypatch.chdir(folder)
    run(
        "grid",
        "fermilab",
        "--mass",
        "10MeV,100MeV",
        "--g-mu",
        "1e-5,1e-4",
        "-o",
        f"g.{ending}",
        "--band",
        "energy-loss",
    )
    loss = {"Groom:2001", "Sternheimer:1984", "ICRU:1984", "Kelner:1997", "Kokoulin:1971", "Kelner:1998"}
    assert keys(f"g.{ending}") == BASE | loss | {"Bezrukov:1981"}


@pytest.mark.filterwarnings("ignore:N_S rests on fewer")
def test_other_results(folder, monkeypatch):
    """Reweighting, crosscheck, workspace, drawing: whatever mcgen writes with its provenance."""
    monkeypatch.chdir(folder)
    run("reweight", "v.root", "--model", "dark-photon", "--g-mu", "1e-4", "-o", "w.json")
    assert keys("w.json") == BASE | RANDOM | HADRONS
    run("crosscheck", "fermilab", "--mass", "100MeV", "--energy", "3", "-o", "c")
    assert keys("c") == keys("c/crosscheck.csv") == keys("c/crosscheck_W.png") == BASE | RANDOM
    assert "IWW" in mcgen.cite("c")[1].used_for
    bins = '\n[search]\nbackground = [1.0, 0.5]\nmethod = "cls"\n[search.bins]\nvariable = "x"\nedges = [0, 0.5, 1]\n'
    (folder / "bins.toml").write_text(mcgen.load_card("fermilab").text + bins)
    run("workspace", "bins.toml", "-o", "ws", "--mass", "100MeV", "--g-mu", "2e-5")
    assert keys("ws") == BASE | {"pyhf", "pyhf_joss"}
    run("show", "fermilab", "-o", "s.png", "--tracks", "3")
    assert keys("s.png") == BASE | RANDOM


def test_a_run(tmp_path):
    run("run", "fermilab", "-o", tmp_path / "f", "--events", "500")
    for name in ("", "events.root", "reach.csv", "reach.png"):
        assert keys(tmp_path / "f" / name) == BASE | RANDOM


def test_a_folder_with_a_document_of_its_own(tmp_path, folder, monkeypatch):
    """A folder of any name whose JSON holds a provenance; fails if only the names of today are known."""
    monkeypatch.chdir(folder)
    run("reach", "fermilab", "--mass", "100MeV", "-o", "own.csv")
    (tmp_path / "origin.json").write_text(json.dumps({"made": json.loads((folder / "own.csv.json").read_text())}))
    assert keys(tmp_path) == BASE


def test_a_folder_of_several_results(tmp_path, monkeypatch, capsys):
    """All results of a folder, and one line on what is none; fails if the first file stands for the others."""
    monkeypatch.chdir(tmp_path)
    run("reach", "fermilab", "--mass", "100MeV", "-o", "r.csv", "--method", "feldman-cousins")
    run("generate", "na64", "-o", "e.root", "--events", "200")
    run("generate", "fermilab", "-o", "many", "--events", "200")
    for name in ("notes.txt", "mine.toml", ".hidden", "broken.json"):
        (tmp_path / name).write_text("words")
    (tmp_path / "empty").mkdir()
    capsys.readouterr()
    assert main(["cite", ".", "--json"]) == 0
    out, err = capsys.readouterr()
    assert {row["key"] for row in json.loads(out)} == BASE | RANDOM | {"Feldman:1997qc"}
    assert err == (
        "mcgen: warning: folder .: cited is what went into e.root, many, r.csv; "
        "not cited: broken.json, empty, mine.toml, notes.txt\n"
    )
    (tmp_path / "empty" / "x.txt").write_text("words")
    with pytest.raises(InputError, match="no file in it says"):
        mcgen.cite(tmp_path / "empty")


def test_events_of_another_generator():
    """They rest on no form factor of ours; the format and the matter of the card are named."""
    reference = mcgen.card.card.data_folder("reference", "validation/reference") / "madgraph_W_1GeV_mS0.1.lhe.gz"
    assert keys(reference, card="fermilab") == {"mcgen", "Chen:2017awl", "IUPAC:2021", "Alwall:2006yp"}


@pytest.mark.parametrize(
    "content", [b"", b"words", b"a,b\n1,2\n", b"{}", b"[1]", b"\x89PNG\r\n", b"%PDF-1.4", b"<?xml?>"]
)
@pytest.mark.parametrize("ending", ["csv", "json", "png", "txt"])
def test_files_that_say_nothing(tmp_path, content, ending):
    """Other files are refused in one line; fails if program and paper are given for them, or a fault is a traceback."""
    path = tmp_path / f"x.{ending}"
    path.write_bytes(content)
    with pytest.raises(InputError):
        mcgen.cite(path)


def packed(value):
    return base64.b64encode(zlib.compress(json.dumps(value).encode()))


@pytest.mark.parametrize(
    "used", [b"AAAA", b"A", packed([1]), packed({"cards": 3}), packed({"cards": ["x = "]}), packed({"masses": ["a"]})]
)
def test_damaged_figures(tmp_path, used):
    """What a figure says of its inputs was changed by hand: one line, no traceback."""
    (tmp_path / "x.png").write_bytes(b"\x89PNG Description [used " + used + b"]")
    with pytest.raises(InputError):
        mcgen.cite(tmp_path / "x.png")


def test_what_is_missing(tmp_path):
    """A name that is neither a file nor a card is told."""
    with pytest.raises(InputError, match="is no file, and no card"):
        mcgen.cite(tmp_path / "nothing.root")
    with pytest.raises(InputError):
        mcgen.cite(tmp_path)


def test_command(tmp_path, monkeypatch, capsys):
    """BibTeX with a comment above each entry, JSON, and a file that is not replaced by other content."""
    monkeypatch.chdir(tmp_path)
    assert main(["cite"]) == 0
    text = capsys.readouterr().out
    assert re.match(r"% the program\n@misc\{mcgen,\n", text)
    assert main(["cite", "na64", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [sorted(row) for row in rows] == [["bibtex", "doi", "eprint", "key", "used_for"]] * len(rows)
    assert main(["cite", "na64", "-o", "x.bib"]) == 0
    assert list(parse_file("x.bib").entries) == [row["key"] for row in rows]
    before = (tmp_path / "x.bib").read_bytes()
    assert main(["cite", "na64", "-o", "x.bib"]) == 0
    assert main(["cite", "e137", "-o", "x.bib"]) == 2
    assert (tmp_path / "x.bib").read_bytes() == before
    assert main(["cite", "e137", "-o", "x.bib", "--overwrite"]) == 0
    assert (tmp_path / "x.bib").read_bytes() != before
    assert main(["cite", "na64", "-o", "x.txt"]) == 2
    assert "must end in .bib" in capsys.readouterr().err


def test_the_same_in_every_process():
    """The order depends on no hash of texts; fails if a set decides it."""
    code = "import mcgen; print([c.key for c in mcgen.cite('na64mu-2022', 'e137', 'belle2-tautau')])"
    found = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(found) == 1
