"""Mean spin density of vectors by quadrature against reference numbers, cross sections and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mcgen.base.constants import M_MU
from mcgen.base.errors import InputError
from mcgen.quadrature.polarisation import mean_polarisation, polarisation_at
from mcgen.quadrature.xsec import cross_section

SPIN_1 = pytest.mark.parametrize("mediator", ["vector", "axial"])
ELEMENTS = {"rho_00": "rho_00", "rho_1m1": "rho_1m1", "re_rho_10": "re_rho_10"}


@SPIN_1
def test_fixed_energy_and_angle(mediator, reference):
    """rho at eleven (E, x, theta) to 1e-9, and d sigma; fails if phi_q is counted from elsewhere, or the axes turn."""
    for row in reference("vector_decay")["fixed"]:
        expected = row[mediator[0].upper()]
        found = polarisation_at(row["target"], row["E_beam"], row["m_X"], row["x"], row["theta"], mediator=mediator)
        tolerance = max(1e-9, 3.0 * found.error)
        assert tolerance < 1e-6
        for name in ELEMENTS:
            assert getattr(found, name) == pytest.approx(expected[name], abs=tolerance)
        assert found.lambda_theta() == pytest.approx(expected["lambda_theta"], abs=10.0 * tolerance)
        assert found.sigma == pytest.approx(expected["d2sigma_dE_dcos_pb"], rel=1e-6)


def test_averages(reference):
    """rho averaged over the cross section, over its bins of x, and the share of hard pairs, to their errors.

    Fails if nodes are weighted by anything but the cross section.
    """
    for row in reference("vector_decay")["average"]:
        setting = row["target"], row["E_beam"], row["m_X"]
        found = mean_polarisation(*setting, mediator=row["mediator"])
        assert found.error < 1e-7
        for name in ELEMENTS:
            assert getattr(found, name) == pytest.approx(row[name], abs=row["abs_err"] + found.error)
        assert found.sigma == pytest.approx(row["sigma_g1_pb"], rel=1e-7)
        assert found.lambda_theta() == pytest.approx(row["lambda_theta"], abs=1e-6)
        slow = found.share_above(0.2) / found.share_above(0.2, isotropic=True)  # X is not quite massless
        assert slow == pytest.approx(row["share_abs_cos_below_0p6"] / 0.6, abs=1e-3)
        for low, high, part in zip(row["x_edges"], row["x_edges"][1:], row["x_bins"], strict=False):
            some = mean_polarisation(*setting, mediator=row["mediator"], x=(low, high))
            assert some.sigma / found.sigma == pytest.approx(part["share"], abs=1e-6)
            assert some.rho_00 == pytest.approx(part["rho_00"], abs=1e-6)
            assert some.re_rho_10 == pytest.approx(part["re_rho_10"], abs=1e-6)


#: rows of the table of averages: rho_00, lambda, share of pairs with both above 0.2 E_X; of V and of A
TABLE = {
    ("W", 3.0, 0.01): ((0.1299, 0.540, 0.541), (0.9255, -0.923, 0.771)),
    ("W", 3.0, 0.3): ((0.1352, 0.524, 0.543), (0.2474, 0.207, 0.575)),
    ("Pb", 160.0, 0.01): ((0.1104, 0.602, 0.536), (0.9529, -0.952, 0.778)),
    ("Pb", 160.0, 0.3): ((0.1436, 0.498, 0.545), (0.2688, 0.153, 0.581)),
}


@SPIN_1
@pytest.mark.parametrize("setting", TABLE)
def test_table(mediator, setting):
    """rho_00, lambda and polarised over isotropic share of hard pairs; fails for the law of the other mediator."""
    rho_00, slope, share = TABLE[setting][mediator == "axial"]
    found = mean_polarisation(*setting, mediator=mediator)
    assert found.rho_00 == pytest.approx(rho_00, abs=6e-5)
    assert found.lambda_theta() == pytest.approx(slope, abs=6e-4)
    ratio = found.share_above(0.2) / found.share_above(0.2, isotropic=True)
    assert ratio == pytest.approx(share / 0.6, abs=4e-3)


@SPIN_1
@pytest.mark.parametrize(
    ("target", "E", "m_S", "lepton"), [("Pb", 5.0, 0.05, "mu"), ("W", 10.0, 0.05, "e"), ("Pb", 100.0, 0.02, "e")]
)
def test_trace_is_the_cross_section(mediator, target, E, m_S, lepton):
    """The trace adds up to sigma of the quadrature of A, of electron beams to 1e-3; fails for a lost jacobian."""
    found = mean_polarisation(target, E, m_S, mediator=mediator, lepton=lepton)
    expected = cross_section(target, E, m_S, mediator=mediator, lepton=lepton).value
    assert found.sigma == pytest.approx(expected, rel=1e-6 if lepton == "mu" else 1e-3)
    assert np.sum(found.share) == pytest.approx(1.0, rel=1e-12)


def test_muon_pairs():
    """Muons near threshold: b^2 multiplies n.rho.n of V, lambda is 0.19 and not 0.52, and not of A; fails without b."""
    vector = mean_polarisation("W", 3.0, 0.3)
    assert vector.lambda_theta() == pytest.approx(0.52, abs=0.01)
    assert vector.lambda_theta(M_MU) == pytest.approx(0.19, abs=0.01)
    axial = mean_polarisation("W", 3.0, 0.3, mediator="axial")
    assert axial.lambda_theta(M_MU) == pytest.approx(axial.lambda_theta(), rel=1e-12)
    assert vector.share_above(0.2, M_MU, isotropic=True) == pytest.approx(0.6 / math.sqrt(0.504), abs=0.02)
    assert vector.share_above(1e-12) == pytest.approx(1.0, rel=1e-9)
    assert vector.share_above(0.5) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: mean_polarisation("W", 3.0, 0.1, mediator="scalar"), "mediator"),
        (lambda: mean_polarisation("W", 0.2, 0.1), "below threshold"),
        (lambda: mean_polarisation("W", 3.0, 0.1, x=(0.5, 0.2)), "rising"),
        (lambda: polarisation_at("W", 3.0, 0.1, 0.99, 0.1), "no energy"),
        (lambda: polarisation_at("W", 3.0, 0.1, 0.5, 4.0), "theta"),
        (lambda: mean_polarisation("W", 3.0, 0.1).share_above(0.7), "cut"),
        (lambda: mean_polarisation("W", 3.0, 0.1).share_above(0.2, 0.06), "m_l"),
    ],
)
def test_refused(ask, message):
    """What makes no sense is one line that names it; fails for a NaN."""
    with pytest.raises(InputError, match=message):
        ask()
