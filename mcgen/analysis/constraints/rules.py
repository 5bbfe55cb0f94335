"""For which bosons a published limit holds, and by how much its couplings are larger for another than its own."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mcgen.analysis.constraints.records import Record
from mcgen.analysis.reach import Tower
from mcgen.base.constants import ALPHA
from mcgen.base.errors import InputError, choose, refuse_if
from mcgen.card.card import Card, builtin_cards, read_card
from mcgen.card.scalar import Scalar
from mcgen.physics.boson.couplings import MODELS, MODELS_OF, to_quarks
from mcgen.physics.boson.scalar_decay import Widths, widths
from mcgen.quadrature.collisions import collider_cross_section
from mcgen.source.boson import Boson
from mcgen.source.source import CardLike, load_card

#: electric charge, g = epsilon e
CHARGE = math.sqrt(4.0 * math.pi * ALPHA)
#: share of decays to electrons from which on a limit on a coupling to them holds for one to all leptons
MOSTLY = 0.9


class NoLimitError(Exception):
    """Why a limit says nothing of a boson."""


@dataclass(frozen=True, slots=True)
class ShownBoson:
    """The boson whose couplings a figure shows."""

    scalar: Scalar  #: as in a card: mediator and decays; its own mass and couplings do not count
    tower: Tower

    @classmethod
    def of(cls, scalar: Scalar | None = None, tower: Tower | None = None) -> ShownBoson:
        """The boson of a card's section; by default a single scalar without invisible decays."""
        return cls(scalar or Scalar.model_validate({"mass": "100 MeV"}), tower or Tower())

    @classmethod
    def asked(cls, boson: CardLike | None) -> ShownBoson:
        """The boson of a card with its decays, or by the name of its mediator; by default a scalar."""
        if isinstance(boson, str) and not boson.endswith(".toml") and not Path(boson).exists():
            choose(boson, (*MODELS_OF, *builtin_cards()), "boson, a mediator or a card")
        if boson is None or boson in MODELS_OF:
            kind = str(boson or "scalar")
            return cls.of(Scalar.model_validate({"mass": "100 MeV", "mediator": kind, "model": MODELS_OF[kind][0]}))
        return cls.of(load_card(boson).scalar)

    @property
    def mediator(self) -> str:
        """Its spin and parity, by name."""
        return str(self.scalar.mediator)

    def in_card(self, card: Card, model: str) -> Card:
        """A card that makes this boson, and looks for any of its decays."""
        scalar = self.scalar.model_copy(update={"mass": card.scalar.mass, "model": model, "decay": None})
        return card.model_copy(update={"scalar": scalar})

    def widths(self, model: str, m: float) -> Widths:
        """Partial widths in GeV at unit coupling and a mass in GeV."""
        return Boson(self.in_card(_any_card(), model), model, m).widths()


@functools.cache
def _any_card() -> Card:
    return read_card("na64")


def check_general(boson: ShownBoson, of_widths: bool) -> None:
    """Raise NoLimitError for a boson of which no limit is known; `of_widths` says whether its decays count."""
    scalar = boson.scalar
    refuse_if(scalar.out_lepton, "it is of couplings that leave a lepton what it is (Eq. 3 as well)", NoLimitError)
    refuse_if(scalar.parity_angle, "it is not computed for a boson with a parity angle", NoLimitError)
    of_table = of_widths and scalar.widths is not None
    refuse_if(of_table, "it takes couplings that a table of widths does not tell", NoLimitError)


def check_applies(record: Record, boson: ShownBoson, model: str) -> None:
    """Raise NoLimitError with the reason if the limit of a table says nothing of a boson in a model."""
    check_general(boson, True)
    other = boson.mediator not in record.mediators or model not in record.models
    refuse_if(other, f"it is a limit on {_kinds(record)}", NoLimitError)
    refuse_if(boson.tower.states > 1, f"it is a limit on {record.kind}, alone: not on a tower", NoLimitError)
    scalar = boson.scalar
    refuse_if(
        record.seen and scalar.width != "total" and model == "A", "it takes all decays, not e+e- alone", NoLimitError
    )
    why = f"it depends on the lifetime, and is known for the decays of {record.kind} alone"
    refuse_if(record.lifetime and scalar.invisible > 0.0, why, NoLimitError)
    only_neutrinos = record.seen == ("invisible",) and not MODELS[model](1.0).g_nu and scalar.invisible == 0.0
    refuse_if(only_neutrinos, "nothing of the boson is invisible", NoLimitError)


def _kinds(record: Record) -> str:
    """The bosons that a record is of, in words."""
    masses = " (couplings as the masses of the leptons)" if record.models == ("A",) else ""
    return f"{' or '.join(f'a {one}' for one in record.mediators)} of model {' or '.join(record.models)}{masses}"


def scale(record: Record, boson: ShownBoson, model: str) -> Callable[[float], float | None]:
    """The g_mu of the boson over the table's coupling, at a mass in GeV; None where the table does not tell.

    Rates are as g^2 times the branching ratio, and those of pairs of muons as sigma_X.
    """

    def at(m: float) -> float | None:
        if record.coupling == "g_e" and _share(boson.widths(model, m), ("ee",)) < MOSTLY:
            return None
        rate = _shares(record, boson, model, m)
        if record.collider_gev and boson.mediator != record.mediators[0]:
            rate *= _relative_rate(record.collider_gev, m, boson.mediator, record.mediators[0])
        return _to_muons(record, model) / math.sqrt(rate) if rate > 0.0 else None

    return at


def _to_muons(record: Record, model: str) -> float:
    """The g_mu at which the coupling of a table is 1."""
    if record.coupling == "g_e":
        return 1.0 / MODELS[model](1.0).g_e
    return CHARGE if record.coupling == "eps" else 1.0


def _shares(record: Record, boson: ShownBoson, model: str, m: float) -> float:
    """Branching ratio to what the search sees, over the one that it assumes."""
    if not record.seen or record.lifetime:
        return 1.0
    same = (boson.mediator, model) == (record.mediators[0], record.models[0]) and record.assumed == "model"
    if same and "invisible" not in record.seen:  # at all masses, also where hadrons are not known
        return 1.0 - boson.scalar.invisible
    try:
        ours, theirs = boson.widths(model, m), _assumed(record, m)
    except InputError:  # beyond the hadrons that are known
        return 0.0
    return _share(ours, record.seen) / theirs if theirs > 0.0 else 0.0


def _assumed(record: Record, m: float) -> float:
    """Branching ratio to what is seen that a table assumes."""
    if record.assumed == "one":
        return 1.0
    model = record.models[0]
    found = widths(MODELS[model](1.0), m, record.mediators[0], g_q=to_quarks(model, 1.0))
    if record.assumed == "leptons":
        found = found._replace(hadrons=0.0)
    return _share(found, record.seen)


def _share(found: Widths, seen: tuple[str, ...]) -> float:
    """Branching ratio to some channels."""
    return sum(getattr(found, name) for name in seen) / found.total if found.total > 0.0 else 0.0


@functools.lru_cache(maxsize=4096)
def _relative_rate(sqrt_s: float, m: float, one: str, other: str) -> float:
    """Rate of e+ e- -> mu+ mu- X for two bosons of mass m in GeV."""
    rate, of_other = (collider_cross_section(sqrt_s, m, lepton="mu", mediator=x).value for x in (one, other))
    return rate / of_other if of_other > 0.0 else 0.0
