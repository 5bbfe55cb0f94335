"""N_S of events in memory against the sum over all of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mcgen import load_card
from mcgen.analysis.event_signal import parts_of, signal_of, sums_of
from mcgen.card.card import card_text, parse_card
from mcgen.events.decays import DecayModel
from mcgen.generation.generate import in_passing
from mcgen.search.search import Search
from mcgen.source.boson import Boson

COUPLINGS = np.geomspace(1e-6, 1e-1, 7)
MISSING = card_text("fermilab-3d").replace('"displaced"', '"missing-energy"')
MISSING = MISSING.replace("[scalar]", "[scalar]\ninvisible = 0.3")


@pytest.mark.parametrize(("card", "model"), [("fermilab-3d", "A"), ("fermilab-3d", "B"), ("missing", "B")])
def test_kept_events_are_enough(card, model):
    """N_S without events that never count is that of all, 1e-13; fails if one that counts anywhere is left out."""
    card, m_S = parse_card(MISSING) if card == "missing" else load_card(card), 0.1
    events = in_passing(card, m_S, 2_000)
    found = signal_of(events, card, model, m_S)
    how = DecayModel(Boson(card, model, m_S), Search.of(card, m_S), 1.0, events.metadata.seed, forced=True)
    sums, squares = sums_of(parts_of(events, how), how, COUPLINGS.tolist())
    rate = how.boson.rate() * COUPLINGS**2
    np.testing.assert_allclose(found(COUPLINGS), rate * sums[:, 0], rtol=1e-13)
    assert found(COUPLINGS).max() > 3.0
    n_eff = [one**2 / square if square > 0.0 else 0.0 for one, square in zip(sums[:, 0], squares[:, 0], strict=True)]
    np.testing.assert_allclose([one.n_eff for one in found.estimates(COUPLINGS)], n_eff, rtol=1e-12)


def test_sum_over_events():
    """The compiled sum is that of Eq. 19, event by event, for more events than are taken together."""
    card, m_S, g = load_card("fermilab-3d"), 0.1, 3e-4
    events = in_passing(card, m_S, 1_500)
    found = signal_of(events, card, "A", m_S)
    boson = Boson(card, "A", m_S)
    how = DecayModel(boson, Search.of(card, m_S), 1.0, events.metadata.seed, forced=True)
    ((made,),) = (list(part) for part in parts_of(events, how))
    total = 0.0
    for weight, k, low, high in zip(made.weight, made.k, made.z_min, made.z_max, strict=True):
        length = k * boson.length_per_momentum(g)
        total += weight * (math.exp(-low / length) - math.exp(-high / length))
    assert found(np.array([g]))[0] == pytest.approx(boson.rate(g) * boson.visible * total, rel=1e-9)
