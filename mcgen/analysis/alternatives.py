"""Alternative weights of events: made for other form factors and mediators, or taken as the weights that count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mcgen.analysis.event_ratio import COLUMNS, card_with, changes, remade, weight_ratios
from mcgen.base.errors import InputError, choose, refuse_if
from mcgen.card.card import parse_card
from mcgen.events.branches import Columns
from mcgen.events.decays import check_angles
from mcgen.events.events import EventSource, View

#: what a weight may be for
KEYS = ("form_factor", "mediator")
GROUP = "form factors and mediators"


def _asked(text: str) -> dict[str, str]:
    """What `form_factor=helm,mediator=vector` asks for."""
    found: dict[str, str] = {}
    for part in text.split(","):
        key, equals, value = (word.strip() for word in part.partition("="))
        refuse_if(not equals or not value, f"weight '{text}': should be such as form_factor=helm,mediator=vector")
        choose(key, KEYS, f"weight '{text}'")
        refuse_if(key in found, f"weight '{text}': has {key} twice")
        found[key] = value
    return found


def with_weights(events: EventSource, weights: Sequence[str]) -> View:
    """Events with alternative weights, one more branch for each, which every format keeps.

    Parameters
    ----------
    events : EventFile, Pool, View or Events
    weights : sequence of str
        What each is for: `form_factor=helm`, `mediator=vector`, or both with a comma; this is also its name.

    Returns
    -------
    View
        The events with branches `weight_1`, ..., in the unit of `weight`; `metadata.weights` says what they are.

    Raises
    ------
    InputError
        If a weight cannot be had from these events, or has the name of one that is there; or if the events have
        daughters and it is of a mediator that decays at other angles.
    """
    metadata = events.metadata
    refuse_if(not weights, "weights: none are asked for")
    names, rows, processes = [row["name"] for row in metadata.weights.values()], [], []
    for asked in map(_asked, weights):
        text = ",".join(f"{key}={value}" for key, value in asked.items())
        refuse_if(text in names, f"weight '{text}': is there already")
        card, pairs = changes(events, asked.get("form_factor"), asked.get("mediator"))
        row: dict[str, Any] = {"name": text, "text": f"S of the same events with {text}", "group": GROUP} | asked
        if "form_factor" in asked:
            row |= {"form_factor": card.run.form_factor}
        if card.run.form_factor_table and "form_factor" in asked:
            row["form_factor_table"] = dict(card.run.form_factor_table)
        names.append(text)
        rows.append(row)
        processes.append(pairs)
    if metadata.decays:
        check_angles(parse_card(str(metadata["card"])), str(metadata.get("decay_law", "")), rows)
    first = len(metadata.weights) + 1
    added = [f"weight_{i}" for i in range(first, first + len(rows))]

    def change(chunk: Columns) -> Columns:
        ratios = (weight_ratios(chunk, pairs) for pairs in processes)
        return chunk | {name: chunk["weight"] * ratio for name, ratio in zip(added, ratios, strict=True)}

    return View(events, {"weights": [*metadata.get("weights", []), *rows]}, change, COLUMNS, added)


def at_weight(events: EventSource, name: str) -> View:
    """Events with an alternative weight as the one that counts; the mediator, which decays, is that of this weight.

    Raises
    ------
    InputError
        If the events have no weight of this name.
    """
    metadata = events.metadata
    known = {row["name"]: branch for branch, row in metadata.weights.items()}
    if not known:
        message = f"weight '{name}': the events have no alternative weights (`mcgen export --weight` makes them)"
        raise InputError(message)
    branch = known[choose(name, known, "weight")]
    row = metadata.weights[branch]
    card = parse_card(str(metadata["card"]), "of the event file")
    card = card_with(card, row.get("form_factor"), row.get("form_factor_table", {}), row.get("mediator"))
    return remade(events, card, lambda chunk: chunk[branch], [branch])
