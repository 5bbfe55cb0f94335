"""Les Houches events in HDF5: LHEH5 2 as Sherpa, Pepper and pylhe define it (arXiv:1905.05120, arXiv:2309.13154).

The rows of `events` and `particles` hold what the lines of a Les Houches file do, in float64. A group `mcgen` has the
branches that they have no place for, so that such a file reads back bit for bit.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from html import unescape
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from mcgen.base.constants import ALPHA
from mcgen.base.extras import optional
from mcgen.base.files import atomic_path, content_of
from mcgen.card.card import Card
from mcgen.events import exposure
from mcgen.events.branches import Columns
from mcgen.events.formats import lhe, lhe_named
from mcgen.events.formats.particles import others
from mcgen.events.formats.text import most_of, table
from mcgen.events.meta import EventMeta

INIT = (
    "beamA", "beamB", "energyA", "energyB", "PDFgroupA", "PDFgroupB", "PDFsetA", "PDFsetB", "weightingStrategy",
    "numProcesses",
)  # fmt: skip
PROCESSES = ("procId", "npLO", "npNLO", "xSection", "error", "unitWeight")
#: further columns of an event are weights by their names
EVENTS = ("pid", "nparticles", "start", "trials", "scale", "fscale", "rscale", "aqed", "aqcd", "NOMINAL")
PARTICLES = (
    "id", "status", "mother1", "mother2", "color1", "color2", "px", "py", "pz", "e", "m", "lifetime", "spin",
)  # fmt: skip
#: pylhe takes a column of this name for NOMINAL
_RESERVED = (*EVENTS, "weight")
OWN, HEADER = "mcgen", "xml/header"
_METADATA = re.compile(r"<mcgen>(.*?)</mcgen>", re.DOTALL)
#: rows of a block of a file
_ROWS = 10_000

#: keys of references.bib
REFERENCES = ("Hoche:2019flt", "Bothmann:2023ozs")


def h5py() -> Any:
    """The package."""
    return optional("h5py", "LHEH5", "lheh5")


@contextlib.contextmanager
def opened(path: Path, refuse: Callable[[str], NoReturn]) -> Iterator[Any]:
    """An open file, all of which is in this one, and no more than it can hold."""
    most = most_of(path.stat().st_size)
    with h5py().File(path) as file:
        for group in (file, *(file[name] for name in (OWN, "xml") if name in file)):
            for name in group:
                if not isinstance(group.get(name, getlink=True), h5py().HardLink):
                    refuse(f"{name} is a link, and no links are followed")
                if isinstance(item := group[name], h5py().Dataset):
                    _check(item, most, refuse)
        yield file


def _check(dataset: Any, most: int, refuse: Callable[[str], NoReturn]) -> None:
    name = dataset.name.rsplit("/", 1)[-1]
    if dataset.external or dataset.is_virtual:
        refuse(f"{name} lies in other files, and none is opened")
    if max(dataset.size or 0, math.prod(dataset.chunks or ())) * dataset.dtype.itemsize > most:
        refuse(f"{name} is said to be of {dataset.shape}, more than a file of its size can hold")


class _Disk:
    """An open file as HDF5 is given it: an error waits until it is asked for, and nothing is written behind it.

    HDF5 itself forgets errors of datasets that are closed, and ends the process where it frees what it could not write.
    """

    def __init__(self, handle: int) -> None:
        self._handle, self._at = handle, 0
        self._error: OSError | None = None

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, from the beginning or from the end."""
        with self._kept():
            self._at = offset + (os.fstat(self._handle).st_size if whence == os.SEEK_END else 0)
        return self._at

    def tell(self) -> int:
        """The present place."""
        return self._at

    def read(self, size: int) -> bytes:
        """Bytes from the present place on, zeros behind the end."""
        found = b""
        with self._kept():
            while len(found) < size and (more := os.pread(self._handle, size - len(found), self._at + len(found))):
                found += more
        self._at += size
        return found.ljust(size, b"\0")

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer."""
        view = memoryview(buffer).cast("B")
        view[:] = self.read(len(view))
        return len(view)

    def write(self, data: Any) -> int:
        """Write bytes at the present place."""
        rest = memoryview(data).cast("B")
        with self._kept():
            while rest and not self._error:
                written = os.pwrite(self._handle, rest, self._at)
                if not written:
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
                rest, self._at = rest[written:], self._at + written
        return len(data)

    def truncate(self, size: int) -> int:
        """Give the file another size."""
        with self._kept():
            os.ftruncate(self._handle, size)
        return size

    def flush(self) -> None:
        """Nothing waits here."""

    @contextlib.contextmanager
    def _kept(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._error = self._error or error

    def check(self) -> None:
        """Raise the first error, if there was one."""
        if self._error:
            raise self._error


class LheH5Writer:
    """Writes chunks of events to an open file."""

    def __init__(self, file: Any, contents: lhe.Contents, metadata: EventMeta, check: Callable[[], None]) -> None:
        self._check = check
        self._file, self._contents, self._weights = file, contents, list(metadata.weights)
        rows = lhe_named.told_apart(list(metadata.weights.values()), _RESERVED)
        self._names = (*EVENTS, *(row["name"] for row in rows))
        self._describe(rows)
        self._particles = 0

    def _describe(self, weights: Sequence[dict[str, Any]]) -> None:
        """Version, header, beams and processes."""
        about, processes = self._contents, self._contents.processes
        one, two = about.beams
        beams = [one.pdg, two.pdg, one.E, two.E, 0, 0, 0, 0, -4, len(processes)]
        rows = [[i, np.nan, np.nan, p.cross_section, p.error, p.largest_weight] for i, p in enumerate(processes, 1)]
        header = "\n".join(["<header>", about.explained, lhe_named.block(weights), "</header>"])
        self._file.create_dataset("version", data=(2, 0, 0), dtype="i8")
        self._file.create_dataset(HEADER, data=header, dtype=h5py().string_dtype("utf-8"))
        for name, columns, data in (("init", INIT, beams), ("procInfo", PROCESSES, rows)):
            _name(self._file.create_dataset(name, data=data, dtype="f8"), columns)

    def _append(self, name: str, rows: Any, columns: Sequence[str] = ()) -> None:
        """Add rows to a dataset, which the first ones make."""
        if name not in self._file:
            shape, kind = rows.shape[1:], rows.dtype
            how = {"chunks": (_ROWS, *shape), "compression": "gzip", "compression_opts": 1, "shuffle": True}
            made = self._file.create_dataset(name, shape=(0, *shape), maxshape=(None, *shape), dtype=kind, **how)
            if columns:
                _name(made, columns)
        dataset = self._file[name]
        begin = len(dataset)
        dataset.resize(begin + len(rows), axis=0)
        dataset[begin:] = rows

    def write(self, columns: Columns) -> None:
        """Append a chunk."""
        listed, n, in_pb = self._contents.lines(columns), len(columns["event"]), self._contents.in_pb
        start = self._particles + len(listed) * np.arange(n)
        weights = [in_pb * exposure.nominal(columns, name) for name in ("weight", *self._weights)]
        scale = np.sqrt(columns["t"])
        values = [self._contents.numbers(columns), len(listed), start, 1, *[scale] * 3, ALPHA, 0, *weights]
        self._append("events", table(values, n), self._names)
        rows = [
            table([p.pdg, status, *mothers, 0, 0, *p.momentum, p.mass, life, 9], n)
            for p, status, mothers, life in listed
        ]
        self._append("particles", np.stack(rows, axis=1).reshape(-1, len(PARTICLES)), PARTICLES)
        self._particles += n * len(listed)
        for name in others(columns, [line.particle for line in listed]):
            self._append(f"{OWN}/{name}", columns[name])
        self._check()


def _name(dataset: Any, columns: Sequence[str]) -> None:
    """Say what the columns are, in the attributes in which programs look for it."""
    names = [name.encode() for name in columns]
    dataset.attrs["properties"] = names
    dataset.attrs[dataset.name.rsplit("/", 1)[-1]] = names


@contextlib.contextmanager
def writer(path: str | Path, card: Card, metadata: EventMeta, sample: dict[str, Any]) -> Iterator[LheH5Writer]:
    """A writer whose file takes its name when it is complete.

    Parameters
    ----------
    path : path
    card : Card
    metadata : dict
        Of the events.
    sample : dict
        What `exposure.Sums` found.
    """
    h5 = h5py()
    with atomic_path(path, same_events) as part, part.open("w+b", buffering=0) as stream:
        disk = _Disk(stream.fileno())
        try:
            with h5.File(disk, "w") as file:
                yield LheH5Writer(file, lhe.Contents(card, metadata, sample), metadata, disk.check)
        finally:
            disk.check()


def same_events(one: Path, two: Path) -> bool:
    """Whether two files hold the same numbers, names and metadata."""
    h5 = h5py()
    with h5.File(one) as first, h5.File(two) as second:
        names, others = ([*map(str, _datasets(file))] for file in (first, second))
        return names == others and all(_same(first[name], second[name]) for name in names)


def _datasets(file: Any) -> list[str]:
    found: list[str] = []
    file.visititems(lambda name, item: found.append(name) if hasattr(item, "shape") else None)
    return found


def _same(one: Any, two: Any) -> bool:
    """Whether two datasets are the same; of metadata, what does not belong to the run that made them."""
    if one.shape != two.shape or one.dtype != two.dtype:
        return False
    if one.name == f"/{HEADER}":
        texts = [item.asstr()[()] for item in (one, two)]
        rest, other = (_METADATA.sub("", text) for text in texts)
        own, theirs = (content_of(unescape("".join(_METADATA.findall(text)))) for text in texts)
        return bool(rest == other and own == theirs)
    blocks = (slice(i, i + _ROWS) for i in range(0, len(one), _ROWS))
    return [*one.attrs.get("properties", ())] == [*two.attrs.get("properties", ())] and all(
        np.array_equal(one[block], two[block], equal_nan=True) for block in blocks
    )
