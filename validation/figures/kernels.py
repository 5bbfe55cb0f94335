"""Squared amplitude, phase-space points and cross sections: time and precision."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from validation.figures.figure import figure, module, per_call, seconds

REFERENCE = Path(__file__).parents[1] / "reference"
E, M_S, POINTS = 3.0, 0.1, 2000

jit = module("base.jit", "_jit").jit
amplitudes = module("physics.emission.amplitude", "physics.amplitude")
phase_space = module("physics.emission.phase_space", "physics.phase_space")
kinematics = module("physics.emission.kinematics", "physics.kinematics")
cross_section = module("physics.emission.cross_section", "physics.cross_section")
Emission, emission = kinematics.Emission, kinematics.emission
reduced_amplitude = amplitudes.reduced_amplitude


def process() -> Any:
    """Constants of the kernels for tungsten."""
    return module("quadrature.xsec", "xsec").process_of("W", M_S)


def _blocks(stages: Any) -> tuple[Callable[[], Any], Callable[[], Any]]:
    own, run = process(), stages.NUCLEUS
    block, energies = stages.new_block(), run.energy_map(E, own)
    random = np.random.default_rng(1)
    for row in (stages.R_X, stages.R_U, stages.R_T):
        block[row : row + POINTS] = random.random(POINTS)
    block[stages.E_BEAM : stages.E_BEAM + POINTS], block[stages.CEILING : stages.CEILING + POINTS] = E, 1.0

    def points() -> None:
        run.rays(own, energies, block, POINTS)
        run.weigh(own, block, POINTS)

    points()
    return points, lambda: run.amplitude(own, block, POINTS)


@functools.cache
def _map_points() -> Any:
    if hasattr(phase_space, "map_point"):
        map_point = phase_space.map_point
    else:
        from validation.point import map_point

    @jit
    def run(process: Any, E: float, energies: Any, r: Any, out: Any) -> None:
        for i in range(r.shape[0]):
            p = map_point(E, process, energies, r[i, 0], r[i, 1], r[i, 2])
            out[0, i], out[1, i], out[2, i] = p.weight, p.t, p.t_minus_tmin
            out[3, i], out[4, i] = p.E_S, p[1]

    return run


@functools.cache
def _averages() -> Any:
    form, average, across = (
        getattr(amplitudes, name) for name in ("azimuthal_form", "amplitude_average", "transverse_momentum")
    )

    @jit
    def run(process: Any, E: float, e: Any, t: Any, above: Any, out: Any) -> None:
        for i in range(t.size):
            k = Emission(
                e[0][i], e[1][i], e[2][i], e[3][i], e[4][i], e[5][i],
                e[6][i], e[7][i], e[8][i], e[9][i], e[10][i], e[11][i],
            )  # fmt: skip
            out[i] = average(form(k, E, t[i], across(k, t[i], above[i]), process))

    return run


def _scalars() -> tuple[Callable[[], Any], Callable[[], Any]]:
    own, r, out = process(), np.random.default_rng(1).random((POINTS, 3)), np.empty((5, POINTS))
    energies, A = phase_space.energy_map(E, own), np.empty(POINTS)
    points, averages = _map_points(), _averages()
    points(own, E, energies, r, out)
    fields = tuple(np.array([emission(E, own.m, own.m_S, own.M, *at) for at in out[3:].T]).T.copy())
    return lambda: points(own, E, energies, r, out), lambda: averages(own, E, fields, out[1], out[2], A)


@functools.cache
def batch() -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Calls for `POINTS` points of tungsten: all of a point, and its amplitude alone.

    With stages over blocks, or from functions of one point where a version has no stages.
    """
    try:
        stages = module("generation.stages")
    except ModuleNotFoundError:
        return _scalars()
    return _blocks(stages)


CUDACPP = "CUDACPP e e -> mu mu, EPYC, published: 710 scalar, 280 AVX2"


@figure("squared amplitude in a batch", "ns", 12.0, peer=CUDACPP)
def amplitude() -> float:
    """Averaged over the azimuth."""
    return 1e9 * per_call(batch()[1]) / POINTS


@figure("phase-space point: map, |M|^2, form factor", "ns", 35.0)
def point() -> float:
    """From coordinates in the unit cube to the weight."""
    return 1e9 * per_call(batch()[0]) / POINTS


@figure("|M|^2 at one azimuth, digits checked", "ns", 60.0, peer="MadGraph 1400")
def one_azimuth() -> float:
    """With the fallback to more digits where some are lost."""
    run, r, out = _azimuths(), np.random.default_rng(1).random((POINTS, 3)), np.empty(POINTS)
    return 1e9 * per_call(lambda: run(process(), E, r, out)) / POINTS


@functools.cache
def _azimuths() -> Any:
    @jit
    def run(process: Any, E: float, r: Any, values: Any) -> None:
        for i in range(r.shape[0]):
            E_S = 0.2 * E + 0.6 * E * r[i, 0]
            values[i] = reduced_amplitude(
                E, process.m, process.m_S, process.M, E_S, 1e-3 * r[i, 1], 1e-3 * r[i, 2], r[i, 0]
            )

    return run


def _deviation(at_edge: bool) -> float:
    worst = 0.0
    for point in json.loads((REFERENCE / "me_points.json").read_text())["points"]:
        if (point["category"] in ("x_near_xmax", "t_near_tmax")) == at_edge:
            v = point["variables"]
            given = [point[key] for key in ("E_beam", "m_lepton", "m_S", "M_N")]
            given += [v[key] for key in ("E_S", "one_minus_cos_theta_S", "t_minus_tmin", "phi_q")]
            worst = max(worst, abs(reduced_amplitude(*map(float, given)) / float(point["A"]) - 1.0))
    return worst


@figure("amplitude against 48 digits, away from x_max and t_max", "", 1e-10, rounds=1)
def precision() -> float:
    """Largest relative deviation."""
    return _deviation(at_edge=False)


@figure("the same next to x_max or t_max (inputs rounded to double)", "", 1e-6, rounds=1)
def precision_at_edges() -> float:
    """Largest relative deviation."""
    return _deviation(at_edge=True)


@figure("sigma(W, 3 GeV, 0.1 GeV) and its error", "ms", 30.0)
def sigma() -> float:
    """By quadrature."""
    own = process()
    return 1e3 * per_call(lambda: cross_section.sigma(E, own))


@figure("its deviation from the reference", "", 1e-6, rounds=1)
def sigma_deviation() -> float:
    """Relative."""
    reference = next(
        e["sigma_g1_pb"]
        for e in json.loads((REFERENCE / "sigma.json").read_text())["entries"]
        if (e["target"], e["E_beam"], e["m_S"]) == ("W", E, M_S)
    )
    return abs(cross_section.sigma(E, process())[0] / reference - 1.0)


@figure("vegas to 1e-4 on the same map, over that", "", 15.0, rises=True, rounds=1)
def vegas() -> float:
    """CPU time, the number of its points taken for an error of exactly 1e-4."""
    import vegas

    own = process()
    energies = phase_space.energy_map(E, own)

    @vegas.lbatchintegrand
    def f(r: Any) -> Any:
        out = np.empty((5, len(r)))
        _map_points()(own, E, energies, np.ascontiguousarray(r), out)
        return out[0]

    def run() -> Any:
        integrator = vegas.Integrator(3 * [[0.0, 1.0]])
        integrator(f, nitn=5, neval=20_000)
        return integrator(f, nitn=10, neval=60_000)

    result = run()
    return seconds(run) * (result.sdev / result.mean / 1e-4) ** 2 / (1e-3 * sigma())
