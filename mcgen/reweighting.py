"""One event file, every coupling: N_S and sigma~(E_mu) from the decay probability of each event (Eqs. 17, 19)."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mcgen import acceptance, rates
from mcgen._jit import jit
from mcgen.card import Card, parse_card
from mcgen.constants import PB_CM2
from mcgen.decays import DecayModel, daughters_of
from mcgen.errors import InputError, choose
from mcgen.estimate import Estimate, weighted_sum
from mcgen.event_ratio import AlteredEvents
from mcgen.events import EventSource, check_one_mass, is_foreign
from mcgen.formats.stored import STEP
from mcgen.other_detector import EventsSeenBy
from mcgen.physics.couplings import Couplings
from mcgen.physics.signal_yield import decay_probability, inverse_length_per_momentum, yield_per_pb
from mcgen.pool import load

Array = NDArray[np.float64]

METHODS = ("probability", "vertex")
#: an estimate from fewer effective events than this is announced as uncertain
ENOUGH = 100.0


class LowStatisticsWarning(UserWarning):
    """An estimate rests on few effective events."""


@jit
def accumulate(
    weight: Array,
    k: Array,
    z_min: Array,
    z_max: Array,
    tau: Array,
    energy_bin: NDArray[np.int64],
    inverse_length_k: Array,
    visible: float,
    counted: float,
    sums: Array,
    squares: Array,
) -> None:
    """Add weight * probability and its square to sums[coupling, bin].

    The probability is that of Eq. 19; if `tau` is not empty it is 1 where the event's own decay, at tau mean
    lives, falls in the fiducial range, and 0 elsewhere. It holds for the `visible` share of decays; the share
    `counted` is signal anyway.
    """
    for j in range(inverse_length_k.size):
        for i in range(weight.size):
            inverse_length = inverse_length_k[j] / k[i]
            if tau.size > 0:
                inside = z_min[i] * inverse_length <= tau[i] < z_max[i] * inverse_length
                probability = 1.0 if inside else 0.0
            else:
                probability = decay_probability(z_min[i], z_max[i], inverse_length)
            value = weight[i] * (visible * probability + counted)
            sums[j, energy_bin[i]] += value
            squares[j, energy_bin[i]] += value * value


@dataclass(frozen=True, slots=True)
class Reweighted:
    """Signal of one file at a list of couplings."""

    model: str
    m_S: float
    n_events: int
    g_mu: list[float]
    n_signal: list[Estimate]  #: empty for events of one energy, which say nothing of a target that slows the beam
    E_mu: list[float]  #: centres of the energy bins in GeV
    sigma_tilde: list[list[Estimate]]  #: [coupling][energy], mean of sigma~ over the bin in cm^2


def open_events(
    source: EventSource | str | Path,
    form_factor: str | None = None,
    mediator: str | None = None,
    card: Card | None = None,
    detector: Card | None = None,
) -> EventSource:
    """An event file or folder by its name, or events as they are.

    Parameters
    ----------
    source : path or events
    form_factor, mediator : str, optional
        Others than those of the file: weights get the ratio of |M|^2 as a factor.
    card : Card, optional
        For events of another generator.
    detector : Card, optional
        Whose detector and exposure count, instead of those of the file's card.
    """
    events = load(source, card=card) if isinstance(source, str | Path) else source
    events = AlteredEvents(events, form_factor, mediator) if form_factor or mediator else events
    return EventsSeenBy(events, detector) if detector else events


def card_of(source: EventSource) -> Card:
    """The card that events were generated with."""
    card = parse_card(str(source.metadata["card"]), "of the event file")
    card.check_mass(float(source.metadata["mass_gev"]), "mass of the event file")
    return card


class _Chunk(NamedTuple):
    """Events that pass the cut in x."""

    weight: Array
    k: Array
    z_min: Array
    z_max: Array
    tau: Array  #: empty unless vertices are counted
    E_mu: Array


def _prepared(source: EventSource, how: DecayModel, vertex: bool) -> Iterator[_Chunk]:
    card, m_S = how.card, how.m_S
    is_3d = card.detector.geometry == "3d"
    needed = [*(acceptance.NEEDED_3D if is_3d else acceptance.NEEDED), *(["tau"] if vertex else [])]
    has_width = "S_mass" in source.branches
    if is_3d and card.detector.signature == "displaced":
        check_one_mass(source.metadata, "daughters of S")
        if rates.visible_width(card, how.model, m_S) == 0.0:  # no daughters to follow
            return
    for chunk in source.iterate(["weight", *needed, *(["S_mass"] if has_width else [])]):
        keep = acceptance.passes(card, chunk)
        kept = {name: column[keep] for name, column in chunk.items()}
        if is_3d and card.detector.signature == "displaced":
            kept |= daughters_of(kept, how)
        m = kept["S_mass"] if has_width else m_S
        k = np.sqrt(np.maximum((kept["S_E"] - m) * (kept["S_E"] + m), 1e-300))
        yield _Chunk(
            kept["weight"],
            k * (m_S / m) if has_width else k,  # what counts is gamma beta, of an S with a width that of its own mass
            *acceptance.fiducial(card, kept),
            kept["tau"] if vertex else np.empty(0),
            kept["E_mu"],
        )


def _sums(
    source: EventSource,
    how: DecayModel,
    widths: Iterable[float],
    shares: tuple[float, float],
    edges: Array,
    vertex: bool = False,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> tuple[Array, Array]:
    """Sums of weight * probability and of its square, (couplings, bins); the same for any number of workers."""
    lam = np.array([inverse_length_per_momentum(width, how.m_S) for width in widths])
    done = 0

    def of_part(part: EventSource) -> Array:
        nonlocal done
        sums = np.zeros((2, lam.size, edges.size - 1))
        seed = int(part.metadata.get("seed", 0))
        for c in _prepared(part, replace(how, seed=seed), vertex):
            energy_bin = np.clip(np.searchsorted(edges, c.E_mu, "right") - 1, 0, edges.size - 2)
            accumulate(c.weight, c.k, c.z_min, c.z_max, c.tau, energy_bin, lam, *shares, sums[0], sums[1])
            done += STEP
            if progress:
                progress(min(len(source), done))
        return sums

    with ThreadPoolExecutor(workers) as pool:
        parts = np.array(list(pool.map(of_part, getattr(source, "parts", [source]))))
    if len(parts) == 1:
        return parts[0, 0], parts[0, 1]
    exact = np.apply_along_axis(math.fsum, 0, parts)
    return exact[0], exact[1]


def _edges(low: float, high: float, bins: int) -> Array:
    """Edges of bins of energy; one bin where the beam loses none."""
    if high - low < 1e-9 * high:
        return np.array([low * (1.0 - 1e-9), high * (1.0 + 1e-9)])
    return np.linspace(low, high, bins + 1)


def _nuclei(card: Card, m_S: float, edges: Array) -> Array:
    """Nuclei per pb that muons pass while their energy is in a bin: what a yield is divided by for a cross section."""
    above = np.zeros(edges.size)
    for component in card.components(m_S):
        above += yield_per_pb(component.n_atom, component.length_above(edges))
    return above[:-1] - above[1:]


def signal_sums(source: EventSource, card: Card, model: str, m_S: float, g_mu: Array, workers: int = 1) -> Array:
    """N_S at each coupling, without errors: what a scan for the reach needs."""
    widths = [rates.card_width(card, model, float(g), m_S) for g in g_mu]
    if is_foreign(source.metadata):
        message = "events of another generator have one energy: they give sigma~ (`mcgen reweight`) and no N_S"
        raise InputError(message)
    shares = rates.signal_shares(card, model, m_S)
    how = DecayModel(card, m_S, int(source.metadata.get("seed", 0)), model, 1.0, forced=True)
    sums, _ = _sums(source, how, widths, shares, np.array([0.0, math.inf]), workers=workers)
    return np.asarray(rates.rate_factor(card, model, 1.0) * g_mu**2 * sums[:, 0])


def reweight(
    source: EventSource | str | Path,
    model: str | Couplings = "A",
    g_mu: Sequence[float] = (5e-4,),
    *,
    method: str = "probability",
    energy_bins: int = 50,
    form_factor: str | None = None,
    mediator: str | None = None,
    detector: Card | None = None,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Reweighted:
    """Number of signal events and sigma~(E_mu) at any couplings (Eqs. 17, 19).

    Parameters
    ----------
    source : path, EventFile, Pool or Events
        A folder is the pool of its files.
        Events of another generator, opened with a card, have one energy and give sigma~ there, and no N_S.
    model : {"A", "B", "dark-photon", "Lmu-Ltau"} or Couplings
        Explicit couplings are used as they are and replace `g_mu`.
    g_mu : sequence of float
    method : {"probability", "vertex"}
        Weight each event with its decay probability, or count the decay vertices of the file inside the fiducial
        range: the same answer with a larger error.
    energy_bins : int
        Bins of E_mu for sigma~.
    form_factor, mediator : str, optional
        Other than those of the file, from the same events: each gets the ratio of |M|^2 as a factor.
    detector : Card, optional
        Whose detector and exposure count, with the same beam and target: unforced events do not depend on them.
    workers : int
        Threads over the files of a folder; the answer does not depend on it.
    progress : callable, optional
        Called with the number of events done after each chunk.

    Raises
    ------
    InputError
        If the file cannot be used or an argument is out of range.

    Warns
    -----
    LowStatisticsWarning
        Where fewer than 100 effective events carry N_S.
    """
    choose(method, METHODS, "method")
    couplings = [model.g_mu] if isinstance(model, Couplings) else [float(g) for g in g_mu]
    for g in couplings:
        rates.check_couplings(model, g)
    if not 1 <= energy_bins <= 10_000:
        message = f"energy_bins: {energy_bins} must lie in 1..10000"
        raise InputError(message)
    source = open_events(source, form_factor, mediator, detector=detector)
    if method == "vertex" and "seed" not in source.metadata:
        message = "method vertex: these events have no decays, only 'probability' can be used"
        raise InputError(message)
    if method == "vertex" and source.metadata.get("decays") == "forced":
        message = "method vertex: the decays of this file were forced, only 'probability' can be used"
        raise InputError(message)
    card = card_of(source)
    production = [rates.production_coupling(card, model, g) for g in couplings]
    m_S = float(source.metadata["mass_gev"])
    norm_error = float(source.metadata["norm_relative_error"])
    n = len(source)
    single = source.metadata.get("beam_energy_gev")  # of another generator: weights are cross sections in pb
    edges = np.array([0.0, math.inf]) if single else _edges(*card.energy_range(m_S), energy_bins)
    widths = [rates.card_width(card, model, g, m_S) for g in couplings]
    shares = rates.signal_shares(card, model, m_S)
    how = DecayModel(card, m_S, int(source.metadata.get("seed", 0)), model, couplings[0], forced=True)
    sums, squares = _sums(source, how, widths, shares, edges, method == "vertex", workers, progress)
    nuclei = np.ones(1) if single else _nuclei(card, m_S, edges)
    per_bin = np.divide(PB_CM2, nuclei, out=np.zeros(nuclei.size), where=nuclei > 0.0)  # a spectrum may have gaps

    def estimate(total: float, square: float, factor: float) -> Estimate:
        plain = weighted_sum(total, square, n, norm_error)
        return Estimate(factor * plain.value, factor * plain.error, plain.n_eff)

    n_signal, sigma_tilde = [], []
    for j in range(len(couplings)):
        rate = production[j] ** 2
        if not single:
            n_signal.append(estimate(math.fsum(sums[j]), math.fsum(squares[j]), card.beam.muons * rate))
        rows = zip(sums[j].tolist(), squares[j].tolist(), (rate * per_bin).tolist(), strict=True)
        sigma_tilde.append([estimate(*row) for row in rows])
    results = [row[0] for row in sigma_tilde] if single else n_signal
    poor = [g for g, row in zip(couplings, results, strict=True) if row.n_eff < ENOUGH]
    if poor:
        explicit = isinstance(model, Couplings)
        where = "these couplings" if explicit else "g_mu = " + ", ".join(f"{g:.3g}" for g in poor)
        message = f"{'sigma~' if single else 'N_S'} rests on fewer than {ENOUGH:.0f} effective events at {where}"
        warnings.warn(message, LowStatisticsWarning, stacklevel=2)
    centres = [float(single)] if single else (0.5 * (edges[1:] + edges[:-1])).tolist()
    name = model if isinstance(model, str) else "explicit"
    return Reweighted(name, m_S, n, couplings, n_signal, centres, sigma_tilde)
