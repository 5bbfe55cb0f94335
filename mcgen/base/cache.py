"""What is kept between runs: folders of compiled kernels, one for each version, numba and processor."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mcgen.base.errors import refuse_if
from mcgen.base.jit import cache_folder, cache_homes

_NAME = re.compile(r"numba-[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Kernels:
    """A folder of compiled kernels."""

    folder: Path
    bytes: int
    written: float  #: when last, seconds since 1970
    is_current: bool  #: whether this version uses it


def kept_kernels() -> list[Kernels]:
    """All folders of compiled kernels, that of this version first, then the youngest."""
    current = cache_folder()
    name = current and current.name
    found = {}
    for home in cache_homes():
        # links are not followed: what they point to may be of another program
        folders = [path for path in home.glob("numba-*") if _NAME.fullmatch(path.name) and not path.is_symlink()]
        found.update({path.resolve(): _looked_at(path, path.name == name) for path in folders if path.is_dir()})
    return sorted(found.values(), key=lambda kernels: (not kernels.is_current, -kernels.written))


def cache(*, clear: bool = False, clear_old: bool = False) -> list[Kernels]:
    """Folders of compiled kernels, as `mcgen cache` lists them.

    Parameters
    ----------
    clear : bool
        Remove them all; the next call of a kernel compiles again.
    clear_old : bool
        Remove those of other versions, of mcgen or numba, and of other processors.

    Returns
    -------
    list of Kernels
        What is left, that of this version first.
    """
    return cleared(clear, clear_old)[0]


def cleared(clear: bool, clear_old: bool) -> tuple[list[Kernels], list[Kernels]]:
    """Folders of compiled kernels that are left, and those that were removed: all, or those of other versions."""
    kernels = kept_kernels()
    gone = [each for each in kernels if clear or (clear_old and not each.is_current)]
    remove(gone)
    return [each for each in kernels if each not in gone], gone


def _looked_at(folder: Path, is_current: bool) -> Kernels:
    sizes, times = [0], [folder.stat().st_mtime]
    for path in folder.rglob("*"):
        try:
            status = path.lstat()
        except FileNotFoundError:  # another process replaces it just now
            continue
        sizes.append(0 if path.is_dir() else status.st_size)
        times.append(status.st_mtime)
    return Kernels(folder, sum(sizes), max(times), is_current)


def remove(kernels: Iterable[Kernels]) -> None:
    """Remove folders of compiled kernels; the next run compiles again."""
    for each in kernels:
        shutil.rmtree(each.folder, ignore_errors=True)  # another process may be removing the same files
        refuse_if(each.folder.exists(), f"cache {each.folder}: cannot be removed, or is in use")
