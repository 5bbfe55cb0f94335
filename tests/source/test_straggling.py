"""Random energy loss: the kernel against exact sums, mulder's tables against our formulas, and its own transport."""

from __future__ import annotations

import functools
import itertools
import math
import sys

import numpy as np
import pytest

import mcgen.source.transport
from mcgen import load_card
from mcgen.analysis.reweight import reweight
from mcgen.analysis.variations import changed
from mcgen.base.constants import AVOGADRO, M_E, M_MU, M_P
from mcgen.base.errors import InputError
from mcgen.generation.generate import generate
from mcgen.physics.matter import radiative_loss
from mcgen.quadrature.yields import n_signal
from mcgen.source.mulder_tables import random_loss
from mcgen.source.source import Source, checked, source_of
from mcgen.source.straggling import Losses, _share, travel, travelled

DENSITY, Z, A = 19.30, 74.0, 183.84


@functools.cache
def tungsten():
    pytest.importorskip("mulder", reason="mulder is not installed: straggling was tested with made-up rates only")
    return random_loss(((1.0, "W"),), DENSITY, 0.1485, 10.1)


def power_law(rate: float, least: float, index: float) -> Losses:
    """Pieces above a share v at rate (v/least)^-index, up to 1/2, and next to no continuous loss."""
    shares = np.append(np.geomspace(least, 0.5, 9), 1.0)
    rates = rate * np.append((shares[:-1] / least) ** -index, 0.0)
    rates[-2] = 0.0
    return Losses(np.log(np.geomspace(0.01, 100.0, 33)), np.full(33, 1e-9), shares, np.tile(rates, (33, 1)))


@pytest.mark.parametrize("n", [300, 400_000])
def test_kernel_with_exact_sums(n):
    """log E after many pieces is a compound Poisson process; fails for a piece of the wrong size or rate."""
    losses, length = power_law(0.2, 1e-2, 1.3), 20.0
    T = travelled(np.full(n, 50.0), length, losses, np.uint64(1)) - M_MU
    logs = np.log(T / (50.0 - M_MU))
    shares, row = losses.shares, losses.rates[0]
    v = np.concatenate([np.linspace(a, b, 2001) for a, b in itertools.pairwise(shares[:-1])])
    above = np.interp(v, shares[-3:], row[-3:]) * (v > shares[-3]) + 0.2 * (v / 1e-2) ** -1.3 * (v <= shares[-3])
    middle, pieces = np.log1p(-0.5 * (v[1:] + v[:-1])), -np.diff(above)
    mean, variance = (length * np.sum(pieces * middle**k) for k in (1, 2))
    assert logs.mean() == pytest.approx(mean, abs=4.0 * math.sqrt(variance / n))
    if n > 1000:
        assert logs.var() == pytest.approx(variance, rel=0.02)


def test_kernel_without_compiler():
    """Plain Python follows the same muons, 1e-12; fails if the compiled kernel reads another row or random number."""
    losses = power_law(0.2, 1e-2, 1.3)
    E = np.linspace(1.0, 50.0, 12)
    plain = [travel.py_func(e - M_MU, 20.0, losses, np.uint64(5), np.uint64(i)) + M_MU for i, e in enumerate(E)]
    np.testing.assert_allclose(travelled(E, 20.0, losses, np.uint64(5)), plain, rtol=1e-12)


def test_continuous_loss_alone():
    """Without pieces T follows dT/dx = -loss(T) to 1e-3 of what is lost, and stops at the end of the table.

    Fails for a lost step or another row of the table. The path is the integral of dT/loss.
    """
    log_T = np.log(np.geomspace(0.01, 100.0, 9))
    losses = Losses(log_T, 0.02 + 0.003 * (log_T - log_T[0]), np.array([0.1, 1.0]), np.zeros((9, 2)))
    for start, end in ((3.0, 2.0), (50.0, 20.0), (0.5, 0.05)):
        T = np.geomspace(end, start, 20_001)
        loss = 0.02 + 0.003 * (np.log(T) - log_T[0])
        length = np.sum(0.5 * (1.0 / loss[1:] + 1.0 / loss[:-1]) * np.diff(T))
        found = travel(start, length, losses, np.uint64(1), np.uint64(2))
        assert found == pytest.approx(end, abs=1e-3 * (start - end))
    assert travel(0.5, 1e3, losses, np.uint64(1), np.uint64(2)) == pytest.approx(0.01, rel=1e-12)


def test_share_of_a_piece():
    """The rate above the share that u chooses is u times the whole rate, 1e-12; fails for the share of another u."""
    losses = power_law(0.2, 1e-2, 1.3)
    shares, row = losses.shares, losses.rates[0]
    for u in np.linspace(0.003, 0.999, 40):
        v = _share(row, shares, u)
        above = 0.2 * (v / 1e-2) ** -1.3 if v < shares[-3] else np.interp(v, shares[-3:], row[-3:])
        assert above == pytest.approx(0.2 * u, rel=1e-12)


def mean_of_pieces(losses: Losses) -> np.ndarray:
    """Energy lost in pieces, as a share of the kinetic energy per cm: the integral of the rates over the share."""
    v = np.geomspace(losses.shares[0], 1.0, 20_001)
    out = []
    for row in losses.rates:
        last = np.count_nonzero(row > 0.0)
        if not last:
            out.append(0.0)
            continue
        above = np.where(
            v < losses.shares[last - 1],
            np.exp(np.interp(np.log(v), np.log(losses.shares[:last]), np.log(row[:last]))),
            np.interp(v, losses.shares, row),
        )
        out.append(row[0] * v[0] + np.sum(0.5 * (above[1:] + above[:-1]) * np.diff(v)))
    return np.array(out)


def test_pieces_and_rest_make_the_mean():
    """Soft loss and pieces add up to the mean loss at all energies; fails if a share of the spectrum is missing."""
    law = tungsten()
    T = np.exp(law.losses.log_T)
    inner = (T > 0.06) & (T < 9.0)
    total = law.losses.soft + T * mean_of_pieces(law.losses)
    np.testing.assert_allclose(total[inner], law.loss(T[inner] + M_MU), rtol=1.5e-3)


def own_rate(T: float, share: float) -> float:
    """Pieces above a share of T per cm of tungsten, from the spectra of `physics` and of knock-on electrons."""
    E = np.array(T + M_MU)
    x, w = np.polynomial.legendre.leggauss(200)
    low, high = share * T / E, 1.0 - 1e-6
    v, w = low + (high - low) * 0.5 * (x + 1.0), 0.5 * (high - low) * w
    resolved = v < radiative_loss.v_max(E, Z)
    photons = np.where(resolved, radiative_loss.bremsstrahlung_nucleus(v, E, Z, A), 0.0)
    hadrons = np.where(v < 1.0 - 0.5 * M_P / E * (1.0 + (M_MU / M_P) ** 2), radiative_loss.photonuclear(v, E, Z, A), 0)
    z, z_w = np.polynomial.legendre.leggauss(80)
    most = np.sqrt(np.maximum(1.0 - 4.0 * M_E / (E * v), 0.0)) * (1.0 - 6.0 * M_MU**2 / (E * E * (1.0 - v)))
    most = np.where(resolved, np.maximum(most, 0.0), 0.0)[:, None]
    rho = 0.5 * most * (z + 1.0)
    pairs = np.sum(z_w * most * radiative_loss.pair_production(v[:, None], rho, E, Z), axis=1)
    gamma = E / M_MU
    highest = 2.0 * M_E * (gamma**2 - 1.0) / (1.0 + 2.0 * gamma * M_E / M_MU + (M_E / M_MU) ** 2)
    beta2, least = 1.0 - gamma**-2, share * T
    knocked = 0.0
    if least < highest:
        knocked = 1.0 / least - 1.0 / highest - beta2 / highest * np.log(highest / least)
        knocked = 0.5 * 0.307075e-3 * Z / beta2 / AVOGADRO * (knocked + 0.5 * (highest - least) / E**2)
    return float(DENSITY * AVOGADRO / A * (np.sum(w / v * (photons + hadrons + pairs)) + knocked))


@pytest.mark.parametrize("T", [0.7, 3.0, 9.0])
def test_rates_of_mulder(T):
    """mulder's rates of pieces above a share are those of our formulas; fails for a wrong unit or a lost process."""
    losses = tungsten().losses
    i = int(np.argmin(np.abs(np.exp(losses.log_T) - T)))
    own = np.array([own_rate(math.exp(losses.log_T[i]), share) for share in losses.shares[:-1]])
    body = own > 1e-3 * own[0]
    np.testing.assert_allclose(losses.rates[i][:-1][body], own[body], rtol=0.02)
    tail = ~body & (own > 3e-5 * own[0])  # newer cross sections there
    np.testing.assert_allclose(losses.rates[i][:-1][tail], own[tail], rtol=0.3)


def test_mean_behind_a_slice():
    """The mean energy behind 10 cm is that of the mean loss; fails for a step too long, or a loss counted twice."""
    law = tungsten()
    E = travelled(np.full(100_000, 3.0), 10.0, law.losses, np.uint64(2))
    assert E.mean() == pytest.approx(float(law.after(3.0, 10.0)), abs=4.0 * E.std() / math.sqrt(E.size) + 2e-4)
    energies, cdf = law.behind(np.array([3.0, 3.0]), np.array([0.0, 1.0]), 10.0)
    assert np.trapezoid(energies, cdf) == pytest.approx(E.mean(), abs=1e-3)
    assert np.all(np.diff(energies) >= 0.0)
    assert energies[-1] < 3.0


@pytest.mark.slow
def test_transport_backwards():
    """Muons of 2.0 to 2.6 GeV behind 50 cm: our transport forwards and mulder's own backwards give one spectrum.

    Both with continuous losses below 1 %, the least that mulder's transport takes. Below 0.5 GeV, one in a thousand
    muons, its backward sampling misses large losses. Fails for a tail or an edge of another shape.
    """
    import mulder

    from mcgen.source import mulder_tables

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mulder_tables, "SHARES", np.geomspace(0.01, 0.9, 18))
        tungsten()
        losses = random_loss.__wrapped__(((1.0, "W"),), DENSITY, 0.1485, 10.1).losses
    low, high, n, width = 2.0, 2.6, 1_000_000, 0.01
    T = travelled(low + (high - low) * (np.arange(n) + 0.5) / n, 50.0, losses, np.uint64(3)) - M_MU
    mulder.config.NOTIFY = False
    layer = mulder.Layer(0.0, material=mulder_tables.name_of(((1.0, "W"),), DENSITY))
    reference = mulder.Reference(1.0, altitude=0.0, energy=(1e-3, 1e5))
    physics = mulder.Physics(cutoff=0.01)
    meter = mulder.Fluxmeter(layer, mode="mixed", seed=1, reference=reference, physics=physics)
    pulls = []
    for at in (0.5, 0.6, 0.7, 0.9, 1.05, 1.15, 1.25):
        states = meter.transport(altitude=-0.5, elevation=90.0, energy=at, events=8_000).array
        weight = np.where(abs(states["energy"] + M_MU - 0.5 * (low + high)) < 0.5 * (high - low), states["weight"], 0.0)
        backwards, error = weight.mean() / (high - low), weight.std() / math.sqrt(weight.size) / (high - low)
        inside = np.count_nonzero(abs(T - at) < 0.5 * width)
        forwards, other = inside / n / width, math.sqrt(inside) / n / width
        pulls.append((forwards - backwards) / math.hypot(error, other))
    assert np.all(np.abs(pulls) < 4.0), pulls
    assert abs(np.mean(pulls)) < 1.5


def test_events_with_random_loss():
    """N_S of a file is that of the quadrature, close to that of the mean loss, and the same for twice the slices.

    Fails if a slice is lost, or its spectrum is that of another one.
    """
    tungsten()
    card = load_card("fermilab")
    mean, random = (changed(card, target={"energy_loss": kind}) for kind in ("table", "mulder"))
    exact = n_signal(random, "A", 0.1, [2e-5, 4e-4])
    events = generate(random, 0.1, 40_000, workers=2)
    for found, wanted in zip(reweight(events, "A", [2e-5, 4e-4]).n_signal, exact, strict=True):
        assert abs(found.pull(wanted.value)) < 4.0
    long_lived, early = (b.value / a.value for a, b in zip(n_signal(mean, "A", 0.1, [2e-5, 4e-4]), exact))  # noqa: B905
    assert 1.000 < long_lived < 1.01
    assert 1.01 < early < 1.05
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mcgen.source.transport, "SLICES", 64)
        finer = n_signal(changed(card, target={"energy_loss": "mulder"}), "A", 0.1, [2e-5, 4e-4])
    for one, other in zip(exact, finer, strict=True):
        assert one.value == pytest.approx(other.value, rel=3e-3)


def test_scattering_with_random_loss():
    """mulder's angles are Highland's within 15 % at 10 to 45 cm; fails for space angles, or a wrong unit of length."""
    tungsten()
    target = {"energy_loss": "mulder", "multiple_scattering": True}
    found = Source(changed(load_card("fermilab"), target=target)).scattering
    known = Source(changed(load_card("fermilab"), target=target | {"energy_loss": "table"})).scattering
    y = np.linspace(10.0, 45.0, 8)
    ratio = np.interp(y, found.depth, found.theta) / np.interp(y, known.depth, known.theta)
    assert np.all(abs(ratio - 1.0) < 0.15), ratio


def test_no_such_material():
    """What mulder cannot tell is refused in one line; fails with negative losses, or an error of its own kind."""
    tungsten()
    with pytest.raises(InputError, match="no energy loss at 1e\\+20"):
        random_loss(((1.0, "H"),), 1e20, 0.1485, 10.1)
    with pytest.raises(InputError, match="refuses the material"):
        random_loss(((1.0, "Xx"),), 1.0, 0.1485, 10.1)


def test_without_mulder(monkeypatch):
    """One line that says what to install; fails with a traceback. Electrons are refused."""
    random_loss.cache_clear()
    source_of.cache_clear()
    monkeypatch.setitem(sys.modules, "mulder", None)
    with pytest.raises(InputError, match=r"mcgen\[mulder\]"):
        checked(changed(load_card("fermilab"), target={"energy_loss": "mulder"}))
    with pytest.raises(InputError, match="for muons"):
        changed(load_card("fermilab"), beam={"particle": "e-"}, target={"energy_loss": "mulder"})
