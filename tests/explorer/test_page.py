"""The page without a browser: what messages do, and what is shown of the answers."""

from __future__ import annotations

import base64
import json
import math
import threading
import tomllib

import pytest
from bokeh.document import Document
from bokeh.events import Tap

import mcgen
from mcgen.analysis.reach_rows import printed_row
from mcgen.base.steps import go_on
from mcgen.explorer import limits
from mcgen.explorer.page import Explorer, History
from mcgen.explorer.setup import Setup
from mcgen.explorer.worker import Worker

HOSTILE = "<img src=x onerror=alert(1)>"


class AtOnce(Worker):
    """Computes a job while it is asked for."""

    asked = 0

    def ask(self, who, job):  # noqa: ARG002
        self.asked += 1
        for _ in job(lambda: False):
            pass


def _setup(card="fermilab", **look):
    return Setup.of(card).with_look(**{"number": 2, "models": ("A",), "start": 0.05, "stop": 0.1, **look})


@pytest.fixture(scope="module")
def shared():
    return Explorer(_setup(), computes=AtOnce())


@pytest.fixture
def page(shared):
    """A page; what a test changed is undone for the next one."""
    yield shared
    while shared._history.can[0]:
        shared._handle_msg({"what": "undo"})
    if shared._pinned:
        shared._handle_msg({"what": "pin"})


def _set(page, key, gesture=None, **message):
    page._handle_msg({"what": "set", "key": key, "number": 1, "gesture": gesture, **message})


def _faults(page):
    return page.state["faults"]


def test_numbers_of_the_command_line(page):
    """Rows are those of `mcgen reach`, digit by digit, before and after a change; fails if one is of another card."""
    for energy in ("3 GeV", "5 GeV"):
        _set(page, "beam.energy", text=energy)
        card = page.setup.card
        assert card.beam.energy_text == energy
        wanted = [printed_row(p) for p in mcgen.reach(card, "A", page.setup.look.mass_text)]
        assert page.numbers["rows"] == wanted
        assert page.status["dim"] == []


def test_fault_beside_its_field(page):
    """A fault stands at its key and the last answer stays, dimmed; fails if the page empties or shows nothing."""
    before = page.numbers
    _set(page, "beam.energy", text="3 parsec")
    assert "parsec" in _faults(page)["beam.energy"]
    assert page.numbers == before
    assert {"contour", "point", "layout"} <= {*page.status["dim"]}
    _set(page, "beam.energy", text="3 GeV")
    assert _faults(page) == {}
    assert page.status["dim"] == []


def test_fault_of_what_is_looked_at(page):
    """A text that is no number of what is looked at stays in its field with its fault; fails if it is thrown away."""
    _set(page, "look.m_S", text=HOSTILE)
    assert page.state["values"]["look.m_S"]["text"] == HOSTILE
    assert "look.m_S" in _faults(page)
    _set(page, "look.m_S", text="60 MeV")
    assert page.setup.look.m_S == pytest.approx(0.06)
    assert _faults(page) == {}


def test_fault_of_the_computation(page):
    """What only the computation refuses is said too; fails if the thread dies with a traceback."""
    _set(page, "look.stop", text="60 GeV")
    _set(page, "look.start", text="50 GeV")
    ((key, fault),) = _faults(page).items()
    assert key == "look.start"
    assert "50" in fault
    assert page.status["busy"] is False
    assert "contour" in page.status["dim"]


def test_undo(page):
    """Gestures are undone as one, and done again; fails if each step of a slider is one."""
    for position in (3.5, 4.0, 4.5):
        _set(page, "beam.energy", gesture=7, position=position)
    _set(page, "beam.energy", gesture=8, text="9 GeV")
    page._handle_msg({"what": "undo"})
    assert page.setup.value("beam.energy") == "4.5 GeV"
    page._handle_msg({"what": "undo"})
    assert page.setup.value("beam.energy") == "3 GeV"
    page._handle_msg({"what": "redo"})
    assert page.setup.value("beam.energy") == "4.5 GeV"
    assert (page.state["can_undo"], page.state["can_redo"]) == (True, True)
    assert tomllib.loads(page.state["card_text"])["beam"]["energy"] == "4.5 GeV"


def test_history_ends():
    """Further than the ends nothing happens; fails if an index runs out."""
    history = History("a")
    assert not history.move(-1)
    history.add("b")
    history.move(-1)
    history.add("c")
    assert not history.move(1)
    assert history.now == "c"


def test_pin(page):
    """The pinned contour stays while the other moves; fails if it moves along."""
    page._handle_msg({"what": "pin"})
    before = page.numbers["rows"]
    _set(page, "beam.energy", text="7 GeV")
    drawn = page._figures["contour"].first._lines.data
    ends = {label: max(y for y in ys) for ys, label in zip(drawn["ys"], drawn["label"], strict=True)}
    assert any(label.startswith("pinned: ") for label in ends)
    assert len({*ends.values()}) == len(ends)
    page._handle_msg({"what": "back"})
    assert page.numbers["rows"] == before


def test_a_tap_moves_the_place(page):
    """A tap is a place in the plane, and asks for no new contour; fails if it is mirrored or all is computed again."""
    contour = page._seen.rows
    page._tapped(Tap(None, x=80.0, y=2e-4))
    assert (page.setup.look.m_S, page.setup.look.g_mu) == pytest.approx((0.08, 2e-4))
    assert page._seen.rows is contour
    wanted = mcgen.n_signal(page.setup.card, "A", 0.08, 2e-4).value
    assert float(page.report["rows"][0][1].split("(")[0]) == pytest.approx(wanted, rel=1e-3)
    page._tapped(Tap(None, x=-1.0, y=2e-4))
    page._tapped(Tap(None, x=None, y=None))
    assert page.setup.look.m_S == pytest.approx(0.08)


def test_link(page):
    """The state of the address makes the same page; fails if something that was moved is not in it."""
    _set(page, "beam.energy", text="6 GeV")
    _set(page, "look.limits", text="paper")
    assert Setup.from_token(page.state["token"]) == page.setup


@pytest.mark.parametrize("kind", ["card", "state", "csv", "png"])
def test_take_away(page, kind, monkeypatch, tmp_path):
    """Files are of what is shown, and their names say so; fails if one is of another state."""
    sent = []
    monkeypatch.setattr(type(page), "_send_msg", lambda _, message: sent.append(message))
    _set(page, "beam.energy", text="4 GeV")
    page._handle_msg({"what": "take", "kind": kind})
    (message,) = sent
    content = base64.b64decode(message["content"])
    assert message["name"].startswith("fermilab.")
    if kind == "card":
        path = tmp_path / message["name"]
        path.write_bytes(content)
        wanted = [printed_row(p) for p in mcgen.reach(path, "A", page.setup.look.mass_text)]
        assert page.numbers["rows"] == wanted
    elif kind == "state":
        page._handle_msg({"what": "open", "name": "x.json", "text": content.decode()})
        assert page.setup.value("beam.energy") == "4 GeV"
    elif kind == "csv":
        assert content.decode().count("\n") == 1 + len(page.rows)
    else:
        assert content.startswith(b"\x89PNG")


def test_open(page):
    """A card of the user is opened as text; what is none is said. Fails if it is lost, or changes something."""
    text = page.setup.text.replace('"3 GeV"', '"8 GeV"')
    page._handle_msg({"what": "open", "name": "mine.toml", "text": text})
    assert page.setup.value("beam.energy") == "8 GeV"
    for wrong in ("= =", "[1, 2]", '{"kind": "other"}', "\x00", "[" * 100_000):
        page._handle_msg({"what": "open", "name": HOSTILE, "text": wrong})
        assert page.setup.value("beam.energy") == "8 GeV", wrong[:20]
    assert page.status["text"]


def test_files_are_not_read(page, tmp_path):
    """A card that comes from the browser reads no file, wherever it names one; fails if its content comes out."""
    secret = tmp_path / "secret.csv"
    secret.write_text("energy_gev,weight\n1.0,4711\n3.0,1\n", encoding="utf-8")
    name = json.dumps(str(secret))
    for key, value in (
        ("beam.spectrum", str(secret)),
        ("scalar.widths", str(secret)),
        ("search.efficiency", str(secret)),
    ):
        section, one = key.split(".")
        text = page.setup.text.replace(f"[{section}]", f"[{section}]\n{one} = {name}")
        text = text if f"[{section}]" in text else f"{text}\n[{section}]\n{one} = {name}\n"
        page._handle_msg({"what": "card", "text": text})
        assert _faults(page), key
        assert "4711" not in json.dumps([page.state, page.status, page.report, page.numbers])
        page._handle_msg({"what": "undo"})
        _set(page, key, text=value)
        assert "4711" not in json.dumps([page.state, page.status, page.report, page.numbers])


def test_messages_without_sense(page):
    """What no page sends changes nothing; fails if it stops the page."""
    before = page.setup
    messages = [
        *(None, 3, "set", [], {}),
        *({"what": what} for what in ("nothing", "set", "take", "open", "remove layer")),
        {"what": "set", "key": "beam.__class__"},
        {"what": "set", "key": "look.m_S", "position": "x"},
        {"what": "set", "key": "beam.energy", "number": "x", "text": "3 GeV"},
        {"what": "remove layer", "at": 7},
        *({"what": "add layer", "at": at} for at in (None, -1, 10**30)),
        {"what": ["set"]},
        {"what": "set", "key": "beam.energy", "number": math.inf, "text": "3 GeV"},
        {"what": "card", "text": "x" * 5_000_000},
    ]
    for data in messages:
        page._handle_msg(data)
    assert page.setup.text == before.text


def test_names_stay_text(page):
    """Hostile text of a card is handed on as text alone; fails if it is put into HTML before it reaches the browser."""
    text = page.setup.text.replace("[beam]", f"# {HOSTILE}\n[beam]")
    page._handle_msg({"what": "card", "text": text})
    assert HOSTILE in page.state["card_text"]
    page._handle_msg({"what": "card", "text": text.replace('"fermilab"', f'"{HOSTILE}"')})
    assert "name" in _faults(page)


def test_two_pages_are_two(page):
    """Each has its own state; fails if one moves the other."""
    other = Explorer(_setup(), computes=AtOnce())
    _set(other, "beam.energy", text="11 GeV")
    assert page.setup.value("beam.energy") == "3 GeV"


def test_another_model_of_the_place(page):
    """The axis is that of the model of the place; fails if numbers and axis are of different models."""
    _set(page, "scalar.mediator", text="vector")
    _set(page, "look.models", several=["dark-photon", "Lmu-Ltau"])
    _set(page, "look.model", text="dark-photon")
    assert page.words["contour"]["y"] == [("ε", "")]
    assert {row[1] for row in page.numbers["rows"]} == {"dark-photon", "Lmu-Ltau"}
    _set(page, "look.model", text="Lmu-Ltau")
    assert page.words["contour"]["y"] == [("g\u2032", "")]


def test_limits_hold_nothing_back(monkeypatch):
    """A slow limit comes last and gives way; fails if the contour of another set-up waits until it is computed."""
    begun, done = threading.Event(), threading.Event()

    def constraints(*_):
        begun.set()
        while True:  # nothing but a newer question ends it
            go_on()

    monkeypatch.setattr(limits, "constraints", constraints)
    one = Explorer(_setup(limits=("e137",)), computes=Worker())
    assert begun.wait(180.0)
    assert one.status["dim"] == []
    assert "known limits are being computed" in one.status["warnings"]
    before = one.rows
    monkeypatch.setattr(one, "_done", lambda _: done.set())
    _set(one, "look.limits", text="none")
    _set(one, "beam.energy", text="4 GeV")
    assert done.wait(180.0)
    assert one.rows != before
    assert one.status["warnings"] == []


def test_a_window_that_was_closed(shared):
    """It is forgotten by what computes, also what it wanted to take away; fails if it stays in memory."""
    one = Explorer(shared.setup, computes=Worker())
    one._handle_msg({"what": "take", "kind": "card"})
    one._handle_msg({"what": "take", "kind": HOSTILE})
    assert "file" in one.status["text"]
    one._document = Document()
    del one._document.callbacks._change_callbacks
    one._deliver(lambda: None)
    assert one._worker._newest == {}
    assert one._worker._waiting == {}


@pytest.mark.parametrize(
    "line", ["muons = 3e14", "[beam]\nmuons=3e14", 'beam = {muons = 3e14, particle = "mu+", energy = "3 GeV"}']
)
def test_an_older_name(page, line):
    """A card with `muons` that is opened can be moved; fails if the page adds the present name beside it."""
    text = page.setup.text
    beam = text[text.index("[beam]") : text.index("[target]")]
    body = 'particle = "mu+"\nenergy = "3 GeV"\n'
    older = f"[beam]\n{line}\n{body}" if line.startswith("muons") else line if "{" in line else f"{line}\n{body}"
    whole = f"{older}\n{text.replace(beam, '')}" if "{" in line else text.replace(beam, f"{older}\n")
    page._handle_msg({"what": "open", "name": "older.toml", "text": whole})
    assert page.setup.value("beam.particles_on_target") == 3e14
    _set(page, "beam.particles_on_target", text="4e14")
    assert page.setup.card.beam.particles_on_target == 4e14
    assert "muons" not in page.setup.content["beam"]
