"""Event files in Parquet: one column per branch, zstd, the metadata as JSON under the key 'mcgen'."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mcgen.errors import InputError
from mcgen.events import Columns, Events
from mcgen.files import atomic_path

KEY = b"mcgen"


def _arrow() -> Any:
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError:
        message = "parquet needs pyarrow: pip install 'mcgen[parquet]'"
        raise InputError(message) from None
    return pa


class ParquetWriter:
    """Writes chunks of columns."""

    def __init__(self, path: Path, metadata: dict[str, Any]) -> None:
        self._pa = _arrow()
        self._path = path
        self._metadata = {KEY: json.dumps(metadata).encode()}
        self._writer: Any = None

    def write(self, columns: Columns) -> None:
        """Append a chunk as one row group."""
        table = self._pa.table(dict(columns)).replace_schema_metadata(self._metadata)
        if self._writer is None:
            options = {"compression": "zstd", "use_dictionary": False}
            self._writer = self._pa.parquet.ParquetWriter(self._path, table.schema, **options)
        self._writer.write_table(table)

    def close(self) -> None:
        """Write the footer."""
        if self._writer is not None:
            self._writer.close()


@contextmanager
def writer(path: str | Path, metadata: dict[str, Any]) -> Iterator[ParquetWriter]:
    """A writer whose file takes its name when it is complete."""
    with atomic_path(path) as part:
        stream = ParquetWriter(part, metadata)
        try:
            yield stream
        finally:
            stream.close()


def read(path: str | Path) -> Events:
    """All events of a Parquet file of mcgen.

    Raises
    ------
    InputError
        If the file is damaged or not ours.
    """
    pa = _arrow()
    try:
        table = pa.parquet.read_table(path)
        metadata = json.loads((table.schema.metadata or {})[KEY])
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        message = f"file {path}: not a Parquet file of mcgen ({type(error).__name__})"
        raise InputError(message) from None
    return Events(metadata, {name: table[name].to_numpy() for name in table.column_names})
