"""The target of a card: a slab, or layers one behind the other, each an element or a compound."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from mcgen.base.errors import InputError, nearest
from mcgen.card.quantities import Density, Energy, EnergyLoss, Length, NumberDensity, Section
from mcgen.physics.matter.materials import ELEMENTS, MATERIALS


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
        compound = len(self.mass_fractions) > 1
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
    def mass_fractions(self) -> dict[str, float]:
        """Shares of the mass by element, of the card or of the material; they may add up to 1 % more or less than 1."""
        known = MATERIALS.get(self.material)
        return self.fractions or (known.fractions if known else {})


class TransportOptions(Section):
    """How the beam goes through the whole target."""

    E_min: Energy | None = None  #: below this a muon counts as stopped
    #: constant for muons, none for electrons
    energy_loss: Literal["constant", "table", "mulder", "none", "shower"] | None = None
    multiple_scattering: bool = False
    process: Annotated[str, Field(max_length=60)] = "nuclear"  #: which kind of target of the atoms is hit


class Slab(Layer, TransportOptions):
    """A target of one layer."""

    @property
    def layers(self) -> list[Layer]:
        """Layers in the order of the beam."""
        return [self]


class Stack(TransportOptions):
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
