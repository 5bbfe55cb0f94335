"""N_S over a grid of masses and couplings, with its errors, and with the other choices of a card as a band."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mcgen.analysis import reweight as reweighting
from mcgen.analysis.event_signal import refuse_foreign
from mcgen.analysis.reach import Scan, check_masses, landmarks, signals_by_quadrature, warn_of_events
from mcgen.analysis.reweight import ENOUGH, LowStatisticsWarning, open_events
from mcgen.analysis.samples import sample
from mcgen.analysis.variations import KINDS, variations
from mcgen.base import threads
from mcgen.base.arrays import Array
from mcgen.base.asked import Energies, Names, Numbers, energies, names, numbers
from mcgen.base.errors import InputError, check_number, choose, refuse_if
from mcgen.base.progress import Progress, reported
from mcgen.base.table import Table
from mcgen.base.units import Range
from mcgen.card.card import Card
from mcgen.events.events import EventSource
from mcgen.quadrature.yields import FINE, largest_error, node_sets, warn_of_error, with_error
from mcgen.search.search import Search
from mcgen.source.boson import Boson, check_couplings, check_widths
from mcgen.source.source import CardLike, load_card, source_of

#: between the edges of a bin whose neighbours are not known
_ALONE = 1.25


@dataclass(frozen=True, slots=True)
class GridPoint:
    """N_S at one mass and coupling; `n_eff` is None by quadrature, the last two without a band."""

    experiment: str
    model: str
    production: str
    mass_gev: float
    g_mu: float
    n_signal: float
    error: float
    n_eff: float | None
    n_signal_min: float | None = None
    n_signal_max: float | None = None


class Cells(NamedTuple):
    """N_S of one model; all arrays have shape (masses, couplings)."""

    n_signal: Array
    error: Array
    n_eff: Array  #: infinite by quadrature
    n_signal_min: Array  #: of all choices of the band, the card's own too
    n_signal_max: Array


@dataclass(frozen=True, slots=True, repr=False)
class Grid:
    """N_S of each model over masses and couplings."""

    card: Card
    production: str  #: "exact", "ww", "iww", or "events"
    m_S: Array  #: GeV, increasing
    g_mu: Array  #: increasing
    models: dict[str, Cells]
    band: tuple[str, ...] = ()  #: what is varied
    made_of: tuple[str, ...] = ()  #: content hashes of the files

    @property
    def rows(self) -> Table[GridPoint]:
        """One row for each model, mass and coupling, in this order."""
        return Table(self._points())

    def _points(self) -> Iterator[GridPoint]:
        for model, cells in self.models.items():
            for (i, m), (j, g) in itertools.product(enumerate(self.m_S.tolist()), enumerate(self.g_mu.tolist())):
                value, error, n_eff, low, high = (float(values[i, j]) for values in cells)
                events, ends = n_eff if math.isfinite(n_eff) else None, (low, high) if self.band else ()
                yield GridPoint(self.card.name, model, self.production, m, g, value, error, events, *ends)

    @property
    def columns(self) -> list[str]:
        """Names of the fields of a row: those of the band if there is one."""
        return [*GridPoint.__dataclass_fields__][: None if self.band else -2]

    def to_pandas(self) -> Any:
        """The rows as a pandas DataFrame."""
        return self.rows.to_pandas()[self.columns]

    def __repr__(self) -> str:
        size = f"{self.m_S.size} masses, {self.g_mu.size} couplings"
        return f"<Grid: {self.card.name}, {', '.join(self.models)}, {self.production}, {size}>\n{self.rows}"


def bin_edges(points: Array) -> Array:
    """Edges of bins that hold one point each: geometric means of neighbours, and as far beyond the ends.

    Parameters
    ----------
    points : array, shape (n,)
        Positive and increasing.

    Returns
    -------
    array, shape (n + 1,)
    """
    if points.size == 1:
        return np.array([points[0] / _ALONE, points[0] * _ALONE])
    middle = np.sqrt(points[1:] * points[:-1])
    return np.concatenate([[points[0] ** 2 / middle[0]], middle, [points[-1] ** 2 / middle[-1]]])


def _increasing(values: Sequence[float], what: str) -> Array:
    refuse_if(not values, f"{what}: at least one is needed")
    refuse_if(min(values) <= 0.0, f"{what}: {min(values):g} must be positive on a grid")
    return np.unique(np.array(values))


def _kinds(band: Names | None) -> tuple[str, ...]:
    return tuple(choose(kind, KINDS, "band") for kind in dict.fromkeys(names(band)))


@dataclass(frozen=True, slots=True)
class _Scan:
    """What is computed at each mass."""

    card: Card
    models: Sequence[str]
    g_mu: Array
    production: str
    from_events: bool
    others: Sequence[Card]  #: with the other choices of a band

    def column(self, m_S: float) -> Array:
        """Value, error, effective events and both ends of the band at one mass in GeV, (5, models, couplings)."""
        if not self.from_events:
            search = Search.of(self.card)
            sets = node_sets(search)
            found = with_error(search, [self._quadrature(self.card, m_S, nodes) for nodes in sets])
            others = [self._quadrature(card, m_S, FINE) for card in self.others]
            return _joined(np.stack([*found, np.full_like(found[0], math.inf)]), others)
        shape = 3, len(self.models), self.g_mu.size
        found = np.zeros(shape)
        found[2] = math.inf  # of what cannot be seen
        seen = [i for i, model in enumerate(self.models) if Search.of(self.card).can_see(Boson(self.card, model, m_S))]
        if not seen or not source_of(self.card).makes(m_S):
            return _joined(found, [])
        mine = [self.models[i] for i in seen]
        events = sample(self.card, mine, m_S)
        found[:, seen] = _weighted(events, mine, self.g_mu)
        others = []
        for card in self.others:
            others.append(np.zeros(shape[1:]))
            others[-1][seen] = _weighted(self._with(card, events, mine, m_S), mine, self.g_mu)[0]
        return _joined(found, others)

    def _with(self, card: Card, events: EventSource, models: Sequence[str], m_S: float) -> EventSource:
        """The same events with another form factor, or events with another energy loss."""
        if card.target == self.card.target:
            return open_events(events, card.run.form_factor)
        return sample(card, models, m_S)

    def _quadrature(self, card: Card, m_S: float, nodes: tuple[int, tuple[int, ...]]) -> Array:
        """N_S of each model and coupling."""
        signals = signals_by_quadrature(card, self.models, m_S, self.production, nodes)
        return np.array([signals[model](self.g_mu) for model in self.models])


def _weighted(events: EventSource, models: Iterable[str], g_mu: Array, workers: int = 1) -> Array:
    """Value, error and effective events of each model and coupling, (3, models, couplings)."""
    signals = [reweighting.reweight(events, m, g_mu, energy_bins=1, workers=workers).n_signal for m in models]
    return np.moveaxis(np.array(signals), -1, 0)


def _joined(found: Array, others: Sequence[Array]) -> Array:
    ends = np.stack([found[0], *others])
    return np.stack([*found, ends.min(axis=0), ends.max(axis=0)])


def _of_columns(columns: Sequence[Array], models: Sequence[str]) -> dict[str, Cells]:
    whole = np.stack(columns)  # (masses, 5, models, couplings)
    few = (whole[:, 2] < ENOUGH) & (whole[:, 0] > 0.0)
    if few.any():
        message = f"N_S rests on fewer than {ENOUGH:.0f} effective events at {few.sum()} of {few.size} points (n_eff)"
        warnings.warn(message, LowStatisticsWarning, stacklevel=3)
    return {model: Cells(*whole[:, :, i].swapaxes(0, 1)) for i, model in enumerate(models)}


def grid(
    card: CardLike,
    model: Names | None = None,
    m_S: Energies | None = None,
    g_mu: Numbers | None = None,
    production: str = "exact",
    *,
    band: Names | None = None,
    workers: int = 1,
    progress: Progress = None,
) -> Grid:
    """N_S at each of some masses and couplings, by quadrature, or from events where the search needs them.

    Parameters
    ----------
    card : Card, str or Path
        Or its name or file.
    model : {"A", "B", "dark-photon", "Lmu-Ltau"} or several, optional
        By default those of the card's scan.
    m_S : float, str or sequence, optional
        Masses of S in GeV, or with units; by default those of the card's scan.
    g_mu : float, sequence of float, or a text as on the command line, optional
        By default those of the card's scan.
    production : {"exact", "ww", "iww"}
    band : {"form-factor", "energy-loss"} or both, optional
        Also the lowest and highest N_S with the other form factors and energy losses that the card could have.
    workers : int
        Threads, one mass each.
    progress : bool or callable, optional
        True shows a bar; a function is called with the number of masses done.

    Returns
    -------
    Grid
        Masses and couplings in increasing order. The error of a quadrature is the change with fewer nodes, that of
        events, 20,000 for each mass, is statistical.

    Raises
    ------
    ThresholdError
        If none of the masses can be made; a warning names those that cannot, whose N_S is 0.
    """
    card = load_card(card)
    scan = Scan(card, names(model) or card.scan.models, production=production)
    masses = _increasing(_masses(card) if m_S is None else energies(m_S, "m_S"), "m_S")
    couplings = _couplings(card.scan.g_mu if g_mu is None else g_mu, scan.models)
    kinds = _kinds(band)
    check_number("workers", workers, 0, 1024)
    check_masses(card, masses.tolist())
    check_widths(card, scan.models, masses.tolist())
    warn_of_events(card)
    others = variations(card, kinds).cards
    at = _Scan(card, scan.models, couplings, production, scan.from_events, others)
    with reported(progress, "masses", masses.size) as step, _one_warning():
        columns = _all(at.column, masses.tolist(), workers, step)
    if not scan.from_events:
        warn_of_error(largest_error(Search.of(card), np.stack(columns, axis=1)[:2]), card.name)
    label = "events" if scan.from_events else production
    return Grid(card, label, masses, couplings, _of_columns(columns, scan.models), kinds)


def _masses(card: Card) -> Sequence[float]:
    """Masses in GeV of the card's scan, round ones of a line."""
    return landmarks(card.scan.mass) if isinstance(card.scan.mass, Range) else card.scan.mass


def _couplings(g_mu: Numbers, models: Sequence[str]) -> Array:
    found = _increasing(numbers(g_mu, "g_mu"), "g_mu")
    for model, g in itertools.product(models, found.tolist()):
        check_couplings(model, g)
    return found


def _one_warning() -> Any:
    """Inside, few effective events are no warning for each coupling; `_of_columns` has one for all."""
    return warnings.catch_warnings(action="ignore", category=LowStatisticsWarning)


def _all(
    column: Callable[[Any], Array], items: Sequence[Any], workers: int, step: Callable[[int], None] | None
) -> list[Array]:
    found = []
    with threads.pool(max(1, workers)) as pool:
        for one in pool.map(column, items):
            found.append(one)
            if step:
                step(len(found))
    return found


def grid_from_events(
    sources: str | Path | EventSource | Sequence[str | Path | EventSource],
    model: Names | None = None,
    g_mu: Numbers | None = None,
    *,
    band: Names | None = None,
    workers: int = 1,
    progress: Progress = None,
) -> Grid:
    """The same as `grid`, from event files or folders.

    Parameters
    ----------
    sources : path or events, or sequence of them
        Event files, or folders of them, one per mass, all of one experiment.
    model : {"A", "B", "dark-photon", "Lmu-Ltau"} or several, optional
        By default those of the scan in the card of the first file.
    g_mu : float, sequence of float, or a text as on the command line, optional
        By default those of that scan.
    band : {"form-factor"}, optional
        Also the lowest and highest N_S with the other form factors, from the same events.
    workers : int
        Threads over the files of a folder.
    progress : bool or callable, optional
        True shows a bar; a function is called with the number of masses done.

    Returns
    -------
    Grid
        Masses and couplings in increasing order, with statistical errors.
    """
    files = list(sources) if isinstance(sources, Sequence) and not isinstance(sources, str) else [sources]
    refuse_if(not files, "events: at least one file is needed")
    opened = sorted((open_events(path) for path in files), key=lambda events: events.metadata.m_S)
    _check_files(opened)
    card = reweighting.card_of(opened[0])
    models = names(model) or card.scan.models
    card.check_models(models)
    couplings = _couplings(card.scan.g_mu if g_mu is None else g_mu, models)
    kinds = _kinds(band)
    refuse_if("energy-loss" in kinds, "band: energy-loss needs a card; events have the one that they were made with")
    form_factors = [other.run.form_factor for other in variations(card, kinds).cards]

    def column(events: EventSource) -> Array:
        others = [_weighted(open_events(events, f), models, couplings, workers)[0] for f in form_factors]
        return _joined(_weighted(events, models, couplings, workers), others)

    with reported(progress, "masses", len(opened)) as step, _one_warning():
        columns = _all(column, opened, 1, step)
    masses = np.array([events.metadata.m_S for events in opened])
    hashes = tuple(str(events.metadata["content_sha256"]) for events in opened)
    return Grid(card, "events", masses, couplings, _of_columns(columns, models), kinds, hashes)


def _check_files(opened: Sequence[EventSource]) -> None:
    """Raise InputError for files that make no grid: of one mass, of several experiments, of another generator."""
    for events in opened:
        refuse_foreign(events)
    masses = [events.metadata.m_S for events in opened]
    twice = [m for m, again in itertools.pairwise(masses) if m == again]
    refuse_if(twice, f"events: two files of {twice[0] if twice else 0:g} GeV; `mcgen merge` makes one of them")
    cards = [reweighting.card_of(events) for events in opened]
    first = cards[0]
    for card in cards[1:]:
        same = (card.name, card.beam, card.target, card.collider, card.detector, card.search) == (
            first.name, first.beam, first.target, first.collider, first.detector, first.search,
        )  # fmt: skip
        if not same or card.scalar.mediator != first.scalar.mediator or card.run.form_factor != first.run.form_factor:
            message = f"events: files of several experiments ({first.name}, {card.name}); a grid is of one"
            raise InputError(message)
