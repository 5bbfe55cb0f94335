"""Small commands that write files, run again and again from one process that is warm, under a clock that stands still.

Each run of a command writes the same bytes. So what a disturbed run left behind is compared byte by byte.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import gc
import gzip
import itertools
import multiprocessing
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

from mcgen.cli import entry, main

#: of a folder: name -> bytes, None of a folder inside it
Tree = dict[str, bytes | None]
#: a file of somebody else that lies beside the outputs
FOREIGN = "beside.txt"
FOREIGN_TEXT = b"of somebody else\n"
#: the name that a file had first, in ROOT and gzip files
_TEMPORARY = re.compile(rb"(root|gz)\.0000000\d([.\0])")
#: seconds after which a command hangs
PATIENCE = 60.0
_MADE = ("generate", "fermilab", "--mass", "100MeV", "--workers", "1")
_GRID = ("grid", "--events", "IN/a.root", "--model", "A", "--workers", "1")


@dataclass(frozen=True, slots=True)
class Case:
    """A command; IN and OUT in its arguments are the folders of inputs and of outputs."""

    arguments: tuple[str, ...]
    before: tuple[str, ...] = ()  #: a command whose outputs this one replaces
    whole: str = ""  #: a folder that is there with all its files or not at all
    tidies: bool = False  #: removes what a killed run left


def _export(name: str, *more: str) -> Case:
    return Case(("export", "IN/a.root", "-o", f"OUT/{name}", *more))


def _production(workers: int) -> Case:
    asked = ("--events", "40", "--partition-events", "20", "--workers", str(workers))
    return Case((*_MADE[:-2], "-o", "OUT/p", *asked), tidies=True)


_HEPDATA = (*_GRID, "-o", "OUT/g.hepdata", "--g-mu")
CASES = {
    "production, 1 worker": _production(1),
    "production, 2 workers": _production(2),
    "merge": Case(("merge", "IN/a.root", "IN/b.root", "-o", "OUT/m.root")),
    "export .lhe": _export("a.lhe"),
    "export .lhe.gz": _export("a.lhe.gz"),
    "export .hepmc3": _export("a.hepmc3"),
    "export .hepmc3.zst": _export("a.hepmc3.zst"),
    "export NuHepMC": _export("a.hepmc3", "--layout", "nuhepmc"),
    "export .parquet": _export("a.parquet"),
    "export .csv (G4DarkBreM)": _export("a.csv"),
    "export .txt (FORESEE)": _export("a.txt"),
    "export .lheh5": _export("a.lheh5"),
    "export .root": _export("a.root", "--layout", "particles"),
    "export RNTuple": _export("a.root", "--rntuple"),
    "export --overwrite": Case(
        ("export", "IN/a.root", "-o", "OUT/a.lhe", "--overwrite"), before=("export", "IN/b.root", "-o", "OUT/a.lhe")
    ),
    "grid, table": Case((*_GRID, "-o", "OUT/g.csv", "--g-mu", "1e-5:1e-3:3:log")),
    "grid, figure": Case((*_GRID, "-o", "OUT/g.png", "--g-mu", "1e-5:1e-3:3:log")),
    "reach, table and figure": Case(
        ("reach", "--events", "IN/a.root", "--events", "IN/c.root", "--model", "A", "--workers", "1",
         "-o", "OUT/r.csv", "--plot", "OUT/r.svg")
    ),
    "HEPData": Case((*_HEPDATA, "1e-5,1e-4"), whole="g.hepdata"),
    "HEPData --overwrite": Case(
        (*_HEPDATA, "1e-5,1e-4", "--overwrite"), before=(*_HEPDATA, "1e-3"), whole="g.hepdata"
    ),
    "report": Case(("validate", "-o", "OUT/report", "--workers", "1")),
}  # fmt: skip


def _stop_clocks() -> None:
    """Time and identifiers that go into files do not change any more, in this process and its children."""
    from uproot.writing import _cascade, _cascadentuple, _cascadetree, writable

    import mcgen.generation.normalisation as normalisation

    then = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - as uproot takes it
    for module in (_cascade, _cascadentuple, _cascadetree):
        module.datetime = SimpleNamespace(datetime=SimpleNamespace(now=lambda: then))
    writable.recreate.defaults["uuid_function"] = lambda: uuid.UUID(int=1)
    gzip.time = SimpleNamespace(time=lambda: 0.0)
    normalisation.time = SimpleNamespace(time=lambda: 0.0, strftime=time.strftime, gmtime=time.gmtime)


def _shorten_report() -> None:
    """A report without what takes two minutes to compute; its page and tables are written as ever, and no figures."""
    from mcgen.report import paper, published, validate

    paper.quoted = functools.cache(paper.quoted)
    paper.references = paper.dumps = published.m3 = published.muon_collider_dumps = list
    validate._figures = validate._published = lambda *_: []
    validate._beyond = lambda *_: validate.Section("beyond", "<p></p>")


def tree(folder: Path) -> Tree:
    """What is in a folder."""
    return {
        path.relative_to(folder).as_posix(): _TEMPORARY.sub(rb"\1.00000000\2", path.read_bytes())
        if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }  # fmt: skip


def is_hidden(name: str) -> bool:
    """Whether a file is a temporary one, or in a folder that is."""
    return any(part.startswith(".") for part in name.split("/"))


class Child:
    """A command in a child of this process.

    Parameters
    ----------
    arguments : sequence of str
    prepare : callable, optional
        Called in the child before the command begins.
    wait : bool
        Wait at first until `go` is called.
    work : callable
        What it does with the arguments that stand in `sys.argv`.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        prepare: Callable[[], object] | None = None,
        wait: bool = False,
        work: Callable[[], object] = entry,
    ) -> None:
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - the child writes into it
        listening, self._start = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._start)
            self._run(arguments, prepare, listening, work)
        os.close(listening)
        if not wait:
            self.go()

    def _run(
        self, arguments: Sequence[str], prepare: Callable[[], object] | None, listening: int, work: Callable[[], object]
    ) -> NoReturn:
        status = 99
        try:
            for number in (1, 2):
                os.dup2(self._said.fileno(), number)
            sys.stdout = sys.stderr = open(1, "w", closefd=False)  # noqa: SIM115
            sys.argv = ["mcgen", *arguments]
            # names that are known beforehand
            tempfile._get_candidate_names = lambda: (f"{i:08d}" for i in itertools.count())  # type: ignore[attr-defined]
            forking = multiprocessing.get_context("fork")
            multiprocessing.get_context = lambda *_: forking  # type: ignore[assignment]
            # a worker that has its own process from the start heeds signals when it says so
            os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))
            if prepare:
                prepare()
            os.read(listening, 1)
            work()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        except BaseException as error:
            sys.excepthook(type(error), error, error.__traceback__)
            status = 1
        finally:
            with contextlib.suppress(OSError):
                sys.stdout.flush()
            os._exit(status)

    def go(self) -> None:
        """Begin."""
        os.close(self._start)

    def finish(self) -> tuple[int, str]:
        """Exit status, negative of a signal, and what it said."""
        end = time.monotonic() + PATIENCE
        while (found := os.waitpid(self.pid, os.WNOHANG))[0] == 0:
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                return 98, f"hangs for {PATIENCE:g} s"
            time.sleep(0.002)
        status = found[1]
        with self._said:
            self._said.seek(0)
            return os.waitstatus_to_exitcode(status), self._said.read().strip()


@dataclass(slots=True)
class Known:
    """What a command finds and leaves if nobody disturbs it."""

    case: Case
    arguments: list[str]
    before: Tree
    after: Tree
    #: what the second run makes of what the first one left: sentences of what is wrong, and temporary files
    later: dict[int, tuple[list[str], list[str]]] = field(default_factory=dict)


@dataclass(slots=True)
class Bench:
    """A folder for trials, a folder of inputs, and what each command leaves undisturbed."""

    scratch: Path
    known: dict[str, Known] = field(default_factory=dict)

    @property
    def out(self) -> Path:
        """Folder of outputs."""
        return self.scratch / "out"

    def begin(self) -> None:
        """Stop the clocks and make the inputs."""
        _stop_clocks()
        _shorten_report()
        inputs = self.scratch / "in"
        inputs.mkdir()
        for name, seed, mass in (("a", "1", "100MeV"), ("b", "2", "100MeV"), ("c", "1", "50MeV")):
            path = inputs / f"{name}.root"
            asked = ["--mass", mass, "--events", "20", "--seed", seed, "--decays", "-o", str(path)]
            assert main(["generate", "fermilab", *asked, "--workers", "1", "--quiet"]) == 0

    def _filled(self, arguments: Sequence[str]) -> list[str]:
        places = {"IN": self.scratch / "in", "OUT": self.out}
        return [
            f"{places[head]}/{rest}" if (head := text.partition("/")[0]) in places and (rest := text[len(head) + 1 :])
            else text
            for text in arguments
        ]  # fmt: skip

    def fill(self, found: Tree) -> None:
        """Make the folder of outputs anew with a content."""
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir()
        for name, content in found.items():
            if content is None:
                (self.out / name).mkdir()
            else:
                (self.out / name).write_bytes(content)

    def learn(self, name: str) -> Known:
        """Run a command undisturbed: first here, so that its children find all that is loaded and compiled."""
        case = CASES[name]
        arguments = self._filled(case.arguments)
        self.fill({FOREIGN: FOREIGN_TEXT})
        if case.before:
            assert Child(self._filled(case.before)).finish()[0] == 0, name
        before = tree(self.out)
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123
            shown, sys.stdout = sys.stdout, nowhere
            try:
                assert main([*arguments, "--quiet"]) == 0, name
            finally:
                sys.stdout = shown
        gc.collect()
        gc.freeze()  # children share what is loaded
        left = []
        for _ in range(2):
            self.fill(before)
            status, said = Child(arguments).finish()
            assert status == 0, f"{name}: {said}"
            left.append(tree(self.out))
        assert left[0] == left[1], f"{name}: two runs differ in {[k for k in left[0] if left[0][k] != left[1].get(k)]}"
        assert not any(map(is_hidden, left[0])), f"{name}: leaves {sorted(filter(is_hidden, left[0]))}"
        self.known[name] = Known(case, arguments, before, left[0])
        return self.known[name]

    def wrong(self, known: Known, status: int, said: str, killed: bool) -> Iterator[str]:
        """What is wrong with what a disturbed command left: nothing, or one sentence each."""
        found = tree(self.out)
        shown = {name: content for name, content in found.items() if not is_hidden(name)}
        if status == 0:
            if shown != known.after:
                yield f"status 0, but {_differing(shown, known.after)}"
        elif not (killed and status < 0):
            lines = said.splitlines()
            errors = [line for line in lines if line.startswith("mcgen: error: ")]
            if status not in (1, 2) or len(errors) != 1 or not all(line.startswith("mcgen: ") for line in lines):
                yield f"status {status}, says {said[-600:]!r}"
        for name, content in shown.items():
            if content is not None and content not in (known.before.get(name), known.after.get(name)):
                yield f"{name} has a content of its own"
        for name in known.before:
            if name not in found:
                yield f"{name} is gone"
        if known.case.whole:
            parts = [
                {k: v for k, v in t.items() if k.startswith(known.case.whole)}
                for t in (shown, known.before, known.after)
            ]
            if parts[0] not in parts[1:]:
                yield f"{known.case.whole} is half there"

    def again(self, known: Known) -> tuple[list[str], list[str]]:
        """What is wrong after the same command ran again undisturbed, and the temporary files that it left.

        It is run once for each content that it finds.
        """
        key = hash(frozenset(tree(self.out).items()))
        if key not in known.later:
            status, said = Child(known.arguments).finish()
            found = tree(self.out)
            hidden = list(filter(is_hidden, found))
            shown = {name: content for name, content in found.items() if not is_hidden(name)}
            wrong = [f"again: status {status}, says {said[-600:]!r}"] if status else []
            if not status and shown != known.after:
                wrong = [f"again: {_differing(shown, known.after)}"]
            known.later[key] = wrong, hidden
        return known.later[key]


def _differing(found: Tree, wanted: Tree) -> str:
    return ", ".join(
        f"{name} is {'missing' if name not in found else 'too much' if name not in wanted else 'another'}"
        for name in sorted({*found, *wanted})
        if found.get(name, 0) != wanted.get(name, 0)
    )
