"""The list of known limits."""

from __future__ import annotations

import json

import pytest

import mcgen
from mcgen.analysis.constraints import NAMES
from mcgen.cli import main


def test_what_is_listed():
    """All limits without a boson; of one, models in which each holds, and why not in others; fails for a bare no."""
    plain = mcgen.constraints()
    assert [row.name for row in plain] == list(NAMES)
    assert {row.applies for row in plain} == {None}
    rows = {row.name: row for row in mcgen.constraints("scalar")}
    assert rows["babar"].applies == ("A", "B")
    assert rows["babar-tautau"].applies == ("A",)
    assert "model B: it is a limit on a scalar of model A" in rows["babar-tautau"].why
    assert rows["ccfr-trident"].applies == ()
    assert all(row.why for row in rows.values() if row.applies != ("A", "B"))
    light = {row.name: row for row in mcgen.constraints("vector", "Lmu-Ltau")}
    assert light["ccfr-trident"].applies == ("Lmu-Ltau",)
    assert light["e137"].why == "electrons do not couple"


def test_decays_of_a_card():
    """The invisible decays of a card count; fails if a card is but its mediator."""
    card = mcgen.load_card("na64").with_boson("vector")
    dark = card.model_copy(update={"scalar": card.scalar.model_copy(update={"invisible": 0.5})})
    one, two = ({row.name: row for row in mcgen.constraints(c, "dark-photon")} for c in (card, dark))
    assert one["na64e"].applies == ()
    assert two["na64e"].applies == ("dark-photon",)
    assert two["faser"].applies == ()


def test_what_is_excluded():
    """With a mass the ranges of g_mu there, open ones without an end; fails for an infinity in a document."""
    rows = {row.name: row for row in mcgen.constraints("vector", "dark-photon", "20 MeV")}
    (line,), (outline,) = rows["na48"].excluded, rows["faser"].excluded
    assert line.g_high is None
    assert outline.g_low < outline.g_high < line.g_low
    assert "it is known from" in rows["lhcb"].why


def test_on_the_command_line(capsys):
    """A block for each limit with its reference and level, reasons beneath; errors in one line with status 2."""
    assert main(["constraints", "--boson", "scalar", "--model", "B", "--mass", "300MeV"]) == 0
    text = capsys.readouterr().out
    assert "babar: BaBar" in text
    assert "arXiv:1606.03501" in text
    assert "model B, 300 MeV: excluded g_mu above 0.0026" in text
    assert "not drawn: it is a limit on a vector of model Lmu-Ltau: " in text
    assert main(["constraints", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(NAMES)
    for wrong, word in (
        (["--boson", "vector", "--model", "A"], "model of a boson of kind vector: 'A' is not known"),
        (["--boson", "vectr"], "boson, a mediator or a card: 'vectr' is not known (did you mean 'vector'?)"),
        (["--boson", "foo"], "(allowed: scalar, pseudoscalar, vector, axial, babar-tautau, "),
        (["--boson", "foo.toml"], "card foo.toml: No such file"),
        (["--mass", "-1"], "mass"),
    ):
        assert main(["constraints", *wrong]) == 2
        assert word in capsys.readouterr().err


@pytest.mark.parametrize("names", ["all", "babar,{file}"])
def test_in_a_figure(names, tmp_path):
    """`reach --constraints` takes all that hold, and a file; fails if a file is looked for among the names."""
    own = tmp_path / "mine.csv"
    own.write_text("# label: Ours\nmass_gev,coupling\n0.2,1e-3\n0.5,2e-3\n")
    figure = tmp_path / "r.svg"
    asked = ["reach", "na64", "--model", "B", "--mass", "250MeV,400MeV", "--plot", str(figure)]
    assert main([*asked, "--constraints", names.format(file=own)]) == 0
    text = figure.read_text()
    assert "BaBar" in text
    assert ("Ours" in text) == ("mine" in names.format(file=own))
