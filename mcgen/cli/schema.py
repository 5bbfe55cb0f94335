"""`mcgen schema`: JSON schema of the card."""

from __future__ import annotations

import json

import click


@click.command()
def schema() -> None:
    """JSON schema of the card."""
    from mcgen.card.card import Card

    click.echo(json.dumps(Card.model_json_schema(), indent=2))
