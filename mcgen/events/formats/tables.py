"""Tables and two-dimensional histograms for other programs, as ROOT and Parquet files with their metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import awkward as ak
import numpy as np
import uproot
from uproot.writing import identify

from mcgen.base.arrays import Array
from mcgen.base.errors import InputError
from mcgen.base.extras import optional
from mcgen.base.files import atomic_path, without_run
from mcgen.events.formats.kinds import PARQUET, ROOT, kind_of
from mcgen.events.formats.parquet import KEY
from mcgen.events.formats.root import METADATA, metadata_text

#: columns of one length: numbers, texts, or numbers and None
Columns = Mapping[str, list[Any]]


class Axis(NamedTuple):
    """An axis of a histogram."""

    title: str
    edges: Array


class Histogram(NamedTuple):
    """A two-dimensional histogram; values and errors have shape (x, y)."""

    title: str
    x: Axis
    y: Axis
    values: Array
    errors: Array


def metadata_of(path: Path) -> dict[str, Any] | None:
    """Metadata of a ROOT or Parquet file of mcgen, of a table or of events, unchecked; None if it has none."""
    kind = kind_of(path)
    try:
        if kind == ROOT:
            with uproot.open(path) as file:
                return dict(json.loads(metadata_text(file)))
        if kind == PARQUET:
            parquet = optional("pyarrow.parquet", "parquet", "parquet")
            return dict(json.loads(parquet.read_schema(path).metadata[KEY]))
    except InputError:
        raise
    except Exception:  # other files, and damaged ones, raise errors of many kinds
        return None
    return None


def write_parquet(path: str | Path, columns: Columns, metadata: Mapping[str, Any]) -> None:
    """Write a table with its metadata as JSON under the key 'mcgen'.

    Parameters
    ----------
    path : path
    columns : mapping of str to list
        None is a null; a column of nulls is one of numbers, so that tables go together.
    metadata : mapping
    """
    pa, parquet = (optional(module, "parquet", "parquet") for module in ("pyarrow", "pyarrow.parquet"))
    empty = {
        name: pa.array(values, pa.float64())
        for name, values in columns.items()
        if not any(v is not None for v in values)
    }
    table = pa.table({**columns, **empty}).replace_schema_metadata({KEY: json.dumps(metadata).encode()})
    with atomic_path(path, _same_parquet) as part:
        parquet.write_table(table, part, compression="zstd")


def _same_parquet(one: Path, two: Path) -> bool:
    parquet = optional("pyarrow.parquet", "parquet", "parquet")
    first, second = (parquet.read_table(path) for path in (one, two))
    found, other = (without_run(json.loads(table.schema.metadata[KEY])) for table in (first, second))
    return bool(found == other and first.equals(second))


def write_root(
    path: str | Path, histograms: Mapping[str, Histogram], tree: str, columns: Columns, metadata: Mapping[str, Any]
) -> None:
    """Write histograms as TH2D, a table as a TTree, and the metadata as a string of JSON.

    Parameters
    ----------
    path : path
    histograms : mapping of str to Histogram
        By name.
    tree : str
        Name of the table.
    columns : mapping of str to list
        A column that holds None is left out, as a TTree has no such value.
    metadata : mapping
    """
    kept = {name: column for name, column in columns.items() if None not in column}
    arrays = {
        name: ak.Array(column) if isinstance(column[0], str) else np.array(column) for name, column in kept.items()
    }
    types = {name: "string" if isinstance(kept[name][0], str) else "float64" for name in kept}
    # not compressed: `check_request` reads what a file was made for from its bytes
    with atomic_path(path, _same_root) as part, uproot.recreate(part, compression=None) as file:
        for name, histogram in histograms.items():
            file[name] = _th2(name, histogram)
        file.mktree(tree, types).extend(arrays)
        file[METADATA] = json.dumps(metadata)


def _th2(name: str, histogram: Histogram) -> Any:
    """A TH2D; its sums are left at 0, from which ROOT knows that it has to compute them."""
    axes = [
        identify.to_TAxis(f"{which}axis", axis.title, axis.edges.size - 1, *axis.edges[[0, -1]], fXbins=axis.edges)
        for which, axis in (("x", histogram.x), ("y", histogram.y))
    ]
    values, squares = (_with_overflow(numbers) for numbers in (histogram.values, histogram.errors**2))
    sums = [0.0] * 7
    return identify.to_TH2x(name, histogram.title, values, float(histogram.values.size), *sums, squares, *axes)


def _with_overflow(numbers: Array) -> Array:
    """Bins in the order of ROOT, x fastest, with empty ones around them."""
    return np.pad(numbers, 1).T.ravel().astype(">f8")


def _same_root(one: Path, two: Path) -> bool:
    with uproot.open(one) as first, uproot.open(two) as second:
        names = first.classnames(recursive=False)
        if names != second.classnames(recursive=False):
            return False
        return all(_same_object(first[key], second[key], kind) for key, kind in names.items())


def _same_object(one: Any, two: Any, kind: str) -> bool:
    if kind == "TObjString":
        return bool(without_run(json.loads(str(one))) == without_run(json.loads(str(two))))
    if kind == "TTree":
        return bool(one.typenames() == two.typenames() and one.arrays().tolist() == two.arrays().tolist())
    pairs = zip((*one.to_numpy(flow=True), one.variances()), (*two.to_numpy(flow=True), two.variances()), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)
