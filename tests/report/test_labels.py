"""Known limits as greys: what lies on top, and names that stand at their own regions."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from shown import boson

from mcgen import load_card
from mcgen.analysis.constraints import Constraint, NotDrawnWarning, constraints
from mcgen.analysis.reach import ReachPoint
from mcgen.base.errors import InputError
from mcgen.base.units import Range
from mcgen.report.contours import plot_reach
from mcgen.report.known_figure import GREY, are_grey, short_name
from mcgen.report.palette import GREYS, PREFERRED, look

MASSES = (0.001, 0.01, 0.1, 1.0)


def limit(name, low, high=math.inf, kind="excluded", masses=MASSES):
    return Constraint(name, name, kind, ("A",), tuple((m, ((low, high),)) for m in masses))


#: a large region, one on top of it, an island, one wholly below another one, and a band
KNOWN = [
    limit("first", 1e-3), limit("second", 1e-2, masses=(0.03, 1.0)), limit("island", 1e-6, 1e-5, masses=(0.002, 0.02)),
    limit("hidden", 0.004, 0.009, masses=(0.005, 0.02)), limit("cover", 0.004, 0.009, masses=(0.005, 0.02)),
    limit("g2-wp2020", 1e-4, 3e-4, "preferred"),
]  # fmt: skip
POINTS = [ReachPoint("na64", "A", "exact", m, 3e-5, 3e-4) for m in MASSES]


def drawn(known=KNOWN, **how):
    axes = Figure(figsize=(8.0, 6.0)).subplots()
    plot_reach(POINTS, axes, known=known, **how)
    return axes


def names(axes):
    return {text.get_text(): text for text in axes.texts}


def test_limits_by_their_names(tmp_path):
    """As a text, a list, a file, or computed before: the same figure; fails if names are those of another boson."""
    own = tmp_path / "mine.csv"
    own.write_text("# label: Ours\nmass_gev,coupling\n0.002,1e-3\n0.5,2e-3\n")
    points = [ReachPoint("na64", "dark-photon", "exact", m, 3e-5, 3e-4) for m in MASSES]
    computed = constraints(["na48", str(own)], Range((0.001, 1.0)), boson("vector"), ["dark-photon"])
    figures = []
    for known in (f"na48,{own}", ["na48", own], computed, [*computed[:1], own]):
        axes = Figure().subplots()
        plot_reach(points, axes, known=known, boson="vector")
        figures.append(({text.get_text() for text in axes.texts}, len(axes.patches), axes.get_ylim()))
    assert figures == figures[:1] * 4
    assert {"NA48/2", "Ours"} <= figures[0][0]
    with pytest.warns(NotDrawnWarning, match="na48"):
        plot_reach(POINTS, Figure().subplots(), known="na48")
    with pytest.raises(InputError, match=r"constraint: 'na4' is not known"):
        plot_reach(POINTS, Figure().subplots(), known="na4")
    with pytest.raises(InputError, match=r"boson, a mediator or a card: 'spin2' is not known"):
        plot_reach(POINTS, Figure().subplots(), known="all", boson="spin2")


def test_decays_of_a_card_count_for_limits():
    """Limits are on the boson of a card with its decays; fails if a card is but its mediator."""
    card = load_card("na64").with_boson("vector")
    dark = card.model_copy(update={"scalar": card.scalar.model_copy(update={"invisible": 0.5})})
    points = [ReachPoint("na64", "dark-photon", "exact", m, 3e-5, 3e-4) for m in MASSES]
    axes = Figure().subplots()
    plot_reach(points, axes, known="na64e", boson=dark)
    assert {text.get_text() for text in axes.texts} == {"NA64e 2019"}
    with pytest.warns(NotDrawnWarning, match="na64e"):
        plot_reach(points, Figure().subplots(), known="na64e", boson=card)


def test_names_stand_at_their_regions():
    """Each lies in its own region, or just below, in the axes and on no other name; fails for one at a wrong limit."""
    axes = drawn()
    found = names(axes)
    assert {"first", "second", "island", "cover"} <= set(found)
    window = axes.get_window_extent()
    boxes = {name: text.get_window_extent() for name, text in found.items()}
    for name, box in boxes.items():
        assert window.x0 < box.x0 < box.x1 < window.x1, name
        assert window.y0 < box.y0 < box.y1 < window.y1, name
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes.values(), 2))
    place = {
        name: axes.transData.inverted().transform(text.get_window_extent().get_points()).mean(axis=0)
        for name, text in found.items()
    }
    assert 1e-6 < place["island"][1] < 1e-5
    assert place["first"][1] > 1e-3
    assert place["first"][0] < 30.0 or place["first"][1] < 1e-2


def test_what_has_no_place_is_named_in_the_legend():
    """A region wholly behind another one is named below and not in the figure; fails if it goes without a word."""
    axes = drawn()
    assert "hidden" not in names(axes)
    assert f"{GREY}, also hidden" in [text.get_text().replace("\n", " ") for text in axes.get_legend().get_texts()]


def test_greys_lie_below_what_is_ours():
    """Fills are opaque greys, smaller ones on top, then the band, then our line in its colour; fails for a hatch."""
    axes = drawn()
    fills = [p for p in axes.patches if p.get_fill() and to_hex(p.get_facecolor()) in GREYS]
    assert len(fills) == 5
    assert all(p.get_alpha() == 1.0 and not p.get_hatch() for p in fills)
    (band,) = [p for p in axes.patches if p.get_fill() and to_hex(p.get_facecolor()) == PREFERRED[0]]
    ours = [p for p in axes.patches if not p.get_fill() and to_hex(p.get_edgecolor()) == look("na64").color]
    heights = [max(p.get_zorder() for p in fills), band.get_zorder(), min(p.get_zorder() for p in ours)]
    assert heights == sorted(heights)
    widths = [np.ptp(np.log(p.get_path().vertices), axis=0).prod() for p in sorted(fills, key=lambda p: p.get_zorder())]
    assert widths[0] == max(widths)


def test_which_limits_are_grey():
    """The paper's few have colours, more or others are greys; fails if a user's own one makes a mess of hatches."""
    paper = [limit(name, 1e-3) for name in ("g2-bnl", "e137", "orsay", "babar")]
    assert not are_grey(paper)
    assert not are_grey([*paper, limit("g2-bnl", 1e-2)])
    assert are_grey([*paper, limit("g2-wp2025", 1e-3)])
    assert are_grey([limit("mine", 1e-3)])


def test_references():
    """On demand the legend has every limit with its reference; fails if greys share one line then."""
    known = [Constraint("ccfr-trident", "CCFR trident (1406.2332), 95 % CL", "excluded", ("A",), KNOWN[0].columns)]
    labels = [text.get_text() for text in drawn(known, references=True).get_legend().get_texts()]
    assert any("1406.2332" in label for label in labels)
    assert GREY not in labels
    assert GREY in [text.get_text() for text in drawn(known).get_legend().get_texts()]


def test_names_are_those_of_the_legend():
    """With references each name in the figure begins a line of the legend; fails for two names of one limit."""
    known = constraints(["g2-wp2020", "g2-bnl", "babar", "belle-tautau"], list(MASSES), models=["A"])
    known.append(Constraint("mine.csv", "Mine (2026), invisible, 90 % CL", "excluded", ("A",), KNOWN[2].columns))
    axes = drawn(known, references=True)
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert len(names(axes)) > 3
    for name in names(axes):
        assert any(label.startswith(name) for label in labels), name
    assert any("a_" in name for name in names(axes))


def test_no_name_in_another_region():
    """A strip too narrow for its name between others has it in the legend; fails if it is written on a neighbour."""
    known = [limit("below", 1e-6, 1e-4), limit("thin", 1e-4, 1.08e-4), limit("above", 1.08e-4)]
    axes = drawn(known)
    for name, text in names(axes).items():
        centre = axes.transData.inverted().transform(text.get_window_extent().get_points()).mean(axis=0)
        one = next(one for one in known if one.name == name)
        ((low, high),) = one.columns[0][1]
        assert low < centre[1] < high
    assert "thin" not in names(axes)
    assert any("also thin" in text.get_text().replace("\n", " ") for text in axes.get_legend().get_texts())


@pytest.mark.parametrize(
    ("name", "label", "short"),
    [("belle2-invisible", "", "Belle II"), ("g2-wp2025", "", "(g"), ("mine", "Mine, 2026", "Mine")],
)
def test_short_names(name, label, short):
    """The experiment alone; fails if the reference is written at the curve."""
    found = short_name(Constraint(name, label, "excluded", ("A",), ()))
    assert short in found
    assert "(1912" not in found
    assert "276" not in found
