"""Events of one card for the detector of another."""

from __future__ import annotations

import json

import pytest

from mcgen import generate, load_card, n_signal, reweight
from mcgen.base.errors import InputError
from mcgen.card.card import parse_card
from mcgen.cli import main

M_S = 0.1
COUPLINGS = [2e-5, 1e-4, 4e-4]
FERMILAB = load_card("fermilab")


def changed(**sections):
    """The Fermilab card with other keys."""
    update = {name: getattr(FERMILAB, name).model_copy(update=keys) for name, keys in sections.items()}
    return parse_card(FERMILAB.model_copy(update=update).text, "other")


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """Events of the Fermilab card."""
    return generate(FERMILAB, M_S, 20_000, output=tmp_path_factory.mktemp("detector") / "events.root")


@pytest.mark.parametrize(
    "keys",
    [
        {"L_det": 50.0, "gap": 200.0},
        {"signature": "missing-energy", "x_min": 0.3},
        {"geometry": "3d", "radius": 30.0},
        {"geometry": "3d", "width": 40.0, "height": 80.0, "daughters": "any", "E_S_min": 1.0},
    ],
)
def test_as_if_made_for_it(events, keys):
    """N_S is that of a file made with the other card, to rounding; fails if a key of the first detector is kept."""
    other = changed(detector=keys, beam={"particles_on_target": 1e15})
    made = reweight(generate(other, M_S, 20_000), "A", COUPLINGS).n_signal
    found = reweight(events, "A", COUPLINGS, detector=other).n_signal
    own = reweight(events, "A", COUPLINGS).n_signal
    for one, two, before in zip(found, made, own, strict=True):
        assert one.value == pytest.approx(two.value, rel=1e-12)
        assert one.error == pytest.approx(two.error, rel=1e-9)
        assert one.value != pytest.approx(before.value, rel=0.01)


def test_decays_are_those_of_the_other_card(events):
    """An invisible share takes signal away, and comes from the other card; fails if the file's is kept."""
    (dark,) = reweight(events, "A", [1e-4], detector=changed(scalar={"invisible": 0.5})).n_signal
    (expected,) = n_signal(changed(scalar={"invisible": 0.5}), "A", M_S, [1e-4])
    assert abs(dark.pull(expected.value)) < 4.0


def test_muons_that_stop_earlier(events):
    """A higher E_min takes the events above it, N_S and sigma~ meet the quadrature; fails if slower muons count."""
    other = changed(target={"E_min": 1.5})
    found = reweight(events, "A", COUPLINGS, detector=other, energy_bins=10)
    for one, exact in zip(found.n_signal, n_signal(other, "A", M_S, COUPLINGS), strict=True):
        assert abs(one.pull(exact.value)) < 4.0
    assert min(found.E_mu) > 1.5


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"target": {"E_min": 0.4}}, ["0.4 GeV", "0.5 GeV"]),
        ({"target": {"length": 100.0}}, ["target.length"]),
        ({"beam": {"energy": 3.1}}, ["beam.energy"]),
        ({"run": {"form_factor": "helm"}}, ["run.form_factor"]),
        ({"scalar": {"mediator": "pseudoscalar"}}, ["scalar.mediator"]),
    ],
)
def test_what_the_events_cannot_answer(events, sections, words):
    """Another beam, target, boson or lower energies are refused by name; fails if they are answered."""
    with pytest.raises(InputError) as error:
        reweight(events, "A", COUPLINGS, detector=changed(**sections))
    assert all(word in str(error.value) for word in words)


def test_forced_decays_are_of_their_detector(tmp_path):
    """Decays forced into one detector say nothing of another; fails if they are counted there."""
    forced = generate(FERMILAB, M_S, 100, output=tmp_path / "f.root", force_decay=True)
    with pytest.raises(InputError, match="forced"):
        reweight(forced, "A", COUPLINGS, detector=changed(detector={"L_det": 50.0}))


def test_command(events, tmp_path, capsys):
    """`mcgen reweight --detector CARD` on a file and on a folder of the same events; fails if one forgets it."""
    other = changed(detector={"L_det": 50.0})
    card = tmp_path / "other.toml"
    card.write_text(other.text)
    folder = tmp_path / "folder"
    options = ["--mass", "100MeV", "--events", "20000"]
    assert main(["generate", "fermilab", "-o", str(folder), *options, "--partition-events", "7000"]) == 0
    capsys.readouterr()
    rows = []
    for source in (events.path, folder):
        command = ["reweight", str(source), "--model", "A", "--g-mu", "1e-4", "--json", "--detector", str(card)]
        assert main(command) == 0
        rows.append(json.loads(capsys.readouterr().out)["rows"][0])
    (expected,) = reweight(events, "A", [1e-4], detector=other).n_signal
    assert rows[0]["n_signal"] == pytest.approx(expected.value, rel=1e-12)
    assert rows[1]["n_signal"] == pytest.approx(expected.value, rel=1e-9)
