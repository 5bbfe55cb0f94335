"""Contours at a limit with bands: each end is where N_S is that limit, intervals that belong together share a row."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest
from searching import searching

from mcgen import generate, load_card, n_signal, reach, reach_from_events, save
from mcgen.analysis.crossings import intervals, intervals_at
from mcgen.analysis.reach import EVENTS
from mcgen.analysis.reach_rows import Found, document, rows_of, write_csv
from mcgen.analysis.reweight import signal_of
from mcgen.analysis.signal_edges import FewEventsWarning, found_of
from mcgen.analysis.threshold import Limit, limit_of
from mcgen.analysis.variations import changed
from mcgen.base.errors import InputError
from mcgen.base.units import Range
from mcgen.cli import main
from mcgen.statistics.limits import Bands

BANDS = Bands._fields
PLACE = ("x", "A", "exact", 0.1)


@pytest.mark.parametrize(("card", "model"), [("fermilab", "A"), ("na64mu-run4", "B")])
def test_ends_are_at_their_limits(card, model):
    """N_S at each end is the number of events that it stands for, 1e-5; fails if two bands are exchanged."""
    card = searching(card, 'background = 5\nobserved = 9\nmethod = "cls"')
    (point,) = reach(card, [model], [0.1])
    assert point.limit_events == limit_of(card).events
    ends = {point.g_low: point.limit_events, point.g_high: point.limit_events}
    for name in BANDS:
        ends |= {getattr(point, name): point.limits[name], getattr(point, f"{name}_high"): point.limits[name]}
    found = n_signal(card, model, 0.1, list(ends))
    assert [n.value for n in found] == pytest.approx(list(ends.values()), rel=1e-5)
    lows = [getattr(point, name) for name in BANDS]
    assert lows == sorted(lows)
    assert lows[-2] < point.g_low < lows[-1]  # 9 observed are between 1 and 2 sigma above


def test_without_a_search_nothing_changes():
    """A card without [search] has the range of its N_S > 3 to the last bit and no other column; fails for 2.996."""
    card = load_card("fermilab")
    table = reach(card, ["A"], [0.1])
    assert table.columns == ["experiment", "model", "production", "mass_gev", "g_low", "g_high"]
    assert reach(card, ["A"], [0.1], 3.0) == table
    with pytest.raises(InputError, match=r"n_signal.*\[search\]"):
        reach(searching("fermilab", "background = 1"), ["A"], [0.1], 3.0)


def test_a_mass_that_is_only_expected_to_be_excluded():
    """Many events observed leave nothing excluded where the median would; fails if that mass has no row of bands."""
    card = searching("fermilab", 'background = 2\nobserved = 12\nmethod = "cls"')
    masses = np.linspace(0.2118, 0.2122, 9).tolist()
    points = [p for p in reach(card, ["A"], masses) if p.g_low is None and p.expected is not None]
    assert points
    for p in points:
        assert [n.value for n in n_signal(card, "A", p.mass_gev, [p.expected, p.expected_high])] == pytest.approx(
            [p.limits["expected"]] * 2, rel=1e-5
        )


def test_intervals_that_belong_together():
    """Ranges at a lower limit hold those at a higher one, and each island has a row of its own.

    Fails if an island that is expected alone is lost, or if a gap that closes loses one of its sides.
    """
    limit = Limit(3.0, "cls", 0.95, 0, Bands(1.0, 2.0, 3.0, 4.0, 5.0))
    found = Found(
        {
            1.0: ((0.9, 9.0), (20.0, 30.0)),
            2.0: ((1.0, 8.0),),
            3.0: ((2.0, 3.0), (5.0, 7.0)),
            4.0: ((2.1, 2.2), (2.6, 2.8), (5.5, 6.0)),
            5.0: (),
        }
    )
    first, second, island = rows_of(PLACE, limit, found)
    assert (first.g_low, first.g_high, second.g_low, second.g_high) == (2.0, 3.0, 5.0, 7.0)
    for row in (first, second):
        assert (row.minus_2, row.minus_2_high) == (0.9, 9.0)
        assert (row.minus_1, row.minus_1_high) == (1.0, 8.0)
        assert (row.expected, row.expected_high) == (row.g_low, row.g_high)
        assert (row.plus_2, row.plus_2_high) == (None, None)
    assert (first.plus_1, first.plus_1_high) == (2.1, 2.8)
    assert (second.plus_1, second.plus_1_high) == (5.5, 6.0)
    assert island.g_low is island.expected is None
    assert (island.minus_2, island.minus_2_high) == (20.0, 30.0)


def test_a_fluctuation_that_excludes_everything(tmp_path):
    """At -2 sigma of b = 5 by method poisson the limit is 0 events: no end, no NaN; fails for an end of 1e-12."""
    card = searching("fermilab", "background = 5\nobserved = 3")
    seen, not_seen = reach(card, ["A"], [0.1, 0.25])
    assert seen.limits["minus_2"] == 0.0
    assert seen.minus_2 is seen.minus_2_high is None
    assert seen.minus_1 < seen.expected < seen.plus_1
    assert not_seen.g_low is not_seen.expected is not_seen.minus_2 is None
    assert json.loads(json.dumps(document(seen), allow_nan=False))["minus_2"] is None
    write_csv([seen, not_seen], tmp_path / "r.csv")
    with (tmp_path / "r.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    names = list(rows[0])
    assert names[:6] == ["experiment", "model", "production", "mass_gev", "g_low", "g_high"]
    assert names[6:10] == ["limit_events", "method", "observed", "confidence"]
    assert float(rows[0]["plus_1"]) == seen.plus_1
    assert rows[0]["minus_2"] == rows[1]["g_low"] == ""


def test_several_thresholds_cost_little():
    """Six limits cost less than three, and each has the range of a search of its own; fails for six searches."""
    calls = []

    def signal(g):
        calls.append(g.size)
        return 1e12 * g**2 * np.exp(-np.minimum(1e7 * g**2, 700.0))

    thresholds = [3.0, 7.0, 2.5, 3.5, 5.0, 9.0]
    together = intervals_at(signal, thresholds)
    cost, alone = sum(calls), []
    for threshold in thresholds:
        alone += intervals(signal, threshold)
    assert cost < 0.5 * (sum(calls) - cost)
    np.testing.assert_allclose([one[0] for one in together], alone, rtol=1e-7)
    assert together[0] == (alone[0],)
    assert intervals_at(signal, [3.0, 0.0])[1] == ((1e-12, math.inf),)
    assert intervals_at(np.zeros_like, [3.0, 0.0]) == [(), ()]


def test_traced_lines_of_bands():
    """Between traced masses the lines of a band are straight to 1 %; fails if only the observed one is traced."""
    card = searching("fermilab", 'background = 5\nobserved = 9\nmethod = "cls"')
    line = reach(card, ["A"], Range((0.1, 0.25)), workers=2)
    (there,) = reach(card, ["A"], [0.17])
    for name in ("g_low", "minus_2", "expected_high", "plus_2"):
        known = [(p.mass_gev, getattr(p, name)) for p in line if getattr(p, name) is not None]
        m, g = np.log(np.array(known)).T
        assert np.exp(np.interp(math.log(0.17), m, g)) == pytest.approx(getattr(there, name), rel=0.01)


def test_errors_of_contours_from_events():
    """Ends from 24 seeds scatter as their errors say, chi^2 of 23 within 0.1 %; fails without the slope of N_S."""
    card = load_card("fermilab-3d")
    found = []
    for seed in range(24):
        events = generate(card, 0.1, 2000, seed=100 + seed)
        one = found_of([(1.0, signal_of(events, card, "A", 0.1))], limit_of(card))
        ((low, high),), ((low_error, high_error),) = one.ranges[3.0], one.errors
        found.append((low, low_error, high, high_error))
    low, low_error, high, high_error = np.array(found).T
    for g, error in ((low, low_error), (high, high_error)):
        assert 7.5 < np.sum(((g - g.mean()) / error) ** 2) < 49.7


def test_errors_in_rows(tmp_path, capsys):
    """Rows from a file have errors, those of a quadrature none, in every output; fails if one is left out."""
    card = load_card("fermilab")
    save(generate(card, 0.1, EVENTS), tmp_path / "e.root")
    (point,) = reach_from_events(tmp_path / "e.root", ["A"])
    (exact,) = reach(card, ["A"], [0.1])
    assert exact.g_low_error is None
    assert abs(point.g_low - exact.g_low) < 4.0 * point.g_low_error < 0.02 * point.g_low
    assert main(["reach", "--events", str(tmp_path / "e.root"), "--model", "A", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["g_low_error"], row["g_high_error"]) == (point.g_low_error, point.g_high_error)
    assert "expected" not in row
    assert main(["reach", "--events", str(tmp_path / "e.root"), "--model", "A", "--method", "cls"]) == 0
    out = capsys.readouterr().out
    assert "95 % CL, CLs, expected, b = 0: 2.996 signal events" in out
    assert "(" in out.splitlines()[-2]


def test_few_events_are_said(tmp_path, capsys):
    """Where muons stop in the target the last S decide on the upper end; fails if it has an error and no warning."""
    card = changed(load_card("fermilab"), target={"material": "Fe", "dE_dy": None})
    (exact,) = reach(card, ["A"], [0.1])
    save(generate(card, 0.1, 2000), tmp_path / "e.root")
    with pytest.warns(FewEventsWarning, match="an end of the contour at 100 MeV rests on"):
        (point,) = reach_from_events(tmp_path / "e.root", ["A"])
    assert exact.g_high - point.g_high > 10.0 * point.g_high_error
    assert main(["reach", "--events", str(tmp_path / "e.root"), "--model", "A"]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "effective events" in line


def test_pyhf_at_the_end_of_a_contour(tmp_path, capsys):
    """pyhf finds CLs = 1 - confidence, 1 %, at the coupling that `reach` prints; fails for an exact limit."""
    pyhf = pytest.importorskip("pyhf")
    lines = 'background = 3\nbackground_error = 1\nobserved = 4\nconfidence = 0.9\nmethod = "cls"'
    card = searching("fermilab", lines)
    (tmp_path / "card.toml").write_text(card.text)
    command = ["reach", str(tmp_path / "card.toml"), "--mass", "0.1", "--model", "A", "--calctype", "asymptotics"]
    assert main([*command, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    signal = n_signal(card, "A", 0.1, row["g_low"]).value
    assert signal == pytest.approx(row["limit_events"], rel=1e-5)
    samples = [
        {"name": "s", "data": [signal], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]},
        {"name": "b", "data": [3.0], "modifiers": [{"name": "error", "type": "shapesys", "data": [1.0]}]},
    ]
    model = pyhf.Model({"channels": [{"name": "bin", "samples": samples}]}, validate=False)
    found = pyhf.infer.hypotest(1.0, [4.0, *model.config.auxdata], model, test_stat="qtilde")
    assert float(found) == pytest.approx(0.1, rel=0.01)
    assert row["limit_events"] != pytest.approx(limit_of(card).events, rel=0.02)


def test_limits_on_the_command_line(tmp_path, capsys):
    """Each card has its own limit, options come before cards; fails if one card's limit is used for the other."""
    for name, lines in (("na64mu-run4", "background = 2\nobserved = 3"), ("fermilab", 'method = "cls"')):
        (tmp_path / f"{name}.toml").write_text(searching(name, lines).text)
    cards = [str(tmp_path / f"{name}.toml") for name in ("na64mu-run4", "fermilab")]
    command = ["reach", *cards, "--mass", "10MeV", "--model", "B"]
    assert main([*command, "--json"]) == 0
    one, two = json.loads(capsys.readouterr().out)
    assert [row["method"] for row in (one, two)] == ["poisson", "cls"]
    assert [row["observed"] for row in (one, two)] == [3, None]
    assert two["limit_events"] == two["limits"]["expected"] == pytest.approx(2.9957, abs=1e-4)
    assert main([*command, "--method", "cls", "--confidence", "0.9"]) == 0
    title = capsys.readouterr().out.splitlines()[:2]
    assert title[0].startswith("na64mu-run4: 90 % CL, CLs, 3 observed, b = 2: ")
    assert title[1] == "fermilab: 90 % CL, CLs, expected, b = 0: 2.303 signal events"
    for wrong in (["--n-signal", "3"], ["--method", "nonsense"], ["--confidence", "0.3"], ["--calctype", "toys"]):
        assert main([*command, *wrong]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert len(err.splitlines()) == 1
