"""Where events are put and how they are turned, event by event."""

from __future__ import annotations

import numpy as np
import pytest

from mcgen.base.rng import EVENTS, uniforms
from mcgen.events.branches import FLOAT_BRANCHES, ROW
from mcgen.generation.kernel import AFTER_TRIALS, NO_PARTICLES, Beamline, place_in_depth, steer
from mcgen.source.source import Source, load_card
from mcgen.source.track import NO_SCATTERING, Scattering, place_at

SEED = np.uint64(5)


def forward(n):
    """Events of S and muons along the beam, at depth 0."""
    out = np.zeros((len(FLOAT_BRANCHES), n))
    for name in ("mu_in", "mu_out", "S", "N_out"):
        out[ROW[f"{name}_pz"]] = out[ROW[f"{name}_E"]] = 3.0
    return out


@pytest.mark.parametrize("kernel", [steer, steer.py_func])
def test_particles_of_a_list(kernel):
    """Each event lies where the particle of its share is; fails for the particle of its neighbour, or the last one."""
    lateral = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0], [0.0, 0.1, 0.2], [0.0, 0.0, 0.4]])
    share, out = np.array([0.0, 0.4, 0.99, 0.7, 0.3, 1.0]), forward(6)
    kernel(Beamline(0.0, 0.0, lateral, 0.0, True, 1.0), NO_SCATTERING, share, SEED, np.arange(6), out)
    assert out[ROW["vertex_x_cm"]].tolist() == [1.0, 2.0, 3.0, 3.0, 1.0, 3.0]
    assert out[ROW["vertex_y_cm"]].tolist() == [10.0, 20.0, 30.0, 30.0, 10.0, 30.0]
    assert out[ROW["vertex_z_cm"]].tolist() == [0.0] * 6
    assert out[ROW["S_px"]] / out[ROW["S_pz"]] == pytest.approx([0.0, 0.1, 0.2, 0.2, 0.0, 0.2])


def test_divergence_and_scattering_are_independent():
    """Slopes of the beam and of scattering are uncorrelated, 4 sigma; fails if they share a random number."""
    n = 4000
    scattering = Scattering(*(np.array([x, x]) for x in (0.0, 0.01, 0.0, 0.0)))
    slopes = []
    for beam, matter in ((0.01, NO_SCATTERING), (0.0, scattering)):
        out = forward(n)
        steer(Beamline(0.0, beam, NO_PARTICLES, 0.0, True, 1.0), matter, np.zeros(n), SEED, np.arange(n), out)
        slopes.append(out[[ROW["S_px"], ROW["S_py"]]] / out[ROW["S_pz"]])
    assert slopes[0].std() == pytest.approx(0.01, rel=0.05)
    assert slopes[1].std() == pytest.approx(0.01, rel=0.05)
    for one in slopes[0]:
        for two in slopes[1]:
            assert abs(np.corrcoef(one, two)[0, 1]) < 4.0 / np.sqrt(n)


@pytest.mark.parametrize("kernel", [place_in_depth, place_in_depth.py_func])
def test_place_in_depth(kernel):
    """Depth and share of each event are those of its own random number; fails for a number of its neighbour."""
    tracks = [component.track for component in Source(load_card("ship-muons")).components(0.05)]
    track = next(track for track in tracks if track.rho.size > 0)
    n = 5
    out, share = forward(n), np.full(n, np.nan)
    out[ROW["depth_cm"]] = out[ROW["vertex_z_cm"]] = track.front + track.span * (np.arange(n) + 0.5) / n
    out[ROW["decay_z_cm"]] = 1000.0
    before = out.copy()
    kernel(track, SEED, np.arange(n) + 7, out, share)
    for i in range(n):
        u = uniforms(SEED, np.uint64(EVENTS), np.uint64(i + 7), np.uint64(AFTER_TRIALS - 1))[0]
        depth, expected = place_at(track, (before[ROW["depth_cm"], i] - track.front) / track.span, u)
        assert (out[ROW["depth_cm"], i], share[i]) == (depth, expected)
        assert out[ROW["vertex_z_cm"], i] == depth
        assert out[ROW["decay_z_cm"], i] - 1000.0 == pytest.approx(depth - before[ROW["depth_cm"], i])
