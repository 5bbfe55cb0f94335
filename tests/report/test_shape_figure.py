"""Figure of a search in bins."""

import pytest

import mcgen
from mcgen.card.card import card_text, parse_card
from mcgen.card.search_bins import BINNED
from mcgen.cli import main

plt = pytest.importorskip("matplotlib.pyplot")

from mcgen.report.shape_figure import AXES, plot_shape  # noqa: E402

SEARCH = """
[search]
background = [3.1, 1.2, 0.4]
background_error = [0.5, 0.3, 0.2]
observed = [2, 1, 0]
[search.bins]
variable = "decay_z_cm"
edges = "1 m, 2 m, 3 m, 1000 km"
"""


@pytest.fixture(scope="module")
def made():
    card = parse_card(card_text("fermilab") + SEARCH)
    return mcgen.workspace(card, m_S=0.1, g_mu=[1e-5, 2e-5])


def test_axes_have_names():
    """Each number that is binned has its words; fails for a new one."""
    assert set(AXES) == {"", *BINNED}


def test_signal_stands_on_the_background(made):
    """Steps are the background, and the signal from there on; fails if the signal hides what it stands on."""
    axes = plt.figure().subplots()
    plot_shape(made, axes)
    background, signal = (patch.get_data() for patch in axes.patches[:2])
    assert background.values.tolist() == [3.1, 1.2, 0.4]
    assert signal.baseline.tolist() == [3.1, 1.2, 0.4]
    assert (signal.values - signal.baseline).tolist() == pytest.approx(made.nearest.n_signal)
    assert made.nearest.g_mu == 2e-5
    assert axes.get_xlim() == (100.0, 500.0)  # an edge far away is drawn near
    with pytest.raises(mcgen.InputError, match="no point"):
        plot_shape(made, axes, "x")


def test_command(tmp_path, capsys):
    """`mcgen workspace --plot` writes a picture beside the folder; fails if one of another request stays."""
    card = tmp_path / "mine.toml"
    card.write_text(card_text("fermilab") + SEARCH)
    asked = ["workspace", str(card), "-o", str(tmp_path / "w"), "--mass", "100MeV", "--g-mu", "1e-5,2e-5"]
    assert main([*asked, "--plot", str(tmp_path / "shape.png")]) == 0
    assert (tmp_path / "shape.png").stat().st_size > 10_000
    assert "pyhf patchset apply" in capsys.readouterr().out
    assert main([*asked, "--plot", str(tmp_path / "shape.txt")]) == 2
    assert main(["workspace", str(card), str(card), "-o", str(tmp_path / "w")]) == 2
    assert main(["workspace", "fermilab", "-o", str(tmp_path / "w")]) == 2
    assert "[search]" in capsys.readouterr().err
