"""A figure, the list of all, and how time is taken."""

from __future__ import annotations

import contextlib
import importlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One number, how to measure it and how good it should be."""

    name: str
    text: str
    unit: str
    goal: float
    measure: Callable[[], float]
    rises: bool  #: whether more is better
    rounds: int  #: at most this many, after one that is not counted; if 1, there is no other
    peer: str  #: what others reach, measured apart

    def met(self, value: float) -> bool:
        """Whether a value reaches the goal."""
        return value >= self.goal if self.rises else value <= self.goal

    def gain(self, now: float, before: float) -> float:
        """How many times better the first value is."""
        return now / before if self.rises else before / now


#: all figures by name, in the order of the table
FIGURES: dict[str, Figure] = {}


def figure(
    text: str, unit: str, goal: float, *, rises: bool = False, rounds: int = 99, peer: str = ""
) -> Callable[[Callable[[], float]], Callable[[], float]]:
    """Make a figure of a function, under the function's name."""

    def register(measure: Callable[[], float]) -> Callable[[], float]:
        FIGURES[measure.__name__] = Figure(measure.__name__, text, unit, goal, measure, rises, rounds, peer)
        return measure

    return register


def module(*names: str) -> Any:
    """The first module of mcgen that is there: today's name, then older ones."""
    for name in names[:-1]:
        with contextlib.suppress(ModuleNotFoundError):
            return importlib.import_module(f"mcgen.{name}")
    return importlib.import_module(f"mcgen.{names[-1]}")


def seconds(call: Callable[[], Any], clock: Callable[[], float] = time.process_time) -> float:
    """Seconds of a call, of the processor if nothing else is said."""
    start = clock()
    call()
    return clock() - start


def per_call(call: Callable[[], Any], at_least: float = 0.2) -> float:
    """CPU seconds of a short call, repeated for a while."""
    calls, spent = 0, 0.0
    while spent < at_least:
        spent += seconds(call)
        calls += 1
    return spent / calls


_PROCESS = """
import resource, sys
from mcgen.cli import entry
try:
    entry()
finally:
    use = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    peak = open('/proc/self/status').read().split('VmHWM:')[1].split()[0]
    sys.stderr.write(f'@{sum(u.ru_utime + u.ru_stime for u in use)} {peak}')
"""


def command(*arguments: str, cache: Path | None = None) -> tuple[float, float]:
    """CPU seconds and peak memory in MB of a fresh process that runs `mcgen`."""
    environment = dict(os.environ) | ({"NUMBA_CACHE_DIR": str(cache)} if cache else {})
    done = subprocess.run(
        [sys.executable, "-c", _PROCESS, *arguments], capture_output=True, text=True, env=environment, check=True
    )
    spent, kilobytes = done.stderr.rsplit("@", 1)[1].split()
    return float(spent), float(kilobytes) / 1024.0
