"""Libraries of single scatterings at chosen energies, for simulations that track the beam themselves (G4DarkBreM)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from mcgen.base.asked import Energies, Energy, energies, energy, renamed, whole
from mcgen.base.errors import InputError, check_number, refuse_if
from mcgen.base.estimate import Estimate
from mcgen.base.files import overwriting
from mcgen.base.pdg import check_boson
from mcgen.base.progress import Progress, reported
from mcgen.card.card import Card
from mcgen.events.branches import FLOAT_BRANCHES, ROW, Columns
from mcgen.events.formats import g4darkbrem
from mcgen.generation.kernel import NO_PARTICLES, Beamline, fill
from mcgen.generation.lattice import build_lattice
from mcgen.physics.emission import cross_section
from mcgen.physics.emission.amplitude import Process
from mcgen.source.source import CardLike, Source, load_card
from mcgen.source.targets import Target
from mcgen.source.track import Track

#: highest ratio of neighbouring energies of a library, as in those made with MadGraph
RATIO = 1.1
_CHUNK = 20_000


def default_energies(card: Card, m_S: float) -> list[float]:
    """Energies in GeV from the end of the target, or a little above threshold, to the beam's, in equal ratios."""
    source = Source(card)
    threshold = max(source.process(m_S, target).threshold for target in source.targets)
    low, high = max(source.E_exit, RATIO * threshold), card.beam.E_max
    steps = math.ceil(math.log(high / low) / math.log(RATIO)) if high > 1.01 * low else 0
    return [high * (low / high) ** (i / steps) if steps else high for i in range(steps, -1, -1)]


def scatterings(
    process: Process, target: Target, E: float, events: int, seed: int, first: int = 0
) -> Iterator[Columns]:
    """Events at one energy on one target, in chunks.

    Parameters
    ----------
    process : Process
        Constants of the kernels.
    target : Target
        What is hit.
    E : float
        Total beam energy in GeV.
    events, seed : int
        Number of events, and seed of their random numbers.
    first : int
        Number of the first event.

    Yields
    ------
    dict of arrays
        The branches of a chunk. Depth, vertex, tau and decay have no meaning; the weight is 1, a little more in a few
        of 1e5 events.
    """
    none = np.empty(0)
    track = Track(np.array([E, E]), np.zeros(2), 1.0, 0.0, 0.0, none, none, none)
    lattice = build_lattice(track, process)
    beam = Beamline(0.0, 0.0, NO_PARTICLES, 0.0, unweighted=True, unit_weight=1.0)
    for start in range(0, events, _CHUNK):
        out = np.empty((len(FLOAT_BRANCHES), min(_CHUNK, events - start)))
        numbers = first + start + np.arange(out.shape[1])
        out[ROW["target_Z"]], out[ROW["target_A"]] = target.Z, target.A
        fill(lattice, process, beam, np.uint64(seed), numbers, out)
        yield {"event": numbers} | dict(zip(FLOAT_BRANCHES, out, strict=True))


def _writer(
    path: Path, source: Source, m_S: float, energies: Sequence[float], unit: str, boson: int | None
) -> AbstractContextManager[Any]:
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".csv"):
        return g4darkbrem.writer(path, unit=unit)
    refuse_if(not name.endswith(".lhe"), f"output {path}: a library ends in .csv or .lhe, perhaps with .gz")
    if len(source.targets) > 1:
        message = f"output {path}: an LHE library holds one element, this target has more; write .csv"
        raise InputError(message)
    process = source.beam_line(m_S)
    sigmas = [(E, Estimate(*cross_section.sigma(E, process), math.inf)) for E in energies]
    return g4darkbrem.lhe_writer(path, source.card, source.targets[0], m_S, sigmas, boson)


@renamed(energies="E_mu")
def library(
    card: CardLike,
    output: str | Path,
    E_mu: Energies | None = None,
    events: float = 20_000,
    m_S: Energy | None = None,
    seed: int | None = None,
    *,
    unit: str = "GeV",
    boson_pdg: int | None = None,
    overwrite: bool = False,
    progress: Progress = None,
) -> Path:
    """Write events at chosen energies on every element of a card's target, in the format of G4DarkBreM.

    Parameters
    ----------
    card : Card, str or Path
        Or its name or file.
    output : path
        Ends in .csv or .lhe, perhaps with .gz.
    E_mu : float, str or sequence, optional
        Total energies of the lepton in GeV; from the end of the target to the beam's in steps of 10 % by default.
    events : int
        Per element and energy.
    m_S : float or str, optional
        Mass in GeV, or with a unit; mass and seed default to the card's.
    seed : int, optional
    unit : {"GeV", "MeV"}
        Of a CSV file; LHE is in GeV.
    boson_pdg : int, optional
        Number of the emitted particle in an LHE file, by default 54, or 55 of spin 1; 622 is that of LDMX.
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
        If an energy is below threshold, the ending is unknown, or another file would be overwritten.

    Notes
    -----
    Events carry no weights: the few in 1e5 that stand for a little more than one (`mcgen.generation.lattice`) count as
    one.
    """
    path, card = Path(output), load_card(card)
    m_S = card.scalar.mass if m_S is None else energy(m_S, "m_S")
    events = whole(events, "events")
    seed = card.run.seed if seed is None else seed
    source = Source(card)
    source.check_mass(m_S)
    g4darkbrem.check_process(card)
    refuse_if(events < 1, f"events: {events} must be at least 1")
    if boson_pdg is not None:
        check_boson(boson_pdg)
    points = default_energies(card, m_S) if E_mu is None else energies(E_mu, "E_mu")
    for E in points:
        for target in source.targets:
            check_number(f"E_mu, on {target.name}", E, source.process(m_S, target).threshold, 1e6)
    done = 0
    total = events * len(points) * len(source.targets)
    with (
        overwriting(overwrite),
        _writer(path, source, m_S, points, unit, boson_pdg) as writer,
        reported(progress, "events", total) as step,
    ):
        for target in source.targets:
            process = source.beam_line(m_S, target)
            for E in points:
                for columns in scatterings(process, target, E, events, seed, done):
                    writer.write(columns)
                    done += len(columns["event"])
                    if step:
                        step(done)
    return path
