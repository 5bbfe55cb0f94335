"""`mcgen info`: what a file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mcgen.base.printed import one_line, with_error
from mcgen.cli.display import print_json
from mcgen.cli.options import Command, files_argument, flag, foreign_option, json_option
from mcgen.cli.volume import echo

#: shown in a form of their own, or by --json only
_LONG = ("card", "sigma", "t_spectrum", "branch_sha256", "weights")
_WIDTH = 120
#: numbers with errors, and where these are
_ERRORS = {"yield_per_muon": "yield_error", "yield_pb": "yield_error", "cross_section_pb": "cross_section_error_pb"}


@click.command(cls=Command)
@files_argument
@foreign_option
@flag("--verify", "Read all events and compare their hash.")
@json_option("the metadata of the file, such as n_events, seed, mass_gev, yield_per_muon, content_sha256, card")
def info(file: tuple[Path, ...], card: str | None, verify: bool, as_json: bool) -> None:
    """What an event file holds; --json tells all of it, `mcgen cite FILE` what to cite for it.

    \b
    $ mcgen info events.root --json
    """
    from mcgen.events.info import info as read

    metadata = read(*file, card=card, verify=verify)
    if as_json:
        print_json(metadata)
    else:
        _show(metadata)


def _show(metadata: dict[str, Any]) -> None:
    _show_values({key: value for key, value in metadata.items() if key not in _LONG})
    for row in metadata.get("sigma", []):
        what = f"sigma(E_mu) on {one_line(row['target'])}" if "target" in row else "sigma(E_mu)"
        echo(f"{what:24} {row['sigma_pb']:.6g} pb at {row['energy_gev']:.6g} GeV")
    for row in metadata.get("weights", []):
        echo(f"weight {one_line(row['name']):17} {one_line(row.get('text', ''))}".rstrip())
    echo("card")
    for line in str(metadata["card"]).splitlines():  # the table of a file is one long line
        echo("    " + (line if len(line) <= _WIDTH else line[:_WIDTH] + " ..."))


def _show_values(values: dict[str, Any]) -> None:
    for key, value in values.items():
        if key == "exposure":
            _show_values({k: v for k, v in value.items() if v != {}})  # no nuclei where weights are cross sections
        elif key == "yield_per_muon" and "yield_pb" in values:
            continue
        elif _ERRORS.get(key) in values:
            echo(f"{key:24} {with_error(value, values[_ERRORS[key]])}")
        elif key not in _ERRORS.values():
            echo(f"{key:24} {_text(value)}")


def _text(value: object) -> str:
    return one_line(", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value))
