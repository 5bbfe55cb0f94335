"""CLs limits of one bin by pyhf: profile likelihood, test statistic q~, with asymptotic formulas or toys.

The background has a `shapesys` modifier and the signal a `normsys`, so that both are fitted and not integrated over.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.errors import InputError, refuse_if
from mcgen.base.estimate import Estimate
from mcgen.base.extras import optional
from mcgen.statistics.counting import SHARES, Counting, quantile
from mcgen.statistics.roots import falling_crossing

#: relative accuracy of limits, about that of pyhf's fits
_ACCURACY = 1e-6
#: largest error of the signal: with 0.9, CLs jumps by a fifth where the signal rises by 1 %
_MOST_ERROR = 0.5
#: signal in units of the limit that is as good as none
_SMALL = 1e-2
#: with toys, how far from the first guess CLs is taken first, and how much nearer to 0 next
_ASIDE, _STEP = 0.1, 0.8


class Toys(NamedTuple):
    """How many are made with a signal, and as many without; and their seed."""

    number: int = 1000
    seed: int = 1


@functools.lru_cache(1024)
def pyhf_limit(counting: Counting, n: int | None, alpha: float, which: int, toys: Toys | None = None) -> Estimate:
    """Number of signal events at which pyhf's CLs is alpha, with the error that comes from toys.

    Parameters
    ----------
    counting : Counting
    n : int, optional
        Events seen; without it those that are expected.
    alpha : float
        1 - confidence.
    which : int
        0 for what was seen; 1 to 5 for what is expected at -2 to 2 standard deviations of the background.
    toys : Toys, optional
        Without it the asymptotic formulas.
    """
    refuse_if(
        counting.background == 0.0, "background: 0 is outside the formulas of pyhf; take calctype exact, or more than 0"
    )
    refuse_if(
        alpha >= 0.5, "confidence: must be above 0.5 for pyhf, whose CLs is 0.5 for all signals below the fitted one"
    )
    refuse_if(
        counting.signal_error > _MOST_ERROR,
        f"signal_error: {counting.signal_error:g} must be at most {_MOST_ERROR:g} for pyhf, whose fits find no one "
        "minimum beyond; take calctype exact",
    )
    bin_ = _bin(counting, n, alpha)
    cls = bin_.asymptotic if toys is None else functools.partial(bin_.by_toys, toys)

    def excess(s: float) -> float:
        return math.log(cls(s)[which] / alpha) if s > 0.0 else -math.log(alpha)

    if toys is None:
        return Estimate(falling_crossing(excess, bin_.unit, _ACCURACY), 0.0, math.inf)
    # straight between two points: each takes long, and what toys make is not smooth
    low, high = (1.0 - _ASIDE) * bin_.unit, (1.0 + _ASIDE) * bin_.unit
    while excess(low) < 0.0:
        low, high = _STEP * low, low
    while excess(high) > 0.0:
        low, high = high, high / _STEP
    slope = max(excess(low) - excess(high), 1e-3) / (high - low)
    s = low + excess(low) / slope
    error = bin_.relative_error(toys, low, which) / slope
    return Estimate(s, error, (s / error) ** 2)


class _Bin:
    """pyhf's model of one bin, with its data; CLs is kept for each s."""

    def __init__(self, counting: Counting, n: int | None, alpha: float) -> None:
        self.pyhf = optional("pyhf", "a calctype other than exact", "limits")
        seen = quantile(counting, 0.5) if n is None else n
        target = math.log(alpha) + counting.log_at_most(seen, 0.0)
        #: signal events at mu = 1, near the limit, so that pyhf fits numbers of order 1
        self.unit = falling_crossing(lambda s: counting.log_at_most(seen, s) - target, accuracy=1e-3)
        self.model = self.pyhf.Model(specification(counting, self.unit), poi_name="mu", validate=False)
        self.data = np.array([counting.background if n is None else n, *self.model.config.auxdata])
        self._found: dict[Any, Any] = {}

    def _once(self, key: Any, make: Callable[[], Any]) -> Any:
        if key not in self._found:
            with _quiet(), self._fits():
                self._found[key] = make()
        return self._found[key]

    @contextlib.contextmanager
    def _fits(self) -> Iterator[None]:
        try:
            yield
        except self.pyhf.exceptions.FailedMinimization:
            message = "calctype: a fit of pyhf failed; take calctype exact"
            raise InputError(message) from None

    def _bounds(self, mu: float) -> list[tuple[float, float]]:
        bounds = list(self.model.config.suggested_bounds())
        bounds[self.model.config.poi_index] = (0.0, max(10.0, 5.0 * mu))
        return bounds

    def asymptotic(self, s: float) -> Array:
        """CLs of what was seen, and of what is expected from -2 to 2 standard deviations."""
        return self._once(s, lambda: self._asymptotic(s / self.unit))  # type: ignore[no-any-return]

    def _asymptotic(self, mu: float) -> Array:
        seen, expected = self.pyhf.infer.hypotest(
            mu, self.data, self.model, par_bounds=self._bounds(mu), test_stat="qtilde", return_expected_set=True
        )
        cls = np.array([float(seen), *(float(one) for one in expected)])
        lost = np.isnan(cls)  # q~ is 0 without a signal, or both probabilities are 0
        refuse_if(
            lost.any() and mu > _SMALL,
            f"calctype: pyhf finds no CLs for {mu * self.unit:.4g} signal events; take calctype exact",
        )
        return np.maximum(np.where(lost, 1.0, cls), 1e-300)

    def by_toys(self, toys: Toys, s: float) -> Array:
        """The same, from toys."""
        with_signal, without, seen = self.statistics(toys, s)
        values = np.append(seen, without)
        both = _not_below(with_signal, values) / _not_below(without, values)
        return np.append(both[0], np.quantile(both[1:], SHARES))

    def relative_error(self, toys: Toys, s: float, which: int) -> float:
        """Relative error of CLs from the numbers of toys on both sides of the ratio."""
        with_signal, without, seen = self.statistics(toys, s)
        value = seen if which == 0 else float(np.quantile(without, 1.0 - SHARES[which - 1]))
        shares = [float(_not_below(q, np.array([value]))[0]) for q in (with_signal, without)]
        return math.sqrt(sum((1.0 - p) / (p * toys.number) for p in shares))

    def statistics(self, toys: Toys, s: float) -> tuple[Array, Array, float]:
        """q~ of toys with signal, of toys without, both sorted, and of the data."""
        return self._once((toys, s), lambda: self._statistics(toys, s / self.unit))  # type: ignore[no-any-return]

    def _statistics(self, toys: Toys, mu: float) -> tuple[Array, Array, float]:
        infer, model, bounds = self.pyhf.infer, self.model, self._bounds(mu)
        start, fixed = model.config.suggested_init(), model.config.suggested_fixed()
        known: dict[bytes, float] = {}

        def statistic(data: Array) -> float:
            key = data.tobytes()  # counts repeat
            if key not in known:
                q = infer.test_statistics.qmu_tilde(mu, data, model, start, bounds, fixed)
                known[key] = round(float(q), 6)  # the same order of counts, whatever the fit's last digits
            return known[key]

        def made(truth: float) -> Array:
            fitted = infer.mle.fixed_poi_fit(truth, self.data, model, start, bounds, fixed)
            with _seeded(toys.seed):
                samples = model.make_pdf(fitted).sample((toys.number,))
            return np.sort([statistic(np.asarray(sample, dtype=float)) for sample in samples])

        return made(mu), made(0.0), statistic(self.data)


_bin = functools.lru_cache(64)(_Bin)


def specification(counting: Counting, signal: float) -> dict[str, Any]:
    """The model of one bin as pyhf reads it; mu = 1 are so many signal events.

    Parameters
    ----------
    counting : Counting
    signal : float
    """
    known: list[dict[str, Any]] = [{"name": "mu", "type": "normfactor", "data": None}]
    if counting.signal_error > 0.0:
        size = {"hi": 1.0 + counting.signal_error, "lo": 1.0 - counting.signal_error}
        known.append({"name": "signal_error", "type": "normsys", "data": size})
    error = [{"name": "background_error", "type": "shapesys", "data": [counting.background_error]}]
    samples = [
        {"name": "signal", "data": [signal], "modifiers": known},
        {
            "name": "background",
            "data": [counting.background],
            "modifiers": error if counting.background_error > 0.0 else [],
        },
    ]
    return {"channels": [{"name": "bin", "samples": samples}]}


def _not_below(statistics: Array, values: Array) -> Array:
    """Share of sorted statistics that are a value or more; at least half a toy."""
    more = len(statistics) - np.searchsorted(statistics, values, side="left")
    return np.maximum(more, 0.5) / len(statistics)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Logarithms of 0 and steps out of bounds are a part of pyhf's fits, and of one that fails it prints pages."""
    log = logging.getLogger("pyhf.optimize.mixins")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"(pyhf|scipy)\.")
            yield
    finally:
        log.setLevel(before)


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """pyhf draws from numpy's global generator, which is put back as it was."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
