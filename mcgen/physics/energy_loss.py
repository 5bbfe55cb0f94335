"""Energy of the beam along the target (Eq. 16): laws of energy loss, all with the same three questions."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mcgen.constants import M_MU
from mcgen.physics.csda_range import RangeTable, energies, ranges
from mcgen.physics.straggling import Losses, travelled

Array = NDArray[np.float64]

#: muons that find the spectrum behind a slice, and the quantiles that are kept of it
MUONS, QUANTILES = 1 << 16, 1 << 11


def depth(E_beam: Any, E: Any, dE_dy: float) -> Any:
    """Path Delta y in cm after which a muon of E_beam has energy E, at constant loss in GeV/cm (Eq. 16)."""
    return (E_beam - E) / dE_dy


class ConstantLoss(NamedTuple):
    """The paper's <dE/dy>, the same at all energies."""

    dE_dy: float  #: GeV/cm

    def loss(self, E: Any) -> Any:
        """Energy loss in GeV/cm."""
        return self.dE_dy + 0.0 * E

    def path(self, E_in: Any, E: Any) -> Any:
        """Path in cm on which the energy falls from E_in to E (Eq. 16)."""
        return depth(E_in, E, self.dE_dy)

    def after(self, E_in: Any, path: Any) -> Any:
        """Energy in GeV after a path in cm (Eq. 16)."""
        return E_in - path * self.dE_dy


class TabulatedLoss(NamedTuple):
    """The mean loss of muons as a function of their energy."""

    table: RangeTable  #: in g/cm^2
    density: float  #: g/cm^3

    def loss(self, E: Any) -> Any:
        """Energy loss in GeV/cm: dE/dR, away from the ends of the table."""
        step = 1e-4 * E
        return 2.0 * step * self.density / (_range(E + step, self.table) - _range(E - step, self.table))

    def path(self, E_in: Any, E: Any) -> Any:
        """Path in cm on which the energy falls from E_in to E."""
        return (_range(E_in, self.table) - _range(E, self.table)) / self.density

    def after(self, E_in: Any, path: Any) -> Any:
        """Energy in GeV after a path in cm, the lowest of the table where the muon stops."""
        rho = _range(E_in, self.table) - np.asarray(path) * self.density
        return energies(np.ravel(rho), self.table).reshape(np.shape(rho))


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


def _range(E: Any, table: RangeTable) -> Any:
    return ranges(np.ravel(np.asarray(E, dtype=float)), table).reshape(np.shape(E))


Law = ConstantLoss | TabulatedLoss | RandomLoss

#: energy loss in GeV/cm that stands for none: too small to matter, it keeps energy and depth in one-to-one relation
NONE = ConstantLoss(1e-10)
