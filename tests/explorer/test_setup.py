"""A set-up: values of its card, faults beside their keys, links and files that hold it, the command that makes it."""

from __future__ import annotations

import base64
import contextlib
import json
import shlex
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcgen.base.errors import InputError
from mcgen.card.card import Card, builtin_cards, parse_card, read_card
from mcgen.cli.reach import reach
from mcgen.explorer.fields import fields_of
from mcgen.explorer.setup import MAX_TOKEN, MOST_MASSES, Look, Setup


@pytest.fixture(scope="module")
def fermilab():
    return Setup.of("fermilab")


@pytest.mark.parametrize("name", builtin_cards())
def test_every_card_comes_in_whole(name):
    """The text is that of the card, with its tables of files inside, and reads nothing more."""
    setup = Setup.of(name)
    assert setup.card.model_dump() == read_card(name).model_dump()
    assert setup.text.count("#") > 10
    assert parse_card(setup.text).model_dump() == setup.card.model_dump()
    assert setup.look.models == tuple(setup.card.scan.models)
    assert setup.value("beam.muons") is None
    assert Setup.from_token(setup.token()) == setup


def test_a_card_in_python():
    """A changed card, whose text is not that of its file."""
    card = read_card("fermilab").with_boson("vector")
    assert Setup.of(card).card.model_dump() == card.model_dump()
    assert Setup.of().card.model_dump() == read_card("fermilab").model_dump()


def test_values(fermilab):
    """What stands in the card, as it is written; nothing where it says nothing."""
    assert fermilab.value("beam.energy") == "3 GeV"
    assert fermilab.value("target.layer.0.length") is None
    assert fermilab.value("target.length.unit") is None
    assert fermilab.value("look.number") == 20
    assert fermilab.with_value("beam.energy", "4 GeV").card.beam.energy == 4.0
    assert fermilab.with_value("search.efficiency", 0.5).with_value("search.efficiency", None).content == (
        fermilab.content
    )
    assert fermilab.with_value("beam.energy", "3 GeV") is not fermilab
    assert fermilab.with_value("beam.energy", "3 GeV").text == fermilab.text
    assert fermilab.with_value("look.number", 7).look.number == 7
    for key in ("beam.energy.x", "target.layer.3.length", "references.0.x", "references.0"):
        with pytest.raises(InputError):
            fermilab.with_value(key, 1)


def test_layers(fermilab):
    """Layers come and go; the only one of a card becomes the first of several, and the last one stays."""
    two = fermilab.with_layer(material="Pb", length="10 cm")
    assert [layer.material for layer in two.card.target.layers] == ["W", "Pb"]
    assert two.card.target.layers[0] == fermilab.with_layer(0).card.target.layers[1]
    assert two.value("target.E_min") == "0.5 GeV"
    assert two.with_value("target.layer.1.length", "20 cm").card.target.layers[1].length == 20.0
    assert two.without_layer(1).card.target.length == fermilab.card.target.length
    for wrong in (lambda: two.without_layer(2), lambda: two.without_layer(1).without_layer(0)):
        with pytest.raises(InputError, match=r"target\.layer"):
            wrong()


#: key, value, and the key that has the fault
BAD = [
    ("beam.energy", "3 Gev", "beam.energy"),
    ("beam.energy", 3, "beam.energy"),
    ("beam.energy", "0.2 GeV", "beam.energy"),
    ("beam.energy_spread", 0.5, "beam.energy_spread"),
    ("beam.particle", "tau+", "beam.particle"),
    ("beam.particles_on_target", -1.0, "beam.particles_on_target"),
    ("beam.spot", "1 GeV", "beam.spot"),
    ("target.material", "Unobtainium", "target.material"),
    ("target.length", "0 cm", "target.length"),
    ("target.length", "3 furlongs", "target.length"),
    ("target.E_min", "4 GeV", "beam.energy"),
    ("target.energy_loss", "much", "target.energy_loss"),
    ("target.proces", "all", "target.proces"),
    ("detector.L_det", "0 cm", "detector.L_det"),
    ("detector.x_min", 1.5, "detector.x_min"),
    ("detector.radius", "1 m", "detector.radius"),
    ("detector.geometry", "round", "detector.geometry"),
    ("detector.signature", "seen", "detector.signature"),
    ("detector.E_S_min", "-1 GeV", "detector.E_S_min"),
    ("search.efficiency", 1.5, "search.efficiency"),
    ("search.efficiency", "table.csv", "search.efficiency"),
    ("search.background", [1.0, 2.0], "search.background"),
    ("search.confidence", 0.2, "search.confidence"),
    ("search.observed", 0.5, "search.observed"),
    ("scalar.mass", "5 GeV", "scalar.mass"),
    ("scalar.mediator", "tensor", "scalar.mediator"),
    ("scalar.model", "C", "scalar.model"),
    ("scalar.decay", "tau+tau-+", "scalar.decay"),
    ("run.form_factor", "fourier-bessel", "run.form_factor"),
    ("scan.models", ["A", "dark-photon"], "scan.models"),
    ("name", "a b", "name"),
]


@pytest.mark.parametrize(("key", "value", "place"), BAD)
def test_faults_have_their_key(fermilab, key, value, place):
    """Each fault stands beside the field that has to change, and is not told twice with its key."""
    found = fermilab.with_value(key, value).faults()
    assert list(found) == [place], found
    assert found[place]
    assert not found[place].startswith(f"{place.rpartition('.')[2]}: ")
    with pytest.raises(InputError):
        assert fermilab.with_value(key, value).card


def test_several_faults(fermilab):
    """All of them at once, also those of what is looked at."""
    wrong = fermilab.with_value("beam.energy", "x").with_value("detector.x_min", 2.0).with_look(number=1)
    assert set(wrong.faults()) == {"beam.energy", "detector.x_min", "look.number"}
    assert Setup("name = ", Look()).faults().keys() == {""}
    assert not fermilab.faults()


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"start": 0.5}, "look.stop"),
        ({"stop": float("nan")}, "look.stop"),
        ({"number": MOST_MASSES + 1}, "look.number"),
        ({"models": ()}, "look.models"),
        ({"models": ("dark-photon",)}, "look.models"),
        ({"model": "C"}, "look.model"),
        ({"production": "fast"}, "look.production"),
        ({"limits": ("nobody",)}, "look.limits"),
        ({"axis": "y"}, "look.axis"),
        ({"g_stop": 1e-12}, "look.g_stop"),
        ({"m_S": 0.0}, "look.m_S"),
    ],
)
def test_faults_of_what_is_looked_at(fermilab, change, key):
    """Fails if a page asks for what cannot be computed, and nobody says so."""
    assert list(fermilab.with_look(**change).faults()) == [key]


def test_a_fault_of_a_computation(fermilab):
    """Errors that come later have a place too."""
    assert fermilab.fault_of(InputError("mass: 5 GeV is above threshold"))[0] == "look.start"
    assert fermilab.fault_of(InputError("card x: beam.energy 3 GeV must lie above"))[0] == "beam.energy"
    assert fermilab.fault_of(InputError("search.efficiency: is not given"))[0] == "search.efficiency"
    assert fermilab.fault_of(InputError("something else"))[0] == ""


#: numbers that fields are moved to, in their units
numbers = st.floats(-1e3, 1e3) | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-5, 10**7)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_moves(data):
    """Any values of any fields, one after the other: the text stays TOML, its faults are told, and it comes back."""
    setup = Setup.of(data.draw(st.sampled_from(["fermilab", "fermilab-3d", "belle2-tautau", "muon-to-tau"])))
    for _ in range(data.draw(st.integers(1, 4))):
        field = data.draw(st.sampled_from(fields_of(setup)))
        if field.key == "target.process":  # others need seconds for their tables
            continue
        if field.choices:
            value = data.draw(st.sampled_from(field.choices))
        elif field.kind == "flag":
            value = data.draw(st.booleans())
        else:
            value = data.draw(numbers.map(field.value) | st.text(max_size=5))
        if field.optional and data.draw(st.booleans()):
            value = None
        setup = setup.with_value(field.key, value)
        assert field.key.endswith(("width", "height", "radius")) or setup.value(field.key) == value
    assert Setup.from_token(setup.token()) == setup
    assert Setup.from_document(json.loads(json.dumps(setup.document()))) == setup
    try:
        assert isinstance(setup.card, Card)
    except InputError:
        assert setup.faults()
    else:
        assert not setup.faults()


def packed(document):
    return base64.urlsafe_b64encode(zlib.compress(json.dumps(document).encode())).decode().rstrip("=")


GOOD = {"kind": "mcgen explore", "version": 1, "card": 'name = "x"'}


@pytest.mark.parametrize(
    "token",
    [
        "", "!", "====", "AAAA", "é", "a" * (MAX_TOKEN + 1), packed([]), packed({}), packed({**GOOD, "version": 2}),
        packed({**GOOD, "version": "1"}), packed({**GOOD, "card": "x = [" * 3000}), packed({**GOOD, "card": 1}),
        packed({**GOOD, "look": []}), packed({**GOOD, "look": {"color": 1}}),
        packed({**GOOD, "look": {"number": 10**9}}),
        packed({**GOOD, "look": {"number": 2.5}}), packed({**GOOD, "look": {"number": True}}),
        packed({**GOOD, "look": {"start": "1"}}), packed({**GOOD, "look": {"models": "A"}}),
        packed({**GOOD, "look": {"models": [1]}}), packed({**GOOD, "look": {"start": 2.0}}),
        packed({**GOOD, "look": {"limits": ["/etc/passwd.csv"]}}), packed(GOOD)[:-3],
        packed({**GOOD, "x": "y" * 10**7}),
        base64.urlsafe_b64encode(zlib.compress(b"[" * 10**6)).decode(),
        base64.urlsafe_b64encode(zlib.compress(b'{"kind": NaN')).decode(),
        base64.urlsafe_b64encode(zlib.compress(b"\xff\xfe")).decode(),
    ],
)  # fmt: skip
def test_hostile_links(token):
    """A link that somebody made up is one clear error; fails if it is taken, or ends in another exception."""
    with pytest.raises(InputError):
        Setup.from_token(token)


def test_a_good_link():
    """What the hostile ones are made from is taken."""
    assert Setup.from_token(packed(GOOD)).value("name") == "x"


@settings(max_examples=300, deadline=None)
@given(
    st.text(alphabet=st.characters(codec="ascii"), max_size=60) | st.binary(max_size=60).map(lambda b: packed(list(b)))
)
def test_any_link(token):
    """Fails if any text ends in an exception that is no InputError."""
    with pytest.raises(InputError):
        Setup.from_token(token)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_broken_links(data):
    """A link with letters changed or lost is refused, or a state."""
    token = Setup.of("na64").token()
    at = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.characters(codec="ascii"))
    for broken in (token[:at] + letter + token[at + 1 :], token[:at]):
        with contextlib.suppress(InputError):
            assert isinstance(Setup.from_token(broken).text, str)


def test_a_bomb_is_not_unpacked():
    """A short link of a gigabyte is refused before it is unpacked; fails if the memory is filled."""
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(b"0" * 10**6) for _ in range(60)) + packer.flush()
    token = base64.urlsafe_b64encode(bomb).decode()
    assert len(token) < MAX_TOKEN
    with pytest.raises(InputError, match="too long"):
        Setup.from_token(token)


def test_a_card_cannot_name_files():
    """A state from elsewhere reads nothing of this machine."""
    state = Setup.of("fermilab").document()
    state["card"] = state["card"].replace('energy = "3 GeV"', 'spectrum = "/etc/passwd"')
    faults = Setup.from_document(state).faults()
    assert set(faults) == {"beam.spectrum"}
    assert "link" in faults["beam.spectrum"]


def test_commands_are_quoted(fermilab):
    """Words with blanks and quotes stay words, and `mcgen reach` understands them all."""
    setup = fermilab.with_look(production="iww", limits=("paper",), axis="g_mu", number=3)
    words = shlex.split(setup.command("it's a card.toml", "a b.csv", "c.png"))
    assert words[:3] == ["mcgen", "reach", "it's a card.toml"]
    asked = reach.make_context("reach", words[2:]).params
    assert asked["mass"] == setup.look.masses
    assert (asked["models"], asked["production"]) == ("A,B", "iww")
    assert (asked["constraints"], asked["axis"], str(asked["output"])) == ("paper", "g_mu", "a b.csv")
    assert Setup("name = 3", Look()).command().startswith("mcgen reach card.toml")


def test_a_date_in_a_card():
    """A value of TOML that no JSON has is said at its key, also after another field moved; fails if nothing moves."""
    setup = Setup("when = 2026-11-27\n" + Setup.of("fermilab").text)
    moved = setup.with_value("beam.energy", "4 GeV")
    assert moved.value("beam.energy") == "4 GeV"
    assert [*moved.faults()] == [*setup.faults()] == ["when"]
