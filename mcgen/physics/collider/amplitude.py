"""|M|^2 of e+ e- -> f+ f- X through one photon: masses of f and X kept, that of the electron left out.

In the frame of the collision, with Delta = E_- - E_+, Sigma = E_- + E_+ = sqrt(s) - E and R = E^2 - Delta^2, the sum
over spins of |n.J|^2 for a unit vector n is

    H(n) = 2 c_K K + 2 c_B B + 4 c_f/R + 8 c_Q Y,

    K = [E^2 - (n.k)^2]/R,  B = [E_+^2 + E_-^2 - (n.p_+)^2 - (n.p_-)^2]/R,  Y = [s E^2 - (n.w)^2]/(s R^2),
    w = Delta k + E (p_+ - p_-),

with the same four weights as in scattering on a nucleus (`mcgen.physics.emission.mediator`): the lepton line is the
same, crossed. Averaged over the spins of beams along z, <|M|^2> = e^4 g^2 [H(x) + H(y)]/(2 s).
docs/collider.md derives it, and the sums of H below, in which what cancels at threshold is left out: with
W2 - 4 m^2 = w and l = 2 c_K m_S^2 + 4 c_B m^2 + 4 c_f + 8 c_Q,

    R H_tot = 3 l + 4 c_K k^2 + 2 c_B (w + k^2 + Delta^2) - 8 c_Q [w/s - (2 + 4 m^2/s) Delta^2/R].
"""

from __future__ import annotations

import math
from typing import NamedTuple

from mcgen.base.jit import jit
from mcgen.physics.emission.mediator import MIXES, Weights, even_share, weights_of

#: l over m^2
_LONGITUDINAL = {"scalar": 32.0, "pseudoscalar": 0.0, "vector": 0.0, "axial": 64.0}


class Collision(NamedTuple):
    """What is collided and what comes out: the constants of the kernels (GeV)."""

    sqrt_s: float  #: energy of the collision
    m: float  #: of the lepton f
    m_S: float  #: of the boson X
    weights: Weights  #: of the structures, one set per mediator
    longitudinal: float  #: l in GeV^2, the coefficient of 1/R in H along k

    @property
    def is_open(self) -> bool:
        """Whether the energy suffices."""
        return self.sqrt_s > self.m_S + 2.0 * self.m


def collision(sqrt_s: float, m: float, m_S: float, mediator: str = "scalar", parity_angle: float = 0.0) -> Collision:
    """Constants of the kernels.

    Parameters
    ----------
    sqrt_s, m, m_S : float
        Energy of the collision, mass of the lepton and of the boson in GeV.
    mediator : {"scalar", "pseudoscalar", "vector", "axial"}
    parity_angle : float
        Of a scalar or a vector in degrees, as in `weights_of`; the two parities do not interfere here either.

    Returns
    -------
    Collision
    """
    share = even_share(parity_angle)
    along = share * _LONGITUDINAL[mediator] + (1.0 - share) * _LONGITUDINAL[MIXES.get(mediator, mediator)]
    return Collision(sqrt_s, m, m_S, weights_of(mediator, m, m, m_S, parity_angle), along * m * m)


@jit
def energy_range(c: Collision) -> float:
    """Width of the range of E, E_max - m_S in GeV; negative below threshold."""
    return (c.sqrt_s - c.m_S - 2.0 * c.m) * (c.sqrt_s - c.m_S + 2.0 * c.m) / (2.0 * c.sqrt_s)


class Radiation(NamedTuple):
    """Kinematics at one energy of X, in the frame of the collision."""

    E: float  #: energy of X in GeV
    k: float  #: its momentum in GeV
    W2: float  #: mass squared of f+ f- in GeV^2
    w: float  #: W2 - 4 m^2
    D: float  #: largest Delta in GeV
    R0: float  #: smallest R in GeV^2, E^2 - D^2


@jit
def radiation(c: Collision, above: float, below: float) -> Radiation:
    """Kinematics at an energy that is given by its distances from both ends of its range.

    Parameters
    ----------
    c : Collision
    above, below : float
        E - m_S and E_max - E in GeV.
    """
    E = c.m_S + above
    k2 = above * (E + c.m_S)
    w = 2.0 * c.sqrt_s * below
    W2 = w + 4.0 * c.m * c.m
    return Radiation(E, math.sqrt(k2), W2, w, math.sqrt(k2 * w / W2), c.m_S * c.m_S + 4.0 * c.m * c.m * k2 / W2)


@jit
def h_total(c: Collision, r: Radiation, Delta: float) -> float:
    """H(x) + H(y) + H(z)."""
    R = r.R0 + (r.D - Delta) * (r.D + Delta)
    s, k2, Delta2 = c.sqrt_s * c.sqrt_s, r.k * r.k, Delta * Delta
    plain = 3.0 * c.longitudinal + 4.0 * c.weights.K * k2 + 2.0 * c.weights.B * (r.w + k2 + Delta2)
    return (plain - 8.0 * c.weights.Q * (r.w / s - (2.0 + 4.0 * c.m * c.m / s) * Delta2 / R)) / R


@jit
def h_longitudinal(c: Collision, r: Radiation, Delta: float) -> float:
    """H along k."""
    across = (r.D - Delta) * (r.D + Delta)
    R = r.R0 + across
    z = (c.m_S / (c.sqrt_s * r.k)) ** 2 * r.W2
    B = r.W2 / (r.k * r.k) * across
    return (c.longitudinal + c.weights.B * B - 8.0 * c.weights.Q * z * Delta * Delta / R) / R


class Pair(NamedTuple):
    """Momenta of f- and f+ along and across k, in GeV: f- has `across` in the direction psi, f+ the opposite one."""

    minus: float
    plus: float
    across: float


@jit
def pair(c: Collision, r: Radiation, Delta: float) -> Pair:
    """Momenta of f- and f+ along k, and across it."""
    sigma = c.sqrt_s - r.E
    tilt = Delta * sigma / r.k
    across2 = 0.25 * r.W2 * (r.D - Delta) * (r.D + Delta) / (r.k * r.k)
    return Pair(-0.5 * (r.k + tilt), -0.5 * (r.k - tilt), math.sqrt(max(0.0, across2)))


@jit
def h_beams(c: Collision, r: Radiation, Delta: float, cos_theta: float, cos_psi: float) -> float:
    """H(x) + H(y) for beams along z.

    Parameters
    ----------
    c : Collision
    r : Radiation
    Delta : float
        E_- - E_+ in GeV.
    cos_theta : float
        Of k to the beam.
    cos_psi : float
        Of the azimuth of f- about k; 0 is away from the beam axis.
    """
    s, Delta2 = c.sqrt_s * c.sqrt_s, Delta * Delta
    R = r.R0 + (r.D - Delta) * (r.D + Delta)
    p = pair(c, r, Delta)
    side = math.sqrt((1.0 - cos_theta) * (1.0 + cos_theta)) * cos_psi * p.across
    k_z = r.k * cos_theta
    minus_z, plus_z = p.minus * cos_theta - side, p.plus * cos_theta + side
    w_z = Delta / r.k * (c.sqrt_s * r.E - c.m_S * c.m_S) * cos_theta + 2.0 * r.E * side
    pair2 = p.minus * p.minus + p.plus * p.plus + 2.0 * p.across * p.across + minus_z * minus_z + plus_z * plus_z
    plain = 2.0 * (c.longitudinal + c.weights.K * (r.k * r.k + k_z * k_z) + c.weights.B * pair2)
    return (plain - 8.0 * c.weights.Q * (r.w / s - (Delta2 * (1.0 + 4.0 * c.m * c.m / s) + w_z * w_z / s) / R)) / R


@jit
def squared_amplitude(c: Collision, r: Radiation, Delta: float, cos_theta: float, cos_psi: float) -> float:
    """<|M|^2>/(e^4 g^2) in GeV^-2, summed and averaged over spins.

    Parameters
    ----------
    c : Collision
    r : Radiation
    Delta : float
        E_- - E_+ in GeV.
    cos_theta, cos_psi : float
        Of k to the beam, and of the azimuth of f- about k.
    """
    return h_beams(c, r, Delta, cos_theta, cos_psi) / (2.0 * c.sqrt_s * c.sqrt_s)
