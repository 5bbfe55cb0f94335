"""Monte Carlo event generator for light muon-coupled bosons, mu N -> mu N S, with the exact amplitude.

The functions below mirror the commands of `mcgen --help`; nothing heavy is imported before one is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mcgen._version import __version__ as __version__

if TYPE_CHECKING:
    from mcgen.analysis.alternatives import with_weights as with_weights
    from mcgen.analysis.cited_files import cite as cite
    from mcgen.analysis.collider_crosscheck import crosscheck_collisions as crosscheck_collisions
    from mcgen.analysis.constraints.listing import constraints as constraints
    from mcgen.analysis.crosscheck import crosscheck as crosscheck
    from mcgen.analysis.crosscheck import x_spectra as x_spectra
    from mcgen.analysis.event_check import crosscheck_events as crosscheck_events
    from mcgen.analysis.grid import grid as grid
    from mcgen.analysis.grid import grid_from_events as grid_from_events
    from mcgen.analysis.reach import reach as reach
    from mcgen.analysis.reach import reach_from_events as reach_from_events
    from mcgen.analysis.reweight import reweight as reweight
    from mcgen.analysis.shapes import signal_histogram as signal_histogram
    from mcgen.analysis.workspace import workspace as workspace
    from mcgen.base.cache import cache as cache
    from mcgen.base.errors import ClosureError as ClosureError
    from mcgen.base.errors import InputError as InputError
    from mcgen.base.errors import McgenError as McgenError
    from mcgen.base.estimate import Estimate as Estimate
    from mcgen.base.files import overwriting as overwriting
    from mcgen.campaign.generate_folder import generate_folder as generate_folder
    from mcgen.campaign.rerun import rerun as rerun
    from mcgen.card.card import Card as Card
    from mcgen.card.keys import schema as schema
    from mcgen.card.new import new as new
    from mcgen.events.events import Events as Events
    from mcgen.events.export import export as export
    from mcgen.events.formats.root import EventFile as EventFile
    from mcgen.events.formats.root import save as save
    from mcgen.events.info import info as info
    from mcgen.events.pool import load as load
    from mcgen.events.pool import merge as merge
    from mcgen.explorer.notebook import explore as explore
    from mcgen.generation.generate import generate as generate
    from mcgen.generation.library import library as library
    from mcgen.physics.boson.couplings import Couplings as Couplings
    from mcgen.quadrature.collisions import collider_cross_section as collider_cross_section
    from mcgen.quadrature.collisions import collider_xsec as collider_xsec
    from mcgen.quadrature.xsec import cross_section as cross_section
    from mcgen.quadrature.xsec import xsec as xsec
    from mcgen.quadrature.yields import n_signal as n_signal
    from mcgen.quadrature.yields import sigma_tilde as sigma_tilde
    from mcgen.report.contours import plot_reach as plot_reach
    from mcgen.report.grid_figure import plot_grid as plot_grid
    from mcgen.report.grid_files import save_grid as save_grid
    from mcgen.report.plot import plot_comparison as plot_comparison
    from mcgen.report.plot import plot_error_map as plot_error_map
    from mcgen.report.plot import plot_sigma_tilde as plot_sigma_tilde
    from mcgen.report.plot import plot_signal as plot_signal
    from mcgen.report.plot import plot_spectra as plot_spectra
    from mcgen.report.reach_files import save_reach as save_reach
    from mcgen.report.run import run as run
    from mcgen.report.show import show as show
    from mcgen.report.validate import validate as validate
    from mcgen.source.boson import total_width as total_width
    from mcgen.source.source import load_card as load_card
    from mcgen.statistics.limits import expected_limits as expected_limits
    from mcgen.statistics.limits import limit_events as limit_events

_HOME = {
    "Card": "card.card",
    "ClosureError": "base.errors",
    "Couplings": "physics.boson.couplings",
    "Estimate": "base.estimate",
    "EventFile": "events.formats.root",
    "Events": "events.events",
    "InputError": "base.errors",
    "McgenError": "base.errors",
    "collider_cross_section": "quadrature.collisions",
    "collider_xsec": "quadrature.collisions",
    "cross_section": "quadrature.xsec",
    "cache": "base.cache",
    "cite": "analysis.cited_files",
    "constraints": "analysis.constraints.listing",
    "crosscheck": "analysis.crosscheck",
    "crosscheck_collisions": "analysis.collider_crosscheck",
    "crosscheck_events": "analysis.event_check",
    "expected_limits": "statistics.limits",
    "explore": "explorer.notebook",
    "export": "events.export",
    "generate": "generation.generate",
    "generate_folder": "campaign.generate_folder",
    "grid": "analysis.grid",
    "grid_from_events": "analysis.grid",
    "info": "events.info",
    "library": "generation.library",
    "limit_events": "statistics.limits",
    "load": "events.pool",
    "load_card": "source.source",
    "merge": "events.pool",
    "n_signal": "quadrature.yields",
    "new": "card.new",
    "overwriting": "base.files",
    "plot_comparison": "report.plot",
    "plot_error_map": "report.plot",
    "plot_grid": "report.grid_figure",
    "plot_reach": "report.contours",
    "plot_sigma_tilde": "report.plot",
    "plot_signal": "report.plot",
    "plot_spectra": "report.plot",
    "reach": "analysis.reach",
    "reach_from_events": "analysis.reach",
    "rerun": "campaign.rerun",
    "reweight": "analysis.reweight",
    "run": "report.run",
    "save": "events.formats.root",
    "save_grid": "report.grid_files",
    "save_reach": "report.reach_files",
    "schema": "card.keys",
    "show": "report.show",
    "signal_histogram": "analysis.shapes",
    "sigma_tilde": "quadrature.yields",
    "total_width": "source.boson",
    "validate": "report.validate",
    "x_spectra": "analysis.crosscheck",
    "workspace": "analysis.workspace",
    "xsec": "quadrature.xsec",
    "with_weights": "analysis.alternatives",
}

__all__ = sorted([*_HOME, "__version__"])


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"mcgen.{_HOME[name]}"), name)
    message = f"module 'mcgen' has no attribute '{name}'"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return __all__
