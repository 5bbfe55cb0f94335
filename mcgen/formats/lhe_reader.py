"""Les Houches event files read back: those of mcgen bit for bit, those of MadGraph as cross sections at one energy.

The reader goes line by line, never holds more than a chunk of events, resolves no entity, and takes no line longer
than the metadata of a file may be.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import unescape
from itertools import islice
from typing import IO, NamedTuple

import numpy as np

from mcgen.card import Card
from mcgen.errors import InputError
from mcgen.events import BRANCHES, DECAY_BRANCHES, PARTS, Columns
from mcgen.formats.stored import MAX_METADATA, StoredEvents
from mcgen.formats.text import open_text
from mcgen.track_rules import crossings

_INTEGERS = {"event": np.uint64, "decay_pdg": np.int32}
_NAMES = ("mu_in", "N_in", "mu_out", "N_out", "S", "d1", "d2")
#: relative accuracy of the printed numbers of other generators
_DIGITS = 1e-6
#: more particles than any event of this process has
_MANY = 100
#: rows held at a time
_BLOCK = 2_000


class _Line(NamedTuple):
    """A particle."""

    pdg: int
    status: int
    mother: int
    p: list[float]
    mass: float


def _blocks(rows: Iterator[dict[str, float]], names: list[str]) -> Iterator[Columns]:
    """Events as arrays, few at a time: a row takes ten times the memory."""
    while block := list(islice(rows, _BLOCK)):
        yield {name: np.array([row[name] for row in block], dtype=_INTEGERS.get(name, float)) for name in names}


class LheFile(StoredEvents):
    """An LHE file: one that mcgen exported, or one of another generator together with a card.

    Weights of other generators are shares of the cross section of <init> in pb, at the one energy of the file.
    """

    kind = "LHE"

    def _open(self, card: Card | None) -> int:
        with self._stream() as stream:
            self._head(stream)
            if self.metadata:
                self.branches = [*BRANCHES, *(DECAY_BRANCHES if "decays" in self.metadata else ())]
                return len(self)
        if card is None:
            self._refuse("is of another generator: say what experiment its events are for, --card CARD")
        self._foreign(card)
        return len(self)

    def _stream(self) -> IO[str]:
        return open_text(self.path, "rt", self.path.name)

    def _line(self, stream: IO[str], what: str) -> str:
        """The next line."""
        line = stream.readline(MAX_METADATA)
        if not line.endswith("\n"):
            self._refuse(f"{what}: {'a line is too long' if len(line) == MAX_METADATA else 'the file ends'}")
        return line

    def _head(self, stream: IO[str]) -> None:
        """Metadata if the file is ours, and the sum of the cross sections of <init> with their error."""
        if "<LesHouchesEvents" not in self._line(stream, "header"):
            self._refuse("is no LHE file")
        while not (line := self._line(stream, "header")).startswith(("<init>", "<init ")):
            if line.startswith("<mcgen>"):
                self._check_metadata(unescape(line.strip().removeprefix("<mcgen>").removesuffix("</mcgen>")))
        processes = int(self._line(stream, "<init>").split()[9])
        rows = [self._line(stream, "<init>").split() for _ in range(min(processes, _MANY))]
        self._sigma, self._sigma_error = (sum(float(row[i]) for row in rows) for i in (0, 1))
        while "</init>" not in self._line(stream, "<init>"):
            pass

    def _events(self) -> Iterator[tuple[float, list[_Line], dict[str, float]]]:
        """(weight, particles, columns of the comment) of each event."""
        with self._stream() as stream:
            self._head(stream)
            number = 0
            while "</LesHouchesEvents>" not in (line := self._line(stream, f"after event {number}")):
                if not line.startswith("<event"):
                    continue
                number += 1
                try:
                    yield self._event(stream, f"event {number}")
                except (ValueError, IndexError) as error:
                    if isinstance(error, InputError):
                        raise
                    self._refuse(f"event {number}: cannot be read ({str(error)[:60]})")

    def _event(self, stream: IO[str], where: str) -> tuple[float, list[_Line], dict[str, float]]:
        head = self._line(stream, where).split()
        particles = []
        if int(head[0]) > _MANY:
            self._refuse(f"{where}: {head[0]} particles")
        for _ in range(int(head[0])):
            cells = self._line(stream, where).split()
            p = [float(cell) for cell in cells[6:10]]
            particles.append(_Line(int(cells[0]), int(cells[1]), int(cells[2]), p, float(cells[10])))
        comment: dict[str, float] = {}
        while not (line := self._line(stream, where)).startswith("</event>"):
            if line.startswith("# event "):
                words = line.split()
                comment = dict(zip(words[1::2], map(float, words[2::2]), strict=True))
        return float(head[2]), particles, comment

    def _chunks(self, names: list[str], step: int) -> Iterator[Columns]:
        rows = self._foreign_rows() if "beam_energy_gev" in self.metadata else self._own_rows()
        done = 0
        while blocks := list(_blocks(islice(rows, step), names)):
            chunk = {name: np.concatenate([block[name] for block in blocks]) for name in names}
            done += len(chunk[names[0]])
            yield chunk
        if done != len(self):
            self._refuse(f"holds {done} events and should hold {len(self)}")

    def _own_rows(self) -> Iterator[dict[str, float]]:
        wanted = set(self.branches)
        for number, (weight, particles, comment) in enumerate(self._events(), 1):
            row = {"weight": weight, **comment}
            for name, particle in zip(_NAMES, particles, strict=False):
                for part, value in zip(PARTS, particle.p, strict=True):
                    row[f"{name}_{part}"] = value
            if len(particles) > 5:
                row["decay_pdg"] = particles[5].pdg
            if not wanted <= row.keys() or not all(map(math.isfinite, row.values())):
                self._refuse(f"event {number}: not as mcgen wrote it")
            yield row

    def _foreign(self, card: Card) -> None:
        """Metadata from a first pass: energy, mass, normalisation; the card must be of the same experiment."""
        total, n, first = 0.0, 0, None
        for n, (weight, particles, _) in enumerate(self._events(), 1):  # noqa: B007
            first = first or self._sorted(particles, "event 1")
            total += weight
        if first is None or not 0.0 < total < math.inf or not 0.0 < self._sigma < math.inf:
            self._refuse("no events, or their weights or the cross section of <init> are not positive")
        lepton, nucleus, _, _, S = first
        E, m_S = lepton.p[3], S.mass
        for what, found, expected in (
            ("mass of the beam lepton", lepton.mass, card.beam.mass),
            ("mass of S", m_S, card.scalar.mass),
        ):
            if abs(found - expected) > 1e-3 * expected:
                self._refuse(f"{what} is {found:g}, and {expected:g} GeV in the card (LHE files are in GeV)")
        if card.beam.distribution or not card.E_low <= E <= card.beam.E_max:
            self._refuse(f"energy {E:g} GeV is not in the card's target ({card.E_low:g} to {card.beam.E_max:g} GeV)")
        struck = crossings(card.stretches, E, 1)
        element, depths, _ = struck[0]
        if len(struck) > 1 or abs(nucleus.mass - element.M) > 1e-2 * element.M:
            names = ", ".join(f"{e.name} of {e.M:.5g} GeV" for e, _, _ in struck)
            self._refuse(f"its nucleus of {nucleus.mass:.5g} GeV is not what the beam of {E:g} GeV hits ({names})")
        card.check_mass(m_S, "mass of S")
        self._place = {"depth_cm": float(depths[0]), "target_Z": element.Z, "target_A": element.A}
        self._share = self._sigma / total
        self.branches = [name for name in BRANCHES if not name.startswith(("tau", "decay_"))]
        self.metadata = {
            "card": card.text,
            "n_events": n,
            "mass_gev": m_S,
            "beam_energy_gev": E,
            "norm_relative_error": self._sigma_error / self._sigma,
            "sigma_pb": self._sigma,
            "weight_convention": "cross section in pb; the sum over the file is that of <init>",
        }

    def _sorted(self, particles: list[_Line], where: str) -> list[_Line]:
        """Lepton and nucleus before, both after, S; refused unless they are that and conserve momentum."""
        before = [p for p in particles if p.status == -1]
        after = [p for p in particles if p.status in (1, 2) and p.mother == 1]
        before.sort(key=lambda p: abs(p.pdg) not in (11, 13))
        after.sort(key=lambda p: [b.pdg for b in before].index(p.pdg) if p.pdg in [b.pdg for b in before] else 2)
        found = before + after
        ids = [p.pdg for p in found]
        shape = len(before) == 2 and len(after) == 3 and ids[:2] == ids[2:4]
        if not shape or abs(ids[0]) not in (11, 13) or abs(ids[4]) <= 18:
            self._refuse(
                f"{where}: not lepton N -> lepton N S but {[p.pdg for p in before]} -> {[p.pdg for p in after]}"
            )
        E = found[0].p[3] + found[1].p[3]
        for i in range(4):
            if not abs(sum(p.p[i] for p in before) - sum(p.p[i] for p in after)) < _DIGITS * E:
                self._refuse(f"{where}: momentum is not conserved")
        if any(abs(p) > _DIGITS * E for p in found[1].p[:3]) or found[0].p[2] <= 0.0:
            self._refuse(f"{where}: the nucleus must be at rest and the beam along +z")
        return found

    def _foreign_rows(self) -> Iterator[dict[str, float]]:
        E, m_S = self.metadata["beam_energy_gev"], self.metadata["mass_gev"]
        for number, (weight, particles, _) in enumerate(self._events(), 1):
            found = self._sorted(particles, f"event {number}")
            lepton, _, _, N, S = found
            if abs(lepton.p[3] - E) > _DIGITS * E or abs(S.mass - m_S) > _DIGITS * m_S:
                self._refuse(f"event {number}: energy or mass of S is not that of event 1")
            q2 = sum(value * value for value in N.p[:3])
            row = {
                **self._place,
                "event": number - 1,
                "weight": weight * self._share,
                "E_mu": E,
                "x": S.p[3] / E,
                "t": 2.0 * N.mass * q2 / (math.sqrt(N.mass**2 + q2) + N.mass),
                **{f"vertex_{axis}_cm": 0.0 for axis in "xy"},
                "vertex_z_cm": self._place["depth_cm"],
            }
            for name, particle in zip(_NAMES, found, strict=False):
                row |= {f"{name}_{part}": value for part, value in zip(PARTS, particle.p, strict=True)}
            yield row
