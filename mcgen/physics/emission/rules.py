"""Gauss-Legendre rules, and those of the cross-section integrals."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from mcgen.base.arrays import Array


@functools.cache
def gauss(n: int) -> tuple[Array, Array]:
    """Nodes and weights of the rule with n points on (0, 1)."""
    y, w = np.polynomial.legendre.leggauss(n)
    return 0.5 * (y + 1.0), 0.5 * w


class Rules(NamedTuple):
    """Nodes and weights on (0, 1) for energy, angle, t and the binned variable, arrays of shape (nodes,)."""

    x: Array
    x_w: Array
    u: Array
    u_w: Array
    t: Array
    t_w: Array
    bin: Array
    bin_w: Array


@functools.cache
def rules(n_x: int, n_u: int, n_t: int, n_bin: int) -> Rules:
    """Gauss-Legendre rules on (0, 1), with the nodes in x and u moved to where the integrand is steep.

    Parameters
    ----------
    n_x, n_u, n_t, n_bin : int
        Nodes in energy of S, angle, t and the binned variable.

    Notes
    -----
    At both ends of the energy range the integrand grows like a square root; r = 3 y^2 - 2 y^3 makes it smooth. The map
    1/|u| leaves few nodes at large |u|; r = 1 - (1 - y)^2 puts more there.
    """
    x, x_w = gauss(n_x)
    u, u_w = gauss(n_u)
    t, t_w = gauss(n_t)
    bins, bin_w = gauss(n_bin)
    return Rules(
        x * x * (3.0 - 2.0 * x), x_w * 6.0 * x * (1.0 - x), u * (2.0 - u), u_w * 2.0 * (1.0 - u), t, t_w, bins, bin_w
    )
