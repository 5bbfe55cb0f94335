"""Coverage of limits with few toys, against sums over counts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from validation.coverage import CONFIDENCE, POINTS, UNCERTAIN, Point, counts, coverage, limit, row


def _exact(point, method):
    n = np.arange(200)
    covered = [limit(point, int(k), method, "exact") >= point.signal for k in n]
    return float(stats.poisson.pmf(n, point.signal + point.background) @ covered)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("method", ["poisson", "cls", "feldman-cousins", "bayes"])
def test_coverage(point, method):
    """A sum over counts, 4 errors of 2000 toys; never less than the confidence. Fails for a limit that is too low."""
    share, error = coverage(point, method, "exact", counts(point, 2000))
    exact = _exact(point, method)
    assert abs(share - exact) < 4.0 * error
    assert exact >= CONFIDENCE


@pytest.mark.parametrize("background", [0.0, 0.5, 3.0])
def test_coverage_of_every_signal(background):
    """No signal is covered less than it should be; fails if Feldman-Cousins' upper ends are low between the points."""
    n, signals = np.arange(80), np.linspace(0.05, 12.0, 80)
    for method in ("poisson", "cls", "feldman-cousins"):
        limits = np.array([limit(Point(1.0, background), int(k), method, "exact") for k in n])
        P = stats.poisson.pmf(n, signals[:, None] + background)
        above = (P * (limits >= signals[:, None])).sum(axis=1)
        assert above.min() > CONFIDENCE - 1e-9


def test_drawn_background():
    """Toys of a background that is drawn have its spread; fails if all have the same true one."""
    drawn, fixed = (np.var(counts(UNCERTAIN, 20_000, shift)) for shift in (None, 0.0))
    assert drawn - fixed == pytest.approx(UNCERTAIN.background_error**2, rel=0.1)


def test_row():
    """A row of the table has one cell for each method; fails where pyhf is asked about no background."""
    point = POINTS[0]
    cells = row("3, 0", point, counts(point, 100)).strip("| ").split(" | ")
    assert len(cells) == 6
    assert cells[-1] == "-"
    assert all(math.isfinite(float(cell.split(" ")[0])) for cell in cells[1:-1])
