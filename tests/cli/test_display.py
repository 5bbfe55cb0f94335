"""Tables and progress: on a terminal, in a pipe and in a log."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest

from mcgen.cli.display import table
from mcgen.cli.progress import Lines, bar

ROWS = [[str(i), f"{i}.5"] for i in range(100)]


def test_a_pipe_has_the_whole_table(capsys):
    """All rows in a pipe, however many; fails if a table is cut for a program."""
    table(["n", "x"], ROWS)
    lines = capsys.readouterr().out.split("\n")
    assert [line.split()[0] for line in lines if line.strip()[:1].isdigit()] == [str(i) for i in range(100)]


def _on_a_terminal(code):
    """What a program shows on a terminal."""
    master, slave = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80"}
    process = subprocess.Popen([sys.executable, "-c", code], stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    shown = b""
    while True:
        try:
            part = os.read(master, 10_000)
        except OSError:  # Linux says so at the end
            part = b""
        if not part:
            break
        shown += part
    os.close(master)
    assert process.wait() == 0
    return shown.decode().replace("\r\n", "\n")


def test_a_terminal_has_the_ends_of_a_table_and_a_bar():
    """First and last rows with a word on the rest, short tables whole; a bar. Fails for a table that scrolls away."""
    shown = _on_a_terminal(
        "import time; from mcgen.cli import _warn\n"
        "from mcgen.cli.display import table; from mcgen.cli.progress import bar\n"
        "rows = [[str(i), f'{i}.5'] for i in range(100)]\n"
        "table(['n', 'x'], rows, rest='-o FILE has all'); table(['n', 'x'], rows[:40], 'short')\n"
        "with bar('events', 100) as update:\n    update(30); time.sleep(0.15); _warn('word'); time.sleep(0.15)\n"
    )
    cut, short = shown.split("short")
    first = [line.split()[0] for line in cut.split("\n") if line.strip()[:1].isdigit()]
    assert first == [str(i) for i in (*range(15), *range(85, 100))]
    assert "\n   ... 70 rows more; -o FILE has all\n" in cut
    assert sum(line.strip()[:1].isdigit() for line in short.split("\n")) == 40
    assert "30/100" in short
    assert re.search(r"\x1b\[2Kmcgen: warning: word$", short, re.MULTILINE)  # on a line of its own, above the bar


@pytest.mark.parametrize(("hours", "lines"), [(9.0 / 3600.0, 0), (25.0 / 3600.0, 2), (1.0, 9), (10.0, 58)])
def test_lines_in_a_log(capsys, hours, lines):
    """None in ten seconds, ten of an hour, one in ten minutes of a day; fails for a log of a million lines."""
    now = [0.0]
    told = Lines("events", 10_000_000, lambda: now[0])
    for done in range(10_000, 10_000_000, 10_000):
        now[0] = 3600.0 * hours * done / 10_000_000
        told(done)
    assert len(capsys.readouterr().err.splitlines()) == lines


def test_what_a_line_says(capsys):
    """Done, total, share and the time that is left; of an unknown total what is done. Fails for a wrong estimate."""
    now = [100.0]
    told, unknown = Lines("events", 10_000_000, lambda: now[0]), Lines("reach", 0, lambda: now[0])
    for seconds in (9.0, 70.0):
        now[0] = 100.0 + seconds
        told(3_000_000)
        unknown(12)
    assert capsys.readouterr() == ("", "events: 3e+06 of 1e+07 (30 %), 3 min left\nreach: 12\n")


def test_short_steps_say_nothing(capsys):
    """A step of less than ten seconds leaves no line where stderr is no terminal; fails if a bar is printed there."""
    with bar("events", 3) as update:
        update(2)
    assert capsys.readouterr() == ("", "")
