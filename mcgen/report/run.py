"""The whole chain of `mcgen run`: events, couplings, sigma~(E_mu), N_S, reach, plots, in one folder."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Unpack

from mcgen.analysis import reach as contours
from mcgen.analysis.reach import ReachPoint, landmarks, reach
from mcgen.analysis.reach_rows import document
from mcgen.analysis.reweight import LowStatisticsWarning, Reweighted, ratio_to_full_acceptance, reweight
from mcgen.analysis.threshold import figure_title, limit_of
from mcgen.base.asked import whole
from mcgen.base.errors import refuse_if
from mcgen.base.files import at_stake, make_folder, overwriting, refuse, write_csv, write_json
from mcgen.base.steps import step
from mcgen.base.units import Range
from mcgen.card.card import Card
from mcgen.card.provenance import provenance
from mcgen.events.formats.root import EventFile
from mcgen.generation.generate import generate
from mcgen.quadrature.yields import n_signal
from mcgen.report import plot
from mcgen.report.contours import plot_reach
from mcgen.report.figure import Shown, style_of
from mcgen.report.plane import model_words
from mcgen.report.reach_figure import remarks_on
from mcgen.search.search import Search
from mcgen.source.boson import Boson, check_widths
from mcgen.source.source import CardLike, load_card

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """What a run leaves: its files and the numbers in them."""

    folder: Path
    events: EventFile
    signal: dict[str, Reweighted]  #: per model
    at_reference: dict[str, Reweighted]  #: per model, at the card's reference coupling alone
    exact: dict[str, list[float | None]]  #: N_S by quadrature per model, the same couplings, every S along the beam
    acceptance: dict[str, list[float | None]]  #: the one over the other, where the detector has a shape
    reach: list[ReachPoint]
    landmarks: list[float]  #: masses in GeV that the table shows of a traced line
    files: list[Path]

    def __repr__(self) -> str:
        return f"<Result in {self.folder}: {self.events!r}, reach of {', '.join(self.signal)}>"

    def _repr_html_(self) -> str:
        tables = "".join(found._repr_html_() for found in self.signal.values())
        return f"<p>{escape(str(self.folder))}</p>{self.events._repr_html_()}{tables}"


def run(
    card: CardLike,
    output: str | Path | None = None,
    *,
    events: float | None = None,
    seed: int | None = None,
    workers: int = 1,
    overwrite: bool = False,
    progress: Progress | None = None,
    **view: Unpack[Shown],
) -> Result:
    """Generate events for a card and everything that follows from them.

    Parameters
    ----------
    card : Card, str or Path
        Or its name or file.
    output : path, optional
        Folder, mcgen-NAME by default; made if missing. What an earlier run of the same left is kept, and what is
        missing is added.
    events, seed : int, optional
        Override the card; events may be written as 1e6.
    workers : int
        Threads.
    overwrite : bool
        Replace files of other content.
    progress : callable, optional
        Called with (step, done, total).
    **view
        `title` and `style` of the figures; `xlim` and `ylim`, masses and couplings, of the contours.

    Returns
    -------
    Result
        The numbers, and the files that hold them.

    Raises
    ------
    InputError
        If a model of the scan gives no signal, or a file of other content would be overwritten.
    """
    card = load_card(card)
    number = None if events is None else whole(events, "events")
    with overwriting(overwrite):
        return _run(card, make_folder(output or f"mcgen-{card.name}"), number, seed, workers, progress, view)


#: what is written besides the events
_TABLES = ("signal.csv", "sigma_tilde.csv", "reach.csv", "summary.json")
_FIGURES = ("signal.png", "sigma_tilde.png", "reach.png")


def _run(
    card: Card, folder: Path, events: int | None, seed: int | None, workers: int, progress: Progress | None, view: Shown
) -> Result:
    for name in (*_TABLES, *_FIGURES):
        if at_stake(folder / name) and not (folder / "events.root").exists():
            refuse(folder / name, "is there without the events that it was made from")

    def report(what: str, total: int) -> Callable[[int], None] | None:
        return None if progress is None else lambda done: progress(what, done, total)

    m_S = card.scalar.mass
    _check_models(card, m_S)
    total = card.run.events if events is None else events
    with step("events"):
        event_file = generate(
            card, m_S, events, seed, output=folder / "events.root", workers=workers, progress=report("events", total)
        )
    assert isinstance(event_file, EventFile)
    with step("reweighting"):
        signal, at_reference = _reweighted(card, event_file)
    masses = Range.over(card.scan.mass)
    steps = 0 if isinstance(masses, Range) else len(masses)
    with step("N_S by quadrature"):
        exact = {m: _by_quadrature(card, m, m_S) for m in signal}
        acceptance = {
            m: ratio_to_full_acceptance(card, m, m_S, card.scan.g_mu, found.n_signal) for m, found in signal.items()
        }
    with step("reach"):
        points = reach(card, card.scan.models, masses, workers=workers, progress=report("reach", steps))
    result = Result(
        folder=folder,
        events=event_file,
        signal=signal,
        at_reference=at_reference,
        exact=exact,
        acceptance=acceptance,
        reach=points,
        landmarks=landmarks(masses) if isinstance(masses, Range) else masses,
        files=[event_file.path, *(folder / name for name in _TABLES)],
    )
    _write_tables(card, result)
    if importlib.util.find_spec("mplhep"):
        with step("figures"):
            _draw(card, result, view)
        result.files.extend(folder / name for name in _FIGURES)
    return result


def _by_quadrature(card: Card, model: str, m_S: float) -> list[float | None]:
    """N_S at the couplings of the scan, every S along the beam; None where the search needs events."""
    if Search.of(card).needs_events:
        return [None] * len(card.scan.g_mu)
    return [n.value for n in n_signal(card, model, m_S, card.scan.g_mu)]


def _reweighted(card: Card, events: EventFile) -> tuple[dict[str, Reweighted], dict[str, Reweighted]]:
    """Signal of each model at the couplings of the scan, and at the reference coupling."""

    def at(g_mu: Sequence[float]) -> dict[str, Reweighted]:
        return {model: reweight(events, model, g_mu) for model in card.scan.models}

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LowStatisticsWarning)  # the table shows n_eff
        return at(card.scan.g_mu), at([card.scalar.g_mu])


def _write_tables(card: Card, result: Result) -> None:
    rows = [
        [*(row[key] for key in ("model", "g_mu", "value", "error", "n_eff", "quadrature")), row.get("acceptance", "")]
        for row in _signal_rows(result)
    ]
    columns = ["model", "g_mu", "n_signal", "error", "n_eff", "n_signal_quadrature", "acceptance"]
    write_csv(result.folder / "signal.csv", columns, rows)
    sigmas = [
        [model, found.g_mu[0], E, *sigma]
        for model, found in result.at_reference.items()
        for E, sigma in zip(found.E_mu, found.sigma_tilde[0], strict=True)
    ]
    columns = ["model", "g_mu", "energy_gev", "sigma_tilde_cm2", "error_cm2", "n_eff"]
    write_csv(result.folder / "sigma_tilde.csv", columns, sigmas)
    contours.write_csv(result.reach, result.folder / "reach.csv")
    write_json(result.folder / "summary.json", summary(card, result) | {"provenance": provenance(card)})


def _draw(card: Card, result: Result, view: Shown) -> None:
    style = style_of(view)
    title = view.get("title") or f"{card.name}, $m_S$ = {1e3 * card.scalar.mass:g} MeV"
    signal = {model: found.n_signal for model, found in result.signal.items()}
    plot.plot_signal(card.scan.g_mu, signal, result.folder / "signal.png", title, limit_of(card).events, style=style)
    reference = result.at_reference
    lines = {f"{model_words(k)}, $g_\\mu$ = {card.scalar.g_mu:g}": v.sigma_tilde[0] for k, v in reference.items()}
    energies = next(iter(reference.values())).E_mu
    plot.plot_sigma_tilde(energies, lines, result.folder / "sigma_tilde.png", title, style=style)
    criterion = figure_title([limit_of(card)])
    plot_reach(
        result.reach,
        result.folder / "reach.png",
        view.get("title") or f"{card.name}, {criterion}",
        criterion=criterion,
        remarks=remarks_on([card]),
        boson=card.scalar.mediator,
        style=style,
        xlim=view.get("xlim"),
        ylim=view.get("ylim"),
    )


def _check_models(card: Card, m_S: float) -> None:
    """Raise InputError for a model that can give no signal at all, or whose width is not known at a mass."""
    check_widths(card, card.scan.models, [m_S, *card.scan.mass])
    for model in card.scan.models:
        boson = Boson(card, model, m_S)
        refuse_if(boson.production_coupling() == 0.0, f"scan.models: {model} does not couple to {card.lepton}")
        what = f"{model} of {m_S:g} GeV cannot decay into what is seen"
        refuse_if(not Search.of(card).can_see(boson), f"scan.models: {what}, and {card.name} looks for decays")


def _signal_rows(result: Result) -> list[dict[str, Any]]:
    """N_S per model and coupling; `acceptance` only where the detector has a shape."""
    rows = []
    for model, found in result.signal.items():
        columns = (found.g_mu, found.n_signal, result.exact[model], result.acceptance[model])
        for g, n, full, seen in zip(*columns, strict=True):
            row = {"model": model, "g_mu": g, **n._asdict(), "quadrature": full}
            rows.append(row if seen is None else row | {"acceptance": seen})
    return rows


def summary(card: Card, result: Result) -> dict[str, Any]:
    """The numbers of a run as one JSON document."""
    meta = result.events.metadata
    totals = ("yield_per_muon", "yield_error", "yield_quadrature", "pull")
    return {
        "card": card.name,
        **{key: meta[key] for key in ("mass_gev", "n_events", "seed", *totals, "content_sha256")},
        "signal": _signal_rows(result),
        "reach": [document(p) for p in result.reach],
    }
