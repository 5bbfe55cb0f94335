"""Readers of Les Houches event files: those of mcgen bit for bit, others as cross sections at one energy."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice

import numpy as np

from mcgen._version import __version__
from mcgen.base.pdg import check_boson
from mcgen.card.card import Card
from mcgen.events import exposure
from mcgen.events.branches import PARTS, Columns
from mcgen.events.formats.lhe_events import Event, Init, LheStream
from mcgen.events.formats.lhe_process import WIDEST, Collision, check_frame, checked
from mcgen.events.formats.lhe_weights import WeightSums
from mcgen.events.formats.stored import StoredEvents
from mcgen.events.meta import FORMAT, EventMeta
from mcgen.source.beam_nodes import crossings
from mcgen.source.source import Source
from mcgen.source.targets import Target

_INTEGERS = {"event": np.uint64, "decay_pdg": np.int32}
_NAMES = ("mu_in", "N_in", "mu_out", "N_out", "S", "d1", "d2")
#: events held as dictionaries at a time
_BLOCK = 2_000


def _blocks(rows: Iterator[dict[str, float]], names: list[str]) -> Iterator[Columns]:
    """Events as arrays, in small blocks: as dictionaries they take ten times the memory."""
    while block := list(islice(rows, _BLOCK)):
        yield {name: np.array([row[name] for row in block], dtype=_INTEGERS.get(name, float)) for name in names}


class LheFile(StoredEvents):
    """An LHE file: one that mcgen exported, or one of another generator together with a card.

    Weights of other generators are shares of the cross section of <init> in pb, at the one energy of the file. A boson
    whose mass differs from event to event has the branch `S_mass`.
    """

    kind = "LHE"

    def _open(self, card: Card | None) -> int:
        self._file = LheStream(self.path)
        text, init = self._file.head()
        self._foreign: _Foreign | None = None
        if text:
            self._check_metadata(text)
            self.branches = self.metadata.branches
        elif card is None:
            self._refuse(
                "is of another generator: `mcgen info`, `reweight` and `export` take its experiment as --card CARD, "
                "mcgen.load as card=..."
            )
        else:
            self._foreign = _Foreign(self._file, init, card)
            self.metadata = self._foreign.metadata
            self.branches = [*self.metadata.branches, *(["S_mass"] if self._foreign.has_width else [])]
        return len(self)

    @property
    def _brings_card(self) -> bool:
        return self._foreign is None

    def _chunks(self, names: list[str], step: int) -> Iterator[Columns]:
        rows = self._foreign.rows() if self._foreign else self._own_rows()
        done = 0
        while blocks := list(_blocks(islice(rows, step), names)):
            chunk = {name: np.concatenate([block[name] for block in blocks]) for name in names}
            done += len(chunk[names[0]])
            yield chunk
        if done != len(self):
            self._refuse(f"holds {done} events and should hold {len(self)}")

    def _own_rows(self) -> Iterator[dict[str, float]]:
        """Columns of each event: momenta of the particles, and what the comment holds, such as the weight itself."""
        wanted = set(self.branches)
        for number, event in enumerate(self._file.events(), 1):
            row = {"weight": event.weight}
            for name, particle in zip(_NAMES, event.particles, strict=False):
                row |= {f"{name}_{part}": value for part, value in zip(PARTS, particle.p, strict=True)}
            if len(event.particles) > 5:
                row["decay_pdg"] = event.particles[5].pdg
            for comment in event.comments:
                row |= _columns(comment)
            if not wanted <= row.keys() or not all(map(math.isfinite, row.values())):
                self._refuse(f"event {number}: not as mcgen wrote it")
            yield row


def _columns(comment: str) -> dict[str, float]:
    """Names and numbers of a comment; none if it is of another kind."""
    words = comment.lstrip("# ").split()
    try:
        return dict(zip(words[::2], map(float, words[1::2]), strict=True))
    except ValueError:
        return {}


class _Foreign:
    """Events of another generator, for the experiment of a card.

    A first pass looks at every event: process, frame, one energy, one mass, and the sum of the weights.
    """

    def __init__(self, file: LheStream, init: Init, card: Card) -> None:
        self._file, self._refuse, self._card, self._beams = file, file.refuse, card, init.beams
        self._source = Source(card)
        first: Collision | None = None
        n, low, high, one_mass = 0, math.inf, 0.0, True
        for n, event, found in self._collisions():
            if first is None:
                first, sums = found, WeightSums(init, self._refuse)
            self._check_same(first, found, f"event {n}")
            sums.add(event.process, event.weight, f"event {n}")
            low, high = min(low, found.mass), max(high, found.mass)
            one_mass = one_mass and found.same_mass(first.mass)
        if first is None:
            self._refuse("holds no events")
        self.has_width = not one_mass
        self._m_S = self._nominal_mass(first.mass, low, high)
        self._norm = sums.normalised()
        self.metadata = self._described(n, first, sums.unweighted)
        if self.has_width:
            self.metadata["mass_range_gev"] = [low, high]

    def _collisions(self) -> Iterator[tuple[int, Event, Collision]]:
        """(number, event, its five particles) of each event."""
        for n, event in enumerate(self._file.events(), 1):
            where = f"event {n}"
            found = Collision.of(event, self._beams, where, self._refuse)
            if n == 1:
                self._compare(found)
            check_frame(found, where, self._refuse)
            if n == 1:
                self._place_in_target(found)
            yield n, event, checked(found, where, self._refuse)

    def _compare(self, first: Collision) -> None:
        """Refuse a lepton or a boson that is not that of the card."""
        for what, mass, expected, allowed in (
            ("the beam lepton", first.lepton.mass, self._card.beam.mass, 1e-3),
            ("S", first.boson.mass, self._card.scalar.mass, WIDEST),
        ):
            if abs(mass - expected) > allowed * expected:
                self._refuse(f"mass of {what} is {mass:g}, and {expected:g} GeV in the card (LHE files are in GeV)")

    def _check_same(self, first: Collision, found: Collision, where: str) -> None:
        """Refuse an event at another energy, or of other particles than the first."""
        if not found.same_energy(first.E):
            self._refuse(
                f"holds several beam energies, {first.E:.9g} GeV in event 1 and {found.E:.9g} GeV in {where}; "
                "one per file is expected"
            )
        for was, now in ((first.lepton, found.lepton), (first.nucleus, found.nucleus)):
            if was.pdg != now.pdg or abs(was.mass - now.mass) > 1e-3 * was.mass:
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
            self._refuse(f"mass of S is {found}, and {expected:g} GeV in the card (LHE files are in GeV)")
        nominal = expected if self.has_width else first
        self._source.check_mass(nominal, "mass of S")
        return nominal

    def _place_in_target(self, first: Collision) -> None:
        """Find energy, depth and struck element; an energy that is the card's but for its digits becomes the card's."""
        E, low, high = first.E, self._source.E_exit, self._card.beam.E_max
        ends = [end for end in (high, low) if first.same_energy(end)]
        if self._card.beam.distribution or not (ends or low <= E <= high):
            self._refuse(f"energy {E:.9g} GeV is not in the card's target ({low:g} to {high:g} GeV)")
        self._E = ends[0] if ends else E
        self._target, depth = self._struck(first)
        self._place = {"depth_cm": depth, "target_Z": self._target.Z, "target_A": self._target.A}

    def _struck(self, first: Collision) -> tuple[Target, float]:
        """What the beam hits at this energy, and its depth in cm."""
        M, struck = first.nucleus.mass, crossings(self._source.segments, self._E, 1)
        target, depths, _ = struck[0]
        if len(struck) > 1 or abs(M - target.M) > 1e-2 * target.M:
            names = ", ".join(f"{e.name} of {e.M:.5g} GeV" for e, _, _ in struck)
            self._refuse(f"its nucleus of {M:.5g} GeV is not what the beam of {self._E:g} GeV hits ({names})")
        return target, float(depths[0])

    def _described(self, n: int, first: Collision, unweighted: bool) -> EventMeta:
        scalar, norm = self._card.scalar, self._norm
        about = exposure.of_cross_section(self._card, norm.sigma, norm.relative_error * norm.sigma)
        found = {
            "format": FORMAT,
            "card": self._card.text,
            "mcgen_version": __version__,
            "n_events": n,
            "mass_gev": self._m_S,
            "beam_energy_gev": self._E,
            "target": self._target.name,
            "beam_pdg": first.lepton.pdg,
            "model": scalar.model,
            "mediator": scalar.mediator,
            "reference_g_mu": scalar.g_mu,
            "norm_relative_error": norm.relative_error,
            "sigma_pb": norm.sigma,
            "sigma": [{"target": self._target.name, "energy_gev": self._E, "sigma_pb": norm.sigma}],
            "unweighted": unweighted,
            "weight_convention": f"cross section in {about['weight_unit']}; the sum over the file is that of <init>",
            "exposure": about,
        }
        number = abs(first.boson.pdg)
        return EventMeta(found | ({"boson_pdg": check_boson(number)} if number < 10**9 else {}))

    def rows(self) -> Iterator[dict[str, float]]:
        """Columns of each event; the nucleus has the mass of the card's element, and its own kinetic energy."""
        E, M = self._E, self._target.M
        for n, event, found in self._collisions():
            nucleus, S = found.nucleus_out, found.boson
            q2 = sum(value * value for value in nucleus.p[:3])
            kinetic = q2 / (math.sqrt(nucleus.mass**2 + q2) + nucleus.mass)
            row = {
                **self._place,
                "event": n - 1,
                "weight": event.weight * self._norm.factor(event.process),
                "E_mu": E,
                "x": S.p[3] / E,
                "t": 2.0 * nucleus.mass * kinetic,
                "vertex_x_cm": 0.0,
                "vertex_y_cm": 0.0,
                "vertex_z_cm": self._place["depth_cm"],
                "S_mass": found.mass,
            }
            for name, particle in zip(_NAMES, found.particles, strict=False):
                row |= {f"{name}_{part}": value for part, value in zip(PARTS, particle.p, strict=True)}
            yield row | {"N_out_E": M + kinetic}
