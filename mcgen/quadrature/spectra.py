"""Energies of S and the cross sections that they stand for, at all energies of a beam that a yield asks for."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.errors import choose, refuse_if
from mcgen.physics.emission import iww
from mcgen.physics.emission.amplitude import Process
from mcgen.physics.emission.cross_section import INTEGRALS, METHODS
from mcgen.physics.emission.phase_space import peak_breaks
from mcgen.physics.emission.rules import Rules, rules
from mcgen.physics.emission.struck_electron import ALONE, BothLines
from mcgen.search.search import Search

Scattering = Process | BothLines

#: error at which a cross section that is interpolated between beam energies aims, and the largest that is taken
_AIM, _LARGEST = 1e-10, 3e-8
#: nodes in the energy of S of a part of its range, however short
_AT_LEAST = 12


def methods_of(process: Scattering) -> tuple[str, ...]:
    """Methods that hold: IWW is for a lepton that stays what it is, and a light one comes out too soft for WW."""
    if not isinstance(process, Process):
        return ("exact",)
    return METHODS if process.m_out == process.m else ("exact", "ww") if process.m_out > process.m else ("exact",)


def check_method(method: str, process: Scattering) -> None:
    """Raise InputError unless a method is known and holds."""
    choose(method, METHODS, "method")
    allowed = methods_of(process)
    if not isinstance(process, Process):
        why = ALONE
    elif method == "iww":
        why = "is for a lepton that stays what it is"
    else:
        why = "is 10 to 60 % too large where a light lepton is left"
    refuse_if(method not in allowed, f"method {method}: {why} (allowed: {', '.join(allowed)})")


def _breaks(E: float, process: Scattering, low: float) -> list[float]:
    """Energies of S in GeV above `low` about the peak of a beam lepton that almost decays (`peak_breaks`)."""
    if not isinstance(process, Process) or process.m_out >= process.m:
        return []
    found: list[float] = peak_breaks(E, process, low, E).tolist()
    return found


def _shorter(E: float, process: Scattering, limits: Sequence[float], q: Rules) -> list[Rules]:
    """Rules with fewer nodes in the energy of S for the parts of its range, which they share by their lengths."""
    at = INTEGRALS[type(process)].energies(np.array([E]), process, q)[0]
    length = np.diff(np.interp(limits, at, q.x, left=0.0, right=1.0))
    nodes = np.minimum(q.x.size, np.ceil(q.x.size * length) + _AT_LEAST).astype(int).tolist()
    return [rules(n, q.u.size, q.t.size, q.bin.size) for n in nodes]


def _spectrum(E: float, process: Scattering, method: str, search: Search | None, q: Rules) -> tuple[Array, Array]:
    """Energies of S in GeV and the cross sections in pb that they stand for, rule by rule between the kinks."""
    chi = iww.flux(E, process.m, process.m_S, process.ff) if method == "iww" else None
    low = float(search.lowest_energy(E)) if search else 0.0
    kinks, peaks = search.kinks(E, low) if search else [], _breaks(E, process, low)
    limits = [low, *sorted([*kinks, *peaks]), math.inf]
    few = kinks and not peaks and chi is None
    each = _shorter(E, process, limits, q) if few else [q] * (len(limits) - 1)
    parts = []
    for (first, last), p in zip(itertools.pairwise(limits), each, strict=True):
        energies, sigmas = np.empty(p.x.size), np.empty(p.x.size)
        INTEGRALS[type(process)].nodes(E, process, first, last, chi, p, energies, sigmas)
        parts.append((energies, sigmas))
    energies, sigmas = (np.concatenate(column) for column in zip(*parts, strict=True))
    return energies, sigmas


def _few(v: Array) -> tuple[int, float]:
    """Terms of a polynomial, and the lowest argument to use it at, so that few values are needed in all.

    Its error falls like that of a function whose singularities have an imaginary part of pi.
    """
    v = np.sort(v)[::-1]
    terms = np.ceil(-math.log(_AIM) / np.arcsinh(2.0 * math.pi / np.maximum(v[0] - v, 1e-12))).astype(int)
    values = terms + np.arange(v.size - 1, -1, -1)
    best = int(np.argmin(values))
    return (int(terms[best]), float(v[best])) if values[best] < v.size else (0, math.inf)


def _chebyshev(n: int, at: Array) -> tuple[Array, Array, Array]:
    """Nodes of a polynomial between the extremes of some points, its terms of values there, the points of its terms."""
    middle, half = 0.5 * (at.max() + at.min()), 0.5 * (at.max() - at.min())
    angle, order = (np.arange(n) + 0.5) * (math.pi / n), np.arange(n)
    terms = np.cos(np.outer(order, angle)) * np.where(order > 0, 2.0 / n, 1.0 / n)[:, None]
    here = np.arccos(np.clip((at - middle) / half, -1.0, 1.0))
    return middle + half * np.cos(angle), terms, np.cos(np.outer(here, order))


def _interpolated(v: Array, n: int, process: Scattering, method: str, q: Rules) -> Array | None:
    """Cross sections in pb, energy by energy and node by node, of all S; None if n terms are too few.

    `v` is the logarithm of the energies above threshold. In it, that of the cross section at one place in the range of
    E_S is smooth. The last term tells how smooth.
    """
    nodes, terms_of, points = _chebyshev(n, v)
    energies = process.threshold + np.exp(nodes)
    sigmas = np.array([_spectrum(E, process, method, None, q)[1] for E in energies.tolist()])
    terms = terms_of @ np.log(np.maximum(sigmas, 1e-300))
    last = sigmas @ np.abs(terms[-1]) / sigmas.sum(axis=1)
    return np.exp(points @ terms) if last.max() < _LARGEST else None


def spectra(E: Array, process: Scattering, method: str, search: Search | None, q: Rules) -> list[tuple[Array, Array]]:
    """Energies of S in GeV and the cross sections in pb that they stand for, at each beam energy.

    Parameters
    ----------
    E : array, shape (energies,)
        Of the beam in GeV, above threshold.
    process : Process
        Constants of the kernels.
    method : {"exact", "ww", "iww"}
    search : Search, optional
        Only S that can count in it; its kinks are limits of integration.
    q : Rules
        Nodes of the quadrature; those in x, u and t are used.

    Notes
    -----
    If all S count, cross sections at the higher ones of many beam energies are interpolated from fewer.
    """
    v = np.log(np.maximum(E - process.threshold, 1e-300))
    all_count = search is None or (np.max(search.lowest_energy(E)) <= process.m_S and not search.kinks(float(E.max())))
    smooth = all_count and method != "iww" and not _breaks(float(E.max()), process, 0.0)
    n, lowest = _few(v) if smooth else (0, math.inf)
    high = v >= lowest
    sigmas = _interpolated(v[high], n, process, method, q) if n else None
    if sigmas is None:
        return [_spectrum(at, process, method, search, q) for at in E.tolist()]
    between = zip(INTEGRALS[type(process)].energies(E[high], process, q), sigmas, strict=True)
    return [
        next(between) if known else _spectrum(at, process, method, search, q)
        for at, known in zip(E.tolist(), high.tolist(), strict=True)
    ]
