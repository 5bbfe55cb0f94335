"""Types and options that commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mcgen.base import files
from mcgen.base.asked import ends, names
from mcgen.base.errors import InputError, refuse_if
from mcgen.base.units import parse_list
from mcgen.cli.names import CARD, MEDIATOR, MODEL, OUT_LEPTON
from mcgen.cli.volume import echo, is_quiet, is_verbose, told, volume_options

#: no name of a file is longer
_LONGEST = 4096


class ListOf(click.ParamType):  # type: ignore[type-arg]
    """'a,b,c', 'start:stop:n' or 'start:stop:n:log'; where a line is traced also 'start:stop'.

    Parameters
    ----------
    name : str
        What help texts call it.
    dimension : str, optional
        Of the units that the numbers may carry, such as 'energy'.
    geometric : bool
        Whether 'start:stop:n' has equal ratios instead of equal differences.
    traced : bool
        Whether 'start:stop' is understood.
    """

    def __init__(self, name: str, dimension: str | None = None, geometric: bool = False, traced: bool = False) -> None:
        self.name = name
        self._how = dimension, geometric, traced

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: D102
        if not isinstance(value, str):
            return value
        try:
            return parse_list(value, *self._how)
        except InputError as error:
            self.fail(str(error), param, ctx)


class One(ListOf):
    """A single number."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: D102
        numbers = super().convert(value, param, ctx)
        if not isinstance(numbers, list):
            return numbers
        if len(numbers) != 1:
            self.fail(f"'{value}' is not a single number", param, ctx)
        return numbers[0]


class Ends(click.ParamType):  # type: ignore[type-arg]
    """'a:b', checked and kept as it is.

    Parameters
    ----------
    dimension : str
        Of the units that the numbers may carry, or none.
    positive : bool
        Whether the axis is logarithmic.
    """

    name = "a:b"

    def __init__(self, dimension: str = "", positive: bool = False) -> None:
        self._dimension, self._positive = dimension, positive

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: D102
        try:
            ends(value, "range", self._dimension, positive=self._positive)
        except InputError as error:
            self.fail(str(error).removeprefix("range: "), param, ctx)
        return value


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


#: options that name outputs, and those that change nothing in an output
_OUTPUTS = ("output", "figure")
_SILENT = (*_OUTPUTS, "workers", "as_json", "overwrite", "chunk", "verify", "with_map", "title")


class Command(click.Command):
    """A command, with --quiet and --verbose."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(volume_options())

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; with --verbose it tells its steps."""
        with told():
            return super().invoke(ctx)


class Writing(Command):
    """A command that writes files: it has --overwrite, and says which were there already."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        text = "Replace files of other content; those of the same content are left alone."
        self.params.insert(-2, click.Option(["--overwrite"], is_flag=True, help=text))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; --overwrite and what it was asked for hold for every file that it writes."""
        overwrite = bool(ctx.params.pop("overwrite"))
        given = {key: value for key, value in ctx.params.items() if key not in _SILENT and value not in (None, ())}
        inputs = {key: _existing(value) for key, value in given.items()}
        request = {k: v.replace(" ", "") if isinstance(v, str) else v for k, v in given.items() if not inputs[k]}
        request["command"] = ctx.command.name
        outputs = [Path(ctx.params[key]) for key in _OUTPUTS if ctx.params.get(key)]
        if len({path.absolute() for path in outputs}) < len(outputs):
            message = f"output {outputs[0]}: is named twice"
            raise InputError(message)
        with files.command_policy(overwrite, [path for found in inputs.values() for path in found], request) as policy:
            for path in outputs:
                files.check_input(path, policy.inputs)
            result = super().invoke(ctx)
            if policy.left and not (is_quiet() or is_verbose()):  # the log has told it
                names = ", ".join(str(path) for path in policy.left)
                echo(f"{names}: already there with the same content, left alone", err=True)
        return result


def _existing(value: Any) -> list[Path]:
    """The files and folders that an option names. A text names files only: a card may be called like a folder."""
    items = value if isinstance(value, tuple | list) else [value]
    paths = [item for item in items if isinstance(item, Path)]
    names = [Path(name) for item in items if isinstance(item, str) for name in item.split(",") if len(name) < _LONGEST]
    return [path for path in paths if path.exists()] + [path for path in names if path.is_file()]


def names_in(text: str | None) -> list[str]:
    """The names in 'a,b,c'; none without a text."""
    return names(text) if text else []


PATH = click.Path(path_type=Path)
ENERGIES = ListOf("energies", "energy")
ENERGY = One("energy", "energy")
MASSES = ListOf("masses", "energy", traced=True)
COUPLINGS = ListOf("couplings", geometric=True)
NUMBERS = ListOf("numbers")
NUMBER = One("number")
THREADS = min(16, os.cpu_count() or 1)

Decorator = Callable[[Any], Any]


def output_option(text: str, **settings: Any) -> Decorator:
    """The file or folder that a command writes."""
    return click.option("-o", "--output", type=PATH, help=text, **settings)


def flag(name: str, text: str) -> Decorator:
    """An option that is given or not."""
    return click.option(*name.split(), is_flag=True, help=text)


def several(*options: Decorator) -> Decorator:
    """Options that commands share, in the order of their help."""

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def json_option(keys: str) -> Decorator:
    """--json, with the keys of the document."""
    return flag("--json as_json", f"One JSON document on stdout, nothing else: {keys}.")


#: how a figure is seen, in Python arguments of its function
VIEW = ("title", "xlim", "ylim", "style")
#: and that of contours and grids
PLANE = ("axis", "mass_unit")


def view_options(x: str = "", y: str = "", positive: bool = True, of: str = "the figure") -> Decorator:
    """--title, --xlim, --ylim and --style.

    Parameters
    ----------
    x, y : str
        Dimension of the axes, such as 'energy', or none.
    positive : bool
        Whether both are logarithmic.
    of : str
        Which figure has these ends, if there are several.
    """
    units = {"energy": "in GeV or with a unit: 1MeV:1GeV", "length": "in cm or with a unit: 0:3m", "": "a:b"}
    return several(
        click.option("--title", help="Of the figure, with $...$ for mathematics."),
        click.option("--xlim", type=Ends(x, positive), help=f"Ends of the horizontal axis of {of}, {units[x]}."),
        click.option("--ylim", type=Ends(y, positive), help=f"Ends of the vertical axis of {of}, {units[y]}."),
        click.option(
            "--style", type=click.Choice(["screen", "paper", "talk"]),
            help="screen, paper (3.4 inches wide, or 7) or talk (16:9, large letters).  [default: screen]",
        ),
    )  # fmt: skip


plane_options = several(
    click.option(
        "--axis", type=click.Choice(["community", "g_mu"]),
        help="Coupling in the figure: the usual one of the boson (epsilon, g', g_a) or g_mu.  [default: community]",
    ),
    click.option(
        "--mass-unit", type=click.Choice(["MeV", "GeV"]), help="Of masses in the figure.  [default: GeV above 2 GeV]"
    ),
)  # fmt: skip


def take(given: dict[str, Any], *names: str, needs: str = "") -> dict[str, Any]:
    """Take options of a figure out of those given: the ones that were asked for.

    Parameters
    ----------
    given : dict
    *names : str
    needs : str
        What draws the figure, if it is missing.

    Raises
    ------
    InputError
        If there is no figure.
    """
    found = {name: value for name in names if (value := given.pop(name)) not in (None, False)}
    text = ", ".join(f"--{name.replace('_', '-')}" for name in found)
    refuse_if(needs and found, f"{text}: is for a figure, give {needs}")
    if "title" in found:
        from mcgen.report.figure import check_words

        check_words(found["title"], "--title")
        files.ask(title=found["title"])
    return found


card_argument = click.argument("card", type=CARD)
foreign_option = click.option(
    "--card", type=CARD, help="Experiment for events of another generator (LHE, HepMC, G4DarkBreM)."
)
#: a file, a folder, or several files of one card
files_argument = click.argument("file", type=PATH, nargs=-1, required=True)
mass_option = click.option("--mass", type=ENERGY, help="Mass of S.  [default: the card's]")
workers_option = click.option(
    "--workers", type=click.IntRange(1, 1024), default=THREADS, show_default="all cores",
    help="Threads, processes for a folder; results never depend on it.",
)  # fmt: skip
mediator_option = click.option(
    "--mediator", type=MEDIATOR, help="scalar, pseudoscalar, vector or axial.  [default: the card's]"
)
model_option = click.option(
    "--model",
    type=MODEL,
    help="A, B, or of a vector dark-photon, Lmu-Ltau, with another outgoing lepton flavour, or of a table of widths "
    "table.  [default: the card's]",
)
isotropic_option = flag(
    "--isotropic", "Let vectors and axial vectors decay isotropically, not by the spin density of their production."
)
seed_option = click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), help="Seed of the random numbers.  [default: the card's]"
)
events_option = click.option(
    "--events", type=Count(10**12), help="Number of events, such as 1e6.  [default: the card's]"
)
unit_option = click.option(
    "--unit", type=click.Choice(["GeV", "MeV"]), default="GeV", show_default=True,
    help="Of .csv: GeV as G4DarkBreM reads it, or MeV as its description says.",
)  # fmt: skip
boson_option = click.option(
    "--boson-pdg", type=int,
    help="PDG number of S in the file, such as 622 (LDMX) or 9000005 (MadGraph).  [default: 54, or 55 of spin 1]",
)  # fmt: skip
#: a boson that changes the lepton of the beam
FLAVOUR = "out_lepton", "parity_angle", "flavour_coupling"
flavour_options = several(
    click.option("--out-lepton", type=OUT_LEPTON, help="The outgoing lepton: e, mu or tau.  [default: the card's]"),
    click.option(
        "--parity-angle", type=click.FloatRange(0.0, 90.0),
        help="Of a scalar or a vector, in degrees; at 90 it is a pseudoscalar or an axial vector.  "
        "[default: the card's]",
    ),
    click.option(
        "--flavour-coupling", type=NUMBER,
        help="Coupling that changes the beam's lepton, over g_mu.  [default: the card's, or 1]",
    ),
)  # fmt: skip

#: all options that `Card.with_boson` takes
BOSON = ("mediator", "model", *FLAVOUR, "isotropic")


#: what is generated, and by how many workers
sample_options = several(
    mediator_option, flavour_options, model_option, isotropic_option, events_option, seed_option, workers_option
)
