"""Monte Carlo event generator for light muon-coupled scalars, mu N -> mu N S, with the exact amplitude.

The functions below mirror the commands of `mcgen --help`; nothing heavy is imported before one is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mcgen._version import __version__ as __version__

if TYPE_CHECKING:
    from mcgen.analysis.alternatives import with_weights as with_weights
    from mcgen.analysis.crosscheck import crosscheck as crosscheck
    from mcgen.analysis.reach import reach as reach
    from mcgen.analysis.reweight import reweight as reweight
    from mcgen.base.errors import ClosureError as ClosureError
    from mcgen.base.errors import InputError as InputError
    from mcgen.base.errors import McgenError as McgenError
    from mcgen.base.estimate import Estimate as Estimate
    from mcgen.base.files import overwriting as overwriting
    from mcgen.card.card import Card as Card
    from mcgen.events.events import Events as Events
    from mcgen.events.export import export as export
    from mcgen.events.formats.root import EventFile as EventFile
    from mcgen.events.formats.root import save as save
    from mcgen.events.pool import load as load
    from mcgen.generation.generate import generate as generate
    from mcgen.physics.boson.couplings import Couplings as Couplings
    from mcgen.quadrature.xsec import cross_section as cross_section
    from mcgen.quadrature.yields import n_signal as n_signal
    from mcgen.quadrature.yields import sigma_tilde as sigma_tilde
    from mcgen.source.boson import total_width as total_width
    from mcgen.source.source import load_card as load_card

_HOME = {
    "Card": "card.card",
    "ClosureError": "base.errors",
    "Couplings": "physics.boson.couplings",
    "Estimate": "base.estimate",
    "EventFile": "events.formats.root",
    "Events": "events.events",
    "InputError": "base.errors",
    "McgenError": "base.errors",
    "cross_section": "quadrature.xsec",
    "crosscheck": "analysis.crosscheck",
    "export": "events.export",
    "generate": "generation.generate",
    "load": "events.pool",
    "load_card": "source.source",
    "n_signal": "quadrature.yields",
    "overwriting": "base.files",
    "reach": "analysis.reach",
    "reweight": "analysis.reweight",
    "save": "events.formats.root",
    "sigma_tilde": "quadrature.yields",
    "total_width": "source.boson",
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
