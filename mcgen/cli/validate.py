"""`mcgen validate`: the paper reproduced, as a report."""

from __future__ import annotations

from pathlib import Path

import click

from mcgen.cli.display import print_written
from mcgen.cli.options import Writing, output_option, workers_option


@click.command(cls=Writing)
@output_option("Folder of the report.", default=Path("mcgen-report"), show_default=True)
@workers_option
def validate(output: Path, workers: int) -> None:
    """The paper's figures and tables and every reference beside ours, as an HTML report with CSV.

    \b
    $ mcgen validate -o report
    """
    from rich.console import Console

    from mcgen.report import validate as report

    with Console(stderr=True).status("tables") as status:
        path = report.validate(output, workers=workers, progress=status.update)
    print_written(path)
