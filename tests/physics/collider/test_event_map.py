"""Variables of an event from uniform numbers: momenta against the reference, inverses against plain integrals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from physics.collider.dirac import squared

from mcgen.base.constants import LEPTON_MASSES, M_MU, M_TAU
from mcgen.physics.collider.amplitude import (
    collision,
    energy_range,
    h_beams,
    h_longitudinal,
    h_total,
    radiation,
    squared_amplitude,
)
from mcgen.physics.collider.event_map import boosted, draw_cos_theta, draw_delta, draw_psi, final_state, frame
from mcgen.physics.emission.mediator import MEDIATORS


def test_momenta_of_the_reference(reference):
    """Momenta at the 60-digit points to 1e-9; fails if psi turns the other way or f- and f+ are exchanged."""
    for point in reference("tautau")["points"]:
        x = {name: float(value) for name, value in point["variables"].items()}
        c = collision(float(point["sqrt_s"]), LEPTON_MASSES[point["lepton"]], float(point["m_X"]))
        width = energy_range(c)
        r = radiation(c, x["fE"] * width, (1.0 - x["fE"]) * width)
        minus, X, plus = final_state(c, r, x["fDelta"] * r.D, x["cos"], x["phi"], x["psi"])
        for mine, name in ((X, "k"), (minus, "p_minus"), (plus, "p_plus")):
            wanted = np.roll(np.array(point[name], dtype=float), -1)
            np.testing.assert_allclose(mine, wanted, rtol=1e-9, atol=1e-9 * c.sqrt_s)


@pytest.mark.parametrize("mediator", MEDIATORS)
def test_amplitude_of_the_momenta(mediator):
    """|M|^2 of an event's momenta by spinors is that of its variables; fails if z of f- has the other sign of psi."""
    rng = np.random.default_rng(4)
    c = collision(10.58, M_TAU, 0.7, mediator)
    width = energy_range(c)
    for _ in range(20):
        u = rng.uniform(0.05, 0.95, 6)
        r = radiation(c, u[0] * width, (1.0 - u[0]) * width)
        Delta, cosine = draw_delta(c, r, u[1]), 2.0 * u[2] - 1.0
        psi, phi = draw_psi(c, r, Delta, cosine, u[3]), 2.0 * math.pi * u[4]
        minus, X, plus = (np.roll(p, 1) for p in final_state(c, r, Delta, cosine, phi, psi))
        expected = squared(mediator, c.m, c.m_S, X, minus, plus)
        assert squared_amplitude(c, r, Delta, cosine, math.cos(psi)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("mediator", MEDIATORS)
@pytest.mark.parametrize(
    ("m", "M", "share"), [(M_TAU, 0.1, 0.3), (M_MU, 0.001, 0.9), (M_TAU, 7.0, 0.5), (M_MU, 8.0, 0.01)]
)
def test_inverses(mediator, m, M, share):
    """Each inverse has the distribution that it is of, by a plain integral to 1e-4; fails for a wrong coefficient."""
    c = collision(10.58, m, M, mediator)
    width = energy_range(c)
    r = radiation(c, share * width, (1.0 - share) * width)
    last = 0.5 * math.log1p(2.0 * r.D * (r.D + r.E) / r.R0)
    y = np.linspace(-last, last, 40_001)
    density = np.array([h_total(c, r, min(max(r.E * math.tanh(v), -r.D), r.D)) for v in y]) / np.cosh(y) ** 2
    cdf = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
    for u in (1e-6, 0.1, 0.37, 0.5, 0.8, 0.999):
        at = math.atanh(min(max(draw_delta(c, r, u) / r.E, -1.0 + 1e-16), 1.0 - 1e-16))
        assert np.interp(at, y, cdf / cdf[-1]) == pytest.approx(u, abs=1e-4)
    Delta, cosine = 0.6 * r.D, 0.7
    psi = np.linspace(-math.pi, math.pi, 4001)
    density = np.array([h_beams(c, r, Delta, cosine, math.cos(v)) for v in psi])
    cdf = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
    for u in (1e-6, 0.1, 0.37, 0.5, 0.8, 0.999):
        assert np.interp(draw_psi(c, r, Delta, cosine, u), psi, cdf / cdf[-1]) == pytest.approx(u, abs=1e-4)
    along = h_longitudinal(c, r, Delta) / h_total(c, r, Delta)
    grid = (np.arange(60) + 0.5) / 60.0
    cosines = np.array([draw_cos_theta(c, r, Delta, a, b) for a in (np.arange(400) + 0.5) / 400.0 for b in grid])
    assert np.mean(cosines**2) == pytest.approx(0.4 * (1.0 - along) + 0.2 * along, abs=2e-3)
    assert np.abs(cosines).max() <= 1.0


def test_boost():
    """A boost keeps masses, and takes the frame of the collision to beams of 7 and 4 GeV; fails for its inverse."""
    ratio = math.sqrt(7.0 / 4.0)
    lab = frame(10.58, 0.5 * (ratio + 1.0 / ratio), 0.5 * (ratio - 1.0 / ratio), 0.511e-3)
    assert lab.E_first / lab.E_second == pytest.approx(1.75, rel=1e-7)
    assert boosted(lab, 0.0, 0.0, 0.0, 10.58)[2:] == pytest.approx(
        (lab.p_first + lab.p_second, lab.E_first + lab.E_second), rel=1e-14
    )
    px, py, pz, E = boosted(lab, 1.0, 2.0, 3.0, 4.0)
    assert E * E - px * px - py * py - pz * pz == pytest.approx(2.0, rel=1e-13)
