"""`mcgen explore`: a page in the browser."""

from __future__ import annotations

import click

from mcgen.cli.display import print_json
from mcgen.cli.names import CARD
from mcgen.cli.options import Command, json_option
from mcgen.cli.volume import echo


@click.command(cls=Command)
@click.argument("card", type=CARD, required=False)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on.  [default: a free one]")
@click.option("--open/--no-open", "opens", default=True, help="Open the page in a browser.  [default: open]")
@json_option("address")
def explore(card: str | None, port: int, opens: bool, as_json: bool) -> None:
    """A page on this machine where an experiment is moved and its reach follows, until Ctrl-C.

    CARD may also be the address of an earlier page, or a state that was kept from one. Only who has the address sees
    the page.

    \b
    $ mcgen explore fermilab
    """
    from mcgen.base.extras import optional

    optional("tornado", "mcgen explore", "explore")
    from mcgen.explorer.serve import run

    def say(address: str) -> None:
        if as_json:
            print_json({"address": address})
        else:
            echo(address)

    try:
        run(card, port, opens=opens, say=say)
    except KeyboardInterrupt:
        echo("mcgen explore: ended", err=True)
