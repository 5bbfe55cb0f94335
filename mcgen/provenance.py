"""Where an output comes from: card, versions and command, enough to make it again."""

from __future__ import annotations

import hashlib
import json
import platform
import shlex
import sys
from collections.abc import Collection
from importlib import metadata
from pathlib import Path
from typing import Any

from mcgen._version import __version__
from mcgen.card import Card
from mcgen.files import (
    ask,
    at_stake,
    check_output,
    check_request,
    open_atomic,
    overwriting,
    policy,
    refuse,
    request_text,
    same_json,
)


def provenance(*cards: Card) -> dict[str, Any]:
    """Program, versions of what it stands on, command line, and the cards with their hash."""
    found: dict[str, Any] = {
        "generator": "mcgen",
        "mcgen_version": __version__,
        "versions": {name: metadata.version(name) for name in ("numpy", "numba", "awkward", "uproot")}
        | {"python": platform.python_version()},
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    }
    texts = [card.text for card in cards]
    if len(texts) == 1:
        found |= {"card": texts[0], "card_sha256": hashlib.sha256(texts[0].encode()).hexdigest()}
    elif texts:
        found["cards"] = [{"card": t, "card_sha256": hashlib.sha256(t.encode()).hexdigest()} for t in texts]
    return found


def ask_with(*cards: Card) -> None:
    """Add cards to what the command is asked for."""
    ask(cards=[card.model_dump(mode="json") for card in cards])


def check_table(path: str | Path, header: str, ignore: Collection[str] = ()) -> None:
    """Refuse a table, and what lies beside it, that was made for another request, before anything is computed."""
    if at_stake(check_output(path)):
        with Path(path).open("rb") as stream:
            if not stream.readline(1000).startswith(header.encode()):
                refuse(path, "is there and is no such table")
    check_request(f"{path}.json", ignore)


def write_provenance(path: str | Path, *cards: Card, beside: Path) -> None:
    """The same as a JSON file beside an output that has no room for it; left alone if that output was.

    If its output is replaced, it is replaced too: `check_request` has compared it before.
    """
    new = beside not in policy().left
    with overwriting(new), open_atomic(path, (lambda *_: False) if new else same_json) as stream:
        json.dump(provenance(*cards) | {"request": request_text()}, stream, indent=1)
