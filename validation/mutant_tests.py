"""Which tests belong to a module, what each costs, and what they say of a changed copy of the package.

Everything happens in copies of the repository, one per worker. A process that has imported the packages of others
forks, and its child imports mcgen from the copy: a mutant that a quick test notices takes about a second.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import importlib.util
import json
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numba
import pytest

from validation.mutations import Mutant

ROOT = Path(__file__).parents[1]
PACKAGE = "mcgen"
#: what the tests read
COPIED = (PACKAGE, "tests", "validation", "cards", "docs", "pyproject.toml", "README.md", "CHANGELOG.md")
#: last name of a module: further files of tests, besides test_NAME.py and those that import it
FURTHER = {
    "_double_double": "amplitude mediator", "amplitude": "dirac phase_space mediator derivation",
    "atomic_data": "stopping_power multiple_scattering", "submit": "production", "reach": "yields crossings",
    "couplings": "scalar_decay hadrons", "cross_section": "mediator library", "csda_range": "stopping_power",
    "decays": "events export", "density_effect": "stopping_power", "energy_loss": "stopping_power target",
    "engines": "production", "kernel": "generate events lattice stages", "fiducial": "yields",
    "form_factor": "scalar_decay amplitude", "generate": "events files", "geometry": "window",
    "iww": "cross_section mediator", "kaon": "kaon constraints", "kinematics": "phase_space amplitude cross_section",
    "mediator": "dirac amplitude mediator", "muon_g2": "scalar_decay kaon constraints",
    "normalisation": "generate production target", "nuclear_shape": "form_factor",
    "four_momenta": "phase_space event_ratio", "photon_flux": "form_factor cross_section mediator",
    "pool": "production reading files", "precise_amplitude": "amplitude mediator", "rules": "cross_section",
    "radiative_loss": "stopping_power straggling", "rerun": "production", "lattice": "generate mediator",
    "scalar_decay": "scalar_decay hadrons mediator", "signal_yield": "yields crossings", "stopping_power": "straggling",
    "straggling": "yields", "thick_target": "kaon constraints beam", "track": "straggling target beam",
    "beam_nodes": "yields target beam straggling", "two_body": "phase_space export",
    "ww": "cross_section mediator derivation", "xsec": "cross_section mediator",
}  # fmt: skip
#: with numba and without: CPU seconds that a sound test may take, and that all tests of a mutant may take
TEST_LIMIT, BUDGET = {True: 20.0, False: 1.5}, {True: 60.0, False: 20.0}

#: by the clock, in units of TEST_LIMIT: others work on the machine, and a test may wait for processes of its own
PATIENCE = 10.0

#: added to the compiler of a copy: kernels that call nothing that has changed are read from where they are kept, also
#: by the processes that a test starts; without numba each kernel is its own Python function
_COMPILER = """

_compiled = jit


def jit(function):
    global cache_folder
    changed = function.__module__.split(".", 1)[1] in os.environ["MUTANT_CHANGED"].split()
    cache_folder = lambda: None if changed else Path(os.environ["MUTANT_KERNELS"])
    kernel = _compiled(function)
    if kernel is function:
        kernel.py_func = function
    return kernel
"""


class Verdict(NamedTuple):
    """What the tests say of a mutant."""

    killed: bool
    by: str  #: the test, and "time limit" where it never came to an end
    seconds: float


def modules() -> dict[str, Path]:
    """All modules of the package, by their names without the package's."""
    found = sorted((ROOT / PACKAGE).rglob("*.py"))
    named = {".".join(path.relative_to(ROOT / PACKAGE).with_suffix("").parts): path for path in found}
    return {name: path for name, path in named.items() if path.name != "__init__.py"}


@functools.cache
def _imports(path: Path) -> frozenset[str]:
    """Modules of the package that a file imports anywhere."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return frozenset(name.removeprefix(f"{PACKAGE}.") for name in found) & frozenset(modules())


@functools.cache
def above(module: str) -> frozenset[str]:
    """A module and all that import it, directly or through others."""
    found = {module}
    while more := {name for name, path in modules().items() if _imports(path) & found} - found:
        found |= more
    return frozenset(found)


@functools.cache
def files_of(module: str, compiled: bool) -> frozenset[str]:
    """Files of tests of a module: its namesake and those of the table; with numba those that import it, too."""
    name = module.split(".")[-1]
    stems = {f"test_{stem}" for stem in (name, *FURTHER.get(name, "").split())}
    every = sorted((ROOT / "tests").rglob("test_*.py"))
    found = {path for path in every if path.stem in stems or (compiled and module in _imports(path))}
    return frozenset(path.relative_to(ROOT).as_posix() for path in found)


class Copy:
    """A copy of the repository for one worker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in COPIED:
            target = folder / name
            if target.is_dir():
                shutil.rmtree(target)
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target)
        with (folder / PACKAGE / "base" / "jit.py").open("a", encoding="utf-8") as compiler:
            compiler.write(_COMPILER)
        #: kernels that do not depend on a mutant are kept for the next
        self.kernels = folder / f"kernels-{digest(folder)}"
        self.kernels.mkdir(exist_ok=True)
        self.alone: dict[tuple[str, bool], bool] = {}

    def child(self, plugin: Any, files: Iterable[str], compiled: bool, changed: frozenset[str]) -> Verdict:
        """Run files of tests with a plugin in a process of its own."""
        receiver, sender = multiprocessing.Pipe(duplex=False)
        context = multiprocessing.get_context("fork")
        child = context.Process(target=self._pytest, args=(plugin, sorted(files), compiled, changed, sender))
        child.start()
        sender.close()
        begun, last, said, limit = time.monotonic(), "", "", 900.0
        try:
            while not said and receiver.poll(max(0.0, begun + limit - time.monotonic())):
                kind, text = receiver.recv()
                last, said = (text, "") if kind == "begins" else (last, text)
        except EOFError:
            child.join()
            if last and child.exitcode not in (0, 1, 5):  # 5: no test was found
                endless = -(child.exitcode or 0) in _TIMES_UP
                said = f"{last}, time limit" if endless else f"{last}, exit {child.exitcode}"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid or 0, signal.SIGKILL)  # with what the tests have started
            child.join()
        return Verdict(bool(said), said, time.monotonic() - begun)

    def _pytest(
        self, plugin: Any, files: list[str], compiled: bool, changed: frozenset[str], sender: Connection
    ) -> None:
        os.setsid()
        os.chdir(self.folder)
        resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))
        log = os.open(self.folder / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for number in (1, 2):
            os.dup2(log, number)
        os.environ |= {"PYTHONPATH": str(self.folder), "NUMBA_CACHE_DIR": str(self.folder / "cache")}
        os.environ |= {"MUTANT_KERNELS": str(self.kernels), "MUTANT_CHANGED": " ".join(sorted(changed))}
        os.environ["NUMBA_DISABLE_JIT"] = "0" if compiled else "1"
        numba.config.DISABLE_JIT = not compiled
        for name in [name for name in sys.modules if name.split(".")[0] in (PACKAGE, "validation")]:
            del sys.modules[name]
        sys.path.insert(0, str(self.folder))
        plugin.sender = sender
        options = ["-q", "-n0", "--tb=no", "-p", "no:cacheprovider", f"--basetemp={self.folder / 'scratch'}"]
        options += ["-W", "ignore::pytest.PytestAssertRewriteWarning", *(["-x"] if plugin.stops else [])]
        if not compiled:  # what random numbers are made by
            options += ["-W", "ignore:overflow encountered in scalar:RuntimeWarning"]
        code = pytest.main([*options, *files], [plugin])
        sender.close()
        os._exit(int(code))

    def judge(self, mutant: Mutant, tests: dict[str, float], compiled: bool) -> Verdict:
        """What tests, {name: CPU seconds}, say of a mutant."""
        path = self.folder / PACKAGE / f"{mutant.module.replace('.', '/')}.py"
        original, stat = path.read_text(encoding="utf-8"), path.stat()
        begun = time.monotonic()
        while True:
            self._write(path, mutant.source)
            try:
                verdict = self._run(tests, compiled, above(mutant.module))
                test = verdict.by.split(", ")[0]
                # tests with processes of their own fail by chance on a busy machine: once more, alone
                again = test not in tests or not compiled or self._run({test: 60.0}, True, above(mutant.module)).killed
            finally:
                self._write(path, original)
                os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
            if not verdict.killed or (again and self._sound(test, compiled)):
                return verdict._replace(seconds=time.monotonic() - begun)
            tests = {name: t for name, t in tests.items() if name != test}

    def _sound(self, test: str, compiled: bool) -> bool:
        """Whether a test passes by itself without the mutant."""
        if (test, compiled) not in self.alone:
            self.alone[test, compiled] = "::" not in test or not self._run({test: 60.0}, compiled, frozenset()).killed
        return self.alone[test, compiled]

    def _run(self, tests: dict[str, float], compiled: bool, changed: frozenset[str]) -> Verdict:
        files = {name.split("::")[0] for name in tests}
        return self.child(_Judge(tests, compiled), files, compiled, changed) if tests else Verdict(False, "", 0.0)

    @staticmethod
    def _write(path: Path, source: str) -> None:
        path.write_text(source, encoding="utf-8")
        # its stamp has whole seconds: two mutants in one of them look the same
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)


#: signals that end a test by its CPU time and by the clock
_TIMES_UP = (signal.SIGPROF, signal.SIGALRM)


class _Judge:
    """Runs tests, the quick ones first, until one fails; an endless one ends the process."""

    stops = True
    sender: Connection

    def __init__(self, tests: dict[str, float], compiled: bool) -> None:
        self._tests, self._compiled = tests, compiled

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Keep the tests asked for, in order."""
        order = {name: i for i, name in enumerate(self._tests)}
        items[:] = sorted((i for i in items if i.nodeid in order), key=lambda i: order[i.nodeid])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Give the test ten times what it needs, and the time to compile; by the clock more, for it may wait."""
        self.sender.send(("begins", nodeid))
        limit = 10.0 * self._tests[nodeid] + (120.0 if self._compiled else 5.0)
        for timer, number, factor in ((signal.ITIMER_PROF, _TIMES_UP[0], 1.0), (signal.ITIMER_REAL, _TIMES_UP[1], 3.0)):
            signal.signal(number, signal.SIG_DFL)
            signal.setitimer(timer, factor * limit)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Say which test failed."""
        if report.failed:
            self.sender.send(("failed", report.nodeid))

    pytest_collectreport = pytest_runtest_logreport


class _Recorder:
    """Notes of every test of the sound package its CPU time and the functions it calls."""

    stops = False
    sender: Connection

    def __init__(self, copy: Copy, path: Path, compiled: bool) -> None:
        self._path, self._limit = path, TEST_LIMIT[compiled]
        self._prefix = f"{copy.folder / PACKAGE}{os.sep}"
        self._tests: dict[str, Any] = {}
        self._slow: set[str] = set()
        self._in_a_row = 0
        self._called: set[tuple[str, int]] = set()

    def _trace(self, frame: Any, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(self._prefix):
            self._called.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: Any) -> bool | None:
        """Leave out a test whose like took too long, and the rest of a file after five of them."""
        return True if self._in_a_row > 4 or item.nodeid.split("[")[0] in self._slow else None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Any:
        """Stop what takes too long to prepare."""
        with self._limited():
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self) -> Any:
        """Stop what takes too long."""
        with self._limited():
            return (yield)

    @contextlib.contextmanager
    def _limited(self) -> Iterator[None]:
        timers = (signal.ITIMER_PROF, signal.SIGPROF, 1.0), (signal.ITIMER_REAL, signal.SIGALRM, PATIENCE)
        for timer, number, factor in timers:
            signal.signal(number, self._stop)
            signal.setitimer(timer, factor * self._limit)
        try:
            yield
        finally:
            for timer, _, _ in timers:
                signal.setitimer(timer, 0.0)

    @staticmethod
    def _stop(*_: Any) -> None:
        pytest.fail("too slow")

    def pytest_runtest_logstart(self) -> None:
        """Begin to note."""
        self._called.clear()
        self._begun, self._clock = time.process_time(), time.monotonic()
        self._passed = False
        sys.settrace(self._trace)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """See what becomes of the test."""
        self._passed = report.passed if report.when == "call" else self._passed and report.passed

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Keep what passed in time."""
        sys.settrace(None)
        seconds, waited = time.process_time() - self._begun, time.monotonic() - self._clock
        if self._passed:
            called = sorted([file[len(self._prefix) :], line] for file, line in self._called)
            self._tests[nodeid] = {"seconds": seconds, "calls": called}
            self._in_a_row = 0
        elif seconds > self._limit or waited > PATIENCE * self._limit:
            self._slow.add(nodeid.split("[")[0])
            self._in_a_row += 1

    def pytest_sessionfinish(self) -> None:
        """Write it down."""
        self._path.write_text(json.dumps(self._tests), encoding="utf-8")


def digest(folder: Path, *files: str) -> str:
    """Mark of the package in a copy and of some files."""
    found = hashlib.sha256()
    for path in (*sorted((folder / PACKAGE).rglob("*.py")), *(folder / file for file in files)):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


def record(copy: Copy, file: str, compiled: bool, folder: Path) -> Path:
    """Where it is written what each test of a file costs and calls, measured unless that is known."""
    path = folder / f"{Path(file).stem}-{'compiled' if compiled else 'python'}-{digest(copy.folder, file)}.json"
    if not path.exists():
        copy.child(_Recorder(copy, path, compiled), [file], compiled, frozenset())
    if not path.exists():  # it crashed: no use to anybody
        path.write_text("{}", encoding="utf-8")
    return path


def tests_of(mutant: Mutant, known: dict[str, Any], compiled: bool) -> dict[str, float]:
    """{test: CPU seconds} for a mutant, the quick ones first; those that call its function before all others."""
    file, own = f"{mutant.module.replace('.', '/')}.py", files_of(mutant.module, compiled)
    first, last = mutant.place or (0, sys.maxsize)
    ranked = []
    for name, test in known.items():
        calls = any(where == file and first <= line <= last for where, line in test["calls"])
        if calls or (name.split("::")[0] in own and (compiled or mutant.place is None)):
            ranked.append((not calls, test["seconds"], name))
    chosen: dict[str, float] = {}
    for _, seconds, name in sorted(ranked):
        if sum(chosen.values()) + seconds < BUDGET[compiled]:
            chosen[name] = seconds
    return chosen
