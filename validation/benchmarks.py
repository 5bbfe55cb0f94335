"""Speed, precision and memory, each with its goal, beside an older version and what others reach.

    pip install '.[test,benchmark]'
    python -m validation.benchmarks --against 1a2185b --json validation/benchmarks.json

Both versions are measured in turn, in processes and with compiled code of their own. A figure is the median of its
rounds; the gain, how many times better it is than before, the median of the ratios of each round, with the smallest
and the largest. Machines differ and are shared: compare gains, not seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import platform
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from validation import assembly, roofline
from validation.figures.figure import FIGURES, Figure
from validation.figures.server import PARTS

ROOT = Path(__file__).parents[1]


class Version:
    """A process that measures the package in a folder.

    Parameters
    ----------
    package : path
        Folder that holds `mcgen`.
    cache : path
        Folder for its compiled code.
    """

    def __init__(self, package: Path, cache: Path) -> None:
        path = os.pathsep.join(map(str, (package, ROOT)))
        there = {"PYTHONPATH": path, "PYTHONSAFEPATH": "1", "NUMBA_CACHE_DIR": str(cache)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "validation.figures.server"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | there, cwd=cache,
        )  # fmt: skip

    def measure(self, name: str) -> float | str:
        """The value of a figure, or why it is missing."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(name + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return answer["value"] if "value" in answer else answer["missing"]

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


@contextlib.contextmanager
def versions(against: str | None) -> Iterator[list[Version]]:
    """The version of this folder, and the one of an older commit if there is one."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        packages = [ROOT]
        if against:
            packages.append(Path(folder) / "package")
            archive = subprocess.run(
                ["git", "-C", str(ROOT), "archive", against, "mcgen", "cards"], stdout=subprocess.PIPE, check=True
            )
            with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
                files.extractall(packages[1], filter="data")
        found = []
        for i, package in enumerate(packages):
            cache = Path(folder) / f"cache-{i}"
            cache.mkdir()
            found.append(Version(package, cache))
            stack.callback(found[-1].close)
        yield found


@dataclass
class Row:
    """What was measured of a figure; the second list is empty without an older version."""

    figure: Figure
    now: list[float] = field(default_factory=list)
    before: list[float] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)  #: why a version has no value

    @property
    def gains(self) -> list[float]:
        """How many times better than before, in each round."""
        return [self.figure.gain(*pair) for pair in zip(self.now, self.before, strict=False)]

    def cells(self) -> tuple[str, ...]:
        """The row of the table as text."""
        now, before = (
            f"{statistics.median(values):.3g}" if values else "missing" for values in (self.now, self.before)
        )
        gain = (
            f"{statistics.median(self.gains):.2f} ({min(self.gains):.2f}-{max(self.gains):.2f})" if self.gains else ""
        )
        goal = f"{self.figure.goal:g} " + ("yes" if self.now and self.figure.met(statistics.median(self.now)) else "NO")
        return self.figure.text, now, before, self.figure.unit, gain, goal, self.figure.peer

    def document(self) -> dict[str, Any]:
        """As JSON."""
        kept = {key: value for key, value in vars(self.figure).items() if key not in ("measure", "rounds")}
        return kept | {"now": self.now, "before": self.before, "missing": self.missing}


HEAD = "figure", "now", "before", "unit", "times better", "goal", "others"


def measured(figure: Figure, sides: list[Version], rounds: int) -> Row:
    """Measure a figure in each version in turn."""
    row = Row(figure)
    warm_up = figure.rounds > 1
    values = row.now, row.before
    for i in range(min(rounds, figure.rounds) + warm_up):
        for side, found in zip(sides, values, strict=False):
            value = side.measure(figure.name)
            if isinstance(value, str):
                row.missing.append(value)
                sides = [other for other in sides if other is not side]
            elif i or not warm_up:
                found.append(value)
    return row


def machine() -> dict[str, Any]:
    """Where the figures were measured."""
    found = {}
    for name in ("numpy", "numba", "uproot", "pyhepmc", "pylhe", "vegas"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    info = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in info if "model name" in line), "")
    return {"cpu": model, "cores": os.cpu_count(), "python": platform.python_version(), "versions": found}


def line(cells: tuple[str, ...]) -> str:
    """A row of the table for a terminal."""
    return "{:66} {:>9} {:>9} {:12} {:18} {:11} {}".format(*cells).rstrip()


def main() -> None:
    """Print the table; keep it as JSON if asked to."""
    for part in PARTS:
        import_module(f"validation.figures.{part}")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", metavar="REF", help="older commit to measure in turn with this version")
    parser.add_argument("--only", nargs="+", choices=FIGURES, metavar="FIGURE", help="some of: " + " ".join(FIGURES))
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each version")
    parser.add_argument("--json", type=Path, help="also write the table to this file")
    arguments = parser.parse_args()
    print(json.dumps(machine()))
    print(line(HEAD))
    rows = []
    with versions(arguments.against) as sides:
        for name in arguments.only or FIGURES:
            rows.append(measured(FIGURES[name], sides, arguments.rounds))
            print(line(rows[-1].cells()), flush=True)
    document: dict[str, Any] = {
        "machine": machine(),
        "against": arguments.against,
        "rows": [row.document() for row in rows],
    }
    if not arguments.only:
        stages = assembly.fresh()
        print("\nOperations of doubles in the machine code of the stages\n" + assembly.table(stages))
        cost, needs = roofline.needs()
        print("\nWhat a point needs at least, and takes\n" + roofline.table(cost, needs))
        document |= {"stages": list(map(vars, stages)), "cost_ns": cost, "needs": list(map(vars, needs))}
    if arguments.json:
        arguments.json.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
