"""Faults of a dask cluster, some of each round; all of them are a run of minutes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from validation import cluster

pytest.importorskip("distributed")

ROOT = Path(__file__).parents[2]
needs_networks = pytest.mark.skipif(cluster.why_not() != "", reason=cluster.why_not())


def run(*arguments, change="None"):
    """Exit status and output of the validation in a process of its own, which has no other threads."""
    code = f"import sys; from validation import cluster; {change}; cluster.main()"
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1500, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_command_is_killed_at_work():
    """The same command goes on at once, beside workers that are still at it; fails if an event is lost or doubled."""
    status, said = run("--only", "the_command_is_killed")
    assert status == 0, said
    assert "16 of 16 there" in said


def test_a_worker_of_another_version_is_found():
    """The harness fails when nobody looks at the version; fails if it sees nothing."""
    change = "cluster.production.refuse_if = lambda *_: None"
    status, said = run("--only", "another version", change=change)
    assert status == 1, said
    assert "another version: was not refused" in said


@needs_networks
@pytest.mark.slow
def test_every_fault():
    """All of them once; fails for a hang, a traceback, half a file, or other events."""
    status, said = run("--seed", "3")
    assert status == 0, said
    assert said.count(" there. ") == len(cluster.FAULTS) + len(cluster.KINDS)
