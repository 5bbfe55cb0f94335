"""Couplings of the boson to leptons, -g_l S lbar l for a scalar (Eqs. 1-2)."""

from __future__ import annotations

from typing import NamedTuple

from mcgen.base.constants import M_E, M_MU, M_TAU


class Couplings(NamedTuple):
    """Couplings of S to electron, muon and tau, and to each of the left-handed nu_mu and nu_tau."""

    g_e: float
    g_mu: float
    g_tau: float
    g_nu: float = 0.0
    g_flavour: float = 0.0  #: that changes the beam's lepton into another one


def model_A(g_mu: float) -> Couplings:
    """Couplings proportional to the lepton mass, g_l = g_mu m_l/m_mu (Eqs. 1-2)."""
    return Couplings(g_mu * M_E / M_MU, g_mu, g_mu * M_TAU / M_MU)


def model_B(g_mu: float) -> Couplings:
    """A coupling to the muon alone (Eq. 1)."""
    return Couplings(0.0, g_mu, 0.0)


def dark_photon(g_mu: float) -> Couplings:
    """The same coupling to every charged lepton; a vector also couples to quarks, by their charge (`to_quarks`)."""
    return Couplings(g_mu, g_mu, g_mu)


def Lmu_Ltau(g_mu: float) -> Couplings:
    """The charge L_mu - L_tau, neutrinos included; no kinetic mixing, so no quarks."""
    return Couplings(0.0, g_mu, -g_mu, g_mu)


def flavour(_: float) -> Couplings:
    """No coupling but the one that changes a lepton into another, which a card adds to every model."""
    return Couplings(0.0, 0.0, 0.0)


def to_quarks(model: str | Couplings, g_mu: float) -> float:
    """Coupling to quarks in units of their charge: that of a dark photon, 0 of all other models.

    Explicit couplings are those to leptons alone. An axial boson of the model dark-photon has no hadronic width here:
    its coupling to quarks is no part of the model, and no measurement gives the width.
    """
    return g_mu if model == "dark-photon" else 0.0


MODELS = {"A": model_A, "B": model_B, "dark-photon": dark_photon, "Lmu-Ltau": Lmu_Ltau, "flavour": flavour}
#: the model that needs a card with another outgoing lepton
FLAVOUR = "flavour"
#: models that make sense for each mediator
MODELS_OF = {
    "scalar": ("A", "B"),
    "pseudoscalar": ("A", "B"),
    "vector": ("dark-photon", "Lmu-Ltau"),
    "axial": ("dark-photon", "Lmu-Ltau"),
}
