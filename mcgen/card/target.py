"""The target of a card: a slab, or layers one behind the other, each an element or a compound."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from mcgen.base.errors import InputError, nearest, refuse_if
from mcgen.card.quantities import Density, Energy, EnergyLoss, LayerLength, NumberDensity, Section, Thickness, about
from mcgen.physics.matter.lengths import per_lambda_I, per_X0
from mcgen.physics.matter.materials import ELEMENTS, MATERIALS, Element, nuclei_per_cm3

_PER_CM = {"X0": per_X0, "lambda_I": per_lambda_I}
#: a name goes into tables, figures and names of files: no path, no formula of a spreadsheet, no mathematics
MATERIAL = r"^[\p{L}\p{N}_][\p{L}\p{N}_ .,:()%+-]{0,63}$"
#: layers of a target, those of a repeated group counted each time
MAX_LAYERS = 1000


class Layer(Section):
    """A homogeneous layer; a number given here overrides the one of the material."""

    material: Annotated[str, Field(pattern=MATERIAL), about(f"{', '.join(MATERIALS)}, or a name of your own", "W")]
    length: Annotated[LayerLength, about("along the beam; X0 and lambda_I are those of the material", "10 X0")]
    fractions: Annotated[
        dict[str, Annotated[float, Field(ge=1e-12, le=1.0)]] | None,
        about("of a material of your own: shares of the mass by element, 1 in all", {"Cu": 0.9, "Sn": 0.1}),
    ] = None
    Z: Annotated[float | None, Field(ge=1.0, le=120.0), about("charge of the nucleus, of one element", 74.0)] = None
    A: Annotated[float | None, Field(ge=1.0, le=300.0), about("atomic weight in g/mol, of one element", 183.84)] = None
    density: Annotated[Density | None, about("mass density", "19.3 g/cm3")] = None
    n_atom: Annotated[NumberDensity | None, about("atoms per volume, of one element", "6.3e22 /cm3")] = None
    dE_dy: Annotated[EnergyLoss | None, about("loss of a muon, for energy_loss = constant", "22.1 MeV/cm")] = None
    active: Annotated[
        bool,
        about("of displaced decays: one inside the layer counts too, wherever in x and y, as the layer sees it", True),
    ] = False

    @model_validator(mode="after")
    def _known(self) -> Layer:
        self._check()
        if isinstance(self.length, Thickness):
            per_cm = _PER_CM[self.length.unit](self.composition)
            refuse_if(not per_cm, f"length: {self.material} has no {self.length.unit}, give a length")
            object.__setattr__(self, "length", float(self.length) / per_cm)
        return self

    def _check(self) -> None:
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
        own = {self.Z, self.A, self.density, self.n_atom, self.dE_dy} != {None}
        refuse_if(self.is_vacuum and own, "material 'vacuum' has no numbers of its own")

    @property
    def is_vacuum(self) -> bool:
        """Whether there is nothing to hit and nothing that takes energy."""
        return self.material == "vacuum" and not self.fractions

    @property
    def mass_fractions(self) -> dict[str, float]:
        """Shares of the mass by element, of the card or of the material; they may add up to 1 % more or less than 1."""
        known = MATERIALS.get(self.material)
        return self.fractions or (known.fractions if known else {})

    @property
    def composition(self) -> list[tuple[Element, float]]:
        """Elements with their atoms per cm^3; none in a vacuum."""
        if self.is_vacuum:
            return []
        known, fractions = MATERIALS.get(self.material), self.mass_fractions
        density = self.density or (known.density if known else 0.0)
        if len(fractions) > 1:
            per_g = density / sum(fractions.values())
            elements = [(ELEMENTS[name], share) for name, share in fractions.items()]
            return [(element, nuclei_per_cm3(per_g, share, element.A)) for element, share in elements]
        element = ELEMENTS.get(next(iter(fractions), ""), Element(self.material, 0.0, 0.0))
        element = Element(element.name, self.Z or element.Z, self.A or element.A)
        return [(element, self.n_atom or nuclei_per_cm3(density, 1.0, element.A))]


class Group(Section):
    """Layers that are repeated, as in a sandwich calorimeter."""

    repeat: Annotated[int, Field(ge=1, le=MAX_LAYERS), about("how many times the layers of the group follow", 20)]
    layer: Annotated[list[Layer], Field(min_length=1, max_length=MAX_LAYERS), about("the layers of a group", None)]


class TransportOptions(Section):
    """How the beam goes through the whole target."""

    E_min: Annotated[Energy | None, about("total energy below which a particle counts as stopped", "0.5 GeV")] = None
    energy_loss: Annotated[
        Literal["constant", "table", "mulder", "none", "shower"] | None,
        about(
            "constant: dE_dy (left out: of muons); table: the mean of all processes of the muon; mulder: the same at "
            "random; none (left out: of electrons); shower: electrons with Tsai's track length",
            "table",
        ),
    ] = None
    multiple_scattering: Annotated[bool, about("angle and displacement of the beam in the target", True)] = False
    process: Annotated[
        str,
        Field(max_length=60),
        about("what of an atom is hit: nuclear, electron (free electrons), all (both, the nucleus elastic)", "all"),
    ] = "nuclear"


class Slab(Layer, TransportOptions):
    """A target of one layer."""

    @property
    def layers(self) -> list[Layer]:
        """Layers in the order of the beam."""
        return [self]

    @model_validator(mode="after")
    def _something(self) -> Slab:
        _check_layers([self])
        return self


def _kind_of_layer(value: Any) -> str:
    is_group = isinstance(value, dict) and ("repeat" in value or "layer" in value)
    return "group" if isinstance(value, Group) or is_group else "single"


Layers = Annotated[
    list[Annotated[Annotated[Layer, Tag("single")] | Annotated[Group, Tag("group")], Discriminator(_kind_of_layer)]],
    Field(min_length=1, max_length=MAX_LAYERS),
]


class Stack(TransportOptions):
    """A target of several layers."""

    layer: Annotated[Layers, about("layers, and groups of layers with `repeat`, in the order of the beam", None)]

    @model_validator(mode="after")
    def _something(self) -> Stack:
        _check_layers(self.layers)
        return self

    @property
    def layers(self) -> list[Layer]:
        """Layers in the order of the beam, repeated ones each time."""
        parts = (part.layer * part.repeat if isinstance(part, Group) else [part] for part in self.layer)
        return list(itertools.chain.from_iterable(parts))

    @property
    def length(self) -> float:
        """Length of all layers in cm."""
        return sum(layer.length for layer in self.layers)

    @property
    def material(self) -> str:
        """Materials in the order of their first layer."""
        return " + ".join(dict.fromkeys(layer.material for layer in self.layers))


def active_ranges(layers: Sequence[Layer]) -> tuple[tuple[float, float], ...]:
    """Depths in cm between which layers are active, neighbours joined."""
    ends = [0.0, *itertools.accumulate(layer.length for layer in layers)]
    runs = itertools.groupby(range(len(layers)), lambda i: layers[i].active)
    joined = [list(run) for active, run in runs if active]
    return tuple((ends[run[0]], ends[run[-1] + 1]) for run in joined)


def _check_layers(layers: list[Layer]) -> None:
    refuse_if(len(layers) > MAX_LAYERS, f"layer: {len(layers)} layers with repetitions, allowed are {MAX_LAYERS}")
    refuse_if(all(layer.is_vacuum for layer in layers), "a vacuum alone has nothing to hit")


def _kind(value: Any) -> str:
    return "stack" if isinstance(value, Stack) or (isinstance(value, dict) and "layer" in value) else "slab"


Target = Annotated[Annotated[Slab, Tag("slab")] | Annotated[Stack, Tag("stack")], Discriminator(_kind)]
