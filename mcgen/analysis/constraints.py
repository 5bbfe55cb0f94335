"""What is already known of g_mu against m_S: the muon's g-2, E137, Orsay, BaBar (Fig. 5), taus at BaBar and Belle.

Each limit knows for which boson it holds; where it does not, a warning says why.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mcgen.analysis.crossings import Intervals
from mcgen.analysis.dump_lines import dump_line, stored_masses
from mcgen.analysis.reach import Scan, Tower, starting_masses
from mcgen.analysis.tracing import trace
from mcgen.base.arrays import Array
from mcgen.base.constants import M_MU
from mcgen.base.errors import McgenWarning, choose, refuse_if
from mcgen.base.units import Range
from mcgen.card.card import Card, read_card
from mcgen.card.scalar import Scalar
from mcgen.physics.boson.couplings import MODELS
from mcgen.physics.boson.muon_g2 import delta_a_mu
from mcgen.physics.boson.scalar_decay import widths
from mcgen.source.boson import Boson

#: by rising mass in GeV, the ranges of couplings there; infinite where a limit has no upper end
Columns = tuple[tuple[float, Intervals], ...]


class NotDrawnWarning(McgenWarning):
    """A limit was asked for and does not hold for the boson, in some model or at all."""


class _NoLimitError(Exception):
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

    @property
    def mediator(self) -> str:
        """Its spin and parity, by name."""
        return str(self.scalar.mediator)


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
        _NoLimitError
            If the boson shifts a_mu to one side, and what was measured lies over 5 sigma away on the other.
        """
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
        refuse_if(side * self.value + sigmas * self.error <= 0.0, what, _NoLimitError)
        return [("excluded", f"> {sigmas:g} sigma", lambda m: at(m, sigmas))]


#: a_mu sets: the paper's, and two since
G2_SETS = {
    "g2-bnl": Shift("BNL, theory of 2016", 288e-11, 80e-11, "hep-ex/0602035"),
    "g2-wp2020": Shift("WP2020, Run 1-3", 249e-11, 48e-11, "2006.04822, 2308.06230"),
    "g2-wp2025": Shift("WP2025, final", 38e-11, 63e-11, "2505.21476, 2506.03069"),
}

#: BaBar, 90 % CL on the g' of a vector in e+e- -> mu mu Z', Z' -> mu mu, read off the curve of arXiv:1606.03501 to 15 %
BABAR = ((0.2140, 1.3e-3), (0.2166, 1.4e-3), (0.2190, 1.1e-3), (0.2219, 1.0e-3), (0.2234, 8e-4), (0.2251, 1e-3))
_BABAR_ENDS = BABAR[0][0], BABAR[-1][0]

#: past electron dumps, recomputed from their cards
DUMPS = {"e137": "E137 (PRD 38, 3375)", "orsay": "Orsay (PLB 229, 150)"}

#: a scalar of model A radiated by taus at e+ e- colliders, decaying to e+ e- or mu+ mu-: label, and table of the limits
TAU_PAIRS = {
    "babar-tautau": ("BaBar $\\tau\\tau S$ (2005.01885), 90 % CL", "phi_L_babar.csv"),
    "belle-tautau": ("Belle $\\tau\\tau S$ (2207.07476), 90 % CL", "phi_L_belle.csv"),
}

NAMES = (*G2_SETS, *DUMPS, "babar", *TAU_PAIRS)
#: the constraints of the paper's Fig. 5
PAPER = ("g2-bnl", "e137", "orsay", "babar")


@dataclass(frozen=True, slots=True)
class Constraint:
    """Ranges of g_mu against the mass."""

    name: str
    label: str
    kind: str  #: 'preferred', 'excluded', or 'quoted' for a line that is no limit on this boson
    models: tuple[str, ...]
    columns: Columns


def check_names(names: Sequence[str]) -> None:
    """Raise InputError for a constraint that is not known."""
    for name in names:
        choose(name, (*NAMES, "paper"), "constraint")


def constraints(
    names: Sequence[str],
    masses: Sequence[float],
    boson: ShownBoson | None = None,
    models: Sequence[str] = ("A", "B"),
    workers: int = 1,
) -> list[Constraint]:
    """Known limits at given masses in GeV, or traced between two.

    A warning per name says in which of the models it does not hold, and why.

    Parameters
    ----------
    names : sequence of str
        Of `NAMES`; 'paper' stands for those of Fig. 5.
    masses : sequence of float
        Masses, or a `Range`.
    boson : ShownBoson, optional
        A single scalar by default.
    models : sequence of str
    workers : int
        Threads.
    """
    check_names(names)
    boson = boson or ShownBoson.of()
    found: list[Constraint] = []
    wanted = [one for name in names for one in (PAPER if name == "paper" else (name,))]
    for name in dict.fromkeys(wanted):
        quoted = name == "babar" and "paper" in names and "babar" not in names
        drawn: list[Constraint] = []
        reasons: dict[str, list[str]] = {}
        for model in models:
            try:
                one = list(_limits(name, masses, boson, model, quoted, workers))
                is_empty = not any(ranges for c in one for _, ranges in c.columns)
                span = f"{1e3 * min(masses):.5g} to {1e3 * max(masses):.5g} MeV"
                refuse_if(is_empty, f"it excludes nothing from {span}", _NoLimitError)
                drawn += one
            except _NoLimitError as reason:
                reasons.setdefault(str(reason), []).append(model)
        found += _merged(drawn)
        if reasons:
            why = "; ".join(
                f"{reason}" if len(where) == len(models) else f"model {', '.join(where)}: {reason}"
                for reason, where in reasons.items()
            )
            warnings.warn(f"constraint {name} is not drawn: {why}", NotDrawnWarning, stacklevel=2)
    return found


def _merged(limits: Iterable[Constraint]) -> list[Constraint]:
    """The same limit of several models as one."""
    found: dict[tuple[object, ...], tuple[str, ...]] = {}
    for c in limits:
        key = (c.name, c.label, c.kind, c.columns)
        found[key] = (*found.get(key, ()), *c.models)
    return [Constraint(name, label, kind, models, columns) for (name, label, kind, columns), models in found.items()]  # type: ignore[arg-type]


def _limits(
    name: str, masses: Sequence[float], boson: ShownBoson, model: str, quoted: bool, workers: int
) -> Iterable[Constraint]:
    """One limit in one model; a g-2 set may be two."""
    scalar = boson.scalar
    refuse_if(scalar.out_lepton, "it is of couplings that leave a lepton what it is (Eq. 3 as well)", _NoLimitError)
    refuse_if(scalar.parity_angle, "it is not computed for a boson with a parity angle", _NoLimitError)
    if name in G2_SETS:
        shift = G2_SETS[name]
        for kind, sigmas, at in shift.ranges(boson):
            label = f"$a_\\mu$ {shift.label} ({shift.source}), {sigmas}"
            yield Constraint(name, label, kind, (model,), _sampled(at, masses, boson.tower))
        return
    of_table = boson.scalar.widths is not None
    refuse_if(of_table, "it takes couplings that a table of widths does not tell", _NoLimitError)
    kind = "excluded"
    if name in DUMPS:
        label = f"{DUMPS[name]}, recomputed, 95 % CL"
        columns = _dump_line(name, masses, boson, model, workers)
    elif name in TAU_PAIRS:
        label = TAU_PAIRS[name][0]
        columns = _tau_pair_line(name, masses, boson, model)
    elif quoted and boson.mediator == "scalar":
        kind, label = "quoted", "BaBar $4\\mu$ (1606.03501), 90 % CL on a vector's $g'$, drawn as in the paper"
        columns = _sampled(_babar, masses, boson.tower, _BABAR_ENDS)
    else:
        label = "BaBar $4\\mu$ (1606.03501), 90 % CL"
        columns = _babar_line(masses, boson, model)
    yield Constraint(name, label, kind, (model,), columns)


def _sampled(
    at: Callable[[float], Intervals], masses: Sequence[float], tower: Tower, ends: tuple[float, float] = (0.0, math.inf)
) -> Columns:
    """Ranges `at` each mass in GeV, or traced along a `Range`; only masses between `ends`, where they are known."""
    if not isinstance(masses, Range):
        return tuple((m, at(m)) for m in sorted(set(masses)) if ends[0] <= m <= ends[1])
    low, high = max(masses[0], ends[0]), min(masses[1], ends[1])
    if low >= high:
        return ()
    found, _ = trace(lambda some: [(at(m),) for m in some], starting_masses(Range((low, high)), tower), 0.01, 1000)
    return tuple((m, column[0]) for m, column in found.items())


def _babar(m: float) -> Intervals:
    """Excluded g' of a vector, the curve straight in log-log between the points that were read off."""
    mass, g = np.log(np.array(BABAR)).T
    return ((float(np.exp(np.interp(math.log(m), mass, g))), math.inf),)


def _babar_line(masses: Sequence[float], boson: ShownBoson, model: str) -> Columns:
    """BaBar's limit for a vector whose share of decays to muons is another than in L_mu - L_tau.

    Emission from electrons, which a dark photon has as well, only adds to the signal.
    """
    weaker = "on the g_mu of a scalar it is weaker, by 1.55 at 214 MeV to 2.02 at 225 MeV, and not yet computed"
    of = "it is a limit on the g' of a vector"
    refuse_if(boson.mediator == "scalar", f"{of}; {weaker}", _NoLimitError)
    refuse_if(
        boson.mediator != "vector", f"{of}, that on a boson of kind {boson.mediator} is not computed", _NoLimitError
    )
    refuse_if(boson.tower.states > 1, "it is a limit on a single vector, not on a tower", _NoLimitError)
    card = _with(read_card("na64"), boson, model)

    def at(m: float) -> Intervals:
        theirs, ours = widths(MODELS["Lmu-Ltau"](1.0), m, "vector"), Boson(card, model, m).widths()
        share = (theirs.mumu / theirs.total) / (ours.mumu / ours.total)
        ((low, high),) = _babar(m)
        return ((low * math.sqrt(share), high),)

    line = _sampled(at, masses, boson.tower, _BABAR_ENDS)
    known = f"it is known from {1e3 * _BABAR_ENDS[0]:g} to {1e3 * _BABAR_ENDS[1]:g} MeV"
    refuse_if(not line, known, _NoLimitError)
    return line


@functools.cache
def _tau_pairs(name: str) -> tuple[Array, Array]:
    """Masses in GeV and lowest excluded g_mu, as published and digitised: the files say by whom."""
    table = np.loadtxt(Path(__file__).with_name(TAU_PAIRS[name][1]), delimiter=",")
    return table[:, 0], table[:, 1]


def _tau_pair_line(name: str, masses: Sequence[float], boson: ShownBoson, model: str) -> Columns:
    """A published limit, straight in log-log between its points; of model A, where taus couple most."""
    of = "it is a limit on a scalar whose couplings are proportional to the lepton masses (model A)"
    changed = boson.scalar.invisible > 0.0 or boson.scalar.width != "total"
    other = boson.mediator != "scalar" or model != "A" or boson.tower.states > 1 or changed
    refuse_if(other, f"{of}, alone and with no other decays", _NoLimitError)
    m, g = _tau_pairs(name)

    def at(mass: float) -> Intervals:
        return ((float(np.exp(np.interp(math.log(mass), np.log(m), np.log(g)))), math.inf),)

    line = _sampled(at, masses, boson.tower, (float(m[0]), float(m[-1])))
    refuse_if(not line, f"it is known from {1e3 * m[0]:.4g} to {1e3 * m[-1]:.4g} MeV", _NoLimitError)
    return line


def _with(card: Card, boson: ShownBoson, model: str) -> Card:
    """A card that makes the boson of the figure, and looks for any of its decays."""
    scalar = boson.scalar.model_copy(update={"mass": card.scalar.mass, "model": model, "decay": None})
    return card.model_copy(update={"scalar": scalar})


def _dump_line(name: str, masses: Sequence[float], boson: ShownBoson, model: str, workers: int) -> Columns:
    """An electron dump, computed anew for the boson."""
    refuse_if(MODELS[model](1.0).g_e == 0.0, "electrons do not couple", _NoLimitError)
    is_papers = (boson.mediator, boson.scalar.width, model, boson.tower.states) == ("scalar", "total", "A", 1)
    if is_papers and boson.scalar.invisible == 0.0 and (known := stored_masses(name)):
        return _along(name, known, masses)
    traced = isinstance(masses, Range)
    ordered = tuple(masses) if traced else tuple(sorted(set(masses)))
    return _dump(name, boson, model, ordered, traced, workers)


def _along(name: str, known: Sequence[float], masses: Sequence[float]) -> Columns:
    """Ranges for the paper's boson from a stored line, whose masses are `known`."""
    low, high = max(min(masses), known[0]), min(max(masses), known[-1])
    wanted = {low, high, *known} if isinstance(masses, Range) else set(masses)
    line = dump_line(name, sorted(m for m in wanted if low <= m <= high))
    return tuple((p.mass_gev, ((p.g_low, p.g_high),)) for p in line if p.g_low is not None and p.g_high is not None)


@functools.lru_cache(maxsize=64)  # the figures of a report have the same dumps
def _dump(name: str, boson: ShownBoson, model: str, masses: tuple[float, ...], traced: bool, workers: int) -> Columns:
    """Ranges of an electron dump, whose calorimeter sees the decays to electrons and photons."""
    card = _with(read_card(name), boson, model)

    def share(of: str, m: float) -> float:
        w = Boson(card, of, m).widths()
        visible = w.total - w.invisible
        return (w.ee + w.gamma_gamma) / visible if visible > 0.0 else 0.0

    scan = Scan(card, [model], tower=boson.tower, share=share)
    lines = scan.lines(Range(masses) if traced else masses, workers)
    return tuple((m, column[0].ranges[scan.limit.events]) for m, column in lines)
