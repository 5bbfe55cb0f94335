"""Events: the weight convention, their hash, what can be read of them, and events held in memory.

Weights: the `weight` of an event is the number of S per muon on target at g_mu = 1 that it stands for, so the
sum over a file is the yield. Unweighted events all carry the same weight but for the few whose cell was
underestimated. The number of signal events at any coupling is N_mu g_mu^2 times the sum of weight * probability.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mcgen.base.asked import Names
from mcgen.base.asked import names as names_of
from mcgen.base.errors import InputError, choose
from mcgen.base.extras import optional
from mcgen.base.histogram import histogram
from mcgen.base.table import html
from mcgen.events.branches import PARTICLES, PARTS, Columns
from mcgen.events.meta import EventMeta

#: events read at a time
STEP = 200_000
#: what metadata say of the content of a file
_HASHES = ("content_sha256", "branch_sha256")


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

    def as_metadata(self) -> dict[str, Any]:
        """What metadata say of all that was added."""
        return dict(zip(_HASHES, (self.hexdigest(), self.branches()), strict=True))


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


class Shown:
    """How events are shown, counted in histograms and handed to pandas, whether in memory or in files."""

    __slots__ = ()

    def to_pandas(self: EventSource, branches: Names = ()) -> Any:
        """A pandas DataFrame with a row for each event, of all branches or of some: a list, or a text 'a,b,c'."""
        pandas = optional("pandas", "to_pandas", "pandas")
        names = [choose(name, self.branches, "branch") for name in names_of(branches)] or self.branches
        return pandas.concat([pandas.DataFrame(chunk) for chunk in self.iterate(names)], ignore_index=True)[names]

    def to_hist(self: EventSource, branch: str, bins: int | Sequence[float] = 50) -> Any:
        """The distribution of a branch, each event with its weight, as a histogram of the package hist.

        Parameters
        ----------
        branch : str
            Such as 'x', 't' or 'S_E'.
        bins : int or array, shape (n + 1,)
            Their number between the smallest and the largest value, or their edges.

        Returns
        -------
        hist.Hist
            With the storage of weighted events; the sum of all bins is the yield of what lies inside.
        """
        choose(branch, self.branches, "branch")
        chunks = list(self.iterate(list(dict.fromkeys([branch, "weight"]))))
        values, weights = (np.concatenate([chunk[name] for chunk in chunks]) for name in (branch, "weight"))
        try:
            edges = np.histogram_bin_edges(values, bins)
        except (TypeError, ValueError):
            message = f"bins: {bins!r:.60} is no number of bins, and no list of increasing edges"
            raise InputError(message) from None
        sums, squares = (np.histogram(values, edges, weights=w)[0] for w in (weights, weights * weights))
        return histogram(branch, edges, sums, squares)

    def __repr__(self: EventSource) -> str:
        return f"<{type(self).__name__}: " + ", ".join(f"{key} {value}" for key, value in self.metadata.facts) + ">"

    def _repr_html_(self: EventSource) -> str:
        facts = [*self.metadata.facts, ("branches", ", ".join(self.branches))]
        return html([type(self).__name__, ""], facts)


class Readable(Shown, ABC):
    """Events in one or more files, which can be read in chunks or all at once."""

    metadata: EventMeta
    branches: list[str]

    @abstractmethod
    def iterate(self, names: Sequence[str], step: int = STEP) -> Iterator[Columns]:
        """Chunks of the named branches as numpy arrays."""

    def read(self) -> Events:
        """All events in memory."""
        chunks = list(self.iterate(self.branches))
        return Events(self.metadata, {name: np.concatenate([c[name] for c in chunks]) for name in self.branches})

    def awkward(self) -> Any:
        """All events as an awkward array with Momentum4D particles."""
        return as_awkward(self.read().columns)


class View(Readable):
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
    added : sequence of str
        Branches that it makes; where they are all that it makes, it is called for them alone.
    """

    def __init__(
        self,
        source: EventSource,
        update: Mapping[str, Any],
        change: Callable[[Columns], Columns],
        needed: Sequence[str] = (),
        added: Sequence[str] = (),
    ) -> None:
        kept = {key: value for key, value in source.metadata.items() if not (added and key in _HASHES)}
        self.metadata, self.branches = EventMeta(kept) | update, [*source.branches, *added]
        self.source, self._change, self._needed, self._added = source, change, needed, added
        inner = getattr(source, "parts", [source])
        self.parts = [View(part, update, change, needed, added) for part in inner] if len(inner) > 1 else [self]

    def __len__(self) -> int:
        return len(self.source)

    def iterate(self, names: Sequence[str], step: int = STEP) -> Iterator[Columns]:
        """Chunks of the named branches."""
        changes = not self._added or not set(self._added).isdisjoint(names)
        read = dict.fromkeys([*names, *(self._needed if changes else ())])
        for chunk in self.source.iterate([name for name in read if name not in self._added], step):
            changed = self._change(chunk) if changes else chunk
            yield {name: changed[name] for name in names}


def files_of(events: EventSource) -> list[Path]:
    """The files that events are read from; none of events in memory."""
    while isinstance(events, View):
        events = events.source
    return [one.path for one in getattr(events, "files", [events]) if hasattr(one, "path")]


@dataclass(slots=True, repr=False)
class Events(Shown):
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
