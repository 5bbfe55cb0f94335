"""The compiled loop that turns random numbers into events."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mcgen._jit import jit
from mcgen.branches import ROW
from mcgen.physics.amplitude import Process, azimuthal_form, transverse_momentum
from mcgen.physics.kinematics import emission
from mcgen.physics.particles import four_momenta, rotate, tilt
from mcgen.rng import EVENTS, SOURCES, uniforms
from mcgen.sampler import Lattice, propose, sample_azimuth
from mcgen.track import Scattering, Track, interpolate, place_at

Array = NDArray[np.float64]

#: first block of random numbers after those of the trials
_AFTER_TRIALS = 1 << 40

_WEIGHT, _E_MU, _DEPTH, _X, _T = (ROW[name] for name in ("weight", "E_mu", "depth_cm", "x", "t"))
_Z, _A = ROW["target_Z"], ROW["target_A"]
_MU_IN, _MU_OUT, _S, _N_OUT = (ROW[f"{name}_px"] for name in ("mu_in", "mu_out", "S", "N_out"))
_VERTEX, _TAU, _DECAY = ROW["vertex_x_cm"], ROW["tau"], ROW["decay_x_cm"]


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
def draw_sources(shares: Array, seed: np.uint64, first: int, out: NDArray[np.int64]) -> None:
    """Which source each event comes from, by the cumulative shares."""
    for i in range(out.size):
        u, _, _, _ = uniforms(seed, np.uint64(SOURCES), np.uint64(first + i), np.uint64(0))
        source = 0
        while source < shares.size - 1 and u >= shares[source]:
            source += 1
        out[i] = source


@jit
def fill(
    lattice: Lattice,
    process: Process,
    Z: float,
    A: float,
    beam: Beamline,
    seed: np.uint64,
    first: int,
    columns: NDArray[np.int64],
    out: Array,
) -> int:
    """Make the events numbered `first + columns` on a nucleus, in these columns of `out`; return the trials."""
    trials = 0
    for i in columns:
        event = np.uint64(first + i)
        trial = 0
        while True:
            r_E, E, point, f, u_accept = propose(lattice, process, seed, np.uint64(EVENTS), event, trial)
            trial += 1
            if not beam.unweighted or u_accept < f:
                break
        trials += trial
        weight = max(1.0, f) if beam.unweighted else f

        e = emission(E, process.m, process.m_S, process.M, point.E_S, point.one_minus_cos_theta)
        q_perp = transverse_momentum(e, point.t, point.t_minus_tmin)
        form = azimuthal_form(e, E, point.t, q_perp, process)
        u_turn, u_tau, u_r, u_spot = uniforms(seed, np.uint64(EVENTS), event, np.uint64(_AFTER_TRIALS))
        cos_phi, sin_phi, excess = sample_azimuth(form, seed, np.uint64(EVENTS), event, _AFTER_TRIALS + 1)

        turn = 2.0 * math.pi * u_turn
        cosine = math.cos(turn)
        sine = math.sin(turn)
        lepton, scalar, nucleus = four_momenta(
            e, E, process.M, point.one_minus_cos_theta, point.t, q_perp, cos_phi, sin_phi
        )
        out[_WEIGHT, i] = weight * excess * beam.unit_weight
        out[_E_MU, i] = E
        depth = lattice.track.front + r_E * lattice.track.span
        out[_DEPTH, i] = depth
        out[_X, i] = point.E_S / E
        out[_T, i] = point.t
        out[_Z, i] = Z
        out[_A, i] = A
        rotate((0.0, 0.0, e.p, E), cosine, sine, out[_MU_IN : _MU_IN + 4, i])
        rotate(lepton, cosine, sine, out[_MU_OUT : _MU_OUT + 4, i])
        rotate(scalar, cosine, sine, out[_S : _S + 4, i])
        rotate(nucleus, cosine, sine, out[_N_OUT : _N_OUT + 4, i])

        radius = beam.spot * math.sqrt(-2.0 * math.log(u_r))
        out[_VERTEX, i] = radius * math.cos(2.0 * math.pi * u_spot)
        out[_VERTEX + 1, i] = radius * math.sin(2.0 * math.pi * u_spot)
        out[_VERTEX + 2, i] = depth
        tau = -math.log(u_tau)
        flight = tau * beam.length_per_momentum  # decay length over momentum
        for axis in range(3):
            out[_DECAY + axis, i] = out[_VERTEX + axis, i] + flight * out[_S + axis, i]
        out[_TAU, i] = tau
    return trials


@jit
def disperse(track: Track, seed: np.uint64, first: int, columns: NDArray[np.int64], out: Array, share: Array) -> None:
    """Move events of a beam of many energies from r on the track, as `fill` leaves them, to a depth.

    `share` tells for each event how many of the beam's particles are slower than its own.
    """
    for i in columns:
        u = uniforms(seed, np.uint64(EVENTS), np.uint64(first + i), np.uint64(_AFTER_TRIALS - 1))[0]
        share[i] = u
        if track.rho.size > 0 and track.span > 0.0:
            depth, share[i] = place_at(track, (out[_DEPTH, i] - track.front) / track.span, u)
            out[_DECAY + 2, i] += depth - out[_DEPTH, i]
            out[_VERTEX + 2, i] = depth
            out[_DEPTH, i] = depth


@jit
def steer(
    beam: Beamline,
    scattering: Scattering,
    share: Array,
    seed: np.uint64,
    first: int,
    columns: NDArray[np.int64],
    out: Array,
) -> None:
    """Turn and shift events by the direction and position of their beam particle and by its multiple scattering."""
    particles = beam.lateral.shape[1]
    for i in columns:
        event = np.uint64(first + i)
        depth = out[_DEPTH, i]
        theta = interpolate(depth, scattering.depth, scattering.theta)
        y = interpolate(depth, scattering.depth, scattering.y)
        correlation = interpolate(depth, scattering.depth, scattering.correlation)
        rest = math.sqrt(1.0 - correlation * correlation)
        particle = min(int(share[i] * particles), particles - 1)
        slope = np.empty(2)
        for axis in range(2):
            u = uniforms(seed, np.uint64(EVENTS), event, np.uint64(_AFTER_TRIALS - 2 - axis))
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
