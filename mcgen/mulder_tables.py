"""Energy loss and scattering of muons from the program mulder: means, rates of large losses, transport path.

mulder (V. Niess, Comput. Phys. Commun. 279 (2022) 108438) transports muons backwards, from a detector to the sky. Here
its tables serve: it tells the rate of losses above one share of the energy at a time, and many such shares make the
spectrum from which losses are drawn. The first use of a material takes seconds per share; mulder keeps its tables.
"""

from __future__ import annotations

import functools
import hashlib

import numpy as np

from mcgen.constants import M_MU
from mcgen.extras import optional
from mcgen.physics.csda_range import range_table
from mcgen.physics.energy_loss import TabulatedLoss
from mcgen.straggling import Losses, RandomLoss

#: shares of the kinetic energy above which losses are drawn one by one, up to the last but 1
SHARES = np.geomspace(2e-3, 0.9, 18)
#: points of the tables in energy, and the lowest kinetic energy in GeV
POINTS, LOWEST = 160, 0.03


def name_of(fractions: tuple[tuple[float, str], ...], density: float) -> str:
    """A name for mulder, of a material of shares of mass and element names, density in g/cm^3."""
    return "mcgen" + hashlib.sha256(repr((fractions, density)).encode()).hexdigest()[:16]


@functools.lru_cache(maxsize=64)
def random_loss(fractions: tuple[tuple[float, str], ...], density: float, E_low: float, E_max: float) -> RandomLoss:
    """Law of energy loss of a material between two total energies in GeV."""
    mulder = optional("mulder", "target.energy_loss 'mulder'", "mulder")
    materials = optional("mulder.materials", "target.energy_loss 'mulder'", "mulder")
    mulder.config.NOTIFY = False
    name = name_of(fractions, density)
    materials.Material.define(name, density=1e3 * density, composition={symbol: share for share, symbol in fractions})
    T = np.geomspace(LOWEST, E_max, POINTS)
    rates = np.zeros((POINTS, SHARES.size + 1))
    for i, share in enumerate(SHARES.tolist()):
        compiled = mulder.Physics(cutoff=share).compile(name)
        rates[:, i] = 1e-2 * compiled.cross_section(T)
        if i == 0:
            soft = 1e-2 * compiled.stopping_power(T, mode="mixed")
    losses = Losses(np.log(T), soft, np.append(SHARES, 1.0), np.minimum.accumulate(rates, axis=1))
    mean = range_table(lambda E: 1e-2 / density * compiled.stopping_power(E - M_MU), E_low, E_max)
    return RandomLoss(TabulatedLoss(mean, density), losses, 1e-2 / compiled.transport_path(T))
