"""`mcgen xsec`: cross sections."""

from __future__ import annotations

from typing import Any

import click

from mcgen.base.printed import with_error
from mcgen.cli.display import print_json, table
from mcgen.cli.names import ELEMENT, FORM_FACTOR, LEPTON, MEDIATOR, METHOD, OUT_LEPTON, SPECTRUM
from mcgen.cli.options import ENERGIES, NUMBERS, Command, json_option


@click.command(cls=Command)
@click.option("--target", type=ELEMENT, required=True, help="Element, such as W or Pb.")
@click.option("--energy", required=True, type=ENERGIES, help="Total energies of the beam lepton.")
@click.option("--mass", required=True, type=ENERGIES, help="Masses of S.")
@click.option("--lepton", type=LEPTON, default="mu", show_default=True, help="mu or e.")
@click.option("--out-lepton", type=OUT_LEPTON, help="The outgoing lepton: e, mu or tau.  [default: that of the beam]")
@click.option(
    "--mediator", type=MEDIATOR, default="scalar", show_default=True, help="scalar, pseudoscalar, vector or axial."
)
@click.option(
    "--parity-angle", type=click.FloatRange(0.0, 90.0), default=0.0, show_default=True,
    help="Of a scalar or a vector, in degrees; at 90 it is a pseudoscalar or an axial vector.",
)  # fmt: skip
@click.option("--method", type=METHOD, default="exact", show_default=True, help="exact, ww or iww.")
@click.option(
    "--form-factor", type=FORM_FACTOR, default="paper", show_default=True,
    help="paper, tsai, elastic, helm, fourier-bessel, or a file with two columns: t in GeV^2, G2.",
)  # fmt: skip
@click.option("--spectrum", type=SPECTRUM, help="Also the spectrum in x, t (GeV^2) or theta (rad).")
@click.option("--edges", type=NUMBERS, help="Bin edges of the spectrum.  [default: forty bins]")
@json_option("a list of target, energy_gev, mass_gev, sigma_pb, error_pb, spectrum and the setting")
def xsec(energy: list[float], mass: list[float], as_json: bool, **setting: Any) -> None:
    """Cross sections at unit coupling, by quadrature.

    \b
    $ mcgen xsec --target W --energy 3 --mass 100MeV
      E [GeV]   m_S [MeV]           sigma [pb]
     ------------------------------------------
            3         100   3.26032068(82)e+08
    """
    from mcgen.quadrature.xsec import xsec as cross_sections

    found = cross_sections(E_mu=energy, m_S=mass, **setting)
    rows = [row.document() for row in found]
    if as_json:
        print_json(rows)
        return
    cells = [
        [f"{r['energy_gev']:g}", f"{1e3 * r['mass_gev']:g}", with_error(r["sigma_pb"], r["error_pb"])] for r in rows
    ]
    table(["E [GeV]", "m_S [MeV]", "sigma [pb]"], cells)
    for row in rows:
        if "spectrum" in row:
            _show_spectrum(row)


def _show_spectrum(row: dict[str, Any]) -> None:
    spectrum = row["spectrum"]
    edges = [f"{edge:.6g}" for edge in spectrum["edges"]]
    lines = list(zip(edges[:-1], edges[1:], [f"{s:.6e}" for s in spectrum["sigma_pb"]], strict=True))
    title = f"E = {row['energy_gev']:g} GeV, m_S = {1e3 * row['mass_gev']:g} MeV"
    table([f"{spectrum['variable']} from", "to", "sigma [pb]"], lines, title)
