"""Reader of libraries for G4DarkBreM: momenta at several energies on several elements, and no cross sections.

Neither the unit nor the mass of S is in the file. The masses of recoil lepton and emitted particle must be those of
the card, in GeV or in MeV, to the digits that are printed: G4DarkBreM prints six, so that the mass of a light particle
shows in the mean of many events only.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mcgen.base.arrays import Array
from mcgen.base.errors import McgenWarning
from mcgen.base.pdg import BEAMS
from mcgen.card.card import Card
from mcgen.events.branches import PARTS, Columns
from mcgen.events.formats.foreign import Place, columns_at, described
from mcgen.events.formats.g4darkbrem import HEADER, UNITS
from mcgen.events.formats.kinds import LIBRARY
from mcgen.events.formats.lhe_foreign import MOST_ENERGIES
from mcgen.events.formats.lhe_process import ROUNDING, SAME, digits
from mcgen.events.formats.stored import StoredEvents, cut
from mcgen.events.formats.text import open_compressed
from mcgen.events.meta import Sample
from mcgen.physics.emission import cross_section
from mcgen.source.beam_nodes import crossings
from mcgen.source.source import Source

_COLUMNS = HEADER.rstrip("\n").split(",")
#: lines read at a time, and those whose digits are counted
_LINES, _COUNTED = 20_000, 200
#: characters of a line: ten numbers
_LONGEST = 1_000
#: how far a mean mass may be off: in standard deviations of its rounding, and as a share of the card's
_DEVIATIONS, _SHARE = 5.0, 2e-3


class _Masses(NamedTuple):
    """Squared masses of particles in events, and how far rounding puts them off at most."""

    squared: Array
    off: Array

    @classmethod
    def of(cls, p: Array, size: Array, rounding: float) -> _Masses:
        """Of momenta px, py, pz, E, shape (n, 4), that are sums of numbers of this size."""
        squared = p[:, 3] ** 2 - np.sum(p[:, :3] ** 2, axis=1)
        return cls(squared, 2.0 * rounding * np.sum(np.abs(p) * size, axis=1))

    def mean_is(self, mass: float) -> bool:
        """Whether their mean is that of a mass."""
        spread = float(np.sqrt(np.mean(self.off**2) / self.off.size))
        return bool(abs(self.squared.mean() - mass * mass) <= _DEVIATIONS * spread + _SHARE * mass * mass)

    def each_is(self, mass: float, rounding: float) -> NDArray[np.bool_]:
        """Whether each of them is that mass."""
        off = self.off * max(1.0, ROUNDING / rounding) + _SHARE * mass * mass
        return np.asarray(np.abs(self.squared - mass * mass) <= off)


class _Rows(NamedTuple):
    """Events as they stand in the file, in GeV."""

    Z: Array
    E: Array  #: of the beam
    recoil: Array  #: px, py, pz, E of the lepton, shape (n, 4) as the next one
    both: Array  #: of lepton and emitted particle together

    @property
    def S(self) -> Array:
        """Momenta of the emitted particle."""
        return self.both - self.recoil

    def masses(self, rounding: float) -> tuple[_Masses, _Masses]:
        """Of the lepton and of S."""
        lepton, both = np.abs(self.recoil), np.abs(self.both)
        return _Masses.of(self.recoil, lepton, rounding), _Masses.of(self.S, lepton + both, rounding)


class LibraryFile(StoredEvents):
    """A library for G4DarkBreM together with a card; weights are shares of the exact cross section.

    Warns
    -----
    McgenWarning
        If the beam of the card never meets one of the elements at one of the energies: such events are left out.
    """

    kind = LIBRARY

    def _open(self, card: Card | None) -> int:
        if card is None:
            self._refuse(
                "is a library for G4DarkBreM: `mcgen info`, `reweight`, `crosscheck` and `export` take its experiment "
                "as --card CARD, mcgen.load as card=..."
            )
        self._card, self._source = card, Source(card)
        targets = self._source.targets
        self._M = {target.Z: target.M for target in targets}
        if len(self._M) < len(targets):
            self._refuse(
                "says elements by their charge alone, and the card's target has several nuclei of the same one"
            )
        self._rounding = self._printed()
        self._unit = 0.0
        counts: dict[tuple[float, float], int] = {}
        for rows, first in self._rows():
            self._check(rows, first)
            pairs, n = np.unique(np.stack([rows.Z, rows.E]), axis=1, return_counts=True)
            for Z, E, more in zip(*pairs.tolist(), n.tolist(), strict=True):
                counts[Z, E] = counts.get((Z, E), 0) + more
            if len(counts) > MOST_ENERGIES:
                self._refuse(f"line {first}: more than {MOST_ENERGIES} energies")
        if not counts:
            self._refuse("holds no events")
        self._places = self._placed(counts)
        self._describe(counts)
        self.branches = self.metadata.branches
        return len(self)

    @property
    def _brings_card(self) -> bool:
        return False

    def _lines(self) -> Iterator[tuple[int, str]]:
        """(number, text) of each line with an event; where files were joined, headers come again."""
        with open_compressed(self.path) as file:
            for number, line in enumerate(iter(lambda: file.readline(_LONGEST), b""), 1):
                if not line.endswith(b"\n"):
                    self._refuse(f"line {number}: has no end within {_LONGEST} characters; damaged or cut short")
                text = line.decode("latin-1").strip().removeprefix("\xef\xbb\xbf")
                if number == 1 or text.startswith("target_Z"):
                    if [cell.strip() for cell in text.split(",")] != _COLUMNS:
                        self._refuse(f"line {number}: the columns should be {','.join(_COLUMNS)}")
                elif text:
                    yield number, text

    def _printed(self) -> float:
        """The share by which printed numbers may be off: half of the last of their digits."""
        cells = (cell for _, text in islice(self._lines(), _COUNTED) for cell in text.split(",")[1:])
        most = max((digits(cell.strip()).number for cell in cells), default=0)
        return max(0.5 * 10.0 ** (1 - most), 1e-15)

    def _rows(self) -> Iterator[tuple[_Rows, int]]:
        """Events many at a time, and the line of the first of them."""
        lines = self._lines()
        while block := list(islice(lines, _LINES)):
            numbers = self._numbers(block)
            if not self._unit:
                self._unit = self._found_unit(_rows(numbers, 1.0))
            yield _rows(numbers, self._unit), block[0][0]

    def _numbers(self, block: list[tuple[int, str]]) -> Array:
        """The numbers of some lines, shape (n, 10)."""
        try:
            found = np.array([text.split(",") for _, text in block], dtype=float)
            if found.ndim == 2 and found.shape[1] == len(_COLUMNS) and np.abs(found).max() < 1e9:
                return found
        except ValueError:  # the line is looked for
            pass
        for number, text in block:
            try:
                row = np.array(text.split(","), dtype=float)
            except ValueError:
                row = np.empty(0)
            if row.size != len(_COLUMNS) or not np.all(np.abs(row) < 1e9):
                self._refuse(f"line {number}: should be {len(_COLUMNS)} numbers and is '{text[:60]}'")
        return self._refuse("its lines are not of numbers")

    def _found_unit(self, rows: _Rows) -> float:
        """1 for GeV, 1e-3 for MeV: that in which both masses are those of the card."""
        m, m_S = self._card.beam.mass, self._card.scalar.mass
        lepton, S = rows.masses(self._rounding)
        for per_gev in UNITS.values():
            if lepton.mean_is(per_gev * m) and S.mean_is(per_gev * m_S):
                return 1.0 / per_gev
        found = [f"{np.sqrt(max(0.0, float(masses.squared.mean()))):.4g}" for masses in (lepton, S)]
        return self._refuse(
            f"masses of recoil lepton and emitted particle are {found[0]} and {found[1]} in its unit, and {m:.6g} and "
            f"{m_S:g} GeV in the card (GeV or MeV is expected)"
        )

    def _check(self, rows: _Rows, first: int) -> None:
        """Refuse an event whose masses or whose balance of energy and momentum are wrong."""
        rounding = max(self._rounding, ROUNDING)
        strange = ~np.isin(rows.Z, list(self._M))
        if np.any(strange):
            i = int(np.argmax(strange))
            names = ", ".join(f"{target.name} of Z = {target.Z:g}" for target in self._source.targets)
            self._refuse(f"from line {first} on: its target of Z = {rows.Z[i]:g} is not in the card's ({names})")
        lepton, S = rows.masses(self._rounding)
        M = np.array([self._M[Z] for Z in rows.Z.tolist()])
        q2 = np.sum(self._recoil_of_nucleus(rows) ** 2, axis=1)
        balance = rows.E - rows.both[:, 3] - q2 / (np.sqrt(M * M + q2) + M)
        for what, sound in (
            ("masses of recoil lepton and card differ", lepton.each_is(self._card.beam.mass, self._rounding)),
            ("masses of emitted particle and card differ", S.each_is(self._card.scalar.mass, self._rounding)),
            ("energy is not conserved", np.abs(balance) <= 10.0 * rounding * rows.E),
        ):
            if not np.all(sound):
                self._refuse(f"event {int(np.argmin(sound)) + 1} from line {first} on: {what}")

    def _recoil_of_nucleus(self, rows: _Rows) -> Array:
        """Its three-momenta, what lepton and S leave of the beam's, which is along +z."""
        q = -rows.both[:, :3]
        q[:, 2] += np.sqrt(np.maximum(0.0, rows.E**2 - self._card.beam.mass**2))
        return q

    def _placed(self, counts: dict[tuple[float, float], int]) -> dict[tuple[float, float], Place]:
        """Where the beam meets each element at each energy, if it does."""
        low, high = self._source.E_exit, self._card.beam.E_max
        found, left = {}, []
        for Z, E in sorted(counts):
            own = next((end for end in (high, low) if abs(E - end) <= SAME * end), E)
            struck = crossings(self._source.segments, own, 1) if low <= own <= high else []
            target, depths = next(((t, d) for t, d, _ in struck if t.Z == Z), (None, None))
            if target is None or depths is None:
                left.append(f"Z = {Z:g} at {E:.6g} GeV")
                continue
            found[Z, E] = Place(own, target, float(depths[0]))
        if not found:
            self._refuse(f"nothing of it is in the card's target ({low:g} to {high:g} GeV): {_shown(left)}")
        if left:
            message = f"file {self.path}: events that the beam of the card never makes are left out: {_shown(left)}"
            warnings.warn(message, McgenWarning, stacklevel=2)
        return found

    def _describe(self, counts: dict[tuple[float, float], int]) -> None:
        """Metadata, with the exact cross section of each energy and element."""
        card, samples = self._card, []
        for key, place in self._places.items():
            sigma, error = cross_section.sigma(place.E, self._source.process(card.scalar.mass, place.target))
            if sigma <= 0.0:
                self._refuse(f"{place.E:.6g} GeV is below the threshold on {place.target.name}")
            samples.append(Sample(place.target.name, place.E, sigma, counts[key], error / sigma))
        self.metadata = described(
            card,
            samples,
            card.scalar.mass,
            0,
            beam_pdg=BEAMS[card.beam.particle],
            unweighted=True,
            library_unit=next(name for name, per_gev in UNITS.items() if per_gev * self._unit == 1.0),
            sigma_from="mcgen",
        )
        self.metadata["weight_convention"] += "; the file has none, and these are exact ones of mcgen"

    def _chunks(self, names: list[str], step: int) -> Iterator[Columns]:
        yield from cut(self._blocks(), names, step)

    def _blocks(self) -> Iterator[Columns]:
        places, number, done = list(self._places.values()), {key: k for k, key in enumerate(self._places)}, 0
        weights = np.array(
            [next(s.sigma / s.n_events for s in self.metadata.samples if s[:2] == (p.target.name, p.E)) for p in places]
        )
        m, m_S = self._card.beam.mass, self._card.scalar.mass
        for rows, _ in self._rows():
            which = np.array([number.get(key, -1) for key in zip(rows.Z.tolist(), rows.E.tolist(), strict=True)])
            rows, which = _Rows(*(column[which >= 0] for column in rows)), which[which >= 0]
            n, M = which.size, np.array([place.target.M for place in places])[which]
            columns: Columns = columns_at(places, which)
            E, q, none = columns["E_mu"], self._recoil_of_nucleus(rows), np.zeros(n)
            q2 = np.sum(q * q, axis=1)
            kinetic = q2 / (np.sqrt(M * M + q2) + M)
            beam = np.stack([none, none, np.sqrt((E - m) * (E + m))], axis=1)
            particles = {
                "mu_in": (beam, E),
                "mu_out": _on_shell(rows.recoil[:, :3], m),
                "S": _on_shell(rows.S[:, :3], m_S),
                "N_out": (q, M + kinetic),
            }
            columns |= {
                f"{name}_{part}": column
                for name, (p, energy) in particles.items()
                for part, column in zip(PARTS, (*p.T, energy), strict=True)
            }
            columns |= {"event": np.arange(done, done + n), "weight": weights[which]}
            columns |= {"x": columns["S_E"] / E, "t": 2.0 * M * kinetic}
            yield columns
            done += n


def _rows(numbers: Array, unit: float) -> _Rows:
    """Columns of the file, where the energy comes first."""
    recoil, both = (unit * numbers[:, [at + 1, at + 2, at + 3, at]] for at in (2, 6))
    return _Rows(numbers[:, 0], unit * numbers[:, 1], recoil, both)


def _on_shell(p: Array, mass: float) -> tuple[Array, Array]:
    """Three-momenta and the energy that belongs to them, which a file rounds."""
    return p, np.sqrt(np.sum(p * p, axis=1) + mass * mass)


def _shown(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
