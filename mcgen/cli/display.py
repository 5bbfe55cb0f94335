"""What a user sees on stdout: tables, JSON, and a line for files that are written."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcgen.base.errors import ClosureError
from mcgen.base.files import policy
from mcgen.base.printed import one_line, with_error
from mcgen.cli.volume import echo, is_quiet

if TYPE_CHECKING:
    from mcgen.analysis.reach import ReachPoint
    from mcgen.card.card import Card


#: rows that a terminal shows of a table: all up to some number, else the first and the last
_MOST, _ENDS = 40, 15
_CUT = "..."
#: characters of a line that has room for what is expected
_WIDE = 110


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "", rest: str = "a pipe has all") -> None:
    """A table of right-aligned cells; a long one is whole in a pipe, and has its ends on a terminal.

    Parameters
    ----------
    columns : sequence of str
    rows : sequence of sequence of str
    title : str
    rest : str
        Says where all rows are to be found.
    """
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    if title:
        echo(title)
    grid = Table(box=box.SIMPLE_HEAD)
    for column in columns:
        grid.add_column(escape(column), justify="right")
    is_terminal = sys.stdout.isatty()
    is_cut = is_terminal and len(rows) > _MOST
    for row in [*rows[:_ENDS], [_CUT], *rows[-_ENDS:]] if is_cut else rows:
        grid.add_row(*(escape(one_line(cell)) for cell in row))
    # a pipe has no width: give every column its own
    console = Console(width=None if is_terminal else 160)
    with console.capture() as drawn:
        console.print(grid)
    for line in drawn.get().splitlines():
        is_gap = is_cut and line.strip() == _CUT
        click.echo(f"   {_CUT} {len(rows) - 2 * _ENDS} rows more; {rest}" if is_gap else line)


def tell(text: str) -> None:
    """A line that nobody asked for, such as which file is written; none with --quiet."""
    if text and not is_quiet():
        echo(text)


def report(as_json: bool, document: Mapping[str, Any], text: str) -> None:
    """What a command that writes files has done: a document for programs, or a line for people."""
    if as_json:
        print_json(document)
    else:
        tell(text)


def written(*paths: Path) -> str:
    """Which files are new, in a line; nothing if none is."""
    new = [one_line(str(path)) for path in paths if path not in policy().left]
    return "written: " + ", ".join(new) if new else ""


def yield_text(card: Card, metadata: Mapping[str, Any]) -> str:
    """The yield of an event file with its error."""
    from mcgen.events.exposure import yield_unit

    return f"{yield_unit(card)}: {with_error(metadata['yield_per_muon'], metadata['yield_error'])}"


#: what documents say of a sample of events
SAMPLE = (
    "n_events", "mass_gev", "seed", "yield_per_muon", "yield_error", "yield_quadrature", "pull", "pull_t_worst",
    "content_sha256",
)  # fmt: skip


def sample_document(path: Path, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """A file or folder of events as a JSON document; null for what is not known before a folder is whole."""
    return {"file": str(path), **{key: metadata.get(key) for key in SAMPLE}}


def print_json(document: Any) -> None:
    """One document on stdout; a number that is not finite is an error."""
    try:
        text = json.dumps(document, allow_nan=False)
    except ValueError:
        message = "a result is not finite; the numbers asked for are beyond double precision"
        raise ClosureError(message) from None
    click.echo(text)


def reach_table(
    points: Sequence[ReachPoint], title: str, shown: Collection[float] | None = None, rest: str = ""
) -> None:
    """Contours as a table.

    Parameters
    ----------
    points : sequence of ReachPoint
    title : str
    shown : collection of float, optional
        Masses in GeV to show, and beside them where each line begins and ends; all by default.
    rest : str
        Says where all masses are to be found.
    """
    from mcgen.analysis.reach_rows import coupling_text, printed_row, span_text

    def line(p: ReachPoint) -> tuple[str, str, str]:
        return p.experiment, p.model, p.production

    seen: dict[tuple[str, str, str], list[float]] = {}
    for p in points:
        if p.g_low is not None:
            seen.setdefault(line(p), []).append(p.mass_gev)
    ends = {(*key, mass) for key, masses in seen.items() for mass in (min(masses), max(masses))}
    kept = [p for p in points if shown is None or p.mass_gev in shown or (*line(p), p.mass_gev) in ends]
    header = ["experiment", "model", "production", "m_S [MeV]", "g_mu from", "to"]
    rows = [printed_row(p) for p in kept]
    has_bands = any(len({*p.limits.values()}) > 1 for p in points if p.limits)
    if has_bands and (not sys.stdout.isatty() or shutil.get_terminal_size().columns >= _WIDE):
        header += ["expected from", "+-1 sigma"]
        bands = ((coupling_text(p.expected), span_text(p.minus_1, p.plus_1)) for p in kept)
        rows = [[*row, *band] for row, band in zip(rows, bands, strict=True)]
    if any(p.varied for p in points):
        header += ["from, varied"]
        rows = [[*row, span_text(p.g_low_min, p.g_low_max)] for row, p in zip(rows, kept, strict=True)]
    table(header, rows, title)
    if len(kept) < len(points):
        echo(f"{len(kept)} of {len(points)} rows; {rest}")
