"""l e -> l e S with 50 digits from explicit spinors: both lines, every spin, the squares and their product.

No spin sum, no trace and no formula of the package is used; the momenta are those of `exact.point`.
"""

from __future__ import annotations

import itertools

import numpy as np
from exact import GAMMA, GAMMA5, ONE, Point, add, dot, slash
from mpmath import mp, mpf, sqrt

#: vertices of the boson: a list of matrices, of a vector one for each component
VERTICES = {
    "S": [ONE],
    "P": [1j * GAMMA5],
    "V": [GAMMA[i] for i in range(4)],
    "A": [GAMMA[i] @ GAMMA5 for i in range(4)],
}
METRIC = (1, -1, -1, -1)


def _spinors(p, m, sign=1):
    """u(p), or v(p) for sign -1, of both spins: columns of slash(p) + sign m, with ubar u = 2 m sign."""
    matrix = (slash(p) + sign * m * ONE) / sqrt(p[0] + m)
    return [sign * matrix[:, i] for i in ((0, 1) if sign > 0 else (2, 3))]


def _bar(spinor):
    return np.array([mp.conj(v) for v in spinor], dtype=object) @ GAMMA[0]


def _current(p, p_out, m, antiparticle=False):
    """Currents bar gamma^a of all pairs of spins, shape (pairs, 4)."""
    first, last = (_spinors(p_out, m, -1), _spinors(p, m, -1)) if antiparticle else (_spinors(p, m), _spinors(p_out, m))
    pairs = itertools.product(map(_bar, last), first)
    return np.array([[bar @ gamma @ spinor for gamma in GAMMA] for bar, spinor in pairs], dtype=object)


def _emissions(p, p_out, k, m, vertices, antiparticle=False):
    """The line with the boson, a row for each pair of spins: shape (pairs, photon component, boson component)."""
    if antiparticle:  # the fermion line runs from -p' to -p
        first, last, p, p_out = (
            _spinors(p_out, m, -1),
            _spinors(p, m, -1),
            add((0,) * 4, p_out, -1),
            add((0,) * 4, p, -1),
        )
    else:
        first, last = _spinors(p, m), _spinors(p_out, m)
    after, before = add(p_out, k), add(p, k, -1)
    s, u = dot(after, after) - m**2, dot(before, before) - m**2
    at_s, at_u = (slash(after) + m * ONE) / s, (slash(before) + m * ONE) / u
    matrices = [[v @ at_s @ g + g @ at_u @ v for v in vertices] for g in GAMMA]
    pairs = list(itertools.product(map(_bar, last), first))
    return np.array([[[b @ x @ w for x in row] for row in matrices] for b, w in pairs], dtype=object)


def _sum(one, other, k, m_S):
    """Real part of the sum over spins and polarisations of one other^*, over the four spins of the beginning."""
    product = one * np.vectorize(mp.conj, otypes=[object])(other)
    if one.shape[-1] == 1:
        return mp.re(product.sum()) / 4
    minus_g = sum(-METRIC[i] * product[..., i].sum() for i in range(4))
    lower = np.array([METRIC[i] * k[i] for i in range(4)], dtype=object)
    long = (one @ lower) * np.vectorize(mp.conj, otypes=[object])(other @ lower)
    return mp.re(minus_g + long.sum() / m_S**2) / 4


def squares(x: Point, spin: str, antimuon: bool = False):
    """(A_mu, A_e in GeV^2, C in 1/GeV^2) of a point whose target is an electron."""
    mp.dps = 50
    m, m_e, m_S = (sqrt(dot(v, v)) for v in (x.p, x.P_in, x.k))
    t_e, t_mu = (-dot(q, q) for q in (add(x.P_in, x.P_out, -1), add(x.p, x.p_out, -1)))
    metric = np.array([mpf(g) for g in METRIC], dtype=object)
    electron, muon = _current(x.P_in, x.P_out, m_e), _current(x.p, x.p_out, m, antimuon)
    of_muon = _emissions(x.p, x.p_out, x.k, m, VERTICES[spin], antimuon)
    of_electron = _emissions(x.P_in, x.P_out, x.k, m_e, VERTICES[spin])
    # shape (spins of the muon, spins of the electron, boson component)
    M_mu = np.einsum("iab,ja->ijb", of_muon, electron * metric)
    M_e = np.einsum("jab,ia->ijb", of_electron, muon * metric)
    C = 2 * _sum(M_mu, M_e, x.k, m_S) / (t_e * t_mu)
    return _sum(M_mu, M_mu, x.k, m_S), _sum(M_e, M_e, x.k, m_S), C
