"""The other choices of a card: which there are, and that each changes one thing alone."""

from __future__ import annotations

import pytest

from mcgen import load_card
from mcgen.analysis.variations import KINDS, changed, variations
from mcgen.base.errors import InputError


@pytest.mark.parametrize(
    ("name", "form_factors", "losses"),
    [
        ("fermilab", {"tsai", "elastic", "helm"}, {"table"}),  # no charge density of W was measured
        ("na64", {"tsai", "elastic", "helm", "fourier-bessel"}, {"table"}),
        ("na64mu-2022", {"paper", "elastic", "helm", "fourier-bessel"}, {"constant"}),
        ("e137", {"tsai", "elastic", "helm", "fourier-bessel"}, set()),  # electrons
        ("babar-tautau", set(), set()),  # no target
    ],
)
def test_what_can_be_varied(name, form_factors, losses):
    """The card's own choice is not among the others, nor what its nuclei or beam cannot have; fails if one slips in."""
    card = load_card(name)
    found = variations(card, KINDS)
    assert {what for what, _ in found} == {f"form factor {f}" for f in form_factors} | {
        f"energy loss {loss}" for loss in losses
    }
    assert [what for what, _ in variations(card, KINDS[:1])] == [w for w, _ in found if w.startswith("form")]


def test_one_thing_changes():
    """Each differs from the card in the key that its name says; fails if two changes add up."""
    card = load_card("na64")
    for what, other in variations(card, KINDS):
        key = "run" if what.startswith("form") else "target"
        name = "form_factor" if key == "run" else "energy_loss"
        assert getattr(getattr(other, key), name) == what.split()[-1]
        back = changed(other, **{key: {name: getattr(getattr(card, key), name)}})
        assert back.model_dump() == card.model_dump()


def test_electrons_of_the_atom_count_once():
    """With the electrons hit themselves, no form factor with an inelastic term is left; fails if they count twice."""
    card = changed(load_card("fermilab"), target={"process": "all"}, run={"form_factor": "elastic"})
    assert [what for what, _ in variations(card, ["form-factor"])] == ["form factor helm"]


def test_unknown_kind():
    """One line says what there is; fails for a KeyError."""
    with pytest.raises(InputError, match="did you mean 'form-factor'"):
        variations(load_card("fermilab"), ["formfactor"])
