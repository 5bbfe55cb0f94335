"""Figures as files, or in Axes of the user's: how they look, and what they say of the run that made them."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import numpy as np

from mcgen.base.asked import Ends, ends
from mcgen.base.errors import InputError, McgenWarning, choose, refuse_if
from mcgen.base.extras import optional
from mcgen.base.files import atomic_path, request_text, used_text
from mcgen.base.steps import hushed
from mcgen.card.provenance import provenance
from mcgen.report import palette

#: a file, or Axes of matplotlib
Where = str | Path | Any

#: two logarithmic axes, and what the one of masses is called
LOG = {"xscale": "log", "yscale": "log"}
MASS = r"$m_S$ [MeV]"


class NoGlyphWarning(McgenWarning):
    """Letters that no font of a figure has."""


class View(TypedDict, total=False):
    """How a figure is seen: arguments that all functions of figures take."""

    xlim: Ends | None  #: ends of the horizontal axis, a pair or 'a:b'; masses and energies in GeV or with a unit
    ylim: Ends | None  #: and of the vertical one
    style: str  #: 'screen', 'paper' (single column, small) or 'talk' (16:9, large)


class Shown(View, total=False):
    """A view with its title, as the commands take it."""

    title: str


class _Style(NamedTuple):
    """Sizes of a style."""

    width: float  #: of a panel in inches
    widest: float  #: of the figure
    height: float
    font: float  #: points
    line: float  #: points
    marker: float


STYLES = {
    "screen": _Style(6.4, 100.0, 4.8, 11.0, 1.5, 5.0),
    "paper": _Style(3.4, 7.0, 2.7, 9.0, 1.1, 3.6),
    "talk": _Style(13.333, 13.333, 7.5, 20.0, 2.8, 9.0),
}
_SCREEN = "screen"
#: letters in a line of a legend beside a figure, and lines from which on its letters are smaller
_BESIDE, _MANY = 30, 10
#: and in one of a title, at least
_SHORTEST = 8
#: size of the letters that the style of mplhep is made for, in points
_LETTERS = 26.0
#: what is as large as the letters there
_LENGTHS = (
    "axes.linewidth", *(f"{x}tick.{rank}.size" for x in "xy" for rank in ("major", "minor")), "xtick.major.pad"
)  # fmt: skip
#: its only letters that are TrueType, which PDF files can hold as such
_FONT = "Fira Sans"
#: in the order in which a letter is looked for
_FONTS = (_FONT, "DejaVu Sans")
_MATHEMATICS = {"rm": "", "it": ":italic", "bf": ":bold", "sf": "", "tt": "", "cal": ":italic"}


def _settings(style: str) -> dict[str, Any]:
    """What matplotlib is told: the style of mplhep, in the sizes of one of ours."""
    choose(style, STYLES, "style")
    base = dict(optional("mplhep", "plots", "plot").style.ROOT)
    size = STYLES[style]
    base |= {name: base[name] * size.font / _LETTERS for name in _LENGTHS}
    return base | {
        "font.size": size.font,
        "font.sans-serif": list(_FONTS),
        "mathtext.default": "it",
        **{f"mathtext.{kind}": f"{_FONT}{end}" for kind, end in _MATHEMATICS.items()},
        "axes.titlesize": "medium",
        "xtick.labelsize": 0.9 * size.font,
        "ytick.labelsize": 0.9 * size.font,
        "legend.fontsize": "small",
        "legend.borderpad": 0.2,
        "lines.linewidth": size.line,
        "lines.markersize": size.marker,
        "hatch.linewidth": 0.5 * size.line,
        "axes.prop_cycle": f"cycler('color', {list(palette.COLORS)})",
        "pdf.fonttype": 42,
        "svg.fonttype": "none",
        "svg.hashsalt": "mcgen",
    }


def stroke(share: float = 1.0) -> float:
    """Width of a line in points, as a share of that of the style."""
    from matplotlib import rcParams

    return share * float(rcParams["lines.linewidth"])


def kind_of(path: str | Path) -> str:
    """Format of a figure by the ending of its name; InputError if there is none."""
    kind = Path(path).suffix.lstrip(".").lower()
    refuse_if(kind not in _METADATA, f"plot {path}: the name must end in .png, .pdf or .svg")
    return kind


#: kind of figure -> its fields for the program and for a text; without a date the same picture has the same bytes
_METADATA: dict[str, tuple[str, str, dict[str, None]]] = {
    "png": ("Software", "Description", {}),
    "pdf": ("Creator", "Subject", {"CreationDate": None}),
    "svg": ("Creator", "Description", {"Date": None}),
}
#: what PDF and SVG files say of the run that made them, and the byte positions in a PDF, which change with it
_OF_THE_RUN = re.compile(
    rb"(?s)/(?:Creator|Subject|Producer|Keywords) \((?:[^()\\]|\\.)*\)|\nxref\n.*?\ntrailer|startxref\n\d+|"
    rb"<dc:(description|creator|subject)>.*?</dc:\1>"
)


def _same_picture(one: Path, two: Path) -> bool:
    """Whether two files of one kind show the same."""
    if kind_of(two) == "png":
        image = optional("matplotlib.image", "plots", "plot")
        first, second = image.imread(one), image.imread(two)
        return first.shape == second.shape and bool((first == second).all())
    first, second = (_OF_THE_RUN.sub(b"", path.read_bytes()) for path in (one, two))
    return bool(first == second)


def plain(text: str) -> str:
    """Words of a figure without their mathematics, for metadata."""
    return re.sub(r"\s+", " ", re.sub(r"[$\\{}]|\\mathrm", "", text)).strip()


def upright(text: str) -> str:
    """A text whose numbers in mathematics stand upright, as letters there are italic."""
    parts = text.split("$")
    parts[1::2] = [re.sub(r"(?<![\\\w])(\d+)", r"\\mathrm{\1}", part) for part in parts[1::2]]
    return "$".join(parts)


def check_words(text: str, what: str) -> None:
    """Raise InputError for a text whose mathematics between two $ cannot be read; `what` says in the message whose.

    Without matplotlib nothing is checked, as nothing can be drawn.
    """
    if "$" not in text or not importlib.util.find_spec("matplotlib"):
        return
    from matplotlib.cbook import is_math_text
    from matplotlib.mathtext import MathTextParser

    for line in filter(is_math_text, [*text.split("\n"), upright(text)]):
        try:
            MathTextParser("agg").parse(line)
        except ValueError as error:
            reason = re.sub(r"^\w+Exception: ", "", str(error).strip().splitlines()[-1])
            message = f"{what}: '{text}': mathematics between $ and $ cannot be read: {reason}"
            raise InputError(message) from None


def style_of(view: View) -> str:
    """The style of a view, which need not have one."""
    return view.get("style", _SCREEN)


@contextlib.contextmanager
def figure(where: Where, columns: int = 1, rows: int = 1, view: View | None = None) -> Iterator[Any]:
    """Panels to draw in: those given, or of a new figure that is written to a file at the end.

    Parameters
    ----------
    where : path, Axes or sequence of Axes
        A file that ends in .png, .pdf or .svg, or as many Axes of matplotlib as there are panels; these keep the
        style of the user's.
    columns, rows : int
        Panels of the figure; of several rows the first one is twice as high.
    view : View, optional
        Its style.
    """
    style = choose(style_of(view or {}), STYLES, "style")
    if not isinstance(where, str | Path):
        given = list(np.ravel(where))
        needed = columns * rows
        refuse_if(len(given) != needed, f"axes: this figure has {needed} panels, and {len(given)} Axes are given")
        yield given
        return
    path = where
    mpl = optional("matplotlib", "plots", "plot")
    drawing = optional("matplotlib.figure", "plots", "plot")
    kind, size = kind_of(path), STYLES[style]
    with mpl.rc_context(_settings(style)), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ ")  # for each letter, each time that it is measured
        extent = min(size.width * columns, size.widest), size.height * (1.0 if rows == 1 or style == "talk" else 1.25)
        made = drawing.Figure(figsize=extent, layout="constrained")
        heights = {"height_ratios": [2, 1][:rows]}
        panels = made.subplots(rows, columns, squeeze=False, sharex=rows > 1, gridspec_kw=heights).ravel()
        yield panels
        fit_titles(panels)
        missing = _without_glyph(made) if kind != "svg" else ""
        if missing:
            fonts = " or ".join(_FONTS)
            text = f"figure {path}: {missing!r} are boxes, as the fonts {fonts} have no such letters; .svg keeps them"
            warnings.warn(text, NoGlyphWarning, stacklevel=4)
        with atomic_path(path, _same_picture) as part:
            origin = provenance()
            program, text, dates = _METADATA[kind]
            request = f" [request {request_text()}]" if request_text() else ""
            used = f" {used_text()}" if used_text() else ""
            made_by = {program: f"mcgen {origin['mcgen_version']}", text: origin["command"] + used + request, **dates}
            titles = [plain(axes.get_title()) for axes in panels]
            made_by |= {"Title": title} if (title := "; ".join(t for t in titles if t)) else {}
            with hushed("fontTools", logging.ERROR):  # it has words about the date of a font
                made.savefig(part, dpi=150, format=kind, metadata=made_by)


def _without_glyph(made: Any) -> str:
    """Letters of a figure that no font of it has."""
    from matplotlib.font_manager import findfont, get_font
    from matplotlib.text import Text

    letters = dict.fromkeys(letter for text in made.findobj(Text) for letter in text.get_text() if letter > "\x7f")
    known = {code for font in _FONTS for code in get_font(findfont(font)).get_charmap()} if letters else ()
    return "".join(letter for letter in letters if ord(letter) not in known)


def fit_titles(panels: Sequence[Any]) -> None:
    """Break titles that are wider than there is room for, or shrink what cannot be broken; the figure grows by them."""
    made = panels[0].figure
    width, height = made.get_size_inches()
    share = 0.7 * width * made.dpi / len(panels)
    if all(axes.title.get_window_extent().width < share for axes in panels):
        return
    made.draw_without_rendering()
    extra = 0.0
    for axes in panels:
        text, window = axes.title, axes.get_window_extent()
        middle, before = 0.5 * (window.x0 + window.x1), text.get_window_extent()
        alone = 2.0 * min(middle, width * made.dpi - middle)
        room = 0.97 * (alone if len({one.get_window_extent().x0 for one in panels}) == 1 else window.width)
        letters = len(plain(text.get_text()))
        while text.get_window_extent().width > room and letters > _SHORTEST:
            letters = int(letters * min(0.95, room / text.get_window_extent().width))
            text.set_text(broken(text.get_text(), letters))
        while (wide := text.get_window_extent().width) > room and text.get_fontsize() > 1.0:
            text.set_fontsize(text.get_fontsize() * min(0.95, room / wide))
        extra = max(extra, text.get_window_extent().height - before.height)
    if extra > 0.0 and (len(panels) > 1 or width <= 1.5 * height):
        made.set_size_inches(width, height + extra / made.dpi)


def decimal(axis: Any) -> None:
    """Plain numbers at a logarithmic axis of a few decades, and powers of ten at a longer one."""
    from matplotlib.ticker import FormatStrFormatter, LogLocator, MaxNLocator

    low, high = axis.get_view_interval()
    if high / low > 3000.0 and low < 0.01:
        return
    digits = (1.0, 2.0, 3.0, 5.0) if high < 10.0 * low else (1.0, 2.0, 5.0) if high < 300.0 * low else (1.0,)
    axis.set_major_locator(LogLocator(subs=digits) if high > 3.0 * low else MaxNLocator(5))
    axis.set_major_formatter(FormatStrFormatter("%g"))
    axis.set_minor_formatter("")


def frame(
    panels: Sequence[Any], view: View, x: tuple[str, float] = ("", 1.0), y: tuple[str, float] = ("", 1.0)
) -> None:
    """Give axes the ends that are asked for.

    Parameters
    ----------
    panels : sequence of Axes
        Of several rows the vertical ends are those of the first one alone.
    view : View
    x, y : (str, float)
        Dimension of an axis, such as 'energy', or none, and the factor from GeV or cm to its unit.
    """
    shares = len(panels) > 1 and panels[0].get_shared_x_axes().joined(panels[0], panels[1])
    for axes in panels:
        for name, (dimension, factor), is_log, wanted in (
            ("xlim", x, axes.get_xscale() == "log", view.get("xlim")),
            ("ylim", y, axes.get_yscale() == "log", view.get("ylim")),
        ):
            found = ends(wanted, name, dimension, positive=is_log)
            if found and not (shares and name == "ylim" and axes is not panels[0]):
                axes.set(**{name: tuple(factor * end for end in found)})


def legend(panels: Sequence[Any], where: Where, handles: Mapping[str, Any], columns: int) -> Any:
    """One legend for all panels below them, or in the last one of those that belong to a figure of the user's.

    The figure grows by it, and long lines are broken; beside a single panel of 16:9 it stands at the right.
    """
    handles = {upright(label): handle for label, handle in handles.items()}
    if not handles:
        return None
    if not isinstance(where, str | Path):
        return panels[-1].legend(handles.values(), handles.keys(), fontsize="x-small")
    made = panels[0].figure
    width, height = made.get_size_inches()
    if len(panels) == 1 and width > 1.5 * height:
        words = [broken(label, _BESIDE) for label in handles]
        return made.legend(handles.values(), words, loc="outside right upper", fontsize="x-small")
    words, room = list(handles), 0.97 * width * made.dpi
    look = {"loc": "outside lower center", "fontsize": "small" if len(words) < _MANY else "x-small"}
    for n in [*range(columns, 0, -1), 1]:
        drawn = made.legend(handles.values(), words, ncols=n, **look)
        extent = drawn.get_window_extent()
        if extent.width < room:
            break
        longest = max(map(len, words))
        words = [broken(label, int(longest * room / extent.width) - 4) for label in handles] if n == 1 else words
        drawn.remove()
    else:
        drawn = made.legend(handles.values(), words, **look)
        extent = drawn.get_window_extent()
    if len(panels) > 1 or width <= 1.5 * height:
        made.set_size_inches(width, height + extent.height / made.dpi)
    return drawn


def broken(text: str, length: int) -> str:
    """A text in lines of some length, broken at spaces outside of mathematics."""
    lines = [""]
    for word in re.findall(r"(?:\$[^$]*\$|[^\s$])+", text):
        if lines[-1] and len(plain(f"{lines[-1]} {word}")) > length:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


def entries(panels: Sequence[Any]) -> dict[str, Any]:
    """What a legend names, each once."""
    pairs = (axes.get_legend_handles_labels() for axes in panels)
    return {label: handle for handles, labels in pairs for handle, label in zip(handles, labels, strict=True)}
