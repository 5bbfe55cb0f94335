"""Spin density of vectors and axial vectors against explicit Dirac matrices, reference numbers and limits."""

from __future__ import annotations

import math

import exact
import numpy as np
import pytest
from kinematic_points import cases, collinear_cases

from mcgen.base.constants import M_E, M_MU, M_TAU
from mcgen.physics.emission.amplitude import amplitude_of
from mcgen.physics.emission.kinematics import emission
from mcgen.physics.emission.polarisation import spin_density_between
from mcgen.physics.polarisation import spin_density
from mcgen.quadrature.xsec import process_of

SPIN_1 = pytest.mark.parametrize("mediator", ["vector", "axial"])
NAMES = ("xx", "yy", "zz", "xy", "xz", "yz")


def _density(case, mediator):
    return np.array(spin_density(*case.arguments, mediator == "axial"))


def _apart(found, expected):
    """Largest difference of two tensors, over the trace."""
    return float(max(abs(a - b) for a, b in zip(found, expected, strict=True)) / sum(expected[:3]))


@SPIN_1
def test_dirac(mediator):
    """All six components to 1e-9 of the trace, from spinors with 60 digits; fails for a wrong axis, sign or boost."""
    for case in cases(60, seed=31, mediator=mediator, lightest=1e-4):
        expected = exact.spin_density(exact.point(*case.arguments), mediator)
        tolerance = 1e-9 if case.E - case.process.m - case.E_S > 1e-3 * case.E else 1e-6
        assert _apart(_density(case, mediator), expected) < tolerance, case


@SPIN_1
@pytest.mark.parametrize("lepton", ["e", "mu"])
def test_dirac_where_momenta_are_collinear(mediator, lepton):
    """The same for X along the beam or the outgoing lepton; fails where large terms cancel, as those of P_i + P_f."""
    found = []
    for case in collinear_cases(60, seed=32, mediator=mediator, lepton=lepton):
        x = exact.point(*case.arguments)
        if case.one_minus_cos_theta > 0.0:  # the frame of `exact` needs a plane
            found.append(_apart(_density(case, mediator), exact.spin_density(x, mediator)))
    assert np.quantile(found, 0.9) < 1e-9
    assert max(found) < 1e-6


@SPIN_1
@pytest.mark.parametrize(
    ("before", "after", "m_S"), [(M_MU, M_TAU, 0.3), (M_MU, M_E, 0.2), (M_E, M_MU, 0.05), (M_TAU, M_MU, 2.0)]
)
def test_dirac_where_the_lepton_changes(mediator, before, after, m_S):
    """The same for l N -> l' N X; fails if the longitudinal part misses what a current of unequal masses adds."""
    process = process_of("Pb", m_S)
    for E, x, angle, ratio, phi_q in [
        (30.0, 0.4, 0.02, 3.0, 0.7),
        (160.0, 0.8, 1e-3, 1.2, -2.0),
        (12.0, 0.2, 0.4, 40.0, 2.9),
    ]:
        E_S, one_minus_cos = x * E, 2.0 * math.sin(0.5 * angle) ** 2
        e = emission(E, before, after, m_S, process.M, E_S, one_minus_cos)
        assert e.t_max > ratio * e.t_min
        above = (ratio - 1.0) * e.t_min
        x_exact = exact.point(E, before, m_S, process.M, E_S, one_minus_cos, above, phi_q, after)
        point = E_S, one_minus_cos, above, phi_q
        found = spin_density_between(E, before, after if mediator == "vector" else -after, m_S, process.M, *point)
        assert _apart(found, exact.spin_density(x_exact, mediator)) < 1e-9


@SPIN_1
def test_reference(mediator, reference):
    """Published components to 1e-6 of the trace, 1e-4 at the highest x; fails if the frame turns or is mirrored."""
    for row in reference("vector_decay")["points"]["rows"]:
        v = row["variables"]
        point = v["E_X"], v["one_minus_cos_theta_X"], v["t_minus_tmin"], v["phi_q"]
        masses = row["E_beam"], row["m_lepton"], row["m_X"], row["M_N"]
        expected = [row[f"T_{mediator[0].upper()}"][name] for name in NAMES]
        tolerance = 1e-4 if row["category"] == "x_near_xmax" else 1e-6
        assert _apart(spin_density(*masses, *point, mediator == "axial"), expected) < tolerance, row["id"]


@SPIN_1
@pytest.mark.parametrize("edges", [0.4, 0.1])
def test_trace(mediator, edges):
    """The trace is A of the mediator to 1e-9 for 95 % of points up to all edges, and no eigenvalue is negative."""
    apart = []
    for case in cases(2000, seed=33, edges=edges, mediator=mediator):
        T = _density(case, mediator)
        A = amplitude_of(case.process, case.E, case.E_S, case.one_minus_cos_theta, case.t_minus_tmin, case.phi_q)
        apart.append(abs(T[:3].sum() / A - 1.0))
        eigenvalues = np.linalg.eigvalsh([[T[0], T[3], T[4]], [T[3], T[1], T[5]], [T[4], T[5], T[2]]])
        assert eigenvalues[0] > -1e-12 * eigenvalues[2]
    assert np.quantile(apart, 0.95) < 1e-9
    assert max(apart) < 1e-3


@SPIN_1
def test_trace_of_collinear_momenta(mediator):
    """The same for electrons of 1 MeV to 1 TeV and X along them, at theta = 0 as well; fails for a NaN there."""
    apart = []
    for case in collinear_cases(2000, seed=34, mediator=mediator):
        A = amplitude_of(case.process, case.E, case.E_S, case.one_minus_cos_theta, case.t_minus_tmin, case.phi_q)
        apart.append(abs(_density(case, mediator)[:3].sum() / A - 1.0))
    assert np.quantile(apart, 0.95) < 1e-9
    assert max(apart) < 1e-2


@pytest.mark.parametrize("m", [M_E, M_MU])
@pytest.mark.parametrize("m_S", [1e-3, 0.1])
@pytest.mark.parametrize("x", [0.05, 0.5, 0.95])
@pytest.mark.parametrize("angle", [0.0, 0.3, 1.0, 4.0])
def test_limit_of_weizsaecker_and_williams(m, m_S, x, angle):
    """rho_00, rho_1-1 and rho_10 of a quasi-real photon at 1 TeV, t = 2 t_min; fails if a helicity or a sign is wrong.

    The angle is in units of max(m, m_S)/E.
    """
    E, M = 1000.0, process_of("Pb", m_S).M
    theta = angle * max(m, m_S) / E
    e = emission(E, m, m, m_S, M, x * E, 2.0 * math.sin(0.5 * theta) ** 2)
    n = 16
    phi = (np.arange(n) + 0.5) * 2.0 * math.pi / n
    T = sum(np.array(spin_density(E, m, m_S, M, x * E, 2.0 * math.sin(0.5 * theta) ** 2, e.t_min, one)) for one in phi)
    rho = T / T[:3].sum()
    kT, y = E * x * theta, 1.0 - x
    W = m_S**2 * y + m**2 * x**2
    norm = (1 + y**2) * (W**2 + kT**4) + (2 * m**2 * x**4 + 4 * m_S**2 * y**2) * kT**2
    rho_10 = -(2 - x) * y * m_S * kT * (W - kT**2) / (math.sqrt(2.0) * norm)
    assert rho[2] == pytest.approx(4 * m_S**2 * y**2 * kT**2 / norm, abs=2e-6)
    assert 0.5 * (rho[1] - rho[0]) == pytest.approx(2 * y * W * kT**2 / norm, abs=2e-6)
    assert -rho[4] / math.sqrt(2.0) == pytest.approx(rho_10, abs=2e-6)
    assert abs(rho[3]) + abs(rho[5]) < 1e-12


def test_longitudinal_axial_vector():
    """A light axial vector is longitudinal, (2 m/m_S)^2 times a pseudoscalar; fails if its true z axis is shifted."""
    E, m_S, M = 3.0, 1e-4, process_of("W", 0.1).M
    T = np.array(spin_density(E, M_MU, m_S, M, 1.5, 1e-3, 1e-4, 0.7, True))
    process = process_of("W", m_S, mediator="pseudoscalar")
    assert T[2] == pytest.approx((2 * M_MU / m_S) ** 2 * amplitude_of(process, E, 1.5, 1e-3, 1e-4, 0.7), rel=1e-5)


def test_plain_python(monkeypatch):
    """Compiled and not, the numbers are those of the same lines; fails if the compiler reorders sums."""
    from mcgen.physics.emission import polarisation

    case = cases(1, seed=35, mediator="vector")[0]
    compiled = spin_density(*case.arguments)
    for name in (
        "_dot",
        "_minor",
        "_dual",
        "_on_shell",
        "_scattering",
        "_axes",
        "_amplitudes",
        "_product",
        "spin_tensor",
    ):
        monkeypatch.setattr(
            polarisation, name, getattr(getattr(polarisation, name), "py_func", getattr(polarisation, name))
        )
    plain = getattr(spin_density, "py_func", spin_density)(*case.arguments)
    assert plain == pytest.approx(compiled, rel=1e-12, abs=1e-14 * sum(compiled[:3]))
