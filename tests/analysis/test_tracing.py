"""Traced lines: smooth to a percent wherever they are looked at, with thresholds and ends."""

from __future__ import annotations

import bisect
import csv
import math
import warnings

import numpy as np
import pytest

from mcgen import load_card, reach
from mcgen.analysis import reach as contours
from mcgen.analysis.reach import FROM_EVENTS, CoarseLineWarning
from mcgen.analysis.tracing import trace
from mcgen.analysis.variations import changed
from mcgen.base.constants import M_E, M_MU
from mcgen.base.units import Range, parse_list
from mcgen.card.card import card_text, parse_card
from mcgen.cli import main

pytestmark = [pytest.mark.first, pytest.mark.usefixtures("nodes_kept")]

SPAN = Range((1e-3, 0.25))


def lines(points):
    """Ranges per model and mass."""
    found = {}
    for p in points:
        row = found.setdefault((p.model, p.mass_gev), [])
        if p.g_low is not None:
            row.append((p.g_low, p.g_high))
    return found


def between(traced, model, m):
    """Ranges at a mass on straight lines in log-log between traced masses; None where their number changes."""
    masses = sorted(mass for name, mass in traced if name == model)
    right = bisect.bisect(masses, m)
    one, two = (traced[model, masses[i]] for i in (right - 1, right))
    if len(one) != len(two):
        return None
    share = math.log(m / masses[right - 1]) / math.log(masses[right] / masses[right - 1])
    return [
        tuple(a ** (1.0 - share) * b**share if b < math.inf else math.inf for a, b in zip(*both, strict=True))
        for both in zip(one, two, strict=True)
    ]


CASES = [("fermilab", None, 0.0), ("na64", None, 0.0), ("na64", "vector", 1e-3), ("orsay", "pseudoscalar", 0.0)]


@pytest.mark.parametrize(("name", "mediator", "invisible"), CASES)
def test_a_percent_everywhere(name, mediator, invisible):
    """Both ends of each range at 40 masses of no grid lie within 1 % of the traced line.

    Fails where a line bends between two of its masses: behind 2 m_e, at 2 m_mu, where a region closes, in a gap.
    """
    card = changed(load_card(name).with_boson(mediator), scalar={"invisible": invisible})
    traced = lines(reach(card, masses=SPAN, workers=2))
    rng = np.random.default_rng(3)
    inside = [*np.exp(rng.uniform(*np.log(SPAN), 30)), *np.exp(rng.normal(math.log(2.0 * M_MU), 3e-3, 10))]
    checked = 0
    for (model, m), ranges in lines(reach(card, masses=inside, workers=2)).items():
        line = between(traced, model, m)
        if line is None:  # a region or a gap that is narrower than that
            continue
        checked += 1
        np.testing.assert_allclose(np.array(line), np.array(ranges), rtol=0.01)
    assert checked >= 39 * len(card.scan.models)


def test_thresholds_and_ends():
    """2 m_e and 2 m_mu are on the line, and where the region closes both ends are within 2 %.

    Fails for a grid that ends before the region does.
    """
    traced = lines(reach(load_card("fermilab"), ["A"], SPAN, workers=2))
    masses = [m for _, m in traced]
    assert {2.0 * M_E, 2.0 * M_MU, *SPAN} <= set(masses)
    last = max(m for (_, m), ranges in traced.items() if ranges)
    ((low, high),) = traced["A", last]
    assert high / low < 1.05
    after = min(m for m in masses if m > last)
    assert math.log(after / last) < 1e-3
    assert len(masses) < 200


def test_gap_on_a_traced_line():
    """Where the gap of an invisible decay opens and where the lower range ends, both branches meet within 5 %.

    Fails for a line that joins branches across a gap.
    """
    card = changed(load_card("na64").with_boson("vector", "dark-photon"), scalar={"invisible": 1e-3})
    traced = lines(reach(card, ["dark-photon"], Range((5e-3, 0.06)), workers=2))
    two = sorted(m for (_, m), ranges in traced.items() if len(ranges) == 2)
    first, last = traced["dark-photon", two[0]], traced["dark-photon", two[-1]]
    assert first[1][0] / first[0][1] < 1.05
    assert last[0][1] / last[0][0] < 1.05
    assert [len(traced["dark-photon", m]) for m in (5e-3, 0.06)] == [1, 1]


def test_a_line_with_a_jump():
    """A jump is found to 1e-5 in the mass, and a tip like a square root is drawn to its end; the budget is kept.

    Fails for a search that stops at equal numbers of ranges.
    """

    def at(masses):
        return [
            (((1.0, 2.0) if m < 0.0123456 else (3.0, 9.0),), ((1.0, 1.0 + math.sqrt(0.05 - m)),) if m < 0.05 else ())
            for m in masses
        ]

    found, smooth = trace(at, [1e-3, 1.0], 0.01, 1000)
    assert smooth
    masses = list(found)
    place = bisect.bisect(masses, 0.0123456)
    assert math.log(masses[place] / masses[place - 1]) < 1e-5
    last = max(m for m in masses if found[m][1])
    assert found[last][1][0][1] < 1.04
    few, smooth = trace(at, [1e-3, 1.0], 0.01, 20)
    assert not smooth
    assert len(few) == 20


def test_lines_from_events_are_bounded(monkeypatch):
    """A detector with a shape is traced through 20 masses at most, here 10, and warns; fails if it runs on."""
    assert FROM_EVENTS[1] == 20
    monkeypatch.setattr(contours, "FROM_EVENTS", (FROM_EVENTS[0], 10))
    card = changed(load_card("fermilab"), detector={"geometry": "3d", "radius": 50.0})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        points = reach(card, ["A"], Range((0.1, 0.25)), workers=2)
    assert len({p.mass_gev for p in points}) == 10
    assert [w.category for w in caught] == [CoarseLineWarning]


def test_lists(capsys, tmp_path):
    """'a:b:n:log' is geometric everywhere, 'a:b' is for lines alone; fails if it is taken for a list of two."""
    assert parse_list("1MeV:100MeV:3:log", "energy") == pytest.approx([1e-3, 1e-2, 0.1], rel=1e-12)
    assert parse_list("1e-6:1e-2:3:log") == parse_list("1e-6:1e-2:3", geometric=True)
    found = parse_list("1MeV:250MeV", "energy", traced=True)
    assert isinstance(found, Range)
    assert found == [1e-3, 0.25]
    for command in (
        ["generate", "na64", "-o", str(tmp_path / "e.root"), "--mass", "1MeV:250MeV"],
        ["xsec", "--target", "W", "--energy", "1:3", "--mass", "0.1"],
        ["crosscheck", "na64", "--mass", "1MeV:250MeV"],
        ["reach", "na64", "--mass", "250MeV:1MeV"],
        ["reach", "na64", "--mass", "0:1MeV"],
        ["reach", "na64", "--mass", "1MeV:1GeV:5:lin"],
        ["reach", "na64", "--mass", "0:1GeV:5:log"],
    ):
        assert main(command) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert len(err.splitlines()) == 1
    assert main(["reach", "na64", "--mass", "1MeV:100MeV:3:log", "--model", "A", "-o", str(tmp_path / "r.csv")]) == 0
    with (tmp_path / "r.csv").open() as stream:
        assert [float(row["mass_gev"]) for row in csv.DictReader(stream)] == pytest.approx([1e-3, 1e-2, 0.1])


def test_range_in_a_card():
    """A card's scan may be a range, and stays one through changes and text; fails if it becomes a list of two."""
    text = card_text("fermilab").replace('mass = "10 MeV, 30 MeV, 100 MeV, 200 MeV"', 'mass = "10 MeV:200 MeV"')
    card = parse_card(text)
    for one in (card, card.with_boson("vector"), parse_card(card.with_boson("vector").text)):
        assert isinstance(one.scan.mass, Range)
        assert one.scan.mass == [0.01, 0.2]
    text = text.replace("10 MeV:200 MeV", "10 MeV:200 MeV:3:log")
    assert parse_card(text).scan.mass == pytest.approx([0.01, math.sqrt(2e-3), 0.2], rel=1e-12)


def test_default_of_figures(tmp_path, capsys):
    """With --plot the card's span is traced through its masses, without it they are a list; the table shows those.

    Fails if a figure has as few masses as the table.
    """
    table = tmp_path / "r.csv"
    for arguments, traced in (([], False), (["--plot", str(tmp_path / "r.png")], True)):
        assert main(["reach", "fermilab", "--model", "A", "-o", str(table), "--overwrite", *arguments]) == 0
        with table.open() as stream:
            masses = [float(row["mass_gev"]) for row in csv.DictReader(stream)]
        assert set(load_card("fermilab").scan.mass) <= set(masses)
        assert (len(masses) > 8) == traced
        shown = [line.split()[3] for line in capsys.readouterr().out.splitlines() if "exact" in line]
        assert shown == ["10", "30", "100", "200"]
