"""One file at every coupling: N_S and sigma~ against quadrature, closure, and what carries too few events."""

from __future__ import annotations

import itertools
import json
import warnings

import numpy as np
import pytest
from pvalue import chi2_probability

from mcgen import load_card
from mcgen.analysis.reach import reach, reach_from_events
from mcgen.analysis.reweight import LowStatisticsWarning, reweight
from mcgen.base.errors import InputError
from mcgen.base.estimate import weighted_sum
from mcgen.card.card import card_text, parse_card
from mcgen.cli import main
from mcgen.generation.generate import generate
from mcgen.physics.boson.couplings import MODELS, Couplings
from mcgen.quadrature.yields import n_signal, sigma_tilde
from mcgen.search.search import Search
from mcgen.source.media import Medium
from mcgen.source.source import Source

#: couplings at which each experiment has a signal, per model
COUPLINGS = {
    ("fermilab", "A"): np.geomspace(1e-5, 4e-4, 8).tolist(),
    ("fermilab", "B"): np.geomspace(1e-5, 4e-3, 8).tolist(),
    ("na64", "A"): np.geomspace(1e-5, 5e-3, 8).tolist(),
    ("na64", "B"): np.geomspace(1e-5, 0.5, 8).tolist(),
}
EACH = pytest.mark.parametrize(("name", "model"), COUPLINGS)


@pytest.fixture
def file(request, name):
    """The shared file of an experiment."""
    return request.getfixturevalue(f"{name}_events")


def _quiet(*arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LowStatisticsWarning)
        return reweight(*arguments, **options)


@EACH
@pytest.mark.parametrize("method", ["probability", "vertex"])
def test_n_signal(file, name, model, method):
    """N_S of 200000 events at 8 couplings pulls by less than 4; fails if width or fiducial range scale wrongly.

    Only couplings that more than 25 effective events carry are asked for an honest error.
    """
    couplings = COUPLINGS[name, model]
    m_S = file.metadata["mass_gev"]
    found = _quiet(file, model, couplings, method=method)
    expected = n_signal(load_card(name), model, m_S, couplings)
    asked = 0
    for value, exact in zip(found.n_signal, expected, strict=True):
        if value.n_eff > 25.0:
            asked += 1
            assert abs(value.pull(exact.value)) < 4.0
    assert asked >= (6 if method == "probability" else 3)
    assert found.g_mu == couplings
    assert found.n_events == 200_000


@EACH
def test_sigma_tilde(file, name, model):
    """sigma~ in ten bins of E_mu against quadrature, chi2 p > 1e-4; fails if a bin's width or a rate is off."""
    g, m_S, bins = COUPLINGS[name, model][3], file.metadata["mass_gev"], 10
    card = load_card(name)
    found = _quiet(file, model, [g], energy_bins=bins)
    edges = np.linspace(*Source(card).energy_range(m_S), bins + 1)
    np.testing.assert_allclose(found.E_mu, 0.5 * (edges[1:] + edges[:-1]), rtol=1e-12)
    y, w = np.polynomial.legendre.leggauss(4)
    chi2 = 0.0
    for estimate, low, high in zip(found.sigma_tilde[0], edges[:-1], edges[1:], strict=True):
        energies = (low + 0.5 * (high - low) * (y + 1.0)).tolist()
        exact = 0.5 * w @ [s.value for s in sigma_tilde(card, model, m_S, g, energies)]
        chi2 += estimate.pull(exact) ** 2
    assert chi2_probability(chi2, bins) > 1e-4


@pytest.mark.parametrize("model", ["A", "B"])
def test_n_signal_is_the_sum_of_its_bins(fermilab_events, model):
    """N_S = N_mu n/(dE/dy) times the integral of sigma~ (Eq. 17), 1e-10; fails if the edge bins lose events."""
    card, g = load_card("fermilab"), 1e-4
    found = reweight(fermilab_events, model, [g], energy_bins=7)
    width = (3.0 - 0.5) / 7
    total = sum(s.value for s in found.sigma_tilde[0]) * width
    rate = card.beam.particles_on_target * Medium(card.target).atoms_per_cm3 / Medium(card.target).loss
    assert found.n_signal[0].value == pytest.approx(rate * total, rel=1e-10, abs=0.0)


def test_explicit_couplings(fermilab_events):
    """Couplings given one by one equal the model that has them; fails if only the muon's coupling is used."""
    for model, g in itertools.product(("A", "B"), (3e-5, 2e-4)):
        by_name = reweight(fermilab_events, model, [g])
        explicit = reweight(fermilab_events, MODELS[model](g))
        assert explicit.n_signal == by_name.n_signal
        assert explicit.sigma_tilde == by_name.sigma_tilde
        assert explicit.g_mu == [g]


@pytest.fixture(scope="module")
def at_two_couplings():
    """Events made at two reference couplings with different seeds, 100000 each."""
    text = card_text("fermilab")
    made = {}
    for g, seed in ((5e-4, 11), (8e-5, 12)):
        card = parse_card(text.replace("g_mu = 5e-4", f"g_mu = {g}"))
        made[g] = generate(card, 0.1, 100_000, seed, workers=2)
    return made


def _seen(events, g_mu):
    """N_S counted from the decay positions that are in the file."""
    c, card = events.columns, load_card("fermilab")
    flight = np.sqrt(sum((c[f"decay_{a}_cm"] - c[f"vertex_{a}_cm"]) ** 2 for a in "xyz"))
    z_min, z_max = Search.of(card).along_beam(c["depth_cm"])
    w = np.where((flight > z_min) & (flight < z_max), c["weight"], 0.0)
    plain = weighted_sum(w.sum(), (w * w).sum(), len(w))
    factor = card.beam.particles_on_target * g_mu**2
    return factor * plain.value, factor * plain.error


@pytest.mark.parametrize("method", ["probability", "vertex"])
def test_closure(at_two_couplings, method):
    """Decays counted at g2 in a file made at g2 agree with a file made at g1 and reweighted to g2, 4 sigma.

    Fails if the weights hold the reference coupling, or if proper times are not those of the decay positions.
    """
    (g1, first), (g2, second) = at_two_couplings.items()
    for there, here, g in ((first, second, g2), (second, first, g1)):
        (n,) = _quiet(there, "A", [g], method=method).n_signal
        value, error = _seen(here, g)
        assert value > 0.0
        assert abs(n.value - value) < 4.0 * np.hypot(n.error, error)


def test_vertex_method_counts_the_decays_of_the_file(at_two_couplings):
    """At the reference coupling the vertex method counts decay positions, 1e-9; fails if it uses another L_S."""
    for g, events in at_two_couplings.items():
        (n,) = _quiet(events, "A", [g], method="vertex").n_signal
        assert n.value == pytest.approx(_seen(events, g)[0], rel=1e-9, abs=0.0)


def test_weighted_events(tmp_path):
    """A weighted file gives the same N_S within 4 sigma; fails if weights are counted as ones."""
    card, couplings = load_card("fermilab"), [2e-5, 1e-4, 2e-4]
    file = generate(card, 0.1, 100_000, 3, output=tmp_path / "weighted.root", weighted=True, workers=2)
    expected = n_signal(card, "A", 0.1, couplings)
    for value, exact in zip(reweight(file, "A", couplings).n_signal, expected, strict=True):
        assert abs(value.pull(exact.value)) < 4.0
        assert value.n_eff < 100_000


def test_few_events_are_announced(fermilab_events):
    """A warning where N_S rests on less than 100 effective events; fails if a tail is given without a word."""
    with pytest.warns(LowStatisticsWarning, match="0.003$"):
        found = reweight(fermilab_events, "A", [1e-4, 3e-3])
    assert found.n_signal[0].n_eff > 1e3
    assert found.n_signal[1].n_eff < 100.0


@EACH
def test_reach_from_events(file, name, model):
    """The contour of 200000 events lies within 0.5 % of the quadrature; fails if the file's mass or card is ignored."""
    m_S = file.metadata["mass_gev"]
    (found,) = reach_from_events([file.path], [model])
    (exact,) = reach(load_card(name), [model], [m_S])
    assert found.g_low == pytest.approx(exact.g_low, rel=5e-3, abs=0.0)
    assert found.g_high == pytest.approx(exact.g_high, rel=5e-3, abs=0.0)
    assert (found.experiment, found.mass_gev, found.production) == (name, m_S, "events")


@pytest.mark.parametrize(
    "arguments",
    [
        {"g_mu": [0.0]},
        {"g_mu": [float("nan")]},
        {"g_mu": [1e9]},
        {"method": "guess"},
        {"model": "C"},
        {"energy_bins": 0},
    ],
)
def test_refused(fermilab_events, arguments):
    """What cannot be reweighted is refused; fails if a NaN coupling gives a NaN signal."""
    with pytest.raises(InputError):
        reweight(fermilab_events, **({"model": "A", "g_mu": [1e-4]} | arguments))


ELECTRONS = """
name = "electrons"
[beam]
particle = "e-"
energy = "20 GeV"
muons = 1e18
[target]
material = "W"
length = "10 cm"
[detector]
signature = "displaced"
L_det = "50 m"
gap = "10 m"
{shape}
[scalar]
mass = "20 MeV"
[scan]
g_mu = "1e-5"
mass = "20 MeV"
models = ["A"]
"""


@pytest.mark.parametrize("shape", ["", 'geometry = "3d"\nradius = "1 m"'])
def test_couplings_of_an_electron_beam(capsys, tmp_path, shape):
    """Electrons alone make and take S: N_S from events by command and in Python meets quadrature, 4 sigma.

    Fails if g_mu, which is 0, is taken for the coupling that makes S, or refused.
    """
    card = parse_card(ELECTRONS.format(shape=shape))
    path = tmp_path / "electrons.root"
    generate(card, 0.02, 20_000, 7, output=path)
    couplings = Couplings(1e-7, 0.0, 0.0)
    (found,) = _quiet(path, couplings).n_signal
    (expected,) = n_signal(card, couplings, 0.02, [1.0])
    assert expected.value > 0.0
    if shape:
        assert 0.0 < found.value < expected.value
    else:
        assert abs(found.value - expected.value) < 4.0 * found.error
        (half,) = n_signal(card, Couplings(5e-8, 0.0, 0.0), 0.02, [0.0])
        assert half.value < expected.value
    assert main(["reweight", str(path), "--couplings", "1e-7,0,0", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["rows"][0]["n_signal"] == pytest.approx(found.value, rel=1e-12)
    assert document["couplings"] == {"g_e": 1e-7, "g_mu": 0.0, "g_tau": 0.0, "g_nu": 0.0, "g_flavour": 0.0}
    assert sigma_tilde(card, couplings, 0.02, 0.0, [20.0])[0].value > 0.0
    alike = MODELS["A"](1e-4)
    (by_name,), (explicit,) = (_quiet(path, m, [1e-4]).n_signal for m in ("A", alike))
    assert explicit.value == pytest.approx(by_name.value, rel=1e-12)
    assert _quiet(path, Couplings(-1e-7, 0.0, 0.0)).n_signal[0] == found


@pytest.mark.parametrize(("lepton", "couplings"), [("mu", Couplings(1e-7, 0.0, 0.0)), ("e", Couplings(0.0, 1e-7, 0.0))])
def test_couplings_without_the_beam(fermilab_events, lepton, couplings):
    """Couplings that leave out the beam's lepton are refused with its name; fails if N_S is 0 without a word."""
    card = load_card("fermilab") if lepton == "mu" else parse_card(ELECTRONS.format(shape=""))
    words = f"g_{lepton} is 0"
    for call in (
        lambda: n_signal(card, couplings, 0.02, [1e-7]),
        lambda: sigma_tilde(card, couplings, 0.02, 1e-7, [2.0]),
    ):
        with pytest.raises(InputError, match=words):
            call()
    if lepton == "mu":
        with pytest.raises(InputError, match=words):
            reweight(fermilab_events, couplings)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -2e3])
def test_couplings_that_are_no_numbers(fermilab_events, bad):
    """Each explicit coupling is checked by its name; fails if NaN or infinity goes into a width."""
    for i, name in enumerate(Couplings._fields):
        values = [1e-4, 1e-4, 1e-4, 0.0, 0.0]
        values[i] = bad
        with pytest.raises(InputError, match=name):
            reweight(fermilab_events, Couplings(*values))
        with pytest.raises(InputError, match=name):
            n_signal(load_card("fermilab"), Couplings(*values), 0.1, [1e-4])
