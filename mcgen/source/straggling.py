"""Muons that lose energy at random: a mean of small losses, and large ones piece by piece.

The scheme of condensed histories: pieces below a share of the kinetic energy make a continuous loss, those above are
drawn one by one at their rates (V. Niess et al., Comput. Phys. Commun. 229 (2018) 54, calls it mixed).
"""

from __future__ import annotations

import functools
import hashlib
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.constants import M_MU
from mcgen.base.jit import jit
from mcgen.base.rng import STRAGGLING, uniforms
from mcgen.physics.matter import energy_loss
from mcgen.physics.matter.energy_loss import TabulatedLoss

#: simulated muons that give the spectrum behind a slice, and the number of its quantiles that are kept
MUONS, QUANTILES = 1 << 16, 1 << 11
#: longest step as a share of the range at the present continuous loss
STEP = 0.02


class Losses(NamedTuple):
    """Losses of muons in a material, at kinetic energies in equal ratios."""

    log_T: Array  #: log of the kinetic energy in GeV, shape (n,)
    soft: Array  #: continuous loss in GeV/cm, in pieces below shares[0], shape (n,)
    shares: Array  #: shares of the kinetic energy, from the least to 1, shape (k,)
    rates: Array  #: pieces above each share per cm, falling to 0 at the share 1, shape (n, k)


@jit
def _share(rates: Array, shares: Array, u: float) -> float:
    """Share of the kinetic energy in one large loss; u, uniform in (0, 1), is the fraction of losses above it."""
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
    """Kinetic energy in GeV of a muon behind a piece of material; the lowest of the table if it stops.

    Parameters
    ----------
    T : float
        Kinetic energy in front of it, GeV.
    length : float
        cm.
    losses : Losses
    seed, muon : uint64
        They fix the random numbers.
    """
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
    """Total energies in GeV of muons behind a piece of material.

    Parameters
    ----------
    E : array
        Total energies in front of it, GeV, shape (n,).
    length : float
        cm.
    losses : Losses
    seed : uint64

    Returns
    -------
    array
        Shape (n,).
    """
    out = np.empty_like(E)
    for muon in range(E.size):
        out[muon] = travel(E[muon] - M_MU, length, losses, seed, np.uint64(muon)) + M_MU
    return out


@dataclass(frozen=True, slots=True, eq=False)
class RandomLoss:
    """Losses at random: their mean within a slice of the target, and the spectrum that they leave behind it."""

    mean: TabulatedLoss
    losses: Losses
    angle2: Array  #: mean square of the angle in one plane per cm, at the energies of `losses`

    def loss(self, E: Any) -> Any:
        """Mean energy loss in GeV/cm."""
        return self.mean.loss(E)

    def path(self, E_in: Any, E: Any) -> Any:
        """Path in cm on which the mean loss takes the energy from E_in to E."""
        return self.mean.path(E_in, E)

    def after(self, E_in: Any, path: Any) -> Any:
        """Energy in GeV after a path in cm at the mean loss, the lowest of the table where the muon stops."""
        return self.mean.after(E_in, path)

    def behind(self, energies: Array, cdf: Array, path: float) -> tuple[Array, Array]:
        """Distribution function of the energy behind a path in cm, from the one in front of it."""
        return _behind(self, energies.tobytes(), cdf.tobytes(), path)

    def angle2_per_cm(self, E: Any) -> Any:
        """Mean square of the angle in one plane per cm, at total energies E in GeV."""
        return np.exp(np.interp(np.log(E - M_MU), self.losses.log_T, np.log(self.angle2)))


@functools.lru_cache(maxsize=512)
def _behind(law: RandomLoss, energies: bytes, cdf: bytes, path: float) -> tuple[Array, Array]:
    seed = int.from_bytes(hashlib.sha256(energies + repr(path).encode()).digest()[:8])
    entering = np.interp((np.arange(MUONS) + 0.5) / MUONS, np.frombuffer(cdf), np.frombuffer(energies))
    E = np.sort(travelled(entering, path, law.losses, np.uint64(seed)))
    return np.append(E[:: MUONS // QUANTILES], E[-1]), np.linspace(0.0, 1.0, QUANTILES + 1)


Law = energy_loss.Law | RandomLoss
