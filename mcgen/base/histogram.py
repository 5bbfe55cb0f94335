"""Binned numbers as a histogram of the package hist (boost-histogram)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.extras import optional


def histogram(
    name: str, edges: Sequence[float] | Array, values: Sequence[float] | Array, variances: Array | None = None
) -> Any:
    """A histogram of one axis.

    Parameters
    ----------
    name : str
        Of the axis.
    edges : array, shape (n + 1,)
    values : array, shape (n,)
    variances : array, shape (n,), optional
        Squared errors; with them the storage is that of weighted events.

    Returns
    -------
    hist.Hist
    """
    hist = optional("hist", "to_hist", "hist")
    storage = hist.storage.Double() if variances is None else hist.storage.Weight()
    made = hist.Hist(hist.axis.Variable(np.asarray(edges), name=name), storage=storage)
    made[...] = np.asarray(values) if variances is None else np.stack([values, variances], axis=-1)
    return made
