"""sigma(E, m_S) of l e -> l e S with S from either line, by quadrature, at unit coupling to the beam lepton.

Outermost is E_S, then |u|, those of the laboratory. S from the electron's line has, seen from the rest frame of the
beam lepton, the energy (m_S^2 + |u|)/2m and |u'| = 2 m_e E_S - m_S^2, so its cross section at fixed E_S and |u| is that
of `cross_section` with the lines exchanged. The interference is integrated over the azimuth by Gauss rules.
"""

from __future__ import annotations

import math

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.jit import jit
from mcgen.physics.emission.amplitude import Process, azimuthal_form, density, mean_amplitude, transverse_momentum
from mcgen.physics.emission.cross_section import (
    INTEGRALS,
    U_PANEL,
    Integrals,
    bins_of_theta,
    bins_of_x,
    energies_at_t,
    energies_of,
    integral_between,
    peak_nodes,
    sigma_dE_du,
    u_range_at_t,
    write_spectrum,
)
from mcgen.physics.emission.kinematics import Emission, emission, momentum, scalar_energy_range
from mcgen.physics.emission.phase_space import EnergyMap, energy_map_between, logistic_map, scalar_energy, u_range
from mcgen.physics.emission.rules import Rules, gauss
from mcgen.physics.emission.struck_electron import (
    KINDS,
    BothLines,
    Invariants,
    interference,
    invariants,
    other_amplitude,
)

#: rule of one piece of the azimuth, and the widest piece, in the coordinate that stretches the poles apart
_NODES, _WEIGHTS = gauss(8)
_PIECE = 1.5


@jit
def _half_turn(
    e: Emission, E: float, both: BothLines, t: float, q_perp: float, s_min: float, b: float, near: bool, width: float
) -> float:
    """Integral of C over the azimuth, over pi, of the half next to S or of that away from it.

    Its poles lie at a distance `width` from the end of the half; phi = width sinh(y) takes them to that of pi/2.
    """
    p = both.beam
    top = math.asinh(0.5 * math.pi / width)
    pieces = 1 + int(top / _PIECE)
    total = 0.0
    for piece in range(pieces):
        for j in range(_NODES.size):
            y = (piece + _NODES[j]) * top / pieces
            half = math.sin(0.5 * width * math.sinh(y))
            sine2 = half * half if near else 1.0 - half * half
            i = invariants(e, E, p.m, p.m_S, p.M, t, q_perp, s_min + 2.0 * b * sine2, 1.0 - 2.0 * sine2)
            total += _WEIGHTS[j] * math.cosh(y) * interference(i, both.kind)
    return total * width * top / pieces / math.pi


@jit
def mean_interference(E: float, both: BothLines, e: Emission, t: float, t_minus_tmin: float) -> float:
    """C in 1/GeV^2 averaged over phi_q.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    both : BothLines
        Constants of the kernels.
    e : Emission
        Kinematics at E, E_S, theta_S.
    t, t_minus_tmin : float
        t_e and t_e - t_min in GeV^2.
    """
    p = both.beam
    q_perp = transverse_momentum(e, t, t_minus_tmin)
    f = azimuthal_form(e, E, t, q_perp, p)
    near = invariants(e, E, p.m, p.m_S, p.M, t, q_perp, f.s_min, 1.0)
    away = invariants(e, E, p.m, p.m_S, p.M, t, q_perp, f.s_min + 2.0 * f.b, -1.0)
    first = min(1e3, math.sqrt(2.0 * min(near.s, near.t_mu) / max(f.b, 1e-300)))
    last = min(1e3, math.sqrt(2.0 * away.s2 / max(f.b, 1e-300)))
    total = _half_turn(e, E, both, t, q_perp, f.s_min, f.b, True, first)
    return total + _half_turn(e, E, both, t, q_perp, f.s_min, f.b, False, last)


@jit
def mixed_dE_du(E: float, both: BothLines, E_S: float, one_minus_cos_theta: float, q: Rules) -> float:
    """The interference's share of d sigma/(dE_S d|u|) in pb/GeV^3 at g_mu = g_e = 1 of negative beam leptons.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    both : BothLines
        Constants of the kernels.
    E_S, one_minus_cos_theta : float
        Energy of S in GeV and 1 - cos of its polar angle.
    q : Rules
        Nodes of the quadrature; those in t are used.
    """
    p = both.beam
    e = emission(E, p.m, p.m_out, p.m_S, p.M, E_S, one_minus_cos_theta)
    if not e.t_max > e.t_min:
        return 0.0
    at, weight = peak_nodes(E, p, e, q)
    total = 0.0
    for i in range(at.size):
        above = e.t_min * math.expm1(at[i])
        t = e.t_min + above
        C = mean_interference(E, both, e, t, above)
        total += weight[i] * t * density(p.M, C * t * t, e.p, e.per_V, t)
    return total


@jit
def struck_dE_du(E: float, both: BothLines, E_S: float, u: float, q: Rules) -> float:
    """d sigma/(dE_S d|u|) in pb/GeV^3 of S from the electron's line at g_e = 1.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    both : BothLines
        Constants of the kernels.
    E_S, u : float
        Energy of S in GeV and |u| in GeV^2, those of the laboratory.
    q : Rules
        Nodes of the quadrature; those in t are used.
    """
    p = both.struck
    m_S2 = p.m_S * p.m_S
    E_rest = E * p.m / p.M
    S_rest = (m_S2 + u) / (2.0 * p.M)
    first, _, two_pk = u_range(E_rest, S_rest, p)
    one_minus_cos = min(2.0, max(0.0, (2.0 * p.m * E_S - m_S2 - first) / two_pk))
    return sigma_dE_du(E_rest, p, S_rest, one_minus_cos, q) * p.m / p.M


@jit
def both_dE_du(E: float, both: BothLines, E_S: float, one_minus_cos_theta: float, q: Rules) -> float:
    """d sigma/(dE_S d|u|) in pb/GeV^3 at g_mu = 1, all terms.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    both : BothLines
        Constants of the kernels.
    E_S, one_minus_cos_theta : float
        Energy of S in GeV and 1 - cos of its polar angle.
    q : Rules
        Nodes of the quadrature; those in t are used.
    """
    p = both.beam
    u_low, u_high, two_pk = u_range(E, E_S, p)
    u = u_low + two_pk * one_minus_cos_theta
    if not u < u_high:
        return 0.0
    total = sigma_dE_du(E, p, E_S, one_minus_cos_theta, q)
    total += both.ratio * both.sign * mixed_dE_du(E, both, E_S, one_minus_cos_theta, q)
    return total + both.ratio * both.ratio * struck_dE_du(E, both, E_S, u, q)


@jit
def both_dE(E: float, both: BothLines, E_S: float, q: Rules) -> float:
    """d sigma/dE_S in pb/GeV at g_mu = 1.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    both : BothLines
        Constants of the kernels.
    E_S : float
        Energy of S in GeV.
    q : Rules
        Nodes of the quadrature; those in x, u and t are used.
    """
    p = both.beam
    u_low, u_high, two_pk = u_range(E, E_S, p)
    if u_high <= u_low:
        return 0.0
    spread = 1.0 / u_low - 1.0 / u_high
    total = 0.0
    for i in range(q.u.size):
        u = 1.0 / (1.0 / u_low - q.u[i] * spread)
        one_minus_cos_theta = min(2.0, q.u[i] * spread * u * u_low / two_pk)
        found = sigma_dE_du(E, p, E_S, one_minus_cos_theta, q)
        found += both.ratio * both.sign * mixed_dE_du(E, both, E_S, one_minus_cos_theta, q)
        total += spread * q.u_w[i] * u * u * found
    # |u| is the energy of S in the rest frame of the beam lepton
    struck = both.struck
    m_S2 = p.m_S * p.m_S
    low, high = (m_S2 + u_low) / (2.0 * p.m), (m_S2 + u_high) / (2.0 * p.m)
    em = energy_map_between(low, high, E * p.M / p.m, struck)
    for i in range(q.x.size):
        S_rest, jacobian = scalar_energy(q.x[i], em)
        weight = both.ratio * both.ratio * q.x_w[i] * jacobian * 2.0 * p.m
        total += weight * struck_dE_du(E, both, E_S, 2.0 * p.m * S_rest - m_S2, q)
    return total


@jit
def both_map(E: float, both: BothLines) -> EnergyMap:
    """Map of E_S at beam energy E: points are close where |u'|, the propagator of the electron's line, is small."""
    p = both.beam
    low, high = scalar_energy_range(E, p.m, p.m_out, p.m_S, p.M, 1.0)
    em = energy_map_between(low, high, E, p)
    return logistic_map(low, em.span, min(em.below, low - 0.5 * p.m_S * p.m_S / p.M), em.above)


@jit
def both_between(E: float, both: BothLines, low: float, high: float, q: Rules) -> float:
    """Cross section in pb at g_mu = 1 with the energy of S between two limits.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    both : BothLines
        Constants of the kernels.
    low, high : float
        Energies of S in GeV.
    q : Rules
        Nodes of the quadrature; those in x, u and t are used.
    """
    return integral_between(E, both, both.beam, both_map(E, both), both_dE, low, high, q)


@jit
def both_nodes(
    E: float, both: BothLines, low: float, high: float, _chi: float | None, q: Rules, energies: Array, sigmas: Array
) -> None:
    """`cross_section.spectrum_nodes` of both lines.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    both : BothLines
        Constants of the kernels.
    low, high : float
        Energies of S in GeV.
    _chi : None
        There is no approximation.
    q : Rules
        Nodes of the quadrature; those in x, u and t are used.
    energies, sigmas : array, shape (nodes in x,)
        Written, in GeV and pb.
    """
    write_spectrum(E, both, both.beam, both_map(E, both), (low, high), both_dE, q, q, energies, sigmas)


@jit
def both_energies(E: Array, both: BothLines, q: Rules) -> Array:
    """`cross_section.scalar_energies` of both lines.

    Parameters
    ----------
    E : array
        Beam energies in GeV.
    both : BothLines
        Constants of the kernels.
    q : Rules
        Nodes of the quadrature; those in x are used.
    """
    return energies_of(E, both, both_map, q)


@jit
def _x_bins(E: float, both: BothLines, edges: Array, q: Rules) -> Array:
    return bins_of_x(E, both, edges, both_between, q)


@jit
def _theta_bins(E: float, both: BothLines, edges: Array, q: Rules) -> Array:
    return bins_of_theta(E, both, both.beam, both_map(E, both), both_dE_du, edges, q)


@jit
def _beam_at_t(E: float, both: BothLines, E_S: float, t: float, q: Rules) -> float:
    """d sigma/(dE_S dt) in pb/GeV^3 of S from the beam's line, and of the interference."""
    p = both.beam
    u_low, u_high = u_range_at_t(E, p, E_S, t)
    u_first, _, two_pk = u_range(E, E_S, p)
    if u_high <= u_low or two_pk <= 0.0:
        return 0.0
    panels = 1 + int(math.log(u_high / u_low) / U_PANEL)
    width = math.log(u_high / u_low) / panels
    total = 0.0
    for panel in range(panels):
        for j in range(q.t.size):
            u = u_low * math.exp((panel + q.t[j]) * width)
            e = emission(E, p.m, p.m_out, p.m_S, p.M, E_S, max(0.0, (u - u_first) / two_pk))
            if e.t_min < t < e.t_max:
                A, _ = mean_amplitude(E, p, e, t, t - e.t_min)
                A += both.ratio * both.sign * mean_interference(E, both, e, t, t - e.t_min) * t * t
                total += q.t_w[j] * width * u * density(p.M, A, e.p, e.per_V, t)
    return total


@jit
def _struck_at_t(E: float, both: BothLines, E_S: float, t: float, q: Rules) -> float:
    """d sigma/(dE_S dt) in pb/GeV^3 of S from the electron's line: the integral over t_mu.

    S and the recoil share the energy nu = E_S + T and the momentum |q|^2 = nu^2 + t_mu. Their plane turns about q by an
    azimuth of which A is a polynomial of second degree in the cosine, so few points give its average.
    """
    m, m_e, m_S2 = both.beam.m, both.beam.M, both.beam.m_S * both.beam.m_S
    T = 0.5 * t / m_e
    nu = E_S + T
    p, k, P = momentum(E, m), momentum(E_S, both.beam.m_S), math.sqrt(T * T + t)
    E_out = E - nu
    if E_out <= m:
        return 0.0
    p_out = momentum(E_out, m)
    least = 2.0 * m * m * nu * nu / (E * E_out - m * m + p * p_out)
    along = (k * k * t - m_S2 * T * T) / (k * P + E_S * T)  # k P - E_S T
    low = max(least, t - m_S2 - 2.0 * (k * P + E_S * T))
    high = min(t - m_S2 + 2.0 * along, 2.0 * (E * E_out - m * m + p * p_out))
    above = 2.0 * m_e * nu - high  # the smallest s of the electron's line
    if high <= low or above <= 0.0:
        return 0.0
    near_both_ends = logistic_map(low, high - low, low, above)
    pieces = 1 + int(near_both_ends.width / 2.0)
    total = 0.0
    for piece in range(pieces):
        for j in range(q.t.size):
            t_mu, jacobian = scalar_energy((piece + q.t[j]) / pieces, near_both_ends)
            q2 = nu * nu + t_mu
            p_q = 0.5 * (t_mu + 2.0 * E * nu)  # p.q and k.q of three-momenta
            k_q = 0.5 * (k * k + q2 - P * P)
            across = math.sqrt(max(0.0, p * p * q2 - p_q * p_q) * max(0.0, k * k * q2 - k_q * k_q))
            A = 0.0
            for n in range(6):
                p_k = E * E_S - (p_q * k_q + across * math.cos((n + 0.5) * math.pi / 6.0)) / q2
                i = Invariants(
                    0.0, m_S2 - 2.0 * p_k, 2.0 * m_e * nu - t_mu, m_S2 - 2.0 * m_e * E_S, t, t_mu,
                    2.0 * m_e * E, m * m, m_e * m_e, m_S2,
                )  # fmt: skip
                A += other_amplitude(i, both.struck) / 6.0
            total += q.t_w[j] / pieces * jacobian * density(m_e, A, p, 1.0 / math.sqrt(q2), t_mu)
    return total


@jit
def _t_bins(E: float, both: BothLines, edges: Array, q: Rules) -> Array:
    """Cross section in pb at g_mu = 1 in bins of t = 2 m_e T."""
    em = both_map(E, both)
    result = np.zeros(edges.size - 1)
    for i in range(result.size if em.span > 0.0 else 0):
        width = math.log(edges[i + 1] / edges[i])
        for j in range(q.bin.size):
            t = edges[i] * math.exp(q.bin[j] * width)
            r_low, r_high = energies_at_t(E, both.beam, em, t)
            found = 0.0
            for n in range(q.x.size if r_high > r_low else 0):
                E_S, jacobian = scalar_energy(r_low + (r_high - r_low) * q.x[n], em)
                density_at = _beam_at_t(E, both, E_S, t, q)
                density_at += both.ratio * both.ratio * _struck_at_t(E, both, E_S, t, q)
                found += q.x_w[n] * jacobian * density_at
            result[i] += q.bin_w[j] * width * t * (r_high - r_low) * found
    return result


#: nodes in x, u, t and the binned variable
_FINE, _COARSE, _COARSER = (64, 56, 16, 10), (48, 40, 12, 8), (36, 28, 10, 7)

INTEGRALS[BothLines] = Integrals(
    both_between,
    both_nodes,
    both_energies,
    {"x": (_x_bins, (48, 40, 10, 10)), "theta": (_theta_bins, (64, 1, 16, 10)), "t": (_t_bins, (64, 1, 8, 6))},
    (_FINE, _COARSE, _COARSER),
)


def both_lines(beam: Process, struck: Process, mediator: str, ratio: float, charge: int) -> BothLines:
    """Both lines of l e -> l e S.

    Parameters
    ----------
    beam, struck : Process
        S from the line of the beam lepton, and from that of the electron.
    mediator : {"scalar", "pseudoscalar", "vector", "axial"}
    ratio : float
        g_e/g_mu.
    charge : {1, -1}
        Of the beam lepton: positive ones turn the sign of the interference of a vector.
    """
    return BothLines(beam, struck, KINDS[mediator], ratio, -1.0 if mediator == "vector" and charge > 0 else 1.0)
