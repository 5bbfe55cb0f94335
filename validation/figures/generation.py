"""Events in memory, and what comes before the first."""

from __future__ import annotations

import functools
import inspect
import time
from typing import Any

import numpy as np

import mcgen
from validation.figures.figure import figure, module, seconds

normalisation = module("generation.normalisation", "normalisation")
generation = module("generation.generate", "generation")
lattice = module("generation.lattice", "sampler")
rng = module("base.rng", "rng")
linear = module("source.track", "track").linear
process_of = module("quadrature.xsec", "xsec").process_of

#: in the order of the beam: materials that mcgen knows, and others by density in g/cm3 and shares of the mass
COMPOUNDS = (
    "LYSO", "concrete", "PbWO4", "steel", "water", "brass", "polystyrene",
    (7.13, {"Bi": 0.671, "Ge": 0.175, "O": 0.154}), (4.51, {"Cs": 0.512, "I": 0.488}),
    (2.2, {"Si": 0.467, "O": 0.533}), (3.97, {"Al": 0.529, "O": 0.471}), (8.8, {"Cu": 0.88, "Sn": 0.12}),
)  # fmt: skip
_TEV = """
name = "layers"
[beam]
particle = "e-"
energy = "1 TeV"
muons = 1e12
[target]
energy_loss = "none"
{layers}
[detector]
signature = "displaced"
gap = "1 m"
L_det = "10 m"
[scalar]
mass = "50 MeV"
model = "A"
g_mu = 1e-5
[scan]
g_mu = "1e-6:1e-2:5"
mass = "50 MeV"
models = ["A"]
"""


def _layer(of: str | tuple[float, dict[str, float]]) -> str:
    if isinstance(of, str):
        return f'[[target.layer]]\nmaterial = "{of}"\nlength = "5 mm"'
    density, shares = of
    fractions = ", ".join(f"{element} = {share}" for element, share in shares.items())
    return (
        f'[[target.layer]]\nmaterial = "own"\nlength = "5 mm"\ndensity = "{density} g/cm3"\nfractions = {{{fractions}}}'
    )


def layered(layers: int) -> Any:
    """Card of electrons of 1 TeV on layers of compounds, one behind the other."""
    text = "\n".join(_layer(COMPOUNDS[i % len(COMPOUNDS)]) for i in range(layers))
    return module("card.card", "card").parse_card(_TEV.format(layers=text))


def prepared(card: Any, m_S: float) -> Any:
    """A card made ready to generate, by one thread."""
    if "source" in inspect.signature(normalisation.prepare).parameters:
        card = module("source.source").Source(card)
    return normalisation.prepare(card, m_S, 1)


@functools.cache
def _ready(name: str, m_S: float) -> Any:
    return prepared(mcgen.load_card(name), m_S)


def rate(ready: Any, events: int = 500_000, workers: int = 0, clock: Any = time.process_time) -> float:
    """Millions of events a second."""

    def run() -> None:
        for _ in generation.chunks(ready, events, workers=workers):
            pass

    return 1e-6 * events / seconds(run, clock)


@figure(
    "unweighted events in memory, W, up to 3 GeV", "M/s and core", 7.0, rises=True, peer="MadGraph 455-635 per CPU s"
)
def events_fermilab() -> float:
    """Card fermilab at 100 MeV."""
    return rate(_ready("fermilab", 0.1))


@figure("the same, Pb, 160 GeV", "M/s and core", 8.0, rises=True, peer="MadGraph 275-290 per CPU s")
def events_na64() -> float:
    """Card na64 at 100 MeV."""
    return rate(_ready("na64", 0.1))


@figure("two threads over one", "", 1.9, rises=True)
def two_threads() -> float:
    """By the clock, card fermilab."""
    one, two = (rate(_ready("fermilab", 0.1), 4_000_000, workers, time.perf_counter) for workers in (1, 2))
    return two / one


@figure("preparation: electrons of 1 TeV on 12 layers of compounds", "s CPU", 3.0, rounds=3)
def preparation_layers() -> float:
    """Lattices, normalisation and quadrature."""
    return seconds(lambda: prepared(layered(12), 0.05))


@figure("adaptation of the sampler", "s CPU", 1.5)
def adaptation() -> float:
    """Cells of tungsten, 0.5 to 3 GeV."""
    return seconds(lambda: lattice.build_lattice(linear(3.0, 0.5), process_of("W", 0.1)))


@functools.cache
def _unweighting() -> tuple[float, float]:
    efficiencies, excess = [], []
    key = np.uint64(1), np.uint64(rng.INTEGRATION), 0, 200_000
    for target, E_low, E_high in (
        ("W", 0.5, 3.0),
        ("W", 0.5, 0.5),
        ("W", 3.0, 3.0),
        ("Pb", 20.0, 20.0),
        ("Pb", 160.0, 160.0),
    ):
        for m_S in (0.001, 0.01, 0.1, 0.2):
            own = process_of(target, m_S)
            total, _, accepted, _ = lattice.integrate(lattice.build_lattice(linear(E_high, E_low), own), own, *key)
            efficiencies.append(accepted / 200_000)
            excess.append(1.0 - accepted / total)
    return min(efficiencies), max(excess)


@figure("unweighting efficiency, lowest of 0.5-160 GeV x 1-200 MeV", "", 0.6, rises=True, rounds=1)
def unweighting() -> float:
    """Over energies and masses, on W and Pb."""
    return _unweighting()[0]


@figure("overweight share, largest of the same", "", 1e-3, rounds=1)
def overweight() -> float:
    """What lies above the ceilings of the cells."""
    return _unweighting()[1]
