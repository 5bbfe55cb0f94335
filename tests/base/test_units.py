"""Numbers with units and lists of numbers, as they are typed."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcgen.base.errors import InputError
from mcgen.base.units import MAX_LIST, UNITS, parse_list, parse_quantity

positive = st.floats(1e-100, 1e100)
units = st.sampled_from([(dimension, unit) for dimension in UNITS for unit in UNITS[dimension]])


@given(value=positive, unit=units, spaces=st.sampled_from(["", " ", "  "]))
def test_quantities(value, unit, spaces):
    """A number and a unit of its dimension give number times factor; fails if a prefix is misread (m for M)."""
    dimension, name = unit
    assert parse_quantity(f"{value!r}{spaces}{name}", dimension) == value * UNITS[dimension][name]


def test_prefixes():
    """The factors are those of the metric system; fails if MeV and meV, or m and mm, are mixed up."""
    assert parse_quantity("100 MeV", "energy") == pytest.approx(0.1, rel=1e-15, abs=0.0)
    assert parse_quantity("1.5 m", "length") == pytest.approx(150.0, rel=1e-15, abs=0.0)
    assert parse_quantity("22.1 MeV/cm", "energy loss") == pytest.approx(22.1e-3, rel=1e-15, abs=0.0)
    assert parse_quantity("1.27 GeV/m", "energy loss") == pytest.approx(12.7e-3, rel=1e-15, abs=0.0)
    assert parse_quantity("6.3e28 /m3", "number density") == pytest.approx(6.3e22, rel=1e-15, abs=0.0)
    assert parse_quantity("19300 kg/m3", "density") == pytest.approx(19.3, rel=1e-15, abs=0.0)


@given(value=positive, unit=units, dimension=st.sampled_from(list(UNITS)))
def test_units_of_another_dimension(value, unit, dimension):
    """A unit of another dimension is refused; fails if a length is taken for an energy."""
    if unit[1] not in UNITS[dimension]:
        with pytest.raises(InputError, match="not a unit"):
            parse_quantity(f"{value!r} {unit[1]}", dimension)


@given(text=st.text(max_size=20), dimension=st.sampled_from(list(UNITS)), unit_needed=st.booleans())
def test_any_text(text, dimension, unit_needed):
    """Any text gives a finite number or InputError; fails if 'nan' or an overflow slips through."""
    with contextlib.suppress(InputError):
        assert math.isfinite(parse_quantity(text, dimension, unit_needed))


@given(numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8))
def test_lists(numbers):
    """Numbers joined by commas come back unchanged; fails if a sign or an exponent is lost."""
    assert parse_list(",".join(map(repr, numbers))) == numbers


@given(start=st.floats(1e-6, 1.0), ratio=st.floats(1.01, 1e6), n=st.integers(2, 50), geometric=st.booleans())
def test_ranges(start, ratio, n, geometric):
    """n points from start to stop, ends exact, equal steps or ratios to 1e-9; fails if the last point is left out."""
    stop = start * ratio
    found = parse_list(f"{start!r}:{stop!r}:{n}", geometric=geometric)
    assert len(found) == n
    assert (found[0], found[-1]) == (start, stop)
    for i, value in enumerate(found):
        y = i / (n - 1)
        wanted = start * ratio**y if geometric else start + (stop - start) * y
        assert value == pytest.approx(wanted, rel=1e-9, abs=0.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("100MeV", [0.1]), ("10 MeV, 0.2", [0.01, 0.2]), ("1MeV:1GeV:2", [1e-3, 1.0]), ("500 MeV:3:3", [0.5, 1.75, 3.0])],
)
def test_energies_of_the_command_line(text, expected):
    """Each number may carry a unit, GeV otherwise; fails if a unit counts for its neighbours."""
    assert parse_list(text, "energy") == pytest.approx(expected, rel=1e-15, abs=0.0)


@pytest.mark.parametrize(
    "text",
    ["", ",", "1,", "1;2", "1:2", "1:2:3:4", "1:2:1", "2:1:5", "1:1:5", "1:2:x", "1:2:2.5", f"1:2:{MAX_LIST + 1}",
     "1:2:" + "9" * 5000, "nan", "inf", "1:inf:3", "-1:1:nan", "1 2"],
)  # fmt: skip
def test_lists_refused(text):
    """What is no list is refused; fails if an empty part counts as zero or a range grows without bound."""
    with pytest.raises(InputError):
        parse_list(text)
    with pytest.raises(InputError):
        parse_list(text, "energy")


def test_geometric_ranges_begin_above_zero():
    """A geometric range from zero or below is refused; fails if it gives NaN."""
    for text in ("0:1:5", "-1:1:5"):
        with pytest.raises(InputError):
            parse_list(text, geometric=True)
