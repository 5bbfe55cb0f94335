"""Decays into two leptons of different flavours: widths by explicit spinors, parity angles, what a card says."""

from __future__ import annotations

import math

import exact
import numpy as np
import pytest

from mcgen import load_card
from mcgen.base.constants import LEPTON_MASSES, M_E, M_MU, M_TAU
from mcgen.base.errors import InputError
from mcgen.card.card import Card, card_text, parse_card
from mcgen.physics.boson.couplings import FLAVOUR, Couplings
from mcgen.physics.boson.scalar_decay import width_change, width_leptons, widths
from mcgen.physics.emission.mediator import MEDIATORS, MIXES
from mcgen.source.boson import Boson, all_couplings, production_coupling

PAIRS = [("e", "mu"), ("e", "tau"), ("mu", "tau")]


def card_of(text: str, name: str = "na64") -> Card:
    """A card of the package with further keys of [scalar], of the model flavour."""
    head, rest = card_text(name).split("[scalar]")
    rest = rest.replace('model = "A" ', 'model = "flavour"').replace('models = ["A", "B"]', "")
    return parse_card(f"{head}[scalar]\n{text}\n{rest}")


def _by_spinors(mediator, m_1, m_2, m_S):
    """Gamma of unit coupling: the trace over both spins at 60 digits, summed over polarisations, averaged over them."""
    m_1, m_2, m_S = exact.mpf(m_1), exact.mpf(m_2), exact.mpf(m_S)
    E_1 = (m_S**2 + m_1**2 - m_2**2) / (2 * m_S)
    q = exact.sqrt(E_1**2 - m_1**2)
    first, second = exact.slash((E_1, 0, 0, q)), exact.slash((m_S - E_1, 0, 0, -q))

    def square(vertex):
        bar = exact.GAMMA[0] @ np.vectorize(exact.mp.conj, otypes=[object])(vertex.T) @ exact.GAMMA[0]
        return np.trace((first + m_1 * exact.ONE) @ vertex @ (second - m_2 * exact.ONE) @ bar).real

    if mediator in ("scalar", "pseudoscalar"):
        total = square(exact.ONE if mediator == "scalar" else 1j * exact.GAMMA5)
    else:
        chiral = exact.ONE if mediator == "vector" else exact.GAMMA5
        total = sum(square(exact.GAMMA[i] @ chiral) for i in (1, 2, 3)) / 3  # at rest the polarisations are the axes
    return float(total * q / (8 * exact.mp.pi * m_S**2))


@pytest.mark.parametrize(("one", "two"), PAIRS)
@pytest.mark.parametrize("mediator", MEDIATORS)
def test_width(mediator, one, two):
    """Each width is that of the spinors to 1e-12, in either order of the leptons, and 0 below threshold.

    Fails if the sum of the masses stands where their difference does.
    """
    m_1, m_2 = LEPTON_MASSES[one], LEPTON_MASSES[two]
    for m_S in ((m_1 + m_2) * 1.001, 1.2 * (m_1 + m_2), 3.0, 50.0):
        expected = _by_spinors(mediator, m_1, m_2, m_S)
        for masses in ((m_1, m_2), (m_2, m_1)):
            assert width_change(0.5, *masses, m_S, mediator) == pytest.approx(0.25 * expected, rel=1e-11)
    assert width_change(1.0, m_1, m_2, m_1 + m_2, mediator) == 0.0


@pytest.mark.parametrize("mediator", MEDIATORS)
def test_width_of_equal_masses(mediator):
    """Of two muons it is Gamma(mu+ mu-); fails if a colour of Eq. 4 is lost."""
    for m_S in (0.3, 2.0):
        found = width_change(0.3, M_MU, M_MU, m_S, mediator)
        assert found == pytest.approx(width_leptons(0.3, M_MU, m_S, mediator), rel=1e-12)


@pytest.mark.parametrize("mediator", MIXES)
def test_parity_angle(mediator):
    """All widths mix as cos^2 and sin^2, and at 90 degrees are the odd boson's; fails if one keeps the even form."""
    g, change = Couplings(0.1, 0.2, 0.3, 0.05, 0.4), frozenset(("mu", "tau"))
    even, odd = (widths(g, 4.0, kind, 0.0, 0.1, 0.0, change) for kind in (mediator, MIXES[mediator]))
    for angle in (30.0, 45.0, 90.0):
        share = math.cos(math.radians(angle)) ** 2
        found = widths(g, 4.0, mediator, 0.0, 0.1, angle, change)
        assert found == pytest.approx([share * a + (1.0 - share) * b for a, b in zip(even, odd, strict=True)])
    assert found == odd
    assert odd.mutau > 0.0


def test_both_charge_states():
    """emu of `Widths` holds e+ mu- and e- mu+, its share of all is theirs; fails if one state is forgotten."""
    w = Boson(card_of('out_lepton = "e"\n').with_boson(), FLAVOUR, 0.3).widths(2e-3)
    assert w.emu == pytest.approx(2.0 * width_change(2e-3, M_E, M_MU, 0.3), rel=1e-12)
    assert w.total == w.emu


def test_couplings_of_a_card():
    """The coupling of the production is flavour_coupling * g_mu of every model; fails if g_mu alone makes S."""
    card = card_of('out_lepton = "tau"\nflavour_coupling = 0.25\ninvisible = 0.5').with_boson()
    for model in ("A", "B", FLAVOUR):
        assert production_coupling(card, model, 2.0) == 0.5
        assert all_couplings(card, model, 2.0)[:4] == all_couplings(load_card("na64"), model, 2.0)[:4]
    assert production_coupling(card.with_boson(flavour_coupling=3.0), "A", 2.0) == 6.0
    assert production_coupling(load_card("na64"), "A", 2.0) == 2.0
    explicit = Couplings(0.0, 1.0, 0.0, 0.0, 0.125)
    assert production_coupling(card, explicit, 7.0) == 0.125
    with pytest.raises(InputError, match="g_flavour is 0"):
        production_coupling(card, Couplings(1.0, 1.0, 1.0), 1.0)


def test_below_both_masses():
    """Without other couplings S lives as a table says, or is not seen; else one line says so. Fails for a guess."""
    card = card_of('out_lepton = "tau"\n').with_boson()
    with pytest.raises(InputError, match=r"scalar.widths, or scalar.invisible"):
        Boson(card, FLAVOUR, 0.1).widths()
    assert Boson(card, FLAVOUR, 2.0).widths().mutau > 0.0
    assert Boson(card, "B", 0.1).widths().gamma_gamma > 0.0
    stable = Boson(card_of('out_lepton = "tau"\ninvisible = 0.5'), FLAVOUR, 0.1)
    assert (stable.width(), stable.visible_width) == (0.0, 0.0)
    table = '"""mass_gev,ctau_cm,e+e-\n0.01,1e-3,1\n1,1e-4,1\n"""'
    text = card_text("na64").replace('model = "A" ', f'out_lepton = "tau"\nflavour_coupling = 0.5\nwidths = {table} ')
    text = text.replace('width = "total"', "").replace('models = ["A", "B"]', "")
    boson = Boson(parse_card(text), "table", 0.01)
    assert boson.widths(2.0).ee == pytest.approx(1.973269804e-14 / 1e-3, rel=1e-12)  # at unit coupling, 0.5 * 2


def test_table_with_mixed_channels():
    """A table may have e mu and mu tau, closed below both masses; fails if twice one mass is the threshold."""
    text = card_text("na64").replace('width = "total"', "").replace('models = ["A", "B"]', "")

    def card(rows):
        return parse_card(text.replace('model = "A" ', f'widths = """mass_gev,ctau_cm,emu,e+e-\n{rows}""" '))

    found = Boson(card("0.1,1,0,1\n0.12,1,0.5,0.5\n"), "table", 0.12).widths()
    assert found.emu == pytest.approx(found.ee)
    with pytest.raises(InputError, match="the channel is closed"):
        card("0.05,1,0.1,0.9\n0.12,1,0.5,0.5\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('out_lepton = "mu"\nflavour_coupling = 1.0', "no flavour changes"),
        ("flavour_coupling = 1.0", "give out_lepton"),
        ('out_lepton = "nu"', "out_lepton"),
        ('out_lepton = "tau"\nparity_angle = 91.0', "parity_angle"),
        ('out_lepton = "tau"\nmediator = "axial"\nparity_angle = 45.0', "is of mediator scalar or vector"),
    ],
)
def test_refused_cards(text, said):
    """Keys that contradict each other are one line; fails if a card means something else than it says."""
    with pytest.raises(InputError, match=said) as found:
        card_of(text)
    assert "\n" not in str(found.value)


def test_the_model_needs_another_lepton():
    """Model flavour of a card whose lepton stays is refused; fails if it makes nothing in silence."""
    with pytest.raises(InputError, match="flavour is no model of mediator scalar"):
        card_of("")
    plain = card_of('out_lepton = "mu"\n'.replace("mu", "tau")).with_boson("vector")
    assert plain.scalar.models == ("dark-photon", "Lmu-Ltau", FLAVOUR)
    assert load_card("na64").with_boson(out_lepton="mu").scalar.out_lepton is None
    assert load_card("na64").with_boson(parity_angle=30.0).with_boson("vector").scalar.parity_angle == 0.0
    assert load_card("na64").with_boson(out_lepton="tau").out_mass == M_TAU
