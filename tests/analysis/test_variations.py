"""Bands of what was chosen: form factors and laws of energy loss."""

from __future__ import annotations

import pytest

from mcgen import generate, load_card, reach, reach_from_events, save
from mcgen.analysis.crossings import Intervals
from mcgen.analysis.reach import EVENTS
from mcgen.analysis.reach_rows import Found, rows_of
from mcgen.analysis.threshold import Limit
from mcgen.analysis.variations import KINDS, LeftOutWarning, changed, variations
from mcgen.base.errors import InputError
from mcgen.cli import main

#: iron, whose charge density is measured
IRON = changed(load_card("fermilab"), target={"material": "Fe", "dE_dy": None, "n_atom": None})


def test_ends_of_a_band_are_contours():
    """The band goes from the lowest to the highest contour of the cards with each form factor and loss.

    Fails if the card's own is left out, or if two changes are made at once.
    """
    (point,) = reach(IRON, ["A"], [0.1], band="form-factor,energy-loss")
    names = ("paper", "tsai", "elastic", "helm", "fourier-bessel")
    cards = [changed(IRON, run={"form_factor": name}) for name in names]
    cards.append(changed(IRON, target={"energy_loss": "table"}))
    ends = [(one.g_low, one.g_high) for card in cards for one in reach(card, ["A"], [0.1])]
    lows, highs = zip(*ends, strict=True)
    assert (point.g_low_min, point.g_low_max) == (min(lows), max(lows))
    assert (point.g_high_min, point.g_high_max) == (min(highs), max(highs))
    assert point.g_low_min <= point.g_low <= point.g_low_max
    assert point.varied == "form factor paper, tsai, elastic, helm, fourier-bessel; energy loss constant, table"


def test_what_does_not_fit_is_said():
    """Tungsten's charge density is not in the tables, electrons are hit elastically; fails if it is silently left out.

    The card's own value comes first, and is not computed twice.
    """
    with pytest.warns(LeftOutWarning, match="fourier-bessel is left out.*not known for W"):
        found = variations(load_card("fermilab"), ["form-factor"])
    assert found.words == "form factor paper, tsai, elastic, helm"
    assert [card.run.form_factor for card in found.cards] == ["tsai", "elastic", "helm"]
    with pytest.warns(LeftOutWarning, match="struck electrons"):
        found = variations(changed(IRON, target={"process": "all"}, run={"form_factor": "elastic"}), ["form-factor"])
    assert found.words == "form factor elastic, helm, fourier-bessel"


@pytest.mark.filterwarnings("ignore::mcgen.analysis.variations.LeftOutWarning")
@pytest.mark.parametrize(
    ("card", "band", "words"),
    [
        ("babar-tautau", "form-factor", "collider"),
        ("orsay", "energy-loss", "e-"),
        ("fermilab", "nonsense", "form-factor"),
    ],
)
def test_refusals(card, band, words):
    """Where there is nothing to vary it is said; fails for a band of no width."""
    with pytest.raises(InputError, match=words):
        reach(card, band=band)


def test_where_a_variation_excludes_nothing():
    """No coupling is excluded by all, so the inner ends are empty; an island of one variation alone has a row.

    Fails if the band ends at the nominal contour there.
    """

    def row(nominal: Intervals, *varied: Intervals):
        return rows_of(("x", "A", "exact", 0.1), Limit(), Found({3.0: nominal}, varied=varied), "what")

    (point,) = row(((2.0, 5.0),), ((1.0, 6.0),), ())
    assert (point.g_low_min, point.g_low_max, point.g_high_min, point.g_high_max) == (1.0, None, None, 6.0)
    (point,) = row((), ((1.0, 6.0),))
    assert (point.g_low, point.g_low_min, point.g_low_max, point.g_high_max) == (None, 1.0, None, 6.0)


def test_on_the_command_line(capsys, tmp_path):
    """The title says what was varied; a file is of one energy loss. Fails if --band is taken and forgotten."""
    (tmp_path / "iron.toml").write_text(IRON.text)
    assert main(["reach", str(tmp_path / "iron.toml"), "--mass", "0.1", "--model", "A", "--band", "form-factor"]) == 0
    out = capsys.readouterr().out
    assert "band of form factor paper, tsai, elastic, helm, fourier-bessel" in out
    assert " .. " in out
    save(generate(IRON, 0.1, 1000), tmp_path / "e.root")
    assert main(["reach", "--events", str(tmp_path / "e.root"), "--model", "A", "--band", "energy-loss"]) == 2
    assert "a file is of one energy loss" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::mcgen.analysis.signal_edges.FewEventsWarning")
def test_events_are_reweighted(tmp_path):
    """Of one file the band is as wide as that of the quadrature, 0.1 % of g; fails for events made anew.

    Those of 20000 events each would differ by 0.4 %. A detector with a shape takes its own events in the same way.
    """
    (exact,) = reach(IRON, ["A"], [0.1], band="form-factor")
    save(generate(IRON, 0.1, EVENTS), tmp_path / "e.root")
    (file,) = reach_from_events(tmp_path / "e.root", "A", band="form-factor")
    (shape,) = reach(changed(IRON, detector={"geometry": "3d", "radius": 1e4}), ["A"], [0.1], band="form-factor")
    assert file.varied == shape.varied == exact.varied
    for end in ("g_low_min", "g_low_max"):
        wanted = getattr(exact, end) / exact.g_low
        for one in (file, shape):
            assert getattr(one, end) / one.g_low == pytest.approx(wanted, abs=1e-3)


@pytest.mark.filterwarnings("ignore::mcgen.analysis.variations.LeftOutWarning")
def test_one_thing_changes():
    """Each differs from the card in the key that its name says; fails if two changes add up."""
    card = load_card("na64")
    found = variations(card, KINDS)
    assert found.names[-1] == "energy loss table"
    assert len(found.names) == 5
    for what, other in zip(found.names, found.cards, strict=True):
        key = "run" if what.startswith("form") else "target"
        name = "form_factor" if key == "run" else "energy_loss"
        assert getattr(getattr(other, key), name) == what.split()[-1]
        back = changed(other, **{key: {name: getattr(getattr(card, key), name)}})
        assert back.model_dump() == card.model_dump()
