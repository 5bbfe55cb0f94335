"""HepMC3 and HepMC2 text, read by pyhepmc, as the events that readers of Les Houches files know.

pyhepmc stops as at the end where a file is damaged, and prints about it: whether a file is whole is looked at before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

from mcgen.base.errors import InputError
from mcgen.base.extras import optional
from mcgen.events.formats.lhe_events import Event, Init, Particle
from mcgen.events.formats.text import open_compressed

#: attribute of the run with the metadata, and of each event with the columns that particles do not hold
METADATA = COLUMNS = "mcgen"
_END, _EVENT = b"END_EVENT_LISTING", b"\nE "
#: line that says the format: its kind
_KINDS = {b"HepMC::Asciiv3-START": "HepMC3", b"HepMC::IO_GenEvent-START": "HepMC2"}
#: bytes read at once, and those at the end that are kept
_PIECE, _KEPT = 1_000_000, 100
#: names of the nominal weight, the likeliest first; else it is the first weight
_NOMINAL = ("nominal", "Nominal", "Default", "default", "Weight")
_BEAM, _FINAL, _DECAYED = 4, 1, 2
#: strategy of LHE files whose weights are parts of a stated cross section
_SHARES = -3


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
        self._hepmc = optional("pyhepmc", "HepMC", "hepmc")
        self._init = Init((0, 0), _SHARES, 1, {1: (0.0, 0.0, 0.0)})

    def refuse(self, reason: str) -> NoReturn:
        """Raise InputError."""
        message = f"file {self.path}: {reason}"
        raise InputError(message)

    def head(self) -> tuple[str, Init]:
        """The metadata of a file of mcgen, else an empty text; beams, and cross sections as far as events were read.

        HepMC files say in each event what the cross section is as yet, so that the last one is right.
        """
        self._kind, self._n = self._counted()
        with contextlib.closing(self._events()) as events:
            first = next(events, None)
        if first is None:
            self.refuse("holds no events")
        self._init = self._init._replace(beams=self._beams(first))
        return self.metadata(first), self._init

    def metadata(self, event: Any) -> str:
        """The metadata of a file of mcgen that comes back whole, else nothing."""
        run = event.run_info
        own = run is not None and METADATA in run.attributes and COLUMNS in event.attributes
        return str(run.attributes[METADATA]) if own else ""

    def _beams(self, event: Any) -> tuple[int, int]:
        pids = [particle.pid for particle in event.particles if particle.status == _BEAM]
        return (pids[0], pids[1]) if len(pids) == 2 else (0, 0)

    def parts(self) -> Iterator[Event]:
        """Every event; the file is read to its end."""
        for number, event in enumerate(self._events(), 1):
            yield self._event(event, f"event {number}")

    def event_of(self, _text: str, _where: str) -> Event:
        """Les Houches files have events alike, HepMC files do not."""
        raise NotImplementedError

    def _counted(self) -> tuple[str, int]:
        """The version of the format, and the number of events of a file that is whole."""
        kind, n, last = "", 0, b"\n"
        with open_compressed(self.path) as stream:
            try:
                while data := stream.read(_PIECE):
                    whole = last + data
                    kind = kind or next((kind for begin, kind in _KINDS.items() if begin in whole), "?")
                    n += whole.count(_EVENT)
                    last = whole[-_KEPT:]
                    n -= last.count(_EVENT)  # they come again
            except Exception as error:  # decompression meets damage with errors of every kind
                self.refuse(f"cannot be read ({type(error).__name__}); damaged or cut short")
        n += last.count(_EVENT)
        if kind not in _KINDS.values():
            self.refuse("is HepMC of no known kind (Asciiv3 and IO_GenEvent are read)")
        if not last.rstrip().endswith(_END):
            self.refuse(f"ends after {n} events without {_END.decode()}; damaged or cut short")
        return kind, n

    def _events(self) -> Generator[Any]:
        number = 0
        with (
            open_compressed(self.path) as stream,
            self._silent(),
            self._hepmc.open(stream, "r", format=self._kind) as file,
        ):
            for event in file:
                number += 1
                yield event
        if number != self._n:
            self.refuse(f"cannot be read after event {number} of {self._n}; damaged")

    @contextlib.contextmanager
    def _silent(self) -> Iterator[None]:
        """Without messages of the library on stderr."""
        setup = self._hepmc.Setup
        before = setup.print_errors, setup.print_warnings, setup.debug_level
        setup.print_errors, setup.print_warnings, setup.debug_level = False, False, 0
        try:
            yield
        finally:
            setup.print_errors, setup.print_warnings, setup.debug_level = before

    def _event(self, event: Any, where: str) -> Event:
        if not event.weights:
            self.refuse(f"{where}: has no weight")
        names = list(event.weight_names) if event.run_info is not None else []
        nominal = next((names.index(name) for name in _NOMINAL if name in names), 0)
        if event.cross_section is not None:
            self._init.processes[1] = self._cross_section(event, nominal)
        in_mev = event.momentum_unit == self._hepmc.Units.MEV
        particles = [_particle(particle, in_mev) for particle in event.particles]
        columns = f"# {event.attributes[COLUMNS]}" if COLUMNS in event.attributes else ""
        return Event(1, float(event.weights[nominal]), particles, [columns] if columns else [])

    @staticmethod
    def _cross_section(event: Any, nominal: int) -> tuple[float, float, float]:
        """In pb, with its error; of the nominal weight if each weight has its own."""
        found = event.cross_section
        try:
            return float(found.xsec(nominal)), float(found.xsec_err(nominal)), 0.0
        except (IndexError, RuntimeError, TypeError):  # one number for all weights
            return float(found.xsec()), float(found.xsec_err()), 0.0


def _particle(found: Any, in_mev: bool) -> Particle:
    """A particle as a line of a Les Houches file."""
    p = found.momentum
    values = [p.px, p.py, p.pz, p.e, found.generated_mass]
    cells = [repr(float(value)) for value in values]
    if in_mev:
        cells = [str(Decimal(cell).scaleb(-3)) for cell in cells]
        values = [float(cell) for cell in cells]
    status = found.status
    if status == _BEAM or not found.parents:
        status = -1
    elif status != _FINAL and found.children:
        status = _DECAYED
    mothers = [parent.id for parent in found.parents]
    span = (min(mothers), max(mothers)) if mothers else (0, 0)
    return Particle(found.pid, status, span, values[:4], values[4], ["0"] * 6 + cells + ["0", "9"])
