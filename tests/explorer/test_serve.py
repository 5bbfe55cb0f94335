"""The page on this machine, as a stranger sees it: a real program, asked over its socket."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from served import SECONDS, served

from mcgen.base.errors import InputError
from mcgen.cli import main
from mcgen.explorer.serve import HOME, Address, listen, opened
from mcgen.explorer.setup import Setup


@pytest.fixture(scope="module")
def page():
    with served("fermilab") as (program, address):
        yield program, address


def _ask(address, path, **headers):
    """Status, headers and content of an answer; the headers are all that are sent."""
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=SECONDS)
    connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
    for name, value in {"Host": address.netloc, **headers}.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return found


SOCKET = {
    "Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13",
    "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec_WebSocket_Protocol": "bokeh, x",
}  # fmt: skip


def test_the_page(page):
    """Who has the address gets the page, which loads from nowhere else; fails if a CDN is named or allowed."""
    _, address = page
    status, headers, content = _ask(address, address.path)
    text = content.decode()
    assert status == 200
    assert "viewport" in text
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert [one for one in sources if one and one.startswith(("http:", "https:", "//"))] == []
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "http:" not in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Server" not in headers
    script = next(one for one in sources if "bokeh.min.js" in one)
    assert _ask(address, address.path + script)[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/favicon.ico",
        "/static/js/bokeh.min.js",
        "/ws",
        "/autoload.js",
        "/metadata",
        "/index.html",
        "/x/",
        "//",
        "/..",
    ],
)
def test_without_the_secret(page, path):
    """403 and nothing else, whatever is asked for; fails if a file or a name of the program is handed out."""
    _, address = page
    for more in ({}, SOCKET):
        status, headers, content = _ask(address, path, **more)
        assert (status, content) == (403, b"")
        assert {*headers} == {"Content-Length"}


def test_nearly_the_secret(page):
    """A secret that is cut, longer, or of another case is none; fails if a beginning is enough."""
    _, address = page
    secret = address.path.strip("/")
    for wrong in (secret[:-1], secret + "a", secret.swapcase(), secret[::-1], f"{secret}%00", f"x/{secret}"):
        assert _ask(address, f"/{wrong}/")[0] == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "0.0.0.0:{port}", ""]
)
def test_another_host(page, host):
    """A name elsewhere that points to this machine gets nothing; fails if a page can be reached by rebinding."""
    _, address = page
    assert _ask(address, address.path, Host=host.format(port=address.port))[0] in (400, 403)


def test_origin_of_sockets(page):
    """Only a page of this address opens a socket; fails if another page can, or one that does not say which it is."""
    _, address = page
    path = f"{address.path}ws"
    for origin in ("http://evil.example", "null", f"https://{address.netloc}", f"http://{HOME}:1"):
        assert _ask(address, path, **SOCKET, Origin=origin)[0] == 403
        assert _ask(address, address.path, Origin=origin)[0] == 403
    assert _ask(address, path, **SOCKET)[0] == 403
    assert _ask(address, path, **SOCKET, Origin=f"http://{address.netloc}")[0] != 403


@pytest.mark.parametrize(
    "path",
    ["static/../../../../../../etc/passwd", "static/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "static//etc/passwd",
     "static/extensions/panel/../../../../../../etc/passwd", "../../etc/passwd", "components/os/environ", "etc/passwd"],
)  # fmt: skip
def test_no_file_by_its_path(page, path):
    """With the secret, a path in the address reads no file either; fails if one outside of the page comes out."""
    _, address = page
    status, _, content = _ask(address, address.path + path)
    assert status in (400, 403, 404)
    assert b"root:" not in content


def test_no_file_by_a_state(page, tmp_path):
    """A link whose card names a file reads none; fails if it is opened for whoever sends the link."""
    _, address = page
    secret = tmp_path / "secret.csv"
    secret.write_text("energy_gev,weight\n1.0,4711\n", encoding="utf-8")
    text = Setup.of("fermilab").text.replace("[beam]", f"[beam]\nspectrum = {json.dumps(str(secret))}")
    status, _, content = _ask(address, f"{address.path}?s={Setup(text).token()}")
    assert status == 200
    assert b"4711" not in content
    for wrong in ("x", "A" * 3000, "%00", "..%2f..%2fetc%2fpasswd"):
        assert _ask(address, f"{address.path}?s={wrong}")[0] == 200


def test_listens_here_alone(page):
    """The port is open on 127.0.0.1 and on no other address; fails if others on the net can ask."""
    _, address = page
    assert address.hostname == HOME
    rows = [line.split()[1:4] for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    mine = [local for local, _, state in rows if state == "0A" and local.endswith(f":{address.port:04X}")]
    assert mine == [f"0100007F:{address.port:04X}"]
    six = Path("/proc/net/tcp6")
    assert f":{address.port:04X} " not in (six.read_text(encoding="ascii") if six.exists() else "")


def test_secrets_differ():
    """Each page has its own; fails if one can be known from another, or is short."""
    found = {Address(1).secret for _ in range(100)}
    assert len(found) == 100
    assert min(map(len, found)) >= 32


def test_ctrl_c():
    """Ctrl-C ends the program at once, with one line and without a fault; fails if a thread keeps it."""
    with served("na64") as (program, _):
        program.send_signal(signal.SIGINT)
        _, said = program.communicate(timeout=20)
        assert (program.returncode, said) == (0, "mcgen explore: ended\n")


def test_port(capsys):
    """A port that is taken is one line; fails for a traceback."""
    with listen() as taken:
        port = taken.getsockname()[1]
        assert main(["explore", "fermilab", "--no-open", "--port", str(port)]) == 2
    out, said = capsys.readouterr()
    assert out == ""
    assert said.startswith(f"mcgen: error: port {port}: cannot be used, address already in use")
    assert said.count("\n") == 1


def test_a_fault_comes_before_the_address(capsys, tmp_path):
    """A card with a fault is one line and no page; fails if an address is printed first."""
    path = tmp_path / "broken.toml"
    path.write_text("name = 3\n", encoding="utf-8")
    assert main(["explore", str(path), "--no-open"]) == 2
    out, said = capsys.readouterr()
    assert out == ""
    assert said.startswith("mcgen: error: ")
    assert said.count("\n") == 1


def test_opened(tmp_path):
    """A card, a kept state and the address of a page are the same set-up; fails if one is read otherwise."""
    setup = Setup.of("na64").with_value("beam.energy", "90 GeV")
    kept = tmp_path / "x.json"
    kept.write_text(json.dumps(setup.document()), encoding="utf-8")
    assert opened(str(kept)) == setup
    assert opened(f"http://127.0.0.1:1/secret/?s={setup.token()}") == setup
    assert opened("na64") == Setup.of("na64")
    assert opened(None) == Setup.of()
    for text in ("{", "[1]"):
        kept.write_text(text, encoding="utf-8")
        with pytest.raises(InputError):
            opened(str(kept))
    with pytest.raises(InputError):
        opened("http://127.0.0.1:1/secret/?s=x")


def test_address_for_programs():
    """One JSON document, also with -q; fails if a program has to read the line of people."""
    command = [sys.executable, "-m", "mcgen", "explore", "--no-open", "--json", "-q"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        said = json.loads(program.stdout.readline())
        program.kill()
    assert [*said] == ["address"]
    assert said["address"].startswith("http://127.0.0.1:")
