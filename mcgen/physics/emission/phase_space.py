"""The unit cube and the phase space of l N -> l' N S at a fixed beam energy: maps from one to the other.

Three coordinates r in (0, 1) give E_S, |u| and t such that the weight varies little:

- E_S by a logarithm that puts many points at both ends, where S or the lepton carries all the energy;
- |u| uniform in 1/|u|, the propagator of the beam lepton;
- t uniform in log(t/(t + d)), the shape of G2/t with the nuclear size d (`t_scale`).

If the outgoing lepton is much lighter than 1/(nuclear radius), as the electron is, 1/s makes a second peak in t, where
the form factor is still large: S leaves along the outgoing lepton at t near |u|/x. The peak is narrow at large |u|. For
such a lepton |u| is uniform in 1/sqrt|u|, which puts more points at large |u|, and t follows the peak (`PeakMap`): at
every E_S and u it lies at the same r_t, so in the same row of cells.

The azimuth phi_q is integrated in closed form here and sampled afterwards; the azimuth of S is uniform.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.elementary import asinh, exp, expm1, log, log1p
from mcgen.base.jit import jit
from mcgen.physics.emission.amplitude import Process
from mcgen.physics.emission.kinematics import Emission, emission, heavier, momentum, scalar_energy_range, smallest_u

#: r_t of the collinear peak of a light lepton
RIDGE = 0.75
#: GeV^2; with it protons, whose form factor is wider, have more than the last cell in t. That counts where t must be
#: large, or |M|^2 grows up to t near the mass of a heavy lepton squared
WIDE = 0.1


class EnergyMap(NamedTuple):
    """E_S = low + scale * y with log((y + below)/(span - y + above)) uniform between its ends (GeV)."""

    low: float
    scale: float
    span: float
    below: float
    above: float
    start: float  #: the logarithm at y = 0
    width: float  #: its range


@jit
def logistic_map(low: float, span: float, below: float, above: float) -> EnergyMap:
    """Map with many points at both ends of a range, within `below` of its low end and `above` of its high one."""
    start = math.log(below / (span + above))
    return EnergyMap(low, 1.0, span, below, above, start, math.log((span + below) / above) - start)


@jit
def energy_map_between(low: float, high: float, E: float, process: Process) -> EnergyMap:
    """Map of E_S between two energies.

    Parameters
    ----------
    low, high : float
        Lowest and highest E_S in GeV.
    E : float
        Total beam energy in GeV.
    process : Process
        Constants of the kernels.
    """
    m = process.m_out
    m_S = process.m_S
    span = max(0.0, high - low)
    # where the x spectrum turns: x ~ m_S/m for a light scalar, 1 - x ~ (m/m_S)^2 for a heavy one
    below = m_S * (1.0 + E / (m + m_S))
    above = m * (1.0 + E * m / (m * m + m_S * m_S))
    return logistic_map(low, span, below, above)


@jit
def energy_map(E: float, process: Process) -> EnergyMap:
    """Map of the kinematic range of E_S at beam energy E; its span is 0 below threshold."""
    low, high = scalar_energy_range(E, process.m, process.m_out, process.m_S, process.M, 1.0)
    return energy_map_between(low, high, E, process)


@jit
def peak_breaks(E: float, process: Process, low: float, high: float) -> Array:
    """Energies of S in GeV between two others that enclose, ever wider, the peak of a beam lepton that almost decays.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    process : Process
        Constants of the kernels.
    low, high : float
        In GeV.

    Returns
    -------
    array
        Rising; empty unless the outgoing lepton is lighter and m_out + m_S so little above m that the peak is narrow.

    Notes
    -----
    For S along the beam |u| vanishes at the complex energies E (m^2 + m_S^2 - m_out^2)/2m^2 +- i p sqrt(D)/2m^2, where
    D = ((m_out + m_S)^2 - m^2)(m^2 - (m_S - m_out)^2): S at rest beside the beam lepton.
    """
    m, m_out, m_S = process.m, process.m_out, process.m_S
    found = np.empty(128)
    n = 0
    D = 2.0 * heavier(m, m_out, m_S) * (m - m_S + m_out) * (m + m_S - m_out)
    if m > m_out and D > 0.0:
        centre = E * (m * m + m_S * m_S - m_out * m_out) / (2.0 * m * m)
        reach = momentum(E, m) * math.sqrt(D) / (m * m)
        while reach < E:
            for at in (centre - reach, centre + reach):
                if low < at < high:
                    found[n] = at
                    n += 1
            reach *= 4.0
    return np.sort(found[:n])


@jit
def rescaled(em: EnergyMap, E: float, process: Process) -> EnergyMap:
    """The same map stretched to the kinematic range at another beam energy, which saves the logarithms."""
    low, high = scalar_energy_range(E, process.m, process.m_out, process.m_S, process.M, 1.0)
    scale = max(0.0, high - low) / em.span
    return EnergyMap(low, scale, em.span, em.below, em.above, em.start, em.width)


@jit
def scalar_energy(r: float, em: EnergyMap) -> tuple[float, float]:
    """(E_S in GeV, dE_S/dr) at the coordinate r in (0, 1)."""
    z = exp(em.start + r * em.width)
    y = min(em.span, max(0.0, (z * (em.span + em.above) - em.below) / (1.0 + z)))
    jacobian = em.width * (y + em.below) * (em.span - y + em.above) / (em.span + em.below + em.above)
    return em.low + em.scale * y, em.scale * jacobian


@jit
def scalar_energy_coordinate(E_S: float, em: EnergyMap) -> float:
    """Inverse of `scalar_energy`."""
    y = (E_S - em.low) / em.scale
    return (math.log((y + em.below) / (em.span - y + em.above)) - em.start) / em.width


@jit
def u_range(E: float, E_S: float, process: Process) -> tuple[float, float, float]:
    """(smallest |u|, largest |u|, 2 p k) in GeV^2 at an energy of S.

    The largest |u| is that of S flying backward, or that at which outgoing lepton and nucleus have the same velocity.
    """
    low = smallest_u(E, process.m, process.m_out, process.m_S, E_S)
    two_pk = 2.0 * momentum(E, process.m) * momentum(E_S, process.m_S)
    high = min(low + 2.0 * two_pk, 2.0 * process.M * (E - E_S - process.m_out))
    return low, max(low, high), two_pk


@jit
def t_map(r: float, t_low: float, t_high: float, d: float) -> tuple[float, float, float]:
    """Map of t with log(t/(t + d)) uniform between two limits.

    Parameters
    ----------
    r : float
        Coordinate in (0, 1).
    t_low, t_high : float
        Limits of t in GeV^2.
    d : float
        Nuclear size in GeV^2.

    Returns
    -------
    t, t_minus_tlow, jacobian : float
        t, t - t_low and dt/dr in GeV^2.
    """
    width = log(t_high * (t_low + d) / (t_low * (t_high + d)))
    y = r * width
    rise = t_low * expm1(y)
    above = min(rise * (t_low + d) / (d - rise), t_high - t_low)  # d - rise loses digits where t >> d
    t = t_low + above
    return t, above, width * t * (t + d) * (1.0 / d)


@jit
def collinear_peak(E: float, process: Process, e: Emission) -> tuple[float, float]:
    """(t - t_min, half width in log t) of the peak of 1/s where S leaves along the outgoing lepton.

    The smallest s at given t is linear in t less a half ellipse, b sqrt((t - t_min)(t_max - t)). Its minimum is that
    of two collinear particles; the width is the distance from there to the complex zeros of s.
    """
    E_S = E - e.W
    half = 0.5 * (e.t_max - e.t_min)
    slope = e.k_V * e.per_V
    slope += (slope * e.W - E_S) / process.M
    b = e.k_1 * e.per_V * math.sqrt(e.C)
    r = math.sqrt(slope * slope + b * b)
    above = half * (b * b / (r * (r + slope)) if slope > 0.0 else 1.0 - slope / r)
    t = e.t_min + above
    m, m_out = process.m, process.m_out
    E_out = max(m_out, e.W - 0.5 * t / process.M)
    m_S2 = process.m_S * process.m_S
    rise = m_S2 * E_out * E_out + (m_out * e.k) ** 2
    s = m_S2 + 2.0 * rise / (E_S * E_out + e.k * momentum(E_out, m_out)) + (m_out - m) * (m_out + m)
    # |s slope + i b sqrt(s (s + 2 r half))|
    return above, math.sqrt(s * slope * s * slope + b * b * s * (s + 2.0 * r * half)) / (r * r * t)


class PeakMap(NamedTuple):
    """t with log((t + s)/(t + d)) = its value at t_min + centre + width sinh(z), -below < z < above.

    s and d are the scales of screening and of the nucleus. z is the fractional linear function of r that vanishes at
    `RIDGE`.
    """

    low: float  #: t_min + s, GeV^2
    size: float  #: d - s, GeV^2
    centre: float
    width: float
    below: float
    above: float


@jit
def t_scale(process: Process) -> float:
    """Size in GeV^2 that the maps of t have: that of the nucleus; where the lepton changes at least `WIDE`."""
    return process.ff.d if process.m_out == process.m else max(process.ff.d, WIDE)


@jit
def peak_map(E: float, process: Process, e: Emission) -> PeakMap:
    """Map of t centred on the collinear peak.

    The centre is moved smoothly where it would lie at t_min, near t_max, or more than 3 d above t_min.
    """
    d = t_scale(process)
    peak, width = collinear_peak(E, process, e)
    width *= e.t_min + peak
    span = e.t_max - e.t_min
    peak = 1.0 / math.sqrt(1.0 / (peak * peak + width * width) + 1.0 / (9.0 * d * d))
    rest = span * span / (span + peak)
    peak *= span / (span + peak)
    s = 1.0 / max(process.ff.a2, process.ff.a2_in)
    size = d - s
    low = e.t_min + s
    T = low + peak
    centre = log1p(size * peak / (low * (T + size)))
    beyond = log1p(size * rest / (T * (T + rest + size)))
    width *= size / (T * (T + size))
    return PeakMap(low, size, centre, width, asinh(centre / width), asinh(beyond / width))


@jit
def t_along_peak(r: float, f: PeakMap) -> tuple[float, float]:
    """(t - t_min, dt/dr) in GeV^2 at the coordinate r in (0, 1)."""
    length = f.below + f.above
    norm = RIDGE * f.above * (1.0 - r) + (1.0 - RIDGE) * f.below * r
    grown = expm1((1.0 - RIDGE) * f.below * length * r / norm)  # exp(z + below) - 1
    # sinh(z) + sinh(below), which vanish together at t_min
    slope = f.centre / f.width
    y = 0.5 * f.width * grown / (1.0 + grown) * ((2.0 + grown) * math.sqrt(1.0 + slope * slope) - grown * slope)
    from_peak = math.sqrt(f.width * f.width + (y - f.centre) * (y - f.centre))
    jacobian = RIDGE * (1.0 - RIDGE) * f.below * f.above * length / (norm * norm) * from_peak
    rise = f.low * expm1(y)
    above = rise * (f.low + f.size) / (f.size - rise)
    T = f.low + above
    return above, jacobian * T * (T + f.size) / f.size


@jit
def is_light(process: Process) -> bool:
    """Whether the outgoing lepton is lighter than what it hits, its peaks along S lying within the form factor."""
    return process.m_out * process.m_out < 0.01 * min(process.ff.d, process.M * process.M)


@jit
def u_map(r: float, low: float, high: float, light: bool) -> tuple[float, float]:
    """Map of |u|: 1/|u| uniform, or 1/sqrt|u| for a light lepton.

    Parameters
    ----------
    r : float
        Coordinate in (0, 1).
    low, high : float
        Limits of |u| in GeV^2.
    light : bool
        Whether the lepton is light (`is_light`), or what it hits is an electron.

    Returns
    -------
    rise, jacobian : float
        |u| - low and d|u|/dr in GeV^2.
    """
    w_low, w_high = (math.sqrt(low), math.sqrt(high)) if light else (low, high)  # 1/w is uniform
    spread = w_high - w_low
    stretch = 1.0 / (w_high - r * spread)
    rise = w_low * spread * r * stretch
    jacobian = w_low * w_high * spread * stretch * stretch
    if light:
        return rise * (2.0 * w_low + rise), 2.0 * (w_low + rise) * jacobian
    return rise, jacobian


@jit
def emit(E: float, process: Process, E_S: float, r_u: float) -> tuple[float, Emission, float]:
    """Angle of S at a coordinate of |u|, and the kinematics that follow.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    process : Process
        Constants of the kernels.
    E_S : float
        Energy of S in GeV.
    r_u : float
        Coordinate of |u| in (0, 1).

    Returns
    -------
    one_minus_cos_theta : float
        1 - cos of the polar angle of S.
    e : Emission
    jacobian : float
        d|u|/dr_u in GeV^2; 0 where no angle or no t is possible.
    """
    u_low, u_high, two_pk = u_range(E, E_S, process)
    one_minus_cos_theta = 0.0
    du = 0.0
    if u_high > u_low:
        wide = process.spin_half is not None or is_light(process)  # no form factor ends the tail on an electron
        rise, du = u_map(r_u, u_low, u_high, wide)
        one_minus_cos_theta = min(2.0, rise / two_pk)
    e = emission(E, process.m, process.m_out, process.m_S, process.M, E_S, one_minus_cos_theta)
    if not e.t_max > e.t_min:
        du = 0.0
    return one_minus_cos_theta, e, du


#: map of a lepton that is not light, for which none is needed
NO_PEAK = PeakMap(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@jit
def transfer(process: Process, e: Emission, peak: PeakMap, r_t: float) -> tuple[float, float, float]:
    """Momentum transfer squared at a coordinate of t.

    Parameters
    ----------
    process : Process
        Constants of the kernels.
    e : Emission
        Kinematics at E, E_S, theta_S.
    peak : PeakMap
        That of a light lepton (`peak_map`); of others it is not read.
    r_t : float
        Coordinate of t in (0, 1).

    Returns
    -------
    t, t_minus_tmin, jacobian : float
        t, t - t_min and dt/dr_t in GeV^2.
    """
    if is_light(process):
        t_minus_tmin, dt = t_along_peak(r_t, peak)
        t_minus_tmin = min(t_minus_tmin, e.t_max - e.t_min)
        return e.t_min + t_minus_tmin, t_minus_tmin, dt
    return t_map(r_t, e.t_min, e.t_max, t_scale(process))
