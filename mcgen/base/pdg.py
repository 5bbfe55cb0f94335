"""Particle numbers of the Particle Data Group, and which isotopes nature has."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcgen.base.errors import InputError

#: mediators of spin 0 and of spin 1, the numbers kept for models with such a particle
MEDIATORS = {"scalar": 54, "pseudoscalar": 54, "vector": 55, "axial": 55}
BEAMS = {"mu+": -13, "mu-": 13, "e+": -11, "e-": 11}
#: leptons of negative charge
LEPTONS = {"e": 11, "mu": 13, "tau": 15}
#: status codes of HepMC: beam, decayed, final
BEAM, DECAYED, FINAL = 4, 2, 1
PHOTON = 22
PROTON = 2212
#: an invisible particle of spin 1/2 that is no neutrino
DARK = 52

#: the most abundant isotope of each element: mass numbers of Z = 1 to 83, then Th and U; for Tc and Pm, which nature
#: lacks, the longest-lived (IUPAC, Isotopic compositions of the elements, 2021)
_ISOTOPES = (
    "1 4 7 9 11 12 14 16 19 20 23 24 27 28 31 32 35 40 39 40 45 48 51 52 55 56 59 58 63 64 69 74 75 80 79 84 85 "
    "88 89 90 93 98 97 102 103 106 107 114 115 120 121 130 127 132 133 138 139 140 141 142 145 152 153 158 159 "
    "164 165 166 169 174 175 180 181 184 187 192 193 195 197 202 205 208 209"
)
_MOST_ABUNDANT = dict(enumerate(map(int, _ISOTOPES.split()), 1)) | {90: 232, 92: 238}
#: further from a whole number than this, a mass number is that of a natural mixture
_MIXTURE = 0.02


def mass_number(Z: float, A: float) -> int:
    """Mass number of one isotope for a nucleus of standard atomic weight A: the most abundant one of the element.

    A whole number, to 0.02, is taken as it is: a card may name an isotope.
    """
    nearest = round(A)
    return nearest if abs(A - nearest) < _MIXTURE else _MOST_ABUNDANT.get(round(Z), nearest)


def nucleus(Z: float, A: float) -> int:
    """10LZZZAAAI of the isotope of `mass_number`; the proton for hydrogen."""
    number = mass_number(Z, A)
    return PROTON if (round(Z), number) == (1, 1) else 1_000_000_000 + 10_000 * round(Z) + 10 * number


def check_boson(number: int) -> int:
    """The number as it is; InputError unless a boson can have it."""
    if not 18 < number < 1_000_000_000 or number == PROTON:
        message = f"boson_pdg: {number} is no number of a boson (allowed: 19 to 999999999, such as 54, 622, 9000005)"
        raise InputError(message)
    return number


def second_daughter(first: Any) -> Any:
    """The other daughters of decays into a particle and its antiparticle."""
    return np.where(first == PHOTON, first, -first)
