"""One computation at a time, in one thread: whoever asks again drops what was asked before and is no longer wanted."""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Callable, Hashable, Iterator

from mcgen.base.steps import LOG

#: whether what a job computes is still wanted
IsStale = Callable[[], bool]
#: begins a computation, whose steps are those of an iterator; what follows a step that gives LATER can wait
Job = Callable[[IsStale], Iterator[bool | None]]
LATER = True


class Worker:
    """Steps of the jobs of several askers in turn, one step at a time; each asker has at most one job.

    Steps that can wait come when no others are left.

    The thread begins with the first job. It is a daemon: it does not keep the program from ending.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._numbers = itertools.count()
        self._newest: dict[Hashable, int] = {}  #: number of the last job of each asker
        self._waiting: dict[Hashable, tuple[int, Iterator[bool | None], bool]] = {}
        self._thread: threading.Thread | None = None

    def ask(self, who: Hashable, job: Job) -> None:
        """Compute a job as soon as possible; what the same asker asked for before is stale.

        Parameters
        ----------
        who : hashable
        job : callable
            Gets a function that says whether the job is stale, and returns its steps. If it raises, it has ended.
        """
        with self._changed:
            number = next(self._numbers)
            self._newest[who] = number
            self._waiting.pop(who, None)
            self._waiting[who] = number, job(lambda: self._newest.get(who) != number), False
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="mcgen explore", daemon=True)
                self._thread.start()
            self._changed.notify()

    def drop(self, who: Hashable) -> None:
        """Forget an asker: what it asked for is stale."""
        with self._changed:
            self._newest.pop(who, None)
            self._waiting.pop(who, None)

    def presses(self) -> bool:
        """Whether a step waits that cannot come later."""
        with self._changed:
            return not all(later for *_, later in self._waiting.values())

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                who = min(self._waiting, key=lambda one: self._waiting[one][2])  # of equal ones the first
                number, steps, _ = self._waiting.pop(who)
            try:
                later = next(steps) is LATER
            except StopIteration:
                continue
            except Exception:  # one job that fails takes no other with it
                LOG.exception("explore")
                continue
            with self._changed:
                if self._newest.get(who) == number:
                    self._waiting[who] = number, steps, later


@functools.cache
def worker() -> Worker:
    """The one of this program."""
    return Worker()
