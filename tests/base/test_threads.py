"""Pools of threads where memory is short."""

from __future__ import annotations

import errno
import multiprocessing
import os
import resource
from pathlib import Path

import pytest

from mcgen.base import threads


@pytest.mark.parametrize("workers", [0, 2])
def test_jobs(workers):
    """Jobs run, in threads or in none; fails if a pool loses one."""
    with threads.pool(workers) as pool:
        assert [job.result() for job in [pool.submit(pow, 2, n) for n in range(5)]] == [1, 2, 4, 8, 16]


def _without_memory() -> None:
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    try:
        with threads.pool(1) as pool:
            pool.submit(int)
    except OSError as error:
        os._exit(error.errno or 1)
    os._exit(0)


def test_no_memory_for_a_thread():
    """An error, at once; fails if Python waits for a thread that never begins."""
    child = multiprocessing.get_context("fork").Process(target=_without_memory)
    child.start()
    child.join(30)
    child.kill()
    assert child.exitcode == errno.ENOMEM
