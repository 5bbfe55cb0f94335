"""Energy of the beam muon along the target (Eq. 16)."""

from __future__ import annotations


def depth(E_beam: float, E: float, dE_dy: float) -> float:
    """Path Delta y in cm after which a muon of E_beam has energy E, at constant loss in GeV/cm (Eq. 16)."""
    return (E_beam - E) / dE_dy


def lowest_energy(E_beam: float, length: float, dE_dy: float, E_min: float) -> float:
    """Energy in GeV at the end of the target, or E_min where the muon counts as stopped (Eq. 16)."""
    return max(E_beam - length * dE_dy, E_min)
