"""CLs by pyhf: its own command at the limit, the exact limit, and what is said where it has no answer."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import mcgen
from mcgen.statistics.by_pyhf import Toys, pyhf_limit, specification
from mcgen.statistics.counting import Counting

pyhf = pytest.importorskip("pyhf")


def _workspace(counting, n, limit):
    """As a user of pyhf writes it."""
    signal = [{"name": "mu", "type": "normfactor", "data": None}]
    if counting.signal_error:
        size = {"hi": 1.0 + counting.signal_error, "lo": 1.0 - counting.signal_error}
        signal.append({"name": "acceptance", "type": "normsys", "data": size})
    background = []
    if counting.background_error:
        background.append({"name": "control", "type": "shapesys", "data": [counting.background_error]})
    samples = [
        {"name": "S", "data": [limit], "modifiers": signal},
        {"name": "rest", "data": [counting.background], "modifiers": background},
    ]
    return {
        "channels": [{"name": "one", "samples": samples}],
        "observations": [{"name": "one", "data": [n]}],
        "measurements": [{"name": "limit", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


@pytest.mark.parametrize(
    ("n", "counting"),
    [
        (0, Counting(0.07, 0.03)), (4, Counting(3.0, 1.0, 0.1)), (100, Counting(100.0)), (3, Counting(1.0, 2.0, 0.5)),
        (101_000, Counting(1e5, 1e3, 0.05)),
    ],
)  # fmt: skip
def test_pyhf_command_at_the_limit(n, counting, tmp_path):
    """The command `pyhf cls` finds 1 - confidence within 1 % at the limit; fails if an error or q~ is another one."""
    limit = mcgen.limit_events(
        n, counting.background, counting.background_error, counting.signal_error, 0.9, "cls", "asymptotics"
    )
    path = tmp_path / "workspace.json"
    path.write_text(json.dumps(_workspace(counting, n, limit)))
    command = [str(Path(sys.executable).parent / "pyhf"), "cls", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(done.stdout)["CLs_obs"] == pytest.approx(0.1, rel=0.01)


def test_small_counts():
    """1.4355 by the asymptotic formulas where the exact limit is 2.303; fails if one is given for the other."""
    values = {"observed": 0, "background": 0.07, "background_error": 0.03, "confidence": 0.9, "method": "cls"}
    assert mcgen.limit_events(**values, calctype="asymptotics") == pytest.approx(1.4355, abs=2e-4)
    assert mcgen.limit_events(**values) == pytest.approx(math.log(10.0), rel=1e-9)


def test_cowan_formula():
    """Known background, by the closed forms of 1007.1727; fails if q~ does not stop at a fitted signal of 0."""
    n, b, s = 2, 5.0, mcgen.limit_events(2, 5.0, method="cls", calctype="asymptotics")
    q = 2.0 * (s + b - n * math.log(s + b)) - 2.0 * (b - n * math.log(b))  # fitted signal 0
    q_A = 2.0 * (s + b - b * math.log(s + b)) - 2.0 * (b - b * math.log(b))
    above, below = (q + q_A) / (2.0 * math.sqrt(q_A)), (q - q_A) / (2.0 * math.sqrt(q_A))
    assert math.erfc(above / math.sqrt(2.0)) / math.erfc(below / math.sqrt(2.0)) == pytest.approx(0.05, rel=1e-3)


def test_bands():
    """What pyhf expects at each limit is 1 - confidence; fails if the order of the bands is turned round."""
    found = mcgen.expected_limits(3.0, 1.0, 0.1, 0.9, "cls", "asymptotics")
    assert list(found) == sorted(found)
    assert found.expected == mcgen.limit_events(None, 3.0, 1.0, 0.1, 0.9, "cls", "asymptotics")
    model = pyhf.Model(specification(Counting(3.0, 1.0, 0.1), 1.0), poi_name="mu", validate=False)
    bounds = model.config.suggested_bounds()
    bounds[model.config.poi_index] = (0.0, 50.0)
    for i, limit in enumerate(found):
        data = [3.0, *model.config.auxdata]
        _, expected = pyhf.infer.hypotest(limit, data, model, par_bounds=bounds, return_expected_set=True)
        assert float(expected[i]) == pytest.approx(0.1, rel=0.01)


def test_large_counts():
    """Both agree for many events, to 2 %; fails if the error of the background is taken for a relative one."""
    one, two = (mcgen.limit_events(10_000, 1e4, 200.0, 0.0, 0.95, "cls", c) for c in ("asymptotics", "exact"))
    assert one == pytest.approx(two, rel=0.02)


@pytest.mark.parametrize(("n", "b"), [(0, 0.07), (4, 3.0)])
def test_toys(n, b):
    """For a known background toys give the exact limit within their error, and the same again.

    Fails if toys of the background are those of the signal too, or if the error is not that of both.
    """
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    exact = mcgen.limit_events(n, b, confidence=0.9, method="cls")
    found = [pyhf_limit(Counting(b), n, 1.0 - 0.9, 0, Toys(2000, seed)) for seed in range(1, 6)]
    assert sum(one.pull(exact) ** 2 for one in found) < 15.1  # 1 %, 5 degrees of freedom
    assert all(0.01 * exact < one.error < 0.1 * exact for one in found)
    options = {"calctype": "toys", "toys": 2000, "seed": 2}
    assert mcgen.limit_events(n, b, confidence=0.9, method="cls", **options) == found[1].value
    pyhf_limit.cache_clear()
    assert mcgen.limit_events(n, b, confidence=0.9, method="cls", **options) == found[1].value
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_toys_with_errors():
    """pyhf's calculator with toys finds 1 - confidence at the limit, within the errors of both; fails without q~."""
    counting = Counting(1.0, 0.5)
    found = pyhf_limit(counting, 1, 0.1, 0, Toys(400))
    model = pyhf.Model(specification(counting, found.value), poi_name="mu", validate=False)
    data = [1, *model.config.auxdata]
    np.random.seed(11)  # noqa: NPY002
    calculator = pyhf.infer.calculators.ToyCalculator(data, model, ntoys=400, track_progress=False)
    CLsb, CLb, CLs = calculator.pvalues(calculator.teststatistic(1.0), *calculator.distributions(1.0))
    error = float(CLs) * math.sqrt((1.0 - CLsb) / (400 * CLsb) + (1.0 - CLb) / (400 * CLb))
    assert abs(float(CLs) - 0.1) < 3.0 * math.hypot(error, 0.1 * found.error / found.value * math.log(10.0))


def test_bands_of_toys():
    """Expected limits by toys are those at the exact quantiles, to 15 %; fails if the bands are turned round."""
    found = mcgen.expected_limits(3.0, 0.0, 0.0, 0.9, "cls", "toys", toys=2000)
    assert found == pytest.approx(mcgen.expected_limits(3.0, confidence=0.9, method="cls"), rel=0.15)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0, 0.0), "background: 0 is outside the formulas of pyhf; take calctype exact"),
        ((0, 1e5), "pyhf finds no CLs for 2.996 signal events; take calctype exact"),
        ((0, 1.0, 0.1, 0.6), "signal_error: 0.6 must be at most 0.5 for pyhf"),
        ((0, 1.0, 0.1, 0.1, 0.5), "confidence: must be above 0.5 for pyhf"),
    ],
)
def test_refused(arguments, words):
    """One line where pyhf has no answer; fails if a number comes, which would be a wrong one."""
    confidence = arguments[4] if len(arguments) > 4 else 0.95
    with pytest.raises(mcgen.InputError, match=words):
        mcgen.limit_events(*arguments[:4], confidence=confidence, method="cls", calctype="asymptotics")


def test_refused_toys():
    """Numbers of toys and seeds are checked; fails if pyhf gets them as they are."""
    for options, words in (({"toys": 1}, "toys: 1 must lie from 10"), ({"seed": -1}, "seed: -1 must lie from 0")):
        with pytest.raises(mcgen.InputError, match=words):
            mcgen.limit_events(1, 1.0, method="cls", calctype="toys", **options)


def test_without_pyhf(monkeypatch):
    """The command that installs it is said; fails with an ImportError."""
    monkeypatch.setitem(sys.modules, "pyhf", None)
    with pytest.raises(mcgen.InputError, match=r"needs pyhf: pip install 'mcgen\[limits\]'"):
        mcgen.limit_events(5, 1.25, method="cls", calctype="asymptotics")
