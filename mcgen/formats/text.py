"""Text files, plain or compressed by their ending (.gz)."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from mcgen.files import atomic_path


@contextlib.contextmanager
def text_writer(path: str | Path) -> Iterator[IO[str]]:
    """A text stream whose file takes its name when it is complete."""
    with atomic_path(path) as part:
        if Path(path).suffix == ".gz":
            with gzip.open(part, "wt", encoding="utf-8", compresslevel=6) as stream:
                yield stream
        else:
            with part.open("w", encoding="utf-8") as stream:
                yield stream
