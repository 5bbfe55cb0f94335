"""Readers of LHEH5: files of mcgen bit for bit, others as text files of Les Houches events are read."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mcgen.base.arrays import Array
from mcgen.events.branches import PARTS, Columns
from mcgen.events.formats import lheh5
from mcgen.events.formats.lhe_alike import Alike
from mcgen.events.formats.lhe_events import Event, Init, LheStream
from mcgen.events.formats.lhe_named import declared, event_lines
from mcgen.events.formats.lhe_reader import NAMES, LheFile
from mcgen.events.formats.lhe_tokens import Tokens

#: events read at a time
_BATCH = 20_000


@dataclass(frozen=True, slots=True)
class _Rows(Alike):
    """Successive events with the same number of particles, whose text is made when it is asked for."""

    def text_of(self, i: int) -> str:
        """An event as a text file would have it."""
        return self.text % tuple(self.numbers[i].tolist())


def _columns(dataset: Any, default: tuple[str, ...]) -> dict[str, int]:
    """Names of columns and their numbers."""
    for key in ("properties", dataset.name.rsplit("/", 1)[-1]):
        if key in dataset.attrs:
            names = [name.decode() if isinstance(name, bytes) else str(name) for name in dataset.attrs[key]]
            return {name: i for i, name in enumerate(names)}
    return {name: i for i, name in enumerate(default)}


class H5Stream(LheStream):
    """The same as a text file gives: what the head says, and the events."""

    def head(self) -> tuple[str, Init]:
        """The metadata of a file of mcgen, else an empty text, and what `init` and `procInfo` say."""
        with lheh5.opened(self.path, self.refuse) as file:
            if lacking := [name for name in ("init", "procInfo", "events", "particles") if name not in file]:
                self.refuse(f"is an HDF5 file and no LHEH5: it has no {lacking[0]}")
            text = ""
            if lheh5.HEADER in file:
                header = file[lheh5.HEADER].asstr()[()]
                with Tokens(io.BytesIO(header.encode()), self.refuse) as tokens:
                    list(tokens)
                    text, self.declared = tokens.metadata, declared(tokens.names)
            row = dict(zip(_columns(file["init"], lheh5.INIT), np.ravel(file["init"][()]).tolist(), strict=False))
            names = _columns(file["procInfo"], lheh5.PROCESSES)
            processes = {}
            for line in np.atleast_2d(file["procInfo"][()]):
                section, error, largest = (float(line[names[key]]) for key in ("xSection", "error", "unitWeight"))
                processes[int(line[names["procId"]])] = section, error, largest
        whole = [int(row[key]) for key in ("beamA", "beamB", "weightingStrategy", "numProcesses")]
        return text, Init((whole[0], whole[1]), whole[2], whole[3], processes)

    def parts(self) -> Iterator[Event | Alike]:
        """The first event alone, the others many at a time."""
        with lheh5.opened(self.path, self.refuse) as file:
            names = _columns(file["events"], lheh5.EVENTS)
            weights = [name for name in names if name not in (*lheh5.EVENTS, "weight")]
            begun = 0
            for events, particles in self.batches(file):
                head = events[:, [names["pid"], names.get("weight", names.get("NOMINAL", -1))]]
                n = particles.shape[1]
                further = events[:, [names[name] for name in weights]]
                numbers = np.column_stack([head, particles.reshape(len(events), -1), further])
                lines = [f" {n} %.17g %.17g 0 0 0", *[" %.17g" * len(lheh5.PARTICLES)] * n, *event_lines(weights)]
                template = "\n".join(["<event>", *lines, "</event>\n"])
                rows = _Rows(numbers, template, np.arange(len(events) + 1))
                slots = range(numbers.shape[1])
                if not begun:
                    yield self.event_of(rows.text_of(0), "event 1")
                    rows = _Rows(numbers[1:], template, rows.begins[1:])
                    self.slots = self.event_of(template % tuple(slots), "event 1")
                    begun = n
                if n == begun:
                    if len(rows.numbers):
                        yield rows
                else:
                    yield from (self.event_of(rows.text_of(i), "event") for i in range(len(events)))

    def batches(self, file: Any) -> Iterator[tuple[Array, Array]]:
        """Rows of events with the same number of particles, and those of their particles, (n, particles, 13)."""
        events, particles = file["events"], file["particles"]
        names, cells = _columns(events, lheh5.EVENTS), _columns(particles, lheh5.PARTICLES)
        order = [cells[name] for name in lheh5.PARTICLES]
        for begin in range(0, len(events), _BATCH):
            rows = events[begin : begin + _BATCH]
            start, n = (rows[:, names[name]].astype(np.int64) for name in ("start", "nparticles"))
            low, high = int(start.min()), int((start + n).max())
            if low < 0 or high > len(particles) or n.min() < 0 or high - low > int(n.sum()):
                self.refuse(
                    f"events from number {begin + 1}: their particles are not in the file; damaged or cut short"
                )
            block = particles[low:high][:, order].astype(float)
            edges = [0, *(np.flatnonzero(np.diff(n)) + 1).tolist(), len(rows)]
            for i, j in pairwise(edges):
                index = (start[i:j, None] - low) + np.arange(n[i])
                yield rows[i:j].astype(float), block[index]


class LheH5File(LheFile):
    """An LHEH5 file: one that mcgen exported, or one of another generator together with a card."""

    kind = "LHEH5"
    stream = H5Stream

    def _own_blocks(self) -> Iterator[Columns]:
        """Columns of the events, momenta from the particles and the others from their own place."""
        slots = {f"{name}_{part}": (i, 6 + k) for i, name in enumerate(NAMES) for k, part in enumerate(PARTS)}
        with lheh5.opened(self.path, self._refuse) as file:
            own, done = file[lheh5.OWN], 0
            if missing := [name for name in self.branches if name not in slots and name not in own]:
                self._refuse(f"has no branch {missing[0]}")
            for _, particles in H5Stream(self.path).batches(file):
                n = len(particles)
                columns: dict[str, NDArray[Any]] = {}
                for name in self.branches:
                    i, k = slots.get(name, (0, 0))
                    columns[name] = own[name][done : done + n] if name in own else particles[:, i, k]
                yield columns
                done += n
