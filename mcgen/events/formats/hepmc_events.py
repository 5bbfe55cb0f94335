"""HepMC3 (Asciiv3) and HepMC2 (IO_GenEvent) text as the events that readers of Les Houches files know.

Read line by line here, as pyhepmc takes damage for the end of a file, or for memory that is not its own.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from mcgen.base.errors import InputError
from mcgen.events.formats.lhe_events import MOST_WEIGHTS, Event, Init, Particle
from mcgen.events.formats.stored import MAX_METADATA
from mcgen.events.formats.text import open_compressed

#: attribute of the run with the metadata, and of each event with the columns that particles do not hold
METADATA = COLUMNS = "mcgen"
_BEGIN, _END = re.compile(r"HepMC::(Asciiv3|IO_GenEvent)-START_EVENT_LISTING"), "-END_EVENT_LISTING"
#: names of the nominal weight, the likeliest first; else it is the first weight
_NOMINAL = ("nominal", "Nominal", "Default", "default", "Weight")
_BEAM, _FINAL, _DECAYED = 4, 1, 2
#: strategy of LHE files whose weights are parts of a stated cross section
_SHARES = -3
_ESCAPED = {r"\\": "\\", r"\|": "\n"}
_PLACE_V3 = re.compile(r"\[([\d,]*)\]")


@dataclass(slots=True)
class _Line:
    """A particle as it stands in the file."""

    pdg: int
    status: int
    cells: list[str]  #: px, py, pz, E, m
    made_in: int  #: number of the vertex, 0 for none


@dataclass(slots=True)
class _Record:
    """An event as it stands in the file, while it is read."""

    particles: list[_Line] = field(default_factory=list)
    incoming: dict[int, list[int]] = field(default_factory=dict)  #: vertex -> its incoming particles, from 1
    expected: int = 0  #: particles
    weights: list[str] = field(default_factory=list)
    columns: str = ""
    cross_section: list[str] = field(default_factory=list)
    in_mev: bool = False
    vertex: int = 0  #: of HepMC2, that of the next particles
    orphans: int = 0  #: of HepMC2, how many of the next particles come from nowhere


class HepmcStream:
    """An open file: what its head says, and its events one after the other, each time from the start.

    Raises
    ------
    InputError
        If the file is damaged or cut short.
    """

    #: of masses and momenta
    UNIT = "the file is in GeV or MeV, as it says"

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.slots = Event(0, 0.0, [], [])  # every event comes alone
        self._init = Init((0, 0), _SHARES, 1, {1: (0.0, 0.0, 0.0)})
        self._number, self._in_last_line = 0, False  # of the line; whether it has no end, as where a file was cut
        self._names: list[str] = []
        self.declared: dict[str, dict[str, Any]] = {}  #: what is said of weights: nothing but their names
        self._metadata = ""

    def refuse(self, reason: str) -> NoReturn:
        """Raise InputError."""
        message = f"file {self.path}: {reason}"
        raise InputError(message)

    def _malformed(self, reason: str) -> NoReturn:
        self.refuse(f"line {self._number}: {reason}{'; damaged or cut short' if self._in_last_line else ''}")

    def head(self) -> tuple[str, Init]:
        """The metadata of a file of mcgen, else an empty text; beams, and cross sections as far as events were read.

        HepMC files say in each event what the cross section is as yet, so that the last one is right.
        """
        record = next(self._records(), None)
        if record is None:
            self.refuse("holds no events")
        beams = [particle.pdg for particle in record.particles if particle.status == _BEAM]
        self._init = self._init._replace(beams=(beams[0], beams[1]) if len(beams) == 2 else (0, 0))
        return self._metadata if record.columns else "", self._init

    def parts(self) -> Iterator[Event]:
        """Every event; the file is read to its end."""
        for number, record in enumerate(self._records(), 1):
            yield self._event(record, f"event {number}")
        if not self._init.processes[1][0] > 0.0:
            self.refuse("says no cross section (GenCrossSection), or one that is not positive")

    def event_of(self, _text: str, _where: str) -> Event:
        """Les Houches files have events alike, HepMC files do not."""
        raise NotImplementedError

    def _lines(self) -> Iterator[str]:
        """Lines that are not blank."""
        self._number = 0
        with open_compressed(self.path) as stream:
            while True:
                try:
                    line = stream.readline(MAX_METADATA)
                except InputError:
                    raise
                except Exception as error:  # decompression meets damage with errors of every kind
                    self.refuse(
                        f"cannot be read after line {self._number} ({type(error).__name__}); damaged or cut short"
                    )
                if not line:
                    return
                self._number += 1
                self._in_last_line = not line.endswith(b"\n")
                if len(line) == MAX_METADATA:
                    self._malformed(f"is too long (more than {MAX_METADATA:.0e} characters)")
                if text := line.decode("latin-1").strip():
                    yield text

    def _records(self) -> Iterator[_Record]:
        """Events as they stand in the file."""
        lines, version, record, ended, n, size = self._lines(), "", None, False, 0, 0
        for text in lines:
            if ended:
                self._malformed("goes on after the end of the listing: it holds two files, or two that were joined")
            kind, _, rest = text.partition(" ")
            begin = _BEGIN.fullmatch(text)
            if begin:
                if version:
                    self._malformed("the listing begins again")
                version = begin[1]
            elif kind == "E" or text.endswith(_END):
                if record is not None:
                    n += 1
                    yield self._whole(record)
                ended = kind != "E"
                record = None if ended else self._begun(rest, version)
                size = 0
            elif record is not None:
                size += len(text)
                if size > MAX_METADATA:
                    self._malformed(f"an event of more than {MAX_METADATA:.0e} characters")
                self._take(record, kind, rest, version)
            elif version:
                self._in_head(kind, rest)
            elif not text.startswith("HepMC::Version"):
                self._malformed("is not as HepMC begins (Asciiv3 and IO_GenEvent are read)")
        if not version:
            self.refuse("holds no listing of HepMC events (Asciiv3 and IO_GenEvent are read)")
        if not ended:
            self.refuse(f"ends after {n} events without the end of the listing; damaged or cut short")

    def _in_head(self, kind: str, rest: str) -> None:
        """Names of weights, and metadata."""
        if kind == "W":
            self._names = self._checked(_unescaped(rest).split("\n", MOST_WEIGHTS))
        elif kind == "A" and rest.startswith(f"{METADATA} "):
            self._metadata = _unescaped(rest.removeprefix(f"{METADATA} "))

    def _checked(self, names: list[str]) -> list[str]:
        if len(names) > MOST_WEIGHTS:
            self._malformed(f"more than {MOST_WEIGHTS} weights")
        return names

    def _begun(self, rest: str, version: str) -> _Record:
        """An event that begins: its particles, of HepMC2 its weights."""
        cells = rest.split()
        if version == "Asciiv3":
            return _Record(expected=self._whole_number(cells, 2))
        if version != "IO_GenEvent":
            self._malformed("an event before the beginning of the listing")
        states = self._whole_number(cells, 10)
        weights = self._whole_number(cells, 11 + states)
        if states < 0 or len(cells) != 12 + states + weights:
            self._malformed("an event with more or fewer numbers than it says")
        return _Record(weights=cells[12 + states :])

    def _take(self, record: _Record, kind: str, rest: str, version: str) -> None:
        """A line of an event."""
        if kind == "P":
            (self._particle_3 if version == "Asciiv3" else self._particle_2)(record, rest.split())
        elif kind == "V":
            (self._vertex_3 if version == "Asciiv3" else self._vertex_2)(record, rest)
        elif kind == "U":
            unit = rest.split()[:1]
            if unit not in (["GEV"], ["MEV"]):
                self._malformed(f"a unit of {rest[:20]}, and GEV or MEV is expected")
            record.in_mev = unit == ["MEV"]
        elif kind == "W":
            record.weights = rest.split()
        elif kind == "C":
            record.cross_section = rest.split()
        elif kind == "N":
            found = re.finditer(r'"([^"]*)"', rest)
            self._names = self._checked([one[1] for one in islice(found, MOST_WEIGHTS + 1)])
        elif kind == "A":
            of, _, attribute = rest.partition(" ")
            name, _, value = attribute.partition(" ")
            if of == "0" and name == COLUMNS:
                record.columns = value
            elif of == "0" and name == "GenCrossSection":
                record.cross_section = value.split()
        elif kind not in ("H", "F"):  # heavy ions and partons
            self._malformed(f"is of no known kind, '{kind[:20]}'")

    def _particle_3(self, record: _Record, cells: list[str]) -> None:
        if len(cells) != 9 or self._whole_number(cells, 0) != len(record.particles) + 1:
            self._malformed("a particle should have the next number and 9 cells")
        parent, pdg, status = (self._whole_number(cells, k) for k in (1, 2, 8))
        if parent > 0:  # a vertex that has no line, as it has one incoming particle and no place
            record.incoming[-(10**9) - parent] = [parent]
            parent = -(10**9) - parent
        record.particles.append(_Line(pdg, status, cells[3:8], parent))

    def _vertex_3(self, record: _Record, rest: str) -> None:
        listed = _PLACE_V3.search(rest)
        number = self._whole_number(rest.split(), 0)
        if not listed or number in record.incoming:
            self._malformed("a vertex without its incoming particles, or one that was there")
        record.incoming[number] = [int(cell) for cell in listed[1].split(",") if cell]

    def _particle_2(self, record: _Record, cells: list[str]) -> None:
        if len(cells) < 12 or len(cells) != 12 + 2 * self._whole_number(cells, 11):
            self._malformed("a particle with more or fewer cells than it says")
        if len(record.particles) == record.expected:
            self._malformed("more particles than their vertex says")
        pdg, status, ends_in = (self._whole_number(cells, k) for k in (1, 7, 10))
        made_in = 0 if record.orphans > 0 else record.vertex
        record.orphans -= 1
        record.particles.append(_Line(pdg, status, cells[2:7], made_in))
        if ends_in:
            record.incoming.setdefault(ends_in, []).append(len(record.particles))

    def _vertex_2(self, record: _Record, rest: str) -> None:
        cells = rest.split()
        record.vertex, record.orphans, outgoing = (self._whole_number(cells, k) for k in (0, 6, 7))
        if len(record.particles) != record.expected or min(record.orphans, outgoing) < 0:
            self._malformed("a vertex before the particles of the one before")
        record.expected += record.orphans + outgoing

    def _whole_number(self, cells: list[str], at: int) -> int:
        try:
            if at >= 0 and "_" not in cells[at] and len(cells[at]) < 20:
                return int(cells[at])
        except (IndexError, ValueError):
            pass
        return self._malformed(f"number {at + 1} should be a whole number")

    def _whole(self, record: _Record) -> _Record:
        """The event, if it has all of its particles."""
        n = len(record.particles)
        if n != record.expected:
            self._malformed(f"the event before has {n} particles of {record.expected}; damaged")
        numbers = [number for incoming in record.incoming.values() for number in incoming]
        if any(not 1 <= number <= n for number in numbers):
            self._malformed("a vertex of the event before has particles that are not there; damaged")
        return record

    def _number_of(self, cell: str, where: str) -> float:
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or "_" in cell:
            self.refuse(f"{where}: '{cell[:40]}' should be a number")
        return value

    def _event(self, record: _Record, where: str) -> Event:
        """The event as of a Les Houches file."""
        nominal = next((self._names.index(name) for name in _NOMINAL if name in self._names), 0)
        if nominal >= len(record.weights):
            self.refuse(f"{where}: has no weight" if not record.weights else f"{where}: lacks its nominal weight")
        if stated := record.cross_section:
            of_nominal = 2 * nominal + 2 if nominal and len(stated) > 2 * nominal + 3 else 0
            sigma, error = (self._number_of(cell, where) for cell in (*stated, "0", "0")[of_nominal : of_nominal + 2])
            self._init.processes[1] = sigma, error, 0.0
        has_children = {number for numbers in record.incoming.values() for number in numbers}
        particles = []
        for number, line in enumerate(record.particles, 1):
            values = [self._number_of(cell, where) for cell in line.cells]
            cells = line.cells
            if record.in_mev:  # by their digits, so that it stays seen how many there are
                cells = [str(Decimal(cell).scaleb(-3)) for cell in cells]
                values = [float(cell) for cell in cells]
            mothers = record.incoming.get(line.made_in, [])
            status = line.status
            if status == _BEAM or not mothers:
                status = -1
            elif status != _FINAL and number in has_children:
                status = _DECAYED
            span = (min(mothers), max(mothers)) if mothers else (0, 0)
            particles.append(Particle(line.pdg, status, span, values[:4], values[4], ["0"] * 6 + cells + ["0", "9"]))
        weight = self._number_of(record.weights[nominal], where)
        comments = [f"# {record.columns}"] if record.columns else []
        return Event(1, weight, particles, comments, self._further(record, nominal))

    def _further(self, record: _Record, nominal: int) -> dict[str, float]:
        """Weights besides the nominal one by name, those that are numbers."""
        found = {}
        for number, (name, cell) in enumerate(zip(self._names, record.weights, strict=False)):
            with contextlib.suppress(ValueError):
                if number != nominal and math.isfinite(value := float(cell)):
                    found[name] = value
        return found


def _unescaped(text: str) -> str:
    """A text as HepMC3 writes it in one line."""
    return re.sub(r"\\[\\|]", lambda found: _ESCAPED[found[0]], text)
