"""Files that are small and would become large are refused, in little time and memory."""

from __future__ import annotations

import time

import pytest

from mcgen.events.formats import text
from validation import bombs, strangers


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Every bomb."""
    return {what: (reader, data) for what, reader, data in bombs.bombs(tmp_path_factory.mktemp("bombs"))}


@pytest.mark.slow
def test_bombs(found, tmp_path):
    """All but a long number are refused; fails for an exception, a long wait, or endless memory."""
    slow, faults, read = {}, {}, []
    for what, (reader, data) in found.items():
        began = time.process_time()
        outcome, fault = strangers.law(reader, data, tmp_path)
        if time.process_time() - began > 2.0 + 1e-5 * len(data) + 2e-6 * text.ALWAYS:
            slow[what] = time.process_time() - began
        if fault:
            faults[what] = fault
        if outcome == "read":
            read.append(what)
    assert not slow
    assert not faults
    assert read == ["HepMC, a number of 1e6 digits"]  # behind the point: it is a number
    assert len(found) > 50


def test_how_much_a_packed_file_may_hold(tmp_path, monkeypatch):
    """The text of a packed file has an end where an honest one has; fails if it is read on."""
    monkeypatch.setattr(text, "ALWAYS", 50_000)
    for name in ("x.gz", "x.zst"):
        with text._create(tmp_path / name, name) as stream:
            stream.write(b"x" * 1_000_000)
        assert text.EXPANSION * (tmp_path / name).stat().st_size < 1_000_000
        with text.open_compressed(tmp_path / name) as stream:
            assert stream.read(30_000) == b"x" * 30_000
            with pytest.raises(strangers.InputError, match="a bomb"):
                stream.read()
