"""Decimal digits of float64 and back, exact: rounded to nearest.

x * 10^k is the product of a mantissa of 64 bits and a power of ten of 128 bits, of which too few bits are cut off to
matter, but where the rest is half a digit to one part in 10^13. Such a number is undecided and left to Python.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mcgen.base.jit import jit
from mcgen.base.rng import wide_product

#: powers of ten from 10^-_LARGEST to 10^_LARGEST are in the table
_LARGEST = 345
#: digits that a word holds
WORD = 18
_ONE, _HALF, _63 = np.uint64(1), np.uint64(1 << 63), np.uint64(63)
#: a lower word from which the error of a product may carry
_ALMOST = np.uint64((1 << 64) - 2)
#: powers of ten that a word holds
TEN = np.array([10**n for n in range(WORD + 1)], dtype=np.uint64)


def _powers() -> NDArray[np.uint64]:
    """Upper and lower word of 10^k / 2^floor(log2 10^k) * 2^127, rounded down."""
    rows = []
    for k in range(-_LARGEST, _LARGEST + 1):
        value = 10**k << 127 if k >= 0 else (1 << 1400) // 10**-k
        value = value >> (value.bit_length() - 128)
        rows.append((value >> 64, value & ((1 << 64) - 1)))
    return np.array(rows, dtype=np.uint64)


_POWERS = _powers()


@jit
def _times_power(m: np.uint64, k: int) -> tuple[np.uint64, np.uint64]:
    """Upper two words of m times 10^k in the table, short of the truth by less than 2 in the lower one."""
    upper, lower = _POWERS[k + _LARGEST, 0], _POWERS[k + _LARGEST, 1]
    high, low = wide_product(m, upper)
    middle = low + wide_product(m, lower)[0]
    return high + np.uint64(middle < low), middle


@jit
def digits(x: float, n: int) -> tuple[np.uint64, np.uint64, int]:
    """The first n digits of a number, and its power of ten.

    Parameters
    ----------
    x : float
        Positive and finite.
    n : int
        Number of digits, 1 to 23.

    Returns
    -------
    tuple
        The first 18 digits or less as a whole number, those behind them as another one, and the power of ten of the
        first digit. The first one is 0 where the rounding is undecided.
    """
    fraction, e = math.frexp(x)
    m = np.uint64(fraction * 2.0**53) << np.uint64(11)
    first = min(n, WORD)
    more = TEN[n - first]
    power = ((e - 1) * 78913) >> 18  # floor(log10 2^(e-1)), at most one too small
    for _ in range(2):
        k = first - 1 - power
        upper, middle = _times_power(m, k)
        shift = np.uint64(63 - e - ((k * 217706) >> 16))
        whole = upper >> shift
        if whole < TEN[first]:
            break
        power += 1
    rest = ((upper << (_63 - shift)) << _ONE) | (middle >> shift)
    further, rest = wide_product(rest, more)
    if _HALF - np.uint64(2) * more <= rest <= _HALF:
        return np.uint64(0), further, power
    further += np.uint64(rest > _HALF)
    if further == more:
        further = np.uint64(0)
        whole += _ONE
    if whole == TEN[first]:
        return TEN[first - 1], further, power + 1
    return whole, further, power


@jit
def nearest(whole: np.uint64, k: int) -> float:
    """The float64 nearest to whole * 10^k; NaN where that is undecided, or beyond 10^-290 or 10^300.

    Parameters
    ----------
    whole : uint64
        Below 10^19.
    k : int
    """
    if whole == np.uint64(0):
        return 0.0
    if abs(k) > _LARGEST:
        return np.nan
    _, e = math.frexp(np.float64(whole))
    upper, middle = _times_power(whole << np.uint64(64 - e), k)
    power = ((k * 217706) >> 16) + e - 63
    below = np.float64(upper | np.uint64(middle > np.uint64(0)))  # a last bit for all that is cut off
    above = np.float64((upper + np.uint64(middle >= _ALMOST)) | _ONE)
    if below != above or power < -1030 or power > 930:
        return np.nan
    return math.ldexp(below, power)
