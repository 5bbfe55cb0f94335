"""Signal of events: which of them count, and their sums at any couplings (Eqs. 17, 19)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mcgen.analysis.line_weights import at_model
from mcgen.base import threads
from mcgen.base.arrays import Array
from mcgen.base.errors import refuse_if
from mcgen.base.estimate import Estimate, weighted_sum
from mcgen.card.card import Card
from mcgen.events.decays import DecayModel, daughters_of
from mcgen.events.events import EventSource
from mcgen.search.binning import Binning
from mcgen.search.search import Search
from mcgen.search.signal import ALL, NONE, Made, signal
from mcgen.source.boson import Boson
from mcgen.source.targets import Target

#: of at most this many events, what their signal needs is kept in memory between couplings
KEPT = 1_000_000


def _made(
    source: EventSource, how: DecayModel, vertex: bool, target: Target | None = None, bins: Binning | None = None
) -> Iterator[Made]:
    """Events that can count, chunk by chunk; all, or those on one target."""
    search, m_S = how.search, how.boson.m_S
    has_width = "S_mass" in source.branches
    has_daughters = search.follows_daughters or (bins is not None and bins.has_daughters)
    if has_daughters:
        source.metadata.check_one_mass("daughters of S")
        if how.boson.visible_width == 0.0:  # no daughters to follow
            return
    needed = ["weight", *search.needed, *(["tau"] if vertex else []), *(["S_mass"] if has_width else [])]
    needed += ["target_Z", "target_A"] if target else []
    needed += how.needed(source) if has_daughters else []
    needed += bins.needed if bins else ()
    for what, names in (("search.efficiency", search.columns), ("bins", bins.needed if bins else ())):
        lacking = [name for name in names if name not in source.branches]
        refuse_if(lacking, f"{what}: needs {', '.join(lacking[:1])}, and these events have no such branch")
    for chunk in source.iterate(list(dict.fromkeys(needed))):
        keep = search.counts(chunk)
        keep &= target.is_struck(chunk) if target else True
        kept = chunk if keep.all() else {name: column[keep] for name, column in chunk.items()}
        if has_daughters:
            kept = kept | daughters_of(kept, how)
        m = kept["S_mass"] if has_width else m_S
        k = np.sqrt(np.maximum((kept["S_E"] - m) * (kept["S_E"] + m), 1e-300))
        if has_width:  # decay lengths go with k/m, and m is the event's own
            k *= m_S / m
        tau = kept["tau"] if vertex else NONE
        made = search.see(kept["weight"], k, kept, search.window(kept), tau, search.layers(kept))
        yield from bins.of_events(made, kept, search) if bins else (made,)


def parts_of(
    source: EventSource,
    how: DecayModel,
    vertex: bool = False,
    target: Target | None = None,
    bins: Binning | None = None,
) -> list[Iterable[Made]]:
    """Events that can count, file by file of a folder."""
    parts = getattr(source, "parts", [source])
    foreign = source.metadata.is_foreign
    return [_made(part, replace(how, seed=part.metadata.seed, foreign=foreign), vertex, target, bins) for part in parts]


def sums_of(
    parts: list[Iterable[Made]], how: DecayModel, g_mu: Iterable[float], edges: Array = ALL, workers: int = 1
) -> tuple[Array, Array]:
    """Signal and sum of squares, (couplings, bins), at unit production coupling; the same for any number of workers."""
    boson = how.boson
    return _added(parts, boson.m_S, [boson.width(g) for g in g_mu], how.search.shares(boson), edges, workers)


def _added(
    parts: list[Iterable[Made]],
    m_S: float,
    widths: list[float],
    shares: tuple[float, float],
    edges: Array,
    workers: int,
) -> tuple[Array, Array]:
    with threads.pool(workers if len(parts) > 1 else 0) as pool:
        sums = np.array(list(pool.map(lambda part: signal(part, m_S, widths, shares, edges), parts)))
    exact = sums[0] if len(sums) == 1 else np.apply_along_axis(math.fsum, 0, sums)
    return exact[0], exact[1]


def _met(made: Made) -> Made:
    """Only what has a way on which its decay counts."""
    if made.layers is not None or made.depth is not None:
        return made
    met = (made.z_min < made.z_max) & (made.weight != 0.0)
    return Made(*(column[met] for column in made[:5]))


@dataclass(frozen=True, slots=True)
class EventSignal:
    """N_S of events as a function of couplings: what a scan for the reach needs."""

    _source: EventSource
    _how: DecayModel
    _kept: list[list[Made]] | None
    _workers: int
    _width: float  #: GeV at g_mu = 1; it grows with the square
    _shares: tuple[float, float]
    _rate: float  #: at g_mu = 1, it grows too

    def _sums(self, g_mu: Array) -> tuple[Array, Array]:
        parts: list[Any] = self._kept or parts_of(self._source, self._how)
        widths = (self._width * (g_mu * g_mu)).tolist()
        return _added(parts, self._how.boson.m_S, widths, self._shares, ALL, self._workers)

    def __call__(self, g_mu: Array) -> Array:
        """N_S at couplings, of the same shape, without errors."""
        sums, _ = self._sums(g_mu)
        return np.asarray(self._rate * g_mu**2 * sums[:, 0])

    def estimates(self, g_mu: Array) -> list[Estimate]:
        """The same with errors."""
        sums, squares = self._sums(g_mu)
        rates = (self._rate * g_mu**2).tolist()
        n, norm_error = len(self._source), self._source.metadata.norm_error
        pairs = zip(rates, sums[:, 0].tolist(), squares[:, 0].tolist(), strict=True)
        return [weighted_sum(total, square, n, norm_error).times(rate) for rate, total, square in pairs]


def refuse_foreign(source: EventSource) -> None:
    """Raise InputError for events of another generator, which say nothing of N_S."""
    what = "events of another generator are at single energies: they give sigma~ (`mcgen reweight`) and no N_S"
    refuse_if(source.metadata.is_foreign, what)


def signal_of(source: EventSource, card: Card, model: str, m_S: float, workers: int = 1) -> EventSignal:
    """N_S of events as a function of couplings.

    Parameters
    ----------
    source : EventSource
        Events of mcgen.
    card : Card
        Whose detector and exposure count.
    model : {"A", "B", "dark-photon", "Lmu-Ltau"}
    m_S : float
        Mass of S in GeV, that of the events.
    workers : int
        Threads over the files of a folder.

    Returns
    -------
    EventSignal
        From couplings, shape (couplings,), to N_S of the same shape.

    Raises
    ------
    InputError
        For events of another generator, which say nothing of N_S.
    """
    boson = Boson(card, model, m_S)
    source = at_model(source, model, card)
    refuse_foreign(source)
    how = DecayModel(boson, Search.of(card, m_S), 1.0, source.metadata.seed, forced=True)
    kept = [list(part) for part in parts_of(source, how)] if len(source) <= KEPT else None
    shares = how.search.shares(boson)
    if kept and shares[1] == 0.0:  # no decay counts wherever it happens
        kept = [[_met(made) for made in part] for part in kept]
    return EventSignal(source, how, kept, workers, boson.width(), shares, boson.rate())


def signal_in_bins(
    source: EventSource, how: DecayModel, bins: Binning | None, workers: int = 1
) -> Callable[[list[float]], list[list[Estimate]]]:
    """Signal events per beam particle at unit production coupling, in each bin as a function of couplings.

    Parameters
    ----------
    source : EventSource
    how : DecayModel
        Of forced decays.
    bins : Binning, optional
        Without it there is one bin for all that counts.
    workers : int
        Threads over the files of a folder.
    """
    edges, inside = (bins.limits, slice(1, -1)) if bins else (ALL, slice(None))
    copies = len(bins.edges) if bins and bins.is_depth else 1
    kept = [list(part) for part in parts_of(source, how, bins=bins)] if len(source) * copies <= KEPT else None
    n, norm_error = len(source), source.metadata.norm_error

    def at(g_mu: list[float]) -> list[list[Estimate]]:
        sums = sums_of(kept or parts_of(source, how, bins=bins), how, g_mu, edges, workers)  # type: ignore[arg-type]
        return [
            [weighted_sum(total, square, n, norm_error) for total, square in zip(a, b, strict=True)]
            for a, b in zip(*(part[:, inside].tolist() for part in sums), strict=True)
        ]

    return at
