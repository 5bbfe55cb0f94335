"""A sample of the events beside what is known of it: kinematics of each, random numbers, spectra.

The yield and the spectrum in t (`normalisation.Tally`) do not see momenta, angles, depths and decays. Here means of all
events in E_mu, x, depth and tau, and a part of the events, are looked at:

- of each event: mass shells, conservation of energy and momentum, x, t, places and daughters, as far as doubles go;
- means of what has a known distribution: the decay time, the azimuth of S, that of q at given E, E_S, theta and t,
  the side of the lepton, the angle of the daughters;
- means along the target and shares in bins by quadrature: energies, depth, x, and theta.

A pull above `MARGIN` more than what the yield is allowed stops a run. By chance none in 1e7 does.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mcgen.base.arrays import Array
from mcgen.base.errors import ClosureError, refuse_if
from mcgen.base.estimate import share_pulls
from mcgen.base.jit import jit
from mcgen.events.branches import VECTORS, Columns
from mcgen.events.decays import CHANNELS, DecayModel
from mcgen.generation.stages import scaled_amplitude
from mcgen.physics.emission.amplitude import Process, azimuthal_form
from mcgen.physics.emission.four_momenta import event_point
from mcgen.physics.emission.kinematics import emission
from mcgen.quadrature.yields import MEANS, Mean, beam_means, theta_spectrum
from mcgen.source.source import Source

#: events that are looked at: so many first, then one in so many, up to so many in all
FIRST, EVERY, MOST = 10_000, 200, 1_000_000
#: of these, one in so many for the azimuth of q, which takes long
_FOR_Q = 2
#: events at a time, all numbers of which stay in the cache of a processor
_BLOCK = 5_000
#: means of all events, which cost next to nothing, and their branches
_OF_ALL = {"E_mu": "E_mu", "x": "x", "depth": "depth_cm"}
#: standard deviations that a pull may be above what the yield's may be
MARGIN = 1.0
#: rounding of an event, relative to its largest numbers
_ROUNDING = 1e-11
#: a sum is only looked at if its variance is so many squares of its largest term: it is normal then
_NORMAL = 50.0
#: how well the quadrature knows means, in spreads: depths of a list of muons at 1 GeV are 0.9 % of one off
_OF_MEANS = 0.003
#: how well the quadrature knows shares in bins of theta: those of electrons of many energies are steeper than its
#: nodes, by 18 % in a bin of E137 at 300 MeV
_OF_THETA = 0.1
#: places in psi that average over the azimuth of q
_PSI = np.cos(math.pi * (np.arange(24) + 0.5) / 24)


class Expected(NamedTuple):
    """What the quadrature says of the sample."""

    means: dict[str, Mean]
    theta: Array  #: edges in rad
    shares: Array  #: of the events in each bin
    errors: Array


def expected(source: Source, m_S: float) -> Expected:
    """Means and shares of all events of a source at a mass in GeV."""
    edges, bins, error = theta_spectrum(source, m_S)
    whole = bins.sum()
    errors = np.hypot(error, _OF_THETA * bins) / whole
    return Expected(beam_means(source, m_S), edges, bins / whole, errors)


@jit
def azimuths_of_q(
    process: Process, E: Array, E_S: Array, t: Array, vectors: Array, psi: Array, out: Array
) -> None:  # fmt: skip
    """Write cos(phi_q) less its mean at this E, E_S, theta and t, its variance, and the sine.

    Parameters
    ----------
    process : Process
        Constants of the kernels.
    E, E_S, t : array, shape (n,)
        Energies in GeV, momentum transfer squared in GeV^2.
    vectors : array, shape (9, n)
        Three-momenta of beam lepton, S and what was hit, in GeV.
    psi : array
        Cosines of points in psi, evenly spread.
    out : array, shape (3, n)
        Written.
    """
    v = vectors
    for i in range(E.size):
        one_minus_cos_theta, q_perp, phi = event_point(
            E[i], process.m, process.m_S, (v[0, i], v[1, i], v[2, i]), (v[3, i], v[4, i], v[5, i]),
            (v[6, i], v[7, i], v[8, i]), E_S[i],
        )  # fmt: skip
        e = emission(E[i], process.m, process.m_out, process.m_S, process.M, E_S[i], one_minus_cos_theta)
        form = azimuthal_form(e, E[i], t[i], q_perp, process)
        total, first, second = 0.0, 0.0, 0.0
        for y in psi:
            weight, c = scaled_amplitude(form, y)
            total += weight
            first += weight * c
            second += weight * c * c
        mean = first / total
        out[0, i] = math.cos(phi) - mean
        out[1, i] = max(0.0, second / total - mean * mean)
        out[2, i] = math.sin(phi)


class Closure:
    """Running sums over a sample of the events.

    Parameters
    ----------
    source : Source
    m_S : float
        Mass of S in GeV.
    expected : Expected
        By quadrature.
    how : DecayModel
        How S decays in the file.
    """

    def __init__(self, source: Source, m_S: float, expected: Expected, how: DecayModel) -> None:
        card = source.card
        self._source, self._m_S, self._expected, self._how = source, m_S, expected, how
        self._processes = {target: source.process(m_S, target) for target in source.targets}
        self._per_momentum = how.boson.length_per_momentum(how.g_mu)
        self._plain = not (card.beam.particles or card.beam.divergence > 0.0 or card.target.multiple_scattering)
        self._seen, self.looked_at = 0, 0
        self._wrong = ""
        self._moments: dict[str, Array] = {}
        self._bins = np.zeros((2, expected.shares.size))
        self._total = np.zeros(2)
        self._own: list[Array] = []  #: x of some events, of which no two have the same

    def add(self, columns: Columns) -> None:
        """Look at the first events of a chunk, all branches of which are there."""
        weight = columns["weight"]
        size = len(weight)
        self._seen += size
        self._means_of_all(columns)
        n = min(size, FIRST + self._seen // EVERY - self.looked_at, MOST - self.looked_at)
        if n > 0:
            self.looked_at += n
            for first in range(0, n, _BLOCK):
                block = slice(first, min(n, first + _BLOCK))
                self._look({name: column[block] for name, column in columns.items()})

    def _means_of_all(self, columns: Columns) -> None:
        """Sums over each column, in which no array is made."""
        weight = columns["weight"]
        total, square, largest = weight.sum(), np.einsum("i,i", weight, weight), weight.max(initial=0.0)

        def add(name: str, column: Array, mean: float, spread: float, furthest: float) -> None:
            deviation = np.einsum("i,i", weight, column) - mean * total
            self._take(name, deviation, spread**2 * square, total, furthest * largest)

        if not self._how.forced:  # the largest of an exponential: what is rare enough
            add("mean life", columns["tau"], 1.0, 1.0, 5.0)
        for name in _OF_ALL.keys() & self._expected.means.keys():
            mean = self._expected.means[name]
            add(name, columns[_OF_ALL[name]], mean.value, mean.spread, mean.furthest)

    def _look(self, c: Columns) -> None:
        p, out, S, hit = (np.stack([c[f"{name}_{part}"] for part in ("px", "py", "pz", "E")]) for name in _PARTICLES)
        self._each(c, p, out, S, hit)
        weight = c["weight"]
        direction = p[:3] / np.sqrt(np.sum(p[:3] ** 2, axis=0))
        along = np.sum(direction * S[:3], axis=0)
        across = S[:3] - along * direction
        perp = np.sqrt(np.sum(across**2, axis=0))
        # x and y of a beam that is hardly tilted, which a uniform azimuth does not see
        x, y = across[:2] / np.maximum(np.hypot(across[0], across[1]), 1e-300)
        for k, harmonic in enumerate((x, y, x * x - y * y, 2.0 * x * y)):
            self._add(_AZIMUTH[k], weight, harmonic, 0.5, 1.0)
        self._own.append(c["x"][:16].copy())
        if self._how.forced:
            self._in_window(c, np.sqrt(np.sum(S[:3] ** 2, axis=0)))
        else:
            self._uniform("tau", weight, np.exp(-c["tau"]))
        spot = self._source.card.beam.spot
        if self._plain and spot > 0.0:
            square = c["vertex_x_cm"] ** 2 + c["vertex_y_cm"] ** 2
            self._uniform("beam spot", weight, np.exp(square * (-0.5 / spot**2)))
        self._along_beam(c, np.arctan2(perp, along))
        self._of_q(c, S)
        if "d1_E" in c and not self._how.is_polarised:
            self._daughters(c, S)

    def _each(self, c: Columns, p: Array, out: Array, S: Array, hit: Array) -> None:
        """Note the first event that is none, by what."""
        m_out = self._source.card.out_mass
        E = p[3]
        mass = np.zeros(E.size)
        for target, process in self._processes.items():
            mass[target.is_struck(c)] = process.M
        recoil = np.sum(hit[:3] ** 2, axis=0)
        flight = c["tau"] * self._per_momentum
        scale = E + np.abs(hit[:3]).max(axis=0)
        checks = {
            "energy": (p[3] + mass - out[3] - S[3] - hit[3], scale + mass),
            **{f"momentum along {axis}": (p[i] - out[i] - S[i] - hit[i], scale) for i, axis in enumerate("xyz")},
            "mass of the beam": (_square(p) - self._source.card.beam.mass**2, E * E),
            "mass of the lepton": (_square(out) - m_out**2, E * E),
            "mass of S": (_square(S) - self._m_S**2, E * E),
            "mass of what is hit": (hit[3] - np.sqrt(recoil + mass**2), scale + mass),
            "E_mu": (c["E_mu"] - E, E),
            "x": (c["x"] * E - S[3], E),
            # in t the recoil energy counts twice: as q^2 less its square
            "t": (recoil - c["t"] - (0.5 * c["t"] / mass) ** 2, recoil + 1e-4 * scale * np.sqrt(recoil)),
            "depth": (c["vertex_z_cm"] - c["depth_cm"], np.abs(c["depth_cm"]) + 1.0),
            **{
                f"decay along {axis}": (
                    c[f"decay_{axis}_cm"] - c[f"vertex_{axis}_cm"] - flight * S[i],
                    np.abs(c[f"vertex_{axis}_cm"]) + np.abs(flight) * S[3] + 1.0,
                )
                for i, axis in enumerate("xyz")
            },
        }
        if "d1_E" in c:
            for i, part in enumerate(("px", "py", "pz", "E")):
                checks[f"daughters' {part}"] = c[f"d1_{part}"] + c[f"d2_{part}"] - S[i], S[3]
        for what, (difference, largest) in checks.items():
            self._note(what, c, ~(np.abs(difference) <= _ROUNDING * largest))

    def _note(self, what: str, c: Columns, wrong: NDArray[np.bool_]) -> None:
        if wrong.any() and not self._wrong:
            self._wrong = f"{what} of event {int(c['event'][np.argmax(wrong)])}"

    def _add(self, name: str, weight: Array, deviation: Array, variance: float | Array, largest: float) -> None:
        """Add deviations from a mean of a known variance, none of them above `largest`."""
        spread = np.sum(weight * weight * variance)  # np.dot would keep threads of BLAS spinning
        self._take(name, np.sum(weight * deviation), spread, np.sum(weight), largest * float(weight.max()))

    def _take(self, name: str, deviation: float, variance: float, total: float, largest: float) -> None:
        """Add sums over some events, and the largest term that any of them can be."""
        sums = self._moments.setdefault(name, np.zeros(4))
        sums[:3] += deviation, variance, total
        sums[3] = max(sums[3], largest)

    def _uniform(self, name: str, weight: Array, u: Array) -> None:
        """Add a number that is uniform between 0 and 1: cosines of pi u and its multiples."""
        cosine = np.cos(math.pi * u)
        double = 2.0 * cosine * cosine - 1.0
        for k, harmonic in enumerate((cosine, double, (2.0 * double - 1.0) * cosine, 2.0 * double * double - 1.0), 1):
            self._add(f"{name}, {k}", weight, harmonic, 0.5, 1.0)

    def _in_window(self, c: Columns, k: Array) -> None:
        """Decays that are forced into one range: there, and as an exponential that is cut off has them."""
        search = self._how.search
        if search.layers(c) is not None:
            return
        seen = search.see(np.ones(k.size), k, c, search.window(c))
        length = k * self._per_momentum
        from_first, span = c["tau"] - seen.z_min / length, (seen.z_max - seen.z_min) / length
        u = np.expm1(-from_first) / np.minimum(np.expm1(-span), -1e-300)
        possible = (seen.weight > 0.0) & (span > 0.0)
        self._note("decay in the range that counts", c, possible & ~(np.abs(u - 0.5) < 0.5 + 1e-6))
        self._uniform("tau", c["weight"][possible], u[possible])

    def _along_beam(self, c: Columns, theta: Array) -> None:
        weight = c["weight"]
        for name in self._expected.means.keys() - _OF_ALL.keys():
            mean = self._expected.means[name]
            deviation = MEANS[name](c["E_mu"], c["x"], c["depth_cm"]) - mean.value
            self._add(name, weight, deviation, mean.spread**2, mean.furthest)
        at = np.searchsorted(self._expected.theta, theta, "right") - 1
        at = np.clip(at, 0, self._bins.shape[1] - 1)
        self._bins += [np.bincount(at, weight**power, self._bins.shape[1]) for power in (1, 2)]
        self._total += [weight.sum(), np.sum(weight * weight)]

    def _of_q(self, c: Columns, S: Array) -> None:
        """The azimuth of q, of some events; on an electron with a line of its own only the side of the lepton."""
        few = slice(None, None, _FOR_Q)
        for target, process in self._processes.items():
            if not isinstance(process, Process) or process.ww:
                continue
            mine = np.flatnonzero(target.is_struck(c))[few]
            if not mine.size:
                continue
            out = np.empty((3, mine.size))
            vectors = np.stack([c[name][mine] for name in VECTORS])
            azimuths_of_q(process, c["E_mu"][mine], S[3][mine], c["t"][mine], vectors, _PSI, out)
            weight = c["weight"][mine]
            self._add("azimuth of q", weight, out[0], out[1], 2.0)
            self._add("side of the lepton", weight, np.sign(out[2]), 1.0, 1.0)

    def _daughters(self, c: Columns, S: Array) -> None:
        """The angle of the first daughter in the rest frame of S, of two equal ones."""
        k = np.sqrt(np.sum(S[:3] ** 2, axis=0))
        for channel in CHANNELS:
            mine = (c["decay_pdg"] == channel.pdg) & (k > 0.0)
            m_1, m_2 = channel.masses
            if m_1 != m_2 or not mine.any():
                continue
            speed = math.sqrt(max(1e-6, 1.0 - (2.0 * m_1 / self._m_S) ** 2))
            cosine = (2.0 * c["d1_E"] - S[3])[mine] / (k[mine] * speed)
            self._add("angle of the daughters", c["weight"][mine], cosine, 1.0 / 3.0, 1.0)

    def pulls(self) -> dict[str, float]:
        """Pulls of all that is known well enough."""
        found = {}
        for name, (total, variance, weight, largest) in self._moments.items():
            if variance > _NORMAL * largest**2:
                mean = self._expected.means.get(name)
                error = math.hypot(mean.error, _OF_MEANS * mean.spread) if mean else 0.0
                found[name] = total / math.hypot(math.sqrt(variance), error * weight)
        e = self._expected
        totals = self._total.tolist()
        shares = share_pulls(self._bins[0], self._bins[1], totals[0], totals[1], e.shares, e.errors, _NORMAL)
        return found | {"theta": float(max(shares, key=abs, default=0.0))}

    def check(self, max_pull: float) -> None:
        """Raise ClosureError if the sample is not what is known of it."""
        refuse_if(bool(self._wrong), f"events that cannot be: {self._wrong}", ClosureError)
        own = np.concatenate(self._own) if self._own else np.empty(0)
        repeated = own.size - np.unique(own).size
        refuse_if(repeated > 0, f"events are repeated: {repeated} of {own.size} have the x of another", ClosureError)
        pulls = self.pulls()
        worst = max(pulls, key=lambda name: abs(pulls[name]))
        message = f"events disagree with what is known of them: pull in {worst} {pulls[worst]:.1f}"
        refuse_if(not abs(pulls[worst]) < max_pull + MARGIN, message, ClosureError)


_AZIMUTH = [
    f"{function} of {angle} of S" for angle in ("the azimuth", "twice the azimuth") for function in ("cosine", "sine")
]
_PARTICLES = ("mu_in", "mu_out", "S", "N_out")


def _square(p: Array) -> Array:
    """Invariant mass squared."""
    return np.asarray(p[3] ** 2 - np.sum(p[:3] ** 2, axis=0))
