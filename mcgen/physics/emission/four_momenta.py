"""Laboratory four-momenta and positions of one event, from its invariant coordinates."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mcgen.base.jit import jit
from mcgen.physics.emission.kinematics import Emission

Momenta = tuple[float, float, float, float]


@jit
def four_momenta(
    e: Emission, E: float, M: float, one_minus_cos_theta: float, t: float, q_perp: float, cos_phi: float, sin_phi: float
) -> tuple[Momenta, Momenta, Momenta]:
    """Four-momenta of outgoing lepton, S and recoiling nucleus, the beam along +z and S in the x-z plane.

    Parameters
    ----------
    e : Emission
        Kinematics at E, E_S, theta_S.
    E, M : float
        Total beam energy and mass of the target in GeV.
    one_minus_cos_theta : float
        1 - cos of the polar angle of S.
    t : float
        Momentum transfer squared in GeV^2.
    q_perp : float
        Component of q across V = p - k in GeV.
    cos_phi, sin_phi : float
        Of the azimuth of q about V, from the side of k.

    Returns
    -------
    lepton, S, nucleus : (float, float, float, float)
        (px, py, pz, E) of each in GeV.
    """
    recoil = 0.5 * t / M
    k_x = e.k * math.sqrt(one_minus_cos_theta * (2.0 - one_minus_cos_theta))
    k_z = e.k * (1.0 - one_minus_cos_theta)
    V_x = -k_x
    V_z = (e.p - e.k) + e.k * one_minus_cos_theta
    q_par = -(0.5 * e.u + 0.5 * t + recoil * e.W) / e.V
    q_1 = q_perp * cos_phi
    q_x = (q_par * V_x + q_1 * V_z) / e.V  # e_1 = (V_z, 0, -V_x)/V points to the side of k
    q_y = q_perp * sin_phi
    q_z = (q_par * V_z - q_1 * V_x) / e.V
    lepton = (V_x + q_x, q_y, V_z + q_z, e.W - recoil)
    return lepton, (k_x, 0.0, k_z, E - e.W), (-q_x, -q_y, -q_z, M + recoil)


@jit
def event_point(
    E: float,
    m: float,
    m_S: float,
    p: tuple[float, float, float],
    k: tuple[float, float, float],
    N: tuple[float, float, float],
    E_S: float,
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
    n_x = p[1] * k[2] - p[2] * k[1]  # p x k
    n_y = p[2] * k[0] - p[0] * k[2]
    n_z = p[0] * k[1] - p[1] * k[0]
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


@jit
def tilt(v: NDArray[np.float64], n_x: float, n_y: float) -> None:
    """Turn a four-momentum in place by the rotation that takes the z axis to the direction (n_x, n_y, n_z > 0)."""
    n_z = math.sqrt((1.0 - n_x) * (1.0 + n_x) - n_y * n_y)
    along = n_x * v[0] + n_y * v[1]
    shift = v[2] - along / (1.0 + n_z)
    v[2] = n_z * v[2] - along
    v[0] += n_x * shift
    v[1] += n_y * shift
