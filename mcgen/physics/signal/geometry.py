"""Straight rays through cylinders and boxes: where they come in and go out.

A ray starts at (x, y, z) in cm and flies along the unit vector (u, v, w). Results are path lengths (s_in, s_out) with
0 <= s_in <= s_out; a ray that misses, or has the volume behind it, gives (0, 0). Volumes are closed: a ray inside a
face counts. Planes may lie at infinity.
"""

from __future__ import annotations

import math

from mcgen.base.jit import jit

Interval = tuple[float, float]


@jit
def _slab(position: float, slope: float, low: float, high: float) -> Interval:
    """Path lengths between two planes, (inf, -inf) if never."""
    if slope == 0.0:
        return (-math.inf, math.inf) if low <= position <= high else (math.inf, -math.inf)
    first, second = (low - position) / slope, (high - position) / slope
    return min(first, second), max(first, second)


@jit
def _barrel(x: float, y: float, u: float, v: float, radius: float) -> Interval:
    """Path lengths inside an endless cylinder about the z axis, (inf, -inf) if never."""
    a = u * u + v * v
    r = math.hypot(x, y)
    c = (r - radius) * (r + radius)
    if a == 0.0:
        return (-math.inf, math.inf) if c <= 0.0 else (math.inf, -math.inf)
    b = x * u + y * v
    impact = x * v - y * u  # times sqrt(a): b^2 - a c without its cancellation
    root2 = a * radius * radius - impact * impact
    if root2 < 0.0:
        return math.inf, -math.inf
    if root2 == 0.0:  # touches the surface
        return -b / a, -b / a
    q = -(b + math.copysign(math.sqrt(root2), b))
    return min(q / a, c / q), max(q / a, c / q)


@jit
def _forward(low: float, high: float) -> Interval:
    low = max(low, 0.0)
    return (low, high) if low < high else (0.0, 0.0)


@jit
def between(position: float, slope: float, low: float, high: float) -> Interval:
    """Path lengths in cm at which a ray is between two planes; (0, 0) if never."""
    first, last = _slab(position, slope, low, high)
    return _forward(first, last)


@jit
def box(
    start: tuple[float, float, float],
    direction: tuple[float, float, float],
    low: tuple[float, float, float],
    high: tuple[float, float, float],
) -> Interval:
    """Path lengths in cm at which a ray enters and leaves a box with faces along the axes.

    Parameters
    ----------
    start : (float, float, float)
        Where the ray starts, in cm.
    direction : (float, float, float)
        Unit vector along the ray.
    low, high : (float, float, float)
        Opposite corners in cm: the smallest and the largest x, y, z.
    """
    x_in, x_out = _slab(start[0], direction[0], low[0], high[0])
    y_in, y_out = _slab(start[1], direction[1], low[1], high[1])
    z_in, z_out = _slab(start[2], direction[2], low[2], high[2])
    return _forward(max(x_in, y_in, z_in), min(x_out, y_out, z_out))


@jit
def cylinder(
    start: tuple[float, float, float], direction: tuple[float, float, float], radius: float, z_low: float, z_high: float
) -> Interval:
    """Path lengths in cm at which a ray enters and leaves a cylinder about the z axis.

    Parameters
    ----------
    start : (float, float, float)
        Where the ray starts, in cm.
    direction : (float, float, float)
        Unit vector along the ray.
    radius, z_low, z_high : float
        Radius of the cylinder and its two ends, in cm.
    """
    r_in, r_out = _barrel(start[0], start[1], direction[0], direction[1], radius)
    z_in, z_out = _slab(start[2], direction[2], z_low, z_high)
    return _forward(max(r_in, z_in), min(r_out, z_out))
