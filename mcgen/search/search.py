"""What an experiment looks for: which bosons count as signal, and how many beam particles were on target.

With geometry "paper" every S flies along the beam and the whole detector sees it (Eqs. 18, 20), with "3d" it must hit
a detector of a shape (`mcgen.search.window`). A decay in an active layer of the target counts as well, from the place
of production on. A card gives layers no width: they reach as far in x and y as S flies.
"""

from __future__ import annotations

import functools
import itertools
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mcgen.base.arrays import Array
from mcgen.base.errors import McgenWarning
from mcgen.card.card import Card
from mcgen.card.detector import Detector
from mcgen.card.efficiency import DAUGHTERS, DEPTH, NO_KNOTS, Correction, Efficiency, Table, parse_efficiency
from mcgen.card.target import active_ranges
from mcgen.physics.signal.depth import Depth
from mcgen.physics.signal.fiducial import INVISIBLE_COUNTS, SIGNATURES
from mcgen.physics.signal.layers import Layers
from mcgen.search.bends import POINTS, STRAIGHT, Bends, TooFineError, bends
from mcgen.search.covering import Ranges, check_seen, counted_ranges, decay_range
from mcgen.search.cross import MANY, SIDE, Cross, cross, spread, uneven
from mcgen.search.signal import NONE, Made
from mcgen.search.variables import VARIABLES
from mcgen.search.window import barrel, passage, window
from mcgen.source.boson import Boson

Columns = Mapping[str, NDArray[Any]]
#: variables but for the place of a decay, and from where to where each counts
Others = tuple[tuple[str, tuple[float, float]], ...]

_AXES, _PARTS = "xyz", ("px", "py", "pz", "E")
#: error of straight pieces in the place of a decay, and most of their limits: alone, and with other variables
_STRAIGHT, _KNOTS = 1e-5, (12_000, 2000)
#: how often limits in two variables are looked for between those of the other one
_ROUNDS = 3
#: lines of a formula of two variables where all of them have too many limits
_FEW = 4
#: share of a formula of two variables that is left when all lines are taken, and nobody is told of
_REST = 0.01
#: what the quadrature has of an S; the place of its decay is integrated
OF_QUADRATURE = ("S_E_gev", "x", DEPTH)


class NotFollowedWarning(McgenWarning):
    """A formula has structure that a quadrature does not follow."""


@dataclass(frozen=True, slots=True)
class Search:
    """What counts as a signal, for the nodes of a quadrature, events and forced decays alike."""

    detector: Detector
    length: float  #: of the target in cm
    efficiency: Efficiency | float = 1.0  #: share of the S that are seen where their decay counts
    active: tuple[tuple[float, float], ...] = ()  #: z in cm between which the target sees decays itself
    ranges: Ranges | None = None  #: from where to where each variable counts, of a mass of S

    @classmethod
    def of(cls, card: Card, m_S: float | None = None) -> Search:
        """That of a card; with the mass of S in GeV, its efficiency must be given wherever S of that mass counts."""
        given = card.search.efficiency if card.search else 1.0
        efficiency = parse_efficiency(given) if isinstance(given, str) else given
        ranges = None
        if m_S is not None and not isinstance(efficiency, float):
            ranges = counted_ranges(card, m_S)
            efficiency.check_covers(ranges)
            if isinstance(efficiency, Table):
                for name in efficiency.names:
                    check_seen(card, name, *efficiency.support(name))
        if card.collider:
            return Barrel(card.detector, 0.0, efficiency, (), ranges)
        return cls(card.detector, card.target.length, efficiency, active_ranges(card.target.layers), ranges)

    @property
    def measured(self) -> tuple[str, ...]:
        """Variables that the efficiency depends on."""
        return () if isinstance(self.efficiency, float) else self.efficiency.names

    @property
    def sees_places(self) -> bool:
        """Whether the efficiency depends on where S decays."""
        return DEPTH in self.measured

    @property
    def straight_error(self) -> float:
        """Largest share of N_S by which the straight pieces of a formula in the place of the decay miss it."""
        has_formula = isinstance(self.efficiency, Correction) and self.efficiency.has_formula
        return _STRAIGHT if has_formula and self.sees_places else 0.0

    @property
    def needs_events(self) -> str:
        """Why the quadrature cannot answer, in words; empty if it can."""
        names = [name for name in self.measured if name not in OF_QUADRATURE]
        return f"the efficiency depends on {' and '.join(names)}" if names else ""

    @property
    def is_3d(self) -> bool:
        """Whether the detector has a shape."""
        return self.detector.geometry == "3d"

    @property
    def from_events(self) -> bool:
        """Whether N_S is that of events: of a detector with a shape, or with an efficiency that needs them."""
        return self.is_3d or bool(self.needs_events)

    @property
    def follows_daughters(self) -> bool:
        """Whether a decay counts by its daughters."""
        in_3d = self.is_3d and self.detector.signature == "displaced"
        return in_3d or any(name in DAUGHTERS for name in self.measured)

    @property
    def needed(self) -> list[str]:
        """Branches of events that say where and whether a decay counts."""
        of_shape = ["event", *(f"vertex_{axis}_cm" for axis in _AXES), *(f"S_p{axis}" for axis in _AXES)]
        return ["depth_cm", "E_mu", "S_E", *(of_shape if self.is_3d or self.follows_daughters else []), *self.columns]

    @property
    def _needed_by_efficiency(self) -> list[str]:
        return [column for name in self.measured if name != DEPTH for column in VARIABLES[name].needed]

    @property
    def columns(self) -> list[str]:
        """Branches of events that the efficiency depends on, but for those of daughters, which are made anew."""
        return [name for name in self._needed_by_efficiency if name not in ("d1_E", "d2_E")]

    @property
    def decays(self) -> tuple[float, float]:
        """Lowest and highest z in cm of a decay that counts."""
        return decay_range(self.detector, self.length, self.active)

    def lowest_energy(self, E_mu: Any) -> Any:
        """Lowest energy of S in GeV that counts at an energy of the beam lepton, a number or an array."""
        return np.maximum(self.detector.x_min * E_mu, self.detector.E_S_min or 0.0)

    def kinks(self, E_mu: float, low: float = 0.0) -> list[float]:
        """Energies of S in GeV above `low` where the efficiency bends at an energy of the beam: limits of integrals."""
        if isinstance(self.efficiency, float):
            return []
        found = [*self.efficiency.breaks("S_E_gev"), *(x * E_mu for x in self.efficiency.breaks("x"))]
        if formula := self._formula:
            found = [*found, *_bends_in_energy(*formula, E_mu)]
        return [E for E in found if low < E < E_mu]

    @property
    def _formula(self) -> tuple[Correction, Ranges] | None:
        """The efficiency, if it has a formula that can bend anywhere, and from where to where its variables count."""
        has_formula = isinstance(self.efficiency, Correction) and self.efficiency.has_formula
        return (self.efficiency, self.ranges) if has_formula and self.ranges else None  # type: ignore[return-value]

    @property
    def _depth_bends(self) -> Bends | None:
        """Where a formula bends in the place of the decay."""
        if self._formula is None or not self.sees_places:
            return None
        efficiency, ranges = self._formula
        others = tuple((name, ranges[name]) for name in efficiency.names if name != DEPTH)
        return _bends_in_both(efficiency, others, self.decays)[1] if all(a < b for _, (a, b) in others) else None

    @property
    def places(self) -> list[tuple[float, float]]:
        """Depths in cm in active layers, which are cut where the efficiency bends."""
        parts = [[low, *(z for z in self.depth_cuts if low < z < high), high] for low, high in self.active]
        return [pair for ends in parts for pair in itertools.pairwise(ends)]

    @property
    def depth_cuts(self) -> list[float]:
        """Depths in cm inside active layers where the efficiency bends: limits of integrals over the depth."""
        found = [] if isinstance(self.efficiency, float) else self.efficiency.breaks(DEPTH)
        if self.active and (formula := self._depth_bends):
            found = sorted([*found, *formula.abrupt.tolist()])
        return [z for z in found if any(low < z < high for low, high in self.active)]

    def counts(self, columns: Columns) -> NDArray[np.bool_]:
        """Which S are above the cut."""
        return np.asarray(self.lowest_energy(columns["E_mu"]) < columns["S_E"])

    def share(self, columns: Columns, possible: NDArray[np.bool_], decay_z: Array | None = None) -> Array:
        """Share of the S that are seen if they decay in the window: 0 below the cut.

        Parameters
        ----------
        columns : mapping of array, shape (n,)
        possible : array of bool, shape (n,)
            Which S can count at all; the efficiency of no other one is asked for.
        decay_z : array, shape (n,), optional
            Places of their decays in cm. An efficiency that depends on them is 1 if they are not given.
        """
        if isinstance(self.efficiency, float):
            return np.where(self.counts(columns), self.efficiency, 0.0)
        asked = possible & self.counts(columns)
        if self.sees_places and decay_z is None:
            return np.where(asked, 1.0, 0.0)
        some = {name: columns[name][asked] for name in self._needed_by_efficiency}
        z = NONE if decay_z is None else np.clip(decay_z[asked], *self.decays)
        found = np.zeros(asked.size)
        found[asked] = self.efficiency.at(*(z if name == DEPTH else VARIABLES[name].of(some) for name in self.measured))
        return found

    def flight(self, columns: Columns, along: bool = False) -> tuple[Array, Array]:
        """z in cm where each S is made, and the share of its way along the beam: all of it, or that of its momentum."""
        if along or not self.is_3d:
            return columns["depth_cm"], np.ones(columns["depth_cm"].size)
        S = np.array([columns[f"S_p{axis}"] for axis in _AXES])
        return columns["vertex_z_cm"], S[2] / np.sqrt((S**2).sum(axis=0))

    def _depth(self, columns: Columns, possible: NDArray[np.bool_], along: bool) -> Depth | None:
        """The efficiency by the place of the decay, if it depends on that, for S of events or along the beam."""
        if isinstance(self.efficiency, float) or not self.sees_places:
            return None
        z, n_z = self.flight(columns, along)
        asked = possible & self.counts(columns)
        some = {name: columns[name][asked] for name in self._needed_by_efficiency}
        others = [VARIABLES[name].of(some) for name in self.measured if name != DEPTH]
        found = self._depth_bends
        more = found.knots if found else NO_KNOTS
        pieces = self.efficiency.in_depth(others, int(asked.sum()), self.decays, more)
        row, part = np.zeros(z.size, np.int64), np.zeros(z.size)
        row[asked], part[asked] = pieces.row, pieces.part
        return Depth(z, n_z, pieces.knots, pieces.values, row, part)

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
        z, n_z = self.flight(columns)
        seen = np.array([columns[f"d{n}_E"] >= self.detector.E_daughter for n in (1, 2)])
        counts = seen.any(axis=0) if self.detector.daughters == "any" else seen.all(axis=0)
        return self._layers(z, np.where(counts, n_z, 0.0))

    def _layers(self, z: Array, n_z: Array) -> Layers:
        low, high = zip(*self.active, strict=True)
        return Layers(np.array(low), np.array(high), z, n_z)

    def window(self, columns: Columns) -> tuple[Array, Array]:
        """Distances from the production in cm between which the decay of an event in the detector counts."""
        if not self.is_3d:
            z_min, z_max = self.along_beam(columns["depth_cm"])
            return z_min, np.broadcast_to(z_max, z_min.shape).astype(float)
        daughters = None
        if self.follows_daughters:
            daughters = np.array([[columns[f"d{n}_{part}"] for part in _PARTS] for n in (1, 2)])
        return window(self.detector, *self._tracks(columns), daughters)

    def passage(self, columns: Columns) -> tuple[Array, Array]:
        """The same if every decay in the detector counted, wherever its daughters go: 0 twice for S that miss it."""
        if not self.is_3d or not self.follows_daughters:
            return self.window(columns)
        return passage(self.detector, *self._tracks(columns))

    def _tracks(self, columns: Columns) -> tuple[float, Array, Array]:
        """z of the back plane in cm, where S is made as seen from the middle of the detector, and its momentum."""
        middle = self.detector.offset_x, self.detector.offset_y, 0.0
        vertex = np.array([columns[f"vertex_{axis}_cm"] - at for axis, at in zip(_AXES, middle, strict=True)])
        S = np.array([columns[f"S_p{axis}"] for axis in _AXES])
        return self.length + self.detector.gap + self.detector.L_det, vertex, S

    def see(
        self,
        weight: Array,
        k: Array,
        columns: Columns,
        window: tuple[Array, Array],
        tau: Array = NONE,
        layers: Layers | None = None,
        along: bool = False,
    ) -> Made:
        """What the search keeps of bosons: the one place where cut and efficiency are applied.

        Parameters
        ----------
        weight : array, shape (n,)
            Bosons per beam particle at unit coupling.
        k : array, shape (n,)
            Momentum of each boson in GeV.
        columns : mapping of array, shape (n,)
            S_E and E_mu in GeV, and the others that the efficiency depends on.
        window : (array, array)
            Distances from the production in cm between which a decay in the detector counts.
        tau : array, shape (n,), optional
            Mean lives to the boson's own decay, if that is to be counted.
        layers : Layers, optional
            In which a decay counts too.
        along : bool
            Whether every S flies along the beam, whatever the detector.
        """
        possible = self.possible(window, layers) & (weight != 0.0)
        depth = self._depth(columns, possible, along)
        if along and depth is not None and possible.any():
            self._check_met(depth)
        return Made(weight * self.share(columns, possible), k, columns["E_mu"], *window, tau, layers, depth)

    def _check_met(self, depth: Depth) -> None:
        """Warn if a formula of the place of the decay and of energy is 0 at all nodes, and not elsewhere."""
        if self._formula is None or len(self.measured) == 1 or depth.values.any():
            return
        efficiency, ranges = self._formula
        others = tuple((name, ranges[name]) for name in self.measured if name != DEPTH)
        if _crossed(efficiency, self.decays, others)[2].largest > 0.0:
            _tell(
                efficiency, "is 0 wherever the quadrature asks, but not everywhere; compare `mcgen reweight` of events"
            )

    @staticmethod
    def possible(window: tuple[Array, Array], layers: Layers | None) -> NDArray[np.bool_]:
        """Which S have a way on which their decay counts."""
        on_way = window[0] < window[1]
        return on_way if layers is None else on_way | (layers.n_z != 0.0)

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


def _bends_in_energy(efficiency: Correction, ranges: Ranges, E_mu: float) -> list[float]:
    """Energies of S in GeV where a formula bends, at an energy of the beam."""
    names = [name for name in efficiency.names if name != DEPTH]
    if not set(names) <= {"S_E_gev", "x"} or not names or any(low >= high for low, high in ranges.values()):
        return []
    depth = ranges.get(DEPTH, (0.0, 0.0))
    if names == ["x"]:
        return [x * E_mu for x in _bends_in_both(efficiency, (("x", ranges["x"]),), depth)[0].all]
    low, high = ranges["S_E_gev"]
    if "x" not in names:  # the beam of a card, or an energy beyond it that was asked for
        beyond = max(0.0, E_mu - high / ranges["x"][1]) if "x" in ranges else 0.0
        return _bends_in_both(efficiency, (("S_E_gev", (low, high + beyond)),), depth)[0].all
    places = () if DEPTH not in efficiency.names else _abrupt_in_depth(efficiency, ranges)
    low, high = max(low, ranges["x"][0] * E_mu), min(high, ranges["x"][1] * E_mu)
    return _bends_of(efficiency, (low, high), depth, places, E_mu).all if low < high else []


def _abrupt_in_depth(efficiency: Correction, ranges: Ranges) -> tuple[float, ...]:
    others = tuple((name, ranges[name]) for name in efficiency.names if name != DEPTH)
    return tuple(_bends_in_both(efficiency, others, ranges[DEPTH])[1].abrupt.tolist())


@functools.lru_cache(maxsize=64)
def _bends_in_both(efficiency: Correction, others: Others, depth: tuple[float, float]) -> tuple[Bends, Bends]:
    """Where an efficiency bends in its one energy, if it has one, and in the place of the decay.

    Each is looked for between the limits of the other, until there is nothing new.
    """
    found = in_depth = Bends(np.empty(0), np.empty(0))
    if DEPTH not in efficiency.names:
        return _bends_of(efficiency, others[0][1], depth), in_depth
    alone = len(others) == 1 and others[0][0] in ("S_E_gev", "x")
    for _ in range(_ROUNDS if alone else 1):
        before = found.abrupt.size, in_depth.abrupt.size
        in_depth = _bends_in_depth(efficiency, depth, others, found.abrupt)
        if alone:
            found = _bends_of(efficiency, others[0][1], depth, tuple(in_depth.abrupt.tolist()))
        if before == (found.abrupt.size, in_depth.abrupt.size):
            break
    return found, in_depth


@functools.lru_cache(maxsize=64)
def _crossed(
    efficiency: Correction, depth: tuple[float, float], others: Others, E_mu: float | None = None
) -> tuple[Array, dict[str, Array], Cross]:
    """Places of decays in cm, and values of the other variables, at which an efficiency has all its structure.

    Also what is known of it on a grid of all places and values. With an energy of the beam the first one of the others
    is the energy of S, and x is of both.
    """
    points = SIDE if E_mu is None else SIDE // 4
    z = depth[0] + (depth[1] - depth[0]) * uneven(points)
    shares = spread(points, len(others)).T
    at = {name: low + (high - low) * part for (name, (low, high)), part in zip(others, shares, strict=True)}
    if E_mu is not None:
        at["x"] = at["S_E_gev"] / E_mu
    found = cross(efficiency.at(*(z[:, None] if name == DEPTH else at[name][None] for name in efficiency.names)))
    if found.rest > _REST:
        names = f"{', '.join(at)} and {DEPTH}"
        _tell(
            efficiency,
            f"has structure in {names} together that limits of integrals follow in part, and N_S may have a larger "
            "error than stated; compare `mcgen reweight` of events",
        )
    return z[found.rows], {name: values[found.columns] for name, values in at.items()}, found


@functools.lru_cache(maxsize=256)
def _bends_of(
    efficiency: Correction,
    ends: tuple[float, float],
    depth: tuple[float, float],
    cuts: tuple[float, ...] = (),
    E_mu: float | None = None,
) -> Bends:
    """Where an efficiency bends in its one energy, or in that of S at an energy of the beam, at any decay's place.

    `cuts` are limits in that place.
    """
    low, high = ends
    names = [name for name in efficiency.names if name != DEPTH]
    scale = {"S_E_gev": 1.0, "x": E_mu or 1.0}
    edges = sorted({at * scale[name] for name in names for at in efficiency.breaks(name)})
    places = np.zeros(1)
    if DEPTH in efficiency.names:
        looked = _crossed(efficiency, depth, (("S_E_gev" if E_mu else names[0], ends),), E_mu)[0]
        places = np.union1d(_samples(efficiency, DEPTH, depth, cuts=cuts), looked)

    def of(at: Array) -> Array:
        where = [places[:, None] if name == DEPTH else (at / scale[name])[None] for name in efficiency.names]
        return efficiency.at(*where)

    known = [low, *(at for at in edges if low < at < high), high]
    try:
        return bends(of, known, POINTS // (places.size * (4 if E_mu else 1)))
    except TooFineError:
        raise _too_fine(efficiency, names, ends) from None


def _bends_in_depth(
    efficiency: Correction, depth: tuple[float, float], others: Others, cuts: Iterable[float] = ()
) -> Bends:
    """Where an efficiency bends in the place of the decay, at some values of the others; `cuts` are limits of one."""
    each = [_samples(efficiency, name, ends, max(2, 16 // len(others) ** 2), cuts) for name, ends in others]
    rows = dict(zip((name for name, _ in others), map(np.ravel, np.meshgrid(*each)), strict=True))
    looked = _crossed(efficiency, depth, others)[1] if others else {}
    low, high = depth
    known, most = [low, *(z for z in efficiency.breaks(DEPTH) if low < z < high), high], _KNOTS[min(1, len(others))]
    for lines in (MANY, _FEW) if others else (0,):  # lines of a ridge have their limits each at another place
        at_rows = {name: np.concatenate([values, looked[name][:lines]]) for name, values in rows.items()}

        def of(at: Array, rows: Columns = at_rows) -> Array:
            return efficiency.at(*(at[None] if name == DEPTH else rows[name][:, None] for name in efficiency.names))

        points = POINTS // max([1, *(at.size for at in at_rows.values())])
        try:
            return bends(of, known, points, terms=STRAIGHT, tolerance=_STRAIGHT, most=most)
        except TooFineError:
            continue
    raise _too_fine(efficiency, [DEPTH], depth)


@functools.lru_cache(maxsize=64)
def _tell(efficiency: Correction, what: str) -> None:
    """Warn once of an efficiency."""
    message = f"search.efficiency: correction {efficiency.name} {what}"
    warnings.warn(message, NotFollowedWarning, stacklevel=2)


def _too_fine(efficiency: Correction, names: Sequence[str], ends: tuple[float, float]) -> TooFineError:
    message = (
        f"search.efficiency: correction {efficiency.name} has structure in {' and '.join(names)} between {ends[0]:g} "
        f"and {ends[1]:g} that is too fine to integrate; give bins or a smoother function"
    )
    return TooFineError(message)


def _samples(
    efficiency: Correction, name: str, ends: tuple[float, float], most: int = 16, cuts: Iterable[float] = ()
) -> Array:
    """Values of a variable at which an efficiency is looked at: the middles of its bins and between cuts, and more."""
    low, high = ends
    edges = np.unique([low, *(at for at in (*efficiency.breaks(name), *cuts) if low < at < high), high])
    middles = 0.5 * (edges[1:] + edges[:-1])
    some = middles[np.unique(np.linspace(0, middles.size - 1, most).astype(int))]
    shares = np.array([0.01, 0.12, 0.3, 0.5, 0.7, 0.88, 0.99])[:most]
    return np.unique(np.concatenate([some, low + (high - low) * shares]))


@dataclass(frozen=True, slots=True)
class Barrel(Search):
    """Decays between two radii about colliding beams, of S at some angles to them."""

    @property
    def needed(self) -> list[str]:
        """Branches of events that say where and whether a decay counts."""
        return ["depth_cm", "E_mu", "S_E", *(f"S_p{axis}" for axis in _AXES)]

    def flight(self, columns: Columns, along: bool = False) -> tuple[Array, Array]:  # noqa: ARG002
        """z in cm where each S is made, that of the collision, and the share of its way along the beam."""
        S = np.array([columns[f"S_p{axis}"] for axis in _AXES])
        return np.zeros(S[2].size), S[2] / np.sqrt((S**2).sum(axis=0))

    def window(self, columns: Columns) -> tuple[Array, Array]:
        """Distances from the production in cm between which the decay of an event counts."""
        return barrel(self.detector, np.array([columns[f"S_p{axis}"] for axis in _AXES]))
