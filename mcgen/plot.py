"""Figures; they draw numbers that are made elsewhere."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mcgen.comparison import Comparison
from mcgen.contours import ReachPoint
from mcgen.errors import InputError
from mcgen.estimate import Estimate
from mcgen.files import atomic_path

_STYLE = {
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "font.size": 11,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
}


@contextlib.contextmanager
def _figure(path: str | Path, rows: int = 1) -> Iterator[Any]:
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        message = "plots need matplotlib: pip install 'mcgen[plot]'"
        raise InputError(message) from None
    kind = Path(path).suffix.lstrip(".").lower()
    if kind not in ("png", "pdf", "svg"):
        message = f"plot {path}: the name must end in .png, .pdf or .svg"
        raise InputError(message)
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(6.4, 4.6 if rows == 1 else 6.0), layout="constrained")
        ratios = {"height_ratios": [2, 1][:rows]}
        yield figure.subplots(rows, 1, sharex=True, gridspec_kw=ratios) if rows > 1 else figure.subplots()
        with atomic_path(path) as part:
            figure.savefig(part, dpi=150, format=kind)


def plot_signal(
    g_mu: Sequence[float],
    n_signal: Mapping[str, Sequence[Estimate]],
    path: str | Path,
    title: str,
    threshold: float = 3.0,
) -> None:
    """N_S against g_mu per model, with errors."""
    with _figure(path) as axes:
        for model, row in n_signal.items():
            shown = [(g, n) for g, n in zip(g_mu, row, strict=True) if n.value > 1e-4 * threshold]
            if shown:
                g, n = zip(*shown, strict=True)
                values, errors = [x.value for x in n], [x.error for x in n]
                axes.errorbar(g, values, errors, fmt="o-", ms=3, label=f"model {model}")
        axes.axhline(threshold, color="black", ls="--", lw=1, label=f"$N_S = {threshold:g}$")
        axes.set(xscale="log", yscale="log", xlabel=r"$g_\mu$", ylabel=r"signal events $N_S$", title=title)
        axes.set_ylim(bottom=1e-2 * threshold)
        axes.legend()


def plot_sigma_tilde(
    E_mu: Sequence[float], rows: Mapping[str, Sequence[Estimate]], path: str | Path, title: str
) -> None:
    """sigma~ against the muon energy, one histogram per label."""
    with _figure(path) as axes:
        half = 0.5 * (E_mu[1] - E_mu[0]) if len(E_mu) > 1 else 0.0
        edges = [E_mu[0] - half, *(E + half for E in E_mu)]
        for label, row in rows.items():
            values, errors = [x.value for x in row], [x.error for x in row]
            drawn = axes.stairs(values, edges, label=label)
            axes.errorbar(E_mu, values, errors, fmt="none", ecolor=drawn.get_edgecolor(), lw=1)
        axes.set(xlabel=r"$E_\mu$ [GeV]", ylabel=r"$\tilde\sigma(E_\mu)$ [cm$^2$]", title=title)
        positive = [x.value for row in rows.values() for x in row if x.value > 0.0]
        if positive and max(positive) > 30.0 * min(positive):
            axes.set(yscale="log", ylim=(max(min(positive), 1e-6 * max(positive)) / 2.0, 3.0 * max(positive)))
        axes.ticklabel_format(axis="x", useOffset=False)
        axes.legend()


def plot_reach(points: Sequence[ReachPoint], path: str | Path, title: str) -> None:
    """Region of g_mu against the mass in which the signal exceeds the threshold."""
    with _figure(path) as axes:
        for key in dict.fromkeys((p.experiment, p.model, p.production) for p in points):
            line = [p for p in points if (p.experiment, p.model, p.production) == key and p.g_low is not None]
            mass = [1e3 * p.mass_gev for p in line]
            low = [p.g_low for p in line]
            high = [min(p.g_high, 10.0) if p.g_high is not None else math.nan for p in line]
            (drawn,) = axes.plot(mass, low, "o-", ms=3, label=f"{key[0]}, model {key[1]}, {key[2]}")
            axes.plot(mass, high, "o-", ms=3, color=drawn.get_color())
            axes.fill_between(mass, low, high, color=drawn.get_color(), alpha=0.15)
        axes.set(xscale="log", yscale="log", xlabel=r"$m_S$ [MeV]", ylabel=r"$g_\mu$", title=title)
        axes.legend()


def plot_comparison(rows: Sequence[Comparison], path: str | Path, title: str) -> None:
    """Ratio of each approximation to the exact cross section against the mass, per energy."""
    with _figure(path) as axes:
        for number, E in enumerate(dict.fromkeys(row.energy_gev for row in rows)):
            line = [row for row in rows if row.energy_gev == E and row.sigma_exact_pb > 0.0]
            mass = [1e3 * row.mass_gev for row in line]
            color = f"C{number % 10}"
            axes.plot(
                mass, [r.sigma_iww_pb / r.sigma_exact_pb for r in line], "o-", color=color, label=f"{E:.4g} GeV, IWW"
            )
            axes.plot(
                mass, [r.sigma_ww_pb / r.sigma_exact_pb for r in line], "s--", color=color, label=f"{E:.4g} GeV, WW"
            )
            ratio = [r.sigma_mc_pb / r.sigma_exact_pb for r in line]
            errors = [r.error_mc_pb / r.sigma_exact_pb for r in line]
            axes.errorbar(mass, ratio, errors, fmt=".", color=color, label=f"{E:.4g} GeV, Monte Carlo")
        axes.set(xscale="log", yscale="log", xlabel=r"$m_S$ [MeV]", ylabel="ratio to exact", title=title)
        axes.legend(fontsize=8, ncols=2)
