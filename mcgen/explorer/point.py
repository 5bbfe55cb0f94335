"""One mass and coupling: what a boson does there, and where it is lost."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mcgen.analysis.event_signal import EventSignal
from mcgen.analysis.event_signal import signal_of as signal_of_events
from mcgen.analysis.line_weights import at_model
from mcgen.analysis.samples import sample
from mcgen.base.arrays import Array
from mcgen.base.asked import energy
from mcgen.base.errors import check_number
from mcgen.base.estimate import Estimate
from mcgen.card.card import Card
from mcgen.card.quantities import LOWEST_MASS
from mcgen.events.decays import DecayModel, daughters_of
from mcgen.events.events import EventSource
from mcgen.explorer.setup import Setup
from mcgen.physics.boson.scalar_decay import STABLE, VISIBLE
from mcgen.quadrature.yields import n_signal, production
from mcgen.search.binning import CutAt
from mcgen.search.search import Search
from mcgen.search.signal import Made, signal
from mcgen.source.boson import Boson, check_couplings
from mcgen.source.collisions import Collisions
from mcgen.source.source import source_of

#: points whose production is kept
_KEPT = 8
_MOMENTUM = ("S_px", "S_py", "S_pz")


class Loss(NamedTuple):
    """A cut, and what is left behind it."""

    name: str  #: in a few words
    left: float  #: share of what came to this cut that is left
    events: float  #: that are left


@dataclass(frozen=True)
class Point:
    """What happens at one mass and coupling."""

    model: str
    m_S: float  #: GeV
    g_mu: float
    n_signal: Estimate
    produced: float  #: S that are made
    losses: tuple[Loss, ...]  #: produced times all `left` is N_S
    mean_energy: float  #: of the S that are made, GeV
    decay_length: float  #: beta gamma c tau at that energy, cm; infinite if S is stable
    width: float  #: total, GeV
    branching: dict[str, float]  #: by channel


class Stage(NamedTuple):
    """What is left behind a cut, as the sum for N_S takes it."""

    name: str
    made: Made
    shares: tuple[float, float]  #: of decays: that the probability holds for, and that count wherever they happen


class Chain(NamedTuple):
    """All S of a mass, and what is left of them cut by cut."""

    boson: Boson
    E_S: Array  #: GeV, of each S of the first stages
    theta: Array  #: rad, of each; empty where the nodes of a quadrature do not know it
    stages: tuple[Stage, ...]  #: the first one has all that are made
    events: EventSource | None  #: that they are, if not nodes

    def sums(self, g_mu: float) -> list[float]:
        """Number of S behind each cut."""
        width, rate = self.boson.width(g_mu), self.boson.rate(g_mu)
        return [
            rate * float(signal([stage.made], self.boson.m_S, [width], stage.shares)[0][0, 0]) for stage in self.stages
        ]

    def binned(self, g_mu: float, variable: str, edges: Array) -> tuple[Array, Array]:
        """S that are made and those that count, in bins of E_S in GeV or theta in rad."""
        numbers = self.E_S if variable == "E_S" else self.theta
        width, rate = self.boson.width(g_mu), self.boson.rate(g_mu)
        limits = np.array([-math.inf, *edges, math.inf])
        return tuple(  # type: ignore[return-value]
            rate * signal([s.made._replace(binned=numbers)], self.boson.m_S, [width], s.shares, limits)[0][0, 1:-1]
            for s in (self.stages[0], self.stages[-1])
        )


@dataclass(frozen=True, slots=True)
class _Everything(CutAt):
    """All S, with the limits of integrals that another search has."""

    real: Search | None = None

    def kinks(self, E_mu: float, low: float = 0.0) -> list[float]:
        """Limits of integrals in E_S above `low` in GeV at an energy of the beam."""
        assert self.real
        cut = float(self.real.lowest_energy(E_mu))
        found = {*CutAt.kinks(self, E_mu, low), *self.real.kinks(E_mu, low), *([cut] if low < cut < E_mu else [])}
        return sorted(found)

    @property
    def depth_cuts(self) -> list[float]:
        """Depths in cm inside active layers at which integrals over the depth are cut."""
        assert self.real
        return self.real.depth_cuts


def at(setup: Setup, model: str, m_S: float, g_mu: float) -> Point:
    """What happens at a mass in GeV and a coupling.

    Parameters
    ----------
    setup : Setup
    model : str
        One of those of the card's boson.
    m_S : float
        Mass in GeV.
    g_mu : float

    Raises
    ------
    InputError
        If something is wrong with the card or the numbers, or S is too heavy to be made.
    """
    card, m_S = setup.card, energy(m_S, "m_S")
    check_number("m_S", m_S, LOWEST_MASS, 1e6)
    check_couplings(model, g_mu)
    card.check_models([model])
    source_of(card).check_mass(m_S, "look.m_S")
    chain = chain_of(card, model, m_S)
    boson, sums = chain.boson, chain.sums(g_mu)
    found = n_signal_at(card, model, m_S, g_mu)
    sums[-1] = found.value  # the same but for the last digits, as its nodes are others
    names = [stage.name for stage in chain.stages]
    losses = [
        Loss(name, after / before if before > 0.0 else 0.0, after)
        for name, before, after in zip(names[1:], sums, sums[1:], strict=False)
    ]
    weight = chain.stages[0].made.weight
    mean = float(weight @ chain.E_S / weight.sum()) if weight.any() else m_S
    width, k = boson.width(g_mu), math.sqrt(max(0.0, (mean - m_S) * (mean + m_S)))
    per_k = boson.length_per_momentum(g_mu)
    length = math.inf if per_k >= STABLE else per_k * k
    return Point(model, m_S, g_mu, found, sums[0], tuple(losses), mean, length, width, _branching(boson, g_mu))


def n_signal_at(card: Card, model: str, m_S: float, g_mu: float) -> Estimate:
    """N_S with its error, as `mcgen grid` has it."""
    if not Search.of(card).from_events:
        return n_signal(card, model, m_S, g_mu)
    found = _signal_of(chain_of(card, model, m_S))
    return found.estimates(np.array([g_mu]))[0] if found else Estimate(0.0, 0.0, math.inf)


@functools.lru_cache(maxsize=_KEPT)
def _signal_of_events(card: Card, model: str, m_S: float) -> EventSignal | None:
    events = chain_of(card, model, m_S).events
    return signal_of_events(events, card, model, m_S) if events is not None else None


def _signal_of(chain: Chain) -> EventSignal | None:
    model = chain.boson.model
    assert isinstance(model, str)
    return _signal_of_events(chain.boson.card, model, chain.boson.m_S)


def _branching(boson: Boson, g_mu: float) -> dict[str, float]:
    """Branching ratios of the channels that are open."""
    widths, total = boson.widths(g_mu), boson.width(g_mu)
    fields = {field: name for name, (field, _) in VISIBLE.items()}
    if not total > 0.0:
        return {}
    only = ("ee", "invisible") if total < widths.total else widths._fields  # width = "ee_only"
    found = {fields.get(name, name): getattr(widths, name) / total for name in only}
    return {name: share for name, share in found.items() if share > 0.0}


@functools.lru_cache(maxsize=_KEPT)
def chain_of(card: Card, model: str, m_S: float, edges: tuple[float, ...] = ()) -> Chain:
    """All S of a mass in GeV and what is left of them cut by cut, at any coupling.

    Parameters
    ----------
    card : Card
    model : str
    m_S : float
        Mass of S in GeV.
    edges : tuple of float, optional
        Of bins in E_S in GeV, that no node of a quadrature is in two of.
    """
    search, boson = Search.of(card, m_S), Boson(card, model, m_S)
    if search.from_events:
        return chain_of_events(card, model, m_S)
    source = source_of(card)
    if isinstance(source, Collisions):
        return _of_collisions(source, boson, search)
    detector = card.detector.model_copy(update={"x_min": 0.0, "E_S_min": None})
    everything = _Everything(detector, search.length, 1.0, search.active, None, "S_E_gev", edges, search)
    made = production(source, m_S, everything, ratio=source.electron_ratio(model))
    depth = float(everything.along_beam(0.0)[0]) - made.z_min
    columns = {"S_E": np.hypot(made.k, m_S), "E_mu": made.E_mu, "depth_cm": depth}
    window = made.z_min, made.z_max
    seen = search.see(made.weight, made.k, columns, window, layers=made.layers, along=True)
    stages = _stages(search, boson, made, search.counts(columns), made, seen)
    return Chain(boson, columns["S_E"], np.empty(0), stages, None)


def _of_collisions(source: Collisions, boson: Boson, search: Search) -> Chain:
    """The same where beams collide: nodes of all S, and of those at angles that the barrel sees."""
    m_S = boson.m_S
    whole = production(source, m_S)
    whole = whole._replace(z_max=np.full(whole.k.size, math.inf))
    inside = production(source, m_S, replace(search, efficiency=1.0))
    seen = production(source, m_S, search)
    E_lab = source.frame.gamma * np.hypot(whole.k, m_S)  # of S at any angle, on average
    stages = _stages(search, boson, inside, np.ones(inside.k.size, bool), inside, seen)
    return Chain(boson, E_lab, np.empty(0), (Stage("made", whole, (1.0, 0.0)), *stages[1:]), None)


@functools.lru_cache(maxsize=_KEPT)
def chain_of_events(card: Card, model: str, m_S: float) -> Chain:
    """The same of events.

    Parameters
    ----------
    card : Card
    model : str
    m_S : float
        Mass of S in GeV.
    """
    search, boson = Search.of(card, m_S), Boson(card, model, m_S)
    events = at_model(sample(card, [model], m_S), model, card)
    how = DecayModel(boson, search, 1.0, events.metadata.seed, forced=True)
    follows = search.follows_daughters and boson.visible_width > 0.0
    needed = ["weight", *search.needed, *_MOMENTUM, *(how.needed(events) if follows else [])]
    (columns,) = events.iterate(list(dict.fromkeys(needed)), len(events))
    if follows:
        columns = {**columns, **daughters_of(columns, how)}
    w, E_S = columns["weight"], columns["S_E"]
    k = np.sqrt(np.maximum((E_S - m_S) * (E_S + m_S), 1e-300))
    x, y, z = (columns[name] for name in _MOMENTUM)
    layers = search.layers(columns) if follows or not search.follows_daughters else None
    flown = Made(w, k, columns["E_mu"], *search.passage(columns), layers=layers)
    if search.follows_daughters and not follows:  # nothing that decays visibly
        seen = flown._replace(weight=np.zeros(w.size))
    else:
        seen = search.see(w, k, columns, search.window(columns), layers=layers)
    window = flown._replace(z_min=seen.z_min, z_max=seen.z_max)
    stages = _stages(search, boson, flown, search.counts(columns), window, seen)
    return Chain(boson, E_S, np.arctan2(np.hypot(x, y), z), stages, events)


def _stages(
    search: Search, boson: Boson, made: Made, counts: NDArray[np.bool_], window: Made, seen: Made
) -> tuple[Stage, ...]:
    """What is left cut by cut, in the order in which it is lost.

    Parameters
    ----------
    search : Search
    boson : Boson
    made : Made
        All S, with the window in which their decays would count if any daughters did.
    counts : array of bool, shape (n,)
        Which S are above the cut in energy.
    window : Made
        The same with the window in which they count.
    seen : Made
        What the search keeps.
    """
    detector, shares = search.detector, search.shares(boson)
    displaced, shaped = detector.signature == "displaced", detector.geometry != "paper"
    nowhere, forever = np.zeros(made.k.size), np.full(made.k.size, math.inf)
    above = np.where(counts, made.weight, 0.0)
    hits = np.where(search.possible((made.z_min, made.z_max), made.layers), above, 0.0)
    free = made._replace(z_min=nowhere, z_max=forever, layers=None)
    what = "decay visibly" if boson.decay is None else f"decay to {boson.decay}"
    reach = "reach the detector" + (" or an active layer" if made.layers is not None else "")
    found = [
        (True, Stage("are made", free, (1.0, 0.0))),
        (detector.x_min or detector.E_S_min, Stage("have the energy", free._replace(weight=above), (1.0, 0.0))),
        (sum(shares) < 1.0 - 1e-12, Stage(what, free._replace(weight=above), shares)),
        (shaped, Stage("fly into the detector", free._replace(weight=hits), shares)),
        (displaced, Stage(reach, made._replace(weight=hits, z_max=forever), shares)),
        (True, Stage("decay inside" if displaced else "leave undecayed", made._replace(weight=hits), shares)),
        (search.is_3d and displaced, Stage("have daughters that are seen", window._replace(weight=hits), shares)),
        (search.efficiency != 1.0, Stage("pass the efficiency", seen, shares)),
    ]
    return tuple(stage for applies, stage in found if applies)
