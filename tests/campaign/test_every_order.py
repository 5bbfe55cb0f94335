"""Productions under commands and faults in any order."""

from __future__ import annotations

import pytest


@pytest.mark.slow
def test_every_order():
    """Events are those of a small model, or a line refuses; fails if an order loses, doubles or changes a file."""
    from validation.orders import run

    assert run(24, number=4, each=8)["steps"] > 10
