"""The bosons that a lepton can radiate: each is four weights of the same structures.

For unit coupling, with a vertex 1, i gamma5, gamma^mu or gamma^mu gamma5 and the polarisations of a vector summed,

    A = c_K K + c_B B + c_f f + c_Q Q,

    K = 4 M^2 G/(s|u|),  B = 4 M^2 (G_p + G_p')/(s|u|),  f = 8 M^2 |q|^2/(s|u|),  Q = 16 M^2 (t G + 4 X X')/(s u)^2

(`mcgen.physics.emission.amplitude`). The Weizsaecker-Williams limits follow from the same weights.
docs/amplitude.md derives the weights (sections 4 to 8) and the limits (section 13).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from mcgen.base.jit import jit


class Weights(NamedTuple):
    """Weights of the structures in A: those of K and B are pure numbers, those of f and Q are in GeV^2."""

    K: float
    B: float
    f: float
    Q: float
    even: float  #: how much of it is scalar or vector; the rest is pseudoscalar or axial


@jit
def scalar(m: float, m_out: float, m_S: float) -> Weights:
    """Weights of S lbar' l; masses of the lepton before and after and of the boson in GeV."""
    total = m + m_out
    return Weights(4.0, 0.0, 0.0, (total - m_S) * (total + m_S), 1.0)


@jit
def pseudoscalar(m: float, m_out: float, m_S: float) -> Weights:
    """Weights of i P lbar' gamma5 l: a scalar with m -> -m."""
    change = m - m_out
    return Weights(4.0, 0.0, 0.0, (change - m_S) * (change + m_S), 0.0)


@jit
def vector(m: float, m_out: float, m_S: float) -> Weights:
    """Weights of V_mu lbar' gamma^mu l; the longitudinal part is ((m - m_out)/m_S)^2 times a scalar."""
    total, change = m + m_out, m - m_out
    difference = (m_S - change) * (m_S + change)
    of_Q = -2.0 * (difference / (m_S * m_S)) * (m_S * m_S + 0.5 * total * total)
    return Weights(4.0 * (change / m_S) * (change / m_S), 8.0, 4.0 * difference, of_Q, 1.0)


@jit
def axial(m: float, m_out: float, m_S: float) -> Weights:
    """Weights of A_mu lbar' gamma^mu gamma5 l: a vector with m -> -m."""
    total, change = m + m_out, m - m_out
    difference = (m_S - total) * (m_S + total)
    of_Q = -2.0 * difference * (1.0 + 0.5 * (change / m_S) * (change / m_S))
    return Weights(4.0 * (total / m_S) * (total / m_S), 8.0, 4.0 * difference, of_Q, 0.0)


MEDIATORS: dict[str, Callable[[float, float, float], Weights]] = {
    "scalar": scalar,
    "pseudoscalar": pseudoscalar,
    "vector": vector,
    "axial": axial,
}
#: the same by one letter
OF_SPIN = {"S": scalar, "P": pseudoscalar, "V": vector, "A": axial}
#: those that have a polarisation
SPIN_1 = ("vector", "axial")
#: even ones, and the odd one with which a parity angle mixes each
MIXES = {"scalar": "pseudoscalar", "vector": "axial"}


def even_share(parity_angle: float) -> float:
    """Square of the cosine of a parity angle in degrees; 0 and 1 are exact at 90 and 0."""
    return 0.5 + 0.5 * math.cos(math.radians(2.0 * parity_angle))


def weights_of(mediator: str, m: float, m_out: float, m_S: float, parity_angle: float = 0.0) -> Weights:
    """Weights of a boson with the vertex cos + i gamma5 sin of its parity angle, or gamma^mu (cos + gamma5 sin).

    Parameters
    ----------
    mediator : {"scalar", "pseudoscalar", "vector", "axial"}
    m, m_out, m_S : float
        Masses of the lepton before and after and of the boson in GeV.
    parity_angle : float
        In degrees, from 0, the mediator itself, to 90, its partner in `MIXES`. Without polarisation the two do not
        interfere.
    """
    even = MEDIATORS[mediator](m, m_out, m_S)
    if parity_angle == 0.0:
        return even
    odd, share = MEDIATORS[MIXES[mediator]](m, m_out, m_S), even_share(parity_angle)
    return Weights(*(share * a + (1.0 - share) * b for a, b in zip(even, odd, strict=True)))


@jit
def bracket(x: float, u: float, m: float, m_out: float, m_S: float, weights: Weights) -> float:
    """A22: |M|^2 of l gamma -> l X over e^2 at the smallest t.

    Parameters
    ----------
    x : float
        E_S/E.
    u : float
        |u| in GeV^2.
    m, m_out, m_S : float
        Masses of the lepton before and after and of the boson in GeV.
    weights : Weights
        Those of the mediator.

    Notes
    -----
    The structures K, B and Q tend to x^2/4(1-x), (2-2x+x^2)/4(1-x) and 2 (u x - D)/u^2, f to zero.
    """
    D = m_S * m_S * (1.0 - x) + m * m * x * x + (m_out - m) * (m_out + m) * x
    plain = 0.25 * (weights.K * x * x + weights.B * (2.0 - 2.0 * x + x * x)) / (1.0 - x)
    return plain - 2.0 * weights.Q * (D - u * x) / (u * u)


@jit
def x_shape(x: float, m: float, m_S: float, weights: Weights) -> float:
    """(1 - x) times the integral of A22/u^2 over |u| from its smallest value D/x, in 1/GeV^2 (Eq. 12 for a scalar).

    The lepton stays what it is, m_out = m.

    Parameters
    ----------
    x : float
        E_S/E.
    m, m_S : float
        Lepton and boson mass in GeV.
    weights : Weights
        Those of the mediator.
    """
    D = m_S * m_S * (1.0 - x) + m * m * x * x
    plain = 0.25 * x * (weights.K * x * x + weights.B * (2.0 - 2.0 * x + x * x))
    return (plain + weights.Q * (1.0 - x) * x * x * x / (3.0 * D)) / D
