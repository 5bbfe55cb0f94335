"""The branches of event files: units, meaning, and how those follow that are computed from others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from numpy.typing import NDArray

#: components of a momentum
PARTS = ("px", "py", "pz", "E")

Columns = dict[str, NDArray[Any]]

#: three-momenta, and all branches, that fix the point of phase space of an event
VECTORS = [f"{name}_p{axis}" for name in ("mu_in", "S", "N_out") for axis in "xyz"]
POINT = ["target_Z", "target_A", "E_mu", "S_E", "t", *VECTORS]

#: particles of each event
PARTICLES = {
    "mu_in": "beam muon at the interaction",
    "mu_out": "outgoing lepton",
    "S": "scalar",
    "N_out": "recoiling nucleus",
}


class Branch(NamedTuple):
    """A branch: one number per event."""

    unit: str
    meaning: str
    of: Callable[[Columns], NDArray[Any]] | None = None  #: of the others; left out: the compiled loop makes it


#: in the order of the file; all float64 but `event` (uint64)
BRANCHES: dict[str, Branch] = {
    "event": Branch("", "number of the event, from 0"),
    "weight": Branch(
        "",
        "S per muon on target at g_mu = 1, of an electron beam per electron at g_e = 1; if the lepton changes, at unit "
        "coupling to both",
    ),
    "E_mu": Branch("GeV", "energy of the muon at the interaction"),
    "depth_cm": Branch("cm", "depth of the interaction in the target, Delta y"),
    "x": Branch("", "E_S/E_mu"),
    "t": Branch("GeV^2", "squared momentum transfer, positive"),
    "target_Z": Branch("", "charge of the struck nucleus"),
    "target_A": Branch("", "its mass number; its mass is A times the atomic mass unit"),
    **{f"{name}_{part}": Branch("GeV", f"{meaning}, {part}") for name, meaning in PARTICLES.items() for part in PARTS},
    **{f"vertex_{axis}_cm": Branch("cm", f"interaction, {axis}; z = 0 at the target's front face") for axis in "xyz"},
    "tau": Branch("", "proper time to the decay in mean lives"),
    **{
        f"decay_{axis}_cm": Branch("cm", f"decay at the reference coupling, {axis}; some 1e30 if S is stable")
        for axis in "xyz"
    },
}

#: branches of files with decays (`mcgen.events.decays`); float64 but for `decay_pdg` (int32)
DECAY_BRANCHES: dict[str, Branch] = {
    "decay_pdg": Branch(
        "",
        "daughters of S: 11 e+e-, 13 mu+mu-, 15 tau+tau-, 22 two photons, 211 pi+pi- for all hadrons (nearly always "
        "that below 1 GeV, above it a stand-in for kaons and several pions), 14 and 16 neutrinos, 52 dark ones; the "
        "second one is the antiparticle; 1113 e- mu+, 1115 e- tau+, 1315 mu- tau+, negative if both have the other "
        "charge",
    ),
    **{f"d{number}_{part}": Branch("GeV", f"daughter {number}, {part}") for number in (1, 2) for part in PARTS},
    "decay_weight": Branch("", "1, or the share of the one channel, or the probability of a forced decay"),
}

#: branches of files in which S may come from the line of a struck electron too
LINE_BRANCHES: dict[str, Branch] = {
    "part_mu": Branch("", "|M|^2 of S from the beam's line at g_mu = 1, over that of the event; 1 on a nucleus"),
    "part_e": Branch("", "the same of S from the electron's line at g_e = 1; 0 on a nucleus"),
    "part_mix": Branch("", "the same of their interference at g_mu = g_e = 1, of negative beams; 0 on a nucleus"),
}

#: branches of the layout of NanoAOD beside these
_LISTED = {
    "genWeight": Branch("", "nominal weight, with the probability of a forced decay"),
    **{f"Particle_{part}": Branch("GeV", part) for part in ("px", "py", "pz", "energy", "mass")},
    **{f"Particle_v{axis}": Branch("cm", f"where it is made, {axis}") for axis in "xyz"},
    "Particle_pdgId": Branch("", "PDG number"),
    "Particle_status": Branch("", "as in HepMC: 4 incoming, 2 decayed, 1 final"),
    "S_mass": Branch("GeV", "mass of this S, of another generator's events with a width"),
}


def title(name: str, weights: Mapping[str, Mapping[str, Any]] = MappingProxyType({})) -> str:
    """Name, unit and meaning of a branch, for programs that show them; nothing of an unknown one.

    Parameters
    ----------
    name : str
    weights : mapping
        Branches of alternative weights, and what metadata say of them.
    """
    alternative = None
    if name in weights:
        alternative = Branch(
            "", f"alternative weight {weights[name]['name']}, without the probability of a forced decay"
        )
    known = BRANCHES | LINE_BRANCHES | DECAY_BRANCHES | _LISTED
    found = known.get(name, alternative)
    return f"{name}{f' [{found.unit}]' if found.unit else ''}, {found.meaning}" if found else ""


#: what the compiled loop makes, and the row of each
FLOAT_BRANCHES = [name for name, branch in BRANCHES.items() if name != "event" and branch.of is None]
ROW = {name: i for i, name in enumerate(FLOAT_BRANCHES)}
