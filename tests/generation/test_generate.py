"""Generation: the same events for any number of threads and chunks, and runs that are refused or stopped."""

from __future__ import annotations

import math
import os
import platform
import subprocess
import sys

import numpy as np
import pytest
from pvalue import chi2_probability

from mcgen import load_card, merge
from mcgen.base.errors import ClosureError, InputError
from mcgen.base.estimate import share_pulls
from mcgen.card.card import card_text, parse_card
from mcgen.events.branches import BRANCHES
from mcgen.generation import generate as generation
from mcgen.generation import normalisation
from mcgen.generation.generate import generate, in_passing
from mcgen.physics.emission.kinematics import t_range
from mcgen.source.source import Source


def test_same_events_for_threads_and_chunks(tmp_path):
    """One hash for 1 and 2 workers, chunks of 777, 1000 and 50000, memory and file; fails at any shared state."""
    card = load_card("fermilab")
    made = [
        generate(card, 0.1, 5_000, 9, workers=workers, chunk=chunk)
        for workers, chunk in ((1, 50_000), (2, 1_000), (2, 777), (3, 50_000))
    ]
    assert len({events.metadata["content_sha256"] for events in made}) == 1
    for events in made[1:]:
        for name in BRANCHES:
            np.testing.assert_array_equal(events.columns[name], made[0].columns[name])
    written = generate(card, 0.1, 5_000, 9, output=tmp_path / "events.root", workers=2, chunk=1_234)
    assert written.content_sha256() == made[0].metadata["content_sha256"]
    assert written.metadata.keys() == made[0].metadata.keys()
    for key, value in made[0].metadata.items():
        if isinstance(value, float):
            assert written.metadata[key] == pytest.approx(value, rel=1e-9, abs=0.0)
        elif key not in ("created", "sigma"):
            assert written.metadata[key] == value
    assert sorted(p.name for p in tmp_path.iterdir()) == ["events.root"]


_HASH = """
import mcgen
for name in ("fermilab", "e137", "fermilab-3d"):
    print(mcgen.generate(mcgen.load_card(name), events=5000, seed=3).metadata["content_sha256"])
"""


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() != "x86_64", reason="names of processors are those of x86-64")
def test_same_events_on_other_processors(tmp_path):
    """The hash of events does not depend on the vectors of a processor; fails if products and sums are contracted.

    Haswell has vectors of four numbers and fused products, Nehalem vectors of two.
    """
    found = set()
    for name in ("", "haswell", "nehalem"):
        other = {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(tmp_path / name)}
        environment = dict(os.environ) | (other if name else {})
        done = subprocess.run(
            [sys.executable, "-c", _HASH], capture_output=True, text=True, env=environment, check=True
        )
        found.add(done.stdout)
    assert len(found) == 1


def test_a_longer_run_begins_with_the_shorter_one():
    """Event n is the same in a run of any length but for its weight; fails if trials run across events."""
    short, long = (generate(load_card("na64"), 0.1, n, 4) for n in (1_000, 3_000))
    for name in set(BRANCHES) - {"weight"}:
        np.testing.assert_array_equal(short.columns[name], long.columns[name][:1_000])
    np.testing.assert_allclose(short.columns["weight"], 3.0 * long.columns["weight"][:1_000], rtol=1e-12)


def test_seeds_differ():
    """Another seed shares no event; fails if the seed is cut to 32 bits or is a mere offset of the event number."""
    first, *others = (generate(load_card("fermilab"), 0.1, 2_000, seed).columns["t"] for seed in (1, 2, 1 + 2**32, 0))
    for other in others:
        assert not np.isin(first, other).any()


def test_beam_spot():
    """A spot of 2 cm: normal in x and y with that width, chi2 in 0.01 to 99.99 %, correlated with nothing.

    Fails if the radius is taken for the rms, or a random number is used twice.
    """
    card = parse_card(card_text("fermilab").replace('spot = "0 cm"', 'spot = "2 cm"'))
    columns = generate(card, 0.1, 50_000, workers=2).columns
    for axis in "xy":
        position = columns[f"vertex_{axis}_cm"]
        assert 1e-4 < chi2_probability(float(np.sum((position / 2.0) ** 2)), len(position)) < 1.0 - 1e-4
        assert abs(position.mean()) < 4.0 * 2.0 / np.sqrt(len(position))
    radius = np.hypot(columns["vertex_x_cm"], columns["vertex_y_cm"])
    phi = np.arctan2(columns["S_py"], columns["S_px"])
    pairs = (("vertex_x_cm", columns["vertex_y_cm"]), ("tau", radius), ("vertex_x_cm", np.cos(phi)), ("E_mu", radius))
    for name, other in pairs:
        assert abs(np.corrcoef(columns[name], other)[0, 1]) < 4.5 / np.sqrt(50_000), name


def test_in_passing():
    """Events of a scan are those of `generate`, their weights good to its error; fails if another total is taken."""
    for name, components in (("fermilab-3d", 1), ("muon-collider-1.5tev-water", 2)):
        card = load_card(name)
        assert len(Source(card).components(0.1)) == components
        slow, fast = generate(card, 0.1, 3_000), in_passing(card, 0.1, 3_000)
        for branch in BRANCHES:
            if branch != "weight" or components > 1:
                np.testing.assert_array_equal(fast.columns[branch], slow.columns[branch])
        ratio = fast.columns["weight"] / slow.columns["weight"]
        known, before = fast.metadata["norm_relative_error"], slow.metadata["norm_relative_error"]
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-12)
        assert abs(ratio[0] - 1.0) < 4.0 * before
        assert known < 0.7 * before if components == 1 else known == before
        assert fast.metadata["yield_per_muon"] == pytest.approx(fast.metadata["yield_quadrature"], rel=5.0 * known)
        assert not {"content_sha256", "branch_sha256"} & fast.metadata.keys()


def test_quadrature_fixes_the_number_of_events():
    """Few points tell what lies above the ceilings, to the stated error; fails if that is left out."""
    source, m_S = Source(load_card("ship-muons")), 0.2
    few = [normalisation.prepare(source, m_S, seed, 0, in_passing=True) for seed in range(24)]
    many = normalisation.prepare(source, m_S, 100, 0).overweight
    totals = [prepared.total(weighted=False) for prepared in few]
    above = np.array([prepared.overweight for prepared in few])
    stated = np.array([total.error / total.value for total in totals])
    assert above.mean() == pytest.approx(many, rel=0.6)
    assert np.sum(((above - many) / stated) ** 2) < 43.0  # one percent of 24 squares
    assert stated.max() < 2e-4


@pytest.mark.parametrize("quick", [False, True])
def test_wrong_total_is_noticed(monkeypatch, quick):
    """A quadrature 2 % away stops `prepare`; fails if the two integrals are no longer compared."""
    true = normalisation.yield_per_muon
    monkeypatch.setattr(normalisation, "yield_per_muon", lambda *a: true(*a)._replace(value=1.02 * true(*a).value))
    with pytest.raises(ClosureError, match="disagree"):
        generation.prepare(Source(load_card("fermilab")), 0.1, 1, in_passing=quick)


def test_wrong_spectrum_is_noticed(monkeypatch, tmp_path):
    """A bin of t off by a fifth stops the run and leaves no file; fails if only the total is guarded."""
    true = normalisation.t_spectrum

    def tilted(*arguments):
        bins, error = true(*arguments)
        bins[np.argmax(bins)] *= 0.8
        return bins, error

    monkeypatch.setattr(normalisation, "t_spectrum", tilted)
    with pytest.raises(ClosureError, match="pull in t"):
        generate(load_card("fermilab"), 0.1, 20_000, output=tmp_path / "events.root")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [{"events": 0}, {"workers": 0}, {"chunk": 0}, {"seed": -1}, {"seed": 2**63}, {"m_S": 0.0}, {"m_S": 5.0}],
)
def test_refused(arguments):
    """What cannot be generated is refused; fails if a mass above threshold or no events at all is tried."""
    with pytest.raises(InputError):
        generate(**({"card": load_card("fermilab"), "m_S": 0.1, "events": 10} | arguments))


def test_missing_folder(tmp_path):
    """A folder that does not exist is refused at once; fails if events are made before the output is looked at."""
    with pytest.raises(InputError, match="does not exist"):
        generate(load_card("fermilab"), 0.1, 10, output=tmp_path / "no" / "events.root")


def test_pulls_of_rare_bins():
    """Bins of a dozen events have pulls of width 1 and none beyond 5.5 in 2e5 tries.

    Fails if a bin that is nearly empty by chance takes its error from the few events it holds.
    """
    share, n = np.array([0.6, 0.4 - 1.2e-5, 1.2e-5]), 1_000_000
    counts = np.random.default_rng(8).multinomial(n, share, size=200_000).astype(float)
    pulls = np.array([share_pulls(row, row, float(n), float(n), share, np.zeros(3)) for row in counts])
    assert np.all(abs(pulls) < 5.5)
    np.testing.assert_allclose(pulls.mean(axis=0), 0.0, atol=0.15)
    np.testing.assert_allclose(pulls.std(axis=0), 1.0, atol=0.1)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("events", [1, 2])
def test_few_weighted_events(events, seed):
    """One or two weighted events are a run like any other; fails if their own spread is taken for their error."""
    assert len(generate(load_card("fermilab"), 0.1, events, seed, weighted=True)) == events


def test_error_of_weighted_events():
    """That of 100 is at least the spread of f over the root of their number; fails without the root."""
    card = load_card("fermilab")
    many = generate(card, 0.1, 100_000, weighted=True).metadata["yield_error"] * math.sqrt(1000.0)
    few = [generate(card, 0.1, 100, seed, weighted=True).metadata["yield_error"] for seed in range(6)]
    assert min(few) == pytest.approx(many, rel=0.05)
    assert max(few) < 1.5 * many


@pytest.mark.parametrize(("name", "highest"), [("fermilab", None), ("na64", 10.0)])
def test_bins_of_t(name, highest):
    """From the smallest t to the largest, or to 10 GeV^2; fails if a bin reaches where nothing is."""
    card = load_card(name)
    edges = generate(card, 0.1, 1000).metadata["t_spectrum"]["edges_gev2"]
    process = Source(card).process(0.1)
    low, high = t_range(card.beam.energy, process.m, process.m_out, process.m_S, process.M)
    assert edges[0] == pytest.approx(low, rel=1e-12)
    assert edges[-1] == pytest.approx(highest or min(10.0, high), rel=1e-12)
    assert (high > 10.0) or not highest


@pytest.mark.parametrize("m_S", [2.0, 2.7, 2.85])
def test_masses_next_to_threshold(m_S):
    """Threshold inside the target leaves events that agree with the quadrature in t; fails for too few nodes."""
    assert generate(load_card("fermilab"), m_S, 30_000).metadata["pull_t_worst"] < 4.5


def test_merged_events_are_other_events(tmp_path):
    """A merged file in the way is named as such; fails if its seed or its number is blamed."""
    parts = [generate("fermilab", 0.1, 100, seed, output=tmp_path / f"{seed}.root") for seed in (1, 2)]
    merge([part.path for part in parts], tmp_path / "all.root")
    with pytest.raises(InputError, match="is there with"):
        generate("fermilab", 0.1, 200, 1, output=tmp_path / "all.root")
    merge([parts[0].path], tmp_path / "one.root")
    with pytest.raises(InputError, match="is there with merged events"):
        generate("fermilab", 0.1, 100, 1, output=tmp_path / "one.root")
