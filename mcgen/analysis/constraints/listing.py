"""The list of known limits: what each is, and whether it holds for a boson."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mcgen.analysis.constraints.known import check, in_words, limits_of
from mcgen.analysis.constraints.records import Record, records
from mcgen.analysis.constraints.rules import NoLimitError, ShownBoson
from mcgen.base.asked import Energies, Names, energies, names
from mcgen.base.errors import check_number, choose
from mcgen.base.table import Table
from mcgen.card.quantities import LOWEST_MASS
from mcgen.physics.boson.couplings import MODELS_OF
from mcgen.source.source import CardLike


@dataclass(frozen=True, slots=True)
class Excluded:
    """What a limit excludes at one mass: a range of g_mu in one model, without upper end where g_high is None."""

    model: str
    mass_gev: float
    g_low: float
    g_high: float | None
    kind: str  #: 'excluded', or 'preferred' by g-2


@dataclass(frozen=True, slots=True)
class KnownLimit:
    """A row of `mcgen constraints`."""

    name: str
    experiment: str
    references: tuple[str, ...]
    level: str
    mediators: tuple[str, ...]
    models: tuple[str, ...]
    coupling: str  #: of its table
    shape: str
    quality: str
    assumes: str
    loops: bool  #: whether it rests on kinetic mixing by loops
    superseded_by: str
    note: str
    applies: tuple[str, ...] | None  #: models in which it holds; None if no boson was asked for
    why: str  #: it does not in others
    excluded: tuple[Excluded, ...] = ()


def constraints(
    boson: CardLike | None = None, model: Names | None = None, m_S: Energies | None = None, *, workers: int = 1
) -> Table[KnownLimit]:
    """Known limits on light bosons: references, levels, what they assume, and where they hold.

    Parameters
    ----------
    boson : Card, str or Path, optional
        A card, for its boson with its decays, or "scalar", "pseudoscalar", "vector" or "axial". Without it, or a model
        or a mass, no limit is asked whether it holds.
    model : {"A", "B", "dark-photon", "Lmu-Ltau"} or several, optional
        By default all that make sense for the boson.
    m_S : float, str or sequence, optional
        Masses in GeV, or with units: what is excluded at each is in the rows too. Dumps are then computed, which may
        take a minute for a boson other than the paper's.
    workers : int
        Threads.

    Returns
    -------
    list of KnownLimit

    Raises
    ------
    InputError
        If a name is unknown, or a model does not go with the boson.
    """
    masses = [] if m_S is None else energies(m_S, "m_S")
    for mass in masses:
        check_number("mass", mass, LOWEST_MASS, 1e6)
    check_number("workers", workers, 0, 1024)
    if boson is None and model is None and not masses:
        return Table(_row(record, None, "") for record in records().values())
    shown, models = _asked(boson, names(model))
    return Table(_answer(record, shown, models, masses, workers) for record in records().values())


def _asked(boson: CardLike | None, models: Sequence[str]) -> tuple[ShownBoson, Sequence[str]]:
    """The boson and the models; of a model without a boson the first mediator that has it."""
    if boson is None:
        boson = next((mediator for mediator, allowed in MODELS_OF.items() if {*models} <= {*allowed}), "scalar")
    shown = ShownBoson.asked(boson)
    for model in models:
        choose(model, shown.scalar.models, f"model of a boson of kind {shown.mediator}")
    return shown, models or shown.scalar.models


def _answer(
    record: Record, boson: ShownBoson, models: Sequence[str], masses: Sequence[float], workers: int
) -> KnownLimit:
    """Whether a limit holds in each model, and what it excludes."""
    found: list[Excluded] = []
    holds: list[str] = []
    reasons: dict[str, list[str]] = {}
    for model in models:
        try:
            check(record, boson, model)
            for one in limits_of(record, masses, boson, model, workers) if masses else ():
                found += [
                    Excluded(model, m, low, None if high == math.inf else high, one.kind)
                    for m, ranges in one.columns
                    for low, high in ranges
                ]
            holds.append(model)
        except NoLimitError as reason:
            reasons.setdefault(str(reason), []).append(model)
    return _row(record, tuple(holds), in_words(reasons, models), tuple(found))


def _row(record: Record, applies: tuple[str, ...] | None, why: str, excluded: tuple[Excluded, ...] = ()) -> KnownLimit:
    return KnownLimit(
        record.name, record.experiment, record.references, record.level, record.mediators, record.models,
        record.coupling, record.shape, record.quality, record.assumes, record.loops, record.superseded_by, record.note,
        applies, why, excluded,
    )  # fmt: skip
