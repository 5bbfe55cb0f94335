"""Productions in a folder on a file system of a cluster, imitated: slow, forgetful, without locks or hard links.

    python -m validation.shared_folder

A folder is mounted twice with FUSE, as two machines see it over a network. Each call takes a moment; the kernel keeps
for a while what a mount has seen, or has not; locks hold on one mount only, or are refused; so are hard links. Two
jobs, one a machine, make a production there and overlap in half of it; then the same command looks at it as a whole.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcgen.cli import main as mcgen
from validation import disk
from validation.cluster import ARGUMENTS, PARTITIONS, complete, content
from validation.disk import unmounted
from validation.faults import Command


@dataclass(frozen=True, slots=True)
class Kind:
    """A file system."""

    name: str
    delay: float = 0.0  #: of each call in seconds
    memory: float = 0.0  #: seconds for which a machine believes what it has seen of files, there or not
    no_locks: int = 0  #: error of flock
    no_links: int = 0  #: error of link
    no_sync: int = 0  #: error of fsync of a folder


KINDS = [
    Kind("slow", delay=0.003),
    Kind("forgetful, locks of one machine only", memory=3.0),
    Kind("no locks", no_locks=errno.ENOLCK),
    Kind("locks not supported", no_locks=errno.ENOTSUP),
    Kind("no hard links", no_links=errno.EPERM),
    Kind("hard links not supported", no_links=errno.ENOTSUP),
    Kind("folders cannot be synced", no_sync=errno.EINVAL),
    Kind("all of it", 0.003, 3.0, errno.ENOLCK, errno.EPERM),
]


def _operations(below: Path, kind: Kind) -> Any:
    """The calls of FUSE, passed on to a folder."""
    mfusepy = disk._fuse()

    def real(path: str) -> Path:
        return Path(f"{below}{path}")

    class Operations(mfusepy.Operations):  # type: ignore[misc]
        use_ns = True

        def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:  # noqa: ARG002
            found = real(path).lstat()
            names = ("mode", "nlink", "size", "uid", "gid", "ino")
            moments = {f"st_{key}": getattr(found, f"st_{key}_ns") for key in ("mtime", "ctime", "atime")}
            return {f"st_{name}": getattr(found, f"st_{name}") for name in names} | moments

        def readdir(self, path: str, fh: int) -> Any:  # noqa: ARG002
            here = real(path)
            for name in (".", "..", *(entry.name for entry in here.iterdir())):
                found = (here / name).lstat()
                yield name, {"st_ino": found.st_ino, "st_mode": found.st_mode}, 0

        def create(self, path: str, mode: int, fi: Any = None) -> int:  # noqa: ARG002
            return os.open(real(path), os.O_RDWR | os.O_CREAT, mode)

        def open(self, path: str, flags: int) -> int:
            return os.open(real(path), flags & ~os.O_CREAT)

        def read(self, path: str, size: int, offset: int, fh: int) -> bytes:  # noqa: ARG002
            return os.pread(fh, size, offset)

        def write(self, path: str, data: bytes, offset: int, fh: int) -> int:  # noqa: ARG002
            return os.pwrite(fh, data, offset)

        def truncate(self, path: str, length: int, fh: int | None = None) -> int:
            os.truncate(real(path) if fh is None else fh, length)
            return 0

        def release(self, path: str, fh: int) -> int:  # noqa: ARG002
            os.close(fh)
            return 0

        def flush(self, path: str, fh: int) -> int:  # noqa: ARG002
            return 0

        def fsync(self, path: str, datasync: int, fh: int) -> int:  # noqa: ARG002
            return 0

        def fsyncdir(self, path: str, datasync: int, fh: int) -> int:  # noqa: ARG002
            if kind.no_sync:
                raise mfusepy.FuseOSError(kind.no_sync)
            return 0

        def mkdir(self, path: str, mode: int) -> int:
            real(path).mkdir(mode)
            return 0

        def rmdir(self, path: str) -> int:
            real(path).rmdir()
            return 0

        def unlink(self, path: str) -> int:
            real(path).unlink()
            return 0

        def link(self, target: str, source: str) -> int:
            if kind.no_links:
                raise mfusepy.FuseOSError(kind.no_links)
            real(target).hardlink_to(real(source))
            return 0

        def rename(self, old: str, new: str, flags: int = 0) -> int:
            if flags or real(old).parent != real(new).parent:
                raise mfusepy.FuseOSError(errno.EXDEV)  # in one folder only
            real(old).rename(real(new))
            return 0

        def chmod(self, path: str, mode: int) -> int:
            real(path).chmod(mode)
            return 0

        def utimens(self, path: str, times: Any = None) -> int:  # noqa: ARG002
            return 0

    return Operations()


def _serve(folder: Path, below: Path, kind: Kind) -> None:
    mfusepy = disk._fuse()

    class Mounted(mfusepy.FUSE):  # type: ignore[misc]
        def _wrapper(self, *arguments: Any, **options: Any) -> Any:
            time.sleep(kind.delay)
            return super()._wrapper(*arguments, **options)

        def rename_fuse_3(self, old: bytes, new: bytes, flags: int) -> int:
            return int(self.operations.rename(old.decode(), new.decode(), flags))

        if kind.no_locks:

            def flock(self, path: bytes, fi: Any, operation: int) -> int:  # noqa: ARG002
                return -kind.no_locks

    options = {"foreground": True, "nothreads": True, "hard_remove": True, "use_ino": True}
    keeps = dict.fromkeys(("entry_timeout", "attr_timeout", "negative_timeout"), kind.memory)
    Mounted(_operations(below, kind), str(folder), **options, **keeps)


@contextlib.contextmanager
def mounted(folder: Path, below: Path, kind: Kind) -> Iterator[Path]:
    """A folder as a machine sees it over a network."""
    folder.mkdir()
    server = os.fork()
    if server == 0:
        with contextlib.suppress(BaseException):
            _serve(folder, below, kind)
        os._exit(0)
    with unmounted(folder, server):
        yield folder


def made(scratch: Path, kind: Kind) -> tuple[str, str]:
    """Make a production there by two machines; what the last look says, and the hash of the events."""
    (scratch / "disk").mkdir()
    half = PARTITIONS // 2
    with mounted(scratch / "a", scratch / "disk", kind) as one, mounted(scratch / "b", scratch / "disk", kind) as two:
        shares = (one, f"0:{PARTITIONS - half // 2}"), (two, f"{half // 2}:{PARTITIONS - 1}")
        commands = [
            Command([*ARGUMENTS, "-o", str(where / "p"), "--partition", share, "--quiet"]) for where, share in shares
        ]
        ended = [command.finish() for command in commands]
        ended.append(Command([*ARGUMENTS, "-o", str(two / "p"), "--workers", "1"]).finish())
        assert [status for status, _ in ended] == [0, 0, 0], f"{kind.name}: {ended}"
        time.sleep(kind.memory)
        assert complete(one / "p") == PARTITIONS, f"{kind.name}: lost {ended}"
        return ended[-1][1], content(one / "p")


def run(only: str = "") -> None:
    """Do it on every file system; AssertionError at the first one where a production is not what it should be."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name).resolve()
        assert mcgen([*ARGUMENTS, "-o", str(scratch / "reference"), "--workers", "1", "--quiet"]) == 0
        wanted = content(scratch / "reference")
        for number, kind in enumerate(one for one in KINDS if only in one.name):
            began, home = time.monotonic(), scratch / f"{number}"
            home.mkdir()
            said, found = made(home, kind)
            assert found == wanted, f"{kind.name}: other events"
            sys.stdout.write(f"{kind.name}: the same events, {time.monotonic() - began:.1f} s; {said}\n")
            sys.stdout.flush()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="part of the name of a file system")
    given = parser.parse_args()
    if reason := disk.why_not():
        sys.stdout.write(f"validation.shared_folder: not done, {reason}\n")
    else:
        run(given.only)


if __name__ == "__main__":
    main()
