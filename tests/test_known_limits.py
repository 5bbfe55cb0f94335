"""g-2, electron beam dumps, K_L and towers: what Fig. 5 and the outlook need beside the signal."""

import math

import numpy as np
import pytest
from mpmath import gamma, mp, mpf, quad

from mcgen import load_card
from mcgen.constants import AVOGADRO, M_MU
from mcgen.constraints import G2_SETS, constraints
from mcgen.contours import Tower, reach
from mcgen.errors import InputError
from mcgen.paper import PUBLISHED_DUMPS
from mcgen.physics.kaon import THRESHOLD, KaonModel, kaon_background, photon_spectrum
from mcgen.physics.muon_g2 import delta_a_mu, g_mu_for_shift
from mcgen.physics.thick_target import track_table, volterra_nu


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


def test_g2_inverse():
    """The inverse undoes Delta a_mu, and has no answer for the wrong sign; fails for a lost square root."""
    assert g_mu_for_shift(delta_a_mu(3e-4, 0.05), 0.05) == pytest.approx(3e-4, rel=1e-12)
    assert math.isnan(g_mu_for_shift(1e-9, 0.05, "pseudoscalar"))


def test_g2_bands():
    """The 2 sigma band of the paper's time at 100 MeV, and no band since 2025; fails for mixed-up data sets."""
    bnl = G2_SETS["g2-bnl"]
    assert bnl.coupling(0.1, -2.0) == pytest.approx(4.41e-4, rel=2e-3)
    assert bnl.coupling(0.1, 2.0) == pytest.approx(8.24e-4, rel=2e-3)
    assert G2_SETS["g2-wp2025"].coupling(0.1, -2.0) is None
    (limit,) = constraints(["g2-wp2025"], [0.1])
    assert limit.kind == "excluded"


def test_track_length():
    """Volterra's function and the track length above 2 GeV of a 20 GeV electron against mpmath to 1e-9 and 1e-3."""
    with mp.workdps(20):
        for L in (1e-8, 1e-3, 0.5, 2.3):
            exact = quad(lambda s, L=L: mpf(L) ** s / gamma(s + 1), [0, 0.05, 0.2, 1, 3, 10, 30, 80])
            assert volterra_nu(np.array([L]))[0] == pytest.approx(float(exact), rel=1e-9)

        def at_depth(t):
            b = mpf(4) / 3 * t
            top = mp.log(10) ** b / gamma(b + 1)
            return quad(lambda w: mp.exp(-((w * gamma(b + 1)) ** (1 / b))), [0, top])

        exact = quad(at_depth, [mpf(1) / 200, 0.2, 1, 3, 8, 20]) + mpf(1) / 200
    assert track_table(20.0, 2.0, 1024)[1] == pytest.approx(float(exact), rel=1e-3)


@pytest.mark.parametrize(("name", "m_S", "low", "high"), PUBLISHED_DUMPS)
def test_dumps_meet_published_edges(name, m_S, low, high):
    """Upper edges to 10 % up to 100 MeV, lower edges to 6 % for E137 and 10 % for Orsay.

    Fails for a wrong shield or track length, or if both daughters must hit E137's calorimeter, or none.
    """
    (point,) = reach(load_card(name.lower()), ["A"], [m_S])
    assert point.g_low == pytest.approx(low, rel=0.06 if name == "E137" else 0.1)
    if m_S <= 0.1:
        assert point.g_high == pytest.approx(high, rel=0.1)


def test_kaon_background_is_of_order_one():
    """1 to 10 K_L with the collision length, and exponential in it; fails for a lost unit."""
    card = load_card("fermilab")
    arguments = (card.beam.muons, 19.30 * AVOGADRO, card.beam.energy, card.target.loss, card.target.length, 300.0)
    few = kaon_background(*arguments)
    assert 1.0 < few < 10.0
    assert kaon_background(*arguments, KaonModel(attenuation_cm=9.94)) > 100.0 * few
    assert kaon_background(*arguments[:2], THRESHOLD, *arguments[3:]) == 0.0
    assert photon_spectrum(3.0, 3.0, 1.0) == 0.0


def test_tower_of_equal_masses():
    """N states without spacing scale N_S by N, so a quarter of the threshold; a_mu likewise. Fails if one is lost."""
    card = load_card("na64")
    (tower,) = reach(card, ["B"], [0.05], 4.0 * 3.0, tower=Tower(4, 0.0))
    (single,) = reach(card, ["B"], [0.05], 3.0)
    assert tower.g_low == pytest.approx(single.g_low, rel=1e-6)
    shift = G2_SETS["g2-bnl"]
    assert shift.coupling(0.05, 0.0, Tower(4, 0.0)) == pytest.approx(0.5 * shift.coupling(0.05, 0.0), rel=1e-12)


def test_constraints_are_checked():
    """An unknown name is refused with the nearest one."""
    with pytest.raises(InputError, match="did you mean 'e137'"):
        constraints(["e13"], [0.1])
