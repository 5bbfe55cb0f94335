"""A derived from scratch: explicit gamma matrices, spin sums by traces, no formula of the package."""

from __future__ import annotations

import math

import exact
import numpy as np
import pytest

from mcgen.base.constants import M_E, M_MU
from mcgen.physics.emission.amplitude import reduced_amplitude
from mcgen.physics.emission.kinematics import emission
from mcgen.physics.matter.materials import ELEMENTS

_PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
GAMMA = np.array([np.kron([[1, 0], [0, -1]], np.eye(2)), *(np.kron([[0, 1], [-1, 0]], sigma) for sigma in _PAULI)])
METRIC = np.diag([1.0, -1.0, -1.0, -1.0])
ONE = np.eye(4)


def slash(a):
    """gamma^mu a_mu."""
    return np.einsum("m,mij->ij", METRIC @ np.asarray(a, dtype=complex), GAMMA)


def vertices(p, k, p_out, m, a):
    """The two diagrams of a.J between spinors: S from the outgoing and from the incoming lepton."""
    after, before = p_out + k, p - k
    s = after @ METRIC @ after - m * m
    u = before @ METRIC @ before - m * m
    return (slash(after) + m * ONE) @ slash(a) / s, slash(a) @ (slash(before) + m * ONE) / u


def spin_sum(p, p_out, m, left, right):
    """(1/2) sum over spins of (ubar' left u)(ubar' right u)^*."""
    bar = GAMMA[0] @ right.conj().T @ GAMMA[0]
    return 0.5 * np.trace((slash(p_out) + m * ONE) @ left @ (slash(p) + m * ONE) @ bar)


# beam energy, lepton, m_S, E_S, 1 - cos(theta), t/t_min, phi_q: no cancellation costs more than ten digits
POINTS = [
    (2.0, M_MU, 0.1, 1.2, 0.05, 30.0, 0.7),
    (2.0, M_MU, 0.1, 0.6, 0.3, 4.0, -2.0),
    (2.0, M_MU, 0.3, 1.5, 0.02, 10.0, 2.9),
    (2.0, M_E, 0.1, 1.0, 0.1, 5.0, 1.3),
    (0.6, M_MU, 0.02, 0.3, 0.4, 3.0, -0.4),
]


@pytest.mark.parametrize("target", ["H", "W"])
@pytest.mark.parametrize(("E", "m", "m_S", "E_S", "one_minus_cos", "ratio", "phi_q"), POINTS)
def test_traces(target, E, m, m_S, E_S, one_minus_cos, ratio, phi_q):
    """A equals the trace to 1e-6, and q.J = 0 to 1e-6 of either diagram; fails if a term of A is wrong by a factor."""
    M = ELEMENTS[target].M
    e = emission(E, m, m, m_S, M, E_S, one_minus_cos)
    above = min((ratio - 1.0) * e.t_min, 0.5 * (e.t_max - e.t_min))
    x = exact.point(E, m, m_S, M, E_S, one_minus_cos, above, phi_q)
    p, k, p_out, P_in, P_out = (np.array([float(v) for v in a]) for a in (x.p, x.k, x.p_out, x.P_in, x.P_out))
    current = sum(vertices(p, k, p_out, m, P_in + P_out))
    A = spin_sum(p, p_out, m, current, current)
    assert abs(A.imag) < 1e-9 * abs(A.real)
    assert reduced_amplitude(E, m, m_S, M, E_S, one_minus_cos, above, phi_q) == pytest.approx(A.real, rel=1e-6, abs=0.0)

    first, second = vertices(p, k, p_out, m, P_in - P_out)
    total = spin_sum(p, p_out, m, first + second, first + second).real
    either = spin_sum(p, p_out, m, first, first).real
    assert math.sqrt(abs(total) / either) < 1e-6  # the square root of the trace's rounding
