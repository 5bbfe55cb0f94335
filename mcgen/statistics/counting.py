"""Probability of counts in one bin, with what is known of background and signal integrated over.

n ~ Poisson(e s + b), b ~ Gaussian(background, background_error) cut at 0, e ~ Gaussian(1, signal_error) cut at 0. The
distribution of the mean e s + b has a closed form, so that one integral is left; its integrand has a concave logarithm.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from mcgen.base.jit import jit
from mcgen.statistics.poisson import log_at_most, log_normal_between, log_probability

#: Gauss-Legendre in each panel
_X, _W = np.polynomial.legendre.leggauss(16)
#: what is smaller than the largest value by exp(-_DROP) is left out
_DROP = 45.0
#: panels on each side of the largest value, and where each further one begins about what may bend, in its widths
_SIDE = 6
_BENDS = np.array([-8.0, -5.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 5.0, 8.0])
#: probability of a standard Gaussian below -2, -1, 0, 1, 2
SHARES = tuple(0.5 * math.erfc(-z / math.sqrt(2.0)) for z in (-2, -1, 0, 1, 2))
_GOLDEN = 0.5 * (math.sqrt(5.0) - 1.0)


@jit
def _log_density(m: float, s: float, mean: float, sd: float, spread: float, least: float) -> float:
    """Logarithm of the density of e s + b at m, but for its constant.

    Parameters
    ----------
    m, s : float
        Where, and signal events.
    mean, sd : float
        Of b; sd may be 0.
    spread : float
        Standard deviation of e.
    least : float
        e is cut there.
    """
    signal_sd = s * spread
    total = math.hypot(sd, signal_sd)
    x = (m - mean - s) / total
    gauss = -0.5 * x * x
    if sd == 0.0 or signal_sd == 0.0:
        return gauss
    # b given m is Gaussian, between 0 and m - least s
    tau = sd * signal_sd / total
    low = -(mean * signal_sd / sd + (m - s) * sd / signal_sd) / total
    high = x * signal_sd / sd + s * (1.0 - least) / tau
    return gauss + log_normal_between(low, high)


@jit
def _log_value(
    m: float, n: float, at_most: bool, s: float, mean: float, sd: float, spread: float, least: float
) -> float:
    poisson = log_at_most(n, m) if at_most else log_probability(n, m)
    return poisson + _log_density(m, s, mean, sd, spread, least)


@jit
def _largest(
    low: float, high: float, n: float, at_most: bool, s: float, mean: float, sd: float, spread: float, least: float
) -> float:
    """About where the integrand is largest, by golden section."""
    enough = 0.1 * min(math.hypot(sd, s * spread), math.sqrt(n + 1.0))
    a, b = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_a = _log_value(a, n, at_most, s, mean, sd, spread, least)
    at_b = _log_value(b, n, at_most, s, mean, sd, spread, least)
    for _ in range(100):
        if high - low <= enough:
            break
        if at_a > at_b:
            high, b, at_b = b, a, at_a
            a = high - _GOLDEN * (high - low)
            at_a = _log_value(a, n, at_most, s, mean, sd, spread, least)
        else:
            low, a, at_a = a, b, at_b
            b = low + _GOLDEN * (high - low)
            at_b = _log_value(b, n, at_most, s, mean, sd, spread, least)
    return a if at_a > at_b else b


@jit
def _end(
    top: float, end: float, n: float, at_most: bool, s: float, mean: float, sd: float, spread: float, least: float
) -> float:
    """Where the integrand has become negligible between its largest value and an end; that end if nowhere."""
    enough = _log_value(top, n, at_most, s, mean, sd, spread, least) - _DROP
    if _log_value(end, n, at_most, s, mean, sd, spread, least) >= enough:
        return end
    inside = top
    while abs(end - inside) > 0.02 * abs(end - top):
        middle = 0.5 * (inside + end)
        if middle in (inside, end):
            break
        if _log_value(middle, n, at_most, s, mean, sd, spread, least) < enough:
            end = middle
        else:
            inside = middle
    return end


@jit
def log_sum(n: float, at_most: bool, s: float, mean: float, sd: float, spread: float, least: float) -> float:
    """Logarithm of P(n | s), or of P(0 | s) + ... + P(n | s).

    Parameters
    ----------
    n : float
        Number of events.
    at_most : bool
        Whether smaller numbers count too.
    s : float
        Signal events.
    mean, sd : float
        Of the background, before the cut at 0.
    spread, least : float
        Standard deviation of e, and where it is cut.
    """
    total = math.hypot(sd, s * spread)
    if total == 0.0:
        return log_at_most(n, s + mean) if at_most else log_probability(n, s + mean)
    start = least * s if sd > 0.0 else mean + least * s
    if s * spread == 0.0:
        start = s
    stop = max(mean + s, n + 1.0) + 12.0 * total
    top = _largest(start, stop, n, at_most, s, mean, sd, spread, least)
    low = _end(top, start, n, at_most, s, mean, sd, spread, least)
    high = _end(top, stop, n, at_most, s, mean, sd, spread, least)
    scale = _log_value(top, n, at_most, s, mean, sd, spread, least)
    centres = (n + 1.0, mean + s, s, mean + least * s)
    widths = (math.sqrt(n + 1.0), total, s * spread, sd)
    left, found = low, 0.0
    panel = max(top - low, high - top) / _SIDE
    while left < high:
        # the next of all places where a panel may begin
        right = high
        for i in range(_SIDE + 1):
            for place in (low + (top - low) * i / _SIDE, top + (high - top) * i / _SIDE):
                if left < place < right:
                    right = place
        for j in range(4):
            if widths[j] < 0.25 * panel:
                for bend in _BENDS:
                    place = centres[j] + bend * widths[j]
                    if left < place < right:
                        right = place
        half, middle = 0.5 * (right - left), 0.5 * (right + left)
        for x, w in zip(_X, _W):  # noqa: B905
            f = _log_value(middle + half * x, n, at_most, s, mean, sd, spread, least)
            found += half * w * math.exp(f - scale)
        left = right
    norm = 0.5 * math.log(2.0 * math.pi) + math.log(total)
    if sd > 0.0:
        norm += log_normal_between(-mean / sd, math.inf)
    if s * spread > 0.0:
        norm += log_normal_between((least - 1.0) / spread, math.inf)
    return scale + math.log(found) - norm


@dataclass(frozen=True, slots=True)
class Counting:
    """One bin: what is known of its background and of its signal.

    Attributes
    ----------
    background, background_error : float
        Events expected without a signal, and their standard deviation before the cut at 0.
    signal_error : float
        Standard deviation of e.
    least : float
        Where e is cut.
    """

    background: float
    background_error: float = 0.0
    signal_error: float = 0.0
    least: float = 0.0

    def _log_sum(self, n: int, s: float, at_most: bool) -> float:
        return float(
            log_sum(float(n), at_most, float(s), self.background, self.background_error, self.signal_error, self.least)
        )

    def log_probability(self, n: int, s: float) -> float:
        """Logarithm of P(n | s)."""
        return self._log_sum(n, s, False)

    def log_at_most(self, n: int, s: float) -> float:
        """Logarithm of P(0 | s) + ... + P(n | s)."""
        return self._log_sum(n, s, True)


@functools.lru_cache(4096)
def quantile(counting: Counting, share: float) -> int:
    """The smallest number of events that background alone does not exceed with at least this probability."""

    def enough(n: int) -> bool:
        return counting.log_at_most(n, 0.0) >= math.log(share)

    low, high = -1, 1
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
