"""Words with mathematics in them."""

from __future__ import annotations

import pytest

from mcgen.explorer.fields import FIELDS
from mcgen.explorer.formulas import channel, name_of, plain, words
from mcgen.physics.boson.scalar_decay import VISIBLE


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$m_{S}$ [MeV]", [("m", ""), ("S", "sub"), (" [MeV]", "")]),
        (r"$g_\mu$", [("g", ""), ("μ", "sub")]),
        (r"$g_a$ [GeV$^{\mathrm{-1}}$]", [("g", ""), ("a", "sub"), (" [GeV", ""), ("\u22121", "sup"), ("]", "")]),
        (r"$\varepsilon$", [("ε", "")]),
        (r"$(g - 2)_\mu$", [("(g \u2212 2)", ""), ("μ", "sub")]),
        ("$E_{min}$", [("E", ""), ("min", "sub")]),
        (r"$\sqrt{s}$", [("√s", "")]),
        ("<b>", [("<b>", "")]),
    ],
)
def test_words(text, found):
    """Names of axes as the figures of the report have them; fails if a letter or a unit is lost."""
    assert words(text) == found


def test_names():
    """No field is called by a key with marks in it; fails if a new key has none of its own that a reader knows."""
    for field in FIELDS:
        name = plain(field.label)
        assert not set(name) & set("_$\\{}"), field.key
    assert plain(name_of("L_det")) == "length Ldet"
    assert plain(name_of("gap")) == "gap"
    labels = [(field.key.rpartition(".")[0], plain(field.label)) for field in FIELDS]
    assert len(labels) == len(set(labels))


def test_channels():
    """Letters and charges of what S decays into; fails if one is lost."""
    assert channel("mu+mu-") == [("μ", ""), ("+", "sup"), ("μ", ""), ("\u2212", "sup")]
    assert plain("hadrons") == "".join(part for part, _ in channel("hadrons")) == "hadrons"
    assert channel("gammagamma") == [("\u03b3\u03b3", "")]
    assert all(channel(name) for name in VISIBLE)
