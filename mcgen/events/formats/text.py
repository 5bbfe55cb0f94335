"""Text files, perhaps compressed, and events written to them by a template."""

from __future__ import annotations

import contextlib
import gzip
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from mcgen.base.errors import refuse_if
from mcgen.base.extras import optional
from mcgen.base.files import at_stake, atomic_path, normal, refuse, same_lines
from mcgen.events.branches import Columns
from mcgen.events.formats.printf import printed

#: endings of compressed text
COMPRESSIONS = (".gz", ".zst")
#: events formatted at a time
_BLOCK = 2_000
#: how much a packed file may hold: so many times its own size, several times what events come to, and never less than
#: a number of bytes; more is a bomb
EXPANSION, ALWAYS = 100, 10_000_000
#: of gzip: half the time of its usual 6 for 5 % more bytes
_LEVEL = 4

#: from columns: the template of an event, as of printf, and the columns or numbers that go into it
Record = Callable[[Columns], tuple[str, list[Any]]]


def _create(path: Path, name: str) -> IO[bytes]:
    """A stream to write to, compressed as the ending of `name` says."""
    if name.lower().endswith(".gz"):
        return gzip.open(path, "wb", compresslevel=_LEVEL)  # type: ignore[return-value]
    if name.lower().endswith(".zst"):
        stream: IO[bytes] = _zstd().open(path, "wb")
        return stream
    return path.open("wb")


class _Unpacked(io.RawIOBase):
    """What a packed file holds; InputError where that is more than an honest one can hold."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self._stream, self._path = stream, path
        self._left = most_of(path.stat().st_size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        n: int = self._stream.readinto(buffer)  # type: ignore[attr-defined]
        self._left -= n
        refuse_if(self._left < 0, f"file {self._path}: holds more than {EXPANSION} times its size, a bomb")
        return n

    def close(self) -> None:
        self._stream.close()
        super().close()


def most_of(size: int) -> int:
    """Bytes that a file of some size may hold once it is unpacked."""
    return max(ALWAYS, EXPANSION * size)


def open_compressed(path: Path) -> IO[bytes]:
    """The bytes of a file, unpacked if its first bytes are those of gzip or zstd, whatever its name is."""
    with path.open("rb") as file:
        start = file.read(4)
    if start[:2] == b"\x1f\x8b":
        return io.BufferedReader(_Unpacked(gzip.open(path), path))  # type: ignore[arg-type]
    if start == b"\x28\xb5\x2f\xfd":
        return io.BufferedReader(_Unpacked(_zstd().open(path), path))
    return path.open("rb")


def read_text(path: Path) -> IO[str]:
    """The text of a file, unpacked."""
    return io.TextIOWrapper(open_compressed(path), "utf-8")


def _zstd() -> Any:
    return optional("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd", "zst", "zstd")


class There:
    """A file that is there already; what is about to be written is compared with it line by line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream = read_text(path)

    def check(self, text: str) -> None:
        """Raise InputError at the first line that differs."""
        for line in text.splitlines():
            try:
                found = self._stream.readline()
            except Exception:  # no text, or not compressed in this way
                refuse(self._path)
            if normal(found.rstrip("\n")) != normal(line):
                refuse(self._path)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def same_text(one: Path, two: Path) -> bool:
    """Whether two files, compressed or not, hold the same lines."""
    return same_lines(one, two, read_text)


def table(values: Sequence[Any], n: int, kind: Any = float) -> NDArray[Any]:
    """Columns, and numbers that all n events share, as an array of shape (n, columns)."""
    return np.column_stack([np.broadcast_to(np.asarray(value, dtype=kind), n) for value in values])


class TextWriter:
    """Writes chunks of events, each event by the same template."""

    def __init__(self, stream: IO[bytes], record: Record, there: There | None = None) -> None:
        self._stream = stream
        self._record = record
        self._there = there

    def text(self, text: bytes) -> None:
        """Append text; where a file is there, it must say the same so far."""
        if self._there:
            self._there.check(text.decode())
        self._stream.write(text)

    def write(self, columns: Columns) -> None:
        """Append a chunk."""
        for start in range(0, len(columns["event"]), _BLOCK):
            block = {name: column[start : start + _BLOCK] for name, column in columns.items()}
            template, values = self._record(block)
            for text in printed(template, table(values, len(block["event"]))):
                self.text(text)


@contextlib.contextmanager
def text_writer(path: str | Path, record: Record, head: str = "", tail: str = "") -> Iterator[TextWriter]:
    """A writer whose file takes its name when it is complete.

    Parameters
    ----------
    path : path
        Its ending says how the text is compressed.
    record : callable
        Template and values of a chunk of events.
    head, tail : str
        What comes before and after the events.
    """
    with (
        atomic_path(path, same_text) as part,
        contextlib.closing(There(Path(path))) if at_stake(path) else contextlib.nullcontext() as there,
        _create(part, str(path)) as stream,
    ):
        writer = TextWriter(stream, record, there)
        writer.text(head.encode())
        yield writer
        writer.text(tail.encode())
