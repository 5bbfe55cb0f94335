"""What is already known of g_mu against m_S: the muon's g-2, E137, Orsay, BaBar (Fig. 5)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mcgen.constants import M_MU
from mcgen.contours import Tower
from mcgen.dump_lines import dump_line
from mcgen.errors import choose
from mcgen.physics.muon_g2 import delta_a_mu


@dataclass(frozen=True, slots=True)
class Shift:
    """Measured minus predicted a_mu."""

    label: str
    value: float
    error: float
    source: str

    def coupling(self, m_S: float, sigmas: float, tower: Tower | None = None) -> float | None:
        """g_mu at which the scalar lifts a_mu to value + sigmas * error; None where it would have to lower it."""
        shift = self.value + sigmas * self.error
        unit = sum(delta_a_mu(1.0, m) for m in (tower or Tower()).masses(m_S))
        return math.sqrt(shift / unit) if shift > 0.0 else None


#: a_mu sets: the paper's, and two since
G2_SETS = {
    "g2-bnl": Shift("BNL era", 288e-11, 80e-11, "PRD 73 (2006) 072003 against the theory of 2016, as in the paper"),
    "g2-wp2020": Shift("WP2020 + 2023", 249e-11, 48e-11, "arXiv:2006.04822, arXiv:2308.06230"),
    "g2-wp2025": Shift("WP2025 + final", 38e-11, 63e-11, "arXiv:2505.21476, arXiv:2506.03069"),
}

#: BaBar, 90 % CL on a muon-coupled vector from e+e- -> mu mu Z', read off the curve of arXiv:1606.03501 to 15 %
BABAR = ((0.2140, 1.3e-3), (0.2166, 1.4e-3), (0.2190, 1.1e-3), (0.2219, 1.0e-3), (0.2234, 8e-4), (0.2251, 1e-3))

#: past electron dumps, recomputed from their cards
DUMPS = {"e137": "E137", "orsay": "Orsay"}

NAMES = (*G2_SETS, *DUMPS, "babar")
#: the constraints of the paper's Fig. 5
PAPER = ("g2-bnl", "e137", "orsay", "babar")


@dataclass(frozen=True, slots=True)
class Constraint:
    """A curve or a band of g_mu against the mass."""

    name: str
    label: str
    kind: str  #: 'preferred' (a band) or 'excluded' (from low to high; None: without end)
    models: tuple[str, ...]
    mass_gev: tuple[float, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]


def check_names(names: Sequence[str]) -> None:
    """Raise InputError for a constraint that is not known."""
    for name in names:
        choose(name, (*NAMES, "paper"), "constraint")


def constraints(names: Sequence[str], masses: Sequence[float], tower: Tower | None = None) -> list[Constraint]:
    """Known limits at given masses in GeV.

    Parameters
    ----------
    names : sequence of str
        Of `NAMES`; 'paper' stands for those of Fig. 5.
    masses : sequence of float
    tower : Tower, optional
        Sum a tower of scalars in a_mu.
    """
    check_names(names)
    found: list[Constraint] = []
    wanted = [one for name in names for one in (PAPER if name == "paper" else (name,))]
    grid = tuple(masses)
    for name in dict.fromkeys(wanted):
        if name in G2_SETS:
            shift = G2_SETS[name]
            low, high, out = (tuple(shift.coupling(m, s, tower) for m in grid) for s in (-2.0, 2.0, 5.0))
            label, open_end, both = f"$a_\\mu$ {shift.label}", (None,) * len(grid), ("A", "B")
            if None in low:  # no band is left, only an upper limit
                found.append(Constraint(name, f"{label}, > 2 sigma", "excluded", both, grid, high, open_end))
            else:
                found.append(Constraint(name, f"{label}, 2 sigma", "preferred", both, grid, low, high))
                found.append(Constraint(name, f"{label}, > 5 sigma", "excluded", both, grid, out, open_end))
        elif name == "babar":
            m, g = zip(*BABAR, strict=True)
            found.append(Constraint(name, "BaBar", "excluded", ("A", "B"), m, g, (None,) * len(m)))
        else:
            below = tuple(m for m in grid if m < 2.0 * M_MU)
            seen = [p for p in dump_line(name, below) if p.g_low is not None]
            m, low, high = (tuple(getattr(p, key) for p in seen) for key in ("mass_gev", "g_low", "g_high"))
            found.append(Constraint(name, DUMPS[name], "excluded", ("A",), m, low, high))
    return found
