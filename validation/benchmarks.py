"""Speed, precision and memory, each with its goal and, where one installs, a peer measured in the same run.

    pip install '.[test,benchmark]'
    python -m validation.benchmarks --json validation/benchmarks.json

Timings are medians of several runs. Machines differ and are shared: compare ratios, not seconds.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import uproot

import mcgen
from mcgen.analysis import reach as contours
from mcgen.analysis import reweight as reweighting
from mcgen.base.files import atomic_path
from mcgen.base.jit import jit
from mcgen.base.rng import INTEGRATION
from mcgen.events.branches import BRANCHES
from mcgen.generation import generate as generation
from mcgen.generation import normalisation
from mcgen.generation.lattice import build_lattice, integrate
from mcgen.physics.emission.amplitude import reduced_amplitude
from mcgen.physics.emission.cross_section import sigma
from mcgen.physics.emission.phase_space import energy_map
from mcgen.quadrature.xsec import process_of
from mcgen.source.source import Source
from mcgen.source.track import linear
from validation.point import map_point

REFERENCE = Path(__file__).parent / "reference"


@dataclass
class Row:
    """One figure of the table."""

    figure: str
    value: float
    unit: str
    goal: str
    met: bool
    peer: str = ""


def median(call: Callable[[], Any], runs: int = 5, clock: Callable[[], float] = time.process_time) -> float:
    """Median seconds of a call, after one that is not counted."""
    call()
    times = []
    for _ in range(runs):
        start = clock()
        call()
        times.append(clock() - start)
    return statistics.median(times)


@jit
def _points(process: Any, E: float, r: Any, weights: Any) -> None:
    em = energy_map(E, process)
    for i in range(r.shape[0]):
        weights[i] = map_point(E, process, em, r[i, 0], r[i, 1], r[i, 2]).weight


@jit
def _amplitudes(process: Any, E: float, r: Any, values: Any) -> None:
    for i in range(r.shape[0]):
        E_S = 0.2 * E + 0.6 * E * r[i, 0]
        values[i] = reduced_amplitude(
            E, process.m, process.m_S, process.M, E_S, 1e-3 * r[i, 1], 1e-3 * r[i, 2], r[i, 0]
        )


def amplitude() -> Iterator[Row]:
    """Precision against 48 digits."""
    points = json.loads((REFERENCE / "me_points.json").read_text())["points"]
    worst: dict[bool, float] = {True: 0.0, False: 0.0}
    for point in points:
        v = point["variables"]
        names = ("E_S", "one_minus_cos_theta_S", "t_minus_tmin", "phi_q")
        arguments = [float(point[key]) for key in ("E_beam", "m_lepton", "m_S", "M_N")] + [
            float(v[key]) for key in names
        ]
        deviation = abs(reduced_amplitude(*arguments) / float(point["A"]) - 1.0)
        edge = point["category"] in ("x_near_xmax", "t_near_tmax")
        worst[edge] = max(worst[edge], deviation)
    yield Row(
        "amplitude against 48 digits, away from x_max and t_max", worst[False], "", "1e-10", worst[False] <= 1e-10
    )
    yield Row(
        "the same next to x_max or t_max (inputs rounded to double)", worst[True], "", "1e-6", worst[True] <= 1e-6
    )


def quadrature() -> Iterator[Row]:
    """One cross section, and one point of it."""
    process = process_of("W", 0.1)
    seconds = median(lambda: sigma(3.0, process), 21)
    reference = next(
        e["sigma_g1_pb"]
        for e in json.loads((REFERENCE / "sigma.json").read_text())["entries"]
        if (e["target"], e["E_beam"], e["m_S"]) == ("W", 3.0, 0.1)
    )
    deviation = abs(sigma(3.0, process)[0] / reference - 1.0)
    peer, ratio = _vegas(process)
    goal = "30 ms, 15 times vegas"
    yield Row(
        "sigma(W, 3 GeV, 0.1 GeV) and its error", 1e3 * seconds, "ms CPU", goal, seconds < 0.03 and ratio > 15, peer
    )
    yield Row("its deviation from the reference", deviation, "", "1e-6", deviation < 1e-6)
    r = np.random.default_rng(1).random((100_000, 3))
    out = np.empty(len(r))
    point = median(lambda: _points(process, 3.0, r, out)) / len(r)
    yield Row("phase-space point: map, |M|^2, form factor", 1e9 * point, "ns", "100 ns", point <= 1e-7)
    element = median(lambda: _amplitudes(process, 3.0, r, out)) / len(r)
    yield Row(
        "|M|^2 at one azimuth", 1e9 * element, "ns", "60 ns", element <= 6e-8, "MadGraph 1400 ns (measured apart)"
    )


def _vegas(process: Any) -> tuple[str, float]:
    """CPU time of vegas for 1e-4 on the same map and integrand, over that of the quadrature."""
    try:
        import vegas
    except ImportError:
        return "vegas is not installed", math.inf

    @vegas.lbatchintegrand
    def f(r: Any) -> Any:
        out = np.empty(len(r))
        _points(process, 3.0, np.ascontiguousarray(r), out)
        return out

    def run() -> Any:
        integrator = vegas.Integrator(3 * [[0.0, 1.0]])
        integrator(f, nitn=5, neval=20_000)
        return integrator(f, nitn=10, neval=60_000)

    seconds = median(run, 3)
    result = run()
    ratio = seconds * (result.sdev / result.mean / 1e-4) ** 2 / median(lambda: sigma(3.0, process), 21)
    return f"vegas {metadata.version('vegas')} to 1e-4: {ratio:.0f} times ours", ratio


def efficiency() -> Iterator[Row]:
    """Unweighting over the whole range of energies and masses."""
    efficiencies, excess = [], []
    for target, E_low, E_high in (
        ("W", 0.5, 3.0),
        ("W", 0.5, 0.5),
        ("W", 3.0, 3.0),
        ("Pb", 20.0, 20.0),
        ("Pb", 160.0, 160.0),
    ):
        for m_S in (0.001, 0.01, 0.1, 0.2):
            process = process_of(target, m_S)
            lattice = build_lattice(linear(E_high, E_low), process)
            total, _, accepted, _ = integrate(lattice, process, np.uint64(1), np.uint64(INTEGRATION), 0, 200_000)
            efficiencies.append(accepted / 200_000)
            excess.append(1.0 - accepted / total)
    worst = min(efficiencies)
    met = worst >= 0.6 and max(excess) <= 1e-3
    yield Row("unweighting efficiency, lowest of 0.5-160 GeV x 1-200 MeV", worst, "", "0.6 at overweight 1e-3", met)
    yield Row("overweight share, largest of the same", max(excess), "", "1e-3", max(excess) <= 1e-3)
    process = process_of("W", 0.1)
    seconds = median(lambda: build_lattice(linear(3.0, 0.5), process))
    yield Row("adaptation of the sampler", seconds, "s CPU", "1.5 s", seconds <= 1.5)


def events() -> Iterator[Row]:
    """Events in memory, to disk, and reweighted."""
    rates = {}
    for name, m_S in (("fermilab", 0.1), ("na64", 0.1)):
        sampler = normalisation.prepare(Source(mcgen.load_card(name)), m_S, 1)
        for workers in (1, 2):

            def run(sampler: Any = sampler, workers: int = workers) -> None:
                for _ in generation.chunks(sampler, 500_000, workers=workers):
                    pass

            rates[name, workers] = 0.5 / median(run, clock=time.perf_counter)
        peer = "MadGraph 455-635" if name == "fermilab" else "MadGraph 275-290"
        rate = rates[name, 1]
        yield Row(f"unweighted events in memory, {name}", rate, "M/s per core", "1.5", rate >= 1.5, peer + " per CPU s")
    scaling = rates["fermilab", 2] / rates["fermilab", 1]
    yield Row("two threads over one", scaling, "", "1.8", scaling >= 1.8)

    card = mcgen.load_card("fermilab")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.root"

        def write() -> None:
            generation.generate(card, 0.1, 1_000_000, output=path, workers=2, overwrite=True)

        seconds = median(write, 3, time.perf_counter)
        chunk = next(uproot.iterate(f"{path}:events", step_size=50_000, library="np"))

        def ceiling() -> None:
            target = Path(folder) / "ceiling.root"
            with atomic_path(target) as part, uproot.recreate(part, compression=uproot.LZ4(1)) as file:
                tree = file.mktree("events", {name: chunk[name].dtype for name in BRANCHES})
                for _ in range(20):
                    tree.extend(chunk)

        peer = median(ceiling, 3, time.perf_counter)
        met = seconds <= 1.25 and seconds <= 2.5 * peer
        text = f"{seconds / peer:.2f} times uproot writing the same arrays"
        yield Row(
            "1e6 events to a ROOT file, warm process", 1.0 / seconds, "M/s", "0.8, within 2.5 of writing", met, text
        )
        couplings = np.geomspace(1e-6, 1e-2, 100)

        def scan() -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", reweighting.LowStatisticsWarning)
                reweighting.reweight(path, "A", couplings)

        seconds = median(scan, 3)
        yield Row("1e6 events reweighted to 100 couplings", seconds, "s CPU", "1.5 s", seconds <= 1.5)

    def figure_5() -> None:
        for name in ("fermilab", "na64"):
            contours.reach(mcgen.load_card(name), ["A", "B"], np.geomspace(0.003, 0.21, 40), workers=2)

    seconds = median(figure_5, 1, time.perf_counter)
    yield Row("Fig. 5: 2 experiments, 2 models, 40 masses, exact", seconds, "s", "20 s", seconds <= 20.0)


def _child(*arguments: str, cache: Path | None = None) -> tuple[float, float]:
    """CPU seconds and peak memory in MB of a fresh mcgen process."""
    code = (
        "import sys, time; from pathlib import Path; from mcgen.cli import main; status = main(sys.argv[1:]); "
        "peak = Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0]; "
        "sys.stderr.write(f'@{time.process_time()} {peak}'); sys.exit(status)"
    )
    environment = dict(os.environ) | ({"NUMBA_CACHE_DIR": str(cache)} if cache else {})
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=environment, check=True
    )
    seconds, kilobytes = done.stderr.rsplit("@", 1)[1].split()
    return float(seconds), float(kilobytes) / 1024.0


def processes() -> Iterator[Row]:
    """Whole processes: start-up, compilation, memory."""
    seconds = statistics.median(_child("--help")[0] for _ in range(5))
    yield Row("mcgen --help", seconds, "s CPU", "0.2 s", seconds <= 0.2, "DarkNews 1.3 s (measured apart)")
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "events.root")
        first = _child("generate", "fermilab", "-o", out, "--events", "100000", cache=Path(folder))[0]
        again = statistics.median(
            _child("generate", "fermilab", "-o", out, "--events", "100000", "--overwrite", cache=Path(folder))[0]
            for _ in range(3)
        )
        yield Row("first run ever, compilation and 1e5 events", first, "s CPU", "20 s", first <= 20.0)
        yield Row("the same from the second run", again, "s CPU", "2.5 s", again <= 2.5)
        small = _child("generate", "fermilab", "-o", out, "--events", "1000000", "--overwrite")[1]
        large = _child("generate", "fermilab", "-o", out, "--events", "10000000", "--overwrite")[1]
        met = large <= 600.0 and large <= 1.1 * small
        yield Row(
            "memory for 1e7 events", large, "MB", "600 MB, 1.1 times 1e6", met, f"{large / small:.3f} times 1e6 events"
        )
        few = str(Path(folder) / "few.root")
        _child("generate", "fermilab", "-o", few, "--events", "1000")
        scan = ("--g-mu", "1e-6:1e-2:100", "--json")
        extra = _child("reweight", out, *scan)[1] - _child("reweight", few, *scan)[1]
        yield Row("memory to reweight 1e7 events, over that for 1e3", extra, "MB", "200 MB", extra <= 200.0)


def machine() -> dict[str, Any]:
    """Where the figures were measured."""
    names = ("mcgen", "numpy", "numba", "uproot", "vegas")
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    model = next(
        (line.split(":")[1] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ""
    )
    return {"cpu": model.strip(), "cores": os.cpu_count(), "python": platform.python_version(), "versions": found}


def main() -> None:
    """Print the table; keep it as JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="also write the table to this file")
    arguments = parser.parse_args()
    rows = []
    print(json.dumps(machine()))
    for part in (amplitude, quadrature, efficiency, events, processes):
        for row in part():
            rows.append(row)
            mark = "yes" if row.met else "NO"
            print(f"{row.figure:62} {row.value:10.3g} {row.unit:13} goal {row.goal:27} {mark:4} {row.peer}", flush=True)
    if arguments.json:
        arguments.json.write_text(
            json.dumps({"machine": machine(), "rows": [asdict(row) for row in rows]}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
