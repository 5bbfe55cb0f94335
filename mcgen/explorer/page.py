"""The page: an experiment that is moved, and what it sees."""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import panel as pn
import param
from bokeh.events import Tap
from panel.custom import Child

from mcgen.analysis.constraints import Constraint
from mcgen.analysis.reach_rows import printed_row
from mcgen.base.errors import InputError, McgenError, choose, refuse_if
from mcgen.base.printed import duration, with_error
from mcgen.base.steps import LOG, watched
from mcgen.base.units import quantity_text
from mcgen.card.card import MAX_BYTES, parse_card
from mcgen.explorer import exports, point
from mcgen.explorer.answer import PARTS, Answer, SignalMap, Stale, answers
from mcgen.explorer.drawing import DrawingFigure
from mcgen.explorer.figures import ContourFigure, MapFigure, SpectrumFigure
from mcgen.explorer.formulas import channel, words
from mcgen.explorer.limits import at_hand, known
from mcgen.explorer.live import Copies, Live, Place
from mcgen.explorer.point import Point
from mcgen.explorer.setup import Setup, present
from mcgen.explorer.sheet import described, ends_of, read, sheet, shown
from mcgen.explorer.worker import LATER, IsStale, Worker, worker
from mcgen.report.plane import AXES, Plane, model_words

#: parts of a page that wait for an answer, and those that do not change with the marked place
_PARTS, _STAY = (*PARTS, "point"), ("contour", "events")
#: set-ups that can be gone back to
_KEPT = 300
#: groups of fields that are open at first
_OPEN = ["beam", "target", "layer 1", "detector"]
#: what is said while known limits are computed
_LATER = ("known limits are being computed",)
_HERE = Path(__file__).parent


class _Pressed(Exception):  # noqa: N818
    """Another asker waits for what cannot come later."""


class Seen(NamedTuple):
    """A contour, and the set-up that has it."""

    setup: Setup
    rows: Any
    criterion: str


class History:
    """Set-ups that were there, and how far one went back in them.

    Parameters
    ----------
    setup : Setup
    """

    def __init__(self, setup: Setup) -> None:
        self._all, self._at, self._gesture = [setup], 0, object()

    @property
    def now(self) -> Setup:
        """The set-up that is shown."""
        return self._all[self._at]

    @property
    def can(self) -> tuple[bool, bool]:
        """Whether there is something to undo, and to do again."""
        return self._at > 0, self._at + 1 < len(self._all)

    def add(self, setup: Setup, gesture: object = None) -> None:
        """Another set-up; those of one gesture count as one."""
        del self._all[self._at + 1 :]
        if gesture is not None and gesture == self._gesture:
            self._all[-1] = setup
        else:
            self._all = [*self._all[-_KEPT:], setup]
        self._gesture = gesture
        self._at = len(self._all) - 1

    def move(self, step: int) -> bool:
        """Go back (-1) or on (1); whether that was possible."""
        if not 0 <= self._at + step < len(self._all):
            return False
        self._at += step
        self._gesture = object()
        return True


class Explorer(Live):
    """An experiment that is moved by sliders and fields, and its reach, which follows.

    It shows itself in a notebook, and `mcgen explore` serves it.

    Parameters
    ----------
    setup : Setup
    in_window : bool
        Whether it is a page of its own, whose address holds the state.
    computes : Worker, optional
        By default the one of this program.
    """

    fields = param.List(doc="Fields, in the order of the page.")
    state = param.Dict({}, doc="Values and faults of the fields, and what can be done.")
    status = param.Dict({}, doc="What the page says of its answers.")
    words = param.Dict({}, doc="Titles of figures and axes.")
    legend = param.List(doc="Lines of the contour.")
    report = param.Dict({}, doc="What happens at the marked place.")
    numbers = param.Dict({}, doc="The contour as a table.")
    opened = param.List(_OPEN, doc="Groups of fields that are open.")
    in_window = param.Boolean(False)
    contour = Child()
    events = Child()
    spectrum = Child()
    angle = Child()
    layout = Child()

    _esm = _HERE / "page.js"
    _stylesheets = [(_HERE / "page.css").read_text(encoding="utf-8")]  # noqa: RUF012

    def __init__(self, setup: Setup, in_window: bool = False, computes: Worker | None = None) -> None:
        self._worker = computes or worker()
        self._document = pn.state.curdoc if in_window else None
        self._history = History(setup)
        self._faults: dict[str, str] = {}  #: of the card and what is looked at
        self._unread: dict[str, tuple[str, str]] = {}  #: text and fault of fields that could not be read
        self._ends: dict[str, tuple[float, float] | None] = {}  #: of sliders
        self._number = 0  #: of the last message of the browser that changed something
        self._seen: Seen | None = None
        self._map: SignalMap | None = None
        self._pinned: Seen | None = None
        self._waiting = set(_PARTS)
        self._warnings: dict[str, tuple[str, ...]] = {}
        self._limits: Sequence[Constraint] = ()
        self._figures = {
            "contour": Copies(lambda: self._tapped_on(ContourFigure())),
            "events": Copies(lambda: self._tapped_on(MapFigure())),
            "spectrum": Copies(lambda: SpectrumFigure(log=False)), "angle": Copies(lambda: SpectrumFigure(log=True)),
            "layout": Copies(DrawingFigure),
        }  # fmt: skip
        super().__init__(
            in_window=in_window, sizing_mode="stretch_width", status=_status("", set(_PARTS)), numbers=_numbers(None),
            report=_report(setup), words=self._words_of(setup),
            **{name: Place(one) for name, one in self._figures.items()},
        )  # fmt: skip
        self._show_state()
        if in_window:
            pn.state.onload(self._ask)  # the page comes first
        else:
            self._ask()

    @property
    def setup(self) -> Setup:
        """The set-up that is shown."""
        return self._history.now

    @property
    def rows(self) -> Any:
        """The last contour, as `mcgen.reach` gives it; None before the first."""
        return self._seen.rows if self._seen else None

    # ---- what the browser says

    def _handle_msg(self, data: Any) -> None:
        """A message of the browser; one that makes no sense is left alone."""
        handlers: dict[str, Callable[[dict[str, Any]], None]] = {
            "set": self._on_set, "undo": lambda _: self._move(-1), "redo": lambda _: self._move(1), "pin": self._on_pin,
            "back": self._on_back, "open": self._on_open, "card": self._on_card, "take": self._on_take,
            "add layer": self._on_layer, "remove layer": self._on_layer,
            "too long": lambda m: self._say(f"{str(m.get('name'))[:200]}: is too long for a card"),
            "there": lambda m: self.is_there(str(m.get("view"))),
        }  # fmt: skip
        handler = handlers.get(str(data.get("what"))) if isinstance(data, dict) else None
        if handler is None:
            return
        with self.changing():
            try:
                handler(data)
            except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:  # or InputError
                self._say(_said(error))

    def _on_set(self, message: dict[str, Any]) -> None:
        key = str(message.get("key", ""))
        field = next((one for one in sheet(self.setup) if one.key == key), None)
        if field is None:
            return
        self._number = int(message.get("number", 0))
        try:
            found = self.setup.with_value(key, read(field, message))
        except InputError as error:
            self._unread[key] = str(message.get("text", ""))[:1000], str(error)
            self._show_state()
            self._show_status()
            return
        self._unread.pop(key, None)
        self._change(found, message.get("gesture"))

    def _on_layer(self, message: dict[str, Any]) -> None:
        at = int(message.get("at", 0))
        adds = message["what"] == "add layer"
        self._change(self.setup.with_layer(at) if adds else self.setup.without_layer(at))

    def _on_pin(self, _: dict[str, Any]) -> None:
        self._pinned = None if self._pinned else self._seen
        self._show_contour()
        self._show_state()

    def _on_back(self, _: dict[str, Any]) -> None:
        if self._pinned:
            self._change(self._pinned.setup)

    def _on_card(self, message: dict[str, Any]) -> None:
        text = str(message.get("text", ""))
        refuse_if(len(text) > MAX_BYTES, f"card: longer than {MAX_BYTES} bytes")
        self._change(Setup(present(text), self.setup.look))

    def _on_open(self, message: dict[str, Any]) -> None:
        text, name = str(message.get("text", "")), str(message.get("name", ""))
        refuse_if(not text.strip(), f"{name[:200]}: is empty")
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            found = Setup(present(text), self.setup.look)
            assert found.content is not None  # raises what is wrong
        else:
            found = Setup.from_document(document)
        self._unread.clear()
        self._change(found)
        self._say(f"{name[:200]}: opened")

    def _on_take(self, message: dict[str, Any]) -> None:
        kind = str(message.get("kind", ""))
        choose(kind, exports.KINDS, "file")
        setup, seen, view = self.setup, self._seen, str(message.get("view", ""))

        def make() -> exports.Export:
            if kind == "card":
                return exports.card(setup)
            if kind == "state":
                return exports.state(setup)
            if seen is None:
                raise InputError(f"{kind}: there is no contour yet")  # noqa: EM102
            if kind == "csv":
                return exports.csv(seen.setup, seen.rows)
            if kind == "hepdata":
                return exports.hepdata(seen.setup, seen.rows)
            return exports.picture(seen.setup, seen.rows, kind)

        def steps(_: IsStale) -> Iterator[None]:
            try:
                self._deliver(functools.partial(self._send, make(), view))
            except Exception as error:
                self._deliver(functools.partial(self._say, _said(error)))
            yield

        self._say(f"{kind}: is being made")
        self._worker.ask((self, "take", kind), steps)

    def _send(self, made: exports.Export, view: str) -> None:
        content = base64.b64encode(made.content).decode()
        self._send_msg({"what": "file", "name": made.name, "content": content, "view": view})
        self._say(f"{made.name}: taken away")

    def _tapped_on(self, made: Any) -> Any:
        made.figure.on_event(Tap, self._tapped)
        return made

    def _tapped(self, event: Tap) -> None:
        if event.x is None or event.y is None or not (event.x > 0.0 and event.y > 0.0):
            return
        plane = self._plane(self.setup)
        m_S, g_mu = (float(f"{value:.3g}") for value in (event.x / plane.x(1.0), event.y / plane.factor))
        with self.changing():
            self._change(self.setup.with_look(m_S=m_S, g_mu=g_mu))

    # ---- states

    def _change(self, setup: Setup, gesture: object = None) -> None:
        self._history.add(setup, gesture)
        self._ask()

    def _move(self, step: int) -> None:
        if self._history.move(step):
            self._unread.clear()
            self._ask()

    def _ask(self) -> None:
        """Show the fields of the set-up, and ask for what it sees."""
        setup = self.setup
        parts = [part for part in PARTS if part not in _STAY] if self._only_moved(setup) else PARTS
        self._waiting = {*parts, "point"}
        try:
            parse_card(setup.text)
        except InputError:  # said at once, also while something is being computed
            self._worker.drop(self)
            self._show_faults(setup.faults())
            return
        self._show_state()
        self._show_status("computing", busy=True)
        self._worker.ask(self, self._job(setup, parts))

    def _only_moved(self, setup: Setup) -> bool:
        """Whether all that differs from what is shown is the marked place."""
        if self._seen is None or self._map is None or self._waiting & {*_STAY} or self._faults:
            return False
        look, other = setup.look, self._seen.setup.look
        same = replace(look, model=other.model, m_S=other.m_S, g_mu=other.g_mu) == other
        return same and setup.text == self._seen.setup.text

    def _job(self, setup: Setup, parts: Sequence[str]) -> Callable[[IsStale], Iterator[bool | None]]:
        def steps(stale: IsStale) -> Iterator[bool | None]:
            begun = time.perf_counter()

            def deliver(show: Callable[..., None], *what: Any) -> None:
                self._deliver(lambda: None if stale() else show(*what))

            try:
                faults = setup.faults()
                deliver(self._show_faults, faults)
                if faults:
                    return
                yield None
                if "contour" not in parts:
                    deliver(self._show_place, setup)
                    deliver(self._show_point, setup, *_point(setup))
                for answer in answers(setup, stale, parts):
                    deliver(self._show, setup, answer, time.perf_counter() - begun)
                    yield None
                    if answer.part == "contour":
                        deliver(self._show_point, setup, *_point(setup))
                        deliver(self._show_limits, *(at_hand(setup) or ((), _LATER)))
                        yield None
                if setup.card.collider:  # which has no drawing
                    deliver(self._figures["layout"].clear)
                while at_hand(setup) is None:
                    yield LATER
                    with contextlib.suppress(_Pressed):
                        self._compute_limits(setup, stale)
                deliver(self._show_limits, *(at_hand(setup) or ((), ())))
                deliver(self._done, time.perf_counter() - begun)
            except Stale:
                return
            except Exception as error:
                if not isinstance(error, McgenError | OSError | ArithmeticError):
                    LOG.exception("explore")
                deliver(self._failed, setup, error)

        return steps

    def _compute_limits(self, setup: Setup, stale: IsStale) -> None:
        """Compute the known limits, unless something else is wanted before they are there."""

        def watch() -> None:
            if stale():
                raise Stale
            if self._worker.presses():
                raise _Pressed

        with watched(watch):
            known(setup)

    def _deliver(self, show: Callable[[], None]) -> None:
        """Do something where the page may be changed."""
        if self._document is not None:
            try:
                self._document.add_next_tick_callback(show)
            except AttributeError:  # Bokeh has taken the document of a closed window apart
                self.leave()
        else:
            with self.changing():
                show()

    def _is_busy(self) -> bool:
        return bool(self.status["busy"])

    def warn(self, text: str) -> None:
        """Say something that stays."""
        self._warnings["page"] = (text,)
        self._show_status()

    def leave(self) -> None:
        """Nobody looks any more: compute nothing further."""
        askers: list[Any] = [self, *((self, "take", kind) for kind in exports.KINDS)]
        for who in askers:
            self._worker.drop(who)

    # ---- what is shown

    def _show_state(self) -> None:
        setup, fields = self.setup, sheet(self.setup)
        values = {}
        for field in fields:
            try:
                values[field.key] = shown(field, setup.value(field.key))
            except InputError:  # the card is no TOML
                values[field.key] = {"text": "", "number": None}
        for key, (text, _) in self._unread.items():
            values[key] = {**values.get(key, {"number": None}), "text": text}
        before, after = self._history.can
        token = setup.token()
        state = {
            "values": values, "faults": self._faults | {key: fault for key, (_, fault) in self._unread.items()},
            "number": self._number, "can_undo": before, "can_redo": after, "is_pinned": self._pinned is not None,
            "token": token if len(token) < _LONGEST_LINK else "", "card_text": setup.text,
            "name": _name(setup), "command": _command(setup),
        }  # fmt: skip
        for field in fields:
            with contextlib.suppress(InputError):
                self._ends[field.key] = ends_of(field, setup.value(field.key), self._ends.get(field.key))
        found = [described(field, self._ends.get(field.key)) for field in fields]
        changed = {"fields": found} if found != self.fields else {}
        self.param.update(state=state, **changed)

    def _show_status(self, text: str = "", busy: bool = False) -> None:
        said = [one for several in self._warnings.values() for one in several]
        dim = set(_PARTS) if self._unread else self._waiting
        self.status = _status(text or self.status.get("text", ""), dim, list(dict.fromkeys(said)), busy)

    def _say(self, text: str) -> None:
        self.status = {**self.status, "text": " ".join(text.split())}

    def _show_faults(self, faults: dict[str, str]) -> None:
        if faults != self._faults or faults:
            self._faults = faults
            self._show_state()
        if faults:
            self._show_status("the set-up has a fault; shown is the last answer")

    def _failed(self, setup: Setup, error: Exception) -> None:
        key, text = setup.fault_of(error) if isinstance(error, InputError) else ("", _said(error))
        self._faults = {key: text}
        self._show_state()
        self._show_status("no answer; shown is the last one")

    def _done(self, seconds: float) -> None:
        self._waiting.clear()
        self._show_status(f"{self.status['text']}, all of it in {duration(seconds)}")

    def _show_limits(self, limits: Sequence[Constraint], said: tuple[str, ...]) -> None:
        self._warnings["limits"] = said
        if limits != self._limits:
            self._limits = limits
            self._show_contour()

    def _show(self, setup: Setup, answer: Answer, seconds: float) -> None:
        """Show a part of an answer."""
        self._warnings[answer.part] = answer.warnings
        self._waiting.discard(answer.part)
        value: Any = answer.value
        figure, text = self._figures[answer.part], ""
        if answer.part == "contour":
            self._seen = Seen(setup, value.rows, value.criterion)
            self._show_contour()
            self.numbers = _numbers(self._seen)
            text = f"{time.strftime('%H:%M:%S')}: contour in {duration(seconds)}"
        elif answer.part == "events":
            self._map = value
            self._show_map()
        else:
            figure.show(value)
            self.words = self._words_of(setup)
        self._show_status(text, busy=True)

    def _show_place(self, setup: Setup) -> None:
        """Show the same contour and map for another marked place."""
        if self._seen is not None:
            self._seen = self._seen._replace(setup=setup)
            self._show_contour()
            self._show_map()
            self._show_status("the marked place", busy=True)

    def _show_map(self) -> None:
        if self._map is not None and self._seen is not None:
            look, figure = self._seen.setup.look, self._figures["events"]
            figure.show(self._map, self._plane(self._seen.setup), look.model, _limit(self._seen))
            figure.point_at(look.m_S, look.g_mu)

    def _show_contour(self) -> None:
        if self._seen is None:
            return
        setup, figure = self._seen.setup, self._figures["contour"]
        plane = self._plane(setup)
        pinned = self._pinned.rows if self._pinned else ()
        legend = figure.show(self._seen.rows, plane, setup.look.model, self._limits, pinned)
        figure.point_at(setup.look.m_S, setup.look.g_mu)
        self.param.update(legend=legend, words=self._words_of(setup))

    def _show_point(self, setup: Setup, found: Any, fault: str = "") -> None:
        self._waiting.discard("point")
        self.report = _report(setup, found, fault)
        self._show_status(busy=True)

    def _plane(self, setup: Setup) -> Plane:
        look = setup.look
        mediator = str((setup.content.get("scalar") or {}).get("mediator", "scalar"))
        return Plane.of(mediator, look.model, look.stop, look.axis if look.axis in AXES else AXES[0])

    def _words_of(self, setup: Setup) -> dict[str, Any]:
        plane, look = self._plane(setup), setup.look
        mass, coupling = words(plane.mass), words(plane.coupling)
        criterion = f": {self._seen.criterion}" if self._seen else ""
        per_bin = [(f"{plane.symbol} per bin", "")]
        keys = {name: self._figures[name].first.key for name in ("spectrum", "angle")}
        return {
            "contour": {"x": mass, "y": coupling, "title": [(f"What is excluded{criterion}", "")]},
            "events": {"x": mass, "y": coupling, "title": words(f"Signal events $N_S$, {model_words(look.model)}")},
            "spectrum": {
                "x": [("E", ""), (plane.symbol, "sub"), (" [GeV]", "")],
                "y": per_bin,
                "title": [(f"Energy: {keys['spectrum']}", "")],
            },
            "angle": {"x": [("θ [rad]", "")], "y": per_bin, "title": [(f"Angle: {keys['angle']}", "")]},
            "layout": {**self._figures["layout"].first.words, "title": [("The set-up along the beam", "")]},
        }


def _point(setup: Setup) -> tuple[Point | None, str]:
    """What happens at the marked place, or why it cannot be told."""
    look = setup.look
    try:
        return point.at(setup, look.model, look.m_S, look.g_mu), ""
    except InputError as error:
        return None, str(error)


#: what the page of a window has beside what Panel writes
_PAGE = """
{% block preamble %}<link rel="icon" href="data:,">{% endblock %}
{% block postamble %}
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body { overflow-x: hidden; background: #fff; }</style>
{% endblock %}
"""
#: letters of a state that a link can hold: servers read no longer address
_LONGEST_LINK = 40_000


def _status(text: str, dim: set[str], warnings: list[str] | None = None, busy: bool = False) -> dict[str, Any]:
    return {"text": text, "dim": sorted(dim), "warnings": warnings or [], "busy": busy}


def _said(error: Exception) -> str:
    text = " ".join(str(error).split())[:1000]
    return text if isinstance(error, McgenError) else f"{type(error).__name__}: {text}"


def _name(setup: Setup) -> str:
    try:
        return str(setup.value("name"))[:200]
    except InputError:
        return ""


def _command(setup: Setup) -> str:
    try:
        return setup.command()
    except InputError:
        return ""


def _limit(seen: Seen | None) -> float:
    """Signal events that count as seen."""
    found = next((p.limit_events for p in seen.rows if p.limit_events), None) if seen else None
    return found or 3.0


def _numbers(seen: Seen | None) -> dict[str, Any]:
    """The contour as `mcgen reach` prints it."""
    header = ["experiment", "model", "production", "m_S [MeV]", "g_mu from", "to"]
    if seen is None:
        return {"criterion": "", "header": header, "rows": []}
    return {"criterion": seen.criterion, "header": header, "rows": [printed_row(p) for p in seen.rows]}


def _report(setup: Setup, found: Any = None, fault: str = "") -> dict[str, Any]:
    """The report of a point."""
    look = setup.look
    title = [
        *words(model_words(look.model)),
        (f", {quantity_text(look.m_S, 'energy')}, g", ""),
        ("μ", "sub"),
        (f" = {look.g_mu:g}", ""),
    ]
    empty: dict[str, Any] = {"title": title, "rows": [], "losses": [], "branching": [], "fault": fault}
    if found is None:
        return empty
    n = found.n_signal
    width = "0" if found.width == 0.0 else f"{found.width:.4g} GeV"
    length = "stable" if math.isinf(found.decay_length) else quantity_text(found.decay_length, "length")
    rows = [
        ([("N", ""), ("S", "sub")], with_error(n.value, n.error)),
        ([("made", "")], f"{found.produced:.5g}"),
        ([("mean E", ""), ("S", "sub")], quantity_text(found.mean_energy, "energy")),
        ([("decay length", "")], length),
        ([("width", "")], width),
    ]
    losses = [
        (loss.name, loss.left, f"{100.0 * min(1.0, loss.left):.3g} %", f"{loss.events:.4g}") for loss in found.losses
    ]
    branching = [(channel(name), f"{100.0 * share:.3g} %") for name, share in found.branching.items() if share > 0.0]
    return {**empty, "rows": rows, "losses": losses, "branching": branching}


def window(setup: Setup) -> Explorer:
    """The page of a window: of its address, if that holds a state, else of a set-up."""
    fault = ""
    token = pn.state.session_args.get("s")
    if token:
        try:
            setup = Setup.from_token(token[0].decode(errors="replace"))
        except InputError as error:
            fault = f"the state in the address cannot be used, {error}"
    pn.state.curdoc.template = _PAGE
    made = Explorer(setup, in_window=True)
    if fault:
        made.warn(fault)
    pn.state.on_session_destroyed(lambda _: made.leave())
    return made
