"""Two beams that collide, in the place of a beam in a target: what they can make, and in which frame."""

from __future__ import annotations

import functools

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.constants import LEPTON_MASSES, M_E
from mcgen.base.errors import ThresholdError, check_number, refuse_if
from mcgen.card.card import Card
from mcgen.card.quantities import LOWEST_MASS
from mcgen.physics.boson.couplings import Couplings
from mcgen.physics.collider.amplitude import Collision, collision
from mcgen.physics.collider.event_map import Frame, frame
from mcgen.source.targets import POSITRON, Target


class Collisions:
    """e- on e+ of a card, which make a pair of leptons and a boson.

    Parameters
    ----------
    card : Card
        With a collider.
    """

    #: nothing of a thickness is hit
    targets = (POSITRON,)

    def __init__(self, card: Card) -> None:
        refuse_if(card.collider is None, f"card {card.name}: has a target, and this is for beams that collide")
        assert card.collider
        self.card = card
        self.collider = card.collider

    @functools.cached_property
    def frame(self) -> Frame:
        """Beams and boost."""
        return frame(self.collider.E_cm, *self.collider.boost, M_E)

    @property
    def E_exit(self) -> float:
        """Energy of the electron beam in GeV, which loses none."""
        return self.frame.E_first

    def electron_ratio(self, model: str | Couplings) -> float:  # noqa: ARG002
        """Nothing but the pair radiates here."""
        return 0.0

    def process(self, m_S: float, target: Target | None = None) -> Collision:  # noqa: ARG002
        """Constants of the kernels for a boson of mass m_S in GeV."""
        of = self.collider
        scalar = self.card.scalar
        return collision(of.E_cm, LEPTON_MASSES[of.lepton], m_S, scalar.mediator, scalar.parity_angle)

    def makes(self, m_S: float) -> bool:
        """Whether the energy suffices for a boson of this mass in GeV."""
        return self.process(m_S).is_open

    def energy_range(self, m_S: float) -> tuple[float, float]:  # noqa: ARG002
        """Energy of the electron beam in GeV, twice."""
        return self.E_exit, self.E_exit

    def nuclei(self, m_S: float, edges: Array) -> Array:  # noqa: ARG002
        """What weights are divided by for a cross section in pb, in bins of the beam's energy: they are one already."""
        return np.ones(edges.size - 1)

    def check_mass(self, m_S: float, where: str = "mass") -> None:
        """Raise ThresholdError unless a boson of this mass in GeV can be made."""
        check_number(where, m_S, LOWEST_MASS, 1e6)
        if not self.makes(m_S):
            of = self.collider
            pair = 2.0 * LEPTON_MASSES[of.lepton]
            message = f"{where}: {m_S:g} GeV is above threshold, {of.E_cm:g} GeV make a pair of {of.lepton} and up to "
            message += f"{of.E_cm - pair:.4g} GeV"
            if of.E_cm <= pair:
                message = f"collider: {of.E_cm:g} GeV make no pair of {of.lepton}, which needs {pair:.4g} GeV"
            raise ThresholdError(message)

    def check(self) -> None:
        """Raise InputError if the card asks for what cannot be made."""
        self.check_mass(self.card.scalar.mass, "scalar.mass")
