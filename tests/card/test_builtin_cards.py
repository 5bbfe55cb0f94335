"""The cards that come with the package: each loads, makes events that meet the quadrature, and has a reach."""

from __future__ import annotations

import math
import re

import pytest

from mcgen import load_card
from mcgen.analysis.constraints import G2_SETS
from mcgen.analysis.reach import reach
from mcgen.card.card import builtin_cards, card_text, parse_card
from mcgen.cli import main
from mcgen.generation.generate import generate
from mcgen.physics.boson.muon_g2 import delta_a_mu
from mcgen.report.published import na64mu_range
from mcgen.source.boson import Boson

CARDS = sorted(builtin_cards())


@pytest.mark.parametrize("name", CARDS)
def test_every_card(name):
    """Its text reads back as itself, events meet the quadrature, N_S rises above 3 at some mass and coupling.

    Fails for a card with a typing error, a file that is not beside it, or a beam whose quadrature is too coarse.
    """
    card = load_card(name)
    assert card.name == name
    assert parse_card(card.text).model_dump() == card.model_dump()
    assert abs(generate(card, events=3000, workers=2).metadata["pull"]) < 4.5
    points = reach(card, masses=[card.scan.mass[0]])
    assert [p.model for p in points] == card.scan.models
    assert all(0.0 < p.g_low < p.g_high for p in points)


@pytest.mark.parametrize(
    ("name", "E", "material", "length"),
    [
        ("muon-collider-1.5tev", 1500.0, "Pb", 500.0),
        ("muon-collider-5tev", 5000.0, "Pb", 500.0),
        ("muon-collider-1.5tev-water", 1500.0, "water", 1000.0),
    ],
)
def test_published_dumps_of_muon_colliders(name, E, material, length):
    """1e20 muons on 5 m of lead or 10 m of water, 10 m of shield, 100 m to decay in; fails for 10 m of lead."""
    card = load_card(name)
    assert (card.beam.energy, card.beam.particles_on_target) == (E, 1e20)
    assert (card.target.material, card.target.length) == (material, length)
    assert (card.detector.gap, card.detector.L_det) == (1000.0, 10_000.0)


def test_efficiency_of_na64mu():
    """The card says what its limit on a vector must lose to exclude a part of the band of g-2: 0.05 to 0.11 at 1 MeV.

    Fails if the numbers in the card are not those that its own limit and the abstracts give.
    """
    card = load_card("na64mu-2022").with_boson("vector", "Lmu-Ltau")
    search = card.search
    assert (search.observed, search.background, search.background_error, search.efficiency) == (0, 0.07, 0.03, 1.0)
    (point,) = reach(card.model_copy(update={"search": None}), masses=[1e-3], n_signal=2.3)
    assert point.g_low == pytest.approx(1.18e-4, rel=0.01)
    shift = G2_SETS["g2-wp2020"]
    unit = delta_a_mu(1.0, 1e-3, "vector")
    low, high = (math.sqrt((shift.value + s * shift.error) / unit) for s in (-2.0, 2.0))
    assert (low, high) == pytest.approx((3.5e-4, 5.3e-4), rel=0.02)
    assert [(point.g_low / g) ** 2 for g in (6e-4, high, low)] == pytest.approx([0.04, 0.05, 0.11], abs=0.006)
    assert [f"{share:.2g}" for share in na64mu_range()] == ["0.018", "0.11"]
    text = " ".join(card_text("na64mu-2022").replace("#", "").split())
    assert "It is 0.018 to 0.11:" in text
    assert "band is 3.5e-4 to 5.3e-4, 0.05 to 0.11" in text


def test_width_of_the_paper_in_the_cards():
    """Gamma_ee alone is 4.6 % less than the total width at 100 MeV, as two cards say; fails for 4.8 %."""
    for name in ("na64", "fermilab"):
        widths = Boson(load_card(name), "A", 0.1).widths(5e-4)
        less = round(100.0 * (1.0 - widths.ee / widths.total), 1)
        assert f"{less} % less at 100 MeV" in card_text(name)


@pytest.mark.parametrize("name", CARDS)
def test_no_number_without_effect(name):
    """A beam's angles change N_S only where S flies at its own angle; fails for a divergence elsewhere."""
    card = load_card(name)
    if card.detector.geometry == "paper":
        assert (card.beam.divergence, card.beam.spot, card.target.multiple_scattering) == (0.0, 0.0, False)


COMMANDS = [(name, command) for name in CARDS for command in re.findall(r"`(mcgen reach [^`]*)`", card_text(name))]


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_commands_in_the_cards(name, command, capsys):
    """What a card tells its reader to type works; fails for a lost option or a card of another name."""
    words = command.split()[1:]
    assert name in words
    assert main([*words, "--mass", "100MeV"]) == 0
    assert name in capsys.readouterr().out
