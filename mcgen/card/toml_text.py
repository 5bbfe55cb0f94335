"""The text of a card with other values: comments stay where only values change."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import tomli_w

from mcgen.base.errors import refuse_if

#: a line of a table, of one in a list, and of a key
_HEADER, _ENTRY = re.compile(r"\s*\[\s*([\w.-]+)\s*\]\s*(#.*)?"), re.compile(r"\s*\[\[\s*([\w.-]+)\s*\]\]\s*(#.*)?")
_KEY = re.compile(r"(\s*([\w-]+)\s*=\s*)(\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^#]*?)(\s*(?:#.*)?)")

#: a name of so many parts, whose tables take the square of their number to be made
_DEEP = re.compile(r"(?<![\"'\w-])(?:[\"'\w-]++[ \t]*+\.[ \t]*+){20}")

Path = tuple[str | int, ...]


def parse_toml(text: str) -> dict[str, Any]:
    """What a text says in TOML.

    Raises
    ------
    ValueError
        If it is none, or has tables in tables in tables; of too many lists in lists a RecursionError.
    """
    refuse_if(_DEEP.search(text), "tables are nested too deep", ValueError)
    return tomllib.loads(text)


def rewritten(text: str, content: dict[str, Any]) -> str:
    """The text of a card changed so that it says something else; without its comments where that is not possible.

    Parameters
    ----------
    text : str
        TOML.
    content : dict
        What the new text says.
    """
    try:
        old = tomllib.loads(text)
        if old == content:
            return text
        lines = text.splitlines()
        for path, value in _changes(old, content, ()):
            _change(lines, path, value)
        changed = "\n".join(lines).rstrip() + "\n"
        if tomllib.loads(changed) == content:
            return changed
    except (ValueError, RecursionError):  # a text that is no TOML, or became none
        pass
    return tomli_w.dumps(content)


def _changes(old: Any, new: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Places and values that differ; None where nothing is left."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _changes(old.get(key), new.get(key), (*path, key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new) and isinstance(old[0], dict):
        for i, pair in enumerate(zip(old, new, strict=True)):
            yield from _changes(*pair, (*path, i))
    elif isinstance(new, dict):
        if old is not None:
            yield path, None
        for key, value in new.items():
            yield from _changes(None, value, (*path, key))
    elif type(old) is not type(new) or old != new:
        yield path, new


def _places(lines: list[str]) -> Iterator[tuple[Path, int]]:
    """(place, line) of every table and key, in the order of the lines."""
    table: Path = ()
    counts: dict[Path, int] = {}
    for number, line in enumerate(lines):
        if found := _ENTRY.fullmatch(line):
            name = _inside(tuple(found[1].split(".")), counts)
            counts[name] = counts.get(name, -1) + 1
            table = (*name, counts[name])
            yield table, number
        elif found := _HEADER.fullmatch(line):
            table = _inside(tuple(found[1].split(".")), counts)
            yield table, number
        elif found := _KEY.fullmatch(line):
            yield (*table, found[2]), number


def _inside(names: tuple[str, ...], counts: dict[Path, int]) -> Path:
    """A table by its names, those of lists with their last entry."""
    path: Path = ()
    for name in names:
        if path in counts:
            path = (*path, counts[path])
        path = (*path, name)
    return path


def _change(lines: list[str], path: Path, value: Any) -> None:
    """Change, add or remove the line of a key."""
    places = dict(_places(lines))
    known = value is None or tomli_w.dumps({str(path[-1]): value}).rstrip("\n")
    if path in places:
        if value is None:
            del lines[places[path]]
            return
        found = _KEY.fullmatch(lines[places[path]])
        if found:
            lines[places[path]] = found[1] + str(known).split(" = ", 1)[1] + found[4]
        return
    if value is None:
        return
    table = path[:-1]
    inside = [number for place, number in places.items() if place == table or place[:-1] == table]
    if inside:
        lines.insert(max(inside) + 1, str(known))
    elif all(isinstance(part, str) for part in table):
        lines += ["", f"[{'.'.join(map(str, table))}]", str(known)]
