"""Stages over blocks of points: against the kernels of one point, without the compiler, and of another process."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
import pytest

from mcgen.base.constants import ALPHA, GEV2_PB
from mcgen.base.jit import jit
from mcgen.base.rng import EVENTS, INTEGRATION, SOURCES, uniforms
from mcgen.events.branches import FLOAT_BRANCHES, ROW
from mcgen.generation import lattice as cells
from mcgen.generation import stages
from mcgen.generation.kernel import NO_PARTICLES, Beamline, accept, draw_sources, enqueue, fill, place
from mcgen.generation.lattice import Proposals, build_lattice, draw, integrate
from mcgen.generation.stages import NUCLEUS, SIZE, STAGES, Stages
from mcgen.physics.emission.amplitude import AzimuthalForm
from mcgen.physics.emission.form_factor import G2
from mcgen.physics.emission.kinematics import Emission, emission, scalar_energy_range
from mcgen.physics.emission.phase_space import PeakMap, rescaled, u_range
from mcgen.quadrature.xsec import process_of
from mcgen.source.track import linear
from validation.point import map_point

SEED, STREAM = np.uint64(4), np.uint64(INTEGRATION)
#: lepton, target, highest and lowest energy in GeV, mass, form factor: both maps of t, with and without a table
SETTINGS = [
    ("mu", "W", 3.0, 0.5, 0.1, "paper"),
    ("mu", "Pb", 160.0, 159.0, 0.01, "helm"),
    ("e", "Al", 20.0, 20.0, 0.05, "tsai"),
]


def _setting(lepton, target, high, low, m_S, form_factor):
    process = process_of(target, m_S, lepton, form_factor)
    return build_lattice(linear(high, low), process), process


def _proposed(lattice, process, n):
    proposals = Proposals(lattice, process, SEED, STREAM, np.arange(n))
    proposals.queue[0, :n] = np.arange(n)
    proposals.propose(n)
    return proposals


def test_quantities_do_not_overlap():
    """Every quantity has a row of its own within the block; fails if a field is added and the rows are not moved."""
    names = (
        "R_X R_U R_T U_ACCEPT DEPTH CELL CEILING E_BEAM E_S ONE_MINUS_COS RAY JACOBIAN T ABOVE A G2_T F BOUND COSINE"
    )
    rows = [getattr(stages, name) for name in f"{names} SINE EXCESS".split()]
    blocks = (stages.EMISSION, Emission), (stages.PEAK, PeakMap), (stages.FORM, AzimuthalForm)
    for start, size in (
        *((start, len(record._fields)) for start, record in blocks),
        (stages.MOMENTA, 12),
        (stages.ROOM, 8),
    ):
        rows += [start + SIZE * i for i in range(size)]
    assert sorted(rows) == list(range(0, stages.new_block().size, SIZE))


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: f"{s[0]} {s[1]}")
def test_a_block_is_its_points(setting):
    """Energy, angle, t and weight of 300 points are those of `map_point`, bit for bit; fails if a stage mixes points.

    The emission is that of the energy and angle, the form factor that of t.
    """
    lattice, process = _setting(*setting)
    b = _proposed(lattice, process, 300).block
    for i in range(300):
        E = b[stages.E_BEAM + i]
        r = (b[row + i] for row in (stages.R_X, stages.R_U, stages.R_T))
        p = map_point(E, process, rescaled(lattice.energies, E, process), *r)
        found = [b[row + i] for row in (stages.E_S, stages.ONE_MINUS_COS, stages.T, stages.ABOVE, stages.F)]
        assert found == [*p[:4], p.weight / b[stages.CEILING + i]]
        e = emission(E, process.m, process.m_out, process.m_S, process.M, p.E_S, p.one_minus_cos_theta)
        assert tuple(b[stages.EMISSION + i : stages.PEAK : SIZE]) == e
        assert b[stages.G2_T + i] == G2(p.t, process.ff)


def test_a_point_does_not_know_its_block():
    """A trial gives the same point in any place of any block; fails if a random number depends on the order."""
    lattice, process = _setting(*SETTINGS[0])
    straight, mixed = (Proposals(lattice, process, SEED, STREAM, np.arange(first, 140)) for first in (100, 60))
    straight.queue[:, :40] = np.arange(40), np.arange(40) % 3
    order = np.random.default_rng(1).permutation(40)
    mixed.queue[:, :40] = order + 40, order % 3
    for proposals in (straight, mixed):
        proposals.propose(40)
    for row in (stages.E_BEAM, stages.T, stages.F, stages.U_ACCEPT):
        np.testing.assert_array_equal(straight.block[row + order], mixed.block[row : row + 40])


def test_sources():
    """Each event comes from the component that its own number falls on; fails if events get their neighbours'."""
    shares, found = np.array([0.2, 0.2, 0.7, 1.0]), np.full(500, -1)
    draw_sources(shares, SEED, 30, found)
    u = [uniforms(SEED, np.uint64(SOURCES), np.uint64(30 + i), np.uint64(0))[0] for i in range(500)]
    np.testing.assert_array_equal(found, np.searchsorted(shares, u, "right"))


def test_cells_are_told_apart():
    """Numbers of cells divide as integers do, for each number of cells on an axis; fails if a quotient is rounded."""
    divided = getattr(cells._divided, "py_func", cells._divided)
    for by in {*cells.THICK, *cells.THIN}:
        for number in range(5 * by):
            assert divided(float(number), by) == divmod(number, by)
    assert divided(28.0 * 2**40 - 1.0, 28) == divmod(28 * 2**40 - 1, 28)


LOOPS = stages.transfers, stages.amplitude, stages.form_factor, stages.weights, stages.azimuths


def _plain(kernel):
    return getattr(kernel, "py_func", kernel)


def _in_python(kernels):
    """The same stages, their loops run by Python."""
    return kernels._make(_plain(kernel) for kernel in kernels)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: f"{s[0]} {s[1]}")
def test_stages_in_python(setting, monkeypatch):
    """Events from loops that Python runs are those of the compiled ones; fails where only compiled code is right.

    The scalar kernels inside stay compiled: to the last bit.
    """
    lattice, process = _setting(*setting)
    beam = Beamline(0.5, 0.0, NO_PARTICLES, 3.0, unweighted=True, unit_weight=2.0)
    made = [np.zeros((len(FLOAT_BRANCHES), 40)) for _ in range(2)]
    args = lattice, process, beam, SEED, 7 + np.arange(40)
    trials = fill(*args, made[0])
    for where, kernels in (("kernel", (enqueue, accept, place)), ("lattice", (draw,)), ("stages", LOOPS)):
        for kernel in kernels:
            monkeypatch.setattr(f"mcgen.generation.{where}.{kernel.__name__}", _plain(kernel))
    with np.errstate(over="ignore"):
        assert fill(*args, made[1], _in_python(NUCLEUS)) == trials
    np.testing.assert_array_equal(*made)


def test_rejected_points_come_back():
    """Each event is the first accepted trial of its own number, whatever the blocks; fails if a trial is left out.

    4500 events, in which points of three blocks and their rejected ones meet.
    """
    lattice, process = _setting(*SETTINGS[0])
    out = np.zeros((len(FLOAT_BRANCHES), 4500))
    beam = Beamline(0.0, 0.0, NO_PARTICLES, 0.0, unweighted=True, unit_weight=1.0)
    trials = fill(lattice, process, beam, SEED, 50 + np.arange(4500), out)
    proposals = Proposals(lattice, process, SEED, np.uint64(EVENTS), 50 + np.arange(4500))
    found = np.zeros(4500)
    for start in range(0, 4500, 1500):
        for trial in itertools.count():
            waiting = start + np.flatnonzero(found[start : start + 1500] == 0.0)
            if not waiting.size:
                break
            trials -= waiting.size
            proposals.queue[:, : waiting.size] = waiting, np.full(waiting.size, trial)
            proposals.propose(waiting.size)
            t, f, u = (proposals.block[row : row + waiting.size] for row in (stages.T, stages.F, stages.U_ACCEPT))
            found[waiting[u < f]] = t[u < f]
    assert trials == 0
    np.testing.assert_array_equal(out[ROW["t"]], found)


@jit
def _doubled(process, block, n):
    stages.transfers(process, block, n)
    stages.amplitude(process, block, n)
    for i in range(n):
        block[stages.A + i] *= 2.0
    stages.form_factor(process, block, n)
    stages.weights(process.M, block, n)


def test_a_stage_of_another_process():
    """An amplitude twice as large doubles ceilings and integral and leaves f and events alone; fails if it is not used.

    Bit for bit, as 2 is a power of two.
    """
    lattice, process = _setting(*SETTINGS[0])
    twice = NUCLEUS._replace(weigh=_doubled)
    doubled = build_lattice(lattice.track, process, twice)
    assert doubled.total == 2.0 * lattice.total
    np.testing.assert_array_equal(doubled.table[:, 2:], 2.0 * lattice.table[:, 2:])
    args = process, SEED, STREAM, 0, 5000
    assert integrate(doubled, *args, twice) == integrate(lattice, *args)
    assert integrate(lattice, *args, twice)[0] == 2.0 * integrate(lattice, *args)[0]
    beam = Beamline(0.0, 0.0, NO_PARTICLES, 0.0, unweighted=True, unit_weight=1.0)
    made = [np.zeros((len(FLOAT_BRANCHES), 100)) for _ in range(2)]
    fill(lattice, process, beam, SEED, np.arange(100), made[0])
    fill(doubled, process, beam, SEED, np.arange(100), made[1], twice)
    np.testing.assert_array_equal(*made)


_U = stages.EMISSION + Emission._fields.index("u") * SIZE


@jit
def _propagator(process, block, n):
    """Amplitude and form factor of a toy."""
    stages.transfers(process, block, n)
    for i in range(n):
        u = block[_U + i]
        t = block[stages.T + i]
        block[stages.A + i] = process.weights / (u * u)
        block[stages.G2_T + i] = t * process.ff.d / (t + process.ff.d)
    stages.weights(process.M, block, n)


def _integral(E, toy):
    """Integral of d/(t (t + d))/(V u^2) over E_S, |u| and t: the last in closed form, Gauss's rule in E_S and 1/|u|.

    Nodes are even in the angle of a half circle, as the integrand falls to 0 at the ends like a root.
    """
    y, w = np.polynomial.legendre.leggauss(100)
    nodes, weights = np.sin(0.25 * np.pi * (y + 1.0)) ** 2, 0.25 * np.pi * w * np.sin(0.5 * np.pi * (y + 1.0))
    low, high = scalar_energy_range(E, toy.m, toy.m_out, toy.m_S, toy.M, 1.0)
    d, total = toy.ff.d, 0.0
    for x, w_x in zip(nodes, weights * (high - low), strict=True):
        E_S = low + x * (high - low)
        u_low, u_high, two_pk = u_range(E, E_S, toy)
        span = 1.0 / u_low - 1.0 / u_high
        for v, w_v in zip(1.0 / u_high + nodes * span, weights * span, strict=True):
            e = emission(E, toy.m, toy.m_out, toy.m_S, toy.M, E_S, min(2.0, max(0.0, (1.0 / v - u_low) / two_pk)))
            if e.t_max > e.t_min:
                total += w_x * w_v * e.per_V * math.log(e.t_max * (e.t_min + d) / (e.t_min * (e.t_max + d)))
    return total


def test_a_process_of_its_own():
    """Amplitude a/u^2 and form factor t d/(t + d): the integral by another quadrature, 5 sigma.

    A single number stands for the mediator's weights: fails if a loop over points knows the nucleus's amplitude.
    """
    E = 3.0
    toy = process_of("W", 0.1)._replace(weights=0.25)
    own = NUCLEUS._replace(weigh=_propagator)
    lattice = build_lattice(linear(E, E), toy, own)
    n = 100_000
    total, squares, _, _ = integrate(lattice, toy, SEED, STREAM, 0, n, own)
    found, error = lattice.total * total / n, lattice.total * math.sqrt(squares - total**2 / n) / n
    flux = ALPHA**2 * GEV2_PB / (64.0 * math.pi * toy.M**2 * (E**2 - toy.m**2))
    assert error < 5e-4 * found
    assert abs(found - toy.weights * flux * _integral(E, toy)) < 5.0 * error


class Twice(NamedTuple):
    """Constants of a toy process."""

    M: float


def test_stages_of_the_constants(monkeypatch):
    """Constants of another type bring their stages, with no argument more; fails if a nucleus is taken for all."""
    lattice, process = _setting(*SETTINGS[0])
    with pytest.raises(KeyError):
        build_lattice(lattice.track, Twice(process.M))

    def on_nucleus(stage):
        return lambda _, *rest: stage(process, *rest)

    loops = map(on_nucleus, NUCLEUS._replace(weigh=_doubled)[1:])
    monkeypatch.setitem(STAGES, Twice, Stages(lambda E, _: NUCLEUS.energy_map(E, process), *loops))
    assert build_lattice(lattice.track, Twice(process.M)).total == 2.0 * lattice.total


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: f"{s[0]} {s[1]}")
def test_azimuths_are_those_of_their_events(setting):
    """Each accepted point has the azimuth that its own event draws, to the last bit; fails for a neighbour's number."""
    lattice, process = _setting(*setting)
    n, events = 200, 1000 + np.arange(300)
    proposals = _proposed(lattice, process, n)
    block, forms = proposals.block, stages.FORM + SIZE * np.arange(len(AzimuthalForm._fields))
    made = np.array([np.arange(0, n, 3), np.arange(0, n, 3) + 50])
    for kernel in (stages.azimuths, stages.azimuths.py_func):
        with np.errstate(over="ignore"):
            kernel(SEED, events, made, block, made.shape[1], n)
        for i, column in made.T:
            form = AzimuthalForm(*block[forms + i])
            bound = stages.azimuth_bound(form)
            event = np.uint64(events[column])
            drawn = stages.sample_azimuth(form, bound, SEED, np.uint64(EVENTS), event, stages.AFTER_TRIALS + 1)
            assert [block[row + i] for row in (stages.COSINE, stages.SINE, stages.EXCESS)] == list(drawn)


def test_azimuth_bound():
    """The bound is 2 % above the largest of nine equidistant points in psi; fails if one of them is left out."""
    lattice, process = _setting(*SETTINGS[0])
    block = _proposed(lattice, process, 100).block
    for i in range(100):
        form = AzimuthalForm(*block[stages.FORM + SIZE * np.arange(len(AzimuthalForm._fields)) + i])
        at = [stages.scaled_amplitude(form, math.cos(math.pi * k / 8.0))[0] for k in range(9)]
        assert stages.azimuth_bound(form) == pytest.approx(1.02 * max(at), rel=1e-12)
    for k in range(9):  # whichever of them is the largest
        peaked = AzimuthalForm(*np.zeros(len(AzimuthalForm._fields)))._replace(s_min=1.0)
        y = math.cos(math.pi * k / 8.0)
        peaked = peaked._replace(n10=1.0 - y * y, n11=2.0 * y, n12=-1.0)  # 1 - (c - y)^2, and c = y where b = 0
        assert stages.azimuth_bound(peaked) == pytest.approx(1.02, rel=1e-12)
