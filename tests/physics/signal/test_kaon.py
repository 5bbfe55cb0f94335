"""K_L behind the target (Eq. 22)."""

from __future__ import annotations

import math

import pytest
from scipy.integrate import dblquad

from mcgen import load_card
from mcgen.base.constants import AVOGADRO, M_MU
from mcgen.physics.signal.kaon import THRESHOLD, KaonModel, kaon_background, photon_spectrum
from mcgen.source.media import Medium


def test_kaon_background_is_of_order_one():
    """1 to 10 K_L with the collision length, and exponential in it; fails for a lost unit."""
    card = load_card("fermilab")
    arguments = (
        card.beam.particles_on_target,
        19.30 * AVOGADRO,
        card.beam.energy,
        Medium(card.target).loss,
        card.target.length,
        300.0,
    )
    few = kaon_background(*arguments)
    assert 1.0 < few < 10.0
    assert kaon_background(*arguments, KaonModel(attenuation_cm=9.94)) > 100.0 * few
    assert kaon_background(*arguments[:2], THRESHOLD, *arguments[3:]) == 0.0
    assert photon_spectrum(3.0, 3.0, 1.0) == 0.0


def test_kaon_background_by_another_rule():
    """Eq. 22 with the numbers of the paper by adaptive quadrature, 1e-3; fails if one of them moves."""
    n_muons, nucleons, E_beam, loss, target, detector = 1e12, 1.16e25, 3.0, 0.022, 86.0, 300.0
    m_K, tau_cm = 0.497611, 1534.0

    def spectrum(omega, E):
        y = omega / E
        q2 = (M_MU * y) ** 2 / (1.0 - y)
        terms = (1.0 + (1.0 - y) ** 2) * math.log(1.0 / q2) - 2.0 * (M_MU * y) ** 2 * (1.0 / q2 - 1.0)
        return max(0.0, terms / (2.0 * math.pi * 137.036 * omega)) if q2 < 1.0 else 0.0

    def integrand(omega, E):
        p = math.sqrt(max(1e-12, 0.25 * omega * omega - m_K * m_K))
        decays = 1.0 - math.exp(-detector * m_K / (p * tau_cm)) if p > 1e-6 else 0.0
        depth = (E_beam - E) / loss
        return spectrum(omega, E) * decays * math.exp(-(target - depth) / 5.72) / loss

    first = ((m_K + 1.18937) ** 2 - 0.938272**2) / (2.0 * 0.938272)
    lowest = max(first + M_MU, E_beam - target * loss)
    integral = dblquad(integrand, lowest, E_beam, first, lambda E: E - M_MU, epsrel=1e-5)[0]
    expected = n_muons * nucleons * 0.8e-30 * 0.5 * 0.68 * integral
    found = kaon_background(n_muons, nucleons, E_beam, loss, target, detector)
    assert found == pytest.approx(expected, rel=1e-3)
