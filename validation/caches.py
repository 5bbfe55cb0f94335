"""Compiled kernels on disk where much is wrong with the disk, or with those who share it: the numbers stay right.

    python -m validation.caches                    (all, three minutes)
    python -m validation.caches together locks     (some)

Each time a process computes a photon flux, which compiles a dozen kernels where none is kept. Right is: the same number
as ever, not a word on the terminal, status 0. Then one more process without the fault must be right too; how long both
take is printed, and how many kernels are kept in the end.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[1] / "mcgen"
CALL = """
from mcgen.physics.emission.form_factor import form_factor
from mcgen.physics.emission.iww import flux
print(repr(flux(3.0, 0.1, 0.1, form_factor("paper", 74.0, 183.84))))
"""
#: in another version the elastic form factor is twice as large
CHANGED = ("return ff.elastic * ", "return 2.0 * ff.elastic * ")
#: prctl(2) and capabilities(7): root without the right to write where nobody may
_DROP, _OVERRIDE = 24, 1
#: seconds until a process hangs
PATIENCE = 300


class Ended(NamedTuple):
    """How a process has ended."""

    status: int
    said: str
    wrong: str  #: what it said beside its number
    seconds: float


class Place:
    """A folder for kernels, and processes that use it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cache = folder, folder / "cache"
        self.cache.mkdir()

    def start(
        self,
        package: Path = PACKAGE,
        around: Sequence[str] = (),
        before: Callable[[], object] | None = None,
        **more: str,
    ) -> subprocess.Popen[str]:
        """A process, perhaps inside of another command, or with a change of its own before it."""
        variables = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "NUMBA_CACHE_DIR": str(self.cache)} | more
        variables |= {"PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.Popen(
            [*around, sys.executable, "-c", CALL], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={name: value for name, value in variables.items() if value}, cwd=self.folder, preexec_fn=before,
        )  # fmt: skip

    def run(self, *arguments: object, **more: object) -> Ended:
        """The same, to its end."""
        return ended(self.start(*arguments, **more))  # type: ignore[arg-type]

    @property
    def kernels(self) -> list[Path]:
        """Files of kernels that are kept."""
        return sorted(self.cache.rglob("*.nbc"))

    def read_only(self) -> Callable[[], object]:
        """Nobody may write into the cache any more; what a process has to do not to be root there."""
        for path in (self.cache, *self.cache.rglob("*")):
            path.chmod(path.stat().st_mode & ~0o222 | 0o444)
        return partial(ctypes.CDLL(None).prctl, _DROP, _OVERRIDE, 0, 0, 0)


def ended(process: subprocess.Popen[str]) -> Ended:
    """How a process ends."""
    begun = time.monotonic()
    said, wrong = process.communicate(timeout=PATIENCE)
    return Ended(process.returncode, said.strip(), wrong.strip(), time.monotonic() - begun)


def together(place: Place) -> list[Ended]:
    """Four processes begin at once with nothing kept."""
    return [ended(process) for process in [place.start() for _ in range(4)]]


def two_versions(place: Place) -> list[Ended]:
    """Two versions of the package at once; the second one's number is halved here."""
    other = place.folder / "other" / "mcgen"
    shutil.copytree(PACKAGE, other, ignore=shutil.ignore_patterns("__pycache__"))
    source = other / "physics" / "emission" / "form_factor.py"
    text = source.read_text(encoding="utf-8")
    assert text.count(CHANGED[0]) == 1
    source.write_text(text.replace(*CHANGED), encoding="utf-8")
    both = [place.start(), place.start(other), place.start(), place.start(other)]
    found = [ended(process) for process in both]
    assert found[1].said == found[3].said != found[0].said, found
    assert len(list((place.cache / "mcgen").iterdir())) == 2
    return found[::2]


def read_only(place: Place) -> list[Ended]:
    """A folder with kernels that can only be read, as in a container."""
    kept = place.run()
    return [kept, place.run(before=place.read_only(), HOME="/dev/null")]


def nowhere(place: Place) -> list[Ended]:
    """An empty folder that can only be read, and no home."""
    return [place.run(before=place.read_only(), HOME="/dev/null"), place.run(NUMBA_CACHE_DIR="/dev/null/a", HOME="")]


def full(place: Place) -> list[Ended]:
    """No file gets larger than 100 bytes, and then than 20 kB."""
    limits = [partial(resource.setrlimit, resource.RLIMIT_FSIZE, (size, size)) for size in (100, 20_000)]
    return [place.run(before=limit) for limit in limits]


def damaged(place: Place) -> list[Ended]:
    """Each file is empty, cut, or has a flipped bit."""
    kept = place.run()
    for number, path in enumerate(sorted(place.cache.rglob("*.nb?"))):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes([b"", data[: len(data) // 2], data][number % 3])
    return [kept, place.run()]


def touched(place: Place) -> list[Ended]:
    """The sources have other times, as in another installation of the same version: nothing is compiled again."""
    package = place.folder / "own" / "mcgen"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    kept = place.run(package)
    before = {path: path.stat().st_mtime_ns for path in place.kernels}
    for source in package.rglob("*.py"):
        os.utime(source, (1e9, 1e9))
    again = place.run(package)
    assert before == {path: path.stat().st_mtime_ns for path in place.kernels}, "compiled again"
    return [kept, again]


def killed(place: Place) -> list[Ended]:
    """Processes are killed after one to eight seconds of compiling."""
    for seconds in (1.0, 2.0, 4.0, 8.0):
        process = place.start()
        time.sleep(seconds)
        process.kill()
        process.communicate()
    return [place.run()]


def cleared(place: Place) -> list[Ended]:
    """The folder is removed again and again while a process compiles."""
    process = place.start()
    while process.poll() is None:
        shutil.rmtree(place.cache / "mcgen", ignore_errors=True)
        time.sleep(0.05)
    return [ended(process)]


def locks(place: Place) -> list[Ended]:
    """A file system without locks; there is no need of strace for the others."""
    if not shutil.which("strace"):
        return []
    no_locks = ["strace", "-f", "-qq", "-o", os.devnull, "-e", "inject=flock:error=ENOLCK"]
    return [place.run(around=no_locks), place.run(around=no_locks)]


FAULTS = {each.__name__: each for each in (
    together, two_versions, read_only, nowhere, full, damaged, touched, killed, cleared, locks
)}  # fmt: skip


def tried(name: str, number: str) -> str:
    """A line of the table; AssertionError if a process was not right."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Place(Path(scratch))
        found = FAULTS[name](place)
        for path in (place.cache, *place.cache.rglob("*")):
            path.chmod(path.stat().st_mode | 0o200)
        after = place.run()
        for each in (*found, after):
            assert (each.status, each.said, each.wrong) == (0, number, ""), f"{name}: {each}"
        seconds = " ".join(f"{each.seconds:.1f}" for each in found)
        return f"{name} | {seconds} | {after.seconds:.1f} | {len(place.kernels)}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, try the faults, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*FAULTS, []])
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        place = Place(Path(scratch))
        cold, warm = place.run(), place.run()
    print(f"without a fault: {cold.seconds:.1f} s with nothing kept, {warm.seconds:.1f} s with all of it")
    print("fault | seconds | seconds of the next | kernels kept")
    for name in given.names or FAULTS:
        print(tried(name, cold.said), flush=True)


if __name__ == "__main__":
    main()
