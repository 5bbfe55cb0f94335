"""What the figures of the page draw, beside the answers that they are given."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mcgen.analysis.constraints import Constraint
from mcgen.analysis.reach_rows import ReachPoint
from mcgen.explorer.answer import SignalMap, Spectrum
from mcgen.explorer.figures import ContourFigure, MapFigure, SpectrumFigure, decades, edges, loops, one_path
from mcgen.report.plane import PERTURBATIVE, Plane

PLANE = Plane()
TOP = PERTURBATIVE


def _points(*rows, model="A"):
    return [ReachPoint("fermilab", model, "exact", m, low, high) for m, low, high in rows]


def test_open_at_its_ends():
    """Lines end at the first and the last mass, where nothing is known beyond; fails if they are closed there."""
    lines = list(edges([(0.1, ((1e-5, 1e-3),)), (0.2, ((2e-5, 5e-4),)), (0.4, ((3e-5, 1e-4),))], PLANE, TOP))
    assert sorted(min(ys) for _, ys in lines) == pytest.approx([1e-5, 1e-4])
    for xs, _ in lines:
        assert sorted(xs) == pytest.approx([100.0, 200.0, 400.0])


def test_closed_where_it_ends():
    """A region that ends at a mass is closed there; fails if its sides do not meet."""
    lines = list(edges([(0.1, ((1e-5, 1e-3),)), (0.2, ((2e-5, 5e-4),)), (0.4, ())], PLANE, TOP))
    ((xs, ys),) = lines
    assert xs.count(200.0) == 2
    assert {round(y, 9) for x, y in zip(xs, ys, strict=True) if x == 200.0} == {2e-5, 5e-4}


def test_open_above():
    """What is excluded up to the end of perturbation theory has no line there; fails if one is drawn at the top."""
    lines = list(
        edges([(0.1, ((1e-5, math.inf),)), (0.2, ((2e-5, math.inf),)), (0.4, ((3e-5, math.inf),))], PLANE, TOP)
    )
    assert max(y for _, ys in lines for y in ys) < TOP


def _area(xs, ys):
    x, y = np.log(xs), np.log(ys)
    return 0.5 * float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))


def test_hole():
    """A gap inside a region runs the other way, so that it is not filled; fails if all loops turn alike."""
    columns = [(m, ((1e-5, 1e-2),)) for m in (0.1, 0.2)] + [(0.3, ((1e-5, 1e-4), (1e-3, 1e-2)))]
    columns += [(m, ((1e-5, 1e-2),)) for m in (0.4, 0.5)]
    columns[2:2] = [(0.25, ((1e-5, 1e-4), (1e-3, 1e-2)))]
    found = loops(columns, PLANE, TOP)
    assert sorted(np.sign(_area(*loop)) for loop in found) == [-1.0, 1.0]
    xs, ys = one_path(found)
    assert sum(math.isnan(x) for x in xs) == sum(math.isnan(y) for y in ys) == 1


def test_decades():
    """Ends of an axis move by decades; fails if they move with every step of a slider."""
    assert decades([2e-5, 7e-3]) == pytest.approx((1e-5, 1e-2))
    assert decades([3e-5, 9e-3]) == decades([2e-5, 7e-3])
    assert decades([1.0, 1.0]) == pytest.approx((1.0, 100.0))


def test_contour():
    """Numbers of the rows, in the units of the axes, and a legend for each line; fails for a factor or a lost line."""
    figure = ContourFigure()
    rows = _points((0.1, 1e-5, 1e-3), (0.2, 2e-5, 5e-4)) + _points((0.1, None, None), (0.2, None, None), model="B")
    pinned = _points((0.1, 3e-5, 1e-4), (0.2, 4e-5, 2e-4))
    plane = Plane.of("vector", "dark-photon", 0.2)
    known = [
        Constraint(
            "x", "<i>X</i> (Y), 90 % CL", "excluded", ("A",), ((0.1, ((1e-4, math.inf),)), (0.2, ((1e-4, math.inf),)))
        )
    ]
    legend = figure.show(rows, plane, "A", known, pinned)
    texts = [entry["text"] for entry in legend]
    assert texts[:3] == ["pinned: fermilab, model A", "fermilab, model A", "fermilab, model B: no coupling is seen"]
    drawn = figure._lines.data
    mine = [ys for ys, label in zip(drawn["ys"], drawn["label"], strict=True) if label == "fermilab, model A"]
    assert sorted(y / plane.factor for ys in mine for y in ys) == pytest.approx([1e-5, 2e-5, 5e-4, 1e-3])
    assert sorted({x for xs in drawn["xs"] for x in xs}) == pytest.approx([100.0, 200.0])
    assert figure._known.data["name"] == ["<i>X</i> (Y), 90 % CL"]
    figure.point_at(0.15, 1e-4)
    assert figure._spot.data == {"x": [pytest.approx(150.0)], "y": [pytest.approx(1e-4 * plane.factor)]}
    assert figure.figure.x_range.start == pytest.approx(100.0)
    assert figure.figure.y_range.start <= 1e-5 * plane.factor


def test_nothing_seen():
    """Without any coupling the figure says so; fails if it needs a number."""
    figure = ContourFigure()
    legend = figure.show(_points((0.1, None, None), (0.2, None, None)), PLANE, "A")
    assert legend == [{"text": "fermilab, model A: no coupling is seen", "color": legend[0]["color"], "dash": "solid"}]
    assert figure.figure.y_range.start < figure.figure.y_range.end


def test_map():
    """Each cell has its N_S, and none stands where there is no signal; fails if it is turned or shifted."""
    m, g = np.array([0.1, 0.2, 0.4]), np.array([1e-5, 1e-4])
    values = np.array([[0.0, 1.0], [10.0, 100.0], [1e3, 1e4]])
    figure = MapFigure()
    figure.show(SignalMap(m, g, {"A": values}), PLANE, "A", 3.0)
    (image,) = figure._image.data["image"]
    assert np.isnan(image[0, 0])
    assert image[1].tolist() == [1.0, 100.0, 1e4]
    x, dw = figure._image.data["x"][0], figure._image.data["dw"][0]
    assert (x, x + dw) == pytest.approx((100.0 / math.sqrt(2.0), 400.0 * math.sqrt(2.0)))


def test_spectrum():
    """Bins with their edges; fails if a bin is lost, or nothing at all stops the page."""
    figure = SpectrumFigure(log=False)
    figure.show(Spectrum("E_S", np.array([0.0, 1.0, 2.0]), np.array([10.0, 20.0]), np.array([1.0, 0.0])))
    data = figure._source.data
    assert (data["left"].tolist(), data["right"].tolist()) == ([0.0, 1.0], [1.0, 2.0])
    assert (data["made"].tolist(), data["seen"].tolist()) == ([10.0, 20.0], [1.0, 0.0])
    assert 0.0 < figure.figure.y_range.start <= 1.0
    assert "counted (blue)" in figure.key
    figure.show(Spectrum("E_S", np.array([0.0, 1.0, 2.0]), np.zeros(2), None))
    assert "counted" not in figure.key
    assert len(figure._source.data["left"]) == 0
