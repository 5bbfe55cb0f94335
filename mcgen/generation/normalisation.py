"""A source made ready to generate, and the running comparison of events with the quadrature."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mcgen.base import threads
from mcgen.base.arrays import Array
from mcgen.base.errors import ClosureError, refuse_if
from mcgen.base.estimate import Estimate, expected_trials, mean_of, share_pulls, weighted_sum
from mcgen.base.jit import jit
from mcgen.base.rng import INTEGRATION
from mcgen.card.provenance import provenance
from mcgen.events import exposure
from mcgen.events.branches import Columns
from mcgen.events.events import ContentHash
from mcgen.events.line_parts import RATIO
from mcgen.events.meta import FORMAT, EventMeta
from mcgen.generation import closure
from mcgen.generation.both_lines import Channel, channels
from mcgen.generation.collisions import PreparedCollisions
from mcgen.generation.collisions import prepare as prepare_collisions
from mcgen.generation.lattice import Lattice, Proposals, build_lattices, integrals
from mcgen.physics.emission import cross_section
from mcgen.physics.emission.amplitude import Process
from mcgen.physics.emission.kinematics import t_range
from mcgen.physics.emission.rules import rules
from mcgen.physics.signal.signal_yield import yield_per_pb
from mcgen.quadrature.yields import t_spectrum, yield_per_muon
from mcgen.search.signal import NONE
from mcgen.source.beam_nodes import TargetComponent
from mcgen.source.collisions import Collisions
from mcgen.source.source import AnySource, Source

#: points of the integration that fixes the normalisation
INTEGRATION_POINTS = 1 << 19
#: points where the quadrature fixes it, and an integral only has to agree and to tell what lies above the ceilings
CHECK_POINTS = 1 << 15
_INTEGRATION_BLOCK, _SMALLEST_BLOCK = 1 << 14, 1 << 11
#: a run further off its quadrature than this many standard deviations fails
MAX_PULL = 5.0


#: events whose number of trials is no longer skew
_FEW = 1000


#: what makes events: takes the number of the first one and the array to fill, gives the number of trials
Filler = Callable[[int, Array], int]


@dataclass(frozen=True, slots=True)
class PreparedComponent:
    """A target in a layer, made ready to generate."""

    component: TargetComponent
    process: Process | Channel
    lattice: Lattice
    scale: float  #: S per muon at g_mu = 1 if f were 1 everywhere
    mean: Estimate  #: of f
    accepted: Estimate  #: of min(1, f)
    above: Estimate  #: of what of f lies above 1; its error is rather too large


@dataclass(frozen=True, slots=True)
class PreparedSource:
    """A source made ready to generate: what can be hit, normalisation, and what the quadrature expects."""

    source: Source
    m_S: float
    seed: int
    components: list[PreparedComponent]
    expected: Estimate  #: S per muon at g_mu = 1 by quadrature
    edges: Array  #: edges of the bins of t in GeV^2
    shares: Array  #: expected share of the events in each bin
    errors: Array  #: errors of these shares
    sigma: list[dict[str, Any]]  #: cross sections along the target, element by element
    known: closure.Expected | None  #: of a sample of the events; nothing where they go into no file

    #: the branch whose shares are compared with the quadrature
    binned = "t"
    points = INTEGRATION_POINTS

    def total(self, weighted: bool) -> Estimate:
        """S per muon at g_mu = 1 by Monte Carlo: from the mean of f if weighted, else from that of min(1, f)."""
        parts = [(s.scale, s.mean if weighted else s.accepted) for s in self.components]
        value = math.fsum(scale * f.value for scale, f in parts)
        error = math.hypot(*(scale * f.error for scale, f in parts))
        return Estimate(value, error, sum(f.n_eff for _, f in parts))

    @property
    def bins(self) -> dict[str, Any]:
        """The bins, as metadata have them."""
        return {"edges_gev2": self.edges.tolist()}

    def trials(self) -> tuple[Estimate, float]:
        """Trials that an unweighted event takes: their mean, and their variance."""
        shares = np.diff(self.sources(weighted=False), prepend=0.0).tolist()
        return expected_trials(shares, [s.accepted for s in self.components])

    def sources(self, weighted: bool) -> Array:
        """Cumulative shares of the components in the events."""
        parts = [s.scale * (1.0 if weighted else s.accepted.value) for s in self.components]
        return np.cumsum(parts) / math.fsum(parts)

    @property
    def overweight(self) -> float:
        """Share of the yield that lies above the ceiling of its cell."""
        return 1.0 - self.total(weighted=False).value / self.total(weighted=True).value


def _prepared(
    component: TargetComponent, process: Process | Channel, lattice: Lattice, sums: list[tuple[float, ...]], n: int
) -> PreparedComponent:
    """A component with the integrals of f over its lattice, from sums over blocks of points, n in all."""
    f, f2, cut, cut2 = (math.fsum(column) for column in zip(*sums, strict=True))
    mean, accepted = mean_of(f, f2, n), mean_of(cut, cut2, n)
    # (f - cut)^2 < f^2 - cut^2; as if there was one point more, for chance may have left out the only one
    above = Estimate((f - cut) / n, math.sqrt(f2 - cut2 + 1.0) / n, math.inf)
    scale = lattice.total * yield_per_pb(component.density, component.track.length)
    return PreparedComponent(component, process, lattice, scale, mean, accepted, above)


def _t_bins(source: Source, m_S: float, components: list[TargetComponent]) -> tuple[Array, Array, Array]:
    """Edges of bins that hold all t of all components up to 10 GeV^2, and the yield in each with its error."""
    lines = [(component.E_high, source.beam_line(m_S, component.target)) for component in components]
    limits = [t_range(E, p.m, p.m_out, p.m_S, p.M) for E, p in lines]
    edges = np.geomspace(min(low for low, _ in limits), min(10.0, max(high for _, high in limits)), 16)
    return edges, *t_spectrum(source, m_S, edges)


def _sigma(source: Source, m_S: float) -> list[dict[str, Any]]:
    nodes = rules(*cross_section.FINE)
    low, high = source.energy_range(m_S)
    energies = np.linspace(low, high, 6).tolist() if high - low > 1e-6 * high else [high]
    return [
        {
            "target": target.name,
            "energy_gev": E,
            "sigma_pb": cross_section.between(E, source.process(m_S, target), 0.0, E, nodes),
        }
        for target in source.targets
        for E in energies
    ]


#: a beam in matter or colliding beams, ready to generate
Prepared = PreparedSource | PreparedCollisions


def prepare(source: AnySource, m_S: float, seed: int, workers: int = 1, *, in_passing: bool = False) -> Prepared:
    """Make a source ready to generate; its Monte Carlo integral must agree with the quadrature.

    Parameters
    ----------
    source : Source or Collisions
    m_S : float
        Mass of S in GeV.
    seed : int
        Of the random numbers of the integration, and of the events to come.
    workers : int
        Threads; the result does not depend on them. With 0 all happens in the calling thread.
    in_passing : bool
        For a few events that go into no file: no spectrum of t and no cross sections to compare with. On one target
        the quadrature fixes the normalisation instead of an integral over many points.

    Raises
    ------
    InputError
        If a scalar of this mass cannot be made.
    ClosureError
        If the two integrals differ by more than MAX_PULL standard deviations.
    """
    source.check_mass(m_S)
    if isinstance(source, Collisions):
        prepared: Prepared = prepare_collisions(source, m_S, seed, MAX_PULL)
    else:
        prepared = _prepare(source, m_S, seed, workers, in_passing)
    found = prepared.total(weighted=True)
    if not abs(found.pull(prepared.expected.value)) < MAX_PULL:
        message = (
            f"yield per muon: Monte Carlo {found.value:.6g} +- {found.error:.2g} and quadrature "
            f"{prepared.expected.value:.6g} disagree by {found.pull(prepared.expected.value):.1f} sigma"
        )
        raise ClosureError(message)
    if in_passing and isinstance(prepared, PreparedSource) and len(prepared.components) == 1:
        return replace(prepared, components=[_by_quadrature(prepared.components[0], prepared.expected)])
    return prepared


def _by_quadrature(ready: PreparedComponent, expected: Estimate) -> PreparedComponent:
    """The only component, its mean of f from the quadrature: only what lies above 1 is from points."""
    mean = expected.times(1.0 / ready.scale)
    accepted = Estimate(mean.value - ready.above.value, math.hypot(mean.error, ready.above.error), math.inf)
    return replace(ready, mean=mean, accepted=accepted)


def _prepare(source: Source, m_S: float, seed: int, workers: int, in_passing: bool) -> PreparedSource:
    """Build the lattices in matter and integrate over them."""
    found = [
        (replace(component, channel=i), process)
        for component in source.components(m_S)
        for i, process in enumerate(channels(source.process(m_S, component.target)))
    ]
    components, processes = [component for component, _ in found], [process for _, process in found]
    share = (CHECK_POINTS if in_passing and len(components) == 1 else INTEGRATION_POINTS) // len(components)
    block = min(_INTEGRATION_BLOCK, max(_SMALLEST_BLOCK, 1 << share.bit_length()))
    blocks = -(-share // block) or 1
    at_once = -(-blocks // max(workers, 1))
    with threads.pool(workers) as pool:
        expected = pool.submit(yield_per_muon, source, m_S)
        bins = None if in_passing else pool.submit(_t_bins, source, m_S, components)
        sigma = None if in_passing else pool.submit(_sigma, source, m_S)
        known = None if in_passing else pool.submit(closure.expected, source, m_S)
        lattices = build_lattices(components, processes, pool)

        def sums(job: tuple[int, int]) -> list[tuple[float, ...]]:
            i, first = job  # the component, and the first of its blocks
            start = (i * blocks + first) * block
            key = np.uint64(seed), np.uint64(INTEGRATION), np.arange(start, start + block)
            return list(integrals(Proposals(lattices[i], processes[i], *key), min(at_once, blocks - first)))

        jobs = itertools.product(range(len(components)), range(0, blocks, at_once))
        parts = list(itertools.chain.from_iterable(pool.map(sums, jobs)))
        ready = [
            _prepared(*made, parts[i * blocks : (i + 1) * blocks], blocks * block)
            for i, made in enumerate(zip(components, processes, lattices, strict=True))
        ]
        whole = expected.result()
        edges, t, t_error = bins.result() if bins else (NONE, NONE, NONE)
        shares = edges, t / whole.value, t_error / whole.value
        beside = sigma.result() if sigma else [], known.result() if known else None
        return PreparedSource(source, m_S, seed, ready, whole, *shares, *beside)


@jit
def add_to_bins(edges: Array, values: Array, weights: Array, sums: Array, squares: Array) -> None:
    """Add weights and their squares to bins; what lies outside is left out.

    Parameters
    ----------
    edges : array, shape (bins + 1,)
        Edges in equal ratios, positive and rising.
    values, weights : array, shape (n,)
        Of each event; values have the unit of the edges.
    sums, squares : array, shape (bins,)
        Added to.
    """
    start = math.log(edges[0])
    per_bin = (edges.size - 1) / (math.log(edges[-1]) - start)
    for i in range(values.size):
        position = (math.log(values[i]) - start) * per_bin
        if 0.0 <= position < sums.size:
            sums[int(position)] += weights[i]
            squares[int(position)] += weights[i] * weights[i]


class Tally:
    """What is added up while events are made: hash, yield, and its shares in bins, to compare with the quadrature.

    If a small region of phase space has no events, the total may hardly change, but the shares do.

    Parameters
    ----------
    prepared : PreparedSource or PreparedCollisions
    events : int
        Number of events to come.
    weighted : bool
        Whether every trial is kept with its weight.
    max_pull : float
        Standard deviations between events and quadrature at which `metadata` fails.
    hashed : bool
        Whether metadata have hashes of the content.
    sample : Closure, optional
        Looks at a part of the events more closely.
    """

    def __init__(
        self,
        prepared: Prepared,
        events: int,
        weighted: bool,
        max_pull: float = MAX_PULL,
        hashed: bool = True,
        sample: closure.Closure | None = None,
    ) -> None:
        self._max_pull = max_pull
        self._sample = sample
        self._added, self._in_order = 0, True
        self._prepared = prepared
        self._events = events
        self._weighted = weighted
        self._started = time.time()
        self._hash = ContentHash() if hashed else None
        self._trials = 0
        self._sums: list[float] = []
        self._squares: list[float] = []
        self._t_sums = np.zeros(prepared.shares.size)
        self._t_squares = np.zeros(prepared.shares.size)

    def add(self, columns: Columns, kept: Columns, trials: int) -> None:
        """Add a chunk of events, of which `kept` goes into the file."""
        if self._hash:
            self._hash.update(kept)
        self._trials += trials
        columns = columns | kept
        number, weight = kept["event"], columns["weight"]
        self._added += number.size
        self._in_order &= bool((number[1:] == number[:-1] + np.uint64(1)).all())
        if self._sample:
            self._sample.add(columns)
        if self._t_sums.size:
            add_to_bins(self._prepared.edges, columns[self._prepared.binned], weight, self._t_sums, self._t_squares)
        self._sums.append(float(weight.sum()))
        self._squares.append(float(np.sum(weight * weight)))  # np.dot would keep threads of BLAS spinning

    def t_pulls(self) -> Array:
        """Pulls of the shares that hold at least ten events."""
        whole = math.fsum(self._sums), math.fsum(self._squares)
        return share_pulls(self._t_sums, self._t_squares, *whole, self._prepared.shares, self._prepared.errors)

    def _yield(self) -> tuple[Estimate, float]:
        """S per muon of the events, and the relative error that all of them have in common."""
        prepared, whole = self._prepared, self._prepared.total(self._weighted)
        norm_error = 0.0 if self._weighted else whole.error / whole.value
        produced = weighted_sum(math.fsum(self._sums), math.fsum(self._squares), self._events, norm_error)
        if self._weighted:  # the spread of a few events may be small by chance: take at least that of the integration
            spread = whole.error / whole.value * math.sqrt(prepared.points / self._events)
            produced = produced._replace(error=max(produced.error, spread * prepared.expected.value))
        return produced, norm_error

    def _check_trials(self) -> None:
        """Raise ClosureError if more or fewer points were accepted than the weights say."""
        if self._weighted or self._events < _FEW:
            return
        expected, variance = self._prepared.trials()
        error = math.hypot(expected.error, math.sqrt(variance / self._events))
        pull = (self._trials / self._events - expected.value) / error
        message = f"events disagree with their weights: {self._trials} trials for {self._events}, pull {pull:.1f}"
        refuse_if(not abs(pull) < self._max_pull + closure.MARGIN, message, ClosureError)

    def metadata(self) -> EventMeta:
        """The file's metadata; raises ClosureError if events and quadrature disagree."""
        prepared, n, card = self._prepared, self._events, self._prepared.source.card
        produced, norm_error = self._yield()
        ratio = prepared.source.electron_ratio(card.scalar.model)
        pull, t_pulls = produced.pull(prepared.expected.value), self.t_pulls()
        worst = float(max(np.abs(t_pulls), default=0.0))
        message = (
            f"events disagree with the quadrature: yield {produced.value:.6g} +- {produced.error:.2g} against "
            f"{prepared.expected.value:.6g}, pull {pull:.1f}; worst pull in {prepared.binned} {worst:.1f}"
        )
        refuse_if(not (abs(pull) < self._max_pull and worst < self._max_pull), message, ClosureError)
        whole = self._added == n and self._in_order
        refuse_if(not whole, f"events: {self._added} of {n}, or not each once and in order", ClosureError)
        self._check_trials()
        if self._sample:
            self._sample.check(self._max_pull)
        return EventMeta(
            {
                "format": FORMAT,
                **provenance(card),
                "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._started)),
                "seed": prepared.seed,
                "n_events": n,
                "unweighted": not self._weighted,
                "weight_convention": f"{exposure.weight_unit(card)}; the sum over the file is the yield",
                "exposure": exposure.described(prepared.source, produced.value, produced.error),
                "mass_gev": prepared.m_S,
                "mediator": card.scalar.mediator,
                "model": card.scalar.model,
                "reference_g_mu": card.scalar.g_mu,
                **({RATIO: ratio} if ratio else {}),
                "sum_weights": math.fsum(self._sums),
                "sum_squares": math.fsum(self._squares),
                **exposure.yields(card, produced.value),
                "yield_error": produced.error,
                "norm_relative_error": norm_error,
                "yield_quadrature": prepared.expected.value,
                "pull": pull,
                "pull_t_worst": worst,
                "pull_t_rms": float(np.sqrt(np.mean(t_pulls**2))) if t_pulls.size else 0.0,
                "t_spectrum": {
                    **prepared.bins,
                    "expected": prepared.shares.tolist(),
                    "expected_error": prepared.errors.tolist(),
                    "sum_weights": self._t_sums.tolist(),
                    "sum_squares": self._t_squares.tolist(),
                },
                "trials": self._trials,
                "unweighting_efficiency": n / self._trials,
                "overweight_fraction": max(0.0, prepared.overweight),
                "sigma": prepared.sigma,
                **(self._hash.as_metadata() if self._hash else {}),
            }
        )
