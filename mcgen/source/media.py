"""A layer of the target as a medium: what it is made of, and how muons lose energy in it."""

from __future__ import annotations

import functools

import numpy as np

from mcgen.base.constants import AVOGADRO
from mcgen.base.errors import InputError
from mcgen.card.target import Layer
from mcgen.physics.matter import atomic_data
from mcgen.physics.matter.csda_range import RangeTable, range_table
from mcgen.physics.matter.density_effect import medium
from mcgen.physics.matter.energy_loss import NONE, ConstantLoss, TabulatedLoss
from mcgen.physics.matter.lengths import per_X0
from mcgen.physics.matter.materials import ELEMENTS, MATERIALS, Element, Material
from mcgen.physics.matter.stopping_power import stopping_power
from mcgen.source.mulder_tables import random_loss
from mcgen.source.straggling import Law

#: total energy in GeV of a muon that has stopped, where the energy loss is tabulated
STOPPED = 0.15


@functools.lru_cache(maxsize=256)
def _table(
    atoms: tuple[tuple[float, str], ...], density: float, fit: str | None, alloy: bool, E_max: float
) -> RangeTable:
    """Range of muons in a material of shares of mass and element names."""
    elements = [(share, ELEMENTS[name]) for share, name in atoms]
    electrons = medium(elements, density, atomic_data.FITS[fit] if fit else None, compound=not alloy)
    return range_table(lambda E: stopping_power(E, elements, electrons).total, 0.99 * STOPPED, 1.01 * E_max)


class Medium:
    """What a layer of a card is made of: its own numbers, or those of its material."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._known: Material | None = MATERIALS.get(layer.material)

    @functools.cached_property
    def composition(self) -> list[tuple[Element, float]]:
        """Elements with their atoms per cm^3."""
        return self._layer.composition

    @property
    def density(self) -> float:
        """Mass density in g/cm^3, of the card, of n_atom, or of the material."""
        return sum(n * element.A for element, n in self.composition) / AVOGADRO

    @property
    def atoms_per_cm3(self) -> float:
        """All atoms: n_atom of the card, or of the density."""
        return sum(n for _, n in self.composition)

    @functools.cached_property
    def per_X0(self) -> float:
        """Radiation lengths per cm."""
        return per_X0(self.composition)

    @property
    def _atoms(self) -> tuple[tuple[float, str], ...]:
        """Shares of mass and names of elements, for the tables of energy loss."""
        layer, fractions = self._layer, self._layer.mass_fractions
        if not fractions or (layer.Z, layer.A) != (None, None):
            message = f"material '{layer.material[:60]}': only elements by name have a table of energy loss"
            raise InputError(message)
        total = sum(fractions.values())
        return tuple((share / total, name) for name, share in fractions.items())

    def _table(self, E_max: float) -> RangeTable:
        known = self._known
        fit = known.fit if known and not self._layer.fractions else None
        return _table(self._atoms, self.density, fit, bool(known and known.alloy), max(E_max, 10.0))

    @property
    def loss(self) -> float:
        """<dE/dy> of the card or of a minimum-ionising muon, in GeV/cm."""
        layer, known = self._layer, self._known
        if layer.is_vacuum:
            return NONE.dE_dy
        if layer.dE_dy:
            return layer.dE_dy
        if known and not layer.fractions:
            return known.dEdx_min * (layer.density or known.density)
        return float(TabulatedLoss(self._table(10.0), self.density).loss(np.geomspace(0.2, 2.0, 64)).min())

    def law(self, kind: str, E_max: float) -> Law:
        """Energy along the layer for energies up to E_max in GeV."""
        if self._layer.is_vacuum:
            return NONE
        if kind == "table":
            return TabulatedLoss(self._table(E_max), self.density)
        if kind == "mulder":
            return random_loss(self._atoms, self.density, 0.99 * STOPPED, 1.01 * max(E_max, 10.0))
        return ConstantLoss(self.loss) if kind == "constant" else NONE
