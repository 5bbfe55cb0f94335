"""Threads, or none."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any


class _Here(Executor):
    """Does what it is given at once, in the thread that asks."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """A future that is over."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def pool(workers: int) -> Executor:
    """As many threads; with 0 everything happens in the calling one."""
    return ThreadPoolExecutor(workers) if workers else _Here()
