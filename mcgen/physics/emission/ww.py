"""Weizsaecker-Williams approximation: exact kinematics and limits of t, |M|^2 at t -> t_min.

The average of A over phi_q tends to 8 M^2 (t - t_min)/(2 t_min) A22(x, u) of `mediator.bracket`; its
small-angle form with a frozen photon flux is Eq. 12 (`mcgen.physics.emission.iww`).
"""

from __future__ import annotations

from mcgen.base.jit import jit
from mcgen.physics.emission.kinematics import Emission
from mcgen.physics.emission.mediator import Weights, bracket


@jit
def amplitude_average_ww(
    E: float, m: float, m_out: float, m_S: float, M: float, weights: Weights, e: Emission, t_minus_tmin: float
) -> float:
    """The limit of the average of A in GeV^2; it stands in for `amplitude.amplitude_average`.

    Parameters
    ----------
    E, m, m_out, m_S, M : float
        Total beam energy, and masses of beam lepton, outgoing lepton, boson and nucleus in GeV.
    weights : Weights
        Those of the mediator.
    e : Emission
        Kinematics at E, E_S, theta_S.
    t_minus_tmin : float
        t - t_min in GeV^2.
    """
    return 4.0 * M * M * t_minus_tmin / e.t_min * bracket(1.0 - e.W / E, e.u, m, m_out, m_S, weights)
