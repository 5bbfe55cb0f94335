"""What event files of every format share: metadata that are checked when a file is opened, and events in chunks."""

from __future__ import annotations

import contextlib
import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mcgen.card import Card, parse_card
from mcgen.errors import InputError
from mcgen.events import (
    BRANCHES,
    DECAY_BRANCHES,
    Columns,
    ContentHash,
    Events,
    as_awkward,
    branches_of,
    is_foreign,
)
from mcgen.formats.kinds import kind_of

FORMAT = "mcgen events 1"
#: events read at a time
STEP = 200_000
#: metadata are a page of text, of many pages with a beam spectrum; more than this is not ours
MAX_METADATA = 10_000_000


#: a number larger than this is none of ours, and its square is still finite
LARGEST = 1e120
_POSITIVE = {"E_mu", "x", "t", "tau", *(name for name in BRANCHES if name.endswith("_E"))}
_TYPES = {"event": np.dtype(np.uint64), "decay_pdg": np.dtype(np.int32)}

_Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
_Seed = Annotated[int, Field(ge=0, lt=2**63)]
_Count = Annotated[int, Field(ge=1, le=10**15)]
_First = Annotated[int, Field(ge=0, le=10**18)]


class _Open(BaseModel):
    """Checked where it is known; files are free to say more."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, extra="allow")


class _Options(_Open):
    weighted: bool = False
    decays: Literal["", "natural", "forced"] = ""
    rntuple: bool = False
    branches: list[str] = []


class _Sigma(_Open):
    target: str
    energy_gev: _Number
    sigma_pb: _Number


class _Span(_Open):
    seed: _Seed
    first_event: _First
    n_events: _Count
    norm_relative_error: _Number


_Bins = Annotated[list[_Number], Field(min_length=15, max_length=15)]


class _Spectrum(_Open):
    expected: _Bins
    expected_error: _Bins
    sum_weights: _Bins
    sum_squares: _Bins


class _Production(_Open):
    partition: _First
    partitions: _Count


class _Metadata(_Open):
    """What every reader relies on."""

    format: Annotated[str, Field(pattern=f"^{FORMAT}$")]
    card: str
    seed: _Seed
    n_events: _Count
    mass_gev: Annotated[float, Field(gt=0.0, le=1e6)]
    norm_relative_error: Annotated[float, Field(ge=0.0, le=LARGEST)]
    sum_weights: _Number
    sum_squares: _Number
    yield_per_muon: _Number
    yield_error: _Number
    yield_quadrature: _Number
    pull_t_worst: _Number
    trials: _Count
    sigma: list[_Sigma]
    content_sha256: str
    branch_sha256: dict[str, str] = {}
    mcgen_version: str
    first_event: _First = 0
    options: _Options = _Options()
    decays: Literal["natural", "forced"] = "natural"
    merged: Annotated[list[_Span], Field(min_length=1)] | None = None
    t_spectrum: _Spectrum | None = None
    production: _Production | None = None


class _ForeignMetadata(_Open):
    """The same of events of another generator."""

    format: Annotated[str, Field(pattern=f"^{FORMAT}$")]
    card: str
    n_events: _Count
    mass_gev: Annotated[float, Field(gt=0.0, le=1e6)]
    beam_energy_gev: Annotated[float, Field(gt=0.0, le=1e12)]
    norm_relative_error: Annotated[float, Field(ge=0.0, le=LARGEST)]
    sigma: list[_Sigma]
    content_sha256: str
    branch_sha256: dict[str, str] = {}
    mcgen_version: str


def _checksum(metadata: Mapping[str, Any]) -> str:
    """Hash of the metadata, so that a number that was changed by hand does not go unseen."""
    return hashlib.sha256(json.dumps(metadata, sort_keys=True).encode()).hexdigest()


def sealed(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata as they are written, with their checksum."""
    return {**metadata, "checksum": _checksum(metadata)}


class Readable(ABC):
    """Events in one or more files, which can be read in chunks or all at once."""

    metadata: dict[str, Any]
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
        self.metadata: dict[str, Any] = {}
        self.branches: list[str] = []
        if not self.path.is_file():
            self._refuse("does not exist")
        if (found := kind_of(self.path)) != self.kind:
            self._refuse(f"is {found}, not {self.kind}")
        with self._readable():
            entries = self._open(card)
        if card is not None and self._brings_card:
            self._refuse("has a card of its own, another one is for events of other generators")
        if set(branches_of(self.metadata)) - set(self.branches) or entries != self.metadata["n_events"]:
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
        self.metadata = json.loads(text)
        json.dumps(self.metadata, allow_nan=False)
        try:
            kind = _ForeignMetadata if is_foreign(self.metadata) else _Metadata
            kind.model_validate(self.metadata)
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(str(part) for part in fault["loc"])
            self._refuse(f"metadata {where}: {fault['msg']}")
        if self.metadata.pop("checksum", None) != _checksum(self.metadata):
            self._refuse("its metadata were changed after it was written")

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
            self._refuse(f"cannot be read as {self.kind} ({type(error).__name__}); damaged or cut short")

    def __len__(self) -> int:
        return int(self.metadata["n_events"])

    @property
    def card(self) -> Card:
        """The card that the events were generated with."""
        card = parse_card(self.metadata["card"], f"of {self.path}")
        card.check_mass(self.metadata["mass_gev"], f"mass of {self.path}")
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
        known = {*BRANCHES, *DECAY_BRANCHES}
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
