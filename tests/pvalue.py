"""Probabilities of the statistics that the tests look at."""

from __future__ import annotations

import math

import mpmath
import numpy as np


def chi2_probability(chi2: float, n: int) -> float:
    """Probability that n squared normal numbers add up to more than chi2."""
    return float(mpmath.gammainc(0.5 * n, 0.5 * chi2, mpmath.inf, regularized=True))


def binned_probability(weights, bins, expected) -> float:
    """Chance of a histogram against a spectrum, shapes only: nothing is assumed about the normalisation.

    Parameters
    ----------
    weights : array
        Weights of the events.
    bins : array of int
        Bin of each event, 0 to n - 1; others lie outside and count as one more bin.
    expected : array, shape (n,)
        Share of the total in each bin. Bins of fewer than 20 events join the last one.
    """
    bins = np.where((bins >= 0) & (bins < len(expected)), bins, len(expected))
    sums = np.bincount(bins, weights, len(expected) + 1)
    expected = np.append(expected, max(0.0, 1.0 - np.sum(expected)))
    total, squares = np.sum(weights), np.sum(weights**2)
    events = total**2 / squares
    few = expected * events < 20.0
    seen, mean = (np.append(v[~few], v[few].sum()) for v in (sums / total, expected))
    if mean[-1] * events < 20.0:  # nothing to test there
        seen, mean = seen[:-1], mean[:-1]
    chi2 = events * float(np.sum((seen - mean) ** 2 / mean))
    return chi2_probability(chi2, len(mean) - 1)


def ks_probability(uniform) -> float:
    """Probability that n uniform numbers lie further from their distribution than these (Kolmogorov-Smirnov)."""
    u = np.sort(np.asarray(uniform))
    n = u.size
    steps = np.arange(n + 1) / n
    distance = max(float(np.max(steps[1:] - u)), float(np.max(u - steps[:-1])))
    z = distance * (math.sqrt(n) + 0.12 + 0.11 / math.sqrt(n))
    if z < 0.3:  # the series below converges slowly, and the answer is 1
        return 1.0
    return min(1.0, 2.0 * sum((-1) ** (k - 1) * math.exp(-2.0 * (k * z) ** 2) for k in range(1, 60)))
