"""The only numba options of the package, and the place where compiled kernels are kept.

numba's own cache looks at the time stamp of one file, so a kernel whose callee in another module changed would
come back old. The cache folder here carries a hash of every source file, of numba's version and of the
processor: another source is another folder, and a number computed by older code cannot return.
"""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])

#: no fastmath: z_max = inf needs exp(-inf) = 0. numpy's error model: 1/0 is inf, checked where it matters. Inlined,
#: for passing records between kernels takes a third of the time of a point.
OPTIONS = {"error_model": "numpy", "nogil": True, "forceinline": True}


@functools.cache
def cache_folder() -> Path | None:
    """Folder of this version's compiled kernels; None where nothing can be written."""
    import llvmlite.binding

    digest = hashlib.sha256(f"{numba.__version__} {llvmlite.binding.get_host_cpu_name()}".encode())
    package = Path(__file__).parents[1]
    for source in sorted(package.rglob("*.py")):
        digest.update(source.relative_to(package).as_posix().encode() + source.read_bytes())
    homes = (os.environ.get("NUMBA_CACHE_DIR"), os.environ.get("XDG_CACHE_HOME"), "~/.cache")
    for home in filter(None, homes):
        try:
            folder = Path(home).expanduser() / "mcgen" / f"numba-{digest.hexdigest()[:16]}"
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except (OSError, RuntimeError):  # read-only, or no home at all
            continue
    return None


def jit(function: F) -> F:
    """Compile a kernel with the options of the package, cached on disk."""
    if numba.config.DISABLE_JIT:
        return function
    folder = cache_folder()
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder or "")  # read by the decorator only, and put back at once
    try:
        compiled: F = numba.njit(cache=folder is not None, **OPTIONS)(function)
        return compiled
    finally:
        numba.config.CACHE_DIR = before
