"""Event generation: a card in, unweighted events out, each checked against the quadrature."""

from __future__ import annotations

import contextlib
import math
import platform
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import mcgen
from mcgen import rates
from mcgen._jit import jit
from mcgen.card import Card
from mcgen.constants import HBARC_GEV_CM
from mcgen.errors import ClosureError, InputError
from mcgen.estimate import Estimate, weighted_sum
from mcgen.events import FLOAT_BRANCHES, ROW, Columns, ContentHash, Events
from mcgen.formats.root import FORMAT, EventFile, event_writer
from mcgen.physics import cross_section
from mcgen.physics.amplitude import Process, azimuthal_form, transverse_momentum
from mcgen.physics.kinematics import emission, t_range
from mcgen.physics.particles import four_momenta, rotate
from mcgen.physics.signal_yield import yield_per_pb_gev
from mcgen.rng import EVENTS, INTEGRATION, uniforms
from mcgen.sampler import Lattice, build_lattice, integrate, propose, sample_azimuth

Array = NDArray[np.float64]

#: events generated and written at a time
CHUNK = 50_000
#: points of the integration that fixes the normalisation
INTEGRATION_POINTS = 1 << 20
_INTEGRATION_BLOCK = 1 << 14
#: a run further off its quadrature than this many standard deviations fails
MAX_PULL = 5.0
#: first block of random numbers after those of the trials
_AFTER_TRIALS = 1 << 40

_WEIGHT, _E_MU, _DEPTH, _X, _T = (ROW[name] for name in ("weight", "E_mu", "depth_cm", "x", "t"))
_MU_IN, _MU_OUT, _S, _N_OUT = (ROW[f"{name}_px"] for name in ("mu_in", "mu_out", "S", "N_out"))
_VERTEX, _TAU, _DECAY = ROW["vertex_x_cm"], ROW["tau"], ROW["decay_x_cm"]


class Beamline(NamedTuple):
    """What the kernel needs to know of the card besides the process."""

    E_beam: float  #: GeV
    loss: float  #: GeV/cm
    spot: float  #: rms width of the beam, cm
    length_per_momentum: float  #: L_S/k at the reference coupling, cm/GeV
    unweighted: bool
    unit_weight: float  #: weight of an event with f = 1


@jit
def fill(lattice: Lattice, process: Process, beam: Beamline, seed: np.uint64, first: int, out: Array) -> int:
    """Make the events numbered from `first`, one per column of `out`; return the number of trials."""
    trials = 0
    for i in range(out.shape[1]):
        event = np.uint64(first + i)
        trial = 0
        while True:
            E, point, f, u_accept = propose(lattice, process, seed, np.uint64(EVENTS), event, trial)
            trial += 1
            if not beam.unweighted or u_accept < f:
                break
        trials += trial
        weight = max(1.0, f) if beam.unweighted else f

        e = emission(E, process.m, process.m_S, process.M, point.E_S, point.one_minus_cos_theta)
        q_perp = transverse_momentum(e, point.t, point.t_minus_tmin)
        form = azimuthal_form(e, E, point.t, q_perp, process)
        u_turn, u_tau, u_r, u_spot = uniforms(seed, np.uint64(EVENTS), event, np.uint64(_AFTER_TRIALS))
        cos_phi, sin_phi, excess = sample_azimuth(form, seed, np.uint64(EVENTS), event, _AFTER_TRIALS + 1)

        turn = 2.0 * math.pi * u_turn
        cosine = math.cos(turn)
        sine = math.sin(turn)
        lepton, scalar, nucleus = four_momenta(
            e, E, process.M, point.one_minus_cos_theta, point.t, q_perp, cos_phi, sin_phi
        )
        out[_WEIGHT, i] = weight * excess * beam.unit_weight
        out[_E_MU, i] = E
        depth = (beam.E_beam - E) / beam.loss
        out[_DEPTH, i] = depth
        out[_X, i] = point.E_S / E
        out[_T, i] = point.t
        rotate((0.0, 0.0, e.p, E), cosine, sine, out[_MU_IN : _MU_IN + 4, i])
        rotate(lepton, cosine, sine, out[_MU_OUT : _MU_OUT + 4, i])
        rotate(scalar, cosine, sine, out[_S : _S + 4, i])
        rotate(nucleus, cosine, sine, out[_N_OUT : _N_OUT + 4, i])

        radius = beam.spot * math.sqrt(-2.0 * math.log(u_r))
        tau = -math.log(u_tau)
        flight = tau * beam.length_per_momentum  # decay length over momentum
        for axis in range(3):
            position = depth
            if axis == 0:
                position = radius * math.cos(2.0 * math.pi * u_spot)
            elif axis == 1:
                position = radius * math.sin(2.0 * math.pi * u_spot)
            out[_VERTEX + axis, i] = position
            out[_DECAY + axis, i] = position + flight * out[_S + axis, i]
        out[_TAU, i] = tau
    return trials


@dataclass(frozen=True, slots=True)
class Sampler:
    """A card made ready to generate: lattice, normalisation, and what the quadrature expects."""

    card: Card
    m_S: float
    seed: int
    process: Process
    lattice: Lattice
    integral: Estimate  #: yield per muon at g_mu = 1 by Monte Carlo
    efficiency: float  #: mean of min(1, f)
    efficiency_error: float
    expected: Estimate  #: the same yield by quadrature

    @property
    def scale(self) -> float:
        """Yield per muon of an event with f = 1, times the number of events."""
        return self.lattice.total * yield_per_pb_gev(self.card.target.nuclei_per_cm3, self.card.target.loss)

    @property
    def overweight(self) -> float:
        """Share of the yield that lies above the ceiling of its cell."""
        return 1.0 - self.efficiency * self.scale / self.integral.value


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
    process = card.process(m_S)
    lattice = build_lattice(*card.energy_range(m_S), process)
    with ThreadPoolExecutor(workers) as pool:
        expected = pool.submit(rates.yield_per_muon, card, m_S)
        sums = pool.map(
            lambda first: integrate(
                lattice, process, np.uint64(seed), np.uint64(INTEGRATION), first, _INTEGRATION_BLOCK
            ),
            range(0, INTEGRATION_POINTS, _INTEGRATION_BLOCK),
        )
        total, squares, accepted = (math.fsum(column) / INTEGRATION_POINTS for column in zip(*sums, strict=True))
    spread = math.sqrt((squares - total * total) / INTEGRATION_POINTS)
    scale = lattice.total * yield_per_pb_gev(card.target.nuclei_per_cm3, card.target.loss)
    integral = Estimate(scale * total, scale * spread, INTEGRATION_POINTS * total * total / squares)
    sampler = Sampler(card, m_S, seed, process, lattice, integral, accepted, spread, expected.result())
    if not abs(integral.pull(sampler.expected.value)) < MAX_PULL:
        message = (
            f"yield per muon: Monte Carlo {integral.value:.6g} +- {integral.error:.2g} and quadrature "
            f"{sampler.expected.value:.6g} disagree by {integral.pull(sampler.expected.value):.1f} sigma"
        )
        raise ClosureError(message)
    return sampler


class Tally:
    """What is added up while events are made: hash, yield, and their shares in bins of t against the quadrature.

    The shares see a corner of phase space that is lost even where the total hides it.
    """

    def __init__(self, sampler: Sampler, events: int, weighted: bool) -> None:
        self._sampler = sampler
        self._events = events
        self._weighted = weighted
        self._started = time.time()
        self._hash = ContentHash()
        self._trials = 0
        self._sums: list[float] = []
        self._squares: list[float] = []
        process, lattice = sampler.process, sampler.lattice
        t_min, t_max = t_range(lattice.E_high, process.m, process.m_S, process.M)
        self._edges = np.geomspace(t_min, min(10.0, t_max), 16)
        self._share = rates.t_spectrum(sampler.card, sampler.m_S, self._edges) / sampler.expected.value
        self._t_sums = np.zeros(self._edges.size + 1)
        self._t_squares = np.zeros(self._edges.size + 1)

    def add(self, columns: Columns, trials: int) -> None:
        """Add a chunk of events."""
        self._hash.update(columns)
        self._trials += trials
        weight = columns["weight"]
        bins = np.searchsorted(self._edges, columns["t"])
        self._t_sums += np.bincount(bins, weight, self._t_sums.size)
        self._t_squares += np.bincount(bins, weight * weight, self._t_sums.size)
        self._sums.append(float(weight.sum()))
        self._squares.append(float(np.dot(weight, weight)))

    def t_pulls(self) -> Array:
        """Pulls of the shares that hold at least ten events; their quadrature is good to 1e-3."""
        total, squares = self._t_sums.sum(), self._t_squares.sum()
        share = self._share
        variance = (self._t_squares[1:-1] * (1.0 - 2.0 * share) + share**2 * squares) / total**2
        enough = share * total**2 > 10.0 * squares
        pulls = (self._t_sums[1:-1] / total - share) / np.sqrt(variance + (1e-3 * share) ** 2 + 1e-300)
        return np.asarray(pulls[enough])

    def metadata(self) -> dict[str, Any]:
        """The file's metadata; raises ClosureError if events and quadrature disagree."""
        sampler, n = self._sampler, self._events
        norm_error = 0.0 if self._weighted else sampler.efficiency_error / sampler.efficiency
        produced = weighted_sum(math.fsum(self._sums), math.fsum(self._squares), n, norm_error)
        pull = produced.pull(sampler.expected.value)
        t_pulls = self.t_pulls()
        worst = float(max(np.abs(t_pulls), default=0.0))
        if not (abs(pull) < MAX_PULL and worst < MAX_PULL):
            message = (
                f"events disagree with the quadrature: yield {produced.value:.6g} +- {produced.error:.2g} against "
                f"{sampler.expected.value:.6g}, pull {pull:.1f}; worst pull in t {worst:.1f}"
            )
            raise ClosureError(message)
        energies = np.linspace(sampler.lattice.E_low, sampler.lattice.E_high, 6)
        sigmas = [cross_section.sigma(float(E), sampler.process)[0] for E in energies]
        return {
            "format": FORMAT,
            "generator": "mcgen",
            "mcgen_version": mcgen.__version__,
            "versions": {name: metadata.version(name) for name in ("numpy", "numba", "awkward", "uproot")}
            | {"python": platform.python_version()},
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._started)),
            "card": sampler.card.text,
            "seed": sampler.seed,
            "n_events": n,
            "unweighted": not self._weighted,
            "weight_convention": "S per muon on target at g_mu = 1; the sum over the file is the yield",
            "mass_gev": sampler.m_S,
            "mediator": "scalar",
            "model": sampler.card.scalar.model,
            "reference_g_mu": sampler.card.scalar.g_mu,
            "yield_per_muon": produced.value,
            "yield_error": produced.error,
            "norm_relative_error": norm_error,
            "yield_quadrature": sampler.expected.value,
            "pull": pull,
            "pull_t_worst": worst,
            "pull_t_rms": float(np.sqrt(np.mean(t_pulls**2))) if t_pulls.size else 0.0,
            "trials": self._trials,
            "efficiency": n / self._trials,
            "overweight_fraction": max(0.0, sampler.overweight),
            "sigma": [{"energy_gev": float(E), "sigma_pb": s} for E, s in zip(energies, sigmas, strict=True)],
            "content_sha256": self._hash.hexdigest(),
        }


def _beamline(sampler: Sampler, events: int, weighted: bool) -> Beamline:
    card, scalar = sampler.card, sampler.card.scalar
    width = rates.card_width(card, scalar.model, scalar.g_mu, sampler.m_S)
    return Beamline(
        card.beam.energy,
        card.target.loss,
        card.beam.spot,
        HBARC_GEV_CM / (sampler.m_S * width),
        not weighted,
        sampler.scale * (1.0 if weighted else sampler.efficiency) / events,
    )


def chunks(
    sampler: Sampler, events: int, weighted: bool = False, workers: int = 1, chunk: int = CHUNK
) -> Iterator[tuple[Columns, int]]:
    """(columns, trials) of one chunk after another; the next one is made meanwhile."""
    beam = _beamline(sampler, events, weighted)
    seed = np.uint64(sampler.seed)
    share = -(-chunk // workers)

    def start(first: int) -> tuple[Array, list[Future[int]]]:
        out = np.empty((len(FLOAT_BRANCHES), min(chunk, events - first)))
        jobs = [
            pool.submit(fill, sampler.lattice, sampler.process, beam, seed, first + i, out[:, i : i + share])
            for i in range(0, out.shape[1], share)
        ]
        return out, jobs

    with ThreadPoolExecutor(workers) as pool:
        ahead = start(0)
        for first in range(0, events, chunk):
            out, jobs = ahead
            trials = sum(job.result() for job in jobs)
            if first + chunk < events:
                ahead = start(first + chunk)
            if not np.isfinite(out).all():
                message = f"events {first} to {first + out.shape[1]}: a number is not finite"
                raise ClosureError(message)
            columns: Columns = {"event": np.arange(first, first + out.shape[1], dtype=np.uint64)}
            yield columns | dict(zip(FLOAT_BRANCHES, out, strict=True)), trials


def generate(
    card: Card,
    m_S: float | None = None,
    events: int | None = None,
    seed: int | None = None,
    *,
    output: str | Path | None = None,
    weighted: bool = False,
    workers: int = 1,
    chunk: int = CHUNK,
    progress: Callable[[int], None] | None = None,
) -> Events | EventFile:
    """Generate events of mu N -> mu N S in the target of a card.

    Parameters
    ----------
    card : Card
    m_S : float, optional
        Mass of S in GeV; mass, number of events and seed default to the card's.
    events, seed : int, optional
    output : path, optional
        ROOT file to write chunk by chunk; without it the events are returned in memory.
    weighted : bool
        Keep every trial with its weight instead of events of (almost) equal weight.
    workers : int
        Threads. They change the time and not one bit of an event; nor does `chunk`.
    progress : callable, optional
        Called with the number of events done after each chunk.

    Raises
    ------
    InputError
        If the request cannot be met.
    ClosureError
        If the events disagree with the quadrature by more than chance allows; no file is left then.
    """
    n = card.run.events if events is None else events
    for name, number in (("events", n), ("workers", workers), ("chunk", chunk)):
        if number < 1:
            message = f"{name}: {number} must be at least 1"
            raise InputError(message)
    with contextlib.ExitStack() as stack:
        writer = stack.enter_context(event_writer(output)) if output is not None else None
        kept: list[Columns] = []
        sampler = prepare(card, m_S, seed, workers)
        tally = Tally(sampler, n, weighted)
        side = stack.enter_context(ThreadPoolExecutor(1))
        done = 0
        for columns, trials in chunks(sampler, n, weighted, workers, chunk):
            added = side.submit(tally.add, columns, trials)
            if writer:
                writer.write(columns)
            else:
                kept.append(columns)
            added.result()
            done += len(columns["event"])
            if progress:
                progress(done)
        if writer is None:
            return Events(tally.metadata(), {name: np.concatenate([c[name] for c in kept]) for name in kept[0]})
        writer.finish(tally.metadata())
    assert output is not None
    return EventFile(output)
