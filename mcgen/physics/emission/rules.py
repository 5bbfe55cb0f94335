"""Gauss-Legendre rules, and those of the cross-section integrals."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from mcgen.base.arrays import Array

#: nodes of the shortest piece of a panel
_FEWEST = 4


@functools.cache
def gauss(n: int) -> tuple[Array, Array]:
    """Nodes and weights of the rule with n points on (0, 1)."""
    y, w = np.polynomial.legendre.leggauss(n)
    return 0.5 * (y + 1.0), 0.5 * w


def panels(limits: Array, length: float | Array, n: int) -> tuple[Array, Array]:
    """Nodes and weights between each two limits, in panels; a piece of a panel needs fewer nodes than the whole.

    Parameters
    ----------
    limits : array, shape (ranges + 1,)
        Rising.
    length : float or array, shape (ranges,)
        Of a whole panel; longer ranges are divided.
    n : int
        Nodes of a whole panel.

    Returns
    -------
    nodes, weights : array
        Of all ranges; not in order.

    Notes
    -----
    The error of m nodes falls like (share/c)^(2 m) with the share of a panel, so that n ln c/(ln c - ln share) of them
    are as exact as n in a whole one; ln c = 2, and at least four nodes, which integrate a polynomial of degree 7.
    """
    widths, lengths = np.diff(limits), np.broadcast_to(length, limits.size - 1)
    divided = np.maximum(np.ceil(widths / lengths - 1e-9), 1.0).astype(int)
    width, whole = (np.repeat(values, divided) for values in (widths / divided, lengths))
    before = np.arange(divided.sum()) - np.repeat(np.cumsum(divided) - divided, divided)
    start = np.repeat(limits[:-1], divided) + before * width
    share = np.clip(width / whole, 1e-100, 1.0)
    counts = np.clip(np.ceil(n / (1.0 - 0.5 * np.log(share))), min(n, _FEWEST), n).astype(int)
    found = []
    for count in set(counts.tolist()):
        x, w = gauss(count)
        here = counts == count
        found.append((start[here, None] + width[here, None] * x, width[here, None] * w))
    nodes, weights = (np.concatenate([part.ravel() for part in parts]) for parts in zip(*found, strict=True))
    return nodes, weights


def gauss_of(x: Array, w: Array, n: int) -> tuple[Array, Array]:
    """Few nodes that stand for many: sums of polynomials up to degree 2 n - 1 are the same, row by row.

    Parameters
    ----------
    x, w : array, shape (rows, points)
        Nodes, and their weights, not negative and not all zero.
    n : int
        How many nodes to leave.

    Returns
    -------
    nodes, weights : array, shape (rows, n)

    Notes
    -----
    Lanczos' tridiagonal matrix of the measure; its eigenvalues are the nodes (Golub and Welsch).
    """
    total = w.sum(axis=1)
    basis = np.zeros((n + 1, *x.shape))
    matrix = np.zeros((n + 1, n + 1, len(x)))
    basis[0] = np.sqrt(w / total[:, None])
    for k in range(n):
        rest = x * basis[k]
        matrix[k, k] = np.sum(rest * basis[k], axis=1)
        for _ in range(2):  # twice is enough to be orthogonal to the last digit
            rest -= np.einsum("kr,krp->rp", np.einsum("krp,rp->kr", basis[: k + 1], rest), basis[: k + 1])
        norm = np.sqrt(np.sum(rest * rest, axis=1))
        norm[norm < 1e-12 * np.abs(x).max(axis=1)] = 0.0  # no more points than nodes so far
        matrix[k + 1, k] = norm
        basis[k + 1] = rest / np.where(norm > 0.0, norm, math.inf)[:, None]
    nodes, vectors = np.linalg.eigh(np.moveaxis(matrix[:n, :n], 2, 0))
    return nodes, total[:, None] * vectors[:, 0, :] ** 2


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
