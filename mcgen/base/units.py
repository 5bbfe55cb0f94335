"""Numbers with units and lists of numbers, as users type them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from mcgen.base.errors import InputError, refuse_if

#: dimension -> unit -> factor to the unit used inside (the first one)
UNITS = {
    "energy": {"GeV": 1.0, "eV": 1e-9, "keV": 1e-6, "MeV": 1e-3, "TeV": 1e3},
    "length": {"cm": 1.0, "um": 1e-4, "mm": 0.1, "m": 100.0, "km": 1e5},
    "angle": {"rad": 1.0, "mrad": 1e-3, "deg": math.pi / 180.0},
    "energy loss": {"GeV/cm": 1.0, "MeV/cm": 1e-3, "GeV/m": 1e-2, "MeV/m": 1e-5},
    "density": {"g/cm3": 1.0, "kg/m3": 1e-3},
    "number density": {"/cm3": 1.0, "/m3": 1e-6},
    "luminosity": {"/pb": 1.0, "/nb": 1e-3, "/fb": 1e3, "/ab": 1e6},
}

_QUANTITY = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S.*?)?\s*")

#: longest list that a range may ask for
MAX_LIST = 100_000


class Range(list[float]):
    """Two ends 'start:stop' between which a line is traced: whoever draws it chooses the points.

    If it comes from a list, `through` holds the numbers of the list, which the line must contain.
    """

    def __init__(self, ends: Iterable[float], through: Iterable[float] = ()) -> None:
        super().__init__(ends)
        self.through = tuple(through)

    @classmethod
    def over(cls, numbers: Sequence[float]) -> list[float]:
        """The range that a list spans; a range or a single number stays what it is."""
        if isinstance(numbers, Range):
            return numbers
        return cls((min(numbers), max(numbers)), numbers) if len(set(numbers)) > 1 else list(numbers)


def parse_quantity(text: str, dimension: str, unit_needed: bool = True) -> float:
    """Value in GeV, cm, g or combinations of a text such as '160 GeV' or '1.5 m'.

    Raises
    ------
    InputError
        If the text is no number, is not finite, or its unit is missing or of another dimension.
    """
    units = UNITS[dimension]
    match = _QUANTITY.fullmatch(text)
    if not match:
        message = f"'{text[:60]}' is not a number with a unit of {dimension} such as '{next(iter(units))}'"
        raise InputError(message)
    number, unit = match[1], match[2] or ""
    known = f"a unit of {dimension} ({', '.join(units)})"
    refuse_if(unit_needed and not unit, f"'{number}' lacks {known}")
    refuse_if(unit and unit not in units, f"'{unit[:60]}' is not {known}")
    value = float(number) * units[unit or next(iter(units))]
    refuse_if(not math.isfinite(value), f"'{text[:60]}' is too large")
    return value


def quantity_text(value: float, dimension: str) -> str:
    """A number in GeV or cm with the unit that suits it, such as '100 MeV' or '1.5 m'."""
    factors = {factor: unit for unit, factor in UNITS[dimension].items()}
    factor = max((f for f in factors if f <= abs(value) * (1.0 + 1e-9)), default=min(factors))
    return f"{value / factor:.4g} {factors[factor]}"


def spread_units(text: str) -> str:
    """'1, 2, 4 GeV' as '1 GeV, 2 GeV, 4 GeV': a unit counts for the numbers before it that have none."""
    parts = re.split("([,:])", text)
    unit = None
    for i in reversed(range(len(parts))):
        if found := _QUANTITY.fullmatch(parts[i]):
            unit = found[2] or unit
            parts[i] = f"{found[1]} {unit}" if unit else parts[i]
    return "".join(parts)


def parse_list(
    text: str, dimension: str | None = None, geometric: bool = False, traced: bool = False, unit_needed: bool = False
) -> list[float]:
    """Numbers of 'a,b,c', 'start:stop:n' or 'start:stop:n:log' (n points, ends included).

    Parameters
    ----------
    text : str
    dimension : str, optional
        If given, each number may carry a unit of it.
    geometric : bool
        Spacing of a range without 'log': equal ratios instead of equal differences.
    traced : bool
        Whether 'start:stop' is understood, as a `Range`.
    unit_needed : bool
        Each number must carry a unit.
    """

    def number(part: str) -> float:
        if dimension:
            return parse_quantity(part, dimension, unit_needed)
        try:
            value = float(part)
        except ValueError:
            value = math.nan
        refuse_if(not math.isfinite(value), f"'{part[:60]}' is not a finite number")
        return value

    if ":" not in text:
        return [number(part) for part in text.split(",")]
    what, parts = f"'{text[:60]}'", text.split(":")
    if len(parts) == 4 and parts[3].strip() == "log":
        geometric = True
        parts.pop()
    to_trace = len(parts) == 2
    no_line = f"{what} is a range to be traced, no line is drawn here: give 'start:stop:n' or '...:n:log'"
    refuse_if(to_trace and not traced, no_line)
    counted = len(parts) == 3 and re.fullmatch(r"\s*[0-9]{1,6}\s*", parts[2]) and 2 <= int(parts[2]) <= MAX_LIST
    no_range = f"{what} is not a range 'start:stop:n' or 'start:stop:n:log' with n from 2 to {MAX_LIST}"
    refuse_if(not to_trace and not counted, no_range)
    start, stop = number(parts[0]), number(parts[1])
    lowest = "0 < " if geometric or to_trace else ""
    refuse_if(not start < stop or (lowest and start <= 0.0), f"{what}: a range needs {lowest}start < stop")
    if to_trace:
        return Range([start, stop])
    n = int(parts[2])
    steps = [i / (n - 1) for i in range(1, n - 1)]
    inner = [start * (stop / start) ** s if geometric else start + (stop - start) * s for s in steps]
    return [start, *inner, stop]
