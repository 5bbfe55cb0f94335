"""Polarisation of vectors and axial vectors without random numbers: its mean, and what decays make of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.asked import Energy, energy
from mcgen.base.errors import check_number, choose, refuse_if
from mcgen.physics.boson.polarised_decay import ISOTROPIC, into_leptons, share_between
from mcgen.physics.emission.kinematics import momentum
from mcgen.physics.emission.mean_polarisation import spin_dE_du, spin_nodes
from mcgen.physics.emission.mediator import SPIN_1
from mcgen.physics.emission.rules import rules
from mcgen.quadrature.xsec import process_of

#: nodes in x, angle, a piece of log(t) and azimuth; the second set serves to estimate the error
FINE, COARSE = (36, 40, 10, 20), (28, 32, 8, 16)
#: in a piece of log(t) and in azimuth, at a fixed angle
AT_ANGLE = (24, 40)


@dataclass(frozen=True, slots=True)
class Polarisation:
    """Spin density of a vector or an axial vector in its helicity frame, both azimuths integrated."""

    mediator: str
    m_S: float  #: GeV
    sigma: float  #: cross section in pb, or d sigma/(dE_S dcos(theta)) in pb/GeV at one angle, at unit coupling
    rho_00: float
    rho_1m1: float  #: rho_1-1
    re_rho_10: float
    error: float  #: of the elements of rho, numerical
    energy: Array  #: of the boson in GeV, shape (nodes,)
    share: Array  #: of the cross section that each node stands for
    longitudinal: Array  #: rho_00 of each node

    def lambda_theta(self, m_l: float = 0.0) -> float:
        """Coefficient of cos^2 in the angular distribution 1 + lambda cos^2(theta) of leptons of mass m_l in GeV."""
        law = into_leptons(self.m_S, m_l, self._signed(m_l))
        return law.c * (1.0 - 3.0 * self.rho_00) / (2.0 * law.a - law.c * (1.0 - self.rho_00))

    def share_above(self, cut: float, m_l: float = 0.0, isotropic: bool = False) -> float:
        """Share of the decays into two leptons in which both have more than some part of the boson's energy.

        Parameters
        ----------
        cut : float
            That part, above 0 and up to 0.5.
        m_l : float
            Mass of each lepton in GeV.
        isotropic : bool
            Of isotropic decays instead.
        """
        check_number("cut", cut, 0.0, 0.5)
        refuse_if(not 0.0 <= 2.0 * m_l < self.m_S, f"m_l: {m_l:g} must lie in 0..{0.5 * self.m_S:g}")
        law = ISOTROPIC if isotropic else into_leptons(self.m_S, m_l, self._signed(m_l))
        velocity = np.sqrt((1.0 - self.m_S / self.energy) * (1.0 + self.m_S / self.energy))
        spread = velocity * math.sqrt(1.0 - (2.0 * m_l / self.m_S) ** 2)
        with np.errstate(divide="ignore"):
            limit = np.minimum(1.0, (1.0 - 2.0 * cut) / spread)
        return float(self.share @ share_between(self.longitudinal, law, limit))

    def _signed(self, m_l: float) -> float:
        return m_l if self.mediator == "vector" else -m_l


def mean_polarisation(
    target: str,
    E_mu: Energy,
    m_S: Energy,
    *,
    mediator: str = "vector",
    lepton: str = "mu",
    form_factor: str = "paper",
    x: tuple[float, float] = (0.0, 1.0),
) -> Polarisation:
    """Spin density averaged over the cross section of l N -> l N X.

    Parameters
    ----------
    target : str
        Name such as 'W' or 'Pb'.
    E_mu, m_S : float or str
        Total energy of the beam lepton and mass of the boson in GeV, or with units such as "100 MeV".
    mediator : {"vector", "axial"}
    lepton : {"mu", "e"}
    form_factor : str
        Name, or a file with lines of t in GeV^2 and G2.
    x : (float, float)
        Only bosons with E_S/E_mu between these.

    Returns
    -------
    Polarisation

    Raises
    ------
    InputError
        If a name is unknown, a number out of range, or no boson is made.
    """
    E, mass = energy(E_mu, "E_mu"), energy(m_S, "m_S")
    process = process_of(target, mass, lepton, form_factor, mediator=choose(mediator, SPIN_1, "mediator"))
    refuse_if(process.threshold >= E, f"E_mu: {E:g} GeV is below threshold, {process.threshold:.4g} GeV")
    refuse_if(not 0.0 <= x[0] < x[1] <= 1.0, "x: should be two rising numbers from 0 to 1")
    made = []
    for n_x, n_u, n_t, n_phi in (FINE, COARSE):
        out = np.empty((n_x, n_u, 5))
        spin_nodes(E, process, x[0] * E, x[1] * E, rules(n_x, 1, n_t, 1), rules(n_u, 1, 1, 1), n_phi, out)
        made.append(out.reshape(-1, 5))
    sums = [out[:, 1:].sum(axis=0) for out in made]
    refuse_if(not sums[0][0] > 0.0, f"x: no boson is made between {x[0]:g} and {x[1]:g}")
    error = float(np.max(np.abs(sums[0][1:] / sums[0][0] - sums[1][1:] / sums[1][0])))
    return _of(mediator, mass, made[0], error)


def polarisation_at(
    target: str,
    E_mu: Energy,
    m_S: Energy,
    x: float,
    theta: float,
    *,
    mediator: str = "vector",
    lepton: str = "mu",
    form_factor: str = "paper",
) -> Polarisation:
    """Spin density at one energy and angle of the boson.

    Parameters
    ----------
    target, E_mu, m_S, mediator, lepton, form_factor
        As in `mean_polarisation`.
    x : float
        E_S/E_mu.
    theta : float
        Polar angle in the laboratory in rad.

    Returns
    -------
    Polarisation

    Raises
    ------
    InputError
        If a name is unknown, a number out of range, or no boson is made there.
    """
    E, mass = energy(E_mu, "E_mu"), energy(m_S, "m_S")
    process = process_of(target, mass, lepton, form_factor, mediator=choose(mediator, SPIN_1, "mediator"))
    check_number("theta", theta, 0.0, math.pi)
    E_S, rows = x * E, []
    refuse_if(not mass < E_S < E - process.m_out, f"x: {x:g} is no energy that a boson of {mass:g} GeV can have")
    for n_t, n_phi in (AT_ANGLE, (AT_ANGLE[0] - 6, AT_ANGLE[1] - 10)):
        nodes = rules(1, 1, n_t, 1)
        rows.append(np.array([[E_S, *spin_dE_du(E, process, E_S, 2.0 * math.sin(0.5 * theta) ** 2, nodes, n_phi)]]))
    refuse_if(not rows[0][0, 1] > 0.0, f"theta: no boson of x = {x:g} flies at {theta:g} rad")
    error = float(np.max(np.abs(rows[0][0, 2:] / rows[0][0, 1] - rows[1][0, 2:] / rows[1][0, 1])))
    rows[0][0, 1:] *= 2.0 * momentum(E, process.m) * momentum(E_S, mass)  # d|u|/dcos(theta)
    return _of(mediator, mass, rows[0], error)


def _of(mediator: str, m_S: float, nodes: Array, error: float) -> Polarisation:
    """From rows of energy, trace, T_zz, (T_yy - T_xx)/2 and T_xz."""
    nodes = nodes[nodes[:, 1] > 0.0]
    trace, zz, apart, xz = nodes[:, 1:].sum(axis=0)
    density = float(zz / trace), float(apart / trace), float(-xz / trace / math.sqrt(2.0))
    return Polarisation(
        mediator, m_S, float(trace), *density, error, nodes[:, 0], nodes[:, 1] / trace, nodes[:, 2] / nodes[:, 1]
    )
