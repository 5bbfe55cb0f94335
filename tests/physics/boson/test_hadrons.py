"""Hadronic width of a dark photon: table values, thresholds, ends, and what decays into it."""

from __future__ import annotations

import math
from importlib import resources

import numpy as np
import pytest

import mcgen
from mcgen import load_card
from mcgen.analysis.reach import reach
from mcgen.analysis.reweight import reweight
from mcgen.base.constants import ALPHA, HBARC_GEV_CM, M_E, M_PI
from mcgen.base.errors import InputError
from mcgen.card.card import card_text, parse_card
from mcgen.cli import main
from mcgen.generation.generate import generate
from mcgen.physics.boson.couplings import Couplings
from mcgen.physics.boson.scalar_decay import width_hadrons, width_leptons
from mcgen.quadrature.yields import n_signal
from mcgen.source.boson import Boson

#: eps = 1
E = math.sqrt(4.0 * math.pi * ALPHA)
NA64 = load_card("na64").with_boson("vector", "dark-photon")

#: mass in GeV, c tau in m at eps = 1, branching ratios to ee, mumu, tautau, hadrons: below 2 GeV the fit of
#: arXiv:2201.01788, above darkcast (arXiv:1801.04847), both as github.com/KlingFelix/FORESEE at 2d6431f keeps them
POINTS = [
    (0.25302, 1.8407e-13, 0.57411, 0.42588, 0, 1.1738e-05),
    (0.31302, 1.3352e-13, 0.51522, 0.46671, 0, 0.018077),
    (0.38002, 1.0123e-13, 0.47422, 0.45508, 0, 0.070694),
    (0.50702, 6.3731e-14, 0.39832, 0.39353, 0, 0.20815),
    (0.77102, 8.6927e-15, 0.082619, 0.082439, 0, 0.83494),
    (0.78202, 4.7952e-15, 0.046225, 0.04613, 0, 0.90764),
    (1.019, 1.5779e-15, 0.019821, 0.019807, 0, 0.96037),
    (1.701, 1.1404e-14, 0.23913, 0.23911, 0, 0.52176),
    (1.999, 9.7273e-15, 0.2397, 0.23969, 0, 0.52061),
    (2.0, 9.7102e-15, 0.23923, 0.23922, 0, 0.52155),
    (3.06, 5.8062e-15, 0.21886, 0.21886, 0, 0.56228),
    (3.84, 3.6401e-15, 0.17219, 0.17219, 0.093186, 0.56243),
    (9.6, 1.3007e-15, 0.15382, 0.15382, 0.15268, 0.53968),
    (10.001, 1.2242e-15, 0.15065, 0.15065, 0.14971, 0.54899),
]
#: c tau of the same source at masses that the package's file leaves out
BETWEEN = [
    (0.300022, 1.4202e-13), (0.350022, 1.1382e-13), (0.450022, 7.8573e-14), (0.600022, 4.114e-14),
    (0.770022, 8.8622e-15), (0.800022, 1.1855e-14), (0.900022, 2.4131e-14), (0.950022, 2.7259e-14),
    (1.016022, 5.018e-15), (1.100022, 2.577e-14), (1.300022, 1.9583e-14), (1.550022, 1.2466e-14),
    (1.850022, 1.0499e-14),
]  # fmt: skip


def _c_tau(m_S):
    return 1e-2 * HBARC_GEV_CM / mcgen.total_width(NA64, "dark-photon", m_S, E)


@pytest.mark.parametrize("point", POINTS, ids=lambda p: f"{p[0]:g}")
def test_points_of_the_table(point):
    """c tau at eps = 1 to 1e-4 below 2 GeV and 0.2 % above, branching ratios to 2e-4; fails without hadrons.

    Above, the source's own widths to leptons are 0.06 to 0.18 % under the textbook's.
    """
    m_S, c_tau, *ratios = point
    assert _c_tau(m_S) == pytest.approx(c_tau, rel=1e-4 if m_S < 2.0 else 2e-3)
    w = Boson(NA64, "dark-photon", m_S).widths(E)
    for width, ratio in zip((w.ee, w.mumu, w.tautau, w.hadrons), ratios, strict=True):
        assert width / w.total == pytest.approx(ratio, abs=2e-4)


@pytest.mark.parametrize(("m_S", "c_tau"), BETWEEN)
def test_between_the_points(m_S, c_tau):
    """c tau between the points of the file to 1 %, next to the phi to 5 %; fails if peaks are cut straight."""
    assert _c_tau(m_S) == pytest.approx(c_tau, rel=0.05 if abs(m_S - 1.02) < 0.005 else 0.0105)


def test_rho():
    """Leptons alone live 5.95 times too long at 0.77 GeV, 0.2 %; fails if the width misses hadrons."""
    w = Boson(NA64, "dark-photon", 0.77).widths(E)
    assert w.total / (w.ee + w.mumu) == pytest.approx(5.95, rel=2e-3)


def test_threshold_and_seam():
    """No hadrons up to two pions, beta^3 above, and no step at 2 GeV, 0.4 %; fails for a threshold at a point."""
    assert width_hadrons(1.0, 2.0 * M_PI) == width_hadrons(1.0, 0.2) == 0.0
    near, nearer = (width_hadrons(1.0, 2.0 * M_PI * (1.0 + d)) for d in (1e-6, 1e-7))
    assert near / nearer == pytest.approx(10.0**1.5, rel=1e-4)
    below, above = (width_hadrons(1.0, m) / width_leptons(1.0, M_E, m, "vector") for m in (1.999, 2.0))
    assert above == pytest.approx(below, rel=4e-3)
    assert width_hadrons(2.0, 1.0) == pytest.approx(4.0 * width_hadrons(1.0, 1.0), rel=1e-12)


def test_file_is_in_the_package():
    """The table lies where an installed package finds it, and says where it comes from; fails if it is left behind."""
    text = resources.files("mcgen.physics.boson").joinpath("dark_photon_hadrons.csv").read_text(encoding="utf-8")
    assert "2201.01788" in text
    assert "1801.04847" in text


@pytest.mark.parametrize(
    ("mediator", "model"),
    [
        ("vector", "Lmu-Ltau"),
        ("axial", "dark-photon"),
        ("axial", "Lmu-Ltau"),
        ("scalar", "A"),
        ("vector", Couplings(1e-3, 1e-3, 1e-3)),
    ],
)
def test_models_without_quarks(mediator, model):
    """Leptons and neutrinos are all that other models have, at any mass; fails if one is given a photon's hadrons."""
    card = load_card("na64").with_boson(mediator)
    for m_S in (0.77, 12.0):
        w = Boson(card, model, m_S).widths(1e-3)
        assert w.hadrons == 0.0
        assert mcgen.total_width(card, model, m_S, 1e-3) == w.total == pytest.approx(sum(w[:5]), rel=1e-14)


def test_total_width():
    """A float that grows with g^2, for models and couplings; bad numbers are refused; fails if 0 or NaN comes back."""
    found = [mcgen.total_width(NA64, "dark-photon", 0.5, g) for g in (1e-4, 2e-4)]
    assert type(found[0]) is float
    assert found[1] == pytest.approx(4.0 * found[0], rel=1e-12)
    electron = Couplings(1e-4, 0.0, 0.0)
    assert mcgen.total_width(NA64, electron, 0.5, 1.0) == width_leptons(1e-4, M_E, 0.5, "vector")
    fermilab = load_card("fermilab")
    assert mcgen.total_width(fermilab, "A", 0.1, 1e-4) > 0.0
    for model, m_S, g in (
        ("A", 0.1, 1e-4), ("dark-photon", 0.1, 0.0), ("dark-photon", math.nan, 1e-4), ("dark-photon", -1.0, 1e-4),
        (Couplings(math.nan, 0.0, 0.0), 0.1, 1e-4), ("none", 0.1, 1e-4),
    ):  # fmt: skip
        with pytest.raises(InputError):
            mcgen.total_width(NA64, model, m_S, g)


def test_beyond_the_table(capsys, tmp_path):
    """Above 10.001 GeV one line says so, and a scan that would end there begins nothing; fails for half a table."""
    with pytest.raises(InputError, match=r"mass 10.01 GeV: .* known up to 10.001 GeV"):
        mcgen.total_width(NA64, "dark-photon", 10.01, E)
    seen = []
    with pytest.raises(InputError, match="mass 12 GeV"):
        reach(NA64, ["dark-photon"], [9.0, 12.0], progress=seen.append)
    assert seen == []
    out = tmp_path / "reach.csv"
    arguments = ["reach", "na64", "--mediator", "vector", "--model", "dark-photon", "--mass", "9,12", "-o", str(out)]
    assert main(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
    (found,) = n_signal(NA64.with_boson("vector", "Lmu-Ltau"), "Lmu-Ltau", 12.0, [1e-3])
    assert found.value > 0.0


def _card(mass, more=""):
    lines = f'mediator = "vector"\nmodel = "dark-photon"\n{more}'
    text = card_text("na64").replace('model = "A"', lines).replace('models = ["A", "B"]', 'models = ["dark-photon"]')
    return parse_card(text.replace('mass = "100 MeV"', f'mass = "{mass} GeV"').replace("g_mu = 1e-4", "g_mu = 1e-6"))


def test_decays_into_pions():
    """Hadrons are written as pi+ pi- of the right mass, as often as they occur, 4 sigma; none below two pions."""
    card = _card(0.6)
    events = generate(card, 0.6, 20_000, 5, decays=True)
    c = events.columns
    w = Boson(card, "dark-photon", 0.6).widths(1.0)
    pions = c["decay_pdg"] == 211
    share = w.hadrons / w.total
    assert abs(pions.mean() - share) < 4.0 * math.sqrt(share * (1.0 - share) / pions.size)
    assert set(np.unique(c["decay_pdg"])) == {11, 13, 211}
    for n in (1, 2):
        p2 = sum(c[f"d{n}_p{axis}"][pions] ** 2 for axis in "xyz")
        np.testing.assert_allclose(np.sqrt(c[f"d{n}_E"][pions] ** 2 - p2), M_PI, rtol=1e-4)
    np.testing.assert_allclose((c["d1_E"] + c["d2_E"])[pions], c["S_E"][pions], rtol=1e-12)
    assert 211 not in generate(_card(0.27), 0.27, 2000, 5, decays=True).columns["decay_pdg"]


def test_signal_takes_the_width():
    """N_S by quadrature and from events agree at 0.6 GeV, where hadrons count as visible, 4 sigma; dark ones do not."""
    card = _card(0.6)
    events = generate(card, 0.6, 20_000, 6)
    g = 3e-6
    (found,) = reweight(events, "dark-photon", [g], energy_bins=1).n_signal
    (expected,) = n_signal(card, "dark-photon", 0.6, [g])
    assert abs(found.value - expected.value) < 4.0 * found.error
    dark = _card(0.6, "invisible = 0.25")
    w = Boson(dark, "dark-photon", 0.6).widths(1.0)
    assert w.invisible / w.total == pytest.approx(0.25, rel=1e-12)
    assert w.hadrons == Boson(card, "dark-photon", 0.6).widths(1.0).hadrons
