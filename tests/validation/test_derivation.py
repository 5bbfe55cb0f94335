"""docs/amplitude.md: each numbered equation in fractions, and the page and the script agree on the numbers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from places import ROOT

from mcgen.physics.emission.mediator import MEDIATORS, Weights
from validation import derivation_invariants as invariants
from validation import derivation_laboratory as lab
from validation.derivation import STEPS, difference
from validation.exact_dirac import run

PAGE = (ROOT / "docs" / "amplitude.md").read_text(encoding="utf-8")
FLAVOUR = (ROOT / "docs" / "flavour.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_step(step):
    """Both sides are equal, in fractions where no root is taken; fails if a term of the page or the code is wrong."""
    assert difference(step, seed=7) <= STEPS[step]


def test_every_equation_has_a_step():
    """Tags run from D1 and each has a step, but the Lagrangian, L and A, which all use; fails after a renumbering."""
    tags = [int(n) for n in re.findall(r"\\tag\{D(\d+)\}", PAGE)]
    assert tags == list(range(1, len(tags) + 1))
    checked = {1, 3, 4}
    for step in STEPS:
        for first, last in re.findall(r"D(\d+)(?: - D(\d+))?", step.__doc__.split(":")[0]):
            checked |= set(range(int(first), int(last or first) + 1))
    assert checked == set(tags)


def test_cited_equations_exist():
    """Each (D...) in a text of the page or the script is a tag; fails when one is dropped."""
    texts = PAGE + "".join(path.read_text(encoding="utf-8") for path in Path(invariants.__file__).parent.glob("*.py"))
    assert set(re.findall(r"\((D\d+)\)", texts)) <= set(re.findall(r"\\tag\{(D\d+)\}", PAGE))


def test_the_page_of_flavour():
    """Tags of docs/flavour.md are those of its step, and it cites tags of the other page that are there."""
    tags = re.findall(r"\\tag\{F(\d+)\}", FLAVOUR)
    assert tags == [str(n) for n in range(1, 7)]
    assert str(invariants.change.__doc__).startswith(f"F{tags[0]} - F{tags[-1]}:")
    assert set(re.findall(r"\((D\d+)\)", FLAVOUR)) <= set(re.findall(r"\\tag\{(D\d+)\}", PAGE))


@pytest.mark.parametrize("step", [invariants.weights, lab.azimuth])
@pytest.mark.parametrize(
    ("mediator", "weight"),
    [(name, i) for name, kernel in MEDIATORS.items() for i, c in enumerate(run(kernel, 1, 1, 3)[:4]) if c != 0],
)
def test_wrong_sign_is_seen(monkeypatch, mediator, weight, step):
    """One weight with the wrong sign makes a difference; fails if a step compares the code with itself."""
    true = MEDIATORS[mediator]

    def wrong(m, m_out, m_S):
        return Weights(*(-c if i == weight else c for i, c in enumerate(run(true, m, m_out, m_S))))

    monkeypatch.setitem(MEDIATORS, mediator, wrong)
    assert difference(step, n=1) > 1e-3
