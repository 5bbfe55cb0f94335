"""Angles of X in the frame of the collision at which it flies between two angles to e- in the laboratory."""

from __future__ import annotations

import math
from collections.abc import Iterable

from mcgen.physics.collider.event_map import Frame

Ranges = list[tuple[float, float]]


def beyond(frame: Frame, E: float, k: float, angle: float) -> Ranges:
    """Angles in the frame of the collision whose angle in the laboratory is larger.

    Parameters
    ----------
    frame : Frame
    E, k : float
        Energy and momentum of X in the frame of the collision in GeV.
    angle : float
        In the laboratory, rad.

    Notes
    -----
    k_T cos(angle) > k_z sin(angle) is A sin(theta - d) > C; of X slower than the frame there are two solutions.
    """
    if angle <= 0.0:
        return [(0.0, math.pi)]
    A = k * math.hypot(math.cos(angle), frame.gamma * math.sin(angle))
    d = math.atan2(frame.gamma * math.sin(angle), math.cos(angle))
    C = frame.gamma_beta * E * math.sin(angle)
    if abs(C) >= A:
        return [] if C > 0.0 else [(0.0, math.pi)]
    a = math.asin(C / A)
    turns = [(d + a + 2.0 * math.pi * n, d + math.pi - a + 2.0 * math.pi * n) for n in (-1, 0)]
    clipped = [(max(low, 0.0), min(high, math.pi)) for low, high in turns]
    return [(low, high) for low, high in clipped if low < high]


def bends(frame: Frame, m_S: float, angles: Iterable[float]) -> list[float]:
    """Energies of X in the frame of the collision, in GeV, at which a range of `beyond` begins or ends otherwise.

    Parameters
    ----------
    frame : Frame
    m_S : float
        Mass of X in GeV.
    angles : iterable of float
        In the laboratory, rad.
    """
    beta = abs(frame.gamma_beta) / frame.gamma
    tangent = (frame.gamma * math.tan(angle) for angle in angles if 0.0 < angle < math.pi and angle != 0.5 * math.pi)
    speeds = [beta, *(beta * abs(t) / math.hypot(1.0, t) for t in tangent)] if beta > 0.0 else []
    return sorted(m_S / math.sqrt((1.0 - v) * (1.0 + v)) for v in speeds)


def inside(frame: Frame, E: float, k: float, angle_min: float, angle_max: float) -> Ranges:
    """Angles in the frame of the collision between two angles in the laboratory, in rad.

    Parameters
    ----------
    frame : Frame
    E, k : float
        Energy and momentum of X in the frame of the collision in GeV.
    angle_min, angle_max : float
        To e-, in the laboratory.

    Returns
    -------
    list of (float, float)
        From low to high.
    """
    outer = beyond(frame, E, k, angle_min)
    if angle_max >= math.pi:
        return outer
    edges = [0.0, *(edge for pair in beyond(frame, E, k, angle_max) for edge in pair), math.pi]
    gaps = list(zip(edges[::2], edges[1::2], strict=True))
    both = [(max(a, low), min(b, high)) for a, b in outer for low, high in gaps]
    return [(low, high) for low, high in both if low < high]
