"""Events that have the words of an earlier one, line by line, and other numbers: read many at a time.

Words and numbers stand between blanks. An event with another word, line or form of a number is none of these.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mcgen.base.decimal import TEN, nearest
from mcgen.base.jit import jit

#: an event that begins and ends with a line, the number of its particles in the second one
_EVENT = re.compile(
    r"([ \t]*<event(?:[ \t][^\n<#]*)?>[ \t]*\n[ \t]*\d+)"
    r"((?:[ \t][^\n]*)?\n(?:[^\n]*\n)*?[ \t]*</event[ \t]*>[ \t]*\n)"
)
#: an event of more characters is read word by word
_LONGEST = 50_000
_WORD = re.compile(r"(?<![^ \t\n])[^ \t\n]+")
_LINES, _BLANKS = re.compile(r"[ \t]*\n[ \t]*"), re.compile(r"[ \t]+")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?", re.ASCII)
_LIKE_A_NUMBER = re.compile(r"[+-]?\.?\d")
_CONTROL = re.compile(r"[\0-\x08]")
#: codes in a pattern: any number, a whole one; others are characters
_ANY, _WHOLE = 1, 2
_BLANK, _TAB, _LINE, _PLUS, _MINUS, _POINT, _ZERO, _NINE = b" \t\n+-.09"
_EXPONENTS = tuple(b"eEdD")
_TEN = np.uint64(10)
#: a number below this has room for one more digit; a whole one below that is exact as float64
_ROOM, _EXACT = TEN[18], np.uint64(1 << 53)
#: a power of ten that is certainly too large
_TOO_LARGE = np.uint64(9_999)

#: events that are read one by one are held as such up to this number
_BLOCK = 2_000

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Alike:
    """Successive events of the same words."""

    numbers: NDArray[np.float64]  #: of shape (n, numbers of an event), in the order of the text
    text: str
    begins: NDArray[np.int64]  #: places in the text where events begin, and where the last one ends

    def text_of(self, i: int) -> str:
        """The text of an event."""
        return self.text[self.begins[i] : self.begins[i + 1]]


@jit
def _digits(data: Bytes, at: int, value: np.uint64) -> tuple[np.uint64, int]:
    """Digits that follow a number, and the place behind them; not all of them if there are too many."""
    while _ZERO <= data[at] <= _NINE and value < _ROOM:
        value = value * _TEN + np.uint64(data[at] - _ZERO)
        at += 1
    return value, at


@jit
def _power(data: Bytes, at: int) -> tuple[int, int]:
    """The power of ten behind an e and the place behind it, which is `at` if it has no digits."""
    below = data[at] == _MINUS
    begin = at + 1 if below or data[at] == _PLUS else at
    power, end = _digits(data, begin, np.uint64(0))
    k = int(min(power, _TOO_LARGE))
    return -k if below else k, end if end > begin else at


@jit
def _number(data: Bytes, at: int, code: int) -> tuple[float, int]:
    """A number and the place behind it; NaN if it has another form or too many digits."""
    negative = data[at] == _MINUS
    begin = at + 1 if negative or data[at] == _PLUS else at
    value, at = _digits(data, begin, np.uint64(0))
    n, k = at - begin, 0
    if code == _ANY:
        if data[at] == _POINT:
            point = at + 1
            value, at = _digits(data, point, value)
            k = point - at
            n -= k
        if data[at] in _EXPONENTS:
            power, end = _power(data, at + 1)
            n = 0 if end == at + 1 else n
            k, at = k + power, end
    elif value >= _EXACT:
        n = 0
    x = nearest(value, k) if n > 0 else np.nan
    return -x if negative else x, at


@jit
def _blanks(data: Bytes, at: int) -> int:
    """The place behind blanks."""
    while data[at] == _BLANK or data[at] == _TAB:
        at += 1
    return at


@jit
def _event(data: Bytes, at: int, pattern: Bytes, numbers: NDArray[np.float64]) -> int:
    """Take the numbers of an event; return the place behind it, -1 if it differs from the pattern."""
    j = 0
    at = _blanks(data, at)
    for code in pattern:
        if code <= _WHOLE:
            numbers[j], at = _number(data, at, code)
            if np.isnan(numbers[j]):
                return -1
            j += 1
        elif code == _BLANK:
            begin, at = at, _blanks(data, at)
            if at == begin:
                return -1
        elif code == _LINE:
            at = _blanks(data, at)
            if data[at] != _LINE:
                return -1
            at = _blanks(data, at + 1)
        elif data[at] == code:
            at += 1
        else:
            return -1
    return at


@jit
def _events(data: Bytes, pattern: Bytes, numbers: NDArray[np.float64], begins: NDArray[np.int64]) -> int:
    """Take events as long as they fit the pattern, from the first of `begins` on; return how many."""
    for i in range(len(numbers)):
        begins[i + 1] = _event(data, begins[i], pattern, numbers[i])
        if begins[i + 1] < 0:
            return i
    return len(numbers)


class Pattern:
    """The words of an event, and the places of its numbers.

    Parameters
    ----------
    text : str
        An event, as `whole_event` finds it.
    whole : collection of int
        Which of its numbers must be whole.
    """

    def __init__(self, text: str, whole: Collection[int] = ()) -> None:
        found = _EVENT.fullmatch(text)
        head, rest = found.groups() if found else ("", "")
        slots = iter(range(len(rest)))
        self.marked = head + _WORD.sub(lambda w: str(next(slots)) if _NUMBER.fullmatch(w[0]) else w[0], rest)
        self._n = next(slots)
        kinds = (chr(_WHOLE if slot in whole else _ANY) for slot in range(self._n))
        plain = head + _WORD.sub(lambda w: next(kinds) if _NUMBER.fullmatch(w[0]) else w[0], rest)
        self._codes = np.frombuffer(_BLANKS.sub(" ", _LINES.sub("\n", plain)).lstrip(" ").encode("latin-1"), np.uint8)

    def events(self, text: str, data: Bytes, at: int) -> Alike:
        """The events that follow in a text.

        Parameters
        ----------
        text : str
        data : array of uint8
            The same in Latin-1, with a 0 at the end.
        at : int
            Where to begin.
        """
        most = (len(text) - at) // len(self._codes)
        numbers, begins = np.empty((most, self._n)), np.empty(most + 1, np.int64)
        begins[0] = at
        n = _events(data, self._codes, numbers, begins)
        return Alike(numbers[:n], text, begins[: n + 1])


def whole_event(text: str, at: int) -> str:
    """The event at a place, its lines complete, if all that looks like a number in it is one; else nothing."""
    found = _EVENT.match(text, at, at + _LONGEST)
    if not found or _CONTROL.search(found[0]) or max(found[0]) > "\xff":
        return ""
    words = (word[0] for word in _WORD.finditer(found[2]))
    return found[0] if all(_NUMBER.fullmatch(word) for word in words if _LIKE_A_NUMBER.match(word)) else ""


def gathered(parts: Iterable[Any], many: type) -> Iterator[Any]:
    """Parts of many events as they are, single ones in lists, short ones: they take ten times the memory of arrays."""
    for is_many, group in groupby(parts, lambda part: isinstance(part, many)):
        while not is_many and (block := list(islice(group, _BLOCK))):
            yield block
        yield from group
