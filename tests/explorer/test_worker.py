"""One computation at a time: what is stale is dropped, and nobody waits for all of another's."""

from __future__ import annotations

import threading

import pytest

from mcgen.explorer.worker import LATER, Worker, worker

SECONDS = 20.0
WORDS = "taken apart"


class Job:
    """Steps that wait until they are let on, and note what they did."""

    def __init__(self, name, log, steps=3):
        self.name, self.log, self.steps = name, log, steps
        self.begun, self.let, self.done = threading.Event(), threading.Event(), threading.Event()

    def __call__(self, stale):
        for step in range(self.steps):
            self.begun.set()
            assert self.let.wait(SECONDS)
            self.log.append((self.name, step, stale()))
            yield
        self.done.set()


@pytest.fixture
def log():
    return []


def _job(name, log, steps=3, let=True):
    job = Job(name, log, steps)
    if let:
        job.let.set()
    return job


def test_newest_wins(log):
    """Of quick questions the first, which is being computed, and the last get steps; fails if each is computed."""
    one = Worker()
    first = _job("first", log, let=False)
    one.ask("a", first)
    assert first.begun.wait(SECONDS)
    others = [_job(f"{n}", log) for n in range(5)]
    for job in others:
        one.ask("a", job)
    first.let.set()
    assert others[-1].done.wait(SECONDS)
    assert log == [("first", 0, True), ("4", 0, False), ("4", 1, False), ("4", 2, False)]


def test_turns(log):
    """Two askers take turns, step by step; fails if one waits for all that the other asked for."""
    one = Worker()
    first, second = _job("a", log, let=False), _job("b", log)
    one.ask("a", first)
    assert first.begun.wait(SECONDS)
    one.ask("b", second)
    first.let.set()
    assert first.done.wait(SECONDS)
    assert second.done.wait(SECONDS)
    assert [name for name, _, _ in log] == ["a", "b", "a", "b", "a", "b"]
    assert not any(stale for *_, stale in log)


def test_drop(log):
    """Who left gets no further step; fails if a closed window goes on to be computed."""
    one = Worker()
    first = _job("a", log, let=False)
    one.ask("a", first)
    assert first.begun.wait(SECONDS)
    one.drop("a")
    first.let.set()
    last = _job("b", log, 1)
    one.ask("b", last)
    assert last.done.wait(SECONDS)
    assert log == [("a", 0, True), ("b", 0, False)]


def test_one_thread(log):
    """All of a program share one thread, which ends with it; fails if two computations run at once."""
    assert worker() is worker()
    one = Worker()
    for name in "abc":
        job = _job(name, log, 1)
        one.ask(name, job)
        assert job.done.wait(SECONDS)
    threads = [thread for thread in threading.enumerate() if thread is one._thread]
    assert [thread.daemon for thread in threads] == [True]


def test_what_can_wait(log):
    """Steps that can wait come after all others, and are told that one presses; fails if they hold others back."""
    one = Worker()
    begun, let, pressed = threading.Event(), threading.Event(), []

    def slow(_):
        yield LATER
        begun.set()
        assert let.wait(SECONDS)
        pressed.append(one.presses())
        yield LATER
        log.append("slow")
        pressed.append(one.presses())
        done.set()

    done = threading.Event()
    one.ask("a", slow)
    assert begun.wait(SECONDS)
    one.ask("b", _job("b", log))
    let.set()
    assert done.wait(SECONDS)
    assert pressed == [True, False]
    assert [name for name, *_ in log] == ["b", "b", "b", "s"]


def test_one_that_raises(log, caplog):
    """A job that raises ends alone; fails if no other is computed any more."""
    one = Worker()

    def wrong(_):
        yield
        raise AttributeError(WORDS)

    one.ask("a", wrong)
    job = _job("b", log)
    one.ask("b", job)
    assert job.done.wait(SECONDS)
    again = _job("a", log)
    one.ask("a", again)
    assert again.done.wait(SECONDS)
    assert WORDS in caplog.text
