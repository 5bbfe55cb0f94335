"""One point of phase space from the pieces that the stages of generation take block by block."""

from __future__ import annotations

from typing import NamedTuple

from mcgen.base.jit import jit
from mcgen.physics.emission.amplitude import Process, sigma_density
from mcgen.physics.emission.phase_space import NO_PEAK, EnergyMap, emit, is_light, peak_map, scalar_energy, transfer


class Point(NamedTuple):
    """A point of phase space, in GeV and GeV^2; `weight` is d sigma/d^3 r in pb at unit coupling."""

    E_S: float
    one_minus_cos_theta: float
    t: float
    t_minus_tmin: float
    weight: float


@jit
def map_point(E: float, process: Process, em: EnergyMap, r_x: float, r_u: float, r_t: float) -> Point:
    """The point of phase space at a place in the unit cube, with its weight.

    Parameters
    ----------
    E : float
        Total beam energy in GeV.
    process : Process
        Constants of the kernels.
    em : EnergyMap
        Map of E_S at this beam energy.
    r_x, r_u, r_t : float
        Coordinates of E_S, |u| and t in (0, 1).
    """
    E_S, jacobian = scalar_energy(r_x, em)
    one_minus_cos_theta, e, du = emit(E, process, E_S, r_u)
    jacobian *= du
    if jacobian == 0.0:
        return Point(E_S, one_minus_cos_theta, 0.0, 0.0, 0.0)
    peak = peak_map(E, process, e) if is_light(process) else NO_PEAK
    t, t_minus_tmin, dt = transfer(process, e, peak, r_t)
    weight = jacobian * dt * sigma_density(E, process, e, t, t_minus_tmin)
    return Point(E_S, one_minus_cos_theta, t, t_minus_tmin, weight)
