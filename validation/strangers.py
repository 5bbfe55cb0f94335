"""What mcgen reads of strangers: each reader by its name, small valid files to begin with, and the law it keeps.

The law: a reader returns, or raises `McgenError` with one line that a terminal can show. No other exception, no number
that is not finite, no more than `SECONDS` of the processor and `MEMORY` bytes beside `PER_BYTE` for each byte.
`validation.guided` looks for bytes that break it, `tests/validation/test_guided.py` reads again those that it kept.
"""

from __future__ import annotations

import dataclasses
import functools
import gzip
import json
import math
import re
import resource
import sys
import time
import traceback
import warnings
import zlib
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mcgen.analysis import cited_files
from mcgen.analysis.constraints import records
from mcgen.base.errors import InputError, McgenError
from mcgen.campaign import production
from mcgen.card import beam, efficiency, form_factors, width_table
from mcgen.card.card import builtin_cards, card_text, parse_card
from mcgen.events import formats
from mcgen.events.export import export
from mcgen.events.formats.root import EventFile
from mcgen.events.meta import EventMeta
from mcgen.explorer.setup import Setup
from mcgen.generation.generate import Options, generate
from mcgen.generation.library import library
from mcgen.source.source import checked, load_card

#: where inputs are kept that found a fault or reach a line that no other does
CORPUS = Path(__file__).parent / "corpus"
REFERENCE = Path(__file__).parent / "reference"
#: what a reader may take: seconds of the processor, bytes of memory, and more of both for each byte of the file
SECONDS, MEMORY, PER_BYTE = 20.0, 400_000_000, 1_000
#: characters of an error, and those that no line of a terminal has
LONGEST = 4_000
_RAW = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Reader(NamedTuple):
    """A reader of files or texts."""

    ending: str  #: of the file's name
    read: Callable[[Path], Any]
    seeds: Callable[[Path], list[bytes]]  #: valid files, made in a folder
    packing: str = ""  #: in which the bytes are changed that are inside


@functools.cache
def _card() -> Any:
    return load_card("fermilab")


def _events(path: Path) -> Any:
    """All that a file of events says, by itself or with a card."""
    try:
        found = formats.load(path)
    except InputError as error:
        if "--card" not in str(error):
            raise
        found = formats.load(path, _card())
    numbers = [np.asarray(column, float).sum() for chunk in found.iterate(found.branches) for column in chunk.values()]
    return numbers, repr(found), found._repr_html_(), found.metadata.samples, found.metadata.runs, found.card


def _metadata(path: Path) -> Any:
    """A JSON document as metadata of events, with the checksum that it should have."""
    text = path.read_bytes()
    try:
        document = json.loads(text)
        text = json.dumps(EventMeta(document).sealed()).encode() if isinstance(document, dict) else text
    except (ValueError, RecursionError):
        pass
    found = EventMeta.unsealed(text)
    card = parse_card(found["card"])
    return found.facts, found._repr_html_(), found.branches, found.weights, found.runs, found.samples, card


def _checked_card(path: Path) -> Any:
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    card = parse_card(text, "strange", path.parent)
    return checked(card).text, card.model_dump()


def _state(path: Path) -> Any:
    """A link of a page, or the document of a kept state."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if text.startswith("{"):
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            raise InputError("no JSON") from None  # noqa: EM101
        setup = Setup.from_document(document)
    else:
        setup = Setup.from_token(text)
    return setup.faults(), setup.token(), setup.command(), setup.name


def _plan(path: Path) -> Any:
    path.rename(path.with_name(production.PLAN))
    return production.read_plan(path.parent)


def _constraint(path: Path) -> Any:
    records.points.cache_clear()
    return records.OwnLimit.of(path)


# ---------------------------------------------------------------------------------------------------- valid files


@functools.cache
def files_of_events(folder: Path) -> dict[str, Path]:
    """Small files of events of each kind."""
    card = _card()
    generate(card, 0.1, 4, 1, output=folder / "plain.root")
    generate(card, 0.25, 4, 1, output=folder / "decays.root", decays=True)
    generate(card, 0.1, 4, 1, output=folder / "ntuple.root", rntuple=True, branches=("E_mu", "depth_cm", "S_E"))
    generate(card, 0.1, 4, 1, output=folder / "few.root", branches=("E_mu", "depth_cm", "S_E"))
    for name in ("plain", "decays"):
        for ending in (".lhe", ".hepmc3", ".parquet", ".lheh5", ".lhe.gz", ".lhe.zst", ".hepmc3.gz"):
            export(EventFile(folder / f"{name}.root"), folder / f"{name}{ending}")
    library(card, folder / "library.csv", [1.0, 2.0], 3, 0.1)
    return {path.name: path for path in folder.iterdir()}


def _of(*names: str) -> Callable[[Path], list[bytes]]:
    def seeds(folder: Path) -> list[bytes]:
        made = files_of_events(folder)
        return [made[name].read_bytes() for name in names]

    return seeds


def _foreign() -> bytes:
    """Three events of MadGraph."""
    head = gzip.decompress((REFERENCE / "madgraph_W_1GeV_mS0.1.lhe.gz").read_bytes()).split(b"</event>\n", 3)[:-1]
    return b"</event>\n".join([*head, b"</LesHouchesEvents>\n"])


_WEIGHTS = (
    b"<initrwgt><weightgroup name='scale'><weight id='a' MUR='0.5'>half</weight></weightgroup></initrwgt>",
    b"<rwgt><wgt id='a'> 1.5e-3 </wgt></rwgt>\n#vertex 0.1 0.2 30.0\n",
)


def _lhe(folder: Path) -> list[bytes]:
    foreign = _foreign()
    weighted = foreign.replace(b"</header>", _WEIGHTS[0] + b"</header>").replace(b"</event>", _WEIGHTS[1] + b"</event>")
    return [*_of("plain.lhe", "decays.lhe")(folder), foreign, weighted]


def _packed(folder: Path) -> list[bytes]:
    return [*_of("decays.lhe.gz", "decays.lhe.zst", "decays.hepmc3.gz")(folder), gzip.compress(_foreign())]


def _hepmc2(text: bytes) -> bytes:
    """The first event of a HepMC3 file as HepMC2 has it."""
    cells = [line.split() for line in text.splitlines() if line.startswith(b"P ")][:5]
    particles = [
        b" ".join([b"P", c[1], c[3], *c[4:9], c[9], b"0 0", b"-1" if c[9] == b"4" else b"0", b"0"]) for c in cells
    ]
    lines = [
        b"HepMC::Version 2.06.09", b"HepMC::IO_GenEvent-START_EVENT_LISTING",
        b"E 1 -1 -1.0 -1.0 -1.0 0 -1 1 1 2 0 1 1.0", b'N 1 "0"', b"U GEV MM", b"C 1.0 0.1",
        b"V -1 0 0 0 0 0 2 3 0", *particles, b"HepMC::IO_GenEvent-END_EVENT_LISTING", b"",
    ]  # fmt: skip
    return b"\n".join(lines)


def _hepmc(folder: Path) -> list[bytes]:
    found = _of("plain.hepmc3", "decays.hepmc3")(folder)
    return [*found, _hepmc2(found[0])]


def _cards(_: Path) -> list[bytes]:
    return [card_text(name).encode() for name in builtin_cards()]


def _metas(folder: Path) -> list[bytes]:
    made = files_of_events(folder)
    return [json.dumps(EventFile(made[name]).metadata).encode() for name in ("plain.root", "decays.root")]


def _plans(_: Path) -> list[bytes]:
    card = _card()
    plan = production.plan_of(card, 0.1, 100, 1, 30, Options())
    return [json.dumps(plan.document()).encode()]


def _tokens(_: Path) -> list[bytes]:
    setups = [Setup.of(name) for name in ("fermilab", "na64")]
    return [*(setup.token().encode() for setup in setups), json.dumps(setups[0].document()).encode()]


_CORRECTION = json.dumps({
    "schema_version": 2, "corrections": [{
        "name": "eff", "version": 1, "inputs": [{"name": "S_E_gev", "type": "real"}],
        "output": {"name": "weight", "type": "real"},
        "data": {"nodetype": "binning", "input": "S_E_gev", "edges": [0.0, 1.0, 1e6], "content": [0.5, 1.0],
                 "flow": "clamp"}}],
}).encode()  # fmt: skip


def _used(_: Path) -> list[bytes]:
    """What a document says of its inputs."""
    used = {"masses": [0.1], "models": ["A"], "constraints": ["E137"], "random": True}
    whole = {"generator": "mcgen", "card": card_text("fermilab"), "band": ["form-factor"], "used": used}
    several = {"generator": "mcgen", "cards": [{"card": card_text("na64")}], "mass_gev": 0.1}
    return [json.dumps(document).encode() for document in (whole, several)]


def _in_figure(_: Path) -> list[bytes]:
    """What a figure says of its inputs."""
    used = {"kind": "drawing", "cards": [card_text("fermilab")], "masses": [0.1], "band": ["form-factor"]}
    return [packed("figure", json.dumps(used).encode())]


def _texts(*texts: bytes) -> Callable[[Path], list[bytes]]:
    return lambda _: [*texts]


READERS: Mapping[str, Reader] = {
    "lhe": Reader(".lhe", _events, _lhe),
    "hepmc": Reader(".hepmc3", _events, _hepmc),
    "packed": Reader(".lhe.gz", _events, _packed, "gzip"),
    "library": Reader(".csv", _events, _of("library.csv")),
    "root": Reader(".root", _events, _of("few.root", "ntuple.root")),
    "parquet": Reader(".parquet", _events, _of("plain.parquet")),
    "lheh5": Reader(".lheh5", _events, _of("decays.lheh5")),
    "metadata": Reader(".json", _metadata, _metas),
    "plan": Reader(".json", _plan, _plans),
    "card": Reader(".toml", _checked_card, _cards),
    "constraint": Reader(".csv", _constraint, _texts(b"# label: x\n# shape: line\nmass_gev,coupling\n0.1,1e-3\n1,2\n")),
    "efficiency": Reader(
        ".csv",
        lambda path: efficiency.read_efficiency(path),
        _texts(b"S_E_gev,efficiency\n0,0.1\n3,1\n", b"S_E_gev,decay_z_cm,efficiency\n0,0,0\n0,1,1\n1,0,1\n1,1,1\n"),
    ),
    "correction": Reader(".json", lambda path: efficiency.read_efficiency(path), _texts(_CORRECTION)),
    "spectrum": Reader(".csv", lambda path: beam.read_spectrum(path), _texts(b"# x\n1,2,10\n2,3,5.5\n")),
    "profile": Reader(".csv", lambda path: beam.read_profile(path), _texts(b"3,0,0,0,0\n2.5,1,-1,1e-3,0\n")),
    "widths": Reader(
        ".csv", lambda path: width_table.read_widths(path), _texts(b"mass_gev,ctau_cm,e+e-\n0.1,1e3,0.9\n0.2,10,1\n")
    ),
    "form_factor": Reader(".txt", lambda path: form_factors.read_table(path), _texts(b"1e-9 5476\n1 0.1 # x\n")),
    "state": Reader(".txt", _state, _tokens, "token"),
    "cited": Reader(".json", lambda path: cited_files.cite(path), _used),
    "figure": Reader(".png", lambda path: cited_files.cite(path), _in_figure, "figure"),
}


def packed(kind: str, data: bytes) -> bytes:
    """Bytes as a reader's file has them inside."""
    if kind == "gzip":
        return gzip.compress(data, 1)
    if kind == "token":
        return urlsafe_b64encode(zlib.compress(data)).rstrip(b"=")
    return b"\x89PNG\r\n\x1a\n" + b"[used " + b64encode(zlib.compress(data)) + b"]"


def unpacked(kind: str, data: bytes) -> bytes:
    """The bytes inside; as they are where nothing is."""
    try:
        if kind == "gzip":
            return gzip.decompress(data)
        if kind == "token":
            return zlib.decompress(urlsafe_b64decode(data + b"=="))
        return zlib.decompress(b64decode(data.split(b"[used ")[1].split(b"]")[0]))
    except Exception:
        return data


# ------------------------------------------------------------------------------------------------------- the law


def _not_finite(value: Any) -> str:
    """A number in what a reader returned that is not finite."""
    if isinstance(value, float | np.floating):
        return "" if math.isfinite(value) else str(value)
    if isinstance(value, np.ndarray):
        return "" if value.dtype.kind != "f" or np.isfinite(value).all() else f"an array of {value.dtype}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _not_finite([getattr(value, field.name) for field in dataclasses.fields(value)])
    if isinstance(value, Mapping):
        value = [*value.values()]
    return next(filter(None, map(_not_finite, value)), "") if isinstance(value, list | tuple) else ""


def _where(error: BaseException) -> str:
    """The kind of an error and the innermost lines of mcgen on its way."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/mcgen/" in f.filename][-3:]
    calls = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(frames))
    return f"{type(error).__name__} at {calls}"


def peak() -> int:
    """The most memory that the process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def law(name: str, data: bytes, folder: Path) -> tuple[str, str]:
    """(outcome, fault) of a reader on bytes; the fault is empty if all is well.

    Parameters
    ----------
    name : str
        One of `READERS`.
    data : bytes
    folder : Path
        Empty; the file is written there and removed.
    """
    reader = READERS[name]
    path = folder / f"strange{reader.ending}"
    path.write_bytes(data)
    before, began = peak(), time.process_time()
    fault = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", RuntimeWarning)
            found = reader.read(path)
        outcome = "read"
        if number := _not_finite(found):
            fault = f"returns {number}"
    except McgenError as error:
        outcome, text = "refused", str(error)
        if len(text) > LONGEST:
            fault = f"an error of {len(text)} characters: {_where(error)}"
        elif _RAW.search(text):
            fault = f"an error that is not one plain line: {_where(error)}"
        elif hidden := re.search(r"cannot be read as (?!ROOT|Parquet|LHEH5).* \((\w+)\)", text):
            inner = error.__context__
            fault = f"hides {hidden[1]}: {_where(inner) if inner else ''}"
    except Exception as error:
        outcome, fault = "escaped", f"escapes: {_where(error)}"
    seconds, bytes_more = time.process_time() - began, peak() - before
    for left in folder.iterdir():
        left.unlink()
    if not fault and seconds > SECONDS + 1e-4 * len(data):
        fault = f"takes {seconds:.0f} s"
    if not fault and bytes_more > MEMORY + PER_BYTE * len(data):
        fault = f"takes {bytes_more / 1e6:.0f} MB"
    return outcome, fault
