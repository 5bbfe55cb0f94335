"""The process lepton N -> lepton N S among the particles of a Les Houches event, and what its printed digits allow."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from itertools import product
from typing import NamedTuple, NoReturn

from mcgen.formats.lhe_events import Event, Particle

EXPECTED = "lepton N -> lepton N S"
#: numbers may be off by this share of the largest of their kind, whatever was printed: generators boost and round
_ROUNDING = 1e-7
#: what is compared from event to event agrees to this share
SAME = 1e-6
#: masses of a boson with a width that differ by more than this are those of several bosons
WIDEST = 0.1
#: |p_T|/|p| of a beam that is not along z
_INCLINED = 0.1
_LEPTONS = (11, 13)
_FERMIONS = range(1, 19)
_DIGITS = re.compile(r"[+-]?(\d*)\.?(\d*)(?:[eEdDqQ]?([+-]?\d+))?")
_SHOWN = 8

Refuse = Callable[[str], NoReturn]


class Digits(NamedTuple):
    """A printed number: how many digits from the first that is not zero on, and the place of the last one."""

    number: int
    last: float


def digits(cell: str) -> Digits:
    """Of a number as printed: 3.00e+00 has 3 digits, the last one worth 0.01; 0 has none."""
    found = _DIGITS.fullmatch(cell)
    whole, decimals, exponent = found.groups() if found else ("", "", None)
    power = int(exponent or 0)
    number = len((whole + decimals).lstrip("0"))
    return Digits(number, 10.0 ** max(-300, min(300, power - len(decimals))))


def _place(cells: Iterable[str], largest: float) -> float:
    """Worth of the last digit of the largest number among those that are printed alike.

    Formats print so many digits or so many decimals; either way the largest number has most digits. A single number
    does not tell: trailing zeros may be missing.
    """
    most = max((digits(cell).number for cell in cells), default=0)
    return float(10.0 ** (math.floor(math.log10(largest)) - most + 1)) if largest > 0.0 and most else 0.0


class Precision(NamedTuple):
    """How far the numbers of an event may be off."""

    momentum: float  #: GeV, of a component
    energy: float  #: GeV
    last_momentum: float = 0.0  #: by the printed digits alone, 0 before these were looked at
    last_energy: float = 0.0

    @classmethod
    def of(cls, particles: list[Particle]) -> Precision:
        """Of numbers that are printed with many digits."""
        most_p = max(max(p.p[0], p.p[1], p.p[2], -p.p[0], -p.p[1], -p.p[2]) for p in particles)
        most_E = max(p.p[3] for p in particles)
        return cls(_ROUNDING * most_p, _ROUNDING * most_E)

    @classmethod
    def printed(cls, particles: list[Particle]) -> Precision:
        """Of numbers with the digits that they have; it takes longer."""
        few = cls.of(particles)
        p = _place((cell for particle in particles for cell in particle.cells[6:9]), few.momentum / _ROUNDING)
        E = _place((particle.cells[9] for particle in particles), few.energy / _ROUNDING)
        return cls(max(p, few.momentum), max(E, few.energy), p, E)

    def unit(self, cell: str, at_most: float) -> float:
        """Worth of the last digit of a number."""
        return min(digits(cell).last, at_most) if self.last_energy > 0.0 else 0.0


class Collision(NamedTuple):
    """The five particles of the process, and how well their numbers are known."""

    lepton: Particle
    nucleus: Particle
    lepton_out: Particle
    nucleus_out: Particle
    boson: Particle
    mass: float  #: of this boson in GeV
    precision: Precision

    @classmethod
    def of(cls, event: Event, beams: tuple[int, int], where: str, refuse: Refuse) -> Collision:
        """The process in an event.

        Parameters
        ----------
        event : Event
        beams : tuple of int
            Numbers of the beams in <init>, for the message about another process.
        where : str
            'event 7'.
        refuse : callable
            Takes the reason why the event cannot be used.
        """
        five = _five(event)
        if not five:
            refuse(f"holds {process_name(event, beams, where)}, and {EXPECTED} is expected")
        lepton, nucleus, lepton_out, nucleus_out, boson = five
        return cls(lepton, nucleus, lepton_out, nucleus_out, boson, boson.mass, Precision.of(five))

    @property
    def particles(self) -> list[Particle]:
        """Lepton and nucleus before, both after, S."""
        return [self.lepton, self.nucleus, self.lepton_out, self.nucleus_out, self.boson]

    @property
    def E(self) -> float:
        """Energy of the beam in GeV."""
        return self.lepton.p[3]

    def same_energy(self, E: float) -> bool:
        """Whether the beam has the energy E in GeV, as far as it is printed."""
        off = abs(self.E - E)
        if off <= SAME * E:
            return True
        precision = Precision.printed(self.particles)
        return off <= 2.0 * precision.unit(self.lepton.cells[9], precision.last_energy)

    def same_mass(self, m_S: float) -> bool:
        """Whether the boson has the mass m_S in GeV, as far as it is printed."""
        off = abs(self.mass - m_S)
        return off <= SAME * m_S or off <= 2.0 * min(digits(self.boson.cells[10]).last, 1e-3 * m_S)


def _hard(event: Event) -> tuple[list[Particle], list[Particle]]:
    """Particles before the hard process, and those that come from it and not from another particle."""
    particles = event.particles
    after = {i for i, particle in enumerate(particles, 1) if particle.status >= 0}
    incoming = [particle for particle in particles if particle.status == -1]
    outgoing = [
        particle for particle in particles if particle.status in (0, 1, 2) and after.isdisjoint(particle.mothers)
    ]
    return incoming, outgoing


def process_name(event: Event, beams: tuple[int, int], where: str) -> str:
    """The process as a text: beams -> products of the hard process, and the partons if they are others."""
    incoming, outgoing = ([particle.pdg for particle in particles] for particles in _hard(event))
    number = "first event" if where == "event 1" else where
    partons = f", from {_numbers(incoming)}" if incoming and sorted(incoming) != sorted(beams) else ""
    return f"{_numbers(beams)} -> {_numbers(outgoing)} ({number}{partons})"


def _numbers(numbers: Iterable[int]) -> str:
    shown = [str(number) for number in numbers]
    return " ".join(shown[:_SHOWN] + ["..."] * (len(shown) > _SHOWN)) or "nothing"


def checked(found: Collision, where: str, refuse: Refuse) -> Collision:
    """The same with the mass that this boson has, if momentum is conserved and all are on their mass shells."""
    if _fault(found) or not _on_shell(found.boson, found.precision):
        found = found._replace(precision=Precision.printed(found.particles))
        if fault := _fault(found):
            refuse(f"{where}: {fault}")
    if _on_shell(found.boson, found.precision):
        return found
    mass = math.sqrt(max(0.0, _mass_squared(found.boson)))  # the line has the nominal mass
    if abs(mass - found.boson.mass) > WIDEST * found.boson.mass:
        refuse(f"{where}: {_OFF_SHELL.format(found.boson.pdg)}")
    return found._replace(mass=mass)


_OFF_SHELL = "energy, momentum and mass of {} do not agree"


def _fault(found: Collision) -> str:
    """What is wrong with an event, nothing if all is well."""
    precision = found.precision
    if not _conserved(found.particles, precision):
        return "momentum is not conserved"
    for before, after in ((found.lepton, found.lepton_out), (found.nucleus, found.nucleus_out)):
        off = abs(before.mass - after.mass)
        if off > SAME * before.mass and off > 2.0 * precision.unit(after.cells[10], 1e-3 * before.mass):
            return f"{after.pdg} has a mass of {before.mass:.9g} GeV before and {after.mass:.9g} GeV after"
    off_shell = [p.pdg for p in found.particles[:4] if not _on_shell(p, precision)]
    return _OFF_SHELL.format(off_shell[0]) if off_shell else ""


def _mass_squared(particle: Particle) -> float:
    px, py, pz, E = particle.p
    return E * E - px * px - py * py - pz * pz


def _on_shell(particle: Particle, precision: Precision) -> bool:
    """Whether E^2 - p^2 = m^2 to the digits of these numbers."""
    px, py, pz, E = particle.p
    m, cells = particle.mass, particle.cells
    p2 = px * px + py * py + pz * pz
    off = abs(E * E - p2 - m * m)
    if off <= 2.0 * _ROUNDING * (E * E + p2 + m * m):
        return True
    error = sum(
        abs(value) * max(precision.unit(cell, most), _ROUNDING * abs(value))
        for value, cell, most in (
            (px, cells[6], precision.last_momentum),
            (py, cells[7], precision.last_momentum),
            (pz, cells[8], precision.last_momentum),
            (E, cells[9], precision.last_energy),
            (m, cells[10], 1e-3 * m),
        )
    )
    return off <= 2.0 * error


def _five(event: Event) -> list[Particle]:
    """Lepton and nucleus before, both after, the boson; nothing if the event is of another process."""
    incoming, outgoing = _hard(event)
    if len(incoming) != 2 or len(outgoing) < 3 or len(outgoing) > 100:
        return []
    incoming.sort(key=lambda particle: abs(particle.pdg) not in _LEPTONS)
    lepton, nucleus = incoming
    if abs(lepton.pdg) not in _LEPTONS or abs(nucleus.pdg) in _FERMIONS:
        return []
    leptons = [p for p in outgoing if p.pdg == lepton.pdg]
    nuclei = [p for p in outgoing if p.pdg == nucleus.pdg]
    bosons = [p for p in outgoing if abs(p.pdg) not in _FERMIONS and p.pdg != nucleus.pdg]
    choices = [[lepton, nucleus, *three] for three in product(leptons, nuclei, bosons)]
    if len(outgoing) == 3:
        return choices[0] if choices else []
    # mothers are missing: what is left over must be what the boson decayed into
    for choice in choices:
        rest = [p for p in outgoing if not any(p is chosen for chosen in choice)]
        precision = Precision.printed([*choice, *rest])
        if choice[4].status == 2 and _conserved(choice, precision) and _add_up(rest, choice[4], precision):
            return choice
    return []


def _add_up(parts: list[Particle], whole: Particle, precision: Precision) -> bool:
    n = len(parts) + 1
    return all(
        abs(sum(particle.p[i] for particle in parts) - whole.p[i]) <= n * (precision[0] if i < 3 else precision[1])
        for i in range(4)
    )


def _conserved(five: list[Particle], precision: Precision) -> bool:
    return all(
        abs(sum(p.p[i] for p in five[:2]) - sum(p.p[i] for p in five[2:])) <= 5.0 * (precision[0 if i < 3 else 1])
        for i in range(4)
    )


def check_frame(found: Collision, where: str, refuse: Refuse) -> None:
    """Refuse an event unless the nucleus is at rest and the beam along +z."""
    lepton, nucleus = found.lepton.p, found.nucleus.p
    expected = "expected: the nucleus at rest and the beam along +z"
    p, P = math.hypot(*lepton[:3]), math.hypot(*nucleus[:3])
    allowed = max(10.0 * found.precision.momentum, SAME * (p + P))
    if allowed < P:
        if math.hypot(*(lepton[i] + nucleus[i] for i in range(3))) <= max(allowed, 1e-3 * p):
            refuse(f"{where}: is in the centre-of-mass frame ({expected})")
        if p <= allowed:
            refuse(f"{where}: is in the frame where the beam lepton is at rest ({expected})")
        refuse(f"{where}: the nucleus moves with p_z = {nucleus[2]:.4g} GeV, |p| = {P:.4g} GeV ({expected})")
    if lepton[2] <= 0.0 and math.hypot(*lepton[:2]) <= _INCLINED * p:
        refuse(f"{where}: the beam flies along -z, p_z = {lepton[2]:.4g} GeV ({expected})")
    if math.hypot(*lepton[:2]) > _INCLINED * p:
        momentum = ", ".join(f"{value:.4g}" for value in lepton[:3])
        refuse(f"{where}: the beam flies at an angle to z, p = ({momentum}) GeV ({expected})")
