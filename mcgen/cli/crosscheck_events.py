"""`mcgen crosscheck --events`: events of any generator judged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcgen.base.files import ask, check_folder, check_request, make_folder, note
from mcgen.base.printed import with_error
from mcgen.cli.display import print_json, table
from mcgen.cli.progress import bar
from mcgen.cli.volume import echo

if TYPE_CHECKING:
    from mcgen.analysis.event_check import EventCheck
    from mcgen.card.card import Card
    from mcgen.events.pool import EventFiles


def crosscheck_events(
    paths: Sequence[Path], card: str | None, output: Path | None, as_json: bool, style: str = "screen"
) -> None:
    """Compare event files with the exact cross section, and show what was found.

    Parameters
    ----------
    paths : sequence of Path
        Files or folders of one card.
    card : str, optional
        Experiment for events of another generator.
    output : Path, optional
        Folder for a table and figures.
    as_json : bool
        One JSON document instead of tables.
    style : {"screen", "paper", "talk"}
        Of the figures.
    """
    from mcgen.analysis import event_check
    from mcgen.events.pool import load
    from mcgen.source.source import load_card

    events = load(*paths, card=load_card(card) if card else None)
    if output:
        _check_folder(output, events)
    with bar("events", len(events)) as progress:
        checks = event_check.crosscheck_events(events, progress=progress)
    if output:
        _write(checks, output, events.card, style)
    if as_json:
        print_json([_document(check) for check in checks])
    else:
        _show(checks)


def _check_folder(folder: Path, events: EventFiles) -> None:
    """Refuse a folder that cannot be written, or whose table is that of other events."""
    from mcgen.card.provenance import ask_with

    ask_with(events.card)
    note(kind="crosscheck", random=not events.metadata.is_foreign)
    ask(events=events.metadata.get("content_sha256"))
    check_folder(folder)
    if folder.exists():
        check_request(folder / "provenance.json")


def _document(check: EventCheck) -> dict[str, Any]:
    """What --json says of events on one target."""
    ratio = check.ratio
    return {
        "target": check.target,
        "energy_gev": check.energy_gev,
        "mass_gev": check.mass_gev,
        "n_events": check.n_events,
        "sigma_pb": check.sigma.value if check.sigma else None,
        "error_pb": check.sigma.error if check.sigma else None,
        "sigma_exact_pb": check.exact.value,
        "ratio": ratio.value if ratio else None,
        "ratio_error": ratio.error if ratio else None,
        "pull": check.pull,
        "missing_share": check.missing,
        "missing": [
            {"variables": place.variables, "low": place.low, "high": place.high, "share": place.share}
            for place in check.places
        ],
        "spectra": {
            name: {
                "chi2": s.chi2,
                "degrees_of_freedom": s.bins,
                "p_value": s.p_value,
                "worst_pull": s.worst_pull,
                "worst_bin": list(s.worst_bin),
                "edges": s.edges.tolist(),
                "sigma_pb": s.sigma_pb.tolist(),
                "error_pb": s.error_pb.tolist(),
                "sigma_exact_pb": s.exact_pb.tolist(),
            }
            for name, s in check.spectra.items()
        },
    }


def _show(checks: Sequence[EventCheck]) -> None:
    rows = []
    for check in checks:
        ratio, pull = check.ratio, check.pull
        theirs = with_error(check.sigma.value, check.sigma.error) if check.sigma else "-"
        cells = [with_error(ratio.value, ratio.error) if ratio else "-"]
        cells += ["-" if pull is None else f"{pull:+.1f}", f"{check.missing:.4f}"]
        where = [check.target, f"{check.energy_gev:.6g}", f"{1e3 * check.mass_gev:g}", str(check.n_events)]
        rows.append([*where, theirs, f"{check.exact.value:.6g}", *cells])
    header = ["target", "E [GeV]", "m_S [MeV]", "events", "events [pb]", "exact [pb]", "ratio", "pull", "missing"]
    table(header, rows, "Cross section at unit coupling, and the share of the exact one where there are no events")
    for name, unit in {"x": "", "t": " [GeV2]", "theta": " [rad]"}.items():
        header = ["target", "E [GeV]", "chi2", "bins - 1", "p value", "worst pull", f"at {name}{unit}"]
        table(header, [_spectrum_cells(check, name) for check in checks], f"Shape of the spectrum in {name}")
    for check in checks:
        for place in check.places:
            echo(f"{check.target}, {check.energy_gev:.6g} GeV: no events {_place(place)}")


def _spectrum_cells(check: EventCheck, name: str) -> list[str]:
    s = check.spectra[name]
    low, high = s.worst_bin
    numbers = [f"{s.chi2:.1f}", str(s.bins), f"{s.p_value:.2g}", f"{s.worst_pull:+.1f}", f"{low:.4g} to {high:.4g}"]
    return [check.target, f"{check.energy_gev:.6g}", *numbers]


def _place(place: Any) -> str:
    share = f"{100.0 * place.share:.3g} % of the exact cross section"
    if place.low is None:
        return f"in cells of {place.variables}, at least {share}"
    return f"at {place.variables} from {place.low:.5g} to {place.high:.5g}, {share}"


def _write(checks: Sequence[EventCheck], folder: Path, card: Card, style: str) -> None:
    """A table of all bins, and a figure for each spectrum."""
    from mcgen.analysis import event_check
    from mcgen.card.provenance import write_provenance
    from mcgen.quadrature.xsec import CrossSection
    from mcgen.report import plot

    make_folder(folder)
    event_check.write_spectra(checks, folder / "events.csv")
    write_provenance(folder / "provenance.json", card, beside=folder / "events.csv")
    for check in checks:
        for name, s in check.spectra.items():
            spectra = {
                "exact": CrossSection(check.exact.value, check.exact.error, s.edges, s.exact_pb),
                "events": CrossSection(float(s.sigma_pb.sum()), 0.0, s.edges, s.sigma_pb),
            }
            path = folder / f"{name}_{check.target}_{check.energy_gev:.6g}GeV.png"
            title = f"{check.target}, {check.energy_gev:.6g} GeV, $m_S$ = {1e3 * check.mass_gev:g} MeV"
            plot.plot_spectra(spectra, path, title, name, style=style)
