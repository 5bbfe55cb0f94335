"""The errors a user can meet: each says in one line what is wrong, where, and what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from mcgen.base.printed import one_line

#: letters of an error: what it quotes may be as long as a file
_LONGEST = 3_900


class McgenError(ValueError):
    """Base of every error raised on purpose; its message is one line that a terminal may show, whatever it quotes."""

    def __init__(self, message: object = "") -> None:
        text = one_line(str(message))
        super().__init__(text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ...")


class InputError(McgenError):
    """A card, an argument or a file cannot be used as it is."""


class ThresholdError(InputError):
    """A boson is too heavy to be made by the beam."""


class ClosureError(McgenError):
    """A Monte Carlo run disagrees with its own quadrature by more than chance allows."""


class McgenWarning(UserWarning):
    """What a result leaves out, and why; the command line says it in one line."""


#: what libraries say when memory is short, in errors of every kind
_OF_MEMORY = (
    "failed to map segment",
    "cannot allocate memory",
    "can't start new thread",
    "bad_alloc",
    "without setting an exception",  # of Python's own libraries in C
    "without exception set",
)


def short_of_memory(error: BaseException | None) -> bool:
    """Whether an error, or one before it, comes from too little memory; libraries translate MemoryError."""
    while error is not None:
        said = str(error).lower()
        if isinstance(error, MemoryError) or any(words in said for words in _OF_MEMORY):
            return True
        error = error.__cause__ or error.__context__
    return False


def refuse_if(wrong: object, message: str, error: type[Exception] = InputError) -> None:
    """Raise InputError, or another error, with a message if something is wrong."""
    if wrong:
        raise error(message)


def check_number(name: str, value: float, above: float, up_to: float) -> None:
    """Raise InputError unless above < value <= up_to; `name` says in the message what the value is."""
    refuse_if(not above < value <= up_to, f"{name}: {value:g} must lie above {above:g} and up to {up_to:g}")


def nearest(word: str, allowed: Iterable[str]) -> str:
    """' (did you mean X?)' or the list of what is allowed."""
    names = list(allowed)
    close = difflib.get_close_matches(word, names, n=1)
    return f" (did you mean '{close[0]}'?)" if close else f" (allowed: {', '.join(names)})"


def choose(word: str, allowed: Iterable[str], what: str) -> str:
    """Return `word` if it is one of the allowed names, else raise InputError."""
    names = list(allowed)
    if word not in names:
        message = f"{what}: '{word}' is not known{nearest(word, names)}"
        raise InputError(message)
    return word
