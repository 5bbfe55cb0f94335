"""Bad input: some hundred generated cases under the law of `validation.fuzz`, and a test per kind of fault it found."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import uproot

from mcgen import load_card
from mcgen.analysis.reach import ReachPoint, write_csv
from mcgen.analysis.reweight import reweight
from mcgen.base.errors import InputError
from mcgen.card.card import card_text, parse_card
from mcgen.cli import main
from mcgen.cli.display import reach_table
from mcgen.events.events import Events
from mcgen.events.export import export
from mcgen.events.formats.root import EventFile, save
from mcgen.events.meta import EventMeta
from mcgen.generation.generate import generate
from mcgen.quadrature.yields import beam_nodes
from mcgen.source.source import Source
from validation import fuzz


@pytest.mark.parametrize("first", [37, pytest.param(0, marks=pytest.mark.slow)])
def test_generated_cases(first):
    """Cards, command lines and files of 200 cases keep the law; fails for a traceback, a NaN, or a file left behind.

    Case 36, a beam of many energies in many layers, takes as long as the 200 after it, six times over.
    """
    faults: list[str] = []
    counts = fuzz.run(200, seed=20, first=first, report=faults.append, shares=(10, 35, 55))
    assert counts["faults"] == 0, "\n".join(faults)
    assert sum(count for name, count in counts.items() if name.endswith(" 0")) > 30


@pytest.mark.parametrize(
    ("status", "out", "err", "word"),
    [
        (0, "N_S  nan", "", "holds nan"),
        (0, "1 +- inf", "", "holds inf"),
        (2, "", "Traceback\nValueError", "on stderr"),
        (2, "half a table", "mcgen: error: no", "on stdout"),
        (3, "", "mcgen: error: no", "status 3"),
        (1, "", "mcgen: error: OverflowError: too large", "status 1"),
    ],
)
def test_law_sees(tmp_path, status, out, err, word):
    """The law notices what it is there for; fails if a fuzz run would count these as right."""
    _, faults = fuzz.law(["xsec"], tmp_path, lambda _: (status, out, err))
    assert any(word in fault for fault in faults), faults


def test_law_sees_what_is_left(tmp_path):
    """A temporary file, and a NaN in a table, are faults; fails if only the screen is looked at."""

    def command(_):
        (tmp_path / ".x.tmp").write_text("")
        (tmp_path / "x.csv").write_text("1,nan\n")
        return 0, "", ""

    _, faults = fuzz.law(["reach"], tmp_path, command)
    assert len(faults) == 2


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A file of 300 events."""
    return generate(load_card("fermilab"), 0.1, 300, output=tmp_path_factory.mktemp("fuzz") / "small.root")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sigma", None),
        ("sigma", [{"energy_gev": "3", "sigma_pb": 1.0}]),
        ("trials", 0),
        ("seed", -1),
        ("seed", 2**63),
        ("first_event", "0"),
        ("options", {"branches": [1]}),
        ("merged", []),
        ("decays", 1),
        ("yield_quadrature", 1e300),
        ("extra", float("inf")),
        ("mass_gev", 5.0),
    ],
)
def test_forged_metadata(small, tmp_path, capsys, key, value):
    """Wrong metadata with a valid checksum are refused by every reader; fails for a TypeError inside one."""
    path = tmp_path / "forged.root"
    with pytest.raises(InputError):
        save(Events(small.metadata | {key: value}, small.read().columns), path).card  # noqa: B018
    for arguments in (["reweight", str(path)], ["merge", str(path), "-o", str(tmp_path / "m.root")]):
        assert main(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert not (tmp_path / "m.root").exists()


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e200])
@pytest.mark.parametrize("name", ["weight", "S_E", "depth_cm"])
def test_poisoned_columns(small, tmp_path, name, value):
    """One number that is not finite is refused; fails if N_S is NaN with exit status 0."""
    columns = small.read().columns
    columns[name] = columns[name].copy()
    columns[name][17] = value
    with pytest.raises(InputError, match=f"branch {name}"):
        reweight(save(Events(small.metadata, columns), tmp_path / "bad.root"), "A", [1e-4])


@pytest.mark.parametrize(
    "change", [np.float32, np.int64, lambda c: np.stack([c, c], axis=1)], ids=["float32", "int64", "2-D"]
)
def test_mistyped_columns(small, tmp_path, change):
    """Branches of another type or shape are refused; fails if float32 energies give masses that are wrong."""
    columns = small.read().columns
    columns["S_E"] = columns["S_E"].astype(change) if isinstance(change, type) else change(columns["S_E"])
    path = tmp_path / "bad.root"
    with uproot.recreate(path) as file:
        types = {k: np.dtype((c.dtype, c.shape[1:])) for k, c in columns.items()}
        file.mktree("events", types).extend(columns)
        file["metadata"] = json.dumps(EventMeta(small.metadata).sealed())
    with pytest.raises(InputError, match="branch S_E"):
        reweight(EventFile(path), "A", [1e-4])


def test_element_met_too_late():
    """A mass that only the first energy could make, off the last layer, is refused; fails if nothing is integrated."""
    head, rest = card_text("fermilab").split("[target]")
    layers = 'layer = [{material = "W", length = "1 m"}, {material = "U", length = "1 cm"}]\nE_min = "0.5 GeV"\n'
    card = parse_card(f"{head}[target]\n{layers}[detector]{rest.split('[detector]')[1]}")
    with pytest.raises(InputError, match="where the beam meets"):
        Source(card).check_mass(2.8715)
    Source(card).check_mass(2.8)


def test_open_intervals(tmp_path, capsys):
    """An interval without upper end is open on the screen and empty in the table; fails for an inf."""
    point = ReachPoint("x", "A", "exact", 0.1, 1e-6, math.inf)
    write_csv([point], tmp_path / "reach.csv")
    assert (tmp_path / "reach.csv").read_text().splitlines()[-1] == "x,A,exact,0.1,1e-06,"
    reach_table([point], "title")
    out = capsys.readouterr().out
    assert "open" in out
    assert "inf" not in out


def test_bin_of_almost_nobody():
    """A mass that one in 1e30 muons could make is refused; fails if a track without length is integrated."""
    head, rest = card_text("fermilab").split("[beam]")
    beam = 'spectrum = {energy = "1, 3, 9 GeV", particles = [1e30, 1]}\nmuons = 1e14\n'
    card = parse_card(f"{head}[beam]\n{beam}[target]{rest.split('[target]')[1]}")
    with pytest.raises(InputError, match="threshold"):
        Source(card).check_mass(5.0)
    Source(card).check_mass(2.0)


def test_forced_decays_of_what_is_stable(tmp_path, capsys):
    """Decays that cannot happen cannot be forced, and no file is left; fails for a division by zero."""
    text = card_text("fermilab").replace('width = "total"', 'width = "ee_only"').replace('"100 MeV"  ', '"1e-6 GeV"  ')
    (tmp_path / "card.toml").write_text(text)
    made = ["generate", str(tmp_path / "card.toml"), "-o", str(tmp_path / "e.root"), "--events", "10", "--force-decay"]
    assert main(made) == 2
    assert "nothing decays" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["card.toml"]


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [("t", -1.0, "branch t: a number is negative"), ("E_mu", 0.1, "not above the mass"), ("d1_py", None, "d1_py")],
)
def test_events_that_nothing_made(small, tmp_path, name, value, word):
    """Numbers that no event has, and a daughter without all its numbers, are refused; fails for a NaN in an export."""
    columns = small.read().columns
    if value is None:
        columns["decay_pdg"] = np.full(300, 11, dtype=np.int32)
        metadata = small.metadata | {"decays": "natural"}
    else:
        columns[name] = np.where(np.arange(300) == 17, value, columns[name])
        metadata = small.metadata
    file = save(Events(metadata, columns), tmp_path / "bad.root")
    with pytest.raises(InputError, match=word if value else "lacks d1"):
        export(file, tmp_path / "e.lhe")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.root"]


def test_keys_of_a_spectrum():
    """An unknown key in a part of the beam is named with those allowed; fails with a traceback."""
    beam = "spectrum = {a = 1}"
    with pytest.raises(InputError, match=r"beam\.spectrum\.a: unknown key \(allowed: energy, particles\)"):
        parse_card(card_text("fermilab").replace('energy = "3 GeV"  ', f"{beam}  ", 1))


def test_thin_layer_and_narrow_beam():
    """A layer without loss worth the name has a depth for a beam with a spread too; fails with an IndexError."""
    head, rest = card_text("fermilab").split("[beam]")
    beam = 'energy = "59.4 GeV"\nenergy_spread = 1e-15\nmuons = 1e14\n'
    target = '[target]\nmaterial = "Pb"\nlength = "4e-05 cm"\ndE_dy = "0.00026 GeV/cm"\nE_min = "1 GeV"\n'
    card = parse_card(f"{head}[beam]\n{beam}{target}[detector]{rest.split('[detector]')[1]}")
    for target_met, energy, per_pb in beam_nodes(Source(card), 0.1, 8):
        assert target_met.name == "Pb"
        assert energy.size > 1
        assert np.all(np.isfinite(energy) & np.isfinite(per_pb))
