"""Monte Carlo event generator for light muon-coupled scalars, mu N -> mu N S, with the exact amplitude.

The functions below mirror the commands of `mcgen --help`; nothing heavy is imported before one is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mcgen._version import __version__

if TYPE_CHECKING:
    from mcgen.card import Card
    from mcgen.comparison import crosscheck
    from mcgen.contours import reach
    from mcgen.errors import ClosureError, InputError, McgenError
    from mcgen.estimate import Estimate
    from mcgen.events import Events
    from mcgen.exporting import export
    from mcgen.files import overwriting
    from mcgen.formats.root import EventFile, save
    from mcgen.generation import generate
    from mcgen.physics.couplings import Couplings
    from mcgen.pool import load
    from mcgen.quadrature.xsec import cross_section
    from mcgen.quadrature.yields import n_signal, sigma_tilde
    from mcgen.reweighting import reweight
    from mcgen.source.boson import total_width
    from mcgen.source.source import load_card

_HOME = {
    "Card": "card",
    "ClosureError": "errors",
    "Couplings": "physics.couplings",
    "Estimate": "estimate",
    "EventFile": "formats.root",
    "Events": "events",
    "InputError": "errors",
    "McgenError": "errors",
    "cross_section": "quadrature.xsec",
    "crosscheck": "comparison",
    "export": "exporting",
    "generate": "generation",
    "load": "pool",
    "load_card": "source.source",
    "n_signal": "quadrature.yields",
    "overwriting": "files",
    "reach": "contours",
    "reweight": "reweighting",
    "save": "formats.root",
    "sigma_tilde": "quadrature.yields",
    "total_width": "source.boson",
}

__all__ = [
    "Card",
    "ClosureError",
    "Couplings",
    "Estimate",
    "EventFile",
    "Events",
    "InputError",
    "McgenError",
    "__version__",
    "cross_section",
    "crosscheck",
    "export",
    "generate",
    "load",
    "load_card",
    "n_signal",
    "overwriting",
    "reach",
    "reweight",
    "save",
    "sigma_tilde",
    "total_width",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"mcgen.{_HOME[name]}"), name)
    message = f"module 'mcgen' has no attribute '{name}'"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted(__all__)
