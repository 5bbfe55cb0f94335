"""A number with its error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mcgen.base.printed import with_error

#: relative error of a quadrature in a bin
_QUADRATURE = 1e-4


class Estimate(NamedTuple):
    """A value, its one-sigma error, and the number of equal events that would have this relative spread.

    `n_eff` is infinite for a quadrature.
    """

    value: float
    error: float
    n_eff: float

    def pull(self, expected: float) -> float:
        """(value - expected)/error."""
        return (self.value - expected) / self.error if self.error > 0.0 else math.nan

    def times(self, factor: float) -> Estimate:
        """The estimate of a multiple."""
        return Estimate(factor * self.value, factor * self.error, self.n_eff)

    def __str__(self) -> str:
        return with_error(self.value, self.error)


def mean_of(total: float, squares: float, n: int) -> Estimate:
    """Mean of n numbers, from their sum and that of their squares."""
    mean, mean_square = total / n, squares / n
    variance = max(mean_square - mean * mean, 1e-24 * mean_square)
    return Estimate(mean, math.sqrt(variance / n), n * mean * mean / mean_square)


def share_pulls(
    sums: NDArray[np.float64],
    squares: NDArray[np.float64],
    total: float,
    total_squares: float,
    share: NDArray[np.float64],
    error: NDArray[np.float64],
    least: float = 10.0,
) -> NDArray[np.float64]:
    """Pulls of the shares of weighted events in bins against what is expected; of bins worth enough events.

    Parameters
    ----------
    sums, squares : array
        Of the weights in each bin.
    total, total_squares : float
        The same of all events, those outside the bins too.
    share, error : array
        Expected shares and how well they are known.
    least : float
        Number of events that a bin must be worth.
    """
    # a bin that came out nearly empty by chance does not know its error: take at least that of what is expected
    at_least = np.maximum(squares, share * total_squares)
    variance = (at_least * (1.0 - 2.0 * share) + share**2 * total_squares) / total**2
    variance += error**2 + (_QUADRATURE * share) ** 2 + 1e-300
    pulls = (sums / total - share) / np.sqrt(variance)
    return np.asarray(pulls[share * total**2 > least * total_squares])


def expected_trials(shares: Sequence[float], accepted: Sequence[Estimate]) -> tuple[Estimate, float]:
    """Trials until one is accepted: their mean with its error, and their variance.

    Parameters
    ----------
    shares : sequence of float
        Of the events that each of several kinds has.
    accepted : sequence of Estimate
        Probability that a trial of each kind is accepted.
    """
    kinds = list(zip(shares, accepted, strict=True))
    mean = math.fsum(share / p.value for share, p in kinds)
    error = math.hypot(*(share * p.error / p.value**2 for share, p in kinds))
    square = math.fsum(share * (2.0 - p.value) / p.value**2 for share, p in kinds)
    return Estimate(mean, error, math.inf), square - mean * mean


def chi2_probability(chi2: float, n: int) -> float:
    """Probability that n squared normal numbers add up to more than chi2."""
    half = 0.5 * chi2
    if half <= 0.0:
        return 1.0
    first = 0.5 * (n % 2)  # powers of half go up from here in steps of one
    terms = (math.exp((k + first) * math.log(half) - half - math.lgamma(k + first + 1.0)) for k in range(n // 2))
    return min(1.0, math.fsum(terms) + (math.erfc(math.sqrt(half)) if n % 2 else 0.0))


def weighted_sum(total: float, squares: float, n: int, norm_error: float = 0.0) -> Estimate:
    """Estimate from n weighted events: sum of weights and of their squares, many of which may be zero.

    Parameters
    ----------
    norm_error : float
        Relative error of a normalisation that all weights share.
    """
    if total != 0.0 and squares * n <= 0.5 * total * total:  # only where squares vanish below 1e-308
        return Estimate(total, abs(total), 1.0)
    variance = max(0.0, squares - total * total / n) * n / max(1, n - 1)
    n_eff = total * total / squares if squares > 0.0 else 0.0
    return Estimate(total, math.hypot(math.sqrt(variance), norm_error * total), n_eff)
