"""Shares of a job array."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mcgen.campaign.submit import share


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_shares_are_disjoint_and_complete(jobs, partitions):
    """One after the other the shares are all partitions once, and equal but for one; fails if a rounding loses one."""
    shares = [share(job, jobs, partitions) for job in range(jobs)]
    assert [i for mine in shares for i in mine] == list(range(partitions))
    sizes = {len(mine) for mine in shares}
    assert max(sizes) - min(sizes) <= 1
