"""Counter-based random numbers: Philox-4x64-10 (Salmon et al., SC11, doi:10.1145/2063384.2063405).

A number depends on (seed, stream, event, draw) and on nothing else, so events are the same for any number of threads,
workers and chunks. numpy's `Philox` gives the same bits and is the test's oracle.
"""

from __future__ import annotations

import numpy as np

from mcgen.base.jit import jit

#: streams of one seed: what a number is used for
EVENTS, INTEGRATION, DECAYS, SOURCES, STRAGGLING = 1, 2, 3, 4, 5

_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_12 = np.uint64(12)
_M0 = np.uint64(0xD2E7470EE14C6C93)
_M1 = np.uint64(0xCA5A826395121157)
_W0 = np.uint64(0x9E3779B97F4A7C15)
_W1 = np.uint64(0xBB67AE8584CAA73B)


@jit
def _high_product(a: np.uint64, b: np.uint64) -> np.uint64:
    """Upper 64 bits of a * b, from four products of halves."""
    a_low = a & _LOW
    a_high = a >> _32
    b_low = b & _LOW
    b_high = b >> _32
    middle = a_high * b_low + ((a_low * b_low) >> _32)
    cross = a_low * b_high + (middle & _LOW)
    return a_high * b_high + (middle >> _32) + (cross >> _32)


@jit
def philox(
    seed: np.uint64, stream: np.uint64, event: np.uint64, block: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Four random 64-bit words.

    Parameters
    ----------
    seed, stream : uint64
        The key: seed of the run, and what the numbers are used for.
    event, block : uint64
        The counter: number of the event, and which four of its numbers.
    """
    k0 = seed
    k1 = stream
    c0 = block
    c1 = event
    c2 = np.uint64(0)
    c3 = np.uint64(0)
    for _ in range(10):
        high0 = _high_product(_M0, c0)
        low0 = _M0 * c0
        high1 = _high_product(_M1, c2)
        low1 = _M1 * c2
        c0 = high1 ^ c1 ^ k0
        c1 = low1
        c2 = high0 ^ c3 ^ k1
        c3 = low0
        k0 = k0 + _W0
        k1 = k1 + _W1
    return c0, c1, c2, c3


@jit
def uniforms(
    seed: np.uint64, stream: np.uint64, event: np.uint64, block: np.uint64
) -> tuple[float, float, float, float]:
    """Four uniform numbers in (0, 1), both ends excluded, with 52 random bits.

    Parameters
    ----------
    seed, stream, event, block : uint64
        Key and counter, as in `philox`.
    """
    a, b, c, d = philox(seed, stream, event, block)
    scale = 2.0**-52
    return (
        (np.float64(a >> _12) + 0.5) * scale,
        (np.float64(b >> _12) + 0.5) * scale,
        (np.float64(c >> _12) + 0.5) * scale,
        (np.float64(d >> _12) + 0.5) * scale,
    )
