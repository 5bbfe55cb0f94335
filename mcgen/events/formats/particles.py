"""The particles of an event as columns, in the order in which HepMC, LHE and NanoAOD files list them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from mcgen.base import pdg
from mcgen.base.constants import LEPTON_MASSES, M_E, MM_PER_NS
from mcgen.base.pdg import BEAM, DECAYED, FINAL
from mcgen.card.card import Card
from mcgen.events.branches import PARTS, Columns
from mcgen.events.decays import CHANNELS
from mcgen.events.meta import EventMeta
from mcgen.source import targets
from mcgen.source.collisions import Collisions
from mcgen.source.targets import POSITRON, Target

#: units of times in HepMC and Les Houches files, from mm: the standards' c t, and ns as some readers take it
TIME_UNITS = {"mm": 1.0, "ns": 1.0 / MM_PER_NS}


def time_factor(metadata: EventMeta) -> float:
    """What turns a time in mm into the unit that the file is to have."""
    return TIME_UNITS[metadata.get("time_unit", "mm")]


class Particle(NamedTuple):
    """One particle of every event; what differs from event to event is a column, the rest a number."""

    name: str  #: prefix of its columns, none for the nucleus at rest or the second beam
    pdg: Any
    status: int  #: as in HepMC
    mass: Any  #: GeV
    momentum: list[Any]  #: px, py, pz, E
    vertex: str  #: prefix of the columns of its place


def needed(decayed: bool) -> set[str]:
    """Branches that a list of particles is made of."""
    names = ["mu_in", "mu_out", "N_out", "S", *(["d1", "d2"] if decayed else [])]
    places = ["vertex", *(["decay"] if decayed else [])]
    found = {"event", "weight", "E_mu", "depth_cm", "t", "target_Z", "target_A"}
    found |= {f"{name}_{part}" for name in names for part in PARTS}
    found |= {f"{place}_{axis}_cm" for place in places for axis in "xyz"}
    return found | ({"decay_pdg"} if decayed else set())


def struck(sample: Mapping[str, Any]) -> list[Target]:
    """The targets on which `exposure.Sums` found events."""
    return [targets.struck(row["Z"], row["A"]) for row in sample["processes"]]


def lister(card: Card, metadata: EventMeta) -> Callable[[Columns], list[Particle]]:
    """`particles` with the numbers that the metadata of an event file ask for."""
    m_S, boson = metadata.m_S, metadata.get("boson_pdg") or pdg.MEDIATORS[metadata["mediator"]]
    return partial(particles, card=card, m_S=m_S, boson=int(boson), lepton=lepton_number(card, metadata))


def lepton_number(card: Card, metadata: EventMeta) -> int:
    """PDG number of the beam: in events of another generator it may have the other charge than in the card."""
    return int(metadata.get("beam_pdg") or pdg.BEAMS[card.first_beam])


def beam_mass(card: Card) -> float:
    """Mass in GeV of the particle that comes in along +z."""
    return M_E if card.collider else card.beam.mass


def process_text(card: Card) -> str:
    """The process in a few words."""
    if card.collider:
        return f"e+ e- -> {card.lepton}+ {card.lepton}- S"
    on = {"electron": ["e-"], "all": ["N", "e-"]}.get(card.target.process, ["N"])
    return ", ".join(f"{card.lepton} {hit} -> {card.out_lepton} {hit} S" for hit in on)


class Roles(NamedTuple):
    """Who the four particles beside S are: numbers, masses in GeV, and the momentum of the one that has no columns."""

    numbers: tuple[Any, Any, Any, Any]  #: PDG: mu_in, what it meets, mu_out, N_out
    masses: tuple[Any, Any, Any, Any]
    met: list[Any]  #: momentum of what the beam meets, (px, py, pz, E)


def roles(columns: Columns, card: Card, lepton: int) -> Roles:
    """Who takes part: a lepton and a nucleus at rest, or e- and e+ which make a pair of leptons.

    Parameters
    ----------
    columns : dict of arrays
    card : Card
    lepton : int
        PDG number of the beam.
    """
    if card.collider:
        made, m = pdg.LEPTONS[card.lepton], LEPTON_MASSES[card.lepton]
        beams = Collisions(card).frame
        met = [0.0, 0.0, beams.p_second, beams.E_second]
        return Roles((lepton, POSITRON.pdg, made, -made), (M_E, POSITRON.M, m, m), met)
    m = card.beam.mass
    nucleus, M = (targets.per_event(columns, value) for value in (lambda hit: hit.pdg, lambda hit: hit.M))
    out, m_out = outgoing(card, lepton)
    return Roles((lepton, nucleus, out, nucleus), (m, M, m_out, M), [0.0, 0.0, 0.0, M])


def outgoing(card: Card, lepton: int) -> tuple[int, float]:
    """PDG number and mass in GeV of the outgoing lepton, of the charge of the beam's number `lepton`."""
    return (pdg.changed(lepton, card.out_lepton) if card.changes_flavour else lepton), card.out_mass


def particles(
    columns: Columns, card: Card, m_S: float, boson: int | None = None, lepton: int | None = None
) -> list[Particle]:
    """Beam lepton, nucleus at rest or second beam, what both become, S, and its daughters if it decays.

    Parameters
    ----------
    columns : dict of arrays
    card : Card
    m_S : float
        Mass of S in GeV.
    boson : int, optional
        PDG number of S; by default that of its spin.
    lepton : int, optional
        PDG number of the beam; by default that of the card.
    """

    def four(name: str) -> list[Any]:
        return [columns[f"{name}_{part}"] for part in PARTS]

    who = roles(columns, card, lepton or pdg.BEAMS[card.first_beam])
    decayed = "decay_pdg" in columns
    boson = boson or pdg.MEDIATORS[card.scalar.mediator]
    found = [
        Particle("mu_in", who.numbers[0], BEAM, who.masses[0], four("mu_in"), "vertex"),
        Particle("", who.numbers[1], BEAM, who.masses[1], who.met, "vertex"),
        Particle("mu_out", who.numbers[2], FINAL, who.masses[2], four("mu_out"), "vertex"),
        Particle("N_out", who.numbers[3], FINAL, who.masses[3], four("N_out"), "vertex"),
        Particle("S", boson, DECAYED if decayed else FINAL, m_S, four("S"), "vertex"),
    ]
    if decayed:
        numbers, code = pdg.daughters(columns["decay_pdg"]), columns["decay_pdg"]
        for i, name in enumerate(("d1", "d2")):
            mass = np.select([code == channel.pdg for channel in CHANNELS], [channel.masses[i] for channel in CHANNELS])
            found.append(Particle(name, numbers[i], FINAL, mass, four(name), "decay"))
    return found


def others(columns: Columns, listed: Sequence[Particle]) -> list[str]:
    """Columns that the momenta of a list of particles do not hold."""
    in_list = {f"{particle.name}_{part}" for particle in listed for part in PARTS}
    return [name for name in columns if name not in in_list]


def fields(names: Sequence[str]) -> str:
    """Names of columns, each before a field for its number: a template, as of printf."""
    return " ".join(f"{name} %{'d' if name == 'event' else '.17g'}" for name in names)


def beside(columns: Columns, listed: Sequence[Particle]) -> tuple[str, list[Any]]:
    """Columns that a list of particles does not hold, after their names: a template, and what goes in."""
    found = [name for name in others(columns, listed) if name != "decay_pdg"]
    return fields(found), [columns[name] for name in found]
