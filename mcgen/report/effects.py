"""Beyond the paper: how much each of its simplifications changes N_S."""

from __future__ import annotations

import contextlib
import itertools
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from mcgen.analysis.reweight import reweight
from mcgen.analysis.samples import EVENTS
from mcgen.analysis.variations import LeftOutWarning, changed, variations
from mcgen.base.errors import InputError
from mcgen.card.card import Card, read_card
from mcgen.generation.generate import generate
from mcgen.quadrature.yields import n_signal

#: (model, mass in GeV, g_mu) at which effects are given: S lives long, and S decays early
POINTS = (("A", 0.1, 2e-5), ("A", 0.1, 4e-4), ("B", 0.01, 1e-3))


@dataclass(frozen=True, slots=True)
class Effect:
    """N_S with one thing changed in the paper's set-up, divided by N_S without the change."""

    what: str
    experiment: str
    model: str
    m_S: float  #: GeV
    g_mu: float
    ratio: float
    error: float


def effects() -> Iterator[Effect]:
    """What the energy loss, the form factor and a detector of finite size change."""
    fermilab, na64, e137 = (read_card(name) for name in ("fermilab", "na64", "e137"))
    along = changed(e137, detector={"geometry": "paper", "radius": None, "daughters": "both"})
    table = {"energy_loss": "table"}
    for card in (fermilab, na64):
        yield from _compared("energy loss as a function of energy", card, changed(card, target=table))
        with warnings.catch_warnings(action="ignore", category=LeftOutWarning):  # no charge density of W was measured
            others = variations(card, ["form-factor"])
        for what, other in zip(others.names, others.cards, strict=True):
            yield from _compared(what, card, other)
    with contextlib.suppress(InputError):  # mulder may not be installed
        straggling = changed(fermilab, target={"energy_loss": "mulder"})
        yield from _compared("energy lost at random, by mulder", fermilab, straggling)
    for radius in (100.0, 50.0):
        shape = {"geometry": "3d", "radius": radius}
        what = f"detector of {radius:g} cm radius that both daughters hit"
        yield from _compared(what, fermilab, changed(fermilab, detector=shape))
    scattered = changed(fermilab, detector=shape, target={"multiple_scattering": True})
    yield from _compared(f"{what}, muons scattered", fermilab, scattered)
    yield from _compared("all of the card fermilab-3d", fermilab, read_card("fermilab-3d"))
    for daughters in ("any", "both"):
        verb = {"any": "any daughter hits", "both": "both daughters hit"}[daughters]
        other = changed(e137, detector={"daughters": daughters})
        yield from _compared(f"detector of 150 cm radius that {verb}", along, other)


def _compared(what: str, card: Card, other: Card) -> Iterator[Effect]:
    """N_S of another card over that of the card, at each point where the card has a signal.

    From events if the detector of the other card has a shape. The electrons of a dump make no signal in model B.
    """
    seen = [point for point in POINTS if point[0] in card.scan.models]
    for (model, m_S), points in itertools.groupby(seen, key=lambda point: point[:2]):
        g_mu = [g for *_, g in points]
        if other.detector.geometry == "3d":
            found = reweight(generate(other, m_S, EVENTS), model, g_mu, energy_bins=1).n_signal
        else:
            found = n_signal(other, model, m_S, g_mu)
        for g, new, old in zip(g_mu, found, n_signal(card, model, m_S, g_mu), strict=True):
            ratio = new.value / old.value
            error = ratio * math.hypot(new.error / new.value, old.error / old.value)
            yield Effect(what, card.name, model, m_S, g, ratio, error)
