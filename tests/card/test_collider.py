"""Cards of colliding beams: what they must say, what they must not, and what of it is refused elsewhere."""

from __future__ import annotations

import math

import pytest

from mcgen import crosscheck, generate, library, load_card, n_signal, sigma_tilde
from mcgen.base.errors import InputError
from mcgen.card.card import Card, card_text, parse_card
from mcgen.source.source import Source, source_of

TEXT = card_text("belle2-tautau")


def _with(*pairs):
    text = TEXT
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return parse_card(text)


def test_what_a_card_says():
    """Numbers of the card in GeV, cm and 1/pb; fails for another unit or another frame."""
    card = load_card("belle2-tautau")
    assert card.exposure == 5e7
    assert card.lepton == "tau"
    gamma, gamma_beta = card.collider.boost
    assert gamma_beta / gamma == pytest.approx(3.0 / 11.0, rel=1e-14)
    assert gamma**2 - gamma_beta**2 == pytest.approx(1.0, rel=1e-14)
    assert (card.detector.r_min, card.detector.r_max, card.detector.angle_max) == (1.0, 60.0, math.pi)
    assert "e- of 7 on e+ of 4 GeV at 10.58 GeV" in str(card)


@pytest.mark.parametrize("name", ["babar-tautau", "belle-tautau", "belle2-tautau"])
def test_published_beams(name):
    """Boosts and luminosities of the three experiments; fails if two are exchanged."""
    beta, luminosity = {
        "babar-tautau": (0.48760, 514e3), "belle-tautau": (0.39130, 711e3), "belle2-tautau": (0.27273, 50e6),
    }[name]  # fmt: skip
    gamma, gamma_beta = load_card(name).collider.boost
    assert gamma_beta / gamma == pytest.approx(beta, abs=1e-5)
    assert load_card(name).exposure == pytest.approx(luminosity, rel=1e-12)


def test_text_of_a_changed_card():
    """A changed card is written as TOML that reads back as itself; fails for a key that only its default can have."""
    card = load_card("belle2-tautau").with_boson("vector")
    assert card.scan.models == ["dark-photon", "Lmu-Ltau"]
    assert parse_card(card.text).model_dump() == card.model_dump()
    assert isinstance(card, Card)


def test_beams_alone():
    """sqrt_s follows from the beams, and without them they are equal; fails if one needs the other."""
    alone = _with(('sqrt_s = "10.58 GeV"', ""))
    assert alone.collider.E_cm == pytest.approx(2.0 * math.sqrt(28.0), rel=1e-14)
    still = _with(('electron = "7 GeV"', ""), ('positron = "4 GeV"', ""))
    assert still.collider.boost == (1.0, 0.0)
    assert source_of(still).frame.E_first == pytest.approx(5.29, rel=1e-12)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('sqrt_s = "10.58 GeV"', 'sqrt_s = "91 GeV"', ["collider", "sqrt_s", "10.583"]),
        ('electron = "7 GeV"', "", ["collider", "both electron and positron"]),
        ('luminosity = "50 /ab"', "", ["collider.luminosity"]),
        ('luminosity = "50 /ab"', 'luminosity = "50 ab"', ["luminosity", "/ab"]),
        ('lepton = "tau"', 'lepton = "e"', ["collider.lepton", "'tau' or 'mu'"]),
        ("[detector]", '[target]\nmaterial = "W"\nlength = "1 cm"\n[detector]', ["instead of beam and target"]),
        ('geometry = "barrel"', 'geometry = "3d"', ["detector"]),
        ('r_min = "1 cm"', 'r_min = "1 m"', ["r_min < r_max"]),
        ('r_max = "60 cm"', "", ["r_min < r_max"]),
        ('r_max = "60 cm"', 'r_max = "60 cm"\nL_det = "1 m"', ["L_det", "not for geometry"]),
        ('signature = "displaced"', 'signature = "missing-energy"', ["barrel", "displaced"]),
        ("seed = 1", 'seed = 1\nform_factor = "tsai"', ["run.form_factor", "nucleus"]),
        ('mass = "100 MeV" ', 'mass = "8 GeV" ', ["scalar.mass", "7.026 GeV"]),
    ],
)
def test_faults(old, new, words):
    """Faults are named with their place and what is allowed; fails if a card is taken that makes no sense."""
    with pytest.raises(InputError) as error:
        source_of(_with((old, new))).check()
    for word in words:
        assert word in str(error.value)


def test_barrel_needs_a_collider():
    """A barrel about a beam in matter is refused, and so is a card of neither; fails if it is drawn along the beam."""
    lines = card_text("fermilab").splitlines()
    text = "\n".join(line for line in lines if not line.startswith(("gap", "L_det", "x_min")))
    with pytest.raises(InputError, match=r'"barrel" is for a collider'):
        parse_card(text.replace("[scalar]", 'geometry = "barrel"\nr_max = "1 m"\n[scalar]'))
    head, rest = TEXT.split("[collider]")
    with pytest.raises(InputError, match="beam and target: are needed, or a collider"):
        parse_card(head + '[detector]\nsignature = "displaced"\nL_det = "1 m"\n[scalar]' + rest.split("[scalar]")[1])
    with pytest.raises(InputError, match=r"r_max: only for geometry"):
        parse_card(card_text("fermilab").replace("[scalar]", 'r_max = "1 m"\n[scalar]'))


@pytest.mark.parametrize(
    "ask",
    [
        lambda: sigma_tilde("belle2-tautau", "A", 0.1, 1e-4, 3.0),
        lambda: crosscheck("belle2-tautau", 0.1),
        lambda: library("belle2-tautau", "never.csv", "1", 10),
        lambda: Source(load_card("belle2-tautau")),
    ],
)
def test_what_needs_a_target(ask):
    """What is for a beam on a target says so in one line; fails for an AttributeError."""
    with pytest.raises(InputError, match="its beams collide, and this is for a beam on a target"):
        ask()


def test_parity_angle_of_a_card():
    """At 90 degrees a scalar is a pseudoscalar in N_S and events; fails if a card's angle is left out."""
    odd = _with(('model = "A"', 'model = "A"\nparity_angle = 90.0'))
    plain = load_card("belle2-tautau").with_boson("pseudoscalar", "A")
    one, two = (n_signal(card, "A", 0.1, 1e-4).value for card in (odd, plain))
    assert one == pytest.approx(two, rel=1e-12)
    made = generate(odd, 0.1, 2000)
    assert made.metadata["yield_quadrature"] == pytest.approx(8.6952, rel=1e-4)


def test_flavour_is_kept():
    """A pair of two flavours is refused; fails if out_lepton is taken for the lepton of the pair."""
    with pytest.raises(InputError, match=r"scalar\.out_lepton.*a collider makes pairs"):
        _with(('model = "A"', 'model = "A"\nout_lepton = "mu"'))
