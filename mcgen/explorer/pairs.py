"""Keys of a card that change together, so that no field of a page leads to a dead end.

A rule follows a key. It takes away what has no meaning any more, and gives what is needed now, from the examples of the
schema.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from mcgen.base.errors import InputError
from mcgen.base.units import parse_quantity
from mcgen.card.detector import Detector
from mcgen.card.form_factors import allowed
from mcgen.card.scalar import DILEPTON
from mcgen.card.target import TransportOptions
from mcgen.card.width_table import TABLE
from mcgen.physics.boson.couplings import FLAVOUR, MODELS_OF
from mcgen.physics.emission.mediator import MIXES
from mcgen.physics.matter.materials import MATERIALS

Table = dict[str, Any]

#: keys of a shape in space, and those of them that a decay is needed for
SHAPE = ("radius", "width", "height", "offset_x", "offset_y", "E_daughter_min", "daughters")
OF_DECAYS = ("offset_x", "offset_y", "E_daughter_min", "daughters")
#: what a layer of a known material says by itself
OF_MATERIAL = ("fractions", "Z", "A", "density", "n_atom", "dE_dy")
#: laws of energy loss that are for muons alone
OF_MUONS = ("table", "mulder")


def example(section: type[Any], name: str) -> Any:
    """What the schema gives as an example of a key."""
    return section.model_fields[name].examples[0]


def follow(content: Table, key: str) -> None:
    """Change what must change with a key that has a new value, or none any more."""
    parts = key.split(".")
    name = ".".join(part for part in parts if not part.isdigit())
    if parts[0] == "target" and parts[-1] == "material":
        _material(layer_at(content, parts[:-1]))
    elif rule := _RULES.get(name.replace("target.layer.layer.", "target.layer.")):
        rule(content)


def layer_at(content: Table, path: Iterable[str]) -> Table:
    """The layer at a path, or the target itself."""
    here: Any = content
    for part in path:
        here = here[int(part)] if part.isdigit() else here[part]
    found: Table = here
    return found


def _drop(table: Table, *names: str) -> None:
    for name in names:
        table.pop(name, None)


def all_layers(target: Table) -> list[Table]:
    """Layers of a target as tables, those of groups too; the target itself if it has one layer."""
    if "layer" not in target:
        return [target]
    found: list[Table] = []
    for part in target["layer"]:
        found += all_layers(part)
    return found


def _geometry(content: Table) -> None:
    detector = content["detector"]
    geometry = detector.get("geometry", "paper")
    if geometry == "paper":
        _drop(detector, *SHAPE)
    elif geometry == "3d" and not {"radius", "width", "height"} & set(detector):
        detector["radius"] = example(Detector, "radius")


def _round(content: Table) -> None:
    detector = content["detector"]
    if "radius" in detector:
        _drop(detector, "width", "height")
    elif detector.get("geometry") == "3d":
        for name in ("width", "height"):
            detector.setdefault(name, example(Detector, name))


def _rectangular(content: Table) -> None:
    detector = content["detector"]
    given = [name for name in ("width", "height") if name in detector]
    if len(given) == 1 and "radius" not in detector:  # the other one was taken away
        _drop(detector, *given)
        given = []
    if given:
        _drop(detector, "radius")
        for name in ("width", "height"):
            detector.setdefault(name, detector[given[0]])
    elif detector.get("geometry") == "3d":
        detector.setdefault("radius", example(Detector, "radius"))


def _signature(content: Table) -> None:
    if content["detector"].get("signature") == "missing-energy":
        _drop(content["detector"], *OF_DECAYS)
        for layer in all_layers(content.get("target", {})):
            _drop(layer, "active")


def _boson(content: Table) -> None:
    scalar = content["scalar"]
    mediator = scalar.get("mediator", "scalar")
    if mediator not in MODELS_OF:
        return
    if mediator not in MIXES:
        _drop(scalar, "parity_angle")
    if "out_lepton" not in scalar:
        _drop(scalar, "flavour_coupling")
    if "widths" in scalar:
        _drop(scalar, "model", "invisible", "width")
        _models(content, [TABLE])
        return
    models = [*MODELS_OF[mediator], *([FLAVOUR] if "out_lepton" in scalar else [])]
    if scalar.get("model", "A") not in models:
        scalar["model"] = models[0]
    _models(content, models)


def _models(content: Table, models: list[str]) -> None:
    scan = content.get("scan", {})
    if "models" in scan:
        kept = [model for model in scan["models"] if model in models]
        scan["models"] = kept or models


def _width(content: Table) -> None:
    scalar = content["scalar"]
    if scalar.get("width") == "ee_only" and scalar.get("decay") not in (None, "e+e-", DILEPTON):
        _drop(scalar, "decay")


def _decay(content: Table) -> None:
    if content["scalar"].get("decay") not in (None, "e+e-", DILEPTON):
        _drop(content["scalar"], "width")


def _particle(content: Table) -> None:
    beam, target = content["beam"], content.get("target", {})
    electrons = str(beam.get("particle", "mu+")).startswith("e")
    if (electrons and target.get("energy_loss") in OF_MUONS) or (
        not electrons and target.get("energy_loss") == "shower"
    ):
        _drop(target, "energy_loss")
    if electrons and target.get("process") in ("electron", "all"):
        _drop(target, "process")
        _process(content)
    scalar = content.get("scalar", {})
    if scalar.get("out_lepton") == str(beam.get("particle", "mu+"))[:-1]:
        _drop(scalar, "out_lepton")
        _boson(content)


def _process(content: Table) -> None:
    run = content.get("run", {})
    try:
        allowed(run.get("form_factor"), content["target"].get("process", "nuclear"))
    except InputError:
        _drop(run, "form_factor", "form_factor_table")


def _form_factor(content: Table) -> None:
    if content.get("run", {}).get("form_factor") != "table":
        _drop(content.get("run", {}), "form_factor_table")


def _energy_loss(content: Table) -> None:
    target = content["target"]
    if target.get("energy_loss") == "shower":
        target.setdefault("E_min", example(TransportOptions, "E_min"))
        _drop(content["beam"], "energy_spread")


def _one_energy(content: Table) -> None:
    if "energy" in content["beam"]:
        _drop(content["beam"], "spectrum", "profile")


def _spectrum(content: Table) -> None:
    if "spectrum" in content["beam"]:
        _drop(content["beam"], "energy", "energy_spread", "profile")


def _profile(content: Table) -> None:
    if "profile" in content["beam"]:
        _drop(content["beam"], "energy", "energy_spread", "spectrum", "spot", "divergence")


def _material(layer: Table) -> None:
    material = layer.get("material")
    if material in MATERIALS:
        _drop(layer, *OF_MATERIAL)
    if material == "vacuum" and str(layer.get("length", "")).split()[-1:] in (["X0"], ["lambda_I"]):
        layer["length"] = example(Detector, "gap")


def _beams(content: Table) -> None:
    collider = content["collider"]
    try:
        found = [parse_quantity(str(collider[name]), "energy") for name in ("electron", "positron", "sqrt_s")]
    except (KeyError, InputError):
        return
    scale = found[2] / (2.0 * math.sqrt(found[0] * found[1])) if min(found) > 0.0 else 1.0
    for name, E in zip(("electron", "positron"), found, strict=False):
        collider[name] = f"{E * scale:.6g} GeV"


def _one_beam(content: Table) -> None:
    collider = content["collider"]
    if {"electron", "positron"} <= set(collider):
        _drop(collider, "sqrt_s")


def _bins(content: Table) -> None:
    search = content.get("search", {})
    if "bins" not in search:
        for name in ("background", "background_error", "observed"):
            if isinstance(search.get(name), list):
                del search[name]
    else:
        search["method"] = "cls"  # that of bins


_RULES: dict[str, Callable[[Table], None]] = {
    "detector.geometry": _geometry,
    "detector.radius": _round,
    "detector.width": _rectangular,
    "detector.height": _rectangular,
    "detector.signature": _signature,
    "scalar.mediator": _boson,
    "scalar.out_lepton": _boson,
    "scalar.widths": _boson,
    "scalar.width": _width,
    "scalar.decay": _decay,
    "beam.particle": _particle,
    "beam.energy": _one_energy,
    "beam.spectrum": _spectrum,
    "beam.profile": _profile,
    "collider.sqrt_s": _beams,
    "collider.electron": _one_beam,
    "collider.positron": _one_beam,
    "target.process": _process,
    "target.energy_loss": _energy_loss,
    "run.form_factor": _form_factor,
    "search.bins": _bins,
}
