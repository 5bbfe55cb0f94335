"""Event files in ROOT format: a TTree or RNTuple `events` and its metadata as a string of JSON.

A file is written under a temporary name in the same folder and gets its own name only when it is complete; what
the program leaves under a final name is whole.

uproot and awkward are imported where a file is opened or written: they take half a second that scans of cards save.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from mcgen.base.errors import InputError
from mcgen.base.files import atomic_path, content_of, overwriting
from mcgen.card.card import Card
from mcgen.events.branches import PARTS, Columns, title
from mcgen.events.events import STEP, ContentHash, Events
from mcgen.events.formats.root_record import record, text_of
from mcgen.events.formats.stored import MAX_METADATA, StoredEvents
from mcgen.events.formats.text import most_of
from mcgen.events.meta import EventMeta

TREE = "events"
#: in the layout of NanoAOD: the tree, the place of each particle in a list, and the one name of a number that differs
PARTICLES = "Events"
_SLOTS = {name: i for i, name in enumerate(("mu_in", "", "mu_out", "N_out", "S", "d1", "d2"))}
_PART = {"E": "energy"}
METADATA = "metadata"
#: branches of alternative weights, and what metadata say of them
Weights = Mapping[str, Mapping[str, Any]]
NO_WEIGHTS: Weights = MappingProxyType({})


class RootWriter:
    """Writes chunks of events, and the metadata last; `event_writer` makes one."""

    def __init__(self, path: Path, tree: str, rntuple: bool, weights: Weights = NO_WEIGHTS) -> None:
        import uproot

        self._weights = weights
        self._file = uproot.recreate(path, compression=uproot.LZ4(1))
        self._rntuple = rntuple
        self._name = tree
        self._tree: Any = None

    def write(self, columns: Mapping[str, Any]) -> None:
        """Append a chunk; the first one says which branches there are."""
        if self._tree is None:
            self._tree = self._made(columns)
        self._tree.extend(dict(columns))

    def _made(self, columns: Mapping[str, Any]) -> Any:
        """A tree for columns; its branches say their unit and meaning in the title, its fields in the description."""
        import awkward as ak

        types = {name: getattr(c, "dtype", None) or c.type.content for name, c in columns.items()}
        if self._rntuple:
            import awkward as ak

            forms = [_form(kind).copy(parameters=_described(name, self._weights)) for name, kind in types.items()]
            return self._file.mkrntuple(self._name, ak.forms.RecordForm(forms, list(types)))
        tree = self._file.mktree(self._name, types)
        inside = tree._cascading  # uproot has no other way to a branch's title; of other versions there is none
        if hasattr(inside, "_branch_data") and hasattr(inside, "_relocate"):
            for branch in inside._branch_data:
                if said := title(branch.get("fName", ""), self._weights):
                    branch["fTitle"] = said
            inside._relocate(self._file.file, self._file.file.sink)
        return tree

    def add_tree(self, name: str, columns: Mapping[str, Any]) -> None:
        """Another tree of the same kind, of one chunk."""
        make = self._file.mkrntuple if self._rntuple else self._file.mktree
        make(name, {branch: column.dtype for branch, column in columns.items()}).extend(dict(columns))

    def finish(self, metadata: EventMeta) -> None:
        """Add the metadata; without them no reader takes the file."""
        self._file[METADATA] = json.dumps(metadata.sealed())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _form(kind: Any) -> Any:
    import awkward as ak

    return ak.forms.from_dtype(kind) if isinstance(kind, np.dtype) else ak.forms.from_type(kind)


def _described(name: str, weights: Weights) -> dict[str, str]:
    """Parameters of a field, of which uproot writes this one as its description."""
    said = title(name, weights)
    return {"__doc__": said} if said else {}


@contextlib.contextmanager
def event_writer(
    path: str | Path, rntuple: bool = False, tree: str = TREE, weights: Weights = NO_WEIGHTS
) -> Iterator[RootWriter]:
    """A writer of a TTree or an RNTuple whose file takes its name only when it is complete.

    Parameters
    ----------
    path : path
    rntuple : bool
        Instead of a TTree.
    tree : str
        Its name.
    weights : mapping
        Branches of alternative weights, and what metadata say of them.
    """
    with atomic_path(path, same_events) as part, contextlib.closing(RootWriter(part, tree, rntuple, weights)) as writer:
        yield writer


def same_events(one: Path, two: Path) -> bool:
    """Whether two ROOT files hold the same objects, events and metadata; no two have the same bytes."""
    import awkward as ak
    import uproot

    EventFile(two)  # refuses one that was cut short or changed
    with uproot.open(one, array_cache=None) as first, uproot.open(two, array_cache=None) as second:
        names = first.classnames(recursive=False)
        if names != second.classnames(recursive=False):
            return False
        if content_of(str(first[METADATA])) != content_of(str(second[METADATA])):
            return False
        for key, kind in names.items():
            if kind == "TObjString":
                continue
            tree, other = first[key], second[key]
            if tree.typenames() != other.typenames() or tree.num_entries != other.num_entries:
                return False
            for start in range(0, tree.num_entries, STEP):
                span = {"entry_start": start, "entry_stop": start + STEP}
                for branch in tree.keys(recursive=False):
                    if not ak.array_equal(tree[branch].array(**span), other[branch].array(**span), equal_nan=True):
                        return False
    return True


@contextlib.contextmanager
def writer(path: str | Path, _card: Any, metadata: EventMeta, rntuple: bool = False) -> Iterator[RootWriter]:
    """A writer of events whose metadata are known beforehand.

    Parameters
    ----------
    path : path
    _card : object
        Formats that list particles need it.
    metadata : dict
    rntuple : bool
        An RNTuple instead of a TTree.
    """
    with event_writer(path, rntuple, weights=metadata.weights) as file:
        yield file
        file.finish(metadata)


def metadata_text(file: Any) -> str:
    """The metadata in an open ROOT file; nothing if they are no text, or too long to be unpacked."""
    key = file.key(METADATA)
    return str(file[METADATA]) if key.fClassName == "TObjString" and key.fObjlen <= MAX_METADATA else ""


class EventFile(StoredEvents):
    """A TTree or RNTuple of mcgen, flat or in the layout of NanoAOD."""

    kind = "ROOT"

    def _open(self, card: Card | None) -> int:  # noqa: ARG002
        import uproot

        file = uproot.open(self.path, array_cache=None)
        names = {key.split(";")[0] for key in file.keys(recursive=False)}
        if METADATA not in names or not {TREE, PARTICLES} & names:
            self._refuse("not an event file of mcgen, or one that was cut short")
        if self.path.stat().st_size < file.file.fEND:
            self._refuse("cut short")
        self._check_metadata(metadata_text(file) or self._refuse("its metadata are no text of a page"))
        self._nested = TREE not in names
        name = PARTICLES if self._nested else TREE
        self._check_bytes(file.key(name).fObjlen, name)
        self._tree = file[name]
        self.branches = self.metadata.branches if self._nested else list(self._tree.keys())
        return self._fitting(int(self._tree.num_entries))

    def _check_bytes(self, n: int, what: str) -> None:
        """Refuse what would unpack to more than a file of this size can hold."""
        if n > most_of(self.path.stat().st_size):
            self._refuse(f"{what} would unpack to {n:.4g} bytes, more than a file of its size can hold")

    def _check_branches(self, names: list[str]) -> None:
        """The same of branches, by what stands before each of their baskets, or in the list of their pages."""
        if hasattr(self._tree, "ntuple"):
            clusters = self._tree.ntuple.page_link_list
            self._check_bytes(
                8 * sum(page.num_elements for one in clusters for column in one for page in column.pages), TREE
            )
            return
        for name in names:
            branch = self._tree[name]
            unpacked = sum(branch.basket_uncompressed_bytes(i) for i in range(branch.num_baskets))
            self._check_bytes(unpacked, f"branch {name}")

    def _chunks(self, names: list[str], step: int) -> Iterator[Columns]:
        places = {name: _place(name) if self._nested else (name, None) for name in names}
        branches = list(dict.fromkeys(branch for branch, _ in places.values()))
        self._check_branches(branches)
        kind = "ak" if self._nested else "np"
        for start in range(0, len(self), step):
            chunk = self._tree.arrays(branches, entry_start=start, entry_stop=start + step, library=kind)
            yield {
                name: np.asarray(chunk[branch] if slot is None else chunk[branch][:, slot])
                for name, (branch, slot) in places.items()
            }


def stored_metadata(path: Path) -> bytes | None:
    """Metadata as they lie in a complete file; None of a file that must be opened to know.

    Files with the same record hold the same events, made by the same run.
    """
    try:
        return record(path, METADATA)
    except OSError:
        return None


def quick_metadata(path: Path, stored: bytes | None) -> EventMeta | None:
    """Metadata of a file that need not be opened for them; None if it must.

    Parameters
    ----------
    path : Path
    stored : bytes, optional
        Of `stored_metadata`.

    Raises
    ------
    InputError
        If they are damaged or none of ours.
    """
    text = None if stored is None else text_of(stored)
    if text is None:
        return None
    try:
        return EventMeta.unsealed(text)
    except ValueError as error:
        reason = str(error) if isinstance(error, InputError) else "its metadata are damaged"
        message = f"file {path}: {reason}"
        raise InputError(message) from None


def _place(name: str) -> tuple[str, int | None]:
    """Branch and number of the particle that hold a column in the layout of NanoAOD."""
    particle, _, part = name.rpartition("_")
    if particle in _SLOTS and part in PARTS:
        return f"Particle_{_PART.get(part, part)}", _SLOTS[particle]
    return name, None


def save(events: Events | StoredEvents, path: str | Path, *, overwrite: bool = False) -> EventFile:
    """Write events to a ROOT file and open it.

    Parameters
    ----------
    events : Events or StoredEvents
    path : path
    overwrite : bool
        Replace a file of other events there.

    Returns
    -------
    EventFile
    """
    metadata = events.metadata
    if metadata.is_foreign and "content_sha256" not in metadata:
        digest = ContentHash()
        for chunk in events.iterate(events.branches):
            digest.update(chunk)
        metadata = metadata | {"content_sha256": digest.hexdigest(), "branch_sha256": digest.branches()}
    with overwriting(overwrite), writer(path, None, metadata) as file:
        for chunk in events.iterate(events.branches):
            file.write(chunk)
    return EventFile(path)
