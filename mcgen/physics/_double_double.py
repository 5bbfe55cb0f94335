"""q_perp^2 near the upper limit of t in twice the working precision.

There t_max - t is the difference of two nearly equal numbers of up to 1e5 GeV^2. A number is a pair (high, low)
with high + low exact to 32 digits (Dekker, Numer. Math. 18 (1971) 224; Knuth, TAOCP 2, 4.2.2).
"""

from __future__ import annotations

import math

from mcgen._jit import jit

Pair = tuple[float, float]


@jit
def _sum(a: float, b: float) -> Pair:
    s = a + b
    v = s - a
    return s, (a - (s - v)) + (b - v)


@jit
def _product(a: float, b: float) -> Pair:
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
    s, e = _sum(a[0], b[0])
    t, f = _sum(a[1], b[1])
    s, e = _sum(s, e + t)
    return _sum(s, e + f)


@jit
def scale(a: Pair, factor: float) -> Pair:
    """a times a double."""
    p, e = _product(a[0], factor)
    return _sum(p, e + a[1] * factor)


@jit
def multiply(a: Pair, b: Pair) -> Pair:
    """a * b."""
    p, e = _product(a[0], b[0])
    return _sum(p, e + a[0] * b[1] + a[1] * b[0])


@jit
def divide(a: Pair, b: float) -> Pair:
    """a over a double."""
    q = a[0] / b
    p, e = _product(q, b)
    return _sum(q, ((a[0] - p) - e + a[1]) / b)


@jit
def root(a: Pair) -> Pair:
    """Square root of a positive number."""
    x = math.sqrt(a[0])
    p, e = _product(x, x)
    return _sum(x, ((a[0] - p) - e + a[1]) / (2.0 * x))


@jit
def transverse_momentum_squared(
    E: float, m: float, m_S: float, M: float, E_S: float, one_minus_cos_theta: float, t_min: float, t_minus_tmin: float
) -> float:
    """q_perp^2 = |q|^2 - q_par^2 in GeV^2 at t = t_min + t_minus_tmin.

    It is (f(t) - f(t_min))/V^2 with f(t) = V^2 (t + t^2/4M^2) - (|u|/2 + t/2 + t W/2M)^2, and f(t_min) = 0.
    """
    p2 = add(_product(E, E), scale(_product(m, m), -1.0))
    k2 = add(_product(E_S, E_S), scale(_product(m_S, m_S), -1.0))
    pk = root(multiply(p2, k2))
    pk_cos = add(pk, scale(scale(pk, one_minus_cos_theta), -1.0))
    V2 = add(add(p2, k2), scale(pk_cos, -2.0))
    W = _sum(E, -E_S)
    half_u = add(add(_product(E, E_S), scale(pk_cos, -1.0)), scale(_product(m_S, m_S), -0.5))
    # f(t) = -half_u^2 + B t - C t^2, and the root t_min to full precision by one step of Newton's method
    one_plus = add((0.5, 0.0), divide(W, 2.0 * M))  # (1 + W/M)/2
    B = add(V2, scale(multiply(half_u, one_plus), -2.0))
    C = add(multiply(one_plus, one_plus), scale(divide(divide(V2, 2.0 * M), 2.0 * M), -1.0))
    start = (t_min, 0.0)
    f = add(multiply(start, add(B, scale(multiply(C, start), -1.0))), scale(multiply(half_u, half_u), -1.0))
    slope = B[0] - 2.0 * C[0] * t_min
    t_low = add(start, (-f[0] / slope, 0.0))
    # f(t) - f(t_min) = (t - t_min) (B - C (t + t_min))
    total = add(scale(t_low, 2.0), (t_minus_tmin, 0.0))
    rest = add(B, scale(multiply(C, total), -1.0))
    return max(0.0, t_minus_tmin * (rest[0] + rest[1]) / V2[0])
