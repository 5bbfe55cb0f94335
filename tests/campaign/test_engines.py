"""What a dask cluster is given, and what comes back: checked here with a client that is none."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import threading
import time

import pytest

from mcgen import InputError, load_card
from mcgen.base import files
from mcgen.base.errors import McgenError
from mcgen.campaign import engines, production
from mcgen.campaign.production import make_partition, plan_of, produce
from mcgen.generation.generate import Options

distributed = pytest.importorskip("distributed")


def plan(partitions=7):
    """Small partitions."""
    return plan_of(load_card("fermilab"), 0.1, 10 * partitions, 1, 10, Options(branches=("E_mu",)))


@pytest.fixture(scope="module")
def cluster():
    """Two threads of this process."""
    with distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0") as made:
        yield made


def test_a_limited_number_at_a_time(cluster, tmp_path, monkeypatch):
    """Four of seven at most are with the cluster; fails if a hundred thousand tasks are sent, of 10 kB each."""
    monkeypatch.setattr(engines, "AT_ONCE", 4)
    sent, real = [], distributed.Client.map
    monkeypatch.setattr(
        distributed.Client, "map", lambda self, f, of, **how: sent.append(list(of)) or real(self, f, of, **how)
    )
    assert produce(plan(), tmp_path / "folder", engine=engines.dask(cluster.scheduler_address)).missing == []
    assert [i for batch in sent for i in batch] == list(range(7))
    assert len(sent[0]) == 4
    assert max(map(len, sent[1:])) <= 4


def test_a_folder_that_is_another_one_for_the_workers(cluster, tmp_path, monkeypatch):
    """One line when what was made is not seen here; fails if this process then makes everything alone, in silence."""
    monkeypatch.setattr(engines, "SEEN", 0.5)
    monkeypatch.setattr(engines, "make_partition", lambda made, _, i: made.size(i))
    monkeypatch.setattr(engines, "_is_there", lambda *_: True)
    with pytest.raises(McgenError, match=r"partition \d was made and is not seen here, the folder must be the same"):
        produce(plan(), tmp_path / "folder", engine=engines.dask(cluster.scheduler_address))
    assert not list((tmp_path / "folder").glob("events-*"))


def test_a_file_that_is_seen_late(cluster, tmp_path, monkeypatch):
    """A partition that shows itself after a second counts; fails for an error about another folder."""
    real = engines.make_partition

    def late(made, folder, i):
        size = real(made, folder, i)
        path = made.path(tmp_path / "folder", i)
        path.rename(hidden := tmp_path / f"{i}")
        threading.Timer(1.0, hidden.rename, [path]).start()
        return size

    monkeypatch.setattr(engines, "make_partition", late)
    monkeypatch.setattr(engines, "_is_there", lambda *_: True)
    assert produce(plan(3), tmp_path / "folder", engine=engines.dask(cluster.scheduler_address)).missing == []


def test_another_version_makes_nothing(tmp_path, monkeypatch):
    """A machine with another version says so; fails if a folder gets events of two versions."""
    asked = plan()
    produce(asked, tmp_path / "folder", partitions=[0])
    monkeypatch.setattr(production, "__version__", "0.9")
    with pytest.raises(InputError, match=rf"mcgen 0\.9 on .*, and the production is of {asked.mcgen_version}$"):
        make_partition(asked, tmp_path / "folder", 1)
    assert len(list((tmp_path / "folder").iterdir())) == 2


def test_a_silent_scheduler(monkeypatch):
    """A scheduler that keeps its connections and answers nothing ends the command; fails for an endless wait."""
    monkeypatch.setattr(engines, "PATIENCE", 0.5)

    class Silent:
        """A client whose questions are never answered."""

        scheduler = property(lambda self: self)
        ncores = None

        def sync(self, _, callback_timeout, **__):
            raise TimeoutError(callback_timeout)

    with pytest.raises(TimeoutError, match=r"1\.5"):
        engines._Watch(Silent()).look()


def test_a_process_that_hangs_with_its_lock(tmp_path, monkeypatch):
    """What another one has claimed and does not go on with is made anyway; fails for an endless wait."""
    monkeypatch.setattr(files, "HUNG", 0.5)
    asked = plan(2)
    produce(asked, folder := tmp_path / "folder", partitions=[0])
    with (folder / ".events-000001.root.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert produce(asked, folder).missing == []


def test_a_process_that_goes_on_is_waited_for(tmp_path, monkeypatch):
    """One that writes now and then keeps its claim; fails if two write the same file although both are alive."""
    monkeypatch.setattr(files, "HUNG", 0.6)
    path, told = tmp_path / "a.root", []
    begun = threading.Event()

    def write():
        with files.claim(path) as mine, (tmp_path / ".a.root.x.root").open("w") as part:
            begun.set()
            for _ in range(8):
                time.sleep(0.2)
                part.write("x")
                part.flush()
            told.append(("done", mine))

    thread = threading.Thread(target=write)
    thread.start()
    begun.wait()
    with files.claim(path, wait=True) as mine:
        told.append(("claimed", mine))
    thread.join()
    assert told == [("done", True), ("claimed", True)]


def test_nobody_looks_at_all_files(tmp_path, monkeypatch):
    """Without a lock that was left the folder is not searched; fails if n partitions cost n looks at n files."""
    monkeypatch.setattr(files, "_unfinished", lambda _: pytest.fail("looked at all files"))
    assert produce(plan(3), tmp_path / "folder").missing == []


def test_a_worker_without_memory_to_tell():
    """A worker that cannot even tell what ended it ends in silence with status 1; fails if it shows a traceback."""
    code = """
import multiprocessing

from mcgen.campaign import engines


class Told:
    def send(self, _):
        raise MemoryError


worker = multiprocessing.get_context("fork").Process(target=engines._work, args=(None, None, [0], Told()))
worker.start()
worker.join(60)
print(worker.exitcode)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("1\n", "")
