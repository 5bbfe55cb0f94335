"""`mcgen rerun`: make a file again and compare."""

from __future__ import annotations

from pathlib import Path

import click

from mcgen.cli.display import print_json
from mcgen.cli.options import PATH, Writing, json_option, output_option, workers_option
from mcgen.cli.volume import echo


@click.command(cls=Writing)
@click.argument("source", type=PATH)
@output_option("Keep what is made, a file or a folder.")
@workers_option
@json_option("file, same, difference (null where there is none)")
@click.pass_context
def rerun(context: click.Context, source: Path, output: Path | None, workers: int, as_json: bool) -> None:
    """Make an event file or a folder again from what it says of itself, and say whether it is the same.

    The exit status is 0 if every event is the same, 1 if not.

    \b
    $ mcgen rerun events.root
    """
    from mcgen.campaign.rerun import rerun as make_again

    difference = make_again(source, output, workers)
    if as_json:
        print_json({"file": str(source), "same": not difference, "difference": difference or None})
    else:
        echo(f"{source}: {difference or 'the same'}")
    if difference:
        context.exit(1)
