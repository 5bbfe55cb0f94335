"""Two beams that collide: what a card has instead of a beam and a target."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import model_validator

from mcgen.base.errors import refuse_if
from mcgen.base.units import quantity_text
from mcgen.card.quantities import Energy, Luminosity, Section, about

#: largest difference between sqrt_s and what head-on beams of the given energies have: crossing angles, and rounding
_SAME = 0.01


class Collider(Section):
    """e- along +z on e+ along -z, which make a pair of leptons and a boson radiated by them."""

    sqrt_s: Annotated[
        Energy | None, about("energy of the collision; left out: that of the two beams, head on", "10.58 GeV")
    ] = None
    electron: Annotated[
        Energy | None, about("energy of e-; left out with that of e+: equal beams, the frame of the collision", "7 GeV")
    ] = None
    positron: Annotated[Energy | None, about("energy of e+; only the ratio counts beside sqrt_s", "4 GeV")] = None
    luminosity: Annotated[Luminosity, about("integrated luminosity", "50 /ab")]
    lepton: Annotated[Literal["tau", "mu"], about("of the pair that is made, which radiates the boson", "tau")] = "tau"

    @model_validator(mode="after")
    def _consistent(self) -> Collider:
        beams = (self.electron, self.positron)
        refuse_if(beams.count(None) == 1, "give the energies of both electron and positron, or of none")
        if self.electron is None or self.positron is None:
            refuse_if(self.sqrt_s is None, "needs sqrt_s, or the energies of electron and positron")
            return self
        head_on = 2.0 * math.sqrt(self.electron * self.positron)
        if self.sqrt_s is None:
            object.__setattr__(self, "sqrt_s", head_on)
        off = abs(self.E_cm / head_on - 1.0) > _SAME
        refuse_if(off, f"sqrt_s: {self.E_cm:g} GeV is not that of the beams, {head_on:.5g} GeV (1 % may differ)")
        return self

    @property
    def E_cm(self) -> float:
        """Energy of the collision in GeV."""
        assert self.sqrt_s is not None
        return self.sqrt_s

    @property
    def boost(self) -> tuple[float, float]:
        """(gamma, gamma beta) of the frame of the collision along +z."""
        ratio = math.sqrt(self.electron / self.positron) if self.electron and self.positron else 1.0
        return 0.5 * (ratio + 1.0 / ratio), 0.5 * (ratio - 1.0 / ratio)

    @property
    def text(self) -> str:
        """Beams and energy in a few words."""
        energy = quantity_text(self.E_cm, "energy")
        if self.electron is None or self.positron is None:
            return f"e- on e+ at {energy}"
        return f"e- of {self.electron:g} on e+ of {self.positron:g} GeV at {energy}"
