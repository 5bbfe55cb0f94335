"""Packages that are not always installed."""

from __future__ import annotations

import importlib
from typing import Any

from mcgen.errors import InputError


def optional(module: str, what: str, extra: str) -> Any:
    """A package that is not always installed, or InputError with the command that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        message = f"{what} needs {module}: pip install 'mcgen[{extra}]'"
        raise InputError(message) from None
