"""Fields as a browser has them: texts, positions of sliders, and back to values of a card."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from mcgen.base.errors import InputError, refuse_if
from mcgen.base.units import UNITS, parse_quantity, quantity_text
from mcgen.card.card import parse_card
from mcgen.explore.fields import Field, fields_of
from mcgen.explore.setup import GROUPS, Setup
from mcgen.physics.emission.cross_section import METHODS
from mcgen.report.plane import AXES

#: names of the groups that are no part of a card
PLACE, FIGURE = "marked place", "figure"
#: no known limits
NONE = "none"
#: letters of a text that are read
_LONGEST = 100_000

_MASS = {"kind": "quantity", "unit": "MeV", "log": True}
_COUPLING = {"kind": "number", "log": True, "low": 1e-8, "high": 1.0}
#: fields of what is looked at
LOOK = (
    Field("look.model", PLACE, "model", "choice", meaning="of the marked place, of the axis and of the map"),
    Field("look.m_S", PLACE, "mass of S", low=1e-3, high=10.0, meaning="of the marked place", **_MASS),
    Field("look.g_mu", PLACE, "coupling g_mu", meaning="of the marked place", **_COUPLING),
    Field("look.models", FIGURE, "models", "several", meaning="whose contours are drawn"),
    Field("look.start", FIGURE, "lowest mass", low=1e-4, high=10.0, meaning="of the contour", **_MASS),
    Field("look.stop", FIGURE, "highest mass", low=1e-3, high=100.0, meaning="of the contour", **_MASS),
    Field("look.number", FIGURE, "number of masses", "number", low=2, high=60, meaning="in equal ratios"),
    Field("look.limits", FIGURE, "known limits", "choice", choices=(NONE, *GROUPS), meaning="drawn beside the contour"),
    Field("look.production", FIGURE, "production", "choice", choices=METHODS, meaning="exact, or an approximation"),
    Field("look.axis", FIGURE, "coupling of the axis", "choice", choices=AXES, meaning="the usual one of the boson, or g_mu"),
    Field("look.g_start", FIGURE, "lowest g_mu of the map", meaning="of the map of signal events", **_COUPLING),
    Field("look.g_stop", FIGURE, "highest g_mu of the map", meaning="of the map of signal events", **_COUPLING),
)  # fmt: skip


def sheet(setup: Setup) -> list[Field]:
    """All fields of a page for a set-up."""
    models: tuple[str, ...] = setup.look.models
    with contextlib.suppress(InputError):
        models = tuple(parse_card(setup.text).scalar.models)
    looks = [replace(one, choices=models) if one.key in ("look.model", "look.models") else one for one in LOOK]
    place, figure = ([one for one in looks if one.group == group] for group in (PLACE, FIGURE))
    return [*figure, *fields_of(setup), *place]


def described(field: Field) -> dict[str, Any]:
    """A field for the browser."""
    words = asdict(field)
    default = "" if field.default is None else str(field.default)
    placeholder = default if not isinstance(field.default, bool) else ""
    return {**words, "choices": [*field.choices], "placeholder": placeholder, "default": None}


def dimension(field: Field) -> str:
    """What a quantity is of, by its unit."""
    return next((name for name, units in UNITS.items() if field.unit in units), "")


def shown(field: Field, value: Any) -> dict[str, Any]:
    """Text, position and state of a field; the position is in GeV or cm, None if there is none."""
    given = field.default if value is None else value
    if field.kind == "several":
        return {"text": "", "number": None, "several": [str(one) for one in value or ()]}
    if field.key == "look.limits":
        return {"text": value[0] if value else NONE, "number": None}
    if field.kind == "flag":
        return {"text": "", "number": None, "flag": given is True}
    if field.kind == "choice":
        return {"text": "" if given is None else str(given), "number": None}
    if field.kind == "quantity" and isinstance(value, int | float):
        return {"text": quantity_text(float(value), dimension(field)), "number": float(value)}
    text = "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    return {"text": text, "number": _number(field, given)}


def _number(field: Field, value: Any) -> float | None:
    """A value as a slider has it."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    try:
        return parse_quantity(str(value), dimension(field)) if dimension(field) else float(value)
    except (InputError, ValueError, TypeError):
        return None


def read(field: Field, message: Mapping[str, Any]) -> Any:
    """The value that a browser asks for, as a card or a look has it; None leaves the key out.

    Parameters
    ----------
    field : Field
    message : mapping
        With one of `text`, `number_value` (of a slider, in GeV or cm), `flag` and `several`.

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
    if "number_value" in message:
        return _moved(field, float(message["number_value"]))
    text = str(message.get("text", "")).strip()
    refuse_if(len(text) > _LONGEST, f"longer than {_LONGEST} letters")
    if field.key == "look.limits":
        return () if text in ("", NONE) else (text,)
    if field.kind == "choice" or field.kind == "text":
        return text or None
    if field.key.startswith("look."):
        return _of_look(field, text)
    if not text:
        return None
    if field.kind == "number":
        return _plain(text)
    bare = isinstance(_plain(text), int | float)
    return f"{text} {field.unit}" if bare and field.unit else text


def _moved(field: Field, value: float) -> Any:
    """What a slider stands for, with four digits."""
    if field.kind == "quantity":
        text = quantity_text(value, dimension(field))
        return parse_quantity(text, dimension(field)) if field.key.startswith("look.") else text
    rounded = float(f"{value:.3g}" if field.log else f"{value:.4g}")
    whole = isinstance(field.default, int) and not isinstance(field.default, bool)
    return round(value) if field.key == "look.number" or whole else rounded


def _of_look(field: Field, text: str) -> Any:
    """A number of what is looked at, in GeV."""
    if field.kind == "quantity":
        bare = isinstance(_plain(text), int | float)
        return parse_quantity(f"{text} {field.unit}" if bare else text, dimension(field))
    number = _plain(text)
    wanted = int if field.key == "look.number" else int | float
    refuse_if(not isinstance(number, wanted), f"'{text[:60]}' is not a {'whole ' if wanted is int else ''}number")
    return number if wanted is int else float(number)


def _plain(text: str) -> Any:
    """A number if a text is one, a list of numbers if it is one, else the text."""
    if text.startswith("[") and text.endswith("]"):
        return [_plain(one.strip()) for one in text[1:-1].split(",") if one.strip()]
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text
