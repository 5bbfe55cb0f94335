"""Libraries of events for G4DarkBreM: CSV, or LHE that its parser understands.

A library is a set of events per target charge and incident energy; the simulation takes one of the next energy above
its own and rescales it. CSV is in GeV, as in the libraries that LDMX makes: the code of G4DarkBreM (2.2.3, 2026)
compares the column with an energy in GeV, although its description says MeV. Nothing in the file can say the unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from mcgen.base import pdg
from mcgen.base.constants import ALPHA
from mcgen.base.errors import refuse_if
from mcgen.base.estimate import Estimate
from mcgen.base.pdg import BEAM
from mcgen.card.card import Card
from mcgen.events.branches import Columns
from mcgen.events.formats import lhe
from mcgen.events.formats.particles import particles
from mcgen.events.formats.text import TextWriter, text_writer
from mcgen.source.targets import Target

HEADER = (
    "target_Z,incident_energy,recoil_energy,recoil_px,recoil_py,recoil_pz,"
    "centerMomentum_energy,centerMomentum_px,centerMomentum_py,centerMomentum_pz\n"
)
UNITS = {"GeV": 1.0, "MeV": 1e3}


def check_process(card: Card) -> None:
    """Raise InputError for what a simulation with a library does not know: all but a lepton that stays, on nuclei."""
    where = "scalar.out_lepton" if card.changes_flavour else "collider" if card.collider else ""
    where = where or ("" if card.target.process == "nuclear" else "target.process")
    refuse_if(where, f"{where}: libraries for G4DarkBreM are of a lepton that stays what it is, on nuclei")


def writer(
    path: str | Path, card: Card | None = None, _metadata: Any = None, unit: str = "GeV"
) -> AbstractContextManager[TextWriter]:
    """A writer of CSV: target charge, energy of the incident lepton, recoil lepton, sum of recoil and boson.

    Parameters
    ----------
    path : path
    card : Card, optional
        Of the events, for a check.
    _metadata : object
        Other formats need it.
    unit : {"GeV", "MeV"}
        Of energies and momenta.
    """
    if card is not None:
        check_process(card)
    factor = UNITS[unit]

    def record(columns: Columns) -> tuple[str, list[Any]]:
        parts = ("E", "px", "py", "pz")
        recoil = [columns[f"mu_out_{part}"] for part in parts]
        both = [columns[f"mu_out_{part}"] + columns[f"S_{part}"] for part in parts]
        values = [factor * value for value in (columns["mu_in_E"], *recoil, *both)]
        return "%d" + ",%.17g" * 9 + "\n", [columns["target_Z"], *values]

    return text_writer(path, record, HEADER)


def lhe_writer(
    path: str | Path,
    card: Card,
    target: Target,
    m_S: float,
    sigmas: Sequence[tuple[float, Estimate]],
    boson: int | None = None,
) -> AbstractContextManager[TextWriter]:
    """A writer of LHE for one element, as the parser of G4DarkBreM wants it.

    The parser takes the charge `Znuc` from the header. Of an event it reads lines 1, 3 and 5, and it knows leptons by
    the numbers 11 and 13 only, so that antileptons get these numbers too. An event weighs as much as the cross section
    at its energy; <init> has the mean of these cross sections.

    Parameters
    ----------
    path : path
    card : Card
        Its target is one element.
    m_S : float
        Mass of S in GeV.
    sigmas : sequence of (float, Estimate)
        Each energy of the library in GeV, and the cross section there in pb.
    boson : int, optional
        PDG number of S; by default that of its spin.
    """
    check_process(card)
    lepton = abs(pdg.BEAMS[card.beam.particle])
    at = {E: sigma.value for E, sigma in sigmas}
    mean = sum(sigma.value for _, sigma in sigmas) / len(sigmas)
    error = sum(sigma.error for _, sigma in sigmas) / len(sigmas)
    process = lhe.Process(target, mean, error, max(at.values()))

    def record(columns: Columns) -> tuple[str, list[Any]]:
        lines = ["<event>", f" 5 1 %.17g %.17g {ALPHA:.9g} 0"]
        weight = np.array([at[E] for E in columns["E_mu"].tolist()])
        values: list[Any] = [weight, np.sqrt(columns["t"])]
        for i, particle in enumerate(particles(columns, card, m_S, boson), 1):
            number = lepton if i in (1, 3) else particle.pdg
            status, mothers = (-1, "0 0") if particle.status == BEAM else (1, "1 2")
            lines.append(f" %d {status} {mothers} 0 0 %.17g %.17g %.17g %.17g %.17g 0 9")
            values += [number, *particle.momentum, particle.mass]
        return "\n".join([*lines, "</event>\n"]), values

    head = lhe.head([process], (lhe.Beam(lepton, max(at)), lhe.Beam(target.pdg, target.M)), Znuc=target.Z)
    return text_writer(path, record, head, lhe.END)
