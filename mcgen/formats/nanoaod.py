"""ROOT files in the layout of NanoAOD: a tree `Events` with jagged `Particle_*` branches and `genWeight`.

`genWeight` is the nominal weight, with the probability of a forced decay; its sums are in the tree `Runs`.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from mcgen import exposure
from mcgen.branches import PARTS, Columns
from mcgen.card import Card
from mcgen.event_meta import EventMeta
from mcgen.formats.particles import boson_number, lepton_number, particles
from mcgen.formats.root import PARTICLES, RootWriter, event_writer


class ParticleWriter:
    """Writes per event the beam lepton, the nucleus at rest, both after the collision, S, and its daughters."""

    def __init__(
        self,
        file: RootWriter,
        card: Card,
        m_S: float,
        rntuple: bool,
        boson: int | None = None,
        lepton: int | None = None,
    ) -> None:
        self._file, self._card, self._m_S, self._rntuple = file, card, m_S, rntuple
        self._boson, self._lepton = boson, lepton
        self._sums: list[tuple[int, float, float]] = []

    def _jagged(self, particle: dict[str, Any]) -> dict[str, Any]:
        """The same names in both kinds of tree; uproot makes them, and the counter, of a TTree from one record."""
        if not self._rntuple:
            return {"Particle": ak.zip(particle)}
        counter = ak.to_numpy(ak.num(particle["pdgId"])).astype(np.int32)
        return {"nParticle": counter, **{f"Particle_{name}": values for name, values in particle.items()}}

    def write(self, columns: Columns) -> None:
        """Append a chunk."""
        n = len(columns["event"])
        listed = particles(columns, self._card, self._m_S, self._boson, self._lepton)
        weight = exposure.nominal(columns)
        self._sums.append((n, float(weight.sum()), float(np.sum(weight * weight))))

        def jagged(values: list[Any], kind: str) -> Any:
            return ak.from_regular(np.column_stack([np.broadcast_to(v, n) for v in values]).astype(kind))

        momenta = {part: jagged([p.momentum[i] for p in listed], "f8") for i, part in enumerate(PARTS)}
        momenta["energy"] = momenta.pop("E")
        places = {f"v{axis}": jagged([columns[f"{p.vertex}_{axis}_cm"] for p in listed], "f8") for axis in "xyz"}
        particle = {
            **momenta,
            "mass": jagged([p.mass for p in listed], "f8"),
            **places,
            "pdgId": jagged([p.pdg for p in listed], "i4"),
            "status": jagged([p.status for p in listed], "i4"),
        }
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

    def finish(self, metadata: Mapping[str, Any]) -> None:
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
def particle_writer(
    path: str | Path,
    card: Card,
    m_S: float,
    rntuple: bool = False,
    boson: int | None = None,
    lepton: int | None = None,
) -> Iterator[ParticleWriter]:
    """A writer whose file takes its name only when it is complete."""
    with event_writer(path, rntuple, PARTICLES) as file:
        yield ParticleWriter(file, card, m_S, rntuple, boson, lepton)


@contextlib.contextmanager
def writer(path: str | Path, card: Card, metadata: EventMeta, rntuple: bool = False) -> Iterator[ParticleWriter]:
    """The same with metadata that are known beforehand."""
    numbers = boson_number(metadata), lepton_number(card, metadata)
    with particle_writer(path, card, float(metadata["mass_gev"]), rntuple, *numbers) as file:
        yield file
        file.finish(metadata)
