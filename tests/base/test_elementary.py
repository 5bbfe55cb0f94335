"""Elementary functions against 60 digits, and at their ends."""

import math

import mpmath
import numpy as np
import pytest

from mcgen.base import elementary

_RNG = np.random.default_rng(3)
_SMALL = _RNG.choice([-1.0, 1.0], 500) * 10.0 ** _RNG.uniform(-30.0, -1.0, 500)
_POSITIVE = np.concatenate([10.0 ** _RNG.uniform(-307.0, 307.0, 500), _RNG.uniform(0.4, 2.5, 500)])
_TURNS = np.concatenate([_RNG.random(1000), np.abs(_SMALL), np.arange(9) / 8.0])


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("exp", np.concatenate([_RNG.uniform(-708.0, 709.0, 500), _SMALL])),
        ("expm1", np.concatenate([_RNG.uniform(-40.0, 700.0, 500), _RNG.uniform(-1.0, 1.0, 500), _SMALL])),
        ("log", np.concatenate([_POSITIVE, 1.0 + _SMALL])),
        ("log1p", np.concatenate([_POSITIVE, _SMALL, -_RNG.random(500)])),
        ("asinh", np.concatenate([_POSITIVE[:500] ** 0.3, np.abs(_SMALL)])),
    ],
)
def test_two_units_in_the_last_place(name, points):
    with mpmath.workdps(60):
        for x in points.tolist():
            value, exact = getattr(elementary, name)(x), getattr(mpmath, name)(mpmath.mpf(x))
            assert abs(value - exact) <= 2.0 * math.ulp(float(exact)), x


def test_of_a_turn():
    with mpmath.workdps(60):
        for turns in _TURNS.tolist():
            found = elementary.of_turn(turns)
            exact = mpmath.cospi(2.0 * mpmath.mpf(turns)), mpmath.sinpi(2.0 * mpmath.mpf(turns))
            for x, y in zip(found, exact, strict=True):
                assert abs(x - y) <= 2.0 * math.ulp(float(y)), turns


def test_at_the_ends():
    assert elementary.exp(-math.inf) == 0.0 == elementary.exp(-709.0)
    assert elementary.exp(0.0) == 1.0
    assert elementary.exp(1e300) == elementary.exp(709.0) > 8e307
    assert elementary.expm1(-math.inf) == -1.0
    assert elementary.log(1.0) == elementary.log1p(0.0) == elementary.expm1(0.0) == elementary.asinh(0.0) == 0.0
