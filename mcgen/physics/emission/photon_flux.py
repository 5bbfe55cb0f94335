"""Photon flux chi of the nucleus in the Weizsaecker-Williams picture (Eq. 13)."""

from __future__ import annotations

import math

from mcgen.base.jit import jit
from mcgen.physics.emission.form_factor import G2, FormFactor
from mcgen.physics.emission.rules import gauss

_NODES, _WEIGHTS = gauss(16)


@jit
def chi(t_min: float, t_max: float, ff: FormFactor) -> float:
    """Integral of (t - t_min)/t^2 G2(t) from t_min to t_max (Eq. 13); dimensionless, 0 if the range is empty."""
    if not t_max > t_min:
        return 0.0
    panels = 1 + int(math.log(t_max / t_min) / min(3.0, ff.panel))
    width = math.log(t_max / t_min) / panels
    total = 0.0
    for panel in range(panels):
        for i in range(_NODES.size):
            t_minus_tmin = t_min * math.expm1((panel + _NODES[i]) * width)
            t = t_min + t_minus_tmin
            total += _WEIGHTS[i] * width * t_minus_tmin / t * G2(t, ff)
    return total
