"""Steps of `validation.derivation` in invariants: Feynman rules, traces, structures and weights."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from random import Random
from typing import Any

import numpy as np

from mcgen.physics.emission.mediator import MEDIATORS, bracket, x_shape
from validation import exact_dirac as exact
from validation.exact_dirac import (
    GAMMA,
    GAMMA5,
    METRIC,
    ONE,
    UNITS,
    VERTICES,
    Point,
    bar,
    dot,
    half_trace,
    minus_metric,
    run,
    slash,
)

#: two sides of an equation: numbers or arrays of them
Pairs = Iterable[tuple[Any, Any]]


def both(xs: list[Point]) -> list[Point]:
    """The points, and some at which the lepton changes its mass."""
    return [*xs, *exact.points(2, 5, True)]


def products(xs: list[Point], _: Random) -> Pairs:
    """D2, D5: products of momenta from s, u, t and the masses."""
    for x in both(xs):
        yield dot(x.P, x.q), 0
        yield dot(x.P, x.P), 4 * x.M**2 + x.t
        yield 2 * dot(x.p, x.q), x.s + x.t
        yield 2 * dot(x.p_out, x.q), -(x.u + x.t)
        yield 2 * dot(x.k, x.q), x.s + x.u
        yield 2 * dot(x.p, x.p_out), x.m**2 + x.m_out**2 - x.m_S**2 + x.t + x.s + x.u


def conservation(xs: list[Point], _: Random) -> Pairs:
    """D6, D7: q.L = 0 for every vertex, and P may be replaced by 2 P_i."""
    for x in both(xs):
        q = slash(x.q)
        yield (slash(x.p + x.q) + x.m * ONE) @ q @ x.before, x.s * x.before
        yield x.after @ q @ (slash(x.p_out - x.q) + x.m_out * ONE), -x.u * x.after
        for gamma in itertools.chain(*VERTICES.values()):
            yield x.between(x.vertex(gamma, x.q)), 0 * ONE
            yield x.between(x.vertex(gamma, x.P)), x.between(x.vertex(gamma, 2 * x.P_in))


def spin_coupling(x: Point) -> tuple[Any, Any]:
    """N and alpha of (D8)."""
    return slash(x.q) @ slash(x.P), 2 * dot(x.P, x.p) / x.s + 2 * dot(x.P, x.p_out) / x.u


def reduced(x: Point, gamma: Any) -> Any:
    """alpha Gamma + Gamma N/s + N Gamma/u."""
    N, alpha = spin_coupling(x)
    return alpha * gamma + gamma @ N / x.s + N @ gamma / x.u


def reduction(xs: list[Point], _: Random) -> Pairs:
    """D8: the vertex reduced with the Dirac equation."""
    for x in both(xs):
        for gamma in itertools.chain(*VERTICES.values()):
            yield x.between(x.vertex(gamma, x.P)), x.between(reduced(x, gamma))


def field(xs: list[Point], _: Random) -> Pairs:
    """D9 - D11: current of spin 0, field of the nucleus, algebra of N."""
    for x in both(xs):
        N, alpha = spin_coupling(x)
        F = np.outer(x.q, x.P) - np.outer(x.P, x.q)
        yield dot(x.q, x.J), 0
        yield dot(x.P, x.J), alpha
        lower = [g * gamma for g, gamma in zip(METRIC, GAMMA, strict=True)]
        pairs = itertools.product(range(4), repeat=2)
        yield sum(F[i, j] * (lower[i] @ lower[j] - lower[j] @ lower[i]) for i, j in pairs) / 4, N
        yield bar(N), -N
        yield N @ N, x.t * dot(x.P, x.P) * ONE
        for v in (x.p, x.p_out, x.k, x.q):
            w, v_hat = slash(x.force(v, x.P)), slash(v)
            yield [dot(row, v) for row in F], x.force(v, x.P)
            yield N @ v_hat - v_hat @ N, 2 * w
            n = 2 * dot(x.q, x.q) * dot(x.P, v) * x.P + 2 * dot(x.P, x.P) * dot(x.q, v) * x.q
            yield N @ v_hat @ N, slash(n - dot(x.q, x.q) * dot(x.P, x.P) * v)


def structures(xs: list[Point], _: Random) -> Pairs:
    """D12, D13: K, B, f, Q do not change under P -> P + lambda q."""
    for x in both(xs):
        yield x.structures(x.P), x.structures(2 * x.P_in)
        _, alpha = spin_coupling(x)
        P2q2 = dot(x.P, x.P) * dot(x.q, x.q)
        yield x.structures(x.P)[2:], [2 * P2q2 / (x.s * x.u), alpha**2 + P2q2 * (1 / x.s + 1 / x.u) ** 2]
        for v, w in itertools.combinations_with_replacement((x.p, x.p_out, x.k), 2):
            product = dot(x.q, x.q) * dot(x.P, v) * dot(x.P, w) + dot(x.P, x.P) * dot(x.q, v) * dot(x.q, w)
            yield dot(x.force(v, x.P), x.force(w, x.P)), product


def determinant(rows: Any) -> Any:
    """Of a square array of fractions."""
    if len(rows) == 1:
        return rows[0][0]
    rest = rows[1:]
    return sum((-1) ** i * x * determinant(np.delete(rest, i, axis=1)) for i, x in enumerate(rows[0]))


def span(xs: list[Point], rng: Random) -> Pairs:
    """D14: K, B, f, Q span all squares: their determinant."""
    for x in both(xs):
        found, basis = [], []
        for _ in range(4):  # four P that are normal to q
            P = exact.any_vector(rng)
            P = P - x.q * (dot(P, x.q) / dot(x.q, x.q))
            a, b = dot(P, x.p), dot(P, x.p_out)
            found.append(x.structures(P)[[2, 0, 1, 3]])
            basis.append([dot(P, P), a * a, a * b, b * b])
        su = x.s * x.u
        expected = -2 * x.t / su * x.t**2 / su**2 * 8 * (x.s**2 - x.u**2) / su**2
        yield determinant(np.array(found)) / determinant(np.array(basis)), expected


def scalar(xs: list[Point], _: Random) -> Pairs:
    """D15, D16: trace and weights of the scalar."""
    for x in xs:
        K, _, _, Q = x.structures(x.P)
        N, alpha = spin_coupling(x)
        s, u, t, P2 = x.s, x.u, x.t, dot(x.P, x.P)
        beta = 1 / s + 1 / u
        w, w_out = x.force(x.p, x.P), x.force(x.p_out, x.P)
        A = x.amplitude("scalar", x.P)
        yield A, half_trace(x.after, alpha * ONE + beta * N, x.before, alpha * ONE - beta * N)
        rest = 4 * alpha * beta * dot(x.p_out, w) - 4 * beta**2 * dot(w, w_out)
        yield A, 2 * (dot(x.p, x.p_out) + x.m**2) * Q + rest
        y, y_out = dot(x.P, x.p), dot(x.P, x.p_out)  # eta and eta'
        c = u * y + s * y_out
        terms = (
            (t + s + u) * (4 * c**2 - t * P2 * (s + u) ** 2),
            -4 * (s + u) * c * ((u + t) * y + (s + t) * y_out),
            (s + u) ** 2 * (4 * t * y * y_out + P2 * (s + t) * (u + t)),
        )
        yield sum(terms), (s * u) ** 2 * ((t + s + u) * Q + rest)
        yield sum(terms), s * u * ((s + u) ** 2 * P2 - 4 * t * dot(x.P, x.k) ** 2)
        yield sum(terms), 4 * (s * u) ** 2 * K
        yield A, 4 * K + (4 * x.m**2 - x.m_S**2) * Q


def pseudoscalar(xs: list[Point], _: Random) -> Pairs:
    """D17: m -> -m in one projector."""
    for x in xs:
        K, _, _, Q = x.structures(x.P)
        A = x.amplitude("pseudoscalar", x.P)
        vertex = x.vertex(ONE, x.P)
        flipped = reduced(x, ONE)
        yield x.between(vertex), x.between(flipped)
        yield A, half_trace(slash(x.p_out) - x.m * ONE, flipped, x.before, bar(flipped))
        yield A, x.amplitude("scalar", x.P) - 4 * x.m**2 * Q
        yield A, 4 * K - x.m_S**2 * Q


def longitudinal(xs: list[Point], _: Random) -> Pairs:
    """D18, D23: k.L = 0 for a vector, -2 m times a pseudoscalar for an axial vector."""
    for x in xs:
        k = slash(x.k)
        for unit in UNITS:
            yield x.between(x.vertex(k, unit)), 0 * ONE
            yield x.between(x.vertex(k @ GAMMA5, unit)), -2 * x.m * x.between(x.vertex(GAMMA5, unit))


def vector(xs: list[Point], _: Random) -> Pairs:
    """D19 - D22: traces and weights of the vector."""
    for x in xs:
        K, B, f, Q = x.structures(x.P)
        _, alpha = spin_coupling(x)
        V = [reduced(x, gamma) for gamma in GAMMA]
        w, w_out = x.force(x.p, x.P), x.force(x.p_out, x.P)
        p, p_out, pp, ww = slash(x.p), slash(x.p_out), dot(x.p, x.p_out), dot(w, w_out)
        massless = minus_metric(half_trace(p_out, v, p, bar(v)) for v in V)
        mixed = 8 * alpha * (1 / x.s + 1 / x.u) * dot(x.p_out, w)
        yield massless, 4 * pp * (Q - 2 * f) + mixed - 8 * (1 / x.s**2 + 1 / x.u**2) * ww
        mass = x.m**2 * minus_metric(half_trace(v, bar(v)) for v in V)
        yield mass, -8 * x.m**2 * (Q - f)
        S = x.amplitude("scalar", x.P)
        yield massless, 2 * (S - 2 * x.m**2 * Q) - 8 * f * pp + 16 * ww / (x.s * x.u)
        w_k = x.force(x.k, x.P)
        total = x.s + x.t + x.u
        yield 2 * ww, dot(w, w) + dot(w_out, w_out) - dot(w_k, w_k) - x.t * dot(x.P, x.P) * total
        yield 16 * ww / (x.s * x.u), 8 * B - 8 * K + 4 * total * f
        A = x.amplitude("vector", x.P)
        yield A, massless + mass
        yield A, 8 * B + 4 * x.m_S**2 * f - 2 * (x.m_S**2 + 2 * x.m**2) * Q


def axial(xs: list[Point], _: Random) -> Pairs:
    """D24: traces and weights of the axial vector."""
    for x in xs:
        K, B, f, Q = x.structures(x.P)
        A, m2, m_S2 = x.amplitude("axial", x.P), x.m**2, x.m_S**2
        transverse = x.amplitude("vector", x.P) + 16 * m2 * (Q - f)
        yield minus_metric(x.square(v, x.P) for v in VERTICES["axial"]), transverse
        yield A, transverse + 4 * m2 / m_S2 * x.amplitude("pseudoscalar", x.P)
        yield A, 8 * B + 4 * (m_S2 - 4 * m2) * f - 2 * (m_S2 - 4 * m2) * Q + 16 * m2 / m_S2 * K


def weights(xs: list[Point], rng: Random) -> Pairs:
    """Table: traces of the four mediators, `mediator.py` as it stands."""
    for x, mediator in itertools.product(both(xs), MEDIATORS):
        P = exact.any_vector(rng)
        for a in (x.P, P):
            yield x.amplitude(mediator, a), x.weights(mediator)[:4] @ x.structures(a)


def real_photon(xs: list[Point], rng: Random) -> Pairs:
    """D50 - D53: l gamma -> l S, `bracket` and `x_shape` as they stand."""
    seed = rng.randrange(1000)
    for line in (*exact.compton(len(xs), seed), *exact.compton(len(xs), seed, True)):
        u, m, m_out, m_S = -line.u, line.m, line.m_out, line.m_S
        x = 1 - u / line.s
        D = m_S**2 * (1 - x) + m_out**2 * x - m**2 * x * (1 - x)
        plus, Q = (2 - 2 * x + x**2) / (4 * (1 - x)), 2 * (u * x - D) / u**2
        yield line.t, 0
        yield minus_metric(line.structures(unit) for unit in UNITS) / 2, [x**2 / (4 * (1 - x)), plus, 0, Q]
        yield -dot(line.J, line.J) / 2, Q
        for mediator in MEDIATORS:
            c = line.weights(mediator)
            A_22 = minus_metric(line.amplitude(mediator, unit) for unit in UNITS) / 2
            yield A_22, (c.K * x**2 + 4 * (1 - x) * c.B * plus) / (4 * (1 - x)) - 2 * c.Q * (D - u * x) / u**2
            yield run(bracket, x, u, m, m_out, m_S, c), A_22
            # A22 is a parabola in 1/|u|: the rule of Milne is exact
            h = x / D / 4
            nodes = [run(bracket, x, 1 / (i * h), m, m_out, m_S, c) for i in (1, 2, 3)]
            integral = 4 * h / 3 * (2 * nodes[0] - nodes[1] + 2 * nodes[2])
            yield (
                (1 - x) * integral,
                (x * (c.K * x**2 + 4 * (1 - x) * c.B * plus) / 4 + c.Q * (1 - x) * x**3 / (3 * D)) / D,
            )
            if m_out == m:
                yield run(x_shape, x, m, m_S, c), (1 - x) * integral


def change(xs: list[Point], _: Random) -> Pairs:
    """F1 - F6: parity, longitudinal parts, weights at unequal masses."""
    for x in exact.points(len(xs), 5, True):
        K, B, f, Q = x.structures(x.P)
        a, d, m_S2 = x.m + x.m_out, x.m - x.m_out, x.m_S**2
        A = {mediator: x.amplitude(mediator, x.P) for mediator in MEDIATORS}
        yield A["scalar"] - A["pseudoscalar"], 4 * x.m * x.m_out * Q
        for unit in UNITS:
            vector, axial = (x.between(x.vertex(slash(x.k) @ part, unit)) for part in (ONE, GAMMA5))
            yield vector, d * x.between(x.vertex(ONE, unit))
            yield axial, -a * x.between(x.vertex(GAMMA5, unit))
        for even, odd in (("scalar", "pseudoscalar"), ("vector", "axial")):
            for gamma, other in zip(VERTICES[even], VERTICES[odd], strict=True):
                crossed = [half_trace(x.after, x.vertex(v, x.P), x.before, bar(x.vertex(w, x.P)))
                           for v, w in ((gamma, other), (other, gamma))]  # fmt: skip
                yield sum(crossed), 0
        yield A["scalar"], 4 * K + (a**2 - m_S2) * Q
        yield A["pseudoscalar"], 4 * K + (d**2 - m_S2) * Q
        c, mm = 2 * (x.m**2 + x.m_out**2 - m_S2), 8 * x.m * x.m_out
        yield A["vector"], 8 * B + 4 * (m_S2 - d**2) * f + (c - mm) * Q + d**2 / m_S2 * A["scalar"]
        yield A["axial"], 8 * B + 4 * (m_S2 - a**2) * f + (c + mm) * Q + a**2 / m_S2 * A["pseudoscalar"]
        for near, far, mediator in ((d, a, "vector"), (a, d, "axial")):
            rest = (m_S2 - near**2) * (2 * m_S2 + far**2) / m_S2
            yield x.weights(mediator)[:4], [4 * near**2 / m_S2, 8, 4 * (m_S2 - near**2), -rest]


def other_lines(xs: list[Point], _: Random) -> Pairs:
    """Section 14: target of spin 1/2, lepton that changes its mass."""
    for x in xs:
        before, after = slash(x.P_in) + x.M * ONE, slash(x.P_out) + x.M * ONE
        tensor = np.array([[half_trace(after, a, before, b) for b in GAMMA] for a in GAMMA])
        yield tensor, np.outer(x.P, x.P) - np.outer(x.q, x.q) - x.t * np.diag(METRIC)
        for mediator in MEDIATORS:
            A_g = minus_metric(x.amplitude(mediator, unit) for unit in UNITS)
            yield A_g, x.weights(mediator)[:4] @ minus_metric(x.structures(unit) for unit in UNITS)
    for x in exact.points(len(xs), 5, True):
        Q = x.structures(x.P)[3]
        yield x.amplitude("scalar", x.P) - x.amplitude("pseudoscalar", x.P), 4 * x.m * x.m_out * Q
        for unit in UNITS:
            yield x.between(x.vertex(slash(x.k), unit)), (x.m - x.m_out) * x.between(x.vertex(ONE, unit))
