"""One mass and coupling: what a boson does there, and where it is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from mcgen.base.estimate import Estimate
from mcgen.explore.setup import Setup


class Loss(NamedTuple):
    """A cut, and what is left behind it."""

    name: str  #: short, for a page
    left: float  #: share of what came to this cut that is left
    events: float  #: that are left


@dataclass(frozen=True)
class Point:
    """What happens at one mass and coupling."""

    model: str
    m_S: float  #: GeV
    g_mu: float
    n_signal: Estimate
    produced: float  #: S that are made
    losses: tuple[Loss, ...]  #: produced times all `left` is N_S
    mean_energy: float  #: of the S that are made, GeV
    decay_length: float  #: gamma beta c tau at that energy, cm; infinite if S is stable
    width: float  #: total, GeV
    branching: dict[str, float]  #: by channel


def at(setup: Setup, model: str, m_S: float, g_mu: float) -> Point:
    """What happens at a mass in GeV and a coupling."""
    raise NotImplementedError
