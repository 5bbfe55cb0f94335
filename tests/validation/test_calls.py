"""System calls that fail, some of each command; all of them are a run of up to an hour."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from validation import calls

needs_strace = pytest.mark.skipif(calls.why_not() != "", reason=calls.why_not())

ROOT = Path(__file__).parents[2]
#: a command line after some change of the program
BROKEN = "import sys; {change}; from validation.calls import main; sys.exit(main())"


def run(*arguments, change="None"):
    """Exit status and output of the validation in a process of its own, which has no other threads."""
    command = [sys.executable, "-c", BROKEN.format(change=change), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    return done.returncode, done.stdout + done.stderr


@needs_strace
def test_some_of_all_commands():
    """Productions, a merge, exports and a folder; fails if a call that fails leaves half a file or a traceback."""
    status, said = run("--only", "production", "merge", "lheh5", "RNTuple", "HEPData", "--sample", "12")
    assert status == 0, said
    assert "wrong: 0" in said


@needs_strace
def test_a_file_that_has_its_name_too_early_is_found():
    """An export that writes under the final name; fails if the harness sees nothing."""
    early = (
        "import contextlib, pathlib; from mcgen.events.formats import text; "
        "text.atomic_path = lambda path, same: contextlib.nullcontext(pathlib.Path(path))"
    )
    status, said = run("--only", "export .lhe", "--sample", "30", change=early)
    assert status == 1, said
    assert "a.lhe has a content of its own" in said


def test_errors_are_explained():
    """Every error in the lists is one of the system with its reason; fails for a slip of the pen."""
    listed = {how for text in calls.CALLS.values() for how in text.split()}
    assert listed | {"signal=KILL", *calls._CREATING.split()} == set(calls.ERRORS)
    assert all(hasattr(errno, how) for how in listed if "=" not in how)
    assert set(calls.CALLS) >= calls.CHANGING


def test_spread_and_sample():
    """Both ends and some between, the same in every run; fails if a choice is random."""
    assert calls._spread([1, 2]) == [1, 2]
    assert calls._spread(list(range(1, 301))) == [1, 101, 200, 300]
    faults = [calls.Fault("write", "a", i, "EIO") for i in range(50)]
    assert calls.chosen(faults, 5) == calls.chosen(faults, 5)
    assert calls.chosen(faults, None) == faults
    assert faults[1].injection == "inject=write:error=EIO:when=1"


def test_table():
    """Counts by command and by call; fails if a fault is counted twice."""
    counts = Counter({("a", "write", "done"): 2, ("a", "link", "refused"): 1, ("b", "write", "killed"): 4})
    counts["b", "write", "left"] = 3
    assert calls.table(counts, 0).splitlines()[1:] == ["a | 3 | 2 | 1 | 0 | 0 | 0", "b | 4 | 0 | 0 | 4 | 0 | 3"]
    assert calls.table(counts, 1).splitlines()[1:] == ["write | 6 | 2 | 0 | 4 | 0 | 3", "link | 1 | 0 | 1 | 0 | 0 | 0"]
