"""Contribution of the scalar to the anomalous magnetic moment of the muon (Eq. 3)."""

from __future__ import annotations

import math

import numpy as np

from mcgen.constants import M_MU


def delta_a_mu(g_mu: float, m_S: float) -> float:
    """One-loop shift of a_mu by a scalar of mass m_S in GeV (Eq. 3).

    g_mu^2/(8 pi^2) times the integral over z of (1 + z) (1 - z)^2/((1 - z)^2 + z r^2), r = m_S/m_mu.
    """
    r2 = (m_S / M_MU) ** 2
    # tanh-sinh rule: both y = 1 - z and z stay exact where a light or a heavy scalar makes the integrand turn
    tau = np.linspace(-4.2, 4.2, 421)
    steep = math.pi * np.sinh(tau)
    y, z = 1.0 / (1.0 + np.exp(-steep)), 1.0 / (1.0 + np.exp(steep))
    integrand = (1.0 + z) * y**2 / (y**2 + z * r2)
    integral = float(np.sum(integrand * y * z * math.pi * np.cosh(tau)) * (tau[1] - tau[0]))
    return g_mu**2 / (8.0 * math.pi**2) * integral
