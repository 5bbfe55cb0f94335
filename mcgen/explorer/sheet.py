"""Fields as a browser has them: texts, positions of sliders, and back to values of a card."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mcgen.base.errors import InputError, refuse_if
from mcgen.base.units import UNITS, parse_quantity, quantity_text
from mcgen.card.card import parse_card
from mcgen.explorer.fields import Field, fields_of
from mcgen.explorer.formulas import words
from mcgen.explorer.setup import GROUPS, Setup
from mcgen.physics.emission.cross_section import METHODS
from mcgen.report.plane import AXES

#: names of the groups that are no part of a card
PLACE, FIGURE = "marked place", "figure"
#: no known limits
NONE = "none"
#: letters of a text that are read
_LONGEST = 100_000

_MASS: dict[str, Any] = {
    "kind": "quantity",
    "unit": "MeV",
    "units": tuple(UNITS["energy"]),
    "low": 1e-9,
    "high": 1e9,
    "log": True,
}
_COUPLING: dict[str, Any] = {"kind": "number", "log": True, "low": 1e-12, "high": 1e3}
#: fields of what is looked at
LOOK = (
    Field("look.models", FIGURE, "models", "several", meaning="whose contours are drawn"),
    Field("look.start", FIGURE, "lowest mass", meaning="of the contour", **_MASS),
    Field("look.stop", FIGURE, "highest mass", meaning="of the contour", **_MASS),
    Field("look.number", FIGURE, "number of masses", "whole", low=2, high=60, meaning="in equal ratios"),
    Field("look.limits", FIGURE, "known limits", "choice", choices=(NONE, *GROUPS), meaning="beside the contour"),
    Field("look.production", FIGURE, "production", "choice", choices=METHODS, meaning="exact, or an approximation"),
    Field("look.axis", FIGURE, "axis", "choice", choices=AXES, meaning="the usual coupling of the boson, or g_mu"),
    Field("look.g_start", FIGURE, "lowest $g_\\mu$", meaning="of the map of signal events", **_COUPLING),
    Field("look.g_stop", FIGURE, "highest $g_\\mu$", meaning="of the map of signal events", **_COUPLING),
    Field("look.model", PLACE, "model", "choice", meaning="of the marked place, of the axis and of the map"),
    Field("look.m_S", PLACE, "mass $m_S$", meaning="of the marked place", **_MASS),
    Field("look.g_mu", PLACE, "coupling $g_\\mu$", meaning="of the marked place", **_COUPLING),
)  # fmt: skip


def sheet(setup: Setup) -> list[Field]:
    """All fields of a page for a set-up."""
    models: tuple[str, ...] = setup.look.models
    with contextlib.suppress(InputError):
        models = tuple(parse_card(setup.text).scalar.models)
    looks = [replace(one, choices=models) if one.key in ("look.model", "look.models") else one for one in LOOK]
    figure, place = ([one for one in looks if one.group == group] for group in (FIGURE, PLACE))
    with contextlib.suppress(InputError):  # of a text that is no TOML there are none
        return [*fields_of(setup), *figure, *place]
    return [*figure, *place]


def ends_of(field: Field, value: Any, before: tuple[float, float] | None = None) -> tuple[float, float] | None:
    """Ends of a slider in the unit of its field: those it had, as long as they hold the value; None without slider."""
    if field.kind not in ("quantity", "number", "whole") or field.low is None or field.high is None:
        return None
    number = field.number(_written(field, value))
    if before and number is not None and before[0] <= number <= before[1]:
        return before
    low, high = field.slider(_written(field, value))
    return (low or 1e-4 * high, high) if field.log else (low, high)


def described(field: Field, ends: tuple[float, float] | None) -> dict[str, Any]:
    """A field for the browser."""
    default = "" if field.default is None or isinstance(field.default, bool) else str(field.default)
    low, high = ends or (None, None)
    return {
        "key": field.key, "group": field.group, "label": words(field.label), "kind": field.kind, "unit": field.unit,
        "low": low, "high": high, "log": field.log, "zero": field.low == 0.0, "meaning": field.meaning,
        "placeholder": default,
        "choices": [*([""] if field.optional and field.default is None and field.choices else []), *field.choices],
    }  # fmt: skip


def _written(field: Field, value: Any) -> Any:
    """A value as a card has it; masses of what is looked at are numbers in GeV."""
    is_mass = field.key.startswith("look.") and field.kind == "quantity" and value is not None
    return quantity_text(value, "energy") if is_mass else value


def shown(field: Field, value: Any) -> dict[str, Any]:
    """Text, position in the unit, and state of a field for the browser."""
    given = field.default if value is None else value
    if field.kind == "several":
        return {"text": "", "number": None, "several": [str(one) for one in value or ()]}
    if field.key == "look.limits":
        return {"text": value[0] if value else NONE, "number": None}
    if field.kind == "flag":
        return {"text": "", "number": None, "flag": given is True}
    if field.kind == "choice":
        return {"text": "" if given is None else str(given), "number": None}
    written = _written(field, value)
    text = "" if written is None else f"{written:.6g}" if isinstance(written, float) else str(written)
    numeric = field.kind in ("quantity", "number", "whole")
    return {"text": text, "number": field.number(written) if numeric and not isinstance(written, list) else None}


def read(field: Field, message: Mapping[str, Any]) -> Any:
    """The value that a browser asks for, as a card or a look has it; None leaves the key out.

    Parameters
    ----------
    field : Field
    message : mapping
        With one of `text`, `position` (of a slider, in the unit of the field), `flag` and `several`.

    Raises
    ------
    InputError
        If it cannot stand where it shall.
    """
    if "several" in message:
        names = message["several"]
        refuse_if(not isinstance(names, list) or not all(isinstance(one, str) for one in names), "give a list of names")
        return tuple(names)
    if "flag" in message:
        return bool(message["flag"])
    if "position" in message:
        position = message["position"]
        refuse_if(not isinstance(position, int | float) or not math.isfinite(position), "give a number")
        value = field.value(float(f"{position:.3g}"))
        return parse_quantity(value, "energy") if isinstance(value, str) and field.key.startswith("look.") else value
    text = str(message.get("text", "")).strip()
    refuse_if(len(text) > _LONGEST, f"longer than {_LONGEST} letters")
    if field.key == "look.limits":
        return () if text in ("", NONE) else (text,)
    if field.kind == "choice":
        return text or None
    value = _plain(text)
    is_number = isinstance(value, int | float)
    if field.key.startswith("look."):
        if field.kind == "quantity":
            return parse_quantity(f"{text} {field.unit}" if is_number else text, "energy")
        whole = field.kind == "whole"
        refuse_if(not isinstance(value, int if whole else int | float), f"'{text[:60]}' is no {'whole ' * whole}number")
        return value if whole else float(value)
    if not text:
        return None
    if field.kind == "quantity":
        return f"{text} {field.unit}" if is_number else text
    return value


def _plain(text: str) -> Any:
    """A number if a text is one, a list of them if it is one, else the text."""
    if text.startswith("[") and text.endswith("]"):
        return [_plain(one.strip()) for one in text[1:-1].split(",") if one.strip()]
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text
