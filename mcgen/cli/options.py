"""Types and options that commands share."""

from __future__ import annotations

import os
from typing import Any

import click

from mcgen.errors import InputError
from mcgen.units import parse_list


class ListOf(click.ParamType):  # type: ignore[type-arg]
    """'a,b,c' or 'start:stop:n'."""

    def __init__(self, name: str, dimension: str | None = None, geometric: bool = False) -> None:
        self.name = name
        self._dimension = dimension
        self._geometric = geometric

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: D102
        if not isinstance(value, str):
            return value
        try:
            return parse_list(value, self._dimension, self._geometric)
        except InputError as error:
            self.fail(str(error), param, ctx)


class One(ListOf):
    """A single number."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: D102
        numbers = super().convert(value, param, ctx)
        if isinstance(numbers, list):
            if len(numbers) != 1:
                self.fail(f"'{value}' is not a single number", param, ctx)
            return numbers[0]
        return numbers


class Count(click.ParamType):  # type: ignore[type-arg]
    """A whole number such as 1000000 or 1e6."""

    name = "number"

    def __init__(self, high: int) -> None:
        self._high = high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: D102
        try:
            number = int(value) if str(value).strip().isdigit() else float(value)
            whole = int(number)
        except (ValueError, OverflowError):
            whole = number = -1
        if whole != number or not 1 <= whole <= self._high:
            self.fail(f"'{value}' is not a whole number from 1 to {self._high:g}", param, ctx)
        return whole


ENERGIES = ListOf("energies", "energy")
ENERGY = One("energy", "energy")
COUPLINGS = ListOf("couplings", geometric=True)
NUMBERS = ListOf("numbers")
NUMBER = One("number")
THREADS = min(16, os.cpu_count() or 1)

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, nothing else.")
workers_option = click.option(
    "--workers",
    type=click.IntRange(1, 1024),
    default=THREADS,
    show_default="all cores",
    help="Threads, processes for a folder; results never depend on it.",
)
mediator_option = click.option("--mediator", help="scalar, pseudoscalar, vector or axial.  [default: the card's]")
model_option = click.option("--model", help="A, B, or of a vector dark-photon, Lmu-Ltau.  [default: the card's]")
seed_option = click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), help="Seed of the random numbers.  [default: the card's]"
)
events_option = click.option(
    "--events", type=Count(10**12), help="Number of events, such as 1e6.  [default: the card's]"
)
unit_option = click.option(
    "--unit",
    type=click.Choice(["GeV", "MeV"]),
    default="GeV",
    show_default=True,
    help="Of .csv: GeV as G4DarkBreM reads it, or MeV as its description says.",
)
boson_option = click.option(
    "--boson-pdg",
    type=int,
    help="PDG number of S in the file, such as 622 (LDMX) or 9000005 (MadGraph).  [default: 54, or 55 of spin 1]",
)
