"""Three faults that are put into a run on purpose, and those of the long run: each piece of source is there once."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

import mcgen
from mcgen.base.errors import ClosureError
from mcgen.campaign import production
from mcgen.generation import closure
from mcgen.generation import generate as generation
from mcgen.generation.generate import Options
from validation import sabotage
from validation.sabotage import FAULTS, changed

PACKAGE = Path(mcgen.__file__).parent


def source_of(name):
    """The module of a fault as it is."""
    return (PACKAGE / f"{FAULTS[name].module.replace('.', '/')}.py").read_text(encoding="utf-8")


def sabotaged(name):
    """The module with the fault, of which nothing is compiled."""
    module = ModuleType(f"mcgen.{FAULTS[name].module}")
    exec(compile(changed(name, source_of(name)), module.__name__, "exec"), module.__dict__)
    return module


def run(name, folder):
    """10,000 events of a user."""
    module = sabotaged(name)
    if module.__name__ == production.__name__:
        plan = module.plan_of(mcgen.load_card("fermilab"), 0.1, 10_000, 1, 2_500, Options())
        return module.produce(plan, folder)
    return module.generate("fermilab", 0.1, 10_000, 1, output=folder / "events.root")


@pytest.mark.parametrize("name", list(FAULTS))
def test_each_fault_is_there(name):
    """The piece of source that a fault replaces is in its module once; fails if the source has moved on."""
    assert (changed(name, source_of(name)) != source_of(name)) == (name != "none")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a branch in single precision", "events that cannot be: momentum along x"),
        ("decay in mm", "events that cannot be: decay along z"),
        ("each partition the same events", "3 of 4 files repeat the events of another"),
    ],
)
def test_a_fault_is_caught(tmp_path, name, words):
    """No file is left, or no manifest; fails if the guard is taken out."""
    with pytest.raises(ClosureError, match=words):
        run(name, tmp_path)
    assert not (tmp_path / "events.root").exists()
    assert not (tmp_path / production.MANIFEST).exists()


def test_nothing_is_caught_without_the_guard(tmp_path, monkeypatch):
    """The same fault without the sample; fails if something else tells of it, and the test above of nothing."""
    monkeypatch.setattr(closure.Closure, "check", lambda *_: None)
    run("a branch in single precision", tmp_path)
    assert sys.modules["mcgen.generation.generate"] is generation
    assert sabotage.caught(dict.fromkeys(sabotage.GUARDS, "")) == ""


def test_what_a_user_is_told(tmp_path):
    """Sound events, and a guard that tells; fails if the harness calls sound events wrong."""
    assert sabotage._of_a_user(FAULTS["none"], 1_000, tmp_path) == dict.fromkeys(sabotage.GUARDS, "")
    assert sabotage.caught({"generate": "", "info --verify": "no", "crosscheck --events": "p"}) == "info --verify: no"
