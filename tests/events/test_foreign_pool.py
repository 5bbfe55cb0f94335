"""Several beam energies of another generator: in one file, or in a file for each."""

import json

import numpy as np
import pytest

from mcgen import cross_section, load, load_card, reweight, sigma_tilde
from mcgen.base.errors import InputError
from mcgen.cli import main
from mcgen.generation.library import scatterings
from mcgen.source.source import Source

M_MU, M_S, M_W, EVENTS = 0.1056583755, 0.1, 171.24585696, 1500
ENERGIES = (1.0, 2.0, 3.0)


@pytest.fixture(scope="module")
def card():
    return load_card("fermilab")


@pytest.fixture(scope="module")
def exact(card):
    return {E: cross_section("W", E, M_S, form_factor=card.run.form_factor).value for E in ENERGIES}


@pytest.fixture(scope="module")
def texts(card):
    """Energy -> texts of events, with places for process and weight."""
    found = {}
    for k, E in enumerate(ENERGIES):
        (c,) = scatterings(Source(card).process(M_S), Source(card).targets[0], E, EVENTS, 11 + k)
        names = (("mu_in", -13, -1, M_MU), ("", 9000002, -1, M_W), ("mu_out", -13, 1, M_MU),
                 ("N_out", 9000002, 1, M_W), ("S", 9000005, 1, M_S))  # fmt: skip
        found[E] = []
        for i in range(EVENTS):
            lines = ["<event>", " 5 {process} {weight:.10e} 91.2 0.0078 0.1"]
            for name, pdg, status, mass in names:
                p = [c[f"{name}_{x}"][i] for x in ("px", "py", "pz", "E")] if name else [0.0, 0.0, 0.0, mass]
                numbers = " ".join(f"{v:.10e}" for v in (*p, mass))
                lines.append(f" {pdg} {status} {'0 0' if status < 0 else '1 2'} 0 0 {numbers} 0. 9.")
            found[E].append("\n".join([*lines, "</event>"]))
    return found


def _lhe(path, events, rows, strategy=-4):
    """An LHE file of events that have their process and weight, and of rows sigma, error, largest weight, process."""
    init = [f"-13 9000002 3.0 171.2459 0 0 0 0 {strategy} {len(rows)}"]
    init += [f"{sigma:.10e} {error:.10e} {most:.10e} {process}" for sigma, error, most, process in rows]
    head = ['<LesHouchesEvents version="3.0">', "<header>", "</header>", "<init>", *init, "</init>"]
    path.write_text("\n".join([*head, *events, "</LesHouchesEvents>", ""]), encoding="utf-8")
    return path


def _shuffled(texts, exact, how):
    """Events of all energies mixed, so that none stand together."""
    mixed = []
    for k, E in enumerate(ENERGIES):
        weight = {"in pb": exact[E], "processes": 1.0}[how]
        process = {"in pb": 1, "processes": k + 1}[how]
        mixed += [text.format(process=process, weight=weight) for text in texts[E]]
    return [mixed[i] for i in np.random.default_rng(5).permutation(len(mixed))]


@pytest.mark.parametrize("how", ["in pb", "processes", "files", "folder", "halves"])
def test_sigma_of_each_energy(texts, exact, card, tmp_path, how):
    """Cross sections and sigma~ at each energy are those of the quadrature.

    Fails if <init> of all energies together stands for one, or if an event is at the first energy.
    """
    mean = sum(exact.values()) / 3
    if how in ("in pb", "processes"):
        rows = [(mean, 0.01 * mean, mean, 1)]
        if how == "processes":
            rows = [(exact[E], 0.01 * exact[E], 1.0, k) for k, E in enumerate(ENERGIES, 1)]
        strategy = -4 if how == "in pb" else 3
        events = load(_lhe(tmp_path / "a.lhe", _shuffled(texts, exact, how), rows, strategy), card=card)
    else:
        paths = []
        for k, E in enumerate(reversed(ENERGIES)):
            cut = EVENTS // 3 if how == "halves" else EVENTS
            whole = [text.format(process=1, weight=exact[E]) for text in texts[E]]
            for j, part in enumerate((whole[:cut], whole[cut:])):
                if part:
                    row = (exact[E], 0.01 * exact[E], exact[E], 1)
                    paths.append(_lhe(tmp_path / f"{k}{j}.lhe", part, [row]))
        events = load(tmp_path, card=card) if how == "folder" else load(*paths, card=card)
    columns = events.read().columns
    assert sorted(columns["event"].tolist()) == list(range(3 * EVENTS))
    for E in ENERGIES:
        assert columns["weight"][columns["E_mu"] == E].sum() == pytest.approx(exact[E], rel=1e-7)
    found = reweight(events, "A", [1e-4])
    assert found.E_mu == list(ENERGIES)
    independent = {"halves": np.hypot(1, 2) / 3}.get(how, 1.0)
    for row, there in zip(found.sigma_tilde[0], sigma_tilde(card, "A", M_S, 1e-4, list(ENERGIES)), strict=True):
        assert abs(row.pull(there.value)) < 4.0
        assert 0.9 < row.error / (0.01 * independent * row.value) < 1.4


def test_depth_of_each_energy(texts, exact, card, tmp_path):
    """Each energy is met at its own depth; fails if all events stand where the first one is."""
    path = _lhe(tmp_path / "a.lhe", _shuffled(texts, exact, "in pb"), [(sum(exact.values()) / 3, 1.0, 1.0, 1)])
    columns = load(path, card=card).read().columns
    for E in ENERGIES:
        assert columns["depth_cm"][columns["E_mu"] == E] == pytest.approx((3.0 - E) / 22.1e-3, rel=1e-9)


def test_refused(texts, exact, card, tmp_path):
    """Energies whose cross sections nothing tells apart, and other files, are refused; fails if shares are guessed."""
    mean = sum(exact.values()) / 3
    same = [text.format(process=1, weight=mean) for E in ENERGIES for text in texts[E][:5]]
    path = _lhe(tmp_path / "a.lhe", same, [(mean, 1.0, mean, 1)])
    with pytest.raises(InputError, match="3 beam energies, 1 to 3 GeV, and nothing says the cross section at each"):
        load(path, card=card)
    shares = [text.format(process=1, weight=w) for E, w in zip(ENERGIES, (1, 2, 3), strict=True) for text in texts[E]]
    with pytest.raises(InputError, match="nothing says the cross section"):
        load(_lhe(tmp_path / "b.lhe", shares, [(mean, 1.0, 1.0, 1)], strategy=3), card=card)
    other = parse_other(card)
    one = [text.format(process=1, weight=exact[2.0]) for text in texts[2.0][:5]]
    first = _lhe(tmp_path / "c.lhe", one, [(exact[2.0], 1.0, 1.0, 1)])
    with pytest.raises(InputError, match="energy 2 GeV is not in the card's target"):
        load(first, tmp_path / "a.lhe", card=other)


def parse_other(card):
    """The card with a beam of less energy."""
    from mcgen.card.card import parse_card

    return parse_card(card.text.replace('energy = "3 GeV"', 'energy = "1.5 GeV"'))


def test_command(texts, exact, tmp_path, capsys):
    """Several files are given one after the other; fails if the command takes one."""
    paths = []
    for E in (1.0, 3.0):
        events = [text.format(process=1, weight=exact[E]) for text in texts[E]]
        paths.append(str(_lhe(tmp_path / f"{E:g}.lhe", events, [(exact[E], 1.0, 1.0, 1)])))
    assert main(["reweight", *paths, "--card", "fermilab", "--g-mu", "1e-4", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["sigma_tilde"]
    assert [(row["energy_gev"], row["target"]) for row in rows] == [(1.0, "W"), (3.0, "W")]
    assert main(["export", *paths, "-o", str(tmp_path / "a.root"), "--card", "fermilab"]) == 0
    capsys.readouterr()
    assert main(["reweight", str(tmp_path / "a.root"), "--g-mu", "1e-4", "--json"]) == 0
    for row, again in zip(rows, json.loads(capsys.readouterr().out)["sigma_tilde"], strict=True):
        assert again == row
