"""Event files in Parquet: one column per branch, zstd, the metadata as JSON under the key 'mcgen'."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mcgen.base.extras import optional
from mcgen.base.files import atomic_path, content_of
from mcgen.card.card import Card
from mcgen.events.branches import Columns, title
from mcgen.events.events import STEP
from mcgen.events.formats.stored import StoredEvents
from mcgen.events.formats.text import most_of
from mcgen.events.meta import EventMeta

KEY = b"mcgen"


def _parquet() -> Any:
    return optional("pyarrow.parquet", "parquet", "parquet")


class ParquetWriter:
    """Writes chunks of columns, each as a row group."""

    def __init__(self, path: Path, metadata: EventMeta) -> None:
        self._path = path
        self._metadata = {KEY: json.dumps(metadata.sealed()).encode()}
        self._weights = metadata.weights
        self._writer: Any = None

    def write(self, columns: Columns) -> None:
        """Append a chunk; the first one says which columns there are."""
        pa = optional("pyarrow", "parquet", "parquet")
        table = pa.table(dict(columns))
        said = [field.with_metadata({"description": title(field.name, self._weights)}) for field in table.schema]
        table = table.cast(pa.schema(said, self._metadata))
        if self._writer is None:
            options = {"compression": "zstd", "use_dictionary": False}
            self._writer = _parquet().ParquetWriter(self._path, table.schema, **options)
        self._writer.write_table(table)

    def close(self) -> None:
        """Write the footer."""
        if self._writer is not None:
            self._writer.close()


@contextlib.contextmanager
def writer(path: str | Path, _card: Any, metadata: EventMeta) -> Iterator[ParquetWriter]:
    """A writer whose file takes its name when it is complete."""
    _parquet()
    with atomic_path(path, same_events) as part, contextlib.closing(ParquetWriter(part, metadata)) as stream:
        yield stream


def same_events(one: Path, two: Path) -> bool:
    """Whether two Parquet files hold the same columns and metadata."""
    first, second = (_parquet().ParquetFile(path) for path in (one, two))
    found, other = (content_of(file.schema_arrow.metadata[KEY]) for file in (first, second))
    if found != other or first.metadata.num_rows != second.metadata.num_rows:
        return False
    batches = zip(first.iter_batches(STEP), second.iter_batches(STEP), strict=True)
    return all(a.equals(b) for a, b in batches)


class ParquetFile(StoredEvents):
    """A Parquet file of mcgen, read row group by row group."""

    kind = "Parquet"

    def _open(self, card: Card | None) -> int:  # noqa: ARG002
        self._file = _parquet().ParquetFile(self.path)
        schema = self._file.schema_arrow
        if KEY not in (schema.metadata or {}):
            self._refuse("not an event file of mcgen")
        self._check_metadata(schema.metadata[KEY])
        self.branches = list(schema.names)
        types = {"event": "uint64", "decay_pdg": "int32"}
        for field in schema:
            if str(field.type) != types.get(field.name, "double"):
                self._refuse(f"column {field.name} is of type {field.type}")
        about = self._file.metadata
        unpacked = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
        if not 0 <= unpacked <= most_of(self.path.stat().st_size):
            self._refuse(f"says that it holds {unpacked:.4g} bytes, more than a file of its size can")
        return self._fitting(int(about.num_rows))

    def _chunks(self, names: list[str], step: int) -> Iterator[Columns]:
        for batch in self._file.iter_batches(batch_size=step, columns=names):
            yield {name: batch[name].to_numpy() for name in names}
