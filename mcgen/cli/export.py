"""`mcgen export`: event files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mcgen.cli.display import report
from mcgen.cli.names import LAYOUT
from mcgen.cli.options import (
    Writing,
    boson_option,
    files_argument,
    flag,
    foreign_option,
    json_option,
    output_option,
    unit_option,
)  # fmt: skip
from mcgen.cli.progress import bar


@click.command(cls=Writing)
@files_argument
@output_option("File to write.", required=True)
@foreign_option
@flag("--decays", "Add the daughters of S at the card's reference coupling.")
@flag("--force-decay", "The same, every decay inside the fiducial range.")
@flag("--isotropic", "Of daughters that are added: spin 1 decays isotropically, not by its spin density.")
@click.option(
    "--layout",
    type=LAYOUT,
    default="flat",
    show_default=True,
    help="Of .root: flat, or particles as in NanoAOD; of .hepmc3: nuhepmc.",
)
@flag("--rntuple", "Of .root: an RNTuple instead of a TTree.")
@unit_option
@boson_option
@click.option(
    "--time-unit", type=click.Choice(["mm", "ns"]), default="mm", show_default=True,
    help="Of times in .hepmc3 and lifetimes in .lhe: c t in mm by the standards, or ns for readers that take them so.",
)  # fmt: skip
@click.option(
    "--weight", "weights", multiple=True, metavar="WHAT",
    help="Further weights of the same events: form_factor=helm, mediator=vector, or both with a comma; repeatable.",
)  # fmt: skip
@json_option("file, format, n_events")
def export(
    file: tuple[Path, ...], output: Path, card: str | None, weights: tuple[str, ...], as_json: bool, **how: Any
) -> None:
    """Write an event file in another format, chosen by the ending of OUTPUT.

    .hepmc3 (HepMC3), .lhe (Les Houches), .lheh5 or .h5 (the same in HDF5), .parquet, .csv (G4DarkBreM library),
    .txt (angle and momentum of S for FORESEE), .root; text also with .gz or .zst.

    \b
    $ mcgen export events.root -o events.hepmc3.gz --decays
    $ mcgen export events.root -o events.lhe --weight form_factor=helm --weight mediator=vector
    $ mcgen export madgraph.lhe.gz -o events.root --card fermilab
    """
    from mcgen.events import export as exporting
    from mcgen.events.events import EventSource
    from mcgen.events.pool import load
    from mcgen.source.source import load_card

    events: EventSource = load(*file, card=load_card(card) if card else None)
    if weights:
        from mcgen.analysis.alternatives import with_weights

        events = with_weights(events, weights)
    with bar("events", len(events)) as progress:
        path = exporting.export(events, output, **how, progress=progress)
    kind = exporting.FORMATS[exporting.format_of(path)].name
    document = {"file": str(path), "format": kind, "n_events": len(events)}
    report(as_json, document, f"{path}: {len(events)} events, {kind}")
