"""Events made in passing, for detectors that no quadrature knows."""

from __future__ import annotations

from collections.abc import Sequence

from mcgen.card.card import Card
from mcgen.events.events import EventSource
from mcgen.generation.generate import in_passing
from mcgen.source.source import source_of

#: events per mass where the detector has a shape, for which there is no quadrature
EVENTS = 20_000


def sample(card: Card, models: Sequence[str], m_S: float) -> EventSource:
    """Events of one mass in GeV that can be weighted for each of some models."""
    ratio = source_of(card).electron_ratio
    made_with = max(models, key=lambda model: abs(ratio(model)))  # else its parts are missing
    couples = ratio(made_with) != ratio(card.scalar.model)
    return in_passing(card.with_boson(model=made_with) if couples else card, m_S, EVENTS)
