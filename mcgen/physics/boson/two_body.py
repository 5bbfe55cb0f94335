"""Decay of the scalar into two particles, isotropic in its rest frame."""

from __future__ import annotations

import math

from mcgen.base.jit import jit
from mcgen.physics.emission.four_momenta import Momenta


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
        Direction of the first daughter in the rest frame, about the flight of S.
    """
    px, py, pz, E = S
    E_1 = 0.5 * m_S + 0.5 * (m_1 - m_2) * (m_1 + m_2) / m_S  # of the first daughter in the rest frame
    q = math.sqrt(max(0.0, (E_1 - m_1) * (E_1 + m_1)))
    k = math.sqrt(px * px + py * py + pz * pz)
    along = (k * E_1 + E * q * cos_theta) / m_S
    across = q * math.sqrt((1.0 - cos_theta) * (1.0 + cos_theta))
    # two unit vectors across the flight; a scalar at rest takes the z axis
    if k > 0.0:
        n_x, n_y, n_z = px / k, py / k, pz / k
    else:
        n_x, n_y, n_z = 0.0, 0.0, 1.0
    sign = 1.0 if n_z >= 0.0 else -1.0
    a = -1.0 / (sign + n_z)
    b = n_x * n_y * a
    u, v = across * math.cos(phi), across * math.sin(phi)
    first_x = along * n_x + u * (1.0 + sign * n_x * n_x * a) + v * b
    first_y = along * n_y + u * sign * b + v * (sign + n_y * n_y * a)
    first_z = along * n_z - u * sign * n_x - v * n_y
    energy = (E * E_1 + k * q * cos_theta) / m_S
    return (first_x, first_y, first_z, energy), (px - first_x, py - first_y, pz - first_z, E - energy)
