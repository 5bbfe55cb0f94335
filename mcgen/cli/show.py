"""`mcgen show`: the set-up of a card as a figure."""

from __future__ import annotations

from pathlib import Path

import click

from mcgen.cli.display import print_written
from mcgen.cli.options import Writing, mass_option, output_option, seed_option


@click.command(cls=Writing)
@click.argument("card")
@output_option("Figure to write.  [default: NAME.png]")
@mass_option
@click.option("--tracks", type=click.IntRange(1, 1000), default=40, show_default=True, help="S to draw.")
@seed_option
def show(card: str, output: Path | None, mass: float | None, tracks: int, seed: int | None) -> None:
    """Draw the set-up of a card: beam, target, detector, fiducial range, and some S with their decays.

    \b
    $ mcgen show fermilab -o fermilab.png
    """
    from mcgen.report.show import show as draw

    print_written(Path(draw(card, output, mass, tracks, seed)))
