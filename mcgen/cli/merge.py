"""`mcgen merge`: several event files as one."""

from __future__ import annotations

from pathlib import Path

import click

from mcgen.cli.options import Writing


@click.command(cls=Writing)
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Event file to write.")
def merge(sources: tuple[Path, ...], output: Path) -> None:
    """Write files and folders of one card as one event file.

    Weights are scaled so that their sum is the yield again.

    \b
    $ mcgen merge folder -o events.root
    $ mcgen merge seed1.root seed2.root -o events.root
    """
    from mcgen import exposure, pool

    merged = pool.merge(sources, output)
    made = merged.metadata
    click.echo(
        f"{output}: {made['n_events']} events, {exposure.yield_unit(merged.card)}: "
        f"{made['yield_per_muon']:.6g} +- {made['yield_error']:.2g}"
    )
