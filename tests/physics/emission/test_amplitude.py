"""The exact |M|^2 against reference points, 60-digit arithmetic, Dirac matrices and itself in pure Python."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys

import exact
import numpy as np
import pytest
from kinematic_points import cases

from mcgen.physics.emission.amplitude import (
    amplitude_at,
    amplitude_average,
    azimuthal_form,
    reduced_amplitude,
    transverse_momentum,
)
from mcgen.physics.emission.kinematics import emission

CATEGORIES = {
    "bulk": 1e-9,
    "bulk_peak": 1e-9,
    "t_near_tmin": 1e-9,
    "t_eq_tmin": 1e-9,
    "collinear": 1e-9,
    "collinear_and_tmin": 1e-9,
    "x_near_threshold": 1e-9,
    "t_near_tmax": 1e-9,
    "fsr_collinear": 1e-9,
    "x_near_xmax": 1e-6,  # E_max - E_S is a difference of two doubles there
}


def _arguments(point):
    values = point["variables"]
    names = ("E_S", "one_minus_cos_theta_S", "t_minus_tmin", "phi_q")
    return tuple(float(point[n]) for n in ("E_beam", "m_lepton", "m_S", "M_N")) + tuple(float(values[n]) for n in names)


def _form(case):
    """The amplitude as a function of phi_q at a point."""
    p = case.process
    e = emission(case.E, p.m, p.m_out, p.m_S, p.M, case.E_S, case.one_minus_cos_theta)
    return azimuthal_form(e, case.E, case.t, transverse_momentum(e, case.t, case.t_minus_tmin), p)


@pytest.mark.parametrize(("category", "tolerance"), CATEGORIES.items())
def test_reference_points(reference, category, tolerance):
    """A at the 48-digit points of one corner of phase space; fails where a difference of near equals is rounded."""
    points = [p for p in reference("me_points")["points"] if p["category"] == category]
    assert len(points) >= 8
    for point in points:
        assert reduced_amplitude(*_arguments(point)) == pytest.approx(float(point["A"]), rel=tolerance, abs=0.0), point[
            "id"
        ]


def test_every_category_is_tested(reference):
    """The corners listed here are those of the reference; fails if one of them is left out."""
    assert {p["category"] for p in reference("me_points")["points"]} == set(CATEGORIES)


def test_sixty_digit_formula_meets_the_reference(reference):
    """The 60-digit formula of these tests against the reference, 1e-15; fails if the two oracles disagree."""
    for point in reference("me_points")["points"]:
        values = point["variables"]
        names = ("E_S", "one_minus_cos_theta_S", "t_minus_tmin", "phi_q")
        arguments = [point[n] for n in ("E_beam", "m_lepton", "m_S", "M_N")] + [values[n] for n in names]
        assert abs(exact.amplitude(exact.point(*arguments)) / exact.mpf(point["A"]) - 1) < 1e-15, point["id"]


@pytest.mark.parametrize("edges", [1.0, 0.4])
def test_random_points_against_sixty_digits(edges):
    """A at 300 points from 0.2 to 500 GeV to 1e-9; fails if some energy, mass, lepton or target is less precise."""
    for case in cases(300, seed=1 if edges == 1.0 else 2, edges=edges):
        expected = exact.amplitude(exact.point(*case.arguments))
        assert abs(reduced_amplitude(*case.arguments) / expected - 1) < 1e-9, case


@pytest.mark.slow
def test_many_random_points_against_sixty_digits():
    """A at 20000 points to 1e-9, 1e-6 at the highest x; fails where the 300 points above are too few to look."""
    for case in cases(20_000, seed=3):
        x = exact.point(*case.arguments)
        margin = (case.E - case.process.m - case.E_S) / case.E
        tolerance = 1e-9 if margin > 1e-3 else 1e-6
        assert abs(reduced_amplitude(*case.arguments) / exact.amplitude(x) - 1) < tolerance, case


def test_average_over_azimuth():
    """The closed form of the average against a trapezoid over phi_q to 1e-10; fails if a Fourier term is wrong."""
    for case in cases(60, seed=4, edges=1.0):
        form = _form(case)
        a = form.s_min + form.b
        r = form.b / (a + math.sqrt(form.s_min * (a + form.b)))  # the trapezoid of n points is good to r^n
        n = max(256, math.ceil(-30.0 / math.log(r)))
        mean = math.fsum(amplitude_at(form, 2.0 * math.pi * i / n) for i in range(n)) / n
        assert amplitude_average(form) == pytest.approx(mean, rel=1e-10, abs=0.0), case


def test_form_and_amplitude_agree():
    """A from the azimuthal form equals `reduced_amplitude` to 1e-9; fails if generation uses another amplitude."""
    for case in cases(200, seed=5, edges=1.0):
        assert amplitude_at(_form(case), case.phi_q) == pytest.approx(
            reduced_amplitude(*case.arguments), rel=1e-9, abs=0.0
        )


def test_mirror_symmetry():
    """A(phi) = A(-phi) to the last bit: without spins there is no handedness; fails if a sine slips in."""
    for case in cases(50, seed=6):
        *rest, phi = case.arguments
        assert reduced_amplitude(*rest, phi) == reduced_amplitude(*rest, -phi)


def test_positive():
    """A sum of squares is never negative, down to the edges; fails if rounding turns it."""
    assert min(reduced_amplitude(*case.arguments) for case in cases(3000, seed=7, edges=0.15)) > 0.0


def test_compiled_and_python(reference):
    """Compiled kernels and the same code as Python to 1e-12; fails if the compiler's options change arithmetic."""
    points = [_arguments(p) for p in reference("me_points")["points"] if p["category"] != "x_near_xmax"]
    compiled = np.array([reduced_amplitude(*p) for p in points])
    function = getattr(reduced_amplitude, "py_func", reduced_amplitude)
    np.testing.assert_allclose([function(*p) for p in points], compiled, rtol=1e-12)
    code = (
        "import json, sys; from mcgen.physics.emission.amplitude import reduced_amplitude as f;"
        "assert not hasattr(f, 'py_func');"
        "print(json.dumps([f(*p) for p in json.load(sys.stdin)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(points),
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    np.testing.assert_allclose(json.loads(done.stdout), compiled, rtol=1e-12)
