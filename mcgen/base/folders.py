"""Folders that appear under their name only when all their files are there, and never in place of others unasked."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from mcgen.base import files
from mcgen.base.errors import InputError, refuse_if

#: of renameat2 in Linux: relative to the working folder, and both names in one step
_HERE, _RENAME_EXCHANGE = -100, 2
#: whether a file of this name belongs to such a folder
Belongs = Callable[[str], bool]
#: a folder of this name is there and holds something
_FILLED = (errno.ENOTEMPTY, errno.EEXIST)


def check_folder(path: str | Path, belongs: Belongs) -> Path:
    """Where a folder goes, links followed; refused before anything is computed if it could not be written at the end.

    Parameters
    ----------
    path : path
    belongs : callable
        Whether a file of this name belongs to such a folder, so that it may be replaced.

    Raises
    ------
    InputError
        If the folder around it is missing, if it is a file or holds others than its own, or those of another request.
    """
    found = Path(path).resolve() if Path(path).is_symlink() else Path(path)
    _recover(found, belongs)
    refuse_if(not found.parent.is_dir(), f"output {path}: folder {found.parent} does not exist")
    refuse_if(not os.access(found.parent, os.W_OK), f"output {path}: folder {found.parent} cannot be written")
    refuse_if(found.exists() and not found.is_dir(), f"output {path}: is a file, not a folder")
    for one in sorted(found.iterdir()) if found.is_dir() else ():
        stray = not belongs(one.name) or not one.is_file()
        refuse_if(stray, f"output {path}: holds {one.name}, which is no part of it; give another folder")
        files.check_request(Path(path) / one.name)
    return found


@contextlib.contextmanager
def atomic_folder(path: str | Path, belongs: Belongs, same: files.Same) -> Iterator[Path]:
    """A temporary folder beside `path` that takes its name at the end, or vanishes if an error is raised.

    Parameters
    ----------
    path : path
    belongs : callable
        Whether a file of this name belongs to such a folder, so that it may be replaced.
    same : callable
        Whether two files of one name have the same content.

    Raises
    ------
    InputError
        As `check_folder`; if the disk is full; if other content would be overwritten.
    """
    target = check_folder(path, belongs)
    part: Path | None = None
    try:
        part = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        umask = os.umask(0)
        os.umask(umask)
        part.chmod(0o777 & ~umask)
        yield part
        for one in (*part.iterdir(), part):
            files.sync(one)
        _publish(part, target, Path(path), belongs, same)
    except OSError as error:
        message = f"output {path}: {error.strerror or error}"
        raise InputError(message) from None
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)


def _publish(part: Path, target: Path, shown: Path, belongs: Belongs, same: files.Same) -> None:
    """Give a complete folder its name, unless one is there that is the same or must not be replaced."""
    try:
        part.rename(target)  # also onto an empty folder
        files.sync(target.parent)
        return
    except OSError as error:
        if error.errno not in _FILLED:
            raise
    names = sorted({one.name for folder in (part, target) for one in folder.iterdir()})
    other = next((name for name in names if not _same(part / name, target / name, same)), None)
    if other is None:
        for name in names:
            files.leave(shown / name)
        return
    if not files.policy().overwrite:
        files.refuse(shown / other)
    check_folder(shown, belongs)
    _swap(part, target)


def _swap(part: Path, target: Path) -> None:
    """Put one folder in place of another in one step; where the system has none, a crash between two is mended later.

    The second way is that of file systems like NFS: `_recover` finds the old folder under its other name.
    """
    if _exchange(part, target):
        files.sync(target.parent)  # before the old files go, which lie in `part` now
        return
    old = _old(target)
    target.rename(old)
    try:
        part.rename(target)
    except OSError:
        old.rename(target)
        raise
    files.sync(target.parent)
    shutil.rmtree(old)


def _old(target: Path) -> Path:
    """Where the old folder is while the new one takes its name."""
    return target.with_name(f".{target.name}.replaced")


def _recover(target: Path, belongs: Belongs) -> None:
    """Put back an old folder whose place the new one did not take, or remove it if it did."""
    old = _old(target)
    if not old.is_dir() or not all(belongs(one.name) for one in old.iterdir()):
        return
    if target.exists():
        shutil.rmtree(old)
    else:
        old.rename(target)


def _exchange(one: Path, two: Path) -> bool:
    """Exchange the names of two folders in one step; whether the system can do it."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    if renameat2(_HERE, os.fsencode(one.absolute()), _HERE, os.fsencode(two.absolute()), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(number, os.strerror(number), str(two))


def _same(one: Path, two: Path, same: files.Same) -> bool:
    """Whether both are there with the same content; a file that cannot be read counts as different."""
    try:
        return one.is_file() and two.is_file() and same(one, two)
    except (OSError, ValueError):
        return False
