"""Events of a collider as those of another boson: |M|^2 at each event against spinors, and the sum of weights."""

from __future__ import annotations

import numpy as np
import pytest
from physics.collider.dirac import squared

from mcgen import collider_cross_section, export, generate, load, load_card, reweight
from mcgen.analysis.alternatives import with_weights
from mcgen.analysis.event_ratio import COLUMNS, altered, changes, weight_ratios
from mcgen.base.constants import M_TAU
from mcgen.source.collisions import Collisions


@pytest.mark.parametrize(
    ("made", "asked", "m_S"), [("scalar", "pseudoscalar", 0.5), ("axial", "vector", 0.5), ("vector", "axial", 3.0)]
)
def test_another_boson(made, asked, m_S):
    """Ratios of 20 events are those of spinors to 1e-9, and the weights make the cross section of the other boson.

    Fails if the boost is not undone, or if the azimuth of f- has the other sign.
    """
    card = load_card("belle2-tautau", mediator=made)
    events = generate(card, m_S, 20_000)
    _, processes = changes(events, None, asked)
    few = {name: events.columns[name][:20] for name in COLUMNS}
    ratios = weight_ratios(few, processes)
    frame, boost = Collisions(card).frame, np.eye(4)
    boost[0, 0] = boost[3, 3] = frame.gamma
    boost[0, 3] = boost[3, 0] = -frame.gamma_beta
    for i, found in enumerate(ratios):
        k, minus, plus = (
            boost @ np.array([events.columns[f"{name}_{part}"][i] for part in ("E", "px", "py", "pz")])
            for name in ("S", "mu_out", "N_out")
        )
        one, two = (squared(name, M_TAU, m_S, k, minus, plus) for name in (asked, made))
        assert found == pytest.approx(one / two, rel=1e-9)
    (chunk,) = altered(events, mediator=asked).iterate(["weight"])
    weights = chunk["weight"]
    expected = collider_cross_section(10.58, m_S, mediator=asked).value
    error = np.sqrt(np.sum((weights - weights.mean()) ** 2))
    assert abs(weights.sum() - expected) < 4.0 * error
    assert error < 0.05 * expected


def test_weights_in_files(tmp_path):
    """A weight of another boson in a file counts as if the boson were asked for; fails if a collider has none."""
    events = generate("belle2-tautau", 0.1, 2_000, output=tmp_path / "e.root")
    file = export(with_weights(events, ["mediator=pseudoscalar"]), tmp_path / "e.lhe")
    (one,) = reweight(load(str(file)), "A", 1e-4, weight="mediator=pseudoscalar").n_signal
    (two,) = reweight(events, "A", 1e-4, mediator="pseudoscalar").n_signal
    assert one.value == pytest.approx(two.value, rel=1e-12)
