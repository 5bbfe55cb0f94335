"""Productions on file systems of clusters, some of them; all are a run of a minute."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from validation import disk

pytestmark = pytest.mark.skipif(disk.why_not() != "", reason=disk.why_not())
ROOT = Path(__file__).parents[2]


def run(*arguments, change="None"):
    """Exit status and output of the validation in a process of its own, which has no other threads."""
    code = f"import sys; from validation import shared_folder; {change}; shared_folder.main()"
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    return done.returncode, done.stdout + done.stderr


def test_all_that_may_be_missing():
    """Slow, forgetful, no locks, no links: the same events; fails if one of these is needed."""
    status, said = run("--only", "all of it")
    assert status == 0, said
    assert "all of it: the same events" in said


def test_a_folder_of_each_machine_is_found():
    """Two machines whose folders are not the same one make the harness fail; fails if it sees nothing."""
    change = (
        "import pathlib; below = iter(range(9)); real = shared_folder.mounted; "
        "own = lambda b: (p := pathlib.Path(f'{b}{next(below)}')).mkdir() or p; "
        "shared_folder.mounted = lambda folder, b, kind: real(folder, own(b), kind)"
    )
    status, said = run("--only", "no hard links", change=change)
    assert status == 1, said


@pytest.mark.slow
def test_every_file_system():
    """All of them; fails for other events, a partition that is lost, or anything left behind."""
    status, said = run()
    assert status == 0, said
