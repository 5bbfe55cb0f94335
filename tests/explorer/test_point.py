"""One mass and coupling: N_S is that of the command line, and what is lost is what other ways say."""

from __future__ import annotations

import math

import numpy as np
import pytest

import mcgen
from mcgen.base.constants import HBARC_GEV_CM
from mcgen.base.errors import InputError, ThresholdError
from mcgen.explorer.point import at, chain_of
from mcgen.explorer.setup import Setup
from mcgen.source.boson import Boson, total_width


def named(point):
    return {loss.name: loss for loss in point.losses}


def product(point):
    found = point.produced
    for loss in point.losses:
        found *= loss.left
    return found


CARDS = ["fermilab", "fermilab-3d", "m3-phase1", "e137", "belle2-tautau", "muon-to-tau"]


@pytest.mark.parametrize("name", CARDS)
def test_shares_multiply_to_the_number_of_signal_events(name):
    """Produced times what each cut leaves is N_S of `mcgen grid`, and each number is the one before times its share."""
    setup = Setup.of(name).with_value("search.efficiency", 0.7)
    look = setup.look
    point = at(setup, look.model, look.m_S, look.g_mu)
    (row,) = mcgen.grid(setup.card, look.model, look.m_S, look.g_mu).rows
    assert point.n_signal.value == pytest.approx(row.n_signal, rel=1e-12)
    assert point.n_signal.error == pytest.approx(row.error, rel=1e-6)
    assert product(point) == pytest.approx(row.n_signal, rel=1e-12)
    events = [point.produced, *(loss.events for loss in point.losses)]
    for loss, before, after in zip(point.losses, events, events[1:], strict=False):
        assert after == pytest.approx(loss.left * before, rel=1e-12)
        assert 0.0 <= loss.left <= 1.0 + 1e-6
    # the nodes of the chain are others than those of N_S
    assert chain_of(setup.card, look.model, look.m_S).sums(look.g_mu)[-1] == pytest.approx(row.n_signal, rel=2e-6)
    assert point.losses[-1].left == pytest.approx(0.7, rel=2e-6)


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("fermilab", "detector.x_min", 0.4),
        ("fermilab", "scalar.invisible", 0.3),
        ("m3-phase1", "scalar.invisible", 0.3),
    ],
)
def test_against_events(name, key, value):
    """Every share is that of generated events, weighted by formulas that stand here; fails if a cut is forgotten."""
    setup = Setup.of(name).with_value(key, value).with_value("detector.gap", "30 cm")
    card, m_S, g_mu = setup.card, 0.05, 3e-4
    point = at(setup, "A", m_S, g_mu)
    events = mcgen.generate(card, m_S, 40_000, seed=5)
    w, E, depth, E_mu = (events.columns[branch] for branch in ("weight", "S_E", "depth_cm", "E_mu"))
    per_cm = total_width(card, "A", m_S, g_mu) * m_S / HBARC_GEV_CM / np.sqrt(E**2 - m_S**2)
    front = card.target.length + card.detector.gap - depth
    back = front + card.detector.L_det
    above = card.detector.x_min * E_mu < E
    found = {"have the energy": above}
    if card.detector.signature == "displaced":
        found["decay visibly"] = above * (1.0 - card.scalar.invisible)
        found["reach the detector"] = found["decay visibly"] * np.exp(-front * per_cm)
        found["decay inside"] = found["decay visibly"] * (np.exp(-front * per_cm) - np.exp(-back * per_cm))
    else:
        stays = 1.0 - card.scalar.invisible
        found["leave undecayed"] = above * (card.scalar.invisible + stays * np.exp(-back * per_cm))
    rate = card.exposure * g_mu**2
    assert point.produced == pytest.approx(rate * w.sum(), rel=0.02)
    assert point.mean_energy == pytest.approx((w * E).sum() / w.sum(), rel=0.02)
    assert set(named(point)) <= set(found)
    assert len(point.losses) >= 2 if card.detector.signature == "displaced" else len(point.losses) >= 1
    for loss in point.losses:
        terms = w * found[loss.name]
        error = math.hypot(
            math.sqrt((terms**2).sum() - terms.sum() ** 2 / w.size), events.metadata.norm_error * terms.sum()
        )
        assert loss.events / rate == pytest.approx(terms.sum(), abs=5.0 * error), loss.name


def test_flight_into_a_shape():
    """S from near the axis hits a round detector if it is inside at the front; fails if the gap is left out."""
    setup = Setup.of("fermilab-3d").with_value("detector.gap", "20 m")
    point = at(setup, "A", 0.1, 5e-4)
    events = mcgen.generate(setup.card, 0.1, 40_000, seed=8)
    columns = {name: events.columns[name] for name in ("weight", "vertex_x_cm", "vertex_y_cm", "vertex_z_cm")}
    S = np.array([events.columns[f"S_p{axis}"] for axis in "xyz"])
    way = (150.0 + 2000.0 - columns["vertex_z_cm"]) / S[2]
    x, y = (columns[f"vertex_{axis}_cm"] + S[i] * way for i, axis in enumerate("xy"))
    w = columns["weight"]
    hits = (np.hypot(x, y) < 50.0) & (S[2] > 0.0)
    share = (w * hits).sum() / w.sum()
    left = named(point)["fly into the detector"].left
    assert 0.02 < left < 0.9
    assert left == pytest.approx(share, abs=6.0 * math.sqrt(share * (1.0 - share) * (w**2).sum()) / w.sum())


def test_efficiency_by_energy():
    """An efficiency that depends on the energy is the mean of its table over what decays inside."""
    table = "S_E_gev,efficiency\n0,0.0\n1,0.0\n3,1.0\n"
    setup = Setup.of("fermilab").with_value("search.efficiency", table)
    point = at(setup, "A", 0.1, 2e-4)
    plain = Setup.of("fermilab")
    assert named(point)["decay inside"].events == pytest.approx(at(plain, "A", 0.1, 2e-4).n_signal.value, rel=1e-5)
    assert 0.0 < named(point)["pass the efficiency"].left < 1.0
    assert point.n_signal.value == pytest.approx(mcgen.n_signal(setup.card, "A", 0.1, 2e-4).value, rel=1e-12)


def test_active_layers():
    """A decay in an active layer counts although it is before the detector."""
    target = [{"material": "W", "length": "50 cm"}, {"material": "scintillator", "length": "1 m", "active": True}]
    setup = Setup.of("fermilab").with_layer()
    setup = setup.with_value("target.layer", target)
    assert not setup.faults()
    point = at(setup, "A", 0.1, 5e-4)
    assert product(point) == pytest.approx(mcgen.n_signal(setup.card, "A", 0.1, 5e-4).value, rel=1e-12)
    assert "reach the detector or an active layer" in named(point)


def test_widths_and_lengths():
    """Decay length, width and branching ratios are those of the boson."""
    setup = Setup.of("fermilab")
    point = at(setup, "A", 0.3, 1e-4)
    boson = Boson(setup.card, "A", 0.3)
    assert point.width == boson.width(1e-4) == total_width(setup.card, "A", 0.3, 1e-4)
    k = math.sqrt(point.mean_energy**2 - 0.09)
    assert point.decay_length == pytest.approx(k / 0.3 * HBARC_GEV_CM / point.width, rel=1e-12)
    assert sum(point.branching.values()) == pytest.approx(1.0, rel=1e-12)
    assert point.branching["mu+mu-"] == pytest.approx(boson.widths().mumu / boson.widths().total, rel=1e-12)
    only = at(setup.with_value("scalar.width", "ee_only"), "A", 0.05, 1e-4)
    assert only.branching == {"e+e-": 1.0}


def test_a_stable_boson():
    """Model B below two muon masses at a coupling whose photons are far: S leaves, and nothing decays inside."""
    stable = at(Setup.of("m3-phase1"), "B", 0.05, 1e-9)
    assert stable.losses[-1].left == pytest.approx(1.0, rel=1e-6)
    nothing = at(Setup.of("e137").with_look(models=("B",)), "B", 0.05, 1e-5)
    assert nothing.produced == nothing.n_signal.value == 0.0
    assert all(loss.left == 0.0 for loss in nothing.losses)


def test_errors():
    """What cannot be made or is no model is one line."""
    setup = Setup.of("fermilab")
    with pytest.raises(ThresholdError, match=r"look\.m_S"):
        at(setup, "A", 10.0, 1e-3)
    with pytest.raises(InputError, match="g_mu"):
        at(setup, "A", 0.1, 0.0)
    with pytest.raises(InputError, match="model"):
        at(setup, "dark-photon", 0.1, 1e-3)
