"""Multiple scattering and radiation lengths against the PDG and analytic limits."""

import json
import math

import numpy as np
import pytest
from places import ROOT
from scipy.integrate import quad

from mcgen import load_card
from mcgen.base.constants import M_E, M_MU
from mcgen.base.errors import InputError
from mcgen.card.beam import Beam
from mcgen.card.card import parse_card
from mcgen.card.target import Layer, Stack
from mcgen.events.branches import FLOAT_BRANCHES, ROW
from mcgen.generation.generate import generate
from mcgen.generation.kernel import NO_PARTICLES, Beamline, steer
from mcgen.physics.matter.multiple_scattering import Kicks, followed_by, spread
from mcgen.quadrature.yields import sigma_tilde
from mcgen.source.media import Medium
from mcgen.source.source import Source
from mcgen.source.track import Scattering
from mcgen.source.transport import _p_beta, scattering, segments

REFERENCE = json.loads((ROOT / "validation/reference/muon_loss.json").read_text(encoding="utf-8"))
#: radiation lengths per cm of tungsten, which test_radiation_lengths compares with the PDG
PER_X0 = Medium(Layer.model_validate({"material": "W", "length": "1 cm"})).per_X0


@pytest.mark.parametrize("name", REFERENCE["pdg"]["radiation_length"])
def test_radiation_lengths(name):
    """Radiation lengths are the PDG's to 0.1 %; fails for Tsai's light-element table or the Coulomb term left out."""
    fractions = REFERENCE["materials"].get(name, {"composition": {name: 1.0}})["composition"]
    layer = Layer.model_validate({"material": name, "length": "1 cm", "density": "1 g/cm3", "fractions": fractions})
    assert Medium(layer).density / Medium(layer).per_X0 == pytest.approx(
        REFERENCE["pdg"]["radiation_length"][name], rel=1e-3
    )


def through(E, *layers, loss=0.0):
    """Scattering of a beam of E GeV in layers of (material, cm); all lose `loss` GeV/cm."""
    beam = Beam.model_validate({"energy": f"{E!r} GeV", "muons": 1.0})
    given = {"dE_dy": f"{loss!r} GeV/cm"} if loss else {}
    parts = [{"material": material, "length": f"{length!r} cm"} | given for material, length in layers]
    kind = "constant" if loss else "none"
    target = Stack.model_validate({"layer": parts, "energy_loss": kind, "multiple_scattering": True})
    return scattering(segments(beam, target), beam.mass)


def highland(thickness, E):
    """Rms plane angle in rad behind `thickness` radiation lengths (PDG, Eq. 34.16)."""
    p, beta = math.sqrt(E * E - M_MU**2), math.sqrt(1.0 - (M_MU / E) ** 2)
    return 13.6e-3 / (beta * p) * math.sqrt(thickness) * (1.0 + 0.038 * math.log(thickness / beta**2))


def test_highland():
    """One X0 at p beta = 1.36 GeV bends by 10 mrad, and the logarithm takes 1/beta^2; fails for a space angle."""
    E = 0.5 * (1.36 + math.hypot(1.36, 2.0 * M_MU))  # p^2/E = 1.36
    beta2 = 1.36 / E
    theta = through(E, ("W", 1.0 / PER_X0)).theta[-1]
    assert theta == pytest.approx(0.01 * (1.0 - 0.038 * math.log(beta2)), rel=1e-12)
    # muons of 200 MeV/c behind 0.1 X0: 13.6/(beta 200) sqrt(0.1) (1 + 0.038 log(0.1/beta^2))
    assert through(math.hypot(0.2, M_MU), ("W", 0.1 / PER_X0)).theta[-1] == pytest.approx(0.0224193, rel=1e-5)


def test_uniform_slab():
    """At every depth y = L theta/sqrt(3) and the correlation is sqrt(3)/2, as the PDG; fails for another lever arm."""
    s = through(3.0, ("W", 20.0))
    np.testing.assert_allclose(s.depth, np.linspace(0.0, 20.0, 65), rtol=1e-14)
    inside = s.depth[1:]
    np.testing.assert_allclose(s.theta[1:], [highland(PER_X0 * z, 3.0) for z in inside], rtol=1e-9)
    np.testing.assert_allclose(s.y[1:], inside * s.theta[1:] / math.sqrt(3.0), rtol=1e-9)
    np.testing.assert_allclose(s.correlation, math.sqrt(3.0) / 2.0, rtol=1e-9)
    assert s.theta[0] == s.y[0] == 0.0


def moments_of(length, dE_dy, drift=0.0, E=3.0):
    """Integrals of dX/X0/(p beta)^2 times the distance left to the power 0, 1 and 2, by adaptive quadrature.

    Empty space of length `drift` follows.
    """

    def rate(z):
        now = E - dE_dy * z
        return PER_X0 * (now / ((now - M_MU) * (now + M_MU))) ** 2

    return [quad(lambda z, n=n: rate(z) * (length + drift - z) ** n, 0.0, length, epsrel=1e-10)[0] for n in range(3)]


def test_slowing_down():
    """Kicks of a slowing muon match adaptive quadrature, 3e-4; fails if the energy is that at the entry or the end.

    2 MeV cm^2/g: 3 GeV become 0.68 GeV behind 60 cm of tungsten.
    """
    loss = 2e-3 * 19.3
    s = through(3.0, ("W", 60.0), loss=loss)
    angle2, angle_y, y2 = moments_of(60.0, loss)
    scale = highland(60.0 * PER_X0, 3.0) / math.sqrt(60.0 * PER_X0) * (3.0**2 - M_MU**2) / 3.0
    assert s.theta[-1] == pytest.approx(scale * math.sqrt(angle2), rel=3e-4)
    assert s.y[-1] == pytest.approx(scale * math.sqrt(y2), rel=3e-4)
    assert s.correlation[-1] == pytest.approx(angle_y / math.sqrt(angle2 * y2), rel=3e-4)


def test_layers_in_a_row():
    """Two parts make the whole, with one logarithm; fails if layers are added in quadrature or arms forgotten."""
    loss = 2e-3 * 19.3
    whole, first, both = (
        through(3.0, *(("W", length) for length in lengths), loss=loss) for lengths in ((20.0,), (8.0,), (8.0, 12.0))
    )
    for column in ("depth", "theta", "y", "correlation"):
        assert getattr(both, column)[-1] == pytest.approx(getattr(whole, column)[-1], rel=5e-5)
        assert getattr(both, column)[64] == getattr(first, column)[-1]
    # behind the first part a long way through empty space: the angle stays and makes most of the displacement
    thickness = PER_X0 * 8.0
    first, nothing = Kicks(thickness, *moments_of(8.0, loss)), Kicks(0.0, 0.0, 0.0, 0.0)
    drifted = followed_by(first, 100.0, nothing)
    assert drifted == pytest.approx((thickness, *moments_of(8.0, loss, drift=100.0)), rel=1e-9)
    assert spread(drifted, 3.0).theta == spread(first, 3.0).theta
    assert spread(drifted, 3.0).correlation > 0.99


def test_no_matter():
    """Nearly empty space scatters nothing; fails for a logarithm of zero, a negative one, or 0/0."""
    for kernel in (spread, spread.py_func):
        assert kernel(Kicks(0.0, 0.0, 0.0, 0.0), 3.0) == (0.0, 0.0, 0.0)
    thin = through(3.0, ("W", 2e-12))  # Highland's logarithm turns negative below 3.7e-12 X0
    assert thin.theta[1] == thin.y[1] == 0.0
    assert np.all(np.diff(thin.theta) >= 0.0)
    assert 0.0 < thin.theta[-1] < 1e-9


def test_steered_events():
    """Slopes and displacements of 2e5 events have the covariance asked for, 4 sigma; fails if one of them is lost.

    Half the events stand at 20 cm, half at 10 cm, where the table is linear between its points.
    """
    n = 200_000
    table = Scattering(*(np.array(c) for c in ((0.0, 20.0), (0.01, 0.03), (0.1, 0.5), (0.6, 0.9))))
    beam = Beamline(0.0, 0.0, NO_PARTICLES, 0.0, True, 1.0)
    out = np.zeros((len(FLOAT_BRANCHES), n))
    out[ROW["depth_cm"]] = np.where(np.arange(n) % 2, 10.0, 20.0)
    for name in ("mu_in", "mu_out", "S", "N_out"):
        out[ROW[f"{name}_pz"]] = out[ROW[f"{name}_E"]] = 3.0
    steer(beam, table, np.zeros(n), np.uint64(5), np.arange(n), out)
    for depth, theta, y, correlation in ((20.0, 0.03, 0.5, 0.9), (10.0, 0.02, 0.3, 0.75)):
        here = out[:, out[ROW["depth_cm"]] == depth]
        error = 4.0 / math.sqrt(2.0 * here.shape[1])
        for axis in "xy":
            slope = here[ROW[f"S_p{axis}"]] / here[ROW["S_pz"]]
            aside = here[ROW[f"vertex_{axis}_cm"]]
            assert slope.std() == pytest.approx(theta, rel=error)
            assert aside.std() == pytest.approx(y, rel=error)
            assert np.corrcoef(slope, aside)[0, 1] == pytest.approx(correlation, abs=error)


def test_steered_along_a_slope():
    """Momenta along the beam go along the slope of their particle, 1e-14; fails if a direction has not length 1."""
    none = Scattering(*(np.zeros(2) for _ in range(4)))
    beam = Beamline(0.0, 0.0, np.array([[0.0], [0.0], [0.3], [-0.4]]), 0.0, True, 1.0)
    out = np.zeros((len(FLOAT_BRANCHES), 3))
    out[ROW["S_pz"]] = out[ROW["S_E"]] = 2.0
    steer(beam, none, np.zeros(3), np.uint64(5), np.arange(3), out)
    S = out[ROW["S_px"] : ROW["S_px"] + 3, 0]
    np.testing.assert_allclose(S, 2.0 * np.array([0.3, -0.4, 1.0]) / math.sqrt(1.25), rtol=1e-14)


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
    thickness = Source(card).segments[0].medium.per_X0 * 0.1
    expected = 13.6e-3 / 0.05 * math.sqrt(thickness) * (1.0 + 0.038 * math.log(thickness))
    assert Source(card).scattering.theta[-1] == pytest.approx(expected, rel=2e-4)
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
