"""Named weights of Les Houches files: what <initrwgt> says of them, and <rwgt> of each event (LHE 3.0).

Lines that mcgen writes end in a `#`: ldmx-sw skips those, and it is no fault in XML.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from html import unescape
from itertools import groupby, zip_longest
from typing import Any
from xml.sax.saxutils import escape

_ATTRIBUTES = r"((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)"
_TAG = re.compile(rf"<(/?)(weightgroup|weight)\b{_ATTRIBUTES}>")
_ATTRIBUTE = re.compile(r"(?<![\w:.-])([\w:.-]++)\s*+=\s*+(\"[^\"]*\"|'[^']*')")
#: of forced decays, whose product is XWGTUP
FORCED = {"weight": "pb, all S wherever they decay", "decay_weight": "probability of the decay"}


def attributes(text: str) -> dict[str, str]:
    """Those of a tag."""
    return {name: _text(value[1:-1]) for name, value in _ATTRIBUTE.findall(text)}


def _text(raw: str) -> str:
    """Text of a file that was read as Latin-1, blanks as one."""
    with contextlib.suppress(UnicodeError):
        raw = raw.encode("latin-1").decode("utf-8")
    return " ".join(unescape(raw).split())


def declared(text: str) -> dict[str, dict[str, Any]]:
    """Name of each weight in the text of <initrwgt>, and what is said of it: text, group, further attributes."""
    found: dict[str, dict[str, Any]] = {}
    group, tags = "", list(_TAG.finditer(text))
    for tag, following in zip_longest(tags, tags[1:]):
        closes, kind, inside = tag.groups()
        of = attributes(inside)
        if kind == "weightgroup":
            group = "" if closes else of.get("name", of.get("type", ""))
        elif not closes and of.get("id"):
            empty = inside.endswith("/")
            says = "" if empty else _text(text[tag.end() : following.start() if following else None])
            name = of.pop("id")
            row = {"name": name, "text": says, "group": group, "attributes": of}
            found[name] = {key: value for key, value in row.items() if value}
    return found


def _quoted(text: str) -> str:
    """An attribute; a template of printf must not take its percent for a field."""
    return "'" + escape(text, {"'": "&apos;", "%": "&#37;"}) + "'"


def block(weights: Iterable[Mapping[str, Any]]) -> str:
    """<initrwgt> of weights; nothing if there are none."""
    lines = []
    for group, members in groupby(weights, lambda row: row.get("group", "")):
        lines += [f"<weightgroup name={_quoted(group)}> #"] if group else []
        for row in members:
            further = "".join(f" {name}={_quoted(value)}" for name, value in row.get("attributes", {}).items())
            lines.append(f"<weight id={_quoted(row['name'])}{further}>{escape(row.get('text', ''))}</weight> #")
        lines += ["</weightgroup> #"] if group else []
    return "\n".join(["<initrwgt> #", *lines, "</initrwgt>"]) if lines else ""


def told_apart(weights: Sequence[dict[str, Any]], taken: Sequence[str]) -> list[dict[str, Any]]:
    """The same weights, with names of which none is taken, nor there twice."""
    names, found = set(taken), []
    for row in weights:
        name = row["name"]
        while name in names:
            name += "_"
        names.add(name)
        found.append(row | {"name": name})
    return found


def event_lines(names: Sequence[str]) -> list[str]:
    """<rwgt> of an event, with a field for the value of each weight."""
    lines = [f"<wgt id={_quoted(name)}> %.17g </wgt> #" for name in names]
    return ["<rwgt> #", *lines, "</rwgt> #"] if lines else []
