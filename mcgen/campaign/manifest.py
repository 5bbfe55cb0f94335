"""`manifest.json`: what the partitions of a complete production hold, and by which sign each is known again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from mcgen.base.errors import InputError
from mcgen.base.files import open_atomic, overwriting
from mcgen.events.meta import EventMeta

MANIFEST = "manifest.json"
#: what the manifest says of all events, beside their metadata
_WHOLE = ("n_events", "sum_weights", "sum_squares", "yield_per_muon", "yield_error", "content_sha256",
          "yield_quadrature", "pull", "versions", "card_sha256")  # fmt: skip


class Row(NamedTuple):
    """A partition in the manifest."""

    file: str
    first_event: int
    n_events: int
    sum_weights: float
    sum_squares: float
    yield_per_muon: float
    yield_error: float
    content_sha256: str
    stored: str  #: hash of its metadata as they lie in the file, empty if they can be told in no quick way

    @classmethod
    def of(cls, path: Path, metadata: EventMeta, stored: bytes | None) -> Row:
        """The row of a file."""
        return cls._make((path.name, *(metadata[key] for key in cls._fields[1:-1]), mark(stored)))

    @property
    def content(self) -> tuple[Any, ...]:
        """The same for every file of the same events."""
        return self[:-1]


def mark(stored: bytes | None) -> str:
    """By what a file is known again: one of its metadata cannot change without it."""
    return "" if stored is None else hashlib.sha256(stored).hexdigest()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is in a complete production."""

    plan: dict[str, Any]
    whole: EventMeta  #: of all events
    rows: list[Row]

    @classmethod
    def read(cls, folder: Path, plan: dict[str, Any], partitions: int) -> Manifest | None:
        """That of a folder; None if there is none of this plan, or one that is damaged."""

        def compact(found: dict[str, Any]) -> Any:  # a hundred thousand dictionaries would be large
            return Row(**found) if "stored" in found else found

        try:
            document = json.loads((folder / MANIFEST).read_text(encoding="utf-8"), object_hook=compact)
            rows, whole = document["partitions"], EventMeta.unsealed(json.dumps(document["metadata"]))
            is_own = document["plan"] == plan and len(rows) == partitions
            is_own = is_own and document["checksum"] == _checksum(rows)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, InputError):
            return None
        return cls(plan, whole, rows) if is_own else None

    def write(self, folder: Path) -> None:
        """Write it, in place of another one; a partition is a line."""
        head = {"plan": self.plan, **{key: self.whole[key] for key in _WHOLE}, "metadata": self.whole.sealed()}
        with overwriting(), open_atomic(folder / MANIFEST, _same_bytes) as stream:
            stream.write(json.dumps(head, indent=1, allow_nan=False).removesuffix("\n}"))
            stream.write(f',\n "checksum": "{_checksum(self.rows)}",\n "partitions": [')
            for i, row in enumerate(self.rows):
                stream.write(f"{',' if i else ''}\n  {json.dumps(row._asdict(), allow_nan=False)}")
            stream.write("\n ]\n}\n")


def _same_bytes(one: Path, two: Path) -> bool:
    return one.read_bytes() == two.read_bytes()


def _checksum(rows: Sequence[Row]) -> str:
    return hashlib.sha256(json.dumps(rows, allow_nan=False).encode()).hexdigest()
