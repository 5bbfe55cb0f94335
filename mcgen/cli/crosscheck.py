"""`mcgen crosscheck`: the approximations judged."""

from __future__ import annotations

import math
from pathlib import Path

import click

from mcgen.cli.options import ENERGIES, json_option, seed_option
from mcgen.cli.show import bar, make_folder, print_json, table


@click.command()
@click.argument("card")
@click.option("--mass", required=True, type=ENERGIES, help="Masses of S.")
@click.option("--energy", type=ENERGIES, help="Muon energies.  [default: along the target]")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder for a table and a figure.")
@seed_option
@json_option
def crosscheck(
    card: str, mass: list[float], energy: list[float] | None, output: Path | None, seed: int | None, as_json: bool
) -> None:
    r"""IWW, WW and Monte Carlo beside the exact cross section.

    \b
    $ mcgen crosscheck na64 --mass 10MeV,100MeV
    """
    from dataclasses import asdict

    from mcgen import comparison
    from mcgen.card import load_card

    experiment = load_card(card)
    with bar("cross sections", len(mass) * (len(energy) if energy else 5)) as progress:
        rows = comparison.crosscheck(experiment, mass, energy, seed=seed, progress=progress)
    if output:
        from mcgen import plot

        make_folder(output)
        comparison.write_csv(rows, output / "crosscheck.csv")
        plot.plot_comparison(rows, output / "crosscheck.png", f"{experiment.name}: ratio to the exact cross section")
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    cells = []
    for r in rows:
        exact = r.sigma_exact_pb or math.inf
        ratios = [f"{r.sigma_ww_pb / exact:.4f}", f"{r.sigma_iww_pb / exact:.4f}"]
        ratios += [f"{r.sigma_mc_pb / exact:.5f}", f"{r.error_mc_pb / exact:.5f}", f"{r.pull:+.1f}"]
        cells.append([f"{r.energy_gev:g}", f"{1e3 * r.mass_gev:g}", f"{r.sigma_exact_pb:.6g}", *ratios])
    header = ["E [GeV]", "m_S [MeV]", "exact [pb]", "WW/exact", "IWW/exact", "MC/exact", "+-", "pull"]
    table(header, cells)
