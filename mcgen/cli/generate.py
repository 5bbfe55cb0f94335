"""`mcgen generate`: event files."""

from __future__ import annotations

from pathlib import Path

import click

from mcgen.cli.display import bar
from mcgen.cli.options import ENERGY, events_option, seed_option, workers_option
from mcgen.errors import InputError


@click.command()
@click.argument("card")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Event file to write, ending in .root."
)
@click.option("--mass", type=ENERGY, help="Mass of S.  [default: the card's]")
@events_option
@seed_option
@workers_option
@click.option("--decays", is_flag=True, help="Add the daughters of S at the card's reference coupling.")
@click.option(
    "--force-decay", is_flag=True, help="The same, every decay inside the fiducial range, with its probability."
)
@click.option("--rntuple", is_flag=True, help="Write an RNTuple instead of a TTree.")
@click.option("--weighted", is_flag=True, help="Keep every trial with its weight.")
@click.option(
    "--chunk", type=click.IntRange(1, 10**7), default=100_000, show_default=True, help="Events written at a time."
)
def generate(
    card: str,
    output: Path,
    mass: float | None,
    events: int | None,
    seed: int | None,
    workers: int,
    decays: bool,
    force_decay: bool,
    rntuple: bool,
    weighted: bool,
    chunk: int,
) -> None:
    """Write an event file.

    \b
    $ mcgen generate na64 -o events.root --mass 10MeV --events 1000000
    """
    from mcgen import generation
    from mcgen.card import load_card

    experiment = load_card(card)
    if output.suffix != ".root":
        message = f"output {output}: the name must end in .root"
        raise InputError(message)
    n = events or experiment.run.events
    with bar("events", n) as progress:
        made = generation.generate(
            experiment,
            mass,
            n,
            seed,
            output=output,
            weighted=weighted,
            decays=decays,
            force_decay=force_decay,
            rntuple=rntuple,
            workers=workers,
            chunk=chunk,
            progress=progress,
        )
    meta = made.metadata
    click.echo(
        f"{output}: {n} events, S per muon at g_mu = 1: {meta['yield_per_muon']:.6g} +- {meta['yield_error']:.2g}, "
        f"pull against quadrature {meta['pull']:+.2f}, worst in t {meta['pull_t_worst']:.1f}; "
        f"efficiency {meta['efficiency']:.3f}, overweight {meta['overweight_fraction']:.1e}"
    )
