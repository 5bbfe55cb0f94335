"""What the beam can hit: the targets that an atom holds.

A card says by `target.process` which kind of target counts. A further kind is one call of `register`, in a file of its
own: its name, what of an atom belongs to it, and how the lepton scatters on it, as a current that gives G2(t).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mcgen.base import pdg
from mcgen.base.constants import M_E
from mcgen.base.errors import InputError, choose
from mcgen.card.form_factors import element_form_factor
from mcgen.physics.emission.amplitude import Process
from mcgen.physics.emission.form_factor import FormFactor
from mcgen.physics.emission.mediator import MEDIATORS
from mcgen.physics.matter.materials import ELEMENTS, Element

#: gives G2(t) for the kernels from the name of a form factor and the user's tables of G2(t), by target
Current = Callable[[str, Mapping[str, str]], FormFactor]


def no_current(form_factor: str, tables: Mapping[str, str]) -> FormFactor:  # noqa: ARG001
    """The current of what has no form factor: it is asked for by mistake only."""
    message = f"form factor {form_factor}: no nucleus is hit"
    raise InputError(message)


@dataclass(frozen=True, slots=True)
class Target:
    """A particle at rest that the beam lepton scatters on."""

    name: str
    M: float  #: mass in GeV
    Z: float  #: charge, as in the branch `target_Z`
    A: float  #: mass number of a nucleus, as in the branch `target_A`, which with Z tells targets apart; else 0
    pdg: int
    current: Current = field(compare=False, repr=False)

    def is_struck(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
        """Events on this target."""
        return np.asarray((columns["target_Z"] == self.Z) & (columns["target_A"] == self.A))


#: what the electron of two colliding beams hits, which is in no atom; Z and A tell it from nuclei
POSITRON = Target("e+", M_E, 1.0, 0.0, pdg.BEAMS["e+"], no_current)

#: targets that one atom holds, each with their number
OfAtom = Callable[[Element], Iterable[tuple[Target, float]]]


@functools.lru_cache(maxsize=512)
def nucleus(element: Element) -> Target:
    """The nucleus of an element, isotopes averaged."""
    Z, A = element.Z, element.A
    current = functools.partial(element_form_factor, element=element)
    return Target(element.name, element.M, Z, A, pdg.nucleus(Z, A), current)


#: kind of target, `target.process` of a card -> what of an atom belongs to it
KINDS: dict[str, OfAtom] = {"nuclear": lambda element: [(nucleus(element), 1.0)]}


def register(kind: str, of_atom: OfAtom) -> None:
    """Make a kind of target known to cards, cross sections and files, under a name of its own."""
    if KINDS.setdefault(kind, of_atom) is not of_atom:
        message = f"process {kind}: is known already"
        raise ValueError(message)


def in_atom(kind: str, element: Element) -> list[tuple[Target, float]]:
    """Targets of a kind that an atom holds, each with their number."""
    return list(KINDS[choose(kind, KINDS, "target.process")](element))


def named(name: str) -> Target:
    """A target of any kind by its name: nuclei have that of their element."""
    known = {
        target.name: target for kind in KINDS for element in ELEMENTS.values() for target, _ in in_atom(kind, element)
    }
    return known[choose(name, known, "target")]


def struck(Z: float, A: float) -> Target:
    """The target of an event: a particle of a known kind, or a nucleus."""
    if (Z, A) == (POSITRON.Z, POSITRON.A):
        return POSITRON
    others = (target for kind in KINDS if kind != "nuclear" for target, _ in in_atom(kind, ELEMENTS["H"]))
    found = (target for target in others if (target.Z, target.A) == (Z, A))
    return next(found, None) or nucleus(Element("", Z, A))


def per_event(columns: Mapping[str, NDArray[Any]], value: Callable[[Target], float]) -> NDArray[Any]:
    """A property of the struck target, event by event."""
    Z, A = columns["target_Z"], columns["target_A"]
    _, first, which = np.unique(1e3 * Z + A, return_index=True, return_inverse=True)
    return np.array([value(struck(float(Z[i]), float(A[i]))) for i in first])[which]


def process_on(
    target: Target,
    m: float,
    m_S: float,
    mediator: str = "scalar",
    form_factor: str = "paper",
    tables: Mapping[str, str] | None = None,
    *,
    ww: bool = False,
) -> Process:
    """Constants of the kernels: what radiates, what it radiates, and what it scatters on.

    Parameters
    ----------
    target : Target
    m, m_S : float
        Masses of the lepton and of the boson in GeV.
    mediator : {"scalar", "pseudoscalar", "vector", "axial"}
    form_factor : str
        Name of the target's form factor.
    tables : mapping, optional
        Texts of G2(t) for the form factor `table`, by target.
    ww : bool
        Take the Weizsaecker-Williams limit of the amplitude.
    """
    weights = MEDIATORS[choose(mediator, MEDIATORS, "mediator")](m, m_S)
    return Process(m, m_S, target.M, weights, target.current(form_factor, tables or {}), ww)
