"""Libraries for G4DarkBreM read back: momenta of the file, cross sections of mcgen."""

import gzip
import json

import numpy as np
import pytest

from mcgen import cross_section, export, load, load_card, reweight
from mcgen.base.errors import InputError, McgenWarning
from mcgen.card.card import parse_card
from mcgen.cli import main
from mcgen.events.formats.g4darkbrem import HEADER
from mcgen.generation.library import library, scatterings
from mcgen.source.source import Source

ENERGIES, EVENTS = [1.0, 2.0, 3.0], 2000
#: an electron beam and a light particle, as in the libraries of LDMX
LIGHT = """name = "light"
[beam]
particle = "e-"
energy = "4 GeV"
particles_on_target = 1e14
[target]
material = "W"
length = "0.35 mm"
energy_loss = "none"
[detector]
signature = "missing-energy"
L_det = "1 m"
[scalar]
mass = "10 MeV"
[scan]
g_mu = "1e-4"
mass = "10 MeV"
"""


@pytest.fixture(scope="module")
def card():
    return load_card("fermilab")


@pytest.fixture(scope="module")
def content(card, tmp_path_factory):
    path = library(card, tmp_path_factory.mktemp("library") / "a.csv", ENERGIES, EVENTS)
    return path.read_text(encoding="utf-8")


def _rows(text):
    return np.array([line.split(",") for line in text.splitlines()[1:]], dtype=float)


def _text(rows, number="%.17g"):
    return HEADER + "".join(",".join([f"{row[0]:.0f}", *(number % v for v in row[1:])]) + "\n" for row in rows)


def _file(tmp_path, text, name="a.csv"):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize("form", ["GeV", "MeV", "gz", "six digits", "joined"])
def test_forms(content, card, tmp_path, form):
    """Each unit and six digits give the same momenta, and cross sections of each energy.

    Fails if a unit is guessed, or if the cross section of one energy stands for another.
    """
    rows = _rows(content)
    if form == "MeV":
        content = _text(np.column_stack([rows[:, 0], 1e3 * rows[:, 1:]]))
    elif form == "six digits":
        content = _text(rows, "%.6g")
    elif form == "joined":  # as `cat` does it
        lines = content.splitlines(keepends=True)
        content = "".join([*lines[:EVENTS], lines[0], *lines[EVENTS:]])
    file = load(_file(tmp_path, content, "a.csv.gz" if form == "gz" else "a.csv"), card=card)
    columns = file.read().columns
    loose = 1e-5 if form == "six digits" else 1e-12
    assert columns["S_px"] == pytest.approx(rows[:, 7] - rows[:, 3], rel=loose, abs=3 * loose)
    assert columns["E_mu"].tolist() == np.repeat(ENERGIES, EVENTS).tolist()
    assert columns["S_E"] ** 2 - sum(columns[f"S_p{a}"] ** 2 for a in "xyz") == pytest.approx(0.01, rel=1e-9)
    for E in ENERGIES:
        sigma = cross_section("W", E, 0.1, form_factor=card.run.form_factor).value
        assert columns["weight"][columns["E_mu"] == E].sum() == pytest.approx(sigma, rel=1e-6)
    assert file.metadata["library_unit"] == ("MeV" if form == "MeV" else "GeV")
    assert file.metadata["sigma_from"] == "mcgen"


def test_momenta_are_those_that_were_made(content, card, tmp_path):
    """t and the nucleus follow from what the file has; fails if the nucleus takes up energy or momentum wrongly."""
    source = Source(card)
    (made,) = scatterings(source.process(0.1), source.targets[0], 1.0, EVENTS, card.run.seed)
    found = load(_file(tmp_path, content), card=card).read().columns
    for name in ("t", "x", "S_px", "S_E", "N_out_px", "N_out_pz", "N_out_E", "mu_out_E", "mu_in_pz"):
        assert found[name][:EVENTS] == pytest.approx(made[name], rel=1e-8, abs=1e-12), name


def test_sigma_tilde(content, card, tmp_path):
    """Rows of sigma~ per energy, those of the quadrature; fails if events of one energy fall into another's bin."""
    from mcgen import sigma_tilde

    found = reweight(load(_file(tmp_path, content), card=card), "A", [1e-4])
    assert (found.E_mu, found.target, found.n_signal) == (ENERGIES, ["W"] * 3, [])
    for row, exact in zip(found.sigma_tilde[0], sigma_tilde(card, "A", 0.1, 1e-4, ENERGIES), strict=True):
        assert abs(row.pull(exact.value)) < 4.0
        assert row.error < 0.01 * row.value


def test_several_elements(tmp_path):
    """A library of a compound has a cross section for each element and energy; fails if elements are mixed."""
    text = load_card("fermilab").text.replace('material = "W"', 'material = "PbWO4"')
    card = parse_card("\n".join(line for line in text.splitlines() if not line.startswith(("n_atom", "dE_dy"))))
    path = library(card, tmp_path / "a.csv", [2.0, 3.0], 200)
    found = reweight(load(path, card=card), "A", [1e-4])
    assert found.E_mu == [2.0, 3.0] * 3
    assert sorted(set(found.target)) == ["O", "Pb", "W"]
    sigma = {name: value.value for name, value in zip(found.target[1::2], found.sigma_tilde[0][1::2], strict=True)}
    assert 0.7 < sigma["Pb"] / sigma["W"] / (82 / 74) ** 2 < 1.3
    assert 0.5 < sigma["O"] / sigma["W"] / (8 / 74) ** 2 < 3.0


def test_light_particles_in_six_digits(tmp_path):
    """Masses that no event shows to its digits are known from all together; fails if each has to show them.

    A mass of twice as much is refused nevertheless.
    """
    card = parse_card(LIGHT)
    source = Source(card)
    (c,) = scatterings(source.process(0.01), source.targets[0], 4.0, EVENTS, 3)
    parts = ("E", "px", "py", "pz")
    rows = np.column_stack(
        [c["target_Z"], c["mu_in_E"]]
        + [c[f"mu_out_{p}"] for p in parts]
        + [c[f"mu_out_{p}"] + c[f"S_{p}"] for p in parts]
    )
    path = _file(tmp_path, _text(rows, "%.6g"))
    assert load(path, card=card).read().columns["S_E"] == pytest.approx(c["S_E"], abs=2e-5)
    with pytest.raises(InputError, match=r"and 0\.0101\d* in its unit, and 0\.000510999 and 0\.02 GeV"):
        load(path, card=parse_card(LIGHT.replace("10 MeV", "20 MeV")))


def test_refused(content, card, tmp_path):
    """Each fault is one line that says where; fails if a row that breaks a law goes through."""
    lines = content.splitlines()
    cells = lines[5].split(",")

    def changed(place, value):
        row = [*cells[:place], value, *cells[place + 1 :]]
        return "\n".join([*lines[:5], ",".join(row), *lines[6:], ""])

    for text, words in (
        (HEADER, "no events"),
        (content.replace("recoil_px", "recoil_x"), "line 1: the columns should be"),
        (content[:-30], "damaged or cut short"),
        (changed(3, "abc"), "line 6: should be 10 numbers"),
        (changed(3, "nan"), "line 6: should be 10 numbers"),
        (changed(0, "29"), "Z = 29 is not in the card's (W of Z = 74)"),
        (changed(2, f"{1.01 * float(cells[2]):.17g}"), "masses of recoil lepton"),
        (changed(6, f"{1.01 * float(cells[6]):.17g}"), "masses of emitted particle"),
        (changed(1, "1.02"), "energy is not conserved"),
    ):
        with pytest.raises(InputError) as error:
            load(_file(tmp_path, text), card=card)
        assert words in str(error.value)
        assert "\n" not in str(error.value)
    path = _file(tmp_path, gzip.compress(content.encode())[:-20].decode("latin-1"))
    path.write_bytes(gzip.compress(content.encode())[:-20])
    with pytest.raises(InputError, match="damaged or cut short"):
        load(path, card=card)
    with pytest.raises(InputError, match="--card CARD"):
        load(_file(tmp_path, content))
    with pytest.raises(InputError, match=r"0\.1 in its unit"):
        load(
            _file(tmp_path, content),
            card=card.model_copy(update={"scalar": card.scalar.model_copy(update={"mass": 0.2})}),
        )


def test_what_the_beam_never_does(card, tmp_path):
    """Energies outside the target are left out, and told; fails if they stand at a depth that does not exist."""
    path = library(card, tmp_path / "a.csv", [0.4, 2.0], 100)
    with pytest.warns(McgenWarning, match=r"Z = 74 at 0\.4 GeV"):
        file = load(path, card=card)
    columns = file.read().columns
    assert set(columns["E_mu"]) == {2.0}
    assert columns["event"].tolist() == list(range(100))
    alone = library(card, tmp_path / "b.csv", [0.4], 10)
    with pytest.raises(InputError, match=r"card's target \(0\.5 to 3 GeV\)"):
        load(alone, card=card)


def test_commands(content, tmp_path, capsys):
    """info, export and reweight take a library; fails if what is exported gives other numbers."""
    path = str(_file(tmp_path, content, "a.csv.gz"))
    out = str(tmp_path / "a.root")
    assert main(["info", path, "--card", "fermilab"]) == 0
    assert "sigma(E_mu) on W         2.08477e+08 pb at 2 GeV" in capsys.readouterr().out
    assert main(["export", path, "-o", out, "--card", "fermilab"]) == 0
    assert main(["info", out, "--verify"]) == 0
    capsys.readouterr()
    found = []
    for command in (["reweight", path, "--card", "fermilab"], ["reweight", out]):
        assert main([*command, "--g-mu", "1e-4", "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out)["sigma_tilde"])
    assert found[0] == found[1]
    assert main(["export", out, "-o", str(tmp_path / "a.lhe")]) == 2
    assert "holds 3 energies or targets" in capsys.readouterr().err
    again = export(load(out), tmp_path / "b.csv")
    assert _rows(again.read_text(encoding="utf-8")) == pytest.approx(_rows(content), rel=1e-12)
