"""The process lepton N -> lepton N S in a Les Houches event, checked as precisely as its digits allow."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from itertools import product
from typing import NamedTuple, NoReturn

from mcgen.base.pdg import LEPTONS
from mcgen.events.formats.lhe_events import Event, Particle

EXPECTED = "lepton N -> lepton N S"
#: numbers may be wrong by this share of the largest of their kind, also where more digits are printed: generators round
ROUNDING = 1e-7
#: energies and masses that differ by less than this share count as the same
SAME = 1e-6
#: masses of S that differ by more than this share are taken for masses of several bosons
WIDEST = 0.1
#: |p_T|/|p| of a beam that is not along z
INCLINED = 0.1
#: beam and nucleus may be of other masses in one event than in another by this share
SAME_PROCESS = 1e-3
_LEPTONS = (11, 13)
_FERMIONS = range(1, 19)
_DIGITS = re.compile(r"[+-]?(\d*+)(?:\.(\d*+))?(?:[eEdDqQ]([+-]?\d++)|([+-]\d++))?")
_SHOWN = 8

Refuse = Callable[[str], NoReturn]


class Digits(NamedTuple):
    """The digits of a printed number."""

    number: int  #: significant ones
    last: float  #: what the last one is worth


def digits(cell: str) -> Digits:
    """Digits of a number as it is printed: 3.00e+00 has 3, the last one worth 0.01; 0 has none."""
    found = _DIGITS.fullmatch(cell)
    whole, decimals, exponent, short = (part or "" for part in found.groups()) if found else ("", "", "", "")
    power = float(exponent or short or 0) - len(decimals)
    return Digits(len((whole + decimals).lstrip("0")), 10.0 ** max(-300.0, min(300.0, power)))


def _place(cells: Iterable[str], largest: float) -> float:
    """What the last digit of the largest number is worth, among numbers printed in one format.

    The format fixes the number of digits or of decimals; either way the largest number has the most digits. One number
    alone does not show the format, as trailing zeros may be missing.
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
        """The precision of particles whose numbers have many digits."""
        most_p = max(max(p.p[0], p.p[1], p.p[2], -p.p[0], -p.p[1], -p.p[2]) for p in particles)
        return cls(ROUNDING * most_p, ROUNDING * max(p.p[3] for p in particles))

    @classmethod
    def printed(cls, particles: list[Particle]) -> Precision:
        """The precision of particles by the digits that are printed, which takes longer to find."""
        few = cls.of(particles)
        p = _place((cell for particle in particles for cell in particle.cells[6:9]), few.momentum / ROUNDING)
        E = _place((particle.cells[9] for particle in particles), few.energy / ROUNDING)
        return cls(max(p, few.momentum), max(E, few.energy), p, E)

    def unit(self, cell: str, at_most: float) -> float:
        """What the last digit of a number is worth; 0 before the digits were looked at."""
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
        return list(self[:5])

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


def numbers_of(event: Event) -> list[int]:
    """PDG numbers, states and mothers of the particles."""
    return [number for particle in event.particles for number in (particle.pdg, particle.status, *particle.mothers)]


def lines_of(event: Event, found: Collision) -> list[int]:
    """Lines of the five particles, nothing if more than their kinds, states and mothers says which they are."""
    outgoing = _hard(event)[1]
    return (
        [next(i for i, p in enumerate(event.particles) if p is one) for one in found.particles]
        if len(outgoing) == 3
        else []
    )


def _hard(event: Event) -> tuple[list[Particle], list[Particle]]:
    """Incoming particles of the hard process, and those that it makes directly, not by a decay."""
    after = {i for i, p in enumerate(event.particles, 1) if p.status >= 0}
    incoming = [p for p in event.particles if p.status == -1]
    return incoming, [p for p in event.particles if p.status in (0, 1, 2) and after.isdisjoint(p.mothers)]


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
    """The collision, with the mass that the boson has in this event.

    Events are refused if momentum is not conserved, or if a particle is not on its mass shell.
    """
    if _fault(found) or not _on_shell(found.boson, found.precision):
        found = found._replace(precision=Precision.printed(found.particles))
        if fault := _fault(found):
            refuse(f"{where}: {fault}")
    if _on_shell(found.boson, found.precision):
        return found
    mass = math.sqrt(max(0.0, _mass_squared(found.boson)))  # a boson with a width: its line says the nominal mass
    if abs(mass - found.boson.mass) > WIDEST * found.boson.mass:
        refuse(f"{where}: {_OFF_SHELL.format(found.boson.pdg)}")
    return found._replace(mass=mass)


_OFF_SHELL = "energy, momentum and mass of {} do not agree"


def _fault(found: Collision) -> str:
    """What is wrong with an event, nothing if all is well."""
    precision = found.precision
    if not _conserved(found.particles[:2], found.particles[2:], precision):
        return "momentum is not conserved"
    for before, after in ((found.lepton, found.lepton_out), (found.nucleus, found.nucleus_out)):
        if before.pdg != after.pdg:  # another lepton
            continue
        off = abs(before.mass - after.mass)
        if off > SAME * before.mass and off > 2.0 * precision.unit(after.cells[10], 1e-3 * before.mass):
            return f"{after.pdg} has a mass of {before.mass:.9g} GeV before and {after.mass:.9g} GeV after"
    off_shell = (_OFF_SHELL.format(p.pdg) for p in found.particles[:4] if not _on_shell(p, precision))
    return next(off_shell, "")


def _mass_squared(particle: Particle) -> float:
    px, py, pz, E = particle.p
    return E * E - px * px - py * py - pz * pz


def _on_shell(particle: Particle, precision: Precision) -> bool:
    """Whether E^2 - p^2 = m^2 to the digits of these numbers."""
    px, py, pz, E = particle.p
    m = particle.mass
    p2 = px * px + py * py + pz * pz
    off = abs(E * E - p2 - m * m)
    if off <= 2.0 * ROUNDING * (E * E + p2 + m * m):
        return True
    most = (*[precision.last_momentum] * 3, precision.last_energy, 1e-3 * m)
    error = sum(
        abs(value) * max(precision.unit(cell, at_most), ROUNDING * abs(value))
        for value, cell, at_most in zip((px, py, pz, E, m), particle.cells[6:11], most, strict=True)
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
    leptons = leptons or [p for p in outgoing if abs(p.pdg) in LEPTONS.values() and p.pdg * lepton.pdg > 0]
    nuclei = [p for p in outgoing if p.pdg == nucleus.pdg]
    bosons = [p for p in outgoing if abs(p.pdg) not in _FERMIONS and p.pdg != nucleus.pdg]
    choices = [[lepton, nucleus, *three] for three in product(leptons, nuclei, bosons)]
    if len(outgoing) == 3:
        return next(iter(choices), [])
    # decay products that name no mother: all further particles together must be what the boson decayed into
    for choice in choices:
        rest = [p for p in outgoing if not any(p is chosen for chosen in choice)]
        precision = Precision.printed([*choice, *rest])
        steps = ((choice[:2], choice[2:]), (choice[4:], rest))
        if choice[4].status == 2 and all(_conserved(before, after, precision) for before, after in steps):
            return choice
    return []


def _conserved(before: list[Particle], after: list[Particle], precision: Precision) -> bool:
    """Whether momentum and energy are the same before and after, as far as the numbers are known."""
    n = len(before) + len(after)
    allowed = (*[n * precision.momentum] * 3, n * precision.energy)
    return all(abs(sum(p.p[i] for p in before) - sum(p.p[i] for p in after)) <= allowed[i] for i in range(4))


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
    if lepton[2] <= 0.0 and math.hypot(*lepton[:2]) <= INCLINED * p:
        refuse(f"{where}: the beam flies along -z, p_z = {lepton[2]:.4g} GeV ({expected})")
    if math.hypot(*lepton[:2]) > INCLINED * p:
        momentum = ", ".join(f"{value:.4g}" for value in lepton[:3])
        refuse(f"{where}: the beam flies at an angle to z, p = ({momentum}) GeV ({expected})")
