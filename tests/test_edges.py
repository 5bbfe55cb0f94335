"""Edges where something once went wrong: thresholds, tiny samples, odd outputs, signals."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mcgen import generate, load_card, n_signal
from mcgen.cli import main
from mcgen.contours import Tower, reach
from mcgen.errors import InputError
from mcgen.estimate import weighted_sum


def test_tower_with_states_above_threshold():
    """A state that cannot be made adds nothing; fails if it turns the sum into a NaN."""
    card = load_card("fermilab")
    (tower,) = reach(card, ["A"], [0.1], tower=Tower(3, 2.0))
    (single,) = reach(card, ["A"], [0.1])
    assert tower.g_low == pytest.approx(single.g_low, rel=1e-9)
    with pytest.raises(InputError):
        Tower(3, -0.05)


def test_nothing_above_threshold():
    """N_S is 0 where no S can be made, and numbers out of range are refused; fails for a NaN."""
    card = load_card("fermilab")
    assert n_signal(card, "A", 5.0, [1e-4])[0].value == 0.0
    for m_S, g_mu in ((-0.1, 1e-4), (float("nan"), 1e-4), (0.1, float("nan")), (0.1, 0.0)):
        with pytest.raises(InputError):
            n_signal(card, "A", m_S, [g_mu])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("events", [1, 2])
def test_few_weighted_events(events, seed):
    """One or two weighted events are a run like any other; fails if their own spread is taken for their error."""
    assert len(generate(load_card("fermilab"), 0.1, events, seed, weighted=True)) == events


@pytest.mark.parametrize("m_S", [2.0, 2.7, 2.85])
def test_masses_next_to_threshold(m_S):
    """Threshold inside the target leaves events that agree with the quadrature in t; fails for too few nodes."""
    assert generate(load_card("fermilab"), m_S, 30_000).metadata["pull_t_worst"] < 4.5


def test_underflowing_squares():
    """A sum whose squares vanish has an error of its own size; fails if it looks exact."""
    assert weighted_sum(1e-200, 0.0, 100) == (1e-200, 1e-200, 1.0)


def test_outputs_that_are_no_files(tmp_path, capsys):
    """A device or a pipe is refused and left alone; fails if it is replaced by a file."""
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    assert main(["reach", "na64", "--mass", "0.1", "-o", str(pipe)]) == 2
    assert pipe.is_fifo()
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    link.symlink_to(real)
    assert main(["reach", "na64", "--mass", "0.1", "-o", str(link)]) == 0
    assert link.is_symlink()
    assert real.is_file()
    capsys.readouterr()


def test_faults_are_found_before_files_are_written(tmp_path, capsys):
    """A bad name of a figure or a constraint leaves no table; fails if it is only seen at the end."""
    table = tmp_path / "r.csv"
    for arguments in (["--plot", "r.xyz"], ["--plot", str(tmp_path / "r.png"), "--constraints", "bogus"]):
        assert main(["reach", "na64", "--mass", "0.1", "-o", str(table), *arguments]) == 2
    assert list(tmp_path.iterdir()) == []
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["xsec", "--target", "W", "--energy", "3", "--mass", "1e-200"],
        ["xsec", "--target", "W", "--energy", "3", "--mass", "1e-20", "--method", "iww"],
        ["generate", "fermilab", "-o", "x.root", "--mass", "1e-30"],
        ["reach", "fermilab", "--mass", "0.1", "--states", "3", "--spacing", "-1MeV"],
    ],
)
def test_numbers_beyond_use(arguments, capsys):
    """Absurd numbers get one line and status 2; fails for a traceback or a NaN."""
    assert main(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_leave_nothing(tmp_path, number):
    """A run that is ended leaves neither the file nor a temporary one; fails if a batch system's TERM does."""
    command = [sys.executable, "-c", "from mcgen.cli import entry; entry()"]
    run = subprocess.Popen(
        [*command, "generate", "na64", "-o", str(tmp_path / "x.root"), "--events", "100000000"], stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 60.0
    while not any(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.0)
    run.send_signal(number)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 1
    assert b"interrupted" in errors
    assert list(Path(tmp_path).iterdir()) == []


def test_interrupt_that_a_callback_swallows():
    """It comes again, and Python's word on what it ignored is not shown; fails if the program sleeps on."""
    code = """
import os, signal, sys, time, weakref
from mcgen import interrupts
interrupts.AGAIN = 0.5
seen = interrupts.heed(signal.SIGTERM)
class A: pass
a = A()
kept = weakref.ref(a, lambda _: os.kill(os.getpid(), signal.SIGTERM))
try:
    del a
    time.sleep(20.0)
except KeyboardInterrupt:
    print(len(seen))
    sys.exit(3)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=15, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "2\n", "")


def test_interrupt_that_comes_again_at_the_end():
    """A process that has said its last word ends with the status of an error; fails if its own alarm kills it."""
    code = """
import atexit, os, signal, sys, time
from mcgen import cli, interrupts
interrupts.AGAIN = 0.2
def main():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(20.0)
    except KeyboardInterrupt:
        return 1
cli.main = main
atexit.register(lambda: (signal.signal(signal.SIGALRM, signal.SIG_DFL), time.sleep(1.0)))
cli.entry()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (1, "")
