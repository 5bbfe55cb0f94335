"""The figure of exclusion contours over what is known."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Unpack

from mcgen.analysis.constraints import Constraint, ShownBoson, constraints
from mcgen.analysis.crossings import Intervals
from mcgen.analysis.reach_rows import ReachPoint, short_words
from mcgen.base.asked import Names, ends, names
from mcgen.base.errors import McgenWarning
from mcgen.base.units import Range
from mcgen.report import palette
from mcgen.report.figure import LOG, View, Where, check_words, decimal, entries, figure, fit_titles, legend, stroke
from mcgen.report.known_figure import also_named, are_grey, area, draw_known, draw_region, name_known
from mcgen.report.labels import Named
from mcgen.report.plane import AXES, PERTURBATIVE, Column, Plane, model_words
from mcgen.source.source import CardLike
from mcgen.statistics.limits import Bands

#: ends of what is excluded under any of the variations, and under all
_VARIED = ("g_low_min", "g_high_max"), ("g_low_max", "g_high_min")
#: fields of a point that are couplings in a figure
_ENDS = (
    "g_low", "g_high", *(f"{name}{end}" for name in Bands._fields for end in ("", "_high")), *_VARIED[0], *_VARIED[1]
)  # fmt: skip
#: with greys, how far a figure goes beyond where each mass is excluded
_BEYOND = 30.0
#: masses in GeV that an axis may show and a limit is still looked for
_MASSES = 1e-9, 1e5


class NothingShownWarning(McgenWarning):
    """The ends of the axes that were asked for leave out everything that is drawn."""


def _markers(columns: Sequence[Column], top: float, number: int) -> list[tuple[float, float]]:
    """Where the markers of a line stand: (mass in GeV, coupling) at four masses, which `number` moves a little.

    So the markers of several lines do not lie on each other. A line of one mass has them at both of its ends.
    """
    places = [(m, g) for m, ranges in columns for low, high in ranges for g in (low, high) if g < top]
    if len({m for m, _ in places}) == 1:
        return places
    masses = sorted({m for m, _ in places})
    wanted = []
    for share in (0.1, 0.35, 0.6, 0.85):
        at = masses[0] * (masses[-1] / masses[0]) ** (share + 0.02 * (number % 12)) if masses else 0.0
        wanted.append(min(masses, key=lambda m: abs(math.log(m / at)), default=0.0))
    return [place for place in places if place[0] in wanted]


def _columns(points: Sequence[ReachPoint], low: str = "g_low", high: str = "g_high") -> dict[float, Intervals]:
    """Ranges of couplings by rising mass, between two fields of the points."""
    found: dict[float, set[tuple[float, float]]] = {}
    for p in points:
        ranges = found.setdefault(p.mass_gev, set())
        ends = getattr(p, low), getattr(p, high)
        if None not in ends and ends[0] < ends[1]:
            ranges.add(ends)
    return {m: tuple(sorted(ranges)) for m, ranges in sorted(found.items())}


def _between(outer: Mapping[float, Intervals], inner: Mapping[float, Intervals]) -> list[Column]:
    """What lies in some ranges and not in others inside them."""

    def rest(ranges: Intervals, without: Intervals) -> Iterator[tuple[float, float]]:
        for low, high in ranges:
            for start, stop in [one for one in without if low <= one[0] and one[1] <= high]:
                yield low, start
                low = stop
            yield low, high

    left = {m: rest(ranges, inner.get(m, ())) for m, ranges in outer.items()}
    return [(m, tuple(one for one in ranges if one[0] < one[1])) for m, ranges in left.items()]


def _band(points: Sequence[ReachPoint], sigma: int) -> tuple[list[Column], str]:
    """Where the end of what is excluded is expected within some sigma, and what the legend calls it.

    A fluctuation that excludes every coupling has no end: the band goes on to the next one that has.
    """
    names = [f"minus_{sigma}", "minus_1", "expected", f"plus_{sigma}"]
    limits = points[0].limits or {}
    ends = [name for name in names[:-1] if limits.get(name) != 0.0]
    outer, inner = (_columns(points, name, f"{name}_high") for name in (ends[0], names[-1]))
    all_of_them = "" if ends[0] == names[0] else rf" ($-{sigma}\sigma$: every $g_\mu$)"
    return _between(outer, inner), rf"expected $\pm${sigma}$\sigma${all_of_them}"


#: fills of what is expected within 1 and 2 sigma: of one experiment alone, and the strength of its own colour
_BRAZILIAN, _TINTS = {1: "#6fcf6f", 2: "#ffe066"}, {1: 0.45, 2: 0.22}


class _Drawn(NamedTuple):
    """An experiment in a figure."""

    name: str  #: in the legend, with what is to be said of it
    what: str  #: the line of what is excluded, there
    points: Sequence[ReachPoint]
    number: int
    alone: bool
    alpha: float
    plane: Plane
    grey: bool  #: whether known limits are greys

    @property
    def look(self) -> palette.Look:
        found = palette.look(self.points[0].experiment)
        return found._replace(color=palette.ON_GREY.get(found.color, found.color)) if self.grey else found


def _draw_expected(axes: Any, one: _Drawn) -> None:
    """Bands of 2 and 1 sigma about what is expected without a signal, and its line.

    The line is white-edged and on top: it is seen where it is that of what is observed.
    """
    name = "" if one.alone else f"{one.name}, "
    if one.points[0].observed is not None:
        columns = [*_columns(one.points, "expected", "expected_high").items()]
        color = "black" if one.alone else one.look.color
        style = {"ls": palette.EXPECTED[one.points[0].production], "lw": stroke(0.8), "path_effects": _halo()}
        draw_region(axes, columns, one.plane, {"color": color, "alpha": 0.0}, {**style, "zorder": 3.2}, is_open=True)
        if any(ranges for _, ranges in columns):
            axes.plot([], [], color=color, label=f"{name}expected", **style)
    for sigma in (1, 2) if one.points[0].limits else ():
        columns, label = _band(one.points, sigma)
        color, alpha = (_BRAZILIAN[sigma], 1.0) if one.alone else (one.look.color, _TINTS[sigma])
        fill = {"color": color, "alpha": alpha, "zorder": 0.9 - 0.1 * sigma}
        draw_region(axes, columns, one.plane, fill, None, is_open=True)
        if any(ranges for _, ranges in columns):
            axes.fill_between([], [], color=color, alpha=alpha, lw=0.0, label=name + label)


def _halo() -> list[Any]:
    """White beside a line."""
    from matplotlib import patheffects

    return [patheffects.withStroke(linewidth=stroke(1.4), foreground="white")]


def _draw_errors(axes: Any, one: _Drawn) -> None:
    """Statistical errors, and the band of what was varied."""
    varied = _between(*(_columns(one.points, *ends) for ends in _VARIED))
    if any(ranges for _, ranges in varied):
        fill = {"color": one.look.color, "alpha": 0.6, "zorder": 0.95}
        draw_region(axes, varied, one.plane, fill, None, is_open=True)
        label = f"varied: {one.points[0].varied}" if one.alone else f"{one.name}, varied: {one.points[0].varied}"
        axes.fill_between([], [], lw=0.0, color=fill["color"], alpha=fill["alpha"], label=label)
    bars = [
        (one.plane.x(p.mass_gev), one.plane.y(g), one.plane.y(min(error, 0.99 * g)))
        for p in one.points
        for g, error in ((p.g_low, p.g_low_error), (p.g_high, p.g_high_error))
        if g is not None and error is not None and g < PERTURBATIVE
    ]
    if bars:
        m, g, error = zip(*bars, strict=True)
        axes.errorbar(m, g, error, fmt="none", ecolor=one.look.color, elinewidth=stroke(0.7), zorder=3.5)


def _draw_experiment(axes: Any, one: _Drawn) -> None:
    first, columns = one.points[0], _columns(one.points)
    is_expected = first.limits is not None and first.observed is None
    ls = palette.EXPECTED[first.production] if is_expected else palette.LINES[first.production]
    if first.production == "events" and first.limits and not is_expected:  # as there is no other line
        ls = "-"
    fill = {"color": one.look.color, "alpha": one.alpha, "zorder": 0.6 if first.limits else 1.0}
    draw_region(axes, [*columns.items()], one.plane, fill, {"ls": ls, "lw": stroke(), "zorder": 3.0}, is_open=True)
    style = {"color": one.look.color, "marker": one.look.marker}
    places = _markers([*columns.items()], PERTURBATIVE, one.number)
    if places:
        axes.plot(*zip(*((one.plane.x(m), one.plane.y(g)) for m, g in places), strict=True), ls="", zorder=4.0, **style)
        axes.plot([], [], ls=ls, label=f"{one.name}{one.what}", **style)
    if not any(low < PERTURBATIVE for low in _lowest(one.points)):
        axes.plot([], [], ls="", label=f"{one.name}, {model_words(first.model)}: no coupling is seen")
    _draw_expected(axes, one)
    _draw_errors(axes, one)


def _lowest(points: Sequence[ReachPoint]) -> Iterator[float]:
    """Lower ends of what is excluded, observed or expected or in one of the bands."""
    yield from (g for p in points for name in ("g_low", *Bands._fields) if (g := getattr(p, name)) is not None)


def _ends_of_axes(
    points: Sequence[ReachPoint], couplings: Sequence[float], known: Sequence[Constraint], grey: bool
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Ends in mass and g_mu with which all regions are seen, up to a little above g_mu = 4 pi.

    With greys the top is where every mass is excluded for long, which leaves room for what is not.
    """
    low, high = (f(p.mass_gev for p in points) for f in (min, max))
    limits = [g for c in known for _, ranges in c.columns for one in ranges for g in one if math.isfinite(g)]
    bottom = min([g for g in [*couplings, *limits] if g < PERTURBATIVE])
    top = 4.0 * PERTURBATIVE if max(couplings, default=0.0) > 1.0 else 3.0 * max(*couplings, *limits, 10.0 * bottom)
    if grey:
        top = min(top, _BEYOND * max(_excluded_from(known, low, high)))
    return (low, high) if low < high else (0.5 * low, 2.0 * high), (0.4 * bottom, top)


def _excluded_from(known: Sequence[Constraint], low: float, high: float) -> Iterator[float]:
    """The lowest coupling above which all is excluded by a limit, at masses in GeV between two."""
    import numpy as np

    masses = np.geomspace(low, high, 50) if low < high else np.array([low])
    lines = []
    for c in known:
        line = [(m, ranges[-1][0]) for m, ranges in c.columns if c.kind == "excluded" and ranges]
        if line and any(math.isinf(ranges[-1][1]) for _, ranges in c.columns if ranges):
            m, g = np.array(line).T
            lines.append(np.exp(np.interp(np.log(masses), np.log(m), np.log(g), math.inf, math.inf)))
    found = np.min(lines, axis=0) if lines else np.array([math.inf])
    finite = found[np.isfinite(found)]
    yield from finite.tolist() if finite.size else [math.inf]


def _set_axes(axes: Any, plane: Plane, x: tuple[float, float], y: tuple[float, float]) -> None:
    """Names, ends and ticks of the axes, and where perturbation theory ends."""
    from matplotlib.ticker import LogLocator

    axes.set(**LOG, xlim=x, ylim=y)
    axes.grid(visible=False)
    plane.label(axes)
    if y[1] > plane.top:
        label = r"$g_\mu > 4\pi$: no perturbation theory"
        axes.axhspan(plane.top, y[1], facecolor="none", edgecolor="0.6", hatch="////", lw=0, label=label, zorder=1.2)
    axes.yaxis.set_major_locator(LogLocator(numticks=12))
    axes.yaxis.set_minor_locator(LogLocator(subs="auto", numticks=100))
    decimal(axes.xaxis)


class _Panel(NamedTuple):
    """What a panel still waits for, until its size is known."""

    axes: Any
    shapes: list[Named]
    lines: list[Any]


def draw_reach(
    axes: Any,
    points: Sequence[ReachPoint],
    known: Sequence[Constraint],
    plane: Plane | None = None,
    view: View | None = None,
    grey: bool | None = None,
    references: bool = False,
    remarks: Mapping[str, str] | None = None,
) -> list[Named]:
    """One panel: contours, known limits, and hatched above g_mu = 4 pi where perturbation theory has ended.

    Parameters
    ----------
    axes : Axes
    points : sequence of ReachPoint
        Of one model.
    known : sequence of Constraint
    plane : Plane, optional
        By default masses in MeV and g_mu.
    view : View, optional
        Ends of the axes.
    grey : bool, optional
        Whether limits are greys; by default if they are many or others than the paper's.
    references : bool
        Whether the legend has the reference of each of many limits.
    remarks : mapping of str to str, optional
        What the legend says of an experiment after its name.

    Returns
    -------
    list of Named
        Regions that want their names written once the figure is laid out.
    """
    plane, view = plane or Plane(), view or View()
    xlim = ends(view.get("xlim"), "xlim", "energy", positive=True)
    ylim = ends(view.get("ylim"), "ylim", positive=True)
    found = [g for p in points for name in _ENDS if (g := getattr(p, name)) is not None]
    if not known and not any(g < PERTURBATIVE for g in found):  # logarithmic axes need a number
        what = r"no coupling below $4\pi$ is seen" if found else "no coupling is seen"
        axes.text(0.5, 0.5, what, transform=axes.transAxes, ha="center")
        axes.set(xticks=[], yticks=[])
        return []
    grey = are_grey(known) if grey is None else grey
    masses, couplings = _ends_of_axes(points, found, known, grey)
    low, high = xlim or masses
    _set_axes(axes, plane, (plane.x(low), plane.x(high)), ylim or (plane.y(couplings[0]), plane.y(couplings[1])))
    shapes = draw_known(axes, known, plane, grey, references)
    lines: dict[tuple[str, str], list[ReachPoint]] = {}
    for p in points:
        lines.setdefault((p.experiment, p.production), []).append(p)
    limits = {short_words(p) for p in points}
    exact = {production for _, production in lines} == {"exact"}
    for number, ((experiment, production), mine) in enumerate(lines.items()):
        kind = "" if mine[0].limits is None else ", expected" if mine[0].observed is None else ", observed"
        what = f", {short_words(mine[0])}" if len(limits) > 1 else kind
        said = [experiment, (remarks or {}).get(experiment, ""), "" if exact else production]
        name = ", ".join(filter(None, said))
        alpha = 0.05 if grey else min(0.1, 0.4 / len(lines))
        _draw_experiment(axes, _Drawn(name, what, mine, number, len(lines) == 1, alpha, plane, grey))
    return shapes


def limits_at(
    known: Names | Sequence[Constraint], points: Sequence[ReachPoint], boson: ShownBoson, view: View, workers: int = 1
) -> list[Constraint]:
    """Known limits on a boson by their names, at the masses that a figure of contours shows; those computed stay."""
    listed: list[Any] = names(known)  # type: ignore[arg-type]
    asked = [str(one) for one in listed if not isinstance(one, Constraint)]
    models = list(dict.fromkeys(p.model for p in points))
    found = constraints(asked, _shown_span(points, view), boson, models, workers) if asked else []
    return found + [one for one in listed if isinstance(one, Constraint)]


def _shown_span(points: Sequence[ReachPoint], view: View) -> Range:
    """Masses in GeV between which limits are shown: the ends of the axis, as far as a mass can be."""
    asked = ends(view.get("xlim"), "xlim", "energy", positive=True)
    ends_of_it = asked or (min(p.mass_gev for p in points), max(p.mass_gev for p in points))
    low, high = (min(max(m, _MASSES[0]), _MASSES[1]) for m in ends_of_it)
    return Range((low, high)) if low < high else Range((0.5 * low, 2.0 * high))


def plot_reach(
    points: Sequence[ReachPoint],
    where: Where,
    title: str = "",
    known: Names | Sequence[Constraint] = (),
    *,
    boson: CardLike | None = None,
    axis: str = AXES[0],
    mass_unit: str | None = None,
    references: bool = False,
    criterion: str = "",
    remarks: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
    workers: int = 1,
    **view: Unpack[View],
) -> None:
    """Region of couplings against the mass in which the signal exceeds the threshold, one panel per model.

    A few limits that are those of the paper's figures (g-2, dumps, BaBar) have colours and hatches of their own, and
    the legend their references. Others are greys with their names at their edges; the legend names those without room.

    Parameters
    ----------
    points : sequence of ReachPoint
        Of any number of experiments and models.
    where : path, Axes or sequence of Axes
        A file that ends in .png, .pdf or .svg, or Axes of matplotlib, one for each panel.
    title : str
        By default the criterion, and the model. With a title of its own the criterion is in the legend.
    known : str or sequence of str
        Known limits to be drawn beside them, as `mcgen reach --constraints` takes them: names of `mcgen.constraints`,
        "paper" for those of Fig. 5, "all" for all that hold, files .csv with mass_gev,coupling in GeV and g_mu.
    boson : Card, str or Path, optional
        Whose coupling is shown, and whose limits: a card, for its boson with its decays, or "scalar", "pseudoscalar",
        "vector" or "axial". Without it the axis is g_mu, and limits are those on a scalar.
    axis : {"community", "g_mu"}
        The coupling that is usual for the boson, epsilon = g_mu/e of a dark photon, g' of L_mu - L_tau,
        g_a = g_mu/(2 m_mu) of a pseudoscalar, or g_mu; `ylim` is in it.
    mass_unit : {"MeV", "GeV"}, optional
        By default GeV if the axis goes beyond 2 GeV.
    references : bool
        Whether the legend has the references of many limits too.
    criterion : str
        What counts as excluded; by default the limit, if all points have one and the same.
    remarks : mapping of str to str, optional
        What the legend says of an experiment after its name.
    notes : sequence of str
        More lines of the legend.
    workers : int
        Threads, for limits that are computed: of dumps and of NA64mu.
    **view
        `xlim`, `ylim` and `style` of `mcgen.report.figure.View`.

    Raises
    ------
    InputError
        If a limit or the boson is not known, or the title cannot be read.
    """
    check_words(title, "title")
    models = list(dict.fromkeys(p.model for p in points))
    shown = ShownBoson.asked(boson)
    known = limits_at(known, points, shown, view, workers)
    mediator = None if boson is None else shown.mediator
    words = {short_words(p) for p in points}
    criterion = criterion or (words.pop() if len(words) == 1 else "")
    lead = title or criterion
    said = [*notes, *([criterion] if criterion not in lead else [])]
    asked = ends(view.get("xlim"), "xlim", "energy", positive=True)
    highest = asked[1] if asked else max(p.mass_gev for p in points)
    with figure(where, columns=len(models), view=view) as panels:
        waiting, seen, grey = [], list[bool](), are_grey(known)
        for axes, model in zip(panels, models, strict=True):
            mine = [p for p in points if p.model == model]
            plane = Plane.of(mediator, model, highest, axis, mass_unit)
            limits = [c for c in known if model in c.models]
            shapes = draw_reach(axes, mine, limits, plane, view, grey, references, remarks)
            waiting.append(_Panel(axes, shapes, _lines(mine, plane)))
            seen += [area(axes, path) > 0.0 for path in _lines(mine, plane)]
            axes.set_title(f"{lead}, {model_words(model)}" if lead else model_words(model))
        if seen and not any(seen) and (view.get("xlim") or view.get("ylim")):
            warnings.warn(_beside(points, plane), NothingShownWarning, stacklevel=2)
        for text in said:
            panels[0].plot([], [], ls="", marker="", label=text)
        if isinstance(where, str | Path):
            fit_titles(panels)
        made = legend(panels, where, entries(panels), 2 * len(models))
        without = [name for axes, shapes, lines in waiting for name in name_known(axes, shapes, lines)]
        if without and not references:
            also_named(made, without)


def _beside(points: Sequence[ReachPoint], plane: Plane) -> str:
    """Where contours lie that axes do not show."""
    masses = [plane.x(p.mass_gev) for p in points if p.g_low is not None]
    lows = [plane.y(p.g_low) for p in points if p.g_low is not None]
    highs = [plane.y(min(p.g_high, PERTURBATIVE)) for p in points if p.g_high is not None]
    where = f"{min(masses):.4g} to {max(masses):.4g} {plane.unit}, {min(lows):.2g} to {max(highs):.2g}"
    return f"xlim, ylim: no contour is seen between the ends of the axes; they lie at {where}"


def _lines(points: Sequence[ReachPoint], plane: Plane) -> list[Any]:
    """Outlines of what is ours, on which no name is written."""
    contours: dict[tuple[str, str], list[ReachPoint]] = {}
    for p in points:
        contours.setdefault((p.experiment, p.production), []).append(p)
    return [path for mine in contours.values() if (path := plane.region([*_columns(mine).items()])) is not None]
