"""Cross sections of a Les Houches file with several beam energies, each at its own energy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mcgen.events.formats.lhe_events import Init
from mcgen.events.formats.lhe_process import Refuse
from mcgen.events.formats.lhe_weights import ALL, Normalisation

#: a mean weight agrees with a cross section to this share of it
_SAME = 1e-2
#: means of weights that differ by less are the same
_EQUAL = 1e-6


class EnergySums:
    """Number and sum of the weights at each beam energy, and its processes."""

    def __init__(self, init: Init, refuse: Refuse) -> None:
        self._init, self._refuse = init, refuse
        self._sums: dict[int, list[float]] = {}
        self._processes: dict[int, set[int]] = {}

    def add(self, energies: NDArray[np.int64], processes: NDArray[np.int64], weights: NDArray[np.float64]) -> None:
        """Count events, by the number of their energy."""
        for k in map(int, np.unique(energies)):
            mine = energies == k
            n, total = self._sums.get(k, [0.0, 0.0])
            with np.errstate(over="ignore"):  # refused later
                self._sums[k] = [n + int(mine.sum()), total + float(weights[mine].sum())]
            self._processes.setdefault(k, set()).update(np.unique(processes[mine]).tolist())

    def count(self, k: int) -> int:
        """Number of events at an energy."""
        return int(self._sums[k][0])

    def normalised(self, whole: Normalisation, energies: Sequence[float]) -> list[Normalisation]:
        """The cross section at each energy, and the factors of the weights.

        Each energy has processes of its own in <init>, or weights are in pb and their mean is the cross section.

        Parameters
        ----------
        whole : Normalisation
            Of all events together; its relative error is kept where <init> does not give that of an energy.
        energies : sequence of float
            In GeV, in the order of their numbers.
        """
        if len(energies) == 1:
            return [whole]
        stated = [self._of_processes(k) for k in range(len(energies))]
        own = sum(map(len, self._processes.values())) == len(set().union(*self._processes.values()))
        if own and all(sigma > 0.0 for sigma, _ in stated):
            return [self._normalisation(k, sigma, error) for k, (sigma, error) in enumerate(stated)]
        sums = [self._sums[k] for k in range(len(energies))]
        means = [total / n for n, total in sums]
        mean = sum(total for _, total in sums) / sum(n for n, _ in sums)
        in_pb = abs(self._init.strategy) in (1, 4) or abs(mean - whole.sigma) <= _SAME * whole.sigma
        if not in_pb or min(means) <= 0.0 or max(means) - min(means) <= _EQUAL * max(means):
            self._refuse(
                f"holds {len(energies)} beam energies, {min(energies):.6g} to {max(energies):.6g} GeV, and nothing "
                "says the cross section at each; expected: a process for each energy in <init>, weights in pb, or a "
                "file for each energy"
            )
        return [self._normalisation(k, mean, whole.relative_error) for k, mean in enumerate(means)]

    def _of_processes(self, k: int) -> tuple[float, float]:
        """Cross section in pb and its relative error of the processes at an energy."""
        rows = [self._init.processes.get(process, (0.0, 0.0, 0.0)) for process in self._processes[k]]
        sigma = sum(row[0] for row in rows)
        error = sum(max(0.0, row[1]) ** 2 for row in rows) ** 0.5
        return sigma, error / sigma if sigma > 0.0 else 0.0

    def _normalisation(self, k: int, sigma: float, relative_error: float) -> Normalisation:
        total = self._sums[k][1]
        if not total > 0.0:
            self._refuse(f"the weights at one of its beam energies add up to {total:g}, which is not positive")
        return Normalisation({ALL: sigma / total}, sigma, relative_error)
