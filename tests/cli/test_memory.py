"""Commands with too little memory."""

from __future__ import annotations

import pytest

from mcgen.cli import main


def test_less_and_less():
    """One line, status 1 and no file, or the whole; fails at a traceback, a hang or half a file."""
    from validation.memory import run

    ends = run(5, ["generate"], highest=64_000_000)
    assert ends["refused"] >= 3
    assert ends["fault"] == 0


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (MemoryError(), "not enough memory"),
        (RuntimeError("can't start new thread"), "not enough memory"),
        (ImportError("libx.so: failed to map segment from shared object"), "not enough memory"),
        (OSError(28, "No space left on device"), "OSError: [Errno 28] No space left on device"),
    ],
)
def test_one_line(error, line, monkeypatch, capsys):
    """What libraries say of memory becomes one line; fails if it is a traceback, or if a full disk is taken for it."""

    def fail(*_, **__):
        try:
            raise error
        except MemoryError as first:
            raise ValueError("damaged") from first

    monkeypatch.setattr("mcgen.quadrature.xsec.xsec", fail)
    assert main(["xsec", "--target", "W", "--energy", "3", "--mass", "0.1"]) == 1
    assert capsys.readouterr().err == f"mcgen: error: {line}\n"
