"""The detector of a card, and how well it sees: what counts as a signal, and where."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from mcgen.base.errors import InputError, refuse_if
from mcgen.base.files import read_text
from mcgen.card.beam_profile import parse_rows
from mcgen.card.quantities import Energy, EnergyList, Length, Section, Width


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
        refuse_if(self.daughters == "any" and self.geometry == "paper", 'daughters = "any" is for geometry = "3d"')
        if self.signature == "missing-energy" and (self.daughters == "any" or self.E_daughter_min):
            message = 'daughters = "any" and E_daughter_min are for signature = "displaced"'
            raise InputError(message)
        return self

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


#: largest file of an efficiency, and its header
MAX_BYTES, HEADER = 1_000_000, "S_E_gev,efficiency"

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Curve(Section):
    """Efficiency against the energy of S: straight between its points, and constant outside."""

    energy: EnergyList
    efficiency: Annotated[list[Share], Field(min_length=2, max_length=10_000)]

    @model_validator(mode="after")
    def _matching(self) -> Curve:
        if len(self.energy) != len(self.efficiency):
            message = f"{len(self.energy)} energies need as many efficiencies, not {len(self.efficiency)}"
            raise InputError(message)
        refuse_if(any(b <= a for a, b in zip(self.energy, self.energy[1:], strict=False)), "energies must increase")
        return self

    def at(self, E_S: Any) -> Any:
        """Efficiency at energies of S in GeV."""
        return np.interp(E_S, self.energy, self.efficiency)


class SearchOptions(Section):
    """How well what counts is seen."""

    efficiency: Share | Curve = 1.0  #: share of the S that are seen where their decay counts, or its curve in E_S


def read_efficiency(path: Path) -> dict[str, Any]:
    """A curve from a table with the header `S_E_gev,efficiency`; # begins a comment."""
    where = f"search.efficiency {path}"
    header, _, rest = read_text(path, "search.efficiency", MAX_BYTES).lstrip().partition("\n")
    refuse_if(header.replace(" ", "").strip() != HEADER, f"{where}: needs the header {HEADER}")
    energy, efficiency = parse_rows(rest, HEADER, where).T
    return {"energy": ", ".join(f"{E!r} GeV" for E in energy.tolist()), "efficiency": efficiency.tolist()}
