"""Energy that muons lose to bremsstrahlung, electron pairs and photonuclear reactions.

Formulas: Groom, Mokhov and Striganov, At. Data Nucl. Data Tables 78 (2001) 183, section 4, after
Kelner, Kokoulin and Petrukhin, Phys. At. Nucl. 60 (1997) 576 (bremsstrahlung); Kokoulin and Petrukhin, Proc. 12th
ICRC (1971) 2436, and Kelner, Phys. At. Nucl. 61 (1998) 448 (pairs); Bezrukov and Bugaev, Sov. J. Nucl. Phys. 33
(1981) 635 (photonuclear). v is the energy fraction lost, E the total energy in GeV; losses are GeV cm^2/g.
"""

from __future__ import annotations

import math

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.constants import ALPHA, AVOGADRO, HBARC_GEV_CM, M_E, M_MU, M_P, M_PI
from mcgen.physics.emission.rules import gauss

#: keys of references.bib
REFERENCES = ("Groom:2001", "Kelner:1997", "Kokoulin:1971", "Kelner:1998", "Bezrukov:1981")

R_E = ALPHA * HBARC_GEV_CM / M_E  #: classical electron radius, cm
SQRT_E = math.sqrt(math.e)
MICROBARN_CM2 = 1e-30

N_V = 64  #: nodes in v
N_RHO = 24  #: nodes in the asymmetry of the pair
#: energies whose nodes fit into the fast memory of a processor: half the time of all at once, and the same bits
_AT_ONCE = 8


def v_max(E: Array, Z: float) -> Array:
    """Largest energy fraction lost to a photon or a pair; above it the size of the nucleus suppresses both."""
    return 1.0 - 0.75 * SQRT_E * M_MU / E * math.cbrt(Z)


def bremsstrahlung_nucleus(v: Array, E: Array, Z: float, A: float) -> Array:
    """v dsigma/dv in cm^2 of bremsstrahlung on the nucleus, with screening and nuclear size.

    Parameters
    ----------
    v : array
        Energy fraction lost.
    E : array
        Total energy of the muon in GeV; broadcast with v.
    Z, A : float
        Charge and mass number of the nucleus.
    """
    B = (202.4 if Z == 1.0 else 182.7) / math.cbrt(Z)
    D = 1.54 * math.pow(A, 0.27)
    delta = 0.5 * M_MU**2 * v / (E * (1.0 - v))
    phi = np.log(B * (M_MU + delta * (D * SQRT_E - 2.0)) / (D * (M_E + delta * SQRT_E * B)))
    return ALPHA * (2.0 * Z * R_E * M_E / M_MU) ** 2 * (4.0 / 3.0 * (1.0 - v) + v * v) * np.maximum(phi, 0.0)


def bremsstrahlung_electrons(v: Array, E: Array, Z: float) -> Array:
    """v dsigma/dv in cm^2 of the photon that the muon emits in the field of the atomic electrons."""
    B = (446.0 if Z == 1.0 else 1429.0) / math.cbrt(Z) ** 2
    delta = 0.5 * M_MU**2 * v / (E * (1.0 - v))
    phi: Array = np.log(M_MU / (delta * (M_MU * delta / M_E**2 + SQRT_E))) - np.log1p(M_E / (delta * B * SQRT_E))
    return ALPHA * Z * (2.0 * R_E * M_E / M_MU) ** 2 * (4.0 / 3.0 * (1.0 - v) + v * v) * np.maximum(phi, 0.0)


def pair_electron_share(E: Array, Z: float) -> Array:
    """zeta of Kelner (1998): pairs on atomic electrons are zeta/Z times those on the nucleus."""
    gamma1, gamma2 = (4.4e-5, 4.8e-5) if Z == 1.0 else (1.95e-5, 5.3e-5)
    gamma = E / M_MU
    above = 0.073 * np.log(gamma / (1.0 + gamma1 * math.cbrt(Z) ** 2 * gamma)) - 0.26
    below = 0.058 * np.log(gamma / (1.0 + gamma2 * math.cbrt(Z) * gamma)) - 0.14
    return np.where(above > 0.0, above / np.where(above > 0.0, below, 1.0), 0.0)


def _B_e(xi: Array, r2: Array, beta: Array) -> Array:
    full = ((2.0 + r2) * (1.0 + beta) + xi * (3.0 + r2)) * np.log1p(1.0 / xi)
    full += (1.0 - r2 - beta) / (1.0 + xi) - (3.0 + r2)
    return np.where(xi > 1e5, (3.0 - r2 + 2.0 * beta * (1.0 + r2)) / (2.0 * xi), full)  # there, full loses its digits


def _B_mu(xi: Array, r2: Array, beta: Array) -> Array:
    full = ((1.0 + r2) * (1.0 + 1.5 * beta) - (1.0 + 2.0 * beta) * (1.0 - r2) / xi) * np.log1p(xi)
    full += xi * (1.0 - r2 - beta) / (1.0 + xi) + (1.0 + 2.0 * beta) * (1.0 - r2)
    return np.where(xi < 1e-5, 0.5 * xi * (5.0 - r2 + beta * (3.0 + r2)), full)


def pair_production(v: Array, rho: Array, E: Array, Z: float) -> Array:
    """v d^2sigma/(dv drho) in cm^2 of electron pairs.

    Parameters
    ----------
    v, rho : array
        Energy fraction lost, and asymmetry (E_+ - E_-)/(E_+ + E_-) of the pair.
    E : array
        Total energy of the muon in GeV; v, rho and E are broadcast.
    Z : float
        Charge of the nucleus.
    """
    r2 = rho * rho
    one_r2 = (1.0 - rho) * (1.0 + rho)
    beta = 0.5 * v * v / (1.0 - v)
    xi = (0.5 * M_MU * v / M_E) ** 2 * one_r2 / (1.0 - v)
    A_Z = 183.0 / math.cbrt(Z)

    Y_e = (5.0 - r2 + 4.0 * beta * (1.0 + r2)) / (
        2.0 * (1.0 + 3.0 * beta) * np.log(3.0 + 1.0 / xi) - r2 - 2.0 * beta * (2.0 - r2)
    )
    Y_mu = (4.0 + r2 + 3.0 * beta * (1.0 + r2)) / ((1.0 + r2) * (1.5 + 2.0 * beta) * np.log(3.0 + xi) + 1.0 - 1.5 * r2)
    screening = 2.0 * M_E * SQRT_E * A_Z * (1.0 + xi) / (E * v * one_r2)
    near = (1.0 + xi) * (1.0 + Y_e)
    L_e = np.log(A_Z * np.sqrt(near) / (1.0 + screening * (1.0 + Y_e)))
    L_e -= 0.5 * np.log1p((1.5 * M_E / M_MU * math.cbrt(Z)) ** 2 * near)
    L_mu = np.log(2.0 / 3.0 * M_MU / M_E * A_Z / math.cbrt(Z) / (1.0 + screening * (1.0 + Y_mu)))

    phi = _B_e(xi, r2, beta) * np.maximum(L_e, 0.0)
    phi += (M_E / M_MU) ** 2 * _B_mu(xi, r2, beta) * np.maximum(L_mu, 0.0)
    front = 2.0 / (3.0 * math.pi) * Z * (Z + pair_electron_share(E, Z)) * (ALPHA * R_E) ** 2
    return front * (1.0 - v) * phi


def photonuclear(v: Array, E: Array, Z: float, A: float) -> Array:
    """v dsigma/dv in cm^2 of inelastic scattering on the nucleus, by vector-meson dominance with shadowing.

    Parameters
    ----------
    v : array
        Energy fraction lost.
    E : array
        Total energy of the muon in GeV; broadcast with v.
    Z, A : float
        Charge and mass number of the nucleus.
    """
    k = E * v
    sigma = 114.3 + 1.647 * np.log(0.0213 * k) ** 2  # photon on nucleon, microbarn
    x = 0.00282 * math.cbrt(A) * sigma
    G = 3.0 / x**3 * (0.5 * x * x - 1.0 + np.exp(-x) * (1.0 + x)) if Z > 1.0 else np.ones_like(x)
    t = (M_MU * v) ** 2 / (1.0 - v)
    m1, m2 = 0.54, 1.80  # GeV^2
    kappa = 1.0 - 2.0 / v + 2.0 / (v * v)
    muon = 2.0 * M_MU**2 / t
    bracket = 0.75 * G * (kappa * np.log1p(m1 / t) - kappa * m1 / (m1 + t) - muon)
    bracket += 0.25 * (kappa * np.log1p(m2 / t) - muon)
    bracket += 0.25 * muon * (0.75 * G * m1 / (m1 + t) + 0.25 * m2 / t * np.log1p(t / m2))
    return 0.5 * ALPHA / math.pi * A * sigma * MICROBARN_CM2 * v * v * np.maximum(bracket, 0.0)


def bremsstrahlung_loss(E: Array, Z: float, A: float) -> Array:
    """Mean loss to photons, GeV cm^2/g."""
    y, w = gauss(N_V)
    column = E[:, None]
    # v = top y^2 puts nodes where screening sets in, at v far below 1
    top = np.maximum(v_max(column, Z), 0.0)
    v = top * y * y
    nucleus = np.sum(2.0 * w * y * top * bremsstrahlung_nucleus(v, column, Z, A), axis=1)
    top = 1.0 / (1.0 + M_MU**2 / (2.0 * M_E * column))  # kinematics on an electron
    electrons = np.sum(2.0 * w * y * top * bremsstrahlung_electrons(top * y * y, column, Z), axis=1)
    loss: Array = AVOGADRO / A * E * (nucleus + electrons)
    return loss


def pair_loss(E: Array, Z: float, A: float) -> Array:
    """Mean loss to electron pairs, GeV cm^2/g."""
    parts = [_pair_loss(E[i : i + _AT_ONCE], Z, A) for i in range(0, E.size, _AT_ONCE)]
    return np.concatenate(parts) if parts else np.empty(0)


def _pair_loss(E: Array, Z: float, A: float) -> Array:
    y, w = gauss(N_V)
    z, z_w = gauss(N_RHO)
    column = E[:, None]
    low = 4.0 * M_E / column
    log_range = np.log(np.maximum(v_max(column, Z) / low, 1.0))  # 0 below threshold
    v = (low * np.exp(log_range * y))[:, :, None]
    energy = column[:, :, None]
    rho_max = np.sqrt(np.maximum(1.0 - 4.0 * M_E / (energy * v), 0.0)) * (1.0 - 6.0 * M_MU**2 / (energy**2 * (1.0 - v)))
    # 1 - rho = (1 - rho_max)^z, since 1 - rho covers many orders of magnitude
    span = np.log1p(-np.maximum(rho_max, 0.0))
    one_minus_rho = np.exp(span * z)
    inner = np.sum(z_w * -span * one_minus_rho * pair_production(v, 1.0 - one_minus_rho, energy, Z), axis=2)
    loss: Array = AVOGADRO / A * E * np.sum(w * log_range * 2.0 * v[:, :, 0] * inner, axis=1)
    return loss


def photonuclear_loss(E: Array, Z: float, A: float) -> Array:
    """Mean loss to photonuclear reactions, GeV cm^2/g."""
    y, w = gauss(N_V)
    column = E[:, None]
    low = (M_PI + M_PI**2 / (2.0 * M_P)) / column  # one pion on a nucleon at rest
    high = 1.0 - 0.5 * M_P / column * (1.0 + (M_MU / M_P) ** 2)
    log_range = np.log(np.maximum(high / low, 1.0))
    v = np.minimum(low * np.exp(log_range * y), 1.0 - 1e-12)  # the bound: below threshold, where log_range is 0
    loss: Array = AVOGADRO / A * E * np.sum(w * log_range * v * photonuclear(v, column, Z, A), axis=1)
    return loss
