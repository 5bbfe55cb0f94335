"""What a result rests on: references of the program, the paper, physics, matter, experiments, known limits, formats.

Modules that hold physics say in `REFERENCES` which keys of `references.bib` they rest on; here is what of it was used.
"""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mcgen.analysis.constraints.records import Record, records
from mcgen.analysis.threshold import way_of
from mcgen.analysis.variations import LeftOutWarning, variations
from mcgen.base import rng
from mcgen.base.references import PAPER, PROGRAM, Reference, reference, references
from mcgen.card.card import Card, read_card
from mcgen.card.search_options import SearchOptions
from mcgen.card.target import Layer
from mcgen.physics.boson import muon_g2
from mcgen.physics.boson.scalar_decay import hadron_references
from mcgen.physics.emission import form_factor as shapes
from mcgen.physics.emission.nuclear_shape import PROTON_REFERENCES
from mcgen.physics.matter import lengths, materials, multiple_scattering, radiative_loss, stopping_power, thick_target
from mcgen.source import mulder_tables
from mcgen.statistics import limits, pyhf_terms

#: groups of a bibliography, in their order
ROLES = ("program", "paper", "physics", "matter", "experiment", "constraint", "statistics", "software", "format")
#: results that hold numbers of signal events, and those that hold limits on couplings
COUNTED, LIMITED = ("card", "n_signal", "reach", "run", "workspace"), ("card", "reach", "run", "workspace")


class Use(NamedTuple):
    """A reference, and what it was used for."""

    role: str
    key: str
    used_for: str


@dataclass(frozen=True, slots=True)
class Cited:
    """An entry of a bibliography."""

    key: str
    used_for: str
    doi: str | None
    eprint: str | None
    bibtex: str


@dataclass(frozen=True, slots=True)
class Made:
    """A result, as far as its references go."""

    kind: str = "program"  #: program, card, events, foreign (another generator's), drawing, crosscheck, or of COUNTED
    cards: tuple[Card, ...] = ()
    masses: tuple[float, ...] = ()  #: in GeV; of which the ends count; left out: those of the cards
    models: tuple[str, ...] = ()  #: left out: those of the cards
    productions: tuple[str, ...] = ("exact",)
    limit: dict[str, Any] = field(default_factory=dict)  #: method, calctype and n_signal that replace those of a card
    band: tuple[str, ...] = ()  #: what was varied
    constraints: tuple[str, ...] = ()  #: known limits that are drawn
    form_factors: tuple[str, ...] = ()  #: of alternative weights
    formats: tuple[tuple[str, str], ...] = ()  #: key of a reference, and the format that it is of
    is_random: bool = False  #: whether random numbers are in it


def _all(role: str, keys: Iterable[str], used_for: str) -> Iterator[Use]:
    for key in keys:
        yield Use(role, key, used_for)


def cited(*made: Made) -> list[Cited]:
    """References that results rest on, each once: by role, then in the order in which they are met.

    Parameters
    ----------
    made : Made

    Returns
    -------
    list of Cited
        The program and the paper first.
    """
    own: dict[str, Reference] = {}
    found: dict[str, list[Use]] = {}
    for use in (use for one in made for use in _uses(one, own)):
        found.setdefault(use.key, []).append(use)
    ranked = sorted(found, key=lambda key: min(ROLES.index(use.role) for use in found[key]))
    entries = [(own.get(key) or references()[key], found[key]) for key in ranked]
    return [
        Cited(
            one.key, "; ".join(dict.fromkeys(u.used_for for u in uses)), one.get("doi"), one.get("eprint"), one.bibtex
        )
        for one, uses in entries
    ]


def _uses(made: Made, own: dict[str, Reference]) -> Iterator[Use]:
    """All uses; `own` takes references of cards that are not among those of the package."""
    yield Use("program", PROGRAM, "the program")
    yield Use("paper", PAPER, "the paper whose process mcgen computes")
    for card in made.cards:
        yield from _of_card(card, made)
        for name in card.references or ():
            one = reference(name)
            own.setdefault(one.key, one)
            yield Use("experiment", one.key, f"experiment of card {card.name}")
    for name in made.constraints:
        yield from _of_constraint(records()[name], made)
    if made.is_random:
        yield from _all("software", rng.REFERENCES, "random numbers (Philox)")
    for key, name in made.formats:
        yield Use("format", key, f"format {name}")


def _of_card(card: Card, made: Made) -> Iterator[Use]:
    """What a card rests on in a result."""
    if made.kind != "foreign":
        if card.scalar.mediator == "scalar" and not card.scalar.widths:
            yield Use("paper", PAPER, "couplings and widths of the scalar (Eqs. 1-11)")
        for name in made.productions:
            if name == "iww" and not card.collider:
                yield Use("paper", PAPER, "production in the IWW approximation (Eqs. 12-13)")
        yield from _of_hadrons(card, made)
    if not card.collider:
        if made.kind != "foreign":
            for name in _form_factors(card, made):
                yield from _of_form_factor(name, card)
        for loss in _losses(card, made):
            yield from _of_loss(loss, card)
        if card.target.multiple_scattering:
            yield from _of_scattering(card)
        yield from _of_matter(card)
    if made.kind in COUNTED:
        yield from _of_efficiency(card)
    if made.kind in LIMITED:
        yield from _of_limit(card, made)


def _of_hadrons(card: Card, made: Made) -> Iterator[Use]:
    """Hadrons of a dark photon."""
    scalar = card.scalar
    scanned = made.kind in ("card", "run")
    models = made.models or ((scalar.model, *card.scan.models) if scanned else (scalar.model,))
    if scalar.mediator != "vector" or scalar.widths or "dark-photon" not in models:
        return
    masses = made.masses or ((scalar.mass, *card.scan.mass) if scanned else (scalar.mass,))
    for key in hadron_references(min(masses), max(masses)):
        yield Use("physics", key, "hadronic width of a dark photon")


def _varied(card: Card, made: Made) -> list[Card]:
    """A card, and those of what is varied."""
    if card.collider:
        return [card]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeftOutWarning)  # told when it was varied
        return [card, *variations(card, made.band).cards]


def _form_factors(card: Card, made: Made) -> list[str]:
    """Form factors of a card, of what is varied, and of alternative weights."""
    return list(dict.fromkeys([*(one.run.form_factor for one in _varied(card, made)), *made.form_factors]))


def _of_form_factor(name: str, card: Card) -> Iterator[Use]:
    if name not in shapes.REFERENCES:  # electrons are free
        return
    elements = dict.fromkeys(element for layer in card.target.layers for element, _ in layer.composition)
    protons = [e.name for e in elements if shapes.is_proton(e.Z, e.A) and name not in ("paper", "table")]
    nuclei = [e.name for e in elements if e.name not in protons]
    keys = shapes.REFERENCES[name]
    if card.target.process == "all":  # the inelastic term is left out
        keys = tuple(key for key in keys if key in shapes.REFERENCES["elastic"] or key not in shapes.REFERENCES["tsai"])
    terms = {"paper": "Eqs. A1 + A2", "tsai": "the bracket of Eq. A2 not squared", "elastic": "Eq. A1"}
    what = f"form factor {name}" + (f" ({terms[name]})" if name in terms else "")
    if nuclei and name in terms:
        yield Use("paper", PAPER, f"{what} of {', '.join(nuclei)}")
    if nuclei:
        yield from _all("physics", keys, f"{what} of {', '.join(nuclei)}")
    if protons:
        screening = [key for key in shapes.REFERENCES["elastic"] if keys]
        yield from _all("physics", (*screening, *PROTON_REFERENCES), "form factor of hydrogen")


def _losses(card: Card, made: Made) -> list[str]:
    """Laws of energy loss of a card, and of what is varied."""
    default = "constant" if card.beam.lepton == "mu" else "none"
    return list(dict.fromkeys(one.target.energy_loss or default for one in _varied(card, made)))


def _of_loss(law: str, card: Card) -> Iterator[Use]:
    if law == "constant":
        yield Use("paper", PAPER, "constant energy loss (Eq. 16)")
        taken = [one.material for one in _known(card) if one.dE_dy is None]
        if taken:
            yield from _all("matter", materials.REFERENCES, f"energy loss of muons in {_listed(taken)}")
    elif law == "table":
        keys = (*stopping_power.REFERENCES, *radiative_loss.REFERENCES)
        yield from _all("physics", dict.fromkeys(keys), "mean energy loss of muons")
    elif law == "mulder":
        yield from _all("software", mulder_tables.REFERENCES, "energy loss of muons (mulder)")
        yield from _all("physics", mulder_tables.SCHEME_REFERENCES, "straggling of muons")
    elif law == "shower":
        yield from _all("physics", thick_target.REFERENCES, "track length of electrons in a thick target")
        yield from _all("physics", lengths.X0_REFERENCES, "radiation lengths")


def _of_scattering(card: Card) -> Iterator[Use]:
    if card.target.energy_loss == "mulder":
        yield from _all("software", mulder_tables.REFERENCES, "multiple scattering (mulder)")
        return
    yield from _all("physics", multiple_scattering.REFERENCES, "multiple scattering")
    yield from _all("physics", lengths.X0_REFERENCES, "radiation lengths")


def _known(card: Card) -> list[Layer]:
    """Layers of materials of the package."""
    return [one for one in card.target.layers if one.material in materials.MATERIALS and not one.is_vacuum]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _of_matter(card: Card) -> Iterator[Use]:
    """Data of the materials, as far as the card does not give them."""
    known = _known(card)
    dense = [one.material for one in known if one.density is None and one.n_atom is None]
    if dense:
        yield from _all("matter", materials.REFERENCES, f"density of {_listed(dense)}")
    for one in known:
        if not one.fractions:
            yield from _all("matter", materials.OTHER_REFERENCES.get(one.material, ()), f"make-up of {one.material}")
    weighed = [e.name for one in card.target.layers if one.A is None for e, _ in one.composition]
    if weighed:
        yield from _all("matter", materials.WEIGHTS_REFERENCES, f"atomic weights of {_listed(weighed)}")
    units = {"X0": lengths.X0_REFERENCES, "lambda_I": lengths.LAMBDA_REFERENCES}
    text = {value.split()[-1] for value in _lengths(tomllib.loads(card.text).get("target", {})) if " " in value}
    for unit in sorted(text & units.keys()):
        yield from _all("matter", units[unit], f"{unit} of the target")


def _lengths(section: Any) -> Iterator[str]:
    """Lengths of layers as the card writes them."""
    if isinstance(section, dict):
        yield from ([section["length"]] if isinstance(section.get("length"), str) else [])
        for layer in section.get("layer", ()):
            yield from _lengths(layer)


def _of_efficiency(card: Card) -> Iterator[Use]:
    efficiency = card.search.efficiency if card.search else 1.0
    if isinstance(efficiency, str) and efficiency.startswith("{"):
        yield Use("software", "correctionlib", f"efficiency of card {card.name}")


def _of_limit(card: Card, made: Made) -> Iterator[Use]:
    """How a number of events, or a shape, becomes a limit."""
    asked = {key: value for key, value in made.limit.items() if value is not None}
    changed = "method" in asked or "confidence" in asked or asked.get("calctype", "exact") != "exact"
    if made.kind == "workspace":
        yield from _all("software", pyhf_terms.REFERENCES, f"workspace of card {card.name}")
        return
    if not (card.search or changed):
        return
    search = card.search or SearchOptions.model_validate({})
    method = asked.get("method") or search.method
    calctype = way_of(search, asked.get("calctype"))
    what = f"limit of card {card.name} by {method}"
    yield from _all("statistics", limits.REFERENCES[method], what)
    _, error, _ = search.counts.total
    if calctype == "exact" and (error or search.signal_error):
        yield from _all("statistics", limits.AVERAGED_REFERENCES, f"{what}: errors integrated over")
    if calctype == "asymptotics":
        yield from _all("statistics", pyhf_terms.ASYMPTOTIC_REFERENCES, f"{what}: asymptotic formulas")
    if calctype != "exact" and not search.bins:
        yield from _all("software", pyhf_terms.REFERENCES, what)


def _of_constraint(record: Record, made: Made) -> Iterator[Use]:
    """A known limit, and what it rests on where it is computed here."""
    what = f"known limit {record.name}: {record.experiment}"
    keys = [reference(name).key for name in record.references]
    yield from _all("constraint", dict.fromkeys(keys), what)
    numbers = [reference(name).key for name in record.numbers_from]
    yield from _all("constraint", numbers, f"numbers of known limits: {record.quality}")
    if record.shift is not None:
        for mediator in {card.scalar.mediator: None for card in made.cards} or {"scalar": None}:
            yield from _all("physics", muon_g2.REFERENCES[mediator], f"anomalous magnetic moment by a {mediator}")
        yield Use("paper", PAPER, "anomalous magnetic moment (Eq. 3)")
    elif record.card:
        card = read_card(record.card)
        for use in _of_card(card, Made("events", (card,))):
            if use.role in ("physics", "matter", "software"):
                yield Use(use.role, use.key, f"{use.used_for} (known limit {record.name})")


def text_of(entries: Iterable[Cited]) -> str:
    """A bibliography in BibTeX, each entry below a line that says what it was used for."""
    return "\n".join(f"% {one.used_for}\n{one.bibtex}" for one in entries)
