"""Known limits that a page draws beside a contour: computed once for a boson and a range of masses."""

from __future__ import annotations

import warnings

from mcgen.analysis.constraints import Constraint, ShownBoson, constraints
from mcgen.base.errors import McgenWarning
from mcgen.base.units import Range
from mcgen.card.scalar import Scalar
from mcgen.explorer.setup import Setup

#: limits, and what is said of those that do not hold
Known = tuple[tuple[Constraint, ...], tuple[str, ...]]
#: scalar, names, ends of the masses and models that limits depend on
_Of = tuple[Scalar, tuple[str, ...], tuple[float, float], tuple[str, ...]]
#: sets of limits that are kept
_KEPT = 16
_found: dict[_Of, Known] = {}


def at_hand(setup: Setup) -> Known | None:
    """Limits that a set-up looks at, and what is said of those that do not hold; None if they must be computed.

    Raises
    ------
    InputError
        If the card is wrong.
    """
    if not setup.look.limits:
        return (), ()
    if setup.card.scalar.widths:
        return (), ("known limits are not drawn: the boson has widths of its own",)
    return _found.get(_of(setup))


def known(setup: Setup) -> Known:
    """The same, computed if they must be; `mcgen.base.steps.watched` ends it.

    Raises
    ------
    InputError
        If the card is wrong.
    """
    if (found := at_hand(setup)) is not None:
        return found
    of = scalar, names, ends, models = _of(setup)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", McgenWarning)
        drawn = constraints(names, Range(ends), ShownBoson.of(scalar), models)
    while len(_found) >= _KEPT:
        del _found[next(iter(_found))]
    texts = tuple(str(one.message) for one in said if issubclass(one.category, McgenWarning))
    return _found.setdefault(of, (tuple(drawn), texts))


def _of(setup: Setup) -> _Of:
    look = setup.look
    # neither its own mass nor its own coupling counts
    same = setup.card.scalar.model_copy(update={"mass": 0.1, "g_mu": 1.0, "model": look.models[0]})
    return same, look.limits, (look.start, look.stop), look.models
