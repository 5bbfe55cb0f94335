"""Figures; they draw numbers that are made elsewhere."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mcgen.analysis.constraints import Constraint
from mcgen.analysis.crosscheck import Comparison
from mcgen.analysis.crossings import HIGHEST, Intervals
from mcgen.analysis.reach import ReachPoint
from mcgen.analysis.regions import outlines
from mcgen.base.errors import refuse_if
from mcgen.base.estimate import Estimate
from mcgen.base.extras import optional
from mcgen.base.files import atomic_path, request_text
from mcgen.card.provenance import provenance
from mcgen.quadrature.xsec import CrossSection
from mcgen.report import palette
from mcgen.report.paper import Curve

#: largest coupling at which perturbation theory holds
PERTURBATIVE = 4.0 * math.pi
#: mass in GeV and ranges of couplings there
Column = tuple[float, Intervals]
#: a file, or Axes of matplotlib
Where = str | Path | Any

_LOG = {"xscale": "log", "yscale": "log"}
_MASS = r"$m_S$ [MeV]"

#: levels and colours of the error map
_MAP_LEVELS = {
    "IWW": ((1.0, 1.2, 1.5, 2, 3, 5, 10, 30, 100, 1000), "viridis"),
    "WW": ((0.8, 0.9, 0.95, 0.98, 0.99, 1.01, 1.02, 1.05, 1.1, 1.2), "coolwarm"),
}

_STYLE = {
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "font.size": 11,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "axes.prop_cycle": f"cycler('color', {list(palette.COLORS)})",
}


def kind_of(path: str | Path) -> str:
    """Format of a figure by the ending of its name; InputError if there is none."""
    kind = Path(path).suffix.lstrip(".").lower()
    refuse_if(kind not in _METADATA, f"plot {path}: the name must end in .png, .pdf or .svg")
    return kind


#: kind of figure -> its fields for the program and for a text; without a date the same picture has the same bytes
_METADATA: dict[str, tuple[str, str, dict[str, None]]] = {
    "png": ("Software", "Description", {}),
    "pdf": ("Creator", "Subject", {"CreationDate": None}),
    "svg": ("Creator", "Description", {"Date": None}),
}
#: what PDF and SVG files say of the run that made them, and the byte positions in a PDF, which change with it
_OF_THE_RUN = re.compile(
    rb"(?s)/(?:Creator|Subject|Producer|Keywords) \((?:[^()\\]|\\.)*\)|\nxref\n.*?\ntrailer|startxref\n\d+|"
    rb"<dc:(description|creator|subject)>.*?</dc:\1>"
)


def _same_picture(one: Path, two: Path) -> bool:
    """Whether two files of one kind show the same."""
    if kind_of(two) == "png":
        image = optional("matplotlib.image", "plots", "plot")
        first, second = image.imread(one), image.imread(two)
        return first.shape == second.shape and bool((first == second).all())
    first, second = (_OF_THE_RUN.sub(b"", path.read_bytes()) for path in (one, two))
    return bool(first == second)


@contextlib.contextmanager
def figure(where: Where, columns: int = 1, rows: int = 1) -> Iterator[Any]:
    """Panels to draw in: those given, or of a new figure that is written to a file at the end.

    Parameters
    ----------
    where : path, Axes or sequence of Axes
        A file that ends in .png, .pdf or .svg, or as many Axes of matplotlib as there are panels.
    columns, rows : int
        Panels of the figure; of several rows the first one is twice as high.
    """
    if not isinstance(where, str | Path):
        given = list(np.ravel(where))
        needed = columns * rows
        refuse_if(len(given) != needed, f"axes: this figure has {needed} panels, and {len(given)} Axes are given")
        yield given
        return
    path = where
    mpl = optional("matplotlib", "plots", "plot")
    drawing = optional("matplotlib.figure", "plots", "plot")
    kind = kind_of(path)
    with mpl.rc_context(_STYLE | {"svg.hashsalt": "mcgen"}):
        made = drawing.Figure(figsize=(6.4 * columns, 4.6 if rows == 1 else 6.0), layout="constrained")
        heights = {"height_ratios": [2, 1][:rows]}
        yield made.subplots(rows, columns, squeeze=False, sharex=rows > 1, gridspec_kw=heights).ravel()
        with atomic_path(path, _same_picture) as part:
            origin = provenance()
            program, text, dates = _METADATA[kind]
            request = f" [request {request_text()}]" if request_text() else ""
            made_by = {program: f"mcgen {origin['mcgen_version']}", text: origin["command"] + request, **dates}
            made.savefig(part, dpi=150, format=kind, metadata=made_by)


def legend(panels: Sequence[Any], where: Where, handles: Mapping[str, Any], columns: int) -> None:
    """One legend for all panels below them, or in the last one of those that belong to a figure of the user's."""
    own = isinstance(where, str | Path)
    at = {"loc": "outside lower center", "ncols": columns} if own else {}
    (panels[0].figure if own else panels[-1]).legend(handles.values(), handles.keys(), fontsize=8, **at)


def entries(panels: Sequence[Any]) -> dict[str, Any]:
    """What a legend names, each once."""
    pairs = (axes.get_legend_handles_labels() for axes in panels)
    return {label: handle for handles, labels in pairs for handle, label in zip(handles, labels, strict=True)}


def plot_signal(
    g_mu: Sequence[float],
    n_signal: Mapping[str, Sequence[Estimate]],
    where: Where,
    title: str = "",
    threshold: float = 3.0,
) -> None:
    """N_S against g_mu per model, with errors.

    Parameters
    ----------
    g_mu : sequence of float
        Shape (n,).
    n_signal : mapping of str to sequence of Estimate
        N_S of each model at these couplings.
    where : path, Axes or sequence of Axes
        A file that ends in .png, .pdf or .svg, or Axes of matplotlib, one for each panel.
    title : str
    threshold : float
        Number of events at which a line is drawn; less than 1e-4 of it is not shown.
    """
    with figure(where) as (axes,):
        for model, row in n_signal.items():
            shown = [(g, n.value, n.error) for g, n in zip(g_mu, row, strict=True) if n.value > 1e-4 * threshold]
            if shown:
                axes.errorbar(*zip(*shown, strict=True), fmt="o-", ms=3, label=f"model {model}")
        axes.axhline(threshold, color="black", ls="--", lw=1, label=f"$N_S = {threshold:g}$")
        axes.set(**_LOG, xlabel=r"$g_\mu$", ylabel=r"signal events $N_S$", title=title)
        axes.set_ylim(bottom=1e-2 * threshold)
        axes.legend()


def plot_sigma_tilde(
    E_mu: Sequence[float], rows: Mapping[str, Sequence[Estimate]], where: Where, title: str = ""
) -> None:
    """sigma~ against the muon energy, one histogram per label.

    Parameters
    ----------
    E_mu : sequence of float
        Centres of the bins in GeV, shape (n,).
    rows : mapping of str to sequence of Estimate
        sigma~ in cm^2 in each bin, by label.
    where : path, Axes or sequence of Axes
        A file that ends in .png, .pdf or .svg, or Axes of matplotlib, one for each panel.
    title : str
    """
    with figure(where) as (axes,):
        half = 0.5 * (E_mu[1] - E_mu[0]) if len(E_mu) > 1 else 0.0
        edges = [E_mu[0] - half, *(E + half for E in E_mu)]
        for label, row in rows.items():
            values, errors, _ = zip(*row, strict=True)
            drawn = axes.stairs(values, edges, label=label)
            axes.errorbar(E_mu, values, errors, fmt="none", ecolor=drawn.get_edgecolor(), lw=1)
        axes.set(xlabel=r"$E_\mu$ [GeV]", ylabel=r"$\tilde\sigma(E_\mu)$ [cm$^2$]", title=title)
        positive = [x.value for row in rows.values() for x in row if x.value > 0.0]
        if positive and max(positive) > 30.0 * min(positive):
            axes.set(yscale="log", ylim=(max(min(positive), 1e-6 * max(positive)) / 2.0, 3.0 * max(positive)))
        if axes.get_xscale() == "linear":  # Axes of the user's may have another one
            axes.ticklabel_format(axis="x", useOffset=False)
        axes.legend()


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
    axes.set(**_LOG, xlabel=_MASS, ylabel=r"$g_\mu$")
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


def _ratios(rows: Sequence[Comparison], name: str) -> list[float]:
    """One of the numbers of each row over the exact cross section; NaN below threshold."""
    return [getattr(r, name) / r.sigma_exact_pb if r.sigma_exact_pb else math.nan for r in rows]


def plot_comparison(rows: Sequence[Comparison], where: Where, title: str = "") -> None:
    """Ratio of each approximation to the exact cross section against the mass, per energy.

    Parameters
    ----------
    rows : sequence of Comparison
        Of one target, what `mcgen.crosscheck` returns.
    where : path, Axes or sequence of Axes
        A file that ends in .png, .pdf or .svg, or Axes of matplotlib, one for each panel.
    title : str
    """
    with figure(where) as (axes,):
        for number, E in enumerate(dict.fromkeys(row.energy_gev for row in rows)):
            line = [row for row in rows if row.energy_gev == E and row.sigma_exact_pb > 0.0]
            mass = [1e3 * row.mass_gev for row in line]
            color, label = f"C{number}", f"{E:.4g} GeV"
            axes.plot(mass, _ratios(line, "sigma_iww_pb"), "o-", color=color, label=f"{label}, IWW")
            axes.plot(mass, _ratios(line, "sigma_ww_pb"), "s--", color=color, label=f"{label}, WW")
            points = _ratios(line, "sigma_mc_pb"), _ratios(line, "error_mc_pb")
            axes.errorbar(mass, *points, fmt=".", color=color, label=f"{label}, Monte Carlo")
        axes.set(**_LOG, xlabel=_MASS, ylabel="ratio to exact", title=title)
        legend([axes], where, entries([axes]), 3)


#: what an axis shows, and its scale
_VARIABLES = {"x": (r"$x = E_S/E_\mu$", "linear"), "t": (r"$t$ [GeV$^2$]", "log"), "theta": (r"$\theta$ [rad]", "log")}


def plot_spectra(spectra: Mapping[str, CrossSection], where: Where, title: str = "", variable: str = "x") -> None:
    """Spectra of several methods, and below their ratio to the first one.

    Parameters
    ----------
    spectra : mapping of str to CrossSection
        With spectra in the same bins, what `mcgen.x_spectra` returns.
    where : path, Axes or sequence of Axes
        A file that ends in .png, .pdf or .svg, or Axes of matplotlib, one for each panel.
    title : str
    variable : {"x", "t", "theta"}
    """
    label, scale = _VARIABLES[variable]
    with figure(where, rows=2) as (top, bottom):
        reference = next(iter(spectra.values()))
        for name, one in spectra.items():
            if one.bins is None or one.edges is None or reference.bins is None:
                continue
            ratio = [b / r if r > 0.0 else math.nan for b, r in zip(one.bins, reference.bins, strict=True)]
            top.stairs(one.bins, one.edges, label=name)
            bottom.stairs(ratio, one.edges)
        top.set(ylabel=r"$\sigma$ per bin [pb]", xscale=scale, yscale="log", title=title)
        bottom.set(xlabel=label, ylabel="ratio", xscale=scale, yscale="log")
        top.legend()


def plot_error_map(rows: Sequence[Comparison], where: Where, title: str = "") -> None:
    """IWW/exact and WW/exact over energy and mass, in two panels.

    Parameters
    ----------
    rows : sequence of Comparison
        Of one target over a grid, energy by energy.
    where : path, Axes or sequence of Axes
        A file that ends in .png, .pdf or .svg, or Axes of matplotlib, one for each panel.
    title : str
    """
    from matplotlib.colors import BoundaryNorm

    energies = list(dict.fromkeys(r.energy_gev for r in rows))
    masses = list(dict.fromkeys(1e3 * r.mass_gev for r in rows))
    with figure(where, columns=2) as panels:
        for axes, (name, (levels, colors)) in zip(panels, _MAP_LEVELS.items(), strict=True):
            ratio = np.reshape(_ratios(rows, f"sigma_{name.lower()}_pb"), (len(energies), len(masses)))
            norm = BoundaryNorm(levels, 256, extend="both")
            drawn = axes.contourf(masses, energies, ratio, levels, cmap=colors, norm=norm, extend="both")
            axes.figure.colorbar(drawn, ax=axes, label=f"{name}/exact", ticks=levels)
            axes.set(**_LOG, xlabel=_MASS, ylabel=r"$E_\mu$ [GeV]", title=f"{title}: {name}/exact")


def plot_curves(curves: Sequence[Curve], where: Where, xlabel: str, ylabel: str, **axes_settings: Any) -> None:
    """Lines in panels side by side.

    Parameters
    ----------
    curves : sequence of Curve
        Each names its panel.
    where : path, Axes or sequence of Axes
        A file that ends in .png, .pdf or .svg, or Axes of matplotlib, one for each panel.
    xlabel, ylabel : str
        Of every panel.
    **axes_settings
        Of every panel, as `Axes.set` of matplotlib takes them: xscale, yscale, ylim.
    """
    names = list(dict.fromkeys(curve.panel for curve in curves))
    with figure(where, columns=len(names)) as panels:
        for axes, name in zip(panels, names, strict=True):
            for curve in curves:
                if curve.panel == name:
                    axes.plot(curve.x, curve.y, label=curve.label)
            axes.set(xlabel=xlabel, ylabel=ylabel, title=name, **axes_settings)
            axes.legend(fontsize=8)
