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

from mcgen import pdg
from mcgen.branches import Columns
from mcgen.card import Card
from mcgen.constants import ALPHA
from mcgen.estimate import Estimate
from mcgen.formats import lhe
from mcgen.formats.particles import particles
from mcgen.formats.text import TextWriter, text_writer
from mcgen.pdg import BEAM
from mcgen.source.targets import Target

HEADER = (
    "target_Z,incident_energy,recoil_energy,recoil_px,recoil_py,recoil_pz,"
    "centerMomentum_energy,centerMomentum_px,centerMomentum_py,centerMomentum_pz\n"
)
UNITS = {"GeV": 1.0, "MeV": 1e3}


def writer(
    path: str | Path, _card: Any = None, _metadata: Any = None, unit: str = "GeV"
) -> AbstractContextManager[TextWriter]:
    """Target charge, incident energy, recoil lepton, and recoil plus emitted particle, each as E px py pz."""
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
    """LHE of one element: Znuc in the header, leptons as particles, one of five lines the incident lepton, and so on.

    The parser reads lines 1, 3 and 5 of an event and knows the numbers 11 and 13 only. An event weighs as much as the
    cross section in pb at its energy, listed in `sigmas` per block; <init> has the mean over the blocks of the file.
    """
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

    head = lhe.head([process], lepton, max(at), Znuc=process.target.Z)
    return text_writer(path, record, head, lhe.END)
