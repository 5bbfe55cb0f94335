"""Texts and sliders of a browser beside values of a card."""

from __future__ import annotations

import math

import pytest

from mcgen.base.errors import InputError
from mcgen.explorer.setup import Setup
from mcgen.explorer.sheet import LOOK, described, ends_of, read, sheet, shown

SETUP = Setup.of("fermilab")
FIELDS = {field.key: field for field in sheet(SETUP)}


def _after(key, message):
    """What the card has once a browser sent something."""
    return SETUP.with_value(key, read(FIELDS[key], message)).value(key)


@pytest.mark.parametrize(
    ("key", "message", "value"),
    [
        ("beam.energy", {"text": "12 GeV"}, "12 GeV"),
        ("beam.energy", {"text": " 12000 MeV "}, "12000 MeV"),
        ("beam.energy", {"text": "12"}, "12 GeV"),
        ("beam.energy", {"position": 4.56789}, "4.57 GeV"),
        ("beam.particles_on_target", {"text": "1e15"}, 1e15),
        ("beam.particle", {"text": "mu-"}, "mu-"),
        ("detector.gap", {"text": ""}, None),
        ("target.multiple_scattering", {"flag": True}, True),
        ("look.m_S", {"text": "50"}, 0.05),
        ("look.m_S", {"text": "1.5 GeV"}, 1.5),
        ("look.m_S", {"position": 123.456}, 0.123),
        ("look.g_mu", {"text": "3e-5"}, 3e-5),
        ("look.number", {"text": "7"}, 7),
        ("look.number", {"position": 7.4}, 7),
        ("look.limits", {"text": "all"}, ("all",)),
        ("look.limits", {"text": "none"}, ()),
        ("look.models", {"several": ["B"]}, ("B",)),
    ],
)
def test_read(key, message, value):
    """What was typed or moved is what the card has; fails if a unit, a number or a name is taken otherwise."""
    assert _after(key, message) == value


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("look.m_S", {"text": "heavy"}),
        ("look.m_S", {"text": ""}),
        ("look.m_S", {"text": "3 cm"}),
        ("look.number", {"text": "7.5"}),
        ("look.g_mu", {"text": "<b>"}),
        ("look.models", {"several": "A"}),
        ("look.models", {"several": [1]}),
        ("beam.energy", {"position": math.nan}),
        ("beam.energy", {"position": "3"}),
        ("beam.energy", {"text": "9" * 200_000}),
    ],
)
def test_refused(key, message):
    """What has no sense is an error in one line; fails if it becomes a traceback, or a value."""
    with pytest.raises(InputError) as error:
        read(FIELDS[key], message)
    assert "\n" not in str(error.value)


def test_every_field():
    """Each field shows its value and takes it back unchanged; fails for a kind that the page does not know."""
    for key, field in FIELDS.items():
        value = SETUP.value(key)
        found = shown(field, value)
        words = described(field, ends_of(field, value))
        assert isinstance(found["text"], str)
        assert words["kind"] in ("quantity", "number", "whole", "choice", "flag", "text", "several"), key
        if words["low"] is not None:
            assert words["low"] < words["high"], key
            assert not words["log"] or words["low"] > 0.0, key
        if value is not None and field.kind in ("quantity", "number", "whole", "choice"):
            assert read(field, {"text": found["text"]}) == pytest.approx(value) if isinstance(value, float) else True
            if not isinstance(value, float):
                assert read(field, {"text": found["text"]}) == value, key


def test_ends_stay():
    """A slider keeps its ends while it moves between them; fails if it runs away under the finger."""
    field = FIELDS["beam.energy"]
    ends = ends_of(field, "3 GeV")
    assert ends[0] < 3.0 < ends[1]
    assert ends_of(field, "5 GeV", ends) == ends
    assert ends_of(field, f"{10.0 * ends[1]} GeV", ends) != ends
    assert ends_of(FIELDS["beam.particle"], "mu+") is None


def test_position_is_that_of_the_text():
    """The number of a slider is the text in the unit of the field; fails if 300 MeV stands at 300 GeV."""
    assert shown(FIELDS["beam.energy"], "300 MeV")["number"] == pytest.approx(0.3)
    assert shown(FIELDS["look.m_S"], 0.1) == {"text": "100 MeV", "number": pytest.approx(100.0)}


def test_no_toml():
    """Of a text that is none only what is looked at is left; fails if the page stops there."""
    assert [field.key for field in sheet(Setup("= ="))] == [field.key for field in LOOK]
