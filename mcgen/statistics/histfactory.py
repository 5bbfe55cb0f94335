"""Searches in bins as HistFactory has them, in the words of pyhf: documents, and the CLs that pyhf finds in them."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from mcgen.base.errors import McgenError, choose, refuse_if
from mcgen.base.extras import optional

CHANNEL, POI, VERSION = "signal_region", "mu", "1.0.0"
#: background of a bin that has less: without any, pyhf cannot fit an event there; it moves CLs by 1e-5 of itself
FLOOR = 1e-6
#: signal events, and these per event of background, that pyhf still fits: of 40 random searches of up to five bins it
#: fitted all at 300, 37 at 1000 and 25 at 1e4, where some answers were 1 instead of 0
MOST, PER_BACKGROUND = 300.0, 10.0
#: how pyhf finds the distribution of its test statistic
CALCTYPES = ("asymptotics", "toys")
#: probability of a standard Gaussian below -2, -1, 0, 1, 2
_SHARES = [0.5 * math.erfc(-z / math.sqrt(2.0)) for z in (-2, -1, 0, 1, 2)]

Document = dict[str, Any]


class CLs(NamedTuple):
    """CLs of a signal: that of what was seen, and what is expected where there is no signal."""

    observed: float
    minus_2: float  #: where the background fluctuates down by two standard deviations
    minus_1: float
    expected: float
    plus_1: float
    plus_2: float


def background_only(
    background: Sequence[float], background_error: Sequence[float], observed: Sequence[float] | None
) -> Document:
    """A workspace without a signal, and without a parameter of interest.

    Parameters
    ----------
    background, background_error : sequence of float
        Of each bin.
    observed : sequence of float, optional
        Events seen; without them the background itself stands there, as in an expected limit.

    Raises
    ------
    InputError
        For an error of a bin without background, which a relative one cannot be.
    """
    stray = [i for i, (b, error) in enumerate(zip(background, background_error, strict=True)) if error > 0.0 >= b]
    refuse_if(stray, f"background_error: bin {stray[0] + 1 if stray else 0} has no background to be uncertain of")
    data = [max(float(b), FLOOR) for b in background]
    errors = {"name": "background_error", "type": "shapesys", "data": [float(e) for e in background_error]}
    sample = {"name": "background", "data": data, "modifiers": [errors] if any(errors["data"]) else []}
    seen = data if observed is None else [float(n) for n in observed]
    return {
        "channels": [{"name": CHANNEL, "samples": [sample]}],
        "observations": [{"name": CHANNEL, "data": seen}],
        "measurements": [{"name": "search", "config": {"poi": "", "parameters": []}}],
        "version": VERSION,
    }


def signal_patch(signal: Sequence[float], mc_error: Sequence[float], signal_error: float = 0.0) -> list[Document]:
    """Operations that put a signal into a workspace without one; it is that of a model at mu = 1.

    Parameters
    ----------
    signal, mc_error : sequence of float
        Events in each bin, and how well a finite number of generated ones knows them.
    signal_error : float
        Relative standard deviation that all bins share.
    """
    modifiers: list[Document] = [{"name": POI, "type": "normfactor", "data": None}]
    if any(mc_error):
        modifiers.append({"name": f"staterror_{CHANNEL}", "type": "staterror", "data": [float(e) for e in mc_error]})
    if signal_error > 0.0:  # log-normal, so that it stays positive
        factors = {"hi": 1.0 + signal_error, "lo": 1.0 / (1.0 + signal_error)}
        modifiers.append({"name": "signal_error", "type": "normsys", "data": factors})
    sample = {"name": "signal", "data": [float(s) for s in signal], "modifiers": modifiers}
    return [
        {"op": "add", "path": "/channels/0/samples/-", "value": sample},
        {"op": "replace", "path": "/measurements/0/config/poi", "value": POI},
    ]


def with_signal(workspace: Document, patch: Sequence[Document]) -> Document:
    """A workspace with a signal in it, as a patch of `signal_patch` puts it there."""
    found: Document = json.loads(json.dumps(workspace))
    found["channels"][0]["samples"].append(patch[0]["value"])
    found["measurements"][0]["config"]["poi"] = patch[1]["value"]
    return found


def digest(workspace: Document) -> str:
    """The hash by which a patchset knows its workspace."""
    return hashlib.sha256(json.dumps(workspace, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def most_signal(background: Sequence[float], background_error: Sequence[float], observed: Sequence[float]) -> float:
    """Signal events beyond which pyhf may not find its minima, and no limit lies."""
    return MOST + PER_BACKGROUND * math.fsum([*background, *background_error, *observed])


@contextmanager
def _quiet() -> Iterator[None]:
    """pyhf and scipy tell of minima on the way to others; its logger speaks of those that it did not find."""
    log = logging.getLogger("pyhf")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def cls(workspace: Mapping[str, Any], calctype: str = "asymptotics", toys: int = 2000, seed: int = 1) -> CLs:
    """CLs at mu = 1 by pyhf.

    Parameters
    ----------
    workspace : dict
        With a signal.
    calctype : {"asymptotics", "toys"}
    toys : int
        Pseudo-experiments with signal, and as many without.
    seed : int
        Of toys.

    Raises
    ------
    McgenError
        If pyhf does not find its minima.
    """
    choose(calctype, CALCTYPES, "calctype")
    pyhf = optional("pyhf", "a search in bins", "limits")
    try:
        with _quiet():
            read = pyhf.Workspace(dict(workspace))
            model = read.model()
            of = pyhf, model, read.data(model)
            found = _by_toys(*of, toys, seed) if calctype == "toys" else _asymptotic(*of)
    except pyhf.exceptions.FailedMinimization as error:
        message = f"pyhf: {error}"
        raise McgenError(message) from None
    if not all(math.isfinite(value) for value in found):
        message = "pyhf: CLs is no number"
        raise McgenError(message)
    return found


def _asymptotic(pyhf: Any, model: Any, data: Sequence[float]) -> CLs:
    seen, expected = pyhf.infer.hypotest(1.0, data, model, test_stat="qtilde", return_expected_set=True)
    return CLs(float(seen), *(float(value) for value in expected))


def _by_toys(pyhf: Any, model: Any, data: Sequence[float], toys: int, seed: int) -> CLs:
    """CLs of toys; what is expected are quantiles over those without signal, which pyhf 0.7.6 takes as numpy 1 did."""
    state = np.random.get_state()  # noqa: NPY002, pyhf draws its toys from here
    try:
        np.random.seed(seed)  # noqa: NPY002
        asked = pyhf.infer.utils.create_calculator(
            "toybased", data, model, ntoys=toys, test_stat="qtilde", track_progress=False
        )
        seen = float(asked.teststatistic(1.0))
        with_, without = (np.asarray(one.samples) for one in asked.distributions(1.0))
    finally:
        np.random.set_state(state)  # noqa: NPY002

    def at(value: float) -> float:
        return float(np.mean(with_ >= value)) / max(float(np.mean(without >= value)), 1.0 / toys)

    expected = np.quantile([at(value) for value in without.tolist()], _SHARES)
    return CLs(at(seen), *expected.tolist())
