"""Yields and numbers of signal events by quadrature, along the beam's way through the target (Eqs. 14-20)."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, overload

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.asked import Energies, Energy, Numbers, energies, energy, is_single, numbers
from mcgen.base.constants import PB_CM2
from mcgen.base.errors import McgenWarning, check_number, refuse_if
from mcgen.base.estimate import Estimate
from mcgen.card.card import Card
from mcgen.card.quantities import LOWEST_MASS
from mcgen.physics.boson.couplings import Couplings
from mcgen.physics.emission import cross_section
from mcgen.physics.emission.amplitude import Process
from mcgen.physics.emission.rules import Rules, rules
from mcgen.physics.emission.struck_electron import BothLines
from mcgen.physics.signal.signal_yield import yield_per_pb
from mcgen.quadrature import collisions
from mcgen.quadrature.spectra import check_method, spectra
from mcgen.search.search import Search
from mcgen.search.signal import Made, signal
from mcgen.source.beam_nodes import crossings, group_nodes, groups, thin
from mcgen.source.boson import Boson, check_couplings
from mcgen.source.collisions import Collisions
from mcgen.source.source import AnySource, CardLike, Source, load_card, source_of
from mcgen.source.targets import Target

#: nodes in E, and per E in x, u, t; the second set serves to estimate the error of the first
FINE, COARSE = (32, (48, 16, 10, 1)), (24, (32, 12, 8, 1))
#: and a third one where an efficiency bends in the energy of S, at which the energy of the beam has kinks
_ROUGH = 28, (32, 12, 8, 1)
#: share of N_S that its error must not exceed unsaid, and number of events below which nobody asks
_LARGEST_ERROR, _FEW = 0.01, 1.0


class CoarseQuadratureWarning(McgenWarning):
    """A number of signal events is known worse than to a percent."""


class _Nodes(NamedTuple):
    """Where S are made on one kind of target."""

    process: Process | BothLines
    E: Array  #: GeV, shape (nodes,)
    depth: Array  #: cm, shape (nodes, depths)
    weight: Array  #: of each depth


def _made(search: Search | None, m_S: float, method: str, parts: Iterable[_Nodes], q: Rules) -> Made:
    """Nodes in the energy of S for each of those in the target; without a search all S, wherever they decay."""
    columns: list[tuple[Array, ...]] = [(np.empty((0, 1)),) * 4]  # no nodes below threshold
    for part in parts:
        found = spectra(part.E, part.process, method, search, q)
        E_S, sigmas = (np.concatenate(column)[:, None] for column in zip(*found, strict=True))
        row = np.repeat(np.arange(part.E.size), [energies.size for energies, _ in found])
        columns.append(np.broadcast_arrays(sigmas * part.weight[row], E_S, part.E[row, None], part.depth[row]))
    weight, E_S, E_mu, depth = (np.concatenate([c.ravel() for c in column]) for column in zip(*columns, strict=True))
    k = np.sqrt((E_S - m_S) * (E_S + m_S))
    if search is None:
        return Made(weight, k, E_mu, depth, depth)
    why = search.needs_events
    refuse_if(why, f"by quadrature: {why}, which needs events: mcgen reweight of a file, or mcgen reach")
    z_min, z_max = search.along_beam(depth)
    window = z_min, np.broadcast_to(z_max, z_min.shape).astype(float)
    made = {"S_E": E_S, "E_mu": E_mu, "depth_cm": depth}
    return search.see(weight, k, made, window, layers=search.layers_along_beam(depth), along=True)


def production(
    source: AnySource,
    m_S: float,
    search: Search | None = None,
    method: str = "exact",
    nodes: tuple[int, tuple[int, ...]] = FINE,
    ratio: float | None = None,
) -> Made:
    """Production in the whole target, muon energies integrated (Eqs. 14-17), or where beams collide.

    Parameters
    ----------
    source : Source or Collisions
    m_S : float
        Mass of S in GeV.
    search : Search, optional
        Keep the S that can count in it; without it all.
    method : {"exact", "ww", "iww"}
    nodes : (int, (int, int, int, int)), optional
        Points in E, and in x, u, t and a bin.
    ratio : float, optional
        Coupling to electrons over that to muons, where electrons are hit; by default that of the card's model.
    """
    check_number("mass", m_S, LOWEST_MASS, 1e6)
    n_E, n = nodes
    if isinstance(source, Collisions):
        refuse_if(method != "exact", f"production {method}: a collision has no target, and exact is all there is")
        return collisions.production(source, m_S, search, n_E // 2)
    for target in source.targets:
        check_method(method, source.process(m_S, target, ratio=ratio))
    cuts = search.depth_cuts if search else []
    parts = []
    for group in groups((Source(source.card, cuts) if cuts else source).components(m_S)):
        E, depth, targets = group_nodes(group, n_E, search.places if search else ())
        if not search:  # depths do not count
            depth, targets = depth[:, :1], targets.sum(axis=1, keepdims=True)
        process = source.process(m_S, group[0].target, method == "ww", ratio)
        parts.append(_Nodes(process, E, depth, yield_per_pb(1.0, targets)))
    return _made(search, m_S, method, parts, rules(*n))


def node_sets(search: Search) -> list[tuple[int, tuple[int, ...]]]:
    """Nodes of N_S, and of the coarser ones whose largest difference to it is its error."""
    return [FINE, COARSE, _ROUGH] if "S_E_gev" in search.measured else [FINE, COARSE]


def with_error(search: Search, found: Sequence[Array]) -> Array:
    """N_S of the first one of `node_sets`, and its error, shape (2, ...); that of straight pieces is added."""
    change = np.max(np.abs(np.array(found[1:]) - found[0]), axis=0)
    return np.stack([found[0], change + search.straight_error * found[0]])


def largest_error(search: Search, found: Array) -> float:
    """Largest share of N_S that its error is, where that is more than a percent; 0 else, and without an efficiency.

    Parameters
    ----------
    search : Search
    found : array, shape (2, ...)
        Numbers of signal events and their errors. Of less than one event an error of a hundredth of one is allowed.
    """
    if isinstance(search.efficiency, float) or not found.size:
        return 0.0
    share = float(np.max(found[1] / np.maximum(found[0], _FEW)))
    return share if share > _LARGEST_ERROR else 0.0


def warn_of_error(share: float, what: str) -> None:
    """Warn in one line, which `what` begins, of a share of N_S that its error is, unless that is 0."""
    if share > 0.0:
        message = (
            f"{what}: N_S has an error of {100.0 * share:.2g} % by quadrature, as the efficiency is too narrow for it; "
            "compare `mcgen reweight` of events"
        )
        warnings.warn(message, CoarseQuadratureWarning, stacklevel=4)


def yield_per_muon(source: AnySource, m_S: float) -> Estimate:
    """S per muon on target at g_mu = 1 over all x, exact; of collisions pb at unit coupling."""
    fine, coarse = (float(production(source, m_S, nodes=nodes).weight.sum()) for nodes in (FINE, COARSE))
    return Estimate(fine, abs(fine - coarse), math.inf)


@functools.lru_cache(maxsize=8)
def _production_of(card: Card, m_S: float, method: str, nodes: tuple[int, tuple[int, ...]], ratio: float) -> Made:
    """Production that can count in a card's search; kept, as no coupling but the ratio of two is in it."""
    return production(source_of(card), m_S, Search.of(card, m_S), method, nodes, ratio)


def signal_of(made: Made, search: Search, boson: Boson) -> Callable[[Array], Array]:
    """Signal events as a function of couplings: those of a model grow with g_mu, so rate and width with its square."""
    width, rate, shares = boson.width(), boson.rate(), search.shares(boson)
    grows = not isinstance(boson.model, Couplings)

    def at(g_mu: Array) -> Array:
        square = g_mu * g_mu if grows else np.ones(g_mu.size)
        sums, _ = signal([made], boson.m_S, (width * square).tolist(), shares)
        return np.asarray(rate * square * sums[:, 0])

    return at


@overload
def n_signal(card: CardLike, model: str | Couplings, m_S: Energy, g_mu: float, method: str = "exact") -> Estimate: ...


@overload
def n_signal(
    card: CardLike, model: str | Couplings, m_S: Energy, g_mu: str | Iterable[float], method: str = "exact"
) -> list[Estimate]: ...


def n_signal(
    card: CardLike, model: str | Couplings, m_S: Energy, g_mu: Numbers, method: str = "exact"
) -> Estimate | list[Estimate]:
    """Number of signal events per coupling (Eq. 17), every S along the beam as in geometry "paper".

    What a detector with a shape sees of them needs events: `reweight` or `reach` of a card with geometry "3d".

    Parameters
    ----------
    card : Card, str or Path
        Or its name or file.
    model : {"A", "B", "dark-photon", "Lmu-Ltau"} or Couplings
        Explicit couplings are used as they are, for each entry of `g_mu`.
    m_S : float or str
        Scalar mass in GeV, or with a unit such as "100 MeV".
    g_mu : float, sequence of float, or a text as on the command line
    method : {"exact", "ww", "iww"}

    Returns
    -------
    Estimate or list of Estimate
        One for each coupling; of a single number, one.

    Notes
    -----
    What was made at the latest masses is kept: couplings asked for one after the other take 1 ms each. The error is the
    change with fewer nodes. With an efficiency, one above a percent is a warning.
    """
    card, m_S, couplings = load_card(card), energy(m_S, "m_S"), numbers(g_mu, "g_mu")
    for g in couplings:
        check_couplings(model, g)
    boson = Boson(card, model, m_S)
    boson.production_coupling()
    ratio, search = source_of(card).electron_ratio(model), Search.of(card, m_S)
    signals = [signal_of(_production_of(card, m_S, method, n, ratio), search, boson) for n in node_sets(search)]
    values = with_error(search, [signal(np.array(couplings)) for signal in signals])
    warn_of_error(largest_error(search, values), f"{card.name}, {m_S:g} GeV")
    found = [Estimate(value, error, math.inf) for value, error in values.T.tolist()]
    return found[0] if is_single(g_mu) else found


@overload
def sigma_tilde(
    card: CardLike, model: str | Couplings, m_S: Energy, g_mu: float, E_mu: float, method: str = "exact"
) -> Estimate: ...


@overload
def sigma_tilde(
    card: CardLike,
    model: str | Couplings,
    m_S: Energy,
    g_mu: float,
    E_mu: str | Iterable[Energy],
    method: str = "exact",
) -> list[Estimate]: ...


def sigma_tilde(
    card: CardLike, model: str | Couplings, m_S: Energy, g_mu: float, E_mu: Energies, method: str = "exact"
) -> Estimate | list[Estimate]:
    """sigma~(E_mu) in cm^2: cross section times probability to decay where it counts, mean per nucleus (Eq. 19).

    Parameters
    ----------
    card : Card, str or Path
        Or its name or file.
    model : {"A", "B", "dark-photon", "Lmu-Ltau"} or Couplings
    m_S : float or str
        Scalar mass in GeV, or with a unit such as "100 MeV".
    g_mu : float
    E_mu : float, str or sequence
        Energies of the muon in GeV, or with units.
    method : {"exact", "ww", "iww"}

    Returns
    -------
    Estimate or list of Estimate
        One for each energy; of a single number, one.
    """
    card, m_S, points = load_card(card), energy(m_S, "m_S"), energies(E_mu, "E_mu")
    check_number("mass", m_S, LOWEST_MASS, 1e6)
    check_couplings(model, g_mu)
    source, search, boson = Source(card), Search.of(card, m_S), Boson(card, model, m_S)
    for E in points:
        check_number("E_mu", E, card.beam.mass, 1e6)
    factor = PB_CM2 * boson.production_coupling(g_mu) ** 2
    ratio = source.electron_ratio(model)
    for target in source.targets:
        check_method(method, source.process(m_S, target, ratio=ratio))
    result = []
    for E in points:
        values = []
        for n_depths, n in (FINE, COARSE):
            parts = [
                _Nodes(source.process(m_S, target, method == "ww", ratio), np.array([E]), depths[None], share[None])
                for target, depths, share in crossings(source.segments, E, n_depths)
            ]
            made = _made(search, m_S, method, parts, rules(*n))
            sums, _ = signal([made], m_S, [boson.width(g_mu)], search.shares(boson))
            values.append(factor * float(sums[0, 0]))
        result.append(Estimate(values[0], abs(values[0] - values[1]), math.inf))
    return result[0] if is_single(E_mu) else result


def beam_nodes(source: Source, m_S: float, n_E: int) -> Iterator[tuple[Target, Array, Array]]:
    """What is hit, energies of the beam in GeV and nuclei in 1/pb on its way there, for spectra of the whole target.

    Parameters
    ----------
    source : Source
    m_S : float
        Mass of S in GeV.
    n_E : int
        Energies of each group of layers; near threshold there are six times as many.
    """
    for group in groups(source.components(m_S)):
        first = group[0]
        is_thin = thin(first.E_high, min(c.E_low for c in group), first.threshold)
        E, _, targets = group_nodes(group, 1 if is_thin else 6 * n_E if first.E_low <= first.threshold else n_E)
        yield first.target, E, yield_per_pb(1.0, targets.sum(axis=1))


class Mean(NamedTuple):
    """Mean of a quantity over all S."""

    value: float
    spread: float
    error: float  #: of the mean
    furthest: float  #: what any S can be away from it


#: quantities of events whose means the quadrature knows, of columns E_mu, x, depth_cm
MEANS: dict[str, Callable[[Array, Array, Array], Array]] = {
    "E_mu": lambda E, _x, _depth: E,
    "x": lambda _E, x, _depth: x,
    "depth": lambda _E, _x, depth: depth,
    **{f"cos({k} pi x)": functools.partial(lambda k, _E, x, _depth: np.cos(k * math.pi * x), k) for k in range(1, 5)},
}


def _moments(source: Source, m_S: float, n_E: int, q: Rules) -> Array:
    """Mean, mean square, smallest and largest value of each of `MEANS`, shape (4, means)."""
    weights, columns = [], []
    for group in groups(source.components(m_S)):
        E, depth, targets = group_nodes(group, n_E)
        made = spectra(E, source.process(m_S, group[0].target), "exact", None, q)
        for at, where, nuclei, (E_S, sigmas) in zip(E.tolist(), depth, targets, made, strict=True):
            weights.append(np.outer(sigmas, yield_per_pb(1.0, nuclei)).ravel())
            columns.append([c.ravel() for c in np.broadcast_arrays(at, E_S[:, None] / at, where)])
    weight = np.concatenate(weights)
    E_mu, x, depth_cm = (np.concatenate(column) for column in zip(*columns, strict=True))
    values = [of(E_mu, x, depth_cm) for of in MEANS.values()]
    means = [[np.sum(weight * v**power) / weight.sum() for v in values] for power in (1, 2)]
    return np.array([*means, [v.min() for v in values], [v.max() for v in values]])


def beam_means(source: Source, m_S: float) -> dict[str, Mean]:
    """Means of energies, depth and x of all S that are made, by quadrature; of what varies.

    Parameters
    ----------
    source : Source
    m_S : float
        Mass of S in GeV.
    """
    fine, coarse = (_moments(source, m_S, n_E, rules(*n)) for n_E, n in ((16, (24, 8, 6, 1)), (12, (16, 6, 6, 1))))
    found = {}
    for name, (mean, square, low, high), other in zip(MEANS, fine.T.tolist(), coarse[0].tolist(), strict=True):
        spread = math.sqrt(max(0.0, square - mean * mean))
        if spread > 1e-5 * abs(mean):  # else rounding is all there is
            found[name] = Mean(mean, spread, abs(mean - other) + 3e-4 * spread, 1.1 * max(mean - low, high - mean))
    return found


def theta_spectrum(source: Source, m_S: float, bins: int = 12) -> tuple[Array, Array, Array]:
    """Edges in rad up to pi, S per muon at g_mu = 1 in bins of the angle of S, and the numerical error.

    Parameters
    ----------
    source : Source
    m_S : float
        Mass of S in GeV.
    bins : int
    """
    process = source.process(m_S)
    edges = np.concatenate([[0.0], np.geomspace(0.1 * process.m / source.card.beam.E_max, math.pi, bins)])
    return edges, *_spectrum_in(source, m_S, "theta", edges, ((6, (24, 1, 8, 4)), (4, (16, 1, 6, 3))))


def t_spectrum(source: Source, m_S: float, edges: Array) -> tuple[Array, Array]:
    """S per muon at g_mu = 1 in bins of t (GeV^2), integrated over the target, and the numerical error."""
    return _spectrum_in(source, m_S, "t", edges, ((8, (40, 1, 8, 5)), (6, (28, 1, 6, 4))))


def _spectrum_in(
    source: Source, m_S: float, variable: str, edges: Array, nodes: Sequence[tuple[int, tuple[int, int, int, int]]]
) -> tuple[Array, Array]:
    """S per muon at g_mu = 1 in bins of a variable, and the error: the difference of two rules, of bins beside too.

    What a rule puts into the wrong one of two bins, another rule may put there too.
    """
    totals = []
    for n_E, n in nodes:
        total = np.zeros(len(edges) - 1)
        for target, E, per_pb in beam_nodes(source, m_S, n_E):
            process = source.process(m_S, target)
            integrate, _ = cross_section.bins(process)[variable]
            for node, weight in zip(E.tolist(), per_pb.tolist(), strict=True):
                total += weight * integrate(node, process, edges, rules(*n))
        totals.append(total)
    difference = np.pad(np.abs(totals[0] - totals[1]), 1)
    return totals[0], np.maximum(np.maximum(difference[:-2], difference[2:]), difference[1:-1])
