"""Events against the exact cross section: agreement is seen as such, and so are cuts and wrong weights."""

import csv
import json
import math

import numpy as np
import pytest
from places import ROOT

from mcgen import Events, cross_section, crosscheck_events, export, generate, load, load_card
from mcgen.analysis.expected_events import variables
from mcgen.base.errors import InputError
from mcgen.card.card import parse_card
from mcgen.cli import main
from mcgen.generation.library import library

pytestmark = pytest.mark.usefixtures("samplers_kept")

MADGRAPH = ROOT / "validation" / "reference" / "madgraph_W_1GeV_mS0.1.lhe.gz"
E, EVENTS = 2.0, 20_000


@pytest.fixture(scope="module")
def card():
    return load_card("fermilab")


@pytest.fixture(scope="module")
def sample(card, tmp_path_factory):
    """Events of mcgen at one energy, read as those of another generator."""
    path = library(card, tmp_path_factory.mktemp("check") / "a.lhe", [E], EVENTS)
    return load(path, card=card).read()


def _kept(sample, keep, factor=1.0):
    """Some of the events, with their weights times a factor: the cross section is that of what is left."""
    columns = {name: column[keep] for name, column in sample.columns.items()}
    columns["weight"] = factor * columns["weight"]
    n, sigma = len(columns["weight"]), float(columns["weight"].sum())
    (row,) = sample.metadata["sigma"]
    return Events(sample.metadata | {"n_events": n, "sigma": [row | {"sigma_pb": sigma}]}, columns)


def _agrees(check, least=1e-4):
    assert abs(check.pull) < 4.5
    for name, spectrum in check.spectra.items():
        assert spectrum.p_value > least, name
        assert abs(spectrum.worst_pull) < 4.5, name
        assert spectrum.sigma_pb.sum() == pytest.approx(check.sigma.value, rel=1e-9)
        assert spectrum.exact_pb.sum() == pytest.approx(check.exact.value, rel=1e-6)
    assert (check.missing, check.places) == (0.0, [])


def test_events_of_mcgen(card, tmp_path):
    """Events of a thick target, exported as LHE, agree in sigma and in every shape.

    Fails if a spectrum is that of one energy, or an angle that to the z axis of a beam that scatters.
    """
    text = card.text.replace("[target]", "[target]\nmultiple_scattering = true")
    made = generate(parse_card(text), 0.1, 30_000, output=tmp_path / "a.root")
    (check,) = crosscheck_events(export(made, tmp_path / "a.lhe.gz"))
    _agrees(check)
    assert (check.target, check.energy_gev, check.n_events) == ("W", 3.0, 30_000)
    assert check.ratio.value == pytest.approx(
        made.metadata["yield_per_muon"] / made.metadata["yield_quadrature"], rel=2e-5
    )


def test_each_element(tmp_path):
    """Elements of a compound are compared one by one; fails if the nuclei of one count for another."""
    text = load_card("fermilab").text.replace('material = "W"', 'material = "brass"')
    card = parse_card("\n".join(line for line in text.splitlines() if not line.startswith(("n_atom", "dE_dy"))))
    checks = crosscheck_events(generate(card, 0.1, 20_000, output=tmp_path / "a.root"))
    assert sorted(check.target for check in checks) == ["Cu", "Zn"]
    assert sum(check.n_events for check in checks) == 20_000
    for check in checks:
        _agrees(check)


def test_madgraph(card):
    """MadGraph's events agree in sigma and in every shape; fails if a variable is another than the exact one's."""
    (check,) = crosscheck_events(MADGRAPH, card)
    _agrees(check, 1e-3)
    assert check.ratio.value == pytest.approx(0.9977, abs=1e-4)
    assert check.ratio.error == pytest.approx(0.0022, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("x", 0.3, 1.0), ("x", 0.0, 0.8), ("theta", 0.03, 4.0), ("theta", 0.0, 0.2), ("t", 1e-3, 1e9), ("t", 0.0, 1e-2)],
)
def test_cuts(sample, card, name, low, high):
    """A cut of a generator is found with the share of the cross section that it takes, to a percent of it.

    Fails if what lies beyond an extreme is counted from too few events, or if a cut is taken for chance.
    """
    v = variables(sample.columns)[name]
    (check,) = crosscheck_events(_kept(sample, (v > low) & (v < high)))
    edges = {"x": [0.0, 1.0], "theta": [0.0, math.pi], "t": [1e-9, 10.0]}[name]
    cut = [edges[0], low] if low > edges[0] else [high, edges[1]]
    exact = cross_section("W", E, 0.1, form_factor=card.run.form_factor, spectrum=name, edges=cut)
    share = float(exact.bins[0]) / exact.value
    assert check.missing == pytest.approx(share, rel=0.01)
    assert (check.places[0].variables, check.places[0].share) == (name, pytest.approx(share, rel=0.01))
    assert check.ratio.value == pytest.approx(1.0 - share, abs=4.0 * math.sqrt(share / EVENTS))
    assert check.spectra[name].p_value < 1e-6


def test_cuts_in_two_variables(sample):
    """What two cuts take is counted once; fails if their shares are added."""
    v = variables(sample.columns)
    keep = (v["x"] > 0.4) & (v["theta"] < 0.15)
    (check,) = crosscheck_events(_kept(sample, keep))
    lost = 1.0 - keep.mean()
    assert check.missing == pytest.approx(lost, abs=4.0 * math.sqrt(lost * (1.0 - lost) / EVENTS))
    assert sum(place.share for place in check.places) > 1.1 * lost


def test_cut_that_no_variable_shows(sample):
    """A hole inside is found too; fails if only the extremes of one variable are looked at."""
    v = variables(sample.columns)
    hole = (v["x"] > 0.4) & (v["x"] < 0.8) & (v["theta"] > 0.03) & (v["theta"] < 0.09)
    (check,) = crosscheck_events(_kept(sample, ~hole))
    assert {place.variables for place in check.places} <= {"x, t", "x, theta", "t, theta"}
    assert 0.7 * hole.mean() < check.missing < 1.02 * hole.mean()


def test_weights(sample):
    """Wrong weights are seen in sigma, and unequal ones that are right in nothing; fails if they count as events."""
    everything = np.ones(EVENTS, bool)
    (check,) = crosscheck_events(_kept(sample, everything, 1.1))
    assert check.ratio.value == pytest.approx(1.1, rel=1e-5)
    assert abs(check.pull) > 100.0
    assert min(spectrum.p_value for spectrum in check.spectra.values()) > 1e-4
    # one event in two is dropped at random where x is large, and the others count twice
    drop = (sample.columns["x"] > 0.5) & (np.random.default_rng(3).random(EVENTS) < 0.5)
    kept = _kept(sample, ~drop)
    kept.columns["weight"][kept.columns["x"] > 0.5] *= 2.0
    (check,) = crosscheck_events(kept)
    _agrees(check)
    kept.columns["weight"][kept.columns["x"] > 0.5] *= 0.8
    (check,) = crosscheck_events(kept)
    assert check.spectra["x"].p_value < 1e-4


def test_library_has_no_cross_section(card, tmp_path):
    """A library is compared in shape alone; fails if our own cross section is praised for being exact."""
    path = library(card, tmp_path / "a.csv", [1.0, 3.0], 3000)
    checks = crosscheck_events(path, card)
    assert [(check.energy_gev, check.n_events) for check in checks] == [(1.0, 3000), (3.0, 3000)]
    for check in checks:
        assert (check.sigma, check.ratio, check.pull) == (None, None, None)
        assert min(spectrum.p_value for spectrum in check.spectra.values()) > 1e-4


def test_command(card, tmp_path, capsys, monkeypatch):
    """Tables, JSON, files and refusals; fails if a number of one is not that of the other."""
    monkeypatch.chdir(tmp_path)
    given = ["crosscheck", "--events", str(MADGRAPH), "--card", "fermilab"]
    assert main([*given, "--json", "-o", "check"]) == 0
    (document,) = json.loads(capsys.readouterr().out)
    (check,) = crosscheck_events(MADGRAPH, card)
    assert document["ratio"] == check.ratio.value
    assert document["spectra"]["theta"]["p_value"] == check.spectra["theta"].p_value
    assert document["missing_share"] == 0.0
    with (tmp_path / "check" / "events.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    of_t = [float(row["sigma_pb"]) for row in rows if row["variable"] == "t"]
    assert of_t == document["spectra"]["t"]["sigma_pb"]
    assert {path.name for path in (tmp_path / "check").glob("*.png")} == {
        f"{v}_W_1GeV.png" for v in ("x", "t", "theta")
    }
    assert main([*given, "-o", "check"]) == 0
    assert "left alone" in capsys.readouterr().err
    with (tmp_path / "check" / "events.csv").open("a") as stream:
        stream.write("W\n")
    assert main([*given, "-o", "check"]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main(given) == 0
    shown = capsys.readouterr().out
    for words in ("7.506(17)e+07", "0.9977(22)", "Shape of the spectrum in theta", "p value"):
        assert words in shown
    for arguments, words in (
        (["crosscheck", "fermilab", "--mass", "0.1", "--events", str(MADGRAPH)], "a card as argument, --mass"),
        (["crosscheck", "fermilab", "--mass", "0.1", "--card", "fermilab"], "--card: is for --events"),
        (["crosscheck", "--mass", "0.1"], "CARD: is missing"),
        (["crosscheck", "--events", str(MADGRAPH)], "--card CARD"),
        (["crosscheck", "--events", str(MADGRAPH), "--card", "fermilab", "--seed", "3"], "--seed cannot be used"),
    ):
        assert main(arguments) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert words in line


def test_refused(card, tmp_path):
    """Chosen branches are not enough; fails with a traceback."""
    made = generate(card, 0.1, 100, output=tmp_path / "a.root", branches=["E_mu", "depth_cm", "S_E"])
    with pytest.raises(InputError, match="the events lack target_Z"):
        crosscheck_events(made)
