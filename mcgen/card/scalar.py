"""The boson of a card: its kind, its couplings and its decays."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from mcgen.base.constants import M_MU
from mcgen.base.errors import refuse_if
from mcgen.card.quantities import Coupling, Energy, Section, about
from mcgen.card.width_table import TABLE, WidthTable, channel, parse_widths
from mcgen.physics.boson.couplings import MODELS_OF
from mcgen.physics.boson.scalar_decay import VISIBLE
from mcgen.physics.emission.mediator import MEDIATORS

#: the lightest pair of leptons but electrons that is open, or electrons
DILEPTON = "dilepton"
ModelName = Literal["A", "B", "dark-photon", "Lmu-Ltau", "table"]


class Scalar(Section):
    """The boson that is generated, and the couplings of its decay positions."""

    mass: Annotated[Energy, about("m_S of the events", "100 MeV")]
    mediator: Annotated[
        Literal[tuple(MEDIATORS)],  # type: ignore[valid-type]
        about("which boson is radiated", "vector"),
    ] = "scalar"
    model: Annotated[
        ModelName,
        about(
            "A: g_l = g_mu m_l/m_mu; B: muons only; of vectors dark-photon: all charges, Lmu-Ltau: mu, tau, neutrinos; "
            "table, left out with widths: g_mu is the coupling to the beam's lepton",
            "A",
        ),
    ] = "A"
    g_mu: Annotated[Coupling, about("coupling of the decay positions in an event file", 5e-4)] = 5e-4
    width: Annotated[
        Literal["total", "ee_only"], about("total: all decays; ee_only: to e+ e- alone, as in the paper", "total")
    ] = "total"
    invisible: Annotated[float, Field(ge=0.0, lt=1.0), about("branching ratio to what nobody sees", 0.1)] = 0.0
    widths: Annotated[
        str | None,
        about(
            "instead of the widths of the model: a file with the header mass_gev,ctau_cm and a column for each channel "
            f"({', '.join(VISIBLE)}, invisible) with its branching ratio, what is missing to 1 being invisible; c tau "
            "is that at unit coupling to the beam's lepton",
            "widths.csv",
        ),
    ] = None
    decay: Annotated[
        Literal[(*VISIBLE, DILEPTON)] | None,  # type: ignore[valid-type]
        BeforeValidator(channel),
        about(
            "the one channel that counts, and into which S decays in files; dilepton: e+e- below 2 m_mu, mu+mu- above; "
            "left out: all that can be seen",
            "e+e-",
        ),
    ] = None

    decay_law: Annotated[
        Literal["polarised", "isotropic"],
        about(
            "angles of the decays of a vector or axial vector in event files and 3-D detectors: by the spin density of "
            "its production, or isotropic as those of spin 0",
            "isotropic",
        ),
    ] = "polarised"

    @model_validator(mode="after")
    def _decays(self) -> Scalar:
        other = self.decay not in (None, "e+e-", DILEPTON) and self.width == "ee_only"
        refuse_if(other, f'decay: width = "ee_only" has e+e- alone, not {self.decay}')
        if self.table:
            stray = self.invisible or self.width != "total"
            refuse_if(stray, "widths: invisible and width are of a model, a table has its own ratios")
            self.table.widths(self.mass, 1.0)
            given = "model" in self.model_fields_set and self.model != TABLE
            refuse_if(given, f"model: {self.model} has widths of its own; leave it out where a table has them")
            object.__setattr__(self, "model", TABLE)
        return self

    def channel_at(self, m_S: float) -> str | None:
        """The one channel that counts at a mass in GeV, if there is one."""
        if self.decay != DILEPTON:
            return self.decay
        return "mu+mu-" if m_S > 2.0 * M_MU and self.width == "total" else "e+e-"

    @property
    def table(self) -> WidthTable | None:
        """The table of widths, if the model's do not count."""
        return None if self.widths is None else parse_widths(self.widths, "scalar.widths")

    @property
    def models(self) -> tuple[str, ...]:
        """Models that make sense."""
        return (TABLE,) if self.widths else MODELS_OF[self.mediator]
