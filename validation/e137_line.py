"""The contour of E137 as a line: `python -m validation.e137_line [FILE]`, a minute on two cores.

Constraints of figures are read off it; without FILE it is written to cards/e137-line.csv.
"""

from __future__ import annotations

import sys

import numpy as np

from mcgen import load_card
from mcgen.analysis import reach as contours
from mcgen.analysis import samples
from mcgen.base.constants import M_E, M_MU
from mcgen.card.card import cards_folder

#: masses in GeV from two electrons to two muons, closer where the edges bend
MASSES = np.unique(
    [
        *(2.0 * M_E * (1.0 + np.geomspace(1e-3, 0.4, 12))),
        *np.geomspace(1.5e-3, 3e-3, 8),
        *np.geomspace(3e-3, 0.1, 14),
        *np.geomspace(0.1, 1.9999 * M_MU, 9),
    ]
).tolist()
EVENTS = 200_000


def line() -> list[contours.ReachPoint]:
    """Edges of model A at every mass."""
    samples.EVENTS = EVENTS
    return contours.reach(load_card("e137"), ["A"], MASSES, workers=2)


if __name__ == "__main__":
    target = sys.argv[1] if len(sys.argv) > 1 else cards_folder() / "e137-line.csv"
    contours.write_csv(line(), target, overwrite=True)
