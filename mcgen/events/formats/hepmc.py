"""HepMC3 event records through pyhepmc: GeV and mm, every particle with its production vertex.

The first weight is the nominal one: S per beam particle at a coupling of 1 to it, times the probability where
decays are forced. GenCrossSection is the sum of these weights over the nuclei per cm^2 on the beam's way, one number
for the sample, so that sigma w/sum(w) is what an analysis expects of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mcgen.base.constants import MM_PER_CM
from mcgen.base.errors import refuse_if
from mcgen.base.extras import optional
from mcgen.base.files import atomic_path
from mcgen.card.card import Card
from mcgen.events import exposure
from mcgen.events.branches import Columns
from mcgen.events.formats.particles import lister, struck
from mcgen.events.formats.text import same_text, table
from mcgen.events.meta import DecayMode, EventMeta
from mcgen.source.source import Source

#: digits of a number
_DIGITS = 17


def _times(columns: Columns, m: float) -> dict[str, Any]:
    """Times in mm of the vertices; the beam of mass m passes z = 0 at time 0."""
    times = {"vertex": MM_PER_CM * columns["depth_cm"] / np.sqrt(1.0 - (m / columns["E_mu"]) ** 2)}
    if "decay_pdg" in columns:
        way, k = (
            np.sqrt(sum(part**2 for part in parts))
            for parts in (
                [columns[f"decay_{axis}_cm"] - columns[f"vertex_{axis}_cm"] for axis in "xyz"],
                [columns[f"S_p{axis}"] for axis in "xyz"],
            )
        )
        times["decay"] = times["vertex"] + MM_PER_CM * way * columns["S_E"] / k
    return times


#: largest event number in HepMC3, which stores a C int
LAST_NUMBER = 2**31 - 1


class HepmcWriter:
    """Builds a GenEvent per event: production vertex, and the decay vertex if S decays.

    Parameters
    ----------
    stream : object
        File of pyhepmc that takes the events.
    hepmc : module
        pyhepmc.
    card : Card
    metadata : dict
    sample : dict
        What `exposure.Sums` found: cross section of the sample, in all and by element.
    """

    def __init__(self, stream: Any, hepmc: Any, card: Card, metadata: EventMeta, sample: dict[str, Any]) -> None:
        self._stream, self._hepmc, self._card = stream, hepmc, card
        self._listed = lister(card, metadata)
        self._own_sigma = exposure.OwnCrossSection(Source(card), metadata.m_S)
        self._targets = struck(sample)
        self._forced = metadata.decays is DecayMode.FORCED
        self._sigma = sample["cross_section_pb"], sample["error_pb"]
        self._counts = metadata.n_events, metadata.get("trials", metadata.n_events)
        self._given = metadata.get("sigma_pb")  # of another generator
        about = metadata["exposure"]
        self._of_all = about["cross_section_pb"], about["cross_section_error_pb"]
        self._run = self._described(metadata)

    def _described(self, metadata: EventMeta) -> Any:
        """Names of the weights, and what an analysis needs to turn them into numbers of events."""
        run, about = self._hepmc.GenRunInfo(), metadata["exposure"]
        made_by = " of another generator" if metadata.is_foreign else ", exact tree level"
        run.tools = [("mcgen", metadata["mcgen_version"], f"mu N -> mu N S{made_by}")]
        attributes = {"mcgen": json.dumps(metadata.sealed()), "weight_unit": about["weight_unit"]}
        attributes |= exposure.reference_couplings(self._card)
        if not metadata.is_foreign:
            attributes |= {key: about[key] for key in ("beam_particles", "sum_nuclei_per_cm2")}
            g = exposure.coupling_name(self._card)
            attributes["signal_events"] = f"beam_particles * {g}^2 * sum of the first weights"
        run.attributes = attributes
        run.weight_names = ["nominal", "weight", "decay_weight"] if self._forced else ["nominal"]
        return run

    def write(self, columns: Columns) -> None:
        """Append a chunk."""
        n = len(columns["event"])
        last = columns["event"].max(initial=0)
        refuse_if(last > LAST_NUMBER, f"HepMC3 numbers events up to {LAST_NUMBER}, here is {last}: export it as ROOT")

        def rows(values: list[Any]) -> list[list[float]]:
            found: list[list[float]] = table(values, n).tolist()
            return found

        nominal = exposure.nominal(columns)
        weights = rows([nominal, columns["weight"], columns["decay_weight"]] if self._forced else [nominal])
        process = exposure.process_number(columns, self._targets).tolist()
        own_sigma = [self._given] * n if self._given else self._own_sigma(columns).tolist()
        states = [(rows([*p.momentum, p.pdg, p.mass]), p.status, p.vertex) for p in self._listed(columns)]
        places = {
            name: rows([*(MM_PER_CM * columns[f"{name}_{axis}_cm"] for axis in "xyz"), time])
            for name, time in _times(columns, self._card.beam.mass).items()
        }
        for i, number in enumerate(columns["event"].tolist()):
            event = self._event(i, number, weights[i], states, places)
            event.attributes = {"signal_process_id": process[i], "struck_nucleus_sigma_pb": own_sigma[i]}
            self._set_cross_section(event)
            self._stream.write(event)

    def _set_cross_section(self, event: Any) -> None:
        """State the cross section of the sample; where decays are forced, for the second weight that of all S."""
        event.cross_section = cross_section = self._hepmc.GenCrossSection()
        cross_section.set_cross_section(*self._sigma, *self._counts)
        if self._forced:
            cross_section.set_xsec(1, self._of_all[0])
            cross_section.set_xsec_err(1, self._of_all[1])

    def _event(self, i: int, number: int, weights: list[float], states: list[Any], places: dict[str, Any]) -> Any:
        hepmc = self._hepmc
        event = hepmc.GenEvent(hepmc.Units.GEV, hepmc.Units.MM)
        event.run_info, event.event_number, event.weights = self._run, number, weights
        vertices = {name: hepmc.GenVertex(place[i]) for name, place in places.items()}
        made = []
        for rows, status, _ in states:
            px, py, pz, E, code, mass = rows[i]
            particle = hepmc.GenParticle([px, py, pz, E], int(code), status)
            particle.generated_mass = mass
            made.append(particle)
        for particle in made[:2]:  # beam and nucleus at rest
            vertices["vertex"].add_particle_in(particle)
        for particle, (_, _, name) in zip(made[2:], states[2:], strict=True):
            vertices[name].add_particle_out(particle)
        if "decay" in vertices:
            vertices["decay"].add_particle_in(made[4])
        for vertex in vertices.values():
            event.add_vertex(vertex)
        return event


@contextmanager
def writer(path: str | Path, card: Card, metadata: EventMeta, sample: dict[str, Any]) -> Iterator[HepmcWriter]:
    """A writer whose file takes its name when it is complete.

    Parameters
    ----------
    path : path
    card : Card
    metadata : dict
    sample : dict
        What `exposure.Sums` found.
    """
    hepmc = optional("pyhepmc", "HepMC", "hepmc")
    with atomic_path(path, same_text) as part, hepmc.open(str(part), "w", precision=_DIGITS, format="HepMC3") as stream:
        yield HepmcWriter(stream, hepmc, card, metadata, sample)
