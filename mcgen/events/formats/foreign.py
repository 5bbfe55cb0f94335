"""Events of another generator for the experiment of a card: where they happen, and their metadata."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mcgen._version import __version__
from mcgen.base.arrays import Array
from mcgen.base.pdg import check_boson
from mcgen.card.card import Card
from mcgen.events import exposure
from mcgen.events.meta import FORMAT, EventMeta, Sample
from mcgen.source.targets import Target


class Place(NamedTuple):
    """Where a beam of one energy meets a target."""

    E: float  #: of the beam in GeV
    target: Target
    depth: float  #: cm

    def columns(self, n: int) -> dict[str, Array]:
        """What n events there have in common."""
        common = {
            "E_mu": self.E,
            "depth_cm": self.depth,
            "target_Z": self.target.Z,
            "target_A": self.target.A,
            "vertex_x_cm": 0.0,
            "vertex_y_cm": 0.0,
            "vertex_z_cm": self.depth,
        }
        return {name: np.full(n, value) for name, value in common.items()}


def columns_at(places: Sequence[Place], which: NDArray[np.int64]) -> dict[str, Array]:
    """The same of events at several places, `which` of them says an index for each event."""
    rows = [place.columns(1) for place in places]
    return {name: np.concatenate([row[name] for row in rows])[which] for name in rows[0]}


def described(card: Card, samples: Sequence[Sample], m_S: float, boson: int, **more: Any) -> EventMeta:
    """Metadata of events of another generator.

    Parameters
    ----------
    card : Card
    samples : sequence of Sample
        Each energy on each target.
    m_S : float
        Mass of S in GeV.
    boson : int
        PDG number of S in the file, 0 if nothing says it; numbers of nuclei are none of a boson.
    **more
        Further keys.
    """
    scalar = card.scalar
    samples = sorted(samples, key=lambda sample: (sample.target, sample.energy))
    first, alone = samples[0], len(samples) == 1
    found: dict[str, Any] = {
        "format": FORMAT,
        "card": card.text,
        "mcgen_version": __version__,
        "n_events": sum(sample.n_events for sample in samples),
        "mass_gev": m_S,
    }
    if alone:
        found |= {"beam_energy_gev": first.energy, "target": first.target}
    else:
        found |= {"beam_energies_gev": sorted({sample.energy for sample in samples})}
    found |= {
        "model": scalar.model,
        "mediator": scalar.mediator,
        "reference_g_mu": scalar.g_mu,
        "norm_relative_error": first.relative_error if alone else 0.0,
    }
    if alone:
        found["sigma_pb"] = first.sigma
    found["sigma"] = [_row(sample, alone) for sample in samples]
    about = exposure.of_cross_sections(card, samples)
    where = "is that of <init>" if alone else "at one energy on one target is that in `sigma`"
    found["weight_convention"] = f"cross section in {about['weight_unit']}; the sum over the file {where}"
    found["exposure"] = about
    if 0 < boson < 10**9:
        found["boson_pdg"] = check_boson(boson)
    return EventMeta(found | more)


def _row(sample: Sample, alone: bool) -> dict[str, Any]:
    row = {"target": sample.target, "energy_gev": sample.energy, "sigma_pb": sample.sigma}
    return row if alone else row | {"n_events": sample.n_events, "relative_error": sample.relative_error}
