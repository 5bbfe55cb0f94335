"""The command line: parses, calls one function, prints. Heavy imports wait until a command needs them."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcgen import __version__
from mcgen.errors import ClosureError, InputError, McgenError
from mcgen.units import parse_list

if TYPE_CHECKING:
    from mcgen.physics.couplings import Couplings

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


class ListOf(click.ParamType):  # type: ignore[type-arg]
    """'a,b,c' or 'start:stop:n'."""

    def __init__(self, name: str, dimension: str | None = None, geometric: bool = False) -> None:
        self.name = name
        self._dimension = dimension
        self._geometric = geometric

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: D102
        if not isinstance(value, str):
            return value
        try:
            return parse_list(value, self._dimension, self._geometric)
        except InputError as error:
            self.fail(str(error), param, ctx)


class One(ListOf):
    """A single number."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: D102
        numbers = super().convert(value, param, ctx)
        if isinstance(numbers, list):
            if len(numbers) != 1:
                self.fail(f"'{value}' is not a single number", param, ctx)
            return numbers[0]
        return numbers


ENERGIES = ListOf("energies", "energy")
ENERGY = One("energy", "energy")
COUPLINGS = ListOf("couplings", geometric=True)
NUMBERS = ListOf("numbers")
NUMBER = One("number")
THREADS = min(16, os.cpu_count() or 1)

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, nothing else.")
workers_option = click.option(
    "--workers",
    type=click.IntRange(1, 1024),
    default=THREADS,
    show_default="all cores",
    help="Threads; results never depend on it.",
)
seed_option = click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), help="Seed of the random numbers.  [default: the card's]"
)
events_option = click.option(
    "--events", type=click.IntRange(1, 10**12), help="Number of events.  [default: the card's]"
)


@contextlib.contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Progress bar on a terminal's stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(what, total=total)
        yield lambda done: bars.update(task, completed=done)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, title=title or None, box=box.SIMPLE_HEAD, title_justify="left")
    for column in table.columns:
        column.justify = "right"
    for row in rows:
        table.add_row(*row)
    # a pipe has no width: give every column its own
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table)


def _say(text: str) -> None:
    click.echo(text, err=True)


def _print_json(document: Any) -> None:
    click.echo(json.dumps(document, allow_nan=False))


@click.group(context_settings=CONTEXT)
@click.version_option(__version__, prog_name="mcgen")
def cli() -> None:
    r"""Monte Carlo events of mu N -> mu N S: exact production, decays, reweighting, reach.

    Energies and masses are in GeV unless they carry a unit. A list is a,b,c or start:stop:n.

    \b
    mcgen run fermilab                        the whole chain for an experiment of the paper
    mcgen xsec --target W --energy 3 --mass 100MeV
    """


@cli.command()
@click.argument("card")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder of the results.  [default: mcgen-NAME]")
@events_option
@seed_option
@workers_option
@json_option
def run(card: str, output: Path | None, events: int | None, seed: int | None, workers: int, as_json: bool) -> None:
    r"""The whole chain: events, reweighting, sigma~(E_mu), N_S, reach and plots.

    CARD is a TOML file, or fermilab or na64, the experiments of arXiv:1701.07437.

    \b
    $ mcgen run fermilab -o results
    """
    from mcgen import chain
    from mcgen.card import load_card

    experiment = load_card(card)
    with contextlib.ExitStack() as stack:
        bars: dict[str, Callable[[int], None]] = {}

        def progress(step: str, done: int, total: int) -> None:
            if step not in bars:
                stack.close()
                bars[step] = stack.enter_context(_bar(step, total))
            bars[step](done)

        folder = output or Path(f"mcgen-{experiment.name}")
        result = chain.run(experiment, folder, events=events, seed=seed, workers=workers, progress=progress)
    summary = chain.summary(experiment, result.events, result.signal, result.exact, result.reach)
    if as_json:
        _print_json(summary)
        return
    meta = result.events.metadata
    click.echo(
        f"{experiment.name}: m_S = {1e3 * meta['mass_gev']:g} MeV, {meta['n_events']} events, "
        f"S per muon at g_mu = 1: {meta['yield_per_muon']:.5g} +- {meta['yield_error']:.1g} "
        f"(quadrature {meta['yield_quadrature']:.6g}, pull {meta['pull']:+.1f})"
    )
    rows = []
    for i, g in enumerate(experiment.scan.g_mu):
        cells = [f"{g:.3g}"]
        for model, signal in result.signal.items():
            n = signal.n_signal[i]
            cells += [f"{n.value:.4g}", f"{n.error:.1g}", f"{n.n_eff:.0f}", f"{result.exact[model][i]:.4g}"]
        rows.append(cells)
    header = ["g_mu"]
    for model in result.signal:
        header += [f"N_S ({model})", "+-", "n_eff", "quadrature"]
    _table(header, rows, "Signal events")
    _reach_table(result.reach, 3.0)
    click.echo("written: " + ", ".join(str(path) for path in result.files))


@cli.command()
@click.argument("card")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Event file to write, ending in .root."
)
@click.option("--mass", type=ENERGY, help="Mass of S.  [default: the card's]")
@events_option
@seed_option
@workers_option
@click.option("--weighted", is_flag=True, help="Keep every trial with its weight.")
@click.option(
    "--chunk", type=click.IntRange(1, 10**7), default=50_000, show_default=True, help="Events written at a time."
)
def generate(
    card: str,
    output: Path,
    mass: float | None,
    events: int | None,
    seed: int | None,
    workers: int,
    weighted: bool,
    chunk: int,
) -> None:
    r"""Write an event file.

    \b
    $ mcgen generate na64 -o events.root --mass 10MeV --events 1000000
    """
    from mcgen import generation
    from mcgen.card import load_card

    experiment = load_card(card)
    if output.suffix != ".root":
        message = f"output {output}: the name must end in .root"
        raise InputError(message)
    n = events or experiment.run.events
    with _bar("events", n) as progress:
        made = generation.generate(
            experiment, mass, n, seed, output=output, weighted=weighted, workers=workers, chunk=chunk, progress=progress
        )
    meta = made.metadata
    click.echo(
        f"{output}: {n} events, S per muon at g_mu = 1: {meta['yield_per_muon']:.6g} +- {meta['yield_error']:.2g}, "
        f"pull against quadrature {meta['pull']:+.2f}, worst in t {meta['pull_t_worst']:.1f}; "
        f"efficiency {meta['efficiency']:.3f}, overweight {meta['overweight_fraction']:.1e}"
    )


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--verify", is_flag=True, help="Read all events and compare their hash.")
@json_option
def info(file: Path, verify: bool, as_json: bool) -> None:
    r"""What an event file holds.

    \b
    $ mcgen info events.root --json
    """
    from mcgen.formats.root import load

    events = load(file)
    if verify and events.content_sha256() != events.metadata["content_sha256"]:
        message = f"file {file}: its events are not those that were written (content hash differs)"
        raise InputError(message)
    if as_json:
        _print_json(events.metadata)
        return
    for key, value in events.metadata.items():
        if key not in ("card", "sigma"):
            text = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
            click.echo(f"{key:24} {text}")
    for row in events.metadata["sigma"]:
        click.echo(f"{'sigma(E_mu)':24} {row['sigma_pb']:.6g} pb at {row['energy_gev']:.6g} GeV")
    click.echo("card\n" + "\n".join("    " + line for line in str(events.metadata["card"]).splitlines()))


def _explicit(values: list[float] | None) -> Couplings | None:
    from mcgen.physics.couplings import Couplings

    if values is None:
        return None
    if len(values) != 3:
        message = "--couplings: needs three numbers g_e,g_mu,g_tau"
        raise InputError(message)
    return Couplings(*values)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--model", type=click.Choice(["A", "B"]), help="A: g_l = g_mu m_l/m_mu; B: muon only.  [default: the card's]"
)
@click.option("--g-mu", "g_mu", type=COUPLINGS, help="Couplings.  [default: the card's scan]")
@click.option("--couplings", type=NUMBERS, help="Explicit g_e,g_mu,g_tau instead of a model.")
@click.option(
    "--method", type=click.Choice(["probability", "vertex"]), default="probability", show_default=True,
    help="Weight with the decay probability, or count decay vertices.",
)  # fmt: skip
@click.option(
    "--energy-bins", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Bins of sigma~(E_mu)."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Also write the JSON document to a file.")
@json_option
def reweight(
    file: Path,
    model: str | None,
    g_mu: list[float] | None,
    couplings: list[float] | None,
    method: str,
    energy_bins: int,
    output: Path | None,
    as_json: bool,
) -> None:
    r"""N_S and sigma~(E_mu) at any couplings, from one file.

    \b
    $ mcgen reweight events.root --model A --g-mu 1e-5:1e-3:20
    """
    from mcgen import reweighting
    from mcgen.files import open_atomic

    events = reweighting.open_events(file)
    card = reweighting.card_of(events)
    chosen = _explicit(couplings) or model or card.scalar.model
    if couplings and (g_mu or model):
        message = "--couplings: replaces --model and --g-mu, give one or the other"
        raise InputError(message)
    result = reweighting.reweight(events, chosen, g_mu or card.scan.g_mu, method=method, energy_bins=energy_bins)
    document = {
        "model": result.model,
        "mass_gev": result.m_S,
        "n_events": result.n_events,
        "method": method,
        "rows": [
            {"g_mu": g, "n_signal": n.value, "error": n.error, "n_eff": n.n_eff}
            for g, n in zip(result.g_mu, result.n_signal, strict=True)
        ],
        "sigma_tilde": [
            {"g_mu": g, "energy_gev": E, "sigma_tilde_cm2": s.value, "error_cm2": s.error, "n_eff": s.n_eff}
            for g, row in zip(result.g_mu, result.sigma_tilde, strict=True)
            for E, s in zip(result.E_mu, row, strict=True)
        ],
    }
    if output:
        with open_atomic(output) as stream:
            json.dump(document, stream, indent=1, allow_nan=False)
    if as_json:
        _print_json(document)
        return
    rows = [
        [f"{g:.4g}", f"{n.value:.5g}", f"{n.error:.2g}", f"{n.n_eff:.0f}"]
        for g, n in zip(result.g_mu, result.n_signal, strict=True)
    ]
    _table(["g_mu", "N_S", "+-", "n_eff"], rows, f"model {result.model}, m_S = {1e3 * result.m_S:g} MeV, {method}")


@cli.command()
@click.option("--target", required=True, help="Element, such as W or Pb.")
@click.option("--energy", required=True, type=ENERGIES, help="Total energies of the beam lepton.")
@click.option("--mass", required=True, type=ENERGIES, help="Masses of S.")
@click.option("--lepton", default="mu", show_default=True, help="mu or e.")
@click.option("--mediator", default="scalar", show_default=True, help="What is radiated.")
@click.option("--method", default="exact", show_default=True, help="exact, ww or iww.")
@click.option("--form-factor", default="paper", show_default=True, help="paper, tsai or elastic.")
@click.option("--spectrum", help="Also the spectrum in x, t (GeV^2) or theta (rad).")
@click.option("--edges", type=NUMBERS, help="Bin edges of the spectrum.  [default: forty bins]")
@json_option
def xsec(
    target: str,
    energy: list[float],
    mass: list[float],
    lepton: str,
    mediator: str,
    method: str,
    form_factor: str,
    spectrum: str | None,
    edges: list[float] | None,
    as_json: bool,
) -> None:
    r"""Cross sections at unit coupling, by quadrature.

    \b
    $ mcgen xsec --target W --energy 3 --mass 100MeV
      E [GeV]   m_S [MeV]     sigma [pb]      +- [pb]
    --------------------------------------------------
            3         100   3.260321e+08          3e+02
    """
    from mcgen.xsec import cross_section

    rows = []
    for E in energy:
        for m_S in mass:
            result = cross_section(
                target, E, m_S, lepton=lepton, mediator=mediator, method=method, form_factor=form_factor,
                spectrum=spectrum, edges=edges,
            )  # fmt: skip
            row: dict[str, Any] = {
                "lepton": lepton,
                "target": target,
                "energy_gev": E,
                "mass_gev": m_S,
                "mediator": mediator,
                "method": method,
                "form_factor": form_factor,
                "sigma_pb": result.value,
                "error_pb": result.error,
            }
            if result.edges is not None and result.bins is not None:
                row["spectrum"] = {
                    "variable": spectrum,
                    "edges": result.edges.tolist(),
                    "sigma_pb": result.bins.tolist(),
                }
            rows.append(row)
    if as_json:
        _print_json(rows)
        return
    cells = [
        [f"{r['energy_gev']:g}", f"{1e3 * r['mass_gev']:g}", f"{r['sigma_pb']:.6e}", f"{r['error_pb']:.0e}"]
        for r in rows
    ]
    _table(["E [GeV]", "m_S [MeV]", "sigma [pb]", "+- [pb]"], cells)
    for row in rows:
        if "spectrum" in row:
            bounds = row["spectrum"]["edges"]
            lines = [
                [f"{a:.6g}", f"{b:.6g}", f"{s:.6e}"]
                for a, b, s in zip(bounds[:-1], bounds[1:], row["spectrum"]["sigma_pb"], strict=True)
            ]
            title = f"E = {row['energy_gev']:g} GeV, m_S = {1e3 * row['mass_gev']:g} MeV"
            _table([f"{spectrum} from", "to", "sigma [pb]"], lines, title)


@cli.command()
@click.argument("card")
@click.option("--mass", required=True, type=ENERGIES, help="Masses of S.")
@click.option("--energy", type=ENERGIES, help="Muon energies.  [default: along the target]")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder for a table and a figure.")
@seed_option
@json_option
def crosscheck(
    card: str, mass: list[float], energy: list[float] | None, output: Path | None, seed: int | None, as_json: bool
) -> None:
    r"""IWW, WW and Monte Carlo beside the exact cross section.

    \b
    $ mcgen crosscheck na64 --mass 10MeV,100MeV
    """
    from dataclasses import asdict

    from mcgen import comparison
    from mcgen.card import load_card

    experiment = load_card(card)
    with _bar("cross sections", len(mass) * (len(energy) if energy else 5)) as progress:
        rows = comparison.crosscheck(experiment, mass, energy, seed=seed, progress=progress)
    if output:
        from mcgen import plot

        _make_folder(output)
        comparison.write_csv(rows, output / "crosscheck.csv")
        plot.plot_comparison(rows, output / "crosscheck.png", f"{experiment.name}: ratio to the exact cross section")
    if as_json:
        _print_json([asdict(row) for row in rows])
        return
    cells = []
    for r in rows:
        exact = r.sigma_exact_pb or math.inf
        cells.append(
            [f"{r.energy_gev:g}", f"{1e3 * r.mass_gev:g}", f"{r.sigma_exact_pb:.6g}", f"{r.sigma_ww_pb / exact:.4f}",
             f"{r.sigma_iww_pb / exact:.4f}", f"{r.sigma_mc_pb / exact:.5f}", f"{r.error_mc_pb / exact:.5f}", f"{r.pull:+.1f}"]
        )  # fmt: skip
    header = ["E [GeV]", "m_S [MeV]", "exact [pb]", "WW/exact", "IWW/exact", "MC/exact", "+-", "pull"]
    _table(header, cells)


@cli.command()
@click.argument("card", required=False)
@click.option("--model", "models", default="A,B", show_default=True, help="Models.")
@click.option("--mass", type=ENERGIES, help="Masses of S.  [default: the card's scan]")
@click.option("--n-signal", type=NUMBER, default=3.0, show_default=True, help="Signal events that count as seen.")
@click.option("--production", default="exact", show_default=True, help="exact, ww or iww.")
@click.option(
    "--events", "files", type=click.Path(path_type=Path), multiple=True, help="An event file; repeat for more."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="CSV table to write.")
@click.option("--plot", "figure", type=click.Path(path_type=Path), help="Figure to write (.png, .pdf, .svg).")
@workers_option
@json_option
def reach(
    card: str | None,
    models: str,
    mass: list[float] | None,
    n_signal: float,
    production: str,
    files: tuple[Path, ...],
    output: Path | None,
    figure: Path | None,
    workers: int,
    as_json: bool,
) -> None:
    r"""Interval of g_mu in which N_S exceeds a threshold, per mass.

    By quadrature for a CARD, or from event files.

    \b
    $ mcgen reach fermilab --model A,B --mass 10MeV:200MeV:20 -o reach.csv --plot reach.png
    $ mcgen reach --model A --events events.root
    """
    from dataclasses import asdict

    from mcgen import contours
    from mcgen.card import load_card

    names = [name.strip() for name in models.split(",")]
    if bool(card) == bool(files):
        message = "reach: needs either a card or --events"
        raise InputError(message)
    if card:
        experiment = load_card(card)
        masses = mass or experiment.scan.mass
        with _bar("masses", len(masses)) as progress:
            points = contours.reach(experiment, names, masses, n_signal, production, workers=workers, progress=progress)
    else:
        points = contours.reach_from_events(files, names, n_signal)
    if output:
        contours.write_csv(points, output)
    if figure:
        from mcgen import plot

        plot.plot_reach(points, figure, f"$N_S$ > {n_signal:g}")
    if as_json:
        rows = [asdict(point) for point in points]
        _print_json([row | {"g_high": None if row["g_high"] == math.inf else row["g_high"]} for row in rows])
        return
    _reach_table(points, n_signal)


def _reach_table(points: Sequence[Any], n_signal: float) -> None:
    def cell(value: float | None) -> str:
        return "-" if value is None else f"{value:.5g}"

    rows = [
        [p.experiment, p.model, p.production, f"{1e3 * p.mass_gev:g}", cell(p.g_low), cell(p.g_high)] for p in points
    ]
    header = ["experiment", "model", "production", "m_S [MeV]", "g_mu from", "to"]
    _table(header, rows, f"More than {n_signal:g} signal events")


@cli.command()
def schema() -> None:
    """JSON schema of the card."""
    from mcgen.card import Card

    click.echo(json.dumps(Card.model_json_schema(), indent=2))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"output {folder}: {error.strerror}"
        raise InputError(message) from None


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    _say(f"mcgen: warning: {message}")


def _fail(error: object, status: int) -> int:
    _say("mcgen: error: " + " ".join(str(error).split()))
    return status


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; an error is one line on stderr and the exit status."""
    with warnings.catch_warnings():
        warnings.showwarning = _warn
        try:
            cli.main(arguments if arguments is None else list(arguments), prog_name="mcgen", standalone_mode=False)
        except click.exceptions.NoArgsIsHelpError as error:
            _say(error.format_message())
            return 2
        except click.UsageError as error:
            hint = f" (see '{error.ctx.command_path} --help')" if error.ctx else ""
            return _fail(error.format_message() + hint, 2)
        except (click.Abort, KeyboardInterrupt):
            return _fail("interrupted, nothing was written under a final name", 130)
        except ClosureError as error:
            return _fail(error, 1)
        except McgenError as error:
            return _fail(error, 2)
        except (OSError, MemoryError) as error:
            return _fail(f"{type(error).__name__}: {error}", 1)
    return 0


def entry() -> None:
    """Console script."""
    sys.exit(main())
