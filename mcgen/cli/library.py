"""`mcgen library`: events at chosen energies for G4DarkBreM."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mcgen.cli import options
from mcgen.cli.display import report
from mcgen.cli.progress import bar


@click.command(cls=options.Writing)
@options.card_argument
@options.output_option("File to write: .csv or .lhe, or with .gz.", required=True)
@click.option("--energies", type=options.ENERGIES, help="Of the lepton.  [default: steps of 10 % along the target]")
@click.option(
    "--events", type=click.IntRange(1, 10**9), default=20_000, show_default=True, help="Per element and energy."
)
@options.several(options.mass_option, options.seed_option, options.unit_option, options.boson_option)
@options.json_option("file, n_events, targets, energies_gev, mass_gev")
def library(
    card: str, output: Path, energies: list[float] | None, events: int, mass: float | None, as_json: bool, **how: Any
) -> None:
    """Write a library of events for G4DarkBreM: every element of the card's target at the energies given.

    The simulation slows the beam down and takes events of the next energy above. In .lhe the emitted particle has the
    number of --boson-pdg: aprime_lhe_id = 622 in LDMX.

    \b
    $ mcgen library fermilab -o library.csv.gz --energies 1,2,3 --events 20000
    """
    from mcgen.generation import library as libraries
    from mcgen.source.source import Source, load_card

    experiment = load_card(card)
    m_S = mass or experiment.scalar.mass
    points = energies or libraries.default_energies(experiment, m_S)
    targets = [target.name for target in Source(experiment).targets]
    total = events * len(points) * len(targets)
    with bar("events", total) as progress:
        libraries.library(experiment, output, points, events, mass, **how, progress=progress)
    document = {"file": str(output), "n_events": total, "targets": targets, "energies_gev": points, "mass_gev": m_S}
    report(as_json, document, f"{output}: {total} events on {', '.join(targets)} at {len(points)} energies")
