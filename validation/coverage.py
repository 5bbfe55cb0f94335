"""Coverage of limits: how often the true signal is below the limit, from toys; `python -m validation.coverage`.

Prints markdown tables. The second one has a background that is known with an error: in its toys the true background is
drawn, or fixed where it was expected or one standard deviation off.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mcgen.base.errors import InputError
from mcgen.statistics.limits import METHODS, limit_events

CONFIDENCE, TOYS, SEED = 0.9, 10_000, 1
#: what is measured: method and calctype
KINDS = [*((method, "exact") for method in METHODS), ("cls", "asymptotics")]


class Point(NamedTuple):
    """A true signal, and what the search knows of its background."""

    signal: float
    background: float
    background_error: float = 0.0


POINTS = [Point(3.0, 0.0), Point(1.8, 0.07), Point(1.0, 3.0), Point(5.0, 3.0), Point(10.0, 20.0)]
UNCERTAIN = Point(10.0, 20.0, 5.0)
#: name of a row -> standard deviations of the true background from the expected one; None: drawn
TRUTHS = {"drawn": None, "as expected": 0.0, "1 sigma above": 1.0, "1 sigma below": -1.0}


def limit(point: Point, n: int, method: str, calctype: str) -> float:
    """The limit at a count; 0 where every signal is excluded."""
    try:
        return limit_events(n, point.background, point.background_error, 0.0, CONFIDENCE, method, calctype)
    except InputError:  # of method poisson
        return 0.0


def counts(point: Point, number: int, shift: float | None = 0.0) -> np.ndarray:
    """Counts of toys; the true background is `shift` standard deviations above the expected one, or drawn."""
    rng = np.random.default_rng(SEED)
    if shift is not None:
        return rng.poisson(point.signal + point.background + shift * point.background_error, number)
    drawn = rng.normal(point.background, point.background_error, 4 * number)
    return rng.poisson(point.signal + drawn[drawn >= 0.0][:number])


def coverage(point: Point, method: str, calctype: str, n: np.ndarray) -> tuple[float, float]:
    """Share of counts whose limit is the true signal or more, and its error."""
    found, often = np.unique(n, return_counts=True)
    covered = [limit(point, int(k), method, calctype) >= point.signal for k in found]
    share = float(often @ np.array(covered)) / len(n)
    return share, math.sqrt(max(share * (1.0 - share), 1.0 / len(n)) / len(n))


def row(name: str, point: Point, n: np.ndarray) -> str:
    """A row of the table: the coverage of each method in per cent."""
    cells = []
    for method, calctype in KINDS:
        if calctype != "exact" and point.background == 0.0:
            cells.append("-")
            continue
        share, error = coverage(point, method, calctype, n)
        cells.append(f"{100.0 * share:.1f} ± {100.0 * error:.1f}")
    return f"| {name} | {' | '.join(cells)} |"


def table(number: int = TOYS) -> str:
    """Both tables as markdown."""
    names = [method if calctype == "exact" else f"{method}, {calctype}" for method, calctype in KINDS]
    rule = "|---" * (len(names) + 1) + "|"
    first = [row(f"{p.signal:g}, {p.background:g}", p, counts(p, number)) for p in POINTS]
    second = [row(name, UNCERTAIN, counts(UNCERTAIN, number, shift)) for name, shift in TRUTHS.items()]
    heads = [f"| {what} | {' | '.join(names)} |" for what in ("s, b", "true b")]
    return "\n".join([heads[0], rule, *first, "", heads[1], rule, *second])


if __name__ == "__main__":
    print(table())
