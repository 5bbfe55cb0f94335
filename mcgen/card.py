"""The card: what an experiment is, read from TOML and checked before anything runs."""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import tomli_w
from pydantic import Field, PrivateAttr, ValidationError, model_validator

from mcgen.beam import Beam, read_profile, read_spectrum
from mcgen.detector import Detector
from mcgen.errors import InputError, ThresholdError, check_number, choose, nearest
from mcgen.files import read_text
from mcgen.form_factors import element_form_factor, read_table
from mcgen.materials import Element
from mcgen.passage import Stretch, scattering, stretches
from mcgen.physics.amplitude import Process
from mcgen.physics.couplings import MODELS, MODELS_OF
from mcgen.physics.form_factor import FORM_FACTORS, FormFactor
from mcgen.physics.kinematics import threshold_energy
from mcgen.physics.mediator import MEDIATORS
from mcgen.quantities import LOWEST_MASS, Coupling, CouplingList, Energy, MassList, Section
from mcgen.target import Layer, Slab, Stack, Target
from mcgen.track import NO_SCATTERING, Scattering
from mcgen.track_rules import Component

#: largest file in bytes that is read as a card; a usual one is a page of text
MAX_BYTES = 1_000_000


ModelName = Literal["A", "B", "dark-photon", "Lmu-Ltau"]


class Scalar(Section):
    """The boson that is generated, and the couplings of its decay positions."""

    mass: Energy
    mediator: Literal[tuple(MEDIATORS)] = "scalar"  # type: ignore[valid-type]
    model: ModelName = "A"
    g_mu: Coupling = 5e-4
    width: Literal["total", "ee_only"] = "total"
    invisible: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0


class Scan(Section):
    """What `mcgen run` scans."""

    g_mu: CouplingList
    mass: MassList
    models: Annotated[list[ModelName], Field(min_length=1, default=["A", "B"])]


class Run(Section):
    """How many events, and from which random numbers."""

    events: Annotated[int, Field(ge=1, le=10**12)] = 100_000
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    form_factor: Literal[tuple(FORM_FACTORS)] = "paper"  # type: ignore[valid-type]
    form_factor_table: dict[str, str] = Field(default_factory=dict)  #: element -> lines of t in GeV^2 and G2


class Card(Section):
    """An experiment. Numbers are in GeV, cm and their combinations once read."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    beam: Beam
    target: Target
    detector: Detector
    scalar: Scalar
    scan: Scan
    run: Run = Run()
    _text: str = PrivateAttr("")

    @model_validator(mode="after")
    def _possible(self) -> Card:
        loss = self.target.energy_loss
        if loss in ("table", "mulder") and self.beam.lepton != "mu":
            message = f"target.energy_loss: {loss} is for muons; for electrons it is none, constant or shower"
            raise InputError(message)
        if loss == "shower" and (self.beam.lepton == "mu" or self.beam.distribution or not self.target.E_min):
            message = "target.energy_loss: shower is for electrons of one energy and needs target.E_min"
            raise InputError(message)
        if not self.beam.mass < self.E_low < self.beam.E_max:
            message = (
                f"beam.energy {self.beam.E_max:g} GeV must lie above the energy at the end of the target, and that "
                f"({self.E_low:g} GeV) above the mass of {self.beam.particle}"
            )
            if self.target.E_min is None:
                message += "; the beam stops in the target: give target.E_min"
            raise InputError(message)
        for where, models in (("scalar.model", [self.scalar.model]), ("scan.models", self.scan.models)):
            self.check_models(models, where)
        self.check_mass(self.scalar.mass, "scalar.mass")
        for symbol in self.run.form_factor_table:
            choose(symbol, [element.name for element in self.elements], "run.form_factor_table: element")
        for element in self.elements:
            self.form_factor(element)
        return self

    def with_boson(self, mediator: str | None = None, model: str | None = None) -> Card:
        """The card for another mediator or model, checked anew.

        A model that does not fit the mediator is replaced by its first one, in the scan by all of its models. A given
        `model` replaces both.
        """
        if mediator is None and model is None:
            return self
        fits = MODELS_OF[choose(mediator or self.scalar.mediator, MEDIATORS, "mediator")]
        kept = [m for m in self.scan.models if m in fits]
        chosen = model or (self.scalar.model if self.scalar.model in fits else fits[0])
        scalar = self.scalar.model_copy(update={"mediator": mediator or self.scalar.mediator, "model": chosen})
        scan = self.scan.model_copy(update={"models": [model] if model else kept or list(fits)})
        return parse_card(self.model_copy(update={"scalar": scalar, "scan": scan}).text, self.name)

    @property
    def text(self) -> str:
        """The card as TOML: the text it was read from, or a new one if it was changed since."""
        with contextlib.suppress(InputError):  # a file that the text names is not read again
            if self._text and parse_card(self._text).model_dump() == self.model_dump():
                return self._text
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))

    @property
    def stretches(self) -> list[Stretch]:
        """The beam in each layer of the target."""
        return stretches(self.beam, self.target)

    @property
    def scattering(self) -> Scattering:
        """Multiple scattering of the beam against depth, if the card asks for it."""
        return scattering(self.stretches, self.beam.mass) if self.target.multiple_scattering else NO_SCATTERING

    @property
    def E_low(self) -> float:
        """Muon energy in GeV at the end of the target, or where it counts as stopped."""
        return min(stretch.E_out for stretch in self.stretches)

    @property
    def elements(self) -> list[Element]:
        """What the target holds, each element once."""
        return list(dict.fromkeys(element for layer in self.target.layers for element, _ in layer.composition))

    def ee_only(self, model: object) -> bool:
        """Whether the width is Gamma_ee alone: the paper's Eq. 7, for model A if the card asks for it."""
        return self.scalar.width == "ee_only" and model == "A"

    def check_models(self, models: Sequence[str], where: str = "model") -> None:
        """Raise InputError unless each model has couplings for the card's mediator."""
        mediator = self.scalar.mediator
        for model in models:
            choose(model, MODELS, where)
            if model not in MODELS_OF[mediator]:
                allowed = ", ".join(MODELS_OF[mediator])
                message = f"{where}: {model} is no model of mediator {mediator} (allowed: {allowed})"
                raise InputError(message)

    def check_mass(self, m_S: float, where: str = "mass") -> None:
        """Raise ThresholdError unless a scalar of this mass in GeV can be made."""
        check_number(where, m_S, LOWEST_MASS, 1e6)
        threshold = self._threshold(m_S)
        if threshold >= self.beam.E_max or not list(self._open(m_S)):
            message = (
                f"{where}: {m_S:g} GeV is above threshold, it needs a beam of {threshold:.4g} GeV "
                f"and beam.energy is {self.beam.E_max:g} GeV"
            )
            if threshold < self.beam.E_max:
                message += ", less where the beam meets that element"
            raise ThresholdError(message)

    def makes(self, m_S: float) -> bool:
        """Whether the beam has the energy to make a scalar of this mass in GeV."""
        return self._threshold(m_S) < self.beam.E_max

    def _threshold(self, m_S: float) -> float:
        return min(threshold_energy(self.beam.mass, m_S, element.M) for element in self.elements)

    def _open(self, m_S: float) -> Iterator[tuple[Stretch, Element, float, float]]:
        """(stretch, element, nuclei per cm^3, threshold in GeV) wherever a scalar of mass m_S in GeV can be made."""
        for stretch in self.stretches:
            for element, n_atom in stretch.layer.composition:
                lowest = threshold_energy(self.beam.mass, m_S, element.M)
                if lowest < stretch.E_in and stretch.share_above(max(lowest, stretch.E_out)) > 0.0:
                    yield stretch, element, n_atom, lowest

    def form_factor(self, element: Element) -> FormFactor:
        """G2 of an element of the target."""
        return element_form_factor(self.run.form_factor, element, self.run.form_factor_table)

    def process(self, m_S: float, element: Element | None = None, ww: bool = False) -> Process:
        """Constants of the kernels for a scalar of mass m_S in GeV made off an element, the first of the target."""
        element = element or self.elements[0]
        mass = self.beam.mass
        weights = MEDIATORS[self.scalar.mediator](mass, m_S)
        return Process(mass, m_S, element.M, weights, self.form_factor(element), ww)

    def energy_range(self, m_S: float) -> tuple[float, float]:
        """Muon energies in GeV at which a scalar of this mass is made in the target."""
        return max(self.E_low, self._threshold(m_S)), self.beam.E_max

    def components(self, m_S: float) -> list[Component]:
        """Every element of every layer on which a scalar of this mass can be made."""
        return [
            Component(element, n_atom, stretch.track(lowest), lowest)
            for stretch, element, n_atom, lowest in self._open(m_S)
        ]


def cards_folder() -> Path:
    """Folder of the cards that come with the package, installed or in a checkout."""
    package = Path(__file__).parent
    installed = package / "cards"
    return installed if installed.is_dir() else package.parent / "cards"


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


def load_card(name: str | Path) -> Card:
    """Read and check a card.

    Parameters
    ----------
    name : str or Path
        A TOML file, or the name of a card that comes with the package: fermilab and na64 are those of the paper.

    Raises
    ------
    InputError
        One line with every fault, its place and what is allowed.
    """
    path = builtin_cards().get(str(name), Path(name))
    return parse_card(card_text(name), str(name), Path(name).parent if Path(name).is_file() else path.parent)


def parse_card(text: str, where: str = "card", folder: Path | None = None) -> Card:
    """Check the text of a card; `where` names it in errors.

    A table that the card names by its file is read from `folder` and from then on part of the card; without a folder,
    as for the card inside an event file, no file is opened.
    """
    try:
        content = tomllib.loads(text)
        _read_files(content, where, folder)
        card = Card.model_validate(content)
    except ValidationError as error:
        message = f"card {where}: " + "; ".join(_fault(f) for f in error.errors())
        raise InputError(message) from None
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
            message = f"card {where}: {key}: a file can be named in a card only, not in an event file"
            raise InputError(message)
        return folder / name

    match content:
        case {"beam": {"spectrum": str(name)}}:
            content["beam"]["spectrum"] = read_spectrum(path("beam.spectrum", name))
        case {"beam": {"profile": str(name)}} if "\n" not in name:
            content["beam"]["profile"] = read_profile(path("beam.profile", name))
    match content:
        case {"run": {"form_factor_table": dict(tables)}}:
            for symbol, name in tables.items():
                if isinstance(name, str) and "\n" not in name:
                    key = f"run.form_factor_table.{symbol}"
                    tables[symbol] = read_table(path(key, name), key)


def _fault(fault: Any) -> str:
    names = [part for part in fault["loc"] if part not in ("slab", "stack")]
    path = ".".join(str(part) for part in names)
    text = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        text = "unknown key" + nearest(str(names[-1]), _keys(names[:-1]))
    return f"{path}: {text}" if path else text


def _keys(names: list[str | int]) -> list[str]:
    """Keys that a section of the card can have."""
    if names[:1] == ["target"]:
        return list(Layer.model_fields if len(names) > 1 else Slab.model_fields | Stack.model_fields)
    section: Any = Card
    for name in names:
        found = section.model_fields[name].annotation
        section = next(kind for kind in (found, *get_args(found)) if hasattr(kind, "model_fields"))
    return list(section.model_fields)
