"""Energy of the beam along the target (Eq. 16): laws of energy loss, all with `loss`, `path` and `after`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mcgen.physics.matter.csda_range import RangeTable, energies, ranges


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


def _range(E: Any, table: RangeTable) -> Any:
    return ranges(np.ravel(np.asarray(E, dtype=float)), table).reshape(np.shape(E))


Law = ConstantLoss | TabulatedLoss

#: energy loss in GeV/cm that stands for none: too small to matter, it keeps energy and depth in one-to-one relation
NONE = ConstantLoss(1e-10)
