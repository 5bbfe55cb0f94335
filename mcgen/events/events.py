"""Events: the weight convention, their hash, what can be read of them, and events held in memory.

Weights: the `weight` of an event is the number of S per muon on target at g_mu = 1 that it stands for, so the
sum over a file is the yield. Unweighted events all carry the same weight but for the few whose cell was
underestimated. The number of signal events at any coupling is N_mu g_mu^2 times the sum of weight * probability.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mcgen.events.branches import PARTICLES, PARTS, Columns
from mcgen.events.meta import EventMeta

#: events read at a time
STEP = 200_000


class ContentHash:
    """sha256 of what is in a file, the same for any chunks: one digest per branch, and one over them."""

    def __init__(self) -> None:
        self._branches: dict[str, Any] = {}

    def update(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Add a chunk of events; every chunk has the same branches."""
        for name, column in columns.items():
            digest = self._branches.setdefault(name, hashlib.sha256())
            digest.update(np.ascontiguousarray(column, dtype=column.dtype.newbyteorder("<")).data)

    def branches(self) -> dict[str, str]:
        """The hash of each branch."""
        return {name: digest.hexdigest() for name, digest in self._branches.items()}

    def hexdigest(self) -> str:
        """The hash of all that was added."""
        whole = hashlib.sha256()
        for name, digest in self._branches.items():
            whole.update(name.encode() + digest.digest())
        return whole.hexdigest()


class EventSource(Protocol):
    """Events that can be read: `Events` in memory, an `EventFile`, or either with other weights."""

    metadata: EventMeta

    @property
    def branches(self) -> list[str]:
        """Names of what is stored per event."""
        ...

    def __len__(self) -> int: ...

    def iterate(self, names: Sequence[str], step: int = STEP) -> Iterator[Columns]:
        """Chunks of the named branches, of so many events."""
        ...


class View:
    """Events seen otherwise: with some other metadata, and chunks that are changed as they are read.

    Parameters
    ----------
    source : EventSource
    update : dict
        Metadata that are others.
    change : callable
        From a chunk to the changed one.
    needed : sequence of str
        Branches that `change` reads.
    """

    def __init__(
        self,
        source: EventSource,
        update: Mapping[str, Any],
        change: Callable[[Columns], Columns],
        needed: Sequence[str] = (),
    ) -> None:
        self.metadata, self.branches = source.metadata | update, source.branches
        self._source, self._change, self._needed = source, change, needed
        inner = getattr(source, "parts", [source])
        self.parts = [View(part, update, change, needed) for part in inner] if len(inner) > 1 else [self]

    def __len__(self) -> int:
        return len(self._source)

    def iterate(self, names: Sequence[str], step: int = STEP) -> Iterator[Columns]:
        """Chunks of the named branches."""
        for chunk in self._source.iterate(list(dict.fromkeys([*names, *self._needed])), step):
            changed = self._change(chunk)
            yield {name: changed[name] for name in names}


@dataclass(slots=True)
class Events:
    """Events in memory, with the metadata of a file."""

    metadata: EventMeta
    columns: Columns

    def __post_init__(self) -> None:
        self.metadata = EventMeta(self.metadata)

    def __len__(self) -> int:
        return len(self.columns["weight"])

    @property
    def branches(self) -> list[str]:
        """Names of the columns."""
        return list(self.columns)

    def iterate(self, names: Sequence[str], step: int = STEP) -> Iterator[Columns]:  # noqa: ARG002
        """All events as one chunk with the named branches."""
        yield {name: self.columns[name] for name in names}

    def awkward(self) -> Any:
        """Awkward record array; `mu_in`, `mu_out`, `S`, `N_out` are Momentum4D vectors."""
        return as_awkward(self.columns)


def as_awkward(columns: Columns) -> Any:
    """Columns of a file as an awkward array of records with Momentum4D particles."""
    import awkward as ak
    import vector

    vector.register_awkward()
    names = [name for name in (*PARTICLES, "d1", "d2") if f"{name}_px" in columns]
    particles = {
        name: ak.zip({part: columns[f"{name}_{part}"] for part in PARTS}, with_name="Momentum4D") for name in names
    }
    flat = {name: column for name, column in columns.items() if not name.endswith(tuple(f"_{p}" for p in PARTS))}
    return ak.zip({**flat, **particles}, depth_limit=1)
