"""Small faults put into the package on purpose, one at a time, and whether the tests notice.

    python -m validation.mutants --count 300 --seed 1 --workers 2 -o mutants.csv [--modules physics,production]

A mutant is a copy of the package with one change: another operator or function, a constant 1 % larger, a dropped
term, a condition turned round, arguments swapped, a result of 0. Tests that call its function, the quick ones first,
run against the copy, without numba; if none of them notices, the tests of the module run with it. A test that takes
ten times as long as without the change counts as one that fails. What no test notices or cannot be run has survived.

Nothing is written here but the table. Ctrl-C stops the run and prints what is known. The same seed gives the same
mutants of the same source. `--keep folder` keeps the copies and the times of the tests for the next run, one at a
time; `--again table.csv` takes the survivors of a table instead of a choice.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import importlib
import json
import multiprocessing
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from validation.mutant_tests import BUDGET, Copy, Verdict, files_of, modules, record, tests_of
from validation.mutations import Mutant, Source, choose

#: parts of the names of what is to be judged: folders and modules
JUDGED = (
    "physics crossings tracing contours xsec rates track track_rules straggling acceptance decays sampler event_kernel "
    "normalisation generation production engines batch reproduction pool"
)
#: packages of others, imported before the processes fork
FOREIGN = (
    "awkward", "hypothesis", "llvmlite.binding", "mpmath", "numba", "pandas", "pydantic", "scipy.integrate",
    "scipy.interpolate", "scipy.optimize", "scipy.special", "scipy.stats", "uproot", "vector",
)  # fmt: skip
COLUMNS = ("module", "line", "kind", "before", "after", "result", "killed_by", "with_numba", "seconds")


def shared(work: Callable[[Copy, Any], Any], tasks: list[Any], copies: list[Copy]) -> Iterator[tuple[int, Any]]:
    """(number, result) of every task as it comes, one process for each copy."""
    context = multiprocessing.get_context("fork")
    todo, done = context.SimpleQueue(), context.SimpleQueue()

    def worker(copy: Copy) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            while (number := todo.get()) is not None:
                done.put((number, work(copy, tasks[number])))

    processes = [context.Process(target=worker, args=(copy,)) for copy in copies]
    for process in processes:
        process.start()
    try:
        for number in [*range(len(tasks)), *([None] * len(copies))]:
            todo.put(number)
        for _ in tasks:
            yield done.get()
    finally:
        for process in processes:
            process.terminate() if sys.exc_info()[0] else process.join()
            process.join()


def judged(
    chosen: list[Mutant], copies: list[Copy], notes: Path, rounds: tuple[bool, ...], found: dict[int, Any]
) -> None:
    """Judge mutants in rounds, without numba and with it; `found` takes (verdict, with numba) as they come."""
    for compiled in rounds:
        left = [i for i in range(len(chosen)) if i not in found or not found[i][0].killed]
        files = sorted(set().union(*(files_of(chosen[i].module, compiled) for i in left)))
        known: dict[str, Any] = {}
        for number, path in shared(lambda copy, file, c=compiled: record(copy, file, c, notes), files, copies):
            tests = json.loads(path.read_text(encoding="utf-8"))
            print(f"{files[number]}: {len(tests)} tests, {sum(t['seconds'] for t in tests.values()):.1f} s", flush=True)
            known |= tests
        with_numba = "with numba" if compiled else "without numba"
        print(f"{len(left)} mutants, {len(known)} tests {with_numba}, {BUDGET[compiled]:g} s each", flush=True)

        def work(copy: Copy, i: int, c: bool = compiled, k: dict[str, Any] = known) -> Verdict:
            return copy.judge(chosen[i], tests_of(chosen[i], k, c), c)

        for number, verdict in shared(work, left, copies):
            found[left[number]] = verdict, compiled
            mutant = chosen[left[number]]
            result = f"killed   {verdict.by}" if verdict.killed else f"survived {mutant.before} -> {mutant.after}"
            print(f"{mutant.module}:{mutant.line} {verdict.seconds:.1f} s {result}", flush=True)


def survivors(table: Path, paths: dict[str, Path]) -> list[Mutant]:
    """The mutants of a table that nobody killed, as far as the source still has them."""
    with table.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["result"] != "killed"]
    chosen = []
    for row in rows:
        source = Source(row["module"], paths[row["module"]])
        found = [source.mutant(row["kind"], *change) for change in source.left.get(row["kind"], [])]
        same = [m for m in found if m and (m.before, m.after) == (row["before"], row["after"])]
        chosen += sorted(same, key=lambda m: abs(m.line - int(row["line"])))[:1]
    return chosen


def report(chosen: list[Mutant], found: dict[int, tuple[Verdict, bool]], output: Path | None) -> str:
    """Write the table, and a summary with one line per module and one per survivor."""
    rows = []
    for i, mutant in enumerate(chosen):
        verdict, compiled = found.get(i, (Verdict(False, "", 0.0), False))
        result = "killed" if verdict.killed else "SURVIVED" if i in found else "not judged"
        rows.append((*mutant[:5], result, verdict.by, compiled, round(verdict.seconds, 1)))
    rows.sort(key=lambda row: row[:2])
    if output:
        with output.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *rows])
    lines = [f"{row[0]}:{row[1]} {row[5]} ({row[2]}) {row[3]} -> {row[4]}" for row in rows if row[5] != "killed"]
    for module in sorted({row[0] for row in rows}):
        results = [row[5] for row in rows if row[0] == module]
        lines.append(f"{module:30s} {results.count('killed'):3d} of {len(results):3d}")
    killed = sum(row[5] == "killed" for row in rows)
    return "\n".join([*lines, f"{killed} of {len(rows)} killed, {killed / max(1, len(rows)):.1%}"])


def main() -> None:
    """Read the command line, run, and print the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--modules", default=JUDGED.replace(" ", ","), help="names of folders or modules")
    parser.add_argument("--quick", action="store_true", help="only the tests that need no numba")
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--again", type=Path, metavar="TABLE")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    asked = set(arguments.modules.split(","))
    if unknown := asked - {part for name in modules() for part in (name, *name.split("."))}:
        parser.error(f"--modules: no module or folder {', '.join(sorted(unknown))}")
    paths = {name: path for name, path in modules().items() if asked & {name, *name.split(".")}}
    if "cli" not in asked:  # its modules have names of others
        paths = {name: path for name, path in paths.items() if not name.startswith("cli.")}
    again = arguments.again
    chosen = survivors(again, paths) if again else choose(paths, arguments.count, arguments.seed)
    for name in FOREIGN:
        importlib.import_module(name)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    found: dict[int, tuple[Verdict, bool]] = {}
    with tempfile.TemporaryDirectory() as scratch, contextlib.suppress(KeyboardInterrupt):
        folder = (arguments.keep or Path(scratch)).resolve()
        copies = [Copy(folder / f"copy-{i}") for i in range(arguments.workers)]
        judged(chosen, copies, folder, (False,) if arguments.quick else (False, True), found)
    print(report(chosen, found, arguments.output))


if __name__ == "__main__":
    main()
