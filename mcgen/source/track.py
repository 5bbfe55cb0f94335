"""Records of the beam in the target that kernels read: energy along a piece of its way, depth, scattering.

The residual path rho of a muon is the path on which its energy falls to a reference. After a path y it is rho - y,
whatever the law of energy loss. So a layer shifts the distribution of rho of a beam of many energies, and the length
of track per unit of rho is the share of muons that enter the layer with between rho and rho + thickness.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.jit import jit


class Track(NamedTuple):
    """The beam in one piece of the target as its energy E(r) along the track, from the highest, r = 0, to the lowest.

    With one beam energy, r is also the fraction of the way through the piece. With many, equal steps
    of r are equal lengths of track of all muons together, and the depth is drawn from its distribution at E.
    """

    E: Array  #: energies in GeV at equal steps of r
    slope: Array  #: change of energy per step there
    length: float  #: of track per muon, in cm
    front: float  #: depth of the front in cm
    span: float  #: from front to back in cm
    rho: Array  #: residual path in cm at the steps of r; empty for a beam of one energy
    entry: Array  #: residual paths in cm at the front, rising
    cdf: Array  #: share of muons with a smaller residual path than each of these


@jit
def energy_at(track: Track, r: float) -> float:
    """Energy in GeV at r in (0, 1), by cubic Hermite interpolation."""
    steps = track.E.size - 1
    if steps == 1:  # constant loss
        start: float = track.E[0] + r * track.slope[0]
        return start
    position = r * steps
    i = min(int(position), steps - 1)
    s = position - i
    rise = track.E[i + 1] - track.E[i]
    if track.rho.size > 0:  # E(r) of a distribution may have kinks
        straight: float = track.E[i] + s * rise
        return straight
    curve = (1.0 - s) * (track.slope[i] - rise) - s * (track.slope[i + 1] - rise)
    energy: float = track.E[i] + s * (rise + (1.0 - s) * curve)
    return energy


@jit
def interpolate(x: float, xs: Array, ys: Array) -> float:
    """Linear interpolation in points that do not decrease, constant outside."""
    below: Any = np.searchsorted(xs, x, side="right") - 1
    i = min(max(below, 0), xs.size - 2)
    width = xs[i + 1] - xs[i]
    share = min(max((x - xs[i]) / width, 0.0), 1.0) if width > 0.0 else 0.5
    value: float = ys[i] + share * (ys[i + 1] - ys[i])
    return value


@jit
def negligibly_thin(span: float, entry: Array) -> bool:
    """Whether a layer is so thin that differences of residual paths across it are lost to rounding."""
    return bool(span < 1e-7 * entry[-1])


@jit
def place_at(track: Track, r: float, u: float) -> tuple[float, float]:
    """Depth in cm at r, and the share of the beam's muons that are slower than the one that is there.

    u is a uniform number. With many beam energies it chooses one of the muons that have this energy at some depth; with
    one energy it is the share.
    """
    if track.rho.size == 0 or track.span == 0.0:
        return track.front + r * track.span, u
    position = r * (track.rho.size - 1)
    i = min(int(position), track.rho.size - 2)
    rho = track.rho[i] + (position - i) * (track.rho[i + 1] - track.rho[i])
    if negligibly_thin(track.span, track.entry):
        return track.front + u * track.span, interpolate(rho, track.entry, track.cdf)
    first = interpolate(rho, track.entry, track.cdf)
    last = interpolate(rho + track.span, track.entry, track.cdf)
    share = first + u * (last - first)
    entered = interpolate(share, track.cdf, track.entry)
    return track.front + min(max(entered - rho, 0.0), track.span), share


def depths(track: Track, r: float, n: int, toward_end: bool = True) -> tuple[Array, Array]:
    """Depths at which the beam has the energy at r: one, or n of them for a beam of many energies.

    Parameters
    ----------
    track : Track
    r : float
        Place on the track, in (0, 1).
    n : int
        Number of depths for a beam of many energies.
    toward_end : bool
        Put more of them near the end: an S with a short life leaves the target only if it is made there.

    Returns
    -------
    depth, share : array, shape (1,) or (n,)
        Depths in cm, and the share of the track at this energy that each stands for; shares add up to 1.
    """
    if not track.rho.size or track.span == 0.0:
        return np.array([track.front + r * track.span]), np.ones(1)
    before_end = np.linspace(1.0, 0.0, n + 1) ** (4 if toward_end else 1)
    rho = np.interp(r, np.linspace(0.0, 1.0, track.rho.size), track.rho)
    if negligibly_thin(track.span, track.entry):
        y = track.span * (1.0 - before_end)
        return track.front + 0.5 * (y[1:] + y[:-1]), np.diff(y) / track.span
    first, last = max(0.0, track.entry[0] - rho), min(track.span, track.entry[-1] - rho)
    y = last - (last - first) * before_end
    shares = np.diff(np.interp(rho + y, track.entry, track.cdf))
    total = shares.sum()
    return track.front + 0.5 * (y[1:] + y[:-1]), shares / total if total > 0.0 else np.full(n, 1.0 / n)


def depths_in_cells(track: Track, edges: Array, n: int) -> tuple[Array, Array]:
    """Depths of a beam of many energies, dense near the end, and the share of each cell of energy that they stand for.

    The track between two depths with energies in a cell is a second difference of the integral of `cdf`. So a cell in
    which the beam crosses the whole layer has all its depths, as has one that is crossed in a part of the layer.

    Parameters
    ----------
    track : Track
    edges : array, shape (cells + 1,)
        Of the cells in GeV, from the highest down.
    n : int
        Number of depths.

    Returns
    -------
    array, shape (n,), and array, shape (cells, n)
        Depths in cm, and shares that add up to 1 in each cell.
    """
    y = track.span * (1.0 - np.linspace(1.0, 0.0, n + 1) ** 4)
    rho = np.interp(-edges, -track.E, track.rho)
    mass = np.broadcast_to(np.diff(y), (edges.size - 1, n))
    if not negligibly_thin(track.span, track.entry):
        mass = np.diff(-np.diff(_integral(rho[:, None] + y, track.entry, track.cdf), axis=0), axis=1).clip(min=0.0)
    total = mass.sum(axis=1, keepdims=True)
    shares = np.divide(mass, total, out=np.full(mass.shape, 1.0 / n), where=total > 0.0)
    return track.front + 0.5 * (y[1:] + y[:-1]), shares


def _integral(x: Array, xs: Array, ys: Array) -> Array:
    """Integral up to x of a function that is straight between points, 0 before them and constant behind."""
    whole = np.concatenate([[0.0], np.cumsum(0.5 * (ys[1:] + ys[:-1]) * np.diff(xs))])
    i = np.clip(np.searchsorted(xs, x, "right") - 1, 0, xs.size - 1)
    before = np.maximum(x - xs[i], 0.0)
    return np.asarray(whole[i] + 0.5 * before * (ys[i] + np.interp(x, xs, ys)))


#: a track of one energy has no distribution
NO_SPREAD = np.empty(0)


def linear(E_in: float, E_out: float, front: float = 0.0, length: float = 1.0) -> Track:
    """A track of a beam of one energy with constant loss of energy.

    Parameters
    ----------
    E_in, E_out : float
        Energies in GeV at the front and at the end.
    front, length : float
        Depth of the front and length in cm.
    """
    slope = E_out - E_in
    return Track(
        np.array([E_in, E_out]), np.array([slope, slope]), length, front, length, NO_SPREAD, NO_SPREAD, NO_SPREAD
    )


class Scattering(NamedTuple):
    """Gaussian of the beam's angle and displacement in one plane, at depths where energy loss is even between."""

    depth: Array  #: cm
    theta: Array  #: rms angle in rad
    y: Array  #: rms displacement in cm
    correlation: Array


#: for a card that asks for no scattering
NO_SCATTERING = Scattering(*(np.zeros(2) for _ in range(4)))
