"""Decays of S: channel, daughters, and decays forced into the fiducial range."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mcgen.base import pdg
from mcgen.base.arrays import Array
from mcgen.base.constants import M_E, M_MU, M_PI, M_TAU
from mcgen.base.errors import InputError, refuse_if
from mcgen.base.jit import jit
from mcgen.base.rng import DECAYS, uniforms
from mcgen.events.branches import Columns
from mcgen.physics.boson.scalar_decay import STABLE, VISIBLE, Widths, width_neutrinos
from mcgen.physics.boson.two_body import daughters
from mcgen.physics.signal.layers import draw_in_layers
from mcgen.search.search import Search
from mcgen.source.boson import Boson, couplings_of


class Channel(NamedTuple):
    """A decay into a particle and its antiparticle, two photons, or two leptons of different flavours."""

    pdg: int  #: as `decay_pdg`
    mass: float  #: of each daughter in GeV, or of the first
    other: float | None = None  #: of the second one, if it is another

    @property
    def masses(self) -> tuple[float, float]:
        """Of both daughters in GeV."""
        return self.mass, self.mass if self.other is None else self.other


#: All hadrons are written as pi+ pi-. Below 1 GeV nearly all of them are,
#: except near the omega (at its peak 60 % are three pions); above, they stand for kaons, at the phi, and for several
#: pions.
CHANNELS = (
    Channel(11, M_E), Channel(13, M_MU), Channel(15, M_TAU), Channel(22, 0.0), Channel(211, M_PI),
    Channel(14, 0.0), Channel(16, 0.0), Channel(pdg.DARK, 0.0),
    Channel(1113, M_E, M_MU), Channel(-1113, M_E, M_MU), Channel(1115, M_E, M_TAU), Channel(-1115, M_E, M_TAU),
    Channel(1315, M_MU, M_TAU), Channel(-1315, M_MU, M_TAU),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DecayModel:
    """How S decays in a file.

    Parameters
    ----------
    boson : Boson
        Its model gives the widths.
    search : Search
        Fiducial range of forced decays.
    g_mu : float
        Coupling.
    seed : int
        Of the random numbers.
    forced : bool
        Put every decay into the fiducial range.
    """

    boson: Boson
    search: Search
    g_mu: float
    seed: int
    forced: bool = False

    def partial_widths(self) -> Array:
        """Widths in GeV in the order of `CHANNELS`; neutrinos are muon and tau ones, half each.

        If the card has one channel that counts, only that one is open. Of a table all that is invisible is dark.
        """
        w, couplings = self.boson.widths(self.g_mu), couplings_of(self.boson.model, self.g_mu)
        scalar = self.boson.card.scalar
        neutrinos = 0.0 if scalar.table else min(w.invisible, width_neutrinos(couplings.g_nu, self.boson.m_S))
        dark = w.invisible - neutrinos
        if scalar.decay is not None:
            chosen = VISIBLE[scalar.decay][0]
            w, neutrinos, dark = Widths(0.0, 0.0, 0.0, 0.0)._replace(**{chosen: getattr(w, chosen)}), 0.0, 0.0
        pairs = (w.ee, w.mumu, w.tautau, w.gamma_gamma, w.hadrons, 0.5 * neutrinos, 0.5 * neutrinos, dark)
        return np.array([*pairs, *(0.5 * both for both in (w.emu, w.etau, w.mutau) for _ in range(2))])

    def branching(self) -> Array:
        """Cumulative branching ratios of the channels."""
        partial = self.partial_widths()
        if self.forced:  # into the fiducial range, where an invisible decay has no place
            if self.search.shares(self.boson)[1] > 0.0:
                message = "force_decay: an invisible decay counts wherever it happens, it cannot be forced"
                raise InputError(message)
            partial[[is_invisible(channel.pdg) for channel in CHANNELS]] = 0.0
        refuse_if(partial.sum() == 0.0, f"decays: nothing to decay into at {self.boson.m_S:g} GeV")
        found = np.cumsum(partial) / partial.sum()
        found[found == found[-1]] = 1.0  # no number draws what is closed
        return np.asarray(found)


def is_invisible(number: int) -> bool:
    """Whether nothing is seen of a daughter: a neutrino or a dark particle."""
    return number in (14, 16, pdg.DARK)


@jit
def _fill(
    event: NDArray[np.uint64], S: Array, m_S: float, cumulative: Array, masses: Array, seed: np.uint64, out: Array
) -> None:
    """Rows of `out`: channel, a spare uniform number, and both daughters as px, py, pz, E."""
    for i in range(event.size):
        u_channel, u_theta, u_phi, u_spare = uniforms(seed, np.uint64(DECAYS), event[i], np.uint64(0))
        channel = 0
        while channel < cumulative.size - 1 and u_channel >= cumulative[channel]:
            channel += 1
        four = (S[0, i], S[1, i], S[2, i], S[3, i])
        one, two = daughters(
            four, m_S, masses[channel, 0], masses[channel, 1], 2.0 * u_theta - 1.0, 2.0 * math.pi * u_phi
        )
        out[0, i] = channel
        out[1, i] = u_spare
        for part in range(4):
            out[2 + part, i] = one[part]
            out[6 + part, i] = two[part]


def daughters_of(columns: Columns, how: DecayModel) -> Columns:
    """Columns `decay_pdg`, `d1_*`, `d2_*`, and `u`, a spare uniform number, from seed and event number only."""
    out = np.empty((10, len(columns["event"])))
    S = np.array([columns[f"S_{part}"] for part in ("px", "py", "pz", "E")])
    masses = np.array([channel.masses for channel in CHANNELS])
    _fill(columns["event"], S, how.boson.m_S, how.branching(), masses, np.uint64(how.seed), out)
    numbers = np.array([channel.pdg for channel in CHANNELS])
    parts = ("px", "py", "pz", "E")
    added: Columns = {"decay_pdg": numbers[out[0].astype(int)].astype(np.int32)}
    return added | {f"d{n}_{part}": out[4 * n - 2 + i] for n in (1, 2) for i, part in enumerate(parts)} | {"u": out[1]}


def decay(columns: Columns, how: DecayModel) -> Columns:
    """The columns with the decay of S added: `decay_pdg`, `d1_*`, `d2_*`, and `decay_weight`.

    `decay_weight` is 1, or the branching ratio of the one channel that the card has chosen, or, for forced decays, the
    probability of Eq. 19 at the chosen coupling, that ratio included: `tau` and the
    position are then drawn inside the fiducial range, so that weight times decay_weight times N_mu g_mu^2 adds up to
    N_S.
    """
    added = daughters_of(columns, how)
    u = added.pop("u")
    added["decay_weight"] = np.full(u.size, how.boson.chosen)
    if how.forced:
        added |= _forced(columns | added, how, u)
    return columns | added


def _forced(columns: Columns, how: DecayModel, u: Array) -> Columns:
    """Decay times of a truncated exponential, positions, and the probability as weight (Eq. 19)."""
    per_momentum = how.boson.length_per_momentum(how.g_mu)
    if per_momentum >= STABLE:
        message = f"forced decays: {how.boson.model} of {how.boson.m_S:g} GeV has no width, nothing decays"
        raise InputError(message)
    k = np.sqrt(sum(columns[f"S_{part}"] ** 2 for part in ("px", "py", "pz")))
    length = k * per_momentum
    seen = how.search.see(np.ones(k.size), k, columns["S_E"], columns["E_mu"], how.search.window(columns))
    visible, _ = how.search.shares(how.boson)
    layers = how.search.layers(columns)
    if layers is None:
        first, span = seen.z_min / length, (seen.z_max - seen.z_min) / length
        inside = -np.expm1(-span)
        tau = first - np.log1p(-u * inside)
        probability = seen.weight * visible * np.exp(-first) * inside
    else:
        tau, inside = np.empty(u.size), np.empty(u.size)
        draw_in_layers(seen.z_min, seen.z_max, length, u, layers, tau, inside)
        probability = seen.weight * visible * inside
    moved = {
        f"decay_{axis}_cm": columns[f"vertex_{axis}_cm"] + tau * length * columns[f"S_p{axis}"] / k for axis in "xyz"
    }
    return {"tau": tau, "decay_weight": probability, **moved}
