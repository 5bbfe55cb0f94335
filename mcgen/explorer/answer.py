"""What a set-up sees, part by part, the most important first; a computation that is stale stops."""

from __future__ import annotations

import functools
import math
import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcgen.analysis.crossings import Signal
from mcgen.analysis.reach import Scan, SignalsOf, rows_at, signals_of_models
from mcgen.analysis.reach_rows import ReachTable
from mcgen.analysis.threshold import limit_of, title_of
from mcgen.base.arrays import Array
from mcgen.base.errors import McgenWarning
from mcgen.base.units import parse_list
from mcgen.card.card import Card
from mcgen.explorer.point import chain_of, chain_of_events
from mcgen.explorer.setup import Setup
from mcgen.physics.emission import cross_section
from mcgen.physics.emission.rules import rules
from mcgen.quadrature.yields import beam_nodes
from mcgen.report.drawing import Layout, layout
from mcgen.source.source import Source, source_of

#: in the order in which they come
PARTS = ("contour", "events", "spectrum", "angle", "layout")
#: couplings of the map of N_S, and bins of a spectrum
COUPLINGS, BINS = 49, 40
#: energies of the beam, and nodes in x, u, t and a bin, for the distribution of the angle
_ENERGIES, _NODES = 6, (32, 1, 12, 4)
#: threads over the masses of a contour
_WORKERS = min(4, os.cpu_count() or 1)
#: share of the S beyond the ends of an axis
_BEYOND = 1e-3


class Stale(Exception):  # noqa: N818
    """Somebody moved on: nobody waits for this answer any more."""


@dataclass(frozen=True)
class Contour:
    """Where N_S exceeds what counts as seen."""

    rows: ReachTable  #: as `mcgen reach` gives them
    criterion: str  #: a line about the limit


@dataclass(frozen=True)
class SignalMap:
    """N_S over masses and couplings."""

    m_S: Array  #: GeV, (masses,)
    g_mu: Array  #: (couplings,)
    n_signal: dict[str, Array]  #: by model, (masses, couplings)


@dataclass(frozen=True)
class Spectrum:
    """Bosons of the pointed mass and coupling per bin."""

    variable: str  #: "E_S" or "theta"
    edges: Array  #: GeV or rad, (bins + 1,)
    made: Array  #: S that are made, per bin, (bins,)
    seen: Array | None  #: those that count; None if all fly along the beam, whatever their angle


@dataclass(frozen=True)
class Answer:
    """A part of what a set-up sees."""

    part: str  #: contour, events, spectrum, angle or layout
    value: Contour | SignalMap | Spectrum | Layout
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0  #: that it took


class _Kept:
    """N_S of models at each mass of a scan, kept for the map."""

    def __init__(self) -> None:
        self.found: dict[float, dict[str, Signal]] = {}

    def __call__(
        self, card: Card, models: Sequence[str], m_S: float, method: str, events_of: Card | None
    ) -> dict[str, Signal]:
        """As `signals_of_models`."""
        found = self.found[m_S] = signals_of_models(card, models, m_S, method, events_of)
        return found


def answers(setup: Setup, stale: Callable[[], bool] = lambda: False, parts: Sequence[str] = PARTS) -> Iterator[Answer]:
    """Parts of what a set-up sees: contour, events (N_S over masses and couplings), spectrum, angle, layout.

    Beams that collide have no layout.

    Parameters
    ----------
    setup : Setup
    stale : callable
        Asked between masses and parts whether nobody waits any more.
    parts : sequence of str
        Those that are wanted.

    Raises
    ------
    Stale
        As soon as `stale` says so.
    InputError
        If the card or something that is asked for cannot be computed; parts that came before hold.
    """
    kept = _Kept()

    def go_on(*_: object) -> None:
        if stale():
            raise Stale

    ways: dict[str, Callable[[], Any]] = {
        "contour": lambda: contour(setup, kept, go_on),
        "events": lambda: signal_map(setup, kept, go_on),
        "spectrum": lambda: energy_spectrum(setup),
        "angle": lambda: angle_spectrum(setup),
        "layout": lambda: layout(setup.card, setup.look.m_S),
    }
    if setup.card.collider:  # nothing lies along one beam
        del ways["layout"]
    for part in [part for part in parts if part in ways]:
        go_on()
        begin = time.perf_counter()
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", McgenWarning)
            value = ways[part]()
        texts = dict.fromkeys(str(one.message) for one in said if issubclass(one.category, McgenWarning))
        yield Answer(part, value, tuple(texts), time.perf_counter() - begin)


def contour(setup: Setup, signals: SignalsOf = signals_of_models, step: Callable[[int], None] | None = None) -> Contour:
    """The contour, by what `mcgen reach` calls.

    Parameters
    ----------
    setup : Setup
    signals : callable
        As `mcgen.analysis.reach.Scan` takes it.
    step : callable, optional
        Called with the number of masses done.
    """
    card, look = setup.card, setup.look
    scan = Scan(card, look.models, limit_of(card), look.production, signals=signals)
    rows = rows_at(scan, look.masses, _WORKERS, step)
    return Contour(rows, title_of([(card.name, scan.limit)]))


def signal_map(setup: Setup, kept: _Kept | None = None, step: Callable[[int], None] | None = None) -> SignalMap:
    """N_S over masses and couplings, as `mcgen grid` has it.

    Parameters
    ----------
    setup : Setup
    kept : _Kept, optional
        What is known from the contour.
    step : callable, optional
        Called with the number of masses done.
    """
    card, look, kept = setup.card, setup.look, kept or _Kept()
    g_mu = np.array(parse_list(f"{look.g_start!r}:{look.g_stop!r}:{COUPLINGS}", geometric=True))
    found: dict[str, list[Array]] = {model: [] for model in look.models}
    for number, m_S in enumerate(look.masses, 1):
        signals = kept.found.get(m_S) or kept(card, look.models, m_S, look.production, None)
        for model in look.models:
            found[model].append(np.asarray(signals[model](g_mu)))
        if step:
            step(number)
    return SignalMap(np.array(look.masses), g_mu, {model: np.array(rows) for model, rows in found.items()})


def energy_spectrum(setup: Setup) -> Spectrum:
    """Energies of the S of the pointed mass and coupling."""
    card, look = setup.card, setup.look
    source_of(card).check_mass(look.m_S, "look.m_S")
    if card.collider:
        return _of_events(setup, "E_S")
    chain = chain_of(card, look.model, look.m_S)
    edges = _ends(chain.E_S, chain.stages[0].made.weight, look.m_S, False)
    binned = chain_of(card, look.model, look.m_S, tuple(edges.tolist()))
    return Spectrum("E_S", edges, *binned.binned(look.g_mu, "E_S", edges))


def angle_spectrum(setup: Setup) -> Spectrum:
    """Angles of the S of the pointed mass and coupling to the beam."""
    card, look = setup.card, setup.look
    source_of(card).check_mass(look.m_S, "look.m_S")
    chain = chain_of(card, look.model, look.m_S)
    if card.collider or chain.events is not None:
        return _of_events(setup, "theta")
    edges, made = _angles(Source(card), look.model, look.m_S)
    return Spectrum("theta", edges, chain.boson.rate(look.g_mu) * made, None)


def _of_events(setup: Setup, variable: str) -> Spectrum:
    look = setup.look
    chain = chain_of_events(setup.card, look.model, look.m_S)
    numbers, weight = (chain.E_S if variable == "E_S" else chain.theta), chain.stages[0].made.weight
    edges = _ends(numbers, weight, look.m_S if variable == "E_S" else 0.0, variable == "theta")
    return Spectrum(variable, edges, *chain.binned(look.g_mu, variable, edges))


def _ends(values: Array, weight: Array, low: float, log: bool) -> Array:
    """Edges of bins that hold nearly all of some values; in equal ratios they begin where few are smaller."""
    order = np.argsort(values)
    share = np.cumsum(weight[order]) / max(float(weight.sum()), 1e-300)
    last = float(values[order][min(int(np.searchsorted(share, 1.0 - _BEYOND)), values.size - 1)])
    if not log:
        return np.linspace(low, np.nextafter(values.max(), math.inf), BINS + 1)
    first = float(values[order][np.searchsorted(share, _BEYOND)])
    return np.geomspace(max(first, 1e-12), max(last, 1.001 * first, 1.1e-12), BINS + 1)


@functools.lru_cache(maxsize=8)
def _made_at_angles(card: Card, ratio: float, m_S: float) -> tuple[Array, Array]:
    """Edges in rad, and S per beam particle at unit coupling between them."""
    source = Source(card)
    nodes = [
        (source.process(m_S, target, ratio=ratio), E, weight)
        for target, energies, weights in beam_nodes(source, m_S, _ENERGIES)
        for E, weight in zip(energies.tolist(), weights.tolist(), strict=True)
    ]
    _, E, _ = nodes[0]
    typical = math.hypot(card.beam.mass, m_S) / E
    edges = np.geomspace(1e-2 * typical, min(math.pi, 1e2 * typical), BINS + 1)
    total = np.zeros(BINS)
    for process, E, weight in nodes:
        integrate, _ = cross_section.bins(process)["theta"]
        total += weight * integrate(E, process, edges, rules(*_NODES))
    return edges, total


def _angles(source: Source, model: str, m_S: float) -> tuple[Array, Array]:
    return _made_at_angles(source.card, source.electron_ratio(model), m_S)
