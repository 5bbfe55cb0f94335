"""Where a function of the number of signal events crosses 0, and where it is largest."""

from __future__ import annotations

import math
from collections.abc import Callable

#: relative accuracy
_ACCURACY = 1e-11
_GOLDEN = 0.5 * (math.sqrt(5.0) - 1.0)


def crossing(function: Callable[[float], float], low: float, high: float, accuracy: float = _ACCURACY) -> float:
    """The root of a continuous function that is positive at `low` and negative at `high`, by false position.

    Parameters
    ----------
    function : callable
    low, high : float
    accuracy : float
        Relative one of the root.
    """
    at_low, at_high, before = function(low), function(high), 0
    if at_low <= 0.0:
        return low
    for i in range(200):
        if high - low <= accuracy * high:
            break
        x = (low * at_high - high * at_low) / (at_high - at_low)
        if i % 4 == 3 or not low < x < high:
            x = 0.5 * (low + high)
        at_x = function(x)
        if at_x == 0.0:
            return x
        side = 1 if at_x > 0.0 else -1
        # the end that stays counts half, so that it moves too
        if at_x > 0.0:
            low, at_low, at_high = x, at_x, at_high * (0.5 if before == side else 1.0)
        else:
            high, at_high, at_low = x, at_x, at_low * (0.5 if before == side else 1.0)
        before = side
    return 0.5 * (low + high)


def falling_crossing(function: Callable[[float], float], start: float = 1.0, accuracy: float = _ACCURACY) -> float:
    """The root above 0 of a function that falls from a positive value at 0; 0 where it is not positive there.

    Parameters
    ----------
    function : callable
    start : float
        First guess.
    accuracy : float
        Relative one of the root.
    """
    if function(0.0) <= 0.0:
        return 0.0
    low, high = 0.0, start
    while function(high) > 0.0:
        low, high = high, 2.0 * high
    return crossing(function, low, high, accuracy)


def largest(function: Callable[[float], float], low: float, high: float, width: float) -> float:
    """Where a function with one maximum is largest, by golden section.

    Parameters
    ----------
    function : callable
    low, high : float
        Between them is the maximum.
    width : float
        Accuracy of the place.
    """
    a, b = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_a, at_b = function(a), function(b)
    for _ in range(100):
        if high - low <= width:
            break
        if at_a > at_b:
            high, b, at_b = b, a, at_a
            a = high - _GOLDEN * (high - low)
            at_a = function(a)
        else:
            low, a, at_a = a, b, at_b
            b = low + _GOLDEN * (high - low)
            at_b = function(b)
    return a if at_a > at_b else b
