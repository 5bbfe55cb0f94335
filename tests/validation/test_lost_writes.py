"""Crashes of the machine during two commands, and what is found where a sync is left out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from validation import lost_writes
from validation.disk import why_not

pytestmark = pytest.mark.skipif(why_not() != "", reason=f"no disk can be mounted here: {why_not()}")

ROOT = Path(__file__).parents[2]
#: a command line after some change of the program
BROKEN = "import sys; from mcgen.base import files; {change}; from validation.{module} import main; sys.exit(main())"


def run(module, *arguments, change="None"):
    """Exit status and output of a validation in a process of its own, which has no other threads."""
    command = [sys.executable, "-c", BROKEN.format(module=module, change=change), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    return done.returncode, done.stdout + done.stderr


def test_nothing_is_lost():
    """An export and a folder that is replaced; fails if a crash leaves half of them under a final name."""
    status, said = run("lost_writes", "--only", "export .lhe", "HEPData --overwrite", "kernels")
    assert status == 0, said
    assert "wrong: 0" in said


def test_a_sync_that_is_left_out_is_found():
    """Without any sync of files and folders; fails if the harness sees nothing."""
    status, said = run("lost_writes", "--only", "export .lhe", change="files.sync = lambda path: None")
    assert status == 1, said
    assert "a.lhe has a content of its own" in said
    assert "a.lhe is lost after the end" in said


def test_moments():
    """A crash is tried before all but writes, and after the end."""
    log = [("make", ()), ("write", ()), ("write", ()), ("sync", ()), ("cut", ()), ("close", ())]
    assert lost_writes.moments(log) == [0, 3, 5, 6]
