"""Couplings -g_l S lbar l of the scalar to charged leptons (Eqs. 1-2)."""

from __future__ import annotations

from typing import NamedTuple

from mcgen.constants import M_E, M_MU, M_TAU


class Couplings(NamedTuple):
    """Couplings of S to electron, muon and tau."""

    g_e: float
    g_mu: float
    g_tau: float


def model_A(g_mu: float) -> Couplings:
    """Couplings proportional to the lepton mass, g_l = g_mu m_l/m_mu (Eqs. 1-2)."""
    return Couplings(g_mu * M_E / M_MU, g_mu, g_mu * M_TAU / M_MU)


def model_B(g_mu: float) -> Couplings:
    """A coupling to the muon alone (Eq. 1)."""
    return Couplings(0.0, g_mu, 0.0)


MODELS = {"A": model_A, "B": model_B}
