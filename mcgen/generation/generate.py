"""Event generation: a card in, events out, each run checked against the quadrature."""

from __future__ import annotations

import contextlib
import functools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mcgen._version import __version__
from mcgen.base import threads
from mcgen.base.arrays import Array
from mcgen.base.asked import Energy, energy, whole
from mcgen.base.errors import ClosureError, InputError, check_number, choose, refuse_if
from mcgen.base.files import at_stake, check_output, leave, overwriting, refuse
from mcgen.base.progress import Progress, reported
from mcgen.base.steps import step
from mcgen.card.card import Card
from mcgen.card.quantities import LOWEST_MASS
from mcgen.events.branches import BRANCHES, DECAY_BRANCHES, FLOAT_BRANCHES, ROW, Columns
from mcgen.events.decays import DecayModel, decay
from mcgen.events.events import Events
from mcgen.events.formats import nanoaod
from mcgen.events.formats.root import EventFile, RootWriter, event_writer
from mcgen.events.line_parts import has_both_lines, line_parts
from mcgen.events.meta import DecayMode, EventMeta
from mcgen.generation.closure import Closure
from mcgen.generation.collisions import PreparedCollisions
from mcgen.generation.kernel import NO_PARTICLES, Beamline, draw_sources, fill, place_in_depth, steer
from mcgen.generation.normalisation import MAX_PULL, Filler, Prepared, PreparedSource, Tally, prepare
from mcgen.search.search import Search
from mcgen.source.boson import Boson
from mcgen.source.source import CardLike, load_card, source_of

#: events generated and written at a time
CHUNK = 100_000
LAYOUTS = ("flat", "particles")


def _beamline(prepared: PreparedSource, events: int, weighted: bool) -> Beamline:
    card = prepared.source.card
    unit_weight = sum(c.scale for c in prepared.components) if weighted else prepared.total(weighted).value
    per_momentum = Boson(card, card.scalar.model, prepared.m_S).length_per_momentum(card.scalar.g_mu)
    lateral = card.beam.particles.lateral if card.beam.particles else NO_PARTICLES
    return Beamline(card.beam.spot, card.beam.divergence, lateral, per_momentum, not weighted, unit_weight / events)


def _fill(prepared: PreparedSource, shares: Array, beam: Beamline, first: int, out: Array) -> int:
    """Make the events numbered from `first`, component by component; return the number of trials."""
    seed, numbers = np.uint64(prepared.seed), np.zeros(out.shape[1], dtype=np.int64)
    if shares.size > 1:
        draw_sources(shares, seed, first, numbers)
    order = np.argsort(numbers, kind="stable")
    events, share = first + order, np.empty(out.shape[1])
    made = (
        np.empty_like(out) if shares.size > 1 else out
    )  # events of one component side by side, which are stored faster
    trials = end = 0
    for ready, size in zip(prepared.components, np.bincount(numbers, minlength=shares.size), strict=True):
        mine = slice(end, end := end + size)
        columns, target, track = made[:, mine], ready.component.target, ready.lattice.track
        columns[ROW["target_Z"]], columns[ROW["target_A"]] = target.Z, target.A
        trials += fill(ready.lattice, ready.process, beam, seed, events[mine], columns)
        if beam.lateral.size or track.rho.size:
            place_in_depth(track, seed, events[mine], columns, share[mine])
    if beam.lateral.size or beam.divergence > 0.0 or prepared.source.card.target.multiple_scattering:
        steer(beam, prepared.source.scattering, share, seed, events, made)
    if made is not out:
        for row, values in zip(out, made, strict=True):
            row[order] = values
    return trials


def _filler(prepared: Prepared, events: int, weighted: bool) -> Filler:
    """What makes events, of either kind of source."""
    if isinstance(prepared, PreparedCollisions):
        return prepared.filler(events, weighted)
    return functools.partial(_fill, prepared, prepared.sources(weighted), _beamline(prepared, events, weighted))


def chunks(
    prepared: Prepared, events: int, weighted: bool = False, workers: int = 1, chunk: int = CHUNK, first: int = 0
) -> Iterator[tuple[Columns, int]]:
    """Make events chunk by chunk; the next ones are made meanwhile.

    Parameters
    ----------
    prepared : PreparedSource or PreparedCollisions
    events : int
        Number of events.
    weighted : bool
        Keep every trial with its weight.
    workers : int
        Threads; with 0 all happens in the calling thread.
    chunk : int
        Events of a chunk.
    first : int
        Number of the first event.

    Yields
    ------
    columns : dict of arrays
        All branches but those of decays.
    trials : int
        Number of trials of the chunk.
    """
    fill_columns = _filler(prepared, events, weighted)
    share = -(-chunk // max(workers, 1))
    end = first + events

    def start(at: int) -> tuple[Array, list[Future[int]]]:
        out = np.empty((len(FLOAT_BRANCHES), min(chunk, end - at)))
        jobs = [pool.submit(fill_columns, at + i, out[:, i : i + share]) for i in range(0, out.shape[1], share)]
        return out, jobs

    starts = range(first, end, chunk)
    ahead = 2 if workers > 1 else 1  # chunks: no thread waits for the last one of a chunk
    with threads.pool(workers) as pool:
        under_way = deque(map(start, starts[:ahead]))
        for i, at in enumerate(starts):
            out, jobs = under_way.popleft()
            trials = sum(job.result() for job in jobs)
            under_way.extend(map(start, starts[i + ahead : i + ahead + 1]))
            if not np.isfinite(out.sum(axis=1)).all():
                message = f"events {at} to {at + out.shape[1]}: a number is not finite"
                raise ClosureError(message)
            columns: Columns = {"event": np.arange(at, at + out.shape[1], dtype=np.uint64)}
            columns |= dict(zip(FLOAT_BRANCHES, out, strict=True))
            yield (
                {name: of(columns) if (of := branch.of) else columns[name] for name, branch in BRANCHES.items()},
                trials,
            )


@dataclass(frozen=True, slots=True)
class Options:
    """What a file of events holds, besides the events that card, mass, seed and numbers fix."""

    weighted: bool = False  #: every trial with its weight instead of events of (almost) equal weight
    decays: DecayMode = DecayMode.NONE  #: if any, the daughters of S are in the file
    rntuple: bool = False  #: an RNTuple instead of a TTree
    branches: tuple[str, ...] = ()  #: all if empty
    layout: str = "flat"  #: or "particles" as in NanoAOD

    def __post_init__(self) -> None:
        object.__setattr__(self, "decays", DecayMode(self.decays))
        known = [*BRANCHES, *(DECAY_BRANCHES if self.decays else ())]
        for name in self.branches:
            choose(name, known, "branches")
        if choose(self.layout, LAYOUTS, "layout") == "particles" and self.branches:
            message = "branches: the layout of particles holds all of them"
            raise InputError(message)

    def document(self) -> dict[str, Any]:
        """As metadata and manifests hold them."""
        return asdict(self) | {"branches": list(self.branches)}

    @classmethod
    def of(cls, document: dict[str, Any]) -> Options:
        """Those of metadata or of a manifest."""
        return cls(**document | {"branches": tuple(document["branches"])})

    def arguments(self) -> dict[str, Any]:
        """The same as arguments of `generate`."""
        rest = {key: value for key, value in asdict(self).items() if key != "decays"}
        return rest | {"decays": self.decays is DecayMode.NATURAL, "force_decay": self.decays is DecayMode.FORCED}

    def keep(self, columns: Columns, weighted_decays: bool) -> Columns:
        """The columns that go into the file: always event and weight, with weighted decays decay_weight as well."""
        wanted = {"event", "weight", *self.branches, *(["decay_weight"] if weighted_decays else [])}
        return {name: c for name, c in columns.items() if name in wanted} if self.branches else columns


def open_writer(
    path: str | Path, card: Card, m_S: float, options: Options
) -> AbstractContextManager[RootWriter | nanoaod.ParticleWriter]:
    """What takes the events and, at the end, the metadata.

    Parameters
    ----------
    path : path
        ROOT file to make.
    card : Card
    m_S : float
        Mass of S in GeV.
    options : Options
        Its layout and kind of file count.
    """
    if options.layout == "particles":
        return nanoaod.particle_writer(path, card, m_S, options.rntuple)
    return event_writer(path, options.rntuple)


def write(
    prepared: Prepared,
    events: int,
    sink: Callable[[Columns], Any],
    options: Options,
    *,
    first: int = 0,
    workers: int = 1,
    chunk: int = CHUNK,
    max_pull: float = MAX_PULL,
    hashed: bool = True,
    progress: Callable[[int], None] | None = None,
) -> EventMeta:
    """Make events and give them to `sink`, chunk by chunk; return their metadata.

    Parameters
    ----------
    prepared : PreparedSource or PreparedCollisions
    events : int
        Number of events.
    sink : callable
        Called with the columns of each chunk that the options keep.
    options : Options
    first : int
        Number of the first event.
    workers : int
        Threads. With 0 all happens in the calling thread; otherwise the next chunk is made meanwhile.
    chunk : int
        Events of a chunk.
    max_pull : float
        Standard deviations between events and quadrature at which the run fails.
    hashed : bool
        Whether metadata have hashes of the content.
    progress : callable, optional
        Called with the number of events done after each chunk.

    Raises
    ------
    ClosureError
        If the events disagree with the quadrature by more than max_pull standard deviations.
    """
    card = prepared.source.card
    boson = Boson(card, card.scalar.model, prepared.m_S)
    how = DecayModel(
        boson, Search.of(card, prepared.m_S), card.scalar.g_mu, prepared.seed, options.decays is DecayMode.FORCED
    )
    sample = None
    if isinstance(prepared, PreparedSource) and prepared.known:
        sample = Closure(prepared.source, prepared.m_S, prepared.known, how)
    tally = Tally(prepared, events, options.weighted, max_pull, hashed, sample)
    weighted_decays = how.forced or card.scalar.decay is not None
    both_lines = has_both_lines(prepared.source, prepared.m_S)
    done = 0
    with threads.pool(min(workers, 1)) as side:
        for scattered, trials in chunks(prepared, events, options.weighted, workers, chunk, first):
            parts = line_parts(scattered, prepared.source, prepared.m_S) if both_lines else {}
            made = scattered | parts
            columns = decay(made, how) if options.decays else made
            kept = options.keep(columns, weighted_decays)
            added = side.submit(tally.add, columns, kept, trials)
            sink(kept)
            added.result()
            done += len(kept["event"])
            if progress:
                progress(done)
    extra: dict[str, Any] = {"first_event": first, "options": options.document()}
    if options.decays:
        extra["decays"] = str(options.decays)
        extra |= {"decay_law": law} if (law := how.law_on(prepared.source.targets)) else {}
    return tally.metadata() | extra


def already(
    path: str | Path, card: Card, m_S: float, events: int, seed: int, options: Options, first: int = 0
) -> EventFile | None:
    """The file that is there, if it holds the very events asked for; None if there is none, or if it may be replaced.

    Parameters
    ----------
    path : path
    card : Card
    m_S : float
        Mass of S in GeV.
    events, seed : int
        Number of events, and their seed.
    options : Options
    first : int
        Number of the first event.

    Raises
    ------
    InputError
        If another file is there and must not be replaced; before anything is computed.
    """
    if not at_stake(check_output(path)):
        return None
    try:
        file = EventFile(path)
        there = file.card.model_dump(exclude={"run": {"events", "seed"}})
    except InputError:
        refuse(path, "is there and is no whole event file of mcgen")
    meta = file.metadata
    asked = {
        "mcgen_version": __version__, "mass_gev": m_S, "seed": seed, "n_events": events, "first_event": first,
        "options": options.document(), "merged": None,
    }  # fmt: skip
    for key, value in asked.items():
        if meta.get(key) != value:
            shown = "" if isinstance(value, dict) or value is None else f" ({meta.get(key)} there, {value} asked for)"
            refuse(path, f"is there with another {key}{shown}" if value is not None else "is there with merged events")
    if there != card.model_dump(exclude={"run": {"events", "seed"}}):
        refuse(path, "is there with another card")
    if file.content_sha256() != meta["content_sha256"]:
        refuse(path, "is there and damaged (content hash differs)")
    return file


def _joined(kept: list[Columns]) -> Columns:
    """Chunks of events as one."""
    return kept[0] if len(kept) == 1 else {name: np.concatenate([c[name] for c in kept]) for name in kept[0]}


def in_passing(card: Card, m_S: float, events: int) -> Events:
    """The same events as those of `generate`, for one answer: metadata have no hashes, and no spectrum of t.

    Parameters
    ----------
    card : Card
    m_S : float
        Mass of S in GeV.
    events : int
        How many, made in the calling thread.
    """
    prepared = prepare(source_of(card), m_S, card.run.seed, 0, in_passing=True)
    kept: list[Columns] = []
    made = write(prepared, events, kept.append, Options(), workers=0, hashed=False)
    return Events(made, _joined(kept))


def generate(
    card: CardLike,
    m_S: Energy | None = None,
    events: float | None = None,
    seed: int | None = None,
    *,
    output: str | Path | None = None,
    weighted: bool = False,
    decays: bool = False,
    force_decay: bool = False,
    rntuple: bool = False,
    branches: Sequence[str] = (),
    layout: str = "flat",
    first: int = 0,
    workers: int = 1,
    chunk: int = CHUNK,
    overwrite: bool = False,
    progress: Progress = None,
) -> Events | EventFile:
    """Generate events of mu N -> mu N S in the target of a card, or of e+ e- -> l+ l- S where its beams collide.

    Parameters
    ----------
    card : Card, str or Path
        Or its name or file.
    m_S : float or str, optional
        Mass of S in GeV, or with a unit such as "100 MeV"; mass, number of events and seed default to the card's.
    events : int, optional
        May be written as 1e6.
    seed : int, optional
    output : path, optional
        ROOT file to write chunk by chunk; without it the events are returned in memory.
    weighted : bool
        Keep every trial with its weight instead of events of (almost) equal weight.
    decays : bool
        Add the daughters of S at the card's model and reference coupling (`DECAY_BRANCHES`).
    force_decay : bool
        The same with every decay inside the fiducial range and its probability as `decay_weight`.
    rntuple : bool
        Write an RNTuple instead of a TTree.
    branches : sequence of str
        Keep only these, event, weight and, with forced decays, decay_weight. Reweighting needs E_mu, depth_cm and S_E.
    layout : {"flat", "particles"}
        Branches of mcgen, or jagged `Particle_*` branches as in NanoAOD.
    first : int
        Number of the first event.
    workers : int
        Threads; no event depends on their number.
    chunk : int
        Events made and written at a time; no event depends on it.
    overwrite : bool
        Replace a file that is there. Without it, a file of the same events is left alone and not made again, and one of
        other events is an error.
    progress : bool or callable, optional
        True shows a bar; a function is called with the number of events done after each chunk.

    Returns
    -------
    EventFile or Events
        The file, or without one the events in memory.

    Raises
    ------
    InputError
        If the request cannot be met, or another file would be overwritten.
    ClosureError
        If the events disagree with the quadrature by more than chance allows; no file is left then.
    """
    card = load_card(card)
    n = card.run.events if events is None else whole(events, "events")
    for name, number in (("events", n), ("workers", workers), ("chunk", chunk)):
        refuse_if(number < 1, f"{name}: {number} must be at least 1")
    how = DecayMode.of(decays, force_decay)
    options = Options(weighted, how, rntuple, tuple(branches), layout)
    mass, own_seed = card.scalar.mass if m_S is None else energy(m_S, "m_S"), card.run.seed if seed is None else seed
    check_number("mass", mass, LOWEST_MASS, 1e6)
    refuse_if(not 0 <= own_seed < 2**63, f"seed: {own_seed} must lie in 0..2^63-1")
    with contextlib.ExitStack() as stack:
        stack.enter_context(overwriting(overwrite))
        if output is not None:
            file = already(output, card, mass, n, own_seed, options, first)
            if file:
                leave(output)
                return file
        writer = stack.enter_context(open_writer(output, card, mass, options)) if output is not None else None
        kept: list[Columns] = []
        with step("cells and normalisation"):
            prepared = prepare(source_of(card), mass, own_seed, workers)
        sink = writer.write if writer else kept.append
        hear = stack.enter_context(reported(progress, "events", n))
        made = write(prepared, n, sink, options, first=first, workers=workers, chunk=chunk, progress=hear)
        if writer is None:
            return Events(made, _joined(kept))
        writer.finish(made)
    assert output is not None
    return EventFile(output)
