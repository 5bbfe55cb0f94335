"""What can be plugged in at one place: a kind of target, an efficiency, a branch."""

from __future__ import annotations

import csv
import json

import numpy as np
import pyhepmc
import pylhe
import pytest
from toy_target import TOY

from mcgen import generate, load, n_signal, reach, reweight, save
from mcgen.base.constants import M_E, M_MU
from mcgen.base.errors import InputError
from mcgen.card.card import card_text, parse_card
from mcgen.cli import main
from mcgen.events.branches import BRANCHES, Branch
from mcgen.events.export import export
from mcgen.quadrature.xsec import cross_section
from mcgen.source.source import Source
from mcgen.source.targets import register


@pytest.fixture(scope="module")
def electrons(tmp_path_factory):
    """(card, file of events) of muons that scatter on the electrons of lead."""
    text = card_text("na64").replace("[target]", '[target]\nprocess = "electron"')
    card = parse_card(text.replace('form_factor = "paper"', "").replace('model = "A"', 'model = "B"'))
    path = tmp_path_factory.mktemp("toy") / "events.root"
    return card, generate(card, 0.02, 4_000, 3, output=path)


def test_target_in_cross_sections(capsys):
    """`mcgen xsec --target toy` knows the toy; fails if targets are looked up among the elements alone."""
    assert main(["xsec", "--target", "toy", "--energy", "160", "--mass", "20MeV", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["sigma_pb"] == cross_section("toy", 160.0, 0.02).value > 1e5
    assert cross_section("toy", 30.0, 0.1).value == 0.0  # below its own threshold, which tungsten is far above
    assert row["sigma_pb"] == 0.25 * cross_section("Be", 160.0, 0.02, process="toy").value


def test_target_in_events(electrons):
    """Z electrons per atom are hit, sampler and quadrature agree, and the momenta balance for the electron's mass.

    Fails if a nucleus is taken for the mass, the number or the threshold anywhere.
    """
    card, file = electrons
    events = file.read().columns
    assert set(events["target_Z"]) == {-1.0}
    assert file.metadata["exposure"]["nuclei_per_cm2"] == {"e-": pytest.approx(82 * 3.3e22 * 20.0)}
    assert abs(file.metadata["pull"]) < 4.0
    energy = events["mu_in_E"] + M_E - events["mu_out_E"] - events["S_E"] - events["N_out_E"]
    np.testing.assert_allclose(energy, 0.0, atol=1e-12)
    q2 = sum(events[f"N_out_p{axis}"] ** 2 for axis in "xyz")
    np.testing.assert_allclose(events["N_out_E"], np.sqrt(q2 + M_E**2), rtol=1e-12)
    lowest = M_MU + 0.02 + 0.02 * (M_MU + 0.01) / M_E
    assert Source(card).energy_range(0.02)[0] == pytest.approx(max(lowest, 159.746))
    (found,), (exact,) = reweight(file, "B", [1e-4]).n_signal, n_signal(card, "B", 0.02, [1e-4])
    assert abs(found.pull(exact.value)) < 4.0


def test_target_in_reach(electrons, tmp_path):
    """A card in a file with `process = "electron"` has a line; fails if a command asks for nuclei."""
    path = tmp_path / "toy.toml"
    path.write_text(electrons[0].text)
    out = tmp_path / "reach.csv"
    assert main(["reach", str(path), "--model", "B", "--mass", "20MeV", "-o", str(out)]) == 0
    (point,) = reach(electrons[0], ["B"], [0.02])
    (row,) = list(csv.DictReader(out.read_text().splitlines()))
    assert float(row["g_low"]) == point.g_low


def test_target_in_formats(electrons, tmp_path):
    """HepMC3 and LHE list a struck electron, 11 with its mass, by their own fields; fails if they make a nucleus."""
    _, file = electrons
    with pyhepmc.open(str(export(file, tmp_path / "events.hepmc3"))) as stream:
        event = next(iter(stream))
        beams = [p for p in event.particles if p.status == 4]
        assert [p.pid for p in beams] == [-13, 11]
        assert beams[1].generated_mass == pytest.approx(M_E)
        assert beams[1].momentum.e == pytest.approx(M_E)
    lhe = str(export(file, tmp_path / "events.lhe"))
    read = pylhe.LHEFile.fromfile(lhe)
    assert read.init.initInfo.beamB == 11
    assert read.init.procInfo[0].xSection == pytest.approx(file.metadata["exposure"]["cross_section_pb"], rel=3e-2)
    *_, last = read.events
    assert [int(p.id) for p in last.particles][1::2] == [11, 11]
    assert load(lhe).metadata["n_events"] == 4_000


def test_target_unknown():
    """A kind of target that nobody registered is named with those that are known; fails if it is taken for nuclei."""
    with pytest.raises(InputError, match=r"target\.process.*positron.*nuclear, electron, all"):
        Source(parse_card(card_text("na64").replace("[target]", '[target]\nprocess = "positron"'))).check()
    with pytest.raises(ValueError, match="known already"):
        register("nuclear", lambda atom: [(TOY, atom.Z)])


CURVE = 'efficiency = {energy = "0.5, 1, 2, 2.5 GeV", efficiency = [0, 0.2, 0.9, 0.6]}'


def _with_search(name, line):
    return parse_card(card_text(name) + f"\n[search]\n{line}\n")


@pytest.mark.parametrize("name", ["fermilab", "fermilab-3d"])
def test_efficiency(name):
    """A curve in E_S scales N_S of files, of the quadrature and of forced decays alike.

    Reference: the plain card's events with a factor made by hand. Fails if one of the three leaves it out, takes it
    twice, or takes it at the muon's energy.
    """
    plain, card = parse_card(card_text(name)), _with_search(name, CURVE)
    events = generate(plain, 0.1, 20_000, 5, force_decay=True)
    factor = np.interp(events.columns["S_E"], [0.5, 1.0, 2.0, 2.5], [0.0, 0.2, 0.9, 0.6])
    g = plain.scalar.g_mu
    scale = plain.beam.particles_on_target * g**2
    by_hand = scale * events.columns["weight"] * events.columns["decay_weight"] * factor
    forced = generate(card, 0.1, 20_000, 5, force_decay=True).columns
    np.testing.assert_allclose(scale * forced["weight"] * forced["decay_weight"], by_hand, rtol=1e-12)
    unforced = generate(plain, 0.1, 20_000, 5)
    (found,) = reweight(unforced, "A", [g], detector=card).n_signal
    (own,) = reweight(generate(card, 0.1, 20_000, 5), "A", [g]).n_signal
    assert found == own
    assert abs(found.value - by_hand.sum()) < 5.0 * found.error
    if name == "fermilab":
        (exact,) = n_signal(card, "A", 0.1, [g])
        assert abs(found.pull(exact.value)) < 4.0
        assert exact.error < 5e-4 * exact.value  # kinks are limits of the integral over E_S
        assert exact.value < 0.8 * n_signal(plain, "A", 0.1, [g])[0].value


def test_efficiency_is_a_number():
    """Half the efficiency is half the signal, 1e-14, and a higher line; fails if a number is no curve."""
    plain, half = parse_card(card_text("na64")), _with_search("na64", "efficiency = 0.5")
    (whole,), (less,) = (n_signal(card, "A", 0.1, [1e-4]) for card in (plain, half))
    assert less.value == pytest.approx(0.5 * whole.value, rel=1e-14)
    lines = [reach(card, ["A"], [0.1])[0].g_low for card in (plain, half)]
    assert lines[1] == pytest.approx(lines[0] * 2**0.5, rel=2e-3)


def test_efficiency_from_a_file(tmp_path):
    """A table becomes part of the card, and so of event files; fails if the file is needed again."""
    text = "S_E_gev,efficiency\n0.5,0\n1,0.2\n2,0.9\n3,0.6\n"
    (tmp_path / "eff.csv").write_text(text)
    (tmp_path / "card.toml").write_text(card_text("fermilab") + '\n[search]\nefficiency = "eff.csv"\n')
    from mcgen import load_card

    card = load_card(tmp_path / "card.toml")
    path = tmp_path / "events.root"
    save(generate(card, 0.1, 1000), path)
    (tmp_path / "eff.csv").unlink()
    assert load(path).card.search.efficiency == text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("efficiency = 1.5", ["search.efficiency", "less than or equal to 1"]),
        ("efficiency = -0.1", ["search.efficiency", "greater than or equal to 0"]),
        ('efficiency = {energy = "1, 2 GeV", efficiency = [0.5]}', ["search.efficiency"]),
        ('efficiency = {energy = "2, 1 GeV", efficiency = [0.5, 0.6]}', ["search.efficiency", "increase"]),
        ("eficiency = 0.5", ["search.eficiency", "'efficiency'"]),
    ],
)
def test_efficiency_faults(line, words):
    """Faults are named with their place; fails if an efficiency above 1 is taken."""
    with pytest.raises(InputError) as error:
        _with_search("na64", line)
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("text", "word"), [("1,2\n3,4\n", "header S_E_gev,efficiency"), ("S_E_gev,efficiency\n1\n", "lines of")]
)
def test_efficiency_file_faults(tmp_path, text, word):
    """A table of another kind is refused; fails if columns are taken for what they are not."""
    (tmp_path / "eff.csv").write_text(text)
    with pytest.raises(InputError, match=word):
        parse_card(card_text("na64") + '\n[search]\nefficiency = "eff.csv"\n', folder=tmp_path)


@pytest.mark.parametrize("ending", ["root", "nano.root", "parquet", "lhe", "hepmc3"])
def test_branch_from_one_row(tmp_path, monkeypatch, ending):
    """A row of the table is a branch of new files in each format that holds all of them; files of before still open.

    Fails if a second list of branches has to be told, or if a reader asks an old file for the new branch.
    """
    card = parse_card(card_text("fermilab"))
    old = generate(card, 0.1, 500, 3, output=tmp_path / "old.root")
    (before,) = reweight(old, "A", [1e-4]).n_signal
    mass = Branch("GeV", "mass of lepton and S after the collision", lambda c: np.hypot(c["mu_out_E"], c["S_E"]))
    monkeypatch.setitem(BRANCHES, "pair", mass)
    layout = "particles" if ending == "nano.root" else "flat"
    new = generate(card, 0.1, 500, 3, output=tmp_path / "new.root")
    assert "pair" in new.branches
    assert "pair" not in load(tmp_path / "old.root").branches
    assert reweight(tmp_path / "old.root", "A", [1e-4]).n_signal == [before]
    path = export(load(tmp_path / "new.root"), tmp_path / f"out.{ending}", layout=layout)
    if ending != "hepmc3":  # which has particles alone, and is not read back
        columns = load(path).read().columns
        np.testing.assert_array_equal(columns["pair"], np.hypot(columns["mu_out_E"], columns["S_E"]))
    assert reweight(new, "A", [1e-4]).n_signal == [before]
