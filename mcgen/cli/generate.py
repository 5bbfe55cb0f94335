"""`mcgen generate`: event files, and productions of many partitions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcgen.cli.display import bar
from mcgen.cli.options import (
    ENERGY,
    Count,
    Writing,
    events_option,
    mediator_option,
    model_option,
    seed_option,
    workers_option,
)
from mcgen.errors import InputError
from mcgen.event_meta import DecayMode
from mcgen.files import policy

if TYPE_CHECKING:
    from mcgen.card import Card
    from mcgen.generation import Options


@click.command(cls=Writing)
@click.argument("card")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Event file ending in .root, or a folder."
)
@click.option("--mass", type=ENERGY, help="Mass of S.  [default: the card's]")
@mediator_option
@model_option
@events_option
@seed_option
@workers_option
@click.option("--decays", is_flag=True, help="Add the daughters of S at the card's reference coupling.")
@click.option(
    "--force-decay", is_flag=True, help="The same, every decay inside the fiducial range, with its probability."
)
@click.option("--layout", default="flat", show_default=True, help="flat, or particles as in NanoAOD.")
@click.option("--rntuple", is_flag=True, help="Write an RNTuple instead of a TTree.")
@click.option("--weighted", is_flag=True, help="Keep every trial with its weight.")
@click.option("--branches", help="Keep these branches only, a,b,c, and event and the weights.")
@click.option("--chunk", type=Count(10**7), default=100_000, show_default=True, help="Events written at a time.")
@click.option(
    "--partition-events", type=Count(10**9), default=10**6, show_default=True, help="Of a folder: events per file."
)
@click.option("--partition", help="Of a folder: make only partition i or i:j, as in a job array.")
@click.option("--verify", is_flag=True, help="Of a folder: compare the hash of the events that are there.")
@click.option(
    "--submit",
    type=click.Choice(["slurm", "htcondor"]),
    help="Of a folder: show the file of a job array, make nothing.",
)
@click.option("--scheduler", help="Of a folder: address of a dask scheduler, such as tcp://host:8786.")
def generate(
    card: str,
    output: Path,
    mass: float | None,
    mediator: str | None,
    model: str | None,
    events: int | None,
    seed: int | None,
    workers: int,
    decays: bool,
    force_decay: bool,
    layout: str,
    rntuple: bool,
    weighted: bool,
    branches: str | None,
    chunk: int,
    **production: Any,
) -> None:
    """Write an event file, or a folder of partitions.

    The same command on a folder resumes what was interrupted and makes only what is missing.

    \b
    $ mcgen generate na64 -o events.root --mass 10MeV --events 1e6
    $ mcgen generate na64 -o folder --mass 10MeV --events 1e9 --workers 16
    $ mcgen generate na64 -o folder --mass 10MeV --events 1e9 --submit slurm > job.sh && sbatch job.sh
    """
    from mcgen.generation import Options
    from mcgen.source.source import load_card

    experiment = load_card(card).with_boson(mediator, model)
    how = DecayMode.FORCED if force_decay else DecayMode.NATURAL if decays else DecayMode.NONE
    kept = tuple(name.strip() for name in (branches or "").split(",") if name.strip())
    options = Options(weighted, how, rntuple, kept, layout)
    if output.suffix == "":
        if policy().overwrite:
            message = (
                f"--overwrite: is for a file; the production in a folder is resumed, and removed by hand ({output})"
            )
            raise InputError(message)
        production["boson"] = [f"--{key}={value}" for key, value in (("mediator", mediator), ("model", model)) if value]
        _folder(card, experiment, output, mass, events, seed, workers, options, **production)
        return
    if output.suffix.lower() != ".root":
        message = f"output {output}: the name must end in .root, or have no ending for a folder of partitions"
        raise InputError(message)
    given = [name for name in ("partition", "verify", "scheduler", "submit") if production[name]]
    if given:
        message = f"--{given[0]}: is for a folder of partitions, and {output} is a file"
        raise InputError(message)
    _file(experiment, output, mass, events, seed, workers, options, chunk)


def _file(
    experiment: Card,
    output: Path,
    mass: float | None,
    events: int | None,
    seed: int | None,
    workers: int,
    options: Options,
    chunk: int,
) -> None:
    from mcgen import exposure, generation

    n = events or experiment.run.events
    with bar("events", n) as progress:
        made = generation.generate(
            experiment,
            mass,
            n,
            seed,
            output=output,
            **options.arguments(),
            workers=workers,
            chunk=chunk,
            progress=progress,
        )
    meta = made.metadata
    click.echo(
        f"{output}: {n} events, {exposure.yield_unit(experiment)}: {meta['yield_per_muon']:.6g} "
        f"+- {meta['yield_error']:.2g}, pull against quadrature {meta['pull']:+.2f}, worst in t "
        f"{meta['pull_t_worst']:.1f}; efficiency {meta['unweighting_efficiency']:.3f}, "
        f"overweight {meta['overweight_fraction']:.1e}"
    )


def _folder(
    card: str,
    experiment: Card,
    output: Path,
    mass: float | None,
    events: int | None,
    seed: int | None,
    workers: int,
    options: Options,
    partition_events: int,
    partition: str | None,
    verify: bool,
    scheduler: str | None,
    submit: str | None,
    boson: Sequence[str],
) -> None:
    from mcgen import batch, engines, exposure, production

    plan = production.plan_of(experiment, mass, events, seed, partition_events, options)
    if submit:
        click.echo(batch.submit_file(submit, card, output, plan, boson), nl=False)
        return
    asked = _partitions(partition, plan.partitions)
    engine = engines.dask(scheduler) if scheduler is not None else engines.processes(workers)
    with bar("events", sum(plan.size(i) for i in asked)) as progress:
        done = production.produce(plan, output, partitions=asked, engine=engine, verify=verify, progress=progress)
    new = f"{len(done.made)} partitions made"
    if done.damaged:
        new += f", {len(done.damaged)} of them anew because they were damaged"
    if done.metadata is None:
        click.echo(f"{output}: {new}, {len(done.missing)} of {plan.partitions} missing")
        return
    meta = done.metadata
    click.echo(
        f"{output}: {plan.events} events in {plan.partitions} partitions ({new}), {exposure.yield_unit(experiment)}: "
        f"{meta['yield_per_muon']:.6g} +- {meta['yield_error']:.2g}, pull against quadrature {meta['pull']:+.2f}; "
        f"content {meta['content_sha256'][:12]}"
    )


def _partitions(text: str | None, n: int) -> Sequence[int]:
    """Those of 'i' or 'i:j', both ends included; all without a text."""
    if text is None:
        return range(n)
    match = re.fullmatch(r"([0-9]{1,9})(?::([0-9]{1,9}))?", text.strip())
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, -1)
    if not 0 <= first <= last < n:
        message = f"--partition: '{text[:40]}' is not i or i:j with 0 <= i <= j < {n}"
        raise InputError(message)
    return range(first, last + 1)
