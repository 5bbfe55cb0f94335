"""Random cards and command lines for `validation.fuzz`."""

from __future__ import annotations

import copy
import functools
import random
import tomllib
from pathlib import Path
from typing import Any

import tomli_w

from mcgen.card.card import builtin_cards, card_text
from mcgen.physics.boson.couplings import MODELS_OF
from mcgen.physics.matter.materials import ELEMENTS, MATERIALS

EXTREME = ("1e-300", "5e-324", "1e-30", "0", "-0.0", "-1", "1e30", "1e300", "1e308", "1e309", "nan", "inf", "-inf", "",
           "1e", "0x10", "٣", "1_000", "1" + "0" * 400, "😀", "a\nb", "1,2", "1:2:3")  # fmt: skip
STRINGS = (
    "",
    "x",
    "W",
    "Pb",
    "A",
    "none",
    "\0",
    "\u202e",
    "é" * 300,
    "../../etc/passwd",
    "[bold]",
    "%s%n",
    "{}",
    "nan",
)
ODD: tuple[Any, ...] = (None, True, -1, 0, 10**30, -(2**63), 1e308, 1e-308, float("nan"), float("inf"), [], {}, [[]],
                        {"a": 1}, ["x"] * 5, *STRINGS)  # fmt: skip
THRESHOLD = 2.0 * 0.1056583755


@functools.cache
def _builtin() -> list[dict[str, Any]]:
    return [tomllib.loads(card_text(name)) for name in builtin_cards()]


def extreme_number(rng: random.Random) -> str:
    """A text that may be a number."""
    return rng.choice(EXTREME) if rng.random() < 0.5 else f"{10.0 ** rng.uniform(-300.0, 300.0):.17g}"


def quantity(rng: random.Random, low: float, high: float, unit: str, bad: float = 0.01) -> str:
    """A number with a unit, log-uniform; with probability `bad` no sensible one."""
    if rng.random() < bad:
        return extreme_number(rng) + rng.choice((" " + unit, "", " parsec"))
    return f"{low * (high / low) ** rng.random():.6g} {unit}"


def mass(rng: random.Random, bad: float = 0.02) -> str:
    """Masses in GeV: log-uniform, or just beside a threshold of decay or production."""
    if rng.random() < 0.15:
        base = rng.choice((THRESHOLD, 2.0 * 0.51099895e-3, 2.0 * 1.77686, 2.6, 4.0))
        return f"{base * (1.0 + rng.choice((-1, 1, 0)) * 10.0 ** rng.uniform(-16.0, -1.0))!r} GeV"
    return quantity(rng, *rng.choice(((1e-12, 100.0), (1e-3, 0.3))), "GeV", bad)


def _layer(rng: random.Random) -> dict[str, Any]:
    layer: dict[str, Any] = {"length": quantity(rng, 1e-6, 300.0, "cm")}
    kind = rng.random()
    if kind < 0.6:
        layer["material"] = rng.choice(list(MATERIALS) if rng.random() < 0.97 else [*ELEMENTS, *STRINGS])
    elif kind < 0.8:
        names = rng.sample(list(ELEMENTS), rng.randint(1, 4))
        shares = [rng.random() ** 4 + 1e-12 for _ in names]
        layer |= {
            "material": "mix",
            "fractions": {n: s / sum(shares) for n, s in zip(names, shares, strict=True)},
            "density": quantity(rng, 1e-4, 30.0, "g/cm3"),
        }
    else:
        layer |= {"material": "x", "Z": rng.uniform(0.99, 120.1), "A": rng.uniform(0.99, 300.1)}
        layer["n_atom"] = quantity(rng, 1e10, 1e24, "/cm3")
    if kind > 0.82 or rng.random() < 0.2:
        layer["dE_dy"] = quantity(rng, 1e-6, 1.0, "GeV/cm")
    if rng.random() < 0.01:
        layer["n_atom"] = quantity(rng, 1e10, 1e24, "/cm3")
    if rng.random() < 0.1:
        layer["density"] = quantity(rng, 1e-10, 1e3, "g/cm3")
    return layer


def _beam(rng: random.Random) -> dict[str, Any]:
    beam: dict[str, Any] = {"particle": rng.choices(("mu+", "mu-", "e+", "e-"), (6, 2, 1, 2))[0]}
    beam["muons"] = 10.0 ** rng.uniform(-3.0, 30.0)
    kind = rng.random()
    if kind < 0.75:
        beam["energy"] = quantity(rng, *rng.choice(((0.107, 1e5), (1.0, 300.0))), "GeV")
        if rng.random() < 0.25:
            beam["energy_spread"] = rng.choice((rng.uniform(0.0, 0.2), 1e-15, 0.2))
    else:
        edges = sorted(10.0 ** rng.uniform(-0.9, 3.0) for _ in range(rng.randint(2, 6)))
        counts = [rng.choice((0.0, 1.0, 1e-30, 1e30, rng.random())) for _ in edges[1:]]
        beam["spectrum"] = {"energy": ", ".join(f"{e!r} GeV" for e in edges), "particles": counts}
    if rng.random() < 0.3:
        beam |= {"spot": quantity(rng, 1e-9, 1e4, "cm"), "divergence": quantity(rng, 1e-12, 0.2, "rad")}
    return beam


def _target(rng: random.Random, muons: bool) -> dict[str, Any]:
    n = rng.choices((0, 1, 2, 3, 12), (50, 10, 20, 15, 5))[0]
    target: dict[str, Any] = {"layer": [_layer(rng) for _ in range(n)]} if n else _layer(rng)
    if rng.random() < 0.7:
        target["E_min"] = quantity(rng, 0.1, 2.0, "GeV")
    if rng.random() < 0.6:
        by_name = all("Z" not in layer for layer in target.get("layer", [target]))
        fitting = (
            (["constant", "none"] + ["table"] * 3 * by_name) if muons else ["constant", "none", "shower", "shower"]
        )
        target["energy_loss"] = rng.choice(fitting if rng.random() < 0.97 else ["table", "shower"])
    if rng.random() < 0.3:
        target["multiple_scattering"] = True
    return target


def _detector(rng: random.Random) -> dict[str, Any]:
    detector: dict[str, Any] = {
        "signature": rng.choice(("displaced", "missing-energy")),
        "L_det": quantity(rng, 1e-3, 1e5, "cm"),
    }
    if rng.random() < 0.3:
        detector["gap"] = quantity(rng, 1e-3, 1e5, "cm")
    if rng.random() < 0.3:
        detector["x_min"] = rng.choice((0.0, 0.3, 0.5, 0.9, 0.999999))
    if rng.random() < 0.2:
        detector["E_S_min"] = quantity(rng, 1e-9, 1e3, "GeV")
    if rng.random() < 0.35:
        detector["geometry"] = "3d"
        if rng.random() < 0.5:
            detector["radius"] = quantity(rng, 1e-6, 1e5, "cm")
        else:
            detector |= {"width": quantity(rng, 1e-6, 1e5, "cm"), "height": quantity(rng, 1e-6, 1e5, "cm")}
        if rng.random() < 0.4:
            detector["E_daughter_min"] = quantity(rng, 1e-6, 1e2, "GeV")
        if rng.random() < 0.3:
            detector["daughters"] = rng.choice(("both", "any"))
    return detector


def random_card(rng: random.Random) -> dict[str, Any]:
    """A card with all its sections, most of them possible."""
    mediator = rng.choices(("scalar", "pseudoscalar", "vector", "axial"), (4, 1, 2, 1))[0]
    models = MODELS_OF[mediator]
    model = rng.choice(models) if rng.random() < 0.97 else rng.choice(("A", "B", "dark-photon", "Lmu-Ltau", "C"))
    scalar: dict[str, Any] = {"mass": mass(rng), "mediator": mediator, "model": model}
    if rng.random() < 0.5:
        scalar["g_mu"] = 10.0 ** rng.uniform(-30.2, 3.05)
    if rng.random() < 0.2:
        scalar |= {"invisible": rng.choice((0.0, 0.5, 0.9, 0.999999999, 1e-12, 1e-300))}
    if rng.random() < 0.1:
        scalar["width"] = "ee_only"
    beam = _beam(rng)
    couplings = f"{10.0 ** rng.uniform(-30.2, -5.0):.3g}:{10.0 ** rng.uniform(-4.0, 3.0):.3g}:3"
    return {
        "name": "fuzz",
        "beam": beam,
        "target": _target(rng, beam["particle"].startswith("mu")),
        "detector": _detector(rng),
        "scalar": scalar,
        "scan": {"g_mu": couplings, "mass": mass(rng), "models": [model]},
        "run": {"events": 50, "seed": rng.choice((0, 1, 2**62)), "form_factor": rng.choice(
            ("paper", "tsai", "elastic", "helm") if rng.random() < 0.9 else ("fourier-bessel", "table"))},
    }  # fmt: skip


def _places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path] * bool(path) + [place for key, value in children for place in _places(value, (*path, key))]


def edited(rng: random.Random, document: dict[str, Any], values: tuple[Any, ...] = ODD) -> dict[str, Any]:
    """A copy in which some values are others, or gone, or doubled under a new name."""
    document = copy.deepcopy(document)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        *path, last = rng.choice(_places(document) or [("x",)])
        parent = functools.reduce(lambda node, key: node[key], path, document)
        kind = rng.random()
        if kind < 0.2 and isinstance(parent, dict) and last in parent:
            del parent[last]
        elif kind < 0.3 and isinstance(parent, dict):
            parent[rng.choice(("extra", "", "é", str(last) + "x"))] = copy.deepcopy(rng.choice(values))
        elif kind < 0.6 and isinstance(parent[last], str):
            unit = parent[last].split()[-1:] if rng.random() < 0.8 else ["GeV"]
            parent[last] = " ".join([extreme_number(rng), *unit])
        else:
            parent[last] = copy.deepcopy(rng.choice(values))
    return document


def _without_none(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _without_none(value) for key, value in node.items() if value is not None}
    return [_without_none(value) for value in node if value is not None] if isinstance(node, list) else node


def _damaged(rng: random.Random, text: str) -> bytes:
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    for _ in range(rng.randint(1, 5)):
        at = rng.randrange(len(data) + 1)
        data[at : at + rng.choice((0, 0, 1, 10))] = rng.choice(
            (b"\0", b"\xff", b"[", b'"', b"= ", b"\n", b"1e999", b"[" * 2000)
        )
    return bytes(data)


def write_card(rng: random.Random, path: Path) -> None:
    """A random card, an edited one of those that come along, or a damaged text."""
    kind = rng.random()
    if kind < 0.005:
        with path.open("wb") as stream:
            stream.truncate(100_000_000)
        return
    document = random_card(rng) if kind < 0.55 else edited(rng, rng.choice(_builtin()))
    if 0.5 < kind < 0.55:
        document = edited(rng, document)
    text = tomli_w.dumps(_without_none(document))
    path.write_bytes(_damaged(rng, text) if kind > 0.9 else text.encode("utf-8", "replace"))


def card_case(rng: random.Random, folder: Path) -> list[list[str]]:
    """Command lines, one after the other while they succeed, on a random card."""
    write_card(rng, folder / "card.toml")
    how = rng.random()
    if how < 0.5:
        return [["reach", "card.toml", "--model", rng.choice(("A", "B", "dark-photon")), "--mass", mass(rng), "--json"]]
    if how < 0.55:
        return [["crosscheck", "card.toml", "--mass", mass(rng), "--energy", quantity(rng, 0.1, 1e4, "GeV"), "--json"]]
    if how < 0.57:
        return [["show", "card.toml", "-o", "layout.png", "--tracks", "5"]]
    if how < 0.60:
        return [["run", "card.toml", "-o", "results", "--events", "20", "--json"]]
    options = [flag for flag in ("--weighted", "--decays", "--force-decay", "--rntuple") if rng.random() < 0.2]
    made = [
        "generate",
        "card.toml",
        "-o",
        "e.root",
        "--events",
        str(rng.choice((1, 2, 50))),
        "--workers",
        "1",
        *options,
    ]
    after = ["reweight", "e.root", "--json", "--energy-bins", rng.choice(("1", "7"))]
    extra = ["-o", "e" + rng.choice((".hepmc3", ".lhe", ".parquet", ".csv", "2.root"))]
    last = rng.choice(
        (["info", "e.root", "--json", "--verify"], ["export", "e.root", *extra], ["reach", "--events", "e.root"])
    )
    return [made, after, last]


def _option(rng: random.Random, name: str, files: list[Path]) -> list[str]:
    values = {
        "energy": lambda: quantity(rng, 0.1, 1e5, "GeV", 0.2),
        "mass": lambda: mass(rng, 0.2),
        "energies": lambda: quantity(rng, 0.2, 300.0, "GeV", 0.2),
        "unit": lambda: rng.choice(("MeV", "GeV", "TeV")),
        "target": lambda: rng.choice([*ELEMENTS, "", "Wx", "water"]),
        "g-mu": lambda: rng.choice((f"{10.0 ** rng.uniform(-40.0, 4.0):.3g}", "1e-6:1e-2:5", extreme_number(rng))),
        "events": lambda: rng.choice(("1", "2", "20", "1e1", rng.choice(EXTREME))),  # nothing that would fill a disk
        "output": lambda: rng.choice(("o.root", "o.csv", "o.json", "o.lhe", "o.hepmc3.gz", "o.parquet", "no/o.root",
                                      "/proc/o.root", "/dev/null", ".", "", "o" * 300 + ".root", "o.png")),
        "model": lambda: rng.choice(("A", "B", "A,B", "dark-photon", "C", "")),
        "form-factor": lambda: rng.choice(("paper", "tsai", "elastic", "helm", "fourier-bessel", "x", "x.txt")),
        "mediator": lambda: rng.choice(("scalar", "pseudoscalar", "vector", "axial", "tensor")),
        "method": lambda: rng.choice(("exact", "ww", "iww", "probability", "vertex", "")),
        "production": lambda: rng.choice(("exact", "ww", "iww", "x")),
        "spectrum": lambda: rng.choice(("x", "t", "theta", "y")),
        "edges": lambda: ",".join(rng.choice((extreme_number(rng), *"01234")) for _ in range(3)),
        "couplings": lambda: ",".join(f"{rng.choice((0.0, 1e-4, -1e-3, 1e-300, 1e3)):g}" for _ in range(3)),
        "lepton": lambda: rng.choice(("mu", "e", "tau")),
        "states": lambda: rng.choice(("1", "3", "0")),
        "job": lambda: rng.choice(("0/1", "1/2", "2/2", "0/0", "1", "x/y")),
        "branches": lambda: rng.choice(("x,t", "x,,", "nope", "E_mu,depth_cm,S_E")),
        "layout": lambda: rng.choice(("flat", "particles", "x")),
        "events-file": lambda: str(rng.choice(files)),
    }  # fmt: skip
    number = lambda: rng.choice(("1", "5", "3.5", extreme_number(rng)))  # noqa: E731
    name = name.removeprefix("--")
    return ["--events" if name == "events-file" else f"--{name}", values.get(name, number)()]


#: command -> positional arguments, options with a value, flags
COMMANDS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "xsec": ((), "target energy mass lepton mediator method form-factor spectrum edges", "json"),
    "reach": (("card",), "model mass n-signal production output states spacing constraints", "json"),
    "reweight": (("file",), "model g-mu couplings method energy-bins form-factor mediator output", "json"),
    "export": (("file",), "output layout", "decays force-decay rntuple json"),
    "info": (("file",), "", "json verify"),
    "merge": (("file", "file"), "output", "json"),
    "generate": (("card",), "output mass events seed branches chunk partition job partition-events workers",
                 "weighted decays force-decay rntuple verify json quiet verbose"),
    "crosscheck": (("card",), "mass energy seed", "json"),
    "schema": ((), "", "json markdown"),
    "library": (("card",), "output energies events mass seed unit", "json"),
}  # fmt: skip
_NEEDED = {"xsec": ("target", "energy", "mass"), "crosscheck": ("mass",), "library": ("output", "energies", "events"),
           "export": ("output",), "merge": ("output",),
           "generate": ("output", "events"), "reach": ("mass",)}  # fmt: skip


def command_case(rng: random.Random, folder: Path, files: list[Path]) -> list[str]:
    """A command line of any command, with options that fit or do not."""
    if rng.random() < 0.03:
        return [rng.choice([*COMMANDS, *STRINGS[:6], "--json", "-h"]) for _ in range(rng.randint(1, 4))]
    command = rng.choices(list(COMMANDS), (30, 8, 22, 10, 5, 5, 10, 3, 1, 5))[0]
    positional, options, flags = COMMANDS[command]
    line = [command]
    for what in positional:
        if what == "file":
            line.append(str(rng.choice([*files, folder / "missing.root", folder])))
        else:
            line.append(rng.choice(("fermilab", "na64", "fermilb", str(folder))))
    needed = _NEEDED.get(command, ())
    chosen = [o for o in options.split() if (o in needed and rng.random() < 0.97) or rng.random() < 0.25]
    for option in chosen:
        line += _option(rng, option, files)
    line += [f"--{flag}" for flag in flags.split() if rng.random() < 0.3]
    line = [word.replace("\0", "?") for word in line]  # no process can be given one
    if rng.random() < 0.05:
        line.insert(rng.randrange(1, len(line) + 1), rng.choice([*STRINGS[:6], "--workers", "-o"]))
    return line
