"""Libraries for G4DarkBreM, read by a parser of its description; their events against those of a thin target."""

import gzip
import itertools
import math

import numpy as np
import pytest
from scipy.stats import ks_2samp, kstest

from mcgen import generate, load_card
from mcgen.base.errors import InputError
from mcgen.card.card import parse_card
from mcgen.cli import main
from mcgen.generation.library import default_energies, library, scatterings
from mcgen.physics.emission.cross_section import FINE, sigma_between
from mcgen.physics.emission.rules import rules
from mcgen.source.source import Source

ELECTRONS = """
name = "ldmx"
beam = {particle = "e-", energy = "8 GeV", muons = 1e16}
target = {material = "W", length = "0.35 mm", dE_dy = "22.1e-3 GeV/cm"}
detector = {signature = "missing-energy", L_det = "3 m"}
scalar = {mass = "10 MeV"}
scan = {g_mu = "1e-4", mass = "10 MeV"}
"""


def parse_csv(path):
    """{Z: {incident energy: rows of recoil and centre of momentum, E px py pz}}, any header, ten columns."""
    found = {}
    with gzip.open(path, "rt") if path.name.endswith(".gz") else path.open() as stream:
        assert stream.readline()
        for line in stream:
            cells = [float(cell) for cell in line.split(",")]
            assert len(cells) == 10
            found.setdefault(int(cells[0]), {}).setdefault(cells[1], []).append(cells[2:])
    return {Z: {E: np.array(rows) for E, rows in blocks.items()} for Z, blocks in found.items()}


def parse_lhe(path, aprime):
    """The same: Znuc from the second word of its line; lines 1, 3, 5 of an event are lepton, lepton and A'."""
    found, Z = {}, None
    with gzip.open(path, "rt") if path.name.endswith(".gz") else path.open() as stream:
        lines = iter(stream)
        for line in lines:
            words = line.split()
            if "Znuc" in line:
                int(words[0])
                Z = int(float(words[1]))
            if len(words) >= 11 and words[0] in ("11", "13") and words[1] == "-1":
                next(lines)
                recoil = next(lines).split()
                next(lines)
                emitted = next(lines).split()
                assert recoil[:2] in (["11", "1"], ["13", "1"])
                assert emitted[:2] == [str(aprime), "1"]
                lepton, boson = (np.array([float(w) for w in p[6:10]]) for p in (recoil, emitted))
                row = [*np.roll(lepton, 1), *np.roll(lepton + boson, 1)]
                found.setdefault(Z, {}).setdefault(float(words[9]), []).append(row)
    return {Z: {E: np.array(rows) for E, rows in blocks.items()} for Z, blocks in found.items()}


def _mass(four):
    return np.sqrt(four[:, 0] ** 2 - (four[:, 1:] ** 2).sum(axis=1))


@pytest.mark.parametrize(("unit", "factor"), [("MeV", 1e3), ("GeV", 1.0)])
def test_every_element_and_energy(tmp_path, unit, factor):
    """A block per element and energy, mass shells, momentum left to the nucleus; fails for a wrong unit or order."""
    text = load_card("fermilab").text.replace('"W" ', '"steel"').replace('n_atom = "6.3e22 /cm3"', "")
    path = library(parse_card(text), tmp_path / "steel.csv.gz", [1.0, 2.5], 300, unit=unit)
    found = parse_csv(path)
    assert set(found) == {round(e.Z) for e in Source(parse_card(text)).targets}
    M = {round(e.Z): e.M for e in Source(parse_card(text)).targets}
    for Z, blocks in found.items():
        assert list(blocks) == pytest.approx([factor * 1.0, factor * 2.5], rel=1e-15)
        for E, rows in blocks.items():
            assert rows.shape == (300, 8)
            recoil, both = rows[:, :4] / factor, rows[:, 4:] / factor
            assert _mass(recoil) == pytest.approx(0.1056583755, rel=1e-6)
            assert _mass(both - recoil) == pytest.approx(0.1, rel=1e-6)
            q = np.array([0.0, 0.0, math.sqrt((E / factor) ** 2 - 0.1056583755**2)]) - both[:, 1:]
            q2 = (q**2).sum(axis=1)  # the nucleus takes the rest, with its own mass
            recoil_energy = q2 / (np.sqrt(M[Z] ** 2 + q2) + M[Z])
            assert E / factor - both[:, 0] == pytest.approx(recoil_energy, rel=1e-4, abs=1e-12)


@pytest.mark.parametrize("ending", ["lhe", "lhe.gz"])
def test_lhe_library_is_the_csv(tmp_path, ending):
    """An LHE library holds the events of the CSV, in GeV, muons as 13; fails for a lost line or a wrong order."""
    card = load_card("fermilab")
    one = parse_csv(library(card, tmp_path / "a.csv", [1.0, 3.0], 200, seed=5))
    two = parse_lhe(library(card, tmp_path / f"a.{ending}", [1.0, 3.0], 200, seed=5), 54)
    assert list(one) == list(two) == [74]
    for (E_1, rows_1), (E_2, rows_2) in zip(one[74].items(), two[74].items(), strict=True):
        assert pytest.approx(E_2, rel=1e-15) == E_1
        assert rows_1 == pytest.approx(rows_2, rel=1e-12, abs=1e-10)


def test_library_is_the_thin_target(tmp_path):
    """x and p_T of the recoil follow generated events of a thin target (KS); fails for another process or energy."""
    card = load_card("na64")
    rows = parse_csv(library(card, tmp_path / "a.csv", [160.0], 20_000, m_S=0.1, unit="GeV"))[82][160.0]
    columns = generate(card, 0.1, 20_000, seed=99).columns
    x = (rows[:, 4] - rows[:, 0]) / 160.0
    assert ks_2samp(x, columns["x"]).pvalue > 1e-4
    p_T = np.hypot(columns["mu_out_px"], columns["mu_out_py"])
    assert ks_2samp(np.hypot(rows[:, 1], rows[:, 2]), p_T).pvalue > 1e-4
    phi = np.arctan2(rows[:, 2], rows[:, 1]) / (2.0 * math.pi)
    assert kstest(phi + 0.5, "uniform").pvalue > 1e-4


def test_numbers_of_events(monkeypatch):
    """Events are numbered on over chunks, and a number is an event; fails if two chunks share random numbers."""
    monkeypatch.setattr("mcgen.generation.library._CHUNK", 300)
    source = Source(load_card("na64"))
    one, two = (scatterings(source.process(0.1), source.targets[0], 160.0, 700, 3, first) for first in (0, 300))
    first, second, third = one
    assert [list(c["event"]) for c in (first, second, third)] == [
        list(range(i, j)) for i, j in ((0, 300), (300, 600), (600, 700))
    ]
    np.testing.assert_array_equal(next(two)["t"], second["t"])
    assert not set(first["t"]) & set(second["t"])


def test_electrons(tmp_path):
    """LDMX: electrons on tungsten, mean x against the quadrature of d sigma/dx; fails if a muon is scattered."""
    card = parse_card(ELECTRONS)
    rows = parse_lhe(library(card, tmp_path / "a.lhe.gz", [4.0], 20_000), 54)[74][4.0]
    assert _mass(rows[:, :4]) == pytest.approx(0.51099895e-3, rel=1e-2)
    x = (rows[:, 4] - rows[:, 0]) / 4.0
    process, q = Source(card).process(0.01), rules(*FINE)
    above = sigma_between(4.0, process, 0.8 * 4.0, 4.0, q) / sigma_between(4.0, process, 0.0, 4.0, q)
    assert abs((x > 0.8).mean() - above) < 4.0 * math.sqrt(above * (1.0 - above) / x.size)


def test_default_energies():
    """Beam energy on top, steps of at most 10 %, from the end of the target or above threshold; fails for a gap."""
    energies = default_energies(load_card("fermilab"), 0.1)
    assert (energies[0], energies[-1]) == (pytest.approx(0.5), 3.0)
    assert max(b / a for a, b in itertools.pairwise(energies)) <= 1.1 + 1e-12
    assert default_energies(load_card("na64"), 0.1) == [160.0]
    assert default_energies(load_card("fermilab"), 1.0)[0] > 1.1


def test_same_seed_same_library(tmp_path):
    """The file depends on card, energies, events and seed only; fails if events repeat from block to block."""
    card = load_card("fermilab")
    files = [library(card, tmp_path / f"{i}.csv", [1.0, 1.0], 50, seed=s).read_text() for i, s in enumerate((1, 1, 2))]
    assert files[0] == files[1] != files[2]
    lines = files[0].splitlines()[1:]
    assert len(set(lines)) == 100


def test_bad_libraries(tmp_path, capsys):
    """Endings, energies below threshold, LHE of a compound: one line, status 2, nothing left."""
    for name, arguments in (
        ("a.root", []),
        ("a.csv.zst.x", []),
        ("a.csv", ["--energies", "0.15"]),
        ("a.csv", ["--mass", "50 GeV"]),
        ("no/such/a.csv", []),
    ):
        assert main(["library", "fermilab", "-o", str(tmp_path / name), "--events", "10", *arguments]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    text = load_card("fermilab").text.replace('"W" ', '"steel"').replace('n_atom = "6.3e22 /cm3"', "")
    with pytest.raises(InputError, match="one element"):
        library(parse_card(text), tmp_path / "a.lhe", [1.0], 10)
    assert list(tmp_path.iterdir()) == []
    assert main(["library", "fermilab", "-o", str(tmp_path / "a.csv.gz"), "--energies", "1,2", "--events", "10"]) == 0
    assert "20 events on W at 2 energies" in capsys.readouterr().out
