"""Form factors beyond Appendix A: Helm, measured charge densities, tables."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import spherical_jn

from mcgen import load_card
from mcgen.base.constants import M_E, M_P
from mcgen.base.errors import InputError
from mcgen.card.card import card_text, parse_card
from mcgen.card.form_factors import element_form_factor, parse_table
from mcgen.cli import main
from mcgen.generation.generate import generate
from mcgen.physics.emission.cross_section import sigma, sigma_between
from mcgen.physics.emission.form_factor import G2, G2_elastic, G2_inelastic, form_factor, interpolate
from mcgen.physics.emission.nuclear_shape import FM, FOURIER_BESSEL, charge, fourier_bessel, helm, sachs
from mcgen.physics.emission.photon_flux import chi
from mcgen.physics.emission.rules import rules
from mcgen.physics.matter.materials import ELEMENTS
from mcgen.quadrature.xsec import cross_section, process_of
from mcgen.source.source import checked

#: rms radii in fm that de Vries et al. (1987) print beside the coefficients
RMS = {6: 2.464, 8: 2.737, 13: 3.035, 14: 3.085, 18: 3.423, 20: 3.450, 24: 3.643, 29: 3.885, 82: 5.499}


def _density(Z, r):
    R, a = FOURIER_BESSEL[Z]
    return sum(c * spherical_jn(0, n * np.pi * r / R) for n, c in enumerate(a, 1))


@pytest.mark.parametrize("Z", FOURIER_BESSEL)
def test_fourier_bessel(Z):
    """Charge, rms radius and F(q) against integrals of the density by scipy; fails at a wrong sign or size.

    The charge is Z to 1.2e-4 (the tables' own digits), the radius that of the publication to its last digit.
    """
    R = FOURIER_BESSEL[Z][0]
    Q = quad(lambda r: 4.0 * np.pi * r * r * _density(Z, r), 0.0, R, epsabs=1e-11)[0]
    r2 = quad(lambda r: 4.0 * np.pi * r**4 * _density(Z, r), 0.0, R, epsabs=1e-11)[0] / Q
    assert charge(Z) == pytest.approx(Q, rel=1e-10)
    assert pytest.approx(Z, rel=1.2e-4) == Q
    if Z in RMS:
        assert np.sqrt(r2) == pytest.approx(RMS[Z], abs=6e-4)
    for q in (0.003, 0.1, 0.2, 3.0 * np.pi / (R * FM), 0.7):  # the third coefficient alone at its node
        exact = quad(
            lambda r, q=q: 4.0 * np.pi * r * r * _density(Z, r) * np.sinc(q * FM * r / np.pi), 0.0, R, epsabs=1e-12
        )
        assert fourier_bessel(Z)(np.array([q]))[0] == pytest.approx(exact[0] / Q, rel=1e-8, abs=1e-10)


def test_helm():
    """Helm's shape of lead against the convolution it stands for, 1e-10; fails if s or the radius has another unit."""
    c = 1.23 * 207.2 ** (1 / 3) - 0.6
    R = np.sqrt(c * c + 7 * np.pi**2 * 0.52**2 / 3 - 5 * 0.9**2)
    for q in (1e-5, 1e-3, 0.02 / (R * FM), 0.1, 0.3):
        y = q * R * FM
        exact = 3.0 * spherical_jn(1, y) / y * np.exp(-0.5 * (q * 0.9 * FM) ** 2)
        assert helm(207.2)(np.array([q]))[0] == pytest.approx(exact, rel=1e-10)


@pytest.mark.parametrize(("name", "symbol"), [("helm", "W"), ("helm", "Pb"), ("fourier-bessel", "Pb"), ("helm", "C")])
def test_tabulated_shape(name, symbol):
    """G2 between nodes and out of the table: 1e-8 of the exact shape where |F| > 1e-3, 1e-9 of Z^2 everywhere.

    Fails if slopes, step or the ends of the table are wrong, or if the sign of F is lost at a diffraction zero.
    """
    element = ELEMENTS[symbol]
    ff, plain = (form_factor(n, element.Z, element.A) for n in (name, "tsai"))
    shape = helm(element.A) if name == "helm" else fourier_bessel(int(element.Z))
    t = np.exp(np.random.default_rng(1).uniform(np.log(1e-16), np.log(100.0), 20_000))
    F = shape(np.sqrt(t))
    found = np.array([G2_elastic(x, ff) for x in t])
    exact = np.array([G2_elastic(x, plain) for x in t]) * ((1.0 + t / ff.d) * F) ** 2
    np.testing.assert_allclose(found, exact, rtol=0.0, atol=1e-9 * element.Z**2)
    large = np.abs(F) > 1e-3
    np.testing.assert_allclose(found[large], exact[large], rtol=1e-8)
    assert interpolate(0.0, ff.ratio) == pytest.approx(1.0, rel=1e-9)
    assert G2_inelastic.py_func(0.1, ff) == G2_inelastic(0.1, plain)
    assert G2.py_func(1e-3, ff) == pytest.approx(G2(1e-3, ff), rel=1e-14)


def test_published_ratios():
    """F^2 and photon flux against Appendix A computed elsewhere; fails if a radius is off by 1 %."""
    for name, t, expected in (
        ("fourier-bessel", 1e-3, 0.769), ("helm", 1e-3, 0.766), ("elastic", 1e-3, 0.679),
        ("fourier-bessel", 1e-2, 0.039), ("elastic", 1e-2, 0.101),
    ):  # fmt: skip
        ff = form_factor(name, 82.0, 207.2)
        screening = (82.0 * ff.a2 * t / (1.0 + ff.a2 * t)) ** 2
        assert G2_elastic(t, ff) / screening == pytest.approx(expected, abs=1.1e-3)
    for E, masses, symbol, low, high in (
        (1.0, (0.01, 0.1, 0.2), "W", 1.01, 1.05),
        (160.0, (0.01, 0.2), "Pb", 1.013, 1.017),
    ):
        Z, A = ELEMENTS[symbol].Z, ELEMENTS[symbol].A
        for m_S in masses:
            limits = (0.5 * m_S * m_S / E) ** 2, m_S * m_S + 0.1056583755**2
            names = ("helm", "fourier-bessel") if symbol == "Pb" else ("helm",)
            plain = chi(*limits, form_factor("elastic", Z, A))
            for name in names:
                assert low < chi(*limits, form_factor(name, Z, A)._replace(inelastic=0.0)) / plain < high


def test_sachs():
    """G_E(0) = 1, G_M(0) = 2.7928, radii 0.8405 and 0.739 fm of the publication to its digits, 1/t^2 at large t.

    Between, both lie within 2.5 % of the older fit by Kelly (2004) up to 0.3 GeV^2. Fails if a coefficient is mistyped.
    """
    h = 1e-7
    t = np.array([0.0, h])
    for G, at_0, radius in zip(sachs(t), (1.0, 2.7928473), (0.8405, 0.739), strict=True):
        assert G[0] == pytest.approx(at_0, rel=1e-12)
        assert np.sqrt(6.0 * (1.0 - G[1] / G[0]) / h) / FM == pytest.approx(radius, abs=5e-4)
    t = np.geomspace(1e-3, 0.3, 50)
    tau = t / (4.0 * M_P**2)
    kelly_E = (1 - 0.24 * tau) / (1 + 10.98 * tau + 12.82 * tau**2 + 21.97 * tau**3)
    kelly_M = 2.793 * (1 + 0.12 * tau) / (1 + 10.97 * tau + 18.86 * tau**2 + 6.55 * tau**3)
    for G, kelly in zip(sachs(t), (kelly_E, kelly_M), strict=True):
        np.testing.assert_allclose(G, kelly, rtol=0.025)
    for G in sachs(np.array([2.5e5, 1e6])):
        assert G[1] / G[0] == pytest.approx(1.0 / 16.0, rel=0.05)


@pytest.mark.parametrize("name", ["tsai", "elastic", "helm", "fourier-bessel"])
def test_hydrogen_is_a_proton(name):
    """G2 of hydrogen by every name but `paper`: the atom's screening times the proton's form factor, 1e-8.

    Fails if Eq. A2 counts the proton a second time, or if heavier hydrogen loses its Eq. A2.
    """
    ff = element_form_factor(name, {}, ELEMENTS["H"])
    a2 = (111.0 / M_E) ** 2
    for t in np.geomspace(1e-16, 1e4, 301):
        G_E, G_M = (float(G[0]) for G in sachs(np.array([t])))
        tau = t / (4.0 * M_P**2)
        expected = (a2 * t / (1.0 + a2 * t)) ** 2 * (G_E**2 + tau * G_M**2) / (1.0 + tau)
        assert G2(t, ff) == pytest.approx(expected, rel=1e-8)
    if name in ("tsai", "elastic"):
        heavy = form_factor(name, 1.0, 2.014)
        assert heavy.ratio is None
        assert heavy.inelastic == (1.0 if name == "tsai" else 0.0)


def test_cross_section_of_hydrogen():
    """sigma of a proton to 1e-5 of another integration; that of Eqs. A1 and A2 (unsquared) over it, to 1.2 %.

    The values in pb are from a product of Gauss rules over E_S, 1/|u| and log t, and a sum over the azimuth, written
    apart from mcgen, form factors included. Fails if hydrogen holds its proton twice: a factor 1.77 to 1.94.
    """
    for m_S, sigma_pb, ratio in ((0.01, 2.143570e6, 1.94), (0.1, 1.754260e5, 1.88), (0.3, 1.978952e4, 1.77)):
        found = cross_section("H", 3.0, m_S, form_factor="tsai").value
        assert found == pytest.approx(sigma_pb, rel=1e-5)
        twice = form_factor("tsai", 1.0, 2.0)._replace(d=0.164 * ELEMENTS["H"].A ** (-2.0 / 3.0))
        assert sigma(3.0, process_of("H", m_S)._replace(ff=twice))[0] / found == pytest.approx(ratio, rel=0.012)


def test_hydrogen_of_the_paper():
    """`paper` keeps Eqs. A1 and A2 as printed for hydrogen, 1e-12; fails if the paper's tables would move."""
    ff = form_factor("paper", 1.0, 1.00794)
    assert (ff.ratio, ff.inelastic, ff.squared) == (None, 1.0, True)


def test_table_of_hydrogen():
    """A table for hydrogen is G2 itself, with nothing added, 1e-6; fails if the proton is put on top of it."""
    table = tuple((t, 2.0 * G2(t, form_factor("paper", 1.0, 1.00794))) for t in np.geomspace(1e-10, 1.0, 300).tolist())
    ff = form_factor("table", 1.0, 1.00794, table)
    assert G2(table[100][0], ff) == pytest.approx(table[100][1], rel=1e-6)


@pytest.mark.parametrize("name", ["helm", "fourier-bessel"])
@pytest.mark.parametrize(("E", "m_S"), [(160.0, 0.1), (3.0, 0.1), (0.5, 0.2)])
def test_quadrature_follows_diffraction(name, E, m_S):
    """The error estimate covers the change to four times as many panels; fails if a rule steps over a zero of F."""
    process = process_of("Pb", m_S, form_factor=name)
    value, error = sigma(E, process)
    fine = process._replace(ff=process.ff._replace(panel=0.25 * process.ff.panel))
    assert abs(value - sigma_between(E, fine, 0.0, E, rules(56, 40, 20, 1))) < error < 2e-5 * value


def _table(name, symbol, rows, low=1e-12, high=3.0):
    ff = form_factor(name, ELEMENTS[symbol].Z, ELEMENTS[symbol].A)
    return "# t  G2\n" + "\n".join(f"{t:.17g}, {G2(t, ff):.17g}" for t in np.geomspace(low, high, rows))


def test_table_of_a_known_form_factor():
    """100 rows of `tsai` give its G2 to 1e-3 inside, and Eq. A1 scaled to the end outside, 1e-10.

    Fails if G2 itself, with its many decades, is interpolated, or if the inelastic term is added twice.
    """
    element = ELEMENTS["W"]
    tsai, plain = (form_factor(n, element.Z, element.A) for n in ("tsai", "elastic"))
    ff = element_form_factor("table", {"W": _table("tsai", "W", 100)}, element)
    for t in np.geomspace(1e-12, 3.0, 77):
        assert G2(t, ff) == pytest.approx(G2(t, tsai), rel=1e-3)
    for t, end in ((1e-14, 1e-12), (50.0, 3.0)):
        assert G2(t, ff) / G2(t, plain) == pytest.approx(G2(end, tsai) / G2(end, plain), rel=1e-10)


def test_two_rows():
    """Two rows: a power law relative to Eq. A1 between them, 1e-9; fails at the ends of the monotone slopes."""
    plain = form_factor("elastic", 74.0, 183.84)
    table = ((1e-6, 2.0 * G2(1e-6, plain)), (1e-2, 0.5 * G2(1e-2, plain)))
    ff = form_factor("table", 74.0, 183.84, table)
    assert G2(1e-4, ff) / G2(1e-4, plain) == pytest.approx(1.0, rel=1e-9)
    assert G2(1e-5, ff) / G2(1e-5, plain) == pytest.approx(2.0**0.5, rel=1e-9)


def test_parabola_in_a_table():
    """A parabola of log(G2/A1) in log(t) comes back exactly, 1e-9, next to both ends too; fails for other slopes."""
    plain = form_factor("elastic", 74.0, 183.84)

    def G2_of(t):
        y = np.log(t)
        return G2(t, plain) * np.exp(0.3 + 0.1 * y + 0.02 * y * y)

    rows = np.array([1e-6, 3e-6, 1e-5, 1e-4, 2e-4, 1e-3])  # uneven steps
    ff = form_factor("table", 74.0, 183.84, tuple((t, float(G2_of(t))) for t in rows.tolist()))
    for t in np.geomspace(1e-6, 1e-3, 50):
        assert G2(t, ff) == pytest.approx(G2_of(t), rel=1e-9)


def test_xsec_of_a_file(tmp_path, capsys):
    """`--form-factor FILE` with 400 rows of `helm` gives the cross section of `helm`, 1e-5; fails if it is not read."""
    path = tmp_path / "W.csv"
    path.write_text(_table("helm", "W", 400))
    arguments = ["xsec", "--target", "W", "--energy", "3", "--mass", "0.1", "--json", "--form-factor"]
    found = []
    for name in (str(path), "helm", "paper"):
        assert main([*arguments, name]) == 0
        found += json.loads(capsys.readouterr().out)
    assert found[0]["sigma_pb"] == pytest.approx(found[1]["sigma_pb"], rel=1e-5)
    assert found[2]["sigma_pb"] != pytest.approx(found[1]["sigma_pb"], rel=1e-2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1e-6 1\n", "1 rows"),
        ("1e-6 1\n1e-7 1\n", "line 2: t must increase"),
        ("1e-6 1\n1e-5 -1\n", "line 2"),
        ("1e-6 1\n1e-5 nan\n", "line 2"),
        ("1e-6 1\n1e-5\n", "line 2: needs two numbers"),
        ("0 1\n1e-5 1\n", "line 1"),
    ],
)
def test_bad_tables(text, words):
    """What is no table is refused with its line; fails if a NaN or a fall of t goes through."""
    with pytest.raises(InputError, match=words):
        parse_table(text, "here")


def test_refused_names(tmp_path):
    """An element without coefficients names those that have; a missing file says so; fails if a KeyError comes out."""
    with pytest.raises(InputError, match=r"not known for W .*Pb"):
        cross_section("W", 3.0, 0.1, form_factor="fourier-bessel")
    with pytest.raises(InputError, match=r"No such file.*helm"):
        cross_section("W", 3.0, 0.1, form_factor=str(tmp_path / "no.csv"))
    with pytest.raises(InputError, match="did you mean 'helm'"):
        cross_section("W", 3.0, 0.1, form_factor="helmm")
    with pytest.raises(InputError, match="form factor: 'table'"):
        cross_section("W", 3.0, 0.1, form_factor="table")


def _card(form_factor_lines):
    return card_text("fermilab").replace('form_factor = "paper"', form_factor_lines)


def test_card_with_a_table(tmp_path):
    """A table that a card names or holds is in the card's text, and the same events come from that text alone.

    Fails if a file is opened for a card without a folder, such as that of an event file.
    """
    table = _table("helm", "W", 100)
    named = _card('form_factor = "table"\nform_factor_table.W = "W.csv"')
    held = _card(f'form_factor = "table"\nform_factor_table.W = """\n{table}\n"""')
    (tmp_path / "card.toml").write_text(named)
    (tmp_path / "W.csv").write_text(table)
    card = load_card(tmp_path / "card.toml")
    assert "W.csv" not in card.text
    events = generate(card, 0.1, 2000, 3)
    for text in (card.text, held):
        again = generate(parse_card(text), 0.1, 2000, 3)
        assert again.metadata["content_sha256"] == events.metadata["content_sha256"]
    with pytest.raises(InputError, match="form_factor_table"):
        parse_card(named)
    for lines, words in (
        ('form_factor = "table"', "none is given for W"),
        ('form_factor_table.Pb = """1e-6 1\n1e-5 1"""', "Pb"),
        ('form_factor = "table"\nform_factor_table.W = """1e-6 1\n"""', "1 rows"),
        ('form_factor = "fourier-bessel"', "not known for W"),
    ):
        with pytest.raises(InputError, match=words):
            checked(parse_card(_card(lines)))


@pytest.mark.parametrize(("name", "m_S"), [("fermilab", 0.2), ("na64", 1.0)])
def test_events_with_diffraction(name, m_S):
    """Events with Helm's shape: accepted more than every other time, no tail lost; fails if zeros of F starve cells."""
    card = parse_card(card_text(name).replace('form_factor = "paper"', 'form_factor = "helm"'))
    found = generate(card, m_S, 20_000, 4, workers=2).metadata
    assert found["unweighting_efficiency"] > 0.5
    assert found["overweight_fraction"] < 3e-3
    assert found["pull_t_worst"] < 4.0
