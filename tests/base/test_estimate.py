"""Estimates from sums of weights."""

from __future__ import annotations

import pvalue
import pytest

from mcgen.base.estimate import chi2_probability, weighted_sum


def test_underflowing_squares():
    """A sum whose squares vanish has an error of its own size; fails if it looks exact."""
    assert weighted_sum(1e-200, 0.0, 100) == (1e-200, 1e-200, 1.0)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 39, 200])
@pytest.mark.parametrize("chi2_per_bin", [0.0, 0.01, 0.5, 1.0, 2.0, 10.0])
def test_chi2_probability(n, chi2_per_bin):
    """The incomplete gamma function of mpmath; fails for a term too many of odd or even numbers."""
    chi2 = n * chi2_per_bin
    assert chi2_probability(chi2, n) == pytest.approx(pvalue.chi2_probability(chi2, n), rel=1e-10, abs=1e-300)
