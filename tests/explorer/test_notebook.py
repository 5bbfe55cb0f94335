"""The page inside a notebook."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

import mcgen
from mcgen import InputError


def test_it_shows_itself():
    """The object of a cell is a page that computes; fails if a notebook prints its name instead."""
    page = mcgen.explore("na64")
    assert page.setup.card.name == "na64"
    assert callable(page._repr_mimebundle_)
    deadline = time.monotonic() + 120.0
    while page.rows is None and time.monotonic() < deadline:
        time.sleep(0.05)
    page.leave()
    assert {p.experiment for p in page.rows} == {"na64"}


def test_missing_package(monkeypatch):
    """Without the extra one line says what to install; fails for a traceback."""
    monkeypatch.setitem(sys.modules, "panel", None)
    with pytest.raises(InputError, match=r"mcgen.explore needs panel: pip install 'mcgen\[explore\]'"):
        mcgen.explore()


def test_nothing_heavy_before_use():
    """Neither the package nor its other commands load Panel; fails if a module imports it at its top."""
    code = "import sys, mcgen, mcgen.cli; print({'panel', 'bokeh', 'tornado'} & {*sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
