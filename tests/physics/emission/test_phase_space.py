"""Kinematics: the unit cube and back, limits by brute force, momenta on their shells."""

from __future__ import annotations

import math

import exact
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from kinematic_points import TARGETS, cases
from scipy.optimize import minimize_scalar

from mcgen.base.constants import M_E, M_MU
from mcgen.physics.emission.amplitude import azimuthal_form, sigma_density, transverse_momentum
from mcgen.physics.emission.four_momenta import four_momenta
from mcgen.physics.emission.kinematics import emission, momentum, scalar_energy_range, t_range, threshold_energy
from mcgen.physics.emission.phase_space import (
    RIDGE,
    collinear_peak,
    energy_map,
    is_light,
    peak_map,
    rescaled,
    scalar_energy,
    scalar_energy_coordinate,
    t_along_peak,
    t_map,
    u_map,
    u_range,
)
from mcgen.physics.matter.materials import ELEMENTS
from mcgen.quadrature.xsec import process_of
from validation.point import map_point

EPS = np.finfo(float).eps

processes = st.builds(
    process_of, st.sampled_from(TARGETS), st.floats(-3.0, 0.0).map(lambda v: 10.0**v), st.sampled_from(["mu", "e"])
)
log_excess = st.floats(math.log(1.05), math.log(1e3))
inside = st.floats(1e-3, 1.0 - 1e-3)


def _energy(process, log_ratio):
    """A beam energy above threshold and below 500 GeV."""
    E = process.threshold * math.exp(log_ratio)
    assume(E < 500.0)
    return E


def _peak_coordinate(above, f):
    """r of a point t_min + above on the map of a light lepton."""
    y = math.log1p(above * f.size / (f.low * (f.low + above + f.size)))
    z = math.asinh((y - f.centre) / f.width) + f.below
    length = f.below + f.above
    return RIDGE * f.above * z / ((1.0 - RIDGE) * f.below * length - (f.below - RIDGE * length) * z)


def _unmapped(E, process, em, point):
    """(r_x, r_u, r_t) of a point: 1/|u| (light leptons: 1/sqrt|u|), and log(t/(t + d)) or the peak's map, are even."""
    u_low, u_high, two_pk = u_range(E, point.E_S, process)
    rise, above = two_pk * point.one_minus_cos_theta, point.t_minus_tmin
    r_u = rise / (u_low + rise)
    e = emission(E, process.m, process.m_out, process.m_S, process.M, point.E_S, point.one_minus_cos_theta)
    if is_light(process):
        r_u /= (1.0 + math.sqrt(u_low / (u_low + rise))) * (1.0 - math.sqrt(u_low / u_high))
        r_t = _peak_coordinate(above, peak_map(E, process, e))
    else:
        r_u /= 1.0 - u_low / u_high
        d = process.ff.d
        width = math.log(e.t_max * (e.t_min + d) / (e.t_min * (e.t_max + d)))
        r_t = math.log1p(above * d / (e.t_min * (e.t_min + above + d))) / width
    return scalar_energy_coordinate(point.E_S, em), r_u, r_t


@given(process=processes, log_ratio=log_excess, r=st.tuples(inside, inside, inside))
def test_round_trip(process, log_ratio, r):
    """The formulas of the maps solved for r give back the r of a point, 1e-9; fails for a change of one map."""
    E = _energy(process, log_ratio)
    em = energy_map(E, process)
    point = map_point(E, process, em, *r)
    assume(point.t > 0.0)
    back = _unmapped(E, process, em, point)
    np.testing.assert_allclose(back, r, rtol=0.0, atol=1e-9)


@given(process=processes, log_ratio=log_excess, r=st.tuples(inside, inside, inside))
def test_points_are_physical(process, log_ratio, r):
    """Every mapped point lies within the limits of energy, angle and t with a finite weight; fails if a map leaks."""
    E = _energy(process, log_ratio)
    point = map_point(E, process, energy_map(E, process), *r)
    low, high = scalar_energy_range(E, process.m, process.m_out, process.m_S, process.M, 1.0)
    assert low <= point.E_S <= high * (1.0 + 4.0 * EPS)
    assert 0.0 <= point.one_minus_cos_theta <= 2.0
    assert 0.0 <= point.weight < math.inf
    if point.t > 0.0:
        e = emission(E, process.m, process.m_out, process.m_S, process.M, point.E_S, point.one_minus_cos_theta)
        assert e.t_min <= point.t <= e.t_max * (1.0 + 1e-12)


def test_ends_of_the_maps():
    """The unit interval covers all E_S and |u|, 1e-9, and t, 1e-6; fails if a corner of them is never reached.

    At the upper end of t, far above the nuclear size d, t/d digits are lost.
    """
    for case in cases(100, seed=15, edges=2.0):
        process, E = case.process, case.E
        em, light = energy_map(E, process), is_light(process)
        low, high = scalar_energy_range(E, process.m, process.m_out, process.m_S, process.M, 1.0)
        assert [scalar_energy(r, em)[0] for r in (0.0, 1.0)] == pytest.approx([low, high], rel=1e-9)
        u_low, u_high, _ = u_range(E, case.E_S, process)
        rises = [u_map(r, u_low, u_high, light)[0] for r in (0.0, 1.0)]
        assert rises == pytest.approx([0.0, u_high - u_low], rel=1e-9, abs=0.0), case
        e = emission(E, process.m, process.m_out, process.m_S, process.M, case.E_S, case.one_minus_cos_theta)
        ends = [t_map(r, e.t_min, e.t_max, process.ff.d)[1] for r in (0.0, 1.0)]
        assert ends == pytest.approx([0.0, e.t_max - e.t_min], rel=1e-6, abs=0.0), case
        if light:
            ends = [t_along_peak(r, peak_map(E, process, e))[0] for r in (0.0, 1.0)]
            assert ends == pytest.approx([0.0, e.t_max - e.t_min], rel=1e-6, abs=1e-15 * e.t_max), case


@pytest.mark.parametrize("at_lower_energy", [False, True])
def test_jacobian(at_lower_energy):
    """Weight over density is the determinant of the map by finite differences, 1e-6; fails if a derivative is wrong.

    At a lower energy the map is the stretched one of a thick target.
    """
    h = 1e-5
    rng = np.random.default_rng(11)
    for case in cases(100, seed=11, edges=2.0):
        process, E = case.process, case.E
        em = energy_map(E, process)
        if at_lower_energy:
            E *= 0.9
            if 1.05 * process.threshold > E:
                continue
            em = rescaled(em, E, process)
        r = rng.uniform(0.02, 0.98, 3)

        def coordinates(r, E=E, process=process, em=em):
            p = map_point(E, process, em, *r)
            e = emission(E, process.m, process.m_out, process.m_S, process.M, p.E_S, p.one_minus_cos_theta)
            return np.array([p.E_S, e.u, p.t]), p, e

        _, p, e = coordinates(r)
        # the map is triangular: E_S knows r_x, u knows r_x and r_u
        step = np.eye(3) * h
        slopes = [(coordinates(r + step[i])[0][i] - coordinates(r - step[i])[0][i]) / (2 * h) for i in range(3)]
        density = sigma_density(E, process, e, p.t, p.t_minus_tmin)
        assert p.weight == pytest.approx(density * float(np.prod(slopes)), rel=1e-6, abs=0.0), case


@pytest.mark.parametrize(
    ("target", "lepton", "m_S", "E", "x", "one_minus_cos_theta"),
    [
        ("W", "e", 1e-3, 20.0, 0.3, 1e-6),
        ("Pb", "e", 1e-2, 160.0, 0.7, 1e-7),
        ("W", "e", 0.1, 20.0, 0.9, 1e-4),
        ("W", "e", 1e-4, 1.0, 0.5, 1e-5),
        ("H", "e", 1e-3, 20.0, 0.3, 1e-3),
        ("W", "mu", 0.1, 3.0, 0.6, 1e-2),
    ],
)
def test_collinear_peak(target, lepton, m_S, E, x, one_minus_cos_theta):
    """The peak is where a search over t finds the smallest s, 1e-6, and s has doubled half a width off, 4 %.

    The map follows: its middle lies there where the nucleus is not resolved, and its width is that of the peak. Fails
    if the map follows something else: events keep their weights then, and lose their efficiency.
    """
    process = process_of(target, m_S, lepton)
    e = emission(E, process.m, process.m_out, m_S, process.M, x * E, one_minus_cos_theta)

    def s(log_above):
        above = math.exp(log_above)
        t = e.t_min + above
        return azimuthal_form(e, E, t, transverse_momentum(e, t, above), process).s_min

    peak, width = collinear_peak(E, process, e)
    grid = np.linspace(math.log(1e-4 * peak), math.log(e.t_max - e.t_min), 400)
    i = int(np.argmin([s(y) for y in grid]))
    found = minimize_scalar(s, bounds=(grid[i - 1], grid[i + 1]), method="bounded", options={"xatol": 1e-9})
    assert peak == pytest.approx(math.exp(found.x), rel=1e-6)
    off = width * (e.t_min + peak)
    if width < 0.3:  # a parabola there
        ratio = 0.5 * (s(math.log(peak + off)) + s(math.log(peak - off))) / found.fun
        assert ratio == pytest.approx(2.0, rel=0.04)
    if is_light(process):
        f = peak_map(E, process, e)
        middle = t_along_peak(RIDGE, f)[0]
        if peak < 0.5 * process.ff.d:
            assert middle == pytest.approx(peak, rel=0.05)
        screening, h, t = 1.0 / max(process.ff.a2, process.ff.a2_in), 1e-4, e.t_min + middle
        ends = [math.log((t * (1.0 + side) + screening) / (t * (1.0 + side) + process.ff.d)) for side in (h, -h)]
        assert f.width == pytest.approx(off * (ends[0] - ends[1]) / (2.0 * h * t), rel=1e-3)


def test_four_momenta():
    """Momentum is conserved to 1e-12 E and each mass shell kept to rounding; fails if a component is misplaced."""
    for case in cases(2000, seed=12):
        p, E = case.process, case.E
        e = emission(E, p.m, p.m_out, p.m_S, p.M, case.E_S, case.one_minus_cos_theta)
        q_perp = transverse_momentum(e, case.t, case.t_minus_tmin)
        phi = (math.cos(case.phi_q), math.sin(case.phi_q))
        out = np.array(four_momenta(e, E, p.M, case.one_minus_cos_theta, case.t, q_perp, *phi))
        before = np.array([0.0, 0.0, momentum(E, p.m), E + p.M])
        assert np.max(np.abs(out.sum(axis=0) - before)) < 1e-12 * E, case
        mass2 = out[:, 3] ** 2 - np.sum(out[:, :3] ** 2, axis=1)
        np.testing.assert_array_less(np.abs(mass2 - np.square([p.m, p.m_S, p.M])), 40.0 * EPS * max(E, p.M) ** 2)
        assert 2.0 * p.M * (out[2, 3] - p.M) == pytest.approx(case.t, rel=1e-9, abs=8.0 * EPS * p.M**2)


def test_four_momenta_against_sixty_digits():
    """Each component of the momenta to 1e-9 E of the 60-digit ones; fails if phi_q is counted from another side."""
    for case in cases(200, seed=13, edges=1.0):
        p, E = case.process, case.E
        e = emission(E, p.m, p.m_out, p.m_S, p.M, case.E_S, case.one_minus_cos_theta)
        q_perp = transverse_momentum(e, case.t, case.t_minus_tmin)
        phi = (math.cos(case.phi_q), math.sin(case.phi_q))
        out = four_momenta(e, E, p.M, case.one_minus_cos_theta, case.t, q_perp, *phi)
        x = exact.point(*case.arguments)
        for got, expected in zip(out, (x.p_out, x.k, x.P_out), strict=True):
            wanted = [float(v) for v in (*expected[1:], expected[0])]
            np.testing.assert_allclose(got, wanted, rtol=0.0, atol=1e-9 * E)


def test_limits_of_t_against_sixty_digits():
    """t_min and t_max at fixed E_S and angle to 1e-9; fails if t_min drops a mass, as the paper's IWW does."""
    for case in cases(500, seed=14, edges=1.0):
        p = case.process
        e = emission(case.E, p.m, p.m_out, p.m_S, p.M, case.E_S, case.one_minus_cos_theta)
        x = exact.point(*case.arguments)
        assert abs(e.t_min / x.t_min - 1) < 1e-9, case
        assert abs(e.t_max / x.t_max - 1) < 1e-9, case


@pytest.mark.parametrize("target", ["H", "Pb"])
@pytest.mark.parametrize("m", [M_E, M_MU])
@pytest.mark.parametrize("m_S", [1e-3, 0.1, 1.0])
def test_threshold(target, m, m_S):
    """The threshold is where sqrt(s) = m + M + m_S, to 1e-14; fails if recoil is dropped."""
    M = ELEMENTS[target].M
    m_, m_S_, M_ = exact.mpf(m), exact.mpf(m_S), exact.mpf(M)
    expected = ((m_ + m_S_ + M_) ** 2 - m_**2 - M_**2) / (2 * M_)
    assert abs(threshold_energy(m, m, m_S, M) / expected - 1) < 1e-14


@pytest.mark.parametrize("E", [0.3, 1.0, 10.0, 160.0])
@pytest.mark.parametrize(
    ("target", "m", "m_S"), [("H", M_MU, 0.01), ("W", M_MU, 0.1), ("Pb", M_E, 0.2), ("H", M_E, 0.05)]
)
@pytest.mark.parametrize("cosine", [1.0, 0.9, 0.0, -1.0])
def test_scalar_energy_range(E, target, m, m_S, cosine):
    """Energies where lepton and nucleus can share what is left, by brute force; fails if a root is the wrong one."""
    M = ELEMENTS[target].M
    E_S = np.linspace(m_S, E, 200_001)
    p, k = math.sqrt(E * E - m * m), np.sqrt(E_S**2 - m_S**2)
    left = (E + M - E_S) ** 2 - (p * p + k * k - 2.0 * p * k * cosine)
    allowed = E_S[(left >= (m + M) ** 2) & (E + M - E_S > 0.0)]
    low, high = scalar_energy_range(E, m, m, m_S, M, cosine)
    step = E_S[1] - E_S[0]
    if allowed.size == 0:
        assert high - low <= step
    else:
        assert low == pytest.approx(allowed[0], abs=1.01 * step)
        assert high == pytest.approx(allowed[-1], abs=1.01 * step)


@pytest.mark.parametrize("E", [0.3, 1.0, 10.0, 160.0])
@pytest.mark.parametrize(("target", "m", "m_S"), [("H", M_MU, 0.01), ("W", M_MU, 0.1), ("Pb", M_E, 0.2)])
def test_t_range(E, target, m, m_S):
    """The limits of t enclose those at every E_S and angle and are reached; fails if a corner of t is cut off."""
    M = ELEMENTS[target].M
    low, high = t_range(E, m, m, m_S, M)
    first, last = scalar_energy_range(E, m, m, m_S, M, 1.0)
    angles = [0.0, *np.geomspace(1e-10, 2.0, 60)]
    inside = [(c, *scalar_energy_range(E, m, m, m_S, M, 1.0 - c)) for c in angles]
    seen = [
        emission(E, m, m, m_S, M, E_S, c)
        for E_S in first + (last - first) * np.linspace(1e-6, 1.0 - 1e-6, 2001)
        for c, lowest, highest in inside
        if lowest < E_S < highest
    ]
    t_min, t_max = min(e.t_min for e in seen), max(e.t_max for e in seen)
    assert low * (1.0 - 1e-9) <= t_min <= 1.01 * low
    assert 0.99 * high <= t_max <= high * (1.0 + 1e-9)


def test_below_threshold():
    """There is no room below threshold, and some above it; fails if the span goes negative or opens too early."""
    process = process_of("W", 0.1)
    threshold = process.threshold
    assert energy_map(0.999 * threshold, process).span == 0.0
    assert energy_map(1.001 * threshold, process).span > 0.0
