"""What outputs of a notebook are sent, seen by a stand-in of the browser that puts it together."""

from __future__ import annotations

import asyncio
import itertools
import sys
import threading

import pytest
from bokeh.document import Document
from bokeh.protocol import Protocol
from bokeh.protocol.receiver import Receiver
from panel.models.comm_manager import CommManager
from pyviz_comms import Comm

from mcgen.explorer.figures import moved
from mcgen.explorer.live import Copies
from mcgen.explorer.page import Explorer
from mcgen.explorer.setup import Setup
from mcgen.explorer.worker import Worker

SECONDS = 60.0
NAMES = ("contour", "events", "spectrum", "angle", "layout")


class AtOnce(Worker):
    """Computes a job while it is asked for."""

    def ask(self, who, job):  # noqa: ARG002
        for _ in job(lambda: False):
            pass


class Output(Comm):
    """An output of a notebook: its document is made of what was displayed and of what was sent."""

    def __init__(self, page):
        super().__init__()
        self.page, self.sent, self.threads, self.files = page, 0, [], []
        self.send_first = lambda: None
        self.receiver = Receiver(Protocol())
        self.model = page._render_model(Document(), self)
        self.known = Document.from_json(self.model.document.to_json())
        self.model.document.hold()  # as Panel does when it displays
        self.known.on_message("bokeh_event", lambda event: self.files.append(event.data))

    def open(self):
        """The comm is open, and the script says so."""
        self._comm = self
        self.tell({"what": "there", "view": self.model.ref["id"]})

    def tell(self, data):
        event = {"type": "event", "name": "data_event", "values": {"type": "map", "entries": [
            ["model", {"id": self.model.ref["id"]}], ["data", {"type": "map", "entries": [*map(list, data.items())]}],
        ]}}  # fmt: skip
        content = {"events": [{"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": event}]}
        message = {"header": {"msgid": "1", "msgtype": "PATCH-DOC"}, "metadata": {}, "content": content, "_buffers": {}}
        self.page._on_msg(self.model.ref["id"], CommManager(), message)

    def send(self, data=None, metadata=None, buffers=()):  # noqa: ARG002
        self.sent += 1
        self.threads.append(threading.get_ident())
        if self.sent == 1:
            self.send_first()
        message = asyncio.run(self.receiver.consume(data if data is not None else buffers[0]))
        if message is not None:
            message.apply_to_document(self.known)

    @property
    def numbers(self):
        return self.known.roots[0].data.numbers["rows"]

    def drawn(self):
        """What its figures show."""
        return [_drawn(getattr(self.known.roots[0].data, name)) for name in NAMES]


def _plain(value):
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return repr(float(value)) if isinstance(value, int | float) else repr(value)


def _drawn(made):
    """Values of all that moves, by the order of the models."""
    return {(one.id, name): _plain(getattr(one, name)) for one, name in moved(made)}


def _shown(page, output):
    return [_drawn(page._figures[name].at(output.model.ref["id"]).figure) for name in NAMES]


def _setup(**look):
    return Setup.of("fermilab").with_look(**{"number": 2, "models": ("A",), "start": 0.05, "stop": 0.1, **look})


def _set(key, text):
    return {"what": "set", "key": key, "number": 1, "text": text}


@pytest.fixture(scope="module")
def page():
    return Explorer(_setup(), computes=AtOnce())


@pytest.fixture
def output(page):
    made = Output(page)
    yield made
    page._cleanup(made.model)


def _agree(page, *outputs):
    for output in outputs:
        assert output.numbers == [[*row] for row in page.numbers["rows"]]
        assert output.drawn() == _shown(page, output)


def test_what_comes_before_the_output_is_there(page, output):
    """All of it is shown as soon as the script runs, in one message; fails if something gets lost or comes before."""
    before = output.drawn()
    page._handle_msg(_set("beam.energy", "7 GeV"))
    output._comm = output  # open, but nothing is drawn yet
    page._handle_msg(_set("beam.energy", "9 GeV"))
    assert output.sent == 0
    output.open()
    assert output.drawn() != before
    _agree(page, output)
    assert {"what": "here"} in output.files
    output.tell(_set("beam.energy", "4 GeV"))
    _agree(page, output)


def test_loaded_again(page, output):
    """A window that is loaded again begins with what was displayed and gets all that changed; fails if it stays old."""
    output.open()
    old = Document.from_json(output.known.to_json())
    output.tell(_set("beam.energy", "8 GeV"))
    output.known = old
    output.open()
    _agree(page, output)


def test_what_a_message_changes_in_figures(page, output):
    """A pinned contour is drawn at once; fails if what is not sent when the message is done is thrown away."""
    output.open()
    before = output.drawn()
    output.tell({"what": "pin"})
    assert output.drawn() != before
    _agree(page, output)
    output.tell({"what": "pin"})


def test_two_outputs(page, output):
    """Each has figures of its own that show the same; fails if the second takes them from the first."""
    other = Output(page)
    for one in (output, other):
        one.open()
    for one, energy in ((output, "6 GeV"), (other, "5 GeV")):
        one.tell(_set("beam.energy", energy))
        _agree(page, output, other)
    page._cleanup(other.model)
    before = other.sent
    output.tell(_set("beam.energy", "3 GeV"))
    assert other.sent == before
    _agree(page, output)


def test_messages_while_something_changes(page, output):
    """A message waits until a change of the worker is sent; fails if it throws away what is to be sent."""
    output.open()
    changed, let = threading.Event(), threading.Event()

    def change():
        with page.changing():
            page._figures["contour"].point_at(0.07, 1e-3)
            changed.set()
            assert let.wait(SECONDS)

    threads = [threading.Thread(target=change), threading.Thread(target=output.tell, args=[{"what": "nothing"}])]
    threads[0].start()
    assert changed.wait(SECONDS)
    threads[1].start()
    threads[1].join(0.3)
    let.set()
    for one in threads:
        one.join(SECONDS)
    _agree(page, output)


def test_pieces_of_a_message(page, output):
    """Pieces of messages of two threads do not mix; fails if what the browser puts together is neither."""
    output.open()
    output.sent, output.threads = 0, []
    begun, let = threading.Event(), threading.Event()

    def wait():
        begun.set()
        let.wait(0.5)

    output.send_first = wait
    first = threading.Thread(target=page._say, args=["one"])
    second = threading.Thread(target=page._say, args=["two"])
    first.start()
    assert begun.wait(SECONDS)
    second.start()
    second.join(0.2)
    let.set()
    for one in (first, second):
        one.join(SECONDS)
    changes = [one != other for one, other in itertools.pairwise(output.threads)]
    assert sum(changes) == 1
    assert output.known.roots[0].data.status["text"] == "two"


def test_a_file_for_one_of_two(output):
    """The output that asked is named with the file; fails if a browser takes it twice."""
    output.open()
    output.tell({"what": "take", "kind": "state", "view": "mine"})
    (file,) = [one for one in output.files if one["what"] == "file"]
    assert file["view"] == "mine"


def test_what_cells_print(page, monkeypatch):
    """A cell can print while a message is read; each is answered. Fails if it prints into the message."""
    comm, said, sent = Comm(), [], []
    model = page._render_model(Document(), comm)
    page._render_mimebundle(model, Document(), comm)
    client = page._comms[model.ref["id"]][1]
    monkeypatch.setattr(client, "send", lambda **message: sent.append(message["metadata"]["comm_id"]))
    client._on_msg = lambda message: said.append((sys.stdout, message["a"]))
    for message in ({"a": 1, "comm_id": "x"}, {"comm_id": "y"}):
        client._handle_msg(message)
    page._cleanup(model)
    assert said == [(sys.stdout, 1)]
    assert sent == ["x", "y"]


def test_it_waits_for_the_first_answer(monkeypatch):
    """What is displayed, and so saved, shows an answer; fails if an exported notebook says "computing" for ever."""
    page = Explorer(_setup(), computes=Worker())
    monkeypatch.setattr(Explorer.__mro__[2], "_repr_mimebundle_", lambda self, *_: dict(self.status))
    status = page._repr_mimebundle_()
    page.leave()
    assert status["busy"] is False
    assert status["dim"] == []


@pytest.mark.parametrize("name", NAMES)
def test_all_that_moves(page, name):
    """What a figure changes when it shows something is sent; fails if it changes something else too."""
    copies = page._figures[name]
    one = copies._make()

    def values():
        return {
            (model.id, key): _plain(value)
            for model in one.figure.references()
            for key, value in model.properties_with_values().items()
        }

    before = values()
    getattr(one, copies._drawn[0])(*copies._drawn[1])
    if copies._place:
        one.point_at(*copies._place)
    changed = {key for key, value in values().items() if value != before[key]}
    assert changed
    assert changed <= {(model.id, key) for model, key in moved(one.figure)}


def test_copies():
    """One that is made later shows what the others do; fails if it is empty, or marks another place."""
    said = []

    class Figure:
        def __init__(self):
            said.append([])
            self.said = said[-1]

        def show(self, *what):
            self.said.append(("show", *what))

        def clear(self):
            self.said.append(("clear",))

        def point_at(self, *where):
            self.said.append(where)

    copies = Copies(Figure)
    copies.show("a")
    copies.point_at(1.0, 2.0)
    copies.show("b")
    assert copies.at("x") is copies.first
    assert copies.at("y").said == [("show", "b"), (1.0, 2.0)]
    copies.clear()
    assert copies.at("z").said == [("clear",), (1.0, 2.0)]
    copies.forget("y")
    copies.show("c")
    assert [one[-1] for one in said] == [("show", "c"), ("clear",), ("show", "c")]
