"""Productions: a folder of partitions, made by any number of processes and machines, resumed after any interruption.

`plan.json` says what is asked for and is written once. Every partition is an event file of its own and gets its
name when it is complete. So the files themselves say what is done: the next call looks at them and makes what is
missing. `manifest.json` is written when all are there and depends on them only.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import math
import os
import platform
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mcgen._version import __version__
from mcgen.base.errors import ClosureError, InputError, McgenError, refuse_if
from mcgen.base.files import claim, make_folder, overwriting, same_lines, write_json
from mcgen.campaign.manifest import MANIFEST, Manifest, Row, mark
from mcgen.card.card import Card, parse_card
from mcgen.events.formats.root import EventFile, quick_metadata, stored_metadata
from mcgen.events.meta import EventMeta
from mcgen.events.pool import Pooling
from mcgen.generation.generate import Options, open_writer, write
from mcgen.generation.normalisation import MAX_PULL, Prepared, prepare
from mcgen.source.source import source_of

PLAN = "plan.json"
#: largest plan in bytes: it is a card and a few numbers
MAX_PLAN = 10_000_000
#: most partitions of a production; each is one file
MAX_PARTITIONS = 1_000_000
#: partitions that are looked for one by one
_FEW = 1000
#: names in the folder of a production
_OURS = r"\.?(plan\.json|manifest\.json|events-\d+\.root)(\..*)?"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a production is asked for: the same plan gives the same events."""

    card: str
    mass_gev: float
    seed: int
    events: int
    partition_events: int
    options: Options
    mcgen_version: str = __version__

    def __post_init__(self) -> None:
        is_empty = self.events < 1 or self.partition_events < 1
        asked = f"{self.events} events in partitions of {self.partition_events}"
        fits = not is_empty and self.partitions <= MAX_PARTITIONS
        refuse_if(not fits, f"partition_events: {asked} are not 1 to {MAX_PARTITIONS} files")

    @property
    def partitions(self) -> int:
        """Number of partitions."""
        return -(-self.events // self.partition_events)

    def size(self, i: int) -> int:
        """Events of partition i."""
        return min(self.partition_events, self.events - i * self.partition_events)

    def path(self, folder: Path, i: int) -> Path:
        """File of partition i."""
        return folder / f"events-{i:06d}.root"

    @property
    def max_pull(self) -> float:
        """Pull at which a partition fails: as unlikely for the worst of all of them as MAX_PULL for one."""
        return math.sqrt(MAX_PULL**2 + 2.0 * math.log(self.partitions))

    def document(self) -> dict[str, Any]:
        """The plan as JSON."""
        return {"format": "mcgen production 1", **asdict(self), "options": self.options.document()}


def plan_of(
    card: Card, m_S: float | None, events: int | None, seed: int | None, partition_events: int, options: Options
) -> Plan:
    """The plan of a production; the card says what is not given.

    Parameters
    ----------
    card : Card
    m_S : float, optional
        Mass of S in GeV.
    events, seed : int, optional
    partition_events : int
        Events in each file but the last.
    options : Options
        What a file holds.

    Raises
    ------
    ThresholdError
        If S is too heavy to be made.
    """
    m_S = card.scalar.mass if m_S is None else m_S
    seed = card.run.seed if seed is None else seed
    source_of(card).check_mass(m_S)
    return Plan(card.text, m_S, seed, card.run.events if events is None else events, partition_events, options)


def read_plan(folder: Path) -> Plan:
    """The plan of a folder."""
    path = folder / PLAN
    try:
        refuse_if(path.stat().st_size > MAX_PLAN, f"{path}: larger than {MAX_PLAN} bytes")
        document = json.loads(path.read_text(encoding="utf-8"))
        fields = {field.name: document[field.name] for field in dataclasses.fields(Plan)}
        plan = Plan(**fields | {"options": Options.of(fields["options"])})
        parse_card(plan.card, f"in {path}")
    except OSError as error:
        message = f"folder {folder}: no production, {PLAN}: {error.strerror}"
        raise InputError(message) from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        message = f"{path}: damaged ({type(error).__name__}); the command that began the production repairs it"
        raise InputError(message) from None
    return plan


def _settle(plan: Plan, folder: Path) -> None:
    """Write the plan into a new folder, or check that it is the one of the folder."""
    make_folder(folder)
    document = plan.document()
    with claim(folder / PLAN, wait=True):
        try:
            found = read_plan(folder).document()
        except InputError:  # a lost or damaged plan is written anew: the partitions tell whether they belong to it
            _check_own(folder / PLAN)
            for path in folder.iterdir():
                if not re.fullmatch(_OURS, path.name):
                    message = f"folder {folder}: is not empty and holds no production of mcgen ({path.name})"
                    raise InputError(message) from None
            for i in range(plan.partitions):
                check_partition(plan, folder, i, verify=False)
            own = {plan.path(folder, i) for i in range(plan.partitions)}
            for path in folder.glob("events-*.root"):
                refuse_if(path not in own, f"file {path}: belongs to another production, of more partitions")
            with overwriting():  # replaces a damaged one
                write_json(folder / PLAN, document, same_lines)
            return
    for key, value in found.items():
        shown = "" if key == "card" else f" ({value} there, {document[key]} asked for)"
        refuse_if(document[key] != value, f"folder {folder}: holds a production with another {key}{shown}")


@functools.lru_cache(maxsize=2)
def _prepared(card: str, m_S: float, seed: int) -> Prepared:
    """The source of a plan; a process prepares it once for all its partitions."""
    return prepare(source_of(parse_card(card)), m_S, seed)


def make_partition(plan: Plan, folder: str | Path, i: int, wait: bool = False) -> int:
    """Make a partition, unless another process is making it; it takes one processor.

    Parameters
    ----------
    plan : Plan
    folder : path
    i : int
        Number of the partition.
    wait : bool
        Wait until the other process is done or dead, and then make what is missing.

    Returns
    -------
    int
        Events of the partition.
    """
    path = plan.path(Path(folder), i)
    other = f"mcgen {__version__} on {platform.node()}, and the production is of {plan.mcgen_version}"
    refuse_if(plan.mcgen_version != __version__, f"folder {folder}: {other}")
    with claim(path, wait) as mine:
        if mine and check_partition(plan, Path(folder), i, verify=True) is None:
            prepared = _prepared(plan.card, plan.mass_gev, plan.seed)
            first = i * plan.partition_events
            # a damaged file is replaced
            with overwriting(), open_writer(path, prepared.source.card, plan.mass_gev, plan.options) as writer:
                size = plan.size(i)
                made = write(prepared, size, writer.write, plan.options, first=first, workers=0, max_pull=plan.max_pull)
                writer.finish(made | {"production": _membership(plan, i)})
    return plan.size(i)


def _membership(plan: Plan, i: int) -> dict[str, Any]:
    return {"partition": i, "partitions": plan.partitions, "plan_sha256": _digest(plan)}


@functools.lru_cache(maxsize=2)
def _digest(plan: Plan) -> str:
    return hashlib.sha256(json.dumps(plan.document(), sort_keys=True).encode()).hexdigest()


def _names(folder: Path) -> set[str]:
    """What is in a folder, looked up at once: single questions take a hundred times as long over a network."""
    with os.scandir(folder) as entries:
        return {entry.name for entry in entries}


def _check_own(path: Path) -> None:
    """Refuse to write where a link leads: links are read, and what they lead to is not of this production."""
    refuse_if(path.is_symlink(), f"file {path}: is a link to what is damaged or missing, which is not replaced")


def _whole(path: Path, verify: bool) -> EventMeta | None:
    """Metadata of a file that is complete; None if its events are not those of the hash."""
    if not verify and (quick := quick_metadata(path, stored_metadata(path))) is not None:
        return quick
    file = EventFile(path)
    return file.metadata if not verify or file.content_sha256() == file.metadata["content_sha256"] else None


def check_partition(plan: Plan, folder: Path, i: int, verify: bool) -> EventMeta | None:
    """Metadata of a partition that is there and complete, else None.

    Parameters
    ----------
    plan : Plan
    folder : Path
    i : int
        Number of the partition.
    verify : bool
        Read its events and compare their hash.

    Raises
    ------
    InputError
        If it belongs to another production.
    """
    path = plan.path(folder, i)
    metadata = None
    with contextlib.suppress(InputError):
        metadata = _whole(path, verify) if path.exists() else None
    if metadata is None:
        _check_own(path)
        return None
    is_other = metadata.get("production") != _membership(plan, i)
    refuse_if(is_other, f"file {path}: belongs to another production (card, seed, version or options differ)")
    return metadata


Engine = Callable[[Plan, Path, Sequence[int]], Iterator[int]]


def serial(plan: Plan, folder: Path, todo: Sequence[int]) -> Iterator[int]:
    """Make partitions one after the other in this process; yields the events of each."""
    for i in todo:
        yield make_partition(plan, folder, i)


@dataclass(frozen=True, slots=True)
class Produced:
    """What is in a folder after a call."""

    plan: Plan
    made: list[int]  #: partitions made by this call
    damaged: list[int]  #: those of them that were there and not whole
    missing: list[int]  #: partitions that are not there yet
    metadata: EventMeta | None  #: of all events, once all are there


def produce(
    plan: Plan,
    folder: str | Path,
    *,
    partitions: Sequence[int] | None = None,
    engine: Engine = serial,
    verify: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Produced:
    """Make the partitions of a production that are missing, all or those that are asked for.

    Parameters
    ----------
    plan : Plan
    folder : path
        Made if missing; of this plan if not.
    partitions : sequence of int, optional
        Those this call is responsible for, as in a job array.
    engine : callable
        Who makes them: `serial`, or one of `mcgen.campaign.engines`.
    verify : bool
        Read the events that are there and compare their hash, instead of metadata and size alone.
    progress : callable, optional
        Called with the number of events that are there.

    Raises
    ------
    InputError
        If the folder holds something else.
    ClosureError
        If the events disagree with the quadrature.
    McgenError
        If a file that was there cannot be read any more, or a worker dies.
    """
    folder = Path(folder)
    _settle(plan, folder)
    known = Manifest.read(folder, plan.document(), plan.partitions)
    every = range(plan.partitions)
    asked = every if partitions is None else partitions
    names = _names(folder)

    unchanged = 0

    def is_whole(i: int) -> bool:
        nonlocal unchanged
        if plan.path(folder, i).name not in names:
            return False
        if known and not verify and _is_known(plan.path(folder, i), known.rows[i]):
            unchanged += 1
            return True
        return check_partition(plan, folder, i, verify) is not None

    todo = [i for i in asked if not is_whole(i)]
    damaged = [i for i in todo if plan.path(folder, i).name in names]
    done = sum(plan.size(i) for i in asked) - sum(plan.size(i) for i in todo)
    for events in engine(plan, folder, todo):
        done += events
        if progress:
            progress(done)
    for i in todo:
        if not plan.path(folder, i).exists():  # another process was making it, and may have been killed
            make_partition(plan, folder, i, wait=True)
    names = _names(folder)
    missing = [i for i in every if plan.path(folder, i).name not in names]
    if len(missing) < _FEW:  # a network may list files later than it has them
        missing = [i for i in missing if not plan.path(folder, i).exists()]
    if missing:  # those that are there are not opened: a thousand jobs would open a million files
        return Produced(plan, todo, damaged, missing, None)
    found = known if unchanged == plan.partitions else None
    if found is None:
        found, missing = _look_again(plan, folder, known)
    if lost := sorted({*missing} & {*asked}):
        message = f"folder {folder}: partition {lost[0]} cannot be read back; the same command resumes"
        raise McgenError(message)
    if found is not None:
        _finish(folder, found, known)
    return Produced(plan, todo, damaged, missing, found.whole if found else None)


def _is_known(path: Path, row: Row) -> bool:
    """Whether a partition is the very file that is in the manifest."""
    return row.stored != "" and row.stored == mark(stored_metadata(path))


def _look_again(plan: Plan, folder: Path, known: Manifest | None) -> tuple[Manifest | None, list[int]]:
    """What is in a folder once all partitions are there, or the partitions that cannot be read.

    The events of all are added up unless it is known that they are those of the manifest.
    """
    rows, lost, pooling = list[Row](), list[int](), Pooling()
    for i in range(plan.partitions):
        path = plan.path(folder, i)
        if known and _is_known(path, known.rows[i]):
            rows.append(known.rows[i])
            continue
        stored = stored_metadata(path)
        metadata = check_partition(plan, folder, i, verify=False)
        if metadata is None:
            lost.append(i)
            continue
        rows.append(Row.of(path, metadata, stored))
        if not known:
            pooling.add(metadata)
        elif rows[-1].content != known.rows[i].content:
            return _look_again(plan, folder, None)
    if lost:
        return None, lost
    return Manifest(plan.document(), known.whole if known else pooling.result(), rows), []


def _finish(folder: Path, found: Manifest, known: Manifest | None) -> None:
    """Compare all events with the quadrature, write the manifest, tidy up after killed processes."""
    whole = found.whole
    if not (abs(whole["pull"]) < MAX_PULL and whole["pull_t_worst"] < MAX_PULL):
        message = (
            f"folder {folder}: events disagree with the quadrature, pull {whole['pull']:.1f}; "
            f"worst pull in t {whole['pull_t_worst']:.1f}"
        )
        raise ClosureError(message)
    if found != known:
        with claim(folder / MANIFEST) as mine:
            if mine:
                _check_own(folder / MANIFEST)
                found.write(folder)
    left = (re.fullmatch(_OURS, name) for name in _names(folder) if name.startswith("."))
    for name in {match[1] for match in left if match}:
        with claim(folder / name, tidy=True):  # removes them
            pass
