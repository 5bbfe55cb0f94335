"""Multiple scattering and radiation lengths against the PDG and analytic limits."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad

from mcgen.card import load_card, parse_card
from mcgen.constants import M_E, M_MU
from mcgen.errors import InputError
from mcgen.generation import generate
from mcgen.passage import _p_beta
from mcgen.physics import multiple_scattering as scattering
from mcgen.physics.atomic_data import ELEMENTS
from mcgen.physics.csda_range import energy_after, range_table
from mcgen.physics.multiple_scattering import Kicks, followed_by, highland, plane, slowing_kicks, spread, uniform_kicks
from mcgen.rates import sigma_tilde

REFERENCE = json.loads((Path(__file__).parents[1] / "validation/reference/muon_loss.json").read_text(encoding="utf-8"))
X0_W, RHO_W = 6.76, 19.3


@pytest.mark.parametrize("name", REFERENCE["pdg"]["radiation_length"])
def test_radiation_lengths(name):
    """Radiation lengths are the PDG's to 0.1 %; fails for Tsai's light-element table or the Coulomb term left out."""
    composition = REFERENCE["materials"].get(name, {"composition": {name: 1.0}})["composition"]
    length = scattering.radiation_length_of([(w, ELEMENTS[symbol]) for symbol, w in composition.items()])
    assert length == pytest.approx(REFERENCE["pdg"]["radiation_length"][name], rel=1e-3)


def test_highland():
    """One X0 at p beta = 1.36 GeV bends by 10 mrad, and the logarithm takes 1/beta^2; fails for a space angle."""
    E = 0.5 * (1.36 + math.hypot(1.36, 2.0 * M_MU))  # p^2/E = 1.36
    beta2 = 1.36 / E
    assert highland(1.0, E) == pytest.approx(0.01 * (1.0 - 0.038 * math.log(beta2)), rel=1e-12)
    # muons of 200 MeV/c behind 0.1 X0: 13.6/(beta 200) sqrt(0.1) (1 + 0.038 log(0.1/beta^2))
    E = math.hypot(0.2, M_MU)
    assert highland(0.1, E) == pytest.approx(0.0224193, rel=1e-5)
    assert highland(0.0, E) == highland(-1.0, E) == 0.0


def test_uniform_slab():
    """A uniform slab has y = L theta/sqrt(3) and correlation sqrt(3)/2, as the PDG; fails for another lever arm."""
    s = spread(uniform_kicks(20.0, RHO_W, X0_W, 3.0), 3.0)
    assert s.theta == pytest.approx(highland(20.0 * RHO_W / X0_W, 3.0), rel=1e-14)
    assert s.y == pytest.approx(20.0 * s.theta / math.sqrt(3.0), rel=1e-14)
    assert s.correlation == pytest.approx(math.sqrt(3.0) / 2.0, rel=1e-14)


@pytest.fixture(scope="module")
def falling():
    """2 MeV cm^2/g at any energy: 3 GeV become 2.23 GeV behind 20 cm of tungsten."""
    return range_table(lambda E: np.full_like(E, 2e-3), 0.3, 3.0)


def test_slowing_down(falling):
    """Kicks of a slowing muon match adaptive quadrature; fails if the energy is that at the entry or the end."""
    kicks = slowing_kicks(60.0, RHO_W, X0_W, 3.0, falling)

    def rate(s):
        E = 3.0 - 2e-3 * RHO_W * s
        return RHO_W / X0_W * (E / ((E - M_MU) * (E + M_MU))) ** 2

    for power, moment in ((0, kicks.angle2), (1, kicks.angle_y), (2, kicks.y2)):
        exact = quad(lambda s, n=power: rate(s) * (60.0 - s) ** n, 0.0, 60.0, epsrel=1e-10)[0]
        assert moment == pytest.approx(exact, rel=1e-5)
    fast = slowing_kicks.py_func(1e-3, RHO_W, X0_W, 3.0, falling)
    assert fast == pytest.approx(uniform_kicks(1e-3, RHO_W, X0_W, 3.0), rel=1e-4)


def test_layers_in_a_row(falling):
    """Two halves make the whole, with one logarithm; fails if layers are added in quadrature or arms forgotten."""
    whole = slowing_kicks(20.0, RHO_W, X0_W, 3.0, falling)
    first = slowing_kicks(8.0, RHO_W, X0_W, 3.0, falling)
    second = slowing_kicks(12.0, RHO_W, X0_W, energy_after(3.0, 8.0 * RHO_W, falling), falling)
    assert followed_by(first, 12.0, second) == pytest.approx(whole, rel=1e-8)
    drift = followed_by(first, 100.0, Kicks(0.0, 0.0, 0.0, 0.0))
    assert spread(drift, 3.0).theta == spread(first, 3.0).theta
    assert spread(drift, 3.0).correlation > 0.99


def test_no_matter():
    """Empty space scatters nothing; fails for a logarithm of zero or 0/0."""
    assert spread(uniform_kicks(0.0, RHO_W, X0_W, 3.0), 3.0) == (0.0, 0.0, 0.0)
    assert spread.py_func(Kicks(0.0, 0.0, 0.0, 0.0), 3.0) == (0.0, 0.0, 0.0)
    assert spread(uniform_kicks(1e-14, RHO_W, X0_W, 3.0), 3.0).theta == 0.0


def test_sampled_plane():
    """Angles and displacements drawn have the covariance asked for; fails if the normals are swapped.

    The PDG for a slab: y = L theta_0 (z1/sqrt(12) + z2/2).
    """
    s = spread(uniform_kicks(20.0, RHO_W, X0_W, 3.0), 3.0)
    z1, z2 = 0.7, -1.3
    theta, y = plane(z1, z2, s)
    assert theta == z2 * s.theta
    assert y == pytest.approx(20.0 * s.theta * (z1 / math.sqrt(12.0) + z2 / 2.0), rel=1e-14)
    assert plane.py_func(z1, z2, s) == (theta, y)


ELECTRONS = """
name = "electrons"
[beam]
particle = "e-"
energy = "50 MeV"
muons = 1e15
[target]
material = "W"
length = "0.1 cm"
multiple_scattering = true
[detector]
signature = "displaced"
L_det = "1 m"
[scalar]
mass = "5 MeV"
[scan]
g_mu = "1e-5"
mass = "5 MeV"
models = ["A"]
"""


def test_electrons():
    """Electrons of 50 MeV behind 1 mm of tungsten: Highland's formula with beta = 1, 1e-4; fails with the muon's mass.

    With that beta^2 is negative below 106 MeV, and all directions become NaN.
    """
    card = parse_card(ELECTRONS)
    thickness = card.stretches[0].layer.per_X0 * 0.1
    expected = 13.6e-3 / 0.05 * math.sqrt(thickness) * (1.0 + 0.038 * math.log(thickness))
    assert card.scattering.theta[-1] == pytest.approx(expected, rel=2e-4)
    assert highland(thickness, 0.05, M_E) == pytest.approx(expected, rel=2e-4)
    columns = generate(card, 0.005, 20_000, 3).columns
    assert all(np.all(np.isfinite(column)) for column in columns.values())
    last = columns["depth_cm"] > 0.09
    slope = (columns["mu_in_px"] / columns["mu_in_pz"])[last]
    depth = 0.95 * thickness
    near = 13.6e-3 / 0.05 * math.sqrt(depth) * (1.0 + 0.038 * math.log(depth))
    assert slope.std() == pytest.approx(near, rel=4.0 / math.sqrt(2.0 * slope.size) + 0.01)


@pytest.mark.parametrize("E", [0.0, -1.0, M_E, 1.0001 * M_E])
def test_beam_that_has_stopped(E):
    """Behind the end of a constant loss energies are 0 or less: p beta stays at the mass; fails for a division by E."""
    assert _p_beta(E, M_E) == M_E


def test_energies_of_electrons():
    """sigma~ of electrons below 106 MeV is given, and that of muons is refused; fails if both have the muon's mass."""
    electrons = parse_card(ELECTRONS)
    (found,) = sigma_tilde(electrons, "A", 0.005, 1e-3, [0.05])
    assert found.value > 0.0
    with pytest.raises(InputError, match=r"E_mu: 0.05 must lie above 0.105658"):
        sigma_tilde(load_card("fermilab"), "A", 0.005, 1e-3, [0.05])
