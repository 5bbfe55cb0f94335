"""The picture of `mcgen explore` in docs/explore.md, taken in Chromium by the package playwright.

python -m validation.page_picture docs/explore.png
"""

from __future__ import annotations

import shutil
import subprocess
import sys

from playwright.sync_api import sync_playwright

WIDTH, HEIGHT = 1400, 1000


def picture(path: str) -> None:
    """Take a picture of a page on which the beam was moved and the set-up before is pinned."""
    command = [sys.executable, "-m", "mcgen", "explore", "fermilab", "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program, sync_playwright() as engine:
        assert program.stdout is not None
        browser = engine.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.set_default_timeout(300_000)
        page.goto(program.stdout.readline().strip())
        still = page.locator('main[aria-busy="false"]')
        page.locator(".numbers tbody tr").first.wait_for()
        still.wait_for()
        page.locator("[data-do=pin]").click()
        page.locator("[data-do=back]").wait_for()
        page.locator('details[data-group="figure"] summary').click()
        page.locator('select[data-key="look.limits"]').select_option("paper")
        length = page.locator('input[type=text][data-key="detector.L_det"]')
        length.fill("30 m")
        length.press("Enter")
        page.locator("figure.contour.dim").wait_for()
        page.locator("figure.contour:not(.dim)").wait_for()
        still.wait_for()
        page.evaluate("window.scrollTo(0, 0)")
        page.screenshot(path=path, full_page=False)
        browser.close()
        program.kill()


if __name__ == "__main__":
    picture(sys.argv[1])
