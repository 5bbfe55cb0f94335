"""A search in bins: of a number that each boson has, or of the depth at which it decays."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.errors import InputError, choose
from mcgen.card.card import Card
from mcgen.card.search_bins import BINNED, edges_in
from mcgen.physics.signal.fiducial import INVISIBLE_COUNTS
from mcgen.search.search import Columns, Search
from mcgen.search.signal import Made
from mcgen.search.variables import DEPTH, VARIABLES

#: what the nodes of a quadrature know of each boson
BY_QUADRATURE = ("S_E_gev", "x", DEPTH)
#: columns that daughters are made of
_OF_DAUGHTERS = ("event", "S_px", "S_py", "S_pz", "S_E")


@dataclass(frozen=True, slots=True)
class CutAt(Search):
    """A search that integrates over the energy of S from bin to bin."""

    cuts: tuple[float, ...] = ()  #: edges of bins
    in_x: bool = False  #: of E_S/E_mu, else of E_S in GeV

    def kinks(self, low: float, high: float) -> list[float]:
        """Limits of integration in E_S between two others in GeV, of which the second is E_mu."""
        edges = (cut * high if self.in_x else cut for cut in self.cuts)
        return sorted({*Search.kinks(self, low, high), *(E for E in edges if low < E < high)})


@dataclass(frozen=True, slots=True)
class Binning:
    """Which number, and where one bin ends and the next one begins.

    Parameters
    ----------
    variable : str
        A name of `VARIABLES`, or "decay_z_cm".
    edges : tuple of float, shape (bins + 1,)
        Rising, in the unit of the name.
    """

    variable: str
    edges: tuple[float, ...]

    @classmethod
    def of(cls, card: Card, variable: str | None = None, edges: object = None) -> Binning | None:
        """Bins that were asked for, or those of a card, or None.

        Raises
        ------
        InputError
            If the number is unknown, or means nothing for what the card searches for.
        """
        if (variable is None) != (edges is None):
            message = "bins: variable and edges are given together"
            raise InputError(message)
        if variable is None:
            bins = card.search.bins if card.search else None
            found = cls(bins.variable, tuple(bins.edges)) if bins else None
        else:
            try:
                found = cls(choose(variable, tuple(BINNED), "variable"), tuple(edges_in(edges, variable)))
            except InputError as error:
                message = f"edges: {error}" if variable in BINNED else str(error)
                raise InputError(message) from None
        if found and (found.is_depth or found.has_daughters) and card.detector.signature in INVISIBLE_COUNTS:
            message = f"bins of {found.variable}: are of a displaced decay, and {card.detector.signature} sees none"
            raise InputError(message)
        return found

    @property
    def is_depth(self) -> bool:
        """Whether each boson is counted with all its decays."""
        return self.variable == DEPTH

    @property
    def has_daughters(self) -> bool:
        """Whether the number is of a daughter."""
        return self.variable.startswith("d") and not self.is_depth

    @property
    def needed(self) -> tuple[str, ...]:
        """Branches of events that the number is made of."""
        if self.is_depth:
            return ()
        return _OF_DAUGHTERS if self.has_daughters else VARIABLES[self.variable].needed

    @property
    def limits(self) -> Array:
        """Edges, with one more bin on either side for what lies outside."""
        return np.array([-math.inf, *self.edges, math.inf])

    def search(self, search: Search) -> Search:
        """A search whose quadrature has each node in one bin."""
        if self.is_depth:
            return search
        known = {field.name: getattr(search, field.name) for field in fields(search)}
        return CutAt(**known, cuts=self.edges, in_x=self.variable == "x")

    def of_nodes(self, made: Made, m_S: float, search: Search) -> Iterator[Made]:
        """Nodes of a quadrature, each with its number; every S flies along the beam."""
        if self.is_depth:
            yield from self._of_decays(made, *_along_beam(made, search))
            return
        E_S = np.hypot(made.k, m_S)
        yield made._replace(binned=E_S / made.E_mu if self.variable == "x" else E_S)

    def of_events(self, made: Made, columns: Columns, search: Search) -> Iterator[Made]:
        """Events that can count, each with its number."""
        if not self.is_depth:
            yield made._replace(binned=VARIABLES[self.variable].of(columns))
            return
        if "S_pz" not in search.needed:
            yield from self._of_decays(made, *_along_beam(made, search))
            return
        start = columns["vertex_z_cm"] if search.is_3d else np.zeros(made.k.size)
        S = np.array([columns[f"S_p{axis}"] for axis in "xyz"])
        yield from self._of_decays(made, start, S[2] / np.sqrt((S**2).sum(axis=0)))

    def _of_decays(self, made: Made, start: Array, n_z: Array) -> Iterator[Made]:
        """The part of the flight of all bosons in each of the bins in z."""
        for low, high in zip(self.edges, self.edges[1:], strict=False):
            yield _between(made, start, n_z, low, high)._replace(binned=np.full(made.k.size, 0.5 * (low + high)))


def _along_beam(made: Made, search: Search) -> tuple[Array, Array]:
    """z in cm where bosons are made that fly along the beam, and the share of their way along it."""
    return search.length + search.detector.gap - made.z_min, np.ones(made.k.size)


def _between(made: Made, start: Array, n_z: Array, low: float, high: float) -> Made:
    """What was made, where decays count between two z in cm alone."""
    inside = (low <= start) & (start < high)
    with np.errstate(divide="ignore", invalid="ignore"):
        ways = np.sort([(low - start) / n_z, (high - start) / n_z], axis=0)
    ways = np.where(n_z == 0.0, np.where(inside, [[0.0], [math.inf]], 0.0), ways)
    first = np.maximum(made.z_min, ways[0])
    last = np.maximum(first, np.minimum(made.z_max, ways[1]))
    layers = made.layers
    if layers is not None:
        faces = np.maximum(layers.low, low), np.minimum(layers.high, high)
        there = faces[0] < faces[1]
        layers = layers._replace(low=faces[0][there], high=faces[1][there]) if there.any() else None
    return made._replace(z_min=first, z_max=last, layers=layers)
