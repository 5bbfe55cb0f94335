"""Decay of the boson into two particles: laboratory momenta from a direction in its rest frame."""

from __future__ import annotations

import math

from mcgen.base.jit import jit
from mcgen.physics.emission.four_momenta import Momenta

Axis = tuple[float, float, float]


@jit
def frame(px: float, py: float, pz: float, k: float) -> tuple[Axis, Axis, Axis]:
    """The flight of a momentum of size k and two unit vectors across it; at rest it is the z axis."""
    n_x, n_y, n_z = (px / k, py / k, pz / k) if k > 0.0 else (0.0, 0.0, 1.0)
    sign = 1.0 if n_z >= 0.0 else -1.0
    a = -1.0 / (sign + n_z)
    b = n_x * n_y * a
    return (n_x, n_y, n_z), (1.0 + sign * n_x * n_x * a, sign * b, -sign * n_x), (b, sign + n_y * n_y * a, -n_y)


@jit
def daughters(S: Momenta, m_S: float, m_1: float, m_2: float, cos_theta: float, phi: float) -> tuple[Momenta, Momenta]:
    """Laboratory four-momenta (px, py, pz, E) in GeV of both daughters.

    Parameters
    ----------
    S : tuple of float
        Four-momentum of the scalar.
    m_S, m_1, m_2 : float
        Masses of the scalar and of each daughter, m_1 + m_2 < m_S.
    cos_theta, phi : float
        Direction of the first daughter in the rest frame, about the flight of S; phi on the axes of `frame`.
    """
    px, py, pz, E = S
    E_1 = 0.5 * m_S + 0.5 * (m_1 - m_2) * (m_1 + m_2) / m_S  # of the first daughter in the rest frame
    q = math.sqrt(max(0.0, (E_1 - m_1) * (E_1 + m_1)))
    k = math.sqrt(px * px + py * py + pz * pz)
    along = (k * E_1 + E * q * cos_theta) / m_S
    across = q * math.sqrt((1.0 - cos_theta) * (1.0 + cos_theta))
    n, x, y = frame(px, py, pz, k)
    u, v = across * math.cos(phi), across * math.sin(phi)
    first_x = along * n[0] + u * x[0] + v * y[0]
    first_y = along * n[1] + u * x[1] + v * y[1]
    first_z = along * n[2] + u * x[2] + v * y[2]
    energy = (E * E_1 + k * q * cos_theta) / m_S
    return (first_x, first_y, first_z, energy), (px - first_x, py - first_y, pz - first_z, E - energy)
