"""Who makes the partitions of a production: processes of this machine, or a dask cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from mcgen.errors import InputError, McgenError
from mcgen.extras import optional
from mcgen.interrupts import heed
from mcgen.production import Engine, Plan, make_partition, serial


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
    heed(signal.SIGTERM)  # and leave nothing half written
    try:
        try:
            for i in todo:
                told.send(make_partition(plan, folder, i))
        except Exception as error:
            told.send(error)
    except (KeyboardInterrupt, OSError):  # the parent ends it, or is gone
        os._exit(1)


def _processes(workers: int, plan: Plan, folder: Path, todo: Sequence[int]) -> Iterator[int]:
    """Each process has its share and a pipe of its own: no lock of a dead one can hold up another."""
    context = multiprocessing.get_context("spawn")
    started: dict[Connection, SpawnProcess] = {}
    try:
        for first in range(min(workers, len(todo))):
            listening, telling = context.Pipe(duplex=False)
            share = todo[first :: min(workers, len(todo))]
            started[listening] = context.Process(target=_work, args=(plan, folder, share, telling), daemon=True)
            started[listening].start()
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


def dask(scheduler: str) -> Engine:
    """A running dask cluster by the address of its scheduler; the folder must be the same for all its workers."""
    distributed = optional("distributed", "--scheduler", "dask")

    def engine(plan: Plan, folder: Path, todo: Sequence[int]) -> Iterator[int]:
        try:
            client = distributed.Client(scheduler, timeout="20s")
        except (OSError, ValueError) as error:
            message = f"--scheduler {scheduler}: {type(error).__name__}, no scheduler answers there"
            raise InputError(message) from None
        with client:
            make = partial(make_partition, plan, str(folder.resolve()))
            for job in distributed.as_completed(client.map(make, todo, pure=False)):
                yield job.result()

    return engine
