"""The tables of docs/speed.md from the figures of benchmarks.json.

python -m validation.speed_page
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE, FIGURES = ROOT / "docs" / "speed.md", ROOT / "validation" / "benchmarks.json"


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """A table, numbers to the right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _short(values: list[float]) -> str:
    return f"{statistics.median(values):.3g}" if values else "-"


def figures(document: dict[str, Any]) -> str:
    """Every figure, with the median of its gains and their range."""
    rows = []
    for row in document["rows"]:
        pairs = zip(row["now"], row["before"], strict=False)
        gains = [now / before if row["rises"] else before / now for now, before in pairs]
        spread = f"{_short(gains)} ({min(gains):.2f} to {max(gains):.2f})" if gains else "-"
        rows.append([row["text"], row["unit"], _short(row["before"]), _short(row["now"]), spread, row["peer"]])
    return markdown(["figure", "unit", "before", "now", "times better", "others"], rows)


def stages(document: dict[str, Any]) -> str:
    """What a point needs in each stage, and takes."""
    rows = [
        [f"`{r['name']}`", *(str(r[kind]) for kind in ("divisions", "roots", "others")),
         f"{r['least']:.1f}", f"{r['takes']:.1f}"]
        for r in document["needs"]
    ]  # fmt: skip
    return markdown(["stage", "divisions", "roots", "other operations", "least, ns", "takes, ns"], rows)


def filled(page: str, document: dict[str, Any]) -> str:
    """The page with its tables replaced."""
    for name, table in (("figures", figures(document)), ("stages", stages(document))):
        start, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
        page = page[: page.index(start) + len(start)] + table + page[page.index(end) :]
    return page


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(), json.loads(FIGURES.read_text())))
