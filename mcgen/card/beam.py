"""The beam of a card: particle, energy or energies, and how wide it is."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import AliasChoices, ConfigDict, Field, model_validator

from mcgen.base.arrays import Array
from mcgen.base.constants import LEPTON_MASSES
from mcgen.base.errors import refuse_if
from mcgen.base.files import read_text
from mcgen.base.units import quantity_text
from mcgen.card.beam_profile import Profile, parse_profile, parse_rows
from mcgen.card.quantities import Angle, Energy, EnergyList, Positive, Section, Width, about

#: largest file of a spectrum or a profile
MAX_BYTES = 5_000_000
#: half width of a Gaussian beam energy in standard deviations, and the points of its distribution
CUT, POINTS = 4.0, 129
#: most steps in the distribution of energies of a profile
STEPS = 4096


class Spectrum(NamedTuple):
    """Distribution function of the beam's energy, linear between its points."""

    energies: Array  #: GeV, increasing
    cdf: Array  #: from 0 to 1


class Histogram(Section):
    """Particles per bin of energy."""

    energy: Annotated[EnergyList, about("edges of the bins, increasing", "1 GeV, 2 GeV, 3 GeV")]
    particles: Annotated[
        list[Annotated[float, Field(ge=0.0, le=1e40)]],
        Field(min_length=1, max_length=10_000),
        about("particles in each bin, in any unit", [10.0, 5.0]),
    ]

    @model_validator(mode="after")
    def _matching(self) -> Histogram:
        bins, edges = len(self.particles), len(self.energy)
        refuse_if(edges != bins + 1, f"{bins} bins need {bins + 1} edges, not {edges}")
        rising = all(a < b for a, b in itertools.pairwise(self.energy))
        refuse_if(not rising or not sum(self.particles) > 0.0, "edges must increase, and some bin must hold particles")
        return self


def _older_name(schema: dict[str, Any]) -> None:
    """Add `muons` to the schema, the older name of particles_on_target."""
    names = ("particles_on_target", "muons")
    schema["properties"]["muons"] = schema["properties"][names[0]]
    schema["required"].remove(names[0])
    schema["anyOf"] = [{"required": [name]} for name in names]


class Beam(Section):
    """Particles on target: one energy, a Gaussian spread of it, a histogram, or a list of particles."""

    particle: Annotated[Literal["mu+", "mu-", "e+", "e-"], about("what hits the target", "mu-")] = "mu+"
    energy: Annotated[Energy | None, about("total energy; or give a spectrum or a profile", "160 GeV")] = None
    energy_spread: Annotated[float, Field(ge=0.0, le=0.2), about("rms over mean, cut at 4 sigma", 0.03)] = 0.0
    spectrum: Annotated[
        Histogram | None, about("instead of energy: a file with lines low,high,particles in GeV", "spectrum.csv")
    ] = None
    profile: Annotated[
        str | None, about("instead of energy: a file with energy, position and slope of each particle", "beam.csv")
    ] = None
    particles_on_target: Annotated[
        Positive,
        Field(validation_alias=AliasChoices("particles_on_target", "muons")),
        about("number of beam particles; `muons` is the older name", 1e12),
    ]
    spot: Annotated[Width, about("rms width of the beam in x and in y", "1 cm")] = 0.0
    divergence: Annotated[Angle, about("rms angle of the beam in each plane", "1 mrad")] = 0.0

    model_config = ConfigDict(json_schema_extra=_older_name)

    @model_validator(mode="after")
    def _one_kind(self) -> Beam:
        kinds = [self.energy, self.spectrum, self.profile]
        refuse_if(kinds.count(None) != 2, "give either energy or a spectrum or a profile")
        stray_spread = self.energy is None and self.energy_spread
        refuse_if(stray_spread, "energy_spread: goes with energy, not with a spectrum or a profile")
        stray_width = self.particles and (self.spot or self.divergence)
        refuse_if(stray_width, "spot and divergence: a profile has its own")
        return self

    @property
    def lepton(self) -> str:
        """Its flavour: mu or e."""
        return self.particle[:-1]

    @property
    def charge(self) -> int:
        """1 or -1."""
        return 1 if self.particle.endswith("+") else -1

    @property
    def mass(self) -> float:
        """Mass of the particle in GeV."""
        return LEPTON_MASSES[self.lepton]

    @property
    def particles(self) -> Profile | None:
        """The particles of a profile, the slowest first."""
        return parse_profile(self.profile, "beam.profile") if self.profile is not None else None

    @property
    def distribution(self) -> Spectrum | None:
        """Energies of the beam, or None if there is one."""
        if self.spectrum:
            edges, counts = np.array(self.spectrum.energy), np.array(self.spectrum.particles)
            return Spectrum(edges, np.concatenate([[0.0], np.cumsum(counts)]) / counts.sum())
        if self.particles:
            return _steps(self.particles.energies)
        if not self.energy_spread:
            return None
        assert self.energy is not None
        z = np.linspace(-CUT, CUT, POINTS)
        below = np.array([math.erf(value / math.sqrt(2.0)) for value in z])
        return Spectrum(self.energy * (1.0 + self.energy_spread * z), 0.5 * (1.0 + below / below[-1]))

    @property
    def E_max(self) -> float:
        """Highest energy in GeV."""
        known = self.distribution or self.particles
        if known:
            return float(known.energies[-1])
        assert self.energy is not None
        return self.energy

    @property
    def energy_text(self) -> str:
        """The nominal energy as a text, or range and mean of a spectrum."""
        if self.energy is not None:
            spread = f", rms {100.0 * self.energy_spread:.3g} %" if self.energy_spread else ""
            return quantity_text(self.energy, "energy") + spread
        whole = self.distribution
        if whole is None:  # particles of one energy
            return quantity_text(self.E_max, "energy")
        mean = float(np.sum(0.5 * (whole.energies[1:] + whole.energies[:-1]) * np.diff(whole.cdf)))
        low, high, middle = (quantity_text(E, "energy") for E in (*whole.energies[[0, -1]].tolist(), mean))
        return f"{low} to {high}, mean {middle}"


def _steps(energies: Array) -> Spectrum | None:
    """Distribution function of a list of particles, linear between the middles of its steps; None for one energy."""
    if energies[0] == energies[-1]:
        return None
    n = energies.size
    E = np.concatenate([energies[:1], energies, energies[-1:]])
    cdf = np.concatenate([[0.0], (np.arange(n) + 0.5) / n, [1.0]])
    shares = np.linspace(0.0, 1.0, STEPS + 1)
    return Spectrum(np.interp(shares, cdf, E), shares) if n > STEPS else Spectrum(E, cdf)


def read_spectrum(path: Path) -> dict[str, Any]:
    """A histogram from a table of three columns: lower and upper edge in GeV, particles; # begins a comment."""
    rows = parse_rows(read_text(path, "beam.spectrum", MAX_BYTES), "low,high,particles", f"beam.spectrum {path}")
    low, high, particles = rows.T
    is_gapless = np.array_equal(low[1:], high[:-1])
    refuse_if(not is_gapless, f"beam.spectrum {path}: each bin must begin where the one before ends")
    edges = ", ".join(f"{edge!r} GeV" for edge in [*low.tolist(), float(high[-1])])
    return {"energy": edges, "particles": particles.tolist()}


def read_profile(path: Path) -> str:
    """Text of a profile, checked."""
    text = read_text(path, "beam.profile", MAX_BYTES)
    parse_profile(text, f"beam.profile {path}")
    return text
