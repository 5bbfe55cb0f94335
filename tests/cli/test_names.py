"""Completion in the shell."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete

from mcgen.analysis.constraints import NAMES
from mcgen.analysis.variations import KINDS
from mcgen.card.card import builtin_cards
from mcgen.cli import cli, names
from mcgen.physics.emission.form_factor import FORM_FACTORS
from mcgen.physics.emission.mediator import MEDIATORS
from mcgen.physics.matter.materials import ELEMENTS
from mcgen.statistics.limits import CALCTYPES, METHODS


def _found(line, begun):
    items = ShellComplete(cli, {}, "mcgen", "_MCGEN_COMPLETE").get_completions(line.split(), begun)
    return [item.value if item.type == "plain" else item.type for item in items]


@pytest.mark.parametrize(
    ("line", "begun", "found"),
    [
        ("", "rew", ["reweight"]),
        ("run", "ferm", ["fermilab", "fermilab-3d"]),
        ("run", "mi", ["mine.toml"]),
        ("run", "./m", ["./mine.toml"]),
        ("run", "elsewhere/", ["file"]),
        ("generate", "mine", ["mine.toml"]),
        ("reach na64", "na64m", ["na64mu-2022", "na64mu-run4"]),
        ("reach na64 --model", "A,L", ["A,Lmu-Ltau"]),
        ("reach na64 --production", "exact,i", ["exact,iww"]),
        ("reach na64 --constraints", "bel", ["belle2-invisible", "belle-tautau"]),
        ("constraints --boson", "ax", ["axial"]),
        ("grid na64 --band", "form-factor,e", ["form-factor,energy-loss"]),
        ("run na64 --mediator", "a", ["axial"]),
        ("xsec --method", "w", ["ww"]),
        ("xsec --target", "P", ["P", "Pb"]),
        ("export x.root --layout", "n", ["nuhepmc"]),
        ("xsec --form-factor", "he", ["helm"]),
        ("xsec --form-factor", "my", ["file"]),
        ("reweight", "a", ["file"]),
        ("reweight x.root --detector", "na64m", ["na64mu-2022", "na64mu-run4"]),
        ("reweight x.root --model", "d", ["dark-photon"]),
    ],
)
def test_completion(line, begun, found, tmp_path, monkeypatch):
    """Names, and files of cards, where they are understood; fails if an option loses its names."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").touch()
    assert _found(line, begun) == found


def test_names_are_those_that_are_understood():
    """What is completed is what exists; fails if a mediator, a form factor or a limit is added elsewhere only."""
    assert set(names.MEDIATOR.names()) == set(MEDIATORS)
    assert set(names.LIMIT.names()) == {*NAMES, "paper", "all"}
    assert names.BAND.names() == KINDS
    assert set(names.CARD.names()) == set(builtin_cards())
    assert set(names.ELEMENT.names()) == set(ELEMENTS)
    assert {*names.FORM_FACTOR.names(), "table"} == set(FORM_FACTORS)
    assert names.LIMIT_METHOD.names() == METHODS
    assert names.CALCTYPE.names() == CALCTYPES


def test_completion_is_light():
    """A key pressed in the shell loads none of the heavy packages; fails if a name is looked up in the physics."""
    code = (
        "import sys\nfrom mcgen.cli import main\n"
        "try: main([])\n"
        "except SystemExit: print(sorted({'numba', 'numpy', 'uproot', 'pydantic', 'rich'} & set(sys.modules)))"
    )
    environment = os.environ | {"_MCGEN_COMPLETE": "bash_complete", "COMP_WORDS": "mcgen run orsa", "COMP_CWORD": "2"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.splitlines() == ["plain,orsay", "[]"]
