"""Charge, mass, interaction length, mean excitation energy and density effect of elements and of a few compounds.

Atomic weights: IUPAC 2021. I: ICRU Report 37 (1984). Density effect: R. M. Sternheimer, M. J. Berger and
S. M. Seltzer, At. Data Nucl. Data Tables 30 (1984) 261, as the PDG tabulates it.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import NamedTuple

from mcgen.base.constants import AMU


class DensityEffect(NamedTuple):
    """Sternheimer's fit of the density effect of one material at one density."""

    I_eV: float  #: mean excitation energy
    C: float  #: Sternheimer's -C, 2 log(I/plasma energy) + 1
    x0: float
    x1: float
    a: float
    k: float
    delta0: float = 0.0  #: delta at x0, of a conductor

    @property
    def plasma_eV(self) -> float:
        """Plasma energy in eV at the density of the fit."""
        return self.I_eV * math.exp(0.5 * (1.0 - self.C))


class Element(NamedTuple):
    """An element, isotopes averaged."""

    name: str
    Z: float
    A: float  #: mass number, g/mol

    @property
    def M(self) -> float:
        """Mass of the nucleus in GeV."""
        return self.A * AMU


#: rows of elements.csv: name, Z, A, interaction length, and the fit of the electrons
_ROWS = list(csv.reader(Path(__file__).with_name("elements.csv").read_text(encoding="utf-8").splitlines()[3:]))

ELEMENTS = {name: Element(name, float(Z), float(A)) for name, Z, A, *_ in _ROWS}

#: the fit of each element
ELECTRONS = {name: DensityEffect(*map(float, fit)) for name, _, _, _, *fit in _ROWS}

#: nuclear interaction length in g/cm^2 of the elements that the PDG lists
INTERACTION_LENGTHS = {name: float(length) for name, _, _, length, *_ in _ROWS if length}

#: fits of materials that are more than one element, or not in its usual state
FITS = {
    "LAr": DensityEffect(188.0, 5.2146, 0.2000, 3.0000, 0.19559, 3.0000),
    "H2O": DensityEffect(75.0, 3.5017, 0.2400, 2.8004, 0.09116, 3.4773),  # the PDG's 79.7 eV does not go with this C
    "concrete": DensityEffect(135.2, 3.9464, 0.1301, 3.0466, 0.07515, 3.5467),
    "air": DensityEffect(85.7, 10.5961, 1.7418, 4.2759, 0.10914, 3.3994),
    "polyvinyltoluene": DensityEffect(64.7, 3.1997, 0.1464, 2.4855, 0.16101, 3.2393),
    "polystyrene": DensityEffect(68.7, 3.2999, 0.1647, 2.5031, 0.16454, 3.2224),
}
