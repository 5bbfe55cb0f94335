"""One chosen channel of decay: quadrature, files, forced decays and exports count that one alone."""

from __future__ import annotations

import numpy as np
import pytest

from mcgen import load, load_card, n_signal, save
from mcgen.analysis.reach import reach
from mcgen.analysis.reweight import reweight
from mcgen.base.errors import InputError
from mcgen.card.card import card_text, parse_card
from mcgen.events.export import export
from mcgen.generation.generate import generate
from mcgen.physics.boson.couplings import model_A
from mcgen.physics.boson.scalar_decay import widths

G = [1e-5, 1e-4]


def _card(decay, name="fermilab", more=""):
    head, rest = card_text(name).split("[scalar]")
    rest = rest.replace('width = "total"', "") if more else rest
    return parse_card(f'{head}[scalar]\ndecay = "{decay}"\n{more}{rest}')


@pytest.fixture(scope="module")
def photons():
    """Forced decays into two photons."""
    return generate(_card("gamma gamma"), 0.1, 5_000, force_decay=True)


def _ratio():
    w = widths(model_A(1.0), 0.1)
    return w.gamma_gamma / w.total


@pytest.mark.parametrize("name", ["fermilab", "na64"])
def test_quadrature(name):
    """N_S of a channel is its ratio times N_S; fails if its partial width becomes the decay length."""
    all_seen = n_signal(load_card(name), "A", 0.1, G)
    for n, whole in zip(n_signal(_card("gammagamma", name), "A", 0.1, G), all_seen, strict=True):
        assert n.value == pytest.approx(_ratio() * whole.value, rel=1e-12)


def test_invisible_share_counts_once():
    """With half of the decays invisible the channel has half; fails if the ratio is one of the visible ones."""
    whole = n_signal(load_card("fermilab"), "A", 0.1, [1e-6])
    half = n_signal(_card("e+e-", more="invisible = 0.5\n"), "A", 0.1, [1e-6])
    w = widths(model_A(1.0), 0.1)
    assert half[0].value == pytest.approx(whole[0].value * w.ee / w.total, rel=1e-3)  # L_S is long: N_S ~ Gamma_ee


def test_forced_decays(photons):
    """Weights times `decay_weight` of the file add up to N_S of the channel, and all daughters are photons.

    Fails if the ratio is left out, or taken twice.
    """
    card, c = _card("gammagamma"), photons.columns
    assert set(np.unique(c["decay_pdg"])) == {22}
    g = card.scalar.g_mu
    signal = c["weight"] * c["decay_weight"] * card.beam.particles_on_target * g**2
    (exact,) = n_signal(card, "A", 0.1, [g])
    error = np.sqrt(signal.size * np.var(signal))
    assert abs(signal.sum() - exact.value) < 4.0 * error
    assert error < 0.05 * exact.value
    for mc, quadrature in zip(reweight(photons, "A", G).n_signal, n_signal(card, "A", 0.1, G), strict=True):
        assert abs(mc.value - quadrature.value) < 4.0 * mc.error


def test_natural_decays_and_files(tmp_path):
    """The ratio is the weight of natural decays too, with chosen branches and in what other programs read.

    Fails if a file without `decay_weight` seems to count all channels.
    """
    card = _card("gammagamma")
    generate(card, 0.1, 1_000, decays=True, branches=["E_mu", "depth_cm", "S_E"], output=tmp_path / "few.root")
    few = np.concatenate([chunk["decay_weight"] for chunk in load(tmp_path / "few.root").iterate(["decay_weight"])])
    np.testing.assert_allclose(few, _ratio(), rtol=1e-12)
    events = generate(card, 0.1, 1_000, decays=True)
    g = [1e-4]
    found = reweight(events, "A", g)
    assert found.n_signal[0].value == reweight(tmp_path / "few.root", "A", g).n_signal[0].value
    by_vertex = reweight(events, "A", g, method="vertex").n_signal[0]
    assert abs(by_vertex.value - found.n_signal[0].value) < 4.0 * by_vertex.error
    save(events, tmp_path / "all.root")
    export(load(tmp_path / "all.root"), tmp_path / "all.lhe")
    in_file = (tmp_path / "all.lhe").read_text().split("<init>")[1].split("</init>")[0].split()
    whole = events.metadata["exposure"]["cross_section_pb"]
    assert float(in_file[10]) == pytest.approx(_ratio() * whole, rel=1e-3)
    again = reweight(tmp_path / "all.lhe", "A", g).n_signal[0]
    assert again.value == pytest.approx(found.n_signal[0].value, rel=1e-12)


def test_reach_of_a_channel():
    """At both edges the ratio times N_S of all channels is 3; fails if the reach forgets it."""
    (found,) = reach(_card("gammagamma"), ["A"], [0.1])
    for n in n_signal(load_card("fermilab"), "A", 0.1, [found.g_low, found.g_high]):
        assert n.value * _ratio() == pytest.approx(3.0, rel=1e-2)


@pytest.mark.parametrize(
    ("decay", "model", "allowed"), [("mu+mu-", "A", "e+e-, gammagamma"), ("e+e-", "B", "gammagamma")]
)
def test_closed_channel(decay, model, allowed):
    """A closed channel is one line that names the open ones; fails for a division by zero or an empty file."""
    card = _card(decay)
    for ask in (lambda: n_signal(card, model, 0.1, G), lambda: reach(card, [model], [0.1])):
        with pytest.raises(InputError) as error:
            ask()
        assert str(error.value) == f"scalar.decay: {decay} is closed at 0.1 GeV with model {model} (open: {allowed})"


def test_refused():
    """Unknown channels, and all but e+e- where it is the only one, are refused."""
    with pytest.raises(InputError, match="decay"):
        _card("nothing")
    with pytest.raises(InputError, match="ee_only"):
        _card("gammagamma", more='width = "ee_only"\n')
