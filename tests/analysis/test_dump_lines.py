"""Lines of past beam dumps: against published edges, and the stored line of E137 against its card."""

from __future__ import annotations

import pytest

from mcgen import load_card
from mcgen.analysis.crossings import intervals
from mcgen.analysis.dump_lines import dump_line
from mcgen.analysis.event_signal import signal_of
from mcgen.analysis.reach import reach
from mcgen.generation.generate import generate
from mcgen.report.paper import PUBLISHED_DUMPS


def test_line_of_e137():
    """The stored line is the contour of the card: other events at three masses, one between two of the line's, 1 %.

    Fails if the card or the physics changes and the line does not, or if another rule than any daughter made it.
    """
    masses = [0.002, 0.05, 0.2]
    card = load_card("e137")
    assert (card.detector.daughters, card.detector.half_width) == ("any", (150.0, 150.0))
    for m_S, point in zip(masses, dump_line("e137", masses), strict=True):
        events = generate(card, m_S, 60_000, seed=4, workers=2)
        ((low, high),) = intervals(signal_of(events, card, "A", m_S), 3.0)
        assert (point.g_low, point.g_high) == pytest.approx((low, high), rel=0.01)


def test_line_beyond_the_stored_one():
    """Below the first mass of the line, here where only photons are left, it is computed; fails for an extension."""
    (direct,) = reach(load_card("e137"), ["A"], [0.9e-3])
    assert dump_line("e137", [0.05, 0.9e-3])[1] == direct


@pytest.mark.parametrize(("name", "m_S", "low", "high"), PUBLISHED_DUMPS)
def test_dumps_meet_published_edges(name, m_S, low, high):
    """Upper edges to 10 % up to 100 MeV, lower edges to 6 % for E137 and 10 % for Orsay.

    Fails for a wrong shield or track length, or if both daughters must hit E137's calorimeter, or none.
    """
    (point,) = reach(load_card(name.lower()), ["A"], [m_S])
    assert point.g_low == pytest.approx(low, rel=0.06 if name == "E137" else 0.1)
    if m_S <= 0.1:
        assert point.g_high == pytest.approx(high, rel=0.1)
