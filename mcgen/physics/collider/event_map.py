"""One event of e+ e- -> f+ f- X from uniform numbers, each variable by the inverse of its exact distribution.

At a given energy of X, the integral of H_tot over Delta is known in closed form, so are the distribution of the angle
to the beam (1 + cos^2 and sin^2, by H_T and H_L) and that of the azimuth psi of f- about X (of degree 2 in its cosine).
The energy alone is left to the caller. docs/collider.md derives it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from mcgen.base.jit import jit
from mcgen.physics.collider.amplitude import (
    Collision,
    Radiation,
    energy_range,
    h_beams,
    h_longitudinal,
    h_total,
    pair,
    radiation,
)

#: steps of Newton's method, which is kept between bounds, and where it ends
_STEPS, _CLOSE = 60, 1e-14

Momentum = tuple[float, float, float, float]


class Frame(NamedTuple):
    """The laboratory: beams along z, and the boost from the frame of the collision."""

    gamma: float
    gamma_beta: float
    E_first: float  #: energy of e- in GeV
    p_first: float  #: its momentum in GeV
    E_second: float  #: energy of e+ in GeV
    p_second: float  #: its momentum in GeV, along z


def frame(sqrt_s: float, gamma: float, gamma_beta: float, m: float) -> Frame:
    """The laboratory of beams of particles of mass m.

    Parameters
    ----------
    sqrt_s : float
        Energy of the collision in GeV.
    gamma, gamma_beta : float
        Boost along +z.
    m : float
        Mass of a beam particle in GeV.

    Returns
    -------
    Frame
    """
    E = 0.5 * sqrt_s
    p = math.sqrt((E - m) * (E + m))
    first = gamma * E + gamma_beta * p, gamma * p + gamma_beta * E
    return Frame(gamma, gamma_beta, *first, gamma * E - gamma_beta * p, gamma_beta * E - gamma * p)


@jit
def boosted(f: Frame, px: float, py: float, pz: float, E: float) -> Momentum:
    """A four-momentum of the frame of the collision in the laboratory, (px, py, pz, E)."""
    return px, py, f.gamma * pz + f.gamma_beta * E, f.gamma * E + f.gamma_beta * pz


@jit
def draw_delta(c: Collision, r: Radiation, u: float) -> float:
    """Delta = E tanh(y), distributed as H_tot.

    Parameters
    ----------
    c : Collision
    r : Radiation
    u : float
        Uniform in (0, 1); half of the range decides on the sign.

    Notes
    -----
    H_tot dDelta/dy is a + b tanh(y)^2 + d cosh(y)^2; its integral from 0 to |y| is inverted.
    """
    s, k2, E2 = c.sqrt_s * c.sqrt_s, r.k * r.k, r.E * r.E
    both = 8.0 * c.weights.Q * (2.0 + 4.0 * c.m * c.m / s)
    a = 3.0 * c.longitudinal + 4.0 * c.weights.K * k2 + 2.0 * c.weights.B * (r.w + k2) - 8.0 * c.weights.Q * r.w / s
    a, b, d = a - both, 2.0 * c.weights.B * E2, both
    last = 0.5 * math.log1p(2.0 * r.D * (r.D + r.E) / r.R0)
    whole = (a + b) * last - b * math.tanh(last) + d * (0.5 * last + 0.25 * math.sinh(2.0 * last))
    wanted = abs(2.0 * u - 1.0) * whole
    low, high = 0.0, last
    y = last * abs(2.0 * u - 1.0)
    for _ in range(_STEPS):
        t, hyperbolic = math.tanh(y), math.cosh(y)
        off = (a + b) * y - b * t + d * (0.5 * y + 0.5 * t * hyperbolic * hyperbolic) - wanted
        if off > 0.0:
            high = y
        else:
            low = y
        slope = a + b * t * t + d * hyperbolic * hyperbolic
        step = y - off / slope if slope > 0.0 else low
        new = step if low < step < high else 0.5 * (low + high)
        if abs(new - y) <= _CLOSE * last:
            break
        y = new
    Delta = min(r.E * math.tanh(y), r.D)
    return Delta if u >= 0.5 else -Delta


@jit
def draw_cos_theta(c: Collision, r: Radiation, Delta: float, u_kind: float, u: float) -> float:
    """Cosine of X to the beam, at a given Delta: from 1 + cos^2 or sin^2."""
    if u_kind * h_total(c, r, Delta) < h_longitudinal(c, r, Delta):
        return 2.0 * math.sin(math.asin(2.0 * u - 1.0) / 3.0)
    return 2.0 * math.sinh(math.asinh(4.0 * u - 2.0) / 3.0)


@jit
def draw_psi(c: Collision, r: Radiation, Delta: float, cos_theta: float, u: float) -> float:
    """Azimuth of f- about X, at a given Delta and angle to the beam: h0 + h1 cos + h2 cos^2 is inverted."""
    before, after = h_beams(c, r, Delta, cos_theta, -1.0), h_beams(c, r, Delta, cos_theta, 1.0)
    middle = h_beams(c, r, Delta, cos_theta, 0.0)
    h1, h2 = 0.5 * (after - before), 0.5 * (after + before) - middle
    wanted = 2.0 * math.pi * (u - 0.5) * (middle + 0.5 * h2)
    low, high = -math.pi, math.pi
    psi = 2.0 * math.pi * (u - 0.5)
    for _ in range(_STEPS):
        cosine, sine = math.cos(psi), math.sin(psi)
        off = middle * psi + h1 * sine + 0.5 * h2 * (psi + sine * cosine) - wanted
        if off > 0.0:
            high = psi
        else:
            low = psi
        slope = middle + h1 * cosine + h2 * cosine * cosine
        step = psi - off / slope if slope > 0.0 else low
        new = step if low < step < high else 0.5 * (low + high)
        if abs(new - psi) <= _CLOSE:
            break
        psi = new
    return psi


@jit
def final_state(
    c: Collision, r: Radiation, Delta: float, cos_theta: float, phi: float, psi: float
) -> tuple[Momentum, Momentum, Momentum]:
    """Momenta (px, py, pz, E) of f-, X and f+ in the frame of the collision, the beam e- along +z.

    Parameters
    ----------
    c : Collision
    r : Radiation
    Delta : float
        E_- - E_+ in GeV.
    cos_theta, phi : float
        Direction of X.
    psi : float
        Azimuth of f- about X; 0 is away from the beam axis.

    Returns
    -------
    minus, X, plus : (float, float, float, float)
        f- and f+ add up to minus the momentum of X exactly.
    """
    sin_theta = math.sqrt((1.0 - cos_theta) * (1.0 + cos_theta))
    cos_phi, sin_phi = math.cos(phi), math.sin(phi)
    p = pair(c, r, Delta)
    one, two = p.across * math.cos(psi), p.across * math.sin(psi)
    out, z = p.minus * sin_theta + one * cos_theta, p.minus * cos_theta - one * sin_theta
    x, y = out * cos_phi - two * sin_phi, out * sin_phi + two * cos_phi
    k_x, k_y, k_z = r.k * sin_theta * cos_phi, r.k * sin_theta * sin_phi, r.k * cos_theta
    sigma = c.sqrt_s - r.E
    minus = (x, y, z, 0.5 * (sigma + Delta))
    return minus, (k_x, k_y, k_z, r.E), (-k_x - x, -k_y - y, -k_z - z, 0.5 * (sigma - Delta))


@jit
def event_point(
    c: Collision, f: Frame, X: tuple[float, float, float], plus: tuple[float, float, float]
) -> tuple[Radiation, float, float, float]:
    """The point of phase space of an event, from three-momenta in the laboratory.

    Parameters
    ----------
    c : Collision
    f : Frame
    X, plus : (float, float, float)
        Of X and of f+ in GeV.

    Returns
    -------
    r : Radiation
    Delta : float
        E_- - E_+ in the frame of the collision in GeV.
    cos_theta, cos_psi : float
        Of X to the beam, and of the azimuth of f- about X.
    """
    back = Frame(f.gamma, -f.gamma_beta, f.E_first, f.p_first, f.E_second, f.p_second)
    E_X = math.sqrt(X[0] * X[0] + X[1] * X[1] + X[2] * X[2] + c.m_S * c.m_S)
    E_plus = math.sqrt(plus[0] * plus[0] + plus[1] * plus[1] + plus[2] * plus[2] + c.m * c.m)
    x, y, z, E = boosted(back, X[0], X[1], X[2], E_X)
    p_x, p_y, p_z, E_plus = boosted(back, plus[0], plus[1], plus[2], E_plus)
    across = math.hypot(x, y)
    k = math.hypot(across, z)
    above = k * k / (E + c.m_S)
    r = radiation(c, above, max(0.0, energy_range(c) - above))
    Delta = min(max(c.sqrt_s - E - 2.0 * E_plus, -r.D), r.D)
    cos_theta = z / k
    cos_phi, sin_phi = (x / across, y / across) if across > 0.0 else (1.0, 0.0)
    side = across / k * p_z - cos_theta * (cos_phi * p_x + sin_phi * p_y)  # of f-, which has minus that of f+
    whole = pair(c, r, Delta).across
    return r, Delta, cos_theta, min(max(side / whole, -1.0), 1.0) if whole > 0.0 else 0.0
