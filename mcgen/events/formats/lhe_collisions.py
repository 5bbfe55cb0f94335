"""The process lepton N -> lepton N S in many events at once, where no digits have to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mcgen.events.formats.lhe_events import Event
from mcgen.events.formats.lhe_process import INCLINED, ROUNDING, SAME, SAME_PROCESS, Collision

#: events that take less than this part of what is allowed need no closer look
_SLACK = 0.99


def nearest(values: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.int64]:
    """Index of the value that is nearest to each x."""
    order = np.argsort(values)
    middles = 0.5 * (values[order][1:] + values[order][:-1])
    found: NDArray[np.int64] = order[np.searchsorted(middles, x)]
    return found


class Collisions(NamedTuple):
    """The process in many events, as arrays; particles in the order lepton, nucleus, both after, boson."""

    p: NDArray[np.float64]  #: px, py, pz, E in GeV, of shape (n, 5, 4)
    masses: NDArray[np.float64]  #: as their lines say, in GeV, of shape (n, 5)
    mass: NDArray[np.float64]  #: of the boson in GeV, of shape (n,) as what follows
    process: NDArray[np.int64]
    weight: NDArray[np.float64]
    further: NDArray[np.float64]  #: other numbers that were asked for, of shape (n, how many); NaN where one lacks

    @classmethod
    def joined(cls, events: list[tuple[Event, Collision]], names: Sequence[str] = ()) -> Collisions:
        """Events that were looked at one by one, with further numbers by their names."""
        return cls(
            np.array([[particle.p for particle in found.particles] for _, found in events]),
            np.array([[particle.mass for particle in found.particles] for _, found in events]),
            np.array([found.mass for _, found in events]),
            np.array([event.process for event, _ in events]),
            np.array([event.weight for event, _ in events]),
            np.array([[event.further.get(name, np.nan) for name in names] for event, _ in events]),
        )

    @classmethod
    def alike(
        cls, numbers: NDArray[np.float64], slots: Event, lines: list[int], names: Sequence[str] = ()
    ) -> Collisions:
        """Events by their numbers.

        Parameters
        ----------
        numbers : array, shape (n, numbers of an event)
        slots : Event
            Which of the numbers is which.
        lines : list of int
            Lines of the five particles.
        names : sequence of str
            Of further numbers.
        """
        five = [slots.particles[line] for line in lines]
        p = numbers[:, np.array([particle.p for particle in five], dtype=int)]
        masses = numbers[:, [int(particle.mass) for particle in five]]
        process, weight = numbers[:, slots.process], numbers[:, int(slots.weight)]
        further = np.full((len(numbers), len(names)), np.nan)
        for i, name in enumerate(names):
            if name in slots.further:
                further[:, i] = numbers[:, int(slots.further[name])]
        return cls(p, masses, masses[:, 4], process.astype(np.int64), weight, further)

    def sound(self, first: Collision, energies: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each event is surely of the process of the first, and would pass `check_frame` and `checked`.

        Parameters
        ----------
        first : Collision
        energies : array, shape (energies,)
            Those of the beam that were seen, in GeV.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            return self._sound(first, energies)

    def _sound(self, first: Collision, energies: NDArray[np.float64]) -> NDArray[np.bool_]:
        p, masses = self.p, self.masses
        momentum = ROUNDING * np.abs(p[:, :, :3]).max(axis=(1, 2))
        energy = ROUNDING * p[:, :, 3].max(axis=1)
        missing = np.abs(p[:, :2].sum(axis=1) - p[:, 2:].sum(axis=1))
        squares = p * p
        p2, E2, m2 = squares[:, :, :3].sum(axis=2), squares[:, :, 3], masses * masses
        lepton, nucleus = np.sqrt(p2[:, 0]), np.sqrt(p2[:, 1])
        of_first = np.array([first.lepton.mass, first.nucleus.mass, first.lepton_out.mass])
        before = masses[:, :2]
        if first.lepton_out.pdg != first.lepton.pdg:
            before = np.column_stack([np.full(len(masses), first.lepton_out.mass), masses[:, 1]])
        E = energies[nearest(energies, p[:, 0, 3])]
        off_and_allowed = (
            (missing[:, :3].max(axis=1), 5 * momentum),
            (missing[:, 3], 5 * energy),
            (np.abs(before - masses[:, 2:4]), SAME * before),
            (np.abs(masses[:, :3] - of_first), SAME_PROCESS * of_first),
            (np.abs(E2 - p2 - m2), 2.0 * ROUNDING * (E2 + p2 + m2)),
            (np.abs(p[:, 0, 3] - E), SAME * E),
            (nucleus, np.maximum(10.0 * momentum, SAME * (lepton + nucleus))),
            (np.hypot(p[:, 0, 0], p[:, 0, 1]), INCLINED * p[:, 0, 2]),  # which is along +z
        )
        passed = (np.atleast_2d((off <= _SLACK * allowed).T).all(axis=0) for off, allowed in off_and_allowed)
        sound: NDArray[np.bool_] = np.logical_and.reduce([p[:, 0, 2] > 0.0, *passed])
        return sound

    def same_mass(self, m_S: float) -> NDArray[np.bool_]:
        """Whether the bosons surely have the mass m_S in GeV."""
        found: NDArray[np.bool_] = np.abs(self.mass - m_S) <= _SLACK * SAME * m_S
        return found
