"""Muons that lose energy at random: a mean of small losses, and large ones piece by piece.

The scheme of condensed histories: pieces below a share of the kinetic energy make a continuous loss, those above are
drawn one by one at their rates (V. Niess et al., Comput. Phys. Commun. 229 (2018) 54, calls it mixed).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mcgen._jit import jit
from mcgen.constants import M_MU
from mcgen.rng import STRAGGLING, uniforms

Array = NDArray[np.float64]

#: longest step as a share of the range at the present continuous loss
STEP = 0.02


class Losses(NamedTuple):
    """Losses of muons in a material, at kinetic energies even in their logarithm."""

    log_T: Array  #: log of the kinetic energy in GeV, shape (n,)
    soft: Array  #: continuous loss in GeV/cm, in pieces below shares[0], shape (n,)
    shares: Array  #: shares of the kinetic energy, from the least to 1, shape (k,)
    rates: Array  #: pieces above each share per cm, falling to 0 at the share 1, shape (n, k)


@jit
def _share(rates: Array, shares: Array, u: float) -> float:
    """Share of the energy lost in a piece; u, uniform, is how many of all pieces are larger."""
    wanted = u * rates[0]
    i = 0
    while i < shares.size - 2 and rates[i + 1] >= wanted:
        i += 1
    if rates[i + 1] > 0.0:  # a power law between two shares
        slope = math.log(rates[i + 1] / rates[i]) / math.log(shares[i + 1] / shares[i])
        power: float = shares[i] * (wanted / rates[i]) ** (1.0 / slope) if slope < 0.0 else shares[i]
        return power
    straight: float = shares[i] + (shares[i + 1] - shares[i]) * (1.0 - wanted / rates[i])
    return straight


@jit
def travel(T: float, length: float, losses: Losses, seed: np.uint64, muon: np.uint64) -> float:
    """Kinetic energy in GeV behind `length` cm; the lowest of the table where the muon stops."""
    left = length
    log_step = losses.log_T[1] - losses.log_T[0]
    lowest = math.exp(losses.log_T[0])
    block = 0
    while left > 0.0 and lowest < T:
        position = min(max((math.log(T) - losses.log_T[0]) / log_step, 0.0), losses.log_T.size - 1.000001)
        i = int(position)
        f = position - i
        soft = losses.soft[i] + f * (losses.soft[i + 1] - losses.soft[i])
        rate = losses.rates[i, 0] + f * (losses.rates[i + 1, 0] - losses.rates[i, 0])
        u1, u2, u3, _ = uniforms(seed, np.uint64(STRAGGLING), muon, np.uint64(block))
        block += 1
        step = min(left, STEP * T / soft)
        free = -math.log(u1) / rate if rate > 0.0 else math.inf
        way = min(step, free)
        T -= soft * way
        left -= way
        if free < step:
            row = i + 1 if u2 * rate < f * losses.rates[i + 1, 0] else i
            T *= 1.0 - _share(losses.rates[row], losses.shares, u3)
    return max(T, lowest)


@jit
def travelled(E: Array, length: float, losses: Losses, seed: np.uint64) -> Array:
    """Total energies in GeV behind `length` cm of muons that enter with total energies E."""
    out = np.empty_like(E)
    for muon in range(E.size):
        out[muon] = travel(E[muon] - M_MU, length, losses, seed, np.uint64(muon)) + M_MU
    return out
