"""The numbered equations of docs/amplitude.md, checked.

    python -m validation.derivation [--seed S] [--points N]

A line per step: the equations, what they say, and "exact" or the largest relative difference. Momenta are random,
rational and on their mass shells, Dirac matrices are explicit and numbers are fractions (`validation.exact_dirac`): an
identity holds to the last digit or fails, and a wrong one passes only at a root of its numerator. Exit status 1 if a
step fails.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

from validation import derivation_invariants as invariants
from validation import derivation_laboratory as lab
from validation.exact_dirac import Point, points

#: each yields pairs of sides at some points; with the relative difference allowed, 0 for identities in fractions
STEPS: dict[Callable[[list[Point], Random], invariants.Pairs], float] = {
    invariants.products: 0.0,
    invariants.conservation: 0.0,
    invariants.reduction: 0.0,
    invariants.field: 0.0,
    invariants.structures: 0.0,
    invariants.span: 0.0,
    invariants.scalar: 0.0,
    invariants.pseudoscalar: 0.0,
    invariants.longitudinal: 0.0,
    invariants.vector: 0.0,
    invariants.axial: 0.0,
    invariants.weights: 0.0,
    lab.laboratory: 0.0,
    lab.eikonal: 0.0,
    lab.smallest_u: 0.0,
    lab.components: 0.0,
    lab.transfer: 0.0,
    lab.emission_in_doubles: 1e-13,
    lab.azimuth: 0.0,
    lab.average: 0.0,
    lab.phase_space: 0.0,
    lab.measure: 1e-12,
    invariants.real_photon: 0.0,
    lab.weizsaecker_williams: 1e-25,  # corrections are of order m/E
    invariants.other_lines: 0.0,
    invariants.change: 0.0,
}


def difference(step: Callable[..., Any], n: int = 2, seed: int = 1) -> float:
    """Largest difference of the two sides of a step, relative to the larger one; 0 if none differs at all."""
    worst = 0.0
    sides = list(step(points(n, seed), Random(seed)))
    assert sides, "a step compares nothing"
    for left, right in sides:
        for a, b in zip(np.ravel(left), np.ravel(right), strict=True):
            if a != b:
                relative = float(abs(a - b) / max(abs(a), abs(b)))
                worst = max(worst, math.inf if math.isnan(relative) else relative)
    return worst


def main() -> int:
    """Print a line per step; 1 if one fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--points", type=int, default=2, help="random points per identity")
    options = parser.parse_args()
    failed = 0
    for step, tolerance in STEPS.items():
        worst = difference(step, options.points, options.seed)
        passed = worst <= tolerance
        failed += not passed
        equations, says = str(step.__doc__).rstrip(".").split(": ", 1)
        result = "exact" if worst == tolerance == 0.0 else f"{worst:.1e}"
        print(f"{equations:<10} {says:<69} {result}{'' if passed else '  FAILED'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
