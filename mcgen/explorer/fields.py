"""The fields of a page: one for each key of a card that can be moved, from the types that check it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from mcgen.base.errors import InputError
from mcgen.base.units import UNITS, parse_quantity
from mcgen.card.form_factors import allowed
from mcgen.card.keys import GROUP, Key, keys, units_of
from mcgen.card.quantities import LAYER, THICKNESSES
from mcgen.explorer.formulas import name_of
from mcgen.explorer.pairs import OF_DECAYS, OF_MATERIAL, OF_MUONS, SHAPE
from mcgen.explorer.setup import Setup
from mcgen.physics.emission.mediator import MIXES, SPIN_1
from mcgen.physics.matter.materials import MATERIALS

#: keys that a page does not move: names, tables, what is of event files alone, and what a page looks at itself
_LEFT_OUT = {
    "", "scan", "search.bins",
    "beam.spectrum", "beam.profile", "target.layer.fractions", "target.layer.layer", "scalar.widths",
    "scalar.model", "scalar.g_mu", "run.events", "run.form_factor_table",
}  # fmt: skip
#: numbers over orders of magnitude, beside those with a unit
_MANY_ORDERS = ("beam.particles_on_target", "scalar.flavour_coupling", "search.background")
#: dimensions whose numbers go over orders of magnitude
_LOG = ("energy", "length", LAYER, "energy loss", "density", "number density", "luminosity")
#: how far a slider goes to both sides of its value
_AROUND = 30.0
#: energy losses whose tables take minutes: a page shows them where a card has them
_SLOW = ("mulder",)
#: what of the atom is hit
_PROCESSES = ("nuclear", "electron", "all")


@dataclass(frozen=True)
class Field:
    """A field of a page."""

    key: str  #: dotted, in a card
    group: str  #: beam, target, layer 1, collider, detector, search, boson, form factor
    label: str  #: with $...$ for mathematics
    kind: str  #: quantity, number, whole, choice, flag or text
    unit: str = ""  #: of a quantity, in which a slider moves
    units: tuple[str, ...] = ()  #: all that it may have
    low: float | None = None  #: what is allowed, in the unit
    high: float | None = None
    log: bool = False  #: whether a slider is logarithmic
    choices: tuple[str, ...] = ()
    optional: bool = False  #: whether it can be left out
    default: Any = None  #: what counts if it is left out, if that is one value
    meaning: str = ""

    def number(self, value: Any) -> float | None:
        """The number of a value of a card, in the unit; None if it is left out or cannot be told."""
        value = self.default if value is None else value
        if not isinstance(value, str):
            return None if value is None or isinstance(value, bool | list | dict) else float(value)
        words = value.split()
        try:
            if len(words) == 2 and words[1] == self.unit:
                return float(words[0])
            dimension = next(name for name, units in UNITS.items() if self.unit in units)
            return parse_quantity(value, dimension) / UNITS[dimension][self.unit]
        except (ValueError, StopIteration):
            return None

    def value(self, number: float) -> Any:
        """What a card has for a number in the unit."""
        if self.kind == "quantity":
            return f"{float(f'{number:.6g}'):.15g} {self.unit}"
        return round(number) if self.kind == "whole" else float(f"{number:.6g}")

    def slider(self, value: Any) -> tuple[float, float]:
        """Ends of a slider about a value of a card, in the unit."""
        low, high = (0.0 if self.low is None else self.low), (1.0 if self.high is None else self.high)
        number = self.number(value)
        if number is None or (high - low < 400.0 and not self.log):
            return low, min(high, 1e3)
        if self.log and number > 0.0:
            return max(low, number / _AROUND), min(high, number * _AROUND)
        size = max(abs(number), 1.0)
        return max(low, number - 10.0 * size), min(high, number + 10.0 * size)


def _limit(field: dict[str, Any], *names: str) -> float | None:
    return next((float(field[name]) for name in names if name in field), None)


def _field(section: str, key: Key) -> Field:
    """A field of a key; of a quantity in the unit of the example."""
    of = key.field
    whole: dict[str, Any] = {"group": section, "label": name_of(key.name), "meaning": key.meaning}
    place = f"{section}.{key.name}".removeprefix(".")
    whole |= {"optional": key.default != "needed"}
    written = key.default not in ("", "needed")
    default = tomllib.loads(f"value = {key.default}")["value"] if written else None
    low, high = _limit(of, "gt", "ge", "minimum", "exclusiveMinimum"), _limit(of, "le", "maximum", "exclusiveMaximum")
    if "enum" in of:
        return Field(place, **whole, kind="choice", choices=tuple(of["enum"]), default=default)
    if "unit" in of:
        units = tuple(units_of(of["unit"]))
        example = tomllib.loads(f"value = {key.example}")["value"].split()[1]
        default = None if default is None else f"{default} {units[0]}"
        found = Field(place, **whole, kind="quantity", unit=units[0], units=units, low=low, high=high, default=default)
        return in_unit(replace(found, log=of["unit"] in _LOG), example)
    kinds = {"number": "number", "integer": "whole", "boolean": "flag"}
    kind = kinds.get(str(of.get("type")), "text")
    log = place in _MANY_ORDERS
    return Field(place, **whole, kind=kind, low=low, high=high, log=log, default=default)


def in_unit(field: Field, unit: str) -> Field:
    """A field of a quantity whose slider moves in another unit; one that is not known changes nothing."""
    if unit not in field.units or unit == field.unit:
        return field
    if unit in THICKNESSES or field.unit in THICKNESSES:
        return replace(field, unit=unit, low=1e-6, high=1e6)
    factors = next(units for units in UNITS.values() if unit in units)
    scale = factors[field.unit] / factors[unit]
    low, high = (None if end is None else end * scale for end in (field.low, field.high))
    return replace(field, unit=unit, low=low, high=high)


def _fields() -> Iterator[Field]:
    for key in keys():
        section = "target.layer" if key.section == GROUP else key.section
        if not {section, f"{section}.{key.name}"} & _LEFT_OUT:
            yield _field(section, key)


#: every field there is; those of layers stand for each layer
FIELDS: tuple[Field, ...] = tuple(_fields())
_OF_GROUP = ("target.layer.repeat",)


def fields_of(setup: Setup) -> list[Field]:
    """The fields that apply to a set-up, in the order of a card, with the choices that it has.

    Raises
    ------
    InputError
        If its text is not TOML.
    """
    content = setup.content
    found = [_here(field, setup) for field in FIELDS if _applies(field, content)]
    return [_in_its_unit(field, setup) for one in found for field in one]


def _in_its_unit(field: Field, setup: Setup) -> Field:
    value = setup.value(field.key)
    words = value.split() if isinstance(value, str) else []
    return in_unit(field, words[1]) if field.kind == "quantity" and len(words) == 2 else field


def _here(field: Field, setup: Setup) -> list[Field]:
    """A field at its place, one of layers at that of each layer."""
    if not field.key.startswith("target.layer."):
        return [_chosen(field, setup)]
    name = field.key.removeprefix("target.layer.")
    found = []
    for path, number, is_group in _layers(setup.content.get("target", {}), "target", ""):
        if is_group == (field.key in _OF_GROUP):
            group = f"{'group' if is_group else 'layer'} {number}" if number else "target"
            found.append(_chosen(replace(field, key=f"{path}.{name}", group=group), setup))
    return [one for one in found if not _idle_of_layer(one, name, setup)]


def _layers(target: Any, path: str, number: str) -> Iterator[tuple[str, str, bool]]:
    """(place, number, whether it is a group) of every layer; the target itself has no number."""
    if not isinstance(target, dict) or not isinstance(target.get("layer"), list):
        yield path, number, False
        return
    if number:
        yield path, number, True
    for i, layer in enumerate(target["layer"]):
        yield from _layers(layer, f"{path}.layer.{i}", f"{number}.{i + 1}".removeprefix("."))


def _idle_of_layer(field: Field, name: str, setup: Setup) -> bool:
    """Whether a number of a layer says nothing: those of a material are shown where the card has them."""
    if name == "active":
        return bool(setup.value("detector.signature") == "missing-energy")
    return name in OF_MATERIAL and setup.value(field.key) is None


def _applies(field: Field, content: dict[str, Any]) -> bool:
    section, _, name = field.key.partition(".")
    collides = "collider" in content
    if section in ("beam", "target", "run"):
        return not collides
    if section == "collider":
        return collides
    if section == "detector":
        return _of_detector(name, content.get("detector", {}), collides)
    return section != "scalar" or _of_boson(name, content.get("scalar", {}), collides)


def _of_detector(name: str, detector: dict[str, Any], collides: bool) -> bool:
    if collides:
        return name in ("r_min", "r_max", "angle_min", "angle_max")
    if name in OF_DECAYS and detector.get("signature") != "displaced":
        return False
    return bool(detector.get("geometry") == "3d") if name in SHAPE else not name.startswith(("r_m", "angle_"))


def _of_boson(name: str, scalar: dict[str, Any], collides: bool) -> bool:
    mediator = scalar.get("mediator", "scalar")
    needs: dict[str, bool] = {
        "parity_angle": mediator in MIXES,
        "flavour_coupling": "out_lepton" in scalar,
        "out_lepton": not collides,
        "width": "widths" not in scalar,
        "invisible": "widths" not in scalar,
        "decay_law": mediator in SPIN_1,
    }
    return needs.get(name, True)


def _form_factors(field: Field, setup: Setup) -> tuple[str, ...]:
    process = str(setup.value("target.process") or "nuclear")
    found = []
    for name in field.choices:
        try:
            allowed(name, process)
        except InputError:
            continue
        if name != "table" or setup.value("run.form_factor_table"):
            found.append(name)
    return tuple(found)


def _losses(field: Field, setup: Setup) -> tuple[str, ...]:
    electrons = str(setup.value("beam.particle")).startswith("e")
    idle = {*(OF_MUONS if electrons else ["shower"]), *_SLOW} - {setup.value(field.key)}
    return tuple(name for name in field.choices if name not in idle)


def _materials(field: Field, setup: Setup) -> tuple[str, ...]:
    own, alone = setup.value(field.key), field.key == "target.material"
    known = [name for name in MATERIALS if not (alone and name == "vacuum")]
    return tuple(dict.fromkeys([*known, *([own] if isinstance(own, str) else [])]))


def _processes(field: Field, setup: Setup) -> tuple[str, ...]:  # noqa: ARG001
    electrons = str(setup.value("beam.particle")).startswith("e")
    return _PROCESSES[:1] if electrons else _PROCESSES


#: end of a key -> the choices that a set-up has
_CHOICES: dict[str, Callable[[Field, Setup], tuple[str, ...]]] = {
    "run.form_factor": _form_factors,
    "target.energy_loss": _losses,
    "target.process": _processes,
    "material": _materials,
    "detector.geometry": lambda field, _: tuple(name for name in field.choices if name != "barrel"),
    "scalar.out_lepton": lambda field, setup: tuple(
        name for name in field.choices if name != str(setup.value("beam.particle") or "mu+")[:-1]
    ),
}


def _chosen(field: Field, setup: Setup) -> Field:
    """A field with the choices that there are."""
    name = field.key if field.key in _CHOICES else field.key.rpartition(".")[2]
    of = _CHOICES.get(name)
    return replace(field, kind="choice", choices=of(field, setup)) if of else field
