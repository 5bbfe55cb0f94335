"""`mcgen generate CARD -o FOLDER`: a production in one call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mcgen.base.asked import Energy, energy, whole
from mcgen.base.progress import Progress, reported
from mcgen.campaign import engines
from mcgen.campaign.production import plan_of, produce
from mcgen.events.meta import DecayMode
from mcgen.events.pool import Pool
from mcgen.generation.generate import Options
from mcgen.source.source import CardLike, load_card


def generate_folder(
    card: CardLike,
    output: str | Path,
    m_S: Energy | None = None,
    events: float | None = None,
    seed: int | None = None,
    *,
    partition_events: float = 1e6,
    weighted: bool = False,
    decays: bool = False,
    force_decay: bool = False,
    rntuple: bool = False,
    branches: Sequence[str] = (),
    layout: str = "flat",
    workers: int = 1,
    scheduler: str | None = None,
    verify: bool = False,
    progress: Progress = None,
) -> Pool:
    """Generate events into a folder of partitions; what an interrupted call left is kept and completed.

    Parameters
    ----------
    card : Card, str or Path
        Or its name or file.
    output : path
        Folder, made if missing; another production in it is an error.
    m_S : float or str, optional
        Mass of S in GeV, or with a unit; mass, number of events and seed default to the card's.
    events : int, optional
        May be written as 1e9.
    seed : int, optional
    partition_events : int
        Events in each file but the last.
    weighted, decays, force_decay, rntuple, branches, layout
        What a file holds, as of `mcgen.generate`.
    workers : int
        Processes on this machine.
    scheduler : str, optional
        Address of a dask scheduler whose workers make the partitions instead.
    verify : bool
        Compare the hash of the events that are there.
    progress : bool or callable, optional
        True shows a bar; a function is called with the number of events that are there.

    Returns
    -------
    Pool
        All events of the folder.

    Raises
    ------
    InputError
        If the folder holds something else.
    ClosureError
        If the events disagree with the quadrature.
    """
    how = DecayMode.of(decays, force_decay)
    options = Options(weighted, how, rntuple, tuple(branches), layout)
    asked = None if m_S is None else energy(m_S, "m_S"), None if events is None else whole(events, "events"), seed
    plan = plan_of(load_card(card), *asked, whole(partition_events, "partition_events"), options)
    engine = engines.processes(workers) if scheduler is None else engines.dask(scheduler)
    with reported(progress, "events", plan.events) as step:
        produce(plan, output, engine=engine, verify=verify, progress=step)
    return Pool([plan.path(Path(output), i) for i in range(plan.partitions)])
