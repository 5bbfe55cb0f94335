"""Yields and numbers of signal events by quadrature, along the beam's way through the target (Eqs. 14-20)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.constants import PB_CM2
from mcgen.base.errors import check_number, choose
from mcgen.base.estimate import Estimate
from mcgen.card.card import Card
from mcgen.card.quantities import LOWEST_MASS
from mcgen.physics.boson.couplings import Couplings
from mcgen.physics.emission import cross_section, iww
from mcgen.physics.emission.amplitude import Process
from mcgen.physics.emission.cross_section import spectrum_nodes
from mcgen.physics.emission.rules import Rules, rules
from mcgen.physics.signal.signal_yield import yield_per_pb
from mcgen.search.search import Search
from mcgen.search.signal import Made, signal
from mcgen.source.beam_nodes import crossings, group_nodes, groups, thin
from mcgen.source.boson import Boson, check_couplings
from mcgen.source.source import Source

#: nodes in E, and per E in x, u, t; the second set serves to estimate the error of the first
FINE, COARSE = (32, (48, 16, 10, 1)), (24, (32, 12, 8, 1))


class _Nodes(NamedTuple):
    """Where S are made on one kind of target."""

    process: Process
    E: Array  #: GeV, shape (nodes,)
    depth: Array  #: cm, shape (nodes, depths)
    weight: Array  #: of each depth


def _spectrum(E: float, process: Process, method: str, search: Search | None, q: Rules) -> tuple[Array, Array]:
    """Energies of S in GeV and the cross sections in pb that they stand for, rule by rule between the kinks."""
    chi = iww.flux(E, process.m, process.m_S, process.ff) if method == "iww" else None
    low = float(search.lowest_energy(E)) if search else 0.0
    limits = [low, *(search.kinks(low, E) if search else []), math.inf]
    parts = []
    for first, last in itertools.pairwise(limits):
        energies, sigmas = np.empty(q.x.size), np.empty(q.x.size)
        spectrum_nodes(E, process, first, last, chi, q, energies, sigmas)
        parts.append((energies, sigmas))
    energies, sigmas = (np.concatenate(column) for column in zip(*parts, strict=True))
    return energies, sigmas


def _made(search: Search | None, m_S: float, method: str, parts: Iterable[_Nodes], q: Rules) -> Made:
    """Nodes in the energy of S for each of those in the target; without a search all S, wherever they decay."""
    rows: list[tuple[Array, ...]] = [(np.empty(0),) * 5]  # no nodes below threshold
    for part in parts:
        for E, depth, weight in zip(part.E.tolist(), part.depth, part.weight, strict=True):
            energies, sigmas = _spectrum(E, part.process, method, search, q)
            E_S = np.tile(energies, depth.size)
            depths = np.repeat(depth, energies.size)
            window = search.along_beam(depths) if search else (depths, depths)
            z_min, z_max = (np.broadcast_to(z, depths.shape) for z in window)
            rows.append((np.outer(weight, sigmas).ravel(), E_S, np.full(E_S.size, E), z_min, z_max))
    weight, E_S, E_mu, z_min, z_max = (np.concatenate(column) for column in zip(*rows, strict=True))
    k = np.sqrt((E_S - m_S) * (E_S + m_S))
    return search.see(weight, k, E_S, E_mu, (z_min, z_max)) if search else Made(weight, k, E_mu, z_min, z_max)


def production(
    source: Source,
    m_S: float,
    search: Search | None = None,
    method: str = "exact",
    nodes: tuple[int, tuple[int, ...]] = FINE,
) -> Made:
    """Production in the whole target, muon energies integrated (Eqs. 14-17).

    Parameters
    ----------
    source : Source
    m_S : float
        Mass of S in GeV.
    search : Search, optional
        Keep the S that can count in it; without it all.
    method : {"exact", "ww", "iww"}
    nodes : (int, (int, int, int, int)), optional
        Points in E, and in x, u, t and a bin.
    """
    choose(method, cross_section.METHODS, "method")
    check_number("mass", m_S, LOWEST_MASS, 1e6)
    n_E, n = nodes
    parts = []
    for group in groups(source.components(m_S)):
        E, depth, targets = group_nodes(group, n_E)
        process = source.process(m_S, group[0].target, ww=method == "ww")
        parts.append(_Nodes(process, E, depth, yield_per_pb(1.0, targets)))
    return _made(search, m_S, method, parts, rules(*n))


def yield_per_muon(source: Source, m_S: float) -> Estimate:
    """S per muon on target at g_mu = 1 over all x, exact."""
    fine, coarse = (float(production(source, m_S, nodes=nodes).weight.sum()) for nodes in (FINE, COARSE))
    return Estimate(fine, abs(fine - coarse), math.inf)


def signal_of(made: Made, search: Search, boson: Boson) -> Callable[[Array], Array]:
    """Signal events as a function of couplings: those of a model grow with g_mu, so rate and width with its square."""
    width, rate, shares = boson.width(), boson.rate(), search.shares(boson)
    grows = not isinstance(boson.model, Couplings)

    def at(g_mu: Array) -> Array:
        square = g_mu * g_mu if grows else np.ones(g_mu.size)
        sums, _ = signal([made], boson.m_S, (width * square).tolist(), shares)
        return np.asarray(rate * square * sums[:, 0])

    return at


def n_signal(
    card: Card, model: str | Couplings, m_S: float, g_mu: list[float], method: str = "exact"
) -> list[Estimate]:
    """Number of signal events per coupling (Eq. 17), every S along the beam as in geometry "paper".

    What a detector with a shape sees of them needs events: `reweight` or `reach` of a card with geometry "3d".

    Parameters
    ----------
    card : Card
    model : {"A", "B", "dark-photon", "Lmu-Ltau"} or Couplings
        Explicit couplings are used as they are, for each entry of `g_mu`.
    m_S : float
        Scalar mass in GeV.
    g_mu : list of float
    method : {"exact", "ww", "iww"}
    """
    for g in g_mu:
        check_couplings(model, g)
    source, search, boson = Source(card), Search.of(card), Boson(card, model, m_S)
    boson.production_coupling()
    sets = [production(source, m_S, search, method, nodes) for nodes in (FINE, COARSE)]
    fine, coarse = (signal_of(made, search, boson)(np.array(g_mu, dtype=float)).tolist() for made in sets)
    return [Estimate(a, abs(a - b), math.inf) for a, b in zip(fine, coarse, strict=True)]


def sigma_tilde(
    card: Card, model: str | Couplings, m_S: float, g_mu: float, E_mu: list[float], method: str = "exact"
) -> list[Estimate]:
    """sigma~(E_mu) in cm^2: cross section times probability to decay where it counts, mean per nucleus (Eq. 19).

    Parameters
    ----------
    card : Card
    model : {"A", "B", "dark-photon", "Lmu-Ltau"} or Couplings
    m_S : float
        Scalar mass in GeV.
    g_mu : float
    E_mu : list of float
        Energies of the muon in GeV.
    method : {"exact", "ww", "iww"}
    """
    choose(method, cross_section.METHODS, "method")
    check_number("mass", m_S, LOWEST_MASS, 1e6)
    check_couplings(model, g_mu)
    for E in E_mu:
        check_number("E_mu", E, card.beam.mass, 1e6)
    source, search, boson = Source(card), Search.of(card), Boson(card, model, m_S)
    factor = PB_CM2 * boson.production_coupling(g_mu) ** 2
    result = []
    for E in E_mu:
        values = []
        for n_depths, n in (FINE, COARSE):
            parts = [
                _Nodes(source.process(m_S, target, method == "ww"), np.array([E]), depths[None], share[None])
                for target, depths, share in crossings(source.segments, E, n_depths)
            ]
            made = _made(search, m_S, method, parts, rules(*n))
            sums, _ = signal([made], m_S, [boson.width(g_mu)], search.shares(boson))
            values.append(factor * float(sums[0, 0]))
        result.append(Estimate(values[0], abs(values[0] - values[1]), math.inf))
    return result


def t_spectrum(source: Source, m_S: float, edges: Array) -> tuple[Array, Array]:
    """S per muon at g_mu = 1 in bins of t (GeV^2), integrated over the target, and the numerical error."""
    totals = []
    for n_E, n in ((8, (40, 1, 8, 5)), (6, (28, 1, 6, 4))):
        total = np.zeros(len(edges) - 1)
        for group in groups(source.components(m_S)):
            first = group[0]
            process = source.process(m_S, first.target)
            is_thin = thin(first.E_high, min(c.E_low for c in group), first.threshold)
            E, _, targets = group_nodes(group, 1 if is_thin else 6 * n_E if first.E_low <= first.threshold else n_E)
            per_pb = yield_per_pb(1.0, targets.sum(axis=1))
            for node, weight in zip(E.tolist(), per_pb.tolist(), strict=True):
                total += weight * cross_section.bins_of_t(node, process, edges, rules(*n))
        totals.append(total)
    return totals[0], np.abs(totals[0] - totals[1])
