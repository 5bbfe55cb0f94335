"""Commands of which one system call fails, each in turn and in every way that its manual page allows.

    python -m validation.calls                      all of it, up to an hour
    python -m validation.calls --only merge         some of the commands
    python -m validation.calls --sample 100         so many faults of each, the same in every run

strace says which calls a command makes on the files of its own folder. Then the command runs once for each call and
each error, which strace puts in place of the call; or it is killed there. The same command runs again, undisturbed.
The first must end with status 0 and the right files, or with one line; the second must leave what a run leaves that
nobody touched.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from validation.small_commands import CASES, FOREIGN, Bench, Child, Known, is_hidden

#: errors, and what they stand for
ERRORS = {
    "EACCES": "permissions changed",
    "EAGAIN": "too much memory is locked",
    "EBUSY": "another program uses it",
    "EDQUOT": "quota exhausted",
    "EFBIG": "limit of a file's size",
    "EINTR": "a signal",
    "EIO": "a bad sector, a lost server",
    "EINVAL": "a file system that cannot do it",
    "EMFILE": "limit of open files of the process",
    "EMLINK": "too many links",
    "ENFILE": "limit of open files of the machine",
    "ENOLCK": "a file system without locks",
    "ENOMEM": "no memory in the kernel",
    "ENOSPC": "disk full",
    "EPERM": "a file system that cannot do it, or forbids it",
    "EROFS": "the disk has become read-only after an error",
    "ESTALE": "a server has lost the file",
    "EXDEV": "another file system is mounted there",
    "retval=0": "nothing written, or the end of a file that was cut short",
    "signal=KILL": "killed there",
}
_MAKING = "EACCES EDQUOT EIO EMLINK ENOMEM ENOSPC EPERM EROFS"
_RENAMING = "EACCES EBUSY EDQUOT EIO ENOMEM ENOSPC EROFS EXDEV"
_REMOVING = "EACCES EBUSY EIO ENOMEM EPERM EROFS"
_LOOKING = "EACCES EIO ENOMEM ESTALE"
_READING = "EINTR EIO ESTALE retval=0"
_WRITING = "EDQUOT EFBIG EINTR EIO ENOSPC retval=0"
_MODES = "EIO EPERM EROFS"
#: what each call may answer, by section 2 of the manual and what network file systems add
CALLS = {
    "access": _LOOKING, "faccessat": _LOOKING, "faccessat2": _LOOKING,
    "stat": _LOOKING, "lstat": _LOOKING, "newfstatat": _LOOKING, "statx": _LOOKING, "fstat": "EIO ENOMEM ESTALE",
    "readlink": _LOOKING, "readlinkat": _LOOKING, "statfs": _LOOKING, "fstatfs": _LOOKING,
    "openat": "EACCES EINTR EIO EMFILE ENFILE ENOMEM ESTALE",
    "getdents64": "EIO ESTALE",
    "close": "EDQUOT EINTR EIO ENOSPC",
    "lseek": "EIO",
    "read": _READING, "pread64": _READING, "readv": _READING,
    "write": _WRITING, "pwrite64": _WRITING, "writev": _WRITING,
    "sendfile": "EINVAL EIO ENOMEM", "copy_file_range": "EIO EINVAL ENOMEM ENOSPC EXDEV",
    "mmap": "EACCES EAGAIN ENFILE ENOMEM",
    "fsync": "EDQUOT EINVAL EIO ENOSPC EROFS", "fdatasync": "EDQUOT EINVAL EIO ENOSPC EROFS",
    "ftruncate": "EFBIG EINTR EIO EPERM",
    "fallocate": "EFBIG EINTR EIO ENOSPC",
    "flock": "EINTR ENOLCK", "fcntl": "EINTR ENOLCK",
    "mkdir": _MAKING, "link": _MAKING, "linkat": _MAKING, "symlink": _MAKING,
    "rename": _RENAMING, "renameat": _RENAMING, "renameat2": _RENAMING + " EINVAL",
    "unlink": _REMOVING, "unlinkat": _REMOVING, "rmdir": _REMOVING,
    "chmod": _MODES, "fchmod": _MODES, "fchmodat": _MODES, "utimensat": _MODES, "chown": _MODES,
}  # fmt: skip
#: `openat` that makes a file
_CREATING = "EDQUOT ENOSPC EROFS"
#: calls at which a command is killed too: at others the disk is as at the next of these
CHANGING = {
    "write", "pwrite64", "writev", "sendfile", "copy_file_range", "fsync", "fdatasync", "ftruncate", "fallocate",
    "flock", "close", "mkdir", "link", "linkat", "symlink", "rename", "renameat", "renameat2", "unlink", "unlinkat",
    "rmdir", "chmod", "fchmod", "fchmodat",
}  # fmt: skip
REMOVING = ("unlink", "unlinkat", "rmdir")
#: calls of one name on one file that are tried: uproot seeks and writes hundreds of times
MOST = 4
#: calls whose answer nobody needs
IGNORED = ("ioctl", "fadvise64")
#: a call in the log of strace: process, name, arguments, answer
_LINE = re.compile(r"(\d+) +(\w+)\((.*?)(\) += .*| <unfinished \.\.\.>)$")


def why_not() -> str:
    """Why this machine cannot do it; nothing if it can."""
    if not shutil.which("strace"):
        return "strace is not installed"
    tried = subprocess.run(
        ["strace", "-qq", "-o", "/dev/null", "-e", "inject=fsync:error=EIO", "true"], capture_output=True, check=False
    )
    return "" if tried.returncode == 0 else "strace must not trace here (ptrace)"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to a call: the n-th of its name on a path, in any process of the command."""

    call: str
    path: str
    number: int
    how: str

    @property
    def injection(self) -> str:
        """As strace takes it."""
        how = self.how if "=" in self.how else f"error={self.how}"
        return f"inject={self.call}:{how}:when={self.number}"


@contextlib.contextmanager
def traced(child: Child, log: Path, *options: str) -> Iterator[None]:
    """A child that strace has attached itself to; it begins here, and strace has ended behind."""
    tracer = subprocess.Popen(["strace", "-f", "-qq", "-o", str(log), *options, "-p", str(child.pid)], stderr=-3)
    status = Path(f"/proc/{child.pid}/status")
    while "TracerPid:\t0" in status.read_text() and tracer.poll() is None:
        time.sleep(0.001)
    child.go()
    yield
    tracer.wait(120)


def calls_of(bench: Bench, known: Known) -> list[Fault]:
    """All that may happen to a command, of each call it makes on its files."""
    log = bench.scratch / "strace.log"
    bench.fill(known.before)
    child = Child(known.arguments, wait=True)
    with traced(child, log, "-y", "-s", "4096", "-e", "trace=%file,%desc"):
        status, said = child.finish()
    assert status == 0, said
    # the path of a descriptor, or one that is an argument and no text that is written
    within = re.compile(rf'(?:\d<|(?:^|[,>] )")({re.escape(str(bench.out))}(?:/[^>"\\:]*)?)[>"]')
    seen: Counter[tuple[str, str, str]] = Counter()
    found: dict[tuple[str, str], dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for line in log.read_text(errors="replace").splitlines():
        if not (match := _LINE.match(line)):
            continue
        process, call, arguments, _ = match.groups()
        paths = list(dict.fromkeys(within.findall(arguments)))
        if call in IGNORED or not paths or Path(paths[0]).name == FOREIGN:
            continue
        assert call in CALLS, f"what {call} may answer is in no list: {line}"
        for path in paths:  # strace counts a call for each path it names
            seen[process, call, path] += 1
        errors, changes = CALLS[call].split(), call in CHANGING
        if call == "openat" and "O_CREAT" in arguments:
            errors, changes = errors + _CREATING.split(), True
        found[call, paths[0]][seen[process, call, paths[0]]] |= {*errors, *(["signal=KILL"] if changes else [])}
    faults = [
        Fault(call, path, number, how)
        for (call, path), numbers in found.items()
        for number in _spread(sorted(numbers))
        for how in sorted(numbers[number])
    ]
    sizes = {len(content) for name, content in known.after.items() if content and name != FOREIGN}
    # what a command says goes into a file too, and needs some room
    limits = sorted({limit for size in sizes for limit in (size // 2, size - 1) if limit > 1000})
    return [*faults, *(Fault("any write", "", limit, "short") for limit in limits)]


def _spread(numbers: list[int]) -> list[int]:
    """At most `MOST` of some numbers, evenly spread, with both ends."""
    if len(numbers) <= MOST:
        return numbers
    return [numbers[round(i * (len(numbers) - 1) / (MOST - 1))] for i in range(MOST)]


@dataclass(slots=True)
class Outcome:
    """How a command and its repetition went."""

    fault: Fault
    ending: str  #: done, refused, killed, or not reached
    wrong: list[str] = field(default_factory=list)  #: sentences
    left: list[str] = field(default_factory=list)  #: temporary files behind the second run, as it is stated


def disturb(bench: Bench, known: Known, fault: Fault) -> Outcome:
    """Run a command with a fault, and again without."""
    log = bench.scratch / "strace.log"
    bench.fill(known.before)
    if fault.how == "short":
        limit = (fault.number, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
        status, said = Child(known.arguments, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit)).finish()
        reached, killed = True, False
    else:
        child = Child(known.arguments, wait=True)
        with traced(child, log, "-P", fault.path, "-e", f"trace={fault.call}", "-e", fault.injection):
            status, said = child.finish()
        text = log.read_text(errors="replace")
        reached, killed = "INJECTED" in text or "killed by SIGKILL" in text, fault.how == "signal=KILL"
    ending = "not reached" if not reached else "done" if status == 0 else "killed" if status < 0 else "refused"
    outcome = Outcome(fault, ending, list(bench.wrong(known, status, said, killed)))
    wrong, left = bench.again(known)
    outcome.wrong += wrong
    if left:
        inside = fault.path.removeprefix(f"{bench.out}/")
        of_removal = fault.call in REMOVING or (known.case.whole and is_hidden(inside))
        is_stated = (killed or of_removal) and not known.case.tidies
        (outcome.left if is_stated else outcome.wrong).append(f"left {', '.join(left)}")
    return outcome


def chosen(faults: list[Fault], sample: int | None) -> list[Fault]:
    """All, or so many of them at random, the same in every run."""
    return faults if sample is None or sample >= len(faults) else random.Random(1).sample(faults, sample)


def run(names: list[str], sample: int | None = None, verbose: bool = False) -> tuple[Counter[tuple[str, ...]], int]:
    """Disturb commands; returns how it went, counted by command, call and ending, and how many were wrong."""
    counts: Counter[tuple[str, ...]] = Counter()
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(Path(scratch).resolve())
        bench.begin()
        for name in names:
            began, known = time.monotonic(), bench.learn(name)
            every = calls_of(bench, known)
            faults = chosen(every, sample)
            for fault in faults:
                outcome = disturb(bench, known, fault)
                counts[name, fault.call, outcome.ending] += 1
                counts[name, fault.call, "left"] += bool(outcome.left)
                wrong += bool(outcome.wrong)
                if outcome.wrong or verbose:
                    where = fault.path.removeprefix(str(bench.out)) or "."
                    print(f"{name}: {fault.call} {where} {fault.number} {fault.how}: {outcome.ending}", flush=True)
                for text in outcome.wrong:
                    print(f"    {text}", flush=True)
            ended: Counter[str] = Counter()
            for (of, _, ending), number in counts.items():
                ended[ending] += number * (of == name)
            took = f"{time.monotonic() - began:.0f} s"
            print(f"{name}: {len(faults)} of {len(every)} faults, {dict(ended)}, {took}", flush=True)
    return counts, wrong


def table(counts: Counter[tuple[str, ...]], column: int) -> str:
    """Counts by command (0) or by call (1)."""
    endings = ("done", "refused", "killed", "not reached")
    shown = (*endings, "left")
    rows = {key[column]: Counter[str]() for key in counts}
    for key, number in counts.items():
        rows[key[column]][key[2]] += number
    lines = [
        " | ".join([name, str(sum(row[end] for end in endings)), *(str(row[what]) for what in shown)])
        for name, row in rows.items()
    ]
    return "\n".join([" | ".join(("what", "tried", *shown)), *lines])


def main() -> int:
    """The command line; status 1 if a command was not what it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[], help="parts of the names of commands")
    parser.add_argument("--sample", type=int, help="so many faults of each command")
    parser.add_argument("--verbose", action="store_true", help="say each fault")
    given = parser.parse_args()
    if reason := why_not():
        print(f"validation.calls: not done, {reason}")
        return 0
    names = [name for name in CASES if not given.only or any(part in name for part in given.only)]
    counts, wrong = run(names, given.sample, given.verbose)
    print(table(counts, 0), table(counts, 1), f"wrong: {wrong}", sep="\n\n")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
