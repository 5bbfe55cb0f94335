"""Several event files of one card as one: partitions of a production, or runs with different seeds.

Each file is normalised to its own events: the sum of its weights is the yield. In the pool a file of n_i of N events
has its weights multiplied by n_i/N, so that the sum over the pool is the yield again.
"""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mcgen.base.errors import ClosureError, InputError, McgenWarning, refuse_if
from mcgen.base.estimate import share_pulls
from mcgen.base.files import at_stake, check_input, check_output, overwriting, refuse
from mcgen.card.card import Card, parse_card
from mcgen.events import exposure
from mcgen.events.branches import PARTS, Columns
from mcgen.events.events import STEP, ContentHash, Readable, View
from mcgen.events.foreign_pool import ForeignPool
from mcgen.events.formats import load as load_file
from mcgen.events.formats.root import EventFile, event_writer
from mcgen.events.formats.stored import StoredEvents
from mcgen.events.formats.text import COMPRESSIONS
from mcgen.events.meta import EventMeta
from mcgen.source.source import CardLike, load_card

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
#: ending of the event files in a folder, in upper or lower case
ENDING = ".root"
#: the same of files of other generators, perhaps compressed
TEXT_ENDINGS = (".lhe", ".hepmc", ".hepmc3", ".hepmc2", ".csv")


def ranges(metadata: EventMeta) -> list[tuple[int, int, int]]:
    """(seed, first, last + 1) of the events in a file, of several if it was merged."""
    return [(run["seed"], run["first_event"], run["first_event"] + run["n_events"]) for run in metadata.runs]


def _joined(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same with neighbours as one: a thousand partitions are one run."""
    joined: list[dict[str, Any]] = []
    for run in runs:
        last = joined[-1] if joined else None
        if last and (run["seed"], run["first_event"]) == (last["seed"], last["first_event"] + last["n_events"]):
            joined[-1] = last | {"n_events": last["n_events"] + run["n_events"]}
        else:
            joined.append(run)
    return joined


def _t_spectrum(parts: Sequence[dict[str, Any]], share: Sequence[float]) -> dict[str, Any]:
    """The bins of t of all files, and their pulls: what one file is too small to show."""
    first = parts[0]["t_spectrum"]
    spectra = [(w, part["t_spectrum"]) for w, part in zip(share, parts, strict=True)]
    sums = _sum(w * np.array(t["sum_weights"]) for w, t in spectra)
    squares = _sum(w * w * np.array(t["sum_squares"]) for w, t in spectra)
    total = math.fsum(w * part["sum_weights"] for w, part in zip(share, parts, strict=True))
    total_squares = math.fsum(w * w * part["sum_squares"] for w, part in zip(share, parts, strict=True))
    expected = np.array(first["expected"]), np.array(first["expected_error"])
    pulls = share_pulls(sums, squares, total, total_squares, *expected)
    return {
        "t_spectrum": first | {"sum_weights": sums.tolist(), "sum_squares": squares.tolist()},
        "pull_t_worst": float(max(np.abs(pulls), default=0.0)),
        "pull_t_rms": float(np.sqrt(np.mean(pulls**2))) if pulls.size else 0.0,
    }


def _sum(rows: Iterable[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.array([math.fsum(column) for column in np.transpose(list(rows))])


#: branches of which no two events have the same number
_OWN = ("x", "tau", *(f"S_{part}" for part in PARTS))


def _check_repeated(parts: Sequence[EventMeta]) -> None:
    """Raise ClosureError if two files hold the same events under different numbers."""
    for name in _OWN:
        hashes = [part["branch_sha256"][name] for part in parts if name in part.get("branch_sha256", ())]
        repeated = len(hashes) - len(set(hashes))
        refuse_if(
            repeated > 0, f"{repeated} of {len(hashes)} files repeat the events of another ({name})", ClosureError
        )


def pooled(parts: Sequence[EventMeta]) -> EventMeta:
    """Metadata of several files together.

    The error of the normalisation is common to all events of one seed, and independent for different seeds: it falls
    with the number of seeds, not with the number of events.
    """
    _check_repeated(parts)
    n = sum(part["n_events"] for part in parts)
    share = [part["n_events"] / n for part in parts]

    def mean(key: str) -> float:
        return math.fsum(w * part[key] for w, part in zip(share, parts, strict=True))

    value = mean("yield_per_muon")
    norm: dict[int, float] = {}
    spread = 0.0
    for w, part in zip(share, parts, strict=True):
        for run in part.runs:
            of_all = run["n_events"] / n * run["norm_relative_error"]
            norm[run["seed"]] = norm.get(run["seed"], 0.0) + of_all
        own = part["yield_error"] ** 2 - (part["norm_relative_error"] * part["yield_per_muon"]) ** 2
        spread += w * w * max(0.0, own)
    norm_error = math.hypot(*norm.values())
    error = math.hypot(math.sqrt(spread), norm_error * value)
    trials = sum(part["trials"] for part in parts)
    digest = hashlib.sha256("".join(part["content_sha256"] for part in parts).encode())
    common = EventMeta((k, value) for k, value in parts[0].items() if k not in ("branch_sha256", "production"))
    if "exposure" in common:  # files of older versions have none
        nuclei = common["exposure"]["nuclei_per_cm2"]
        common["exposure"] = common["exposure"] | exposure.mean_cross_section(nuclei, value, error)
    return common | {
        "n_events": n,
        "norm_relative_error": norm_error,
        "sum_weights": math.fsum(w * part["sum_weights"] for w, part in zip(share, parts, strict=True)),
        "sum_squares": math.fsum(w * w * part["sum_squares"] for w, part in zip(share, parts, strict=True)),
        **({key: value for key in ("yield_per_muon", "yield_pb") if key in parts[0]}),
        "yield_error": error,
        "pull": (value - parts[0]["yield_quadrature"]) / error if error > 0.0 else 0.0,
        **_t_spectrum(parts, share),
        "trials": trials,
        "unweighting_efficiency": n / trials,
        "merged": _joined([run for part in parts for run in part.runs]),
        "content_sha256": digest.hexdigest(),
    }


class IncompleteWarning(McgenWarning):
    """A folder holds fewer partitions than its production is of."""


def _part(file: StoredEvents, share: float) -> View:
    """A file of a pool, its weights scaled to its share."""
    weights = {"weight", *file.metadata.weights}
    return View(file, {}, lambda chunk: chunk | {name: share * chunk[name] for name in weights.intersection(chunk)})


class Pool(Readable):
    """Event files of one card, read one after the other.

    Raises
    ------
    InputError
        If a file cannot be used, is of another card, mass, version or kind, or holds events of another one.
    """

    def __init__(self, paths: Sequence[str | Path]) -> None:
        refuse_if(not paths, "no event files")
        paths = list({Path(path).resolve(): path for path in paths}.values())
        files = sorted((load_file(path) for path in paths), key=lambda f: ranges(f.metadata)[0])
        first = files[0]
        for file in files:
            if "t_spectrum" not in file.metadata:
                message = f"file {file.path}: events of another generator or version cannot be pooled"
                raise InputError(message)
        card = first.card.model_dump()
        for file in files[1:]:
            if file.card.model_dump() != card:
                self._refuse(file, first, "card")
            for key in _COMMON:
                if file.metadata.get(key) != first.metadata.get(key):
                    self._refuse(file, first, key)
        self._check_overlap(files)
        self.files = files
        self.path = files[0].path.parent
        self.metadata = pooled([file.metadata for file in files])
        self.branches = first.branches
        self.parts = [_part(file, len(file) / len(self)) for file in files]  #: normalised, to be added up one by one

    @staticmethod
    def _refuse(file: StoredEvents, other: StoredEvents, key: str) -> None:
        message = f"file {file.path}: its {key} is not that of {other.path}"
        raise InputError(message)

    @staticmethod
    def _check_overlap(files: Sequence[StoredEvents]) -> None:
        seen: dict[int, list[tuple[int, int, Path]]] = {}
        for file in files:
            for seed, first, last in ranges(file.metadata):
                for low, high, path in seen.setdefault(seed, []):
                    if first < high and low < last:
                        message = f"file {file.path}: holds events that are in {path} too (seed {seed})"
                        raise InputError(message)
                seen[seed].append((first, last, file.path))

    @property
    def missing(self) -> int:
        """Partitions that the production of these files should have and that are not among them."""
        of = [file.metadata.get("production", {}) for file in self.files]
        return max((int(p.get("partitions", 0)) for p in of), default=0) - len(self.files) if all(of) else 0

    def __len__(self) -> int:
        return self.metadata.n_events

    @property
    def card(self) -> Card:
        """The card of all files."""
        return parse_card(str(self.metadata["card"]), f"of {self.files[0].path}")

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
    check_input(output, [*paths, *(file.path for file in pool.files)])
    digest = ContentHash()
    with overwriting(overwrite):
        _check_there(output, pool)
        with event_writer(output, bool(pool.metadata["options"]["rntuple"]), weights=pool.metadata.weights) as writer:
            for chunk in pool.iterate(pool.branches):
                digest.update(chunk)
                writer.write(chunk)
            writer.finish(pool.metadata | {"content_sha256": digest.hexdigest(), "branch_sha256": digest.branches()})
    return EventFile(output)
