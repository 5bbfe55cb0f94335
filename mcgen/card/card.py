"""The card: what an experiment is, read from TOML and checked before anything runs."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args

import tomli_w
from pydantic import AfterValidator, Field, PrivateAttr, ValidationError, model_validator

from mcgen.base.constants import LEPTON_MASSES
from mcgen.base.errors import InputError, choose, nearest, refuse_if
from mcgen.base.extras import data_folder
from mcgen.base.files import read_text
from mcgen.base.printed import one_line
from mcgen.base.references import reference
from mcgen.base.table import html
from mcgen.base.units import parse_list, quantity_text
from mcgen.card.beam import Beam, read_profile, read_spectrum
from mcgen.card.collider import Collider
from mcgen.card.detector import Detector
from mcgen.card.efficiency import check_use, is_name, read_efficiency
from mcgen.card.form_factors import allowed, read_table
from mcgen.card.quantities import CouplingList, MassList, Section, about
from mcgen.card.scalar import ModelName, Scalar
from mcgen.card.search_options import SearchOptions
from mcgen.card.target import Group, Layer, Slab, Stack, Target
from mcgen.card.toml_text import parse_toml
from mcgen.card.width_table import TABLE, read_widths
from mcgen.physics.boson.couplings import FLAVOUR, MODELS, MODELS_OF
from mcgen.physics.emission.form_factor import FORM_FACTORS
from mcgen.physics.emission.mediator import MEDIATORS

#: largest file in bytes that is read as a card; a usual one is a page of text
MAX_BYTES = 1_000_000
#: faults that one message names
_MOST_FAULTS = 10
#: parts of pydantic's places that are no keys of a card
_KINDS = ("slab", "stack", "single", "group", "number", "curve", "table", "each")
#: a key at the beginning of a message
_FIRST_KEY = re.compile(r"[A-Za-z]\w*(?:\.\w+)*")
#: couplings of a scan that names none
DEFAULT_COUPLINGS = parse_list("1e-6:1e-2:25", geometric=True)


class Scan(Section):
    """What `mcgen run` scans."""

    g_mu: Annotated[
        CouplingList,
        Field(default_factory=DEFAULT_COUPLINGS.copy),
        about("couplings of the table: a,b,c or start:stop:n in equal ratios", "1e-6:1e-2:25"),
    ]
    mass: Annotated[
        MassList,
        Field(default_factory=list),
        about(
            "masses, a,b,c or start:stop:n or start:stop:n:log, or start:stop, a line with as many as it needs; left "
            "out: that of [scalar]",
            "10 MeV, 100 MeV",
        ),
    ]
    models: Annotated[
        list[ModelName],
        Field(default_factory=list, min_length=1),
        about("models of the contours; left out: those of the mediator, or with widths that of [scalar]", ["A"]),
    ]


class Run(Section):
    """How many events, and from which random numbers."""

    events: Annotated[int, Field(ge=1, le=10**12), about("number of events", 100_000)] = 100_000
    seed: Annotated[int, Field(ge=0, lt=2**63), about("of the random numbers", 1)] = 1
    form_factor: Annotated[
        Literal[(*FORM_FACTORS, "free")],  # type: ignore[valid-type]
        about("charge distribution of the nucleus, G2(t); left out: paper, elastic or free by target.process", "tsai"),
    ] = "paper"
    form_factor_table: Annotated[
        dict[str, str],
        about("of form_factor table: a file with lines of t in GeV^2 and G2 for each element", {"W": "g2.csv"}),
    ] = Field(default_factory=dict)


class Fault(NamedTuple):
    """Something that is wrong in a card."""

    place: str  #: dotted place of a key or a table; empty for the whole card
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message

    @property
    def key(self) -> str:
        """Dotted place of the key that is to be changed: a message that begins with one is of that key."""
        word = _FIRST_KEY.match(self.message)
        names = [name for name in f"{self.place}.{word[0] if word else ''}".split(".") if name]
        return ".".join(names) if word and _is_key(names) else self.place

    @property
    def text(self) -> str:
        """The message without its key."""
        name = self.key.removeprefix(self.place).removeprefix(".")
        return self.message.removeprefix(f"{name}: ") if name else self.message


class CardError(InputError):
    """A card with faults, each at its place."""

    def __init__(self, message: str, faults: Sequence[Fault]) -> None:
        super().__init__(message)
        self.faults = tuple(faults)


def faults_of(error: InputError) -> list[Fault]:
    """What an error of a card says, fault by fault; one that is no CardError has one, and begins with its key."""
    if isinstance(error, CardError):
        return list(error.faults)
    return [Fault("", re.sub(r"^card [^:\n]{1,200}: ", "", str(error)))]


def _is_reference(name: str) -> str:
    """The name of a reference, checked."""
    reference(name)
    return name


class Card(Section):
    """An experiment. Numbers are in GeV, cm and their combinations once read."""

    name: Annotated[
        str,
        Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$"),
        about("of the experiment, in tables and figures", "fermilab"),
    ]
    references: Annotated[
        list[Annotated[str, AfterValidator(_is_reference)]] | None,
        Field(max_length=100),
        about(
            "what to cite for the experiment: arXiv:NUMBER, doi:10..., or keys of references.bib", ["arXiv:1701.07437"]
        ),
    ] = None
    #: not there if beams collide: what needs them begins with `source.Source`, which refuses such a card
    beam: Beam = None  # type: ignore[assignment]
    target: Target = None  # type: ignore[assignment]
    collider: Collider | None = None
    detector: Detector
    scalar: Scalar
    scan: Scan = Scan.model_validate({})
    run: Run = Run()
    search: SearchOptions | None = None  #: without it N_S > 3 counts as seen
    _text: str = PrivateAttr("")

    @model_validator(mode="after")
    def _possible(self) -> Card:
        scan, scalar = self.scan, self.scalar
        refuse_if(self.collider is None and len(self._matter) < 2, "beam and target: are needed, or a collider")
        models = [scalar.model] if scalar.widths or self.changes_flavour else MODELS_OF[scalar.mediator]
        default = {"mass": [scalar.mass], "models": list(models)}
        found = {key: value for key, value in default.items() if not getattr(scan, key)}
        object.__setattr__(self, "scan", scan.model_copy(update=found))
        if self.collider is None:
            self._check_matter()
        else:
            self._check_collider()
        if self.search and isinstance(self.search.efficiency, str):
            check_use(self.search.efficiency, self.detector.signature, self.collider is not None)
        for where, models in (("scalar.model", [self.scalar.model]), ("scan.models", self.scan.models)):
            self.check_models(models, where)
        return self

    @property
    def _matter(self) -> list[str]:
        """Which of beam and target are there."""
        return [name for name in ("beam", "target") if getattr(self, name) is not None]

    def _check_collider(self) -> None:
        refuse_if(self._matter, "collider: stands instead of beam and target, leave these out")
        refuse_if(self.detector.geometry != "barrel", 'detector.geometry: of a collider is "barrel"')
        refuse_if(self.scalar.widths, "scalar.widths: a table is for the lepton of a beam, and a collider makes pairs")
        refuse_if(self.scalar.out_lepton, "scalar.out_lepton: is of a beam on a target, and a collider makes pairs")
        idle = self.run.form_factor_table or self.run.form_factor != Run().form_factor
        refuse_if(idle, "run.form_factor: is of a nucleus, and a collider has none")

    def _check_matter(self) -> None:
        refuse_if(self.detector.geometry == "barrel", 'detector.geometry: "barrel" is for a collider')
        self._check_process()
        if self.scalar.out_lepton and not self.changes_flavour:
            stray = self.scalar.flavour_coupling is not None or FLAVOUR in (self.scalar.model, *self.scan.models)
            refuse_if(stray, f"scalar.out_lepton: is that of the beam, {self.beam.lepton}, so that no flavour changes")
            object.__setattr__(self, "scalar", self.scalar.model_copy(update={"out_lepton": None}))
        loss = self.target.energy_loss
        if loss in ("table", "mulder") and self.beam.lepton != "mu":
            message = f"target.energy_loss: {loss} is for muons; for electrons it is none, constant or shower"
            raise InputError(message)
        if loss == "shower" and (self.beam.lepton == "mu" or self.beam.distribution or not self.target.E_min):
            message = "target.energy_loss: shower is for electrons of one energy and needs target.E_min"
            raise InputError(message)
        active = self.detector.signature == "missing-energy" and any(layer.active for layer in self.target.layers)
        seen = "a decay in the target is no missing energy, in whatever layer"
        refuse_if(active, f'target.layer: active is for detector.signature = "displaced"; {seen}')
        if loss == "shower" and self.target.layers[0].is_vacuum:
            message = "target.energy_loss: a shower needs matter in the first layer"
            raise InputError(message)

    @property
    def lepton(self) -> str:
        """Flavour of the lepton that radiates the boson: that of the beam, or of the pair that beams make."""
        return self.collider.lepton if self.collider else self.beam.lepton

    @property
    def exposure(self) -> float:
        """What weights are per: beam particles on target, or an integrated luminosity in 1/pb."""
        return self.collider.luminosity if self.collider else self.beam.particles_on_target

    @property
    def first_beam(self) -> str:
        """Name of the beam particle, or of that of two beams which flies along +z."""
        return "e-" if self.collider else self.beam.particle

    def _check_process(self) -> None:
        """Electrons are hit by muons alone, and the form factor is one of what is hit."""
        process, given = self.target.process, "form_factor" in self.run.model_fields_set
        electrons = process in ("electron", "all") and self.beam.lepton == "e"
        refuse_if(electrons, f"beam.particle: {self.beam.particle} on electrons is another process; take mu+ or mu-")
        name = allowed(self.run.form_factor if given else None, process, "run.form_factor")
        if name != self.run.form_factor:
            object.__setattr__(self, "run", self.run.model_copy(update={"form_factor": name}))

    @property
    def out_lepton(self) -> str:
        """Flavour of the outgoing lepton, or of the pair that beams make."""
        return self.scalar.out_lepton or self.lepton

    @property
    def out_mass(self) -> float:
        """Mass of the outgoing lepton in GeV."""
        return LEPTON_MASSES[self.out_lepton]

    @property
    def changes_flavour(self) -> bool:
        """Whether S changes the beam's lepton into another one."""
        return self.out_lepton != self.lepton

    def __repr__(self) -> str:
        scalar = self.scalar
        made = f"m_S = {quantity_text(scalar.mass, 'energy')}, {scalar.mediator}, model {scalar.model}"
        if self.collider:
            return f"<Card {self.name}: {self.collider.text}, pairs of {self.collider.lepton}; {made}>"
        what = ", ".join(dict.fromkeys(layer.material for layer in self.target.layers))
        made += f", {self.beam.lepton} to {self.out_lepton}" if self.changes_flavour else ""
        return f"<Card {self.name}: {self.beam.particle} of {self.beam.energy_text} on {what}; {made}>"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        dumped = self.model_dump(mode="json", exclude_none=True).items()
        sections = [(name, one) for name, one in dumped if isinstance(one, dict)]
        keys = [(f"{name}.{key}", value) for name, one in sections for key, value in one.items()]
        return html(["key", "value"], [(key, str(value)[:100]) for key, value in keys], str(self))

    def __hash__(self) -> int:
        return hash(self.name)  # of equal cards the same

    def with_boson(
        self,
        mediator: str | None = None,
        model: str | None = None,
        out_lepton: str | None = None,
        parity_angle: float | None = None,
        flavour_coupling: float | None = None,
        isotropic: bool = False,
    ) -> Card:
        """The card for another boson, checked anew, or for isotropic decays; what is None stays as it is.

        A model that does not fit the mediator is replaced by its first one, in the scan by all of its models. A given
        `model` replaces both. Another mediator has the parity angle 0 unless one is given, in degrees.
        """
        given = {"out_lepton": out_lepton, "parity_angle": parity_angle, "flavour_coupling": flavour_coupling}
        update: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        update |= {"decay_law": "isotropic"} if isotropic else {}
        if mediator is None and model is None and not update:
            return self
        mediator = choose(mediator or self.scalar.mediator, MEDIATORS, "mediator")
        if mediator != self.scalar.mediator:
            update = {"parity_angle": 0.0} | update
        scalar = self.scalar.model_copy(update=update | {"mediator": mediator})
        kept = [m for m in self.scan.models if m in scalar.models]
        chosen = model or (scalar.model if scalar.model in scalar.models else scalar.models[0])
        scalar = scalar.model_copy(update={"model": chosen})
        scan = self.scan.model_copy(update={"models": [model] if model else kept or list(scalar.models)})
        return parse_card(self.model_copy(update={"scalar": scalar, "scan": scan}).text, self.name)

    @property
    def text(self) -> str:
        """The card as TOML: the text it was read from, or a new one if it was changed since."""
        return _text_of(self)

    def check_models(self, models: Sequence[str], where: str = "model") -> None:
        """Raise InputError unless each model has couplings for the card's mediator."""
        scalar = self.scalar
        for model in models:
            choose(model, (*MODELS, TABLE), where)
            if model not in scalar.models:
                of = "the table of widths" if scalar.widths else f"mediator {scalar.mediator}"
                what = "needs scalar.widths" if model == TABLE else f"is no model of {of}"
                message = f"{where}: {model} {what} (allowed: {', '.join(scalar.models)})"
                raise InputError(message)


def cards_folder() -> Path:
    """Folder of the cards that come with the package, installed or in a checkout."""
    return data_folder("cards", "cards")


def builtin_cards() -> dict[str, Path]:
    """Cards that come with the package, by name."""
    return {path.stem: path for path in sorted(cards_folder().glob("*.toml"))}


def card_text(name: str | Path) -> str:
    """Text of a card: a file, or the name of one that comes with the package."""
    path = Path(name)
    builtin = builtin_cards()
    if str(name) in builtin and not path.is_file():
        path = builtin[str(name)]
    return read_text(path, "card", MAX_BYTES, nearest(str(name), builtin))


def read_card(name: str | Path) -> Card:
    """A card by its file or by the name of one that comes with the package, as `mcgen.load_card` without its checks."""
    path = builtin_cards().get(str(name), Path(name))
    return parse_card(card_text(name), str(name), Path(name).parent if Path(name).is_file() else path.parent)


@functools.lru_cache(maxsize=8)
def _text_of(card: Card) -> str:
    with contextlib.suppress(InputError):  # a file that the text names is not read again
        if card._text and parse_card(card._text).model_dump() == card.model_dump():
            return card._text
    return tomli_w.dumps(card.model_dump(mode="json", exclude_none=True))


def parse_card(text: str, where: str = "card", folder: Path | None = None) -> Card:
    """Check the text of a card; `where` names it in errors.

    A table that the card names by its file is read from `folder` and from then on part of the card; without a folder,
    as for the card inside an event file, no file is opened.
    """
    try:
        content = parse_toml(text)
        _read_files(content, where, folder)
        card = Card.model_validate(content)
    except ValidationError as error:
        faults = [_fault(f) for f in error.errors()]
        rest = [f"and {len(faults) - _MOST_FAULTS} more"] if len(faults) > _MOST_FAULTS else []
        message = f"card {where}: " + "; ".join([*map(str, faults[:_MOST_FAULTS]), *rest])
        raise CardError(message, faults) from None
    except InputError:
        raise
    except (ValueError, RecursionError) as error:  # of the TOML parser: syntax, endless digits, endless nesting
        message = f"card {where}: not TOML: {str(error)[:200]}"
        raise InputError(message) from None
    card._text = text
    return card


def _read_files(content: dict[str, Any], where: str, folder: Path | None) -> None:
    """Put the tables of files in place of their names; a table as text has lines, a name has none."""

    def path(key: str, name: str) -> Path:
        if folder is None:
            what = "a file can be named in the file of a card alone, not in its copy in another file or a link"
            message = f"card {where}: {key}: {what}"
            raise InputError(message)
        found = folder / name
        refuse_if(found.exists() and not found.is_file(), f"card {where}: {key}: '{name}' is no file")
        return found

    match content:
        case {"beam": {"spectrum": str(name)}}:
            content["beam"]["spectrum"] = read_spectrum(path("beam.spectrum", name))
        case {"beam": {"profile": str(name)}} if "\n" not in name:
            content["beam"]["profile"] = read_profile(path("beam.profile", name))
    match content:
        case {"scalar": {"widths": str(name)}} if "\n" not in name:
            content["scalar"]["widths"] = read_widths(path("scalar.widths", name))
    match content:
        case {"search": {"efficiency": str(name)}} if is_name(name):
            content["search"]["efficiency"] = read_efficiency(path("search.efficiency", name))
    match content:
        case {"run": {"form_factor_table": dict(tables)}}:
            for symbol, name in tables.items():
                if isinstance(name, str) and "\n" not in name:
                    key = f"run.form_factor_table.{symbol}"
                    tables[symbol] = read_table(path(key, name), key)


def _fault(fault: Any) -> Fault:
    names = [part for part in fault["loc"] if part not in _KINDS]
    path = ".".join(str(part) for part in names)
    text = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        text = "unknown key" + nearest(str(names[-1]), _keys(names[:-1]))
    return Fault(one_line(path), one_line(text))


def _is_key(names: Sequence[str]) -> bool:
    """Whether a card has such a place."""
    try:
        return names[-1] in _keys([name for name in names[:-1] if not name.isdigit()])
    except (KeyError, StopIteration):
        return False


def _keys(names: Sequence[str | int]) -> list[str]:
    """Keys that a section of the card can have."""
    if names[:1] == ["target"]:
        return list(
            Layer.model_fields | Group.model_fields if len(names) > 1 else Slab.model_fields | Stack.model_fields
        )
    if names == ["beam"]:
        return [*Beam.model_fields, "muons"]
    section: Any = Card
    for name in names:
        found = section.model_fields[name].annotation
        section = next(kind for kind in (found, *get_args(found)) if hasattr(kind, "model_fields"))
    return list(section.model_fields)
