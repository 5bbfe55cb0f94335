"""Numbers with units and lists of numbers, as users type them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from mcgen.errors import InputError

#: dimension -> unit -> factor to the unit used inside (the first one)
UNITS = {
    "energy": {"GeV": 1.0, "eV": 1e-9, "keV": 1e-6, "MeV": 1e-3, "TeV": 1e3},
    "length": {"cm": 1.0, "um": 1e-4, "mm": 0.1, "m": 100.0, "km": 1e5},
    "angle": {"rad": 1.0, "mrad": 1e-3, "deg": math.pi / 180.0},
    "energy loss": {"GeV/cm": 1.0, "MeV/cm": 1e-3, "GeV/m": 1e-2, "MeV/m": 1e-5},
    "density": {"g/cm3": 1.0, "kg/m3": 1e-3},
    "number density": {"/cm3": 1.0, "/m3": 1e-6},
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
    example = f"'{next(iter(units))}'"
    match = _QUANTITY.fullmatch(text)
    if not match:
        message = f"'{text[:60]}' is not a number with a unit of {dimension} such as {example}"
        raise InputError(message)
    number, unit = match.groups()
    if unit is None:
        if unit_needed:
            message = f"'{number}' lacks a unit of {dimension} ({', '.join(units)})"
            raise InputError(message)
        unit = next(iter(units))
    if unit not in units:
        message = f"'{unit[:60]}' is not a unit of {dimension} ({', '.join(units)})"
        raise InputError(message)
    value = float(number) * units[unit]
    if not math.isfinite(value):
        message = f"'{text[:60]}' is too large"
        raise InputError(message)
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
    text: str,
    dimension: str | None = None,
    geometric: bool = False,
    traced: bool = False,
    unit_needed: bool = False,
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
        if not math.isfinite(value):
            message = f"'{part[:60]}' is not a finite number"
            raise InputError(message)
        return value

    if ":" not in text:
        return [number(part) for part in text.split(",")]
    parts = text.split(":")
    if len(parts) == 4 and parts[3].strip() == "log":
        geometric = True
        parts.pop()
    if len(parts) == 2 and not traced:
        message = f"'{text[:60]}' is a range to be traced, no line is drawn here: give 'start:stop:n' or '...:n:log'"
        raise InputError(message)
    counted = len(parts) == 3 and re.fullmatch(r"\s*[0-9]{1,6}\s*", parts[2]) and 2 <= int(parts[2]) <= MAX_LIST
    if len(parts) != 2 and not counted:
        message = f"'{text[:60]}' is not a range 'start:stop:n' or 'start:stop:n:log' with n from 2 to {MAX_LIST}"
        raise InputError(message)
    start, stop = number(parts[0]), number(parts[1])
    positive = geometric or len(parts) == 2
    if not start < stop or (positive and start <= 0.0):
        message = f"'{text[:60]}': a range needs {'0 < ' if positive else ''}start < stop"
        raise InputError(message)
    if len(parts) == 2:
        return Range([start, stop])
    n = int(parts[2])
    steps = [i / (n - 1) for i in range(n)]
    if geometric:
        inner = [start * (stop / start) ** s for s in steps[1:-1]]
    else:
        inner = [start + (stop - start) * s for s in steps[1:-1]]
    return [start, *inner, stop]
