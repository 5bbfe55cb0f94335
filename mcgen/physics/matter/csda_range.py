"""Range of muons that lose energy continuously: depth between two energies, and energy at a depth (Eq. 16).

Eq. 16 has a constant loss; here it is a function of energy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.jit import jit
from mcgen.physics.emission.rules import gauss


class RangeTable(NamedTuple):
    """Range above the lowest energy, on a grid even in log E."""

    log_E: Array  #: log of the total energy in GeV, rising
    R: Array  #: g/cm^2 from E down to the lowest energy, rising from 0
    slope: Array  #: dR/dlog E, g/cm^2


def range_table(loss: Callable[[Array], Array], E_low: float, E_high: float, n: int = 128) -> RangeTable:
    """Range from the mean loss (Eq. 16): R(E) = integral of dE/loss from E_low, good to 1e-6.

    Parameters
    ----------
    loss : callable
        Mean loss in GeV cm^2/g at an array of total energies in GeV; called once.
    E_low, E_high : float
        Total energies in GeV that the table spans.
    n : int
        Grid intervals.
    """
    log_E = np.linspace(np.log(E_low), np.log(E_high), n + 1)
    nodes, weights = gauss(3)
    step = log_E[1] - log_E[0]
    inner = log_E[:-1, None] + step * nodes
    E = np.exp(np.concatenate([log_E, inner.ravel()]))
    slope, within = np.split(E / loss(E), [n + 1])
    pieces = step * np.sum(weights * within.reshape(n, 3), axis=1)
    return RangeTable(log_E, np.concatenate([[0.0], np.cumsum(pieces)]), slope)


@jit
def _hermite(f: float, h: float, y0: float, y1: float, d0: float, d1: float) -> float:
    """Cubic at fraction f of an interval of width h through values y with slopes d."""
    chord = (y1 - y0) / h
    return y0 + h * f * (d0 + f * (3.0 * chord - 2.0 * d0 - d1 + f * (d0 + d1 - 2.0 * chord)))


@jit
def range_at(E: float, table: RangeTable) -> float:
    """Range in g/cm^2 down to the lowest energy of the table, which E is clipped to.

    Depth between two energies: the difference of their ranges.
    """
    x = table.log_E
    h = x[1] - x[0]
    position = min(max((math.log(E) - x[0]) / h, 0.0), x.size - 1.0)
    i = min(int(position), x.size - 2)
    return _hermite(position - i, h, table.R[i], table.R[i + 1], table.slope[i], table.slope[i + 1])


@jit
def energy_at(R: float, table: RangeTable) -> float:
    """Total energy in GeV at which the range is R, clipped to the table: the inverse of `range_at`."""
    y = table.R
    last = y.size - 2
    R = min(max(R, 0.0), y[last + 1])
    i = min(max(int(np.searchsorted(y, R, side="right")) - 1, 0), last)
    h = table.log_E[1] - table.log_E[0]
    f = (R - y[i]) / (y[i + 1] - y[i])
    for _ in range(4):  # Newton's method; the slopes of neighbours differ by less than 10 %
        value = _hermite(f, h, y[i], y[i + 1], table.slope[i], table.slope[i + 1])
        f -= (value - R) / (h * (table.slope[i] + f * (table.slope[i + 1] - table.slope[i])))
    return math.exp(table.log_E[i] + h * min(max(f, 0.0), 1.0))


@jit
def ranges(E: Array, table: RangeTable) -> Array:
    """`range_at` of every energy."""
    result = np.empty(E.size)
    for i in range(E.size):
        result[i] = range_at(E[i], table)
    return result


@jit
def energies(R: Array, table: RangeTable) -> Array:
    """`energy_at` of every range."""
    result = np.empty(R.size)
    for i in range(R.size):
        result[i] = energy_at(R[i], table)
    return result
