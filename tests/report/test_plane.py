"""Axes of figures: the coupling of each community, units of masses, and one conversion for every line."""

from __future__ import annotations

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from mcgen.analysis.constraints import Constraint
from mcgen.analysis.reach import ReachPoint
from mcgen.base.errors import InputError
from mcgen.report.contours import draw_reach, plot_reach
from mcgen.report.plane import Plane


@pytest.mark.parametrize(
    ("mediator", "model", "label", "factor"),
    [
        ("scalar", "A", "$g_\\mu$", 1.0),
        ("vector", "Lmu-Ltau", "$g'$", 1.0),
        ("vector", "dark-photon", "$\\varepsilon$", 1.0 / 0.302822),
        ("pseudoscalar", "B", "$g_a$", 1.0 / (2.0 * 0.10565837)),
        ("axial", "dark-photon", "$g_A$", 1.0),
        (None, "dark-photon", "$g_\\mu$", 1.0),
        ("vector", "flavour", "$g_\\mu$", 1.0),
    ],
)
def test_couplings(mediator, model, label, factor):
    """epsilon = g/e with e = 0.302822, and g_a = g/(2 m_mu) in 1/GeV; fails for e = 0.3134 or a lost factor 2."""
    plane = Plane.of(mediator, model, 1.0)
    assert plane.coupling.startswith(label)
    assert plane.y(1.0) == pytest.approx(factor, rel=1e-5)
    forced = Plane.of(mediator, model, 1.0, "g_mu")
    assert (forced.coupling, forced.y(1.0), forced.second) == ("$g_\\mu$", 1.0, False)


def test_units_of_masses():
    """MeV up to 2 GeV, GeV above, or what is asked for; fails if the numbers are those of the other unit."""
    assert [Plane.of("scalar", "A", m).unit for m in (0.2, 2.0, 2.1)] == ["MeV", "MeV", "GeV"]
    plane = Plane.of("vector", "dark-photon", 0.2, unit="GeV")
    assert (plane.mass, plane.x(0.2)) == ("$m_{A'}$ [GeV]", 0.2)
    assert Plane.of("scalar", "A", 0.2).x(0.2) == 200.0
    for wrong in ({"axis": "eps"}, {"unit": "keV"}):
        with pytest.raises(InputError, match="is not known"):
            Plane.of("scalar", "A", 0.2, **wrong)


def _everything(plane):
    """All coordinates of a figure with contour, errors, limits, a band, a quoted line and the end of perturbation."""
    masses = (0.01, 0.02, 0.04)
    points = [
        ReachPoint("na64", "dark-photon", "exact", m, 1e-4, math.inf, g_low_error=1e-5, g_low_min=5e-5, g_low_max=2e-4,
                   g_high_min=1.0, g_high_max=2.0, varied="x")
        for m in masses
    ]  # fmt: skip
    kinds = {"excluded": "babar", "preferred": "g2-bnl", "quoted": "e137"}
    known = [
        Constraint(n, n, kind, ("dark-photon",), tuple((m, ((1e-3, 1e-2),)) for m in masses))
        for kind, n in kinds.items()
    ]
    axes = Figure().subplots()
    draw_reach(axes, points, known, plane)
    found = [patch.get_path().vertices for patch in axes.patches if patch.get_hatch() != "////"]
    found += [line.get_xydata() for line in axes.lines if len(line.get_xdata())]
    for collection in axes.collections:
        found += [np.asarray(segment) for segment in getattr(collection, "get_segments", list)()]
    spans = [patch.get_bbox().y0 for patch in axes.patches if patch.get_hatch() == "////"]
    return [v for v in found if len(v)], np.array([*axes.get_ylim(), *spans])


def test_every_line_has_the_same_conversion():
    """Contours, errors, limits, bands and 4 pi move together by 1/e, masses by 1000; fails if one keeps g_mu or MeV."""
    here, ends = _everything(Plane())
    there, others = _everything(Plane.of("vector", "dark-photon", 0.04, unit="GeV"))
    assert len(here) == len(there) > 8
    for one, other in zip(here, there, strict=True):
        np.testing.assert_allclose(other, one * [1e-3, 1.0 / 0.302822], rtol=1e-5)
    np.testing.assert_allclose(others, ends / 0.302822, rtol=1e-5)
    assert len(ends) == 3


def test_g_mu_at_the_right():
    """A pseudoscalar has g_mu at its right, g_mu = 0.2113 where g_a is 1/GeV; fails if it is upside down."""
    axes = Figure().subplots()
    points = [ReachPoint("na64", "A", "exact", m, 1e-4, 1e-2) for m in (0.01, 0.02)]
    plot_reach(points, axes, boson="pseudoscalar", ylim="1e-2:1")
    (right,) = axes.child_axes
    axes.figure.draw_without_rendering()
    assert right.get_ylabel() == "$g_\\mu$"
    assert right.get_ylim() == pytest.approx((0.2113167e-2, 0.2113167), rel=1e-5)
    assert axes.get_ylim() == (1e-2, 1.0)
