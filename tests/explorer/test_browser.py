"""The page in a real browser: what a physicist does, at the width of a desk and of a phone."""

from __future__ import annotations

import contextlib
import re
import shutil
import time

import pytest
from served import SECONDS, served

from mcgen.base.extras import data_folder
from mcgen.cli import main

playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium in the path"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

HOSTILE = "<img src=x onerror=window.hit=1>"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-dev-shm-usage", "--no-first-run",
]  # fmt: skip
ENERGY = '[data-key="beam.energy"]'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A card of few masses, for what a test waits for, with hostile words where a card may have them."""
    made = tmp_path_factory.mktemp("page")
    text = (data_folder("cards", "cards") / "fermilab.toml").read_text(encoding="utf-8")
    text = text.replace('"10 MeV, 30 MeV, 100 MeV, 200 MeV"', '"50 MeV, 100 MeV"').replace(
        "[beam]", f"# {HOSTILE}\n[beam]"
    )
    (made / "mine.toml").write_text(text.replace('models = ["A", "B"]', 'models = ["A"]'), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def address(folder):
    with served("mine.toml", cwd=folder) as (_, found):
        yield found.geturl()


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as program:
        made = program.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield made
        made.close()


class Window:
    """A window of the browser, and what it asked for."""

    def __init__(self, browser, address, width, height=900):
        self.context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
        self.context.set_default_timeout(1e3 * SECONDS)
        self.page = self.context.new_page()
        self.requests, self.errors = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", lambda one: self.requests.append(one.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: self.errors.append(dialog.message))
        self.page.goto(address)
        self.page.wait_for_selector("main.explore")

    def settled(self):
        """Wait until all is answered; the numbers of the contour."""
        self.page.locator('main[aria-busy="false"]').wait_for()
        self.page.locator(".numbers tbody tr").first.wait_for()
        return self.rows()

    def rows(self):
        texts = self.page.locator(".numbers tbody tr").all_inner_texts()
        return [text.split() for text in texts]

    def slide(self, key, position):
        """Move a slider as a finger does."""
        slider = self.page.locator(f'input[type=range][data-key="{key}"]')
        slider.dispatch_event("pointerdown")
        slider.evaluate(
            "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', {bubbles: true})) }", str(position)
        )

    def changed(self, before):
        """Wait for other numbers."""
        end = time.monotonic() + SECONDS
        while self.rows() == before:
            assert time.monotonic() < end
            time.sleep(0.02)
        return self.settled()

    def type(self, key, text):
        field = self.page.locator(f'input[type=text][data-key="{key}"]')
        field.fill(text)
        field.press("Enter")

    def fault(self, key):
        return self.page.locator(f'.row[data-key="{key}"] .fault')


@pytest.fixture(params=[1300, 390])
def window(request, browser, address):
    with contextlib.closing(browser.new_context()):
        made = Window(browser, address, request.param)
        made.settled()
        yield made
        assert made.errors == []
        assert made.page.evaluate("window.hit") is None
        own = re.compile(re.escape(address.rsplit("/", 2)[0]).replace("http", "(http|ws)", 1) + "/|blob:|data:")
        assert [url for url in made.requests if not own.match(url)] == []
        assert made.page.evaluate("document.documentElement.scrollWidth") <= request.param
        made.context.close()


def _printed(capsys, folder, command):
    """Rows that a command prints."""
    with contextlib.chdir(folder):
        assert main(command.split()[1:]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if len(line) == 6 and line[0] == "fermilab"]


def test_a_session(window, folder, capsys, tmp_path):
    """A slider moves the contour, a fault is said at its field and mended, the card and the command give the same.

    Fails if a number on the page is not that of the command line, to its last digit.
    """
    page = window.page
    before = window.rows()
    assert before == _printed(
        capsys, folder, page.locator(".command").inner_text().replace("fermilab.toml", "mine.toml")
    )
    for position in (300, 350, 400):
        window.slide("beam.energy", position)
    moved = window.changed(before)
    field = page.locator(f"input[type=text]{ENERGY}")
    energy = field.input_value()
    assert energy.endswith(" GeV")

    window.type("beam.energy", HOSTILE)
    window.fault("beam.energy").wait_for()
    assert "is not a number with a unit of energy" in window.fault("beam.energy").inner_text()
    assert field.get_attribute("aria-invalid") == "true"
    page.locator("figure.contour.dim").wait_for()
    assert window.rows() == moved
    page.locator("[data-do=undo]").click()
    window.fault("beam.energy").wait_for(state="hidden")
    assert window.settled() == moved
    assert field.input_value() == energy

    with page.expect_download() as download:
        page.locator("[data-take=card]").click()
    card = tmp_path / download.value.suggested_filename
    download.value.save_as(card)
    assert HOSTILE in card.read_text(encoding="utf-8")
    assert _printed(capsys, tmp_path, page.locator(".command").inner_text()) == moved


def test_a_tap(window):
    """A tap on the contour moves the marked place to where it was; fails if the canvas is drawn elsewhere."""
    page = window.page
    page.locator(".contour .canvas").scroll_into_view_if_needed()
    end, mass = time.monotonic() + SECONDS, 0.0
    while not 50.0 < mass < 100.0:  # a busy browser may still be drawing the axes
        assert time.monotonic() < end, mass
        before = page.locator(".point .at").inner_text()
        box = page.locator(".contour .canvas").bounding_box()
        page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
        patience = time.monotonic() + 2.0
        while page.locator(".point .at").inner_text() == before and time.monotonic() < patience:
            time.sleep(0.05)
        mass = float(re.search(r"([\d.]+) MeV", page.locator(".point .at").inner_text())[1])
        window.settled()


def test_two_windows(browser, address):
    """Each window has its own state, and an address that was copied opens the same; fails if one moves the other."""
    one, two = (Window(browser, address, 1300) for _ in range(2))
    first = one.settled()
    assert two.settled() == first
    one.type("beam.energy", "7 GeV")
    other = one.changed(first)
    assert two.rows() == first
    three = Window(browser, one.page.url, 1300)
    assert three.settled() == other
    assert three.page.locator(f"input[type=text]{ENERGY}").input_value() == "7 GeV"
    for window in (one, two, three):
        assert window.errors == []
        window.context.close()


def test_keyboard(window):
    """A slider moves by the arrow keys, and each can be reached by Tab; fails if only a mouse can."""
    page = window.page
    before = window.rows()
    page.locator(f"input[type=text]{ENERGY}").focus()
    page.keyboard.press("Tab")
    assert page.evaluate(
        "() => { let e = document.activeElement; while (e.shadowRoot) e = e.shadowRoot.activeElement; return e.type }"
    ) == "range"  # fmt: skip
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    window.changed(before)


#: contrast of each text with what is behind it, but for what is switched off; and controls without a name
_LOOKS = """
(main) => {
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number)
  const light = ([r, g, b]) => [r, g, b].map((one) => one / 255)
    .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, i) => sum + one * [0.2126, 0.7152, 0.0722][i], 0)
  const behind = (one) => {
    for (let at = one; at; at = at.parentElement || at.getRootNode().host) {
      const color = numbers(getComputedStyle(at).backgroundColor)
      if (color.length === 3 || color[3] === 1) return color
    }
    return [255, 255, 255]
  }
  const poor = [], nameless = []
  for (const one of main.querySelectorAll("*")) {
    const isField = one.matches("input[type=text], textarea, select")
    const isText = [...one.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim())
    if (one.closest(".canvas") || one.disabled || !one.checkVisibility() || !(isField || isText)) continue
    for (const part of one.placeholder ? [null, "::placeholder"] : [null]) {
      const look = getComputedStyle(one, part)
      const [a, b] = [light(numbers(look.color)), light(behind(one))].sort((x, y) => y - x)
      const ratio = (a + 0.05) / (b + 0.05)
      if (ratio < 4.5) poor.push([one.className || one.tagName, one.textContent.slice(0, 30), part, ratio])
    }
  }
  for (const one of main.querySelectorAll("button, input:not([hidden]), select, textarea")) {
    const name = one.getAttribute("aria-label") || one.labels?.[0]?.textContent || one.textContent
    if (!name.trim()) nameless.push(one.outerHTML.slice(0, 120))
  }
  return [poor, nameless]
}
"""


#: what has the focus, and its outline
_FOCUSED = """
() => {
  let one = document.activeElement
  while (one.shadowRoot?.activeElement) one = one.shadowRoot.activeElement
  const look = getComputedStyle(one)
  return [one.outerHTML.slice(0, 80), look.outlineStyle, look.outlineWidth]
}
"""


def test_looks(window):
    """All text stands out from what is behind it, and all controls have a name; fails for a light grey."""
    window.page.locator("details").evaluate_all("(all) => all.forEach((one) => { one.open = true })")
    poor, nameless = window.page.locator("main.explore").evaluate(_LOOKS)
    assert poor == []
    assert nameless == []


def test_shares_stay_on_a_line(window):
    """A share of the report is not broken in two; fails if its column is too narrow."""
    found = window.page.locator(".losses .value").evaluate_all(
        "(all) => all.map((one) => [one.clientHeight, one.scrollWidth - one.clientWidth])"
    )
    assert found
    assert max(height for height, _ in found) < 30
    assert max(over for _, over in found) <= 0


def test_focus_is_seen(window):
    """Each control that has the focus of the keyboard has an outline; fails if one cannot be told from the others."""
    page = window.page
    page.locator("[data-do=pin]").focus()
    for _ in range(30):
        page.keyboard.press("Tab")
        found = page.evaluate(_FOCUSED)
        if found[0].startswith("<body"):
            break
        assert found[1] not in ("none", ""), found
        assert float(found[2].removesuffix("px")) >= 1.0, found
