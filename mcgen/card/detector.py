"""The detector of a card: what counts as a signal, and where."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from mcgen.base.errors import InputError, refuse_if
from mcgen.card.quantities import Energy, Length, Offset, PolarAngle, Section, Width, about


class Detector(Section):
    """What counts as a signal."""

    signature: Annotated[
        Literal["displaced", "missing-energy"],
        about("displaced: S decays visibly behind target and gap; missing-energy: S leaves undecayed", "displaced"),
    ]
    L_det: Annotated[
        Width, about("length of the decay volume, or of the calorimeter that S must leave; not of a barrel", "3 m")
    ] = 0.0
    gap: Annotated[Width, about("between target and detector: shield or air", "1 m")] = 0.0
    x_min: Annotated[float, Field(ge=0.0, lt=1.0), about("lowest E_S/E_mu that counts", 0.3)] = 0.0
    E_S_min: Annotated[Energy | None, about("lowest energy of S that counts", "1 GeV")] = None
    geometry: Annotated[
        Literal["paper", "3d", "barrel"],
        about(
            "paper: every S flies along the beam and is seen; 3d: at its own angle, into a detector of a shape; "
            "barrel: decays count between two radii about the beams of a collider",
            "3d",
        ),
    ] = "paper"
    radius: Annotated[Length | None, about("3d: of a round detector", "50 cm")] = None
    width: Annotated[Length | None, about("3d: full width of a rectangular detector", "1 m")] = None
    height: Annotated[Length | None, about("3d: its full height", "1 m")] = None
    offset_x: Annotated[Offset, about("3d: from the beam axis to the middle of the detector, in x", "20 cm")] = 0.0
    offset_y: Annotated[Offset, about("3d: the same in y", "-1 m")] = 0.0
    E_daughter_min: Annotated[
        Energy | None, about("3d, displaced: lowest energy of a daughter that is seen", "100 MeV")
    ] = None
    daughters: Annotated[
        Literal["both", "any"], about("3d, displaced: which daughters must hit the back plane", "any")
    ] = "both"
    r_min: Annotated[Width, about("barrel: distance from the beam axis from which a decay counts", "1 cm")] = 0.0
    r_max: Annotated[Length | None, about("barrel: and to which", "60 cm")] = None
    angle_min: Annotated[PolarAngle, about("barrel: smallest angle of S to e- in the laboratory", "17 deg")] = 0.0
    angle_max: Annotated[PolarAngle, about("barrel: largest angle of S to e-", "150 deg")] = math.pi

    def _given(self, names: set[str]) -> str:
        """Those of some keys that are not as if they were left out."""
        return ", ".join(sorted(key for key in names if getattr(self, key) != type(self).model_fields[key].default))

    @model_validator(mode="after")
    def _barrel(self) -> Detector:
        of_barrel = {"r_min", "r_max", "angle_min", "angle_max"}
        if self.geometry != "barrel":
            stray = self._given(of_barrel)
            refuse_if(stray, f'{stray}: only for geometry = "barrel"')
            refuse_if(not self.L_det, "L_det: is needed, the length of the decay volume or calorimeter")
            return self
        stray = self._given(self.model_fields_set - of_barrel - {"signature", "geometry"})
        refuse_if(stray, f'{stray}: not for geometry = "barrel"')
        refuse_if(self.signature != "displaced", 'geometry "barrel" is for signature = "displaced"')
        ordered = self.r_max is not None and self.r_min < self.r_max and self.angle_min < self.angle_max
        refuse_if(not ordered, 'geometry "barrel" needs r_min < r_max and angle_min < angle_max')
        return self

    @model_validator(mode="after")
    def _shaped(self) -> Detector:
        shape = (self.radius is not None, self.width is not None and self.height is not None)
        if self.geometry == "3d" and shape.count(True) != 1:
            message = 'geometry "3d" needs either a radius or width and height'
            raise InputError(message)
        of_shape = {
            self.radius,
            self.width,
            self.height,
            self.E_daughter_min,
            self.offset_x or None,
            self.offset_y or None,
        }
        if self.geometry == "paper" and of_shape != {None}:
            message = 'radius, width, height, offset_x, offset_y and E_daughter_min are for geometry = "3d"'
            raise InputError(message)
        refuse_if(self.daughters == "any" and self.geometry == "paper", 'daughters = "any" is for geometry = "3d"')
        of_decays = self.daughters == "any" or self.E_daughter_min or self.offset_x or self.offset_y
        if self.signature == "missing-energy" and of_decays:
            message = 'daughters = "any", E_daughter_min and offsets are for signature = "displaced"'
            raise InputError(message)
        return self

    @property
    def is_round(self) -> bool:
        """Whether the detector is a cylinder."""
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
