"""`mcgen info`: what a file holds."""

from __future__ import annotations

from pathlib import Path

from mcgen.base.errors import refuse_if
from mcgen.events.meta import EventMeta
from mcgen.events.pool import load
from mcgen.source.source import CardLike


def info(file: str | Path, *more: str | Path, card: CardLike | None = None, verify: bool = False) -> EventMeta:
    """What an event file or a folder holds: card, versions, seed, sigma(E_mu), yield, content hash.

    Parameters
    ----------
    file, more : path
    card : Card, str or Path, optional
        Experiment that events of another generator are meant for.
    verify : bool
        Read all events and compare their hash.

    Returns
    -------
    EventMeta
        A dictionary, the JSON document of the command.

    Raises
    ------
    InputError
        If the file cannot be used, or with `verify` holds other events than were written.
    """
    events = load(file, *more, card=card)
    written = events.metadata.get("content_sha256")
    if verify:
        refuse_if(written is None, f"file {file}: --verify: events of another generator have no hash")
        is_other = events.content_sha256() != written
        refuse_if(is_other, f"file {file}: its events are not those that were written (content hash differs)")
    return events.metadata
