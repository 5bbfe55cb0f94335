"""Wrong input at the command line: status 2, one line on stderr, nothing written."""

from __future__ import annotations

import pytest

from mcgen.cli import main

BAD = [
    [],
    ["xsec"],
    ["nonsense"],
    ["xsec", "--target", "Wo", "--energy", "3", "--mass", "0.1"],
    ["xsec", "--target", "W", "--energy", "3 cm", "--mass", "0.1"],
    ["xsec", "--target", "W", "--energy", "abc", "--mass", "0.1"],
    ["xsec", "--target", "W", "--energy", "nan", "--mass", "0.1"],
    ["xsec", "--target", "W", "--energy", "3", "--mass", "-0.1"],
    ["xsec", "--target", "W", "--energy", "3", "--mass", ""],
    ["xsec", "--target", "W", "--energy", "3", "--mass", "0.1", "--method", "best"],
    ["xsec", "--target", "W", "--energy", "3", "--mass", "0.1", "--lepton", "tau"],
    ["xsec", "--target", "W", "--energy", "3", "--mass", "0.1", "--mediator", "graviton"],
    ["xsec", "--target", "W", "--energy", "3", "--mass", "0.1", "--spectrum", "y"],
    ["xsec", "--target", "W", "--energy", "3", "--mass", "0.1", "--spectrum", "x", "--edges", "0.5,0.1"],
    ["xsec", "--target", "W", "--energy", "1:3:1", "--mass", "0.1"],
    ["generate", "fermilab", "-o", "events.txt"],
    ["generate", "fermilab", "-o", "no/folder/events.root"],
    ["generate", "fermilab", "-o", "events.root", "--mass", "5"],
    ["generate", "fermilab", "-o", "events.root", "--mass", "0.1,0.2"],
    ["generate", "fermilab", "-o", "events.root", "--events", "0"],
    ["generate", "fermilab", "-o", "events.root", "--events", "1.5"],
    ["generate", "fermilab", "-o", "events.root", "--seed", "-1"],
    ["generate", "fermilab", "-o", "events.root", "--workers", "0"],
    ["generate", "fermilb", "-o", "events.root"],
    ["generate", "card.toml", "-o", "events.root"],
    ["info", "missing.root"],
    ["info", "text.root"],
    ["reweight", "missing.root", "--model", "A", "--g-mu", "1e-4"],
    ["reweight", "text.root", "--model", "A", "--g-mu", "1e-4"],
    ["reach"],
    ["reach", "fermilab", "--model", "C", "--mass", "0.1"],
    ["reach", "fermilab", "--mass", "0.1", "--n-signal", "0"],
    ["reach", "fermilab", "--mass", "0.1", "--production", "best", "-o", "reach.csv"],
    ["reach", "fermilab", "--mass", "0.1", "-o", "no/folder/reach.csv"],
    ["grid"],
    ["grid", "fermilab", "--mass", "0.1", "--g-mu", "1e-4", "-o", "grid.txt"],
    ["grid", "fermilab", "--mass", "0.1", "--g-mu", "0", "-o", "grid.csv"],
    ["grid", "fermilab", "--mass", "1MeV:10MeV", "-o", "grid.csv"],
    ["grid", "fermilab", "--band", "target", "-o", "grid.csv"],
    ["grid", "--events", "missing.root", "-o", "grid.csv"],
    ["grid", "--events", "text.root", "--mass", "0.1", "-o", "grid.csv"],
    ["crosscheck", "fermilab"],
    ["crosscheck", "fermilab", "--mass", "0", "-o", "checks"],
    ["run", "fermilb", "-o", "results"],
]


@pytest.mark.parametrize("arguments", BAD, ids=" ".join)
def test_bad_input(capsys, tmp_path, monkeypatch, arguments):
    """Status 2, one line on stderr, no output, no file; fails if a wrong input gives a traceback or a number."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.root").write_text("no ROOT file\n")
    before = {p.name for p in tmp_path.iterdir()}
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    if arguments:
        assert len(err.splitlines()) == 1
        assert err.startswith("mcgen: error: ")
    else:
        assert "Usage" in err
    assert {p.name for p in tmp_path.iterdir()} == before


BAD_REWEIGHTS = [
    ["--model", "C", "--g-mu", "1e-4"],
    ["--g-mu", "0"],
    ["--g-mu", "1e-4:1e-5:3"],
    ["--g-mu", "nan"],
    ["--couplings", "1,2"],
    ["--couplings", "1,2,3", "--model", "A"],
    ["--g-mu", "1e-4", "--method", "guess"],
    ["--g-mu", "1e-4", "--energy-bins", "0"],
    ["--g-mu", "1e-4", "-o", "no/folder/n.json"],
]


@pytest.mark.parametrize("arguments", BAD_REWEIGHTS, ids=" ".join)
def test_bad_reweight(capsys, tmp_path, monkeypatch, fermilab_events, arguments):
    """The same for a good file and wrong couplings; fails if a coupling of zero gives zero events without a word."""
    monkeypatch.chdir(tmp_path)
    assert main(["reweight", str(fermilab_events.path), *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_faults_are_found_before_files_are_written(tmp_path, capsys):
    """A bad name of a figure or a constraint leaves no table; fails if it is only seen at the end."""
    table = tmp_path / "r.csv"
    for arguments in (["--plot", "r.xyz"], ["--plot", str(tmp_path / "r.png"), "--constraints", "bogus"]):
        assert main(["reach", "na64", "--mass", "0.1", "-o", str(table), *arguments]) == 2
    assert list(tmp_path.iterdir()) == []
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["xsec", "--target", "W", "--energy", "3", "--mass", "1e-200"],
        ["xsec", "--target", "W", "--energy", "3", "--mass", "1e-20", "--method", "iww"],
        ["generate", "fermilab", "-o", "x.root", "--mass", "1e-30"],
        ["reach", "fermilab", "--mass", "0.1", "--states", "3", "--spacing", "-1MeV"],
    ],
)
def test_numbers_beyond_use(arguments, capsys):
    """Absurd numbers get one line and status 2; fails for a traceback or a NaN."""
    assert main(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
