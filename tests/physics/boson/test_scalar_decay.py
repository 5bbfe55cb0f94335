"""Couplings, widths, decay lengths, Delta a_mu and form factors against 20-digit numbers and known limits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mcgen.base.constants import ALPHA, M_E, M_MU, M_P, M_TAU, MU_P
from mcgen.physics.boson.couplings import MODELS, Couplings, model_A, model_B
from mcgen.physics.boson.muon_g2 import delta_a_mu
from mcgen.physics.boson.scalar_decay import (
    decay_length,
    loop_function,
    loop_term,
    total_width,
    width_leptons,
    width_photons,
    widths,
)
from mcgen.physics.emission.form_factor import FORM_FACTORS, G2, G2_elastic, G2_inelastic, form_factor
from mcgen.physics.matter.materials import ELEMENTS

REL = 1e-10


def _close(found, text):
    assert found == pytest.approx(float(text), rel=REL, abs=0.0)


def test_delta_a_mu(reference):
    """Eq. 3 from 1 keV to 10 GeV to 1e-10; fails if the integral loses its peak near z = 1."""
    for row in reference("model")["delta_a"]:
        _close(delta_a_mu(float(row["g"]), float(row["m_S"])), row["value"])


def test_delta_a_mu_limits():
    """3/(16 pi^2) g^2 for a light scalar (1e-6), falling as log(m_S)/m_S^2 for a heavy one; fails if z is reversed."""
    assert delta_a_mu(1.0, 1e-9) == pytest.approx(3.0 / (16.0 * math.pi**2), rel=1e-6, abs=0.0)
    r2 = (1e4 / M_MU) ** 2
    heavy = (math.log(r2) - 7.0 / 6.0) / (8.0 * math.pi**2 * r2)
    assert delta_a_mu(1.0, 1e4) == pytest.approx(heavy, rel=1e-6, abs=0.0)


def test_paper_delta_a_mu():
    """The paper's 1.6e-9 at g = 5e-4, 100 MeV, to its two digits; fails if g enters linearly."""
    assert delta_a_mu(5e-4, 0.1) == pytest.approx(1.6e-9, rel=0.05, abs=0.0)


def test_widths(reference):
    """Partial widths of both models from 1.2 MeV to 3 GeV to 1e-10; fails if a lepton is missing in the loop."""
    for row in reference("model")["widths"]:
        found = widths(MODELS[row["model"]](float(row["g_mu"])), float(row["m_S"]))
        for name in ("ee", "mumu"):
            _close(getattr(found, name), row[name])
        _close(found.gamma_gamma, row["gg"])
        _close(found.total, row["total"])
        _close(found.ee / found.total, row["BR_ee"])


def test_widths_of_any_couplings(reference):
    """Partial widths of explicit couplings, signs included, to 1e-10; fails if the loops are added incoherently."""
    for row in reference("model")["widths_general"]:
        g = Couplings(*(float(row[name]) for name in ("g_e", "g_mu", "g_tau")))
        found = widths(g, float(row["m_S"]))
        _close(found.ee, row["ee"])
        _close(found.mumu, row["mumu"])
        _close(found.gamma_gamma, row["gg"])


@pytest.mark.parametrize(("table", "function"), [("f_loop", loop_function), ("loop_term", loop_term)])
def test_loop_functions(reference, table, function):
    """Eqs. 5-6 on both branches, at 1e-6 from where they meet and at 1e+-8, to 1e-10; fails at a wrong branch."""
    for row in reference("model")[table]:
        tau = float(row["tau"])
        assert function(tau).real == pytest.approx(float(row["re"]), rel=REL, abs=0.0), tau
        assert function(tau).imag == pytest.approx(float(row["im"]), rel=REL, abs=0.0), tau


def test_loop_limits():
    """2/3 for a heavy lepton, continuous at tau = 1 and at the start of the series; fails if a branch is shifted."""
    assert loop_term(1e12).real == pytest.approx(2.0 / 3.0, rel=1e-11, abs=0.0)
    assert loop_function(1.0).real == pytest.approx(math.pi**2 / 4.0, rel=1e-14, abs=0.0)
    assert loop_function(1.0 - 1e-14) == pytest.approx(loop_function(1.0), abs=1e-6)
    assert loop_term(20.0 * (1.0 + 1e-12)) == pytest.approx(loop_term(20.0), rel=1e-11, abs=0.0)


@pytest.mark.parametrize("m_l", [M_E, M_MU, M_TAU])
def test_lepton_thresholds(m_l):
    """No decay at or below 2 m_l, beta^3 above it to 1e-6; fails if the power of beta is that of a pseudoscalar."""
    assert width_leptons(1.0, m_l, 2.0 * m_l) == 0.0
    assert width_leptons(1.0, m_l, 1.9 * m_l) == 0.0
    near, nearer = (width_leptons(1.0, m_l, 2.0 * m_l * (1.0 + d)) for d in (1e-7, 1e-8))
    assert near / nearer == pytest.approx(10.0**1.5, rel=1e-6, abs=0.0)
    assert width_leptons(1.0, m_l, 1e3 * m_l) == pytest.approx(1e3 * m_l / (8.0 * math.pi), rel=1e-5, abs=0.0)


def test_photon_width_of_heavy_lepton():
    """alpha^2 m_S^3 g^2/(144 pi^3 m^2) below a heavy loop, 1e-4; fails if the prefactor of Eq. 5 is off."""
    g, m_S = Couplings(0.0, 0.0, 1.0), 0.02
    expected = ALPHA**2 * m_S**3 / (144.0 * math.pi**3 * M_TAU**2)
    assert width_photons(g, m_S) == pytest.approx(expected, rel=1e-4, abs=0.0)


def test_decay_lengths(reference):
    """Eq. 9 for both models, from 0.25 to 100 GeV, to 1e-10; fails if E is taken for p."""
    for row in reference("model")["decay_length"]:
        width = total_width(MODELS[row["model"]](float(row["g_mu"])), float(row["m_S"]))
        _close(decay_length(float(row["E_S"]), float(row["m_S"]), width), row["L_cm"])


def test_paper_decay_lengths():
    """Eqs. 10-11: 25 cm (A, ee alone) and 20 m (B) at 3 GeV, 5e-4, 100 MeV, to 3 %; fails if units slip."""
    assert decay_length(3.0, 0.1, total_width(model_A(5e-4), 0.1, ee_only=True)) == pytest.approx(
        25.0, rel=0.03, abs=0.0
    )
    assert decay_length(3.0, 0.1, total_width(model_B(5e-4), 0.1)) == pytest.approx(2000.0, rel=0.03, abs=0.0)
    assert decay_length(3.0, 0.1, 0.0) == math.inf


def test_models():
    """Model A follows the lepton masses, B has the muon alone; fails if a coupling goes to another lepton."""
    assert model_A(M_MU)[:3] == pytest.approx((M_E, M_MU, M_TAU), rel=1e-15, abs=0.0)
    assert model_B(0.3) == (0.0, 0.3, 0.0, 0.0, 0.0)


def _plain(t, name, Z, A):
    """Eqs. A1 and A2 as they are printed; `tsai` without the square of the nucleon bracket."""
    a, d = 111.0 * Z ** (-1 / 3) / M_E, 0.164 * A ** (-2 / 3)
    elastic = (a * a * t / (1 + a * a * t)) ** 2 * (1 / (1 + t / d)) ** 2 * Z**2
    a_in = 773.0 * Z ** (-2 / 3) / M_E
    bracket = (1 + t / (4 * M_P**2) * (MU_P**2 - 1)) / (1 + t / 0.71) ** 4
    inelastic = (a_in**2 * t / (1 + a_in**2 * t)) ** 2 * bracket ** {"paper": 2, "tsai": 1, "elastic": 0}[name] * Z
    return elastic, 0.0 if name == "elastic" else inelastic


@pytest.mark.parametrize(
    ("name", "target"), [("paper", "H"), *((n, t) for n in ("paper", "tsai", "elastic") for t in ("Be", "W", "Pb"))]
)
def test_form_factor(name, target):
    """G2 from 1e-16 to 1e4 GeV^2 against Appendix A written out, 1e-12; fails if n = 1 and n = 2 are swapped."""
    material = ELEMENTS[target]
    ff = form_factor(name, material.Z, material.A)
    for t in np.geomspace(1e-16, 1e4, 101):
        elastic, inelastic = _plain(t, name, material.Z, material.A)
        assert G2_elastic(t, ff) == pytest.approx(elastic, rel=1e-12, abs=0.0)
        assert G2_inelastic(t, ff) == pytest.approx(inelastic, rel=1e-12, abs=0.0)
        assert G2(t, ff) == pytest.approx(elastic + inelastic, rel=1e-12, abs=0.0)


def test_form_factor_limits():
    """G2 vanishes as t^2 (screening, 1e-4), and is Z^2 between atom and nucleus, 1 %; fails if it is taken linearly."""
    ff = form_factor("paper", 1.0, 1.00794)
    assert G2(2e-18, ff) / G2(1e-18, ff) == pytest.approx(4.0, rel=1e-4, abs=0.0)
    assert G2(0.0, ff) == 0.0
    ff = form_factor("elastic", 82.0, 207.2)
    assert G2(2e-6, ff) == pytest.approx(82.0**2, rel=0.01, abs=0.0)


def test_form_factor_names():
    """Exactly the documented names; fails if one is dropped or renamed without notice."""
    assert {"paper", "tsai", "elastic"} <= set(FORM_FACTORS)
    with pytest.raises(KeyError):
        form_factor("none", 1.0, 1.0)


@pytest.mark.parametrize(("mediator", "massless"), [("scalar", 1.5), ("pseudoscalar", -0.5), ("vector", 1.0)])
def test_g2_limits(mediator, massless):
    """A massless boson shifts a_mu by a textbook fraction of g^2/8 pi^2; fails for a wrong numerator."""
    assert delta_a_mu(1.0, 1e-9, mediator) * 8.0 * math.pi**2 == pytest.approx(massless, rel=1e-6)


def test_g2_of_an_axial_vector():
    """-5/12 pi^2 (m_mu/m_S)^2 if heavy, (2 m_mu/m_S)^2 times a pseudoscalar if light; fails if that part is lost."""
    heavy, light = 1e4, 1e-6
    assert delta_a_mu(1.0, heavy, "axial") * (heavy / M_MU) ** 2 == pytest.approx(-5.0 / (12.0 * math.pi**2), rel=1e-6)
    goldstone = (2.0 * M_MU / light) ** 2 * delta_a_mu(1.0, light, "pseudoscalar")
    assert delta_a_mu(1.0, light, "axial") == pytest.approx(goldstone, rel=1e-6)
