"""Probability of counts with background and signal integrated over, against plain sums and random numbers."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from mcgen.statistics.counting import Counting, quantile
from mcgen.statistics.poisson import log_at_most, log_normal_between, log_probability


def test_poisson():
    """scipy's logarithms, from few events to millions; fails where a sum ends too early."""
    rng = np.random.default_rng(1)
    for _ in range(300):
        n = int(10.0 ** rng.uniform(0.0, 6.0)) - 1
        mean = max(1e-3, n + 4.0 * rng.normal() * math.sqrt(n + 1.0))
        assert log_at_most(float(n), mean) == pytest.approx(stats.poisson.logcdf(n, mean), rel=1e-9, abs=1e-10)
        assert log_probability(float(n), mean) == pytest.approx(stats.poisson.logpmf(n, mean), rel=1e-9, abs=1e-8)
    assert log_at_most(3.0, 0.0) == log_probability(0.0, 0.0) == 0.0
    assert log_probability(2.0, 0.0) == -math.inf


@pytest.mark.parametrize("kernel", [log_normal_between, log_normal_between.py_func])
def test_gaussian_between(kernel):
    """mpmath's error functions with 60 digits, also far out and for narrow ranges; fails where digits cancel."""
    mpmath = pytest.importorskip("mpmath")
    lows, widths = [-50.0, -9.0, -1.0, 0.0, 0.3, 5.0, 30.0, 1e3], [1e-9, 1e-3, 0.1, 2.0, 60.0]
    with mpmath.workdps(60):
        for low, width in itertools.product(lows, widths):
            high = low + width
            a, b = (-high, -low) if high < 0.0 else (low, high)  # erfc of negative numbers is nearly 2
            exact = mpmath.log((mpmath.erfc(a / mpmath.sqrt(2)) - mpmath.erfc(b / mpmath.sqrt(2))) / 2)
            assert kernel(low, high) == pytest.approx(float(exact), rel=1e-9, abs=1e-12)
    assert kernel(1.0, 1.0) == -math.inf


def _nodes(mean, sd):
    x, w = np.polynomial.legendre.leggauss(160 if sd else 1)
    low, high = max(0.0, mean - 12.0 * sd), mean + 12.0 * sd
    x = 0.5 * (low + high) + 0.5 * (high - low) * x
    w = w * (stats.norm.pdf(x, mean, sd) if sd else 1.0)
    return x, w / w.sum()


@pytest.mark.parametrize("background", [0.0, 0.07, 1.0, 50.0])
@pytest.mark.parametrize("error", [0.0, 0.03, 3.0, 20.0])
@pytest.mark.parametrize("signal", [0.0, 0.01, 0.3, 1.0])
def test_both_integrals(background, error, signal):
    """A double sum over b and e, 1e-8; fails if one cut at 0, or its norm, is left out."""
    (b, w), (e, v) = _nodes(background, error), _nodes(1.0, signal)
    counting = Counting(background, error, signal)
    for s, n in itertools.product([0.0, 0.01, 3.0, 40.0], [0, 2, 30]):
        mean = e[:, None] * s + b
        one, all_up_to = (float(v @ f(n, mean) @ w) for f in (stats.poisson.pmf, stats.poisson.cdf))
        if one > 1e-30:
            assert math.exp(counting.log_probability(n, s)) == pytest.approx(one, rel=1e-8)
            assert math.exp(counting.log_at_most(n, s)) == pytest.approx(all_up_to, rel=1e-8)


def test_random_numbers():
    """Counts drawn at random; fails if the double sum of the other test has the model wrong too."""
    rng = np.random.default_rng(7)
    b, e = rng.normal(2.0, 1.5, 2_000_000), rng.normal(1.0, 0.6, 2_000_000)
    fine = (b >= 0.0) & (e >= 0.0)
    counts = rng.poisson(4.0 * e[fine] + b[fine])
    counting = Counting(2.0, 1.5, 0.6)
    for n in (0, 1, 3, 6, 12):
        for share, found in (
            (np.mean(counts == n), counting.log_probability(n, 4.0)),
            (np.mean(counts <= n), counting.log_at_most(n, 4.0)),
        ):
            error = math.sqrt(share * (1.0 - share) / len(counts))
            assert abs(math.exp(found) - share) < 4.0 * error


def test_sums():
    """P(0) + ... + P(n) is what is summed directly, with errors too; fails if the two integrands differ."""
    for counting in (Counting(3.0, 1.0), Counting(3.0, 1.0, 0.2), Counting(0.0, 0.0, 0.5), Counting(200.0, 50.0, 0.1)):
        n = 10 if counting.background < 100.0 else 250
        total = sum(math.exp(counting.log_probability(k, 2.0)) for k in range(n + 1))
        assert math.exp(counting.log_at_most(n, 2.0)) == pytest.approx(total, rel=1e-9)


def test_quantile():
    """scipy's quantiles; fails if the smallest count is not the one that reaches the share."""
    for mean, share in itertools.product([0.0, 0.5, 3.0, 77.0, 1e5], [0.0228, 0.5, 0.9772]):
        assert quantile(Counting(mean), share) == int(stats.poisson.ppf(share, mean))
