"""The boson of a card at any couplings: widths, what of it is seen, and how often the beam makes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mcgen.base.asked import Energy, energy
from mcgen.base.errors import InputError, check_number, choose, refuse_if
from mcgen.card.card import Card
from mcgen.card.quantities import LOWEST_MASS
from mcgen.card.width_table import TABLE
from mcgen.physics.boson.couplings import FLAVOUR, MODELS, Couplings, to_quarks
from mcgen.physics.boson.scalar_decay import VISIBLE, Widths, length_per_momentum, widths
from mcgen.source.source import CardLike, load_card


def couplings_of(model: str | Couplings, g_mu: float) -> Couplings:
    """Couplings of a model by name, or explicit ones as they are; with a table of widths only the beam's is known."""
    if isinstance(model, Couplings):
        return model
    return Couplings(g_mu, g_mu, 0.0) if model == TABLE else MODELS[choose(model, MODELS, "model")](g_mu)


def check_couplings(model: str | Couplings, g_mu: float) -> None:
    """Raise InputError unless couplings are numbers up to 1e3: g_mu of a model, or each explicit one, of any sign."""
    if not isinstance(model, Couplings):
        check_number("g_mu", g_mu, 0.0, 1e3)
        return
    for name, g in model._asdict().items():
        refuse_if(not abs(g) <= 1e3, f"{name}: {g:g} must lie in -1000..1000")


def all_couplings(card: Card, model: str | Couplings, g_mu: float) -> Couplings:
    """Those of a model, with the one that changes the lepton if the card has it; explicit ones as they are."""
    found = couplings_of(model, g_mu)
    if isinstance(model, Couplings) or not card.changes_flavour:
        return found
    ratio = card.scalar.flavour_coupling
    return found._replace(g_flavour=g_mu * (1.0 if ratio is None else ratio))


def production_coupling(card: Card, model: str | Couplings, g_mu: float) -> float:
    """Coupling to the lepton that radiates, of the beam or of a pair, or that which changes it.

    Yields are per unit of its square.

    Raises
    ------
    InputError
        If explicit couplings leave out the beam's lepton. A model may: B makes nothing of electrons, N_S is 0.
    """
    name = "g_flavour" if card.changes_flavour else f"g_{card.lepton}"
    g = float(getattr(all_couplings(card, model, g_mu), name))
    if g == 0.0 and isinstance(model, Couplings):
        who = f"pairs of {card.lepton}" if card.collider else f"the {card.beam.particle} of the beam"
        why = f"so {who} make no S"
        if not card.collider and card.target.process != "nuclear" and couplings_of(model, g_mu).g_e != 0.0:
            why = f"and what electrons alone make is counted per unit of {name}^2 too"
        message = f"couplings: {name} is 0, {why}; it must not be 0"
        raise InputError(message)
    return g


@dataclass(frozen=True, slots=True)
class Boson:
    """The boson of a card in one model, of one mass.

    Parameters
    ----------
    card : Card
        Its mediator, its invisible branching ratio, `width = "ee_only"`, its table of widths and its one channel count.
    model : {"A", "B", "dark-photon", "Lmu-Ltau", "table"} or Couplings
        Explicit couplings are used as they are, whatever g_mu is asked for. With a table of widths in the card, a model
        says only how the beam's lepton couples.
    m_S : float
        Mass in GeV.

    Raises
    ------
    InputError
        If the model does not go with the card, or the card's one channel is closed.
    """

    card: Card
    model: str | Couplings
    m_S: float

    def __post_init__(self) -> None:
        if isinstance(self.model, str):
            self.card.check_models([self.model])
        decay = self.decay
        if decay is not None and self.visible_width == 0.0:
            w = self.widths()
            found = [name for name, (field, _) in VISIBLE.items() if getattr(w, field) > 0.0]
            of = "these couplings" if isinstance(self.model, Couplings) else f"model {self.model}"
            allowed = ", ".join(found) or "none"
            message = f"scalar.decay: {decay} is closed at {self.m_S:g} GeV with {of} (open: {allowed})"
            raise InputError(message)

    def production_coupling(self, g_mu: float = 1.0) -> float:
        """Coupling to the lepton that radiates."""
        return production_coupling(self.card, self.model, g_mu)

    def rate(self, g_mu: float = 1.0) -> float:
        """Beam particles, or luminosity in 1/pb, times coupling squared.

        A yield of one beam particle, or a cross section in pb, at unit coupling, times this, is a number of events.
        """
        return self.card.exposure * self.production_coupling(g_mu) ** 2

    @property
    def decay(self) -> str | None:
        """The card's one channel that counts at this mass, if it has one."""
        return self.card.scalar.channel_at(self.m_S)

    def widths(self, g_mu: float = 1.0) -> Widths:
        """Partial widths in GeV; InputError if they are not known at this mass."""
        card, scalar = self.card, self.card.scalar
        if scalar.table:
            return scalar.table.widths(self.m_S, self.production_coupling(g_mu))
        couplings, g_q = all_couplings(card, self.model, g_mu), to_quarks(self.model, g_mu)
        change = frozenset((card.beam.lepton, card.out_lepton) if card.changes_flavour else ())
        try:
            found = widths(couplings, self.m_S, scalar.mediator, scalar.invisible, g_q, scalar.parity_angle, change)
        except ValueError as error:
            raise InputError(str(error)) from None
        lives = found.total > 0.0 or scalar.invisible > 0.0 or self.model != FLAVOUR or g_mu == 0.0
        pair = " and ".join(sorted(change))
        loops = f"mass: S of {self.m_S:g} GeV decays below {pair} by loops or other couplings alone, which model"
        give = "give scalar.widths, or scalar.invisible if nothing is seen of it"
        refuse_if(not lives, f"{loops} {self.model} does not know; {give}")
        return found

    def width(self, g_mu: float = 1.0) -> float:
        """Total width in GeV; only that of e+ e- and invisible decays if the card asks for it in model A (Eq. 7)."""
        w = self.widths(g_mu)
        ee_only = self.card.scalar.width == "ee_only" and self.model == "A"
        return w.ee + w.invisible if ee_only else w.total

    def length_per_momentum(self, g_mu: float) -> float:
        """Mean decay length over momentum in cm/GeV."""
        return length_per_momentum(self.m_S, self.width(g_mu))

    @property
    def visible_width(self) -> float:
        """Width in GeV at unit coupling into what can be seen, or into the card's one channel."""
        decay = self.decay
        if decay is not None:
            return float(getattr(self.widths(), VISIBLE[decay][0]))
        return self.width() - self.widths().invisible

    @property
    def chosen(self) -> float:
        """Branching ratio of the card's one channel, 1 if it has none."""
        return 1.0 if self.decay is None else self.visible_width / self.width()

    @property
    def visible(self) -> float:
        """Share of the decays that can be seen and are in the card's one channel, if it has one."""
        return 1.0 - self.invisible if self.decay is None else self.chosen

    @property
    def invisible(self) -> float:
        """Share of the decays that are invisible."""
        width = self.width()
        return self.widths().invisible / width if width > 0.0 else 0.0


def total_width(card: CardLike, model: str | Couplings, m_S: Energy, g_mu: float) -> float:
    """Total width in GeV of the card's boson, as decay lengths take it.

    Parameters
    ----------
    card : Card, str or Path
        Its mediator, its invisible branching ratio, `width = "ee_only"` and its table of widths count.
    model : {"A", "B", "dark-photon", "Lmu-Ltau", "table"} or Couplings
        Of a vector, dark-photon decays to hadrons too, as the electromagnetic current does. No hadrons are in the
        width of an axial boson, of Lmu-Ltau and of explicit couplings, which are used as they are.
    m_S : float or str
        Mass in GeV, or with a unit.
    g_mu : float
        eps e for a dark photon.

    Returns
    -------
    float
        GeV.

    Raises
    ------
    InputError
        If an argument is out of range, or the mass beyond what is known of hadrons (10.001 GeV) or beyond the table.
    """
    mass = energy(m_S, "m_S")
    check_number("mass", mass, LOWEST_MASS, 1e6)
    check_couplings(model, g_mu)
    return Boson(load_card(card), model, mass).width(g_mu)


def check_widths(card: Card, models: Sequence[str], masses: Iterable[float]) -> None:
    """Raise InputError unless all widths are known at all masses in GeV: before a long scan, not in its middle."""
    for m_S in masses:
        for model in models:
            Boson(card, model, m_S).widths()
