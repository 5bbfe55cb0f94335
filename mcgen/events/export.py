"""Event files for other programs, chosen by the ending of the name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mcgen.base.errors import InputError, choose, refuse_if
from mcgen.base.files import OF_THE_RUN, at_stake, check_input, check_output, overwriting, refuse
from mcgen.base.pdg import check_boson
from mcgen.base.progress import Progress, reported
from mcgen.card.card import Card, parse_card
from mcgen.events import exposure
from mcgen.events.branches import DECAY_BRANCHES, Columns
from mcgen.events.decays import DecayModel, check_angles, decay
from mcgen.events.events import ContentHash, EventSource, files_of
from mcgen.events.formats import g4darkbrem, hepmc, lhe, lheh5, nanoaod, parquet, root, spectrum
from mcgen.events.formats import load as load_file
from mcgen.events.formats.particles import TIME_UNITS, beam_mass, needed
from mcgen.events.formats.text import COMPRESSIONS
from mcgen.events.meta import DecayMode, EventMeta
from mcgen.events.pool import load
from mcgen.search.search import Search
from mcgen.source.boson import Boson
from mcgen.source.source import CardLike, source_of

#: events written at a time
CHUNK = 50_000

#: opens a file: path, card, metadata, and the format's own options
Writer = Callable[..., AbstractContextManager[Any]]


class Format(NamedTuple):
    """A way to write events."""

    name: str
    writer: Writer
    is_text: bool = True  #: may be compressed, by a second ending
    states_sigma: bool = False  #: its standard fields hold the cross section, by struck element too


#: ending -> format
FORMATS = {
    ".hepmc3": Format("HepMC3", hepmc.writer, states_sigma=True),
    ".hepmc": Format("HepMC3", hepmc.writer, states_sigma=True),
    ".lhe": Format("Les Houches events", lhe.writer, states_sigma=True),
    ".lheh5": Format("LHEH5", lheh5.writer, is_text=False, states_sigma=True),
    ".hdf5": Format("LHEH5", lheh5.writer, is_text=False, states_sigma=True),
    ".h5": Format("LHEH5", lheh5.writer, is_text=False, states_sigma=True),
    ".csv": Format("G4DarkBreM library", g4darkbrem.writer),
    ".txt": Format("spectrum for FORESEE", spectrum.writer),
    ".parquet": Format("Parquet", parquet.writer, is_text=False),
    ".root": Format("ROOT", root.writer, is_text=False),
}
#: layouts of .root files, and of HepMC3
LAYOUTS = {"flat": root.writer, "particles": nanoaod.writer}
NUHEPMC = "nuhepmc"


def format_of(path: str | Path) -> str:
    """Ending that decides the format, without that of a compression; InputError if there is none."""
    name = Path(path).name.lower()
    for ending, made in FORMATS.items():
        if name.endswith((ending, *(ending + extra for extra in COMPRESSIONS if made.is_text))):
            return ending
    message = f"output {path}: the ending must be one of {', '.join(FORMATS)} (text also with .gz or .zst)"
    raise InputError(message)


def _writer(output: Path, layout: str, rntuple: bool, unit: str) -> tuple[Writer, dict[str, Any]]:
    """The function that opens the file, and the options that it takes."""
    ending = format_of(output)
    choose(layout, (*LAYOUTS, NUHEPMC), "layout")
    choose(unit, g4darkbrem.UNITS, "unit")
    if FORMATS[ending].name == "HepMC3" and layout == NUHEPMC:
        return FORMATS[ending].writer, {"conventions": True}
    refuse_if(layout == NUHEPMC, f"output {output}: layout {NUHEPMC} is for .hepmc3 files")
    if ending == ".root":
        return LAYOUTS[layout], {"rntuple": rntuple}
    refuse_if(layout != "flat" or rntuple, f"output {output}: layout {layout} and rntuple are for .root files")
    return FORMATS[ending].writer, {"unit": unit} if ending == ".csv" else {}


def named(events: EventSource) -> str:
    """What messages call events."""
    files = files_of(events)
    return f"file {files[0]}" if files else "the events"


def _check_foreign(file: EventSource, output: Path, decays: bool) -> None:
    """Refuse what events of another generator cannot give: their weights are parts of a cross section in pb."""
    file.metadata.check_one_mass(f"output {output}")
    where = named(file)
    refuse_if(decays, f"{where}: events of another generator have no lifetimes, decays cannot be added")
    is_uneven = format_of(output) == ".csv" and not file.metadata.get("unweighted", True)
    refuse_if(is_uneven, f"{where}: its weights differ, and a library ({output.name}) has none")
    n, made = len(file.metadata.samples), FORMATS[format_of(output)]
    only = f"{where}: holds {n} energies or targets, each with its cross section, and {made.name} states one"
    refuse_if(n > 1 and made.states_sigma, f"{only}: export it as .root, .parquet or .csv")


def _check_there(output: Path, metadata: EventMeta) -> None:
    """Refuse a file of other events before anything is written.

    Whether the file that is there has the same form too, is compared at the end.
    """
    made = FORMATS[format_of(check_output(output))]
    if not at_stake(output) or made.is_text:  # text is compared while it is written
        return
    try:
        there = load_file(output).metadata
        same = all(there.get(key) == value for key, value in metadata.items() if key not in OF_THE_RUN)
    except Exception:  # files of another format and damaged ones raise errors of many kinds
        same = False
    if not same:
        refuse(output)


def export(
    file: EventSource | str | Path,
    output: str | Path,
    *,
    card: CardLike | None = None,
    decays: bool = False,
    force_decay: bool = False,
    isotropic: bool = False,
    layout: str = "flat",
    rntuple: bool = False,
    unit: str = "GeV",
    boson_pdg: int | None = None,
    time_unit: str = "mm",
    overwrite: bool = False,
    progress: Progress = None,
) -> Path:
    """Write the events of a file in another format, in chunks.

    Parameters
    ----------
    file : path, EventFile, Pool, View or Events
        What `mcgen.load`, `mcgen.with_weights` or `mcgen.generate` return. Events of another generator keep weights in
        pb, which add up to their cross section.
    output : path
        Its ending chooses the format: HepMC3, LHE, LHEH5, Parquet, ROOT, a G4DarkBreM library, or a
        spectrum for FORESEE.
    card : Card, str or Path, optional
        Of the file of another generator that is given by its path.
    decays : bool
        Add the daughters of S if the file has none, at the card's model and reference coupling.
    force_decay : bool
        The same with every decay inside the fiducial range.
    isotropic : bool
        Of daughters that are added: a vector or an axial vector decays isotropically, whatever the card says.
    layout : {"flat", "particles", "nuhepmc"}
        Of a ROOT file: the branches of mcgen, or jagged `Particle_*` branches as in NanoAOD. Of HepMC3: as all its
        readers expect, or by the conventions of NuHepMC.
    rntuple : bool
        Of a ROOT file: an RNTuple instead of a TTree.
    unit : {"GeV", "MeV"}
        Of a G4DarkBreM library.
    time_unit : {"mm", "ns"}
        Of times in HepMC3 and of the lifetime in Les Houches files: c t in mm as the standards have it, or ns for
        readers that take them for ns (docs/hand-over.md).
    boson_pdg : int, optional
        Number of S; by default that of the file if it has one, else 54, or 55 of spin 1.
    overwrite : bool
        Replace a file of other content; one of the same content is left alone.
    progress : bool or callable, optional
        True shows a bar; a function is called with the number of events done.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the ending is unknown, a package is missing, the file's decays are of the other kind, or another file would
        be overwritten.
    """
    output = Path(output)
    file = load(file, card=card) if isinstance(file, str | Path) else file
    make, options = _writer(output, layout, rntuple, unit)
    check_input(output, files_of(file))
    wanted = DecayMode.of(decays, force_decay)
    _check_events(file, output, wanted, make not in (root.writer, parquet.writer))
    metadata = EventMeta(file.metadata)
    source = source_of(parse_card(str(metadata["card"]), f"of {named(file)}").with_boson(isotropic=isotropic))
    source.check_mass(metadata.m_S, f"mass of {named(file)}")
    own = source.card
    on_target = "NuHepMC: is for a beam on a target, these events are of a collider"
    refuse_if(own.collider and layout == NUHEPMC, on_target)
    added = DecayMode.NONE if metadata.decays else wanted
    refuse_if(isotropic and not added, "isotropic: is for daughters that are added, and none are")
    how = _decay_model(own, metadata, added) if added else None
    if how:
        check_angles(own, how.law_on(source.targets), metadata.weights.values())
    names = [name for name in file.branches if name in metadata.all_branches or name not in DECAY_BRANCHES]
    if "exposure" not in metadata:
        metadata["exposure"] = exposure.described(source, metadata["yield_per_muon"], metadata["yield_error"])
    metadata.pop("time_unit", None)
    if choose(time_unit, TIME_UNITS, "time_unit") != "mm":
        has_times = FORMATS[format_of(output)].states_sigma
        refuse_if(not has_times, f"output {output}: time_unit is for HepMC3 and Les Houches files")
        refuse_if(layout == NUHEPMC, f"time_unit {time_unit}: layout {NUHEPMC} has times as c t in mm")
        metadata["time_unit"] = time_unit
    if boson_pdg is not None:
        metadata["boson_pdg"] = check_boson(boson_pdg)
    if how:
        metadata["decays"] = str(added)
        metadata |= {"card": own.text} if isotropic else {}
        metadata |= {"decay_law": law} if (law := how.law_on(source.targets)) else {}
    digest = ContentHash() if added or "content_sha256" not in metadata else None
    sums = exposure.Sums(source.targets, metadata.weights) if FORMATS[format_of(output)].states_sigma else None
    if digest or sums:
        read = names if digest else [name for name in (*exposure.NEEDED, *metadata.weights) if name in names]
        for columns in _chunks(file, read, own, how):
            if digest:
                digest.update(columns)
            if sums:
                sums.add(columns)
    if digest:
        metadata |= {"content_sha256": digest.hexdigest(), "branch_sha256": digest.branches()}
    if sums:
        options["sample"] = sums.sample(metadata["exposure"]["nuclei_per_cm2"], metadata["norm_relative_error"])
    with overwriting(overwrite):
        _check_there(output, metadata)
        with reported(progress, "events", len(file)) as step:
            _write(make(output, own, metadata, **options), _chunks(file, names, own, how), step)
    return output


def _check_events(file: EventSource, output: Path, decays: DecayMode, lists_particles: bool) -> None:
    """Refuse events that a file cannot be made of.

    Parameters
    ----------
    file : EventFile
    output : Path
    decays : DecayMode
        Those that are to be added.
    lists_particles : bool
        Whether the format lists particles, which takes all their branches.
    """
    metadata = file.metadata
    if metadata.is_foreign:
        _check_foreign(file, output, bool(decays))
    missing = needed(bool(metadata.decays)) - set(file.branches)
    lacks = f"holds chosen branches only and lacks {min(missing, default='')}"
    refuse_if(missing and (lists_particles or decays), f"{named(file)}: {lacks}")
    other = next((row["name"] for row in metadata.weights.values() if "mediator" in row), None)
    is_forced = DecayMode.FORCED in (decays, metadata.decays)
    of_another = "is of another mediator, which decays otherwise than the one whose decays are forced here"
    refuse_if(is_forced and other, f"weight '{other}': {of_another}")
    is_natural = decays is DecayMode.FORCED and metadata.decays is DecayMode.NATURAL
    refuse_if(is_natural, f"{named(file)}: its decays are natural, they cannot be forced any more")


def _decay_model(card: Card, metadata: EventMeta, decays: DecayMode) -> DecayModel:
    boson = Boson(card, card.scalar.model, metadata.m_S)
    return DecayModel(boson, Search.of(card, metadata.m_S), card.scalar.g_mu, metadata.seed, decays is DecayMode.FORCED)


def _chunks(file: EventSource, names: Sequence[str], card: Card, how: DecayModel | None) -> Iterator[Columns]:
    """Events, with daughters of S added if it is said how."""
    for chunk in file.iterate(names, CHUNK):
        too_slow = np.any(chunk.get("E_mu", np.inf) <= beam_mass(card))
        refuse_if(too_slow, f"{named(file)}: branch E_mu: an energy is not above the mass of the beam particle")
        yield decay(chunk, how) if how else chunk


def _write(
    opened: AbstractContextManager[Any], chunks: Iterable[Columns], progress: Callable[[int], None] | None
) -> None:
    with opened as writer:
        done = 0
        for columns in chunks:
            writer.write(columns)
            done += len(columns["event"])
            if progress:
                progress(done)
