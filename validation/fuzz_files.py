"""Event files for `validation.fuzz`: whole ones, and ones that were damaged or forged."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import uproot

from mcgen import load_card
from mcgen.events.export import export
from mcgen.events.formats.root import EventFile
from mcgen.events.meta import EventMeta
from mcgen.generation.generate import generate
from mcgen.generation.library import library
from validation.fuzz_cards import ODD, edited, random_card

#: numbers that a float column should not hold
POISON = (np.nan, np.inf, -np.inf, -1.0, 0.0, 1e308, -1e308, 1e-320)


#: events of another generator, which need a card
MADGRAPH = Path(__file__).parent / "reference" / "madgraph_W_1GeV_mS0.1.lhe.gz"
FOREIGN = "zforeign"


def originals(folder: Path) -> list[Path]:
    """Small event files of every kind."""
    kinds: dict[str, tuple[str, float, dict[str, Any]]] = {
        "plain": ("fermilab", 0.1, {}),
        "ntuple": ("na64", 0.01, {"rntuple": True}),
        "decays": ("fermilab", 0.25, {"decays": True}),
        "forced": ("na64", 0.1, {"force_decay": True, "weighted": True}),
        "few": ("fermilab", 0.1, {"branches": ("E_mu", "depth_cm", "S_E"), "seed": 2}),
    }
    for name, (card, m_S, options) in kinds.items():
        seed = options.pop("seed", 1)
        generate(load_card(card), m_S, 300, seed, output=folder / f"{name}.root", **options)
    for name, ending in (("plain", ".parquet"), ("decays", ".lhe"), ("plain", ".lhe.gz"), ("forced", ".hepmc3")):
        export(EventFile(folder / f"{name}.root"), folder / f"{name}{ending}")
    foreign = gzip.decompress(MADGRAPH.read_bytes()).split(b"</event>\n", 20)[:-1]
    (folder / f"{FOREIGN}.lhe").write_bytes(b"</event>\n".join([*foreign, b"</LesHouchesEvents>\n"]))
    library(load_card("fermilab"), folder / f"{FOREIGN}.csv", [1.0, 2.0], 20, 0.1)
    (folder / f"{FOREIGN}.lhe.gz").write_bytes(gzip.compress((folder / f"{FOREIGN}.lhe").read_bytes()))
    return sorted(folder.glob("*.*"))


_WORDS = (
    b"nan", b"inf", b"-1", b"1e309", b"x", b"99999999999", b"", b"0", b"</event>\n", b"<event>\n",
    b"<!--", b"-->", b"#", b"<a", b"</a>", b"</init>\n", b"<header>\n", b"1.0D+02", b"1_0", b"\xe9",
)  # fmt: skip


def _bytes(rng: random.Random, data: bytes) -> bytes:
    kind = rng.random()
    if data.startswith((b"<Les", b"HepMC", b"target_Z")) and kind < 0.8:
        return _text(rng, data)
    if kind < 0.3:
        return data[: rng.randrange(len(data))]
    changed = bytearray(data)
    if kind < 0.4:
        return bytes(changed) + rng.randbytes(rng.randint(1, 1000))
    for _ in range(rng.choice((1, 1, 5, 50))):
        # headers are at the ends
        at = rng.choice((rng.randrange(len(data)), rng.randrange(min(600, len(data))), -rng.randint(1, 3000)))
        changed[at] = rng.randrange(256)
    return bytes(changed)


def _text(rng: random.Random, data: bytes) -> bytes:
    """A text with words exchanged, lines lost or endless."""
    lines = data.splitlines(keepends=True)
    for _ in range(rng.choice((1, 1, 5))):
        at = rng.randrange(len(lines)) if rng.random() < 0.7 else rng.randrange(min(20, len(lines)))
        words = lines[at].split(b" ")
        kind = rng.random()
        if kind < 0.6:
            words[rng.randrange(len(words))] = rng.choice(_WORDS)
            lines[at] = b" ".join(words)
        elif kind < 0.8:
            del lines[at]
        else:
            lines[at] *= rng.choice((2, 2000))
    return b"".join(lines)


def _columns(rng: random.Random, columns: dict[str, Any]) -> dict[str, Any]:
    columns = dict(columns)
    for _ in range(rng.choice((1, 1, 3))):
        name = rng.choice(list(columns))
        column = columns[name]
        kind = rng.random()
        if kind < 0.55:
            column = column.astype(float)
            column[rng.randrange(len(column)) :: rng.choice((1, 7, 1000))] = rng.choice(POISON)
            columns[name] = column
        elif kind < 0.65:
            columns[name] = column.astype(rng.choice((np.float32, np.int64, np.int8, np.bool_, np.uint64)))
        elif kind < 0.75:
            columns[name] = np.stack([column, column], axis=1)
        elif kind < 0.85 and len(columns) > 1:
            del columns[name]
        else:
            columns[name] = np.zeros_like(column) + rng.choice((0, 1, 82))
    return columns


def _metadata(rng: random.Random, metadata: dict[str, Any]) -> tuple[dict[str, Any], str]:
    kind = rng.random()
    if kind < 0.1:
        import tomli_w

        metadata = metadata | {"card": tomli_w.dumps(random_card(rng))}
    elif kind < 0.8:
        metadata = edited(rng, metadata, ODD)
    text = json.dumps(EventMeta(metadata).sealed())
    if kind > 0.9:
        bombs = ("[" * 100_000, '{"a":' * 100_000, "1" * 10_000, " " * 11_000_000, '"' + "x" * 3_000_000, "null")
        lies = (text[:-1], text.replace("0", "9"), '{"checksum": NaN}', text.replace("true", "NaN"))
        text = rng.choice((*bombs, *lies))
    return metadata, text


def _forged(rng: random.Random, path: Path, original: Path) -> None:
    file = EventFile(original)
    columns, metadata = file.read().columns, file.metadata
    text = json.dumps(EventMeta(metadata).sealed())
    if rng.random() < 0.5:
        columns = _columns(rng, columns)
    else:
        metadata, text = _metadata(rng, metadata)
    with uproot.recreate(path, compression=uproot.LZ4(1)) as out:
        if rng.random() < 0.97:
            make = out.mkrntuple if rng.random() < 0.2 and all(c.ndim == 1 for c in columns.values()) else out.mktree
            make("events", {name: np.dtype((c.dtype, c.shape[1:])) for name, c in columns.items()}).extend(columns)
        else:
            out["events"] = rng.choice(("a text", np.histogram([1.0, 2.0])))
        out["metadata"] = text


def file_case(rng: random.Random, folder: Path, files: list[Path]) -> list[list[str]]:
    """One command line on a damaged or forged event file."""
    original = rng.choice(files)
    path = folder / f"bad{''.join(original.suffixes)}"
    if original.suffix != ".root" or rng.random() < 0.4:
        path.write_bytes(_bytes(rng, original.read_bytes()))
    else:
        _forged(rng, path, original)
    name = str(path)
    ending = rng.choice((".hepmc3", ".hepmc3.gz", ".lhe", ".parquet", ".csv", "2.root"))
    line = ["export", name, "-o", str(folder / f"out{ending}"), *(["--decays"] if rng.random() < 0.3 else [])]
    if original.name.startswith(FOREIGN) and rng.random() < 0.8:
        if rng.random() < 0.1:
            path.write_bytes(original.read_bytes())
        card = ["--card", rng.choice(("fermilab", "fermilab", "na64"))]
        return [rng.choice(([*line, *card], ["reweight", name, "--g-mu", "1e-4", "--json", *card]))]
    return [
        rng.choices(
            (
                ["info", name, "--json"],
                ["info", name, "--verify"],
                ["reweight", name, "--g-mu", "1e-5,1e-3", "--energy-bins", "5", "--json"],
                ["reweight", name, "--g-mu", "1e-4", "--method", "vertex"],
                ["reweight", name, "--g-mu", "1e-4", "--form-factor", "helm", "--json"],
                ["reach", "--model", "A", "--events", name, "--json"],
                line,
                [*line, "--layout", "particles"] if ending == "2.root" else line,
                ["merge", name, str(files[0]), "-o", str(folder / "m.root")],
                ["merge", name, "-o", str(folder / "m.root")],
                ["rerun", name, "--workers", "1"],
            ),
            (2, 2, 4, 1, 1, 2, 3, 2, 1, 1, 0.3),
        )[0]
    ]
