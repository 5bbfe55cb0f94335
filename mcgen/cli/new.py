"""`mcgen new`: a card to start from."""

from __future__ import annotations

import click

from mcgen.cli.display import print_written
from mcgen.cli.options import Writing


@click.command(cls=Writing)
@click.argument("name")
def new(name: str) -> None:
    """Write NAME.toml, a card with comments to start from.

    \b
    $ mcgen new mine && mcgen run mine.toml
    """
    from mcgen.card.new import new as write

    print_written(write(name))
