"""Particles of events of another generator as columns: cross sections at each energy, for the experiment of a card."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mcgen.base.constants import MM_PER_CM
from mcgen.base.errors import McgenWarning
from mcgen.card.card import Card
from mcgen.events.branches import PARTS, Columns
from mcgen.events.formats.foreign import Place, columns_at, described
from mcgen.events.formats.hepmc_events import HepmcStream
from mcgen.events.formats.lhe_alike import Alike, gathered
from mcgen.events.formats.lhe_collisions import Collisions, nearest
from mcgen.events.formats.lhe_energies import EnergySums
from mcgen.events.formats.lhe_events import PLACE, Event, Init, LheStream
from mcgen.events.formats.lhe_process import (
    SAME,
    SAME_PROCESS,
    WIDEST,
    Collision,
    check_frame,
    checked,
    lines_of,
    numbers_of,
)
from mcgen.events.formats.lhe_weights import WeightSums
from mcgen.events.formats.particles import outgoing
from mcgen.events.meta import Sample
from mcgen.source.beam_nodes import crossings
from mcgen.source.source import Source

_NAMES = ("mu_in", "N_in", "mu_out", "N_out", "S")
#: more beam energies than this are a continuous spectrum, which says no cross section at any
MOST_ENERGIES = 1_000
#: names of lost weights that are said
_SHOWN = 5


class LostWeightsWarning(McgenWarning):
    """Not every event has all the weights that others have."""


class PlaceWarning(McgenWarning):
    """Events of another generator are not in the target of the card."""


class ForeignEvents:
    """Events of another generator, for the experiment of a card.

    A first pass looks at every event: process, frame, energy, one mass, and the sums of the weights.
    """

    def __init__(self, file: LheStream | HepmcStream, init: Init, card: Card) -> None:
        self._file, self._refuse, self._card, self._beams = file, file.refuse, card, init.beams
        self._source = Source(card)
        self._first: Collision | None = None
        self._printed: list[float] = []  # beam energies as they stand in the file, in the order of their events
        self._places: list[Place] = []
        self._further = [PLACE[2]]  # names of further numbers that are read
        self.has_width = False
        seen, common = set[str](), dict[str, float]()
        n, low, high = 0, math.inf, 0.0
        z_mm = np.array([math.inf, -math.inf])
        for part in self._collisions():
            found = part if isinstance(part, Collisions) else Collisions.joined([part], self._further)
            if not isinstance(part, Collisions):
                if self._first is None:
                    self._first = part[1]
                    sums, by_energy = WeightSums(init, self._refuse), EnergySums(init, self._refuse)
                    common = dict(part[0].further)
                self._check_same(self._first, part[1], f"event {n + 1}")
                self.has_width = self.has_width or not part[1].same_mass(self._first.mass)
                seen |= part[0].further.keys()
                common = {name: 0.0 for name in common if name in part[0].further}
            z = found.further[:, 0]
            z_mm = np.array([np.minimum(z_mm[0], z.min()), np.maximum(z_mm[1], z.max())])  # NaN where one lacks
            sums.add(found.process, found.weight, n + 1)
            by_energy.add(self._which(found), found.process, found.weight)
            n += len(found.mass)
            low, high = min(low, float(found.mass.min())), max(high, float(found.mass.max()))
        if self._first is None:
            self._refuse("holds no events")
        self._names = self._named(seen - {*PLACE}, [name for name in common if name not in PLACE])
        self._has_places = self._in_target(z_mm / MM_PER_CM)
        self._further = [*self._names, *(PLACE if self._has_places else ())]
        self._m_S = self._nominal_mass(self._first.mass, low, high)
        self._norms = by_energy.normalised(sums.normalised(), self._printed)
        samples = [
            Sample(place.target.name, place.E, norm.sigma, by_energy.count(k), norm.relative_error)
            for k, (place, norm) in enumerate(zip(self._places, self._norms, strict=True))
        ]
        of_file: dict[str, Any] = {"beam_pdg": self._first.lepton.pdg, "unweighted": sums.unweighted}
        if self._names:
            of_file["weights"] = [self._file.declared.get(name, {"name": name}) for name in self._names]
        self.metadata = described(card, samples, self._m_S, abs(self._first.boson.pdg), **of_file)
        if self.has_width:
            self.metadata["mass_range_gev"] = [low, high]

    def _which(self, found: Collisions) -> NDArray[np.int64]:
        """Number of each event's beam energy."""
        return nearest(np.array(self._printed), found.p[:, 0, 3])

    @staticmethod
    def _named(seen: set[str], common: list[str]) -> list[str]:
        """Names of the further weights that every event has; there is a warning of others."""
        if lost := sorted(seen - set(common)):
            names = ", ".join(lost[:_SHOWN]) + (" ..." if len(lost) > _SHOWN else "")
            message = f"weights that some events lack, or that are no number there, are left out: {names}"
            warnings.warn(message, LostWeightsWarning, stacklevel=2)
        return common

    def _in_target(self, span: NDArray[np.float64]) -> bool:
        """Whether all events say where they are, from `span` in cm, and that is in the card's target."""
        length = self._card.target.length
        if span[0] >= 0.0 and span[1] <= (1.0 + 1e-9) * length:
            return True
        if np.isfinite(span).all():
            message = (
                f"#vertex: events lie at z = {span[0]:.6g} to {span[1]:.6g} cm, and the card's target from 0 to "
                f"{length:g} cm; places are left out"
            )
            warnings.warn(message, PlaceWarning, stacklevel=2)
        return False

    def _collisions(self) -> Iterator[tuple[Event, Collision] | Collisions]:
        """Each event and its five particles, or those of many events that need no closer look."""
        n, lines, kinds = 0, list[int](), list[int]()
        for part in self._file.parts():
            if isinstance(part, Event):
                n += 1
                found = self._looked_at(part, n)
                if n == 1:
                    lines, kinds = lines_of(part, found), numbers_of(part)
                yield part, found
                continue
            sound = self._sound(part, lines, kinds)
            for begin, end in pairwise([0, *(np.flatnonzero(np.diff(sound)) + 1).tolist(), len(sound)]):
                if sound[begin]:
                    yield Collisions.alike(part.numbers[begin:end], self._file.slots, lines, self._further)
                    continue
                for i in range(begin, end):
                    event = self._file.event_of(part.text_of(i), f"event {n + i + 1}")
                    yield event, self._looked_at(event, n + i + 1)
            n += len(sound)

    def _sound(self, part: Alike, lines: list[int], kinds: list[int]) -> NDArray[np.bool_]:
        """Whether each event is surely one like the first.

        Parameters
        ----------
        part : Alike
        lines : list of int
            Those of the five particles, none if they are to be looked for in every event.
        kinds : list of int
            Numbers, states and mothers of the particles of the first event.
        """
        if not lines or self._first is None:
            return np.zeros(len(part.numbers), bool)
        many = Collisions.alike(part.numbers, self._file.slots, lines)
        same_kinds = np.all(part.numbers[:, numbers_of(self._file.slots)] == kinds, axis=1)
        same_mass = many.same_mass(self._first.mass) | self.has_width
        sound: NDArray[np.bool_] = same_kinds & same_mass & many.sound(self._first, np.array(self._printed))
        return sound

    def _looked_at(self, event: Event, n: int) -> Collision:
        """The five particles of the event of a number, checked one by one."""
        where = f"event {n}"
        found = Collision.of(event, self._beams, where, self._refuse)
        if n == 1:
            self._compare(found)
        check_frame(found, where, self._refuse)
        self._place_in_target(found, where)
        return checked(found, where, self._refuse)

    def _compare(self, first: Collision) -> None:
        """Refuse a lepton or a boson that is not that of the card."""
        for what, mass, expected, allowed in (
            ("the beam lepton", first.lepton.mass, self._card.beam.mass, 1e-3),
            ("S", first.boson.mass, self._card.scalar.mass, WIDEST),
        ):
            if abs(mass - expected) > allowed * expected:
                self._refuse(f"mass of {what} is {mass:g}, and {expected:g} GeV in the card ({self._file.UNIT})")
        out, m_out = outgoing(self._card, first.lepton.pdg)
        found = first.lepton_out
        if found.pdg != out or abs(found.mass - m_out) > 1e-3 * m_out:
            mine = f"{found.pdg} of {found.mass:g} GeV"
            self._refuse(f"the outgoing lepton is {mine}, and {out} of {m_out:g} GeV in the card (scalar.out_lepton)")

    def _check_same(self, first: Collision, found: Collision, where: str) -> None:
        """Refuse an event of other particles than the first."""
        for was, now in zip(first.particles[:3], found.particles[:3], strict=True):
            if was.pdg != now.pdg or abs(was.mass - now.mass) > SAME_PROCESS * was.mass:
                mine, other = (f"{p.pdg} of {p.mass:.6g} GeV" for p in (now, was))
                self._refuse(f"{where}: begins with {mine}, and event 1 with {other}; one process is expected")

    def _nominal_mass(self, first: float, low: float, high: float) -> float:
        """Mass of S in GeV; of one with a width, which differs from event to event, that of the card."""
        expected = self._card.scalar.mass
        found = f"{first:g}"
        if self.has_width:
            found = f"{low:.7g} to {high:.7g} GeV from event to event"
            if high - low > WIDEST * expected:
                self._refuse(f"mass of S is {found}: several bosons, or a width of more than {WIDEST:.0%} of the mass")
        if not (1.0 - 1e-3) * low <= expected <= (1.0 + 1e-3) * high:
            self._refuse(f"mass of S is {found}, and {expected:g} GeV in the card ({self._file.UNIT})")
        nominal = expected if self.has_width else first
        self._source.check_mass(nominal, "mass of S")
        return nominal

    def _place_in_target(self, found: Collision, where: str) -> None:
        """Find energy, depth and struck element; an energy that is the card's but for its digits becomes the card's."""
        E, low, high = found.E, self._source.E_exit, self._card.beam.E_max
        if any(abs(E - known) <= SAME * known for known in self._printed) or any(map(found.same_energy, self._printed)):
            return
        if len(self._printed) == MOST_ENERGIES:
            self._refuse(f"{where}: holds more than {MOST_ENERGIES} beam energies; expected is one energy, or a few")
        ends = [end for end in (high, low) if found.same_energy(end)]
        if self._card.beam.distribution or not (ends or low <= E <= high):
            of = f"{where}: " if self._printed else ""
            self._refuse(f"{of}energy {E:.9g} GeV is not in the card's target ({low:g} to {high:g} GeV)")
        self._printed.append(E)
        self._places.append(self._struck(found, ends[0] if ends else E))

    def _struck(self, found: Collision, E: float) -> Place:
        """What the beam hits at this energy in GeV, and its depth."""
        M, struck = found.nucleus.mass, crossings(self._source.segments, E, 1)
        target, depths, _ = struck[0]
        if len(struck) > 1 or abs(M - target.M) > 1e-2 * target.M:
            names = ", ".join(f"{e.name} of {e.M:.5g} GeV" for e, _, _ in struck)
            self._refuse(f"its nucleus of {M:.5g} GeV is not what the beam of {E:g} GeV hits ({names})")
        return Place(E, target, float(depths[0]))

    def _factors(self, found: Collisions, which: NDArray[np.int64]) -> NDArray[np.float64]:
        """What turns the weight of each event into its part of the cross section in pb."""
        factors = np.array([norm.factor(found.process) for norm in self._norms])
        chosen: NDArray[np.float64] = factors[which, np.arange(len(which))]
        return chosen

    def blocks(self) -> Iterator[Columns]:
        """Columns of the events; the nucleus has the mass of the card's element, and its own kinetic energy."""
        M, done = np.array([place.target.M for place in self._places]), 0
        for part in gathered(self._collisions(), Collisions):
            found = part if isinstance(part, Collisions) else Collisions.joined(part, self._further)
            n, which = len(found.mass), self._which(found)
            factor = self._factors(found, which)
            px, py, pz, _ = found.p[:, 3].T
            mass = found.masses[:, 3]  # of the nucleus
            q2 = px * px + py * py + pz * pz
            kinetic = q2 / (np.sqrt(mass * mass + q2) + mass)
            columns: Columns = columns_at(self._places, which)
            columns |= {
                "event": np.arange(done, done + n),
                "weight": found.weight * factor,
                "x": found.p[:, 4, 3] / columns["E_mu"],
                "t": 2.0 * mass * kinetic,
                "S_mass": found.mass,
            }
            columns |= {f"{name}_{of}": found.p[:, i, k] for i, name in enumerate(_NAMES) for k, of in enumerate(PARTS)}
            columns["N_out_E"] = M[which] + kinetic
            if self._has_places:
                x, y, z = found.further[:, -len(PLACE) :].T / MM_PER_CM
                columns |= {"vertex_x_cm": x, "vertex_y_cm": y, "vertex_z_cm": z, "depth_cm": z}
            columns |= {name: found.further[:, i] * factor for i, name in enumerate(self.metadata.weights)}
            yield columns
            done += n
