"""Who makes the partitions of a production: processes of this machine, or a dask cluster."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import multiprocessing
import os
import signal
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from itertools import islice
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from mcgen.base.errors import InputError, McgenError, McgenWarning
from mcgen.base.extras import optional
from mcgen.base.interrupts import heed
from mcgen.base.jit import leave_out_guests
from mcgen.campaign.production import Engine, Plan, make_partition, serial

#: seconds to wait for a scheduler that does not answer, at work three times as long, or that has lost all its workers
PATIENCE = 20.0
#: seconds in which a file of a worker must be seen here: network file systems remember for a minute what was not there
SEEN = 90.0
#: partitions that a cluster is given at a time, many more than it has workers
AT_ONCE = 10_000


def _follow_parent() -> None:
    """End this process when its parent is gone."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _work(plan: Plan, folder: Path, todo: Sequence[int], told: Connection) -> None:
    """Make partitions and tell the parent of each, or of the error that ended it."""
    _follow_parent()
    leave_out_guests()
    try:
        heed(signal.SIGTERM)  # raises KeyboardInterrupt, which removes what is half written
        try:
            for i in todo:
                told.send(make_partition(plan, folder, i))
        except Exception as error:
            told.send(error)
        os._exit(0)  # at once: the parent may end it on its way out
    except (KeyboardInterrupt, OSError, MemoryError):  # the parent ends it, or is gone, or nothing can be told
        os._exit(1)


def _processes(workers: int, plan: Plan, folder: Path, todo: Sequence[int]) -> Iterator[int]:
    """Make partitions in several processes.

    Each has its own share of the work and its own pipe: no lock of a process that died can block another one.
    """
    context = multiprocessing.get_context("spawn")
    started: dict[Connection, SpawnProcess] = {}
    try:
        for first in range(min(workers, len(todo))):
            listening, telling = context.Pipe(duplex=False)
            share = todo[first :: min(workers, len(todo))]
            process = context.Process(target=_work, args=(plan, folder, share, telling), daemon=True)
            process.start()
            started[listening] = process
            telling.close()
        pending = list(started)
        while pending:
            ready = wait(pending)
            for listening in [connection for connection in pending if connection in ready]:
                try:
                    news = listening.recv()
                except EOFError:
                    pending.remove(listening)
                    started[listening].join()
                    if started[listening].exitcode != 0:
                        message = f"folder {folder}: a worker died; the same command resumes"
                        raise McgenError(message) from None
                    continue
                if isinstance(news, Exception):
                    raise news
                yield news
    finally:
        for process in started.values():
            process.terminate()
        for process in started.values():
            process.join()


def processes(workers: int) -> Engine:
    """Local processes with one thread each; one works in this process."""

    def engine(plan: Plan, folder: Path, todo: Sequence[int]) -> Iterator[int]:
        if workers == 1 or len(todo) < 2:
            return serial(plan, folder, todo)
        return _processes(workers, plan, folder, todo)

    return engine


class NoWorkerWarning(McgenWarning):
    """A dask cluster has no workers."""


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Silence the loggers of dask; the error that ends a production says what is wrong."""
    names = [n for n in logging.root.manager.loggerDict if n.partition(".")[0] in ("distributed", "tornado")]
    loud = [logger for logger in map(logging.getLogger, names) if not logger.disabled]
    for logger in loud:
        logger.disabled = True
    try:
        yield
    finally:
        for logger in loud:
            logger.disabled = False


async def _greet(scheduler: str) -> None:
    """Connect once: a client would wait forever if something else than a scheduler answers, such as a web page."""
    distributed = optional("distributed", "--scheduler", "dask")
    arguments = distributed.Security().get_connection_args("client")
    async with asyncio.timeout(PATIENCE):
        await (await distributed.comm.connect(scheduler, timeout=PATIENCE, **arguments)).close()


def _connected(scheduler: str) -> Any:
    """A client of the scheduler at an address; InputError if none answers there."""
    distributed = optional("distributed", "--scheduler", "dask")
    answer: Future[None] = Future()

    def ask() -> None:
        try:
            answer.set_result(asyncio.run(_greet(scheduler)))
        except Exception as error:  # of any kind: raised again below
            answer.set_exception(error)

    try:
        # a thread: a notebook has a running loop of its own; nobody waits for it if it hangs
        threading.Thread(target=ask, daemon=True).start()
        answer.result(2.0 * PATIENCE)
        return distributed.Client(scheduler, timeout=PATIENCE)
    except (OSError, ValueError, TypeError) as error:
        message = f"--scheduler {scheduler}: {type(error).__name__}, no scheduler answers there"
        raise InputError(message) from None


def _job(plan: Plan, folder: str, i: int) -> tuple[int, bool]:
    """Make a partition on a worker; whether it is there then, and not still made by another process."""
    make_partition(plan, folder, i)
    return i, _is_there(plan, folder, i)


def _is_there(plan: Plan, folder: str, i: int) -> bool:
    return plan.path(Path(folder), i).exists()


class _Jobs:
    """Partitions that are made on a cluster, a limited number at a time: a hundred thousand would take a gigabyte.

    Results are fetched in the background: this thread must not wait for one that was lost with its worker.
    """

    def __init__(self, client: Any, plan: Plan, folder: Path, todo: Sequence[int]) -> None:
        self._client, self._plan, self._folder = client, plan, folder
        self._waiting = iter(todo)
        self._sent = optional("distributed", "--scheduler", "dask").as_completed(with_results=True)
        self._unseen: dict[int, float] = {}  #: partitions that a worker has made, and until when they must be seen here

    def __iter__(self) -> Iterator[int]:
        """Events of each partition that is there.

        Raises
        ------
        McgenError
            If there were workers, and none has been left for `PATIENCE` seconds, or a partition is not seen here.
        """
        make, count = partial(_job, self._plan, str(self._folder.resolve())), 0
        watch = _Watch(self._client)
        while True:
            if count <= AT_ONCE // 2 and (more := list(islice(self._waiting, AT_ONCE - count))):
                self._sent.update(self._client.map(make, more, pure=False))
                count += len(more)
            if count == 0 and not self._unseen:
                return
            if count and self._sent.has_ready():
                _, result = next(self._sent)
                count -= 1
                if isinstance(result, BaseException):
                    raise result
                i, is_there = result
                if is_there:
                    self._unseen[i] = time.monotonic() + SEEN
                else:  # another process is at it; the production looks for it at the end
                    yield self._plan.size(i)
            else:
                watch.look()
                time.sleep(0.05)
            yield from self._seen()

    def _seen(self) -> Iterator[int]:
        for i, until in list(self._unseen.items()):
            if self._plan.path(self._folder, i).exists():
                del self._unseen[i]
                yield self._plan.size(i)
            elif time.monotonic() > until:
                message = f"partition {i} was made and is not seen here, the folder must be the same on all machines"
                raise McgenError(message)


class _Watch:
    """Looks now and then whether a cluster has workers."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._last_seen = math.inf  # no worker seen yet: they may still wait in the queue of a batch system
        self._next_look, self._patient_until = 0.0, time.monotonic() + PATIENCE

    def look(self) -> None:
        """Raise McgenError if there were workers and none has been left; TimeoutError if the scheduler is silent."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + 0.1 * PATIENCE
        if self._client.sync(self._client.scheduler.ncores, workers=None, callback_timeout=3.0 * PATIENCE):
            self._last_seen = now
        elif now - self._last_seen > PATIENCE:
            message = "its workers are gone"
            raise McgenError(message)
        elif self._last_seen == math.inf and now > self._patient_until:
            self._patient_until = math.inf
            warnings.warn("the dask cluster has no worker yet, waiting for one", NoWorkerWarning, stacklevel=2)


def dask(scheduler: str) -> Engine:
    """A running dask cluster by the address of its scheduler; the folder must be the same for all its workers.

    Raises McgenError if a job fails on its worker, or if scheduler or workers go away; what is made stays.
    """
    distributed = optional("distributed", "--scheduler", "dask")

    def engine(plan: Plan, folder: Path, todo: Sequence[int]) -> Iterator[int]:
        with _silent(), _connected(scheduler) as client:
            try:
                yield from _Jobs(client, plan, folder, todo)
            except distributed.KilledWorker:
                reason = "a worker died again and again"
            except (distributed.CancelledError, distributed.comm.CommClosedError, TimeoutError):
                reason = "its scheduler is gone"
            except McgenError as error:
                if type(error) is not McgenError:
                    raise  # it is about the events, not about the cluster
                reason = str(error)
            except Exception as error:
                reason = f"a worker failed, {type(error).__name__}: {error}"
            else:
                return
            message = f"folder {folder}: dask cluster at {scheduler}: {reason}; the same command resumes"
            raise McgenError(message)

    return engine
