"""Where published limits hold, and by how much they are weaker for another boson than their own."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from shown import boson

from mcgen import collider_cross_section, load_card
from mcgen.analysis.constraints import NotDrawnWarning, constraints
from mcgen.analysis.constraints.records import points, records
from mcgen.analysis.reach import Tower
from mcgen.base.constants import M_MU, M_TAU
from mcgen.physics.boson.couplings import MODELS, MODELS_OF
from mcgen.physics.boson.scalar_decay import widths
from mcgen.source.boson import Boson

WITH_TABLE = {name: one for name, one in records().items() if one.table}
#: g_mu at which a table's coupling is 1: electric charge, and m_mu/m_e
IN_MUONS = {"g_mu": 1.0, "eps": 0.302822, "g_e": 206.76828}


def own(record, invisible=0.0):
    """The boson of a table."""
    return boson(record.mediators[0], invisible, model=record.models[0])


def of(name, m, shown, model):
    """The ranges of g_mu that one limit excludes at one mass."""
    (limit,) = constraints([name], [m], shown, [model])
    ((mass, ranges),) = limit.columns
    assert mass == m
    return ranges


def why_not(name, m, shown, model):
    """Why a limit is not drawn."""
    with pytest.warns(NotDrawnWarning) as caught:
        assert constraints([name], [m], shown, [model]) == []
    (one,) = caught
    return str(one.message)


@pytest.mark.parametrize("name", WITH_TABLE)
def test_three_points(name, reference):
    """Each limit goes through three points that were copied from its source beside it; fails for eps taken for g_mu.

    One that sees invisible decays is that of a boson with nothing else to decay to, or at a share of 0.8.
    """
    record, row = WITH_TABLE[name], reference("constraints")[name]
    assert row["table"] == record.table
    dark = 0.8 if record.assumed == "one" else 0.0
    shown = boson("vector", dark, model="dark-photon") if dark else own(record)
    model = "dark-photon" if dark else record.models[0]
    for m, coupling in row["points"]:
        ends = [g for one in of(name, m, shown, model) for g in one]
        wanted = coupling * IN_MUONS[record.coupling] / math.sqrt(dark or 1.0)
        assert min(abs(math.log(g / wanted)) for g in ends) < 1e-4, (m, ends, wanted)
        assert (ends[-1] == math.inf) == (record.shape != "polygon")


@pytest.mark.parametrize("name", WITH_TABLE)
def test_not_drawn_for_others(name):
    """No limit is drawn for a boson or a model that it is not of, nor for a tower; one line says why.

    Fails for the first limit on a vector over the couplings of a scalar.
    """
    record = WITH_TABLE[name]
    m = math.sqrt(math.prod(f([p[0] for p in _ends(record)]) for f in (min, max)))
    for mediator, models in MODELS_OF.items():
        for model in models:
            if mediator not in record.mediators or model not in record.models:
                assert "it is a limit on a" in why_not(name, m, boson(mediator), model)
    dark = 0.5 if record.assumed == "one" else 0.0
    tower = boson(record.mediators[0], dark, Tower(2, 0.01), model=record.models[0])
    assert "tower" in why_not(name, m, tower, record.models[0])


def _ends(record):
    return points(record.path)


@pytest.mark.parametrize("name", [name for name, one in WITH_TABLE.items() if one.lifetime])
def test_lifetimes_are_not_rescaled(name):
    """Displaced decays, dumps and cosmology of a boson that decays otherwise are said, not drawn; fails if rescaled."""
    record = WITH_TABLE[name]
    m = _ends(record)[len(_ends(record)) // 3][0]
    assert "lifetime" in why_not(name, m, own(record, 0.3), record.models[0])


@pytest.mark.parametrize("name", ["babar-invisible", "na64e", "na62-invisible", "belle2-invisible"])
def test_invisible_needs_invisible_decays(name):
    """A dark photon without them is not excluded by missing energy, with them by 1/sqrt(BR); fails for BR = 1."""
    m = 5.0 if name == "belle2-invisible" else 0.05
    assert "nothing of the boson is invisible" in why_not(name, m, boson("vector"), "dark-photon")
    (some,), (most,) = (of(name, m, boson("vector", x), "dark-photon") for x in (0.25, 0.999999))
    assert some[0] / most[0] == pytest.approx(2.0, rel=1e-5)


def test_branching_ratios():
    """Prompt searches rise by 1/sqrt(1 - BR(invisible)) or by the ratio of shares; fails if they stay as they are."""
    for name, m in (("babar-visible", 1.0), ("na48", 0.05), ("kloe", 0.7), ("lhcb", 20.0)):
        (plain,), (dark,) = (of(name, m, boson("vector", x), "dark-photon") for x in (0.0, 0.75))
        assert dark[0] / plain[0] == pytest.approx(2.0, rel=1e-6)
    # Belle II in L_mu - L_tau: neutrinos take 1/(1 + r) of it above 2 m_mu, r = BR(mu mu)/BR(nu nu), taus at 5 GeV too
    m = 5.0
    (plain,) = of("belle2-invisible", m, boson("vector", model="Lmu-Ltau"), "Lmu-Ltau")
    r = sum(math.sqrt(1.0 - x) * (1.0 + x / 2.0) for x in ((2.0 * M_MU / m) ** 2, (2.0 * M_TAU / m) ** 2))
    (all_of_it,) = of("belle2-invisible", m, boson("vector", 0.999999), "dark-photon")
    assert plain[0] / all_of_it[0] == pytest.approx(math.sqrt(1.0 + r), rel=1e-5)
    # the pairs of electrons of KLOE without hadrons: with them, above 2 m_pi, the line is higher
    for m in (0.2, 0.4):
        w = widths(MODELS["dark-photon"](1.0), m, "vector", g_q=1.0)
        (low, _), *_ = of("kloe-phi-eta", m, boson("vector"), "dark-photon")
        table = np.array(_ends(records()["kloe-phi-eta"])).T
        there = float(np.exp(np.interp(math.log(m), *np.log(table)))) * 0.302822
        assert low / there == pytest.approx(math.sqrt(1.0 + w.hadrons / (w.ee + w.mumu)), rel=1e-5)
        assert (w.hadrons > 0.0) == (m > 0.3)


def test_couplings_to_electrons_alone():
    """A limit on g_e holds where decays to electrons are 0.9 of all; fails at 0.3 GeV, where muons take them."""
    m = 0.01
    shown = boson("pseudoscalar")
    assert of("e137-electrons", m, shown, "A")
    assert "excludes nothing" in why_not("e137-electrons", 0.3, shown, "A")


def test_four_muons_of_each_boson():
    """BaBar's g' times sqrt(sigma_V BR_V/(sigma_X BR_X)): the cross sections are those of the reference.

    sigma_S/sigma_V is 0.080 at 0.215 GeV, where the search begins. Belle II's own search for a scalar (2403.02841) has
    0.0018 to 0.040. Fails if a scalar is excluded as a vector.
    """
    sigma = {x: collider_cross_section(10.58, 0.215, lepton="mu", mediator=x).value for x in MODELS_OF}
    assert sigma["scalar"] / sigma["vector"] == pytest.approx(0.0805, rel=1e-3)
    m = 0.3
    (vector,) = of("babar", m, boson("vector", model="Lmu-Ltau"), "Lmu-Ltau")
    beta2 = 1.0 - (2.0 * M_MU / m) ** 2
    muons = math.sqrt(beta2) * (3.0 - beta2) / 2.0
    assumed = muons / (1.0 + muons)
    for mediator in ("scalar", "pseudoscalar"):
        s = collider_cross_section(10.58, m, lepton="mu", mediator=mediator).value
        v = collider_cross_section(10.58, m, lepton="mu", mediator="vector").value
        (found,) = of("babar", m, boson(mediator), "B")
        assert found[0] == pytest.approx(vector[0] * math.sqrt(v / s * assumed), rel=1e-3)
        (darker,) = of("babar", m, boson(mediator, 0.75), "B")
        assert darker[0] == pytest.approx(2.0 * found[0], rel=1e-6)
    axial = beta2**1.5
    s, v = (collider_cross_section(10.58, m, lepton="mu", mediator=x).value for x in ("axial", "vector"))
    (found,) = of("babar", m, boson("axial"), "Lmu-Ltau")
    assert found[0] == pytest.approx(vector[0] * math.sqrt(v / s * assumed * (1.0 + axial) / axial), rel=1e-6)
    assert 0.0018 < of("babar", 0.25, boson("scalar"), "B")[0][0] < of("babar", 5.9, boson("scalar"), "B")[0][0] < 0.04
    (scalar,) = constraints(["babar"], [m], boson("scalar"), ["B"])
    assert "recast to a scalar" in scalar.label


def test_four_muons_of_vectors():
    """A vector is excluded by its share of decays to muons, as in L_mu - L_tau here; fails if neutrinos are lost."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        limits = constraints(["babar"], [0.219], boson("vector"), MODELS_OF["vector"])
    lows = [limit.columns[0][1][0][0] for limit in limits]
    assert lows[0] == pytest.approx(lows[1], rel=1e-6)  # neutrinos as much as electrons
    (dark,) = constraints(["babar"], [0.219], boson("vector", 0.75), ["Lmu-Ltau"])
    assert dark.columns[0][1][0][0] == pytest.approx(2.0 * lows[1], rel=1e-6)
    assert "known from 215.4" in why_not("babar", 0.1, boson("vector"), "Lmu-Ltau")
    assert "e+e- alone" in why_not("babar", 0.3, boson("scalar", width="ee_only"), "A")


def test_limits_with_taus():
    """BaBar and Belle exclude a scalar of model A above 2e-4 at 0.1 to 0.2 GeV.

    Reference: points read off the published figure. Fails if the limit on xi is taken for one on g_mu.
    """
    for name, m, g in (("babar-tautau", 0.063, 3.6e-4), ("babar-tautau", 0.093, 2.6e-4), ("belle-tautau", 0.1, 2.0e-4)):
        ((low, high),) = of(name, m, boson("scalar"), "A")
        assert high == math.inf
        assert low == pytest.approx(g, rel=0.12)
    assert "model A (couplings as the masses of the leptons)" in why_not("babar-tautau", 0.1, boson("scalar"), "B")
    assert "known from" in why_not("belle-tautau", 0.01, boson("scalar"), "A")


def test_published_limit_as_a_cross_section():
    """BaBar's limits on xi are those on sigma times BR, smooth over 2 m_tau; fails for another normalisation of g_tau.

    Where tau pairs open, the branching ratio to muons falls and xi jumps by seven: the product with it must not.
    """

    def at(m):
        (limit,) = constraints(["babar-tautau"], [m], models=["A"])
        g = limit.columns[0][1][0][0]
        boson = Boson(load_card("babar-tautau"), "A", m)
        return 1e3 * collider_cross_section(10.58, m).value * (g * M_TAU / M_MU) ** 2 * boson.chosen, g

    assert [at(m)[0] for m in (0.1, 1.0, 4.0)] == pytest.approx([1.7, 0.59, 0.25], rel=0.1)  # fb
    below, above = (np.median([at(m) for m in masses], axis=0) for masses in ((3.3, 3.4, 3.45), (3.8, 3.9, 4.0)))
    assert 0.7 < above[0] / below[0] < 1.4
    assert above[1] / below[1] > 4.0
