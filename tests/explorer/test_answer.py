"""Parts of what a set-up sees: those of the command line to all digits, and a stale one stops at once."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import mcgen
from mcgen.analysis.reweight import LowStatisticsWarning
from mcgen.base.errors import InputError, ThresholdError
from mcgen.explorer import answer
from mcgen.explorer.answer import Stale, answers, contour, signal_map
from mcgen.explorer.point import at
from mcgen.explorer.setup import Setup

PARTS = ["contour", "events", "spectrum", "angle", "layout"]


def moved(name):
    """A position that nobody visited before."""
    return Setup.of(name).with_value("detector.L_det", "2.345 m").with_look(number=3)


@pytest.mark.parametrize("name", ["fermilab", "m3-phase2", "fermilab-3d", "belle2-tautau"])
def test_contour_and_map_are_those_of_the_command_line(name):
    """Rows of `mcgen.reach` and N_S of `mcgen.grid`, all digits; fails if a number is computed in another way."""
    setup = moved(name) if name != "belle2-tautau" else Setup.of(name).with_look(number=3)
    look = setup.look
    found = {one.part: one.value for one in answers(setup)}
    assert list(found) == PARTS[: 4 if setup.card.collider else 5]
    assert list(found["contour"].rows) == list(mcgen.reach(setup.card, look.models, look.mass_text))
    events = found["events"]
    with warnings.catch_warnings(action="ignore", category=LowStatisticsWarning):
        grid = mcgen.grid(setup.card, look.models, look.mass_text, events.g_mu)
    assert np.array_equal(grid.m_S, events.m_S)
    for model, cells in grid.models.items():
        assert np.allclose(events.n_signal[model], cells.n_signal, rtol=1e-12, atol=0.0)
    assert any(np.any(rows > 3.0) for rows in events.n_signal.values())


@pytest.mark.parametrize("name", ["fermilab", "m3-phase1", "fermilab-3d", "belle2-tautau"])
def test_spectra_add_up(name):
    """Bins hold all S that are made and all that count; fails if an edge lies inside what is there."""
    setup = Setup.of(name)
    look = setup.look
    point = at(setup, look.model, look.m_S, look.g_mu)
    energy, angle = answer.energy_spectrum(setup), answer.angle_spectrum(setup)
    # events have errors of a percent, and of a collider N_S is by quadrature
    rel = 0.03 if setup.card.collider else 1e-6
    assert energy.made.sum() == pytest.approx(point.produced, rel=rel)
    assert energy.seen.sum() == pytest.approx(
        point.n_signal.value, rel=rel if setup.card.detector.geometry != "3d" else 0.01
    )
    assert angle.made.sum() == pytest.approx(point.produced, rel=0.03)
    middles = 0.5 * (energy.edges[1:] + energy.edges[:-1])
    mean = (energy.made * middles).sum() / energy.made.sum()
    assert mean == pytest.approx(point.mean_energy, rel=0.05 if setup.card.collider else 0.01)
    assert (angle.seen is None) == (setup.card.detector.geometry == "paper")


def test_spectra_are_those_of_events():
    """Energy and angle by quadrature against generated events, bin by bin."""
    setup = Setup.of("fermilab").with_value("detector.x_min", 0.3)
    look, n = setup.look, 40_000
    events = mcgen.generate(setup.card, look.m_S, n, seed=3)
    w = events.columns["weight"] * setup.card.exposure * look.g_mu**2
    theta = np.arctan2(np.hypot(*(events.columns[f"S_p{axis}"] for axis in "xy")), events.columns["S_pz"])
    for made, numbers in (
        (answer.energy_spectrum(setup), events.columns["S_E"]),
        (answer.angle_spectrum(setup), theta),
    ):
        expected = np.histogram(numbers, made.edges, weights=w)[0]
        error = np.sqrt(np.histogram(numbers, made.edges, weights=w**2)[0])
        filled = np.histogram(numbers, made.edges)[0] > 50
        pulls = (made.made - expected)[filled] / error[filled]
        assert filled.sum() > 15
        assert np.abs(pulls).max() < 5.0
        assert np.sqrt((pulls**2).mean()) < 1.6
    energy = answer.energy_spectrum(setup)
    assert energy.seen[energy.edges[1:] <= 0.3 * 0.5].sum() == 0.0  # of the slowest muon


def test_stale_answers_stop():
    """A page that moved on stops the contour after the mass that runs, and never begins the next part."""
    asked = []

    def stale(after):
        def ask():
            asked.append(1)
            return len(asked) > after

        asked.clear()
        return ask

    setup = moved("fermilab").with_look(number=20)
    with pytest.raises(Stale):
        list(answers(setup, lambda: True))
    with pytest.raises(Stale):
        next(answers(setup, stale(3)))
    assert len(asked) == 4
    rest = answers(setup, stale(22))  # begin, 20 masses, begin of the map
    assert next(rest).part == "contour"
    with pytest.raises(Stale):
        next(rest)


def test_no_mass_is_begun_after_a_stop():
    """Masses that wait for a thread are given up; fails if the pool works them off while it is left."""
    computed = []

    def count(*arguments):
        computed.append(arguments[2])
        return mcgen.analysis.reach.signals_of_models(*arguments)

    def stop(done):
        if done == 2:
            raise Stale

    with pytest.raises(Stale):
        contour(moved("fermilab").with_look(number=20), count, stop)
    assert len(computed) <= 4


def test_warnings_are_handed_over():
    """What the command line would warn of comes with its part, and nothing is printed."""
    setup = Setup.of("fermilab").with_look(start=0.1, stop=5.0, number=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first = next(answers(setup))
    assert first.part == "contour"
    assert any("threshold" in text for text in first.warnings)


def test_what_cannot_be_made():
    """A threshold is an error of what is looked at, a fault of the card one of the card; the map needs no contour."""
    with pytest.raises(ThresholdError) as error:
        list(answers(Setup.of("fermilab").with_look(start=4.0, stop=5.0)))
    assert Setup.of("fermilab").fault_of(error.value)[0] == "look.start"
    with pytest.raises(InputError):
        list(answers(Setup.of("fermilab").with_value("beam.energy", "x")))
    iterator = answers(Setup.of("fermilab").with_look(number=2, m_S=10.0))
    assert [next(iterator).part, next(iterator).part] == ["contour", "events"]
    with pytest.raises(ThresholdError, match=r"look\.m_S"):
        next(iterator)


def test_a_search_in_bins():
    """Its contour comes from CLs, its map from all bins together."""
    setup = Setup.of("m3-phase2").with_value("search.bins", {"variable": "x", "edges": [0.4, 0.7, 1.0]})
    setup = setup.with_value("search.background", [1.0, 0.5]).with_look(number=2, models=("A",))
    found = contour(setup)
    assert list(found.rows) == list(mcgen.reach(setup.card, ["A"], setup.look.mass_text))
    events = signal_map(setup)
    assert np.array_equal(
        events.n_signal["A"], mcgen.grid(setup.card, "A", setup.look.mass_text, events.g_mu).models["A"].n_signal
    )
