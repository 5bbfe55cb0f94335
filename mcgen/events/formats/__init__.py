"""Event files, one module per format."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from mcgen.base.errors import refuse_if
from mcgen.events.formats.kinds import LHE, LHEH5, PARQUET, ROOT, kind_of

if TYPE_CHECKING:
    from mcgen.card.card import Card
    from mcgen.events.formats.stored import StoredEvents

#: format -> module and class of what can be read back
READERS = {
    ROOT: ("root", "EventFile"),
    PARQUET: ("parquet", "ParquetFile"),
    LHE: ("lhe_reader", "LheFile"),
    LHEH5: ("lheh5_reader", "LheH5File"),
}


def load(path: str | Path, card: Card | None = None) -> StoredEvents:
    """Open an event file: ROOT, Parquet, LHE or LHEH5; its metadata are checked, its events not read yet.

    Parameters
    ----------
    path : path
        Its first bytes say the format, not its name; LHE may be packed with gzip or zstd.
    card : Card, optional
        Experiment that events of another generator (LHE) are meant for; files of mcgen hold their own.

    Raises
    ------
    InputError
        If the file is missing, damaged, or not one that can be used.
    """
    path = Path(path)
    kind = kind_of(path)
    where = "events are read from ROOT, Parquet and Les Houches files (LHE, LHEH5)"
    refuse_if(kind not in READERS, f"file {path}: is {kind}; {where}")
    module, name = READERS[kind]
    found: StoredEvents = getattr(import_module(f"mcgen.events.formats.{module}"), name)(path, card)
    return found
