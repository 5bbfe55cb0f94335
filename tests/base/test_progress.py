"""How far a call is, on a terminal and in a notebook."""

from __future__ import annotations

import sys
from types import SimpleNamespace

from mcgen.base.progress import reported


def test_on_a_terminal(capsys):
    """One line that ends with what was done last; fails if a bar that ended early stays at an older number."""
    with reported(True, "events", 30) as step:
        for done in (10, 20, 30):
            step(done)
    assert capsys.readouterr().err.split("\r")[-1] == "events: 30 of 30\n"


def test_nobody_asks(capsys):
    """Without a wish nothing is shown, and a function is handed on as it is; fails if stderr gets a line."""
    heard = []
    for wish in (None, False):
        with reported(wish, "events", 3) as step:
            assert step is None
    with reported(heard.append, "events", 3) as step:
        step(2)
    assert heard == [2]
    assert capsys.readouterr().err == ""


def test_in_a_notebook(monkeypatch):
    """One element that changes; fails if each step adds another one, or if the last is not shown."""
    shown = []
    handle = SimpleNamespace(update=shown.append)

    class ZMQShell:
        """As Jupyter's is called."""

    def display(html, display_id):
        assert display_id
        shown.append(html)
        return handle

    ipython = SimpleNamespace(get_ipython=ZMQShell, display=SimpleNamespace(display=display, HTML=str))
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    with reported(True, "<b>", 2) as step:
        step(1)
        step(2)
    assert shown[-1] == '<progress value="2" max="2"></progress> &lt;b&gt;: 2 of 2'
    assert 1 <= len(shown) <= 3
