"""Materials of targets.

Densities and the minimum-ionisation loss of muons: PDG, Atomic and Nuclear Properties of Materials; LYSO: PDG table of
scintillating crystals; concrete: NIST (Portland); steel: stainless 304L as in Geant4's data base; brass: C26000, 70 %
copper; their loss by Bragg's rule. The paper's <dE/dy> for W and Pb are these minima times the density.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcgen.base.constants import AVOGADRO
from mcgen.physics.matter.atomic_data import ELEMENTS as ELEMENTS
from mcgen.physics.matter.atomic_data import Element as Element


@dataclass(frozen=True, slots=True)
class Material:
    """A homogeneous material: an element or a compound."""

    name: str
    density: float  #: g/cm^3
    dEdx_min: float  #: minimum-ionisation loss, GeV cm^2/g
    fractions: dict[str, float]  #: element -> share of the mass
    fit: str | None = None  #: of its density effect, in `atomic_data.FITS`
    alloy: bool = False  #: electrons as in the elements


_FITS = {"Ar": "LAr", "water": "H2O", "polystyrene": "polystyrene", "concrete": "concrete"}
_ALLOYS = ("steel", "brass")

MATERIALS = {
    name: Material(name, density, 1e-3 * loss, fractions or {name: 1.0}, _FITS.get(name), name in _ALLOYS)
    for name, density, loss, fractions in (
        ("H", 0.0708, 4.034, {}),  # liquid
        ("Be", 1.848, 1.595, {}),
        ("C", 2.21, 1.742, {}),  # graphite
        ("Al", 2.699, 1.615, {}),
        ("Si", 2.329, 1.664, {}),
        ("Ar", 1.396, 1.508, {}),  # liquid
        ("Ti", 4.54, 1.477, {}),
        ("Fe", 7.874, 1.451, {}),
        ("Cu", 8.96, 1.403, {}),
        ("W", 19.30, 1.145, {}),
        ("Pb", 11.35, 1.122, {}),
        ("U", 18.95, 1.081, {}),
        ("water", 1.0, 1.992, {"H": 0.111901, "O": 0.888099}),
        ("polystyrene", 1.06, 1.936, {"H": 0.077421, "C": 0.922579}),
        ("steel", 8.0, 1.453, {"Cr": 0.169001, "Fe": 0.746212, "Ni": 0.084787}),
        ("brass", 8.53, 1.405, {"Cu": 0.7, "Zn": 0.3}),
        ("PbWO4", 8.3, 1.229, {"O": 0.140640, "W": 0.404012, "Pb": 0.455348}),
        ("LYSO", 7.4, 1.297, {"O": 0.181476, "Si": 0.063714, "Y": 0.040338, "Lu": 0.714472}),  # Lu1.8 Y0.2 SiO5
        ("concrete", 2.3, 1.711, {
            "H": 0.01, "C": 0.001, "O": 0.529107, "Na": 0.016, "Mg": 0.002, "Al": 0.033872, "Si": 0.337021,
            "K": 0.013, "Ca": 0.044, "Fe": 0.014,
        }),
    )
}  # fmt: skip


def nuclei_per_cm3(density: float, fraction: float, A: float) -> float:
    """Nuclei per cm^3 of an element that makes up a fraction of the mass of a material of a density in g/cm^3."""
    return density * fraction * AVOGADRO / A
