"""What weights mean: nuclei on the beam's way, cross sections, and signal events.

A weight is a number of S per muon on target at g_mu = 1, of electron beams per electron at g_e = 1. Divided by the
nuclei per cm^2 that the beam passes, the sum over all elements of n_i L_i, the sum of the weights is a cross section:
the mean over the target, which is what programs expect of an event file. The number of signal events follows from
either: N_S = N_mu g^2 times the sum, g the coupling of the beam's lepton.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from mcgen.base.arrays import Array, Numbers
from mcgen.base.estimate import Estimate, weighted_sum
from mcgen.card.card import Card
from mcgen.events.branches import Columns
from mcgen.events.meta import DecayMode, EventMeta, Sample
from mcgen.physics.collider import cross_section as collider
from mcgen.physics.emission import cross_section
from mcgen.physics.emission.rules import rules
from mcgen.physics.signal.signal_yield import yield_per_pb
from mcgen.source.boson import production_coupling
from mcgen.source.collisions import Collisions
from mcgen.source.source import AnySource, Source
from mcgen.source.targets import Target

#: branches that `Sums` reads, `decay_weight` if it is there
NEEDED = ("weight", "target_Z", "target_A", "decay_weight")
#: points in energy between which the cross section of a nucleus is interpolated; it is good to 1e-5 then
_POINTS = 24


def coupling_name(card: Card) -> str:
    """The coupling that weights are for one unit of: to the lepton that radiates, or to it and the outgoing one."""
    return f"g_{card.lepton}" + (f"_{card.out_lepton}" if card.changes_flavour else "")


def reference_couplings(card: Card) -> dict[str, float]:
    """`reference_g_mu` of the card and, of electron beams, `reference_g_e`, which its model makes of it."""
    scalar = card.scalar
    own = production_coupling(card, scalar.model, scalar.g_mu)
    return {"reference_g_mu": scalar.g_mu, f"reference_{coupling_name(card)}": own}


def weight_unit(card: Card) -> str:
    """What the weights of a card's events are."""
    if card.collider:
        return f"pb at {coupling_name(card)} = 1"
    return f"S per {_particle(card)} on target at {coupling_name(card)} = 1"


def exposure_name(card: Card) -> str:
    """Name of the exposure, by which yields are multiplied."""
    return "luminosity_per_pb" if card.collider else "beam_particles"


def yield_unit(card: Card) -> str:
    """What their sum is."""
    return (
        f"pb at {coupling_name(card)} = 1" if card.collider else f"S per {_particle(card)} at {coupling_name(card)} = 1"
    )


def _particle(card: Card) -> str:
    return "muon" if card.beam.lepton == "mu" else "electron"


def nuclei_per_cm2(source: AnySource) -> dict[str, float]:
    """Targets of each kind per cm^2 on the way of a beam particle, n_i L_i, until it leaves or counts as stopped.

    None where beams collide.
    """
    if isinstance(source, Collisions):
        return {}
    found: dict[str, float] = {}
    for segment in source.segments:
        length = segment.track(0.0).length
        for target, density in segment.targets:
            found[target.name] = found.get(target.name, 0.0) + density * length
    return found


def yields(card: Card, value: float) -> dict[str, float]:
    """The sum of all weights by its name; where beams collide it is a cross section, and has that name too."""
    return {"yield_per_muon": value} | ({"yield_pb": value} if card.collider else {})


def per_pb(nuclei: dict[str, float]) -> float:
    """Nuclei of all elements in 1/pb, by which a yield is divided to give a cross section in pb.

    It is 1 if there are no nuclei: then the weights are cross sections in pb already.
    """
    return 1.0 if not nuclei else float(yield_per_pb(1.0, math.fsum(nuclei.values())))


def described(source: AnySource, total: float, error: float) -> dict[str, Any]:
    """What a reader needs to turn weights into cross sections and numbers of events; `total` is the yield per muon."""
    card = source.card
    nuclei, g = nuclei_per_cm2(source), coupling_name(card)
    counted = "those of forced decays at that coupling" if card.scalar.decay is None else "those of the channel"
    return {
        "weight_unit": weight_unit(card),
        **reference_couplings(card),
        exposure_name(card): card.exposure,
        "nuclei_per_cm2": nuclei,
        "sum_nuclei_per_cm2": math.fsum(nuclei.values()),
        **mean_cross_section(nuclei, total, error),
        "signal_events": f"{exposure_name(card)} * {g}^2 * sum of weight: all S; times decay_weight: {counted}",
    }


def of_cross_sections(card: Card, samples: Sequence[Sample]) -> dict[str, Any]:
    """The same of events whose weights in pb add up to cross sections; no nuclei belong to them."""
    found = {"weight_unit": f"pb at {coupling_name(card)} = 1", "nuclei_per_cm2": {}}
    if len(samples) > 1:  # their sum would mean nothing
        return found
    sigma = samples[0].sigma
    return found | {"cross_section_pb": sigma, "cross_section_error_pb": samples[0].relative_error * sigma}


def mean_cross_section(nuclei: dict[str, float], total: float, error: float) -> dict[str, float]:
    """Cross section of a yield per muon, the mean over the nuclei on the beam's way."""
    return {"cross_section_pb": total / per_pb(nuclei), "cross_section_error_pb": error / per_pb(nuclei)}


def nominal(columns: Columns, name: str = "weight") -> Array:
    """The weight that counts, or an alternative to it: with the probability of a forced decay."""
    weight: Array = columns[name]
    return weight * columns["decay_weight"] if "decay_weight" in columns else weight


def what_counts(card: Card, metadata: EventMeta) -> str:
    """What events the sum of nominal weights times particles and the square of a coupling gives, and at which one.

    With forced decays they contain the probability of a decay, which is that of the reference coupling.
    """
    g = coupling_name(card)
    if metadata.decays is DecayMode.FORCED:
        return f"S that decay where it counts, at {g} = reference_{g} alone"
    if metadata.decays and card.scalar.decay is not None:
        return f"S that decay to the one channel, {card.scalar.decay}, wherever they decay, at any {g}"
    return f"all S made, wherever they decay, at any {g}"


class Sums:
    """Sums of nominal weights, element by element, and of alternatives, while events go by."""

    def __init__(self, targets: Iterable[Target], further: Iterable[str] = ()) -> None:
        self._targets = list(targets)
        self._n = 0
        self._further: dict[str, list[tuple[float, float, float]]] = {name: [] for name in further}
        self._rows: list[list[tuple[float, float, float]]] = [[] for _ in self._targets]

    def add(self, columns: Columns) -> None:
        """Add a chunk with its weights, `target_Z` and `target_A`."""
        weight = nominal(columns)
        self._n += weight.size
        for target, rows in zip(self._targets, self._rows, strict=True):
            mine = weight[target.is_struck(columns)]
            if mine.size:
                rows.append(_sums(mine))
        for name, rows in self._further.items():
            rows.append(_sums(nominal(columns, name)))

    def sample(self, nuclei: dict[str, float], norm_error: float) -> dict[str, Any]:
        """Cross section of the sample in pb, its error, and the same with the largest weight for each struck element.

        A weight in pb is the event's share of the cross section times the number of events, so the mean of the weights
        is the cross section. Events on one element make up its process. `further` has sigma and error by the
        alternative weights, each in turn. With forced decays, the cross section is that
        of the S whose decay counts.
        """
        unit, in_pb = per_pb(nuclei), self._n / per_pb(nuclei)
        processes = []
        for target, rows in zip(self._targets, self._rows, strict=True):
            if rows:
                sigma, error = (part / unit for part in self._total(rows, norm_error)[:2])
                largest = in_pb * max(row[2] for row in rows)
                process = {"target": target.name, "Z": target.Z, "A": target.A, "cross_section_pb": sigma}
                processes.append(process | {"error_pb": error, "largest_weight_pb": largest})
        whole = self._total([row for rows in self._rows for row in rows], norm_error)
        further = [self._total(rows, norm_error) for rows in self._further.values()]
        return {
            "cross_section_pb": whole.value / unit,
            "error_pb": whole.error / unit,
            "processes": processes,
            "further": [(total.value / unit, total.error / unit) for total in further],
        }

    def _total(self, rows: Sequence[tuple[float, float, float]], norm_error: float) -> Estimate:
        total, squares, _ = (math.fsum(column) for column in zip(*rows, strict=True))
        return weighted_sum(total, squares, self._n, norm_error)


def _sums(weight: Array) -> tuple[float, float, float]:
    """Sum, sum of squares and largest of weights."""
    return float(weight.sum()), float(np.sum(weight * weight)), float(np.abs(weight).max(initial=0.0))


def process_number(columns: Columns, targets: Sequence[Target]) -> Numbers:
    """Place of the struck target in a list, from 1; 0 for an event on none of them."""
    found = np.zeros(len(columns["weight"]), dtype=np.int64)
    for i, target in enumerate(targets, 1):
        found[target.is_struck(columns)] = i
    return found


def own_cross_section(source: AnySource, m_S: float) -> Callable[[Columns], Array]:
    """Cross section in pb of each event: of the struck nucleus at its energy, or of the collision."""
    if isinstance(source, Collisions):
        sigma, _ = collider.sigma(source.process(m_S))
        return lambda columns: np.full(len(columns["weight"]), sigma)
    return OwnCrossSection(source, m_S)


class OwnCrossSection:
    """Cross section of the struck nucleus at the energy of the beam particle, in pb at a coupling of 1."""

    def __init__(self, source: Source, m_S: float) -> None:
        self._fits = {}
        q = rules(*cross_section.FINE)
        x, _ = np.polynomial.chebyshev.chebgauss(_POINTS)
        for target in source.targets:
            process = source.process(m_S, target)
            lowest = process.threshold
            span = source.card.beam.E_max - lowest
            if span <= 0.0:
                continue
            low = min(max(source.E_exit - lowest, 1e-4 * span), 0.9 * span)
            log_low, log_high = math.log(low), math.log(span)
            energies = lowest + np.exp(0.5 * (log_low + log_high) + 0.5 * (log_high - log_low) * x)
            sigmas = [cross_section.between(E, process, 0.0, E, q) for E in energies.tolist()]
            fit = np.polynomial.Chebyshev.fit(
                np.log(energies - lowest), np.log(sigmas), _POINTS - 1, [log_low, log_high]
            )
            self._fits[target] = lowest, (log_low, log_high), fit

    def __call__(self, columns: Columns) -> Array:
        """Of each event."""
        found = np.zeros(len(columns["E_mu"]))
        for target, (lowest, (log_low, log_high), fit) in self._fits.items():
            mine = target.is_struck(columns)
            above = np.log(np.maximum(columns["E_mu"][mine] - lowest, 1e-300))
            found[mine] = np.exp(fit(np.clip(above, log_low, log_high)))
        return found
