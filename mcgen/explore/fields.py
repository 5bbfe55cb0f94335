"""The fields of a page: one for each key of a card that can be moved, from the types that check it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from mcgen.base.units import UNITS
from mcgen.card.card import Card
from mcgen.card.keys import keys
from mcgen.explore.setup import Setup


@dataclass(frozen=True)
class Field:
    """A field of a page."""

    key: str  #: dotted, in a card
    group: str  #: beam, target, layer 1, detector, search, boson
    label: str
    kind: str  #: quantity, number, choice, flag or text
    unit: str = ""  #: of a quantity: the one that its text is shown in, if it has none
    low: float | None = None  #: end of a slider, in GeV or cm
    high: float | None = None
    log: bool = False  #: whether a slider is logarithmic
    choices: tuple[str, ...] = ()
    meaning: str = ""
    default: Any = None  #: of the card, if nothing is written; None if it is needed or there is none


FIELDS: tuple[Field, ...] = ()


def fields_of(setup: Setup) -> list[Field]:
    """The fields that apply to a set-up."""
    return list(FIELDS)


_: Any = (Iterator, replace, UNITS, Card, keys)
