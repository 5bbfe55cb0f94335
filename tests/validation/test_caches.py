"""Processes that share kernels on disk, and a folder that can only be read; the long run has the other faults."""

from __future__ import annotations

import numba
import pytest

from mcgen.physics.emission.form_factor import form_factor
from mcgen.physics.emission.iww import flux
from validation import caches

pytestmark = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")


def number():
    """What each process has to say."""
    return repr(flux(3.0, 0.1, 0.1, form_factor("paper", 74.0, 183.84)))


def test_the_number_stays_right():
    """A folder that can only be read; fails if it must be written to, or if a kernel is read as another one."""
    what, _, _, kept = caches.tried("read_only", number()).split(" | ")
    assert what == "read_only"
    assert int(kept) > 5


def test_another_number_is_noticed(monkeypatch):
    """A process with a word too many; fails if the harness does not look."""
    monkeypatch.setitem(caches.FAULTS, "together", lambda _: [caches.Ended(0, number(), "Warning", 0.0)])
    with pytest.raises(AssertionError, match=r"together: .*Warning"):
        caches.tried("together", number())
