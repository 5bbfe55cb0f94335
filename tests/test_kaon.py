"""K_L behind the target (Eq. 22)."""

from __future__ import annotations

from mcgen import load_card
from mcgen.constants import AVOGADRO
from mcgen.physics.kaon import THRESHOLD, KaonModel, kaon_background, photon_spectrum
from mcgen.source.media import Medium


def test_kaon_background_is_of_order_one():
    """1 to 10 K_L with the collision length, and exponential in it; fails for a lost unit."""
    card = load_card("fermilab")
    arguments = (
        card.beam.particles_on_target,
        19.30 * AVOGADRO,
        card.beam.energy,
        Medium(card.target).loss,
        card.target.length,
        300.0,
    )
    few = kaon_background(*arguments)
    assert 1.0 < few < 10.0
    assert kaon_background(*arguments, KaonModel(attenuation_cm=9.94)) > 100.0 * few
    assert kaon_background(*arguments[:2], THRESHOLD, *arguments[3:]) == 0.0
    assert photon_spectrum(3.0, 3.0, 1.0) == 0.0
