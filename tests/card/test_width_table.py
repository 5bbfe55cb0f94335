"""A boson from a table of widths: the number of signal events, the reach and the daughters that the table says."""

from __future__ import annotations

import numpy as np
import pytest

from mcgen import load_card, total_width
from mcgen.analysis.reach import reach
from mcgen.analysis.reweight import reweight
from mcgen.base.constants import HBARC_GEV_CM
from mcgen.base.errors import InputError
from mcgen.card.card import card_text, parse_card
from mcgen.events.events import Events
from mcgen.generation.generate import generate
from mcgen.physics.boson.couplings import model_A
from mcgen.physics.boson.scalar_decay import widths
from mcgen.quadrature.yields import n_signal

G = [1e-5, 1e-4, 1e-3]
HEADER = "mass_gev, ctau_cm, e+e-, gamma gamma, mu+mu-, invisible"


@pytest.fixture
def card_of(tmp_path):
    """A card that comes with the package, its boson from a table: rows, or the whole text."""

    def make(rows, name="fermilab", header=HEADER, more=""):
        remark = "# of a model"
        text = (
            rows if isinstance(rows, str) else "\n".join([remark, header, *(", ".join(map(repr, row)) for row in rows)])
        )
        (tmp_path / "widths.csv").write_text(text)
        head, rest = card_text(name).split("[scalar]")
        rest = rest.replace('model = "A"', "", 1)
        rest = rest.replace('width = "total"', "").replace('models = ["A", "B"]', "").replace('models = ["A"]', "")
        (tmp_path / "card.toml").write_text(f'{head}[scalar]\nwidths = "widths.csv"\n{more}{rest}')
        return load_card(tmp_path / "card.toml")

    return make


def _rows_of_A(masses, invisible=0.0):
    for m in masses:
        w = widths(model_A(1.0), m, dark=invisible)
        ctau = HBARC_GEV_CM / w.total
        yield [float(m), float(ctau), *(float(part / w.total) for part in (w.ee, w.gamma_gamma, w.mumu, w.invisible))]


def test_table_of_model_A(card_of):
    """A table of model A on 60 masses gives its N_S to 2e-4, to 2e-3 above the muons' threshold, and exactly on a row.

    Fails if a ratio goes to another channel, or if c tau is taken at another coupling.
    """
    card = card_of(list(_rows_of_A(np.geomspace(0.05, 0.4, 60))))
    plain = load_card("fermilab")
    for m, rel in ((0.05, 1e-12), (0.0737, 2e-4), (0.3, 2e-3)):
        mine, theirs = (n_signal(c, model, m, G[:2]) for c, model in ((card, "table"), (plain, "A")))
        assert [n.value for n in mine] == pytest.approx([n.value for n in theirs], rel=rel)
        assert total_width(card, "table", m, 0.1) == pytest.approx(total_width(plain, "A", m, 0.1), rel=rel)
    (mine,), (theirs,) = reach(card, masses=[0.1]), reach(plain, ["A"], [0.1])
    assert mine.model == "table"
    assert (mine.g_low, mine.g_high) == pytest.approx((theirs.g_low, theirs.g_high), rel=2e-4)


def test_same_events(card_of):
    """Events of the table are those of model A on a row, daughters included; fails for channels in another order."""
    card = card_of(list(_rows_of_A([0.05, 0.1, 0.4], invisible=0.2)))
    ours = generate(card, 0.1, 2_000, decays=True)
    plain = load_card("fermilab")
    scalar = plain.scalar.model_copy(update={"invisible": 0.2})
    theirs = generate(plain.model_copy(update={"scalar": scalar}), 0.1, 2_000)
    assert isinstance(ours, Events)
    assert isinstance(theirs, Events)
    np.testing.assert_array_equal(ours.columns["S_E"], theirs.columns["S_E"])
    np.testing.assert_allclose(ours.columns["decay_z_cm"], theirs.columns["decay_z_cm"], rtol=1e-12)
    w = widths(model_A(1.0), 0.1, dark=0.2)
    for number, share in ((11, w.ee / w.total), (22, w.gamma_gamma / w.total), (52, 0.2), (13, 0.0)):
        found = np.count_nonzero(ours.columns["decay_pdg"] == number)
        assert abs(found - 2_000 * share) <= 4.0 * np.sqrt(2_000 * share)


def test_constants_are_exact(card_of):
    """Between two equal rows c tau and ratios are those of the rows; what is missing to 1 is invisible.

    Fails for an interpolation that overshoots, and if the invisible share counts as seen.
    """
    header = "mass_gev,ctau_cm,e+e-,gammagamma"
    card = card_of([[0.01, 3e-6, 0.5, 0.3], [0.3, 3e-6, 0.5, 0.3]], header=header)
    assert total_width(card, "table", 0.0771, 1.0) == pytest.approx(HBARC_GEV_CM / 3e-6, rel=1e-14)
    whole = card_of([[0.01, 3e-6, 0.7, 0.3], [0.3, 3e-6, 0.7, 0.3]], header=header)
    seen, all_seen = ([n.value for n in n_signal(c, "table", 0.0771, G)] for c in (card, whole))
    assert seen == pytest.approx([0.8 * n for n in all_seen], rel=1e-12)
    events = generate(card, 0.0771, 4_000, force_decay=True)
    assert set(np.unique(events.columns["decay_pdg"])) == {11, 22}
    share = np.mean(events.columns["decay_pdg"] == 11)
    assert abs(share - 0.625) < 4.0 * np.sqrt(0.625 * 0.375 / 4_000)
    for mc, exact in zip(reweight(events, "table", G).n_signal, seen, strict=True):
        assert abs(mc.value - exact) < 4.0 * mc.error + 1e-3 * exact


def test_table_in_the_file(card_of, tmp_path):
    """An event file holds the table itself; fails if it is read from its place again."""
    card = card_of(list(_rows_of_A([0.05, 0.1, 0.4])))
    generate(card, 0.1, 500, output=tmp_path / "events.root")
    before = reweight(tmp_path / "events.root", "table", G[:2]).n_signal
    (tmp_path / "widths.csv").unlink()
    assert reweight(tmp_path / "events.root", "table", G[:2]).n_signal == before
    assert parse_card(card.text).model_dump() == card.model_dump()


def test_electrons_have_their_own_coupling(card_of):
    """Of an electron beam g is the coupling to electrons; fails if the table is taken at that of the muon."""
    header = "mass_gev,ctau_cm,e+e-"
    card = card_of([[0.001, 3e-6, 0.0], [0.3, 3e-6, 1.0]], "e137", header, 'decay = "e+e-"\n')
    assert total_width(card, "table", 0.1, 0.1) == pytest.approx(0.01 * HBARC_GEV_CM / 3e-6)
    with pytest.raises(InputError, match="model: A is no model of the table of widths"):
        total_width(card, "A", 0.1, 0.1)


def test_closed_channel_gives_its_share(card_of):
    """Just below 2 m_mu nothing decays to muons although the row above does; fails for daughters without momentum."""
    rows = [[0.1, 1e-5, 1.0, 0.0, 0.0, 0.0], [0.2, 1e-5, 1.0, 0.0, 0.0, 0.0], [0.3, 1e-5, 0.2, 0.0, 0.8, 0.0]]
    card = card_of(rows).with_boson("pseudoscalar")
    assert card.scalar.model == "table"
    table = card.scalar.table
    below, above = table.widths(0.2112, 1.0), table.widths(0.2114, 1.0)
    assert below.mumu == below.invisible == 0.0
    assert above.mumu / above.total == pytest.approx(0.8 * 0.114, rel=1e-9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mass_gev,e+e-\n1,1\n2,1\n", "needs a header with mass_gev,ctau_cm and channels"),
        ("mass_gev,ctau_cm,ee\n1,1,1\n2,1,1\n", "column: 'ee' is not known (did you mean 'e+e-'?)"),
        ("mass_gev,ctau_cm,e+e-,e+ e-\n1,1,1,0\n2,1,1,0\n", "each once"),
        ("mass_gev,ctau_cm,hadrons\n.1,1,.5\n2,1,1\n", "row 1: hadrons: 0.5 at 0.1 GeV must be 0, the channel is cl"),
        ("mass_gev,ctau_cm,e+e-,invisible\n.1,1,.6,.5\n2,1,1,0\n", "row 1: sum of all channels: 1.1 at 0.1 GeV"),
        ("mass_gev,ctau_cm,e+e-\n.1,1,1\n.1,1,1\n", "mass_gev must be positive and rise"),
        ("mass_gev,ctau_cm,e+e-\n.1,0,1\n.2,1,1\n", "ctau_cm must lie in"),
        ("mass_gev,ctau_cm,e+e-\n.1,1,nan\n.2,1,1\n", "row 1: e+e- is no number"),
        ("mass_gev,ctau_cm,e+e-\n.1,1,1\n", "two rows"),
        ("mass_gev,ctau_cm,e+e-\n.2,1,1\n.3,1,1\n", "mass: 0.1 GeV lies outside scalar.widths, which has 0.2 to 0.3"),
    ],
)
def test_faults(card_of, text, message):
    """Each fault of a table is one line that says where; fails if one is taken as it is."""
    with pytest.raises(InputError) as error:
        card_of(text)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_refused_with_a_table(card_of):
    """Keys of a model, masses outside and a missing table are refused; fails if one is ignored."""
    rows = list(_rows_of_A([0.05, 0.1, 0.4]))
    for more in ("invisible = 0.1\n", 'width = "ee_only"\n'):
        with pytest.raises(InputError, match="a table has its own ratios"):
            card_of(rows, more=more)
    with pytest.raises(InputError, match=r"0\.5 GeV lies outside"):
        reach(card_of(rows), masses=[0.1, 0.5])
    with pytest.raises(InputError, match=r"needs scalar\.widths"):
        n_signal(load_card("fermilab"), "table", 0.1, G)
