"""Random points of phase space over the range of energies, masses and targets that mcgen is made for."""

from __future__ import annotations

import math
from typing import NamedTuple

import exact
import numpy as np

from mcgen.base.constants import LEPTON_MASSES
from mcgen.physics.emission.amplitude import Process, transverse_momentum
from mcgen.physics.emission.kinematics import emission, scalar_energy_range
from mcgen.physics.emission.phase_space import energy_map
from mcgen.quadrature.xsec import process_of
from validation.point import map_point

TARGETS = ("H", "Be", "C", "Fe", "W", "Pb")
#: leptons before and after
SAME = (("mu", "mu"), ("e", "e"))
CHANGES = (("mu", "tau"), ("mu", "e"), ("e", "mu"), ("e", "tau"))


class Case(NamedTuple):
    """A point: what is scattered, and the coordinates that fix every momentum."""

    process: Process
    E: float
    E_S: float
    one_minus_cos_theta: float
    t: float
    t_minus_tmin: float
    phi_q: float

    @property
    def arguments(self):
        """Arguments of `reduced_amplitude`."""
        p = self.process
        return (self.E, p.m, p.m_S, p.M, self.E_S, self.one_minus_cos_theta, self.t_minus_tmin, self.phi_q)

    @property
    def exact(self):
        """The point with 60 digits."""
        return exact.point(*self.arguments, self.process.m_out)


def cases(
    number: int, seed: int, edges: float = 0.4, mediator: str = "scalar", lightest: float = 1e-3, leptons=SAME
) -> list[Case]:
    """Points with E from 0.2 to 500 GeV, m_S from `lightest` to 1 GeV; a smaller `edges` crowds them at the limits."""
    rng = np.random.default_rng(seed)
    found: list[Case] = []
    while len(found) < number:
        E, m_S = 0.2 * 2500.0 ** rng.uniform(), lightest ** rng.uniform()
        target, (lepton, out) = str(rng.choice(TARGETS)), leptons[rng.integers(len(leptons))]
        if LEPTON_MASSES[out] + m_S <= LEPTON_MASSES[lepton]:
            continue
        process = process_of(target, m_S, lepton, mediator=mediator, out_lepton=out)
        if 1.02 * process.threshold > E:
            continue
        point = map_point(E, process, energy_map(E, process), *rng.beta(edges, edges, 3))
        if point.t > 0.0:
            phi_q = rng.uniform(-math.pi, math.pi)
            found.append(Case(process, E, point.E_S, point.one_minus_cos_theta, point.t, point.t_minus_tmin, phi_q))
    return found


def collinear_cases(
    number: int, seed: int, mediator: str = "scalar", lepton: str = "e", out: str | None = None
) -> list[Case]:
    """Points from 1 MeV to 1 TeV where S flies along the beam or the outgoing lepton, up to both ends of E_S and t."""
    rng = np.random.default_rng(seed)
    found: list[Case] = []
    while len(found) < number:
        E, m_S = 1e-3 * 1e6 ** rng.uniform(), 1e-5 * 3e5 ** rng.uniform()
        if out and LEPTON_MASSES[out] + m_S <= LEPTON_MASSES[lepton]:
            continue
        process = process_of(str(rng.choice(TARGETS)), m_S, lepton, mediator=mediator, out_lepton=out)
        if 1.02 * process.threshold > E:
            continue
        omc = float(rng.choice([0.0, 1e-18 * 1e9 ** rng.uniform(), 1e-9 * 2e9 ** rng.uniform()]))
        low, high = scalar_energy_range(E, process.m, process.m_out, m_S, process.M, 1.0 - omc)
        if not low < high:
            continue
        to_end = high - (high - low) * 1e-6 ** rng.uniform()
        E_S = float(rng.choice([to_end, low * (high / low) ** rng.uniform(), low + (high - low) * rng.uniform()]))
        e = emission(E, process.m, process.m_out, m_S, process.M, E_S, omc)
        above = e.t_min * (e.t_max / e.t_min) ** rng.uniform() - e.t_min
        above = _toward_lepton(rng, e, process) if len(found) % 2 else above
        above = float(rng.choice([above, 0.0])) if omc < 1e-9 else above
        if not 0.0 <= above < 0.999 * (e.t_max - e.t_min):
            continue
        near = 1e-9 ** rng.uniform()
        phi_q = float(rng.choice([0.0, near, math.pi, math.pi - near, rng.uniform(-math.pi, math.pi)]))
        found.append(Case(process, E, E_S, omc, e.t_min + above, above, phi_q))
    return found


def _toward_lepton(rng: np.random.Generator, e, process: Process) -> float:
    """t - t_min at which the outgoing lepton flies within 1e-12 to 0.1 of its own angle along S, at phi_q = 0."""

    def apart(log: float) -> float:
        above = math.exp(log)
        t = e.t_min + above
        q_par = -(0.5 * e.u + 0.5 * t + 0.5 * t / process.M * e.W) * e.per_V
        return transverse_momentum(e, t, above) * e.k_V - e.k_1 * (e.V + q_par)

    low, high = math.log(e.t_min * 1e-9), math.log(0.999 * (e.t_max - e.t_min))
    if apart(low) * apart(high) > 0.0:
        return math.nan
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if apart(low) * apart(middle) > 0.0 else (low, middle)
    return math.exp(low) * (1.0 + 1e-12 * 1e11 ** rng.uniform())
