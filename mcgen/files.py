"""Files that appear under their name only when they are complete."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from mcgen.errors import InputError

#: no room for the output: full disk, quota, limit of a file's size
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def read_text(path: Path, where: str, largest: int, hint: str = "") -> str:
    """Text of a file of at most `largest` bytes; an error says where it was named, and a hint.

    Raises
    ------
    InputError
        If it cannot be read, is too large, or is no text.
    """
    try:
        if path.stat().st_size > largest:
            message = f"{where} {path}: larger than {largest} bytes"
            raise InputError(message)
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text"
        message = f"{where} {path}: {reason}{hint}"
        raise InputError(message) from None


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its name at the end, or vanishes if an error is raised.

    Raises
    ------
    InputError
        If the folder is missing, cannot be written, or is full.
    """
    path = Path(path)
    if path.is_symlink():
        path = path.resolve()
    if not path.parent.is_dir():
        message = f"output {path}: folder {path.parent} does not exist"
        raise InputError(message)
    if path.exists() and not path.is_file():
        message = f"output {path}: is {'a folder' if path.is_dir() else 'no regular file'}"
        raise InputError(message)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        message = f"output {path}: {error.strerror}"
        raise InputError(message) from None
    part = Path(name)
    try:
        umask = os.umask(0)
        os.umask(umask)
        os.fchmod(handle, 0o666 & ~umask)
        os.close(handle)
        yield part
        _sync(part)
        part.replace(path)
        _sync(path.parent)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        message = f"output {path}: {os.strerror(error.errno)}"
        raise InputError(message) from None
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def open_atomic(path: str | Path) -> Iterator[IO[Any]]:
    """A text stream whose file takes its name when it is complete."""
    with atomic_path(path) as part, part.open("w", encoding="utf-8", newline="") as stream:
        yield stream


def make_folder(folder: str | Path) -> Path:
    """Make a folder for results."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"output {folder}: {error.strerror}"
        raise InputError(message) from None
    return Path(folder)


def _is(path: Path, descriptor: int) -> bool:
    """Whether an open file is still the one of this name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def claim(path: Path, wait: bool = False) -> Iterator[bool]:
    """Whether this process may make a file, or another one is at it; what a killed one left of it is removed.

    Parameters
    ----------
    path : path
    wait : bool
        For the other one to be done, instead of leaving it to that one.
    """
    lock = path.with_name(f".{path.name}.lock")
    while True:
        with lock.open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            except OSError:  # a file system without locks: two may make the same file, which is the same
                yield True
                return
            if not _is(lock, handle.fileno()):  # its last holder has removed it
                continue
            try:
                for stale in path.parent.glob(f".{path.name}.*{path.suffix}"):
                    stale.unlink(missing_ok=True)
                yield True
            finally:
                lock.unlink(missing_ok=True)
            return


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
