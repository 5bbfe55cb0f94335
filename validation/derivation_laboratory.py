"""Steps of `validation.derivation` in the laboratory: variables, azimuth, measure and the limit of small t."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
from mpmath import mp, mpf

from mcgen.base.constants import ALPHA, GEV2_PB
from mcgen.physics.emission.amplitude import AzimuthalForm, Process, amplitude_average, azimuthal_form, sigma_density
from mcgen.physics.emission.form_factor import G2, form_factor
from mcgen.physics.emission.kinematics import Emission, emission
from mcgen.physics.emission.mediator import MEDIATORS, Weights
from validation import exact_dirac as exact
from validation.derivation_invariants import Pairs, both
from validation.exact_dirac import Point, cross2, dot, dot3, run


def laboratory(xs: list[Point], _: Random) -> Pairs:
    """D25 - D27: K, B, f in the laboratory."""
    for x in both(xs):
        for v in (x.p, x.p_out, x.k):
            w = x.force(v, x.P)
            yield dot(w, w), -4 * x.M**2 * (dot(v, v) * x.q2 + cross2(v, x.q))
        yield dot(x.q, x.q) * dot(x.P, x.P), -4 * x.M**2 * x.q2
        yield x.laboratory()[:3], x.structures(x.P)[:3]


def eikonal(xs: list[Point], _: Random) -> Pairs:
    """D28 - D30: Q in the laboratory, X and X'."""
    for x in both(xs):
        E, E_S, T, t, W, su = x.E, x.E_S, x.T, x.t, x.W, x.s * x.u
        kq = dot3(x.k, x.q)
        yield x.s, -t - 2 * E * T - 2 * dot3(x.p, x.q)
        yield x.u, t + 2 * W * T + 2 * dot3(x.p - x.k, x.q)
        yield x.s + x.u, -2 * (E_S * T + kq)
        yield su * x.J[0], x.u * (2 * E - T) + x.s * (2 * W - T)
        X, X_out = x.X, x.X_out
        yield x.u * E + x.s * W, t * E_S + 2 * X
        yield su * x.J[0], 2 * (X + X_out)
        square = (E_S * x.q2 + T * kq) ** 2 - x.q2 * (E_S * T + kq) ** 2
        yield square, t * (x.m_S**2 * x.q2 + cross2(x.k, x.q))
        yield su**2 * x.structures(x.P)[3], 16 * x.M**2 * (4 * X * X_out + square)
        yield x.laboratory(), x.structures(x.P)


def smallest_u(xs: list[Point], rng: Random) -> Pairs:
    """D31, D32: |u| without cancellations."""
    for changes, _ in itertools.product((False, True), xs):
        m = exact.fraction(rng, 0.5, 2)
        m_out = exact.fraction(rng, 0.5, 2) if changes else m
        (E, p), (W, p_W) = exact.shell(m, exact.fraction(rng, 10, 30)), exact.shell(m_out, exact.fraction(rng, 2, 9))
        E_S = E - W
        k = E_S * exact.fraction(rng, 0.1, 0.9)
        m_S2 = E_S**2 - k**2
        cosine = exact.fraction(rng, -1, 1)
        yield p - k - p_W, m_S2 / (E_S + k) + m_out**2 / (W + p_W) - m**2 / (E + p)
        u = 2 * (E * E_S - p * k * cosine) - m_S2 + (m_out**2 - m**2)
        yield u, (p - k - p_W) * (p - k + p_W) + 2 * p * k * (1 - cosine)


def emission_of(x: Point) -> Emission:
    """The record of the code from the vectors of a point, without the limits of t."""
    V, (E, *_), (E_S, *_) = x.V, x.p, x.k
    Y_V = E_S * x.p[3] - E * x.k[3]
    p, k = (exact.root(dot3(v, v)) for v in (x.p, x.k))
    C = (1 + x.W / x.M) ** 2 - V**2 / x.M**2
    return Emission(p, k, x.W, V, 1 / V, -x.u, x.k[3], x.k[1], Y_V, None, None, C)


def components(xs: list[Point], _: Random) -> Pairs:
    """D33, D34: components of k and of E_S p - E k."""
    for x in both(xs):
        e, E, E_S = emission_of(x), x.E, x.E_S
        cosine = dot3(x.p, x.k) / (e.p * e.k)
        pk = e.p * e.k * (1 - cosine)
        yield e.V**2, (e.p - e.k) ** 2 + 2 * pk
        yield e.k_V, (e.k * (e.p - e.k) - pk) / e.V
        yield e.k_1**2, (e.p * e.k / e.V) ** 2 * (1 - cosine**2)
        along = (E**2 * x.m_S**2 - E_S**2 * x.m**2) / (E_S * e.p + E * e.k)
        yield e.Y_V, ((e.p - e.k) * along + pk * (E + E_S)) / e.V
        yield E_S * x.p[1] - E * x.k[1], -e.W * e.k_1


def transfer(xs: list[Point], _: Random) -> Pairs:
    """D35 - D37: momentum transfer and the limits of t."""
    for x in both(xs):
        e, u, M, t = emission_of(x), -x.u, x.M, x.t
        yield x.q[3], -(u / 2 + t / 2 + e.W * x.T) / e.V
        yield x.q2, t + x.T**2
        B_t = 4 * e.V**2 - 2 * u * (1 + e.W / M)
        R = (e.W - u / (2 * M)) ** 2 - x.m_out**2
        yield x.q[1] ** 2 + x.q[2] ** 2, x.q_perp**2
        yield 4 * e.V**2 * x.q_perp**2, -(u**2) + B_t * t - e.C * t**2
        yield e.C, 1 + 2 * e.W / M + (x.m_out**2 - u) / M**2
        yield B_t**2 - 4 * e.C * u**2, 16 * e.V**2 * R
        yield dot(x.p_out, x.P_out), M * e.W - u / 2


def emission_in_doubles(xs: list[Point], _: Random) -> Pairs:
    """D31 - D37: `emission` in double precision."""
    for x in both(xs):
        e, E_S = emission_of(x), x.E_S
        one_minus_cos = 1 - dot3(x.p, x.k) / (e.p * e.k)
        code = emission(*(float(v) for v in (x.E, x.m, x.m_out, x.m_S, x.M, E_S, one_minus_cos)))
        yield [Fraction(v) for v in code[:9]], e[:9]
        yield Fraction(code.C), e.C
        B_t = 4 * e.V**2 - 2 * e.u * (1 + e.W / x.M)
        yield Fraction(code.t_min) * Fraction(code.t_max), e.u**2 / e.C
        yield Fraction(code.t_min) + Fraction(code.t_max), B_t / e.C


def process_of(x: Point, mediator: str) -> Process:
    """A process of the code."""
    return Process(x.m, x.m_out, x.m_S, x.M, x.weights(mediator), form_factor("paper", 74.0, 183.84), False)


def azimuth(xs: list[Point], _: Random) -> Pairs:
    """D38 - D43: N1/s + N2/s^2 against traces, `azimuthal_form` as it stands."""
    for x in both(xs):
        e, c, q_par, slope = emission_of(x), x.c, x.q[3], x.k[3] / x.V
        k_q0, k_q1 = e.k_V * q_par, e.k_1 * x.q_perp
        yield dot3(x.k, x.q), k_q0 + k_q1 * c
        yield dot3(x.p, x.q), (e.V + e.k_V) * q_par + k_q1 * c
        a = e.u * (1 + slope) + x.t * slope + 2 * x.T * (e.W * slope - x.E_S)
        yield x.s, a - 2 * k_q1 * c
        x0, x1 = e.Y_V * q_par, -e.W * k_q1
        y0, y1 = x0 + x.E_S * x.q2 + x.T * k_q0, x1 + x.T * k_q1
        yield (x.X, x.X_out), (x0 + x1 * c, y0 + y1 * c)
        g = []
        lengths = (
            (x.k, x.m_S, e.k, e.k_V, e.k_1),
            (x.p, x.m, e.p, e.V + e.k_V, e.k_1),
            (x.p - x.k, x.m_out, e.V, e.V, 0),
        )
        for v, mass, length, v_V, v_1 in lengths:
            across = v_1 * x.q_perp
            plane = length**2 * x.q_perp**2 + v_1**2 * q_par**2
            g.append(np.array([mass**2 * x.q2 + plane, -2 * v_V * q_par * across, -(across**2)]))
            yield mass**2 * x.q2 + cross2(v, x.q), g[-1] @ [1, c, c * c]
        for mediator in MEDIATORS:
            c_K, c_B, c_f, c_Q, _ = x.weights(mediator)
            products = np.array([x0 * y0, x0 * y1 + x1 * y0, x1 * y1])
            n_1 = 4 * x.M**2 / e.u * (c_K * g[0] + c_B * (g[1] + g[2]) + 2 * c_f * x.q2 * np.array([1, 0, 0]))
            n_2 = 16 * x.M**2 * c_Q / e.u**2 * (x.t * g[0] + 4 * products)
            form = run(azimuthal_form, e, x.E, x.t, x.q_perp, process_of(x, mediator))
            yield (form.s_min + form.b, form.b), (a, 2 * k_q1)
            yield form[2:], [*n_1, *n_2]
            yield (n_1 / x.s + n_2 / x.s**2) @ [1, c, c * c], x.amplitude(mediator, x.P)


def residues(n: int, j: int, b: Any, r: Any) -> Any:
    """Average of cos^n/(a - b cos)^j over the circle, by the residues at z = exp(i phi) = 0 and r."""
    power, far = j - 1 - n, r - 1 / r
    g = (r * r + 1) ** n * r**power / far**j
    if j == 2:
        g *= power / r + 2 * n * r / (r * r + 1) - j / far
    at_zero = {1: 1, 2: j * (r + 1 / r)}.get(-power, 0)
    return Fraction(1, 2**n) * (-2 / b) ** j * (g + at_zero)


def average(xs: list[Point], rng: Random) -> Pairs:
    """D44 - D46: averages against residues, `amplitude_average` as it stands."""
    for power in range(len(xs)):
        rho = Fraction(2) ** power  # has an exact root and inverse in double precision
        r = exact.fraction(rng, 0.05, 0.9)
        a, b = rho * (1 + r**2) / (1 - r**2), 2 * r * rho / (1 - r**2)
        yield rho**2, a**2 - b**2
        yield (a - rho) / b, r
        yield (a - b * r, a), (rho, b * (r + 1 / r) / 2)
        first = [1 / rho, r / rho, (1 + r**2) / (2 * rho)]
        second = [a / rho**3, r * (a + rho) / rho**3, (a + r**2 * (a + 2 * rho)) / (2 * rho**3)]
        expected = [[residues(n, j, b, r) for n in range(3)] for j in (1, 2)]
        yield (first, second), expected
        n = [exact.fraction(rng, -5, 5) for _ in range(6)]
        code = run(amplitude_average, AzimuthalForm(a - b, b, *n))
        yield code, sum(x * y for x, y in zip(n, itertools.chain(*expected), strict=True))


def phase_space(xs: list[Point], _: Random) -> Pairs:
    """D47: phase space of p' and P_f against its invariant form."""
    for x in both(xs):
        e, M = emission_of(x), x.M
        total = x.p - x.k + x.P_in
        s_X = dot(total, total)
        yield s_X, M**2 * e.C
        R = (e.W - e.u / (2 * M)) ** 2 - x.m_out**2
        p2 = (s_X - (M + x.m_out) ** 2) * (s_X - (M - x.m_out) ** 2) / (4 * s_X)
        yield R / (M * e.C) ** 2, p2 / s_X
        # squared, as the roots are not rational: (t_max - t_min)^2 = (sum)^2 - 4 product
        B_t = 4 * e.V**2 - 2 * e.u * (1 + e.W / M)
        width2 = (B_t / e.C) ** 2 - 4 * e.u**2 / e.C
        yield width2 / (16 * M * e.V) ** 2, p2 / (16 * s_X)


def measure(xs: list[Point], _: Random) -> Pairs:
    """D48, D49: `sigma_density` in double precision."""
    for x, mediator in itertools.product(both(xs), MEDIATORS):
        process = process_of(x, mediator)
        form = run(azimuthal_form, emission_of(x), x.E, x.t, x.q_perp, process)
        numbers = [float(v) for v in (x.E, x.m, x.m_out, x.m_S, x.M, x.E_S)]
        e = emission(*numbers, float(1 - dot3(x.p, x.k) / exact.root(dot3(x.p, x.p) * dot3(x.k, x.k))))
        process = process._replace(m=numbers[1], m_out=numbers[2], m_S=numbers[3], M=numbers[4])
        process = process._replace(weights=Weights(*map(float, process.weights)))
        t = float(x.t)
        mean = amplitude_average(AzimuthalForm(*map(float, form)))
        # flux, S, p' and P_f, both azimuths, |M|^2
        flux = 1 / (4 * x.M * e.p)
        boson = math.pi / (2 * e.p) / (2 * math.pi) ** 3
        pair = 2 * math.pi / (8 * x.M * e.V * (2 * math.pi) ** 2)
        square = (4 * math.pi * ALPHA) ** 2 * G2(t, process.ff) / t**2 * mean
        yield sigma_density(numbers[0], process, e, t, t - e.t_min), float(flux * boson * pair * square * GEV2_PB)


def weizsaecker_williams(xs: list[Point], rng: Random) -> Pairs:
    """D50, D51: the limit itself, at E = 1e30."""
    with mp.workdps(300):
        for _ in xs:
            m, m_S, M, x, angle = (mpf(rng.randint(30, 70)) / 100 for _ in range(5))
            E, ratio = mpf(10) ** 30, 1 + mpf(rng.randint(1, 300)) / 100
            E_S = x * E
            p, k, W = mp.sqrt(E**2 - m**2), mp.sqrt(E_S**2 - m_S**2), E - E_S
            cosine = mp.cos(angle / E)
            V = mp.sqrt(p**2 + k**2 - 2 * p * k * cosine)
            u = 2 * (E * E_S - p * k * cosine) - m_S**2
            B_t, C = 4 * V**2 - 2 * u * (1 + W / M), (1 + W / M) ** 2 - V**2 / M**2
            t_min = 2 * u**2 / (B_t + mp.sqrt(B_t**2 - 4 * C * u**2))
            t = ratio * t_min
            T = t / (2 * M)
            q_par = -(u / 2 + t / 2 + W * T) / V
            q_perp = mp.sqrt(t + T**2 - q_par**2)
            k_V, k_1 = (p * k * cosine - k**2) / V, p * k * mp.sin(angle / E) / V
            p_4, k_4 = np.array([E, k_1, 0, V + k_V]), np.array([E_S, k_1, 0, k_V])
            points, turns = [], 12  # a trigonometric polynomial but for terms of b/a = 1e-30
            for i in range(turns):
                phi = 2 * mp.pi * i / turns
                q = np.array([-T, q_perp * mp.cos(phi), q_perp * mp.sin(phi), q_par])
                points.append(Point(m, m, m_S, p_4, p_4 - k_4 + q, k_4, M, q_perp, mp.cos(phi)))
            K, B, f, Q = sum(point.laboratory() for point in points) / turns / (4 * M**2 * (ratio - 1))
            D = m_S**2 * (1 - x) + m**2 * x**2
            yield t_min, (u / (2 * E * (1 - x))) ** 2
            yield K, x**2 / (4 * (1 - x))
            yield B, (2 - 2 * x + x**2) / (4 * (1 - x))
            yield 1 + f, 1
            yield Q, 2 * (u * x - D) / u**2
