"""Importance sampling of (E, E_S, theta_S, t) on a lattice of cells, and exact sampling of the azimuth.

The unit cube (r_E, r_x, r_u, r_t) of `phase_space`, with the beam energy uniform in its range, is cut along each
axis where the integrand changes most. A cell is proposed with a probability proportional to its volume times the
largest value of the integrand on its corners; the point is uniform inside. The ratio f of the integrand to that
value is the weight: 0.7 to 0.95 on average, above 1 in a few points of 1e5. Accepting with probability min(1, f)
makes events of weight max(1, f), so nothing is lost where a corner underestimates its cell.

The azimuth phi_q is not a dimension of the lattice: the integrand is averaged over it in closed form, and an accepted
point draws it from its exact conditional distribution.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mcgen._jit import jit
from mcgen.physics.amplitude import AzimuthalForm, Process
from mcgen.physics.phase_space import EnergyMap, Point, energy_map, map_point, rescaled
from mcgen.rng import uniforms

Array = NDArray[np.float64]

SURVEY_POINTS = 1 << 16
SURVEY_BINS = 64
#: cells along E, x, u, t for a beam that slows down in the target, and for one that does not
THICK, THIN = (10, 28, 18, 28), (1, 40, 32, 40)
#: cos(psi) at which the density of the azimuth is looked at for its largest value
_SCAN = tuple(math.cos(0.125 * math.pi * i) for i in range(9))


class Lattice(NamedTuple):
    """Cells of the unit cube with their proposal probabilities (an alias table)."""

    E_low: float
    E_high: float
    energies: EnergyMap  #: map of E_S at E_high, stretched at lower energies
    edges_E: Array
    edges_x: Array
    edges_u: Array
    edges_t: Array
    threshold: Array  #: alias table: keep the cell below this fraction,
    alias: NDArray[np.int64]  #: else take this one
    ceiling: Array  #: largest corner value of each cell, pb GeV per unit volume
    total: float  #: sum of ceiling * volume in pb GeV: the integral is total * <f>


@jit
def energy_span(E_low: float, E_high: float) -> float:
    """Width of the range of beam energies, 1 if it is a single one."""
    return E_high - E_low if E_high > E_low else 1.0


@jit
def integrand(
    E_low: float, E_high: float, process: Process, em: EnergyMap, r_E: float, r_x: float, r_u: float, r_t: float
) -> float:
    """Cross section times beam energy range per unit volume of the cube, in pb GeV; in pb at a single energy."""
    E = E_low + r_E * (E_high - E_low)
    return energy_span(E_low, E_high) * map_point(E, process, rescaled(em, E, process), r_x, r_u, r_t).weight


@jit
def _survey(E_low: float, E_high: float, process: Process, em: EnergyMap, points: int, bins: int) -> Array:
    """Marginal of the integrand along each axis, from an additive recurrence (R_4 sequence)."""
    marginal = np.zeros((4, bins))
    step = 0.8566748838545029  # root of x^5 = x + 1, inverted
    r = np.empty(4)
    for i in range(points):
        for axis in range(4):
            r[axis] = ((i + 0.5) * step ** (axis + 1)) % 1.0
        value = integrand(E_low, E_high, process, em, r[0], r[1], r[2], r[3])
        for axis in range(4):
            marginal[axis, min(bins - 1, int(r[axis] * bins))] += value
    return marginal


def _axis_edges(marginal: Array, cells: int) -> Array:
    """Edges at equal steps of sqrt(|slope|): the choice that loses least for a ceiling per cell."""
    bins = marginal.size
    padded = np.pad(marginal, 1, mode="edge")
    smooth = 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]
    density = np.sqrt(np.abs(np.gradient(smooth)) * bins + 0.1 * smooth)
    cumulative = np.concatenate([[0.0], np.cumsum(density + 1e-3 * density.mean())])
    return np.interp(np.linspace(0.0, 1.0, cells + 1), cumulative / cumulative[-1], np.linspace(0.0, 1.0, bins + 1))


@jit
def _corners(
    E_low: float,
    E_high: float,
    process: Process,
    em: EnergyMap,
    edges_E: Array,
    edges_x: Array,
    edges_u: Array,
    edges_t: Array,
) -> Array:
    values = np.empty((edges_E.size, edges_x.size, edges_u.size, edges_t.size))
    for i in range(edges_E.size):
        for j in range(edges_x.size):
            for k in range(edges_u.size):
                for n in range(edges_t.size):
                    values[i, j, k, n] = integrand(
                        E_low, E_high, process, em, edges_E[i], edges_x[j], edges_u[k], edges_t[n]
                    )
    return values


@jit
def _alias_table(weights: Array) -> tuple[Array, NDArray[np.int64]]:
    """Vose's alias table: one uniform number draws an index in proportion to its weight."""
    n = weights.size
    threshold = weights * (n / weights.sum())
    alias = np.arange(n)
    small = np.empty(n, np.int64)
    large = np.empty(n, np.int64)
    n_small = 0
    n_large = 0
    for i in range(n):
        if threshold[i] < 1.0:
            small[n_small] = i
            n_small += 1
        else:
            large[n_large] = i
            n_large += 1
    while n_small > 0 and n_large > 0:
        n_small -= 1
        i = small[n_small]
        j = large[n_large - 1]
        alias[i] = j
        threshold[j] -= 1.0 - threshold[i]
        if threshold[j] < 1.0:
            n_large -= 1
            small[n_small] = j
            n_small += 1
    for i in range(n_small):
        threshold[small[i]] = 1.0
    for i in range(n_large):
        threshold[large[i]] = 1.0
    return threshold, alias


def build_lattice(E_low: float, E_high: float, process: Process) -> Lattice:
    """Adapt the cells to a process and a range of beam energies in GeV."""
    shape = THIN if E_high - E_low < 0.01 * E_high else THICK
    em = energy_map(E_high, process)
    marginals = _survey(E_low, E_high, process, em, SURVEY_POINTS, SURVEY_BINS)
    edges = [_axis_edges(marginal, cells) for marginal, cells in zip(marginals, shape, strict=True)]
    ceiling = _corners(E_low, E_high, process, em, *edges)
    for axis in range(4):
        lower, upper = (np.take(ceiling, range(i, ceiling.shape[axis] - 1 + i), axis) for i in (0, 1))
        ceiling = np.maximum(lower, upper)
    volume = np.einsum("a,b,c,d->abcd", *(np.diff(e) for e in edges))
    # half a percent for maxima inside a cell, and no cell without any chance
    ceiling = 1.005 * ceiling + 1e-6 * float(np.sum(ceiling * volume))
    weights = (ceiling * volume).ravel()
    threshold, alias = _alias_table(weights)
    along_E, along_x, along_u, along_t = edges
    total = float(weights.sum())
    return Lattice(E_low, E_high, em, along_E, along_x, along_u, along_t, threshold, alias, ceiling.ravel(), total)


@jit
def propose(
    lattice: Lattice, process: Process, seed: np.uint64, stream: np.uint64, event: np.uint64, trial: int
) -> tuple[float, Point, float, float]:
    """Draw a point: (beam energy, point, f, a spare uniform number to accept with)."""
    u_cell, u_accept, _, _ = uniforms(seed, stream, event, np.uint64(2 * trial))
    u_E, u_x, u_u, u_t = uniforms(seed, stream, event, np.uint64(2 * trial + 1))
    scaled = u_cell * lattice.threshold.size
    cell = int(scaled)
    if scaled - cell >= lattice.threshold[cell]:
        cell = lattice.alias[cell]
    n_x = lattice.edges_x.size - 1
    n_u = lattice.edges_u.size - 1
    n_t = lattice.edges_t.size - 1
    rest, i_t = divmod(cell, n_t)
    rest, i_u = divmod(rest, n_u)
    i_E, i_x = divmod(rest, n_x)
    r_E = lattice.edges_E[i_E] + u_E * (lattice.edges_E[i_E + 1] - lattice.edges_E[i_E])
    r_x = lattice.edges_x[i_x] + u_x * (lattice.edges_x[i_x + 1] - lattice.edges_x[i_x])
    r_u = lattice.edges_u[i_u] + u_u * (lattice.edges_u[i_u + 1] - lattice.edges_u[i_u])
    r_t = lattice.edges_t[i_t] + u_t * (lattice.edges_t[i_t + 1] - lattice.edges_t[i_t])
    E = lattice.E_low + r_E * (lattice.E_high - lattice.E_low)
    point = map_point(E, process, rescaled(lattice.energies, E, process), r_x, r_u, r_t)
    return E, point, energy_span(lattice.E_low, lattice.E_high) * point.weight / lattice.ceiling[cell], u_accept


@jit
def integrate(
    lattice: Lattice, process: Process, seed: np.uint64, stream: np.uint64, first: int, points: int
) -> tuple[float, float, float]:
    """Sums of f, f^2 and min(1, f) over proposed points numbered from `first`."""
    total = 0.0
    squares = 0.0
    accepted = 0.0
    for i in range(first, first + points):
        _, _, f, _ = propose(lattice, process, seed, stream, np.uint64(i), 0)
        total += f
        squares += f * f
        accepted += min(1.0, f)
    return total, squares, accepted


@jit
def _scaled_amplitude(form: AzimuthalForm, y: float) -> tuple[float, float]:
    """(A s, cos(phi_q)) at y = cos(psi), where psi is uniform if phi_q has density 1/s."""
    a = form.s_min + form.b
    c = (a * y + form.b) / (a + form.b * y)
    inverse_s = (a + form.b * y) / (form.s_min * (a + form.b))
    return form.n10 + c * (form.n11 + c * form.n12) + inverse_s * (form.n20 + c * (form.n21 + c * form.n22)), c


@jit
def sample_azimuth(
    form: AzimuthalForm, seed: np.uint64, stream: np.uint64, event: np.uint64, block: int
) -> tuple[float, float, float]:
    """(cos, sin of phi_q, excess): phi_q from A(phi_q), by rejection from 1/s.

    A s is smooth in psi, so its largest value on nine points, 2 % added, bounds it; `excess` is 1 unless
    the bound was too low, then the factor that the event's weight needs.
    """
    bound = 0.0
    for y in _SCAN:
        bound = max(bound, _scaled_amplitude(form, y)[0])
    bound *= 1.02
    while True:
        u_1, u_2, u_3, u_4 = uniforms(seed, stream, event, np.uint64(block))
        for u_psi, u_accept in ((u_1, u_2), (u_3, u_4)):
            value, c = _scaled_amplitude(form, math.cos(2.0 * math.pi * u_psi))
            if value >= u_accept * bound:
                sine = math.sqrt(max(0.0, (1.0 - c) * (1.0 + c)))
                return c, sine if u_psi < 0.5 else -sine, max(1.0, value / bound)
        block += 1
