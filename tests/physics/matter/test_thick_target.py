"""Track length of electrons in a thick target: its own integral by another rule, and the energy that must come out."""

import itertools
import math

import numpy as np
import pytest
from scipy.integrate import quad

from mcgen.physics.matter.thick_target import track_table, volterra_nu


def test_volterra_nu():
    """The integral of L^s/s! over s to 1e-9 of an adaptive rule, 0 at L = 0; fails if a piece of s is left out."""
    L = np.array([0.0, 1e-12, 1e-3, 0.3, 1.0, 3.0, 10.0])
    exact = [0.0]
    for x in L[1:]:
        pieces = np.array([0.0, 1.0, 5.0, 15.0, 30.0, 60.0]) / (1.0 - min(0.0, math.log(x)))
        pieces[-1] = 60.0
        exact.append(
            sum(
                quad(lambda s, x=x: math.exp(s * math.log(x) - math.lgamma(s + 1.0)), a, b, epsabs=0.0, epsrel=1e-11)[0]
                for a, b in itertools.pairwise(pieces)
            )
        )
    np.testing.assert_allclose(volterra_nu(L), exact, rtol=1e-9)


@pytest.mark.parametrize("E0", [0.5, 20.0])
def test_energy_along_the_track(E0):
    """Energy times track length adds up to E0/(b log 2), 1e-3; fails for another b or a lost factor E/E0.

    Behind t radiation lengths the mean energy is E0 2^(-bt). Below E_low the track is b E_low/E per energy.
    """
    b = 4.0 / 3.0
    E, length = track_table(E0, 1e-4 * E0, 1000)
    assert E[[0, -1]] == pytest.approx([E0, 1e-4 * E0], rel=1e-9)
    assert np.all(np.diff(E) < 0.0)
    step = length / 1000
    total = step * (np.sum(E) - 0.5 * (E[0] + E[-1])) + 1e-4 * E0 / b
    assert total == pytest.approx(E0 / (b * math.log(2.0)), rel=1e-3)
