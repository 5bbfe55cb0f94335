"""How well a search sees what counts, and how many signal events it excludes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from mcgen.card.efficiency import Curve, Share, checked
from mcgen.card.quantities import Section, about
from mcgen.card.search_bins import Bins, Counts, either, per_bin
from mcgen.statistics.limits import METHODS

Events, Seen = Annotated[float, Field(ge=0.0, le=1e6)], Annotated[int, Field(ge=0, le=10**6)]
_OLDER: Any = Annotated[Curve, AfterValidator(lambda curve: curve.text), Tag("curve")]
#: types of an efficiency in a card
_KINDS = {dict: "curve", Curve: "curve", str: "table"}


class SearchOptions(Section):
    """How well what counts is seen, and how many events are a limit; without the section that is N_S > 3."""

    efficiency: Annotated[
        Annotated[Share, Tag("number")] | Annotated[str, AfterValidator(checked), Tag("table")] | _OLDER,  # type: ignore[valid-type]
        Discriminator(lambda value: _KINDS.get(type(value), "number")),
        about(
            "share of the S that are seen where their decay counts, or a file of it: a table with the header "
            "S_E_gev,efficiency or with other variables, or a correction of correctionlib, FILE.json or FILE.json:NAME",
            0.8,
        ),
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
