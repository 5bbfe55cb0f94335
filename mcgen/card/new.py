"""`mcgen new`: a card to start from."""

from __future__ import annotations

from pathlib import Path

from mcgen.base.files import open_atomic, overwriting
from mcgen.card.card import parse_card


def new_card(name: str) -> str:
    """Text of a card to start from, with comments.

    Raises
    ------
    InputError
        If the name cannot be that of an experiment.
    """
    text = Path(__file__).with_name("new.toml").read_text(encoding="utf-8").replace("{name}", name)
    parse_card(text, name)
    return text


def new(name: str, *, overwrite: bool = False) -> Path:
    """Write a card with comments to start from.

    Parameters
    ----------
    name : str
        Of the experiment; the file is NAME.toml.
    overwrite : bool
        Replace a file of other content.

    Returns
    -------
    Path
        The file.
    """
    path = Path(f"{name.removesuffix('.toml')}.toml")
    text = new_card(path.stem)
    with overwriting(overwrite), open_atomic(path) as stream:
        stream.write(text)
    return path
