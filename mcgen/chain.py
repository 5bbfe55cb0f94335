"""The whole chain of `mcgen run`: events, couplings, sigma~(E_mu), N_S, reach, plots, in one folder."""

from __future__ import annotations

import csv
import importlib.util
import json
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcgen import plot
from mcgen.card import Card
from mcgen.contours import ReachPoint, landmarks, reach, write_csv
from mcgen.errors import InputError
from mcgen.files import at_stake, make_folder, open_atomic, overwriting, refuse, same_json
from mcgen.formats.root import EventFile
from mcgen.generation import generate
from mcgen.provenance import provenance
from mcgen.quadrature.yields import n_signal
from mcgen.reweighting import LowStatisticsWarning, Reweighted, ratio_to_full_acceptance, reweight
from mcgen.search.search import Search
from mcgen.source.boson import Boson, check_widths
from mcgen.units import Range

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Result:
    """What a run leaves: its files and the numbers in them."""

    folder: Path
    events: EventFile
    signal: dict[str, Reweighted]  #: per model
    exact: dict[str, list[float]]  #: N_S by quadrature per model, the same couplings, every S along the beam
    acceptance: dict[str, list[float | None]]  #: the one over the other, where the detector has a shape
    reach: list[ReachPoint]
    landmarks: list[float]  #: masses in GeV that the table shows of a traced line
    files: list[Path]


def run(
    card: Card,
    folder: str | Path,
    *,
    events: int | None = None,
    seed: int | None = None,
    workers: int = 1,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Generate events for a card and everything that follows from them.

    Parameters
    ----------
    card : Card
    folder : path
        Made if missing. What an earlier run of the same left is kept, and what is missing is added.
    events, seed : int, optional
        Override the card.
    workers : int
        Threads.
    overwrite : bool
        Replace files of other content.
    progress : callable, optional
        Called with (step, done, total).
    """
    with overwriting(overwrite):
        return _run(card, make_folder(folder), events, seed, workers, progress)


#: what is written besides the events
_TABLES = ("signal.csv", "sigma_tilde.csv", "reach.csv", "summary.json")
_FIGURES = ("signal.png", "sigma_tilde.png", "reach.png")


def _run(
    card: Card, folder: Path, events: int | None, seed: int | None, workers: int, progress: Progress | None
) -> Result:
    for name in (*_TABLES, *_FIGURES):
        if at_stake(folder / name) and not (folder / "events.root").exists():
            refuse(folder / name, "is there without the events that it was made from")

    def report(step: str, total: int) -> Callable[[int], None] | None:
        return None if progress is None else lambda done: progress(step, done, total)

    m_S, couplings = card.scalar.mass, card.scan.g_mu
    _check_models(card, m_S)
    total = card.run.events if events is None else events
    event_file = generate(
        card, m_S, events, seed, output=folder / "events.root", workers=workers, progress=report("events", total)
    )
    assert isinstance(event_file, EventFile)
    signal: dict[str, Reweighted] = {}
    exact: dict[str, list[float]] = {}
    seen: dict[str, list[float | None]] = {}
    reference: dict[str, Reweighted] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LowStatisticsWarning)  # the table shows n_eff
        for model in card.scan.models:
            signal[model] = reweight(event_file, model, couplings)
            exact[model] = [n.value for n in n_signal(card, model, m_S, couplings)]
            seen[model] = ratio_to_full_acceptance(card, model, m_S, couplings, signal[model].n_signal)
            reference[model] = reweight(event_file, model, [card.scalar.g_mu])
    masses = Range.over(card.scan.mass)
    steps = 0 if isinstance(masses, Range) else len(masses)
    contours = reach(card, card.scan.models, masses, workers=workers, progress=report("reach", steps))

    files = [event_file.path, *(folder / name for name in _TABLES)]
    marks = landmarks(masses) if isinstance(masses, Range) else masses
    result = Result(folder, event_file, signal, exact, seen, contours, marks, files)
    _write_signal(result, files[1])
    _write_sigma_tilde(reference, files[2])
    write_csv(contours, files[3])
    with open_atomic(files[4], same_json) as stream:
        json.dump(summary(card, result) | {"provenance": provenance(card)}, stream, indent=1, allow_nan=False)
    if importlib.util.find_spec("matplotlib"):
        title = f"{card.name}, $m_S$ = {1e3 * m_S:g} MeV"
        plot.plot_signal(couplings, {k: v.n_signal for k, v in signal.items()}, folder / "signal.png", title)
        lines = {f"model {k}, $g_\\mu$ = {card.scalar.g_mu:g}": v.sigma_tilde[0] for k, v in reference.items()}
        plot.plot_sigma_tilde(next(iter(reference.values())).E_mu, lines, folder / "sigma_tilde.png", title)
        plot.plot_reach(contours, folder / "reach.png", f"{card.name}, $N_S$ > 3")
        files += [folder / name for name in _FIGURES]
    return result


def _check_models(card: Card, m_S: float) -> None:
    """Raise InputError for a model that can give no signal at all, or whose width is not known at a mass."""
    check_widths(card, card.scan.models, [m_S, *card.scan.mass])
    for model in card.scan.models:
        boson = Boson(card, model, m_S)
        if boson.production_coupling() == 0.0:
            message = f"scan.models: {model} does not couple to {card.beam.particle}"
            raise InputError(message)
        if not Search.of(card).can_see(boson):
            message = (
                f"scan.models: {model} of {m_S:g} GeV cannot decay into what is seen, and {card.name} looks for decays"
            )
            raise InputError(message)


def _signal_rows(result: Result) -> list[dict[str, Any]]:
    """N_S per model and coupling; `acceptance` only where the detector has a shape."""
    rows = []
    for model, found in result.signal.items():
        columns = (found.g_mu, found.n_signal, result.exact[model], result.acceptance[model])
        for g, n, whole, seen in zip(*columns, strict=True):
            row = {"model": model, "g_mu": g, **n._asdict(), "quadrature": whole}
            rows.append(row if seen is None else row | {"acceptance": seen})
    return rows


def summary(card: Card, result: Result) -> dict[str, Any]:
    """The numbers of a run as one JSON document."""
    keys = (
        "mass_gev",
        "n_events",
        "seed",
        "yield_per_muon",
        "yield_error",
        "yield_quadrature",
        "pull",
        "content_sha256",
    )
    return {
        "card": card.name,
        **{key: result.events.metadata[key] for key in keys},
        "signal": _signal_rows(result),
        "reach": [
            {
                "model": p.model,
                "mass_gev": p.mass_gev,
                "g_low": p.g_low,
                "g_high": None if p.g_high == math.inf else p.g_high,
            }
            for p in result.reach
        ],
    }


def _write_signal(result: Result, path: Path) -> None:
    with open_atomic(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["model", "g_mu", "n_signal", "error", "n_eff", "n_signal_quadrature", "acceptance"])
        for row in _signal_rows(result):
            cells = [row[key] for key in ("model", "g_mu", "value", "error", "n_eff", "quadrature")]
            writer.writerow([*cells, row.get("acceptance", "")])


def _write_sigma_tilde(reference: dict[str, Reweighted], path: Path) -> None:
    with open_atomic(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["model", "g_mu", "energy_gev", "sigma_tilde_cm2", "error_cm2", "n_eff"])
        for model, row in reference.items():
            for E, s in zip(row.E_mu, row.sigma_tilde[0], strict=True):
                writer.writerow([model, row.g_mu[0], E, *s])
