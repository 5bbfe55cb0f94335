"""Cross sections and spectra of e+ e- -> f+ f- X against the reference, a plain integral, and limits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mcgen.base.constants import ALPHA, GEV2_PB, LEPTON_MASSES, M_MU, M_TAU
from mcgen.physics.collider.amplitude import collision, energy_range, h_longitudinal, h_total, radiation
from mcgen.physics.collider.cross_section import cos_theta_bins, energy_bins, h_spectrum, nodes, sigma, unit
from mcgen.physics.emission.mediator import MEDIATORS
from mcgen.physics.emission.rules import gauss


def _of(row):
    return collision(row["sqrt_s"], LEPTON_MASSES[row["lepton"]], row["m_X"], row["mediator"])


def test_reference(reference):
    """sigma, <E>, <E^2> and <cos^2> of 83 settings to 1e-9; fails for a wrong sum, factor or map of energies."""
    for row in reference("tautau")["sigma"]:
        value, error = sigma(_of(row))
        found = nodes(_of(row))
        E, share = row["m_X"] + found.above, found.total / value
        along = found.along.sum() / value
        got = [value, share @ E, share @ E**2, 0.4 * (1.0 - along) + 0.2 * along]
        want = [row[name] for name in ("sigma_g1_pb", "mean_E", "mean_E2", "mean_cos2")]
        np.testing.assert_allclose(got, want, rtol=1e-9, err_msg=str(row["m_X"]))
        assert error < 1e-9 * value


def test_reference_spectra(reference):
    """Bins in energy and angle to 1e-6 of sigma; fails if bins are cut at the wrong energies."""
    seen = 0
    for row in reference("tautau")["sigma"]:
        for name, of in (("energy", energy_bins), ("cos_theta", cos_theta_bins)):
            if name in row:
                seen += 1
                bins = of(_of(row), np.array(row[name]["edges"]))
                np.testing.assert_allclose(bins, row[name]["sigma_pb"], rtol=0.0, atol=1e-6 * row["sigma_g1_pb"])
    assert seen > 20


@pytest.mark.parametrize("mediator", MEDIATORS)
@pytest.mark.parametrize(
    ("m", "M", "share"), [(M_TAU, 0.1, 0.4), (M_MU, 0.001, 0.9), (M_TAU, 6.9, 0.5), (M_MU, 3.0, 0.01)]
)
def test_integral_over_Delta(mediator, m, M, share):
    """The closed form over Delta against a fine rule, 1e-10; fails for a wrong integral or a rounded difference."""
    c = collision(10.58, m, M, mediator)
    width = energy_range(c)
    r = radiation(c, share * width, (1.0 - share) * width)
    y_max = math.atanh(min(r.D / r.E, 1.0 - 1e-15))
    x, w = gauss(400)
    y = y_max * (2.0 * x - 1.0)
    Delta, weight = r.E * np.tanh(y), 2.0 * y_max * w * r.E / np.cosh(y) ** 2
    found = h_spectrum(c, share * width, (1.0 - share) * width)
    for value, h in zip(found, (h_total, h_longitudinal), strict=True):
        expected = sum(a * h(c, r, float(d)) for d, a in zip(Delta, weight, strict=True))
        assert value == pytest.approx(expected, rel=1e-10, abs=1e-14 * found[0])


def _dilogarithm(x):
    """Li2 for 0 <= x <= 1, by its integral."""
    t, w = gauss(200)
    t, w = t * t * (3.0 - 2.0 * t), w * 6.0 * t * (1.0 - t)
    return float(np.sum(w * -np.log1p(-x * t) / t))


@pytest.mark.parametrize("M", [1.0, 3.0, 7.0])
def test_massless_leptons(M):
    """For m -> 0, V = A and S = P, and sigma_V is the known function of M^2/s; fails for a wrong norm or angle."""
    sqrt_s, m = 10.58, 1e-5
    found = {name: sigma(collision(sqrt_s, m, M, name))[0] for name in MEDIATORS}
    assert found["vector"] == pytest.approx(found["axial"], rel=1e-8)
    assert found["scalar"] == pytest.approx(found["pseudoscalar"], rel=1e-8)
    z = (M / sqrt_s) ** 2
    L = math.log(z)
    F = (1.0 + z) ** 2 * (3.0 * L + L * L) + 5.0 * (1.0 - z * z) - 2.0 * z * L
    inner = math.log(1.0 + z) * L + _dilogarithm(1.0 / (1.0 + z)) - _dilogarithm(z / (1.0 + z))
    F -= 2.0 * (1.0 + z) ** 2 * inner
    born = 4.0 * math.pi * ALPHA**2 / (3.0 * sqrt_s**2) * GEV2_PB
    assert found["vector"] == pytest.approx(born * F / (8.0 * math.pi**2), rel=1e-6)


def test_light_axial_boson():
    """For M -> 0 sigma_A is (4 m^2/M^2) sigma_P; fails without the longitudinal part."""
    axial, pseudo = (sigma(collision(10.58, M_TAU, 1e-4, name))[0] for name in ("axial", "pseudoscalar"))
    assert axial == pytest.approx((2.0 * M_TAU / 1e-4) ** 2 * pseudo, rel=1e-5)


@pytest.mark.parametrize(("mediator", "power"), [("scalar", 2), ("axial", 2), ("pseudoscalar", 3), ("vector", 3)])
def test_threshold(mediator, power):
    """sigma grows as the 2nd or 3rd power above threshold and is 0 below, never NaN; fails if P were like S there."""
    m, M = M_TAU, 0.2
    low, high = (sigma(collision(2.0 * m + M + excess, m, M, mediator))[0] for excess in (1e-5, 2e-5))
    assert high / low == pytest.approx(2.0**power, rel=1e-3)
    for excess in (0.0, -1e-9, -1.0, -3.0):
        assert sigma(collision(2.0 * m + M + excess, m, M, mediator)) == (0.0, 0.0)


@pytest.mark.parametrize("mediator", MEDIATORS)
@pytest.mark.parametrize("m", [M_MU, M_TAU])
def test_precision(mediator, m):
    """The error that is stated stays below 1e-9 at all masses and up to 1 TeV; fails for too few nodes."""
    for sqrt_s in (2.0 * m + 1e-3, 3.77, 10.58, 91.0, 1000.0):
        for share in (1e-9, 1e-5, 1e-2, 0.3, 0.9, 1.0 - 1e-6):
            c = collision(sqrt_s, m, share * (sqrt_s - 2.0 * m), mediator)
            value, error = sigma(c)
            assert math.isfinite(value)
            assert value > 0.0
            assert error < 1e-9 * value, (sqrt_s, share)


def test_collinear_limit():
    """Far above all masses d sigma/dx grows with ln s as the splitting functions say, to 2 %; fails for a wrong P(x).

    The difference between two energies leaves the logarithm alone.
    """
    m, M, x = 1e-3, 1e-3, 0.4
    for mediator, P in (("scalar", x), ("pseudoscalar", x), ("vector", 2.0 * (1.0 + (1.0 - x) ** 2) / x)):
        values = []
        for sqrt_s in (100.0, 1000.0):
            c = collision(sqrt_s, m, M, mediator)
            E = 0.5 * x * sqrt_s
            total, _ = h_spectrum(c, E - M, energy_range(c) - (E - M))
            born = 4.0 * math.pi * ALPHA**2 / (3.0 * sqrt_s**2) * GEV2_PB
            values.append(total * unit(c) * 0.5 * sqrt_s / born * 8.0 * math.pi**2)
        assert values[1] - values[0] == pytest.approx(P * math.log(100.0), rel=0.02), mediator


def test_bins_add_up():
    """All bins together are sigma, 1e-12; fails if a bin is lost between the two maps of energies."""
    c = collision(10.58, M_TAU, 0.3, "vector")
    whole = sigma(c)[0]
    assert energy_bins(c, np.linspace(0.3, 6.0, 23)).sum() == pytest.approx(whole, rel=1e-12)
    assert cos_theta_bins(c, np.linspace(-1.0, 1.0, 7)).sum() == pytest.approx(whole, rel=1e-12)
    assert energy_bins(c, np.array([0.0, 0.2, 7.0, 8.0])) == pytest.approx([0.0, whole, 0.0], rel=1e-12)
