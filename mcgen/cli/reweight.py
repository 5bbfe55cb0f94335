"""`mcgen reweight`: signal at any couplings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcgen.base.errors import refuse_if
from mcgen.cli import options
from mcgen.cli.display import bar, print_json, table
from mcgen.physics.boson.couplings import MODELS, Couplings

if TYPE_CHECKING:
    from mcgen.analysis.reweight import Reweighted
    from mcgen.card.card import Card
    from mcgen.events.events import EventSource

#: N_S over that with every S along the beam, at each coupling
Shares = Sequence[float | None]


@click.command(cls=options.Writing)
@click.argument("file", type=options.PATH)
@options.foreign_option
@click.option(
    "--model", type=click.Choice(list(MODELS)),
    help="A: g_l = g_mu m_l/m_mu; B: muon only; of a vector: dark-photon, Lmu-Ltau.  [default: the card's]",
)  # fmt: skip
@click.option("--g-mu", "g_mu", type=options.COUPLINGS, help="Couplings.  [default: the card's scan]")
@click.option(
    "--couplings", type=options.NUMBERS, help="Explicit g_e,g_mu,g_tau instead of a model; not 0 for the beam's lepton."
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
@click.option(
    "--weight", help="Name of an alternative weight of the file, which counts instead (`mcgen info` lists them)."
)
@click.option("--detector", help="Card whose detector and exposure count instead of the file's; same beam and target.")
@options.output_option("Also write the JSON document to a file.")
@options.workers_option
@options.json_option
def reweight(file: Path, output: Path | None, as_json: bool, **given: Any) -> None:
    """N_S and sigma~(E_mu) at any couplings, from one file.

    \b
    $ mcgen reweight events.root --model A --g-mu 1e-5:1e-3:20
    $ mcgen reweight madgraph.lhe.gz --card fermilab --g-mu 1e-4
    $ mcgen reweight events.root --detector larger.toml

    Events of MadGraph have one energy: they give sigma~ there, the cross section in the file being that at g_mu = 1.
    """
    from mcgen.analysis import reweight as reweighting
    from mcgen.source.source import load_card

    own, other = (load_card(given[key]) if given[key] else None for key in ("card", "detector"))
    events = reweighting.open_events(file, given["form_factor"], given["mediator"], own, other, given["weight"])
    card = reweighting.card_of(events)
    chosen = _explicit(given) or given["model"] or card.scalar.model
    g_mu = given["g_mu"] or card.scan.g_mu
    if output:
        _check_output(output, events, card, {"model": str(chosen), "g_mu": g_mu, "weight": given["weight"]})
    how = {key: given[key] for key in ("method", "energy_bins", "workers")}
    with bar("events", len(events)) as progress:
        result = reweighting.reweight(events, chosen, g_mu, **how, progress=progress)
    shares: Shares | None = None
    if card.detector.geometry == "3d" and result.n_signal:
        shares = reweighting.ratio_to_full_acceptance(card, chosen, result.m_S, result.g_mu, result.n_signal)
    setting = {"method": given["method"], "form_factor": card.run.form_factor, "mediator": card.scalar.mediator}
    setting |= {"weight": given["weight"]} if given["weight"] else {}
    document = _document(result, setting, shares)
    if isinstance(chosen, Couplings):
        document["couplings"] = chosen._asdict()
    if output:
        _write(document, output, events, card)
    if as_json:
        print_json(document)
        return
    values = given["couplings"]
    name = f"couplings {','.join(f'{g:g}' for g in values)}" if values else f"model {result.model}"
    _show(result, shares, f"{name}, m_S = {1e3 * result.m_S:g} MeV, {given['method']}")


def _explicit(given: dict[str, Any]) -> Couplings | None:
    """The couplings of --couplings."""
    values = given["couplings"]
    if values is None:
        return None
    refuse_if(len(values) != 3, "--couplings: needs three numbers g_e,g_mu,g_tau")
    refuse_if(given["g_mu"] or given["model"], "--couplings: replaces --model and --g-mu, give one or the other")
    return Couplings(*values)


def _check_output(path: Path, events: EventSource, card: Card, asked: dict[str, Any]) -> None:
    """Refuse a document of another request before anything is computed."""
    from mcgen.base.files import ask, check_request
    from mcgen.card.provenance import ask_with

    ask_with(card)
    ask(events=events.metadata.get("content_sha256"), **asked)
    check_request(path)


def _document(result: Reweighted, setting: dict[str, Any], shares: Shares | None) -> dict[str, Any]:
    """The JSON document."""
    rows: list[dict[str, Any]] = [
        {"g_mu": g, "n_signal": n.value, "error": n.error, "n_eff": n.n_eff}
        for g, n in zip(result.g_mu, result.n_signal, strict=False)  # no N_S from events of one energy
    ]
    for row, share in zip(rows, shares or [], strict=False):
        row["acceptance"] = share
    return {
        "model": result.model,
        "mass_gev": result.m_S,
        "n_events": result.n_events,
        **setting,
        "rows": rows,
        "sigma_tilde": [
            {"g_mu": g, "energy_gev": E, "sigma_tilde_cm2": s.value, "error_cm2": s.error, "n_eff": s.n_eff}
            for g, row in zip(result.g_mu, result.sigma_tilde, strict=True)
            for E, s in zip(result.E_mu, row, strict=True)
        ],
    }


def _write(document: dict[str, Any], path: Path, events: EventSource, card: Card) -> None:
    from mcgen.base.files import request_text, write_json
    from mcgen.card.provenance import provenance

    made_of = {key: events.metadata[key] for key in ("seed", "content_sha256") if key in events.metadata}
    write_json(path, document | {"provenance": provenance(card) | made_of | {"request": request_text()}})


def _show(result: Reweighted, shares: Shares | None, title: str) -> None:
    """N_S at each coupling, or sigma~ of events of one energy, which give no N_S."""
    shown, what = result.n_signal, "N_S"
    if not result.n_signal:
        shown, what = [row[0] for row in result.sigma_tilde], f"sigma~({result.E_mu[0]:g} GeV) [cm2]"
    rows = [
        [f"{g:.4g}", f"{n.value:.5g}", f"{n.error:.2g}", f"{n.n_eff:.0f}"]
        for g, n in zip(result.g_mu, shown, strict=True)
    ]
    header = ["g_mu", what, "+-", "n_eff"]
    if shares is not None:
        rows = [[*row, "-" if s is None else f"{s:.4f}"] for row, s in zip(rows, shares, strict=True)]
        header.append("acceptance")
    table(header, rows, title)
