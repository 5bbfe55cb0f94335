"""The number of signal events that counts as seen: 3, or the limit of a card's search."""

from __future__ import annotations

import pytest
from searching import searching

from mcgen import limit_events, load_card
from mcgen.analysis.threshold import Limit, figure_title, limit_of, title_of
from mcgen.base.errors import InputError

NA64MU = 'background = 0.07\nbackground_error = 0.03\nobserved = 0\nconfidence = 0.9\nmethod = "cls"'


def test_without_a_search():
    """3 events, nothing else; fails if a card without [search] gets 2.996, bands or another title."""
    limit = limit_of(load_card("fermilab"))
    assert limit == Limit(3.0, "threshold")
    assert limit.thresholds == (3.0,)
    assert limit.title == "More than 3 signal events"
    assert limit_of(load_card("fermilab"), n_signal=2.3).events == 2.3
    assert figure_title([limit]) == "$N_S$ > 3"


def test_of_a_search():
    """The card's limit and its bands, in order; fails if a number of the card is lost on the way."""
    known = {"background": 0.07, "background_error": 0.03, "confidence": 0.9, "method": "cls"}
    limit = limit_of(searching("na64mu-run4", NA64MU))
    assert limit.events == limit_events(0, **known)
    assert limit.bands.expected == limit_events(**known)
    assert limit.bands.minus_2 <= limit.bands.minus_1 <= limit.bands.expected <= limit.bands.plus_1 < limit.bands.plus_2
    assert limit.title == "90 % CL, CLs, 0 observed, b = 0.07 +- 0.03: 2.303 signal events"
    expected = limit_of(searching("fermilab", "background = 5"))
    assert expected.observed is None
    assert expected.events == expected.bands.expected == limit_events(background=5.0)
    assert limit_of(searching("fermilab", "efficiency = 0.5")).events == pytest.approx(2.9957, abs=1e-4)
    titles = title_of([("a", limit), ("b", expected)]).splitlines()
    assert [title.split(":")[0] for title in titles] == ["a", "b"]
    assert figure_title([limit, expected]) == ""


def test_what_is_asked_for_comes_first():
    """Method and confidence given take the place of the card's; fails if the card's stay, or 0 counts as not given."""
    card = searching("na64mu-run4", NA64MU)
    limit = limit_of(card, method="bayes", confidence=0.95)
    assert limit.events == limit_events(0, 0.07, 0.03, confidence=0.95, method="bayes")
    assert limit_of(load_card("fermilab"), method="cls", confidence=0.9).events == pytest.approx(2.302585, abs=1e-6)
    with pytest.raises(InputError, match="confidence"):
        limit_of(card, confidence=0.0)


def test_sums_of_bins():
    """The row has the sums of lists, errors in quadrature; fails if the first bin stands for all."""
    bins = 'method = "cls"\nbins = {variable = "S_E_gev", edges = "0.5, 1, 3 GeV"}'
    card = searching("fermilab", f"background = [2, 1]\nbackground_error = [0.3, 0.4]\nobserved = [0, 4]\n{bins}")
    assert limit_of(card).events == limit_events(4, 3.0, 0.5, method="cls")


@pytest.mark.parametrize(
    ("search", "asked", "words"),
    [
        (NA64MU, {"n_signal": 3.0}, ["n_signal", "na64mu-run4", "[search]"]),
        (None, {"n_signal": 3.0, "method": "cls"}, ["n_signal", "method"]),
        (None, {"n_signal": 0.0}, ["n_signal", "positive"]),
        (None, {"method": "cl"}, ["method", "cls"]),
        (None, {"method": "poisson", "calctype": "toys"}, ["calctype", "cls"]),
        ("background = 5\nobserved = 0", {}, ["observed", "every signal"]),
    ],
)
def test_refusals(search, asked, words):
    """One line that says what is wrong; fails if one of two limits is silently taken."""
    card = searching("na64mu-run4", search) if search else load_card("na64mu-run4")
    with pytest.raises(InputError) as error:
        limit_of(card, **asked)
    assert all(word in str(error.value) for word in words)
    assert "\n" not in str(error.value)
