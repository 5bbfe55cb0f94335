"""The event record: its columns, the weight convention, and events held in memory.

Weights: the `weight` of an event is the number of S per muon on target at g_mu = 1 that it stands for, so the
sum over a file is the yield. Unweighted events all carry the same weight but for the few whose cell was
underestimated. The number of signal events at any coupling is N_mu g_mu^2 times the sum of weight * probability.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mcgen.errors import InputError

#: components of a momentum
PARTS = ("px", "py", "pz", "E")

Columns = dict[str, NDArray[Any]]

_PARTICLES = {
    "mu_in": "beam muon at the interaction",
    "mu_out": "outgoing muon",
    "S": "scalar",
    "N_out": "recoiling nucleus",
}

#: name -> (unit, meaning), in the order of the file; all float64 but `event` (uint64)
BRANCHES: dict[str, tuple[str, str]] = {
    "event": ("", "number of the event, from 0"),
    "weight": ("", "S per muon on target at g_mu = 1, of an electron beam per electron at g_e = 1"),
    "E_mu": ("GeV", "energy of the muon at the interaction"),
    "depth_cm": ("cm", "depth of the interaction in the target, Delta y"),
    "x": ("", "E_S/E_mu"),
    "t": ("GeV^2", "squared momentum transfer, positive"),
    "target_Z": ("", "charge of the struck nucleus"),
    "target_A": ("", "its mass number; its mass is A times the atomic mass unit"),
    **{f"{name}_{part}": ("GeV", f"{meaning}, {part}") for name, meaning in _PARTICLES.items() for part in PARTS},
    **{f"vertex_{axis}_cm": ("cm", f"interaction, {axis}; z = 0 at the target's front face") for axis in "xyz"},
    "tau": ("", "proper time to the decay in mean lives"),
    **{
        f"decay_{axis}_cm": ("cm", f"decay at the reference coupling, {axis}; some 1e30 if S is stable")
        for axis in "xyz"
    },
}

#: branches of files with decays (`mcgen.decays`); float64 but for `decay_pdg` (int32)
DECAY_BRANCHES: dict[str, tuple[str, str]] = {
    "decay_pdg": (
        "",
        "daughters of S: 11 e+e-, 13 mu+mu-, 15 tau+tau-, 22 two photons, 211 pi+pi- for all hadrons (nearly always "
        "that below 1 GeV, above it a stand-in for kaons and several pions), 14 and 16 neutrinos, 52 dark ones; the "
        "second one is the antiparticle",
    ),
    **{f"d{number}_{part}": ("GeV", f"daughter {number}, {part}") for number in (1, 2) for part in PARTS},
    "decay_weight": ("", "1, or the probability of a decay forced into the fiducial range"),
}

FLOAT_BRANCHES = [name for name in BRANCHES if name != "event"]
ROW = {name: i for i, name in enumerate(FLOAT_BRANCHES)}


#: branches of events of another generator, of which only the scattering is known
_SCATTERING = [name for name in BRANCHES if not name.startswith(("tau", "decay_"))]


def is_foreign(metadata: Mapping[str, Any]) -> bool:
    """Whether events are of another generator: at one energy, weights in pb."""
    return "beam_energy_gev" in metadata


def check_one_mass(metadata: Mapping[str, Any], what: str) -> None:
    """Raise InputError for events of another generator whose boson has a width, where `what` takes one mass of S."""
    if "mass_range_gev" in metadata:
        low, high = metadata["mass_range_gev"]
        message = f"{what}: S has a width, its masses go from {low:.7g} to {high:.7g} GeV, and one mass is needed here"
        raise InputError(message)


def all_branches(metadata: Mapping[str, Any]) -> list[str]:
    """Branches of events of this kind if none is left out."""
    if is_foreign(metadata):
        return list(_SCATTERING)
    return [*BRANCHES, *(DECAY_BRANCHES if "decays" in metadata else ())]


def branches_of(metadata: Mapping[str, Any]) -> list[str]:
    """Branches that a file of this metadata has: those whose hash is there, as later versions know more of them."""
    hashed = list(metadata.get("branch_sha256", ()))
    chosen = metadata.get("options", {}).get("branches")
    return hashed or (["event", "weight", *chosen] if chosen else all_branches(metadata))


class ContentHash:
    """sha256 of what is in a file, the same for any chunks: one digest per branch, and one over them."""

    def __init__(self) -> None:
        self._branches: dict[str, Any] = {}

    def update(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Add a chunk of events; every chunk has the same branches."""
        for name, column in columns.items():
            digest = self._branches.setdefault(name, hashlib.sha256())
            digest.update(np.ascontiguousarray(column, dtype=column.dtype.newbyteorder("<")).data)

    def branches(self) -> dict[str, str]:
        """The hash of each branch."""
        return {name: digest.hexdigest() for name, digest in self._branches.items()}

    def hexdigest(self) -> str:
        """The hash of all that was added."""
        whole = hashlib.sha256()
        for name, digest in self._branches.items():
            whole.update(name.encode() + digest.digest())
        return whole.hexdigest()


class EventSource(Protocol):
    """Events that can be read: `Events` in memory, an `EventFile`, or either with other weights."""

    metadata: dict[str, Any]

    @property
    def branches(self) -> list[str]:
        """Names of what is stored per event."""
        ...

    def __len__(self) -> int: ...

    def iterate(self, names: Sequence[str]) -> Iterator[Columns]:
        """Chunks of the named branches."""
        ...


@dataclass(slots=True)
class Events:
    """Events in memory, with the metadata of a file."""

    metadata: dict[str, Any]
    columns: Columns

    def __len__(self) -> int:
        return len(self.columns["weight"])

    @property
    def branches(self) -> list[str]:
        """Names of the columns."""
        return list(self.columns)

    def iterate(self, names: Sequence[str]) -> Iterator[Columns]:
        """All events as one chunk with the named branches."""
        yield {name: self.columns[name] for name in names}

    def awkward(self) -> Any:
        """Awkward record array; `mu_in`, `mu_out`, `S`, `N_out` are Momentum4D vectors."""
        return as_awkward(self.columns)


def as_awkward(columns: Columns) -> Any:
    """Columns of a file as an awkward array of records with Momentum4D particles."""
    import awkward as ak
    import vector

    vector.register_awkward()
    four = ("px", "py", "pz", "E")
    names = [name for name in (*_PARTICLES, "d1", "d2") if f"{name}_px" in columns]
    particles = {
        name: ak.zip({part: columns[f"{name}_{part}"] for part in four}, with_name="Momentum4D") for name in names
    }
    flat = {name: column for name, column in columns.items() if not name.endswith(tuple(f"_{p}" for p in four))}
    return ak.zip({**flat, **particles}, depth_limit=1)
