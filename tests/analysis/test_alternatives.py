"""Weights of other form factors and mediators in the file: the same as those of a file that is reweighted to them."""

import json

import numpy as np
import pyhepmc
import pytest

from mcgen import export, generate, load, load_card, reweight, with_weights
from mcgen.analysis.event_ratio import altered
from mcgen.base.errors import InputError
from mcgen.cli import main
from mcgen.events.pool import merge

pytestmark = [
    pytest.mark.usefixtures("samplers_kept"),
    pytest.mark.filterwarnings("ignore::mcgen.analysis.reweight.LowStatisticsWarning"),
]

EVENTS = 300
SPECS = ["form_factor=helm", "mediator=vector", "form_factor=helm,mediator=axial"]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return generate(load_card("fermilab"), 0.1, EVENTS, output=tmp_path_factory.mktemp("w") / "events.root")


def _options(spec):
    return dict(part.split("=") for part in spec.split(","))


@pytest.mark.parametrize("ending", ["root", "parquet", "lhe"])
def test_weights_are_those_of_altered_events(file, tmp_path, ending):
    """Each column is the weight of `altered` events, in the file and without one; fails if two are swapped."""
    view = with_weights(file, SPECS)
    other = load(export(view, tmp_path / f"events.{ending}"))
    assert other.content_sha256() == other.metadata["content_sha256"] != file.metadata["content_sha256"]
    for i, spec in enumerate(SPECS, 1):
        (expected,) = altered(file, **_options(spec)).iterate(["weight"])
        for events in (view, other):
            np.testing.assert_array_equal(events.read().columns[f"weight_{i}"], expected["weight"])
    found, expected = reweight(other, "B", [1e-4], weight=SPECS[0]), reweight(file, "B", [1e-4], form_factor="helm")
    assert found == expected
    assert [row["name"] for row in other.metadata.weights.values()] == SPECS
    assert other.metadata.weights["weight_1"]["text"] == "S of the same events with form_factor=helm"


def test_the_mediator_of_a_weight_decays(file, capsys, tmp_path):
    """N_S with the weight of a vector is that of `--mediator vector`; fails if a scalar is left to decay."""
    path = tmp_path / "events.lhe"
    specs = [word for spec in SPECS for word in ("--weight", spec)]
    assert main(["export", str(file.path), "-o", str(path), *specs]) == 0
    found = []
    for options in (["--weight", "mediator=vector"], ["--mediator", "vector"]):
        capsys.readouterr()
        assert main(["reweight", str(path), "--model", "dark-photon", "--g-mu", "1e-5", *options, "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert found[0]["mediator"] == "vector"
    assert found[0]["rows"] == found[1]["rows"]


@pytest.mark.parametrize("ending", ["root", "hepmc3"])
def test_forced_decays(file, tmp_path, ending):
    """The probability of a forced decay is a factor of its own in the columns; fails if it counts twice, or never."""
    (expected,) = altered(file, "helm").iterate(["weight"])
    path = export(with_weights(file, SPECS[:1]), tmp_path / f"forced.{ending}", force_decay=True)
    found = load(path)
    np.testing.assert_array_equal(found.read().columns["weight_1"], expected["weight"])
    assert [row["name"] for row in found.metadata["weights"]] == SPECS[:1]
    if ending == "root":
        return
    with pyhepmc.open(path) as stream:
        events = list(stream)
    assert events[0].run_info.weight_names == ["nominal", "weight", "decay_weight", "form_factor=helm"]
    probability = [event.weight("decay_weight") for event in events]
    product = expected["weight"] * probability
    np.testing.assert_allclose([event.weight(SPECS[0]) for event in events], product, rtol=1e-15)


def test_folders(tmp_path):
    """Files of one production are scaled to their share, alternative weights too; fails if they keep their own."""
    parts = [
        generate(load_card("fermilab"), 0.1, n, seed, output=tmp_path / f"{seed}.root")
        for seed, n in ((1, 100), (2, 300))
    ]
    for part in parts:
        export(with_weights(part, SPECS[:1]), tmp_path / f"w{part.path.name}")
    merged = merge([tmp_path / "w1.root", tmp_path / "w2.root"], tmp_path / "merged.root").read().columns
    direct = with_weights(load(*(part.path for part in parts)), SPECS[:1]).read().columns
    np.testing.assert_allclose(merged["weight_1"], direct["weight_1"], rtol=1e-15)
    with pytest.raises(InputError, match="its weights is not that of"):
        load(tmp_path / "w1.root", tmp_path / "2.root")


def test_more_of_them(file, tmp_path):
    """Weights are added to those that are there, in memory too; fails if the first one is overwritten."""
    once = load(export(with_weights(file, SPECS[:1]), tmp_path / "once.root"))
    twice = load(export(with_weights(once.read(), SPECS[1:]), tmp_path / "twice.parquet"))
    at_once = with_weights(file, SPECS).read().columns
    for name in ("weight_1", "weight_2", "weight_3"):
        np.testing.assert_array_equal(twice.read().columns[name], at_once[name])
    assert list(twice.awkward().fields)[-4:-1] != []
    with pytest.raises(InputError, match="is there already"):
        with_weights(once, SPECS[:1])


def test_a_table_of_a_form_factor(file, tmp_path):
    """A form factor from a file is in the metadata, the file is needed no more; fails if it is read again."""
    table = tmp_path / "shape.csv"
    table.write_text("1e-8 5000\n1 1000\n100 1\n")
    path = export(with_weights(file, [f"form_factor={table}"]), tmp_path / "events.root")
    expected = reweight(file, "B", [1e-4], form_factor=str(table))
    table.unlink()
    assert reweight(path, "B", [1e-4], weight=f"form_factor={table}") == expected


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("helm", "should be such as form_factor=helm"),
        ("shape=helm", "'shape' is not known (allowed: form_factor, mediator)"),
        ("mediator=", "should be such as"),
        ("mediator=vector,mediator=axial", "has mediator twice"),
        ("form_factor=helmm", "did you mean 'helm'?"),
    ],
)
def test_refuse(file, tmp_path, capsys, spec, words):
    """One line says what a weight may be; fails if a file is begun first."""
    assert main(["export", str(file.path), "-o", str(tmp_path / "a.lhe"), "--weight", spec]) == 2
    message = capsys.readouterr().err
    assert words in message
    assert message.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_refuse_to_reweight(file, capsys):
    """A file without alternative weights, and a weight beside a form factor; fails if the nominal one is taken."""
    assert main(["reweight", str(file.path), "--weight", "a", "--g-mu", "1e-4"]) == 2
    assert "have no alternative weights" in capsys.readouterr().err
    with pytest.raises(InputError, match="ask for none"):
        reweight(file, "B", [1e-4], weight="a", form_factor="helm")
