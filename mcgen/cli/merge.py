"""`mcgen merge`: several event files as one."""

from __future__ import annotations

from pathlib import Path

import click

from mcgen.cli.display import yield_text
from mcgen.cli.options import PATH, Writing, output_option


@click.command(cls=Writing)
@click.argument("sources", nargs=-1, required=True, type=PATH)
@output_option("Event file to write.", required=True)
def merge(sources: tuple[Path, ...], output: Path) -> None:
    """Write files and folders of one card as one event file.

    Weights are scaled so that their sum is the yield again.

    \b
    $ mcgen merge folder -o events.root
    $ mcgen merge seed1.root seed2.root -o events.root
    """
    from mcgen.events import pool

    merged = pool.merge(sources, output)
    click.echo(f"{output}: {merged.metadata['n_events']} events, {yield_text(merged.card, merged.metadata)}")
