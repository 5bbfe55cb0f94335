"""`mcgen show`: what a card means, drawn along the beam."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mcgen.base.errors import InputError
from mcgen.base.units import quantity_text
from mcgen.card.card import Card
from mcgen.events.branches import Columns
from mcgen.events.events import Events
from mcgen.generation.generate import generate
from mcgen.search.search import Search
from mcgen.source.media import Medium
from mcgen.source.source import Source

#: events generated, of which a few that count are drawn
SAMPLE = 4000


class Part(NamedTuple):
    """What lies along the beam from z_low to z_high in cm."""

    kind: str  #: 'target', 'gap' or 'detector'
    name: str
    z_low: float
    z_high: float
    half: float  #: half width in x in cm; infinite where the card gives none
    middle: float = 0.0  #: its middle in x in cm


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions along the beam in cm, z = 0 at the front of the target, and some S with their decays."""

    card: Card
    m_S: float  #: GeV
    parts: list[Part]
    fiducial: tuple[float, float]  #: where the decay of an S counts, as z
    tracks: Columns  #: vertex, decay and daughters of a few events
    active: tuple[tuple[float, float], ...]  #: the same in layers of the target
    counted: bool  #: whether the S that are drawn count as signal; otherwise any events are drawn

    @property
    def end(self) -> float:
        """Back of the detector in cm."""
        return self.parts[-1].z_high


def layout(card: Card, m_S: float | None = None, tracks: int = 40, seed: int | None = None) -> Layout:
    """The set-up of a card with a few generated S.

    The S that are drawn count as signal; their decays are forced, and they are chosen by their probability. If no
    decay can count, as for a stable S, any events are drawn.

    Parameters
    ----------
    card : Card
    m_S : float, optional
        Mass in GeV; mass and seed default to the card's.
    tracks : int
        S to draw.
    seed : int, optional

    Notes
    -----
    A fiducial range is a distance from the production (Eqs. 18, 20); with the depth added it is the same z for all S.
    """
    m_S = card.scalar.mass if m_S is None else m_S
    Source(card).check_mass(m_S)
    drawn: Columns | None = None
    with contextlib.suppress(InputError):  # nothing decays, or invisibly
        events = generate(card, m_S, max(SAMPLE, 20 * tracks), seed, force_decay=True)
        assert isinstance(events, Events)
        drawn = _chosen(events.columns, tracks)
    counted = drawn is not None
    if drawn is None:
        events = generate(card, m_S, tracks, seed)
        assert isinstance(events, Events)
        drawn = events.columns
    search = Search.of(card)
    low, high = search.along_beam(0.0)
    return Layout(card, m_S, list(_parts(card)), (float(low), float(high)), drawn, search.active, counted)


def _chosen(columns: Columns, n: int) -> Columns | None:
    """At most n events, whose chance is proportional to weight times probability of a decay where it counts."""
    total = np.cumsum(columns["weight"] * columns["decay_weight"])
    if not total[-1] > 0.0:
        return None
    drawn = np.unique(np.searchsorted(total, (np.arange(n) + 0.5) / n * total[-1]))
    return {name: column[drawn] for name, column in columns.items()}


def _parts(card: Card) -> Iterator[Part]:
    detector, z = card.detector, 0.0
    half = detector.half_width[0] if detector.geometry == "3d" else math.inf
    # a missing-energy detector includes target and gap, so they are as wide; else only the detector has a width
    before = half if detector.signature == "missing-energy" else math.inf
    for layer in card.target.layers:
        elements = [element.name for element, _ in Medium(layer).composition]
        made_of = f" ({', '.join(elements)})" if elements != [layer.material] else ""
        made_of += ", active" if layer.active else ""
        yield Part("target", layer.material + made_of, z, z + layer.length, before)
        z += layer.length
    if detector.gap:
        name = f"gap of {quantity_text(detector.gap, 'length')}, shield or air"
        yield Part("gap", name, z, z + detector.gap, before)
        z += detector.gap
    what = "decay region" if detector.signature == "displaced" else "detector"
    name = f"{what} of {quantity_text(detector.L_det, 'length')}"
    if detector.geometry == "3d" and detector.is_round:
        name += f", radius {quantity_text(half, 'length')}"
    elif detector.geometry == "3d":
        name += ", " + " x ".join(quantity_text(2.0 * size, "length") for size in detector.half_width)
    if detector.offset_x or detector.offset_y:
        name += f", {quantity_text(math.hypot(detector.offset_x, detector.offset_y), 'length')} off the axis"
    yield Part("detector", name, z, z + detector.L_det, half, detector.offset_x)
