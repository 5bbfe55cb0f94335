"""Polarisation of the bosons of events, from their own point of phase space."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.errors import ClosureError, refuse_if
from mcgen.base.jit import jit
from mcgen.events.branches import POINT, VECTORS, Columns
from mcgen.physics.boson.two_body import frame
from mcgen.physics.emission.amplitude import Process
from mcgen.physics.emission.four_momenta import event_point
from mcgen.physics.emission.kinematics import emission
from mcgen.physics.emission.polarisation import signed_mass, spin_tensor
from mcgen.source.boson import Boson
from mcgen.source.source import Source
from mcgen.source.targets import Target

#: rho of no polarisation, and an axis
_NONE = np.array([1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0, 0.0, 0.0, 1.0, 0.0])


@jit
def _polarisations(
    m: float, m_out: float, m_S: float, M: float, spin_half: bool | None, E: Array, point: Array, out: Array
) -> None:
    """Write rho and the direction of x' of each event.

    Parameters
    ----------
    m, m_out, m_S, M : float
        Masses of the lepton before and after, as in `spin_tensor`, of the boson and of what is struck in GeV.
    spin_half : bool or None
        Of what is struck, as in `spin_tensor`.
    E : array, shape (n,)
        Beam energy in GeV.
    point : array, shape (11, n)
        Energy of the boson in GeV, t in GeV^2, and x, y, z of the momenta of beam lepton, boson and nucleus in GeV.
    out : array, shape (8, n)
        Written, as `polarisation` says.
    """
    for i in range(E.size):
        E_S, t = point[0, i], point[1, i]
        p = (point[2, i], point[3, i], point[4, i])
        k = (point[5, i], point[6, i], point[7, i])
        k_k = k[0] * k[0] + k[1] * k[1] + k[2] * k[2]
        if k_k == 0.0:  # at rest there is no frame
            out[:, i] = _NONE
            continue
        N = (point[8, i], point[9, i], point[10, i])
        one_minus_cos_theta, q_perp, phi_q = event_point(E[i], m, m_S, p, k, N, E_S)
        e = emission(E[i], m, abs(m_out), m_S, M, E_S, one_minus_cos_theta)
        cos_phi, sin_phi = math.cos(phi_q), math.sin(phi_q)
        T = spin_tensor(e, E[i], m, m_out, m_S, M, E_S, one_minus_cos_theta, t, q_perp, cos_phi, sin_phi, spin_half)
        trace = T[0] + T[1] + T[2]
        out[0, i], out[1, i], out[2, i] = T[0] / trace, T[1] / trace, T[2] / trace
        out[3, i], out[4, i], out[5, i] = T[3] / trace, T[4] / trace, T[5] / trace
        n = (p[1] * k[2] - p[2] * k[1], p[2] * k[0] - p[0] * k[2], p[0] * k[1] - p[1] * k[0])  # p x k
        if n[0] == 0.0 and n[1] == 0.0 and n[2] == 0.0:  # along the beam: the axis that `event_point` takes
            n = (0.0, 1.0, 0.0)
        _, u, v = frame(k[0], k[1], k[2], math.sqrt(k_k))
        cosine = n[0] * v[0] + n[1] * v[1] + n[2] * v[2]  # y' = n/|n|, and x' = y' x z'
        sine = -(n[0] * u[0] + n[1] * u[1] + n[2] * u[2])
        out[6, i], out[7, i] = cosine, sine


@functools.lru_cache(maxsize=8)
def known_processes(boson: Boson) -> dict[Target, Process]:
    """What a card's beam can hit and radiate from with a spin density that is known here.

    That is nuclei, which have spin 0, and electrons if the boson does not couple to them and comes from the beam alone;
    and a boson that is a vector or an axial vector and no mixture. Of a collider nothing is known.
    """
    if boson.card.collider:
        return {}
    source = Source(boson.card)
    targets = [target for target in source.targets if target.A > 0.0 or target.spin_half]
    ratio = source.electron_ratio(boson.model)
    found = {target: source.process(boson.m_S, target, ratio=ratio) for target in targets}
    return {on: p for on, p in found.items() if isinstance(p, Process) and p.weights.even in (0.0, 1.0)}


def check_point(branches: Iterable[str]) -> None:
    """Raise InputError unless all of POINT are among the branches."""
    missing = ", ".join(sorted(set(POINT) - set(branches))[:3])
    what = 'on which angles of decays depend, but for those of scalar.decay_law = "isotropic"'
    refuse_if(missing, f"decays of spin 1: the events lack {missing}, {what}")


def polarisation(columns: Columns, boson: Boson) -> Array:
    """Spin density of the boson of each event; that of no polarisation where it is not known.

    Parameters
    ----------
    columns : dict of arrays
        Of the branches POINT.
    boson : Boson
        What is radiated; its card says what was hit.

    Returns
    -------
    array, shape (8, n)
        rho as xx, yy, zz, xy, xz, yz in the helicity frame, then two numbers in the ratio of cosine and sine of the
        azimuth of its axis x' in `mcgen.physics.boson.two_body.frame`.

    Raises
    ------
    InputError
        If a branch is missing.
    ClosureError
        If an event has no spin density, as its numbers are no point of phase space.
    """
    check_point(columns)
    out = np.tile(_NONE[:, None], columns["t"].size)
    for target, process in known_processes(boson).items():
        struck = target.is_struck(columns)
        point = np.array([columns[name][struck] for name in ("S_E", "t", *VECTORS)])
        rows = np.empty((8, point.shape[1]))
        masses = process.m, signed_mass(process), process.m_S, process.M
        _polarisations(*masses, process.spin_half, columns["E_mu"][struck], point, rows)
        out[:, struck] = rows
    refuse_if(not np.isfinite(out).all(), "decays of spin 1: the spin density of an event is not finite", ClosureError)
    return out
