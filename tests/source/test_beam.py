"""Beams of many energies: production, depth and N_S against muons that are followed one by one."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from mpmath import gamma, mp, mpf, quad

from mcgen import load_card
from mcgen.analysis.reweight import reweight
from mcgen.base.constants import AVOGADRO, PB_CM2
from mcgen.base.errors import InputError
from mcgen.card.card import card_text, parse_card
from mcgen.generation.generate import generate
from mcgen.physics.emission.cross_section import sigma, sigma_between
from mcgen.physics.emission.rules import rules
from mcgen.physics.matter.thick_target import B, track_table, volterra_nu
from mcgen.quadrature.yields import n_signal, production, sigma_tilde, yield_per_muon
from mcgen.search.search import Search
from mcgen.source.media import Medium
from mcgen.source.source import Source
from mcgen.source.targets import nucleus

M_S, G_MU = 0.1, 3e-4
LINE = 'energy = "3 GeV"                  # total energy E_beam'
HISTOGRAM = 'spectrum = {energy = "1, 2, 2.5, 4 GeV", particles = [1, 3, 2]}'
LAYERS = 'layer = [{material = "Pb", length = "40 cm"}, {material = "W", length = "90 cm"}]\nE_min = "0.5 GeV"\n\n'


def card_with(beam, target=None):
    """The Fermilab card with another beam and perhaps another target."""
    text = card_text("fermilab")
    assert LINE in text
    head, rest = text.replace(LINE, beam).split("[target]")
    slab, tail = rest.split("[detector]")
    return parse_card(f"{head}[target]\n{target or slab}[detector]{tail}")


CARDS = {
    "spread": card_with('energy = "3 GeV"\nenergy_spread = 0.1'),
    "histogram": card_with(HISTOGRAM),
    "layers": card_with(HISTOGRAM, LAYERS),
}


@functools.cache
def made(name):
    """200000 events of a card."""
    return generate(CARDS[name], M_S, 200_000, workers=2, seed=5)


def followed(card, n=400_000):
    """(weight, energy, depth) of muons followed from the front to a random depth, layer by layer."""
    rng, spectrum = np.random.default_rng(3), card.beam.distribution
    E = np.interp(rng.random(n), spectrum.cdf, spectrum.energies)
    depth = rng.random(n) * card.target.length
    weight, front = np.zeros(n), 0.0
    for layer in card.target.layers:
        inside = (depth >= front) & (depth < front + layer.length)
        E = E - np.clip(depth - front, 0.0, layer.length) * Medium(layer).loss
        ((atom, n_atom),) = Medium(layer).composition
        element = nucleus(atom)
        grid = np.linspace(Source(card).E_exit, card.beam.E_max, 80)
        sigmas = [sigma(energy, Source(card).process(M_S, element))[0] for energy in grid.tolist()]
        weight += np.where(inside, n_atom * np.interp(E, grid, sigmas), 0.0)
        front += layer.length
    return np.where(Source(card).E_exit < E, PB_CM2 * card.target.length * weight, 0.0), E, depth


@pytest.mark.parametrize("name", CARDS)
def test_against_muons_followed_one_by_one(name):
    """Yield, mean energy, mean depth and their correlation, 4 sigma; fails if depth is not drawn for the energy."""
    card = CARDS[name]
    events = made(name).columns
    weight, E, depth = followed(card)
    yield_error = weight.std() / np.sqrt(weight.size)
    assert abs(yield_per_muon(Source(card), M_S).value - weight.mean()) < 4.0 * yield_error
    for value, column in (
        (E, events["E_mu"]),
        (depth, events["depth_cm"]),
        (E * depth, events["E_mu"] * events["depth_cm"]),
    ):
        wanted = np.average(value, weights=weight)
        error = np.sqrt(np.average((value - wanted) ** 2, weights=weight))
        error *= np.sqrt(1.0 / column.size + np.sum(weight**2) / np.sum(weight) ** 2)
        assert abs(np.average(column, weights=events["weight"]) - wanted) < 4.0 * error


@pytest.mark.parametrize("name", CARDS)
def test_events_meet_the_quadrature(name):
    """N_S and sigma~ from events and by quadrature; fails if the two take different depths at an energy."""
    card = CARDS[name]
    events = made(name)
    found = reweight(events, "A", [G_MU], energy_bins=20)
    assert abs(found.n_signal[0].pull(n_signal(card, "A", M_S, [G_MU])[0].value)) < 4.0
    sums = [e.value for e in sigma_tilde(card, "A", M_S, G_MU, found.E_mu)]
    peak = max(sums)
    for mine, wanted in zip(found.sigma_tilde[0], sums, strict=True):
        assert abs(mine.value - wanted) < 5.0 * mine.error + 0.02 * peak  # a bin is not its centre


def test_small_spread_is_one_energy():
    """A spread of 1e-4 gives N_S of none, 1e-3; fails if the beam of many energies is normalised another way."""
    one, narrow = load_card("fermilab"), card_with('energy = "3 GeV"\nenergy_spread = 1e-4')
    values = [n_signal(card, "A", M_S, [G_MU])[0].value for card in (one, narrow)]
    assert values[1] == pytest.approx(values[0], rel=1e-3)


def test_spectrum_file(tmp_path):
    """A table beside the card is read once and travels inside its text; fails if an event file can name a file."""
    (tmp_path / "muons.csv").write_text("# GeV, GeV, muons\n1,2,1\n2,2.5,3\n2.5,4,2\n")
    text = card_text("fermilab").replace(LINE, 'spectrum = "muons.csv"')
    (tmp_path / "card.toml").write_text(text)
    card = load_card(tmp_path / "card.toml")
    assert card.beam.model_dump() == CARDS["histogram"].beam.model_dump()
    (tmp_path / "muons.csv").unlink()
    assert parse_card(card.text).model_dump() == card.model_dump()
    with pytest.raises(InputError, match="file of a card alone"):
        parse_card(text)
    with pytest.raises(InputError, match=r"muons\.csv"):
        load_card(tmp_path / "card.toml")


@pytest.mark.parametrize(
    ("table", "word"), [("1,2\n", "low,high,particles"), ("1,2,3\n4,5,6\n", "begin"), ("a,b,c\n", "low,high")]
)
def test_bad_spectrum_files(tmp_path, table, word):
    """Too few columns, a gap, and text are named; fails if numpy's error comes through."""
    (tmp_path / "muons.csv").write_text(table)
    (tmp_path / "card.toml").write_text(card_text("fermilab").replace(LINE, 'spectrum = "muons.csv"'))
    with pytest.raises(InputError, match=word):
        load_card(tmp_path / "card.toml")


@pytest.mark.parametrize(
    ("beam", "word"),
    [
        ("", "either energy or a spectrum"),
        (f'energy = "3 GeV"\n{HISTOGRAM}', "either"),
        (f"energy_spread = 0.1\n{HISTOGRAM}", "goes with energy"),
        ('spectrum = {energy = "1, 2 GeV", particles = [1, 2]}', "3 edges"),
        ('spectrum = {energy = "2, 1 GeV", particles = [1]}', "increase"),
        ('spectrum = {energy = "1, 2 GeV", particles = [0]}', "hold"),
        ('energy = "3 GeV"\nenergy_spread = 0.5', "energy_spread"),
    ],
)
def test_faults(beam, word):
    """Each fault of a beam is named; fails if a beam of two kinds is read."""
    with pytest.raises(InputError, match=word):
        card_with(beam)


def _angles(columns):
    return columns["mu_in_px"] / columns["mu_in_pz"], columns["mu_in_py"] / columns["mu_in_pz"]


def test_divergence():
    """Slopes of the beam have the rms of the card and carry the vertex aside; fails if only one of them is drawn."""
    card = card_with('energy = "3 GeV"\ndivergence = "5 mrad"')
    c = generate(card, M_S, 50_000, seed=3).columns
    for slope, axis in zip(_angles(c), "xy", strict=True):
        assert np.std(slope) == pytest.approx(5e-3, rel=0.02)
        np.testing.assert_allclose(c[f"vertex_{axis}_cm"], slope * c["depth_cm"], rtol=1e-9, atol=1e-12)


def test_divergence_and_multiple_scattering():
    """Both together spread the beam by the root of the sum of their squares, 3 %; fails if they go together."""
    wide = card_with('energy = "3 GeV"\ndivergence = "20 mrad"')
    scattering = {"target": wide.target.model_copy(update={"multiple_scattering": True})}
    narrow = card_with('energy = "3 GeV"').model_copy(update=scattering)
    both, alone = (
        generate(card, M_S, 100_000, seed=3, workers=2).columns for card in (wide.model_copy(update=scattering), narrow)
    )
    for first, second in zip(_angles(both), _angles(alone), strict=True):
        assert np.std(first) == pytest.approx(np.hypot(0.02, np.std(second)), rel=0.03)


def test_multiple_scattering():
    """Angles and displacements are sums of Highland's kicks, 5 %; fails if S is not turned with the muon."""
    straight = card_with('energy = "3 GeV"')
    steered = straight.model_copy(update={"target": straight.target.model_copy(update={"multiple_scattering": True})})
    c, plain = (generate(card, M_S, 200_000, seed=3, workers=2).columns for card in (steered, straight))
    X0, m = 0.3504, 0.1056583755  # cm, PDG
    for low, high in ((8.0, 10.0), (51.0, 53.0), (101.0, 103.0)):
        here = (c["depth_cm"] > low) & (c["depth_cm"] < high)
        depth = np.mean(c["depth_cm"][here])
        at = (np.arange(4000) + 0.5) * depth / 4000
        E = 3.0 - 22.1e-3 * at
        kick = depth / 4000 / X0 / (E - m**2 / E) ** 2
        scale = 13.6e-3 * (1.0 + 0.038 * np.log(depth / X0))
        moments = [np.sum(kick * (depth - at) ** n) for n in range(3)]
        for slope, axis in zip(_angles(c), "xy", strict=True):
            aside = c[f"vertex_{axis}_cm"]
            assert np.std(slope[here]) == pytest.approx(scale * np.sqrt(moments[0]), rel=0.05)
            assert np.std(aside[here]) == pytest.approx(scale * np.sqrt(moments[2]), rel=0.05)
            wanted = moments[1] / np.sqrt(moments[0] * moments[2])
            assert np.corrcoef(slope[here], aside[here])[0, 1] == pytest.approx(wanted, abs=0.02)
    for part in ("px", "py", "pz", "E"):
        rest = c["target_A"] * 0.931494 if part == "E" else 0.0
        excess = c[f"mu_in_{part}"] + rest - c[f"mu_out_{part}"] - c[f"S_{part}"] - c[f"N_out_{part}"]
        assert np.all(np.abs(excess) < 1e-12 * 200.0)
    angle, before = (
        (k["mu_in_px"] * k["S_px"] + k["mu_in_py"] * k["S_py"] + k["mu_in_pz"] * k["S_pz"]) for k in (c, plain)
    )
    np.testing.assert_allclose(angle, before, rtol=1e-12)


def test_electrons_make_what_they_couple_to():
    """N_S of electrons goes with g_e^2 in model A, is none in B; fails if they radiate with that of the muon."""
    text = card_text("na64").replace('particle = "mu+"', 'particle = "e-"')
    card = parse_card(text.replace('length = "20 cm"', 'length = "0.1 cm"'))
    events = generate(card, 0.01, 100_000, workers=2)
    ratio = (0.51099895e-3 / 0.1056583755) ** 2
    exact = n_signal(card, "A", 0.01, [1e-6])[0].value
    assert exact == pytest.approx(
        8e12 * 1e-12 * ratio * production(Source(card), 0.01, Search.of(card)).weight.sum(), rel=0.05
    )
    assert abs(reweight(events, "A", [1e-6]).n_signal[0].pull(exact)) < 4.0
    assert n_signal(card, "B", 0.01, [1e-6])[0].value == 0.0


@pytest.mark.parametrize("name", ["fermilab", "na64"])
def test_tabulated_energy_loss(name):
    """Energy against depth integrates the table, and N_S at Fermilab drops; fails if the loss is that of one energy."""
    text = card_text(name).replace("dE_dy = ", 'energy_loss = "table"\n#')
    card = parse_card(text)
    events = generate(card, M_S, 100_000, workers=2)
    order = np.argsort(events.columns["depth_cm"])
    E, depth = events.columns["E_mu"][order], events.columns["depth_cm"][order]
    (layer,) = card.target.layers
    grid = np.linspace(depth[0], depth[-1], 4001)
    along = np.interp(grid, depth, E)
    loss = Medium(layer).law("table", 200.0).loss(0.5 * (along[1:] + along[:-1]))
    np.testing.assert_allclose(along[0] - np.cumsum(loss * np.diff(grid)), along[1:], rtol=1e-5)
    ratio = n_signal(card, "B", M_S, [1e-4])[0].value / n_signal(load_card(name), "B", M_S, [1e-4])[0].value
    assert (0.79 < ratio < 0.86) if name == "fermilab" else abs(ratio - 1.0) < 2e-3
    assert abs(reweight(events, "B", [1e-4]).n_signal[0].pull(n_signal(card, "B", M_S, [1e-4])[0].value)) < 4.0


def test_energy_loss_of_compounds():
    """Without dE_dy a compound takes the minimum of its table, 2 % of PDG's; fails if shares are not of mass."""
    shares = "{O = 0.14064, W = 0.404012, Pb = 0.455348}"
    line = f'material = "mine"\nlength = "1 m"\ndensity = "8.3 g/cm3"\nfractions = {shares}\n\n'
    own = Medium(card_with('energy = "3 GeV"', line).target.layers[0]).loss
    known = Medium(card_with('energy = "3 GeV"', 'material = "PbWO4"\nlength = "1 m"\n\n').target.layers[0]).loss
    assert own == pytest.approx(known, rel=0.02)


@pytest.mark.parametrize(("kind", "word"), [("table", "muons"), ("shower", "E_min"), ("mean", "energy_loss")])
def test_energy_loss_of_the_wrong_particle(kind, word):
    """Laws that do not fit the beam are refused; fails if electrons slow down like muons without a word."""
    text = card_text("na64").replace('particle = "mu+"', 'particle = "e-"')
    with pytest.raises(InputError, match=word):
        parse_card(text.replace("dE_dy = ", f'energy_loss = "{kind}"\n#'))


def test_shower():
    """The production of a thick dump is sigma over Tsai's track length, 1e-3, and all of it at the front.

    Fails if track length is counted in cm for X0 = 24.01 g/cm2, or if a step in energy is taken for its end.
    """
    card, m_S = load_card("e137"), 0.05
    (element,) = Source(card).targets
    L = np.concatenate([[0.0], np.geomspace(1e-9, 0.1, 100), np.linspace(0.1, np.log(10.0), 150)[1:]])
    length = np.exp(-0.5 * (L[1:] + L[:-1])) * np.diff(volterra_nu(L)) / B
    energies = (20.0 * np.exp(-0.5 * (L[1:] + L[:-1]))).tolist()
    sigmas = [sigma_between(E, Source(card).process(m_S, element), 2.0, E, rules(48, 16, 10, 1)) for E in energies]
    wanted = 24.01 * AVOGADRO / element.A * PB_CM2 * np.dot(length, sigmas)
    assert production(Source(card), m_S, Search.of(card)).weight.sum() == pytest.approx(wanted, rel=1e-3)
    events = generate(card, 0.05, 50_000, workers=2)
    assert np.all(events.columns["depth_cm"] == 0.0)


def _thin(spectrum, loss, m_S=M_S):
    """Yield of a thin tungsten target: the mean cross section over a histogram, bin by bin."""
    card = card_with(spectrum, f'material = "W"\nlength = "10 um"\nenergy_loss = "{loss}"\n\n')
    ((atom, n_atom),) = Medium(card.target.layers[0]).composition
    element = nucleus(atom)
    edges, cdf = card.beam.distribution
    nodes, weights = np.polynomial.legendre.leggauss(20)
    mean = 0.0
    for low, high, share in zip(edges[:-1], edges[1:], np.diff(cdf), strict=True):
        E = 0.5 * (low + high) + 0.5 * (high - low) * nodes
        mean += share * sum(
            0.5 * w * sigma(e, Source(card).process(m_S, element))[0] for e, w in zip(E, weights, strict=True)
        )
    return card, PB_CM2 * n_atom * 1e-3 * mean


@pytest.mark.parametrize("loss", ["table", "constant", "none"])
def test_histogram_on_a_foil(loss):
    """Yield on 10 um, 5e-5, with an empty bin; fails if a bin that is flat in energy is taken as flat in path."""
    wide = 'spectrum = {energy = "1, 2, 3, 4, 8 GeV", particles = [1, 0, 3, 0.5]}'
    card, wanted = _thin(wide, loss)
    assert yield_per_muon(Source(card), M_S).value == pytest.approx(wanted, rel=5e-5)
    found = reweight(generate(card, M_S, 20_000), "A", [G_MU])
    assert all(np.isfinite([s.value, s.error]).all() for s in found.sigma_tilde[0])


@pytest.mark.parametrize("beam", [LINE, 'energy = "3 GeV"\nenergy_spread = 0.05'])
@pytest.mark.parametrize("share", [0.1, 1e-2, 1e-3])
def test_decays_at_the_end_of_the_target(beam, share):
    """N_S of S that live for a small share of the target, 2 %, against the integral in closed form.

    Fails if nodes in depth are too far apart for the few decays that leave the target, as they were.
    """
    card = card_with(beam, 'material = "Be"\nlength = "10 cm"\nenergy_loss = "none"\n\n')
    made = production(Source(card), M_S, Search.of(card))
    per_k = 1.0 / (share * 10.0 / np.average(made.k, weights=made.weight))  # inverse length times momentum
    inverse = per_k / made.k
    wanted = np.sum(made.weight * -np.expm1(-10.0 * inverse) / (10.0 * inverse) * -np.expm1(-300.0 * inverse))
    found = np.sum(made.weight * (np.exp(-made.z_min * inverse) - np.exp(-made.z_max * inverse)))
    assert found == pytest.approx(wanted, rel=0.02)


def test_foil_in_a_beam_that_loses_nothing():
    """Depths fill 0.1 mm evenly in a beam of many energies; fails if they drown in residual paths of 1e12 cm."""
    target = 'material = "Be"\nlength = "0.1 mm"\nenergy_loss = "none"\n\n'
    card = card_with('energy = "3 GeV"\nenergy_spread = 0.05', target)
    depth = generate(card, 0.05, 20_000).columns["depth_cm"]
    counts, _ = np.histogram(depth, 10, (0.0, 0.01))
    assert np.sum((counts - 2_000) ** 2 / 2_000) < 30.0


def test_track_length():
    """Volterra's function and the track length above 2 GeV of a 20 GeV electron against mpmath to 1e-9 and 1e-3."""
    with mp.workdps(20):
        for L in (1e-8, 1e-3, 0.5, 2.3):
            exact = quad(lambda s, L=L: mpf(L) ** s / gamma(s + 1), [0, 0.05, 0.2, 1, 3, 10, 30, 80])
            assert volterra_nu(np.array([L]))[0] == pytest.approx(float(exact), rel=1e-9)

        def at_depth(t):
            b = mpf(4) / 3 * t
            top = mp.log(10) ** b / gamma(b + 1)
            return quad(lambda w: mp.exp(-((w * gamma(b + 1)) ** (1 / b))), [0, top])

        exact = quad(at_depth, [mpf(1) / 200, 0.2, 1, 3, 8, 20]) + mpf(1) / 200
    assert track_table(20.0, 2.0, 1024)[1] == pytest.approx(float(exact), rel=1e-3)
