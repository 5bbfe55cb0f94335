"""Data of the package, and packages that are not always installed."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from mcgen.base.errors import InputError


def optional(module: str, what: str, extra: str) -> Any:
    """A package that is not always installed, or InputError with the command that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        message = f"{what} needs {module}: pip install 'mcgen[{extra}]'"
        raise InputError(message) from None


def data_folder(name: str, checkout: str) -> Path:
    """Folder of data that come with the package: `name` in it once installed, `checkout` beside it before."""
    package = Path(__file__).parents[1]
    installed = package / name
    return installed if installed.is_dir() else package.parent / checkout
