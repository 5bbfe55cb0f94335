"""Decays in layers of the target as well as behind it: the probability of a union of ranges (Eq. 19)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mcgen.base.arrays import Array, Numbers
from mcgen.base.elementary import exp, expm1, log1p
from mcgen.base.jit import jit
from mcgen.physics.signal.geometry import Interval, between
from mcgen.physics.signal.signal_yield import decay_probability


class Layers(NamedTuple):
    """Layers between planes across the beam, and bosons that fly through them.

    Faces are common to all bosons, so a calorimeter of many layers takes no memory for each of them.
    """

    low: Array  #: z of the front faces in cm, rising, shape (layers,)
    high: Array  #: z of the back faces, no layer in another
    z: Array  #: where each boson is made in cm, shape (n,)
    n_z: Array  #: share of its way that it goes along the beam; 0 if its decay counts in no layer


@jit
def way(layers: Layers, i: int, layer: int) -> Interval:
    """Path lengths in cm between which boson i is in a layer; the same number twice if it never is."""
    n_z = layers.n_z[i]
    return between(layers.z[i], n_z, layers.low[layer], layers.high[layer]) if n_z != 0.0 else (0.0, 0.0)


@jit
def _count(layers: Layers, i: int, k: float, tau: float, inverse_length_k: Array, found: Array) -> None:
    """1 at each coupling at which boson i decays in a layer after tau mean lives, else 0."""
    found[:] = 0.0
    for layer in range(layers.low.size):
        first, last = way(layers, i, layer)
        for j in range(found.size):
            if first / k * inverse_length_k[j] <= tau < last / k * inverse_length_k[j]:
                found[j] = 1.0


@jit
def _look_ahead(layers: Layers, along: float, inverse_length_k: Array, ahead: Array) -> None:
    """Probabilities to decay in a layer or in any behind it, at each coupling, from the front of that layer on.

    `along` is 1 over the momentum along the beam, so that inverse_length_k * along is 1 over the decay length in z.
    """
    for layer in range(layers.low.size - 1, -1, -1):
        thickness, step = layers.high[layer] - layers.low[layer], 0.0
        if layer + 1 < layers.low.size:
            step = layers.low[layer + 1] - layers.low[layer]
        for j in range(inverse_length_k.size):
            rate = inverse_length_k[j] * along
            ahead[layer, j] = -expm1(-thickness * rate) + exp(-step * rate) * ahead[layer + 1, j]


@jit
def _forward(layers: Layers, i: int, along: float, inverse_length_k: Array, ahead: Array, found: Array) -> None:
    """Probability of boson i, which flies forward, to decay in a layer, at each coupling."""
    found[:] = 0.0
    z, layer = layers.z[i], np.searchsorted(layers.high, layers.z[i], side="right")
    if layer < layers.low.size and layers.low[layer] < z:  # made inside
        for j in range(found.size):
            found[j] = -expm1((z - layers.high[layer]) * inverse_length_k[j] * along)
        layer += 1
    if layer < layers.low.size:
        for j in range(found.size):
            found[j] += exp((z - layers.low[layer]) * inverse_length_k[j] * along) * ahead[layer, j]


@jit
def expected_signal_in_layers(
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
) -> None:
    """As `expected_signal`, where decays in layers count as well (Eqs. 17, 19).

    Parameters
    ----------
    weight, k, z_min, z_max, tau, energy_bin, inverse_length_k, visible, counted, sums, squares
        As of `expected_signal`; z_min and z_max are those of the detector, which no layer overlaps.
    layers : Layers
    """
    probability = np.empty(inverse_length_k.size)
    ahead, known = np.zeros((layers.low.size + 1, inverse_length_k.size)), 0.0
    for i in range(weight.size):
        n_z = layers.n_z[i]
        if tau.size > 0:
            _count(layers, i, k[i], tau[i], inverse_length_k, probability)
        elif n_z > 0.0:
            along = 1.0 / (k[i] * n_z)
            if along != known:  # nodes of a quadrature differ in depth first
                _look_ahead(layers, along, inverse_length_k, ahead)
                known = along
            _forward(layers, i, along, inverse_length_k, ahead, probability)
        else:
            probability[:] = 0.0
            for layer in range(layers.low.size):
                first, last = way(layers, i, layer)
                for j in range(probability.size):
                    probability[j] += decay_probability(first / k[i], last / k[i], inverse_length_k[j])
        before, until = z_min[i] / k[i], z_max[i] / k[i]
        for j in range(probability.size):
            if tau.size > 0:
                inside = before * inverse_length_k[j] <= tau[i] < until * inverse_length_k[j]
                probability[j] += 1.0 if inside else 0.0
            else:
                probability[j] += decay_probability(before, until, inverse_length_k[j])
            value = weight[i] * (visible * probability[j] + counted)
            sums[energy_bin[i], j] += value
            squares[energy_bin[i], j] += value * value


@jit
def draw_in_layers(
    z_min: Array, z_max: Array, length: Array, u: Array, layers: Layers, tau: Array, inside: Array
) -> None:
    """Draw decays that count, in a layer or in the detector (Eq. 19).

    Parameters
    ----------
    z_min, z_max : array, shape (n,)
        Distances from the production in cm between which a decay in the detector counts.
    length : array, shape (n,)
        Decay lengths in cm.
    u : array, shape (n,)
        Uniform numbers.
    layers : Layers
    tau, inside : array, shape (n,)
        Written to: mean lives to the decay, and the probability that it counts.
    """
    n = layers.low.size
    first, share, span = np.empty(n + 1), np.empty(n + 1), np.empty(n + 1)
    for i in range(u.size):
        nearest = math.inf
        for layer in range(n + 1):
            start, end = way(layers, i, layer) if layer < n else (z_min[i], z_max[i])
            first[layer], span[layer] = start / length[i], (end - start) / length[i]
            if span[layer] > 0.0:
                nearest = min(nearest, first[layer])
        total = 0.0
        for layer in range(n + 1):  # shares relative to the start of the nearest range, which may be far away
            share[layer] = -exp(nearest - first[layer]) * expm1(-span[layer]) if span[layer] > 0.0 else 0.0
            total += share[layer]
        left, drawn = u[i] * total, n
        for layer in range(n + 1):
            if share[layer] > 0.0:
                drawn = layer
                if left < share[layer]:
                    break
                left -= share[layer]
        rest = min(left / share[drawn], 1.0 - 1e-16) if share[drawn] > 0.0 else 0.0
        tau[i] = first[drawn] - log1p(rest * expm1(-span[drawn]))
        inside[i] = exp(-nearest) * total if total > 0.0 else 0.0
