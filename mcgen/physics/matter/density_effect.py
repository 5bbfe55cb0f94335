"""Density effect on the ionisation loss and mean excitation energy of mixtures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mcgen.base.arrays import Array
from mcgen.physics.matter.atomic_data import ELECTRONS, DensityEffect, Element

Atoms = Sequence[tuple[float, Element]]  #: mass fractions, summing to 1, and elements

PLASMA_EV = 28.816  #: plasma energy in eV at density times Z/A of 1 g/cm^3 (PDG)
TWO_LN10 = 2.0 * math.log(10.0)

#: I in eV of light elements bound in liquids and solids (ICRU Report 37, Table 5.1); others there: 1.13 I
_BOUND_I = {1: 19.2, 6: 81.0, 7: 82.0, 8: 106.0, 9: 112.0, 17: 180.0}


class Medium(NamedTuple):
    """The electrons of a material."""

    Z_over_A: float  #: mol/g
    I_eV: float  #: mean excitation energy
    fits: tuple[tuple[float, DensityEffect], ...]  #: fraction of the electrons and its density effect


def mean_excitation(atoms: Atoms, compound: bool = True) -> float:
    """Mean excitation energy in eV by Bragg's rule on logarithms, weighted by electrons.

    Parameters
    ----------
    atoms : sequence of (float, Element)
        Mass fractions and elements.
    compound : bool
        Take the binding in liquid and solid compounds into account as ICRU Report 37 does; False for alloys and gases.
    """
    electrons = [(w * e.Z / e.A, e) for w, e in atoms]
    log_I = sum(
        n * math.log(_BOUND_I.get(round(e.Z), 1.13 * ELECTRONS[e.name].I_eV) if compound else ELECTRONS[e.name].I_eV)
        for n, e in electrons
    )
    return math.exp(log_I / sum(n for n, _ in electrons))


def medium(
    atoms: Atoms, density: float, fit: DensityEffect | None = None, I_eV: float | None = None, compound: bool = True
) -> Medium:
    """Electrons of an element or a compound at its density.

    Parameters
    ----------
    atoms : sequence of (float, Element)
        Mass fractions, summing to 1, and elements of `atomic_data.ELEMENTS`.
    density : float
        g/cm^3.
    fit : DensityEffect, optional
        Fit of the material itself (`atomic_data.FITS`), moved to this density; left out: from the elements.
    I_eV : float, optional
        Measured mean excitation energy of a compound without a fit; left out: Bragg's rule.
    compound : bool
        See `mean_excitation`; a single element is none.

    Notes
    -----
    Without a fit, delta is the sum over the elements, weighted by electrons, each at the plasma energy of the whole:
    exact at high energy, and nearer the fits of crystals, glasses and oxides (0.4 % of the ionisation loss at worst;
    plastics 0.9 %) than the recipe of R. M. Sternheimer and R. F. Peierls, Phys. Rev. B 3 (1971) 3681 (2.7 %).
    """
    Z_over_A = sum(w * e.Z / e.A for w, e in atoms)
    plasma = PLASMA_EV * math.sqrt(density * Z_over_A)
    if fit is not None:
        return Medium(Z_over_A, fit.I_eV, ((1.0, _shifted(fit, math.log10(plasma / fit.plasma_eV))),))
    bragg = mean_excitation(atoms, compound=False)
    I_eV = I_eV or (mean_excitation(atoms, compound) if len(atoms) > 1 else bragg)
    bound = math.log10(I_eV / bragg)  # all levels move up alike
    fits = (
        (
            w * e.Z / e.A / Z_over_A,
            _shifted(ELECTRONS[e.name], math.log10(plasma / ELECTRONS[e.name].plasma_eV) - bound),
        )
        for w, e in atoms
    )
    return Medium(Z_over_A, I_eV, tuple(fits))


def _shifted(fit: DensityEffect, shift: float) -> DensityEffect:
    """The fit moved to a plasma energy that is 10^shift times as high, relative to the energies of the levels."""
    return fit._replace(C=fit.C - TWO_LN10 * shift, x0=fit.x0 - shift, x1=fit.x1 - shift)


def delta(beta_gamma: Array, medium: Medium) -> Array:
    """Density-effect correction delta at momentum over mass (Sternheimer's formula)."""
    x = np.log10(beta_gamma)
    result = np.zeros_like(x)
    for fraction, fit in medium.fits:
        above = TWO_LN10 * x - fit.C
        between = above + fit.a * np.maximum(fit.x1 - x, 0.0) ** fit.k
        below = fit.delta0 * 10.0 ** (2.0 * np.minimum(x - fit.x0, 0.0))
        result += fraction * np.where(x >= fit.x1, above, np.where(x >= fit.x0, between, below))
    return result
