"""How well a search sees what counts, and how many signal events it excludes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Discriminator, Field, Tag, model_validator

from mcgen.base.errors import InputError, refuse_if
from mcgen.base.files import read_text
from mcgen.card.beam_profile import parse_rows, split_header
from mcgen.card.quantities import EnergyList, Section, about
from mcgen.card.search_bins import Bins, Counts, either, per_bin
from mcgen.statistics.limits import METHODS

#: largest file of an efficiency, and its header
MAX_BYTES, HEADER = 1_000_000, "S_E_gev,efficiency"

Events, Seen = Annotated[float, Field(ge=0.0, le=1e6)], Annotated[int, Field(ge=0, le=10**6)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Curve(Section):
    """Efficiency against the energy of S: straight between its points, and constant outside."""

    energy: Annotated[EnergyList, about("energies of S, increasing", "1 GeV, 10 GeV")]
    efficiency: Annotated[
        list[Share], Field(min_length=2, max_length=10_000), about("efficiency at each energy", [0.0, 0.9])
    ]

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
    """How well what counts is seen, and how many events are a limit; without the section that is N_S > 3."""

    efficiency: Annotated[
        Annotated[
            Annotated[Share, Tag("number")] | Annotated[Curve, Tag("curve")],
            Discriminator(lambda value: "curve" if isinstance(value, dict | Curve) else "number"),
        ],
        about(f"share of the S that are seen where their decay counts, or a file of it with the header {HEADER}", 0.8),
    ] = 1.0
    background: Annotated[
        either(Events), about("events expected without a signal, with bins a list", 0.07)  # type: ignore[valid-type]
    ] = 0.0
    background_error: Annotated[
        either(Events),  # type: ignore[valid-type]
        about("its standard deviation, of a Gaussian cut at 0, with bins a list", 0.03),
    ] = 0.0
    observed: Annotated[
        either(Seen) | None,  # type: ignore[valid-type]
        about("events seen, with bins a list; left out: the limit is the expected one", 0),
    ] = None
    signal_error: Annotated[
        float, Field(ge=0.0, le=1.0), about("relative standard deviation of N_S, of a Gaussian cut at 0", 0.1)
    ] = 0.0
    confidence: Annotated[float, Field(ge=0.5, lt=1.0), about("confidence level of the limit", 0.9)] = 0.95
    method: Annotated[
        Literal[METHODS],  # type: ignore[valid-type]
        about(
            "poisson: of n events or fewer; cls: the same over its value without signal; feldman-cousins: the upper "
            "end of their interval; bayes: flat prior in N_S",
            "cls",
        ),
    ] = "poisson"
    bins: Annotated[
        Bins | None,
        about(
            "the search in bins: [search.bins] with variable and edges",
            {"variable": "S_E_gev", "edges": "1 GeV, 2 GeV, 3 GeV"},
        ),
    ] = None

    @model_validator(mode="after")
    def _one_for_each_bin(self) -> SearchOptions:
        assert self.counts
        return self

    @property
    def counts(self) -> Counts:
        """Events without a signal and events seen in each bin; `total` is that of all bins in one."""
        bins = self.bins.count if self.bins else None
        return per_bin(self.background, self.background_error, self.observed, bins)


def read_efficiency(path: Path) -> dict[str, Any]:
    """A curve from a table with the header `S_E_gev,efficiency`; # begins a comment."""
    where = f"search.efficiency {path}"
    header, rest = split_header(read_text(path, "search.efficiency", MAX_BYTES))
    refuse_if(header != HEADER, f"{where}: needs the header {HEADER}")
    energy, efficiency = parse_rows(rest, HEADER, where).T
    return {"energy": ", ".join(f"{E!r} GeV" for E in energy.tolist()), "efficiency": efficiency.tolist()}
