"""A lepton that changes into another one: amplitude, kinematics and cross sections at unequal masses."""

from __future__ import annotations

import math

import exact
import numpy as np
import pytest
from kinematic_points import CHANGES, SAME, cases, collinear_cases

from mcgen.base.constants import LEPTON_MASSES, M_E, M_MU, M_TAU
from mcgen.base.errors import InputError, ThresholdError
from mcgen.physics.amplitude import flavour_amplitude
from mcgen.physics.emission import cross_section as quadrature
from mcgen.physics.emission.amplitude import amplitude_of
from mcgen.physics.emission.kinematics import emission, scalar_energy_range, t_range
from mcgen.physics.emission.mediator import MEDIATORS, MIXES, bracket, weights_of
from mcgen.physics.emission.phase_space import is_light, peak_breaks, u_range
from mcgen.physics.emission.rules import rules
from mcgen.quadrature.xsec import cross_section, process_of, xsec

SPINS = {"S": "scalar", "P": "pseudoscalar", "V": "vector", "A": "axial"}
ALL = pytest.mark.parametrize("mediator", MEDIATORS)
PAIRS = pytest.mark.parametrize(("lepton", "out"), CHANGES)
FORM_FACTORS = ("paper", "tsai", "elastic")


def _amplitude(case):
    return amplitude_of(case.process, case.E, case.E_S, case.one_minus_cos_theta, case.t_minus_tmin, case.phi_q)


def _arguments(point):
    masses = (float(point[name]) for name in ("E_beam", "m_in", "m_out", "m_X", "M_N"))
    values = point["variables"]
    return *masses, *(float(values[n]) for n in ("E_X", "one_minus_cos_theta_X", "t_minus_tmin", "phi_q"))


def test_reference_points(reference):
    """A at the 48-digit points, 1e-12; fails if a mass stands in the wrong propagator, projector or limit of t."""
    points = reference("flavour_points")["points"]
    assert {(p["beam"], p["outgoing"]) for p in points} == set(CHANGES)
    for point in points:
        for spin in SPINS:
            found, expected = flavour_amplitude(*_arguments(point), spin), float(point[f"A_{spin}"])
            assert found == pytest.approx(expected, rel=1e-12, abs=0.0), point["id"]


@ALL
def test_dirac(mediator):
    """A at 100 points to 1e-9 of explicit Dirac matrices with 60 digits; fails if a weight or a structure is wrong."""
    for case in cases(100, seed=41, mediator=mediator, lightest=1e-5, leptons=CHANGES):
        margin = case.E - case.process.m_out - case.E_S
        tolerance = 1e-9 if margin > 1e-3 * case.E else 1e-6
        assert abs(_amplitude(case) / exact.dirac(case.exact, mediator) - 1) < tolerance, case


@ALL
def test_gauge_invariance(mediator):
    """q.L = 0 to 1e-30 of A; fails if the reference has the wrong mass in a propagator and so proves nothing."""
    for case in cases(10, seed=42, mediator=mediator, leptons=CHANGES):
        x = case.exact
        q = exact.add(x.P_in, x.P_out, -1)
        assert abs(exact.dirac(x, mediator, q) / exact.dirac(x, mediator)) < 1e-30


def _weights(mediator, m, m_out, M):
    """(c_K, c_B, c_f, c_Q) of processes.md, with the digits of the arguments; m -> -m turns S to P and V to A."""
    m = -m if mediator in ("pseudoscalar", "axial") else m
    a2, d2 = (m + m_out) ** 2, (m - m_out) ** 2
    scalar = (4, 0, 0, a2 - M**2)
    if mediator in ("scalar", "pseudoscalar"):
        return scalar
    rest = (0, 8, 4 * (M**2 - d2), 2 * (m**2 + m_out**2 - M**2) - 8 * m * m_out)
    return tuple(x + d2 / M**2 * y for x, y in zip(rest, scalar, strict=True))


@PAIRS
@ALL
def test_collinear(mediator, lepton, out):
    """A at 100 points where S flies along the beam or the outgoing lepton, up to both ends, to 1e-9 of 60 digits.

    Fails if s or A, which are small there, are left to doubles, or the precise weights are those of equal masses.
    """
    for case in collinear_cases(100, 45, mediator, lepton, out):
        p = case.process
        c = _weights(mediator, exact.mpf(p.m), exact.mpf(p.m_out), exact.mpf(p.m_S))
        expected = sum(a * b for a, b in zip(c, exact.structures(case.exact), strict=True))
        assert abs(_amplitude(case) / expected - 1) < 1e-9, case


def test_no_change():
    """With equal masses it is today's amplitude to the last bit; fails if a form for two masses rounds otherwise."""
    for mediator, spin in zip(MEDIATORS, "SPVA", strict=True):
        for case in cases(30, seed=43, mediator=mediator, leptons=SAME):
            E, m, *rest = case.arguments
            assert flavour_amplitude(E, m, m, *rest, spin) == _amplitude(case)


@pytest.mark.parametrize("angle", [0.0, 30.0, 45.0, 90.0])
@pytest.mark.parametrize("mediator", MIXES)
def test_parity_angle(mediator, angle):
    """Amplitude, cross section and its digits mix as cos^2 and sin^2; at 90 degrees it is the odd one, bit for bit.

    Fails if the two interfere, or a mixture takes the precise weights of one of them.
    """
    share, odd = math.cos(math.radians(angle)) ** 2, MIXES[mediator]
    for case in collinear_cases(100, 46, mediator, "e", "mu"):
        p = case.process
        mixed = case._replace(process=p._replace(weights=weights_of(mediator, p.m, p.m_out, p.m_S, angle)))
        other = case._replace(process=p._replace(weights=weights_of(odd, p.m, p.m_out, p.m_S)))
        expected = share * _amplitude(case) + (1.0 - share) * _amplitude(other)
        assert _amplitude(mixed) == pytest.approx(expected, rel=1e-9, abs=0.0)
    setting = {"lepton": "mu", "out_lepton": "tau", "form_factor": "tsai"}
    parts = [cross_section("Fe", 20.0, 0.3, mediator=name, **setting).value for name in (mediator, odd)]
    found = cross_section("Fe", 20.0, 0.3, mediator=mediator, parity_angle=angle, **setting).value
    assert found == pytest.approx(share * parts[0] + (1.0 - share) * parts[1], rel=1e-12)
    if angle == 90.0:
        assert found == parts[1]


@pytest.mark.parametrize("lepton", ["mu", "e"])
def test_cross_sections(reference, lepton):
    """Cross sections, thresholds and limits of x and t of the reference, 1e-7; fails where a peak is missed."""
    entries = [entry for entry in reference("flavour_sigma")["entries"] if entry["beam"] == lepton]
    assert {entry["outgoing"] for entry in entries} == {out for before, out in CHANGES if before == lepton}
    for entry in entries:
        target, E, m_X, out = (entry[name] for name in ("target", "E_beam", "m_X", "outgoing"))
        process = process_of(target, m_X, lepton, out_lepton=out)
        masses = process.m, process.m_out, process.m_S, process.M
        assert process.threshold == pytest.approx(entry["E_threshold"], rel=1e-12)
        low, high = scalar_energy_range(E, *masses, 1.0)
        assert (low / E, high / E) == pytest.approx((entry["x_min"], entry["x_max"]), rel=1e-10)
        assert t_range(E, *masses) == pytest.approx((entry["t_min"], entry["t_max"]), rel=1e-9)
        for spin, mediator in SPINS.items():
            for name in FORM_FACTORS:
                found = cross_section(
                    target, E, m_X, lepton=lepton, out_lepton=out, mediator=mediator, form_factor=name
                )
                expected = entry["sigma"][spin][name]["sigma_g1_pb"]
                assert found.value == pytest.approx(expected, rel=1e-7)
                assert found.error < 2e-5 * expected


@pytest.mark.parametrize("above", [1e-2, 1e-3, 1e-4, 1e-6])
@pytest.mark.parametrize(("target", "E"), [("Pb", 1728.0), ("H", 5.0), ("Fe", 0.5)])
def test_beam_that_almost_decays(target, E, above):
    """mu -> e as near as 1e-6 above m_mu - m_e: 2e-6 of ten times as many nodes in x; fails if the peak is missed."""
    for mediator in ("scalar", "axial"):
        process = process_of(target, (M_MU - M_E) * (1.0 + above), out_lepton="e", mediator=mediator)
        found, error = quadrature.sigma(E, process)
        better = quadrature.sigma_between(E, process, 0.0, E, rules(400, 60, 16, 1))
        assert found == pytest.approx(better, rel=2e-6)
        assert error < 2e-4 * found


def test_peak_of_a_beam_that_almost_decays():
    """|u| along the beam vanishes at the complex energies that `peak_breaks` encloses; fails if they are elsewhere."""
    process = process_of("Pb", (M_MU - M_E) * 1.0001, out_lepton="e")
    E = 20.0
    breaks = peak_breaks(E, process, 0.0, E)
    middle = int(np.argmin(np.diff(breaks)))
    at = exact.mp.mpc(0.5 * (breaks[middle] + breaks[middle + 1]), 0.25 * (breaks[middle + 1] - breaks[middle]))
    k = exact.sqrt(at**2 - exact.mpf(process.m_S) ** 2)
    u = 2 * (E * at - k * exact.sqrt(exact.mpf(E) ** 2 - exact.mpf(process.m) ** 2))
    masses = process.m_S**2 + process.m**2 - process.m_out**2
    assert abs(u / masses - 1) < 1e-9
    for lepton, out in (("mu", "mu"), ("mu", "tau"), ("e", "mu")):
        assert peak_breaks(E, process_of("Pb", 0.1052, lepton, out_lepton=out), 0.0, E).size == 0
    assert peak_breaks(E, process_of("Pb", 0.2, out_lepton="e"), 0.0, E).size == 0


@PAIRS
def test_limits(lepton, out):
    """|u| and s are positive and t inside its limits everywhere; fails if a limit has the mass of the other lepton."""
    for case in cases(200, seed=44, edges=0.2, leptons=((lepton, out),)):
        p, x = case.process, case.exact
        both = exact.add(x.p_out, x.k)
        s = exact.dot(both, both) - exact.mpf(p.m) ** 2
        assert s >= ((p.m_out + p.m_S) ** 2 - p.m**2) * (1 - 1e-9)
        assert x.p_out[0] >= p.m_out * (1 - 1e-9)
        low, high, _ = u_range(case.E, case.E_S, p)
        e = emission(case.E, p.m, p.m_out, p.m_S, p.M, case.E_S, case.one_minus_cos_theta)
        assert 0.0 < low <= e.u * (1 + 1e-9) <= high * (1 + 2e-9)
        assert (e.t_min, e.t_max) == pytest.approx((float(x.t_min), float(x.t_max)), rel=1e-6)


def test_the_lepton_that_makes_the_peak():
    """The map with a peak is for a light outgoing lepton; fails if that of the beam decides."""
    assert is_light(process_of("Pb", 0.2, "mu", out_lepton="e"))
    assert is_light(process_of("Pb", 0.2, "e"))
    assert not is_light(process_of("Pb", 0.2, "e", out_lepton="mu"))


def test_weizsaecker_williams_bracket():
    """A22 as R. Marcarelli's thesis (2025, ch. 4) has it, 1e-12; fails if D or a weight is that of equal masses."""
    rng = np.random.default_rng(47)
    for _ in range(200):
        x, M, ratio = rng.uniform(0.05, 0.95), rng.uniform(0.2, 2.0), 1.0 + rng.exponential()
        m, m_out = (LEPTON_MASSES[name] for name in CHANGES[rng.integers(4)])
        D = M**2 * (1 - x) + m_out**2 * x - m**2 * x * (1 - x)
        u, y = ratio * D / x, x**2 / (1 - x)
        r, a2, d2 = (D - u * x) / u**2, (m + m_out) ** 2, (m - m_out) ** 2
        expected = {
            "scalar": y + 2 * (M**2 - a2) * r,
            "pseudoscalar": y + 2 * (M**2 - d2) * r,
            "vector": 4 + (2 + d2 / M**2) * y + 2 * (1 - d2 / M**2) * (2 * M**2 + a2) * r,
            "axial": 4 + (2 + a2 / M**2) * y + 2 * (1 - a2 / M**2) * (2 * M**2 + d2) * r,
        }
        for mediator, value in expected.items():
            weights = weights_of(mediator, m, m_out, M)
            terms = abs(y) + abs(weights.Q * r) * 2 + 4 * abs(weights.K)
            assert bracket(x, u, m, m_out, M, weights) == pytest.approx(value, abs=1e-12 * terms)


def test_weizsaecker_williams_cross_section():
    """WW over exact is 1.000 for mu -> tau, per mille more for e -> mu; fails if D or t_min has a wrong mass."""
    for E, m_S, lepton, out, highest in (
        (160.0, 0.01, "mu", "tau", 1.0003),
        (1500.0, 0.01, "mu", "tau", 1.0002),
        (160.0, 0.1, "e", "mu", 1.008),
    ):
        setting = {"lepton": lepton, "out_lepton": out}
        found = cross_section("Pb", E, m_S, method="ww", **setting).value
        assert 1.0 < found / cross_section("Pb", E, m_S, **setting).value < highest


@pytest.mark.parametrize(
    ("setting", "said", "error"),
    [
        ({"E_mu": 1.5}, "below threshold, 1.79", ThresholdError),
        ({"out_lepton": "e", "m_S": 0.1}, "0.1051474", InputError),
        ({"out_lepton": "e", "m_S": 0.11, "method": "ww"}, "allowed: exact", InputError),
        ({"method": "iww"}, "allowed: exact, ww", InputError),
        ({"parity_angle": 91.0}, "0..90", InputError),
        ({"parity_angle": -1.0}, "0..90", InputError),
        ({"parity_angle": math.nan}, "0..90", InputError),
        ({"parity_angle": 45.0, "mediator": "axial"}, "scalar or vector", InputError),
        ({"out_lepton": "muon"}, "did you mean", InputError),
    ],
)
def test_refusals(setting, said, error):
    """What cannot be, or is not known to hold, is one line; fails if a number comes out."""
    with pytest.raises(error, match=said) as found:
        cross_section(**({"target": "Pb", "E_mu": 160.0, "m_S": 0.01, "out_lepton": "tau"} | setting))
    assert "\n" not in str(found.value)


def test_rows_say_what_they_are_of():
    """Rows name the outgoing lepton, by default that of the beam, and the angle; fails if a default hides one."""
    (row,) = xsec("Pb", 160.0, 0.01, out_lepton="tau", parity_angle=45.0)
    assert (row.out_lepton, row.parity_angle) == ("tau", 45.0)
    (row,) = xsec("Pb", 160.0, 0.01)
    assert (row.document()["out_lepton"], row.document()["parity_angle"]) == ("mu", 0.0)
    assert process_of("Pb", 0.01, out_lepton="tau").m_out == M_TAU
