"""A card made ready to generate, and the running comparison of events with the quadrature."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mcgen import exposure, rates
from mcgen._jit import jit
from mcgen.card import Card
from mcgen.errors import ClosureError, InputError
from mcgen.estimate import Estimate, share_pulls, weighted_sum
from mcgen.events import Columns, ContentHash
from mcgen.formats.stored import FORMAT
from mcgen.physics import cross_section
from mcgen.physics.amplitude import Process
from mcgen.physics.kinematics import t_range
from mcgen.physics.quadrature import rules
from mcgen.physics.signal_yield import yield_per_pb
from mcgen.provenance import provenance
from mcgen.rng import INTEGRATION
from mcgen.sampler import Lattice, build_lattices, integrate
from mcgen.track import Scattering
from mcgen.track_rules import Component

Array = NDArray[np.float64]

#: points of the integration that fixes the normalisation
INTEGRATION_POINTS = 1 << 19
_INTEGRATION_BLOCK, _SMALLEST_BLOCK = 1 << 14, 1 << 11
#: a run further off its quadrature than this many standard deviations fails
MAX_PULL = 5.0


@dataclass(frozen=True, slots=True)
class Source:
    """An element in a layer, made ready to generate."""

    component: Component
    process: Process
    lattice: Lattice
    scale: float  #: S per muon at g_mu = 1 of f = 1
    mean: Estimate  #: of f
    accepted: Estimate  #: of min(1, f)


@dataclass(frozen=True, slots=True)
class Sampler:
    """A card made ready to generate: what can be hit, normalisation, and what the quadrature expects."""

    card: Card
    m_S: float
    seed: int
    sources: list[Source]
    scattering: Scattering
    expected: Estimate  #: S per muon at g_mu = 1 by quadrature
    t_edges: Array  #: edges of the bins of t in GeV^2
    t_shares: Array  #: expected share of the events in each bin
    t_errors: Array  #: errors of these shares
    sigma: list[dict[str, Any]]  #: cross sections along the target, element by element

    def total(self, weighted: bool) -> Estimate:
        """S per muon at g_mu = 1 by Monte Carlo: from the mean of f if weighted, else from that of min(1, f)."""
        parts = [(s.scale, s.mean if weighted else s.accepted) for s in self.sources]
        value = math.fsum(scale * f.value for scale, f in parts)
        error = math.hypot(*(scale * f.error for scale, f in parts))
        return Estimate(value, error, sum(f.n_eff for _, f in parts))

    def shares(self, weighted: bool) -> Array:
        """Cumulative shares of the sources in the events."""
        parts = [s.scale * (1.0 if weighted else s.accepted.value) for s in self.sources]
        return np.cumsum(parts) / math.fsum(parts)

    @property
    def overweight(self) -> float:
        """Share of the yield that lies above the ceiling of its cell."""
        return 1.0 - self.total(weighted=False).value / self.total(weighted=True).value


def _source(component: Component, process: Process, lattice: Lattice, sums: list[tuple[float, ...]], n: int) -> Source:
    """A component with the integrals of f over its lattice, from sums over blocks of points, n in all."""
    f, f2, cut, cut2 = (math.fsum(column) / n for column in zip(*sums, strict=True))
    mean = Estimate(f, math.sqrt((f2 - f * f) / n), n * f * f / f2)
    accepted = Estimate(cut, math.sqrt((cut2 - cut * cut) / n), n * cut * cut / cut2)
    scale = lattice.total * yield_per_pb(component.n_atom, component.track.length)
    return Source(component, process, lattice, scale, mean, accepted)


def _t_edges(sources: list[Source]) -> Array:
    """Bins that hold all t of all sources up to 10 GeV^2."""
    limits = [t_range(s.component.E_high, s.process.m, s.process.m_S, s.process.M) for s in sources]
    return np.geomspace(min(low for low, _ in limits), min(10.0, max(high for _, high in limits)), 16)


def _sigma(card: Card, m_S: float) -> list[dict[str, Any]]:
    nodes = rules(*cross_section.FINE)
    low, high = card.energy_range(m_S)
    energies = np.linspace(low, high, 6).tolist() if high - low > 1e-6 * high else [high]
    return [
        {
            "target": element.name,
            "energy_gev": E,
            "sigma_pb": cross_section.sigma_between(E, card.process(m_S, element), 0.0, E, nodes),
        }
        for element in card.elements
        for E in energies
    ]


def prepare(card: Card, m_S: float | None = None, seed: int | None = None, workers: int = 1) -> Sampler:
    """Adapt the sampler and integrate; the Monte Carlo integral must agree with the quadrature.

    Raises
    ------
    InputError
        If a scalar of this mass cannot be made.
    ClosureError
        If the two integrals differ by more than MAX_PULL standard deviations.
    """
    m_S = card.scalar.mass if m_S is None else m_S
    seed = card.run.seed if seed is None else seed
    card.check_mass(m_S)
    if not 0 <= seed < 2**63:
        message = f"seed: {seed} must lie in 0..2^63-1"
        raise InputError(message)
    components = card.components(m_S)
    share = INTEGRATION_POINTS // len(components)
    block = min(_INTEGRATION_BLOCK, max(_SMALLEST_BLOCK, 1 << share.bit_length()))
    blocks = -(-share // block) or 1
    with ThreadPoolExecutor(workers) as pool:
        expected = pool.submit(rates.yield_per_muon, card, m_S)
        processes = [card.process(m_S, component.element) for component in components]
        lattices = build_lattices(components, processes, pool)

        def sums(job: int) -> tuple[float, ...]:
            i = job // blocks  # the component
            key = np.uint64(seed), np.uint64(INTEGRATION), job * block
            return integrate(lattices[i], processes[i], *key, block)

        parts = list(pool.map(sums, range(blocks * len(components))))
        sources = [
            _source(*made, parts[i * blocks : (i + 1) * blocks], blocks * block)
            for i, made in enumerate(zip(components, processes, lattices, strict=True))
        ]
        whole = expected.result()
        edges = _t_edges(sources)
        t, t_error = rates.t_spectrum(card, m_S, edges)
        shares = edges, t / whole.value, t_error / whole.value
        sampler = Sampler(card, m_S, seed, sources, card.scattering, whole, *shares, _sigma(card, m_S))
    found = sampler.total(weighted=True)
    if not abs(found.pull(sampler.expected.value)) < MAX_PULL:
        message = (
            f"yield per muon: Monte Carlo {found.value:.6g} +- {found.error:.2g} and quadrature "
            f"{sampler.expected.value:.6g} disagree by {found.pull(sampler.expected.value):.1f} sigma"
        )
        raise ClosureError(message)
    return sampler


@jit
def add_to_bins(edges: Array, values: Array, weights: Array, sums: Array, squares: Array) -> None:
    """Add weights and their squares to bins with edges in equal ratios; what lies outside is left out."""
    start = math.log(edges[0])
    per_bin = (edges.size - 1) / (math.log(edges[-1]) - start)
    for i in range(values.size):
        position = (math.log(values[i]) - start) * per_bin
        if 0.0 <= position < sums.size:
            sums[int(position)] += weights[i]
            squares[int(position)] += weights[i] * weights[i]


class Tally:
    """What is added up while events are made: hash, yield, and their shares in bins of t against the quadrature.

    If a small region of phase space has no events, the total may hardly change, but the shares do.
    """

    def __init__(self, sampler: Sampler, events: int, weighted: bool, max_pull: float = MAX_PULL) -> None:
        self._max_pull = max_pull
        self._sampler = sampler
        self._events = events
        self._weighted = weighted
        self._started = time.time()
        self._hash = ContentHash()
        self._trials = 0
        self._sums: list[float] = []
        self._squares: list[float] = []
        self._t_sums = np.zeros(sampler.t_shares.size)
        self._t_squares = np.zeros(sampler.t_shares.size)

    def add(self, columns: Columns, kept: Columns, trials: int) -> None:
        """Add a chunk of events, of which `kept` goes into the file."""
        self._hash.update(kept)
        self._trials += trials
        weight = columns["weight"]
        add_to_bins(self._sampler.t_edges, columns["t"], weight, self._t_sums, self._t_squares)
        self._sums.append(float(weight.sum()))
        self._squares.append(float(np.sum(weight * weight)))  # np.dot would keep threads of BLAS spinning

    def t_pulls(self) -> Array:
        """Pulls of the shares that hold at least ten events."""
        whole = math.fsum(self._sums), math.fsum(self._squares)
        return share_pulls(self._t_sums, self._t_squares, *whole, self._sampler.t_shares, self._sampler.t_errors)

    def metadata(self) -> dict[str, Any]:
        """The file's metadata; raises ClosureError if events and quadrature disagree."""
        sampler, n = self._sampler, self._events
        whole = sampler.total(self._weighted)
        norm_error = 0.0 if self._weighted else whole.error / whole.value
        produced = weighted_sum(math.fsum(self._sums), math.fsum(self._squares), n, norm_error)
        if self._weighted:  # a few events say little of their own spread
            spread = whole.error / whole.value * math.sqrt(INTEGRATION_POINTS / n)
            produced = produced._replace(error=max(produced.error, spread * sampler.expected.value))
        pull = produced.pull(sampler.expected.value)
        t_pulls = self.t_pulls()
        worst = float(max(np.abs(t_pulls), default=0.0))
        if not (abs(pull) < self._max_pull and worst < self._max_pull):
            message = (
                f"events disagree with the quadrature: yield {produced.value:.6g} +- {produced.error:.2g} against "
                f"{sampler.expected.value:.6g}, pull {pull:.1f}; worst pull in t {worst:.1f}"
            )
            raise ClosureError(message)
        return {
            "format": FORMAT,
            **provenance(sampler.card),
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._started)),
            "seed": sampler.seed,
            "n_events": n,
            "unweighted": not self._weighted,
            "weight_convention": f"{exposure.weight_unit(sampler.card)}; the sum over the file is the yield",
            "exposure": exposure.described(sampler.card, produced.value, produced.error),
            "mass_gev": sampler.m_S,
            "mediator": sampler.card.scalar.mediator,
            "model": sampler.card.scalar.model,
            "reference_g_mu": sampler.card.scalar.g_mu,
            "sum_weights": math.fsum(self._sums),
            "sum_squares": math.fsum(self._squares),
            "yield_per_muon": produced.value,
            "yield_error": produced.error,
            "norm_relative_error": norm_error,
            "yield_quadrature": sampler.expected.value,
            "pull": pull,
            "pull_t_worst": worst,
            "pull_t_rms": float(np.sqrt(np.mean(t_pulls**2))) if t_pulls.size else 0.0,
            "t_spectrum": {
                "edges_gev2": sampler.t_edges.tolist(),
                "expected": sampler.t_shares.tolist(),
                "expected_error": sampler.t_errors.tolist(),
                "sum_weights": self._t_sums.tolist(),
                "sum_squares": self._t_squares.tolist(),
            },
            "trials": self._trials,
            "efficiency": n / self._trials,
            "overweight_fraction": max(0.0, sampler.overweight),
            "sigma": sampler.sigma,
            "content_sha256": self._hash.hexdigest(),
            "branch_sha256": self._hash.branches(),
        }
