"""Where a line is looked at, so that it is smooth: points are added where it bends, begins, ends or splits."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

from mcgen.crossings import HIGHEST, Intervals

#: ranges of couplings of every line at one mass
Column = tuple[Intervals, ...]

#: smallest step in log(m); places where lines split are not looked for beyond
CLOSEST = 1e-5


def trace(
    at: Callable[[Sequence[float]], Sequence[Column]], masses: Sequence[float], tolerance: float, most: int
) -> tuple[dict[float, Column], bool]:
    """Columns at the given masses and at those in between that lines need.

    Halfway between two masses in log(m) each end of each range lies within `tolerance` of the straight line in log(g);
    where ranges begin, end or split, what is left open is as narrow.

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
    open_steps = [step for step in itertools.pairwise(masses) if _can_be_halved(*step)]
    while open_steps and len(found) < most:
        open_steps.sort(key=lambda step: step[0] / step[1])  # the widest first, if they are too many
        steps, open_steps = open_steps[: most - len(found)], open_steps[most - len(found) :]
        middles = [math.sqrt(low * high) for low, high in steps]
        found |= dict(zip(middles, at(middles), strict=True))
        for (low, high), middle in zip(steps, middles, strict=True):
            open_steps += _unsettled(found, low, middle, high, tolerance)
    return dict(sorted(found.items())), not open_steps


def _can_be_halved(low: float, high: float) -> bool:
    return math.log(high / low) > CLOSEST


def _unsettled(
    found: dict[float, Column], low: float, middle: float, high: float, tolerance: float
) -> Iterator[tuple[float, float]]:
    """Halves of a step that want another point."""
    left, here, right = (found[m] for m in (low, middle, high))
    alike = _shape(left) == _shape(here) == _shape(right)
    if alike and all(
        abs(math.log(b * b / (a * c))) <= 4.0 * tolerance  # of b from the middle, twice; the new point halves it
        for a, b, c in zip(_ends(left), _ends(here), _ends(right), strict=True)
    ):
        return
    for step in ((low, middle), (middle, high)):
        one, two = (found[m] for m in step)
        same = _shape(one) == _shape(two)
        if same and not any(one):  # nothing begins and ends in half a step
            continue
        if _can_be_halved(*step) and (same or _shape(_blurred(one, tolerance)) != _shape(_blurred(two, tolerance))):
            yield step


def _ends(column: Column) -> list[float]:
    return [g for line in column for interval in line for g in interval if g < HIGHEST]


def _shape(column: Column) -> list[tuple[int, bool]]:
    """Number of ranges per line, and whether the last one ends."""
    return [(len(line), bool(line) and line[-1][1] < HIGHEST) for line in column]


def _blurred(column: Column, tolerance: float) -> Column:
    """What is left if gaps and ranges narrower than twice the tolerance are not seen."""
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
