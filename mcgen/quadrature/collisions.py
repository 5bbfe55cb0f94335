"""Cross sections of e+ e- -> f+ f- X, and the nodes of N_S between two radii about the beams of a collider."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.asked import Energies, Energy, energies, energy
from mcgen.base.constants import LEPTON_MASSES
from mcgen.base.errors import check_number, choose, refuse_if
from mcgen.base.table import Table
from mcgen.physics.collider import angles
from mcgen.physics.collider import cross_section as quadrature
from mcgen.physics.collider.amplitude import Collision, collision, energy_range
from mcgen.physics.collider.event_map import Frame
from mcgen.physics.emission.cross_section import BINS
from mcgen.physics.emission.mediator import MEDIATORS
from mcgen.physics.emission.rules import panels
from mcgen.quadrature.xsec import CrossSection, Row, checked_edges
from mcgen.search.search import Search
from mcgen.search.signal import Made
from mcgen.source.collisions import Collisions
from mcgen.source.targets import check_parity

LEPTONS = ("tau", "mu")
#: spectra in the frame of the collision, and the functions that give their bins
SPECTRA: dict[str, Callable[[Collision, Array], Array]] = {
    "energy": quadrature.energy_bins,
    "cos-theta": quadrature.cos_theta_bins,
}
#: rapidity of X beyond which 1e-10 of it flies, and the length of a panel
_FARTHEST, _LENGTH = 12.0, 1.5


def collider_cross_section(
    sqrt_s: Energy,
    m_S: Energy,
    *,
    lepton: str = "tau",
    mediator: str = "scalar",
    parity_angle: float = 0.0,
    spectrum: str | None = None,
    edges: Sequence[float] | Array | None = None,
) -> CrossSection:
    """Cross section of e+ e- -> l+ l- X in pb at unit coupling of X to the lepton: one photon, no Z, no radiation.

    Parameters
    ----------
    sqrt_s, m_S : float or str
        Energy of the collision and mass of X in GeV, or with units such as "100 MeV".
    lepton : {"tau", "mu"}
    mediator : {"scalar", "pseudoscalar", "vector", "axial"}
    parity_angle : float
        Of a scalar or a vector, in degrees: 0 to 90, where it is a pseudoscalar or an axial vector.
    spectrum : {"energy", "cos-theta"}, optional
        Of X in the frame of the collision.
    edges : array, shape (n + 1,), optional
        Bin edges, of the energy in GeV; forty bins if not given.

    Returns
    -------
    CrossSection
        Zero below threshold.

    Raises
    ------
    InputError
        If a name is unknown or a number out of range.
    """
    sqrt_s, m_S = energy(sqrt_s, "sqrt_s"), energy(m_S, "m_S")
    check_number("mass", m_S, 1e-12, 1e6)
    check_number("collider", sqrt_s, 1e-3, 1e6)
    refuse_if(lepton == "e", "lepton: e+ e- -> e+ e- X has further diagrams, here are pairs of tau and mu")
    choose(lepton, LEPTONS, "lepton")
    refuse_if(spectrum is None and edges is not None, "edges: are those of a spectrum, and none is asked for")
    check_parity(choose(mediator, MEDIATORS, "mediator"), parity_angle)
    c = collision(sqrt_s, LEPTON_MASSES[lepton], m_S, mediator, parity_angle)
    value, error = quadrature.sigma(c)
    if spectrum is None:
        return CrossSection(value, error)
    bounds = _edges(c, choose(spectrum, SPECTRA, "spectrum"), edges)
    return CrossSection(value, error, bounds, SPECTRA[spectrum](c, bounds), spectrum)


def _edges(c: Collision, variable: str, edges: Sequence[float] | Array | None) -> Array:
    low, high = (0.0, math.inf) if variable == "energy" else (-1.0, 1.0)
    if edges is not None:
        return checked_edges(edges, variable, low, high)
    if variable == "energy":
        refuse_if(not c.is_open, f"spectrum: {c.sqrt_s:g} GeV is below threshold, give the bin edges")
        low, high = c.m_S, c.m_S + energy_range(c)
    return np.linspace(low, high, BINS + 1)


@dataclass(frozen=True, slots=True)
class CollisionRow(Row):
    """A row of `mcgen xsec --collider`: a cross section at unit coupling and what it is of."""

    lepton: str
    collider_gev: float
    mass_gev: float
    mediator: str
    method: str
    sigma_pb: float
    error_pb: float
    spectrum: dict[str, Any] | None = None  #: variable, edges, and sigma_pb in each bin
    parity_angle: float = 0.0  #: degrees

    @property
    def E(self) -> float:
        """Energy of the collision in GeV."""
        return self.collider_gev


def collider_xsec(
    sqrt_s: Energies,
    m_S: Energies,
    *,
    lepton: str = "tau",
    mediator: str = "scalar",
    parity_angle: float = 0.0,
    spectrum: str | None = None,
    edges: Sequence[float] | Array | None = None,
) -> Table[CollisionRow]:
    """`collider_cross_section` at each of several energies and masses.

    Parameters
    ----------
    sqrt_s, m_S : float, str or sequence
        Energies of the collision and masses of X in GeV, or with units such as "10 MeV, 100 MeV".
    lepton : {"tau", "mu"}
    mediator : {"scalar", "pseudoscalar", "vector", "axial"}
    parity_angle : float
        Of a scalar or a vector, in degrees: 0 to 90, where it is a pseudoscalar or an axial vector.
    spectrum : {"energy", "cos-theta"}, optional
    edges : array, shape (n + 1,), optional
        Bin edges, of the energy in GeV; forty bins if not given.

    Returns
    -------
    Table of CollisionRow
        Energy by energy.
    """
    rows: Table[CollisionRow] = Table()
    for E, mass in itertools.product(energies(sqrt_s, "sqrt_s"), energies(m_S, "m_S")):
        found = collider_cross_section(
            E, mass, lepton=lepton, mediator=mediator, parity_angle=parity_angle, spectrum=spectrum, edges=edges
        )
        sigma = found.value, found.error
        rows.append(CollisionRow(lepton, E, mass, mediator, "exact", *sigma, found.shape, parity_angle))
    return rows


def production(source: Collisions, m_S: float, search: Search | None, n: int) -> Made:
    """Nodes in energy and angle of X; without a search in energy alone.

    Parameters
    ----------
    source : Collisions
    m_S : float
        Mass of X in GeV.
    search : Search, optional
        Whose barrel keeps X at its angles to the beam; without it all X, wherever they decay.
    n : int
        Nodes of a panel.

    Notes
    -----
    Path over momentum is distance from the axis over transverse momentum, the same in every frame: momenta and paths
    are those of the frame of the collision, and only angles are cut in the laboratory.
    """
    c, frame = source.process(m_S), source.frame
    detector, bends = (search.detector if search else None), [0.0, math.inf]
    if detector and (detector.angle_min > 0.0 or detector.angle_max < math.pi):
        bends[1:1] = [E - m_S for E in angles.bends(frame, m_S, (detector.angle_min, detector.angle_max))]
    kinks = search.kinks(math.inf, m_S) if search else []
    if detector and kinks:
        ends = (1.0, -1.0, math.cos(detector.angle_min), math.cos(detector.angle_max))
        bends = sorted({*bends, *_energies(frame, m_S, kinks, ends)})
    parts = [quadrature.nodes(c, low, high, n) for low, high in itertools.pairwise(bends)]
    found = quadrature.Nodes(*map(np.concatenate, zip(*parts, strict=True)))
    E = m_S + found.above
    k = np.sqrt(found.above * (E + m_S))
    if search is None or detector is None:
        nowhere = np.zeros(E.size)
        return Made(found.total, k, np.full(E.size, frame.E_first), nowhere, nowhere)
    columns: list[tuple[Array, ...]] = [(np.empty(0),) * 5]
    for row in zip(E.tolist(), k.tolist(), found.total.tolist(), found.along.tolist(), strict=True):
        cuts = _angles(frame, *row[:2], kinks)
        for low, high in angles.inside(frame, *row[:2], detector.angle_min, detector.angle_max):
            columns.append(_at_angles(row, *_rapidities([low, *(cut for cut in cuts if low < cut < high), high], n)))
    weight, momentum, energy_, cosine, sine = (np.concatenate(column) for column in zip(*columns, strict=True))
    window = detector.r_min / sine, (detector.r_max or math.inf) / sine
    lab = frame.gamma * energy_ + frame.gamma_beta * momentum * cosine
    made = {"S_E": lab, "E_mu": np.full(weight.size, frame.E_first)}
    return search.see(weight, momentum, made, window)


def _energies(frame: Frame, m_S: float, kinks: Sequence[float], cosines: Iterable[float]) -> list[float]:
    """E - m_S in GeV of X that has one of some energies at one of some angles, both in the laboratory."""
    E, cosine = (values.ravel() for values in np.meshgrid(kinks, sorted(set(cosines))))
    above = frame.gamma * E - frame.gamma_beta * np.sqrt((E - m_S) * (E + m_S)) * cosine - m_S
    return [float(at) for at in above if at > 0.0]


def _angles(frame: Frame, E: float, k: float, kinks: Sequence[float]) -> list[float]:
    """Angles in rad at which X of an energy and a momentum has one of some energies in the laboratory, rising."""
    if frame.gamma_beta * k == 0.0:
        return []
    cosines = ((lab - frame.gamma * E) / (frame.gamma_beta * k) for lab in kinks)
    return sorted(math.acos(c) for c in cosines if abs(c) < 1.0)


def _at_angles(row: Sequence[float], h: Array, w: Array) -> tuple[Array, ...]:
    """(weight, k, E, cos, sin) of nodes at one energy."""
    E, k, total, along = row
    cosine, sine = np.tanh(h), 1.0 / np.cosh(h)
    per_cos = 0.375 * (total - along) * (1.0 + cosine**2) + 0.75 * along * sine**2
    return w * sine**2 * per_cos, np.full(h.size, k), np.full(h.size, E), cosine, sine


def _rapidities(limits: Sequence[float], n: int) -> tuple[Array, Array]:
    """Nodes and weights in h, cos = tanh(h), between angles in rad: even where X flies close to the beam."""
    tangent = np.tan(0.5 * np.clip(limits, 1e-12, math.pi - 1e-12))
    return panels(np.clip(-np.log(tangent), -_FARTHEST, _FARTHEST)[::-1], _LENGTH, n)
