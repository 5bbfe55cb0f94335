"""From a cross section to a number of signal events (Eqs. 14-15, 17, 19)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mcgen.base.arrays import Array, Numbers
from mcgen.base.constants import HBARC_GEV_CM, PB_CM2
from mcgen.base.elementary import exp, expm1
from mcgen.base.jit import jit


@jit
def decay_probability(z_min: float, z_max: float, inverse_length: float) -> float:
    """exp(-z_min/L) - exp(-z_max/L) for a decay between two distances in cm, 1/L in 1/cm (Eq. 19)."""
    probability = -exp(-z_min * inverse_length) * expm1((z_min - z_max) * inverse_length)
    stable = 0.0 if z_max < math.inf else 1.0
    return probability if inverse_length > 0.0 else stable


def inverse_length_per_momentum(width: float, m_S: float) -> float:
    """k/L_S = m_S Gamma/(hbar c) in GeV/cm."""
    return m_S * width / HBARC_GEV_CM


def yield_per_pb(n_atom: float, length: Any) -> Any:
    """n_atom dy in 1/pb: yield per beam particle over cross section, dy = dE/<dE/dy> (Eqs. 14-15, 17).

    n_atom is the number of targets per cm^3, `length` the path in cm; numbers or arrays.
    """
    return n_atom * PB_CM2 * length


#: bosons whose probabilities are computed together
_FEW = 512


@jit
def expected_signal(
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
) -> None:
    """Add weight * probability and its square to sums and squares (Eqs. 17, 19).

    Parameters
    ----------
    weight : array, shape (n,)
        Of each boson.
    k : array, shape (n,)
        Momentum of the boson in GeV.
    z_min, z_max : array, shape (n,)
        Distances from the production in cm between which a decay counts.
    tau : array, shape (n,) or (0,)
        Empty: the probability is that of Eq. 19. Otherwise mean lives to the boson's own decay: the probability is 1 if
        that decay counts, else 0.
    energy_bin : array of int, shape (n,)
        Row of `sums` to add to.
    inverse_length_k : array, shape (couplings,)
        k/L_S in GeV/cm at each coupling.
    visible, counted : float
        Share of the decays that the probability holds for, and share that is signal wherever it happens.
    sums, squares : array, shape (bins, couplings)
        Added to, at several couplings at a time.
    """
    before, until, values = np.empty(_FEW), np.empty(_FEW), np.empty(_FEW)
    for first in range(0, weight.size, _FEW):  # so few that they stay in the cache
        n = min(_FEW, weight.size - first)
        for i in range(n):
            before[i] = z_min[first + i] / k[first + i]
            until[i] = z_max[first + i] / k[first + i]
        for j in range(inverse_length_k.size):
            per_k = inverse_length_k[j]
            if tau.size > 0:
                for i in range(n):
                    inside = before[i] * per_k <= tau[first + i] < until[i] * per_k
                    values[i] = weight[first + i] * (visible * (1.0 if inside else 0.0) + counted)
            else:
                for i in range(n):  # several at a time; they are added one by one, in their order
                    probability = decay_probability(before[i], until[i], per_k)
                    values[i] = weight[first + i] * (visible * probability + counted)
            for i in range(n):
                sums[energy_bin[first + i], j] += values[i]
                squares[energy_bin[first + i], j] += values[i] * values[i]
