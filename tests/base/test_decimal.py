"""Decimal digits against Python's own exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mcgen.base.decimal import WORD, digits, nearest

positive = st.floats(min_value=0.0, exclude_min=True, allow_nan=False, allow_infinity=False)
COUNTS = (1, 9, 15, 17, 18, 19, 23)


def _python(x, n):
    """The digits, as one number, and the power of ten."""
    mantissa, power = f"{x:.{n - 1}e}".split("e")
    return int(mantissa.replace(".", "")), int(power)


def _is_tie(x, n):
    """Whether x lies half a digit above a number of n digits, to one part in 10^12."""
    _, power = _python(x, 30)
    scaled = Fraction(x) * Fraction(10) ** (n - 1 - power)
    return abs(scaled - scaled.__floor__() - Fraction(1, 2)) < Fraction(1, 10**12)


@given(x=positive, n=st.sampled_from(COUNTS))
@example(1e-300, 17)
@example(1e300, 17)
@example(5e-324, 17)
@example(2.2250738585072014e-308, 18)
@example(1.7976931348623157e308, 23)
@example(9.999999999999999e22, 17)
@example(1e23, 17)
@example(9007199254740993.0, 15)
@example(0.1, 23)
@example(999999.9999999999, 15)
@example(1.00000762939453125, 17)  # half way
@example(1.00000762939453125, 18)
def test_digits(x, n):
    """Every digit is Python's, and only ties are undecided; fails for a lost carry or an error bound too small."""
    first, further, power = digits(x, n)
    if first == 0:
        assert _is_tie(x, n)
    else:
        more = 10 ** max(0, n - WORD)
        assert (int(first) * more + int(further), power) == _python(x, n)


@pytest.mark.parametrize("n", COUNTS)
def test_powers_of_ten(n):
    """Powers of ten and their neighbours, where the number of digits changes; fails if 10 is written as 9.99 or 1."""
    for k in range(-323, 309):
        x = float(f"1e{k}")
        for value in (np.nextafter(x, 0.0), x, np.nextafter(x, np.inf)):
            first, further, power = digits(value, n)
            if value > 0.0 and first > 0:
                assert (int(first) * 10 ** max(0, n - WORD) + int(further), power) == _python(value, n)


@given(x=positive, n=st.sampled_from(COUNTS))
def test_python_and_compiled(x, n):
    """The same digits with numpy integers in Python; fails if a type is promoted to float when compiled."""
    with np.errstate(over="ignore"):
        assert getattr(digits, "py_func", digits)(x, n) == digits(x, n)


@given(whole=st.integers(1, 10**19 - 1), k=st.integers(-400, 400))
@example(1, 0)
@example(2**53 + 1, 0)  # half way between two float64
@example(2**53 + 3, 0)
@example(10**19 - 1, -19)
@example(9007199254740993, -1)
@example(17976931348623157, 292)
@example(5, -324)
def test_nearest(whole, k):
    """The float64 that Python reads, or undecided; fails if a tie or a carry is rounded to the wrong side."""
    found = nearest(np.uint64(whole), k)
    if np.isnan(found):
        assert k in range(-400, -290) or k > 280 or whole > 2**53
    else:
        assert found == float(f"{whole}e{k}")


@given(x=st.floats(1e-280, 2.0**53), n=st.sampled_from((9, 15, 17, 18)))
def test_there_and_back(x, n):
    """n digits mean what they mean to Python; fails if either way is off by one in the last digit."""
    first, _, power = digits(x, n)
    if first > 0:
        assert nearest(np.uint64(first), power - n + 1) == float(f"{x:.{n - 1}e}")
