"""Events of any generator against the exact cross section: sigma, spectra in x, t, theta, and what they leave out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mcgen.analysis.expected_events import NEEDED, VARIABLES, Expected, expected_of, variables
from mcgen.base import files
from mcgen.base.arrays import Array
from mcgen.base.errors import refuse_if
from mcgen.base.estimate import Estimate, chi2_probability, share_pulls, weighted_sum
from mcgen.base.files import overwriting
from mcgen.base.progress import Progress, reported
from mcgen.base.table import Table
from mcgen.card.card import parse_card
from mcgen.events.branches import Columns
from mcgen.events.events import EventSource
from mcgen.events.pool import load
from mcgen.source.source import CardLike, Source

#: events of our own that say where theirs are missing
POINTS = 200_000
#: a bin of a spectrum is worth at least so many events, and a place where they have none so many
_WORTH, _SURE = 10.0, 20.0
#: cells of two variables, of equal slices of cross section, are expected to hold so many events, and slices are at most
_PER_CELL, _MOST_SLICES = 40.0, 40
_PAIRS = list(itertools.combinations(VARIABLES, 2))


@dataclass(frozen=True, slots=True)
class Spectrum:
    """A spectrum of events and the exact one, with their shapes compared."""

    edges: Array  #: of x, of t in GeV^2 or of theta in rad
    sigma_pb: Array  #: in each bin, of the events
    error_pb: Array
    exact_pb: Array
    chi2: float  #: of the shapes, bins of few events joined
    bins: int  #: degrees of freedom
    p_value: float
    worst_pull: float  #: of the share of a bin
    worst_bin: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Missing:
    """A place without events where more than twenty are expected."""

    variables: str  #: one, or two where the place is cells in both
    low: float | None
    high: float | None
    share: float  #: of the exact cross section


@dataclass(frozen=True, slots=True)
class EventCheck:
    """Events on one target at one energy, or along the whole way of the beam; cross sections at unit coupling."""

    target: str
    energy_gev: float  #: the highest one
    mass_gev: float
    n_events: int
    sigma: Estimate | None  #: pb; None if the file states none
    exact: Estimate  #: pb
    missing: float  #: share of the exact cross section where they have no events
    places: list[Missing]
    spectra: dict[str, Spectrum]

    @property
    def ratio(self) -> Estimate | None:
        """Their cross section over the exact one."""
        if self.sigma is None:
            return None
        error = math.hypot(self.sigma.error, self.exact.error)
        return Estimate(self.sigma.value / self.exact.value, error / self.exact.value, self.sigma.n_eff)

    @property
    def pull(self) -> float | None:
        """(theirs - exact)/error."""
        return None if self.ratio is None else self.ratio.pull(1.0)


class _Tally:
    """Sums of events while they go by: in bins of each variable, and in cells of two."""

    def __init__(self, expected: Expected, events: int) -> None:
        self.expected = expected
        self.edges = {name: expected.edges(name) for name in VARIABLES}
        self.n, self.total, self.squares = 0, 0.0, 0.0
        self.sums = {name: np.zeros((2, edges.size - 1)) for name, edges in self.edges.items()}
        self.low, self.high = dict.fromkeys(VARIABLES, math.inf), dict.fromkeys(VARIABLES, -math.inf)
        self.ours = expected.events(POINTS)
        self.points = variables(self.ours)
        self._slices = max(2, min(_MOST_SLICES, int(math.sqrt(events / _PER_CELL))))
        at = np.arange(1, self._slices) / self._slices
        self._steps = {name: np.quantile(v, at) for name, v in self.points.items()}
        self.cells = {pair: np.zeros(self._slices**2) for pair in _PAIRS}

    def add(self, columns: Columns) -> None:
        """Count those of some events that belong here."""
        mine = self.expected.holds(columns)
        weight = columns["weight"][mine]
        if not weight.size:
            return
        self.n += weight.size
        self.total += float(weight.sum())
        self.squares += float(np.sum(weight * weight))
        found = {name: v[mine] for name, v in variables(columns).items()}
        for name, v in found.items():
            edges = self.edges[name]
            at = np.clip(np.searchsorted(edges, v, "right") - 1, 0, edges.size - 2)
            for row, power in zip(self.sums[name], (1, 2), strict=True):
                row += np.bincount(at, weight**power, edges.size - 1)
            self.low[name], self.high[name] = min(self.low[name], v.min()), max(self.high[name], v.max())
        for pair, counts in self.cells.items():
            counts += np.bincount(self.cell(found, pair), minlength=counts.size)

    def cell(self, found: dict[str, Array], pair: tuple[str, str]) -> NDArray[np.int64]:
        """Number of the cell of each event."""
        first, second = (np.searchsorted(self._steps[name], found[name]) for name in pair)
        return first * self._slices + second

    @property
    def n_eff(self) -> float:
        """Equal events that would say as much."""
        return self.total**2 / self.squares


def crosscheck_events(
    source: EventSource | str | Path, card: CardLike | None = None, *, progress: Progress = None
) -> Table[EventCheck]:
    """Compare events with the exact cross section at the same energies, mass, targets and form factor.

    Parameters
    ----------
    source : path or events
        Of mcgen or of another generator, weighted or not.
    card : Card, str or Path, optional
        For a file of another generator.
    progress : bool or callable, optional
        True shows a bar; a function is called with the number of events done.

    Returns
    -------
    list of EventCheck
        For each energy and target of another generator, or for each target that events of mcgen were made on.

    Raises
    ------
    InputError
        If the file cannot be used, or holds chosen branches only.
    """
    events = load(source, card=card) if isinstance(source, str | Path) else source
    events.metadata.check_one_mass("crosscheck")
    lacking = [name for name in NEEDED if name not in events.branches]
    refuse_if(lacking, f"crosscheck: the events lack {', '.join(lacking)}")
    beam = Source(parse_card(str(events.metadata["card"]), "of the event file"))
    found = expected_of(beam, events.metadata)
    tallies = [_Tally(expected, expected.sample.n_events if expected.sample else len(events)) for expected in found]
    done = 0
    with reported(progress, "events", len(events)) as step:
        for chunk in events.iterate(NEEDED):
            for tally in tallies:
                tally.add(chunk)
            done += len(chunk["weight"])
            if step:
                step(done)
    return Table(_checked(tally, events) for tally in tallies if tally.n)


def _checked(tally: _Tally, events: EventSource) -> EventCheck:
    expected, metadata = tally.expected, events.metadata
    refuse_if(
        tally.total <= 0.0, f"crosscheck: the weights of events on {expected.target.name} add up to no cross section"
    )
    exact, sample = expected.sigma(), expected.sample
    error = sample.relative_error if sample else metadata.norm_error
    n = sample.n_events if sample else len(events)
    plain = weighted_sum(tally.total, tally.squares, n, error)
    sigma = Estimate(expected.unit * plain.value, expected.unit * plain.error, plain.n_eff)
    share, places = _missing(tally, exact.value)
    spectra = {name: _spectrum(tally, name) for name in VARIABLES}
    stated = None if "sigma_from" in metadata else sigma
    return EventCheck(
        expected.target.name, expected.E, metadata.m_S, tally.n, stated, exact, share, places, spectra
    )  # fmt: skip


def _spectrum(tally: _Tally, name: str) -> Spectrum:
    """A spectrum, with its shape compared in bins that are worth ten events."""
    unit, (sums, squares), edges = tally.expected.unit, tally.sums[name], tally.edges[name]
    exact = tally.expected.bins(name, edges)
    shares = exact / exact.sum()
    first = _joined(shares * tally.n_eff)
    theirs, spread, ours = (np.add.reduceat(column, first) for column in (sums, squares, shares))
    pulls = share_pulls(theirs, spread, tally.total, tally.squares, ours, np.zeros(first.size))
    chi2 = float(np.sum(pulls**2 * (1.0 - ours))) if first.size > 1 else 0.0
    worst = int(np.argmax(np.abs(pulls))) if first.size > 1 else 0
    ends = np.append(edges[first], edges[-1]).tolist()
    return Spectrum(
        edges,
        unit * sums,
        unit * np.sqrt(squares),
        exact,
        chi2,
        first.size - 1,
        chi2_probability(chi2, first.size - 1) if first.size > 1 else 1.0,
        float(pulls[worst]) if first.size > 1 else 0.0,
        (ends[worst], ends[worst + 1]),
    )


def _joined(events: Array) -> NDArray[np.int64]:
    """First bins of runs of bins that are worth ten events each."""
    first, held = [0], 0.0
    for i, worth in enumerate(events.tolist()):
        if held > _WORTH * 1.01:  # surely more than what `share_pulls` asks for
            first.append(i)
            held = 0.0
        held += worth
    if held <= _WORTH * 1.01 and len(first) > 1:
        first.pop()
    return np.array(first)


def _missing(tally: _Tally, sigma: float) -> tuple[float, list[Missing]]:
    """Share of the exact cross section where there are no events, and the places: beyond the extremes, and cells.

    Cells that are empty in part do not count: a hole has at least this share.
    """
    weight = tally.ours["weight"] / tally.ours["weight"].sum()
    found: list[tuple[Missing, NDArray[np.bool_]]] = []
    for name, v in tally.points.items():
        edges = tally.edges[name]
        for low, high in ((float(edges[0]), tally.low[name]), (tally.high[name], math.inf)):
            beyond = (v < high) if high < math.inf else (v > low)
            if tally.n_eff * weight[beyond].sum() > _SURE:
                share = tally.expected.bins(name, [low, _end(tally, name, high)]).sum() / sigma
                found.append((Missing(name, low, _end(tally, name, high), float(share)), beyond))
    for pair, counts in tally.cells.items():
        cell = tally.cell(tally.points, pair)
        worth = tally.n_eff * np.bincount(cell, weight, counts.size)
        holes = ((worth > _SURE) & (counts == 0))[cell]
        for _, known in found:
            holes &= ~known
        if holes.any():
            found.append((Missing(", ".join(pair), None, None, float(weight[holes].sum())), holes))
    found.sort(key=lambda place: -place[0].share)
    places = [place for place, _ in found]
    if not found:
        return 0.0, []
    others = np.any([where for _, where in found], axis=0) & ~found[0][1]
    return min(1.0, places[0].share + float(weight[others].sum())), places


def _end(tally: _Tally, name: str, high: float) -> float:
    """The limit itself, or where a variable ends."""
    return high if high < math.inf else {"x": 1.0, "theta": math.pi, "t": float(tally.edges["t"][-1])}[name]


def write_spectra(checks: Sequence[EventCheck], path: str | Path, *, overwrite: bool = False) -> None:
    """Table of all bins."""
    header = ["target", "energy_gev", "variable", "low", "high", "sigma_pb", "error_pb", "exact_pb"]
    rows = [
        [check.target, check.energy_gev, name, low, high, *values]
        for check in checks
        for name, s in check.spectra.items()
        for low, high, *values in zip(
            s.edges[:-1].tolist(), s.edges[1:].tolist(), s.sigma_pb.tolist(), s.error_pb.tolist(), s.exact_pb.tolist(),
            strict=True,
        )
    ]  # fmt: skip
    with overwriting(overwrite):
        files.write_csv(path, header, rows)
