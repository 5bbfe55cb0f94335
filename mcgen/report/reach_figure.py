"""Contours of several experiments, and their figure over what is known: what `mcgen reach` and the report do."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Unpack

from mcgen.analysis import constraints
from mcgen.analysis.constraints.known import FILES
from mcgen.analysis.constraints.records import OwnLimit
from mcgen.analysis.reach import AboveThresholdWarning, ReachPoint, Scan, Tower, landmarks, reach
from mcgen.analysis.threshold import limit_of
from mcgen.base.errors import ThresholdError, refuse_if
from mcgen.base.files import note
from mcgen.base.units import Range, quantity_text
from mcgen.card.card import Card
from mcgen.report.contours import limits_at, plot_reach
from mcgen.report.figure import View, check_words
from mcgen.report.plane import AXES

#: progress of one experiment: its name and the number of masses, 0 if a line is traced
Progress = Callable[[str, int], AbstractContextManager[Callable[[int], None] | None]]


def masses_of(card: Card, masses: Sequence[float] | None, drawn: bool) -> Sequence[float]:
    """Masses in GeV that were asked for; by default those of the card's scan, in a figure a line through them."""
    if masses is not None:
        return masses
    return Range.over(card.scan.mass) if drawn else card.scan.mass


def reach_of_cards(
    cards: Sequence[Card],
    models: Sequence[str] | None,
    masses: Sequence[float] | None,
    n_signal: float | None = None,
    productions: Sequence[str] = ("exact",),
    *,
    method: str | None = None,
    confidence: float | None = None,
    calctype: str | None = None,
    band: Sequence[str] = (),
    tower: Tower | None = None,
    drawn: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
) -> list[ReachPoint]:
    """Contours of each card and way of production, one after the other.

    A card that can make none of the masses has rows without couplings and a warning, unless no card can.

    Parameters
    ----------
    cards : sequence of Card
    models : sequence of str, optional
        By default those of each card's scan.
    masses : sequence of float, optional
        In GeV, or a `Range` to be traced; by default those of each card's scan.
    n_signal : float, optional
        Number of signal events that counts as seen, 3 by default; of cards without `[search]` alone.
    productions : sequence of {"exact", "ww", "iww"}
    method, confidence, calctype : optional
        Of the limit; by default those of each card's `[search]`.
    band : sequence of {"form-factor", "energy-loss"}
        What is varied.
    tower : Tower, optional
        Several scalars whose signals add up.
    drawn : bool
        Whether a figure is made: then the default is a line through the masses of the scan.
    workers : int
        Threads.
    progress : callable, optional
        Called for each contour with its name and the number of masses, 0 for a line that is traced; gives a context
        whose value is called with the number of masses done.

    Returns
    -------
    list of ReachPoint

    Raises
    ------
    ThresholdError
        If no card can make any of the masses.
    """
    points: list[ReachPoint] = []
    refused: dict[str, ThresholdError] = {}
    asked: dict[str, Any] = {"n_signal": n_signal, "method": method, "confidence": confidence, "calctype": calctype}
    limits = [limit_of(card, **asked) for card in cards]
    asked |= {"band": band, "tower": tower, "workers": workers}
    for card, limit in zip(cards, limits, strict=True):
        mine = masses_of(card, masses, drawn)
        for production in productions:
            name = card.name if len(productions) == 1 else f"{card.name}, {production}"
            steps = 0 if isinstance(mine, Range) else len(mine)
            try:
                with progress(name, steps) if progress else nullcontext() as step:
                    points += reach(card, models, mine, production=production, **asked, progress=step)
            except ThresholdError as error:
                refused.setdefault(card.name, error)
                scan = Scan(card, models or card.scan.models, limit, production)
                points += scan.points(scan.nothing(mine))
    if len(refused) == len({card.name for card in cards}):
        raise next(iter(refused.values()))
    for name, reason in refused.items():
        warnings.warn(f"{name}: {reason}", AboveThresholdWarning, stacklevel=2)
    return points


def shown_masses(cards: Sequence[Card], masses: Sequence[float] | None, drawn: bool) -> set[float] | None:
    """Masses in GeV that a table on the screen shows; None stands for all, where no line is traced."""
    asked = [masses_of(card, masses, drawn) for card in cards]
    if not any(isinstance(one, Range) for one in asked):
        return None
    return {m for one in asked for m in (landmarks(one) if isinstance(one, Range) else one)}


def check_drawable(cards: Sequence[Card], limits: Sequence[str] = ()) -> None:
    """Raise InputError for cards whose bosons have no place in one figure, and labels of own limits without sense."""
    mediators = {card.scalar.mediator: card.name for card in cards}
    text = ", ".join(f"{name}: {mediator}" for mediator, name in mediators.items())
    advice = "give --mediator, or a figure for each"
    refuse_if(len(mediators) > 1, f"--plot: cards of several mediators ({text}) in one figure; {advice}")
    for name in limits:
        if name.endswith(FILES):
            check_words(OwnLimit.of(Path(name)).label, f"{name}: label")


def remarks_on(cards: Sequence[Card]) -> dict[str, str]:
    """What a legend says of experiments: a search that has observed its events, and is taken to see all signal."""
    return {
        card.name: "efficiency 1"
        for card in cards
        if card.search and card.search.counts.total[2] is not None and card.search.efficiency == 1.0
    }


def words_of(tower: Tower) -> str:
    """What a legend says of several states."""
    return f"{tower.states} states, {quantity_text(tower.spacing, 'energy')} apart, over the lightest"


def draw(
    points: Sequence[ReachPoint],
    cards: Sequence[Card],
    path: str | Path,
    title: str,
    limits: Sequence[str] = (),
    *,
    tower: Tower | None = None,
    workers: int = 1,
    axis: str = AXES[0],
    mass_unit: str | None = None,
    references: bool = False,
    criterion: str = "",
    **view: Unpack[View],
) -> None:
    """Figure of contours over limits, which are computed for the boson of the cards.

    Parameters
    ----------
    points : sequence of ReachPoint
    cards : sequence of Card
        Of the experiments; all with one boson.
    path : path
        Ends in .png, .pdf or .svg.
    title : str
    limits : sequence of str
        Names of constraints, of `mcgen.analysis.constraints.NAMES` or 'paper'.
    tower : Tower, optional
        Several scalars, for which the limits hold.
    workers : int
        Threads.
    axis, mass_unit, references, criterion, **view
        As `plot_reach` takes them.

    Raises
    ------
    InputError
        If the cards have several bosons.
    """
    check_drawable(cards, limits)
    decays = {(s.invisible, s.width, s.widths) for s in (card.scalar for card in cards)}
    differ = len(decays) > 1 and any(name not in constraints.G2_SETS for name in limits)
    refuse_if(differ, "--constraints: cards of several decays ([scalar]) in one figure; each needs its own")
    of_electrons = limits and any(card.scalar.widths and card.lepton == "e" for card in cards)
    refuse_if(of_electrons, "--constraints: scalar.widths of an electron beam says nothing of g_mu")
    boson = constraints.ShownBoson.of(cards[0].scalar, tower)
    known = limits_at(limits, points, boson, view, workers)
    note(constraints=[one.name for one in known])
    plot_reach(
        points,
        path,
        title,
        known,
        boson=cards[0].scalar.mediator,
        axis=axis,
        mass_unit=mass_unit,
        references=references,
        criterion=criterion,
        remarks=remarks_on(cards),
        notes=[words_of(tower)] if tower and tower.states > 1 else [],
        **view,
    )
