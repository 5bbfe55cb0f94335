"""The deterministic chain: production in the target and numbers of events by quadrature."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mcgen.card import Card
from mcgen.constants import PB_CM2
from mcgen.errors import InputError, check_number, choose
from mcgen.estimate import Estimate
from mcgen.physics import cross_section, iww
from mcgen.physics.amplitude import Process
from mcgen.physics.couplings import MODELS, Couplings, to_quarks
from mcgen.physics.cross_section import spectrum_nodes
from mcgen.physics.fiducial import INVISIBLE_COUNTS, SIGNATURES
from mcgen.physics.quadrature import Rules, rules
from mcgen.physics.scalar_decay import Widths, widths
from mcgen.physics.signal_yield import expected_signal, inverse_length_per_momentum, yield_per_pb
from mcgen.quantities import LOWEST_MASS
from mcgen.track_rules import crossings, group_nodes, groups, thin

Array = NDArray[np.float64]

#: nodes in E, and per E in x, u, t; the second set serves to estimate the error of the first
FINE, COARSE = (32, (48, 16, 10, 1)), (24, (32, 12, 8, 1))


@dataclass(frozen=True, slots=True)
class Production:
    """S made in a target at unit coupling, as nodes of a quadrature over muon energy and energy of S."""

    weight: Array  #: S per muon on target
    k: Array  #: momentum of S in GeV
    z_min: Array  #: fiducial range of the decay, distances from the production in cm
    z_max: Array
    m_S: float

    def signal(self, width: float, shares: tuple[float, float] = (1.0, 0.0)) -> float:
        """Signal events per muon on target at unit coupling, for a total width in GeV (Eqs. 17, 19).

        `shares` are those of `signal_shares`.
        """
        visible, counted = shares
        total = expected_signal(
            self.weight, self.k, self.z_min, self.z_max, inverse_length_per_momentum(width, self.m_S)
        )[0]
        return visible * total + counted * float(self.weight.sum())


def fiducial_range(card: Card, depth: Any) -> tuple[Any, Any]:
    """(z_min, z_max) in cm for S made at a depth in cm, a number or an array (Eqs. 18, 20)."""
    return SIGNATURES[card.detector.signature](depth, card.target.length + card.detector.gap, card.detector.L_det)


class _Nodes(NamedTuple):
    """Where S are made on one kind of nucleus."""

    process: Process
    E: Array  #: GeV, shape (nodes,)
    depth: Array  #: cm, shape (nodes, depths)
    weight: Array  #: of each depth


def _production(card: Card, m_S: float, method: str, parts: Iterable[_Nodes], q: Rules, cut: bool = True) -> Production:
    """Nodes in the energy of S for each of those in the target."""
    rows: list[tuple[Array, ...]] = [(np.empty(0),) * 4]  # weight, k, z_min, z_max; no nodes below threshold
    for part in parts:
        process = part.process
        for E, depth, weight in zip(part.E.tolist(), part.depth, part.weight, strict=True):
            energies, sigmas = np.empty(q.x.size), np.empty(q.x.size)
            flux = iww.flux(E, process.m, m_S, process.ff) if method == "iww" else 0.0
            lowest = float(card.detector.lowest_energy(E)) if cut else 0.0
            spectrum_nodes(E, process, lowest, math.inf, flux, q, energies, sigmas)
            k = np.sqrt((energies - m_S) * (energies + m_S))
            z_min, z_max = (np.repeat(np.broadcast_to(z, depth.shape), k.size) for z in fiducial_range(card, depth))
            rows.append((np.outer(weight, sigmas).ravel(), np.tile(k, depth.size), z_min, z_max))
    weight, k, z_min, z_max = (np.concatenate(column) for column in zip(*rows, strict=True))
    return Production(weight, k, z_min, z_max, m_S)


def production(
    card: Card, m_S: float, method: str = "exact", cut: bool = True, nodes: tuple[int, tuple[int, ...]] = FINE
) -> Production:
    """Production in the whole target, muon energies integrated (Eqs. 14-17).

    Parameters
    ----------
    card : Card
    m_S : float
        Scalar mass in GeV.
    method : {"exact", "ww", "iww"}
    cut : bool
        Keep the S with the energy that the card asks for, or all.
    """
    choose(method, cross_section.METHODS, "method")
    check_number("mass", m_S, LOWEST_MASS, 1e6)
    n_E, n = nodes
    parts = []
    for group in groups(card.components(m_S)):
        E, depth, nuclei = group_nodes(group, n_E)
        process = card.process(m_S, group[0].element, ww=method == "ww")
        parts.append(_Nodes(process, E, depth, yield_per_pb(1.0, nuclei)))
    return _production(card, m_S, method, parts, rules(*n), cut)


def couplings_of(model: str | Couplings, g_mu: float) -> Couplings:
    """Couplings of a model by name, or explicit ones as they are."""
    if isinstance(model, Couplings):
        return model
    return MODELS[choose(model, MODELS, "model")](g_mu)


def check_couplings(model: str | Couplings, g_mu: float) -> None:
    """Raise InputError unless couplings are numbers up to 1e3: g_mu of a model, or each explicit one, of any sign."""
    if not isinstance(model, Couplings):
        check_number("g_mu", g_mu, 0.0, 1e3)
        return
    for name, g in model._asdict().items():
        if not abs(g) <= 1e3:
            message = f"{name}: {g:g} must lie in -1000..1000"
            raise InputError(message)


def production_coupling(card: Card, model: str | Couplings, g_mu: float) -> float:
    """Coupling to the beam's lepton: yields are per unit of its square.

    Raises
    ------
    InputError
        If explicit couplings leave out the beam's lepton. A model may: B makes nothing of electrons, N_S is 0.
    """
    couplings, lepton = couplings_of(model, g_mu), card.beam.lepton
    g = couplings.g_mu if lepton == "mu" else couplings.g_e
    if g == 0.0 and isinstance(model, Couplings):
        message = f"couplings: g_{lepton} is 0, so the {card.beam.particle} of the beam make no S; it must not be 0"
        raise InputError(message)
    return g


def rate_factor(card: Card, model: str | Couplings, g_mu: float) -> float:
    """Beam particles times the square of their coupling: it makes N_S of what one particle gives at unit coupling."""
    return card.beam.muons * production_coupling(card, model, g_mu) ** 2


def card_widths(card: Card, model: str | Couplings, g_mu: float, m_S: float) -> Widths:
    """Partial widths in GeV of the card's mediator, with its invisible branching ratio.

    Raises
    ------
    InputError
        If the model does not fit the mediator, or its hadronic width is not known at this mass.
    """
    if isinstance(model, str):
        card.check_models([model])
    couplings, scalar = couplings_of(model, g_mu), card.scalar
    try:
        return widths(couplings, m_S, scalar.mediator, scalar.invisible, to_quarks(model, g_mu))
    except ValueError as error:
        raise InputError(str(error)) from None


def card_width(card: Card, model: str | Couplings, g_mu: float, m_S: float) -> float:
    """Total width in GeV, or without the paper's other channels where the card asks for it in model A (Eq. 7)."""
    w = card_widths(card, model, g_mu, m_S)
    return w.ee + w.invisible if card.ee_only(model) else w.total


def total_width(card: Card, model: str | Couplings, m_S: float, g_mu: float) -> float:
    """Total width in GeV of the card's boson, as decay lengths take it.

    Parameters
    ----------
    card : Card
        Its mediator, its invisible branching ratio, and `width = "ee_only"` count.
    model : {"A", "B", "dark-photon", "Lmu-Ltau"} or Couplings
        Of a vector, dark-photon decays to hadrons too, as the electromagnetic current does. No hadrons are in the
        width of an axial boson, of Lmu-Ltau and of explicit couplings, which are used as they are.
    m_S : float
        Mass in GeV.
    g_mu : float
        eps e for a dark photon.

    Raises
    ------
    InputError
        If an argument is out of range, or the mass beyond what is known of hadrons (10.001 GeV).
    """
    check_number("mass", m_S, LOWEST_MASS, 1e6)
    check_couplings(model, g_mu)
    return card_width(card, model, g_mu, m_S)


def check_widths(card: Card, models: Sequence[str], masses: Iterable[float]) -> None:
    """Raise InputError unless all widths are known at all masses in GeV: before a long scan, not in its middle."""
    for m_S in masses:
        for model in models:
            card_widths(card, model, 1.0, m_S)


def signal_shares(card: Card, model: str | Couplings, m_S: float) -> tuple[float, float]:
    """(share of S that decays visibly, share that counts as signal because it decays invisibly)."""
    width = card_width(card, model, 1.0, m_S)
    invisible = card_widths(card, model, 1.0, m_S).invisible / width if width > 0.0 else 0.0
    return 1.0 - invisible, invisible if card.detector.signature in INVISIBLE_COUNTS else 0.0


def can_be_seen(card: Card, model: str | Couplings, m_S: float) -> bool:
    """Whether the beam makes S in this model, and something of it counts: a displaced decay must be a visible one."""
    if production_coupling(card, model, 1.0) == 0.0:
        return False
    return card.detector.signature != "displaced" or visible_width(card, model, m_S) > 0.0


def visible_width(card: Card, model: str | Couplings, m_S: float) -> float:
    """Width in GeV at unit coupling into what can be seen."""
    return card_width(card, model, 1.0, m_S) - card_widths(card, model, 1.0, m_S).invisible


def yield_per_muon(card: Card, m_S: float) -> Estimate:
    """S per muon on target at g_mu = 1 over all x, exact."""
    fine, coarse = (float(production(card, m_S, cut=False, nodes=nodes).weight.sum()) for nodes in (FINE, COARSE))
    return Estimate(fine, abs(fine - coarse), math.inf)


def n_signal(
    card: Card, model: str | Couplings, m_S: float, g_mu: list[float], method: str = "exact"
) -> list[Estimate]:
    """Number of signal events per coupling (Eq. 17), every S along the beam as in geometry "paper".

    What a detector with a shape sees of them needs events: `reweight` or `reach` of a card with geometry "3d".

    Parameters
    ----------
    card : Card
    model : {"A", "B", "dark-photon", "Lmu-Ltau"} or Couplings
        Explicit couplings are used as they are, for each entry of `g_mu`.
    m_S : float
        Scalar mass in GeV.
    g_mu : list of float
    method : {"exact", "ww", "iww"}
    """
    for g in g_mu:
        check_couplings(model, g)
    factors = [rate_factor(card, model, g) for g in g_mu]
    sets = [production(card, m_S, method, nodes=nodes) for nodes in (FINE, COARSE)]
    result = []
    shares = signal_shares(card, model, m_S)
    for g, factor in zip(g_mu, factors, strict=True):
        width = card_width(card, model, g, m_S)
        fine, coarse = (factor * nodes.signal(width, shares) for nodes in sets)
        result.append(Estimate(fine, abs(fine - coarse), math.inf))
    return result


def sigma_tilde(
    card: Card, model: str | Couplings, m_S: float, g_mu: float, E_mu: list[float], method: str = "exact"
) -> list[Estimate]:
    """sigma~(E_mu) in cm^2: cross section times probability to decay where it counts, mean per nucleus (Eq. 19)."""
    choose(method, cross_section.METHODS, "method")
    check_number("mass", m_S, LOWEST_MASS, 1e6)
    check_couplings(model, g_mu)
    for E in E_mu:
        check_number("E_mu", E, card.beam.mass, 1e6)
    width, shares = card_width(card, model, g_mu, m_S), signal_shares(card, model, m_S)
    g = production_coupling(card, model, g_mu)
    result = []
    for E in E_mu:
        values = []
        for n_depths, n in (FINE, COARSE):
            parts = [
                _Nodes(card.process(m_S, element, method == "ww"), np.array([E]), depths[None], nuclei[None])
                for element, depths, nuclei in crossings(card.stretches, E, n_depths)
            ]
            made = _production(card, m_S, method, parts, rules(*n))
            values.append(PB_CM2 * g * g * made.signal(width, shares))
        result.append(Estimate(values[0], abs(values[0] - values[1]), math.inf))
    return result


def t_spectrum(card: Card, m_S: float, edges: Array) -> tuple[Array, Array]:
    """S per muon at g_mu = 1 in bins of t (GeV^2), integrated over the target, and the numerical error."""
    totals = []
    for n_E, n in ((8, (40, 1, 8, 5)), (6, (28, 1, 6, 4))):
        total = np.zeros(len(edges) - 1)
        for group in groups(card.components(m_S)):
            first = group[0]
            process = card.process(m_S, first.element)
            is_thin = thin(first.E_high, min(c.E_low for c in group), first.opening)
            E, _, nuclei = group_nodes(group, 1 if is_thin else 6 * n_E if first.E_low <= first.opening else n_E)
            per_pb = yield_per_pb(1.0, nuclei.sum(axis=1))
            for node, weight in zip(E.tolist(), per_pb.tolist(), strict=True):
                total += weight * cross_section.bins_of_t(node, process, edges, rules(*n))
        totals.append(total)
    return totals[0], np.abs(totals[0] - totals[1])
