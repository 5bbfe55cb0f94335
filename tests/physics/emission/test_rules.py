"""Rules of integration."""

from __future__ import annotations

import numpy as np
import pytest

from mcgen.physics.emission.rules import gauss, gauss_of, panels


def test_panels():
    """sin of 200 ranges, short and long, to 1e-9, and short ones have few nodes; fails for weights of other panels."""
    limits = np.concatenate([[0.0], np.cumsum(np.random.default_rng(2).random(200) ** 8)])
    x, w = panels(limits, 1.5, 12)
    assert np.sum(w * np.sin(x)) == pytest.approx(1.0 - np.cos(limits[-1]), rel=1e-9)
    assert panels(np.array([0.0, 1e-3]), 1.5, 12)[0].size == 4
    assert panels(np.array([0.0, 3.0]), 1.5, 12)[0].size == 24
    assert panels(np.array([0.0, 1.0, 1.1]), np.array([1.0, 0.1]), 5)[0].size == 10


def test_few_nodes_for_many():
    """Moments up to degree 2 n - 1 of random measures are kept, row by row; fails for a rule of another measure."""
    x, w = np.random.default_rng(1).random((2, 5, 40))
    nodes, weights = gauss_of(x, w, 6)
    assert nodes.shape == weights.shape == (5, 6)
    assert np.all(weights > 0.0)
    for degree in range(12):
        assert np.sum(weights * nodes**degree, axis=1) == pytest.approx(np.sum(w * x**degree, axis=1), rel=1e-12)


def test_legendre_of_its_own_nodes():
    """The measure of a Gauss rule has that rule back; fails if nodes are mixed up between rows."""
    x, w = gauss(8)
    nodes, weights = gauss_of(np.stack([x, 2.0 * x]), np.stack([w, w]), 8)
    assert nodes == pytest.approx(np.stack([x, 2.0 * x]), rel=1e-12)
    assert weights == pytest.approx(np.stack([w, w]), rel=1e-12)


def test_fewer_points_than_nodes():
    """Points without weight and points that coincide leave nodes of no weight; fails for a division by zero."""
    x, w = (
        np.array([[0.3, 0.7, 0.9, 0.9], [0.5, 0.5, 0.5, 0.5]]),
        np.array([[1.0, 2.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]]),
    )
    nodes, weights = gauss_of(x, w, 4)
    for degree in range(6):
        assert np.sum(weights * nodes**degree, axis=1) == pytest.approx(np.sum(w * x**degree, axis=1), rel=1e-12)
