"""`mcgen rerun`: make a file again and compare."""

from __future__ import annotations

from pathlib import Path

import click

from mcgen.cli.options import PATH, Writing, output_option, workers_option


@click.command(cls=Writing)
@click.argument("source", type=PATH)
@output_option("Keep what is made, a file or a folder.")
@workers_option
@click.pass_context
def rerun(context: click.Context, source: Path, output: Path | None, workers: int) -> None:
    """Make an event file or a folder again from what it says of itself, and say whether it is the same.

    The exit status is 0 if every event is the same, 1 if not.

    \b
    $ mcgen rerun events.root
    """
    from mcgen.campaign.rerun import rerun

    difference = rerun(source, output, workers)
    click.echo(f"{source}: {difference or 'the same'}")
    if difference:
        context.exit(1)
