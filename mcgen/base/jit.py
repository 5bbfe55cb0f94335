"""The only numba options of the package, and the place where compiled kernels are kept.

numba's own cache looks at the time stamp of one file, so a kernel whose callee in another module changed would
come back old. The cache folder here carries a hash of every source file, of numba's version and of the
processor: another source is another folder, and a number computed by older code cannot return.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import pickle
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar

import numba
import numpy as np
from numba.core import caching
from numba.core.caching import FunctionCache, IndexDataCacheFile

F = TypeVar("F", bound=Callable[..., Any])

#: no fastmath: z_max = inf needs exp(-inf) = 0. numpy's error model: 1/0 is inf, checked where it matters. Inlined,
#: for passing records between kernels takes a third of the time of a point. No wrapper for C, which nothing calls.
OPTIONS = {"error_model": "numpy", "nogil": True, "forceinline": True, "no_cfunc_wrapper": True}

#: what looks for CACHE_DIR; older versions of numba have an underscore before its name
_LOCATOR = getattr(caching, "UserProvidedCacheLocator", None) or caching._UserProvidedCacheLocator


def cache_homes() -> list[Path]:
    """Where the folders of compiled kernels may lie; the first that can be written is used."""
    homes = []
    for home in filter(None, (os.environ.get("NUMBA_CACHE_DIR"), os.environ.get("XDG_CACHE_HOME"), "~/.cache")):
        with contextlib.suppress(RuntimeError):  # no home at all
            homes.append(Path(home).expanduser() / "mcgen")
    return homes


@functools.cache
def cache_folder() -> Path | None:
    """Folder of this version's compiled kernels; None where nothing can be written."""
    import llvmlite.binding

    digest = hashlib.sha256(f"{numba.__version__} {llvmlite.binding.get_host_cpu_name()}".encode())
    package = Path(__file__).parents[1]
    for source in sorted(package.rglob("*.py")):
        digest.update(source.relative_to(package).as_posix().encode() + source.read_bytes())
    for home in cache_homes():
        try:
            folder = home / f"numba-{digest.hexdigest()[:16]}"
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:  # read-only, as in a container: what is there already can be used
            if _has_kernels(folder):
                return folder
    return None


def _has_kernels(folder: Path) -> bool:
    try:
        return next(folder.rglob("*.nbi"), None) is not None
    except OSError:
        return False


class _KernelFiles(IndexDataCacheFile):  # type: ignore[misc]
    """numba's files of a kernel, with a checksum at their end; those that are cut, torn or damaged are written anew.

    numba gives a file its name before its bytes are on the disk, and has no mercy on one that it cannot read.
    """

    def load(self, key: Any) -> Any:
        """A compiled kernel, None if there is none."""
        try:
            return super().load(key)
        except Exception:  # unpickling raises errors of many kinds
            return None

    def save(self, key: Any, data: Any) -> None:
        """Keep a compiled kernel, if there is room for it: this run has no need of the file.

        Its name tells its types. numba takes the next number, and two processes that begin together take the same one:
        what is read later under the types of the one is the kernel of the other.
        """
        name = f"{Path(self._index_name).stem}.{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}.nbc"
        with contextlib.suppress(OSError):
            overloads = self._load_index()
            if overloads.get(key) != name:
                self._save_index(overloads | {key: name})
            self._save_data(name, data)

    def _dump(self, obj: Any) -> bytes:
        data: bytes = super()._dump(obj)
        return data + hashlib.sha256(data).digest()

    def _load_index(self) -> Any:
        try:
            _check(Path(self._index_path), len(pickle.dumps(self._version, protocol=-1)))
            return super()._load_index()
        except Exception:  # as above
            return {}

    def _load_data(self, name: str) -> Any:
        _check(Path(self._data_path(name)))
        return super()._load_data(name)

    @contextlib.contextmanager
    def _open_for_write(self, path: str) -> Iterator[IO[bytes]]:
        with super()._open_for_write(path) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())


def _check(path: Path, start: int = 0) -> None:
    data = path.read_bytes()[start:]
    if hashlib.sha256(data[:-32]).digest() != data[-32:]:
        message = f"{path}: damaged"
        raise OSError(message)


class _Cache(FunctionCache):  # type: ignore[misc]
    """Where there is no folder for kernels any more, or no room, none is kept."""

    @contextlib.contextmanager
    def _guard_against_spurious_io_errors(self) -> Iterator[None]:
        with contextlib.suppress(OSError):
            yield


def jit(function: F) -> F:
    """Compile a kernel with the options of the package, cached on disk."""
    if numba.config.DISABLE_JIT:
        return function
    folder = cache_folder()
    before, ensure = numba.config.CACHE_DIR, _LOCATOR.ensure_cache_path
    numba.config.CACHE_DIR = str(folder or "")  # read by the decorator only, and put back at once
    _LOCATOR.ensure_cache_path = lambda _: None  # it would write into a folder that is only read
    try:
        compiled: F = numba.njit(cache=folder is not None, **OPTIONS)(function)
        if folder is not None:  # numba has no other way to a cache of one's own
            cache = compiled._cache  # type: ignore[attr-defined]
            cache.__class__, cache._cache_file.__class__ = _Cache, _KernelFiles
            cache._cache_file._source_stamp = None  # another time of the same source is no other kernel
        return compiled
    finally:
        numba.config.CACHE_DIR, _LOCATOR.ensure_cache_path = before, ensure


#: values of these types have one type in numba
_PLAIN = frozenset({float, int, bool, np.uint64, type(None)})


def _kind(value: Any) -> Any:
    """What decides on the type that numba gives a value, found faster than that."""
    kind = type(value)
    if kind in _PLAIN:
        return kind
    if isinstance(value, tuple):
        return kind, *map(_kind, value)
    return (value.dtype, value.ndim, value.flags.num) if kind is np.ndarray else numba.typeof(value)


#: (kernel, kinds of its arguments) -> its compiled code
_COMPILED: dict[Any, Callable[..., Any]] = {}


def ready(kernel: Callable[..., Any], *arguments: Any, counts: int = 1) -> Callable[..., Any]:
    """A kernel that is given its arguments now, and whole numbers at each call.

    Looking up the types of all arguments would take most of the time of a call.

    Parameters
    ----------
    kernel : callable
        Compiled or not.
    arguments
        All before the whole numbers.
    counts : int
        How many whole numbers follow.
    """
    if not hasattr(kernel, "get_overload"):
        return functools.partial(kernel, *arguments)
    key = kernel, counts, *map(_kind, arguments)
    if key not in _COMPILED:
        types = (*map(numba.typeof, arguments), *counts * (numba.int64,))
        kernel.compile(types)  # type: ignore[attr-defined]
        _COMPILED[key] = kernel.get_overload(types)
    return functools.partial(_COMPILED[key], *arguments)


def leave_out_guests() -> None:
    """Keep numba from loading scipy, and the extensions of awkward and vector, which no kernel of the package needs.

    For processes of mcgen alone: other programs may have such kernels.
    """
    import numba.core.entrypoints

    numba.core.entrypoints._already_initialized = True
    blas = "scipy.linalg.cython_blas"
    sys.modules[blas] = None  # type: ignore[assignment]  # numba shall not find it
    import numba.np.arraymath

    del sys.modules[blas]
