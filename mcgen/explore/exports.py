"""What can be taken away from a page: bytes, and the name of the file."""

from __future__ import annotations

from typing import NamedTuple

from mcgen.analysis.reach_rows import ReachTable
from mcgen.explore.setup import Setup


class Export(NamedTuple):
    """A file."""

    name: str
    content: bytes


def card(setup: Setup) -> Export:
    """The card."""
    return Export(f"{setup.value('name')}.toml", setup.card_text().encode())


def state(setup: Setup) -> Export:
    """The state, which a page can be opened with again."""
    raise NotImplementedError


def csv(setup: Setup, rows: ReachTable) -> Export:
    """The contour, as `mcgen reach -o`."""
    raise NotImplementedError


def hepdata(setup: Setup, rows: ReachTable) -> Export:
    """A submission to HEPData, zipped."""
    raise NotImplementedError


def picture(setup: Setup, rows: ReachTable, kind: str = "png") -> Export:
    """The figure, as `mcgen reach --plot`; png, pdf or svg."""
    raise NotImplementedError
