"""`mcgen validate`: the paper beside ours, as one HTML file that needs no network, with CSV of every curve."""

from __future__ import annotations

import base64
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from mcgen._version import __version__
from mcgen.analysis import crosscheck as comparison
from mcgen.analysis import reach as contours
from mcgen.analysis.constraints import NotDrawnWarning
from mcgen.analysis.threshold import figure_title, limit_of
from mcgen.base.files import ask, check_request, make_folder, open_atomic, overwriting, write_csv
from mcgen.base.units import parse_list
from mcgen.card.card import builtin_cards, read_card
from mcgen.card.provenance import write_provenance
from mcgen.report import effects as beyond
from mcgen.report import paper, plot, published, reach_figure
from mcgen.report.drawing import layout
from mcgen.report.drawing_figure import plot_layout
from mcgen.source.source import Source

Progress = Callable[[str], None]

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


#: columns of checks.csv
CHECKED = ("what", "mcgen", "reference", "difference", "source", "computed by", "comment")


def _row(c: paper.Check) -> list[object]:
    return [c.what, c.ours, c.theirs, f"{c.deviation:+.1e}", c.source, c.command, c.comment]


def checks() -> dict[str, list[list[object]]]:
    """Every number that has a reference: rows of `CHECKED` by the title of their table."""
    tables = {
        "Numbers of the text": paper.quoted(),
        "Independent references": paper.references(),
        "E137 and Orsay, recomputed with the exact electron amplitude": paper.dumps(),
        "M3 as proposed, phases 1 and 2": published.m3(),
        "Dumps at muon colliders: exact beside IWW": published.muon_collider_dumps(),
    }
    return {title: [_row(check) for check in found] for title, found in tables.items()}


def _tables(folder: Path) -> list[Section]:
    tables = checks()
    write_csv(folder / "checks.csv", CHECKED, [row for rows in tables.values() for row in rows])
    sections = [Section(title, _table(["", *CHECKED[1:]], rows)) for title, rows in tables.items()]
    table_1 = _table(["", "NA64 type", "Fermilab"], paper.table_1())
    deviations = _table(["paper", "mcgen"], paper.DEVIATIONS)
    return [Section("Table I", table_1), *sections, Section("Where mcgen differs from the paper", deviations)]


class Contours(NamedTuple):
    """What `mcgen reach` is asked for to make a figure of contours."""

    name: str  #: of its files
    cards: Sequence[str]
    masses: str
    production: str
    limits: str
    caption: str
    n_signal: float | None = None
    mediator: str = "scalar"


_FIGURE_5 = Contours(
    "figure_5", ("na64", "fermilab"), "1MeV:250MeV", "exact,iww", "paper",
    "Contours at 95 % CL without background. NA64 with IWW and Fermilab with the exact amplitude is the paper's "
    "choice. E137 and Orsay are recomputed, and make no S in model B. The a_mu band is that of 2017. BaBar's line "
    "is its limit on the g' of a vector, read off its publication, which the paper drew as one on g_mu: that of a "
    "scalar, `--constraints babar`, is 1.67 to 2.25 times higher.",
)  # fmt: skip
_FIGURE_5_TODAY = Contours(
    "figure_5_today", ("na64", "fermilab"), "1MeV:250MeV", "exact",
    "g2-wp2020,g2-wp2025,e137,orsay,babar-tautau,belle-tautau",
    "The same with exact production and the a_mu sets since: WP2020, and WP2025 that leaves an upper limit only. "
    "BaBar's limit on a vector is left out. Those of BaBar and Belle on a scalar that taus radiate are as published, "
    "read off the figures; they hold in model A.",
)  # fmt: skip
_TODAY = Contours(
    "today", (), "2MeV:210MeV", "exact", "g2-wp2025",
    "Every card that comes with mcgen: N_S = 3 without background or efficiency, of na64mu-2022 what it excludes at "
    "90 % CL, 2.3 events, at full efficiency. Set-ups of proposals are partly "
    "from memory, which each card says; the muon spectrum of ship-muons is an illustration. Electron beams make "
    "no S in model B. Detectors with a shape come from events, at 20 masses at most.",
)  # fmt: skip
_DUMPS = Contours(
    "muon_collider_dumps", published.DUMPS, "220MeV:3GeV", "exact,iww", "",
    "Vectors that the proposed dumps at muon colliders see: five events, exact and with IWW, which arXiv:2202.12302 "
    "takes. No table of its lines is known to us; WW is within 2 % of the exact line.",
    published.DUMP_EVENTS, "vector",
)  # fmt: skip


def _contours(folder: Path, asked: Contours, workers: int) -> str:
    """Contours as `mcgen reach` draws them, and the command that does."""
    cards = [read_card(card).with_boson(mediator=asked.mediator) for card in asked.cards]
    masses = parse_list(asked.masses, "energy", traced=True)
    productions, limits = asked.production.split(","), asked.limits.split(",") if asked.limits else []
    points = reach_figure.reach_of_cards(cards, None, masses, asked.n_signal, productions, workers=workers)
    contours.write_csv(points, folder / f"{asked.name}.csv")
    path = folder / f"{asked.name}.svg"
    title = figure_title(limit_of(card, asked.n_signal) for card in cards)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotDrawnWarning)  # the captions say where a limit does not hold
        reach_figure.draw(points, cards, path, title, limits, workers=workers)
    command = f"mcgen reach {' '.join(asked.cards)} --mass {asked.masses}"
    command += "" if asked.mediator == "scalar" else f" --mediator {asked.mediator}"
    command += "" if asked.n_signal is None else f" --n-signal {asked.n_signal:g}"
    command += "" if asked.production == "exact" else f" --production {asked.production}"
    command += f" --constraints {asked.limits}" if asked.limits else ""
    return _figure(path, asked.caption, f"{command} --plot {asked.name}.svg -o {asked.name}.csv")


def _set_ups(folder: Path) -> str:
    drawings = ""
    for name in ("fermilab", "na64"):
        path = folder / f"figure_1_{name}.svg"
        plot_layout(layout(read_card(name)), path)
        drawings += _figure(path, f"The set-up of the card {name}, with generated S.", f"mcgen show {name}", "single")
    return drawings


def _lines(path: Path, curves: Sequence[paper.Curve], caption: str, **axes: Any) -> str:
    """A figure of curves, with their table beside it."""
    rows = ([c.panel, c.label, x, y] for c in curves for x, y in zip(c.x, c.y, strict=True))
    write_csv(path.with_suffix(".csv"), ["panel", "curve", "x", "y"], rows)
    plot.plot_curves(curves, path, **axes)
    return _figure(path, caption, "mcgen validate")


def _spectra(folder: Path) -> str:
    caption = "Normalised spectra of S at the beam energies of the two experiments."
    axes = {"xlabel": r"$x = E_S/E_\mu$", "ylabel": r"$(1/\sigma)\,d\sigma/dx$"}
    return _lines(folder / "figure_3.svg", paper.figure_3(), caption, **axes)


def _probabilities(folder: Path) -> str:
    caption = "Probability that S of 100 MeV counts: averaged over the spectrum, and at x = 1/2 of the beam energy."
    axes: dict[str, Any] = {"xlabel": r"$g_\mu$", "ylabel": "probability", "xscale": "log", "yscale": "log"}
    return _lines(folder / "figure_4.svg", paper.figure_4(), caption, **axes, ylim=(1e-6, 1.5))


def _error_maps(folder: Path) -> str:
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
    return text


def _figures(folder: Path, workers: int, say: Progress) -> list[Section]:
    say("Fig. 1")
    sections = [Section("Fig. 1: the experiments", _set_ups(folder))]
    say("Fig. 3")
    sections.append(Section("Fig. 3: energy of S", _spectra(folder)))
    say("Fig. 4")
    sections.append(Section("Fig. 4: decay probability", _probabilities(folder)))
    say("Fig. 5")
    sections.append(Section("Fig. 5: reach", _contours(folder, _FIGURE_5, workers)))
    sections.append(Section("Fig. 5 today", _contours(folder, _FIGURE_5_TODAY, workers)))
    say("error map")
    return [*sections, Section("What the approximations are worth", _error_maps(folder))]


def _beyond(folder: Path, workers: int, say: Progress) -> Section:
    say("experiments of today")
    text = _contours(folder, _TODAY._replace(cards=tuple(builtin_cards())), workers)
    say("effects")
    rows = [[e.what, e.experiment, e.model, 1e3 * e.m_S, e.g_mu, e.ratio, e.error] for e in beyond.effects()]
    header = ["instead of the paper's", "experiment", "model", "m_S [MeV]", "g_mu", "N_S over that of the paper", "+-"]
    write_csv(folder / "effects.csv", header, rows)
    note = (
        "<p>What each simplification of the paper is worth. The paper counts every S as if it flew along the beam into "
        "a detector that sees all of it; here its daughters must hit the back plane, as each row says.</p>"
    )
    return Section("Beyond the paper", text + note + _table(header, rows))


_NA64MU = (
    "NA64mu saw no event with 0.07 of background: {limit:.2f} signal events at 90 % CL, whatever the efficiency of the "
    "selection, of which no number is known to us. Its abstract (arXiv:2401.01708) claims a part of the band of g-2 "
    "(theory of 2020, data of 2023) for a vector of L_mu - L_tau. With the card na64mu-2022 none of the band from 1 to "
    "200 MeV is excluded below an efficiency of {low:.3f}, and all of it above {high:.3f}; one number stands for all "
    "masses. What the two ends mean for a scalar and a pseudoscalar are predictions, no limits."
)
_M3 = (
    "g of ours over g of M3's phase 2, with one choice changed at a time. The exact amplitude, the cut x > 0.4 and 50 "
    "X0 are those of the card, decays are all invisible as in the source of the numbers, and Eq. A2 is as printed, as "
    "was usual in 2018. IWW is off by a factor of two, a cut of 0.3 or 0.5 by 20 % at 24 MeV, another thickness by its "
    "root; above 860 MeV the nucleon's form factor decides. Below 20 MeV ours is 7 to 10 % lower with this cut."
)


def _published(folder: Path, workers: int, say: Progress) -> list[Section]:
    """Published projections and data: what they depend on, and which efficiencies agree with them."""
    say("M3, muon colliders, NA64mu")
    choices = _table(*published.m3_choices())
    dumps = _contours(folder, _DUMPS, workers)
    return [
        Section("What the line of M3 depends on", f"<p>{_M3}</p>{choices}"),
        Section("Dumps at muon colliders", dumps),
        Section("NA64mu 2022: which efficiency agrees with its abstract", _na64mu(folder)),
    ]


def _na64mu(folder: Path) -> str:
    low, high = published.na64mu_range()
    text = _NA64MU.format(limit=published.na64mu_limit(), low=low, high=high)
    header = ["m [MeV]", "g excluded at full efficiency", "band from", "to", "efficiency for a part", "for all of it"]
    rows = [
        [1e3 * e.mass_gev, e.g_limit, e.band_low, e.band_high, e.some, e.all] for e in published.na64mu_efficiencies()
    ]
    write_csv(folder / "na64mu_efficiencies.csv", header, rows)
    ends = [f"g excluded at {share:.3f}" for share in (low, high, 1.0)]
    predicted = _table(["boson", "model", "m [MeV]", *ends], published.na64mu_predictions())
    caption = "Limits of NA64mu at both ends of the range of efficiencies and at 1, and the band of g-2."
    axes = {"xlabel": "m [MeV]", "ylabel": r"$g_\mu$", "xscale": "log", "yscale": "log"}
    curves = _lines(folder / "na64mu_2022.svg", published.na64mu_curves(), caption, **axes)
    return f"<p>{text}</p>{_table(header, rows)}{predicted}{curves}"


def validate(
    output: str | Path = "mcgen-report", *, workers: int = 1, overwrite: bool = False, progress: Progress | None = None
) -> Path:
    """Compute every figure, table and reference and write the report.

    Parameters
    ----------
    output : path
        Folder, made if missing; gets report.html, CSV of every curve and the figures as SVG.
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
    folder = make_folder(output)
    say = progress or (lambda _: None)
    with overwriting(overwrite):
        _check_there(folder)
        say("tables")
        sections = [*_tables(folder), *_figures(folder, workers, say), *_published(folder, workers, say)]
        sections.append(_beyond(folder, workers, say))
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
