"""Angles of the decay of a polarised boson into two particles: dN/dOmega = 3 (a - c n.rho.n)/(4 pi (3 a - c)).

n is the direction of the first daughter in the rest frame on the axes of rho. All laws are even in n.
"""

from __future__ import annotations

from typing import NamedTuple

from mcgen.base.arrays import Array
from mcgen.base.jit import jit


class DecayLaw(NamedTuple):
    """Weights of 1 and of -n.rho.n."""

    a: float
    c: float


#: of spin 0, and where nothing is known
ISOTROPIC = DecayLaw(1.0, 0.0)
#: two spinless particles in a p wave
SPINLESS = DecayLaw(0.0, -1.0)
#: spin 1 into two neutrinos, of one helicity
HELICAL = DecayLaw(1.0, 1.0)


def into_leptons(m_S: float, m_1: float, m_2: float) -> DecayLaw:
    """Law of V -> l l'; that of an axial vector has one of the masses negative.

    Parameters
    ----------
    m_S, m_1, m_2 : float
        Mass of the boson, above the others' sum, and of each lepton in GeV.
    """
    total = (m_1 + m_2) / m_S
    return DecayLaw(1.0, (1.0 - total) * (1.0 + total))


def share_between(rho_00: float, law: DecayLaw, cos_theta: float) -> float:
    """Share of decays with |cos(theta)| below a limit, from the longitudinal part of rho.

    Parameters
    ----------
    rho_00 : float
    law : DecayLaw
    cos_theta : float
        The limit, from 0 to 1, of the angle to the flight.
    """
    mean = 0.5 * (1.0 - rho_00) + (3.0 * rho_00 - 1.0) * cos_theta * cos_theta / 6.0  # of n.rho.n
    return 3.0 * cos_theta * (law.a - law.c * mean) / (3.0 * law.a - law.c)


@jit
def along(rho: Array, x: float, y: float, z: float) -> float:
    """n.rho.n of rho as (xx, yy, zz, xy, xz, yz)."""
    total: float = rho[0] * x * x + rho[1] * y * y + rho[2] * z * z
    total += 2.0 * (rho[3] * x * y + rho[4] * x * z + rho[5] * y * z)
    return total


@jit
def relative_density(rho: Array, a: float, c: float, x: float, y: float, z: float) -> float:
    """dN/dOmega of a law over that of an isotropic decay, at n = (x, y, z)."""
    return 3.0 * (a - c * along(rho, x, y, z)) / (3.0 * a - c)
