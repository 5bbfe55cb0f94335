"""N_S and cross sections of colliders against the reference, by themselves, and on the command line."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from mcgen import collider_cross_section, collider_xsec, load_card, n_signal, reach
from mcgen.base.errors import InputError
from mcgen.card.card import card_text, parse_card
from mcgen.cli import main
from mcgen.physics.collider.angles import bends, inside
from mcgen.physics.collider.event_map import boosted, frame
from mcgen.quadrature.yields import production
from mcgen.search.search import Search
from mcgen.source.boson import Boson
from mcgen.source.source import source_of


def _card(row, angles=""):
    return parse_card(card_text(f"{row['experiment']}-tautau").replace("[scalar]", f"{angles}\n[scalar]"))


def test_reference_yields(reference):
    """N_S between 1 and 60 cm and between 0.2 and 30 cm, and what is made, to 1e-6; fails for a mean p_T or isotropy.

    Above 2 m_mu the muons count, as the cards say.
    """
    for row in reference("tautau")["yields"]:
        card = _card(row)
        boson = Boson(card, "A", row["m_S"])
        assert boson.decay == {"ee": "e+e-", "mumu": "mu+mu-"}[row["channel"]]
        assert boson.width(row["g_mu"]) == pytest.approx(row["width_gev"], rel=1e-9)
        assert boson.chosen == pytest.approx(row["br"], rel=1e-9)
        found = n_signal(card, "A", row["m_S"], row["g_mu"])
        assert found.value == pytest.approx(row["n_signal"], rel=1e-6)
        assert abs(found.value - row["n_signal"]) < 10.0 * found.error + 1e-7 * found.value
        sigma = collider_cross_section(10.58, row["m_S"]).value
        assert boson.rate(row["g_mu"]) * sigma == pytest.approx(row["n_produced"], rel=1e-9)
        if "n_signal_0.2_to_30_cm" in row:
            text = card.text.replace('r_min = "1 cm"', 'r_min = "2 mm"').replace('r_max = "60 cm"', 'r_max = "30 cm"')
            near = n_signal(parse_card(text), "A", row["m_S"], row["g_mu"])
            assert near.value == pytest.approx(row["n_signal_0.2_to_30_cm"], rel=1e-6)


def test_angles_in_the_laboratory(reference):
    """N_S of S between 17 and 150 degrees in the laboratory to 5e-5; fails for a boost of the other sign."""
    for row in reference("tautau")["yields"]:
        cut = _card(row, 'angle_min = "17 deg"\nangle_max = "150 deg"')
        found = n_signal(cut, "A", row["m_S"], row["g_mu"])
        assert found.value == pytest.approx(row["n_signal_lab_window"], rel=5e-5)


def test_reference_contours(reference):
    """Both ends of N_S > 3 to 1e-6; fails if the coupling of the tau is taken for that of the muon."""
    for row in reference("tautau")["contours"]:
        (found,) = reach(_card(row), "A", row["m_S"], row["n_signal"])
        assert (found.g_low, found.g_high) == pytest.approx((row["g_low"], row["g_high"]), rel=1e-6)


@pytest.mark.parametrize("E", [0.1005, 0.1037, 0.11, 0.4, 4.0])
@pytest.mark.parametrize(("low", "high"), [(17.0, 150.0), (0.0, 90.0), (90.0, 180.0), (5.0, 6.0)])
@pytest.mark.parametrize("ratio", [7.0 / 4.0, 1.0, 0.3])
def test_ranges_of_angles(E, low, high, ratio):
    """Ranges in the frame of the collision are those whose boosted angle lies inside; fails for the second solution."""
    gamma, gamma_beta = 0.5 * (ratio**0.5 + ratio**-0.5), 0.5 * (ratio**0.5 - ratio**-0.5)
    lab = frame(10.58, gamma, gamma_beta, 5e-4)
    k = math.sqrt(E * E - 0.01)
    ranges = inside(lab, E, k, math.radians(low), math.radians(high))
    for theta in np.linspace(0.001, math.pi - 0.001, 401):
        px, _, pz, _ = boosted(lab, k * math.sin(theta), 0.0, k * math.cos(theta), E)
        angle = math.degrees(math.atan2(px, pz))
        if min(abs(angle - low), abs(angle - high)) > 1e-6:
            assert (low < angle < high) == any(a < theta < b for a, b in ranges)


def test_bends():
    """Energies at which X stands still in the laboratory, or an angle has one solution; fails for another mass."""
    lab = frame(10.58, 1.25, 0.75, 5e-4)
    assert bends(lab, 0.2, (math.radians(17.0), math.pi))[-1] == pytest.approx(0.25, rel=1e-12)
    assert len(bends(lab, 0.2, (0.3, 2.6))) == 3


def test_many_limits_in_energy(tmp_path):
    """A table of 300 equal efficiencies is a number to 1e-7, in 1.5e6 nodes; fails if short pieces have all nodes."""
    text = card_text("belle-tautau").replace("[scalar]", 'angle_min = "17 deg"\nangle_max = "150 deg"\n[scalar]')
    table = "".join(f"{E},0.4\n" for E in np.linspace(0.0, 11.0, 300))
    (tmp_path / "flat.csv").write_text(f"S_E_gev,efficiency\n{table}")
    search, cards = "[search]\nefficiency = {}\n[scalar]", []
    for name, efficiency in (("table", '"flat.csv"'), ("number", "0.4")):
        (tmp_path / f"{name}.toml").write_text(text.replace("[scalar]", search.format(efficiency)))
        cards.append(load_card(tmp_path / f"{name}.toml"))
    by_table, by_number = (n_signal(card, "A", 0.1, 1e-4).value for card in cards)
    assert by_table == pytest.approx(by_number, rel=1e-7)
    assert production(source_of(cards[0]), 0.1, Search.of(cards[0], 0.1)).weight.size < 1.5e6


def test_luminosity_and_coupling():
    """N_S goes with luminosity and g_tau^2 where nothing decays; fails if it is counted per muon on target."""
    card = load_card("belle2-tautau")
    low, high = n_signal(card, "A", 0.01, [1e-9, 2e-9])
    assert high.value / low.value == pytest.approx(16.0, rel=1e-4)
    half = parse_card(card.text.replace("50 /ab", "25000 /fb"))
    assert n_signal(half, "A", 0.01, 1e-9).value == pytest.approx(0.5 * low.value, rel=1e-12)
    assert n_signal(card, "B", 0.3, 1e-3).value == 0.0  # taus do not couple


def test_command(capsys):
    """mcgen xsec --collider: documented keys and the numbers of the function; fails if a key is left out."""
    arguments = ["--lepton", "tau", "--mass", "100MeV,8", "--spectrum", "cos-theta", "--edges", "-1,0,1", "--json"]
    assert main(["xsec", "--collider", "10.58", *arguments]) == 0
    rows = json.loads(capsys.readouterr().out)
    keys = {"lepton", "collider_gev", "mass_gev", "mediator", "method", "sigma_pb", "error_pb", "spectrum"}
    keys |= {"parity_angle"}
    assert [set(row) for row in rows] == [keys] * 2
    assert rows[0]["sigma_pb"] == pytest.approx(109.735, abs=1e-3)
    assert rows[0]["spectrum"]["sigma_pb"] == pytest.approx([0.5 * rows[0]["sigma_pb"]] * 2, rel=1e-12)
    assert rows[1]["sigma_pb"] == 0.0
    assert rows == [row.document() for row in collider_xsec(10.58, "100MeV,8", spectrum="cos-theta", edges=[-1, 0, 1])]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--lepton", "e", "--mass", "1"], ["lepton", "tau and mu"]),
        (["--lepton", "pi", "--mass", "1"], ["lepton", "tau, mu"]),
        (["--target", "W", "--mass", "1"], ["--target", "--collider"]),
        (["--method", "ww", "--mass", "1"], ["--method", "exact"]),
        (["--mass", "8", "--lepton", "tau", "--spectrum", "energy"], ["below threshold", "edges"]),
        (["--mass", "1", "--spectrum", "x"], ["spectrum", "energy, cos-theta"]),
        (["--mass", "1", "--spectrum", "cos-theta", "--edges", "0,2"], ["edges", "-1 to 1"]),
        (["--mass", "-1"], ["mass"]),
        (["--mass", "1", "--mediator", "graviton"], ["mediator", "axial"]),
    ],
)
def test_command_faults(arguments, words, capsys):
    """Exit status 2 and one line that says what is allowed; fails if pairs of electrons are computed."""
    assert main(["xsec", "--collider", "10.58", *arguments]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    for word in words:
        assert word in error


def test_function_faults():
    """The functions refuse the same; fails if a name is taken as it is."""
    with pytest.raises(InputError, match="lepton"):
        collider_cross_section(10.58, 1.0, lepton="e")
    with pytest.raises(InputError, match="none is asked for"):
        collider_cross_section(10.58, 1.0, edges=[0.0, 1.0])
    with pytest.raises(InputError, match="exact is all there is"):
        n_signal("belle2-tautau", "A", 0.1, 1e-4, method="ww")
