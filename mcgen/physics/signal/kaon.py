"""Background from K_L made by the muons in the target, an estimate to order one (Eqs. 21-22)."""

from __future__ import annotations

import math
from typing import NamedTuple

from mcgen.base.constants import ALPHA, M_MU, M_P
from mcgen.physics.emission.rules import gauss

M_K = 0.497611  #: K0, GeV (PDG 2020)
TAU_K_L_CM = 1534.0  #: c tau of K_L in cm (PDG 2020)
M_SIGMA = 1.18937  #: Sigma+, GeV (PDG 2020)
#: photon energy at which gamma p -> K0 Sigma+ begins, GeV
THRESHOLD = ((M_K + M_SIGMA) ** 2 - M_P**2) / (2.0 * M_P)


class KaonModel(NamedTuple):
    """Assumptions of the estimate; the result is exponential in the attenuation length."""

    sigma_cm2: float = 0.8e-30  #: photoproduction per nucleon, 0.8 microbarn as in the paper
    attenuation_cm: float = 5.72  #: nuclear collision length of tungsten; the interaction length is 9.94 cm
    share_K_L: float = 0.5  #: K_L per K0
    branching: float = 0.68  #: K_L decays with charged leptons: K_e3 0.41, K_mu3 0.27 (PDG 2020)
    q2_max: float = 1.0  #: largest photon virtuality in GeV^2


def photon_spectrum(omega: float, E_mu: float, q2_max: float) -> float:
    """Equivalent photons per GeV of a muon, 1/GeV (Eq. 21).

    Notes
    -----
    Budnev et al., Phys. Rept. 15 (1975) 181; q2_min = m_mu^2 y^2/(1 - y), y = omega/E_mu.
    """
    y = omega / E_mu
    if not 0.0 < y < 1.0:
        return 0.0
    q2_min = M_MU**2 * y * y / (1.0 - y)
    if q2_min >= q2_max:
        return 0.0
    bracket = (1.0 + (1.0 - y) ** 2) * math.log(q2_max / q2_min) - 2.0 * M_MU**2 * y * y * (1.0 / q2_min - 1.0 / q2_max)
    return max(0.0, ALPHA / (2.0 * math.pi * omega) * bracket)


def kaon_background(
    n_muons: float,
    nucleons_per_cm3: float,
    E_beam: float,
    dE_dy: float,
    L_tg: float,
    L_det: float,
    model: KaonModel | None = None,
) -> float:
    """K_L that leave the target and decay in the detector (Eq. 22).

    A muon of energy E, Delta y deep in the target, makes a K_L of about half the photon's energy; it survives
    the rest of the target with exp(-(L_tg - Delta y)/attenuation) and decays within L_det.

    Parameters
    ----------
    n_muons : float
        Muons on target.
    nucleons_per_cm3 : float
        Density of nucleons.
    E_beam, dE_dy : float
        GeV and GeV/cm.
    L_tg, L_det : float
        cm.
    model : KaonModel, optional

    Returns
    -------
    float
        Order of magnitude of the number of K_L decays; 0 below threshold.
    """
    model = model or KaonModel()
    lowest = max(THRESHOLD + M_MU, E_beam - L_tg * dE_dy)
    if lowest >= E_beam:
        return 0.0
    nodes, weights = gauss(48)
    total = 0.0
    for x, w in zip(nodes, weights, strict=True):
        E = lowest + x * (E_beam - lowest)
        attenuation = math.exp(-(L_tg - (E_beam - E) / dE_dy) / model.attenuation_cm)
        produced = 0.0
        for y, v in zip(nodes, weights, strict=True):
            omega = THRESHOLD + y * (E - M_MU - THRESHOLD)
            p_K = math.sqrt(max(0.0, (0.5 * omega) ** 2 - M_K**2))
            if p_K > 0.0:
                decays = -math.expm1(-L_det * M_K / (p_K * TAU_K_L_CM))
                produced += v * (E - M_MU - THRESHOLD) * photon_spectrum(omega, E, model.q2_max) * decays
        total += w * (E_beam - lowest) / dE_dy * attenuation * produced
    return n_muons * nucleons_per_cm3 * model.sigma_cm2 * model.share_K_L * model.branching * total
