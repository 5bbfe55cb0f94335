"""Limits that are computed for the boson at hand: the muon's g-2, and experiments from their cards."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mcgen.analysis.constraints.lines import Columns
from mcgen.analysis.constraints.records import Record, records
from mcgen.analysis.constraints.rules import NoLimitError, ShownBoson, check_general
from mcgen.analysis.crossings import Intervals
from mcgen.analysis.dump_lines import dump_line, stored_masses
from mcgen.analysis.reach import Scan, Tower
from mcgen.analysis.threshold import limit_of
from mcgen.base.constants import M_MU
from mcgen.base.errors import refuse_if
from mcgen.base.units import Range
from mcgen.card.card import read_card
from mcgen.physics.boson.couplings import MODELS
from mcgen.physics.boson.muon_g2 import delta_a_mu
from mcgen.source.boson import Boson


def _side_of(mediator: str) -> float:
    """1 if the boson makes a_mu larger, -1 if it makes it smaller."""
    return math.copysign(1.0, delta_a_mu(1.0, M_MU, mediator))


@dataclass(frozen=True, slots=True)
class Shift:
    """Measured minus predicted a_mu."""

    label: str
    value: float
    error: float
    source: str

    @classmethod
    def of(cls, record: Record) -> Shift:
        """The shift of a record."""
        source = ", ".join(one.removeprefix("arXiv:") for one in record.references)
        value, error = record.shift or (0.0, 0.0)
        return cls(record.label, value, error, source)

    def coupling(self, m_S: float, sigmas: float, tower: Tower | None = None, mediator: str = "scalar") -> float | None:
        """g_mu at which the boson shifts a_mu to value + sigmas * error.

        Parameters
        ----------
        m_S : float
            Mass in GeV, of the lightest state of a tower.
        sigmas : float
            May be negative.
        tower : Tower, optional
            A single boson by default.
        mediator : {"scalar", "pseudoscalar", "vector", "axial"}

        Returns
        -------
        float or None
            None where the boson shifts a_mu the other way.
        """
        shift = self.value + sigmas * self.error
        unit = sum(delta_a_mu(1.0, m, mediator) for m in (tower or Tower()).masses(m_S))
        return math.sqrt(shift / unit) if shift * unit > 0.0 else None

    def ranges(self, boson: ShownBoson) -> list[tuple[str, str, Callable[[float], Intervals]]]:
        """(kind, how many sigma, ranges of g_mu at a mass): the band that is preferred, and what is excluded.

        Raises
        ------
        NoLimitError
            If the boson shifts a_mu to one side, and what was measured lies over 5 sigma away on the other.
        """
        check_general(boson, False)
        side = _side_of(boson.mediator)

        def at(m_S: float, *sigmas: float) -> Intervals:
            ends = [self.coupling(m_S, side * s, boson.tower, boson.mediator) for s in sigmas]
            low, high = ends[0], ends[-1] if len(ends) > 1 else math.inf
            return ((low, high),) if low is not None and high is not None else ()

        if side * self.value > 2.0 * self.error:
            return [
                ("preferred", "2 sigma", lambda m: at(m, -2.0, 2.0)),
                ("excluded", "> 5 sigma", lambda m: at(m, 5.0)),
            ]
        sigmas = 2.0 if side * self.value + 2.0 * self.error > 0.0 else 5.0
        verb, where = ("lowers", "above") if side < 0.0 else ("lifts", "below")
        what = f"a boson of kind {boson.mediator} {verb} a_mu, which lies over 5 sigma {where} the prediction"
        refuse_if(side * self.value + sigmas * self.error <= 0.0, what, NoLimitError)
        return [("excluded", f"> {sigmas:g} sigma", lambda m: at(m, sigmas))]


#: a_mu sets: the paper's, and two since
G2_SETS = {name: Shift.of(record) for name, record in records().items() if record.shift is not None}


def check_card(record: Record, boson: ShownBoson, model: str) -> None:
    """Raise NoLimitError if the beam of a card makes nothing of the boson, or its decays are not known."""
    check_general(boson, True)
    lepton = read_card(record.card).lepton
    couples = getattr(MODELS[model](1.0), f"g_{lepton}") != 0.0
    refuse_if(not couples, f"{'electrons' if lepton == 'e' else 'muons'} do not couple", NoLimitError)
    other = boson.mediator not in record.mediators or model not in record.models
    refuse_if(other, f"it is not computed for model {model}", NoLimitError)


def card_columns(record: Record, masses: Sequence[float], boson: ShownBoson, model: str, workers: int) -> Columns:
    """What the experiment of a card excludes, computed anew for the boson."""
    is_papers = (boson.mediator, boson.scalar.width, model, boson.tower.states) == ("scalar", "total", "A", 1)
    if is_papers and boson.scalar.invisible == 0.0 and (known := stored_masses(record.card)):
        return _along(record.card, known, masses)
    traced = isinstance(masses, Range)
    ordered = tuple(masses) if traced else tuple(sorted(set(masses)))
    return _scanned(record, boson, model, ordered, traced, workers)


def _along(name: str, known: Sequence[float], masses: Sequence[float]) -> Columns:
    """Ranges for the paper's boson from a stored line, whose masses are `known`."""
    low, high = max(min(masses), known[0]), min(max(masses), known[-1])
    wanted = {low, high, *known} if isinstance(masses, Range) else set(masses)
    line = dump_line(name, sorted(m for m in wanted if low <= m <= high))
    return tuple((p.mass_gev, ((p.g_low, p.g_high),)) for p in line if p.g_low is not None and p.g_high is not None)


@functools.lru_cache(maxsize=64)  # the figures of a report have the same dumps
def _scanned(
    record: Record, boson: ShownBoson, model: str, masses: tuple[float, ...], traced: bool, workers: int
) -> Columns:
    """Ranges of the card of a record; of decays that only some detectors see, the share of those that it sees."""
    card = boson.in_card(read_card(record.card), model)
    if record.efficiency and card.search:
        search = card.search.model_copy(update={"efficiency": record.efficiency[0]})
        card = card.model_copy(update={"search": search})

    def share(of: str, m: float) -> float:
        w = Boson(card, of, m).widths()
        visible = w.total - w.invisible
        return sum(getattr(w, name) for name in record.seen) / visible if visible > 0.0 else 0.0

    scan = Scan(card, [model], limit_of(card), tower=boson.tower)
    scan = replace(scan, share=share) if record.seen else scan
    lines = scan.lines(Range(masses) if traced else masses, workers)
    return tuple((m, column[0].ranges[scan.limit.events]) for m, column in lines)
