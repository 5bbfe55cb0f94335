"""`mcgen info`: what a file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mcgen.base.errors import refuse_if
from mcgen.cli.display import print_json
from mcgen.cli.options import PATH, flag, foreign_option, json_option

#: shown in a form of their own, or by --json only
_LONG = ("card", "sigma", "t_spectrum", "branch_sha256", "weights")
_WIDTH = 120


@click.command()
@click.argument("file", type=PATH)
@foreign_option
@flag("--verify", "Read all events and compare their hash.")
@json_option
def info(file: Path, card: str | None, verify: bool, as_json: bool) -> None:
    """What an event file holds; --json tells all of it.

    \b
    $ mcgen info events.root --json
    """
    from mcgen.events.pool import load
    from mcgen.source.source import load_card

    events = load(file, card=load_card(card) if card else None)
    written = events.metadata.get("content_sha256")
    if verify:
        refuse_if(written is None, f"file {file}: --verify: events of another generator have no hash")
        is_other = events.content_sha256() != written
        refuse_if(is_other, f"file {file}: its events are not those that were written (content hash differs)")
    if as_json:
        print_json(events.metadata)
    else:
        _show(events.metadata)


def _show(metadata: dict[str, Any]) -> None:
    for key, value in metadata.items():
        if key == "exposure":
            for name, number in value.items():
                if number != {}:  # as nuclei_per_cm2 is where weights are cross sections already
                    click.echo(f"{name:24} {_text(number)}")
        elif key not in _LONG:
            click.echo(f"{key:24} {_text(value)}")
    for row in metadata.get("sigma", []):
        what = f"sigma(E_mu) on {row['target']}" if "target" in row else "sigma(E_mu)"
        click.echo(f"{what:24} {row['sigma_pb']:.6g} pb at {row['energy_gev']:.6g} GeV")
    for row in metadata.get("weights", []):
        click.echo(f"weight {row['name']:17} {row.get('text', '')}".rstrip())
    click.echo("card")
    for line in str(metadata["card"]).splitlines():  # the table of a file is one long line
        click.echo("    " + (line if len(line) <= _WIDTH else line[:_WIDTH] + " ..."))


def _text(value: object) -> object:
    return ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
