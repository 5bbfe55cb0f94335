"""Words of a page with mathematics in them: letters, and whether they stand below or above the line."""

from __future__ import annotations

import re

#: letters and marks that axes are named with
_SYMBOLS = {
    r"\sqrt": "√", r"\gamma": "\u03b3", r"\mu": "μ", r"\varepsilon": "ε", r"\theta": "θ", r"\tau": "τ",
    r"\mathrm": "", "'": "\u2032", "-": "\u2212",
}  # fmt: skip
#: last part of a key of a card -> how a page calls it, where the key alone does not say it
_NAMES = {
    "spot": "spot, rms", "divergence": "divergence, rms", "E_min": "stopped below $E_{min}$",
    "n_atom": "atoms per volume $n$", "dE_dy": "loss of a muon $dE/dy$", "Z": "charge $Z$", "A": "atomic weight $A$",
    "active": "decays inside count", "repeat": "times repeated",
    "sqrt_s": "energy $\\sqrt{s}$", "electron": "energy of $e^{-}$", "positron": "energy of $e^{+}$",
    "lepton": "lepton of the pair",
    "L_det": "length $L_{det}$", "x_min": "lowest $E_S/E_\\mu$", "E_S_min": "lowest $E_S$",
    "E_daughter_min": "lowest energy of a daughter", "r_min": "inner radius", "r_max": "outer radius",
    "angle_min": "smallest angle", "angle_max": "largest angle",
    "background_error": "error of the background", "observed": "observed events",
    "signal_error": "relative error of $N_S$",
    "confidence": "confidence level", "method": "kind of limit",
    "mass": "mass $m_S$ of events", "invisible": "invisible share", "decay": "channel that counts",
    "out_lepton": "outgoing lepton", "parity_angle": "parity angle [deg]",
    "flavour_coupling": "flavour coupling over $g_\\mu$",
}  # fmt: skip


def words(text: str) -> list[tuple[str, str]]:
    """A text with $...$ for mathematics in parts: each with 'sub', 'sup' or '' for where it stands.

    Parameters
    ----------
    text : str
        As the figures of the report name axes and models.
    """
    pattern = "|".join(re.escape(one) for one in _SYMBOLS)
    parts = re.split(r"\$(.*?)\$", text)
    found: list[tuple[str, str]] = []
    for number, part in enumerate(parts):
        if number % 2 == 0:
            found += [(part, "")] if part else []
            continue
        plain = re.sub(pattern, lambda match: _SYMBOLS[match[0]], part)
        for before, sign, one, several in re.findall(r"([^_^]*)(?:([_^])(?:([^{])|\{((?:\{[^}]*\}|[^}])*)\}))?", plain):
            bare, inner = (
                "".join(letter for letter in text if letter not in "{}") for text in (before, one or several)
            )
            found += [(bare, "")] if bare else []
            found += [(inner, "sub" if sign == "_" else "sup")] if inner else []
    return found


def plain(text: str) -> str:
    """The same as one line of plain letters."""
    return "".join(part for part, _ in words(text))


def name_of(key: str) -> str:
    """How a page calls a key of a card, with $...$ for mathematics.

    Parameters
    ----------
    key : str
        Without its section.
    """
    return _NAMES.get(key, key.replace("_", " "))


def channel(name: str) -> list[tuple[str, str]]:
    """A channel such as "mu+mu-" in parts, as `words` has them."""
    if name == "hadrons":
        return [(name, "")]
    signs = re.sub(r"[+-]", r"^{\g<0>}", re.sub(r"gamma|mu|tau", r"\\\g<0>", name))
    return words(f"${signs}$")
