"""|M|^2 of e+ e- -> f+ f- X against spinors, 60-digit points, closed sums and the soft limit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from physics.collider.dirac import squared

from mcgen.base.constants import LEPTON_MASSES
from mcgen.physics.collider.amplitude import (
    collision,
    energy_range,
    h_beams,
    h_longitudinal,
    h_total,
    pair,
    radiation,
    squared_amplitude,
)
from mcgen.physics.emission.mediator import MEDIATORS

LETTERS = {"S": "scalar", "P": "pseudoscalar", "V": "vector", "A": "axial"}


def _at(mediator, sqrt_s, lepton, M, fE, fDelta):
    c = collision(float(sqrt_s), LEPTON_MASSES[lepton], float(M), mediator)
    width = energy_range(c)
    r = radiation(c, float(fE) * width, (1.0 - float(fE)) * width)
    return c, r, float(fDelta) * r.D


def _momenta(c, r, Delta, cosine, phi, psi):
    """(E, px, py, pz) of X, f-, f+."""
    sine = math.sqrt(1.0 - cosine * cosine)
    along = np.array([sine * math.cos(phi), sine * math.sin(phi), cosine])
    one = np.array([cosine * math.cos(phi), cosine * math.sin(phi), -sine])
    two = np.array([-math.sin(phi), math.cos(phi), 0.0])
    p = pair(c, r, Delta)
    across = p.across * (math.cos(psi) * one + math.sin(psi) * two)
    sigma = c.sqrt_s - r.E
    minus, plus = p.minus * along + across, p.plus * along - across
    return (
        np.array([r.E, *(r.k * along)]),
        np.array([0.5 * (sigma + Delta), *minus]),
        np.array([0.5 * (sigma - Delta), *plus]),
    )


@pytest.mark.parametrize(("letter", "mediator"), LETTERS.items())
def test_reference_points(reference, letter, mediator):
    """|M|^2 and its sums over directions at 60-digit points to 1e-9; fails for a wrong weight or a rounded edge."""
    for point in reference("tautau")["points"]:
        x = {name: float(value) for name, value in point["variables"].items()}
        c, r, Delta = _at(mediator, point["sqrt_s"], point["lepton"], point["m_X"], x["fE"], x["fDelta"])
        found = (
            squared_amplitude(c, r, Delta, x["cos"], math.cos(x["psi"])),
            h_total(c, r, Delta),
            h_longitudinal(c, r, Delta),
        )
        for value, name in zip(found, ("me2", "H_tot", "H_L"), strict=True):
            assert value == pytest.approx(float(point[name][letter]), rel=1e-9, abs=0.0), (point["sqrt_s"], name)


def test_momenta_of_the_reference(reference):
    """Momenta at the points are those of the reference to 1e-9; fails if psi or Delta turns the other way."""
    for point in reference("tautau")["points"]:
        x = {name: float(value) for name, value in point["variables"].items()}
        c, r, Delta = _at("scalar", point["sqrt_s"], point["lepton"], point["m_X"], x["fE"], x["fDelta"])
        found = _momenta(c, r, Delta, x["cos"], x["phi"], x["psi"])
        for mine, name in zip(found, ("k", "p_minus", "p_plus"), strict=True):
            np.testing.assert_allclose(mine, np.array(point[name], dtype=float), rtol=1e-9, atol=1e-9 * c.sqrt_s)


def _random(n, seed):
    rng = np.random.default_rng(seed)
    for _ in range(n):
        lepton = str(rng.choice(["mu", "tau"]))
        m = LEPTON_MASSES[lepton]
        sqrt_s = 2.0 * m * (1.0 + 10.0 ** rng.uniform(-1.0, 1.5))
        M = (sqrt_s - 2.0 * m) * 10.0 ** rng.uniform(-2.0, -0.05)
        yield sqrt_s, lepton, M, *rng.uniform([0.05, -0.99, -1.0, 0.0, 0.0], [0.95, 0.99, 1.0, 6.28, 6.28])


@pytest.mark.parametrize("mediator", MEDIATORS)
def test_spinors(mediator):
    """|M|^2 at 60 random points against spinors and polarisation vectors, 1e-9.

    Fails for a wrong sign between the two diagrams, a mass that is left out, or beams along another axis.
    """
    for sqrt_s, lepton, M, fE, fDelta, cosine, phi, psi in _random(60, 7):
        c, r, Delta = _at(mediator, sqrt_s, lepton, M, fE, fDelta)
        expected = squared(mediator, c.m, c.m_S, *_momenta(c, r, Delta, cosine, phi, psi))
        found = squared_amplitude(c, r, Delta, cosine, math.cos(psi))
        assert found == pytest.approx(expected, rel=1e-9, abs=0.0), (sqrt_s, lepton, M)


@pytest.mark.parametrize("mediator", ["scalar", "vector"])
def test_parity_angle(mediator):
    """Both parities in one vertex against spinors, 1e-9; fails if they interfered, or if an angle were doubled."""
    for sqrt_s, lepton, M, fE, fDelta, cosine, phi, psi in _random(20, 17):
        for angle in (20.0, 45.0, 90.0):
            c, r, Delta = _at(mediator, sqrt_s, lepton, M, fE, fDelta)
            mixed = collision(sqrt_s, c.m, M, mediator, angle)
            expected = squared(mediator, c.m, c.m_S, *_momenta(c, r, Delta, cosine, phi, psi), angle)
            found = squared_amplitude(mixed, r, Delta, cosine, math.cos(psi))
            assert found == pytest.approx(expected, rel=1e-9, abs=0.0)


@pytest.mark.parametrize("mediator", MEDIATORS)
def test_sums_over_directions(mediator):
    """H(x) + H(y) averaged over psi is H_T (1 + cos^2)/2 + H_L sin^2, 1e-11; fails if a closed sum differs."""
    for sqrt_s, lepton, M, fE, fDelta, cosine, _, _ in _random(60, 8):
        c, r, Delta = _at(mediator, sqrt_s, lepton, M, fE, fDelta)
        mean = np.mean([h_beams(c, r, Delta, cosine, math.cos(psi)) for psi in 2.0 * math.pi * np.arange(8) / 8.0])
        along = h_longitudinal(c, r, Delta)
        across = h_total(c, r, Delta) - along
        expected = 0.5 * across * (1.0 + cosine**2) + along * (1.0 - cosine**2)
        assert mean == pytest.approx(expected, rel=1e-11, abs=0.0)


def test_soft_limit():
    """A soft boson is radiated by the classical currents, to 1e-4 at 1e-5 of the energy; fails for a wrong charge.

    Reference: e+ e- -> f+ f- at lowest order times m^2 (1/p_-k + 1/p_+k)^2 of a scalar, or the eikonal factor of a
    vector.
    """
    sqrt_s, m = 10.58, LEPTON_MASSES["tau"]
    for mediator in ("scalar", "vector"):
        c = collision(sqrt_s, m, 1e-7, mediator)
        above = 1e-5
        r = radiation(c, above, energy_range(c) - above)
        for fDelta, cosine, psi in ((0.3, 0.2, 1.0), (-0.8, -0.7, 2.0), (0.0, 0.9, 0.1)):
            k, minus, plus = _momenta(c, r, fDelta * r.D, cosine, 0.4, psi)
            to = [p[0] * k[0] - p[1:] @ k[1:] for p in (minus, plus)]
            both = minus[0] * plus[0] - minus[1:] @ plus[1:]
            eikonal = (
                m * m * (1.0 / to[0] + 1.0 / to[1]) ** 2
                if mediator == "scalar"
                else 2.0 * both / (to[0] * to[1]) - (m / to[0]) ** 2 - (m / to[1]) ** 2
            )
            direction = minus[3] / np.linalg.norm(minus[1:])
            beta2 = 1.0 - 4.0 * m * m / sqrt_s**2
            plain = 1.0 + beta2 * direction**2 + 4.0 * m * m / sqrt_s**2
            assert squared_amplitude(c, r, fDelta * r.D, cosine, math.cos(psi)) == pytest.approx(
                plain * eikonal, rel=2e-4
            ), (mediator, fDelta)


def test_light_axial_boson():
    """For m_S -> 0 an axial boson is (2 m/m_S)^2 times a pseudoscalar; fails without its longitudinal part."""
    for sqrt_s, lepton in ((10.58, "tau"), (4.0, "mu")):
        axial, pseudo = (
            squared_amplitude(*_at(name, sqrt_s, lepton, 1e-6, 0.3, 0.4), 0.3, 0.2)
            for name in ("axial", "pseudoscalar")
        )
        assert axial == pytest.approx((2.0 * LEPTON_MASSES[lepton] / 1e-6) ** 2 * pseudo, rel=1e-8)


def test_compiled_and_python():
    """Compiled kernels and their Python to 1e-12; fails if the options of the compiler change arithmetic."""
    for sqrt_s, lepton, M, fE, fDelta, cosine, _, psi in _random(20, 9):
        arguments = *_at("axial", sqrt_s, lepton, M, fE, fDelta), cosine, math.cos(psi)
        function = getattr(squared_amplitude, "py_func", squared_amplitude)
        assert squared_amplitude(*arguments) == pytest.approx(function(*arguments), rel=1e-12)
