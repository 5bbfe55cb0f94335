"""Where a sum of signals crosses the limits, and how well events tell."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence

import numpy as np

from mcgen.analysis.crossings import LOWEST, Intervals, Signal, intervals_at
from mcgen.analysis.reach_rows import Errors, Found
from mcgen.analysis.reweight import EventSignal
from mcgen.analysis.threshold import Limit
from mcgen.base.arrays import Array
from mcgen.base.errors import McgenWarning

#: share of a coupling over which the slope of N_S is taken
_STEP = 1e-4
#: an end that rests on fewer effective events is announced: they do not know their own error
_ENOUGH = 10.0


class FewEventsWarning(McgenWarning):
    """An end of a contour rests on few effective events."""


def warn_of_few(name: str, found: Iterable[tuple[float, Found]]) -> None:
    """Warn of the mass in GeV at which an end rests on the fewest effective events, if these are few."""
    n_eff, m_S = min(((one.n_eff, m_S) for m_S, one in found), default=(math.inf, 0.0))
    if n_eff < _ENOUGH:
        what = f"an end of the contour at {1e3 * m_S:g} MeV rests on {n_eff:.1f} effective events"
        warnings.warn(f"{name}: {what}, and its error says too little", FewEventsWarning, stacklevel=4)


def found_of(parts: Sequence[tuple[float, Signal]], limit: Limit) -> Found:
    """Ranges of couplings with more signal than the limit and its bands, and errors of the limit's ends.

    Parameters
    ----------
    parts : sequence of (share, signal)
        The shares of these signals add up.
    limit : Limit
    """

    def total(g_mu: Array) -> Array:
        return np.asarray(sum(share * signal(g_mu) for share, signal in parts))

    thresholds = limit.thresholds
    ranges = dict(zip(thresholds, intervals_at(total, thresholds), strict=True))
    if not any(isinstance(signal, EventSignal) for _, signal in parts):
        return Found(ranges)
    errors, n_eff = _errors(parts, total, ranges[limit.events])
    return Found(ranges, errors, n_eff=n_eff)


def _errors(parts: Sequence[tuple[float, Signal]], total: Signal, ranges: Intervals) -> tuple[list[Errors], float]:
    """Statistical errors of the ends of ranges, the relative one of N_S over its slope in log(g), and least n_eff."""
    ends = np.array([g for one in ranges for g in one if LOWEST < g < math.inf])
    if not ends.size:
        return [(None, None)] * len(ranges), math.inf
    estimates = [
        [one.times(share) for one in signal.estimates(ends)]
        for share, signal in parts
        if isinstance(signal, EventSignal)
    ]
    squares = np.sum([[one.error**2 for one in row] for row in estimates], axis=0)
    up, down = (total(ends * (1.0 + step)) for step in (_STEP, -_STEP))
    rise = np.abs(up - down) / (2.0 * _STEP)  # dN / dln g
    known = dict(zip(ends.tolist(), zip((ends * np.sqrt(squares)).tolist(), rise.tolist(), strict=True), strict=True))

    def error(end: float) -> float | None:
        scaled, slope = known.get(end, (0.0, 0.0))
        return scaled / slope if slope > 0.0 and math.isfinite(scaled / slope) else None

    n_eff = max(min(one.n_eff for one in row) for row in estimates)  # of towers the state that is known best
    return [(error(low), error(high)) for low, high in ranges], n_eff
