"""Spectra for FORESEE: rows as it reads them, against the events and against the quadrature."""

import numpy as np
import pytest
from conftest import REFERENCE

from mcgen import export, generate, load, load_card
from mcgen.base.errors import InputError
from mcgen.cli import main

pytestmark = pytest.mark.usefixtures("samplers_kept")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("spectrum") / "events.root"
    return generate(load_card("fermilab"), 0.1, 3_000, output=path, weighted=True, chunk=700)


def test_rows(file, tmp_path, capsys):
    """Angle, momentum and pb of each bin are those of the events; fails for a degree, an energy, or one bin beside.

    FORESEE takes the three columns by numpy.loadtxt and spreads each row by 0.025 to both sides.
    """
    path = tmp_path / "0.003TeV_0.1.txt"
    assert main(["export", str(file.path), "-o", str(path)]) == 0
    assert "FORESEE" in capsys.readouterr().out
    log_theta, log_p, pb = np.loadtxt(path).T
    columns, about = file.read().columns, file.metadata["exposure"]
    p = np.stack([columns[f"S_p{axis}"] for axis in "xyz"], axis=1)
    size = np.linalg.norm(p, axis=1)
    theta = np.arctan2(np.linalg.norm(np.cross(p, [0.0, 0.0, 1.0]), axis=1), p[:, 2])
    edges = np.arange(-6.0, 0.51, 0.05), np.arange(-3.0, 5.01, 0.05)
    in_pb = columns["weight"] / (1e-36 * about["sum_nuclei_per_cm2"])
    expected, *_ = np.histogram2d(np.log10(theta), np.log10(size), edges, weights=in_pb)
    i, k = np.rint((log_theta + 5.975) / 0.05).astype(int), np.rint((log_p + 2.975) / 0.05).astype(int)
    np.testing.assert_allclose(expected[i, k], pb, rtol=1e-12)
    assert np.count_nonzero(expected) == len(pb)
    assert pb.sum() == pytest.approx(about["cross_section_pb"], rel=1e-12)
    beam = load_card("fermilab").beam
    found = pb.sum() * 1e-36 * about["sum_nuclei_per_cm2"]
    assert found == pytest.approx(file.metadata["yield_per_muon"], rel=1e-12)
    assert str(beam.lepton) in path.read_text().splitlines()[0]


def test_forced_decays(file, tmp_path):
    """The table is of all S that are made; fails if the probability of a decay is a factor of it."""
    plain = np.loadtxt(export(file, tmp_path / "plain.txt"))
    forced = np.loadtxt(export(file, tmp_path / "forced.txt", force_decay=True))
    np.testing.assert_array_equal(plain, forced)


def test_along_the_beam_and_other_events(tmp_path):
    """S along the beam is in the first bin, events of one energy keep their pb; fails for a row of infinity."""
    foreign = load(REFERENCE / "madgraph_W_1GeV_mS0.1.lhe.gz", card=load_card("fermilab"))
    events = foreign.read()
    for axis in "xy":
        events.columns[f"S_p{axis}"] = np.zeros(len(events))
    path = export(events, tmp_path / "events.txt.gz")
    log_theta, _, pb = np.loadtxt(path).T  # which unpacks it
    assert set(log_theta) == {-5.975}
    assert pb.sum() == pytest.approx(events.columns["weight"].sum(), rel=1e-12)


def test_written_once(file, tmp_path):
    """The same table is left alone, another one refused; fails if it is written over."""
    path = export(file, tmp_path / "events.txt")
    export(file, path)
    other = generate(load_card("fermilab"), 0.1, 200, 7, output=tmp_path / "other.root")
    with pytest.raises(InputError, match="other content"):
        export(other, path)
