"""Bad input by the thousand: cards, command lines and event files that nobody should write.

    python -m validation.fuzz --cases 10000 [--seed S] [--first CASE]

The law: exit status 0, 1 (closure, input/output) or 2; an error is one line `mcgen: error: ...`; no traceback, no
warning of numpy, no NaN and no infinity in an output, nothing that takes more than LIMIT_S, no temporary file left, and
no file at all where a single one was asked for and refused. A case is fixed by seed and number: print it, run it again.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import faulthandler
import io
import itertools
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mcgen.cli import main
from validation import fuzz_cards, fuzz_files

#: seconds of the processor that a case may take: a dozen compounds in the way of a TeV beam of many energies take 42
LIMIT_S = 60.0
#: what an error of status 1 is about
STATUS_1 = re.compile(r"disagree|not finite|beyond double precision|Error: \[Errno|interrupted")
NOT_A_NUMBER = re.compile(r"(?<![\w.-])[-+]?(nan|inf)(?![\w.])", re.IGNORECASE)
#: commands whose output is a folder, which may hold some results when a later one is refused
FOLDERS = ("run", "crosscheck", "validate")

#: of cards, command lines and files in a hundred cases
SHARES = (45, 25, 30)

Fault = str


class TooLongError(BaseException):
    """The alarm; no handler of errors takes it."""


def _alarm(*_: Any) -> None:
    raise TooLongError


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TooLongError after a time of the processor; end the program, with a traceback, where nothing happens."""
    before = signal.signal(signal.SIGPROF, _alarm)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    faulthandler.dump_traceback_later(10.0 * seconds, exit=True, file=sys.__stderr__)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGPROF, before)


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _faults_of_text(text: str, as_json: bool) -> list[Fault]:
    if as_json:
        try:
            json.loads(text, parse_constant=_refuse_constant)
        except ValueError as error:
            return [f"output is no JSON: {error}"]
        return []
    plain = "\n".join(line for line in text.splitlines() if not line.startswith("    "))  # a card in `info`
    found = NOT_A_NUMBER.search(plain)
    return [f"output holds {found[0]}: {plain[max(0, found.start() - 60) : found.end() + 20]!r}"] if found else []


def _faults_of_files(folder: Path, before: set[Path], arguments: list[str], status: int) -> list[Fault]:
    faults = []
    for path in {p for p in folder.rglob("*") if p.is_file()} - before:
        if path.name.startswith("."):
            faults.append(f"temporary file {path.name} is left")
        elif status and arguments[:1] and arguments[0] not in FOLDERS and path.parent == folder:
            faults.append(f"{path.name} is left with status {status}")
        if path.suffix in (".json", ".csv"):
            is_json = path.suffix == ".json" and arguments[:1] != ["reach"]  # a table under any name
            faults += _faults_of_text(path.read_text(encoding="utf-8"), is_json)
    return faults


def law(
    arguments: list[str], folder: Path, command: Callable[[list[str]], tuple[int, str, str]]
) -> tuple[str, list[Fault]]:
    """(outcome, faults) of one command line in a folder."""
    before = {p for p in folder.rglob("*") if p.is_file()}
    status, out, err = command(arguments)
    lines = [line for line in err.splitlines() if not line.startswith("mcgen: warning:")]
    faults: list[Fault] = []
    if status not in (0, 1, 2):
        faults.append(f"status {status}")
    differs = arguments[:1] == ["rerun"] and status == 1 and not lines  # `rerun` says so on stdout
    if arguments and not differs:
        expected = 1 if status else 0
        if len(lines) != expected or not all(line.startswith("mcgen: error:") for line in lines):
            faults.append(f"status {status} and on stderr: {lines[:4]}")
        if status == 1 and lines and not STATUS_1.search(lines[0]):
            faults.append(f"status 1 for: {lines[0][:200]}")
    if status == 0 and (arguments[:1] != ["info"] or "--json" in arguments):  # `info` shows texts of the file
        asked = any(b == "--json" and a != "-o" for a, b in itertools.pairwise(arguments))
        faults += _faults_of_text(out, "-h" not in arguments and (asked or arguments == ["schema"]))
    elif status and out and not differs:
        faults.append(f"status {status} and on stdout: {out[:100]!r}")
    return f"{arguments[0] if arguments else '-'} {status}", faults + _faults_of_files(
        folder, before, arguments, status
    )


def inside(arguments: list[str]) -> tuple[int, str, str]:
    """A command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.simplefilter("error", RuntimeWarning)  # of numpy
        try:
            status = main(arguments)
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else 99
    return status, out.getvalue(), err.getvalue()


def outside(arguments: list[str]) -> tuple[int, str, str]:
    """A command line in a process of its own."""
    command = [sys.executable, "-c", "from mcgen.cli import entry; entry()", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3.0 * LIMIT_S, check=False)
    return done.returncode, done.stdout, done.stderr


def _where() -> str:
    """The error that is being handled, and the last lines of mcgen on its way."""
    kind, error, trace = sys.exc_info()
    frames = [f for f in traceback.extract_tb(trace) if "/mcgen/" in f.filename][-4:]
    calls = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(frames))
    return f"{kind.__name__ if kind else ''}: {str(error)[:200]} at {calls}"


class Fuzzer:
    """Runs cases in a scratch folder, beside event files to damage."""

    def __init__(self, seed: int, scratch: Path, shares: tuple[int, int, int] = SHARES) -> None:
        self.seed = seed
        self._shares = shares
        self._scratch = scratch
        self._files = fuzz_files.originals(scratch)

    def case(self, number: int) -> tuple[str, list[Fault], list[list[str]]]:
        """(outcome, faults, command lines) of one case."""
        return self.chosen(random.Random(f"{self.seed} {number}"))

    def chosen(self, rng: random.Random) -> tuple[str, list[Fault], list[list[str]]]:
        """The same of a case that random numbers choose."""
        with tempfile.TemporaryDirectory(dir=self._scratch) as name:
            folder = Path(name)
            before = Path.cwd()
            os.chdir(folder)
            try:
                kind, lines = self._lines(rng, folder)
                return self._run(rng, kind, lines, folder)
            finally:
                os.chdir(before)

    def _lines(self, rng: random.Random, folder: Path) -> tuple[str, list[list[str]]]:
        kind = rng.choices(("card", "command", "file"), self._shares)[0]
        if kind == "card":
            return kind, fuzz_cards.card_case(rng, folder)
        if kind == "command":
            return kind, [fuzz_cards.command_case(rng, folder, self._files)]
        return kind, fuzz_files.file_case(rng, folder, self._files)

    def _run(
        self, rng: random.Random, kind: str, lines: list[list[str]], folder: Path
    ) -> tuple[str, list[Fault], list[list[str]]]:
        outcome, faults = kind, []
        how = outside if rng.random() < 0.002 else inside
        for arguments in lines:
            try:
                with limited(LIMIT_S if arguments[:1] != ["run"] else 4.0 * LIMIT_S):  # the whole chain is long
                    outcome, found = law(arguments, folder, how)
            except TooLongError:
                found = [f"more than {LIMIT_S:g} s; {_where()}"]
            except Exception:  # every escaped error is what this looks for
                found = [f"escaped: {_where()}"]
            faults += [f"{' '.join(arguments)[:300]}: {fault}" for fault in found]
            if faults or not outcome.endswith(" 0"):
                break
        return f"{kind}: {outcome}", faults, lines


def run(
    cases: int,
    seed: int,
    first: int = 0,
    report: Callable[[str], None] = lambda _: None,
    shares: tuple[int, int, int] = SHARES,
) -> collections.Counter[str]:
    """Run cases; the counter holds outcomes, and the number of faults under 'faults'."""
    counts: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as scratch:
        fuzzer = Fuzzer(seed, Path(scratch), shares)
        slowest = (0.0, -1)
        for number in range(first, first + cases):
            started = time.process_time()
            outcome, faults, _ = fuzzer.case(number)
            slowest = max(slowest, (time.process_time() - started, number))
            counts[outcome] += 1
            if faults:
                counts["faults"] += 1
                report(f"case {number} (seed {seed}): " + "\n  ".join(faults))
            if (number + 1) % 500 == 0:
                done, (seconds, which) = number + 1 - first, slowest
                report(f"-- {done} cases, {counts['faults']} faults, slowest {seconds:.1f} s (case {which})")
    return counts


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    given = parser.parse_args()
    found = run(given.cases, given.seed, given.first, lambda line: print(line, flush=True))
    for name, count in sorted(found.items()):
        print(f"{count:7d}  {name}")
    sys.exit(1 if found["faults"] else 0)
