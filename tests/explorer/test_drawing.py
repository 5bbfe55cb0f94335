"""The drawing of the page beside that of `mcgen show`."""

from __future__ import annotations

import numpy as np
import pytest

from mcgen import load_card
from mcgen.explorer.drawing import DrawingFigure
from mcgen.report.drawing import layout


@pytest.fixture(scope="module")
def setup():
    return layout(load_card("fermilab-3d"), 0.1, 10)


def test_to_scale(setup):
    """Parts and decays stand where the set-up has them, in the units of the axes; fails for a factor."""
    drawn = DrawingFigure()
    drawn.show(setup)
    assert drawn.words["x"] == [("z [m]", "")]
    parts = drawn._parts.data
    assert parts["left"] == pytest.approx([part.z_low / 100.0 for part in setup.parts])
    assert parts["right"] == pytest.approx([part.z_high / 100.0 for part in setup.parts])
    assert parts["name"][0].startswith("W")
    unit = {"cm": 1.0, "m": 0.01, "mm": 10.0}[drawn.words["y"][0][0].split("[")[1].split("]")[0]]
    assert parts["top"][-1] == pytest.approx(50.0 * unit)
    inside = setup.tracks["decay_z_cm"] <= 1.15 * setup.end
    assert drawn._decays.data["x"] == pytest.approx(np.asarray(setup.tracks["decay_z_cm"])[inside] / 100.0)
    assert drawn._counts.data["xs"][0] == pytest.approx([z / 100.0 for z in setup.fiducial])
    drawn.clear()
    assert list(drawn._tracks.data["x0"]) == list(drawn._parts.data["name"]) == []
