"""`mcgen new`: a card to start from."""

from __future__ import annotations

import click

from mcgen.cli.display import report, written
from mcgen.cli.options import Writing, json_option


@click.command(cls=Writing)
@click.argument("name")
@json_option("file")
def new(name: str, as_json: bool) -> None:
    """Write NAME.toml, a card with comments to start from.

    \b
    $ mcgen new mine && mcgen run mine.toml
    """
    from mcgen.card.new import new as write

    path = write(name)
    report(as_json, {"file": str(path)}, written(path))
