"""Steps of the work, told to the log of the package: `mcgen --verbose` shows them, and how long each took."""

from __future__ import annotations

import contextlib
import contextvars
import logging
import time
from collections.abc import Callable, Iterator

from mcgen.base.printed import duration

#: the log of the package; other programs see it with `logging.basicConfig(level="INFO")`
LOG = logging.getLogger("mcgen")

_WATCH: contextvars.ContextVar[Callable[[], None] | None] = contextvars.ContextVar("watch", default=None)


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Inside, a step of the work, such as 'reweighting'."""
    start = time.perf_counter()
    yield
    LOG.info("%s: %s", what, duration(time.perf_counter() - start))


@contextlib.contextmanager
def watched(watch: Callable[[], None]) -> Iterator[None]:
    """Inside, long work calls a function now and then, which raises to end it."""
    token = _WATCH.set(watch)
    try:
        yield
    finally:
        _WATCH.reset(token)


def go_on() -> None:
    """Long work comes here between its parts; raises if somebody wants it to end."""
    if watch := _WATCH.get():
        watch()


@contextlib.contextmanager
def hushed(library: str, level: int) -> Iterator[None]:
    """Inside, the log of another library has only what is as grave as a level of `logging`."""
    log = logging.getLogger(library)
    before = log.level
    log.setLevel(level)
    try:
        yield
    finally:
        log.setLevel(before)
