"""Contours of past beam dumps, which figures of other experiments show as limits."""

from __future__ import annotations

import csv
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mcgen.analysis.reach import ReachPoint, reach
from mcgen.card.card import cards_folder, read_card

#: largest rounding error of a logarithm
_ROUNDING = 1e-12


def _stored(name: str) -> NDArray[np.float64]:
    """Logarithms of mass in GeV, lower and upper edge along a line, shape (3, n)."""
    with (cards_folder() / f"{name}-line.csv").open(encoding="utf-8") as stream:
        rows = [[float(row[key]) for key in ("mass_gev", "g_low", "g_high")] for row in csv.DictReader(stream)]
    return np.asarray(np.log(rows).T)


def stored_masses(name: str) -> list[float]:
    """Masses in GeV of the stored line of a dump; none if it is computed by quadrature."""
    is_3d = read_card(name).detector.geometry == "3d"
    return np.exp(_stored(name)[0]).tolist() if is_3d else []


def dump_line(name: str, masses: Sequence[float]) -> list[ReachPoint]:
    """Couplings that a dump excludes in model A, at masses in GeV.

    By quadrature, or, for a detector with a shape, along the stored line of `python -m validation.e137_line`,
    log-log between its masses: 200000 events a mass would take a minute, and fewer make a rough line. Masses beyond
    the line are computed from events.
    """
    card = read_card(name)
    if card.detector.geometry == "paper":
        return reach(card, ["A"], masses)
    m, low, high = _stored(name)
    beyond = [mass for mass in masses if not m[0] - _ROUNDING <= np.log(mass) <= m[-1] + _ROUNDING]
    found = {point.mass_gev: point for point in (reach(card, ["A"], beyond) if beyond else [])}
    for mass in masses:
        if mass not in found:
            g_low, g_high = (float(np.exp(np.interp(np.log(mass), m, edge))) for edge in (low, high))
            found[mass] = ReachPoint(name, "A", "events", mass, g_low, g_high)
    return [found[mass] for mass in masses]
