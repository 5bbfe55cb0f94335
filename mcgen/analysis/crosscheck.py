"""The approximations and the Monte Carlo against the exact cross section."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import numpy as np

from mcgen.base import files
from mcgen.base.arrays import Array
from mcgen.base.asked import Energies, energies, renamed, whole
from mcgen.base.errors import McgenWarning, check_number
from mcgen.base.estimate import Estimate, mean_of
from mcgen.base.files import overwriting
from mcgen.base.progress import Progress, reported
from mcgen.base.rng import INTEGRATION
from mcgen.base.table import Table
from mcgen.card.card import Card
from mcgen.card.quantities import LOWEST_MASS
from mcgen.generation import stages
from mcgen.generation.lattice import Lattice, Proposals, build_lattice, integrate
from mcgen.physics.emission.amplitude import Process
from mcgen.physics.emission.cross_section import FINE, between, standard_edges
from mcgen.physics.emission.rules import rules
from mcgen.quadrature.spectra import methods_of
from mcgen.quadrature.xsec import CrossSection, of_process
from mcgen.source.source import CardLike, Source, load_card
from mcgen.source.targets import Target
from mcgen.source.track import linear

MC_POINTS = 200_000
#: grid of the error map, GeV
MAP_ENERGIES, MAP_MASSES = np.geomspace(0.25, 1000.0, 37).tolist(), np.geomspace(1e-3, 1.0, 31).tolist()


class BeamLineWarning(McgenWarning):
    """A comparison is of S from the beam's line alone, of which there are approximations."""


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
    target: str

    @property
    def pull(self) -> float:
        """(Monte Carlo - exact)/error."""
        return (self.sigma_mc_pb - self.sigma_exact_pb) / self.error_mc_pb if self.error_mc_pb > 0.0 else 0.0


def monte_carlo(E: float, process: Process, points: int, seed: int) -> Estimate:
    """Cross section in pb at unit coupling and one energy, from the sampler that makes the events.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    process : Process
        Constants of the kernels.
    points, seed : int
        Number of points, and seed of their random numbers.
    """
    lattice = build_lattice(linear(E, E), process)
    total, squares, _, _ = integrate(lattice, process, np.uint64(seed), np.uint64(INTEGRATION), 0, points)
    return mean_of(total, squares, points).times(lattice.total)


@renamed(masses="m_S", energies="E_mu")
def crosscheck(
    card: CardLike,
    m_S: Energies,
    E_mu: Energies | None = None,
    *,
    points: float = MC_POINTS,
    seed: int | None = None,
    progress: Progress = None,
) -> Table[Comparison]:
    """IWW, WW and Monte Carlo beside the exact cross section.

    Parameters
    ----------
    card : Card, str or Path
        Or its name or file; its beam, target, mediator and form factor count.
    m_S : float, str or sequence
        Scalar masses in GeV, or with units such as "10 MeV, 100 MeV".
    E_mu : float, str or sequence, optional
        Energies of the beam lepton in GeV; by default five between the ends of the target, one if they nearly agree.
    points : int
        Points of each Monte Carlo integral.
    seed : int, optional
        Of the random numbers; by default the card's.
    progress : bool or callable, optional
        True shows a bar; a function is called with the number of rows done.

    Returns
    -------
    list of Comparison
        Zeros below threshold, except for IWW, which knows no recoil, and is 0 if the lepton changes.
    """
    card, points = load_card(card), whole(points, "points")
    source = Source(card)
    if source.electron_ratio(card.scalar.model):
        message = f"{card.name}: S from the line of the electrons that are hit is left out here; mcgen xsec has it"
        warnings.warn(message, BeamLineWarning, stacklevel=2)
    low, high = source.E_exit, card.beam.E_max
    along = [high] if high - low < 0.01 * high else np.linspace(low, high, 5).tolist()
    rows: Table[Comparison] = Table()
    masses = energies(m_S, "m_S")
    for mass in masses:
        check_number("mass", mass, LOWEST_MASS, 1e6)
        if E_mu is None:
            source.check_mass(mass)
    asked = list(itertools.product(masses, along if E_mu is None else energies(E_mu, "E_mu"), source.targets))
    with reported(progress, "cross sections", len(asked)) as step:
        for mass, E, target in asked:
            (known,) = error_map(source, target, [E], [mass])
            process = source.beam_line(mass, target)
            mc = Estimate(0.0, 0.0, 0.0)
            if process.threshold < E:
                mc = monte_carlo(E, process, points, card.run.seed if seed is None else seed)
            rows.append(replace(known, sigma_mc_pb=mc.value, error_mc_pb=mc.error))
            if step:
                step(len(rows))
    return rows


def _x_histogram(lattice: Lattice, process: Process, seed: int, points: int, edges: Array) -> Array:
    """Sums of f in bins of x."""
    proposals = Proposals(lattice, process, np.uint64(seed), np.uint64(INTEGRATION), np.arange(points))
    sums = np.zeros(edges.size - 1)
    for n in proposals.first_trials():
        E, E_S, f = (proposals.block[row : row + n] for row in (stages.E_BEAM, stages.E_S, stages.F))
        bins = np.searchsorted(edges, E_S / E, side="right") - 1
        inside = (bins >= 0) & (bins < sums.size)
        np.add.at(sums, bins[inside], f[inside])
    return sums


def x_spectra(card: Card, target: Target, m_S: float, E: float, points: int = MC_POINTS) -> dict[str, CrossSection]:
    """Spectra in x at one energy, in the same bins: exact, WW, IWW and Monte Carlo.

    Parameters
    ----------
    card : Card
    target : Target
        What is hit.
    m_S, E : float
        Mass of S and total beam energy in GeV.
    points : int
        Points of the Monte Carlo integral.

    Returns
    -------
    dict of CrossSection
        By the names "exact", "ww", "iww" and "Monte Carlo", if the method holds; bins in pb at unit coupling.
    """
    process = Source(card).beam_line(m_S, target)
    edges = standard_edges(E, process, "x")
    spectra = {method: of_process(process, E, method, "x", edges) for method in methods_of(process)}
    lattice = build_lattice(linear(E, E), process)
    bins = _x_histogram(lattice, process, card.run.seed, points, edges) * (lattice.total / points)
    spectra["Monte Carlo"] = CrossSection(float(bins.sum()), 0.0, edges, bins)
    return spectra


def _sigma(E: float, process: Process) -> float:
    """Cross section in pb without its error, which would take half as long again."""
    return between(E, process, 0.0, E, rules(*FINE)) if process.threshold < E else 0.0


def error_map(
    source: Source,
    target: Target,
    E_mu: Sequence[float],
    m_S: Sequence[float],
    *,
    progress: Callable[[int], None] | None = None,
) -> list[Comparison]:
    """IWW and WW beside the exact cross section over a grid of energies and masses, no Monte Carlo.

    On electrons all three are of S from the line of the beam, which is what IWW and WW approximate.

    Parameters
    ----------
    source : Source
        Its beam, form factor and mediator count.
    target : Target
    E_mu, m_S : sequence of float
        Energies of the beam lepton and masses of S, in GeV.
    progress : callable, optional
        Called with the number of points done.

    Returns
    -------
    list of Comparison
        Energy by energy; zeros below threshold, except for IWW, which knows no recoil, and is 0 if the lepton changes.
    """
    rows = []
    for E in E_mu:
        for mass in m_S:
            process = source.beam_line(mass, target)
            exact, ww = (_sigma(E, process._replace(ww=ww)) for ww in (False, True))
            iww = of_process(process, E, "iww").value if "iww" in methods_of(process) else 0.0
            rows.append(Comparison(E, mass, exact, ww, iww, 0.0, 0.0, target.name))
            if progress:
                progress(len(rows))
    return rows


def write_csv(rows: Sequence[Comparison], path: str | Path, *, overwrite: bool = False) -> None:
    """Table of a comparison."""
    with overwriting(overwrite):
        files.write_csv(path, [*Comparison.__dataclass_fields__], map(astuple, rows))
