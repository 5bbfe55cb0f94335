"""Form factors F(q) of nuclei and of the proton beyond the dipole of Eq. A1, for any array of q in GeV."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mcgen.base.constants import HBARC_GEV_CM, M_P

Array = NDArray[np.float64]
Shape = Callable[[Array], Array]

#: one fm in 1/GeV
FM = 1e-13 / HBARC_GEV_CM

#: Z -> (mass number, radius R in fm, coefficients a_n in fm^-3 of rho(r) = sum of a_n j0(n pi r/R) for r < R).
#: H. de Vries, C.W. de Jager, C. de Vries, At. Data Nucl. Data Tables 36 (1987) 495, the main isotope of each element.
FOURIER_BESSEL: dict[int, tuple[int, float, tuple[float, ...]]] = {
    6: (12, 8.0, (
        1.5737e-2, 3.8897e-2, 3.7085e-2, 1.4795e-2, -4.4831e-3, -1.0057e-2, -6.8696e-3, -2.8813e-3, -7.7229e-4,
        6.6908e-5, 1.0636e-4, -3.6864e-5, -5.0135e-6, 9.4550e-6, -4.7687e-6,
    )),
    8: (16, 8.0, (
        2.0238e-2, 4.4793e-2, 3.3533e-2, 3.5030e-3, -1.2293e-2, -1.0329e-2, -3.4036e-3, -4.1627e-4, -9.4435e-4,
        -2.5771e-4, 2.3759e-4, -1.0603e-4, 4.1480e-5,
    )),
    13: (27, 7.0, (
        4.3418e-2, 6.0298e-2, 2.8950e-3, -2.3522e-2, -7.9791e-3, 2.3010e-3, 1.0794e-3, 1.2574e-4, -1.3021e-4,
        5.6563e-5, -1.8011e-5, 4.2869e-6,
    )),
    14: (28, 8.0, (
        3.3495e-2, 5.9533e-2, 2.0979e-2, -1.6900e-2, -1.4998e-2, -9.3248e-4, 3.3266e-3, 5.9244e-4, -4.0013e-4,
        1.2242e-4, -1.2994e-5, -9.2784e-6, 7.2595e-6, -4.2096e-6,
    )),
    18: (40, 9.0, (
        3.0451e-2, 5.5337e-2, 2.0203e-2, -1.6765e-2, -1.3578e-2, -4.3204e-5, 9.1988e-4, -4.1205e-4, 1.1971e-4,
        -1.9801e-5, -4.3204e-6, 6.1205e-6, -3.7803e-6, 1.8001e-6, -7.7407e-7,
    )),
    20: (40, 8.0, (
        4.4846e-2, 6.1326e-2, -1.6818e-3, -2.6217e-2, -2.9725e-3, 8.5534e-3, 3.5322e-3, -4.8258e-4, -3.9346e-4,
        2.0338e-4, 2.5461e-5, -1.7794e-5, 6.7394e-6, -2.1033e-6,
    )),
    24: (52, 9.0, (
        3.9287e-2, 6.2477e-2, 6.2482e-3, -3.2885e-2, -1.0648e-2, 1.0520e-2, 8.5478e-3, -2.4003e-4, -2.0499e-3,
        -1.2001e-3, -5.6649e-4,
    )),
    26: (56, 9.0, (
        4.2018e-2, 6.2337e-2, 2.3995e-4, -3.2776e-2, -7.9941e-3, 1.0844e-2, 4.9123e-3, -2.2144e-3, -1.8146e-4,
        3.7261e-4, -2.3296e-4, 1.1494e-4, -5.0596e-5, 2.0652e-5, -7.9428e-6, 2.8986e-6, -1.0075e-6,
    )),
    29: (63, 9.0, (
        4.5598e-2, 6.0706e-2, -7.8616e-3, -3.1638e-2, -1.4447e-3, 1.0953e-2, 4.2578e-3, -2.4224e-4, -3.0067e-4,
        2.3903e-4, -1.2910e-4, 6.0195e-5, -2.5755e-5, 1.0332e-5, -3.9330e-6, 1.4254e-6, -4.9221e-7,
    )),
    82: (208, 11.0, (
        6.2732e-2, 3.8542e-2, -5.5105e-2, -2.6990e-3, 3.1016e-2, -9.9486e-3, -9.3012e-3, 7.6653e-3, 2.0886e-3,
        -1.7840e-3, 7.4876e-5, 3.2278e-4, -1.1353e-4,
    )),
}  # fmt: skip


def helm(A: float) -> Shape:
    """Sphere with a smeared surface, 3 j1(q R)/(q R) exp(-q^2 s^2/2), with the radii of Lewin and Smith (1996).

    Notes
    -----
    Meant for nuclei of more than a few nucleons.
    """
    c = 1.23 * A ** (1.0 / 3.0) - 0.6
    s = 0.9
    R = FM * math.sqrt(c * c + 7.0 / 3.0 * (math.pi * 0.52) ** 2 - 5.0 * s * s)

    def shape(q: Array) -> Array:
        y = np.maximum(q * R, 0.02)  # below, j1 cancels
        sphere = 3.0 * (np.sin(y) - y * np.cos(y)) / y**3
        series = 1.0 - (q * R) ** 2 / 10.0 + (q * R) ** 4 / 280.0
        return np.where(q * R > 0.02, sphere, series) * np.exp(-0.5 * (q * (s * FM)) ** 2)

    return shape


def charge(Z: int) -> float:
    """Volume integral of the tabulated density of an element: its charge, as precise as the table."""
    _, R, coefficients = FOURIER_BESSEL[Z]
    n = np.arange(1, len(coefficients) + 1)
    return float(4.0 * R**3 / np.pi * np.sum(-((-1.0) ** n) * coefficients / n**2))


def fourier_bessel(Z: int) -> Shape:
    """Fourier transform of a Fourier-Bessel density, divided by its charge.

    Raises
    ------
    KeyError
        If `FOURIER_BESSEL` has no such element.
    """
    _, R, coefficients = FOURIER_BESSEL[Z]
    per_charge = 4.0 * math.pi * R**3 / charge(Z)

    def shape(q: Array) -> Array:
        y = np.maximum(q * (R * FM), 1e-9)
        # the integral of r^2 j0(n pi r/R) j0(q r), its pole at y = n pi removed
        terms = (a * np.sinc(y / np.pi - n) / (y * (y + n * np.pi)) for n, a in enumerate(coefficients, 1))
        return np.asarray(per_charge * np.sum(list(terms), axis=0))

    return shape


#: of the fit to electron scattering and the Lamb shift of muonic hydrogen by K. Borah, R. J. Hill, G. Lee and
#: O. Tomalak, Phys. Rev. D 102 (2020) 074012, arXiv:2003.13640: G = sum of a_n z^n, with a_1 to a_4 as fitted
_T_CUT, _T_0 = 0.0779198, -0.21  #: GeV^2
_G_E, _G_M = (-1.486, -0.096, 1.82, 1.29), (-4.08895, 0.175959, 4.85982, -0.97755)
#: magnetic moment of the proton in nuclear magnetons, CODATA 2018
_MU_P = 2.7928473


def _z(t: float | Array) -> Array:
    root, middle = np.sqrt(_T_CUT + t), math.sqrt(_T_CUT - _T_0)
    return np.asarray((root - middle) / (root + middle))


def _z_expansion(fitted: tuple[float, ...], at_0: float) -> Array:
    """All nine a_n: those not fitted follow from G(0) and from G ~ 1/t^2 at large t, a fourfold zero at z = 1."""
    n = np.arange(9)
    derivatives = [np.ones(9), n, n * (n - 1), n * (n - 1) * (n - 2)]
    rows = np.array([float(_z(0.0)) ** n, *derivatives])
    free = [0, 5, 6, 7, 8]
    target = np.array([at_0, 0.0, 0.0, 0.0, 0.0]) - rows[:, 1:5] @ np.array(fitted)
    a = np.empty(9)
    a[1:5] = fitted
    a[free] = np.linalg.solve(rows[:, free], target)
    return a


def sachs(t: Array) -> tuple[Array, Array]:
    """Electric and magnetic form factor G_E, G_M of the proton at t in GeV^2; the charge radius is 0.8405 fm."""
    G_E, G_M = (
        np.asarray(np.polynomial.polynomial.polyval(_z(t), _z_expansion(fitted, at_0)), dtype=np.float64)
        for fitted, at_0 in ((_G_E, 1.0), (_G_M, _MU_P))
    )
    return G_E, G_M


def proton(q: Array) -> Array:
    """Form factor that makes the current of a particle of spin 0, P_i + P_f, stand for that of a proton.

    It is the root of (G_E^2 + tau G_M^2)/(1 + tau), tau = t/4 m_p^2.

    Notes
    -----
    Averaged over its spin, the tensor of a proton has two terms. This form factor gives all of the one with
    (P_i + P_f) (P_i + P_f). The other one, G_M^2 (q^2 g - q q), is left out. It would add to sigma 0.1 %, 1 % and 3.5 %
    at 3 GeV for scalars of 10, 100 and 300 MeV, 4 % at 0.5 GeV and 100 MeV, 0.02 % at 160 GeV.
    """
    t = q * q
    G_E, G_M = sachs(t)
    tau = t / (4.0 * M_P * M_P)
    return np.asarray(np.sqrt((G_E * G_E + tau * G_M * G_M) / (1.0 + tau)))
