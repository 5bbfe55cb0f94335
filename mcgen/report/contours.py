"""The figure of exclusion contours over what is known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mcgen.analysis.constraints import Constraint
from mcgen.analysis.crossings import HIGHEST, Intervals
from mcgen.analysis.reach import ReachPoint
from mcgen.analysis.regions import outlines
from mcgen.report import palette
from mcgen.report.figure import LOG, MASS, Where, entries, figure, legend

#: largest coupling at which perturbation theory holds
PERTURBATIVE = 4.0 * math.pi
#: mass in GeV and ranges of couplings there
Column = tuple[float, Intervals]


def _draw_region(axes: Any, columns: Sequence[Column], fill: Mapping[str, Any], line: Mapping[str, Any] | None) -> None:
    """Draw ranges of couplings as closed, filled regions, up to g_mu = 4 pi where perturbation theory ends."""
    from matplotlib.patches import PathPatch, Rectangle
    from matplotlib.path import Path as Outline

    points, codes = [], []
    for loop in outlines(columns, HIGHEST):
        points += [(1e3 * m, g) for m, g in [*loop, loop[0]]]
        codes += [Outline.MOVETO, *[Outline.LINETO] * (len(loop) - 1), Outline.CLOSEPOLY]
    if not points:
        return
    region = Outline(points, codes)
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    size = right - left, min(top, PERTURBATIVE) - bottom
    within = Rectangle((left, bottom), *size, transform=axes.transData)
    hatch = {"hatch": fill.get("hatch"), "fill": False, "edgecolor": fill["color"], "lw": 0.0, "zorder": 1.1}
    parts = [{"facecolor": fill["color"], "alpha": fill["alpha"], "lw": 0.0, "zorder": 1.0}]
    parts += [hatch] if fill.get("hatch") else []
    parts += [{"fill": False, "edgecolor": fill["color"], "zorder": 2.0, **line}] if line else []
    for part in parts:
        axes.add_patch(PathPatch(region, **part)).set_clip_path(within)


def _markers(columns: Sequence[Column], top: float, number: int) -> list[tuple[float, float]]:
    """Where the markers of a line stand: (mass in MeV, coupling) at four masses, which `number` moves a little.

    So the markers of several lines do not lie on each other. A line of one mass has them at both of its ends.
    """
    places = [(1e3 * m, g) for m, ranges in columns for low, high in ranges for g in (low, high) if g < top]
    if len({m for m, _ in places}) == 1:
        return places
    masses = sorted({m for m, _ in places})
    wanted = []
    for share in (0.1, 0.35, 0.6, 0.85):
        at = masses[0] * (masses[-1] / masses[0]) ** (share + 0.02 * (number % 12)) if masses else 0.0
        wanted.append(min(masses, key=lambda m: abs(math.log(m / at)), default=0.0))
    return [place for place in places if place[0] in wanted]


def _columns(points: Sequence[ReachPoint]) -> list[Column]:
    """Ranges of couplings by rising mass."""
    found: dict[float, list[tuple[float, float]]] = {}
    for p in points:
        ranges = found.setdefault(p.mass_gev, [])
        if p.g_low is not None and p.g_high is not None:
            ranges.append((p.g_low, p.g_high))
    return [(m, tuple(ranges)) for m, ranges in sorted(found.items())]


def _draw_constraint(axes: Any, known: Constraint) -> None:
    from matplotlib.colors import to_rgba

    look = palette.look(known.name)
    if known.kind == "quoted":
        line = [(1e3 * m, low) for m, ranges in known.columns for low, _ in ranges]
        axes.plot(*zip(*line, strict=True), color=look.color, ls=(0, (1, 1)), lw=2, label=known.label)
        return
    band = known.kind == "preferred"
    alpha = 0.6 if band else 0.25
    fill = {"color": look.color, "alpha": alpha, "hatch": None if band else look.hatch}
    _draw_region(axes, known.columns, fill, None if band else {"lw": 1.0})
    shade = {"facecolor": to_rgba(look.color, alpha), "edgecolor": look.color, "hatch": fill["hatch"]}
    axes.fill_between([], [], lw=0.0, label=known.label, **shade)


def _draw_experiment(axes: Any, columns: Sequence[Column], key: tuple[str, str], number: int, alpha: float) -> None:
    experiment, production = key
    look, ls = palette.look(experiment), palette.LINES[production]
    _draw_region(axes, columns, {"color": look.color, "alpha": alpha}, {"ls": ls, "lw": 1.5, "zorder": 3.0})
    style = {"color": look.color, "marker": look.marker, "ms": 5}
    places = _markers(columns, PERTURBATIVE, number)
    if places:
        axes.plot(*zip(*places, strict=True), ls="", zorder=4.0, **style)
        axes.plot([], [], ls=ls, label=f"{experiment}, {production}", **style)


def _set_axes(axes: Any, points: Sequence[ReachPoint], known: Sequence[Constraint]) -> None:
    """Choose the ends of the axes so that all regions are seen, up to a little above g_mu = 4 pi."""
    from matplotlib.ticker import FormatStrFormatter, LogLocator

    low, high = (1e3 * f(p.mass_gev for p in points) for f in (min, max))
    ends = [g for p in points for g in (p.g_low, p.g_high) if g is not None]
    limits = [g for c in known for _, ranges in c.columns for one in ranges for g in one if math.isfinite(g)]
    bottom = min([g for g in [*ends, *limits] if g < PERTURBATIVE])
    top = 4.0 * PERTURBATIVE if max(ends, default=0.0) > 1.0 else 3.0 * max(*ends, *limits, 10.0 * bottom)
    axes.set(**LOG, xlabel=MASS, ylabel=r"$g_\mu$")
    axes.set(xlim=(low, high) if low < high else (0.5 * low, 2.0 * high), ylim=(0.4 * bottom, top))
    if top > PERTURBATIVE:
        label = r"$g_\mu > 4\pi$: no perturbation theory"
        axes.axhspan(PERTURBATIVE, top, facecolor="none", edgecolor="0.6", hatch="////", lw=0, label=label)
    digits = (1.0, 2.0, 3.0, 5.0) if high < 10.0 * low else (1.0, 2.0, 5.0) if high < 1000.0 * low else (1.0,)
    axes.xaxis.set_major_locator(LogLocator(subs=digits))
    axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.xaxis.set_minor_formatter("")


def draw_reach(axes: Any, points: Sequence[ReachPoint], known: Sequence[Constraint]) -> None:
    """One panel: contours, known limits, and hatched above g_mu = 4 pi where perturbation theory has ended."""
    if not known and not any(p.g_low is not None and p.g_low < PERTURBATIVE for p in points):
        seen = any(p.g_low is not None for p in points)  # logarithmic axes need a number
        what = r"no coupling below $4\pi$ is seen" if seen else "no coupling is seen"
        axes.text(0.5, 0.5, what, transform=axes.transAxes, ha="center")
        axes.set(xticks=[], yticks=[])
        return
    _set_axes(axes, points, known)
    for one in known:
        _draw_constraint(axes, one)
    keys = list(dict.fromkeys((p.experiment, p.production) for p in points))
    for number, key in enumerate(keys):
        columns = _columns([p for p in points if (p.experiment, p.production) == key])
        _draw_experiment(axes, columns, key, number, min(0.1, 0.4 / len(keys)))


def plot_reach(points: Sequence[ReachPoint], where: Where, title: str = "", known: Sequence[Constraint] = ()) -> None:
    """Region of g_mu against the mass in which the signal exceeds the threshold, one panel per model.

    Parameters
    ----------
    points : sequence of ReachPoint
        Of any number of experiments and models.
    where : path, Axes or sequence of Axes
        A file that ends in .png, .pdf or .svg, or Axes of matplotlib, one for each panel.
    title : str
    known : sequence of Constraint
        Limits to be drawn beside them.
    """
    models = list(dict.fromkeys(p.model for p in points))
    with figure(where, columns=len(models)) as panels:
        for axes, model in zip(panels, models, strict=True):
            draw_reach(axes, [p for p in points if p.model == model], [c for c in known if model in c.models])
            axes.set_title(f"{title}, model {model}" if title else f"model {model}")
        named = entries(panels)
        columns = 2 * len(models) if max(map(len, named), default=0) < 40 else len(models)
        if named:
            legend(panels, where, named, columns)
        if named and isinstance(where, str | Path):
            rows = -(-len(named) // columns)
            panels[0].figure.set_size_inches(6.4 * len(models), 4.6 + 0.18 * rows)
