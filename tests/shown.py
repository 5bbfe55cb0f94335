"""Bosons as figures show them."""

from __future__ import annotations

from mcgen.analysis.constraints import ShownBoson
from mcgen.card.scalar import Scalar
from mcgen.physics.boson.couplings import MODELS_OF


def boson(mediator, invisible=0.0, tower=None, **more):
    """A boson whose couplings a figure shows."""
    chosen = {"mass": "100 MeV", "mediator": mediator, "model": MODELS_OF[mediator][0], "invisible": invisible} | more
    return ShownBoson.of(Scalar.model_validate(chosen), tower)
