"""Published projections and data beside ours."""

from __future__ import annotations

import math

import pytest

from mcgen import load_card, reach
from mcgen.report import published
from mcgen.report.published import m3, m3_card, m3_choices, m3_lines, muon_collider_dumps, na64mu_efficiencies


@pytest.fixture(scope="module")
def choices():
    """Ratios of M3's phase 2, by the name of what is changed."""
    header, rows = m3_choices()
    return _masses(header), {name: [float(x) for x in row] for name, *row in rows}


def _masses(header):
    """Masses of a header in MeV."""
    units = {"MeV": 1, "GeV": 1000}
    return [round(float(value) * units[unit]) for value, unit in (text.split() for text in header[1:])]


def test_lines_of_m3():
    """Ours meet the published ones to 2.5 % from 24 to 860 MeV; the last point of phase 1 is digitised 2.5 % too low.

    At 301 MeV that holds for our line drawn straight from 204 to 502 MeV, as theirs is; itself it is 7 % below. Fails
    for IWW, for another cut, and for 40 X0.
    """
    rows = list(m3())
    assert len(rows) == 16
    for row in rows:
        exception = {"m3-phase1, g at 858.9 MeV": 0.05}.get(row.what, 0.08 if row.comment else 0.025)
        assert abs(row.deviation) < exception, row
    inside = [row for row in rows if row.comment]
    assert [round(row.deviation, 2) for row in inside] == [-0.07, -0.07]


def test_their_line_is_straight():
    """Between 204 and 502 MeV the stored points of both phases lie on a power law, 1.5 %; fails for a line that bends.

    It is why ours, which bends there, is compared with its chord.
    """
    for line in m3_lines():
        points = {round(1e3 * m): (m, g) for m, g in zip(line.masses, line.couplings, strict=True)}
        (m0, g0), (m1, g1), (m2, g2) = (next(v for k, v in points.items() if k // 100 == n) for n in (2, 3, 5))
        chord = g0 * (g2 / g0) ** (math.log(m1 / m0) / math.log(m2 / m0))
        assert chord == pytest.approx(g1, rel=0.015)


def test_phases_of_m3():
    """Both cards differ in the number of muons alone, by a thousand; fails if one has another target or cut."""
    one, two = (load_card(f"m3-phase{n}") for n in (1, 2))
    assert (one.target, one.detector) == (two.target, two.detector)
    low = [reach(m3_card(card.name), "Lmu-Ltau", 0.1, 2.3)[0].g_low for card in (one, two)]
    assert low[0] / low[1] == pytest.approx(math.sqrt(1000.0), rel=1e-9)


def test_what_the_line_of_m3_depends_on(choices):
    """Each choice that was not taken misses the published line by more than the one that was; fails for a tie."""
    masses, ratios = choices
    places = [masses.index(m) for m in (24, 49, 100, 204, 502, 854)]

    def worst(name):
        return max(abs(ratios[name][i] - 1.0) for i in places)

    taken = next(iter(ratios))
    assert worst(taken) < 0.02
    for name, least in (
        ("IWW", 0.3),
        ("no cut", 0.3),
        ("x > 0.3", 0.1),
        ("x > 0.5", 0.15),
        ("form factor elastic", 0.09),
        ("form factor helm", 0.1),
        ("40 X0 instead of 50", 0.1),
        ("decays of L_mu - L_tau, neutrinos alone invisible", 0.3),
    ):
        assert worst(name) > least, name
    # of both ways to print A2 the published line above 860 MeV has the paper's
    assert abs(ratios[taken][-1] - 1.0) < 0.1 < abs(ratios["form factor tsai, as in the card"][-1] - 1.0)


def test_na64mu():
    """The limit is 2.303 events, and the efficiencies are where it crosses the ends of the band; fails for 3 events."""
    assert published.na64mu_limit() == pytest.approx(math.log(10.0), rel=1e-6)
    found = {one.mass_gev: one for one in na64mu_efficiencies()}
    card = load_card("na64mu-2022").with_boson("vector", "Lmu-Ltau").model_copy(update={"search": None})
    for m in (0.001, 0.1):
        one = found[m]
        for share, g in ((one.some, one.band_high), (one.all, one.band_low)):
            (point,) = reach(card, "Lmu-Ltau", m, published.na64mu_limit() / share)
            assert point.g_low == pytest.approx(g, rel=1e-3)
    low, high = published.na64mu_range()
    assert low < min(one.some for one in found.values()) + 1e-12
    assert high > max(one.all for one in found.values()) - 1e-12
    assert 0.015 < low < 0.02 < 0.1 < high < 0.12


def test_na64mu_predictions():
    """A scalar and a pseudoscalar are seen from larger couplings than a vector; fails for an infinite number."""
    rows = published.na64mu_predictions([0.01, 0.2])
    assert len(rows) == 6
    light = {mediator: row for mediator, _, m, *row in rows if m == 10.0}
    assert all(v < s < p for v, s, p in zip(*(light[k] for k in ("vector", "scalar", "pseudoscalar")), strict=True))
    heavy = {mediator: row for mediator, _, m, *row in rows if m == 200.0}
    assert heavy["pseudoscalar"] == ["none"] * 3  # it decays to photons before it leaves the calorimeters


def test_dumps_of_muon_colliders():
    """IWW sees 2 to 15 % smaller couplings than the exact amplitude, and no edge is lost; fails if both are one."""
    rows = list(muon_collider_dumps())
    assert len(rows) == 18
    low = [row.deviation for row in rows if row.what.endswith("g_low")]
    high = [row.deviation for row in rows if row.what.endswith("g_high")]
    assert 0.01 < min(low) < max(low) < 0.15
    assert -0.04 < min(high) < max(high) < -0.004
