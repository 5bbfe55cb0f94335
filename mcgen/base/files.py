"""Files that appear under their name only when they are complete, and never in place of something else unasked.

A file that is there already stays as it is: one of the same content is left alone, one of other content is an error
unless `overwriting`. What the same content is, the format says; bytes, if it does not.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import errno
import fcntl
import hashlib
import io
import json
import os
import re
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import IO, Any, NoReturn

from mcgen.base.errors import InputError, refuse_if
from mcgen.base.steps import LOG

#: no room for the output: full disk, quota, limit of a file's size
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_MASK = threading.Lock()
#: looks for a lock file, five in a second
_TRIES = 300
#: seconds without a sign of a process that makes a file, after which another one makes it too
HUNG = 600.0

#: whether two files say the same
Same = Callable[[Path, Path], bool]

#: what an output says of the run that made it and not of its content
OF_THE_RUN = ("created", "command", "versions", "checksum")
#: the same in one line of JSON
_OF_THE_RUN = re.compile(r'"(?:created|command|checksum)": "(?:[^"\\]|\\.)*"|"versions": \{[^{}]*\}')

#: what a command was asked for, in any output
_REQUEST = re.compile(rb"request\W+((?:\w+=[0-9a-f]{8} ?)+)")


@dataclass(frozen=True, slots=True)
class Policy:
    """What becomes of files that are there already."""

    overwrite: bool = False  #: replace those of other content
    inputs: list[Path] = field(default_factory=list)  #: what the command reads: never to be replaced
    left: list[Path] = field(default_factory=list)  #: files found with the same content and left alone
    request: dict[str, str] = field(default_factory=dict)  #: what the command was asked for, a short hash each
    used: dict[str, Any] = field(default_factory=dict)  #: what went into its outputs, for `mcgen cite`


_policy: ContextVar[Policy | None] = ContextVar("policy", default=None)


def policy() -> Policy:
    """The policy of the command that runs; outside of commands nothing is overwritten."""
    return _policy.get() or Policy()


@contextlib.contextmanager
def _under(chosen: Policy) -> Iterator[Policy]:
    token = _policy.set(chosen)
    try:
        yield chosen
    finally:
        _policy.reset(token)


@contextlib.contextmanager
def overwriting(overwrite: bool = True) -> Iterator[None]:
    """Inside, files of other content are replaced; `False` changes nothing.

    Examples
    --------
    >>> with overwriting():  # doctest: +SKIP
    ...     plot_reach(points, "reach.png", "title")
    """
    with _under(replace(policy(), overwrite=overwrite or policy().overwrite)):
        yield


@contextlib.contextmanager
def command_policy(overwrite: bool, inputs: Sequence[Path], request: Mapping[str, Any]) -> Iterator[Policy]:
    """The policy of a command."""
    with _under(Policy(overwrite, [*inputs])) as chosen:
        ask(**request)
        yield chosen


def ask(**request: Any) -> None:
    """Add to the request of the command: values on which the content of its outputs depends."""
    for key, value in request.items():
        text = json.dumps(value, sort_keys=True, default=str)
        policy().request[key] = hashlib.sha256(text.encode()).hexdigest()[:8]


def note(**used: Any) -> None:
    """Say what went into the outputs of the command, as JSON can hold it: what `mcgen cite` asks of them."""
    policy().used.update(used)


def used_text() -> str:
    """What went into the outputs of the command, in letters that all metadata can hold; empty if nobody said it."""
    if not policy().used.get("cards"):
        return ""
    packed = zlib.compress(json.dumps(policy().used, sort_keys=True).encode(), 9)
    return f"[used {base64.b64encode(packed).decode()}]"


def request_text() -> str:
    """The request of the command in one line, for outputs that do not say it otherwise."""
    return " ".join(f"{key}={value}" for key, value in policy().request.items())


def at_stake(path: str | Path) -> bool:
    """Whether a file is there and must not be replaced by other content."""
    return Path(path).exists() and not policy().overwrite


def refuse(path: str | Path, why: str = "is there with other content") -> NoReturn:
    """Raise InputError for a file that would be overwritten."""
    message = f"output {path}: {why}; --overwrite replaces it"
    raise InputError(message)


def leave(path: str | Path) -> None:
    """Note that a file has the same content and is left alone."""
    LOG.info("%s: is there with the same content, left alone", path)
    policy().left.append(Path(path))


def normal(line: str) -> str:
    """A line without what belongs to the run that wrote it."""
    return _OF_THE_RUN.sub("", line)


def same_lines(one: Path, two: Path, reader: Callable[[Path], IO[str]] | None = None) -> bool:
    """Whether two files of text have the same lines; time, command and versions of a run do not count."""
    read = reader or (lambda path: path.open(encoding="latin-1", newline="\n"))
    with read(one) as first, read(two) as second:
        return all(a is b or a == b or normal(a) == normal(b) for a, b in zip_longest(first, second, fillvalue=""))


def without_run(value: Any) -> Any:
    """A JSON document without the time, command, versions, request and inputs of the run that made it."""
    if isinstance(value, dict):
        left_out = (*OF_THE_RUN, "mcgen_version", "request", "used")
        return {key: without_run(v) for key, v in value.items() if key not in left_out}
    return [without_run(v) for v in value] if isinstance(value, list) else value


def same_json(one: Path, two: Path) -> bool:
    """Whether two JSON documents say the same; time, command, versions and request of a run do not count."""
    first, second = (json.loads(path.read_text(encoding="utf-8")) for path in (one, two))
    return bool(without_run(first) == without_run(second))


def content_of(metadata: str | bytes) -> dict[str, Any]:
    """The metadata of an event file, JSON, without what they say of the run that made it."""
    return {key: value for key, value in json.loads(metadata).items() if key not in OF_THE_RUN}


def _same(part: Path, path: Path, same: Same) -> bool:
    """Whether two files have the same content; a file that cannot be read counts as different."""
    try:
        return path.is_file() and same(part, path)
    except Exception:  # files of another format raise errors of many kinds
        return False


def check_output(path: str | Path) -> Path:
    """Where an output goes, links followed.

    Raises
    ------
    InputError
        If its folder is missing, if it is something else than a file, or an input of the same command.
    """
    found = Path(path)
    try:
        found = found.resolve() if found.is_symlink() else found
        folder = f"output {path}: folder {found.parent}"
        refuse_if(not found.parent.is_dir(), f"{folder} does not exist")
        refuse_if(not found.exists() and not os.access(found.parent, os.W_OK), f"{folder} cannot be written")
        kind = "a folder" if found.is_dir() else "no regular file"
        refuse_if(found.exists() and not found.is_file(), f"output {path}: is {kind}")
        check_input(path, policy().inputs)
    except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links
        message = f"output {path}: {getattr(error, 'strerror', None) or 'links in a circle'}"
        raise InputError(message) from None
    return found


def check_input(path: str | Path, inputs: Sequence[str | Path]) -> None:
    """Raise InputError for an output that is an input too, or would be one the next time."""
    path = Path(path)
    for source in map(Path, inputs):
        is_input = path.exists() and source.exists() and path.samefile(source)
        refuse_if(is_input, f"output {path}: is an input of the same command")
        is_part = path.suffix == ".root" and source.is_dir() and path.parent.samefile(source)
        refuse_if(is_part, f"output {path}: lies in the folder that is read, where it would count as one more part")


def read_text(path: Path, where: str, largest: int, hint: str = "") -> str:
    """Text of a file.

    Parameters
    ----------
    path : Path
    where : str
        Names the file in errors, as 'beam.profile'.
    largest : int
        Bytes that it may have.
    hint : str
        Added to the error if it cannot be read.

    Raises
    ------
    InputError
        If it cannot be read, is too large, or is no text.
    """
    try:
        with path.open("rb") as stream:  # of which nothing says its size, if it is a pipe
            data = stream.read(largest + 1)
        refuse_if(len(data) > largest, f"{where} {path}: larger than {largest} bytes")
        policy().inputs.append(path)
        return io.TextIOWrapper(io.BytesIO(data), "utf-8-sig").read()  # tables of Excel begin with a mark
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text"
        message = f"{where} {path}: {reason}{hint}"
        raise InputError(message) from None


def check_request(path: str | Path, ignore: Collection[str] = ()) -> None:
    """Refuse a table or figure that was made for another request, before anything is computed.

    What only one of the two requests says is not compared here; the contents are compared at the end.
    """
    if not at_stake(check_output(path)):
        return
    try:
        data = Path(path).read_bytes()
    except OSError:
        refuse(path, "is there and cannot be read")
    if b"mcgen" not in data:
        refuse(path, "is there and was not made by mcgen")
    found = _REQUEST.search(data)
    there = dict(item.split("=") for item in found[1].decode().split()) if found else {}
    for key, value in policy().request.items():
        if key not in ignore and there.get(key, value) != value:
            refuse(path, f"is there, made with another value of {key}")


@contextlib.contextmanager
def _said_of(path: str | Path, numbers: Collection[int] | None = None) -> Iterator[None]:
    """Inside, an error of the operating system becomes an InputError for an output; with `numbers` only these."""
    try:
        yield
    except OSError as error:
        if error.errno is None or (numbers is not None and error.errno not in numbers):
            raise
        message = f"output {path}: {os.strerror(error.errno)}"
        raise InputError(message) from None


def sync(path: Path) -> None:
    """Have the bytes of a file, or the names in a folder, on the disk before anything else is done.

    Some network file systems know no names that are not there for good, and refuse to be asked for that.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP) or not path.is_dir():
            raise
    finally:
        os.close(handle)


def _umask() -> int:
    """The mask of new files; to read it is to set it, which no two threads must do at once."""
    with _MASK:
        umask = os.umask(0)
        os.umask(umask)
    return umask


@contextlib.contextmanager
def atomic_path(path: str | Path, same: Same = same_lines) -> Iterator[Path]:
    """A temporary path beside `path` that takes its name at the end, or vanishes if an error is raised.

    It is hidden, `.NAME.xxxxxxxx.EXT`. A process that is killed leaves it behind: nothing reads it, it may be removed.

    Parameters
    ----------
    path : path
    same : callable
        Whether two files of this format have the same content.

    Raises
    ------
    InputError
        If the folder is missing, cannot be written, or is full, or if another file would be overwritten.
    """
    path, shown = check_output(path), path
    with _said_of(shown):
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix.lower(), dir=path.parent)
    part = Path(name)
    try:
        with _said_of(shown, _FULL):
            os.fchmod(handle, 0o666 & ~_umask())
            os.close(handle)
            yield part
            sync(part)
            _publish(part, path, shown, same)
            part.unlink(missing_ok=True)
            sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _publish(part: Path, path: Path, shown: str | Path, same: Same) -> None:
    """Give a complete file its name, unless one is there that is the same or must not be replaced."""
    if not os.path.lexists(path):
        try:
            os.link(part, path)  # unlike a rename, it fails if another process has just made the file
            return
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            part.replace(path)
            return
    if _same(part, path, same):
        leave(shown)
    elif policy().overwrite:
        part.replace(path)
    else:
        refuse(shown)


@contextlib.contextmanager
def open_atomic(path: str | Path, same: Same = same_lines) -> Iterator[IO[Any]]:
    """A text stream whose file takes its name when it is complete."""
    with atomic_path(path, same) as part, part.open("w", encoding="utf-8", newline="") as stream:
        yield stream


def write_json(path: str | Path, document: Any, same: Same = same_json) -> None:
    """Write a JSON document without NaN and infinity.

    Parameters
    ----------
    path : path
    document : dict
    same : callable
        Whether a document that is there already says the same.
    """
    with open_atomic(path, same) as stream:
        json.dump(document, stream, indent=1, allow_nan=False)


def write_csv(path: str | Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table with a line of names."""
    with open_atomic(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def check_folder(folder: str | Path) -> None:
    """Raise InputError for a folder of results that can be neither made nor written."""
    nearest = next(path for path in (Path(folder), *Path(folder).absolute().parents) if path.exists())
    refuse_if(not nearest.is_dir(), f"output {folder}: {nearest} is a file, not a folder")
    refuse_if(not os.access(nearest, os.W_OK), f"output {folder}: {nearest} cannot be written")


def make_folder(folder: str | Path) -> Path:
    """Make a folder for results."""
    check_folder(folder)
    with _said_of(folder):
        new = [path for path in (Path(folder), *Path(folder).absolute().parents) if not path.exists()]
        Path(folder).mkdir(parents=True, exist_ok=True)
        for path in new:
            sync(path.parent)
    return Path(folder)


def _is(path: Path, descriptor: int) -> bool:
    """Whether an open file is still the one of this name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def claim(path: Path, wait: bool = False, tidy: bool = False) -> Iterator[bool]:
    """Whether this process may make a file: not if another one is making it now.

    Unfinished files of a killed process are removed, if it has left its lock.

    Parameters
    ----------
    path : path
    wait : bool
        Wait until the other process is done, or has written nothing for `HUNG` seconds: then two make the same file.
    tidy : bool
        Look for unfinished files even if there is no lock, which takes the longer the more files there are.
    """
    lock = path.with_name(f".{path.name}.lock")
    tidy = tidy or lock.exists()
    while True:
        with _opened(lock) as handle:
            try:
                _acquire(handle, path, wait)
            except BlockingIOError:
                yield wait
                return
            except OSError:  # no locks in this file system: then two processes may make the file, with the same content
                try:
                    yield True
                finally:
                    lock.unlink(missing_ok=True)
                return
            if not _is(lock, handle.fileno()):  # its last holder has removed it
                continue
            try:
                for stale in _unfinished(path) if tidy else ():
                    stale.unlink(missing_ok=True)
                yield True
            finally:
                lock.unlink(missing_ok=True)
            return


def _opened(lock: Path) -> IO[str]:
    """A lock file; a network may know for some seconds one that another machine has removed, and cannot open it."""
    for _ in range(_TRIES):
        with contextlib.suppress(FileNotFoundError):
            return _open_lock(lock)
        if not lock.parent.is_dir():
            break
        time.sleep(0.2)
    return _open_lock(lock)


def _open_lock(lock: Path) -> IO[str]:
    """A lock file, made if it is not there; no other file by a link of this name."""
    try:
        return os.fdopen(os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o666), "w")
    except OSError as error:
        refuse_if(error.errno == errno.ELOOP, f"{lock}: is a link, and should be a lock; remove it")
        raise


def _unfinished(path: Path) -> list[Path]:
    """Files that are to become a file, or were."""
    return list(path.parent.glob(f".{path.name}.*{path.suffix}"))


def _acquire(handle: IO[str], path: Path, wait: bool) -> None:
    """Lock a file; BlockingIOError if another process has the lock, and keeps it while nothing happens."""
    now = time.monotonic()
    pause, state, changed, look = 0.01, list[tuple[Path, int, int]](), now, now
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if not wait or now - changed > HUNG:
                raise
        if now >= look:  # not each time: it takes the longer the more files there are
            look = now + 0.1 * HUNG
            with contextlib.suppress(FileNotFoundError):
                stats = [(each, each.stat()) for each in _unfinished(path)]
                if (found := [(each, stat.st_size, stat.st_mtime_ns) for each, stat in stats]) != state:
                    state, changed = found, now
        time.sleep(pause)
        pause, now = min(1.0, 1.5 * pause), time.monotonic()
