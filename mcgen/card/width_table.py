"""A boson that nobody programmed: its life and its decays against the mass, as a table."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.constants import HBARC_GEV_CM
from mcgen.base.errors import InputError, choose, refuse_if
from mcgen.base.files import read_text
from mcgen.card.beam_profile import parse_rows, split_header
from mcgen.physics.boson.scalar_decay import VISIBLE, Widths

#: the model of a boson with a table: the coupling to the beam's lepton is g_mu itself
TABLE = "table"
#: columns that a table must have, and what each other one can be
COLUMNS, CHANNELS = ("mass_gev", "ctau_cm"), (*VISIBLE, "invisible")
#: largest file of a table, and most by which ratios may add up to more than 1
MAX_BYTES, ROUNDING = 1_000_000, 1e-6


def channel(name: Any) -> Any:
    """Name of a channel without blanks; events write hadrons as pi+ pi-, so that is their name as well."""
    if not isinstance(name, str):
        return name
    plain = name.replace(" ", "")
    return "hadrons" if plain == "pi+pi-" else plain


class WidthTable(NamedTuple):
    """Rows of a table, by rising mass."""

    mass: Array  #: GeV
    ctau: Array  #: cm, at unit coupling to the beam's lepton
    branching: dict[str, Array]  #: ratios by channel

    def widths(self, m_S: float, g: float) -> Widths:
        """Partial widths in GeV at a coupling to the beam's lepton.

        Straight between the rows: log(c tau) against log(m), and each ratio against m. What is missing to 1 is
        invisible. A channel that is closed at m_S gives its share to those that are open.

        Raises
        ------
        InputError
            If m_S in GeV lies outside the table.
        """
        low, high = float(self.mass[0]), float(self.mass[-1])
        inside = low * (1.0 - 1e-9) <= m_S <= high * (1.0 + 1e-9)
        refuse_if(not inside, f"mass: {m_S:g} GeV lies outside scalar.widths, which has {low:g} to {high:g} GeV")
        ctau = np.exp(np.interp(np.log(m_S), np.log(self.mass), np.log(self.ctau)))
        total = float(g * g * HBARC_GEV_CM / ctau)
        ratios = {name: float(np.interp(m_S, self.mass, column)) for name, column in self.branching.items()}
        seen = {name: ratio for name, ratio in ratios.items() if name in VISIBLE}
        is_open = {name: ratio for name, ratio in seen.items() if m_S > VISIBLE[name][1]}
        visible, shared = min(sum(seen.values()), 1.0), sum(is_open.values())
        if shared == 0.0:
            return Widths(0.0, 0.0, 0.0, 0.0, total)
        partial = {VISIBLE[name][0]: total * visible * ratio / shared for name, ratio in is_open.items()}
        return Widths(0.0, 0.0, 0.0, 0.0, total * (1.0 - visible))._replace(**partial)


@functools.lru_cache(maxsize=8)
def parse_widths(text: str, where: str) -> WidthTable:
    """A table from lines parted by commas, of which the first names the columns; # begins a remark.

    Raises
    ------
    InputError
        Unless masses rise, lives are positive, and ratios lie in 0..1, add up to 1 at most, and are 0 where the channel
        is closed.
    """
    header, rest = split_header(text)
    names = [channel(name) for name in header.split(",")]
    lacking = [name for name in COLUMNS if name not in names]
    allowed = f"needs a header with mass_gev,ctau_cm and channels (allowed: {', '.join(CHANNELS)})"
    refuse_if(lacking or len(set(names)) < len(names), f"{where}: {allowed}, each once")
    alone = len(names) == len(COLUMNS)
    refuse_if(alone, f"{where}: has no channel, so nothing is seen; give one (allowed: {', '.join(CHANNELS)})")
    for name in names:
        choose(name, (*COLUMNS, *CHANNELS), f"{where}: column")
    columns = dict(zip(names, parse_rows(rest, header, where).T, strict=True))
    mass, ctau = (columns.pop(name) for name in COLUMNS)
    refuse_if(mass.size < 2, f"{where}: needs two rows at least")
    refuse_if(not mass[0] > 0.0 or np.any(np.diff(mass) <= 0.0), f"{where}: mass_gev must be positive and rise")
    refuse_if(not np.all((ctau > 1e-40) & (ctau <= 1e40)), f"{where}: ctau_cm must lie in 1e-40..1e40 cm")
    total = np.sum(list(columns.values()), axis=0)
    for name, ratio in [*columns.items(), ("sum of all channels", total)]:
        closed = mass <= VISIBLE[name][1] if name in VISIBLE else np.zeros(mass.size, bool)
        wrong = (ratio < 0.0) | (ratio > 1.0 + ROUNDING) | closed & (ratio > 0.0)
        if wrong.any():
            row = int(np.argmax(wrong))
            what = "0, the channel is closed" if closed[row] else "in 0..1"
            message = f"{where}: row {row + 1}: {name}: {ratio[row]:g} at {mass[row]:g} GeV must be {what}"
            raise InputError(message)
    return WidthTable(mass, ctau, columns)


def read_widths(path: Path) -> str:
    """Text of a table, checked."""
    text = read_text(path, "scalar.widths", MAX_BYTES)
    parse_widths(text, f"scalar.widths {path}")
    return text
