"""Numbers of events and limits by quadrature."""

from __future__ import annotations

import itertools
import time

import numpy as np

import mcgen
from validation.figures.figure import figure, seconds

MASSES = np.geomspace(0.003, 0.21, 40)
COUPLINGS = np.geomspace(1e-5, 1e-3, 20).tolist()
_new = itertools.count()


def _reach(card: str, masses: int = 20, models: tuple[str, ...] = ("A", "B")) -> float:
    scan = np.geomspace(0.003, 0.2, masses).tolist()
    return seconds(lambda: mcgen.reach(mcgen.load_card(card), models, scan))


@figure("Fig. 5: 2 experiments, 2 models, 40 masses, exact, 2 threads", "s", 0.7, rounds=5)
def figure_5() -> float:
    """By the clock."""

    def run() -> None:
        for name in ("fermilab", "na64"):
            mcgen.reach(mcgen.load_card(name), ["A", "B"], MASSES, workers=2)

    return seconds(run, time.perf_counter)


@figure("reach of 20 masses, models A and B: fermilab", "s CPU", 0.3, rounds=5)
def reach_fermilab() -> float:
    """S along the beam."""
    return _reach("fermilab")


@figure("the same: fermilab-3d", "s CPU", 2.0, rounds=3)
def reach_3d() -> float:
    """S at its own angle."""
    return _reach("fermilab-3d")


@figure("the same: ship-muons", "s CPU", 2.0, rounds=3)
def reach_ship() -> float:
    """A beam with a spectrum."""
    return _reach("ship-muons")


@figure("N_S of one coupling, after the first of a mass", "ms CPU", 1.0)
def signal_coupling() -> float:
    """Card read and mass seen before."""
    card = mcgen.load_card("fermilab")
    mcgen.n_signal(card, "A", 0.1, [1e-4])
    return 1e3 * seconds(lambda: [mcgen.n_signal(card, "A", 0.1, [g]) for g in COUPLINGS]) / len(COUPLINGS)


@figure("N_S of one mass and coupling, after the first", "ms CPU", 1.0)
def signal_mass() -> float:
    """Card read before, mass and coupling new."""
    card = mcgen.load_card("fermilab")
    masses = [0.05 + 1e-5 * next(_new) for _ in range(20)]
    mcgen.n_signal(card, "A", 0.1, [1e-4])
    return 1e3 * seconds(lambda: [mcgen.n_signal(card, "A", m, [1e-4]) for m in masses]) / len(masses)
