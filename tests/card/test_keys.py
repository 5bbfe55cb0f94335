"""What a card's keys say of themselves, and the card that `mcgen new` writes from them."""

import re
import tomllib

import pytest

from mcgen import load_card, n_signal
from mcgen.base.errors import InputError
from mcgen.card.card import Card, parse_card
from mcgen.card.keys import keys, page
from mcgen.card.new import new_card
from mcgen.cli import main


def test_every_key_has_its_meaning():
    """Each key of the schema has a meaning, and each but a list of tables an example; fails for a key without words."""
    for definition in Card.model_json_schema()["$defs"].values():
        for name, field in definition["properties"].items():
            assert field.get("description"), name
    shown = keys()
    assert len(shown) == len({(key.section, key.name) for key in shown}) >= 50
    for key in shown:
        assert key.kind or key.name == "spectrum", key
        assert key.example or key.name == "layer", key


def test_examples_are_values_of_a_card():
    """Each example is TOML; fails for one that cannot be copied."""
    for key in keys():
        if key.example:
            assert tomllib.loads(f"{key.name} = {key.example}")[key.name] is not None


def test_page(capsys):
    """The page has a row for each key; fails if a section is left out, or a bar in a cell breaks its table."""
    assert main(["schema", "--markdown"]) == 0
    assert capsys.readouterr().out == page()
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert len(rows) == len(keys())
    assert {row.count("|") for row in rows} == {6}


def test_new_card(tmp_path, monkeypatch, capsys):
    """The card to start from loads, is not replaced if it was changed, and its name is checked."""
    monkeypatch.chdir(tmp_path)
    assert main(["new", "mine"]) == 0
    assert load_card("mine.toml").name == "mine"
    (tmp_path / "mine.toml").write_text(new_card("mine").replace("Fe", "Pb"))
    assert main(["new", "mine"]) != 0
    assert "Pb" in (tmp_path / "mine.toml").read_text()
    assert main(["new", "a b"]) != 0
    assert not (tmp_path / "a b.toml").exists()
    assert "name" in capsys.readouterr().err


def test_choices_of_the_new_card():
    """With all its choices made the new card is a calorimeter and a detector of a shape; fails for a stale key."""
    text = re.sub(r"(?m)^# (?=[a-zA-Z_]+ = |\[)", "", new_card("mine"))
    card = parse_card(text)
    assert len(card.target.layers) == 41
    assert card.detector.geometry == "3d"
    assert card.detector.offset_x == 10.0
    named = {match[1] for match in re.finditer(r"(?m)^([A-Za-z_]+) = ", text)}
    assert named <= {key.name for key in keys()}


def test_scan_may_be_left_out():
    """Mass and models of the scan are then those of the boson; fails if models do not fit the mediator."""
    text = new_card("mine").replace('"scalar"  ', '"vector"  ').replace('model = "A"', 'model = "dark-photon"')
    scan = parse_card(text).scan
    assert scan.mass == [0.1]
    assert scan.models == ["dark-photon", "Lmu-Ltau"]
    assert len(scan.g_mu) == 25


def _target(lines):
    head, rest = new_card("mine").split("[[target.layer]]", 1)
    return parse_card(f"{head}\n{lines}\n[detector]{rest.split('[detector]', 1)[1]}")


def _layer(material, length):
    return f'[[target.layer]]\nmaterial = "{material}"\nlength = "{length}"\n'


@pytest.mark.parametrize(
    ("material", "length", "cm"),
    [
        ("W", "10 X0", 3.504), ("Pb", "2 X0", 1.1226), ("water", "1 X0", 36.08), ("scintillator", "1 X0", 42.54),
        ("W", "1 lambda_I", 9.946), ("Fe", "0.5 lambda_I", 8.385), ("concrete", "1 lambda_I", 42.4),
        ("PbWO4", "1 lambda_I", 20.27),
    ],
)  # fmt: skip
def test_lengths_of_the_material(material, length, cm):
    """Radiation and interaction lengths are the PDG's; fails for a length per g/cm2, or of another material."""
    assert _target(_layer(material, length)).target.length == pytest.approx(cm, rel=3e-3)


def test_lengths_go_with_the_density():
    """Half the density is twice as long, and an own alloy has a length; fails if the material's density is taken."""
    thin = _target(_layer("W", "1 X0") + 'density = "9.65 g/cm3"').target.length
    assert thin == pytest.approx(2.0 * _target(_layer("W", "1 X0")).target.length, rel=1e-12)
    bronze = _target(_layer("bronze", "1 X0") + 'density = "8.8 g/cm3"\nfractions = {Cu = 0.9, Sn = 0.1}')
    assert 1.3 < bronze.target.length < 1.46  # between tin and copper


GROUP = """
[[target.layer]]
repeat = 3
[[target.layer.layer]]
material = "Pb"
length = "1 X0"
[[target.layer.layer]]
material = "scintillator"
length = "4 mm"
"""


def test_repeated_layers():
    """A group is its layers written out, before and after others; fails if one is repeated alone."""
    group = _target(_layer("Fe", "1 cm") + GROUP + _layer("Fe", "2 cm"))
    pair = _layer("Pb", "1 X0") + _layer("scintillator", "4 mm")
    written = _target(_layer("Fe", "1 cm") + 3 * pair + _layer("Fe", "2 cm"))
    assert [layer.model_dump() for layer in group.target.layers] == [
        layer.model_dump() for layer in written.target.layers
    ]
    assert group.target.length == written.target.length
    assert n_signal(group, "A", 0.1, [3e-4]) == n_signal(written, "A", 0.1, [3e-4])
    assert parse_card(group.model_copy(update={"name": "other"}).text).target == group.target


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (GROUP.replace("repeat = 3", "repeat = 501"), ["1002 layers", "1000"]),
        (GROUP.replace("repeat = 3", "repeat = 0"), ["target.layer.0.repeat"]),
        (GROUP.replace('"Pb"', '"Pn"'), ["target.layer.0.layer.0", "Pn"]),
        (GROUP.replace("repeat = 3", "repeat = 3\nrepeet = 3"), ["target.layer.0.repeet", "repeat"]),
        (_layer("vacuum", "1 m"), ["nothing to hit"]),
        (_layer("vacuum", "1 X0"), ["vacuum has no X0"]),
        (_layer("W", "1 x0"), ["x0", "lambda_I", "X0"]),
        (_layer("W", "-1 X0"), ["target.layer.0.length"]),
        (_layer("W", "nan X0"), ["target.layer.0.length"]),
        (_layer("vacuum", "1 m") + 'density = "1 g/cm3"', ["vacuum"]),
    ],
)
def test_faults_of_layers(lines, words):
    """Faults are named with place and what is allowed, in one line."""
    with pytest.raises(InputError) as error:
        _target(lines)
    for word in words:
        assert word in str(error.value)


def test_vacuum_is_a_way_and_nothing_else():
    """Iron behind a meter of vacuum makes as many S, a meter deeper; fails if it takes energy or is hit."""
    from mcgen.generation.generate import generate
    from mcgen.quadrature.yields import yield_per_muon
    from mcgen.source.source import Source

    plain = _target(_layer("Fe", "20 cm"))
    behind = _target(_layer("vacuum", "1 m") + _layer("Fe", "20 cm"))
    one, other = (yield_per_muon(Source(card), 0.1).value for card in (plain, behind))
    assert other == pytest.approx(one, rel=1e-8)
    events = generate(
        behind.model_copy(update={"target": behind.target.model_copy(update={"multiple_scattering": True})}),
        events=2000,
    )
    depth = events.columns["depth_cm"]
    assert 100.0 <= depth.min() < depth.max() <= 120.0
    assert set(events.columns["target_Z"].tolist()) == {26.0}
    within = _target(_layer("Fe", "10 cm") + _layer("vacuum", "1 m") + _layer("Fe", "10 cm"))
    assert yield_per_muon(Source(within), 0.1).value == pytest.approx(one, rel=1e-8)
