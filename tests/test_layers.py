"""Floors of the package: a file imports only from below, and each says what it is for."""

from __future__ import annotations

import ast
import functools
import sys
from pathlib import Path

import pytest

import mcgen

PACKAGE = Path(mcgen.__file__).parent
MODULES = {
    ".".join(("mcgen", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
PHYSICS = [name for name in MODULES if name.startswith("mcgen.physics")]
#: the house: rooms with their floors, and the packages of others that each may use; a room imports from its own floor
#: downwards only from itself, and from all floors below
ROOMS: dict[str, tuple[int, str]] = {
    "base": (1, "numba llvmlite numpy"),
    "physics": (2, "numpy"),
    "statistics": (2, "numpy pyhf"),
    "card": (3, "numpy pydantic tomli_w correctionlib"),
    "source": (4, "numpy"),
    "search": (5, "numpy"),
    "quadrature": (6, "numpy"),
    "events": (6, "numpy awkward vector uproot pydantic"),
    "generation": (7, "numpy"),
    "analysis": (8, "numpy"),
    "campaign": (8, "numpy"),
    "report": (9, "numpy matplotlib mplhep"),
    "explorer": (10, "numpy panel bokeh param tornado"),
    "cli": (11, "click rich"),
}


@functools.cache
def imports(name: str) -> frozenset[str]:
    """Modules of the package that a module imports anywhere, `if TYPE_CHECKING` included."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(next(p for p in _prefixes(i) if p in MODULES) for i in found if i.split(".")[0] == "mcgen")


def _prefixes(dotted: str) -> list[str]:
    """The name itself, then its parents: the first that is a module is what gets imported."""
    parts = dotted.split(".")
    return [".".join(parts[:n]) for n in range(len(parts), 0, -1)]


def _within(name: str, allowed: list[str]) -> bool:
    return any(name == a or name.startswith(f"{a}.") for a in allowed)


#: what `import mcgen` offers
NAMES = [
    "load_card", "generate", "save", "load", "reweight", "sigma_tilde", "n_signal", "reach", "crosscheck",
    "cross_section", "crosscheck_events",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_documented_python_names(name):
    """The verbs of the interface are callable at the top of the package; fails if one is renamed or not listed."""
    assert callable(getattr(mcgen, name))
    assert name in dir(mcgen)
    assert name in mcgen.__all__


def test_unknown_python_names():
    """An unknown name is an AttributeError, as for any module; fails if the lazy lookup raises another error."""
    assert not hasattr(mcgen, "nonsense")


def test_the_reader_of_imports_sees_them():
    """Imports inside functions and of names count too; fails if the tests below look at nothing."""
    assert "mcgen.physics.emission.kinematics" in imports("mcgen.physics.emission.amplitude")
    assert "mcgen.quadrature.yields" in imports("mcgen.generation.normalisation")
    assert "mcgen.quadrature.xsec" in imports("mcgen.cli.xsec")
    assert len(MODULES) > 30


#: what the equations stand on
GROUND = ["mcgen.base.constants", "mcgen.base.elementary", "mcgen.base.jit"]


@pytest.mark.parametrize("name", PHYSICS)
def test_physics_knows_only_physics(name):
    """Equations import numbers, functions, the compiler and each other; fails if a unit, a card or a file comes in."""
    below = ["mcgen.base.arrays", "mcgen.base.elementary", *GROUND, "mcgen.physics"]
    above = [i for i in imports(name) if not _within(i, below)]
    assert above == []


@pytest.mark.parametrize("name", GROUND)
def test_ground(name):
    """Constants and the compiler's options import nothing else of the package; fails at the first such import."""
    assert imports(name) <= {"mcgen.base.jit"} - {name}


def room_of(name):
    """The room of a module; of the package itself, whose faces hand names on, and its version, none."""
    return name.split(".")[1] if name not in ("mcgen", "mcgen.__main__", "mcgen._version") else None


INSIDE = [name for name in MODULES if room_of(name)]


@functools.cache
def packages(name):
    """Packages of others that a module imports anywhere."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module.split(".")[0])
    return frozenset(found - {"mcgen"} - sys.stdlib_module_names)


def test_every_module_has_a_room():
    """No module stands outside the rooms, and there are few of them; fails for a new folder or a file beside them."""
    assert {room_of(name) for name in INSIDE} == set(ROOMS)
    assert len(ROOMS) <= 14
    assert max(floor for floor, _ in ROOMS.values()) <= 12


@pytest.mark.parametrize("name", INSIDE)
def test_nothing_imports_upwards(name):
    """A module imports from its room and from floors below; fails if data begin to know what is done with them."""
    floor = {room: floor for room, (floor, _) in ROOMS.items()}
    mine = room_of(name)
    others = {room_of(i) for i in imports(name)} - {mine, None}
    assert [other for other in others if floor[other] >= floor[mine]] == []


@pytest.mark.parametrize("name", INSIDE)
def test_packages_have_their_floors(name):
    """A third-party package is used where its room says; fails for a plot in the physics, or ROOT files in a card."""
    assert packages(name) <= set(ROOMS[room_of(name)][1].split())


def test_the_house_would_notice():
    """An upward import and a stray package are seen; fails if the tests above look at nothing."""
    assert "mcgen.generation.generate" in imports("mcgen.analysis.samples")
    assert packages("mcgen.events.formats.root") == {"awkward", "numpy", "uproot"}
    assert len(INSIDE) > 100
    with pytest.raises(KeyError):
        ROOMS[room_of("mcgen.nowhere")]


@pytest.mark.parametrize("name", [n for n in MODULES if _within(n, ["mcgen.cli", "mcgen.report.plot"])])
def test_edges_hold_no_physics(name):
    """Command line and plots import no equation but the couplings; fails if a formula is evaluated at an edge."""
    assert [i for i in imports(name) if _within(i, ["mcgen.physics"]) and i != "mcgen.physics.boson.couplings"] == []


@pytest.mark.parametrize("name", [n for n in MODULES if n not in ("mcgen.cli", "mcgen.__main__")])
def test_nothing_imports_the_command_line(name):
    """Only the command line imports itself; fails if the library calls a command."""
    if not _within(name, ["mcgen.cli"]):
        assert not any(_within(i, ["mcgen.cli"]) for i in imports(name))


def test_no_circle():
    """No module imports itself through others at run time; fails if two floors merge."""

    def visit(name, path):
        assert name not in path, " -> ".join([*path, name])
        if name not in clear:
            for below in imports(name) - {"mcgen", name}:
                visit(below, (*path, name))
            clear.add(name)

    clear: set[str] = set()
    for name in MODULES:
        if name != "mcgen":  # it imports for type checkers only
            visit(name, ())


@pytest.mark.parametrize("name", MODULES)
def test_docstring(name):
    """Every module begins with a sentence on what it is; fails if one is empty."""
    text = ast.get_docstring(ast.parse(MODULES[name].read_text(encoding="utf-8")))
    assert text
    assert len(text.split()) > 2
