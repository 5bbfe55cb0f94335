"""Angles of the decays of spin 1 against explicit spinors, and integrals of their laws."""

from __future__ import annotations

import exact
import numpy as np
import pytest
from mpmath import mpf, sqrt

from mcgen.base.constants import M_E, M_MU, M_TAU
from mcgen.physics.boson.polarised_decay import HELICAL, ISOTROPIC, SPINLESS, along, into_leptons, share_between

RHO = np.array([0.2, 0.5, 0.3, 0.1, -0.15, 0.05])  # xx, yy, zz, xy, xz, yz
MATRIX = RHO[[0, 3, 4, 3, 1, 5, 4, 5, 2]].reshape(3, 3)


def _squared(vertex, m_S, m_1, m_2, n, rho):
    """Sum over spins of |ubar vertex(e) v|^2, of polarisations with density rho, at the direction n."""
    q = sqrt((m_S**2 - (m_1 + m_2) ** 2) * (m_S**2 - (m_1 - m_2) ** 2)) / (2 * m_S)
    first = (sqrt(q * q + m_1 * m_1), *(q * v for v in n))
    second = (sqrt(q * q + m_2 * m_2), *(-q * v for v in n))
    total = mpf(0)
    axes = [(0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)]
    for i in range(3):
        for j in range(3):
            M, other = vertex(axes[i]), vertex(axes[j])
            bar = exact.GAMMA[0] @ np.vectorize(exact.mp.conj, otypes=[object])(other.T) @ exact.GAMMA[0]
            left = exact.slash(first) + m_1 * exact.ONE
            total += rho[i][j] * np.trace(left @ M @ (exact.slash(second) - m_2 * exact.ONE) @ bar).real
    return total


@pytest.mark.parametrize(
    ("m_S", "m_1", "m_2"), [(0.3, M_MU, M_MU), (0.01, M_E, M_E), (2.5, M_TAU, M_MU), (0.2, M_MU, M_E), (0.5, M_E, M_MU)]
)
def test_leptons(m_S, m_1, m_2):
    """Ratios of squared amplitudes at two directions are those of the law, V, A and one helicity, to 1e-12.

    Fails if the masses enter A as they enter V, or if n.rho.n has the wrong sign.
    """
    masses = mpf(m_S), mpf(m_1), mpf(m_2)
    chiral = (exact.ONE - exact.GAMMA5) / 2
    vertices = {
        into_leptons(m_S, m_1, m_2): exact.slash,
        into_leptons(m_S, m_1, -m_2): lambda e: exact.slash(e) @ exact.GAMMA5,
    }
    one, two = (np.array([0.48, -0.6, 0.64]), np.array([0.0, 0.6, 0.8]))
    rho = MATRIX.tolist()
    for law, vertex in vertices.items():
        found = _squared(vertex, *masses, one, rho) / _squared(vertex, *masses, two, rho)
        expected = (law.a - law.c * along(RHO, *one)) / (law.a - law.c * along(RHO, *two))
        assert abs(found / expected - 1) < 1e-12
    massless = mpf(m_S), mpf(0), mpf(0)
    both = [_squared(lambda e: exact.slash(e) @ chiral, *massless, n, rho) for n in (one, two)]
    expected = (HELICAL.a - HELICAL.c * along(RHO, *one)) / (HELICAL.a - HELICAL.c * along(RHO, *two))
    assert abs(both[0] / both[1] / expected - 1) < 1e-12


@pytest.mark.parametrize("law", [ISOTROPIC, SPINLESS, HELICAL, into_leptons(0.3, M_MU, M_MU)])
def test_shares(law):
    """The share within |cos| by a plain sum over directions, 1e-6; the whole is 1; fails for another norm."""
    cosine = (np.arange(2000) + 0.5) / 1000.0 - 1.0
    phi = (np.arange(40) + 0.5) * 2.0 * np.pi / 40
    across = np.sqrt(1.0 - cosine**2)[:, None]
    x, y, z = across * np.cos(phi), across * np.sin(phi), np.broadcast_to(cosine[:, None], (2000, 40))
    density = 3.0 * (law.a - law.c * along(RHO, x, y, z)) / (3.0 * law.a - law.c) / x.size
    assert density.sum() == pytest.approx(1.0, rel=1e-6)
    assert density[np.abs(cosine) < 0.6].sum() == pytest.approx(share_between(0.3, law, 0.6), rel=1e-6)
    assert share_between(0.3, law, 1.0) == pytest.approx(1.0, rel=1e-12)
