"""Events of one card seen by the detector of another: what is made does not depend on who looks for it."""

from __future__ import annotations

from typing import Any

from mcgen.base.errors import InputError, refuse_if
from mcgen.card.card import Card, parse_card
from mcgen.events.branches import Columns
from mcgen.events.events import EventSource, View
from mcgen.events.meta import DecayMode
from mcgen.source.source import source_of

#: what may differ besides detector and search: the exposure, and where muons count as stopped
_FREE = {"beam": ("particles_on_target",), "target": ("E_min",), "collider": ("luminosity",)}
#: fields of the section `run` that change the production of S
_RUN = ("form_factor", "form_factor_table")


def _without_active(content: Any) -> Any:
    """A target, group or layer without what it sees itself."""
    if isinstance(content, dict):
        return {key: _without_active(value) for key, value in content.items() if key != "active"}
    return [_without_active(part) for part in content] if isinstance(content, list) else content


def _made_by(card: Card) -> dict[str, Any]:
    """All that the events of a card depend on, but for the mass, which is the file's."""
    content = card.model_dump()
    there = [name for name in _FREE if content[name] is not None]
    found = {name: {k: v for k, v in content[name].items() if k not in _FREE[name]} for name in there}
    found |= {name: _without_active(found[name]) for name in there if name == "target"}
    found["run"] = {key: content["run"][key] for key in _RUN}
    found["scalar"] = {"mediator": card.scalar.mediator}
    return found


def card_seen_by(card: Card, other: Card) -> Card:
    """The card of events with detector, exposure and decays of another one.

    Parameters
    ----------
    card : Card
        That of the events.
    other : Card
        Of the same beam, target, form factor and mediator; it may count muons as stopped at a higher energy.

    Raises
    ------
    InputError
        If the events would be others.
    """
    mine, theirs = _made_by(card), _made_by(other)
    same = bool(card.collider) == bool(other.collider)
    refuse_if(not same, f"detector {other.name}: one of the two is for colliding beams (card {card.name})")
    for section, content in theirs.items():
        differs = [key for key in sorted({*content, *mine[section]}) if content.get(key) != mine[section].get(key)]
        if differs:
            message = (
                f"detector {other.name}: its {section}.{differs[0]} is not that of the events (card {card.name}), "
                "which would be others; detector, active layers, particles_on_target and higher E_min may differ"
            )
            raise InputError(message)
    low, mine_low = source_of(other).E_exit, source_of(card).E_exit
    if low < (1.0 - 1e-12) * mine_low:
        message = (
            f"detector {other.name}: muons down to {low:g} GeV count there, and the events end at {mine_low:g} GeV"
        )
        raise InputError(message)
    decays = {
        key: getattr(other.scalar, key) for key in ("model", "invisible", "width", "widths", "decay", "decay_law")
    }
    scalar = card.scalar.model_copy(update=decays)
    return parse_card(other.model_copy(update={"scalar": scalar}).text, other.name)


def seen_by(source: EventSource, other: Card) -> View:
    """Events with the card of another detector, those of muons that count there.

    Raises
    ------
    InputError
        If the detector needs other events, or these were made for one: forced decays lie in its fiducial range.
    """
    metadata, what = source.metadata, f"detector {other.name}: "
    refuse_if(metadata.is_foreign, what + "events of another generator have the detector of their --card")
    forced = metadata.decays is DecayMode.FORCED
    refuse_if(forced, what + "the decays of the events were forced into the detector of their own card")
    card = parse_card(str(metadata["card"]), "of the event file")
    source_of(card).check_mass(metadata.m_S, "mass of the event file")
    seen = card_seen_by(card, other)
    E_low = (1.0 - 1e-12) * source_of(seen).E_exit

    def change(chunk: Columns) -> Columns:
        counts = chunk["E_mu"] >= E_low
        return {name: column[counts] for name, column in chunk.items()}

    return View(source, {"card": seen.text}, change, ["E_mu"])
