"""`mcgen export`: event files for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from mcgen.cli.display import bar
from mcgen.cli.options import Writing, boson_option, unit_option


@click.command(cls=Writing)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="File to write.")
@click.option("--card", help="Experiment for events of another generator (LHE).")
@click.option("--decays", is_flag=True, help="Add the daughters of S at the card's reference coupling.")
@click.option("--force-decay", is_flag=True, help="The same, every decay inside the fiducial range.")
@click.option("--layout", default="flat", show_default=True, help="Of .root: flat, or particles as in NanoAOD.")
@click.option("--rntuple", is_flag=True, help="Of .root: an RNTuple instead of a TTree.")
@unit_option
@boson_option
def export(
    file: Path,
    output: Path,
    card: str | None,
    decays: bool,
    force_decay: bool,
    layout: str,
    rntuple: bool,
    unit: str,
    boson_pdg: int | None,
) -> None:
    """Write an event file in another format, chosen by the ending of OUTPUT.

    .hepmc3 (HepMC3), .lhe (Les Houches), .parquet, .csv (G4DarkBreM library), .root; text also with .gz or .zst.

    \b
    $ mcgen export events.root -o events.hepmc3.gz --decays
    $ mcgen export madgraph.lhe.gz -o events.root --card fermilab
    """
    from mcgen import exporting
    from mcgen.pool import load
    from mcgen.source.source import load_card

    events = load(file, card=load_card(card) if card else None)
    with bar("events", len(events)) as progress:
        path = exporting.export(
            events,
            output,
            decays=decays,
            force_decay=force_decay,
            layout=layout,
            rntuple=rntuple,
            unit=unit,
            boson_pdg=boson_pdg,
            progress=progress,
        )
    click.echo(f"{path}: {len(events)} events, {exporting.FORMATS[exporting.format_of(path)].name}")
