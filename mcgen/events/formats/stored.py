"""What event files of every format share: metadata that are checked when a file is opened, and events in chunks."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import numpy as np
from numpy.typing import NDArray

from mcgen.base.errors import InputError, short_of_memory
from mcgen.card.card import Card, parse_card
from mcgen.events.branches import BRANCHES, DECAY_BRANCHES, LINE_BRANCHES, Columns
from mcgen.events.events import STEP, ContentHash, Readable
from mcgen.events.formats.kinds import kind_of
from mcgen.events.formats.text import most_of
from mcgen.events.meta import LARGEST, EventMeta
from mcgen.source.source import source_of

#: metadata are a page of text, of many pages with a beam spectrum; more than this is not ours
MAX_METADATA = 10_000_000


_POSITIVE = {"E_mu", "x", "t", "tau", *(name for name in BRANCHES if name.endswith("_E"))}
_TYPES: dict[str, np.dtype[Any]] = {"event": np.dtype(np.uint64), "decay_pdg": np.dtype(np.int32)}


def cut(blocks: Iterable[Columns], names: list[str], step: int) -> Iterator[Columns]:
    """The named columns of blocks of any length, in chunks of `step` events."""
    held: dict[str, list[NDArray[Any]]] = {name: [] for name in names}
    room = step
    for block in blocks:
        at, n = 0, len(block[names[0]])
        while at < n:
            for name in names:
                held[name].append(block[name][at : at + room].astype(_TYPES.get(name, np.dtype(float))))
            at, room = at + room, max(0, room - (n - at))
            if room == 0:
                yield {name: np.concatenate(parts) for name, parts in held.items()}
                held, room = {name: [] for name in names}, step
    if room < step:
        yield {name: np.concatenate(parts) for name, parts in held.items()}


class StoredEvents(Readable):
    """An event file, read in chunks.

    Raises
    ------
    InputError
        If the file is missing, damaged, or not one of ours.
    """

    kind: ClassVar[str]

    def __init__(self, path: str | Path, card: Card | None = None) -> None:
        self.path = Path(path)
        self.metadata = EventMeta()
        self.branches: list[str] = []
        if (found := kind_of(self.path)) != self.kind:
            self._refuse(f"is {found}, not {self.kind}")
        with self._readable():
            entries = self._open(card)
        if card is not None and self._brings_card:
            self._refuse("has a card of its own, another one is for events of other generators")
        if {*self.metadata.branches, *self.metadata.weights} - set(self.branches) or entries != self.metadata.n_events:
            self._refuse("its events do not match its metadata")

    @property
    def _brings_card(self) -> bool:
        """Whether the card of the events is in the file."""
        return True

    @abstractmethod
    def _open(self, card: Card | None) -> int:
        """Find metadata and branches; return the number of events that are there."""

    @abstractmethod
    def _chunks(self, names: list[str], step: int) -> Iterator[Columns]:
        """The named branches."""

    def _check_metadata(self, text: str | bytes) -> None:
        """Take the metadata from what `sealed` wrote as JSON."""
        if len(text) > MAX_METADATA:
            self._refuse("its metadata are too large")
        try:
            self.metadata = EventMeta.unsealed(text)
        except InputError as error:
            self._refuse(str(error))

    def _fitting(self, entries: int) -> int:
        """The number of events, if a file of this size can hold so many numbers."""
        if 8 * entries * len(self.branches) > most_of(self.path.stat().st_size):
            self._refuse(f"says that it holds {entries:.4g} events, more than a file of its size can")
        return entries

    def _refuse(self, reason: str) -> NoReturn:
        message = f"file {self.path}: {reason}"
        raise InputError(message)

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except InputError:
            raise
        except Exception as error:  # libraries meet damage with errors of every kind
            if short_of_memory(error):
                raise
            self._refuse(f"cannot be read as {self.kind} ({type(error).__name__}); damaged or cut short")

    def __len__(self) -> int:
        return self.metadata.n_events

    @property
    def card(self) -> Card:
        """The card that the events were generated with."""
        card = parse_card(self.metadata["card"], f"of {self.path}")
        source_of(card).check_mass(self.metadata.m_S, f"mass of {self.path}")
        return card

    def iterate(self, names: Sequence[str], step: int = STEP) -> Iterator[Columns]:
        """Chunks of the named branches as numpy arrays, in order; at the end their hash must be that of the file."""
        digest = ContentHash()
        for chunk in self._stored(names, step):
            digest.update(chunk)
            yield chunk
        written = self.metadata.get("branch_sha256", {})
        for name, found in digest.branches().items():
            if found != written.get(name, found):
                self._refuse(f"branch {name} is not what was written (its hash differs)")

    def _stored(self, names: Sequence[str], step: int = STEP) -> Iterator[Columns]:
        """The named branches as they are."""
        missing = [name for name in names if name not in self.branches]
        if missing:
            self._refuse(f"has no branch {missing[0]}")
        known = {*BRANCHES, *LINE_BRANCHES, *DECAY_BRANCHES, *self.metadata.weights}
        with self._readable():
            for chunk in self._chunks(list(names), step):
                for name in known.intersection(chunk):
                    self._check_column(name, chunk[name])
                yield chunk

    def _check_column(self, name: str, column: NDArray[Any]) -> None:
        """Refuse what is not one number of the right type per event, NaN, and numbers too large to be ours."""
        if column.ndim != 1 or column.dtype != _TYPES.get(name, np.dtype(float)):
            self._refuse(f"branch {name}: is not one {_TYPES.get(name, 'float64')} per event")
        if column.dtype == float and not np.all(np.abs(column) <= LARGEST):
            self._refuse(f"branch {name}: a number is not finite")
        if name in _POSITIVE and np.any(column < 0.0):
            self._refuse(f"branch {name}: a number is negative")

    def content_sha256(self) -> str:
        """Hash of the events as they are in the file now."""
        digest = ContentHash()
        for chunk in self._stored(self.branches):
            digest.update(chunk)
        return digest.hexdigest()
