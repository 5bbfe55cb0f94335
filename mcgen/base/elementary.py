"""Elementary functions without branches: in a loop over arrays the compiler takes several numbers at a time.

The C library's functions are called for one number at a time, which costs four times as much, and differ in the last
bit between machines. These are made of sums, products and bits alone: they give the same everywhere. They are good to
2 units in the last place. Arguments are finite numbers.
"""

from __future__ import annotations

import math

import numpy as np

from mcgen.base.jit import jit

#: added to a number below 2^51, it rounds it to a whole one and leaves that in the lowest bits
_ROUNDING = 1.5 * 2.0**52
#: log(2) in two parts, the first with few enough digits for its products with exponents to be exact
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
#: highest argument of `exp`, and the one below which it is 0
_EXP_MAX, _EXP_MIN = 709.0, -708.0
_FRACTION, _ONE, _EXPONENT = np.int64((1 << 52) - 1), np.int64(1023 << 52), np.int64(0x433 << 52)
#: 1.0 * sqrt(1/2), as bits: mantissas are taken from there up to sqrt(2)
_ROOT_HALF = np.int64(0x3FE6A09E667F3BCD)


@jit
def _bits(x: float) -> np.int64:
    return np.float64(x).view(np.int64)  # type: ignore[no-any-return]


@jit
def _number(bits: np.int64) -> float:
    return np.int64(bits).view(np.float64)  # type: ignore[no-any-return]


@jit
def _reduced(x: float) -> tuple[float, float, float]:
    """(r, exp(r) - 1, rounded) with x = r + n log(2), |r| < 0.35, and n in the lowest bits of `rounded`."""
    rounded = x * (1.0 / math.log(2.0)) + _ROUNDING
    n = rounded - _ROUNDING
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    # (exp(r) - 1 - r)/r^2, the polynomial of Chebyshev, good to 1e-16
    p = 2.510038549551032e-08
    p = 2.7620088445409746e-07 + r * p
    p = 2.7557268459997064e-06 + r * p
    p = 2.4801521295954376e-05 + r * p
    p = 0.00019841269863053618 + r * p
    p = 0.0013888888917213717 + r * p
    p = 0.008333333333330062 + r * p
    p = 0.04166666666662413 + r * p
    p = 0.16666666666666669 + r * p
    p = 0.5000000000000001 + r * p
    return r, r + r * r * p, rounded


@jit
def exp(x: float) -> float:
    """Exponential of x; 0 below -708, that of 709 above it."""
    _, less_one, rounded = _reduced(min(_EXP_MAX, max(_EXP_MIN, x)))
    value = _number(_bits(1.0 + less_one) + (_bits(rounded) << 52))
    return value if x >= _EXP_MIN else 0.0


@jit
def expm1(x: float) -> float:
    """exp(x) - 1, exact also where x is small; that of 709 above it."""
    _, less_one, rounded = _reduced(min(_EXP_MAX, max(-50.0, x)))
    scale = _number(_ONE + (_bits(rounded) << 52))
    return scale * less_one + (scale - 1.0)


@jit
def log(x: float) -> float:
    """Natural logarithm of a positive number of normal size, 2.3e-308 or more."""
    shifted = _bits(x) + (_ONE - _ROOT_HALF)
    exponent = _number((shifted >> 52) | _EXPONENT) - (2.0**52 + 1023.0)
    f = _number((shifted & _FRACTION) + _ROOT_HALF) - 1.0
    s = f / (2.0 + f)
    z = s * s
    # 2 (s^2/3 + s^4/5 + ...), the last coefficients those of Remez: log((1 + s)/(1 - s)) = 2 s + s * this
    p = 1.479819860511658591e-01
    p = 1.531383769920937332e-01 + z * p
    p = 1.818357216161805012e-01 + z * p
    p = 2.222219843214978396e-01 + z * p
    p = 2.857142874366239149e-01 + z * p
    p = 3.999999999940941908e-01 + z * p
    p = 6.666666666666735130e-01 + z * p
    half = 0.5 * f * f
    return exponent * _LN2_HIGH - ((half - (s * (half + z * p) + exponent * _LN2_LOW)) - f)


@jit
def log1p(x: float) -> float:
    """log(1 + x) for x > -1, exact also where x is small."""
    whole = 1.0 + x
    return log(whole) - ((whole - 1.0) - x) / whole


@jit
def asinh(x: float) -> float:
    """Inverse of the hyperbolic sine, for x >= 0."""
    return log1p(x + x * x / (1.0 + math.sqrt(1.0 + x * x)))


@jit
def of_turn(turns: float) -> tuple[float, float]:
    """(cosine, sine) of an angle given in full turns."""
    rounded = 4.0 * turns + _ROUNDING
    quarter = _bits(rounded)
    angle = (turns - 0.25 * (rounded - _ROUNDING)) * (2.0 * math.pi)
    z = angle * angle
    s = 1.58969099521155010221e-10
    s = -2.50507602534068634195e-08 + z * s
    s = 2.75573137070700676789e-06 + z * s
    s = -1.98412698298579493134e-04 + z * s
    s = 8.33333333332248946124e-03 + z * s
    s = -1.66666666666666324348e-01 + z * s
    sine = angle + angle * z * s
    c = -1.13596475577881948265e-11
    c = 2.08757232129817482790e-09 + z * c
    c = -2.75573143513906633035e-07 + z * c
    c = 2.48015872894767294178e-05 + z * c
    c = -1.38888888888741095749e-03 + z * c
    c = 4.16666666666666019037e-02 + z * c
    cosine = 1.0 - (0.5 * z - z * z * c)
    swapped = (quarter & 1) == 1
    x = sine if swapped else cosine
    y = cosine if swapped else sine
    return x if ((quarter + 1) & 2) == 0 else -x, y if (quarter & 2) == 0 else -y
