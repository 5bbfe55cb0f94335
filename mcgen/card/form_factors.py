"""Form factors by name or from the user's table of G2(t), checked."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

from mcgen.base.errors import InputError, choose, refuse_if
from mcgen.base.files import read_text
from mcgen.physics.emission.form_factor import FORM_FACTORS, FormFactor, form_factor, is_proton
from mcgen.physics.emission.nuclear_shape import FOURIER_BESSEL
from mcgen.physics.matter.materials import ELEMENTS, Element

Table = tuple[tuple[float, float], ...]

#: what one can ask for by name alone
NAMES = [name for name in FORM_FACTORS if name != "table"]
_MAX_BYTES, _MAX_ROWS = 1_000_000, 10_000


@functools.lru_cache(maxsize=64)
def parse_table(text: str, where: str) -> Table:
    """Rows of t in GeV^2 and G2, parted by blanks or a comma; what follows # is a remark.

    Raises
    ------
    InputError
        Unless t increases within 1e-20 to 1e6 GeV^2 and G2 lies within 1e-30 to 1e6, on 2 to 10000 rows.
    """
    rows: list[tuple[float, float]] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#")[0].replace(",", " ").split()
        if not words:
            continue
        try:
            t, value = (float(word) for word in words)
        except ValueError:
            message = f"{where}: line {number}: needs two numbers, t in GeV^2 and G2"
            raise InputError(message) from None
        if not (1e-20 <= t <= 1e6 and 1e-30 <= value <= 1e6):
            message = f"{where}: line {number}: t must lie in 1e-20..1e6 GeV^2 and G2 in 1e-30..1e6"
            raise InputError(message)
        refuse_if(rows and t < rows[-1][0] * (1.0 + 1e-9), f"{where}: line {number}: t must increase")
        rows.append((t, value))
    refuse_if(not 2 <= len(rows) <= _MAX_ROWS, f"{where}: {len(rows)} rows, allowed are 2 to {_MAX_ROWS}")
    return tuple(rows)


def read_table(path: Path, where: str = "form factor") -> str:
    """Text of a table, checked."""
    hint = f" (allowed: {', '.join(NAMES)}, or a file with lines of t in GeV^2 and G2)"
    text = read_text(path, where, _MAX_BYTES, hint)
    parse_table(text, f"{where} {path}")
    return text


#: what else than `paper` is the default where electrons are hit: `target.process` -> form factor
_DEFAULTS = {"electron": "free", "all": "elastic"}


def allowed(name: str | None, process: str, where: str = "form factor") -> str:
    """The form factor for a kind of target, its default without one.

    Raises
    ------
    InputError
        If it is none of free electrons, or counts the electrons of `all` a second time.
    """
    default = _DEFAULTS.get(process, "paper")
    if name is None or name == default:
        return default
    refuse_if(process == "electron", f"{where} '{name}': process electron has none, electrons are free")
    refuse_if(name == "free", f"{where} 'free': is of process electron alone")
    refuse_if(
        process == "all" and name in ("paper", "tsai"),
        f"{where} '{name}': its inelastic term stands for the struck electrons, which process all has already "
        "(allowed: elastic, helm, fourier-bessel, table)",
    )
    return name


def named_or_read(name: str, targets: Sequence[str]) -> tuple[str, dict[str, str]]:
    """A name, or `table` and the text of the file of that name: for what a user types, never for what a file says."""
    if name in NAMES or not Path(name).suffix:
        return choose(name, NAMES, "form factor"), {}
    refuse_if(len(targets) > 1, f"form factor {name}: a table is that of one element, here are {', '.join(targets)}")
    return "table", {targets[0]: read_table(Path(name))}


def _is_measured(element: Element) -> bool:
    return element.Z in FOURIER_BESSEL or is_proton(element.Z, element.A)


def element_form_factor(name: str, tables: Mapping[str, str], element: Element) -> FormFactor:
    """G2 of an element; `tables` holds the texts for form factor `table`, by element.

    Raises
    ------
    InputError
        If the element has no table, or no measured charge density for `fourier-bessel`.
    """
    if name == "table":
        if element.name not in tables:
            message = f"form factor 'table': none is given for {element.name} in run.form_factor_table"
            raise InputError(message)
        table = parse_table(tables[element.name], f"run.form_factor_table.{element.name}")
        return form_factor(name, element.Z, element.A, table)
    if name == "fourier-bessel" and not _is_measured(element):
        known = ", ".join(symbol for symbol, e in ELEMENTS.items() if _is_measured(e))
        message = f"form factor 'fourier-bessel': not known for {element.name} (allowed: {known})"
        raise InputError(message)
    return form_factor(name, element.Z, element.A)
