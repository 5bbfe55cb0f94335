"""A scattering process as stages over blocks of points: rays -> transfers -> amplitude -> form factor -> momenta.

A block is one array. It holds `SIZE` points quantity by quantity: t of point i is `block[T + i]`, T and the like being
the constants below. A stage is a compiled loop over points that reads some quantities and writes others.

A new process, in five steps:

1. Its constants are a NamedTuple like `Process`, defined in a module; `M`, the mass of what is hit, is read by all.
2. A stage that differs is a compiled function like the one of the same name here, which says what to read and write.
3. The stages together are a record: `NUCLEUS._replace(amplitude=...)`.
4. An entry in `STAGES` says that they belong to such constants; loops over points, trials and events stay as they are.
5. Rows of `EMISSION` and `PEAK` are read by stages of the process alone, and may hold what its own stages exchange.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from mcgen.base.arrays import Array, Numbers
from mcgen.base.jit import jit
from mcgen.base.rng import EVENTS, uniforms
from mcgen.physics.emission.amplitude import (
    AzimuthalForm,
    Process,
    azimuthal_form,
    density,
    mean_amplitude,
    transverse_momentum,
)
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
#: F cross section per unit volume of the cube over the ceiling.
R_X, R_U, R_T, U_ACCEPT, DEPTH, CELL, CEILING, E_BEAM, E_S, ONE_MINUS_COS, RAY, JACOBIAN, T, ABOVE, A, G2_T, F = range(
    0, 17 * SIZE, SIZE
)
#: the fields of an `Emission`, those of the `PeakMap` of a light lepton, and (px, py, pz, E) of the outgoing lepton, of
#: S and of what was hit, S in the x-z plane
EMISSION, PEAK, MOMENTA = 17 * SIZE, 29 * SIZE, 35 * SIZE
_END = 47 * SIZE
_P, _K, _W, _V, _PER_V, _U, _K_V, _K_1, _Y_V, _T_MIN, _T_MAX, _C = range(EMISSION, PEAK, SIZE)
_LOW, _SPAN, _CENTRE, _WIDTH, _BELOW, _ABOVE = range(PEAK, MOMENTA, SIZE)

#: first block of random numbers after those of the trials; those of the azimuth begin one later
AFTER_TRIALS = 1 << 40
#: cos(psi) at which the density of the azimuth is looked at for its largest value
_SCAN = tuple(math.cos(0.125 * math.pi * i) for i in range(9))


class Stages(NamedTuple):
    """The functions of a process; all but the first are loops over the first n points of a block."""

    energy_map: Callable[[float, Any], Any]  #: (E, process): map of E_S at the highest beam energy, for `rays`
    rays: Callable[[Any, Any, Array, int], None]  #: (process, that map, block, n)
    transfers: Callable[[Any, Array, int], None]
    amplitude: Callable[[Any, Array, int], None]
    form_factor: Callable[[Any, Array, int], None]
    momenta: Callable[[Any, np.uint64, Numbers, Numbers, int, Array], None]  #: (process, seed, events, made, n, block)

    def weigh(self, process: Any, block: Array, n: int) -> None:
        """From what `rays` wrote to weights over ceilings: runs the other stages and writes `F`."""
        self.transfers(process, block, n)
        self.amplitude(process, block, n)
        self.form_factor(process, block, n)
        weights(process.M, block, n)


def new_block() -> Array:
    """Room for the points of a block."""
    return np.empty(_END)


@jit
def _emission(block: Array, i: int) -> Emission:
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
                peak = peak_map(block[E_BEAM + i], process, _emission(block, i))
                block[_LOW + i], block[_SPAN + i], block[_CENTRE + i] = peak[:3]
                block[_WIDTH + i], block[_BELOW + i], block[_ABOVE + i] = peak[3:]


@jit
def transfers(process: Process, block: Array, n: int) -> None:
    """Momentum transfer: reads `R_T` and what `rays` writes, writes `T`, `ABOVE`, `JACOBIAN`."""
    for i in range(n):
        if block[RAY + i] != 0.0:
            block[T + i], block[ABOVE + i], dt = transfer(process, _emission(block, i), _peak(block, i), block[R_T + i])
            block[JACOBIAN + i] = block[RAY + i] * dt


@jit
def amplitude(process: Process, block: Array, n: int) -> None:
    """Squared amplitude: reads `E_BEAM`, `T`, `ABOVE` and what `rays` writes, writes `A`, averaged over the azimuth."""
    for i in range(n):
        if block[RAY + i] != 0.0:
            e = _emission(block, i)
            block[A + i] = mean_amplitude(block[E_BEAM + i], process, e, block[T + i], block[ABOVE + i])


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
            f = density(M, block[G2_T + i], block[A + i], block[_P + i], block[_PER_V + i], block[T + i])
            f = block[JACOBIAN + i] * f / block[CEILING + i]
        block[F + i] = f


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
    """Draw phi_q from A(phi_q), by rejection from 1/s.

    Parameters
    ----------
    form : AzimuthalForm
        A as a function of phi_q.
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

    Notes
    -----
    A s is smooth in psi, so its largest value on nine points, 2 % added, bounds it.
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


@jit
def momenta(process: Process, seed: np.uint64, events: Numbers, made: Numbers, n: int, block: Array) -> None:
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
        Place in the block, and number of the event less `first`, of each accepted point.
    n : int
        Number of accepted points.
    block : array
        The points, weighed.
    """
    for j in range(n):
        i = made[0, j]
        E = block[E_BEAM + i]
        t = block[T + i]
        e = _emission(block, i)
        q_perp = transverse_momentum(e, t, block[ABOVE + i])
        form = azimuthal_form(e, E, t, q_perp, process)
        event = np.uint64(events[made[1, j]])
        cosine, sine, excess = sample_azimuth(form, seed, np.uint64(EVENTS), event, AFTER_TRIALS + 1)
        block[F + i] *= excess
        particles = four_momenta(e, E, process.M, block[ONE_MINUS_COS + i], t, q_perp, cosine, sine)
        row = MOMENTA + i
        for particle in particles:
            for component in particle:
                block[row] = component
                row += SIZE


#: l N -> l N S on a nucleus of spin 0
NUCLEUS = Stages(energy_map, rays, transfers, amplitude, form_factor, momenta)

#: type of the constants of a process -> its stages
STAGES: dict[type, Stages] = {Process: NUCLEUS}
