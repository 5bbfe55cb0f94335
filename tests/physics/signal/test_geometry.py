"""Rays through cylinders and boxes: points inside, symmetry and degenerate rays."""

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mcgen.physics.signal.geometry import box, cylinder

INF = math.inf
COORDINATE = st.floats(-10.0, 10.0)
COSINE = st.floats(-1.0, 1.0)
AZIMUTH = st.floats(0.0, 2.0 * math.pi)
LENGTH = st.floats(0.0, 30.0)
#: points closer to a surface are not looked at
SKIN = 1e-9


@st.composite
def directions(draw):
    """Unit vectors, those along axes and in planes more often than chance has them."""
    if draw(st.booleans()):
        axis = draw(st.sampled_from([(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (0, 1, -1)]))
        sign = draw(st.sampled_from([1.0, -1.0]))
        norm = math.sqrt(sum(abs(c) for c in axis))
        return tuple(sign * c / norm for c in axis)
    cosine, phi = draw(COSINE), draw(AZIMUTH)
    sine = math.sqrt((1.0 - cosine) * (1.0 + cosine))
    return sine * math.cos(phi), sine * math.sin(phi), cosine


POINTS = st.tuples(COORDINATE, COORDINATE, COORDINATE)


def check(interval, s, depth):
    """A point at s with `depth` inside the volume (negative: outside) lies within the interval iff inside."""
    s_in, s_out = interval
    assert 0.0 <= s_in <= s_out
    if depth > SKIN:
        assert s_in <= s <= s_out
    elif depth < -SKIN:
        assert s <= s_in or s >= s_out or s_in == s_out


def ray_to(point, direction, s):
    """Start of the ray that is at `point` after s."""
    return tuple(a - s * n for a, n in zip(point, direction, strict=True))


@settings(max_examples=300, deadline=None)
@given(POINTS, directions(), LENGTH, st.floats(0.1, 8.0), COORDINATE, st.floats(0.1, 10.0))
def test_inside_cylinder(point, direction, s, radius, z_low, length):
    """A point of the ray is in the cylinder iff within the interval; fails for a root taken from the wrong side."""
    depth = min(radius - math.hypot(point[0], point[1]), point[2] - z_low, z_low + length - point[2])
    check(cylinder(ray_to(point, direction, s), direction, radius, z_low, z_low + length), s, depth)


@settings(max_examples=300, deadline=None)
@given(POINTS, directions(), LENGTH, POINTS, st.tuples(*[st.floats(0.1, 10.0)] * 3))
def test_inside_box(point, direction, s, low, size):
    """A point of the ray is in the box iff within the interval; fails if one axis or sign is forgotten."""
    high = tuple(a + d for a, d in zip(low, size, strict=True))
    depth = min(min(p - a, b - p) for p, a, b in zip(point, low, high, strict=True))
    check(box(ray_to(point, direction, s), direction, low, high), s, depth)


@settings(max_examples=200, deadline=None)
@given(POINTS, directions(), AZIMUTH, st.floats(0.1, 8.0))
def test_cylinder_symmetry(start, direction, phi, radius):
    """Turning a ray about the axis changes nothing; fails if x and y are treated differently."""
    impact = start[0] * direction[1] - start[1] * direction[0]
    across = math.hypot(direction[0], direction[1])
    assume(across == 0.0 or abs(abs(impact) / across - radius) > 1e-3)  # a tangent's chord is as the root of rounding
    assume(abs(math.hypot(start[0], start[1]) - radius) > 1e-6)
    c, s = math.cos(phi), math.sin(phi)

    def turn(a):
        return c * a[0] - s * a[1], s * a[0] + c * a[1], a[2]

    straight = cylinder(start, direction, radius, -3.0, 5.0)
    assert cylinder(turn(start), turn(direction), radius, -3.0, 5.0) == pytest.approx(straight, abs=1e-9)


@settings(max_examples=200, deadline=None)
@given(POINTS, directions(), st.floats(0.1, 5.0))
def test_shifted_start(start, direction, step):
    """Starting further along the ray shortens the way to both ends; fails if lengths are not those from the start."""
    low, high = (-4.0, -3.0, -2.0), (4.0, 5.0, 6.0)
    s_in, s_out = box(start, direction, low, high)
    moved = tuple(a + step * n for a, n in zip(start, direction, strict=True))
    later = box(moved, direction, low, high)
    assume(s_out - s_in > 1e-6)
    expected = (max(s_in - step, 0.0), s_out - step) if s_out - step > 1e-9 else (0.0, 0.0)
    assert later == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("start", "direction", "expected"),
    [
        ((0.0, 0.0, 0.0), (0.0, 0.0, 1.0), (10.0, 20.0)),  # along the axis
        ((0.0, 0.0, 15.0), (0.0, 0.0, 1.0), (0.0, 5.0)),  # from inside
        ((0.0, 0.0, 20.0), (0.0, 0.0, 1.0), (0.0, 0.0)),  # from the back face outwards
        ((0.0, 0.0, 10.0), (0.0, 0.0, 1.0), (0.0, 10.0)),  # from the front face inwards
        ((0.0, 0.0, 25.0), (0.0, 0.0, 1.0), (0.0, 0.0)),  # behind it
        ((0.0, 0.0, 25.0), (0.0, 0.0, -1.0), (5.0, 15.0)),  # backwards
        ((2.0, 0.0, 0.0), (0.0, 0.0, 1.0), (10.0, 20.0)),  # inside the barrel's surface or the box's face
        ((2.1, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.0)),  # beside it
        ((-5.0, 0.0, 10.0), (1.0, 0.0, 0.0), (3.0, 7.0)),  # inside the front face
        ((-5.0, 0.0, 9.9), (1.0, 0.0, 0.0), (0.0, 0.0)),  # in front of it
        ((-5.0, 2.5, 15.0), (1.0, 0.0, 0.0), (0.0, 0.0)),  # past the side
        ((2.0, 0.0, 15.0), (1.0, 0.0, 0.0), (0.0, 0.0)),  # from the side outwards
        ((2.0, 0.0, 15.0), (-1.0, 0.0, 0.0), (0.0, 4.0)),  # from the side inwards
        ((0.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 0.0)),  # away
    ],
)
def test_degenerate_rays(start, direction, expected):
    """Rays along faces, from faces, from behind are exact; fails for 0/0 in parallel rays or a kept negative length."""
    assert cylinder(start, direction, 2.0, 10.0, 20.0) == expected
    assert box(start, direction, (-2.0, -2.0, 10.0), (2.0, 2.0, 20.0)) == expected
    assert cylinder.py_func(start, direction, 2.0, 10.0, 20.0) == expected


def test_tangent():
    """A ray touching the barrel in one line has no length there; fails for a nan from q = 0 or a negative root."""
    for start in ((-5.0, 2.0, 15.0), (0.0, 2.0, 15.0)):
        s_in, s_out = cylinder(start, (1.0, 0.0, 0.0), 2.0, 10.0, 20.0)
        assert s_out == s_in


def test_shallow_ray():
    """A ray leaning by 1e-9 leaves a long cylinder where it should; fails by cancellation in b^2 - a c."""
    lean = 1e-9
    start, direction = (1.0 - 1e-8, 0.0, 0.0), (lean, 0.0, 1.0)
    assert cylinder(start, direction, 1.0, 0.0, 1e6)[1] == pytest.approx(10.0, rel=1e-6)
    assert cylinder((0.0, 0.0, 0.0), (1e-170, 0.0, 1.0), 1.0, 0.0, INF) == (0.0, INF)


def test_endless_volumes():
    """Volumes without a far end have no far end; fails if an infinite bound makes a nan."""
    down = (0.0, 0.6, 0.8)
    assert box((0.0, 0.0, 0.0), down, (-INF, -INF, 8.0), (INF, INF, INF)) == pytest.approx((10.0, INF))
    assert cylinder((0.0, 0.0, 0.0), (0.0, 0.0, 1.0), 1.0, 8.0, INF) == (8.0, INF)
    assert cylinder((0.0, 0.0, 0.0), down, 3.0, -INF, INF) == pytest.approx((0.0, 5.0))
