"""What people read: a value with its error, a time, and texts of strangers as a terminal may show them."""

from __future__ import annotations

import math
import re
from decimal import Context, Decimal

#: powers of ten of the first digit that are written out; others get an exponent
_WRITTEN_OUT = range(-4, 6)
#: relative error below which a float64 has no digit left to show it
_EXACT = 1e-15
_TWO_DIGITS, _ALL_DIGITS = Context(prec=2), Context(prec=400)
#: letters that a terminal obeys, that turn the order of letters around, or that no encoding has
_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str) -> str:
    r"""A text as a terminal may show it: letters that it would obey as they are written in Python.

    Examples
    --------
    >>> plain("\x1b[2J a card")
    '\\x1b[2J a card'
    """
    return _OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def one_line(text: str) -> str:
    """The same in one line, with a blank for every space between words."""
    return plain(" ".join(text.split()))


def with_error(value: float, error: float) -> str:
    """A value and its error as in 1.9280(37)e-03, which means 0.0019280 +- 0.0000037.

    The error has two significant digits, and the value ends where it ends. Without an error, or with one that
    float64 cannot resolve, the value has six digits.

    Examples
    --------
    >>> with_error(146.92, 0.0603), with_error(1743.52, 1.94), with_error(3.26032e8, 81.0), with_error(2.5, 0.0)
    ('146.920(60)', '1743.5(1.9)', '3.26032000(81)e+08', '2.5')
    """
    if not math.isfinite(value) or error < _EXACT * abs(value) or error == 0.0:
        return f"{value:.6g}"
    if not math.isfinite(error):
        return f"{value:.6g}({error:g})"
    largest = _TWO_DIGITS.create_decimal(error).adjusted()
    last = Decimal(1).scaleb(largest - 1, _ALL_DIGITS)
    number, spread = (_ALL_DIGITS.quantize(Decimal(x), last) for x in (value, error))
    number = number or abs(number)  # no -0
    first = max(number.adjusted(), largest) if number else largest
    exponent = 0 if first in _WRITTEN_OUT and last <= 1 else first
    number, spread = (x.scaleb(-exponent, _ALL_DIGITS) for x in (number, spread))
    # an error of less than 1 is told in units of the last digit
    told = f"{spread:f}" if spread >= 1 else "".join(map(str, spread.as_tuple().digits))
    return f"{number:f}({told})" + (f"e{exponent:+03d}" if exponent else "")


def duration(seconds: float) -> str:
    """A time such as '0.24 s', '21 s', '4 min' or '2.5 h'."""
    if seconds < 99.5:
        return f"{seconds:.2f} s" if seconds < 0.995 else f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 5970.0 else f"{seconds / 3600.0:.1f} h"
