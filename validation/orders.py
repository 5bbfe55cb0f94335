"""Commands and faults in orders that nobody thought of, on productions and on the files made from them.

    python -m validation.orders --steps 1000 --seed 1

A small model says which production each folder holds. After every step either the events are those of the model, each
once, or the command has refused in one line, with status 1 or 2, and all files are as they were.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import errno
import fcntl
import functools
import io
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from mcgen.base.errors import InputError
from mcgen.campaign.production import read_plan
from mcgen.cli import main
from mcgen.events.events import ContentHash
from mcgen.events.pool import load
from validation.faults import Command, largest_file

EACH = 300
NAMES = "abc"
ENDINGS = (".lhe", ".hepmc3", ".parquet", ".h5", ".csv", ".txt", ".root")
#: between steps of one machine
STEPS = 25


@dataclass(frozen=True)
class Asked:
    """What a production is asked for."""

    mass: str
    seed: int
    events: int

    @property
    def arguments(self) -> list[str]:
        """The command that generates it."""
        numbers = ["--mass", self.mass, "--seed", f"{self.seed}", "--events", f"{self.events}"]
        return ["generate", "fermilab", *numbers, "--partition-events", f"{EACH}"]


#: another number of events, another seed, another mass, and fewer partitions of other size than a full one
ALL = [Asked("100MeV", 1, 900), Asked("100MeV", 1, 1500), Asked("100MeV", 2, 900), Asked("50MeV", 1, 1000)]

ONE, ASKED = st.sampled_from(list(NAMES)), st.sampled_from(list(ALL))


@dataclass
class Site:
    """What the model knows of a folder or a file."""

    asked: Asked
    whole: bool = True  #: every event is there
    damaged: bool = False  #: somebody changed or cut a file


def finish(command: Command) -> tuple[int, str]:
    """Exit status and what it said: one line at most if it failed, and never a traceback."""
    status, said = command.finish()
    assert status in (0, 1, 2), (status, said)
    assert "Traceback" not in said, said
    refusals = [line for line in said.splitlines() if line.startswith("mcgen: error: ")]
    assert len(refusals) <= 1, said
    assert status == 0 or refusals or re.search(": (partition|its events)", said), (status, said)
    return status, said


def events_of(path: Path) -> str:
    """Hash of the events of a folder or a file as they are; InputError if a reader refuses them."""
    digest, events = ContentHash(), load(path)
    for chunk in events.iterate(events.branches):
        digest.update(chunk)
    return digest.hexdigest()


@functools.cache
def _scratch() -> Path:
    """Where the reference productions lie until this process ends."""
    folder = tempfile.TemporaryDirectory()
    _scratch.kept = folder  # type: ignore[attr-defined]
    return Path(folder.name)


def done_here(*arguments: str | Path) -> str:
    """What a command says in this process, which then has compiled and prepared for its children."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert main([*map(str, arguments), "--quiet"]) == 0, said.getvalue()
    return said.getvalue()


@functools.cache
def reference(asked: Asked) -> Path:
    """A production that nobody disturbs."""
    folder = _scratch() / f"{ALL.index(asked)}"
    done_here(*asked.arguments, "--workers", "1", "-o", folder)
    done_here("merge", folder, "-o", f"{folder}.root")
    return folder


@functools.cache
def expected(asked: Asked, ending: str = "") -> str:
    """Hash of the events of a production, or of what another format keeps of them."""
    source = reference(asked)
    if ending not in ("", ".root"):
        done_here("export", source, "-o", f"{source}{ending}")
    return content(source.with_name(source.name + ending))


def content(path: Path) -> str:
    """The same of what is there; of a table for other programs its bytes."""
    return path.read_text() if path.suffix in (".csv", ".txt") else events_of(path)


@functools.cache
def signals(asked: Asked) -> list[Any]:
    """What reweighting gives."""
    return _rows(done_here("reweight", f"{reference(asked)}.root", "--g-mu", "1e-4,1e-3", "--json"))


def _rows(said: str) -> list[Any]:
    return [[f"{value:.9g}" for value in row.values() if isinstance(value, float)] for row in json.loads(said)["rows"]]


class _Header(ctypes.Structure):
    _fields_: ClassVar = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


def bound_by_permissions() -> None:
    """Root without its capabilities: permission bits bind it like everybody else."""
    header = _Header(0x20080522, 0)
    assert ctypes.CDLL(None).capset(ctypes.byref(header), (ctypes.c_uint32 * 6)()) == 0


def late(seconds: float) -> Callable[[], None]:
    """Set the clock of a process."""
    now = time.time

    def set_clock() -> None:
        time.time = lambda: now() + seconds

    return set_clock


def without_locks() -> None:
    """A file system that knows no locks."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    fcntl.flock = refuse


class Orders(RuleBasedStateMachine):
    """A folder with productions and files made from them; the model is `sites` and `files`."""

    counts: ClassVar[Counter[str]] = Counter()
    faults: ClassVar[list[str]] = []

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="orders-"))
        self.sites: dict[str, Site] = {}
        self.files: dict[str, Asked] = {}

    def teardown(self) -> None:
        """Remove everything; keep what went wrong, for timing may be another one when hypothesis repeats it."""
        if isinstance(wrong := sys.exc_info()[1], AssertionError):
            self.faults.append(str(wrong))
        shutil.rmtree(self.root)

    def snapshot(self) -> dict[str, bytes]:
        """All files as they are."""
        return {str(p.relative_to(self.root)): p.read_bytes() for p in sorted(self.root.rglob("*")) if p.is_file()}

    def path(self, name: str) -> Path:
        """Of a site or a file."""
        return self.root / name

    def count(self, what: str, status: int | None = None) -> None:
        """Keep the tally of what was done."""
        self.counts["steps"] += 1
        self.counts[what if status is None else f"{what}: {'done' if status == 0 else 'refused'}"] += 1

    def is_whole(self, name: str, asked: Asked) -> None:
        """Check a production: its events, its manifest, and nothing left behind."""
        folder = self.path(name)
        assert events_of(folder) == expected(asked), f"{name}: other events"
        hidden = [path.name for path in folder.iterdir() if path.name.startswith(".")]
        assert not hidden, f"{name}: left behind {hidden}"
        manifest = json.loads((folder / "manifest.json").read_text())
        assert manifest["content_sha256"] == load(folder).content_sha256(), f"{name}: another manifest"
        self.sites[name] = Site(asked)

    def judge(self, name: str, asked: Asked, before: dict[str, bytes], ended: tuple[int, str], verify: bool) -> None:
        """Compare what an undisturbed generate has done with the model."""
        status, said = ended
        site = self.sites.get(name)
        if status == 0 and (site is None or not site.damaged or verify):
            assert site is None or site.asked == asked or site.damaged or not site.whole, (
                f"{name}: took another's place"
            )
            self.is_whole(name, asked)
        elif status == 0:
            self.right_or_refused(name, asked)
        else:
            assert self.snapshot() == before, f"{name}: refused, but files changed: {said}"
            assert site is not None, said
            assert site.asked != asked or site.damaged, f"{name}: refused its own production: {said}"

    def right_or_refused(self, name: str, asked: Asked) -> None:
        """Readers get the right events or one line."""
        try:
            found = events_of(self.path(name))
        except InputError as error:
            assert "\n" not in str(error), error  # noqa: PT017
            return
        assert found == expected(asked), f"{name}: a reader took damage for events"

    @rule(name=ONE, asked=ASKED, verify=st.booleans(), workers=st.sampled_from("111112"))
    def generate(self, name: str, asked: Asked, verify: bool, workers: str) -> None:
        """Begin, resume or repeat, with a number of workers."""
        before = self.snapshot()
        more = ["--verify"] if verify else []
        ended = finish(Command([*asked.arguments, "-o", str(self.path(name)), "--workers", workers, *more]))
        self.judge(name, asked, before, ended, verify)
        self.count("generate", ended[0])

    @rule(name=ONE, days=st.integers(-100, 100), verify=st.booleans(), locks=st.booleans())
    @precondition(lambda self: self.sites)
    def resume(self, name: str, days: int, verify: bool, locks: bool) -> None:
        """The production of a folder again, with the clock set to another day, perhaps without locks."""
        name = self.one(name)
        before, asked = self.snapshot(), self.sites[name].asked
        more = ["--verify"] if verify else []
        changes = [late(86400.0 * days), *([] if locks else [without_locks])]
        ended = finish(Command([*asked.arguments, "-o", str(self.path(name)), *more], *changes))
        self.judge(name, asked, before, ended, verify)
        self.count("resume", ended[0])

    def one(self, name: str) -> str:
        """A folder that is there."""
        return sorted(self.sites)[NAMES.index(name) % len(self.sites)]

    @rule(name=ONE, asked=ASKED, moment=st.integers(0, 400))
    def kill(self, name: str, asked: Asked, moment: int) -> None:
        """SIGKILL at a moment, in milliseconds."""
        folder, before = self.path(name), self.snapshot()
        command = Command([*asked.arguments, "-o", str(folder)])
        time.sleep(0.001 * moment)
        command.kill()
        command.finish()
        self.halfdone_here(name, asked, before)
        self.count("kill")

    def halfdone_here(self, name: str, asked: Asked, before: dict[str, bytes]) -> None:
        """After a command that was stopped: whole files of its own production are new, no other has changed."""
        site, folder = self.sites.get(name), self.path(name)
        mine = site is None or site.damaged
        after = self.snapshot()
        changed = [p for p in before if after.get(p) != before[p] and not (mine and p.startswith(f"{name}/"))]
        assert not [p for p in changed if not Path(p).name.startswith(".")], f"{name}: changed {changed}"
        if mine and folder.exists() and any(folder.iterdir()):
            begun = (folder / "plan.json").exists() and self.plan_is(folder, asked)
            if site is None or begun:
                self.sites[name] = Site(asked, whole=False, damaged=site is not None or not begun)

    @staticmethod
    def plan_is(folder: Path, asked: Asked) -> bool:
        """Whether the plan of a folder can be read and is of this production."""
        try:
            plan = read_plan(folder)
        except InputError:
            return False
        return (plan.mass_gev, plan.seed, plan.events) == (float(asked.mass[:-3]) / 1000.0, asked.seed, asked.events)

    @rule(name=ONE, asked=ASKED, limit=st.integers(500, 200_000))
    def full_disk(self, name: str, asked: Asked, limit: int) -> None:
        """No file can grow beyond a size."""
        before = self.snapshot()
        status, said = finish(Command([*asked.arguments, "-o", str(self.path(name))], largest_file(limit)))
        self.count("full disk", status)
        if status == 0:
            self.judge(name, asked, before, (status, said), verify=False)
            return
        hidden = [path for path in self.snapshot().keys() - before.keys() if Path(path).name.startswith(".")]
        assert not hidden, f"{name}: left behind {hidden}"
        self.halfdone_here(name, asked, before)

    @rule(name=ONE, asked=ASKED)
    @precondition(lambda self: self.sites)
    def read_only(self, name: str, asked: Asked) -> None:
        """A folder that cannot be written, and the one around it."""
        name, before = self.one(name), self.snapshot()
        folders = [self.path(name), self.root]
        for each in folders:
            each.chmod(0o555)
        folder = str(self.path(name))
        lines = [*asked.arguments, "-o", folder], ["merge", folder, "-o", f"{self.root}/new.root"]
        ended = [finish(Command(line, bound_by_permissions)) for line in lines]
        for each in folders:
            each.chmod(0o755)
        assert [status for status, _ in ended] == [2, 2], ended
        assert self.snapshot() == before, f"{name}: refused, but files changed: {ended}"
        self.count("read-only")

    @rule(name=ONE, asked=st.tuples(ASKED, ASKED))
    def two_at_once(self, name: str, asked: tuple[Asked, Asked]) -> None:
        """Two commands on one folder; of two productions one is refused."""
        before = self.snapshot()
        site = self.sites.get(name)
        commands = [Command([*each.arguments, "-o", str(self.path(name)), "--verify"]) for each in asked]
        ended = [finish(command) for command in commands]
        done = {each for each, (status, _) in zip(asked, ended, strict=True) if status == 0}
        if site is None or not site.damaged:
            assert len(done) == 1 if site is None or site.asked in asked else not done, ended
        for each in done:
            self.judge(name, each, before, (0, ""), verify=True)
        if not done:
            assert self.snapshot() == before, ended
        self.count("two at once")

    @rule(name=ONE, moment=st.integers(0, 300), asked=ASKED)
    def move_at_work(self, name: str, moment: int, asked: Asked) -> None:
        """A folder gets another name while a command fills it."""
        if name in self.sites or "moved" in self.sites:
            return
        command = Command([*asked.arguments, "-o", str(self.path(name))])
        time.sleep(0.001 * moment)
        moved = self.path(name).exists()
        if moved:
            self.path(name).rename(self.path("moved"))
        status, _ = finish(command)
        for each in (name, "moved"):
            if self.path(each).exists() and any(self.path(each).iterdir()):
                self.sites[each] = Site(asked, whole=False, damaged=not self.plan_is(self.path(each), asked))
                again = finish(Command([*asked.arguments, "-o", str(self.path(each))]))
                self.judge(each, asked, {}, again, verify=True)
        self.remove("moved")
        self.count("move at work", status)

    def remove(self, name: str) -> None:
        """A folder goes."""
        shutil.rmtree(self.path(name), ignore_errors=True)
        self.sites.pop(name, None)

    @rule(name=ONE, to=ONE, how=st.sampled_from(["copy", "move"]))
    @precondition(lambda self: self.sites)
    def copy_or_move(self, name: str, to: str, how: str) -> None:
        """Copy a folder, or give it another name; the one that was there goes."""
        name = self.one(name)
        if name == to:
            self.remove(name)
            self.count("remove")
            return
        self.remove(to)
        (shutil.copytree if how == "copy" else shutil.move)(self.path(name), self.path(to))
        site = self.sites[name] if how == "copy" else self.sites.pop(name)
        self.sites[to] = Site(site.asked, site.whole, site.damaged)
        self.count(how)

    @rule(
        name=ONE,
        number=st.integers(0, 20),
        how=st.sampled_from(["flip", "cut", "empty", "remove", "swap"]),
        share=st.floats(0.0, 1.0, exclude_max=True),
        bit=st.integers(0, 7),
    )
    @precondition(lambda self: self.sites)
    def damage(self, name: str, number: int, how: str, share: float, bit: int) -> None:
        """Flip a bit of a file, cut, empty or remove it, or put another one in its place."""
        name = self.one(name)
        files = sorted(path for path in self.path(name).iterdir() if path.name[0] != ".")
        if not files:
            return
        path = files[number % len(files)]
        data = bytearray(path.read_bytes())
        at = int(share * len(data))
        site = self.sites[name]
        if how == "remove":
            path.unlink()
            site.whole = False
            site.damaged |= path.name == "plan.json"
        elif how == "swap":
            if len(files) == 1:
                return
            shutil.copyfile(files[(number + 1) % len(files)], path)
            site.damaged = True
        elif data:
            if how == "flip":
                data[at] ^= 1 << bit
            path.write_bytes(data if how == "flip" else data[:at] if how == "cut" else b"")
            site.damaged = True
        self.count(f"damage: {how}")

    @rule(name=ONE, days=st.integers(-20_000, 20_000))
    @precondition(lambda self: self.sites)
    def date(self, name: str, days: int) -> None:
        """Files get another date, before or after today."""
        for path in self.path(self.one(name)).iterdir():
            os.utime(path, (time.time() + 86400.0 * days,) * 2)
        self.count("date")

    def output(self, source: str, ending: str, *arguments: str | Path, twice: bool = False) -> None:
        """A command that writes a file from a folder."""
        site, before = self.sites[source], self.snapshot()
        name = f"file{ending}"
        line = [*map(str, arguments), str(self.path(source)), "-o", str(self.path(name))]
        ended = [finish(command) for command in [Command(line) for _ in range(1 + twice)]]
        if all(status == 0 for status, _ in ended):
            assert self.files.get(name, site.asked) == site.asked, f"{name}: took another's place"
            assert content(self.path(name)) == expected(site.asked, ending), f"{name}: other events"
            self.files[name] = site.asked
        else:
            after = self.snapshot()
            assert all(after.get(path) == data for path, data in before.items()), f"{name}: files changed"
            fails = not site.whole or site.damaged or self.files.get(name, site.asked) != site.asked
            assert fails, f"{name}: refused what is whole: {ended}"
            assert after == before, f"{name}: left behind"
        self.count(arguments[0] if isinstance(arguments[0], str) else "output", max(status for status, _ in ended))

    @rule(name=ONE, twice=st.booleans())
    @precondition(lambda self: self.sites)
    def merge(self, name: str, twice: bool) -> None:
        """One file of a folder; perhaps two commands at once."""
        self.output(self.one(name), ".root", "merge", twice=twice)

    @rule(name=ONE, ending=st.sampled_from(ENDINGS[:-1]), twice=st.booleans())
    @precondition(lambda self: any(site.whole for site in self.sites.values()))
    def export(self, name: str, ending: str, twice: bool) -> None:
        """Another format; perhaps two commands at once."""
        name = self.one(name)
        if self.sites[name].whole:
            self.output(name, ending, "export", twice=twice)

    @rule(number=st.integers(0, 6))
    @precondition(lambda self: self.files)
    def tidy(self, number: int) -> None:
        """Remove a file that was made from a folder."""
        name = sorted(self.files)[number % len(self.files)]
        self.path(name).unlink()
        del self.files[name]
        self.count("remove a file")

    @rule(name=ONE)
    @precondition(lambda self: self.sites)
    def rerun(self, name: str) -> None:
        """Make a folder again and compare; nothing changes."""
        name, before = self.one(name), self.snapshot()
        site = self.sites[name]
        status, said = finish(Command(["rerun", str(self.path(name))]))
        assert self.snapshot() == before, f"{name}: rerun changed files"
        if site.whole and not site.damaged:
            assert (status, said.endswith(": the same")) == (0, True), said
        self.count("rerun", status)

    @rule(name=ONE)
    @precondition(lambda self: self.sites)
    def reweight(self, name: str) -> None:
        """Numbers from a folder."""
        name, before = self.one(name), self.snapshot()
        site = self.sites[name]
        status, said = finish(Command(["reweight", str(self.path(name)), "--g-mu", "1e-4,1e-3", "--json"]))
        assert self.snapshot() == before, f"{name}: reweight changed files"
        if status == 0 and site.whole:
            assert _rows(said[said.index("{") :]) == signals(site.asked), f"{name}: other numbers"
        assert status == 0 or site.damaged or not site.whole, said
        self.count("reweight", status)

    @rule(name=ONE)
    @precondition(lambda self: self.sites)
    def info(self, name: str) -> None:
        """Verify a folder."""
        name, before = self.one(name), self.snapshot()
        site = self.sites[name]
        status, said = finish(Command(["info", str(self.path(name)), "--verify"]))
        assert self.snapshot() == before, f"{name}: info changed files"
        assert status == 0 or site.damaged or not site.whole, said
        self.count("info", status)


def run(steps: int, number: int = 1, each: int = STEPS) -> Counter[str]:
    """Take about so many steps; raises at the first one whose outcome is not that of the model."""
    signals(ALL[0])
    for ending in ("", *ENDINGS):  # what all children need
        expected(ALL[0], ending)
    Orders.counts.clear()
    Orders.faults.clear()
    how = settings(
        max_examples=max(1, steps // each), stateful_step_count=each, phases=[Phase.generate], database=None,
        deadline=None, derandomize=False, suppress_health_check=list(HealthCheck), print_blob=False,
    )  # fmt: skip
    try:
        run_state_machine_as_test(seed(number)(type("Orders", (Orders,), {})), settings=how)
    except Flaky:
        assert not Orders.faults, Orders.faults[0]
        raise
    return Orders.counts


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for what, times in sorted(run(given.steps, given.seed).items()):
        sys.stdout.write(f"{what:24s} {times}\n")
