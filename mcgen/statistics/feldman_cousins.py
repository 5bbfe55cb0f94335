"""Upper ends of the unified intervals of Feldman and Cousins (physics/9711021).

n belongs to s if the numbers k of a larger R(k | s) = P(k | s)/max_s' P(k | s') have together less than the confidence.
The interval of n reaches up to the largest s of this kind. For a background that is not known exactly, P is the
probability integrated over it, in R as in the sum.
"""

from __future__ import annotations

import functools
import heapq
import math
from dataclasses import replace

from mcgen.statistics.counting import Counting
from mcgen.statistics.roots import crossing, largest

#: accuracy of places in s, and of the limit where it jumps
_ACCURACY, _JUMP = 1e-7, 1e-4
#: how far above the background larger limits are looked for, and in what steps
_RANGE, _STEP = 4.0, 0.5
#: most points looked at between them: some thirty are enough but where hardly a signal is left
_SPLITS = 150


@functools.lru_cache(4096)
def feldman_cousins(counting: Counting, n: int, alpha: float) -> float:
    """The largest upper end for n events at this or any larger background, to 1e-4.

    At fixed n the upper end has jumps as a function of the background. Between two of them it falls by not more than
    the background rises, which says how large it can be between two points.

    Parameters
    ----------
    counting : Counting
    n : int
        Events seen.
    alpha : float
        1 - confidence.
    """

    def end(above: float) -> float:
        return _upper_end(replace(counting, background=counting.background + above), n, alpha)

    found = end(0.0)
    between = []
    for i in range(int(_RANGE / _STEP)):
        right = (i + 1) * _STEP
        value = end(right)
        found = max(found, value)
        between.append((-value - _STEP, right, _STEP))
    heapq.heapify(between)
    for _ in range(_SPLITS if found > 0.0 else 0):
        if -between[0][0] <= found + _JUMP:
            break
        bound, right, width = heapq.heappop(between)
        half = 0.5 * width
        value = end(right - half)
        found = max(found, value)
        heapq.heappush(between, (-value - half, right - half, half))
        heapq.heappush(between, (bound + half, right, half))
    return found


def _upper_end(counting: Counting, n: int, alpha: float) -> float:
    """The largest s to which n events belong, at this background."""
    step, last = 1, n
    while _belongs(counting, n, last + step, alpha):
        last, step = last + step, 2 * step
    beyond = last + step
    while beyond - last > 1:
        middle = (last + beyond) // 2
        last, beyond = (middle, beyond) if _belongs(counting, n, middle, alpha) else (last, middle)
    low, high = _equal(counting, n, last), _equal(counting, n, last + 1)
    if _before(counting, n, last, high) < 1.0 - alpha:
        return high
    return crossing(lambda s: 1.0 - alpha - _before(counting, n, last, s), low, high, _ACCURACY)


def _belongs(counting: Counting, n: int, last: int, alpha: float) -> bool:
    """Whether n belongs to an s for which R is larger for n + 1 to `last` than for n.

    What is before n has its smallest probability at one of the ends of these s.
    """
    ends = _equal(counting, n, last + 1), _equal(counting, n, last)
    return any(_before(counting, n, last, s) < 1.0 - alpha for s in ends)


def _before(counting: Counting, n: int, last: int, s: float) -> float:
    """Probability of n + 1 to `last` events."""
    if last == n:
        return 0.0
    return math.exp(counting.log_at_most(last, s)) - math.exp(counting.log_at_most(n, s))


@functools.lru_cache(65536)
def _best(counting: Counting, n: int) -> tuple[float, float]:
    """The s >= 0 of the largest P(n | s), and the logarithm of that."""
    if counting.background_error == 0.0 and counting.signal_error == 0.0:
        s = max(0.0, n - counting.background)
        return s, counting.log_probability(n, s)
    s = largest(lambda s: counting.log_probability(n, s), 0.0, float(n), 1e-3 * math.sqrt(n + 1.0))
    at_s, at_0 = counting.log_probability(n, s), counting.log_probability(n, 0.0)
    return (s, at_s) if at_s > at_0 else (0.0, at_0)


@functools.lru_cache(65536)
def _equal(counting: Counting, n: int, k: int) -> float:
    """The s above which R is larger for k > n events than for n; both ends of its bracket are the best ones."""
    (low, best), (high, best_k) = _best(counting, n), _best(counting, k)
    if k == n or high <= low:
        return low
    return crossing(
        lambda s: counting.log_probability(n, s) - best - counting.log_probability(k, s) + best_k, low, high, _ACCURACY
    )
