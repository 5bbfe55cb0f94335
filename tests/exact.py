"""Kinematics and amplitude of l N -> l' N S with 60 digits, from four-vectors: what the fast kernels are compared to.

Momenta come from the mass shells, A from the scalar products of its definition; no line is written to avoid a
cancellation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mpmath import mp, mpf, sqrt

mp.dps = 60


def dot(a, b):
    """Product of two four-vectors (E, px, py, pz)."""
    return a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3]


def add(a, b, sign=1):
    """a + sign * b."""
    return tuple(x + sign * y for x, y in zip(a, b, strict=True))


@dataclass
class Point:
    """Four-momenta (E, px, py, pz) and limits of t of one point of phase space."""

    p: tuple
    k: tuple
    p_out: tuple
    P_in: tuple
    P_out: tuple
    t_min: mpf
    t_max: mpf


def point(E, m, m_S, M, E_S, one_minus_cos_theta, t_minus_tmin, phi_q, m_out=None) -> Point:
    """The point with these coordinates, taken as exact: beam along z, S in the x-z plane, target at rest."""
    m_out = m if m_out is None else m_out
    E, m, m_out, m_S, M, E_S, one_minus_cos_theta, t_minus_tmin, phi_q = (
        mpf(v) for v in (E, m, m_out, m_S, M, E_S, one_minus_cos_theta, t_minus_tmin, phi_q)
    )
    cosine = 1 - one_minus_cos_theta
    sine = sqrt(1 - cosine**2)
    momentum = sqrt(E_S**2 - m_S**2)
    p = (E, mpf(0), mpf(0), sqrt(E**2 - m**2))
    k = (E_S, momentum * sine, mpf(0), momentum * cosine)
    W, *V = add(p, k, -1)
    V2 = sum(v * v for v in V)
    u = dot(add(p, k, -1), add(p, k, -1)) - m_out**2
    # the outgoing lepton is on its shell: q_par = (u/2 - t/2 - t W/2M)/V, and |q_par| <= |q|
    a = (1 + W / M) / 2
    A2, A1, A0 = a**2 - V2 / (4 * M**2), -(V2 + u * a), u**2 / 4
    root = sqrt(A1**2 - 4 * A2 * A0)
    t_min, t_max = (-A1 - root) / (2 * A2), (-A1 + root) / (2 * A2)
    t = t_min + t_minus_tmin
    q2 = t + (t / (2 * M)) ** 2
    q_par = (u / 2 - a * t) / sqrt(V2)
    q_perp = sqrt(max(mpf(0), q2 - q_par**2))
    along = [v / sqrt(V2) for v in V]
    k_along = sum(x * y for x, y in zip(k[1:], along, strict=True))
    across = [x - k_along * y for x, y in zip(k[1:], along, strict=True)]
    length = sqrt(sum(v * v for v in across))
    across = [v / length for v in across] if length > 0 else [mpf(1), mpf(0), mpf(0)]
    q = [q_par * along[i] + q_perp * mp.cos(phi_q) * across[i] for i in range(3)]
    q[1] += q_perp * mp.sin(phi_q)
    q = (-t / (2 * M), *q)
    P_in = (M, mpf(0), mpf(0), mpf(0))
    return Point(p, k, add(add(p, k, -1), q), P_in, add(P_in, q, -1), t_min, t_max)


def amplitude(x: Point):
    """A in GeV^2, from the invariants."""
    m2, mS2 = dot(x.p, x.p), dot(x.k, x.k)
    P, q2 = add(x.P_in, x.P_out), dot(add(x.P_in, x.P_out, -1), add(x.P_in, x.P_out, -1))
    s = dot(add(x.p_out, x.k), add(x.p_out, x.k)) - m2
    u = dot(add(x.p, x.k, -1), add(x.p, x.k, -1)) - m2
    P2 = dot(P, P)
    emission = ((s + u) ** 2 * P2 + 4 * q2 * dot(P, x.k) ** 2) / (s * u)
    mass = P2 * q2 * (s + u) ** 2 + 4 * (u * dot(P, x.p) + s * dot(P, x.p_out)) ** 2
    return emission + (4 * m2 - mS2) / (s * u) ** 2 * mass


def structures(x: Point):
    """The structures (K, B, f, Q) of A from three-vectors in the laboratory, as `physics.emission.mediator` has them.

    Only their definition is used: `dirac` says that it is right.
    """

    def product(a, b):
        return sum(v * w for v, w in zip(a[1:], b[1:], strict=True))

    def across(a, b):
        return product(a, a) * product(b, b) - product(a, b) ** 2

    E, E_S, M = x.p[0], x.k[0], x.P_in[0]
    q = add(x.P_in, x.P_out, -1)
    m2, m_out2, mS2, t, q2 = dot(x.p, x.p), dot(x.p_out, x.p_out), dot(x.k, x.k), -dot(q, q), product(q, q)
    s = dot(add(x.p_out, x.k), add(x.p_out, x.k)) - m2
    u = m_out2 - dot(add(x.p, x.k, -1), add(x.p, x.k, -1))
    G = mS2 * q2 + across(x.k, q)
    G_p = (m2 + m_out2) * q2 + across(x.p, q) + across(add(x.p, x.k, -1), q)
    X = E_S * product(q, x.p) - E * product(q, x.k)
    X_out = X + E_S * q2 + t / (2 * M) * product(x.k, q)
    return (
        4 * M**2 * G / (s * u), 4 * M**2 * G_p / (s * u), 8 * M**2 * q2 / (s * u),
        16 * M**2 * (t * G + 4 * X * X_out) / (s * u) ** 2,
    )  # fmt: skip


def _gammas():
    pauli = [[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]]
    first = np.kron([[1, 0], [0, -1]], np.eye(2))
    rest = [np.kron([[0, 1], [-1, 0]], sigma) for sigma in pauli]
    return [np.vectorize(mp.mpmathify, otypes=[object])(gamma) for gamma in (first, *rest)]


GAMMA = _gammas()
GAMMA5 = 1j * GAMMA[0] @ GAMMA[1] @ GAMMA[2] @ GAMMA[3]
ONE = GAMMA[0] @ GAMMA[0]


def slash(a):
    """gamma^mu a_mu."""
    return a[0] * GAMMA[0] - sum(a[i] * GAMMA[i] for i in (1, 2, 3))


def _current(x: Point, vertex, a):
    """a.J between spinors, the boson leaving by `vertex` before or after the photon."""
    m, m_out = sqrt(dot(x.p, x.p)), sqrt(dot(x.p_out, x.p_out))
    after, before = add(x.p_out, x.k), add(x.p, x.k, -1)
    s, u = dot(after, after) - m**2, dot(before, before) - m_out**2
    photon = slash(a)
    return vertex @ (slash(after) + m * ONE) @ photon / s + photon @ (slash(before) + m_out * ONE) @ vertex / u


def _product(x: Point, M, other):
    """(1/2) sum over spins of two currents, the second one conjugated."""
    m, m_out = sqrt(dot(x.p, x.p)), sqrt(dot(x.p_out, x.p_out))
    bar = GAMMA[0] @ np.vectorize(mp.conj, otypes=[object])(other.T) @ GAMMA[0]
    return np.trace((slash(x.p_out) + m_out * ONE) @ M @ (slash(x.p) + m * ONE) @ bar) / 2


def _spin_sum(x: Point, vertex, a):
    """(1/2) sum over spins of |a.J|^2."""
    M = _current(x, vertex, a)
    return _product(x, M, M)


def helicity_frame(x: Point):
    """Polarisations of the boson along x', y' and z': z' along k, y' along p x k, which is y here."""
    E_S, *k = x.k
    momentum = sqrt(sum(v * v for v in k))
    n = [v / momentum for v in k]
    m_S = sqrt(dot(x.k, x.k))
    zero = mpf(0)
    return (zero, n[2], zero, -n[0]), (zero, zero, mpf(1), zero), (momentum / m_S, *(E_S * v / m_S for v in n))


def spin_density(x: Point, mediator: str):
    """(T_xx, T_yy, T_zz, T_xy, T_xz, T_yz) in GeV^2 by explicit Dirac matrices."""
    P = add(x.P_in, x.P_out)
    chiral = ONE if mediator == "vector" else GAMMA5
    M = [_current(x, slash(e) @ chiral, P) for e in helicity_frame(x)]
    found = [_product(x, M[i], M[j]) for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))]
    assert all(abs(T.imag) < mpf(10) ** -25 * sum(T.real for T in found[:3]) for T in found)
    return [T.real for T in found]


def dirac(x: Point, mediator: str, a=None):
    """A in GeV^2 by explicit Dirac matrices and the polarisation sum -g + k k/m_S^2; a replaces P_i + P_f."""
    mS = sqrt(dot(x.k, x.k))
    a = add(x.P_in, x.P_out) if a is None else a
    if mediator in ("scalar", "pseudoscalar"):
        return _spin_sum(x, ONE if mediator == "scalar" else 1j * GAMMA5, a).real
    chiral = ONE if mediator == "vector" else GAMMA5
    total = _spin_sum(x, slash(x.k) @ chiral, a) / mS**2
    for i, sign in enumerate((-1, 1, 1, 1)):
        total += sign * _spin_sum(x, GAMMA[i] @ chiral, a)
    return total.real
