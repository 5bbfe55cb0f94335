"""Files of strangers, found by what they reach: each reader of `validation.strangers` under atheris (libFuzzer).

    python -m validation.guided lhe --seconds 600 -o found

The reader `command` is the whole program: the bytes stand for the random numbers of `validation.fuzz`, whose law holds.

Several readers, as plan+spectrum+profile, share a process: the first byte of an input says whose it is.

Bytes that reach a new line of the reader are kept and changed further. A fault of the law does not end the search: its
shortest input is kept under found/READER/faults, the numbers are in found/READER.json. The kernel that reads events
alike runs as plain Python, so that atheris sees it and numpy its indices. `--keep` copies inputs that reach something
to validation/corpus.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import importlib
import importlib.util
import io
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: packages whose lines guide the search, and a module whose kernels are not compiled
_SEEN, _PLAIN = ("mcgen", "uproot"), "mcgen.events.formats.lhe_alike"
#: bytes that the inputs kept of one reader may have, and how many there are
_KEPT, _MOST = 8_000, 40
#: longest input in bytes
_LONGEST = 100_000
_WORDS = (
    "nan", "inf", "-1", "1e309", "1e-320", "99999999999999999999", "</event>", "<event>", "<!--", "-->", "<![CDATA[",
    "<init>", "</init>", "<header>", "</header>", "<mcgen>", "</mcgen>", "<rwgt>", "<wgt id='a'>", "</wgt>",
    "<initrwgt>", "</initrwgt>", "<weight id='a'>", "#vertex ", "1.0D+02", "1_0", "E 0 1 5", "V -1 0 [1,2]", "A 0 ",
    "GenCrossSection", "W 1.0", "U MEV MM", "P 1 0 13", "N 1", "null", "true", "[]", "{}", "[[[[[[[[", "1e1000",
    "mass_gev", "beam_energy_gev", "weights", "options", "[beam]", "[[target.layer]]", "[search]", "[collider]",
    "[detector]", "[scalar]", "[scan]", "[run]", "spectrum", "profile", "efficiency", "../../etc/passwd", "/etc/passwd",
    "\\x1b[2J", "\\x0a", "\\x0d", "\\x00", "\\xff\\xfe", "\\xef\\xbb\\xbf", "\\xc2\\x9b", "\\xe2\\x80\\xae",
)  # fmt: skip


def _dictionary(folder: Path) -> Path:
    words = folder / "words"
    words.write_text("".join('"' + word.replace('"', '\\"') + '"\n' for word in _WORDS))
    return words


class Chosen(random.Random):
    """Random numbers that are bytes as long as there are any."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._bytes = io.BytesIO(data)

    def getrandbits(self, k: int) -> int:
        """An integer below 2^k."""
        taken = self._bytes.read((k + 7) // 8)
        return int.from_bytes(taken, "big") % (1 << k) if taken else super().getrandbits(k)

    def random(self) -> float:
        """A number from 0 to 1."""
        return self.getrandbits(16) / 65536.0


class Search:
    """Counts of a reader under search."""

    def __init__(self, name: str, out: Path, scratch: Path) -> None:
        self.name, self._out, self._scratch = name, out, scratch
        self._seconds, self._written = 0.0, time.monotonic()
        self._outcomes: collections.Counter[str] = collections.Counter()
        self._faults: dict[str, dict[str, Any]] = {}
        (out / name / "faults").mkdir(parents=True, exist_ok=True)
        if name == "command":
            from validation.fuzz import Fuzzer

            self._fuzzer = Fuzzer(1, scratch)

    def one(self, data: bytes) -> None:
        """Read bytes."""
        from validation import strangers

        began = time.monotonic()
        if self.name == "command":
            outcome, faults, _ = self._fuzzer.chosen(Chosen(data))
            fault = re.sub(r"tmp\w+|\d+", "N", faults[0])[:300] if faults else ""
        else:
            outcome, fault = strangers.law(self.name, data, self._scratch)
        self._seconds += time.monotonic() - began
        self._outcomes[outcome] += 1
        if fault:
            known = self._faults.setdefault(fault, {"count": 0, "bytes": len(data) + 1})
            known["count"] += 1
            if len(data) < known["bytes"]:
                known["bytes"] = len(data)
                label = hashlib.sha256(fault.encode()).hexdigest()[:8]
                (self._out / self.name / "faults" / label).write_bytes(data)
                known["input"] = label
        if time.monotonic() - self._written > 2.0:
            self.write()

    def write(self) -> None:
        """Keep the numbers."""
        self._written = time.monotonic()
        found = {
            "reader": self.name,
            "executions": sum(self._outcomes.values()),
            "seconds": round(self._seconds, 1),
            "outcomes": dict(self._outcomes),
            "faults": self._faults,
        }
        (self._out / f"{self.name}.json").write_text(json.dumps(found, indent=1))


def _mutator(atheris: Any, packing: str) -> Callable[[bytes, int, int], bytes]:
    """Changes the bytes inside a packed file; one time in four the packed ones."""
    from validation import strangers

    def change(data: bytes, largest: int, seed: int) -> bytes:
        if random.Random(seed).random() < 0.25:
            return bytes(atheris.Mutate(data, largest))
        inside = strangers.unpacked(packing, data)
        return strangers.packed(packing, bytes(atheris.Mutate(inside, len(inside) + 1000)))[:largest]

    return change


def _kernels() -> list[str]:
    """Modules of compiled kernels, which numba could not compile any more."""
    package = Path(__file__).parents[1] / "mcgen"
    found = [path for path in package.rglob("*.py") if "\n@jit" in path.read_text(encoding="utf-8")]
    names = [".".join(path.relative_to(package.parent).with_suffix("").parts) for path in found]
    return [name for name in names if name != _PLAIN]


def begin(name: str, out: Path) -> None:
    """Put valid files into the corpus of a search, and what earlier ones kept."""
    from validation import strangers

    corpus = out / name / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    names = name.split("+")
    with tempfile.TemporaryDirectory() as folder:
        for number, reader in enumerate(names):
            first = bytes([number]) if len(names) > 1 else b""
            if reader == "command":
                seeds = [random.Random(i).randbytes(200) for i in range(30)]
            else:
                seeds = strangers.READERS[reader].seeds(Path(folder))
            kept = [path.read_bytes() for path in (strangers.CORPUS / reader).glob("*")]
            for i, data in enumerate([*seeds, *kept]):
                (corpus / f"seed-{reader}-{i}").write_bytes(first + data)


def search(name: str, seconds: int, out: Path, seed: int) -> None:
    """Search in this process, which ends with it."""
    import atheris
    import numba

    names = name.split("+")
    seen = [package for package in _SEEN if package != "uproot" or "root" in names]
    with atheris.instrument_imports(include=seen, exclude=_kernels(), enable_loader_override=False):
        importlib.import_module("mcgen.base.decimal")
        numba.config.DISABLE_JIT = True
        importlib.import_module(_PLAIN)
        numba.config.DISABLE_JIT = False
        from validation import strangers
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        options = {
            "max_total_time": seconds, "max_len": _LONGEST, "dict": _dictionary(out), "seed": seed, "timeout": 6000,
            "rss_limit_mb": 6000, "artifact_prefix": f"{out / name}/", "verbosity": 0, "print_final_stats": 1,
        }  # fmt: skip
        flags = [f"-{key}={value}" for key, value in options.items()]
        packing = strangers.READERS[name].packing if name in strangers.READERS else ""
        searches = [Search(one, out, scratch) for one in names]

        def one(data: bytes) -> None:
            if len(searches) == 1:
                searches[0].one(data)
            elif data:
                searches[data[0] % len(searches)].one(data[1:])

        more = {"custom_mutator": _mutator(atheris, packing)} if packing else {}
        atheris.Setup([sys.argv[0], *flags, str(out / name / "corpus")], one, **more)
        atheris.Fuzz()


def keep(name: str, out: Path) -> None:
    """Copy small inputs of a search that reach something to the corpus, and those that found a fault."""
    from validation import strangers

    names = name.split("+")
    for number, reader in enumerate(names):
        faults = [path.read_bytes() for path in (out / reader / "faults").glob("*")]
        reached = [path.read_bytes() for path in sorted((out / name / "corpus").glob("*"), key=os.path.getsize)]
        if len(names) > 1:
            reached = [data[1:] for data in reached if data and data[0] % len(names) == number]
        _keep(strangers.CORPUS / reader, [*faults, *reached])


def _keep(folder: Path, found: list[bytes]) -> None:
    """Write small inputs into a folder, up to a number of bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    left = _KEPT
    for data in found[:_MOST]:
        if len(data) <= min(left, _KEPT * 4 // 5):
            left -= len(data)
            (folder / hashlib.sha256(data).hexdigest()[:12]).write_bytes(data)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reader")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, default=Path("found"))
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        print("validation.guided: atheris is not there: pip install atheris", file=sys.stderr)
        return 2
    if given.keep:
        keep(given.reader, given.output)
        return 0
    if given.inside:
        search(given.reader, given.seconds, given.output.absolute(), given.seed)
        return 0
    begin(given.reader, given.output)
    command = [sys.executable, "-m", "validation.guided", *sys.argv[1:], "--inside"]
    done = subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": "0"}, check=False)
    for name in given.reader.split("+"):
        path = given.output / f"{name}.json"
        print(path.read_text() if path.exists() else f"{name}: no numbers")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
