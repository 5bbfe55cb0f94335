"""Masses at which a line is computed so that it is smooth: more where it bends, begins, ends or splits."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from mcgen.analysis.crossings import HIGHEST, Intervals

#: ranges of couplings of every line at one mass
Column = tuple[Intervals, ...]

#: smallest step in log(m): the place where a line splits is found to this precision at best
CLOSEST = 1e-5


def trace(
    at: Callable[[Sequence[float]], Sequence[Column]], masses: Sequence[float], tolerance: float, most: int
) -> tuple[dict[float, Column], bool]:
    """Columns at the given masses, and between them at as many more as smooth lines need.

    Between two masses each end of each range lies within `tolerance` of the straight line of log(g) against log(m);
    where ranges begin, end or split, a step is left open in which they do so within twice that, or `CLOSEST`.

    Parameters
    ----------
    at : callable
        Columns at masses in GeV.
    masses : sequence of float
        Where to begin, at least both ends.
    tolerance : float
    most : int
        Masses in all.

    Returns
    -------
    dict
        Columns by rising mass.
    bool
        Whether the tolerance was met everywhere.
    """
    masses = sorted(set(masses))
    found = dict(zip(masses, at(masses), strict=True))
    open_steps = [_Step(low, high) for low, high in itertools.pairwise(masses) if _can_be_halved(low, high)]
    while open_steps and len(found) < most:
        open_steps.sort(key=lambda step: step.low / step.high)  # the widest first: `most` may end the search
        steps, open_steps = open_steps[: most - len(found)], open_steps[most - len(found) :]
        middles = [math.sqrt(step.low * step.high) for step in steps]
        found |= dict(zip(middles, at(middles), strict=True))
        for step, middle in zip(steps, middles, strict=True):
            open_steps += _unsettled(found, step, middle, tolerance)
    return dict(sorted(found.items())), not open_steps


class _Step(NamedTuple):
    """Two neighbouring masses."""

    low: float
    high: float
    bend: float = 0.0  #: of the step that this is half of: how far its middle lay from a straight line, in log(g)


def _can_be_halved(low: float, high: float) -> bool:
    return math.log(high / low) > CLOSEST


def _unsettled(found: dict[float, Column], step: _Step, middle: float, tolerance: float) -> Iterator[_Step]:
    """Halves of a step in which another point is needed."""
    left, here, right = (found[m] for m in (step.low, middle, step.high))
    bend = 0.0
    if _shape(left) == _shape(here) == _shape(right):
        ends = zip(_ends(left), _ends(here), _ends(right), strict=True)
        bend = max((abs(math.log(b * b / (a * c))) / 2.0 for a, b, c in ends), default=0.0)
        # expected in half a step: a quarter of the bend where a line is smooth, 0.7 of it where a square root begins
        smaller = min(1.0, max(0.3, bend / step.bend)) if step.bend > 0.0 else 1.0
        if 1.2 * smaller * bend <= tolerance:
            return
    for low, high in ((step.low, middle), (middle, step.high)):
        one, two = found[low], found[high]
        same = _shape(one) == _shape(two)
        if same and not any(one):  # no range at either end: assume that none begins and ends in between
            continue
        if _can_be_halved(low, high) and (same or _shape(_blurred(one, tolerance)) != _shape(_blurred(two, tolerance))):
            yield _Step(low, high, bend)


def _ends(column: Column) -> list[float]:
    return [g for line in column for interval in line for g in interval if g < HIGHEST]


def _shape(column: Column) -> list[tuple[int, bool]]:
    """Number of ranges per line, and whether the last one ends."""
    return [(len(line), bool(line) and line[-1][1] < HIGHEST) for line in column]


def _blurred(column: Column, tolerance: float) -> Column:
    """A column without its details: narrow gaps are closed, narrow ranges left out (below twice the tolerance)."""
    lines = []
    for line in column:
        joined: list[tuple[float, float]] = []
        for low, high in line:
            if joined and math.log(low / joined[-1][1]) < 2.0 * tolerance:
                joined[-1] = joined[-1][0], high
            else:
                joined.append((low, high))
        lines.append(tuple((low, high) for low, high in joined if math.log(high / low) > 2.0 * tolerance))
    return tuple(lines)
