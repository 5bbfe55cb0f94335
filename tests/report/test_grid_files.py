"""A grid as a file: what other programs read of it."""

from __future__ import annotations

import csv
import json
import warnings

import numpy as np
import pytest

import mcgen
from mcgen.analysis.grid import bin_edges
from mcgen.analysis.variations import LeftOutWarning
from mcgen.base.errors import InputError
from mcgen.cli import main
from mcgen.report.grid_files import save_grid

uproot = pytest.importorskip("uproot")
COLUMNS = ["experiment", "model", "production", "mass_gev", "g_mu", "n_signal", "error", "n_eff"]


@pytest.fixture(scope="module")
def whole():
    """A grid with a band, of another number of masses than of couplings."""
    with warnings.catch_warnings(action="ignore", category=LeftOutWarning):
        return mcgen.grid("fermilab", "A,B", "10MeV,30MeV,100MeV", "1e-5:1e-3:5", band="form-factor")


def test_csv(whole, tmp_path):
    """A header, a line for each point with nothing for n_eff, and the provenance beside; fails if columns move."""
    path = save_grid(whole, tmp_path / "grid.csv")
    with path.open() as stream:
        rows = list(csv.DictReader(stream))
    assert [*rows[0]] == [*COLUMNS, "n_signal_min", "n_signal_max"]
    assert len(rows) == 2 * 3 * 5
    for row, point in zip(rows, whole.rows, strict=True):
        assert (row["experiment"], row["model"], row["n_eff"]) == ("fermilab", point.model, "")
        assert [float(row[name]) for name in COLUMNS[3:7]] == [point.mass_gev, point.g_mu, point.n_signal, point.error]
    assert json.loads((tmp_path / "grid.csv.json").read_text())["card"] == whole.card.text


def test_root_histograms(whole, tmp_path):
    """Values, errors, edges and titles as uproot and hist see them; fails if x and y are exchanged."""
    with uproot.open(save_grid(whole, tmp_path / "grid.root")) as file:
        for model, cells in whole.models.items():
            found = file[f"n_signal_{model}"]
            assert found.classname == "TH2D"
            values, x, y = found.to_numpy()
            assert np.array_equal(values, cells.n_signal)
            assert np.array_equal(found.errors(), cells.error)
            assert np.array_equal(x, bin_edges(whole.m_S))
            assert np.array_equal(y, bin_edges(whole.g_mu))
            assert not found.values(flow=True)[[0, -1]].any()
            assert [axis.member("fTitle") for axis in found.axes] == ["m_S [GeV]", "g_mu"]
            assert np.array_equal(file[f"n_signal_max_{model}"].values(), cells.n_signal_max)
        made = pytest.importorskip("hist").Hist(file["n_signal_B"].to_hist())
        assert made[{0: made.axes[0].index(0.03), 1: made.axes[1].index(1e-4)}].value == pytest.approx(
            mcgen.n_signal("fermilab", "B", 0.03, 1e-4).value, rel=1e-9
        )


def test_root_table_and_metadata(whole, tmp_path):
    """The table is a TTree of the same numbers, the provenance a string; fails if a text column is lost."""
    with uproot.open(save_grid(whole, tmp_path / "grid.root")) as file:
        table = file["grid"].arrays()
        assert table.fields == [*COLUMNS[:7], "n_signal_min", "n_signal_max"]  # no n_eff by quadrature
        assert table["model"].tolist() == [point.model for point in whole.rows]
        assert table["n_signal_min"].tolist() == [point.n_signal_min for point in whole.rows]
        metadata = json.loads(str(file["metadata"]))
    assert metadata["card"] == whole.card.text
    assert metadata["band"] == ["form-factor"]


def test_events_in_root(tmp_path):
    """From events n_eff is there too, and which files; fails if the hash of a file is lost."""
    events = mcgen.generate("fermilab", 0.1, 2000, output=tmp_path / "e.root")
    found = mcgen.grid_from_events(events.path, "A", [1e-5, 1e-4])
    with uproot.open(save_grid(found, tmp_path / "grid.root")) as file:
        assert file["grid"]["n_eff"].array().tolist() == [point.n_eff for point in found.rows]
        assert json.loads(str(file["metadata"]))["made_of"] == [events.content_sha256()]


def test_parquet(whole, tmp_path):
    """The same table with nulls, read by pyarrow and pandas; fails if a null becomes a number."""
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(save_grid(whole, tmp_path / "grid.parquet"))
    assert str(table.schema.field("n_eff").type) == "double"  # also where all are null, so that tables go together
    assert table.column_names == [*COLUMNS, "n_signal_min", "n_signal_max"]
    assert table["n_signal"].to_pylist() == [point.n_signal for point in whole.rows]
    assert table["n_eff"].to_pylist() == [None] * 30
    assert json.loads(table.schema.metadata[b"mcgen"])["card"] == whole.card.text
    assert whole.to_pandas().equals(whole.to_pandas()[table.column_names])


def test_commands_and_functions_write_the_same(tmp_path, capsys):
    """The file of the command is that of save_grid, left alone the second time; fails if one of them computes more."""
    for ending in ("csv", "root", "parquet", "png"):
        path = tmp_path / f"grid.{ending}"
        arguments = ["grid", "fermilab", "--mass", "10MeV,100MeV", "--g-mu", "1e-5:1e-4:4", "-o", str(path)]
        assert main(arguments) == 0
        before = path.read_bytes()
        save_grid(mcgen.grid("fermilab", None, "10MeV,100MeV", "1e-5:1e-4:4"), path)
        assert path.read_bytes() == before
        capsys.readouterr()
        assert main(arguments) == 0
        assert "left alone" in capsys.readouterr().err


def test_endings(whole, tmp_path):
    """Another ending is refused with those that there are; fails for a file without a format."""
    with pytest.raises(InputError, match=r"\.csv, \.parquet, \.root, \.png"):
        save_grid(whole, tmp_path / "grid.txt")
