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
from mcgen.base.constants import LEPTON_MASSES, M_E, M_MU
from mcgen.base.errors import InputError, ThresholdError, check_number, choose, refuse_if
from mcgen.base.histogram import histogram
from mcgen.base.table import Table
from mcgen.card.form_factors import allowed, named_or_read
from mcgen.physics.emission import cross_section as quadrature
from mcgen.physics.emission import iww
from mcgen.physics.emission.amplitude import Process
from mcgen.physics.emission.rules import rules
from mcgen.physics.emission.struck_electron import BothLines
from mcgen.physics.matter.materials import ELEMENTS
from mcgen.quadrature.spectra import check_method
from mcgen.source.targets import Target, in_atom, named, process_on, scattering_on

#: names of beam leptons: mass in GeV, and charge; mu is mu+, as in the paper
LEPTONS = {"mu": (M_MU, 1), "mu+": (M_MU, 1), "mu-": (M_MU, -1), "e": (M_E, -1)}
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

    @property
    def shape(self) -> dict[str, Any] | None:
        """The spectrum as JSON has it, if there is one."""
        if self.edges is None or self.bins is None:
            return None
        return {"variable": self.variable, "edges": self.edges.tolist(), "sigma_pb": self.bins.tolist()}

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
    lepton : {"mu", "mu+", "mu-", "e"}
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
    m, _ = LEPTONS[choose(lepton, LEPTONS, "lepton")]
    m_out = _mass_out(out_lepton, m)
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
    form_factor: str | None = None,
    process: str = "nuclear",
    electron_coupling: float = 0.0,
    spectrum: str | None = None,
    edges: Sequence[float] | Array | None = None,
    out_lepton: str | None = None,
    parity_angle: float = 0.0,
) -> CrossSection:
    """Cross section of l N -> l' N S, or per atom of l e -> l e S, in pb at unit coupling.

    Parameters
    ----------
    target : str or Target
        Name such as 'W' or 'Pb', or the target itself.
    E_mu, m_S : float or str
        Total energy of the beam lepton and mass of S in GeV, or with units such as "100 MeV".
    lepton : {"mu", "mu+", "mu-", "e"}
        mu is mu+; where electrons are hit, its charge is the sign of the interference of a vector.
    mediator : {"scalar", "pseudoscalar", "vector", "axial"}
    method : {"exact", "ww", "iww"}
        The exact amplitude; Weizsaecker-Williams with exact limits; Eqs. 12-13 as printed.
    form_factor : {"paper", "tsai", "elastic", "helm", "fourier-bessel"} or the name of a file, optional
        A file holds lines of t in GeV^2 and G2 (`mcgen.card.form_factors`). By default paper, or elastic with
        process `all`; free electrons have none.
    process : {"nuclear", "electron", "all"}
        What of an atom is hit: the nucleus, its Z electrons, or both, the nucleus elastically.
    electron_coupling : float
        Coupling to electrons over that to the beam lepton, where electrons are hit.
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
        On nuclei zero below threshold, except for IWW, which knows no recoil.

    Raises
    ------
    InputError
        If a name is unknown or a number out of range; on electrons, or if the lepton changes, also below threshold, for
        a method that does not hold, and where the beam lepton would decay.
    """
    E_mu, m_S = energy(E_mu, "E_mu"), energy(m_S, "m_S")
    check_number("mass", m_S, 1e-12, 1e6)
    m, charge = LEPTONS[choose(lepton, LEPTONS, "lepton")]
    hit = _hit(target, process)
    electrons = any(one.spin_half for one, _ in hit)
    _check_electrons(electrons, lepton, electron_coupling)
    name, tables = _form_factor(form_factor, process, [one.name for one, _ in hit])
    how: dict[str, Any] = {"kind": process, "ratio": electron_coupling, "charge": charge, "ww": method == "ww"}
    how |= {"m_out": _mass_out(out_lepton, m), "parity_angle": parity_angle}
    parts = [(scattering_on(one, m, m_S, mediator, name, tables, **how), number) for one, number in hit]
    check_number("energy", E_mu, m, 1e6)
    threshold = min(part.threshold for part, _ in parts)
    below = f"energy: {E_mu:g} GeV is below threshold, {threshold:.7g} GeV for {m_S:g} GeV"
    refuse_if((electrons or how["m_out"] != m) and E_mu <= threshold, below, ThresholdError)
    if spectrum is not None and edges is None and len(parts) > 1:
        first = next(part for part, _ in parts if part.threshold < E_mu)
        edges = _edges(E_mu, first, choose(spectrum, SPECTRA, "spectrum"), None)
    found = [(of_process(part, E_mu, method, spectrum, edges), number) for part, number in parts]
    return found[0][0] if len(found) == 1 and found[0][1] == 1.0 else _sum(found)


def _mass_out(out_lepton: str | None, m: float) -> float:
    """Mass of the outgoing lepton in GeV, by default that of the beam."""
    return m if out_lepton is None else LEPTON_MASSES[choose(out_lepton, OUT_LEPTONS, "out_lepton")]


def _hit(target: str | Target, process: str) -> list[tuple[Target, float]]:
    """What of an atom is hit, and how many of them; of a target that is no element itself alone."""
    if isinstance(target, Target) or target not in ELEMENTS:
        return [(target if isinstance(target, Target) else named(target), 1.0)]
    return in_atom(process, ELEMENTS[target])


def _check_electrons(electrons: bool, lepton: str, electron_coupling: float) -> None:
    far = not abs(electron_coupling) <= 1e6
    refuse_if(far, f"electron_coupling: {electron_coupling:g} must lie in -1e6..1e6")
    coupled = electron_coupling != 0.0 and not electrons
    refuse_if(coupled, "electron_coupling: is of process electron or all, a nucleus alone has no electron to couple to")
    refuse_if(electrons and lepton == "e", "lepton e: on electrons it is another process; take mu, mu+ or mu-")


def _form_factor(asked: str | None, process: str, targets: list[str]) -> tuple[str, dict[str, str]]:
    """Name of a form factor, and the user's table if it is one."""
    if asked is None or process == "electron":
        return allowed(asked, process), {}
    name, tables = named_or_read(asked, targets[:1])
    return allowed(name, process), tables


def _sum(parts: list[tuple[CrossSection, float]]) -> CrossSection:
    """Cross section of an atom from those of its parts, each with their number."""
    value, error = (sum(n * getattr(part, key) for part, n in parts) for key in ("value", "error"))
    first, _ = parts[0]
    shapes = [n * part.bins for part, n in parts if part.bins is not None]
    bins = np.sum(shapes, axis=0) if shapes else None
    return CrossSection(value, error, first.edges, bins, first.variable)


class Row:
    """A row of a table of cross sections; its fields are the keys of the JSON document."""

    __slots__ = ()

    spectrum: dict[str, Any] | None

    def document(self) -> dict[str, Any]:
        """The row as the command's JSON."""
        return {key: value for key, value in asdict(self).items() if value is not None}  # type: ignore[call-overload]

    def to_hist(self) -> Any:
        """The spectrum as a histogram of the package hist; InputError if none was asked for."""
        if self.spectrum is None:
            message = "to_hist: this row has no spectrum, ask for one"
            raise InputError(message)
        return histogram(self.spectrum["variable"], self.spectrum["edges"], self.spectrum["sigma_pb"])


@dataclass(frozen=True, slots=True)
class XsecRow(Row):
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
    process: str
    electron_coupling: float
    out_lepton: str
    parity_angle: float  #: degrees
    spectrum: dict[str, Any] | None = None  #: variable, edges, and sigma_pb in each bin

    @property
    def E(self) -> float:
        """Energy of the beam in GeV."""
        return self.energy_gev


def xsec(
    target: str,
    E_mu: Energies,
    m_S: Energies,
    *,
    lepton: str = "mu",
    mediator: str = "scalar",
    method: str = "exact",
    form_factor: str | None = None,
    process: str = "nuclear",
    electron_coupling: float = 0.0,
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
    lepton : {"mu", "mu+", "mu-", "e"}
    mediator : {"scalar", "pseudoscalar", "vector", "axial"}
    method : {"exact", "ww", "iww"}
    form_factor : str, optional
        Name, or a file with lines of t in GeV^2 and G2.
    process : {"nuclear", "electron", "all"}
        What of an atom is hit.
    electron_coupling : float
        Coupling to electrons over that to the beam lepton.
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
            process=process, electron_coupling=electron_coupling, spectrum=spectrum, edges=edges, out_lepton=out_lepton,
            parity_angle=parity_angle,
        )  # fmt: skip
        of = lepton, target, E, mass, mediator, method, form_factor or allowed(None, process)
        how = process, electron_coupling, out_lepton or lepton.rstrip("+-"), parity_angle
        rows.append(XsecRow(*of, found.value, found.error, *how, found.shape))
    return rows


def of_process(
    process: Process | BothLines,
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
    check_method(method, process)
    refuse_if(spectrum is None and edges is not None, "edges: are those of a spectrum, and none is asked for")
    process = _approximated(process, method)
    if spectrum is None:
        bounds = None
    else:
        choose(spectrum, ("x",) if method == "iww" else tuple(quadrature.bins(process)), f"spectrum ({method})")
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


def _approximated(process: Process | BothLines, method: str) -> Process | BothLines:
    return process._replace(ww=method == "ww") if isinstance(process, Process) else process


def _edges(E: float, process: Process | BothLines, variable: str, edges: Sequence[float] | Array | None) -> Array:
    if edges is None:
        refuse_if(process.threshold >= E, f"spectrum: {E:g} GeV is below threshold, give the bin edges")
        return quadrature.standard_edges(E, process, variable)
    bounds = checked_edges(edges, variable, 0.0, {"x": 1.0, "theta": math.pi, "t": math.inf}[variable])
    refuse_if(variable == "t" and bounds[0] <= 0.0, "edges of t: the first one must be positive")
    return bounds


def checked_edges(edges: Sequence[float] | Array, variable: str, low: float, high: float) -> Array:
    """Edges of bins as an array; InputError unless they increase between two limits."""
    bounds = np.asarray(edges, dtype=float)
    rising = bounds.ndim == 1 and bounds.size > 1 and bool(np.all(np.diff(bounds) > 0.0))
    fits = rising and low <= bounds[0] and bounds[-1] <= high and bool(np.all(np.isfinite(bounds)))
    refuse_if(not fits, f"edges of {variable}: at least two increasing numbers from {low:g} to {high:g}")
    return bounds


def _pairs(bounds: Array | None) -> list[tuple[float, float]]:
    return [] if bounds is None else [(float(a), float(b)) for a, b in itertools.pairwise(bounds)]


def _iww_between(E: float, process: Any, low: float, high: float) -> tuple[float, float]:
    """IWW cross section in pb with S between two energies, and its numerical error (Eqs. 12-13)."""
    flux = iww.flux(E, process.m, process.m_S, process.ff)
    values = []
    for n in (96, 64):
        energies, sigmas = np.empty(n), np.empty(n)
        quadrature.spectrum_nodes(E, process, low, high, flux, rules(n, 1, 1, 1), energies, sigmas)
        values.append(float(sigmas.sum()))
    return values[0], abs(values[0] - values[1])
