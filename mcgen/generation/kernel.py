"""The kernels that turn weighed points into events."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from mcgen.base.arrays import Array, Numbers
from mcgen.base.elementary import log, of_turn
from mcgen.base.jit import jit, ready
from mcgen.base.rng import EVENTS, SOURCES, philox, uniform, uniforms
from mcgen.events.branches import ROW
from mcgen.generation.lattice import Lattice, Proposals
from mcgen.generation.stages import (
    AFTER_TRIALS,
    DEPTH,
    E_BEAM,
    E_S,
    EMISSION,
    MOMENTA,
    ROOM,
    SIZE,
    STAGES,
    U_ACCEPT,
    F,
    Stages,
    T,
)
from mcgen.physics.emission.four_momenta import tilt
from mcgen.source.track import Scattering, Track, interpolate, place_at

_WEIGHT, _E_MU, _DEPTH, _X, _T = (ROW[name] for name in ("weight", "E_mu", "depth_cm", "x", "t"))
_MU_IN, _MU_OUT, _S, _N_OUT = (ROW[f"{name}_px"] for name in ("mu_in", "mu_out", "S", "N_out"))
_VERTEX, _TAU, _DECAY = ROW["vertex_x_cm"], ROW["tau"], ROW["decay_x_cm"]
#: where `place` puts what it computes: x, vertex in x and y, tau, decay in x, y and z
_AT_X, _AT_VERTEX, _AT_TAU, _AT_DECAY = ROOM, ROOM + SIZE, ROOM + 3 * SIZE, ROOM + 4 * SIZE
_AT_S = MOMENTA + 4 * SIZE
#: rows of events, and where in the block their values are
_STORED = (
    *((_WEIGHT, F), (_E_MU, E_BEAM), (_DEPTH, DEPTH), (_X, _AT_X), (_T, T), (_MU_IN + 2, EMISSION)),
    *((_MU_IN + 3, E_BEAM), *((_MU_OUT + i, MOMENTA + i * SIZE) for i in range(12))),
    *((_VERTEX, _AT_VERTEX), (_VERTEX + 1, _AT_VERTEX + SIZE), (_VERTEX + 2, DEPTH), (_TAU, _AT_TAU)),
    *((_DECAY + i, _AT_DECAY + i * SIZE) for i in range(3)),
)


#: points that take about as long as the calls of their stages
_FEW = 200


class Beamline(NamedTuple):
    """What the kernel reads of the card besides the process."""

    spot: float  #: rms width of the beam, cm
    divergence: float  #: rms angle of the beam in each plane, rad
    lateral: Array  #: x, y in cm and slopes of a list of beam particles, the slowest first, shape (4, n)
    length_per_momentum: float  #: L_S/k at the reference coupling, cm/GeV
    unweighted: bool
    unit_weight: float  #: weight of an event with f = 1


#: a beam without a list of particles
NO_PARTICLES = np.empty((4, 0))


@jit
def draw_sources(shares: Array, seed: np.uint64, first: int, out: Numbers) -> None:
    """Write the component of the target that each event comes from.

    Parameters
    ----------
    shares : array, shape (components,)
        Cumulative shares of the components in the events, up to 1.
    seed : uint64
        Of the random numbers.
    events : array of int, shape (columns,)
        Number of the event in each column.
    out : array of int, shape (events,)
        Written: place of the component.
    """
    for i in range(out.size):
        u, _, _, _ = uniforms(seed, np.uint64(SOURCES), np.uint64(first + i), np.uint64(0))
        source = 0
        while source < shares.size - 1 and u >= shares[source]:
            source += 1
        out[i] = source


@jit
def enqueue(unweighted: bool, queue: Numbers, begun: int, end: int, waiting: int) -> int:
    """Fill the queue with first trials of new events, and where few points are left, with many trials of each event.

    Parameters
    ----------
    unweighted : bool
        Whether there are more trials than one.
    queue : array of int, shape (2, SIZE)
        Column of the event, and number of the trial, of each point; written.
    begun, end : int
        Columns of the first new event and after the last one.
    waiting : int
        Number of events that wait in the queue.

    Returns
    -------
    int
        Number of points.
    """
    n = min(SIZE, waiting + end - begun)
    for i in range(waiting, n):
        queue[0, i] = begun + i - waiting
        queue[1, i] = 0
    times = _FEW // n if unweighted else 1
    if times > 1:
        for i in range(n * times - 1, -1, -1):
            queue[0, i] = queue[0, i // times]
            queue[1, i] = queue[1, i // times] + i % times
        n *= times
    return n


@jit
def accept(unweighted: bool, queue: Numbers, block: Array, made: Numbers, n: int) -> tuple[int, int, int]:
    """Write accepted points to `made`, and rejected ones with their next trial to the front of `queue`.

    Parameters
    ----------
    unweighted : bool
        Accept with probability min(1, f) and set `F` to max(1, f); otherwise accept all points.
    queue : array of int, shape (2, SIZE)
        Column of the event, and number of the trial, of each point; written.
    block : array
        The points, weighed; `F` is written.
    made : array of int, shape (2, SIZE)
        Written: place in the block, and column of the event.
    n : int
        Number of points.

    Returns
    -------
    int, int, int
        Numbers of accepted and of rejected events, and of trials: of successive trials of one event those after the
        accepted one do not count.
    """
    accepted = 0
    rejected = 0
    trials = 0
    done = -1
    for i in range(n):
        column = queue[0, i]
        if column == done:
            continue
        trials += 1
        f = block[F + i]
        if not unweighted or block[U_ACCEPT + i] < f:
            if unweighted:
                block[F + i] = max(1.0, f)
            done = column
            made[0, accepted] = i
            made[1, accepted] = column
            accepted += 1
        elif i + 1 == n or queue[0, i + 1] != column:
            queue[0, rejected] = column
            queue[1, rejected] = queue[1, i] + 1
            rejected += 1
    return accepted, rejected, trials


@jit
def rotate(block: Array, x: int, cosine: float, sine: float) -> None:
    """Turn about the z axis the four-momentum whose px is at place `x` of a block."""
    p_x, p_y = block[x], block[x + SIZE]
    block[x] = p_x * cosine - p_y * sine
    block[x + SIZE] = p_x * sine + p_y * cosine


@jit
def place(
    beam: Beamline, seed: np.uint64, events: Numbers, made: Numbers, block: Array, out: Array, accepted: int, n: int
) -> None:
    """Store accepted points as events: turned about the beam at random, and put into the target.

    Parameters
    ----------
    beam : Beamline
    seed : uint64
        Of the random numbers.
    events : array of int, shape (columns,)
        Number of the event in each column.
    made : array of int, shape (2, SIZE)
        Place in the block and column of `out` of each accepted point.
    block : array
        The points with their momenta.
    out : array, shape (branches, events)
        Written: all of `FLOAT_BRANCHES` but target_Z and target_A.
    accepted : int
        Number of accepted points.
    n : int
        Number of points.
    """
    words = block.view(np.uint64)
    for j in range(accepted):
        i = ROOM + made[0, j]
        event = np.uint64(events[made[1, j]])
        words[i], words[i + SIZE], words[i + 2 * SIZE], words[i + 3 * SIZE] = philox(
            seed, np.uint64(EVENTS), event, np.uint64(AFTER_TRIALS)
        )
    for i in range(n):  # of all points, as several are taken at a time
        cosine, sine = of_turn(uniform(words[ROOM + i]))
        rotate(block, MOMENTA + i, cosine, sine)
        rotate(block, MOMENTA + 4 * SIZE + i, cosine, sine)
        rotate(block, MOMENTA + 8 * SIZE + i, cosine, sine)
        tau = -log(uniform(words[ROOM + SIZE + i]))
        radius = beam.spot * math.sqrt(-2.0 * log(uniform(words[ROOM + 2 * SIZE + i])))
        cosine, sine = of_turn(uniform(words[ROOM + 3 * SIZE + i]))
        flight = tau * beam.length_per_momentum  # decay length over momentum
        block[_AT_X + i] = block[E_S + i] / block[E_BEAM + i]
        block[_AT_VERTEX + i] = radius * cosine
        block[_AT_VERTEX + SIZE + i] = radius * sine
        block[_AT_TAU + i] = tau
        block[_AT_DECAY + i] = radius * cosine + flight * block[_AT_S + i]
        block[_AT_DECAY + SIZE + i] = radius * sine + flight * block[_AT_S + SIZE + i]
        block[_AT_DECAY + 2 * SIZE + i] = block[DEPTH + i] + flight * block[_AT_S + 2 * SIZE + i]
        block[F + i] *= beam.unit_weight
    for row, at in _STORED:  # row by row: a processor keeps track of few places in memory to write to
        for j in range(accepted):
            out[row, made[1, j]] = block[at + made[0, j]]
    for j in range(accepted):
        out[_MU_IN, made[1, j]] = out[_MU_IN + 1, made[1, j]] = 0.0


def fill(
    lattice: Lattice,
    process: Any,
    beam: Beamline,
    seed: np.uint64,
    events: Numbers,
    out: Array,
    stages: Stages | None = None,
) -> int:
    """Make events in their columns of `out`, and return the number of trials.

    A rejected point goes with its next trial into the next block, and with many at once where few points are left.

    Parameters
    ----------
    lattice : Lattice
    process : Process
        Constants of the kernels, or those of another process with its own stages.
    beam : Beamline
    seed : uint64
        Of the random numbers.
    events : array of int, shape (columns,)
        Number of the event in each column.
    out : array, shape (branches, events)
        Written: all of `FLOAT_BRANCHES` but target_Z and target_A.
    stages : Stages, optional
        Functions of the process; by default those of its constants (`STAGES`).
    """
    proposals = Proposals(lattice, process, seed, np.uint64(EVENTS), events, stages)
    queue, block, made = proposals.queue, proposals.block, np.empty((2, SIZE), np.int64)
    fill_queue = ready(enqueue, beam.unweighted, queue, counts=3)
    choose = ready(accept, beam.unweighted, queue, block, made)
    momenta = (stages or STAGES[type(process)]).momenta
    scatter = ready(momenta, process, seed, events, made, block, counts=2)
    store = ready(place, beam, seed, events, made, block, out, counts=2)
    trials = rejected = begun = 0
    while rejected or begun < events.size:
        n = fill_queue(begun, events.size, rejected)
        begun = min(events.size, begun + SIZE - rejected)
        proposals.propose(n)
        accepted, rejected, tried = choose(n)
        scatter(accepted, n)
        store(accepted, n)
        trials += tried
    return trials


@jit
def place_in_depth(track: Track, seed: np.uint64, events: Numbers, out: Array, share: Array) -> None:
    """Draw the depth of events where the beam has many energies at each depth, and the beam particle of each event.

    `fill` puts an event at front + r * span, r being the place on the track.

    Parameters
    ----------
    track : Track
    seed : uint64
        Of the random numbers.
    events : array of int, shape (columns,)
        Number of the event in each column.
    out : array, shape (branches, events)
        Written, where the depth changes: depth, vertex and decay along z, in cm.
    share : array, shape (events,)
        Written: share of the beam's particles that are slower than that of the event.
    """
    for i in range(events.size):
        u = uniforms(seed, np.uint64(EVENTS), np.uint64(events[i]), np.uint64(AFTER_TRIALS - 1))[0]
        share[i] = u
        if track.rho.size > 0 and track.span > 0.0:
            depth, share[i] = place_at(track, (out[_DEPTH, i] - track.front) / track.span, u)
            out[_DECAY + 2, i] += depth - out[_DEPTH, i]
            out[_VERTEX + 2, i] = depth
            out[_DEPTH, i] = depth


@jit
def steer(beam: Beamline, scattering: Scattering, share: Array, seed: np.uint64, events: Numbers, out: Array) -> None:
    """Turn and shift events by the direction and position of their beam particle and by its multiple scattering.

    Parameters
    ----------
    beam : Beamline
    scattering : Scattering
    share : array, shape (events,)
        Share of the beam's particles that are slower than that of the event; read if the beam is a list of particles.
    seed : uint64
        Of the random numbers.
    events : array of int, shape (columns,)
        Number of the event in each column.
    out : array, shape (branches, events)
        Written: all four-momenta, x and y of the vertex, and the decay.
    """
    particles = beam.lateral.shape[1]
    for i in range(events.size):
        event = np.uint64(events[i])
        depth = out[_DEPTH, i]
        theta = interpolate(depth, scattering.depth, scattering.theta)
        y = interpolate(depth, scattering.depth, scattering.y)
        correlation = interpolate(depth, scattering.depth, scattering.correlation)
        rest = math.sqrt(1.0 - correlation * correlation)
        particle = min(int(share[i] * particles), particles - 1)
        slope = np.empty(2)
        for axis in range(2):
            u = uniforms(seed, np.uint64(EVENTS), event, np.uint64(AFTER_TRIALS - 2 - axis))
            radius = math.sqrt(-2.0 * math.log(u[0]))
            own = beam.divergence * radius * math.cos(2.0 * math.pi * u[1])
            if particles > 0:
                own = beam.lateral[2 + axis, particle]
                out[_VERTEX + axis, i] = beam.lateral[axis, particle]
            z_1 = radius * math.sin(2.0 * math.pi * u[1])
            z_2 = math.sqrt(-2.0 * math.log(u[2])) * math.cos(2.0 * math.pi * u[3])
            slope[axis] = own + theta * z_1
            out[_VERTEX + axis, i] += depth * own + y * (correlation * z_1 + rest * z_2)
        norm = 1.0 / math.sqrt(1.0 + slope[0] * slope[0] + slope[1] * slope[1])
        for row in (_MU_IN, _MU_OUT, _S, _N_OUT):
            tilt(out[row : row + 4, i], slope[0] * norm, slope[1] * norm)
        for axis in range(3):
            flight = out[_TAU, i] * beam.length_per_momentum
            out[_DECAY + axis, i] = out[_VERTEX + axis, i] + flight * out[_S + axis, i]
