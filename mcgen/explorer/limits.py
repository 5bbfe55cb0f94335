"""Known limits that a page draws beside a contour: computed once for a boson and a range of masses."""

from __future__ import annotations

import functools
import warnings

from mcgen.analysis.constraints import Constraint, ShownBoson, constraints
from mcgen.base.errors import McgenWarning
from mcgen.base.units import Range
from mcgen.card.scalar import Scalar
from mcgen.explorer.setup import Setup

#: sets of limits that are kept
_KEPT = 16


def known(setup: Setup) -> tuple[tuple[Constraint, ...], tuple[str, ...]]:
    """Limits that a set-up looks at, and what is said of those that do not hold.

    Raises
    ------
    InputError
        If the card is wrong.
    """
    look = setup.look
    if not look.limits:
        return (), ()
    boson = setup.card.scalar
    if boson.widths:
        return (), ("known limits are not drawn: the boson has widths of its own",)
    # neither its own mass nor its own coupling counts
    same = boson.model_copy(update={"mass": 0.1, "g_mu": 1.0, "model": look.models[0]})
    return _known(same, look.limits, (look.start, look.stop), look.models)


@functools.lru_cache(maxsize=_KEPT)
def _known(
    scalar: Scalar, names: tuple[str, ...], ends: tuple[float, float], models: tuple[str, ...]
) -> tuple[tuple[Constraint, ...], tuple[str, ...]]:
    boson = ShownBoson.of(scalar)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", McgenWarning)
        found = constraints(names, Range(ends), boson, models)
    return tuple(found), tuple(str(one.message) for one in said if issubclass(one.category, McgenWarning))
