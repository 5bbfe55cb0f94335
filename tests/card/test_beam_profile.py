"""Beams read as lists of particles: each event lies on the way of one of them, and N_S is that of their energies."""

from __future__ import annotations

import numpy as np
import pytest

from mcgen import load_card
from mcgen.analysis.reweight import reweight
from mcgen.base.errors import InputError
from mcgen.base.files import atomic_path
from mcgen.card.card import card_text, parse_card
from mcgen.generation.generate import generate
from mcgen.quadrature.yields import n_signal
from mcgen.source.media import Medium

LINE = 'energy = "3 GeV"                  # total energy E_beam'
STACK = """
[target]
E_min = "0.5 GeV"
layer = [{material = "Pb", length = "40 cm"}, {material = "W", length = "90 cm"}]
"""


@pytest.fixture
def card_of(tmp_path):
    """The Fermilab card with a beam of particles."""

    def make(rows, stack=False):
        np.savetxt(tmp_path / "muons.csv", rows, delimiter=",", header="of a simulated beam line")
        text = card_text("fermilab").replace(LINE, 'profile = "muons.csv"')
        if stack:
            head, rest = text.split("[target]")
            text = head + STACK + "\n[detector]" + rest.split("[detector]")[1]
        with atomic_path(tmp_path / "card.toml") as path:
            path.write_text(text)
        return load_card(tmp_path / "card.toml")

    return make


def at_front(c):
    """x, y and slopes of the muons of events where they entered the target."""
    slope = np.array([c["mu_in_px"], c["mu_in_py"]]) / c["mu_in_pz"]
    return np.array([c["vertex_x_cm"], c["vertex_y_cm"]]) - c["depth_cm"] * slope, slope


def test_one_energy(card_of):
    """Events lie on the straight ways of three particles, as often on each; N_S is that of one energy.

    Fails if position and slope of a particle part, or if one is chosen more often.
    """
    rows = np.array([[3.0, 1.0, -2.0, 0.01, 0.0], [3.0, 5.0, 4.0, -0.02, 0.03], [3.0, -7.0, 0.5, 0.0, -0.01]])
    card = card_of(rows)
    events = generate(card, 0.1, 6_000)
    position, slope = at_front(events.columns)
    which = np.argmin(abs(position[0] - rows[:, 1:2]), axis=0)
    np.testing.assert_allclose(np.vstack([position, slope]), rows[which, 1:].T, atol=1e-9)
    assert np.all(abs(np.bincount(which) - 2000) < 4 * np.sqrt(6000 * 2 / 9))
    (alone,) = n_signal(load_card("fermilab"), "A", 0.1, [1e-4])
    assert n_signal(card, "A", 0.1, [1e-4])[0].value == alone.value


@pytest.mark.parametrize("stack", [False, True])
def test_energy_and_position_stay_together(card_of, stack):
    """x grows with energy in the list; so it does with the energy that an event's muon had at the front.

    Fails if particles are drawn without a look at the event's energy and depth.
    """
    E = np.linspace(2.0, 3.0, 401)
    card = card_of(np.column_stack([E, 10.0 * E, -E, np.zeros((401, 2))])[::-1], stack)
    events = generate(card, 0.1, 20_000, workers=2)
    c = events.columns
    E_front = c["E_mu"].copy()
    front = 0.0
    for layer in card.target.layers:
        E_front += np.clip(c["depth_cm"] - front, 0.0, layer.length) * Medium(layer).loss
        front += layer.length
    position, slope = at_front(c)
    assert np.all(slope == 0.0)
    np.testing.assert_allclose(position[0], 10.0 * E_front, atol=0.06)
    np.testing.assert_allclose(position[1], -E_front, atol=0.006)
    for found, exact in zip(
        reweight(events, "A", [1e-4, 4e-4]).n_signal, n_signal(card, "A", 0.1, [1e-4, 4e-4]), strict=True
    ):
        assert abs(found.pull(exact.value)) < 4.0


def test_same_as_a_histogram(card_of):
    """Ten thousand particles make N_S of the histogram they were drawn from; fails for a distribution out of place."""
    E = np.sort(np.random.default_rng(4).uniform(2.0, 3.0, 10_000))
    card = card_of(np.column_stack([E, np.zeros((10_000, 4))]))
    text = card_text("fermilab").replace(LINE, 'spectrum = {energy = "2, 3 GeV", particles = [1]}')
    for g in (1e-4, 4e-4):
        one, other = (n_signal(each, "A", 0.1, [g])[0].value for each in (card, parse_card(text)))
        assert one == pytest.approx(other, rel=0.01)


def test_travels_with_the_events(card_of, tmp_path):
    """The list is part of the event file's card; fails if a file names another file."""
    card = card_of([[3.0, 0.0, 0.0, 0.0, 0.0]])
    file = generate(card, 0.1, 100, output=tmp_path / "events.root")
    (tmp_path / "muons.csv").unlink()
    assert file.card.beam == card.beam
    with pytest.raises(InputError, match="file of a card alone"):
        parse_card((tmp_path / "card.toml").read_text())


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ("1,2,3\n", "energy .GeV."),
        ("# nothing\n", "energy .GeV."),
        ("a,b,c,d,e\n", "needs lines"),
        ("3,0,0,0,nan\n", "row 1: y' .rad. is no number"),
        ("3,0,0,0,0\n-3,0,0,0,0\n", "particle 2"),
        ("3,0,0,0.2,0\n", "slopes within 0.1"),
    ],
)
def test_faults(tmp_path, rows, word):
    """What is wrong with a list is said in one line; fails if numpy's error comes through."""
    (tmp_path / "muons.csv").write_text(rows)
    (tmp_path / "card.toml").write_text(card_text("fermilab").replace(LINE, 'profile = "muons.csv"'))
    with pytest.raises(InputError, match=word) as caught:
        load_card(tmp_path / "card.toml")
    assert "\n" not in str(caught.value)


def test_one_source_of_width():
    """A profile has its own spot and divergence; fails if both are taken."""
    text = card_text("fermilab").replace(LINE, 'profile = "3,0,0,0,0\\n"').replace('spot = "0 cm"', 'spot = "1 cm"')
    with pytest.raises(InputError, match="spot and divergence"):
        parse_card(text)
