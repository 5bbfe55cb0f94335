"""Whether compiled stages take several points at a time: packed and scalar operations in their assembly.

    python -m validation.assembly

Code from numba's cache has no assembly, so a process with an empty cache compiles it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass

_OPERATION = re.compile(r"\s+v?(?:add|sub|mul|div|sqrt|min|max|fn?m(?:add|sub)\d+)([ps])d\s+(.*)")


@dataclass
class Stage:
    """Arithmetic of doubles in the machine code of a kernel."""

    name: str
    bits: int  #: of the widest packed operation; 64 if there is none
    packed: int
    scalar: int

    @property
    def share(self) -> float:
        """Packed ones of all; a half is whole, for a scalar loop takes the last points."""
        return self.packed / max(1, self.packed + self.scalar)


def count(name: str, assembly: str) -> Stage:
    """What there is in the text of a kernel."""
    operations = [match.groups() for match in map(_OPERATION.match, assembly.splitlines()) if match]
    packed = [
        512 if "%zmm" in registers else 256 if "%ymm" in registers else 128
        for kind, registers in operations
        if kind == "p"
    ]
    return Stage(name, max(packed, default=64), len(packed), len(operations) - len(packed))


def widest() -> int:
    """Bits at a time that this machine can be expected to take."""
    import llvmlite.binding

    return 256 if llvmlite.binding.get_host_cpu_features().get("avx") else 128


def compiled() -> list[Stage]:
    """The kernels between a lattice and events, after some have been made."""
    import mcgen
    from mcgen.generation import kernel, lattice, stages

    mcgen.generate(mcgen.load_card("fermilab"), events=1000)
    return [
        count(name, "\n".join(function.inspect_asm().values()))
        for module in (lattice, stages, kernel)
        for name, function in vars(module).items()
        if getattr(function, "overloads", None) and function.__module__ == module.__name__ and name[0] != "_"
    ]


_CHILD = """
import json
from validation.assembly import compiled
print(json.dumps([vars(stage) for stage in compiled()]))
"""


def fresh() -> list[Stage]:
    """The same from a process of its own with an empty cache."""
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"NUMBA_CACHE_DIR": cache, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(
            [sys.executable, "-c", _CHILD], capture_output=True, text=True, env=environment, check=True
        )
    return [Stage(**found) for found in json.loads(done.stdout)]


def table(found: list[Stage]) -> str:
    """A row for each stage."""
    rows = [f"{s.name:16} {s.bits:5} {s.packed:7} {s.scalar:7} {s.share:6.2f}" for s in found]
    return "\n".join([f"{'stage':16} {'bits':>5} {'packed':>7} {'scalar':>7} {'share':>6}", *rows])


if __name__ == "__main__":
    print(table(fresh()))
