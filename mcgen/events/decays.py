"""Decays of S: channel, daughters, and decays forced into the fiducial range."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mcgen.base import pdg
from mcgen.base.arrays import Array
from mcgen.base.constants import M_E, M_MU, M_PI, M_TAU
from mcgen.base.errors import InputError, refuse_if
from mcgen.base.jit import jit
from mcgen.base.rng import DECAYS, uniforms
from mcgen.card.card import Card
from mcgen.events.branches import PARTS, POINT, Columns
from mcgen.events.events import EventSource
from mcgen.events.polarisation import check_point, known_processes, polarisation
from mcgen.physics.boson.polarised_decay import HELICAL, ISOTROPIC, SPINLESS, DecayLaw, along, into_leptons  # fmt: skip
from mcgen.physics.boson.scalar_decay import STABLE, VISIBLE, Widths, width_neutrinos
from mcgen.physics.boson.two_body import daughters
from mcgen.physics.emission.mediator import SPIN_1
from mcgen.physics.signal.layers import draw_in_layers
from mcgen.search.search import Search
from mcgen.source.boson import Boson, couplings_of
from mcgen.source.targets import Target

#: how `decay_law` of metadata begins where angles follow the spin density of the production
POLARISED = "polarised"


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


def decay_law(axial: bool, channel: Channel, m_S: float) -> DecayLaw:
    """Angles of the decay of a vector or an axial vector.

    Parameters
    ----------
    axial : bool
        Of an axial vector.
    channel : Channel
        Hadrons of a vector are two spinless ones. Those of an axial vector, which are three or more, photons and dark
        particles, of which nothing is known, are isotropic.
    m_S : float
        Mass of the boson in GeV.
    """
    m_1, m_2 = channel.masses
    if channel.pdg in (12, 14, 16):
        return HELICAL
    if channel.pdg == 211:
        return ISOTROPIC if axial else SPINLESS
    leptons = channel.pdg in (11, 13, 15) or channel.other is not None
    return into_leptons(m_S, m_1, -m_2 if axial else m_2) if leptons and m_S > m_1 + m_2 else ISOTROPIC


def _follows_production(card: Card, mediator: str) -> bool:
    """Whether a mediator decays by the spin density of its production, as a card has it."""
    return mediator in SPIN_1 and card.scalar.decay_law == "polarised"


def check_angles(card: Card, law: str, weights: Iterable[Mapping[str, Any]]) -> None:
    """Refuse alternative weights of a mediator that decays at other angles than the daughters of the same events.

    Parameters
    ----------
    card : Card
        Of the events.
    law : str
        `decay_law` of their metadata.
    weights : iterable of mapping
        What metadata say of each weight.
    """
    for row in weights:
        mediator = row.get("mediator", card.scalar.mediator)
        other = mediator != card.scalar.mediator and (law.startswith(POLARISED) or _follows_production(card, mediator))
        fault = f"a {card.scalar.mediator} and its daughters are in the events, and {mediator} decays at other angles"
        refuse_if(other, f"weight '{row['name']}': {fault}; ask for it without daughters, or for isotropic decays")


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
    foreign : bool
        Of events of another generator, which may be no points of this phase space: decays are isotropic.
    """

    boson: Boson
    search: Search
    g_mu: float
    seed: int
    forced: bool = False
    foreign: bool = False

    @property
    def is_polarised(self) -> bool:
        """Whether decays follow the spin density of the production: those of spin 1, unless the card has isotropic."""
        card = self.boson.card
        return _follows_production(card, card.scalar.mediator) and not self.foreign

    def law_on(self, targets: Sequence[Target]) -> str:
        """What the angles of decays follow for what is struck, in words for metadata; nothing of spin 0."""
        if self.boson.card.scalar.mediator not in SPIN_1:
            return ""
        known: Collection[Target] = known_processes(self.boson) if self.is_polarised else ()
        others = [target.name for target in targets if target not in known]
        if len(others) == len(targets):
            return "isotropic"
        return f"{POLARISED}, but isotropic on {', '.join(others)}" if others else POLARISED

    def partial_widths(self) -> Array:
        """Widths in GeV in the order of `CHANNELS`; neutrinos are muon and tau ones, half each.

        If the card has one channel that counts, only that one is open. Of a table all that is invisible is dark.
        """
        w, couplings = self.boson.widths(self.g_mu), couplings_of(self.boson.model, self.g_mu)
        scalar = self.boson.card.scalar
        neutrinos = 0.0 if scalar.table else min(w.invisible, width_neutrinos(couplings.g_nu, self.boson.m_S))
        dark = w.invisible - neutrinos
        if self.boson.decay is not None:
            chosen = VISIBLE[self.boson.decay][0]
            w, neutrinos, dark = Widths(0.0, 0.0, 0.0, 0.0)._replace(**{chosen: getattr(w, chosen)}), 0.0, 0.0
        pairs = (w.ee, w.mumu, w.tautau, w.gamma_gamma, w.hadrons, 0.5 * neutrinos, 0.5 * neutrinos, dark)
        return np.array([*pairs, *(0.5 * both for both in (w.emu, w.etau, w.mutau) for _ in range(2))])

    def needed(self, events: EventSource) -> list[str]:
        """Branches that the angles depend on, besides the momentum of S; InputError if the events lack one."""
        if not self.is_polarised:
            return []
        check_point(events.branches)
        return POINT

    def laws(self) -> list[DecayLaw]:
        """Angles of the decays in the order of `CHANNELS`."""
        known = known_processes(self.boson) if self.is_polarised else {}
        kinds = [process.weights.even == 0.0 for process in known.values()]  # one kind, on whatever target
        return [decay_law(kinds[0], channel, self.boson.m_S) if kinds else ISOTROPIC for channel in CHANNELS]

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
def _direction(
    polarised: Array, a: float, c: float, seed: np.uint64, event: np.uint64, cos_theta: float, phi: float
) -> tuple[float, float]:
    """Of the first daughter, by the law (a, c): an isotropic one if it is accepted, or the first of further ones."""
    turn = math.atan2(polarised[7], polarised[6])
    block = 0
    while True:
        block += 1
        u_accept, u_theta, u_phi, _ = uniforms(seed, np.uint64(DECAYS), event, np.uint64(block))
        across = math.sqrt((1.0 - cos_theta) * (1.0 + cos_theta))
        x, y = across * math.cos(phi - turn), across * math.sin(phi - turn)
        if u_accept < a - c * along(polarised, x, y, cos_theta):
            return cos_theta, phi
        cos_theta, phi = 2.0 * u_theta - 1.0, 2.0 * math.pi * u_phi


@jit
def _fill(
    event: NDArray[np.uint64], S: Array, m_S: float, cumulative: Array, channels: Array, polarised: Array,
    seed: np.uint64, out: Array,
) -> None:  # fmt: skip
    """Rows of `out`: channel, a spare uniform number, and both daughters as px, py, pz, E.

    Rows of `channels` are masses of the daughters and law of the decay; `polarised` is empty or that of each event.
    """
    for i in range(event.size):
        u_channel, u_theta, u_phi, u_spare = uniforms(seed, np.uint64(DECAYS), event[i], np.uint64(0))
        channel = 0
        while channel < cumulative.size - 1 and u_channel >= cumulative[channel]:
            channel += 1
        four = (S[0, i], S[1, i], S[2, i], S[3, i])
        cos_theta, phi = 2.0 * u_theta - 1.0, 2.0 * math.pi * u_phi
        m_1, m_2, a, c = channels[channel]
        if polarised.size and c != 0.0:
            cos_theta, phi = _direction(polarised[:, i], a, c, seed, event[i], cos_theta, phi)
        one, two = daughters(four, m_S, m_1, m_2, cos_theta, phi)
        out[0, i] = channel
        out[1, i] = u_spare
        for part in range(4):
            out[2 + part, i] = one[part]
            out[6 + part, i] = two[part]


def daughters_of(columns: Columns, how: DecayModel) -> Columns:
    """Columns `decay_pdg`, `d1_*`, `d2_*`, and `u`, a spare uniform number, from seed and event alone."""
    out = np.empty((10, len(columns["event"])))
    S = np.array([columns[f"S_{part}"] for part in PARTS])
    laws = how.laws()
    channels = np.array([(*channel.masses, *law) for channel, law in zip(CHANNELS, laws, strict=True)])
    polarised = polarisation(columns, how.boson) if any(law.c for law in laws) else np.empty((8, 0))
    _fill(columns["event"], S, how.boson.m_S, how.branching(), channels, polarised, np.uint64(how.seed), out)
    numbers = np.array([channel.pdg for channel in CHANNELS])
    added: Columns = {"decay_pdg": numbers[out[0].astype(int)].astype(np.int32)}
    return added | {f"d{n}_{part}": out[4 * n - 2 + i] for n in (1, 2) for i, part in enumerate(PARTS)} | {"u": out[1]}


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
    layers = how.search.layers(columns)
    seen = how.search.see(np.ones(k.size), k, columns, how.search.window(columns), layers=layers)
    visible, _ = how.search.shares(how.boson)
    if layers is None:
        first, span = seen.z_min / length, (seen.z_max - seen.z_min) / length
        inside = -np.expm1(-span)
        tau = first - np.log1p(-u * inside)
        probability = seen.weight * visible * np.exp(-first) * inside
    else:
        tau, inside = np.empty(u.size), np.empty(u.size)
        draw_in_layers(seen.z_min, seen.z_max, length, u, layers, tau, inside)
        probability = seen.weight * visible * inside
    if how.search.sees_places:
        z, n_z = how.search.flight(columns)
        possible = how.search.possible((seen.z_min, seen.z_max), layers)
        probability *= how.search.share(columns, possible, z + tau * length * n_z)
    moved = {
        f"decay_{axis}_cm": columns[f"vertex_{axis}_cm"] + tau * length * columns[f"S_p{axis}"] / k for axis in "xyz"
    }
    return {"tau": tau, "decay_weight": probability, **moved}
