"""Known limits as records, from `records.toml`: of whom, at which level, of which boson, and what they assume."""

from __future__ import annotations

import functools
import itertools
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from mcgen.base.errors import InputError, choose, refuse_if
from mcgen.base.printed import one_line
from mcgen.physics.boson.couplings import MODELS, MODELS_OF
from mcgen.physics.boson.scalar_decay import Widths

_HERE = Path(__file__).parent
#: largest table
_MAX_BYTES = 5_000_000
#: couplings that tables have: of the muon, of the electron, or epsilon of a dark photon, g_mu = epsilon e
COUPLINGS = ("g_mu", "g_e", "eps")
#: what a table's points are: the end of what is excluded above, an outline of it, or its end above and to the left
SHAPES = ("line", "polygon", "left")
#: branching ratio that a search assumes: that of its boson and model, 1, or that of decays to electrons and muons alone
ASSUMED = ("model", "one", "leptons")


@dataclass(frozen=True, slots=True)
class Record:
    """A published limit, or one that is computed from a card or a shift of a_mu."""

    name: str
    label: str  #: in a figure
    experiment: str
    references: tuple[str, ...]  #: arXiv:..., doi:..., or a journal; the first is that of the limit
    level: str  #: confidence level, as far as the source states it
    mediators: tuple[str, ...]  #: bosons it is of; the first is that of the table
    models: tuple[str, ...]  #: models it is of; the first is that of the table
    quality: str  #: how its numbers were found
    assumes: str
    numbers_from: tuple[str, ...] = ()  #: references of those who collected the numbers of its table
    coupling: str = "g_mu"
    shape: str = "line"
    table: str = ""  #: file of (mass in GeV, coupling)
    card: str = ""  #: computed anew from this one
    shift: tuple[float, float] | None = None  #: a_mu measured minus predicted, and its error
    seen: tuple[str, ...] = ()  #: decays that the search sees, fields of `Widths`; none: no branching ratio enters
    efficiency: tuple[float, float] | None = None  #: lowest, with which a card is computed, and highest of the search
    assumed: str = "model"
    lifetime: bool = False  #: whether other decays move the line in a way that no branching ratio tells
    loops: bool = False  #: whether it rests on kinetic mixing by loops
    collider_gev: float = 0.0  #: energy at which e+ e- -> mu+ mu- X makes it, where other bosons have other rates
    superseded_by: str = ""  #: record that is drawn instead, or a publication without numbers here
    note: str = ""

    def __post_init__(self) -> None:
        where = f"limit {self.name}"
        refuse_if(not (self.references and self.level and self.label), f"{where}: needs label, references and level")
        refuse_if(
            bool(self.table) + bool(self.card) + (self.shift is not None) != 1, f"{where}: needs table, card or shift"
        )
        listed = ((self.mediators, MODELS_OF), (self.models, MODELS), (self.seen, Widths._fields))
        for given, allowed in (*listed, ((self.coupling,), COUPLINGS), ((self.shape,), SHAPES)):
            for one in given:
                choose(one, allowed, where)
        choose(self.assumed, ASSUMED, where)

    @property
    def path(self) -> Path:
        """The file of its table."""
        return _HERE / "tables" / self.table

    @property
    def kind(self) -> str:
        """The boson that its table is of."""
        return f"a {self.mediators[0]} of model {self.models[0]}"

    @property
    def source(self) -> str:
        """Its first reference, short."""
        return self.references[0].removeprefix("arXiv:")


def _record(name: str, given: Mapping[str, Any]) -> Record:
    for key in given:
        choose(key, [field.name for field in fields(Record)], f"limit {name}")
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    return Record(name, **values)


@functools.cache
def records() -> dict[str, Record]:
    """All known limits by their names."""
    found = tomllib.loads((_HERE / "records.toml").read_text(encoding="utf-8"))
    return {name: _record(name, given) for name, given in found.items()}


Points = tuple[tuple[float, float], ...]


@functools.cache
def points(path: Path) -> Points:
    """Masses in GeV and couplings of a table with the header mass_gev,coupling and comments that begin with #.

    Raises
    ------
    InputError
        If the file is no such table, with the line.
    """
    rows = [row for row in enumerate(_text(path).splitlines(), 1) if row[1].strip() and not row[1].startswith("#")]
    refuse_if(
        not rows or rows[0][1].replace(" ", "") != "mass_gev,coupling",
        f"{path}: has no header mass_gev,coupling (masses in GeV, couplings g_mu)",
    )
    found = []
    for number, line in rows[1:]:
        try:
            mass, coupling = map(float, line.split(","))
        except ValueError:
            mass = coupling = math.nan
        wrong = not (0.0 < mass < math.inf and 0.0 < coupling < math.inf)
        refuse_if(wrong, f"{path}, line {number}: '{line.strip()}' is no positive mass in GeV and coupling g_mu")
        found.append((mass, coupling))
    refuse_if(len(found) < 2, f"{path}: has {len(found)} points, a limit needs two")
    return tuple(found)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            text = stream.read(_MAX_BYTES + 1)
        refuse_if(len(text) > _MAX_BYTES, f"{path}: larger than {_MAX_BYTES} bytes")
        return text.decode("utf-8").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: cannot be read ({error})"
        raise InputError(message) from None


@dataclass(frozen=True, slots=True)
class OwnLimit:
    """A user's own limit: a table, drawn as it is."""

    name: str
    label: str
    shape: str
    points: Points

    @classmethod
    def of(cls, path: Path) -> OwnLimit:
        """The limit in a file; comments `# label: ...` and `# shape: polygon` say what it is, else a line."""
        found = points(path)
        said = dict.fromkeys(("label", "shape"), "")
        for line in _text(path).splitlines():
            key, colon, value = line.lstrip("# ").partition(":")
            if line.startswith("#") and colon and key.strip() in said:
                said[key.strip()] = value.strip()
        words = said["shape"] or "line"
        shape = next((one for one in ("polygon", "line") if one in words), "")
        refuse_if(not shape, f"{path}: shape: '{words}' is neither line nor polygon")
        falls = shape == "line" and any(b[0] < a[0] for a, b in itertools.pairwise(found))
        refuse_if(falls, f"{path}: the masses of a line must rise; '# shape: polygon' is an outline")
        return cls(str(path), one_line(said["label"] or path.stem), shape, found)
