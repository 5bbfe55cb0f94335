"""Contours: towers, more muons, and detectors with a shape, whose contours come from events."""

from __future__ import annotations

import math

import pytest

from mcgen import load_card
from mcgen.analysis.constraints import G2_SETS
from mcgen.analysis.crossings import intervals
from mcgen.analysis.reach import EVENTS, Tower, reach
from mcgen.analysis.reweight import reweight, signal_of
from mcgen.analysis.variations import changed
from mcgen.base.errors import InputError
from mcgen.generation.generate import generate


def test_tower_with_states_above_threshold():
    """A state that cannot be made adds nothing; fails if it turns the sum into a NaN."""
    card = load_card("fermilab")
    (tower,) = reach(card, ["A"], [0.1], tower=Tower(3, 2.0))
    (single,) = reach(card, ["A"], [0.1])
    assert tower.g_low == pytest.approx(single.g_low, rel=1e-9)
    with pytest.raises(InputError):
        Tower(3, -0.05)


def test_more_muons_reach_further():
    """A thousand times the muons is sqrt(1000) in g_mu; fails if the two NA64mu cards differ otherwise."""
    cards = [load_card(name).model_copy(update={"search": None}) for name in ("na64mu-2022", "na64mu-run4")]
    few, many = (reach(card, ["B"], [0.01])[0].g_low for card in cards)
    assert few / many == pytest.approx(math.sqrt(2e13 / 1.98e10), rel=0.01)


def test_reach_of_a_detector_with_a_shape():
    """The contour from events is where N_S of other events is 3, 2 %; fails if it is the one of the whole detector."""
    card = changed(load_card("fermilab"), detector={"geometry": "3d", "radius": 50.0})
    (point,) = reach(card, ["A"], [0.1])
    (whole,) = reach(load_card("fermilab"), ["A"], [0.1])
    assert point.production == "events"
    assert point.g_low > 1.1 * whole.g_low
    found = reweight(generate(card, 0.1, 100_000, seed=9, workers=2), "A", [point.g_low, point.g_high]).n_signal
    assert found[0].value == pytest.approx(3.0, rel=0.04)
    with pytest.raises(InputError, match="exact"):
        reach(card, ["A"], [0.1], production="iww")


def test_events_and_quadrature_have_one_contour():
    """Of a card without a shape the contour from events is that of the quadrature, 1 %; fails if N_mu is lost."""
    card = load_card("na64mu-2022").model_copy(update={"search": None})
    events = generate(card, 0.1, EVENTS, workers=2)
    ((low, high),) = intervals(signal_of(events, card, "B", 0.1), 3.0)
    (point,) = reach(card, ["B"], [0.1])
    assert low == pytest.approx(point.g_low, rel=0.01)
    assert high == pytest.approx(point.g_high, rel=0.01)


def test_tower_of_equal_masses():
    """N states without spacing scale N_S by N, so a quarter of the threshold; a_mu likewise. Fails if one is lost."""
    card = load_card("na64")
    (tower,) = reach(card, ["B"], [0.05], 4.0 * 3.0, tower=Tower(4, 0.0))
    (single,) = reach(card, ["B"], [0.05], 3.0)
    assert tower.g_low == pytest.approx(single.g_low, rel=1e-6)
    shift = G2_SETS["g2-bnl"]
    assert shift.coupling(0.05, 0.0, Tower(4, 0.0)) == pytest.approx(0.5 * shift.coupling(0.05, 0.0), rel=1e-12)
