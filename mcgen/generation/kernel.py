"""The kernels that turn weighed points into events."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from mcgen.base.arrays import Array, Numbers
from mcgen.base.jit import jit
from mcgen.base.rng import EVENTS, SOURCES, uniforms
from mcgen.events.branches import ROW
from mcgen.generation.lattice import Lattice, Proposals
from mcgen.generation.stages import AFTER_TRIALS, DEPTH, E_BEAM, E_S, EMISSION, MOMENTA, SIZE, U_ACCEPT, F, Stages, T
from mcgen.physics.emission.four_momenta import rotate, tilt
from mcgen.source.track import Scattering, Track, interpolate, place_at

_WEIGHT, _E_MU, _DEPTH, _X, _T = (ROW[name] for name in ("weight", "E_mu", "depth_cm", "x", "t"))
_MU_IN, _MU_OUT, _S, _N_OUT = (ROW[f"{name}_px"] for name in ("mu_in", "mu_out", "S", "N_out"))
_OUTGOING = (_MU_OUT, _S, _N_OUT)
_VERTEX, _TAU, _DECAY = ROW["vertex_x_cm"], ROW["tau"], ROW["decay_x_cm"]


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
def accept(unweighted: bool, queue: Numbers, block: Array, n: int, made: Numbers) -> tuple[int, int, int]:
    """Write accepted points to `made`, and rejected ones with their next trial to the front of `queue`.

    Parameters
    ----------
    unweighted : bool
        Accept with probability min(1, f) and set `F` to max(1, f); otherwise accept all points.
    queue : array of int, shape (2, SIZE)
        Column of the event, and number of the trial, of each point; written.
    block : array
        The points, weighed; `F` is written.
    n : int
        Number of points.
    made : array of int, shape (2, SIZE)
        Written: place in the block, and column of the event.

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
def place(beam: Beamline, seed: np.uint64, events: Numbers, made: Numbers, n: int, block: Array, out: Array) -> None:
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
    n : int
        Number of accepted points.
    block : array
        The points with their momenta.
    out : array, shape (branches, events)
        Written: all of `FLOAT_BRANCHES` but target_Z and target_A.
    """
    for j in range(n):
        i = made[0, j]
        column = made[1, j]
        event = np.uint64(events[column])
        u_turn, u_tau, u_r, u_spot = uniforms(seed, np.uint64(EVENTS), event, np.uint64(AFTER_TRIALS))
        turn = 2.0 * math.pi * u_turn
        cosine = math.cos(turn)
        sine = math.sin(turn)
        E = block[E_BEAM + i]
        depth = block[DEPTH + i]
        out[_WEIGHT, column] = block[F + i] * beam.unit_weight
        out[_E_MU, column] = E
        out[_DEPTH, column] = depth
        out[_X, column] = block[E_S + i] / E
        out[_T, column] = block[T + i]
        rotate((0.0, 0.0, block[EMISSION + i], E), cosine, sine, out[_MU_IN : _MU_IN + 4, column])
        for particle in range(3):
            row = MOMENTA + 4 * particle * SIZE + i
            v = (block[row], block[row + SIZE], block[row + 2 * SIZE], block[row + 3 * SIZE])
            rotate(v, cosine, sine, out[_OUTGOING[particle] : _OUTGOING[particle] + 4, column])

        radius = beam.spot * math.sqrt(-2.0 * math.log(u_r))
        out[_VERTEX, column] = radius * math.cos(2.0 * math.pi * u_spot)
        out[_VERTEX + 1, column] = radius * math.sin(2.0 * math.pi * u_spot)
        out[_VERTEX + 2, column] = depth
        tau = -math.log(u_tau)
        flight = tau * beam.length_per_momentum  # decay length over momentum
        for axis in range(3):
            out[_DECAY + axis, column] = out[_VERTEX + axis, column] + flight * out[_S + axis, column]
        out[_TAU, column] = tau


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
    queue, block = proposals.queue, proposals.block
    made = np.empty((2, SIZE), np.int64)
    trials = rejected = begun = 0
    while rejected or begun < events.size:
        fresh = np.arange(begun, min(events.size, begun + SIZE - rejected))
        begun += fresh.size
        n = rejected + fresh.size
        queue[0, rejected:n] = fresh
        queue[1, rejected:n] = 0
        if beam.unweighted and n <= _FEW // 2:
            ahead = np.arange(_FEW // n)
            queue[0, : n * ahead.size] = np.repeat(queue[0, :n], ahead.size)
            queue[1, : n * ahead.size] = np.add.outer(queue[1, :n], ahead).ravel()
            n *= ahead.size
        proposals.propose(n)
        accepted, rejected, tried = accept(beam.unweighted, queue, block, n, made)
        proposals.stages.momenta(process, seed, events, made, accepted, block)
        place(beam, seed, events, made, accepted, block, out)
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
