"""Nodes along the tracks of the beam, against the energies of muons that are followed one by one."""

import functools

import numpy as np
import pytest

from mcgen.card.card import card_text, parse_card
from mcgen.source.beam_nodes import crossings, group_nodes, groups
from mcgen.source.source import Source

LOSS, LENGTH, N_ATOM = 22.1e-3, 50.0, 6.3e22


def card_of(spread="", target=""):
    """50 cm of tungsten with the constant loss of the Fermilab card, 3 GeV with or without a spread."""
    text = card_text("fermilab").replace('energy = "3 GeV"', f'energy = "3 GeV"\n{spread}')
    text = text.replace('length = "1.5 m"', 'length = "50 cm"')
    return parse_card(text.replace('dE_dy = "22.1e-3 GeV/cm"', target) if target else text)


@functools.cache
def muons():
    """Energies at entry of many muons of a beam with 5 % spread."""
    card = card_of("energy_spread = 0.05")
    energies, cdf = Source(card).segments[0].spectrum
    return card, np.interp((np.arange(400_000) + 0.5) / 400_000, cdf, energies)


def test_crossings_of_one_energy():
    """One energy is at one depth, (3 GeV - E)/loss, and without a loss anywhere; fails for another layer's depth."""
    ((target, depth, share),) = crossings(Source(card_of()).segments, 2.2, 4)
    assert target.Z == 74.0
    assert depth == pytest.approx([0.8 / LOSS], rel=1e-9)
    assert share == pytest.approx([1.0], rel=1e-12)
    ((_, depth, share),) = crossings(Source(card_of(target='energy_loss = "none"')).segments, 3.0, 8)
    assert share.sum() == pytest.approx(1.0, rel=1e-12)
    assert np.sum(depth * share) == pytest.approx(0.5 * LENGTH, rel=1e-9)  # everywhere alike


@pytest.mark.parametrize("E", [2.0, 2.4, 2.9])
def test_crossings_of_many_energies(E):
    """Depths at an energy are those of the muons that have it there, 0.05 cm in the mean; fails for another weight."""
    card, entered = muons()
    depth = (entered - E) / LOSS
    mean = depth[(depth > 0.0) & (depth < LENGTH)].mean()
    ((_, where, share),) = crossings(Source(card).segments, E, 50)
    assert share.sum() == pytest.approx(1.0, rel=1e-12)
    assert np.sum(where * share) == pytest.approx(mean, abs=0.05)


def test_nodes_of_many_energies():
    """Nuclei, energies and depths on the way of all muons add up, 1e-3; fails if a cell loses its share."""
    card, entered = muons()
    ((component,),) = groups(Source(card).components(0.1))
    E, depth, nuclei = group_nodes([component], 32)
    whole = N_ATOM * LENGTH
    assert nuclei.sum() == pytest.approx(whole, rel=1e-3)
    assert np.sum(E[:, None] * nuclei) / whole == pytest.approx(entered.mean() - 0.5 * LENGTH * LOSS, rel=1e-3)
    assert np.sum(depth * nuclei) / whole == pytest.approx(0.5 * LENGTH, rel=1e-3)
    # muons that entered with more energy have the same one deeper in
    middle = (np.abs(E - 2.45) < 0.05)[:, None] * nuclei
    inside = [y[(y > 0.0) & (y < LENGTH)] for y in ((entered - e) / LOSS for e in np.linspace(2.41, 2.49, 9))]
    assert np.sum(depth * middle) / middle.sum() == pytest.approx(np.concatenate(inside).mean(), abs=0.5)


def test_nodes_of_one_energy():
    """Nuclei, energies and depths along a thick target add up to 1e-9; fails for a weight of another node."""
    ((component,),) = groups(Source(card_of()).components(0.1))
    E, depth, nuclei = group_nodes([component], 32)
    whole = N_ATOM * LENGTH
    assert nuclei.sum() == pytest.approx(whole, rel=1e-9)
    np.testing.assert_allclose(E, 3.0 - LOSS * depth[:, 0], rtol=1e-9)
    assert np.sum(E[:, None] ** 2 * nuclei) / whole == pytest.approx(
        (3.0**3 - (3.0 - LOSS * LENGTH) ** 3) / (3.0 * LOSS * LENGTH), rel=1e-9
    )


def test_nodes_of_a_thin_target():
    """1 cm takes 0.7 % of the energy: three energies stand for that at each depth, exact for E^2, 1e-9.

    Fails if two of them do, which is exact for E alone.
    """
    text = card_text("fermilab").replace('length = "1.5 m"', 'length = "1 cm"')
    ((component,),) = groups(Source(parse_card(text)).components(0.1))
    E, depth, nuclei = group_nodes([component], 16)
    assert nuclei.sum() == pytest.approx(N_ATOM, rel=1e-9)
    squares = np.sum(E[:, None] ** 2 * nuclei, axis=0) / nuclei.sum(axis=0)
    np.testing.assert_allclose(squares, (3.0 - LOSS * depth[0]) ** 2, rtol=1e-9)
    assert np.sum(depth * nuclei) / N_ATOM == pytest.approx(0.5, rel=1e-9)
