"""The cards that come with the package: each loads, makes events that meet the quadrature, and has a reach."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest

from mcgen import load_card
from mcgen.beyond import changed
from mcgen.card import builtin_cards, card_text, parse_card
from mcgen.cli import main
from mcgen.constraints import G2_SETS
from mcgen.contours import EVENTS, reach
from mcgen.crossings import intervals
from mcgen.dump_lines import dump_line
from mcgen.errors import InputError
from mcgen.exporting import export
from mcgen.generation import generate
from mcgen.physics.muon_g2 import delta_a_mu
from mcgen.physics.scalar_decay import STABLE
from mcgen.quadrature.yields import n_signal
from mcgen.reweighting import ratio_to_full_acceptance, reweight, signal_sums
from mcgen.source.boson import Boson

CARDS = sorted(builtin_cards())
ROUND = {"geometry": "3d", "radius": 50.0}


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


def test_more_muons_reach_further():
    """A thousand times the muons is sqrt(1000) in g_mu; fails if the two NA64mu cards differ otherwise."""
    few, many = (reach(load_card(name), ["B"], [0.01])[0].g_low for name in ("na64mu-2022", "na64mu-run4"))
    assert few / many == pytest.approx(math.sqrt(2e13 / 1.98e10), rel=0.01)


def test_reach_of_a_detector_with_a_shape():
    """The contour from events is where N_S of other events is 3, 2 %; fails if it is the one of the whole detector."""
    card = changed(load_card("fermilab"), detector=ROUND)
    (point,) = reach(card, ["A"], [0.1])
    (whole,) = reach(load_card("fermilab"), ["A"], [0.1])
    assert point.production == "events"
    assert point.g_low > 1.1 * whole.g_low
    found = reweight(generate(card, 0.1, 100_000, seed=9, workers=2), "A", [point.g_low, point.g_high]).n_signal
    assert found[0].value == pytest.approx(3.0, rel=0.04)
    with pytest.raises(InputError, match="exact"):
        reach(card, ["A"], [0.1], production="iww")


def test_acceptance():
    """N_S over that with every S along the beam, None without a shape; fails if it is relative to the events' own."""
    card = changed(load_card("fermilab"), detector=ROUND)
    found = reweight(generate(card, 0.1, 20_000, workers=2), "A", [1e-4]).n_signal
    (share,) = ratio_to_full_acceptance(card, "A", 0.1, [1e-4], found)
    assert share == pytest.approx(found[0].value / n_signal(load_card("fermilab"), "A", 0.1, [1e-4])[0].value)
    assert 0.5 < share < 0.7
    assert ratio_to_full_acceptance(load_card("fermilab"), "A", 0.1, [1e-4], found) == [None]


def test_acceptance_on_the_command_line(capsys, tmp_path):
    """reweight and run give it per row for a detector with a shape only; fails if the key is lost or always there."""
    for name in ("fermilab-3d", "fermilab"):
        file = tmp_path / f"{name}.root"
        assert main(["generate", name, "-o", str(file), "--events", "3000"]) == 0
        capsys.readouterr()
        assert main(["reweight", str(file), "--g-mu", "1e-4", "--json"]) == 0
        (row,) = json.loads(capsys.readouterr().out)["rows"]
        assert ("acceptance" in row) == (name == "fermilab-3d")


def test_reach_of_several_cards(capsys, tmp_path):
    """Cards as arguments or in a list end in one table and one figure, each in its own models; fails if one is lost."""
    table, figure = tmp_path / "t.csv", tmp_path / "t.png"
    arguments = ["na64,fermilab", "orsay", "--mass", "10MeV,5GeV", "-o", str(table), "--plot", str(figure)]
    assert main(["reach", *arguments]) == 0
    rows = [line.split(",") for line in table.read_text().splitlines()[1:]]
    names = [(row[0], row[1]) for row in rows[::2]]
    assert names == [("na64", "A"), ("na64", "B"), ("fermilab", "A"), ("fermilab", "B"), ("orsay", "A")]
    assert [row[4:] for row in rows if row[0] != "na64"][1::2] == [["", ""]] * 3  # nothing is made above threshold
    assert figure.stat().st_size > 10_000
    capsys.readouterr()


def test_mediator_of_a_card():
    """Models follow the mediator unless named, and are checked; fails if a scalar's model is kept for a vector."""
    card = load_card("na64")
    vector = card.with_boson("vector")
    assert (vector.scalar.model, vector.scan.models) == ("dark-photon", ["dark-photon", "Lmu-Ltau"])
    assert card.with_boson("pseudoscalar").scan.models == ["A", "B"]
    assert card.with_boson("vector", "Lmu-Ltau").scan.models == ["Lmu-Ltau"]
    assert card.with_boson() is card
    for mediator, model, word in (
        ("graviton", None, "graviton"),
        ("vector", "A", "no model of"),
        (None, "Lmu", "model"),
    ):
        with pytest.raises(InputError, match=word):
            card.with_boson(mediator, model)


def test_stable_dark_photon(tmp_path, capsys):
    """Below 2 m_e it leaves the detector and counts, its decay is far and finite; where decays are sought none is seen.

    Fails for an infinite column, a lost signal, or a traceback.
    """
    card = load_card("na64").with_boson("vector", "dark-photon")
    events = generate(card, 0.5e-3, 20_000, workers=2)
    c = events.columns
    k = np.sqrt(c["S_px"] ** 2 + c["S_py"] ** 2 + c["S_pz"] ** 2)
    np.testing.assert_allclose(c["decay_z_cm"], c["tau"] * STABLE * c["S_pz"], rtol=1e-12)
    assert np.all(k * c["tau"] * STABLE < np.inf)
    found = reweight(events, "dark-photon", [1e-4]).n_signal[0]
    assert abs(found.pull(n_signal(card, "dark-photon", 0.5e-3, [1e-4])[0].value)) < 4.0
    file = generate(card, 0.5e-3, 10, output=tmp_path / "e.root")
    assert export(file, tmp_path / "e.lhe").stat().st_size > 0
    for name in ("fermilab", "fermilab-3d"):
        (point,) = reach(load_card(name).with_boson("vector", "dark-photon"), masses=[0.5e-3])
        assert (point.g_low, point.g_high) == (None, None)
    text = load_card("fermilab").text.replace('mass = "100 MeV"', 'mass = "0.5 MeV"')
    (tmp_path / "card.toml").write_text(text)
    assert main(["run", str(tmp_path / "card.toml"), "--mediator", "vector", "-o", str(tmp_path / "run")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "cannot decay" in err
    assert len(err.splitlines()) == 1


def test_events_and_quadrature_have_one_contour():
    """Of a card without a shape the contour from events is that of the quadrature, 1 %; fails if N_mu is lost."""
    card = load_card("na64mu-2022")
    events = generate(card, 0.1, EVENTS, workers=2)
    ((low, high),) = intervals(lambda g: signal_sums(events, card, "B", 0.1, g), 3.0)
    (point,) = reach(card, ["B"], [0.1])
    assert low == pytest.approx(point.g_low, rel=0.01)
    assert high == pytest.approx(point.g_high, rel=0.01)


def test_line_of_e137():
    """The stored line is the contour of the card: other events at three masses, one between two of the line's, 1 %.

    Fails if the card or the physics changes and the line does not, or if another rule than any daughter made it.
    """
    masses = [0.002, 0.05, 0.2]
    card = load_card("e137")
    assert (card.detector.daughters, card.detector.half_width) == ("any", (150.0, 150.0))
    for m_S, point in zip(masses, dump_line("e137", masses), strict=True):
        events = generate(card, m_S, 60_000, seed=4, workers=2)
        ((low, high),) = intervals(lambda g, e=events, m=m_S: signal_sums(e, card, "A", m, g), 3.0)
        assert (point.g_low, point.g_high) == pytest.approx((low, high), rel=0.01)


def test_line_beyond_the_stored_one():
    """Below the first mass of the line, here where only photons are left, it is computed; fails for an extension."""
    (direct,) = reach(load_card("e137"), ["A"], [0.9e-3])
    assert dump_line("e137", [0.05, 0.9e-3])[1] == direct


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
    """0.04 to 0.1, as the card says: what its limit on a vector must lose to lie inside the band of g-2 at 1 MeV.

    Fails if the number in the card is not the one that its own limit and the abstracts give.
    """
    card = load_card("na64mu-2022").with_boson("vector", "Lmu-Ltau")
    (point,) = reach(card, masses=[1e-3], n_signal=2.3)
    assert point.g_low == pytest.approx(1.18e-4, rel=0.01)
    shift = G2_SETS["g2-wp2020"]
    unit = delta_a_mu(1.0, 1e-3, "vector")
    low, high = (math.sqrt((shift.value + s * shift.error) / unit) for s in (-2.0, 2.0))
    assert (low, high) == pytest.approx((3.5e-4, 5.2e-4), rel=0.02)
    assert [(point.g_low / g) ** 2 for g in (6e-4, high, low)] == pytest.approx([0.04, 0.05, 0.11], abs=0.006)
    assert "It is 0.04 to 0.1:" in card_text("na64mu-2022")


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
