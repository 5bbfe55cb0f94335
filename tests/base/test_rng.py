"""Random numbers: the bits of numpy's Philox, and what can be seen of their distribution."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pvalue import chi2_probability, ks_probability

from mcgen.base.rng import EVENTS, INTEGRATION, philox, uniforms

words = st.integers(0, 2**64 - 1)
TOP = 2**64 - 1


def _oracle(seed, stream, event, block):
    """numpy's generator; it steps its counter before the first block."""
    counter = (block + (event << 64) - 1) % 2**256
    return np.random.Philox(key=seed + (stream << 64), counter=counter).random_raw(4).tolist()


def _u64(*values):
    return tuple(np.uint64(v) for v in values)


@given(seed=words, stream=words, event=words, block=words)
@example(0, 0, 0, 0)
@example(TOP, TOP, TOP, TOP)
@example(1, 1, 0, 2**40)
@example(2**63, 2, 2**32, 2**32 - 1)
def test_bits(seed, stream, event, block):
    """Four words equal numpy's at any key and counter; fails at one lost carry of the 128-bit product."""
    assert [int(v) for v in philox(*_u64(seed, stream, event, block))] == _oracle(seed, stream, event, block)


@given(seed=words, stream=words, event=words, block=words)
def test_python_and_compiled(seed, stream, event, block):
    """The same words with numpy integers in Python; fails if a type is promoted to float when compiled."""
    function = getattr(philox, "py_func", philox)
    with np.errstate(over="ignore"):
        plain = function(*_u64(seed, stream, event, block))
    assert plain == philox(*_u64(seed, stream, event, block))


@given(seed=words, stream=words, event=words, block=words)
@example(0, 0, 0, 0)
def test_open_interval(seed, stream, event, block):
    """Uniforms are the top 52 bits of the words, never 0 or 1; fails if log(u) could be infinite."""
    u = uniforms(*_u64(seed, stream, event, block))
    expected = [((w >> 12) + 0.5) * 2.0**-52 for w in _oracle(seed, stream, event, block)]
    assert list(u) == expected
    assert all(0.0 < v < 1.0 for v in u)


@pytest.fixture(scope="module")
def sample():
    """200000 numbers as the generator draws them: events counted up, two blocks, both streams."""
    n = 25_000
    draws = [
        uniforms(np.uint64(7), np.uint64(stream), np.uint64(event), np.uint64(block))
        for stream in (EVENTS, INTEGRATION)
        for block in (0, 1)
        for event in range(n // 2)
    ]
    return np.array(draws)


def test_moments(sample):
    """Mean 1/2 and variance 1/12 within 4 sigma; fails if half of the interval is favoured by 1 %."""
    n = sample.size
    assert abs(sample.mean() - 0.5) < 4.0 / np.sqrt(12.0 * n)
    assert abs(sample.var() - 1.0 / 12.0) < 4.0 / np.sqrt(180.0 * n)
    assert ks_probability(sample.ravel()) > 1e-4


def test_correlations(sample):
    """Lanes, neighbouring events and blocks do not correlate, 4.5 sigma; fails if a counter word is reused."""
    centred = sample - 0.5
    lanes = [centred[:, i] * centred[:, j] for i in range(4) for j in range(i)]
    neighbours = [centred[1:, i] * centred[:-1, j] for i in range(4) for j in range(4)]
    half = len(centred) // 2
    streams = [centred[:half, i] * centred[half:, j] for i in range(4) for j in range(4)]
    for product in (*lanes, *neighbours, *streams):
        assert abs(product.mean()) < 4.5 / 12.0 / np.sqrt(product.size)


def test_pairs_fill_the_square(sample):
    """Pairs of lanes are uniform in 16 x 16 cells, p > 1e-4; fails if they lie on lines."""
    for i, j in ((0, 1), (2, 3), (0, 3)):
        counts, _, _ = np.histogram2d(sample[:, i], sample[:, j], bins=16, range=[[0, 1], [0, 1]])
        expected = counts.sum() / counts.size
        assert chi2_probability(float(np.sum((counts - expected) ** 2 / expected)), counts.size - 1) > 1e-4


def test_streams_differ():
    """Seed, stream, event and block each change every word; fails if one of them is ignored."""
    base = (5, 1, 9, 3)
    first = philox(*_u64(*base))
    for position in range(4):
        other = list(base)
        other[position] += 1
        assert not set(philox(*_u64(*other))) & set(first)
