"""`mcgen show`: what is drawn is what the card says, and the S that are drawn count."""

from __future__ import annotations

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from mcgen import load_card
from mcgen.analysis.variations import changed
from mcgen.base.units import quantity_text
from mcgen.card.card import builtin_cards, parse_card
from mcgen.report import drawing_figure as layout_figure
from mcgen.report.drawing import layout
from mcgen.report.drawing_figure import _draw, plot_layout

LAYERS = """
energy_loss = "table"
[[target.layer]]
material = "Pb"
length = "5 cm"
[[target.layer]]
material = "polystyrene"
length = "20 cm"
[[target.layer]]
material = "Pb"
length = "5 cm"
"""


def with_beam(line):
    """The Fermilab card with another beam."""
    text = load_card("fermilab").text
    old = 'energy = "3 GeV"                  # total energy E_beam'
    assert old in text
    return parse_card(text.replace(old, line))


def with_layers(**detector):
    """Layers of two materials in front of another detector."""
    head, rest = load_card("fermilab").text.split("[target]")
    tail = rest.split("[detector]")[1]
    return changed(parse_card(f"{head}[target]{LAYERS}[detector]{tail}"), detector=detector)


def drawn(setup):
    """(axes, texts of the legend) of a figure, laid out."""
    figure = Figure(layout="constrained")
    axes = figure.subplots()
    plot_layout(setup, axes)
    figure.draw_without_rendering()
    return axes, [text.get_text() for text in axes.get_legend().get_texts()]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('energy = "3 GeV"', "3 GeV"),
        ('energy = "1.5 TeV"', "1.5 TeV"),
        ('energy = "3 GeV"\nenergy_spread = 0.05', "3 GeV, rms 5 %"),
        ('spectrum = {energy = "1, 2, 2.5, 4 GeV", particles = [1, 3, 2]}', "1 GeV to 4 GeV, mean 2.458 GeV"),
    ],
)
def test_nominal_energy(line, text):
    """The energy that the card gives, and range and mean of a spectrum; fails for the end of a spread, 3.6 GeV."""
    card = with_beam(line)
    assert card.beam.energy_text == text
    axes, _ = drawn(layout(card))
    assert f"$\\mu$ of {text}\n" in axes.get_title()


def test_mean_of_a_list_of_particles(tmp_path):
    """Lowest, highest and mean of 1, 2 and 6 GeV; fails for the number of the last line."""
    (tmp_path / "beam.csv").write_text("".join(f"{E},0,0,0,0\n" for E in (1.0, 2.0, 6.0)))
    old = 'energy = "3 GeV"                  # total energy E_beam'
    (tmp_path / "card.toml").write_text(load_card("fermilab").text.replace(old, 'profile = "beam.csv"'))
    assert load_card(tmp_path / "card.toml").beam.energy_text == "1 GeV to 6 GeV, mean 3 GeV"


def test_gap_is_no_detector():
    """E137: 5 m of dump, 174 m of gap, 204 m of decay region, each drawn where it is; fails if one covers another."""
    setup = layout(load_card("e137"))
    assert [(p.kind, p.z_low, p.z_high) for p in setup.parts] == [
        ("target", 0.0, 500.0),
        ("gap", 500.0, 17_900.0),
        ("detector", 17_900.0, 38_300.0),
    ]
    axes, legend = drawn(setup)
    for name in ("target, 5 m of Al", "gap of 174 m, shield or air", "decay region of 204 m, radius 1.5 m"):
        assert name in legend
    boxes = {c.get_label(): c.get_paths()[0].get_extents() for c in axes.collections}
    gap, detector = boxes["gap of 174 m, shield or air"], boxes["decay region of 204 m, radius 1.5 m"]
    assert (gap.x0, gap.x1, detector.x0, detector.x1) == pytest.approx((5.0, 179.0, 179.0, 383.0))
    assert (detector.y0, detector.y1) == pytest.approx((-1.5, 1.5))


def test_layers_and_size():
    """Each layer in its place, its material once in the legend, with elements; width and height; fails for a blur."""
    setup = layout(with_layers(geometry="3d", width=60.0, height=20.0, gap=200.0))
    layers = [(p.name, p.z_low, p.z_high) for p in setup.parts if p.kind == "target"]
    assert layers == [("Pb", 0.0, 5.0), ("polystyrene (H, C)", 5.0, 25.0), ("Pb", 25.0, 30.0)]
    axes, legend = drawn(setup)
    names = ("target, 10 cm of Pb", "target, 20 cm of polystyrene (H, C)", "decay region of 3 m, 60 cm x 20 cm")
    assert all(legend.count(name) == 1 for name in names)
    (lead,) = {tuple(c.get_facecolor()[0]) for c in (axes.collections[0], axes.collections[2])}
    assert lead != tuple(axes.collections[1].get_facecolor()[0])


def test_active_layers():
    """Each active layer has its line, and S that decay in it are drawn; fails if only the detector seems to count."""
    first, second, third, rest = with_layers(gap=200.0).text.split("active = false")
    text = f"{first}active = false{second}active = true{third}active = false{rest}"
    setup = layout(changed(parse_card(text), scalar={"g_mu": 2e-3}))
    assert setup.active == ((5.0, 25.0),)
    z = setup.tracks["decay_z_cm"]
    assert np.mean((z > 5.0 * (1.0 - 1e-2)) & (z < 25.0 * (1.0 + 1e-2))) > 0.9
    axes, legend = drawn(setup)
    assert "target, 20 cm of polystyrene (H, C), active" in legend
    lines = [line.get_xdata() for line in axes.lines if line.get_color() == "black" and line.get_linewidth() == 2.0]
    np.testing.assert_allclose(lines, [[0.05, 0.25]])


def _with_decays_on_a_target():
    """Cards of which a decay can be seen behind a target."""
    cards = {name: load_card(name) for name in sorted(builtin_cards())}
    return [name for name, card in cards.items() if not card.collider and card.scalar.model != "flavour"]


@pytest.mark.parametrize("name", _with_decays_on_a_target())
def test_tracks_count(name, tmp_path, monkeypatch):
    """Of every card: S that are drawn decay where it counts, or leave; the legend lies outside; a PNG is written.

    Fails if S are drawn as they come, which decay in the dump or fly past, or if the legend covers a track.
    """
    setup = layout(load_card(name))
    assert setup.counted
    low, high = setup.fiducial
    z = setup.tracks["decay_z_cm"]
    assert 10 <= z.size <= 40
    assert np.all((z > low * (1.0 - 1e-2)) & (z < high * (1.0 + 1e-9)))
    figures = []
    monkeypatch.setattr(layout_figure, "_draw", lambda axes, setup: (figures.append(axes), _draw(axes, setup)))
    plot_layout(setup, tmp_path / f"{name}.png")
    assert (tmp_path / f"{name}.png").stat().st_size > 10_000
    (axes,) = figures
    legend = axes.figure.legends[0].get_window_extent()
    assert legend.y1 <= axes.get_window_extent().y0
    top = axes.get_ylim()[1]
    tracks = [line for line in axes.lines if line.get_color() in ("tab:orange", "tab:purple") and len(line.get_xdata())]
    assert max(np.abs(line.get_ydata()).max() for line in tracks) <= top * (1.0 + 1e-9)


def test_a_boson_that_cannot_decay():
    """It is drawn as it comes and leaves; fails for an error about forced decays, or a line to infinity."""
    setup = layout(load_card("na64").with_boson("vector", "dark-photon"), 0.5e-3)
    assert not setup.counted
    axes, legend = drawn(setup)
    assert "S and its decay" in legend
    assert "$m_S$ = 500 keV" in axes.get_title()
    points = np.concatenate([line.get_xydata() for line in axes.lines])
    assert np.all(np.abs(points[:, 0]) < 7.0)


@pytest.mark.parametrize(
    ("value", "dimension", "text"),
    [
        (0.1, "energy", "100 MeV"), (3.0, "energy", "3 GeV"), (1500.0, "energy", "1.5 TeV"),
        (5e-4, "energy", "500 keV"),
        (150.0, "length", "1.5 m"), (45.0, "length", "45 cm"), (1e-3, "length", "10 um"), (38_300.0, "length", "383 m"),
        (1e-3 * math.pi, "energy", "3.142 MeV"), (0.0, "length", "0 um"),
    ],
)  # fmt: skip
def test_quantities_as_text(value, dimension, text):
    """A number with the unit that suits it; fails for a factor of the wrong unit."""
    assert quantity_text(value, dimension) == text
