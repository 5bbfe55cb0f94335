"""Productions of very many partitions: how long and with how much memory commands find out what is there.

    python -m validation.partitions --count 100000

The folder is made by copying one true partition with the metadata of the others. Commands then run on it in processes
of their own: with all partitions there, with one or half of them missing, with and without the manifest. What decides
is stopped when it knows what it has to make.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uproot

from mcgen.campaign import engines
from mcgen.campaign.manifest import MANIFEST, Manifest, Row
from mcgen.campaign.production import Plan, make_partition, plan_of, produce
from mcgen.cli import main as mcgen
from mcgen.events.formats.root import METADATA, TREE, EventFile, stored_metadata
from mcgen.events.meta import EventMeta
from mcgen.events.pool import Pooling
from mcgen.generation.generate import Options
from mcgen.source.source import load_card

#: events of a partition: they cost disk here, and no time in what is measured
EACH = 10
_ROOM = 100


def plan(count: int) -> Plan:
    """The plan of a production of so many partitions."""
    options = Options(branches=("E_mu", "depth_cm", "S_E"))
    return plan_of(load_card("na64"), 0.01, count * EACH, 1, EACH, options)


def arguments(count: int, folder: Path) -> list[str]:
    """The command that makes it."""
    numbers = ["--mass", "10MeV", "--events", f"{count * EACH}", "--partition-events", f"{EACH}"]
    return ["generate", "na64", "-o", str(folder), *numbers, "--branches", "E_mu,depth_cm,S_E", "--workers", "1"]


def _typical(metadata: EventMeta) -> EventMeta:
    """Metadata whose sums are those expected, so that the pool of a hundred thousand copies has no pull."""
    value, spectrum = metadata["yield_quadrature"], metadata["t_spectrum"]
    squares = value * value / metadata["n_events"]
    binned = {key: [each * total for each in spectrum["expected"]]
              for key, total in (("sum_weights", value), ("sum_squares", squares))}  # fmt: skip
    sums = {"sum_weights": value, "yield_per_muon": value, "sum_squares": squares, "pull": 0.0}
    return metadata | sums | {"t_spectrum": spectrum | binned}


def fill(folder: Path, count: int) -> None:
    """Make what is missing of a production as one leaves it that is complete, from a single partition."""
    asked = plan(count)
    produce(asked, folder, partitions=[0])
    first = EventFile(asked.path(folder, 0))
    metadata = _typical(first.metadata)

    def of(i: int) -> EventMeta:
        """Metadata of a partition, with a hash of its own: no two hold the same events."""
        hashes = {name: hashlib.sha256(f"{name} {i}".encode()).hexdigest() for name in metadata["branch_sha256"]}
        own = {"first_event": i * EACH, "branch_sha256": hashes}
        return metadata | own | {"production": metadata["production"] | {"partition": i}}

    def text(i: int) -> bytes:
        return json.dumps(of(i).sealed()).encode()

    room = len(text(0)) + _ROOM
    template = folder / ".template.root"
    with uproot.recreate(template, compression=None) as file:
        columns = first.read().columns
        file.mktree(TREE, {name: column.dtype for name, column in columns.items()}).extend(columns)
        file[METADATA] = text(0).ljust(room).decode()
    data = bytearray(template.read_bytes())
    template.unlink()
    start = data.index(text(0).ljust(room))
    names = {path.name for path in folder.iterdir()}
    pooling, rows = Pooling(), []
    for i in range(count):
        path, part = asked.path(folder, i), of(i)
        if i == count // 3:  # the one that is removed later is a true one
            path.unlink(missing_ok=True)
            make_partition(asked, folder, i)
            part = EventFile(path).metadata
        elif path.name not in names or i == 0:
            data[start : start + room] = text(i).ljust(room)
            path.write_bytes(data)
        pooling.add(part)
        rows.append(Row.of(path, part, stored_metadata(path)))
    Manifest(asked.document(), pooling.result(), rows).write(folder)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command takes."""

    wall: float  #: s
    processor: float  #: s
    memory: float  #: largest, MB
    status: int

    def __str__(self) -> str:
        return f"{self.wall:6.1f} s, {self.processor:6.1f} s of processor, {self.memory:5.0f} MB, status {self.status}"


def cost(work: Callable[[], int]) -> Cost:
    """Do something in a new process, without what this one has in its memory."""
    began, told = time.monotonic(), tempfile.TemporaryFile()  # noqa: SIM115
    child = os.fork()
    if child == 0:
        os.dup2(told.fileno(), 1)
        os.dup2(told.fileno(), 2)
        status = 99
        try:
            status = work()
        except BaseException as error:
            sys.excepthook(type(error), error, error.__traceback__)
        finally:
            sys.stdout.flush()
            os._exit(status)
    _, status, used = os.wait4(child, 0)
    wall = time.monotonic() - began
    if os.waitstatus_to_exitcode(status) not in (0, 7):
        told.seek(0)
        sys.stderr.write(told.read().decode()[-2000:])
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1e3, os.waitstatus_to_exitcode(status))


def _decide(given: list[str]) -> int:
    """A command that ends when it knows what it has to make; status 7."""

    def engine(_plan: Plan, _folder: Path, _todo: object) -> object:
        os._exit(7)

    engines.processes = lambda _workers: engine  # type: ignore[assignment, return-value]
    return mcgen(given)


def _all(count: int, folder: Path) -> dict[str, Cost]:
    """Every measurement, by what it is of."""
    asked, given, found = plan(count), arguments(count, folder), {}

    def measure(what: str, work: Callable[[], int]) -> None:
        found[what] = cost(work)
        sys.stdout.write(f"{what:46s} {found[what]}\n")
        sys.stdout.flush()

    measure("generate, all there: decides", lambda: _decide(given))
    measure("generate, all there: to the end", lambda: mcgen(given))
    measure("generate --job 1/1000", lambda: mcgen([*given, "--job", "1/1000"]))
    asked.path(folder, count // 3).unlink()
    measure("generate, 1 missing: decides", lambda: _decide(given))
    measure("generate, 1 missing: to the end", lambda: mcgen(given))
    measure("info", lambda: mcgen(["info", str(folder), "--json"]))
    measure("reweight, until the first events", lambda: _start(["reweight", str(folder), "--g-mu", "1e-4"]))
    measure("merge, until the first events", lambda: _start(["merge", str(folder), "-o", f"{folder}.root"]))
    (folder / MANIFEST).unlink()
    measure("generate, no manifest: to the end", lambda: mcgen(given))
    (folder / MANIFEST).unlink()
    for i in range(1, count, 2):
        asked.path(folder, i).unlink()
    measure("generate, no manifest, half missing: decides", lambda: _decide(given))
    measure("generate --job 1/1000, half missing", lambda: mcgen([*given, "--job", "1/1000"]))
    return found


def _start(given: list[str]) -> int:
    """A command that ends when it reads the first events; status 7."""
    EventFile._chunks = lambda *_: os._exit(7)  # type: ignore[method-assign]
    return mcgen(given)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where to make it, and keep it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder, began = given.folder or Path(scratch) / "production", time.monotonic()
        # in a child: this process stays as small as a command that has just begun
        status = cost(lambda: fill(folder, given.count) or 0)
        sys.stdout.write(f"{given.count} partitions made in {time.monotonic() - began:.0f} s, {status}\n")
        _all(given.count, folder)


if __name__ == "__main__":
    main()
