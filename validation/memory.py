"""Commands with too little memory: one line and status 1, nothing half-written, whatever library meets it first.

    python -m validation.memory --steps 30             (the work of each command)
    python -m validation.memory --steps 30 --cold      (start, imports and loading of kernels too)

The address space of a process is limited (RLIMIT_AS), from what a command works with down to none beyond its start.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import functools
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from validation.faults import Command
from validation.orders import done_here

MB = 1 << 20
#: seconds until a command hangs
PATIENCE = 60
CARD = ["fermilab", "--mass", "100MeV", "--events", "3000"]
#: outputs are named after the command, in the folder "new"
COMMANDS = {
    "xsec": ["xsec", "--target", "W", "--energy", "3", "--mass", "100MeV"],
    "run": ["run", "fermilab", "--events", "3000", "-o", "new/run"],
    "generate": ["generate", *CARD, "-o", "new/generate.root"],
    "generate folder": ["generate", *CARD, "--partition-events", "1000", "-o", "new/folder"],
    "merge": ["merge", "folder", "-o", "new/merge.root"],
    **{
        f"export {ending}": ["export", "folder", "--decays", "-o", f"new/export.{ending}"]
        for ending in ("lhe", "hepmc3.gz", "parquet", "h5", "csv", "txt", "root")
    },
    "reweight": ["reweight", "folder", "--g-mu", "1e-4"],
    "reach": ["reach", "fermilab", "--mass", "50MeV,100MeV", "-o", "new/reach.csv", "--plot", "new/reach.png"],
    "grid": ["grid", "fermilab", "--mass", "100MeV", "--g-mu", "1e-4,1e-3", "-o", "new/grid.parquet"],
    "hepdata": ["grid", "fermilab", "--mass", "100MeV", "--g-mu", "1e-4,1e-3", "-o", "new/grid.hepdata"],
    "cite": ["cite", "folder"],
    "info": ["info", "folder", "--verify"],
}
#: how a library ends the process itself, with its own words; no Python code runs after it
NATIVE = ("LLVM ERROR: out of memory", "OpenBLAS error: Memory allocation still failed", "memory allocation of ")
#: bytes; with less, threads of uproot cannot say that they did not begin, and libraries in Rust abort
LEAST = 400_000
#: what may be in front of the one line
WARNING = re.compile("mcgen: warning: |events: |OpenBLAS WARNING|OpenBLAS blas_thread_init")

Attempt = Callable[[list[str], int], tuple[int, str]]


def size_now() -> int:
    """Address space of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def limited(limit: int) -> None:
    """Give this process so many bytes of address space, and no file of its remains."""
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def watched() -> None:
    """Let a child that hangs say where, and end."""
    faulthandler.dump_traceback_later(PATIENCE, exit=True)


def warm(arguments: list[str], limit: int) -> tuple[int, str]:
    """A command in a child of this process, with so many bytes more than it has now."""
    return Command(arguments, watched, functools.partial(limited, size_now() + limit)).finish()


def cold(arguments: list[str], limit: int) -> tuple[int, str]:
    """A command in a process of its own, with so many bytes."""
    line = [sys.executable, "-m", "mcgen", *arguments]
    less = functools.partial(limited, limit)
    ended = subprocess.run(line, capture_output=True, text=True, timeout=PATIENCE, check=False, preexec_fn=less)
    return ended.returncode, f"{ended.stdout}{ended.stderr}".strip()


def snapshot(folder: Path) -> dict[str, bytes]:
    """All files as they are."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def judged(status: int, said: str, new: set[str]) -> str:
    """How a command has ended; AssertionError if a user could not know how, or if it left something half-written."""
    hidden = [name for name in new if Path(name).name.startswith(".")]
    if any(words in said for words in NATIVE):
        return "ended by a library"
    assert not hidden, f"left behind: {hidden} {said}"
    assert "Traceback" not in said, said
    assert "Timeout (" not in said, f"it hangs: {said}"
    if status == 0:
        return "done"
    assert status == 1, (status, said)
    lines = [line for line in said.splitlines() if not WARNING.match(line)]
    assert len(lines) == 1, said
    assert lines[0].startswith("mcgen: error:"), said
    partial = [name for name in new if not re.fullmatch(r"new/(folder|run)/.*", name)]
    assert not partial, f"status 1, and yet {partial}"
    return "refused"


def run(steps: int, names: list[str], attempt: Attempt = warm, highest: int = 1024 * MB) -> Counter[str]:
    """Give each command less and less; raises AssertionError with all ends that are not clear."""
    counts: Counter[str] = Counter()
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
        here = Path(scratch)
        done_here("generate", *CARD, "--partition-events", "1000", "-o", "folder")
        inputs = snapshot(here)

        def tried(name: str, limit: int) -> str:
            (here / "new").mkdir()
            try:
                status, said = attempt(COMMANDS[name], limit)
                files = snapshot(here)
                assert inputs.items() <= files.items(), "an input has changed"
                return judged(status, said, files.keys() - inputs.keys())
            except (AssertionError, subprocess.TimeoutExpired) as error:
                faults.append(f"{name} with {limit / MB:.1f} MB: {error}")
                return "fault"
            finally:
                shutil.rmtree(here / "new")

        for name in names:
            if attempt is warm:
                (here / "new").mkdir()
                done_here(*COMMANDS[name])  # compiled and prepared, for the children
                shutil.rmtree(here / "new")
            low, high = LEAST, highest
            assert tried(name, high) == "done", name
            while high - low > highest // 500:  # the least that works
                middle = (low + high) // 2
                low, high = (low, middle) if tried(name, middle) == "done" else (middle, high)
            ends = Counter(tried(name, LEAST + (high - LEAST) * step // steps) for step in range(steps))
            print(f"{name:20s} works with {high / MB:6.1f} MB; below: {dict(ends)}", flush=True)
            counts.update(ends)
    assert not faults, "\n\n".join(faults)
    return counts


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("names", nargs="*", default=list(COMMANDS))
    given = parser.parse_args()
    print(dict(run(given.steps, given.names, cold if given.cold else warm)))
