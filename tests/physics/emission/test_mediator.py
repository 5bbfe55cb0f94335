"""Pseudoscalar, vector and axial vector beside the scalar: amplitude, cross sections, decays, events."""

from __future__ import annotations

import math

import exact
import numpy as np
import pytest
from kinematic_points import cases, collinear_cases

from mcgen import load_card
from mcgen.analysis.reach import reach
from mcgen.analysis.reweight import reweight
from mcgen.base.constants import ALPHA, GEV2_PB, M_E, M_MU, M_TAU
from mcgen.base.errors import InputError
from mcgen.card.card import card_text, parse_card
from mcgen.cli import main
from mcgen.events.export import export
from mcgen.generation.generate import generate
from mcgen.generation.lattice import build_lattice, integrate
from mcgen.physics.boson.couplings import FLAVOUR, MODELS, MODELS_OF, Couplings
from mcgen.physics.boson.scalar_decay import STABLE, width_leptons, width_photons, widths
from mcgen.physics.emission import cross_section as quadrature
from mcgen.physics.emission.amplitude import (
    amplitude_average,
    amplitude_of,
    azimuthal_form,
    reduced_amplitude,
    transverse_momentum,
)
from mcgen.physics.emission.form_factor import G2
from mcgen.physics.emission.kinematics import emission
from mcgen.physics.emission.mediator import MEDIATORS, bracket, x_shape
from mcgen.physics.emission.rules import rules
from mcgen.physics.emission.ww import amplitude_average_ww
from mcgen.physics.matter.materials import Element
from mcgen.quadrature.xsec import cross_section, process_of
from mcgen.quadrature.yields import n_signal
from mcgen.source.targets import nucleus
from mcgen.source.track import linear

ALL = pytest.mark.parametrize("mediator", MEDIATORS)


def _amplitude(case):
    return amplitude_of(case.process, case.E, case.E_S, case.one_minus_cos_theta, case.t_minus_tmin, case.phi_q)


def _weights(mediator, m, M):
    """(c_K, c_B, c_f, c_Q) as physics says, with the digits of the arguments."""
    return {
        "scalar": (4, 0, 0, 4 * m**2 - M**2),
        "pseudoscalar": (4, 0, 0, -(M**2)),
        "vector": (0, 8, 4 * M**2, -2 * (M**2 + 2 * m**2)),
        "axial": (16 * m**2 / M**2, 8, 4 * (M**2 - 4 * m**2), -2 * (M**2 - 4 * m**2)),
    }[mediator]


@ALL
@pytest.mark.parametrize("x", [0.2, 0.5, 0.9])
def test_limit_of_weizsaecker_and_williams(mediator, x):
    """Next to t_min the average of A tends to its WW limit, off by 1/E^2: 2e-9 at 100 TeV; fails for another x or u."""
    E, m_S = 1e5, 0.1
    process = process_of("Pb", m_S, mediator=mediator)
    e = emission(E, process.m, process.m_out, m_S, process.M, x * E, 0.5 * (m_S / E) ** 2)
    for above in (0.1 * e.t_min, e.t_min):
        t = e.t_min + above
        exact_average = amplitude_average(azimuthal_form(e, E, t, transverse_momentum(e, t, above), process))
        limit = amplitude_average_ww(E, process.m, process.m_out, m_S, process.M, process.weights, e, above)
        assert exact_average == pytest.approx(limit, rel=2e-9)


@ALL
def test_dirac(mediator):
    """A at 100 points to 1e-9 of explicit Dirac matrices with 60 digits; fails if a weight or a structure is wrong."""
    for case in cases(100, seed=21, mediator=mediator, lightest=1e-5):
        expected = exact.dirac(exact.point(*case.arguments), mediator)
        tolerance = 1e-9 if case.E - case.process.m - case.E_S > 1e-3 * case.E else 1e-6
        assert abs(_amplitude(case) / expected - 1) < tolerance, case


@ALL
def test_gauge_invariance(mediator):
    """q.J = 0 to 1e-30 of A; fails if the reference leaves out a diagram and so proves nothing."""
    for case in cases(10, seed=22, mediator=mediator):
        x = exact.point(*case.arguments)
        q = exact.add(x.P_in, x.P_out, -1)
        assert abs(exact.dirac(x, mediator, q) / exact.dirac(x, mediator)) < 1e-30


@pytest.mark.parametrize("lepton", ["e", "mu"])
@ALL
def test_collinear(mediator, lepton):
    """A at 200 points where S flies along the beam or the outgoing lepton, 1 MeV to 1 TeV, to 1e-9 of 60 digits.

    Fails if s, a difference of up to 1e12 of its terms there, or A of a boson that helicity forbids is rounded.
    """
    for case in collinear_cases(200, 25, mediator, lepton):
        m, M = exact.mpf(case.process.m), exact.mpf(case.process.m_S)
        structures = exact.structures(exact.point(*case.arguments))
        expected = sum(c * s for c, s in zip(_weights(mediator, m, M), structures, strict=True))
        assert abs(_amplitude(case) / expected - 1) < 1e-9, case


def test_smallest_s():
    """s where the outgoing lepton flies along S, to 1e-8 of 60 digits; fails if the generator's own form rounds it."""
    for case in collinear_cases(200, 26):
        x = exact.point(*case.arguments[:-1], 0.0)
        both = exact.add(x.p_out, x.k)
        expected = exact.dot(both, both) - exact.mpf(case.process.m) ** 2
        p = case.process
        e = emission(case.E, p.m, p.m_out, p.m_S, p.M, case.E_S, case.one_minus_cos_theta)
        q_perp = transverse_momentum(e, case.t, case.t_minus_tmin)
        assert abs(azimuthal_form(e, case.E, case.t, q_perp, case.process).s_min / expected - 1) < 1e-8, case


@pytest.mark.slow
@ALL
def test_many_points(mediator):
    """A at 20000 points to 1e-9, 1e-6 at the highest x; fails where the structures of a mediator cancel."""
    for case in cases(20_000, seed=23, mediator=mediator):
        m, M = exact.mpf(case.process.m), exact.mpf(case.process.m_S)
        structures = exact.structures(exact.point(*case.arguments))
        expected = sum(c * s for c, s in zip(_weights(mediator, m, M), structures, strict=True))
        tolerance = 1e-9 if case.E - case.process.m - case.E_S > 1e-3 * case.E else 1e-6
        assert abs(_amplitude(case) / expected - 1) < tolerance, case


def test_scalar_by_name():
    """`amplitude_of` a scalar is `reduced_amplitude` to the last bit; fails if the two take different paths."""
    for case in cases(50, seed=24):
        assert _amplitude(case) == reduced_amplitude(*case.arguments)


def test_light_axial_vector():
    """A light axial vector is (2 m/M)^2 times a pseudoscalar, to 1e-6; fails if its longitudinal part is lost."""
    light = 1e-6 * M_MU
    for E, x, angle, t, phi_q in (
        (3.0, 0.5, 0.05, 1e-3, 0.4),
        (160.0, 0.9, 1e-3, 1e-2, 2.0),
        (0.5, 0.2, 0.3, 1e-2, -1.0),
    ):
        axial, pseudoscalar = (
            amplitude_of(process_of("W", light, mediator=name), E, x * E, 0.5 * angle**2, t, phi_q)
            for name in ("axial", "pseudoscalar")
        )
        assert axial / pseudoscalar == pytest.approx((2.0 * M_MU / light) ** 2, rel=1e-6)


def _table(mediator, x, U, m, M):
    """A(x, U) and (1 - x) times its integral over dU/U^2, as they are written out per mediator."""
    D = M**2 * (1 - x) + m**2 * x**2
    br = (D - U * x) / U**2
    vector = 2 * (2 - 2 * x + x**2)
    return {
        "scalar": (
            x**2 / (1 - x) + 2 * (M**2 - 4 * m**2) * br,
            x**3 * (m**2 * (3 * x**2 - 4 * x + 4) + 2 * M**2 * (1 - x)) / (3 * D**2),
        ),
        "pseudoscalar": (x**2 / (1 - x) + 2 * M**2 * br, x**3 * (2 * M**2 * (1 - x) + 3 * m**2 * x**2) / (3 * D**2)),
        "vector": (
            vector / (1 - x) + 4 * (M**2 + 2 * m**2) * br,
            x * vector / D - 2 / 3 * (1 - x) * (M**2 + 2 * m**2) * x**3 / D**2,
        ),
        "axial": (
            4 * m**2 * x**2 / (M**2 * (1 - x)) + vector / (1 - x) + 4 * (M**2 - 4 * m**2) * br,
            4 * m**2 * x**3 / (M**2 * D) + x * vector / D - 2 / 3 * (1 - x) * (M**2 - 4 * m**2) * x**3 / D**2,
        ),
    }[mediator]


@ALL
def test_approximations(mediator):
    """The WW bracket and the IWW spectrum equal their tables to 1e-12; fails if a weight counts twice or not at all."""
    rng = np.random.default_rng(26)
    for x, ratio, m_S in zip(rng.uniform(size=200), 1 + rng.exponential(size=200), rng.uniform(size=200), strict=True):
        U = ratio * (m_S**2 * (1 - x) + M_MU**2 * x**2) / x
        weights = MEDIATORS[mediator](M_MU, M_MU, m_S)
        A, shape = _table(mediator, x, U, M_MU, m_S)
        assert bracket(x, U, M_MU, M_MU, m_S, weights) == pytest.approx(A, rel=1e-12, abs=0.0)
        assert x_shape(x, M_MU, m_S, weights) == pytest.approx(shape, rel=1e-12, abs=0.0)


@ALL
def test_ww_is_the_limit(mediator):
    """The average of A at t near t_min tends to 8 M^2 (t - t_min)/2 t_min times the bracket, 1e-3 at 500 GeV.

    Fails if WW and the exact amplitude belong to different mediators.
    """
    E, m_S = 500.0, 0.05
    process = process_of("Pb", m_S, mediator=mediator)
    for x, angle in ((0.3, 1e-4), (0.7, 3e-4), (0.95, 5e-5)):
        e = emission(E, process.m, process.m_out, m_S, process.M, x * E, 0.5 * angle**2)
        above = 10.0 * e.t_min
        q_perp = transverse_momentum(e, e.t_min + above, above)
        average = amplitude_average(azimuthal_form(e, E, e.t_min + above, q_perp, process))
        limit = 4.0 * process.M**2 * above / e.t_min * bracket(x, e.u, process.m, process.m_out, m_S, process.weights)
        assert average == pytest.approx(limit, rel=1e-3, abs=0.0)


@ALL
def test_approximate_cross_sections(mediator):
    """WW within 5 % of sigma at Pb 160 GeV, IWW above it up to 3 times; fails if a method ignores the mediator."""
    sigma = {
        method: cross_section("Pb", 160.0, 0.1, mediator=mediator, method=method).value
        for method in ("exact", "ww", "iww")
    }
    assert sigma["ww"] == pytest.approx(sigma["exact"], rel=0.05)
    assert 1.0 < sigma["iww"] / sigma["exact"] < 3.0


def test_another_code(reference):
    """Electrons on Pb against DMG4 at 100 GeV and above: 1 % from 0.01 to 0.9 MeV, 4 % up to 1 GeV.

    Fails if the electron's mass is dropped somewhere, or the cut x > 0.01 below 1 MeV.
    """
    table = reference("dmg4_scalar_electron_Pb")
    g2 = 1e-8 * 4.0 * math.pi / 137.0
    factor = g2 * (1.0 / 137.0 / ALPHA) ** 2 * table["GeV2pb"] / GEV2_PB
    lead = nucleus(Element("Pb", 82.0, 207.0))
    for E, row in zip(table["energies_GeV"], table["sigma_pb"], strict=True):
        for mev, expected in zip(table["masses_MeV"], row, strict=True):
            if E < 100 or mev < 0.01:
                continue
            process = process_of(lead, 1e-3 * mev, "e", "elastic")
            lowest = 0.01 * E if mev < 1.0 else 0.0
            found = quadrature.sigma_between(float(E), process, lowest, float(E), rules(*quadrature.FINE))
            assert factor * found == pytest.approx(expected, rel=0.01 if mev < 1.0 else 0.04, abs=0.0), (E, mev)


def _monte_carlo(mediator, target, lepton, E, m_S, points, seed):
    """(sigma, error) in pb from the formula alone: maps of its own, momenta as three-vectors."""
    process = process_of(target, m_S, lepton)
    m, M = process.m, process.M
    r = np.random.default_rng(seed).uniform(size=(4, points))
    # x: a logarithm that opens both ends
    low, high, d = m_S / E, 1.0 - m / E, 0.3 * m / E
    edges = [math.log((x - low + d) / (high - x + d)) for x in (low, high)]
    z = np.exp(edges[0] + r[0] * (edges[1] - edges[0]))
    x = (z * (high + d) + low - d) / (1.0 + z)
    weight = (edges[1] - edges[0]) * (x - low + d) * (high - x + d) / (high - low + 2.0 * d)
    E_S, W = x * E, E - x * E
    p, k = math.sqrt(E**2 - m**2), np.sqrt(E_S**2 - m_S**2)
    u_low = 2.0 * (E * E_S - p * k) - m_S**2
    u_high = u_low + 4.0 * p * k
    u = 1.0 / (1.0 / u_low - r[1] * (1.0 / u_low - 1.0 / u_high))
    weight *= u**2 * (1.0 / u_low - 1.0 / u_high)
    cos = 1.0 - (u - u_low) / (2.0 * p * k)
    K = np.array([k * np.sqrt(1.0 - cos**2), 0.0 * k, k * cos])
    P = np.array([0.0 * k, 0.0 * k, p + 0.0 * k])
    V = np.sqrt(np.sum((P - K) ** 2, axis=0))
    B, R = 4.0 * V**2 - 2.0 * u * (1.0 + W / M), (W - 0.5 * u / M) ** 2 - m**2
    inside = (R > 0.0) & (0.5 * u / M < W)
    reach = np.where(inside, B + 4.0 * V * np.sqrt(np.abs(R)), 1.0)
    t_min, t_max = 2.0 * u**2 / reach, reach / (2.0 * ((1.0 + W / M) ** 2 - V**2 / M**2))
    inside &= t_max > t_min
    d = process.ff.d  # log(t/(t + d)) uniform
    span = np.where(inside, np.log(t_max * (t_min + d) / (t_min * (t_max + d))), 0.0)
    z = t_min / (t_min + d) * np.exp(r[2] * span)
    t = d * z / (1.0 - z)
    weight *= t * (t + d) / d * span * 2.0 * math.pi
    q2 = t + (0.5 * t / M) ** 2
    along = -(0.5 * u + 0.5 * t * (1.0 + W / M)) / V
    across = np.sqrt(np.maximum(0.0, q2 - along**2))
    e_3 = (P - K) / V
    e_1 = np.array([e_3[2], 0.0 * k, -e_3[0]])
    phi = 2.0 * math.pi * r[3]
    q = along * e_3 + across * np.cos(phi) * e_1
    q[1] += across * np.sin(phi)

    def dot(a, b):
        return np.sum(a * b, axis=0)

    def cross(a):
        return np.sum(np.cross(a, q, axis=0) ** 2, axis=0)

    E_out = W - 0.5 * t / M
    s = 2.0 * (E_out * E_S - dot(P - K + q, K)) + m_S**2
    X = E_S * dot(q, P) - E * dot(q, K)
    X_out = X + E_S * q2 + 0.5 * t / M * dot(K, q)
    G, G_p = m_S**2 * q2 + cross(K), 2.0 * m**2 * q2 + cross(P) + cross(P - K)
    structures = (
        4.0 * M**2 * G / (s * u), 4.0 * M**2 * G_p / (s * u), 8.0 * M**2 * q2 / (s * u),
        16.0 * M**2 * (t * G + 4.0 * X * X_out) / (s * u) ** 2,
    )  # fmt: skip
    A = sum(c * f for c, f in zip(_weights(mediator, m, m_S), structures, strict=True))
    square = (4.0 * math.pi * ALPHA) ** 2 * np.array([G2(v, process.ff) for v in t]) / t**2 * A
    f = np.where(inside, weight * E / (128.0 * (2.0 * math.pi) ** 4 * p**2 * M**2 * V) * square, 0.0)
    return GEV2_PB * f.mean(), GEV2_PB * f.std() / math.sqrt(points)


@pytest.mark.slow
@ALL
@pytest.mark.parametrize(
    ("target", "lepton", "E", "m_S"),
    [("W", "mu", 3.0, 0.1), ("W", "mu", 1.0, 0.02), ("Pb", "mu", 160.0, 0.1), ("Be", "e", 3.0, 0.1)],
)
def test_independent_integration(mediator, target, lepton, E, m_S):
    """The quadrature against a plain Monte Carlo of the formula, 4 sigma of 0.3 %; fails if the measure is wrong."""
    value, error = _monte_carlo(mediator, target, lepton, E, m_S, 1_000_000, seed=27)
    assert error < 3e-3 * value
    found = cross_section(target, E, m_S, lepton=lepton, mediator=mediator).value
    assert abs(found - value) < 4.0 * error


@ALL
@pytest.mark.parametrize(
    ("target", "lepton", "E", "m_S", "efficiency"),
    [
        ("W", "mu", 3.0, 0.1, 0.85),
        ("Pb", "mu", 160.0, 0.1, 0.85),
        ("Pb", "mu", 160.0, 0.01, 0.85),
        ("W", "e", 20.0, 0.01, 0.85),
        ("Pb", "e", 160.0, 1e-3, 0.8),
        ("Pb", "e", 160.0, 1e-4, 0.75),
    ],
)
def test_sampler(mediator, target, lepton, E, m_S, efficiency):
    """The sampler's integral against the quadrature, 5 sigma, and its efficiency; fails if its maps lose a mediator.

    For an electron at 160 GeV the peak along the outgoing electron makes rare large weights: 1 % is asked for there.
    """
    process = process_of(target, m_S, lepton, mediator=mediator)
    lattice = build_lattice(linear(E, E), process)
    n = 1 << 18
    total, squares, accepted, _ = integrate(lattice, process, np.uint64(28), np.uint64(1), 0, n)
    mean, error = lattice.total * total / n, lattice.total * math.sqrt(squares - total**2 / n) / n
    sigma = quadrature.sigma(E, process)[0]
    assert abs(mean - sigma) < max(5.0 * error, 0.01 * sigma if m_S <= 1e-3 else 0.0)
    assert accepted / n > efficiency


@pytest.mark.parametrize(
    ("mediator", "rest", "power"),
    [("scalar", 8.0, 1.5), ("pseudoscalar", 8.0, 0.5), ("vector", 8.0, 0.5), ("axial", 12.0, 1.5)],
)
@pytest.mark.parametrize("m_l", [M_E, M_MU, M_TAU])
def test_lepton_widths(mediator, rest, power, m_l):
    """Gamma(l l) at threshold goes like beta^(2 power), far above like 1/8 pi or 1/12 pi; fails for a wrong power."""
    near, nearer = (width_leptons(1.0, m_l, 2.0 * m_l * (1.0 + d), mediator) for d in (1e-7, 1e-8))
    assert near / nearer == pytest.approx(10.0**power, rel=1e-6, abs=0.0)
    m_S = 2.0 * m_l * (1.0 + 1e-8)
    assert nearer == pytest.approx(m_S / (rest * math.pi) * 2e-8**power, rel=1e-6, abs=0.0)
    far = {"vector": 12.0}.get(mediator, rest)
    assert width_leptons(2.0, m_l, 1e4 * m_l, mediator) == pytest.approx(4e4 * m_l / (far * math.pi), rel=1e-7)
    r = 0.2
    if mediator == "vector":
        expected = m_l / r * (1.0 + 2.0 * r**2) * math.sqrt(1.0 - 4.0 * r**2) / (12.0 * math.pi)
        assert width_leptons(1.0, m_l, m_l / r, "vector") == pytest.approx(expected, rel=1e-12)
    assert width_leptons(1.0, m_l, 2.0 * m_l, mediator) == 0.0


def test_photon_widths():
    """A light pseudoscalar has alpha^2 m^3 g^2/(64 pi^3 m_l^2), spin 1 none (Landau and Yang); fails for S's loop."""
    g, m_S = Couplings(0.0, 0.0, 1.0), 0.02
    expected = ALPHA**2 * m_S**3 / (64.0 * math.pi**3 * M_TAU**2)
    assert width_photons(g, m_S, "pseudoscalar") == pytest.approx(expected, rel=1e-4)
    assert width_photons(g, m_S, "vector") == width_photons(g, m_S, "axial") == 0.0


def test_neutrinos_and_dark_decays():
    """L_mu - L_tau has g^2 m/12 pi of neutrinos, alone below 2 m_mu; `dark` is a branching ratio of the whole.

    Fails if a third neutrino is counted or the ratio is taken of the visible width.
    """
    g = MODELS["Lmu-Ltau"](1e-3)
    below, above = widths(g, 0.1, "vector"), widths(g, 0.3, "vector")
    assert below.total == below.invisible == pytest.approx(1e-6 * 0.1 / (12.0 * math.pi), rel=1e-12)
    assert above.mumu > 0.0
    assert above.ee == 0.0
    dark = widths(MODELS["dark-photon"](1e-3), 0.3, "vector", 0.25)
    assert dark.invisible / dark.total == pytest.approx(0.25, rel=1e-12)
    assert dark._replace(invisible=0.0) == widths(MODELS["dark-photon"](1e-3), 0.3, "vector")


def test_models():
    """Couplings by name, each for the mediators it is meant for; fails if a name or a sign changes."""
    assert list(MODELS) == ["A", "B", "dark-photon", "Lmu-Ltau", FLAVOUR]
    assert MODELS["dark-photon"](0.3) == (0.3, 0.3, 0.3, 0.0, 0.0)
    assert MODELS["Lmu-Ltau"](0.3) == (0.0, 0.3, -0.3, 0.3, 0.0)
    assert MODELS[FLAVOUR](0.3) == (0.0,) * 5
    assert set(MODELS_OF) == set(MEDIATORS)
    assert {name for names in MODELS_OF.values() for name in names} == set(MODELS) - {FLAVOUR}


def _card(name, mediator, model, invisible=0.0):
    text = card_text(name).replace('models = ["A", "B"]', f'models = ["{model}"]')
    lines = f'mediator = "{mediator}"\ninvisible = {invisible}\nmodel = "{model}"'
    return parse_card(text.replace('model = "A"', lines))


@pytest.mark.parametrize(
    ("mediator", "model", "invisible", "words"),
    [
        ("vector", "A", 0.0, ["scalar.model", "dark-photon, Lmu-Ltau"]),
        ("scalar", "dark-photon", 0.0, ["scalar.model", "A, B"]),
        ("scalar", "A", 1.0, ["scalar.invisible", "less than 1"]),
        ("graviton", "A", 0.0, ["scalar.mediator", "'axial'"]),
    ],
)
def test_cards_that_make_no_sense(mediator, model, invisible, words):
    """A model that has no such mediator is refused in one line; fails if a vector is given a scalar's couplings."""
    with pytest.raises(InputError) as error:
        _card("fermilab", mediator, model, invisible)
    assert "\n" not in str(error.value)
    assert [w for w in words if w not in str(error.value)] == []


@pytest.mark.parametrize(
    ("name", "mediator", "model", "invisible", "g_mu"),
    [
        ("fermilab", "vector", "dark-photon", 0.0, 3e-6),
        ("fermilab", "vector", "dark-photon", 0.4, 3e-6),
        ("na64", "vector", "dark-photon", 0.4, 3e-5),
        ("na64", "vector", "Lmu-Ltau", 0.0, 1e-4),
        ("fermilab", "axial", "dark-photon", 0.0, 3e-6),
        ("fermilab", "pseudoscalar", "A", 0.0, 1e-4),
    ],
)
def test_events(name, mediator, model, invisible, g_mu):
    """Events of any mediator, reweighted, meet N_S by quadrature, 4 sigma; fails if production or decay is a scalar's.

    `generate` itself compares their yield and their t with the quadrature.
    """
    card = _card(name, mediator, model, invisible)
    events = generate(card, 0.03, 20_000, workers=2)
    assert events.metadata["mediator"] == mediator
    at = events.metadata["sigma"][-1]
    sigma = cross_section(card.target.material, at["energy_gev"], 0.03, mediator=mediator).value
    assert at["sigma_pb"] == pytest.approx(sigma, rel=1e-9)
    (expected,) = n_signal(card, model, 0.03, [g_mu])
    for method in ("probability", "vertex") if invisible == 0.0 else ("probability",):
        found = reweight(events, model, [g_mu], method=method).n_signal[0]
        assert found.n_eff > 100.0
        assert abs(found.value - expected.value) < 4.0 * found.error


def test_invisible_decays_count_as_missing_energy():
    """N_S grows by the invisible share of all S inside the detector, and falls by it for a displaced decay.

    Fails if an invisible decay before the end of the detector is vetoed, or one behind it seen.
    """
    for name in ("na64", "fermilab"):
        visible, mixed = (_card(name, "vector", "dark-photon", b) for b in (0.0, 1e-9))
        g = 1e-3  # so short-lived that hardly any S leaves the target
        before, after = (n_signal(card, "dark-photon", 0.03, [g])[0].value for card in (visible, mixed))
        (everything,) = n_signal(visible, Couplings(0.0, g, 0.0), 0.03, [g])  # no decay at all
        if name == "na64":
            assert after - before == pytest.approx(1e-9 * everything.value, rel=1e-3)
        else:
            assert after <= before


def test_forced_decays():
    """Forced decays are visible ones and still add up to N_S; fails if they are drawn among the invisible ones."""
    card = _card("fermilab", "vector", "dark-photon", 0.3)
    card = card.model_copy(update={"scalar": card.scalar.model_copy(update={"g_mu": 3e-6})})
    events = generate(card, 0.03, 20_000, force_decay=True)
    assert set(events.columns["decay_pdg"]) == {11}
    (expected,) = n_signal(card, "dark-photon", 0.03, [3e-6])
    values = events.columns["weight"] * events.columns["decay_weight"] * card.beam.particles_on_target * 9e-12
    assert abs(values.sum() - expected.value) < 4.0 * math.sqrt((values**2).sum())
    with pytest.raises(InputError, match="force_decay"):
        generate(_card("na64", "vector", "dark-photon", 0.3), 0.03, 10, force_decay=True)


def test_stable_dark_photon(tmp_path, capsys):
    """Below 2 m_e it leaves the detector and counts, its decay is far and finite; where decays are sought none is seen.

    Fails for an infinite column, a lost signal, or a traceback.
    """
    card = load_card("na64").with_boson("vector", "dark-photon")
    events = generate(card, 0.5e-3, 20_000, workers=2)
    c = events.columns
    k = np.sqrt(c["S_px"] ** 2 + c["S_py"] ** 2 + c["S_pz"] ** 2)
    np.testing.assert_allclose(c["decay_z_cm"], c["tau"] * STABLE * c["S_pz"], rtol=1e-12)
    assert np.all(k * c["tau"] * STABLE < np.inf)
    found = reweight(events, "dark-photon", [1e-4]).n_signal[0]
    assert abs(found.pull(n_signal(card, "dark-photon", 0.5e-3, [1e-4])[0].value)) < 4.0
    file = generate(card, 0.5e-3, 10, output=tmp_path / "e.root")
    assert export(file, tmp_path / "e.lhe").stat().st_size > 0
    for name in ("fermilab", "fermilab-3d"):
        (point,) = reach(load_card(name).with_boson("vector", "dark-photon"), masses=[0.5e-3])
        assert (point.g_low, point.g_high) == (None, None)
    text = load_card("fermilab").text.replace('mass = "100 MeV"', 'mass = "0.5 MeV"')
    (tmp_path / "card.toml").write_text(text)
    assert main(["run", str(tmp_path / "card.toml"), "--mediator", "vector", "-o", str(tmp_path / "run")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "cannot decay" in err
    assert len(err.splitlines()) == 1
