"""Pages that the program writes of itself: keys and cards, branches, and the numbers that the report compares."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

from sphinx.application import Sphinx

import mcgen
from mcgen.card.card import builtin_cards
from mcgen.events.branches import BRANCHES, DECAY_BRANCHES, Branch
from mcgen.report import validate


def _cards() -> str:
    """Keys of a card, and the cards that come with the program with all their comments."""
    keys = mcgen.schema(markdown=True).replace("# Keys of a card", "# Cards", 1)
    cards = [
        f"### {name}\n\n```toml\n{path.read_text(encoding='utf-8').rstrip()}\n```\n"
        for name, path in builtin_cards().items()
    ]
    return f"{keys}\n## The cards that come with mcgen\n\n" + "\n".join(cards)


def _rows(branches: Mapping[str, Branch]) -> str:
    rows = [f"| `{name}` | {one.unit} | {one.meaning} |" for name, one in branches.items()]
    return "\n".join(["| branch | unit | meaning |", "|---|---|---|", *rows]) + "\n"


def _branches() -> str:
    return f"## Every event\n\n{_rows(BRANCHES)}\n## Files with decays\n\n{_rows(DECAY_BRANCHES)}"


def _checks() -> str:
    """Every number of the report beside its reference; the site needs no figure of it."""
    lines = [validate.CHECKED, ["---"] * len(validate.CHECKED), *itertools.chain(*validate.checks().values())]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |" for row in lines) + "\n"


def _write(app: Sphinx) -> None:
    folder = Path(app.srcdir) / "_generated"
    folder.mkdir(exist_ok=True)
    pages = {"card.md": _cards(), "branches.md": _branches(), "checks.md": _checks()}
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:  # what is the same is not built again
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx looks for its sources."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
