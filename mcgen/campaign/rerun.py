"""An event file made again from its own metadata, and compared."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from mcgen._version import __version__
from mcgen.base.errors import refuse_if
from mcgen.base.files import atomic_path, overwriting
from mcgen.campaign import production
from mcgen.campaign.engines import processes
from mcgen.card.card import parse_card
from mcgen.events.formats import load
from mcgen.events.formats.root import EventFile, same_events
from mcgen.events.formats.stored import StoredEvents
from mcgen.generation.generate import Options, already, generate

#: metadata that two runs of the same events need not share
_OF_THE_RUN = ("created", "command", "versions", "mcgen_version", "production")


def rerun(source: str | Path, output: str | Path | None = None, workers: int = 1, *, overwrite: bool = False) -> str:
    """Make a file or a folder again; what differs first, or nothing if all events are the same.

    Parameters
    ----------
    source : path
        An event file, or the folder of a production.
    output : path, optional
        Where to keep what is made.
    workers : int
        Threads, or processes of a folder.
    overwrite : bool
        Replace a file of other events there.

    Returns
    -------
    str
        Empty if they are the same.
    """
    source = Path(source)
    with overwriting(overwrite), tempfile.TemporaryDirectory() as scratch:
        target = Path(output) if output else Path(scratch) / "again"
        if source.is_dir():
            return _folder(source, target, workers)
        return _file(load(source), target if output else target.with_suffix(".root"), workers)


def _file(file: StoredEvents, target: Path, workers: int) -> str:
    metadata = file.metadata
    where = f"file {file.path}"
    refuse_if(metadata.is_foreign, f"{where}: events of another generator cannot be made again")
    is_raw = "options" in metadata and "merged" not in metadata
    refuse_if(not is_raw, f"{where}: was merged or changed after it was made; rerun its parts")
    card, first = parse_card(metadata["card"], f"of {file.path}"), metadata["first_event"]
    asked = (card, metadata["mass_gev"], metadata.n_events, metadata["seed"])
    kept = Options.of(metadata["options"])
    already(target, *asked, kept, first)  # refuses early; what is there is no answer, the events are made again
    with atomic_path(target, same_events) as part:
        with overwriting():
            again = generate(*asked, output=part, **kept.arguments(), first=first, workers=workers)
        assert isinstance(again, EventFile)
        if file.content_sha256() != metadata["content_sha256"]:
            return "its events are not those it was written with (hash)"
        return _compared(file, again)


def _compared(file: StoredEvents, again: EventFile) -> str:
    """What differs first, and the versions that differ; nothing if the events are the same."""
    was, now = file.metadata, again.metadata
    if was["content_sha256"] == now["content_sha256"]:
        other = (key for key in was if key not in _OF_THE_RUN and was[key] != now.get(key))
        changes = (f"the events are the same, their {key} was {was[key]} and is {now.get(key)}" for key in other)
        found = next(changes, "")
    else:
        found = _first_difference(file, again)
    if not found:
        return ""
    before, after = ({"mcgen": m["mcgen_version"], **m["versions"]} for m in (was, now))
    moved = [f"{name} {v} (now {after.get(name)})" for name, v in before.items() if v != after.get(name)]
    return f"{found}; made with {', '.join(moved)}" if moved else f"{found}; versions are the same"


def _first_difference(one: StoredEvents, two: EventFile) -> str:
    for first, second in zip(one.iterate(one.branches), two.iterate(one.branches), strict=True):
        for name in one.branches:
            unequal = np.flatnonzero(first[name] != second[name])
            if unequal.size:
                at = int(unequal[0])
                was, now = first[name][at].item(), second[name][at].item()
                return f"{name} of event {first['event'][at]} was {was!r} and is {now!r}"
    return "the branches differ"


def _folder(source: Path, target: Path, workers: int) -> str:
    plan = production.read_plan(source)
    production.produce(replace(plan, mcgen_version=__version__), target, engine=processes(workers))
    for i in range(plan.partitions):
        was, now = (EventFile(plan.path(folder, i)) for folder in (source, target))
        if was.content_sha256() != was.metadata["content_sha256"]:
            return f"partition {i}: its events are not those it was written with (hash)"
        if found := _compared(was, now):
            return f"partition {i}: {found}"
    return ""
