"""The figure of N_S over masses and couplings."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mcgen.analysis.grid import Cells, Grid, bin_edges
from mcgen.analysis.threshold import limit_of
from mcgen.report.figure import LOG, MASS, Where, figure

#: numbers of events between which the colours lie, and a map whose lightness rises evenly, for every eye
_LOWEST, _HIGHEST, _COLORS = 1e-3, 1e9, "cividis"


def plot_grid(grid: Grid, where: Where, title: str = "") -> None:
    """N_S as colours over mass and coupling, one panel per model, with lines at 1, 10, 100, ... and the limit.

    Parameters
    ----------
    grid : Grid
    where : path, Axes or sequence of Axes
        A file that ends in .png, .pdf or .svg, or Axes of matplotlib, one for each panel.
    title : str
        By default the experiment.
    """
    from matplotlib.colors import LogNorm

    largest = max(float(cells.n_signal.max()) for cells in grid.models.values())
    top = min(max(10.0, largest), _HIGHEST)
    norm = LogNorm(_LOWEST, top)
    with figure(where, columns=len(grid.models)) as panels:
        for axes, (model, cells) in zip(panels, grid.models.items(), strict=True):
            drawn = _draw(axes, grid, cells, norm)
            axes.set_title(f"{title or grid.card.name}, model {model}")
        extend = "both" if largest > top else "min"
        panels[0].figure.colorbar(drawn, ax=list(panels), label=r"signal events $N_S$", extend=extend)


def _draw(axes: Any, grid: Grid, cells: Cells, norm: Any) -> Any:
    """One panel: a cell for each point, grey where there is hardly a signal, and lines of equal N_S."""
    mass, g_mu, values = 1e3 * grid.m_S, grid.g_mu, cells.n_signal.T
    axes.set(**LOG, xlabel=MASS, ylabel=r"$g_\mu$", facecolor="0.85")
    axes.grid(visible=False)
    shown = np.ma.masked_less(values, norm.vmin)
    drawn = axes.pcolormesh(bin_edges(mass), bin_edges(g_mu), shown, norm=norm, cmap=_COLORS, rasterized=True)
    limit = limit_of(grid.card).events
    levels = _levels(values, limit) if min(values.shape) > 1 else {}
    if levels:
        heights = np.log10(np.maximum(values, norm.vmin))
        dashes = ["-" if label == f"{limit:.3g}" else "--" for label in levels.values()]
        lines = axes.contour(mass, g_mu, heights, [*levels], colors="black", linewidths=1.0, linestyles=dashes)
        texts = axes.clabel(lines, fmt=levels, fontsize=8)
        lines.set_path_effects(_halo())
        for text in texts:
            text.set_path_effects(_halo())
    return drawn


def _levels(values: Any, limit: float) -> dict[float, str]:
    """Lines to draw between the extremes of N_S, that of a limit among them: the logarithm and the label of each."""
    last = math.ceil(math.log10(max(10.0, values.max())))
    labels = {0.0: "1", 1.0: "10"} | {float(n): f"$10^{{{n}}}$" for n in range(2, last, 2)}
    labels |= {math.log10(limit): f"{limit:.3g}"}
    return {level: labels[level] for level in sorted(labels) if values.min() < 10.0**level < values.max()}


def _halo() -> list[Any]:
    """White beside black lines, which else vanish on dark colours."""
    from matplotlib import patheffects

    return [patheffects.withStroke(linewidth=2.5, foreground="white")]
