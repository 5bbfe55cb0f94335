"""Decays seen by their place: the closed form of each piece against numbers of 80 digits and plain integrals."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad

from mcgen.physics.signal.depth import Depth, expected_signal_in_depth, straight
from mcgen.physics.signal.layers import Layers
from mcgen.physics.signal.signal_yield import decay_probability

NOTHING = np.empty(0)
NO_LAYERS = Layers(NOTHING, NOTHING, NOTHING, NOTHING)
#: rising, a step up and down, a part where nothing is seen, and an end that is not 0
KNOTS, VALUES = np.array([0.0, 1.0, 1.0, 2.0, 2.5, 3.0, 4.0]), np.array([0.0, 0.5, 0.9, 0.3, 0.0, 0.0, 0.7])
#: where a boson is made, and the share of its way along z: forward, from before, backward, and across
WAYS = [(0.0, 1.0), (-2.0, 0.9), (5.0, -0.7), (1.5, 0.0), (1.5, 1e-300)]


def seen(depth, L, first, last, layers=NO_LAYERS, tau=NOTHING):
    """Probability of the one boson of `depth` to decay between two distances and be seen."""
    sums, squares = np.zeros((1, 1)), np.zeros((1, 1))
    one = np.ones(1)
    window = np.array([first]), np.array([last])
    expected_signal_in_depth(
        one, one, *window, tau, np.zeros(1, int), np.array([1.0 / L]), 1.0, 0.0, sums, squares, layers, depth
    )
    assert squares[0, 0] == sums[0, 0] ** 2
    return sums[0, 0]


def depth_of(z, n_z, knots=KNOTS, values=VALUES[None], row=0, part=0.0):
    """Of one boson."""
    return Depth(np.array([z]), np.array([n_z]), knots, values, np.array([row]), np.array([part]))


def efficiency(z):
    """That at one place, a number of 80 digits; at a step that behind it."""
    i = int(np.searchsorted(KNOTS, float(z), side="right"))
    if i in (0, KNOTS.size):
        return mpmath.mpf(VALUES[min(i, KNOTS.size - 1)])
    (a, b), (v, w) = map(mpmath.mpf, KNOTS[i - 1 : i + 1]), map(mpmath.mpf, VALUES[i - 1 : i + 1])
    return v + (w - v) * (z - a) / (b - a)


def exact(z, n_z, L, first, last):
    """The same probability by primitive functions with 80 digits, piece by piece."""
    cuts = sorted({first, last, *((k - z) / n_z for k in KNOTS.tolist() if n_z and first < (k - z) / n_z < last)})
    total, rate = mpmath.mpf(0), mpmath.mpf(1.0 / L)
    for a, b in zip(map(mpmath.mpf, cuts[:-1]), map(mpmath.mpf, cuts[1:]), strict=True):
        third, two_thirds = (efficiency(z + n_z * (a + share * (b - a))) for share in (0.25, 0.75))
        slope = (two_thirds - third) / (0.5 * (b - a))
        start = third - 0.25 * (b - a) * slope

        def primitive(s, start=start, slope=slope, a=a):
            return -mpmath.exp(-s * rate) * (start + slope * (s - a) + slope / rate)

        total += primitive(b) - primitive(a)
    return total


@pytest.mark.parametrize("h", [1e-300, 1e-12, 1e-3, 0.5, 0.999, 1.0, 1.001, 30.0, 1e5, 1e300])
def test_straight(h):
    """Both integrals to 1e-15 of themselves; fails for a difference of large numbers, or too short a series."""
    with mpmath.workdps(700):
        H = mpmath.mpf(h)
        e = mpmath.exp(-H)
        wanted = float((H - 1 + e) / H), float((1 - e * (1 + H)) / H)
    assert straight(h) == pytest.approx(wanted, rel=1e-15, abs=0.0)


@pytest.mark.parametrize("exponent", range(-6, 13))
@pytest.mark.parametrize(("z", "n_z"), WAYS)
def test_probability(exponent, z, n_z):
    """Decay lengths from 1e-6 to 1e12 of the window, to 1e-12; fails for a piece that is left out or turned round."""
    first, last = 0.5, 4.5
    L = (last - first) * 10.0**exponent
    with mpmath.workdps(80):
        wanted = exact(z, n_z, L, first, last)
        found = seen(depth_of(z, n_z), L, first, last)
        if wanted > 1e-300:
            assert float(found / wanted) == pytest.approx(1.0, rel=1e-12)
        else:
            assert found < 1e-300


@pytest.mark.parametrize("L", [0.1, 2.0, 1e4])
@pytest.mark.parametrize(("z", "n_z"), WAYS)
def test_plain_integral(L, z, n_z):
    """The integral of efficiency and exponential as scipy finds it, 1e-9; fails if its closed form is another one's."""
    points = [(k - z) / n_z for k in KNOTS.tolist() if n_z and 0.5 < (k - z) / n_z < 4.5]
    wanted, _ = quad(
        lambda s: float(efficiency(z + s * n_z)) * np.exp(-s / L) / L, 0.5, 4.5, points=points or None, epsabs=1e-14
    )
    assert seen(depth_of(z, n_z), L, 0.5, 4.5) == pytest.approx(wanted, rel=1e-9)


def test_constant():
    """One efficiency everywhere is Eq. 19 times it; fails if knots change what is between them."""
    flat = depth_of(-1.0, 0.8, values=np.full((1, KNOTS.size), 0.25))
    for L in (1e-3, 1.0, 1e6):
        assert seen(flat, L, 0.1, 6.0) == pytest.approx(0.25 * decay_probability(0.1, 6.0, 1.0 / L), rel=1e-14)


def test_rows():
    """A boson between two rows has the mean of both with its share; fails for the row before."""
    values = np.stack([VALUES, VALUES[::-1], VALUES * 0.5])
    rows = [seen(depth_of(0.0, 1.0, values=values, row=row), 2.0, 0.2, 3.7) for row in range(3)]
    between = seen(depth_of(0.0, 1.0, values=values, row=1, part=0.3), 2.0, 0.2, 3.7)
    assert between == pytest.approx(0.7 * rows[1] + 0.3 * rows[2], rel=1e-14)


@pytest.mark.parametrize(("z", "n_z"), [(-0.5, 1.0), (6.0, -1.0)])
def test_layers(z, n_z):
    """Layers and window add up; fails if a layer is seen with the efficiency of another place."""
    layers = Layers(np.array([0.2, 1.5]), np.array([0.7, 2.2]), np.array([z]), np.array([n_z]))
    depth = depth_of(z, n_z)
    parts = [seen(depth, 1.3, *sorted(((a - z) / n_z, (b - z) / n_z))) for a, b in ((0.2, 0.7), (1.5, 2.2), (3.1, 3.9))]
    window = sorted(((3.1 - z) / n_z, (3.9 - z) / n_z))
    assert seen(depth, 1.3, *window, layers=layers) == pytest.approx(sum(parts), rel=1e-14)


def test_drawn_places():
    """The mean over many drawn decays is the probability, 4 standard deviations; fails at the wrong side of a step."""
    u, L = np.random.default_rng(5).random(20_000), 1.7
    tau = -np.log1p(-u)
    n = tau.size
    depth = Depth(np.full(n, -0.3), np.full(n, 0.9), KNOTS, VALUES[None], np.zeros(n, int), np.zeros(n))
    sums, squares, one = np.zeros((1, 1)), np.zeros((1, 1)), np.ones(n)
    bins = np.zeros(n, int)
    expected_signal_in_depth(
        one, one, 0.4 * one, 4.0 * one, tau, bins, np.array([1.0 / L]), 1.0, 0.0, sums, squares, NO_LAYERS, depth
    )
    wanted = seen(depth_of(-0.3, 0.9), L, 0.4, 4.0)
    assert abs(sums[0, 0] / n - wanted) < 4.0 * np.sqrt(squares[0, 0]) / n
