"""Productions on a dask cluster of four workers, to which happens what happens to real ones; then they are resumed.

    python -m validation.cluster --rounds 5

Scheduler and workers are processes of dask. Each fault hits a production at a random moment. The command must end in a
bounded time, whole or with one line; no partial file may have a final name; and the same command must then end with the
events of a production that nobody touched. Workers sleep a moment before each partition, so that moments can be met.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import multiprocessing
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.context import ForkProcess as Process
from pathlib import Path

from mcgen._version import __version__
from mcgen.base import files
from mcgen.base.errors import InputError
from mcgen.campaign import engines, production
from mcgen.cli import main as mcgen
from mcgen.events.formats.root import EventFile
from mcgen.events.pool import load
from validation.faults import Command, largest_file
from validation.orders import bound_by_permissions

WORKERS, PARTITIONS, EACH = 4, 16, 200
ARGUMENTS = ["generate", "fermilab", "--mass", "100MeV"]
ARGUMENTS += ["--events", f"{PARTITIONS * EACH}", "--partition-events", f"{EACH}"]
#: seconds: a worker before each partition; the scheduler with a silent worker; the command with a silent cluster; a
#: command in all
SLOW, SILENT, PATIENT, LONGEST = 0.15, 12.0, 6.0, 300.0
#: of dask, so that faults are noticed within seconds and not minutes
SETTINGS = {
    "distributed.scheduler.worker-ttl": f"{SILENT}s",
    "distributed.comm.timeouts.tcp": f"{SILENT}s",  # 11 at least
    "distributed.comm.timeouts.connect": f"{2.0 * SILENT}s",
}
#: network of the one worker that has its own
SPACE, NEAR, FAR = f"mcgen{os.getpid()}", "10.213.77.1", "10.213.77.2"


def quick_to_notice() -> None:
    """A process does not wait for minutes."""
    import dask

    dask.config.set(SETTINGS)
    engines.PATIENCE, engines.SEEN = PATIENT, PATIENT


def begin(name: str, *arguments: str) -> None:
    """A scheduler or a worker, in this process."""
    from distributed.cli import dask_scheduler, dask_worker

    quick_to_notice()
    {"scheduler": dask_scheduler, "worker": dask_worker}[name].main(list(arguments))


def _late_worker(*arguments: str) -> None:
    """A worker whose clock is three days late, a program of its own: dask must not know another clock."""
    code = (
        "import sys, time; now = time.time; time.time = lambda: now() - 259200.0; "
        "from validation import cluster; cluster._slow_worker('', None); cluster.begin('worker', *sys.argv[1:])"
    )
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    os.execv(sys.executable, [sys.executable, "-c", code, *arguments])


def _slow_worker(kind: str, folder: Path) -> None:
    """What is different about a worker, in its process."""
    made = production.make_partition

    def slowly(*arguments: object, **options: object) -> int:
        time.sleep(SLOW)
        return made(*arguments, **options)  # type: ignore[arg-type]

    production.make_partition = engines.make_partition = slowly
    changes: dict[str, Callable[[], object]] = {
        "another version": lambda: setattr(production, "__version__", __version__ + "+other"),
        "other folder": lambda: os.chdir("/"),
        "read-only": lambda: (folder.chmod(0o555), bound_by_permissions()),
        "full": largest_file(30_000),
        "not there": lambda: _other_disk(folder.parent),
        "not the same": lambda: _other_disk(folder.parent, folder),
    }
    changes.get(kind, lambda: None)()


def _other_disk(mount: Path, folder: Path | None = None) -> None:
    """Another file system at a place, for this process alone, perhaps with a folder of the same name."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.unshare(0x20000) == 0, "a file system of its own is not allowed here"  # CLONE_NEWNS
    assert libc.mount(b"none", b"/", None, 0x44000, None) == 0  # private, all of it
    assert libc.mount(b"none", os.fsencode(mount), b"tmpfs", 0, None) == 0
    if folder:
        folder.mkdir()


class Cluster:
    """A scheduler and its workers, each a process that runs the command of dask; forked, as they begin at once then."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.workers: list[Process] = []
        self.scheduler: Process | None = None
        self.port = 0

    def _start(self, name: str, *arguments: str, before: Sequence[Callable[[], object]] = ()) -> Process:
        def work() -> None:
            log = os.open(self.scratch / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            for number in (1, 2):
                os.dup2(log, number)
            os.chdir(self.scratch)
            for change in before:
                change()
            begin(name, *arguments)

        process = multiprocessing.get_context("fork").Process(target=work)
        process.start()
        return process

    def address(self, host: str = "127.0.0.1") -> str:
        """Of the scheduler, in one of the networks."""
        return f"tcp://{host}:{self.port}"

    def begin(self) -> None:
        """Start the scheduler if there is none, at the same address as before."""
        if self.scheduler and self.scheduler.is_alive():
            return
        told = self.scratch / "scheduler.json"
        told.unlink(missing_ok=True)
        arguments = ("--host", "0.0.0.0", "--port", str(self.port), "--no-dashboard", "--scheduler-file", str(told))
        self.scheduler = self._start("scheduler", *arguments)
        end = time.monotonic() + LONGEST
        while not self.port or not told.exists():
            assert time.monotonic() < end, "no scheduler"
            time.sleep(0.05)
            with contextlib.suppress(OSError, ValueError):
                self.port = int(json.loads(told.read_text())["address"].rpartition(":")[2])

    def add(self, kind: str = "", folder: Path = Path(), host: str = "") -> Process:
        """One more worker, of some kind, perhaps in a network of its own."""
        arguments = ("--nthreads", "2" if kind == "threads" else "1", "--no-nanny", "--no-dashboard")
        where = (self.address(NEAR), "--host", host) if host else (self.address(),)
        before: list[Callable[[], object]] = [_enter_space] if host else []
        before.append(lambda: _late_worker(*where, *arguments) if kind == "clock" else _slow_worker(kind, folder))
        self.workers.append(self._start("worker", *where, *arguments, before=before))
        return self.workers[-1]

    def mend(self) -> None:
        """Scheduler and workers as many as there should be, all of them in order."""
        self.begin()
        self.workers = [worker for worker in self.workers if worker.is_alive()]
        while len(self.workers) < WORKERS:
            self.add()
        self.wait(WORKERS)

    def wait(self, count: int) -> None:
        """Until so many workers are known; asked by a child: this process must have no threads."""

        def ask() -> None:
            import distributed

            quick_to_notice()
            with distributed.Client(self.address(), timeout=LONGEST, set_as_default=False) as client:
                client.wait_for_workers(count, timeout=LONGEST)

        child = multiprocessing.get_context("fork").Process(target=ask)
        child.start()
        child.join(2.0 * LONGEST)
        assert child.exitcode == 0, "the cluster has too few workers"

    def remove(self, *which: Process) -> None:
        """SIGKILL some workers, all if none is named."""
        for worker in which or self.workers:
            worker.kill()
            worker.join()

    def end(self) -> None:
        """SIGKILL everything."""
        for process in (*self.workers, *([self.scheduler] if self.scheduler else [])):
            process.kill()
            process.join()


class Bench:
    """A cluster, a production, and what may happen to both."""

    def __init__(self, cluster: Cluster, folder: Path, rng: random.Random) -> None:
        self.cluster, self.folder, self.rng = cluster, folder, rng

    def start(self, *before: Callable[[], object], host: str = "127.0.0.1") -> Command:
        """The command, with what is done to its process first."""
        given = [*ARGUMENTS, "-o", str(self.folder), "--scheduler", self.cluster.address(host)]
        return Command(given, quick_to_notice, *before)

    def meet(self, command: Command, most: int = PARTITIONS - 5) -> None:
        """Wait until a random number of partitions is there."""
        wanted, end = self.rng.randint(1, most), time.monotonic() + LONGEST
        while command.running() and len(list(self.folder.glob("events-*.root"))) < wanted:
            assert time.monotonic() < end, "no work is done"
            time.sleep(0.002)
        time.sleep(self.rng.random() * SLOW)

    def finish(self, command: Command) -> tuple[int, str]:
        """Status and what was said: whole, or one line."""
        end = time.monotonic() + LONGEST
        while command.running() and time.monotonic() < end:
            time.sleep(0.01)
        if command.running():
            command.kill()
            command.finish()
            message = f"it hangs: after {LONGEST:.0f} s it has not ended"
            raise AssertionError(message)
        status, said = command.finish()
        lines = [line for line in said.splitlines() if line.startswith("mcgen: error: ")]
        assert "Traceback" not in said, said
        assert status == 0 or (status in (1, 2) and len(lines) == 1), (status, said)
        return status, said

    def worker(self) -> Process:
        """One of them."""
        return self.rng.choice([worker for worker in self.cluster.workers if worker.is_alive()])

    @staticmethod
    def signal(process: Process | None, number: int) -> None:
        """Send a signal."""
        assert process
        assert process.pid
        os.kill(process.pid, number)

    # what happens

    def nothing(self) -> tuple[int, str]:
        """For comparison."""
        return self.finish(self.start())

    def a_worker_is_killed(self) -> tuple[int, str]:
        """SIGKILL."""
        command = self.start()
        self.meet(command)
        self.cluster.remove(self.worker())
        return self.finish(command)

    def a_worker_stops_and_continues(self) -> tuple[int, str]:
        """SIGSTOP until the scheduler has given it up; then it goes on with what it had, and answers again."""
        command, worker = self.start(), self.worker()
        self.meet(command)
        self.signal(worker, signal.SIGSTOP)
        time.sleep(2.0 * SILENT)
        self.signal(worker, signal.SIGCONT)
        return self.finish(command)

    def a_worker_stops_for_good(self) -> tuple[int, str]:
        """SIGSTOP, with its lock in its hand."""
        command, worker = self.start(lambda: _hung(SILENT)), self.worker()
        self.meet(command)
        self.signal(worker, signal.SIGSTOP)
        try:
            return self.finish(command)
        finally:
            self.cluster.remove(worker)

    def all_workers_are_killed(self) -> tuple[int, str]:
        """And no new ones come."""
        command = self.start()
        self.meet(command)
        self.cluster.remove()
        return self.finish(command)

    def all_workers_are_replaced(self) -> tuple[int, str]:
        """Killed, and new ones started."""
        command = self.start(lambda: setattr(engines, "PATIENCE", LONGEST))
        self.meet(command)
        self.cluster.remove()
        self.cluster.workers = []
        for _ in range(WORKERS):
            self.cluster.add()
        return self.finish(command)

    def the_scheduler_is_killed(self) -> tuple[int, str]:
        """SIGKILL; workers of dask then end themselves."""
        command = self.start()
        self.meet(command)
        assert self.cluster.scheduler
        self.cluster.scheduler.kill()
        self.cluster.scheduler.join()
        return self.finish(command)

    def the_scheduler_stops(self) -> tuple[int, str]:
        """SIGSTOP: connections stay open and nobody answers."""
        command = self.start()
        self.meet(command)
        self.signal(self.cluster.scheduler, signal.SIGSTOP)
        try:
            return self.finish(command)
        finally:
            self.signal(self.cluster.scheduler, signal.SIGCONT)

    def the_command_is_killed(self) -> tuple[int, str]:
        """SIGKILL; the same command runs again at once, while workers are still at it."""
        command = self.start()
        self.meet(command)
        command.kill()
        command.finish()
        return self.finish(self.start())

    def the_command_is_interrupted(self) -> tuple[int, str]:
        """Ctrl-C, or the signal of a batch system."""
        command = self.start()
        self.meet(command)
        with contextlib.suppress(ProcessLookupError):
            os.kill(command.pid, self.rng.choice([signal.SIGINT, signal.SIGTERM]))
        end = time.monotonic() + LONGEST
        while command.running():
            assert time.monotonic() < end, "it does not heed the signal"
            time.sleep(0.01)
        status, said = command.finish()
        assert status in (0, 1), (status, said)
        assert "Traceback" not in said, said
        return status, said

    def two_commands_at_once(self) -> tuple[int, str]:
        """The same production asked for twice."""
        both = [self.start(), self.start()]
        ended = [self.finish(command) for command in both]
        assert [status for status, _ in ended] == [0, 0], ended
        return ended[0]

    def tasks_are_doubled(self) -> tuple[int, str]:
        """Every partition is given to the cluster twice, in another order."""
        make = engines.dask

        def doubled(scheduler: str) -> object:
            return lambda plan, folder, todo: make(scheduler)(plan, folder, [*todo, *reversed(todo)])

        return self.finish(self.start(lambda: setattr(engines, "dask", doubled)))

    def a_network_is_cut_and_mended(self) -> tuple[int, str]:
        """Of a worker in a network of its own."""
        with _space() as link:
            worker = self.cluster.add(host=FAR)
            self.cluster.wait(WORKERS + 1)
            command = self.start()
            self.meet(command)
            link("down")
            time.sleep(self.rng.choice([0.3, 2.0 * SILENT]))
            link("up")
            try:
                return self.finish(command)
            finally:
                self.cluster.remove(worker)

    def a_network_is_cut(self) -> tuple[int, str]:
        """Between the command and its scheduler."""
        with _space() as link:
            command = self.start(_enter_space, host=NEAR)
            self.meet(command)
            link("down")
            return self.finish(command)

    def a_worker_of(self, kind: str) -> tuple[int, str]:
        """A worker that is different from the others, and has its share of the work."""
        self.folder.mkdir(exist_ok=True)
        self.cluster.remove(*self.cluster.workers[2:])
        worker = self.cluster.add(kind, self.folder)
        self.cluster.wait(3)
        try:
            return self.finish(self.start())
        finally:
            self.cluster.remove(worker)
            self.folder.chmod(0o755)


#: workers that are different, and whether the production may be whole with them
KINDS = {
    "another version": False, "not there": False, "not the same": False, "read-only": False, "full": False,
    "clock": True, "other folder": True, "threads": True,
}  # fmt: skip


#: what only root can do
ROOT = ("a_network_is_cut_and_mended", "a_network_is_cut", "not there", "not the same", "read-only")


def _hung(seconds: float) -> None:
    files.HUNG = seconds


@contextlib.contextmanager
def _space() -> Iterator[Callable[[str], None]]:
    """A network of its own, connected by a cable that can be cut."""

    def ip(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True)

    near, far = f"m{os.getpid()}a"[-15:], f"m{os.getpid()}b"[-15:]
    ip("netns", "add", SPACE)
    try:
        ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", SPACE)
        ip("addr", "add", f"{NEAR}/24", "dev", near)
        ip("link", "set", near, "up")
        ip("-n", SPACE, "addr", "add", f"{FAR}/24", "dev", far)
        for device in (far, "lo"):
            ip("-n", SPACE, "link", "set", device, "up")
        yield lambda state: ip("link", "set", near, state)
    finally:
        subprocess.run(["ip", "link", "del", near], check=False, stderr=subprocess.DEVNULL)
        ip("netns", "del", SPACE)


def _enter_space() -> None:
    handle = os.open(f"/var/run/netns/{SPACE}", os.O_RDONLY)
    assert ctypes.CDLL(None).setns(handle, 0) == 0


def why_not() -> str:
    """Why this machine cannot do all of it; nothing if it can."""
    if os.getuid() != 0:
        return "networks and file systems of workers need root"
    tried = subprocess.run(["unshare", "-n", "-m", "true"], capture_output=True, check=False)
    return "" if shutil.which("ip") and tried.returncode == 0 else "network namespaces are not allowed here"


def complete(folder: Path) -> int:
    """Partitions under a final name; each is whole."""
    found = sorted(folder.glob("events-*.root"))
    for path in found:
        try:
            file = EventFile(path)
            assert file.content_sha256() == file.metadata["content_sha256"], f"{path}: other events"
        except InputError as error:
            message = f"half a file under a final name: {error}"
            raise AssertionError(message) from None
    return len(found)


def content(folder: Path) -> str:
    """Hash of a complete production as its events are now; nothing is left behind."""
    pool = load(folder)
    left = [path.name for path in folder.iterdir() if path.name.startswith(".")]
    assert not left, f"left behind: {left}"
    assert json.loads((folder / "manifest.json").read_text())["content_sha256"] == pool.content_sha256()
    assert len(pool) == PARTITIONS * EACH
    return pool.content_sha256()


#: what happens, by the name of its method
FAULTS = ["nothing", *(name for name in vars(Bench) if re.match("(a|all|the|two|tasks)_(?!worker_of)", name))]


def run(rounds: int, seed: int = 1, only: str = "") -> list[tuple[str, int, int]]:
    """Do it; fault, status and partitions there of each production.

    Raises
    ------
    AssertionError
        At the first one that is not what it should be.
    """
    found = []
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name).resolve()
        assert mcgen([*ARGUMENTS, "-o", str(scratch / "reference"), "--workers", "1", "--quiet"]) == 0
        wanted = content(scratch / "reference")
        cluster = Cluster(scratch)
        try:
            cluster.mend()
            for number in range(rounds):
                for fault in [one for one in (*FAULTS, *KINDS) if only in one and not (one in ROOT and why_not())]:
                    rng = random.Random(f"{seed} {number} {fault}")
                    home = scratch / f"{number}-{fault.replace(' ', '-')}"
                    home.mkdir()
                    bench = Bench(cluster, home / "production", rng)
                    began = time.monotonic()
                    status, said = bench.a_worker_of(fault) if fault in KINDS else getattr(bench, fault)()
                    took, there = time.monotonic() - began, complete(bench.folder)
                    assert KINDS.get(fault, True) or status != 0, f"{fault}: was not refused: {said}"
                    cluster.mend()
                    again, later = bench.finish(bench.start())
                    assert again == 0, f"{fault}: does not resume: {later}"
                    assert content(bench.folder) == wanted, f"{fault}: other events"
                    found.append((fault, status, there))
                    last = said.splitlines()[-1].replace(str(home), "") if said else ""
                    sys.stdout.write(f"{fault}: {took:.1f} s, status {status}, {there} of {PARTITIONS} there. {last}\n")
                    sys.stdout.flush()
                    shutil.rmtree(home)
        finally:
            cluster.end()
    return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="part of the name of a fault")
    given = parser.parse_args()
    if reason := why_not():
        sys.stdout.write(f"validation.cluster: without some of the faults, {reason}\n")
    run(given.rounds, given.seed, given.only)


if __name__ == "__main__":
    main()
