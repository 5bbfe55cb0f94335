"""Les Houches event files of any generator and process, as they are (hep-ph/0109068, hep-ph/0609017).

One pass from front to end. The first event is read word by word, and so is each that has other words than it; those
between, which differ in their numbers alone, come many at a time.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from mcgen.base.errors import InputError
from mcgen.events.formats.lhe_alike import Alike, Pattern
from mcgen.events.formats.lhe_named import attributes, declared
from mcgen.events.formats.lhe_tokens import Tag, Tokens, as_number
from mcgen.events.formats.text import open_compressed

ROOT = "LesHouchesEvents"
#: most particles of an event, and most processes of a file
_MANY = 10_000
#: most weights that a file names, and lines of weights in an event
MOST_WEIGHTS = 10_000
#: cells of a line: of beams, of a process, of an event, of a particle
_BEAMS, _PROCESS, _EVENT, _PARTICLE = 10, 4, 6, 13
_NUMBER = re.compile(r"[+-]?\.?\d")
_SHOWN = 40
#: x, y, z in mm of a remark such as ldmx-sw reads, `#vertex 0.1 0.2 30.0`
_VERTEX = "#vertex "
PLACE = tuple(f"{_VERTEX}{axis}" for axis in "xyz")
#: elements of an event with weights: one with a name, and a list of all that <initrwgt> names
_NAMED, _LISTED = "wgt", "weights"
#: characters that a line of numbers takes at most, and comments of an event that are kept
_LONGEST, _COMMENTS = 5_000, 100


class Particle(NamedTuple):
    """A line of an event."""

    pdg: int
    status: int  #: -1 incoming, 1 final, 2 decayed
    mothers: tuple[int, int]  #: numbers of lines from 1, 0 for none
    p: list[float]  #: px, py, pz, E in GeV
    mass: float  #: GeV
    cells: list[str]  #: as printed


class Event(NamedTuple):
    """An event."""

    process: int  #: IDPRUP
    weight: float  #: XWGTUP
    particles: list[Particle]
    comments: list[str]  #: lines `# event ...`
    further: Mapping[str, float] = {}  #: weights by name, and the place as `PLACE`; what is no number is left out


class Init(NamedTuple):
    """What <init> says."""

    beams: tuple[int, int]
    strategy: int  #: IDWTUP
    stated: int  #: NPRUP, how many processes there should be
    processes: dict[int, tuple[float, float, float]]  #: LPRUP -> cross section, its error, largest weight


def _tags(tokens: Iterator[Any]) -> Iterator[Any]:
    """The tags among the tokens, and events that need none."""
    return (token for token in tokens if not isinstance(token, str))


class LheStream:
    """An open file: what its head says, and its events one after the other, each time from the start.

    Raises
    ------
    InputError
        If the file is damaged, cut short, or no Les Houches event file.
    """

    #: of masses and momenta
    UNIT = "LHE files are in GeV"

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._tokens: Tokens | None = None
        #: the first event, where each number is its place among `Alike.numbers`
        self.slots = Event(0, 0.0, [], [])
        #: weights that <initrwgt> names, once the head was read
        self.declared: dict[str, dict[str, Any]] = {}

    def refuse(self, reason: str) -> NoReturn:
        """Raise InputError."""
        message = f"file {self.path}: {reason}"
        raise InputError(message)

    def _malformed(self, reason: str) -> NoReturn:
        """Raise InputError for a wrong line; if it is the last one, the file may have been cut in it."""
        self.refuse(f"{reason}; damaged or cut short" if self._tokens and self._tokens.in_last_line else reason)

    def head(self) -> tuple[str, Init]:
        """The metadata of a file of mcgen, else an empty text, and <init>."""
        with Tokens(open_compressed(self.path), self.refuse) as file:
            init = self._head(iter(file))
            if file.names.count("<weight") > 2 * MOST_WEIGHTS:
                self.refuse(f"its <initrwgt> names more than {MOST_WEIGHTS} weights")
            self.declared = declared(file.names)
            return file.metadata, init

    def parts(self) -> Iterator[Event | Alike]:
        """Every event, alone or with others; the file is read to its end, where a compressed one has its checksum.

        Those that come with others have the words of the first one, which `slots` describes.
        """
        with Tokens(open_compressed(self.path), self.refuse) as file:
            self._tokens, tokens = file, iter(file)
            self._head(tokens)
            number, ended, begin, first = 0, False, file.place, file.whole_event()
            for token in _tags(tokens):
                if isinstance(token, Alike):
                    number += len(token.numbers)
                    yield token
                    continue
                if ended and token.name in (ROOT, "event", "init"):
                    self.refuse(f"goes on after </{ROOT}>: it holds two files, or two that were joined")
                if token.name == ROOT and token.closes:
                    ended, file.pattern = True, None
                elif token.name == "event":
                    number += 1
                    if token.closes or token.empty:
                        self.refuse(f"event {number}: has no {'beginning' if token.closes else 'particles'}")
                    pattern, file.pattern = file.pattern, None
                    event = self._event(tokens, f"event {number}")
                    is_first = file.place == begin + len(first)
                    file.pattern = self._pattern(first, event) if is_first else pattern
                    yield event
                elif token.name in (ROOT, "init"):
                    self.refuse(f"after event {number}: a second <{token.name}>")
            if not ended:
                self.refuse(f"after event {number}: the file ends without </{ROOT}>; damaged or cut short")

    def _pattern(self, text: str, event: Event) -> Pattern | None:
        """The words of an event; none if a number in them is part of a name."""
        self.slots = self.event_of(Pattern(text).marked, "event 1")
        if [*self.slots.further] != [*event.further]:
            return None
        whole = {number for p in self.slots.particles for number in (p.pdg, p.status, *p.mothers)}
        return Pattern(text, {self.slots.process, *whole})

    def event_of(self, text: str, where: str) -> Event:
        """The event in a text that begins with its tag, read word by word."""
        with Tokens(io.BytesIO(text.encode("latin-1", "replace")), self.refuse) as file:
            tokens = iter(file)
            next(tokens)
            return self._event(tokens, where)

    def _head(self, tokens: Iterator[Any]) -> Init:
        """All up to </init>."""
        begun = False
        for token in _tags(tokens):
            if not begun:
                if token.name != ROOT or token.closes:
                    self.refuse(f"is no LHE file: <{token.name}> stands where <{ROOT}> is expected")
                begun = True
            elif token.name == "init" and not token.closes and not token.empty:
                return self._init(tokens)
            elif token.name in ("event", ROOT):
                self.refuse("has no <init>")
        return self.refuse("ends before <init>; damaged or cut short" if begun else f"is no LHE file: no <{ROOT}>")

    def _init(self, tokens: Iterator[Any]) -> Init:
        lines: list[list[str]] = []
        for text in self._own_lines(tokens, "init", "<init>"):
            if not text.startswith("#") and len(lines) <= _MANY:
                lines.append(text.split(None, _BEAMS))
        beams = self._cells(" ".join(lines[0]) if lines else "", _BEAMS, "<init>, beams")
        first, second, strategy, stated = (self._integer(beams[i], "<init>") for i in (0, 1, 8, 9))
        processes = {}
        for cells in lines[1 : 1 + max(0, min(stated, _MANY))]:
            if len(cells) != _PROCESS:
                self._malformed(f"<init>: a process should be {_PROCESS} numbers and is '{' '.join(cells)[:_SHOWN]}'")
            section, error, largest = (self._number(cell, "<init>") for cell in cells[:3])
            processes[self._integer(cells[3], "<init>")] = section, error, largest
        return Init((first, second), strategy, stated, processes)

    def _own_lines(
        self, tokens: Iterator[Any], name: str, where: str, others: list[tuple[Tag, str]] | None = None
    ) -> Iterator[str]:
        """Lines of an element and not of those inside it, up to its end.

        Parameters
        ----------
        tokens : iterator
        name : str
        where : str
            For messages.
        others : list, optional
            Gets the lines of weights, with the tag that they stand behind.
        """
        inside: list[str] = []
        last = Tag(name, False, False)
        for token in tokens:
            if isinstance(token, str):
                if not inside or token.startswith("# event "):
                    yield token[:_LONGEST]
                elif others is not None and inside[-1] == last.name and last.name in (_NAMED, _LISTED):
                    others.append((last, token[:_LONGEST]))
                    if len(others) > MOST_WEIGHTS:
                        self.refuse(f"{where}: more than {MOST_WEIGHTS} lines of weights")
            elif token.name == name and token.closes:
                return
            elif token.name in (name, "event", "init", ROOT):
                mark = f"{'/' if token.closes else ''}{token.name}"
                self.refuse(f"{where}: <{mark}> before its end; damaged or cut short")
            elif token.closes:
                if token.name in inside:
                    del inside[inside.index(token.name) :]
            elif not token.empty and len(inside) < _MANY:
                inside.append(token.name)
                last = token
        self.refuse(f"{where}: the file ends; damaged or cut short")

    def _event(self, tokens: Iterator[Any], where: str) -> Event:
        head: list[str] = []
        n = 0
        particles: list[Particle] = []
        comments: list[str] = []
        others: list[tuple[Tag, str]] = []
        place: list[str] = []
        for text in self._own_lines(tokens, "event", where, others):
            if text[0] == "#":
                if text.startswith("# event ") and len(comments) < _COMMENTS:
                    comments.append(text)
                elif text.startswith(_VERTEX):
                    place = text.split()[1 : 1 + len(PLACE)]
            elif not head:
                head = self._cells(text, _EVENT, where)
                n = self._integer(head[0], where)
                if not 0 <= n <= _MANY:
                    self._malformed(f"{where}: {n} particles")
            elif len(particles) < n:
                particles.append(self._particle(text, f"{where}, particle {len(particles) + 1}"))
            elif self._is_particle(text):
                self._malformed(f"{where}: holds more particles than the {n} that it says")
        if not head or len(particles) != n:
            self._malformed(f"{where}: holds {len(particles)} particles{f' of {n}' if head else ' and no other line'}")
        process, weight = self._integer(head[1], where), self._number(head[2], where)
        return Event(process, weight, particles, comments, self._further(others, place))

    def _further(self, found: list[tuple[Tag, str]], place: list[str]) -> dict[str, float]:
        """Further weights by name, and the place, but for those that are no number."""
        words: dict[str, str] = {}
        listed = [word for tag, text in found if tag.name == _LISTED for word in text.split()]
        if len(listed) == len(self.declared):
            words = dict(zip(self.declared, listed, strict=True))
        for tag, text in found:
            name = attributes(tag.attributes).get("id") if tag.name == _NAMED else None
            if name:
                words[name] = text
        words |= dict(zip(PLACE, place, strict=False))
        values = {name: as_number(word) for name, word in words.items()}
        return {name: value for name, value in values.items() if math.isfinite(value)}

    def _cells(self, text: str, n: int, where: str) -> list[str]:
        """The n numbers of a line; words may follow."""
        cells = text.split(None, n)
        if len(cells) > n and _NUMBER.match(cells[n]):
            self._malformed(f"{where}: has more than {n} numbers, '{text[:_SHOWN]} ...'")
        if len(cells) < n:
            self._malformed(f"{where}: has {len(cells)} numbers in place of {n}, '{text[:_SHOWN]}'")
        return cells

    def _particle(self, text: str, where: str) -> Particle:
        cells = self._cells(text, _PARTICLE, where)
        if "_" in text:  # Python's own way to write numbers
            self._malformed(f"{where}: '{text[:_SHOWN]}' is not of numbers")
        try:
            pdg, status, first, last = int(cells[0]), int(cells[1]), int(cells[2]), int(cells[3])
            px, py, pz, E, mass = map(float, cells[6:11])
        except ValueError:
            pdg, status, first, last = (self._integer(cell, where) for cell in cells[:4])
            px, py, pz, E, mass = (self._number(cell, where) for cell in cells[6:11])
        if not math.isfinite(px + py + pz + E + mass):
            self._malformed(f"{where}: a number is not finite")
        return Particle(pdg, status, (first, last), [px, py, pz, E], mass, cells)

    @staticmethod
    def _is_particle(text: str) -> bool:
        cells = text.split(None, _PARTICLE)
        return len(cells) >= _PARTICLE and all(map(_NUMBER.match, cells[:_PARTICLE]))

    def _integer(self, cell: str, where: str) -> int:
        try:
            if len(cell) < _SHOWN and "_" not in cell:
                return int(cell)
        except ValueError:
            pass
        return self._malformed(f"{where}: '{cell[:_SHOWN]}' should be a whole number")

    def _number(self, cell: str, where: str) -> float:
        value = as_number(cell)
        if not math.isfinite(value):
            self._malformed(f"{where}: '{cell[:_SHOWN]}' should be a number")
        return value
