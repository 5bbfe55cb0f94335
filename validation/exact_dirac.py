"""The lepton line in fractions: explicit Dirac matrices and rational momenta on their mass shells.

Nothing is rounded, so the two sides of an identity are equal or not. Names and equations are those of
docs/amplitude.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from random import Random
from typing import Any

import numpy as np

from mcgen.physics.emission.mediator import MEDIATORS, Weights


class _Exact(Fraction):
    """A fraction that takes the floats of a kernel, such as 0.5, as fractions too."""


def _exactly(name: str) -> Callable[..., Any]:
    operation = getattr(Fraction, name)
    return lambda self, *others: _Exact(operation(self, *map(Fraction, others)))


for _name in ("add", "sub", "mul", "truediv"):
    setattr(_Exact, f"__{_name}__", _exactly(f"__{_name}__"))
    setattr(_Exact, f"__r{_name}__", _exactly(f"__r{_name}__"))
_Exact.__neg__ = _exactly("__neg__")  # type: ignore[method-assign]


def run(kernel: Any, *arguments: Any) -> Any:
    """A kernel of the package as it stands, but in fractions; not for those that call others."""

    def convert(x: Any, kind: Any, of: tuple[type, ...]) -> Any:
        if isinstance(x, tuple):
            return type(x)(*(convert(y, kind, of) for y in x))
        return kind(x) if isinstance(x, of) and not isinstance(x, bool) else x

    function = getattr(kernel, "py_func", kernel)  # the Python code under the compiled one
    found = function(*(convert(x, _Exact, (int, Fraction)) for x in arguments))
    return convert(found, Fraction, (int, float, Fraction))


# Dirac matrices: 8 x 8 integers, with (0 -1; 1 0) for i. The transpose is the adjoint, and traces are twice as long.
def _gammas() -> list[Any]:
    one, i = np.eye(2, dtype=int), np.array([[0, -1], [1, 0]])
    sigma = [np.kron([[0, 1], [1, 0]], one), np.kron([[0, -1], [1, 0]], i), np.kron([[1, 0], [0, -1]], one)]
    gammas = [np.kron([[1, 0], [0, -1]], np.eye(4, dtype=int)), *(np.kron([[0, 1], [-1, 0]], s) for s in sigma)]
    return [gamma.astype(object) for gamma in gammas]


GAMMA = _gammas()
ONE = np.eye(8, dtype=int).astype(object)
IMAGINARY = np.kron(np.eye(4, dtype=int), [[0, -1], [1, 0]]).astype(object)
GAMMA5 = IMAGINARY @ GAMMA[0] @ GAMMA[1] @ GAMMA[2] @ GAMMA[3]
METRIC = (1, -1, -1, -1)
UNITS = np.eye(4, dtype=int).astype(object)
#: the vertices of S by mediator (D1)
VERTICES = {
    "scalar": [ONE],
    "pseudoscalar": [IMAGINARY @ GAMMA5],
    "vector": GAMMA,
    "axial": [gamma @ GAMMA5 for gamma in GAMMA],
}


def times(*matrices: Any) -> Any:
    """Product of matrices of fractions, in integers over one denominator: ten times as fast."""
    denominator, product = 1, None
    for matrix in matrices:
        common = math.lcm(*(x.denominator for x in matrix.flat))
        integers = np.array([[x.numerator * (common // x.denominator) for x in row] for row in matrix], dtype=object)
        denominator *= common
        product = integers if product is None else product @ integers
    return product * Fraction(1, denominator)


def half_trace(*matrices: Any) -> Any:
    """Half the trace of a product of Dirac matrices, real part."""
    return np.trace(times(*matrices)) / 4


def slash(a: Any) -> Any:
    """gamma^mu a_mu."""
    return contract(a, GAMMA)


def contract(a: Any, b: Any) -> Any:
    """a^mu b_mu, of matrices too."""
    return sum(g * x * y for g, x, y in zip(METRIC, a, b, strict=True))


def minus_metric(squares: Iterable[Any]) -> Any:
    """Sum over polarisations with -g_mu nu: the squares belong to the four components of a vector."""
    return -sum(g * square for g, square in zip(METRIC, squares, strict=True))


def bar(matrix: Any) -> Any:
    """gamma^0 M^dagger gamma^0."""
    return GAMMA[0] @ matrix.T @ GAMMA[0]


def dot(a: Any, b: Any) -> Any:
    """Product of two four-vectors."""
    return contract(a, b)


def dot3(a: Any, b: Any) -> Any:
    """Product of the three-vectors of two four-vectors."""
    return sum(x * y for x, y in zip(a[1:], b[1:], strict=True))


def cross2(a: Any, b: Any) -> Any:
    """Square of the vector product of the three-vectors of two four-vectors."""
    return dot3(a, a) * dot3(b, b) - dot3(a, b) ** 2


def root(x: Fraction) -> Fraction:
    """Square root of a fraction that has one."""
    found = Fraction(math.isqrt(x.numerator), math.isqrt(x.denominator))
    if found * found != x:
        message = f"{x} is no square"
        raise ValueError(message)
    return found


@dataclass
class Line:
    """The lepton line l(p) + photon(q) -> l(p') + S(k), with masses m and m_out of the leptons."""

    m: Any
    m_out: Any
    m_S: Any
    p: Any
    p_out: Any
    k: Any

    def __post_init__(self) -> None:
        self.q = self.p_out + self.k - self.p
        self.t = -dot(self.q, self.q)
        self.s = dot(self.p_out + self.k, self.p_out + self.k) - self.m**2
        self.u = dot(self.p - self.k, self.p - self.k) - self.m_out**2
        self.J = (2 * self.p + self.q) / self.s + (2 * self.p_out - self.q) / self.u  # (D9)
        # sums over the spins of the leptons
        self.before = slash(self.p) + self.m * ONE
        self.after = slash(self.p_out) + self.m_out * ONE

    def vertex(self, gamma: Any, a: Any) -> Any:
        """a.L of (D3) without the spinors."""
        photon = slash(a)
        first = times(gamma, (slash(self.p_out + self.k) + self.m * ONE) / self.s, photon)
        return first + times(photon, (slash(self.p - self.k) + self.m_out * ONE) / self.u, gamma)

    def between(self, matrix: Any) -> Any:
        """A matrix between the spinors: zero if it vanishes there."""
        return times(self.after, matrix, self.before)

    def square(self, gamma: Any, a: Any) -> Any:
        """(1/2) sum over spins of |a.L|^2."""
        vertex = self.vertex(gamma, a)
        return half_trace(self.after, vertex, self.before, bar(vertex))

    def amplitude(self, mediator: str, P: Any) -> Any:
        """A of (D4), polarisations summed with -g + k k/m_S^2."""
        vertices = VERTICES[mediator]
        if len(vertices) == 1:
            return self.square(vertices[0], P)
        longitudinal = self.square(contract(self.k, vertices), P) / self.m_S**2
        return longitudinal + minus_metric(self.square(vertex, P) for vertex in vertices)

    def force(self, v: Any, P: Any) -> Any:
        """w_v of (D10)."""
        return self.q * dot(P, v) - P * dot(self.q, v)

    def structures(self, P: Any) -> Any:
        """(K, B, f, Q) of (D10) and (D12), for any P."""
        k2, p2, p_out2 = (dot(w, w) for w in (self.force(v, P) for v in (self.k, self.p, self.p_out)))
        half_F2 = dot(self.q, self.q) * dot(P, P) - dot(P, self.q) ** 2
        su = self.s * self.u
        Q = dot(P, self.J) ** 2 + half_F2 * ((self.s + self.u) / su) ** 2
        return np.array([k2 / su, (p2 + p_out2) / su, 2 * half_F2 / su, Q])

    def weights(self, mediator: str) -> Weights:
        """Those of the code."""
        return run(MEDIATORS[mediator], self.m, self.m_out, self.m_S)


@dataclass
class Point(Line):
    """A point in the laboratory: V along the third axis, k in the plane of the first and third."""

    M: Any
    q_perp: Any
    c: Any  #: cos(phi_q)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.P_in = np.array([self.M, 0, 0, 0])
        self.P_out = self.P_in - self.q
        self.P = self.P_in + self.P_out
        self.T = self.t / (2 * self.M)
        self.q2 = dot3(self.q, self.q)
        self.E, self.E_S = self.p[0], self.k[0]
        self.W = self.E - self.E_S
        self.V = self.p[3] - self.k[3]
        # (D29)
        self.X = self.E_S * dot3(self.q, self.p) - self.E * dot3(self.q, self.k)
        self.X_out = self.X + self.E_S * self.q2 + self.T * dot3(self.k, self.q)

    def laboratory(self) -> Any:
        """(K, B, f, Q) of (D26), (D27) and (D30)."""
        G, G_p, G_out = (dot(v, v) * self.q2 + cross2(v, self.q) for v in (self.k, self.p, self.p_out))
        su, M2 = -self.s * self.u, self.M**2
        Q = 16 * M2 * (self.t * G + 4 * self.X * self.X_out) / su**2
        return np.array([4 * M2 * G / su, 4 * M2 * (G_p + G_out) / su, 8 * M2 * self.q2 / su, Q])


def fraction(rng: Random, low: float, high: float) -> Fraction:
    """A random fraction between two numbers."""
    denominator = rng.randint(50, 150)
    return Fraction(rng.randint(math.ceil(low * denominator), math.floor(high * denominator)), denominator)


def any_vector(rng: Random) -> Any:
    """A random four-vector."""
    return np.array([fraction(rng, -3, 3) for _ in range(4)])


def shell(mass: Any, h: Any) -> tuple[Any, Any]:
    """Energy and momentum of a mass with the rapidity log(h)."""
    return mass * (h + 1 / h) / 2, mass * (h - 1 / h) / 2


def angle(h: Any) -> tuple[Any, Any]:
    """Cosine and sine of an angle; h is the tangent of its half."""
    return (1 - h * h) / (1 + h * h), 2 * h / (1 + h * h)


@lru_cache
def points(n: int = 3, seed: int = 1, change: bool = False) -> list[Point]:
    """Points inside phase space with rational p, k, V, q_perp, cos(phi_q) and masses; `change`: m' is not m."""
    rng, found = Random(seed), []
    while len(found) < n:
        m = fraction(rng, 0.5, 2)
        m_out = fraction(rng, 0.5, 2) if change else m
        E, p = shell(m, fraction(rng, 5, 30))
        # a triangle of rational sides p, k, V: tangents of half of the angles of p and k with V
        (p_cos, p_sin), (k_cos, k_sin) = (angle(fraction(rng, *limits)) for limits in ((0.01, 0.2), (0.02, 0.7)))
        k_1, p_V = p * p_sin, p * p_cos
        k_V = k_1 * k_cos / k_sin
        h = fraction(rng, 1.2, 20)
        m_S = 2 * (k_1 / k_sin) / (h - 1 / h)
        E_S = shell(m_S, h)[0]
        E_out, p_out = shell(m_out, fraction(rng, 1.1, 30))
        out_cos, out_sin = angle(fraction(rng, 0.02, 0.9))
        # the nucleus takes what is left, and its mass follows
        T, q_perp = E - E_S - E_out, p_out * out_sin
        t = (p_out * out_cos - (p_V - k_V)) ** 2 + q_perp**2 - T**2
        if T <= 0 or t <= 0 or p_V <= k_V or m_out + m_S <= m:
            continue
        c, sine = angle(fraction(rng, 0.1, 3))
        zero = Fraction(0)
        momenta = (
            np.array([E, k_1, zero, p_V]),
            np.array([E_out, q_perp * c, q_perp * sine, p_out * out_cos]),
            np.array([E_S, k_1, zero, k_V]),
        )
        found.append(Point(m, m_out, m_S, *momenta, t / (2 * T), q_perp, c))
    return found


@lru_cache
def compton(n: int = 3, seed: int = 1, change: bool = False) -> list[Line]:
    """Lines with a real photon, q^2 = 0, and rational masses; `change`: m' is not m."""
    rng, found = Random(seed), []
    while len(found) < n:
        m, m_S = fraction(rng, 0.5, 2), fraction(rng, 0.5, 2)
        m_out = fraction(rng, 0.5, 2) if change else m
        legs = []
        for mass in (m_out, m_S):
            energy, momentum = shell(mass, fraction(rng, 1.1, 5))
            cosine, sine = angle(fraction(rng, 0.1, 3))
            legs.append(np.array([energy, momentum * sine, Fraction(0), momentum * cosine]))
        total = legs[0] + legs[1]
        cosine, sine = angle(fraction(rng, 0.1, 3))
        light = np.array([Fraction(1), Fraction(0), sine, cosine])
        # p' + k - q is on the shell of m for this length of q
        q = light * ((dot(total, total) - m**2) / (2 * dot(total, light)))
        found.append(Line(m, m_out, m_S, total - q, *legs))
    return found
