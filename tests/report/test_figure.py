"""Files of figures: sizes of the styles, ends of axes, metadata and letters."""

from __future__ import annotations

import re
import zlib

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

import mcgen
from mcgen.analysis.reach import ReachPoint
from mcgen.base.asked import ends
from mcgen.base.errors import InputError
from mcgen.cli import main
from mcgen.report.contours import plot_reach
from mcgen.report.figure import STYLES, broken, check_words, plain, upright
from mcgen.report.plot import plot_signal

POINTS = [ReachPoint("na64", "A", "exact", m, 1e-5, 1e-3) for m in (0.01, 0.02, 0.1)]


@pytest.mark.parametrize(("style", "inches"), [("screen", 6.4), ("paper", 3.4), ("talk", 13.333)])
def test_styles(style, inches, tmp_path):
    """A panel is as wide as the style says, and nothing of the style stays behind; fails if a column is too wide."""
    before = dict(mpl.rcParams)
    plot_reach(POINTS, tmp_path / "x.png", style=style)
    height, width, _ = imread(tmp_path / "x.png").shape
    assert width == pytest.approx(150 * inches, abs=1)
    assert style != "talk" or width / height == pytest.approx(16 / 9, rel=1e-3)
    assert dict(mpl.rcParams) == before
    two = [*POINTS, *(ReachPoint("na64", "B", "exact", p.mass_gev, 1e-5, 1e-3) for p in POINTS)]
    plot_reach(two, tmp_path / "two.png", style=style)
    assert imread(tmp_path / "two.png").shape[1] <= 150 * STYLES[style].widest + 1


def test_letters_of_paper():
    """Letters of a figure for a paper have at least 6 points; fails if they shrink with it."""
    assert STYLES["paper"].font * 0.69 > 6.0


@pytest.mark.parametrize(
    ("given", "dimension", "found"),
    [
        ("1MeV:1GeV", "energy", (1e-3, 1.0)), ("1:10 MeV", "energy", (1e-3, 1e-2)), ("0.1:1", "energy", (0.1, 1.0)),
        ((0.1, "1 TeV"), "energy", (0.1, 1000.0)), ("1e-6:1e-2", "", (1e-6, 1e-2)), 
        ("-1m:3m", "length", (-100.0, 300.0)),
        (None, "", None),
    ],
)  # fmt: skip
def test_ends(given, dimension, found):
    """Texts and pairs, with units where they make sense; fails for MeV that are taken as GeV."""
    assert ends(given, "xlim", dimension) == (pytest.approx(found) if found else None)


@pytest.mark.parametrize(
    ("given", "dimension"),
    [("1", ""), ("1:2:3", ""), ("a:b", ""), ("2:1", ""), ("1:1", ""), ("0:1", ""), ("1cm:2cm", "energy"),
     ("1MeV:2MeV", ""), ((1.0,), ""), ((1.0, float("nan")), ""), (3.0, ""), ("1:1e999", "")],
)  # fmt: skip
def test_wrong_ends(given, dimension):
    """One line with the name and an example; fails if an axis is turned round or an error is that of Python."""
    with pytest.raises(InputError, match=r"^xlim: .* is no range such as "):
        ends(given, "xlim", dimension, positive=True)


def test_ends_are_those_of_the_axes():
    """Masses with units in those of the axis, couplings in that of the axis; fails if they are overwritten later."""
    axes = Figure().subplots()
    plot_reach(POINTS, axes, "mine", xlim="1MeV:1GeV", ylim=(1e-7, 1e-1))
    assert (axes.get_xlim(), axes.get_ylim()) == ((1.0, 1000.0), (1e-7, 1e-1))
    assert axes.get_title() == "mine, model A"
    axes = Figure().subplots()
    plot_reach(POINTS, axes, xlim="1MeV:10GeV")
    assert axes.get_xlim() == (1e-3, 10.0)
    assert "GeV" in axes.get_xlabel()


def test_refused_in_one_line(tmp_path, capsys):
    """Wrong ends, styles and options without a figure, with status 2 before anything is drawn; fails for a trace."""
    figure = ["--plot", str(tmp_path / "x.png")]
    for arguments, words in (
        ([*figure, "--xlim", "1GeV:1MeV"], "--xlim"), ([*figure, "--ylim", "0:1"], "--ylim"),
        ([*figure, "--style", "large"], "'screen', 'paper', 'talk'"), (["--xlim", "1MeV:1GeV"], "give --plot"),
        (["--references"], "give --plot"), ([*figure, "--axis", "eps"], "--axis"),
    ):  # fmt: skip
        assert main(["reach", "na64", "--mass", "10MeV", *arguments]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert len(err.splitlines()) == 1
        assert words in err
    assert (
        main(["grid", "na64", "--mass", "10MeV", "--g-mu", "1e-4", "-o", str(tmp_path / "x.csv"), "--style", "talk"])
        == 2
    )
    assert "give -o" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match="style: 'large' is not known"):
        plot_reach(POINTS, tmp_path / "x.png", style="large")


@pytest.mark.parametrize("words", [r"$\frac{a}$ x", r"$\foo$", "$m_{$"])
def test_mathematics_that_cannot_be_read(words, tmp_path, capsys):
    """In a title or the label of an own limit: one line and status 2 at once; fails for a trace of matplotlib."""
    own = tmp_path / "mine.csv"
    own.write_text(f"# label: bad {words}\nmass_gev,coupling\n0.005,1e-4\n0.1,1e-4\n")
    command = ["reach", "na64", "--model", "A", "--mass", "10MeV", "--plot", str(tmp_path / "x.png")]
    for more, where in ((["--title", words], "--title"), (["--constraints", str(own)], "mine.csv: label")):
        assert main([*command, *more]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert len(err.splitlines()) == 1
        assert where in err
        assert "cannot be read" in err
    with pytest.raises(InputError, match=r"^title: "):
        plot_reach(POINTS, Figure().subplots(), words)
    assert not (tmp_path / "x.png").exists()


def test_letters_that_no_font_has(tmp_path, capsys):
    """One line names them all, with the picture; none for letters that a font has, and in SVG files they are text.

    Fails for a line of matplotlib for each letter.
    """
    command = ["reach", "na64", "--model", "A", "--mass", "10MeV,20MeV", "--title", "界面 é ε ≤", "--plot"]
    assert main([*command, str(tmp_path / "x.png")]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("mcgen: warning: figure")
    assert "'界面' are boxes" in line
    assert main([*command, str(tmp_path / "x.svg")]) == 0
    assert not capsys.readouterr().err
    assert "界面" in (tmp_path / "x.svg").read_text(encoding="utf-8")


def test_mathematics_that_can_be_read():
    """Words without mathematics, a lone $ and both forms of numbers; fails if one of them is refused."""
    for words in ("", "5 $", "a_b \\foo", r"$\frac{1}{2}$ of $x^2$", "one\n$10^{-3}$", r"$\varepsilon$"):
        check_words(words, "title")


def test_metadata(tmp_path):
    """Title, program and command are in every format; fails if a file does not say what it shows."""
    for kind in ("pdf", "svg", "png"):
        path = tmp_path / f"x.{kind}"
        plot_reach(POINTS, path, "A $g_\\mu$ of mine")
        data = path.read_bytes()
        assert b"A g_mu of mine, model A" in data, kind
        assert f"mcgen {mcgen.__version__}".encode() in data, kind
        assert b"CreationDate" not in data


def test_letters_in_vector_files(tmp_path):
    """PDF embeds TrueType letters and no others, SVG has text as text; fails for outlines or type 3."""
    plot_reach(POINTS, tmp_path / "x.pdf", "Title")
    data = (tmp_path / "x.pdf").read_bytes()
    fonts = set(re.findall(rb"/Subtype /(Type0|Type3|TrueType|CIDFontType\d)", data))
    assert fonts == {b"Type0", b"CIDFontType2"}
    embedded = [zlib.decompress(part) for part in re.findall(rb"(?s)/Length1.*?stream\r?\n(.*?)\r?\nendstream", data)]
    assert embedded
    assert all(font[:4] == b"\x00\x01\x00\x00" for font in embedded)  # and not OTTO
    plot_reach(POINTS, tmp_path / "x.svg", "Title")
    text = (tmp_path / "x.svg").read_text()
    assert ">Title, model A<" in text
    assert "na64" in text


def test_texts():
    """Numbers in mathematics stand upright, lines break outside of it, metadata have none; fails for a broken $."""
    assert upright("$4\\pi$ of 4, $m_2$") == "$\\mathrm{4}\\pi$ of 4, $m_2$"
    assert broken("one $a + b$ two", 9) == "one $a + b$\ntwo"
    assert plain("$L_\\mu - L_\\tau$, model A") == "L_mu - L_tau, model A"


def test_other_figures():
    """The same arguments in other figures; fails if one of them drops an end."""
    axes = Figure().subplots()
    estimate = mcgen.n_signal("fermilab", "A", 0.1, [1e-5, 1e-4])
    plot_signal([1e-5, 1e-4], {"A": estimate}, axes, xlim="1e-6:1e-3", ylim="1:1e6")
    assert (axes.get_xlim(), axes.get_ylim()) == ((1e-6, 1e-3), (1.0, 1e6))
    axes = Figure().subplots()
    mcgen.plot_grid(mcgen.grid("fermilab", "A", "50MeV,100MeV", "1e-5,1e-4"), axes, "mine", xlim="10MeV:1GeV")
    assert (axes.get_xlim(), axes.get_title()) == ((10.0, 1000.0), "mine, model A")
    axes = Figure().subplots()
    mcgen.show("fermilab", axes, title="mine", xlim="0:2m")
    assert (axes.get_xlim(), axes.get_title()) == ((0.0, 2.0), "mine")


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("words", [12 * "a long title of $g_\\mu$ ", 150 * "x"])
def test_long_titles_are_whole(style, words, tmp_path, monkeypatch):
    """Broken, or of smaller letters, in the figure; fails if a title is cut off or covers its neighbour."""
    found = []

    def measured(figure, *_, **__):
        figure.draw_without_rendering()
        boxes = [axes.title.get_window_extent() for axes in figure.axes[:2]]
        found.append((figure.bbox.width, figure.bbox.height, boxes, figure.axes[0].get_window_extent()))

    monkeypatch.setattr(Figure, "savefig", measured)
    two = [*POINTS, *(ReachPoint("na64", "B", "exact", p.mass_gev, 1e-5, 1e-3) for p in POINTS)]
    for points in (POINTS, two):
        plot_reach(points, tmp_path / f"{len(points)}.png", words, style=style)
        width, height, boxes, window = found.pop()
        assert min(box.x0 for box in boxes) >= 0.0
        assert max(box.x1 for box in boxes) <= width
        assert max(box.y1 for box in boxes) <= height + 1.0
        assert window.height > 0.3 * height
        assert len(boxes) == 1 or boxes[0].x1 < boxes[1].x0
