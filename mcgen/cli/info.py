"""`mcgen info`: what a file holds."""

from __future__ import annotations

from pathlib import Path

import click

from mcgen.cli.display import print_json
from mcgen.cli.options import json_option
from mcgen.errors import InputError

#: told in a way of their own, or by --json only
_LONG = ("card", "sigma", "t_spectrum", "branch_sha256")
_WIDTH = 120


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--card", help="Experiment for events of another generator (LHE).")
@click.option("--verify", is_flag=True, help="Read all events and compare their hash.")
@json_option
def info(file: Path, card: str | None, verify: bool, as_json: bool) -> None:
    """What an event file holds; --json tells all of it.

    \b
    $ mcgen info events.root --json
    """
    from mcgen.pool import load
    from mcgen.source.source import load_card

    events = load(file, card=load_card(card) if card else None)
    if verify and "content_sha256" not in events.metadata:
        message = f"file {file}: --verify: events of another generator have no hash"
        raise InputError(message)
    if verify and events.content_sha256() != events.metadata["content_sha256"]:
        message = f"file {file}: its events are not those that were written (content hash differs)"
        raise InputError(message)
    if as_json:
        print_json(events.metadata)
        return
    for key, value in events.metadata.items():
        if key == "exposure":
            for name, number in value.items():
                if number == {}:  # weights that are cross sections already
                    continue
                click.echo(f"{name:24} {_text(number)}")
        elif key not in _LONG:
            click.echo(f"{key:24} {_text(value)}")
    for row in events.metadata.get("sigma", []):
        what = f"sigma(E_mu) on {row['target']}" if "target" in row else "sigma(E_mu)"
        click.echo(f"{what:24} {row['sigma_pb']:.6g} pb at {row['energy_gev']:.6g} GeV")
    click.echo("card")
    for line in str(events.metadata["card"]).splitlines():  # the table of a file is one long line
        click.echo("    " + (line if len(line) <= _WIDTH else line[:_WIDTH] + " ..."))


def _text(value: object) -> object:
    return ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
