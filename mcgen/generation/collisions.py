"""Events of colliding beams: the energy of S from cells, all else from its exact distribution.

Each cell of energy has a ceiling above the closed spectrum, so nearly every trial is accepted. That the distributions
are those of |M|^2 is checked before any event is made: an integral over flat angles must give the same cross section.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.errors import ClosureError, refuse_if
from mcgen.base.estimate import Estimate, expected_trials, mean_of
from mcgen.base.jit import jit
from mcgen.base.rng import EVENTS, INTEGRATION, uniforms
from mcgen.events.branches import ROW
from mcgen.generation.stages import AFTER_TRIALS
from mcgen.physics.collider.amplitude import Collision, energy_range, h_beams, radiation
from mcgen.physics.collider.cross_section import energy_bins, h_spectrum, sigma, unit
from mcgen.physics.collider.event_map import Frame, boosted, draw_cos_theta, draw_delta, draw_psi, final_state
from mcgen.source.boson import Boson
from mcgen.source.collisions import Collisions
from mcgen.source.targets import POSITRON

#: cells in each half of the range of energies, places in a cell at which its ceiling is sought, and what is added to it
CELLS, PLACES, MARGIN = 256, 9, 1.002
#: points of the integral over E that fixes the normalisation, and of that over all variables that checks it
INTEGRATION_POINTS, CHECK_POINTS = 1 << 17, 1 << 16

_ROWS = tuple(ROW[name] for name in ("weight", "E_mu", "depth_cm", "x", "t", "target_Z", "target_A"))
_MU_IN, _MU_OUT, _S, _N_OUT = (ROW[f"{name}_px"] for name in ("mu_in", "mu_out", "S", "N_out"))
_VERTEX, _TAU, _DECAY = ROW["vertex_x_cm"], ROW["tau"], ROW["decay_x_cm"]
_WEIGHT, _E_MU, _DEPTH, _X, _T, _Z, _A = _ROWS
_POSITRON_Z, _POSITRON_A = POSITRON.Z, POSITRON.A


class Cells(NamedTuple):
    """Intervals of energy, each with a ceiling: in eta, E = m_S cosh(eta), below the middle, in sqrt(E_max - E) above.

    Arrays have shape (cells,).
    """

    low: Array  #: begin of a cell
    width: Array
    ceiling: Array  #: of d sigma over d(eta) or d(root), pb
    until: Array  #: cumulative shares of ceiling times width
    total: float  #: their sum, pb


@jit
def energy_at(c: Collision, lower: bool, value: float) -> tuple[float, float, float]:
    """(E - m_S, E_max - E, dE/dvalue) in GeV, at eta in the lower half and at sqrt(E_max - E) in the upper one."""
    whole = energy_range(c)
    if lower:
        half = math.sinh(0.5 * value)
        above = 2.0 * c.m_S * half * half
        return above, whole - above, c.m_S * math.sinh(value)
    below = value * value
    return whole - below, below, 2.0 * value


@jit
def density(c: Collision, lower: bool, value: float) -> float:
    """d sigma/dvalue in units of `cross_section.unit`."""
    above, below, slope = energy_at(c, lower, value)
    return h_spectrum(c, above, below)[0] * slope


@jit
def _ceilings(c: Collision, low: Array, width: Array, places: int, out: Array) -> None:
    half = low.size // 2
    for i in range(low.size):
        most = 0.0
        for j in range(places):
            most = max(most, density(c, i < half, low[i] + width[i] * j / (places - 1)))
        out[i] = most


def cells(c: Collision) -> Cells:
    """Cells for a collision above threshold."""
    whole = energy_range(c)
    ends = 2.0 * math.asinh(math.sqrt(0.25 * whole / c.m_S)), math.sqrt(0.5 * whole)
    edges = [np.linspace(0.0, end, CELLS + 1) for end in ends]
    low, width = (np.concatenate(parts) for parts in zip(*((e[:-1], np.diff(e)) for e in edges), strict=True))
    ceiling = np.empty(low.size)
    _ceilings(c, low, width, PLACES, ceiling)
    ceiling *= MARGIN * unit(c)
    until = np.cumsum(ceiling * width)
    return Cells(low, width, ceiling, until / until[-1], float(until[-1]))


@jit
def draw_energy(c: Collision, k: Cells, per_pb: float, u_cell: float, u: float) -> tuple[float, float, float]:
    """(E - m_S, E_max - E, f): a proposal, and its spectrum over the ceiling."""
    i = min(int(np.searchsorted(k.until, u_cell, side="right")), k.until.size - 1)
    value = k.low[i] + k.width[i] * u
    lower = i < k.low.size // 2
    above, below, slope = energy_at(c, lower, value)
    return above, below, h_spectrum(c, above, below)[0] * slope * per_pb / k.ceiling[i]


@jit
def integrate(c: Collision, k: Cells, per_pb: float, seed: np.uint64, points: int) -> tuple[float, float, float, float]:
    """Sums of f, f^2, min(1, f) and its square over the proposals of energies."""
    f_sum, f2_sum, cut_sum, cut2_sum = 0.0, 0.0, 0.0, 0.0
    for i in range(points):
        u = uniforms(seed, np.uint64(INTEGRATION), np.uint64(i), np.uint64(0))
        f = draw_energy(c, k, per_pb, u[0], u[1])[2]
        cut = min(1.0, f)
        f_sum += f
        f2_sum += f * f
        cut_sum += cut
        cut2_sum += cut * cut
    return f_sum, f2_sum, cut_sum, cut2_sum


@jit
def _from_amplitude(c: Collision, k: Cells, per_pb: float, seed: np.uint64, points: int) -> tuple[float, float]:
    """Sum and sum of squares of d sigma over the density of points that are flat in y, cos(theta) and psi.

    Nothing is used of the sums over directions and of the integrals over Delta but H(x) + H(y) itself.
    """
    total, squares = 0.0, 0.0
    for i in range(points):
        u = uniforms(seed, np.uint64(INTEGRATION), np.uint64(i), np.uint64(1))
        v = uniforms(seed, np.uint64(INTEGRATION), np.uint64(i), np.uint64(2))
        j = min(int(np.searchsorted(k.until, u[0], side="right")), k.until.size - 1)
        above, below, slope = energy_at(c, j < k.low.size // 2, k.low[j] + k.width[j] * u[1])
        r = radiation(c, above, below)
        last = 0.5 * math.log1p(2.0 * r.D * (r.D + r.E) / r.R0)
        y = last * (2.0 * u[2] - 1.0)
        per_y = r.E / math.cosh(y) ** 2
        h = h_beams(c, r, r.E * math.tanh(y), 2.0 * u[3] - 1.0, math.cos(2.0 * math.pi * v[0]))
        # of H_tot dDelta: the mean of H(x) + H(y) over directions is two thirds of it
        value = 1.5 * h * 2.0 * last * per_y * slope * per_pb / k.ceiling[j]
        total += value
        squares += value * value
    return total, squares


def monte_carlo(c: Collision, points: int, seed: int) -> Estimate:
    """Cross section in pb at unit coupling from |M|^2 at random points of phase space.

    Parameters
    ----------
    c : Collision
        Above threshold.
    points, seed : int
        Number of points, and seed of their random numbers.
    """
    k = cells(c)
    total, squares = _from_amplitude(c, k, unit(c), np.uint64(seed), points)
    return mean_of(total, squares, points).times(k.total)


class Setting(NamedTuple):
    """What the kernel needs besides the process."""

    frame: Frame
    per_pb: float  #: `cross_section.unit`
    unweighted: bool
    unit_weight: float  #: weight of an event with f = 1, pb
    length_per_momentum: float  #: L_S/k at the reference coupling, cm/GeV


@jit
def _store(f: Frame, row: int, p: tuple[float, float, float, float], out: Array, i: int) -> None:
    out[row, i], out[row + 1, i], out[row + 2, i], out[row + 3, i] = boosted(f, p[0], p[1], p[2], p[3])


@jit
def fill(c: Collision, k: Cells, setting: Setting, seed: np.uint64, first: int, out: Array) -> int:
    """Make the events numbered from `first` in the columns of `out`, and return the number of trials.

    Parameters
    ----------
    c : Collision
    k : Cells
    setting : Setting
    seed : uint64
        Of the random numbers.
    first : int
        Number of the first event.
    out : array, shape (branches, events)
        Written: all of `FLOAT_BRANCHES`.
    """
    trials = 0
    frame = setting.frame
    for i in range(out.shape[1]):
        event = np.uint64(first + i)
        trial, above, below, f = 0, 0.0, 0.0, 0.0
        while True:
            u = uniforms(seed, np.uint64(EVENTS), event, np.uint64(trial))
            above, below, f = draw_energy(c, k, setting.per_pb, u[0], u[1])
            trial += 1
            if not setting.unweighted or u[2] < f:
                break
        trials += trial
        r = radiation(c, above, below)
        u = uniforms(seed, np.uint64(EVENTS), event, np.uint64(AFTER_TRIALS))
        v = uniforms(seed, np.uint64(EVENTS), event, np.uint64(AFTER_TRIALS + 1))
        Delta = draw_delta(c, r, u[0])
        cos_theta = draw_cos_theta(c, r, Delta, u[1], u[2])
        psi = draw_psi(c, r, Delta, cos_theta, u[3])
        minus, S, plus = final_state(c, r, Delta, cos_theta, 2.0 * math.pi * v[0], psi)
        out[_WEIGHT, i] = setting.unit_weight * (max(1.0, f) if setting.unweighted else f)
        out[_E_MU, i] = frame.E_first
        out[_DEPTH, i] = 0.0
        out[_X, i] = 2.0 * r.E / c.sqrt_s
        out[_T, i] = c.sqrt_s * c.sqrt_s
        out[_Z, i] = _POSITRON_Z
        out[_A, i] = _POSITRON_A
        out[_MU_IN, i], out[_MU_IN + 1, i] = 0.0, 0.0
        out[_MU_IN + 2, i], out[_MU_IN + 3, i] = frame.p_first, frame.E_first
        _store(frame, _MU_OUT, minus, out, i)
        _store(frame, _S, S, out, i)
        _store(frame, _N_OUT, plus, out, i)
        tau = -math.log(v[1])
        out[_TAU, i] = tau
        for axis in range(3):
            out[_VERTEX + axis, i] = 0.0
            out[_DECAY + axis, i] = tau * setting.length_per_momentum * out[_S + axis, i]
    return trials


@dataclass(frozen=True, slots=True)
class PreparedCollisions:
    """Colliding beams made ready to generate; the same as `normalisation.PreparedSource` of a target."""

    source: Collisions
    m_S: float
    seed: int
    process: Collision
    cells: Cells
    mean: Estimate  #: of f
    accepted: Estimate  #: of min(1, f)
    expected: Estimate  #: pb at unit coupling by quadrature
    edges: Array  #: of the bins of `binned`
    shares: Array  #: expected share of the events in each bin
    errors: Array  #: errors of these shares

    #: the branch whose shares are compared with the quadrature
    binned = "x"
    points = INTEGRATION_POINTS

    def total(self, weighted: bool) -> Estimate:
        """Cross section in pb by Monte Carlo: from the mean of f if weighted, else from that of min(1, f)."""
        return (self.mean if weighted else self.accepted).times(self.cells.total)

    def trials(self) -> tuple[Estimate, float]:
        """Trials that an unweighted event takes: their mean, and their variance."""
        return expected_trials([1.0], [self.accepted])

    @property
    def overweight(self) -> float:
        """Share of the cross section that lies above the ceiling of its cell."""
        return 1.0 - self.accepted.value / self.mean.value

    @property
    def bins(self) -> dict[str, Any]:
        """The bins, as metadata have them."""
        return {"variable": self.binned, "edges": self.edges.tolist()}

    @property
    def sigma(self) -> list[dict[str, Any]]:
        """The cross section, as metadata have it."""
        return [{"target": POSITRON.name, "energy_gev": self.process.sqrt_s, "sigma_pb": self.expected.value}]

    def filler(self, events: int, weighted: bool) -> Callable[[int, Array], int]:
        """What makes events: takes the number of the first one and the array to fill, gives the number of trials."""
        card = self.source.card
        per_momentum = Boson(card, card.scalar.model, self.m_S).length_per_momentum(card.scalar.g_mu)
        unit_weight = self.cells.total if weighted else self.total(weighted).value
        c = self.process
        setting = Setting(self.source.frame, unit(c), not weighted, unit_weight / events, per_momentum)

        def columns(first: int, out: Array) -> int:
            made = np.empty(out.shape)  # side by side in memory, whatever part of an array `out` is: compiled once
            trials: int = fill(c, self.cells, setting, np.uint64(self.seed), first, made)
            out[:] = made
            return trials

        return columns


def prepare(source: Collisions, m_S: float, seed: int, max_pull: float) -> PreparedCollisions:
    """Build the cells and integrate over them; an integral over |M|^2 itself must agree with the quadrature.

    Parameters
    ----------
    source : Collisions
    m_S : float
        Mass of S in GeV.
    seed : int
        Of the random numbers of the integration, and of the events to come.
    max_pull : float
        Standard deviations at which they disagree.

    Raises
    ------
    ClosureError
        If they do.
    """
    c = source.process(m_S)
    value, error = sigma(c)
    check = monte_carlo(c, CHECK_POINTS, seed)
    message = f"sigma: |M|^2 gives {check.value:.6g} +- {check.error:.2g} pb, and the quadrature {value:.6g} pb"
    refuse_if(not abs(check.pull(value)) < max_pull, message, ClosureError)
    k = cells(c)
    f, f2, cut, cut2 = integrate(c, k, unit(c), np.uint64(seed), INTEGRATION_POINTS)
    means = mean_of(f, f2, INTEGRATION_POINTS), mean_of(cut, cut2, INTEGRATION_POINTS)
    low, high = 2.0 * m_S / c.sqrt_s, 2.0 * (m_S + energy_range(c)) / c.sqrt_s
    edges = np.geomspace(low * (1.0 - 1e-9), high * (1.0 + 1e-9), 16)
    shares = energy_bins(c, 0.5 * c.sqrt_s * edges) / value
    expected = Estimate(value, error, math.inf)
    return PreparedCollisions(source, m_S, seed, c, k, *means, expected, edges, shares, np.full(15, 1e-9))
