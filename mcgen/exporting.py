"""Event files for other programs, chosen by the ending of the name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from mcgen.card import Card
from mcgen.constants import MM_PER_CM
from mcgen.decays import DecayModel, decay
from mcgen.errors import InputError, choose
from mcgen.events import Columns, ContentHash
from mcgen.formats import g4darkbrem, hepmc, lhe, nanoaod, parquet
from mcgen.formats.root import STEP, EventFile, event_writer
from mcgen.physics.scalar_decay import length_per_momentum
from mcgen.rates import card_width

#: ending -> what it is
FORMATS = {
    ".hepmc3": "HepMC3",
    ".hepmc": "HepMC3",
    ".lhe": "Les Houches events",
    ".parquet": "Parquet",
    ".csv": "G4DarkBreM library",
    ".root": "ROOT",
}
LAYOUTS = ("flat", "particles")


def format_of(path: str | Path) -> str:
    """Ending that decides the format, without .gz; InputError if there is none."""
    name = Path(path).name.removesuffix(".gz")
    for ending in FORMATS:
        if name.endswith(ending) and not (ending in (".parquet", ".root") and str(path).endswith(".gz")):
            return ending
    message = f"output {path}: the ending must be one of {', '.join(FORMATS)} (text also with .gz)"
    raise InputError(message)


def _open(
    path: Path, card: Card, metadata: dict[str, Any], c_tau_mm: float, rntuple: bool
) -> AbstractContextManager[Any]:
    ending = format_of(path)
    if ending == ".root":
        return nanoaod.writer(path, card, metadata, rntuple)
    if ending == ".parquet":
        return parquet.writer(path, metadata)
    if ending == ".lhe":
        return lhe.writer(path, card, metadata, c_tau_mm)
    if ending == ".csv":
        return g4darkbrem.writer(path, card)
    return hepmc.writer(path, card, metadata)


def export(
    file: EventFile,
    output: str | Path,
    *,
    decays: bool = False,
    force_decay: bool = False,
    layout: str = "flat",
    rntuple: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Write the events of a file in another format, in chunks.

    Parameters
    ----------
    file : EventFile
    output : path
        Its ending chooses the format: HepMC3, LHE, Parquet, or a G4DarkBreM library.
    decays : bool
        Add the daughters of S if the file has none, at the card's model and reference coupling.
    force_decay : bool
        The same with every decay inside the fiducial range.
    layout : {"flat", "particles"}
        Of a ROOT file: the branches of mcgen, or jagged `Particle_*` branches as in NanoAOD.
    rntuple : bool
        Of a ROOT file: an RNTuple instead of a TTree.
    progress : callable, optional
        Called with the number of events done.

    Raises
    ------
    InputError
        If the ending is unknown, a package is missing, or the file's decays are of the other kind.
    """
    output = Path(output)
    choose(layout, LAYOUTS, "layout")
    if format_of(output) != ".root" and (layout != "flat" or rntuple):
        message = f"output {output}: layout and rntuple are for .root files"
        raise InputError(message)
    card, metadata = file.card, dict(file.metadata)
    m_S, scalar = float(metadata["mass_gev"]), card.scalar
    how = DecayModel(card, m_S, int(metadata["seed"]), scalar.model, scalar.g_mu, force_decay)
    add = (decays or force_decay) and "decays" not in metadata
    if force_decay and metadata.get("decays") == "natural":
        message = f"file {file.path}: its decays are natural, they cannot be forced any more"
        raise InputError(message)
    if add:
        metadata["decays"] = "forced" if force_decay else "natural"
    width = card_width(card, scalar.model, scalar.g_mu, m_S)
    c_tau_mm = MM_PER_CM * length_per_momentum(m_S, width) * m_S
    if format_of(output) == ".root" and layout == "flat":
        return _flat(file, output, how if add else None, metadata, rntuple, progress)
    with _open(output, card, metadata, c_tau_mm, rntuple) as writer:
        done = 0
        for chunk in file.iterate(file.branches, min(STEP, 20_000)):
            columns: Columns = decay(chunk, how) if add else chunk
            writer.write(columns)
            done += len(columns["event"])
            if progress:
                progress(done)
    return output


def _flat(
    file: EventFile,
    output: Path,
    how: DecayModel | None,
    metadata: dict[str, Any],
    rntuple: bool,
    progress: Callable[[int], None] | None,
) -> Path:
    """A file of mcgen again, perhaps with decays, with the hash of what it now holds."""
    digest = ContentHash()
    with event_writer(output, rntuple) as writer:
        done = 0
        for chunk in file.iterate(file.branches):
            columns = decay(chunk, how) if how else chunk
            digest.update(columns)
            writer.write(columns)
            done += len(columns["event"])
            if progress:
                progress(done)
        writer.finish(metadata | {"content_sha256": digest.hexdigest()})
    return output
