"""What the exact cross section expects of events: sigma, spectra in x, t and theta, and events of our own."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mcgen.base.arrays import Array
from mcgen.base.estimate import Estimate
from mcgen.card.card import Card
from mcgen.events import exposure
from mcgen.events.branches import Columns
from mcgen.events.meta import EventMeta, Sample
from mcgen.generation.generate import generate
from mcgen.generation.library import scatterings
from mcgen.physics.emission import cross_section
from mcgen.physics.emission.amplitude import Process
from mcgen.physics.emission.struck_electron import BothLines
from mcgen.physics.signal.signal_yield import yield_per_pb
from mcgen.quadrature.yields import beam_nodes
from mcgen.source.source import Source
from mcgen.source.targets import Target

VARIABLES = ("x", "t", "theta")
_VECTORS = [f"{name}_p{axis}" for name in ("mu_in", "S") for axis in "xyz"]
#: branches that groups of events and the variables are made of
NEEDED = ["weight", "target_Z", "target_A", "E_mu", "x", "t", *_VECTORS]
#: energies along the target at which spectra are computed
_ENERGIES = 10
#: our events have numbers from here on, which no file has, so that they are others also where the seed is the same
_FIRST = 2**50


def variables(columns: Columns) -> dict[str, Array]:
    """x, t in GeV^2, and theta in rad between beam and S, of each event."""
    p, k = (np.stack([columns[f"{name}_p{axis}"] for axis in "xyz"]) for name in ("mu_in", "S"))
    across = np.linalg.norm(np.cross(p, k, axis=0), axis=0)
    return {"x": columns["x"], "t": columns["t"], "theta": np.arctan2(across, np.sum(p * k, axis=0))}


@dataclass(frozen=True, slots=True)
class Expected:
    """Events on one target: at one energy, or all along the way of the beam, as means over its nuclei."""

    source: Source
    target: Target
    process: Process | BothLines
    energies: list[float]  #: of the beam in GeV
    shares: list[float]  #: of the nuclei that the beam passes at each of them
    unit: float  #: a sum of weights in pb
    sample: Sample | None  #: that of another generator

    @property
    def E(self) -> float:
        """The highest energy in GeV."""
        return self.sample.energy if self.sample else self.source.card.beam.E_max

    def holds(self, columns: Columns) -> NDArray[np.bool_]:
        """Which events belong here."""
        mine = self.target.is_struck(columns)
        return mine & (columns["E_mu"] == self.sample.energy) if self.sample else mine

    def sigma(self) -> Estimate:
        """Cross section in pb at unit coupling, with its numerical error."""
        found = [cross_section.sigma(E, self.process) for E in self.energies]
        value, error = (math.fsum(w * s[k] for w, s in zip(self.shares, found, strict=True)) for k in (0, 1))
        return Estimate(value, error, math.inf)

    def edges(self, variable: str) -> Array:
        """Bins of a variable."""
        return cross_section.standard_edges(self.E, self.process, variable)

    def bins(self, variable: str, edges: Sequence[float] | Array) -> Array:
        """Cross section per bin in pb at unit coupling."""
        at = np.asarray(edges, dtype=float)
        spectra = (cross_section.spectrum(E, self.process, variable, at) for E in self.energies)
        return np.asarray(np.sum([w * bins for w, bins in zip(self.shares, spectra, strict=True)], axis=0))

    def events(self, n: int) -> Columns:
        """About n events of our own, those of a target all along the beam with their weights."""
        card = self.source.card
        if self.sample:
            line = self.source.beam_line(self.process.m_S, self.target)
            chunks = list(scatterings(line, self.target, self.E, n, card.run.seed, _FIRST))
        else:
            chunks = [_made(card, self.process.m_S, n)]
        columns = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in NEEDED}
        mine = self.target.is_struck(columns)
        return {name: column[mine] for name, column in columns.items()}


@functools.lru_cache(maxsize=1)
def _made(card: Card, m_S: float, n: int) -> Columns:
    """Events on all targets of a card; kept, as each target takes its own."""
    (columns,) = generate(card, m_S, n, first=_FIRST).iterate(NEEDED)
    return columns


def expected_of(source: Source, metadata: EventMeta) -> list[Expected]:
    """One for each energy and target of another generator, or for each target that events of mcgen were made on."""
    m_S, found = metadata.m_S, []
    targets = {target.name: target for target in source.targets}
    for sample in metadata.samples:
        target = targets[sample.target]
        found.append(Expected(source, target, source.process(m_S, target), [sample.energy], [1.0], 1.0, sample))
    if found:
        return found
    nuclei = exposure.nuclei_per_cm2(source)
    nodes: dict[Target, list[tuple[float, float]]] = {}
    for target, E, per_pb in beam_nodes(source, m_S, _ENERGIES):
        nodes.setdefault(target, []).extend(zip(E.tolist(), per_pb.tolist(), strict=True))
    for target, pairs in nodes.items():
        whole = float(yield_per_pb(1.0, nuclei[target.name]))
        energies, shares = [E for E, _ in pairs], [per_pb / whole for _, per_pb in pairs]
        found.append(Expected(source, target, source.process(m_S, target), energies, shares, 1.0 / whole, None))
    return found
