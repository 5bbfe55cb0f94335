"""Cards with a search."""

from __future__ import annotations

from mcgen.card.card import card_text, parse_card


def searching(name, lines):
    """A card that comes with mcgen, with the lines of a `[search]`."""
    return parse_card(card_text(name) + f"\n[search]\n{lines}\n", name)
