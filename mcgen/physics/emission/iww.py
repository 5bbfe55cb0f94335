"""Improved Weizsaecker-Williams cross section, kept to be judged against the exact one (Eq. 12)."""

from __future__ import annotations

import math

from mcgen.base.constants import ALPHA, GEV2_PB
from mcgen.base.jit import jit
from mcgen.physics.emission.form_factor import FormFactor
from mcgen.physics.emission.mediator import Weights, x_shape
from mcgen.physics.emission.photon_flux import chi


@jit
def t_limits(E: float, m: float, m_S: float) -> tuple[float, float]:
    """Limits of t in GeV^2 as the paper takes them: m_S^4/4E^2 and m_S^2 + m_mu^2 (Eq. 13).

    Notes
    -----
    Differs from the exact process: this t_min drops the muon mass and the angle; it is why IWW lies 1.1 to 190
    times above the exact cross section.
    """
    return (0.5 * m_S * m_S / E) ** 2, m_S * m_S + m * m


@jit
def flux(E: float, m: float, m_S: float, ff: FormFactor) -> float:
    """chi with the paper's limits of t (Eq. 13).

    Parameters
    ----------
    E, m, m_S : float
        Total beam energy, lepton and scalar mass in GeV.
    ff : FormFactor
        Form factor of the target.
    """
    t_min, t_max = t_limits(E, m, m_S)
    return chi(t_min, t_max, ff)


@jit
def dsigma_dx(E: float, x: float, m: float, m_S: float, weights: Weights, chi_E: float) -> float:
    """d sigma/dx in pb at unit coupling for m_S/E < x < 1, else 0 (Eq. 12).

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    x : float
        E_S/E.
    m, m_S : float
        Lepton and scalar mass in GeV.
    weights : Weights
        Those of the mediator.
    chi_E : float
        Photon flux at E (`flux`).
    """
    if not m_S < x * E < E:
        return 0.0
    beta = math.sqrt((1.0 - (m / E) ** 2) * (1.0 - (m_S / (x * E)) ** 2))  # beta_mu * beta_S
    return GEV2_PB * ALPHA * ALPHA / (4.0 * math.pi) * chi_E * beta * x_shape(x, m, m_S, weights)
