"""Where a decay counts, as distances in cm from the point of production (Eqs. 18, 20)."""

from __future__ import annotations

import math


def missing_energy(delta_y: float, L_tg: float, L_det: float) -> tuple[float, float]:
    """(z_min, z_max): S must leave target and detector undecayed (Eq. 18)."""
    return L_tg + L_det - delta_y, math.inf


def displaced(delta_y: float, L_tg: float, L_det: float) -> tuple[float, float]:
    """(z_min, z_max): S must decay within L_det behind the target (Eq. 20)."""
    return L_tg - delta_y, L_tg - delta_y + L_det


#: signatures for which S decaying into invisible particles counts, wherever that happens
INVISIBLE_COUNTS = ("missing-energy",)

SIGNATURES = {"missing-energy": missing_energy, "displaced": displaced}
