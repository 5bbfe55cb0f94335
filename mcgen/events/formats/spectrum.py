"""Tables of the boson's angle and momentum, as FORESEE reads them: log10(theta/rad), log10(p/GeV), cross section in pb.

Bins are 0.05 wide in both, within which FORESEE spreads its particles. The sum of the last column is the cross section
of all S, wherever they decay; what lies outside the bins is counted in the last one of its side.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mcgen.card.card import Card
from mcgen.events import exposure
from mcgen.events.branches import Columns
from mcgen.events.formats.text import TextWriter, text_writer
from mcgen.events.meta import EventMeta

WIDTH = 0.05
#: first and last edge of log10(theta/rad) and log10(p/GeV)
THETA, MOMENTUM = (-6.0, 0.5), (-3.0, 5.0)


def _bins(values: Any, span: tuple[float, float]) -> Any:
    """Bins of logarithms, and at the ends those of what lies outside."""
    return np.clip(np.floor((values - span[0]) / WIDTH), 0, _number(span) - 1).astype(int)


def _number(span: tuple[float, float]) -> int:
    return round((span[1] - span[0]) / WIDTH)


class SpectrumWriter:
    """Adds up events, and writes the bins that are not empty at the end."""

    def __init__(self, stream: TextWriter, per_pb: float) -> None:
        self._stream, self._per_pb = stream, per_pb
        self._sums: list[Any] = []

    def write(self, columns: Columns) -> None:
        """Add a chunk."""
        px, py, pz = (columns[f"S_p{axis}"] for axis in "xyz")
        transverse = np.hypot(px, py)
        with np.errstate(divide="ignore"):  # along the beam, or at rest
            theta, p = np.log10(np.arctan2(transverse, pz)), np.log10(np.hypot(transverse, pz))
        shape = _number(THETA), _number(MOMENTUM)
        place = np.ravel_multi_index((_bins(theta, THETA), _bins(p, MOMENTUM)), shape)
        self._sums.append(np.bincount(place, columns["weight"], math.prod(shape)))

    def finish(self) -> None:
        """Write the table."""
        sums = np.array([math.fsum(column) for column in np.transpose(self._sums)]) / self._per_pb
        filled = np.flatnonzero(sums)
        theta, p = np.unravel_index(filled, (_number(THETA), _number(MOMENTUM)))
        centres = (span[0] + (place + 0.5) * WIDTH for span, place in ((THETA, theta), (MOMENTUM, p)))
        self._stream.write({"event": filled, **dict(zip(("theta", "p"), centres, strict=True)), "pb": sums[filled]})


@contextlib.contextmanager
def writer(path: str | Path, card: Card, metadata: EventMeta) -> Iterator[SpectrumWriter]:
    """A writer whose file takes its name when it is complete.

    Parameters
    ----------
    path : path
    card : Card
    metadata : dict
        Of the events.
    """
    about, g = metadata["exposure"], exposure.coupling_name(card)
    nuclei = about["nuclei_per_cm2"]
    lines = [f"log10(theta/rad) log10(p/GeV) cross section in pb at {g} = 1, of all S of {metadata.m_S:.9g} GeV"]
    if nuclei:
        lines.append(
            f"S per beam particle at {g} = 1: sum of the last column * 1e-36 * {sum(nuclei.values()):.17g} nuclei/cm^2"
        )

    def record(columns: Columns) -> tuple[str, list[Any]]:
        return "%.4g %.4g %.17g\n", [columns[name] for name in ("theta", "p", "pb")]

    with text_writer(path, record, "".join(f"# {line}\n" for line in lines)) as stream:
        found = SpectrumWriter(stream, exposure.per_pb(nuclei))
        yield found
        found.finish()
