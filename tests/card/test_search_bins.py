"""A search in bins: its variable, its edges, and numbers of events per bin."""

import pytest

from mcgen.base.errors import InputError
from mcgen.base.units import UNITS
from mcgen.card.card import card_text, parse_card
from mcgen.card.search_bins import BINNED
from mcgen.search.variables import DEPTH, VARIABLES

EVENTS = "background = [3.1, 1.2, 0.4]\nbackground_error = [0.5, 0.3, 0.2]\nobserved = [2, 1, 0]\n"
BINS = '[search.bins]\nvariable = "S_E_gev"\nedges = "0, 1000, 2000, 3000 MeV"\n'


def _search(text):
    return parse_card(f"{card_text('fermilab')}\n[search]\n{text}")


def test_variables_are_those_of_events():
    """A card bins in each number that events have, in the unit of its name; fails for a new variable without bins."""
    assert list(BINNED) == [*VARIABLES, DEPTH]
    for name, dimension in BINNED.items():
        unit = name.rsplit("_", 1)[-1]
        assert next(iter(UNITS[dimension])).lower() == unit if dimension else unit == name


@pytest.mark.parametrize(
    ("variable", "edges", "found"),
    [
        ("S_E_gev", '"0, 1000, 2000, 3000 MeV"', [0.0, 1.0, 2.0, 3.0]),
        ("S_E_gev", '"0:3 GeV:4"', [0.0, 1.0, 2.0, 3.0]),
        ("S_E_gev", "[0, 0.5, 3]", [0.0, 0.5, 3.0]),
        ("x", '"0:1:3"', [0.0, 0.5, 1.0]),
        ("S_theta_rad", '"1 mrad:100 mrad:3:log"', [1e-3, 1e-2, 0.1]),
        ("decay_z_cm", '"50 cm, 2 m"', [50.0, 200.0]),
    ],
)
def test_edges(variable, edges, found):
    """Edges are in the unit of the name, from a list or a text; fails if a unit or a range is read otherwise."""
    card = _search(f'[search.bins]\nvariable = "{variable}"\nedges = {edges}\n')
    assert card.search.bins.edges == pytest.approx(found, rel=1e-12)
    assert card.search.bins.count == len(found) - 1


def test_a_card_writes_its_bins():
    """A changed card as text has the same search; fails if a list is written as a number, or edges lose their unit."""
    card = _search(EVENTS + BINS)
    again = parse_card(card.model_copy(update={"name": "other"}).text)
    assert again.search == card.search


def test_counts():
    """Events per bin and in all: errors add in quadrature; fails if they add up straight, or zeros are refused."""
    counts = _search(EVENTS + BINS).search.counts
    assert counts == ([3.1, 1.2, 0.4], [0.5, 0.3, 0.2], [2, 1, 0])
    background, error, observed = counts.total
    assert (background, error, observed) == (pytest.approx(4.7), pytest.approx(0.38**0.5), 3)
    assert _search("background = 0.07\nobserved = 1").search.counts.total == (0.07, 0.0, 1)
    assert _search(BINS).search.counts == ([0.0] * 3, [0.0] * 3, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("background = [1.0, 2.0]", ["background", "[search.bins]"]),
        ("background = [1.0, 2.0]\n" + BINS, ["background", "3 bins", "not 2"]),
        ("observed = [1, 2, 3, 4]\n" + BINS, ["observed", "3 bins", "not 4"]),
        ("background = 2.0\n" + BINS, ["background", "list of 3 numbers"]),
        ("observed = [0, -1, 0]\n" + BINS, ["search.observed.1", "greater than or equal to 0"]),
        (BINS.replace("S_E_gev", "S_E"), ["search.bins.variable", "'S_E_gev'", "'decay_z_cm'"]),
        (BINS.replace("0, 1000, 2000, 3000 MeV", "1 cm, 2 cm"), ["search.bins.edges", "energy", "MeV"]),
        (BINS.replace('"0, 1000, 2000, 3000 MeV"', "[0, 2, 1]"), ["search.bins.edges", "must increase"]),
        (BINS.replace('"0, 1000, 2000, 3000 MeV"', "[1]"), ["search.bins.edges", "at least two"]),
        (BINS.replace('"0, 1000, 2000, 3000 MeV"', "3"), ["search.bins.edges", "a text"]),
        (BINS.replace('"0, 1000, 2000, 3000 MeV"', '"0 GeV:1 GeV:5000"'), ["search.bins.edges", "1001"]),
        (BINS.replace("edges", "edge"), ["search.bins.edge", "did you mean 'edges'"]),
    ],
)
def test_faults(text, words):
    """Faults are named with place and what is allowed."""
    with pytest.raises(InputError) as error:
        _search(text)
    for word in words:
        assert word in str(error.value)
