"""Estimates from sums of weights."""

from __future__ import annotations

from mcgen.base.estimate import weighted_sum


def test_underflowing_squares():
    """A sum whose squares vanish has an error of its own size; fails if it looks exact."""
    assert weighted_sum(1e-200, 0.0, 100) == (1e-200, 1e-200, 1.0)
