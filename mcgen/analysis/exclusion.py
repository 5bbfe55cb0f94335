"""Couplings that a search in bins excludes: where CLs of the signal's shape is too small, by pyhf.

Each coupling has a shape of its own, so that no number of events is the limit. pyhf is asked only where it is open:
fewer events than `Exclusion.fewest` are never excluded, and more than `Exclusion.most` always are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from mcgen.analysis.crossings import HIGHEST, Intervals, intervals
from mcgen.analysis.shapes import Shape, shape_of, shape_of_events
from mcgen.base.arrays import Array
from mcgen.base.errors import InputError
from mcgen.base.estimate import Estimate
from mcgen.card.card import Card
from mcgen.card.search_bins import Counts
from mcgen.events.events import EventSource
from mcgen.physics.boson.couplings import Couplings
from mcgen.search.binning import Binning
from mcgen.statistics.histfactory import CLs, background_only, cls, most_signal, signal_patch, with_signal
from mcgen.statistics.roots import crossing

#: what the intervals of a search are called: of what was seen, and expected without a signal
LEVELS = ("observed", "minus_2", "minus_1", "expected", "plus_1", "plus_2")
#: couplings at which a range is looked through, and the steps in log(g) and log(CLs) in which it is a polynomial
_POINTS, _STEP, _DROP = 6, 0.1, 1.0
#: of the events that are excluded where none is seen and expected: with fewer no shape is
_FEWEST = 0.2
#: largest |log(CLs/alpha)| with which the place of a root is guessed
_STEEPEST = 8.0
#: smallest CLs that has a logarithm
_TINY = 1e-300


@dataclass(frozen=True, slots=True)
class Exclusion:
    """CLs of a search in bins as a function of the coupling; each one is computed once.

    Parameters
    ----------
    shape : callable
        From couplings to N_S in each bin.
    counts : Counts
        Events without a signal, and events seen.
    signal_error : float
        Relative standard deviation of N_S.
    confidence : float
        Confidence level.
    """

    shape: Shape
    counts: Counts
    signal_error: float
    confidence: float
    _known: dict[float, CLs] = field(default_factory=dict)  #: by log(g)

    @property
    def alpha(self) -> float:
        """CLs of a signal that is just excluded."""
        return 1.0 - self.confidence

    @property
    def fewest(self) -> float:
        """Signal events with fewer of which nothing is excluded."""
        return -_FEWEST * math.log(self.alpha)

    @property
    def most(self) -> float:
        """Signal events with more of which everything is excluded."""
        seen = self.counts.background if self.counts.observed is None else self.counts.observed
        return most_signal(self.counts.background, self.counts.background_error, seen)

    def cls(self, g_mu: float, calctype: str = "asymptotics", toys: int = 2000, seed: int = 1) -> CLs:
        """CLs of what was seen and of what is expected, at a coupling.

        Parameters
        ----------
        g_mu : float
        calctype : {"asymptotics", "toys"}
            The latter takes a minute at one coupling.
        toys, seed : int
            Number and seed of toys.
        """
        (bins,) = self.shape([g_mu])
        total = math.fsum(one.value for one in bins)
        if not self.fewest < total < self.most:
            return CLs(*(1.0 if total <= self.fewest else 0.0,) * len(CLs._fields))
        return cls(self.workspace(bins), calctype, toys, seed)

    def workspace(self, bins: Sequence[Estimate]) -> dict[str, object]:
        """The document of pyhf with N_S of each bin."""
        patch = signal_patch([one.value for one in bins], [mc_error(one) for one in bins], self.signal_error)
        return with_signal(background_only(*self.counts), patch)

    def __call__(self, g_mu: float, level: str = "observed") -> float:
        """log(CLs/alpha): negative where the coupling is excluded."""
        return self._height(math.log(g_mu), level)

    def _height(self, x: float, level: str) -> float:
        if x not in self._known:
            self._known[x] = self.cls(math.exp(x))
        return math.log(max(getattr(self._known[x], level), _TINY) / self.alpha)

    def intervals(self, levels: Sequence[str] = LEVELS) -> dict[str, Intervals]:
        """Ranges of couplings that are excluded, by the level; the last one ends at infinity where that never ends."""

        def total(g_mu: Array) -> Array:
            return np.array([math.fsum(one.value for one in bins) for bins in self.shape(g_mu.tolist())])

        found: dict[str, list[tuple[float, float]]] = {level: [] for level in levels}
        sure = [(math.log(low), math.log(min(high, HIGHEST))) for low, high in intervals(total, self.most)]
        for low, high in intervals(total, self.fewest):
            first, last = math.log(low), math.log(min(high, HIGHEST))
            inside = [x for pair in sure for x in pair if first < x < last]
            points = [one for a, b in pairwise([first, *inside, last]) for one in self._between(a, b, sure)]
            for level in levels:
                found[level] += self._ranges(level, [*points, last], math.isinf(high))
        return {level: tuple(ranges) for level, ranges in found.items()}

    def _between(self, low: float, high: float, sure: Sequence[tuple[float, float]]) -> list[float]:
        """Points at which to look from one to before the other; where all is excluded only the first."""
        if any(a <= low and high <= b for a, b in sure):
            return [low]
        return [low + (high - low) * i / _POINTS for i in range(_POINTS)]

    def _ranges(self, level: str, x: list[float], open_end: bool) -> list[tuple[float, float]]:
        """Ranges of g in which a level is negative; beyond the last point it stays as it is there."""
        y = [self._height(one, level) for one in x]
        if min(y) >= 0.0:
            x, y = self._towards_the_lowest(level, x, y)
        ends = [x[0]] if y[0] < 0.0 else []
        for i in range(len(x) - 1):
            if (y[i] < 0.0) != (y[i + 1] < 0.0):
                ends.append(self._root(level, x[i], x[i + 1]))
        ends += [x[-1]] if y[-1] < 0.0 else []
        edges = [math.exp(one) for one in ends]
        if y[-1] < 0.0 and open_end:
            edges[-1] = math.inf
        return list(zip(edges[::2], edges[1::2], strict=True))

    def _towards_the_lowest(self, level: str, x: list[float], y: list[float]) -> tuple[list[float], list[float]]:
        """More points beside the lowest, where a narrow range may be below 0."""
        while min(y) >= 0.0:
            at = y.index(min(y))
            wide = [i for i in (at - 1, at) if 0 <= i < len(x) - 1 and x[i + 1] - x[i] > _STEP]
            if not wide:
                break
            for i in sorted(wide, reverse=True):
                x = [*x[: i + 1], 0.5 * (x[i] + x[i + 1]), *x[i + 1 :]]
                y = [self._height(one, level) for one in x]
        return x, y

    def _root(self, level: str, low: float, high: float) -> float:
        """log(g) between two others where a level changes its sign."""
        falls = self._height(low, level) > 0.0
        for one in sorted(self._known):  # also those of other levels
            if low < one < high:
                inside = (self._height(one, level) > 0.0) == falls
                low, high = (one, high) if inside else (low, one)
                if not inside:
                    break
        while high - low > _STEP or (high - low > 0.1 * _STEP and self._drop(level, low, high) > _DROP):
            a, b = (max(-_STEEPEST, min(_STEEPEST, self._height(one, level))) for one in (low, high))
            place = min(max(a / (a - b), 0.2), 0.8)
            middle = low + place * (high - low)
            if (self._height(middle, level) > 0.0) == falls:
                low = middle
            else:
                high = middle
        return self._interpolated(level, low, high)

    def _drop(self, level: str, low: float, high: float) -> float:
        """By how much log(CLs) differs between two log(g)."""
        return abs(self._height(high, level) - self._height(low, level))

    def _interpolated(self, level: str, low: float, high: float) -> float:
        """Root of the polynomial through the nearest points with an answer of pyhf, two of which are about it."""
        middle = 0.5 * (low + high)
        known = sorted((x for x in self._known if 0.0 < self._known[x].expected < 1.0), key=lambda x: abs(x - middle))
        near = np.array(list(dict.fromkeys([low, high, *known[:4]]))[:4])
        near = near[np.abs(near - middle) < 2.0 * _STEP]
        terms = np.polyfit(near - middle, [self._height(x, level) for x in near.tolist()], near.size - 1)
        sign = 1.0 if self._height(low, level) > 0.0 else -1.0
        return middle + crossing_between(lambda x: sign * float(np.polyval(terms, x)), low - middle, high - middle)


def crossing_between(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function that is positive at `low` and negative at `high` is 0."""
    return low + (crossing(lambda u: function(low + (u - 1.0) * (high - low)), 1.0, 2.0) - 1.0) * (high - low)


def mc_error(one: Estimate) -> float:
    """Error of a finite number of events; a quadrature has none that counts."""
    return one.error if math.isfinite(one.n_eff) else 0.0


def exclusion(
    source: Card | EventSource,
    model: str | Couplings,
    m_S: float | None = None,
    card: Card | None = None,
    *,
    confidence: float | None = None,
    events: int | None = None,
    workers: int = 1,
) -> Exclusion:
    """What a card's search in bins says of a model, as a function of the coupling: log(CLs/(1 - confidence)).

    Parameters
    ----------
    source : Card or events
        Whose signal it is.
    model : {"A", "B", "dark-photon", "Lmu-Ltau"}
    m_S : float, optional
        Mass in GeV of a card; events have their own.
    card : Card, optional
        Of the search, for events.
    confidence : float, optional
        By default that of the card.
    events : int, optional
        Of a card, where its bins need some; by default those of the card.
    workers : int
        Threads.

    Returns
    -------
    Exclusion

    Raises
    ------
    InputError
        If the card has no search.
    """
    of = source if isinstance(source, Card) else card
    if of is None or of.search is None:
        message = "search: the card has no section [search], so nothing to exclude with"
        raise InputError(message)
    bins = Binning.of(of)
    if isinstance(source, Card):
        shape = shape_of(source, model, source.scalar.mass if m_S is None else m_S, bins, events, workers=workers)
    else:
        shape = shape_of_events(source, model, bins, workers)
    level = of.search.confidence if confidence is None else confidence
    return Exclusion(shape, of.search.counts, of.search.signal_error, level)
