"""Quadrature along the tracks of the beam: energies, depths and nuclei for groups of components."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcgen.base.arrays import Array
from mcgen.physics.emission.rules import gauss, gauss_of
from mcgen.physics.matter.energy_loss import NONE
from mcgen.source.targets import Target
from mcgen.source.track import Track, depths, depths_in_cells, energy_at
from mcgen.source.transport import SPREAD, Segment


@functools.cache
def _gauss_toward_end(n: int) -> tuple[Array, Array]:
    """A rule dense near 1, the end: it resolves decay lengths down to a thousandth of the length of track."""
    s, w = gauss(n)
    return (1.0 - s**4, 4.0 * w * s**3) if n > 1 else (s, w)


@dataclass(frozen=True, slots=True)
class TargetComponent:
    """One kind of target in one layer: what the beam can hit there."""

    target: Target
    density: float  #: targets per cm^3
    track: Track
    threshold: float = 0.0  #: GeV
    channel: int = 0  #: of several that events on this target are drawn from

    @property
    def is_spread(self) -> bool:
        """Whether the beam has many energies at each depth."""
        return bool(self.track.rho.size) and self.track.span > 0.0

    @property
    def E_low(self) -> float:
        """Lowest energy in GeV."""
        return float(self.track.E[-1])

    @property
    def E_high(self) -> float:
        """Highest energy in GeV."""
        return float(self.track.E[0])

    def in_cells(self, edges: Array) -> tuple[Array, Array, Array]:
        """Lengths of track in cells of energy from the highest down, integrals of the energy over them, and places."""
        track = self.track
        grid = np.linspace(0.0, 1.0, track.E.size)
        integral = np.concatenate([[0.0], np.cumsum(0.5 * (track.E[1:] + track.E[:-1]))]) / (track.E.size - 1)
        r = np.interp(-edges, -track.E, grid)
        return track.length * np.diff(r), track.length * np.diff(np.interp(r, grid, integral)), 0.5 * (r[1:] + r[:-1])

    def length_above(self, E: Array) -> Array:
        """Length in cm of the part with energies above E in GeV, found by bisection."""
        low, high = np.zeros(len(E)), np.ones(len(E))
        for _ in range(60):
            middle = 0.5 * (low + high)
            above = np.array([energy_at(self.track, r) for r in middle.tolist()]) > E
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return self.track.length * np.where(self.E_low > E, 1.0, np.where(self.E_high <= E, 0.0, high))


def thin(high: float, low: float, threshold: float = 0.0) -> bool:
    """Whether the energy above threshold hardly changes between two energies."""
    return high - low < 0.01 * (high - threshold)


def groups(components: Sequence[TargetComponent]) -> list[list[TargetComponent]]:
    """Components in groups that are integrated together.

    A group holds components of one target in which the beam has many energies, or those in which its one energy hardly
    changes.
    """
    found: list[list[TargetComponent]] = []
    latest: dict[tuple[Target, int, bool], list[TargetComponent]] = {}
    for component in sorted(components, key=lambda c: -c.E_high):
        key = component.target, component.channel, component.is_spread
        group = latest.get(key)
        if group is None or not (component.is_spread or thin(group[0].E_high, component.E_low, component.threshold)):
            group = latest[key] = []
            found.append(group)
        group.append(component)
    return found


def group_nodes(
    group: Sequence[TargetComponent], n: int, ranges: Sequence[tuple[float, float]] = ()
) -> tuple[Array, Array, Array]:
    """Energies in GeV, depths in cm and nuclei per cm^2 of a rule along the tracks of a group.

    Depths and nuclei have shape (energies, depths). Where the energy hardly changes, cross sections are
    interpolated from one to three energies, and all depths are kept.

    Parameters
    ----------
    group : sequence of TargetComponent
    n : int
        Points in energy.
    ranges : sequence of (float, float), optional
        Depths in cm at whose ends more begins or ceases to count than at the end of the target.
    """
    first = group[0]
    if first.is_spread:
        return _spread_nodes(group, n, np.array(ranges).ravel())
    high, low = first.E_high, min(c.E_low for c in group)
    if not thin(high, low, first.threshold):
        r, weight = _gauss_toward_end(n)
        E = np.array([energy_at(first.track, at) for at in r.tolist()])
        depth = np.array([depths(first.track, at, 1)[0] for at in r.tolist()])
        return E, depth, first.density * first.track.length * weight[:, None]
    span = (high - low) / (high - first.threshold)
    at, share = _gauss_toward_end(n if len(group) <= 4 else min(n, max(6, -(-4 * n // len(group)))))
    energy = np.array([energy_at(c.track, r) for c in group for r in at.tolist()])
    depth = np.concatenate([c.track.front + at * c.track.span for c in group])
    nuclei = np.concatenate([c.density * c.track.length * share for c in group])
    if n == 1 or span < 1e-7:
        return np.array([np.average(energy, weights=nuclei)]), depth[None], nuclei[None]
    E = low + gauss(2 if span < 1e-4 else 3)[0] * (high - low)
    apart = E[:, None] - E
    np.fill_diagonal(apart, 1.0)
    ratio = (energy - E[None, :, None]) / apart[:, :, None]
    ratio[np.diag_indices(E.size)] = 1.0
    return E, np.broadcast_to(depth, (E.size, depth.size)), nuclei * ratio.prod(axis=1)


def _spread_nodes(group: Sequence[TargetComponent], n: int, ends: Array) -> tuple[Array, Array, Array]:
    """Nodes where the beam has many energies: the mean energies of cells, the same for all components.

    Cells are even in log(E), and finer where most of the track is. Depths are resolved at `ends` in cm as at the end.
    """
    n = max(n, 4)  # a thin group, which asks for one, has some depths too
    threshold, high, low = group[0].threshold, group[0].E_high, min(c.E_low for c in group)
    wanted = n * math.log((high - threshold) / max(low - threshold, 1e-9 * high)) / 0.64  # 50 per unit for n = 32
    even = np.geomspace(high, low, min(2 * n, max(min(6, n), math.ceil(wanted))) + 1)
    common = np.quantile(np.concatenate([c.track.E[:: SPREAD // 64] for c in group]), np.linspace(0.0, 1.0, n // 2 + 1))
    edges = np.unique(np.concatenate([even, common]))[::-1]
    end = max(c.track.front + c.track.span for c in group)
    nuclei, energy, depth = np.zeros(edges.size - 1), np.zeros(edges.size - 1), []
    for c in group:
        length, integral, places = c.in_cells(edges)
        nuclei += c.density * length
        energy += c.density * integral
        if ends.size:
            y, shares = depths_in_cells(c.track, edges, n // 2)
            depth.append([(y, c.density * at * share) for at, share in zip(length, shares, strict=True)])
            continue
        last = c.track.front + c.track.span > (1.0 - 1e-9) * end
        n_depths = 2 * n if last or len(group) <= 4 else min(2 * n, max(8, -(-8 * n // len(group))))
        rows = [depths(c.track, r, n_depths, last) for r in places.tolist()]
        depth.append([(y, c.density * at * share) for at, (y, share) in zip(length, rows, strict=True)])
    filled = nuclei > 0.0
    by_cell = list(zip(*depth, strict=True))
    y, weight = (np.array([np.concatenate([row[i] for row in rows]) for rows in by_cell])[filled] for i in (0, 1))
    if ends.size:
        zones = np.searchsorted(ends, [c.track.front + 0.5 * c.track.span for c in group])
        zone = np.repeat(zones, n // 2)
        parts = [_fewer_depths(y[:, zone == z], weight[:, zone == z], n // 4) for z in np.unique(zones)]
        y, weight = (np.concatenate(columns, axis=1) for columns in zip(*parts, strict=True))
    else:
        y, weight = _fewer_depths(y, weight, 3 * n // 4)
    return energy[filled] / nuclei[filled], y, weight


def _fewer_depths(y: Array, weight: Array, n: int) -> tuple[Array, Array]:
    """At most n depths that stand for all, row by row, resolved near the end like those of `_gauss_toward_end`."""
    if y.shape[1] <= n:
        return y, weight
    end, span = y.max(), y.max() - y.min()
    empty = weight.sum(axis=1) == 0.0  # the beam does not have this energy here
    s, weight = gauss_of(((end - y) / span) ** 0.25, np.where(empty[:, None], 1.0, weight), n)
    return end - span * s**4, np.where(empty[:, None], 0.0, weight)


def crossings(segments: Sequence[Segment], E: float, n: int) -> list[tuple[Target, Array, Array]]:
    """(element, depths in cm, shares of the nuclei there) that the beam passes at energy E in GeV.

    A beam of many energies has 2 n depths per element.
    """
    if all(s.spectrum is None and not s.shower for s in segments):
        segment = next((s for s in segments if s.E_out <= E), segments[-1])
        depth, share = np.array([segment.depth(E)]), np.ones(1)
        total = sum(density for _, density in segment.targets)
        if segment.law == NONE:
            at, share = _gauss_toward_end(n)
            depth = segment.front + segment.length * at
        return [(target, depth, share * density / total) for target, density in segment.targets]
    found = []
    for segment in segments:
        part = TargetComponent(segment.targets[0][0], 1.0, segment.track(0.0))
        first, last = part.length_above(np.array([1.001 * E, 0.999 * E])).tolist()
        if last > first:
            where, shares = depths(part.track, 0.5 * (first + last) / part.track.length, 2 * n)
            found += [(target, where, (last - first) * density * shares) for target, density in segment.targets]
    total = sum(shares.sum() for _, _, shares in found)
    return [(element, where, shares / total) for element, where, shares in found]
