"""Poisson probabilities as logarithms, for numbers of events up to millions, and Gaussian ones between two points."""

from __future__ import annotations

import math

from mcgen.base.jit import jit

#: terms smaller than this part of the sum are left out
_SMALL = 1e-16
#: arguments from which exp(x^2) erfc(x) is taken from its asymptotic series
_FAR = 20.0
#: a Gaussian is between these standard deviations but for 1e-16
_ALL = 8.3


@jit
def log_probability(n: float, mean: float) -> float:
    """Logarithm of P(n | mean) = mean^n exp(-mean)/n!."""
    if n == 0.0:
        return -mean
    if mean <= 0.0:
        return -math.inf
    if n < 20.0:
        return n * math.log(mean) - mean - math.lgamma(n + 1.0)
    excess = (mean - n) / n
    stirling = (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / (1260.0 * n * n)) / (n * n)) / n
    return n * (math.log1p(excess) - excess) - 0.5 * math.log(2.0 * math.pi * n) - stirling


@jit
def log_at_most(n: float, mean: float) -> float:
    """Logarithm of P(0 | mean) + ... + P(n | mean), the regularised upper gamma function of (n + 1, mean)."""
    if mean <= 0.0:
        return 0.0
    term, total = 1.0, 0.0
    if mean > n + 1.0:  # n, n - 1, ... times P(n)
        i = n
        while term > _SMALL * total and i >= 0.0:
            total += term
            term *= i / mean
            i -= 1.0
        return log_probability(n, mean) + math.log(total)
    i = n + 1.0  # the rest of the sum: n + 1, n + 2, ...
    while term > _SMALL * total:
        total += term
        i += 1.0
        term *= mean / i
    return math.log1p(-min(1.0, math.exp(log_probability(n + 1.0, mean)) * total))


@jit
def _scaled_erfc(x: float) -> float:
    """exp(x^2) erfc(x) for x >= 0."""
    if x < _FAR:
        return math.exp(x * x) * math.erfc(x)
    y = 0.5 / (x * x)
    return (1.0 - y * (1.0 - 3.0 * y * (1.0 - 5.0 * y * (1.0 - 7.0 * y)))) / (x * math.sqrt(math.pi))


@jit
def log_normal_between(low: float, high: float) -> float:
    """Logarithm of the probability of a standard Gaussian between two points, also far from 0."""
    if not high > low:
        return -math.inf
    if low < -_ALL and high > _ALL:
        return 0.0
    root = math.sqrt(0.5)
    if low < 0.0 < high:
        return math.log(0.5 * (math.erf(root * high) - math.erf(root * low)))
    a, b = (low, high) if low >= 0.0 else (-high, -low)
    width = b - a
    if width * (1.0 + a) < 0.01:  # nearly straight in between
        middle = a + 0.5 * width
        bend = width * width * (middle * middle - 1.0) / 24.0
        return math.log(width) - 0.5 * (middle * middle + math.log(2.0 * math.pi)) + math.log1p(bend)
    beyond = math.exp(-0.5 * width * (a + b)) * _scaled_erfc(root * b) if b < math.inf else 0.0
    return math.log(0.5 * (_scaled_erfc(root * a) - beyond)) - 0.5 * a * a
