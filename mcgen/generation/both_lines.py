"""Events of l e -> l e S with S from either line: two channels, each with the maps of one line.

A channel draws points from the square of its line, and a point counts with all of |M|^2 over both squares, so that the
channels together make |M|^2. That share lies between 0 and 2 and depends on the azimuth, which is therefore drawn
before a point is accepted. The channel of the electron's line lives in the rest frame of the beam lepton, and `momenta`
takes its points to the laboratory.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from mcgen.base.arrays import Array, Numbers
from mcgen.base.jit import jit
from mcgen.base.rng import EVENTS
from mcgen.generation.stages import (
    ABOVE,
    COSINE,
    E_BEAM,
    E_S,
    EMISSION,
    G2_T,
    MOMENTA,
    ONE_MINUS_COS,
    RAY,
    ROOM,
    SINE,
    SIZE,
    STAGES,
    Stages,
    T,
    amplitude,
    azimuth_bound,
    emission_at,
    form_at,
    rays,
    sample_azimuth,
    transfers,
    weights,
)
from mcgen.physics.emission.amplitude import AzimuthalForm, Process, transverse_momentum
from mcgen.physics.emission.four_momenta import four_momenta
from mcgen.physics.emission.kinematics import Emission, momentum
from mcgen.physics.emission.phase_space import EnergyMap, energy_map
from mcgen.physics.emission.struck_electron import BothLines, three_parts


class Channel(NamedTuple):
    """Points of one line, which count for both."""

    both: BothLines
    own: Process  #: of the line whose square points are drawn from
    other: Process
    own_square: float  #: coupling of the own line squared, over g_mu^2
    other_square: float
    mixed: float  #: of the interference: product of couplings over g_mu^2, with its sign
    per_E: float  #: energy of what radiates, in its frame, over that of the beam


def channels(process: Any) -> list[Any]:
    """What events of a process are drawn from: itself, or the channels of both lines."""
    if not isinstance(process, BothLines):
        return [process]
    square, mixed = process.ratio * process.ratio, process.ratio * process.sign
    beam, struck = process.beam, process.struck
    return [
        Channel(process, beam, struck, 1.0, square, mixed, 1.0),
        Channel(process, struck, beam, square, 1.0, mixed, process.M / process.m),
    ]


@jit
def _energies(E: float, channel: Channel) -> EnergyMap:
    """Map of the energy of S in the frame of the channel."""
    return energy_map(E * channel.per_E, channel.own)


@jit
def _rays(channel: Channel, energies: EnergyMap, block: Array, n: int) -> None:
    """`stages.rays` in the frame of the channel; `E_BEAM` becomes the energy there."""
    for i in range(n):
        block[E_BEAM + i] *= channel.per_E
    rays(channel.own, energies, block, n)


@jit
def share(channel: Channel, E: float, e: Emission, t: float, q_perp: float, f: AzimuthalForm, c: float) -> float:
    """|M|^2 over the squares of both lines.

    Parameters
    ----------
    channel : Channel
        Constants of the kernels.
    E : float
        Energy in GeV of what radiates.
    e : Emission
        Kinematics at E, E_S, theta_S.
    t, q_perp : float
        Momentum transfer squared in GeV^2, and its component across V in GeV.
    f : AzimuthalForm
        A of the own line.
    c : float
        Cosine of the azimuth.
    """
    own, other, mixed = three_parts(channel.own, channel.other, channel.both.kind, E, e, t, q_perp, f, c)
    squares = channel.own_square * own + channel.other_square * other
    return max(0.0, 1.0 + channel.mixed * mixed / squares) if squares > 0.0 else 1.0


@jit
def _largest_share(channel: Channel, E: float, e: Emission, t: float, q_perp: float, f: AzimuthalForm) -> float:
    """The largest of five azimuths, for the ceiling of a cell."""
    largest = 0.0
    for k in range(5):
        largest = max(largest, share(channel, E, e, t, q_perp, f, math.cos(0.25 * k * math.pi)))
    return largest


@jit
def _weigh(channel: Channel, block: Array, n: int) -> None:
    """`stages.weigh` with the azimuth: writes `COSINE`, `SINE`, and the share of all of |M|^2 as `G2_T`.

    The random numbers of the azimuth come from the word that `lattice.draw` leaves in `ROOM`; a word of 0 is a corner
    of a cell.
    """
    transfers(channel.own, block, n)
    amplitude(channel.own, block, n)
    words = block.view(np.uint64)
    for i in range(n):
        if block[RAY + i] == 0.0:
            continue
        e = emission_at(block, i)
        f = form_at(block, i)
        E, t = block[E_BEAM + i], block[T + i]
        q_perp = transverse_momentum(e, t, block[ABOVE + i])
        key = words[ROOM + i]
        if key == np.uint64(0):
            found = _largest_share(channel, E, e, t, q_perp, f)
        else:
            cosine, sine, excess = sample_azimuth(f, azimuth_bound(f), key, np.uint64(EVENTS), np.uint64(0), 0)
            block[COSINE + i] = cosine
            block[SINE + i] = sine
            found = excess * share(channel, E, e, t, q_perp, f, cosine)
        block[G2_T + i] = channel.own_square * found
    weights(channel.own.M, block, n)


@jit
def _write(block: Array, row: int, x: float, y: float, z: float, E: float) -> None:
    block[row], block[row + SIZE], block[row + 2 * SIZE], block[row + 3 * SIZE] = x, y, z, E


@jit
def _to_laboratory(channel: Channel, block: Array, i: int) -> None:
    """Momenta of one point of the electron's line, seen from the rest frame of the beam lepton, in the laboratory.

    Energies and momenta along the beam follow from products of four-vectors, which a boost would round.
    """
    m, m_e, m_S2 = channel.own.M, channel.own.m, channel.own.m_S * channel.own.m_S
    e = emission_at(block, i)
    f = form_at(block, i)
    t, cosine, sine = block[T + i], block[COSINE + i], block[SINE + i]
    q_perp = transverse_momentum(e, t, block[ABOVE + i])
    E_rest = block[E_BEAM + i]
    electron, S, _ = four_momenta(e, E_rest, m, block[ONE_MINUS_COS + i], t, q_perp, cosine, sine)
    E = E_rest / channel.per_E
    p = momentum(E, m)
    S_E = (m_S2 + e.u) / (2.0 * m_e)
    t_e = max(1e-300, f.s_min + f.b * (1.0 - cosine) + t - m_S2 - e.u)
    electron_E = m_e + t_e / (2.0 * m_e)
    S_z = (E * S_E - m * S[3]) / p
    electron_z = (E * electron_E - m * electron[3]) / p
    # the beam of the one frame is against that of the other: turned by pi about the x axis
    x, y = S[0] + electron[0], S[1] + electron[1]
    _write(block, MOMENTA + i, -x, y, p - S_z - electron_z, E - S_E - t_e / (2.0 * m_e))
    _write(block, MOMENTA + 4 * SIZE + i, S[0], -S[1], S_z, S_E)
    _write(block, MOMENTA + 8 * SIZE + i, electron[0], -electron[1], electron_z, electron_E)
    block[E_BEAM + i], block[E_S + i], block[T + i], block[EMISSION + i] = E, S_E, t_e, p


@jit
def _momenta(
    channel: Channel, _seed: np.uint64, _events: Numbers, made: Numbers, block: Array, accepted: int, _n: int
) -> None:
    """Final state of accepted points in the laboratory, at the azimuth that `_weigh` has drawn."""
    for j in range(accepted):
        i = made[0, j]
        if channel.per_E != 1.0:
            _to_laboratory(channel, block, i)
        else:
            e = emission_at(block, i)
            t = block[T + i]
            q_perp = transverse_momentum(e, t, block[ABOVE + i])
            lepton, S, hit = four_momenta(
                e, block[E_BEAM + i], channel.own.M, block[ONE_MINUS_COS + i], t, q_perp, block[COSINE + i],
                block[SINE + i],
            )  # fmt: skip
            _write(block, MOMENTA + i, lepton[0], lepton[1], lepton[2], lepton[3])
            _write(block, MOMENTA + 4 * SIZE + i, S[0], S[1], S[2], S[3])
            _write(block, MOMENTA + 8 * SIZE + i, hit[0], hit[1], hit[2], hit[3])


STAGES[Channel] = Stages(_energies, _rays, _weigh, _momenta)
