"""Active layers of a target: decays inside them count, against a plain integral and against decays that were thrown."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from scipy.integrate import quad

from mcgen import load_card
from mcgen.analysis.reach import reach
from mcgen.analysis.reweight import reweight
from mcgen.base.constants import PB_CM2
from mcgen.base.errors import InputError
from mcgen.card.card import card_text, parse_card
from mcgen.generation.generate import generate
from mcgen.physics.emission.cross_section import FINE, sigma_dE
from mcgen.physics.emission.rules import rules
from mcgen.physics.signal.layers import Layers, draw_in_layers, way
from mcgen.quadrature.yields import n_signal, sigma_tilde
from mcgen.search.search import Search
from mcgen.source.boson import Boson
from mcgen.source.source import Source

M_S = 0.1
#: material and length in cm, and which layers are active; the first two active ones touch
LAYERS = (("Pb", 20.0, False), ("Fe", 5.0, True), ("Pb", 10.0, True), ("Fe", 30.0, False), ("Pb", 2.0, True))
RANGES = ((20.0, 35.0), (65.0, 67.0))
DETECTOR = (67.0 + 50.0, 67.0 + 350.0)


def card_of(loss="none", more="", layers=LAYERS, g_mu=5e-4):
    """The Fermilab beam on layers."""
    head, rest = card_text("fermilab").split("[target]")
    text = "".join(
        f'[[target.layer]]\nmaterial = "{name}"\nlength = "{length} cm"\nactive = {str(active).lower()}\n'
        for name, length, active in layers
    )
    tail = rest.split("[scalar]")[1]
    detector = f'[detector]\nsignature = "displaced"\ngap = "50 cm"\nL_det = "3 m"\n{more}\n'
    card = f'{head}[target]\nenergy_loss = "{loss}"\nE_min = "0.5 GeV"\n{text}{detector}[scalar]{tail}'
    return parse_card(card.replace("g_mu = 5e-4", f"g_mu = {g_mu!r}"))


def test_ranges():
    """Neighbours are one range, and a group repeats its layers; fails for faces that are shifted by a layer."""
    assert Search.of(card_of()).active == RANGES
    group = '[[target.layer]]\nrepeat = 3\n[[target.layer.layer]]\nmaterial = "Pb"\nlength = "1 cm"\n'
    group += '[[target.layer.layer]]\nmaterial = "scintillator"\nlength = "2 cm"\nactive = true\n[detector]'
    head, rest = card_text("fermilab").split("[target]")
    card = parse_card(f"{head}[target]\n{group}{rest.split('[detector]')[1]}")
    assert Search.of(card).active == ((1.0, 3.0), (4.0, 6.0), (7.0, 9.0))


@functools.cache
def _spectrum(Z, n=240):
    """E_S, and d sigma/dE_S in pb with the weights of a plain rule, at the energy of the beam."""
    source = Source(card_of())
    process = next(source.process(M_S, t) for t in source.targets if t.Z == Z)
    s, w = np.polynomial.legendre.leggauss(n)
    angle, low, high = 0.25 * np.pi * (1.0 + s), M_S, 3.0 - 0.10566
    E_S = low + (high - low) * np.sin(angle) ** 2
    jacobian = 0.25 * np.pi * w * (high - low) * np.sin(2.0 * angle)
    return E_S, jacobian * [sigma_dE(3.0, process, E, rules(*FINE)) for E in E_S.tolist()]


def integral(g, ranges):
    """N_S from depth and energy of S with the probability to decay in some ranges of z, all at 3 GeV."""
    card = card_of()
    length = Boson(card, "A", M_S).length_per_momentum(g)
    total, front = 0.0, 0.0
    for (name, thickness, _), segment in zip(LAYERS, _layers(card), strict=True):
        E_S, sigma = _spectrum({"Pb": 82, "Fe": 26}[name])
        L = np.sqrt(E_S**2 - M_S**2) * length

        def at(y, L=L, sigma=sigma):
            p = sum(np.exp(-max(a - y, 0.0) / L) - np.exp(-(b - y) / L) for a, b in ranges if b > y)
            return float(np.sum(sigma * p))

        shortest = front + thickness - np.array([10.0, 1.0]) * np.median(L)
        inside = [y for y in shortest.tolist() if front < y < front + thickness]
        value, _ = quad(at, front, front + thickness, points=inside or None, limit=200, epsrel=1e-7)
        total += segment * PB_CM2 * value
        front += thickness
    return card.beam.particles_on_target * g**2 * total


def _layers(card):
    """Atoms per cm^3, layer by layer."""
    return [layer.composition[0][1] for layer in card.target.layers]


@pytest.mark.parametrize("g", [1e-5, 1e-4, 1e-3, 1e-2])
def test_quadrature(g):
    """N_S is a plain integral over depth and energy to 2e-4, for L_S from some 100 m to 0.1 mm.

    Fails if S of a layer decays in front of where it was made, if a layer is forgotten, or if ranges count twice.
    """
    (found,) = n_signal(card_of(), "A", M_S, [g])
    assert found.value == pytest.approx(integral(g, (*RANGES, DETECTOR)), rel=2e-4)
    (behind,) = n_signal(card_of(layers=[(*layer[:2], False) for layer in LAYERS]), "A", M_S, [g])
    assert behind.value == pytest.approx(integral(g, (DETECTOR,)), rel=2e-4, abs=1e-30)
    assert found.value > 1.005 * behind.value


def test_short_lives():
    """S that decay at once count where they are made in an active layer: the share of its nuclei.

    Fails if the range of a layer begins behind the place of production.
    """
    card = card_of()
    (n,) = sigma_tilde(card, "A", M_S, 0.5, [3.0])
    atoms = np.array(_layers(card)) * [layer[1] for layer in LAYERS]
    whole = [float(np.sum(_spectrum(Z)[1])) for Z in (82, 26, 82, 26, 82)]
    active = [layer[2] for layer in LAYERS]
    assert n.value == pytest.approx(0.25 * PB_CM2 * np.sum((atoms * whole)[active]) / atoms.sum(), rel=1e-3)
    assert reach(card, ["A"], [M_S])[0].g_high == np.inf


@pytest.fixture(scope="module")
def events():
    """Natural decays, energy lost by the beam."""
    return generate(card_of("constant"), M_S, 20_000, decays=True)


@pytest.mark.parametrize("method", ["probability", "vertex"])
def test_events(events, method):
    """Files give N_S of the quadrature, by probability and by their own decays; fails for one range only."""
    card = card_of("constant")
    g = [1e-4, 5e-4]
    exact = n_signal(card, "A", M_S, g)
    for mc, quadrature in zip(reweight(events, "A", g, method=method).n_signal, exact, strict=True):
        assert abs(mc.value - quadrature.value) < 4.0 * mc.error
        assert mc.error < 0.05 * mc.value
    g, c = card.scalar.g_mu, events.columns
    path = np.sqrt(sum((c[f"decay_{a}_cm"] - c[f"vertex_{a}_cm"]) ** 2 for a in "xyz"))
    z = c["depth_cm"] + path  # along the beam, as this geometry has it
    inside = np.any([(z >= a) & (z < b) for a, b in (*RANGES, DETECTOR)], axis=0)
    counted = card.beam.particles_on_target * g**2 * c["weight"][inside].sum()
    (found,) = reweight(events, "A", [g], method="vertex").n_signal
    assert counted == pytest.approx(found.value, rel=1e-9)


def test_straggling_beams():
    """A beam of many energies, whose depths are gathered: N_S of events and quadrature, 4 sigma or 0.5 %.

    Fails if depths on both sides of a face are taken together.
    """
    card = card_of("constant")
    spread = card.beam.model_copy(update={"energy_spread": 0.05})
    card = parse_card(card.model_copy(update={"beam": spread}).text)
    found = generate(card, M_S, 20_000)
    g = [1e-4, 1e-3, 1e-2]
    for mc, exact in zip(reweight(found, "A", g).n_signal, n_signal(card, "A", M_S, g), strict=True):
        assert abs(mc.value - exact.value) < 4.0 * mc.error + 5e-3 * exact.value


def _shares(card, c):
    """Shares of the probability to decay in each range, event by event, from the ranges themselves."""
    search = Search.of(card)
    layers, window = search.layers(c), search.window(c)
    ways = [[way(layers, i, layer) for i in range(c["event"].size)] for layer in range(2)]
    first, last = (np.vstack([np.array(ways)[..., n], window[n]]) for n in (0, 1))
    L = np.sqrt(sum(c[f"S_p{p}"] ** 2 for p in "xyz")) * Boson(card, "A", M_S).length_per_momentum(card.scalar.g_mu)
    mass = np.exp(-first / L) - np.exp(-last / L)
    return mass / np.maximum(mass.sum(axis=0), 1e-300)


@pytest.mark.parametrize("more", ["", 'geometry = "3d"\nradius = "30 cm"\nE_daughter_min = "0.2 GeV"'])
def test_forced_decays(more):
    """Forced decays lie in the ranges, as often in each as their weights say, and add up to N_S.

    Fails if one range gets more than its share, or if a decay lies between them.
    """
    card = card_of("constant", more)
    g = card.scalar.g_mu
    found = generate(card, M_S, 20_000, force_decay=True)
    c = found.columns
    signal = card.beam.particles_on_target * g**2 * c["weight"] * c["decay_weight"]
    (whole,) = reweight(found, "A", [g]).n_signal
    assert signal.sum() == pytest.approx(whole.value, rel=1e-9)
    path = np.sqrt(sum((c[f"decay_{a}_cm"] - c[f"vertex_{a}_cm"]) ** 2 for a in "xyz"))
    z = c["decay_z_cm"] if more else c["depth_cm"] + path
    shares = _shares(card, c)
    counted = 0.0
    for i, (a, b) in enumerate((*RANGES, DETECTOR)):
        here = (z > a - 1e-6) & (z < b + 1e-6) & (signal > 0.0)
        alone = signal * shares[i]
        error = np.sqrt(np.sum(signal[here] ** 2) + np.sum(alone**2))
        assert abs(signal[here].sum() - alone.sum()) < 4.0 * error
        counted += signal[here].sum()
    assert counted == pytest.approx(signal.sum(), rel=1e-12)
    if not more:
        (exact,) = n_signal(card, "A", M_S, [g])
        assert abs(whole.value - exact.value) < 4.0 * whole.error


def test_detector_of_a_shape():
    """In 3-D natural decays count in a layer if both daughters have the energy, anywhere in x and y: the same N_S.

    Fails if they must hit the back plane, or if soft ones count.
    """
    shape = 'geometry = "3d"\nradius = "30 cm"\nE_daughter_min = "0.3 GeV"'
    card = card_of("constant", shape, g_mu=2e-4)
    found = generate(card, M_S, 40_000, seed=3, decays=True)
    c, g = found.columns, card.scalar.g_mu
    inside = np.any([(c["decay_z_cm"] > a) & (c["decay_z_cm"] < b) for a, b in RANGES], axis=0)
    inside &= (c["d1_E"] >= 0.3) & (c["d2_E"] >= 0.3)
    behind = card_of("constant", shape, [(*layer[:2], False) for layer in LAYERS])
    values = card.beam.particles_on_target * g**2 * c["weight"] * inside
    (by_hand,) = reweight(found, "A", [g], method="vertex", detector=behind).n_signal
    (whole,) = reweight(found, "A", [g], method="vertex").n_signal
    assert whole.value == pytest.approx(by_hand.value + values.sum(), rel=1e-9)
    (expected,) = reweight(found, "A", [g]).n_signal
    assert abs(expected.value - whole.value) < 4.0 * whole.error


def test_drawn_places():
    """Uniform numbers fill layer and detector by their probability, in any order; far ones do not vanish.

    Fails if rounding loses what lies thousands of lives away, or if a zero is divided by.
    """
    u = np.linspace(0.0, 1.0, 2001)[:-1]
    cases = [(1.0, 1.0, 6.0, 8.0), (5000.0, 1.0, 5001.0, 5003.0), (-1.0, 1.0, 0.5, 1.5), (1.0, 0.0, 2.0, 3.0)]
    for z, n_z, *window in [*cases, (6.0, -1.0, 9.0, 9.0), (-5000.0, 1.0, 5005.5, 5006.0)]:
        layers = Layers(np.array([2.0]), np.array([4.0]), np.full(u.size, z), np.full(u.size, n_z))
        z_min, z_max = (np.full(u.size, edge) for edge in window)
        tau, inside = np.empty(u.size), np.empty(u.size)
        draw_in_layers(z_min, z_max, np.ones(u.size), u, layers, tau, inside)
        first = np.array([way(layers, 0, 0)[0], window[0]])
        span = np.array([np.diff(way(layers, 0, 0))[0], window[1] - window[0]])
        mass = np.exp(-first) * -np.expm1(-span)
        np.testing.assert_allclose(inside, mass.sum(), rtol=1e-12)
        nearest = first[span > 0.0].min()
        assert np.count_nonzero(np.diff(tau) <= 0.0) <= 1  # where the layer lies behind the detector
        relative = np.exp(np.minimum(nearest - first, 0.0)) * -np.expm1(-span)
        for i in range(2):
            found = np.mean((tau >= first[i]) & (tau <= first[i] + span[i]) & (span[i] > 0.0))
            assert found == pytest.approx(relative[i] / relative.sum(), abs=1e-3)
    draw_in_layers(z_max, z_max, np.ones(u.size), u, layers._replace(n_z=0.0 * u), tau, inside)
    assert np.all(inside == 0.0)
    assert np.all(np.isfinite(tau))


def test_missing_energy_is_refused():
    """A decay in the target is no missing energy anyway: one line; fails if the key is ignored."""
    text = card_text("na64").replace("[target]\n", "[target]\nactive = true\n")
    with pytest.raises(InputError, match=r'active is for detector\.signature = "displaced"') as caught:
        parse_card(text)
    assert "\n" not in str(caught.value)
    assert load_card("na64").target.layers[0].active is False
