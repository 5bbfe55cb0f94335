"""`mcgen run`: the whole chain."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import click

from mcgen.cli.display import bar, print_json, print_written, reach_table, table
from mcgen.cli.options import (
    Writing,
    events_option,
    json_option,
    mediator_option,
    model_option,
    seed_option,
    workers_option,
)


@click.command(cls=Writing)
@click.argument("card")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder of the results.  [default: mcgen-NAME]")
@mediator_option
@model_option
@events_option
@seed_option
@workers_option
@json_option
def run(
    card: str,
    output: Path | None,
    mediator: str | None,
    model: str | None,
    events: int | None,
    seed: int | None,
    workers: int,
    as_json: bool,
) -> None:
    """The whole chain: events, reweighting, sigma~(E_mu), N_S, reach and plots.

    CARD is a TOML file, or the name of a card that comes with mcgen: fermilab and na64 are the experiments of
    arXiv:1701.07437, the others are listed where a name is not known.

    \b
    $ mcgen run fermilab -o results
    $ mcgen run na64mu-2022 --mediator vector --model Lmu-Ltau
    """
    from mcgen import chain, exposure
    from mcgen.source.source import load_card

    experiment = load_card(card).with_boson(mediator, model)
    with contextlib.ExitStack() as stack:
        bars: dict[str, Callable[[int], None]] = {}

        def progress(step: str, done: int, total: int) -> None:
            if step not in bars:
                stack.close()
                bars[step] = stack.enter_context(bar(step, total))
            bars[step](done)

        folder = output or Path(f"mcgen-{experiment.name}")
        result = chain.run(experiment, folder, events=events, seed=seed, workers=workers, progress=progress)
    summary = chain.summary(experiment, result)
    if as_json:
        print_json(summary)
        return
    meta = result.events.metadata
    click.echo(
        f"{experiment.name}: m_S = {1e3 * meta['mass_gev']:g} MeV, {meta['n_events']} events, "
        f"{exposure.yield_unit(experiment)}: {meta['yield_per_muon']:.5g} +- {meta['yield_error']:.1g} "
        f"(quadrature {meta['yield_quadrature']:.6g}, pull {meta['pull']:+.1f})"
    )
    is_3d = experiment.detector.geometry == "3d"
    rows = []
    for i, g in enumerate(experiment.scan.g_mu):
        cells = [f"{g:.3g}"]
        for model, signal in result.signal.items():
            n, share = signal.n_signal[i], result.acceptance[model][i]
            cells += [f"{n.value:.4g}", f"{n.error:.1g}", f"{n.n_eff:.0f}", f"{result.exact[model][i]:.4g}"]
            cells += ["-" if share is None else f"{share:.4f}"] if is_3d else []
        rows.append(cells)
    header = ["g_mu"]
    for model in result.signal:
        header += [f"N_S ({model})", "+-", "n_eff", *(["along the beam", "acceptance"] if is_3d else ["quadrature"])]
    table(header, rows, "Signal events")
    reach_table(result.reach, 3.0, set(result.landmarks), f"all are in {folder / 'reach.csv'}")
    print_written(*result.files)
