"""`mcgen validate`: the paper reproduced, as a report."""

from __future__ import annotations

from pathlib import Path

import click

from mcgen.cli.display import report, written
from mcgen.cli.options import Writing, json_option, output_option, workers_option
from mcgen.cli.progress import stages


@click.command(cls=Writing)
@output_option("Folder of the report.", default=Path("mcgen-report"), show_default=True)
@workers_option
@json_option("file, checks (a CSV of every number compared)")
def validate(output: Path, workers: int, as_json: bool) -> None:
    """The paper's figures and tables and every reference beside ours, as an HTML report with CSV.

    \b
    $ mcgen validate -o report
    """
    from mcgen.report import validate as reports

    with stages() as begin:
        path = reports.validate(output, workers=workers, progress=begin)
    report(as_json, {"file": str(path), "checks": str(output / "checks.csv")}, written(path))
