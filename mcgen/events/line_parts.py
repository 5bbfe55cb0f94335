"""Where S of each event may come from: the three parts of |M|^2 of l e -> l e S, at the event's own point."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.jit import jit
from mcgen.events.branches import LINE_BRANCHES, POINT, VECTORS, Columns
from mcgen.events.events import EventSource
from mcgen.physics.emission.amplitude import azimuthal_form
from mcgen.physics.emission.four_momenta import event_point
from mcgen.physics.emission.kinematics import emission
from mcgen.physics.emission.struck_electron import BothLines, three_parts
from mcgen.source.source import AnySource

#: key of the metadata: coupling to electrons over that to the beam's lepton; left out where it is 0
RATIO = "electron_coupling"


@jit
def parts_at(both: BothLines, E: Array, E_S: Array, t: Array, vectors: Array, out: Array) -> None:
    """Write squares of both lines and their interference at each event.

    Parameters
    ----------
    both : BothLines
        Constants of the kernels.
    E, E_S, t : array, shape (n,)
        Beam energy and energy of S in GeV, momentum transfer squared in GeV^2.
    vectors : array, shape (9, n)
        x, y, z of the three-momenta of beam lepton, S and recoiling electron in GeV.
    out : array, shape (3, n)
        Written, in 1/GeV^2 at unit couplings of negative leptons.
    """
    v, p = vectors, both.beam
    for i in range(E.size):
        beam, S, hit = (v[0, i], v[1, i], v[2, i]), (v[3, i], v[4, i], v[5, i]), (v[6, i], v[7, i], v[8, i])
        one_minus_cos_theta, q_perp, phi_q = event_point(E[i], p.m, p.m_S, beam, S, hit, E_S[i])
        e = emission(E[i], p.m, p.m_out, p.m_S, p.M, E_S[i], one_minus_cos_theta)
        f = azimuthal_form(e, E[i], t[i], q_perp, p)
        found = three_parts(p, both.struck, both.kind, E[i], e, t[i], q_perp, f, np.cos(phi_q))
        out[0, i], out[1, i], out[2, i] = found


def has_both_lines(source: AnySource, m_S: float) -> bool:
    """Whether S of a card's events, of mass m_S in GeV, may come from the line of an electron."""
    return any(isinstance(source.process(m_S, target), BothLines) for target in source.targets)


def line_parts(columns: Columns, source: AnySource, m_S: float) -> Columns:
    """`LINE_BRANCHES` of events, from the branches `POINT`.

    Parameters
    ----------
    columns : dict of arrays
    source : Source or Collisions
        Its mediator, model and beam count: the parts make 1 at its couplings.
    m_S : float
        Mass of S in GeV.
    """
    size = columns["t"].size
    parts = np.zeros((3, size))
    parts[0] = 1.0
    for target in source.targets:
        both: Any = source.process(m_S, target)
        mine = target.is_struck(columns)
        if not isinstance(both, BothLines) or not mine.any():
            continue
        c = {name: np.ascontiguousarray(columns[name][mine]) for name in POINT}
        found = np.empty((3, int(mine.sum())))
        parts_at(both, c["E_mu"], c["S_E"], c["t"], np.stack([c[name] for name in VECTORS]), found)
        parts[:, mine] = found / combined(found, both.ratio, both.sign)
    return dict(zip(LINE_BRANCHES, parts, strict=True))


def combined(parts: Array, ratio: float, sign: float) -> Array:
    """|M|^2 from its three parts, shape (3, n).

    Parameters
    ----------
    parts : array, shape (3, n)
        Squares and interference.
    ratio : float
        g_e/g_mu.
    sign : float
        Of the interference, by the charge of the beam.
    """
    return np.asarray(parts[0] + ratio * ratio * parts[1] + ratio * sign * parts[2])


def ratio_of(events: EventSource, source: AnySource) -> dict[str, float]:
    """What metadata say of the couplings of events with parts, once their boson is that of a source's card."""
    return {RATIO: source.electron_ratio(source.card.scalar.model)} if RATIO in events.metadata else {}
