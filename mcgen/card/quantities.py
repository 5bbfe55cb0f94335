"""Types of the numbers in a card: texts with units when read and written, floats in GeV and cm inside."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from mcgen.base.errors import InputError
from mcgen.base.units import UNITS, Range, parse_list, parse_quantity, spread_units

#: lightest mediator in GeV: an electronvolt is lighter than anything this is used for
LOWEST_MASS = 1e-12


def _read(dimension: str) -> BeforeValidator:
    def parse(value: Any) -> float:
        if not isinstance(value, str):
            units = UNITS[dimension]
            message = f'needs a unit of {dimension} ({", ".join(units)}) as text, such as "{value} {next(iter(units))}"'
            raise InputError(message)
        return parse_quantity(value, dimension)

    return BeforeValidator(parse, json_schema_input_type=str)


def _read_list(dimension: str | None = None, geometric: bool = False, traced: bool = False) -> BeforeValidator:
    def parse(value: Any) -> list[float]:
        if not isinstance(value, str):
            units = f" with units of {dimension} ({', '.join(UNITS[dimension])})" if dimension else ""
            message = f"needs a text 'a,b,c' or 'start:stop:n'{units}"
            raise InputError(message)
        text = spread_units(value) if dimension else value
        return parse_list(text, dimension, geometric, traced, unit_needed=True)

    return BeforeValidator(parse, json_schema_input_type=str)


def _keep_range(value: Any, check: ValidatorFunctionWrapHandler) -> list[float]:
    """A checked list, which would not know any more that it was a range."""
    return Range(check(value)) if isinstance(value, Range) else check(value)


def _write(unit: str) -> PlainSerializer:
    def text(value: float | list[float] | None) -> str | None:
        if isinstance(value, Range):
            return ":".join(f"{v!r} {unit}" for v in value)
        if isinstance(value, list):
            return ", ".join(f"{v!r} {unit}".rstrip() for v in value)
        return None if value is None else f"{value!r} {unit}"

    return PlainSerializer(text, when_used="json")


_POSITIVE = Field(gt=0.0, le=1e40)
Positive = Annotated[float, _POSITIVE]
Energy = Annotated[float, _read("energy"), _write("GeV"), Field(gt=LOWEST_MASS, le=1e6)]
Length = Annotated[float, _read("length"), _write("cm"), Field(gt=1e-12, le=1e12)]
Width = Annotated[float, _read("length"), _write("cm"), Field(ge=0.0, le=1e12)]
Angle = Annotated[float, _read("angle"), _write("rad"), Field(ge=0.0, le=0.1)]
EnergyList = Annotated[list[Positive], _read_list("energy"), _write("GeV"), Field(min_length=2, max_length=10_001)]
EnergyLoss = Annotated[float, _read("energy loss"), _write("GeV/cm"), Field(gt=1e-12, le=1e6)]
Density = Annotated[float, _read("density"), _write("g/cm3"), Field(ge=1e-20, le=1e20)]
NumberDensity = Annotated[float, _read("number density"), _write("/cm3"), Field(ge=1.0, le=1e40)]
Coupling = Annotated[float, Field(ge=1e-30, le=1e3)]
CouplingList = Annotated[list[Coupling], _read_list(geometric=True), _write(""), Field(min_length=1)]
MassList = Annotated[
    list[Positive], WrapValidator(_keep_range), _read_list("energy", traced=True), _write("GeV"), Field(min_length=1)
]


class Section(BaseModel):
    """A part of a card: no unknown keys, no guessing of types, nothing infinite."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)
