"""The part of its flight on which a decay counts in a detector with a shape.

S flies from its own vertex at its own angle and decays between the walls of the detector; both daughters, or any of
them, must hit its back plane with enough energy.
"""

from __future__ import annotations

import math

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.jit import jit
from mcgen.card.detector import Detector
from mcgen.physics.signal.geometry import box, cylinder

Vector = tuple[float, float, float]


def window(detector: Detector, end: float, vertex: Array, S: Array, daughters: Array | None) -> tuple[Array, Array]:
    """Path lengths of S in cm, from where to where its decay counts; the same number twice if nowhere.

    Parameters
    ----------
    detector : Detector
    end : float
        z of its back plane in cm.
    vertex, S : array, shape (3, n)
        Place of production in cm, x and y from the middle of the detector, and momentum in GeV.
    daughters : array, shape (2, 4, n), optional
        px, py, pz, E of both in GeV; displaced decays need them.
    """
    half = detector.half_width
    if daughters is None:
        return _way_out(vertex, S, end, detector.is_round, half), np.full(vertex.shape[1], math.inf)
    seen = np.empty((2, 2, vertex.shape[1]))
    _seen(vertex, S, daughters, end - detector.L_det, end, detector.is_round, half, detector.E_daughter, seen)
    return _either(seen) if detector.daughters == "any" else _both(seen)


def passage(detector: Detector, end: float, vertex: Array, S: Array) -> tuple[Array, Array]:
    """Path lengths of S in cm between the walls of the decay volume; the same number twice if it misses.

    Parameters
    ----------
    detector : Detector
    end : float
        z of its back plane in cm.
    vertex, S : array, shape (3, n)
        Place of production in cm, x and y from the middle of the detector, and momentum in GeV.
    """
    first, last = _inside(vertex, S, end - detector.L_det, end, detector.is_round, detector.half_width)
    return first, last


def barrel(detector: Detector, S: Array) -> tuple[Array, Array]:
    """Path lengths of S in cm between the two radii of a barrel; 0 twice at angles where it is not seen.

    Parameters
    ----------
    detector : Detector
    S : array, shape (3, n)
        Momentum in GeV; S is made on the axis.
    """
    across = np.hypot(S[0], S[1])
    angle = np.arctan2(across, S[2])
    seen = (detector.angle_min <= angle) & (angle <= detector.angle_max)
    per_radius = np.where(seen, np.hypot(across, S[2]) / np.maximum(across, 1e-100), 0.0)
    return detector.r_min * per_radius, (detector.r_max or math.inf) * per_radius


@jit
def _path(start: Vector, n: Vector, z_low: float, z_high: float, is_round: bool, half: tuple[float, float]) -> Vector:
    """(from, to, unused): path lengths in a volume about the beam."""
    if is_round:
        first, last = cylinder(start, n, half[0], z_low, z_high)
    else:
        first, last = box(start, n, (-half[0], -half[1], z_low), (half[0], half[1], z_high))
    return first, last, 0.0


@jit
def _inside(vertex: Array, S: Array, z_low: float, z_high: float, is_round: bool, half: tuple[float, float]) -> Array:
    """Paths on which S enters and leaves a volume, shape (2, n)."""
    result = np.empty((2, vertex.shape[1]))
    for i in range(vertex.shape[1]):
        k = math.sqrt(S[0, i] ** 2 + S[1, i] ** 2 + S[2, i] ** 2)
        n = (S[0, i] / k, S[1, i] / k, S[2, i] / k)
        start = (vertex[0, i], vertex[1, i], vertex[2, i])
        result[0, i], result[1, i], _ = _path(start, n, z_low, z_high, is_round, half)
    return result


@jit
def _way_out(vertex: Array, S: Array, end: float, is_round: bool, half: tuple[float, float]) -> Array:
    """Path on which S leaves target and detector, 0 if it is made outside."""
    result = np.empty(vertex.shape[1])
    for i in range(result.size):
        k = math.sqrt(S[0, i] ** 2 + S[1, i] ** 2 + S[2, i] ** 2)
        n = (S[0, i] / k, S[1, i] / k, S[2, i] / k)
        result[i] = _path((vertex[0, i], vertex[1, i], vertex[2, i]), n, 0.0, end, is_round, half)[1]
    return result


@jit
def _hits(a: Vector, b: Vector, is_round: bool, half: tuple[float, float]) -> Vector:
    """(from, to, unused): s at which the point a + s b of the back plane lies in the detector."""
    size = math.hypot(b[0], b[1])
    if size == 0.0:  # the daughter flies along S
        inside = math.hypot(a[0], a[1]) <= half[0] if is_round else abs(a[0]) <= half[0] and abs(a[1]) <= half[1]
        return (0.0, math.inf, 0.0) if inside else (0.0, 0.0, 0.0)
    n = (b[0] / size, b[1] / size, 0.0)
    first, last, _ = _path((a[0], a[1], 0.0), n, -1.0, 1.0, is_round, half)
    return first / size, last / size, 0.0


@jit
def _seen(
    vertex: Array,
    S: Array,
    daughters: Array,
    z_low: float,
    z_high: float,
    is_round: bool,
    half: tuple[float, float],
    E_daughter: float,
    out: Array,
) -> None:
    """Paths of S in the decay volume from which each daughter reaches its back plane inside the detector.

    A daughter made after a path s hits the back plane at a point linear in s, so that each has one range of s:
    `out[d]` is (from, to) of daughter d, the same number twice if it is never seen.
    """
    for i in range(vertex.shape[1]):
        k = math.sqrt(S[0, i] ** 2 + S[1, i] ** 2 + S[2, i] ** 2)
        n = (S[0, i] / k, S[1, i] / k, S[2, i] / k)
        start = (vertex[0, i], vertex[1, i], vertex[2, i])
        first, last, _ = _path(start, n, z_low, z_high, is_round, half)
        for d in range(2):
            p = daughters[d, :, i]
            low, high = first, first
            if p[3] >= E_daughter and p[2] > 0.0:
                slope_x, slope_y = p[0] / p[2], p[1] / p[2]
                way = z_high - start[2]
                a = (start[0] + way * slope_x, start[1] + way * slope_y, 0.0)
                b = (n[0] - n[2] * slope_x, n[1] - n[2] * slope_y, 0.0)
                low, high, _ = _hits(a, b, is_round, half)
            out[d, 0, i] = max(first, low)
            out[d, 1, i] = max(max(first, low), min(last, high))


def _both(seen: Array) -> tuple[Array, Array]:
    """Where both daughters are seen."""
    first = seen[:, 0].max(axis=0)
    return first, np.maximum(first, seen[:, 1].min(axis=0))


def _either(seen: Array) -> tuple[Array, Array]:
    """Where any daughter is seen: one range, since those of two daughters have no gap between them.

    Seen from where S itself would hit the back plane, the two hits lie on a line in opposite directions, p1_z d1 =
    -p2_z d2. If S hits the detector, both ranges reach up to the back plane; if it misses, the detector is convex and
    one of the two daughters moves away from it.
    """
    empty = seen[:, 1] <= seen[:, 0]
    first = np.where(empty, math.inf, seen[:, 0]).min(axis=0)
    last = np.where(empty, 0.0, seen[:, 1]).max(axis=0)
    return np.minimum(first, last), last
