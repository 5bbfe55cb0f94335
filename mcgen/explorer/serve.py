"""The page on this machine: who does not know its address gets nothing, whatever is asked for."""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerRequest, ResponseStartLine
from tornado.routing import Router

from mcgen.base.errors import InputError
from mcgen.base.extras import optional
from mcgen.base.files import read_text

if TYPE_CHECKING:
    from mcgen.explorer.setup import Setup

#: the only address that is listened on
HOME = "127.0.0.1"
#: names under which a browser of this machine may ask for it
_NAMES = (HOME, "localhost")
#: bytes of a file of a state
MAX_STATE = 2_000_000
#: what a browser may load: from here, and nothing from elsewhere
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob: {sockets}; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


def listen(port: int = 0) -> socket.socket:
    """A socket that listens on this machine alone; InputError in one line if the port is taken.

    Parameters
    ----------
    port : int
        0 for one that is free.
    """
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((HOME, port))
        found.listen(128)
    except OSError as error:
        found.close()
        message = f"port {port}: cannot be used, {str(error.strerror).lower()}; leave --port out for a free one"
        raise InputError(message) from None
    found.setblocking(False)
    return found


class Address:
    """Where the page is: its port, and a secret that stands in its path.

    Parameters
    ----------
    port : int
    """

    def __init__(self, port: int) -> None:
        self.secret = secrets.token_urlsafe(24)
        self.hosts = {f"{name}:{port}" for name in _NAMES}
        self.url = f"http://{HOME}:{port}/{self.secret}/"
        sockets = " ".join(sorted(f"ws://{host}" for host in self.hosts))
        self.headers = {
            "Content-Security-Policy": _POLICY.format(sockets=sockets),
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }

    def admits(self, request: HTTPServerRequest) -> bool:
        """Whether a request knows the secret, and comes from a page of this machine.

        A page elsewhere whose name is made to point here sends its own name as host and origin. Sockets always say
        from which page they come.
        """
        first = request.path.split("/")[1] if request.path.startswith("/") else ""
        knows = hmac.compare_digest(first.encode(), self.secret.encode())
        origin = request.headers.get("Origin")
        is_socket = request.headers.get("Upgrade", "").lower() == "websocket"
        origins = {f"http://{host}" for host in self.hosts}
        return knows and request.host in self.hosts and (origin in origins if origin or is_socket else True)


class Gate(Router):  # type: ignore[misc]
    """Hands requests that an address admits to the page, and answers all others with 403 and nothing else.

    Until there is a page, those that are admitted wait.

    Parameters
    ----------
    address : Address
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.page: Any = None

    def find_handler(self, request: HTTPServerRequest, **_: Any) -> HTTPMessageDelegate:
        """What answers a request."""
        if not self.address.admits(request):
            return _Refusal(request)
        request.connection = _WithHeaders(request.connection, self.address.headers)  # type: ignore[assignment]
        found: HTTPMessageDelegate = self.page.find_handler(request)
        return found


class _Refusal(HTTPMessageDelegate):  # type: ignore[misc]
    """403, and not even which program it is."""

    def __init__(self, request: HTTPServerRequest) -> None:
        self._request = request

    def finish(self) -> None:
        connection: Any = self._request.connection
        connection.write_headers(ResponseStartLine("", 403, "Forbidden"), HTTPHeaders({"Content-Length": "0"}))
        connection.finish()


class _WithHeaders:
    """A connection whose answers have further headers."""

    def __init__(self, connection: Any, headers: dict[str, str]) -> None:
        self._connection, self._headers = connection, headers

    def write_headers(self, start_line: Any, headers: HTTPHeaders, chunk: bytes | None = None) -> Any:
        for name, value in self._headers.items():
            headers[name] = value
        headers.pop("Server", None)
        return self._connection.write_headers(start_line, headers, chunk)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def run(asked: str | None, port: int = 0, *, opens: bool = True, say: Callable[[str], Any] = print) -> None:
    """Serve a page on this machine until Ctrl-C.

    Parameters
    ----------
    asked : str, optional
        A card, a kept state (.json), or the address of an earlier page; by default the beam dump of the paper.
    port : int
        0 for one that is free.
    opens : bool
        Whether a browser is opened.
    say : callable
        Gets the address, on a line of its own.
    """
    at = listen(port)
    with at:
        for package in ("panel", "bokeh"):
            if find_spec(package) is None:
                optional(package, "mcgen explore", "explore")  # says what is missing
        setup = opened(asked)
        address = Address(at.getsockname()[1])
        say(address.url)
        if opens:
            threading.Thread(target=webbrowser.open, args=[address.url], daemon=True).start()
        asyncio.run(_serve(at, address, setup))


def opened(asked: str | None) -> Setup:
    """The set-up of a card, of a file of a state, or of the address of a page."""
    from mcgen.explorer.setup import Setup

    if asked is not None and "?s=" in asked:
        return Setup.from_token(asked.split("?s=", 1)[1].split("&")[0])
    if asked is not None and asked.endswith(".json"):
        try:
            document = json.loads(read_text(Path(asked), "state", MAX_STATE))
        except (ValueError, RecursionError):
            message = f"{asked}: is no state of a page"
            raise InputError(message) from None
        return Setup.from_document(document)
    return Setup.of(asked)


async def _serve(at: socket.socket, address: Address, setup: Setup) -> None:
    from bokeh.server.server import BaseServer
    from bokeh.server.tornado import BokehTornado
    from panel.io.application import build_applications
    from tornado.ioloop import IOLoop

    from mcgen.explorer.page import window

    gate = Gate(address)
    gate.page = BokehTornado(
        build_applications(lambda: window(setup), title="mcgen explore"), prefix=address.secret, use_index=False,
        log_function=lambda _: None, extra_websocket_origins=[*address.hosts], keep_alive_milliseconds=20_000,
        unused_session_lifetime_milliseconds=5_000, check_unused_sessions_milliseconds=5_000,
    )  # fmt: skip
    http = HTTPServer(gate)
    server = BaseServer(IOLoop.current(), gate.page, http)
    http.add_socket(at)
    server.start()
    await asyncio.Event().wait()
