"""|M|^2 of e+ e- -> f+ f- X from spinors and polarisation vectors, each written out."""

from __future__ import annotations

import itertools

import numpy as np

_I2, _ZERO = np.eye(2), np.zeros((2, 2))
_SIGMA = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
G0 = np.block([[_I2, _ZERO], [_ZERO, -_I2]]).astype(complex)
GAMMA = np.array([G0, *(np.block([[_ZERO, s], [-s, _ZERO]]) for s in _SIGMA)])
GAMMA5 = 1j * GAMMA[0] @ GAMMA[1] @ GAMMA[2] @ GAMMA[3]
METRIC = np.array([1.0, -1.0, -1.0, -1.0])
ONE = np.eye(4, dtype=complex)


def slash(p):
    """p-slash of a four-vector (E, px, py, pz)."""
    return np.einsum("m,mab->ab", METRIC * p, GAMMA)


def u(p, m, spin):
    """Spinor of a particle; the spin is 0 or 1."""
    chi = _I2[spin]
    return np.sqrt(p[0] + m) * np.concatenate([chi, np.einsum("i,iab->ab", p[1:], _SIGMA) @ chi / (p[0] + m)])


def v(p, m, spin):
    """Spinor of an antiparticle."""
    chi = _I2[spin]
    return np.sqrt(p[0] + m) * np.concatenate([np.einsum("i,iab->ab", p[1:], _SIGMA) @ chi / (p[0] + m), chi])


def bar(spinor):
    """The adjoint."""
    return spinor.conj() @ G0


def polarisations(k, M):
    """Three polarisation vectors of a massive boson."""
    size = np.linalg.norm(k[1:])
    n = k[1:] / size
    one = np.cross(n, np.eye(3)[np.argmin(np.abs(n))])
    one /= np.linalg.norm(one)
    return [np.array([0.0, *one]), np.array([0.0, *np.cross(n, one)]), np.array([size, *(k[0] * n)]) / M]


def vertices(k, M, mediator, angle=0.0):
    """The matrices of the vertex, one for each polarisation; the angle of parity in degrees mixes in the odd one."""
    if angle:
        pairs = zip(vertices(k, M, mediator), vertices(k, M, ODD[mediator]), strict=True)
        return [np.cos(np.radians(angle)) * even + np.sin(np.radians(angle)) * odd for even, odd in pairs]
    if mediator == "scalar":
        return [ONE]
    if mediator == "pseudoscalar":
        return [1j * GAMMA5]
    return [slash(e) @ (ONE if mediator == "vector" else GAMMA5) for e in polarisations(k, M)]


ODD = {"scalar": "pseudoscalar", "vector": "axial"}


def squared(mediator, m, M, k, minus, plus, angle=0.0):
    """<|M|^2>/(e^4 g^2) in GeV^-2 with massless beams along z; momenta (E, px, py, pz) of X, f- and f+."""
    total = k + minus + plus
    s, half = total[0] ** 2, 0.5 * total[0]
    electron, positron = np.array([half, 0.0, 0.0, half]), np.array([half, 0.0, 0.0, -half])
    first = slash(minus + k) + m * ONE
    second = m * ONE - slash(plus + k)
    to_first = 1.0 / (M * M + 2.0 * np.sum(METRIC * minus * k))
    to_second = 1.0 / (M * M + 2.0 * np.sum(METRIC * plus * k))
    found = 0.0
    beams = [
        np.array([bar(v(positron, 0.0, a)) @ gamma @ u(electron, 0.0, b) for gamma in GAMMA])
        for a, b in itertools.product(range(2), repeat=2)
    ]
    for vertex in vertices(k, M, mediator, angle):
        line = [to_first * vertex @ first @ gamma + to_second * gamma @ second @ vertex for gamma in GAMMA]
        for a, b in itertools.product(range(2), repeat=2):
            pair = np.array([bar(u(minus, m, a)) @ matrix @ v(plus, m, b) for matrix in line])
            found += sum(abs(np.sum(METRIC * beam * pair)) ** 2 for beam in beams)
    return 0.25 * found / s**2
