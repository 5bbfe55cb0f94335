"""`mcgen validate`: the paper beside ours, as one HTML file that needs no network, with CSV of every curve."""

from __future__ import annotations

import base64
import csv
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from mcgen import beyond, comparison, contours, paper, plot, reach_figure
from mcgen._version import __version__
from mcgen.card import builtin_cards, read_card
from mcgen.constraints import NotDrawnWarning
from mcgen.files import ask, check_request, open_atomic, overwriting
from mcgen.layout import layout
from mcgen.layout_figure import plot_layout
from mcgen.provenance import write_provenance
from mcgen.source.source import Source
from mcgen.units import parse_list

Progress = Callable[[str], None]

#: limits of today on a scalar
_TODAY = "g2-wp2020,g2-wp2025,e137,orsay"

_STYLE = """
body { font: 16px/1.5 sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 0.9rem; }
th, td { border-bottom: 1px solid #ccc; padding: 0.25rem 0.7rem; text-align: left; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
figure { margin: 1.5rem 0; } figure img { width: 100%; height: auto; } figure.single img { max-width: 34rem; }
code { background: #f3f3f3; padding: 0 0.2rem; }
figcaption { font-size: 0.9rem; color: #444; }
"""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its text, already HTML."""

    title: str
    body: str


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    def cell(value: object) -> str:
        if isinstance(value, float):
            return f'<td class="number">{value:.6g}</td>'
        return f"<td>{escape(str(value))}</td>"

    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join(f"<tr>{''.join(cell(value) for value in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _figure(path: Path, caption: str, command: str, kind: str = "wide") -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return (
        f'<figure class="{kind}"><img alt="{escape(caption)}" src="data:image/svg+xml;base64,{data}">'
        f"<figcaption>{escape(caption)} Made by <code>{escape(command)}</code>.</figcaption></figure>"
    )


def _checks(checks: Iterable[paper.Check]) -> tuple[str, list[list[object]]]:
    rows: list[list[object]] = [
        [c.what, c.ours, c.theirs, f"{c.deviation:+.1e}", c.source, c.command, c.comment] for c in checks
    ]
    return _table(["", "mcgen", "reference", "difference", "source", "computed by", "comment"], rows), rows


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with open_atomic(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _write_curves(path: Path, curves: Sequence[paper.Curve]) -> None:
    rows = ([c.panel, c.label, x, y] for c in curves for x, y in zip(c.x, c.y, strict=True))
    _write_csv(path, ["panel", "curve", "x", "y"], rows)


def _tables(folder: Path) -> list[Section]:
    header = ["what", "mcgen", "reference", "difference", "source", "computed by", "comment"]
    sections, every = [], []
    for title, checks in (
        ("Numbers of the text", paper.quoted()),
        ("Independent references", paper.references()),
        ("E137 and Orsay, recomputed with the exact electron amplitude", paper.dumps()),
    ):
        text, rows = _checks(checks)
        every += rows
        sections.append(Section(title, text))
    _write_csv(folder / "checks.csv", header, every)
    table_1 = _table(["", "NA64 type", "Fermilab"], paper.table_1())
    deviations = _table(["paper", "mcgen"], paper.DEVIATIONS)
    return [Section("Table I", table_1), *sections, Section("Where mcgen differs from the paper", deviations)]


def _contours(
    folder: Path, name: str, caption: str, cards: Sequence[str], masses: str, production: str, limits: str, workers: int
) -> str:
    """Contours as `mcgen reach` draws them, and the command that does."""
    loaded = [read_card(card) for card in cards]
    points = reach_figure.reach_of_cards(
        loaded, None, parse_list(masses, "energy", traced=True), productions=production.split(","), workers=workers
    )
    contours.write_csv(points, folder / f"{name}.csv")
    path = folder / f"{name}.svg"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotDrawnWarning)  # the captions say where a limit does not hold
        reach_figure.draw(points, loaded, path, "$N_S$ > 3", limits.split(","), workers=workers)
    method = "" if production == "exact" else f" --production {production}"
    command = f"mcgen reach {' '.join(cards)} --mass {masses}{method} --constraints {limits}"
    return _figure(path, caption, f"{command} --plot {name}.svg -o {name}.csv")


def _figures(folder: Path, workers: int, say: Progress) -> list[Section]:
    sections = []
    say("Fig. 1")
    drawings = ""
    for name in ("fermilab", "na64"):
        path = folder / f"figure_1_{name}.svg"
        plot_layout(layout(read_card(name)), path)
        drawings += _figure(path, f"The set-up of the card {name}, with generated S.", f"mcgen show {name}", "single")
    sections.append(Section("Fig. 1: the experiments", drawings))

    say("Fig. 3")
    curves = paper.figure_3()
    _write_curves(folder / "figure_3.csv", curves)
    plot.plot_curves(curves, folder / "figure_3.svg", r"$x = E_S/E_\mu$", r"$(1/\sigma)\,d\sigma/dx$")
    caption = "Normalised spectra of S at the beam energies of the two experiments."
    sections.append(Section("Fig. 3: energy of S", _figure(folder / "figure_3.svg", caption, "mcgen validate")))

    say("Fig. 4")
    curves = paper.figure_4()
    _write_curves(folder / "figure_4.csv", curves)
    plot.plot_curves(
        curves, folder / "figure_4.svg", r"$g_\mu$", "probability", xscale="log", yscale="log", ylim=(1e-6, 1.5)
    )
    caption = "Probability that S of 100 MeV counts: averaged over the spectrum, and at x = 1/2 of the beam energy."
    text = _figure(folder / "figure_4.svg", caption, "mcgen validate")
    sections.append(Section("Fig. 4: decay probability", text))

    say("Fig. 5")
    caption = (
        "Contours at 95 % CL without background. NA64 with IWW and Fermilab with the exact amplitude is the paper's "
        "choice. E137 and Orsay are recomputed, and make no S in model B. The a_mu band is that of 2017. BaBar's line "
        "is its limit on the g' of a vector, read off its publication, which the paper drew as one on g_mu: that of a "
        "scalar is 1.55 to 2.02 times higher."
    )
    both = ("na64", "fermilab")
    text = _contours(folder, "figure_5", caption, both, "1MeV:250MeV", "exact,iww", "paper", workers)
    sections.append(Section("Fig. 5: reach", text))
    caption = (
        "The same with exact production and the a_mu sets since: WP2020, and WP2025 that leaves an upper limit only. "
        "BaBar's limit on a vector is left out."
    )
    text = _contours(folder, "figure_5_today", caption, both, "1MeV:250MeV", "exact", _TODAY, workers)
    sections.append(Section("Fig. 5 today", text))

    say("error map")
    text = ""
    for name in ("fermilab", "na64"):
        source = Source(read_card(name))
        target = source.targets[0]
        rows = comparison.error_map(source, target, comparison.MAP_ENERGIES, comparison.MAP_MASSES)
        comparison.write_csv(rows, folder / f"error_map_{target.name}.csv")
        path = folder / f"error_map_{target.name}.svg"
        plot.plot_error_map(rows, path, target.name)
        caption = f"How far IWW and WW are from the exact cross section on {target.name}."
        text += _figure(path, caption, f"mcgen crosscheck {name} --mass 100MeV -o check --map")
    sections.append(Section("What the approximations are worth", text))
    return sections


def _beyond(folder: Path, workers: int, say: Progress) -> Section:
    say("experiments of today")
    caption = (
        "Every card that comes with mcgen, N_S = 3 without background or efficiency. Set-ups of proposals are partly "
        "from memory, which each card says; the muon spectrum of ship-muons is an illustration. Electron beams make "
        "no S in model B. Detectors with a shape come from events, at 20 masses at most."
    )
    text = _contours(folder, "today", caption, tuple(builtin_cards()), "2MeV:210MeV", "exact", "g2-wp2025", workers)
    say("effects")
    rows = [[e.what, e.experiment, e.model, 1e3 * e.m_S, e.g_mu, e.ratio, e.error] for e in beyond.effects()]
    header = ["instead of the paper's", "experiment", "model", "m_S [MeV]", "g_mu", "N_S over that of the paper", "+-"]
    _write_csv(folder / "effects.csv", header, rows)
    note = (
        "<p>What each simplification of the paper is worth. The paper counts every S as if it flew along the beam into "
        "a detector that sees all of it; here its daughters must hit the back plane, as each row says.</p>"
    )
    return Section("Beyond the paper", text + note + _table(header, rows))


def validate(
    folder: str | Path, *, workers: int = 1, overwrite: bool = False, progress: Progress | None = None
) -> Path:
    """Compute every figure, table and reference and write the report.

    Parameters
    ----------
    folder : path
        Must exist; gets report.html, CSV of every curve and the figures as SVG.
    workers : int
        Threads.
    overwrite : bool
        Replace files of other content; those of the same content are left alone.
    progress : callable, optional
        Called with the name of each step.

    Returns
    -------
    Path
        report.html
    """
    folder = Path(folder)
    say = progress or (lambda _: None)
    with overwriting(overwrite):
        _check_there(folder)
        say("tables")
        sections = [*_tables(folder), *_figures(folder, workers, say), _beyond(folder, workers, say)]
        with open_atomic(folder / "report.html") as stream:
            stream.write(_page(sections))
        write_provenance(folder / "provenance.json", beside=folder / "report.html")
    return folder / "report.html"


def _check_there(folder: Path) -> None:
    """Refuse a report of another version before anything is computed."""
    ask(version=__version__)
    check_request(folder / "provenance.json")
    if not (folder / "provenance.json").exists():
        check_request(folder / "report.html")


def _page(sections: Sequence[Section]) -> str:
    links = "".join(f'<li><a href="#s{i}">{escape(s.title)}</a></li>' for i, s in enumerate(sections))
    body = "".join(f'<h2 id="s{i}">{escape(s.title)}</h2>{s.body}' for i, s in enumerate(sections))
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f"<title>mcgen {__version__}: arXiv:1701.07437 reproduced</title><style>{_STYLE}</style></head><body>"
        f"<h1>arXiv:1701.07437 reproduced by mcgen {__version__}</h1>"
        "<p>Chen, Pospelov and Zhong, Muon Beam Experiments to Probe the Dark Sector. Every number below is computed "
        "when this page is made; the tables of curves lie beside it as CSV.</p>"
        f"<ul>{links}</ul>{body}</body></html>"
    )
