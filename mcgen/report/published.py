"""What experiments published beside ours: M3's projections, NA64mu's data of 2022, dumps at muon colliders."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mcgen.analysis.constraints import G2_SETS
from mcgen.analysis.reach import reach
from mcgen.analysis.threshold import limit_of
from mcgen.analysis.variations import changed
from mcgen.base.units import quantity_text
from mcgen.card.card import Card, read_card
from mcgen.report.paper import Check, Curve, reference_folder

#: events of a limit at 90 % CL without background, as M3's projections take them
_EVENTS = 2.3
#: masses in GeV that are compared: below, the published line bends up, and above, it hangs on the form factor
_RANGE = (0.02, 1.0)
#: the published line is straight from one of these masses to the next, as if only they had been simulated
_STRAIGHT = (0.2, 0.52)
_PAPER = "arXiv:1804.03144, digitised"


@dataclass(frozen=True, slots=True)
class Published:
    """A line of a figure: couplings by rising mass in GeV."""

    card: str
    masses: list[float]
    couplings: list[float]


def m3_lines() -> list[Published]:
    """M3's projections for phases 1 and 2, a vector of L_mu - L_tau that decays invisibly."""
    table = json.loads((reference_folder() / "m3.json").read_text(encoding="utf-8"))
    return [
        Published(f"m3-phase{n}", *([row[key] for row in table[f"phase{n}"]] for key in ("mass_gev", "g")))
        for n in (1, 2)
    ]


def m3_card(name: str) -> Card:
    """A card of M3 as its projections have it: every decay invisible, and Eq. A2 as printed, as was used in 2018."""
    card = read_card(name).with_boson(mediator="vector", model="Lmu-Ltau")
    return changed(card, scalar={"invisible": 1.0 - 1e-9}, run={"form_factor": "paper"})


def _lower_edges(card: Card, masses: Sequence[float], events: float, production: str = "exact") -> list[float]:
    """Smallest g_mu of each mass that is seen; infinite if none is."""
    alone = card.model_copy(update={"search": None})  # here `events` say what counts as seen
    found: dict[float, float] = {}
    for point in reach(alone, [card.scalar.model], masses, events, production):
        found.setdefault(point.mass_gev, math.inf if point.g_low is None else point.g_low)
    return [found[m] for m in masses]


def _compared(line: Published) -> dict[float, tuple[float, float]]:
    """Ours and theirs, by mass in GeV."""
    theirs = {m: g for m, g in zip(line.masses, line.couplings, strict=True) if _RANGE[0] < m < _RANGE[1]}
    ours = _lower_edges(m3_card(line.card), list(theirs), _EVENTS)
    return {m: (mine, theirs[m]) for m, mine in zip(theirs, ours, strict=True)}


def m3() -> Iterator[Check]:
    """Our lines beside M3's."""
    for line in m3_lines():
        pairs = _compared(line)
        low, high = (f(m for m in pairs if _STRAIGHT[0] < m < _STRAIGHT[1]) for f in (min, max))
        command = f"mcgen.reach(published.m3_card('{line.card}'), 'Lmu-Ltau', n_signal={_EVENTS:g})"
        for m, (ours, theirs) in pairs.items():
            what = f"{line.card}, g at {quantity_text(m, 'energy')}"
            inside = low < m < high
            comment = "between two masses from which the published line is straight" if inside else ""
            yield Check(what, ours, theirs, _PAPER, command, comment)
            if inside:
                share = math.log(m / low) / math.log(high / low)
                straight = pairs[low][0] ** (1.0 - share) * pairs[high][0] ** share
                yield Check(f"{what}, ours as straight", straight, theirs, _PAPER, command)


#: what the line of M3 phase 2 depends on: name, sections of the card, production
_CHOICES: tuple[tuple[str, dict[str, dict[str, Any]], str], ...] = (
    ("the card, exact, every decay invisible, form factor paper", {}, "exact"),
    ("WW", {}, "ww"),
    ("IWW", {}, "iww"),
    ("no cut", {"detector": {"x_min": 0.0}}, "exact"),
    ("x > 0.3", {"detector": {"x_min": 0.3}}, "exact"),
    ("x > 0.5", {"detector": {"x_min": 0.5}}, "exact"),
    ("form factor tsai, as in the card", {"run": {"form_factor": "tsai"}}, "exact"),
    ("form factor elastic", {"run": {"form_factor": "elastic"}}, "exact"),
    ("form factor helm", {"run": {"form_factor": "helm"}}, "exact"),
    ("no energy loss", {"target": {"energy_loss": "none"}}, "exact"),
    ("40 X0 instead of 50", {"target": {"length": 14.0}}, "exact"),
    ("decays of L_mu - L_tau, neutrinos alone invisible", {"scalar": {"invisible": 0.0}}, "exact"),
)


def m3_choices() -> tuple[list[str], list[list[Any]]]:
    """g of ours over that published for phase 2, with one choice changed at a time: header and rows."""
    _, line = m3_lines()
    rows = []
    for what, sections, production in _CHOICES:
        edges = _lower_edges(changed(m3_card(line.card), **sections), line.masses, _EVENTS, production)
        rows.append([what, *(f"{ours / g:.3f}" for ours, g in zip(edges, line.couplings, strict=True))])
    return ["", *(quantity_text(m, "energy") for m in line.masses)], rows


#: masses in GeV at which NA64mu is looked at, and those of its figure
_MASSES = (0.001, 0.01, 0.03, 0.1, 0.2)
_LINE = (0.001, 0.003, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.125, 0.15, 0.175, 0.2)
#: bosons that it can see: the first is the one of which the abstract speaks
BOSONS = (("vector", "Lmu-Ltau"), ("scalar", "B"), ("pseudoscalar", "B"))
_BAND = G2_SETS["g2-wp2020"]


def _na64mu(mediator: str, model: str) -> Card:
    return read_card("na64mu-2022").with_boson(mediator=mediator, model=model)


def na64mu_limit() -> float:
    """Signal events that NA64mu excludes with what it saw in 2022."""
    return limit_of(read_card("na64mu-2022")).events


def _band(m_S: float, mediator: str) -> tuple[float, float] | None:
    """Couplings between which a boson moves a_mu to where it was measured, 2 sigma; None if it moves it away."""
    low, high = (_BAND.coupling(m_S, sigmas, None, mediator) for sigmas in (-2.0, 2.0))
    return (low, high) if low and high else None


@dataclass(frozen=True, slots=True)
class Efficiencies:
    """At one mass: the limit at full efficiency, the band, and which efficiencies exclude some and all of it."""

    mass_gev: float
    g_limit: float
    band_low: float
    band_high: float

    @property
    def some(self) -> float:
        """Efficiency above which a part of the band is excluded: N_S goes as g^2 where nothing decays on its way."""
        return (self.g_limit / self.band_high) ** 2

    @property
    def all(self) -> float:
        """Efficiency above which all of it is."""
        return (self.g_limit / self.band_low) ** 2


def na64mu_efficiencies(masses: Sequence[float] = _MASSES) -> list[Efficiencies]:
    """Which efficiencies agree with the abstract of arXiv:2401.01708, that a part of the band is excluded."""
    mediator, model = BOSONS[0]
    edges = _lower_edges(_na64mu(mediator, model), masses, na64mu_limit())
    bands = [_band(m, mediator) for m in masses]
    return [Efficiencies(m, g, *band) for m, g, band in zip(masses, edges, bands, strict=True) if band]


@functools.cache
def na64mu_range() -> tuple[float, float]:
    """Efficiencies with which a part of the band from 1 to 200 MeV is excluded, and not all of it."""
    found = na64mu_efficiencies(_LINE)
    return min(one.some for one in found), max(one.all for one in found)


def na64mu_predictions(masses: Sequence[float] = _MASSES) -> list[list[Any]]:
    """(mediator, model, mass in MeV, g at the ends of that range and at full efficiency), of the bosons of BOSONS."""
    rows = []
    efficiencies = (*na64mu_range(), 1.0)
    for mediator, model in BOSONS:
        card = _na64mu(mediator, model)
        edges = [_lower_edges(card, masses, na64mu_limit() / share) for share in efficiencies]
        for m, *row in zip(masses, *edges, strict=True):
            rows.append([mediator, model, 1e3 * m, *("none" if math.isinf(g) else g for g in row)])
    return rows


def na64mu_curves() -> list[Curve]:
    """Limits at both ends of the range of efficiencies, and the band, against the mass in MeV."""
    curves = []
    mass = [1e3 * m for m in _LINE]
    for mediator, model in BOSONS:
        panel, card = f"{mediator}, {model}", _na64mu(mediator, model)
        for share in (*na64mu_range(), 1.0):
            edges = _lower_edges(card, _LINE, na64mu_limit() / share)
            seen = [(m, g) for m, g in zip(mass, edges, strict=True) if math.isfinite(g)]
            if seen:
                x, y = ([pair[i] for pair in seen] for i in (0, 1))
                curves.append(Curve(panel, f"limit, efficiency {share:.2g}", x, y))
        bands = [_band(m, mediator) for m in _LINE]
        for end, name in enumerate(("lower", "upper")):
            line = [band[end] for band in bands if band]
            curves += [Curve(panel, f"g-2, WP2020, {name} end", mass, line)] if line else []
    return curves


#: published approximation of the dumps at muon colliders; 5 events are seen, as their cards say
DUMPS = ("muon-collider-1.5tev", "muon-collider-5tev", "muon-collider-1.5tev-water")
DUMP_EVENTS = 5.0


def muon_collider_dumps() -> Iterator[Check]:
    """The exact edges beside those of IWW, which arXiv:2202.12302 takes; no table of it is known to us."""
    for name in DUMPS:
        for mediator, model, m_S in (("vector", "Lmu-Ltau", 0.25), ("vector", "Lmu-Ltau", 1.0), ("scalar", "B", 0.1)):
            card = read_card(name).with_boson(mediator=mediator, model=model)
            (exact,), (iww,) = (reach(card, [model], [m_S], DUMP_EVENTS, method) for method in ("exact", "iww"))
            what = f"{name}, {mediator} {model}, {quantity_text(m_S, 'energy')}"
            command = f"mcgen reach {name} --mediator {mediator} --n-signal {DUMP_EVENTS:g} --production exact,iww"
            for side in ("g_low", "g_high"):
                ours, theirs = (getattr(point, side) or math.nan for point in (exact, iww))
                yield Check(f"{what}, {side}", ours, theirs, "IWW, ours", command)
