"""Spin density of a radiated vector or axial vector, before it decays: T_ij = (1/2) sum over spins of M_i M_j.

M_i is the amplitude of l N -> l N X on a nucleus of spin 0, X linearly polarised along an axis of its helicity frame:
z' along its flight in the laboratory, y' along p x k, x' = y' x z'. T is real and symmetric, and its trace is A of
`mcgen.physics.emission.amplitude`. docs/polarisation.md derives what is below.

The amplitudes are those of Weyl spinors, for both spins of the outgoing lepton and one of the beam lepton; parity gives
the others. Vectors have light-cone components in a frame that moves along the beam, where all of them are of the order
of the masses. Two shifts that change nothing remove large numbers that cancel: the current of the nucleus becomes N
with N.p = 0, and the longitudinal polarisation loses k/m_X. An axial vector is a vector whose outgoing lepton has a
mass of the other sign, for gamma5 u is a spinor of mass -m.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from mcgen.base.jit import jit
from mcgen.physics.emission.amplitude import Process, transverse_momentum
from mcgen.physics.emission.kinematics import Emission, emission

#: T_xx, T_yy, T_zz, T_xy, T_xz, T_yz in GeV^2
Tensor = tuple[float, float, float, float, float, float]


class LightCone(NamedTuple):
    """A four-vector: (a0 + a3)/L, (a0 - a3) L, a1, a2."""

    plus: float
    minus: float
    x: float
    y: float


class Scattering(NamedTuple):
    """The momenta of one point of phase space in units of GeV, and the invariants of its propagators."""

    p: LightCone
    k: LightCone
    out: LightCone
    N: LightCone  #: current of the nucleus over p.q, N.p = 0
    q_x: float
    q_y: float
    q_z: float
    recoil: float  #: kinetic energy of the nucleus
    L: float  #: of the light-cone components
    s: float
    u: float  #: negative
    both: float  #: 1/s + 1/u


class Axis(NamedTuple):
    """A polarisation e of X: shifted by a multiple of k, and not."""

    e: LightCone
    true: LightCone
    p_k: float  #: (2 p - k).e
    q: float  #: q.e
    flip: float  #: what the shift takes off (2 p - k).e: (m_out^2 - m^2)/m_S of a shift by k/m_S


@jit
def _dot(a: LightCone, b: LightCone) -> float:
    return 0.5 * (a.plus * b.minus + a.minus * b.plus) - a.x * b.x - a.y * b.y


@jit
def _minor(a: float, b: float, c: float, d: float, e: float, f: float, g: float, h: float, i: float) -> float:
    """Determinant of three rows."""
    return a * (e * i - f * h) + b * (f * g - d * i) + c * (d * h - e * g)


@jit
def _dual(a: LightCone, b: LightCone, c: LightCone) -> LightCone:
    """The vector D with D.v = -2 det(a, b, c, v) of light-cone components, that is det of (0, 1, 2, 3)."""
    return LightCone(
        _minor(a.plus, a.x, a.y, b.plus, b.x, b.y, c.plus, c.x, c.y),
        -_minor(a.minus, a.x, a.y, b.minus, b.x, b.y, c.minus, c.x, c.y),
        0.5 * _minor(a.plus, a.minus, a.y, b.plus, b.minus, b.y, c.plus, c.minus, c.y),
        -0.5 * _minor(a.plus, a.minus, a.x, b.plus, b.minus, b.x, c.plus, c.minus, c.x),
    )


@jit
def _on_shell(mass: float, E: float, x: float, y: float, z: float, L: float) -> LightCone:
    """Components of a momentum, neither of them a difference."""
    across = mass * mass + x * x + y * y
    plus = E + z if z > 0.0 else across / (E - z)
    return LightCone(plus / L, across / plus * L, x, y)


@jit
def _scattering(
    e: Emission, E: float, m: float, m_out: float, m_S: float, M: float, E_S: float, one_minus_cos_theta: float,
    t: float, q_perp: float, cos_phi: float, sin_phi: float,
) -> Scattering:  # fmt: skip
    """Momenta as in `four_momenta`, the beam along z and X in the x-z plane."""
    L = (E + e.p) / max(m, m_S)
    recoil = 0.5 * t / M
    k_x = e.k * math.sqrt(one_minus_cos_theta * (2.0 - one_minus_cos_theta))
    p = _on_shell(m, E, 0.0, 0.0, e.p, L)
    k = _on_shell(m_S, E_S, k_x, 0.0, e.k * (1.0 - one_minus_cos_theta), L)
    V_z = e.V * (e.V + e.k_V) / e.p
    q_par = -(0.5 * e.u + 0.5 * t + recoil * e.W) * e.per_V
    q_1 = q_perp * cos_phi
    q_x = (q_1 * V_z - q_par * k_x) * e.per_V
    q_y = q_perp * sin_phi
    q_z = (q_par * V_z + q_1 * k_x) * e.per_V
    out = _on_shell(m_out, e.W - recoil, q_x - k_x, q_y, V_z + q_z, L)
    # 2 p'.k of two momenta on their shells, a sum of what is positive
    x = out.plus * k.x - k.plus * out.x
    y = k.plus * out.y
    to_k = out.plus / k.plus
    p_k = m_S * m_S * to_k + m_out * m_out / to_k + (x * x + y * y) / (k.plus * out.plus)
    s = m_S * m_S + (m_out - m) * (m_out + m) + p_k
    scale = -4.0 * M / (s + t)  # -2 M/(p.q)
    N = LightCone(scale * p.plus * q_z, -scale * p.minus * q_z, scale * E * q_x, scale * E * q_y)
    q_k = -(recoil * E_S + e.k_V * q_par + e.k_1 * q_1)
    return Scattering(p, k, out, N, q_x, q_y, q_z, recoil, L, s, -e.u, -2.0 * q_k / (s * e.u))


@jit
def _axes(
    c: Scattering, e: Emission, E: float, m_S: float, E_S: float, one_minus_cos_theta: float
) -> tuple[Axis, Axis, Axis]:
    """Polarisations along x', y' and z'."""
    sine = math.sqrt(one_minus_cos_theta * (2.0 - one_minus_cos_theta))
    cosine = 1.0 - one_minus_cos_theta
    x = LightCone(-sine / c.L, sine * c.L, cosine, 0.0)
    y = LightCone(0.0, 0.0, 0.0, 1.0)
    f = m_S / (E_S + e.k)
    z = LightCone(-f * one_minus_cos_theta / c.L, -f * (1.0 + cosine) * c.L, f * sine, 0.0)
    minus = E_S / m_S * one_minus_cos_theta - f  # k - E_S cos(theta)
    true = LightCone((e.k + E_S * cosine) / (m_S * c.L), minus * c.L, E_S / m_S * sine, 0.0)
    along = c.q_x * sine + c.q_z * cosine
    return (
        Axis(x, x, 2.0 * e.p * sine, c.q_z * sine - c.q_x * cosine, 0.0),
        Axis(y, y, 0.0, -c.q_y, 0.0),
        Axis(z, true, m_S - 2.0 * f * (E + e.p * cosine), f * (c.recoil - along), 1.0 / m_S),
    )


@jit
def _amplitudes(c: Scattering, a: Axis, m: float, m_out: float) -> tuple[complex, complex]:
    """Of a polarisation: a beam lepton of spin up, an outgoing one of spin up and down."""
    J = c.both * (a.p_k - a.flip * (m_out - m) * (m_out + m)) + 2.0 / c.s * a.q
    apart = 1.0 / c.u - 1.0 / c.s
    to_N = apart * _dot(c.N, a.e)
    to_k = apart * _dot(c.N, c.k)
    d = _dual(a.e, c.k, c.N)
    plus = complex(J * c.N.plus + to_N * c.k.plus - to_k * a.e.plus, -c.both * d.plus)  # of the left-handed
    minus = complex(J * c.N.minus + to_N * c.k.minus - to_k * a.e.minus, c.both * d.minus)  # of the right-handed
    V = complex(J * c.N.x + to_N * c.k.x - to_k * a.e.x, J * c.N.y + to_N * c.k.y - to_k * a.e.y)
    D = c.both * complex(d.x, d.y)
    # what changes the helicity: [e n/s - n e/u](m - m_out) of slashed vectors
    change = m - m_out
    n, e = complex(c.N.x, c.N.y), complex(a.true.x, a.true.y)
    S = -change * apart * _dot(a.true, c.N)
    R = change * c.both
    half = 0.5 * (a.true.minus * c.N.plus - a.true.plus * c.N.minus)
    turn = e.real * n.imag - e.imag * n.real
    b = math.sqrt(c.p.plus)
    small = m / b
    right_0 = b * minus + small * (S + R * complex(half, -turn))
    right_1 = -b * (V + 1j * D) + small * (R * (a.true.plus * n - c.N.plus * e))
    left_0 = small * plus + b * (S - R * complex(half, turn))
    left_1 = small * (V - 1j * D) + b * (R * (c.N.minus * e - a.true.minus * n))
    g = math.sqrt(c.out.plus)
    z = complex(c.out.x / g, c.out.y / g)
    h = m_out / g
    return g * right_0 + z.conjugate() * right_1 + h * left_0, h * right_1 - z * left_0 + g * left_1


@jit
def _product(a: tuple[complex, complex], b: tuple[complex, complex]) -> float:
    return a[0].real * b[0].real + a[0].imag * b[0].imag + a[1].real * b[1].real + a[1].imag * b[1].imag


@jit
def spin_tensor(
    e: Emission, E: float, m: float, m_out: float, m_S: float, M: float, E_S: float, one_minus_cos_theta: float,
    t: float, q_perp: float, cos_phi: float, sin_phi: float,
) -> Tensor:  # fmt: skip
    """T in GeV^2 at a point that is given by the momentum transfer across V.

    Parameters
    ----------
    e : Emission
        Kinematics at E, E_S, theta_S.
    E, m, m_out, m_S, M : float
        Total beam energy, mass of the lepton before and after, of X and of the nucleus in GeV; for an axial vector the
        mass of the outgoing lepton is negative.
    E_S, one_minus_cos_theta : float
        Energy of X in GeV and 1 - cos of its polar angle.
    t, q_perp : float
        Momentum transfer squared in GeV^2 and its component across V = p - k in GeV.
    cos_phi, sin_phi : float
        Of the azimuth of q about V, from the side of k.
    """
    c = _scattering(e, E, m, m_out, m_S, M, E_S, one_minus_cos_theta, t, q_perp, cos_phi, sin_phi)
    along_x, along_y, along_z = _axes(c, e, E, m_S, E_S, one_minus_cos_theta)
    x = _amplitudes(c, along_x, m, m_out)
    y = _amplitudes(c, along_y, m, m_out)
    z = _amplitudes(c, along_z, m, m_out)
    return _product(x, x), _product(y, y), _product(z, z), _product(x, y), _product(x, z), _product(y, z)


@jit
def signed_mass(process: Process) -> float:
    """Mass of the outgoing lepton in GeV, negative for an axial vector."""
    return process.m_out if process.weights.even > 0.0 else -process.m_out


@jit
def spin_density_between(
    E: float, m: float, m_out: float, m_S: float, M: float, E_S: float, one_minus_cos_theta: float,
    t_minus_tmin: float, phi_q: float,
) -> Tensor:  # fmt: skip
    """`spin_density` where the lepton changes its mass.

    Parameters
    ----------
    E, m, m_out, m_S, M : float
        As in `spin_tensor`: the mass of the outgoing lepton is negative for an axial vector.
    E_S, one_minus_cos_theta, t_minus_tmin, phi_q : float
        The point, as in `spin_density`.
    """
    e = emission(E, m, abs(m_out), m_S, M, E_S, one_minus_cos_theta)
    t = e.t_min + t_minus_tmin
    q_perp = transverse_momentum(e, t, t_minus_tmin)
    return spin_tensor(e, E, m, m_out, m_S, M, E_S, one_minus_cos_theta, t, q_perp, math.cos(phi_q), math.sin(phi_q))


@jit
def spin_density(
    E: float, m: float, m_S: float, M: float, E_S: float, one_minus_cos_theta: float, t_minus_tmin: float,
    phi_q: float, axial: bool = False,
) -> Tensor:  # fmt: skip
    """(T_xx, T_yy, T_zz, T_xy, T_xz, T_yz) of a vector in GeV^2, in its helicity frame; their trace is A.

    Parameters
    ----------
    E, m, m_S, M : float
        Total beam energy, lepton, boson and nuclear mass in GeV.
    E_S, one_minus_cos_theta : float
        Energy of the boson in GeV and 1 - cos of its polar angle.
    t_minus_tmin : float
        t - t_min in GeV^2.
    phi_q : float
        Azimuth of q about V = p - k, from the side of k, in rad.
    axial : bool
        Of an axial vector.
    """
    m_out = -m if axial else m
    return spin_density_between(E, m, m_out, m_S, M, E_S, one_minus_cos_theta, t_minus_tmin, phi_q)
