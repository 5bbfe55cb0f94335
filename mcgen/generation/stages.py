"""A scattering process as stages over blocks of points: rays -> transfers -> amplitude -> form factor -> momenta.

A block is one array. It holds `SIZE` points quantity by quantity: t of point i is `block[T + i]`, T and the like being
the constants below. A stage is a compiled loop over points that reads some quantities and writes others.

A new process, in five steps:

1. Its constants are a NamedTuple like `Process`, defined in a module; `M`, the mass of what is hit, is read by all.
2. A stage that differs is a compiled function like the one of the same name here, which says what to read and write;
   another `weigh` calls the stages between rays and weights in turn.
3. The stages together are a record: `NUCLEUS._replace(weigh=...)`.
4. An entry in `STAGES` says that they belong to such constants; loops over points, trials and events stay as they are.
5. Rows of `EMISSION`, `PEAK` and `FORM` are read by stages of the process alone, and may hold what its own stages
   exchange.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from mcgen.base.arrays import Array, Numbers
from mcgen.base.elementary import of_turn
from mcgen.base.jit import jit
from mcgen.base.rng import EVENTS, philox, uniform, uniforms
from mcgen.physics.emission.amplitude import AzimuthalForm, Process, density, mean_amplitude, transverse_momentum
from mcgen.physics.emission.form_factor import G2
from mcgen.physics.emission.four_momenta import four_momenta
from mcgen.physics.emission.kinematics import Emission
from mcgen.physics.emission.phase_space import (
    EnergyMap,
    PeakMap,
    emit,
    energy_map,
    is_light,
    peak_map,
    rescaled,
    scalar_energy,
    transfer,
)

#: Points of a block. Many, so that the call of a stage takes little time beside its work; few enough for their 0.75 MB
#: to stay in the second-level cache; no power of two, with which all quantities of a point would share the same lines
#: of the first-level cache.
SIZE = 2000
#: Where the quantities of a block begin:
#: R_X, R_U, R_T coordinates in the unit cube; U_ACCEPT uniform number to accept with; DEPTH in cm; CELL number of the
#: cell; CEILING its largest corner value in pb;
#: E_BEAM, E_S energies of beam and S in GeV; ONE_MINUS_COS of the angle of S;
#: RAY d(E_S, |u|)/d(r_x, r_u) in GeV^3, 0 where no t is possible; JACOBIAN the same times dt/dr_t, in GeV^5;
#: T, ABOVE t and t - t_min in GeV^2; A averaged over the azimuth in GeV^2; G2_T form factor squared;
#: F cross section per unit volume of the cube over the ceiling;
#: BOUND of the density of the azimuth of q; COSINE, SINE of it; EXCESS the factor that it adds to the weight.
R_X, R_U, R_T, U_ACCEPT, DEPTH, CELL, CEILING, E_BEAM, E_S, ONE_MINUS_COS, RAY, JACOBIAN, T, ABOVE, A, G2_T, F = range(
    0, 17 * SIZE, SIZE
)
BOUND, COSINE, SINE, EXCESS = range(17 * SIZE, 21 * SIZE, SIZE)
#: the fields of an `Emission`, those of the `PeakMap` of a light lepton, those of an `AzimuthalForm`, and (px, py, pz,
#: E) of the outgoing lepton, of S and of what was hit, S in the x-z plane
EMISSION, PEAK, FORM, MOMENTA = 21 * SIZE, 33 * SIZE, 39 * SIZE, 47 * SIZE
#: room for what a loop hands to the next one, eight quantities
ROOM = 59 * SIZE
_END = 67 * SIZE
_P, _K, _W, _V, _PER_V, _U, _K_V, _K_1, _Y_V, _T_MIN, _T_MAX, _C = range(EMISSION, PEAK, SIZE)
_LOW, _SPAN, _CENTRE, _WIDTH, _BELOW, _ABOVE = range(PEAK, FORM, SIZE)
_S_MIN, _B, _N10, _N11, _N12, _N20, _N21, _N22 = range(FORM, MOMENTA, SIZE)

#: first block of random numbers after those of the trials; those of the azimuth begin one later
AFTER_TRIALS = 1 << 40
#: 1/8 and 3/8 of half a turn
_COS_1, _COS_3 = math.cos(0.125 * math.pi), math.cos(0.375 * math.pi)


class Stages(NamedTuple):
    """The functions of a process; all but the first are loops over the first n points of a block."""

    energy_map: Callable[[float, Any], Any]  #: (E, process): map of E_S at the highest beam energy, for `rays`
    rays: Callable[[Any, Any, Array, int], None]  #: (process, that map, block, n)
    weigh: Callable[[Any, Array, int], None]  #: (process, block, n): from what `rays` wrote to `F`
    #: (process, seed, events, made, block, accepted, n)
    momenta: Callable[[Any, np.uint64, Numbers, Numbers, Array, int, int], None]


def new_block() -> Array:
    """Room for the points of a block."""
    return np.zeros(_END)


@jit
def emission_at(block: Array, i: int) -> Emission:
    """Kinematics of point i, read from the block."""
    return Emission(
        block[_P + i], block[_K + i], block[_W + i], block[_V + i], block[_PER_V + i], block[_U + i],
        block[_K_V + i], block[_K_1 + i], block[_Y_V + i], block[_T_MIN + i], block[_T_MAX + i], block[_C + i],
    )  # fmt: skip


@jit
def _peak(block: Array, i: int) -> PeakMap:
    """Of point i; nothing unless the lepton is light."""
    return PeakMap(
        block[_LOW + i], block[_SPAN + i], block[_CENTRE + i], block[_WIDTH + i], block[_BELOW + i], block[_ABOVE + i]
    )


@jit
def rays(process: Process, energies: EnergyMap, block: Array, n: int) -> None:
    """Energy and angle of S: reads `E_BEAM`, `R_X`, `R_U`, writes `E_S`, `ONE_MINUS_COS`, `RAY`, `EMISSION`, `PEAK`.

    Parameters
    ----------
    process : Process
        Constants of the kernels.
    energies : EnergyMap
        Map of E_S at the highest beam energy; it is stretched to that of each point.
    block : array
        The points.
    n : int
        How many of them.
    """
    for i in range(n):
        at_E = rescaled(energies, block[E_BEAM + i], process)
        block[E_S + i], block[RAY + i] = scalar_energy(block[R_X + i], at_E)
    for i in range(n):
        block[ONE_MINUS_COS + i], e, du = emit(block[E_BEAM + i], process, block[E_S + i], block[R_U + i])
        block[RAY + i] *= du
        block[_P + i], block[_K + i], block[_W + i], block[_V + i], block[_PER_V + i], block[_U + i] = e[:6]
        block[_K_V + i], block[_K_1 + i], block[_Y_V + i], block[_T_MIN + i], block[_T_MAX + i], block[_C + i] = e[6:]
    if is_light(process):
        for i in range(n):
            if block[RAY + i] != 0.0:
                peak = peak_map(block[E_BEAM + i], process, emission_at(block, i))
                block[_LOW + i], block[_SPAN + i], block[_CENTRE + i] = peak[:3]
                block[_WIDTH + i], block[_BELOW + i], block[_ABOVE + i] = peak[3:]


@jit
def transfers(process: Process, block: Array, n: int) -> None:
    """Momentum transfer: reads `R_T` and what `rays` writes, writes `T`, `ABOVE`, `JACOBIAN`."""
    for i in range(n):
        if block[RAY + i] != 0.0:
            block[T + i], block[ABOVE + i], dt = transfer(
                process, emission_at(block, i), _peak(block, i), block[R_T + i]
            )
            block[JACOBIAN + i] = block[RAY + i] * dt


@jit
def amplitude(process: Process, block: Array, n: int) -> None:
    """Squared amplitude: reads `E_BEAM`, `T`, `ABOVE` and what `rays` writes, writes `A` and, for `momenta`, `FORM`."""
    for i in range(n):
        if block[RAY + i] != 0.0:
            e = emission_at(block, i)
            block[A + i], form = mean_amplitude(block[E_BEAM + i], process, e, block[T + i], block[ABOVE + i])
            block[_S_MIN + i], block[_B + i], block[_N10 + i], block[_N11 + i] = form[:4]
            block[_N12 + i], block[_N20 + i], block[_N21 + i], block[_N22 + i] = form[4:]


@jit
def form_factor(process: Process, block: Array, n: int) -> None:
    """Form factor squared: reads `T` and `RAY`, writes `G2_T`."""
    for i in range(n):
        if block[RAY + i] != 0.0:
            block[G2_T + i] = G2(block[T + i], process.ff)


@jit
def weights(M: float, block: Array, n: int) -> None:
    """Cross section per unit volume of the cube over the ceiling: reads what other stages write, writes `F`.

    It is 0 where no t is possible.
    """
    for i in range(n):
        f = 0.0
        if block[RAY + i] != 0.0:
            f = density(M, block[A + i], block[_P + i], block[_PER_V + i], block[T + i]) * block[G2_T + i]
            f = block[JACOBIAN + i] * f / block[CEILING + i]
        block[F + i] = f


@jit
def weigh(process: Process, block: Array, n: int) -> None:
    """From rays to weights over ceilings: the stages in between, one after the other."""
    transfers(process, block, n)
    amplitude(process, block, n)
    form_factor(process, block, n)
    weights(process.M, block, n)


@jit
def form_at(block: Array, i: int) -> AzimuthalForm:
    """A of point i as a function of phi_q, read from the block."""
    return AzimuthalForm(
        block[_S_MIN + i], block[_B + i], block[_N10 + i], block[_N11 + i],
        block[_N12 + i], block[_N20 + i], block[_N21 + i], block[_N22 + i],
    )  # fmt: skip


@jit
def scaled_amplitude(form: AzimuthalForm, y: float) -> tuple[float, float]:
    """(A s, cos(phi_q)) at y = cos(psi), where psi is uniform if phi_q has density 1/s."""
    a = form.s_min + form.b
    c = (a * y + form.b) / (a + form.b * y)
    inverse_s = (a + form.b * y) * (1.0 / (form.s_min * (a + form.b)))
    return form.n10 + c * (form.n11 + c * form.n12) + inverse_s * (form.n20 + c * (form.n21 + c * form.n22)), c


@jit
def azimuth_bound(form: AzimuthalForm) -> float:
    """Bound of A s, which is smooth in psi: its largest value at nine points, 2 % added."""
    bound = max(scaled_amplitude(form, 1.0)[0], scaled_amplitude(form, -1.0)[0])
    bound = max(bound, max(scaled_amplitude(form, _COS_1)[0], scaled_amplitude(form, -_COS_1)[0]))
    bound = max(bound, max(scaled_amplitude(form, math.sqrt(0.5))[0], scaled_amplitude(form, -math.sqrt(0.5))[0]))
    bound = max(bound, max(scaled_amplitude(form, _COS_3)[0], scaled_amplitude(form, -_COS_3)[0]))
    return 1.02 * max(bound, scaled_amplitude(form, 0.0)[0])


@jit
def _tried_azimuth(form: AzimuthalForm, bound: float, u_psi: float, u_accept: float) -> tuple[float, float, float]:
    """Cosine, sine and excess of one trial; an excess of 0 says that it is rejected."""
    value, c = scaled_amplitude(form, of_turn(u_psi)[0])
    sine = math.sqrt(max(0.0, (1.0 - c) * (1.0 + c)))
    excess = max(1.0, value / bound) if value >= u_accept * bound else 0.0
    return c, sine if u_psi < 0.5 else -sine, excess


@jit
def _azimuth_of_two(
    form: AzimuthalForm, bound: float, u_1: float, u_2: float, u_3: float, u_4: float
) -> tuple[float, float, float]:
    """Cosine, sine and excess of the first of two trials that is accepted; an excess of 0 if none is."""
    c, s, excess = _tried_azimuth(form, bound, u_1, u_2)
    other_c, other_s, other = _tried_azimuth(form, bound, u_3, u_4)
    first = excess > 0.0
    return c if first else other_c, s if first else other_s, excess if first else other


@jit
def sample_azimuth(
    form: AzimuthalForm, bound: float, seed: np.uint64, stream: np.uint64, event: np.uint64, block: int
) -> tuple[float, float, float]:
    """Draw phi_q from A(phi_q), by rejection from 1/s.

    Parameters
    ----------
    form : AzimuthalForm
        A as a function of phi_q.
    bound : float
        Of its density (`azimuth_bound`).
    seed, stream, event : uint64
        Of the random numbers (`mcgen.base.rng`).
    block : int
        First block of random numbers to use.

    Returns
    -------
    cosine, sine : float
        Of phi_q.
    excess : float
        1; more if the bound was too low, and then the factor that the event's weight needs.
    """
    cosine, sine, excess = 1.0, 0.0, 0.0
    while excess == 0.0:
        u_1, u_2, u_3, u_4 = uniforms(seed, stream, event, np.uint64(block))
        cosine, sine, excess = _azimuth_of_two(form, bound, u_1, u_2, u_3, u_4)
        block += 1
    return cosine, sine, excess


@jit
def azimuths(seed: np.uint64, events: Numbers, made: Numbers, block: Array, accepted: int, n: int) -> None:
    """Azimuth of q at accepted points: reads `FORM`, writes `BOUND`, `COSINE`, `SINE` and `EXCESS`.

    Parameters
    ----------
    seed : uint64
        Of the random numbers.
    events : array of int, shape (columns,)
        Number of the event in each column.
    made : array of int, shape (2, SIZE)
        Place in the block and column of each accepted point.
    block : array
        The points, weighed.
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
            seed, np.uint64(EVENTS), event, np.uint64(AFTER_TRIALS + 1)
        )
    for i in range(n):  # of all points, as several are taken at a time
        form = form_at(block, i)
        u_1, u_2 = uniform(words[ROOM + i]), uniform(words[ROOM + SIZE + i])
        u_3, u_4 = uniform(words[ROOM + 2 * SIZE + i]), uniform(words[ROOM + 3 * SIZE + i])
        bound = azimuth_bound(form)
        block[BOUND + i] = bound
        block[COSINE + i], block[SINE + i], block[EXCESS + i] = _azimuth_of_two(form, bound, u_1, u_2, u_3, u_4)
    for j in range(accepted):
        i = made[0, j]
        if block[EXCESS + i] == 0.0:
            event = np.uint64(events[made[1, j]])
            block[COSINE + i], block[SINE + i], block[EXCESS + i] = sample_azimuth(
                form_at(block, i), block[BOUND + i], seed, np.uint64(EVENTS), event, AFTER_TRIALS + 2
            )


@jit
def momenta(
    process: Process, seed: np.uint64, events: Numbers, made: Numbers, block: Array, accepted: int, n: int
) -> None:
    """Azimuth of q and final state of accepted points: writes `MOMENTA`, and `F` where the azimuth changes the weight.

    Parameters
    ----------
    process : Process
        Constants of the kernels.
    seed : uint64
        Of the random numbers.
    events : array of int, shape (columns,)
        Number of the event in each column.
    made : array of int, shape (2, SIZE)
        Place in the block and column of each accepted point.
    block : array
        The points, weighed.
    accepted : int
        Number of accepted points.
    n : int
        Number of points; what is written for those that were not accepted has no meaning.
    """
    azimuths(seed, events, made, block, accepted, n)
    for i in range(n):
        e = emission_at(block, i)
        t = block[T + i]
        q_perp = transverse_momentum(e, t, block[ABOVE + i])
        block[F + i] *= block[EXCESS + i]
        lepton, S, hit = four_momenta(
            e, block[E_BEAM + i], process.M, block[ONE_MINUS_COS + i], t, q_perp, block[COSINE + i], block[SINE + i]
        )
        row = MOMENTA + i
        block[row], block[row + SIZE], block[row + 2 * SIZE], block[row + 3 * SIZE] = lepton
        row += 4 * SIZE
        block[row], block[row + SIZE], block[row + 2 * SIZE], block[row + 3 * SIZE] = S
        row += 4 * SIZE
        block[row], block[row + SIZE], block[row + 2 * SIZE], block[row + 3 * SIZE] = hit


#: l N -> l N S on a nucleus of spin 0
NUCLEUS = Stages(energy_map, rays, weigh, momenta)

#: type of the constants of a process -> its stages
STAGES: dict[type, Stages] = {Process: NUCLEUS}
