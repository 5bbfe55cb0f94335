"""Productions that are killed, starved of disk and damaged, and what comes out when they resume.

    python -m validation.faults --faults 100

Each fault hits a production of its own at a random moment; then the same command runs again, undisturbed. The content
must be that of a production nobody touched, every event there once, or the command must refuse in one line.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mcgen.base.errors import InputError
from mcgen.cli import entry, main
from mcgen.events.pool import load

EVENTS, PARTITION = 160_000, 20_000
ARGUMENTS = ["generate", "na64", "--mass", "10MeV", "--events", str(EVENTS), "--partition-events", str(PARTITION)]


class Command:
    """The command line in a child of this process, which has compiled and prepared already."""

    def __init__(self, arguments: list[str], *before: Callable[[], object]) -> None:
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - the child writes into it
        self._process = multiprocessing.get_context("fork").Process(target=self._run, args=(arguments, before))
        self._process.start()

    def _run(self, arguments: list[str], before: Sequence[Callable[[], object]]) -> None:
        for number in (1, 2):
            os.dup2(self._said.fileno(), number)
        sys.stdout = sys.stderr = open(1, "w", closefd=False)  # noqa: SIM115 - those of pytest go elsewhere
        sys.argv = ["mcgen", *arguments]
        for change in before:
            change()
        entry()

    @property
    def pid(self) -> int:
        """Of the child."""
        assert self._process.pid is not None
        return self._process.pid

    def running(self) -> bool:
        """Whether it is at work."""
        return self._process.is_alive()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()

    def finish(self) -> tuple[int, str]:
        """Exit status and what it said."""
        self._process.join(300)
        assert self._process.exitcode is not None, "it hangs"
        with self._said:
            self._said.seek(0)
            return self._process.exitcode, self._said.read().strip()


def largest_file(limit: int) -> Callable[[], None]:
    """A change of a process that stands for a full disk: no file gets larger than so many bytes."""
    return partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit))


def start(folder: Path, *more: str, limit: int | None = None) -> Command:
    """The command on a folder, perhaps with the largest size in bytes that a file may get."""
    return Command([*ARGUMENTS, "-o", str(folder), *more], *(() if limit is None else (largest_file(limit),)))


def finish(process: Command) -> tuple[int, str]:
    """Exit status and what it said."""
    return process.finish()


def workers(pid: int) -> list[int]:
    """Worker processes of a command; Python's own tracker of semaphores is none."""
    with contextlib.suppress(OSError):
        found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return [child for child in found if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
    return []


def wait_for_work(folder: Path, process: Command, rng: random.Random) -> None:
    """Until a random number of partitions is there, and then a moment."""
    wanted = rng.randrange(EVENTS // PARTITION)
    while process.running() and len(list(folder.glob("events-*.root"))) < wanted:
        time.sleep(0.002)
    time.sleep(rng.random() * 0.1)


def kill_parent(folder: Path, rng: random.Random) -> None:
    """SIGKILL the command itself."""
    process = start(folder, "--workers", rng.choice("12"))
    wait_for_work(folder, process, rng)
    process.kill()
    finish(process)


def kill_worker(folder: Path, rng: random.Random) -> None:
    """SIGKILL one of its worker processes."""
    process = start(folder, "--workers", "2")
    wait_for_work(folder, process, rng)
    with contextlib.suppress(ProcessLookupError, IndexError):
        os.kill(rng.choice(workers(process.pid)), signal.SIGKILL)
    status, said = finish(process)
    assert status in (0, 1), said
    assert "Traceback" not in said, said


def interrupt(folder: Path, rng: random.Random) -> None:
    """The signal of Ctrl-C or of a batch system."""
    process = start(folder, "--workers", rng.choice("12"))
    wait_for_work(folder, process, rng)
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, rng.choice([signal.SIGINT, signal.SIGTERM]))
    status, said = finish(process)
    assert status in (0, 1, -signal.SIGINT, -signal.SIGTERM), said  # before Python could say how to end
    assert "Traceback" not in said, said


def full_disk(folder: Path, rng: random.Random) -> None:
    """No file can grow beyond a random size."""
    status, said = finish(start(folder, "--workers", rng.choice("12"), limit=rng.randrange(1000, 3_500_000)))
    assert status == 2, (status, said)
    assert said.startswith("mcgen: error:"), said
    assert "\n" not in said, said


def two_at_once(folder: Path, rng: random.Random) -> None:
    """Two commands on the same folder, one of them killed."""
    both = [start(folder, "--workers", "1") for _ in range(2)]
    wait_for_work(folder, both[0], rng)
    both[1].kill()
    for process in both:
        finish(process)


def _complete(folder: Path) -> list[Path]:
    status, said = finish(start(folder, "--workers", "1"))
    assert status == 0, said
    return sorted(folder.glob("events-*.root"))


def flip_byte(folder: Path, rng: random.Random) -> None:
    """A byte of a file is another one."""
    path = rng.choice(_complete(folder))
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    before = content(folder)
    path.write_bytes(data)
    read_or_refuse(folder, before)


def read_or_refuse(folder: Path, wanted: str) -> None:
    """Readers that do not verify on purpose get the right numbers, or one line."""
    try:
        pool = load(folder)
        for _ in pool.iterate(pool.branches):
            pass
    except InputError as error:
        assert "\n" not in str(error), error  # noqa: PT017
        return
    assert pool.content_sha256() == wanted, "a reader took damage for events"


def cut_file(folder: Path, rng: random.Random) -> None:
    """A file is cut short."""
    path = rng.choice(_complete(folder))
    before = content(folder)
    path.write_bytes(path.read_bytes()[: rng.randrange(path.stat().st_size)])
    read_or_refuse(folder, before)


def cut_json(folder: Path, rng: random.Random) -> None:
    """The manifest or the plan is cut short, and a partition lost."""
    rng.choice(_complete(folder)).unlink()
    path = folder / rng.choice(["manifest.json", "plan.json"])
    path.write_bytes(path.read_bytes()[: rng.randrange(path.stat().st_size)])


FAULTS = [kill_parent, kill_worker, interrupt, full_disk, kill_parent, kill_worker, two_at_once, flip_byte, cut_file,
          cut_json]  # fmt: skip


def content(folder: Path) -> str:
    """Hash of a complete production as its events are now, each there once."""
    pool = load(folder)
    numbers = np.concatenate([chunk["event"] for chunk in pool.iterate(["event"])])
    assert np.array_equal(numbers, np.arange(EVENTS)), "events lost or doubled"
    left = [path.name for path in folder.iterdir() if path.name.startswith(".")]
    assert not left, f"left behind: {left}"
    assert json.loads((folder / "manifest.json").read_text())["content_sha256"] == pool.content_sha256()
    return pool.content_sha256()


def run(faults: int, seed: int = 1, report: Any = print) -> Counter[str]:
    """Do it; raises AssertionError at the first production that is not what it should be."""
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        reference = Path(scratch) / "reference"
        assert (
            main([*ARGUMENTS, "-o", str(reference), "--workers", "1"]) == 0
        )  # compiled and prepared, for the children
        wanted = content(reference)
        for number in range(faults):
            rng = random.Random(seed * 1_000_003 + number)
            fault, folder = FAULTS[number % len(FAULTS)], Path(scratch) / f"{number}"
            fault(folder, rng)
            status, said = finish(start(folder, "--workers", rng.choice("12"), "--verify"))
            assert status == 0, f"fault {number} ({fault.__name__}): {said}"
            assert content(folder) == wanted, f"fault {number} ({fault.__name__}): other events"
            counts[fault.__name__] += 1
            counts["partitions made again"] += int(said.split("(")[1].split()[0])
            counts["events compared"] += EVENTS
            shutil.rmtree(folder)
            report(f"{number + 1:4d}  {fault.__name__:12s} {said}")
    return counts


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for name, number in run(arguments.faults, arguments.seed).items():
        print(f"{name:24s} {number}")
