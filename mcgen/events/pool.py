"""Several event files of one card as one: partitions of a production, or runs with different seeds.

Each file is normalised to its own events: the sum of its weights is the yield. In the pool a file of n_i of N events
has its weights multiplied by n_i/N, so that the sum over the pool is the yield again.
"""

from __future__ import annotations

import hashlib
import math
import warnings
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from mcgen.base.errors import ClosureError, InputError, McgenWarning, refuse_if
from mcgen.base.estimate import share_pulls
from mcgen.base.files import at_stake, check_input, check_output, overwriting, refuse
from mcgen.card.card import Card, parse_card
from mcgen.events import exposure
from mcgen.events.branches import PARTS, Columns
from mcgen.events.events import STEP, ContentHash, Readable
from mcgen.events.foreign_pool import ForeignPool
from mcgen.events.formats import load as load_file
from mcgen.events.formats.root import EventFile, event_writer, quick_metadata, stored_metadata
from mcgen.events.formats.stored import StoredEvents
from mcgen.events.formats.text import COMPRESSIONS
from mcgen.events.meta import EventMeta
from mcgen.source.source import CardLike, load_card, source_of

#: what files of one pool agree in
_COMMON = (
    "mass_gev",
    "mcgen_version",
    "mediator",
    "model",
    "reference_g_mu",
    "unweighted",
    "decays",
    "decay_law",
    "options",
    "weights",
)
#: numbers of a file that the pool needs, besides those of events
_SUMMED = ("yield_per_muon", "yield_error", "norm_relative_error", "sum_weights", "sum_squares")
#: of the spectrum of t
_BINS = 15
#: ending of the event files in a folder, in upper or lower case
ENDING = ".root"
#: the same of files of other generators, perhaps compressed
TEXT_ENDINGS = (".lhe", ".hepmc", ".hepmc3", ".hepmc2", ".csv")


def _unique(paths: Iterable[str | Path]) -> list[Path]:
    """Each file once, whatever links lead to it."""
    folders: dict[Path, Path] = {}
    found: dict[Path, Path] = {}
    for path in map(Path, paths):
        if path.parent not in folders:
            folders[path.parent] = path.parent.resolve()
        found[path.resolve() if path.is_symlink() else folders[path.parent] / path.name] = path
    return list(found.values())


def _card(metadata: EventMeta, path: Path) -> dict[str, Any]:
    """The card of a file, as it can be compared, with a mass that it can make."""
    card = parse_card(str(metadata["card"]), f"of {path}")
    source_of(card).check_mass(metadata.m_S, f"mass of {path}")
    return card.model_dump()


def ranges(metadata: EventMeta) -> list[tuple[int, int, int]]:
    """(seed, first, last + 1) of the events in a file, of several if it was merged."""
    return [(run["seed"], run["first_event"], run["first_event"] + run["n_events"]) for run in metadata.runs]


#: branches of which no two events have the same number
_OWN = ("x", "tau", *(f"S_{part}" for part in PARTS))


class Pooling:
    """Metadata of several files, taken up one by one and kept in numbers: there may be a hundred thousand.

    The error of the normalisation is common to all events of one seed, and independent for different seeds: it falls
    with the number of seeds, not with the number of events.
    """

    def __init__(self) -> None:
        self._first: EventMeta | None = None
        self._numbers = array("d")  #: of each file, as `_row` gives them
        self._runs: list[tuple[int, int, float]] = []  #: seed, events, relative error of the normalisation
        self._merged: list[dict[str, Any]] = []
        self._digest = hashlib.sha256()
        self._hashes: set[str] = set()  #: of a branch of which no two events have the same number, one of each file
        self._hashed = self._events = self._trials = 0

    def add(self, part: EventMeta) -> None:
        """Take up the next file."""
        self._first = self._first or part
        spectrum = part["t_spectrum"]
        numbers = (part[key] for key in _SUMMED)
        self._numbers.extend((part.n_events, *numbers, *spectrum["sum_weights"], *spectrum["sum_squares"]))
        for run in part.runs:
            _join(self._merged, run)
            _join_runs(self._runs, run)
        self._digest.update(part["content_sha256"].encode())
        hashes = part.get("branch_sha256", {})
        own = [hashes[name][:16] for name in _OWN if name in hashes][:1]
        self._hashes.update(own)
        self._hashed += len(own)
        self._events, self._trials = self._events + part.n_events, self._trials + part["trials"]

    def result(self) -> EventMeta:
        """Metadata of all together; ClosureError if two files hold the same events under different numbers."""
        first, n = self._first, self._events
        again = self._hashed - len(self._hashes)
        refuse_if(again > 0, f"{again} of {self._hashed} files repeat the events of another", ClosureError)
        assert first is not None, "no files"
        rows = np.frombuffer(self._numbers).reshape(-1, 1 + len(_SUMMED) + 2 * _BINS)
        share = rows[:, 0] / n
        column = dict(zip(_SUMMED, rows.T[1:], strict=False))
        value = math.fsum(share * column["yield_per_muon"])
        norm: dict[int, float] = {}
        for seed, events, relative in self._runs:
            norm[seed] = norm.get(seed, 0.0) + events / n * relative
        of_norm = column["norm_relative_error"] * column["yield_per_muon"]
        own = np.maximum(0.0, column["yield_error"] ** 2 - of_norm**2)
        norm_error = math.hypot(*norm.values())
        error = math.hypot(math.sqrt(math.fsum(share * share * own)), norm_error * value)
        sums = {
            "sum_weights": math.fsum(share * column["sum_weights"]),
            "sum_squares": math.fsum(share * share * column["sum_squares"]),
        }
        left_out = ("branch_sha256", "production")
        common = EventMeta((key, given) for key, given in first.items() if key not in left_out)
        if "exposure" in common:  # files of older versions have none
            nuclei = common["exposure"]["nuclei_per_cm2"]
            common["exposure"] = common["exposure"] | exposure.mean_cross_section(nuclei, value, error)
        return common | {
            "n_events": n,
            "norm_relative_error": norm_error,
            **sums,
            **({key: value for key in ("yield_per_muon", "yield_pb") if key in first}),
            "yield_error": error,
            "pull": (value - first["yield_quadrature"]) / error if error > 0.0 else 0.0,
            **_t_spectrum(first["t_spectrum"], share, rows[:, 1 + len(_SUMMED) :], sums),
            "trials": self._trials,
            "unweighting_efficiency": n / self._trials,
            "merged": self._merged,
            "content_sha256": self._digest.hexdigest(),
        }


def _join(joined: list[dict[str, Any]], run: dict[str, Any]) -> None:
    """Add a run, to its neighbour if that comes before it: a thousand partitions are one run."""
    last = joined[-1] if joined else None
    if last and (run["seed"], run["first_event"]) == (last["seed"], last["first_event"] + last["n_events"]):
        joined[-1] = last | {"n_events": last["n_events"] + run["n_events"]}
    else:
        joined.append(run)


def _join_runs(runs: list[tuple[int, int, float]], run: dict[str, Any]) -> None:
    """Add a run, to the last one if it is of the same seed and error."""
    seed, events, relative = run["seed"], run["n_events"], run["norm_relative_error"]
    if runs and (runs[-1][0], runs[-1][2]) == (seed, relative):
        events += runs.pop()[1]
    runs.append((seed, events, relative))


def _t_spectrum(
    first: dict[str, Any], share: NDArray[np.float64], bins: NDArray[np.float64], total: dict[str, float]
) -> dict[str, Any]:
    """The bins of t of all files, and their pulls: what one file is too small to show."""
    sums = np.array([math.fsum(share * column) for column in bins.T[:_BINS]])
    squares = np.array([math.fsum(share * share * column) for column in bins.T[_BINS:]])
    expected = np.array(first["expected"]), np.array(first["expected_error"])
    pulls = share_pulls(sums, squares, total["sum_weights"], total["sum_squares"], *expected)
    return {
        "t_spectrum": first | {"sum_weights": sums.tolist(), "sum_squares": squares.tolist()},
        "pull_t_worst": float(max(np.abs(pulls), default=0.0)),
        "pull_t_rms": float(np.sqrt(np.mean(pulls**2))) if pulls.size else 0.0,
    }


class IncompleteWarning(McgenWarning):
    """A folder holds fewer partitions than its production is of."""


class _Part(Readable):
    """A file of a pool, its weights scaled to its share; it is opened when it is read.

    Its metadata are those of the first file of its seed.
    """

    def __init__(self, path: Path, common: EventMeta, branches: list[str], n: int, share: float) -> None:
        self.path, self.metadata, self.branches, self._n, self._share = path, common, branches, n, share

    def __len__(self) -> int:
        return self._n

    def iterate(self, names: Sequence[str], step: int = STEP) -> Iterator[Columns]:
        """Chunks of the named branches."""
        file = load_file(self.path)
        refuse_if(len(file) != self._n, f"file {self.path}: was changed since the pool was opened")
        weights = {"weight", *self.metadata.weights}
        for chunk in file.iterate(names, step):
            yield chunk | {name: self._share * chunk[name] for name in weights.intersection(chunk)}


class _Files(Sequence[StoredEvents]):
    """Files, each opened when it is asked for: a hundred thousand open ones would take gigabytes."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, i: int) -> StoredEvents: ...

    @overload
    def __getitem__(self, i: slice) -> list[StoredEvents]: ...

    def __getitem__(self, i: int | slice) -> StoredEvents | list[StoredEvents]:
        return load_file(self.paths[i]) if isinstance(i, int) else [load_file(path) for path in self.paths[i]]


class _Seen(NamedTuple):
    """What a pool keeps of a file."""

    ranges: list[tuple[int, int, int]]
    path: Path
    n_events: int


class Pool(Readable):
    """Event files of one card, read one after the other.

    Raises
    ------
    InputError
        If a file cannot be used, is of another card, mass, version or kind, or holds events of another one.
    """

    def __init__(self, paths: Sequence[str | Path]) -> None:
        refuse_if(not paths, "no event files")
        seen, seeds, partitions, self.metadata = self._look(_unique(paths))
        if (order := sorted(seen)) != seen:  # by seed and number, whatever their names are
            seen, seeds, partitions, self.metadata = self._look([one.path for one in order])
        self.files = _Files([one.path for one in seen])
        #: partitions that the production of these files should have and that are not among them
        self.missing = partitions - len(seen) if partitions else 0
        self.path = seen[0].path.parent
        first = load_file(seen[0].path)
        self.branches = first.branches
        #: normalised, to be added up one by one
        self.parts = [
            _Part(one.path, seeds[one.ranges[0][0]], self.branches, one.n_events, one.n_events / len(self))
            for one in seen
        ]

    @classmethod
    def _look(cls, paths: Sequence[Path]) -> tuple[list[_Seen], dict[int, EventMeta], int, EventMeta]:
        """Each file, the metadata of one file of each seed, partitions there should be, and metadata of all."""
        pooling, seeds, seen, partitions = Pooling(), dict[int, EventMeta](), list[_Seen](), [0]
        first: EventMeta | None = None
        for path in paths:
            found = quick_metadata(path, stored_metadata(path)) or load_file(path).metadata
            if "t_spectrum" not in found:
                message = f"file {path}: events of another generator or version cannot be pooled"
                raise InputError(message)
            if first is None:
                first = found
                card = _card(found, path)
            for key in ("card", *_COMMON):
                if found.get(key) != first.get(key) and (key != "card" or _card(found, path) != card):
                    message = f"file {path}: its {key} is not that of {paths[0]}"
                    raise InputError(message)
            pooling.add(found)
            own = ranges(found)
            seeds.setdefault(own[0][0], found)
            partitions.append(int(found.get("production", {}).get("partitions", 0)))
            seen.append(_Seen(own, path, found.n_events))
        cls._check_overlap(seen)
        is_production = min(partitions[1:]) > 0
        return seen, seeds, max(partitions) if is_production else 0, pooling.result()

    @staticmethod
    def _check_overlap(seen: Sequence[_Seen]) -> None:
        every = sorted((*one, file.path) for file in seen for one in file.ranges)
        for (seed, _, last, path), (other, first, _, again) in pairwise(every):
            if seed == other and first < last:
                message = f"file {again}: holds events that are in {path} too (seed {seed})"
                raise InputError(message)

    def __len__(self) -> int:
        return self.metadata.n_events

    @property
    def card(self) -> Card:
        """The card of all files."""
        return parse_card(str(self.metadata["card"]), f"of {self.files.paths[0]}")

    def iterate(self, names: Sequence[str], step: int = STEP) -> Iterator[Columns]:
        """Chunks of the named branches, file by file."""
        for part in self.parts:
            yield from part.iterate(names, step)

    def content_sha256(self) -> str:
        """Hash of the events as they are in the files now."""
        return hashlib.sha256("".join(file.content_sha256() for file in self.files).encode()).hexdigest()


#: what can be opened: a file, files of one card, files of another generator
EventFiles = StoredEvents | Pool | ForeignPool


def load(path: str | Path, *more: str | Path, card: CardLike | None = None) -> EventFiles:
    """Open an event file, or a folder or several files of one card as one; nothing but metadata is read yet.

    Parameters
    ----------
    path, more : path
        Their first bytes say the format: ROOT, Parquet, LHE, HepMC or a library for G4DarkBreM.
    card : Card, str or Path, optional
        Experiment that events of another generator are meant for; files of mcgen hold their own.

    Returns
    -------
    EventFile or another StoredEvents, or Pool of several files

    Raises
    ------
    InputError
        If a file is missing, damaged, or not one that can be used with the others.
    """
    card = None if card is None else load_card(card)
    if not more and not Path(path).is_dir():
        return load_file(path, card)
    files = [file for item in (path, *more) for file in _files(Path(item), card is not None)]
    if card is not None or _is_foreign(files[0]):
        return ForeignPool(files, card)
    pool = Pool(files)
    if pool.missing > 0:
        message = f"folder {path}: {pool.missing} partitions are missing; the command that began it resumes"
        warnings.warn(message, IncompleteWarning, stacklevel=2)
    return pool


def _is_foreign(path: Path) -> bool:
    """Whether a file of another generator was stored with its card."""
    return load_file(path).metadata.is_foreign


def _files(path: Path, foreign: bool = False) -> list[Path]:
    """The event files of a folder, or the file itself; those of other generators in a folder end like text."""
    if not path.is_dir():
        return [path]
    files = [file for file in path.iterdir() if not file.name.startswith(".")]  # those are unfinished
    text = tuple(ending + extra for ending in TEXT_ENDINGS for extra in ("", *COMPRESSIONS))
    of_others = [file for file in files if foreign and file.name.lower().endswith(text)]
    found = sorted(of_others or (file for file in files if file.suffix.lower() == ENDING))
    refuse_if(not found, f"folder {path}: holds no event files (*{ENDING})")
    return found


def _check_there(output: str | Path, pool: Pool) -> None:
    """Refuse a file of other events before the parts are read."""
    if not at_stake(check_output(output)):
        return
    keys = (*_COMMON, "card", "merged", "n_events", "sum_weights")
    try:
        there = EventFile(output).metadata
        same = all(there.get(key) == pool.metadata.get(key) for key in keys)
    except InputError:  # foreign or damaged
        same = False
    if not same:
        refuse(output)


def merge(paths: str | Path | Sequence[str | Path], output: str | Path, *, overwrite: bool = False) -> EventFile:
    """Write several files or folders of one card as one file, in flat memory; a file given twice counts once.

    Parameters
    ----------
    paths : path or sequence of path
    output : path
        Ends in .root.
    overwrite : bool
        Replace a file of other events; an input never.

    Returns
    -------
    EventFile
    """
    paths = [paths] if isinstance(paths, str | Path) else paths
    refuse_if(Path(output).suffix.lower() != ENDING, f"output {output}: the ending must be .root")
    pool = Pool([file for path in paths for file in _files(Path(path))])
    if pool.missing > 0:
        message = f"folder {pool.path}: {pool.missing} partitions are missing; the command that began it resumes"
        raise InputError(message)
    check_input(output, [*paths, *pool.files.paths])
    digest = ContentHash()
    with overwriting(overwrite):
        _check_there(output, pool)
        with event_writer(output, bool(pool.metadata["options"]["rntuple"]), weights=pool.metadata.weights) as writer:
            for chunk in pool.iterate(pool.branches):
                digest.update(chunk)
                writer.write(chunk)
            writer.finish(pool.metadata | {"content_sha256": digest.hexdigest(), "branch_sha256": digest.branches()})
    return EventFile(output)
