"""Every key of a card: what it means, its unit, its default and an example, from the types that check it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from mcgen.base.units import UNITS
from mcgen.card.card import Card
from mcgen.card.quantities import LAYER, THICKNESSES
from mcgen.card.target import TransportOptions

#: the section of layers that are repeated
GROUP = "target.layer, repeated"
#: table of a card -> its definition in the schema, in the order of the page
SECTIONS = {
    "beam": "Beam",
    "target": "TransportOptions",
    "target.layer": "Layer",
    GROUP: "Group",
    "collider": "Collider",
    "detector": "Detector",
    "search": "SearchOptions",
    "search.bins": "Bins",
    "scalar": "Scalar",
    "scan": "Scan",
    "run": "Run",
}


class Key(NamedTuple):
    """One key of a card."""

    section: str  #: empty for the top of the card
    name: str
    kind: str  #: unit, or what is allowed
    default: str  #: as in a card; "needed" if there is none, empty if nothing is the default
    meaning: str
    example: str  #: as in a card
    field: dict[str, Any]  #: of the schema: type, limits, enum, unit


#: dimension -> its units
_UNITS = {dimension: list(units) for dimension, units in UNITS.items()}
_UNITS[LAYER] = [*_UNITS["length"], *THICKNESSES]


def _toml(value: Any) -> str:
    """A value as in a card."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(v)}" for key, v in value.items()) + "}"
    return f"{value:g}" if isinstance(value, float) else json.dumps(value)


def _limits(field: dict[str, Any]) -> str:
    low = [f"from {field['minimum']:g}"] if "minimum" in field else []
    low += [f"above {field['exclusiveMinimum']:g}"] if "exclusiveMinimum" in field else []
    high = [f"to {field['maximum']:g}"] if "maximum" in field else []
    high += [f"below {field['exclusiveMaximum']:g}"] if "exclusiveMaximum" in field else []
    return " ".join([field["type"], *low, *high])


def _plain(field: dict[str, Any]) -> dict[str, Any]:
    """A field of the schema with the first kind of value that it may have."""
    if "enum" in field or "unit" in field:
        return field
    kinds = [
        part
        for part in [*field.get("anyOf", []), *field.get("oneOf", [])]
        if part != {"type": "null"} and "$ref" not in part
    ]
    return _plain(kinds[0]) if kinds else field


def units_of(dimension: str) -> list[str]:
    """Units that a number with a unit may have, of a dimension as the schema calls it."""
    return _UNITS[dimension]


def _kind(field: dict[str, Any]) -> str:
    """Unit or type of a key."""
    field = _plain(field)
    if "enum" in field:
        return ", ".join(map(str, field["enum"]))
    if "unit" in field:
        return f"{field['unit']}: {', '.join(_UNITS[field['unit']])}"
    if field.get("type") in ("number", "integer"):
        return _limits(field)
    if field.get("type") == "array" and "$ref" not in field["items"]:
        return f"list of {_kind(field['items'])}"
    kinds_of_json = {"string": "text", "boolean": "true, false", "object": "table", "array": "list of tables"}
    return kinds_of_json.get(field.get("type", "object"), "")


def _of(section: str, definition: dict[str, Any]) -> Iterator[Key]:
    needed = [*definition.get("required", []), *(definition["anyOf"][0]["required"] if "anyOf" in definition else [])]
    for name, field in definition["properties"].items():
        if "description" not in field or name == "muons":  # a section, or an older name
            continue
        known = field.get("default")
        default = "needed" if name in needed else "" if known is None else _toml(known)
        example = _toml(field["examples"][0]) if "examples" in field else ""
        yield Key(section, name, _kind(field), default, field["description"], example, _plain(field))


def keys() -> list[Key]:
    """All keys, section by section."""
    schema = Card.model_json_schema()
    definitions = schema["$defs"] | {"TransportOptions": TransportOptions.model_json_schema()}
    found = list(_of("", schema))
    for section, name in SECTIONS.items():
        found += _of(section, definitions[name])
    return found


def _heading(section: str) -> str:
    if not section:
        return "At the top"
    if section == "target.layer":
        return "`[[target.layer]]`, or `[target]` itself if there is one layer"
    return "`[[target.layer]]` with `[[target.layer.layer]]`, a group" if section == GROUP else f"`[{section}]`"


def schema(*, markdown: bool = False) -> Any:
    """Every key of a card with its unit, meaning, default and an example.

    Parameters
    ----------
    markdown : bool
        As a page instead of a JSON schema.

    Returns
    -------
    dict or str
    """
    return page() if markdown else Card.model_json_schema()


def page() -> str:
    """A page with a table for each section."""
    lines = ["# Keys of a card", "", 'Cards are TOML. A number with a unit is a text, such as `"3 GeV"`.']
    for section, rows in itertools.groupby(keys(), lambda key: key.section):
        lines += ["", f"## {_heading(section)}", ""]
        lines += ["| key | meaning | unit, or what is allowed | default | example |", "|---|---|---|---|---|"]
        for key in rows:
            default = key.default if key.default in ("", "needed") else f"`{key.default}`"
            example = f"`{key.name} = {key.example}`" if key.example else ""
            lines.append(f"| `{key.name}` | {key.meaning} | {key.kind} | {default} | {example} |")
    return "\n".join(lines) + "\n"
