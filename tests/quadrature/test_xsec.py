"""Cross sections by name: what is refused. Their numbers are in tests/physics/emission/test_cross_section.py."""

import pytest

from mcgen.base.errors import InputError
from mcgen.quadrature.xsec import cross_section


@pytest.mark.parametrize("edges", [[0.3], [0.1, 0.5, 0.3], [0.1, 0.1, 0.3], [-0.1, 0.5], [0.1, 1.1], [[0.1, 0.5]]])
def test_edges_that_are_none(edges):
    """Edges must rise, every one of them, and lie in the range of x; fails for a negative bin."""
    with pytest.raises(InputError, match="increasing numbers"):
        cross_section("W", 3.0, 0.1, spectrum="x", edges=edges)


def test_errors_are_not_negative():
    """The error of IWW at many energies, whichever of its two rules gives more; fails for a mere difference."""
    assert min(cross_section("W", E, 0.1, method="iww").error for E in (0.5, 0.7, 1.0, 2.0, 3.0, 10.0, 160.0)) >= 0.0


def test_last_edge():
    """An edge beyond the range is refused wherever it stands; fails if only the second one is looked at."""
    with pytest.raises(InputError, match="increasing numbers"):
        cross_section("W", 3.0, 0.1, spectrum="x", edges=[0.1, 0.5, 1.1])
