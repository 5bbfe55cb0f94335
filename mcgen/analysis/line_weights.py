"""Events on electrons as if the boson coupled to electrons otherwise, or the beam had the other charge.

|M|^2 of such an event has three parts, of g_mu^2, g_e^2 and g_mu g_e, and the file holds them (`LINE_BRANCHES`). All
couplings together only scale it.
"""

from __future__ import annotations

import numpy as np

from mcgen.base.errors import choose, refuse_if
from mcgen.card.card import Card
from mcgen.events.branches import LINE_BRANCHES, Columns
from mcgen.events.events import EventSource, View
from mcgen.events.line_parts import RATIO, combined
from mcgen.physics.boson.couplings import Couplings
from mcgen.source.source import Source

_CHARGES = {"mu+": 1, "mu-": -1}


def at_model(events: EventSource, model: str | Couplings, card: Card, particle: str | None = None) -> EventSource:
    """The events with the weights of a model, and of a beam of muons of either charge.

    Parameters
    ----------
    events : EventSource
    model : {"A", "B", "dark-photon", "Lmu-Ltau", "table"} or Couplings
    card : Card
        Whose beam, target and mediator are those of the events.
    particle : {"mu+", "mu-"}, optional
        By default that of the file.

    Returns
    -------
    EventSource
        The same if the weights are.

    Raises
    ------
    InputError
        If the model couples to electrons and the events were made with one that does not, or if the file lacks the
        parts.
    """
    if card.collider:
        refuse_if(particle, f"particle {particle}: is of a beam on a target, and these beams collide")
        return events
    beam = card.beam.particle
    charge = card.beam.charge if particle is None else _CHARGES[choose(particle, _CHARGES, "particle")]
    stray = charge != card.beam.charge and card.beam.lepton != "mu"
    refuse_if(stray, f"particle {particle}: the beam of the file is {beam}")
    old, new = float(events.metadata.get(RATIO, 0.0)), Source(card).electron_ratio(model)
    flips = charge != card.beam.charge and card.scalar.mediator == "vector"
    if new == old and not (flips and new):
        return events
    name = model if isinstance(model, str) else "explicit"
    made = events.metadata.get("model", "")
    closed = f"model {name}: couples to electrons, and the events of model {made} have no S from their line"
    refuse_if(old == 0.0, f"{closed}; generate them with a model that couples to electrons")
    missing = [branch for branch in LINE_BRANCHES if branch not in events.branches]
    refuse_if(missing, f"model {name}: another coupling to electrons needs {', '.join(missing)}, which the file lacks")
    sign = -1.0 if card.scalar.mediator == "vector" and charge > 0 else 1.0

    def change(chunk: Columns) -> Columns:
        parts = np.stack([chunk[branch] for branch in LINE_BRANCHES])
        return chunk | {"weight": chunk["weight"] * combined(parts, new, sign)}

    return View(events, {}, change, ["weight", *LINE_BRANCHES])
