"""Arithmetic in twice the working precision.

A number is a pair (high, low) with high + low exact to 32 digits (Dekker, Numer. Math. 18 (1971) 224; Knuth, TAOCP 2,
4.2.2).
"""

from __future__ import annotations

import math

from mcgen.base.jit import jit

Pair = tuple[float, float]


@jit
def sum_of(a: float, b: float) -> Pair:
    """a + b of two doubles, exact."""
    s = a + b
    v = s - a
    return s, (a - (s - v)) + (b - v)


@jit
def product(a: float, b: float) -> Pair:
    """a * b of two doubles, exact."""
    p = a * b
    x = 134217729.0 * a  # 2^27 + 1 splits 53 bits into halves
    a1 = x - (x - a)
    a2 = a - a1
    x = 134217729.0 * b
    b1 = x - (x - b)
    b2 = b - b1
    return p, ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2


@jit
def add(a: Pair, b: Pair) -> Pair:
    """a + b."""
    s, e = sum_of(a[0], b[0])
    t, f = sum_of(a[1], b[1])
    s, e = sum_of(s, e + t)
    return sum_of(s, e + f)


@jit
def scale(a: Pair, factor: float) -> Pair:
    """a times a double."""
    p, e = product(a[0], factor)
    return sum_of(p, e + a[1] * factor)


@jit
def multiply(a: Pair, b: Pair) -> Pair:
    """a * b."""
    p, e = product(a[0], b[0])
    return sum_of(p, e + a[0] * b[1] + a[1] * b[0])


@jit
def divide(a: Pair, b: Pair) -> Pair:
    """a / b."""
    q = a[0] / b[0]
    rest = add(a, scale(b, -q))
    return sum_of(q, (rest[0] + rest[1]) / b[0])


@jit
def root(a: Pair) -> Pair:
    """Square root; 0 of what is not positive."""
    x = math.sqrt(max(0.0, a[0]))
    if x == 0.0:
        return 0.0, 0.0
    p, e = product(x, x)
    return sum_of(x, ((a[0] - p) - e + a[1]) / (2.0 * x))
