"""What a set-up sees, part by part, the most important first; a computation that is stale stops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcgen.analysis.reach_rows import ReachTable
from mcgen.base.arrays import Array
from mcgen.explore.setup import Setup


class Stale(Exception):  # noqa: N818
    """Somebody moved on: nobody waits for this answer any more."""


@dataclass(frozen=True)
class Answer:
    """A part of what a set-up sees."""

    part: str  #: contour, events, spectrum, angle, layout
    value: Any  #: Contour, Events, Spectrum, Layout
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Contour:
    """Where N_S exceeds what counts as seen."""

    rows: ReachTable  #: as `mcgen reach` gives them
    criterion: str  #: a line about the limit


@dataclass(frozen=True)
class SignalMap:
    """N_S over masses and couplings."""

    m_S: Array  #: GeV, (masses,)
    g_mu: Array  #: (couplings,)
    n_signal: dict[str, Array]  #: by model, (masses, couplings)


@dataclass(frozen=True)
class Spectrum:
    """Bosons of the pointed mass and coupling per bin."""

    variable: str  #: "E_S" or "theta"
    edges: Array  #: GeV or rad, (bins + 1,)
    made: Array  #: S that are made, per bin, (bins,)
    seen: Array  #: those that count, (bins,)


def answers(setup: Setup, stale: Callable[[], bool] = lambda: False) -> Iterator[Answer]:
    """Parts of what a set-up sees: contour, events (N_S over masses and couplings), spectrum, angle, layout.

    Raises
    ------
    Stale
        As soon as `stale` says so.
    InputError
        If the card or something that is asked for cannot be computed.
    """
    if stale():
        raise Stale
    yield from ()
    _ = np, setup
