"""A set-up that is being explored: the text of its card, and what is looked at."""

from __future__ import annotations

import base64
import binascii
import copy
import functools
import json
import math
import re
import shlex
import tomllib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from mcgen.analysis.constraints.known import ALL, NAMES
from mcgen.analysis.threshold import limit_of
from mcgen.base.errors import InputError, choose, refuse_if
from mcgen.base.units import parse_list
from mcgen.card.card import MAX_BYTES, Card, faults_of, parse_card
from mcgen.card.quantities import LOWEST_MASS
from mcgen.card.target import Layer
from mcgen.card.toml_text import parse_toml, rewritten
from mcgen.explorer.pairs import follow
from mcgen.physics.emission.cross_section import METHODS
from mcgen.report.plane import AXES
from mcgen.search.search import Search
from mcgen.source.source import CardLike, checked, load_card

#: card of a page that was opened without one
DEFAULT = "fermilab"
#: of tokens and files; what is longer when it is packed is refused, and what is longer unpacked as well
VERSION, MAX_TOKEN, _MAX_STATE = 1, 100_000, 2 * MAX_BYTES
#: what a state file says of itself
KIND = "mcgen explore"
#: most masses of a contour, and of an axis
MOST_MASSES = 200
#: known limits that stand for several
GROUPS = (ALL, "paper")
#: ends of couplings g_mu in the map of N_S
_COUPLINGS = 1e-8, 1.0

#: of an experiment
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
#: the older name of a key of the beam
_OLDER = re.compile(r"(?m)^muons(\s*=)")

Content = dict[str, Any]


@dataclass(frozen=True)
class Look:
    """What is looked at: masses and models of the contour, what is drawn beside it, and the spot that is pointed at."""

    start: float = 0.001  #: lowest mass in GeV
    stop: float = 1.0  #: highest mass in GeV
    number: int = 20  #: of masses, in equal ratios
    models: tuple[str, ...] = ("A",)
    production: str = "exact"
    limits: tuple[str, ...] = ()  #: known limits: names, or "all" or "paper"
    axis: str = AXES[0]
    g_start: float = _COUPLINGS[0]  #: lowest g_mu of the map of N_S
    g_stop: float = _COUPLINGS[1]  #: and highest
    model: str = "A"  #: of the spot
    m_S: float = 0.1  #: of the spot, GeV
    g_mu: float = 5e-4  #: of the spot

    @property
    def mass_text(self) -> str:
        """The masses as the command line has them."""
        return f"{self.start!r}GeV:{self.stop!r}GeV:{self.number}:log"

    @property
    def masses(self) -> list[float]:
        """Masses in GeV."""
        return parse_list(self.mass_text, "energy")

    def faults(self, card: Card | None = None) -> dict[str, str]:
        """What is wrong, by the name of its field; with a card also what does not fit to it."""
        found: dict[str, str] = {}

        def need(name: str, right: bool, what: str) -> None:
            if not right:
                found.setdefault(f"look.{name}", what)

        def known(name: str, asked: str, allowed: Sequence[str]) -> None:
            try:
                choose(asked, allowed, name)
            except InputError as error:
                found.setdefault(f"look.{name}", str(error))

        for name in ("start", "stop", "m_S"):
            need(name, LOWEST_MASS < getattr(self, name) <= 1e6, "a mass lies above 1e-12 and up to 1e6 GeV")
        need("stop", self.start < self.stop, "the highest mass must lie above the lowest")
        need("number", 2 <= self.number <= MOST_MASSES, f"2 to {MOST_MASSES} masses are allowed")
        for name in ("g_start", "g_stop", "g_mu"):
            need(name, 0.0 < getattr(self, name) <= 1e3, "g_mu lies above 0 and up to 1000")
        need("g_stop", self.g_start < self.g_stop, "the highest coupling must lie above the lowest")
        need("models", bool(self.models) and len(set(self.models)) == len(self.models), "give models, each once")
        known("production", self.production, METHODS)
        known("axis", self.axis, AXES)
        for name in self.limits:
            known("limits", name, (*NAMES, *GROUPS))
        if card is not None:
            for model in self.models:
                known("models", model, card.scalar.models)
            known("model", self.model, card.scalar.models)
        return found


#: how errors of what is looked at begin -> its field
_LOOKED = {"mass": "start", "production": "production", "model": "models", "constraint": "limits", "axis": "axis"}
_OF_LOOK = re.compile(rf"({'|'.join(_LOOKED)})\b")
#: how errors of a beam in its target and of a limit begin that do not name a key -> the key
_OF_SOURCE = {
    "mass:": "scalar.mass",
    "form factor": "run.form_factor",
    "out_lepton:": "scalar.out_lepton",
    "method ": "search.method",
}
_TYPES: dict[str, Callable[[Any], bool]] = {
    "float": lambda value: isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "tuple[str, ...]": lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value),
}


def _look_of(content: Any) -> Look:
    """A look from JSON; what is not said is as by default."""
    refuse_if(not isinstance(content, dict), "state: look is no table")
    types = {field.name: str(field.type) for field in fields(Look)}
    given: dict[str, Any] = {}
    for name, value in content.items():
        choose(name, types, "state: look")
        refuse_if(not _TYPES[types[name]](value), f"state: look.{name} is no {types[name]}")
        given[name] = tuple(value) if isinstance(value, list) else value
        if types[name] == "float":
            given[name] = float(given[name])
    found = Look(**given)
    for key, message in found.faults().items():
        raise InputError(f"state: {key}: {message}")  # noqa: EM102
    return found


def _at(content: Any, key: str) -> Any:
    """What stands at a dotted key; None if nothing does."""
    for part in key.split("."):
        if isinstance(content, list):
            content = content[int(part)] if part.isdigit() and int(part) < len(content) else None
        else:
            content = content.get(part) if isinstance(content, dict) else None
    return content


def _put(content: Content, key: str, value: Any) -> None:
    """Put a value at a dotted key, or take away what is there; a table that is left empty goes as well."""
    *path, last = key.split(".")
    tables: list[Any] = [content]
    for part in path:
        here = tables[-1]
        if isinstance(here, list):
            refuse_if(not part.isdigit() or int(part) >= len(here), f"{key}: there is no entry {part}")
            tables.append(here[int(part)])
            continue
        if part not in here and value is None:
            return
        refuse_if(part.isdigit(), f"{key}: there is no entry {part}")
        tables.append(here.setdefault(part, {}))
        refuse_if(not isinstance(tables[-1], dict | list), f"{key}: {part} is no table")
    if value is None:
        refuse_if(not isinstance(tables[-1], dict), f"{key}: is no key of a table")
        tables[-1].pop(last, None)
        if len(path) == 1 and not tables[-1]:
            content.pop(path[0])
        return
    refuse_if(not isinstance(tables[-1], dict), f"{key}: is no key of a table")
    tables[-1][last] = value


def present(text: str) -> str:
    """Text of a card with the present name of a key that has an older one; what is no TOML stays as it is."""
    try:
        content = parse_toml(text)
    except (ValueError, RecursionError):
        return text
    beam = content.get("beam")
    if not isinstance(beam, dict) or "muons" not in beam or "particles_on_target" in beam:
        return text
    written = _OLDER.sub(r"particles_on_target\1", text)
    if "muons" not in tomllib.loads(written)["beam"]:
        return written
    beam["particles_on_target"] = beam.pop("muons")
    return rewritten(text, content)


def _inlined(card: Card) -> str:
    """Text of a card that names no file any more, with its comments; keys have their present names."""
    if not card._text:
        return card.text
    written = present(card._text)
    content = tomllib.loads(written)
    whole = card.model_dump(mode="json", exclude_none=True)
    for key in ("beam.spectrum", "beam.profile", "scalar.widths", "search.efficiency", "run.form_factor_table"):
        if _at(content, key) is not None:
            _put(content, key, _at(whole, key))
    text = rewritten(written, content)
    try:
        return text if parse_card(text).model_dump() == card.model_dump() else card.text
    except InputError:
        return card.text


@dataclass(frozen=True)
class Setup:
    """A card as text, and what is looked at; the text can be wrong, and `faults` says what is."""

    text: str  #: TOML; names no file
    look: Look = Look()

    @classmethod
    def of(cls, card: CardLike | None = None) -> Self:
        """The set-up of a card, by default that of the paper's beam dump, with its tables of files inside."""
        found = load_card(DEFAULT if card is None else card)
        scalar, masses = found.scalar, found.scan.mass
        start, stop = (min(masses), max(masses)) if len(masses) > 1 else (scalar.mass / 30.0, scalar.mass * 10.0)
        models = tuple(found.scan.models)
        look = Look(start, stop, models=models, model=models[0], m_S=scalar.mass, g_mu=scalar.g_mu)
        return cls(_inlined(found), look)

    @functools.cached_property
    def content(self) -> Content:
        """The card as tables; not to be changed.

        Raises
        ------
        InputError
            If the text is not TOML.
        """
        refuse_if(len(self.text.encode()) > MAX_BYTES, f"card: longer than {MAX_BYTES} bytes")
        try:
            return parse_toml(self.text)
        except (ValueError, RecursionError) as error:
            message = f"card: not TOML: {str(error)[:200]}"
            raise InputError(message) from None

    @functools.cached_property
    def card(self) -> Card:
        """The card, checked, with its beam in its target; InputError if something is wrong."""
        card = parse_card(self.text)
        return checked(card, card.name)

    @property
    def name(self) -> str:
        """Of the experiment, as files can have it."""
        name = self.value("name")
        return name if isinstance(name, str) and _NAME.fullmatch(name) else "card"

    def value(self, key: str) -> Any:
        """What the card has at a dotted key such as "target.layer.0.length", as it is written; None if nothing."""
        if key.startswith("look."):
            return getattr(self.look, key.removeprefix("look."), None)
        return _at(self.content, key)

    def with_value(self, key: str, value: Any) -> Self:
        """The set-up with another value at a dotted key, or without one; what must go with it is changed too."""
        if key.startswith("look."):
            return self.with_look(**{key.removeprefix("look."): value})
        content = copy.deepcopy(self.content)
        _put(content, key, value)
        follow(content, key)
        return self._with(content)

    def with_look(self, **changes: Any) -> Self:
        """The set-up with something else looked at."""
        for name in changes:
            choose(name, [field.name for field in fields(Look)], "look")
        return replace(self, look=replace(self.look, **changes))

    def with_layer(self, at: int | None = None, material: str = "Fe", length: str = "10 cm") -> Self:
        """The set-up with another layer of the target in front of layer `at`, by default behind all."""
        content = copy.deepcopy(self.content)
        layers = _layers(content)
        refuse_if(at is not None and not 0 <= at <= len(layers), f"target.layer: there is no layer {at}")
        layers.insert(len(layers) if at is None else at, {"material": material, "length": length})
        return self._with(content)

    def without_layer(self, at: int) -> Self:
        """The set-up without a layer of the target; the last one stays."""
        content = copy.deepcopy(self.content)
        layers = _layers(content)
        refuse_if(not 0 <= at < len(layers), f"target.layer: there is no layer {at}")
        refuse_if(len(layers) == 1, "target.layer: the last layer stays")
        del layers[at]
        return self._with(content)

    def _with(self, content: Content) -> Self:
        found = replace(self, text=rewritten(self.text, content))
        return found._looking()

    def _looking(self) -> Self:
        """The same, looking at models and a production that go with the card."""
        try:
            card = parse_card(self.text)
            exact = card.collider is not None or Search.of(card).from_events or bool(card.search and card.search.bins)
        except InputError:
            return self
        allowed = card.scalar.models
        kept = tuple(model for model in self.look.models if model in allowed) or tuple(allowed)
        model = self.look.model if self.look.model in allowed else kept[0]
        production = "exact" if exact else self.look.production
        return replace(self, look=replace(self.look, models=kept, model=model, production=production))

    def faults(self) -> dict[str, str]:
        """Every fault by the dotted key that it is of; of a table, or of nothing, if it is not of one key."""
        try:
            card = self.card
            limit_of(card)
        except InputError as error:
            found: dict[str, str] = {}
            for fault in faults_of(error):
                key = fault.key or next((key for word, key in _OF_SOURCE.items() if fault.text.startswith(word)), "")
                found[key] = "; ".join(filter(None, [found.get(key), fault.text]))
            return found | self.look.faults()
        return self.look.faults(card)

    def fault_of(self, error: InputError) -> tuple[str, str]:
        """The key that an error of a computation is of, as in `faults`, and what it says."""
        fault = faults_of(error)[0]
        if fault.key:
            return fault.key, fault.text
        found = _OF_LOOK.match(fault.message)
        return (f"look.{_LOOKED[found[1]]}" if found else ""), fault.message

    def document(self) -> dict[str, Any]:
        """The state as JSON has it: what a file holds."""
        return {"kind": KIND, "version": VERSION, "card": self.text, "look": asdict(self.look)}

    @classmethod
    def from_document(cls, document: Any) -> Self:
        """The set-up of a state.

        Raises
        ------
        InputError
            If it is none of this program, or of a newer version.
        """
        refuse_if(not isinstance(document, dict) or document.get("kind") != KIND, f"state: is no state of {KIND}")
        refuse_if(document.get("version") != VERSION, f"state: version {document.get('version')!r:.20} is not known")
        text = document.get("card")
        refuse_if(not isinstance(text, str), "state: has no card")
        look = _look_of(json.loads(json.dumps(document.get("look", {}))))
        found = cls(present(text), look)
        assert isinstance(found.content, dict)
        return found

    def token(self) -> str:
        """The state in letters that a link can hold."""
        packed = zlib.compress(json.dumps(self.document(), separators=(",", ":")).encode(), 9)
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def from_token(cls, token: str) -> Self:
        """The set-up of a link.

        Raises
        ------
        InputError
            If the text is no such state, or too long.
        """
        refuse_if(len(token) > MAX_TOKEN, f"link: longer than {MAX_TOKEN} letters")
        try:
            packed = base64.b64decode(token + "=" * (-len(token) % 4), altchars="-_", validate=True)
            unpacker = zlib.decompressobj()
            text = unpacker.decompress(packed, _MAX_STATE)
            refuse_if(not unpacker.eof, "link: is cut off, or too long")
            return cls.from_document(json.loads(text))
        except InputError:
            raise
        except (binascii.Error, zlib.error, ValueError, RecursionError):
            message = "link: holds no state of a page"
            raise InputError(message) from None

    def command(self, name: str | None = None, output: str | None = None, figure: str | None = None) -> str:
        """The command line that makes the same contour from the file of the card.

        Parameters
        ----------
        name : str, optional
            Of the file of the card; by default that of `exports.card`.
        output : str, optional
            Table to write; by default it is called as the card.
        figure : str, optional
            Picture to draw as well, with the known limits that are looked at.
        """
        look, output = self.look, output or f"{self.name}.csv"
        words = ["mcgen", "reach", name or f"{self.name}.toml", "--model", ",".join(look.models)]
        words += ["--mass", look.mass_text]
        words += ["--production", look.production] if look.production != "exact" else []
        words += ["-o", output]
        if figure:
            words += ["--plot", figure]
            words += ["--constraints", ",".join(look.limits)] if look.limits else []
            words += ["--axis", look.axis] if look.axis != AXES[0] else []
        return shlex.join(words)


def _layers(content: Content) -> list[Any]:
    """Layers of the target, of one that has a single one as well."""
    target = content.setdefault("target", {})
    if "layer" not in target:
        of_layer = {key: target.pop(key) for key in list(target) if key in Layer.model_fields}
        target["layer"] = [of_layer]
    found: list[Any] = target["layer"]
    return found
