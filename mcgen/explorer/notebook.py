"""`mcgen.explore`: the page inside a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcgen.base.extras import optional
from mcgen.source.source import CardLike

if TYPE_CHECKING:
    from mcgen.explorer.page import Explorer


def explore(card: CardLike | None = None) -> Explorer:
    """A page where an experiment is moved and its reach follows, as `mcgen explore` serves it, inside a notebook.

    Parameters
    ----------
    card : str, path or Card, optional
        By default the beam dump of the paper.

    Returns
    -------
    Explorer
        It shows itself at the end of a cell. `setup.card` is the card as it is now, and `rows` its contour.
    """
    panel = optional("panel", "mcgen.explore", "explore")
    from mcgen.explorer.page import Explorer
    from mcgen.explorer.setup import Setup

    panel.extension(inline=True)  # loads nothing from elsewhere
    return Explorer(Setup.of(card))
