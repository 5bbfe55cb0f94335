"""Keys that change together: whatever a field offers, the card stays right."""

from __future__ import annotations

import pytest

from mcgen.explorer.fields import fields_of
from mcgen.explorer.setup import Setup

#: choices that need more than a card: a mass below threshold, a table that is not there, or a charge density
NEEDS_MORE = {
    ("target.process", "electron"), ("scalar.out_lepton", "e"), ("run.form_factor", "fourier-bessel"),
    ("target.process", "all"), ("scalar.decay", "tau+tau-"),
}  # fmt: skip


@pytest.mark.parametrize("name", ["fermilab", "fermilab-3d", "m3-phase1", "e137", "belle2-tautau"])
def test_no_choice_is_a_dead_end(name):
    """Every choice of every field gives a card without faults, one after the other and back."""
    setup = Setup.of(name)
    for field in fields_of(setup):
        for choice in field.choices:
            if (field.key, choice) in NEEDS_MORE or field.key.endswith("material"):
                continue
            there = setup.with_value(field.key, choice)
            assert not there.faults(), (field.key, choice)
            assert not there.with_value(field.key, setup.value(field.key)).faults(), (field.key, choice)


def test_a_shape_comes_and_goes():
    """One choice makes a detector with a shape, and takes it away with all that is of it."""
    paper = Setup.of("fermilab")
    shaped = paper.with_value("detector.geometry", "3d")
    assert shaped.card.detector.is_round
    offset = shaped.with_value("detector.offset_x", "1 m").with_value("detector.daughters", "any")
    assert offset.card.detector.offset_x == 100.0
    back = offset.with_value("detector.geometry", "paper")
    assert back.card.detector.model_dump() == paper.card.detector.model_dump()
    missing = offset.with_value("detector.signature", "missing-energy")
    assert not missing.faults()
    assert missing.card.detector.geometry == "3d"


def test_round_and_rectangular():
    """A radius and a width exclude each other; taking one away gives the other."""
    shaped = Setup.of("fermilab").with_value("detector.geometry", "3d")
    wide = shaped.with_value("detector.width", "2 m")
    assert wide.card.detector.half_width == (100.0, 100.0)
    assert wide.with_value("detector.height", "1 m").card.detector.half_width == (100.0, 50.0)
    assert wide.with_value("detector.radius", "3 m").card.detector.half_width == (300.0, 300.0)
    assert wide.with_value("detector.height", None).card.detector.is_round
    assert not shaped.with_value("detector.radius", None).card.detector.is_round


def test_another_boson():
    """Models, a parity angle and what is looked at go with the mediator."""
    scalar = Setup.of("fermilab").with_value("scalar.parity_angle", 30.0)
    vector = scalar.with_value("scalar.mediator", "axial")
    assert not vector.faults()
    assert vector.card.scalar.parity_angle == 0.0
    assert set(vector.look.models) <= set(vector.card.scalar.models)
    assert vector.look.model in vector.look.models
    assert vector.card.model_dump() == scalar.card.with_boson("axial").model_dump()
    change = Setup.of("na64").with_value("scalar.out_lepton", "tau").with_value("scalar.flavour_coupling", 0.1)
    assert not change.faults()
    assert not change.with_value("scalar.out_lepton", None).faults()
    assert not change.with_value("scalar.model", "flavour").with_value("scalar.out_lepton", None).faults()


def test_another_beam():
    """Electrons lose energy otherwise, and are hit by muons alone."""
    muons = Setup.of("m3-phase1").with_value("target.process", "all")
    electrons = muons.with_value("beam.particle", "e-")
    assert not electrons.faults()
    assert electrons.value("target.energy_loss") is None
    shower = electrons.with_value("target.energy_loss", "shower")
    assert not shower.faults()
    assert not shower.with_value("beam.particle", "mu-").faults()


def test_one_kind_of_beam():
    """An energy stands instead of a histogram, which takes the energy away."""
    histogram = {"energy": "1 GeV, 2 GeV, 3 GeV", "particles": [1.0, 2.0]}
    spread = Setup.of("fermilab").with_value("beam.energy_spread", 0.01).with_value("beam.spectrum", histogram)
    assert not spread.faults()
    assert spread.value("beam.energy") is None
    assert not spread.with_value("beam.energy", "3 GeV").faults()
    profile = spread.with_value("beam.profile", "3.0,0,0,0,0\n2.9,0.1,0,0,0\n")
    assert not profile.faults()


def test_beams_that_collide():
    """Energies of two beams follow that of the collision, and the other way round."""
    moved = Setup.of("belle2-tautau").with_value("collider.sqrt_s", "12 GeV")
    assert moved.card.collider.E_cm == 12.0
    assert moved.card.collider.electron / moved.card.collider.positron == pytest.approx(1.75, rel=1e-5)
    assert moved.with_value("collider.electron", "8 GeV").card.collider.E_cm == pytest.approx(
        12.0 * (8 / 7.938) ** 0.5, rel=1e-3
    )


def test_materials_bring_their_numbers():
    """A density of one material is not that of the next."""
    iron = Setup.of("fermilab").with_value("target.material", "Fe")
    assert iron.value("target.n_atom") is None
    assert not iron.faults()
    layers = iron.with_layer(material="Pb", length="2 X0").with_value("target.layer.1.material", "vacuum")
    assert not layers.faults()


def test_bins_go_with_their_counts():
    """Lists of counts are of bins."""
    binned = Setup.of("fermilab").with_value("search.bins", {"variable": "x", "edges": [0.0, 0.5, 1.0]})
    binned = binned.with_value("search.background", [1.0, 2.0])
    assert not binned.faults()
    assert not binned.with_value("search.bins", None).faults()


def test_production_of_what_needs_events():
    """Approximations are by quadrature; a detector with a shape is looked at with exact events."""
    paper = Setup.of("fermilab").with_look(production="iww")
    assert paper.with_value("detector.L_det", "2 m").look.production == "iww"
    assert paper.with_value("detector.geometry", "3d").look.production == "exact"
