"""The approximations and the Monte Carlo against the exact cross section."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from mcgen.card import Card
from mcgen.estimate import Estimate
from mcgen.files import open_atomic
from mcgen.physics.amplitude import Process
from mcgen.physics.kinematics import threshold_energy
from mcgen.rng import INTEGRATION
from mcgen.sampler import build_lattice, integrate
from mcgen.xsec import cross_section

MC_POINTS = 200_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """Cross sections at one energy and mass, in pb at unit coupling."""

    energy_gev: float
    mass_gev: float
    sigma_exact_pb: float
    sigma_ww_pb: float
    sigma_iww_pb: float
    sigma_mc_pb: float
    error_mc_pb: float

    @property
    def pull(self) -> float:
        """(Monte Carlo - exact)/error."""
        return (self.sigma_mc_pb - self.sigma_exact_pb) / self.error_mc_pb if self.error_mc_pb > 0.0 else 0.0


def monte_carlo(E: float, process: Process, points: int, seed: int) -> Estimate:
    """Cross section in pb at one energy from the sampler that makes the events."""
    lattice = build_lattice(E, E, process)
    total, squares, _ = integrate(lattice, process, np.uint64(seed), np.uint64(INTEGRATION), 0, points)
    mean = total / points
    spread = math.sqrt(max(0.0, squares / points - mean * mean) / points)
    return Estimate(lattice.total * mean, lattice.total * spread, total * total / squares)


def crosscheck(
    card: Card,
    masses: Sequence[float],
    energies: Sequence[float] | None = None,
    *,
    points: int = MC_POINTS,
    seed: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Comparison]:
    """IWW, WW and Monte Carlo beside the exact cross section.

    Parameters
    ----------
    card : Card
        Target and form factor are taken from it.
    masses : sequence of float
        Scalar masses in GeV.
    energies : sequence of float, optional
        Muon energies in GeV; by default five between the ends of the target, one if they nearly agree.
    points : int
        Points of each Monte Carlo integral.

    Returns
    -------
    list of Comparison
        Zeros below threshold.
    """
    low, high = card.E_low, card.beam.energy
    if energies is None:
        energies = [high] if high - low < 0.01 * high else np.linspace(low, high, 5).tolist()
    element, rows = card.target.element, []
    for m_S in masses:
        card.check_mass(m_S)
        for E in energies:
            exact, ww, iww = (
                cross_section(element, E, m_S, method=method, form_factor=card.run.form_factor).value
                for method in ("exact", "ww", "iww")
            )
            process = card.process(m_S)
            mc = Estimate(0.0, 0.0, 0.0)
            if threshold_energy(process.m, m_S, process.M) < E:
                mc = monte_carlo(E, process, points, card.run.seed if seed is None else seed)
            rows.append(Comparison(E, m_S, exact, ww, iww, mc.value, mc.error))
            if progress:
                progress(len(rows))
    return rows


def write_csv(rows: Sequence[Comparison], path: str | Path) -> None:
    """Table of a comparison."""
    with open_atomic(path) as stream:
        writer = csv.DictWriter(stream, [*Comparison.__dataclass_fields__], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
