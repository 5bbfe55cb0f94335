"""How far a command is, on stderr: a bar on a terminal, now and then a line in a log, nothing with --quiet."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator

from mcgen.base.printed import duration
from mcgen.base.steps import step
from mcgen.cli.volume import is_quiet, say

#: seconds between two lines: at least, at most, and of a job of unknown length
_SHORTEST, _LONGEST, _UNKNOWN = 10.0, 600.0, 60.0
#: share of a job between two lines
_SHARE = 0.1


@contextlib.contextmanager
def bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A step of the work and its progress, told by how much of `total` is done; 0 for a total that is not known."""
    with step(what), shown(what, total) as update:
        yield update


@contextlib.contextmanager
def shown(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Progress of a step that others time."""
    if is_quiet():
        yield lambda _: None
    elif _is_terminal():
        with _drawn(what, total) as update:
            yield update
    else:
        yield Lines(what, total)


@contextlib.contextmanager
def stages() -> Iterator[Callable[[str], None]]:
    """Progress of a command of few long steps, told by their names; in a log none in the first ten seconds."""
    start, quiet, status = time.monotonic(), is_quiet(), None
    with contextlib.ExitStack() as now, contextlib.ExitStack() as screen:
        if _is_terminal() and not quiet:
            from rich.console import Console

            status = screen.enter_context(Console(stderr=True).status(""))

        def begin(what: str) -> None:
            now.close()
            now.enter_context(step(what))
            if status:
                status.update(what)
            elif not quiet and time.monotonic() - start >= _SHORTEST:
                say(f"{what} ...")

        yield begin


def _is_terminal() -> bool:
    """Whether stderr can show a bar that moves."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


@contextlib.contextmanager
def _drawn(what: str, total: int) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(what, total=total or None)
        yield lambda done: bars.update(task, completed=done)


class Lines:
    """Progress as lines such as 'events: 3e+06 of 1e+07 (30 %), 21 s left'; none in the first ten seconds.

    Each is a tenth of the job after the one before, but ten seconds to ten minutes.
    """

    def __init__(self, what: str, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._what, self._total, self._clock = what, total, clock
        self._begin = self._last = clock()

    def __call__(self, done: int) -> None:  # noqa: D102
        now = self._clock()
        passed = now - self._begin
        whole = passed * self._total / done if self._total and done else 0.0
        if now - self._last < min(max(_SHORTEST, _SHARE * whole if whole else _UNKNOWN), _LONGEST):
            return
        self._last = now
        text = f"{self._what}: {_number(done)}"
        if whole:
            share = f"{100.0 * done / self._total:.0f} %"
            text += f" of {_number(self._total)} ({share}), {duration(max(0.0, whole - passed))} left"
        say(text)


def _number(count: int) -> str:
    return str(count) if count < 100_000 else f"{count:.3g}"
