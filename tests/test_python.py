"""What a user types in Python: every command has its function, and arguments are taken as the README says."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys

import numpy as np
import pytest

import mcgen
from mcgen.base.table import Table
from mcgen.cli import COMMANDS, main
from mcgen.events.events import Events

FUNCTIONS = sorted(name for name in mcgen.__all__ if inspect.isfunction(getattr(mcgen, name)))


def test_every_command_has_its_function():
    """Fails if a command is added that Python users cannot call."""
    missing = [command.name for command in COMMANDS if command.name not in FUNCTIONS]
    assert missing == []


LOADED = """
import atexit, sys
named = {"numpy", "click", "uproot", "awkward", "vector", "matplotlib", "rich"}
atexit.register(lambda: print(sorted(named & {*sys.modules})))
sys.argv[0] = "mcgen"
from mcgen.cli import entry
entry()
"""


@pytest.mark.parametrize(
    ("arguments", "loaded"),
    [
        (["--help"], ["click"]),
        (["schema"], ["click", "numpy"]),
        (["xsec", "--target", "W", "--energy", "3", "--mass", "0.1"], ["click", "numpy", "rich"]),
        (["reach", "fermilab", "--mass", "0.1"], ["click", "numpy", "rich"]),
    ],
)
def test_what_is_imported_when(arguments, loaded):
    """As docs/keyboard.md says; fails if a command loads what it does not need."""
    run = subprocess.run([sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == str(loaded)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "overwriting"])
def test_docstrings(name):
    """Every parameter is described, and what is returned; fails for one that was added without a word."""
    function = getattr(mcgen, name)
    text = inspect.getdoc(function)
    names = [p.name for p in inspect.signature(function).parameters.values()]
    rest = text.split("Parameters\n----------\n")[-1].split("\nRaises\n")[0]
    lines = re.findall(r"^([\w*, ]+)(?= : |$)", rest, re.MULTILINE)
    described = {n for line in lines for n in re.split(r"[, *]+", line)}
    assert [n for n in names if n not in described] == []
    assert "Returns\n-------\n" in text or name.startswith("plot_")


def test_a_card_by_its_name():
    """Name, file and card give the same; fails where a function takes only a card."""
    card = mcgen.load_card("fermilab")
    assert mcgen.load_card(card) is card
    one, two = (mcgen.n_signal(c, "A", m, 1e-4) for c, m in ((card, 0.1), ("fermilab", "100 MeV")))
    assert one == two
    assert mcgen.sigma_tilde("fermilab", "A", "100MeV", 1e-4, 3.0) == mcgen.sigma_tilde(card, "A", 0.1, 1e-4, [3.0])[0]
    assert mcgen.total_width("fermilab", "A", "100 MeV", 1e-4) == mcgen.total_width(card, "A", 0.1, 1e-4)
    assert mcgen.load_card("fermilab", mediator="vector").scan.models == ["dark-photon", "Lmu-Ltau"]
    assert mcgen.load_card(card, model="B").scalar.model == "B"


def test_numbers_as_they_come():
    """A number, a list, an array and a text are the same couplings; fails if one of them is refused."""
    card = mcgen.load_card("fermilab")
    asked = [1e-4], np.array([1e-4]), "1e-4", (1e-4,)
    found = [mcgen.n_signal(card, "A", 0.1, g) for g in asked]
    assert all(one == [mcgen.n_signal(card, "A", 0.1, 1e-4)] for one in found)
    assert len(mcgen.n_signal(card, "A", 0.1, "1e-5:1e-3:5")) == 5
    events = mcgen.generate("fermilab", "100 MeV", 1e3)
    assert len(events) == 1000
    assert mcgen.reweight(events, "A", 1e-4, detector="fermilab").g_mu == [1e-4]
    assert mcgen.reach("fermilab", "A,B", "10MeV,100MeV") == mcgen.reach(card, models=["A", "B"], masses=[0.01, 0.1])
    assert mcgen.crosscheck("fermilab", 0.1, 3.0, points=1e3) == mcgen.crosscheck(
        card, masses=[0.1], energies=[3], points=1000
    )
    assert mcgen.cross_section("W", "3 GeV", "100 MeV").value == mcgen.cross_section("W", 3.0, 0.1).value


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: mcgen.generate("fermilab", "100 cm"), "m_S: 'cm' is not a unit of energy"),
        (lambda: mcgen.generate("fermilab", 0.1, 10.5), "events: 10.5 is not a whole number"),
        (lambda: mcgen.generate("fermilab", 0.1, "many"), "events: 'many' is not a whole number"),
        (lambda: mcgen.n_signal("fermilab", "A", None, 1e-4), "m_S: None is no number"),
        (lambda: mcgen.n_signal("fermilab", "A", 0.1, ["a"]), "g_mu: "),
        (lambda: mcgen.reach("fermilab", model="A", models="B"), "model: is given twice"),
        (lambda: mcgen.load_card("fermilap"), "did you mean 'fermilab'"),
        (lambda: mcgen.load_card(3), "card: 3 is no card"),
        (lambda: mcgen.generate("fermilab", -0.1), "mass: -0.1 must lie above"),
        (lambda: mcgen.cross_section("W", 3.0, 0.1, edges=[1.0, 2.0]), "edges: are those of a spectrum"),
        (lambda: mcgen.cross_section("W", 3.0, 0.1).to_hist(), "no spectrum"),
        (lambda: mcgen.plot_reach(mcgen.reach("fermilab", "A,B", 0.1), object()), "2 panels, and 1 Axes"),
    ],
)
def test_refused(call, word):
    """One line says which argument is wrong; fails if another error comes, or none."""
    with pytest.raises(mcgen.InputError, match=re.escape(word)):
        call()


def test_xsec_like_the_command(capsys):
    """Function and command give the same rows; fails if one of them computes on its own."""
    assert main(["xsec", "--target", "W", "--energy", "1,3", "--mass", "100MeV", "--spectrum", "x", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    rows = mcgen.xsec("W", "1,3", "100MeV", spectrum="x")
    assert [row.document() for row in rows] == printed
    assert rows[0].to_hist().values().tolist() == printed[0]["spectrum"]["sigma_pb"]


def test_schema_and_info_like_the_commands(tmp_path, capsys):
    """What the functions return is what the commands print; fails if one of them drops a key."""
    path = tmp_path / "e.root"
    mcgen.generate("fermilab", 0.1, 100, output=path)
    for arguments, found in ((["schema"], mcgen.schema()), (["info", str(path), "--json"], mcgen.info(path))):
        assert main(arguments) == 0
        assert json.loads(capsys.readouterr().out) == found
    assert "| key |" in mcgen.schema(markdown=True)


@pytest.fixture(scope="module")
def events():
    return mcgen.generate("fermilab", 0.1, 2000)


def test_events_elsewhere(events, tmp_path):
    """pandas and hist get the events as they are; fails if a weight or a branch is lost."""
    pytest.importorskip("hist")
    file = mcgen.save(events, tmp_path / "e.root")
    for source in (events, file):
        frame = source.to_pandas()
        assert list(frame) == events.branches
        assert np.array_equal(frame["x"], events.columns["x"])
        assert list(source.to_pandas(["S_E"])) == ["S_E"]
        found = source.to_hist("x", bins=20)
        assert found.sum().value == pytest.approx(events.metadata["yield_per_muon"], rel=1e-12)
        assert found.sum().variance == pytest.approx(np.sum(events.columns["weight"] ** 2), rel=1e-12)
        assert found.axes[0].name == "x"
    assert list(events.to_pandas("S_E,x")) == ["S_E", "x"]
    for call, words in (
        (lambda: events.to_hist("y"), "branch: 'y' is not known"),
        (lambda: events.to_pandas("y"), "branch: 'y' is not known"),
        (lambda: events.to_hist("x", bins=-3), "bins: -3 is no number of bins"),
        (lambda: mcgen.reweight(events, "A", 1e-4).to_hist(5), "coupling: 5 is no place in g_mu"),
    ):
        with pytest.raises(mcgen.InputError, match=words):
            call()


def test_results_elsewhere(events):
    """Tables become DataFrames and histograms; fails if a column is missing."""
    pytest.importorskip("hist")
    found = mcgen.reweight(events, "A", [1e-5, 1e-4])
    assert found.to_pandas()["n_signal"].tolist() == [n.value for n in found.n_signal]
    sigma = found.to_hist(1)
    assert sigma.values().tolist() == [s.value for s in found.sigma_tilde[1]]
    assert np.sqrt(sigma.variances()) == pytest.approx([s.error for s in found.sigma_tilde[1]])
    points = mcgen.reach("fermilab", "A", [0.01, 0.1])
    assert points.to_pandas()["g_low"].tolist() == [p.g_low for p in points]
    spectrum = mcgen.cross_section("W", 3.0, 0.1, spectrum="t").to_hist()
    assert spectrum.axes[0].name == "t"


def test_what_objects_say(events, tmp_path):
    """A line or a small table, in notebooks as HTML; fails if pages of metadata come back."""
    file = mcgen.save(events, tmp_path / "e.root")
    shown = [events, file, events.metadata, mcgen.load_card("fermilab")]
    for one in shown:
        assert len(repr(one)) < 250
        assert "fermilab" in repr(one)
    assert "2000" in repr(events)
    assert "100 MeV" in str(mcgen.load_card("fermilab"))
    tables = [mcgen.reweight(events, "A", [1e-4]), mcgen.reach("fermilab", "A", [0.1])]
    for one in [events, file, mcgen.load_card("fermilab"), *tables]:
        assert "<table>" in one._repr_html_()
        assert len(repr(one)) < 400
    spectrum = mcgen.xsec("W", 3, 0.1, spectrum="t")
    assert len(repr(spectrum)) < 400
    many = Table(mcgen.xsec("W", "1:3:40", 0.1))
    assert len(repr(many).splitlines()) == 22
    assert "..." in repr(many)
    assert repr(Table()) == "Table of no rows"
    assert "?" in repr(Events({}, {}))


def test_plots_in_axes(tmp_path, events):
    """Figures are drawn in Axes of the user's figure, and no file is written; fails if one makes its own figure."""
    figure = pytest.importorskip("matplotlib.figure").Figure
    upper, lower = figure().subplots(2)
    mcgen.plot_reach(mcgen.reach("fermilab", "A,B", "10MeV,50MeV,100MeV"), [upper, lower])
    assert [axes.get_title() for axes in (upper, lower)] == ["$N_S$ > 3, model A", "$N_S$ > 3, model B"]
    assert lower.get_legend() is not None
    found = mcgen.reweight(events, "A", [1e-5, 1e-4])
    one, two, three, four = (figure().subplots() for _ in range(4))
    mcgen.plot_signal(found.g_mu, {"A": found.n_signal}, one)
    mcgen.plot_sigma_tilde(found.E_mu, {"A": found.sigma_tilde[0]}, two)
    mcgen.plot_comparison(mcgen.crosscheck("fermilab", [0.1], [3.0], points=1e3), three)
    assert mcgen.show("fermilab", four, "100 MeV", tracks=3) is four
    assert all(axes.get_legend() for axes in (one, two, three, four))
    assert list(tmp_path.iterdir()) == []
