"""ROOT files in the layout of NanoAOD: a tree `Events` with jagged `Particle_*` branches and `genWeight`.

`genWeight` is the nominal weight, with the probability of a forced decay; its sums are in the tree `Runs`.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mcgen.card.card import Card
from mcgen.events import exposure
from mcgen.events.branches import PARTS, Columns
from mcgen.events.formats.particles import Particle, lister, particles
from mcgen.events.formats.root import PARTICLES, RootWriter, event_writer
from mcgen.events.formats.text import table
from mcgen.events.meta import EventMeta


class ParticleWriter:
    """Writes per event the beam lepton, the nucleus at rest, both after the collision, S, and its daughters."""

    def __init__(self, file: RootWriter, listed: Callable[[Columns], list[Particle]], rntuple: bool) -> None:
        self._file, self._listed, self._rntuple = file, listed, rntuple
        self._sums: list[tuple[int, float, float]] = []

    def _jagged(self, particle: dict[str, Any]) -> dict[str, Any]:
        """Branches of the particles, with the same names in a TTree and in an RNTuple.

        For a TTree uproot makes them, and the counter, from one record.
        """
        import awkward as ak

        if not self._rntuple:
            return {"Particle": ak.zip(particle)}
        counter = ak.to_numpy(ak.num(particle["pdgId"])).astype(np.int32)
        return {"nParticle": counter, **{f"Particle_{name}": values for name, values in particle.items()}}

    def write(self, columns: Columns) -> None:
        """Append a chunk."""
        import awkward as ak

        n = len(columns["event"])
        listed = self._listed(columns)
        weight = exposure.nominal(columns)
        self._sums.append((n, float(weight.sum()), float(np.sum(weight * weight))))

        def jagged(values: list[Any], kind: str = "f8") -> Any:
            return ak.from_regular(table(values, n, kind))

        particle = {
            name: jagged([p.momentum[i] for p in listed]) for i, name in enumerate(("px", "py", "pz", "energy"))
        }
        particle["mass"] = jagged([p.mass for p in listed])
        particle |= {f"v{axis}": jagged([columns[f"{p.vertex}_{axis}_cm"] for p in listed]) for axis in "xyz"}
        particle["pdgId"] = jagged([p.pdg for p in listed], "i4")
        particle["status"] = jagged([p.status for p in listed], "i4")
        of_particles = {f"{p.name}_{part}" for p in listed for part in PARTS}
        self._file.write(
            {
                "run": np.ones(n, dtype=np.uint32),
                "luminosityBlock": np.ones(n, dtype=np.uint32),
                "genWeight": weight,
                **{name: column for name, column in columns.items() if name not in of_particles},
                **self._jagged(particle),
            }
        )

    def finish(self, metadata: EventMeta) -> None:
        """Add the sums of the weights, and the metadata; without them no reader takes the file."""
        count, total, squares = (math.fsum(column) for column in zip(*self._sums, strict=True))
        runs = {
            "run": np.ones(1, dtype=np.uint32),
            "genEventCount": np.array([count], dtype=np.int64),
            "genEventSumw": np.array([total]),
            "genEventSumw2": np.array([squares]),
        }
        self._file.add_tree("Runs", runs)
        self._file.finish(metadata)


@contextlib.contextmanager
def particle_writer(path: str | Path, card: Card, m_S: float, rntuple: bool = False) -> Iterator[ParticleWriter]:
    """A writer whose file takes its name only when it is complete.

    Parameters
    ----------
    path : path
    card : Card
    m_S : float
        Mass of S in GeV.
    rntuple : bool
        An RNTuple instead of a TTree.
    """
    with event_writer(path, rntuple, PARTICLES) as file:
        yield ParticleWriter(file, partial(particles, card=card, m_S=m_S), rntuple)


@contextlib.contextmanager
def writer(path: str | Path, card: Card, metadata: EventMeta, rntuple: bool = False) -> Iterator[ParticleWriter]:
    """The same for events whose metadata are known beforehand.

    Parameters
    ----------
    path : path
    card : Card
    metadata : dict
        May ask for other PDG numbers of S and of the beam.
    rntuple : bool
        An RNTuple instead of a TTree.
    """
    with event_writer(path, rntuple, PARTICLES, metadata.weights) as file:
        particle_file = ParticleWriter(file, lister(card, metadata), rntuple)
        yield particle_file
        particle_file.finish(metadata)
