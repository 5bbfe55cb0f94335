"""Keys of a card that change together, so that no field of a page leads to a dead end."""

from __future__ import annotations

from typing import Any

from mcgen.card.card import Card  # noqa: F401
from mcgen.physics.boson.couplings import FLAVOUR, MODELS_OF

Content = dict[str, Any]


def following(content: Content, key: str) -> None:
    """Change what must change with a key that has a new value, or none any more."""
    rule = _RULES.get(key)
    if rule:
        rule(content)


def _drop(table: Any, *names: str) -> None:
    for name in names:
        table.pop(name, None)


def _geometry(content: Content) -> None:
    detector = content["detector"]
    geometry = detector.get("geometry", "paper")
    if geometry == "paper":
        _drop(detector, "radius", "width", "height", "offset_x", "offset_y", "E_daughter_min", "daughters")
    elif geometry == "3d" and not {"radius", "width", "height"} & set(detector):
        detector["radius"] = "50 cm"


def _signature(content: Content) -> None:
    if content["detector"].get("signature") == "missing-energy":
        _drop(content["detector"], "offset_x", "offset_y", "E_daughter_min", "daughters")


def _boson(content: Content) -> None:
    scalar = content["scalar"]
    mediator = scalar.get("mediator", "scalar")
    models = [*MODELS_OF.get(mediator, ()), *([FLAVOUR] if scalar.get("out_lepton") else [])]
    if scalar.get("model", "A") not in models and models:
        scalar["model"] = models[0]
    scan = content.get("scan", {})
    if "models" in scan:
        scan["models"] = [model for model in scan["models"] if model in models] or models


_RULES = {
    "detector.geometry": _geometry,
    "detector.signature": _signature,
    "scalar.mediator": _boson,
    "scalar.out_lepton": _boson,
}
