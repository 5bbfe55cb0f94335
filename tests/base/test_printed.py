"""Numbers as people read them."""

from __future__ import annotations

import math
import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcgen.base.estimate import Estimate
from mcgen.base.printed import duration, with_error


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.00192798, 3.67e-7, "0.00192798(37)"),
        (1.5028, 0.00061, "1.50280(61)"),
        (1743.52, 1.94, "1743.5(1.9)"),
        (326032092.0, 81.0, "3.26032092(81)e+08"),
        (39150.0, 460.0, "3.915(46)e+04"),
        (6.5e-22, 6.8e-23, "6.50(68)e-22"),
        (-1.5, 0.061, "-1.500(61)"),
        (1.0, 0.0996, "1.00(10)"),  # the error gains a digit by rounding
        (9.99996, 0.0099, "10.0000(99)"),
        (999999.99, 0.31, "999999.99(31)"),
        (999999.999, 0.31, "1.00000000(31)e+06"),
        (0.3, 5.2, "0.3(5.2)"),
        (12.0, 9.96, "12(10)"),
        (0.0, 0.1, "0.00(10)"),
        (-0.001, 0.1, "0.00(10)"),
        (2.5, 0.0, "2.5"),
        (0.0, 0.0, "0"),
        (1.0, 1e-20, "1"),
        (1e308, 1e306, "1.000(10)e+308"),
        (5e-324, 5e-324, "4.9(4.9)e-324"),
        (2.0, math.inf, "2(inf)"),
        (math.nan, 1.0, "nan"),
    ],
)
def test_with_error(value, error, text):
    """Two digits of the error and the value to the same digit, by hand; fails at a lost zero or a moved point."""
    assert with_error(value, error) == text


def _read(text):
    """Value and error of a text, by the rule that people read it by, and the place of the last digit."""
    mantissa, told, power = re.fullmatch(r"(-?[\d.]+)\(([\d.]+)\)(?:e([+-]\d+))?", text).groups()
    decimals = len(mantissa.partition(".")[2])
    last = Fraction(10) ** (int(power or 0) - decimals)
    error = Fraction(told) * Fraction(10) ** int(power or 0) if "." in told or not decimals else Fraction(told) * last
    return Fraction(mantissa) * Fraction(10) ** int(power or 0), error, last


@given(st.floats(1e-290, 1e290), st.floats(1e-14, 1e3), st.booleans())
def test_the_text_says_the_numbers(value, share, is_negative):
    """Read back, value and error are right to half the last digit, and the error has two; fails for any rounding."""
    value, error = -value if is_negative else value, share * value
    read, read_error, last = _read(with_error(value, error))
    assert abs(read - Fraction(value)) <= last / 2
    assert abs(read_error - Fraction(error)) <= last / 2
    assert 10 <= read_error / last <= 100


def test_estimates_print_like_this():
    """An estimate is its value with its error, also without one and with endless n_eff; fails for a bare tuple."""
    assert str(Estimate(146.92, 0.0603, 194936.0)) == "146.920(60)"
    assert f"{Estimate(0.5, 0.0, math.inf)}" == "0.5"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.004, "0.00 s"), (0.24, "0.24 s"), (1.04, "1.0 s"), (21.4, "21 s"), (240.0, "4 min"), (9000.0, "2.5 h")],
)
def test_duration(seconds, text):
    """Times have a unit that suits them; fails if minutes are counted in seconds."""
    assert duration(seconds) == text
