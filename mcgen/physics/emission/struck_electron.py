"""The boson from either line of l e -> l e S, and their interference (docs/electrons.md).

Averaged over spins, |M|^2 = e^4 (g_mu^2 A_mu/t_e^2 + g_e^2 A_e/t_mu^2 + eta g_mu g_e C). A_mu is that of `amplitude`
with a target of mass m_e and spin 1/2. A_e is the same function with the two lines exchanged: an electron of energy
m_e E/m_mu on a muon at rest. C is here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from mcgen.base.jit import jit
from mcgen.physics.emission.amplitude import AzimuthalForm, Process, azimuthal_form, transverse_momentum
from mcgen.physics.emission.form_factor import FormFactor
from mcgen.physics.emission.kinematics import Emission, emission
from mcgen.physics.emission.phase_space import u_range

#: N(s, s2, 2 p.P) of a mediator in GeV^4 or GeV^6
Numerator = Callable[["Invariants", float, float, float], float]


#: what is said of the approximations where S may come from either line
ALONE = "is of the beam's line alone, so with a coupling to electrons take exact"


class Invariants(NamedTuple):
    """Scalar products of l(p) + e(P) -> l(p') + e(P') + S(k) in GeV^2, and the squares of the masses."""

    s: float  #: (p' + k)^2 - m^2
    u: float  #: (p - k)^2 - m^2, negative
    s2: float  #: (P' + k)^2 - m_e^2
    u2: float  #: (P - k)^2 - m_e^2, negative
    t_e: float  #: -(P - P')^2
    t_mu: float  #: -(p - p')^2
    w: float  #: 2 p.P
    m2: float
    M2: float
    m_S2: float


@jit
def invariants(
    e: Emission, E: float, m: float, m_S: float, M: float, t: float, q_perp: float, s: float, c: float
) -> Invariants:
    """Invariants of one point from the variables of the line that radiates.

    Parameters
    ----------
    e : Emission
        Kinematics at E, E_S, theta_S.
    E, m, m_S, M : float
        Total beam energy, masses of the lepton that radiates, of S and of what it hits, in GeV.
    t, q_perp : float
        Momentum transfer squared in GeV^2, and its component across V = p - k in GeV.
    s : float
        Of the radiating line in GeV^2.
    c : float
        Cosine of the azimuth of q about V.
    """
    recoil = 0.5 * t / M
    E_S = E - e.W
    E_out = e.W - recoil
    p_out = math.sqrt(max(0.0, (E_out - m) * (E_out + m)))
    q_par = -(0.5 * e.u + 0.5 * t + recoil * e.W) * e.per_V
    # the momentum transfer of the other line, from its smallest value and from the angle of the outgoing lepton
    lost = m * (E_S + recoil)
    forward = e.V + q_par
    across = (e.V + e.k_V) * q_perp * c - e.k_1 * forward
    sine2 = across * across + e.p * e.p * q_perp * q_perp * (1.0 - c) * (1.0 + c)
    along = (e.V + e.k_V) * forward + e.k_1 * q_perp * c
    pp = e.p * p_out
    apart = sine2 / (pp + along) if along > 0.0 else pp - along
    t_out = 2.0 * (lost * lost / (E * E_out - m * m + pp) + apart)
    u2 = m_S * m_S - 2.0 * M * E_S
    s2 = 2.0 * m_S * m_S - s + e.u - u2
    return Invariants(s, -e.u, s2, u2, t, t_out, 2.0 * M * E, m * m, M * M, m_S * m_S)


@jit
def _scalar(i: Invariants, s: float, s2: float, w: float) -> float:
    """N/(m m_e) of a scalar."""
    sums = i.t_e + i.t_mu + i.m_S2
    masses = i.m2 + i.M2
    return 4.0 * sums * (sums - 4.0 * masses) + 8.0 * s * s2 - 16.0 * w * (s + s2 + i.t_e + i.t_mu) + 32.0 * w * w


@jit
def _pseudoscalar(i: Invariants) -> float:
    """N/(m m_e) of a pseudoscalar, the same for all four terms."""
    difference = i.t_e - i.t_mu
    return 4.0 * (difference * difference + i.m_S2 * (2.0 * (i.t_e + i.t_mu) + i.m_S2))


@jit
def _vector(i: Invariants, s: float, s2: float, w: float) -> float:
    """N of a vector."""
    t_e, t_mu, X2 = i.t_e, i.t_mu, i.m_S2
    masses = i.m2 + i.M2
    total = -s * s2 * (s + s2 + 2.0 * (w + masses) - X2)
    total -= s * t_mu * (s + t_e - t_mu + w + 2.0 * masses - X2)
    total -= s2 * t_e * (s2 + t_mu - t_e + w + 2.0 * masses - X2)
    total += s * w * (4.0 * (w + i.M2) + X2 - t_e) + s2 * w * (4.0 * (w + i.m2) + X2 - t_mu)
    total += 2.0 * t_e * t_mu * X2 - w * (t_e * t_e + t_mu * t_mu + X2 * X2)
    return 4.0 * (total + 2.0 * w * (w + masses) * (t_e + t_mu - X2) - 4.0 * w * w * w)


@jit
def _axial(i: Invariants, s: float, s2: float, w: float) -> float:
    """N of an axial vector, its longitudinal part left out."""
    t_e, t_mu, X2 = i.t_e, i.t_mu, i.m_S2
    total = s * s2 * (s + s2 - 2.0 * w - X2)
    total += s * t_mu * (s + t_e - t_mu + w - X2) + s2 * t_e * (s2 + t_mu - t_e + w - X2)
    total += w * (s * (t_e - X2) + s2 * (t_mu - X2) + t_e * t_e + t_mu * t_mu + X2 * X2)
    total += 2.0 * t_e * t_mu * (2.0 * (i.m2 + i.M2) - X2) - 2.0 * w * w * (t_e + t_mu - X2)
    return 4.0 * (total - 8.0 * i.m2 * i.M2 * (t_e + t_mu + X2))


@jit
def _four(i: Invariants, numerator: Numerator, h: float) -> float:
    """The four products of diagrams, over t_e t_mu."""
    beam_out = i.w - i.t_mu - i.m_S2 + i.u  # 2 p.P'
    out_beam = i.w - i.t_e - i.m_S2 + i.u2  # 2 p'.P
    out_out = i.w - i.m_S2 + i.u + i.u2  # 2 p'.P'
    total = numerator(i, i.s, i.s2, i.w) / (i.s * i.s2) + numerator(i, i.u, i.u2, out_out) / (i.u * i.u2)
    mixed = numerator(i, i.s, i.u2, -beam_out) / (i.s * i.u2) + numerator(i, i.u, i.s2, -out_beam) / (i.u * i.s2)
    return (total + h * mixed) / (i.t_e * i.t_mu)


#: mediators as the kernels tell them apart
KINDS = {"scalar": 0, "pseudoscalar": 1, "vector": 2, "axial": 3}
SCALAR, PSEUDOSCALAR, VECTOR, AXIAL = KINDS.values()


@jit
def interference(i: Invariants, kind: int) -> float:
    """C in 1/GeV^2."""
    masses = math.sqrt(i.m2 * i.M2)
    if kind == SCALAR:
        return masses * _four(i, _scalar, 1.0)
    if kind == VECTOR:
        return _four(i, _vector, -1.0)
    C_P = masses * _pseudoscalar(i) * (1.0 / i.s + 1.0 / i.u) * (1.0 / i.s2 + 1.0 / i.u2) / (i.t_e * i.t_mu)
    if kind == PSEUDOSCALAR:
        return C_P
    return _four(i, _axial, 1.0) + 4.0 * masses / i.m_S2 * C_P


@jit
def other_amplitude(i: Invariants, other: Process) -> float:
    """A in GeV^2 of S from the other line at the same point.

    Parameters
    ----------
    i : Invariants
        From the variables of the line whose target is the lepton of the other one.
    other : Process
        Of the other line.
    """
    E = 0.5 * i.w / other.M
    E_S = 0.5 * (i.m_S2 - i.u) / other.M
    lowest, _, two_pk = u_range(E, E_S, other)
    one_minus_cos_theta = min(2.0, max(0.0, (-i.u2 - lowest) / two_pk))
    e = emission(E, other.m, other.m_out, other.m_S, other.M, E_S, one_minus_cos_theta)
    above = min(max(0.0, i.t_mu - e.t_min), e.t_max - e.t_min)
    t = e.t_min + above
    f = azimuthal_form(e, E, t, transverse_momentum(e, t, above), other)
    c = 1.0 - min(2.0, max(0.0, (i.s2 - f.s_min) / max(f.b, 1e-300)))
    s = f.s_min + f.b * (1.0 - c)
    return max(0.0, (f.n10 + c * (f.n11 + c * f.n12) + (f.n20 + c * (f.n21 + c * f.n22)) / s) / s)


@jit
def three_parts(
    own: Process, other: Process, kind: int, E: float, e: Emission, t: float, q_perp: float, f: AzimuthalForm, c: float
) -> tuple[float, float, float]:
    """Squares of both lines and their interference at one point, in 1/GeV^2 at unit couplings of negative leptons.

    Parameters
    ----------
    own, other : Process
        Of the line in whose variables the point is given, and of the other one.
    kind : int
        Mediator (`KINDS`).
    E : float
        Energy in GeV of what radiates.
    e : Emission
        Kinematics at E, E_S, theta_S.
    t, q_perp : float
        Momentum transfer squared in GeV^2, and its component across V in GeV.
    f : AzimuthalForm
        A of the own line.
    c : float
        Cosine of the azimuth.
    """
    s = f.s_min + f.b * (1.0 - c)
    A = (f.n10 + c * (f.n11 + c * f.n12) + (f.n20 + c * (f.n21 + c * f.n22)) / s) / s
    i = invariants(e, E, own.m, own.m_S, own.M, t, q_perp, s, c)
    first = max(0.0, A) / (t * t)
    second = other_amplitude(i, other) / (i.t_mu * i.t_mu)
    bound = 2.0 * math.sqrt(first * second)
    return first, second, max(-bound, min(bound, interference(i, kind)))


class BothLines(NamedTuple):
    """Constants of l e -> l e S with S from either line."""

    beam: Process  #: S from the line of the beam lepton, which hits an electron
    struck: Process  #: S from the line of the electron, which hits a beam lepton at rest
    kind: int  #: mediator, a number of `KINDS`
    ratio: float  #: g_e/g_mu
    sign: float  #: of the interference, by the charge of the beam

    @property
    def m(self) -> float:
        """Mass of the beam lepton in GeV."""
        return self.beam.m

    @property
    def m_out(self) -> float:
        """The same, of the outgoing lepton."""
        return self.beam.m_out

    @property
    def m_S(self) -> float:
        """Mass of the boson in GeV."""
        return self.beam.m_S

    @property
    def M(self) -> float:
        """Mass of the electron in GeV."""
        return self.beam.M

    @property
    def threshold(self) -> float:
        """Smallest total beam energy in GeV that makes S."""
        return self.beam.threshold

    @property
    def ff(self) -> FormFactor:
        """That of a free electron."""
        return self.beam.ff
