"""What a file or folder of mcgen was made of, from what it says of itself: what `mcgen cite` asks of it."""

from __future__ import annotations

import base64
import contextlib
import json
import math
import re
import warnings
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mcgen.analysis.citing import Cited, Made, cited, text_of
from mcgen.analysis.constraints.records import records
from mcgen.base.errors import InputError, McgenWarning, refuse_if
from mcgen.base.files import open_atomic
from mcgen.card.card import Card, builtin_cards, parse_card, read_card
from mcgen.events.formats import hepmc, kinds, lhe, lheh5, nuhepmc, tables
from mcgen.events.meta import NAME
from mcgen.events.pool import ENDING, load
from mcgen.source.source import CardLike, load_card

#: largest document or figure that is read, and what a figure may say of its inputs
MAX_BYTES, _MAX_USED = 100_000_000, 10_000_000
#: names of files that a warning has
_MOST_NAMED = 6
#: documents of a folder that say where it comes from, the first that is there
_DOCUMENTS = ("summary.json", "patchset.json", "provenance.json")
#: what a figure says of its inputs, as `base.files.used_text` writes it
_USED = re.compile(rb"\[used ([A-Za-z0-9+/=]+)\]")
_FIGURES = (b"\x89PNG", b"%PDF", b"<?xml")
#: formats of events whose specification is cited
_OF_FORMATS = {
    kinds.HEPMC: ("HepMC3", hepmc.REFERENCES),
    kinds.LHE: ("Les Houches events", lhe.REFERENCES),
    kinds.LHEH5: ("LHEH5", lheh5.REFERENCES),
}


class NotCitedWarning(McgenWarning):
    """Files in a folder that are no results, or say nothing of what they were made of."""


def cite(*source: str | Path, card: CardLike | None = None) -> list[Cited]:
    """What to cite: the program, the paper, and all that went into results.

    Parameters
    ----------
    source : str or Path
        Files or folders that mcgen wrote, or cards by their name or file; without any, program and paper alone. Of a
        folder of several results it is all of them; a warning names those and the files that are none.
    card : Card, str or Path, optional
        Experiment that events of another generator are meant for.

    Returns
    -------
    list of Cited
        Each with `key`, `used_for`, `doi`, `eprint` and `bibtex`, in the order of a bibliography.

    Raises
    ------
    InputError
        If a file says nothing of what it was made of.

    Examples
    --------
    >>> [one.key for one in cite()]
    ['mcgen', 'Chen:2017awl']
    """
    return cited(*(one for name in source for one in made(name, card))) if source else cited(Made())


def write(entries: Sequence[Cited], path: str | Path) -> None:
    """Write a bibliography as a file that ends in .bib."""
    refuse_if(Path(path).suffix.lower() != ".bib", f"output {path}: the name must end in .bib")
    with open_atomic(path) as stream:
        stream.write(text_of(entries))


def made(source: str | Path, card: CardLike | None = None) -> list[Made]:
    """What a card, a file, or each of the results in a folder was made of.

    Parameters
    ----------
    source : str or Path
        Name or file of a card, or a file or folder that mcgen wrote.
    card : Card, str or Path, optional
        Experiment that events of another generator are meant for.

    Raises
    ------
    InputError
        If it says nothing of what it was made of.
    """
    path = Path(source)
    if not path.exists() and str(source) in builtin_cards():
        return [Made("card", (read_card(source),))]
    refuse_if(not path.exists(), f"{path}: is no file, and no card of this name comes with mcgen")
    return _of_folder(path, card) if path.is_dir() else [_of_file(path, card)]


def _of_file(path: Path, card: CardLike | None) -> Made:
    if path.suffix == ".toml":
        return Made("card", (load_card(path),))
    beside = path.with_name(f"{path.name}.json")
    if beside.is_file():
        return _of_document(_json(beside), beside)
    with path.open("rb") as stream:
        start = stream.read(5)
    is_figure = start.startswith(_FIGURES)
    said = _USED.search(_read(path)) if is_figure else None
    if said:
        return _of_figure(said[1], path)
    if is_figure or path.suffix in (".csv", ".html"):  # one of several files of a folder
        document = _of_results(path.parent)
        if document is not None:
            return document
    refuse_if(is_figure, f"figure {path}: says nothing of its inputs; commands of mcgen write them into figures")
    if path.suffix == ".json":
        return _of_document(_json(path), path)
    metadata = tables.metadata_of(path)
    no_origin = f"file {path}: says nothing of where it comes from, and no {beside.name} lies beside it"
    refuse_if(metadata is None and path.suffix in (".csv", ".yaml", ".bib", ".txt"), no_origin)
    if metadata is not None and not str(metadata.get("format", "")).startswith(NAME):
        return _of_document(metadata, path)
    return _of_events(path, card)


def _read(path: Path) -> bytes:
    try:
        refuse_if(path.stat().st_size > MAX_BYTES, f"file {path}: larger than {MAX_BYTES} bytes")
        return path.read_bytes()
    except OSError as error:
        message = f"file {path}: {error.strerror}"
        raise InputError(message) from None


def _json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(_read(path))
    except (ValueError, RecursionError):
        message = f"file {path}: is no JSON document"
        raise InputError(message) from None
    refuse_if(not isinstance(document, dict), f"file {path}: says nothing of what it was made of")
    return dict(document)


def _provenance(document: Any, depth: int = 10) -> dict[str, Any] | None:
    """The part of a document that says which cards it is of, the outermost, not deeper than so many levels."""
    if not isinstance(document, dict) or depth == 0:
        return None
    if document.get("generator") == "mcgen":
        return document
    return next((found for value in document.values() if (found := _provenance(value, depth - 1)) is not None), None)


def _of_document(document: dict[str, Any], path: Path) -> Made:
    found = _provenance(document)
    refuse_if(found is None, f"file {path}: says nothing of what it was made of; give a file that mcgen wrote")
    assert found is not None
    kind = "run" if path.name == "summary.json" else "workspace" if "patches" in document else "n_signal"
    with _undamaged(path):
        texts = [found] if "card" in found else list(found.get("cards", ()))
        used: dict[str, Any] = {"kind": kind} | dict(found.get("used", {}))
        cards = [one["card"] for one in texts]
    used |= {"band": found["band"]} if "band" in found else {}
    used |= {"masses": [document["mass_gev"]]} if isinstance(document.get("mass_gev"), float) else {}
    used |= {"models": [document["model"]]} if isinstance(document.get("model"), str) else {}
    return _of_used(used | {"cards": cards}, path)


@contextlib.contextmanager
def _undamaged(path: Path) -> Iterator[None]:
    """Inside, values of other kinds than a file of mcgen has are an InputError."""
    try:
        yield
    except InputError:
        raise
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        message = f"file {path}: what it says of its inputs is damaged ({type(error).__name__})"
        raise InputError(message) from None


def _of_used(used: dict[str, Any], path: Path) -> Made:
    """What a command noted, checked as far as it is used."""
    with _undamaged(path):
        names = [str(name) for name in used.get("constraints", ())]
        masses = tuple(float(m) for m in used.get("masses", ()))
        refuse_if(not all(map(math.isfinite, masses)), f"file {path}: a mass in it is no number")
        return Made(
            kind=str(used.get("kind", "drawing")),
            cards=tuple(_card(text, path) for text in dict.fromkeys(used.get("cards", ()))),
            masses=masses,
            models=tuple(str(name) for name in used.get("models", ())),
            productions=tuple(str(name) for name in used.get("productions", ("exact",))),
            limit=dict(used.get("limit", {})),
            band=tuple(str(name) for name in used.get("band", ())),
            constraints=tuple(name for name in dict.fromkeys(names) if name in records()),
            is_random=bool(used.get("random", used.get("kind") == "run")),
        )


def _card(text: Any, path: Path) -> Card:
    return parse_card(str(text), f"of {path}")


def _of_figure(packed: bytes, path: Path) -> Made:
    """What a figure says of its inputs, as `base.files.used_text` wrote it."""
    try:
        used = dict(json.loads(zlib.decompressobj().decompress(base64.b64decode(packed), _MAX_USED)))
    except (ValueError, TypeError, RecursionError, zlib.error):
        message = f"figure {path}: what it says of its inputs is damaged"
        raise InputError(message) from None
    return _of_used({"kind": "drawing"} | used, path)


def _of_results(folder: Path) -> Made | None:
    """What the results in a folder were made of, if a document there says it."""
    named = [folder / name for name in _DOCUMENTS if (folder / name).is_file()]
    found = ((document, _json(document)) for document in named)
    return next((_of_document(text, path) for path, text in found if _provenance(text) is not None), None)


def _of_folder(path: Path, card: CardLike | None) -> list[Made]:
    found = _of_results(path)
    if found is not None:
        return [found]
    files = sorted(file for file in path.iterdir() if not file.name.startswith("."))
    if card is not None or (path / "plan.json").is_file() or all(file.suffix == ENDING for file in files):
        return [_of_events(path, card)]
    return _of_each(path, [file for file in files if file.suffix != ".json" or file.with_suffix("") not in files])


def _of_each(folder: Path, files: Sequence[Path]) -> list[Made]:
    """What each result in a folder was made of; a warning names what says nothing of it."""
    found: dict[str, Made] = {}
    for file in files:
        with contextlib.suppress(InputError):
            is_result = (file / "plan.json").is_file() or _of_results(file) if file.is_dir() else file.suffix != ".toml"
            if is_result:
                found[file.name] = made(file)[0]
    refuse_if(not found, f"folder {folder}: no file in it says what it was made of")
    silent = [file.name for file in files if file.name not in found]
    if silent:
        text = f"folder {folder}: cited is what went into {_named([*found])}; not cited: {_named(silent)}"
        warnings.warn(text, NotCitedWarning, stacklevel=4)
    return list(found.values())


def _named(names: Sequence[str]) -> str:
    """Some names, and how many more there are."""
    rest = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + rest


def _of_events(path: Path, card: CardLike | None) -> Made:
    """Events of any format; a production has many files."""
    metadata = load(path, card=card).metadata
    return Made(
        "foreign" if metadata.is_foreign else "events",
        (_card(metadata["card"], path),),
        masses=(metadata.m_S,),
        models=(str(metadata["model"]),) if metadata.get("model") else (),
        form_factors=tuple(str(row["form_factor"]) for row in metadata.weights.values() if "form_factor" in row),
        formats=() if path.is_dir() else tuple(_formats(path)),
        is_random=not metadata.is_foreign,
    )


def _formats(path: Path) -> Iterator[tuple[str, str]]:
    """Specifications of the format of a file of events."""
    kind = kinds.kind_of(path)
    name, keys = _OF_FORMATS.get(kind, ("", ()))
    yield from ((key, name) for key in keys)
    if kind == kinds.HEPMC and nuhepmc.is_followed(path):
        yield from ((key, "NuHepMC") for key in nuhepmc.REFERENCES)
