"""Exclusion contours: the couplings at which N_S exceeds a threshold, per mass."""

from __future__ import annotations

import contextlib
import itertools
import math
import warnings
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mcgen.analysis import reweight as reweighting
from mcgen.analysis.crossings import LOWEST, Signal
from mcgen.analysis.event_signal import signal_of as signal_of_events
from mcgen.analysis.exclusion import Exclusion, exclusion
from mcgen.analysis.reach_rows import Found, ReachTable, rows_of
from mcgen.analysis.reach_rows import ReachPoint as ReachPoint
from mcgen.analysis.reach_rows import write_csv as write_csv
from mcgen.analysis.samples import EVENTS, sample
from mcgen.analysis.signal_edges import found_of, warn_of_few
from mcgen.analysis.threshold import PLAIN_LIMIT, Limit, limit_of
from mcgen.analysis.tracing import Column, trace
from mcgen.analysis.variations import NO_VARIATIONS, Variations, variations
from mcgen.base import threads
from mcgen.base.asked import Energies, Names, energies, names, renamed
from mcgen.base.constants import M_E, M_MU, M_OMEGA, M_PHI, M_PI, M_TAU
from mcgen.base.errors import InputError, McgenWarning, ThresholdError, check_number, choose, refuse_if
from mcgen.base.progress import Progress, reported
from mcgen.base.steps import go_on
from mcgen.base.table import Table
from mcgen.base.units import Range
from mcgen.card.card import Card
from mcgen.card.quantities import LOWEST_MASS
from mcgen.card.width_table import TABLE
from mcgen.events.events import EventSource
from mcgen.physics.boson.couplings import MODELS
from mcgen.physics.emission.cross_section import METHODS
from mcgen.quadrature.yields import COARSE, FINE, largest_error, production, signal_of, warn_of_error, with_error
from mcgen.search.binning import Binning
from mcgen.search.search import Search
from mcgen.source.boson import Boson, check_widths
from mcgen.source.source import CardLike, load_card, source_of

#: tolerance in log(g) of a traced line between its masses, and the largest number of masses: by quadrature, and from
#: events, which have errors of a percent
BY_QUADRATURE, FROM_EVENTS = (0.01, 400), (0.03, 20)
#: where lines bend: thresholds of decays, and narrow mesons in the decays of vectors; GeV
_BENDS = (2.0 * M_E, 2.0 * M_MU, 2.0 * M_PI, M_OMEGA, M_PHI, 2.0 * M_TAU)


class AboveThresholdWarning(McgenWarning):
    """Some of the masses are too heavy to be made."""


class FromEventsWarning(McgenWarning):
    """N_S of a scan comes from events, as its search needs them."""


#: couplings at which N_S is compared with a coarser quadrature where nothing is excluded
_COUPLINGS = 1e-7, 1.0, 57


class CoarseLineWarning(McgenWarning):
    """A line is traced from fewer masses than it takes to be smooth to a percent."""


@dataclass(frozen=True, slots=True)
class Tower:
    """Scalars of equal couplings and equally spaced masses, the paper's outlook: N_d states."""

    states: int = 1
    spacing: float = 0.0  #: GeV

    def __post_init__(self) -> None:
        if self.states < 1 or not 0.0 <= self.spacing < math.inf:
            message = f"tower: {self.states} states {self.spacing} GeV apart; at least one, and no negative spacing"
            raise InputError(message)

    def masses(self, m_S: float) -> list[float]:
        """Masses in GeV of a tower whose lightest state is m_S."""
        return [m_S + n * self.spacing for n in range(self.states)]


def signals_by_quadrature(
    card: Card, models: Sequence[str], m_S: float, method: str, nodes: tuple[int, tuple[int, ...]] = FINE
) -> dict[str, Signal]:
    """N_S of each model as a function of couplings; what is made is computed once.

    Parameters
    ----------
    card : Card
    models : sequence of {"A", "B", "dark-photon", "Lmu-Ltau"}
    m_S : float
        Mass of S in GeV.
    method : {"exact", "ww", "iww"}
    nodes : (int, (int, int, int, int)), optional
        Of the quadrature.
    """
    source, search = source_of(card), Search.of(card, m_S)
    ratios = {model: source.electron_ratio(model) for model in models}
    made = {r: production(source, m_S, search, method, nodes, r) for r in dict.fromkeys(ratios.values())}
    return {model: signal_of(made[ratios[model]], search, Boson(card, model, m_S)) for model in models}


def signals_of_models(
    card: Card, models: Sequence[str], m_S: float, method: str, events_of: Card | None = None
) -> dict[str, Signal]:
    """N_S of each model as a function of couplings: by quadrature, or from events if the detector has a shape.

    Parameters
    ----------
    card : Card
    models : sequence of {"A", "B", "dark-photon", "Lmu-Ltau"}
    m_S : float
        Mass of S in GeV.
    method : {"exact", "ww", "iww"}
    events_of : Card, optional
        Whose events are reweighted to the form factor of this card.
    """
    search = Search.of(card, m_S)
    if not search.from_events:
        return signals_by_quadrature(card, models, m_S, method)
    seen = [m for m in models if search.can_see(Boson(card, m, m_S))]
    found: dict[str, Signal] = dict.fromkeys(models, np.zeros_like)
    if seen and not _too_heavy(card, [m_S]):
        events = sample(events_of or card, seen, m_S)
        if events_of:
            events = reweighting.open_events(events, card.run.form_factor)
        for model in seen:
            found[model] = signal_of_events(events, card, model, m_S)
    return found


#: N_S of each model as a function of couplings, from the arguments of `signals_of_models`
SignalsOf = Callable[[Card, Sequence[str], float, str, Card | None], dict[str, Signal]]


def _everything(model: str, m_S: float) -> float:  # noqa: ARG001
    return 1.0


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan looks for: couplings with more signal events than a threshold.

    Parameters
    ----------
    card : Card
    models : sequence of {"A", "B", "dark-photon", "Lmu-Ltau"}
    limit : Limit
        Number of signal events that counts as seen, and those at which it is expected to be.
    production : {"exact", "ww", "iww"}
    tower : Tower
        Scalars whose signals add up.
    variations : Variations
        Cards of other form factors and energy losses, whose contours make a band.
    events_of : Card, optional
        Whose events are taken, with the form factor of the card.
    share : callable
        Of a model and the mass in GeV of a state: share of its N_S that is seen.
    signals : callable
        `signals_of_models`, or what keeps its answers.
    """

    card: Card
    models: Sequence[str]
    limit: Limit = PLAIN_LIMIT
    production: str = "exact"
    tower: Tower = Tower()
    variations: Variations = NO_VARIATIONS
    events_of: Card | None = None  #: whose events are reweighted to the form factor of the card
    share: Callable[[str, float], float] = _everything  #: of N_S that is seen, by model and mass of a state
    signals: SignalsOf = signals_of_models  #: that are scanned, of a search without bins

    def __post_init__(self) -> None:
        choose(self.production, METHODS, "production")
        self.card.check_models(self.models)
        if self.from_events and self.production != "exact":
            message = (
                f"production {self.production}: the search of card {self.card.name} needs events, and those are exact"
            )
            raise InputError(message)
        if self.limit.levels:
            plain = self.production == "exact" and self.tower.states == 1
            refuse_if(not plain, f"{self.card.name}: a search in bins is for one S and exact production")
            noisy = self.from_events and self.variations.cards
            refuse_if(noisy, f"band: bins of {self.card.name} are filled by events, and their errors are no variation")

    @property
    def from_events(self) -> bool:
        """Whether the detector has a shape, or an efficiency or bins that need events."""
        return Search.of(self.card).from_events or bool(self._bins_need_events)

    @property
    def _bins_need_events(self) -> str:
        bins = Binning.of(self.card) if self.limit.levels else None
        return f"bins of {bins.variable} need them" if bins and bins.needs_events else ""

    def _found(self, m_S: float) -> list[Found]:
        if self.limit.levels and _too_heavy(self.card, [m_S]):
            return self.nothing([m_S])[0][1]
        if self.limit.levels:
            how = {"confidence": self.limit.confidence, "events": EVENTS, "asymptotic": self.limit.asymptotic}
            asked = [exclusion(self.card, model, m_S, **how) for model in self.models]  # type: ignore[arg-type]
            return [_in_bins(one, self.limit) for one in asked]
        of = self.card, self.models
        states = [(m, self.signals(*of, m, self.production, self.events_of)) for m in self.tower.masses(m_S)]
        found = [
            found_of([(self.share(model, m), signals[model]) for m, signals in states], self.limit)
            for model in self.models
        ]
        return self._with_errors(found, states)

    def _with_errors(self, found: list[Found], states: Sequence[tuple[float, dict[str, Signal]]]) -> list[Found]:
        """What was found, and how well a quadrature with an efficiency knows it."""
        search = Search.of(self.card)
        if search.from_events or isinstance(search.efficiency, float):
            return found
        coarse = [signals_by_quadrature(self.card, self.models, m, self.production, COARSE) for m, _ in states]
        seen = []
        for model, one in zip(self.models, found, strict=True):
            ends = [g for pair in one.ranges[self.limit.events] for g in pair if LOWEST < g < math.inf]
            g_mu = np.array(ends or np.geomspace(*_COUPLINGS))
            pairs = [
                (signals[model](g_mu), other[model](g_mu)) for (_, signals), other in zip(states, coarse, strict=True)
            ]
            values = with_error(search, [np.sum(of, axis=0) for of in zip(*pairs, strict=True)])
            seen.append(one._replace(coarse=largest_error(search, values)))
        return seen

    def column(self, m_S: float) -> list[Found]:
        """Ranges of couplings of each model at one mass in GeV."""
        found = self._found(m_S)
        if not self.variations.cards:
            return found
        varied = zip(*(self._with(card).column(m_S) for card in self.variations.cards), strict=True)
        return [
            one._replace(varied=[other.ranges[self.limit.key()] for other in others])
            for one, others in zip(found, varied, strict=True)
        ]

    def _with(self, card: Card) -> Scan:
        """The same scan of a variation; of another form factor from the same events."""
        same_beam = self.from_events and card.target == self.card.target
        events_of = self.card if same_beam else None
        return replace(self, card=card, limit=self.limit.alone, variations=NO_VARIATIONS, events_of=events_of)

    def _warn(self, found: dict[float, list[Found]]) -> None:
        warn_of_error(max((one.coarse for column in found.values() for one in column), default=0.0), self.card.name)

    def lines(
        self, masses: Iterable[float], workers: int = 1, progress: Callable[[int], None] | None = None
    ) -> list[tuple[float, list[Found]]]:
        """What is found at each of a list of masses in GeV, or at those that lines through a range need."""
        warn_of_events(self.card, self._bins_need_events)
        done, found = itertools.count(1), {}

        with threads.pool(workers) as pool:

            def at(some: Sequence[float]) -> list[Column]:
                with contextlib.closing(_started(pool, self.column, some)) as columns:
                    for m, column in zip(some, columns, strict=True):
                        found[m] = column
                        go_on()
                        if progress:
                            progress(next(done))
                return [self._traced(found[m]) for m in some]

            if not isinstance(masses, Range):
                masses = list(masses)
                at(masses)
                self._warn(found)
                return [(m, found[m]) for m in masses]
            tolerance, most = FROM_EVENTS if self.from_events else BY_QUADRATURE
            _, smooth = trace(at, starting_masses(masses, self.tower), tolerance, most)
        self._warn(found)
        if not smooth:
            what = f" of {EVENTS} events each" if self.from_events else ""
            message = f"{self.card.name}: the line is drawn through {len(found)} masses{what}, coarser than a percent"
            warnings.warn(message, CoarseLineWarning, stacklevel=3)
        return sorted(found.items())

    def _traced(self, column: list[Found]) -> Column:
        """Lines that masses are chosen for; bands of a search in bins bend where these do."""
        keys = tuple(dict.fromkeys([self.limit.levels[0], "expected"])) if self.limit.levels else None
        return tuple(one.ranges[key] for one in column for key in keys or one.ranges)

    def nothing(self, masses: Iterable[float]) -> list[tuple[float, list[Found]]]:
        """Nothing found, for masses that cannot be made."""
        nothing = Found(dict.fromkeys(self.limit.keys, ()), events={} if self.limit.levels else None)
        return [(m, [nothing] * len(self.models)) for m in masses]

    def points(self, lines: Sequence[tuple[float, list[Found]]]) -> ReachTable:
        """Rows of a table: one per interval, one without couplings where there is none."""
        label = "events" if self.from_events else self.production
        warn_of_few(self.card.name, ((m, one) for m, column in lines for one in column))
        return ReachTable(
            row
            for number, model in enumerate(self.models)
            for m, column in lines
            for row in rows_of((self.card.name, model, label, m), self.limit, column[number], self.variations.words)
        )


def _started(pool: Executor, column: Callable[[float], list[Found]], masses: Sequence[float]) -> Generator[list[Found]]:
    """Columns in the order of their masses; when it is closed, none is begun any more."""
    waiting = [pool.submit(column, m) for m in masses]
    try:
        for one in waiting:
            yield one.result()
    finally:
        for one in waiting:
            one.cancel()


def landmarks(masses: Range) -> list[float]:
    """Masses that a table shows of a traced line: those that it must go through, or round ones; and its ends."""
    low, high = masses
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    rounds = masses.through or [float(f"{digit}e{n}") for n in decades for digit in (1, 2, 5)]
    return sorted({low, high, *(m for m in rounds if low <= m <= high)})


def starting_masses(masses: Range, tower: Tower | None = None) -> list[float]:
    """Masses with which a line begins: landmarks, and both sides of each place where it may bend."""
    low, high = masses
    offsets = [m - low for m in (tower or Tower()).masses(low)[:10]]  # of many states each makes a small bend only
    bends = [m - offset for m in _BENDS for offset in offsets]
    sides = [m * side for m in bends for side in (1.0, 1.0 + 1e-6)]
    return sorted({*landmarks(masses), *landmarks(Range((low, high))), *(m for m in sides if low < m < high)})


def _too_heavy(card: Card, masses: Iterable[float]) -> str:
    """Why the lightest of those masses in GeV that are too heavy cannot be made; empty if all can."""
    found, source = "", source_of(card)
    for m_S in sorted(set(masses), reverse=True):
        try:
            source.check_mass(m_S)
        except ThresholdError as error:
            found = f"{error}{'; the heavier ones as well' if found else ''}"
        else:
            break
    return found


@renamed(models="model", masses="m_S")
def reach(
    card: CardLike,
    model: Names | None = None,
    m_S: Energies | None = None,
    n_signal: float | None = None,
    production: str = "exact",
    *,
    method: str | None = None,
    confidence: float | None = None,
    calctype: str | None = None,
    band: Names | None = None,
    tower: Tower | None = None,
    workers: int = 1,
    progress: Progress = None,
) -> Table[ReachPoint]:
    """Couplings an experiment can see, by quadrature (Eqs. 17-20), or from events for geometry "3d".

    Parameters
    ----------
    card : Card, str or Path
        Or its name or file.
    model : {"A", "B", "dark-photon", "Lmu-Ltau"} or several, optional
        By default those of the card's scan.
    m_S : float, str or sequence, optional
        Scalar masses in GeV, or with units; of 'start:stop' those that a line needs to be smooth to a percent. By
        default those of the card's scan.
    n_signal : float, optional
        Number of signal events that counts as seen, 3 by default; of a card without `[search]` alone.
    production : {"exact", "ww", "iww"}
    method, confidence, calctype : optional
        Of the limit, as for `mcgen.limit_events`; by default those of the card's `[search]`.
    band : {"form-factor", "energy-loss"} or several, optional
        Rows say how far the contour moves with other form factors, or other laws of energy loss of muons.
    tower : Tower, optional
        Several scalars whose signals add up; the mass is that of the lightest.
    workers : int
        Threads, one mass each.
    progress : bool or callable, optional
        True shows a bar; a function is called with the number of masses done.

    Returns
    -------
    list of ReachPoint
        One per model, mass and interval, in this order.

    Raises
    ------
    ThresholdError
        If none of the masses can be made; a warning names those that cannot.
    """
    card = load_card(card)
    limit = limit_of(card, n_signal, method, confidence, calctype)
    others = variations(card, names(band))
    scan = Scan(card, names(model) or card.scan.models, limit, production, tower or Tower(), others)
    masses = card.scan.mass if m_S is None else energies(m_S, "m_S", traced=True)
    return rows_at(scan, masses, workers, progress)


def rows_at(scan: Scan, masses: Sequence[float], workers: int = 1, progress: Progress = None) -> ReachTable:
    """Rows of a scan at masses in GeV, or at those that a line through a `Range` needs; what `reach` does.

    Raises
    ------
    ThresholdError
        If none of the masses can be made; a warning names those that cannot.
    """
    check_number("workers", workers, 0, 1024)
    check_masses(scan.card, masses)
    check_widths(scan.card, scan.models, [m for mass in masses for m in scan.tower.masses(mass)])
    total = 0 if isinstance(masses, Range) else len(masses)
    with reported(progress, "masses", total) as step:
        return scan.points(scan.lines(masses, workers, step))


def warn_of_events(card: Card, also: str = "") -> None:
    """Warn where the efficiency of a card, or something else, needs events, of which there are few."""
    if why := Search.of(card).needs_events or also:
        message = f"{card.name}: N_S is from {EVENTS} events at each mass, as {why}"
        warnings.warn(message, FromEventsWarning, stacklevel=4)


def check_masses(card: Card, masses: Sequence[float]) -> None:
    """Raise ThresholdError if none of the masses in GeV can be made, and warn of those that cannot."""
    for m_S in masses:
        check_number("mass", m_S, LOWEST_MASS, 1e6)
    if masses:
        source_of(card).check_mass(min(masses))
    if message := _too_heavy(card, masses):
        warnings.warn(f"{card.name}: {message}", AboveThresholdWarning, stacklevel=4)


def _in_bins(asked: Exclusion, limit: Limit) -> Found:
    """What is found of a search in bins, with the signal events at lower ends."""
    ranges = asked.intervals(limit.levels)
    lows = [low for one in ranges.values() for low, _ in one]
    return Found(ranges, events=dict(zip(lows, asked.events(lows), strict=True)) if lows else {})


def _of_file(source: EventSource, card: Card, model: str, limit: Limit, workers: int) -> Found:
    """What is found of a model at the mass of events."""
    if limit.levels:
        how = {"confidence": limit.confidence, "asymptotic": limit.asymptotic}
        asked = exclusion(source, model, card=card, **how, workers=workers)  # type: ignore[arg-type]
        return _in_bins(asked, limit)
    return found_of([(1.0, signal_of_events(source, card, model, source.metadata.m_S, workers))], limit)


@renamed(models="model")
def reach_from_events(
    sources: str | Path | Sequence[str | Path],
    model: Names | None = None,
    n_signal: float | None = None,
    *,
    method: str | None = None,
    confidence: float | None = None,
    calctype: str | None = None,
    band: Names | None = None,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Table[ReachPoint]:
    """The same as `reach`, from event files or folders.

    Parameters
    ----------
    sources : path or sequence of path
        Event files, or folders of them, one per mass.
    model : {"A", "B", "dark-photon", "Lmu-Ltau"} or several, optional
        By default those of the scan in the card of the first file.
    n_signal : float, optional
        Number of signal events that counts as seen, 3 by default; of cards without `[search]` alone.
    method, confidence, calctype : optional
        Of the limit, as for `mcgen.limit_events`; by default those of the `[search]` of each file's card.
    band : {"form-factor"}, optional
        Rows say how far the contour moves with other form factors.
    workers : int
        Threads over the files of a folder.
    progress : callable, optional
        Called with the number of files done, counted once per model.

    Returns
    -------
    list of ReachPoint
        One per model, file and interval, in this order.
    """
    refuse_if("energy-loss" in names(band), "band: a file is of one energy loss; energy-loss needs a card")
    rows, seen = ReachTable(), []
    done = itertools.count(1)
    files = [sources] if isinstance(sources, str | Path) else list(sources)
    for one in names(model) or reweighting.card_of(reweighting.open_events(files[0])).scan.models:
        choose(one, (*MODELS, TABLE), "model")
        for path in files:
            source = reweighting.open_events(path)
            card = reweighting.card_of(source)
            limit = limit_of(card, n_signal, method, confidence, calctype)
            m_S = source.metadata.m_S
            others = variations(card, names(band))
            found = _of_file(source, card, one, limit, workers)
            varied = []
            for other in others.cards:
                view = reweighting.open_events(path, other.run.form_factor)
                varied.append(_of_file(view, other, one, limit.alone, workers).ranges[limit.key()])
            rows += rows_of((card.name, one, "events", m_S), limit, found._replace(varied=varied), others.words)
            seen.append((m_S, found))
            if progress:
                progress(next(done))
    warn_of_few(card.name, seen)
    return rows
