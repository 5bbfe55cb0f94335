"""The choices of a card that no measurement settles, one after the other: form factor and energy loss."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from mcgen.base.errors import InputError, choose
from mcgen.card.card import Card, parse_card
from mcgen.physics.emission.form_factor import FORM_FACTORS
from mcgen.source.source import source_of

#: what can be varied
KINDS = ("form-factor", "energy-loss")
#: means of the energy that muons lose; that of `mulder` is the one of the table, and not installed everywhere
_LOSSES = ("constant", "table")


def changed(card: Card, **sections: Mapping[str, Any]) -> Card:
    """A card with other numbers in its sections, checked anew: `changed(card, beam={"spot": 1.0})`."""
    new = {name: getattr(card, name).model_copy(update=dict(values)) for name, values in sections.items()}
    return parse_card(card.model_copy(update=new).text, card.name)


def _choices(card: Card, kind: str) -> list[tuple[str, dict[str, dict[str, Any]]]]:
    """Names of one kind that the card does not use, and the sections that they change."""
    if card.target is None:
        return []
    if choose(kind, KINDS, "band") == "form-factor":
        names = [name for name in FORM_FACTORS if name != card.run.form_factor]
        return [(f"form factor {name}", {"run": {"form_factor": name}}) for name in names]
    if card.beam.lepton != "mu":
        return []
    losses = [name for name in _LOSSES if name != (card.target.energy_loss or "constant")]
    return [(f"energy loss {name}", {"target": {"energy_loss": name}}) for name in losses]


def variations(card: Card, which: Sequence[str]) -> list[tuple[str, Card]]:
    """The card with each of the other form factors and energy losses that hold for it; its own is not among them.

    Parameters
    ----------
    card : Card
    which : sequence of {"form-factor", "energy-loss"}

    Returns
    -------
    list of (str, Card)
        What is changed, and the card with it. Left out is what cannot be: a charge density that nobody measured, a
        form factor that no file gives, an energy loss with which the beam stops in the target.
    """
    found = []
    for what, sections in (choice for kind in which for choice in _choices(card, kind)):
        with contextlib.suppress(InputError):
            other = changed(card, **sections)
            source = source_of(other)
            for target in source.targets:
                source.process(other.scalar.mass, target)
            found.append((what, other))
    return found
