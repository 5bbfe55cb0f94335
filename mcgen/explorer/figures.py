"""Figures of the page, in the looks of the report: each is made once and then shows other answers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from bokeh.models import (
    BoxAnnotation,
    ColorBar,
    ColumnDataSource,
    CrosshairTool,
    FixedTicker,
    HoverTool,
    LogAxis,
    LogColorMapper,
    LogTicker,
    LogTickFormatter,
    Range1d,
)
from bokeh.palettes import Cividis256
from bokeh.plotting import figure
from bokeh.plotting.contour import contour_data

from mcgen.analysis.constraints import Constraint
from mcgen.analysis.reach_rows import ReachPoint
from mcgen.analysis.regions import outlines
from mcgen.explorer.answer import SignalMap, Spectrum
from mcgen.explorer.formulas import plain
from mcgen.report import palette
from mcgen.report.known_figure import short_name
from mcgen.report.plane import PERTURBATIVE, Column, Plane, model_words

#: dashes of models, that of the spot first
_DASHES = {"solid": [], "dashed": [10, 5], "dotdash": [2, 4, 8, 4], "dotted": [3, 4]}
_LOOK = {
    "toolbar_location": "above",
    "toolbar_inner": True,
    "active_drag": None,
    "active_scroll": None,
    "output_backend": "canvas",
}


def blank(**settings: Any) -> Any:
    """An empty figure that fills its place."""
    made = figure(sizing_mode="stretch_both", tools="pan,box_zoom,wheel_zoom,reset", **_LOOK, **settings)
    made.toolbar.logo = None
    made.toolbar.autohide = True
    made.grid.grid_line_alpha = 0.35
    made.outline_line_color = "#444444"
    for axis in made.axis:
        if isinstance(axis, LogAxis):
            axis.ticker = LogTicker(mantissas=[1, 2, 5], desired_num_ticks=6)
        axis.major_label_text_font_size = "12px"
        axis.minor_tick_line_alpha = 0.5
    made.min_border = 4
    return made


def set_ends(one: Range1d, low: float, high: float) -> None:
    """Ends of an axis; it also goes back to them."""
    if (one.reset_start, one.reset_end) != (low, high):
        one.update(start=low, end=high, reset_start=low, reset_end=high)


#: what of a figure changes with what it shows
_MOVED: dict[type, tuple[str, ...]] = {
    ColumnDataSource: ("data",), Range1d: ("start", "end", "reset_start", "reset_end"), LogColorMapper: ("low", "high"),
    BoxAnnotation: ("bottom",),
}  # fmt: skip


def moved(made: Any) -> Iterator[tuple[Any, str]]:
    """What of a figure changes with what it shows: models, and names of their properties."""
    for one in made.references():
        for kind, names in _MOVED.items():
            if isinstance(one, kind):
                yield from ((one, name) for name in names)


def columns_of(points: Sequence[ReachPoint]) -> list[Column]:
    """Ranges of g_mu by rising mass in GeV."""
    found: dict[float, set[tuple[float, float]]] = {}
    for p in points:
        ranges = found.setdefault(p.mass_gev, set())
        if p.g_low is not None and p.g_high is not None:
            ranges.add((p.g_low, p.g_high))
    return [(m, tuple(sorted(found[m]))) for m in sorted(found)]


def loops(columns: Sequence[Column], plane: Plane, top: float) -> list[tuple[list[float], list[float]]]:
    """Closed outlines of a region on the axes."""
    return [
        ([plane.x(m) for m, _ in loop], [plane.y(g) for _, g in loop])
        for loop in outlines(columns, top)
        if len(loop) > 1
    ]


def one_path(found: Sequence[tuple[Sequence[float], Sequence[float]]]) -> tuple[list[float], list[float]]:
    """Several outlines as one, so that those that run the other way are holes."""
    xs: list[float] = []
    ys: list[float] = []
    for x, y in found:
        xs += [math.nan] * bool(xs) + [*x]
        ys += [math.nan] * bool(ys) + [*y]
    return xs, ys


def edges(columns: Sequence[Column], plane: Plane, top: float) -> Iterator[tuple[list[float], list[float]]]:
    """Lines of the outlines, without those along the first and the last mass and the top, where a region goes on."""
    ends = {columns[0][0], columns[-1][0]} if len(columns) > 1 else set()

    def goes_on(a: tuple[float, float], b: tuple[float, float]) -> bool:
        return (a[0] == b[0] and a[0] in ends) or (a[1] >= top and b[1] >= top)

    for loop in outlines(columns, top):
        run = [loop[0]]
        for a, b in itertools.pairwise([*loop, loop[0]]):
            if goes_on(a, b):
                if len(run) > 1:
                    yield [plane.x(m) for m, _ in run], [plane.y(g) for _, g in run]
                run = [b]
            else:
                run.append(b)
        if len(run) > 1:
            yield [plane.x(m) for m, _ in run], [plane.y(g) for _, g in run]


def decades(values: Sequence[float], least: int = 2) -> tuple[float, float]:
    """Whole decades around values, which stay as they are while something is moved a little."""
    low = math.floor(math.log10(min(values)) + 1e-9)
    high = max(math.ceil(math.log10(max(values)) - 1e-9), low + least)
    return 10.0**low, 10.0**high


def _spot(made: Any, size: int = 14) -> ColumnDataSource:
    """The place that is pointed at."""
    source = ColumnDataSource({"x": [], "y": []})
    made.scatter(
        "x", "y", source=source, size=size, marker="circle_x", fill_alpha=0.0, line_color="black", line_width=2
    )
    return source


class ContourFigure:
    """The plane of mass and coupling: what the set-up excludes, beside what is known and what was pinned."""

    def __init__(self) -> None:
        self.plane = Plane()
        self.figure = made = blank(
            x_axis_type="log", y_axis_type="log", x_range=Range1d(1, 1e3), y_range=Range1d(1e-7, 1)
        )
        self._known = ColumnDataSource({name: [] for name in ("xs", "ys", "name", "fill", "line", "alpha", "dash")})
        known = made.patches(
            "xs", "ys", source=self._known, fill_color="fill", line_color="line", fill_alpha="alpha", line_width=0.8,
            line_dash="dash",
        )  # fmt: skip
        self._names = ColumnDataSource({name: [] for name in ("x", "y", "name")})
        made.text(
            "x", "y", "name", source=self._names, text_font_size="11px", text_color="#333333", text_align="center",
            text_baseline="bottom", y_offset=-2,
        )  # fmt: skip
        self._fill = ColumnDataSource({name: [] for name in ("xs", "ys", "fill")})
        made.patches("xs", "ys", source=self._fill, fill_color="fill", fill_alpha=0.12, line_color=None)
        self._lines = ColumnDataSource({name: [] for name in ("xs", "ys", "line", "dash", "width", "label")})
        made.multi_line("xs", "ys", source=self._lines, line_color="line", line_dash="dash", line_width="width")
        self._dots = ColumnDataSource({name: [] for name in ("x", "y", "line")})
        made.scatter("x", "y", source=self._dots, size=4, color="line")
        self._spot = _spot(made)
        self._top = BoxAnnotation(
            bottom=PERTURBATIVE, hatch_pattern="/", hatch_color="#999999", fill_alpha=0.0, line_color=None
        )
        made.add_layout(self._top)
        made.add_tools(HoverTool(renderers=[known], tooltips=[("known", "@name")]), CrosshairTool(line_alpha=0.3))
        made.tags = ["contour"]

    def show(
        self,
        points: Sequence[ReachPoint],
        plane: Plane,
        model: str,
        known: Sequence[Constraint] = (),
        pinned: Sequence[ReachPoint] = (),
    ) -> list[dict[str, str]]:
        """Show contours; the entries of the legend are returned.

        Parameters
        ----------
        points : sequence of ReachPoint
            Of one set-up.
        plane : Plane
        model : str
            The one of the axis, for which the limits hold.
        known : sequence of Constraint
        pinned : sequence of ReachPoint
            Of the set-up that is compared with.
        """
        self.plane = plane
        legend: list[dict[str, str]] = []
        lines: dict[str, list[Any]] = {name: [] for name in self._lines.data}
        fill: dict[str, list[Any]] = {name: [] for name in self._fill.data}
        dots: dict[str, list[Any]] = {name: [] for name in self._dots.data}
        for rows, color, width, what in ((pinned, "#000000", 1.4, "pinned: "), (points, "", 2.6, "")):
            models = sorted(dict.fromkeys(p.model for p in rows), key=lambda one: one != model)
            for one, dash in zip(models, itertools.cycle(_DASHES)):
                mine = [p for p in rows if p.model == one]
                columns = columns_of(mine)
                hue = color or palette.look(mine[0].experiment).color
                name = f"{what}{mine[0].experiment}, {plain(model_words(one))}"
                if not any(ranges and ranges[0][0] < PERTURBATIVE for _, ranges in columns):
                    legend.append({"text": f"{name}: no coupling is seen", "color": hue, "dash": dash})
                    continue
                legend.append({"text": name, "color": hue, "dash": dash})
                for xs, ys in edges(columns, plane, PERTURBATIVE):
                    row = {"xs": xs, "ys": ys, "line": hue, "dash": _DASHES[dash], "width": width, "label": name}
                    for key, value in row.items():
                        lines[key].append(value)
                if not color and one == model:
                    xs, ys = one_path(loops(columns, plane, PERTURBATIVE))
                    for key, value in {"xs": xs, "ys": ys, "fill": hue}.items():
                        fill[key].append(value)
                    for m, ranges in columns:
                        for g in (g for pair in ranges for g in pair if g < PERTURBATIVE):
                            for key, value in {"x": plane.x(m), "y": plane.y(g), "line": hue}.items():
                                dots[key].append(value)
        self._lines.data, self._fill.data, self._dots.data = lines, fill, dots
        legend += self._show_known([one for one in known if model in one.models], plane)
        self._top.bottom = plane.top
        self._set_ends(points, pinned, plane)
        return legend

    def point_at(self, m_S: float, g_mu: float) -> None:
        """Mark the place that is pointed at, in GeV."""
        self._spot.data = {"x": [self.plane.x(m_S)], "y": [self.plane.y(g_mu)]}

    def _set_ends(self, points: Sequence[ReachPoint], pinned: Sequence[ReachPoint], plane: Plane) -> None:
        masses = [plane.x(p.mass_gev) for p in points]
        both = [*points, *pinned]
        seen = [plane.y(g) for p in both for g in (p.g_low, p.g_high) if g is not None and g < PERTURBATIVE]
        open_above = any(p.g_high is not None and p.g_high >= PERTURBATIVE for p in both)
        set_ends(self.figure.x_range, min(masses), max(masses))
        low, high = decades(seen) if seen else (1e-8 * plane.factor, plane.top)
        high = max(high, 4.0 * plane.top) if open_above else high
        set_ends(self.figure.y_range, low, min(high, 4.0 * plane.top))

    def _show_known(self, known: Sequence[Constraint], plane: Plane) -> list[dict[str, str]]:
        """Known limits, the largest below; a name for each where it is lowest."""
        rows: dict[str, list[Any]] = {name: [] for name in self._known.data}
        names: dict[str, list[Any]] = {name: [] for name in self._names.data}
        greys = itertools.cycle(palette.GREYS)
        preferred = itertools.cycle(palette.PREFERRED)
        legend = []
        for one in sorted(known, key=lambda c: -sum(len(ranges) > 0 for _, ranges in c.columns)):
            columns = _cut(one.columns)
            xs, ys = one_path(loops(columns, plane, PERTURBATIVE))
            if not xs:
                continue
            is_band = one.kind == "preferred"
            color = next(preferred if is_band else greys)
            label = plain(one.label)
            row = {
                "xs": xs, "ys": ys, "name": label, "fill": color, "line": color if is_band else palette.EDGE,
                "alpha": 0.0 if one.kind == "quoted" else 0.45 if is_band else 0.9,
                "dash": "dotted" if one.kind == "quoted" else "solid",
            }  # fmt: skip
            for key, value in row.items():
                rows[key].append(value)
            if is_band:
                legend.append({"text": label, "color": color, "dash": "band"})
            lows = [(m, low) for m, ranges in columns for low, _ in ranges[:1]]
            m, g = lows[(1 + 2 * (len(names["x"]) % 4)) * (len(lows) - 1) // 8]  # not all of them at one mass
            for key, text in {"x": plane.x(m), "y": plane.y(g), "name": plain(short_name(one))}.items():
                names[key].append(text)
        self._known.data = rows
        self._names.data = names if len(names["x"]) <= _MOST_NAMES else {name: [] for name in names}
        if rows["xs"]:
            legend.append({"text": "known limits, names on pointing", "color": palette.GREYS[1], "dash": "band"})
        return legend


#: known limits that have their names written; of more they are told when the mouse is there
_MOST_NAMES = 8


def _cut(columns: Sequence[Column]) -> list[Column]:
    """Without what lies above the couplings of perturbation theory."""
    return [(m, tuple((low, high) for low, high in ranges if low < PERTURBATIVE)) for m, ranges in columns]


def _bar(mapper: LogColorMapper) -> ColorBar:
    """What the colours mean."""
    ticks = FixedTicker(ticks=[10.0**n for n in range(-3, 16, 2)])
    return ColorBar(color_mapper=mapper, width=8, padding=4, ticker=ticks, formatter=LogTickFormatter())


class MapFigure:
    """N_S over mass and coupling as colours, with lines of equal N_S."""

    def __init__(self) -> None:
        self.plane = Plane()
        self.figure = made = blank(
            x_axis_type="log", y_axis_type="log", x_range=Range1d(1, 1e3), y_range=Range1d(1e-7, 1)
        )
        self._image = ColumnDataSource({"image": [], "x": [], "y": [], "dw": [], "dh": []})
        self._mapper = LogColorMapper(palette=Cividis256, low=1e-3, high=1e3, low_color="#d9d9d9", nan_color="#d9d9d9")
        made.image("image", "x", "y", "dw", "dh", source=self._image, color_mapper=self._mapper)
        made.add_layout(_bar(self._mapper), "right")
        empty = np.zeros((2, 2))
        self._levels = made.contour([1.0, 2.0], [1.0, 2.0], empty, [1.0], line_color="black", line_dash="dashed")
        self._limit = made.contour([1.0, 2.0], [1.0, 2.0], empty, [1.0], line_color="black", line_width=2)
        self._spot = _spot(made)
        made.grid.visible = False
        made.tags = ["events"]

    def show(self, found: SignalMap, plane: Plane, model: str, limit: float) -> None:
        """Show N_S of a model.

        Parameters
        ----------
        found : SignalMap
        plane : Plane
        model : str
        limit : float
            Number of events that has a thick line.
        """
        self.plane = plane
        x, y, values = plane.x(np.asarray(found.m_S)), plane.y(np.asarray(found.g_mu)), found.n_signal[model].T
        left, right = _half_a_cell(x)
        bottom, top = _half_a_cell(y)
        shown = np.where(values > 0.0, values, np.nan)
        self._image.data = {"image": [shown], "x": [left], "y": [bottom], "dw": [right - left], "dh": [top - bottom]}
        largest = min(max(10.0, float(np.nanmax(values, initial=0.0))), 1e12)
        self._mapper.update(low=1e-3, high=largest)
        heights = np.log10(np.maximum(values, 1e-30))
        steps = [float(n) for n in range(0, math.ceil(math.log10(largest)), 2)]
        self._levels.set_data(contour_data(x, y, heights, steps or [0.0], want_fill=False))
        self._limit.set_data(contour_data(x, y, heights, [math.log10(limit)], want_fill=False))
        set_ends(self.figure.x_range, left, right)
        set_ends(self.figure.y_range, bottom, top)

    def point_at(self, m_S: float, g_mu: float) -> None:
        """Mark the place that is pointed at, in GeV."""
        self._spot.data = {"x": [self.plane.x(m_S)], "y": [self.plane.y(g_mu)]}


def _half_a_cell(values: Any) -> tuple[float, float]:
    """Ends of cells about numbers in equal ratios."""
    step = math.sqrt(values[1] / values[0]) if len(values) > 1 else 1.1
    return float(values[0] / step), float(values[-1] * step)


class SpectrumFigure:
    """Bosons per bin of energy or angle: those that are made, and those that count.

    Parameters
    ----------
    log : bool
        Whether the variable is on a logarithmic axis.
    """

    def __init__(self, log: bool) -> None:
        self.key = "made (grey)"  #: what the colours mean
        self.figure = made = blank(
            x_axis_type="log" if log else "linear", y_axis_type="log", x_range=Range1d(1, 2), y_range=Range1d(1e-3, 1)
        )
        self._source = ColumnDataSource({name: [] for name in ("left", "right", "made", "seen", "zero")})
        made.quad("left", "right", "made", "zero", source=self._source, color="#bbbbbb", line_color=None)
        made.quad(
            "left",
            "right",
            "seen",
            "zero",
            source=self._source,
            color=palette.COLORS[0],
            fill_alpha=0.75,
            line_color=None,
        )

    def show(self, found: Spectrum) -> None:
        """Show a spectrum."""
        self.key = "made (grey)" if found.seen is None else "made (grey), counted (blue)"
        made = np.asarray(found.made, dtype=float)
        seen = np.zeros_like(made) if found.seen is None else np.asarray(found.seen, dtype=float)
        some = [float(v) for v in (*made, *seen) if v > 0.0]
        edges = np.asarray(found.edges, dtype=float)
        if not some:
            self._source.data = {name: [] for name in self._source.data}
            return
        top = max(some)
        low = max(min(some), 1e-6 * top)
        bottom, high = decades([low, top], 1)
        self._source.data = {
            "left": edges[:-1], "right": edges[1:], "made": made, "seen": seen,
            "zero": np.full(made.size, bottom * 1e-3),
        }  # fmt: skip
        set_ends(self.figure.x_range, float(edges[0]), float(edges[-1]))
        set_ends(self.figure.y_range, bottom, high)
