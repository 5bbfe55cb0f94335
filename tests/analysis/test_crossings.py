"""All ranges of couplings with a signal, against dense scans: gaps and islands, narrow or wide, open or not."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcgen import generate, load_card, n_signal, reach, save
from mcgen.analysis.crossings import HIGHEST, LOWEST, intervals
from mcgen.analysis.reach import Tower, reach_from_events
from mcgen.analysis.variations import changed
from mcgen.cli import main


def gap_card():
    """NA64 with a dark photon of which one in a thousand decays invisibly, which counts however early it happens."""
    card = load_card("na64").with_boson("vector", "dark-photon")
    return changed(card, scalar={"invisible": 1e-3, "mass": 0.01})


def dense(signal, threshold, low=LOWEST, high=HIGHEST, n=400_001):
    """Ranges of a scan by brute force."""
    g = np.geomspace(low, high, n)
    above = np.concatenate([[False], signal(g) > threshold, [False]])
    turns = np.flatnonzero(above[1:] != above[:-1])
    return [(g[a], g[b - 1]) for a, b in zip(turns[::2], turns[1::2], strict=True)]


def test_gap_of_an_invisible_decay():
    """N_S of 2.82, 1.76, 2.35 at 1.0, 1.2, 1.5e-4 lies in no range at 10 MeV; fails if the gap is reported as seen."""
    card = gap_card()
    low, high = reach(card, ["dark-photon"], [0.01])
    assert [n.value for n in n_signal(card, "dark-photon", 0.01, [1.0e-4, 1.2e-4, 1.5e-4])] == pytest.approx(
        [2.82, 1.76, 2.35], abs=0.005
    )
    assert low.g_high < 1.0e-4 < 1.5e-4 < high.g_low
    assert high.g_high == math.inf
    edges = n_signal(card, "dark-photon", 0.01, [low.g_low, low.g_high, high.g_low])
    assert [n.value for n in edges] == pytest.approx([3.0] * 3, rel=1e-5)


def test_gap_as_narrow_as_it_likes():
    """A threshold a millionth above the least N_S in between leaves a gap of 3e-4 in g, one below it none.

    Fails if the scan steps over what it does not hit.
    """
    card = gap_card()

    def at(g):
        return [n.value for n in n_signal(card, "dark-photon", 0.01, list(g))]

    g = np.geomspace(1.1e-4, 1.3e-4, 2001)
    least = min(at(g))
    assert len(reach(card, ["dark-photon"], [0.01], least * (1.0 - 1e-6))) == 1
    below, above = reach(card, ["dark-photon"], [0.01], least * (1.0 + 1e-6))
    assert 1e-5 < math.log(above.g_low / below.g_high) < 1e-2
    assert at([math.sqrt(above.g_low * below.g_high)])[0] < least * (1.0 + 1e-6)


kernels = st.tuples(st.floats(-8.0, 0.0), st.floats(-6.0, 10.0), st.floats(0.01, 3.0), st.booleans())


@given(parts=st.lists(kernels, min_size=1, max_size=6), depth=st.floats(-6.0, 6.0))
def test_any_sum_of_decays(parts, depth):
    """Sums of g^2 [exp(-a g^2) - exp(-b g^2)] with b = inf for some, thresholds over 12 decades, against a dense scan.

    Fails if a range is lost, invented or cut off: ranges and gaps that the scan resolves agree to its step.
    """

    def signal(g):
        total = np.zeros_like(g)
        for weight, length, stretch, is_open in parts:
            a = np.minimum(10.0**length * g**2, 700.0)
            first = np.exp(-a)
            total += 10.0**weight * g**2 * (first if is_open else -first * np.expm1(-stretch * a))
        return total

    threshold = 10.0**depth * 1e-10
    found, wanted = intervals(signal, threshold), dense(signal, threshold)
    step = math.log(HIGHEST / LOWEST) / 400_000

    def resolved(ranges):
        joined = []
        for low, high in ranges:
            if joined and math.log(low / joined[-1][1]) < 4.0 * step:
                joined[-1] = joined[-1][0], min(high, HIGHEST)
            else:
                joined.append((low, min(high, HIGHEST)))
        return [one for one in joined if math.log(one[1] / one[0]) > 4.0 * step]

    found, wanted = resolved(found), resolved(wanted)
    np.testing.assert_allclose(np.log(found).ravel(), np.log(wanted).ravel(), rtol=0.0, atol=3.0 * step)


def test_a_peak_between_points():
    """A threshold a millionth below a peak has a range about it, one above none; fails for a fixed grid."""
    peak = np.exp(-1.0) / 7e7
    for factor, n in ((1.0 - 1e-6, 1), (1.0 + 1e-6, 0)):
        assert len(intervals(lambda g: g**2 * np.exp(-np.minimum(7e7 * g**2, 700.0)), factor * peak)) == n


def test_few_evaluations():
    """A plain range costs under 80 couplings in under ten calls; fails if certainty is bought with a fine grid."""
    calls = []

    def signal(g):
        calls.append(g.size)
        return 1e12 * g**2 * np.exp(-np.minimum(1e7 * g**2, 700.0))

    assert len(intervals(signal, 3.0)) == 1
    assert sum(calls) < 80
    assert len(calls) < 10


def test_gap_of_a_tower():
    """States of a tower add up, with a gap where their sum is below the threshold; fails for one range per mass."""
    card = gap_card()
    points = reach(card, ["dark-photon"], [0.012], 4.0, tower=Tower(2, 0.02))
    assert len(points) == 2
    states = [
        [n_signal(card, "dark-photon", m, [g])[0].value for m in (0.012, 0.032)]
        for g in (points[0].g_low, points[0].g_high, points[1].g_low)
    ]
    assert [sum(row) for row in states] == pytest.approx([4.0] * 3, rel=1e-5)


@pytest.fixture(scope="module")
def gap_files(tmp_path_factory):
    """The card on disk, and events of it."""
    folder = tmp_path_factory.mktemp("gap")
    card = gap_card()
    (folder / "gap.toml").write_text(card.text)
    save(generate(card, 0.01, 20_000, workers=2), folder / "gap.root")
    return folder


def test_gap_from_events(gap_files):
    """Events of the same card have the same two ranges, 1 %; fails if files know one range only."""
    events = reach_from_events([gap_files / "gap.root"], ["dark-photon"])
    whole = reach(gap_card(), ["dark-photon"], [0.01])
    assert len(events) == 2
    for mine, theirs in zip(events, whole, strict=True):
        assert mine.g_low == pytest.approx(theirs.g_low, rel=0.01)
        assert mine.g_high == pytest.approx(theirs.g_high, rel=0.01)


def test_gap_on_the_command_line(gap_files, capsys):
    """One row per range in table, CSV and JSON, in order, the last one open; fails if one of them joins the two."""
    output = gap_files / "gap.csv"
    command = ["reach", str(gap_files / "gap.toml"), "--mass", "10MeV,50MeV", "-o", str(output)]
    assert main(command) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if "dark-photon" in line]
    assert [line[-3] for line in lines] == ["10", "10", "50"]
    assert [line[-1] == "open" for line in lines] == [False, True, True]
    with output.open() as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["experiment", "model", "production", "mass_gev", "g_low", "g_high"]
    assert [row["mass_gev"] for row in rows] == ["0.01", "0.01", "0.05"]
    assert [row["g_high"] == "" for row in rows] == [False, True, True]
    assert main([*command, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["open"] for row in document] == [False, True, True]
    assert [row["limit_events"] for row in document] == [3.0] * 3
    assert [row["g_low"] for row in document] == [float(row["g_low"]) for row in rows]
