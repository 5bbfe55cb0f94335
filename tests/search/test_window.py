"""Detectors in three dimensions, against decays that are thrown and followed one by one."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from mcgen import load_card
from mcgen.analysis.reweight import ratio_to_full_acceptance, reweight
from mcgen.analysis.variations import changed
from mcgen.base.errors import InputError
from mcgen.card.card import card_text, parse_card
from mcgen.cli import main
from mcgen.generation.generate import generate
from mcgen.physics.boson.scalar_decay import length_per_momentum
from mcgen.quadrature.yields import n_signal
from mcgen.search.search import Search
from mcgen.search.window import _either
from mcgen.source.boson import Boson

LINE = 'L_det = "3 m"                     # length of the decay region, L_dec in the text'
M_S = 0.1


def card_with(detector, name="fermilab", signature="displaced"):
    """A card with another detector."""
    text = card_text(name)
    head, rest = text.split("[detector]")
    tail = rest.split("[scalar]")[1]
    return parse_card(f'{head}[detector]\nsignature = "{signature}"\nL_det = "3 m"\n{detector}\n[scalar]{tail}')


def thrown(card, columns, g_mu, shape, throws=40):
    """N_S and its error by throwing decays: exponential path, isotropic daughters of 0.1 GeV into e+e- or photons."""
    rng = np.random.default_rng(11)
    detector = card.detector
    low = card.target.length + detector.gap
    high = low + detector.L_det
    width = Boson(card, "A", M_S).width(g_mu)
    S = np.array([columns[f"S_{p}"] for p in ("px", "py", "pz")])
    k, E = np.sqrt((S**2).sum(axis=0)), columns["S_E"]
    vertex = np.array([columns[f"vertex_{a}_cm"] for a in "xyz"])
    mean = k * length_per_momentum(M_S, width)
    counts = np.zeros(k.size)
    for _ in range(throws):
        place = vertex + rng.exponential(mean) * S / k
        seen = (place[2] > low) & (place[2] < high) & shape(place[0], place[1])
        cosine, phi = 2.0 * rng.random(k.size) - 1.0, 2.0 * math.pi * rng.random(k.size)
        sine = np.sqrt(1.0 - cosine**2)
        n = S / k
        side = np.cross(n.T, [1.0, 0.0, 0.0]).T
        side /= np.sqrt((side**2).sum(axis=0))
        up = np.cross(n.T, side.T).T
        found = []
        for sign in (1.0, -1.0):  # massless daughters
            along = 0.5 * (E * cosine * sign + k)
            across = 0.5 * M_S * sine * sign * (np.cos(phi) * side + np.sin(phi) * up)
            p = along * n + across
            energy = 0.5 * (E + k * cosine * sign)
            hit = place[:2] + (high - place[2]) * p[:2] / p[2]
            found.append((energy > detector.E_daughter) & (p[2] > 0.0) & shape(hit[0], hit[1]))
        counts += seen & (found[0] | found[1] if detector.daughters == "any" else found[0] & found[1])
    values = card.beam.particles_on_target * g_mu**2 * columns["weight"] * counts / throws
    return values.sum(), math.sqrt((values**2).sum())


SHAPES = {
    'geometry = "3d"\nradius = "20 cm"': lambda x, y: x * x + y * y < 400.0,
    'geometry = "3d"\nwidth = "60 cm"\nheight = "20 cm"\ngap = "1 m"': lambda x, y: (abs(x) < 30.0) & (abs(y) < 10.0),
    'geometry = "3d"\nradius = "1 m"\nE_daughter_min = "0.5 GeV"': lambda x, y: x * x + y * y < 1e4,
    'geometry = "3d"\nradius = "20 cm"\noffset_x = "-10 cm"\noffset_y = "5 cm"': lambda x, y: (
        (x + 10.0) ** 2 + (y - 5.0) ** 2 < 400.0
    ),
}


@pytest.mark.parametrize("daughters", ["both", "any"])
@pytest.mark.parametrize("detector", SHAPES)
def test_against_thrown_decays(detector, daughters):
    """N_S from ranges along the flight meets thrown decays at two couplings, 4 sigma of the throws.

    Fails if one daughter is forgotten, if a daughter's hit is taken at the wrong plane, or if any daughter is as good
    as both.
    """
    card = card_with(f'{detector}\ndaughters = "{daughters}"')
    events = generate(card, M_S, 60_000, workers=2)
    for g_mu in (1.5e-4, 4e-4):
        value, error = thrown(card, events.columns, g_mu, SHAPES[detector])
        found = reweight(events, "A", [g_mu]).n_signal[0].value
        assert abs(found - value) < 4.0 * error / math.sqrt(3.0)
        most = 0.9 if daughters == "both" else 1.0
        assert found < most * n_signal(card, "A", M_S, [g_mu])[0].value


def test_a_huge_detector_sees_what_the_paper_counts():
    """With a radius of 10 km N_S is that of Eq. 20 but for slant paths; fails if the 3-D range starts elsewhere."""
    card = card_with('geometry = "3d"\nradius = "10 km"')
    events = generate(card, M_S, 60_000, workers=2)
    found = reweight(events, "A", [3e-4]).n_signal[0]
    assert found.value == pytest.approx(n_signal(card, "A", M_S, [3e-4])[0].value, rel=0.02)


def test_missing_energy():
    """A wide detector is Eq. 18, one of 5 cm is left earlier; fails if the way out is not that of the volume."""
    wide, narrow = (card_with(f'geometry = "3d"\nradius = "{r} cm"', signature="missing-energy") for r in (1e6, 5))
    values = []
    for card in (wide, narrow):
        events = generate(card, M_S, 60_000, workers=2)
        values.append(reweight(events, "A", [3e-4]).n_signal[0].value)
    exact = n_signal(wide, "A", M_S, [3e-4])[0].value
    assert values[0] == pytest.approx(exact, rel=0.03)
    assert values[1] > 1.5 * values[0]


def test_forced_decays_in_three_dimensions():
    """Forced decays lie in the decay volume and their weights add up to N_S; fails if a missed detector gets weight."""
    card = card_with('geometry = "3d"\nradius = "20 cm"')
    events = generate(card, M_S, 60_000, workers=2, force_decay=True)
    c, scalar = events.columns, card.scalar
    n_signal = card.beam.particles_on_target * scalar.g_mu**2 * np.sum(c["weight"] * c["decay_weight"])
    assert n_signal == pytest.approx(reweight(events, scalar.model, [scalar.g_mu]).n_signal[0].value, rel=1e-9)
    here = c["decay_weight"] > 0.0
    assert np.all(c["decay_z_cm"][here] > 150.0 - 1e-9)
    assert np.all(c["decay_z_cm"][here] < 450.0 + 1e-9)
    assert np.all(np.hypot(c["decay_x_cm"], c["decay_y_cm"])[here] < 20.0 + 1e-9)


#: a small detector far away, with a cut on the energy: half of the decays that count have one daughter in it
ANY = 'geometry = "3d"\nradius = "20 cm"\nE_daughter_min = "0.3 GeV"\ndaughters = "any"'


def hits_of(card, c):
    """Which daughters of decays in a file reach the back plane, by straight lines from the decay: (2, events)."""
    back = card.target.length + card.detector.gap + card.detector.L_det
    rows = []
    for d in ("d1", "d2"):
        way = (back - c["decay_z_cm"]) / c[f"{d}_pz"]
        x, y = (c[f"decay_{a}_cm"] + way * c[f"{d}_p{a}"] for a in "xy")
        forward = (c[f"{d}_pz"] > 0.0) & (c[f"{d}_E"] >= card.detector.E_daughter)
        rows.append(forward & (np.hypot(x, y) <= card.detector.half_width[0] * (1.0 + 1e-9)))
    return np.array(rows)


def test_forced_decays_with_any_daughter():
    """Each forced decay that counts has a daughter in the detector by an explicit line, and weights add up to N_S.

    Fails if decays are drawn where one daughter alone is asked for, or where none is seen.
    """
    card = changed(card_with(ANY), scalar={"g_mu": 1.5e-4})
    events = generate(card, M_S, 60_000, workers=2, force_decay=True)
    c, scalar = events.columns, card.scalar
    n_signal = card.beam.particles_on_target * scalar.g_mu**2 * np.sum(c["weight"] * c["decay_weight"])
    assert n_signal == pytest.approx(reweight(events, scalar.model, [scalar.g_mu]).n_signal[0].value, rel=1e-9)
    here = c["decay_weight"] > 0.0
    hits = hits_of(card, c)[:, here]
    assert np.all(hits.any(axis=0))
    assert 0.1 < hits.all(axis=0).mean() < 0.9
    assert not np.any(hits_of(card, c)[:, ~here] & (c["decay_z_cm"] > 150.0)[~here])


def test_decays_on_their_ranges_with_any_daughter():
    """Natural decays of other events count where a daughter hits, by explicit lines: the same N_S, 4 sigma.

    Fails if the range of an event is longer or shorter than where one of its daughters is seen.
    """
    card = changed(card_with(ANY), scalar={"g_mu": 1.5e-4})
    events = generate(card, M_S, 200_000, seed=5, workers=2, decays=True)
    c, scalar = events.columns, card.scalar
    inside = (np.hypot(c["decay_x_cm"], c["decay_y_cm"]) <= 20.0) & (np.abs(c["decay_z_cm"] - 300.0) <= 150.0)
    values = card.beam.particles_on_target * scalar.g_mu**2 * c["weight"] * (inside & hits_of(card, c).any(axis=0))
    (found,) = reweight(events, scalar.model, [scalar.g_mu]).n_signal
    assert abs(values.sum() - found.value) < 4.0 * math.sqrt(np.sum(values**2))
    (counted,) = reweight(events, scalar.model, [scalar.g_mu], method="vertex").n_signal
    assert counted.value == pytest.approx(values.sum(), rel=1e-9)


@pytest.mark.parametrize(
    ("one", "two", "union"),
    [
        ((1, 3), (2, 3), (1, 3)),
        ((2, 3), (1, 3), (1, 3)),
        ((4, 4), (5, 9), (5, 9)),
        ((5, 9), (7, 7), (5, 9)),
        ((5, 9), (0, 0), (5, 9)),
        ((4, 4), (7, 7), (0, 0)),
    ],
)
def test_union(one, two, union):
    """Two ranges as one, of which any may be empty; fails if an empty one takes part."""
    first, last = _either(np.array([one, two], dtype=float)[:, :, None])
    assert (first[0], last[0]) == union


@pytest.mark.parametrize("detector", ['radius = "20 cm"', 'width = "60 cm"\nheight = "20 cm"'])
def test_ranges_of_two_daughters_have_no_gap(detector):
    """A decay anywhere in the range counts, one outside does not, by explicit lines at 400 places along each S.

    Fails if the ranges of the two daughters can lie apart, as the code takes for granted, or at a wrong place.
    """
    text = f'geometry = "3d"\n{detector}\nE_daughter_min = "0.3 GeV"\ndaughters = "any"'
    card = changed(card_with(text), beam={"spot": 20.0, "divergence": 0.05})
    c = generate(card, 0.2, 20_000, workers=2, decays=True).columns
    z_min, z_max = Search.of(card).window(c)
    n = np.array([c[f"S_p{a}"] for a in "xyz"])
    n /= np.sqrt((n**2).sum(axis=0))
    vertex = np.array([c[f"vertex_{a}_cm"] for a in "xyz"])
    half = card.detector.half_width
    found = np.zeros(z_min.size)

    def inside(x, y):
        return np.hypot(x, y) < 20.0 if card.detector.is_round else (np.abs(x) < half[0]) & (np.abs(y) < half[1])

    for z in np.linspace(150.0, 450.0, 401)[:-1]:
        path = (z - vertex[2]) / n[2]
        place = vertex + path * n
        seen = np.zeros(z_min.size, dtype=bool)
        for d in ("d1", "d2"):
            x, y = (place[i] + (450.0 - z) * c[f"{d}_p{a}"] / c[f"{d}_pz"] for i, a in enumerate("xy"))
            seen |= (c[f"{d}_E"] >= 0.3) & (c[f"{d}_pz"] > 0.0) & inside(x, y)
        counts = inside(place[0], place[1]) & seen & (n[2] > 0.0)
        clear = np.minimum(np.abs(path - z_min), np.abs(path - z_max)) > 1e-6
        np.testing.assert_array_equal(counts[clear], ((path > z_min) & (path < z_max))[clear])
        found += counts
    assert np.sum(found > 0) > 1000
    assert np.mean(found[found > 0] < 399) > 0.3


def test_lowest_energy_of_S():
    """A cut on E_S acts alike in events and by quadrature; fails if one of them compares with x."""
    card = card_with('E_S_min = "1 GeV"')
    events = generate(card, M_S, 100_000, workers=2)
    found = reweight(events, "A", [2e-4]).n_signal[0]
    assert abs(found.pull(n_signal(card, "A", M_S, [2e-4])[0].value)) < 4.0
    assert found.value < 0.95 * n_signal(card_with(""), "A", M_S, [2e-4])[0].value


@pytest.mark.parametrize(
    ("detector", "word"),
    [
        ('geometry = "3d"', "radius or width"),
        ('geometry = "3d"\nradius = "1 m"\nwidth = "1 m"\nheight = "1 m"', "either"),
        ('geometry = "3d"\nwidth = "1 m"', "height"),
        ('radius = "1 m"', "3d"),
        ('daughters = "any"', 'daughters = "any" is for geometry = "3d"'),
        ('offset_y = "1 m"', "3d"),
        ('geometry = "3d"\nradius = "1 m"\ndaughters = "one"', "'both' or 'any'"),
    ],
)
def test_faults(detector, word):
    """Detectors without a shape, or with two, are refused; fails if a radius is silently ignored."""
    with pytest.raises(InputError, match=word):
        card_with(detector)


def test_any_daughter_needs_decays():
    """Where S leaves undecayed no daughter can be asked for, in one line; fails if it is silently ignored."""
    with pytest.raises(InputError, match='signature = "displaced"') as caught:
        card_with('geometry = "3d"\nradius = "1 m"\ndaughters = "any"', signature="missing-energy")
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(InputError, match="offsets are for"):
        card_with('geometry = "3d"\nradius = "1 m"\noffset_x = "1 cm"', signature="missing-energy")


def test_acceptance():
    """N_S over that with every S along the beam, None without a shape; fails if it is relative to the events' own."""
    card = changed(load_card("fermilab"), detector={"geometry": "3d", "radius": 50.0})
    found = reweight(generate(card, 0.1, 20_000, workers=2), "A", [1e-4]).n_signal
    (share,) = ratio_to_full_acceptance(card, "A", 0.1, [1e-4], found)
    assert share == pytest.approx(found[0].value / n_signal(load_card("fermilab"), "A", 0.1, [1e-4])[0].value)
    assert 0.5 < share < 0.7
    assert ratio_to_full_acceptance(load_card("fermilab"), "A", 0.1, [1e-4], found) == [None]


def test_acceptance_on_the_command_line(capsys, tmp_path):
    """reweight and run give it per row for a detector with a shape only; fails if the key is lost or always there."""
    for name in ("fermilab-3d", "fermilab"):
        file = tmp_path / f"{name}.root"
        assert main(["generate", name, "-o", str(file), "--events", "3000"]) == 0
        capsys.readouterr()
        assert main(["reweight", str(file), "--g-mu", "1e-4", "--json"]) == 0
        (row,) = json.loads(capsys.readouterr().out)["rows"]
        assert ("acceptance" in row) == (name == "fermilab-3d")


@pytest.mark.parametrize("shape", ["radius = 40.0", "width = 90.0, height = 50.0"])
def test_passage_between_the_walls(shape):
    """Where S is inside the volume, point by point along its way; fails if a wall or an offset is left out."""
    keys = {key: float(value) for key, value in (part.split(" = ") for part in shape.split(", "))}
    card = changed(load_card("fermilab"), detector={"geometry": "3d", "offset_x": 15.0, "gap": 20.0, **keys})
    search, rng = Search.of(card), np.random.default_rng(2)
    n = 300
    columns = {f"vertex_{axis}_cm": rng.normal(0.0, 20.0, n) for axis in "xy"}
    columns |= {"vertex_z_cm": rng.uniform(0.0, 150.0, n), "S_pz": rng.uniform(0.2, 2.0, n)}
    columns |= {f"S_p{axis}": rng.normal(0.0, 0.2, n) for axis in "xy"}
    first, last = search.passage(columns)
    way = np.linspace(0.0, 2000.0, 40_001)[:, None]
    S = np.array([columns[f"S_p{axis}"] for axis in "xyz"])
    x, y, z = (columns[f"vertex_{axis}_cm"] + way * S[i] / np.linalg.norm(S, axis=0) for i, axis in enumerate("xyz"))
    across = np.hypot(x - 15.0, y) <= 40.0 if "radius" in keys else (np.abs(x - 15.0) <= 45.0) & (np.abs(y) <= 25.0)
    inside = across & (z >= 170.0) & (z <= 470.0)
    length = 0.05 * inside.sum(axis=0)
    assert np.allclose(last - first, length, atol=0.11)
    hit = inside.any(axis=0) & (last > first)
    assert 30 < hit.sum() < n - 30
    assert np.allclose(first[hit], 0.05 * inside.argmax(axis=0)[hit], atol=0.06)
