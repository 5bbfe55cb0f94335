"""Signal of what was made: one sum for the nodes of a quadrature and for events (Eqs. 17, 19)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from mcgen.base.arrays import Array
from mcgen.physics.signal.depth import Depth, expected_signal_in_depth
from mcgen.physics.signal.layers import Layers, expected_signal_in_layers
from mcgen.physics.signal.signal_yield import expected_signal, inverse_length_per_momentum

#: nothing in a column that is not needed
NONE = np.empty(0)
_NO_LAYERS = Layers(NONE, NONE, NONE, NONE)
#: one bin for all energies
ALL = np.array([0.0, math.inf])


class Made(NamedTuple):
    """Bosons that were made and can count, nodes of a quadrature or events; all arrays have shape (bosons,)."""

    weight: Array  #: bosons per beam particle at unit coupling, times the share that the search keeps
    k: Array  #: momentum in GeV
    E_mu: Array  #: energy of the beam lepton in GeV
    z_min: Array  #: where a decay counts: distance from the production in cm, from here
    z_max: Array  #: to here
    tau: Array = NONE  #: mean lives to the boson's own decay if its vertex is counted, else empty
    layers: Layers | None = None  #: of the target in which a decay counts too, if there are any
    depth: Depth | None = None  #: efficiency by the place of the decay, if it depends on that
    binned: Array = NONE  #: the number whose bins are asked for, else E_mu


def signal(
    made: Iterable[Made], m_S: float, widths: Iterable[float], shares: tuple[float, float], edges: Array = ALL
) -> tuple[Array, Array]:
    """Signal events per beam particle at unit coupling, and the sum of their squares.

    Parameters
    ----------
    made : iterable of Made
        One chunk after another.
    m_S : float
        Mass in GeV.
    widths : iterable of float
        Total widths in GeV, one per coupling.
    shares : (float, float)
        The share of decays that can be seen, and the share that counts wherever it happens (`Search.shares`).
    edges : array, shape (bins + 1,), optional
        Of bins of the beam lepton's energy in GeV, or of the number `binned`; what lies outside is in the nearest one.

    Returns
    -------
    array, array, shape (couplings, bins)
    """
    per_k = np.array([inverse_length_per_momentum(width, m_S) for width in widths])
    sums = np.zeros((2, edges.size - 1, per_k.size))
    for chunk in made:
        energy_bin = np.zeros(chunk.E_mu.size, np.int64)
        if edges.size > 2:
            binned = chunk.binned if chunk.binned.size else chunk.E_mu
            energy_bin = np.clip(np.searchsorted(edges, binned, "right") - 1, 0, edges.size - 2)
        columns = chunk.weight, chunk.k, chunk.z_min, chunk.z_max, chunk.tau, energy_bin
        if chunk.depth is not None:
            layers = chunk.layers or _NO_LAYERS
            expected_signal_in_depth(*columns, per_k, *shares, sums[0], sums[1], layers, chunk.depth)
        elif chunk.layers is None:
            expected_signal(*columns, per_k, *shares, sums[0], sums[1])
        else:
            expected_signal_in_layers(*columns, per_k, *shares, sums[0], sums[1], chunk.layers)
    return sums[0].T, sums[1].T
