"""`mcgen xsec`: cross sections."""

from __future__ import annotations

from typing import Any

import click

from mcgen.base.errors import refuse_if
from mcgen.base.printed import with_error
from mcgen.cli.display import print_json, table
from mcgen.cli.names import ELEMENT, FORM_FACTOR, LEPTON, MEDIATOR, METHOD, OUT_LEPTON, PROCESS, SPECTRUM
from mcgen.cli.options import ENERGIES, NUMBER, NUMBERS, Command, json_option


@click.command(cls=Command)
@click.option("--target", type=ELEMENT, help="Element, such as W or Pb.")
@click.option("--energy", type=ENERGIES, help="Total energies of the beam lepton.")
@click.option(
    "--collider", type=ENERGIES, help="Instead of a target: energies at which e+ e- make a pair of leptons and S."
)
@click.option("--mass", required=True, type=ENERGIES, help="Masses of S.")
@click.option(
    "--lepton", type=LEPTON, default="mu", show_default=True, help="mu (mu+), mu- or e; with --collider mu or tau."
)
@click.option("--out-lepton", type=OUT_LEPTON, help="The outgoing lepton: e, mu or tau.  [default: that of the beam]")
@click.option(
    "--mediator", type=MEDIATOR, default="scalar", show_default=True, help="scalar, pseudoscalar, vector or axial."
)
@click.option(
    "--parity-angle", type=NUMBER,
    help="Of a scalar or a vector, 0 to 90 degrees; at 90 it is a pseudoscalar or an axial vector.  [default: 0]",
)  # fmt: skip
@click.option("--method", type=METHOD, help="exact, ww or iww.  [default: exact]")
@click.option(
    "--form-factor", type=FORM_FACTOR,
    help="paper, tsai, elastic, helm, fourier-bessel, or a file with two columns: t in GeV^2, G2.  "
    "[default: paper; elastic with --process all]",
)  # fmt: skip
@click.option(
    "--process", type=PROCESS,
    help="What of an atom is hit: nuclear, electron (its Z free electrons), all (both, the nucleus elastically).  "
    "[default: nuclear]",
)  # fmt: skip
@click.option(
    "--electron-coupling", type=NUMBER,
    help="Coupling to electrons over that to the beam lepton, such as 1 of a dark photon.  [default: 0]",
)  # fmt: skip
@click.option(
    "--spectrum", type=SPECTRUM, help="Also the spectrum: x, t (GeV^2), theta (rad); of a collider energy, cos-theta."
)
@click.option("--edges", type=NUMBERS, help="Bin edges of the spectrum.  [default: forty bins]")
@json_option("a list of target, energy_gev (or collider_gev), mass_gev, sigma_pb, error_pb, spectrum and the setting")
def xsec(as_json: bool, **setting: Any) -> None:
    """Cross sections at unit coupling, by quadrature.

    \b
    $ mcgen xsec --target W --energy 3 --mass 100MeV
      E [GeV]   m_S [MeV]           sigma [pb]
     ------------------------------------------
            3         100   3.26032068(82)e+08
    $ mcgen xsec --collider 10.58 --lepton tau --mass 100MeV
    """
    rows = _collisions(setting) if setting["collider"] else _on_target(setting)
    if as_json:
        print_json([row.document() for row in rows])
        return
    cells = [[f"{row.E:g}", f"{1e3 * row.mass_gev:g}", with_error(row.sigma_pb, row.error_pb)] for row in rows]
    table(["E [GeV]", "m_S [MeV]", "sigma [pb]"], cells)
    for row in rows:
        if row.spectrum is not None:
            _show_spectrum(row)


def _given(setting: dict[str, Any]) -> dict[str, Any]:
    """Options that were given, by their names in Python."""
    names = {"energy": "E_mu", "mass": "m_S", "collider": "sqrt_s"}
    return {names.get(key, key): value for key, value in setting.items() if value is not None}


def _on_target(setting: dict[str, Any]) -> Any:
    from mcgen.quadrature.xsec import xsec as cross_sections

    needed = "target and energy: give both, or --collider"
    refuse_if(setting["target"] is None or setting["energy"] is None, needed)
    return cross_sections(**_given(setting))


def _collisions(setting: dict[str, Any]) -> Any:
    from mcgen.quadrature.collisions import collider_xsec

    given = _given(setting)
    refuse_if(given.pop("method", "exact") != "exact", "--method: with --collider exact is all there is")
    for name in ("target", "energy", "form_factor", "process", "electron_coupling", "out_lepton"):
        refuse_if(setting[name] is not None, f"--{name.replace('_', '-')}: is not for --collider, which has no target")
    return collider_xsec(**given)


def _show_spectrum(row: Any) -> None:
    spectrum = row.spectrum
    edges = [f"{edge:.6g}" for edge in spectrum["edges"]]
    lines = list(zip(edges[:-1], edges[1:], [f"{s:.6e}" for s in spectrum["sigma_pb"]], strict=True))
    title = f"E = {row.E:g} GeV, m_S = {1e3 * row.mass_gev:g} MeV"
    table([f"{spectrum['variable']} from", "to", "sigma [pb]"], lines, title)
