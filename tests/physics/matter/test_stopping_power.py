"""Muon energy loss and range against the PDG, an independent program and analytic limits."""

import json
import math

import numpy as np
import pytest
from mpmath import mp
from places import ROOT
from scipy.integrate import quad

from mcgen.base.constants import ALPHA, AVOGADRO, M_E, M_MU
from mcgen.physics.matter import radiative_loss as radiation
from mcgen.physics.matter.atomic_data import ELECTRONS, ELEMENTS, FITS
from mcgen.physics.matter.csda_range import energies, energy_at, range_at, range_table, ranges
from mcgen.physics.matter.density_effect import PLASMA_EV, Medium, delta, mean_excitation, medium
from mcgen.physics.matter.materials import MATERIALS as KNOWN
from mcgen.physics.matter.stopping_power import K, ionisation, stopping_power

REFERENCE = json.loads((ROOT / "validation/reference/muon_loss.json").read_text(encoding="utf-8"))
E_REFERENCE = np.array(REFERENCE["kinetic_energy_gev"]) + M_MU
MATERIALS = REFERENCE["materials"]
MINIMUM = REFERENCE["pdg"]["min_loss"]
PURE = {"W": 19.3, "Pb": 11.35, "Fe": 7.874, "Cu": 8.96, "C": 2.21, "Al": 2.699, "Be": 1.848, "Si": 2.329,
        "Ti": 4.54, "U": 18.95}  # fmt: skip


def pure(name, density=None):
    atoms = [(1.0, ELEMENTS[name])]
    return atoms, medium(atoms, density or PURE[name])


def of_reference(name, own_fit=True):
    row = MATERIALS[name]
    atoms = [(w, ELEMENTS[symbol]) for symbol, w in row["composition"].items()]
    fit = FITS.get(name) if own_fit else None
    return atoms, medium(atoms, row["density"], fit, None if fit else row["I_eV"], compound=name != "brass")


def minimum(atoms, electrons):
    return stopping_power(np.geomspace(0.15, 2.0, 400), atoms, electrons).total.min() * 1e3


@pytest.mark.parametrize("name", PURE)
def test_minimum_of_elements(name):
    """The minimum is the PDG's within its last digit or 0.1 %; fails for a wrong constant of Bethe's formula or fit."""
    assert minimum(*pure(name)) == pytest.approx(MINIMUM[name], rel=1e-3)


@pytest.mark.parametrize(("name", "minimum_of_pdg"), [("scintillator", 1.956), ("air", 1.815)])
def test_minimum_of_scintillator_and_air(name, minimum_of_pdg):
    """The PDG's minima, which are also those of materials.toml; fails for a digit of the fits or the shares."""
    material = KNOWN[name]
    atoms = [(share, ELEMENTS[symbol]) for symbol, share in material.fractions.items()]
    found = minimum(atoms, medium(atoms, material.density, FITS[material.fit]))
    assert found == pytest.approx(minimum_of_pdg, rel=2e-3)
    assert material.dEdx_min == 1e-3 * minimum_of_pdg


@pytest.mark.parametrize("name", [name for name in FITS if name in MINIMUM])
def test_minimum_of_compounds(name):
    """With their own fit compounds have the PDG's minimum; fails if I and C are of different editions (water)."""
    if name == "LAr":
        atoms = [(1.0, ELEMENTS["Ar"])]
        assert minimum(atoms, medium(atoms, 1.396, FITS["LAr"])) == pytest.approx(MINIMUM[name], rel=1e-3)
        assert minimum(atoms, medium(atoms, 1.396)) == pytest.approx(MINIMUM[name], rel=1e-3)  # the gas, moved
    else:
        assert minimum(*of_reference(name)) == pytest.approx(MINIMUM[name], rel=1e-3)


def test_minimum_of_liquid_hydrogen():
    """The fit of the gas, moved to the liquid, has the PDG's minimum; fails if x0 and x1 do not move with C."""
    atoms = [(1.0, ELEMENTS["H"])]
    assert minimum(atoms, medium(atoms, 0.0708, I_eV=21.8)) == pytest.approx(MINIMUM["H2 liquid"], rel=1e-3)


@pytest.mark.parametrize("name", MATERIALS)
def test_loss_against_mulder(name):
    """Losses from 0.3 GeV to 5 TeV agree with another program to 1 %; fails without a process or with a wrong A or Z.

    mulder has newer cross sections and a density effect without fits: 0.6 % below 1 GeV and 0.9 % at 5 TeV.
    """
    loss = stopping_power(E_REFERENCE, *of_reference(name)).total * 1e3
    np.testing.assert_allclose(loss, MATERIALS[name]["loss"], rtol=0.01)
    middle = (E_REFERENCE > 2.0) & (E_REFERENCE < 400.0)
    np.testing.assert_allclose(loss[middle], np.array(MATERIALS[name]["loss"])[middle], rtol=0.0035)


@pytest.mark.parametrize("name", ["H2O", "polystyrene", "concrete", "PbWO4", "LYSO"])
def test_mixtures_without_a_fit(name):
    """Density effects of elements add up to that of a compound; fails if each keeps its own plasma energy."""
    loss = stopping_power(E_REFERENCE, *of_reference(name, own_fit=False)).total * 1e3
    np.testing.assert_allclose(loss, MATERIALS[name]["loss"], rtol=0.01)


@pytest.mark.parametrize(
    ("name", "losses"), [("W", [1.278, 1.458, 1.686, 3.118, 4.064]), ("Pb", [1.272, 1.456, 1.691, 3.219, 4.237])]
)
def test_heavy_targets(name, losses):
    """Tungsten and lead at T = 1, 3, 10, 100, 160 GeV; fails if the energy were taken for the kinetic one."""
    E = np.array([1.0, 3.0, 10.0, 100.0, 160.0]) + M_MU
    np.testing.assert_allclose(stopping_power(E, *pure(name)).total * 1e3, losses, rtol=3e-3)


@pytest.mark.parametrize("name", ELEMENTS)
def test_fits_are_continuous(name):
    """Delta has no step at x0 and meets the free-electron limit at x1; fails for a mistyped constant of a fit."""
    fit = ELECTRONS[name]
    step = 2.0 * math.log(10.0) * fit.x0 - fit.C + fit.a * (fit.x1 - fit.x0) ** fit.k - fit.delta0
    assert abs(step) < (0.0095 if name == "Y" else 1e-3)  # rounding of the digits; the published fit of Y steps


@pytest.mark.parametrize("name", PURE)
def test_plasma_energy_of_fits(name):
    """C of a fit goes with its I, Z/A and density; fails for constants of two editions, or another density."""
    element = ELEMENTS[name]
    assert ELECTRONS[element.name].plasma_eV == pytest.approx(
        PLASMA_EV * math.sqrt(PURE[name] * element.Z / element.A), rel=4e-4
    )


def test_free_electron_limit():
    """Far above every level delta is 2 log(beta gamma plasma/I) - 1 for any mixture; fails if fractions miss 1."""
    electrons = of_reference("PbWO4")[1]
    plasma = PLASMA_EV * math.sqrt(8.3 * electrons.Z_over_A)
    bg = np.array([1e6])
    assert delta(bg, electrons)[0] == pytest.approx(2.0 * math.log(bg[0] * plasma / 600.7) - 1.0, abs=1e-3)
    assert sum(fraction for fraction, _ in electrons.fits) == pytest.approx(1.0, abs=1e-14)


def test_density_effect_of_slow_particles():
    """Below x0 delta is delta_0 (beta gamma/10^x0)^2 in conductors, 0 elsewhere, 1e-12; fails for another power."""
    for element in ELEMENTS.values():
        fit = ELECTRONS[element.name]
        bg = 10.0 ** (fit.x0 - np.array([1.0, 0.25, 1e-3]))
        alone = Medium(element.Z / element.A, fit.I_eV, ((1.0, fit),))
        np.testing.assert_allclose(delta(bg, alone), fit.delta0 * (bg / 10.0**fit.x0) ** 2, rtol=1e-12, atol=0.0)


def test_density_moves_the_plateau():
    """Half the density adds K Z/A log(2)/2 at high energy and nothing at low; fails if the fit is not moved."""
    E = np.array([0.11, 1e4])
    heavy, light = (ionisation(E, pure("C", density)[1]) for density in (2.21, 1.105))
    np.testing.assert_allclose(light[1] - heavy[1], 0.5 * K * 6.0 / 12.011 * math.log(2.0), rtol=1e-6)
    assert light[0] == pytest.approx(heavy[0], rel=0.01)


def test_bragg_rule():
    """I of water, polystyrene, lead tungstate by Bragg's rule; fails if weighted by mass or without the binding."""
    for name, I_eV, rel in (("H2O", 75.0, 0.01), ("polystyrene", 68.7, 0.05), ("PbWO4", 600.7, 0.03)):
        assert mean_excitation(of_reference(name)[0]) == pytest.approx(I_eV, rel=rel)
    np.testing.assert_allclose(K, 0.307075e-3, rtol=2e-6)  # the PDG's constant
    water = of_reference("H2O")[0]
    assert medium(water, 1.0).I_eV == pytest.approx(75.0, rel=0.01)  # bound, if nothing else is said
    assert medium(water, 1.0, compound=False).I_eV == pytest.approx(mean_excitation(water, compound=False), rel=1e-12)
    assert medium([(1.0, ELEMENTS["C"])], 2.21).I_eV == pytest.approx(78.0, rel=1e-12)  # nothing to bind to


def test_screened_bremsstrahlung_limit():
    """At complete screening b has its closed form; fails for a lost factor, or nodes that miss v -> 0.

    For v < 1 and E -> inf the logarithm is log(B Z^(-1/3) M/(m D)), and the rest integrates to 1.
    """
    Z, A = 82.0, 207.2
    logarithm = math.log(182.7 * Z ** (-1.0 / 3.0) * M_MU / (M_E * 1.54 * A**0.27))
    electrons = math.log(1429.0 * Z ** (-2.0 / 3.0) * M_MU / M_E)
    b = 4.0 * AVOGADRO / A * ALPHA * Z * (radiation.R_E * M_E / M_MU) ** 2 * (Z * logarithm + electrons)
    E = np.array([1e8])
    assert radiation.bremsstrahlung_loss(E, Z, A)[0] / E[0] == pytest.approx(b, rel=2e-4)


@pytest.mark.parametrize("E", [3.0, 160.0, 5000.0])
def test_pair_quadrature(E):
    """Fixed rules agree with adaptive ones; fails for too few nodes where screening sets in or at thresholds."""
    Z, A = 74.0, 183.84
    at = np.array([E])

    def pairs(log_v):
        v = math.exp(log_v)
        top = math.sqrt(1.0 - 4.0 * M_E / (E * v)) * (1.0 - 6.0 * M_MU**2 / (E * E * (1.0 - v)))
        if top <= 0.0:
            return 0.0
        low = math.log1p(-top)

        def inner(y):
            return math.exp(y) * float(radiation.pair_production(np.array([v]), np.array([-math.expm1(y)]), at, Z)[0])

        return 2.0 * v * quad(inner, low, 0.0, epsrel=1e-7)[0]

    top = float(radiation.v_max(at, Z)[0])
    exact = AVOGADRO / A * E * quad(pairs, math.log(4.0 * M_E / E), math.log(top), epsrel=1e-5, limit=200)[0]
    assert radiation.pair_loss(at, Z, A)[0] == pytest.approx(exact, rel=1e-4)


@pytest.mark.parametrize("E", [3.0, 160.0, 5000.0])
@pytest.mark.parametrize(("Z", "A"), [(1.0, 1.00794), (74.0, 183.84)])
def test_bremsstrahlung_quadrature(E, Z, A):
    """Fixed rules agree with adaptive ones, 1e-4; fails if a photon takes more than an electron at rest can give."""
    at = np.array([E])

    def single(f, *args):
        return lambda v: float(f(np.array([v]), *args)[0])

    top = float(radiation.v_max(at, Z)[0])
    nucleus = quad(single(radiation.bremsstrahlung_nucleus, at, Z, A), 0.0, top, epsrel=1e-8, limit=400)[0]
    electron = quad(
        single(radiation.bremsstrahlung_electrons, at, Z), 0.0, 1.0 / (1.0 + M_MU**2 / (2.0 * M_E * E)), epsrel=1e-8
    )[0]
    exact = AVOGADRO / A * E * (nucleus + electron)
    assert radiation.bremsstrahlung_loss(at, Z, A)[0] == pytest.approx(exact, rel=1e-4)


@pytest.mark.parametrize("xi", [1e-8, 0.99e-5, 1.01e-5, 1e-2, 1.0, 1e2, 0.99e5, 1.01e5, 1e8])
def test_pair_functions(xi):
    """B_e and B_mu match 50 digits of their formula to 1e-4; fails for a wrong coefficient of an expansion."""
    beta, r2 = mp.mpf("0.3"), mp.mpf("0.2")
    with mp.workdps(50):
        x = mp.mpf(xi)
        B_e = ((2 + r2) * (1 + beta) + x * (3 + r2)) * mp.log(1 + 1 / x) + (1 - r2 - beta) / (1 + x) - (3 + r2)
        B_mu = ((1 + r2) * (1 + 3 * beta / 2) - (1 + 2 * beta) * (1 - r2) / x) * mp.log(1 + x)
        B_mu += x * (1 - r2 - beta) / (1 + x) + (1 + 2 * beta) * (1 - r2)
    arguments = (np.array([xi]), np.array([0.2]), np.array([0.3]))
    assert radiation._B_e(*arguments)[0] == pytest.approx(float(B_e), rel=1e-4)
    assert radiation._B_mu(*arguments)[0] == pytest.approx(float(B_mu), rel=1e-4)


def test_nothing_below_thresholds():
    """Slow muons radiate nothing and all numbers are finite; fails for a logarithm of a negative range."""
    E = np.array([M_MU * 1.01, 0.15, 0.3])
    loss = stopping_power(E, *pure("U"))
    assert np.all(np.isfinite(loss.total))
    assert loss.pairs[0] == loss.photonuclear[0] == 0.0
    assert np.all(loss.bremsstrahlung >= 0.0)


@pytest.fixture(scope="module")
def tungsten():
    atoms, electrons = pure("W")
    return lambda E: stopping_power(E, atoms, electrons).total


@pytest.mark.parametrize(("E_low", "E_high"), [(0.2, 3.2), (0.15, 200.0), (0.15, 5000.0)])
def test_range_to_1e_6(tungsten, E_low, E_high):
    """Ranges match fine quadrature to 1e-6 and invert to 1e-12; fails for a coarse table or a stopped iteration."""
    table = range_table(tungsten, E_low, E_high)
    E = np.linspace(math.log(E_low), math.log(E_high), 38)
    y, w = np.polynomial.legendre.leggauss(60)
    pieces = 0.5 * (E[1] - E[0]) * (y + 1.0) + E[:-1, None]
    inner = np.exp(pieces)
    exact = np.cumsum(np.sum(0.5 * (E[1] - E[0]) * w * inner / tungsten(inner.ravel()).reshape(inner.shape), axis=1))
    np.testing.assert_allclose(ranges(np.exp(E), table)[1:], exact, rtol=1e-6)
    np.testing.assert_allclose(energies(ranges(np.exp(E), table), table), np.exp(E), rtol=1e-12)


@pytest.mark.parametrize("name", ["W", "Pb", "PbWO4", "H2O"])
def test_range_against_mulder(name):
    """3 GeV muons slow to 0.5 GeV over mulder's depth within 0.3 %; fails for an energy off by the muon's mass."""
    atoms, electrons = of_reference(name)
    table = range_table(lambda E: stopping_power(E, atoms, electrons).total, 0.5, 3.0)
    assert range_at(3.0, table) == pytest.approx(MATERIALS[name]["range_0.5_3"], rel=3e-3)


def test_range_ends(tungsten):
    """Outside the table energies are clipped, and both functions rise; fails for an index over the end."""
    table = range_table(tungsten, 0.2, 3.0, n=16)
    assert range_at(0.1, table) == range_at(0.2, table) == 0.0
    assert range_at(9.0, table) == pytest.approx(table.R[-1], rel=1e-15)
    assert energy_at(-1.0, table) == pytest.approx(0.2, rel=1e-15)
    assert energy_at(math.inf, table) == pytest.approx(3.0, rel=1e-15)
    assert energy_at(range_at(2.0, table), table) == pytest.approx(2.0, rel=1e-12)
    R = np.linspace(0.0, table.R[-1], 2001)
    assert np.all(np.diff(energies(R, table)) > 0.0)


def test_constant_loss():
    """At constant loss the range is Eq. 16; fails if the table takes a grid in E for one in log E."""
    table = range_table(lambda E: np.full_like(E, 1.145e-3), 0.5, 3.0)
    assert range_at(3.0, table) == pytest.approx(2.5 / 1.145e-3, rel=1e-9)
    assert energy_at.py_func(range_at.py_func(3.0, table) - 1000.0, table) == pytest.approx(3.0 - 1.145, rel=1e-8)


def test_pairs_do_not_depend_on_their_neighbours():
    """The loss at an energy is the same bits alone and among others; fails if a block is cut at the wrong place."""
    E = np.geomspace(0.2, 5000.0, 21)
    together = radiation.pair_loss(E, 82.0, 207.2)
    assert together.size == 21
    assert np.array_equal(together, np.concatenate([radiation.pair_loss(E[i : i + 1], 82.0, 207.2) for i in range(21)]))
    assert radiation.pair_loss(E[:0], 82.0, 207.2).size == 0
