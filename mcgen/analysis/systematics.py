"""Cards with another form factor or energy loss: how much of a contour rests on the choice."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mcgen.base.errors import InputError, McgenWarning, choose, refuse_if
from mcgen.card.card import Card, parse_card
from mcgen.card.form_factors import NAMES
from mcgen.source.source import checked

#: what can be varied, and by which values of which key of a card
VARIED = {
    "form-factor": ("form factor", "run", "form_factor", tuple(NAMES)),
    "energy-loss": ("energy loss", "target", "energy_loss", ("constant", "table", "mulder")),
}


class LeftOutWarning(McgenWarning):
    """A variation does not fit the card."""


class Variations(NamedTuple):
    """Cards that differ from another in one key each."""

    cards: Sequence[Card] = ()
    words: str | None = None  #: what was varied


NO_VARIATIONS = Variations()


def variations(card: Card, band: Sequence[str]) -> Variations:
    """The card with each other value of what is to be varied, one at a time; a warning says which do not fit it.

    Parameters
    ----------
    card : Card
    band : sequence of {"form-factor", "energy-loss"}

    Raises
    ------
    InputError
        If nothing can be varied: where beams collide, or electrons lose no energy as muons do.
    """
    cards, words = [], []
    for name in band:
        what, section, key, values = VARIED[choose(name, VARIED, "band")]
        refuse_if(card.collider, f"band: {card.name} is a collider, which has no {what}")
        electrons = name == "energy-loss" and card.beam.lepton != "mu"
        refuse_if(electrons, f"band: energy-loss is that of muons, and the beam of {card.name} is {card.first_beam}")
        own = getattr(getattr(card, section), key) or values[0]
        others = list(_others(card, section, key, [value for value in values if value != own]))
        refuse_if(not others, f"band: {card.name} has no other {what}")
        cards += [other for _, other in others]
        words.append(f"{what} {', '.join([own, *(value for value, _ in others)])}")
    return Variations(cards, "; ".join(words) or None)


def _others(card: Card, section: str, key: str, values: Sequence[str]) -> Iterator[tuple[str, Card]]:
    """The card with each value that fits it."""
    for value in values:
        changed = getattr(card, section).model_copy(update={key: value})
        try:
            yield value, checked(parse_card(card.model_copy(update={section: changed}).text, card.name), card.name)
        except InputError as error:
            warnings.warn(f"band: {value} is left out: {error}", LeftOutWarning, stacklevel=4)
