"""The spin density of vectors, integrated over momentum transfer and azimuths: a quadrature."""

from __future__ import annotations

import math

from mcgen.base.arrays import Array
from mcgen.base.jit import jit
from mcgen.physics.emission.amplitude import Process, azimuthal_form, density, transverse_momentum
from mcgen.physics.emission.cross_section import peak_nodes
from mcgen.physics.emission.form_factor import G2
from mcgen.physics.emission.kinematics import Emission, emission, scalar_energy_range
from mcgen.physics.emission.phase_space import emit, energy_map_between, scalar_energy
from mcgen.physics.emission.polarisation import signed_mass, spin_tensor
from mcgen.physics.emission.rules import Rules

#: trace, T_zz, (T_yy - T_xx)/2 and T_xz, of which the others vanish or follow
Moments = tuple[float, float, float, float]


@jit
def azimuthal_mean(
    E: float, process: Process, e: Emission, E_S: float, one_minus_cos_theta: float, t: float, t_minus_tmin: float,
    nodes: int,
) -> Moments:  # fmt: skip
    """Moments of T in GeV^2, averaged over phi_q.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    process : Process
        Constants of the kernels.
    e : Emission
        Kinematics at E, E_S, theta_S.
    E_S, one_minus_cos_theta, t, t_minus_tmin : float
        The point, energies in GeV.
    nodes : int
        In half a turn of psi; phi_q has density 1/s where psi is uniform, which leaves a smooth integrand.
    """
    q_perp = transverse_momentum(e, t, t_minus_tmin)
    form = azimuthal_form(e, E, t, q_perp, process)
    a = form.s_min + form.b
    per_root = 1.0 / math.sqrt(form.s_min * (a + form.b))
    m_out = signed_mass(process)
    trace = zz = apart = xz = 0.0
    for i in range(nodes):
        y = math.cos((i + 0.5) * math.pi / nodes)
        c = (a * y + form.b) / (a + form.b * y)
        weight = form.s_min * (a + form.b) / (a + form.b * y) * per_root / nodes  # s over its mean
        sine = math.sqrt(max(0.0, (1.0 - c) * (1.0 + c)))
        T = spin_tensor(e, E, process.m, m_out, process.m_S, process.M, E_S, one_minus_cos_theta, t, q_perp, c, sine)
        trace += weight * (T[0] + T[1] + T[2])
        zz += weight * T[2]
        apart += weight * 0.5 * (T[1] - T[0])
        xz += weight * T[4]
    return trace, zz, apart, xz


@jit
def spin_dE_du(E: float, process: Process, E_S: float, one_minus_cos_theta: float, q: Rules, nodes: int) -> Moments:
    """Moments of the spin density in pb/GeV^3 at unit coupling; the first one is d sigma/(dE_S d|u|).

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    process : Process
        Constants of the kernels.
    E_S, one_minus_cos_theta : float
        Energy of the boson in GeV and 1 - cos of its polar angle.
    q : Rules
        Nodes of the quadrature; those in t are used.
    nodes : int
        Those of the azimuth.
    """
    e = emission(E, process.m, process.m_out, process.m_S, process.M, E_S, one_minus_cos_theta)
    trace = zz = apart = xz = 0.0
    if not e.t_max > e.t_min:
        return trace, zz, apart, xz
    at, width = peak_nodes(E, process, e, q)
    for i in range(at.size):
        t_minus_tmin = e.t_min * math.expm1(at[i])
        t = e.t_min + t_minus_tmin
        T = azimuthal_mean(E, process, e, E_S, one_minus_cos_theta, t, t_minus_tmin, nodes)
        weight = width[i] * t * density(process.M, 1.0, e.p, e.per_V, t) * G2(t, process.ff)
        trace += weight * T[0]
        zz += weight * T[1]
        apart += weight * T[2]
        xz += weight * T[3]
    return trace, zz, apart, xz


@jit
def spin_nodes(
    E: float, process: Process, low: float, high: float, q: Rules, angles: Rules, nodes: int, out: Array
) -> None:
    """Write nodes in energy and angle, and the moments of the spin density that each stands for.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    process : Process
        Constants of the kernels.
    low, high : float
        Energies of the boson in GeV, within its range.
    q : Rules
        Nodes of the quadrature; those in x and t are used.
    angles : Rules
        Its nodes in x are those of the angle, for T_xz begins like a square root of |u| too.
    nodes : int
        Those of the azimuth.
    out : array, shape (nodes in x of both rules, 5)
        Written: energy of the boson in GeV, then four moments in pb at unit coupling; the second column adds up to the
        cross section.
    """
    first, last = scalar_energy_range(E, process.m, process.m_out, process.m_S, process.M, 1.0)
    energies = energy_map_between(max(low, first), min(high, last), E, process)
    for i in range(q.x.size):
        E_S, dE = scalar_energy(q.x[i], energies)
        for j in range(angles.x.size):
            one_minus_cos_theta, _, du = emit(E, process, E_S, angles.x[j])
            weight = q.x_w[i] * dE * angles.x_w[j] * du
            T = (0.0, 0.0, 0.0, 0.0)
            if weight > 0.0:
                T = spin_dE_du(E, process, E_S, one_minus_cos_theta, q, nodes)
            out[i, j, 0] = E_S
            for k in range(4):
                out[i, j, 1 + k] = weight * T[k]
