"""Decays into two particles: momentum, masses, and the direction after a boost back into the rest frame."""

import math

import numpy as np
import pytest

from mcgen.physics.boson.two_body import daughters


def boosted_back(v, S, m_S):
    """A four-momentum (px, py, pz, E) in the rest frame of S, without turning the axes."""
    beta_gamma, gamma = np.array(S[:3]) / m_S, S[3] / m_S
    along = beta_gamma @ v[:3]
    return np.array([*(v[:3] + beta_gamma * (along / (gamma + 1.0) - v[3])), gamma * v[3] - along])


FLIGHTS = [
    (0.3, -0.5, 1.2), (0.3, 0.5, -1.2), (1.0, 0.0, 0.0), (0.0, 0.0, 3.0), (0.0, 0.0, -3.0), (-0.2, 0.1, 1e-9),
    (0.0, 0.0, 0.0),
]  # fmt: skip


@pytest.mark.parametrize("flight", FLIGHTS)
def test_daughters(flight):
    """Both daughters are on their shells, add up to S and leave it at the angle asked for, 1e-12.

    The azimuth turns about the flight with its own size. Fails if a vector across the flight is not one.
    """
    m_S, m, cosine = 0.3, 0.1056583755, 0.35
    S = (*flight, math.sqrt(sum(k * k for k in flight) + m_S * m_S))
    axis = np.array(flight) / np.linalg.norm(flight) if any(flight) else np.array([0.0, 0.0, 1.0])
    q = math.sqrt(0.25 * m_S * m_S - m * m)
    across = []
    for phi in (0.4, 0.4 + 0.5 * math.pi, 0.4 + math.pi):
        first, second = (np.array(v) for v in daughters(S, m_S, m, m, cosine, phi))
        np.testing.assert_allclose(first + second, S, atol=1e-12)
        for v in (first, second):
            assert v[3] ** 2 - v[:3] @ v[:3] == pytest.approx(m * m, abs=1e-12)
        at_rest = boosted_back(first, S, m_S)
        assert at_rest[3] == pytest.approx(0.5 * m_S, rel=1e-12)
        assert at_rest[:3] @ axis == pytest.approx(q * cosine, rel=1e-12)
        across.append(at_rest[:3] - q * cosine * axis)
    sine = q * math.sqrt(1.0 - cosine * cosine)
    np.testing.assert_allclose([np.linalg.norm(a) for a in across], sine, rtol=1e-12)
    np.testing.assert_allclose(across[2], -across[0], atol=1e-12)
    np.testing.assert_allclose(across[1] @ across[0], 0.0, atol=1e-12)
