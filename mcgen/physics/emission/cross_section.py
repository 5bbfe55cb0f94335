"""sigma(E, m_S) of l N -> l' N S and its spectra by quadrature, at unit coupling.

The integral over both azimuths is analytic; the other three are Gauss-Legendre in the coordinates of
`phase_space`. For a spectrum the variable that is binned is the outermost one, so that bin edges are
limits of integration and never steps inside an integrand.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.elementary import exp, expm1
from mcgen.base.jit import jit
from mcgen.physics.emission.amplitude import Process, pointlike_density, without_form_factor
from mcgen.physics.emission.form_factor import G2
from mcgen.physics.emission.iww import dsigma_dx
from mcgen.physics.emission.kinematics import Emission, emission, largest_angle, momentum, scalar_energy_range, t_range
from mcgen.physics.emission.phase_space import (
    EnergyMap,
    collinear_peak,
    energy_map,
    energy_map_between,
    peak_breaks,
    scalar_energy,
    scalar_energy_coordinate,
    u_range,
)
from mcgen.physics.emission.rules import Rules, rules

#: widest piece of log|u| that one Gauss rule covers at fixed t, where S close to the outgoing lepton makes a peak
U_PANEL = 1.0

#: the exact amplitude; Weizsaecker-Williams with exact limits; Eqs. 12-13 as printed
METHODS = ("exact", "ww", "iww")

#: nodes in x, u, t and the binned variable; the coarser sets only serve to estimate the error of the first
FINE = (36, 40, 10, 10)
COARSE = (28, 24, 8, 7)
COARSER = (20, 16, 6, 7)
#: bins of a spectrum whose edges are not given
BINS = 40
#: where the binned variable is the outermost one, and x or u must follow more structure
FIXED_ANGLE = (64, 1, 24, 10)
FIXED_T = (160, 1, 12, 12)


@jit
def _piece(distance: float, reach: float, peak_width: float, widest: float) -> float:
    """Width in log(t) of what one Gauss rule covers at a distance from the collinear peak."""
    return min(reach - distance, widest, 3.0 * max(peak_width, distance))


@jit
def _pieces(below: float, above: float, peak_width: float, widest: float) -> int:
    """How many of them there are between the limits of log(t), `below` and `above` the peak."""
    n = 0
    for reach in (below, above):
        distance = 0.0
        while distance < reach:
            distance += _piece(distance, reach, peak_width, widest)
            n += 1
    return n


@jit
def _write_nodes(
    below: float, above: float, peak_width: float, widest: float, q: Rules, at: Array, weight: Array
) -> None:
    """Write nodes of log(t/t_min) and their weights, piece by piece from the peak to both limits."""
    n = 0
    for side, reach in ((-1.0, below), (1.0, above)):
        distance = 0.0
        while distance < reach:
            width = _piece(distance, reach, peak_width, widest)
            for i in range(q.t.size):
                at[n + i] = below + side * (distance + q.t[i] * width)
                weight[n + i] = q.t_w[i] * width
            n += q.t.size
            distance += width


@jit
def _around_peak(E: float, process: Process, e: Emission) -> tuple[float, float, float, float]:
    """What `_pieces` takes: log(t) below and above the collinear peak, the peak's width, and the widest piece."""
    peak, peak_width = collinear_peak(E, process, e)
    below = math.log1p(peak / e.t_min)
    return below, math.log(e.t_max / e.t_min) - below, peak_width, process.ff.panel


@jit
def peak_nodes(E: float, process: Process, e: Emission, q: Rules) -> tuple[Array, Array]:
    """Nodes of log(t/t_min) and their weights, close to each other at the collinear peak.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    process : Process
        Constants of the kernels.
    e : Emission
        Kinematics at E, E_S, theta_S.
    q : Rules
        Nodes of the quadrature; those in t are used.
    """
    pieces = _around_peak(E, process, e)
    n = _pieces(*pieces) * q.t.size
    at = np.empty(n)
    weight = np.empty(n)
    _write_nodes(*pieces, q, at, weight)
    return at, weight


@jit
def sigma_dE_du(E: float, process: Process, E_S: float, one_minus_cos_theta: float, q: Rules) -> float:
    """d sigma/(dE_S d|u|) in pb/GeV^3 at unit coupling: the integral over t.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    process : Process
        Constants of the kernels.
    E_S, one_minus_cos_theta : float
        Energy of S in GeV and 1 - cos of its polar angle.
    q : Rules
        Nodes of the quadrature; those in t are used.
    """
    e = emission(E, process.m, process.m_out, process.m_S, process.M, E_S, one_minus_cos_theta)
    if not e.t_max > e.t_min:
        return 0.0
    pieces = _around_peak(E, process, e)
    n = _pieces(*pieces) * q.t.size  # arrays that `peak_nodes` returned would cost 12 % here
    at = np.empty(n)
    weight = np.empty(n)
    _write_nodes(*pieces, q, at, weight)
    bare = without_form_factor(process)
    # a loop for each step, in which the compiler takes several points at a time
    for i in range(n):
        at[i] = e.t_min * expm1(at[i])
    for i in range(n):
        t = e.t_min + at[i]
        weight[i] *= t * pointlike_density(E, bare, e, t, at[i])
    for i in range(n):
        weight[i] *= G2(e.t_min + at[i], process.ff)
    total = 0.0
    for i in range(n):
        total += weight[i]
    return total


@jit
def sigma_dE(E: float, process: Process, E_S: float, q: Rules) -> float:
    """d sigma/dE_S in pb/GeV at unit coupling.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    process : Process
        Constants of the kernels.
    E_S : float
        Energy of S in GeV.
    q : Rules
        Nodes of the quadrature; those in u and t are used.
    """
    u_low, u_high, two_pk = u_range(E, E_S, process)
    if u_high <= u_low:
        return 0.0
    spread = 1.0 / u_low - 1.0 / u_high
    total = 0.0
    for i in range(q.u.size):
        u = 1.0 / (1.0 / u_low - q.u[i] * spread)
        one_minus_cos_theta = min(2.0, q.u[i] * spread * u * u_low / two_pk)
        total += q.u_w[i] * u * u * sigma_dE_du(E, process, E_S, one_minus_cos_theta, q)
    return spread * total


@jit
def write_spectrum(
    E: float, process: Any, line: Process, em: EnergyMap, limits: tuple[float, float], dE: Callable[..., float],
    how: Any, q: Rules, energies: Array, sigmas: Array,
) -> None:  # fmt: skip
    """Write energies of S in GeV, and the cross section in pb that each stands for, of any kind of process.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    process : Process or BothLines
        Constants of the kernels.
    line : Process
        Those of the beam's line.
    em : EnergyMap
        Map of E_S at this beam energy.
    limits : (float, float)
        Energies of S in GeV; what lies outside the range of the map is left out.
    dE : function
        (E, process, E_S, how) -> d sigma/dE_S in pb/GeV.
    how : Rules or float
        What else `dE` takes.
    q : Rules
        Nodes of the quadrature; those in x are used here.
    energies, sigmas : array, shape (nodes in x,)
        Written. The sum of `sigmas` is the cross section between the limits.
    """
    last = em.low + em.span
    low, high = max(limits[0], em.low), min(limits[1], last)
    sigmas[:] = 0.0
    energies[:] = max(last, 2.0 * line.m_S)  # any momentum will do where nothing is made
    if not low < high:
        return
    start = scalar_energy_coordinate(low, em) if low > em.low else 0.0
    span = (scalar_energy_coordinate(high, em) if high < last else 1.0) - start
    for i in range(q.x.size):
        E_S, jacobian = scalar_energy(start + span * q.x[i], em)
        energies[i] = E_S
        sigmas[i] = span * q.x_w[i] * jacobian * dE(E, process, E_S, how)


@jit
def _iww_dE(E: float, process: Process, E_S: float, chi: float) -> float:
    """d sigma/dE_S in pb/GeV of IWW."""
    return dsigma_dx(E, E_S / E, process.m, process.m_S, process.weights, chi) / E


@jit
def spectrum_nodes(
    E: float, process: Process, low: float, high: float, chi: float | None, q: Rules, energies: Array, sigmas: Array
) -> None:
    """Write energies of S in GeV, and the cross section in pb that each stands for, between two energies of S.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    process : Process
        Constants of the kernels.
    low, high : float
        Energies of S in GeV; what lies outside the kinematic range is left out.
    chi : float or None
        None: the exact spectrum, or WW if `process` says so. A number: the photon flux of Eq. 13, for the spectrum of
        IWW. IWW knows no recoil, so that its range is m_S < E_S < E.
    q : Rules
        Nodes of the quadrature; those in x, u and t are used.
    energies, sigmas : array, shape (nodes in x,)
        Written. The sum of `sigmas` is the cross section between `low` and `high`.
    """
    if chi is None:
        em = energy_map(E, process)
        write_spectrum(E, process, process, em, (low, high), sigma_dE, q, q, energies, sigmas)
    else:
        em = energy_map_between(process.m_S, E, E, process)
        write_spectrum(E, process, process, em, (low, high), _iww_dE, chi, q, energies, sigmas)


@jit
def energies_of(E: Array, process: Any, map_at: Callable[..., EnergyMap], q: Rules) -> Array:
    """Energies of S in GeV at the nodes in x of any kind of process, shape (beam energies, nodes in x).

    Parameters
    ----------
    E : array
        Beam energies in GeV.
    process : Process or BothLines
        Constants of the kernels.
    map_at : function
        (E, process) -> map of E_S.
    q : Rules
        Nodes of the quadrature; those in x are used.
    """
    result = np.empty((E.size, q.x.size))
    for i in range(E.size):
        em = map_at(E[i], process)
        for j in range(q.x.size):
            result[i, j] = scalar_energy(q.x[j], em)[0]
    return result


@jit
def scalar_energies(E: Array, process: Process, q: Rules) -> Array:
    """Energies of S in GeV at the nodes of `spectrum_nodes` without limits, shape (beam energies, nodes in x).

    Parameters
    ----------
    E : array
        Beam energies in GeV.
    process : Process
        Constants of the kernels.
    q : Rules
        Nodes of the quadrature; those in x are used.
    """
    return energies_of(E, process, energy_map, q)


@jit
def energy_breaks(E: float, process: Process, em: EnergyMap, low: float, high: float) -> Array:
    """Limits of integration over E_S, with what the rules must not cross between them.

    That is the kink where S can no longer fly backward, and a narrow peak (`peak_breaks`).

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    process : Process
        Constants of the kernels.
    em : EnergyMap
        Map of E_S at this beam energy.
    low, high : float
        Energies of S in GeV.

    Returns
    -------
    array
        Coordinates of `em`, rising; a kink next to the highest energy is left out.
    """
    r_low = 0.0 if low <= em.low else scalar_energy_coordinate(low, em)
    r_high = 1.0 if high >= em.low + em.span else scalar_energy_coordinate(high, em)
    peak = peak_breaks(E, process, low, high)
    breaks = np.empty(peak.size + 3)
    breaks[0] = r_low
    for i in range(peak.size):
        breaks[i + 1] = scalar_energy_coordinate(peak[i], em)
    n = peak.size + 1
    kink_low, kink = scalar_energy_range(E, process.m, process.m_out, process.m_S, process.M, -1.0)
    if kink_low < kink < em.low + em.span:
        r = scalar_energy_coordinate(kink, em)
        if r_low < r < r_high and r < 0.995:
            breaks[n] = r
            n += 1
    breaks[n] = r_high
    return np.sort(breaks[: n + 1])


@jit
def integral_between(
    E: float, process: Any, line: Process, em: EnergyMap, dE: Callable[..., float], low: float, high: float, q: Rules
) -> float:
    """Cross section in pb of any kind of process with the energy of S between two limits.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    process : Process or BothLines
        Constants of the kernels.
    line : Process
        Those of the beam's line, for the limits of phase space.
    em : EnergyMap
        Map of E_S at this beam energy.
    dE : function
        (E, process, E_S, q) -> d sigma/dE_S in pb/GeV.
    low, high : float
        Energies of S in GeV.
    q : Rules
        Nodes of the quadrature; those in x are used here.
    """
    low = max(low, em.low)
    high = min(high, em.low + em.span)
    if high <= low:
        return 0.0
    breaks = energy_breaks(E, line, em, low, high)
    total = 0.0
    for piece in range(breaks.size - 1):
        start, width = breaks[piece], breaks[piece + 1] - breaks[piece]
        for i in range(q.x.size):
            E_S, jacobian = scalar_energy(start + width * q.x[i], em)
            total += width * q.x_w[i] * jacobian * dE(E, process, E_S, q)
    return total


@jit
def sigma_between(E: float, process: Process, low: float, high: float, q: Rules) -> float:
    """Cross section in pb at unit coupling with the energy of S between two limits.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    process : Process
        Constants of the kernels.
    low, high : float
        Energies of S in GeV.
    q : Rules
        Nodes of the quadrature; those in x, u and t are used.
    """
    return integral_between(E, process, process, energy_map(E, process), sigma_dE, low, high, q)


@jit
def bins_of_x(E: float, process: Any, edges: Array, between: Callable[..., float], q: Rules) -> Array:
    """Cross section in pb in bins of x = E_S/E of any kind of process.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    process : Process or BothLines
        Constants of the kernels.
    edges : array, shape (bins + 1,)
        Edges.
    between : function
        (E, process, low, high, q) -> cross section in pb with E_S between two limits.
    q : Rules
        Nodes of the quadrature.
    """
    result = np.zeros(edges.size - 1)
    for i in range(result.size):
        result[i] = between(E, process, edges[i] * E, edges[i + 1] * E, q)
    return result


@jit
def _x_bins(E: float, process: Process, edges: Array, q: Rules) -> Array:
    return bins_of_x(E, process, edges, sigma_between, q)


@jit
def _sigma_dcos(
    E: float, process: Any, line: Process, em: EnergyMap, dE_du: Callable[..., float], one_minus_cos_theta: float,
    q: Rules,
) -> float:  # fmt: skip
    """d sigma/dcos(theta) in pb at unit coupling."""
    low, high = scalar_energy_range(E, line.m, line.m_out, line.m_S, line.M, 1.0 - one_minus_cos_theta)
    if em.span <= 0.0 or high <= low:
        return 0.0
    r_low = 0.0 if low <= em.low else scalar_energy_coordinate(low, em)
    r_high = scalar_energy_coordinate(high, em)
    p = momentum(E, line.m)
    total = 0.0
    for i in range(q.x.size):
        E_S, jacobian = scalar_energy(r_low + (r_high - r_low) * q.x[i], em)
        two_pk = 2.0 * p * momentum(E_S, line.m_S)
        total += q.x_w[i] * jacobian * two_pk * dE_du(E, process, E_S, one_minus_cos_theta, q)
    return (r_high - r_low) * total


@jit
def bins_of_theta(
    E: float, process: Any, line: Process, em: EnergyMap, dE_du: Callable[..., float], edges: Array, q: Rules
) -> Array:
    """Cross section in pb in bins of the polar angle of S, of any kind of process.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    process : Process or BothLines
        Constants of the kernels.
    line : Process
        Those of the beam's line, for the limits of phase space.
    em : EnergyMap
        Map of E_S at this beam energy.
    dE_du : function
        (E, process, E_S, one_minus_cos_theta, q) -> d sigma/(dE_S d|u|) in pb/GeV^3.
    edges : array, shape (bins + 1,)
        Edges in rad.
    q : Rules
        Nodes of the quadrature; those in x, t and the bin are used.
    """
    result = np.zeros(edges.size - 1)
    for i in range(result.size):
        span = edges[i + 1] - edges[i]
        for j in range(q.bin.size):
            theta = edges[i] + q.bin[j] * span
            half = math.sin(0.5 * theta)
            density = _sigma_dcos(E, process, line, em, dE_du, 2.0 * half * half, q)
            result[i] += q.bin_w[j] * span * math.sin(theta) * density
    return result


@jit
def _theta_bins(E: float, process: Process, edges: Array, q: Rules) -> Array:
    return bins_of_theta(E, process, process, energy_map(E, process), sigma_dE_du, edges, q)


@jit
def u_range_at_t(E: float, process: Process, E_S: float, t: float) -> tuple[float, float]:
    """Smallest and largest |u| in GeV^2 at fixed E_S and t.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    process : Process
        Constants of the kernels.
    E_S : float
        Energy of S in GeV.
    t : float
        Momentum transfer squared in GeV^2.

    Returns
    -------
    low, high : float
        In GeV^2; low > high if this t is not possible.
    """
    recoil = 0.5 * t / process.M
    E_out = E - E_S - recoil
    if E_out < process.m_out:
        return 1.0, 0.0
    low, _, two_pk = u_range(E, E_S, process)
    q2 = t + recoil * recoil
    centre = t + 2.0 * recoil * (recoil - E + E_S)
    half = 2.0 * math.sqrt(q2) * momentum(E_out, process.m_out)
    return max(low, centre - half), min(low + 2.0 * two_pk, centre + half)


@jit
def energies_at_t(E: float, process: Process, em: EnergyMap, t: float) -> tuple[float, float]:
    """Coordinates between which E_S can lie at fixed t; both 0 if this t is not possible.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    process : Process
        Constants of the kernels.
    em : EnergyMap
        Map of E_S at this beam energy.
    t : float
        Momentum transfer squared in GeV^2.
    """
    # the largest |p'| + |k| of all E_S, at the same velocity of both: if t is not possible there, it is nowhere
    E_S = (E - 0.5 * t / process.M) * process.m_S / (process.m_out + process.m_S)
    u_low, u_high = u_range_at_t(E, process, E_S, t)
    if u_high <= u_low or not em.low < E_S < em.low + em.span:
        return 0.0, 0.0
    inside = scalar_energy_coordinate(E_S, em)
    return _edge(E, process, em, t, inside, 0.0), _edge(E, process, em, t, inside, 1.0)


@jit
def _edge(E: float, process: Process, em: EnergyMap, t: float, inside: float, outside: float) -> float:
    """Coordinate of E_S where t ceases to be possible, by bisection; it is possible at `inside`, not at `outside`."""
    for _ in range(50):
        middle = 0.5 * (inside + outside)
        low, high = u_range_at_t(E, process, scalar_energy(middle, em)[0], t)
        if high > low:
            inside = middle
        else:
            outside = middle
    return inside


@jit
def _sigma_dt(E: float, process: Process, t: float, q: Rules) -> float:
    """d sigma/dt in pb/GeV^2 at unit coupling."""
    em = energy_map(E, process)
    if em.span <= 0.0:
        return 0.0
    r_low, r_high = energies_at_t(E, process, em, t)
    bare = without_form_factor(process)
    total = 0.0
    for i in range(q.x.size):
        E_S, dE = scalar_energy(r_low + (r_high - r_low) * q.x[i], em)
        u_low, u_high = u_range_at_t(E, process, E_S, t)
        u_first, _, two_pk = u_range(E, E_S, process)
        if u_high <= u_low or two_pk <= 0.0:
            continue
        panels = 1 + int(math.log(u_high / u_low) / U_PANEL)
        width = math.log(u_high / u_low) / panels
        u = np.empty(panels * q.t.size)
        weight = np.empty(u.size)
        for panel in range(panels):
            for j in range(q.t.size):
                u[panel * q.t.size + j] = panel + q.t[j]
                weight[panel * q.t.size + j] = q.x_w[i] * dE * q.t_w[j] * width
        for k in range(u.size):
            u[k] = u_low * exp(u[k] * width)
        for k in range(u.size):
            e = emission(E, process.m, process.m_out, process.m_S, process.M, E_S, max(0.0, (u[k] - u_first) / two_pk))
            density = pointlike_density(E, bare, e, t, t - e.t_min)
            weight[k] *= u[k] * density if e.t_min < t < e.t_max else 0.0
        for k in range(u.size):
            total += weight[k]
    return (r_high - r_low) * G2(t, process.ff) * total


@jit
def bins_of_t(E: float, process: Process, edges: Array, q: Rules) -> Array:
    """Cross section in pb at unit coupling in bins of t.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    process : Process
        Constants of the kernels.
    edges : array, shape (bins + 1,)
        Edges in GeV^2, positive and rising.
    q : Rules
        Nodes of the quadrature; those in x and t (which here serve for |u|) and in the bin are used.

    Returns
    -------
    array, shape (bins,)
    """
    result = np.zeros(edges.size - 1)
    for i in range(result.size):
        width = math.log(edges[i + 1] / edges[i])
        for j in range(q.bin.size):
            t = edges[i] * math.exp(q.bin[j] * width)
            result[i] += q.bin_w[j] * width * t * _sigma_dt(E, process, t, q)
    return result


class Integrals(NamedTuple):
    """How the cross section of a kind of process is integrated; the functions are those here of the same name."""

    between: Callable[..., float]  #: `sigma_between`
    nodes: Callable[..., None]  #: `spectrum_nodes`
    energies: Callable[..., Array]  #: `scalar_energies`
    bins: dict[str, tuple[Callable[..., Array], tuple[int, int, int, int]]]  #: of a spectrum, and their rules
    rules: tuple[tuple[int, int, int, int], ...] = (FINE, COARSE, COARSER)  #: of the value, and of its error


#: type of the constants of a process -> its integrals
INTEGRALS: dict[type, Integrals] = {
    Process: Integrals(
        sigma_between,
        spectrum_nodes,
        scalar_energies,
        {"x": (_x_bins, FINE), "theta": (_theta_bins, FIXED_ANGLE), "t": (bins_of_t, FIXED_T)},
    )
}


def between(E: float, process: Any, low: float, high: float, q: Rules) -> float:
    """`sigma_between` of any kind of process."""
    return INTEGRALS[type(process)].between(E, process, low, high, q)


def bins(process: Any) -> dict[str, tuple[Callable[..., Array], tuple[int, int, int, int]]]:
    """Spectra that a kind of process has: x, theta, t."""
    return INTEGRALS[type(process)].bins


def sigma(E: float, process: Any) -> tuple[float, float]:
    """Cross section and its numerical error in pb at unit coupling; (0, 0) below threshold.

    The error is judged from two coarser rules, since a single difference can vanish by chance.
    """
    own = INTEGRALS[type(process)]
    value, *others = (own.between(E, process, 0.0, E, rules(*n)) for n in own.rules)
    coarse, coarser = (abs(value - other) for other in others)
    return value, max(2.0 * coarse, 0.5 * coarser) + 1e-8 * value


def standard_edges(E: float, process: Any, variable: str) -> Array:
    """Forty bins: x linear up to its maximum, t from its minimum to 10 GeV^2, theta up to pi in equal ratios."""
    masses = process.m, process.m_out, process.m_S, process.M
    if variable == "x":
        return np.linspace(0.0, scalar_energy_range(E, *masses, 1.0)[1] / E, BINS + 1)
    if variable == "theta":
        return np.concatenate([[0.0], np.geomspace(0.01 * process.m / E, math.pi, BINS)])
    t_min, t_max = t_range(E, *masses)
    return np.geomspace(t_min, min(10.0, t_max), BINS + 1)


def spectrum(E: float, process: Any, variable: str, edges: Array) -> Array:
    """Cross section per bin in pb at unit coupling.

    Parameters
    ----------
    E : float
        Beam energy in GeV.
    process : Process
    variable : {"x", "t", "theta"}
        E_S/E, momentum transfer squared in GeV^2, angle of S in rad.
    edges : array, shape (n + 1,)
        Increasing; t > 0.

    Returns
    -------
    array, shape (n,)
    """
    if process.threshold >= E:
        return np.zeros(len(edges) - 1)
    integrate, nodes = INTEGRALS[type(process)].bins[variable]
    # a wide bin gets the nodes of all the standard ones in it
    inside = standard_edges(E, process, variable)
    if variable == "theta":
        inside = np.union1d(inside, largest_angle(E, process.m, process.m_out, process.m_S, process.M))
    finer = np.union1d(edges, inside[(inside > edges[0]) & (inside < edges[-1])])
    bins = integrate(E, process, finer, rules(*nodes))
    return np.add.reduceat(bins, np.searchsorted(finer, edges[:-1]))
