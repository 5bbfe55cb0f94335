"""Wrong physics put into the package on purpose, and which guard of a user's run tells.

    python -m validation.sabotage -o sabotage.csv                          (all faults, up to 1e6 events)
    python -m validation.sabotage --events 1e3,1e5 corner azimuth          (some of them)
    python -m validation.sabotage --events 1e5 --before                    (the yield and the spectrum in t alone)

A fault is one piece of source text in a copy of the package, replaced. A process of its own then does what a user
does: `mcgen generate`, which compares events with the quadrature, `mcgen info --verify`, `mcgen crosscheck --events`.
Of a fault in what events and quadrature share, both are wrong alike: there a test with a reference from elsewhere runs.
The first row has no fault.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from validation.mutant_tests import PACKAGE, Copy, above

#: where a fault sits: in what makes events alone, in what changes them before they are written, or in what events and
#: quadrature share
SAMPLER, OUTPUT, SHARED = "sampler", "output", "shared"
#: seconds of one process, which compiles what has changed
PATIENCE = 2400
#: what is caught at so many events is not tried with more
ENOUGH = 100_000
#: what `crosscheck --events` shows of events that nobody would believe: a pull of the yield, a probability of a shape
PULL, P_VALUE = 5.0, 1e-6
#: fewer events than these are not compared by it
CROSSCHECKED = 10_000


class Fault(NamedTuple):
    """A piece of source that is replaced."""

    where: str
    module: str  #: without the package's name
    before: str
    after: str
    how: Mapping[str, Any] = MappingProxyType({})  #: of `generate` beside card, mass, number, seed and decays
    test: str = ""  #: of a reference from elsewhere, for what is shared


def _angle_weight(factor: str) -> tuple[str, str]:
    return "        block[RAY + i] *= du\n", f"        block[RAY + i] *= du * ({factor})\n"


_AMPLITUDE = "tests/physics/emission/test_amplitude.py::test_against_reference"
_FINAL = "    return lepton, (k_x, 0.0, k_z, E - e.W), (-q_x, -q_y, -q_z, M + recoil)"
_LEPTON = "    lepton = (V_x + q_x, q_y, V_z + q_z, e.W - recoil)"
_FLIGHT = "        flight = tau * beam.length_per_momentum  # decay length over momentum"
_UNIFORM = "        tau = -log(uniform(words[ROOM + SIZE + i]))"
_KEPT = "            kept = options.keep(columns, weighted_decays)\n"
_STORED = "*((_MU_OUT + i, MOMENTA + i * SIZE) for i in range(12))"
_LOSS = "        block[E_BEAM + i] = energy_at(lattice.track, block[DEPTH + i])"
_F = "            f = block[JACOBIAN + i] * f / block[CEILING + i]"
_FRACTION = "(i_x + uniform(words[R_X + i]))"
_ROTATED = "        rotate(block, MOMENTA + i, cosine, sine)\n"
_TURN = "        cosine, sine = of_turn(uniform(words[ROOM + i]))"
_DENSITY = "    factor = ALPHA * ALPHA * GEV2_PB / (64.0 * math.pi * M * M)"

FAULTS = {
    "none": Fault(SAMPLER, "generation.kernel", _FLIGHT, _FLIGHT),
    # phase space and weights
    "jacobian * 1.001": Fault(SAMPLER, "generation.stages", *_angle_weight("1.001")),
    "jacobian * 1.01": Fault(SAMPLER, "generation.stages", *_angle_weight("1.01")),
    "jacobian * 1.05": Fault(SAMPLER, "generation.stages", *_angle_weight("1.05")),
    "jacobian tilted 5 % in the angle": Fault(
        SAMPLER, "generation.stages", *_angle_weight("0.975 + 0.05 * block[R_U + i]")
    ),
    "corner of x and angle lost": Fault(
        SAMPLER, "generation.stages", *_angle_weight("0.0 if block[R_X + i] > 0.9 and block[R_U + i] > 0.9 else 1.0")
    ),
    "largest angles lost": Fault(
        SAMPLER, "generation.stages", *_angle_weight("0.0 if block[R_U + i] > 0.99 else 1.0")
    ),
    "range of t cut at its upper 3 %": Fault(
        SAMPLER, "generation.stages", _F, f"{_F} if block[R_T + i] < 0.97 else 0.0"
    ),
    "form factor, d off by 1 %": Fault(
        SAMPLER, "generation.stages", "            block[G2_T + i] = G2(block[T + i], process.ff)",
        "            block[G2_T + i] = G2(block[T + i] / 1.01, process.ff)",
    ),
    "weights above 1 lost": Fault(
        SAMPLER, "generation.kernel", "                block[F + i] = max(1.0, f)", "                block[F + i] = 1.0"
    ),
    "ceiling of another cell": Fault(
        SAMPLER, "generation.lattice",
        "block[CEILING + i] = kept * lattice.table[cell, 2] + (1.0 - kept) * lattice.table[cell, 3]",
        "block[CEILING + i] = lattice.table[cell, 2]",
    ),
    "density of the target 2 % off": Fault(
        SAMPLER, "generation.normalisation", "lattice.total * yield_per_pb(component.density,",
        "lattice.total * yield_per_pb(1.02 * component.density,",
    ),
    "energy loss 1 % off": Fault(
        SAMPLER, "generation.lattice", _LOSS,
        _LOSS.replace("block[DEPTH", "1.01 * block[DEPTH"),
    ),
    # random numbers
    "biased place in a cell": Fault(
        SAMPLER, "generation.lattice", _FRACTION, _FRACTION.replace("words[R_X + i])", "words[R_X + i]) ** 1.05")
    ),
    "biased acceptance": Fault(
        SAMPLER, "generation.kernel", "block[U_ACCEPT + i] < f:", "0.9 * block[U_ACCEPT + i] < f:"
    ),
    "each chunk the same events": Fault(
        SAMPLER, "generation.generate", "    events, share = first + order, ", "    events, share = order, "
    ),
    "each partition the same events": Fault(
        SAMPLER, "campaign.production", "            first = i * plan.partition_events\n", "            first = 0\n"
    ),
    # azimuths
    "azimuth half a turn": Fault(SAMPLER, "generation.kernel", _TURN, _TURN.replace("uniform(", "0.5 * uniform(")),
    "azimuth not uniform, 2 %": Fault(
        SAMPLER, "generation.kernel", _TURN,
        _TURN.replace("uniform(words[ROOM + i])", "uniform(words[ROOM + i]) ** 1.02"),
    ),
    "azimuth of q without |M|^2": Fault(
        SAMPLER, "generation.stages", "if value >= u_accept * bound else 0.0",
        "if value >= 0.0 * u_accept * bound else 0.0"
    ),
    "azimuth of q on one side": Fault(
        SAMPLER, "generation.stages", "    return c, sine if u_psi < 0.5 else -sine, excess",
        "    return c, sine, excess"
    ),
    # momenta
    "sign of the recoil": Fault(
        SAMPLER, "physics.emission.four_momenta", _FINAL,
        _FINAL.replace("-q_x, -q_y, -q_z", "q_x, q_y, q_z"),
    ),
    "angle of S mirrored": Fault(
        SAMPLER, "physics.emission.four_momenta", _FINAL,
        _FINAL.replace("0.0, k_z", "0.0, -k_z"),
    ),
    "angle of S 1 % off": Fault(
        SAMPLER, "physics.emission.four_momenta", "math.sqrt(one_minus_cos_theta * (2.0 - one_minus_cos_theta))",
        "1.01 * math.sqrt(one_minus_cos_theta * (2.0 - one_minus_cos_theta))",
    ),
    "outgoing muon with the mass of an electron": Fault(
        SAMPLER, "physics.emission.four_momenta", _LEPTON,
        _LEPTON.replace("e.W - recoil", "math.sqrt((V_x + q_x) ** 2 + q_y**2 + (V_z + q_z) ** 2 + 2.6e-7)"),
    ),
    "lepton not turned with S": Fault(SAMPLER, "generation.kernel", _ROTATED, ""),
    "energies of lepton and S mixed up": Fault(
        SAMPLER, "generation.kernel", _STORED, _STORED.replace("MOMENTA + i", "MOMENTA + {3: 7, 7: 3}.get(i, i)")
    ),
    "x by the energy of the beam at the front": Fault(
        SAMPLER, "generation.kernel", "block[_AT_X + i] = block[E_S + i] / block[E_BEAM + i]",
        "block[_AT_X + i] = block[E_S + i] / 3.0",
    ),
    # decays
    "mean life 2 % off": Fault(SAMPLER, "generation.kernel", _UNIFORM, _UNIFORM.replace("-log", "-1.02 * log")),
    "flight with gamma instead of beta gamma": Fault(
        SAMPLER, "generation.kernel", _FLIGHT,
        "        across = math.hypot(block[_AT_S + i], block[_AT_S + SIZE + i])\n"
        "        momentum = math.hypot(across, block[_AT_S + 2 * SIZE + i])\n"
        "        flight = tau * beam.length_per_momentum * block[E_S + i] / momentum",
    ),
    "decay without the depth of the vertex": Fault(
        SAMPLER, "generation.kernel", "block[DEPTH + i] + flight * block[_AT_S + 2", "flight * block[_AT_S + 2"
    ),
    "forced decays from the vertex instead of the window": Fault(
        OUTPUT, "events.decays", "        tau = first - np.log1p(-u * inside)", "        tau = -np.log1p(-u * inside)",
        {"force_decay": True},
    ),
    "probability of forced decays 5 % off": Fault(
        OUTPUT, "events.decays", "visible * np.exp(-first) * inside", "1.05 * visible * np.exp(-first) * inside",
        {"force_decay": True},
    ),
    "daughters forward only": Fault(
        OUTPUT, "events.decays", "        cos_theta, phi = 2.0 * u_theta - 1.0, 2.0 * math.pi * u_phi\n        m_1",
        "        cos_theta, phi = u_theta, 2.0 * math.pi * u_phi\n        m_1",
    ),
    "daughters of S at rest": Fault(
        OUTPUT, "events.decays", "        four = (S[0, i], S[1, i], S[2, i], S[3, i])",
        "        four = (0.0, 0.0, 0.0, m_S)"
    ),
    # what is written
    "one event twice": Fault(
        OUTPUT, "generation.generate", _KEPT,
        _KEPT + "            for column in kept.values():\n                column[-1:] = column[:1]\n"
    ),
    "one event of 1e4 dropped": Fault(
        OUTPUT, "generation.generate", _KEPT,
        _KEPT + "            kept = {k: np.delete(v, np.s_[9999::10000]) for k, v in kept.items()}\n",
    ),
    "a branch in single precision": Fault(
        OUTPUT, "generation.generate", _KEPT,
        _KEPT + '            kept["S_px"] = kept["S_px"].astype(np.float32).astype(float)\n',
    ),
    "decay in mm": Fault(
        OUTPUT, "generation.generate", _KEPT, _KEPT + '            kept["decay_z_cm"] = 10.0 * kept["decay_z_cm"]\n'
    ),
    "weights in file halved": Fault(
        OUTPUT, "generation.generate", _KEPT, _KEPT + '            kept["weight"] = 0.5 * kept["weight"]\n'
    ),
    # what events and quadrature share
    "amplitude: 32 pi instead of 64 pi": Fault(
        SHARED, "physics.emission.amplitude", _DENSITY, _DENSITY.replace("64.0", "32.0"),
        test="tests/physics/emission/test_cross_section.py",
    ),
    "amplitude: a sign of the interference": Fault(
        SHARED, "physics.emission.amplitude", "    g1 = -2.0 * k_q0 * k_q1", "    g1 = 2.0 * k_q0 * k_q1",
        test="tests/physics/emission/test_amplitude.py",
    ),
    "mass of the muon 1 % off": Fault(
        SHARED, "base.constants", "M_MU = 0.1056583755", "M_MU = 0.1067149593",
        test="tests/physics/emission/test_cross_section.py",
    ),
    "form factor, d off by 1 % everywhere": Fault(
        SHARED, "physics.emission.form_factor", "    d = 0.164", "    d = 1.01 * 0.164",
        test="tests/physics/emission/test_form_factor.py",
    ),
    "energy loss of the muon 1 % off everywhere": Fault(
        SHARED, "physics.matter.energy_loss", "        return E_in - path * self.dE_dy",
        "        return E_in - 1.01 * path * self.dE_dy",
        test="tests/source/test_target.py",
    ),
    "width of S 5 % off": Fault(
        SHARED, "physics.boson.scalar_decay", "    return g_l * g_l * m_S / (4.0 * math.pi)",
        "    return 1.05 * g_l * g_l * m_S / (4.0 * math.pi)", test="tests/physics/boson/test_scalar_decay.py",
    ),
}  # fmt: skip
GUARDS = ("generate", "info --verify", "crosscheck --events")
COLUMNS = ("fault", "where", "events", *GUARDS, "validate", "test")


def _crosschecked(path: Path) -> str:
    """What `mcgen crosscheck --events` shows that nobody would believe; nothing if all is well."""
    from mcgen.analysis.event_check import crosscheck_events

    for check in crosscheck_events(path):
        if check.pull is not None and not abs(check.pull) < PULL:
            return f"pull {check.pull:.1f}"
        for name, s in check.spectra.items():
            if not s.p_value > P_VALUE:
                return f"{name}: p {s.p_value:.1g}"
        if check.missing:
            return f"missing {check.missing:.2g} in {check.places[0].variables}"
    return ""


def _of_a_user(fault: Fault, events: int, folder: Path) -> dict[str, str]:
    """What each guard says of so many events; nothing of those that are content."""
    import mcgen
    from mcgen.base.errors import McgenError
    from mcgen.campaign.generate_folder import generate_folder

    found = dict.fromkeys(GUARDS, "")
    how, path = {"decays": True, **fault.how}, folder / f"{events}.root"
    guard = GUARDS[0]
    try:
        if fault.module == "campaign.production":
            path = folder / f"{events}"
            generate_folder("fermilab", path, "100 MeV", events, 1, partition_events=events // 4, **how)
        else:
            mcgen.generate("fermilab", "100 MeV", events, 1, output=path, **how)
        guard = GUARDS[1]
        mcgen.info(path, verify=True)
        guard = GUARDS[2]
        if events >= CROSSCHECKED:
            found[GUARDS[2]] = _crosschecked(path)
    except McgenError as error:
        found[guard] = f"{type(error).__name__}: {error}"
    return found


def _validated() -> str:
    """References of `mcgen validate` that are more than a thousandth off."""
    from mcgen.report import paper

    off = [check for check in paper.references() if not abs(check.deviation) < 1e-3]
    return f"{off[0].what} {off[0].deviation:+.1g}" if off else ""


def _without_guards() -> None:
    """Leave the yield and the spectrum in t, and take out what looks at the events themselves."""
    from mcgen.events import pool
    from mcgen.generation import closure, normalisation

    closure.Closure.check = lambda *_: None  # type: ignore[method-assign]
    normalisation.Tally._check_trials = lambda _: None  # type: ignore[method-assign]
    pool._check_repeated = lambda _: None


def _tell(name: str, numbers: Sequence[int], before: bool) -> None:
    """In the process of a fault: one line of JSON for each number of events."""
    fault = FAULTS[name]
    if before:
        _without_guards()
    with tempfile.TemporaryDirectory() as folder:
        for events in numbers:
            found = _of_a_user(fault, events, Path(folder))
            print(json.dumps({"events": events, **found}), flush=True)
            if any(found.values()) and events >= ENOUGH:
                break
    if (fault.where == SHARED or name == "none") and not before:
        print(json.dumps({"validate": _validated()}), flush=True)


def changed(name: str, source: str) -> str:
    """The source with a fault; ValueError unless the piece is there once."""
    fault = FAULTS[name]
    if source.count(fault.before) != 1:
        message = f"{name}: {source.count(fault.before)} times in {fault.module}"
        raise ValueError(message)
    return source.replace(fault.before, fault.after)


def tried(name: str, copy: Copy, numbers: Sequence[int], before: bool = False) -> list[dict[str, str]]:
    """Rows of the table for a fault; `before` with the yield and the spectrum in t as the only guard."""
    fault = FAULTS[name]
    path = copy.folder / PACKAGE / f"{fault.module.replace('.', '/')}.py"
    sound = path.read_text(encoding="utf-8")
    environment = os.environ | {
        "PYTHONPATH": str(copy.folder), "PYTHONDONTWRITEBYTECODE": "1", "MUTANT_KERNELS": str(copy.kernels),
        "MUTANT_CHANGED": " ".join(above(fault.module)) if fault.before != fault.after else "",
    }  # fmt: skip

    def child(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments], cwd=copy.folder, env=environment, capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip

    path.write_text(changed(name, sound), encoding="utf-8")
    try:
        asked = ",".join(str(n) for n in numbers)
        done = child("-m", "validation.sabotage", "--events", asked, "--tell", name, *(["--before"] if before else []))
        if done.returncode:
            message = f"{name}: {done.stdout}{done.stderr}"
            raise RuntimeError(message)
        said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        rows = [{"fault": name, "where": fault.where} | row for row in said if "events" in row]
        rows[-1] |= next((row for row in said if "validate" in row), {})
        if fault.test and not before:
            code = child("-m", "pytest", "-q", "-x", "-n0", "-p", "no:cacheprovider", fault.test).returncode
            rows[-1]["test"] = "fails" if code == 1 else f"status {code}"
        return rows
    finally:
        path.write_text(sound, encoding="utf-8")


def caught(row: dict[str, str]) -> str:
    """The first guard that tells, and what it says; nothing if none does."""
    return next((f"{guard}: {row[guard]}" for guard in GUARDS if row[guard]), "")


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, try the faults, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="parts of names of faults; all by default")
    parser.add_argument("--events", default="1e3,1e4,1e5,1e6")
    parser.add_argument("--before", action="store_true", help="without the guards that look at the events themselves")
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--tell", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    numbers = [int(float(n)) for n in given.events.split(",")]
    if given.tell:
        _tell(given.tell, numbers, given.before)
        return
    chosen = [name for name in FAULTS if not given.names or any(part in name for part in given.names)]
    rows: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory() as scratch:
        copy = Copy(Path(scratch) / "copy")
        for name in chosen:
            found = tried(name, copy, numbers, given.before)
            rows += found
            for row in found:
                said = " ".join([caught(row) or "-", row.get("validate", ""), row.get("test", "")])
                print(f"{name} | {row['where']} | {row['events']} | {said}", flush=True)
    if given.output:
        with given.output.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
