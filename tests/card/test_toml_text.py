"""The text of a card with other values: it says what is asked, and comments stay."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcgen.card.toml_text import rewritten

TEXT = """# a card
name = "x"   # its name

[beam]
energy = "3 GeV"  # total
spot = '1 cm'

[[target.layer]]  # front
material = "W"  # tungsten
length = "1 m"

[[target.layer]]
material = "Pb # no comment"
length = "2 m"

[scan]
models = ["A", "B"]  # both
"""


def changed(path, value):
    content = tomllib.loads(TEXT)
    *tables, last = path
    here = content
    for part in tables:
        here = here[part] if isinstance(part, int) else here.setdefault(part, {})
    if value is None:
        del here[last]
    else:
        here[last] = value
    return content


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (("name",), "y", 'name = "y"   # its name'),
        (("beam", "energy"), "5 GeV", 'energy = "5 GeV"  # total'),
        (("target", "layer", 0, "material"), "Fe", 'material = "Fe"  # tungsten'),
        (("target", "layer", 1, "length"), "3 m", 'length = "3 m"'),
        (("target", "layer", 1, "density"), "1 g/cm3", 'density = "1 g/cm3"'),
        (("search", "efficiency"), 0.5, "efficiency = 0.5"),
    ],
)
def test_values_change_and_comments_stay(path, value, line):
    """Fails if a value lands in another layer, or a comment is lost."""
    text = rewritten(TEXT, changed(path, value))
    assert tomllib.loads(text) == changed(path, value)
    assert line in text.splitlines()
    assert text.count("#") == TEXT.count("#")


def test_a_key_goes():
    """Its line goes with it, and no other."""
    text = rewritten(TEXT, changed(("beam", "spot"), None))
    assert text == TEXT.replace("spot = '1 cm'\n", "")


def test_what_cannot_be_changed_in_place():
    """Another number of layers is written anew: right, without comments."""
    content = tomllib.loads(TEXT)
    content["target"]["layer"].append({"material": "Al", "length": "1 cm"})
    text = rewritten(TEXT, content)
    assert tomllib.loads(text) == content
    assert "#" not in text.replace("Pb # no comment", "")


@pytest.mark.parametrize(
    "odd", ["a = '''\nb = 1\n'''\nb = 2\n", "a = [\n 1, # one\n 2]\nb = 2\n", "b = 2 # a\n\n[x]\ny={z=1}\n"]
)
def test_odd_texts(odd):
    """Values over several lines and inline tables: the new text says what is asked, whatever it looks like."""
    content = tomllib.loads(odd) | {"b": 3, "c": {"d": "e"}}
    assert tomllib.loads(rewritten(odd, content)) == content


values = st.recursive(
    st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=4), values, max_size=4))
def test_any_content(content):
    """Any content from any text; fails if the text does not say it."""
    assert tomllib.loads(rewritten(TEXT, content)) == content
    assert tomllib.loads(rewritten("not TOML [", content)) == content
