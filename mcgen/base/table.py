"""A list of records that shows itself as a table, and turns into a DataFrame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from html import escape
from typing import Any, TypeVar

from mcgen.base.extras import optional
from mcgen.base.printed import one_line

T = TypeVar("T")

#: rows shown of a long table: so many at its start, and at its end
_HEAD, _TAIL = 15, 5
_STYLE = "text-align: right"


def cell(value: Any) -> str:
    """A value as a table shows it."""
    if value is None:
        return "-"
    if isinstance(value, dict | list | tuple):  # spectra and the like
        return "..."
    return f"{value:.6g}" if isinstance(value, float) else one_line(str(value))


def _shown(rows: Sequence[Any]) -> list[Any]:
    """The rows to show; None where some are left out."""
    return list(rows) if len(rows) <= _HEAD + _TAIL + 1 else [*rows[:_HEAD], None, *rows[-_TAIL:]]


def html(header: Sequence[str], rows: Sequence[Sequence[Any] | None], title: str = "") -> str:
    """A table as notebooks show it; None stands for rows that are left out."""
    head = "".join(f'<th style="{_STYLE}">{escape(name)}</th>' for name in header)
    left_out = "".join("<td>...</td>" for _ in header)
    body = "".join(
        f"<tr>{left_out if row is None else ''.join(f'<td style={_STYLE!r}>{escape(cell(v))}</td>' for v in row)}</tr>"
        for row in rows
    )
    caption = f"<p>{escape(title)}</p>" if title else ""
    return f"{caption}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def text(header: Sequence[str], rows: Sequence[Sequence[Any] | None]) -> str:
    """The same as plain text."""
    lines = [list(header), *([cell(v) for v in row] if row is not None else ["..."] * len(header) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(c.rjust(w) for c, w in zip(line, widths, strict=True)) for line in lines)


class Table(list[T]):
    """Records of one kind, each a dataclass: a list with `to_pandas()`."""

    @property
    def columns(self) -> list[str]:
        """Names of the fields."""
        return [field.name for field in fields(self[0])] if self else []  # type: ignore[arg-type]

    def _rows(self) -> list[list[Any] | None]:
        return [None if r is None else [getattr(r, name) for name in self.columns] for r in _shown(self)]

    def to_pandas(self) -> Any:
        """The records as a pandas DataFrame, one row each."""
        pandas = optional("pandas", "to_pandas", "pandas")
        return pandas.DataFrame([[getattr(row, name) for name in self.columns] for row in self], columns=self.columns)

    def __repr__(self) -> str:
        return text(self.columns, self._rows()) if self else "Table of no rows"

    def _repr_html_(self) -> str:
        return html(self.columns, self._rows()) if self else "<p>Table of no rows</p>"
