"""l e -> l e S: both lines and their interference against explicit spinors and reference points."""

from __future__ import annotations

import math

import exact
import numpy as np
import pytest
import struck
from mpmath import mpf, sqrt

from mcgen.base.constants import M_E, M_MU
from mcgen.physics.amplitude import struck_electron_amplitude
from mcgen.physics.emission.amplitude import Process, amplitude_of, azimuthal_form, transverse_momentum
from mcgen.physics.emission.form_factor import FREE
from mcgen.physics.emission.kinematics import emission, scalar_energy_range, threshold_energy
from mcgen.physics.emission.mediator import OF_SPIN
from mcgen.physics.emission.phase_space import energy_map
from mcgen.physics.emission.struck_electron import interference, invariants
from validation.point import map_point

SPINS = "SPVA"


def _process(spin, m_S, m=M_MU, M=M_E):
    return Process(m=m, m_out=m, m_S=m_S, M=M, weights=OF_SPIN[spin](m, m, m_S), ff=FREE, ww=False, spin_half=True)


def _arguments(point):
    values = point["variables"]
    names = ("E_X", "one_minus_cos_theta_X", "t_minus_tmin", "phi_q")
    return [mpf(point[n]) for n in ("E_beam", "m_mu", "m_X", "m_e")] + [mpf(values[n]) for n in names]


def _exchanged(x):
    """Arguments of the amplitude of the other line, with 60 digits: the beam lepton at rest, the electron as beam."""
    m, m_e, m_S = (sqrt(exact.dot(v, v)) for v in (x.p, x.P_in, x.k))
    E, E_S = exact.dot(x.P_in, x.p) / m, exact.dot(x.k, x.p) / m
    p, k = sqrt(E**2 - m_e**2), sqrt(E_S**2 - m_S**2)
    cosine = (E * E_S - exact.dot(x.P_in, x.k)) / (p * k)
    q = exact.add(x.p, x.p_out, -1)
    t = -exact.dot(q, q)
    y = exact.point(E, m_e, m_S, m, E_S, 1 - cosine, 0, 0)
    # s is linear in the cosine of the azimuth: from its two extremes
    ends = []
    for phi in (0, exact.mp.pi):
        z = exact.point(E, m_e, m_S, m, E_S, 1 - cosine, t - y.t_min, phi)
        after = exact.add(z.p_out, z.k)
        ends.append(exact.dot(after, after))
    after = exact.add(x.P_out, x.k)
    c = (ends[0] + ends[1] - 2 * exact.dot(after, after)) / (ends[1] - ends[0])
    return E, m_e, m_S, m, E_S, 1 - cosine, t - y.t_min, exact.mp.acos(min(max(c, mpf(-1)), mpf(1)))


def _interference(spin, arguments):
    E, m, m_S, m_e, E_S, one_minus_cos, above, phi = map(float, arguments)
    e = emission(E, m, m, m_S, m_e, E_S, one_minus_cos)
    t = e.t_min + above
    q_perp = transverse_momentum(e, t, above)
    form = azimuthal_form(e, E, t, q_perp, _process(spin, m_S, m, m_e))
    s = form.s_min + 2.0 * form.b * math.sin(0.5 * phi) ** 2
    return interference(invariants(e, E, m, m_S, m_e, t, q_perp, s, math.cos(phi)), SPINS.index(spin))


@pytest.mark.parametrize("spin", SPINS)
def test_reference_points(reference, spin):
    """A_mu, A_e and C at 40-digit points, 1e-9, and 1e-6 next to the highest x; fails if a term is wrong or rounded."""
    for point in reference("electron_points")["points"]:
        tolerance = 1e-6 if point["category"] == "x_max" else 1e-9
        arguments = _arguments(point)
        A_mu = struck_electron_amplitude(*map(float, arguments), spin)
        assert pytest.approx(float(point["A_mu"][spin]), rel=tolerance, abs=0.0) == A_mu, point["id"]
        A_e = struck_electron_amplitude(*map(float, _exchanged(exact.point(*arguments))), spin)
        assert pytest.approx(float(point["A_e"][spin]), rel=tolerance, abs=0.0) == A_e, point["id"]
        scale = 2.0 * math.sqrt(A_mu * A_e) / float(point["variables"]["t_e"]) / float(point["variables"]["t_mu"])
        C = _interference(spin, arguments)
        assert pytest.approx(float(point["C"][spin]), rel=tolerance, abs=tolerance * scale) == C, point["id"]


def _random_points(number, seed):
    """Coordinates of points from 1 GeV to 5 TeV, of masses that a beam of this energy can make."""
    rng = np.random.default_rng(seed)
    found = []
    while len(found) < number:
        E, m_S = 5000.0 ** rng.uniform(), 1e-3 * 1e3 ** rng.uniform()
        if 1.02 * threshold_energy(M_MU, M_MU, m_S, M_E) > E:
            continue
        process = _process("S", m_S)
        point = map_point(E, process, energy_map(E, process), *rng.beta(0.5, 0.5, 3))
        if point.t > 0.0:
            last = point.one_minus_cos_theta, point.t_minus_tmin, rng.uniform(-math.pi, math.pi)
            found.append((E, M_MU, m_S, M_E, point.E_S, *last))
    return found


def test_explicit_spinors():
    """Squares and interference of 40 random points against amplitudes of explicit spinors, mu- and mu+.

    A_mu to 1e-9 (1e-6 where E_max - E_S is rounded). C, whose terms cancel at small momentum transfers, is off by less
    than 1e-12 of its largest possible value at half of the points, and by 1e-5 at the worst. Fails if a sum over spins
    is wrong, or the sign of the interference for one charge.
    """
    errors = []
    for number, arguments in enumerate(_random_points(40, seed=3)):
        x = exact.point(*arguments)
        highest = scalar_energy_range(arguments[0], M_MU, M_MU, arguments[2], M_E, 1.0)[1]
        tolerance = 1e-9 if highest - arguments[4] > 1e-3 * arguments[0] else 1e-6
        spin = SPINS[number % 4]
        A_mu, A_e, C = struck.squares(x, spin)
        assert struck_electron_amplitude(*arguments, spin) == pytest.approx(float(A_mu), rel=tolerance, abs=0.0)
        t_e, t_mu = (-exact.dot(q, q) for q in (exact.add(x.P_in, x.P_out, -1), exact.add(x.p, x.p_out, -1)))
        largest = float(2 * sqrt(A_mu * A_e) / (t_e * t_mu))
        assert abs(C) <= largest
        errors.append(abs(_interference(spin, arguments) - float(C)) / largest)
        anti = struck.squares(x, spin, antimuon=True)
        sign = -1 if spin == "V" else 1
        for value, expected in zip(anti, (A_mu, A_e, sign * C), strict=True):
            assert abs(value / expected - 1) < 1e-30
    assert np.median(errors) < 1e-12
    assert max(errors) < 1e-5


def test_heavy_target():
    """The terms of spin 1/2 die as 1/M^2; fails if they hold a power of M that they must not."""
    ratios = []
    for M in (10.0, 100.0):
        half = _process("S", 0.1, M=M)
        A, A_0 = (amplitude_of(p, 3.0, 1.5, 0.01, 0.05, 0.7) for p in (half, half._replace(spin_half=None)))
        ratios.append(A / A_0 - 1.0)
    assert ratios[0] / ratios[1] == pytest.approx(100.0, rel=0.1)
    assert 1e-10 < abs(ratios[1]) < 1e-4


def test_doubles_and_pairs():
    """A in doubles, of which cross sections are made, against twice the precision; fails if one misses a term.

    Where t > |u| doubles lose digits: 1e-5 there, else 1e-8.
    """
    for number, (E, m, m_S, M, *rest) in enumerate(_random_points(400, seed=4)):
        process = _process(SPINS[number % 4], m_S)
        expected = struck_electron_amplitude(E, m, m_S, M, *rest, SPINS[number % 4])
        e = emission(E, m, m, m_S, M, *rest[:2])
        tolerance = 1e-8 if e.t_min + rest[2] < e.u else 1e-5
        assert amplitude_of(process, E, *rest) == pytest.approx(expected, rel=tolerance, abs=0.0)
