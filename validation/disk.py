"""A disk that keeps what was not synced in memory, and loses it in a crash; mounted with FUSE it logs what is done.

The strictest disk that POSIX allows: `fsync` of a file keeps its bytes, not its name; names are kept by `fsync` of
their folder. What was not synced may be lost, torn or kept, and changes of names in different folders in any order.
Changes in one folder keep their order, as in every journal.
"""

from __future__ import annotations

import ctypes.util
import errno
import os
import pickle
import random
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from validation.small_commands import Tree

SECTOR = 512
#: number of the outermost folder
ROOT = 1
#: of renameat2
EXCHANGE = 2
#: ways in which what was not synced goes: all lost; names kept, data zeros; names kept, files cut to what was synced;
#: names kept, sectors kept at random; names of each folder kept up to a random moment, sectors at random
CRASHES = ("lost", "zeros", "cut", "torn", "disorder")

#: what entries become: (folder, name, what it names or None)
Change = list[tuple[int, str, int | None]]


@dataclass(slots=True)
class Node:
    """A file or a folder: as programs see it, and as a crash leaves it."""

    mode: int
    data: bytearray = field(default_factory=bytearray)
    kept: bytes = b""
    entries: dict[str, int] = field(default_factory=dict)
    kept_entries: dict[str, int] = field(default_factory=dict)
    changed: float = field(default_factory=time.time)

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return stat.S_ISDIR(self.mode)


class Disk:
    """Nodes by their numbers, and the changes of names that were not synced, oldest first."""

    def __init__(self, found: Tree | None = None) -> None:
        self.nodes = {ROOT: Node(stat.S_IFDIR | 0o755)}
        self.journal: list[Change] = []
        for path, content in sorted((found or {}).items()):
            folder, _, name = path.rpartition("/")
            kind = stat.S_IFDIR | 0o755 if content is None else stat.S_IFREG | 0o644
            self.write(self.make(self.find(folder), name, kind), 0, content or b"")
        for number, node in self.nodes.items():
            if not node.is_folder:
                self.sync(number)
        self._keep(self.journal)
        self.journal = []

    def find(self, path: str) -> int:
        """The number of a path."""
        number = ROOT
        for name in filter(None, path.split("/")):
            number = self.nodes[number].entries[name]
        return number

    def _change(self, change: Change) -> None:
        for folder, name, number in change:
            _enter(self.nodes[folder].entries, name, number)
        self.journal.append(change)

    def make(self, folder: int, name: str, mode: int) -> int:
        """A new file or folder."""
        number = max(self.nodes) + 1
        self.nodes[number] = Node(mode)
        self._change([(folder, name, number)])
        return number

    def link(self, number: int, folder: int, name: str) -> None:
        """One more name of a file."""
        self._change([(folder, name, number)])

    def remove(self, folder: int, name: str) -> None:
        """A name goes."""
        self._change([(folder, name, None)])

    def rename(self, folder: int, name: str, to: int, new: str, exchange: bool = False) -> None:
        """Another name, in place of what has it, or in exchange for it."""
        number = self.nodes[folder].entries[name]
        other = self.nodes[to].entries[new] if exchange else None
        self._change([(folder, name, other), (to, new, number)])

    def write(self, number: int, offset: int, data: bytes) -> None:
        """Bytes of a file; what lies between is zero."""
        node = self.nodes[number]
        node.data.extend(bytes(max(0, offset - len(node.data))))
        node.data[offset : offset + len(data)] = data
        node.changed = time.time()

    def cut(self, number: int, size: int) -> None:
        """Another size of a file."""
        node = self.nodes[number]
        node.data = node.data[:size] + bytes(max(0, size - len(node.data)))

    def close(self, number: int) -> None:
        """Nothing is kept by closing a file."""

    def sync(self, number: int) -> None:
        """Keep the bytes of a file, or the names in a folder and what had to come before them."""
        node = self.nodes[number]
        if not node.is_folder:
            node.kept = bytes(node.data)
            return
        touched, kept, left = {number}, [], []
        for change in reversed(self.journal):
            folders = {folder for folder, _, _ in change}
            if folders & touched:
                touched |= folders
                kept.append(change)
            else:
                left.append(change)
        self._keep(kept[::-1])
        self.journal = left[::-1]

    def _keep(self, changes: list[Change]) -> None:
        for change in changes:
            for folder, name, number in change:
                _enter(self.nodes[folder].kept_entries, name, number)

    def crash(self, how: str, rng: random.Random) -> Tree:
        """What is there after a crash, one of `CRASHES`; the disk itself must not be used any more."""
        if how == "disorder":
            last = {number: rng.randrange(len(self.journal) + 1) for number in self.nodes}
            changes = [c for i, c in enumerate(self.journal) if all(i < last[folder] for folder, _, _ in c)]
        else:
            changes = [] if how == "lost" else self.journal
        self._keep(changes)
        return dict(self._left(ROOT, "", how, rng))

    def _left(self, number: int, path: str, how: str, rng: random.Random) -> Iterator[tuple[str, bytes | None]]:
        for name, inner in sorted(self.nodes[number].kept_entries.items()):
            node = self.nodes[inner]
            if node.is_folder:
                yield f"{path}{name}", None
                yield from self._left(inner, f"{path}{name}/", how, rng)
            else:
                yield f"{path}{name}", _torn(node, how, rng)


def _enter(entries: dict[str, int], name: str, number: int | None) -> None:
    if number is None:
        entries.pop(name, None)
    else:
        entries[name] = number


def _torn(node: Node, how: str, rng: random.Random) -> bytes:
    """The bytes of a file after a crash."""
    kept, size = node.kept, len(node.data)
    if kept == node.data or how in ("lost", "cut"):
        return kept
    old, found = kept[:size] + bytes(max(0, size - len(kept))), bytearray()
    for start in range(0, size, SECTOR):
        source = node.data if how != "zeros" and rng.random() < 0.5 else old
        found += source[start : start + SECTOR]
    return bytes(found)


#: what was done to a disk: method and arguments
Log = list[tuple[str, tuple[Any, ...]]]


def replayed(found: Tree, log: Log) -> Disk:
    """A disk after some of what was done."""
    disk = Disk(found)
    for method, arguments in log:
        getattr(disk, method)(*arguments)
    return disk


def why_not() -> str:
    """Why this machine cannot mount a disk; nothing if it can."""
    if not Path("/dev/fuse").exists():
        return "there is no /dev/fuse"
    try:
        _fuse()
    except (ImportError, OSError) as error:
        return f"mfusepy and libfuse are needed: {error}"
    tried = [sys.executable, "-c", "from validation.disk import try_it; try_it()"]
    done = subprocess.run(tried, cwd=Path(__file__).parents[1], capture_output=True, check=False)
    return "" if done.returncode == 0 else "a disk must not be mounted here"


def try_it() -> None:
    """Mount an empty disk and take it away."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "disk"
        folder.mkdir()
        with mounted(folder, {}, Path(scratch) / "log"):
            pass


def _fuse() -> Any:
    """The package, with the library that knows how to exchange two names, if it is there."""
    if library := ctypes.util.find_library("fuse3"):
        os.environ.setdefault("FUSE_LIBRARY_PATH", library)
    import mfusepy

    return mfusepy


def _operations(disk: Disk, log: Log) -> Any:
    """The calls of FUSE on a disk; those that change it are logged."""
    mfusepy = _fuse()

    def do(method: str, *arguments: Any) -> Any:
        log.append((method, arguments))
        return getattr(disk, method)(*arguments)

    def find(path: str) -> int:
        try:
            return disk.find(path)
        except KeyError:
            raise mfusepy.FuseOSError(errno.ENOENT) from None

    def place(path: str) -> tuple[int, str]:
        folder, _, name = path.rpartition("/")
        return find(folder), name

    class Operations(mfusepy.Operations):  # type: ignore[misc]
        use_ns = True

        def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
            number = fh or find(path)
            node = disk.nodes[number]
            links = sum(entry == number for other in disk.nodes.values() for entry in other.entries.values())
            moment = {key: int(node.changed * 1e9) for key in ("st_mtime", "st_ctime", "st_atime")}
            owner = {"st_uid": os.getuid(), "st_gid": os.getgid()}
            size = {"st_size": len(node.data), "st_ino": number, "st_nlink": links + node.is_folder}
            return {"st_mode": node.mode, **moment, **owner, **size}

        def readdir(self, path: str, fh: int) -> Any:  # noqa: ARG002
            here = find(path)
            for name, number in {".": here, "..": here, **disk.nodes[here].entries}.items():
                yield name, {"st_ino": number, "st_mode": disk.nodes[number].mode}, 0

        def create(self, path: str, mode: int, fi: Any = None) -> int:  # noqa: ARG002
            return int(do("make", *place(path), stat.S_IFREG | mode))

        def mkdir(self, path: str, mode: int) -> int:
            do("make", *place(path), stat.S_IFDIR | mode)
            return 0

        def open(self, path: str, flags: int) -> int:  # noqa: ARG002
            return find(path)

        def read(self, path: str, size: int, offset: int, fh: int) -> bytes:  # noqa: ARG002
            return bytes(disk.nodes[fh].data[offset : offset + size])

        def write(self, path: str, data: bytes, offset: int, fh: int) -> int:  # noqa: ARG002
            do("write", fh, offset, bytes(data))
            return len(data)

        def truncate(self, path: str, length: int, fh: int | None = None) -> int:
            do("cut", fh or find(path), length)
            return 0

        def flush(self, path: str, fh: int) -> int:  # noqa: ARG002
            do("close", fh)
            return 0

        def release(self, path: str, fh: int) -> int:  # noqa: ARG002
            return 0

        def fsync(self, path: str, datasync: int, fh: int) -> int:  # noqa: ARG002
            do("sync", fh)
            return 0

        def fsyncdir(self, path: str, datasync: int, fh: int) -> int:  # noqa: ARG002
            do("sync", find(path))
            return 0

        def unlink(self, path: str) -> int:
            do("remove", *place(path))
            return 0

        def rmdir(self, path: str) -> int:
            if disk.nodes[find(path)].entries:
                raise mfusepy.FuseOSError(errno.ENOTEMPTY)
            return self.unlink(path)

        def link(self, target: str, source: str) -> int:
            do("link", find(source), *place(target))
            return 0

        def rename(self, old: str, new: str, flags: int = 0) -> int:
            (to, name) = place(new)
            there = disk.nodes[to].entries.get(name)
            if flags & ~EXCHANGE:
                raise mfusepy.FuseOSError(errno.EINVAL)
            if not flags and there and disk.nodes[there].entries:
                raise mfusepy.FuseOSError(errno.ENOTEMPTY)
            do("rename", *place(old), to, name, bool(flags))
            return 0

        def chmod(self, path: str, mode: int) -> int:
            node = disk.nodes[find(path)]
            node.mode = stat.S_IFMT(node.mode) | mode
            return 0

        def utimens(self, path: str, times: Any = None) -> int:  # noqa: ARG002
            return 0

    return Operations()


def _serve(folder: Path, found: Tree, told: Path) -> None:
    """Mount a disk at a folder until it is unmounted; then tell what was done."""
    mfusepy = _fuse()

    class Mounted(mfusepy.FUSE):  # type: ignore[misc]
        def rename_fuse_3(self, old: bytes, new: bytes, flags: int) -> int:
            return int(self.operations.rename(old.decode(), new.decode(), flags))

    log: Log = []
    operations = _operations(Disk(found), log)
    Mounted(operations, str(folder), foreground=True, nothreads=True, hard_remove=True, use_ino=True,
            entry_timeout=0, attr_timeout=0, negative_timeout=0)  # fmt: skip
    told.write_bytes(pickle.dumps(log))


@contextmanager
def mounted(folder: Path, found: Tree, told: Path) -> Iterator[Callable[[], Log]]:
    """A disk at an empty folder; what is yielded tells what was done to it, once it is unmounted."""
    server = os.fork()
    if server == 0:
        status = 1
        try:
            _serve(folder, found, told)
            status = 0
        except BaseException as error:
            sys.excepthook(type(error), error, error.__traceback__)
        finally:
            os._exit(status)
    with unmounted(folder, server):
        yield lambda: pickle.loads(told.read_bytes())


@contextmanager
def unmounted(folder: Path, server: int) -> Iterator[None]:
    """Wait until a process has mounted a file system; unmount it at the end."""
    try:
        end = time.monotonic() + 10.0
        while not folder.is_mount():
            assert time.monotonic() < end, "the disk cannot be mounted"
            time.sleep(0.005)
        yield
    finally:
        unmount = ["fusermount3" if shutil.which("fusermount3") else "fusermount", "-u"]
        subprocess.run([*unmount, str(folder)], check=True)
        os.waitpid(server, 0)
