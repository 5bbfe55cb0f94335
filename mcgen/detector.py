"""The detector of a card: what counts as a signal, and where."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from mcgen.errors import InputError
from mcgen.quantities import Energy, Length, Section, Width


class Detector(Section):
    """What counts as a signal."""

    signature: Literal["displaced", "missing-energy"]
    L_det: Length
    gap: Width = 0.0  #: between target and detector, shield or air
    x_min: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0  #: lowest E_S/E_mu
    E_S_min: Energy | None = None
    geometry: Literal["paper", "3d"] = "paper"
    radius: Length | None = None  #: of a round detector,
    width: Length | None = None  #: or full width and height of a square one
    height: Length | None = None
    E_daughter_min: Energy | None = None  #: lowest energy of a daughter that is seen
    daughters: Literal["both", "any"] = "both"  #: which of them must be seen

    @model_validator(mode="after")
    def _shaped(self) -> Detector:
        shape = (self.radius is not None, self.width is not None and self.height is not None)
        if self.geometry == "3d" and shape.count(True) != 1:
            message = 'geometry "3d" needs either a radius or width and height'
            raise InputError(message)
        if self.geometry == "paper" and {self.radius, self.width, self.height, self.E_daughter_min} != {None}:
            message = 'radius, width, height and E_daughter_min are for geometry = "3d"'
            raise InputError(message)
        if self.daughters == "any" and self.geometry == "paper":
            message = 'daughters = "any" is for geometry = "3d"'
            raise InputError(message)
        if self.signature == "missing-energy" and (self.daughters == "any" or self.E_daughter_min):
            message = 'daughters = "any" and E_daughter_min are for signature = "displaced"'
            raise InputError(message)
        return self

    def lowest_energy(self, E_mu: Any) -> Any:
        """Lowest energy of S in GeV that counts at a muon energy, a number or an array."""
        return np.maximum(self.x_min * E_mu, self.E_S_min or 0.0)

    @property
    def is_round(self) -> bool:
        """Whether the detector is a cylinder about the beam."""
        return self.radius is not None

    @property
    def half_width(self) -> tuple[float, float]:
        """Half width and height in cm, or the radius twice."""
        if self.radius is not None:
            return self.radius, self.radius
        return 0.5 * (self.width or 0.0), 0.5 * (self.height or 0.0)

    @property
    def E_daughter(self) -> float:
        """Lowest energy of a daughter in GeV."""
        return self.E_daughter_min or 0.0
