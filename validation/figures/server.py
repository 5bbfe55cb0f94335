"""A process that measures one version of mcgen: names of figures in, one line of JSON each out."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module

from validation.figures.figure import FIGURES

PARTS = ("kernels", "generation", "yields", "files")


def measure(name: str) -> dict[str, float | str]:
    """The value of a figure, or why it is missing."""
    try:
        return {"value": FIGURES[name].measure()}
    except Exception as error:
        return {"missing": f"{type(error).__name__}: {error}".splitlines()[0]}


def main() -> None:
    """Answer until the input ends; what is measured may print, but not among the answers."""
    for part in PARTS:
        import_module(f"validation.figures.{part}")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        print(json.dumps(measure(line.strip())), file=answers, flush=True)


if __name__ == "__main__":
    main()
