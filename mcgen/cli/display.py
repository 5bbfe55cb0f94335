"""What a user sees: tables and JSON on stdout, progress on stderr."""

from __future__ import annotations

import contextlib
import json
import math
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcgen.base.errors import ClosureError
from mcgen.base.files import policy

if TYPE_CHECKING:
    from mcgen.analysis.reach import ReachPoint
    from mcgen.card.card import Card


@contextlib.contextmanager
def bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Progress bar on a terminal's stderr; 0 for a total that is not known."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(what, total=total or None)
        yield lambda done: bars.update(task, completed=done)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """A table of right-aligned cells."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    if title:
        click.echo(title)
    grid = Table(box=box.SIMPLE_HEAD)
    for column in columns:
        grid.add_column(escape(column), justify="right")
    for row in rows:
        grid.add_row(*map(escape, row))
    # a pipe has no width: give every column its own
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(grid)


def print_written(*paths: Path) -> None:
    """Which files are new."""
    new = [str(path) for path in paths if path not in policy().left]
    if new:
        click.echo("written: " + ", ".join(new))


def yield_text(card: Card, metadata: Mapping[str, Any]) -> str:
    """The yield of an event file with its error."""
    from mcgen.events.exposure import yield_unit

    return f"{yield_unit(card)}: {metadata['yield_per_muon']:.6g} +- {metadata['yield_error']:.2g}"


def print_json(document: Any) -> None:
    """One document on stdout; a number that is not finite is an error."""
    try:
        text = json.dumps(document, allow_nan=False)
    except ValueError:
        message = "a result is not finite; the numbers asked for are beyond double precision"
        raise ClosureError(message) from None
    click.echo(text)


def reach_table(
    points: Sequence[ReachPoint], n_signal: float, shown: Collection[float] | None = None, rest: str = ""
) -> None:
    """Contours as a table.

    Parameters
    ----------
    points : sequence of ReachPoint
    n_signal : float
        Signal events above which a coupling counts as seen.
    shown : collection of float, optional
        Masses in GeV to show, and beside them where each line begins and ends; all by default.
    rest : str
        Says where all masses are to be found.
    """

    def cell(value: float | None) -> str:
        return "-" if value is None else "open" if value == math.inf else f"{value:.5g}"

    def line(p: ReachPoint) -> tuple[str, str, str]:
        return p.experiment, p.model, p.production

    seen: dict[tuple[str, str, str], list[float]] = {}
    for p in points:
        if p.g_low is not None:
            seen.setdefault(line(p), []).append(p.mass_gev)
    ends = {(*key, mass) for key, masses in seen.items() for mass in (min(masses), max(masses))}
    kept = [p for p in points if shown is None or p.mass_gev in shown or (*line(p), p.mass_gev) in ends]
    rows = [[*line(p), f"{1e3 * p.mass_gev:.6g}", cell(p.g_low), cell(p.g_high)] for p in kept]
    header = ["experiment", "model", "production", "m_S [MeV]", "g_mu from", "to"]
    table(header, rows, f"More than {n_signal:g} signal events")
    if len(kept) < len(points):
        click.echo(f"{len(kept)} of {len(points)} rows; {rest}")
