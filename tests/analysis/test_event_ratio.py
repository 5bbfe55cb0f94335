"""Events of one form factor or mediator as those of another: against their own generation and against quadrature."""

from __future__ import annotations

import cmath
import functools
import itertools
import json
import math
import warnings

import numpy as np
import pytest

from mcgen import load_card
from mcgen.analysis.event_ratio import COLUMNS, altered, altered_card, event_point, weight_ratios
from mcgen.analysis.reweight import LowStatisticsWarning, reweight
from mcgen.base.errors import ClosureError, InputError
from mcgen.base.estimate import Estimate, weighted_sum
from mcgen.cli import main
from mcgen.events.formats.root import EventFile, save
from mcgen.generation.generate import generate
from mcgen.physics.emission.amplitude import amplitude_at, amplitude_of, azimuthal_form, transverse_momentum
from mcgen.physics.emission.form_factor import G2
from mcgen.physics.emission.four_momenta import four_momenta, tilt
from mcgen.physics.emission.kinematics import emission
from mcgen.quadrature.xsec import process_of
from mcgen.quadrature.yields import n_signal, t_spectrum, yield_per_muon
from mcgen.source.source import Source

MASS = {"fermilab": 0.1, "na64": 0.2}
CHANGES = [
    ("fermilab", {"form_factor": "helm"}),
    ("fermilab", {"mediator": "pseudoscalar"}),
    ("fermilab", {"mediator": "vector"}),
    ("na64", {"form_factor": "fourier-bessel"}),
    ("na64", {"mediator": "axial"}),
    ("na64", {"form_factor": "helm", "mediator": "vector"}),
]


@functools.cache
def _made(name, form_factor=None, mediator=None, seed=21):
    card = altered_card(load_card(name), form_factor, mediator)
    return generate(card, MASS[name], 100_000, seed, workers=2)


def _yield(events):
    w = np.concatenate([c["weight"] for c in events.iterate(["weight"])])
    return weighted_sum(w.sum(), (w * w).sum(), w.size, events.metadata["norm_relative_error"])


def _agree(a: Estimate, b: Estimate):
    return abs(a.value - b.value) < 4.0 * math.hypot(a.error, b.error)


@pytest.mark.parametrize(("name", "change"), CHANGES)
def test_closure(name, change):
    """Yield and N_S of an altered file, of a file made so, and of quadrature agree within 4 sigma.

    Fails if a ratio takes the wrong element, t or azimuth, or if the decays keep the widths of the old mediator.
    """
    other, made = altered(_made(name), **change), _made(name, **change, seed=22)
    card = altered_card(load_card(name), **change)
    found = _yield(other)
    assert abs(found.pull(yield_per_muon(Source(card), MASS[name]).value)) < 4.0
    assert _agree(found, _yield(made))
    model = card.scalar.model
    couplings = [1e-4, 4e-4] if model == "A" else [1e-6, 2e-6]  # a dark photon decays into electrons at full strength
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LowStatisticsWarning)
        by_weight = reweight(_made(name), model, couplings, **change).n_signal
        by_events = reweight(made, model, couplings).n_signal
    exact = n_signal(card, model, MASS[name], couplings)
    for weighed, counted, value in zip(by_weight, by_events, exact, strict=True):
        assert weighed.n_eff > 100.0
        assert _agree(weighed, counted)
        assert abs(weighed.pull(value.value)) < 4.0


@pytest.mark.parametrize(("name", "change"), CHANGES)
def test_t_spectrum(name, change):
    """Yield in bins of t against quadrature, each within 4 sigma; fails if a ratio is right only in the mean."""
    events, card = altered(_made(name), **change), altered_card(load_card(name), **change)
    (c,) = events.iterate(["weight", "t"])
    edges = np.geomspace(1e-5, 0.3, 8)
    expected, error = t_spectrum(Source(card), MASS[name], edges)
    for i, (low, high) in enumerate(itertools.pairwise(edges)):
        w = np.where((c["t"] >= low) & (c["t"] < high), c["weight"], 0.0)
        found = weighted_sum(w.sum(), (w * w).sum(), w.size, events.metadata["norm_relative_error"])
        assert abs(found.value - expected[i]) < 4.0 * math.hypot(found.error, error[i])


def test_there_and_back():
    """Ratios to another form factor and mediator and back multiply to 1, 1e-12; fails if one of them is not used."""
    there = altered(_made("na64"), "helm", "axial")
    back = altered(there, "paper", "scalar")
    (a,), (b,), (c,) = (events.iterate(["weight"]) for events in (_made("na64"), there, back))
    np.testing.assert_allclose(c["weight"], a["weight"], rtol=1e-12)
    assert not np.allclose(a["weight"], b["weight"], rtol=0.1)
    assert altered(_made("na64"), "paper", "scalar").metadata["card"]


@pytest.mark.parametrize(("target", "E", "m_S"), [("W", 3.0, 0.1), ("Pb", 160.0, 0.01), ("Pb", 160.0, 0.2)])
@pytest.mark.parametrize("angle", [0.0, 3e-3])
def test_amplitude_from_momenta(target, E, m_S, angle):
    """A from the three-momenta of an event, turned and tilted, is A at the point they were made from, 1e-10.

    Fails at 160 GeV if the point is taken from differences of energies, and at any energy if phi_q is from the wrong
    side. Compiled and plain.
    """
    process = process_of(target, m_S)
    rng = np.random.default_rng(5)
    for _ in range(300):
        E_S = rng.uniform(0.1, 0.9) * E
        omc = 10.0 ** rng.uniform(-9, -4) * (160.0 / E) ** 2
        phi = rng.uniform(-math.pi, math.pi)
        e = emission(E, process.m, process.m_out, m_S, process.M, E_S, omc)
        above = e.t_min * 10.0 ** rng.uniform(-3, 3)
        t = e.t_min + above
        if not t < 0.5 * e.t_max:
            continue
        q_perp = transverse_momentum(e, t, above)
        turn, out = rng.uniform(0.0, 6.0), np.empty((3, 4))
        _, scalar, nucleus = four_momenta(e, E, process.M, omc, t, q_perp, math.cos(phi), math.sin(phi))
        for row, v in zip(out, ((0.0, 0.0, e.p, E), scalar, nucleus), strict=True):
            along = complex(v[0], v[1]) * cmath.exp(1j * turn)
            row[:] = along.real, along.imag, v[2], v[3]
            tilt(row, angle * math.sin(turn), angle * math.cos(turn))
        p, k, N = (tuple(row[:3]) for row in out)
        for point in (event_point, event_point.py_func):
            omc_found, q_found, phi_found = point(E, process.m, m_S, p, k, N, E_S)
            e_found = emission(E, process.m, process.m_out, m_S, process.M, E_S, omc_found)
            A = amplitude_at(azimuthal_form(e_found, E, t, q_found, process), phi_found)
            assert (
                pytest.approx(amplitude_of(process, E, E_S, omc, above, phi), rel=1e-10 if angle == 0.0 else 1e-7) == A
            )


def test_emission_along_the_beam():
    """S along or against the beam has an angle of 0 or pi and finite numbers; fails if 0/0 is left."""
    for sign in (1.0, -1.0):
        k = sign * math.sqrt(1.0 - 0.01)
        omc, q_perp, phi = event_point(3.0, 0.1, 0.1, (0.0, 0.0, 2.998), (0.0, 0.0, k), (0.01, 0.0, 0.02), 1.0)
        assert omc == pytest.approx(1.0 - sign, abs=1e-3)
        assert q_perp == pytest.approx(0.01, rel=1e-12)
        assert math.isfinite(phi)


def test_form_factor_ratio_of_a_compound():
    """Each event gets the ratio of its own nucleus, 1e-13; fails if the first element's is used for all."""
    from mcgen.card.card import card_text, parse_card

    text = card_text("fermilab").replace('material = "W"', 'material = "PbWO4"')
    events = generate(
        parse_card("\n".join(r for r in text.splitlines() if not r.startswith(("n_atom", "dE_dy")))), 0.1, 5000, 2
    )
    card = parse_card(str(events.metadata["card"]))
    (c,) = altered(events, "helm").iterate(["weight", "target_Z", "t"])
    ratio = c["weight"] / events.columns["weight"]
    new = altered_card(card, "helm")
    assert len(Source(card).targets) == 3
    for element in Source(card).targets:
        struck = c["target_Z"] == element.Z
        assert struck.sum() > 20
        for t, found in zip(c["t"][struck][:200], ratio[struck], strict=False):
            expected = G2(t, Source(new).process(0.1, element).ff) / G2(t, Source(card).process(0.1, element).ff)
            assert found == pytest.approx(expected, rel=1e-13)


def test_command(tmp_path, capsys):
    """`mcgen reweight --form-factor --mediator` gives what the library gives, with the mediator's default model.

    Fails if an option is not passed on.
    """
    path = tmp_path / "events.root"
    save(_made("fermilab"), path)
    options = ["--form-factor", "helm", "--mediator", "vector", "--g-mu", "1e-6", "--json"]
    assert main(["reweight", str(path), *options]) == 0
    document = json.loads(capsys.readouterr().out)
    (expected,) = reweight(path, "dark-photon", [1e-6], form_factor="helm", mediator="vector").n_signal
    assert document["rows"][0]["n_signal"] == expected.value
    assert document["rows"][0]["n_eff"] == expected.n_eff
    assert (document["model"], document["form_factor"], document["mediator"]) == ("dark-photon", "helm", "vector")


def test_refused(tmp_path):
    """Unknown names, files without the branches and ratios that are no number are refused; fails if NaN is summed."""
    events = _made("fermilab")
    with pytest.raises(InputError, match="mediator"):
        reweight(events, "A", [1e-4], mediator="tensor")
    with pytest.raises(InputError, match="form factor"):
        reweight(events, "A", [1e-4], form_factor="none")
    with pytest.raises(InputError, match="not known for W"):
        reweight(events, "A", [1e-4], form_factor="fourier-bessel")
    with pytest.raises(InputError, match="model"):
        reweight(events, "A", [1e-4], mediator="vector")
    (chunk,) = events.iterate(COLUMNS)
    with pytest.raises(ClosureError, match="not in the target"):
        weight_ratios(chunk, {})
    path = tmp_path / "events.root"
    save(events, path)
    file = EventFile(path)
    assert set(COLUMNS) <= set(file.branches)
