"""The point of phase space of an event from its three-momenta, without cancellations.

The balance of energy is not used: in it the rounding errors of an event are larger by (E/q)^2.
"""

from __future__ import annotations

import math

from mcgen.base.jit import jit

Vector = tuple[float, float, float]


@jit
def cross(a: Vector, b: Vector) -> Vector:
    """The vector product."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@jit
def event_point(
    E: float, m: float, m_S: float, p: Vector, k: Vector, N: Vector, E_S: float
) -> tuple[float, float, float]:
    """The point of phase space of an event, from its three-momenta; the beam may have any direction.

    Parameters
    ----------
    E, m, m_S : float
        Total beam energy, lepton and boson mass in GeV.
    p, k, N : (float, float, float)
        Three-momenta of the beam lepton, S and the recoiling nucleus in GeV.
    E_S : float
        Energy of S in GeV.

    Returns
    -------
    one_minus_cos_theta : float
        1 - cos of the angle between S and the beam.
    q_perp : float
        Component of q = -N across V = p - k in GeV.
    phi_q : float
        Azimuth of q about V, from the side of k, in rad.
    """
    n_x, n_y, n_z = cross(p, k)
    norm = math.sqrt(n_x * n_x + n_y * n_y + n_z * n_z)
    pk = math.sqrt((E - m) * (E + m) * (E_S - m_S) * (E_S + m_S))
    along = p[0] * k[0] + p[1] * k[1] + p[2] * k[2]
    one_minus_cos_theta = norm * norm / (pk * (pk + along)) if along > 0.0 else 1.0 - along / pk
    if norm == 0.0:  # S along the beam: A does not depend on phi_q, any axis will do
        n_y = norm = 1.0
    V_x = p[0] - k[0]
    V_y = p[1] - k[1]
    V_z = p[2] - k[2]
    V = math.sqrt(V_x * V_x + V_y * V_y + V_z * V_z)
    # q = -N across V: its part in the plane of p and k, to the side of k, and its part across the plane
    q_1 = -(N[0] * (n_y * V_z - n_z * V_y) + N[1] * (n_z * V_x - n_x * V_z) + N[2] * (n_x * V_y - n_y * V_x)) / (
        norm * V
    )
    q_2 = -(N[0] * n_x + N[1] * n_y + N[2] * n_z) / norm
    return one_minus_cos_theta, math.hypot(q_1, q_2), math.atan2(q_2, q_1)
