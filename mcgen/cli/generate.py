"""`mcgen generate`: event files, and productions of many partitions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from mcgen.base.errors import refuse_if
from mcgen.base.files import policy
from mcgen.cli.display import SAMPLE, print_json, report, sample_document, yield_text
from mcgen.cli.names import LAYOUT
from mcgen.cli.options import (
    Count,
    Writing,
    card_argument,
    flag,
    json_option,
    mass_option,
    names_in,
    output_option,
    sample_options,
)  # fmt: skip
from mcgen.cli.progress import bar

if TYPE_CHECKING:
    from mcgen.campaign.production import Produced
    from mcgen.card.card import Card
    from mcgen.generation.generate import Options


class Request(NamedTuple):
    """What is to be generated, and by how many workers."""

    card: Card
    mass: float | None  #: GeV; of the card if none is given, as events and seed
    events: int | None
    seed: int | None
    workers: int
    options: Options


@click.command(cls=Writing)
@card_argument
@output_option("Event file ending in .root, or a folder.", required=True)
@mass_option
@sample_options
@flag("--decays", "Add the daughters of S at the card's reference coupling.")
@flag("--force-decay", "The same, every decay inside the fiducial range, with its probability.")
@click.option("--layout", type=LAYOUT, default="flat", show_default=True, help="flat, or particles as in NanoAOD.")
@flag("--rntuple", "Write an RNTuple instead of a TTree.")
@flag("--weighted", "Keep every trial with its weight.")
@click.option("--branches", help="Keep these branches only, a,b,c, and event and the weights.")
@click.option("--chunk", type=Count(10**7), default=100_000, show_default=True, help="Events written at a time.")
@click.option(
    "--partition-events", type=Count(10**9), default=10**6, show_default=True, help="Of a folder: events per file."
)
@click.option("--partition", help="Of a folder: make only partition i, or i:j.")
@click.option("--job", help="Of a folder: make the share of job i of n, i/n with i from 0, as in a job array.")
@flag("--verify", "Of a folder: compare the hash of the events that are there.")
@click.option(
    "--submit", type=click.Choice(["slurm", "htcondor"]),
    help="Of a folder: show the file of a job array, make nothing.",
)  # fmt: skip
@click.option("--scheduler", help="Of a folder: address of a dask scheduler, such as tcp://host:8786.")
@json_option(", ".join(("file", *SAMPLE)) + "; of a folder also partitions, made, damaged, missing")
def generate(card: str, output: Path, chunk: int, as_json: bool, **given: Any) -> None:
    """Write an event file, or a folder of partitions.

    The same command on a folder resumes what was interrupted and makes only what is missing.

    \b
    $ mcgen generate na64 -o events.root --mass 10MeV --events 1e6
    $ mcgen generate na64 -o folder --mass 10MeV --events 1e9 --workers 16
    $ mcgen generate na64 -o folder --mass 10MeV --events 1e9 --submit slurm > job.sh && sbatch job.sh
    """
    asked = _request(card, given)
    if output.suffix == "":
        what = f"the production in a folder is resumed, and removed by hand ({output})"
        refuse_if(policy().overwrite, f"--overwrite: is for a file; {what}")
        _folder(asked, output, card, given, as_json)
        return
    endings = "the name must end in .root, or have no ending for a folder of partitions"
    refuse_if(output.suffix.lower() != ".root", f"output {output}: {endings}")
    for name in ("partition", "job", "verify", "scheduler", "submit"):
        refuse_if(given[name], f"--{name}: is for a folder of partitions, and {output} is a file")
    _file(asked, output, chunk, as_json)


def _request(card: str, given: dict[str, Any]) -> Request:
    from mcgen.events.meta import DecayMode
    from mcgen.generation.generate import Options
    from mcgen.source.source import load_card

    experiment = load_card(card).with_boson(given["mediator"], given["model"], given["isotropic"])
    decays = DecayMode.of(given["decays"], given["force_decay"])
    kept = tuple(name for name in names_in(given["branches"]) if name)
    options = Options(given["weighted"], decays, given["rntuple"], kept, given["layout"])
    return Request(experiment, given["mass"], given["events"], given["seed"], given["workers"], options)


def _file(asked: Request, output: Path, chunk: int, as_json: bool) -> None:
    from mcgen.generation import generate as generation

    n = asked.events or asked.card.run.events
    how = asked.options.arguments() | {"output": output, "workers": asked.workers, "chunk": chunk}
    with bar("events", n) as progress:
        made = generation.generate(asked.card, asked.mass, n, asked.seed, **how, progress=progress)
    meta = made.metadata
    binned = meta["t_spectrum"].get("variable", "t")
    text = (
        f"{output}: {n} events, {yield_text(asked.card, meta)}, pull against quadrature {meta['pull']:+.2f}, worst in "
        f"{binned} {meta['pull_t_worst']:.1f}; efficiency {meta['unweighting_efficiency']:.3f}, "
        f"overweight {meta['overweight_fraction']:.1e}"
    )
    report(as_json, sample_document(output, meta), text)


def _folder(asked: Request, output: Path, card: str, given: dict[str, Any], as_json: bool) -> None:
    from mcgen.campaign import engines, production
    from mcgen.campaign import submit as batch

    plan = production.plan_of(
        asked.card, asked.mass, asked.events, asked.seed, given["partition_events"], asked.options
    )
    if given["submit"]:
        boson = [f"--{key}={given[key]}" for key in ("mediator", "model") if given[key]]
        boson += ["--isotropic"] if given["isotropic"] else []
        script = batch.submit_file(given["submit"], card, output, plan, boson)
        if as_json:
            print_json({"file": str(output), "system": given["submit"], "jobs": batch.job_count(plan), "text": script})
        else:
            click.echo(script, nl=False)
        return
    partitions = _partitions(given["partition"], given["job"], plan.partitions)
    address = given["scheduler"]
    engine = engines.processes(asked.workers) if address is None else engines.dask(address)
    with bar("events", sum(plan.size(i) for i in partitions)) as progress:
        done = production.produce(
            plan, output, partitions=partitions, engine=engine, verify=given["verify"], progress=progress
        )
    counts = {key: len(getattr(done, key)) for key in ("made", "damaged", "missing")}
    document = sample_document(output, done.metadata or {}) | {"partitions": plan.partitions}
    report(as_json, document | counts, f"{output}: {_made(asked.card, done)}")


def _made(card: Card, done: Produced) -> str:
    """What there is in a folder, in a line."""
    new, plan = f"{len(done.made)} partitions made", done.plan
    if done.damaged:
        new += f", {len(done.damaged)} of them anew because they were damaged"
    if done.metadata is None:
        return f"{new}, {len(done.missing)} of {plan.partitions} missing"
    meta = done.metadata
    return (
        f"{plan.events} events in {plan.partitions} partitions ({new}), {yield_text(card, meta)}, "
        f"pull against quadrature {meta['pull']:+.2f}; content {meta['content_sha256'][:12]}"
    )


def _partitions(text: str | None, job: str | None, n: int) -> Sequence[int]:
    """Those of 'i' or 'i:j', both ends included, or of job 'i/n'; all without a text."""
    from mcgen.campaign.submit import share

    refuse_if(text and job, "--partition, --job: give one or the other")
    if job is not None:
        match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", job.strip())
        i, jobs = (int(match[1]), int(match[2])) if match else (0, 0)
        refuse_if(not i < jobs, f"--job: '{job[:40]}' is not i/n with 0 <= i < n")
        return share(i, jobs, n)
    if text is None:
        return range(n)
    match = re.fullmatch(r"([0-9]{1,9})(?::([0-9]{1,9}))?", text.strip())
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, -1)
    refuse_if(not 0 <= first <= last < n, f"--partition: '{text[:40]}' is not i or i:j with 0 <= i <= j < {n}")
    return range(first, last + 1)
