"""Spectra at many beam energies against those at each."""

from __future__ import annotations

import numpy as np
import pytest

from mcgen.physics.emission.rules import rules
from mcgen.quadrature import spectra
from mcgen.quadrature.xsec import process_of
from mcgen.search.search import Search
from mcgen.source.source import load_card

Q = rules(24, 12, 8, 1)
CASES = [
    ("W", "mu", 0.5, 3.0, 0.01),
    ("W", "mu", 0.5, 3.0, 0.2),
    ("H", "mu", 0.5, 3.0, 0.3),  # too few terms
    ("Fe", "mu", None, 200.0, 0.1),
    ("Pb", "e", 0.5, 200.0, 0.03),
    ("C", "e", 950.0, 1050.0, 0.1),
]


@pytest.mark.parametrize(("target", "lepton", "low", "high", "m_S"), CASES)
def test_interpolated_spectra(target, lepton, low, high, m_S):
    """Cross sections agree to 1e-7 with those of each energy, energies of S exactly; fails for too few terms."""
    process = process_of(target, m_S, lepton, "tsai")
    low = low or process.threshold * (1.0 + 1e-12)
    E = high - np.linspace(0.0, 1.0, 40) ** 2 * (high - low)
    found = spectra.spectra(E, process, "exact", None, Q)
    for at, (E_S, sigmas) in zip(E.tolist(), found, strict=True):
        energies, exact = spectra._spectrum(at, process, "exact", None, Q)
        assert np.array_equal(E_S, energies)
        assert sigmas.sum() == pytest.approx(exact.sum(), rel=1e-7)


def test_fewer_spectra(monkeypatch):
    """Twelve or so for forty energies of a slowing muon, six of a narrow beam; fails if each is computed."""
    calls = []
    spectrum = spectra._spectrum
    monkeypatch.setattr(spectra, "_spectrum", lambda *a: calls.append(a) or spectrum(*a))
    for low, high, most in ((0.5, 3.0, 15), (990.0, 1010.0, 6)):
        calls.clear()
        spectra.spectra(np.linspace(low, high, 40), process_of("W", 0.01), "exact", None, Q)
        assert len(calls) <= most


def test_a_cut_is_never_interpolated():
    """Where a cut or a kink takes some S away, each energy has its own limits; fails if a cut is forgotten."""
    card = load_card("fermilab")
    search = Search(card.detector.model_copy(update={"E_S_min": 1.0}), card.target.length)
    E, process = np.linspace(0.6, 3.0, 30), process_of("W", 0.01)
    for at, (E_S, sigmas) in zip(E.tolist(), spectra.spectra(E, process, "exact", search, Q), strict=True):
        assert sigmas[E_S < 1.0].sum() == 0.0
        assert (sigmas.sum() > 0.0) == (at > 1.0 + process.m)
