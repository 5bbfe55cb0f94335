"""Target elements: charge, mass number, density and minimum energy loss.

Z and A: IUPAC standard atomic weights 2021 (H: 1.00794, the value of the reference tables). Densities and the
minimum-ionisation loss of muons: PDG, Atomic and Nuclear Properties of Materials. The paper's <dE/dy> for W and
Pb are these minima times the density.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcgen.constants import AMU, AVOGADRO


@dataclass(frozen=True, slots=True)
class Material:
    """An element as a target."""

    name: str
    Z: float
    A: float
    density: float  #: g/cm^3
    dEdx_min: float  #: minimum-ionisation loss, GeV cm^2/g

    @property
    def M(self) -> float:
        """Nuclear mass in GeV."""
        return self.A * AMU

    @property
    def n_atom(self) -> float:
        """Nuclei per cm^3."""
        return self.density * AVOGADRO / self.A

    @property
    def dE_dy(self) -> float:
        """Energy loss of a minimum-ionising muon in GeV/cm."""
        return self.dEdx_min * self.density


MATERIALS = {
    material.name: material
    for material in (
        Material("H", 1.0, 1.00794, 0.0708, 4.034e-3),  # liquid
        Material("Be", 4.0, 9.0121831, 1.848, 1.595e-3),
        Material("C", 6.0, 12.011, 2.21, 1.742e-3),  # graphite
        Material("Al", 13.0, 26.9815385, 2.699, 1.615e-3),
        Material("Fe", 26.0, 55.845, 7.874, 1.451e-3),
        Material("Cu", 29.0, 63.546, 8.96, 1.403e-3),
        Material("W", 74.0, 183.84, 19.30, 1.145e-3),
        Material("Pb", 82.0, 207.2, 11.35, 1.122e-3),
        Material("U", 92.0, 238.02891, 18.95, 1.081e-3),
    )
}
