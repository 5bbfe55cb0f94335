"""What each compiled stage needs at least on this machine, and what it takes.

    python -m validation.roofline

The operations of a point are counted in the code of a stage before several points are taken at a time. What an
operation costs is measured with loops that do little else, on arrays as long as a block. Divisions and roots share one
unit of a core, the rest runs beside them: the larger of the two sums is the least time of a stage.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from mcgen.base.jit import jit
from mcgen.generation import kernel, stages
from mcgen.generation.lattice import Proposals

#: of a scalar value: kind of operation by its name in LLVM; comparisons and choices count as other arithmetic
_OTHERS = """
    fadd fsub fmul fneg fcmp select mul add xor lshr and or shl minnum maxnum fabs copysign uitofp sitofp fptosi fptoui
"""
_KINDS = {"fdiv": "divisions", "sqrt": "roots"} | dict.fromkeys(_OTHERS.split(), "others")
_COUNTED = re.compile(r"= (?:tail )?(?:call [^@]*@llvm\.)?(\w+)")
STAGES = ("draw", "rays", "transfers", "amplitude", "form_factor", "weights", "momenta", "place")


def count(code: str) -> Counter[str]:
    """Operations by kind in the body of a function: of its loops, without what is computed before them."""
    blocks = re.split(r"\n\n(?=\S+:)", code)[1:]
    lines = [line for block in blocks if ".preheader:" not in block for line in block.splitlines()]
    found = (_COUNTED.search(line) for line in lines if "sunkaddr" not in line)
    return Counter(_KINDS[match.group(1)] for match in found if match and match.group(1) in _KINDS)


@jit
def _never(process: Any) -> bool:  # noqa: ARG001
    return False


def counted() -> dict[str, dict[str, int]]:
    """Operations of each stage for muons, of code compiled here; wants a process without vectors and an empty cache."""
    import llvmlite.binding

    import mcgen
    from mcgen.generation import lattice
    from mcgen.physics.emission import phase_space

    for option in ("--unroll-count=1", "--unswitch-threshold=1"):  # each loop once
        llvmlite.binding.set_option("", option)
    stages.is_light = phase_space.is_light = _never  # what only light leptons need is no part of the code then
    mcgen.generate(mcgen.load_card("fermilab"), events=1000)
    found = {}
    for name in STAGES:
        function = next(vars(module)[name] for module in (lattice, stages, kernel) if name in vars(module))
        compiled = next(iter(function.overloads.values()))
        body = compiled.library.get_llvm_str().split(f"@{compiled.fndesc.llvm_func_name}(")
        text = next(part for part in body[1:] if part.split("\n", 1)[0].rstrip().endswith("{"))
        found[name] = dict(count(text.split("\n}\n", 1)[0]))
    return found


_CHILD = "import json; from validation.roofline import counted; print(json.dumps(counted()))"


def operations() -> dict[str, dict[str, int]]:
    """The same from a process of its own."""
    with tempfile.TemporaryDirectory() as cache:
        path = os.pathsep.join(filter(None, sys.path))
        environment = os.environ | {"NUMBA_CACHE_DIR": cache, "NUMBA_LOOP_VECTORIZE": "0", "PYTHONPATH": path}
        done = subprocess.run(
            [sys.executable, "-c", _CHILD], capture_output=True, text=True, env=environment, check=True
        )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@jit
def _divide(a: Any, out: Any) -> None:
    for i in range(a.size):
        out[i] = ((1.5 / a[i]) / (2.5 + a[i])) / (3.5 + a[i]) + 4.5 / (a[i] - 0.5)


@jit
def _root(a: Any, out: Any) -> None:
    for i in range(a.size):
        out[i] = np.sqrt(a[i]) + np.sqrt(1.5 + a[i]) + np.sqrt(2.5 + a[i]) + np.sqrt(3.5 + a[i])


@jit
def _multiply(a: Any, out: Any) -> None:
    for i in range(a.size):
        x = a[i]
        y = (((x * 0.5 + 0.1) * x + 0.2) * x + 0.3) * x + 0.4
        z = (((x * 0.6 + 0.7) * x + 0.8) * x + 0.9) * x + 0.15
        u = (((x * 0.65 + 0.75) * x + 0.85) * x + 0.95) * x + 0.25
        v = (((x * 0.35 + 0.55) * x + 0.12) * x + 0.22) * x + 0.45
        out[i] = y * z + u * v


def fastest(call: Callable[[], Any], rounds: int = 200) -> float:
    """Shortest time in ns, which other work on the machine disturbs least."""
    call()
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return 1e9 * best


def costs() -> dict[str, float]:
    """ns of an operation by kind, and of a double written to memory."""
    a, out = np.random.default_rng(1).random(stages.SIZE) + 1.0, np.empty(stages.SIZE)
    loops = {"divisions": (_divide, 4), "roots": (_root, 4), "others": (_multiply, 35)}
    found = {kind: fastest(partial(run, a, out)) / (n * a.size) for kind, (run, n) in loops.items()}
    large = np.empty(1 << 24)
    found["written"] = fastest(partial(large.fill, 1.0), 10) / large.size
    return found


def times() -> dict[str, float]:
    """ns of a point in each stage of the card fermilab."""
    import mcgen
    from mcgen.generation.generate import _beamline
    from mcgen.generation.normalisation import prepare
    from mcgen.source.source import Source

    prepared = prepare(Source(mcgen.load_card("fermilab")), 0.1, 1)
    ready, n = prepared.components[0], stages.SIZE
    own, seed, events = ready.process, np.uint64(1), np.arange(n)
    proposals = Proposals(ready.lattice, own, seed, np.uint64(kernel.EVENTS), events)
    block, queue, made = proposals.block, proposals.queue, np.empty((2, n), np.int64)
    queue[0], queue[1], made[:] = events, 0, events
    out, beam = np.empty((len(kernel.ROW), n)), _beamline(prepared, n, weighted=False)
    proposals.propose(n)
    steps = {
        "draw": lambda: proposals._draw(n),
        "rays": lambda: proposals._rays(n),
        "transfers": partial(stages.transfers, own, block, n),
        "amplitude": partial(stages.amplitude, own, block, n),
        "form_factor": partial(stages.form_factor, own, block, n),
        "weights": partial(stages.weights, own.M, block, n),
        "momenta": partial(stages.momenta, own, seed, events, made, block, n, n),
        "place": partial(kernel.place, beam, seed, events, made, block, out, n, n),
    }
    return {name: fastest(run) / n for name, run in steps.items()}


@dataclass
class Need:
    """Operations of a point in a stage, the least time that they take, and the time that it takes, in ns."""

    name: str
    divisions: int
    roots: int
    others: int
    least: float
    takes: float


def needs() -> tuple[dict[str, float], list[Need]]:
    """What an operation costs, and each stage."""
    cost, counts, taken = costs(), operations(), times()
    rows = []
    for name in STAGES:
        own = Counter(counts[name])
        slow = own["divisions"] * cost["divisions"] + own["roots"] * cost["roots"]
        least = max(slow, own["others"] * cost["others"])
        rows.append(Need(name, own["divisions"], own["roots"], own["others"], least, taken[name]))
    return cost, rows


def table(cost: dict[str, float], rows: list[Need]) -> str:
    """A row for each stage."""
    lines = [
        "ns of an operation: " + ", ".join(f"{kind} {value:.3f}" for kind, value in cost.items()),
        f"{'stage':12} {'divisions':>9} {'roots':>6} {'others':>7} {'at least':>9} {'takes':>7} {'ratio':>6}",
    ]
    for r in rows:
        numbers = f"{r.divisions:9} {r.roots:6} {r.others:7} {r.least:9.1f} {r.takes:7.1f} {r.takes / r.least:6.1f}"
        lines.append(f"{r.name:12} {numbers}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(*needs()))
