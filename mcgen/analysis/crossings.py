"""Every range of couplings in which a signal exceeds a threshold, with gaps and islands however narrow.

N_S(g) is a sum over S of weight * g^2 * [exp(-a g^2) - exp(-b g^2)], 0 <= a < b (Eqs. 17, 19). Divided by g^4 it is the
Laplace transform of a positive measure as a function of s = g^2, so that its logarithm is convex in s. Between two
points it lies below the straight line through them, and above the lines through the pairs of points to the left and to
the right. These bounds tell where N_S may still cross the threshold, and only there it is computed again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from mcgen.base.arrays import Array

Signal = Callable[[Array], Array]
#: ranges of couplings, from low to high
Intervals = tuple[tuple[float, float], ...]

#: range of couplings: at smaller ones no experiment has a signal, at larger ones perturbation theory has failed
LOWEST, HIGHEST = 1e-12, 1e3
#: points to begin with, and the smallest step in log(g): it is not divided, so narrower gaps and islands are not seen
_POINTS, _STEP = 16, 1e-4
#: N_S below this counts as this, so that it has a logarithm
_TINY = 1e-300


def intervals(signal: Signal, threshold: float) -> Intervals:
    """Ranges of g_mu with a signal above the threshold; the last one ends at infinity where N_S never comes back.

    Parameters
    ----------
    signal : callable
        N_S at an array of couplings.
    threshold : float
        Number of events, positive.
    """
    return intervals_at(signal, (threshold,))[0]


def intervals_at(signal: Signal, thresholds: Sequence[float]) -> list[Intervals]:
    """The same at several thresholds: what is computed for one serves the next.

    Parameters
    ----------
    signal : callable
        N_S at an array of couplings.
    thresholds : sequence of float
        Numbers of events, the first one positive; above 0 events every coupling is, if any has a signal.
    """
    before = thresholds[0]
    x = np.linspace(math.log(LOWEST), math.log(HIGHEST), _POINTS)
    y = _height(signal, x, before)
    found: list[Intervals] = []
    for threshold in thresholds:
        if threshold <= 0.0:
            found.append(((LOWEST, math.inf),) if np.max(y) > math.log(_TINY / before) + 1.0 else ())
            continue
        y, before = y + math.log(before / threshold), threshold
        while (new := _where_to_look(x, y)).size:
            both, heights = np.concatenate([x, new]), np.concatenate([y, _height(signal, new, threshold)])
            order = np.argsort(both, kind="stable")
            x, y = both[order], heights[order]
        found.append(_ranges(x, y))
    return found


def _ranges(x: Array, y: Array) -> Intervals:
    """Where a curve lies above 0, straight between its points."""
    above = y > 0.0
    turns = np.flatnonzero(above[1:] != above[:-1])
    edges = np.exp(x[turns] - y[turns] * (x[turns + 1] - x[turns]) / (y[turns + 1] - y[turns])).tolist()
    edges = [LOWEST, *edges] if above[0] else edges
    edges = [*edges, math.inf] if above[-1] else edges
    return tuple(zip(edges[::2], edges[1::2], strict=True))


def _height(signal: Signal, x: Array, threshold: float) -> Array:
    """Logarithm of N_S over the threshold at couplings exp(x)."""
    return np.asarray(np.log(np.maximum(signal(np.exp(x)), _TINY) / threshold))


def _where_to_look(x: Array, y: Array) -> Array:
    """Further points, in log(g), where N_S must be known to tell whether and where it crosses the threshold."""
    width = np.diff(x)
    above = y > 0.0
    crossing = np.flatnonzero((above[1:] != above[:-1]) & (width > _STEP))
    root = x[crossing] - y[crossing] * width[crossing] / (y[crossing + 1] - y[crossing])
    margin = 0.03 * width[crossing]  # a smooth curve crosses between root - margin and root + margin
    low, high = x[crossing] + 0.5 * margin, x[crossing + 1] - 0.5 * margin
    # both sides of the expected root, and the middle of the step in case the root is elsewhere
    sides = [np.clip(root - margin, low, high), np.clip(root + margin, low, high), 0.5 * (low + high)]
    hidden = _extrema(x, y, np.flatnonzero((above[1:] == above[:-1]) & (width > _STEP)))
    return np.unique(np.concatenate([*sides, hidden]))


def _extrema(x: Array, y: Array, at: NDArray[np.intp]) -> Array:
    """Points inside the steps `at`, both ends of which lie on one side, where the curve may be on the other side."""
    s, f = np.exp(2.0 * x), y - 4.0 * x  # f is convex in s
    slope = np.diff(f) / np.diff(s)
    found = []
    for i in at.tolist():
        if y[i] > 0.0:  # the curve lies above the lines of the steps beside: look where the higher of them is lowest
            beside = [j for j in (i - 1, i + 1) if 0 <= j < slope.size]
            lines = [(slope[j], f[max(i, j)] - slope[j] * s[max(i, j)]) for j in beside]
            if len(lines) == 2 and lines[0][0] < lines[1][0]:
                place = (lines[0][1] - lines[1][1]) / (lines[1][0] - lines[0][0])
            else:
                place = s[i + 1] if beside == [i - 1] else s[i]
            bound = -max(k * place + c for k, c in lines) - 2.0 * math.log(max(place, _TINY))
        else:  # the curve lies below the line of the step, on which N_S, s^2 exp(slope s), has its maximum here
            place = -2.0 / slope[i] if slope[i] < 0.0 else s[i + 1]
            bound = f[i] + slope[i] * (place - s[i]) + 2.0 * math.log(place) if s[i] < place < s[i + 1] else -1.0
        if bound > 0.0:
            margin = 0.1 * (x[i + 1] - x[i])
            found.append(min(max(0.5 * math.log(max(place, _TINY)), x[i] + margin), x[i + 1] - margin))
    return np.array(found)
