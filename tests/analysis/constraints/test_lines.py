"""Lines and outlines of tables."""

from __future__ import annotations

import math

import pytest

from mcgen.analysis.constraints.lines import Outline
from mcgen.base.units import Range

SQUARE = ((0.1, 1e-4), (1.0, 1e-4), (1.0, 1e-2), (0.1, 1e-2), (0.1, 1e-4))
#: an outline with a bay from the right: two ranges at its heavy end
BAY = ((0.1, 1e-5), (1.0, 1e-5), (1.0, 1e-4), (0.3, 1e-3), (1.0, 1e-2), (1.0, 1e-1), (0.1, 1e-1), (0.1, 1e-5))


def test_a_line_is_open_above():
    """Straight in log-log, nothing beyond its ends; fails for a line that goes on flat."""
    line = Outline(((0.01, 1e-4), (1.0, 1e-2)), False)
    assert line.at(0.1) == ((pytest.approx(1e-3, rel=1e-12), math.inf),)
    assert line.at(0.009) == line.at(1.1) == ()
    assert line.along([0.001, 0.1, 2.0]) == [0.1]
    assert line.along(Range((2.0, 3.0))) == []
    traced = line.along(Range((0.02, 5.0)))
    assert (traced[0], traced[-1]) == (0.02, 1.0)


def test_an_outline_is_closed():
    """Two edges of a square, four of a bay, none outside; fails where an outline excludes all above it."""
    square, bay = Outline(SQUARE, True), Outline(BAY, True)
    assert square.at(0.5) == ((pytest.approx(1e-4), pytest.approx(1e-2)),)
    assert square.at(0.09) == square.at(1.01) == ()
    assert bay.at(0.2) == ((pytest.approx(1e-5), pytest.approx(1e-1)),)
    (low, high), (low_2, high_2) = bay.at(0.6)
    middle = math.log(0.6 / 0.3) / math.log(1.0 / 0.3)
    assert (low, high_2) == (pytest.approx(1e-5), pytest.approx(1e-1))
    assert (high, low_2) == (pytest.approx(1e-3 * 10.0**-middle), pytest.approx(1e-3 * 10.0**middle))
    corners = bay.along(Range((0.01, 10.0)))
    assert corners == sorted(corners)
    assert all(bay.at(m) for m in corners[1:-1] if m < 1.0)
    assert min(corners) >= 0.1
    assert max(corners) <= 1.0
