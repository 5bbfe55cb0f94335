"""Exact |M|^2 of l N -> l' N S: lepton, boson and nuclear masses kept, nucleus of spin 0.

docs/amplitude.md derives A and each form of it from the Feynman rules (section 11: the azimuth).
Averaged over spins, for unit coupling, |M|^2 = e^4 G2(t)/t^2 * A with

    A = c_K K + c_B B + c_f f + c_Q Q,   K = 4 M^2 G/(s|u|),   B = 4 M^2 (G_p + G_p')/(s|u|),
    f = 8 M^2 |q|^2/(s|u|),   Q = 16 M^2 (t G + 4 X X')/(s u)^2,
    G = m_S^2 |q|^2 + |k x q|^2,   X = q.(E_S p - E k),   X' = X + E_S |q|^2 + (t/2M) k.q,
    G_p = m^2 |q|^2 + |p x q|^2,   G_p' = m_out^2 |q|^2 + |(p - k) x q|^2,

q the three-momentum given by the nucleus and the weights those of the mediator (`mcgen.physics.emission.mediator`): S
stands for any of them. s, G, G_p and X X' are polynomials in the cosine of the azimuth phi_q of q about V = p - k, so A
is known at every phi_q, and its average over phi_q in closed form, from eight numbers: the
`AzimuthalForm`. Signs are positive in every sum but those which have a physical zero.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from mcgen.base.constants import ALPHA, GEV2_PB
from mcgen.base.jit import jit
from mcgen.physics.emission.form_factor import G2, FormFactor
from mcgen.physics.emission.kinematics import Emission, emission, threshold_energy
from mcgen.physics.emission.mediator import OF_SPIN, Weights, scalar
from mcgen.physics.emission.precise_amplitude import precise_amplitude
from mcgen.physics.emission.ww import amplitude_average_ww

#: what is smaller than its terms by this factor is computed in twice the working precision
_SMALL = 1e-4


class Process(NamedTuple):
    """What is scattered and what is radiated: the constants of every kernel (GeV)."""

    m: float  #: beam lepton
    m_out: float  #: outgoing lepton
    m_S: float  #: emitted boson
    M: float  #: what the lepton scatters on
    weights: Weights  #: of the structures in A, one set per mediator
    ff: FormFactor
    ww: bool  #: replace the average of A by its Weizsaecker-Williams limit
    #: True: what is hit has spin 1/2 and no structure, as an electron; None: spin 0, and its kernels are without spin
    spin_half: bool | None = None

    @property
    def threshold(self) -> float:
        """Smallest total beam energy in GeV that makes S."""
        return threshold_energy(self.m, self.m_out, self.m_S, self.M)


#: where no form factor is needed
_NO_FF = FormFactor(1.0, 0.0, 1.0, 0.0, 0.0, False, 1.0, None)


@jit
def without_form_factor(process: Process) -> Process:
    """The same constants but for the form factor: its tables would keep a loop from taking several points at a time."""
    p = process
    return Process(p.m, p.m_out, p.m_S, p.M, p.weights, _NO_FF, p.ww, p.spin_half)


class AzimuthalForm(NamedTuple):
    """A(phi) = N1/s + N2/s^2 with s = a - b c, N = n0 + n1 c + n2 c^2, c = cos(phi_q), b >= 0.

    s has GeV^2, the coefficients of N1 GeV^4, those of N2 GeV^6.
    """

    s_min: float  #: a - b
    b: float
    n10: float
    n11: float
    n12: float
    n20: float
    n21: float
    n22: float


@jit
def _smallest_s(e: Emission, E_S: float, recoil: float, q_par: float, q_perp: float, process: Process) -> float:
    """s at phi_q = 0 where it is small: from the angle of the outgoing lepton to S, 2 p'.k + m_S^2 + m_out^2 - m^2."""
    m_out = process.m_out
    E_out = e.W - recoil
    p_out = math.sqrt(max(0.0, (E_out - m_out) * (E_out + m_out)))
    forward = e.V + q_par
    pk = p_out * e.k
    along = e.k_V * forward + e.k_1 * q_perp  # p'.k of three-momenta
    across = e.k_1 * forward - e.k_V * q_perp
    apart = across * across / (pk + along) if along > 0.0 else pk - along
    mass = process.m_S * E_out
    at_rest = (mass * mass + m_out * m_out * e.k * e.k) / (E_out * E_S + pk)  # E' E_S - p' k
    return process.m_S * process.m_S + 2.0 * (at_rest + apart) + (m_out - process.m) * (m_out + process.m)


@jit
def _of_spin(
    u: float, t: float, s: float, s_u: float, b: float, process: Process
) -> tuple[float, float, float, float, float, float]:
    """What spin 1/2 of the target adds to the coefficients of an `AzimuthalForm`: t A_g of docs/electrons.md.

    Parameters
    ----------
    u, t : float
        |u| and t in GeV^2.
    s, s_u, b : float
        s = s - b c, and s - |u|, in GeV^2.
    process : Process
        Constants of the kernels.
    """
    w = process.weights
    m2 = process.m * process.m
    m_S2 = process.m_S * process.m_S
    once = 0.5 * t / u
    half = w.K * once
    n10 = half * s_u * s_u
    n11 = -2.0 * half * s_u * b
    n12 = half * b * b
    if w.B != 0.0:
        half = w.B * once
        n10 += half * ((s + t) * (s + t) + (u - t) * (u - t)) - 8.0 * w.f * t * once
        n11 -= 2.0 * half * (s + t) * b
        n12 += half * b * b
    outer = 4.0 * w.Q * t / u
    n10 -= outer * (m_S2 - s_u)
    n11 -= outer * b
    inner = w.Q * t * (2.0 * t - 4.0 * m2) / (u * u)
    n20 = inner * s_u * s_u + 4.0 * w.Q * m_S2 * t * t * t / (u * u)
    return n10, n11, n12, n20, -2.0 * inner * s_u * b, inner * b * b


@jit
def azimuthal_form(e: Emission, E: float, t: float, q_perp: float, process: Process) -> AzimuthalForm:
    """A as a function of phi_q at fixed E, E_S, theta_S and t.

    Parameters
    ----------
    e : Emission
        Kinematics at E, E_S, theta_S.
    E : float
        Total beam energy in GeV.
    t : float
        Momentum transfer squared in GeV^2.
    q_perp : float
        Component of q across V = p - k in GeV (`transverse_momentum`).
    process : Process
        Constants of the kernels.
    """
    M = process.M
    m_S = process.m_S
    E_S = E - e.W
    per_u = 1.0 / e.u
    recoil = t * (0.5 / M)  # kinetic energy of the nucleus
    q2 = t + recoil * recoil
    q_par = -(0.5 * e.u + 0.5 * t + recoil * e.W) * e.per_V
    slope = e.k_V * e.per_V

    k_q0 = e.k_V * q_par  # k.q = k_q0 + k_q1 c
    k_q1 = e.k_1 * q_perp
    x0 = e.Y_V * q_par  # X = x0 + x1 c
    x1 = -e.W * k_q1
    y0 = x0 + E_S * q2 + recoil * k_q0  # X' = y0 + y1 c
    y1 = x1 + recoil * k_q1
    k_perp_q = e.k * q_perp
    k1_par = e.k_1 * q_par
    q2_m = t if process.spin_half else q2  # beside masses the square of the recoil drops out of A of spin 1/2
    g0 = m_S * m_S * q2_m + k_perp_q * k_perp_q + k1_par * k1_par  # G = g0 + g1 c + g2 c^2
    g1 = -2.0 * k_q0 * k_q1
    g2 = -k_q1 * k_q1

    a = e.u * (1.0 + slope) + t * slope + 2.0 * recoil * (slope * e.W - E_S)
    b = 2.0 * k_q1
    K = 4.0 * M * M * process.weights.K * per_u
    Q = 16.0 * M * M * process.weights.Q * per_u * per_u
    n10 = K * g0
    n11 = K * g1
    n12 = K * g2
    if process.weights.B != 0.0:  # a vector or an axial vector
        B = 4.0 * M * M * process.weights.B * per_u
        f = 8.0 * M * M * process.weights.f * per_u
        p_perp_q = e.p * q_perp
        V_perp_q = e.V * q_perp
        p_V_q = (e.V + e.k_V) * q_par  # p.q = p_V_q + k_q1 c
        masses = process.m * process.m + process.m_out * process.m_out
        n10 += B * (masses * q2_m + p_perp_q * p_perp_q + k1_par * k1_par + V_perp_q * V_perp_q)
        n10 += f * q2_m
        n11 -= B * 2.0 * p_V_q * k_q1
        n12 -= B * k_q1 * k_q1
    n20 = Q * (t * g0 + 4.0 * x0 * y0)
    n21 = Q * (t * g1 + 4.0 * (x0 * y1 + x1 * y0))
    n22 = Q * (t * g2 + 4.0 * x1 * y1)
    if process.spin_half:
        s_u = slope * (e.u + t) + 2.0 * recoil * (slope * e.W - E_S)  # a - |u|
        d10, d11, d12, d20, d21, d22 = _of_spin(e.u, t, a, s_u, b, process)
        n10 += d10
        n11 += d11
        n12 += d12
        n20 += d20
        n21 += d21
        n22 += d22
    s_min = a - b
    if s_min < 1e-3 * (e.u + t):  # the outgoing lepton may fly along S
        s_min = _smallest_s(e, E_S, recoil, q_par, q_perp, process)
    return AzimuthalForm(s_min, b, n10, n11, n12, n20, n21, n22)


@jit
def amplitude_at(f: AzimuthalForm, phi_q: float) -> float:
    """A in GeV^2 at one azimuth phi_q in rad."""
    c = math.cos(phi_q)
    half = math.sin(0.5 * phi_q)
    s = f.s_min + 2.0 * f.b * half * half
    return (f.n10 + c * (f.n11 + c * f.n12) + (f.n20 + c * (f.n21 + c * f.n22)) / s) / s


@jit
def amplitude_average(f: AzimuthalForm) -> float:
    """A in GeV^2 averaged over phi_q, from the Fourier series of 1/s and 1/s^2 in powers of r = (a - root)/b."""
    a = f.s_min + f.b
    root = math.sqrt(f.s_min * (a + f.b))  # of a^2 - b^2
    per_root = 1.0 / root
    r = f.b / (a + root)
    first = f.n10 + r * f.n11 + 0.5 * f.n12 * (1.0 + r * r)
    second = a * (f.n20 + 0.5 * f.n22) + r * ((a + root) * f.n21 + 0.5 * r * (a + 2.0 * root) * f.n22)
    return (first + second * per_root * per_root) * per_root


@jit
def transverse_momentum(e: Emission, t: float, t_minus_tmin: float) -> float:
    """Momentum transfer across V in GeV."""
    return 0.5 * math.sqrt(max(0.0, e.C * t_minus_tmin * (e.t_max - t))) * e.per_V


@jit
def _is_cancelled(f: AzimuthalForm, e: Emission, t: float, phi_q: float, A: float) -> bool:
    """Whether A at one azimuth, or s there, is so small against its terms that digits are lost."""
    half = math.sin(0.5 * phi_q)
    s = f.s_min + 2.0 * f.b * half * half
    in_s = f.b + e.u + t
    in_A = abs(f.n10) + abs(f.n11) + abs(f.n12) + (abs(f.n20) + abs(f.n21) + abs(f.n22)) / s
    return A * s * min(s, in_s) < _SMALL * in_A * in_s


@jit
def amplitude_of(
    process: Process, E: float, E_S: float, one_minus_cos_theta: float, t_minus_tmin: float, phi_q: float
) -> float:
    """A of any mediator in GeV^2 at one point of phase space.

    Parameters
    ----------
    process : Process
        Constants of the kernels.
    E, E_S, one_minus_cos_theta, t_minus_tmin, phi_q : float
        Beam energy and the point, as in `reduced_amplitude`.
    """
    m, m_out, m_S, M = process.m, process.m_out, process.m_S, process.M
    e = emission(E, m, m_out, m_S, M, E_S, one_minus_cos_theta)
    t = e.t_min + t_minus_tmin
    f = azimuthal_form(e, E, t, transverse_momentum(e, t, t_minus_tmin), process)
    A = amplitude_at(f, phi_q)
    if e.t_max - t < 1e-3 * e.t_max or _is_cancelled(f, e, t, phi_q, A):
        spin_half = process.spin_half
        return precise_amplitude(
            E, m, m_out, m_S, M, process.weights, spin_half, E_S, one_minus_cos_theta, t_minus_tmin, phi_q
        )
    return A


@jit
def reduced_amplitude(
    E: float, m: float, m_S: float, M: float, E_S: float, one_minus_cos_theta: float, t_minus_tmin: float, phi_q: float
) -> float:
    """A of a scalar in GeV^2: |M|^2 = e^4 G2(t)/t^2 * A, averaged over spins, unit coupling.

    Parameters
    ----------
    E, m, m_S, M : float
        Total beam energy, lepton, scalar and nuclear mass in GeV.
    E_S, one_minus_cos_theta : float
        Energy of S in GeV and 1 - cos of its polar angle.
    t_minus_tmin : float
        t - t_min in GeV^2.
    phi_q : float
        Azimuth of q about V = p - k, from the side of k, in rad.
    """
    process = Process(m, m, m_S, M, scalar(m, m, m_S), _NO_FF, False, None)
    return amplitude_of(process, E, E_S, one_minus_cos_theta, t_minus_tmin, phi_q)


def flavour_amplitude(
    E: float,
    m: float,
    m_out: float,
    m_S: float,
    M: float,
    E_S: float,
    one_minus_cos_theta: float,
    t_minus_tmin: float,
    phi_q: float,
    spin: str,
) -> float:
    """A of l N -> l' N X in GeV^2, averaged over spins, unit coupling (docs/flavour.md).

    Parameters
    ----------
    E, m, m_out, m_S, M : float
        Total beam energy, and masses of beam lepton, outgoing lepton, boson and nucleus in GeV.
    E_S, one_minus_cos_theta, t_minus_tmin, phi_q : float
        The point, as in `reduced_amplitude`.
    spin : {"S", "P", "V", "A"}
        Scalar, pseudoscalar, vector or axial vector.

    Raises
    ------
    ValueError
        If the spin is another one, or m_out + m_S is not above m: the beam lepton would decay.
    """
    if spin not in OF_SPIN or m_out + m_S <= m:
        message = f"spin {spin!r} must be one of {', '.join(OF_SPIN)}, m_out + m_S {m_out + m_S:g} GeV above m {m:g}"
        raise ValueError(message)
    process = Process(m, m_out, m_S, M, OF_SPIN[spin](m, m_out, m_S), _NO_FF, False, None)
    return amplitude_of(process, E, E_S, one_minus_cos_theta, t_minus_tmin, phi_q)


def struck_electron_amplitude(
    E: float,
    m: float,
    m_S: float,
    m_e: float,
    E_S: float,
    one_minus_cos_theta: float,
    t_minus_tmin: float,
    phi_q: float,
    spin: str,
) -> float:
    """A_mu in GeV^2: |M|^2 = e^4/t^2 * A_mu of l e -> l e S, averaged over both spins, S from the line of the beam.

    Parameters
    ----------
    E, m, m_S, m_e : float
        Total beam energy, mass of the beam lepton, of the boson and of the electron at rest in GeV.
    E_S, one_minus_cos_theta, t_minus_tmin, phi_q : float
        The point, as in `reduced_amplitude`.
    spin : {"S", "P", "V", "A"}
        Scalar, pseudoscalar, vector or axial vector.

    Returns
    -------
    float
        With m and m_e exchanged, and E the energy in the rest frame of the beam lepton, it is A_e.
    """
    weights = OF_SPIN[spin](m, m, m_S)
    # the electron's recoil is relativistic, which costs the doubles of `azimuthal_form` up to ten digits at t >> |u|
    return float(precise_amplitude(E, m, m, m_S, m_e, weights, True, E_S, one_minus_cos_theta, t_minus_tmin, phi_q))


@jit
def mean_amplitude(
    E: float, process: Process, e: Emission, t: float, t_minus_tmin: float
) -> tuple[float, AzimuthalForm]:
    """A averaged over phi_q, or its Weizsaecker-Williams limit, in GeV^2, and A as a function of phi_q.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    process : Process
        Constants of the kernels; its `ww` chooses the limit.
    e : Emission
        Kinematics at E, E_S, theta_S.
    t, t_minus_tmin : float
        t and t - t_min in GeV^2.
    """
    form = azimuthal_form(e, E, t, transverse_momentum(e, t, t_minus_tmin), process)
    if process.ww:
        m, m_out, m_S, M = process.m, process.m_out, process.m_S, process.M
        return amplitude_average_ww(E, m, m_out, m_S, M, process.weights, e, t_minus_tmin), form
    return amplitude_average(form), form


@jit
def density(M: float, A: float, p: float, per_V: float, t: float) -> float:
    """d sigma/(dE_S d|u| dt) in pb/GeV^5 at unit coupling of a target without form factor, from the average of A.

    Parameters
    ----------
    M : float
        Mass of the target in GeV.
    A : float
        Squared amplitude averaged over phi_q, in GeV^2.
    p, per_V : float
        Beam momentum in GeV, and 1/|p - k| in 1/GeV.
    t : float
        Momentum transfer squared in GeV^2.
    """
    factor = ALPHA * ALPHA * GEV2_PB / (64.0 * math.pi * M * M)
    return factor * A * per_V / (p * p * t * t)


@jit
def pointlike_density(E: float, process: Process, e: Emission, t: float, t_minus_tmin: float) -> float:
    """`sigma_density` of a target without form factor, G2 = 1."""
    A, _ = mean_amplitude(E, process, e, t, t_minus_tmin)
    return density(process.M, A, e.p, e.per_V, t)


@jit
def sigma_density(E: float, process: Process, e: Emission, t: float, t_minus_tmin: float) -> float:
    """d sigma/(dE_S d|u| dt) in pb/GeV^5 at unit coupling, both azimuths integrated.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    process : Process
        Constants of the kernels.
    e : Emission
        Kinematics at E, E_S, theta_S.
    t, t_minus_tmin : float
        t and t - t_min in GeV^2.
    """
    return pointlike_density(E, process, e, t, t_minus_tmin) * G2(t, process.ff)
