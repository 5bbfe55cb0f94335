"""How far a long call is, for those who ask: `progress=True`, or a function that is told."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

#: True shows a bar, in a notebook or on stderr; a function is called with what is done
Progress = Callable[[int], None] | bool | None

#: seconds between two changes of a bar
_PAUSE = 0.1


def _notebook() -> Any:
    """What shows HTML in the notebook that runs this, if one does."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return ipython.display if ipython and "ZMQ" in type(shell).__name__ else None


def _shower() -> Callable[[int, int, str], None]:
    """A function that shows how much of how much of what is done."""
    display = _notebook()
    handles: list[Any] = []

    def in_notebook(done: int, total: int, what: str) -> None:
        share = f'value="{done}" max="{total}"' if total else ""
        html = display.HTML(f"<progress {share}></progress> {escape(_text(done, total, what))}")
        if handles:
            handles[0].update(html)
        else:
            handles.append(display.display(html, display_id=True))

    def on_terminal(done: int, total: int, what: str) -> None:
        sys.stderr.write(f"\r{_text(done, total, what)}")
        sys.stderr.flush()

    return in_notebook if display else on_terminal


def _text(done: int, total: int, what: str) -> str:
    return f"{what}: {done} of {total}" if total else f"{what}: {done}"


@contextlib.contextmanager
def reported(progress: Progress, what: str, total: int = 0) -> Iterator[Callable[[int], None] | None]:
    """The function that a long call tells how much is done, if anybody wants to know.

    Parameters
    ----------
    progress : bool or callable, optional
        What the user of the call gave.
    what : str
        Is counted.
    total : int
        0 if it is not known.
    """
    if not isinstance(progress, bool):
        yield progress
        return
    if not progress:
        yield None
        return
    show, latest, shown_at = _shower(), 0, 0.0

    def step(done: int) -> None:
        nonlocal latest, shown_at
        latest = done
        if time.monotonic() - shown_at > _PAUSE:
            shown_at = time.monotonic()
            show(done, total, what)

    try:
        yield step
    finally:
        show(latest, total, what)
        if not _notebook():
            sys.stderr.write("\n")
