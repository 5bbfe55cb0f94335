"""Pools of threads, or of none."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any


class _Here(Executor):
    """Runs each job at once in the calling thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The future of a job that has already run."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def pool(workers: int) -> Executor:
    """A pool of `workers` threads; with 0, jobs run in the calling thread."""
    return ThreadPoolExecutor(workers) if workers else _Here()
