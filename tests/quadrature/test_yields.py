"""N_S, sigma~ and contours by quadrature against the reference tables, for both experiments of the paper."""

from __future__ import annotations

import math

import numpy as np
import pytest
from mpmath import linspace, mp, mpf, quad

from mcgen import load_card
from mcgen.analysis.crossings import intervals
from mcgen.analysis.reach import reach, write_csv
from mcgen.base.errors import InputError
from mcgen.card.card import card_text, parse_card
from mcgen.physics.boson.couplings import Couplings, model_A
from mcgen.physics.signal.fiducial import displaced, missing_energy
from mcgen.physics.signal.signal_yield import decay_probability
from mcgen.quadrature import yields
from mcgen.quadrature.yields import n_signal, production, sigma_tilde, t_spectrum, yield_per_muon
from mcgen.search.search import Search
from mcgen.source.media import Medium
from mcgen.source.source import Source

#: production, model and width of the rows of the reference, per experiment
ROWS = [
    (experiment, production, model, width, m_S)
    for experiment, production in (("Fermilab", "exact"), ("NA64", "iww"), ("Fermilab", "iww"))
    for m_S in (0.01, 0.1)
    for model, width in (("A", "total"), ("A", "ee_only"), ("B", "total"))
]
ALL = pytest.mark.parametrize(("experiment", "production", "model", "width", "m_S"), ROWS)


def _card(experiment, width="total"):
    text = card_text(experiment.lower())
    assert 'width = "total"' in text
    return parse_card(text.replace('width = "total"', f'width = "{width}"'))


def _row(table, experiment, production, model, width, m_S):
    wanted = {"exp": experiment, "production": production, "model": model, "width": width, "m_S": m_S}
    found = [row for row in table if all(row[key] == value for key, value in wanted.items())]
    assert len(found) == 1
    return found[0]


def test_every_row_is_tested(reference):
    """The rows listed here are those of the reference; fails if one is left out."""
    keys = ("exp", "production", "model", "width", "m_S")
    for table in ("N", "contours"):
        assert {tuple(row[k] for k in keys) for row in reference("nsignal")[table]} == set(ROWS)


def test_settings(reference):
    """The cards are the settings of the reference, 1e-12; fails if a number of Table I changes."""
    for name, wanted in reference("nsignal")["settings"].items():
        card = _card(name)
        found = {
            "E_beam": card.beam.energy,
            "N_mu": card.beam.particles_on_target,
            "n_atom": Medium(card.target).atoms_per_cm3,
            "dEdy": Medium(card.target).loss,
            "L_tg": card.target.length,
            "L_det": card.detector.L_det,
            "E_min": Source(card).E_exit,
            "x_min": card.detector.x_min,
        }
        assert card.target.material == wanted["target"]
        assert found == pytest.approx({key: wanted[key] for key in wanted if key != "target"}, rel=1e-12, abs=0.0)


@ALL
def test_n_signal(reference, experiment, production, model, width, m_S):
    """N_S over six decades of g to 1e-4 where it exceeds 1e-30; fails if a factor of Eq. 17, 18 or 20 is off."""
    row = _row(reference("nsignal")["N"], experiment, production, model, width, m_S)
    grid = reference("nsignal")["g_grid"]
    found = n_signal(_card(experiment, width), model, m_S, grid, production)
    wanted = np.array(row["N_S"])
    seen = wanted > 1e-30
    assert seen.sum() >= 6
    np.testing.assert_allclose(np.array([n.value for n in found])[seen], wanted[seen], rtol=1e-4)
    assert all(n.value < 1e-29 for n, large in zip(found, seen, strict=True) if not large)
    assert all(n.n_eff == math.inf for n in found)


@ALL
def test_contours(reference, experiment, production, model, width, m_S):
    """Couplings with N_S = 3 to 1e-5; fails if the search stops early or takes the wrong crossing."""
    row = _row(reference("nsignal")["contours"], experiment, production, model, width, m_S)
    (point,) = reach(_card(experiment, width), [model], [m_S], production=production)
    assert point.g_low == pytest.approx(row["g_low"], rel=1e-5, abs=0.0)
    assert point.g_high == pytest.approx(row["g_up"], rel=1e-5, abs=0.0)


def test_sigma_tilde(reference):
    """sigma~(E_mu) from 0.5 to 3 GeV, both models, to 1e-4; fails if the fiducial range forgets the muon's depth."""
    table = reference("nsignal")["sigma_tilde"]
    settings = {(row["exp"], row["model"], row["m_S"], row["g_mu"]) for row in table}
    for experiment, model, m_S, g_mu in settings:
        rows = [r for r in table if (r["exp"], r["model"], r["m_S"], r["g_mu"]) == (experiment, model, m_S, g_mu)]
        card = _card(experiment)
        for row in rows:
            assert Search.of(card).along_beam(Source(card).segments[0].depth(row["E_mu"])) == pytest.approx(
                (row["z_min_cm"], row["z_max_cm"]), rel=1e-12, abs=0.0
            )
        found = sigma_tilde(card, model, m_S, g_mu, [row["E_mu"] for row in rows])
        for value, row in zip(found, rows, strict=True):
            if row["sigma_tilde_cm2"] > 1e-70:
                assert value.value == pytest.approx(row["sigma_tilde_cm2"], rel=1e-4, abs=0.0), row
            else:
                assert value.value < 1e-69


def test_no_decay(reference):
    """Without decays N_S = N_mu g^2 times the yield to 1e-5; fails if the cut in x is applied to the wrong energy."""
    for row in reference("nsignal")["N_no_decay"]:
        card = _card(row["exp"])
        nodes = production(Source(card), row["m_S"], Search.of(card), row["production"])
        assert card.beam.particles_on_target * nodes.weight.sum() == pytest.approx(row["N_over_g2"], rel=1e-5, abs=0.0)


@pytest.mark.parametrize("name", ["fermilab", "na64"])
@pytest.mark.parametrize("m_S", [0.003, 0.2])
def test_yield_and_its_spectrum(name, m_S):
    """The t spectrum sums to the yield to 1e-3, the error of the yield is below 1e-4; fails if t is cut off."""
    card = load_card(name)
    total = yield_per_muon(Source(card), m_S)
    bins, error = t_spectrum(Source(card), m_S, np.geomspace(1e-13, 1e3, 33))
    assert bins.sum() == pytest.approx(total.value, rel=1e-3, abs=0.0)
    assert error.sum() < 2e-2 * total.value
    assert total.error < 1e-4 * total.value


#: nodes for a value whose own error is far below the stated one
FINER = (64, (96, 32, 20, 1))


@pytest.mark.parametrize("name", ["fermilab", "na64"])
def test_stated_errors_cover(name, monkeypatch):
    """Errors of yields, N_S and sigma~ cover the distance to twice as many nodes in each direction.

    They are at most 100 times as large in the median, and below 2e-5 of the value where N_S exceeds 1e-30. Fails for
    an error of zero, for one that is only rounding, and for one taken from the wrong pair of rules.
    """
    card, g_mu = load_card(name), [1e-6, 1e-5, 1e-4, 1e-3]
    energies = np.linspace(max(Source(card).E_exit, 0.8), card.beam.energy, 4).tolist()

    def everything():
        return [
            [yield_per_muon(Source(card), m_S) for m_S in (0.003, 0.03, 0.2)],
            [n for m_S in (0.003, 0.03, 0.2) for n in n_signal(card, "A", m_S, g_mu)],
            sigma_tilde(card, "A", 0.03, 1e-4, energies),
        ]

    stated = everything()
    monkeypatch.setattr(yields, "FINE", FINER)
    for found, finer in zip(stated, everything(), strict=True):
        seen = [(a, b.value) for a, b in zip(found, finer, strict=True) if b.value > 1e-60]
        assert len(seen) >= 3
        for a, value in seen:
            assert abs(a.value - value) <= a.error
            assert a.error < 2e-5 * value
        assert np.median([a.error / max(abs(a.value - value), 1e-10 * value) for a, value in seen]) < 100.0


def test_n_signal_needs_no_model():
    """Explicit couplings give what the model with the same couplings gives; fails if only names are understood."""
    card = load_card("fermilab")
    (by_name,), (explicit,) = (n_signal(card, m, 0.1, [1e-4]) for m in ("A", model_A(1e-4)))
    assert explicit.value == pytest.approx(by_name.value, rel=1e-14)
    (other,) = n_signal(card, Couplings(0.0, 1e-4, 0.0), 0.1, [1e-4])
    assert other.value == pytest.approx(n_signal(card, "B", 0.1, [1e-4])[0].value, rel=1e-14)


def test_one_coupling_after_the_other(monkeypatch):
    """Couplings one by one give what they give together, and nothing is made twice.

    A card that differs only in its target makes its own. Fails if what is kept is not used, or is another card's.
    """
    card, calls = load_card("fermilab"), []
    made = yields.production
    monkeypatch.setattr(yields, "production", lambda *a: calls.append(a) or made(*a))
    together = n_signal(card, "A", 0.0123, [1e-5, 1e-4])
    assert [n_signal(load_card("fermilab"), "A", 0.0123, [g])[0] for g in (1e-5, 1e-4)] == together
    assert len(calls) == 2
    other = card.model_copy(update={"target": card.target.model_copy(update={"length": 100.0})})
    assert n_signal(other, "A", 0.0123, [1e-5])[0].value != together[0].value
    assert len(calls) == 4


def test_fiducial_ranges():
    """Eqs. 18 and 20 for a muon that went 30 cm deep in 100 cm; fails if a length is counted from the front face."""
    assert missing_energy(30.0, 100.0, 500.0) == (570.0, math.inf)
    assert displaced(30.0, 100.0, 500.0) == (70.0, 570.0)


@pytest.mark.parametrize("length", [0.5, 1.0, 30.0, 1e9])
@pytest.mark.parametrize("z_max", [10.0 + 1e-12, 10.5, 70.0, math.inf])
def test_decay_probability(length, z_max):
    """Eq. 19 is the integral of exp(-z/L)/L from 10 cm on, to 1e-12; fails if a difference is rounded away.

    The integral has 40 digits. An S that never decays counts for z_max = inf alone, one that flies 1 um never.
    """
    inverse = 1.0 / length
    with mp.workdps(40):
        wide = min(mpf(z_max), 10 + 60 / mpf(inverse))
        exact = quad(lambda z: inverse * mp.exp(-z * inverse), linspace(10, wide, 21))
    assert decay_probability(10.0, z_max, inverse) == pytest.approx(float(exact), rel=1e-12, abs=0.0)
    assert decay_probability(10.0, z_max, 0.0) == (0.0 if z_max < math.inf else 1.0)
    assert decay_probability(10.0, z_max, 1e4) == 0.0


@pytest.mark.parametrize("length", [3.0, 40.0])
def test_decay_probability_of_thrown_decays(length):
    """Of 1e5 exponential paths the share between 10 and 70 cm, 4 sigma; fails for another law of decay."""
    paths = np.random.default_rng(5).exponential(length, 100_000)
    share = np.mean((paths > 10.0) & (paths < 70.0))
    expected = decay_probability(10.0, 70.0, 1.0 / length)
    assert abs(share - expected) < 4.0 * math.sqrt(expected * (1.0 - expected) / 1e5)


def test_interval_of_a_narrow_peak():
    """A signal above the threshold for 2 % of a decade is found, 1e-4; fails if the scan steps over it."""

    def signal(g):
        return 3.0 * np.exp(1e-4 - np.log(g / 1.234e-5) ** 2)

    ((low, high),) = intervals(signal, 3.0)
    assert low == pytest.approx(1.234e-5 * math.exp(-0.01), rel=1e-4, abs=0.0)
    assert high == pytest.approx(1.234e-5 * math.exp(0.01), rel=1e-4, abs=0.0)
    assert intervals(lambda g: 0.9 * signal(g), 3.0) == ()


def test_reach_is_monotonic_and_ordered():
    """A higher threshold leaves a narrower interval, masses come in order; fails if threads mix the masses up."""
    card, masses = load_card("fermilab"), [0.2, 0.05, 0.1]
    few, many = (reach(card, ["A", "B"], masses, n, workers=2) for n in (3.0, 30.0))
    assert [(p.model, p.mass_gev) for p in few] == [(model, m) for model in "AB" for m in masses]
    assert all(a.g_low < b.g_low < b.g_high < a.g_high for a, b in zip(few, many, strict=True))
    assert reach(card, ["A"], [0.2], 1e9)[0].g_low is None


def test_reach_table(tmp_path):
    """Empty fields where nothing is seen, and the documented header; fails if None is written as text."""
    points = reach(load_card("fermilab"), ["A"], [0.1, 0.2], 1e3)
    write_csv(points, tmp_path / "reach.csv")
    lines = (tmp_path / "reach.csv").read_text().splitlines()
    assert lines[0] == "experiment,model,production,mass_gev,g_low,g_high"
    assert lines[1].startswith("fermilab,A,exact,0.1,")
    assert lines[2] == "fermilab,A,exact,0.2,,"


@pytest.mark.parametrize(
    "arguments", [{"masses": [0.0]}, {"n_signal": 0.0}, {"models": ["C"]}, {"production": "magic"}]
)
def test_reach_refuses(arguments):
    """What cannot be scanned is refused; fails if a wrong name or number gives an empty contour instead."""
    with pytest.raises(InputError):
        reach(load_card("fermilab"), **({"masses": [0.1]} | arguments))


def test_nothing_above_threshold():
    """N_S is 0 where no S can be made, and numbers out of range are refused; fails for a NaN."""
    card = load_card("fermilab")
    assert n_signal(card, "A", 5.0, [1e-4])[0].value == 0.0
    for m_S, g_mu in ((-0.1, 1e-4), (float("nan"), 1e-4), (0.1, float("nan")), (0.1, 0.0)):
        with pytest.raises(InputError):
            n_signal(card, "A", m_S, [g_mu])
