"""Closed outlines of regions: what they hold, their gaps and holes, and where they are cut off."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.path import Path

from mcgen.analysis.regions import outlines

INF = math.inf


def holds(loops, m, g):
    """Whether a point is inside: in an odd number of loops."""
    return sum(Path([*loop, loop[0]]).contains_point((m, g)) for loop in loops) % 2 == 1


def test_a_region_with_a_hole():
    """A gap that opens and closes is a hole, the ends are vertical; fails if the region is cut in two or filled."""
    columns = [(1, ()), (2, ((1, 9),)), (3, ((1, 4), (6, 9))), (4, ((1, 4), (6, 9))), (5, ((1, 9),)), (6, ())]
    loops = outlines(columns, 100.0)
    assert len(loops) == 2
    assert holds(loops, 2.5, 5.0)
    assert not holds(loops, 3.5, 5.0)
    assert holds(loops, 3.5, 3.0)
    assert holds(loops, 3.5, 7.0)
    assert not holds(loops, 1.5, 5.0)
    assert not holds(loops, 5.5, 5.0)


def test_open_above():
    """What has no upper end is closed at the top, all in one; fails if an infinite coupling is left out."""
    ((*loop,),) = outlines([(1, ((1, INF),)), (2, ((2, INF),)), (3, ((2, 3), (5, INF)))], 10.0)
    assert set(loop) == {(1, 1), (1, 10.0), (2, 2), (2, 10.0), (3, 2), (3, 3), (3, 5), (3, 10.0)}
    assert holds([loop], 2.0, 9.0)
    assert outlines([(1, ((20.0, INF),))], 10.0) == []


def test_islands_apart():
    """Regions that do not touch are loops of their own; fails if an empty column joins them."""
    loops = outlines([(1, ((1, 2),)), (2, ((1, 2),)), (3, ()), (4, ((1, 2),)), (5, ((1, 2),))], 10.0)
    assert sorted(min(m for m, _ in loop) for loop in loops) == [1, 4]


def test_a_single_mass():
    """One mass is a line between both ends; fails if it vanishes."""
    assert outlines([(1, ((2, 3),))], 10.0) == [[(1, 3), (1, 2)]]


ranges = st.lists(st.integers(1, 60), min_size=0, max_size=6, unique=True).map(
    lambda ends: tuple(zip(sorted(ends)[:-1:2], sorted(ends)[1::2], strict=True))
)


@given(rows=st.lists(ranges, min_size=1, max_size=8))
def test_every_end_once(rows):
    """Each end of each range lies on exactly one outline, once; fails if an outline does not close."""
    loops = outlines([(float(m), row) for m, row in enumerate(rows, 1)], 100.0)
    corners = sorted(corner for loop in loops for corner in loop)
    assert corners == sorted((float(m), g) for m, row in enumerate(rows, 1) for one in row for g in one)


@pytest.mark.parametrize("shift", [0.0, 3.0])
def test_area(shift):
    """A band of constant height has its area, also where it moves by more than its width; fails for crossed sides."""
    loops = outlines([(float(m), ((1.0 + shift * m, 2.0 + shift * m),)) for m in range(5)], 100.0)
    (loop,) = loops
    area = sum(a * d - c * b for (a, b), (c, d) in zip(loop, [*loop[1:], loop[0]], strict=True)) / 2.0
    assert abs(area) == pytest.approx(4.0, rel=1e-12)
