"""The beam in the target of a card: its way, what it can hit, and what it can make there.

A card with a collider has no target: `source_of` gives what makes the bosons of either kind.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.errors import InputError, ThresholdError, check_number, choose, refuse_if
from mcgen.card.card import Card, read_card
from mcgen.card.quantities import LOWEST_MASS
from mcgen.card.width_table import TABLE
from mcgen.physics.boson.couplings import MODELS, Couplings
from mcgen.physics.emission.amplitude import Process
from mcgen.physics.emission.struck_electron import BothLines
from mcgen.physics.signal.signal_yield import yield_per_pb
from mcgen.source import transport
from mcgen.source.beam_nodes import TargetComponent
from mcgen.source.collisions import Collisions
from mcgen.source.targets import Target, scattering_on, with_both_lines
from mcgen.source.track import NO_SCATTERING, Scattering
from mcgen.source.transport import Segment


class Source:
    """The beam in the target of a card.

    Parameters
    ----------
    card : Card
    cuts : sequence of float
        Depths in cm that no segment crosses.

    Notes
    -----
    Everything is computed when it is first asked for, and kept. What a card cannot know of itself is an InputError
    then: a beam that stops in the target, a form factor that nobody measured, a mass above threshold.
    """

    def __init__(self, card: Card, cuts: Sequence[float] = ()) -> None:
        refuse_if(card.collider, f"card {card.name}: its beams collide, and this is for a beam on a target")
        self.card, self.cuts = card, tuple(cuts)

    @functools.cached_property
    def segments(self) -> list[Segment]:
        """The beam in each layer of the target."""
        beam, target = self.card.beam, self.card.target
        found = transport.segments(beam, target, self.cuts)
        E_low = min(segment.E_out for segment in found)
        if not beam.mass < E_low < beam.E_max:
            highest = " (the highest of the beam)" if beam.distribution else ""
            message = (
                f"beam.energy {beam.E_max:g} GeV{highest} must lie above the energy at the end of the target, and that "
                f"({E_low:g} GeV) above the mass of {beam.particle}"
            )
            if target.E_min is None:
                message += "; the beam stops in the target: give target.E_min"
            raise InputError(message)
        return found

    @functools.cached_property
    def scattering(self) -> Scattering:
        """Multiple scattering of the beam against depth, if the card asks for it."""
        if not self.card.target.multiple_scattering:
            return NO_SCATTERING
        return transport.scattering(self.segments, self.card.beam.mass)

    @functools.cached_property
    def E_exit(self) -> float:
        """Muon energy in GeV at the end of the target, or where it counts as stopped."""
        return min(segment.E_out for segment in self.segments)

    @functools.cached_property
    def targets(self) -> list[Target]:
        """What the beam can hit, each kind once."""
        return list(dict.fromkeys(target for segment in self.segments for target, _ in segment.targets))

    def electron_ratio(self, model: str | Couplings) -> float:
        """Coupling to electrons over that to the beam's muons where electrons are hit; 0 where none are."""
        if model == TABLE or not any(target.spin_half for target in self.targets):
            return 0.0
        couplings = model if isinstance(model, Couplings) else MODELS[choose(model, MODELS, "model")](1.0)
        return couplings.g_e / couplings.g_mu if couplings.g_mu else 0.0

    def process(
        self, m_S: float, target: Target | None = None, ww: bool = False, ratio: float | None = None
    ) -> Process | BothLines:
        """Constants of the kernels for a boson of mass m_S in GeV made on a target.

        Parameters
        ----------
        m_S : float
            Mass of S in GeV.
        target : Target, optional
            By default the first one.
        ww : bool
            Take the Weizsaecker-Williams limit of the amplitude.
        ratio : float, optional
            Coupling to electrons over that to the beam's lepton; by default that of the card's model.
        """
        beam, run, scalar = self.card.beam, self.card.run, self.card.scalar
        return scattering_on(
            target or self.targets[0], beam.mass, m_S, scalar.mediator, run.form_factor, run.form_factor_table,
            kind=self.card.target.process, charge=beam.charge, ww=ww, m_out=self.card.out_mass,
            parity_angle=scalar.parity_angle, ratio=self.electron_ratio(scalar.model) if ratio is None else ratio,
        )  # fmt: skip

    def beam_line(self, m_S: float, target: Target | None = None) -> Process:
        """`process` of S from the line of the beam lepton alone, of which there are approximations."""
        found = self.process(m_S, target, ratio=0.0)
        assert isinstance(found, Process)
        return found

    def both_lines(self, m_S: float, target: Target) -> BothLines:
        """`process` on an electron with its own line, also where the card's model does not couple to it."""
        scalar = self.card.scalar
        ratio = self.electron_ratio(scalar.model)
        return with_both_lines(self.beam_line(m_S, target), scalar.mediator, ratio, self.card.beam.charge)

    def _threshold(self, m_S: float) -> float:
        return min(self.process(m_S, target).threshold for target in self.targets)

    def makes(self, m_S: float) -> bool:
        """Whether the beam has the energy to make a boson of this mass in GeV."""
        return self._threshold(m_S) < self.card.beam.E_max

    def _open(self, m_S: float) -> Iterator[tuple[Segment, Target, float, float]]:
        """(segment, target, its number per cm^3, threshold in GeV) wherever a boson of mass m_S in GeV can be made."""
        thresholds = {target: self.process(m_S, target).threshold for target in self.targets}
        for segment in self.segments:
            for target, density in segment.targets:
                lowest = thresholds[target]
                if lowest < segment.E_in and segment.share_above(max(lowest, segment.E_out)) > 0.0:
                    yield segment, target, density, lowest

    def components(self, m_S: float) -> list[TargetComponent]:
        """Every target of every layer on which a boson of mass m_S in GeV can be made."""
        return [
            TargetComponent(target, density, segment.track(lowest), lowest)
            for segment, target, density, lowest in self._open(m_S)
        ]

    def energy_range(self, m_S: float) -> tuple[float, float]:
        """Muon energies in GeV at which a boson of mass m_S in GeV is made in the target."""
        return max(self.E_exit, self._threshold(m_S)), self.card.beam.E_max

    def nuclei(self, m_S: float, edges: Array) -> Array:
        """Nuclei per pb that muons pass while their energy is in a bin: a yield over it is a cross section.

        Parameters
        ----------
        m_S : float
            Mass of S in GeV.
        edges : array, shape (bins + 1,)
            Of the energy in GeV.
        """
        above = np.zeros(edges.size)
        for component in self.components(m_S):
            above += yield_per_pb(component.density, component.length_above(edges))
        return above[:-1] - above[1:]

    def check_mass(self, m_S: float, where: str = "mass") -> None:
        """Raise ThresholdError unless a boson of this mass in GeV can be made."""
        check_number(where, m_S, LOWEST_MASS, 1e6)
        threshold, E_max = self._threshold(m_S), self.card.beam.E_max
        if threshold >= E_max or not list(self._open(m_S)):
            message = (
                f"{where}: {m_S:g} GeV is above threshold, it needs a beam of {threshold:.4g} GeV "
                f"and beam.energy is {E_max:g} GeV"
            )
            if threshold < E_max:
                message += ", less where the beam meets that element"
            raise ThresholdError(message)

    def check(self) -> None:
        """Raise InputError if the card asks for what cannot be made."""
        for name in self.card.run.form_factor_table:
            choose(name, [target.name for target in self.targets], "run.form_factor_table: element")
        for target in self.targets:
            self.process(self.card.scalar.mass, target)
        self.check_mass(self.card.scalar.mass, "scalar.mass")


#: what makes bosons: a beam in matter, or beams that collide
AnySource = Source | Collisions


@functools.lru_cache(maxsize=8)
def source_of(card: Card) -> AnySource:
    """What makes the bosons of a card, of one kind or the other; the one place that decides.

    Of the latest cards it is kept, with all that it has computed.
    """
    return Collisions(card) if card.collider else Source(card)


#: a card, the name of one that comes with the package, or a TOML file
CardLike = Card | str | Path


def load_card(
    name: CardLike, mediator: str | None = None, model: str | None = None, *, isotropic: bool = False
) -> Card:
    """Read a card, and check that its beam makes the boson in its target.

    Every function that takes a card takes its name or its file too.

    Parameters
    ----------
    name : str, Path or Card
        A TOML file, or the name of a card that comes with the package: fermilab and na64 are those of the paper. A
        card stays as it is.
    mediator : {"scalar", "pseudoscalar", "vector", "axial"}, optional
        Another boson than the card's, with its own models if those of the card do not fit.
    model : {"A", "B", "dark-photon", "Lmu-Ltau"}, optional
        Another model than the card's, the only one of its scan.
    isotropic : bool
        Let vectors and axial vectors decay isotropically, instead of by the spin density of their production.

    Returns
    -------
    Card

    Raises
    ------
    InputError
        One line with every fault, its place and what is allowed.
    """
    if not isinstance(name, str | Path | Card):
        message = f"card: {name!r:.60} is no card, and no name or file of one"  # type: ignore[unreachable]
        raise InputError(message)
    card = name if isinstance(name, Card) else checked(read_card(name), str(name))
    return card.with_boson(mediator, model, isotropic=isotropic)


def checked(card: Card, where: str = "card") -> Card:
    """The card, if its beam makes the boson in its target; `where` names it in errors."""
    try:
        source_of(card).check()
    except InputError as error:
        message = f"card {where}: {error}"
        raise type(error)(message) from None
    return card
