"""What is known of events besides their columns: a dictionary as files hold it, read by typed properties.

Files say more than readers need, and later versions more still: a reader checks and takes what it uses.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mcgen.base.errors import InputError, refuse_if
from mcgen.base.printed import one_line, with_error
from mcgen.base.table import html
from mcgen.base.units import quantity_text
from mcgen.card.toml_text import parse_toml
from mcgen.events.branches import BRANCHES, DECAY_BRANCHES, LINE_BRANCHES

#: name and version of the format; files of a later one are refused
NAME, VERSION = "mcgen events", 1
FORMAT = f"{NAME} {VERSION}"

#: a number larger than this is none of ours, and its square is still finite
LARGEST = 1e120


class DecayMode(StrEnum):
    """What becomes of S in a file."""

    NONE = ""  #: no daughters are in it
    NATURAL = "natural"  #: decays as they come
    FORCED = "forced"  #: every decay inside the fiducial range, with its probability as a weight

    @classmethod
    def of(cls, decays: bool, force_decay: bool) -> DecayMode:
        """What the two options ask for; the second includes the first."""
        return cls.FORCED if force_decay else cls.NATURAL if decays else cls.NONE


_Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
_Seed = Annotated[int, Field(ge=0, lt=2**63)]
_Count = Annotated[int, Field(ge=1, le=10**15)]
_First = Annotated[int, Field(ge=0, le=10**18)]


class _Open(BaseModel):
    """Checked where it is known; files are free to say more."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, extra="allow")


class _Options(_Open):
    weighted: bool = False
    decays: Literal["", "natural", "forced"] = ""
    rntuple: bool = False
    branches: list[str] = []


class _Sigma(_Open):
    target: str
    energy_gev: _Number
    sigma_pb: _Number
    n_events: _Count | None = None
    relative_error: Annotated[float, Field(ge=0.0, le=LARGEST)] = 0.0


class _Run(_Open):
    seed: _Seed
    first_event: _First
    n_events: _Count
    norm_relative_error: _Number


_Bins = Annotated[list[_Number], Field(min_length=15, max_length=15)]


class _Spectrum(_Open):
    expected: _Bins
    expected_error: _Bins
    sum_weights: _Bins
    sum_squares: _Bins


class _Production(_Open):
    partition: _First
    partitions: _Count


class _Weight(_Open):
    name: Annotated[str, Field(min_length=1)]
    text: str = ""
    group: str = ""
    attributes: dict[str, str] = {}


class _Common(_Open):
    """What every reader relies on."""

    format: str
    card: str
    n_events: _Count
    mass_gev: Annotated[float, Field(gt=0.0, le=1e6)]
    norm_relative_error: Annotated[float, Field(ge=0.0, le=LARGEST)]
    sigma: list[_Sigma]
    content_sha256: str
    branch_sha256: dict[str, str] = {}
    mcgen_version: str
    weights: Annotated[list[_Weight], Field(max_length=10_000)] = []


_Energy = Annotated[float, Field(gt=0.0, le=1e12)]


class _Foreign(_Common):
    """Events of another generator, at one energy or at several."""

    beam_energy_gev: _Energy | None = None
    beam_energies_gev: Annotated[list[_Energy], Field(min_length=1)] | None = None


class _Own(_Common):
    """Events of mcgen."""

    seed: _Seed
    sum_weights: _Number
    sum_squares: _Number
    yield_per_muon: _Number
    yield_error: _Number
    yield_quadrature: _Number
    pull_t_worst: _Number
    trials: _Count
    first_event: _First = 0
    options: _Options = _Options()
    decays: Literal["natural", "forced"] = "natural"
    decay_law: str = ""
    merged: Annotated[list[_Run], Field(min_length=1)] | None = None
    t_spectrum: _Spectrum | None = None
    production: _Production | None = None


class Sample(NamedTuple):
    """Events of another generator at one energy on one target; their weights add up to the cross section."""

    target: str
    energy: float  #: of the beam in GeV
    sigma: float  #: pb
    n_events: int
    relative_error: float  #: that all weights have in common


class EventMeta(dict[str, Any]):
    """Metadata of events: the keys of the file, and what the program uses of them with its type."""

    def __or__(self, other: Mapping[str, Any]) -> EventMeta:  # type: ignore[override]
        return EventMeta({**self, **other})

    @classmethod
    def unsealed(cls, text: str | bytes) -> EventMeta:
        """Metadata as `sealed` writes them; InputError if they are of another format, damaged or changed."""
        try:
            found = cls(json.loads(text))
            if "\\u" in str(text):  # letters that are written as numbers: no half of one
                json.dumps(found, ensure_ascii=False).encode()
            seal = found._checksum(allow_nan=False)
        except (ValueError, TypeError, RecursionError) as error:
            message = f"its metadata are no JSON that can be used ({type(error).__name__}); damaged or cut short"
            raise InputError(message) from None
        version = re.fullmatch(rf"{NAME} (\d{{1,9}})", str(found.get("format", "")))
        if version and int(version[1]) > VERSION:
            message = f"metadata format: version {version[1]} is later than what this mcgen reads ({VERSION})"
            raise InputError(message)
        try:
            (_Foreign if found.is_foreign else _Own).model_validate(found)
        except ValidationError as error:
            fault = error.errors()[0]
            message = f"metadata {'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            raise InputError(message) from None
        refuse_if(not version, f"metadata format: is not '{FORMAT}'")
        refuse_if(found.pop("checksum", None) != seal, "its metadata were changed after it was written")
        return found

    def sealed(self) -> dict[str, Any]:
        """The metadata as they are written, with a hash, so that a number that was changed by hand is seen."""
        return {**self, "checksum": self._checksum()}

    def _checksum(self, allow_nan: bool = True) -> str:
        content = {key: value for key, value in self.items() if key != "checksum"}
        return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=allow_nan).encode()).hexdigest()

    def __repr__(self) -> str:
        return f"<EventMeta of {len(self)} keys: " + ", ".join(f"{key} {value}" for key, value in self.facts) + ">"

    def _repr_html_(self) -> str:
        return html(["EventMeta", ""], [*self.facts, ("keys", ", ".join(self))])

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What a reader wants to know first: names and texts."""
        found = {"events": str(self.get("n_events", "?"))}
        with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):  # of what is not complete yet
            found["card"] = str(parse_toml(self["card"])["name"])
            found["m_S"] = quantity_text(self.m_S, "energy")
            if "yield_per_muon" in self:
                unit = str(self.get("exposure", {}).get("weight_unit", "at g_mu = 1"))
                found["yield"] = f"{with_error(self['yield_per_muon'], self['yield_error'])} {unit}"
        for key in ("mediator", "model", "seed", "decays", "decay_law"):
            found |= {key: str(self[key])} if self.get(key) not in (None, "") else {}
        return [(key, one_line(value)) for key, value in found.items()]

    @property
    def is_foreign(self) -> bool:
        """Whether events are of another generator: at one energy or a few, weights in pb."""
        return "beam_energy_gev" in self or "beam_energies_gev" in self

    @property
    def samples(self) -> list[Sample]:
        """Energies and targets of events of another generator; none of events of mcgen."""
        if not self.is_foreign:
            return []
        whole = {"n_events": self.n_events, "relative_error": self.norm_error}  # of files with one, as they were
        rows = [whole | {key: value for key, value in row.items() if value is not None} for row in self["sigma"]]
        names = ("target", "energy_gev", "sigma_pb", "n_events", "relative_error")
        return [Sample(*(row[name] for name in names)) for row in rows]

    @property
    def all_branches(self) -> list[str]:
        """Branches of events of this kind if none is left out."""
        if self.is_foreign:  # only the scattering is known
            return [*(name for name in BRANCHES if not name.startswith(("tau", "decay_"))), *self.weights]
        lines = LINE_BRANCHES if self.get("electron_coupling") else ()
        return [*BRANCHES, *lines, *(DECAY_BRANCHES if self.decays else ()), *self.weights]

    @property
    def weights(self) -> dict[str, dict[str, Any]]:
        """Branches of alternative weights, and what each is: its name, and what it says of itself.

        They are numbers like `weight`, for another form factor or mediator, or whatever another generator means.
        """
        return {f"weight_{i}": row for i, row in enumerate(self.get("weights", ()), 1)}

    @property
    def branches(self) -> list[str]:
        """Branches that the file has: those whose hash is there, as later versions know more of them."""
        hashed = list(self.get("branch_sha256", ()))
        chosen = self.get("options", {}).get("branches")
        return hashed or (["event", "weight", *chosen] if chosen else self.all_branches)

    @property
    def m_S(self) -> float:
        """Mass of S in GeV."""
        return float(self["mass_gev"])

    @property
    def n_events(self) -> int:
        """Number of events."""
        return int(self["n_events"])

    @property
    def seed(self) -> int:
        """Of the random numbers; 0 where nobody knows it."""
        return int(self.get("seed", 0))

    @property
    def decays(self) -> DecayMode:
        """Whether daughters of S are there, and how it decayed."""
        return DecayMode(self.get("decays", ""))

    @property
    def norm_error(self) -> float:
        """Relative error that all weights have in common."""
        return float(self["norm_relative_error"])

    @property
    def runs(self) -> list[dict[str, Any]]:
        """Which events these are, by seed and number, and the relative error of their normalisation."""
        own = {key: self.get(key, 0) for key in ("seed", "first_event", "n_events", "norm_relative_error")}
        found: list[dict[str, Any]] = self.get("merged", [own])
        return found

    def check_one_mass(self, what: str) -> None:
        """Raise InputError if S has a width, as another generator's may, where `what` takes one mass."""
        if "mass_range_gev" in self:
            low, high = self["mass_range_gev"]
            message = (
                f"{what}: S has a width, its masses go from {low:.7g} to {high:.7g} GeV, and one mass is needed here"
            )
            raise InputError(message)
