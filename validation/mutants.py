"""Small faults put into the package on purpose, one at a time, and whether the tests notice.

    python -m validation.mutants --count 300 --seed 1 [--only mcgen.rates]

A mutant is a copy of the package with one change: another operator, a constant 1 % larger, a condition turned round,
a statement dropped, a result of 0. The tests that belong to the module run against the copy in a temporary folder;
nothing is written here. What no test notices, ends at the time limit or cannot be run counts as not killed. Ctrl-C
stops the run and prints what is known. The same seed gives the same mutants of the same source.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
#: what the tests read
COPIED = ("mcgen", "tests", "validation", "cards", "docs", "pyproject.toml", "README.md", "CHANGELOG.md")
#: module: files of tests that are quick without numba, and those to run with it if the first let a mutant pass
TESTS: dict[str, tuple[str, str]] = {
    "physics._double_double": ("amplitude", "mediators"),
    "physics.amplitude": ("dirac amplitude", "mediators cross_section"),
    "physics.atomic_data": ("stopping_power multiple_scattering", "straggling"),
    "physics.couplings": ("model hadrons", "builtin_cards"),
    "physics.cross_section": ("", "cross_section mediators rates"),
    "physics.csda_range": ("stopping_power multiple_scattering", ""), "physics.density_effect": ("stopping_power", ""),
    "physics.energy_loss": ("stopping_power", "target straggling beam"), "physics.fiducial": ("", "rates acceptance"),
    "physics.form_factor": ("model amplitude", "form_factor cross_section"),
    "physics.geometry": ("geometry", "geometry acceptance"), "physics.iww": ("", "cross_section rates"),
    "physics.kaon": ("", "kaon"), "physics.kinematics": ("amplitude phase_space", "cross_section"),
    "physics.mediator": ("dirac amplitude", "mediators"),
    "physics.multiple_scattering": ("multiple_scattering", "multiple_scattering"),
    "physics.muon_g2": ("model", "constraints builtin_cards mediators"), "physics.nuclear_shape": ("", "form_factor"),
    "physics.particles": ("phase_space", "event_ratio"),
    "physics.phase_space": ("phase_space", "sampler cross_section"),
    "physics.photon_flux": ("", "form_factor cross_section"), "physics.precise_amplitude": ("amplitude", "mediators"),
    "physics.quadrature": ("", "cross_section rates"), "physics.radiative_loss": ("stopping_power", "straggling"),
    "physics.scalar_decay": ("model hadrons", "mediators events builtin_cards"),
    "physics.signal_yield": ("", "rates reweighting"), "physics.stopping_power": ("stopping_power", ""),
    "physics.thick_target": ("", "beam dump_lines"), "physics.two_body": ("phase_space", "events acceptance"),
    "physics.ww": ("", "cross_section mediators"), "rates": ("", "rates crossings target"),
    "acceptance": ("", "acceptance dump_lines"), "decays": ("", "events acceptance"),
    "xsec": ("", "cross_section cli mediators"), "track_rules": ("", "rates target beam straggling"),
    "lattice": ("", "sampler generation"), "stages": ("", "stages sampler events"),
    "event_kernel": ("", "events generation sampler beam_profile"),
    "normalisation": ("", "generation production"), "generation": ("", "generation events production"),
    "production": ("", "production"), "pool": ("", "production reading"),
}  # fmt: skip
SWAPPED = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"), ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"), ast.And: ("and", "or"), ast.Or: ("or", "and"),
}  # fmt: skip


class Mutant(NamedTuple):
    """One change of a module's source."""

    kind: str
    module: str
    line: int
    before: str
    after: str
    source: str  #: of the whole module, changed


def _swap(gap: str, operator: ast.AST) -> str | None:
    """The text between two operands with the other operator, comments apart; None if it has no other."""
    old, new = SWAPPED.get(type(operator), ("", ""))
    found = old and re.search(rf"(?<![\w*/<>=]){re.escape(old)}(?![\w*/<>=])", gap.split("#")[0])
    return f"{gap[: found.start()]}{new}{gap[found.end() :]}" if found else None


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes below that compute something: no types, no messages."""
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            says = isinstance(child, (ast.JoinedStr, ast.Raise)) or (
                isinstance(child, ast.Assign) and ast.unparse(child.targets[0]) in ("message", "__all__")
            )
            if isinstance(child, ast.AST) and not says and name not in ("annotation", "returns", "decorator_list"):
                yield child
                yield from _walk(child)


class _Text:
    """A source by its bytes, as a syntax tree counts columns."""

    def __init__(self, source: str) -> None:
        self.bytes = source.encode()
        self._starts = [0, *(found.end() for found in re.finditer(b"\n", self.bytes))]

    def span(self, node: Any) -> tuple[int, int]:
        """First byte of a node and the one after its last."""
        first, last = self._starts[node.lineno - 1], self._starts[node.end_lineno - 1]
        return first + node.col_offset, last + node.end_col_offset

    def cut(self, begin: int, end: int | None = None) -> str:
        """The text between two bytes."""
        return self.bytes[begin:end].decode()


def _changes(node: ast.AST, text: _Text) -> Iterator[tuple[str, int, int, str]]:
    """(kind, first byte, last byte + 1, new text) of every change at a node."""
    pairs: list[tuple[Any, ast.AST, Any]] = []
    if isinstance(node, ast.BinOp):
        pairs = [(node.left, node.op, node.right)]
    elif isinstance(node, ast.Compare):
        pairs = [*zip([node.left, *node.comparators], node.ops, node.comparators, strict=False)]
    elif isinstance(node, ast.BoolOp):
        pairs = [(a, node.op, b) for a, b in zip(node.values, node.values[1:], strict=False)]
    for left, operator, right in pairs:
        begin, end = text.span(left)[1], text.span(right)[0]
        new = _swap(text.cut(begin, end), operator)
        if new is not None:
            yield type(operator).__name__, begin, end, new
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        more = " * 1.01" if isinstance(node.value, float) and node.value else " + 1"
        yield "constant", *text.span(node), f"({text.cut(*text.span(node))}{more})"
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        yield "negated", *text.span(node.test), f"(not ({text.cut(*text.span(node.test))}))"
    if isinstance(node, ast.AugAssign) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        yield "dropped", *text.span(node), "pass"
    if isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
        yield "returns 0", *text.span(node), "return 0"


def mutants(module: str) -> list[Mutant]:
    """All mutants of a module that can be parsed and are another program."""
    source = (ROOT / "mcgen" / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
    text, tree = _Text(source), ast.parse(source)
    found = []
    for node in _walk(tree):
        for kind, begin, end, new in _changes(node, text):
            changed = text.cut(0, begin) + new + text.cut(end)
            line = text.cut(0, begin).count("\n") + 1
            try:
                same = ast.dump(ast.parse(changed)) == ast.dump(tree)
            except SyntaxError:
                continue
            if not same:
                lines = [s.splitlines()[line - 1].strip() for s in (source, changed)]
                found.append(Mutant(kind, module, line, *lines, changed))
    return found


def choose(modules: list[str], count: int, seed: int) -> Iterator[Mutant]:
    """Mutants without repetition: the modules in turn, in each first a kind, then a place."""
    rng = random.Random(seed)
    left = {module: mutants(module) for module in modules}
    while count > 0 and any(left.values()):
        for module in rng.sample(modules, len(modules)):
            if left[module] and count > 0:
                kind = rng.choice(sorted({m.kind for m in left[module]}))
                mutant = rng.choice([m for m in left[module] if m.kind == kind])
                left[module].remove(mutant)
                count -= 1
                yield mutant


def tested(folder: Path, names: str, compiled: bool, limit: float, without: list[str]) -> tuple[str, list[str]]:
    """What tests say of the copy in a folder, "killed", "survived" or "timed out", and which of them fail."""
    environment = os.environ | {"PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(folder / "cache")}
    environment["NUMBA_DISABLE_JIT"] = "0" if compiled else "1"
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-n0", "--tb=no", "-rfE", "-p", "no:cacheprovider"]
    command += [f"--basetemp={folder / 'scratch'}", *(f"tests/test_{name}.py" for name in names.split())]
    command += [*(f"--deselect={name}" for name in without), *(["-x"] if without else [])]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True, **streams) as child:
        try:
            output = child.communicate(timeout=limit)[0].decode()
        except subprocess.TimeoutExpired:
            return "timed out", []
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)  # with its own children
            shutil.rmtree(folder / "cache", ignore_errors=True)  # kernels of one mutant are of no use to the next
    failed = re.findall(r"^(?:FAILED|ERROR) (\S.*?)(?: - .*)?$", output, re.MULTILINE)
    return ("survived" if child.returncode in (0, 5) else "killed"), failed  # 5: no test was found


def judged(folder: Path, mutant: Mutant, limit: float, sound: dict[tuple[str, bool], list[str] | None]) -> str:
    """What both sets of tests say of a mutant; `sound` remembers which tests fail without it, None for no answer."""
    path = folder / "mcgen" / f"{mutant.module.replace('.', '/')}.py"
    original, result = path.read_text(encoding="utf-8"), "not run"
    for compiled, names in enumerate(TESTS[mutant.module]):
        key = names, bool(compiled)
        if names and key not in sound:
            verdict, failed = tested(folder, *key, limit, [])
            sound[key] = None if verdict == "timed out" or (verdict == "killed" and not failed) else [*failed, "none"]
        if names and not sound[key]:
            result = "not run"
        if without := sound.get(key):
            path.write_text(mutant.source, encoding="utf-8")
            result = tested(folder, *key, limit, without)[0]
            path.write_text(original, encoding="utf-8")
        if result == "killed":
            break
    return result


def run(modules: list[str], count: int, seed: int, limit: float, counts: Counter[str]) -> None:
    """Make mutants, test them, print each as it comes, and count."""
    sound: dict[tuple[str, bool], list[str] | None] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in COPIED:
            (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, folder / name)
        for mutant in choose(modules, count, seed):
            started = time.monotonic()
            result = judged(folder, mutant, limit, sound)
            counts.update([result, "all"])
            change = "" if result == "killed" else f": {mutant.before} -> {mutant.after}"
            where = f"mcgen/{mutant.module.replace('.', '/')}.py:{mutant.line}"
            print(f"{result:9s} {where}{change} ({mutant.kind}, {time.monotonic() - started:.0f} s)", flush=True)


def main() -> None:
    """Read the command line, run, and print the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", default=[], metavar="MODULE", help="mcgen.rates, mcgen.physics, ...")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds for the tests of one mutant")
    arguments = parser.parse_args()
    asked = tuple(f"{name.removeprefix('mcgen.')}." for name in arguments.only or TESTS)
    modules = [module for module in TESTS if f"{module}.".startswith(asked)]
    if not modules:
        parser.error(f"--only {' '.join(arguments.only)}: no module of {', '.join(TESTS)}")
    with contextlib.suppress(KeyboardInterrupt):
        run(modules, arguments.count, arguments.seed, arguments.limit, counts := Counter())
    results = ", ".join(f"{counts[name]} {name}" for name in ("killed", "survived", "timed out", "not run"))
    print(f"{counts['all']} mutants of {len(modules)} modules, seed {arguments.seed}: {results}; "
          f"{counts['killed'] / max(1, counts['all']):.0%} killed")  # fmt: skip


if __name__ == "__main__":
    main()
