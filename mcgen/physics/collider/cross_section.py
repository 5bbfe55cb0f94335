"""Spectra and cross section of e+ e- -> f+ f- X: Delta in closed form, the energy of X by quadrature.

d sigma/(dE dDelta dcos) = alpha^2 g^2/(32 pi s^2) [H_T (1 + cos^2)/2 + H_L sin^2],  H_T = H_tot - H_L.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.constants import ALPHA, GEV2_PB
from mcgen.base.jit import jit
from mcgen.physics.collider.amplitude import Collision, Radiation, energy_range, radiation
from mcgen.physics.emission.rules import panels

#: nodes of each panel, and the length of a panel in the rapidity of X, cosh(eta) = E/m_S
FINE, COARSE, _LENGTH = 16, 12, 1.5
#: share of a cross section by which it is rounded
_ROUNDING = 1e-12
#: D/E below which differences of near equals are summed as series
_SERIES = 0.3


@jit
def _series(a2: float, crossed: bool) -> float:
    """Sums over n >= 1 of a2^n times n/(2n + 1), or times 2/(4 n^2 - 1)."""
    total, power = 0.0, 1.0
    for n in range(1, 17):
        power *= a2
        total += power * (2.0 / (4.0 * n * n - 1.0) if crossed else n / (2.0 * n + 1.0))
    return total


class Integrals(NamedTuple):
    """Integrals over Delta, from -D to D, in powers of GeV."""

    R: float  #: of 1/R
    edge: float  #: of (D^2 - Delta^2)/R
    slope: float  #: of Delta^2/R^2


@jit
def integrals(r: Radiation) -> Integrals:
    """Closed forms, of L = ln[(E + D)/(E - D)]."""
    L = math.log1p(2.0 * r.D * (r.D + r.E) / r.R0)
    a2 = (r.D / r.E) ** 2
    if a2 < _SERIES * _SERIES:
        edge = 2.0 * r.D * _series(a2, True)
        slope = 2.0 * r.D / (r.E * r.E) * _series(a2, False)
    else:
        edge = 2.0 * r.D - r.R0 * L / r.E
        slope = r.D / r.R0 - 0.5 * L / r.E
    return Integrals(L / r.E, edge, slope)


@jit
def h_spectrum(c: Collision, above: float, below: float) -> tuple[float, float]:
    """H_tot and H_L integrated over Delta, in GeV.

    Parameters
    ----------
    c : Collision
    above, below : float
        E - m_S and E_max - E in GeV.
    """
    r = radiation(c, above, below)
    if r.D <= 0.0:
        return 0.0, 0.0
    i, w = integrals(r), c.weights
    s, k2 = c.sqrt_s * c.sqrt_s, r.k * r.k
    plain = 3.0 * c.longitudinal + 4.0 * w.K * k2 + 2.0 * w.B * (r.w + k2 + r.D * r.D) - 8.0 * w.Q * r.w / s
    total = plain * i.R - 2.0 * w.B * i.edge + 8.0 * w.Q * (2.0 + 4.0 * c.m * c.m / s) * i.slope
    z = (c.m_S / (c.sqrt_s * r.k)) ** 2 * r.W2
    along = c.longitudinal * i.R + w.B * r.W2 / k2 * i.edge - 8.0 * w.Q * z * i.slope
    return total, along


@jit
def fill_spectrum(c: Collision, above: Array, below: Array, out: Array) -> None:
    """`h_spectrum` at many energies: writes `out`, shape (2, n)."""
    for i in range(above.size):
        out[0, i], out[1, i] = h_spectrum(c, above[i], below[i])


class Nodes(NamedTuple):
    """Energies of X in the frame of the collision, and the cross section that each stands for."""

    above: Array  #: E - m_S in GeV
    below: Array  #: E_max - E in GeV
    total: Array  #: pb at unit coupling
    along: Array  #: the part of H_L, distributed as sin^2; the rest as 1 + cos^2


def _panels(low: float, high: float, edges: Array, n: int) -> tuple[Array, Array]:
    """Nodes and weights in a part of the range that the edges divide into panels."""
    if not low < high:
        return np.empty(0), np.empty(0)
    limits = np.concatenate([[low], edges[(edges > low) & (edges < high)], [high]])
    panel = np.clip(np.searchsorted(edges, limits[:-1], "right"), 1, edges.size - 1)
    return panels(limits, edges[panel] - edges[panel - 1], n)


def _by_rapidity(c: Collision, low: float, high: float, end: float, n: int) -> tuple[Array, Array]:
    """E - m_S between two values of 0 to `end`, by E = m_S cosh(eta): even in the logarithm of soft energies."""
    first, last, whole = (2.0 * math.asinh(math.sqrt(0.5 * above / c.m_S)) for above in (low, high, end))
    eta, w = _panels(first, last, np.linspace(0.0, whole, max(1, math.ceil(whole / _LENGTH)) + 1), n)
    return 2.0 * c.m_S * np.sinh(0.5 * eta) ** 2, w * c.m_S * np.sinh(eta)


def _by_distance(c: Collision, low: float, high: float, end: float, n: int) -> tuple[Array, Array]:
    """E_max - E between two values of 0 to `end`, by its square root; panels double: there f begins to move."""
    first, whole = 2.0 * c.m / math.sqrt(2.0 * c.sqrt_s), math.sqrt(end)
    doubled = first * np.exp2(np.arange(max(0, math.ceil(math.log2(whole / first)))))
    y, w = _panels(math.sqrt(low), math.sqrt(high), np.concatenate([[0.0], doubled, [whole]]), n)
    return y * y, w * 2.0 * y


def nodes(c: Collision, low: float = 0.0, high: float = math.inf, n: int = FINE) -> Nodes:
    """Energies of X between two values of E - m_S, and their cross sections.

    Parameters
    ----------
    c : Collision
    low, high : float
        Of E - m_S in GeV.
    n : int
        Nodes of a panel.

    Returns
    -------
    Nodes
        None at all below threshold.
    """
    whole = energy_range(c) if c.is_open else 0.0
    low, high = min(max(low, 0.0), whole), min(high, whole)
    if not low < high:
        return Nodes(*(np.empty(0),) * 4)
    middle = 0.5 * whole
    above, w_above = _by_rapidity(c, min(low, middle), min(high, middle), middle, n)
    below, w_below = _by_distance(c, whole - max(high, middle), whole - max(low, middle), whole - middle, n)
    above, below = np.concatenate([above, whole - below]), np.concatenate([whole - above, below])
    h = np.empty((2, above.size))
    fill_spectrum(c, above, below, h)
    total, along = unit(c) * np.concatenate([w_above, w_below]) * h
    return Nodes(above, below, total, along)


def unit(c: Collision) -> float:
    """d sigma/(dE dDelta) over H_tot, in pb at unit coupling."""
    return ALPHA**2 * GEV2_PB / (24.0 * math.pi * c.sqrt_s**4)


def sigma(c: Collision) -> tuple[float, float]:
    """Cross section in pb at unit coupling, 0 below threshold, and its numerical error."""
    fine, coarse = (float(nodes(c, n=n).total.sum()) for n in (FINE, COARSE))
    return fine, max(abs(fine - coarse), _ROUNDING * fine)


def energy_bins(c: Collision, edges: Array) -> Array:
    """Cross section in pb in bins of the energy of X in the frame of the collision.

    Parameters
    ----------
    c : Collision
    edges : array, shape (bins + 1,)
        GeV.

    Returns
    -------
    array, shape (bins,)
    """
    above = np.asarray(edges, dtype=float) - c.m_S
    return np.array([nodes(c, a, b).total.sum() for a, b in zip(above[:-1].tolist(), above[1:].tolist(), strict=True)])


def cos_theta_bins(c: Collision, edges: Array) -> Array:
    """Cross section in pb in bins of the cosine of X to the beam in the frame of the collision.

    Parameters
    ----------
    c : Collision
    edges : array, shape (bins + 1,)

    Returns
    -------
    array, shape (bins,)
    """
    found = nodes(c)
    total, along = found.total.sum(), found.along.sum()
    x = np.asarray(edges, dtype=float)
    across = np.diff(x) * (1.0 + (x[1:] ** 2 + x[1:] * x[:-1] + x[:-1] ** 2) / 3.0)  # of 1 + cos^2
    bins: Array = 0.375 * (total - along) * across + 0.75 * along * (2.0 * np.diff(x) - across)
    return bins
