"""Fields of a page: from the schema, those that apply, and their numbers."""

from __future__ import annotations

import dataclasses

import pytest

from mcgen.card.card import builtin_cards
from mcgen.card.keys import keys
from mcgen.explorer.fields import FIELDS, fields_of
from mcgen.explorer.setup import Setup


def named(setup):
    return {field.key: field for field in fields_of(setup)}


def test_meanings_are_those_of_the_schema():
    """Every field says what `mcgen schema` says; fails if a text is written twice."""
    known = {f"{key.section}.{key.name}".replace("target.layer, repeated", "target.layer"): key for key in keys()}
    assert all(field.meaning == known[field.key].meaning for field in FIELDS)
    assert {"beam.energy", "detector.radius", "search.efficiency", "scalar.mediator"} <= {f.key for f in FIELDS}
    assert not {"name", "run.events", "scan.mass"} & {f.key for f in FIELDS}


@pytest.mark.parametrize("name", builtin_cards())
def test_moving_a_field_moves_the_number(name):
    """The number of a field goes into the card and comes back as it was, in its unit."""
    setup = Setup.of(name)
    for field in fields_of(setup):
        value = setup.value(field.key)
        number = field.number(value)
        if field.kind not in ("quantity", "number", "whole") or number is None or number == 0.0:
            continue
        low, high = field.slider(value)
        assert low <= number <= high, field.key
        half = field.value(0.5 * number if field.kind != "whole" else number)
        moved = setup.with_value(field.key, half)
        again = {one.key: one for one in fields_of(moved)}[field.key]
        assert again.number(moved.value(field.key)) == field.number(half), field.key
        assert again.unit == field.unit


def test_which_fields_apply():
    """A shape is of 3-D alone, angles of a barrel, and a charge of the boson of its kind."""
    paper, shaped, collider = (named(Setup.of(card)) for card in ("fermilab", "fermilab-3d", "belle2-tautau"))
    assert "detector.radius" in shaped
    assert "detector.radius" not in paper
    assert {"beam.energy", "target.length", "run.form_factor"} <= set(paper)
    assert "beam.energy" not in collider
    assert {"collider.sqrt_s", "detector.r_max", "detector.angle_min"} <= set(collider)
    missing = named(Setup.of("m3-phase1").with_value("detector.geometry", "3d"))
    assert "detector.daughters" not in missing
    assert "scalar.parity_angle" not in named(Setup.of("na64").with_value("scalar.mediator", "axial"))
    assert "scalar.decay_law" in named(Setup.of("na64").with_value("scalar.mediator", "axial"))


def test_choices():
    """Only what is allowed: form factors of what is hit, losses of the beam's lepton."""
    muons, electrons = named(Setup.of("fermilab")), named(Setup.of("e137"))
    assert "shower" in electrons["target.energy_loss"].choices
    assert "shower" not in muons["target.energy_loss"].choices
    assert electrons["target.process"].choices == ("nuclear",)
    assert "free" not in muons["run.form_factor"].choices
    both = named(Setup.of("na64").with_value("target.process", "all"))
    assert "paper" not in both["run.form_factor"].choices
    assert "W" in muons["target.material"].choices
    assert "shashlik" in named(Setup.of("na64mu-2022"))["target.material"].choices
    assert muons["detector.geometry"].choices == ("paper", "3d")


def test_layers_repeat():
    """Each layer has its fields, those of groups too, in groups of the page with their numbers."""
    setup = Setup.of("fermilab").with_layer(material="Pb", length="2 X0")
    fields = named(setup)
    assert fields["target.layer.0.length"].group == "layer 1"
    assert fields["target.layer.1.length"].unit == "X0"
    assert fields["target.layer.1.length"].number("2 X0") == 2.0
    assert "target.length" not in fields
    grouped = setup.with_value("target.layer", [{"repeat": 3, "layer": [{"material": "Fe", "length": "1 cm"}]}])
    assert not grouped.faults()
    fields = named(grouped)
    assert fields["target.layer.0.repeat"].group == "group 1"
    assert fields["target.layer.0.layer.0.length"].group == "layer 1.1"
    assert grouped.with_value("target.layer.0.repeat", 4).card.target.length == 4.0


def test_units_and_numbers():
    """A quantity in any of its units; a text that is none has no number."""
    field = named(Setup.of("fermilab"))["beam.energy"]
    assert field.unit == "GeV"
    assert field.number("500 MeV") == 0.5
    assert field.value(2.5) == "2.5 GeV"
    assert field.number("much") is None
    assert field.number("3 cm") is None
    assert dataclasses.replace(field, kind="whole").value(2.4) == 2
    assert named(Setup.of("fermilab").with_value("beam.energy", "500 MeV"))["beam.energy"].unit == "MeV"
    assert named(Setup.of("fermilab"))["search.efficiency"].number(None) == 1.0
