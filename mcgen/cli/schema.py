"""`mcgen schema`: every key of a card."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--markdown", is_flag=True, help="A page with a table for each section.")
def schema(*, markdown: bool) -> None:
    """Every key of a card, with its unit, meaning, default and an example: as JSON schema, or as a page.

    \b
    $ mcgen schema --markdown > keys.md
    """
    from mcgen.card import keys

    found = keys.schema(markdown=markdown)
    click.echo(found if markdown else json.dumps(found, indent=2), nl=not markdown)
