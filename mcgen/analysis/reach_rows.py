"""Rows of a table of contours: what is excluded at a mass, what is expected, and how sure both are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from mcgen.analysis.crossings import LOWEST, Intervals
from mcgen.analysis.threshold import EVENTS, METHOD_NAMES, PLAIN, Limit
from mcgen.base import files
from mcgen.base.files import overwriting
from mcgen.base.printed import with_error
from mcgen.base.table import Table

#: errors of the ends of an interval, None where there is no end
Errors = tuple[float | None, float | None]
_NO_ERRORS: Errors = (None, None)


@dataclass(frozen=True, slots=True)
class ReachPoint:
    """Interval of g_mu with more signal events than the limit; None where there is none.

    A mass with several intervals has several points. An infinite `g_high` means that no coupling up to 1e3 is too
    large to be seen. Beside the interval stand the ends of the one that is expected without a signal.
    """

    experiment: str
    model: str
    production: str
    mass_gev: float
    g_low: float | None
    g_high: float | None
    limit_events: float | None = EVENTS  #: observed, or the median expected one; of bins those at g_low
    method: str = PLAIN
    observed: int | None = None
    confidence: float | None = None
    expected: float | None = None  #: lower end at the median expected limit
    minus_2: float | None = None  #: and at those 2 and 1 sigma below and above it
    minus_1: float | None = None
    plus_1: float | None = None
    plus_2: float | None = None
    expected_high: float | None = None  #: upper ends
    minus_2_high: float | None = None
    minus_1_high: float | None = None
    plus_1_high: float | None = None
    plus_2_high: float | None = None
    limits: Mapping[str, float | None] | None = (
        None  #: signal events of the bands, by their names; of bins at lower ends
    )
    g_low_error: float | None = None  #: statistical, of contours from events
    g_high_error: float | None = None
    g_low_min: float | None = None  #: over variations of form factor or energy loss; None where one excludes nothing
    g_low_max: float | None = None
    g_high_min: float | None = None
    g_high_max: float | None = None
    varied: str | None = None  #: what was varied


_NAMES = [field.name for field in fields(ReachPoint)]
#: columns that every table has, those of a search, and those that are no cell
_ALWAYS, _OF_SEARCH, _NO_CELL = _NAMES[:6], _NAMES[6:20], "limits"


def columns_of(points: Iterable[ReachPoint]) -> list[str]:
    """Names of the columns in which some row says something."""
    rows = list(points)
    used = {name for name in _NAMES[20:] if any(getattr(row, name) is not None for row in rows)} | {*_ALWAYS}
    used |= {*_OF_SEARCH} if any(row.method != PLAIN for row in rows) else set()
    return [name for name in _NAMES if name in used and name != _NO_CELL]


class ReachTable(Table[ReachPoint]):
    """Contours: a list that shows itself as a table, without the columns in which nothing stands."""

    @property
    def columns(self) -> list[str]:
        """Names of the fields."""
        return columns_of(self) if self else []


class Found(NamedTuple):
    """What is found of one model at one mass."""

    ranges: Mapping[Any, Intervals]  #: by `Limit.key`: the number of signal events, or the level in bins
    errors: Sequence[Errors] = ()  #: of the intervals at the limit
    varied: Sequence[Intervals] = ()  #: at the limit, of each variation
    coarse: float = 0.0  #: share of N_S at these ends that the error of its quadrature is, if it is much
    n_eff: float = math.inf  #: effective events that the end with the fewest rests on
    events: Mapping[float, float] | None = None  #: of a search in bins: signal events in all bins, by lower ends


def rows_of(
    place: tuple[str, str, str, float], limit: Limit, found: Found, varied: str | None = None
) -> Iterator[ReachPoint]:
    """One row per excluded interval, and one for what is expected or varied to be excluded where nothing is.

    Parameters
    ----------
    place : (str, str, str, float)
        Experiment, model, production and mass in GeV.
    limit : Limit
    found : Found
    varied : str, optional
        What was varied.
    """
    excluded = found.ranges[limit.key()]
    errors = dict(zip(excluded, found.errors, strict=False))
    islands = _joined([*(ranges for key, ranges in found.ranges.items() if key != 0.0), *found.varied])
    if not islands:
        yield ReachPoint(*place, None, None, **_of(limit, found, None, varied))
    for island in islands:
        inside = _overlapping(excluded, island)
        for one in inside:
            low, high = errors.get(one, _NO_ERRORS)
            yield ReachPoint(*place, *one, **_of(limit, found, one, varied), g_low_error=low, g_high_error=high)
        if not inside:
            yield ReachPoint(*place, None, None, **_of(limit, found, island, varied))


def _joined(several: Iterable[Intervals]) -> Intervals:
    """Ranges that are in any of several sets of them."""
    joined: list[tuple[float, float]] = []
    for low, high in sorted(one for ranges in several for one in ranges):
        if joined and low <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], high)
        else:
            joined.append((low, high))
    return tuple(joined)


def _overlapping(ranges: Intervals, place: tuple[float, float]) -> list[tuple[float, float]]:
    return [one for one in ranges if one[0] <= place[1] and one[1] >= place[0]]


def _ends(ranges: Intervals, place: tuple[float, float] | None) -> tuple[float | None, float | None]:
    """Lowest and highest end of the ranges that overlap a place: at a lower limit the one around it, else those in it.

    Where every coupling is excluded there is none.
    """
    near = _overlapping(ranges, place) if place else []
    return (near[0][0], near[-1][1]) if near and near[0][0] > LOWEST else (None, None)


def _of(limit: Limit, found: Found, place: tuple[float, float] | None, varied: str | None) -> dict[str, Any]:
    """Fields of a row beside the interval itself."""
    row: dict[str, Any] = {"limit_events": limit.events, "method": limit.method}
    if limit.bands:
        row |= {"observed": limit.observed, "confidence": limit.confidence, "limits": limit.bands._asdict()}
        for name in row["limits"]:
            row[name], row[f"{name}_high"] = _ends(found.ranges[limit.key(name)], place)
    if found.events is not None:
        row["limit_events"] = found.events[place[0]] if place in found.ranges[limit.key()] else None
        row["limits"] = {name: found.events.get(row[name]) for name in row["limits"]}
    if varied:
        lows, highs = zip(*(_ends(ranges, place) for ranges in (found.ranges[limit.key()], *found.varied)), strict=True)
        row |= {"varied": varied, "g_low_min": _least(lows), "g_high_max": _most(highs)}
        if None not in highs:  # else a variation excludes nothing, and no coupling is excluded by all
            row |= {"g_low_max": _most(lows), "g_high_min": _least(highs)}
    return row


def _least(ends: Iterable[float | None]) -> float | None:
    return min((end for end in ends if end is not None), default=None)


def _most(ends: Iterable[float | None]) -> float | None:
    return max((end for end in ends if end is not None), default=None)


def short_words(point: ReachPoint) -> str:
    """The limit of a row in a few words, for legends."""
    if point.confidence is None:
        return f"$N_S$ > {point.limit_events:g}"
    counts = "expected" if point.observed is None else f"{point.observed} observed"
    return f"{100.0 * point.confidence:.6g} % CL, {METHOD_NAMES[point.method]}, {counts}"


def coupling_text(value: float | None) -> str:
    """A coupling as tables print it."""
    return "-" if value is None else "open" if value == math.inf else f"{value:.5g}"


def span_text(low: float | None, high: float | None) -> str:
    """A range of couplings as tables print it."""
    return "-" if low is high is None else f"{coupling_text(low)} .. {coupling_text(high)}"


def printed_row(point: ReachPoint) -> list[str]:
    """Experiment, model, production, mass in MeV and both ends, with statistical errors of those from events."""
    ends = ((point.g_low, point.g_low_error), (point.g_high, point.g_high_error))
    couplings = [coupling_text(g) if error is None or g is None else with_error(g, error) for g, error in ends]
    return [point.experiment, point.model, point.production, f"{1e3 * point.mass_gev:.6g}", *couplings]


def document(point: ReachPoint) -> dict[str, Any]:
    """A row as a JSON document, which knows no infinity: an interval without upper end is open."""
    keep = [*_NAMES[:10], *(_NAMES[10:21] if point.limits else []), *columns_of([point])]
    row = {name: getattr(point, name) for name in dict.fromkeys(keep)}
    return {name: None if value == math.inf else value for name, value in row.items()} | {
        "open": point.g_high == math.inf
    }


def write_csv(points: Iterable[ReachPoint], path: str | Path, *, overwrite: bool = False) -> None:
    """Table of the contours, one line per interval.

    g_low is empty where N_S never reaches the limit, g_high also where it never ends. Six columns are always there;
    those of a search, of statistical errors and of variations follow where there are some.
    """
    lines = list(points)
    columns = columns_of(lines)
    cells = ([getattr(point, name) for name in columns] for point in lines)
    rows = (["" if value in (None, math.inf) else value for value in row] for row in cells)
    with overwriting(overwrite):
        files.write_csv(path, columns, rows)
