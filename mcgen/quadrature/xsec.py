"""Cross sections at unit coupling by quadrature, exact or approximate, with their spectra."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.asked import Energies, Energy, energies, energy
from mcgen.base.constants import LEPTON_MASSES
from mcgen.base.errors import InputError, ThresholdError, check_number, choose, refuse_if
from mcgen.base.histogram import histogram
from mcgen.base.table import Table
from mcgen.card.form_factors import named_or_read
from mcgen.physics.emission import cross_section as quadrature
from mcgen.physics.emission import iww
from mcgen.physics.emission.amplitude import Process
from mcgen.physics.emission.rules import rules
from mcgen.source.targets import Target, named, process_on

LEPTONS = ("mu", "e")
OUT_LEPTONS = tuple(LEPTON_MASSES)
SPECTRA = ("x", "t", "theta")


@dataclass(frozen=True, slots=True)
class CrossSection:
    """sigma(E, m_S) in pb at unit coupling, with its numerical error and, if asked for, a spectrum."""

    value: float
    error: float
    edges: Array | None = None  #: of x, of t in GeV^2 or of theta in rad
    bins: Array | None = None  #: cross section per bin in pb
    variable: str | None = None  #: of the spectrum: x, t or theta

    def to_hist(self) -> Any:
        """The spectrum as a histogram of the package hist; InputError if none was asked for."""
        if self.edges is None or self.bins is None:
            message = "to_hist: no spectrum was asked for, it is one of x, t, theta"
            raise InputError(message)
        return histogram(str(self.variable), self.edges, self.bins)


def process_of(
    target: str | Target,
    m_S: float,
    lepton: str = "mu",
    form_factor: str = "paper",
    ww: bool = False,
    mediator: str = "scalar",
    out_lepton: str | None = None,
    parity_angle: float = 0.0,
) -> Process:
    """Constants of the kernels for a target, a beam lepton and a boson.

    Parameters
    ----------
    target : str or Target
        Name such as 'W' or 'Pb', or the target itself.
    m_S : float
        Mass of S in GeV.
    lepton : {"mu", "e"}
    form_factor : str
        Name, or a file with lines of t in GeV^2 and G2.
    ww : bool
        Take the Weizsaecker-Williams limit of the amplitude.
    mediator : {"scalar", "pseudoscalar", "vector", "axial"}
    out_lepton : {"e", "mu", "tau"}, optional
        The outgoing lepton; by default that of the beam.
    parity_angle : float
        Of a scalar or a vector, in degrees.
    """
    target = target if isinstance(target, Target) else named(target)
    m = LEPTON_MASSES[choose(lepton, LEPTONS, "lepton")]
    m_out = m if out_lepton is None else LEPTON_MASSES[choose(out_lepton, OUT_LEPTONS, "out_lepton")]
    name, tables = named_or_read(form_factor, [target.name])
    return process_on(target, m, m_S, mediator, name, tables, ww=ww, m_out=m_out, parity_angle=parity_angle)


def cross_section(
    target: str | Target,
    E_mu: Energy,
    m_S: Energy,
    *,
    lepton: str = "mu",
    mediator: str = "scalar",
    method: str = "exact",
    form_factor: str = "paper",
    spectrum: str | None = None,
    edges: Sequence[float] | Array | None = None,
    out_lepton: str | None = None,
    parity_angle: float = 0.0,
) -> CrossSection:
    """Cross section of l N -> l' N S in pb at unit coupling.

    Parameters
    ----------
    target : str or Target
        Name such as 'W' or 'Pb', or the target itself.
    E_mu, m_S : float or str
        Total energy of the beam lepton and mass of S in GeV, or with units such as "100 MeV".
    lepton : {"mu", "e"}
    mediator : {"scalar", "pseudoscalar", "vector", "axial"}
    method : {"exact", "ww", "iww"}
        The exact amplitude; Weizsaecker-Williams with exact limits; Eqs. 12-13 as printed.
    form_factor : {"paper", "tsai", "elastic", "helm", "fourier-bessel"} or the name of a file
        A file holds lines of t in GeV^2 and G2 (`mcgen.card.form_factors`).
    spectrum : {"x", "t", "theta"}, optional
    edges : array, shape (n + 1,), optional
        Bin edges, of t in GeV^2, of theta in rad; forty bins if not given.
    out_lepton : {"e", "mu", "tau"}, optional
        The outgoing lepton, if it is another one than that of the beam; for any charge of the beam.
    parity_angle : float
        Of a scalar or a vector, in degrees: 0 to 90, where it is a pseudoscalar or an axial vector.

    Returns
    -------
    CrossSection
        Zero below threshold, except for IWW, which knows no recoil.

    Raises
    ------
    InputError
        If a name is unknown or a number out of range; if the lepton changes, also below threshold, where the beam
        lepton would decay, and for a method that does not hold.
    """
    E_mu, m_S = energy(E_mu, "E_mu"), energy(m_S, "m_S")
    check_number("mass", m_S, 1e-12, 1e6)
    process = process_of(
        target, m_S, lepton, form_factor, mediator=mediator, out_lepton=out_lepton, parity_angle=parity_angle
    )
    check_number("energy", E_mu, process.m, 1e6)
    if process.m_out != process.m:
        below = f"energy: {E_mu:g} GeV is below threshold, it needs {process.threshold:.7g} GeV"
        refuse_if(E_mu <= process.threshold, below, ThresholdError)
    return of_process(process, E_mu, method, spectrum, edges)


@dataclass(frozen=True, slots=True)
class XsecRow:
    """A row of `mcgen xsec`: a cross section at unit coupling and what it is of."""

    lepton: str
    target: str
    energy_gev: float
    mass_gev: float
    mediator: str
    method: str
    form_factor: str
    sigma_pb: float
    error_pb: float
    spectrum: dict[str, Any] | None = None  #: variable, edges, and sigma_pb in each bin
    out_lepton: str = ""
    parity_angle: float = 0.0  #: degrees

    def document(self) -> dict[str, Any]:
        """The row as the command's JSON."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    def to_hist(self) -> Any:
        """The spectrum as a histogram of the package hist; InputError if none was asked for."""
        if self.spectrum is None:
            message = "to_hist: this row has no spectrum, ask for one of x, t, theta"
            raise InputError(message)
        return histogram(self.spectrum["variable"], self.spectrum["edges"], self.spectrum["sigma_pb"])


def xsec(
    target: str,
    E_mu: Energies,
    m_S: Energies,
    *,
    lepton: str = "mu",
    mediator: str = "scalar",
    method: str = "exact",
    form_factor: str = "paper",
    spectrum: str | None = None,
    edges: Sequence[float] | Array | None = None,
    out_lepton: str | None = None,
    parity_angle: float = 0.0,
) -> Table[XsecRow]:
    """`cross_section` at each of several energies and masses.

    Parameters
    ----------
    target : str
        Name such as 'W' or 'Pb'.
    E_mu, m_S : float, str or sequence
        Total energies of the beam lepton and masses of S in GeV, or with units such as "10 MeV, 100 MeV".
    lepton : {"mu", "e"}
    mediator : {"scalar", "pseudoscalar", "vector", "axial"}
    method : {"exact", "ww", "iww"}
    form_factor : str
        Name, or a file with lines of t in GeV^2 and G2.
    spectrum : {"x", "t", "theta"}, optional
    edges : array, shape (n + 1,), optional
        Bin edges, of t in GeV^2, of theta in rad; forty bins if not given.
    out_lepton : {"e", "mu", "tau"}, optional
        The outgoing lepton; by default that of the beam.
    parity_angle : float
        Of a scalar or a vector, in degrees.

    Returns
    -------
    Table of XsecRow
        Energy by energy.
    """
    rows: Table[XsecRow] = Table()
    for E, mass in itertools.product(energies(E_mu, "E_mu"), energies(m_S, "m_S")):
        found = cross_section(
            target, E, mass, lepton=lepton, mediator=mediator, method=method, form_factor=form_factor,
            spectrum=spectrum, edges=edges, out_lepton=out_lepton, parity_angle=parity_angle,
        )  # fmt: skip
        shape = None
        if found.edges is not None and found.bins is not None:
            shape = {"variable": spectrum, "edges": found.edges.tolist(), "sigma_pb": found.bins.tolist()}
        sigma = found.value, found.error
        after = out_lepton or lepton, parity_angle
        rows.append(XsecRow(lepton, target, E, mass, mediator, method, form_factor, *sigma, shape, *after))
    return rows


def check_method(method: str, m: float, m_out: float) -> None:
    """Raise InputError if a method does not hold for a lepton that changes its mass from m to m_out, in GeV."""
    refuse_if(method == "iww" and m_out != m, "method: iww is for a lepton that stays what it is (allowed: exact, ww)")
    soft = "a light lepton comes out soft, where Weizsaecker-Williams is 10 to 60 % too large"
    refuse_if(method == "ww" and m_out < m, f"method: ww: {soft} (allowed: exact)")


def of_process(
    process: Process,
    E_mu: float,
    method: str = "exact",
    spectrum: str | None = None,
    edges: Sequence[float] | Array | None = None,
) -> CrossSection:
    """Cross section of a process in pb at unit coupling; `method` counts, and not the approximation of the process.

    Parameters
    ----------
    process : Process
        Constants of the kernels.
    E_mu : float
        Total energy of the beam lepton in GeV.
    method : {"exact", "ww", "iww"}
    spectrum : {"x", "t", "theta"}, optional
    edges : array, shape (n + 1,), optional
        Bin edges, of t in GeV^2, of theta in rad.

    Returns
    -------
    CrossSection
        Zero below threshold, except for IWW, which knows no recoil.
    """
    choose(method, quadrature.METHODS, "method")
    check_method(method, process.m, process.m_out)
    refuse_if(spectrum is None and edges is not None, "edges: are those of a spectrum, and none is asked for")
    process = process._replace(ww=method == "ww")
    if spectrum is None:
        bounds = None
    else:
        choose(spectrum, SPECTRA if method != "iww" else ("x",), f"spectrum ({method})")
        bounds = _edges(E_mu, process, spectrum, edges)
    above = process.threshold < E_mu
    if method == "iww":
        value, error = _iww_between(E_mu, process, 0.0, math.inf)
        bins = [_iww_between(E_mu, process, a * E_mu, b * E_mu)[0] for a, b in _pairs(bounds)]
        return CrossSection(value, error, bounds, np.array(bins) if bounds is not None else None, spectrum)
    value, error = quadrature.sigma(E_mu, process) if above else (0.0, 0.0)
    if bounds is None or spectrum is None:
        return CrossSection(value, error)
    return CrossSection(value, error, bounds, quadrature.spectrum(E_mu, process, spectrum, bounds), spectrum)


def _edges(E: float, process: Process, variable: str, edges: Sequence[float] | Array | None) -> Array:
    if edges is None:
        refuse_if(process.threshold >= E, f"spectrum: {E:g} GeV is below threshold, give the bin edges")
        return quadrature.standard_edges(E, process, variable)
    bounds = np.asarray(edges, dtype=float)
    top = {"x": 1.0, "theta": math.pi, "t": math.inf}[variable]
    if bounds.ndim != 1 or bounds.size < 2 or not np.all(np.diff(bounds) > 0.0) or bounds[0] < 0.0 or bounds[-1] > top:
        message = f"edges of {variable}: at least two increasing numbers from 0 to {top:g}"
        raise InputError(message)
    refuse_if(variable == "t" and bounds[0] <= 0.0, "edges of t: the first one must be positive")
    return bounds


def _pairs(bounds: Array | None) -> list[tuple[float, float]]:
    return [] if bounds is None else [(float(a), float(b)) for a, b in itertools.pairwise(bounds)]


def _iww_between(E: float, process: Process, low: float, high: float) -> tuple[float, float]:
    """IWW cross section in pb with S between two energies, and its numerical error (Eqs. 12-13)."""
    flux = iww.flux(E, process.m, process.m_S, process.ff)
    values = []
    for n in (96, 64):
        energies, sigmas = np.empty(n), np.empty(n)
        quadrature.spectrum_nodes(E, process, low, high, flux, rules(n, 1, 1, 1), energies, sigmas)
        values.append(float(sigmas.sum()))
    return values[0], abs(values[0] - values[1])
