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
#: the house: rooms from the ground up with the modules in them, and the packages of others that each may use; a room
#: knows those below, never one above
ROOMS: dict[str, tuple[str, str]] = {
    "base": (
        "_jit _version constants errors estimate units files rng threads interrupts extras pdg palette crossings "
        "tracing regions",
        "numba llvmlite numpy",
    ),
    "physics": ("physics", "numpy"),
    "matter": ("materials track straggling mulder_tables form_factors beam_profile", "numpy"),
    "card": ("quantities beam detector target card provenance", "numpy pydantic tomli_w"),
    "source": ("source", "numpy"),
    "search": ("search", "numpy"),
    "quadrature": ("quadrature", "numpy"),
    "events": ("branches event_meta events exposure decays", "numpy awkward vector pydantic"),
    "formats": ("formats pool", "numpy pydantic awkward uproot"),
    "generation": ("stages lattice event_kernel normalisation generation library", "numpy"),
    "analysis": (
        "event_ratio other_detector reweighting comparison contours dump_lines constraints exporting",
        "numpy",
    ),
    "campaign": ("production engines batch reproduction", "numpy"),
    "report": (
        "beyond paper layout plot layout_figure reach_figure report chain",
        "numpy matplotlib",
    ),
    "cli": ("cli", "click rich"),
}
FLOOR = {f"mcgen.{module}": i for i, (modules, _) in enumerate(ROOMS.values()) for module in modules.split()}


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
    "cross_section",
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
    assert "mcgen.physics.kinematics" in imports("mcgen.physics.amplitude")
    assert "mcgen.quadrature.yields" in imports("mcgen.normalisation")
    assert "mcgen.quadrature.xsec" in imports("mcgen.cli.xsec")
    assert len(MODULES) > 30


@pytest.mark.parametrize("name", PHYSICS)
def test_physics_knows_only_physics(name):
    """Equations import constants, the compiler and each other; fails if a unit, a card or a file comes in."""
    above = [i for i in imports(name) if not _within(i, ["mcgen.constants", "mcgen._jit", "mcgen.physics"])]
    assert above == []


@pytest.mark.parametrize("name", ["mcgen._jit", "mcgen.constants"])
def test_ground_floor(name):
    """Constants and the compiler's options import nothing of the package; fails at the first such import."""
    assert imports(name) == frozenset()


def floor_of(name):
    """Number of the floor of a module, from the ground; KeyError for a module in no room."""
    return FLOOR[".".join(name.split(".")[:2])]


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
    """No module stands outside the house and no room holds what is not there; fails for a new file on no list."""
    modules = {".".join(name.split(".")[:2]) for name in MODULES if name != "mcgen"}
    assert modules == set(FLOOR)
    assert len(FLOOR) == sum(len(modules.split()) for modules, _ in ROOMS.values())  # each in one room


@pytest.mark.parametrize("name", [name for name in MODULES if name != "mcgen"])
def test_nothing_imports_upwards(name):
    """A module imports from its own floor and those below; fails if data begin to know what is done with them."""
    assert [i for i in imports(name) - {"mcgen"} if floor_of(i) > floor_of(name)] == []


@pytest.mark.parametrize("name", [name for name in MODULES if name != "mcgen"])
def test_packages_have_their_floors(name):
    """A third-party package is used where its room says; fails for a plot in the physics, or ROOT files in a card."""
    allowed = list(ROOMS.values())[floor_of(name)][1].split()
    assert packages(name) <= set(allowed)


def test_the_house_would_notice():
    """An upward import and a stray package are seen; fails if the tests above look at nothing."""
    assert floor_of("mcgen.quadrature.yields") < floor_of("mcgen.generation") < floor_of("mcgen.cli.run")
    assert "mcgen.generation" in imports("mcgen.contours")
    assert packages("mcgen.formats.root") == {"awkward", "numpy", "uproot"}
    with pytest.raises(KeyError):
        floor_of("mcgen.nowhere")


@pytest.mark.parametrize("name", [n for n in MODULES if _within(n, ["mcgen.cli", "mcgen.plot"])])
def test_edges_hold_no_physics(name):
    """Command line and plots import no equation but the couplings; fails if a formula is evaluated at an edge."""
    assert [i for i in imports(name) if _within(i, ["mcgen.physics"]) and i != "mcgen.physics.couplings"] == []


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
