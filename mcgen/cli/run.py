"""`mcgen run`: the whole chain."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcgen.base.printed import with_error
from mcgen.cli.display import print_json, reach_table, table, tell, written, yield_text
from mcgen.cli.options import (
    BOSON,
    VIEW,
    Writing,
    card_argument,
    json_option,
    output_option,
    sample_options,
    take,
    view_options,
)  # fmt: skip
from mcgen.cli.progress import shown
from mcgen.cli.volume import echo

if TYPE_CHECKING:
    from mcgen.card.card import Card
    from mcgen.report.run import Result


@click.command(cls=Writing)
@card_argument
@output_option("Folder of the results.  [default: mcgen-NAME]")
@sample_options
@view_options("energy", of="reach.png")
@json_option(
    "card, mass_gev, n_events, seed, yield_per_muon, yield_error, yield_quadrature, pull, content_sha256, signal, reach"
)
def run(card: str, output: Path | None, as_json: bool, **given: Any) -> None:
    """The whole chain: events, reweighting, sigma~(E_mu), N_S, reach and plots.

    CARD is a TOML file, or the name of a card that comes with mcgen: fermilab and na64 are the experiments of
    arXiv:1701.07437, the others are listed where a name is not known.

    \b
    $ mcgen run fermilab -o results
    $ mcgen run na64mu-2022 --mediator vector --model Lmu-Ltau
    """
    from mcgen.report import run as chain
    from mcgen.source.source import load_card

    view = take(given, *VIEW)
    experiment = load_card(card).with_boson(**{key: given.pop(key) for key in BOSON})
    with contextlib.ExitStack() as stack:
        bars: dict[str, Callable[[int], None]] = {}

        def progress(step: str, done: int, total: int) -> None:
            if step not in bars:
                stack.close()
                bars[step] = stack.enter_context(shown(step, total))
            bars[step](done)

        result = chain.run(experiment, output, **given, **view, progress=progress)
    if as_json:
        print_json(chain.summary(experiment, result))
    else:
        _show(experiment, result)


def _show(card: Card, result: Result) -> None:
    """The yield, N_S at each coupling, the reach, and which files are new."""
    from mcgen.analysis.threshold import limit_of

    meta = result.events.metadata
    echo(
        f"{card.name}: m_S = {1e3 * meta['mass_gev']:g} MeV, {meta['n_events']} events, "
        f"{yield_text(card, meta)} "
        f"(quadrature {meta['yield_quadrature']:.6g}, pull {meta['pull']:+.1f})"
    )
    is_3d = card.detector.geometry == "3d"
    columns = ["along the beam", "acceptance"] if is_3d else ["quadrature"]
    header = ["g_mu", *(name for model in result.signal for name in (f"N_S ({model})", "n_eff", *columns))]
    rows = []
    for i, g in enumerate(card.scan.g_mu):
        cells = [f"{g:.3g}"]
        for model, signal in result.signal.items():
            n, share, exact = signal.n_signal[i], result.acceptance[model][i], result.exact[model][i]
            cells += [with_error(n.value, n.error), f"{n.n_eff:.0f}", "-" if exact is None else f"{exact:.5g}"]
            cells += ["-" if share is None else f"{share:.4f}"] if is_3d else []
        rows.append(cells)
    table(header, rows, "Signal events", f"all are in {result.folder / 'signal.csv'}")
    reach_table(result.reach, limit_of(card).title, set(result.landmarks), f"all are in {result.folder / 'reach.csv'}")
    tell(written(*result.files))
