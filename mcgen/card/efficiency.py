"""How well a search sees what counts: a table of one or two variables, or a correction of the package correctionlib.

Inside a card an efficiency is a text: the lines of a table, or the JSON document of one correction.
"""

from __future__ import annotations

import functools
import gzip
import itertools
import json
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from mcgen.base.arrays import Array
from mcgen.base.errors import InputError, choose, refuse_if
from mcgen.base.extras import optional
from mcgen.base.files import policy, read_text
from mcgen.card.beam_profile import parse_rows, split_header
from mcgen.card.quantities import EnergyList, Section, about
from mcgen.card.search_bins import BINNED

#: largest file of an efficiency in bytes, packed or not
MAX_BYTES = 1_000_000
#: z in cm where S decays
DEPTH = "decay_z_cm"
#: energies of both daughters
DAUGHTERS = ("d1_E_gev", "d2_E_gev", "d_min_E_gev", "d_max_E_gev")
#: straight pieces of a formula in the place of a decay: if it depends on nothing else, and if it does
PIECES = (512, 64)
#: most points at which a correction is tried before it is used
_TRIALS = 100_000
#: none that are added
NO_KNOTS = (np.empty(0), np.empty(0))
_JSON = re.compile(r"(.+\.json(?:\.gz)?)(?::(.+))?")

#: from where to where each variable counts
Ranges = Mapping[str, tuple[float, float]]


class Pieces(NamedTuple):
    """Efficiency against z where S decays, straight between common knots, of bosons one by one."""

    knots: Array  #: z in cm, rising, the same one twice for a step
    values: Array  #: shape (rows, knots)
    row: NDArray[np.int64]  #: of each boson, shape (n,)
    part: Array  #: share of the next row, shape (n,)


@dataclass(frozen=True, eq=False)
class Table:
    """Efficiency on a grid of one variable or of two, straight in each of them; at and beyond its ends constant."""

    names: tuple[str, ...]
    axes: tuple[Array, ...]
    values: Array  #: one dimension for each variable

    def at(self, *where: Array) -> Array:
        """Efficiency at values of the variables, in the order of their names."""
        if len(where) == 1:
            return np.asarray(np.interp(where[0], self.axes[0], self.values))
        (i, p), (j, q) = (_cell(axis, at) for axis, at in zip(self.axes, where, strict=True))
        v = self.values
        low, high = v[i, j] + q * (v[i, j + 1] - v[i, j]), v[i + 1, j] + q * (v[i + 1, j + 1] - v[i + 1, j])
        return np.asarray(low + p * (high - low))

    def breaks(self, name: str) -> list[float]:
        """Values of a variable where the efficiency bends."""
        found = [axis for one, axis in zip(self.names, self.axes, strict=True) if one == name]
        return sorted(set(found[0].tolist())) if found else []

    def check_covers(self, ranges: Ranges) -> None:
        """Raise InputError unless the table reaches as far as what counts, or ends with efficiency 0."""
        for n, (name, axis) in enumerate(zip(self.names, self.axes, strict=True)):
            low, high = ranges[name]
            near = 1e-9 * max(abs(low), abs(high))
            first, last = (np.any(self.values.take(at, axis=n) != 0.0) for at in (0, -1))
            short = high > low and ((first and axis[0] > low + near) or (last and axis[-1] < high - near))
            message = (
                f"search.efficiency: {name} is given from {axis[0]:g} to {axis[-1]:g}, and from {low:g} to {high:g} "
                "counts; give the rest, or end with efficiency 0"
            )
            refuse_if(short, message)

    def support(self, name: str) -> tuple[float, float]:
        """Between which values of a variable it is above 0; what it ends with holds beyond."""
        n = self.names.index(name)
        axis = self.axes[n]
        some = np.flatnonzero(self.values.any(axis=tuple(i for i in range(self.values.ndim) if i != n)))
        if not some.size:
            return math.inf, -math.inf
        first, last = int(some[0]), int(some[-1])
        low = -math.inf if first == 0 else float(axis[first - 1])
        return low, math.inf if last == axis.size - 1 else float(axis[last + 1])

    def in_depth(self, others: Sequence[Array], size: int, *_: Any) -> Pieces:
        """Efficiency against z of bosons with some values of the other variables."""
        none = np.zeros(size, np.int64), np.zeros(size)
        depth = self.names.index(DEPTH)
        if not others:
            return Pieces(self.axes[depth], self.values[None], *none)
        row, part = _cell(self.axes[1 - depth], others[0])
        values = np.ascontiguousarray(self.values if depth == 1 else self.values.T)
        return Pieces(self.axes[depth], values, row, part)


def _cell(axis: Array, at: Array) -> tuple[Any, Array]:
    """In which cell of a grid numbers lie, and how far in it, those outside at its end."""
    i = np.clip(np.searchsorted(axis, at, side="right") - 1, 0, axis.size - 2)
    return i, np.clip((at - axis[i]) / (axis[i + 1] - axis[i]), 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Correction:
    """A correction of correctionlib, whose inputs are variables."""

    names: tuple[str, ...]
    name: str
    text: str
    edges: Mapping[str, list[float]]  #: of bins, by variable
    has_formula: bool = False

    @functools.cached_property
    def _evaluator(self) -> Any:
        library = optional("correctionlib", "search.efficiency of a JSON document", "limits")
        try:
            return library.CorrectionSet.from_string(self.text)[self.name]
        except Exception as error:
            message = f"search.efficiency: correctionlib cannot read it: {_line(error)}"
            raise InputError(message) from None

    def check(self) -> None:
        """Raise InputError unless correctionlib can read it."""
        _ = self._evaluator

    def at(self, *where: Array) -> Array:
        """Efficiency at values of the variables, in the order of their names."""
        columns = [np.ascontiguousarray(column, dtype=float) for column in np.broadcast_arrays(*where)]
        try:
            found = np.asarray(self._evaluator.evaluate(*(column.ravel() for column in columns)))
        except (RuntimeError, IndexError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            message = f"search.efficiency: correction {self.name} does not cover what counts: {_line(error)}"
            raise InputError(message) from None
        wrong = ~((found >= 0.0) & (found <= 1.0))
        if wrong.any():
            i = int(np.argmax(wrong))
            at = ", ".join(f"{name} = {column.ravel()[i]:g}" for name, column in zip(self.names, columns, strict=True))
            message = f"search.efficiency: correction {self.name} is {found[i]:g} at {at}, and must lie in 0..1"
            raise InputError(message)
        return found.reshape(columns[0].shape)

    def breaks(self, name: str) -> list[float]:
        """Edges of bins of a variable."""
        return self.edges.get(name, [])

    def check_covers(self, ranges: Ranges) -> None:
        """Raise InputError unless it gives efficiencies at each end, on both sides of its edges and between them."""
        if any(high <= low for low, high in (ranges[name] for name in self.names)):  # nothing counts
            return
        each = []
        for name in self.names:
            low, high = ranges[name]
            inside = [edge for edge in self.breaks(name) if low < edge < high]
            ends = np.array([low, *inside, high])
            width = np.diff(ends)
            points = [ends[:-1] + share * width for share in (1e-9, 0.5, 1.0 - 1e-9)]
            each.append(np.unique(np.concatenate(points)))
        most = max(3, int(_TRIALS ** (1.0 / len(each))))
        some = [at[np.unique(np.linspace(0, at.size - 1, most).astype(int))] if at.size > most else at for at in each]
        self.at(*np.meshgrid(*some, indexing="ij"))

    def knots(self, decays: tuple[float, float]) -> tuple[Array, Array]:
        """Places of decays in cm between which it is straight enough if it is smooth, and where its value is taken.

        A formula has `PIECES` between two edges; an edge is there twice, its first one for the bin below it.
        """
        low, high = decays
        ends = [low, *(edge for edge in self.breaks(DEPTH) if low < edge < high), high]
        pieces = PIECES[min(1, len(self.names) - 1)] if self.has_formula else 1
        knots, inside = [], []
        for first, last in itertools.pairwise(ends):
            at = np.linspace(first, last, pieces + 1)
            knots.append(at)
            inside.append(np.append(at[:-1], np.nextafter(last, first)))  # an edge belongs to the bin above it
        return np.concatenate(knots), np.concatenate(inside)

    def in_depth(
        self, others: Sequence[Array], size: int, decays: tuple[float, float], more: tuple[Array, Array] = NO_KNOTS
    ) -> Pieces:
        """Efficiency against z, between two of them in cm, of bosons with some values of the other variables.

        `more` is added to its `knots`.
        """
        knots, inside = (np.concatenate(pair) for pair in zip(self.knots(decays), more, strict=True))
        order = np.lexsort((inside, knots))
        z = inside[order]
        columns = iter(others)
        where = [z[None] if name == DEPTH else next(columns)[:, None] for name in self.names]
        values = np.atleast_2d(self.at(*where))
        row = np.arange(size) if others else np.zeros(size, np.int64)
        return Pieces(knots[order], values, row, np.zeros(size))


Efficiency = Table | Correction


def _line(error: object) -> str:
    return " ".join(str(error).split())[:200]


def is_name(text: str) -> bool:
    """Whether a text is the name of a file, and not an efficiency itself."""
    return "\n" not in text and not text.startswith("{")


@functools.lru_cache(maxsize=16)
def parse_efficiency(text: str, where: str = "table") -> Efficiency:
    """An efficiency from its text.

    Parameters
    ----------
    text : str
        Lines of numbers parted by commas, of which the first names the columns, or a JSON document.
    where : str
        Names it in errors.

    Raises
    ------
    InputError
        For unknown variables, efficiencies outside 0..1, and points that are no grid.
    """
    return _correction(text, where) if text.startswith("{") else _table(text, where)


def _table(text: str, where: str) -> Table:
    header, rest = split_header(text)
    *names, last = header.split(",")
    needs = f"{where}: needs the header S_E_gev,efficiency, or one or two other variables before efficiency"
    numbered = bool(names) and names[0] in ("", "Unnamed:0")
    refuse_if(
        numbered,
        f"{where}: its first column has row numbers, leave it out: row.names=FALSE in R, index=False in pandas",
    )
    refuse_if(last != "efficiency" or not 1 <= len(names) <= 2 or len(set(names)) < len(names), needs)
    for name in names:
        choose(name, BINNED, f"{where}: column")
    *columns, values = parse_rows(rest, header, where).T
    wrong = np.flatnonzero((values < 0.0) | (values > 1.0))
    if wrong.size:
        message = f"{where}: row {wrong[0] + 1}: efficiency {values[wrong[0]]:g} must lie in 0..1"
        raise InputError(message)
    if len(names) == 1:
        (axis,) = columns
        refuse_if(axis.size < 2, f"{where}: needs two rows at least")
        steps = np.diff(axis)
        refuse_if(np.any(steps < 0.0), f"{where}: {names[0]} must increase")
        refuse_if(np.any((steps[1:] == 0.0) & (steps[:-1] == 0.0)), f"{where}: a step has two rows at one {names[0]}")
        return Table(tuple(names), (axis,), values)
    axes, places = zip(*(np.unique(column, return_inverse=True) for column in columns), strict=True)
    shape = axes[0].size, axes[1].size
    grid = np.full(shape, np.nan)
    grid[places] = values
    full = values.size == grid.size and not np.isnan(grid).any() and min(shape) > 1
    message = f"{where}: needs a full grid, each of {shape[0]} {names[0]} with each of {shape[1]} {names[1]} once"
    refuse_if(not full, message + ("" if min(shape) > 1 else ", and two of each at least"))
    return Table(tuple(names), axes, grid)


def _document(text: str, where: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
        corrections = content["corrections"]
        refuse_if(content["schema_version"] != 2 or not corrections, f"{where}: needs corrections of schema version 2")
        for one in corrections:
            _ = one["name"] + "", [given["name"] + given["type"] for given in one["inputs"]], one["data"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        message = f"{where}: is no document of correctionlib with schema_version 2 and corrections"
        raise InputError(message) from None
    return dict(content)


def _correction(text: str, where: str) -> Correction:
    corrections = _document(text, where)["corrections"]
    refuse_if(len(corrections) > 1, f"{where}: has {len(corrections)} corrections, and one is used")
    (one,) = corrections
    names = tuple(given["name"] for given in one["inputs"])
    for given in one["inputs"]:
        choose(given["name"], BINNED, f"{where}: correction {one['name']}: input")
        refuse_if(given["type"] != "real", f"{where}: input {given['name']} is {given['type']}, and must be real")
    refuse_if(not names, f"{where}: correction {one['name']} has no input")
    edges: dict[str, list[float]] = {}
    kinds: set[str] = set()
    try:
        _walk(one["data"], edges, kinds)
    except (ValueError, KeyError, TypeError, RecursionError):
        message = f"{where}: correction {one['name']} has bins without edges"
        raise InputError(message) from None
    refuse_if("hashprng" in kinds, f"{where}: correction {one['name']} draws random numbers, and must be a function")
    of = {name: sorted({*values}) for name, values in edges.items()}
    return Correction(names, one["name"], text, of, bool(kinds - {"binning", "multibinning"}))


def _walk(node: Any, edges: dict[str, list[float]], kinds: set[str]) -> None:
    """Edges of bins by input, and kinds of nodes, of a node and all below it."""
    if isinstance(node, list):
        for part in node:
            _walk(part, edges, kinds)
    if not isinstance(node, dict):
        return
    kind = str(node.get("nodetype", ""))
    kinds.update({kind} - {""})
    if kind == "binning":
        edges.setdefault(str(node.get("input")), []).extend(_edges(node.get("edges")))
    elif kind == "multibinning":
        for name, bounds in zip(node.get("inputs", []), node.get("edges", []), strict=False):
            edges.setdefault(str(name), []).extend(_edges(bounds))
    for part in node.values():
        _walk(part, edges, kinds)


def _edges(bounds: Any) -> list[float]:
    if isinstance(bounds, dict):
        refuse_if(bounds["n"] > MAX_BYTES, "more bins than a file can have")
        return [float(edge) for edge in np.linspace(bounds["low"], bounds["high"], int(bounds["n"]) + 1)]
    numbers = (float(edge) for edge in bounds or [])
    return [edge for edge in numbers if math.isfinite(edge)]


def read_efficiency(path: Path) -> str:
    """Text of a file, checked: a table, or FILE.json or FILE.json:NAME with a correction of correctionlib."""
    match = _JSON.fullmatch(str(path))
    if match is None:
        text = read_text(path, "search.efficiency", MAX_BYTES)
        refuse_if(is_name(text), f"search.efficiency {path}: needs a header and lines of numbers")
        parse_efficiency(text, f"search.efficiency {path}")
        return text
    where = f"search.efficiency {match[1]}"
    read = _unpacked if match[1].endswith(".gz") else _plain
    document = _document(read(Path(match[1])), where)
    corrections = {one["name"]: one for one in document["corrections"]}
    several = f"{where}: has several corrections, take one as FILE:NAME ({', '.join(corrections)})"
    refuse_if(match[2] is None and len(corrections) > 1, several)
    chosen = choose(match[2], corrections, f"{where}: correction") if match[2] else next(iter(corrections))
    text = _checked({"schema_version": 2, "corrections": [corrections[chosen]]}, where)
    found = parse_efficiency(text, where)
    assert isinstance(found, Correction)
    found.check()
    return text


def _checked(document: Mapping[str, Any], where: str) -> str:
    """Text of a document as correctionlib writes it, edges and contents with a decimal point."""
    schema = optional("correctionlib.schemav2", f"{where}: a JSON document", "limits")
    try:
        return str(schema.CorrectionSet.model_validate(document).model_dump_json(exclude_unset=True))
    except ValidationError as error:
        fault = max(error.errors(), key=lambda one: len(one["loc"]))
        place = ".".join(str(part) for part in fault["loc"] if str(part).isidentifier() or isinstance(part, int))
        message = f"{where}: is no document of correctionlib, {place}: {_line(fault['msg'])}"
        raise InputError(message) from None


def _plain(path: Path) -> str:
    return read_text(path, "search.efficiency", MAX_BYTES)


def _unpacked(path: Path) -> str:
    """Text of a packed file."""
    where = f"search.efficiency {path}"
    try:
        with gzip.open(path, "rb") as stream:
            content = stream.read(MAX_BYTES + 1)
            refuse_if(len(content) > MAX_BYTES, f"{where}: larger than {MAX_BYTES} bytes")
            policy().inputs.append(path)
            return content.decode()
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        message = f"{where}: {getattr(error, 'strerror', None) or 'not a packed text'}"
        raise InputError(message) from None


Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Curve(Section):
    """Efficiency against the energy of S as cards of before had it: straight between points, constant outside."""

    energy: Annotated[EnergyList, about("energies of S, increasing", "1 GeV, 10 GeV")]
    efficiency: Annotated[
        list[Share], Field(min_length=2, max_length=10_000), about("efficiency at each energy", [0.0, 0.9])
    ]

    @model_validator(mode="after")
    def _matching(self) -> Curve:
        if len(self.energy) != len(self.efficiency):
            message = f"{len(self.energy)} energies need as many efficiencies, not {len(self.efficiency)}"
            raise InputError(message)
        refuse_if(any(b <= a for a, b in zip(self.energy, self.energy[1:], strict=False)), "energies must increase")
        return self

    @property
    def text(self) -> str:
        """The table that says the same, from 0 to the highest energy of any beam."""
        rows = [(0.0, self.efficiency[0]), *zip(self.energy, self.efficiency, strict=True)]
        rows += [(1e6, self.efficiency[-1])] if self.energy[-1] < 1e6 else []
        return "\n".join(["S_E_gev,efficiency", *(f"{E!r},{share!r}" for E, share in rows)]) + "\n"


def checked(text: str) -> str:
    """The text of an efficiency, if it is one; of a file's name there is nothing to check here."""
    refuse_if(is_name(text), "a file can be named in a card only, not in an event file")
    parse_efficiency(text)
    return text


def check_use(text: str, signature: str, collides: bool) -> None:
    """Raise InputError if an efficiency depends on what the detector of a card has not.

    Parameters
    ----------
    text : str
    signature : {"displaced", "missing-energy"}
        Of the detector.
    collides : bool
        Whether beams collide.
    """
    names = parse_efficiency(text).names
    others = ", ".join(name for name in names if name != "S_E_gev")
    refuse_if(collides and others, f"search.efficiency: of a collider depends on S_E_gev alone, not on {others}")
    decays = ", ".join(name for name in names if name in (DEPTH, *DAUGHTERS))
    message = f'search.efficiency: {decays} is of a decay that is seen, and with signature "missing-energy" none is'
    refuse_if(signature == "missing-energy" and decays, message)
