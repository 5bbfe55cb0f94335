"""Limits that are computed: g-2 and electron beam dumps, each for the bosons for which it holds."""

import math

import numpy as np
import pytest
from shown import boson

from mcgen import load_card
from mcgen.analysis.constraints import G2_SETS, NotDrawnWarning, Shift, constraints
from mcgen.analysis.constraints import computed as known
from mcgen.analysis.reach import Tower
from mcgen.base.constants import M_MU
from mcgen.base.units import Range
from mcgen.physics.boson.couplings import MODELS_OF
from mcgen.physics.boson.muon_g2 import delta_a_mu


def test_g2_inverse():
    """The inverse undoes Delta a_mu, and has no answer for the wrong sign; fails for a lost square root."""
    shift = Shift("of one boson", delta_a_mu(3e-4, 0.05), 0.0, "")
    assert shift.coupling(0.05, 0.0) == pytest.approx(3e-4, rel=1e-12)
    assert shift.coupling(0.05, 0.0, mediator="pseudoscalar") is None


def test_g2_bands():
    """The 2 sigma band of the paper's time at 100 MeV, and no band since 2025; fails for mixed-up data sets."""
    bnl = G2_SETS["g2-bnl"]
    assert bnl.coupling(0.1, -2.0) == pytest.approx(4.41e-4, rel=2e-3)
    assert bnl.coupling(0.1, 2.0) == pytest.approx(8.24e-4, rel=2e-3)
    assert G2_SETS["g2-wp2025"].coupling(0.1, -2.0) is None
    (limit,) = constraints(["g2-wp2025"], [0.1])
    assert limit.kind == "excluded"


@pytest.mark.parametrize(
    ("mediator", "at_10", "at_100"),
    [
        ("scalar", 3.19e-4, 4.99e-4),
        ("pseudoscalar", 3.78e-4, 4.82e-4),
        ("vector", 4.07e-4, 7.65e-4),
        ("axial", 1.7e-5, 1.5e-4),
    ],
)
def test_g2_of_each_mediator(mediator, at_10, at_100):
    """WP2025 leaves upper limits: 164e-11 for who lifts a_mu, 88e-11 for who lowers it; fails if all are scalars.

    To the digits they were given with, and to the one-loop shift.
    """
    (limit,) = constraints(["g2-wp2025"], [0.01, 0.1], boson(mediator), MODELS_OF[mediator])
    assert limit.models == MODELS_OF[mediator]
    assert limit.kind == "excluded"
    ((_, ((ten, _),)), (_, ((hundred, end),))) = limit.columns
    digits = 0.05 if mediator == "axial" else 2e-3
    assert (ten, hundred) == (pytest.approx(at_10, rel=digits), pytest.approx(at_100, rel=digits))
    assert end == math.inf
    shift = 164e-11 if mediator in ("scalar", "vector") else -88e-11
    assert delta_a_mu(ten, 0.01, mediator) == pytest.approx(shift, rel=1e-9)


def test_g2_bands_of_who_lowers_it():
    """A pseudoscalar has no preferred band: 5 sigma of the paper's set, and of WP2020 not even that, which is said.

    Fails for a band at couplings that make the discrepancy larger.
    """
    (limit,) = constraints(["g2-bnl"], [0.1], boson("pseudoscalar"))
    assert limit.kind == "excluded"
    assert "5 sigma" in limit.label
    ((_, ((low, _),)),) = limit.columns
    assert delta_a_mu(low, 0.1, "pseudoscalar") == pytest.approx((288 - 400) * 1e-11, rel=1e-9)
    for mediator in ("pseudoscalar", "axial"):
        with pytest.warns(NotDrawnWarning, match="g2-wp2020 .* lowers a_mu"):
            assert constraints(["g2-wp2020"], [0.1], boson(mediator), MODELS_OF[mediator]) == []
    band, _ = constraints(["g2-wp2020"], [0.1], boson("vector"), ["dark-photon"])
    assert band.kind == "preferred"
    ((_, ((low, high),)),) = band.columns
    assert delta_a_mu(low, 0.1, "vector") == pytest.approx((249 - 96) * 1e-11, rel=1e-9)
    assert delta_a_mu(high, 0.1, "vector") == pytest.approx((249 + 96) * 1e-11, rel=1e-9)


#: upper edges of E137 on a dark photon, eps: arXiv:1209.6083 fig. 2, digitised by others; e = 0.302822
E137_DARK_PHOTON = ((0.01, 4.09e-5), (0.03, 1.21e-5), (0.1, 2.89e-6), (0.2, 1.10e-6), (0.3, 3.14e-7))


def test_dumps_of_a_dark_photon(monkeypatch):
    """E137's upper edges for a dark photon to 5 %, also above 2 m_mu where only the pairs of electrons are seen.

    There the published line takes every S along the beam; with the angles nothing is left. Fails if the dump is that of
    a scalar, or if muons count in its calorimeter.
    """
    masses = [m for m, _ in E137_DARK_PHOTON]

    def upper_edges():
        (limit,) = constraints(["e137"], masses, boson("vector"), ["dark-photon"])
        return {m: ranges[0][1] / 0.302822 for m, ranges in limit.columns if ranges}

    light = {m: eps for m, eps in E137_DARK_PHOTON if m < 2.0 * M_MU}
    assert upper_edges() == pytest.approx(light, rel=0.05)
    card = load_card("e137")
    along = card.detector.model_copy(update={"geometry": "paper", "radius": None, "daughters": "both"})
    monkeypatch.setattr(
        "mcgen.analysis.constraints.computed.read_card", lambda _: card.model_copy(update={"detector": along})
    )
    known._scanned.cache_clear()
    assert upper_edges() == pytest.approx(dict(E137_DARK_PHOTON), rel=0.05)
    known._scanned.cache_clear()


def test_dumps_know_the_boson():
    """Decays of the figure's boson are those of the dump, and models without electrons are named in one line.

    Fails if an invisible width, a mediator or a model is ignored.
    """
    plain, dark = (constraints(["orsay"], [0.02], boson("vector", x), ["dark-photon"])[0] for x in (0.0, 0.9))
    ((_, ((low, high),)),), ((_, ((low_dark, high_dark),)),) = plain.columns, dark.columns
    assert low_dark > low
    assert high_dark < 0.5 * high
    with pytest.warns(NotDrawnWarning, match="orsay is not drawn: model Lmu-Ltau: electrons do not couple") as caught:
        (limit,) = constraints(["orsay"], [0.02], boson("vector"), MODELS_OF["vector"])
    assert limit.models == ("dark-photon",)
    assert len(caught) == 1
    with pytest.warns(NotDrawnWarning, match="e137 is not drawn: electrons do not couple"):
        assert constraints(["e137"], [0.02], boson("scalar"), ["B"]) == []


def test_dumps_of_a_tower():
    """Two states of one mass are one with twice the events; fails if the dump takes the lightest alone."""
    (tower,) = constraints(["orsay"], [0.02], boson("scalar", tower=Tower(2, 0.0)), ["A"])
    (single,) = constraints(["orsay"], [0.02], boson("scalar"), ["A"])
    ((_, ((low, _),)),), ((_, ((lower, _),)),) = single.columns, tower.columns
    assert lower == pytest.approx(low * 2.0**-0.25, rel=0.02)  # N_S rises as g^4 there


def test_constraints_have_masses_of_their_own():
    """E137 between two masses a hundred apart is known at 3 MeV to 1 %; fails if a figure's grid is taken."""
    (traced,) = constraints(["e137"], Range((2e-3, 0.2)), boson("scalar"), ["A"], 2)
    (there,) = constraints(["e137"], [3e-3], boson("scalar"), ["A"])
    ((_, ((low, high),)),) = there.columns
    m, ends = zip(*traced.columns, strict=True)
    for side, wanted in ((0, low), (1, high)):
        log_g = np.log([ranges[0][side] for ranges in ends])
        assert np.exp(np.interp(np.log(3e-3), np.log(m), log_g)) == pytest.approx(wanted, rel=0.01)


def test_muons_of_2022():
    """NA64mu at its lowest efficiency, for every boson: g of L_mu - L_tau at 1 MeV is 1.18e-4/sqrt(0.018) at 90 % CL.

    Reference: the number in the card's comment, which the report has too. Fails for an efficiency of 1.
    """
    (found,) = constraints(["na64mu"], [1e-3], boson("vector", model="Lmu-Ltau"), ["Lmu-Ltau"])
    ((_, ((low, _),)),) = found.columns
    assert low == pytest.approx(1.18e-4 / math.sqrt(0.018), rel=0.01)
    assert "efficiency 0.018, 90 % CL" in found.label
    for mediator in MODELS_OF:
        assert constraints(["na64mu"], [0.05], boson(mediator), [MODELS_OF[mediator][-1]])
    (dark,) = constraints(["na64mu"], [0.05], boson("vector", 0.9), ["dark-photon"])
    (plain,) = constraints(["na64mu"], [0.05], boson("vector", 0.9, model="Lmu-Ltau"), ["Lmu-Ltau"])
    assert dark.columns[0][1][0][0] == pytest.approx(plain.columns[0][1][0][0] / math.sqrt(0.9), rel=0.02)
