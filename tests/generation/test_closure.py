"""A sample of the events beside what is known of it: sound events pass, and each kind of fault stops the run."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mcgen import load_card
from mcgen.base.errors import ClosureError
from mcgen.campaign.generate_folder import generate_folder
from mcgen.campaign.production import MANIFEST
from mcgen.events.branches import FLOAT_BRANCHES
from mcgen.events.meta import DecayMode
from mcgen.generation import closure
from mcgen.generation import generate as generation
from mcgen.generation.generate import Options, generate, write
from mcgen.generation.normalisation import prepare
from mcgen.quadrature.yields import MEANS
from mcgen.source.source import source_of

N = 20_000
chunks = generation.chunks


@pytest.fixture
def pulls(monkeypatch):
    """Pulls of the runs to come, one dictionary each."""
    found = []
    check = closure.Closure.check

    def checked(self, max_pull):
        found.append(self.pulls())
        check(self, max_pull)

    monkeypatch.setattr(closure.Closure, "check", checked)
    return found


def changed(change):
    """`chunks` whose columns a function changes in place."""

    def made(*arguments):
        for columns, trials in chunks(*arguments):
            change(columns)
            yield columns, trials

    return made


@pytest.mark.parametrize(
    ("name", "options", "beside"),
    [
        ("fermilab", {"decays": True}, {"depth", "E_mu", "angle of the daughters", "azimuth of q", "tau, 1"}),
        ("fermilab", {"force_decay": True}, {"tau, 1", "angle of the daughters"}),
        ("na64", {"weighted": True}, {"depth", "cos(1 pi x)"}),
        ("na64mu-2022", {}, {"tau, 4"}),
        ("e137", {}, {"side of the lepton"}),
    ],
)
def test_sound_events_pass(pulls, name, options, beside):
    """Thick and thin targets, lists of muons, electrons; fails if a mean is not that of the events."""
    generate(load_card(name), None, N, **options)
    (found,) = pulls
    assert beside | {"theta"} <= set(found)
    assert max(map(abs, found.values())) < 4.5


def test_pulls_are_normal(pulls):
    """2,000 events of each of 40 seeds: their pulls have a spread of 1; fails if a variance or a mean is wrong."""
    ready = prepare(source_of(load_card("fermilab")), 0.1, 1, 0)
    how = Options(decays=DecayMode.NATURAL)
    for seed in range(40):
        write(dataclasses.replace(ready, seed=seed), 2_000, len, how, workers=0, hashed=False)
    z = np.array([[v for name, v in found.items() if name != "theta"] for found in pulls])
    assert z.shape[1] > 12
    assert np.all(np.abs(z.mean(axis=0)) < 4.5 / np.sqrt(40))
    assert np.all(np.abs(z.std(axis=0) - 1.0) < 4.5 / np.sqrt(80))


def mirrored(c):
    c["S_pz"] *= -1.0


def single(c):
    c["mu_out_py"] = c["mu_out_py"].astype(np.float32).astype(float)


def light(c):
    c["mu_out_E"] = np.sqrt(sum(c[f"mu_out_p{axis}"] ** 2 for axis in "xyz") + 2.6e-7)


def mixed(c):
    c["S_E"], c["mu_out_E"] = c["mu_out_E"], c["S_E"]


def in_mm(c):
    c["decay_z_cm"] *= 10.0


def from_the_front(c):
    c["decay_z_cm"] -= c["depth_cm"]


def other_x(c):
    c["x"] = c["S_E"] / 3.0


def other_t(c):
    c["t"] = 1.0001 * c["t"]


def longer(c):
    for axis in "xyz":
        c[f"decay_{axis}_cm"] += 0.05 * (c[f"decay_{axis}_cm"] - c[f"vertex_{axis}_cm"])
    c["tau"] *= 1.05


def turned(c):
    """By an azimuth that prefers one side."""
    angle = np.where(c["S_py"] < 0.0, 0.3, 0.0)
    for name in ("mu_out", "S", "N_out"):
        x, y = c[f"{name}_px"], c[f"{name}_py"]
        c[f"{name}_px"] = x * np.cos(angle) - y * np.sin(angle)
        c[f"{name}_py"] = x * np.sin(angle) + y * np.cos(angle)
    flight = c["decay_z_cm"] - c["vertex_z_cm"]
    for axis in "xy":
        c[f"decay_{axis}_cm"] = c[f"vertex_{axis}_cm"] + flight * c[f"S_p{axis}"] / c["S_pz"]


def one_side(c):
    """Lepton and nucleus mirrored at the plane of beam and S, wherever they are to the left of it."""
    norm = np.hypot(c["S_px"], c["S_py"])
    n_x, n_y = -c["S_py"] / norm, c["S_px"] / norm
    left = c["mu_out_px"] * n_x + c["mu_out_py"] * n_y > 0.0
    for name in ("mu_out", "N_out"):
        across = np.where(left, c[f"{name}_px"] * n_x + c[f"{name}_py"] * n_y, 0.0)
        c[f"{name}_px"] -= 2.0 * across * n_x
        c[f"{name}_py"] -= 2.0 * across * n_y


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (mirrored, "momentum along z"), (single, "momentum along y"), (light, "energy of"), (mixed, "energy of|mass"),
        (in_mm, "decay along z"), (from_the_front, "decay along z"), (other_x, "x of event"), (other_t, "t of event"),
        (longer, "pull in mean life"), (turned, "azimuth of S"), (one_side, "side of the lepton"),
    ],
)  # fmt: skip
def test_a_fault_is_noticed(monkeypatch, tmp_path, change, words):
    """A wrong sign, unit, mass, angle or time stops the run and leaves no file; fails if nobody looks at it."""
    monkeypatch.setattr(generation, "chunks", changed(change))
    with pytest.raises(ClosureError, match=words):
        generate(load_card("fermilab"), 0.1, N, output=tmp_path / "events.root")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["E_mu", "S_pz", "tau", "theta"])
def test_lost_events_are_noticed(monkeypatch, name):
    """Other events in place of the lowest twentieth in something; fails if spectra are not compared."""

    def without(c):
        value = np.hypot(c["S_px"], c["S_py"]) / c["S_pz"] if name == "theta" else c[name]
        order = np.argsort(value)
        few = len(order) // 20
        for branch in FLOAT_BRANCHES:
            c[branch][order[:few]] = c[branch][np.roll(order, len(order) // 2)[:few]]

    monkeypatch.setattr(generation, "chunks", changed(without))
    with pytest.raises(ClosureError, match="what is known of them: pull in "):
        generate(load_card("fermilab"), 0.1, N)


def test_accepted_too_often(monkeypatch):
    """A trial is accepted that should not be; fails if trials are not counted."""
    monkeypatch.setattr(generation, "chunks", lambda *a: ((c, int(0.98 * n)) for c, n in chunks(*a)))
    with pytest.raises(ClosureError, match="events disagree with their weights"):
        generate(load_card("fermilab"), 0.1, N)


def test_the_same_events_again(monkeypatch, tmp_path):
    """Chunks, or partitions, of the same events under other numbers; fails if nobody compares them."""
    card, fill = load_card("na64"), generation._fill
    monkeypatch.setattr(generation, "_fill", lambda *a: fill(*a[:3], a[3] % 5_000, a[4]))
    with pytest.raises(ClosureError, match="events are repeated: 16 of 32"):
        generate(card, 0.1, 10_000, chunk=5_000)
    with pytest.raises(ClosureError, match="1 of 2 files repeat the events of another"):
        generate_folder(card, tmp_path / "folder", 0.1, 10_000, partition_events=5_000)
    assert not (tmp_path / "folder" / MANIFEST).exists()


@pytest.mark.parametrize("lost", [slice(1, None), np.r_[0:7, 7, 8:500, 7, 501:1000]])
def test_each_event_once(monkeypatch, lost):
    """An event that is dropped, or one that comes twice; fails if they are not counted."""
    monkeypatch.setattr(Options, "keep", lambda _self, c, _weighted: {name: column[lost] for name, column in c.items()})
    with pytest.raises(ClosureError, match="of 1000, or not each once and in order"):
        generate(load_card("na64"), 0.1, 1_000)


def test_daughters(monkeypatch):
    """Daughters of another S, or all of them forward; fails if decays are not looked at."""
    card, true = load_card("fermilab"), generation.decay

    def forward(columns, how):
        made = true(columns, how)
        swapped = made["d1_E"] < made["d2_E"]
        for part in ("px", "py", "pz", "E"):
            first, second = made[f"d1_{part}"], made[f"d2_{part}"]
            made[f"d1_{part}"], made[f"d2_{part}"] = np.where(swapped, [second, first], [first, second])
        return made

    monkeypatch.setattr(generation, "decay", forward)
    with pytest.raises(ClosureError, match="angle of the daughters"):
        generate(card, 0.1, N, decays=True)
    monkeypatch.setattr(generation, "decay", lambda c, how: true(c, how) | {"d1_E": np.roll(c["S_E"], 1)})
    with pytest.raises(ClosureError, match="daughters' E of event"):
        generate(card, 0.1, N, decays=True)


def test_forced_decays_outside_of_the_window(monkeypatch):
    """All decays at the beginning of the window, or before it; fails if their places are not compared."""
    card, true = load_card("fermilab"), generation.decay

    def moved(factor):
        def decayed(columns, how):
            made = true(columns, how)
            made["tau"] = factor * made["tau"]
            flight = made["tau"] * how.boson.length_per_momentum(how.g_mu)
            return made | {f"decay_{a}_cm": made[f"vertex_{a}_cm"] + flight * made[f"S_p{a}"] for a in "xyz"}

        return decayed

    monkeypatch.setattr(generation, "decay", moved(0.1))
    with pytest.raises(ClosureError, match="decay in the range that counts"):
        generate(card, 0.1, N, force_decay=True)


def test_what_is_looked_at():
    """All of few events, one in 200 of many, and means that vary; fails if a long run takes ever longer."""
    source = source_of(load_card("na64"))
    ready = prepare(source, 0.1, 1, 0)
    assert set(ready.known.means) == set(MEANS)
    assert prepare(source, 0.1, 1, 0, in_passing=True).known is None
    sizes = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(closure.Closure, "_look", lambda _self, c: sizes.append(len(c["weight"])))
        patch.setattr(closure.Closure, "check", lambda *_: None)
        write(ready, 3_000, len, Options(), workers=0, hashed=False)
        assert sum(sizes) == 3_000
        write(ready, 400_000, len, Options(branches=("t",)), workers=0, hashed=False)
    assert sum(sizes) == 3_000 + 10_000 + 400_000 // 200


def test_partitions_of_a_collider(tmp_path):
    """Numbers that are the same in all events, as t of a collision, repeat nothing; fails if they are compared."""
    generate_folder("belle-tautau", tmp_path / "folder", None, 2_000, partition_events=1_000)
    assert (tmp_path / "folder" / MANIFEST).exists()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "m_S"), [("e137", 0.3), ("e137", 1.0), ("ship-muons", 1.0)])
def test_what_the_quadrature_knows_less_well(pulls, monkeypatch, name, m_S):
    """Many events of many energies pass; fails if the quadrature is taken to be exact."""
    monkeypatch.setattr(closure, "EVERY", 1)
    generate(load_card(name), m_S, 200_000)
    assert max(map(abs, pulls[0].values())) < 4.5
