"""Many rows of numbers by one template of printf: the bytes that Python's `%` gives, in a small part of its time."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mcgen.base.decimal import TEN, WORD, digits
from mcgen.base.jit import jit

_FIELD = re.compile(r"%(?:(d)|\.(\d+)([eg]))")
_WHOLE, _EXPONENT = ord("d"), ord("e")
_ZERO, _POINT, _MINUS, _PLUS, _E = b"0.-+e"
_TEN = np.uint64(10)
#: characters of a number beside its digits: sign, point, zeros or exponent
_BESIDE = 8
#: whole numbers below this are exact as float64
_EXACT = 2.0**53

Bytes = NDArray[np.uint8]


@jit
def _put(out: Bytes, at: int, number: np.uint64, n: int) -> int:
    """Write n digits of a number; return the place behind them."""
    for i in range(at + n - 1, at - 1, -1):
        tens = number // _TEN
        out[i] = np.uint64(_ZERO) + (number - tens * _TEN)
        number = tens
    return at + n


@jit
def _put_pointed(out: Bytes, at: int, number: np.uint64, n: int, before: int) -> int:
    """Write a number of n digits with the point behind some of them, none if no digit follows."""
    if n <= before:
        return _put(out, at, number * TEN[before - n], before)
    unit = TEN[n - before]
    ahead = number // unit
    at = _put(out, at, ahead, before)
    out[at] = _POINT
    return _put(out, at + 1, number - ahead * unit, n - before)


@jit
def _put_exponent(out: Bytes, at: int, power: int) -> int:
    """Write e+00."""
    out[at] = _E
    out[at + 1] = _MINUS if power < 0 else _PLUS
    power = abs(power)
    return _put(out, at + 2, np.uint64(power), 3 if power > 99 else 2)


@jit
def _put_shortest(out: Bytes, at: int, number: np.uint64, n: int, power: int) -> int:
    """Write a number of n digits as `%g` does."""
    large = power >= n
    while n > 1 and number % _TEN == np.uint64(0):
        number //= _TEN
        n -= 1
    if large or power < -4:
        return _put_exponent(out, _put_pointed(out, at, number, n, 1), power)
    if power >= 0:
        return _put_pointed(out, at, number, n, power + 1)
    out[at] = _ZERO
    out[at + 1] = _POINT
    return _put(out, at + 2, number, n - 1 - power)


@jit
def _put_whole(out: Bytes, at: int, x: float) -> int:
    """Write what is before the point of a positive number below 2^53."""
    number, n = np.uint64(x), 1
    while TEN[n] <= number:
        n += 1
    return _put(out, at, number, n)


@jit
def _put_number(out: Bytes, at: int, x: float, kind: int, n: int) -> int:
    """Write a number with n digits, or all of a whole one; return the place behind it, 0 if Python has to do it."""
    if math.copysign(1.0, x) < 0.0 and (kind != _WHOLE or x <= -1.0):
        out[at] = _MINUS
        at += 1
    x = abs(x)
    if kind == _WHOLE:
        return _put_whole(out, at, x) if x < _EXACT else 0
    number, further, power = np.uint64(0), np.uint64(0), 0
    if x != 0.0:
        if x < np.inf:
            number, further, power = digits(x, n)
        if number == np.uint64(0):
            return 0
    if kind == _EXPONENT:
        first = min(n, WORD)
        at = _put(out, _put_pointed(out, at, number, first, 1), further, n - first)
        return _put_exponent(out, at, power)
    return _put_shortest(out, at, number, n, power)


@jit
def _put_rows(
    out: Bytes, rows: NDArray[np.float64], words: Bytes, ends: NDArray[np.int64], kinds: Bytes, n: NDArray[np.int64]
) -> tuple[int, int]:
    """Write rows up to one that Python has to do; return the number of bytes and of rows."""
    at = 0
    for i in range(len(rows)):
        begin, word = at, 0
        for j in range(len(ends)):
            while word < ends[j]:
                out[at] = words[word]
                at += 1
                word += 1
            if j < len(kinds):
                at = _put_number(out, at, rows[i, j], kinds[j], n[j])
                if at == 0:
                    return begin, i
    return at, len(rows)


def printed(template: str, rows: NDArray[np.float64]) -> Iterator[bytes]:
    """Every row by the template, in parts of any length.

    Parameters
    ----------
    template : str
        Words with a field for each column: `%d`, `%.17g` and the like up to 18 digits, `%.22e` and the like up to 23.
    rows : array, shape (n, columns)
    """
    parts = _FIELD.split(template)  # words, then three groups and words for each field
    texts = [part.encode() for part in parts[::4]]
    words, ends = np.frombuffer(b"".join(texts), np.uint8), np.cumsum([len(text) for text in texts])
    kinds = np.array([ord(whole or style) for whole, style in zip(parts[1::4], parts[3::4], strict=True)], np.uint8)
    digits_of = [int(places or 17) + (style == "e") for places, style in zip(parts[2::4], parts[3::4], strict=True)]
    n = np.array(digits_of, np.int64)
    out = np.empty(len(rows) * (len(words) + int(np.sum(n + _BESIDE))), np.uint8)
    done = 0
    while done < len(rows):
        length, more = _put_rows(out, rows[done:], words, ends, kinds, n)
        yield out[:length].tobytes()
        done += more
        if done < len(rows):
            yield (template % tuple(rows[done].tolist())).encode()
            done += 1
