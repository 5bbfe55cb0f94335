"""Decays that are seen with an efficiency that depends on their place: each piece of it in closed form (Eq. 19)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mcgen.base.arrays import Array, Numbers
from mcgen.base.elementary import exp
from mcgen.base.jit import jit
from mcgen.physics.signal.layers import Layers, way

#: a boson with less of its way along the beam flies across it, so that its place along the beam stays
_ACROSS = 1e-9


class Depth(NamedTuple):
    """Efficiency along z, straight between knots and constant outside, and bosons that fly through it."""

    z: Array  #: where each boson is made in cm, shape (n,)
    n_z: Array  #: share of its way that it goes along the beam
    knots: Array  #: z in cm, rising; the same one twice for a step
    values: Array  #: efficiencies, shape (rows, knots)
    row: Numbers  #: that of each boson, shape (n,)
    part: Array  #: share of the next row in it


@jit
def straight(h: float) -> tuple[float, float]:
    """Integrals of (1 - u/h) exp(-u) and of (u/h) exp(-u) from 0 to h >= 0, both to a few 1e-16 of themselves."""
    if h >= 1.0:
        e = exp(-h)
        return (h - 1.0 + e) / h, (1.0 - e * (1.0 + h)) / h
    falling, rising, term = 0.0, 0.0, 0.5 * h
    for m in range(17):
        falling += term
        rising += (m + 1.0) * term
        term *= -h / (m + 3.0)
    return falling, rising


@jit
def _value(depth: Depth, i: int, knot: int) -> float:
    """Efficiency of boson i at a knot, or at the last one beyond it."""
    knot = min(max(knot, 0), depth.knots.size - 1)
    low: float = depth.values[depth.row[i], knot]
    if depth.part[i] == 0.0:
        return low
    high: float = depth.values[depth.row[i] + 1, knot]
    return low + float(depth.part[i]) * (high - low)


@jit
def _seen(depth: Depth, i: int, z: float) -> float:
    """Efficiency of boson i for a decay at z in cm; at a step that of the side behind it."""
    knot = int(np.searchsorted(depth.knots, z, side="right"))
    low = _value(depth, i, knot - 1)
    if knot == 0 or knot == depth.knots.size:
        return low
    first, last = float(depth.knots[knot - 1]), float(depth.knots[knot])
    return low + (_value(depth, i, knot) - low) * ((z - first) / (last - first))


@jit
def _add(depth: Depth, i: int, first: float, last: float, k: float, inverse_length_k: Array, found: Array) -> None:
    """Add the probability that boson i decays between two distances in cm and is seen, at each coupling."""
    z, size = depth.z[i], depth.knots.size
    n_z = depth.n_z[i] if abs(depth.n_z[i]) > _ACROSS else 0.0
    ahead, step = size, 1  # the next knot on the way, and where the one behind it is
    if n_z > 0.0:
        ahead = np.searchsorted(depth.knots, z + first * n_z, side="right")
    elif n_z < 0.0:
        ahead, step = np.searchsorted(depth.knots, z + first * n_z, side="left") - 1, -1
    start = first
    while start < last:
        is_inside = n_z != 0.0 and 0 <= ahead < size
        end = min(last, max(start, (depth.knots[ahead] - z) / n_z)) if is_inside else last
        if end > start:
            a = _value(depth, i, ahead) if n_z != 0.0 else _seen(depth, i, z)
            b = a
            behind = ahead - step
            if is_inside and 0 <= behind < size:
                from_, to = (depth.knots[behind] - z) / n_z, (depth.knots[ahead] - z) / n_z
                low, high = _value(depth, i, behind), _value(depth, i, ahead)
                a = low + (high - low) * min(1.0, max(0.0, (start - from_) / (to - from_)))
                b = low + (high - low) * min(1.0, max(0.0, (end - from_) / (to - from_)))
            if a != 0.0 or b != 0.0:
                for j in range(found.size):
                    rate = inverse_length_k[j] / k
                    falling, rising = straight((end - start) * rate)
                    found[j] += exp(-start * rate) * (a * falling + b * rising)
        start = end
        ahead += step if is_inside else 0


@jit
def expected_signal_in_depth(
    weight: Array,
    k: Array,
    z_min: Array,
    z_max: Array,
    tau: Array,
    energy_bin: Numbers,
    inverse_length_k: Array,
    visible: float,
    counted: float,
    sums: Array,
    squares: Array,
    layers: Layers,
    depth: Depth,
) -> None:
    """As `expected_signal_in_layers`, where decays are seen with an efficiency that depends on their place.

    Parameters
    ----------
    weight, k, z_min, z_max, tau, energy_bin, inverse_length_k, visible, counted, sums, squares
        As of `expected_signal`; z_max is finite. What counts wherever it happens has no place, `counted` is 0.
    layers : Layers
        Of no layer, if decays count in none.
    depth : Depth
    """
    probability = np.empty(inverse_length_k.size)
    for i in range(weight.size):
        probability[:] = 0.0
        for layer in range(layers.low.size + 1):
            first, last = z_min[i], z_max[i]
            if layer < layers.low.size:
                first, last = way(layers, i, layer)
            if tau.size == 0:
                _add(depth, i, first, last, k[i], inverse_length_k, probability)
                continue
            for j in range(probability.size):
                rate = inverse_length_k[j] / k[i]
                if first * rate <= tau[i] < last * rate:
                    probability[j] += _seen(depth, i, depth.z[i] + tau[i] / rate * depth.n_z[i])
        for j in range(probability.size):
            value = weight[i] * (visible * probability[j] + counted)
            sums[energy_bin[i], j] += value
            squares[energy_bin[i], j] += value * value
