"""Polarisation of the bosons of events, from their own point of phase space."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.errors import ClosureError, refuse_if
from mcgen.base.jit import jit
from mcgen.events.branches import POINT, VECTORS, Columns
from mcgen.physics.boson.two_body import frame
from mcgen.physics.emission.event_point import cross, event_point
from mcgen.physics.emission.kinematics import emission
from mcgen.physics.emission.polarisation import spin_tensor
from mcgen.source.targets import Target, per_event


@jit
def _polarisations(m: float, m_out: float, m_S: float, M: Array, E: Array, point: Array, out: Array) -> None:
    """Write rho and the direction of x' of each event.

    Parameters
    ----------
    m, m_out, m_S : float
        Masses of the lepton before and after, as in `spin_tensor`, and of the boson in GeV.
    M, E : array, shape (n,)
        Mass of what was struck, 0 where its spin density is not known, and beam energy in GeV.
    point : array, shape (11, n)
        Energy of the boson in GeV, t in GeV^2, and x, y, z of the momenta of beam lepton, boson and nucleus in GeV.
    out : array, shape (8, n)
        Written, as `polarisation` says.
    """
    for i in range(E.size):
        out[:3, i] = 1.0 / 3.0
        out[3:, i] = 0.0
        out[6, i] = 1.0
        E_S, t = point[0, i], point[1, i]
        p = (point[2, i], point[3, i], point[4, i])
        k = (point[5, i], point[6, i], point[7, i])
        k_k = k[0] * k[0] + k[1] * k[1] + k[2] * k[2]
        if M[i] == 0.0 or k_k == 0.0:
            continue
        N = (point[8, i], point[9, i], point[10, i])
        one_minus_cos_theta, q_perp, phi_q = event_point(E[i], m, m_S, p, k, N, E_S)
        e = emission(E[i], m, abs(m_out), m_S, M[i], E_S, one_minus_cos_theta)
        T = spin_tensor(
            e, E[i], m, m_out, m_S, M[i], E_S, one_minus_cos_theta, t, q_perp, math.cos(phi_q), math.sin(phi_q)
        )
        trace = T[0] + T[1] + T[2]
        out[0, i], out[1, i], out[2, i] = T[0] / trace, T[1] / trace, T[2] / trace
        out[3, i], out[4, i], out[5, i] = T[3] / trace, T[4] / trace, T[5] / trace
        n = cross(p, k)
        if n[0] == 0.0 and n[1] == 0.0 and n[2] == 0.0:
            n = (0.0, 1.0, 0.0)
        _, u, v = frame(k[0], k[1], k[2], math.sqrt(k_k))
        cosine = n[0] * v[0] + n[1] * v[1] + n[2] * v[2]  # y' = n/|n|, and x' = y' x z'
        sine = -(n[0] * u[0] + n[1] * u[1] + n[2] * u[2])
        out[6, i], out[7, i] = cosine, sine


def has_spin_density(target: Target) -> bool:
    """Whether the spin density of what is radiated on a target is known: on nuclei, which have spin 0 here."""
    return target.A > 0.0


def check_point(branches: Iterable[str]) -> None:
    """Raise InputError unless all of POINT are among the branches."""
    missing = ", ".join(sorted(set(POINT) - set(branches))[:3])
    what = 'on which angles of decays depend, but for those of scalar.decay_law = "isotropic"'
    refuse_if(missing, f"decays of spin 1: the events lack {missing}, {what}")


def polarisation(columns: Columns, m: float, m_out: float, m_S: float) -> Array:
    """Spin density of the boson of each event; that of no polarisation where it is not known.

    Parameters
    ----------
    columns : dict of arrays
        Of the branches POINT.
    m, m_out, m_S : float
        Mass of the beam lepton, of the outgoing one, negative for an axial vector, and of the boson in GeV.

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
    known = per_event(columns, lambda target: target.M if has_spin_density(target) else 0.0)
    point = np.array([columns[name] for name in ("S_E", "t", *VECTORS)])
    out = np.empty((8, known.size))
    _polarisations(m, m_out, m_S, known, np.ascontiguousarray(columns["E_mu"]), point, out)
    refuse_if(not np.isfinite(out).all(), "decays of spin 1: the spin density of an event is not finite", ClosureError)
    return out
