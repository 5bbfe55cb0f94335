"""What an experiment looks for: which bosons count as signal, and how many beam particles were on target.

With geometry "paper" every S flies along the beam and the whole detector sees it (Eqs. 18, 20), with "3d" it must hit
a detector of a shape (`mcgen.search.window`). A decay in an active layer of the target counts as well, from the place
of production on. A card gives layers no width: they reach as far in x and y as S flies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mcgen.base.arrays import Array
from mcgen.card.card import Card
from mcgen.card.detector import Detector
from mcgen.card.search_options import Curve
from mcgen.card.target import active_ranges
from mcgen.physics.signal.fiducial import INVISIBLE_COUNTS, SIGNATURES
from mcgen.physics.signal.layers import Layers
from mcgen.search.signal import NONE, Made
from mcgen.search.window import barrel, window
from mcgen.source.boson import Boson

Columns = Mapping[str, NDArray[Any]]

_AXES, _PARTS = "xyz", ("px", "py", "pz", "E")


@dataclass(frozen=True, slots=True)
class Search:
    """What counts as a signal, for the nodes of a quadrature, events and forced decays alike."""

    detector: Detector
    length: float  #: of the target in cm
    efficiency: Curve | float = 1.0  #: share of the S that are seen where their decay counts, or its curve in E_S
    active: tuple[tuple[float, float], ...] = ()  #: z in cm between which the target sees decays itself

    @classmethod
    def of(cls, card: Card) -> Search:
        """That of a card."""
        efficiency = card.search.efficiency if card.search else 1.0
        if card.collider:
            return Barrel(card.detector, 0.0, efficiency)
        return cls(card.detector, card.target.length, efficiency, active_ranges(card.target.layers))

    @property
    def is_3d(self) -> bool:
        """Whether the detector has a shape."""
        return self.detector.geometry == "3d"

    @property
    def follows_daughters(self) -> bool:
        """Whether a decay counts by where its daughters go."""
        return self.is_3d and self.detector.signature == "displaced"

    @property
    def needed(self) -> list[str]:
        """Branches of events that say where and whether a decay counts."""
        of_shape = ["event", *(f"vertex_{axis}_cm" for axis in _AXES), *(f"S_p{axis}" for axis in _AXES)]
        return ["depth_cm", "E_mu", "S_E", *(of_shape if self.is_3d else [])]

    def lowest_energy(self, E_mu: Any) -> Any:
        """Lowest energy of S in GeV that counts at an energy of the beam lepton, a number or an array."""
        return np.maximum(self.detector.x_min * E_mu, self.detector.E_S_min or 0.0)

    def kinks(self, low: float, high: float) -> list[float]:
        """Energies of S in GeV between two others where the efficiency bends: limits of integration."""
        energies = self.efficiency.energy if isinstance(self.efficiency, Curve) else []
        return [E for E in energies if low < E < high]

    def share(self, E_S: Array, E_mu: Any) -> Array:
        """Share of the S of energy E_S that count where they decay in the window: 0 below the cut."""
        efficiency = self.efficiency.at(E_S) if isinstance(self.efficiency, Curve) else self.efficiency
        return np.where(self.lowest_energy(E_mu) < E_S, efficiency, 0.0)

    def along_beam(self, depth: Any) -> tuple[Any, Any]:
        """(z_min, z_max) in cm of the detector for S made at a depth in cm, a number or an array (Eqs. 18, 20)."""
        detector = self.detector
        return SIGNATURES[detector.signature](depth, self.length + detector.gap, detector.L_det)

    def layers_along_beam(self, depth: Array) -> Layers | None:
        """The active layers, if there are any, for S made at depths in cm that fly along the beam."""
        return self._layers(depth, np.ones(depth.size)) if self.active else None

    def layers(self, columns: Columns) -> Layers | None:
        """The active layers, if there are any, for the S of events.

        In a layer the daughters that a detector of a shape asks for need their energy, and no way to its back plane.
        """
        if not self.active or not self.is_3d:
            return self.layers_along_beam(columns["depth_cm"])
        S = np.array([columns[f"S_p{axis}"] for axis in _AXES])
        seen = np.array([columns[f"d{n}_E"] >= self.detector.E_daughter for n in (1, 2)])
        counts = seen.any(axis=0) if self.detector.daughters == "any" else seen.all(axis=0)
        n_z = np.where(counts, S[2] / np.sqrt((S**2).sum(axis=0)), 0.0)
        return self._layers(columns["vertex_z_cm"], n_z)

    def _layers(self, z: Array, n_z: Array) -> Layers:
        low, high = zip(*self.active, strict=True)
        return Layers(np.array(low), np.array(high), z, n_z)

    def window(self, columns: Columns) -> tuple[Array, Array]:
        """Distances from the production in cm between which the decay of an event in the detector counts."""
        if not self.is_3d:
            z_min, z_max = self.along_beam(columns["depth_cm"])
            return z_min, np.broadcast_to(z_max, z_min.shape).astype(float)
        middle = self.detector.offset_x, self.detector.offset_y, 0.0
        vertex = np.array([columns[f"vertex_{axis}_cm"] - at for axis, at in zip(_AXES, middle, strict=True)])
        S = np.array([columns[f"S_p{axis}"] for axis in _AXES])
        daughters = None
        if self.follows_daughters:
            daughters = np.array([[columns[f"d{n}_{part}"] for part in _PARTS] for n in (1, 2)])
        end = self.length + self.detector.gap + self.detector.L_det
        return window(self.detector, end, vertex, S, daughters)

    def see(
        self,
        weight: Array,
        k: Array,
        E_S: Array,
        E_mu: Array,
        window: tuple[Array, Array],
        tau: Array = NONE,
        layers: Layers | None = None,
    ) -> Made:
        """What the search keeps of bosons: the one place where cut and efficiency are applied.

        Parameters
        ----------
        weight : array, shape (n,)
            Bosons per beam particle at unit coupling.
        k, E_S : array, shape (n,)
            Momentum and energy of each boson in GeV.
        E_mu : array, shape (n,)
            Energy of the beam lepton in GeV.
        window : (array, array)
            Distances from the production in cm between which a decay in the detector counts.
        tau : array, shape (n,), optional
            Mean lives to the boson's own decay, if that is to be counted.
        layers : Layers, optional
            In which a decay counts too.
        """
        return Made(weight * self.share(E_S, E_mu), k, E_mu, *window, tau, layers)

    def shares(self, boson: Boson) -> tuple[float, float]:
        """(share of S that decays visibly, share that counts as signal because it decays invisibly).

        If the card has one channel that counts, these are its share and 0.
        """
        counts = self.detector.signature in INVISIBLE_COUNTS and boson.card.scalar.decay is None
        return boson.visible, boson.invisible if counts else 0.0

    def can_see(self, boson: Boson) -> bool:
        """Whether the beam makes S and something of it counts: a displaced decay must be a visible one."""
        if boson.production_coupling() == 0.0:
            return False
        return self.detector.signature != "displaced" or boson.visible_width > 0.0


@dataclass(frozen=True, slots=True)
class Barrel(Search):
    """Decays between two radii about colliding beams, of S at some angles to them."""

    @property
    def needed(self) -> list[str]:
        """Branches of events that say where and whether a decay counts."""
        return ["depth_cm", "E_mu", "S_E", *(f"S_p{axis}" for axis in _AXES)]

    def window(self, columns: Columns) -> tuple[Array, Array]:
        """Distances from the production in cm between which the decay of an event counts."""
        return barrel(self.detector, np.array([columns[f"S_p{axis}"] for axis in _AXES]))
