"""Invariants and limits of l(p) + N -> l(p') + N + S(k) in the laboratory, free of cancellations.

The nucleus of mass M is at rest, the beam lepton of mass m and total energy E flies along +z. The outgoing lepton has a
mass of its own, m_out, with m_out + m_S > m: otherwise the beam would decay. A point is given by
(E_S, 1 - cos(theta_S), t - t_min, phi_q), never by rounded momenta: at 160 GeV the squared momentum transfer reaches
1e-11 GeV^2, below the rounding error of E^2. Differences of nearly equal numbers are therefore written out by hand
below; every such line says which difference it replaces.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from mcgen.base.jit import jit


class Emission(NamedTuple):
    """Everything that (E, E_S, theta_S) fixes, before the momentum transfer is chosen, in powers of GeV."""

    p: float  #: beam momentum
    k: float  #: momentum of S
    W: float  #: E - E_S
    V: float  #: |p - k|
    per_V: float  #: 1/V
    u: float  #: |u| = m_out^2 - (p - k)^2 of four-momenta, positive
    k_V: float  #: component of k along V = p - k
    k_1: float  #: component of k across V, in the plane of p and k; that of p is the same
    Y_V: float  #: component of E_S p - E k along V
    t_min: float
    t_max: float
    C: float  #: (1 + W/M)^2 - V^2/M^2


@jit
def heavier(m: float, m_out: float, m_S: float) -> float:
    """((m_out + m_S)^2 - m^2)/2 in GeV^2: by what outgoing lepton and S together outweigh the beam lepton."""
    return m_S * (m_out + 0.5 * m_S) + 0.5 * (m_out - m) * (m_out + m)


@jit
def threshold_energy(m: float, m_out: float, m_S: float, M: float) -> float:
    """Smallest total beam energy in GeV that can make S off a nucleus at rest."""
    return m_out + m_S + heavier(m, m_out, m_S) / M


@jit
def momentum(E: float, m: float) -> float:
    """Momentum in GeV of a particle of energy E and mass m; 0 below the mass."""
    return math.sqrt(max(0.0, (E - m) * (E + m)))


@jit
def t_range(E: float, m: float, m_out: float, m_S: float, M: float) -> tuple[float, float]:
    """Smallest and largest t in GeV^2 at a beam energy above threshold, at any E_S and angle.

    Parameters
    ----------
    E, m, m_out, m_S, M : float
        Total beam energy, and masses of beam lepton, outgoing lepton, scalar and nucleus in GeV.

    Notes
    -----
    Lepton and S together act as one particle X. Both limits belong to the lightest X, of mass m_out + m_S, in
    l N -> X N; a star in the comments marks the centre of mass.
    """
    s = m * m + M * M + 2.0 * E * M
    difference = heavier(m, m_out, m_S) / math.sqrt(s)  # E_N* before minus after
    p_before = M * momentum(E, m) / math.sqrt(s)
    E_before = math.sqrt(p_before * p_before + M * M)
    p_after = momentum(E_before - difference, M)
    t_max = (p_before + p_after) * (p_before + p_after) - difference * difference
    return 4.0 * M * M * difference * difference / t_max, t_max


@jit
def scalar_energy_range(
    E: float, m: float, m_out: float, m_S: float, M: float, cos_theta: float
) -> tuple[float, float]:
    """Lowest and highest energy in GeV that S can have at a polar angle; lowest > highest if there is none.

    Parameters
    ----------
    E, m, m_out, m_S, M : float
        Total beam energy, and masses of beam lepton, outgoing lepton, scalar and nucleus in GeV.
    cos_theta : float
        Cosine of the polar angle of S; the range is largest at 1.

    Notes
    -----
    The recoiling lepton and nucleus together weigh at least m_out + M, so
    (E + M) E_S - p k cos(theta) <= M (E - m_out) + (m_S^2 + m^2 - m_out^2)/2 = K.
    """
    K = M * (E - m_out) + 0.5 * (m_S * m_S + (m - m_out) * (m + m_out))
    pc = momentum(E, m) * cos_theta
    a = (E + M) * (E + M) - pc * pc
    # K^2 - m_S^2 a, written with K^2 - m_S^2 (E+M)^2 factorised because both vanish together at threshold
    root2 = (K - m_S * (E + M)) * (K + m_S * (E + M)) + (m_S * pc) * (m_S * pc)
    if root2 < 0.0 or m >= E or K <= 0.0:
        return 1.0, 0.0
    root = math.sqrt(root2)
    highest = ((E + M) * K + pc * root) / a
    if m_S * (E + M) <= K:  # S at rest is allowed
        return m_S, max(m_S, highest)
    if cos_theta <= 0.0:
        return 1.0, 0.0
    return max(m_S, ((E + M) * K - pc * root) / a), highest


@jit
def largest_angle(E: float, m: float, m_out: float, m_S: float, M: float) -> float:
    """Largest polar angle in rad of S: pi on a nucleus, where S can be at rest, but not on an electron.

    Parameters
    ----------
    E, m, m_out, m_S, M : float
        Total beam energy, and masses of beam lepton, outgoing lepton, scalar and target in GeV.
    """
    K = M * (E - m_out) + 0.5 * (m_S * m_S + (m - m_out) * (m + m_out))
    if m_S * (E + M) <= K:
        return math.pi
    sine2 = (K * K - m_S * m_S * (m * m + M * M + 2.0 * E * M)) / (m_S * momentum(E, m)) ** 2
    return math.asin(math.sqrt(min(1.0, max(0.0, sine2))))


@jit
def _along(E: float, m: float, m_out: float, m_S: float, E_S: float) -> tuple[float, float]:
    """(q, p_W) of S emitted along the beam, in GeV.

    p_W is the momentum of the outgoing lepton if it has the energy E - E_S, and q = p - k - p_W. Close to the highest
    E_S, p - k is far smaller than p and k, and is computed as the sum of q and p_W.
    """
    p = momentum(E, m)
    k = momentum(E_S, m_S)
    W = E - E_S
    p_W = momentum(W, m_out)
    # p - k - p_W from E - E_S - W = 0: each of the three differences E - p has the form mass^2/(E + p)
    gained = (m_S * m_S * (W + p_W) + m_out * m_out * (E_S + k)) / ((E_S + k) * (W + p_W))
    return gained - m * m / (E + p), p_W


@jit
def smallest_u(E: float, m: float, m_out: float, m_S: float, E_S: float) -> float:
    """Smallest |u| in GeV^2 at an energy of S, that of S emitted along the beam.

    Parameters
    ----------
    E, m, m_out, m_S : float
        Total beam energy, and masses of beam lepton, outgoing lepton and scalar in GeV.
    E_S : float
        Energy of S in GeV.
    """
    q, p_W = _along(E, m, m_out, m_S, E_S)
    return q * (q + 2.0 * p_W)


@jit
def emission(
    E: float, m: float, m_out: float, m_S: float, M: float, E_S: float, one_minus_cos_theta: float
) -> Emission:
    """Kinematics at fixed energy and angle of S, with the limits of t.

    Parameters
    ----------
    E, m, m_out, m_S, M : float
        Total beam energy, and masses of beam lepton, outgoing lepton, scalar and nucleus in GeV.
    E_S : float
        Energy of S in GeV.
    one_minus_cos_theta : float
        1 - cos of its polar angle.
    """
    p = momentum(E, m)
    k = momentum(E_S, m_S)
    W = E - E_S
    pk = p * k * one_minus_cos_theta
    q, p_W = _along(E, m, m_out, m_S, E_S)
    p_k = q + p_W  # p - k
    u = q * (p_k + p_W) + 2.0 * pk
    V2 = p_k * p_k + 2.0 * pk
    V = math.sqrt(V2)
    per_V = 1.0 / V
    per_M = 1.0 / M
    k_1 = p * k * math.sqrt(one_minus_cos_theta * (2.0 - one_minus_cos_theta)) * per_V
    k_V = (k * p_k - pk) * per_V
    # (E_S p - E k) . V, with E_S p - E k = (E^2 m_S^2 - E_S^2 m^2)/(E_S p + E k) along the beam
    along = (E * m_S - E_S * m) * (E * m_S + E_S * m) / (E_S * p + E * k)
    Y_V = (p_k * along + pk * (E + E_S)) * per_V
    B = 4.0 * V2 - 2.0 * u * (1.0 + W * per_M)
    E_low = W - 0.5 * u * per_M  # R = E_low^2 - m_out^2
    reach = B + 4.0 * V * math.sqrt(max(0.0, (E_low - m_out) * (E_low + m_out)))
    C = 1.0 + 2.0 * W * per_M + (m_out * m_out - u) * per_M * per_M  # W^2 - V^2 = m_out^2 - |u|
    return Emission(p, k, W, V, per_V, u, k_V, k_1, Y_V, 2.0 * u * u / reach, 0.5 * reach / C, C)
