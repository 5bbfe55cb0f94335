"""`mcgen reach`: exclusion contours."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcgen.cli.display import bar, print_json, reach_table
from mcgen.cli.options import ENERGY, MASSES, NUMBER, Writing, json_option, mediator_option, workers_option
from mcgen.errors import InputError

if TYPE_CHECKING:
    from mcgen.contours import ReachPoint


@click.command(cls=Writing)
@click.argument("cards", nargs=-1)
@click.option("--model", "models", help="Models, a list.  [default: those of the card's scan]")
@mediator_option
@click.option(
    "--mass",
    type=MASSES,
    help="Masses of S; of start:stop those that make a line smooth to a percent.  "
    "[default: the card's scan, with --plot all between its ends]",
)
@click.option("--n-signal", type=NUMBER, default=3.0, show_default=True, help="Signal events that count as seen.")
@click.option("--production", default="exact", show_default=True, help="exact, ww or iww, a list.")
@click.option(
    "--events",
    "files",
    type=click.Path(path_type=Path),
    multiple=True,
    help="An event file or folder; repeat for more masses.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="CSV table to write.")
@click.option("--plot", "figure", type=click.Path(path_type=Path), help="Figure to write (.png, .pdf, .svg).")
@click.option(
    "--constraints",
    help="Known limits in the figure: paper, or a list of g2-bnl, g2-wp2020, g2-wp2025, e137, orsay, babar.",
)
@click.option("--states", type=click.IntRange(1, 1000), default=1, show_default=True, help="Scalars in a tower.")
@click.option("--spacing", type=ENERGY, help="Mass spacing of the tower.")
@workers_option
@json_option
def reach(
    cards: tuple[str, ...],
    models: str | None,
    mediator: str | None,
    mass: list[float] | None,
    n_signal: float,
    production: str,
    files: tuple[Path, ...],
    output: Path | None,
    figure: Path | None,
    constraints: str | None,
    states: int,
    spacing: float | None,
    workers: int,
    as_json: bool,
) -> None:
    """Intervals of g_mu in which N_S exceeds a threshold, per mass, of one or more CARDS, or from event files.

    By quadrature, but from events where a card's detector has a shape (geometry = "3d"): there a line is traced through
    20 masses at most.

    \b
    $ mcgen reach fermilab --mass 3MeV:250MeV -o reach.csv --plot reach.png --constraints paper
    $ mcgen reach na64 fermilab na64mu-2022 m3-phase2 --plot today.png
    $ mcgen reach --model A --events events.root
    """
    from mcgen import contours, reach_figure
    from mcgen.files import ask, check_request
    from mcgen.provenance import ask_with, check_table, write_provenance
    from mcgen.reweighting import card_of, open_events
    from mcgen.source.source import load_card

    names = [name.strip() for name in models.split(",")] if models else None
    _check(cards, files, mass, mediator, constraints, figure, states, spacing)
    limits = [name.strip() for name in constraints.split(",")] if constraints else []
    if figure:
        from mcgen import constraints as known
        from mcgen import plot

        known.check_names(limits)
        plot.kind_of(figure)
    tower = contours.Tower(states, spacing or 0.0)
    productions = [name.strip() for name in production.split(",")]
    drawn = figure is not None
    if cards:
        experiments = [load_card(name).with_boson(mediator) for entry in cards for name in entry.split(",")]
        ask_with(*experiments)
        ask(models=[names or card.scan.models for card in experiments])
        ask(mass=[mass or card.scan.mass for card in experiments])
    if output:
        check_table(output, "experiment,model,", ignore=["constraints"])
    if figure:
        check_request(figure)
    if cards:
        if drawn:
            reach_figure.check_drawable(experiments)
        points = reach_figure.reach_of_cards(
            experiments, names, mass, n_signal, productions, tower=tower, drawn=drawn, workers=workers, progress=bar
        )
        shown = reach_figure.shown_masses(experiments, mass, drawn)
    else:
        with bar("files", len(files) * len(names or [""])) as progress:
            points = contours.reach_from_events(files, names, n_signal, workers=workers, progress=progress)
        experiments = [card_of(open_events(path)) for path in files] if drawn else []
        shown = None
    if figure:
        title = f"$N_S$ > {n_signal:g}"
        reach_figure.draw(points, experiments, figure, title, limits, tower=tower, workers=workers)
    if output:
        contours.write_csv(points, output)
        write_provenance(f"{output}.json", *(experiments if cards else []), beside=output)
    if as_json:
        print_json([_row(point, n_signal) for point in points])
        return
    reach_table(points, n_signal, shown, "-o FILE writes all" if output is None else f"all are in {output}")


def _row(point: ReachPoint, n_signal: float) -> dict[str, Any]:
    """Row of the JSON document, which knows no infinity: an interval without upper end is open."""
    from dataclasses import asdict

    is_open = point.g_high == math.inf
    row = asdict(point) | {"open": is_open, "limit_events": n_signal, "method": "threshold"}
    return row | {"g_high": None} if is_open else row


def _check(
    cards: tuple[str, ...],
    files: tuple[Path, ...],
    mass: list[float] | None,
    mediator: str | None,
    constraints: str | None,
    figure: Path | None,
    states: int,
    spacing: float | None,
) -> None:
    """Raise InputError for options that exclude each other."""
    faults = {
        "reach: needs either a card or --events": bool(cards) == bool(files),
        "--states: a tower needs a --spacing": states > 1 and spacing is None,
        "--states: a file holds one scalar; a tower needs a card": bool(files) and states > 1,
        "--mass: a file has its own mass": bool(files) and bool(mass),
        "--mediator: a file has its own mediator": bool(files) and mediator is not None,
        "--constraints: are drawn, give --plot": bool(constraints) and not figure,
    }
    for message, wrong in faults.items():
        if wrong:
            raise InputError(message)
