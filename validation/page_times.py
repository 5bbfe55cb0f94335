"""Times of `mcgen explore` as a user has them, in headless Chromium driven by the package playwright.

python -m validation.page_times
python -m validation.page_times --count 3 na64

For each card: from the command to the address, from the address to the page and to its first numbers, and from a
slider, moved to positions that were never there, to the numbers of the contour. Of the last the median is said, with
the fastest and the slowest.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from playwright.sync_api import sync_playwright

CARDS = ("fermilab", "fermilab-3d")
#: never-visited positions of the slider, and the slider
COUNT, KEY = 11, "beam.energy"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
#: longest time in s that anything may take
PATIENCE = 300.0
#: moves a slider and waits for other numbers; in s
_MOVE = """
([slider, numbers, position]) => new Promise((found) => {
  const begun = performance.now()
  new MutationObserver((_, watch) => { watch.disconnect(); found((performance.now() - begun) / 1000) })
    .observe(numbers, {childList: true, subtree: true})
  slider.dispatchEvent(new Event("pointerdown", {bubbles: true}))
  slider.value = position
  slider.dispatchEvent(new Event("input", {bubbles: true}))
})
"""


class Times(NamedTuple):
    """Times of a page in s."""

    card: str
    address: float  #: from the command
    page: float  #: from the address
    numbers: float  #: from the address
    moves: tuple[float, ...]  #: from the slider to the numbers


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """A browser."""
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


def measured(browser: Any, card: str, count: int = COUNT) -> Times:
    """Times of the page of a card.

    Parameters
    ----------
    browser : Browser
        Of playwright.
    card : str
        Its name, or a path.
    count : int
        Positions of the slider.
    """
    command = [sys.executable, "-m", "mcgen", "explore", card, "--no-open"]
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        try:
            at = program.stdout.readline().strip()
            address = time.perf_counter() - begun
            context = browser.new_context(viewport={"width": 1400, "height": 1000})
            page = context.new_page()
            page.set_default_timeout(1e3 * PATIENCE)
            begun = time.perf_counter()
            page.goto(at)
            page.locator("main.explore").wait_for()
            shown = time.perf_counter() - begun
            page.locator(".numbers tbody tr").first.wait_for()
            numbers = time.perf_counter() - begun
            still = page.locator('main[aria-busy="false"]')
            ends = [page.locator(one).element_handle() for one in (f'input[type=range][data-key="{KEY}"]', ".numbers")]
            moves = []
            for position in positions(count):
                still.wait_for()
                moves.append(page.evaluate(_MOVE, [*ends, position]))
            context.close()
        finally:
            program.kill()
    return Times(card, address, shown, numbers, tuple(moves))


def positions(count: int) -> list[int]:
    """Positions of a slider that goes from 0 to 1000, all of them different, in the order of a search to and fro."""
    return [300 + (count - n // 2 if n % 2 else n // 2) * 400 // count for n in range(count)]


def table(found: Sequence[Times]) -> str:
    """The times as a table, in s."""
    rows = [
        ["time in s", *(f"`{one.card}`" for one in found)],
        ["---", *("---:" for _ in found)],
        ["command to address", *(f"{one.address:.2f}" for one in found)],
        ["address to page", *(f"{one.page:.2f}" for one in found)],
        ["address to first numbers", *(f"{one.numbers:.2f}" for one in found)],
        [
            f"slider to numbers, median of {len(found[0].moves)} (fastest, slowest)",
            *(f"{statistics.median(o.moves):.3f} ({min(o.moves):.3f}, {max(o.moves):.3f})" for o in found),
        ],
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cards", nargs="*", default=CARDS)
    parser.add_argument("--count", type=int, default=COUNT)
    asked = parser.parse_args()
    with chromium() as one_browser:
        print(table([measured(one_browser, card, asked.count) for card in asked.cards]))
