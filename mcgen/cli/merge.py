"""`mcgen merge`: several event files as one."""

from __future__ import annotations

from pathlib import Path

import click

from mcgen.cli.display import SAMPLE, report, sample_document, yield_text
from mcgen.cli.options import PATH, Writing, json_option, output_option


@click.command(cls=Writing)
@click.argument("sources", nargs=-1, required=True, type=PATH)
@output_option("Event file to write.", required=True)
@json_option(", ".join(("file", *SAMPLE)))
def merge(sources: tuple[Path, ...], output: Path, as_json: bool) -> None:
    """Write files and folders of one card as one event file.

    Weights are scaled so that their sum is the yield again.

    \b
    $ mcgen merge folder -o events.root
    $ mcgen merge seed1.root seed2.root -o events.root
    """
    from mcgen.events import pool

    merged = pool.merge(sources, output)
    text = f"{output}: {merged.metadata['n_events']} events, {yield_text(merged.card, merged.metadata)}"
    report(as_json, sample_document(output, merged.metadata), text)
