"""Text files, plain or compressed by their ending, and events written by a template."""

from __future__ import annotations

import contextlib
import gzip
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np

from mcgen.events import Columns
from mcgen.extras import optional
from mcgen.files import atomic_path

#: endings of compressed text
COMPRESSIONS = (".gz", ".zst")
#: events formatted at a time
_BLOCK = 2_000

#: what a format writes per event: a template of printf, and the columns or numbers that it takes
Record = Callable[[Columns], tuple[str, list[Any]]]


def open_text(path: Path, mode: Literal["rt", "wt"], name: str) -> IO[str]:
    """A text stream, compressed as the ending of `name` says."""
    if name.endswith(".gz"):
        return gzip.open(path, mode, compresslevel=6, encoding="utf-8")
    if name.endswith(".zst"):
        module = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
        stream: IO[str] = optional(module, "zst", "zstd").open(path, mode, encoding="utf-8")
        return stream
    return path.open(mode, encoding="utf-8")


class TextWriter:
    """Writes chunks of events, each event by the same template."""

    def __init__(self, stream: IO[str], record: Record) -> None:
        self._stream = stream
        self._record = record

    def write(self, columns: Columns) -> None:
        """Append a chunk."""
        for start in range(0, len(columns["event"]), _BLOCK):
            block = {name: column[start : start + _BLOCK] for name, column in columns.items()}
            n = len(block["event"])
            template, values = self._record(block)
            table = np.column_stack([np.broadcast_to(np.asarray(value, dtype=float), n) for value in values])
            self._stream.write(template * n % tuple(table.ravel().tolist()))


@contextlib.contextmanager
def text_writer(path: str | Path, record: Record, head: str = "", tail: str = "") -> Iterator[TextWriter]:
    """A writer whose file takes its name when it is complete."""
    with atomic_path(path) as part, open_text(part, "wt", str(path)) as stream:
        stream.write(head)
        yield TextWriter(stream, record)
        stream.write(tail)
