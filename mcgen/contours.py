"""Exclusion contours: the couplings between which N_S exceeds a threshold, per mass."""

from __future__ import annotations

import csv
import functools
import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mcgen import rates, reweighting
from mcgen.card import Card
from mcgen.errors import InputError, check_number, choose
from mcgen.files import open_atomic, overwriting
from mcgen.generation import generate
from mcgen.physics.couplings import MODELS
from mcgen.physics.scalar_decay import total_width
from mcgen.quantities import LOWEST_MASS

Array = NDArray[np.float64]

#: couplings looked at: none below makes a signal in any experiment, none above is a theory
LOWEST, HIGHEST = 1e-12, 1e3
#: events per mass where the detector has a shape, for which there is no quadrature
EVENTS = 20_000
#: points of a scan; pieces of a step, and how often a crossing is zoomed in: steps of 1e-4, then log-log interpolation
_SCAN, _PIECES, _ZOOMS = 64, 8, 4


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


@dataclass(frozen=True, slots=True)
class ReachPoint:
    """Interval of g_mu with more than the threshold of signal events; None where there is none.

    An infinite `g_high` means that no coupling up to 1e3 is too large to be seen.
    """

    experiment: str
    model: str
    production: str
    mass_gev: float
    g_low: float | None
    g_high: float | None


def _crossing(signal: Callable[[Array], Array], threshold: float, outside: float, inside: float) -> float:
    """Coupling where the signal passes the threshold, between one below and one above it."""
    for _ in range(_ZOOMS):
        g = np.geomspace(outside, inside, _PIECES + 1)
        above = signal(g) > threshold
        first = int(np.argmax(above)) if above.any() else _PIECES
        outside, inside = float(g[max(0, first - 1)]), float(g[first])
    low, high = (max(float(v), 1e-300) for v in signal(np.array([outside, inside])))
    fraction = math.log(threshold / low) / math.log(high / low) if high > low else 0.5
    return float(outside * (inside / outside) ** min(1.0, max(0.0, fraction)))


def interval(signal: Callable[[Array], Array], threshold: float) -> tuple[float | None, float | None]:
    """Lowest and highest coupling with a signal above the threshold; `signal` maps couplings to N_S."""
    g = np.geomspace(LOWEST, HIGHEST, _SCAN)
    counts = signal(g)
    best = int(np.argmax(counts))
    if counts[best] <= threshold:  # the maximum may lie between two points of the scan
        g = np.geomspace(g[max(0, best - 1)], g[min(_SCAN - 1, best + 1)], _SCAN)
        counts = signal(g)
    above = np.flatnonzero(counts > threshold)
    if above.size == 0:
        return None, None
    first, last = int(above[0]), int(above[-1])
    low = _crossing(signal, threshold, float(g[first - 1]), float(g[first])) if first > 0 else float(g[0])
    if last == _SCAN - 1:
        return low, math.inf
    return low, _crossing(signal, threshold, float(g[last + 1]), float(g[last]))


def signal_of(
    nodes: rates.Production, model: str, particles: float, card: Card | None = None
) -> Callable[[Array], Array]:
    """N_S as a function of couplings; all couplings of a model grow with g_mu, so the width with g_mu^2.

    The card says what decays how; without one it is a scalar.
    """
    width = rates.card_width(card, model, 1.0, nodes.m_S) if card else total_width(MODELS[model](1.0), nodes.m_S)
    shares = rates.signal_shares(card, model, nodes.m_S) if card else (1.0, 0.0)
    if card:
        particles *= rates.production_coupling(card, model, 1.0) ** 2

    def at(g_mu: Array) -> Array:
        sums = [nodes.signal(width * g * g, shares) for g in g_mu]
        return np.asarray(particles * g_mu**2 * np.array(sums))

    return at


def _signals(card: Card, models: Sequence[str], m_S: float, production: str) -> dict[str, Callable[[Array], Array]]:
    """N_S of each model as a function of couplings: by quadrature, or from events if the detector has a shape."""
    if card.detector.geometry == "paper":
        nodes = rates.production(card, m_S, production)
        return {model: signal_of(nodes, model, card.beam.muons, card) for model in models}
    blind = card.detector.signature == "displaced"  # to what cannot decay
    seen = [m for m in models if card.makes(m_S) and not (blind and rates.card_width(card, m, 1.0, m_S) == 0.0)]
    events = generate(card, m_S, EVENTS) if seen else None
    found: dict[str, Callable[[Array], Array]] = dict.fromkeys(models, np.zeros_like)
    if events is not None:
        for model in seen:
            found[model] = functools.partial(reweighting.signal_sums, events, card, model, m_S)
    return found


def _summed(signals: Sequence[Callable[[Array], Array]], g_mu: Array) -> Array:
    return np.asarray(sum(signal(g_mu) for signal in signals))


def reach(
    card: Card,
    models: Sequence[str] | None = None,
    masses: Iterable[float] = (0.1,),
    n_signal: float = 3.0,
    production: str = "exact",
    *,
    tower: Tower | None = None,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> list[ReachPoint]:
    """Couplings an experiment can see, by quadrature (Eqs. 17-20), or from events for geometry "3d".

    Parameters
    ----------
    card : Card
    models : sequence of {"A", "B", "dark-photon", "Lmu-Ltau"}, optional
        By default those of the card's scan.
    masses : iterable of float
        Scalar masses in GeV.
    n_signal : float
        Number of signal events that counts as seen; 3 is a limit at 95 % CL without background.
    production : {"exact", "ww", "iww"}
    tower : Tower, optional
        Several scalars whose signals add up; the mass is that of the lightest.
    workers : int
        Threads, one mass each.

    Returns
    -------
    list of ReachPoint
        One per model and mass, in this order.
    """
    masses = list(masses)
    choose(production, rates.METHODS, "production")
    models = models or card.scan.models
    card.check_models(models)
    is_3d = card.detector.geometry == "3d"
    if is_3d and production != "exact":
        message = f"production {production}: the detector of card {card.name} needs events, and those are exact"
        raise InputError(message)
    _check_threshold(n_signal)
    check_number("workers", workers, 0, 1024)
    for m_S in masses:
        check_number("mass", m_S, LOWEST_MASS, 1e6)
    rates.check_widths(card, models, [m for m_S in masses for m in (tower or Tower()).masses(m_S)])

    def points(m_S: float) -> dict[str, ReachPoint]:
        states = [_signals(card, models, m, production) for m in (tower or Tower()).masses(m_S)]
        label = "events" if is_3d else production
        found = {}
        for model in models:
            edges = interval(functools.partial(_summed, [state[model] for state in states]), n_signal)
            found[model] = ReachPoint(card.name, model, label, m_S, *edges)
        return found

    results = []
    with ThreadPoolExecutor(workers) as pool:
        for done, found in enumerate(pool.map(points, masses), 1):
            results.append(found)
            if progress:
                progress(done)
    return [found[model] for model in models for found in results]


def reach_from_events(
    sources: Sequence[str | Path],
    models: Sequence[str] | None = None,
    n_signal: float = 3.0,
    *,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> list[ReachPoint]:
    """The same from event files or folders, one per mass; the models are by default those of the first file's card."""
    _check_threshold(n_signal)
    found = []
    for model in models or reweighting.card_of(reweighting.open_events(sources[0])).scan.models:
        choose(model, MODELS, "model")
        for path in sources:
            source = reweighting.open_events(path)
            card = reweighting.card_of(source)
            m_S = float(source.metadata["mass_gev"])

            def signal(g_mu: Array) -> Array:
                return reweighting.signal_sums(source, card, model, m_S, g_mu, workers)  # noqa: B023 - used before the next turn

            found.append(ReachPoint(card.name, model, "events", m_S, *interval(signal, n_signal)))
            if progress:
                progress(len(found))
    return found


def _check_threshold(n_signal: float) -> None:
    if not (math.isfinite(n_signal) and n_signal > 0.0):
        message = f"n_signal: {n_signal} must be positive"
        raise InputError(message)


def write_csv(points: Iterable[ReachPoint], path: str | Path, *, overwrite: bool = False) -> None:
    """Table of the contours; g_low is empty where N_S never reaches the threshold, g_high also where it never ends."""
    with overwriting(overwrite), open_atomic(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["experiment", "model", "production", "mass_gev", "g_low", "g_high"])
        for point in points:
            writer.writerow(["" if value in (None, math.inf) else value for value in astuple(point)])
