"""Pools of threads, or of none."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

#: bytes for the stack of a thread, 8 MB, and what it needs to begin
_ROOM = 16_000_000


class _Here(Executor):
    """Runs each job at once in the calling thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The future of a job that has already run."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class _Threads(ThreadPoolExecutor):
    """Threads that begin only where there is memory for one: Python would wait for ever for one that fails to begin."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The future of a job; OSError if memory is short."""
        mmap.mmap(-1, _ROOM).close()
        return super().submit(fn, *args, **kwargs)


def pool(workers: int) -> Executor:
    """A pool of `workers` threads; with 0, jobs run in the calling thread."""
    return _Threads(workers) if workers else _Here()
