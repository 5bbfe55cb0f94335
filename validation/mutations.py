"""Small faults in a source: the changes of one place that leave it a program, and a repeatable choice of them."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

#: operator: how it is written, and what it becomes
OPERATORS = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"), ast.Pow: ("**", "*"),
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"), ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="), ast.And: ("and", "or"), ast.Or: ("or", "and"),
}  # fmt: skip
#: function: what is called in its place; "" leaves its argument alone
FUNCTIONS = {
    "min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "sin": "cos", "cos": "sin", "sqrt": "",
    "abs": "", "expm1": "exp", "log1p": "log", "sinh": "cosh", "cosh": "sinh", "asinh": "sinh", "floor": "ceil",
    "ceil": "floor", "any": "all", "all": "any",
}  # fmt: skip
SYMMETRIC = {"min", "max", "minimum", "maximum", "hypot"}


class Mutant(NamedTuple):
    """One change of a module's source."""

    module: str  #: without the package's name
    line: int
    kind: str
    before: str
    after: str
    source: str  #: of the whole module, changed
    place: tuple[int, int] | None  #: first and last line of the function around it, None outside of functions


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

    def of(self, node: Any) -> str:
        """The text of a node, in parentheses."""
        return f"({self.cut(*self.span(node))})"


def _walk(node: ast.AST, place: tuple[int, int] | None = None) -> Iterator[tuple[ast.AST, tuple[int, int] | None]]:
    """All nodes below that compute something, no types and no messages, and the lines of the function around each."""
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            says = isinstance(child, (ast.JoinedStr, ast.Raise)) or (
                isinstance(child, ast.Assign) and ast.unparse(child.targets[0]) in ("message", "__all__")
            )
            says = says or (isinstance(child, ast.keyword) and child.arg == "strict")  # guards what cannot happen
            if not isinstance(child, ast.AST) or says or name in ("annotation", "returns", "decorator_list"):
                continue
            inside = place
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                first = min([child.lineno, *(d.lineno for d in child.decorator_list)])
                inside = first, child.end_lineno or first
            yield child, inside
            yield from _walk(child, inside)


def _operators(node: ast.AST, text: _Text) -> Iterator[tuple[str, int, int, str]]:
    pairs: list[tuple[Any, ast.AST, Any]] = []
    if isinstance(node, ast.BinOp):
        pairs = [(node.left, node.op, node.right)]
    elif isinstance(node, ast.Compare):
        pairs = [*zip([node.left, *node.comparators], node.ops, node.comparators, strict=False)]
    elif isinstance(node, ast.BoolOp):
        pairs = [(a, node.op, b) for a, b in zip(node.values, node.values[1:], strict=False)]
    for left, operator, right in pairs:
        begin, end = text.span(left)[1], text.span(right)[0]
        old, new = OPERATORS.get(type(operator), ("", ""))
        gap = text.cut(begin, end)
        found = old and re.search(rf"(?<![\w*/<>=!]){re.escape(old)}(?![\w*/<>=])", gap.split("#")[0])
        if found:
            kind = {ast.BinOp: "arithmetic", ast.Compare: "comparison"}.get(type(node), "boolean")
            yield kind, begin, end, f"{gap[: found.start()]}{new}{gap[found.end() :]}"


def _calls(node: ast.Call, text: _Text) -> Iterator[tuple[str, int, int, str]]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    begin, end = text.span(node.func)
    if FUNCTIONS.get(name):
        yield "other function", begin, end, text.cut(begin, end - len(name)) + FUNCTIONS[name]
    elif name in FUNCTIONS and len(node.args) == 1:
        yield "function removed", *text.span(node), text.of(node.args[0])
    plain = not any(isinstance(argument, ast.Starred) for argument in node.args)
    if plain and name not in SYMMETRIC:
        for a, b in zip(node.args, node.args[1:], strict=False):
            (begin, middle), (start, end) = text.span(a), text.span(b)
            swapped = text.cut(start, end) + text.cut(middle, start) + text.cut(begin, middle)
            yield "swapped arguments", begin, end, swapped


def _changes(node: ast.AST, text: _Text) -> Iterator[tuple[str, int, int, str]]:
    """(kind, first byte, last byte + 1, new text) of every change at a node."""
    yield from _operators(node, text)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.Div)):
        yield "dropped term", *text.span(node), text.of(node.left)
    if isinstance(node, ast.Call):
        yield from _calls(node, text)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "boolean", *text.span(node), str(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        more = " * 1.01" if isinstance(node.value, float) and node.value else " + 1"
        yield "constant", *text.span(node), f"({text.cut(*text.span(node))}{more})"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not)):
        yield "sign" if isinstance(node.op, ast.USub) else "boolean", *text.span(node), text.of(node.operand)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name) and len(node.slice.id) < 3:
        yield "index", *text.span(node.slice), f"{node.slice.id} + 1"
    if isinstance(node, (ast.If, ast.While, ast.IfExp)) and ast.unparse(node.test) != "TYPE_CHECKING":
        yield "negated", *text.span(node.test), f"(not {text.of(node.test)})"
        yield "branch dropped", *text.span(node.test), f"({text.of(node.test)} and False)"
    if isinstance(node, ast.AugAssign) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        yield "dropped statement", *text.span(node), "pass"
    if isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
        yield "returns 0", *text.span(node), "return 0"


class Source:
    """A module, with the changes of it that are left to choose from."""

    def __init__(self, module: str, path: Path) -> None:
        self.module = module
        self._source = path.read_text(encoding="utf-8")
        self.lines = self._source.count("\n")
        self._text, self._tree = _Text(self._source), ast.parse(self._source)
        #: kind: first byte, last byte + 1, new text, lines of the function
        self.left: dict[str, list[tuple[int, int, str, tuple[int, int] | None]]] = {}
        for node, place in _walk(self._tree):
            for kind, begin, end, new in _changes(node, self._text):
                self.left.setdefault(kind, []).append((begin, end, new, place))

    def mutant(self, kind: str, begin: int, end: int, new: str, place: tuple[int, int] | None) -> Mutant | None:
        """One change as a mutant; None if it cannot be parsed or is the same program."""
        text = self._text
        changed = text.cut(0, begin) + new + text.cut(end)
        try:
            same = ast.dump(ast.parse(changed)) == ast.dump(self._tree)
        except SyntaxError:
            return None
        if same:
            return None
        line, last = (text.cut(0, byte).count("\n") + 1 for byte in (begin, end))
        before = " ".join(s.strip() for s in self._source.splitlines()[line - 1 : last])
        after = " ".join(s.strip() for s in changed.splitlines()[line - 1 : line + new.count("\n")])
        return Mutant(self.module, line, kind, before, after, changed, place)

    def draw(self, rng: random.Random) -> Mutant | None:
        """A mutant that was not drawn before, first a kind and then a place; None if there is no more."""
        while self.left:
            kind = rng.choice(sorted(self.left))
            change = self.left[kind].pop(rng.randrange(len(self.left[kind])))
            if not self.left[kind]:
                del self.left[kind]
            if mutant := self.mutant(kind, *change):
                return mutant
        return None


def choose(modules: dict[str, Path], count: int, seed: int) -> list[Mutant]:
    """Mutants without repetition, shared between modules by their lines."""
    sources = {module: Source(module, path) for module, path in sorted(modules.items())}
    taken = dict.fromkeys(sources, 0)
    chosen: list[Mutant] = []
    while sources and len(chosen) < count:
        module = max(sources, key=lambda m: sources[m].lines / (2 * taken[m] + 1))  # Sainte-Lague's shares
        mutant = sources[module].draw(random.Random(f"{seed} {module} {taken[module]}"))
        taken[module] += 1
        if mutant:
            chosen.append(mutant)
        else:
            del sources[module]
    return chosen
