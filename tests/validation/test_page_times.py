"""Times of the page are measured as they are said."""

from __future__ import annotations

import itertools
import shutil

import pytest

pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
from validation.page_times import COUNT, Times, chromium, measured, positions, table

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def test_positions():
    """No position comes twice, each is on the slider and next ones are apart; fails if one is that of an answer."""
    for count in (1, 2, COUNT, 40):
        found = positions(count)
        assert len({*found}) == count
        assert all(0 <= one <= 1000 for one in found)
        assert all(abs(a - b) >= 4 for a, b in itertools.pairwise(found))


def test_table():
    """The middle one of an odd number of times is said; fails if it is their mean."""
    said = table([Times("one", 1.0, 2.0, 3.0, (0.1, 0.9, 0.2)), Times("two", 4.0, 5.0, 6.0, (1.0, 2.0, 30.0))])
    assert (
        "| slider to numbers, median of 3 (fastest, slowest) | 0.200 (0.100, 0.900) | 2.000 (1.000, 30.000) |" in said
    )
    assert "| command to address | 1.00 | 4.00 |" in said


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium in the path")
def test_a_page():
    """A page that is moved twice has its times in the order of events; fails if a move is none."""
    with chromium() as browser:
        found = measured(browser, "fermilab", 2)
    assert 0.0 < found.page <= found.numbers
    assert found.address > 0.0
    assert len(found.moves) == 2
    assert min(found.moves) > 0.02  # the page waits so long for further moves
