"""`mcgen reweight`: signal at any couplings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from mcgen.cli.display import bar, print_json, table
from mcgen.cli.options import COUPLINGS, NUMBERS, Writing, json_option, workers_option
from mcgen.errors import InputError
from mcgen.physics.couplings import MODELS, Couplings


def _explicit(values: list[float] | None) -> Couplings | None:
    if values is None:
        return None
    if len(values) != 3:
        message = "--couplings: needs three numbers g_e,g_mu,g_tau"
        raise InputError(message)
    return Couplings(*values)


@click.command(cls=Writing)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--card", help="Experiment for events of another generator (LHE).")
@click.option(
    "--model",
    type=click.Choice(list(MODELS)),
    help="A: g_l = g_mu m_l/m_mu; B: muon only; of a vector: dark-photon, Lmu-Ltau.  [default: the card's]",
)
@click.option("--g-mu", "g_mu", type=COUPLINGS, help="Couplings.  [default: the card's scan]")
@click.option(
    "--couplings", type=NUMBERS, help="Explicit g_e,g_mu,g_tau instead of a model; not 0 for the beam's lepton."
)
@click.option(
    "--method", type=click.Choice(["probability", "vertex"]), default="probability", show_default=True,
    help="Weight with the decay probability, or count decay vertices.",
)  # fmt: skip
@click.option(
    "--energy-bins", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Bins of sigma~(E_mu)."
)
@click.option("--form-factor", help="Another form factor than the file's, by name or by a file of t and G2.")
@click.option("--mediator", help="Another mediator of the same mass: scalar, pseudoscalar, vector or axial.")
@click.option("--detector", help="Card whose detector and exposure count instead of the file's; same beam and target.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Also write the JSON document to a file.")
@workers_option
@json_option
def reweight(
    file: Path,
    card: str | None,
    model: str | None,
    g_mu: list[float] | None,
    couplings: list[float] | None,
    method: str,
    energy_bins: int,
    form_factor: str | None,
    mediator: str | None,
    detector: str | None,
    output: Path | None,
    workers: int,
    as_json: bool,
) -> None:
    """N_S and sigma~(E_mu) at any couplings, from one file.

    \b
    $ mcgen reweight events.root --model A --g-mu 1e-5:1e-3:20
    $ mcgen reweight madgraph.lhe.gz --card fermilab --g-mu 1e-4
    $ mcgen reweight events.root --detector larger.toml

    Events of MadGraph have one energy: they give sigma~ there, the cross section in the file being that at g_mu = 1.
    """
    from mcgen import reweighting
    from mcgen.files import ask, check_request, open_atomic, request_text, same_json
    from mcgen.provenance import ask_with, provenance
    from mcgen.source.source import load_card

    own, other = (load_card(name) if name else None for name in (card, detector))
    events = reweighting.open_events(file, form_factor, mediator, own, other)
    experiment = reweighting.card_of(events)
    chosen = _explicit(couplings) or model or experiment.scalar.model
    if couplings and (g_mu or model):
        message = "--couplings: replaces --model and --g-mu, give one or the other"
        raise InputError(message)
    if output:
        ask_with(experiment)
        ask(events=events.metadata.get("content_sha256"), model=str(chosen), g_mu=g_mu or experiment.scan.g_mu)
        check_request(output)
    with bar("events", len(events)) as progress:
        result = reweighting.reweight(
            events,
            chosen,
            g_mu or experiment.scan.g_mu,
            method=method,
            energy_bins=energy_bins,
            workers=workers,
            progress=progress,
        )
    shares = reweighting.ratio_to_full_acceptance(experiment, chosen, result.m_S, result.g_mu, result.n_signal)
    is_3d = experiment.detector.geometry == "3d" and bool(result.n_signal)
    document: dict[str, Any] = {
        "model": result.model,
        "mass_gev": result.m_S,
        "n_events": result.n_events,
        "method": method,
        "form_factor": experiment.run.form_factor,
        "mediator": experiment.scalar.mediator,
        "rows": [
            {"g_mu": g, "n_signal": n.value, "error": n.error, "n_eff": n.n_eff}
            for g, n in zip(result.g_mu, result.n_signal, strict=False)
        ],
        "sigma_tilde": [
            {"g_mu": g, "energy_gev": E, "sigma_tilde_cm2": s.value, "error_cm2": s.error, "n_eff": s.n_eff}
            for g, row in zip(result.g_mu, result.sigma_tilde, strict=True)
            for E, s in zip(result.E_mu, row, strict=True)
        ],
    }
    if isinstance(chosen, Couplings):
        document["couplings"] = chosen._asdict()
    if is_3d:
        for row, share in zip(document["rows"], shares, strict=True):
            row["acceptance"] = share
    if output:
        with open_atomic(output, same_json) as stream:
            made_of = {key: events.metadata[key] for key in ("seed", "content_sha256") if key in events.metadata}
            origin = {"provenance": provenance(experiment) | made_of | {"request": request_text()}}
            json.dump(document | origin, stream, indent=1, allow_nan=False)
    if as_json:
        print_json(document)
        return
    single = not result.n_signal  # events of one energy
    shown = [row[0] for row in result.sigma_tilde] if single else result.n_signal
    rows = [
        [f"{g:.4g}", f"{n.value:.5g}", f"{n.error:.2g}", f"{n.n_eff:.0f}"]
        for g, n in zip(result.g_mu, shown, strict=True)
    ]
    what = f"sigma~({result.E_mu[0]:g} GeV) [cm2]" if single else "N_S"
    if is_3d:
        rows = [[*row, "-" if s is None else f"{s:.4f}"] for row, s in zip(rows, shares, strict=True)]
    header = ["g_mu", what, "+-", "n_eff", *(["acceptance"] if is_3d else [])]
    name = f"couplings {','.join(f'{g:g}' for g in couplings)}" if couplings else f"model {result.model}"
    table(header, rows, f"{name}, m_S = {1e3 * result.m_S:g} MeV, {method}")
