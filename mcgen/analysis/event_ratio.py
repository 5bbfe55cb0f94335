"""Weights that turn events into those of another form factor or mediator: ratios of |M|^2 at the event's own point.

Phase space depends on masses alone, so |M|^2 = e^4 G2(t)/t^2 * A is all that changes. t is in the file. The rest of the
point follows from three-momenta, by products without cancellations. The balance of energy is not used: in it the
rounding errors of the file are larger by (E/q)^2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from mcgen.base.arrays import Array
from mcgen.base.errors import ClosureError, refuse_if
from mcgen.base.jit import jit
from mcgen.card.card import Card, parse_card
from mcgen.card.form_factors import named_or_read
from mcgen.events.branches import LINE_BRANCHES, POINT, VECTORS, Columns
from mcgen.events.events import EventSource, View
from mcgen.events.line_parts import combined, line_parts, parts_at, ratio_of
from mcgen.physics.collider.amplitude import Collision, h_beams
from mcgen.physics.collider.event_map import Frame
from mcgen.physics.collider.event_map import event_point as collision_point
from mcgen.physics.emission.amplitude import Process, amplitude_at, azimuthal_form
from mcgen.physics.emission.form_factor import G2, FormFactor, form_factor
from mcgen.physics.emission.four_momenta import event_point
from mcgen.physics.emission.kinematics import emission
from mcgen.physics.emission.struck_electron import BothLines
from mcgen.source.collisions import Collisions
from mcgen.source.source import Source, source_of
from mcgen.source.targets import Target

#: branches that a ratio is computed from
COLUMNS = ["weight", *POINT]
#: the amplitude does not read it: with the same one everywhere, its kernel is compiled once
_NO_FORM_FACTOR = form_factor("paper", 1.0, 1.0)


@jit
def amplitude_ratios(old: Process, new: Process, E: Array, E_S: Array, t: Array, vectors: Array, out: Array) -> None:
    """Write A of one process over A of another at each event.

    Parameters
    ----------
    old, new : Process
        As generated, and as asked for; of the same masses.
    E, E_S, t : array, shape (n,)
        Beam energy and energy of S in GeV, momentum transfer squared in GeV^2.
    vectors : array, shape (9, n)
        x, y, z of the three-momenta of beam lepton, S and recoiling nucleus in GeV.
    out : array, shape (n,)
        Written: A of `new` over A of `old`.
    """
    v = vectors
    for i in range(out.size):
        one_minus_cos_theta, q_perp, phi_q = event_point(
            E[i],
            old.m,
            old.m_S,
            (v[0, i], v[1, i], v[2, i]),
            (v[3, i], v[4, i], v[5, i]),
            (v[6, i], v[7, i], v[8, i]),
            E_S[i],
        )
        e = emission(E[i], old.m, old.m_out, old.m_S, old.M, E_S[i], one_minus_cos_theta)
        before = amplitude_at(azimuthal_form(e, E[i], t[i], q_perp, old), phi_q)
        out[i] = amplitude_at(azimuthal_form(e, E[i], t[i], q_perp, new), phi_q) / before


@jit
def form_factor_ratios(old: FormFactor, new: FormFactor, t: Array, out: Array) -> None:
    """Multiply by the ratio of two form factors squared at each event.

    Parameters
    ----------
    old, new : FormFactor
        As generated, and as asked for.
    t : array, shape (n,)
        Momentum transfer squared in GeV^2.
    out : array, shape (n,)
        Multiplied by G2 of `new` over G2 of `old`.
    """
    for i in range(out.size):
        out[i] *= G2(t[i], new) / G2(t[i], old)


@jit
def collision_ratios(old: Collision, new: Collision, frame: Frame, vectors: Array, out: Array) -> None:
    """Write |M|^2 of one boson over that of another at each event of a collider.

    Parameters
    ----------
    old, new : Collision
        As generated, and as asked for; of the same masses.
    frame : Frame
        The laboratory.
    vectors : array, shape (9, n)
        x, y, z of the three-momenta of e-, S and f+ in GeV; those of e- are not read.
    out : array, shape (n,)
        Written: |M|^2 of `new` over that of `old`.
    """
    v = vectors
    for i in range(out.size):
        point = collision_point(old, frame, (v[3, i], v[4, i], v[5, i]), (v[6, i], v[7, i], v[8, i]))
        out[i] = h_beams(new, *point) / h_beams(old, *point)


class Collided(NamedTuple):
    """What is collided, and where it is seen."""

    constants: Collision
    frame: Frame


#: what can be hit -> constants as generated, and as asked for
Changes = dict[Target, tuple[Process, Process] | tuple[BothLines, BothLines] | tuple[Collided, Collided]]


def weight_ratios(chunk: Columns, changes: Changes) -> Array:
    """|M|^2 after a change over |M|^2 as generated, for events of the branches COLUMNS.

    Parameters
    ----------
    chunk : dict of arrays
    changes : dict
        What can be hit in the target -> its process as generated, and as asked for.

    Raises
    ------
    ClosureError
        If a ratio is not a finite number, or an event's nucleus is not in the target.
    """
    ratios = np.full(chunk["t"].size, np.nan)
    for target, (old, new) in changes.items():
        struck = target.is_struck(chunk)
        c = {name: np.ascontiguousarray(chunk[name][struck]) for name in COLUMNS[3:]}
        ratio = np.ones(c["t"].size)
        vectors = np.stack([c[name] for name in VECTORS])
        if isinstance(old, Collided) and isinstance(new, Collided):
            collision_ratios(old.constants, new.constants, old.frame, vectors, ratio)
            ratios[struck] = ratio
            continue
        if isinstance(old, BothLines) and isinstance(new, BothLines):
            ratios[struck] = _of_lines(c, old, new)
            continue
        assert isinstance(old, Process)
        assert isinstance(new, Process)
        if new.weights != old.weights:
            bare, asked = (process._replace(ff=_NO_FORM_FACTOR) for process in (old, new))
            amplitude_ratios(bare, asked, c["E_mu"], c["S_E"], c["t"], vectors, ratio)
        form_factor_ratios(old.ff, new.ff, c["t"], ratio)
        ratios[struck] = ratio
    if not np.isfinite(ratios).all():
        message = "weights of another form factor or mediator: a ratio is not finite, or a nucleus is not in the target"
        raise ClosureError(message)
    return ratios


def _of_lines(c: Columns, old: BothLines, new: BothLines) -> Array:
    """The ratio for events whose S may come from the line of an electron."""
    found = []
    for both in (new, old):
        parts = np.empty((3, c["t"].size))
        parts_at(both, c["E_mu"], c["S_E"], c["t"], np.stack([c[name] for name in VECTORS]), parts)
        found.append(combined(parts, both.ratio, both.sign))
    return np.asarray(found[0] / found[1])


def altered_card(card: Card, form_factor: str | None = None, mediator: str | None = None) -> Card:
    """The card with another form factor or mediator, with that mediator's models if those of the card do not fit."""
    if form_factor is not None:
        name, tables = named_or_read(form_factor, [target.name for target in Source(card).targets])
    else:
        name, tables = None, {}
    return card_with(card, name, tables, mediator)


def card_with(card: Card, name: str | None, tables: dict[str, str], mediator: str | None = None) -> Card:
    """The same for a form factor by its name in cards, with the texts of tables."""
    if name is not None:
        run = card.run.model_copy(update={"form_factor": name, "form_factor_table": tables})
        card = parse_card(card.model_copy(update={"run": run}).text)
    return card.with_boson(mediator)


def changes(source: EventSource, form_factor: str | None, mediator: str | None) -> tuple[Card, Changes]:
    """The card after a change of form factor or mediator, and what `weight_ratios` needs."""
    card = parse_card(str(source.metadata["card"]), "of the event file")
    if mediator:
        source.metadata.check_one_mass(f"mediator {mediator}")
    new = altered_card(card, form_factor, mediator)
    missing = [name for name in COLUMNS if name not in source.branches]
    refuse_if(missing, f"another form factor or mediator: the events lack {', '.join(missing)}")
    m_S, old, asked = source.metadata.m_S, source_of(card), source_of(new)
    if isinstance(old, Collisions) and isinstance(asked, Collisions):
        both = Collided(old.process(m_S), old.frame), Collided(asked.process(m_S), asked.frame)
        return new, dict.fromkeys(old.targets, both)
    assert isinstance(old, Source)
    assert isinstance(asked, Source)
    return new, {target: _change(old, asked, m_S, target) for target in old.targets}


def _change(old: Source, asked: Source, m_S: float, target: Target) -> Any:
    """The process on a target as generated, and as asked for."""
    before, after = old.process(m_S, target), asked.process(m_S, target)
    if isinstance(before, BothLines):
        return before, asked.both_lines(m_S, target)
    boson, made = asked.card.scalar, old.card.scalar
    message = f"mediator {boson.mediator}: model {boson.model} couples to electrons, and the events of model "
    message += f"{made.model} have no S from their line; generate them with a model that does"
    refuse_if(isinstance(after, BothLines), message)
    return before, after


def altered(source: EventSource, form_factor: str | None = None, mediator: str | None = None) -> View:
    """Events as if they had been made with another form factor or mediator: their weights times `weight_ratios`."""
    new, processes = changes(source, form_factor, mediator)
    return remade(source, new, lambda chunk: chunk["weight"] * weight_ratios(chunk, processes), COLUMNS)


def remade(source: EventSource, card: Card, weigh: Callable[[Columns], Array], needed: Sequence[str]) -> View:
    """Events as those of a card with another form factor or boson.

    Parameters
    ----------
    source : EventSource
    card : Card
        Of the same beam and target.
    weigh : callable
        Gives the weights of a chunk of them.
    needed : sequence of str
        Branches that it reads.
    """
    made, m_S = source_of(card), source.metadata.m_S
    has_lines = not set(LINE_BRANCHES).isdisjoint(source.branches)

    def change(chunk: Columns) -> Columns:
        parts = line_parts(chunk, made, m_S) if not set(LINE_BRANCHES).isdisjoint(chunk) else {}
        return chunk | parts | {"weight": weigh(chunk)}

    update = {"card": card.text, "mediator": card.scalar.mediator} | ratio_of(source, made)
    return View(source, update, change, [*needed, *(POINT if has_lines else [])])
