"""The target of a card: a slab, or layers one behind the other, each an element or a compound."""

from __future__ import annotations

import functools
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Discriminator, Field, Tag, model_validator

from mcgen.constants import AVOGADRO
from mcgen.errors import InputError, nearest
from mcgen.materials import ELEMENTS, MATERIALS, Element, nuclei_per_cm3
from mcgen.mulder_tables import random_loss
from mcgen.physics import atomic_data
from mcgen.physics.csda_range import RangeTable, range_table
from mcgen.physics.density_effect import medium
from mcgen.physics.energy_loss import NONE, ConstantLoss, TabulatedLoss
from mcgen.physics.multiple_scattering import radiation_length
from mcgen.physics.stopping_power import stopping_power
from mcgen.quantities import Density, Energy, EnergyLoss, Length, NumberDensity, Section
from mcgen.straggling import Law

#: total energy in GeV of a muon that has stopped, where the energy loss is tabulated
STOPPED = 0.15


@functools.lru_cache(maxsize=256)
def _table(
    atoms: tuple[tuple[float, str], ...], density: float, fit: str | None, alloy: bool, E_max: float
) -> RangeTable:
    """Range of muons in a material of shares of mass and element names."""
    elements = [(share, atomic_data.ELEMENTS[name]) for share, name in atoms]
    electrons = medium(elements, density, atomic_data.FITS[fit] if fit else None, compound=not alloy)
    return range_table(lambda E: stopping_power(E, elements, electrons).total, 0.99 * STOPPED, 1.01 * E_max)


class Layer(Section):
    """A homogeneous layer; a number given here overrides the one of the material."""

    material: str
    length: Length
    fractions: dict[str, Annotated[float, Field(ge=1e-12, le=1.0)]] | None = None  #: mass fractions of elements
    Z: Annotated[float, Field(ge=1.0, le=120.0)] | None = None
    A: Annotated[float, Field(ge=1.0, le=300.0)] | None = None
    density: Density | None = None
    n_atom: NumberDensity | None = None
    dE_dy: EnergyLoss | None = None

    @model_validator(mode="after")
    def _known(self) -> Layer:
        name = self.material[:60]
        known = MATERIALS.get(self.material)
        compound = len(self._fractions) > 1
        for element in self.fractions or {}:
            if element not in ELEMENTS:
                message = f"fractions: element '{element[:60]}' is not known{nearest(element, ELEMENTS)}"
                raise InputError(message)
        if self.fractions and abs(sum(self.fractions.values()) - 1.0) > 0.01:
            message = f"fractions: add up to {sum(self.fractions.values()):g}, not to 1"
            raise InputError(message)
        if compound and not self.Z == self.A == self.n_atom is None:
            message = f"material '{name}' is a compound: give fractions and density instead of Z, A and n_atom"
            raise InputError(message)
        if not known and not self.fractions and None in (self.Z, self.A):
            hint = nearest(self.material, MATERIALS)
            message = f"material '{name}' is not known{hint}; or give Z, A, n_atom and dE_dy, or fractions and density"
            raise InputError(message)
        if not known and self.density is None and (compound or self.n_atom is None):
            message = f"material '{name}' is not known: {'' if compound else 'n_atom or '}density is needed"
            raise InputError(message)
        if not known and not self.fractions and self.dE_dy is None:
            message = f"material '{name}' is not known: dE_dy is needed"
            raise InputError(message)
        return self

    @property
    def _fractions(self) -> dict[str, float]:
        known = MATERIALS.get(self.material)
        return self.fractions or (known.fractions if known else {})

    @property
    def composition(self) -> list[tuple[Element, float]]:
        """Elements with their nuclei per cm^3."""
        known = MATERIALS.get(self.material)
        density = self.density or (known.density if known else 0.0)
        fractions = self._fractions
        if len(fractions) > 1:
            per_g = density / sum(fractions.values())
            elements = [(ELEMENTS[name], share) for name, share in fractions.items()]
            return [(element, nuclei_per_cm3(per_g, share, element.A)) for element, share in elements]
        element = ELEMENTS.get(next(iter(fractions), ""), Element(self.material, 0.0, 0.0))
        element = Element(element.name, self.Z or element.Z, self.A or element.A)
        return [(element, self.n_atom or nuclei_per_cm3(density, 1.0, element.A))]

    @property
    def mass_density(self) -> float:
        """Density in g/cm^3, of the card, of n_atom, or of the material."""
        return sum(n * element.A for element, n in self.composition) / AVOGADRO

    @property
    def _atoms(self) -> tuple[tuple[float, str], ...]:
        """Shares of mass and names of elements, for the tables of energy loss."""
        fractions = self._fractions
        if not fractions or (self.Z, self.A) != (None, None):
            message = f"material '{self.material[:60]}': only elements by name have a table of energy loss"
            raise InputError(message)
        total = sum(fractions.values())
        return tuple((share / total, name) for name, share in fractions.items())

    def _table(self, E_max: float) -> RangeTable:
        known = MATERIALS.get(self.material)
        fit = known.fit if known and not self.fractions else None
        return _table(self._atoms, self.mass_density, fit, bool(known and known.alloy), max(E_max, 10.0))

    @property
    def per_X0(self) -> float:
        """Radiation lengths per cm."""
        return sum(n * e.A / (AVOGADRO * radiation_length(e.Z, e.A)) for e, n in self.composition)

    @property
    def nuclei_per_cm3(self) -> float:
        """All nuclei: n_atom of the card, or of the density."""
        return sum(n for _, n in self.composition)

    @property
    def loss(self) -> float:
        """<dE/dy> of the card or of a minimum-ionising muon, in GeV/cm."""
        if self.dE_dy:
            return self.dE_dy
        known = MATERIALS.get(self.material)
        if known and not self.fractions:
            return known.dEdx_min * (self.density or known.density)
        return float(TabulatedLoss(self._table(10.0), self.mass_density).loss(np.geomspace(0.2, 2.0, 64)).min())

    def law(self, kind: str, E_max: float) -> Law:
        """Energy along the layer for energies up to E_max in GeV."""
        if kind == "table":
            return TabulatedLoss(self._table(E_max), self.mass_density)
        if kind == "mulder":
            return random_loss(self._atoms, self.mass_density, 0.99 * STOPPED, 1.01 * max(E_max, 10.0))
        return ConstantLoss(self.loss) if kind == "constant" else NONE


class Passage(Section):
    """How the beam goes through the whole target."""

    E_min: Energy | None = None  #: below this a muon counts as stopped
    #: constant for muons, none for electrons
    energy_loss: Literal["constant", "table", "mulder", "none", "shower"] | None = None
    multiple_scattering: bool = False


class Slab(Layer, Passage):
    """A target of one layer."""

    @property
    def layers(self) -> list[Layer]:
        """Layers in the order of the beam."""
        return [self]


class Stack(Passage):
    """A target of several layers."""

    layer: Annotated[list[Layer], Field(min_length=1, max_length=1000)]

    @property
    def layers(self) -> list[Layer]:
        """Layers in the order of the beam."""
        return list(self.layer)

    @property
    def length(self) -> float:
        """Length of all layers in cm."""
        return sum(layer.length for layer in self.layer)

    @property
    def material(self) -> str:
        """Materials in the order of their first layer."""
        return " + ".join(dict.fromkeys(layer.material for layer in self.layer))


def _kind(value: Any) -> str:
    return "stack" if isinstance(value, Stack) or (isinstance(value, dict) and "layer" in value) else "slab"


Target = Annotated[Annotated[Slab, Tag("slab")] | Annotated[Stack, Tag("stack")], Discriminator(_kind)]
