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
from mcgen.base.errors import choose, refuse_if
from mcgen.card.form_factors import element_form_factor
from mcgen.physics.emission.amplitude import Process
from mcgen.physics.emission.form_factor import FormFactor
from mcgen.physics.emission.mediator import MEDIATORS, MIXES, weights_of
from mcgen.physics.matter.materials import ELEMENTS, Element

#: gives G2(t) for the kernels from the name of a form factor and the user's tables of G2(t), by target
Current = Callable[[str, Mapping[str, str]], FormFactor]


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
    others = (target for kind in KINDS if kind != "nuclear" for target, _ in in_atom(kind, ELEMENTS["H"]))
    found = (target for target in others if (target.Z, target.A) == (Z, A))
    return next(found, None) or nucleus(Element("", Z, A))


def per_event(columns: Mapping[str, NDArray[Any]], value: Callable[[Target], float]) -> NDArray[Any]:
    """A property of the struck target, event by event."""
    Z, A = columns["target_Z"], columns["target_A"]
    _, first, which = np.unique(1e3 * Z + A, return_index=True, return_inverse=True)
    return np.array([value(struck(float(Z[i]), float(A[i]))) for i in first])[which]


def check_parity(mediator: str, parity_angle: float) -> None:
    """Raise InputError unless the angle in degrees is one that this mediator can have."""
    inside = 0.0 <= parity_angle <= 90.0
    refuse_if(not inside, f"parity_angle: {parity_angle:g} must lie in 0..90 degrees")
    wrong = parity_angle != 0.0 and mediator not in MIXES
    refuse_if(wrong, f"parity_angle: is of mediator {' or '.join(MIXES)}, not {mediator}; at 90 they are the odd ones")


def check_stable(m: float, m_out: float, m_S: float) -> None:
    """Raise InputError if a lepton of mass m decays to one of mass m_out and the boson."""
    decays = "where the beam lepton decays to the outgoing one and S"
    refuse_if(m_out + m_S <= m, f"mass: {m_S:g} GeV must lie above {m - m_out:.7g} GeV, {decays}")


def process_on(
    target: Target,
    m: float,
    m_S: float,
    mediator: str = "scalar",
    form_factor: str = "paper",
    tables: Mapping[str, str] | None = None,
    *,
    ww: bool = False,
    m_out: float | None = None,
    parity_angle: float = 0.0,
) -> Process:
    """Constants of the kernels: what radiates, what it radiates, and what it scatters on.

    Parameters
    ----------
    target : Target
    m, m_S : float
        Masses of the beam lepton and of the boson in GeV.
    mediator : {"scalar", "pseudoscalar", "vector", "axial"}
    form_factor : str
        Name of the target's form factor.
    tables : mapping, optional
        Texts of G2(t) for the form factor `table`, by target.
    ww : bool
        Take the Weizsaecker-Williams limit of the amplitude.
    m_out : float, optional
        Mass of the outgoing lepton in GeV, if it is another one.
    parity_angle : float
        Of a scalar or a vector, in degrees: 90 is a pseudoscalar or an axial vector.

    Raises
    ------
    InputError
        If a name is unknown, the angle is not possible, or the beam lepton would decay.
    """
    m_out = m if m_out is None else m_out
    check_parity(choose(mediator, MEDIATORS, "mediator"), parity_angle)
    check_stable(m, m_out, m_S)
    weights = weights_of(mediator, m, m_out, m_S, parity_angle)
    return Process(m, m_out, m_S, target.M, weights, target.current(form_factor, tables or {}), ww)
