"""The beam on its way through the target: energy against depth, layer by layer (Eq. 16)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcgen.card.beam import Beam, Spectrum
from mcgen.card.target import Slab, Stack
from mcgen.physics.matter.energy_loss import ConstantLoss
from mcgen.physics.matter.multiple_scattering import Kicks, Spread, followed_by, moments, p_beta, spread
from mcgen.physics.matter.thick_target import track_table
from mcgen.source.media import Medium
from mcgen.source.straggling import Law, RandomLoss
from mcgen.source.targets import Target, in_atom
from mcgen.source.track import NO_SPREAD, Scattering, Track, linear, negligibly_thin

#: steps of a track with a curved E(r), and of one for a beam of many energies
CURVED, SPREAD = 64, 4096
#: slices of a layer in which random losses take all energy: 32 and 64 differ by 0.1 % where S decays early
SLICES = 32


@dataclass(frozen=True, slots=True)
class Segment:
    """The beam in one layer, from where it enters to where it leaves or stops."""

    medium: Medium
    targets: list[tuple[Target, float]]  #: what can be hit, with its number per cm^3
    front: float  #: depth in cm
    length: float  #: cm
    E_in: float  #: highest energy in GeV
    E_out: float  #: lowest
    spectrum: Spectrum | None  #: energies at the front, if many
    law: Law
    shower: bool  #: electrons that lose all their energy at the front of the layer (Tsai and Whitis)

    def depth(self, E: Any) -> Any:
        """Depth in cm at which the beam has energy E in GeV; extrapolated beyond the layer (Eq. 16)."""
        return self.front + self.law.path(self.E_in, E)

    def share_above(self, E: float) -> float:
        """Share of the beam that enters above an energy in GeV; 0 where it is lost to rounding."""
        return 1.0 if self.spectrum is None else 1.0 - float(np.interp(E, *self.spectrum))

    def track(self, E_low: float) -> Track:
        """The part with energies above E_low."""
        law, length = self.law, self.length
        E_low = max(E_low, self.E_out)
        if self.shower:
            E, thickness = track_table(self.E_in, E_low, SPREAD)
            nowhere = np.zeros(E.size), np.zeros(2), np.array([0.0, 1.0])
            return Track(E, np.gradient(E), thickness / self.medium.per_X0, self.front, 0.0, *nowhere)
        if self.spectrum:
            return self._spread_track(self.spectrum, E_low)
        if law.after(self.E_in, length) < E_low:
            length = law.path(self.E_in, E_low)
        if isinstance(law, ConstantLoss):
            return linear(self.E_in, E_low, self.front, length)
        E = law.after(self.E_in, np.linspace(0.0, length, CURVED + 1))
        slope = -law.loss(E) * length / CURVED
        return Track(E, slope, length, self.front, length, NO_SPREAD, NO_SPREAD, NO_SPREAD)

    def _spread_track(self, spectrum: Spectrum, E_low: float) -> Track:
        law, span = self.law, self.length
        entry = law.path(spectrum.energies, E_low)  # residual paths down to E_low
        # the density is linear between the points of entry and of entry - span
        edges = np.concatenate([np.linspace(0.0, entry[-1], 4 * SPREAD), entry, entry - span])
        rho = np.unique(edges[edges >= 0.0])
        middle = 0.5 * (rho[1:] + rho[:-1])
        if negligibly_thin(span, entry):
            density = span * np.diff(np.interp(rho, entry, spectrum.cdf)) / np.diff(rho)
        else:
            density = np.interp(middle + span, entry, spectrum.cdf) - np.interp(middle, entry, spectrum.cdf)
        above = np.concatenate([[0.0], np.cumsum((density * np.diff(rho))[::-1])])  # from the highest energy down
        at = np.interp(np.linspace(0.0, above[-1], SPREAD + 1), above, rho[::-1])
        E = law.after(spectrum.energies[-1], entry[-1] - at)
        return Track(E, np.gradient(E), float(above[-1]), self.front, span, at, entry, spectrum.cdf)


def _refined(spectrum: Spectrum, points: int = 1024) -> Spectrum:
    """The same distribution on more points.

    It is straight in energy between its points. If the loss depends on energy, it is curved there in residual path.
    """
    n = spectrum.energies.size - 1
    at = np.linspace(0.0, n, n * -(-points // n) + 1)
    return Spectrum(*(np.interp(at, np.arange(n + 1), column) for column in spectrum))


def _slices(length: float, law: Law, E: float, least: int) -> list[float]:
    """Lengths in cm of the slices of a layer: several if energy is lost at random in it; E in GeV at its front."""
    if not isinstance(law, RandomLoss):
        return [length]
    n = max(least, math.ceil(SLICES * (1.0 - float(law.after(E, length)) / E)))
    return [length / n] * n


def _behind(law: Law, E: float, spectrum: Spectrum | None, length: float) -> tuple[float, Spectrum | None]:
    """Highest energy and spectrum, if there are many energies, behind a length in cm."""
    if isinstance(law, RandomLoss):
        entering = spectrum or Spectrum(np.array([E, E]), np.array([0.0, 1.0]))
        leaving = Spectrum(*law.behind(*entering, length))
        return float(leaving.energies[-1]), leaving
    return float(law.after(E, length)), spectrum and Spectrum(law.after(spectrum.energies, length), spectrum.cdf)


def _cut(lengths: Sequence[float], front: float, cuts: Sequence[float]) -> Iterator[float]:
    """The lengths in cm that follow a depth, each cut in two where one of `cuts` lies in it."""
    for length in lengths:
        inside = sorted(cut for cut in cuts if 1e-9 * length < cut - front < (1.0 - 1e-9) * length)
        yield from [length] if not inside else np.diff([front, *inside, front + length]).tolist()
        front += length


def segments(beam: Beam, target: Slab | Stack, cuts: Sequence[float] = ()) -> list[Segment]:
    """The beam through all layers until its highest energy falls to E_min; no segment crosses one of `cuts` in cm."""
    spectrum, E, E_min = beam.distribution, beam.E_max, target.E_min or 0.0
    kind = target.energy_loss or ("constant" if beam.lepton == "mu" else "none")
    result, front, shower = [], 0.0, kind == "shower"
    if spectrum and kind in ("table", "mulder"):
        spectrum = _refined(spectrum)
    for layer in target.layers:
        medium = Medium(layer)
        law = medium.law(kind, beam.E_max)
        targets = [(t, n * each) for atom, n in medium.composition for t, each in in_atom(target.process, atom)]
        slices = _slices(layer.length, law, E, math.ceil(4 / len(target.layers)))
        for length in _cut(slices, front, () if shower else cuts):
            lowest = float(law.after(spectrum.energies[0] if spectrum else E, length))
            E_out = E_min if shower else max(lowest, E_min)
            result.append(Segment(medium, targets, front, length, E, E_out, spectrum, law, shower))
            E, spectrum = _behind(law, E, spectrum, length)
            if E_min >= E or shower:
                return result
            spectrum = spectrum and Spectrum(np.maximum(spectrum.energies, E_min), spectrum.cdf)
            front += length
    return result


def _p_beta(E: float, m: float) -> float:
    """Momentum times velocity in GeV, but at least m: a particle that has stopped may have E <= m here."""
    return max(p_beta(E, m), m) if m < E else m


def scattering(segments: Sequence[Segment], m: float, steps: int = 64) -> Scattering:
    """Multiple scattering of a beam particle of mass m in GeV that enters with the highest energy of the beam.

    Highland's formula, or the mean square angle that comes with a law of random losses.
    """
    E_in = E_front = segments[0].E_in
    kicks = Kicks(0.0, 0.0, 0.0, 0.0)
    rows = [(0.0, 0.0, 0.0, math.sqrt(0.75))]
    for segment in segments:
        law, step = segment.law, segment.length / steps
        middle = law.after(E_front, (np.arange(steps) + 0.5) * step)
        for i, E in enumerate(middle.tolist(), 1):
            X = segment.medium.per_X0 * step
            angle2 = law.angle2_per_cm(E) * step if isinstance(law, RandomLoss) else X / _p_beta(E, m) ** 2
            kicks = followed_by(kicks, step, Kicks(X, angle2, 0.5 * angle2 * step, angle2 * step * step / 3.0))
            if kicks.thickness == 0.0:  # of a vacuum
                width = Spread(*rows[0][1:])
            else:
                width = moments(kicks, 1.0) if isinstance(law, RandomLoss) else spread(kicks, E_in, m)
            rows.append((segment.front + i * step, *width))
        E_front = float(law.after(E_front, segment.length))
    return Scattering(*(np.array(column) for column in zip(*rows, strict=True)))
