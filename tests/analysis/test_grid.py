"""N_S over masses and couplings: the numbers of `n_signal` and `reweight`, from a card and from files."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import mcgen
from mcgen.analysis.grid import bin_edges, grid, grid_from_events
from mcgen.analysis.reach import AboveThresholdWarning, FromEventsWarning
from mcgen.analysis.reweight import LowStatisticsWarning, reweight
from mcgen.analysis.samples import EVENTS
from mcgen.analysis.variations import changed, variations
from mcgen.base.errors import InputError, ThresholdError
from mcgen.base.units import Range
from mcgen.generation.generate import generate

G = [1e-5, 1e-4, 1e-3]


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Files of two masses of one card."""
    folder = tmp_path_factory.mktemp("grid")
    return [generate("fermilab", m, 20_000, output=folder / f"{m:g}.root").path for m in (0.1, 0.03)]


def test_quadrature_is_n_signal():
    """Each value and error is that of n_signal, masses and couplings in order; fails if rows and columns are mixed."""
    found = grid("fermilab", "A,B", "100MeV,10MeV", "1e-4,1e-3,1e-5")
    assert found.m_S.tolist() == [0.01, 0.1]
    assert found.g_mu.tolist() == G
    for model, cells in found.models.items():
        for i, m in enumerate((0.01, 0.1)):
            single = mcgen.n_signal("fermilab", model, m, G)
            assert cells.n_signal[i] == pytest.approx([one.value for one in single], rel=1e-12)
            assert cells.error[i] == pytest.approx([one.error for one in single], rel=1e-6)
    assert len(found.rows) == 12
    assert {row.n_eff for row in found.rows} == {None}
    last = found.rows[-1]
    assert (last.model, last.mass_gev, last.g_mu, last.production) == ("B", 0.1, 1e-3, "exact")


def test_other_production_and_beams_that_collide():
    """IWW and a collider go through the same function; fails if the method is not handed on."""
    iww = grid("na64", "B", 0.1, 1e-4, "iww").models["B"].n_signal
    assert iww[0] == pytest.approx(mcgen.n_signal("na64", "B", 0.1, [1e-4], "iww")[0].value, rel=1e-12)
    pairs = grid("babar-tautau", None, 0.1, [1e-3])
    (model,) = pairs.models
    assert pairs.models[model].n_signal[0, 0] == mcgen.n_signal("babar-tautau", model, 0.1, 1e-3).value > 0.0


def test_workers_change_nothing():
    """One thread or three give the same numbers; fails if they share what they compute."""
    one, three = (grid("na64", "A", "10MeV:200MeV:5", G, workers=n).models["A"] for n in (1, 3))
    assert all(np.array_equal(a, b) for a, b in zip(one, three, strict=True))


def test_masses_above_threshold():
    """They are 0 with a warning, and all of them an error; fails for a NaN or a silent zero."""
    with pytest.warns(AboveThresholdWarning, match="above threshold"):
        found = grid("fermilab", "A", [0.1, 5.0], G).models["A"]
    assert found.n_signal[1].tolist() == found.error[1].tolist() == [0.0] * 3
    assert (found.n_signal[0] > 0.0).all()
    with pytest.raises(ThresholdError):
        grid("fermilab", "A", 5.0, G)


def test_files_give_what_reweight_does(two):
    """Values, errors and n_eff of each file, sorted by mass; fails if a file is taken for the other."""
    found = grid_from_events(two, "A,B", G)
    assert found.m_S.tolist() == [0.03, 0.1]
    assert found.production == "events"
    for i, path in enumerate(reversed(two)):
        for model, cells in found.models.items():
            single = reweight(path, model, G).n_signal
            for j, one in enumerate(single):
                assert (cells.n_signal[i, j], cells.error[i, j], cells.n_eff[i, j]) == pytest.approx(one, rel=1e-12)


def test_files_and_quadrature_agree(two):
    """Within four errors, which are below 2 %; fails if the errors are not those of N_S."""
    some = [1e-5, 1e-4]
    events, exact = grid_from_events(two, "A", some).models["A"], grid("fermilab", "A", [0.03, 0.1], some).models["A"]
    assert (events.error < 0.02 * events.n_signal).all()
    assert (np.abs(events.n_signal - exact.n_signal) < 4.0 * events.error).all()


def test_detector_with_a_shape():
    """N_S of a card in 3-D comes from 20000 events, 4 errors from other ones; fails if all S fly along the beam."""
    card = changed(mcgen.load_card("fermilab"), detector={"geometry": "3d", "radius": 50.0})
    found = grid(card, "A", "100MeV", [2e-5, 1e-4])
    cells = found.models["A"]
    assert found.production == "events"
    other = reweight(generate(card, 0.1, 100_000, seed=9, workers=2), "A", [2e-5, 1e-4]).n_signal
    for j, one in enumerate(other):
        assert abs(cells.n_signal[0, j] - one.value) < 4.0 * np.hypot(cells.error[0, j], one.error)
        assert 0.02 * EVENTS < cells.n_eff[0, j] < EVENTS
    assert cells.n_signal[0, 0] < 0.9 * grid("fermilab", "A", 0.1, 2e-5).models["A"].n_signal[0, 0]
    with pytest.raises(InputError, match="exact"):
        grid(card, "A", 0.1, 1e-4, "iww")


def test_what_cannot_be_seen_in_3d_is_nothing():
    """Electrons make no S in model B, whatever the geometry; fails if events are made for it, or for no mass."""
    found = grid("e137", "B", "10MeV", G)
    assert found.models["B"].n_signal.tolist() == [[0.0] * 3]
    assert [row.n_eff for row in found.rows] == [None] * 3


@pytest.mark.filterwarnings("ignore::mcgen.analysis.variations.LeftOutWarning")
def test_band_of_a_card():
    """Its ends are those of the card's variations; fails if one is left out or the card's own value lies outside."""
    card = mcgen.load_card("fermilab")
    found = grid(card, "A", 0.1, G, band="form-factor,energy-loss")
    cells = found.models["A"]
    others = [mcgen.n_signal(other, "A", 0.1, G) for other in variations(card, ["form-factor", "energy-loss"]).cards]
    every = np.array([[one.value for one in row] for row in [*others, mcgen.n_signal(card, "A", 0.1, G)]])
    assert cells.n_signal_min[0] == pytest.approx(every.min(axis=0), rel=1e-12)
    assert cells.n_signal_max[0] == pytest.approx(every.max(axis=0), rel=1e-12)
    assert cells.n_signal_min[0, 0] < 0.9 * cells.n_signal[0, 0]  # the energy loss of Table I is too small
    assert found.columns[-2:] == ["n_signal_min", "n_signal_max"]
    assert grid(card, "A", 0.1, G).columns[-1] == "n_eff"


@pytest.mark.filterwarnings("ignore::mcgen.analysis.variations.LeftOutWarning")
def test_band_of_events(two):
    """Of files it is that of other form factors, by weights; fails if it is not the one of the quadrature."""
    found = grid_from_events(two[0], "B", G, band="form-factor").models["B"]
    exact = grid("fermilab", "B", 0.1, G, band="form-factor").models["B"]
    for end in ("n_signal_min", "n_signal_max"):
        ratios = [getattr(cells, end) / cells.n_signal for cells in (found, exact)]
        assert ratios[0] == pytest.approx(ratios[1], rel=3e-3)
    with pytest.raises(InputError, match="energy-loss needs a card"):
        grid_from_events(two[0], "B", G, band="energy-loss")


def test_few_events_are_one_warning(two):
    """Couplings that leave few events are announced once, not each; fails if a thousand lines are written."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        grid_from_events(two, "A", [1e-4, 2e-3, 3e-3])
    (warning,) = [w for w in caught if w.category is LowStatisticsWarning]
    assert "of 6 points" in str(warning.message)


def test_files_that_make_no_grid(two, tmp_path):
    """One line each; fails if files of two experiments, or two of one mass, are joined."""
    other = generate("na64", 0.05, 100, output=tmp_path / "na64.root").path
    with pytest.raises(InputError, match="fermilab, na64"):
        grid_from_events([*two, other], "A", G)
    with pytest.raises(InputError, match="mcgen merge"):
        grid_from_events([two[0], two[0]], "A", G)
    with pytest.raises(InputError, match="at least one file"):
        grid_from_events([], "A", G)
    with pytest.raises(InputError, match="model"):
        grid_from_events(two, "C", G)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("fermilab", "A", 0.1, [0.0, 1e-4]), "must be positive"),
        (("fermilab", "A", 0.1, []), "g_mu: at least one"),
        (("fermilab", "C", 0.1, G), "model"),
        (("fermilab", "A", 0.1, G, "best"), "production"),
    ],
)
def test_wrong_input(arguments, word):
    """One line says what; fails for an empty grid or a coupling without a place on a logarithmic axis."""
    with pytest.raises(InputError, match=word):
        grid(*arguments)


def test_edges_hold_one_point_each():
    """Edges are geometric midpoints, equal ratios for points of equal ratios; fails if a bin has no or two points."""
    points = np.array([1e-3, 2e-3, 1e-2, 0.3])
    edges = bin_edges(points)
    assert np.histogram(points, edges)[0].tolist() == [1, 1, 1, 1]
    assert edges[1:-1] ** 2 == pytest.approx(points[1:] * points[:-1])
    even = bin_edges(np.geomspace(1e-6, 1e-2, 5))
    assert even[1:] / even[:-1] == pytest.approx(np.full(5, 10.0))
    assert bin_edges(np.array([0.1]))[0] < 0.1 < bin_edges(np.array([0.1]))[1]


def test_the_scan_of_the_card_is_the_default():
    """Without masses and couplings those of [scan] are taken, of a line its landmarks; fails for the ends alone."""
    card = mcgen.load_card("na64")
    found = grid(card)
    assert found.m_S.tolist() == sorted(card.scan.mass)
    assert found.g_mu.tolist() == card.scan.g_mu
    assert [*found.models] == card.scan.models
    line = changed(card, scan={"mass": Range([0.01, 0.1])})
    assert grid(line, "A", g_mu=1e-4).m_S.tolist() == [0.01, 0.02, 0.05, 0.1]
    assert "4 masses" in repr(grid(line, "A", g_mu=1e-4))


def test_an_efficiency_that_needs_events(tmp_path):
    """Half at every angle of the muon is half of N_S, from events; fails for an efficiency that is left out."""
    table = "mu_out_theta_rad,efficiency\n0,0.5\n4,0.5\n"
    (tmp_path / "eff.csv").write_text(table)
    (tmp_path / "mine.toml").write_text(mcgen.load_card("na64").text + '\n[search]\nefficiency = "eff.csv"\n')
    card = mcgen.load_card(tmp_path / "mine.toml")
    with pytest.warns(FromEventsWarning):
        found = grid(card, "A", 0.1, [1e-5, 1e-4])
    assert found.production == "events"
    exact = grid("na64", "A", 0.1, [1e-5, 1e-4]).models["A"]
    cells = found.models["A"]
    assert (np.abs(cells.n_signal - 0.5 * exact.n_signal) < 4.0 * cells.error).all()
