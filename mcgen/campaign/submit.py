"""Files that submit a production to a batch system as an array of jobs, none of which knows of the others."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from mcgen.campaign.production import Plan

#: jobs of an array; what schedulers allow by default
MAX_JOBS = 1000

_SLURM = """#!/bin/bash
#SBATCH --job-name=mcgen
#SBATCH --array=0-{last_job}
#SBATCH --cpus-per-task=1
#SBATCH --mem=2G
#SBATCH --time=24:00:00
#SBATCH --requeue
# a killed job goes on where it stopped; `sbatch` of this file again makes what is missing
exec {command} --job "$SLURM_ARRAY_TASK_ID/{jobs}"
"""

_HTCONDOR = """# a killed job goes on where it stopped; `condor_submit` of this file again makes what is missing
universe = vanilla
executable = /bin/sh
arguments = "-c 'exec {command} --job $(Process)/{jobs}'"
getenv = true
request_cpus = 1
request_memory = 2GB
max_retries = 3
log = mcgen.log
error = mcgen.$(Process).err
queue {jobs}
"""


def submit_file(system: str, card: str, output: Path, plan: Plan, boson: Sequence[str] = ()) -> str:
    """The file for `sbatch` or `condor_submit`.

    Parameters
    ----------
    system : {"slurm", "htcondor"}
    card : str
        Name or path; it must be the same on all machines, as that of the folder.
    output : Path
        Folder of the production.
    plan : Plan
    boson : sequence of str
        Options that change the boson of the card.
    """
    jobs = job_count(plan)
    command = shlex.join(call(card, output, plan, boson))
    if system == "slurm":
        return _SLURM.format(last_job=jobs - 1, jobs=jobs, command=command)
    return _HTCONDOR.format(jobs=jobs, command=command.replace("'", "''").replace('"', '""'))


def job_count(plan: Plan) -> int:
    """Jobs of the array of a plan: one a partition, as far as schedulers allow."""
    return min(plan.partitions, MAX_JOBS)


def share(job: int, jobs: int, partitions: int) -> range:
    """The partitions of a job: each belongs to one of the jobs, and their shares differ by one at most.

    Parameters
    ----------
    job : int
        Number of the job, 0 to jobs - 1.
    jobs, partitions : int
        How many there are; if there are more jobs, some have none.
    """
    return range(job * partitions // jobs, (job + 1) * partitions // jobs)


def call(card: str, output: Path, plan: Plan, boson: Sequence[str] = ()) -> list[str]:
    """The command that makes a plan.

    Parameters
    ----------
    card : str
        Name or path.
    output : Path
        Folder of the production.
    plan : Plan
    boson : sequence of str
        Options that change the boson of the card.
    """
    path = Path(card)
    how = plan.options
    return [
        *("mcgen", "generate", str(path.resolve()) if path.is_file() else card, "-o", str(output.resolve())),
        *boson,
        *("--mass", repr(plan.mass_gev), "--events", str(plan.events), "--seed", str(plan.seed)),
        *("--partition-events", str(plan.partition_events), "--workers", "1"),
        *(["--weighted"] if how.weighted else []),
        *({"": [], "natural": ["--decays"], "forced": ["--force-decay"]}[how.decays]),
        *(["--layout", how.layout] if how.layout != "flat" else []),
        *(["--rntuple"] if how.rntuple else []),
        *(["--branches", ",".join(how.branches)] if how.branches else []),
    ]
