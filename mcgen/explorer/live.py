"""A component that several outputs of a notebook show, and that a thread may change."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import panel as pn
from bokeh.document.events import MessageSentEvent, ModelChangedEvent
from panel.custom import JSComponent
from panel.io.model import diff
from panel.io.notebook import push
from panel.models.esm import ESMEvent

from mcgen.base.steps import LOG
from mcgen.explorer.figures import moved

#: longest time in s that an output of a notebook waits for the first answer, so that what is saved shows it
_PATIENCE = 20.0


class Copies:
    """A figure of a page, as often as the page is displayed: each shows the same.

    A figure of Bokeh is part of one document only.

    Parameters
    ----------
    make : callable
        Makes one of `mcgen.explorer.figures`.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self.first = make()  #: shows all too, whether it is displayed or not
        self._free: Any = self.first
        self._at: dict[str, Any] = {}  #: by displays
        self._drawn: tuple[str, tuple[Any, ...]] | None = None
        self._place: tuple[float, float] | None = None

    def at(self, display: str) -> Any:
        """The one of a display."""
        if display not in self._at:
            one, self._free = self._free or self._make(), None
            if one is not self.first and self._drawn is not None:
                getattr(one, self._drawn[0])(*self._drawn[1])
                if self._place is not None:
                    one.point_at(*self._place)
            self._at[display] = one
        return self._at[display]

    def forget(self, display: str) -> None:
        """Show nothing there any more."""
        self._at.pop(display, None)

    def show(self, *what: Any) -> Any:
        """Show something, everywhere; what the first one returns."""
        return self._draw("show", what)

    def clear(self) -> None:
        """Show nothing, everywhere."""
        self._draw("clear", ())

    def _draw(self, how: str, what: tuple[Any, ...]) -> Any:
        self._drawn = how, what
        first, *_ = [getattr(one, how)(*what) for one in self._all()]
        return first

    def point_at(self, m_S: float, g_mu: float) -> None:
        """Mark the place that is pointed at, in GeV."""
        self._place = m_S, g_mu
        for one in self._all():
            one.point_at(m_S, g_mu)

    def _all(self) -> list[Any]:
        return [self.first, *(one for one in self._at.values() if one is not self.first)]


class Place(pn.pane.Bokeh):  # type: ignore[misc]
    """Where a figure is.

    Parameters
    ----------
    copies : Copies
    """

    def __init__(self, copies: Copies) -> None:
        self._copies = copies
        super().__init__(copies.first.figure, autodispatch=False, sizing_mode="stretch_both")

    def _get_model(self, doc: Any, root: Any = None, parent: Any = None, comm: Any = None) -> Any:
        if root is None:
            return self.get_root(doc, comm)
        display = root.ref["id"]
        model = self._copies.at(display).figure
        self._models[display] = model, parent
        return model

    def _cleanup(self, root: Any = None) -> None:
        super()._cleanup(root)
        if root is not None:
            self._copies.forget(root.ref["id"])


class Live(JSComponent):  # type: ignore[misc]
    """A component that several outputs of a notebook show, and that a thread may change.

    Messages of JupyterLab come in threads of their own, too. One lock holds while something is read, changed or
    displayed, so that pieces of two messages do not mix and nothing that is to be sent gets lost on the way. An output
    gets nothing until its script says that it is there. Then it gets all, and after that what changes.
    """

    __abstract = True

    def __init__(self, **settings: Any) -> None:
        self._lock = threading.RLock()
        self._there: set[str] = set()  #: outputs that said so
        super().__init__(**settings)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Change what is shown, from any thread; outputs of notebooks get it at the end."""
        with self._lock:
            try:
                yield
            finally:
                for display, (doc, comm) in self._outputs().items():
                    if display in self._there:
                        push(doc, comm)

    def is_there(self, script: str) -> None:
        """The script of an output runs: send it all.

        Parameters
        ----------
        script : str
            Identifier of its model.
        """
        for display, (doc, comm) in self._outputs().items():
            model = self._models[display][0]
            if model.ref["id"] == script:
                self._there.add(display)
                doc.callbacks._held_events = []  # is part of what follows
                push(doc, comm, msg=diff(doc, events=[*self._all_of(doc, model)]))

    def _all_of(self, doc: Any, model: Any) -> Iterator[Any]:
        for name in model.data.properties():
            if name in type(self).param and name not in (*model.children, "name"):
                yield ModelChangedEvent(doc, model.data, name, getattr(model.data, name))
        for child in model.children:
            for one, name in moved(getattr(model.data, child)):
                yield ModelChangedEvent(doc, one, name, getattr(one, name))
        yield MessageSentEvent(doc, "bokeh_event", ESMEvent(model=model, data={"what": "here"}))

    def _outputs(self) -> dict[str, tuple[Any, Any]]:
        """Document and comm of the outputs of notebooks."""
        views = pn.state._views
        found = {display: views[display][2:] for display in [*self._models] if display in views}
        return {display: (doc, comm) for display, (doc, comm) in found.items() if comm is not None}

    # ---- where Panel would send at once

    def _apply_update(self, events: Any, msg: Any, model: Any, ref: str) -> bool:
        with self._lock:
            output = self._outputs().get(ref)
            if output is None or ref in self._there:
                return bool(super()._apply_update(events, msg, model, ref))
            self._update_model(events, msg, pn.state._views[ref][1], model, *output)
            return True

    def _on_msg(self, ref: str, manager: Any, msg: Any) -> None:
        with self._lock:
            super()._on_msg(ref, manager, msg)

    def _render_mimebundle(self, model: Any, doc: Any, comm: Any, location: Any = None) -> Any:
        found = super()._render_mimebundle(model, doc, comm, location)
        client = self._comms[model.ref["id"]][1]
        client._handle_msg = functools.partial(_handled, client)
        return found

    def _cleanup(self, root: Any = None) -> None:
        super()._cleanup(root)
        if root is not None:
            self._there.discard(root.ref["id"])

    def _is_busy(self) -> bool:
        """Whether an answer is still to come."""
        return False

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        end = time.monotonic() + _PATIENCE
        while self._is_busy() and time.monotonic() < end:
            time.sleep(0.02)
        with self._lock:
            return super()._repr_mimebundle_(include, exclude)


def _handled(client: Any, message: Any) -> None:
    """What a comm does with a message, but with sys.stdout left alone: cells print to it from another thread."""
    data = client.decode(message)
    reply = {"msg_type": "Ready", "content": "", "comm_id": data.pop("comm_id", None)}
    try:
        client._on_msg(data)
    except Exception:  # the next message is another one
        LOG.exception("explore")
    client.send(metadata=reply)
