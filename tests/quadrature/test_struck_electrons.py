"""Cross sections of l e -> l e S against reference totals and spectra, and what `mcgen xsec` allows."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from mcgen.base.constants import M_E
from mcgen.base.errors import InputError
from mcgen.card.card import parse_card
from mcgen.cli import main
from mcgen.physics.boson.couplings import Couplings
from mcgen.quadrature.xsec import cross_section, xsec
from mcgen.quadrature.yields import n_signal
from mcgen.source.source import load_card

MEDIATORS = {"S": "scalar", "P": "pseudoscalar", "V": "vector", "A": "axial"}


@pytest.mark.parametrize("spin", MEDIATORS)
def test_totals(reference, spin):
    """Both lines and their interference from 1 GeV to 5 TeV, per electron, to 1e-6 of the total, mu+ and mu-.

    The interference alone follows from the two charges, or from two couplings. Fails if a line, its normalisation or
    the sign of one charge is wrong, or the quadrature misses a peak.
    """
    for entry in reference("electron_sigma")["entries"]:
        E, m_S, expected = entry["E_beam"], entry["m_X"], entry["sigma"][spin]
        one = {"mediator": MEDIATORS[spin], "process": "electron"}
        line = cross_section("H", E, m_S, **one)
        assert line.value == pytest.approx(expected["mu_line_pb"], rel=1e-7)
        assert abs(line.value / expected["mu_line_pb"] - 1) * line.value < line.error
        minus, plus = (
            cross_section("H", E, m_S, lepton=lepton, electron_coupling=1.0, **one) for lepton in ("mu-", "mu+")
        )
        rel = max(1e-6, 2.0 * expected["rel_err_mu_minus"])
        assert minus.value == pytest.approx(expected["equal_couplings_mu_minus_pb"], rel=rel)
        assert plus.value == pytest.approx(expected["equal_couplings_mu_plus_pb"], rel=rel)
        reverse = cross_section("H", E, m_S, lepton="mu-", electron_coupling=-1.0, **one)
        mixed = 0.5 * (minus.value - reverse.value)
        within = 3e-6 * minus.value + 3.0 * expected["interference_abs_err_pb"]
        assert mixed == pytest.approx(expected["interference_pb"], abs=within)
        squares = 0.5 * (minus.value + reverse.value) - line.value
        assert squares == pytest.approx(expected["e_line_pb"], rel=1e-6)


@pytest.mark.parametrize("spin", MEDIATORS)
def test_spectra(reference, spin):
    """Bins of x, and of the recoil T = t/2 m_e, of S from the beam's line to 2e-5; fails if the recoil is not the t."""
    for entry in reference("electron_sigma")["entries"]:
        shapes = entry.get("muon_line_spectra")
        if not shapes:
            continue
        edges = {"x": shapes["x"]["edges"], "t": 2.0 * M_E * 10.0 ** np.array(shapes["log10_recoil_T"]["edges"])}
        for variable, shape in (("x", shapes["x"]), ("t", shapes["log10_recoil_T"])):
            how = {"mediator": MEDIATORS[spin], "process": "electron", "spectrum": variable}
            found = cross_section("H", entry["E_beam"], entry["m_X"], edges=edges[variable], **how)
            np.testing.assert_allclose(found.bins, shape[spin]["sigma_in_bin_pb"], rtol=2e-5)


@pytest.mark.parametrize("coupling", [0.0, 1.0])
def test_spectra_add_up(coupling):
    """Bins of x and of the angle add up to sigma; fails if one of the lines is left out of a spectrum."""
    for variable, edges in (("x", [0.0, 0.1, 0.5, 1.0]), ("theta", [0.0, 1e-3, 3e-3, 3.0])):
        how = {"mediator": "vector", "process": "electron", "electron_coupling": coupling, "spectrum": variable}
        found = cross_section("Be", 160.0, 0.1, edges=edges, **how)
        assert np.sum(found.bins) == pytest.approx(found.value, rel=1e-6)


def test_all():
    """`all` is the elastic nucleus and Z electrons, whatever its shape; fails if an inelastic term slips in."""
    asked = [("elastic", "nuclear"), (None, "electron"), (None, "all"), ("helm", "all"), ("helm", "nuclear")]
    asked += [("tsai", "nuclear")]
    parts = [cross_section("Pb", 160.0, 0.01, form_factor=name, process=process).value for name, process in asked]
    elastic, electrons, both, helm, helm_alone, tsai = parts
    assert both == pytest.approx(elastic + electrons, rel=1e-12)
    assert electrons / elastic == pytest.approx(0.013, rel=0.03)  # 1.29 % of `paper` in processes.md
    assert helm == pytest.approx(helm_alone - (tsai - elastic) + electrons, rel=1e-6)
    below = cross_section("Pb", 10.0, 0.1, process="all")
    assert below.value == cross_section("Pb", 10.0, 0.1, form_factor="elastic").value


def test_rows(capsys):
    """JSON of `mcgen xsec`: keys of the process, "free" as form factor; fails if a default is that of nuclei."""
    command = ["xsec", "--target", "Be", "--energy", "160", "--mass", "10MeV", "--json", "--process"]
    assert main([*command, "electron", "--electron-coupling", "1", "--lepton", "mu-", "--mediator", "vector"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    known = {"process": "electron", "electron_coupling": 1.0, "form_factor": "free", "lepton": "mu-"}
    assert {key: row[key] for key in known} == known
    (other,) = xsec("Be", 160.0, 0.01, mediator="vector", process="electron", electron_coupling=1.0)
    assert row["sigma_pb"] < other.sigma_pb  # mu+
    (nuclear,) = xsec("Be", 160.0, 0.01)
    assert (nuclear.process, nuclear.form_factor, nuclear.electron_coupling) == ("nuclear", "paper", 0.0)
    assert main([*command, "all"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["form_factor"] == "elastic"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--process", "electron", "--form-factor", "paper"], "paper.*electron has none"),
        (["--process", "all", "--form-factor", "paper"], "paper.*allowed: elastic"),
        (["--process", "all", "--form-factor", "tsai"], "tsai.*allowed: elastic"),
        (["--process", "electron", "--lepton", "e"], "lepton e.*another process"),
        (["--process", "electron", "--mass", "500MeV"], "below threshold, 348.6"),
        (["--electron-coupling", "1"], "electron_coupling.*electron or all"),
        (["--process", "electron", "--electron-coupling", "2e6"], "electron_coupling.*-1e6..1e6"),
        (["--process", "electron", "--electron-coupling", "1", "--method", "ww"], "method ww.*exact"),
        (["--process", "electron", "--electron-coupling", "1", "--method", "iww"], "method iww.*exact"),
        (["--process", "positron"], "positron.*nuclear, electron, all"),
    ],
)
def test_refused(options, message, capsys):
    """What makes no sense is an error of one line; fails if it gives a number or a traceback."""
    given = ["xsec", "--target", "Be", "--energy", "160", *(["--mass", "10MeV"] if "--mass" not in options else [])]
    assert main([*given, *options]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    with pytest.raises(InputError, match=message):
        raise InputError(line)


def test_coupling_to_electrons_alone():
    """Without g_mu there is S from electrons, which is not counted; fails if the line says that none is made."""
    card = load_card("na64")
    text = re.sub(r"form_factor = .*", "", card.text).replace("[target]", '[target]\nprocess = "electron"')
    with pytest.raises(InputError, match=r"g_mu is 0, and what electrons alone make.*must not be 0"):
        n_signal(parse_card(text), Couplings(1e-4, 0.0, 0.0), 0.1, 1.0)
    with pytest.raises(InputError, match="g_mu is 0, so the mu"):
        n_signal(card, Couplings(1e-4, 0.0, 0.0), 0.1, 1.0)
