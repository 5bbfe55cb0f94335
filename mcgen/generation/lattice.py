"""Importance sampling of (E, E_S, theta_S, t) on a lattice of cells.

The unit cube of (r_E, r_x, r_u, r_t), the place on the beam's track and the coordinates of `phase_space`, is cut
into equal cells. A cell is proposed with a probability proportional to the largest value of the integrand on its
corners; the point is uniform inside. The ratio f of the integrand to that value is the weight: 0.74 to 0.9 on
average, above 1 in a few points of 1e5. Accepting with probability min(1, f) makes events of weight max(1, f), so
nothing is lost where a corner underestimates its cell.

The azimuth phi_q is not a dimension of the lattice: the integrand is averaged over it in closed form, and an accepted
point draws it from its exact conditional distribution (`mcgen.generation.stages`).

The maps of `phase_space` leave so little to adapt that cells of adapted width gain only 0.02 in the mean of f.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple

import numpy as np

from mcgen.base.arrays import Array, Numbers
from mcgen.base.jit import jit, ready
from mcgen.base.rng import philox, uniform
from mcgen.generation.stages import (
    CEILING,
    CELL,
    DEPTH,
    E_BEAM,
    R_T,
    R_U,
    R_X,
    ROOM,
    SIZE,
    STAGES,
    U_ACCEPT,
    F,
    Stages,
    new_block,
)
from mcgen.source.beam_nodes import TargetComponent, groups, thin
from mcgen.source.track import Track, energy_at, linear

Cells = tuple[int, int, int, int]

#: cells along E, x, u, t for a beam that slows down in the target, and for one that does not
THICK, THIN = (10, 28, 18, 28), (1, 40, 32, 40)


class Lattice(NamedTuple):
    """Cells of the unit cube with their proposal probabilities (an alias table)."""

    track: Track
    energies: Any  #: map of E_S at the highest energy, stretched at lower ones
    cells_E: int  #: number of cells along each axis
    cells_x: int
    cells_u: int
    cells_t: int
    #: of each cell: it is kept below this fraction, else that cell is taken; ceiling, the largest corner value in pb,
    #: of the one and of the other; side by side, as what is far apart in memory takes time to fetch
    table: Array
    total: float  #: mean of ceiling in pb: the mean cross section on the track is total * <f>


@jit
def _corner_rays(track: Track, cells: Cells, first: int, block: Array, n: int) -> None:
    """Write beam energy and coordinates of rays on the corners of the lattice, numbered from `first`, into a block."""
    for i in range(n):
        rest, i_u = divmod(first + i, cells[2] + 1)
        i_E, i_x = divmod(rest, cells[1] + 1)
        block[E_BEAM + i] = energy_at(track, i_E / cells[0])
        block[R_X + i] = i_x / cells[1]
        block[R_U + i] = i_u / cells[2]
        block[CEILING + i] = 1.0


def _corners(track: Track, process: Any, energies: Any, cells: Cells, stages: Stages) -> Array:
    """Cross section per unit volume of the cube in pb, on the corners of all cells."""
    shape = [n + 1 for n in cells]
    values = np.empty((math.prod(shape[:3]), shape[3]))
    block = new_block()
    rays, weigh = ready(stages.rays, process, energies, block), ready(stages.weigh, process, block)
    for first in range(0, len(values), SIZE):
        n = min(SIZE, len(values) - first)
        _corner_rays(track, cells, first, block, n)
        rays(n)
        for i_t in range(shape[3]):
            block[R_T : R_T + n] = i_t / cells[3]
            weigh(n)
            values[first : first + n, i_t] = block[F : F + n]
    return values.reshape(shape)


@jit
def _fill_table(threshold: Array, alias: Numbers, waiting: Numbers) -> None:
    """Vose's alias table from weights of mean 1: those below it wait at its front, the others at its end."""
    n = threshold.size
    n_small = 0
    n_large = 0
    for i in range(n):
        if threshold[i] < 1.0:
            waiting[n_small] = i
            n_small += 1
        else:
            n_large += 1
            waiting[n - n_large] = i
    while n_small > 0 and n_large > 0:
        n_small -= 1
        i = waiting[n_small]
        j = waiting[n - n_large]
        alias[i] = j
        threshold[j] -= 1.0 - threshold[i]
        if threshold[j] < 1.0:
            n_large -= 1
            waiting[n_small] = j
            n_small += 1
    for i in range(n_small):
        threshold[waiting[i]] = 1.0
    for i in range(n_large):
        threshold[waiting[n - 1 - i]] = 1.0


def _alias_table(weights: Array) -> tuple[Array, Numbers]:
    """Vose's alias table: one uniform number draws an index in proportion to its weight."""
    threshold = weights * (weights.size / np.cumsum(weights)[-1])
    alias = np.arange(weights.size)
    _fill_table(threshold, alias, np.empty_like(alias))
    return threshold, alias


def build_lattice(track: Track, process: Any, stages: Stages | None = None) -> Lattice:
    """Cells and ceilings for a process on a track."""
    stages = stages or STAGES[type(process)]
    high, low = track.E[0], track.E[-1]
    energies = stages.energy_map(high, process)
    cells = THIN if thin(high, low) else THICK
    ceiling = _corners(track, process, energies, cells, stages)
    for axis in range(4):
        along = np.moveaxis(ceiling, axis, 0)
        ceiling = np.moveaxis(np.maximum(along[:-1], along[1:]), 0, axis)
    # half a percent more for maxima inside a cell, and a little everywhere, so that no cell is never proposed
    ceiling = (1.005 * ceiling + 1e-6 * ceiling.mean()).ravel()
    threshold, alias = _alias_table(ceiling)
    table = np.stack([threshold, alias, ceiling, ceiling[alias]], axis=1)
    return Lattice(track, energies, *cells, table, float(ceiling.mean()))


def build_lattices(components: Sequence[TargetComponent], processes: Sequence[Any], workers: Executor) -> list[Lattice]:
    """A lattice for each component; thin layers of one element share their cells."""
    process_of = {id(component): process for component, process in zip(components, processes, strict=True)}
    shared: list[list[TargetComponent]] = []
    for group in groups(components):
        shared += [[component] for component in group] if group[0].is_spread else [group]

    def build(group: list[TargetComponent]) -> Lattice:
        first = group[0]
        track = linear(first.E_high, min(c.E_low for c in group)) if len(group) > 1 else first.track
        return build_lattice(track, process_of[id(first)])

    made = zip(shared, workers.map(build, shared), strict=True)
    found = {id(component): lattice for group, lattice in made for component in group}
    return [found[id(component)]._replace(track=component.track) for component in components]


@jit
def _divided(number: float, by: int) -> tuple[float, float]:
    """(quotient, rest) of whole numbers, as floats: several are divided at a time."""
    quotient = math.floor((number + 0.5) * (1.0 / by))
    return quotient, number - quotient * by


@jit
def draw(
    lattice: Lattice, seed: np.uint64, stream: np.uint64, events: Numbers, queue: Numbers, block: Array, n: int
) -> None:
    """Draw the points of a queue from the lattice.

    Parameters
    ----------
    lattice : Lattice
        Cells and the track that they lie on.
    seed, stream : uint64
        Of the random numbers (`mcgen.base.rng`).
    events : array of int, shape (columns,)
        Number of the event in each column.
    queue : array of int, shape (2, SIZE)
        Column of the event, and number of the trial, of each point.
    block : array
        Written: `R_X`, `R_U`, `R_T`, `DEPTH`, `E_BEAM`, `CELL`, `CEILING`, `U_ACCEPT`, and in `ROOM` a random word.
    n : int
        Number of points.
    """
    words = block.view(np.uint64)
    for i in range(n):
        event = np.uint64(events[queue[0, i]])
        trial = np.uint64(2 * queue[1, i])
        words[CEILING + i], words[U_ACCEPT + i], words[ROOM + i], _ = philox(seed, stream, event, trial)
        trial += np.uint64(1)
        words[DEPTH + i], words[R_X + i], words[R_U + i], words[R_T + i] = philox(seed, stream, event, trial)
    cells = lattice.table.shape[0]
    for i in range(n):
        block[U_ACCEPT + i] = uniform(words[U_ACCEPT + i])
        block[CEILING + i] = uniform(words[CEILING + i]) * cells
    for i in range(n):  # a loop of its own, so that many cells are fetched from memory at the same time
        cell = int(block[CEILING + i])
        kept = 1.0 if block[CEILING + i] - cell < lattice.table[cell, 0] else 0.0  # no branch: nobody could guess it
        block[CELL + i] = kept * cell + (1.0 - kept) * lattice.table[cell, 1]
        block[CEILING + i] = kept * lattice.table[cell, 2] + (1.0 - kept) * lattice.table[cell, 3]
    for i in range(n):
        rest, i_t = _divided(block[CELL + i], lattice.cells_t)
        rest, i_u = _divided(rest, lattice.cells_u)
        i_E, i_x = _divided(rest, lattice.cells_x)
        block[R_T + i] = (i_t + uniform(words[R_T + i])) * (1.0 / lattice.cells_t)
        block[R_U + i] = (i_u + uniform(words[R_U + i])) * (1.0 / lattice.cells_u)
        block[R_X + i] = (i_x + uniform(words[R_X + i])) * (1.0 / lattice.cells_x)
        block[DEPTH + i] = (i_E + uniform(words[DEPTH + i])) * (1.0 / lattice.cells_E)
    for i in range(n):
        block[E_BEAM + i] = energy_at(lattice.track, block[DEPTH + i])
        block[DEPTH + i] = lattice.track.front + block[DEPTH + i] * lattice.track.span


class Proposals:
    """Points of a process, drawn on a lattice a block at a time.

    Parameters
    ----------
    lattice : Lattice
    process : Process
        Constants of the kernels, or those of another process with its own stages.
    seed, stream : uint64
        Of the random numbers (`mcgen.base.rng`).
    events : array of int, shape (columns,)
        Number of the event in each column.
    stages : Stages, optional
        Functions of the process; by default those of its constants (`STAGES`).

    Attributes
    ----------
    block : array
        The points (`mcgen.generation.stages`).
    queue : array of int, shape (2, SIZE)
        Column of the event, and number of the trial, of each point.
    events : array of int, shape (columns,)
        Number of the event in each column.
    """

    def __init__(
        self,
        lattice: Lattice,
        process: Any,
        seed: np.uint64,
        stream: np.uint64,
        events: Numbers,
        stages: Stages | None = None,
    ) -> None:
        stages = stages or STAGES[type(process)]
        self.events = events
        self.block = new_block()
        self.queue = np.zeros((2, SIZE), np.int64)
        self._draw = ready(draw, lattice, seed, stream, events, self.queue, self.block)
        self._rays = ready(stages.rays, process, lattice.energies, self.block)
        self._weigh = ready(stages.weigh, process, self.block)

    def propose(self, n: int) -> None:
        """Draw and weigh the first n points of the queue."""
        self._draw(n)
        self._rays(n)
        self._weigh(n)

    def first_trials(self) -> Iterator[int]:
        """Propose the first trial of each event, block by block; yields the number of points of each block."""
        for start in range(0, self.events.size, SIZE):
            n = min(SIZE, self.events.size - start)
            self.queue[0, :n] = np.arange(start, start + n)
            self.propose(n)
            yield n


@jit
def _add(block: Array, n: int, sums: Array) -> None:
    """Add f, f^2, min(1, f) and its square of n points to `sums`."""
    for i in range(n):
        f = block[F + i]
        cut = min(1.0, f)
        sums[0] += f
        sums[1] += f * f
        sums[2] += cut
        sums[3] += cut * cut


def integrate(
    lattice: Lattice,
    process: Any,
    seed: np.uint64,
    stream: np.uint64,
    first: int,
    points: int,
    stages: Stages | None = None,
) -> tuple[float, ...]:
    """Sums of f, f^2, min(1, f) and its square over proposed points.

    Parameters
    ----------
    lattice : Lattice
    process : Process
        Constants of the kernels, or those of another process with its own stages.
    seed, stream : uint64
        Of the random numbers (`mcgen.base.rng`).
    first : int
        Number of the first point.
    points : int
        How many.
    stages : Stages, optional
        Functions of the process; by default those of its constants (`STAGES`).

    Returns
    -------
    tuple of float, length 4
        `lattice.total` times the first one over `points` is the mean cross section on the track in pb.
    """
    return next(integrals(Proposals(lattice, process, seed, stream, np.arange(first, first + points), stages)))


def integrals(proposals: Proposals, blocks: int = 1) -> Iterator[tuple[float, ...]]:
    """The same sums over the points of some proposals, and over as many further ones, block after block."""
    for _ in range(blocks):
        sums = np.zeros(4)
        for n in proposals.first_trials():
            _add(proposals.block, n, sums)
        yield tuple(sums.tolist())
        proposals.events += proposals.events.size
