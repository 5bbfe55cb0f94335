"""Cards with another form factor or energy loss, which no measurement settles: how much rests on the choice."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mcgen.base.errors import InputError, McgenWarning, choose, refuse_if
from mcgen.card.card import Card, parse_card
from mcgen.card.form_factors import NAMES
from mcgen.source.source import checked

#: what can be varied, and by which values of which key of a card; the mean loss of `mulder` is the one of the table,
#: and a result must not depend on whether a package is installed
_VARIED = {
    "form-factor": ("form factor", "run", "form_factor", tuple(NAMES)),
    "energy-loss": ("energy loss", "target", "energy_loss", ("constant", "table")),
}
KINDS = tuple(_VARIED)


class LeftOutWarning(McgenWarning):
    """A variation does not fit the card."""


class Variations(NamedTuple):
    """Cards that differ from another in one key each."""

    cards: Sequence[Card] = ()
    names: Sequence[str] = ()  #: what each differs in, such as 'form factor tsai'
    words: str | None = None  #: what was varied


NO_VARIATIONS = Variations()


def changed(card: Card, **sections: Mapping[str, Any]) -> Card:
    """A card with other numbers in its sections, checked anew: `changed(card, beam={"spot": 1.0})`."""
    new = {name: getattr(card, name).model_copy(update=dict(values)) for name, values in sections.items()}
    return parse_card(card.model_copy(update=new).text, card.name)


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
    cards: list[Card] = []
    names: list[str] = []
    words: list[str] = []
    for kind in band:
        what, section, key, values = _VARIED[choose(kind, KINDS, "band")]
        refuse_if(card.collider, f"band: {card.name} is a collider, which has no {what}")
        electrons = kind == "energy-loss" and card.beam.lepton != "mu"
        refuse_if(electrons, f"band: energy-loss is that of muons, and the beam of {card.name} is {card.first_beam}")
        own = getattr(getattr(card, section), key) or values[0]
        others = dict(_others(card, section, key, [value for value in values if value != own]))
        refuse_if(not others, f"band: {card.name} has no other {what}")
        cards += others.values()
        names += [f"{what} {value}" for value in others]
        words.append(f"{what} {', '.join([own, *others])}")
    return Variations(cards, names, "; ".join(words) or None)


def _others(card: Card, section: str, key: str, values: Sequence[str]) -> Iterator[tuple[str, Card]]:
    """The card with each value that fits it."""
    for value in values:
        try:
            yield value, checked(changed(card, **{section: {key: value}}), card.name)
        except InputError as error:
            warnings.warn(f"band: {value} is left out: {error}", LeftOutWarning, stacklevel=4)
