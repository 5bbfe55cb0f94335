"""`mcgen schema`: every key of a card."""

from __future__ import annotations

import json

import click

from mcgen.base.errors import refuse_if
from mcgen.cli.options import Command, flag


@click.command(cls=Command)
@flag("--markdown", "A page with a table for each section.")
@flag("--json as_json", "A JSON schema, which is the default.")
def schema(*, markdown: bool, as_json: bool) -> None:
    """Every key of a card, with its unit, meaning, default and an example: as JSON schema, or as a page.

    \b
    $ mcgen schema --markdown > keys.md
    """
    from mcgen.card import keys

    refuse_if(markdown and as_json, "--markdown, --json: give one or the other")
    found = keys.schema(markdown=markdown)
    click.echo(found if markdown else json.dumps(found, indent=2), nl=not markdown)
