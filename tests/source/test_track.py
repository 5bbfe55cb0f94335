"""Records of the beam in the target: interpolation, and depths of muons followed one by one."""

import numpy as np
import pytest

from mcgen.source.track import NO_SPREAD, Track, depths, depths_in_cells, energy_at, interpolate, linear, place_at


def test_energy_along_the_track():
    """A cubic of r with its slopes comes back to 1e-12, a straight line too; fails for another polynomial."""
    r = np.linspace(0.0, 1.0, 6)
    cubic = np.polynomial.Polynomial([3.0, -0.7, -0.4, -0.3])
    track = Track(cubic(r), cubic.deriv()(r) / 5.0, 1.0, 0.0, 1.0, NO_SPREAD, NO_SPREAD, NO_SPREAD)
    for at in np.linspace(0.0, 1.0, 23):
        assert energy_at(track, at) == pytest.approx(cubic(at), rel=1e-12)
        assert energy_at(linear(3.0, 1.0), at) == pytest.approx(3.0 - 2.0 * at, rel=1e-12)


def test_interpolation():
    """Between points and outside of them as numpy has it, 1e-12; fails for a neighbour or an end too far."""
    xs, ys = np.array([0.0, 1.0, 1.5, 4.0]), np.array([2.0, 5.0, -1.0, 0.5])
    for x in np.linspace(-1.0, 5.0, 61):
        assert interpolate(x, xs, ys) == pytest.approx(np.interp(x, xs, ys), rel=1e-12, abs=1e-12)
    assert interpolate(2.0, np.array([2.0, 2.0]), np.array([1.0, 3.0])) == 2.0  # the middle of a step


ENTRY = np.array([4.0, 5.0, 7.0, 11.0])
CDF = np.array([0.0, 0.5, 0.6, 1.0])


def beam(span):
    """Many energies at a layer from 10 cm on: residual paths rise from 4 to 11 cm at its front."""
    rho = np.linspace(11.0, 4.0 - span, 40)
    E = 0.1 + 0.2 * rho
    return Track(E, np.gradient(E), span, 10.0, span, rho, ENTRY, CDF)


@pytest.mark.parametrize("r", [0.05, 0.3, 0.6, 0.9])
def test_depths_of_many_energies(r):
    """Muons followed one by one are as deep where they have the energy of r, 1e-3 cm; fails for another share of them.

    Those are at the residual path rho who entered with rho to rho + 3 cm.
    """
    track = beam(3.0)
    entered = np.interp((np.arange(200_000) + 0.5) / 200_000, CDF, ENTRY)
    rho = 11.0 + r * (1.0 - 11.0)
    deep = 10.0 + np.sort(entered[(entered >= rho) & (entered <= rho + 3.0)] - rho)
    u = np.array([0.001, 0.2, 0.5, 0.7, 0.999])
    at, shares = np.transpose([place_at(track, r, x) for x in u])
    np.testing.assert_allclose(at, np.quantile(deep, u), atol=1e-3)
    np.testing.assert_allclose(np.interp(rho + at - 10.0, ENTRY, CDF), shares, atol=1e-9)
    for toward_end in (True, False):
        y, weight = depths(track, r, 300, toward_end)
        assert weight.sum() == pytest.approx(1.0, rel=1e-12)
        assert np.sum(y * weight) == pytest.approx(deep.mean(), abs=3e-3)
    last = np.diff(depths(track, r, 300)[0])
    assert last[-1] < 0.01 * last[0]  # close at the end, where an S that lives shortly must be made


@pytest.mark.parametrize("span", [3.0, 0.02])
def test_depths_in_cells_of_energy(span):
    """Track of muons followed one by one, cell by cell and depth by depth, to 0.5 % of a cell.

    Fails if a wide cell takes the depths at its middle, or if an end of a cell is shifted.
    """
    track = beam(span)
    edges = np.array([2.2, 1.9, 1.45, 1.4, 1.0, 0.3])  # GeV; E = 0.1 + 0.2 rho with E_low as at the end of the track
    y, shares = depths_in_cells(track, edges, 6)
    ends = span * (1.0 - np.linspace(1.0, 0.0, 7) ** 4)
    np.testing.assert_allclose(y, 10.0 + 0.5 * (ends[1:] + ends[:-1]))
    entered = np.interp((np.arange(20_000) + 0.5) / 20_000, CDF, ENTRY)
    followed = np.zeros(shares.shape)
    for part in range(6):
        for deep in ends[part] + (np.arange(50) + 0.5) / 50.0 * (ends[part + 1] - ends[part]):
            counts, _ = np.histogram(0.1 + 0.2 * (entered - deep), edges[::-1])
            followed[:, part] += counts[::-1] * (ends[part + 1] - ends[part])
    total = followed.sum(axis=1, keepdims=True)
    assert np.all(shares[total[:, 0] == 0.0] == 1.0 / 6.0)
    met = total[:, 0] > 0.0
    assert met.sum() >= 4
    np.testing.assert_allclose(shares[met], (followed / np.maximum(total, 1e-300))[met], atol=5e-3)


def test_sheet_and_single_energy():
    """A sheet is passed by all muons alike, one energy is at one depth; fails if rounding decides."""
    sheet = beam(1e-8)
    y, weight = depths(sheet, 0.4, 50, toward_end=False)
    np.testing.assert_allclose(weight, 0.02, rtol=1e-9)
    np.testing.assert_allclose((y - 10.0) / 1e-8, (np.arange(50) + 0.5) / 50.0, atol=1e-6)
    depth, share = place_at(sheet, 0.4, 0.25)
    assert (depth - 10.0) / 1e-8 == pytest.approx(0.25, abs=1e-6)
    rho = np.interp(0.4, np.linspace(0.0, 1.0, 40), sheet.rho)
    assert share == pytest.approx(np.interp(rho, ENTRY, CDF), rel=1e-9)
    single = linear(3.0, 1.0, front=2.0, length=4.0)
    assert place_at(single, 0.25, 0.7) == (3.0, 0.7)
    y, weight = depths(single, 0.25, 9)
    assert (y.tolist(), weight.tolist()) == ([3.0], [1.0])
