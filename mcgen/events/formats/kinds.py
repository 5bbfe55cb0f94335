"""What a file is, by its first bytes; its name does not matter."""

from __future__ import annotations

from pathlib import Path

from mcgen.base.errors import InputError, refuse_if
from mcgen.events.formats.text import open_compressed

#: formats that events are read from
ROOT, PARQUET, LHE, LHEH5, HEPMC = "ROOT", "Parquet", "LHE", "LHEH5", "HepMC"
LIBRARY = "a library for G4DarkBreM"
_BEGINNINGS = {
    b"root": ROOT,
    b"PAR1": PARQUET,
    b"\xff\xfe": LHE,  # text in 16 bits
    b"\xfe\xff": LHE,
    b"HepMC::": HEPMC,
    b"target_Z,": LIBRARY,
    b"\x89HDF": LHEH5,
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ": "packed with xz",
    b"PK\x03\x04": "a zip archive",
    b"%PDF": "a PDF file",
}
_READ = 4096


def kind_of(path: Path) -> str:
    """One of the formats that are read, or words for what else it is; gzip and zstd are looked into.

    Raises
    ------
    InputError
        If there is no such file.
    """
    refuse_if(not path.is_file(), f"file {path}: does not exist")
    with path.open("rb") as file:
        raw = file.read(_READ)
    with open_compressed(path) as unpacked:
        try:
            start = unpacked.read1(_READ)  # type: ignore[attr-defined]
        except InputError:
            raise
        except Exception:  # damaged files raise errors of many kinds
            return "packed, but damaged or cut short"
    packed = start[:4] != raw[:4]
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    kind = next((kind for beginning, kind in _BEGINNINGS.items() if text.startswith(beginning)), "")
    if not kind and (text.startswith(b"<") or b"<LesHouchesEvents" in text):
        kind = LHE
    if kind in (ROOT, PARQUET, LHEH5) and packed:
        return f"a packed {kind} file, to be unpacked first"
    if kind:
        return kind
    if not text:
        return "empty"
    printable = all(byte >= 32 or byte in b"\t\n\r\f" for byte in text)
    return ("text" if printable else "binary data") + " of no known kind"
