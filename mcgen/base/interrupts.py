"""Signals that end a program: Ctrl-C, and those of batch systems and of a parent process."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import Any, NoReturn

#: seconds until an interrupt that was swallowed comes again
AGAIN = 5.0


def heed(*numbers: int) -> list[int]:
    """Signals raise KeyboardInterrupt, again and again until the process ends; return those seen so far.

    Callbacks of the compiler and of weak references swallow exceptions, and Python prints what it ignores; of these
    KeyboardInterrupt and MemoryError, which come again elsewhere, are not printed.
    """
    seen: list[int] = []
    report = sys.unraisablehook

    def interrupt(number: int, _: Any) -> None:
        seen.append(number)
        signal.setitimer(signal.ITIMER_REAL, AGAIN)
        raise KeyboardInterrupt

    def ignored(what: Any) -> None:
        if not issubclass(what.exc_type, (KeyboardInterrupt, MemoryError)):
            report(what)

    for number in (*numbers, signal.SIGALRM):
        signal.signal(number, interrupt)
    sys.unraisablehook = ignored
    return seen


def leave(status: int) -> NoReturn:
    """End a process that was interrupted at once, with a status.

    Until Python 3.12 a join that is interrupted takes its thread for dead. Python would not wait for it any more and be
    taken apart while it still runs a kernel or the compiler, which can end in a segmentation fault.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # a closed pipe
            stream.flush()
    os._exit(status)
