"""Known limits beside a contour."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mcgen.analysis.constraints import ShownBoson, constraints
from mcgen.base.steps import watched
from mcgen.base.units import Range
from mcgen.explorer.limits import at_hand, known
from mcgen.explorer.setup import Setup

SETUP = Setup.of("fermilab").with_look(limits=("e137", "orsay"), models=("A",))


def test_same_as_the_figure():
    """Those that `mcgen reach --constraints` draws; fails if another boson or range is asked for."""
    found, said = known(SETUP)
    look = SETUP.look
    asked = constraints(look.limits, Range((look.start, look.stop)), ShownBoson.of(SETUP.card.scalar), look.models)
    assert list(found) == asked
    assert said == ()


def test_kept():
    """Another beam asks for nothing again, another boson does; fails if limits are computed at every step."""
    one, _ = known(SETUP)
    moved = known(SETUP.with_value("beam.energy", "7 GeV").with_value("scalar.mass", "50 MeV"))[0]
    assert all(a is b for a, b in zip(one, moved, strict=True))
    other = known(SETUP.with_value("scalar.invisible", 0.5))[0]
    assert not any(a is b for a, b in zip(one, other, strict=False))


def test_what_does_not_hold():
    """A limit that says nothing of a model is said in words; fails if it vanishes without."""
    found, said = known(replace(SETUP, look=replace(SETUP.look, models=("B",))))
    assert found == ()
    assert all("electrons do not couple" in text for text in said)
    assert len(said) == 2


def test_none_asked():
    """Without names there are none; fails if the page draws what nobody wants."""
    assert known(SETUP.with_look(limits=())) == ((), ())


def test_one_that_is_computed_ends():
    """Somebody who asks for something else ends it between masses; fails if a slow limit runs to its end."""

    class EndError(Exception):
        pass

    calls = []

    def watch():
        calls.append(1)
        if len(calls) == 2:
            raise EndError

    setup = SETUP.with_value("scalar.invisible", 0.25).with_look(limits=("e137",), number=2)
    with pytest.raises(EndError), watched(watch):
        known(setup)
    assert len(calls) == 2
    assert at_hand(setup) is None
