"""Rows of numbers as text: byte for byte what Python's `%` gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mcgen.events.formats.printf import printed

FIELDS = ("%.17g", "%.17e", "%.22e", "%.15g", "%.9g", "%.1g", "%.0e")
HARD = [
    0.0, -0.0, 1.0, -1.0, 0.1, 0.5, 250.0, 1e5, 123000.0, 1e-300, 1e300, -1e-300, -1e300, 5e-324,
    1.7976931348623157e308, 1e-4, 1e-5, 9.999999999999999e-5, 0.00012345678901234567, 1e15, 1e16, 1e17, 1e22, 1e23,
    99999999999999990.0, 123456789012345678.0, 2.0**53, 2.0**63, 2.0**64, 0.5 + 2.0**-20, 1.00000762939453125,
    597352909619018.875, np.nan, np.inf, -np.inf,
]  # fmt: skip


def _python(template, rows):
    return "".join(template % tuple(row) for row in rows.tolist()).encode()


def _printed(template, rows):
    return b"".join(printed(template, rows))


def test_hard_numbers():
    """Zeros, ends of the range, ties, changes of the form and what is no number; fails at the first other byte."""
    column = np.array(HARD)
    template = f"<\u00e9> {' '.join(FIELDS)}\n</>"
    rows = np.column_stack([column] * len(FIELDS))
    assert _printed(template, rows) == _python(template, rows)


@given(rows=arrays(np.float64, st.tuples(st.integers(0, 5), st.just(len(FIELDS)))))
def test_any_numbers(rows):
    """Any bits; fails if rounding, zeros at the end or an exponent differ."""
    template = "|".join(FIELDS) + ";"
    assert _printed(template, rows) == _python(template, rows)


@given(rows=arrays(np.float64, (3, 2), elements=st.floats(-1e25, 1e25) | st.integers(-(2**62), 2**62).map(float)))
def test_whole_numbers(rows):
    """Whole numbers lose what is behind the point, and all digits before it are there; fails for 2^53 and more."""
    assert _printed("%d %.17g\n", rows) == _python("%d %.17g\n", rows)


@pytest.mark.parametrize("template", ["", "words\n", "%d", "%.17g%.17g", "a%.17eb"])
def test_templates(template):
    """No number, no word, numbers side by side; fails if the words before or behind the numbers are lost."""
    rows = np.arange(1.0, 1.0 + 2 * template.count("%")).reshape(2, -1)
    assert _printed(template, rows) == _python(template, rows)
