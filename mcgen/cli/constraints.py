"""`mcgen constraints`: what is known already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from mcgen.cli.display import print_json
from mcgen.cli.names import BOSON, MODEL
from mcgen.cli.options import ENERGIES, Command, json_option, workers_option
from mcgen.cli.volume import echo

if TYPE_CHECKING:
    from mcgen.analysis.constraints.listing import Excluded, KnownLimit


@click.command(cls=Command)
@click.option("--boson", type=BOSON, help="scalar, pseudoscalar, vector or axial, or a card for its boson and decays.")
@click.option("--model", type=MODEL, help="Models, a list.  [default: all of the boson]")
@click.option("--mass", type=ENERGIES, help="Masses of S: also what is excluded there.")
@workers_option
@json_option(
    "a list of name, experiment, references, level, mediators, models, coupling, shape, quality, assumes, loops, "
    "superseded_by, note, applies, why, excluded"
)
def constraints(boson: str | None, model: str | None, mass: list[float] | None, workers: int, *, as_json: bool) -> None:
    """Known limits: experiment, reference, confidence level, boson, quality, and whether they hold for a boson.

    \b
    $ mcgen constraints --boson vector --model Lmu-Ltau
    $ mcgen constraints --boson scalar --model B --mass 300MeV
    """
    from mcgen.analysis.constraints import listing

    rows = listing.constraints(boson, model, mass, workers=workers)
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    for row in rows:
        if row.applies != ():
            echo(_block(row))
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row.why:
            reasons.setdefault(row.why, []).append(row.name)
    for why, named in reasons.items():
        echo(f"not drawn: {why}: {', '.join(named)}")


def _block(row: KnownLimit) -> str:
    """What is known of a limit, in a few lines."""
    kinds = f"{' or '.join(row.mediators)} of model {' or '.join(row.models)}"
    lines = [
        f"{row.name}: {row.experiment}; {row.level}; {', '.join(row.references)}",
        f"{kinds}, a {row.shape} in {row.coupling}, {row.quality}",
        f"assumes {row.assumes}",
        *([row.note] if row.note else []),
        *([f"superseded by {row.superseded_by}"] if row.superseded_by else []),
        *([f"holds in {', '.join(row.applies)}"] if row.applies else []),
        *_ranges(row.excluded),
    ]
    return "\n    ".join(lines)


def _ranges(excluded: Sequence[Excluded]) -> list[str]:
    """Ranges of couplings at each mass, in words."""
    found: dict[str, list[str]] = {}
    for one in excluded:
        ends = f"above {one.g_low:.3g}" if one.g_high is None else f"{one.g_low:.3g} to {one.g_high:.3g}"
        where = f"model {one.model}, {1e3 * one.mass_gev:g} MeV: {one.kind} g_mu"
        found.setdefault(where, []).append(ends)
    return [f"{where} {', '.join(ends)}" for where, ends in found.items()]
