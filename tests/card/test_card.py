"""Cards and units: the numbers of Table I, every fault named, and nothing but InputError for any text."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thin_card import CARD

from mcgen import load_card
from mcgen.base.errors import InputError
from mcgen.card.card import MAX_BYTES, builtin_cards, card_text, parse_card
from mcgen.source.media import Medium
from mcgen.source.source import Source, checked

#: Table I of the paper; the NA64 card has no E_min, length and loss give 159.746 GeV
TABLE_I = {
    "fermilab": (3.0, 3e14, "W", 150.0, 6.3e22, 22.1e-3, 300.0, 0.5, "displaced", 0.0),
    "na64": (160.0, 8e12, "Pb", 20.0, 3.3e22, 12.7e-3, 500.0, 159.746, "missing-energy", 1.0 / 3.0),
}


@pytest.mark.parametrize("name", TABLE_I)
def test_table_i(name):
    """Each card holds its column of Table I, 1e-12; fails if a unit or a printed number changes."""
    card = load_card(name)
    target, detector = card.target, card.detector
    found = (
        card.beam.energy, card.beam.particles_on_target, target.material, target.length, Medium(target).atoms_per_cm3,
        Medium(target).loss, detector.L_det, Source(card).E_exit, detector.signature, detector.x_min,
    )  # fmt: skip
    for value, wanted in zip(found, TABLE_I[name], strict=True):
        assert value == (wanted if isinstance(wanted, str) else pytest.approx(wanted, rel=1e-12, abs=0.0))
    assert card.name == name


def test_builtin_cards_are_those_of_the_paper():
    """Both experiments come with the package and load by name; fails if a card is not installed."""
    assert set(TABLE_I) <= set(builtin_cards())
    for name in TABLE_I:
        assert load_card(name).text == card_text(name)


def _changed(old, new, name="fermilab"):
    text = card_text(name)
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("text", "masses"),
    [
        ("10 MeV, 0.1 GeV", [0.01, 0.1]),
        ("10, 30 MeV, 0.1 GeV", [0.01, 0.03, 0.1]),
        ("10:30 MeV:3", [0.01, 0.02, 0.03]),
        ("1e7, 2e7eV", [0.01, 0.02]),
    ],
)
def test_units_of_lists(text, masses):
    """A unit counts for the numbers before it that have none; fails if '10, 30 MeV' is 10 GeV and 30 MeV."""
    card = parse_card(_changed('mass = "10 MeV, 30 MeV, 100 MeV, 200 MeV"', f'mass = "{text}"'))
    assert card.scan.mass == pytest.approx(masses, rel=1e-12)
    assert parse_card(card.model_copy(update={"name": "other"}).text).scan.mass == card.scan.mass


FAULTS = [
    ('energy = "3 GeV"', 'enrgy = "3 GeV"', ["beam.enrgy", "'energy'"]),
    ("[detector]", "[detectr]", ["detectr", "'detector'"]),
    ('energy = "3 GeV"', "energy = 3.0", ["beam.energy", "unit of energy", "GeV"]),
    ('energy = "3 GeV"', 'energy = "3 cm"', ["beam.energy", "'cm'", "TeV"]),
    ('energy = "3 GeV"', 'energy = "3 gev"', ["beam.energy", "'gev'"]),
    ('energy = "3 GeV"', 'energy = "-3 GeV"', ["beam.energy", "greater than 0"]),
    ('energy = "3 GeV"', 'energy = "3"', ["beam.energy", "lacks a unit"]),
    ('energy = "3 GeV"', 'energy = "1e999 GeV"', ["beam.energy", "too large"]),
    ("muons = 3e14", "muons = nan", ["beam.muons", "finite"]),
    ("muons = 3e14", "", ["beam.particles_on_target", "required"]),
    ('particle = "mu+"', 'particle = "pi+"', ["beam.particle", "mu+"]),
    ('material = "W"', 'material = "Wo"', ["target", "'Wo'", "'W'"]),
    ('length = "1.5 m"', 'length = "0 m"', ["target.length", "greater than 0"]),
    ('E_min = "0.5 GeV"', "", ["beam.energy", "E_min"]),
    ('E_min = "0.5 GeV"', 'E_min = "4 GeV"', ["beam.energy"]),
    ('signature = "displaced"', 'signature = "prompt"', ["detector.signature", "displaced"]),
    ("x_min = 0.0", "x_min = 1.5", ["detector.x_min", "less than 1"]),
    ('mass = "100 MeV"', 'mass = "5 GeV"', ["scalar.mass", "threshold"]),
    ("g_mu = 5e-4", "g_mu = 0.0", ["scalar.g_mu", "greater than or equal to"]),
    ('width = "total"', 'width = "ee"', ["scalar.width", "ee_only"]),
    ('g_mu = "1e-6:1e-2:25"', 'g_mu = "1e-2:1e-6:25"', ["scan.g_mu", "start < stop"]),
    ('g_mu = "1e-6:1e-2:25"', 'g_mu = "1e-6,oops"', ["scan.g_mu", "oops"]),
    ('mass = "10 MeV, 30 MeV, 100 MeV, 200 MeV"', 'mass = "10, 30, 100"', ["scan.mass", "lacks a unit", "MeV"]),
    ('mass = "10 MeV, 30 MeV, 100 MeV, 200 MeV"', 'mass = "0.1:0.2:3"', ["scan.mass", "'0.1'", "lacks a unit"]),
    ('mass = "10 MeV, 30 MeV, 100 MeV, 200 MeV"', 'mass = "10 MeV, 0.1"', ["scan.mass", "'0.1'", "lacks a unit"]),
    ('mass = "10 MeV, 30 MeV, 100 MeV, 200 MeV"', 'mass = "10 MeV:0.1:3"', ["scan.mass", "'0.1'", "lacks a unit"]),
    ('mass = "10 MeV, 30 MeV, 100 MeV, 200 MeV"', "mass = [0.1]", ["scan.mass", "units of energy", "MeV"]),
    ('energy = "3 GeV"', 'spectrum = {energy = "1, 3", particles = [1]}', ["beam.spectrum.energy", "lacks a unit"]),
    ('models = ["A", "B"]', 'models = ["A", "C"]', ["scan.models", "'A', 'B'"]),
    ("events = 100000", "events = 0", ["run.events", "1"]),
    ("events = 100000", "events = 1.5", ["run.events", "integer"]),
    ("seed = 1", "seed = -1", ["run.seed", "0"]),
    ("seed = 1", "sed = 1", ["run.sed", "'seed'"]),
    ('form_factor = "paper"', 'form_factor = "none"', ["run.form_factor", "tsai"]),
    ('name = "fermilab"', 'name = "../x"', ["name"]),
    ("[beam]", "[beam", ["not TOML", "line"]),
]


@pytest.mark.parametrize(("old", "new", "words"), FAULTS)
def test_faults_are_named(old, new, words):
    """Each fault gives one line with its path and what is allowed or nearest; fails if the place is not named."""
    with pytest.raises(InputError) as error:
        checked(checked(parse_card(_changed(old, new), "my.toml"), "my.toml"), "my.toml")
    message = str(error.value)
    assert "\n" not in message
    assert message.startswith("card my.toml: ")
    for word in words:
        assert word in message


def test_all_faults_at_once():
    """Two faults are named in one message; fails if the user has to find them one run after the other."""
    text = _changed("seed = 1", "seed = -1").replace('energy = "3 GeV"', 'energy = "3 m"')
    with pytest.raises(InputError, match=r"beam\.energy.*run\.seed"):
        parse_card(text)


def test_many_faults():
    """Of fifty layers of an unknown material ten are named; fails if the message fills the screen."""
    head, rest = card_text("na64").split("[target]")
    layers = 50 * '[[target.layer]]\nmaterial = "lead"\nlength = "2 mm"\n'
    with pytest.raises(InputError, match=r"and 40 more$") as error:
        parse_card(f"{head}[target]\n{layers}[detector]{rest.split('[detector]')[1]}")
    assert str(error.value).count("'lead' is not known") == 10


@pytest.mark.parametrize("name", ["fermilb", "no/such/card.toml"])
def test_missing_cards(name):
    """A name that is no file and no card is refused with the nearest one; fails if a traceback comes instead."""
    with pytest.raises(InputError, match="fermilab"):
        load_card(name)


def test_unreadable_cards(tmp_path):
    """A folder, bytes that are no text, and a huge file are refused; fails if a card of gigabytes is read."""
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "huge.toml").write_text("#" * (MAX_BYTES + 1))
    for path in (tmp_path, tmp_path / "bytes.toml", tmp_path / "huge.toml"):
        with pytest.raises(InputError):
            load_card(path)


@pytest.mark.parametrize("value", ["1" * 5000, "[" * 5000, "{a=" * 3000])
def test_texts_that_break_the_parser(value):
    """Digits and brackets beyond the parser's limits are a fault of the card; fails if its own error comes through."""
    with pytest.raises(InputError):
        parse_card(_changed("events = 100000", f"events = {value}"))


def _mutations():
    text = card_text("fermilab")
    place = st.integers(0, len(text))
    junk = st.one_of(
        st.text(max_size=8),
        st.sampled_from(
            ["nan", "inf", '"1e999 GeV"', "-1", "0", "[]", "{}", "true", '""', "\x00", "[beam]", "=", "1e-400"]
        ),
    )

    def edit(text, edits):
        for at, length, new in edits:
            text = text[:at] + new + text[at + length :]
        return text

    anywhere = st.builds(
        edit, st.just(text), st.lists(st.tuples(place, st.integers(0, 30), junk), min_size=1, max_size=3)
    )
    lines = text.splitlines()
    keyed = [i for i, line in enumerate(lines) if " = " in line]

    def value(i, new):
        key = lines[i].split(" = ")[0]
        return "\n".join([*lines[:i], f"{key} = {new}", *lines[i + 1 :]])

    values = st.builds(value, st.sampled_from(keyed), junk)
    shuffled = st.permutations(lines).map("\n".join)
    return st.one_of(anywhere, values, shuffled)


@settings(max_examples=600)
@given(text=_mutations())
def test_any_text_gives_a_card_or_an_input_error(text):
    """Random changes of a card load or raise InputError; fails if any other error reaches the user."""
    with contextlib.suppress(InputError):
        card = parse_card(text)
        assert math.isfinite(Source(card).E_exit)
        assert Source(card).energy_range(card.scalar.mass)[0] <= card.beam.energy


@given(
    energy=st.floats(0.6, 1e4),
    length=st.floats(1e-3, 1e4),
    g_mu=st.floats(1e-12, 1e3),
    muons=st.floats(1.0, 1e20),
    seed=st.integers(0, 2**63 - 1),
    couplings=st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=5),
)
def test_changed_card_round_trip(energy, length, g_mu, muons, seed, couplings):
    """The text of a changed card reads back as the same card, every bit; fails if a number is written with 6 digits."""
    card = load_card("fermilab")
    changed = card.model_copy(
        update={
            "beam": card.beam.model_copy(update={"energy": energy, "particles_on_target": muons}),
            "target": card.target.model_copy(update={"length": length}),
            "scalar": card.scalar.model_copy(update={"g_mu": g_mu}),
            "scan": card.scan.model_copy(update={"g_mu": couplings}),
            "run": card.run.model_copy(update={"seed": seed}),
        }
    )
    assert parse_card(changed.text).model_dump() == changed.model_dump()
    assert parse_card(card.text).model_dump() == card.model_dump()


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


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('[run]\nform_factor = "helm"', r"run\.form_factor 'helm'.*electron has none"),
        ('[run]\nform_factor = "paper"', r"run\.form_factor 'paper'.*electron has none"),
    ],
)
def test_electrons_have_no_form_factor(lines, message):
    """`process = "electron"` takes no form factor and calls its own free; fails if one is ignored in silence."""
    text = _thin('process = "electron"')
    card = parse_card(text)
    assert card.run.form_factor == "free"
    assert parse_card(card.model_copy(update={"name": "other"}).text).run.form_factor == "free"
    with pytest.raises(InputError, match=message):
        parse_card(f"{text}\n{lines}\n")


def test_all_is_elastic():
    """`process = "all"` is elastic, or of another shape, and never counts electrons twice; fails if paper is taken."""
    text = _thin('process = "all"')
    assert parse_card(text).run.form_factor == "elastic"
    assert parse_card(f'{text}\n[run]\nform_factor = "helm"\n').run.form_factor == "helm"
    for name in ("paper", "tsai", "free"):
        with pytest.raises(InputError, match=rf"run\.form_factor '{name}'"):
            parse_card(f'{text}\n[run]\nform_factor = "{name}"\n')
    with pytest.raises(InputError, match="free': is of process electron alone"):
        parse_card(_thin("") + '\n[run]\nform_factor = "free"\n')


@pytest.mark.parametrize("process", ["electron", "all"])
def test_electrons_on_electrons(process):
    """Electrons and positrons of the beam on electrons are refused; fails if they pass for muons."""
    text = _thin(f'process = "{process}"').replace('"mu+"', '"e-"')
    with pytest.raises(InputError, match=r"beam\.particle: e- on electrons is another process"):
        parse_card(text)


def _thin(line):
    """The thin card with one line more in its target, and no form factor of its own."""
    text = CARD.replace('[run]\nform_factor = "tsai"\n', "")
    return text.replace("[target]", f"[target]\n{line}")
