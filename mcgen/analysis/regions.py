"""Closed outlines of regions in the plane of mass and coupling, from ranges of couplings at rising masses."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from mcgen.analysis.crossings import Intervals

Point = tuple[float, float]
#: column, interval in it, and which end
_Node = tuple[int, int, int]
_LOW, _HIGH = 0, 1


def outlines(columns: Sequence[tuple[float, Intervals]], top: float) -> list[list[Point]]:
    """Polygons of (mass, coupling), whose last point joins the first; a hole is one that runs the other way.

    A region begins and ends, and a gap in it opens and closes, at the mass where it is first or last seen. One seen at
    a single mass is a line of two points.

    Parameters
    ----------
    columns : sequence of (mass, intervals)
        By rising mass.
    top : float
        Couplings above are cut off.
    """
    cut = [(m, tuple((low, min(high, top)) for low, high in ranges if low < top)) for m, ranges in columns]
    following = dict(_edges([ranges for _, ranges in cut]))
    found = []
    while following:
        start = node = next(iter(following))
        loop = []
        while node in following:
            column, interval, end = node
            loop.append((cut[column][0], cut[column][1][interval][end]))
            node = following.pop(node)
        assert node == start
        found.append(loop)
    return found


def _edges(columns: Sequence[Intervals]) -> Iterator[tuple[_Node, _Node]]:
    """Steps (from, to) between ends of intervals along their outlines.

    An outline follows the lower ends to the right and comes back along the upper ends.
    """
    sides: list[Intervals] = [(), *columns, ()]
    for i, (left, right) in enumerate(itertools.pairwise(sides)):
        for mine, theirs in _touching(left, right):
            here, there = ([(i - 1, j) for j in mine], [(i, j) for j in theirs])
            if here and there:
                yield (*here[0], _LOW), (*there[0], _LOW)
                yield (*there[-1], _HIGH), (*here[-1], _HIGH)
            elif here:
                yield (*here[0], _LOW), (*here[0], _HIGH)
            else:
                yield (*there[0], _HIGH), (*there[0], _LOW)
            for below, above in itertools.pairwise(here):
                yield (*above, _LOW), (*below, _HIGH)
            for below, above in itertools.pairwise(there):
                yield (*below, _HIGH), (*above, _LOW)


def _touching(left: Intervals, right: Intervals) -> list[tuple[list[int], list[int]]]:
    """Numbers of the intervals on the left and on the right that belong to one region.

    Columns with as many intervals match one to one; otherwise those that overlap belong together.
    """
    if len(left) == len(right):
        return [([j], [j]) for j in range(len(left))]
    groups: list[tuple[list[int], list[int]]] = []
    ends: list[float] = []
    tagged = [(low, high, side, j) for side, row in enumerate((left, right)) for j, (low, high) in enumerate(row)]
    for low, high, side, j in sorted(tagged):
        if not groups or low > ends[-1]:
            groups.append(([], []))
            ends.append(high)
        groups[-1][side].append(j)
        ends[-1] = max(ends[-1], high)
    return groups
