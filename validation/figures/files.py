"""Files written, read, exported and reweighted, and whole processes."""

from __future__ import annotations

import functools
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import uproot

import mcgen
from validation.figures.figure import command, figure, seconds

COUPLINGS = np.geomspace(1e-6, 1e-2, 100).tolist()


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()


def _path(name: str) -> Path:
    return Path(_folder().name) / name


@functools.cache
def events(n: int) -> Path:
    """File of n events of the card fermilab at 100 MeV."""
    path = _path(f"{n}.root")
    mcgen.generate(mcgen.load_card("fermilab"), 0.1, n, output=path, workers=2)
    return path


def _write(n: int, rntuple: bool) -> float:
    card, path = mcgen.load_card("fermilab"), _path("written.root")
    how: dict[str, Any] = {"output": path, "workers": 2, "overwrite": True, "rntuple": rntuple}
    return seconds(lambda: mcgen.generate(card, 0.1, n, **how), time.perf_counter)


def _ceiling(rntuple: bool) -> float:
    columns = uproot.open(f"{events(100_000)}:events").arrays(library="np")
    types = {name: column.dtype for name, column in columns.items()}

    def run() -> None:
        with uproot.recreate(_path("ceiling.root"), compression=uproot.LZ4(1)) as file:
            tree = (file.mkrntuple if rntuple else file.mktree)("events", types)
            for _ in range(10):
                tree.extend(columns)

    return seconds(run, time.perf_counter)


def _share(rntuple: bool) -> float:
    """Rate of 1e6 events, made and written after the first 1e5, over that of uproot alone."""
    return _ceiling(rntuple) / (_write(1_100_000, rntuple) - _write(100_000, rntuple))


@figure("1e6 events, all branches, to a TTree (LZ4): share of uproot's rate", "", 0.8, rises=True, rounds=5)
def ttree() -> float:
    """Two threads, by the clock."""
    return _share(rntuple=False)


@figure("the same to an RNTuple", "", 0.8, rises=True, rounds=5)
def rntuple() -> float:
    """Two threads, by the clock."""
    return _share(rntuple=True)


def _reweight(path: Path, couplings: list[float]) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of couplings with few events left
        return seconds(lambda: mcgen.reweight(path, "A", couplings))


@figure("1e6 events reweighted to 100 couplings", "s CPU", 0.3, rounds=5)
def reweight() -> float:
    """From a ROOT file."""
    return _reweight(events(1_000_000), COUPLINGS)


def _export_rate(ending: str) -> float:
    file = mcgen.load(events(100_000))
    return 1e5 / seconds(lambda: mcgen.export(file, _path(f"ours.{ending}"), overwrite=True))


@functools.cache
def _few(ending: str) -> Path:
    path = _path(f"few.{ending}")
    mcgen.export(mcgen.load(events(10_000)), path)
    return path


@functools.cache
def _momenta() -> list[list[tuple[float, ...]]]:
    """(px, py, pz, E) of muon, outgoing muon, S and nucleus in 10,000 events."""
    columns = uproot.open(f"{events(10_000)}:events").arrays(library="np")
    names = [[f"{who}_{part}" for part in ("px", "py", "pz", "E")] for who in ("mu_in", "mu_out", "S", "N_out")]
    return [list(zip(*(columns[name].tolist() for name in row), strict=True)) for row in names]


@figure("HepMC3 export, over a bare loop of pyhepmc", "", 3.0, rises=True, rounds=5)
def hepmc() -> float:
    """Rates of events; the loop builds one vertex with its particles and writes it."""
    from pyhepmc import GenEvent, GenParticle, GenVertex, open

    def run() -> None:
        with open(_path("theirs.hepmc3"), "w") as file:
            for muon, after, boson, nucleus in zip(*_momenta(), strict=True):
                event, vertex = GenEvent(), GenVertex((0.0, 0.0, 0.0, 0.0))
                vertex.add_particle_in(GenParticle(muon, 13, 4))
                for momentum, pid in ((after, 13), (boson, 54), (nucleus, 1000741840)):
                    vertex.add_particle_out(GenParticle(momentum, pid, 1))
                event.add_vertex(vertex)
                file.write(event)

    _momenta()
    return _export_rate("hepmc3") / (1e4 / seconds(run))


@figure("LHE export, over a bare loop of pylhe", "", 3.0, rises=True, rounds=5)
def lhe() -> float:
    """Rates of events; the loop builds the same particles and writes them."""
    from pylhe import LHEEvent, LHEEventInfo, LHEFile, LHEParticle

    def particle(pid: int, status: int, p: tuple[float, ...]) -> Any:
        mothers = (0, 0) if status < 0 else (1, 2)
        return LHEParticle(pid, status, *mothers, 0, 0, *p, 0.0, 0.0, 9.0)

    def records() -> Iterator[Any]:
        for muon, after, boson, nucleus in zip(*_momenta(), strict=True):
            own = [particle(13, -1, muon), particle(13, 1, after), particle(54, 1, boson)]
            yield LHEEvent(LHEEventInfo(4, 1, 1.0, 1.0, 0.007, 0.1), [*own, particle(1000741840, 1, nucleus)])

    init = LHEFile.fromfile(_few("lhe")).init
    _momenta()
    return _export_rate("lhe") / (1e4 / seconds(lambda: LHEFile(init, records()).tofile(_path("theirs.lhe"))))


@figure("LHE read and reweighted, over a bare loop of pylhe", "", 1.0, rounds=5)
def lhe_read() -> float:
    """CPU times for 10,000 events at one coupling."""
    from pylhe import LHEFile

    def loop() -> None:
        for _ in LHEFile.fromfile(_few("lhe")).events:
            pass

    return _reweight(_few("lhe"), [1e-4]) / seconds(loop)


def _generate(cache: Path | None = None, events: int = 100_000) -> tuple[float, float]:
    out = str(_path("process.root"))
    return command("generate", "fermilab", "-o", out, "--events", str(events), "--overwrite", cache=cache)


@figure("mcgen --help", "s CPU", 0.2, rounds=5, peer="DarkNews 1.3")
def start_up() -> float:
    """A fresh process."""
    return command("--help")[0]


@figure("first run ever, compilation and 1e5 events", "s CPU", 5.0, rounds=3)
def first_run() -> float:
    """With an empty folder of compiled code."""
    with tempfile.TemporaryDirectory() as cache:
        return _generate(Path(cache))[0]


@figure("the same from the second run", "s CPU", 0.9, rounds=5)
def later_run() -> float:
    """Compiled code is there."""
    return _generate()[0]


@functools.cache
def _peak(events: int) -> float:
    return _generate(events=events)[1]


@figure("memory for 1e7 events", "MB", 350.0, rounds=1)
def memory() -> float:
    """Peak of a process that writes them."""
    return _peak(10_000_000)


@figure("the same over that for 1e6 events", "", 1.1, rounds=1)
def memory_growth() -> float:
    """Ratio of the peaks."""
    return _peak(10_000_000) / _peak(1_000_000)


@figure("memory to reweight 1e7 events, over that for 1e3", "MB", 200.0, rounds=1)
def memory_reweight() -> float:
    """Difference of the peaks."""
    many, few = (
        command("reweight", str(events(n)), "--g-mu", "1e-6:1e-2:100", "--json")[1] for n in (10_000_000, 1000)
    )
    return many - few
