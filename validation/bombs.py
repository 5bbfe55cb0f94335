"""Files that are small and would become large: packed text, baskets and pages of zeros, and counts without content.

    python -m validation.bombs

Each is read as `validation.strangers` reads it; the table says what came of it, the seconds of the processor and
the memory beyond what the process had.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import uproot

from mcgen.card.card import card_text
from mcgen.events.formats.root import EventFile
from mcgen.events.meta import EventMeta
from validation import strangers

#: bytes of what unpacks, more than any small file may hold, and how deep a document is
HUGE, DEEP = 12_000_000, 100_000
_DIGITS = b"1" * 1_000_000

Bomb = tuple[str, str, bytes]  #: what it is, reader, bytes


def _zstd(data: bytes) -> bytes:
    from backports import zstd

    return bytes(zstd.compress(data))


def _text(folder: Path) -> Iterator[Bomb]:
    made = strangers.files_of_events(folder)
    lhe, hepmc, library = (made[name].read_bytes() for name in ("plain.lhe", "plain.hepmc3", "library.csv"))
    head, event = lhe.split(b"<event>")[:2]
    end = b"</LesHouchesEvents>\n"
    columns = library.split(b"\n")[0] + b"\n"

    def with_weights(text: bytes) -> bytes:
        return head + b"<event>" + event.replace(b"</event>", text + b"</event>") + end

    blank, comment = head + b"\n" * HUGE, head + b"<!--" + b"x\n" * (HUGE // 2) + b"-->"
    yield "LHE.gz, a line of blanks", "packed", gzip.compress(head + b" " * HUGE)
    yield "LHE.zst, blank lines", "packed", _zstd(blank + end)
    yield "LHE.zst, one comment", "packed", _zstd(comment + end)
    yield "LHE.zst, weights", "packed", _zstd(with_weights(b"<rwgt>" + b"<wgt id='a'>1</wgt>\n" * 500_000))
    begun = hepmc.split(b"\nE ")[0] + b"\nE 0 1 3000000\n"
    yield "HepMC.zst, one event", "packed", _zstd(begun + b"A 0 x 1\n" * (HUGE // 8))
    yield "library.zst, one line", "packed", _zstd(columns + b"1" * HUGE)
    yield "LHE, 1e7 particles in an event", "lhe", head + b"<event>\n 10000000 1 1 0 0 0\n" + event[30:]
    long = event.replace(b"e+", _DIGITS + b"e+", 1)
    yield "LHE, a number of 1e6 digits", "lhe", head + b"<event>" + long + end
    yield "LHE, 1e6 openings of a tag", "lhe", head + b"<a " * 1_000_000 + b"\n" + end
    yield (
        "LHE, an attribute of 1e6 letters",
        "lhe",
        with_weights(b"<rwgt><wgt " + b"a" * 1_000_000 + b">1</wgt></rwgt>"),
    )
    names = b"<initrwgt>" + b"<weight id='a'/>\n" * 500_000 + b"</initrwgt>"
    yield "LHE, 5e5 names of weights", "lhe", head.replace(b"</header>", names + b"</header>") + end
    yield "HepMC, 1e6 names of weights", "hepmc", hepmc.replace(b"\nW ", b"\nW " + b"a\\|" * 1_000_000, 1)
    of_file, of_event = hepmc.split(b"\nE ", 1)
    long = of_event.replace(b"e+", _DIGITS + b"e+", 1)
    yield "HepMC, a number of 1e6 digits", "hepmc", of_file + b"\nE " + long
    yield "library, 900 digits and a letter", "library", columns + b"1" * 900 + b"x\n"
    for name in ("constraint", "spectrum", "profile", "widths", "efficiency", "form_factor"):
        seed = strangers.READERS[name].seeds(folder)[0]
        yield f"{name}, a number of 1e6 digits", name, seed.rsplit(b"1", 1)[0] + _DIGITS + b"\n"


def _documents(folder: Path) -> Iterator[Bomb]:
    deep = (b"[" * DEEP, b'{"a":' * DEEP, b'{"a":' + b"[" * 900 + b"]" * 900 + b"}")
    for name in ("metadata", "plan", "correction", "state", "cited"):
        for i, text in enumerate(deep):
            yield f"{name}, deep JSON {i + 1}", name, text
        yield f"{name}, a number of 1e6 digits", name, b'{"version": ' + _DIGITS + b"}"
    meta = strangers.READERS["metadata"].seeds(folder)[0]
    yield (
        "metadata, a card of deep TOML",
        "metadata",
        json.dumps(json.loads(meta) | {"card": "a = " + "[" * DEEP}).encode(),
    )
    card = card_text("fermilab").encode()
    for name, more in (
        ("deep lists", b"x = " + b"[" * DEEP), ("deep tables", b"[" + b"a." * DEEP + b"a]"),
        ("deep inline tables", b"x = " + b"{a=" * DEEP), ("a number of 1e6 digits", b"x = " + _DIGITS),
        ("5e4 keys", b"".join(b"k%d = 1\n" % i for i in range(50_000))),
        ("a key of 4e5 letters", b"k" * 400_000 + b"=1"),
    ):  # fmt: skip
        yield f"card, {name}", "card", card + b"\n" + more
    huge = base64.b64encode(zlib.compress(b" " * (8 * HUGE), 9))
    yield "figure, packed inputs", "figure", b"\x89PNG\r\n\x1a\n[used " + huge + b"]"
    yield "state, a packed link", "state", base64.urlsafe_b64encode(zlib.compress(b" " * HUGE)).rstrip(b"=")


def _root(folder: Path, columns: dict[str, Any], metadata: str | None = None, rntuple: bool = False) -> bytes:
    path = folder / "bomb.root"
    with uproot.recreate(path, compression=uproot.ZSTD(9)) as file:
        make = file.mkrntuple if rntuple else file.mktree
        make("events", {name: np.dtype((c.dtype, c.shape[1:])) for name, c in columns.items()}).extend(columns)
        file["metadata"] = metadata or ""
    return path.read_bytes()


def _sealed(metadata: EventMeta, n: int, names: list[str]) -> str:
    hashes = {name: metadata["branch_sha256"].get(name, "0") for name in names}
    return json.dumps((metadata | {"n_events": n, "branch_sha256": hashes}).sealed())


def _binary(folder: Path) -> Iterator[Bomb]:
    import h5py
    import pyarrow as pa
    from pyarrow import parquet

    made = strangers.files_of_events(folder)
    whole = EventFile(made["few.root"])
    names, n = ["event", "E_mu"], HUGE // 8
    zeros = {"event": np.zeros(n, np.uint64), "E_mu": np.zeros(n)}
    text = _sealed(whole.metadata, n, names)
    yield "ROOT, baskets of zeros", "root", _root(folder, zeros, text)
    yield "RNTuple, pages of zeros", "root", _root(folder, zeros, text, rntuple=True)
    wide = {"event": np.zeros(1_000, np.uint64), "E_mu": np.zeros((1_000, HUGE // 8_000))}
    yield "ROOT, 12 kB in each of 1000 events", "root", _root(folder, wide, _sealed(whole.metadata, 1_000, names))
    few = {name: column[:4] for name, column in zeros.items()}
    yield "ROOT, metadata of 12 MB", "root", _root(folder, few, json.dumps({"a": " " * HUGE}))
    yield "ROOT, 1e15 events said", "root", _root(folder, few, _sealed(whole.metadata, 10**15, names))
    table = pa.table(zeros).replace_schema_metadata({b"mcgen": text.encode()})
    for name, dictionary in (("pages of zeros", False), ("a dictionary of one word", True)):
        stream = io.BytesIO()
        parquet.write_table(table, stream, compression="zstd", use_dictionary=dictionary)
        yield f"Parquet, {name}", "parquet", stream.getvalue()
    for name in ("events", "particles", "init", "procInfo"):
        path = folder / "bomb.lheh5"
        path.write_bytes(made["decays.lheh5"].read_bytes())
        with h5py.File(path, "r+") as file:
            kind, columns, about = file[name].dtype, file[name].shape[1:], dict(file[name].attrs)
            del file[name]
            file.create_dataset(name, shape=(10**12, *columns), dtype=kind, chunks=(1000, *columns))
            file[name].attrs.update(about)
        yield f"LHEH5, {name} of 1e12 rows without content", "lheh5", path.read_bytes()


def bombs(folder: Path) -> Iterator[Bomb]:
    """(what it is, reader, bytes) of each."""
    kinds: tuple[Callable[[Path], Iterator[Bomb]], ...] = (_text, _documents, _binary)
    for kind in kinds:
        yield from kind(folder)


def main() -> int:
    """The command line."""
    faults = 0
    with tempfile.TemporaryDirectory() as made, tempfile.TemporaryDirectory() as scratch:
        for what, reader, data in bombs(Path(made)):
            began, before = time.process_time(), strangers.peak()
            outcome, fault = strangers.law(reader, data, Path(scratch))
            seconds, more = time.process_time() - began, (strangers.peak() - before) / 1e6
            print(f"{what:48} {len(data):9d} B  {outcome:8} {seconds:6.2f} s {more:6.0f} MB  {fault}", flush=True)
            faults += bool(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
