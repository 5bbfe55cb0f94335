"""Commands during which the machine crashes, at each moment and with all that may become of what was not synced.

    python -m validation.lost_writes                four minutes
    python -m validation.lost_writes --only merge   some of the commands

A command runs once on the disk of `validation.disk`, which logs what is done to it. From the log comes what a crash
would leave, before each change of a name, each sync and each close, and after the end. There the same command runs
again. Under a final name there must be nothing but whole files at any time, the second run must leave what a run leaves
that nobody touched, and what a command made must be there for good once it has ended.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mcgen.base import jit
from validation.disk import CRASHES, Log, mounted, replayed, why_not
from validation.small_commands import FOREIGN, FOREIGN_TEXT, Bench, Child, Known, Tree

NAMES = (
    "production, 1 worker", "production, 2 workers", "merge", "export .lhe", "export .parquet", "export --overwrite",
    "grid, table", "HEPData", "HEPData --overwrite",
)  # fmt: skip
KERNELS = "compiled kernels"
#: crashes of each kind that has to do with chance
DRAWS = 3
_KINDS = [(how, draw) for how in CRASHES for draw in range(DRAWS if how in ("torn", "disorder") else 1)]


def _kernel(x: float) -> float:
    return 2.0 * x + 1.0


def _compile() -> None:
    """A kernel that is compiled, or read back from the folder of the first argument."""
    os.environ["NUMBA_CACHE_DIR"] = sys.argv[1]
    jit.cache_folder.cache_clear()
    print(jit.jit(_kernel)(3.0))


def moments(log: Log) -> list[int]:
    """Where a crash is tried: numbers of things that were done before it."""
    return [i for i, (method, _) in enumerate(log) if method not in ("write", "cut")] + [len(log)]


def crashes(found: Tree, log: Log) -> Iterator[tuple[int, str, Tree]]:
    """What crashes leave, each state of the disk once for every kind of them at most."""
    seen = set()
    for moment in moments(log):
        for how, draw in _KINDS:
            left = replayed(found, log[:moment]).crash(how, random.Random(100 * moment + draw))
            key = hash(tuple(sorted(left.items()))), moment == len(log)
            if key not in seen:
                seen.add(key)
                yield moment, how, left


def logged(bench: Bench, known: Known) -> Log:
    """What a command does to a disk."""
    bench.fill({})
    with mounted(bench.out, known.before, bench.scratch / "log") as told:
        child = Child(known.arguments)
        status, said = child.finish()
    assert status == 0, said
    return told()


def of_command(bench: Bench, name: str) -> Iterator[tuple[str, list[str], bool]]:
    """Crashes of a command: which, what is wrong, and whether temporary files are left as it is stated."""
    known = bench.learn(name)
    log = logged(bench, known)
    for moment, how, left in crashes(known.before, log):
        bench.fill(left)
        wrong = list(bench.wrong(known, -9, "", killed=True))
        if moment == len(log):
            wrong += [
                f"{path} is lost after the end" for path, content in known.after.items() if left.get(path) != content
            ]
        later, hidden = bench.again(known)
        wrong += later
        if hidden and known.case.tidies:
            wrong.append(f"left {', '.join(hidden)}")
        done = f"before {log[moment][0]} {log[moment][1]}" if moment < len(log) else "after the end"
        yield f"{moment} {done}, {how}", wrong, bool(hidden)


def of_kernels(bench: Bench) -> Iterator[tuple[str, list[str], bool]]:
    """The same of a kernel that is compiled; its folder of numba may have other files than before."""
    bench.fill({})
    arguments = [str(bench.out)]
    with mounted(bench.out, {FOREIGN: FOREIGN_TEXT}, bench.scratch / "log") as told:
        wanted = Child(arguments, work=_compile).finish()
    assert wanted == (0, "7.0"), wanted
    log = told()
    for moment, how, left in crashes({FOREIGN: FOREIGN_TEXT}, log):
        bench.fill(left)
        wrong = [
            f"says {said[1][-120:]!r}" for _ in range(2) if (said := Child(arguments, work=_compile).finish()) != wanted
        ]
        yield f"{moment}, {how}", wrong, False


def run(names: list[str]) -> tuple[dict[str, Counter[str]], int]:
    """Let the machine crash during commands; returns counts by command, and how many were wrong."""
    counts: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(Path(scratch).resolve())
        bench.begin()
        for name in names:
            began, count = time.monotonic(), Counter[str]()
            for where, wrong, is_left in of_kernels(bench) if name == KERNELS else of_command(bench, name):
                count["crashes"] += 1
                count["left"] += is_left
                count["wrong"] += bool(wrong)
                if wrong:
                    print(f"{name}: {where}", *wrong, sep="\n    ", flush=True)
            counts[name] = count
            print(f"{name}: {dict(count)}, {time.monotonic() - began:.0f} s", flush=True)
    return counts, sum(count["wrong"] for count in counts.values())


def main() -> int:
    """The command line; status 1 if something was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[], help="parts of the names of commands")
    given = parser.parse_args()
    if reason := why_not():
        print(f"validation.lost_writes: not done, {reason}")
        return 0
    every = (*NAMES, KERNELS)
    counts, wrong = run([name for name in every if not given.only or any(part in name for part in given.only)])
    print(f"crashes: {sum(count['crashes'] for count in counts.values())}, wrong: {wrong}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
