"""What a search can tell events by: energies, angles and places, as functions of the columns of events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mcgen.base.arrays import Array
from mcgen.card.efficiency import DEPTH

__all__ = ["DEPTH", "VARIABLES", "Variable"]

Columns = Mapping[str, NDArray[Any]]


class Variable(NamedTuple):
    """One number of an event."""

    meaning: str
    needed: tuple[str, ...]  #: columns of events
    of: Callable[[Columns], Array]


def _vector(columns: Columns, name: str) -> Array:
    return np.array([columns[f"{name}_p{axis}"] for axis in "xyz"])


def _across(columns: Columns, name: str) -> Array:
    """Momentum in GeV across the incoming lepton."""
    beam, other = _vector(columns, "mu_in"), _vector(columns, name)
    return np.asarray(np.linalg.norm(np.cross(beam, other, axis=0), axis=0) / np.linalg.norm(beam, axis=0))


def _theta(columns: Columns, name: str) -> Array:
    """Angle in rad to the incoming lepton."""
    beam, other = _vector(columns, "mu_in"), _vector(columns, name)
    along = np.sum(beam * other, axis=0) / np.linalg.norm(beam, axis=0)
    return np.asarray(np.arctan2(_across(columns, name), along))


def _recoil(columns: Columns) -> Array:
    """E - M = p^2/(E + M) in GeV."""
    E, squared = columns["N_out_E"], np.sum(_vector(columns, "N_out") ** 2, axis=0)
    return np.asarray(squared / (E + np.sqrt(np.maximum(E * E - squared, 0.0))))


def _momenta(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}_p{axis}" for name in ("mu_in", *names) for axis in "xyz")


_DAUGHTERS = ("d1_E", "d2_E")

#: by name, which has the unit; DEPTH is no number of an event, as each is counted with all its decays
VARIABLES: dict[str, Variable] = {
    "S_E_gev": Variable("energy of S", ("S_E",), lambda c: c["S_E"]),
    "x": Variable("E_S/E_mu", ("S_E", "E_mu"), lambda c: c["S_E"] / c["E_mu"]),
    "S_theta_rad": Variable("angle of S to the incoming lepton", _momenta("S"), lambda c: _theta(c, "S")),
    "mu_out_E_gev": Variable("energy of the outgoing lepton", ("mu_out_E",), lambda c: c["mu_out_E"]),
    "mu_out_theta_rad": Variable(
        "angle of the outgoing lepton to the incoming one", _momenta("mu_out"), lambda c: _theta(c, "mu_out")
    ),
    "mu_out_pt_gev": Variable(
        "momentum of the outgoing lepton across the incoming one", _momenta("mu_out"), lambda c: _across(c, "mu_out")
    ),
    "N_out_T_gev": Variable("kinetic energy of what is struck", ("N_out_E", *_momenta("N_out")[3:]), _recoil),
    "d1_E_gev": Variable("energy of the first daughter", _DAUGHTERS, lambda c: c["d1_E"]),
    "d2_E_gev": Variable("energy of the second daughter", _DAUGHTERS, lambda c: c["d2_E"]),
    "d_min_E_gev": Variable("lower energy of both daughters", _DAUGHTERS, lambda c: np.minimum(c["d1_E"], c["d2_E"])),
    "d_max_E_gev": Variable("higher energy of both daughters", _DAUGHTERS, lambda c: np.maximum(c["d1_E"], c["d2_E"])),
}
